// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the programs know about this host: interfaces and their roles, instances, own RLOCs, own
 * EID-prefixes and addresses, live values. Each map is computed whole from configuration and
 * netlink and then made equal, so a change never leaves remains.
 *
 * An address of the host inside one of our EID-prefixes is a longer prefix in the same trie and
 * would hide it: it carries both flags and the prefix's map-version.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct xtr_dp_buf {
	uint8_t *at;
	unsigned n, room;
	size_t step;
	int err;
};

static void *xtr_dp_buf_add(struct xtr_dp_buf *b)
{
	if (b->n == b->room) {
		unsigned room = b->room ? b->room * 2 : 64;
		void *p = realloc(b->at, room * b->step);

		if (!p) {
			b->err = -ENOMEM;
			return NULL;
		}
		b->at = p;
		b->room = room;
	}
	return memset(b->at + b->n++ * b->step, 0, b->step);
}

struct xtr_dp_addr_list {
	struct xtr_nl_addr *at;
	unsigned n, room;
};

static int xtr_dp_addr_keep(void *arg, const struct xtr_nl_addr *a)
{
	struct xtr_dp_addr_list *l = arg;

	if (l->n == l->room) {
		unsigned room = l->room ? l->room * 2 : 32;
		void *p = realloc(l->at, room * sizeof(*l->at));

		if (!p)
			return -ENOMEM;
		l->at = p;
		l->room = room;
	}
	l->at[l->n++] = *a;
	return 0;
}

static int xtr_dp_addrs_of(struct xtr_nl *nl, struct xtr_nl_addr **at, unsigned *count)
{
	struct xtr_dp_addr_list l = { 0 };
	int r = xtr_nl_addrs(nl, xtr_dp_addr_keep, &l);

	if (r) {
		free(l.at);
		return r;
	}
	free(*at);
	*at = l.at;
	*count = l.n;
	return 0;
}

int xtr_dp_addrs_read(struct xtr_dp *dp)
{
	for (unsigned i = 0; i < dp->ns_count; i++) { /* what goes wrong there is the tenant's trouble, not ours */
		struct xtr_dp_ns *ns = dp->nss[i];
		int r = ns->nl ? xtr_dp_addrs_of(ns->nl, &ns->addrs, &ns->addr_count) : 0;

		if (r && !ns->trouble)
			xtr_warn("network namespace %s: cannot read its addresses: %s", ns->where, strerror(-r));
		dp->trouble |= r != 0;
	}
	return xtr_dp_addrs_of(dp->nl, &dp->addrs, &dp->addr_count);
}

/* ---- instances */

static int xtr_dp_u32_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Every instance that a port, an overlay or an EID-prefix has, once each. Caller frees. */
static uint32_t *xtr_dp_iids(const struct xtr_dp *dp, unsigned *count)
{
	uint32_t *v = calloc(dp->if_count + dp->ov_count + dp->cfg.local_count + 1, sizeof(*v));
	unsigned n = 0, u = 0;

	if (!v)
		return NULL;
	for (unsigned i = 0; i < dp->if_count; i++)
		if (dp->ifs[i].role == XTR_ROLE_EID)
			v[n++] = dp->ifs[i].iid;
	for (unsigned i = 0; i < dp->ov_count; i++)
		v[n++] = dp->ovs[i].iid;
	for (unsigned i = 0; i < dp->cfg.local_count; i++)
		v[n++] = dp->cfg.locals[i].iid;
	qsort(v, n, sizeof(*v), xtr_dp_u32_cmp);
	for (unsigned i = 0; i < n; i++)
		if (!u || v[u - 1] != v[i])
			v[u++] = v[i];
	*count = u;
	return v;
}

/* Writes a map only when its contents differ from what was written last: hosts with many interfaces
 * change often. */
static int xtr_dp_sync_changed(struct xtr_dp *dp, enum xtr_dp_map map, const void *rec, unsigned n,
			       size_t key_size, size_t value_size)
{
	uint64_t hash = (n ? xtr_hash(rec, n * (key_size + value_size)) : 0) | 1;
	int r;

	if (dp->written[map] == hash)
		return 0;
	r = xtr_dp_map_sync(dp->map[map], rec, n, key_size, value_size, false);
	dp->written[map] = r ? 0 : hash;
	dp->changed = true;
	return r;
}

