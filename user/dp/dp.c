// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Life of the data plane: open, reconfigure, watch, close. xtr_dp_apply() brings the kernel into
 * the state that the configuration asks for and changes only what differs, so start, reload and
 * repair after a link flap are the same code. The configuration is copied deeply; the copy is one
 * block of arrays owned by struct xtr_dp.
 */
#include "dp/internal.h"

#include "bpf/xtr.skel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <unistd.h>

#define XTR_DP_RL_TURN 512
#define XTR_DP_APPLY_TURNS 8
#define XTR_DP_CONTROL_RATE  1000          /* where the configuration says nothing */
#define XTR_DP_CONTROL_BURST 2000
#define XTR_DP_LARGE_RATE    2000
#define XTR_DP_LARGE_BURST   500
#define XTR_DP_ICMP_RATE     1000
#define XTR_DP_ICMP_BURST    100
#define XTR_DP_SLOW_RATE     5000
#define XTR_DP_SLOW_BURST    1000
#define XTR_DP_PATH_MTU_MS   600000

/* ---- configuration */

static void xtr_dp_config_free(struct xtr_dp_config *c)
{
	for (unsigned i = 0; c->overlays && i < c->overlay_count; i++) {
		free((void *)c->overlays[i].addresses);
		free((void *)c->overlays[i].routes);
		free((void *)c->overlays[i].netns);
		free((void *)c->overlays[i].vrf);
	}
	free((void *)c->bpffs);
	free((void *)c->file);
	free((void *)c->ports);
	free((void *)c->overlays);
	free((void *)c->locals);
	free((void *)c->rlocs);
	free((void *)c->control_from);
	free((void *)c->gpe_peers);
	xtr_dp_groups_free(c);
	memset(c, 0, sizeof(*c));
}

static void *xtr_dp_dup(const void *from, size_t n, size_t size, bool *ok)
{
	void *p = calloc(n + 1, size);

	if (p && n)
		memcpy(p, from, n * size);
	*ok &= p != NULL;
	return p;
}

static int xtr_dp_config_copy(struct xtr_dp_config *to, const struct xtr_dp_config *from)
{
	struct xtr_dp_overlay *ov;
	bool ok = true;

	*to = *from;
	to->bpffs = strdup(from->bpffs ? from->bpffs : "/sys/fs/bpf");
	to->file = strdup(from->file ? from->file : "");
	ok &= to->bpffs && to->file;
	to->ports = xtr_dp_dup(from->ports, from->port_count, sizeof(*to->ports), &ok);
	to->locals = xtr_dp_dup(from->locals, from->local_count, sizeof(*to->locals), &ok);
	to->rlocs = xtr_dp_dup(from->rlocs, from->rloc_count, sizeof(*to->rlocs), &ok);
	to->control_from =
		xtr_dp_dup(from->control_from, from->control_from_count, sizeof(*to->control_from), &ok);
	to->gpe_peers = xtr_dp_dup(from->gpe_peers, from->gpe_peer_count, sizeof(*to->gpe_peers), &ok);
	to->flags |= xtr_dp_gpe_flags(from);
	if (!to->control_rate && !to->control_burst) {
		to->control_rate = XTR_DP_CONTROL_RATE;
		to->control_burst = XTR_DP_CONTROL_BURST;
	}
	if (!to->miss_source_rate)
		to->miss_source_rate = to->miss_rate / 2 ? to->miss_rate / 2 : 1;
	if (!to->large_rate && !to->large_burst) {
		to->large_rate = XTR_DP_LARGE_RATE;
		to->large_burst = XTR_DP_LARGE_BURST;
	}
	if (!to->icmp_rate && !to->icmp_burst) {
		to->icmp_rate = XTR_DP_ICMP_RATE;
		to->icmp_burst = XTR_DP_ICMP_BURST;
	}
	if (!to->slow_rate && !to->slow_burst) {
		to->slow_rate = XTR_DP_SLOW_RATE;
		to->slow_burst = XTR_DP_SLOW_BURST;
	}
	if (!to->path_mtu_ms)
		to->path_mtu_ms = XTR_DP_PATH_MTU_MS;
	to->overlays = ov = xtr_dp_dup(from->overlays, from->overlay_count, sizeof(*ov), &ok);
	for (unsigned i = 0; ov && i < from->overlay_count; i++) {
		ov[i].addresses = xtr_dp_dup(ov[i].addresses, ov[i].address_count,
					     sizeof(*ov[i].addresses), &ok);
		if (ov[i].netns)
			ok &= (ov[i].netns = strdup(ov[i].netns)) != NULL;
		if (ov[i].vrf)
			ok &= (ov[i].vrf = strdup(ov[i].vrf)) != NULL;
		ov[i].routes =
			xtr_dp_dup(ov[i].routes, ov[i].route_count, sizeof(*ov[i].routes), &ok);
	}
	ok &= !xtr_dp_groups_copy(to, from);
	if (!ok)
		xtr_dp_config_free(to);
	return ok ? 0 : -ENOMEM;
}

