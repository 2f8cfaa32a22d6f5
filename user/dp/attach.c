// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs on interfaces. Every attachment is a bpf_link pinned as link_<program>_<ifindex>, so it
 * survives the daemon, and is taken over by replacing the program in the link: one atomic step.
 * Below Linux 6.6 there are no links for TC: there a filter on a clsact qdisc, noted in xtr_made.
 * TC is attached before XDP and XDP is detached first, because what XDP decapsulates depends on the
 * TC program behind it.
 */
#include "dp/internal.h"

#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool xtr_dp_no_tcx;

enum xtr_dp_dir { XTR_DP_XDP, XTR_DP_INGRESS, XTR_DP_EGRESS };
struct xtr_dp_want {
	enum xtr_dp_prog prog;
	int ifindex;
	enum xtr_dp_dir dir;
	uint32_t xdp_flags;
	const char *ifname;
	uint32_t mtu;
};

bool xtr_dp_is_soft(const char *kind, const char *driver)
{
	return !strcmp(kind, "veth") || !strcmp(kind, "tun") || !strcmp(kind, "bridge") ||
	       !strcmp(driver, "veth") || !strcmp(driver, "tun") || !strcmp(driver, "bridge");
}

struct xtr_dp_if *xtr_dp_if_by_index(struct xtr_dp *dp, int ifindex)
{
	for (unsigned i = 0; i < dp->if_count; i++)
		if (ifindex && dp->ifs[i].ifindex == ifindex)
			return &dp->ifs[i];
	return NULL;
}

/* Mode in effect. On virtual devices TC keeps super-packets whole, which is worth more than XDP
 * there. */
uint8_t xtr_dp_mode(const struct xtr_dp_port *p, const struct xtr_nl_link *l, bool soft,
		    bool features_known, uint64_t features)
{
	if (p->mode != XTR_MODE_AUTO && p->mode != XTR_MODE_NONE)
		return p->mode;
	if (soft || !*l->name || l->type != ARPHRD_ETHER)
		return XTR_MODE_TC;
	if (features_known)
		return (features & (XTR_NL_XDP_BASIC | XTR_NL_XDP_REDIRECT)) ==
				       (XTR_NL_XDP_BASIC | XTR_NL_XDP_REDIRECT)
			       ? XTR_MODE_XDP
			       : XTR_MODE_TC;
	/* an older kernel: a physical device is tried, and TC if it refuses */
	return *l->kind ? XTR_MODE_TC : XTR_MODE_XDP;
}

/*
 * Who would send a frame on that is addressed to nobody: the bridge, or what is like one (Open vSwitch, batman-adv, HSR), that this
 * device or the bond above it is a port of. A bond or a team by itself has no other way for it, a VRF no say in frames.
 */
void xtr_dp_relayed(struct xtr_nl *nl, const struct xtr_nl_link *l, struct xtr_dp_relay *out)
{
	struct xtr_nl_link at = *l, up;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < XTR_DP_STACKED && at.master; i++, at = up) {
		if (xtr_nl_link_get(nl, at.master, NULL, &up) || !strcmp(up.kind, "vrf"))
			return;
		if (!strcmp(up.kind, "bond") || !strcmp(up.kind, "team"))
			continue;
		memcpy(out->bridge, up.name, sizeof(out->bridge));
		memcpy(out->port, at.name, sizeof(out->port));
		return;
	}
}

/* Mode by plan, and why it is not XDP. What XDP decapsulated a bridge would flood, if our TC program behind it went: so not
 * even where XDP is asked for. */
static void xtr_dp_plan(struct xtr_dp *dp, const struct xtr_dp_port *p, struct xtr_dp_if *f, const struct xtr_nl_link *l)
{
	char driver[32] = "";
	uint64_t features = 0;
	bool known = !xtr_nl_xdp_features(dp->nl, l->ifindex, &features);

	xtr_nl_driver(p->name, driver, sizeof(driver));
	f->soft = xtr_dp_is_soft(l->kind, driver);
	f->ndo_xmit = known ? features & XTR_NL_XDP_NDO_XMIT : !f->soft;
	f->apart = p->role == XTR_ROLE_EID && !p->vlan && xtr_dp_other_end(dp, l);
	f->wanted = p->mode;
	f->planned = xtr_dp_mode(p, l, f->soft, known, features);
	f->why = f->planned != XTR_MODE_TC || p->mode == XTR_MODE_TC ? XTR_WHY_NONE :
		 f->soft				    ? XTR_WHY_SOFT :
							      XTR_WHY_DRIVER;
	memset(&f->relay, 0, sizeof(f->relay));
	if (f->planned == XTR_MODE_TC || p->role != XTR_ROLE_UNDERLAY)
		return;
	xtr_dp_relayed(dp->nl, l, &f->relay);
	if (!f->relay.bridge[0])
		return;
	if (p->mode == XTR_MODE_AUTO)
		f->planned = XTR_MODE_TC;
	f->why = XTR_WHY_BRIDGE;
}

