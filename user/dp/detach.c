// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Removes everything that was ever made here: the helper device of LISP-GPE, XDP links, then TC links and filters, rules and routes
 * (protocol 76), overlay devices (by xtr_made and alias), neighbours, pins, folders. Nothing is
 * needed from the configuration or a running daemon, and every step works when the former ones found
 * nothing. The one setting of a device that is not ours that is ever changed, rx-vlan-offload (tags.c), is restored.
 */
#include "dp/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct xtr_dp_undo {
	struct xtr_nl *nl;
	const char *root;
	char dir[PATH_MAX], alias[64];
	void (*say)(void *, const char *);
	void *ctx;
	/* which links to remove now; pins are of another network namespace */
	bool xdp, foreign;
	unsigned links;
	int failed;
};

static void xtr_dp_say(struct xtr_dp_undo *u, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void xtr_dp_say(struct xtr_dp_undo *u, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!u->say)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	u->say(u->ctx, line);
}

static int xtr_dp_undo_link(void *arg, const char *name)
{
	struct xtr_dp_undo *u = arg;
	char path[PATH_MAX], prog[16];
	int ifindex;

	if (xtr_dp_link_parse(name, prog, &ifindex) || u->xdp != !strncmp(prog, "xtr_xdp", 7))
		return 0;
	snprintf(path, sizeof(path), "%.*s/%s", (int)sizeof(path) - 300, u->dir, name);
	xtr_dp_link_remove(path);
	if (!access(path, F_OK))
		u->failed = -EACCES;
	else
		xtr_dp_say(u, "detached %s from interface index %d", prog, ifindex);
	u->links++;
	return 0;
}

static int xtr_dp_undo_links(void *arg, const char *name)
{
	struct xtr_dp_undo *u = arg;
	unsigned abi, cache, rloc;

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(u->dir, sizeof(u->dir), "%s/%s", u->root, name);
	return xtr_dp_each_name(u->dir, xtr_dp_undo_link, u);
}

static void xtr_dp_undo_device(struct xtr_dp_undo *u, struct xtr_dp_made_dev *d)
{
	struct xtr_nl_link l;
	int r;

	if (xtr_dp_overlay_begun(u->nl, d, u->alias, &l)) {
		r = xtr_nl_link_del(u->nl, l.ifindex);
		if (r)
			u->failed = r;
		else
			xtr_dp_say(u, "removed overlay device %s", l.name);
	}
	if (xtr_nl_link_get(u->nl, (int)d->ifindex, NULL, &l))
		return; /* gone already */
	if (d->flags & (XTR_MADE_INGRESS | XTR_MADE_EGRESS | XTR_MADE_CLSACT) &&
	    !strcmp(l.name, d->name)) {
		r = xtr_dp_clsact_remove(u->nl, d);
		if (r)
			u->failed = r;
		xtr_dp_say(u, "removed TC filters from %s", d->name);
	}
	if (d->flags & (XTR_MADE_RXVLAN | XTR_MADE_RXSTAG)) {
		xtr_dp_tags_restore(d);
		xtr_dp_say(u, "switched rx-vlan-offload of %s on again", d->name);
	}
	if (d->flags & XTR_MADE_OVERLAY && !strcmp(l.alias, u->alias) && !strcmp(l.kind, "veth")) {
		r = xtr_nl_link_del(u->nl, l.ifindex);
		if (r)
			u->failed = r;
		else
			xtr_dp_say(u, "removed overlay device %s", l.name);
	}
}

/* Rules and routes in the namespaces of tenants, as noted in the folder; the devices there go with their peer ends. A
 * namespace that is gone has taken them along. */
static void xtr_dp_undo_places(struct xtr_dp_undo *u, const char *dir)
{
	struct xtr_dp_place places[XTR_DP_NAMESPACES];
	unsigned n = xtr_dp_places_read(dir, places);

	for (unsigned i = 0; i < n; i++) {
		unsigned rules = 0, routes = 0, neighs = 0;
		struct xtr_nl *nl = NULL;
		bool again = false;
		int r;

		for (unsigned j = 0; j < i; j++)
			again |= places[j].dev == places[i].dev && places[j].ino == places[i].ino;
		if (again)
			continue;
		r = xtr_dp_place_open(&places[i], &nl);
		if (r == -ENOENT)
			continue;
		if (!r && !xtr_dp_check_others(nl, u->root, NULL)) /* or those of the other would go */
			r = xtr_dp_routes_remove(nl, 0, &rules, &routes, &neighs);
		if (r)
			u->failed = r;
		if (rules || routes || neighs)
			xtr_dp_say(u, "removed %u rules, %u routes and %u neighbours in network namespace %s", rules, routes,
				   neighs, places[i].where);
		xtr_nl_close(nl);
	}
}

/* Devices and filters, as noted in the folder. */
static int xtr_dp_undo_made(void *arg, const char *name)
{
	struct xtr_dp_undo *u = arg;
	unsigned abi, cache, rloc;
	struct xtr_dp_made made;
	char dir[PATH_MAX];
	uint64_t dev, ino;

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", u->root, name);
	if (xtr_dp_made_read(dir, &made))
		return 0;
	xtr_dp_netns(&dev, &ino);
	u->foreign |= made.netns_dev != dev || made.netns_ino != ino;
	if (!u->foreign)
		xtr_dp_undo_places(u, dir);
	for (unsigned i = 0; i < made.count && i < XTR_DP_MADE_DEVS && !u->foreign; i++)
		xtr_dp_undo_device(u, &made.dev[i]);
	return 0;
}

