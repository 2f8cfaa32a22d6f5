// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Netlink requests and notifications over libmnl. One request socket, used by one thread, so an answer always
 * belongs to the last request; NETLINK_EXT_ACK gives the kernel's own words for a refusal. Parsers take only the attributes
 * named in netlink.h and check their length: what does not fit is treated as absent. Values of headers newer than
 * the oldest supported build host are defined here by number; they are kernel ABI.
 */
#include "net/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define XTR_NL_BUF 65536
#ifndef NTF_EXT_MANAGED
#define NTF_EXT_MANAGED (1 << 0)
#endif
#define XTR_NDA_FLAGS_EXT 15
#define XTR_GENL_NETDEV "netdev"
#define XTR_NETDEV_CMD_DEV_GET 1
#define XTR_NETDEV_A_DEV_IFINDEX 1
#define XTR_NETDEV_A_DEV_XDP_FEATURES 3

struct xtr_nl {
	struct mnl_socket *rt, *genl;
	uint32_t seq;
	int netdev_family;       /* generic netlink id; 0 not asked yet, <0 absent */
	char said[160];
	char buf[XTR_NL_BUF];
};
struct xtr_nl_monitor {
	struct mnl_socket *rt;
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

static unsigned char xtr_nl_af(uint8_t family) { return family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC; }
static uint8_t xtr_nl_family(unsigned char af) { return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0; }

static bool xtr_nl_attr_ip(const struct nlattr *a, uint8_t family, struct xtr_ip *ip)
{
	size_t n = family == 4 ? 4 : 16;

	if (!a || !family || mnl_attr_get_payload_len(a) != n)
		return false;
	*ip = (struct xtr_ip){ .family = family };
	memcpy(ip->a, mnl_attr_get_payload(a), n);
	return true;
}

static void xtr_nl_put_ip(struct nlmsghdr *nlh, uint16_t type, const struct xtr_ip *ip)
{
	mnl_attr_put(nlh, type, ip->family == 4 ? 4 : 16, ip->a);
}

static uint32_t xtr_nl_attr_u32(const struct nlattr *a, uint32_t none)
{
	return a && mnl_attr_get_payload_len(a) >= 4 ? mnl_attr_get_u32(a) : none;
}

static void xtr_nl_attr_str(const struct nlattr *a, char *out, size_t size)
{
	size_t n;

	out[0] = '\0';
	if (!a)
		return;
	n = strnlen(mnl_attr_get_payload(a), mnl_attr_get_payload_len(a));
	if (n >= size)
		n = size - 1;
	memcpy(out, mnl_attr_get_payload(a), n);
	out[n] = '\0';
}

/* Attributes into a table by type; unknown ones are skipped. */
struct xtr_nl_tb { const struct nlattr **tb; unsigned max; };
static int xtr_nl_attr_cb(const struct nlattr *a, void *data)
{
	struct xtr_nl_tb *t = data;

	if (mnl_attr_get_type(a) <= t->max)
		t->tb[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}
#define XTR_NL_PARSE(nlh, hdrsize, tb) \
	mnl_attr_parse((nlh), (hdrsize), xtr_nl_attr_cb, &(struct xtr_nl_tb){ (tb), sizeof(tb) / sizeof((tb)[0]) - 1 })
#define XTR_NL_NESTED(a, tb) \
	mnl_attr_parse_nested((a), xtr_nl_attr_cb, &(struct xtr_nl_tb){ (tb), sizeof(tb) / sizeof((tb)[0]) - 1 })

/* ---- transport */

static struct mnl_socket *xtr_nl_socket(int bus, unsigned groups)
{
	struct mnl_socket *s = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int one = 1;

	if (!s)
		return NULL;
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(s, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	return s;
}

int xtr_nl_open(struct xtr_nl **out)
{
	struct xtr_nl *nl = calloc(1, sizeof(*nl));

	if (!nl)
		return -ENOMEM;
	nl->rt = xtr_nl_socket(NETLINK_ROUTE, 0);
	if (!nl->rt) {
		int e = errno;

		free(nl);
		return -e;
	}
	nl->seq = (uint32_t)time(NULL);
	*out = nl;
	return 0;
}

void xtr_nl_close(struct xtr_nl *nl)
{
	if (!nl)
		return;
	if (nl->genl)
		mnl_socket_close(nl->genl);
	mnl_socket_close(nl->rt);
	free(nl);
}

const char *xtr_nl_error(const struct xtr_nl *nl) { return nl->said; }

/* The kernel's extended acknowledgement of a refused request, for messages. */
static void xtr_nl_note_error(struct xtr_nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { 0 };
	size_t skip = sizeof(*e);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&e->msg);
	if (nlh->nlmsg_len < NLMSG_HDRLEN + skip)
		return;
	XTR_NL_PARSE(nlh, skip, tb);
	xtr_nl_attr_str(tb[NLMSGERR_ATTR_MSG], nl->said, sizeof(nl->said));
}

static int xtr_nl_deliver(const struct nlmsghdr *nlh, void *data)
{
	struct xtr_nl_walk *w = data;

	if (w && !w->stop && !w->parse(nlh, w->rec))
		w->stop = w->fn(w->arg, w->rec);
	return MNL_CB_OK;
}

/* Sends one request and reads until its end. 0, -errno, or what the walk's callback returned. */
static int xtr_nl_talk_on(struct xtr_nl *nl, struct mnl_socket *s, struct nlmsghdr *nlh, struct xtr_nl_walk *w)
{
	unsigned port = mnl_socket_get_portid(s);
	bool dump = nlh->nlmsg_flags & NLM_F_DUMP, want_ack = nlh->nlmsg_flags & NLM_F_ACK;

	nlh->nlmsg_flags |= NLM_F_REQUEST;
	nlh->nlmsg_seq = ++nl->seq;
	nl->said[0] = '\0';
	if (mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(s, nl->buf, sizeof(nl->buf));
		const struct nlmsghdr *h = (const struct nlmsghdr *)nl->buf;
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (mnl_nlmsg_ok(h, n) && h->nlmsg_seq != nl->seq)
			continue; /* rest of a request that was given up */
		if (mnl_nlmsg_ok(h, n) && h->nlmsg_type == NLMSG_ERROR)
			xtr_nl_note_error(nl, h);
		r = mnl_cb_run(nl->buf, (size_t)n, nl->seq, port, w ? xtr_nl_deliver : NULL, w);
		if (r < 0)
			return -errno;
		if (r == MNL_CB_STOP || (!dump && !want_ack))
			return w ? w->stop : 0;
	}
}

static int xtr_nl_talk(struct xtr_nl *nl, struct nlmsghdr *nlh) { return xtr_nl_talk_on(nl, nl->rt, nlh, NULL); }

static struct nlmsghdr *xtr_nl_msg(void *buf, uint16_t type, uint16_t flags, size_t extra, void **extra_out)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = flags;
	*extra_out = mnl_nlmsg_put_extra_header(nlh, extra);
	return nlh;
}

/* ---- links */

static void xtr_nl_link_afspec(const struct nlattr *spec, struct xtr_nl_link *l)
{
	const struct nlattr *af[AF_INET6 + 1] = { 0 }, *in6[IFLA_INET6_ADDR_GEN_MODE + 1] = { 0 };

	if (!spec)
		return;
	XTR_NL_NESTED(spec, af);
	if (!af[AF_INET6])
		return;
	XTR_NL_NESTED(af[AF_INET6], in6);
	if (in6[IFLA_INET6_ADDR_GEN_MODE] && mnl_attr_get_payload_len(in6[IFLA_INET6_ADDR_GEN_MODE]) >= 1)
		l->no_ip6_autogen = mnl_attr_get_u8(in6[IFLA_INET6_ADDR_GEN_MODE]) == IN6_ADDR_GEN_MODE_NONE;
}

static int xtr_nl_parse_link(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[IFLA_XDP + 1] = { 0 }, *info[IFLA_INFO_MAX + 1] = { 0 }, *xdp[IFLA_XDP_ATTACHED + 1] = { 0 };
	const struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);
	struct xtr_nl_link *l = rec;