static int xtr_dp_config_check_names(const struct xtr_dp_config *c, struct xtr_err *err)
{
	char peer[16];

	for (unsigned i = 0; i < c->port_count; i++) {
		const struct xtr_dp_port *p = &c->ports[i];

		if (!p->name[0] || (p->role != XTR_ROLE_UNDERLAY && p->role != XTR_ROLE_EID) ||
		    p->mode > XTR_MODE_TC)
			return xtr_fail(
				err, -EINVAL,
				"interface '%s': no name, or a role or mode that does not exist",
				p->name);
		if (p->iid >= XTR_IID_MAX)
			return xtr_fail(err, -EINVAL,
					"interface %s: instance ID %u is out of range", p->name,
					p->iid);
		for (unsigned j = 0; j < i; j++)
			if (!strcmp(p->name, c->ports[j].name) && p->vlan == c->ports[j].vlan)
				return xtr_fail(err, -EINVAL, "interface %s: named twice", p->name);
		if (p->vlan > 4094 || (p->vlan && p->role != XTR_ROLE_EID))
			return xtr_fail(err, -EINVAL, "interface %s: vlan %u is no VLAN of a port with role eid", p->name, p->vlan);
	}
	for (unsigned i = 0; i < c->overlay_count; i++) {
		const struct xtr_dp_overlay *o = &c->overlays[i];

		xtr_dp_peer_name(peer, o->name);
		if (o->netns && (!*o->netns || strlen(o->netns) >= XTR_DP_NETNS_MAX))
			return xtr_fail(err, -EINVAL, "overlay %s: the name of its network namespace is empty or too long", o->name);
		if (!o->name[0] || o->iid >= XTR_IID_MAX)
			return xtr_fail(err, -EINVAL,
					"overlay '%s': no name, or instance ID %u is out of range",
					o->name, o->iid);
		for (unsigned j = 0; j < c->overlay_count; j++)
			if ((j < i && !strcmp(o->name, c->overlays[j].name)) ||
			    !strcmp(peer, c->overlays[j].name))
				return xtr_fail(
					err, -EINVAL,
					"overlay %s: its name or that of its peer end (%s) is used twice",
					o->name, peer);
	}
	return 0;
}

static int xtr_dp_config_check(const struct xtr_dp_config *c, struct xtr_err *err)
{
	if (c->port_count + c->overlay_count > XTR_MAX_PORTS ||
	    c->overlay_count > XTR_MAX_PORTS / 2)
		return xtr_fail(err, -E2BIG, "more than %u interfaces and overlay devices",
				XTR_MAX_PORTS);
	if (c->port_count && !c->overlay_count)
		return xtr_fail(err, -EINVAL,
				"interfaces without an overlay device: add one under overlay");
	if (c->cache_entries < 16 || c->rloc_entries < 16 || c->rloc_entries > 1u << 20 ||
	    c->cache_entries > 1u << 26)
		return xtr_fail(err, -EINVAL,
				"map sizes out of range: %u map-cache and %u locator entries",
				c->cache_entries, c->rloc_entries);
	if (c->overlay_count &&
	    (c->route_table < 1 || (c->route_table >= 252 && c->route_table <= 255) ||
	     c->route_table == 0xffffffff))
		return xtr_fail(
			err, -EINVAL,
			"route table %u is the kernel's own; choose another (key data-plane.route-table)",
			c->route_table);
	if (c->overlay_count && (c->rule_priority < 1 || c->rule_priority > 32760))
		return xtr_fail(
			err, -EINVAL,
			"rule priority %u is out of range 1-32760 (key data-plane.rule-priority)",
			c->rule_priority);
	for (unsigned i = 0; i < c->local_count; i++)
		if ((c->locals[i].eid.ip.family != 4 && c->locals[i].eid.ip.family != 6) ||
		    c->locals[i].iid >= XTR_IID_MAX)
			return xtr_fail(
				err, -EINVAL,
				"an EID-prefix of ours is no IP prefix or has an instance ID out of range");
	for (unsigned i = 0; i < c->control_from_count; i++)
		if (!xtr_ip_bits(&c->control_from[i].ip) ||
		    c->control_from[i].len > xtr_ip_bits(&c->control_from[i].ip))
			return xtr_fail(err, -EINVAL,
					"a source of control messages (accept-from) is no IP prefix");
	return xtr_dp_config_check_names(c, err);
}

