// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Network namespaces of tenants: those that overlay devices are placed into. For each one there are sockets inside it, for
 * requests and for notifications, and the addresses found there. A namespace is known by its name and told from its
 * successors by device and inode of its file. Sockets keep a namespace alive, so the names are looked at every second: when
 * one is gone, or stands for another namespace, what we made there is removed and the sockets are closed.
 *
 * What is in which namespace is noted in the pinned map xtr_places, for detach, for xtrctl, and for the next daemon, whose
 * configuration may say something else. Nothing else here depends on the note.
 *
 * Owner of struct xtr_dp_ns: dp->nss. An overlay device points to its own; it never outlives the array.
 */
#include "dp/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define XTR_DP_NETNS_DIR "/run/netns"

/* A name is one of `ip netns`. */
static void xtr_dp_ns_path(char out[PATH_MAX], const char *where)
{
	snprintf(out, PATH_MAX, "%s%s", strchr(where, '/') ? "" : XTR_DP_NETNS_DIR "/", where);
}

static bool xtr_dp_ns_is_own(const struct xtr_dp *dp, const struct stat *st)
{
	return st->st_dev == dp->made.netns_dev && st->st_ino == dp->made.netns_ino;
}

/* Notifications of all namespaces by one fd. */
int xtr_dp_watch(struct xtr_dp *dp, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (dp->mon_fd < 0)
		dp->mon_fd = epoll_create1(EPOLL_CLOEXEC);
	if (dp->mon_fd < 0 || epoll_ctl(dp->mon_fd, EPOLL_CTL_ADD, fd, &e))
		return -errno;
	return 0;
}

static void xtr_dp_ns_close(struct xtr_dp_ns *ns)
{
	xtr_nl_monitor_close(ns->mon);
	xtr_nl_close(ns->nl);
	if (ns->fd >= 0)
		close(ns->fd);
	free(ns->addrs);
	ns->mon = NULL;
	ns->nl = NULL;
	ns->addrs = NULL;
	ns->addr_count = 0;
	ns->fd = -1;
}

void xtr_dp_ns_free(struct xtr_dp *dp)
{
	for (unsigned i = 0; i < dp->ns_count; i++) {
		xtr_dp_ns_close(dp->nss[i]);
		free(dp->nss[i]);
	}
	dp->ns_count = 0;
}

#define XTR_DP_LEAVE_MAX 1024 /* routes: it is the tenant who says how many there are */

/* Rules and routes of ours in a namespace that we leave; devices go by their peer ends. */
static void xtr_dp_ns_clean(struct xtr_dp *dp, struct xtr_nl *nl, const char *where)
{
	unsigned rules, routes, neighs;
	int r = xtr_dp_check_others(nl, dp->root, NULL);

	if (!r)
		r = xtr_dp_routes_remove(nl, XTR_DP_LEAVE_MAX, &rules, &routes, &neighs);
	if (r)
		xtr_debug("network namespace %s: what was made there can not be removed: %s", where,
			  strerror(-r));
}

/* The name stands for another namespace now, or for none. */
static void xtr_dp_ns_leave(struct xtr_dp *dp, struct xtr_dp_ns *ns)
{
	if (ns->fd < 0)
		return;
	for (unsigned i = 0; i < dp->ov_count; i++) {
		if (dp->ovs[i].ns != ns)
			continue;
		if (dp->ovs[i].peer)
			xtr_nl_link_del(dp->nl, dp->ovs[i].peer);
		dp->ovs[i].peer = dp->ovs[i].far = 0;
		dp->ovs[i].ready = false;
	}
	xtr_dp_ns_clean(dp, ns->nl, ns->where);
	xtr_dp_ns_close(ns);
}

