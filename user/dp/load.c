// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs and maps: loaded, adopted, pinned.
 *
 * A map that is pinned with the same type, key, value and size is adopted: the new programs are
 * loaded on it, so the state of the data plane survives any restart. Where the configuration changed
 * sizes, or the folder is of another ABI (upgrade.c), the maps of the map-cache are made anew and
 * filled from the old ones (move.c), which the old programs go on using until their links are taken
 * over one by one (attach.c). A folder is filled under another name and renamed when it is complete:
 * whenever a start is killed, the next one finds whole folders only.
 *
 * The skeleton owns the file descriptors.
 */
#include "dp/internal.h"

#include "bpf/xtr.skel.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- which maps are shared with the programs that run now */

static bool xtr_dp_same_layout(const struct bpf_map *map, const struct bpf_map_info *i)
{
	return i->type == bpf_map__type(map) && i->key_size == bpf_map__key_size(map) &&
	       i->value_size == bpf_map__value_size(map);
}

static bool xtr_dp_same_shape(const struct bpf_map *map, const struct bpf_map_info *i)
{
	return xtr_dp_same_layout(map, i) && i->max_entries == bpf_map__max_entries(map) &&
	       (i->map_flags & ~BPF_F_RDONLY) == bpf_map__map_flags(map);
}

struct bpf_map *xtr_dp_obj_map(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	char section[32];

	snprintf(section, sizeof(section), ".data.%s", name);
	return map ?: bpf_object__find_map_by_name(obj, section);
}

static struct bpf_map *xtr_dp_skel_map(struct xtr_dp *dp, unsigned i, struct xtr_err *err)
{
	struct bpf_map *map = xtr_dp_obj_map(dp->skel->obj, xtr_dp_map_names[i]);

	if (!map) {
		xtr_fail(err, -ENOENT, "BPF object: no map %s (built from mixed sources)", xtr_dp_map_names[i]);
		return NULL;
	}
	if (i == XTR_M_EID4 || i == XTR_M_EID6)
		bpf_map__set_max_entries(map, dp->cfg.cache_entries);
	if (i == XTR_M_RLOC || i == XTR_M_RLSTAT || i == XTR_M_RSET)
		bpf_map__set_max_entries(map, dp->cfg.rloc_entries);
	return map;
}

/* Maps that name each other by number: all of them are shared, or none. */
static bool xtr_dp_linked(unsigned i)
{
	return i == XTR_M_EID4 || i == XTR_M_EID6 || i == XTR_M_RSET || i == XTR_M_RLOC || i == XTR_M_REPL;
}

/*
 * Sizes of the configuration; what is pinned with the same shape is taken instead of a new map. Of
 * another ABI only the counters: old and new programs count in the same ones, so none is lost or
 * counted twice; everything else is the old programs' alone. On return src->fd holds the maps whose
 * contents are to be moved.
 */
static int xtr_dp_maps_choose(struct xtr_dp *dp, struct xtr_dp_source *src, struct xtr_err *err)
{
	bool same[XTR_M_MAX] = { false }, whole = true;

	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		struct bpf_map *map = xtr_dp_skel_map(dp, i, err);
		struct bpf_map_info info;
		char path[PATH_MAX];

		if (!map)
			return -ENOENT;
		if (!src->found || xtr_dp_private(i))
			continue;
		snprintf(path, sizeof(path), "%s/%s", src->dir, xtr_dp_map_names[i]);
		src->fd[i] = bpf_obj_get(path);
		if (src->fd[i] >= 0 && (src->since[i] != xtr_dp_layout_since(i) ||
					xtr_dp_map_info(src->fd[i], &info) || !xtr_dp_same_layout(map, &info))) {
			close(src->fd[i]);
			src->fd[i] = -1;
		}
		same[i] = src->fd[i] >= 0 && xtr_dp_same_shape(map, &info);
		whole &= same[i] || !xtr_dp_linked(i);
	}
	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		bool counts = i == XTR_M_DROPS || i == XTR_M_STATS || i == XTR_M_RLSTAT;

		if (!same[i] || (xtr_dp_linked(i) && !whole) || (src->abi != XTR_ABI_VERSION && !counts) ||
		    bpf_map__reuse_fd(xtr_dp_obj_map(dp->skel->obj, xtr_dp_map_names[i]), src->fd[i]))
			continue;
		close(src->fd[i]);
		src->fd[i] = -1;
	}
	return 0;
}

