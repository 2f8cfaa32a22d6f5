/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The helper device of LISP-GPE and its templates (user/dp/gpe.c): what has to hold of it whatever happened before, and with
 * whom LISP-GPE is spoken. That nothing enters the host by it is in tests/e2e/63-gpe.sh.
 */
#include "bpf/dp_lab.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(dp_gpe, .init = dp_setup, .fini = dp_teardown, .timeout = 240);

static bool is(const char *cmd) { return !system(cmd); }

/* The fence is there, and so is the stack's own; it is up, ours, and has the port. */
static void expect_fenced(const char *when)
{
	char pin[256];

	snprintf(pin, sizeof(pin), "ls %s/xtr/v*/link_xtr_tc_fence_%u >/dev/null 2>&1", bpffs, if_nametoindex(XTR_DP_GPE));
	cr_expect(is(pin), "%s: fence", when);
	cr_expect(is("test $(cat /proc/sys/net/ipv4/conf/" XTR_DP_GPE "/rp_filter) = 1"), "%s: reverse-path filter", when);
	cr_expect(is("! test -e /proc/sys/net/ipv6/conf/" XTR_DP_GPE), "%s: no IPv6 on it", when);
	cr_expect(is("test -z \"$(ip -o addr show dev " XTR_DP_GPE ")\""), "%s: no address", when);
	cr_expect(is("ip -o link show dev " XTR_DP_GPE " | grep -q '[<,]UP[,>]'"), "%s: up", when);
	cr_expect(is("ip -d link show dev " XTR_DP_GPE " | grep -q 'alias xtr '"), "%s: ours", when);
	cr_expect(is("ss -Hanu 'sport = 4341' | grep -q 0.0.0.0:4341"), "%s: the port is taken", when);
}

static __u16 flags_to(const char *rloc)
{
	struct xtr_ip want = ip(rloc);

	look();
	for (unsigned i = 0; i < found.rlocs; i++)
		if (!memcmp(found.rloc[i].r.dst.w, want.a, xtr_ip_bits(&want) / 8) && found.rloc[i].r.family == want.family)
			return found.rloc[i].r.flags;
	return 0;
}

Test(dp_gpe, the_device_comes_and_goes_with_its_key)
{
	char *before = snapshot(), *after;
	struct xtr_err err = { "" };
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	dp = open_dp();
	cr_assert_eq(if_nametoindex(XTR_DP_GPE), 0, "off by default");
	cfg.gpe = true;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	expect_fenced("switched on");
	look();
	cr_assert_not_null(iface_row(XTR_DP_GPE));
	cr_expect_eq(iface_row(XTR_DP_GPE)->i.role, XTR_ROLE_HELPER);
	cr_expect(iface_row(XTR_DP_GPE)->tc);
	cfg.gpe = false;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	cr_expect_eq(if_nametoindex(XTR_DP_GPE), 0);
	cr_expect(is("ss -Hanu 'sport = 4341' | grep -q :4341"), "the other socket has the port again");
	cfg.gpe = true;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	xtr_dp_close(dp);
	expect_fenced("without a daemon");
	detach();
	after = snapshot();
	expect_same(before, after);
	free(before);
	free(after);
}

Test(dp_gpe, what_somebody_did_to_it_is_put_right)
{
	unsigned index;
	struct xtr_dp *dp;
	char pin[256];

	config(XTR_MODE_TC);
	cfg.gpe = true;
	dp = open_dp();
	index = if_nametoindex(XTR_DP_GPE);
	sh("ip link del " XTR_DP_GPE);
	serve(dp, 1500);
	expect_fenced("removed");
	cr_expect_neq(if_nametoindex(XTR_DP_GPE), index);
	sh("ip link set " XTR_DP_GPE " mtu 1500"); /* the kernel gives it IPv6, with an address */
	serve(dp, 1500);
	expect_fenced("larger");
	sh("ip link set " XTR_DP_GPE " down");
	serve(dp, 1500);
	expect_fenced("down");
	xtr_dp_close(dp);
	snprintf(pin, sizeof(pin), "%s/xtr/v%u-%u-%u/link_xtr_tc_fence_%u", bpffs, XTR_ABI_VERSION, cfg.cache_entries,
		 cfg.rloc_entries, if_nametoindex(XTR_DP_GPE));
	cr_expect_eq(unlink(pin), 0);
	sh("sysctl -qw net.ipv4.conf." XTR_DP_GPE ".rp_filter=0");
	index = if_nametoindex(XTR_DP_GPE);
	dp = open_dp();
	expect_fenced("started again");
	cr_expect_eq(if_nametoindex(XTR_DP_GPE), index, "the same device");
	xtr_dp_close(dp);
	detach();
}

