// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Locator-sets: sorted, without duplicates, bounded; unions. RFC 9301 5.4, 5.5; RFC 8060 3. */
#include "core/locset.h"
#include "fake_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct in {
	const char *ip;
	uint8_t priority;
	bool reachable;
};

static uint8_t wire[8192], out_buf[2][XTR_LOCSET_OCTETS];

static void record(const struct in *in, unsigned n, struct xtr_record *rec)
{
	struct xtr_wr w = xtr_wr_init(wire, sizeof(wire));

	for (unsigned i = 0; i < n; i++) {
		struct xtr_ip ip = fw_ip(in[i].ip);

		xtr_put_locator(&w, in[i].priority, 0, 255, 0, true, false, in[i].reachable, &ip);
	}
	*rec = (struct xtr_record){ .locator_count = (uint8_t)n,
				    .locators = xtr_rd_init(wire, xtr_wr_len(&w)) };
}

static const char *text(const struct xtr_locset *s)
{
	static char buf[4096];
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	size_t at = 0;
	unsigned n = 0;

	buf[0] = '\0';
	while (xtr_locset_next(s, &it, &l)) {
		char a[128];

		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s/%u%s", n++ ? " " : "",
				       xtr_addr_str(&l.addr, a, sizeof(a)), l.priority,
				       l.reachable ? "" : "!");
	}
	cr_assert_eq(n, s->count);
	return buf;
}

Test(locset, RFC9301_5_5_sorted_ipv4_first_without_duplicates)
{
	static const struct in in[] = {
		{ "2001:db8::2", 1, true }, { "192.0.2.200", 1, true }, { "10.0.0.1", 1, true },
		{ "2001:db8::1", 2, true }, { "192.0.2.3", 1, true },   { "10.0.0.1", 9, true },
	};
	struct xtr_locset s;
	struct xtr_record rec;

	record(in, 6, &rec);
	xtr_locset_read(&rec, out_buf[0], XTR_LOCSET_OCTETS, &s);
	cr_assert_str_eq(text(&s),
			 "10.0.0.1/1 192.0.2.3/1 192.0.2.200/1 2001:db8::1/2 2001:db8::2/1");
}

Test(locset, union_takes_the_newest_values_and_any_R_bit)
{
	static const struct in old[] = { { "192.0.2.1", 1, true }, { "192.0.2.3", 1, false } };
	static const struct in new[] = { { "192.0.2.2", 5, true }, { "192.0.2.1", 7, false } };
	struct xtr_locset s[2], u;
	struct xtr_record rec;
	uint8_t buf[XTR_LOCSET_OCTETS];

	record(old, 2, &rec);
	xtr_locset_read(&rec, out_buf[0], XTR_LOCSET_OCTETS, &s[0]);
	record(new, 2, &rec);
	xtr_locset_read(&rec, out_buf[1], XTR_LOCSET_OCTETS, &s[1]);
	xtr_locset_union(s, 2, buf, sizeof(buf), &u);
	cr_assert_str_eq(text(&u), "192.0.2.1/7 192.0.2.2/5 192.0.2.3/1!");
}

Test(locset, at_most_32_locators_are_kept)
{
	struct in in[200];
	char names[200][16];
	struct xtr_locset s;
	struct xtr_record rec;

	for (unsigned i = 0; i < 200; i++) {
		snprintf(names[i], sizeof(names[i]), "10.0.0.%u", i + 1);
		in[i] = (struct in){ names[i], 1, true };
	}
	record(in, 200, &rec);
	xtr_locset_read(&rec, out_buf[0], XTR_LOCSET_OCTETS, &s);
	cr_assert_eq(s.count, 32);
	/* and never more octets than there is room for */
	xtr_locset_read(&rec, out_buf[0], 30, &s);
	cr_assert_eq(s.count, 2);
	cr_assert_eq(s.len, 24);
}

Test(locset, RFC9306_3_unknown_lcaf_locators_are_left_out)
{
	/* 192.0.2.1, then an LCAF of unassigned type 200 with 2 octets. */
	static const uint8_t bytes[] = {
		1,   1, 255, 0, 0,    1,    0, 1, 192, 0, 2, 1, 1,    1,
		255, 0, 0,   1, 0x40, 0x03, 0, 0, 200, 0, 0, 2, 0xaa, 0xbb,
	};
	const struct xtr_record rec = { .locator_count = 2,
					.locators = xtr_rd_init(bytes, sizeof(bytes)) };
	struct xtr_locset s;

	xtr_locset_read(&rec, out_buf[0], XTR_LOCSET_OCTETS, &s);
	cr_assert_str_eq(text(&s), "192.0.2.1/1");
}

Test(locset, empty)
{
	const struct xtr_record rec = { .locator_count = 0, .locators = xtr_rd_init(wire, 0) };
	struct xtr_locset s, t = { 0 };

	xtr_locset_read(&rec, out_buf[0], XTR_LOCSET_OCTETS, &s);
	cr_assert_str_eq(text(&s), "");
	cr_assert(xtr_locset_equal(&s, &t));
}

Test(locset, RFC9301_5_4_addresses_that_cannot_be_rlocs)
{
	static const char *const bad[] = { "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255",
					   "::",      "::1",       "ff02::1" };
	struct xtr_ip ip;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ip = fw_ip(bad[i]);
		cr_assert(!xtr_rloc_valid(&ip), "%s", bad[i]);
	}
	ip = fw_ip("192.0.2.1");
	cr_assert(xtr_rloc_valid(&ip));
	ip = fw_ip("2001:db8::1");
	cr_assert(xtr_rloc_valid(&ip));
}
