// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Replication lists that XDP can work by itself (bpf/fan.h): which ones, and the records for them. A list qualifies while an EID port
 * of its instance runs native XDP, every member has a resolved template out of an underlay port that XDP may send to, and nobody on
 * this host wants the packets as well: XDP makes copies but cannot also pass the packet on. Else TC replicates, with the same result.
 *
 * A record is never changed: a new one is written under another number, then the list is led to it, and the old number rests until
 * no packet can be on its way by it. Before a list is led to a port, frames to that port go by xtr_fanout, on every CPU (fan.h says
 * why): so a grace period lies between. Device maps are made here, for lists of the same numbers of copies by the same ports one;
 * xtr_fandev holds them.
 */
#include "dp/internal.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XTR_DP_FAN_USED UINT64_MAX

/* Value of a device map (struct bpf_devmap_val). */
struct xtr_dp_devmap { __u32 ifindex; int prog; };

/* ---- who on this host wants what comes in at a port: filters of the devices (what is above a port, a VLAN or macvlan, is in
 * that of the port), and ports of a multicast router */

static char *xtr_dp_wants_read(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = 0, room = 0, got;
	char *text = NULL, *p;

	while (f) {
		if (room - n < 4096) {
			p = realloc(text, room += 16384);
			if (!p)
				break;
			text = p;
		}
		got = fread(text + n, 1, room - n - 1, f);
		n += got;
		text[n] = '\0';
		if (!got) {
			fclose(f);
			return text;
		}
	}
	if (f)
		fclose(f);
	free(text);
	return NULL;
}

static const char *const xtr_dp_wants_files[XTR_DP_WANTS] = {
	"/proc/self/net/dev_mcast", "/proc/self/net/ip_mr_vif", "/proc/self/net/ip6_mr_vif",
};

/* True: something is not as it was. A kernel without multicast routing has no such file. */
static bool xtr_dp_wants_look(struct xtr_dp *dp)
{
	bool changed = false;

	for (unsigned i = 0; i < XTR_DP_WANTS; i++) {
		char *text = xtr_dp_wants_read(xtr_dp_wants_files[i]);

		changed |= !text != !dp->wants[i] || (text && strcmp(text, dp->wants[i]));
		free(dp->wants[i]);
		dp->wants[i] = text;
	}
	return changed;
}

/* "2    eth0            1     0     01005e000001" */
static bool xtr_dp_wants_group(const struct xtr_dp *dp, int ifindex, const struct xtr_ip *g)
{
	char mac[13], name[64], hex[64];
	const char *line = dp->wants[0];
	int index, uses, global;

	if (!line)
		return true;
	if (g->family == 4)
		snprintf(mac, sizeof(mac), "01005e%02x%02x%02x", g->a[1] & 0x7f, g->a[2], g->a[3]);
	else
		snprintf(mac, sizeof(mac), "3333%02x%02x%02x%02x", g->a[12], g->a[13], g->a[14], g->a[15]);
	for (; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (sscanf(line, "%d %63s %d %d %63s", &index, name, &uses, &global, hex) == 5 && index == ifindex &&
		    !strcmp(hex, mac))
			return true;
	return false;
}

/* " 0 eth0   123 ...": any port of a multicast router that is none of our underlay ports or overlay devices may be above this one. */
static bool xtr_dp_wants_routed(const struct xtr_dp *dp, uint8_t family)
{
	const char *line = dp->wants[family == 4 ? 1 : 2];
	char name[64];
	int vif;

	for (line = line ? strchr(line, '\n') : NULL; line && *++line; line = strchr(line, '\n')) {
		bool ours = false;

		if (sscanf(line, "%d %63s", &vif, name) != 2)
			continue;
		for (unsigned i = 0; i < dp->if_count; i++)
			ours |= dp->ifs[i].role == XTR_ROLE_UNDERLAY && !strcmp(dp->ifs[i].name, name);
		for (unsigned i = 0; i < dp->ov_count; i++)
			ours |= !strcmp(dp->ovs[i].name, name);
		if (!ours && strncmp(name, "pimreg", 6))
			return true;
	}
	return false;
}

/* ---- device maps */

static bool xtr_dp_shape_is(const struct xtr_dp_shape *s, const struct xtr_fan *v)
{
	for (unsigned i = 0; i < XTR_FAN_PORTS; i++)
		if (s->port[i].ifindex != v->port[i].ifindex || s->port[i].n != v->port[i].n)
			return false;
	return true;
}

static int xtr_dp_shape_make(struct xtr_dp *dp, __u32 id, const struct xtr_fan *v)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "xtr_fandev", sizeof(__u32), sizeof(struct xtr_dp_devmap), v->n, NULL);
	int r = fd < 0 ? -errno : 0;

	for (unsigned i = 0; i < XTR_FAN_PORTS && !r; i++)
		for (__u32 k = v->port[i].from; k < v->port[i].from + v->port[i].n && !r; k++) {
			struct xtr_dp_devmap e = { v->port[i].ifindex, dp->prog[XTR_P_XDP_COPY] };

			if (bpf_map_update_elem(fd, &k, &e, BPF_ANY))
				r = -errno;
		}
	if (!r && bpf_map_update_elem(dp->map[XTR_M_FANDEV], &id, &fd, BPF_ANY))
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (!r)
		memcpy(dp->shapes[id].port, v->port, sizeof(v->port));
	return r;
}

