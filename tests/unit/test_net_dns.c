// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS: answers made by hand through the parser, and lookups against servers of the test's own on
 * 127.0.0.1 that answer, lie, fall silent, truncate. Foreign servers are met in the end-to-end
 * tests.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <unistd.h>

#include "https_lab.h"
#include "net/dns_int.h"

#define NAME "3.ms.test"
#define A    1
#define AAAA 28

/* ---- answers */

struct ans {
	uint8_t b[65536];
	size_t n;
};

static void put16(struct ans *a, unsigned v)
{
	a->b[a->n++] = (uint8_t)(v >> 8);
	a->b[a->n++] = (uint8_t)v;
}

static void put_name(struct ans *a, const char *name)
{
	size_t l;

	if (name[0] == '@') { /* a pointer to that offset */
		put16(a, 0xc000 | (unsigned)atoi(name + 1));
		return;
	}
	for (; *name; name += l + (name[l] == '.')) {
		l = strcspn(name, ".");
		a->b[a->n++] = (uint8_t)l;
		memcpy(a->b + a->n, name, l);
		a->n += l;
	}
	a->b[a->n++] = 0;
}

/* flags: 0x8180 is a good answer of a server that recurses. */
static struct ans *start(unsigned flags, const char *name, int type)
{
	struct ans *a = calloc(1, sizeof(*a));

	put16(a, 0);
	put16(a, flags);
	put16(a, 1);
	a->n += 6;
	put_name(a, name);
	put16(a, (unsigned)type);
	put16(a, 1);
	return a;
}

/* section: 0 answer, 1 authority, 2 additional */
static size_t begin(struct ans *a, int section, const char *owner, int type, uint32_t ttl)
{
	unsigned count = (unsigned)(a->b[6 + 2 * section] << 8 | a->b[7 + 2 * section]) + 1;

	a->b[6 + 2 * section] = (uint8_t)(count >> 8);
	a->b[7 + 2 * section] = (uint8_t)count;
	put_name(a, owner);
	put16(a, (unsigned)type);
	put16(a, 1);
	put16(a, ttl >> 16);
	put16(a, ttl & 0xffff);
	put16(a, 0);
	return a->n;
}

static void finish(struct ans *a, size_t rdata)
{
	a->b[rdata - 2] = (uint8_t)((a->n - rdata) >> 8);
	a->b[rdata - 1] = (uint8_t)(a->n - rdata);
}

static void addr(struct ans *a, const char *owner, uint32_t ttl, const char *text)
{
	struct xtr_ip ip;
	size_t at;

	cr_assert_eq(xtr_ip_parse(text, &ip), 0);
	at = begin(a, 0, owner, ip.family == 4 ? A : AAAA, ttl);
	memcpy(a->b + a->n, ip.a, ip.family == 4 ? 4 : 16);
	a->n += ip.family == 4 ? 4 : 16;
	finish(a, at);
}

static void cname(struct ans *a, const char *owner, uint32_t ttl, const char *target)
{
	size_t at = begin(a, 0, owner, 5, ttl);

	put_name(a, target);
	finish(a, at);
}

static void soa(struct ans *a, uint32_t ttl, uint32_t minimum)
{
	size_t at = begin(a, 1, "ms.test", 6, ttl);

	put_name(a, "ns.ms.test");
	put_name(a, "root.ms.test");
	a->n += 16;
	put16(a, minimum >> 16);
	put16(a, minimum & 0xffff);
	finish(a, at);
}

