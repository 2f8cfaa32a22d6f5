// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS messages: queries as they have to be, and answers made by hand through the parser, cut, without end, not ours.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_lab.h"

static struct xtr_dns_result r;

/* From memory of exactly that size; frees a. */
static int parsed(struct ans *a, int type)
{
	uint8_t *exact = malloc(a->n);
	int rc;

	memcpy(exact, a->b, a->n);
	rc = xtr_dns_parse(exact, a->n, NAME, type, &r);
	cr_assert_eq(rc, r.status);
	cr_assert_eq(!!rc, !!r.why[0]);
	free(exact);
	free(a);
	return rc;
}

static const char *first(void)
{
	static char text[XTR_IP_STRLEN];

	return xtr_ip_str(&r.addrs[0], text);
}

Test(dns_parse, addresses_sorted_once_with_the_shortest_ttl)
{
	struct ans *a = ans_start(0x8180, "3.MS.teST", A);

	ans_addr(a, "@12", 300, "127.0.0.9");
	ans_addr(a, NAME, 60, "127.0.0.2");
	ans_addr(a, "@12", 900, "127.0.0.9");
	ans_addr(a, "other.test", 1, "127.0.0.1");
	cr_assert_eq(parsed(a, A), 0, "%s", r.why);
	cr_assert_eq(r.count, 2);
	cr_assert_str_eq(first(), "127.0.0.2");
	cr_assert_eq(r.ttl, 60);
	cr_assert_not(r.authenticated);
	a = ans_start(0x81a0, NAME, AAAA);
	ans_addr(a, "@12", 0, "2001:db8::1");
	cr_assert_eq(parsed(a, AAAA), 0);
	cr_assert_eq(r.ttl, 0);
	cr_assert(r.authenticated, "AD");
	a = ans_start(0x8180, NAME, A);
	ans_addr(a, "@12", 0x80000000, "127.0.0.1");
	cr_assert_eq(parsed(a, A), 0);
	cr_assert_eq(r.ttl, 0, "RFC 2181 8");
}

Test(dns_parse, of_a_hundred_the_same_64_whatever_the_order)
{
	struct xtr_dns_result up;
	char text[32];

	for (int back = 0; back < 2; back++) {
		struct ans *a = ans_start(0x8180, NAME, A);

		for (int i = 1; i <= 100; i++) {
			snprintf(text, sizeof(text), "127.0.1.%d", back ? 101 - i : i);
			ans_addr(a, "@12", 60, text);
		}
		cr_assert_eq(parsed(a, A), 0);
		cr_assert_eq(r.count, XTR_DNS_ADDRS_MAX);
		cr_assert_eq(r.cut, 36);
		if (back)
			cr_assert_eq(memcmp(up.addrs, r.addrs, sizeof(r.addrs)), 0);
		up = r;
	}
	cr_assert_str_eq(first(), "127.0.1.1");
}

static struct ans *chain(int links, bool backwards)
{
	struct ans *a = ans_start(0x8180, NAME, A);
	char from[32], to[32];

	if (backwards) {
		snprintf(to, sizeof(to), "c%d.test", links);
		ans_addr(a, to, 500, "127.0.0.7");
	}
	for (int i = 1; i <= links; i++) {
		int k = backwards ? links + 1 - i : i;

		snprintf(from, sizeof(from), "c%d.test", k - 1);
		snprintf(to, sizeof(to), "c%d.test", k);
		ans_cname(a, k == 1 ? NAME : from, (uint32_t)(100 + k), to);
	}
	if (!backwards)
		ans_addr(a, to, 500, "127.0.0.7");
	return a;
}

Test(dns_parse, cname_chains_in_any_order_up_to_16)
{
	for (int back = 0; back < 2; back++) {
		cr_assert_eq(parsed(chain(1, back), A), 0);
		cr_assert_eq(parsed(chain(16, back), A), 0, "%s", r.why);
		cr_assert_str_eq(first(), "127.0.0.7");
		cr_assert_eq(r.ttl, 101, "of the first link");
		cr_assert_eq(parsed(chain(17, back), A), -EBADMSG);
	}
	struct ans *a = ans_start(0x8180, NAME, A);

	ans_cname(a, NAME, 5, "b.test");
	ans_cname(a, "b.test", 5, NAME);
	cr_assert_eq(parsed(a, A), -EBADMSG, "a ring");
}

