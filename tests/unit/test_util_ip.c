// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses and prefixes as values: text both ways, masks, classes, order, socket addresses. */
#include "util/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <criterion/criterion.h>

static struct xtr_ip ip(const char *s)
{
	struct xtr_ip r;

	cr_assert_eq(xtr_ip_parse(s, &r), 0, "%s", s);
	return r;
}

static struct xtr_ippfx pfx(const char *s)
{
	struct xtr_ippfx r;

	cr_assert_eq(xtr_ippfx_parse(s, &r), 0, "%s", s);
	return r;
}

Test(ip, RFC5952_canonical_text)
{
	static const char *const both[][2] = {
		{ "192.0.2.1", "192.0.2.1" }, { "0.0.0.0", "0.0.0.0" }, { "::", "::" }, { "::1", "::1" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" }, { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" }, { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" }, { "::1:2", "::1:2" }, { "::102:304", "::102:304" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char buf[XTR_IP_STRLEN];

	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		struct xtr_ip a = ip(both[i][0]);

		cr_expect_str_eq(xtr_ip_str(&a, buf), both[i][1]);
	}
	cr_expect_str_eq(xtr_ip_str(&(struct xtr_ip){ 0 }, buf), "none");
}

Test(ip, refuses_what_is_no_address)
{
	static const char *const bad[] = { "", " ", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", ":::", "fe80::1%eth0",
					   "1::2::3", "a.b.c.d", "0x7f.1.1.1", "2001:db8:::1" };
	struct xtr_ip a = { .family = 9 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(xtr_ip_parse(bad[i], &a), -EINVAL, "'%s'", bad[i]);
	cr_expect_eq(a.family, 9, "an error leaves the result alone");
}

Test(ip, prefix_text)
{
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/8 ",
					   "::/129", "10.0.0.0/8/8", "/8", "10.0.0.0/0008", "10.0.0.0/8x",
					   "10.0.0.0/255.0.0.0", "",
					   "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd/8" };
	char buf[XTR_IPPFX_STRLEN];
	struct xtr_ippfx p;

	p = pfx("192.0.2.7/24");
	cr_expect_str_eq(xtr_ippfx_str(&p, buf), "192.0.2.7/24", "host bits are kept");
	p = pfx("192.0.2.7");
	cr_expect_eq(p.len, 32);
	p = pfx("2001:db8::1");
	cr_expect_eq(p.len, 128);
	p = pfx("::/0");
	cr_expect_str_eq(xtr_ippfx_str(&p, buf), "::/0");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(xtr_ippfx_parse(bad[i], &p), -EINVAL, "'%s'", bad[i]);
}

Test(ip, longest_texts_fit)
{
	char buf[XTR_IPPFX_STRLEN];
	struct xtr_ippfx p = pfx("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");

	cr_expect_str_eq(xtr_ippfx_str(&p, buf), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

Test(ip, mask_clears_exactly_the_host_bits)
{
	for (unsigned len = 0; len <= 128; len++) {
		struct xtr_ippfx p = pfx("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
		unsigned set = 0;

		p.len = (uint8_t)len;
		cr_expect_eq(xtr_ippfx_mask(&p), len < 128);
		for (unsigned i = 0; i < 128; i++) {
			bool bit = p.ip.a[i / 8] & 0x80 >> i % 8;

			cr_expect_eq(bit, i < len);
			set += bit;
		}
		cr_expect_eq(set, len);
		cr_expect(!xtr_ippfx_mask(&p), "nothing is left to clear");
	}
}

Test(ip, mask_of_ipv4_keeps_unused_octets_zero)
{
	struct xtr_ippfx p = pfx("255.255.255.255/9");
	const uint8_t want[16] = { 255, 128 };

	cr_expect(xtr_ippfx_mask(&p));
	cr_expect_arr_eq(p.ip.a, want, 16);
}

Test(ip, contains_and_has)
{
	struct xtr_ippfx p8 = pfx("10.0.0.0/8"), p9 = pfx("10.128.0.0/9"), all = pfx("0.0.0.0/0"), all6 = pfx("::/0");
	struct xtr_ip in = ip("10.200.0.1"), out = ip("11.0.0.1"), low = ip("10.127.255.255");

	cr_expect(xtr_ippfx_contains(&p8, &p9) && !xtr_ippfx_contains(&p9, &p8) && xtr_ippfx_contains(&p8, &p8));
	cr_expect(xtr_ippfx_contains(&all, &p8) && !xtr_ippfx_contains(&all6, &p8), "families do not mix");
	cr_expect(xtr_ippfx_has(&p8, &in) && xtr_ippfx_has(&p9, &in));
	cr_expect(!xtr_ippfx_has(&p8, &out) && !xtr_ippfx_has(&p9, &low) && !xtr_ippfx_has(&all6, &in));
}

Test(ip, RFC9301_5_5_order)
{
	static const char *const sorted[] = { "1.2.3.4", "10.0.0.1", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1" };
	const unsigned n = sizeof(sorted) / sizeof(sorted[0]);

	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < n; j++) {
			struct xtr_ip a = ip(sorted[i]), b = ip(sorted[j]);
			int c = xtr_ip_cmp(&a, &b);

			cr_expect_eq((c > 0) - (c < 0), (i > j) - (i < j), "%s %s", sorted[i], sorted[j]);
		}
	}
}

Test(ip, classes)
{
	static const struct { const char *s; bool mc, ll, lo, un; } t[] = {
		{ "224.0.0.1", 1, 0, 0, 0 }, { "239.255.255.255", 1, 0, 0, 0 }, { "240.0.0.1", 0, 0, 0, 0 },
		{ "223.255.255.255", 0, 0, 0, 0 }, { "169.254.1.1", 0, 1, 0, 0 }, { "169.255.1.1", 0, 0, 0, 0 },
		{ "127.0.0.1", 0, 0, 1, 0 }, { "127.255.0.1", 0, 0, 1, 0 }, { "128.0.0.1", 0, 0, 0, 0 },
		{ "0.0.0.0", 0, 0, 0, 1 }, { "0.0.0.1", 0, 0, 0, 0 }, { "ff02::1", 1, 0, 0, 0 },
		{ "fe80::1", 0, 1, 0, 0 }, { "febf::1", 0, 1, 0, 0 }, { "fec0::1", 0, 0, 0, 0 },
		{ "::1", 0, 0, 1, 0 }, { "::2", 0, 0, 0, 0 }, { "::", 0, 0, 0, 1 }, { "2001:db8::1", 0, 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct xtr_ip a = ip(t[i].s);

		cr_expect_eq(xtr_ip_is_multicast(&a), t[i].mc, "%s", t[i].s);
		cr_expect_eq(xtr_ip_is_linklocal(&a), t[i].ll, "%s", t[i].s);
		cr_expect_eq(xtr_ip_is_loopback(&a), t[i].lo, "%s", t[i].s);
		cr_expect_eq(xtr_ip_is_unspecified(&a), t[i].un, "%s", t[i].s);
	}
}

Test(ip, socket_addresses_both_ways)
{
	struct sockaddr_storage ss;
	struct xtr_ip a, b;
	uint16_t port = 0;

	a = ip("192.0.2.1");
	cr_expect_eq(xtr_ip_to_sockaddr(&a, 4342, &ss), sizeof(struct sockaddr_in));
	cr_expect_eq(((struct sockaddr_in *)&ss)->sin_port, htons(4342));
	cr_expect_eq(xtr_ip_from_sockaddr((struct sockaddr *)&ss, &b, &port), 0);
	cr_expect(port == 4342 && !xtr_ip_cmp(&a, &b) && !memcmp(&a, &b, sizeof(a)));

	a = ip("2001:db8::1");
	cr_expect_eq(xtr_ip_to_sockaddr(&a, 4341, &ss), sizeof(struct sockaddr_in6));
	cr_expect_eq(xtr_ip_from_sockaddr((struct sockaddr *)&ss, &b, &port), 0);
	cr_expect(port == 4341 && !xtr_ip_cmp(&a, &b));

	a = ip("::ffff:192.0.2.7"); /* what a dual-stack socket shows for an IPv4 peer */
	xtr_ip_to_sockaddr(&a, 1, &ss);
	b = (struct xtr_ip){ .a = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
	cr_expect_eq(xtr_ip_from_sockaddr((struct sockaddr *)&ss, &b, NULL), 0);
	a = ip("192.0.2.7");
	cr_expect(!memcmp(&a, &b, sizeof(a)));

	ss.ss_family = AF_UNIX;
	cr_expect_eq(xtr_ip_from_sockaddr((struct sockaddr *)&ss, &b, &port), -EAFNOSUPPORT);
	cr_expect_eq(xtr_ip_to_sockaddr(&(struct xtr_ip){ 0 }, 1, &ss), 0);
}