static int xtr_dp_inst_sync(struct xtr_dp *dp, const uint32_t *iids, unsigned n)
{
	struct {
		__u32 iid;
		struct xtr_inst v;
	} *rec = calloc(n + 1, sizeof(*rec));
	int r;

	if (!rec)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, iids[i]);

		rec[i].iid = iids[i];
		/* no device of its own, or one that is not where it should be: nothing is delivered, least of all on another's */
		if (ov && ov->apart)
			rec[i].v.flags = XTR_INST_F_APART | (ov->elsewhere ? XTR_INST_F_ELSEWHERE : 0u);
		if (!ov || !ov->ready)
			continue;
		rec[i].v.overlay = (__u32)(ov->elsewhere ? ov->far : ov->ifindex);
		rec[i].v.peer = (__u32)ov->peer;
		rec[i].v.mtu = (__u16)(ov->gro ? ov->mtu : 0);
		memcpy(rec[i].v.mac, ov->mac, 6);
	}
	r = xtr_dp_sync_changed(dp, XTR_M_INST, rec, n, sizeof(rec->iid), sizeof(rec->v));
	free(rec);
	return r;
}

static bool xtr_dp_is_rloc(const struct xtr_dp_config *c, const struct xtr_ip *ip)
{
	for (unsigned i = 0; i < c->rloc_count; i++)
		if (!memcmp(&c->rlocs[i], ip, sizeof(*ip)))
			return true;
	return false;
}

void xtr_dp_rlocs_part(struct xtr_dp *dp, const struct xtr_dp_config *old)
{
	for (unsigned i = 0, slot = 0; i < old->rloc_count; i++) {
		if (xtr_dp_is_rloc(&dp->cfg, &old->rlocs[i]))
			continue;
		while (slot < XTR_DP_PARTING && dp->parting[slot].until > dp->now &&
		       memcmp(&dp->parting[slot].ip, &old->rlocs[i], sizeof(old->rlocs[i])))
			slot++;
		if (slot == XTR_DP_PARTING)
			return;
		dp->parting[slot].ip = old->rlocs[i];
		dp->parting[slot++].until = dp->now + XTR_DP_PARTING_MS;
	}
}

/* Our RLOCs, and those that were until lately: other sites learn of it one after the other. */
static int xtr_dp_self_sync(struct xtr_dp *dp)
{
	struct {
		struct xtr_self_key k;
		__u32 v;
	} *rec = calloc(dp->cfg.rloc_count + XTR_DP_PARTING + 1, sizeof(*rec));
	unsigned n = 0;
	int r;

	if (!rec)
		return -ENOMEM;
	for (; n < dp->cfg.rloc_count; n++) {
		xtr_dp_abi_ip(&rec[n].k.ip, &dp->cfg.rlocs[n]);
		rec[n].k.family = dp->cfg.rlocs[n].family;
	}
	for (unsigned i = 0; i < XTR_DP_PARTING; i++) {
		if (dp->parting[i].until <= dp->now || xtr_dp_is_rloc(&dp->cfg, &dp->parting[i].ip))
			continue;
		xtr_dp_abi_ip(&rec[n].k.ip, &dp->parting[i].ip);
		rec[n++].k.family = dp->parting[i].ip.family;
	}
	r = xtr_dp_sync_changed(dp, XTR_M_SELF, rec, n, sizeof(rec->k), sizeof(rec->v));
	free(rec);
	return r;
}

/* ---- own prefixes */

struct xtr_dp_local_buf {
	struct xtr_dp_buf v4, v6;
};

static void xtr_dp_local_add(struct xtr_dp *dp, struct xtr_dp_local_buf *b, uint32_t iid,
			     const struct xtr_ippfx *p, uint32_t flags, uint16_t version)
{
	bool four = p->ip.family == 4;
	struct xtr_dp_buf *buf = four ? &b->v4 : &b->v6;
	size_t key_size = four ? sizeof(struct xtr_lpm4) : sizeof(struct xtr_lpm6);
	struct xtr_local v = { .flags = flags,
			       .map_version = version,
			       .generation = (__u32)dp->generation };
	struct xtr_ippfx masked = *p;
	union xtr_dp_key k;
	uint8_t *rec;

	xtr_ippfx_mask(&masked);
	xtr_dp_key(&k, iid, &masked);
	for (unsigned i = 0; i < buf->n; i++) {
		struct xtr_local *old = (struct xtr_local *)(buf->at + i * buf->step + key_size);

		if (!memcmp(buf->at + i * buf->step, &k, key_size)) {
			old->flags |= flags;
			return;
		}
	}
	rec = xtr_dp_buf_add(buf);
	if (!rec)
		return;
	memcpy(rec, &k, key_size);
	memcpy(rec + key_size, &v, sizeof(v));
}