static int xtr_dp_ns_enter(struct xtr_dp *dp, struct xtr_dp_ns *ns, int fd, struct xtr_err *err)
{
	int r;

	ns->fd = fd;
	r = xtr_nl_open_at(fd, &ns->nl);
	if (!r)
		r = xtr_nl_monitor_open_at(fd, &ns->mon);
	if (!r)
		r = xtr_dp_watch(dp, xtr_nl_monitor_fd(ns->mon));
	if (r == -EPERM)
		return xtr_fail(err, r,
				"network namespace %s: entering it needs CAP_SYS_ADMIN, which xtrd keeps only if the configuration it "
				"starts with has overlay[].namespace; restart xtrd (traffic goes on meanwhile)",
				ns->where);
	if (r)
		return xtr_fail(err, r, "network namespace %s: %s", ns->where, strerror(-r));
	return xtr_dp_check_others(ns->nl, dp->root, err);
}

/* -ENOENT: there is none of that name. */
static int xtr_dp_ns_look(struct xtr_dp *dp, struct xtr_dp_ns *ns, struct xtr_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int fd, r;

	xtr_dp_ns_path(path, ns->where);
	fd = xtr_nl_netns_open(path);
	if ((fd == -EACCES || fd == -EPERM) && ns->fd >= 0)
		return 0; /* /proc/PID/ns/net after privileges were given up: as long as it is not gone, it is the same */
	if (fd < 0) {
		xtr_dp_ns_leave(dp, ns);
		if (fd == -ENOENT || fd == -EMEDIUMTYPE)
			return xtr_fail(err, -ENOENT, "there is no network namespace %s (key overlay[].namespace)%s%s",
					ns->where, *ns->where == '/' ? "" : "; make it: ip netns add ",
					*ns->where == '/' ? "" : ns->where);
		return xtr_fail(err, fd, "network namespace %s (key overlay[].namespace): %s%s", ns->where, strerror(-fd),
				(fd == -EACCES || fd == -EPERM) && !strncmp(ns->where, "/proc/", 6) ?
					"; looking into a process takes CAP_SYS_PTRACE (in the systemd unit: and ProtectProc=default)" : "");
	}
	if (fstat(fd, &st)) {
		r = -errno;
		close(fd);
		return r;
	}
	if (ns->fd >= 0 && st.st_dev == ns->dev && st.st_ino == ns->ino) {
		close(fd);
		return 0;
	}
	xtr_dp_ns_leave(dp, ns);
	if (xtr_dp_ns_is_own(dp, &st)) {
		close(fd);
		return xtr_fail(err, -EINVAL,
				"network namespace %s is the one xtrd runs in; remove the key overlay[].namespace", ns->where);
	}
	ns->dev = st.st_dev;
	ns->ino = st.st_ino;
	r = xtr_dp_ns_enter(dp, ns, fd, err);
	if (r)
		xtr_dp_ns_close(ns);
	return r;
}

static struct xtr_dp_ns *xtr_dp_ns_get(struct xtr_dp *dp, const char *where)
{
	struct xtr_dp_ns *ns;

	for (unsigned i = 0; i < dp->ns_count; i++)
		if (!strcmp(dp->nss[i]->where, where))
			return dp->nss[i];
	ns = dp->ns_count < XTR_DP_NSS ? calloc(1, sizeof(*ns)) : NULL;
	if (!ns)
		return NULL;
	snprintf(ns->where, sizeof(ns->where), "%s", where);
	ns->fd = -1;
	dp->nss[dp->ns_count++] = ns;
	return ns;
}

/* Finds the namespace of every overlay device. What is wrong with one is kept with it: the others go on, whatever a tenant
 * does in its own. strict: the daemon starts or is reconfigured, and what can only be our mistake is refused. */
int xtr_dp_namespaces(struct xtr_dp *dp, bool strict, struct xtr_err *err)
{
	for (unsigned i = 0; i < dp->ns_count; i++)
		dp->nss[i]->used = dp->nss[i]->looked = false;
	for (unsigned i = 0; i < dp->ov_count; i++) {
		struct xtr_dp_ov *ov = &dp->ovs[i];
		const char *where = dp->cfg.overlays[i].netns;
		struct xtr_dp_ns *ns;

		ov->elsewhere = where != NULL;
		ov->ns = NULL;
		if (!where)
			continue;
		ns = ov->ns = xtr_dp_ns_get(dp, where);
		if (!ns)
			return xtr_fail(err, -ENOMEM, "out of memory");
		ns->used = true;
		if (!ns->looked) {
			ns->why.text[0] = '\0';
			ns->error = xtr_dp_ns_look(dp, ns, &ns->why);
		}
		ns->looked = true;
		if (strict && (ns->error == -EPERM || ns->error == -EINVAL))
			return xtr_fail(err, ns->error, "overlay %s: %s", dp->cfg.overlays[i].name, ns->why.text);
	}
	return 0;
}