/* Overlay devices whose note is lost (bpffs unmounted, machine rebooted into the same namespace). */
struct xtr_dp_strays {
	const char *alias;
	int ifindex[XTR_MAX_PORTS];
	unsigned n;
};
static int xtr_dp_stray(void *arg, const struct xtr_nl_link *l)
{
	struct xtr_dp_strays *s = arg;

	if (!strcmp(l->kind, "veth") && !strcmp(l->alias, s->alias) && s->n < XTR_MAX_PORTS)
		s->ifindex[s->n++] = l->ifindex;
	return 0;
}

/* The helper device of LISP-GPE: before anything else, while its fence is up. */
static int xtr_dp_stray_gpe(void *arg, const struct xtr_nl_link *l)
{
	struct xtr_dp_strays *s = arg;

	if (xtr_dp_gpe_is(l, s->alias) && s->n < XTR_MAX_PORTS)
		s->ifindex[s->n++] = l->ifindex;
	return 0;
}

static void xtr_dp_undo_gpe(struct xtr_dp_undo *u)
{
	struct xtr_dp_strays strays = { .alias = u->alias };
	int r;

	xtr_nl_links(u->nl, xtr_dp_stray_gpe, &strays);
	for (unsigned i = 0; i < strays.n; i++) {
		r = xtr_nl_link_del(u->nl, strays.ifindex[i]);
		if (r)
			u->failed = r;
		else
			xtr_dp_say(u, "removed helper device %s", XTR_DP_GPE);
	}
}

static int xtr_dp_undo_folder(void *arg, const char *name)
{
	struct xtr_dp_undo *u = arg;
	unsigned abi, cache, rloc;
	int r;

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(u->dir, sizeof(u->dir), "%s/%s", u->root, name);
	r = xtr_dp_remove_folder(u->dir);
	if (r)
		u->failed = r;
	else
		xtr_dp_say(u, "removed maps and programs pinned in %s", u->dir);
	return 0;
}

/* The caller holds the lock, or was told to do without. */
int xtr_dp_unmake(struct xtr_nl *nl, const char *root, void (*say)(void *, const char *), void *ctx,
		  struct xtr_err *err)
{
	struct xtr_dp_undo u = { .nl = nl, .root = root, .say = say, .ctx = ctx, .xdp = true };
	unsigned rules = 0, routes = 0, neighs = 0;
	struct xtr_dp_strays strays = { .alias = u.alias };
	int r;

	xtr_dp_alias(u.alias, root);
	xtr_dp_undo_gpe(&u);
	xtr_dp_each_name(root, xtr_dp_undo_links, &u);
	u.xdp = false;
	xtr_dp_each_name(root, xtr_dp_undo_links, &u);
	r = xtr_dp_routes_remove(nl, 0, &rules, &routes, &neighs);
	if (r)
		u.failed = r;
	if (rules || routes || neighs)
		xtr_dp_say(&u, "removed %u rules, %u routes and %u neighbours", rules, routes,
			   neighs);
	xtr_dp_each_name(root, xtr_dp_undo_made, &u);
	xtr_nl_links(nl, xtr_dp_stray, &strays);
	for (unsigned i = 0; i < strays.n; i++)
		if (!xtr_nl_link_del(nl, strays.ifindex[i]))
			xtr_dp_say(&u, "removed an overlay device (index %d)", strays.ifindex[i]);
	xtr_dp_each_name(root, xtr_dp_undo_folder, &u);
	xtr_dp_unfinished_remove(root);
	snprintf(u.dir, sizeof(u.dir), "%s/%s", root, XTR_DP_DETACHING);
	rmdir(u.dir);
	if (rmdir(root) && errno != ENOENT)
		u.failed = -errno;
	if (u.foreign)
		xtr_dp_say(
			&u,
			"note: these pins were made in another network namespace; run detach there too for devices and routes");
	return u.failed ? xtr_fail(err, u.failed,
				   "%s: not everything could be removed: %s; run it again as root",
				   root, strerror(-u.failed))
			: 0;
}

/* By force under a running daemon: it must not make again what goes. What it is making now, it may finish. */
static void xtr_dp_detach_mark(const char *root)
{
	char mark[256];

	snprintf(mark, sizeof(mark), "%s/%s", root, XTR_DP_DETACHING);
	if (!mkdir(mark, 0700))
		usleep(200000);
}

int xtr_dp_detach(const char *bpffs, bool force, void (*say)(void *, const char *line), void *ctx,
		  struct xtr_err *err)
{
	char root[192];
	struct xtr_nl *nl = NULL;
	int lock = -1, r = xtr_dp_bpffs_ready(bpffs, false, err);
	bool pins = !r;

	if (r && r != -ENOENT)
		return r;
	snprintf(root, sizeof(root), "%s/xtr", bpffs);
	if (pins && access(root, F_OK))
		pins = false;
	if (pins) {
		lock = xtr_dp_lock(root, err);
		if (lock == -EBUSY && !force)
			return xtr_fail(
				err, -EBUSY,
				"%s: a running xtrd holds it; stop xtrd first (systemctl stop xtrd), or use force",
				root);
		if (lock < 0 && lock != -EBUSY)
			return lock;
	}
	r = xtr_nl_open(&nl);
	if (r)
		xtr_fail(err, r, "netlink: %s", strerror(-r));
	else if (!force)
		r = xtr_dp_check_others(nl, root, err); /* or its routes and rules would go */
	if (!r && !force && pins && (r = xtr_dp_check_foreign(root)))
		xtr_fail(err, r,
			 "%s: the programs of these pins run in another network namespace: run xtrctl detach there (nsenter "
			 "--net=...), or use force: then devices, routes and rules stay behind there",
			 root);
	if (!r) {
		if (lock == -EBUSY)
			xtr_dp_detach_mark(root);
		r = xtr_dp_unmake(nl, root, say, ctx, err);
	}
	xtr_nl_close(nl);
	if (lock >= 0)
		close(lock);
	return r;
}
