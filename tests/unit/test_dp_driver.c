// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What each driver wants for XDP, and the commands that give it: from facts to advice, without hardware. */
#include "dp/internal.h"

#include <criterion/criterion.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#define CARD (XTR_NL_XDP_BASIC | XTR_NL_XDP_REDIRECT | XTR_NL_XDP_NDO_XMIT)

static struct xtr_dp_facts facts(const char *driver)
{
	struct xtr_dp_facts f = { .name = "eth0", .role = XTR_ROLE_UNDERLAY, .type = ARPHRD_ETHER, .mtu = 1500, .cpus = 4,
				  .xdp_known = true, .xdp = CARD };

	snprintf(f.driver, sizeof(f.driver), "%s", driver);
	return f;
}

static struct xtr_dp_probe advice(struct xtr_dp_facts f)
{
	struct xtr_dp_probe p;

	memset(&p, 0xff, sizeof(p));
	p.tcx = false;
	xtr_dp_advise(&f, &p);
	return p;
}

static void wants(struct xtr_dp_facts f, uint8_t mode, const char *unlock, const char *reason)
{
	struct xtr_dp_probe p = advice(f);

	cr_expect_eq(p.mode, mode, "%s: mode %s", f.driver, xtr_mode_name(p.mode));
	cr_expect_str_eq(p.unlock, unlock, "%s: '%s'", f.driver, p.unlock);
	cr_expect(strstr(p.reason, reason), "%s: '%s' has no '%s'", f.driver, p.reason, reason);
}

Test(driver, as_it_should_be_xdp_is_taken)
{
	static const char *const names[] = { "ena", "gve", "virtio_net", "hv_netvsc", "mlx5_core", "ixgbe", "i40e", "ice", "bnxt_en" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		wants(facts(names[i]), XTR_MODE_XDP, "", "has native XDP");
		cr_expect(advice(facts(names[i])).native_xdp);
		cr_expect(advice(facts(names[i])).ndo_xmit);
	}
}

Test(driver, ena_needs_half_of_its_channels)
{
	struct xtr_dp_facts f = facts("ena");

	f.channels = (struct xtr_nl_channels){ .combined = 8, .combined_max = 8 };
	wants(f, XTR_MODE_TC, "ethtool -L eth0 combined 4", "8 of 8 channels");
	f.channels.combined = 5;
	wants(f, XTR_MODE_TC, "ethtool -L eth0 combined 4", "5 of 8 channels");
	f.channels.combined = 4;
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	f.channels = (struct xtr_nl_channels){ .combined = 1, .combined_max = 1 };
	wants(f, XTR_MODE_TC, "", "single channel");
}

Test(driver, ena_jumbo_and_channels_at_once)
{
	struct xtr_dp_facts f = facts("ena");

	f.mtu = 9001;
	wants(f, XTR_MODE_TC, "ip link set eth0 mtu 3498", "MTU of 9001");
	f.channels = (struct xtr_nl_channels){ .combined = 2, .combined_max = 2 };
	wants(f, XTR_MODE_TC, "ip link set eth0 mtu 3498 && ethtool -L eth0 combined 1", "2 of 2 channels");
	f.mtu = 3498;
	f.channels.combined = 1;
	wants(f, XTR_MODE_XDP, "", "has native XDP");
}

Test(driver, gve_needs_equal_channels_and_half_of_them)
{
	struct xtr_dp_facts f = facts("gve");

	f.channels = (struct xtr_nl_channels){ .rx = 16, .tx = 16, .rx_max = 16, .tx_max = 16 };
	wants(f, XTR_MODE_TC, "ethtool -L eth0 rx 8 tx 8", "equally many");
	f.channels.rx = 8, f.channels.tx = 4;
	wants(f, XTR_MODE_TC, "ethtool -L eth0 rx 4 tx 4", "equally many");
	f.channels.rx = 4;
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	f.lro.on = true;
	wants(f, XTR_MODE_TC, "ethtool -K eth0 lro off", "large-receive-offload");
	f.lro.on = false, f.mtu = 8896;
	wants(f, XTR_MODE_TC, "ip link set eth0 mtu 2032", "MTU of 8896");
	f.xdp = 0, f.mtu = 1460; /* of a queue format that has none */
	wants(f, XTR_MODE_TC, "", "declares no native XDP");
	cr_expect(strstr(advice(f).hint, "newer kernel"));
}