/* Once a second: does each name still stand for the same namespace? True: something has to be done. */
bool xtr_dp_namespaces_changed(struct xtr_dp *dp)
{
	char path[PATH_MAX];
	struct stat st;

	for (unsigned i = 0; i < dp->ns_count; i++) {
		const struct xtr_dp_ns *ns = dp->nss[i];

		xtr_dp_ns_path(path, ns->where);
		if (stat(path, &st)) {
			if (ns->fd >= 0 && errno != EACCES && errno != EPERM)
				return true;
		} else if (ns->fd < 0 ? ns->error == -ENOENT && st.st_dev == dp->made.netns_dev
				      : st.st_dev != ns->dev || st.st_ino != ns->ino) {
			return true; /* all namespaces are files of one file system */
		}
	}
	return false;
}

/* ---- the note */

/* Namespace of a note: by its name, else by any that `ip netns` knows. */
static int xtr_dp_place_find(const struct xtr_dp_place *p)
{
	char path[PATH_MAX];
	struct stat st;
	struct dirent *e;
	DIR *d;
	int fd;

	xtr_dp_ns_path(path, p->where);
	fd = xtr_nl_netns_open(path);
	if (fd >= 0 && !fstat(fd, &st) && st.st_dev == p->dev && st.st_ino == p->ino)
		return fd;
	if (fd >= 0)
		close(fd);
	d = opendir(XTR_DP_NETNS_DIR);
	fd = -ENOENT;
	while (d && fd < 0 && (e = readdir(d))) {
		snprintf(path, sizeof(path), XTR_DP_NETNS_DIR "/%s", e->d_name);
		if (!stat(path, &st) && st.st_dev == p->dev && st.st_ino == p->ino)
			fd = xtr_nl_netns_open(path);
	}
	if (d)
		closedir(d);
	return fd < 0 ? -ENOENT : fd;
}

/* -ENOENT: it is gone. */
int xtr_dp_place_open(const struct xtr_dp_place *p, struct xtr_nl **nl)
{
	int fd = xtr_dp_place_find(p), r;

	if (fd < 0)
		return fd;
	r = xtr_nl_open_at(fd, nl);
	close(fd);
	return r;
}

unsigned xtr_dp_places_read(const char *dir, struct xtr_dp_place out[XTR_DP_NAMESPACES])
{
	struct bpf_map_info info;
	char path[PATH_MAX];
	unsigned n = 0;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, XTR_DP_MAP_PLACES) >= (int)sizeof(path))
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	for (__u32 i = 0; i < XTR_DP_NAMESPACES && !xtr_dp_map_info(fd, &info) &&
			  info.value_size == sizeof(*out) && !bpf_map_lookup_elem(fd, &i, &out[n]);
	     i++) {
		out[n].where[sizeof(out[n].where) - 1] = out[n].device[sizeof(out[n].device) - 1] = '\0';
		n += out[n].where[0] != '\0';
	}
	close(fd);
	return n;
}

/* At start: what the former daemon noted, in whichever folder. */
static int xtr_dp_places_from(void *arg, const char *name)
{
	struct xtr_dp_place more[XTR_DP_NAMESPACES];
	struct xtr_dp *dp = arg;
	unsigned abi, cache, rloc, n;
	char dir[PATH_MAX];

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", dp->root, name);
	n = xtr_dp_places_read(dir, more);
	for (unsigned i = 0; i < n && dp->place_count < XTR_DP_NAMESPACES; i++)
		dp->places[dp->place_count++] = more[i];
	return 0;
}

void xtr_dp_places_load(struct xtr_dp *dp)
{
	dp->place_count = 0;
	xtr_dp_each_name(dp->root, xtr_dp_places_from, dp);
}