	if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) || ifm->ifi_family != AF_UNSPEC)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*ifm), tb);
	*l = (struct xtr_nl_link){ .ifindex = ifm->ifi_index, .flags = ifm->ifi_flags, .type = ifm->ifi_type };
	xtr_nl_attr_str(tb[IFLA_IFNAME], l->name, sizeof(l->name));
	xtr_nl_attr_str(tb[IFLA_IFALIAS], l->alias, sizeof(l->alias));
	l->mtu = xtr_nl_attr_u32(tb[IFLA_MTU], 0);
	l->master = (int)xtr_nl_attr_u32(tb[IFLA_MASTER], 0);
	if (tb[IFLA_ADDRESS] && mnl_attr_get_payload_len(tb[IFLA_ADDRESS]) == 6) {
		memcpy(l->mac, mnl_attr_get_payload(tb[IFLA_ADDRESS]), 6);
		l->mac_len = 6;
	}
	if (!tb[IFLA_LINK_NETNSID])
		l->peer = (int)xtr_nl_attr_u32(tb[IFLA_LINK], 0);
	if (tb[IFLA_LINKINFO]) {
		XTR_NL_NESTED(tb[IFLA_LINKINFO], info);
		xtr_nl_attr_str(info[IFLA_INFO_KIND], l->kind, sizeof(l->kind));
	}
	if (tb[IFLA_XDP]) {
		XTR_NL_NESTED(tb[IFLA_XDP], xdp);
		if (xdp[IFLA_XDP_ATTACHED] && mnl_attr_get_payload_len(xdp[IFLA_XDP_ATTACHED]) >= 1)
			l->xdp = mnl_attr_get_u8(xdp[IFLA_XDP_ATTACHED]);
	}
	xtr_nl_link_afspec(tb[IFLA_AF_SPEC], l);
	return 0;
}

