// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The checksum of the internet protocols (RFC 1071): sum up as many parts as there are, all but the last of an even number of
 * octets, then fold. Pure.
 */
#include "dp/internal.h"

uint32_t xtr_dp_sum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

uint16_t xtr_dp_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}