/* An own address in one instance. */
static void xtr_dp_local_addr(struct xtr_dp *dp, struct xtr_dp_local_buf *b, uint32_t iid,
			      const struct xtr_ip *ip)
{
	struct xtr_ippfx host = { .ip = *ip, .len = (uint8_t)xtr_ip_bits(ip) };
	const struct xtr_dp_local *cover = NULL;

	for (unsigned i = 0; i < dp->cfg.local_count; i++) {
		const struct xtr_dp_local *l = &dp->cfg.locals[i];

		if (l->iid == iid && xtr_ippfx_has(&l->eid, ip) &&
		    (!cover || l->eid.len > cover->eid.len))
			cover = l;
	}
	xtr_dp_local_add(dp, b, iid, &host, XTR_LOCAL_F_SELF | (cover ? XTR_LOCAL_F_EID : 0u),
			 cover ? cover->map_version : 0);
}

struct xtr_dp_if *xtr_dp_if_untagged(struct xtr_dp *dp, int ifindex)
{
	for (unsigned i = 0; i < dp->if_count; i++)
		if (dp->ifs[i].ifindex == ifindex && !dp->ifs[i].vlan)
			return &dp->ifs[i];
	return NULL;
}

/* The instance an address belongs to alone; false: it is the host's in every instance that is not apart. */
static bool xtr_dp_addr_iid(struct xtr_dp *dp, int ifindex, uint32_t *iid)
{
	const struct xtr_dp_if *f = xtr_dp_if_untagged(dp, ifindex);
	const struct xtr_dp_ov *ov = xtr_dp_overlay_by_index(dp, ifindex);

	if (ov) {
		*iid = ov->iid;
		return true;
	}
	if (f && f->role == XTR_ROLE_EID) {
		*iid = f->iid;
		return true;
	}
	return false;
}

/* On a device of a VRF that some tenant of ours is in? */
bool xtr_dp_addr_in_vrf(struct xtr_dp *dp, int ifindex)
{
	struct xtr_nl_link l;
	bool asked = false;

	for (unsigned i = 0; i < dp->ov_count; i++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];

		if (!ov->vrf || ov->elsewhere)
			continue;
		if (!asked && xtr_nl_link_get(dp->nl, ifindex, NULL, &l))
			return false;
		asked = true;
		if (ifindex == ov->vrf || l.master == ov->vrf)
			return true;
	}
	return false;
}

/* What the host is called means nothing to a tenant, whose addresses may be the same ones. */
static bool xtr_dp_iid_apart(const struct xtr_dp *dp, uint32_t iid)
{
	const struct xtr_dp_ov *ov = xtr_dp_overlay_of(dp, iid);

	return ov && ov->apart;
}

static int xtr_dp_local_sync(struct xtr_dp *dp, const uint32_t *iids, unsigned n)
{
	struct xtr_dp_local_buf b = { .v4.step = sizeof(struct xtr_lpm4) + sizeof(struct xtr_local),
				      .v6.step =
					      sizeof(struct xtr_lpm6) + sizeof(struct xtr_local) };
	int r;

	for (unsigned i = 0; i < dp->cfg.local_count; i++)
		xtr_dp_local_add(dp, &b, dp->cfg.locals[i].iid, &dp->cfg.locals[i].eid,
				 XTR_LOCAL_F_EID, dp->cfg.locals[i].map_version);
	for (unsigned i = 0; i < dp->cfg.group_count; i++) {
		const struct xtr_dp_group *g = &dp->cfg.groups[i];
		struct xtr_ippfx p = { .ip = g->group, .len = (uint8_t)xtr_ip_bits(&g->group) };

		if (g->receive)
			xtr_dp_local_add(dp, &b, g->iid, &p, XTR_LOCAL_F_GROUP, 0);
	}
	for (unsigned i = 0; i < dp->addr_count; i++) {
		const struct xtr_ip *ip = &dp->addrs[i].pfx.ip;
		uint32_t iid;

		if (xtr_ip_is_linklocal(ip) || xtr_ip_is_loopback(ip))
			continue;
		if (xtr_dp_addr_iid(dp, dp->addrs[i].ifindex, &iid))
			xtr_dp_local_addr(dp, &b, iid, ip);
		else if (!xtr_dp_addr_in_vrf(dp, dp->addrs[i].ifindex))
			for (unsigned j = 0; j < n; j++)
				if (!xtr_dp_iid_apart(dp, iids[j]))
					xtr_dp_local_addr(dp, &b, iids[j], ip);
	}
	r = b.v4.err ? b.v4.err : b.v6.err;
	if (!r)
		r = xtr_dp_sync_changed(dp, XTR_M_LOCAL4, b.v4.at, b.v4.n, sizeof(struct xtr_lpm4),
					sizeof(struct xtr_local));
	if (!r)
		r = xtr_dp_sync_changed(dp, XTR_M_LOCAL6, b.v6.at, b.v6.n, sizeof(struct xtr_lpm6),
					sizeof(struct xtr_local));
	free(b.v4.at);
	free(b.v6.at);
	return r;
}

