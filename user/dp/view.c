// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The data plane as its pins show it, with or without a daemon: for xtrctl. Maps are opened for
 * reading only where the kernel allows, nothing is written, no lock is taken: rows are what the map
 * held when it was read. The view owns its file descriptors.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct xtr_dp_view {
	char dir[PATH_MAX];
	int map[XTR_M_MAX];
	unsigned cpus;
	uint64_t jiffies;
	struct xtr_cfg cfg;
};

struct xtr_dp_view_find {
	const char *root;
	char *out;
	bool other;
};

static int xtr_dp_view_folder(void *arg, const char *name)
{
	struct xtr_dp_view_find *f = arg;
	unsigned abi, cache, rloc;

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	if (abi != XTR_ABI_VERSION) {
		f->other = true;
		return 0;
	}
	snprintf(f->out, PATH_MAX, "%s/%s", f->root, name);
	return 1;
}

static int xtr_dp_view_map(const char *dir, const char *name)
{
	LIBBPF_OPTS(bpf_obj_get_opts, ro, .file_flags = BPF_F_RDONLY);
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -1;
	fd = bpf_obj_get_opts(path, &ro);
	return fd >= 0 ? fd : bpf_obj_get(path);
}

/* jiffies of now: the clock program is pinned too; without the right to run it, those of the
 * daemon's last second. */
static void xtr_dp_view_clock(struct xtr_dp_view *v)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame));
	char path[PATH_MAX];
	__u32 zero = 0;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", v->dir, XTR_PROG_CLOCK) < (int)sizeof(path) &&
	    (fd = bpf_obj_get(path)) >= 0) {
		bpf_prog_test_run_opts(fd, &run);
		close(fd);
	}
	bpf_map_lookup_elem(v->map[XTR_M_CFG], &zero, &v->cfg);
	v->jiffies = v->cfg.jiffies;
	if (!v->cfg.hz)
		v->cfg.hz = xtr_dp_hz();
}

int xtr_dp_view_open(const char *bpffs, struct xtr_dp_view **out, struct xtr_err *err)
{
	struct xtr_dp_view *v = calloc(1, sizeof(*v));
	struct xtr_dp_view_find f = { .out = NULL };
	char root[192];
	int r;

	if (!v)
		return xtr_fail(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		v->map[i] = -1;
	snprintf(root, sizeof(root), "%.150s/xtr", bpffs);
	f.root = root;
	f.out = v->dir;
	r = xtr_dp_each_name(root, xtr_dp_view_folder, &f);
	if (r <= 0) {
		free(v);
		if (r == -EACCES || r == -EPERM)
			return xtr_fail(err, r, "%s: %s (run as root)", root, strerror(-r));
		return xtr_fail(
			err, -ENOENT,
			f.other ? "%s: the data plane there is of another version than this xtrctl"
				: "%s: no data plane of xtr is attached here (is xtrd started? another bpffs folder?)",
			root);
	}
	v->cpus = (unsigned)libbpf_num_possible_cpus();
	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		if (i == XTR_M_EVENTS || xtr_dp_private(i))
			continue;
		v->map[i] = xtr_dp_view_map(v->dir, xtr_dp_map_names[i]);
		if (v->map[i] < 0) {
			r = -errno;
			xtr_fail(err, r, "%s/%s: %s", v->dir, xtr_dp_map_names[i], strerror(-r));
			xtr_dp_view_close(v);
			return r;
		}
	}
	xtr_dp_view_clock(v);
	*out = v;
	return 0;
}

void xtr_dp_view_close(struct xtr_dp_view *v)
{
	if (!v)
		return;
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		if (v->map[i] >= 0)
			close(v->map[i]);
	free(v);
}

const char *xtr_dp_view_path(const struct xtr_dp_view *v) { return v->dir; }

static int xtr_dp_view_count(struct xtr_dp_view *v, int fd, __u32 i, struct xtr_count *out)
{
	struct xtr_count *all = calloc(v->cpus, sizeof(*all));

	memset(out, 0, sizeof(*out));
	if (!all)
		return -ENOMEM;
	if (!bpf_map_lookup_elem(fd, &i, all))
		for (unsigned c = 0; c < v->cpus; c++) {
			out->packets += all[c].packets;
			out->octets += all[c].octets;
		}
	free(all);
	return 0;
}