/* Looks at every configured port. One that is missing is an error at start only; later it may come
 * back. */
int xtr_dp_ports_read(struct xtr_dp *dp, struct xtr_err *err)
{
	bool native = false, generic = false;

	for (unsigned i = 0; i < dp->cfg.port_count; i++) {
		const struct xtr_dp_port *p = &dp->cfg.ports[i];
		struct xtr_dp_if *f = &dp->ifs[i];
		uint8_t before = f->mode, why = f->why;
		int was = f->ifindex;
		struct xtr_nl_link l;
		int r = xtr_nl_link_get(dp->nl, 0, p->name, &l);

		snprintf(f->name, sizeof(f->name), "%s", p->name);
		f->role = p->role;
		f->iid = p->iid;
		f->vlan = p->vlan;
		f->ifindex = 0;
		if (r && err)
			return xtr_fail(err, r, "interface %s: %s (key interfaces[].name)", p->name,
					r == -ENODEV ? "there is no such device" : strerror(-r));
		if (r)
			continue;
		f->ifindex = l.ifindex;
		f->mtu = l.mtu;
		f->flags = l.flags;
		f->master = l.master;
		f->type = l.type;
		memcpy(f->mac, l.mac, 6);
		xtr_dp_plan(dp, p, f, &l);
		if (was != f->ifindex)
			f->told = XTR_WHY_NONE;
		if (was != f->ifindex && f->role == XTR_ROLE_UNDERLAY && f->type != ARPHRD_ETHER)
			xtr_warn("interface %s is not an Ethernet device: " XTR_DP_NO_ETHER, f->name);
		f->mode = f->planned;
		/* What a driver refused is not asked of it again while the device is the same: a card stops for each try. */
		if (was == f->ifindex && before == XTR_MODE_TC && p->mode == XTR_MODE_AUTO &&
		    (why == XTR_WHY_REFUSED || why == XTR_WHY_BUSY)) {
			f->mode = before;
			f->why = why;
		}
		native |= p->role == XTR_ROLE_EID && f->mode == XTR_MODE_XDP;
		generic |= p->role == XTR_ROLE_EID && f->mode == XTR_MODE_XDP_GENERIC;
	}
	/* a redirect in generic mode goes out of any device */
	for (unsigned i = 0; i < dp->if_count; i++)
		if (generic && !native && dp->ifs[i].role == XTR_ROLE_UNDERLAY)
			dp->ifs[i].ndo_xmit = true;
	return 0;
}

/* ---- pins */

int xtr_dp_link_parse(const char *pin, char prog[16], int *ifindex)
{
	const char *last = strrchr(pin, '_');
	char *end;
	long n;

	if (strncmp(pin, "link_", 5) || !last || last <= pin + 5 || last - (pin + 5) > 15)
		return -EINVAL;
	n = strtol(last + 1, &end, 10);
	if (*end || n <= 0 || n > INT_MAX)
		return -EINVAL;
	memcpy(prog, pin + 5, (size_t)(last - (pin + 5)));
	prog[last - (pin + 5)] = '\0';
	*ifindex = (int)n;
	return 0;
}

/* The last reference would detach too, but later, and until then nothing else can be attached. */
void xtr_dp_link_remove(const char *path)
{
	int fd = bpf_obj_get(path);

	if (fd >= 0) {
		bpf_link_detach(fd);
		close(fd);
	}
	unlink(path);
}

static void xtr_dp_link_name(char out[48], enum xtr_dp_prog prog, int ifindex)
{
	snprintf(out, 48, "link_%s_%d", xtr_dp_prog_names[prog], ifindex);
}