Test(driver, virtio_net_guest_offloads_of_the_host)
{
	struct xtr_dp_facts f = facts("virtio_net");

	f.gro_hw = (struct xtr_dp_offload){ .on = true };
	wants(f, XTR_MODE_XDP, "", "has native XDP"); /* the driver switches it off itself */
	f.gro_hw.fixed = true;
	wants(f, XTR_MODE_TC, "", "super-packets");
	cr_expect(strstr(advice(f).hint, "ctrl_guest_offloads"));
}

Test(driver, virtio_net_queues_for_redirects)
{
	struct xtr_dp_facts f = facts("virtio_net");

	f.channels = (struct xtr_nl_channels){ .combined = 8, .combined_max = 8 };
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	cr_expect(strstr(advice(f).hint, "ethtool -L eth0 combined 4"));
	f.channels.combined = 4;
	cr_expect_str_eq(advice(f).hint, "");
	f.channels = (struct xtr_nl_channels){ .combined = 1, .combined_max = 1 };
	cr_expect(strstr(advice(f).hint, "too few channels (1)"));
}

Test(driver, virtio_net_jumbo_needs_fragments)
{
	struct xtr_dp_facts f = facts("virtio_net");

	f.mtu = 9000;
	wants(f, XTR_MODE_TC, "ip link set eth0 mtu 3506", "MTU of 9000");
	f.xdp |= XTR_NL_XDP_RX_SG;
	wants(f, XTR_MODE_XDP, "", "has native XDP");
}

Test(driver, hv_netvsc_lro_and_mtu)
{
	struct xtr_dp_facts f = facts("hv_netvsc");

	f.lro.on = true;
	wants(f, XTR_MODE_TC, "ethtool -K eth0 lro off", "large-receive-offload");
	f.mtu = 9000;
	wants(f, XTR_MODE_TC, "ethtool -K eth0 lro off && ip link set eth0 mtu 3506", "MTU of 9000");
	f.lro.fixed = true, f.mtu = 3506;
	wants(f, XTR_MODE_TC, "", "fixed here");
}

Test(driver, mlx5_core_striding_queue_and_aggregation)
{
	struct xtr_dp_facts f = facts("mlx5_core");

	f.mtu = 9000;
	wants(f, XTR_MODE_TC, "ethtool --set-priv-flags eth0 rx_striding_rq off", "MTU of 9000");
	f.xdp |= XTR_NL_XDP_RX_SG; /* with a cyclic queue */
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	f.lro.on = f.gro_hw.on = true;
	wants(f, XTR_MODE_TC, "ethtool -K eth0 lro off && ethtool -K eth0 rx-gro-hw off", "rx-gro-hw");
}

Test(driver, intel_cards)
{
	struct xtr_dp_facts f = facts("ixgbe");

	f.lro.on = true;
	wants(f, XTR_MODE_TC, "ethtool -K eth0 lro off", "large-receive-offload");
	cr_expect(strstr(advice(f).hint, "SR-IOV"));
	f = facts("i40e");
	f.mtu = 9000;
	wants(f, XTR_MODE_TC, "ip link set eth0 mtu 3046", "MTU of 9000");
	f = facts("ice");
	f.mtu = 9000;
	f.xdp |= XTR_NL_XDP_RX_SG;
	f.channels = (struct xtr_nl_channels){ .combined = 16, .combined_max = 16 };
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	cr_expect(strstr(advice(f).hint, "ethtool -L eth0 combined 12"));
}

