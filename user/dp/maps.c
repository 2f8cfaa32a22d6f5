// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs and maps: load, adopt, pin, and the small operations on maps that every other file here
 * needs.
 *
 * A map that is pinned with the same type, key, value and size is adopted: the new programs are
 * loaded on it, so the state of the data plane survives any restart. A map of another size (the
 * configuration changed) is made anew and the contents are copied. A folder of another ABI is never
 * read; its links are taken over (attach.c) and it is removed when everything runs on the new one.
 * The skeleton owns the file descriptors.
 */
#include "dp/internal.h"

#include "bpf/xtr.skel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- small operations */

int xtr_dp_map_info(int fd, struct bpf_map_info *info)
{
	__u32 len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len) ? -errno : 0;
}

void xtr_dp_key(union xtr_dp_key *k, uint32_t iid, const struct xtr_ippfx *p)
{
	memset(k, 0, sizeof(*k));
	k->k6.prefixlen = 32u + p->len;
	k->k6.iid = htonl(iid);
	if (p->ip.family == 4)
		memcpy(&k->k4.addr, p->ip.a, 4);
	else
		memcpy(k->k6.addr, p->ip.a, 16);
}

void xtr_dp_unkey4(const struct xtr_lpm4 *k, uint32_t *iid, struct xtr_ippfx *p)
{
	*iid = ntohl(k->iid);
	*p = (struct xtr_ippfx){ .ip.family = 4,
				 .len = k->prefixlen > 32 ? (uint8_t)(k->prefixlen - 32) : 0 };
	memcpy(p->ip.a, &k->addr, 4);
}

void xtr_dp_unkey6(const struct xtr_lpm6 *k, uint32_t *iid, struct xtr_ippfx *p)
{
	*iid = ntohl(k->iid);
	*p = (struct xtr_ippfx){ .ip.family = 6,
				 .len = k->prefixlen > 32 ? (uint8_t)(k->prefixlen - 32) : 0 };
	memcpy(p->ip.a, k->addr, 16);
}

void xtr_dp_abi_ip(struct xtr_abi_ip *out, const struct xtr_ip *ip)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->w, ip->a, ip->family == 4 ? 4 : 16);
}

void xtr_dp_from_abi(struct xtr_ip *out, const struct xtr_abi_ip *in, unsigned family)
{
	*out = (struct xtr_ip){
		.family =
			(uint8_t)(family == XTR_FAMILY_IP4 || family == XTR_FAMILY_IP6 ? family : 0)
	};
	memcpy(out->a, in->w, out->family == 4 ? 4 : out->family == 6 ? 16 : 0);
}

int xtr_dp_each_key(int fd, size_t key_size, int (*fn)(void *arg, const void *key), void *arg)
{
	uint8_t key[64], next[64];
	bool first = true;
	int r;

	if (key_size > sizeof(key))
		return -EINVAL;
	while (!bpf_map_get_next_key(fd, first ? NULL : key, next)) {
		memcpy(key, next, key_size);
		first = false;
		r = fn(arg, key);
		if (r)
			return r;
	}
	return errno == ENOENT ? 0 : -errno;
}

struct xtr_dp_keys {
	uint8_t *at;
	size_t size;
	unsigned n, room;
};

static int xtr_dp_keep_key(void *arg, const void *key)
{
	struct xtr_dp_keys *k = arg;

	if (k->n == k->room) {
		unsigned room = k->room ? k->room * 2 : 256;
		void *p = realloc(k->at, (size_t)room * k->size);

		if (!p)
			return -ENOMEM;
		k->at = p;
		k->room = room;
	}
	memcpy(k->at + (size_t)k->n++ * k->size, key, k->size);
	return 0;
}

static int xtr_dp_key_cmp(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(size_t *)size);
}

/* Deletes every key that is not among the n sorted ones. */
static int xtr_dp_map_sweep(int fd, const uint8_t *sorted, unsigned n, size_t key_size)
{
	struct xtr_dp_keys have = { .size = key_size };
	int r = xtr_dp_each_key(fd, key_size, xtr_dp_keep_key, &have);

	for (unsigned i = 0; !r && i < have.n; i++) {
		const uint8_t *key = have.at + i * key_size;
		unsigned lo = 0, hi = n;

		while (lo < hi) {
			unsigned mid = (lo + hi) / 2;

			if (memcmp(sorted + mid * key_size, key, key_size) < 0)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == n || memcmp(sorted + lo * key_size, key, key_size))
			bpf_map_delete_elem(fd, key);
	}
	free(have.at);
	return r;
}

