// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Netlink requests and notifications over libmnl. One request socket, used by one thread, so an
 * answer always belongs to the last request; NETLINK_EXT_ACK gives the kernel's own words for a
 * refusal. Parsers take only the attributes named in netlink.h and check their length: what does
 * not fit is treated as absent. Here: transport, links, addresses.
 */
#include "net/nl_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

unsigned char xtr_nl_af(uint8_t family)
{
	return family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC;
}
uint8_t xtr_nl_family(unsigned char af) { return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0; }

bool xtr_nl_attr_ip(const struct nlattr *a, uint8_t family, struct xtr_ip *ip)
{
	size_t n = family == 4 ? 4 : 16;

	if (!a || !family || mnl_attr_get_payload_len(a) != n)
		return false;
	*ip = (struct xtr_ip){ .family = family };
	memcpy(ip->a, mnl_attr_get_payload(a), n);
	return true;
}

void xtr_nl_put_ip(struct nlmsghdr *nlh, uint16_t type, const struct xtr_ip *ip)
{
	mnl_attr_put(nlh, type, ip->family == 4 ? 4 : 16, ip->a);
}

uint32_t xtr_nl_attr_u32(const struct nlattr *a, uint32_t none)
{
	return a && mnl_attr_get_payload_len(a) >= 4 ? mnl_attr_get_u32(a) : none;
}

void xtr_nl_attr_str(const struct nlattr *a, char *out, size_t size)
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

int xtr_nl_attr_cb(const struct nlattr *a, void *data)
{
	struct xtr_nl_tb *t = data;

	if (mnl_attr_get_type(a) <= t->max)
		t->tb[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

/* ---- transport */

struct mnl_socket *xtr_nl_socket(int bus, unsigned groups)
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
	nl->nsfd = -1;
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
	if (nl->nsfd >= 0)
		close(nl->nsfd);
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

static int xtr_nl_socket_there(void *arg)
{
	struct mnl_socket **s = arg;

	*s = xtr_nl_socket(NETLINK_ROUTE, 0);
	return *s ? 0 : -errno;
}

/*
 * A dump was given up, and all of it would have to be read before the next request: in a namespace of somebody else there may be any
 * amount of it. So there the socket is another one from now on.
 */
static bool xtr_nl_renew(struct xtr_nl *nl, struct mnl_socket *s)
{
	struct mnl_socket *other;

	if (s != nl->rt || nl->nsfd < 0 || xtr_nl_at(nl->nsfd, xtr_nl_socket_there, &other))
		return false;
	mnl_socket_close(nl->rt);
	nl->rt = other;
	return true;
}

/* Sends one request and reads until its end. 0, -errno, or what the walk's callback returned. */
int xtr_nl_talk_on(struct xtr_nl *nl, struct mnl_socket *s, struct nlmsghdr *nlh,
		   struct xtr_nl_walk *w)
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
		if (r == MNL_CB_STOP || (!dump && !want_ack) || (dump && w && w->stop && xtr_nl_renew(nl, s)))
			return w ? w->stop : 0;
	}
}

int xtr_nl_talk(struct xtr_nl *nl, struct nlmsghdr *nlh)
{
	return xtr_nl_talk_on(nl, nl->rt, nlh, NULL);
}

struct nlmsghdr *xtr_nl_msg(void *buf, uint16_t type, uint16_t flags, size_t extra,
			    void **extra_out)
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
	if (in6[IFLA_INET6_ADDR_GEN_MODE] &&
	    mnl_attr_get_payload_len(in6[IFLA_INET6_ADDR_GEN_MODE]) >= 1)
		l->no_ip6_autogen =
			mnl_attr_get_u8(in6[IFLA_INET6_ADDR_GEN_MODE]) == IN6_ADDR_GEN_MODE_NONE;
}

