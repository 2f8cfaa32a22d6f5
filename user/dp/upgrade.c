// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From one folder of pins to the next: another ABI, older or newer, or other sizes of maps.
 *
 * Every folder tells in the pinned map xtr_layout since which ABI each of its maps looks as it does
 * (releases up to ABI 2 did not: what they had is known). A map whose number is the same on both
 * sides has the same layout, so a later and an earlier xtrd can read each other's. Order of a start:
 * new maps are filled (move.c) and pinned as a whole folder (load.c); each link is taken over, TC
 * before XDP (attach.c); only then does the old folder go, and with it the old programs. Until its
 * link is replaced every old program goes on with the old maps. What they captured for the daemon
 * lies in the old ring, which is read to its end when none of them runs any more.
 */
#include "dp/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define XTR_DP_MAP_LAYOUT "xtr_layout"
#define XTR_DP_LAYOUTS    64
#define XTR_MEMBARRIER_GLOBAL 1 /* MEMBARRIER_CMD_GLOBAL */

void (*xtr_dp_step)(const char *what);

void xtr_dp_at(const char *what)
{
	if (xtr_dp_step)
		xtr_dp_step(what);
}

/* ---- layouts */

/* The ABI in which a map got its present layout: to be raised with every change of it in abi.h, or an upgrade would
 * take the old for the new. */
static const struct {
	uint32_t since;
	size_t size;
} xtr_dp_layouts[XTR_M_MAX] = {
	[XTR_M_CFG] = { 3, sizeof(struct xtr_cfg) },
	[XTR_M_IFACES] = { 3, sizeof(struct xtr_iface) },
	[XTR_M_INST] = { 3, sizeof(struct xtr_inst) },
	[XTR_M_SELF] = { 1, sizeof(__u32) },
	[XTR_M_LOCAL4] = { 1, sizeof(struct xtr_local) },
	[XTR_M_LOCAL6] = { 1, sizeof(struct xtr_local) },
	[XTR_M_RLOC] = { 1, sizeof(struct xtr_rloc) },
	[XTR_M_RLSTAT] = { 1, sizeof(struct xtr_count) },
	[XTR_M_RSET] = { 1, sizeof(struct xtr_rset) },
	[XTR_M_EID4] = { 1, sizeof(struct xtr_eid) },
	[XTR_M_EID6] = { 1, sizeof(struct xtr_eid) },
	[XTR_M_DROPS] = { 1, sizeof(__u64) },
	[XTR_M_STATS] = { 1, sizeof(struct xtr_count) },
	[XTR_M_EVENTS] = { 3, sizeof(struct xtr_event) },
	[XTR_M_MISSTB] = { 3, sizeof(struct xtr_misstb) },
	[XTR_M_MISSSL] = { 3, sizeof(struct xtr_missslot) },
	[XTR_M_MISSSRC] = { 3, sizeof(struct xtr_misstb) },
	[XTR_M_HOLD] = { 1, sizeof(struct xtr_hold) },
	[XTR_M_GEN] = { 4, sizeof(__u32[XTR_GEN_SLOTS]) },
	[XTR_M_MCAST4] = { 2, sizeof(struct xtr_mcast) },
	[XTR_M_MCAST6] = { 2, sizeof(struct xtr_mcast) },
	[XTR_M_REPL] = { 2, sizeof(struct xtr_repl) },
	[XTR_M_CTLSRC] = { 2, sizeof(__u32) },
	[XTR_M_FANOF] = { 3, sizeof(struct xtr_fanof) },
	[XTR_M_FAN] = { 3, sizeof(struct xtr_fan) },
	[XTR_M_FANDEV] = { 3, sizeof(__u32) },
	[XTR_M_FANOUT] = { 3, 8 },
	[XTR_M_FANCPU] = { 3, sizeof(struct xtr_fancpu) },
};
/* Of an event, what comes before the frame. Members of older ones lie where they lie today. */
static const struct {
	uint32_t since, octets;
} xtr_dp_event_layouts[] = { { 1, 64 }, { 2, 64 }, { 3, 72 } };

/* In xtr_layout: read by its size, the rest zero; so members are only ever added at the end. */
struct xtr_dp_layout {
	__u32 abi, count;
	struct {
		char name[16];
		__u32 since, size;
	} map[XTR_DP_LAYOUTS];
};