/* Index of the device map for this record; below 0: -errno. Those that nobody uses stay until their place is wanted. */
static int xtr_dp_shape_get(struct xtr_dp *dp, const struct xtr_fan *v)
{
	int id = -ENOSPC, r;

	for (int i = 0; i < XTR_FAN_SHAPES; i++) {
		struct xtr_dp_shape *s = &dp->shapes[i];

		if (s->port[0].n && xtr_dp_shape_is(s, v)) {
			s->refs++;
			return i;
		}
		if (!s->refs && (id < 0 || (dp->shapes[id].port[0].n && !s->port[0].n)))
			id = i;
	}
	if (id < 0)
		return id;
	memset(&dp->shapes[id], 0, sizeof(dp->shapes[id]));
	r = xtr_dp_shape_make(dp, (__u32)id, v);
	if (r)
		return r;
	dp->shapes[id].refs = 1;
	return id;
}

/* Of a port that has gone its entries have gone too: its number may be another device's some day. */
static void xtr_dp_shapes_forget(struct xtr_dp *dp)
{
	for (unsigned i = 0; i < XTR_FAN_SHAPES; i++)
		for (unsigned k = 0; k < XTR_FAN_PORTS; k++)
			if (dp->shapes[i].port[k].n && !xtr_dp_if_by_index(dp, (int)dp->shapes[i].port[k].ifindex))
				dp->shapes[i].port[k].ifindex = 0; /* fits no record any more */
}

/* ---- records */

struct xtr_dp_fan_part { uint32_t ifindex; unsigned at; };

static int xtr_dp_fan_by_port(const void *a_, const void *b_)
{
	const struct xtr_dp_fan_part *a = a_, *b = b_;

	return a->ifindex != b->ifindex ? (a->ifindex < b->ifindex ? -1 : 1) : a->at < b->at ? -1 : 1;
}

/* Copies of one port together, in the order of the list. False: by too many ports. */
static bool xtr_dp_fan_fill(struct xtr_dp *dp, const struct xtr_dp_list *l, struct xtr_fan *v)
{
	struct xtr_dp_fan_part part[XTR_REPL_MAX];
	int port = -1;

	for (unsigned i = 0; i < l->n; i++)
		part[i] = (struct xtr_dp_fan_part){ l->rl[i]->t.ifindex, i };
	qsort(part, l->n, sizeof(part[0]), xtr_dp_fan_by_port);
	v->mtu = UINT32_MAX;
	for (unsigned i = 0; i < l->n; i++) {
		const struct xtr_rloc *t = &l->rl[part[i].at]->t;
		const struct xtr_dp_if *f = xtr_dp_if_by_index(dp, (int)t->ifindex);
		__u32 over = t->family == XTR_FAMILY_IP4 ? 36 : 56, path = t->mtu ? t->mtu : f->mtu;

		if (port < 0 || v->port[port].ifindex != t->ifindex) {
			if (++port == XTR_FAN_PORTS)
				return false;
			v->port[port] = (struct xtr_fan_port){ .ifindex = t->ifindex, .slot = (__u16)(f - dp->ifs), .from = (__u8)i };
		}
		v->port[port].n++;
		v->to[i] = *t;
		v->to[i].heartbeat = v->to[i].generation = 0;
		if (over > v->room)
			v->room = over;
		path = path > over ? path - over : 0;
		if (path < v->mtu)
			v->mtu = path;
	}
	v->n = l->n;
	return true;
}