int xtr_dp_map_sync(int fd, const void *records, unsigned n, size_t key_size, size_t value_size,
		    bool keep)
{
	const uint8_t *rec = records;
	size_t step = key_size + value_size;
	uint8_t old[512], *keys;
	int r;

	if (value_size > sizeof(old))
		return -EINVAL;
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *key = rec + i * step, *value = key + key_size;

		/* Of the maps with such short keys none is a longest-prefix map, whose answer may be a
		 * shorter prefix's. */
		if (key_size <= 8 && !bpf_map_lookup_elem(fd, key, old) &&
		    !memcmp(old, value, value_size))
			continue;
		if (bpf_map_update_elem(fd, key, value, BPF_ANY))
			return -errno;
	}
	if (keep)
		return 0;
	keys = malloc(n * key_size + 1);
	if (!keys)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		memcpy(keys + i * key_size, rec + i * step, key_size);
	qsort_r(keys, n, key_size, xtr_dp_key_cmp, &key_size);
	r = xtr_dp_map_sweep(fd, keys, n, key_size);
	free(keys);
	return r;
}

/* xtr_gen: the daemon is its only writer, so it knows what is in it. 0 is never a generation. */
static void xtr_dp_gen_next(uint32_t *v)
{
	if (!++*v)
		*v = 1;
}

void xtr_dp_gen_bump(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *p)
{
	__u32 all[XTR_GEN_SHARDS], count = XTR_GEN_SHARDS, shard;
	uint32_t w[2];

	if (p && p->len >= (p->ip.family == 4 ? XTR_GEN_BITS4 : XTR_GEN_BITS6)) {
		memcpy(w, p->ip.a, sizeof(w));
		shard = p->ip.family == 4 ? xtr_gen_shard4(iid, ntohl(w[0]))
					  : xtr_gen_shard6(iid, ntohl(w[0]), ntohl(w[1]));
		xtr_dp_gen_next(&dp->gen[shard]);
		bpf_map_update_elem(dp->map[XTR_M_GEN], &shard, &dp->gen[shard], BPF_ANY);
		return;
	}
	for (shard = 0; shard < XTR_GEN_SHARDS; shard++) {
		all[shard] = shard;
		xtr_dp_gen_next(&dp->gen[shard]);
	}
	if (bpf_map_update_batch(dp->map[XTR_M_GEN], all, dp->gen, &count, NULL))
		for (shard = 0; shard < XTR_GEN_SHARDS; shard++)
			bpf_map_update_elem(dp->map[XTR_M_GEN], &shard, &dp->gen[shard], BPF_ANY);
}

/* CONFIG_HZ: the coarse clock ticks once a jiffy. */
unsigned xtr_dp_hz(void)
{
	struct timespec ts;

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts) || ts.tv_sec || ts.tv_nsec <= 0)
		return 250;
	return (unsigned)((1000000000L + ts.tv_nsec / 2) / ts.tv_nsec);
}

static uint64_t xtr_dp_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int xtr_dp_clock(struct xtr_dp *dp)
{
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct xtr_cfg cfg;
	__u32 zero = 0;

	if (bpf_program__type(dp->skel->progs.xtr_clock) != BPF_PROG_TYPE_SYSCALL) {
		opts.data_in = frame;
		opts.data_size_in = sizeof(frame);
	}
	if (bpf_prog_test_run_opts(dp->prog[XTR_P_CLOCK], &opts) ||
	    bpf_map_lookup_elem(dp->map[XTR_M_CFG], &zero, &cfg))
		return -errno;
	dp->jiffies = cfg.jiffies;
	dp->jiffies_ns = xtr_dp_ns();
	return 0;
}

uint64_t xtr_dp_jiffies(const struct xtr_dp *dp)
{
	return dp->jiffies + (xtr_dp_ns() - dp->jiffies_ns) / (1000000000 / dp->hz);
}