uint32_t xtr_dp_layout_since(unsigned map) { return xtr_dp_layouts[map].since; }

/* Reads a record that another version may have made longer or shorter; what it lacks is 0. */
int xtr_dp_read_record(int fd, void *out, size_t size)
{
	struct bpf_map_info info;
	__u32 zero = 0;
	void *value;
	int r = xtr_dp_map_info(fd, &info);

	memset(out, 0, size);
	if (r)
		return r;
	value = calloc(1, (info.value_size + 7u) / 8 * 8);
	if (!value)
		return -ENOMEM;
	if (bpf_map_lookup_elem(fd, &zero, value))
		r = -errno;
	else
		memcpy(out, value, info.value_size < size ? info.value_size : size);
	free(value);
	return r;
}

int xtr_dp_layout_pin(const char *dir)
{
	struct xtr_dp_layout *l = calloc(1, sizeof(*l));
	__u32 zero = 0;
	int fd, r = 0;

	if (!l)
		return -ENOMEM;
	l->abi = XTR_ABI_VERSION;
	l->count = XTR_M_MAX;
	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		snprintf(l->map[i].name, sizeof(l->map[i].name), "%s", xtr_dp_map_names[i]);
		l->map[i].since = xtr_dp_layouts[i].since;
		l->map[i].size = (__u32)xtr_dp_layouts[i].size;
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, XTR_DP_MAP_LAYOUT, sizeof(__u32), sizeof(*l), 1, NULL);
	if (fd < 0 || bpf_map_update_elem(fd, &zero, l, BPF_ANY))
		r = -errno;
	if (!r)
		r = xtr_dp_pin(fd, dir, XTR_DP_MAP_LAYOUT);
	if (fd >= 0)
		close(fd);
	free(l);
	return r;
}

/* since[]: 0: a layout that is not known here. */
static void xtr_dp_layout_read(const char *dir, unsigned abi, uint32_t since[XTR_M_MAX])
{
	struct xtr_dp_layout *l = calloc(1, sizeof(*l));
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/" XTR_DP_MAP_LAYOUT, dir);
	fd = bpf_obj_get(path);
	for (unsigned i = 0; i < XTR_M_MAX; i++) {
		since[i] = 0;
		if (fd < 0 && abi <= XTR_ABI_VERSION) /* before there was such a map, or of this ABI */
			since[i] = xtr_dp_layouts[i].since <= abi ? xtr_dp_layouts[i].since : abi;
	}
	if (fd >= 0 && l && !xtr_dp_read_record(fd, l, sizeof(*l)))
		for (unsigned i = 0; i < XTR_M_MAX; i++)
			for (unsigned j = 0; j < l->count && j < XTR_DP_LAYOUTS; j++)
				if (!strncmp(l->map[j].name, xtr_dp_map_names[i], sizeof(l->map[j].name)))
					since[i] = l->map[j].since;
	if (fd >= 0)
		close(fd);
	free(l);
}

/* ---- where contents come from */

struct xtr_dp_other_folder {
	struct xtr_dp *dp;
	struct xtr_dp_source *src;
	unsigned links;
};

static int xtr_dp_count_links(void *arg, const char *name)
{
	char prog[16];
	int ifindex;

	*(unsigned *)arg += !xtr_dp_link_parse(name, prog, &ifindex);
	return 0;
}

static unsigned xtr_dp_links_in(const char *dir)
{
	unsigned n = 0;

	xtr_dp_each_name(dir, xtr_dp_count_links, &n);
	return n;
}

/* Several, after a start that did not come to its end: the one whose programs run. */
static int xtr_dp_source_one(void *arg, const char *name)
{
	struct xtr_dp_other_folder *o = arg;
	unsigned abi, cache, rloc, links;
	char dir[sizeof(o->src->dir)];

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", o->dp->root, name);
	links = xtr_dp_links_in(dir);
	if (o->src->found && (links < o->links || (links == o->links && o->src->abi == XTR_ABI_VERSION)))
		return 0;
	o->src->found = true;
	o->src->abi = abi;
	o->links = links;
	snprintf(o->src->dir, sizeof(o->src->dir), "%s", dir);
	return 0;
}

