// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Wire cursors: order of octets, bounds, and that the first error stays. */
#include "util/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

Test(wire, numbers_are_in_network_order_both_ways)
{
	uint8_t buf[15];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	const uint8_t want[15] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct xtr_rd r = xtr_rd_init(buf, sizeof(buf));

	xtr_wr_u8(&w, 0x01);
	xtr_wr_u16(&w, 0x0203);
	xtr_wr_u32(&w, 0x04050607);
	xtr_wr_u64(&w, 0x08090a0b0c0d0e0full);
	cr_expect_eq(w.err, 0);
	cr_expect_eq(xtr_wr_len(&w), 15);
	cr_expect_arr_eq(buf, want, 15);
	cr_expect_eq(xtr_rd_u8(&r), 0x01);
	cr_expect_eq(xtr_rd_u16(&r), 0x0203);
	cr_expect_eq(xtr_rd_u32(&r), 0x04050607);
	cr_expect_eq(xtr_rd_u64(&r), 0x08090a0b0c0d0e0full);
	cr_expect(!r.err && !xtr_rd_left(&r));
}

/* Every read of n octets from a buffer of exactly k < n must fail, move nothing and give 0. */
Test(wire, reads_never_pass_the_end)
{
	for (size_t k = 0; k < 8; k++) {
		uint8_t *buf = malloc(k ? k : 1);
		struct xtr_rd r;

		memset(buf, 0xff, k ? k : 1);
		buf = realloc(buf, k ? k : 1);
#define FAILS(n, call) \
	do { \
		if (k < (n)) { \
			r = xtr_rd_init(buf, k); \
			cr_expect_eq((call), 0); \
			cr_expect(r.err == -EBADMSG && r.p == buf && xtr_rd_left(&r) == 0); \
		} \
	} while (0)
		FAILS(1, xtr_rd_u8(&r));
		FAILS(2, xtr_rd_u16(&r));
		FAILS(4, xtr_rd_u32(&r));
		FAILS(8, xtr_rd_u64(&r));
		FAILS(8, (uintptr_t)xtr_rd_bytes(&r, 8));
		FAILS(8, (uintptr_t)xtr_rd_bytes(&r, SIZE_MAX));
#undef FAILS
		free(buf);
	}
}

Test(wire, first_error_stays)
{
	const uint8_t buf[4] = { 1, 2, 3, 4 };
	struct xtr_rd r = xtr_rd_init(buf, 4), s;
	uint8_t out[8], copy[3] = { 9, 9, 9 };
	struct xtr_wr w = xtr_wr_init(out, 3);

	xtr_rd_fail(&r, -EAFNOSUPPORT);
	xtr_rd_fail(&r, -E2BIG);
	cr_expect_eq(xtr_rd_u32(&r), 0);
	cr_expect_eq(r.err, -EAFNOSUPPORT);
	xtr_rd_copy(&r, copy, 3);
	cr_expect(!copy[0] && !copy[1] && !copy[2], "zeroes on error");
	s = xtr_rd_sub(&r, 0);
	cr_expect(s.err == -EAFNOSUPPORT && !xtr_rd_left(&s));

	memset(out, 0xee, sizeof(out));
	xtr_wr_u32(&w, 1);
	cr_expect_eq(w.err, -ENOSPC);
	xtr_wr_u8(&w, 1);
	cr_expect(xtr_wr_len(&w) == 0 && out[0] == 0xee, "after an error nothing is written");
	xtr_wr_fail(&w, -EINVAL);
	cr_expect_eq(w.err, -ENOSPC);
	cr_expect_null(xtr_wr_reserve(&w, 1));
}

Test(wire, sub_cursor_ends_where_it_should)
{
	const uint8_t buf[6] = { 1, 2, 3, 4, 5, 6 };
	struct xtr_rd r = xtr_rd_init(buf, 6), s = xtr_rd_sub(&r, 3);

	cr_expect_eq(xtr_rd_left(&s), 3);
	cr_expect_eq(xtr_rd_u16(&s), 0x0102);
	cr_expect_eq(xtr_rd_u16(&s), 0);
	cr_expect_eq(s.err, -EBADMSG);
	cr_expect_eq(xtr_rd_u8(&r), 4, "the outer cursor is past the sub cursor, and has no error");
	s = xtr_rd_sub(&r, 3);
	cr_expect(s.err == -EBADMSG && r.err == -EBADMSG);
}

Test(wire, reserve_zeroes_and_bytes_copy)
{
	uint8_t out[8];
	struct xtr_wr w = xtr_wr_init(out, sizeof(out));
	const uint8_t want[7] = { 0, 0, 0, 'a', 'b', 0, 7 };
	uint8_t *p;

	memset(out, 0xee, sizeof(out));
	p = xtr_wr_reserve(&w, 3);
	xtr_wr_bytes(&w, "ab", 3);
	xtr_wr_bytes(&w, NULL, 0);
	xtr_wr_u8(&w, 7);
	cr_expect(p == out && !w.err);
	cr_expect_arr_eq(out, want, 7);
	cr_expect_eq(out[7], 0xee);
	xtr_wr_bytes(&w, want, 2);
	cr_expect_eq(w.err, -ENOSPC);
	cr_expect_eq(out[7], 0xee);
}

Test(wire, empty_buffers)
{
	struct xtr_rd r = xtr_rd_init(NULL, 0);
	struct xtr_wr w = xtr_wr_init(NULL, 0);

	cr_expect_eq(xtr_rd_left(&r), 0);
	xtr_rd_bytes(&r, 0);
	cr_expect_eq(r.err, 0);
	cr_expect_eq(xtr_rd_u8(&r), 0);
	cr_expect_eq(r.err, -EBADMSG);
	xtr_wr_bytes(&w, "", 0);
	cr_expect_eq(w.err, 0);
	xtr_wr_u8(&w, 1);
	cr_expect_eq(w.err, -ENOSPC);
}