/* Why XDP cannot make the copies; NULL: it can, *v is the record without its shape. */
static const char *xtr_dp_fan_build(struct xtr_dp *dp, const struct xtr_dp_list *l, struct xtr_fan *v)
{
	bool native = false;

	memset(v, 0, sizeof(*v));
	for (unsigned i = 0; i < dp->if_count; i++) {
		const struct xtr_dp_if *f = &dp->ifs[i];

		if (f->role != XTR_ROLE_EID || f->iid != l->key.iid || f->mode != XTR_MODE_XDP || !f->ifindex)
			continue;
		native = true;
		if (f->master)
			return "a port is part of a bridge, bond or VRF";
		if (xtr_dp_wants_group(dp, f->ifindex, &l->key.group.ip))
			return "somebody on this host has joined the group on a port";
	}
	if (!native)
		return "no EID port of the instance runs native XDP";
	if (xtr_dp_wants_routed(dp, l->key.group.ip.family))
		return "this host is a multicast router between its ports";
	if (!l->n || l->n > XTR_REPL_MAX)
		return "the list is empty or too long";
	for (unsigned i = 0; i < l->n; i++) {
		const struct xtr_rloc *t = &l->rl[i]->t;
		const struct xtr_dp_if *f = xtr_dp_if_by_index(dp, (int)t->ifindex);

		if (!(t->flags & XTR_RLOC_F_UP) || xtr_dp_own_rloc(dp, &l->rl[i]->dst))
			return "a member has no route";
		if (!f || f->role != XTR_ROLE_UNDERLAY || f->type != ARPHRD_ETHER || !(t->flags & XTR_RLOC_F_XDP_TX))
			return "a member is behind a port that XDP cannot send to";
		if (!(t->flags & XTR_RLOC_F_L2))
			return "the next hop of a member is not resolved";
	}
	return xtr_dp_fan_fill(dp, l, v) ? NULL : "the members are behind too many ports";
}

/* ---- numbers */

static __u32 xtr_dp_fan_take(struct xtr_dp *dp)
{
	for (__u32 i = 0; i < XTR_FANS; i++)
		if (dp->fan_rest[i] <= dp->now) {
			dp->fan_rest[i] = XTR_DP_FAN_USED;
			return i + 1;
		}
	return 0;
}

static void xtr_dp_fan_rest(struct xtr_dp *dp, __u32 fan, __u32 shape)
{
	dp->fan_rest[fan - 1] = dp->now + XTR_DP_GRACE_MS;
	dp->shapes[shape].refs--;
}

void xtr_dp_fan_drop(struct xtr_dp *dp, struct xtr_dp_list *l)
{
	if (!l->fan)
		return;
	bpf_map_delete_elem(dp->map[XTR_M_FANOF], &l->id);
	xtr_dp_fan_rest(dp, l->fan, l->shape);
	l->fan = 0;
	l->fan_hash = 0;
	if (!--dp->fans)
		dp->fan_stale = true; /* and what they needed may end */
}

static int xtr_dp_fan_lead(struct xtr_dp *dp, struct xtr_dp_list *l, __u32 fan)
{
	struct xtr_fanof of = { .heartbeat = xtr_dp_jiffies(dp), .fan = fan - 1 };

	return bpf_map_update_elem(dp->map[XTR_M_FANOF], &l->id, &of, BPF_ANY) ? -errno : 0;
}

/* The entry by which XDP sends to this port; copies: with our program. Returns 1: it was not like that, or -errno. */
static int xtr_dp_fanout_set(struct xtr_dp *dp, __u32 ifindex, bool copies)
{
	struct xtr_dp_devmap e = { ifindex, copies ? dp->prog[XTR_P_XDP_COPY] : 0 }, old;

	if (!bpf_map_lookup_elem(dp->map[XTR_M_FANOUT], &ifindex, &old) && !old.prog == !copies)
		return 0;
	return bpf_map_update_elem(dp->map[XTR_M_FANOUT], &ifindex, &e, BPF_ANY) ? -errno : 1;
}

/* An entry for each port that XDP may send to: quicker than to look the device up by its number. Where it fails they do that. */
void xtr_dp_fanout_ports(struct xtr_dp *dp)
{
	__u32 key, *at = NULL, gone[XTR_MAX_PORTS];
	struct xtr_dp_devmap old;
	unsigned n = 0;

	/* while there are lists, none goes: a frame without an entry would take the program from the copies behind it (bpf/fan.h) */
	while (!dp->fan_on && n < XTR_MAX_PORTS && !bpf_map_get_next_key(dp->map[XTR_M_FANOUT], at, &key)) {
		struct xtr_dp_if *f = xtr_dp_if_by_index(dp, (int)key);

		at = &key;
		if (!f || !f->ndo_xmit)
			gone[n++] = key;
	}
	while (n--)
		bpf_map_delete_elem(dp->map[XTR_M_FANOUT], &gone[n]);
	for (unsigned i = 0; i < dp->if_count; i++) {
		key = (__u32)dp->ifs[i].ifindex;
		if (dp->ifs[i].ndo_xmit && key && bpf_map_lookup_elem(dp->map[XTR_M_FANOUT], &key, &old))
			xtr_dp_fanout_set(dp, key, dp->fan_on);
	}
}