/* The kernel's view, with fields libbpf's header of the build host may not have yet. */
struct xtr_dp_link_info {
	__u32 type, id, prog_id, pad, ifindex, attach_type;
};

static int xtr_dp_link_info(int fd, struct xtr_dp_link_info *out)
{
	union {
		struct bpf_link_info i;
		struct xtr_dp_link_info m;
		__u32 w[32];
	} u = { 0 };
	__u32 len = sizeof(u.i) > 24 ? sizeof(u.i) : 24;

	if (bpf_obj_get_info_by_fd(fd, &u, &len))
		return -errno;
	*out = u.m;
	return 0;
}

/* Fits the pinned link what is wanted? Its device may have gone, or its mode changed. */
static bool xtr_dp_link_fits(struct xtr_dp *dp, int fd, const struct xtr_dp_want *w)
{
	struct xtr_dp_link_info i = { 0 };
	struct xtr_nl_link l;

	if (xtr_dp_link_info(fd, &i) || (int)i.ifindex != w->ifindex)
		return false;
	if (w->dir != XTR_DP_XDP)
		return i.type == XTR_DP_LINK_TCX &&
		       i.attach_type ==
			       (w->dir == XTR_DP_INGRESS ? XTR_DP_TCX_INGRESS : XTR_DP_TCX_EGRESS);
	if (i.type != BPF_LINK_TYPE_XDP || xtr_nl_link_get(dp->nl, w->ifindex, NULL, &l))
		return false;
	return l.xdp == ((w->xdp_flags & XDP_FLAGS_SKB_MODE) ? XDP_ATTACHED_SKB : XDP_ATTACHED_DRV);
}

uint32_t xtr_dp_guard_id(const struct xtr_dp *dp, int ifindex)
{
	char name[48], path[sizeof(dp->dir) + sizeof(name)];
	struct xtr_dp_link_info i = { 0 };
	int fd;

	xtr_dp_link_name(name, XTR_P_GUARD, ifindex);
	snprintf(path, sizeof(path), "%s/%s", dp->dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (xtr_dp_link_info(fd, &i))
		i.prog_id = 0;
	close(fd);
	return i.prog_id;
}

static bool xtr_dp_link_runs(int fd, int prog)
{
	struct xtr_dp_link_info i = { 0 };
	struct bpf_prog_info p = { 0 };
	__u32 len = sizeof(p);

	return !xtr_dp_link_info(fd, &i) && !bpf_obj_get_info_by_fd(prog, &p, &len) &&
	       p.id == i.prog_id;
}

/* 1: taken over; 0: there is none that fits. prog: which it was made for. from: folder of the pin, moved into ours if it is
 * another. */
static int xtr_dp_link_take(struct xtr_dp *dp, const struct xtr_dp_want *w, enum xtr_dp_prog prog, const char *from)
{
	char name[48], path[PATH_MAX], to[PATH_MAX];
	int fd, r = 0;

	xtr_dp_link_name(name, prog, w->ifindex);
	snprintf(path, sizeof(path), "%s/%s", from, name);
	xtr_dp_link_name(name, w->prog, w->ifindex);
	snprintf(to, sizeof(to), "%s/%s", dp->dir, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (!xtr_dp_link_fits(dp, fd, w)) {
		close(fd);
		xtr_dp_link_remove(path);
		return 0;
	}
	if (!xtr_dp_link_runs(fd, dp->prog[w->prog]) &&
	    bpf_link_update(fd, dp->prog[w->prog], NULL))
		r = -errno;
	if (!r && strcmp(path, to) && rename(path, to))
		r = -errno;
	close(fd);
	return r ? r : 1;
}

/* Of this program; or of the XDP program of the other role, which the port had before: a device has room for one, and so
 * its frames are never without any. */
static int xtr_dp_link_take_any(struct xtr_dp *dp, const struct xtr_dp_want *w, const char *from)
{
	int r = xtr_dp_link_take(dp, w, w->prog, from);

	if (r || w->dir != XTR_DP_XDP)
		return r;
	return xtr_dp_link_take(dp, w, w->prog == XTR_P_XDP_EID ? XTR_P_XDP_UNDER : XTR_P_XDP_EID, from);
}

/* ---- filters on clsact, for kernels before tcx */

static int xtr_dp_clsact_attach(struct xtr_dp *dp, const struct xtr_dp_want *w)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = w->ifindex,
		    .attach_point = w->dir == XTR_DP_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = XTR_DP_TC_HANDLE, .priority = XTR_DP_TC_PRIORITY,
		    .prog_fd = dp->prog[w->prog], .flags = BPF_TC_F_REPLACE);
	struct xtr_dp_made_dev *made = xtr_dp_made_dev(&dp->made, w->ifindex, w->ifname, true);
	bool qdisc = false;
	unsigned filters;
	int r;

	if (!made)
		return -ENOSPC;
	r = xtr_nl_clsact(dp->nl, w->ifindex, &qdisc, &filters);
	if (r)
		return r;
	if (!qdisc) {
		r = bpf_tc_hook_create(&hook);
		if (r)
			return r;
		made->flags |= XTR_MADE_CLSACT;
	}
	made->flags |= w->dir == XTR_DP_INGRESS ? XTR_MADE_INGRESS : XTR_MADE_EGRESS;
	r = xtr_dp_made_save(dp);
	return r ? r : bpf_tc_attach(&hook, &opts);
}