/* For requests of one object: the answer is copied out. */
struct xtr_nl_one { void *out; size_t size; bool found; };
static int xtr_nl_copy_one(void *arg, const void *rec)
{
	struct xtr_nl_one *o = arg;

	if (!o->found)
		memcpy(o->out, rec, o->size);
	o->found = true;
	return 0;
}

int xtr_nl_link_get(struct xtr_nl *nl, int ifindex, const char *name, struct xtr_nl_link *out)
{
	struct xtr_nl_link rec;
	struct xtr_nl_one one = { out, sizeof(*out), false };
	struct xtr_nl_walk w = { xtr_nl_parse_link, xtr_nl_copy_one, &one, &rec, 0 };
	char buf[512];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg), &x);
	int r;

	((struct ifinfomsg *)x)->ifi_index = ifindex;
	if (!ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	return r ? r : one.found ? 0 : -ENODEV;
}

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

XTR_NL_DUMP(xtr_nl_links, struct xtr_nl_link, xtr_nl_link_fn, xtr_nl_parse_link, RTM_GETLINK, struct ifinfomsg,
	    ((struct ifinfomsg *)x)->ifi_family)

int xtr_nl_links(struct xtr_nl *nl, xtr_nl_link_fn fn, void *arg) { return xtr_nl_links_af(nl, AF_UNSPEC, fn, arg); }