/* Every frame of XDP to these ports goes by an entry with our program, from the next driver's round on. */
static int xtr_dp_fan_out(struct xtr_dp *dp, const struct xtr_fan *v)
{
	bool grace = false;
	int r = 0;

	for (unsigned i = 0; i < XTR_FAN_PORTS && v->port[i].n && r >= 0; i++) {
		r = xtr_dp_fanout_set(dp, v->port[i].ifindex, true);
		grace |= r > 0;
	}
	dp->fan_on = true;
	if (grace) /* also for the next list, which finds these entries as they have to be */
		xtr_dp_programs_end();
	return r < 0 ? r : 0;
}

static int xtr_dp_fan_write(struct xtr_dp *dp, struct xtr_dp_list *l, struct xtr_fan *v, uint64_t hash)
{
	int shape = xtr_dp_shape_get(dp, v), r = shape < 0 ? shape : 0;
	__u32 fan = r ? 0 : xtr_dp_fan_take(dp), at = fan - 1;

	if (!r && !fan)
		r = -ENOSPC;
	if (!r) {
		v->shape = (__u32)shape;
		r = xtr_dp_fan_out(dp, v);
	}
	if (!r && bpf_map_update_elem(dp->map[XTR_M_FAN], &at, v, BPF_ANY))
		r = -errno;
	if (!r)
		r = xtr_dp_fan_lead(dp, l, fan);
	if (r) {
		if (fan)
			dp->fan_rest[at] = 0;
		if (shape >= 0)
			dp->shapes[shape].refs--;
		return r;
	}
	if (l->fan)
		xtr_dp_fan_rest(dp, l->fan, l->shape);
	else
		dp->fans++;
	l->fan = fan;
	l->shape = (__u32)shape;
	l->fan_hash = hash;
	return 0;
}

static void xtr_dp_fan_tell(struct xtr_dp_list *l, const char *why)
{
	char g[XTR_IP_STRLEN];

	if (l->fan_told && !strcmp(l->fan_told, why))
		return;
	l->fan_told = why;
	xtr_info("group %s of instance %u: %u copies of each packet, made by %s%s%s", xtr_ip_str(&l->key.group.ip, g), l->key.iid, l->n,
		 *why ? "TC" : "XDP", *why ? ": " : "", why);
}

void xtr_dp_fan_list(struct xtr_dp *dp, struct xtr_dp_list *l)
{
	struct xtr_fan v;
	const char *why;
	uint64_t hash;

	if (l->key.iid == XTR_IID_MAX || dp->map[XTR_M_FAN] <= 0)
		return; /* control messages come from the daemon, and go by TC */
	if (!dp->wants[0])
		xtr_dp_wants_look(dp);
	why = xtr_dp_fan_build(dp, l, &v);
	hash = xtr_hash(&v, sizeof(v)) | 1;
	if (!why && l->fan && l->fan_hash == hash)
		return;
	if (!why && xtr_dp_fan_write(dp, l, &v, hash))
		why = "the kernel takes no such device map, or there are too many lists";
	if (why)
		xtr_dp_fan_drop(dp, l);
	xtr_dp_fan_tell(l, why ? why : "");
}

/* After whatever changed: templates, ports, memberships. */
void xtr_dp_fans(struct xtr_dp *dp)
{
	struct xtr_dp_list *l, *next;

	if (!dp->fan_stale)
		return;
	dp->fan_stale = false;
	xtr_dp_shapes_forget(dp);
	HASH_ITER(hh, dp->lists, l, next)
		xtr_dp_fan_list(dp, l);
	if (dp->fan_on && !dp->fans) { /* nothing is on its way to a list any more */
		xtr_dp_programs_end();
		dp->fan_on = false;
		for (unsigned i = 0; i < dp->if_count; i++)
			if (dp->ifs[i].ndo_xmit && dp->ifs[i].ifindex)
				xtr_dp_fanout_set(dp, (__u32)dp->ifs[i].ifindex, false);
		xtr_dp_fanout_ports(dp);
	}
}

/* Once a second. */
void xtr_dp_fan_beat(struct xtr_dp *dp)
{
	struct xtr_dp_list *l, *next;
	bool any = false;

	HASH_ITER(hh, dp->lists, l, next)
		any |= l->key.iid != XTR_IID_MAX;
	if (!any)
		return;
	dp->fan_stale |= xtr_dp_wants_look(dp);
	HASH_ITER(hh, dp->lists, l, next)
		if (l->fan)
			xtr_dp_fan_lead(dp, l, l->fan);
}

void xtr_dp_fan_free(struct xtr_dp *dp)
{
	for (unsigned i = 0; i < XTR_DP_WANTS; i++)
		free(dp->wants[i]);
}
