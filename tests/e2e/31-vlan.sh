#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One port with a role for frames without a tag and another for VLAN 7: hosts behind a switch, of instance 0, of instance 10, and
# of a VLAN that nobody has named. Each is heard in its own instance alone, from the first packet on, and what is too big is
# answered to the one that sent it, with its tag. (What comes back the other way, and offloads, are in 46-offloads.sh.)
#
#   p1 10.1.0.130 fd01::b:10 -- no tag --+                           x2  xtr0     10.2.0.1, fd02::1   instance 0
#   t7 10.7.0.130 fd07::b:10 -- VLAN 7 --+ sw ==== e0 x1 ==== u0 x2
#   t8 10.7.0.130 fd07::b:10 -- VLAN 8 --+                           x2  xtr-red  10.8.0.1, fd08::1   instance 10
. "$(dirname "$0")/lib.sh"

lab 1500
node sw t7 t8
ipn x1 link del e0
wire x1 e0 sw trunk
addr x1 e0 10.1.0.254/25 fd01::b:fe/112
ipn sw link add br0 type bridge mcast_snooping 0
ipn sw link set trunk master br0
mac() { ipn "$1" -j link show "$2" | jq -r '.[0].address'; }

# A port of the switch: what comes from the host gets its tag, and the host gets nothing but what has it.
cat >"$R/switch.c" <<'C'
#include <linux/bpf.h>
static long (*vlan_push)(struct __sk_buff *, __u16, __u16) = (void *)18;
static long (*vlan_pop)(struct __sk_buff *) = (void *)19;
__attribute__((section("tag_in"), used)) int in(struct __sk_buff *skb)
{
	return VLAN && vlan_push(skb, 0x0081 /* 0x8100 */, VLAN) ? 2 : 0;
}
__attribute__((section("tag_out"), used)) int out(struct __sk_buff *skb)
{
	if ((skb->vlan_present ? skb->vlan_tci & 0xfff : 0) != VLAN)
		return 2;
	return VLAN && vlan_pop(skb) ? 2 : 0;
}
char _license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
C
for h in p1:1:0 t7:7:7 t8:7:8; do
	IFS=: read -r h net vlan <<<"$h"
	[ $h = p1 ] && ipn p1 link show eth0 >/dev/null 2>&1 && ipn p1 link del eth0
	wire sw "$h" "$h" eth0
	addr "$h" eth0 10.$net.0.130/25 fd0$net::b:10/112
	default_via "$h" 10.$net.0.254 fd0$net::b:fe
	for a in 10.$net.0.254 fd0$net::b:fe; do ipn "$h" neigh replace $a lladdr "$(mac x1 e0)" dev eth0; done
	ipn sw link set "$h" master br0
	clang -O2 -target bpf -DVLAN=$vlan -I"/usr/include/$(uname -m)-linux-gnu" -c "$R/switch.c" -o "$R/switch$vlan.o" &&
		on sw tc qdisc add dev "$h" clsact &&
		on sw tc filter add dev "$h" ingress bpf direct-action object-file "$R/switch$vlan.o" section tag_in &&
		on sw tc filter add dev "$h" egress bpf direct-action object-file "$R/switch$vlan.o" section tag_out ||
		fail "port $h of the switch" "clang or tc"
done
ipn sw link set br0 up
forwarding() { [ "$(on sw bridge link show | grep -c 'state forwarding')" = 4 ]; }
check "the switch forwards" wait_for 10 forwarding

red() { # site number, network of instance 10 here, there: adds it
	ROUTES="\"10.$((3 - $1)).0.0/24\", \"fd0$((3 - $1))::/64\"" yaml_xtr "$1" |
		sed -e "s,^etr:,  - device: xtr-red\n    instance: 10\n    addresses: [\"10.$2.0.1/32\"\, \"fd0$2::1/128\"]\n    routes: [\"10.$3.0.0/24\"\, \"fd0$3::/64\"]\netr:," \
			-e "s,^    - eid: .*::/64.*,&\n    - {eid: 10.$2.0.0/24\, instance: 10}\n    - {eid: \"fd0$2::/64\"\, instance: 10},"
}
red 1 7 8 | sed "/untagged-only/d; s/^overlay:/  - {name: e0, role: eid, vlan: 7, instance: 10}\n&/" | conf x1
red 2 8 7 | conf x2
yaml_ms | sed -e 's,^        - eid: "fd01.*,&\n        - {eid: 10.7.0.0/24\, instance: 10}\n        - {eid: "fd07::/64"\, instance: 10},' \
	-e 's,^        - eid: "fd02.*,&\n        - {eid: 10.8.0.0/24\, instance: 10}\n        - {eid: "fd08::/64"\, instance: 10},' \
	-e 's|aggregates.*|aggregates: [10.0.0.0/8, "fd00::/8", "[10]10.0.0.0/8", "[10]fd00::/8"]|' | conf ms
yaml_mr | conf mr
start ms mr && start x1 x2 || finish
check "all prefixes of both instances are registered" wait_for 20 registered ms
is "iface show has both roles of the port" \
	"$(xcj x1 iface show | jq -r '[.[] | select(.name == "e0") | "vlan \(.vlan) instance \(.iid) mac \(.mac)"] | sort | join(", ")')" \
	"vlan 0 instance 0 mac $(mac x1 e0), vlan 7 instance 10 mac $(mac x1 e0)"

