// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Neighbours. Values of headers newer than the oldest supported build host are defined here by
 * number; they are kernel ABI.
 */
#include "net/nl_int.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

#ifndef NTF_EXT_MANAGED
#define NTF_EXT_MANAGED (1 << 0)
#endif
#define XTR_NDA_FLAGS_EXT 15

/* ---- neighbours */

int xtr_nl_parse_neigh(const struct nlmsghdr *nlh, void *rec)
{
	const struct nlattr *tb[XTR_NDA_FLAGS_EXT + 1] = { 0 };
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	uint8_t family = xtr_nl_family(ndm->ndm_family);
	struct xtr_nl_neigh *n = rec;

	if ((nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) || !family)
		return -1;
	XTR_NL_PARSE(nlh, sizeof(*ndm), tb);
	*n = (struct xtr_nl_neigh){ .ifindex = ndm->ndm_ifindex,
				    .state = ndm->ndm_state,
				    .flags = ndm->ndm_flags };
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

XTR_NL_DUMP(xtr_nl_neighs, struct xtr_nl_neigh, xtr_nl_neigh_fn, xtr_nl_parse_neigh, RTM_GETNEIGH,
	    struct ndmsg, ((struct ndmsg *)x)->ndm_family)

int xtr_nl_neighs(struct xtr_nl *nl, xtr_nl_neigh_fn fn, void *arg)
{
	int r = xtr_nl_neighs_af(nl, AF_INET, fn, arg);

	if (r)
		return r;
	r = xtr_nl_neighs_af(nl, AF_INET6, fn, arg);
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

static struct nlmsghdr *xtr_nl_neigh_msg(char *buf, uint16_t type, uint16_t flags, int ifindex,
					 const struct xtr_ip *ip)
{
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, type, NLM_F_ACK | flags, sizeof(struct ndmsg), &x);
	struct ndmsg *ndm = x;

	ndm->ndm_family = xtr_nl_af(ip->family);
	ndm->ndm_ifindex = ifindex;
	xtr_nl_put_ip(nlh, NDA_DST, ip);
	return nlh;
}

int xtr_nl_neigh_get(struct xtr_nl *nl, int ifindex, const struct xtr_ip *ip,
		     struct xtr_nl_neigh *out)
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
	struct nlmsghdr *nlh = xtr_nl_neigh_msg(buf, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
						n->ifindex, &n->ip);
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