int xtr_nl_veth_add(struct xtr_nl *nl, const char *name, const char *peer)
{
	char buf[1024];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg), &x);
	struct nlattr *info, *data, *other;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	memset(mnl_nlmsg_get_payload_tail(nlh), 0, sizeof(struct ifinfomsg));
	nlh->nlmsg_len += sizeof(struct ifinfomsg);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_link_del(struct xtr_nl *nl, int ifindex)
{
	char buf[256];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_DELLINK, NLM_F_ACK, sizeof(struct ifinfomsg), &x);

	((struct ifinfomsg *)x)->ifi_index = ifindex;
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_link_change(struct xtr_nl *nl, int ifindex, const struct xtr_nl_link_set *set)
{
	char buf[512];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg), &x);
	struct ifinfomsg *ifm = x;

	ifm->ifi_index = ifindex;
	ifm->ifi_flags = set->flags;
	ifm->ifi_change = set->mask;
	if (set->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, set->mtu);
	if (set->alias)
		mnl_attr_put_strz(nlh, IFLA_IFALIAS, set->alias);
	if (set->no_ip6_autogen) {
		struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
		struct nlattr *in6 = mnl_attr_nest_start(nlh, AF_INET6);

		mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		mnl_attr_nest_end(nlh, in6);
		mnl_attr_nest_end(nlh, spec);
	}
	return xtr_nl_talk(nl, nlh);
}

/* ---- addresses */

static int xtr_nl_parse_addr(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[IFA_FLAGS + 1] = { 0 };
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(ifa->ifa_family);
	struct xtr_nl_addr *a = rec;

	if ((nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*ifa), tb);
	*a = (struct xtr_nl_addr){ .ifindex = (int)ifa->ifa_index, .scope = ifa->ifa_scope, .pfx.len = ifa->ifa_prefixlen };
	a->tentative = xtr_nl_attr_u32(tb[IFA_FLAGS], ifa->ifa_flags) & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	/* On point-to-point links IFA_ADDRESS is the other side; IPv6 has IFA_LOCAL only there. */
	if (!xtr_nl_attr_ip(tb[IFA_LOCAL], family, &a->pfx.ip) && !xtr_nl_attr_ip(tb[IFA_ADDRESS], family, &a->pfx.ip))
		return -1;
	return 0;
}

XTR_NL_DUMP(xtr_nl_addrs, struct xtr_nl_addr, xtr_nl_addr_fn, xtr_nl_parse_addr, RTM_GETADDR, struct ifaddrmsg,
	    ((struct ifaddrmsg *)x)->ifa_family)

int xtr_nl_addrs(struct xtr_nl *nl, xtr_nl_addr_fn fn, void *arg) { return xtr_nl_addrs_af(nl, AF_UNSPEC, fn, arg); }

static int xtr_nl_addr_do(struct xtr_nl *nl, uint16_t type, uint16_t flags, int ifindex, const struct xtr_ippfx *pfx)
{
	char buf[256];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct ifaddrmsg), &x);
	struct ifaddrmsg *ifa = x;

	ifa->ifa_family = xtr_nl_af(pfx->ip.family);
	ifa->ifa_prefixlen = pfx->len;
	ifa->ifa_index = (unsigned)ifindex;
	ifa->ifa_flags = pfx->ip.family == 6 ? IFA_F_NODAD : 0;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	xtr_nl_put_ip(nlh, IFA_LOCAL, &pfx->ip);
	xtr_nl_put_ip(nlh, IFA_ADDRESS, &pfx->ip);
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_addr_add(struct xtr_nl *nl, int ifindex, const struct xtr_ippfx *pfx)
{
	return xtr_nl_addr_do(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, pfx);
}

int xtr_nl_addr_del(struct xtr_nl *nl, int ifindex, const struct xtr_ippfx *pfx)
{
	return xtr_nl_addr_do(nl, RTM_DELADDR, 0, ifindex, pfx);
}

/* ---- routes */