/* ---- apply */

static int xtr_dp_tables(struct xtr_dp *dp, struct xtr_err *err)
{
	struct xtr_dp_if *ifs = calloc(dp->cfg.port_count + 1, sizeof(*ifs));
	struct xtr_dp_ov *ovs = calloc(dp->cfg.overlay_count + 1, sizeof(*ovs));

	if (!ifs || !ovs) {
		free(ifs);
		free(ovs);
		return xtr_fail(err, -ENOMEM, "out of memory");
	}
	free(dp->ifs);
	free(dp->ovs);
	dp->ifs = ifs;
	dp->ovs = ovs;
	dp->if_count = dp->cfg.port_count;
	dp->ov_count = dp->cfg.overlay_count;
	return 0;
}

/* Devices and maps first, then what sends packets there. missing ports are an error only with
 * strict. */
static int xtr_dp_apply(struct xtr_dp *dp, bool strict, struct xtr_err *err)
{
	int r = xtr_dp_ports_read(dp, strict ? err : NULL);

	if (!r)
		r = xtr_dp_namespaces(dp, strict, err);
	if (!r && (r = xtr_dp_addrs_read(dp)))
		xtr_fail(err, r, "cannot read the addresses of this host: %s", strerror(-r));
	if (!r)
		r = xtr_dp_overlays(dp, strict, err);
	if (!r)
		xtr_dp_places_update(dp, true);
	if (!r && (r = xtr_dp_addrs_read(dp))) /* now with those of the overlay devices */
		xtr_fail(err, r, "cannot read the addresses of this host: %s", strerror(-r));
	dp->rules_stale = true;
	xtr_dp_direct_look(dp);
	if (!r)
		r = xtr_dp_locals(dp, err);
	if (!r)
		r = xtr_dp_ifaces(dp, false, err);
	if (!r && !dp->adopted) {
		dp->adopted = true;
		r = xtr_dp_cache_adopt(dp);
		if (r)
			return xtr_fail(err, r, "cannot read the map-cache found in the kernel: %s",
					strerror(-r));
	}
	if (!r) {
		xtr_dp_rl_all_stale(dp);
		while (strict && xtr_dp_rl_work(dp, XTR_DP_RL_TURN))
			;
		r = xtr_dp_routes(dp, err);
	}
	if (!r)
		r = xtr_dp_attach(dp, err);
	if (!r)
		r = xtr_dp_gpe(dp, err);
	if (r)
		return r;
	xtr_dp_gpe_sweep(dp);
	xtr_dp_attach_sweep(dp);
	xtr_dp_overlays_sweep(dp);
	xtr_dp_namespaces_sweep(dp);
	dp->fan_stale = true;
	r = xtr_dp_ifaces(dp, true, err);
	return r || !strict ? r : xtr_dp_groups(dp, err);
}

/* A dump that a change interrupted (NLM_F_DUMP_INTR) is no failure: look again. */
static int xtr_dp_apply_steady(struct xtr_dp *dp, struct xtr_err *err)
{
	int r = xtr_dp_apply(dp, true, err);

	for (unsigned turn = 1; r == -EINTR && turn < XTR_DP_APPLY_TURNS; turn++)
		r = xtr_dp_apply(dp, true, err);
	return r;
}

/* Overlay devices of an xtrd with another folder of pins: we would take each other's routes and
 * rules away. */
