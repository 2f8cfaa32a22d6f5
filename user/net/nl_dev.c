// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What hangs on a device: clsact qdisc with its filters, and the XDP features that its driver
 * declares (generic netlink family "netdev", Linux 6.3, whose header the oldest supported build
 * host does not have).
 */
#include "net/nl_int.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#define XTR_GENL_NETDEV "netdev"
#define XTR_NETDEV_CMD_DEV_GET 1
#define XTR_NETDEV_A_DEV_IFINDEX 1
#define XTR_NETDEV_A_DEV_XDP_FEATURES 3

/* ---- traffic control */

struct xtr_nl_tc {
	int ifindex;
	bool qdisc;
	unsigned filters;
};

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

int xtr_nl_clsact_sides(struct xtr_nl *nl, int ifindex, bool *qdisc, unsigned *ingress, unsigned *egress)
{
	static const uint32_t parents[] = { TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
					    TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) };
	struct xtr_nl_tc rec, sum = { .ifindex = ifindex };
	struct xtr_nl_walk w = { xtr_nl_parse_tc, xtr_nl_count_tc, &sum, &rec, 0 };
	char buf[256];
	void *x;
	struct nlmsghdr *nlh = xtr_nl_msg(buf, RTM_GETQDISC, NLM_F_DUMP, sizeof(struct tcmsg), &x);
	int r;

	((struct tcmsg *)x)->tcm_ifindex = ifindex;
	r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
	*ingress = *egress = 0;
	for (unsigned i = 0; i < 2 && !r && sum.qdisc; i++) {
		sum.filters = 0;
		nlh = xtr_nl_msg(buf, RTM_GETTFILTER, NLM_F_DUMP, sizeof(struct tcmsg), &x);
		((struct tcmsg *)x)->tcm_ifindex = ifindex;
		((struct tcmsg *)x)->tcm_parent = parents[i];
		r = xtr_nl_talk_on(nl, nl->rt, nlh, &w);
		*(i ? egress : ingress) = sum.filters;
	}
	*qdisc = sum.qdisc;
	return r;
}

int xtr_nl_clsact(struct xtr_nl *nl, int ifindex, bool *qdisc, unsigned *filters)
{
	unsigned ingress = 0, egress = 0;
	int r = xtr_nl_clsact_sides(nl, ifindex, qdisc, &ingress, &egress);

	*filters = ingress + egress;
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
	if (!tb[XTR_NETDEV_A_DEV_XDP_FEATURES] ||
	    mnl_attr_get_payload_len(tb[XTR_NETDEV_A_DEV_XDP_FEATURES]) < 8)
		return -1;
	*(uint64_t *)rec = mnl_attr_get_u64(tb[XTR_NETDEV_A_DEV_XDP_FEATURES]);
	return 0;
}

static struct nlmsghdr *xtr_nl_genl_msg(char *buf, int family, uint8_t cmd)
{
	void *x;
	struct nlmsghdr *nlh =
		xtr_nl_msg(buf, (uint16_t)family, NLM_F_ACK, sizeof(struct genlmsghdr), &x);

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