static void xtr_nl_link_vlan(const struct nlattr *data, struct xtr_nl_link *l)
{
	const struct nlattr *vlan[IFLA_VLAN_MAX + 1] = { 0 };

	if (!data)
		return;
	XTR_NL_NESTED(data, vlan);
	if (vlan[IFLA_VLAN_PROTOCOL] && mnl_attr_get_payload_len(vlan[IFLA_VLAN_PROTOCOL]) >= 2 && vlan[IFLA_VLAN_ID] &&
	    mnl_attr_get_payload_len(vlan[IFLA_VLAN_ID]) >= 2 && mnl_attr_get_u16(vlan[IFLA_VLAN_PROTOCOL]) == htons(ETH_P_8021Q))
		l->vlan = mnl_attr_get_u16(vlan[IFLA_VLAN_ID]);
}

int xtr_nl_parse_link(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[IFLA_XDP + 1] = { 0 }, *info[IFLA_INFO_MAX + 1] = { 0 },
					   *xdp[IFLA_XDP_ATTACHED + 1] = { 0 };
	const struct ifinfomsg *ifm = mnl_nlmsg_get_payload(nlh);
	struct xtr_nl_link *l = rec;

	if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
	    ifm->ifi_family != AF_UNSPEC)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*ifm), tb);
	*l = (struct xtr_nl_link){ .ifindex = ifm->ifi_index,
				   .flags = ifm->ifi_flags,
				   .type = ifm->ifi_type };
	xtr_nl_attr_str(tb[IFLA_IFNAME], l->name, sizeof(l->name));
	xtr_nl_attr_str(tb[IFLA_QDISC], l->qdisc, sizeof(l->qdisc));
	xtr_nl_attr_str(tb[IFLA_IFALIAS], l->alias, sizeof(l->alias));
	l->mtu = xtr_nl_attr_u32(tb[IFLA_MTU], 0);
	l->master = (int)xtr_nl_attr_u32(tb[IFLA_MASTER], 0);
	if (tb[IFLA_ADDRESS] && mnl_attr_get_payload_len(tb[IFLA_ADDRESS]) == 6) {
		memcpy(l->mac, mnl_attr_get_payload(tb[IFLA_ADDRESS]), 6);
		l->mac_len = 6;
	}
	l->other = (int)xtr_nl_attr_u32(tb[IFLA_LINK], 0);
	if (!tb[IFLA_LINK_NETNSID])
		l->peer = l->other;
	if (tb[IFLA_LINKINFO]) {
		XTR_NL_NESTED(tb[IFLA_LINKINFO], info);
		xtr_nl_attr_str(info[IFLA_INFO_KIND], l->kind, sizeof(l->kind));
	}
	if (!strcmp(l->kind, "vrf") && info[IFLA_INFO_DATA]) {
		const struct nlattr *vrf[IFLA_VRF_MAX + 1] = { 0 };

		XTR_NL_NESTED(info[IFLA_INFO_DATA], vrf);
		l->vrf_table = xtr_nl_attr_u32(vrf[IFLA_VRF_TABLE], 0);
	}
	if (!strcmp(l->kind, "vlan"))
		xtr_nl_link_vlan(info[IFLA_INFO_DATA], l);
	if (tb[IFLA_XDP]) {
		XTR_NL_NESTED(tb[IFLA_XDP], xdp);
		if (xdp[IFLA_XDP_ATTACHED] && mnl_attr_get_payload_len(xdp[IFLA_XDP_ATTACHED]) >= 1)
			l->xdp = mnl_attr_get_u8(xdp[IFLA_XDP_ATTACHED]);
	}
	xtr_nl_link_afspec(tb[IFLA_AF_SPEC], l);
	return 0;
}

int xtr_nl_copy_one(void *arg, const void *rec)
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
	struct nlmsghdr *nlh =
		xtr_nl_msg(buf, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg), &x);
	int r;

	((struct ifinfomsg *)x)->ifi_index = ifindex;
	if (!ifindex)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	return r ? r : one.found ? 0 : -ENODEV;
}

XTR_NL_DUMP(xtr_nl_links, struct xtr_nl_link, xtr_nl_link_fn, xtr_nl_parse_link, RTM_GETLINK,
	    struct ifinfomsg, ((struct ifinfomsg *)x)->ifi_family)

int xtr_nl_links(struct xtr_nl *nl, xtr_nl_link_fn fn, void *arg)
{
	return xtr_nl_links_af(nl, AF_UNSPEC, fn, arg);
}

