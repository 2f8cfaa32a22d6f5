/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS in tests: answers made by hand, servers on 127.0.0.1 that give them (or lie, or are silent), and one client with its
 * loop. Not more than two servers, s1 and s2; the client asks those that open_dns() says.
 */
#ifndef XTR_TESTS_DNS_LAB_H
#define XTR_TESTS_DNS_LAB_H

#include <pthread.h>

#include "net/dns_int.h"

#define NAME "3.ms.test"
#define A    1
#define AAAA 28

/* ---- answers */
struct ans {
	uint8_t b[65536];
	size_t n;
};
/* calloc'ed, with the question. flags: 0x8180 is a good answer of a server that recurses. */
struct ans *ans_start(unsigned flags, const char *name, int type);
void ans_put16(struct ans *a, unsigned v);
void ans_name(struct ans *a, const char *name); /* "@12": a pointer to that offset */
/* A record up to its data; section: 0 answer, 1 authority, 2 additional. Returns where the data begins, for the end of it. */
size_t ans_begin(struct ans *a, int section, const char *owner, int type, uint32_t ttl);
void ans_finish(struct ans *a, size_t rdata);
void ans_addr(struct ans *a, const char *owner, uint32_t ttl, const char *text); /* A or AAAA */
void ans_cname(struct ans *a, const char *owner, uint32_t ttl, const char *target);
void ans_soa(struct ans *a, uint32_t ttl, uint32_t minimum);
void ans_opt(struct ans *a, unsigned extended_rcode, int ede); /* ede -1: none */

/* ---- servers */
struct server;
/* Adds to a, which has header and question of q already, and returns its length; 0: silence. */
typedef size_t answerer(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a);

struct server {
	int udp, tcp, quit[2]; /* quit: a pipe. A thread that is cancelled and the address sanitizer do not go together */
	uint16_t port;
	answerer *answer;
	unsigned queries, tcp_queries, plain; /* plain: without EDNS */
	pthread_t thread;
};
extern struct server s1, s2;
extern const char *server_at; /* NULL: 127.0.0.1, any port; else this address, port 53 */
void server_start(struct server *s, answerer *answer);
void server_stop(struct server *s);
/* Header and question into a, then s->answer. */
size_t server_answer(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a);
int asked_type(const struct ans *a);

answerer answer_good;	  /* 127.0.0.5 or 2001:db8::5 */
answerer answer_silent;
answerer answer_servfail;
answerer answer_nxdomain; /* with an SOA */

/* ---- the client */
struct seen {
	unsigned n;
	uint32_t id;
	struct xtr_dns_result r;
	struct xtr_dns *close; /* in the call */
};
extern uv_loop_t loop;
extern struct xtr_dns *dns;
extern struct xtr_dns_config cfg;      /* for open_dns() */
extern struct xtr_dns_server server_list[2]; /* of it */
extern struct seen seen;	       /* the last result */

void open_dns(unsigned servers);
void close_dns(void); /* and stops the servers */
void dns_done(void *ctx, uint32_t id, const struct xtr_dns_result *res);
/* Until n results are seen; ms: fails after that. Returns how long it took, in ms. */
uint64_t wait_for(unsigned n, unsigned ms);

#endif