/* ---- live values */

int xtr_dp_cfg_sync(struct xtr_dp *dp)
{
	struct xtr_cfg c;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(dp->map[XTR_M_CFG], &zero, &c))
		return -errno;
	c.abi_version = XTR_ABI_VERSION;
	c.flags = dp->cfg.flags | (dp->direct ? XTR_CFG_F_DIRECT : 0);
	c.miss_rate = dp->cfg.miss_rate;
	c.miss_burst = dp->cfg.miss_burst;
	c.miss_eid_burst = dp->cfg.miss_eid_burst;
	c.miss_source_rate = dp->cfg.miss_source_rate;
	c.large_rate = dp->cfg.large_rate;
	c.large_burst = dp->cfg.large_burst;
	c.icmp_rate = dp->cfg.icmp_rate;
	c.icmp_burst = dp->cfg.icmp_burst;
	c.control_rate = dp->cfg.control_rate;
	c.control_burst = dp->cfg.control_burst;
	if (!dp->generation) { /* once per start */
		dp->generation = c.generation + 1;
		if (getrandom(&c.hash_seed, sizeof(c.hash_seed), 0) != sizeof(c.hash_seed))
			return -errno;
	}
	c.generation = dp->generation;
	c.mark = dp->cfg.mark;
	c.native_ifindex = 0;
	for (unsigned i = 0; i < dp->if_count && !c.native_ifindex; i++)
		if (dp->ifs[i].role == XTR_ROLE_UNDERLAY)
			c.native_ifindex = (__u32)dp->ifs[i].ifindex;
	c.hz = dp->hz;
	c.jiffies = dp->jiffies;
	c.heartbeat_max = (__u64)XTR_DP_HEARTBEAT_MS * dp->hz / 1000;
	return bpf_map_update_elem(dp->map[XTR_M_CFG], &zero, &c, BPF_ANY) ? -errno : 0;
}

int xtr_dp_locals(struct xtr_dp *dp, struct xtr_err *err)
{
	unsigned n = 0;
	uint32_t *iids = xtr_dp_iids(dp, &n);
	const char *what = XTR_MAP_INST;
	int r;

	if (!iids)
		return xtr_fail(err, -ENOMEM, "out of memory");
	r = xtr_dp_inst_sync(dp, iids, n);
	if (!r) {
		what = XTR_MAP_SELF;
		r = xtr_dp_self_sync(dp);
	}
	if (!r) {
		what = XTR_MAP_LOCAL4 "/6";
		r = xtr_dp_local_sync(dp, iids, n);
	}
	if (!r) {
		what = XTR_MAP_CFG;
		r = xtr_dp_cfg_sync(dp);
	}
	if (!r) {
		what = XTR_MAP_CTLSRC;
		r = xtr_dp_ctlsrc_sync(dp);
	}
	free(iids);
	if (dp->changed)
		xtr_dp_gen_bump(dp, 0, NULL);
	dp->changed = false;
	if (r)
		return xtr_fail(err, r, "map %s: %s%s", what, strerror(-r),
				r == -E2BIG || r == -ENOSPC ? " (too many entries for it)" : "");
	return 0;
}

/* ---- interfaces */