/* Reasons that no program uses. */
static bool xtr_dp_drop_ours(unsigned reason)
{
	return (reason >= XTR_DROP_QUEUE_EID_FULL && reason <= XTR_DROP_INJECT_FAILED) ||
	       reason == XTR_DROP_CONTROL_BAD || reason == XTR_DROP_NOT_ASKED;
}

/* Only reasons that no program uses come here, so this is the only writer of these elements. */
void xtr_dp_drop(struct xtr_dp *dp, enum xtr_drop_reason reason, unsigned n)
{
	dp->drops[reason] += n;
	dp->drop_dirty[reason] |= n > 0;
	dp->drops_dirty |= n > 0;
}

void xtr_dp_drops_flush(struct xtr_dp *dp)
{
	uint64_t *all;

	if (!dp->drops_dirty)
		return;
	all = calloc(dp->cpus, sizeof(*all));
	if (!all)
		return;
	for (__u32 i = 0; i < XTR_DROP_MAX; i++) {
		if (!dp->drop_dirty[i] || !xtr_dp_drop_ours(i))
			continue;
		dp->drop_dirty[i] = false;
		all[0] = dp->drops[i];
		bpf_map_update_elem(dp->map[XTR_M_DROPS], &i, all, BPF_ANY);
	}
	free(all);
	dp->drops_dirty = false;
}

static void xtr_dp_drops_read(struct xtr_dp *dp)
{
	uint64_t *all = calloc(dp->cpus, sizeof(*all));

	if (!all)
		return;
	for (__u32 i = 0; i < XTR_DROP_MAX; i++)
		if (xtr_dp_drop_ours(i) && !bpf_map_lookup_elem(dp->map[XTR_M_DROPS], &i, all))
			for (unsigned c = 0; c < dp->cpus; c++)
				dp->drops[i] += all[c];
	free(all);
}

/* ---- what was made */

struct xtr_dp_made_dev *xtr_dp_made_dev(struct xtr_dp_made *m, int ifindex, const char *name,
					bool add)
{
	struct xtr_dp_made_dev *d;

	for (unsigned i = 0; i < m->count && i < XTR_DP_MADE_DEVS; i++)
		if ((int)m->dev[i].ifindex == ifindex)
			return &m->dev[i];
	if (!add || m->count >= XTR_DP_MADE_DEVS)
		return NULL;
	d = &m->dev[m->count++];
	*d = (struct xtr_dp_made_dev){ .ifindex = (__u32)ifindex };
	snprintf(d->name, sizeof(d->name), "%s", name);
	return d;
}

int xtr_dp_made_save(struct xtr_dp *dp)
{
	struct xtr_dp_made *m = &dp->made;
	__u32 zero = 0;

	for (unsigned i = 0; i < m->count;)
		if (!m->dev[i].flags)
			m->dev[i] = m->dev[--m->count];
		else
			i++;
	return bpf_map_update_elem(dp->made_fd, &zero, m, BPF_ANY) ? -errno : 0;
}

static int xtr_dp_made_open(struct xtr_dp *dp, const char *from, struct xtr_err *err)
{
	struct bpf_map_info info;
	char path[PATH_MAX];
	__u32 zero = 0;
	uint64_t dev, ino;
	int r;

	snprintf(path, sizeof(path), "%s/%s", from, XTR_DP_MAP_MADE);
	dp->made_fd = bpf_obj_get(path);
	if (dp->made_fd >= 0 &&
	    (xtr_dp_map_info(dp->made_fd, &info) || info.value_size != sizeof(dp->made) ||
	     bpf_map_lookup_elem(dp->made_fd, &zero, &dp->made))) {
		close(dp->made_fd);
		dp->made_fd = -1;
	}
	xtr_dp_netns(&dev, &ino);
	if (dp->made_fd >= 0 && (dp->made.netns_dev != dev || dp->made.netns_ino != ino))
		/* of a namespace that is gone: its devices went with it */
		memset(&dp->made, 0, sizeof(dp->made));
	if (dp->made_fd < 0)
		dp->made_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, XTR_DP_MAP_MADE, sizeof(__u32),
					     sizeof(dp->made), 1, NULL);
	if (dp->made_fd < 0)
		return xtr_fail(err, -errno, "cannot create BPF maps: %s (needs CAP_BPF)",
				strerror(errno));
	dp->made.netns_dev = dev;
	dp->made.netns_ino = ino;
	dp->made.table = dp->cfg.route_table;
	dp->made.priority = dp->cfg.rule_priority;
	dp->made.mark = dp->cfg.mark;
	r = xtr_dp_made_save(dp);
	if (!r)
		r = xtr_dp_pin(dp->made_fd, dp->dir, XTR_DP_MAP_MADE);
	return r ? xtr_fail(err, r, "%s/%s: cannot pin: %s", dp->dir, XTR_DP_MAP_MADE, strerror(-r))
		 : 0;
}