/* ---- map-cache. Keys are taken first: walking a trie that changes under it starts again and
 * again. */

struct xtr_dp_view_keys {
	uint8_t *at;
	unsigned n, room;
	size_t size;
};

static int xtr_dp_view_key(void *arg, const void *key)
{
	struct xtr_dp_view_keys *k = arg;

	if (k->n == k->room) {
		unsigned room = k->room ? k->room * 2 : 1024;
		void *p = realloc(k->at, room * k->size);

		if (!p)
			return -ENOMEM;
		k->at = p;
		k->room = room;
	}
	memcpy(k->at + k->n++ * k->size, key, k->size);
	return 0;
}

static int xtr_dp_view_keys_read(int fd, size_t size, struct xtr_dp_view_keys *k)
{
	int r;

	*k = (struct xtr_dp_view_keys){ .size = size };
	r = xtr_dp_each_key(fd, size, xtr_dp_view_key, k);
	if (r) {
		free(k->at);
		k->at = NULL;
	}
	return r;
}

static void xtr_dp_view_set(struct xtr_dp_view *v, struct xtr_dp_cache_row *row)
{
	struct xtr_rset s;

	if (row->e.action != XTR_ACT_ENCAP ||
	    bpf_map_lookup_elem(v->map[XTR_M_RSET], &row->e.rset, &s))
		return;
	row->n = s.n <= XTR_MAX_LOCATORS ? s.n : XTR_MAX_LOCATORS;
	memset(row->share, 0, sizeof(row->share)); /* a row of xtr_dp_view_entry has been here already */
	for (unsigned b = 0; b < XTR_BUCKETS; b++)
		if (s.bucket[b] < row->n)
			row->share[s.bucket[b]]++;
	for (unsigned i = 0; i < row->n; i++)
		if (!bpf_map_lookup_elem(v->map[XTR_M_RLOC], &s.rloc[i], &row->rloc[i]))
			xtr_dp_view_count(v, v->map[XTR_M_RLSTAT], row->rloc[i].stat,
					  &row->count[i]);
}

/* Key and value of each entry, 64 octets: a million of them is no burden. */
struct xtr_dp_view_entry {
	uint32_t iid;
	struct xtr_ippfx eid;
	struct xtr_eid e;
};
struct xtr_dp_view_list {
	struct xtr_dp_view_entry *at;
	size_t n, room;
	bool four;
	bool (*want)(void *, uint32_t iid, const struct xtr_ippfx *eid);
	void *arg;
};

static int xtr_dp_view_entry_keep(void *arg, const void *key, const void *value)
{
	struct xtr_dp_view_list *l = arg;
	struct xtr_dp_view_entry *one;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 1024;
		void *p = realloc(l->at, room * sizeof(*l->at));

		if (!p)
			return -ENOMEM;
		l->at = p;
		l->room = room;
	}
	one = &l->at[l->n];
	if (l->four)
		xtr_dp_unkey4(key, &one->iid, &one->eid);
	else
		xtr_dp_unkey6(key, &one->iid, &one->eid);
	memcpy(&one->e, value, sizeof(one->e));
	l->n += !l->want || l->want(l->arg, one->iid, &one->eid);
	return 0;
}

/* By instance, family, address, shorter before longer. */
static int xtr_dp_view_entry_cmp(const void *a, const void *b)
{
	const struct xtr_dp_view_entry *x = a, *y = b;
	int d;

	if (x->iid != y->iid)
		return x->iid < y->iid ? -1 : 1;
	d = xtr_ip_cmp(&x->eid.ip, &y->eid.ip);
	return d ? d : (int)x->eid.len - (int)y->eid.len;
}