/* The filter of one direction only. */
static void xtr_dp_clsact_egress_off(struct xtr_dp_made_dev *d)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)d->ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = XTR_DP_TC_HANDLE, .priority = XTR_DP_TC_PRIORITY);

	bpf_tc_detach(&hook, &opts);
	d->flags &= ~(__u32)XTR_MADE_EGRESS;
}

/* Removes our filters from a device, and the qdisc if we made it and nobody else uses it. */
int xtr_dp_clsact_remove(struct xtr_nl *nl, struct xtr_dp_made_dev *d)
{
	LIBBPF_OPTS(bpf_tc_hook, in, .ifindex = (int)d->ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_hook, out, .ifindex = (int)d->ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_hook, both, .ifindex = (int)d->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = XTR_DP_TC_HANDLE, .priority = XTR_DP_TC_PRIORITY);
	struct xtr_nl_link l;
	unsigned filters = 1;
	bool qdisc = false;
	int r = 0;

	if (!xtr_nl_link_get(nl, (int)d->ifindex, NULL, &l)) {
		if (d->flags & XTR_MADE_INGRESS)
			r = bpf_tc_detach(&in, &opts);
		if (d->flags & XTR_MADE_EGRESS)
			r = bpf_tc_detach(&out, &opts);
		if (d->flags & XTR_MADE_CLSACT &&
		    !xtr_nl_clsact(nl, (int)d->ifindex, &qdisc, &filters) && qdisc && !filters)
			bpf_tc_hook_destroy(&both);
	}
	d->flags &= ~(__u32)(XTR_MADE_INGRESS | XTR_MADE_EGRESS | XTR_MADE_CLSACT);
	return r == -ENOENT ? 0 : r;
}

/* ---- attach */

static int xtr_dp_link_make(struct xtr_dp *dp, const struct xtr_dp_want *w)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = w->xdp_flags);
	enum bpf_attach_type type = BPF_XDP;
	char name[48];
	int fd, r;

	if (w->dir != XTR_DP_XDP)
		type = (enum bpf_attach_type)(w->dir == XTR_DP_INGRESS ? XTR_DP_TCX_INGRESS
								       : XTR_DP_TCX_EGRESS);
	if (w->dir != XTR_DP_XDP && xtr_dp_no_tcx)
		return xtr_dp_clsact_attach(dp, w);
	fd = bpf_link_create(dp->prog[w->prog], w->ifindex, type,
			     w->dir == XTR_DP_XDP ? &opts : NULL);
	if (fd < 0) {
		r = -errno;
		return w->dir != XTR_DP_XDP && r == -EINVAL ? xtr_dp_clsact_attach(dp, w) : r;
	}
	xtr_dp_link_name(name, w->prog, w->ifindex);
	r = xtr_dp_pin(fd, dp->dir, name);
	close(fd);
	return r;
}