struct xtr_dp_other {
	char alias[64];
	struct xtr_nl_link other;
};

static int xtr_dp_find_other(void *arg, const struct xtr_nl_link *l)
{
	struct xtr_dp_other *f = arg;

	if (!strcmp(l->kind, "veth") && !strncmp(l->alias, XTR_DP_ALIAS, strlen(XTR_DP_ALIAS)) &&
	    strcmp(l->alias, f->alias))
		f->other = *l;
	return 0;
}

int xtr_dp_check_others(struct xtr_nl *nl, const char *root, struct xtr_err *err)
{
	struct xtr_dp_other f = { .other.ifindex = 0 };
	int r;

	xtr_dp_alias(f.alias, root);
	r = xtr_nl_links(nl, xtr_dp_find_other, &f);
	if (r)
		return xtr_fail(err, r, "cannot read the links of this host: %s", strerror(-r));
	if (f.other.ifindex)
		return xtr_fail(
			err, -EBUSY,
			"overlay device %s belongs to another xtrd in this network namespace (pins in %s); one namespace "
			"has one data plane: detach that one first",
			f.other.name, f.other.alias + strlen(XTR_DP_ALIAS));
	return 0;
}

/* ---- open and close */

static int xtr_dp_open_all(struct xtr_dp *dp, struct xtr_err *err)
{
	int r = xtr_dp_bpffs_ready(dp->cfg.bpffs, true, err);

	if (r)
		return r;
	r = dp->lock = xtr_dp_lock(dp->root, err);
	if (r < 0)
		return r;
	xtr_dp_at("locked");
	r = xtr_dp_check_foreign(dp->root);
	if (r)
		return xtr_fail(
			err, r,
			"%s: is in use by another network namespace; run xtrctl detach there, or give this xtrd its own "
			"bpffs folder (key bpffs)",
			dp->root);
	r = xtr_nl_open(&dp->nl);
	if (!r)
		r = xtr_nl_monitor_open(&dp->mon);
	if (!r)
		r = xtr_dp_watch(dp, xtr_nl_monitor_fd(dp->mon));
	if (r)
		return xtr_fail(err, r, "netlink: %s", strerror(-r));
	r = xtr_dp_check_others(dp->nl, dp->root, err);
	if (r)
		return r;
	dp->mine = true;
	r = xtr_dp_load(dp, err);
	if (r)
		return r;
	xtr_dp_places_load(dp);
	if ((r = xtr_dp_clock(dp)))
		return xtr_fail(err, r, "program %s: the kernel does not run it: %s",
				XTR_PROG_CLOCK, strerror(-r));
	if ((r = xtr_dp_inject_open(dp)))
		return xtr_fail(err, r, "packet socket: %s (needs CAP_NET_RAW)", strerror(-r));
	r = xtr_dp_slow_open(dp, err);
	if (!r)
		r = xtr_dp_queue_init(dp, err);
	if (!r)
		r = xtr_dp_ring_open(dp, err);
	if (!r)
		r = xtr_dp_tables(dp, err);
	if (!r)
		r = xtr_dp_apply_steady(dp, err);
	if (!r) {
		xtr_dp_upgrade_finish(dp);
		xtr_dp_nb_sweep(dp);
	}
	return r;
}

static uint64_t xtr_dp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static struct xtr_dp *xtr_dp_new(const struct xtr_dp_config *cfg, const struct xtr_dp_callbacks *cb)
{
	struct xtr_dp *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return NULL;
	dp->lock = dp->inject_fd = dp->made_fd = dp->mon_fd = dp->slow_poll = -1;
	for (unsigned k = 0; k < 2; k++)
		dp->slow_fd[k] = dp->pmtu_fd[k] = dp->port_fd[k] = -1;
	if (cb)
		dp->cb = *cb;
	dp->now = xtr_dp_now();
	dp->cpus = (unsigned)libbpf_num_possible_cpus();
	dp->eid4 = xtr_trie_new();
	dp->eid6 = xtr_trie_new();
	dp->rl_by_id = calloc(cfg->rloc_entries, sizeof(*dp->rl_by_id));
	dp->set_by_id = calloc(cfg->rloc_entries, sizeof(*dp->set_by_id));
	if (xtr_dp_ids_init(&dp->rl_ids, cfg->rloc_entries) ||
	    xtr_dp_ids_init(&dp->set_ids, cfg->rloc_entries) ||
	    xtr_dp_ids_init(&dp->list_ids, XTR_DP_LISTS) || !dp->eid4 || !dp->eid6 ||
	    !dp->rl_by_id || !dp->set_by_id || dp->cpus > 4096 ||
	    xtr_dp_config_copy(&dp->cfg, cfg)) {
		xtr_dp_close(dp);
		return NULL;
	}
	snprintf(dp->root, sizeof(dp->root), "%s/xtr", dp->cfg.bpffs);
	return dp;
}