static int xtr_nl_parse_route(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[RTA_VIA + 1] = { 0 }, *mx[RTAX_MTU + 1] = { 0 };
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(rtm->rtm_family);
	struct xtr_nl_route *r = rec;
	const struct rtvia *via;

	if ((nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*rtm), tb);
	*r = (struct xtr_nl_route){ .type = rtm->rtm_type, .protocol = rtm->rtm_protocol, .onlink = rtm->rtm_flags & RTNH_F_ONLINK };
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

XTR_NL_DUMP(xtr_nl_routes, struct xtr_nl_route, xtr_nl_route_fn, xtr_nl_parse_route, RTM_GETROUTE, struct rtmsg,
	    ((struct rtmsg *)x)->rtm_family)

int xtr_nl_routes(struct xtr_nl *nl, xtr_nl_route_fn fn, void *arg)
{
	int r = xtr_nl_routes_af(nl, AF_INET, fn, arg);

	if (r)
		return r;
	r = xtr_nl_routes_af(nl, AF_INET6, fn, arg);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r; /* a kernel without IPv6 */
}

static struct nlmsghdr *xtr_nl_route_msg(char *buf, uint16_t type, uint16_t flags, const struct xtr_nl_route *r)
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

int xtr_nl_route_get(struct xtr_nl *nl, const struct xtr_ip *dst, uint32_t mark, struct xtr_nl_route *out)
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
	xtr_nl_put_ip(nlh, RTA_DST, dst);
	if (mark)
		mnl_attr_put_u32(nlh, RTA_MARK, mark);
	r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	return r ? r : one.found ? 0 : -ENETUNREACH;
}

/* ---- rules */

static int xtr_nl_parse_rule(const struct nlmsghdr *nlh, void *rec)
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
	r->suppress = (int)xtr_nl_attr_u32(tb[FRA_SUPPRESS_PREFIXLEN], (uint32_t)-1);
	if (xtr_nl_attr_ip(tb[FRA_SRC], family, &r->from.ip))
		r->from.len = frh->src_len;
	if (tb[FRA_PROTOCOL] && mnl_attr_get_payload_len(tb[FRA_PROTOCOL]) >= 1)
		r->protocol = mnl_attr_get_u8(tb[FRA_PROTOCOL]);
	return 0;
}

XTR_NL_DUMP(xtr_nl_rules, struct xtr_nl_rule, xtr_nl_rule_fn, xtr_nl_parse_rule, RTM_GETRULE, struct fib_rule_hdr,
	    ((struct fib_rule_hdr *)x)->family)

int xtr_nl_rules(struct xtr_nl *nl, xtr_nl_rule_fn fn, void *arg)
{
	int r = xtr_nl_rules_af(nl, AF_INET, fn, arg);

	if (r)
		return r;
	r = xtr_nl_rules_af(nl, AF_INET6, fn, arg);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static int xtr_nl_rule_do(struct xtr_nl *nl, uint16_t type, uint16_t flags, const struct xtr_nl_rule *r)
{
	char buf[512];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct fib_rule_hdr), &x);
	struct fib_rule_hdr *frh = x;

	frh->family = xtr_nl_af(r->family);
	frh->action = FR_ACT_TO_TBL;
	frh->table = r->table < 256 ? (unsigned char)r->table : RT_TABLE_UNSPEC;
	if (r->from.ip.family) {
		frh->src_len = r->from.len;
		xtr_nl_put_ip(nlh, FRA_SRC, &r->from.ip);
	}
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

int xtr_nl_rule_del(struct xtr_nl *nl, const struct xtr_nl_rule *r) { return xtr_nl_rule_do(nl, RTM_DELRULE, 0, r); }

/* ---- neighbours */

