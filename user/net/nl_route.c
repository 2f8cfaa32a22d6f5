// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Routes and rules of both families. A dump of routes is filtered by the kernel, which may hold a
 * million of others.
 */
#include "net/nl_int.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* ---- routes */

int xtr_nl_parse_route(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[RTA_VIA + 1] = { 0 }, *mx[RTAX_MTU + 1] = { 0 };
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(rtm->rtm_family);
	struct xtr_nl_route *r = rec;
	const struct rtvia *via;

	if ((nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*rtm), tb);
	*r = (struct xtr_nl_route){ .type = rtm->rtm_type,
				    .protocol = rtm->rtm_protocol,
				    .onlink = rtm->rtm_flags & RTNH_F_ONLINK };
	r->table = xtr_nl_attr_u32(tb[RTA_TABLE], rtm->rtm_table);
	r->dst = (struct xtr_ippfx){ .ip.family = family, .len = rtm->rtm_dst_len };
	xtr_nl_attr_ip(tb[RTA_DST], family, &r->dst.ip);
	r->oif = (int)xtr_nl_attr_u32(tb[RTA_OIF], 0);
	r->metric = xtr_nl_attr_u32(tb[RTA_PRIORITY], 0);
	xtr_nl_attr_ip(tb[RTA_PREFSRC], family, &r->prefsrc);
	if (!xtr_nl_attr_ip(tb[RTA_GATEWAY], family, &r->via) && tb[RTA_VIA] &&
	    mnl_attr_get_payload_len(tb[RTA_VIA]) >= sizeof(*via)) {
		size_t n = mnl_attr_get_payload_len(tb[RTA_VIA]) - sizeof(*via);

		via = mnl_attr_get_payload(tb[RTA_VIA]);
		if (n == (via->rtvia_family == AF_INET ? 4u : 16u)) {
			r->via.family = xtr_nl_family((unsigned char)via->rtvia_family);
			memcpy(r->via.a, via->rtvia_addr, n);
		}
	}
	if (tb[RTA_METRICS]) {
		XTR_NL_NESTED(tb[RTA_METRICS], mx);
		r->mtu = xtr_nl_attr_u32(mx[RTAX_MTU], 0);
	}
	return 0;
}

/* The kernel leaves out other protocols where it can (strict checking, 4.20); all of them are
 * looked at again here. */
struct xtr_nl_routes_of {
	xtr_nl_route_fn fn;
	void *arg;
	uint8_t protocol;
};

static int xtr_nl_route_of(void *arg, const void *rec)
{
	const struct xtr_nl_route *r = rec;
	struct xtr_nl_routes_of *o = arg;

	return r->protocol == o->protocol ? o->fn(o->arg, r) : 0;
}

static int xtr_nl_routes_af(struct xtr_nl *nl, unsigned char af, struct xtr_nl_routes_of *o)
{
	struct xtr_nl_route rec;
	struct xtr_nl_walk w = { xtr_nl_parse_route, xtr_nl_route_of, o, &rec, 0 };
	char buf[256];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg), &x);

	((struct rtmsg *)x)->rtm_family = af;
	((struct rtmsg *)x)->rtm_protocol = o->protocol;
	return xtr_nl_talk_on(nl, nl->rt, nlh, &w);
}

int xtr_nl_routes(struct xtr_nl *nl, uint8_t protocol, xtr_nl_route_fn fn, void *arg)
{
	struct xtr_nl_routes_of o = { fn, arg, protocol };
	int r = xtr_nl_routes_af(nl, AF_INET, &o);

	if (r)
		return r;
	r = xtr_nl_routes_af(nl, AF_INET6, &o);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r; /* a kernel without IPv6 */
}

static struct nlmsghdr *xtr_nl_route_msg(char *buf, uint16_t type, uint16_t flags,
					 const struct xtr_nl_route *r)
{
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct rtmsg), &x);
	struct rtmsg *rtm = x;

	rtm->rtm_family = xtr_nl_af(r->dst.ip.family);
	rtm->rtm_dst_len = r->dst.len;
	rtm->rtm_table = r->table < 256 ? (unsigned char)r->table : RT_TABLE_UNSPEC;
	rtm->rtm_protocol = r->protocol;
	rtm->rtm_type = r->type;
	rtm->rtm_scope = type == RTM_DELROUTE ? RT_SCOPE_NOWHERE : RT_SCOPE_UNIVERSE;
	rtm->rtm_flags = r->onlink ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(nlh, RTA_TABLE, r->table);
	xtr_nl_put_ip(nlh, RTA_DST, &r->dst.ip);
	return nlh;
}