static void opt(struct ans *a, unsigned extended_rcode, int ede)
{
	size_t at = begin(a, 2, "", 41, extended_rcode << 24);

	if (ede >= 0) {
		put16(a, 15);
		put16(a, 2);
		put16(a, (unsigned)ede);
	}
	finish(a, at);
}

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
	struct ans *a = start(0x8180, "3.MS.teST", A);

	addr(a, "@12", 300, "127.0.0.9");
	addr(a, NAME, 60, "127.0.0.2");
	addr(a, "@12", 900, "127.0.0.9");
	addr(a, "other.test", 1, "127.0.0.1");
	cr_assert_eq(parsed(a, A), 0, "%s", r.why);
	cr_assert_eq(r.count, 2);
	cr_assert_str_eq(first(), "127.0.0.2");
	cr_assert_eq(r.ttl, 60);
	cr_assert_not(r.authenticated);
	a = start(0x81a0, NAME, AAAA);
	addr(a, "@12", 0, "2001:db8::1");
	cr_assert_eq(parsed(a, AAAA), 0);
	cr_assert_eq(r.ttl, 0);
	cr_assert(r.authenticated, "AD");
	a = start(0x8180, NAME, A);
	addr(a, "@12", 0x80000000, "127.0.0.1");
	cr_assert_eq(parsed(a, A), 0);
	cr_assert_eq(r.ttl, 0, "RFC 2181 8");
}

Test(dns_parse, of_a_hundred_the_same_64_whatever_the_order)
{
	struct xtr_dns_result up;
	char text[32];

	for (int back = 0; back < 2; back++) {
		struct ans *a = start(0x8180, NAME, A);

		for (int i = 1; i <= 100; i++) {
			snprintf(text, sizeof(text), "127.0.1.%d", back ? 101 - i : i);
			addr(a, "@12", 60, text);
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
	struct ans *a = start(0x8180, NAME, A);
	char from[32], to[32];

	if (backwards) {
		snprintf(to, sizeof(to), "c%d.test", links);
		addr(a, to, 500, "127.0.0.7");
	}
	for (int i = 1; i <= links; i++) {
		int k = backwards ? links + 1 - i : i;

		snprintf(from, sizeof(from), "c%d.test", k - 1);
		snprintf(to, sizeof(to), "c%d.test", k);
		cname(a, k == 1 ? NAME : from, (uint32_t)(100 + k), to);
	}
	if (!backwards)
		addr(a, to, 500, "127.0.0.7");
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
	struct ans *a = start(0x8180, NAME, A);

	cname(a, NAME, 5, "b.test");
	cname(a, "b.test", 5, NAME);
	cr_assert_eq(parsed(a, A), -EBADMSG, "a ring");
}

Test(dns_parse, names_without_end_are_refused)
{
	struct ans *a = start(0x8180, NAME, A);
	char at[16];

	snprintf(at, sizeof(at), "@%zu", a->n);
	addr(a, at, 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "points to itself");
	a = start(0x8180, NAME, A);
	snprintf(at, sizeof(at), "@%zu", a->n + 16);
	addr(a, at, 60, "127.0.0.1");
	addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "forward");
	a = start(0x8180, NAME, A);
	begin(a, 0, "@12", 5, 60);
	a->b[a->n] = 1, a->b[a->n + 1] = 'x';
	a->n += 2;
	put16(a, 0xc000 | (unsigned)(a->n - 2)); /* x.x.x. ... */
	finish(a, a->n - 4);
	cr_assert_eq(parsed(a, A), -EBADMSG);
	a = start(0x8180, NAME, A);
	for (int i = 0; i < 5; i++) { /* 5 * 64 octets */
		a->b[a->n++] = 63;
		memset(a->b + a->n, 'x', 63);
		a->n += 63;
	}
	a->b[7] = 1;
	a->n += 11;
	cr_assert_eq(parsed(a, A), -EBADMSG, "longer than 255");
	a = start(0x8180, NAME, A);
	a->b[a->n++] = 0x80; /* neither label nor pointer */
	a->b[7] = 1;
	a->n += 20;
	cr_assert_eq(parsed(a, A), -EBADMSG);
}

Test(dns_parse, cut_anywhere_it_is_no_answer)
{
	struct ans *a = start(0x8180, NAME, A);

	cname(a, "@12", 60, "b.test");
	addr(a, "b.test", 60, "127.0.0.1");
	soa(a, 60, 60);
	opt(a, 0, 6);
	for (size_t n = 0; n < a->n; n++) {
		struct ans *cut = malloc(sizeof(*cut));

		*cut = *a;
		cut->n = n;
		cr_assert_eq(parsed(cut, A), -EBADMSG, "%zu octets", n);
	}
	cr_assert_eq(parsed(a, A), 0);
	a = start(0x8380, NAME, A);
	addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "TC");
	a = start(0x8180, NAME, A);
	addr(a, "@12", 60, "127.0.0.1");
	a->b[a->n - 5]++; /* RDLENGTH 5 */
	a->n++;
	cr_assert_eq(parsed(a, A), -EBADMSG);
}