/* Our own folder, if there is one: whoever else started successfully since would have removed it. */
void xtr_dp_source_find(struct xtr_dp *dp, struct xtr_dp_source *src)
{
	struct xtr_dp_other_folder o = { .dp = dp, .src = src };
	struct stat st;

	memset(src, 0, sizeof(*src));
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		src->fd[i] = -1;
	if (!stat(dp->dir, &st)) {
		src->found = src->own = true;
		src->abi = XTR_ABI_VERSION;
		snprintf(src->dir, sizeof(src->dir), "%s", dp->dir);
	} else {
		xtr_dp_each_name(dp->root, xtr_dp_source_one, &o);
	}
	if (src->found)
		xtr_dp_layout_read(src->dir, src->abi, src->since);
	if (src->found && !src->own && src->abi != XTR_ABI_VERSION)
		xtr_info("%s: taking over from ABI %u", src->dir, src->abi);
}

void xtr_dp_source_close(struct xtr_dp_source *src)
{
	for (unsigned i = 0; i < XTR_M_MAX; i++)
		if (src->fd[i] >= 0) {
			close(src->fd[i]);
			src->fd[i] = -1;
		}
}

/* A start that was killed left it: nothing refers to it. */
static int xtr_dp_unfinished_one(void *arg, const char *name)
{
	char dir[PATH_MAX];

	if (strncmp(name, XTR_DP_UNFINISHED, strlen(XTR_DP_UNFINISHED)))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", (const char *)arg, name);
	xtr_dp_remove_folder(dir);
	return 0;
}

void xtr_dp_unfinished_remove(const char *root) { xtr_dp_each_name(root, xtr_dp_unfinished_one, (void *)root); }

/* The note about other namespaces (netns.c) comes along. */
int xtr_dp_places_keep(const char *from, const char *to)
{
	char path[PATH_MAX];
	int fd, r;

	snprintf(path, sizeof(path), "%s/" XTR_DP_MAP_PLACES, from);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	r = xtr_dp_pin(fd, to, XTR_DP_MAP_PLACES);
	close(fd);
	return r;
}

/* ---- a folder of another network namespace */

struct xtr_dp_alive {
	const char *dir;
	bool alive;
};

static int xtr_dp_check_link(void *arg, const char *name)
{
	struct xtr_dp_alive *c = arg;
	struct bpf_link_info i = { 0 };
	__u32 len = sizeof(i);
	char path[PATH_MAX], prog[16];
	int ifindex, fd;

	if (xtr_dp_link_parse(name, prog, &ifindex))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (!bpf_obj_get_info_by_fd(fd, &i, &len))
		c->alive |= i.xdp.ifindex != 0;
	close(fd);
	return 0;
}

/* Links may be alive in another network namespace: then these pins are not ours to change. */
static int xtr_dp_foreign_one(void *arg, const char *name)
{
	struct xtr_dp_alive c = { .alive = false };
	struct xtr_dp_made made;
	unsigned abi, cache, rloc;
	uint64_t dev, ino;
	char dir[PATH_MAX];

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", (const char *)arg, name);
	xtr_dp_netns(&dev, &ino);
	if (xtr_dp_made_read(dir, &made) || (made.netns_dev == dev && made.netns_ino == ino))
		return 0;
	c.dir = dir;
	xtr_dp_each_name(dir, xtr_dp_check_link, &c);
	return c.alive ? -EXDEV : 0;
}

/* -EXDEV: the programs of these pins run in another network namespace. */
int xtr_dp_check_foreign(const char *root)
{
	return xtr_dp_each_name(root, xtr_dp_foreign_one, (void *)root);
}

/* ---- the end of an old folder */

struct xtr_dp_ending {
	struct xtr_dp *dp;
	const char *dir;
	bool xdp;
	unsigned folders;
};

static int xtr_dp_end_link(void *arg, const char *name)
{
	struct xtr_dp_ending *e = arg;
	char path[PATH_MAX], prog[16];
	int ifindex;

	if (xtr_dp_link_parse(name, prog, &ifindex) || e->xdp != !strncmp(prog, "xtr_xdp", 7))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", e->dir, name);
	xtr_dp_link_remove(path);
	return 0;
}

static uint32_t xtr_dp_event_octets(uint32_t since)
{
	for (unsigned i = 0; i < sizeof(xtr_dp_event_layouts) / sizeof(*xtr_dp_event_layouts); i++)
		if (xtr_dp_event_layouts[i].since == since)
			return xtr_dp_event_layouts[i].octets;
	return 0;
}