static bool xtr_dp_fell_back(const struct xtr_dp_if *f)
{
	return f->mode == XTR_MODE_TC && f->planned != XTR_MODE_TC;
}

/* XTR_STAT_MODE_FALLBACK is how many there are now, no sum of events. */
static int xtr_dp_slower_set(struct xtr_dp *dp, unsigned slower)
{
	struct xtr_count *all = calloc(dp->cpus, sizeof(*all));
	__u32 i = XTR_STAT_MODE_FALLBACK;
	int r = 0;

	if (!all)
		return -ENOMEM;
	all[0].packets = slower;
	if (bpf_map_update_elem(dp->map[XTR_M_STATS], &i, all, BPF_ANY))
		r = -errno;
	free(all);
	return r;
}

/* Our own address in the network of a port: of the device, else of the overlay device of its instance (where the port is a VLAN without a
 * device, say). A link-local one is better than none: who asked is on the link. */
static void xtr_dp_port_addrs(const struct xtr_dp *dp, const struct xtr_dp_if *f, struct xtr_iface *v)
{
	bool global = false;

	for (unsigned i = 0; i < dp->addr_count && !f->vlan; i++) {
		const struct xtr_ip *ip = &dp->addrs[i].pfx.ip;

		if (dp->addrs[i].ifindex != f->ifindex || dp->addrs[i].tentative)
			continue;
		if (ip->family == 4 && !v->addr4)
			memcpy(&v->addr4, ip->a, 4);
		if (ip->family != 6 || global)
			continue;
		global = !xtr_ip_is_linklocal(ip);
		memcpy(v->addr6, ip->a, 16);
	}
	for (unsigned i = 0; i < dp->cfg.overlay_count; i++)
		for (unsigned j = 0; j < dp->cfg.overlays[i].address_count && dp->cfg.overlays[i].iid == f->iid; j++) {
			const struct xtr_ip *ip = &dp->cfg.overlays[i].addresses[j].ip;

			if (ip->family == 4 && !v->addr4)
				memcpy(&v->addr4, ip->a, 4);
			if (ip->family == 6 && !v->addr6[0] && !v->addr6[1] && !v->addr6[2] && !v->addr6[3])
				memcpy(v->addr6, ip->a, 16);
		}
}

/* Until the programs are attached a port runs in the mode it ran in: what is only planned is not shown as what is. */
static void xtr_dp_iface_runs(struct xtr_dp *dp, const struct xtr_port_key *k, struct xtr_iface *v)
{
	struct xtr_iface old;

	if (bpf_map_lookup_elem(dp->map[XTR_M_IFACES], k, &old) || old.role != v->role)
		return;
	v->mode = old.mode;
	v->why = old.why;
	v->flags = (v->flags & (__u16)~XTR_IF_F_FALLBACK) | (old.flags & (XTR_IF_F_FALLBACK | XTR_IF_F_XDP_GENERIC));
}

/* sweep: all is attached: show it, and remove what has no role any more; else only add, so that no attached program loses
 * its port. */