Test(dns_parse, the_question_must_be_ours)
{
	struct ans *a = start(0x8180, "4.ms.test", A);

	addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "another name");
	a = start(0x8180, NAME, AAAA);
	addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "another type");
	a = start(0x0180, NAME, A);
	addr(a, "@12", 60, "127.0.0.1");
	cr_assert_eq(parsed(a, A), -EBADMSG, "a query");
	a = start(0x8180, NAME, A);
	a->b[5] = 2;
	cr_assert_eq(parsed(a, A), -EBADMSG, "two questions");
	a = start(0x8180, NAME, A);
	a->b[5] = 0;
	cr_assert_eq(parsed(a, A), -EBADMSG, "none");
	a = start(0x8180, NAME, A);
	cr_assert_eq(parsed(a, 16), -EINVAL, "TXT");
}

Test(dns_parse, RFC2308_nothing_there)
{
	struct ans *a = start(0x81a3, NAME, A);

	soa(a, 900, 30);
	cr_assert_eq(parsed(a, A), -ENOENT);
	cr_assert_eq(r.ttl, 30, "the less of TTL and MINIMUM");
	cr_assert(r.authenticated);
	a = start(0x8180, NAME, A);
	soa(a, 20, 30);
	cr_assert_eq(parsed(a, A), -ENOENT, "NODATA");
	cr_assert_eq(r.ttl, 20);
	a = start(0x8180, NAME, A);
	cname(a, "@12", 5, "b.test");
	soa(a, 20, 30);
	cr_assert_eq(parsed(a, A), -ENOENT);
	cr_assert_eq(r.ttl, 5);
	cr_assert_eq(parsed(start(0x8183, NAME, A), A), -ENOENT);
	cr_assert_eq(r.ttl, 0, "nobody says how long");
	a = start(0x8180, NAME, A);
	addr(a, "@12", 60, "2001:db8::1");
	cr_assert_eq(parsed(a, A), -ENOENT, "addresses of the other family");
}

Test(dns_parse, a_referral_is_no_proof_that_there_is_nothing)
{
	struct ans *a = start(0x8100, NAME, A);
	size_t at = begin(a, 1, "ms.test", 2, 60);

	put_name(a, "ns.ms.test");
	finish(a, at);
	cr_assert_eq(parsed(a, A), -EIO);
	a = start(0x8500, NAME, A); /* authoritative, RA 0: the target is elsewhere */
	cname(a, "@12", 60, "away.test");
	cr_assert_eq(parsed(a, A), -EIO);
}