static int xtr_nl_parse_neigh(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[XTR_NDA_FLAGS_EXT + 1] = { 0 };
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(ndm->ndm_family);
	struct xtr_nl_neigh *n = rec;

	if ((nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*ndm), tb);
	*n = (struct xtr_nl_neigh){ .ifindex = ndm->ndm_ifindex, .state = ndm->ndm_state, .flags = ndm->ndm_flags };
	if (!xtr_nl_attr_ip(tb[NDA_DST], family, &n->ip))
		return -1;
	if (tb[NDA_LLADDR] && mnl_attr_get_payload_len(tb[NDA_LLADDR]) == 6) {
		memcpy(n->mac, mnl_attr_get_payload(tb[NDA_LLADDR]), 6);
		n->has_mac = true;
	}
	if (tb[NDA_PROTOCOL] && mnl_attr_get_payload_len(tb[NDA_PROTOCOL]) >= 1)
		n->protocol = mnl_attr_get_u8(tb[NDA_PROTOCOL]);
	n->managed = xtr_nl_attr_u32(tb[XTR_NDA_FLAGS_EXT], 0) & NTF_EXT_MANAGED;
	return 0;
}

XTR_NL_DUMP(xtr_nl_neighs, struct xtr_nl_neigh, xtr_nl_neigh_fn, xtr_nl_parse_neigh, RTM_GETNEIGH, struct ndmsg,
	    ((struct ndmsg *)x)->ndm_family)

int xtr_nl_neighs(struct xtr_nl *nl, xtr_nl_neigh_fn fn, void *arg)
{
	int r = xtr_nl_neighs_af(nl, AF_INET, fn, arg);

	if (r)
		return r;
	r = xtr_nl_neighs_af(nl, AF_INET6, fn, arg);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static struct nlmsghdr *xtr_nl_neigh_msg(char *buf, uint16_t type, uint16_t flags, int ifindex, const struct xtr_ip *ip)
{
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct ndmsg), &x);
	struct ndmsg *ndm = x;

	ndm->ndm_family = xtr_nl_af(ip->family);
	ndm->ndm_ifindex = ifindex;
	xtr_nl_put_ip(nlh, NDA_DST, ip);
	return nlh;
}

int xtr_nl_neigh_get(struct xtr_nl *nl, int ifindex, const struct xtr_ip *ip, struct xtr_nl_neigh *out)
{
	struct xtr_nl_neigh rec;
	struct xtr_nl_one one = { out, sizeof(*out), false };
	struct xtr_nl_walk w = { xtr_nl_parse_neigh, xtr_nl_copy_one, &one, &rec, 0 };
	char buf[256];
	struct nlmsghdr *nlh = xtr_nl_neigh_msg(buf, RTM_GETNEIGH, 0, ifindex, ip);
	int r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);

	return r ? r : one.found ? 0 : -ENOENT;
}

int xtr_nl_neigh_put(struct xtr_nl *nl, const struct xtr_nl_neigh *n)
{
	char buf[256];
	struct nlmsghdr *nlh = xtr_nl_neigh_msg(buf, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, n->ifindex, &n->ip);
	struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);

	ndm->ndm_state = n->managed ? NUD_NONE : n->state;
	ndm->ndm_flags = n->managed ? NTF_USE : n->flags;
	if (n->has_mac)
		mnl_attr_put(nlh, NDA_LLADDR, 6, n->mac);
	if (n->managed)
		mnl_attr_put_u32(nlh, XTR_NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	mnl_attr_put_u8(nlh, NDA_PROTOCOL, n->protocol);
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_neigh_del(struct xtr_nl *nl, int ifindex, const struct xtr_ip *ip)
{
	char buf[256];

	return xtr_nl_talk(nl, xtr_nl_neigh_msg(buf, RTM_DELNEIGH, 0, ifindex, ip));
}

/* ---- traffic control */

struct xtr_nl_tc { int ifindex; bool qdisc; unsigned filters; };

static int xtr_nl_parse_tc(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[TCA_KIND + 1] = { 0 };
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	struct xtr_nl_tc *t = rec;
	char kind[16];

	XTR_NL_PARSE(nlh, sizeof(*tcm), tb);
	xtr_nl_attr_str(tb[TCA_KIND], kind, sizeof(kind));
	*t = (struct xtr_nl_tc){ .ifindex = tcm->tcm_ifindex };
	t->qdisc = nlh->nlmsg_type == RTM_NEWQDISC && !strcmp(kind, "clsact");
	/* A filter is listed once for its chain (handle 0) and once for itself. */
	t->filters = nlh->nlmsg_type == RTM_NEWTFILTER && tcm->tcm_handle;
	return 0;
}

static int xtr_nl_count_tc(void *arg, const void *rec)
{
	const struct xtr_nl_tc *t = rec;
	struct xtr_nl_tc *sum = arg;

	if (t->ifindex == sum->ifindex) {
		sum->qdisc |= t->qdisc;
		sum->filters += t->filters;
	}
	return 0;
}

int xtr_nl_clsact(struct xtr_nl *nl, int ifindex, bool *qdisc, unsigned *filters)
{
	static const uint32_t parents[] = { TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) };
	struct xtr_nl_tc rec, sum = { .ifindex = ifindex };
	struct xtr_nl_walk w = { xtr_nl_parse_tc, xtr_nl_count_tc, &sum, &rec, 0 };
	char buf[256];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg), &x);
	int r;

	((struct tcmsg *)x)->tcm_ifindex = ifindex;
	r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	for (unsigned i = 0; i < 2 && !r && sum.qdisc; i++) {
		nlh = xtr_nl_msg(buf, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg), &x);
		((struct tcmsg *)x)->tcm_ifindex = ifindex;
		((struct tcmsg *)x)->tcm_parent = parents[i];
		r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	}
	*qdisc = sum.qdisc;
	*filters = sum.filters;
	return r;
}