/* What was there before stays as it was; what this start alone has made goes. */
void xtr_dp_undo(struct xtr_dp *dp)
{
	if (dp->mine && dp->fresh)
		xtr_dp_unmake(dp->nl, dp->root, NULL, NULL, NULL);
	else
		xtr_dp_upgrade_undo(dp);
}

int xtr_dp_open(const struct xtr_dp_config *cfg, const struct xtr_dp_callbacks *cb,
		struct xtr_dp **out, struct xtr_err *err)
{
	struct xtr_dp *dp;
	int r = xtr_dp_config_check(cfg, err);

	if (r)
		return r;
	dp = xtr_dp_new(cfg, cb);
	if (!dp)
		return xtr_fail(err, -ENOMEM, "out of memory");
	r = xtr_dp_open_all(dp, err);
	if (r) {
		xtr_dp_undo(dp);
		xtr_dp_close(dp);
		return r;
	}
	xtr_dp_warn_forwarding(dp);
	dp->look_at = dp->now + XTR_DP_LOOK_MS;
	*out = dp;
	if (dp->cb.adopt)
		xtr_dp_cache_each(dp, dp->cb.adopt, dp->cb.ctx);
	xtr_dp_rlocs_report(dp, true);
	return 0;
}

void xtr_dp_close(struct xtr_dp *dp)
{
	if (!dp)
		return;
	if (dp->skel && dp->map[XTR_M_DROPS] > 0)
		xtr_dp_drops_flush(dp);
	xtr_dp_left_free(dp);
	xtr_dp_slow_close(dp);
	xtr_dp_pmtu_free(dp);
	xtr_dp_er_free(dp);
	ring_buffer__free(dp->ring);
	if (dp->q4)
		xtr_dp_queue_free(dp);
	xtr_dp_cache_free(dp);
	xtr_dp_mcast_free(dp);
	xtr_dp_set_free(dp);
	xtr_dp_rl_free(dp);
	xtr_dp_nb_free(dp);
	if (dp->gen_at)
		munmap(dp->gen_at, sizeof(dp->gen));
	xtr_bpf__destroy(dp->skel); /* closes the fds; pins keep the objects */
	xtr_dp_ns_free(dp);
	xtr_nl_monitor_close(dp->mon);
	xtr_nl_close(dp->nl);
	if (dp->mon_fd >= 0)
		close(dp->mon_fd);
	if (dp->inject_fd >= 0)
		close(dp->inject_fd);
	if (dp->made_fd >= 0)
		close(dp->made_fd);
	if (dp->lock >= 0)
		close(dp->lock);
	free(dp->ifs);
	free(dp->ovs);
	free(dp->addrs);
	xtr_dp_config_free(&dp->cfg);
	free(dp);
}

/* Something may have to be put right. A system that keeps changing its mind is followed once a
 * second. */
static void xtr_dp_soon(struct xtr_dp *dp, bool repair)
{
	dp->repair |= repair;
	if (!dp->sync_at)
		dp->sync_at = dp->now + (dp->sync_streak < 16 ? XTR_DP_SETTLE_MS : 1000);
}

/* `detach` by force under a running daemon: what was removed on purpose is not made again. */
static bool xtr_dp_gone(struct xtr_dp *dp)
{
	char mark[256];

	snprintf(mark, sizeof(mark), "%s/%s", dp->root, XTR_DP_DETACHING);
	if (!access(dp->dir, F_OK) && access(mark, F_OK))
		return false;
	if (dp->look_at != UINT64_MAX)
		xtr_error(
			"%s: the data plane was detached while xtrd runs; restart xtrd to have it back",
			dp->dir);
	dp->look_at = UINT64_MAX;
	dp->sync_at = 0;
	return true;
}