Test(dns_parse, failures_say_what_the_server_says)
{
	struct ans *a = start(0x8182, NAME, A);

	opt(a, 0, 6);
	cr_assert_eq(parsed(a, A), -EIO);
	cr_assert_str_eq(r.why, "SERVFAIL (DNSSEC bogus)");
	cr_assert_eq(parsed(start(0x8185, NAME, A), A), -EIO);
	cr_assert_str_eq(r.why, "REFUSED");
	a = start(0x8180, NAME, A);
	addr(a, "@12", 60, "127.0.0.1");
	opt(a, 1, -1);
	cr_assert_eq(parsed(a, A), -EIO, "BADVERS: the upper bits of the code are in OPT");
	cr_assert_str_eq(r.why, "response code 16");
	cr_assert_eq(r.count, 0);
	a = start(0x8182, NAME, A);
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

/* ---- servers */

struct server;
/* The answer without header and question of q, which are there already; 0: silence. */
typedef size_t answerer(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a);

struct server {
	int udp, tcp, quit[2]; /* quit: a pipe. A thread that is cancelled and the address sanitizer do not go together */
	uint16_t port;
	answerer *answer;
	unsigned queries, tcp_queries, plain;
	pthread_t thread;
};

static size_t make(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	char name[256] = "";
	size_t at = 12;

	for (; q[at]; at += q[at] + 1u)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s", name[0] ? "." : "", q[at],
			 (const char *)q + at + 1);
	memset(a, 0, sizeof(*a));
	memcpy(a->b, q, 2);
	a->n = 2;
	put16(a, 0x8180);
	put16(a, 1);
	a->n += 6;
	put_name(a, name);
	put16(a, (unsigned)(q[at + 1] << 8 | q[at + 2]));
	put16(a, 1);
	__atomic_add_fetch(&s->queries, 1, __ATOMIC_SEQ_CST);
	if (tcp)
		__atomic_add_fetch(&s->tcp_queries, 1, __ATOMIC_SEQ_CST);
	if (!q[11])
		__atomic_add_fetch(&s->plain, 1, __ATOMIC_SEQ_CST);
	return s->answer(s, q, len, tcp, a);
}

static int asked_type(const struct ans *a)
{
	return a->b[a->n - 3];
}

/* Something to read, and not the end. */
static bool more(struct server *s, int fd)
{
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { s->quit[0], POLLIN, 0 } };

	return poll(p, 2, -1) > 0 && !p[1].revents;
}