/* ---- load */

uint32_t xtr_dp_copies;

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

/* One more than the largest number of a CPU. libbpf counts them: where some numbers are left out that is less. */
static unsigned xtr_dp_cpu_numbers(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	int known = libbpf_num_possible_cpus();
	unsigned n = known > 0 ? (unsigned)known : 1, at;
	int c = 0;

	while (f && fscanf(f, "%u", &at) == 1) {
		if (at < 65536 && at >= n)
			n = at + 1;
		c = fgetc(f);
		if (c != '-' && c != ',')
			break;
	}
	if (f)
		fclose(f);
	return n;
}

void xtr_dp_copies_size(struct bpf_object *obj, uint8_t *bits)
{
	static const char *const fixed[] = { "xtr_cports", "xtr_cselfs", "xtr_ctmpls", "xtr_nears" };
	static const char *const of_eids[] = { "xtr_dests4", "xtr_dests6", "xtr_homes" };
	unsigned cpus = xtr_dp_cpu_numbers();
	struct bpf_map *m;
	uint64_t slot = 0;

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		m = bpf_object__find_map_by_name(obj, fixed[i]);
		if (m)
			bpf_map__set_max_entries(m, bpf_map__max_entries(m) * cpus);
	}
	for (unsigned i = 0; i < sizeof(of_eids) / sizeof(of_eids[0]); i++) {
		m = bpf_object__find_map_by_name(obj, of_eids[i]);
		slot += m ? bpf_map__value_size(m) : 0;
	}
	while (*bits > 10 && (slot * cpus << *bits) > 64u << 20)
		(*bits)--;
	for (unsigned i = 0; i < sizeof(of_eids) / sizeof(of_eids[0]); i++) {
		m = bpf_object__find_map_by_name(obj, of_eids[i]);
		if (m)
			bpf_map__set_max_entries(m, cpus << *bits);
	}
}

static int xtr_dp_skel_load(struct xtr_dp *dp, struct xtr_err *err)
{
	int r;

	dp->hz = xtr_dp_hz();
	dp->skel->rodata->xtr_hz = dp->hz;
	dp->skel->rodata->feat_decap_l3 = xtr_dp_decap_l3();
	xtr_dp_copies_size(dp->skel->obj, (uint8_t *)&dp->skel->rodata->copy_bits);
	if (xtr_dp_copies)
		bpf_map__set_max_entries(dp->skel->maps.xtr_dlru, xtr_dp_copies);
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
		dp->map[i] = bpf_map__fd(xtr_dp_obj_map(dp->skel->obj, xtr_dp_map_names[i]));
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

/* ---- the folder */

/* Into a folder; what is there already stays. */
static int xtr_dp_pin_all(struct xtr_dp *dp, const char *dir, struct xtr_err *err)
{
	char path[PATH_MAX];
	int r = 0;

	for (unsigned i = 0; i < XTR_M_MAX && !r; i++) {
		struct bpf_map_info mine, there;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, xtr_dp_map_names[i]);
		fd = bpf_obj_get(path);
		if (fd < 0 || xtr_dp_map_info(fd, &there) || xtr_dp_map_info(dp->map[i], &mine) ||
		    mine.id != there.id)
			r = xtr_dp_pin(dp->map[i], dir, xtr_dp_map_names[i]);
		if (fd >= 0)
			close(fd);
	}
	for (unsigned i = 0; i < XTR_P_MAX && !r; i++)
		r = xtr_dp_pin(dp->prog[i], dir, xtr_dp_prog_names[i]);
	return r ? xtr_fail(err, r, "%s: cannot pin maps and programs: %s", dir, strerror(-r)) : 0;
}