int xtr_dp_view_list(struct xtr_dp_view *v, bool (*want)(void *, uint32_t iid, const struct xtr_ippfx *eid),
		     void *arg, struct xtr_dp_view_list **out)
{
	struct xtr_dp_view_list *l = calloc(1, sizeof(*l));
	size_t kept = 0;
	int r;

	if (!l)
		return -ENOMEM;
	*l = (struct xtr_dp_view_list){ .four = true, .want = want, .arg = arg };
	r = xtr_dp_each_elem(v->map[XTR_M_EID4], sizeof(struct xtr_lpm4), sizeof(struct xtr_eid),
			     xtr_dp_view_entry_keep, l);
	l->four = false;
	if (!r)
		r = xtr_dp_each_elem(v->map[XTR_M_EID6], sizeof(struct xtr_lpm6), sizeof(struct xtr_eid),
				     xtr_dp_view_entry_keep, l);
	if (r) {
		xtr_dp_view_list_free(l);
		return r;
	}
	if (l->n)
		qsort(l->at, l->n, sizeof(*l->at), xtr_dp_view_entry_cmp);
	for (size_t i = 0; i < l->n; i++) /* one may be read twice when something was deleted meanwhile */
		if (!i || xtr_dp_view_entry_cmp(&l->at[kept - 1], &l->at[i]))
			l->at[kept++] = l->at[i];
	l->n = kept;
	*out = l;
	return 0;
}

void xtr_dp_view_list_free(struct xtr_dp_view_list *l)
{
	if (l)
		free(l->at);
	free(l);
}

bool xtr_dp_view_list_at(const struct xtr_dp_view_list *l, size_t i, uint32_t *iid, struct xtr_ippfx *eid)
{
	if (i >= l->n)
		return false;
	*iid = l->at[i].iid;
	*eid = l->at[i].eid;
	return true;
}

void xtr_dp_view_list_row(struct xtr_dp_view *v, const struct xtr_dp_view_list *l, size_t i,
			  struct xtr_dp_cache_row *row)
{
	const struct xtr_dp_view_entry *one = &l->at[i];

	memset(row, 0, sizeof(*row));
	row->iid = one->iid;
	row->eid = one->eid;
	row->e = one->e;
	row->idle_ms = !row->e.used		  ? UINT64_MAX :
		       v->jiffies > row->e.used ? (v->jiffies - row->e.used) * 1000 / v->cfg.hz :
						  0;
}

void xtr_dp_view_list_set(struct xtr_dp_view *v, struct xtr_dp_cache_row *row)
{
	xtr_dp_view_set(v, row);
}

static int xtr_dp_view_local_family(int fd, bool four,
				    int (*fn)(void *, const struct xtr_dp_local_row *), void *arg)
{
	struct xtr_dp_view_keys k;
	int r = xtr_dp_view_keys_read(fd, four ? sizeof(struct xtr_lpm4) : sizeof(struct xtr_lpm6),
				      &k);

	for (unsigned i = 0; !r && i < k.n; i++) {
		const void *key = k.at + i * k.size;
		struct xtr_dp_local_row row;

		memset(&row, 0, sizeof(row));
		if (bpf_map_lookup_elem(fd, key, &row.l))
			continue;
		if (four)
			xtr_dp_unkey4(key, &row.iid, &row.eid);
		else
			xtr_dp_unkey6(key, &row.iid, &row.eid);
		r = fn(arg, &row);
	}
	free(k.at);
	return r;
}

int xtr_dp_view_local(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_local_row *),
		      void *arg)
{
	int r = xtr_dp_view_local_family(v->map[XTR_M_LOCAL4], true, fn, arg);

	return r ? r : xtr_dp_view_local_family(v->map[XTR_M_LOCAL6], false, fn, arg);
}

int xtr_dp_view_rloc(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_rloc_row *),
		     void *arg)
{
	struct xtr_dp_view_keys k;
	int r = xtr_dp_view_keys_read(v->map[XTR_M_RLOC], sizeof(__u32), &k);

	for (unsigned i = 0; !r && i < k.n; i++) {
		struct xtr_dp_rloc_row row;

		memset(&row, 0, sizeof(row));
		memcpy(&row.id, k.at + i * k.size, sizeof(row.id));
		if (bpf_map_lookup_elem(v->map[XTR_M_RLOC], &row.id, &row.r))
			continue;
		xtr_dp_view_count(v, v->map[XTR_M_RLSTAT], row.r.stat, &row.count);
		row.fresh =
			row.r.flags & XTR_RLOC_F_L2 &&
			(int64_t)(v->jiffies - row.r.heartbeat) <= (int64_t)v->cfg.heartbeat_max;
		r = fn(arg, &row);
	}
	free(k.at);
	return r;
}