Test(driver, veth_and_tap_stay_with_tc)
{
	struct xtr_dp_facts f = facts("veth");

	strcpy(f.kind, "veth");
	wants(f, XTR_MODE_TC, "", "virtual device");
	f.xdp &= ~(uint64_t)XTR_NL_XDP_NDO_XMIT;
	cr_expect(strstr(advice(f).hint, "ethtool -K PEER gro on"));
	f.role = XTR_ROLE_EID;
	cr_expect(strstr(advice(f).hint, "txvlan off"));
	f = facts("tun");
	strcpy(f.kind, "tun");
	wants(f, XTR_MODE_TC, "", "virtual device");
}

Test(driver, a_port_of_a_bridge_gets_no_xdp)
{
	struct xtr_dp_facts f = facts("ena");

	f.master = 7, f.relay = (struct xtr_dp_relay){ "br0", "eth0" };
	wants(f, XTR_MODE_TC, "ip link set eth0 nomaster", "bridge");
	cr_expect(strstr(advice(f).hint, "mode: xdp and xdp-generic mean TC"), "%s", advice(f).hint);
	f.role = XTR_ROLE_EID;
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	f.role = XTR_ROLE_UNDERLAY;
	f.relay = (struct xtr_dp_relay){ "br0", "bond0" };
	wants(f, XTR_MODE_TC, "ip link set bond0 nomaster", "bridge");
	/* what can not be had is not offered */
	f = facts("veth");
	f.relay = (struct xtr_dp_relay){ "br0", "eth0" };
	strcpy(f.kind, "veth");
	wants(f, XTR_MODE_TC, "", "virtual device");
	cr_expect(!strstr(advice(f).hint, "forces it") && strstr(advice(f).hint, "port of br0"), "%s", advice(f).hint);
}

Test(driver, vlan_tags_have_to_be_in_the_frame)
{
	struct xtr_dp_facts f = facts("mlx5_core");

	f.rx_vlan.on = true;
	cr_expect_str_eq(advice(f).hint, ""); /* underlay */
	f.role = XTR_ROLE_EID;
	cr_expect(strstr(advice(f).hint, "switched off by xtrd"));
	f.rx_vlan.fixed = true;
	wants(f, XTR_MODE_TC, "", "rx-vlan-offload is fixed");
	cr_expect(strstr(advice(f).hint, "untagged-only"));
	f.rx_vlan.on = false;
	wants(f, XTR_MODE_XDP, "", "has native XDP");
	cr_expect_str_eq(advice(f).hint, "");
	strcpy(f.kind, "bond");
	wants(f, XTR_MODE_TC, "", "above other devices");
}

Test(driver, others_and_older_kernels)
{
	struct xtr_dp_facts f = facts("r8169");

	f.xdp = 0;
	wants(f, XTR_MODE_TC, "", "declares no native XDP");
	f.xdp_known = false;
	wants(f, XTR_MODE_XDP, "", "is tried with XDP");
	f.lro.on = true;
	wants(f, XTR_MODE_TC, "ethtool -K eth0 lro off", "large-receive-offload");
	f = facts("wireguard");
	f.type = ARPHRD_NONE;
	wants(f, XTR_MODE_TC, "", "not an Ethernet device");
}

/* Names as long as they may be, everything wrong at once: nothing is cut in the middle of the memory of others. */
Test(driver, long_names_fit)
{
	struct xtr_dp_facts f = facts("mlx5_core");
	struct xtr_dp_probe p;

	memset(f.name, 'x', sizeof(f.name) - 1);
	f.role = XTR_ROLE_EID;
	f.mtu = 65535;
	f.lro.on = f.gro_hw.on = f.rx_vlan.on = true;
	p = advice(f);
	cr_expect_lt(strlen(p.reason), sizeof(p.reason));
	cr_expect_lt(strlen(p.unlock), sizeof(p.unlock));
	cr_expect_lt(strlen(p.hint), sizeof(p.hint));
	cr_expect(strstr(p.unlock, "rx_striding_rq off"));
}