int xtr_dp_reconfigure(struct xtr_dp *dp, const struct xtr_dp_config *cfg, struct xtr_err *err)
{
	struct xtr_dp_config old = dp->cfg, new;
	int r = xtr_dp_config_check(cfg, err);

	if (r)
		return r;
	if (cfg->cache_entries != old.cache_entries || cfg->rloc_entries != old.rloc_entries ||
	    strcmp(cfg->bpffs ? cfg->bpffs : "/sys/fs/bpf", old.bpffs))
		return xtr_fail(
			err, -EBUSY,
			"bpffs and the sizes of the maps change only with a restart of xtrd (traffic goes on meanwhile)");
	if (xtr_dp_gone(dp))
		return xtr_fail(err, -ESTALE, "%s: was detached; restart xtrd", dp->dir);
	if (xtr_dp_config_copy(&new, cfg))
		return xtr_fail(err, -ENOMEM, "out of memory");
	new.flags |= old.flags &XTR_CFG_F_TRACE_DROPS; /* not of the configuration */
	dp->now = xtr_dp_now();
	dp->cfg = new;
	xtr_dp_rlocs_part(dp, &old);
	r = xtr_dp_tables(dp, err);
	if (!r)
		r = xtr_dp_apply_steady(dp, err);
	if (r) {
		dp->cfg = old;
		if (xtr_dp_tables(dp, NULL) || xtr_dp_apply(dp, false, NULL))
			xtr_dp_soon(dp, true);
		xtr_dp_groups(dp, NULL);
		xtr_dp_config_free(&new);
		return r;
	}
	dp->made.table = new.route_table;
	dp->made.priority = new.rule_priority;
	dp->made.mark = new.mark;
	xtr_dp_made_save(dp);
	xtr_dp_config_free(&old);
	xtr_dp_rlocs_report(dp, true);
	return 0;
}

int xtr_dp_set_trace(struct xtr_dp *dp, bool on)
{
	if (on)
		dp->cfg.flags |= XTR_CFG_F_TRACE_DROPS;
	else
		dp->cfg.flags &= ~(uint32_t)XTR_CFG_F_TRACE_DROPS;
	return xtr_dp_cfg_sync(dp);
}

/* ---- netlink */

/* Hosts of containers create and remove links all the time: only those that have to do with us
 * count. */
static void xtr_dp_on_link(void *ctx, bool gone, const struct xtr_nl_link *l)
{
	struct xtr_dp *dp = ctx;
	bool ours = false;

	for (unsigned i = 0; i < dp->if_count && !ours; i++)
		ours = dp->ifs[i].ifindex == l->ifindex || !strcmp(dp->ifs[i].name, l->name) || dp->ifs[i].master == l->ifindex ||
		       (dp->ifs[i].role == XTR_ROLE_EID && dp->ifs[i].ifindex == l->peer); /* where its tags come from: tags.c */
	xtr_dp_ways_stale(dp); /* routes of a link that goes down go without a word (IPv4) */
	ours |= xtr_dp_above(dp, l);
	ours |= (dp->gpe && dp->gpe == l->ifindex) || !strcmp(l->name, XTR_DP_GPE);
	for (unsigned i = 0; i < dp->ov_count && !ours; i++)
		ours = dp->ovs[i].ifindex == l->ifindex || dp->ovs[i].peer == l->ifindex ||
		       !strcmp(dp->ovs[i].name, l->name) ||
		       (dp->cfg.overlays[i].vrf && !strcmp(dp->cfg.overlays[i].vrf, l->name));
	xtr_dp_soon(dp, ours);
}

static void xtr_dp_on_addr(void *ctx, bool gone, const struct xtr_nl_addr *a)
{
	xtr_dp_ways_stale(ctx);
	((struct xtr_dp *)ctx)->rules_stale = true;
	xtr_dp_soon(ctx, true);
}

static void xtr_dp_on_route(void *ctx, bool gone, const struct xtr_nl_route *r)
{
	xtr_dp_ways_stale(ctx);
	if (r->protocol != XTR_DP_PROTO || (gone && !xtr_dp_er_own(ctx, r)))
		xtr_dp_soon(ctx, r->protocol == XTR_DP_PROTO);
}