int xtr_nl_veth_add(struct xtr_nl *nl, const char *name, const char *peer, int nsfd, unsigned queues)
{
	char buf[1024];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
					  sizeof(struct ifinfomsg), &x);
	struct nlattr *info, *data, *other;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, queues);
	mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, queues);
	if (nsfd >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, (uint32_t)nsfd);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	memset(mnl_nlmsg_get_payload_tail(nlh), 0, sizeof(struct ifinfomsg));
	nlh->nlmsg_len += sizeof(struct ifinfomsg);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, queues);
	mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, queues);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_gpe_add(struct xtr_nl *nl, const char *name, uint16_t port, uint32_t mtu)
{
	char buf[1024];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
					  sizeof(struct ifinfomsg), &x);
	struct nlattr *info, *data;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vxlan");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u8(nlh, IFLA_VXLAN_COLLECT_METADATA, 1);
	mnl_attr_put(nlh, IFLA_VXLAN_GPE, 0, NULL);
	mnl_attr_put_u8(nlh, IFLA_VXLAN_LEARNING, 0);
	mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, htons(port));
	/* or each zero checksum would count as an error of the host's */
	mnl_attr_put_u8(nlh, IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 1);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_link_del(struct xtr_nl *nl, int ifindex)
{
	char buf[256];
	void *x;
	struct nlmsghdr *nlh =
		xtr_nl_msg(buf, RTM_DELLINK, NLM_F_ACK, sizeof(struct ifinfomsg), &x);

	((struct ifinfomsg *)x)->ifi_index = ifindex;
	return xtr_nl_talk(nl, nlh);
}

int xtr_nl_link_change(struct xtr_nl *nl, int ifindex, const struct xtr_nl_link_set *set)
{
	char buf[512];
	void *x;
	struct nlmsghdr *nlh =
		xtr_nl_msg(buf, RTM_NEWLINK, NLM_F_ACK, sizeof(struct ifinfomsg), &x);
	struct ifinfomsg *ifm = x;

	ifm->ifi_index = ifindex;
	ifm->ifi_flags = set->flags;
	ifm->ifi_change = set->mask;
	if (set->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, set->mtu);
	if (set->alias)
		mnl_attr_put_strz(nlh, IFLA_IFALIAS, set->alias);
	if (set->has_master)
		mnl_attr_put_u32(nlh, IFLA_MASTER, (uint32_t)set->master);
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

int xtr_nl_parse_addr(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[IFA_FLAGS + 1] = { 0 };
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(ifa->ifa_family);
	struct xtr_nl_addr *a = rec;

	if ((nlh->nlmsg_type != RTM_NEWADDR && nlh->nlmsg_type != RTM_DELADDR) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*ifa), tb);
	*a = (struct xtr_nl_addr){ .ifindex = (int)ifa->ifa_index,
				   .scope = ifa->ifa_scope,
				   .pfx.len = ifa->ifa_prefixlen };
	a->tentative = xtr_nl_attr_u32(tb[IFA_FLAGS], ifa->ifa_flags) &
		       (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	/* On point-to-point links IFA_ADDRESS is the other side; IPv6 has IFA_LOCAL only there. */
	if (!xtr_nl_attr_ip(tb[IFA_LOCAL], family, &a->pfx.ip) &&
	    !xtr_nl_attr_ip(tb[IFA_ADDRESS], family, &a->pfx.ip))
		return -1;
	return 0;
}

XTR_NL_DUMP(xtr_nl_addrs, struct xtr_nl_addr, xtr_nl_addr_fn, xtr_nl_parse_addr, RTM_GETADDR,
	    struct ifaddrmsg, ((struct ifaddrmsg *)x)->ifa_family)

int xtr_nl_addrs(struct xtr_nl *nl, xtr_nl_addr_fn fn, void *arg)
{
	return xtr_nl_addrs_af(nl, AF_UNSPEC, fn, arg);
}

static int xtr_nl_addr_do(struct xtr_nl *nl, uint16_t type, uint16_t flags, int ifindex,
			  const struct xtr_ippfx *pfx)
{
	char buf[256];
	void *x;
	struct nlmsghdr *nlh =
		xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct ifaddrmsg), &x);
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