int xtr_dp_ifaces(struct xtr_dp *dp, bool sweep, struct xtr_err *err)
{
	struct {
		struct xtr_port_key k;
		struct xtr_iface v;
	} *rec = calloc(dp->if_count + 2 * dp->ov_count + 2 + XTR_DP_ABOVES, sizeof(*rec));
	unsigned n = 0, slot = 0, slower = 0;
	int r;

	if (!rec)
		return xtr_fail(err, -ENOMEM, "out of memory");
	xtr_dp_aboves(dp);
	for (unsigned i = 0; i < dp->if_count; i++, slot++) {
		const struct xtr_dp_if *f = &dp->ifs[i];

		if (!f->ifindex)
			continue;
		rec[n].k.ifindex = (__u32)f->ifindex;
		rec[n].k.vlan = f->vlan;
		rec[n].v = (struct xtr_iface){ .role = f->role,
					       .mode = f->mode,
					       .wanted = f->wanted,
					       .why = f->why,
					       .vlan = f->vlan,
					       .iid = f->role == XTR_ROLE_EID ? f->iid : 0,
					       .slot = slot,
					       .mtu = (__u16)(f->mtu > 65535 ? 65535 : f->mtu) };
		rec[n].v.flags =
			(__u16)((f->role == XTR_ROLE_EID ? XTR_IF_F_ROUTER_HOP : 0) |
				(f->soft ? XTR_IF_F_CSUM_PARTIAL : 0) |
				(f->ndo_xmit ? XTR_IF_F_XDP_TX : 0) |
				(f->apart ? XTR_IF_F_PEER : 0) |
				(f->master ? XTR_IF_F_PART : 0) |
				(f->mode == XTR_MODE_XDP_GENERIC ? XTR_IF_F_XDP_GENERIC : 0) |
				(xtr_dp_fell_back(f) ? XTR_IF_F_FALLBACK : 0));
		slower += xtr_dp_fell_back(f);
		if (f->role == XTR_ROLE_EID)
			xtr_dp_port_addrs(dp, f, &rec[n].v);
		if (!sweep)
			xtr_dp_iface_runs(dp, &rec[n].k, &rec[n].v);
		memcpy(rec[n++].v.mac, f->mac, 6);
	}
	for (unsigned i = 0; i < dp->ov_count; i++, slot++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];

		if (ov->ifindex) { /* one elsewhere would stand for whatever has its number here */
			rec[n].k.ifindex = (__u32)ov->ifindex;
			rec[n].v = (struct xtr_iface){ .role = XTR_ROLE_OVERLAY,
						       .mode = XTR_MODE_TC,
						       .flags = XTR_IF_F_CSUM_PARTIAL,
						       .iid = ov->iid,
						       .slot = slot,
						       .peer = (__u32)ov->peer,
						       .mtu = (__u16)ov->mtu };
			memcpy(rec[n++].v.mac, ov->mac, 6);
		}
		if (!ov->peer)
			continue;
		rec[n].k.ifindex = (__u32)ov->peer;
		rec[n].v = (struct xtr_iface){ .role = XTR_ROLE_PEER,
					       .mode = XTR_MODE_TC,
					       .flags = XTR_IF_F_CSUM_PARTIAL,
					       .iid = ov->iid,
					       .slot = slot,
					       .peer = (__u32)ov->ifindex,
					       .mtu = 65535 };
		memcpy(rec[n++].v.mac, ov->peer_mac, 6);
	}
	if (dp->gpe) {
		rec[n].k.ifindex = (__u32)dp->gpe;
		rec[n++].v = (struct xtr_iface){ .role = XTR_ROLE_HELPER, .mode = XTR_MODE_TC };
	}
	for (unsigned i = 0; i < dp->above_count; i++) {
		rec[n].k.ifindex = (__u32)dp->above[i].ifindex;
		rec[n++].v = (struct xtr_iface){ .role = XTR_ROLE_HELPER, .mode = XTR_MODE_NONE, .iid = dp->above[i].iid };
	}
	r = xtr_dp_map_sync(dp->map[XTR_M_IFACES], rec, n, sizeof(rec->k), sizeof(rec->v), !sweep);
	xtr_dp_gen_bump_one(dp, XTR_GEN_PORTS);
	free(rec);
	xtr_dp_fanout_ports(dp);
	if (!r && sweep)
		r = xtr_dp_slower_set(dp, slower);
	return r ? xtr_fail(err, r, "map %s: %s", XTR_MAP_IFACES, strerror(-r)) : 0;
}

/* ---- RLOCs that are up: configured, on this host, on a link that is up */

void xtr_dp_rlocs_report(struct xtr_dp *dp, bool always)
{
	struct xtr_ip *up = calloc(dp->cfg.rloc_count + 1, sizeof(*up));
	struct xtr_nl_link l;
	unsigned n = 0;
	uint64_t mask;

	if (!up)
		return;
	for (unsigned i = 0; i < dp->cfg.rloc_count; i++)
		for (unsigned j = 0; j < dp->addr_count; j++)
			if (!memcmp(&dp->addrs[j].pfx.ip, &dp->cfg.rlocs[i],
				    sizeof(struct xtr_ip)) &&
			    !dp->addrs[j].tentative &&
			    !xtr_nl_link_get(dp->nl, dp->addrs[j].ifindex, NULL, &l) &&
			    (l.flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING)) {
				up[n++] = dp->cfg.rlocs[i];
				break;
			}
	mask = xtr_hash(up, n * sizeof(*up));
	if ((always || mask != dp->up_mask_hash) && dp->cb.rlocs_up)
		dp->cb.rlocs_up(dp->cb.ctx, up, n);
	dp->up_mask_hash = mask;
	free(up);
}
