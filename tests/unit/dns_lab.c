// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Answers, servers and a client of DNS in tests; see dns_lab.h. */
#include "dns_lab.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void ans_put16(struct ans *a, unsigned v)
{
	a->b[a->n++] = (uint8_t)(v >> 8);
	a->b[a->n++] = (uint8_t)v;
}

void ans_name(struct ans *a, const char *name)
{
	size_t l;

	if (name[0] == '@') { /* a pointer to that offset */
		ans_put16(a, 0xc000 | (unsigned)atoi(name + 1));
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

struct ans *ans_start(unsigned flags, const char *name, int type)
{
	struct ans *a = calloc(1, sizeof(*a));

	ans_put16(a, 0);
	ans_put16(a, flags);
	ans_put16(a, 1);
	a->n += 6;
	ans_name(a, name);
	ans_put16(a, (unsigned)type);
	ans_put16(a, 1);
	return a;
}

size_t ans_begin(struct ans *a, int section, const char *owner, int type, uint32_t ttl)
{
	unsigned count = (unsigned)(a->b[6 + 2 * section] << 8 | a->b[7 + 2 * section]) + 1;

	a->b[6 + 2 * section] = (uint8_t)(count >> 8);
	a->b[7 + 2 * section] = (uint8_t)count;
	ans_name(a, owner);
	ans_put16(a, (unsigned)type);
	ans_put16(a, 1);
	ans_put16(a, ttl >> 16);
	ans_put16(a, ttl & 0xffff);
	ans_put16(a, 0);
	return a->n;
}

void ans_finish(struct ans *a, size_t rdata)
{
	a->b[rdata - 2] = (uint8_t)((a->n - rdata) >> 8);
	a->b[rdata - 1] = (uint8_t)(a->n - rdata);
}

void ans_addr(struct ans *a, const char *owner, uint32_t ttl, const char *text)
{
	struct xtr_ip ip;
	size_t at;

	cr_assert_eq(xtr_ip_parse(text, &ip), 0);
	at = ans_begin(a, 0, owner, ip.family == 4 ? A : AAAA, ttl);
	memcpy(a->b + a->n, ip.a, ip.family == 4 ? 4 : 16);
	a->n += ip.family == 4 ? 4 : 16;
	ans_finish(a, at);
}

void ans_cname(struct ans *a, const char *owner, uint32_t ttl, const char *target)
{
	size_t at = ans_begin(a, 0, owner, 5, ttl);

	ans_name(a, target);
	ans_finish(a, at);
}

void ans_soa(struct ans *a, uint32_t ttl, uint32_t minimum)
{
	size_t at = ans_begin(a, 1, "ms.test", 6, ttl);

	ans_name(a, "ns.ms.test");
	ans_name(a, "root.ms.test");
	a->n += 16;
	ans_put16(a, minimum >> 16);
	ans_put16(a, minimum & 0xffff);
	ans_finish(a, at);
}

void ans_opt(struct ans *a, unsigned extended_rcode, int ede)
{
	size_t at = ans_begin(a, 2, "", 41, extended_rcode << 24);

	if (ede >= 0) {
		ans_put16(a, 15);
		ans_put16(a, 2);
		ans_put16(a, (unsigned)ede);
	}
	ans_finish(a, at);
}

/* ---- servers */

size_t server_answer(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	char name[256] = "";
	size_t at = 12;

	for (; q[at]; at += q[at] + 1u)
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "%s%.*s", name[0] ? "." : "", q[at],
			 (const char *)q + at + 1);
	memset(a, 0, sizeof(*a));
	memcpy(a->b, q, 2);
	a->n = 2;
	ans_put16(a, 0x8180);
	ans_put16(a, 1);
	a->n += 6;
	ans_name(a, name);
	ans_put16(a, (unsigned)(q[at + 1] << 8 | q[at + 2]));
	ans_put16(a, 1);
	__atomic_add_fetch(&s->queries, 1, __ATOMIC_SEQ_CST);
	if (tcp)
		__atomic_add_fetch(&s->tcp_queries, 1, __ATOMIC_SEQ_CST);
	if (!q[11])
		__atomic_add_fetch(&s->plain, 1, __ATOMIC_SEQ_CST);
	return s->answer(s, q, len, tcp, a);
}

int asked_type(const struct ans *a)
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

		if (n > sizeof(q) || recv(fd, q, n, MSG_WAITALL) != (ssize_t)n || !server_answer(s, q, n, true, &a))
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
		if (n > 0 && server_answer(s, q, (size_t)n, false, a))
			sendto(s->udp, a->b, a->n, 0, (struct sockaddr *)&from, size);
	}
	free(a);
	return NULL;
}

const char *server_at;

void server_start(struct server *s, answerer *answer)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = server_at ? inet_addr(server_at) : htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	memset(s, 0, sizeof(*s));
	s->answer = answer;
	do { /* the same port for both */
		if (s->port)
			close(s->udp), close(s->tcp);
		a.sin_port = server_at ? htons(53) : 0;
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

void server_stop(struct server *s)
{
	close(s->quit[1]);
	pthread_join(s->thread, NULL);
	close(s->quit[0]);
	close(s->udp);
	close(s->tcp);
}

size_t answer_good(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	ans_addr(a, "@12", 60, asked_type(a) == A ? "127.0.0.5" : "2001:db8::5");
	return a->n;
}

size_t answer_silent(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	return 0;
}

size_t answer_servfail(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	a->b[3] |= 2;
	return a->n;
}

size_t answer_nxdomain(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	a->b[3] |= 3;
	ans_soa(a, 50, 40);
	return a->n;
}

/* ---- lookups */

uv_loop_t loop;
struct xtr_dns *dns;
struct seen seen;
struct server s1, s2;
struct xtr_dns_server server_list[2];
struct xtr_dns_config cfg = { .servers = server_list, .timeout_ms = 6000 };

void dns_done(void *ctx, uint32_t id, const struct xtr_dns_result *res)
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

uint64_t wait_for(unsigned n, unsigned ms)
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

void open_dns(unsigned servers)
{
	struct server *s[2] = { &s1, &s2 };
	struct xtr_err err;

	cfg.server_count = servers;
	for (unsigned i = 0; i < servers; i++) {
		xtr_ip_parse("127.0.0.1", &server_list[i].ip);
		server_list[i].port = s[i]->port;
	}
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(xtr_dns_open(&loop, &cfg, dns_done, &seen, &dns, &err), 0, "%s", err.text);
}

void close_dns(void)
{
	xtr_dns_close(dns);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0, "handles are left");
	if (s1.port)
		server_stop(&s1);
	if (s2.port)
		server_stop(&s2);
}
