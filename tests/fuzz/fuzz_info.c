// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Info-Requests and Info-Replies: any octets as one, whatever their type nibble says. */
#include "fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *msg = ex_exact(data, size);

	if (size)
		msg[0] = (uint8_t)(XTR_MSG_INFO << 4 | (msg[0] & 15));
	ex_info(msg, size);
	free(msg);
	return 0;
}