static void serve_tcp(struct server *s)
{
	static struct ans a;
	uint8_t q[1024], size[2];
	int fd = accept(s->tcp, NULL, NULL);

	while (more(s, fd) && recv(fd, size, 2, MSG_WAITALL) == 2) {
		size_t n = (size_t)(size[0] << 8 | size[1]);

		if (n > sizeof(q) || recv(fd, q, n, MSG_WAITALL) != (ssize_t)n || !make(s, q, n, true, &a))
			break;
		size[0] = (uint8_t)(a.n >> 8);
		size[1] = (uint8_t)a.n;
		if (send(fd, size, 2, MSG_NOSIGNAL) != 2 || send(fd, a.b, a.n, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct pollfd p[3] = { { s->udp, POLLIN, 0 }, { s->tcp, POLLIN, 0 }, { s->quit[0], POLLIN, 0 } };
	struct ans *a = malloc(sizeof(*a));
	struct sockaddr_in from;
	socklen_t size;
	uint8_t q[1024];
	ssize_t n;

	while (poll(p, 3, -1) > 0 && !p[2].revents) {
		size = sizeof(from);
		if (p[1].revents)
			serve_tcp(s);
		if (!p[0].revents)
			continue;
		n = recvfrom(s->udp, q, sizeof(q), 0, (struct sockaddr *)&from, &size);
		if (n > 0 && make(s, q, (size_t)n, false, a))
			sendto(s->udp, a->b, a->n, 0, (struct sockaddr *)&from, size);
	}
	free(a);
	return NULL;
}

static void server_start(struct server *s, answerer *answer)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->answer = answer;
	do { /* the same port for both */
		if (s->port)
			close(s->udp), close(s->tcp);
		a.sin_port = 0;
		s->udp = socket(AF_INET, SOCK_DGRAM, 0);
		s->tcp = socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(bind(s->udp, (struct sockaddr *)&a, sizeof(a)), 0);
		getsockname(s->udp, (struct sockaddr *)&a, &size);
		s->port = ntohs(a.sin_port);
	} while (bind(s->tcp, (struct sockaddr *)&a, sizeof(a)));
	cr_assert_eq(listen(s->tcp, 64), 0);
	cr_assert_eq(pipe(s->quit), 0);
	cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	close(s->quit[1]);
	pthread_join(s->thread, NULL);
	close(s->quit[0]);
	close(s->udp);
	close(s->tcp);
}

static size_t good(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	addr(a, "@12", 60, asked_type(a) == A ? "127.0.0.5" : "2001:db8::5");
	return a->n;
}

static size_t silent(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	return 0;
}

static size_t servfail(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	a->b[3] |= 2;
	return a->n;
}

static size_t nxdomain(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	a->b[3] |= 3;
	soa(a, 50, 40);
	return a->n;
}

/* ---- lookups */

struct seen {
	unsigned n;
	uint32_t id;
	struct xtr_dns_result r;
	struct xtr_dns *close; /* in the call */
};

static uv_loop_t loop;
static struct xtr_dns *dns;
static struct seen seen;
static struct server s1, s2;
static struct xtr_dns_server list[2];
static struct xtr_dns_config cfg = { .servers = list, .timeout_ms = 6000 };

static void done(void *ctx, uint32_t id, const struct xtr_dns_result *res)
{
	struct seen *s = ctx;

	s->n++;
	s->id = id;
	s->r = *res;
	uv_stop(&loop);
	if (s->close)
		xtr_dns_close(s->close);
}

static void give_up(uv_timer_t *t)
{
	cr_assert_fail("no result");
}

static uint64_t wait_for(unsigned n, unsigned ms)
{
	uint64_t from = uv_hrtime();
	uv_timer_t limit;

	uv_timer_init(&loop, &limit);
	uv_update_time(&loop);
	uv_timer_start(&limit, give_up, ms, 0);
	while (seen.n < n)
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_eq(seen.n, n);
	return (uv_hrtime() - from) / 1000000;
}

static void open_dns(unsigned servers)
{
	struct server *s[2] = { &s1, &s2 };
	struct xtr_err err;

	cfg.server_count = servers;
	for (unsigned i = 0; i < servers; i++) {
		xtr_ip_parse("127.0.0.1", &list[i].ip);
		list[i].port = s[i]->port;
	}
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(xtr_dns_open(&loop, &cfg, done, &seen, &dns, &err), 0, "%s", err.text);
}

static void end(void)
{
	xtr_dns_close(dns);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0, "handles are left");
	if (s1.port)
		server_stop(&s1);
	if (s2.port)
		server_stop(&s2);
}

TestSuite(dns, .timeout = 60);

Test(dns, both_families_in_one_result)
{
	server_start(&s1, good);
	open_dns(1);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 7), 0);
	cr_assert_eq(seen.n, 0, "never from inside the call");
	wait_for(1, 15000);
	cr_assert(seen.id == 7 && !seen.r.status && seen.r.count == 2 && seen.r.ttl == 60 && !seen.r.partial, "%s",
		  seen.r.why);
	cr_assert(seen.r.addrs[0].family == 4 && seen.r.addrs[1].family == 6);
	cr_assert_eq(s1.queries, 2);
	cr_assert_eq(xtr_dns_lookup(dns, "", 1), -EINVAL);
	cr_assert_eq(xtr_dns_lookup(dns, "a..b", 1), -EINVAL);
	end();
}

static size_t wants_ad(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	if (q[2] & 1 && q[3] & 0x20) /* RD, AD */
		a->b[3] |= 0x20;
	return good(s, q, len, tcp, a);
}

Test(dns, RFC6840_5_7_authenticated_data_is_asked_for)
{
	server_start(&s1, wants_ad);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert(!seen.r.status && seen.r.authenticated);
	end();
}

static size_t truncated(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	int type = asked_type(a);
	char text[32];

	if (!tcp)
		a->b[2] |= 2;
	for (int i = 1; tcp && type == A && i <= 200; i++) {
		snprintf(text, sizeof(text), "127.0.2.%d", i);
		addr(a, "@12", 60, text);
	}
	return a->n;
}

Test(dns, truncated_answers_come_by_tcp_whole)
{
	server_start(&s1, truncated);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	cr_assert_eq(seen.r.count, XTR_DNS_ADDRS_MAX);
	cr_assert_eq(seen.r.cut, 200 - XTR_DNS_ADDRS_MAX);
	cr_assert_eq(s1.tcp_queries, 2);
	end();
}