static int xtr_dp_attach_fail(const struct xtr_dp_want *w, int r, struct xtr_err *err)
{
	if (w->dir != XTR_DP_XDP)
		return xtr_fail(err, r, "interface %s: cannot attach %s (TC): %s", w->ifname,
				xtr_dp_prog_names[w->prog], strerror(-r));
	if (r == -EBUSY || r == -EEXIST)
		return xtr_fail(
			err, r,
			"interface %s: another XDP program is attached; remove it (ip link set %s xdp off; ip link set %s "
			"xdpgeneric off) or use mode: tc",
			w->ifname, w->ifname, w->ifname);
	if (r == -EOPNOTSUPP && !(w->xdp_flags & XDP_FLAGS_SKB_MODE))
		return xtr_fail(
			err, r,
			"interface %s: its driver has no native XDP; use mode: auto, tc or xdp-generic",
			w->ifname);
	if ((r == -ERANGE || r == -EINVAL || r == -EOPNOTSUPP) && w->mtu > 1500)
		return xtr_fail(
			err, r,
			"interface %s: cannot attach XDP: %s; its MTU (or its peer's) of %u may be too large: ip link set %s mtu 1500, "
			"or use mode: tc",
			w->ifname, strerror(-r), w->mtu, w->ifname);
	return xtr_fail(err, r, "interface %s: cannot attach %s (XDP): %s; use mode: tc", w->ifname,
			xtr_dp_prog_names[w->prog], strerror(-r));
}

struct xtr_dp_from {
	struct xtr_dp *dp;
	const struct xtr_dp_want *w;
	int r;
};

/* Links of folders of another geometry or ABI. */
static int xtr_dp_take_elsewhere(void *arg, const char *name)
{
	struct xtr_dp_from *f = arg;
	unsigned abi, cache, rloc;
	char dir[PATH_MAX];

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", f->dp->root, name);
	if (strcmp(dir, f->dp->dir))
		f->r = xtr_dp_link_take_any(f->dp, f->w, dir);
	return f->r;
}

static int xtr_dp_attach_one(struct xtr_dp *dp, const struct xtr_dp_want *w, struct xtr_err *err)
{
	struct xtr_dp_from f = { dp, w, 0 };
	int r;

	xtr_dp_at("link");
	r = xtr_dp_link_take_any(dp, w, dp->dir);
	if (!r) {
		xtr_dp_each_name(dp->root, xtr_dp_take_elsewhere, &f);
		r = f.r;
	}
	if (!r)
		r = xtr_dp_link_make(dp, w);
	return r < 0 ? xtr_dp_attach_fail(w, r, err) : 0;
}

static int xtr_dp_attach_overlays(struct xtr_dp *dp, struct xtr_err *err)
{
	int r = 0;

	for (unsigned i = 0; i < dp->ov_count && !r; i++) {
		const struct xtr_dp_ov *ov = &dp->ovs[i];
		const struct xtr_dp_want want[] = {
			{ XTR_P_ENCAP, ov->peer, XTR_DP_INGRESS, 0, ov->peer_name, 0 },
			{ XTR_P_INJECT, ov->peer, XTR_DP_EGRESS, 0, ov->peer_name, 0 },
			{ XTR_P_ENCAP, ov->ifindex, XTR_DP_EGRESS, 0, ov->name, 0 },
		};

		/* elsewhere there is none on the device: it could not redirect to the underlay, which is here */
		for (unsigned j = 0; j < 3 && !r; j++)
			if (want[j].ifindex)
				r = xtr_dp_attach_one(dp, &want[j], err);
	}
	return r;
}

/* Slower than planned: said once for each device and reason; where it is not what the configuration asks for, with its place. */
static void xtr_dp_fall_back(struct xtr_dp *dp, struct xtr_dp_if *f, enum xtr_mode_why why, const char *detail)
{
	const struct xtr_dp_port *port = &dp->cfg.ports[f - dp->ifs];
	struct xtr_dp_probe p = { .unlock = "" };
	char where[PATH_MAX + 64] = "";
	struct xtr_err err;

	f->mode = XTR_MODE_TC;
	f->why = why;
	if (f->told == why)
		return;
	f->told = why;
	if (why == XTR_WHY_REFUSED)
		xtr_dp_probe_iface(f->name, f->role, &p, &err);
	if (port->line && port->mode != XTR_MODE_AUTO)
		snprintf(where, sizeof(where), "%s:%u:%u: interfaces[].mode is %s, but ", dp->cfg.file, port->line, port->column,
			 xtr_mode_name(port->mode));
	xtr_warn("%sinterface %s: runs in tc, not in %s: %s%s%s%s%s", where, f->name, xtr_mode_name(f->planned), xtr_mode_why(why),
		 *detail ? ": " : "", detail, *p.unlock ? "; this may help, then a reload: " : "", p.unlock);
}

