// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel and an interface offer: tried out where trying is harmless, else asked. Nothing
 * is left behind: programs are loaded and closed, TC and XDP are never attached here. The reasons
 * and the ways out are written for a person.
 */
#include "dp/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct xtr_dp_ask {
	int (*fn)(void *, const struct xtr_dp_feature *);
	void *arg;
	int r;
};

static void xtr_dp_tell(struct xtr_dp_ask *a, const char *name, bool have, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void xtr_dp_tell(struct xtr_dp_ask *a, const char *name, bool have, const char *fmt, ...)
{
	struct xtr_dp_feature f = { .name = name, .have = have };
	va_list ap;

	if (a->r)
		return;
	va_start(ap, fmt);
	vsnprintf(f.detail, sizeof(f.detail), fmt, ap);
	va_end(ap);
	a->r = a->fn(a->arg, &f);
}

static unsigned xtr_dp_kernel(char release[80])
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	if (uname(&u))
		return 0;
	snprintf(release, 80, "%.79s", u.release);
	sscanf(u.release, "%u.%u", &major, &minor);
	return major << 16 | minor << 8;
}

/* A program that does nothing: -errno, or its fd. */
static int xtr_dp_try_prog(enum bpf_prog_type type)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, "xtr_probe", "GPL", insns, 2, NULL);

	return fd < 0 ? -errno : fd;
}

static bool xtr_dp_try_map(enum bpf_map_type type, __u32 key, __u32 value, __u32 entries,
			   __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, "xtr_probe", key, value, entries, &opts);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* A link for an interface that can not exist: a kernel with tcx answers ENODEV, one without EINVAL.
 */
static bool xtr_dp_try_tcx(int prog)
{
	int fd;

	if (prog < 0 || xtr_dp_no_tcx)
		return false;
	fd = bpf_link_create(prog, 0x7ffffff0, (enum bpf_attach_type)XTR_DP_TCX_INGRESS, NULL);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno == ENODEV;
}

/* Device maps whose entries have programs, for programs of this kind. That broadcasts work is a matter of the version: 5.14. */
static bool xtr_dp_try_copies(unsigned version)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_XDP_DEVMAP);
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "xtr_probe", "GPL", insns, 2, &opts);

	if (fd < 0)
		return false;
	close(fd);
	return version >= (5u << 16 | 14u << 8) && xtr_dp_try_map(BPF_MAP_TYPE_DEVMAP, 4, 8, 4, 0);
}

int xtr_dp_probe_kernel(int (*fn)(void *, const struct xtr_dp_feature *), void *arg)
{
	struct xtr_dp_ask a = { fn, arg, 0 };
	char release[80] = "?";
	unsigned v = xtr_dp_kernel(release);
	int tc = xtr_dp_try_prog(BPF_PROG_TYPE_SCHED_CLS), xdp = xtr_dp_try_prog(BPF_PROG_TYPE_XDP);
	bool tcx = xtr_dp_try_tcx(tc);
	struct xtr_nl *nl;
	uint64_t features;

	xtr_dp_tell(&a, "kernel", v >= (6u << 16 | 1u << 8), "%s%s", release,
		    v >= (6u << 16 | 1u << 8) ? "" : ": 6.1 or later is supported");
	xtr_dp_tell(&a, "tc", tc >= 0, "%s",
		    tc >= 0	   ? "TC programs load"
		    : tc == -EPERM ? "not permitted: needs CAP_BPF and CAP_NET_ADMIN"
				   : strerror(-tc));
	xtr_dp_tell(&a, "xdp", xdp >= 0, "%s", xdp >= 0 ? "XDP programs load" : strerror(-xdp));
	xtr_dp_tell(&a, "tcx", tcx, "%s",
		    tcx ? "TC programs attach by pinned links"
			: "before 6.6: filters on a clsact qdisc instead");
	xtr_dp_tell(&a, "btf", !access("/sys/kernel/btf/vmlinux", R_OK), "/sys/kernel/btf/vmlinux");
	xtr_dp_tell(&a, "ringbuf", xtr_dp_try_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096 * 16, 0),
		    "first packets go to the daemon whole");
	xtr_dp_tell(&a, "lpm-trie",
		    xtr_dp_try_map(BPF_MAP_TYPE_LPM_TRIE, 12, 24, 16, BPF_F_NO_PREALLOC),
		    "map-cache");
	xtr_dp_tell(&a, "xdp-replicate", xtr_dp_try_copies(v), "%s",
		    "copies to groups by XDP: the log says of each list whether, and why not");
	xtr_dp_tell(&a, "managed-neighbours", v >= (5u << 16 | 16u << 8),
		    "the kernel keeps next hops resolved");
	xtr_dp_tell(&a, "decap-l3", xtr_dp_decap_l3(), "%s",
		    "decapsulation across families in one step (6.3)");
	xtr_dp_tell(&a, "gpe-gro", xtr_dp_gpe_kernel(NULL), "%s",
		    xtr_dp_gpe_kernel(NULL) ? "received LISP-GPE frames are put together (data-plane.gpe)"
					    : "before 6.5: data-plane.gpe has no effect, classic LISP with everybody");
	if (!xtr_nl_open(&nl)) {
		bool known = xtr_nl_xdp_features(nl, 1, &features) != -EOPNOTSUPP;

		xtr_dp_tell(&a, "xdp-features", known, "%s",
			    known ? "drivers declare what their XDP can do"
				  : "before 6.3: mode auto tries and sees");
		xtr_nl_close(nl);
	}
	if (tc >= 0)
		close(tc);
	if (xdp >= 0)
		close(xdp);
	return a.r;
}

