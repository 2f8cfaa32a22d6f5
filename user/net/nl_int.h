/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of the netlink files: the request socket, attribute helpers, and the parsers that answers and notifications share. A parser
 * fills the record and returns 0, or returns something else when the message is not of its kind.
 */
#ifndef XTR_NET_NL_INT_H
#define XTR_NET_NL_INT_H

#include "net/netlink.h"

#include <libmnl/libmnl.h>

#define XTR_NL_BUF 65536

struct xtr_nl {
	struct mnl_socket *rt, *genl;
	uint32_t seq;
	int nsfd;                /* the namespace of the sockets; -1: that of the process */
	int netdev_family;       /* generic netlink id; 0 not asked yet, <0 absent */
	char said[160];
	char buf[XTR_NL_BUF];
};
/* A dump or answer on its way to a typed callback. */
struct xtr_nl_walk {
	int (*parse)(const struct nlmsghdr *nlh, void *rec); /* 0: rec is filled; else: not of interest */
	int (*fn)(void *arg, const void *rec);
	void *arg;
	void *rec;
	int stop;                /* what fn returned */
};

/* For requests of one object: the answer is copied out. */
struct xtr_nl_one { void *out; size_t size; bool found; };

/* 4, 6 as AF_INET, AF_INET6, and back; 0 for anything else. */
unsigned char xtr_nl_af(uint8_t family);
uint8_t xtr_nl_family(unsigned char af);
/* False, and *ip left alone, if a is NULL or not of the length of the family. */
bool xtr_nl_attr_ip(const struct nlattr *a, uint8_t family, struct xtr_ip *ip);
void xtr_nl_put_ip(struct nlmsghdr *nlh, uint16_t type, const struct xtr_ip *ip);
/* none: the value if a is NULL or too short; text is cut to size, "" if there is none. */
uint32_t xtr_nl_attr_u32(const struct nlattr *a, uint32_t none);
void xtr_nl_attr_str(const struct nlattr *a, char *out, size_t size);

/* Attributes into a table by type; unknown ones are skipped. */
struct xtr_nl_tb { const struct nlattr **tb; unsigned max; };
int xtr_nl_attr_cb(const struct nlattr *a, void *data);
#define XTR_NL_PARSE(nlh, hdrsize, tb) \
	mnl_attr_parse((nlh), (hdrsize), xtr_nl_attr_cb, &(struct xtr_nl_tb){ (tb), sizeof(tb) / sizeof((tb)[0]) - 1 })
#define XTR_NL_NESTED(a, tb) \
	mnl_attr_parse_nested((a), xtr_nl_attr_cb, &(struct xtr_nl_tb){ (tb), sizeof(tb) / sizeof((tb)[0]) - 1 })

/* NULL with errno set. groups: RTMGRP_*, 0 for requests. */
struct mnl_socket *xtr_nl_socket(int bus, unsigned groups);
/* Message header with flags and a zeroed family header of extra octets behind it. */
struct nlmsghdr *xtr_nl_msg(void *buf, uint16_t type, uint16_t flags, size_t extra,
			    void **extra_out);
/* Sends one request and reads until its end. 0, -errno, or what the walk's callback returned. */
int xtr_nl_talk_on(struct xtr_nl *nl, struct mnl_socket *s, struct nlmsghdr *nlh,
		   struct xtr_nl_walk *w);
/* The same on the route socket, with nothing to be listed. */
int xtr_nl_talk(struct xtr_nl *nl, struct nlmsghdr *nlh);
int xtr_nl_copy_one(void *arg, const void *rec); /* arg: struct xtr_nl_one */

int xtr_nl_parse_link(const struct nlmsghdr *nlh, void *rec);
int xtr_nl_parse_addr(const struct nlmsghdr *nlh, void *rec);
int xtr_nl_parse_route(const struct nlmsghdr *nlh, void *rec);
int xtr_nl_parse_rule(const struct nlmsghdr *nlh, void *rec);
int xtr_nl_parse_neigh(const struct nlmsghdr *nlh, void *rec);

/* Typed dumps: the callback's own type is restored by a cast through a union of the same shape. */
#define XTR_NL_DUMP(name, rectype, fntype, parser, msgtype, hdr, setup) \
struct name##_arg { fntype fn; void *arg; }; \
static int name##_fn(void *arg, const void *rec) { struct name##_arg *a = arg; return a->fn(a->arg, rec); } \
static int name##_af(struct xtr_nl *nl, unsigned char af, fntype fn, void *arg) \
{ \
	rectype rec; \
	struct name##_arg a = { fn, arg }; \
	struct xtr_nl_walk w = { parser, name##_fn, &a, &rec, 0 }; \
	char buf[256]; \
	void *x; \
	struct nlmsghdr *nlh = xtr_nl_msg(buf, msgtype, NLM_F_DUMP, sizeof(hdr), &x); \
	setup = af; \
	return xtr_nl_talk_on(nl, nl->rt, nlh, &w); \
}

#endif
