// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Notifications of the kernel, typed. The socket's buffer is large; when it overflows all the same,
 * lost() says that what is known may be wrong.
 */
#include "net/nl_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

struct xtr_nl_monitor {
	struct mnl_socket *rt;
	char buf[XTR_NL_BUF];
};
/* ---- notifications */

int xtr_nl_monitor_open(struct xtr_nl_monitor **out)
{
	struct xtr_nl_monitor *m = calloc(1, sizeof(*m));
	int size = 1 << 20;

	if (!m)
		return -ENOMEM;
	m->rt = xtr_nl_socket(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
						     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
						     RTMGRP_NEIGH | RTMGRP_IPV4_RULE |
						     (1u << (RTNLGRP_IPV6_RULE - 1)));
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
	union {
		struct xtr_nl_link l;
		struct xtr_nl_addr a;
		struct xtr_nl_route r;
		struct xtr_nl_rule u;
		struct xtr_nl_neigh n;
	} v;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (!xtr_nl_parse_link(nlh, &v.l))
			o->link(o->ctx, nlh->nlmsg_type == RTM_DELLINK, &v.l);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (!xtr_nl_parse_addr(nlh, &v.a))
			o->addr(o->ctx, nlh->nlmsg_type == RTM_DELADDR, &v.a);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (!xtr_nl_parse_route(nlh, &v.r))
			o->route(o->ctx, nlh->nlmsg_type == RTM_DELROUTE, &v.r);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		if (!xtr_nl_parse_rule(nlh, &v.u))
			o->rule(o->ctx, nlh->nlmsg_type == RTM_DELRULE, &v.u);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
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