static void xtr_dp_on_rule(void *ctx, bool gone, const struct xtr_nl_rule *r)
{
	xtr_dp_ways_stale(ctx);
	((struct xtr_dp *)ctx)->rules_stale = true;
	if (r->protocol == XTR_DP_PROTO && gone)
		xtr_dp_soon(ctx, true);
}

static void xtr_dp_on_neigh(void *ctx, bool gone, const struct xtr_nl_neigh *n)
{
	struct xtr_dp *dp = ctx;

	if (gone && n->protocol == XTR_DP_PROTO && n->state & 0x80)
		xtr_dp_soon(dp, true); /* next hop of the EID routes */
	xtr_dp_ways_neigh(dp, gone, n);
	xtr_dp_nb_event(dp, gone, n);
}

static void xtr_dp_on_lost(void *ctx)
{
	struct xtr_dp *dp = ctx;

	xtr_dp_ways_stale(dp);
	xtr_dp_nb_refresh(dp);
	xtr_dp_soon(dp, true);
}

int xtr_dp_netlink_fd(const struct xtr_dp *dp) { return dp->mon_fd; }

/* ---- the same in the namespaces of tenants: neighbours of the underlay are not there, and nothing but ours matters */

struct xtr_dp_there {
	struct xtr_dp *dp;
	const struct xtr_dp_ns *ns;
};

static void xtr_dp_there_link(void *ctx, bool gone, const struct xtr_nl_link *l)
{
	const struct xtr_dp_there *t = ctx;

	for (unsigned i = 0; i < t->dp->ov_count; i++) {
		const struct xtr_dp_ov *ov = &t->dp->ovs[i];
		const char *vrf = t->dp->cfg.overlays[i].vrf;

		if (ov->ns == t->ns && (ov->far == l->ifindex || !strcmp(ov->name, l->name) ||
					(vrf && !strcmp(vrf, l->name))))
			xtr_dp_soon(t->dp, true);
	}
}

static void xtr_dp_there_addr(void *ctx, bool gone, const struct xtr_nl_addr *a)
{
	xtr_dp_soon(((const struct xtr_dp_there *)ctx)->dp, true); /* a network that EID routes must not take away */
}

static void xtr_dp_there_route(void *ctx, bool gone, const struct xtr_nl_route *r)
{
	if (r->protocol == XTR_DP_PROTO && gone)
		xtr_dp_soon(((const struct xtr_dp_there *)ctx)->dp, true);
}

static void xtr_dp_there_rule(void *ctx, bool gone, const struct xtr_nl_rule *r)
{
	if (r->protocol == XTR_DP_PROTO && gone)
		xtr_dp_soon(((const struct xtr_dp_there *)ctx)->dp, true);
}

static void xtr_dp_there_neigh(void *ctx, bool gone, const struct xtr_nl_neigh *n)
{
	if (gone && n->protocol == XTR_DP_PROTO)
		xtr_dp_soon(((const struct xtr_dp_there *)ctx)->dp, true);
}

static void xtr_dp_there_lost(void *ctx)
{
	xtr_dp_soon(((const struct xtr_dp_there *)ctx)->dp, true);
}

static void xtr_dp_netlink_there(struct xtr_dp *dp)
{
	struct xtr_dp_there there = { .dp = dp };
	const struct xtr_nl_monitor_ops ops = { .ctx = &there,
						.link = xtr_dp_there_link,
						.addr = xtr_dp_there_addr,
						.route = xtr_dp_there_route,
						.rule = xtr_dp_there_rule,
						.neigh = xtr_dp_there_neigh,
						.lost = xtr_dp_there_lost };

	for (unsigned i = 0; i < dp->ns_count; i++) {
		there.ns = dp->nss[i];
		if (there.ns->mon)
			xtr_nl_monitor_read(there.ns->mon, &ops);
	}
}