/* Killed between making the device and saying whose it is: the next start, or detach, knows it. */
Test(dp_gpe, a_device_that_was_just_begun_is_ours)
{
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.gpe = true;
	sh("ip link add " XTR_DP_GPE " type vxlan gpe external dstport 4341");
	dp = open_dp();
	expect_fenced("begun");
	xtr_dp_close(dp);
	detach();
	cr_expect_eq(if_nametoindex(XTR_DP_GPE), 0);
	sh("ip link add " XTR_DP_GPE " type vxlan gpe external dstport 4341");
	detach();
	cr_expect_eq(if_nametoindex(XTR_DP_GPE), 0);
}

Test(dp_gpe, a_device_or_a_port_of_somebody_else_is_left_alone)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;

	config(XTR_MODE_TC);
	cfg.gpe = true;
	sh("ip link add " XTR_DP_GPE " type veth peer name other");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EEXIST);
	cr_expect(strstr(err.text, XTR_DP_GPE) && strstr(err.text, "not ours"), "%s", err.text);
	cr_expect(is("ip link show " XTR_DP_GPE " >/dev/null"));
	sh("ip link del other; ip link add vx type vxlan id 7 dstport 4341 local 192.0.2.1 dev u0; ip link set vx up");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EADDRINUSE);
	cr_expect(strstr(err.text, "UDP port 4341"), "%s", err.text);
	cr_expect_eq(if_nametoindex(XTR_DP_GPE), 0, "a start that fails leaves nothing");
	cr_expect(is("ip link show vx >/dev/null"));
	sh("ip link del vx");
	dp = open_dp();
	expect_fenced("then");
	xtr_dp_close(dp);
	detach();
}

/* RFC 9305 5, 4.3.1. */
Test(dp_gpe, RFC9305_5_with_whom_it_is_spoken)
{
	struct xtr_dp_mapping says = mapping("192.0.2.2", 1, "192.0.2.3", 1), silent = says, six = mapping("2001:db8::2", 1, NULL, 0);
	struct xtr_ippfx peers[1] = { pfx("192.0.2.3/32") };
	struct xtr_err err = { "" };
	struct xtr_dp *dp;

	says.gpe = 1;
	six.gpe = 1;
	config(XTR_MODE_TC);
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &says), 0);
	cr_expect(!(flags_to("192.0.2.2") & XTR_RLOC_F_GPE), "off: with nobody");
	cfg.gpe = true;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	cr_expect(flags_to("192.0.2.2") & XTR_RLOC_F_GPE, "it said so");
	cr_expect(!(flags_to("192.0.2.3") & XTR_RLOC_F_GPE), "it did not");
	cr_assert_eq(put(dp, "fd02::/64", &six), 0);
	cr_expect(!(flags_to("2001:db8::2") & XTR_RLOC_F_GPE), "not over IPv6 without checksum");
	cfg.gpe_zero_checksum6 = true;
	cfg.gpe_peers = peers;
	cfg.gpe_peer_count = 1;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
	cr_expect(flags_to("2001:db8::2") & XTR_RLOC_F_GPE, "where that is configured");
	cr_expect(flags_to("192.0.2.3") & XTR_RLOC_F_GPE, "by configuration");
	/* another mapping to the same RLOC that does not say so changes nothing; when the one that does goes, it ends */
	cr_assert_eq(put(dp, "10.3.0.0/24", &silent), 0);
	serve(dp, 100);
	cr_expect(flags_to("192.0.2.2") & XTR_RLOC_F_GPE, "one mapping says so");
	cr_assert_eq(put(dp, "10.2.0.0/24", &silent), 0);
	serve(dp, XTR_DP_GRACE_MS + 1500);
	cr_expect(!(flags_to("192.0.2.2") & XTR_RLOC_F_GPE), "none does any more");
	cr_expect(flags_to("192.0.2.3") & XTR_RLOC_F_GPE);
	/* the next daemon goes on as it was */
	cr_assert_eq(put(dp, "10.2.0.0/24", &says), 0);
	cr_expect(flags_to("192.0.2.2") & XTR_RLOC_F_GPE, "said again");
	xtr_dp_close(dp);
	cr_expect(flags_to("192.0.2.2") & XTR_RLOC_F_GPE, "without a daemon");
	dp = open_dp();
	cr_expect(flags_to("192.0.2.2") & XTR_RLOC_F_GPE, "adopted");
	serve(dp, XTR_DP_GRACE_MS + 1500);
	cr_expect(flags_to("192.0.2.2") & XTR_RLOC_F_GPE, "and kept until the mapping is refreshed");
	xtr_dp_close(dp);
	/* a kernel that has no use for it */
	xtr_dp_no_gpe = true;
	dp = open_dp();
	cr_expect_eq(if_nametoindex(XTR_DP_GPE), 0);
	cr_expect(!(flags_to("192.0.2.3") & XTR_RLOC_F_GPE), "classic LISP with everybody");
	xtr_dp_close(dp);
	detach();
}
