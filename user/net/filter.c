// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One dump of nftables' chains by nfnetlink. A kernel without nf_tables refuses the request: then there is no chain. Legacy
 * iptables shows its tables in /proc once a rule was ever looked at or set: more than enough to be careful.
 */
#include "net/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define XTR_NETDEV_EGRESS 1 /* NF_NETDEV_EGRESS, from 5.16; the port's, which a packet put to its other end passes by */

struct xtr_filter_seen {
	bool found;
	char *name;
	size_t size;
};

static int xtr_filter_attr(const struct nlattr *a, void *data)
{
	const struct nlattr **tb = data;

	if (mnl_attr_get_type(a) <= NFTA_CHAIN_MAX)
		tb[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

static int xtr_filter_chain(const struct nlmsghdr *nlh, void *data)
{
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1] = { 0 }, *a;
	struct xtr_filter_seen *s = data;
	uint32_t hook;

	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*g) || s->found ||
	    (g->nfgen_family != NFPROTO_INET && g->nfgen_family != NFPROTO_IPV4 && g->nfgen_family != NFPROTO_IPV6 &&
	     g->nfgen_family != NFPROTO_NETDEV))
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*g), xtr_filter_attr, tb);
	if (!tb[NFTA_CHAIN_HOOK])
		return MNL_CB_OK;
	mnl_attr_for_each_nested(a, tb[NFTA_CHAIN_HOOK]) {
		if (mnl_attr_get_type(a) != NFTA_HOOK_HOOKNUM || mnl_attr_get_payload_len(a) < 4)
			continue;
		hook = ntohl(mnl_attr_get_u32(a));
		if (g->nfgen_family == NFPROTO_NETDEV ? hook != XTR_NETDEV_EGRESS :
						       hook != NF_INET_PRE_ROUTING && hook != NF_INET_FORWARD &&
							       hook != NF_INET_POST_ROUTING)
			continue;
		s->found = true;
		snprintf(s->name, s->size, "nftables chain %s of table %s",
			 tb[NFTA_CHAIN_NAME] ? mnl_attr_get_str(tb[NFTA_CHAIN_NAME]) : "?",
			 tb[NFTA_CHAIN_TABLE] ? mnl_attr_get_str(tb[NFTA_CHAIN_TABLE]) : "?");
	}
	return s->found ? MNL_CB_STOP : MNL_CB_OK;
}

/* 1, 0, -errno as the header says. */
static int xtr_filter_nft(struct xtr_filter_seen *s)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	char buf[16384];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint32_t seq = (uint32_t)time(NULL);
	struct nfgenmsg *g;
	ssize_t n;
	int r = 1;

	if (!nl)
		return errno == EPROTONOSUPPORT ? 0 : -errno;
	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = seq;
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->nfgen_family = NFPROTO_UNSPEC;
	g->version = NFNETLINK_V0;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 || mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		r = -errno;
	while (r > 0) {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		r = n < 0 ? -1 : mnl_cb_run(buf, (size_t)n, seq, mnl_socket_get_portid(nl), xtr_filter_chain, s);
		if (r < 0)
			r = errno == EINVAL || errno == EOPNOTSUPP ? 0 : -errno; /* no nf_tables */
	}
	mnl_socket_close(nl);
	return r < 0 ? r : s->found;
}

static int xtr_filter_legacy(struct xtr_filter_seen *s)
{
	static const char *const file[] = { "/proc/self/net/ip_tables_names", "/proc/self/net/ip6_tables_names" };
	char table[64];

	for (unsigned i = 0; i < 2 && !s->found; i++) {
		FILE *f = fopen(file[i], "re");

		if (!f)
			continue;
		while (!s->found && fgets(table, sizeof(table), f)) {
			table[strcspn(table, "\n")] = '\0';
			/* raw and security: marks and labels */
			s->found = !strcmp(table, "filter") || !strcmp(table, "nat") || !strcmp(table, "mangle");
			if (s->found)
				snprintf(s->name, s->size, "table %s of %s", table, i ? "ip6tables" : "iptables");
		}
		fclose(f);
	}
	return s->found;
}

int xtr_filter_forward(char *name, size_t size)
{
	struct xtr_filter_seen s = { .name = name, .size = size };
	int r;

	name[0] = '\0';
	r = xtr_filter_nft(&s);
	return r ? r : xtr_filter_legacy(&s);
}