/* ---- interfaces */

struct xtr_dp_view_links {
	struct xtr_dp_view *v;
	struct xtr_dp_iface_row *row;
};

static int xtr_dp_view_link(void *arg, const char *name)
{
	struct xtr_dp_view_links *l = arg;
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	char prog[16], path[PATH_MAX];
	int ifindex, fd;

	if (xtr_dp_link_parse(name, prog, &ifindex) || (__u32)ifindex != l->row->ifindex ||
	    snprintf(path, sizeof(path), "%s/%s", l->v->dir, name) >= (int)sizeof(path))
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	/* 0: its device has gone */
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.xdp.ifindex == l->row->ifindex) {
		if (info.type == BPF_LINK_TYPE_XDP) {
			l->row->xdp = true;
		} else {
			l->row->tc = true;
			l->row->tc_kind = "tcx";
		}
	}
	close(fd);
	return 0;
}

/* Overlay devices in other namespaces have no row in xtr_ifaces: their numbers mean something else here. */
static int xtr_dp_view_elsewhere(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_iface_row *), void *arg)
{
	struct xtr_dp_place places[XTR_DP_NAMESPACES];
	unsigned n = xtr_dp_places_read(v->dir, places);
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++) {
		struct xtr_port_key key = { .ifindex = places[i].peer };
		struct xtr_dp_iface_row row = { .ifindex = places[i].ifindex, .tc_kind = "none" };
		struct xtr_iface peer;
		struct xtr_inst inst;

		if (bpf_map_lookup_elem(v->map[XTR_M_IFACES], &key, &peer) || peer.role != XTR_ROLE_PEER ||
		    bpf_map_lookup_elem(v->map[XTR_M_INST], &peer.iid, &inst) || inst.peer != places[i].peer)
			continue;
		row.i = (struct xtr_iface){ .role = XTR_ROLE_OVERLAY,
					    .mode = XTR_MODE_NONE,
					    .iid = peer.iid,
					    .slot = peer.slot,
					    .peer = places[i].peer };
		memcpy(row.i.mac, inst.mac, 6);
		memcpy(row.name, places[i].device, sizeof(row.name));
		memcpy(row.netns, places[i].where, sizeof(row.netns));
		r = fn(arg, &row);
	}
	return r;
}

int xtr_dp_view_iface(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_iface_row *),
		      void *arg)
{
	struct xtr_dp_view_keys k;
	struct xtr_dp_made *made = calloc(1, sizeof(*made));
	int fd = xtr_dp_view_map(v->dir, XTR_DP_MAP_MADE),
	    r = xtr_dp_view_keys_read(v->map[XTR_M_IFACES], sizeof(struct xtr_port_key), &k);
	struct bpf_map_info info;
	__u32 zero = 0;

	if (!made && !r)
		r = -ENOMEM;
	if (made && (fd < 0 || xtr_dp_map_info(fd, &info) || info.value_size != sizeof(*made) ||
		     bpf_map_lookup_elem(fd, &zero, made)))
		made->count = 0;
	for (unsigned i = 0; !r && i < k.n; i++) {
		struct xtr_dp_iface_row row = { .tc_kind = "none" };
		struct xtr_dp_view_links l = { v, &row };
		struct xtr_dp_made_dev *d;
		struct xtr_port_key key;

		memcpy(&key, k.at + i * k.size, sizeof(key));
		row.ifindex = key.ifindex;
		if (bpf_map_lookup_elem(v->map[XTR_M_IFACES], &key, &row.i))
			continue;
		if (!if_indextoname(row.ifindex, row.name))
			snprintf(row.name, sizeof(row.name), "?");
		xtr_dp_each_name(v->dir, xtr_dp_view_link, &l);
		d = xtr_dp_made_dev(made, (int)row.ifindex, "", false);
		if (d && d->flags & (XTR_MADE_INGRESS | XTR_MADE_EGRESS)) {
			row.tc = true;
			row.tc_kind = "clsact";
		}
		r = fn(arg, &row);
	}
	if (!r)
		r = xtr_dp_view_elsewhere(v, fn, arg);
	if (fd >= 0)
		close(fd);
	free(made);
	free(k.at);
	return r;
}

