// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What LISP-Decent (RFC 9962) needs from the world: DNS answers for pull, groups in the underlay and
 * in the overlay for push. Owner of the DNS client and of the memberships of sockets.
 *
 * Invariants: a DNS client is there when the configuration in use has pull. Replication lists and
 * control peers that the node gave before the data plane was open are kept and handed over then.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "codec/msg.h"
#include "daemon/group_name.h"
#include "util/log.h"

#define JOIN_INTERVAL 10000 /* an interface that comes, or comes again, is found so late */
#define JOINED_MAX    (XTR_GROUPS_MAX * 16)
#define MEMBERS_MAX   65536

struct list { /* of a group, or (in peers) of no group */
	struct xtr_eid_prefix group;
	struct xtr_ip *members;
	unsigned n;
};
struct joined {
	struct xtr_ip group;
	unsigned ifindex;
};
struct xtr_daemon_decent {
	struct xtr_dns *dns;
	const struct xtr_conf *dns_conf; /* its configuration; only compared */
	uv_timer_t timer;
	struct joined joined[JOINED_MAX];
	unsigned joined_count;
	struct list lists[XTR_GROUPS_MAX * 2], peers;
	unsigned list_count;
};

static uint64_t now_s(void)
{
	return xtr_daemon_now() / 1000;
}

/* ---- DNS */

static void on_answer(void *ctx, uint32_t id, const struct xtr_dns_result *r)
{
	struct xtr_daemon *d = ctx;
	struct xtr_dns_answer a = { .status = r->status,
				    .why = r->status || r->partial ? r->why : NULL,
				    .partial = r->partial,
				    .authenticated = r->authenticated,
				    .ttl = r->ttl,
				    .count = r->count < XTR_DNS_ADDRS_MAX ? r->count : XTR_DNS_ADDRS_MAX,
				    .addrs = r->addrs };

	xtr_node_resolved(d->node, id, &a, xtr_daemon_now());
}

static int op_resolve(void *ctx, const char *name, uint32_t id)
{
	struct xtr_daemon *d = ctx;

	return d->decent->dns ? xtr_dns_lookup(d->decent->dns, name, id) : -ENOTCONN;
}

static int open_dns(struct xtr_daemon *d, const struct xtr_conf *c, struct xtr_err *err)
{
	struct xtr_daemon_decent *t = d->decent;
	struct xtr_dns_config cfg = c->dns;

	if (!c->pull)
		return 0;
	t->dns_conf = c;
	if (!c->data_plane)
		cfg.mark = cfg.http.mark = 0; /* nothing to keep out of, and no privilege to set it */
	if (t->dns)
		return xtr_dns_reconfigure(t->dns, &cfg, err);
	return xtr_dns_open(&d->loop, &cfg, on_answer, d, &t->dns, err);
}

/* ---- groups in the underlay */

static const struct xtr_conf_multicast *multicast_of(const struct xtr_conf *c, const struct xtr_ip *group)
{
	for (unsigned i = 0; i < c->multicast_count; i++)
		if (!xtr_ip_cmp(&c->multicast[i].group, group))
			return &c->multicast[i];
	return NULL;
}

/* Out of every interface; one that works is enough. */
static int op_send_group(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group, const void *buf,
			 size_t len)
{
	struct xtr_daemon *d = ctx;
	const struct xtr_conf_multicast *m = multicast_of(d->conf, group);
	int rc = -ENODEV, one;
	bool sent = false;
	char a[XTR_IP_STRLEN];

	if (!m)
		return -ENOENT;
	for (unsigned i = 0; i < m->interface_count; i++) {
		unsigned ifindex = if_nametoindex(m->interfaces[i]);

		one = !ifindex ? -ENODEV :
				 xtr_udp_send_group(d->udp, src, group, ifindex, m->ttl,
						    XTR_PORT_CONTROL, buf, len);
		sent |= !one;
		rc = one ? one : rc;
		if (one)
			xtr_log_limited(XTR_LOG_WARN, now_s(), "sending %zu octets to group %s on %s: %s",
					len, xtr_ip_str(group, a), m->interfaces[i], strerror(-one));
	}
	return sent ? 0 : rc;
}

static bool in_joined(const struct joined *list, unsigned n, const struct joined *j)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].ifindex == j->ifindex && !xtr_ip_cmp(&list[i].group, &j->group))
			return true;
	return false;
}