static int xtr_dp_left_event(void *ctx, void *data, size_t size)
{
	struct xtr_dp_left *l = ctx;
	size_t head = l->octets < sizeof(struct xtr_event) ? l->octets : sizeof(struct xtr_event);
	struct xtr_event *ev;

	l->seen++;
	if (!l->octets || size < l->octets || !(ev = calloc(1, sizeof(*ev) + size - l->octets))) {
		l->lost++;
		return 0;
	}
	memcpy(ev, data, head);
	memcpy(ev + 1, (uint8_t *)data + l->octets, size - l->octets);
	ev->hold = 0; /* its slot was one of the old map */
	xtr_dp_event(l->dp, ev, sizeof(*ev) + size - l->octets);
	free(ev);
	return 0;
}

/* Holds on to the ring of a folder that goes, unless the new programs write into the same one. */
static void xtr_dp_left_keep(struct xtr_dp *dp, const char *dir, unsigned abi)
{
	struct bpf_map_info old, mine;
	uint32_t since[XTR_M_MAX];
	struct xtr_dp_left *l;
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/" XTR_MAP_EVENTS, dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return;
	l = calloc(1, sizeof(*l));
	if (!l || xtr_dp_map_info(fd, &old) || xtr_dp_map_info(dp->map[XTR_M_EVENTS], &mine) || old.id == mine.id) {
		free(l);
	} else {
		xtr_dp_layout_read(dir, abi, since);
		l->dp = dp;
		l->octets = xtr_dp_event_octets(since[XTR_M_EVENTS]);
		l->ring = ring_buffer__new(fd, xtr_dp_left_event, l, NULL);
		l->next = dp->left;
		dp->left = l;
	}
	close(fd);
}

static int xtr_dp_end_folder(void *arg, const char *name)
{
	struct xtr_dp_ending *e = arg;
	unsigned abi, cache, rloc;
	char dir[448];

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", e->dp->root, name);
	if (!strcmp(dir, e->dp->dir))
		return 0;
	e->dir = dir;
	e->folders++;
	for (unsigned i = 0; i < 2; i++) { /* of ports that have no role any more: XDP first */
		e->xdp = !i;
		xtr_dp_each_name(dir, xtr_dp_end_link, e);
	}
	xtr_dp_left_keep(e->dp, dir, abi);
	xtr_dp_remove_folder(dir);
	return 0;
}

void xtr_dp_programs_end(void)
{
	/* waits for an RCU grace period; where it is not to be had, for longer than any program runs */
	if (syscall(__NR_membarrier, XTR_MEMBARRIER_GLOBAL, 0, 0))
		usleep(50000);
}

/* Everything runs on the new programs. On return no old one runs any more. */
void xtr_dp_upgrade_finish(struct xtr_dp *dp)
{
	struct xtr_dp_ending e = { .dp = dp };

	xtr_dp_at("attached");
	xtr_dp_each_name(dp->root, xtr_dp_end_folder, &e);
	if (e.folders)
		xtr_dp_programs_end();
	xtr_dp_at("finished");
}

/* Reads old rings to their end. At the first turn, when the daemon can resolve what packets in it wait for. */
void xtr_dp_left_turn(struct xtr_dp *dp)
{
	while (dp->left) {
		struct xtr_dp_left *l = dp->left;

		dp->left = l->next;
		if (l->ring)
			ring_buffer__consume(l->ring);
		if (l->seen)
			xtr_info("%u packets and requests taken over from the programs before", l->seen - l->lost);
		if (l->lost) {
			xtr_dp_drop(dp, XTR_DROP_INJECT_FAILED, l->lost);
			xtr_warn("%u packets that waited for a mapping are lost: they were captured by a later version, in a "
				 "form that this one does not know", l->lost);
		}
		ring_buffer__free(l->ring);
		free(l);
	}
}

void xtr_dp_left_free(struct xtr_dp *dp)
{
	while (dp->left) {
		struct xtr_dp_left *l = dp->left;

		dp->left = l->next;
		ring_buffer__free(l->ring);
		free(l);
	}
}

/* A start that failed: the folder it made goes, unless links are in it already. */
void xtr_dp_upgrade_undo(struct xtr_dp *dp)
{
	if (dp->built && !xtr_dp_links_in(dp->dir))
		xtr_dp_remove_folder(dp->dir);
}