/* ---- XDP features by generic netlink */

static int xtr_nl_parse_u16_attr1(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[CTRL_ATTR_FAMILY_ID + 1] = { 0 };

	XTR_NL_PARSE(nlh, sizeof(struct genlmsghdr), tb);
	if (!tb[CTRL_ATTR_FAMILY_ID] || mnl_attr_get_payload_len(tb[CTRL_ATTR_FAMILY_ID]) < 2)
		return -1;
	*(int *)rec = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	return 0;
}

static int xtr_nl_parse_xdp(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[XTR_NETDEV_A_DEV_XDP_FEATURES + 1] = { 0 };

	XTR_NL_PARSE(nlh, sizeof(struct genlmsghdr), tb);
	if (!tb[XTR_NETDEV_A_DEV_XDP_FEATURES] || mnl_attr_get_payload_len(tb[XTR_NETDEV_A_DEV_XDP_FEATURES]) < 8)
		return -1;
	*(uint64_t *)rec = mnl_attr_get_u64(tb[XTR_NETDEV_A_DEV_XDP_FEATURES]);
	return 0;
}

static struct nlmsghdr *xtr_nl_genl_msg(char *buf, int family, uint8_t cmd)
{
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, (uint16_t)family, NLM_F_ACK, sizeof(struct genlmsghdr), &x);

	((struct genlmsghdr *)x)->cmd = cmd;
	((struct genlmsghdr *)x)->version = 1;
	return nlh;
}

static int xtr_nl_netdev_family(struct xtr_nl *nl)
{
	int rec, id = -1;
	struct xtr_nl_one one = { &id, sizeof(id), false };
	struct xtr_nl_walk w = { xtr_nl_parse_u16_attr1, xtr_nl_copy_one, &one, &rec, 0 };
	char buf[256];
	struct nlmsghdr *nlh;

	if (nl->netdev_family)
		return nl->netdev_family;
	if (!nl->genl)
		nl->genl = xtr_nl_socket(NETLINK_GENERIC, 0);
	if (!nl->genl)
		return -1;
	nlh = xtr_nl_genl_msg(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, XTR_GENL_NETDEV);
	if (xtr_nl_talk_on(nl, nl->genl, nlh, &w) || !one.found)
		id = -1;
	return nl->netdev_family = id;
}