static bool join(struct xtr_daemon *d, const struct joined *j, const char *name)
{
	struct xtr_daemon_decent *t = d->decent;
	bool before = in_joined(t->joined, t->joined_count, j);
	int rc = xtr_udp_join(d->udp, &j->group, j->ifindex, true);
	char a[XTR_IP_STRLEN];

	xtr_ip_str(&j->group, a);
	if (rc)
		xtr_log_limited(XTR_LOG_WARN, now_s(), "joining group %s on %s: %s; trying again", a, name,
				strerror(-rc));
	else if (!before)
		xtr_info("joined group %s on %s", a, name);
	return !rc;
}

/* Joins what the configuration says and is not joined yet, leaves the rest. */
static void join_all(struct xtr_daemon *d, const struct xtr_conf *c)
{
	struct xtr_daemon_decent *t = d->decent;
	struct joined now[JOINED_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < c->multicast_count; i++) {
		const struct xtr_conf_multicast *m = &c->multicast[i];

		for (unsigned j = 0; m->join && j < m->interface_count && n < JOINED_MAX; j++) {
			now[n] = (struct joined){ m->group, if_nametoindex(m->interfaces[j]) };
			if (now[n].ifindex && join(d, &now[n], m->interfaces[j]))
				n++;
		}
	}
	for (unsigned i = 0; i < t->joined_count; i++)
		if (!in_joined(now, n, &t->joined[i]))
			xtr_udp_join(d->udp, &t->joined[i].group, t->joined[i].ifindex, false);
	memcpy(t->joined, now, n * sizeof(now[0]));
	t->joined_count = n;
}

static void on_join_timer(uv_timer_t *h)
{
	struct xtr_daemon *d = h->data;

	join_all(d, d->conf);
}

static void settle_joins(struct xtr_daemon *d, const struct xtr_conf *conf)
{
	join_all(d, conf);
	if (conf->multicast_count)
		uv_timer_start(&d->decent->timer, on_join_timer, JOIN_INTERVAL, JOIN_INTERVAL);
	else
		uv_timer_stop(&d->decent->timer);
}

/* ---- groups in the overlay */

static int op_send_overlay(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group, const void *buf,
			   size_t len)
{
	struct xtr_daemon *d = ctx;
	char a[XTR_IP_STRLEN];
	int rc = d->dp ? xtr_dp_send_overlay(d->dp, src, group, buf, len) : -ENOTCONN;

	/* A group of nobody else is no failure that a person has to know. */
	if (rc && rc != -ENOENT)
		xtr_log_limited(XTR_LOG_WARN, now_s(), "sending %zu octets to group %s in the overlay: %s", len,
				xtr_ip_str(group, a), strerror(-rc));
	return rc;
}

static int keep(struct list *l, const struct xtr_ip *members, unsigned n)
{
	struct xtr_ip *copy = NULL;

	if (n > MEMBERS_MAX)
		return -E2BIG;
	if (n) {
		copy = malloc(n * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, members, n * sizeof(*copy));
	}
	free(l->members);
	l->members = copy;
	l->n = n;
	return 0;
}

static int replicate(struct xtr_daemon *d, const struct xtr_eid_prefix *e, const struct xtr_ip *members,
		     unsigned n)
{
	struct xtr_ip source = { .family = e->afi == XTR_AFI_IP4 ? 4 : 6 }, group = source;
	char a[XTR_EID_STRLEN];
	int rc;

	memcpy(source.a, e->a, sizeof(source.a));
	memcpy(group.a, e->g, sizeof(group.a));
	rc = xtr_dp_replicate(d->dp, e->iid, e->len ? &source : NULL, &group, members, n);
	if (rc)
		xtr_log_limited(XTR_LOG_WARN, now_s(),
				"the replication list of %s (%u members) does not get into the kernel: %s",
				xtr_eid_str(e, a), n, strerror(-rc));
	return rc;
}

static int op_replicate(void *ctx, const struct xtr_eid_prefix *group, const struct xtr_ip *members, unsigned n)
{
	struct xtr_daemon *d = ctx;
	struct xtr_daemon_decent *t = d->decent;
	struct list *l = NULL;

	if (!group->group_len || (group->afi != XTR_AFI_IP4 && group->afi != XTR_AFI_IP6))
		return -EAFNOSUPPORT;
	if (d->dp)
		return replicate(d, group, members, n);
	for (unsigned i = 0; i < t->list_count; i++)
		if (xtr_eid_equal(&t->lists[i].group, group))
			l = &t->lists[i];
	if (!l && t->list_count == sizeof(t->lists) / sizeof(t->lists[0]))
		return -ENOSPC;
	if (!l)
		l = &t->lists[t->list_count++];
	l->group = *group;
	return keep(l, members, n);
}