/* ---- load */

static int xtr_dp_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[1024];

	if (xtr_log_max < XTR_LOG_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	xtr_debug("libbpf: %s", line);
	return 0;
}

struct xtr_dp_old {
	char dir[256];
	unsigned abi;
	bool found;
	const char * not ;
};

static int xtr_dp_find_old(void *arg, const char *name)
{
	struct xtr_dp_old *o = arg;
	unsigned abi, cache, rloc;

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc) || !strcmp(name, o->not ))
		return 0;
	if (o->found && o->abi == XTR_ABI_VERSION)
		return 0;
	o->found = true;
	o->abi = abi;
	snprintf(o->dir, sizeof(o->dir), "%s", name);
	return 0;
}

static bool xtr_dp_same_shape(const struct bpf_map *map, const struct bpf_map_info *i)
{
	return i->type == bpf_map__type(map) && i->key_size == bpf_map__key_size(map) &&
	       i->value_size == bpf_map__value_size(map) &&
	       i->max_entries == bpf_map__max_entries(map) &&
	       (i->map_flags & ~BPF_F_RDONLY) == bpf_map__map_flags(map);
}

struct xtr_dp_copy {
	int from, to;
	void *value;
	unsigned failed;
};

static int xtr_dp_copy_one(void *arg, const void *key)
{
	struct xtr_dp_copy *c = arg;

	if (!bpf_map_lookup_elem(c->from, key, c->value) &&
	    bpf_map_update_elem(c->to, key, c->value, BPF_ANY))
		c->failed++;
	return 0;
}

/* Contents into a map of another size. What does not fit is resolved again when it is used. */
static int xtr_dp_copy(struct xtr_dp *dp, int from, const struct bpf_map_info *old, int to)
{
	struct xtr_dp_copy c = { .from = from, .to = to };
	size_t size = (old->value_size + 7u) / 8 * 8 * (size_t)dp->cpus;
	int r;

	c.value = calloc(1, size);
	if (!c.value)
		return -ENOMEM;
	r = xtr_dp_each_key(from, old->key_size, xtr_dp_copy_one, &c);
	free(c.value);
	return r ? r : c.failed ? -E2BIG : 0;
}

/* Sizes of the configuration; what is pinned with the same shape is taken instead of a new map. */
static int xtr_dp_maps_choose(struct xtr_dp *dp, const char *old_dir, int from[XTR_M_MAX],
			      struct xtr_err *err)
{
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		from[i] = -1;
	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(dp->skel->obj, xtr_dp_map_names[i]);
		struct bpf_map_info info;
		char path[PATH_MAX];

		if (!map)
			return xtr_fail(err, -ENOENT,
					"BPF object: no map %s (built from mixed sources)",
					xtr_dp_map_names[i]);
		if (i == XTR_M_EID4 || i == XTR_M_EID6)
			bpf_map__set_max_entries(map, dp->cfg.cache_entries);
		if (i == XTR_M_RLOC || i == XTR_M_RLSTAT || i == XTR_M_RSET)
			bpf_map__set_max_entries(map, dp->cfg.rloc_entries);
		if (!old_dir)
			continue;
		snprintf(path, sizeof(path), "%s/%s", old_dir, xtr_dp_map_names[i]);
		from[i] = bpf_obj_get(path);
		if (from[i] < 0)
			continue;
		dp->fresh = false;
		if (!xtr_dp_map_info(from[i], &info) && xtr_dp_same_shape(map, &info) &&
		    !bpf_map__reuse_fd(map, from[i])) {
			close(from[i]);
			from[i] = -1;
		}
	}
	return 0;
}