static int xtr_dp_folder_fill(struct xtr_dp *dp, const struct xtr_dp_source *src, const char *dir,
			      struct xtr_err *err)
{
	int r;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return xtr_fail(err, -errno, "%s: cannot create: %s", dir, strerror(errno));
	r = xtr_dp_made_open(dp, src->found ? src->dir : dir, dir, err);
	if (!r)
		r = xtr_dp_pin_all(dp, dir, err);
	if (r)
		return r;
	r = xtr_dp_layout_pin(dir);
	if (!r && src->found && !src->own)
		r = xtr_dp_places_keep(src->dir, dir);
	return r ? xtr_fail(err, r, "%s: cannot pin what the next xtrd has to know: %s", dir, strerror(-r)) : 0;
}

/* Whole or not at all. */
static int xtr_dp_folder_make(struct xtr_dp *dp, const struct xtr_dp_source *src, struct xtr_err *err)
{
	char build[sizeof(dp->dir) + 8];
	int r;

	if (src->own)
		return xtr_dp_folder_fill(dp, src, dp->dir, err);
	snprintf(build, sizeof(build), "%s/" XTR_DP_UNFINISHED "%s", dp->root, strrchr(dp->dir, '/') + 1);
	r = xtr_dp_folder_fill(dp, src, build, err);
	xtr_dp_at("filled");
	if (!r && rename(build, dp->dir))
		r = xtr_fail(err, -errno, "%s: cannot rename it to %s: %s", build, dp->dir, strerror(errno));
	if (r)
		xtr_dp_remove_folder(build);
	dp->built = !r;
	return r;
}

/* Not as the skeleton has it mapped: of a map that was there before, some versions of libbpf do not map it. */
static int xtr_dp_gen_map(struct xtr_dp *dp, struct xtr_err *err)
{
	void *at = mmap(NULL, sizeof(dp->gen), PROT_READ | PROT_WRITE, MAP_SHARED, dp->map[XTR_M_GEN], 0);

	if (at == MAP_FAILED)
		return xtr_fail(err, -errno, "map %s: cannot be mapped: %s", XTR_MAP_GEN, strerror(errno));
	dp->gen_at = at;
	return 0;
}

/* Goes on from the generations that are there, and makes them new for whatever was read before. */
static void xtr_dp_gen_start(struct xtr_dp *dp)
{
	memcpy(dp->gen, dp->gen_at, sizeof(dp->gen));
	if (!xtr_dp_clock(dp))
		xtr_dp_beat(dp);
	xtr_dp_gen_bump(dp, 0, NULL);
}

/* On return dp->dir exists and holds every map and program; older folders are still there. */
int xtr_dp_load(struct xtr_dp *dp, struct xtr_err *err)
{
	struct xtr_dp_source src;
	int r;

	snprintf(dp->dir, sizeof(dp->dir), "%s/v%u-%u-%u", dp->root, XTR_ABI_VERSION, dp->cfg.cache_entries,
		 dp->cfg.rloc_entries);
	libbpf_set_print(xtr_dp_print);
	xtr_dp_unfinished_remove(dp->root);
	xtr_dp_source_find(dp, &src);
	dp->fresh = !src.found;
	dp->skel = xtr_bpf__open();
	if (!dp->skel)
		return xtr_fail(err, -errno, "BPF object: cannot be opened: %s", strerror(errno));
	r = xtr_dp_maps_choose(dp, &src, err);
	if (!r)
		r = xtr_dp_skel_load(dp, err);
	if (!r)
		r = xtr_dp_gen_map(dp, err);
	xtr_dp_at("loaded");
	if (!r)
		r = xtr_dp_move(dp, &src, err);
	xtr_dp_source_close(&src);
	if (!r)
		r = xtr_dp_folder_make(dp, &src, err);
	if (r)
		return r;
	xtr_dp_at("pinned");
	xtr_dp_gen_start(dp);
	xtr_dp_drops_read(dp);
	return 0;
}