static bool xtr_dp_ns_in_use(const struct xtr_dp *dp, uint64_t dev, uint64_t ino)
{
	for (unsigned i = 0; i < dp->ns_count; i++)
		if (dp->nss[i]->used && dp->nss[i]->fd >= 0 && dp->nss[i]->dev == dev && dp->nss[i]->ino == ino)
			return true;
	return dp->made.netns_dev == dev && dp->made.netns_ino == ino;
}

static int xtr_dp_places_write(struct xtr_dp *dp, const struct xtr_dp_place *now, unsigned n)
{
	char path[PATH_MAX];
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dp->dir, XTR_DP_MAP_PLACES) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	if (fd < 0 && !n)
		return 0;
	if (fd < 0) {
		fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, XTR_DP_MAP_PLACES, sizeof(__u32), sizeof(*now),
				    XTR_DP_NAMESPACES, NULL);
		if (fd < 0)
			return -errno;
		r = xtr_dp_pin(fd, dp->dir, XTR_DP_MAP_PLACES);
	}
	for (__u32 i = 0; i < XTR_DP_NAMESPACES && !r; i++)
		r = bpf_map_update_elem(fd, &i, &now[i], BPF_ANY) ? -errno : 0;
	close(fd);
	return r;
}

static bool xtr_dp_place_noted(const struct xtr_dp *dp, const struct xtr_dp_ov *ov)
{
	for (unsigned i = 0; i < dp->place_count; i++)
		if (dp->places[i].dev == ov->ns->dev && dp->places[i].ino == ov->ns->ino &&
		    dp->places[i].peer == (__u32)ov->peer)
			return true;
	return false;
}

/* Notes what is where. keep: what was noted before stays; so a start that fails, or is killed, after it made something in a
 * namespace, has said so. */
void xtr_dp_places_update(struct xtr_dp *dp, bool keep)
{
	struct xtr_dp_place now[XTR_DP_NAMESPACES];
	unsigned n = 0;
	int r;

	memset(now, 0, sizeof(now));
	for (; keep && n < dp->place_count && n < XTR_DP_NAMESPACES; n++)
		now[n] = dp->places[n];
	for (unsigned i = 0; i < dp->ov_count && n < XTR_DP_NAMESPACES; i++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];

		if (!ov->ns || ov->ns->fd < 0 || !ov->peer || (keep && xtr_dp_place_noted(dp, ov)))
			continue;
		now[n].dev = ov->ns->dev;
		now[n].ino = ov->ns->ino;
		now[n].ifindex = (__u32)ov->far;
		now[n].peer = (__u32)ov->peer;
		snprintf(now[n].device, sizeof(now[n].device), "%s", ov->name);
		snprintf(now[n++].where, sizeof(now[0].where), "%s", ov->ns->where);
	}
	if (n == dp->place_count && !memcmp(now, dp->places, n * sizeof(*now)))
		return;
	r = xtr_dp_places_write(dp, now, n);
	if (r) {
		xtr_warn("map %s: %s", XTR_DP_MAP_PLACES, strerror(-r));
		return;
	}
	memcpy(dp->places, now, sizeof(now));
	dp->place_count = n;
}

void xtr_dp_namespaces_sweep(struct xtr_dp *dp)
{
	for (unsigned i = 0; i < dp->place_count; i++) {
		const struct xtr_dp_place *p = &dp->places[i];
		struct xtr_nl *nl = NULL;

		if (xtr_dp_ns_in_use(dp, p->dev, p->ino) || xtr_dp_place_open(p, &nl))
			continue;
		xtr_dp_ns_clean(dp, nl, p->where);
		xtr_nl_close(nl);
	}
	xtr_dp_places_update(dp, false);
	for (unsigned i = 0; i < dp->ns_count;)
		if (!dp->nss[i]->used) {
			xtr_dp_ns_close(dp->nss[i]);
			free(dp->nss[i]);
			dp->nss[i] = dp->nss[--dp->ns_count];
		} else {
			i++;
		}
}