static bool xtr_dp_copied(unsigned i)
{
	/* Not the ring, not what is only of the moment, not what is written at every start anyway. */
	return i != XTR_M_EVENTS && i != XTR_M_MISSTB && i != XTR_M_MISSSL && i != XTR_M_MISSSRC && i != XTR_M_HOLD &&
	       i != XTR_M_GEN && i != XTR_M_CFG;
}

static void xtr_dp_maps_clear(int fd, size_t key_size)
{
	uint8_t key[64];

	(void)key_size;
	while (!bpf_map_get_next_key(fd, NULL, key) && !bpf_map_delete_elem(fd, key))
		;
}

static void xtr_dp_maps_copy(struct xtr_dp *dp, int from[XTR_M_MAX])
{
	bool lost = false;

	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		struct bpf_map_info old, new;
		int r;

		if (from[i] < 0)
			continue;
		r = xtr_dp_map_info(from[i], &old);
		if (!r)
			r = xtr_dp_map_info(dp->map[i], &new);
		if (!r && xtr_dp_copied(i) &&
		    old.type == new.type &&old.key_size == new.key_size &&old.value_size ==
			    new.value_size)
			r = xtr_dp_copy(dp, from[i], &old, dp->map[i]);
		if (r && i != XTR_M_RLSTAT)
			xtr_warn(
				"map %s: %u entries of the old one do not all fit into %u of the new one; the rest is resolved again",
				xtr_dp_map_names[i], old.max_entries, new.max_entries);
		if (r && (i == XTR_M_RLOC || i == XTR_M_RSET))
			lost = true;
		close(from[i]);
		from[i] = -1;
	}
	if (lost) { /* entries would name sets that are not there */
		xtr_dp_maps_clear(dp->map[XTR_M_EID4], sizeof(struct xtr_lpm4));
		xtr_dp_maps_clear(dp->map[XTR_M_EID6], sizeof(struct xtr_lpm6));
		xtr_dp_maps_clear(dp->map[XTR_M_MCAST4], sizeof(struct xtr_mc4));
		xtr_dp_maps_clear(dp->map[XTR_M_MCAST6], sizeof(struct xtr_mc6));
		xtr_dp_maps_clear(dp->map[XTR_M_REPL], sizeof(struct xtr_repl_key));
	}
}

static int xtr_dp_pin_all(struct xtr_dp *dp, struct xtr_err *err)
{
	char path[PATH_MAX];
	int r = 0;

	for (unsigned i = 0; i < XTR_M_MAX && !r; i++) {
		struct bpf_map_info mine, there;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dp->dir, xtr_dp_map_names[i]);
		fd = bpf_obj_get(path);
		if (fd < 0 || xtr_dp_map_info(fd, &there) || xtr_dp_map_info(dp->map[i], &mine) ||
		    mine.id != there.id)
			r = xtr_dp_pin(dp->map[i], dp->dir, xtr_dp_map_names[i]);
		if (fd >= 0)
			close(fd);
	}
	for (unsigned i = 0; i < XTR_P_MAX && !r; i++)
		r = xtr_dp_pin(dp->prog[i], dp->dir, xtr_dp_prog_names[i]);
	return r ? xtr_fail(err, r, "%s: cannot pin maps and programs: %s", dp->dir, strerror(-r))
		 : 0;
}

bool xtr_dp_decap_l3(void)
{
	/* r1 is the context: bpf_skb_adjust_room(skb, -20, BPF_ADJ_ROOM_MAC,
	 * BPF_F_ADJ_ROOM_DECAP_L3_IPV4); -EINVAL before 6.3 */
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = -20 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 4, .imm = 1 << 7 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_skb_adjust_room },
		{ .code = BPF_ALU64 | BPF_NEG, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	uint8_t frame[200] = { [12] = 0x08, [14] = 0x45 };
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame));
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "xtr_probe", "GPL", insns,
			       sizeof(insns) / sizeof(insns[0]), NULL),
	    r;

	if (fd < 0)
		return false;
	r = bpf_prog_test_run_opts(fd, &run);
	close(fd);
	return !r && !run.retval;
}

