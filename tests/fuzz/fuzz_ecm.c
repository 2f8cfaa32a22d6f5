// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Encapsulated control messages. Checksums and lengths would stop nearly every input, so each is tried three times: as it
 * is, with them made right, and as the message inside an ECM that we encode.
 */
#include "fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Offset of the inner IP header, past LISP-SEC data of a sensible length. */
static size_t inner_at(const uint8_t *msg, size_t size)
{
	size_t at = 4;

	if (size > 40 && msg[0] & 8)
		at += msg[4] == 1 ? 32u + (size_t)(msg[36] << 8 | msg[37]) : msg[4] == 2 ? 8u + msg[11] : 0;
	return at;
}

static void repair(uint8_t *msg, size_t size)
{
	size_t at = inner_at(msg, size), head, left;
	uint32_t sum = 0;
	uint8_t *ip;

	if (at + 48 > size)
		return;
	ip = msg + at;
	left = size - at;
	if (ip[0] >> 4 == 6) {
		head = 40;
		ip[4] = (uint8_t)((left - 40) >> 8);
		ip[5] = (uint8_t)(left - 40);
		ip[6] = 17;
	} else {
		head = 20;
		ip[0] = 0x45;
		ip[2] = (uint8_t)(left >> 8);
		ip[3] = (uint8_t)left;
		ip[6] &= 0x40;
		ip[7] = 0;
		ip[9] = 17;
		ip[10] = ip[11] = 0;
		for (int i = 0; i < 20; i += 2)
			sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		ip[10] = (uint8_t)(~sum >> 8);
		ip[11] = (uint8_t)~sum;
	}
	ip[head + 2] = 4342 >> 8;
	ip[head + 3] = 4342 & 255;
	ip[head + 4] = (uint8_t)((left - head) >> 8);
	ip[head + 5] = (uint8_t)(left - head);
	ip[head + 6] = ip[head + 7] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xtr_ip ends[2][2] = {
		{ { 4, { 192, 0, 2, 1 } }, { 4, { 10, 1, 0, 1 } } },
		{ { 6, { 0x20, 1, 0xd, 0xb8 } }, { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } } },
	};
	uint8_t *msg = ex_exact(data, size), out[4096];
	struct xtr_ecm ecm;

	if (size)
		msg[0] = (uint8_t)(XTR_MSG_ECM << 4 | (msg[0] & 15));
	ex_ecm(msg, size);
	repair(msg, size);
	ex_ecm(msg, size);
	free(msg);

	for (int v6 = 0; size && size < sizeof(out) - 64 && v6 < 2; v6++) {
		struct xtr_wr w = xtr_wr_init(out, sizeof(out));

		xtr_ecm_encode(&w, &ends[v6][0], 4342, &ends[v6][1], 4342, data, size);
		EX_CHECK(!w.err);
		if (data[0] >> 4 == XTR_MSG_ECM) {
			EX_CHECK(xtr_ecm_decode(out, xtr_wr_len(&w), &ecm) == -EBADMSG);
			continue;
		}
		EX_CHECK(!xtr_ecm_decode(out, xtr_wr_len(&w), &ecm));
		EX_CHECK(ecm.msg_len == size && !memcmp(ecm.msg, data, size));
		if (!v6)
			ex_ecm(out, xtr_wr_len(&w));
	}
	return 0;
}