static size_t large(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	if (asked_type(a) == A)
		for (int i = 1; i <= 60; i++) {
			char text[32];

			snprintf(text, sizeof(text), "127.0.2.%d", i);
			addr(a, "@12", 60, text);
		}
	return a->n;
}

Test(dns, RFC6891_an_answer_of_a_kilobyte_needs_no_tcp)
{
	server_start(&s1, large);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.count, 60, "%s", seen.r.why);
	cr_assert_eq(s1.tcp_queries, 0);
	end();
}

Test(dns, servfail_is_said_at_once_and_the_next_server_is_asked)
{
	server_start(&s1, servfail);
	server_start(&s2, good);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	cr_assert_lt(wait_for(1, 15000), 3000);
	cr_assert_eq(seen.r.status, -EIO);
	cr_assert(strstr(seen.r.why, "SERVFAIL: 127.0.0.1:") == seen.r.why, "%s", seen.r.why);
	cr_assert_eq(s1.queries, 2, "not asked again");
	xtr_dns_close(dns);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 2);
	cr_assert_lt(wait_for(2, 15000), 3000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	cr_assert_eq(s1.queries, 4);
	xtr_dns_lookup(dns, NAME, 3);
	wait_for(3, 15000);
	cr_assert_eq(s1.queries, 4, "the one that answered last comes first");
	end();
}

Test(dns, silence_ends_with_the_time_of_the_lookup)
{
	uint64_t ms;

	server_start(&s1, silent);
	cfg.timeout_ms = 900;
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	ms = wait_for(1, 15000);
	cr_assert(ms >= 850 && ms < 5000, "%u", (unsigned)ms);
	cr_assert_eq(seen.r.status, -ETIMEDOUT);
	cr_assert(strstr(seen.r.why, "no answer"), "%s", seen.r.why);
	cr_assert_eq(s1.queries, 6, "three times for each family, not %u", s1.queries);
	end();
}

Test(dns, a_silent_server_does_not_hide_the_other)
{
	server_start(&s1, silent);
	server_start(&s2, good);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 1);
	cr_assert_lt(wait_for(1, 15000), 3000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	end();
}

Test(dns, a_closed_port_is_noticed_at_once_and_used_again_later)
{
	server_start(&s1, good);
	server_stop(&s1);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	cr_assert_lt(wait_for(1, 15000), 3000);
	cr_assert_eq(seen.r.status, -ECONNREFUSED, "%s", seen.r.why);
	s1.port = 0;
	end();
}

Test(dns, no_such_name_is_definite)
{
	server_start(&s1, nxdomain);
	server_start(&s2, good);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert(seen.r.status == -ENOENT && seen.r.ttl == 40, "%s", seen.r.why);
	cr_assert(s1.queries == 2 && !s2.queries);
	end();
}

static size_t half(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	return asked_type(a) == A ? good(s, q, len, tcp, a) : servfail(s, q, len, tcp, a);
}

Test(dns, one_family_alone_is_partial)
{
	server_start(&s1, half);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert(!seen.r.status && seen.r.count == 1 && seen.r.partial);
	cr_assert(strstr(seen.r.why, "SERVFAIL"), "%s", seen.r.why);
	end();
}

static size_t forged(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	good(s, q, len, tcp, a);
	if (s == &s1)
		a->b[1] ^= 1; /* ID */
	else
		a->b[13] ^= 1; /* name */
	return a->n;
}

Test(dns, RFC5452_answers_to_nobodys_question_are_not_taken)
{
	cfg.timeout_ms = 600;
	server_start(&s1, forged);
	server_start(&s2, forged);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, -ETIMEDOUT, "%s", seen.r.why);
	end();
}

static size_t no_edns(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	if (q[11]) {
		a->b[3] |= 1;
		return a->n;
	}
	return good(s, q, len, tcp, a);
}

Test(dns, RFC6891_7_servers_without_edns)
{
	server_start(&s1, no_edns);
	open_dns(1);
	for (unsigned i = 1; i <= 3; i++) {
		xtr_dns_lookup(dns, NAME, i);
		wait_for(i, 15000);
		cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	}
	cr_assert_eq(s1.plain, 6);
	cr_assert_leq(s1.queries, 10, "%u: learned once", s1.queries);
	end();
}