/* Is exactly this prefix there? 1: *row is it; 0: it is not; -EAGAIN: that can not be told so. A trie answers with the
 * longest prefix it has; so where the answer to one bit less is the same to the last octet, it may be of a shorter one. */
int xtr_dp_view_entry(struct xtr_dp_view *v, uint32_t iid, const struct xtr_ippfx *eid, struct xtr_dp_cache_row *row)
{
	int fd = v->map[eid->ip.family == 4 ? XTR_M_EID4 : XTR_M_EID6];
	struct xtr_ippfx shorter = *eid;
	union xtr_dp_key k;
	struct xtr_eid over;

	memset(row, 0, sizeof(*row));
	xtr_dp_key(&k, iid, eid);
	if (bpf_map_lookup_elem(fd, &k, &row->e))
		return 0;
	if (eid->len) {
		shorter.len--;
		xtr_ippfx_mask(&shorter);
		xtr_dp_key(&k, iid, &shorter);
		if (!bpf_map_lookup_elem(fd, &k, &over) && !memcmp(&over, &row->e, sizeof(over)))
			return -EAGAIN;
	}
	row->iid = iid;
	row->eid = *eid;
	xtr_dp_view_set(v, row);
	return 1;
}

/* ---- sizes */

int xtr_dp_view_usage(struct xtr_dp_view *v, bool (*count)(void *, const char *name, uint64_t *entries),
		      int (*fn)(void *, const struct xtr_dp_usage *), void *arg)
{
	int r = 0;

	for (unsigned i = 0; !r && i < XTR_M_MAX; i++) {
		int fd = i == XTR_M_EVENTS ? xtr_dp_view_map(v->dir, xtr_dp_map_names[i]) : v->map[i];
		struct bpf_map_info info;

		if (fd >= 0 && !xtr_dp_map_info(fd, &info)) { /* some kernels lack some of them */
			struct xtr_dp_usage u = { .name = xtr_dp_map_names[i], .key = xtr_dp_map_key(i),
						  .type = info.type, .flags = info.map_flags, .max = info.max_entries,
						  .bytes_key = info.key_size, .bytes_value = info.value_size };

			if (!count || !count(arg, u.name, &u.entries))
				u.entries = xtr_dp_usage_entries(fd, &info);
			xtr_dp_usage_memory(&u, v->cpus);
			r = fn(arg, &u);
		}
		if (i == XTR_M_EVENTS && fd >= 0)
			close(fd);
	}
	return r;
}

/* ---- counters */

int xtr_dp_view_drops(struct xtr_dp_view *v, uint64_t out[XTR_DROP_MAX])
{
	uint64_t *all = calloc(v->cpus, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (__u32 i = 0; i < XTR_DROP_MAX; i++) {
		out[i] = 0;
		if (!bpf_map_lookup_elem(v->map[XTR_M_DROPS], &i, all))
			for (unsigned c = 0; c < v->cpus; c++)
				out[i] += all[c];
	}
	free(all);
	return 0;
}

int xtr_dp_view_stats(struct xtr_dp_view *v, struct xtr_count out[XTR_STAT_MAX])
{
	for (__u32 i = 0; i < XTR_STAT_MAX; i++) {
		int r = xtr_dp_view_count(v, v->map[XTR_M_STATS], i, &out[i]);

		if (r)
			return r;
	}
	for (__u32 i = XTR_STAT_PARTS_FROM; i < XTR_STAT_SLOTS; i++) {
		struct xtr_count n;
		int r = xtr_dp_view_count(v, v->map[XTR_M_STATS], i, &n);

		if (r)
			return r;
		xtr_stat_add_part(out, i, n.packets, n.octets);
	}
	return 0;
}
