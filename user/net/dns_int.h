/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of net/dns: a lookup is two questions (A and AAAA); each question is sent by a transport
 * (dns_ares.c or dns_doh.c) to one server at a time, which gives back a judged answer. dns.c
 * decides who is asked next and when it is enough; dns_parse.c knows the octets and nothing else.
 */
#ifndef XTR_NET_DNS_INT_H
#define XTR_NET_DNS_INT_H

#include "net/dns.h"

#include <ares.h>
#include <sys/queue.h>
#include <sys/stat.h>

#define DNS_TYPE_A	1
#define DNS_TYPE_AAAA	28
#define DNS_NAME_TEXT	256
#define DNS_QUERY_MAX	(12 + 255 + 4 + 11)
#define DNS_UDP_PAYLOAD 1232 /* no IP fragments on any usual path */
#define DNS_SERVERS_MAX 16

struct dns_lookup;
struct dns_backend;

struct dns_question {
	TAILQ_ENTRY(dns_question) todo; /* while .waiting */
	LIST_ENTRY(dns_question) all;	/* of the backend */
	struct dns_lookup *lookup;	/* NULL: nobody wants the answer any more */
	struct dns_backend *backend;
	int type;
	unsigned server, tries;
	uint32_t answered; /* bit for each server that has given an answer, if a useless one */
	bool waiting, out, over; /* to be sent; a transport has it; .r is final */
	bool again;		 /* the same server next */
	struct xtr_dns_result r;
};
TAILQ_HEAD(dns_todo, dns_question);

struct dns_lookup {
	TAILQ_ENTRY(dns_lookup) link;
	uint32_t id;
	uint64_t deadline;
	struct dns_question *q[2]; /* A, AAAA; NULL until it is started */
	struct xtr_dns_result r;
	char name[DNS_NAME_TEXT];
};
TAILQ_HEAD(dns_lookups, dns_lookup);

/* One server: a channel of c-ares, so that each answer is known to be its. */
struct dns_chan {
	struct dns_backend *backend;
	ares_channel ares;
	uv_timer_t timer;
	struct dns_sock *socks;
	bool plain;	/* the server does not understand EDNS */
	int mark_errno; /* SO_MARK was refused */
	char name[XTR_IP_STRLEN + 8];
};

/* One configuration. Lives as long as a question that was asked with it. */
struct dns_backend {
	LIST_ENTRY(dns_backend) link;
	struct xtr_dns *dns;
	LIST_HEAD(, dns_question) questions;
	struct dns_chan chans[DNS_SERVERS_MAX];
	char *urls[DNS_SERVERS_MAX], *ca_file, *proxy, *resolve;
	struct xtr_http_options http;
	unsigned count, good; /* servers or urls; the one that answered last is asked first */
	unsigned handles;     /* of libuv, not closed yet */
	uint32_t timeout_ms, mark;
	bool https;
	bool system;        /* its servers are those of /etc/resolv.conf, */
	struct stat resolv; /* as it was when they were read */
};

struct xtr_dns {
	uv_loop_t *loop;
	uv_timer_t kick, alarm;
	xtr_dns_done *done;
	void *ctx;
	struct xtr_http *http;
	struct dns_backend *backend; /* for what is started from now on */
	LIST_HEAD(, dns_backend) backends;
	struct dns_todo todo;
	struct dns_lookups waiting, active, ready;
	unsigned waiting_count, active_count, handles;
	uint64_t looked; /* at /etc/resolv.conf; loop time */
	bool closed;
};

/* dns.c, for the transports. r: as xtr_dns_parse() gives it, or with .status and .why set. */
void xtr_dns_answer(struct dns_question *q, const struct xtr_dns_result *r);
void xtr_dns_ask_again(struct dns_question *q); /* the same server */
void xtr_dns_question_free(struct dns_question *q);

/* dns_ares.c. Nothing is left of q in here when it was answered, or the channel is closed. */
int xtr_dns_chan_open(struct dns_chan *c, const struct xtr_dns_server *server, struct xtr_err *err);
void xtr_dns_chan_close(struct dns_chan *c, uv_close_cb closed);
void xtr_dns_chan_ask(struct dns_chan *c, struct dns_question *q);
int xtr_dns_system_servers(struct xtr_dns_server *out, unsigned max, struct xtr_err *err);

/* dns_doh.c */
void xtr_dns_doh_ask(struct dns_question *q, uint32_t timeout_ms);

/* dns_parse.c. A query for name with RD and AD set (RFC 6840 5.7), `edns` with an OPT record, which
 * is its last 11 octets. Length, or -EINVAL. */
int xtr_dns_query(uint8_t *buf, size_t size, uint16_t id, const char *name, int type, bool edns);
/* The same as xtr_dns_parse() for an answer that came by HTTP (RFC 8484), or the lack of one. */
int xtr_dns_parse_http(const struct xtr_http_result *h, const char *name, int type,
		       struct xtr_dns_result *r);
/* What the answers to A and AAAA say together. Returns the one of the two that r->why has to be
 * made of, NULL if neither failed. */
const struct xtr_dns_result *xtr_dns_merge(const struct xtr_dns_result *a,
					   const struct xtr_dns_result *aaaa,
					   struct xtr_dns_result *r);

#endif
