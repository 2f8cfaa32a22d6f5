// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Map-Registers, Map-Notifies and their acknowledgements, with signing and checking of the MAC. */
#include "fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *msg = ex_exact(data, size);

	if (size && (msg[0] >> 4 < XTR_MSG_MAP_REGISTER || msg[0] >> 4 > XTR_MSG_MAP_NOTIFY_ACK))
		msg[0] = (uint8_t)((XTR_MSG_MAP_REGISTER + msg[0] % 3) << 4 | (msg[0] & 15));
	ex_register(msg, size);
	free(msg);
	return 0;
}