void xtr_dp_netlink(struct xtr_dp *dp, uint64_t now)
{
	struct xtr_nl_monitor_ops ops = { .ctx = dp,
					  .link = xtr_dp_on_link,
					  .addr = xtr_dp_on_addr,
					  .route = xtr_dp_on_route,
					  .rule = xtr_dp_on_rule,
					  .neigh = xtr_dp_on_neigh,
					  .lost = xtr_dp_on_lost };

	dp->now = now;
	xtr_nl_monitor_read(dp->mon, &ops);
	if (dp->rules_stale && dp->look_at != UINT64_MAX && xtr_dp_direct_look(dp))
		xtr_dp_cfg_sync(dp);
	xtr_dp_ways_work(dp);
	xtr_dp_netlink_there(dp);
	xtr_dp_rl_work(dp, XTR_DP_RL_TURN);
	xtr_dp_fans(dp);
}

/* ---- time */

static void xtr_dp_sync(struct xtr_dp *dp)
{
	struct xtr_err err;
	int r = 0;

	if (xtr_dp_gone(dp))
		return;
	if (dp->now >= dp->look_at) { /* whatever we were told or believe */
		memset(dp->written, 0, sizeof(dp->written));
		dp->repair = true;
	}
	if (dp->repair)
		r = xtr_dp_apply(dp, false, &err);
	else
		xtr_dp_rl_all_stale(dp);
	if (r && !dp->sync_failed)
		xtr_warn("repair after a change of links or addresses: %s; trying again", err.text);
	else if (!r && dp->sync_failed)
		xtr_info("repair after a change of links or addresses: done");
	dp->sync_failed = r;
	dp->sync_streak = dp->now - dp->synced < 1000 ? dp->sync_streak + 1 : 0;
	dp->synced = dp->now;
	dp->sync_at = r ? dp->now + 1000 : 0;
	if (dp->repair)
		dp->look_at = dp->now + XTR_DP_LOOK_MS;
	dp->repair = r != 0;
	xtr_dp_rlocs_report(dp, false);
}

uint64_t xtr_dp_tick(struct xtr_dp *dp, uint64_t now)
{
	uint64_t next, own;

	dp->now = now;
	if (dp->left)
		xtr_dp_left_turn(dp);
	if (dp->hold_active + dp->hold_settled)
		xtr_dp_hold_check(dp, !dp->hold_active || xtr_dp_ring_turn(dp));
	if ((dp->sync_at && now >= dp->sync_at) || now >= dp->look_at)
		xtr_dp_sync(dp);
	if (now >= dp->beat_at) {
		xtr_dp_clock(dp);
		if (dp->look_at != UINT64_MAX)
			xtr_dp_beat(dp);
		xtr_dp_rl_beat(dp);
		xtr_dp_nb_probe(dp);
		if (dp->look_at != UINT64_MAX && xtr_dp_direct_look(dp))
			xtr_dp_cfg_sync(dp);
		xtr_dp_fan_beat(dp);
		dp->beat_at = now + 1000;
		if (dp->look_at != UINT64_MAX && (dp->trouble || xtr_dp_namespaces_changed(dp)))
			xtr_dp_soon(dp, true);
	}
	xtr_dp_rl_work(dp, XTR_DP_RL_TURN);
	xtr_dp_fans(dp);
	xtr_dp_queue_expire(dp);
	if (dp->adopted_until && now >= dp->adopted_until)
		xtr_dp_mcast_sweep(dp);
	if (dp->reap_at && now >= dp->reap_at) {
		dp->reap_at = 0;
		xtr_dp_set_reap(dp, false);
		xtr_dp_rl_reap(dp, false);
	}
	xtr_dp_drops_flush(dp);
	next = dp->beat_at < dp->look_at ? dp->beat_at : dp->look_at;
	if (dp->look_at != UINT64_MAX) { /* not detached */
		own = xtr_dp_pmtu_tick(dp);
		next = own < next ? own : next;
		own = xtr_dp_er_tick(dp);
		next = own < next ? own : next;
	}
	if (dp->sync_at && dp->sync_at < next)
		next = dp->sync_at;
	if (dp->reap_at && dp->reap_at < next)
		next = dp->reap_at;
	if (dp->adopted_until && dp->adopted_until < next)
		next = dp->adopted_until;
	if (dp->queues && now + 250 < next)
		next = now + 250;
	if (dp->hold_active && now + 2 < next)
		next = now + 2;
	if (dp->hold_settled && dp->hold_look < next)
		next = dp->hold_look;
	return dp->rl_stale ? now : next;
}