/* XDP on one port. In mode auto a refusal means TC. */
static int xtr_dp_attach_xdp(struct xtr_dp *dp, unsigned i, struct xtr_err *err)
{
	struct xtr_dp_if *f = &dp->ifs[i];
	struct xtr_dp_want w = { f->role == XTR_ROLE_EID ? XTR_P_XDP_EID : XTR_P_XDP_UNDER,
				 f->ifindex,
				 XTR_DP_XDP,
				 f->mode == XTR_MODE_XDP ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE,
				 f->name,
				 f->mtu };
	struct xtr_err why = { "" };
	char detail[160];
	int r;

	if (f->relay.bridge[0]) {
		snprintf(detail, sizeof(detail), "%s would flood what XDP has decapsulated, if our TC program went; ip link set %s nomaster, "
			 "or mode: tc", f->relay.bridge, f->relay.port);
		xtr_dp_fall_back(dp, f, XTR_WHY_BRIDGE, detail);
		return 0;
	}
	if (!xtr_dp_tags_ready(dp, f)) {
		xtr_dp_fall_back(dp, f, XTR_WHY_TAGS, "`untagged-only: true` says that no tagged frames come in, `xtrctl feature probe` "
						      "what would show the tags, mode: tc is what runs now");
		return 0;
	}
	r = xtr_dp_attach_one(dp, &w, &why);
	if (!r) {
		f->told = XTR_WHY_NONE;
		return 0;
	}
	if (dp->cfg.ports[i].mode != XTR_MODE_AUTO)
		return xtr_fail(err, r, "%s", why.text);
	xtr_dp_fall_back(dp, f, r == -EBUSY || r == -EEXIST ? XTR_WHY_BUSY : XTR_WHY_REFUSED, why.text);
	return 0;
}

/* All ports of one device have the same XDP program, or none. Underlay comes first: it alone needs XDP of its own. */
static int xtr_dp_attach_xdp_device(struct xtr_dp *dp, unsigned i, struct xtr_err *err)
{
	struct xtr_dp_if *f = &dp->ifs[i];

	for (unsigned j = 0; j < i; j++) {
		const struct xtr_dp_if *g = &dp->ifs[j];

		if (g->ifindex != f->ifindex)
			continue;
		if (g->role == f->role) {
			f->mode = g->mode;
			f->why = g->why;
			return 0;
		}
		if (g->mode == XTR_MODE_XDP || g->mode == XTR_MODE_XDP_GENERIC) {
			xtr_dp_fall_back(dp, f, XTR_WHY_BUSY, "that of another role of the interface");
			return 0;
		}
	}
	if (f->mode != XTR_MODE_XDP && f->mode != XTR_MODE_XDP_GENERIC)
		return 0;
	return xtr_dp_attach_xdp(dp, i, err);
}

/* Tenants must not meet: what one has left to the stack is kept from the ports of another. Nobody to meet: nothing to pay. */
static bool xtr_dp_guarded(const struct xtr_dp *dp, const struct xtr_dp_if *f)
{
	return f->role == XTR_ROLE_EID && dp->ov_count > 1;
}

static int xtr_dp_attach_guard(struct xtr_dp *dp, const struct xtr_dp_if *f, struct xtr_err *err)
{
	const struct xtr_dp_want w = { XTR_P_GUARD, f->ifindex, XTR_DP_EGRESS, 0, f->name, f->mtu };

	return xtr_dp_guarded(dp, f) ? xtr_dp_attach_one(dp, &w, err) : 0;
}

int xtr_dp_attach(struct xtr_dp *dp, struct xtr_err *err)
{
	int r = xtr_dp_attach_overlays(dp, err);

	for (unsigned i = 0; i < dp->if_count && !r; i++) {
		struct xtr_dp_if *f = &dp->ifs[i];
		struct xtr_dp_want w = { f->role == XTR_ROLE_EID ? XTR_P_ENCAP : XTR_P_UNDERLAY,
					 f->ifindex,
					 XTR_DP_INGRESS,
					 0,
					 f->name,
					 f->mtu };

		if (!f->ifindex)
			continue;
		r = xtr_dp_attach_guard(dp, f, err);
		if (!r)
			r = xtr_dp_attach_one(dp, &w, err);
		if (!r)
			r = xtr_dp_attach_xdp_device(dp, i, err);
	}
	return r;
}