static void xtr_dp_probe_offload(const char *name, const char *feature, struct xtr_dp_offload *out)
{
	/* a kernel without the feature has nothing on */
	if (xtr_nl_offload_look(name, feature, &out->on, &out->fixed))
		*out = (struct xtr_dp_offload){ false, true };
}

int xtr_dp_probe_iface(const char *name, uint8_t role, struct xtr_dp_probe *out,
		       struct xtr_err *err)
{
	struct xtr_dp_facts f = { .role = role };
	struct xtr_nl_link l;
	struct xtr_nl *nl;
	int prog, cpus, r = xtr_nl_open(&nl);

	memset(out, 0, sizeof(*out));
	if (r)
		return xtr_fail(err, r, "netlink: %s", strerror(-r));
	r = xtr_nl_link_get(nl, 0, name, &l);
	f.xdp_known = !r && !xtr_nl_xdp_features(nl, l.ifindex, &f.xdp);
	if (!r)
		xtr_dp_relayed(nl, &l, &f.relay);
	xtr_nl_close(nl);
	if (r)
		return xtr_fail(err, r, "interface %s: %s", name,
				r == -ENODEV ? "there is no such device" : strerror(-r));
	snprintf(f.name, sizeof(f.name), "%s", l.name);
	snprintf(f.kind, sizeof(f.kind), "%s", l.kind);
	f.type = l.type;
	f.mtu = l.mtu;
	f.master = l.master;
	xtr_nl_driver(name, f.driver, sizeof(f.driver));
	if (!f.driver[0])
		snprintf(f.driver, sizeof(f.driver), "%.31s", l.kind[0] ? l.kind : "unknown");
	xtr_dp_probe_offload(name, "rx-lro", &f.lro);
	xtr_dp_probe_offload(name, "rx-gro-hw", &f.gro_hw);
	xtr_dp_probe_offload(name, "rx-vlan-hw-parse", &f.rx_vlan);
	xtr_nl_channels(name, &f.channels);
	cpus = libbpf_num_possible_cpus();
	f.cpus = cpus > 0 ? (uint32_t)cpus : 1;
	xtr_dp_advise(&f, out);
	prog = xtr_dp_try_prog(BPF_PROG_TYPE_SCHED_CLS);
	out->tcx = xtr_dp_try_tcx(prog);
	if (prog >= 0)
		close(prog);
	return 0;
}

static bool xtr_dp_forwarding(const char *path)
{
	char c = '1';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return true;
	if (read(fd, &c, 1) != 1)
		c = '1';
	close(fd);
	return c != '0';
}

/* Said once, at start. */
void xtr_dp_warn_forwarding(const struct xtr_dp *dp)
{
	if (!dp->cfg.local_count)
		return;
	if (!xtr_dp_forwarding("/proc/sys/net/ipv4/ip_forward"))
		xtr_warn(
			"net.ipv4.ip_forward is 0: hosts behind this router are not reached, only the addresses of the router itself");
	if (!xtr_dp_forwarding("/proc/sys/net/ipv6/conf/all/forwarding"))
		xtr_warn(
			"net.ipv6.conf.all.forwarding is 0: IPv6 hosts behind this router are not reached, only its own addresses");
}