int xtr_nl_route_add(struct xtr_nl *nl, const struct xtr_nl_route *r)
{
	char buf[512];
	struct nlmsghdr *nlh = xtr_nl_route_msg(buf, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r);

	if (r->oif)
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)r->oif);
	if (r->via.family == r->dst.ip.family)
		xtr_nl_put_ip(nlh, RTA_GATEWAY, &r->via);
	else if (r->via.family) {
		uint8_t raw[sizeof(struct rtvia) + 16];
		struct rtvia *via = (struct rtvia *)raw;

		via->rtvia_family = xtr_nl_af(r->via.family);
		memcpy(via->rtvia_addr, r->via.a, 16);
		mnl_attr_put(nlh, RTA_VIA, sizeof(*via) + (r->via.family == 4 ? 4 : 16), raw);
	}
	if (r->prefsrc.family)
		xtr_nl_put_ip(nlh, RTA_PREFSRC, &r->prefsrc);
	if (r->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	if (r->mtu) {
		struct nlattr *mx = mnl_attr_nest_start(nlh, RTA_METRICS);

		mnl_attr_put_u32(nlh, RTAX_MTU, r->mtu);
		mnl_attr_nest_end(nlh, mx);
	}
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_route_del(struct xtr_nl *nl, const struct xtr_nl_route *r)
{
	char buf[512];
	struct nlmsghdr *nlh = xtr_nl_route_msg(buf, RTM_DELROUTE, 0, r);

	if (r->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
	return xtr_nl_talk(nl, nlh);
}

static int xtr_nl_route_ask(struct xtr_nl *nl, const struct xtr_ip *dst, uint32_t mark, unsigned flags,
			    struct xtr_nl_route *out)
{
	struct xtr_nl_route rec;
	struct xtr_nl_one one = { out, sizeof(*out), false };
	struct xtr_nl_walk w = { xtr_nl_parse_route, xtr_nl_copy_one, &one, &rec, 0 };
	char buf[256];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_GETROUTE, NLM_F_ACK, sizeof(struct rtmsg), &x);
	struct rtmsg *rtm = x;
	int r;

	rtm->rtm_family = xtr_nl_af(dst->family);
	rtm->rtm_dst_len = (unsigned char)xtr_ip_bits(dst);
	rtm->rtm_flags = flags;
	xtr_nl_put_ip(nlh, RTA_DST, dst);
	if (mark)
		mnl_attr_put_u32(nlh, RTA_MARK, mark);
	r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	return r ? r : one.found ? 0 : -ENETUNREACH;
}

/*
 * An MTU in the answer may be one that the kernel has believed of an ICMP message, which anybody can send about any packet (an echo
 * reply, say): so the route itself is asked. Not at once for all: it has all its next hops, and here it is one that counts.
 */
int xtr_nl_route_get(struct xtr_nl *nl, const struct xtr_ip *dst, uint32_t mark,
		     struct xtr_nl_route *out)
{
	struct xtr_nl_route fib;
	int r = xtr_nl_route_ask(nl, dst, mark, 0, out);

	if (!r && out->mtu)
		out->mtu = xtr_nl_route_ask(nl, dst, mark, RTM_F_FIB_MATCH, &fib) ? 0 : fib.mtu;
	return r;
}

/* ---- rules */

int xtr_nl_parse_rule(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[FRA_PROTOCOL + 1] = { 0 };
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(frh->family);
	struct xtr_nl_rule *r = rec;

	if ((nlh->nlmsg_type != RTM_NEWRULE && nlh->nlmsg_type != RTM_DELRULE) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*frh), tb);
	*r = (struct xtr_nl_rule){ .family = family };
	r->priority = xtr_nl_attr_u32(tb[FRA_PRIORITY], 0);
	r->table = xtr_nl_attr_u32(tb[FRA_TABLE], frh->table);
	r->mark = xtr_nl_attr_u32(tb[FRA_FWMARK], 0);
	r->mask = xtr_nl_attr_u32(tb[FRA_FWMASK], 0);
	r->invert = frh->flags & FIB_RULE_INVERT;
	r->skip_to = frh->action == FR_ACT_GOTO ? xtr_nl_attr_u32(tb[FRA_GOTO], 0) : 0;
	r->nop = frh->action == FR_ACT_NOP;
	r->suppress = (int)xtr_nl_attr_u32(tb[FRA_SUPPRESS_PREFIXLEN], (uint32_t)-1);
	if (xtr_nl_attr_ip(tb[FRA_SRC], family, &r->from.ip))
		r->from.len = frh->src_len;
	if (tb[FRA_PROTOCOL] && mnl_attr_get_payload_len(tb[FRA_PROTOCOL]) >= 1)
		r->protocol = mnl_attr_get_u8(tb[FRA_PROTOCOL]);
	return 0;
}

XTR_NL_DUMP(xtr_nl_rules, struct xtr_nl_rule, xtr_nl_rule_fn, xtr_nl_parse_rule, RTM_GETRULE,
	    struct fib_rule_hdr, ((struct fib_rule_hdr *)x)->family)

int xtr_nl_rules(struct xtr_nl *nl, xtr_nl_rule_fn fn, void *arg)
{
	int r = xtr_nl_rules_af(nl, AF_INET, fn, arg);

	if (r)
		return r;
	r = xtr_nl_rules_af(nl, AF_INET6, fn, arg);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static int xtr_nl_rule_do(struct xtr_nl *nl, uint16_t type, uint16_t flags,
			  const struct xtr_nl_rule *r)
{
	char buf[512];
	void *x;
	struct nlmsghdr *nlh =
		xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct fib_rule_hdr), &x);
	struct fib_rule_hdr *frh = x;

	frh->family = xtr_nl_af(r->family);
	frh->action = r->skip_to ? FR_ACT_GOTO : r->nop ? FR_ACT_NOP : FR_ACT_TO_TBL;
	frh->table = r->table < 256 ? (unsigned char)r->table : RT_TABLE_UNSPEC;
	if (r->from.ip.family) {
		frh->src_len = r->from.len;
		xtr_nl_put_ip(nlh, FRA_SRC, &r->from.ip);
	}
	if (r->skip_to)
		mnl_attr_put_u32(nlh, FRA_GOTO, r->skip_to);
	mnl_attr_put_u32(nlh, FRA_TABLE, r->table);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, r->priority);
	if (r->mark || r->mask) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, r->mark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, r->mask);
	}
	if (r->suppress >= 0)
		mnl_attr_put_u32(nlh, FRA_SUPPRESS_PREFIXLEN, (uint32_t)r->suppress);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, r->protocol);
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_rule_add(struct xtr_nl *nl, const struct xtr_nl_rule *r)
{
	return xtr_nl_rule_do(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, r);
}

int xtr_nl_rule_del(struct xtr_nl *nl, const struct xtr_nl_rule *r)
{
	return xtr_nl_rule_do(nl, RTM_DELRULE, 0, r);
}