int xtr_dp_attach_fence(struct xtr_dp *dp, int ifindex, const char *ifname, struct xtr_err *err)
{
	const struct xtr_dp_want w = { XTR_P_FENCE, ifindex, XTR_DP_INGRESS, 0, ifname, 0 };

	return xtr_dp_attach_one(dp, &w, err);
}

/* ---- removing what no longer has a port */

struct xtr_dp_sweep {
	struct xtr_dp *dp;
	bool xdp;
	const char *dir;
};

static bool xtr_dp_link_wanted(struct xtr_dp *dp, const char *prog, int ifindex)
{
	const struct xtr_dp_ov *ov = xtr_dp_overlay_by_index(dp, ifindex);

	if (ifindex == dp->gpe)
		return !strcmp(prog, XTR_PROG_FENCE);
	if (ov)
		return !strcmp(prog, XTR_PROG_ENCAP) || (ov->peer == ifindex && !strcmp(prog, XTR_PROG_INJECT));
	for (unsigned i = 0; i < dp->if_count; i++) {
		const struct xtr_dp_if *f = &dp->ifs[i];

		if (f->ifindex != ifindex)
			continue;
		if (!strcmp(prog, f->role == XTR_ROLE_EID ? XTR_PROG_ENCAP : XTR_PROG_UNDERLAY) ||
		    (xtr_dp_guarded(dp, f) && !strcmp(prog, XTR_PROG_GUARD)))
			return true;
		if (f->mode != XTR_MODE_TC &&
		    !strcmp(prog, f->role == XTR_ROLE_EID ? XTR_PROG_XDP_EID : XTR_PROG_XDP_UNDER))
			return true;
	}
	return false;
}

/* Does XDP run on an EID port of this device? */
static bool xtr_dp_tags_needed(const struct xtr_dp *dp, int ifindex)
{
	for (unsigned i = 0; i < dp->if_count; i++)
		if (dp->ifs[i].ifindex == ifindex && dp->ifs[i].role == XTR_ROLE_EID && dp->ifs[i].mode != XTR_MODE_TC)
			return true;
	return false;
}

static int xtr_dp_sweep_one(void *arg, const char *name)
{
	struct xtr_dp_sweep *s = arg;
	char prog[16], path[PATH_MAX];
	int ifindex;

	if (xtr_dp_link_parse(name, prog, &ifindex) || s->xdp != !strncmp(prog, "xtr_xdp", 7) ||
	    xtr_dp_link_wanted(s->dp, prog, ifindex))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	xtr_dp_link_remove(path);
	return 0;
}

void xtr_dp_attach_sweep(struct xtr_dp *dp)
{
	struct xtr_dp_sweep s = { dp, true, dp->dir };

	xtr_dp_each_name(dp->dir, xtr_dp_sweep_one, &s);
	s.xdp = false;
	xtr_dp_each_name(dp->dir, xtr_dp_sweep_one, &s);
	for (unsigned i = 0; i < dp->made.count; i++) {
		struct xtr_dp_made_dev *d = &dp->made.dev[i];
		bool want = xtr_dp_if_by_index(dp, (int)d->ifindex) || xtr_dp_overlay_by_index(dp, (int)d->ifindex) ||
			    (int)d->ifindex == dp->gpe;

		if (!want && d->flags & (XTR_MADE_INGRESS | XTR_MADE_EGRESS | XTR_MADE_CLSACT))
			xtr_dp_clsact_remove(dp->nl, d);
		else if (d->flags & XTR_MADE_EGRESS && xtr_dp_if_by_index(dp, (int)d->ifindex) &&
			 !xtr_dp_link_wanted(dp, XTR_PROG_GUARD, (int)d->ifindex))
			xtr_dp_clsact_egress_off(d);
		if (!xtr_dp_tags_needed(dp, (int)d->ifindex))
			xtr_dp_tags_restore(d);
	}
	xtr_dp_made_save(dp);
}