static size_t garbage(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	addr(a, "@12", 60, "127.0.0.1");
	a->n -= 2;
	return a->n;
}

Test(dns, malformed_answers)
{
	server_start(&s1, garbage);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
	end();
}

static size_t late(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	usleep(300);
	return good(s, q, len, tcp, a);
}

Test(dns, a_thousand_at_once)
{
	char name[32];

	cfg.timeout_ms = 10000;
	server_start(&s1, late);
	open_dns(1);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%u.ms.test", i);
		cr_assert_eq(xtr_dns_lookup(dns, name, i), 0);
	}
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_leq(dns->active_count, 256);
	wait_for(1000, 20000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	end();
}

Test(dns, the_queue_is_bounded)
{
	server_start(&s1, silent);
	open_dns(1);
	for (unsigned i = 0; i < 4096; i++)
		cr_assert_eq(xtr_dns_lookup(dns, NAME, i), 0);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 1), -ENOBUFS);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	end(); /* with all that out and waiting */
	cr_assert_eq(seen.n, 0, "close does not call");
}

Test(dns, closed_from_the_call)
{
	server_start(&s1, good);
	open_dns(1);
	seen.close = dns;
	for (unsigned i = 0; i < 5; i++)
		xtr_dns_lookup(dns, NAME, i);
	wait_for(1, 15000);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(seen.n, 1);
	cr_assert_eq(uv_loop_close(&loop), 0);
	server_stop(&s1);
}

static size_t slow(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	usleep(100000);
	return good(s, q, len, tcp, a);
}

Test(dns, other_servers_while_lookups_are_out)
{
	struct xtr_err err;

	server_start(&s1, slow);
	server_start(&s2, nxdomain);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	list[0].port = s2.port;
	cr_assert_eq(xtr_dns_reconfigure(dns, &cfg, &err), 0);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, 0, "the old one answered: %s", seen.r.why);
	xtr_dns_lookup(dns, NAME, 2);
	wait_for(2, 15000);
	cr_assert_eq(seen.r.status, -ENOENT);
	end();
}

Test(dns, the_system_servers_without_configuration)
{
	struct xtr_dns_server sys[8];
	struct xtr_err err;
	int n = xtr_dns_system_servers(sys, 8, &err);

	cr_assert(n >= 1 && n <= 8, "%s", err.text);
	cr_assert(sys[0].port && (sys[0].ip.family == 4 || sys[0].ip.family == 6));
}

/* Not by another user ID: the kernel would then keep LeakSanitizer from looking. */
static void unprivileged(void)
{
	cap_t none = cap_init();

	cr_assert_eq(cap_set_proc(none), 0);
	cap_free(none);
}

Test(dns, so_mark)
{
	bool marked = false;

	if (geteuid())
		cr_skip("needs root for SO_MARK");
	server_start(&s1, slow);
	cfg.mark = 0x4c495350;
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	for (int fd = 3; fd < 64; fd++) {
		uint32_t m = 0;
		socklen_t size = sizeof(m);

		marked |= !getsockopt(fd, SOL_SOCKET, SO_MARK, &m, &size) && m == cfg.mark;
	}
	cr_assert(marked);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	unprivileged();
	xtr_dns_lookup(dns, NAME, 2);
	wait_for(2, 15000);
	cr_assert(seen.r.status && strstr(seen.r.why, "SO_MARK"), "%s", seen.r.why);
	end();
}

/* ---- over HTTPS (RFC 8484). The server of this lab answers each path in its way. */