static int control_peers(struct xtr_daemon *d, const struct xtr_ip *peers, unsigned n)
{
	int rc = xtr_dp_control_peers(d->dp, peers, n);

	if (rc)
		xtr_log_limited(XTR_LOG_WARN, now_s(),
				"the %u senders of control messages do not get into the kernel: %s", n,
				strerror(-rc));
	return rc;
}

static int op_control_peers(void *ctx, const struct xtr_ip *peers, unsigned n)
{
	struct xtr_daemon *d = ctx;

	return d->dp ? control_peers(d, peers, n) : keep(&d->decent->peers, peers, n);
}

static void forget_lists(struct xtr_daemon_decent *t)
{
	for (unsigned i = 0; i < t->list_count; i++)
		keep(&t->lists[i], NULL, 0);
	t->list_count = 0;
	keep(&t->peers, NULL, 0);
}

void xtr_decent_data_plane(struct xtr_daemon *d)
{
	struct xtr_daemon_decent *t = d->decent;

	for (unsigned i = 0; i < t->list_count; i++)
		replicate(d, &t->lists[i].group, t->lists[i].members, t->lists[i].n);
	if (d->conf->node.decent.group_count)
		control_peers(d, t->peers.members, t->peers.n);
	forget_lists(t);
}

/* ---- life */

void xtr_decent_ops(struct xtr_ops *ops)
{
	ops->resolve = op_resolve;
	ops->send_group = op_send_group;
	ops->send_overlay = op_send_overlay;
	ops->replicate = op_replicate;
	ops->control_peers = op_control_peers;
}

int xtr_decent_open(struct xtr_daemon *d, struct xtr_err *err)
{
	int rc;

	d->decent = calloc(1, sizeof(*d->decent));
	if (!d->decent)
		return xtr_fail(err, -ENOMEM, "no memory");
	rc = open_dns(d, d->conf, err);
	if (!rc)
		rc = xtr_params_source_open(d, err);
	if (!rc)
		rc = xtr_params_source_use(d, d->conf, err);
	if (!rc)
		rc = xtr_group_names_open(d, err);
	if (!rc)
		rc = xtr_group_names_use(d, d->conf, err);
	if (!rc)
		join_all(d, d->conf);
	return rc;
}

int xtr_decent_start(struct xtr_daemon *d)
{
	struct xtr_daemon_decent *t = d->decent;

	uv_timer_init(&d->loop, &t->timer);
	t->timer.data = d;
	xtr_decent_settle(d, d->conf);
	return 0;
}

int xtr_decent_prepare(struct xtr_daemon *d, struct xtr_conf *new, struct xtr_err *err)
{
	int rc = open_dns(d, new, err);

	if (!rc)
		rc = xtr_group_names_use(d, new, err);
	return rc ? rc : xtr_params_source_use(d, new, err);
}

void xtr_decent_settle(struct xtr_daemon *d, const struct xtr_conf *conf)
{
	struct xtr_daemon_decent *t = d->decent;
	struct xtr_err err;

	if (!conf->pull && t->dns) {
		xtr_dns_close(t->dns);
		t->dns = NULL;
	} else if (t->dns_conf != conf && open_dns(d, conf, &err)) {
		xtr_error("back to the DNS servers of before: %s", err.text);
	}
	settle_joins(d, conf);
	xtr_params_source_settle(d, conf);
	xtr_group_names_settle(d, conf);
}

void xtr_decent_join(struct xtr_daemon *d)
{
	settle_joins(d, d->conf);
}

void xtr_decent_end(struct xtr_daemon *d)
{
	xtr_params_source_end(d);
	xtr_group_names_end(d);
	if (d->decent && d->decent->dns)
		xtr_dns_close(d->decent->dns);
	if (d->decent)
		d->decent->dns = NULL;
}

void xtr_decent_close(struct xtr_daemon *d)
{
	xtr_params_source_free(d);
	xtr_group_names_close(d);
	if (d->decent)
		forget_lists(d->decent);
	free(d->decent);
	d->decent = NULL;
}