Test(dns_parse, names_without_end_are_refused)
{
	struct ans *a = ans_start(0x8180, NAME, A);
	char at[16];

	snprintf(at, sizeof(at), "@%zu", a->n);
	ans_addr(a, at, 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "points to itself");
	a = ans_start(0x8180, NAME, A);
	snprintf(at, sizeof(at), "@%zu", a->n + 16);
	ans_addr(a, at, 60, "127.0.0.1");
	ans_addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "forward");
	a = ans_start(0x8180, NAME, A);
	ans_begin(a, 0, "@12", 5, 60);
	a->b[a->n] = 1, a->b[a->n + 1] = 'x';
	a->n += 2;
	ans_put16(a, 0xc000 | (unsigned)(a->n - 2)); /* x.x.x. ... */
	ans_finish(a, a->n - 4);
	cr_assert_eq(parsed(a, A), -EBADMSG);
	a = ans_start(0x8180, NAME, A);
	for (int i = 0; i < 5; i++) { /* 5 * 64 octets */
		a->b[a->n++] = 63;
		memset(a->b + a->n, 'x', 63);
		a->n += 63;
	}
	a->b[7] = 1;
	a->n += 11;
	cr_assert_eq(parsed(a, A), -EBADMSG, "longer than 255");
	a = ans_start(0x8180, NAME, A);
	a->b[a->n++] = 0x80; /* neither label nor pointer */
	a->b[7] = 1;
	a->n += 20;
	cr_assert_eq(parsed(a, A), -EBADMSG);
}

Test(dns_parse, cut_anywhere_it_is_no_answer)
{
	struct ans *a = ans_start(0x8180, NAME, A);

	ans_cname(a, "@12", 60, "b.test");
	ans_addr(a, "b.test", 60, "127.0.0.1");
	ans_soa(a, 60, 60);
	ans_opt(a, 0, 6);
	for (size_t n = 0; n < a->n; n++) {
		struct ans *cut = malloc(sizeof(*cut));

		*cut = *a;
		cut->n = n;
		cr_assert_eq(parsed(cut, A), -EBADMSG, "%zu octets", n);
	}
	cr_assert_eq(parsed(a, A), 0);
	a = ans_start(0x8380, NAME, A);
	ans_addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "TC");
	a = ans_start(0x8180, NAME, A);
	ans_addr(a, "@12", 60, "127.0.0.1");
	a->b[a->n - 5]++; /* RDLENGTH 5 */
	a->n++;
	cr_assert_eq(parsed(a, A), -EBADMSG);
}

Test(dns_parse, the_question_must_be_ours)
{
	struct ans *a = ans_start(0x8180, "4.ms.test", A);

	ans_addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "another name");
	a = ans_start(0x8180, NAME, AAAA);
	ans_addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "another type");
	a = ans_start(0x0180, NAME, A);
	ans_addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "a query");
	a = ans_start(0x8180, NAME, A);
	a->b[5] = 2;
	cr_assert_eq(parsed(a, A), -EBADMSG, "two questions");
	a = ans_start(0x8180, NAME, A);
	a->b[5] = 0;
	cr_assert_eq(parsed(a, A), -EBADMSG, "none");
	a = ans_start(0x8180, NAME, A);
	cr_assert_eq(parsed(a, 16), -EINVAL, "TXT");
}

Test(dns_parse, RFC2308_nothing_there)
{
	struct ans *a = ans_start(0x81a3, NAME, A);

	ans_soa(a, 900, 30);
	cr_assert_eq(parsed(a, A), -ENOENT);
	cr_assert_eq(r.ttl, 30, "the less of TTL and MINIMUM");
	cr_assert(r.authenticated);
	a = ans_start(0x8180, NAME, A);
	ans_soa(a, 20, 30);
	cr_assert_eq(parsed(a, A), -ENOENT, "NODATA");
	cr_assert_eq(r.ttl, 20);
	a = ans_start(0x8180, NAME, A);
	ans_cname(a, "@12", 5, "b.test");
	ans_soa(a, 20, 30);
	cr_assert_eq(parsed(a, A), -ENOENT);
	cr_assert_eq(r.ttl, 5);
	cr_assert_eq(parsed(ans_start(0x8183, NAME, A), A), -ENOENT);
	cr_assert_eq(r.ttl, 0, "nobody says how long");
	a = ans_start(0x8180, NAME, A);
	ans_addr(a, "@12", 60, "2001:db8::1");
	cr_assert_eq(parsed(a, A), -ENOENT, "addresses of the other family");
}

Test(dns_parse, a_referral_is_no_proof_that_there_is_nothing)
{
	struct ans *a = ans_start(0x8100, NAME, A);
	size_t at = ans_begin(a, 1, "ms.test", 2, 60);

	ans_name(a, "ns.ms.test");
	ans_finish(a, at);
	cr_assert_eq(parsed(a, A), -EIO);
	a = ans_start(0x8500, NAME, A); /* authoritative, RA 0: the target is elsewhere */
	ans_cname(a, "@12", 60, "away.test");
	cr_assert_eq(parsed(a, A), -EIO);
}