static int xtr_dp_skel_load(struct xtr_dp *dp, struct xtr_err *err)
{
	int r;

	dp->hz = xtr_dp_hz();
	dp->skel->rodata->xtr_hz = dp->hz;
	dp->skel->rodata->feat_decap_l3 = xtr_dp_decap_l3();
	r = xtr_bpf__load(dp->skel);
	if (r == -EPERM)
		return xtr_fail(
			err, r,
			"BPF programs: the kernel refused to load them: %s (needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON)",
			strerror(-r));
	if (r == -ENOMEM || r == -E2BIG)
		return xtr_fail(
			err, r,
			"BPF maps: no memory for %u map-cache and %u locator entries; lower data-plane.cache-entries or raise "
			"the memory limit",
			dp->cfg.cache_entries, dp->cfg.rloc_entries);
	if (r)
		return xtr_fail(
			err, r,
			"BPF programs: the kernel did not take them: %s (log-level debug shows the verifier's words; "
			"kernel 6.1 or later is supported)",
			strerror(-r));
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		dp->map[i] = bpf_object__find_map_fd_by_name(dp->skel->obj, xtr_dp_map_names[i]);
	for (unsigned i = 0; i < XTR_P_MAX; i++) {
		struct bpf_program *p =
			bpf_object__find_program_by_name(dp->skel->obj, xtr_dp_prog_names[i]);

		if (!p)
			return xtr_fail(err, -ENOENT,
					"BPF object: no program %s (built from mixed sources)",
					xtr_dp_prog_names[i]);
		dp->prog[i] = bpf_program__fd(p);
	}
	return 0;
}

/* Goes on from the generations that are there, and makes them new for whatever was read before. */
static void xtr_dp_gen_start(struct xtr_dp *dp)
{
	for (__u32 i = 0; i < XTR_GEN_SHARDS; i++)
		bpf_map_lookup_elem(dp->map[XTR_M_GEN], &i, &dp->gen[i]);
	xtr_dp_gen_bump(dp, 0, NULL);
}

/* On return dp->dir exists and holds every map and program; older folders are still there. */
int xtr_dp_load(struct xtr_dp *dp, struct xtr_err *err)
{
	char base[64], old_dir[512];
	struct xtr_dp_old old = { .not = base };
	const char *source = NULL;
	int from[XTR_M_MAX], r;
	struct stat st;

	snprintf(base, sizeof(base), "v%u-%u-%u", XTR_ABI_VERSION, dp->cfg.cache_entries,
		 dp->cfg.rloc_entries);
	snprintf(dp->dir, sizeof(dp->dir), "%s/%s", dp->root, base);
	libbpf_set_print(xtr_dp_print);
	dp->fresh = true;
	if (!stat(dp->dir, &st)) {
		source = dp->dir;
	} else if (!xtr_dp_each_name(dp->root, xtr_dp_find_old, &old) && old.found) {
		snprintf(old_dir, sizeof(old_dir), "%s/%s", dp->root, old.dir);
		if (old.abi == XTR_ABI_VERSION)
			source = old_dir;
		dp->fresh = false;
	}
	dp->skel = xtr_bpf__open();
	if (!dp->skel)
		return xtr_fail(err, -errno, "BPF object: cannot be opened: %s", strerror(errno));
	r = xtr_dp_maps_choose(dp, source, from, err);
	if (!r)
		r = xtr_dp_skel_load(dp, err);
	if (!r)
		xtr_dp_maps_copy(dp, from);
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		if (from[i] >= 0)
			close(from[i]);
	if (r)
		return r;
	if (mkdir(dp->dir, 0700) && errno != EEXIST)
		return xtr_fail(err, -errno, "%s: cannot create: %s", dp->dir, strerror(errno));
	r = xtr_dp_made_open(dp, source ? source : dp->dir, err);
	if (!r)
		r = xtr_dp_pin_all(dp, err);
	if (r)
		return r;
	xtr_dp_gen_start(dp);
	xtr_dp_drops_read(dp);
	return 0;
}