static void doh(void *arg, const struct https_request *q, struct https_reply *rep)
{
	struct server *s = arg;
	static __thread struct ans buf;
	struct ans *a = &buf;

	rep->body = a->b;
	strcpy(rep->headers, "Content-Type: application/dns-message\r\n");
	make(s, q->body, q->len, false, a);
	if (strstr(q->head, "/aged"))
		strcat(rep->headers, "Age: 50\r\n");
	if (strstr(q->head, "/id"))
		a->b[1] = 1;
	if (strstr(q->head, "/503"))
		rep->code = 503;
	if (strstr(q->head, "/slow"))
		rep->delay_ms = 9000;
	if (strncmp(q->head, "POST ", 5) || !strstr(q->head, "Content-Type: application/dns-message\r\n") ||
	    !strstr(q->head, "Accept: application/dns-message\r\n") || q->body[0] || q->body[1])
		rep->code = 400;
	rep->len = a->n;
	if (strstr(q->head, "/huge"))
		rep->len = sizeof(a->b);
	if (strstr(q->head, "/empty"))
		rep->len = 0;
}

static struct https_lab lab;
static char urls[2][96], resolve[64];
static const char *const url_list[] = { urls[0], urls[1] };

static void open_doh(const char *san, const char *path1, const char *path2)
{
	const char *paths[2] = { path1, path2 };
	struct xtr_err err;

	s1.answer = good;
	https_lab_start(&lab, san, doh, &s1);
	for (int i = 0; i < 2; i++)
		snprintf(urls[i], sizeof(urls[i]), "https://dns.test:%u/%s", lab.port, paths[i] ? paths[i] : "");
	snprintf(resolve, sizeof(resolve), "dns.test:%u:127.0.0.1", lab.port);
	cfg.urls = url_list;
	cfg.url_count = path2 ? 2 : 1;
	cfg.http.ca_file = lab.ca;
	cfg.http.resolve = resolve;
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(xtr_dns_open(&loop, &cfg, done, &seen, &dns, &err), 0, "%s", err.text);
}

static void doh_once(const char *san, const char *path1, const char *path2)
{
	open_doh(san, path1, path2);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 9), 0);
	wait_for(1, 15000);
	cr_assert_eq(seen.id, 9);
	s1.port = 0;
	end();
	https_lab_stop(&lab);
}

TestSuite(doh, .timeout = 60);

Test(doh, RFC8484_post)
{
	doh_once("DNS:dns.test", "dns-query", NULL);
	cr_assert(!seen.r.status && seen.r.count == 2 && seen.r.ttl == 60, "%s", seen.r.why);
}

Test(doh, RFC8484_5_1_age_is_taken_off)
{
	doh_once("DNS:dns.test", "aged", NULL);
	cr_assert(!seen.r.status && seen.r.ttl == 10, "%u", seen.r.ttl);
}

Test(doh, wrong_certificate)
{
	doh_once("DNS:other.test", "dns-query", NULL);
	cr_assert_eq(seen.r.status, -EKEYREJECTED, "%s", seen.r.why);
	cr_assert_eq(s1.queries, 0, "no name was told to it");
}

Test(doh, failures)
{
	doh_once("DNS:dns.test", "503", NULL);
	cr_assert_eq(seen.r.status, -EPROTO);
	cr_assert(strstr(seen.r.why, "503"), "%s", seen.r.why);
}

Test(doh, id_is_not_zero)
{
	doh_once("DNS:dns.test", "id", NULL);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
}

Test(doh, oversized)
{
	doh_once("DNS:dns.test", "huge", NULL);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
}

Test(doh, empty)
{
	doh_once("DNS:dns.test", "empty", NULL);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
}

Test(doh, slow)
{
	cfg.timeout_ms = 500;
	doh_once("DNS:dns.test", "slow", NULL);
	cr_assert_eq(seen.r.status, -ETIMEDOUT, "%s", seen.r.why);
}

Test(doh, the_next_url_within_the_time_of_the_lookup)
{
	doh_once("DNS:dns.test", "slow", "dns-query");
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
}

Test(doh, closed_with_questions_out)
{
	open_doh("DNS:dns.test", "slow", NULL);
	for (unsigned i = 0; i < 50; i++)
		xtr_dns_lookup(dns, NAME, i);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	s1.port = 0;
	end();
	cr_assert_eq(seen.n, 0);
	https_lab_stop(&lab);
}
