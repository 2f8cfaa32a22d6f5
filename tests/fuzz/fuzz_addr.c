// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses of all kinds, one after the other, up to the first that is refused. */
#include "fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *octets = ex_exact(data, size);

	ex_addr_octets(octets, size, true);
	free(octets);
	return 0;
}