int xtr_nl_xdp_features(struct xtr_nl *nl, int ifindex, uint64_t *features)
{
	uint64_t rec;
	struct xtr_nl_one one = { features, sizeof(*features), false };
	struct xtr_nl_walk w = { xtr_nl_parse_xdp, xtr_nl_copy_one, &one, &rec, 0 };
	int family = xtr_nl_netdev_family(nl), r;
	char buf[256];
	struct nlmsghdr *nlh;

	if (family < 0)
		return -EOPNOTSUPP;
	nlh = xtr_nl_genl_msg(buf, family, XTR_NETDEV_CMD_DEV_GET);
	mnl_attr_put_u32(nlh, XTR_NETDEV_A_DEV_IFINDEX, (uint32_t)ifindex);
	r = xtr_nl_talk_on(nl, nl->genl, nlh, &w);
	return r ? r : one.found ? 0 : -EOPNOTSUPP;
}

/* ---- notifications */

int xtr_nl_monitor_open(struct xtr_nl_monitor **out)
{
	struct xtr_nl_monitor *m = calloc(1, sizeof(*m));
	int size = 1 << 20;

	if (!m)
		return -ENOMEM;
	m->rt = xtr_nl_socket(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
			      RTMGRP_IPV6_ROUTE | RTMGRP_NEIGH | RTMGRP_IPV4_RULE | (1u << (RTNLGRP_IPV6_RULE - 1)));
	if (!m->rt) {
		int e = errno;

		free(m);
		return -e;
	}
	fcntl(mnl_socket_get_fd(m->rt), F_SETFL, O_NONBLOCK);
	setsockopt(mnl_socket_get_fd(m->rt), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	*out = m;
	return 0;
}

void xtr_nl_monitor_close(struct xtr_nl_monitor *m)
{
	if (!m)
		return;
	mnl_socket_close(m->rt);
	free(m);
}

int xtr_nl_monitor_fd(const struct xtr_nl_monitor *m) { return mnl_socket_get_fd(m->rt); }

static int xtr_nl_notify(const struct nlmsghdr *nlh, void *data)
{
	const struct xtr_nl_monitor_ops *o = data;
	union { struct xtr_nl_link l; struct xtr_nl_addr a; struct xtr_nl_route r; struct xtr_nl_rule u; struct xtr_nl_neigh n; } v;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK: case RTM_DELLINK:
		if (!xtr_nl_parse_link(nlh, &v.l))
			o->link(o->ctx, nlh->nlmsg_type == RTM_DELLINK, &v.l);
		break;
	case RTM_NEWADDR: case RTM_DELADDR:
		if (!xtr_nl_parse_addr(nlh, &v.a))
			o->addr(o->ctx, nlh->nlmsg_type == RTM_DELADDR, &v.a);
		break;
	case RTM_NEWROUTE: case RTM_DELROUTE:
		if (!xtr_nl_parse_route(nlh, &v.r))
			o->route(o->ctx, nlh->nlmsg_type == RTM_DELROUTE, &v.r);
		break;
	case RTM_NEWRULE: case RTM_DELRULE:
		if (!xtr_nl_parse_rule(nlh, &v.u))
			o->rule(o->ctx, nlh->nlmsg_type == RTM_DELRULE, &v.u);
		break;
	case RTM_NEWNEIGH: case RTM_DELNEIGH:
		if (!xtr_nl_parse_neigh(nlh, &v.n))
			o->neigh(o->ctx, nlh->nlmsg_type == RTM_DELNEIGH, &v.n);
		break;
	}
	return MNL_CB_OK;
}

void xtr_nl_monitor_read(struct xtr_nl_monitor *m, const struct xtr_nl_monitor_ops *ops)
{
	for (int turn = 0; turn < 64; turn++) {
		ssize_t n = mnl_socket_recvfrom(m->rt, m->buf, sizeof(m->buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			ops->lost(ops->ctx);
			continue;
		}
		if (n <= 0)
			return;
		mnl_cb_run(m->buf, (size_t)n, 0, 0, xtr_nl_notify, (void *)ops);
	}
}