heard() { # instance: echo requests that its overlay device has brought to x2
	tcpdump -nr "${CAPFILE[$1]}" 2>/dev/null | grep -c 'echo request'
}
ten() { # node, addresses
	local n=$1 a
	shift
	for a; do on "$n" ping -q -c 10 -i 0.02 -W 0.1 -n "$a" >/dev/null; done
}
for h in t7 p1 t8; do
	capture xtr0 x2 xtr0 'icmp or icmp6'
	capture xtr-red x2 xtr-red 'icmp or icmp6'
	case $h in
	p1) want="20 0" to="10.2.0.1 fd02::1" ;;
	t7) want="0 20" to="10.8.0.1 fd08::1" ;;
	t8) want="0 0" to="10.8.0.1 fd08::1" ;;
	esac
	# shellcheck disable=SC2086
	ten $h $to
	capture_end xtr0
	capture_end xtr-red
	is "20 packets of $h, from the first on: heard in instances 0 and 10" "$(heard xtr0) $(heard xtr-red)" "$want"
done
# An address of the other instance is nobody's.
capture xtr0 x2 xtr0 'icmp or icmp6'
capture xtr-red x2 xtr-red 'icmp or icmp6'
ten t7 10.2.0.1 fd02::1
ten p1 10.8.0.1 fd08::1
capture_end xtr0
capture_end xtr-red
is "nothing crosses" "$(heard xtr0) $(heard xtr-red)" "0 0"

# Too big: who has sent it is told, in the VLAN it came from, by the address of the port, or of the instance.
for h in p1 t7; do
	other=$([ $h = p1 ] && echo t7 || echo p1)
	capture big $h eth0 -Q in 'icmp or icmp6'
	capture other $other eth0 -Q in 'icmp[0] == 3 or icmp6[0] == 2'
	net=$([ $h = p1 ] && echo 2 || echo 8)
	on $h ping -q -c 2 -i 0.2 -W 0.2 -M "do" -s 1472 10.$net.0.1 >/dev/null
	on $h ping -q -c 2 -i 0.2 -W 0.2 -M "do" -s 1452 fd0$net::1 >/dev/null
	capture_end big
	capture_end other
	from=$([ $h = p1 ] && echo "10.1.0.254" || echo "10.7.0.1")
	from6=$([ $h = p1 ] && echo "fd01::b:fe" || echo "fd07::1")
	is "$h is told: fragmentation needed, next-hop MTU 1464" \
		"$(shark big -o ip.check_checksum:TRUE -Y 'icmp.type == 3 && icmp.code == 4 && icmp.checksum.status == 1 && !_ws.malformed' \
			-T fields -E occurrence=f -e ip.src -e icmp.mtu | sort -u)" "$from	1464"
	is "$h is told: packet too big, 1464" \
		"$(shark big -Y 'icmpv6.type == 2 && icmpv6.checksum.status == 1 && !_ws.malformed' \
			-T fields -E occurrence=f -e ipv6.src -e icmpv6.mtu | sort -u)" "$from6	1464"
	is "$other is not" "$(packets other)" 0
done
holds "by the programs" "$(stat x1 icmp-too-big) >= 4"

# The same trunk, of which the configuration knows no VLAN. What has a tag is nobody's, whichever mode is asked for: XDP would not see
# the tags, which the switch leaves beside the frames. Host t7 has an EID of instance 0, a route, and the MAC address of the port.
on sw ethtool -K trunk txvlan on >/dev/null 2>&1
on x1 ethtool -K e0 rxvlan on >/dev/null 2>&1
addr t7 eth0 10.1.0.131/25
ipn t7 route replace 10.2.0.1 via 10.1.0.254 src 10.1.0.131
ipn t7 neigh replace 10.1.0.254 lladdr "$(mac x1 e0)" dev eth0
for mode in xdp xdp-generic; do
	red 1 7 8 | sed "/role: eid/,/^overlay:/s/mode: .*/mode: $mode/; /untagged-only/d" | conf x1
	xc x1 config reload >/dev/null
	is "$mode: a trunk without VLANs is taken by TC" "$(xcj x1 iface show dev e0 | jq -r '[.[] | .mode, .wanted] | join(" ")')" "tc $mode"
	has "and how it could be had is said" "$(cat "$R/x1/log")" "interfaces\[\]\.mode is $mode, but interface e0: .*untagged-only: true"
	capture xtr0 x2 xtr0 icmp
	ten p1 10.2.0.1
	ten t7 10.2.0.1
	ten p1 10.2.0.1
	capture_end xtr0
	is "$mode: what has no tag comes through, what has one does not" "$(heard xtr0)" 20
	red 1 7 8 | sed "/role: eid/,/^overlay:/s/mode: .*/mode: $mode/" | conf x1
	xc x1 config reload >/dev/null
	is "$mode: it is had where the configuration vouches for it" "$(xcj x1 iface show dev e0 | jq -r '.[0].mode')" $mode
done
finish