Test(dns_parse, failures_say_what_the_server_says)
{
	struct ans *a = ans_start(0x8182, NAME, A);

	ans_opt(a, 0, 6);
	cr_assert_eq(parsed(a, A), -EIO);
	cr_assert_str_eq(r.why, "SERVFAIL (DNSSEC bogus)");
	cr_assert_eq(parsed(ans_start(0x8185, NAME, A), A), -EIO);
	cr_assert_str_eq(r.why, "REFUSED");
	a = ans_start(0x8180, NAME, A);
	ans_addr(a, "@12", 60, "127.0.0.1");
	ans_opt(a, 1, -1);
	cr_assert_eq(parsed(a, A), -EIO, "BADVERS: the upper bits of the code are in OPT");
	cr_assert_str_eq(r.why, "response code 16");
	cr_assert_eq(r.count, 0);
	a = ans_start(0x8182, NAME, A);
	a->n = 12;
	cr_assert_eq(parsed(a, A), -EIO, "without the question");
}

Test(dns_parse, both_families_together)
{
	struct xtr_dns_result v4 = { .count = 1, .ttl = 300, .authenticated = true }, v6 = v4, m;
	struct xtr_dns_result none = { .status = -ENOENT, .ttl = 20, .authenticated = true, .why = "none" };
	struct xtr_dns_result bad = { .status = -EIO, .why = "bad" };

	xtr_ip_parse("127.0.0.1", &v4.addrs[0]);
	xtr_ip_parse("::1", &v6.addrs[0]);
	v6.ttl = 60;
	cr_assert_null(xtr_dns_merge(&v4, &v6, &m));
	cr_assert(m.status == 0 && m.count == 2 && m.ttl == 60 && m.authenticated && !m.partial);
	cr_assert_null(xtr_dns_merge(&v4, &none, &m));
	cr_assert(m.status == 0 && m.count == 1 && m.ttl == 300 && m.authenticated && !m.partial);
	cr_assert_eq(xtr_dns_merge(&v4, &bad, &m), &bad);
	cr_assert(m.status == 0 && m.count == 1 && m.partial);
	cr_assert_eq(xtr_dns_merge(&bad, &v6, &m), &bad);
	cr_assert(m.status == 0 && m.count == 1 && m.partial && m.addrs[0].family == 6);
	cr_assert_eq(xtr_dns_merge(&none, &bad, &m), &bad);
	cr_assert(m.status == -EIO && m.count == 0, "not definite");
	xtr_dns_merge(&none, &none, &m);
	cr_assert(m.status == -ENOENT && m.ttl == 20 && m.authenticated);
	v6.authenticated = false;
	xtr_dns_merge(&v4, &v6, &m);
	cr_assert_not(m.authenticated);
}

Test(dns_parse, queries)
{
	static const char *const bad[] = { "", ".", "a..b", ".a", "a b", "\xc3\xa4.test", "a\n" };
	uint8_t q[DNS_QUERY_MAX];
	char name[300];

	cr_assert_eq(xtr_dns_query(q, sizeof(q), 0x1234, NAME ".", A, true), 12 + 11 + 4 + 11);
	cr_assert_eq(memcmp(q, "\x12\x34\x01\x20\0\1\0\0\0\0\0\1\0013\002ms\004test\0\0\1\0\1\0\0\x29\x04\xd0", 32), 0,
		     "RD, AD, OPT");
	cr_assert_eq(xtr_dns_query(q, sizeof(q), 0, NAME, A, false), 12 + 11 + 4);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(xtr_dns_query(q, sizeof(q), 0, bad[i], A, true), -EINVAL, "%s", bad[i]);
	memset(name, 'x', sizeof(name));
	name[63] = '\0';
	cr_assert_gt(xtr_dns_query(q, sizeof(q), 0, name, A, true), 0);
	name[63] = 'x';
	name[64] = '\0';
	cr_assert_eq(xtr_dns_query(q, sizeof(q), 0, name, A, true), -EINVAL);
	for (unsigned i = 1; i < 299; i += 2)
		name[i] = '.', name[i - 1] = 'x';
	name[253] = '\0'; /* 127 labels: 255 octets */
	cr_assert_eq(xtr_dns_query(q, sizeof(q), 0, name, A, true), DNS_QUERY_MAX);
	name[253] = '.';
	name[255] = '\0';
	cr_assert_eq(xtr_dns_query(q, sizeof(q), 0, name, A, true), -EINVAL);
}
