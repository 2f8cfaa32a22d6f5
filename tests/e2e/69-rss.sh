#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The outer source port carries the entropy of the inner flow (RFC 9300 12): a NIC that hashes outer headers, or routers with
# equal-cost paths, spread the flows of one pair of tunnel routers. A flow keeps its port, whichever hook encapsulates it, and
# all fragments of a datagram have one port. The core plays the NIC: a Toeplitz hash of the outer header chooses the receive
# queue of the cable to rx, which counts packets per queue itself.
#
#   g  eth0 --- e0 (XDP) [ x1 ] u0 --- c1 [ core ] c2 ==== 8 queues ==== r0 [ rx 172.16.2.1, .2, 2001:db8:2::1 ]
#      eth1 --- e1 (TC)
. "$(dirname "$0")/lib.sh"
Q=8
SETS4="udp-ports-4 tcp-ports-4 hosts-4 pings-4 udp-ports-4-two-locators fragments-4"
SETS6="udp-ports-6 hosts-6 fragments-6"
OUTER6="udp-ports-4-in-6 udp-ports-6-in-6"

lines() { while read -r l; do case $l in "not ok"*) FAILED=$((FAILED + 1)) ;; ok*) OKS=$((OKS + 1)) ;; esac; echo "$l"; done < <("$@" | grep -v ^queues); }
lines "$E2E/rss.py" selftest
clang -O2 -g -target bpf -I/usr/include/"$(gcc -print-multiarch)" -c -o "$R/rss.o" "$E2E/rss.bpf.c" || { fail "rss.bpf.c compiles" clang; finish; }

node g x1 core rx
router core x1
wire g eth0 x1 e0
wire g eth1 x1 e1
wire x1 u0 core c1 1600
ip link add c2 netns "${NSP}core" numtxqueues $Q numrxqueues $Q type veth peer name r0 netns "${NSP}rx" numtxqueues $Q numrxqueues $Q
for end in "core c2" "rx r0"; do
	set -- $end
	ipn "$1" link set "$2" mtu 1600 up
	on "$1" ethtool -K "$2" gro on
done
on core ethtool -K c2 tso off # else a veth hands on what is forwarded without its queues
addr x1 e0 10.1.0.254/24 fd01::fe/64
addr x1 u0 172.16.1.1/24 2001:db8:1::1/64
addr core c1 172.16.1.254/24 2001:db8:1::fe/64
addr core c2 172.16.2.254/24 2001:db8:2::fe/64
addr rx r0 172.16.2.1/24 172.16.2.2/24 2001:db8:2::1/64
default_via x1 172.16.1.254 2001:db8:1::fe
default_via rx 172.16.2.254 2001:db8:2::fe
on rx nft -f - <<-'N' # what nobody listens to would be answered with ICMP
	table inet f { chain i { type filter hook prerouting priority -500; udp dport 4341 drop; }; }
N
on core tc qdisc add dev c2 clsact && on core tc filter add dev c2 egress bpf direct-action object-file "$R/rss.o" section tc ||
	{ fail "the core plays a NIC" tc; finish; }
conf x1 <<Y
$(yaml_paths x1)
rlocs: [{address: 172.16.1.1}, {address: "2001:db8:1::1"}]
interfaces:
  - {name: u0, role: underlay, mode: xdp}
  - {name: e0, role: eid, mode: xdp, untagged-only: true}
  - {name: e1, role: eid, mode: tc}
overlay: [{device: xtr0, routes: [10.0.0.0/8, "fd00::/8"]}]
etr: {database: [{eid: 10.1.0.0/24}, {eid: "fd01::/64"}]}
itr: {map-resolvers: [172.16.2.1]}
Y
start x1 || finish
# $Q as a word of its own: weights and families as the mapping says
xc x1 cache add 10.2.0.0/16 rloc 172.16.2.1 && xc x1 cache add fd02::/64 rloc 172.16.2.1 &&
	xc x1 cache add 10.6.0.0/16 rloc 2001:db8:2::1 && xc x1 cache add fd06::/64 rloc 2001:db8:2::1 &&
	xc x1 cache add 10.3.0.0/16 rloc 172.16.2.1 weight 50 rloc 172.16.2.2 weight 50 || { fail "static entries" xtrctl; finish; }
check "underlay" ping4 x1 -c 2 -i 0.2 172.16.2.1
on x1 ping -q -n -c 1 2001:db8:2::1 >/dev/null
mac_of() { ipn "$1" -j link show "$2" | jq -r '.[0].address'; }
per_queue() { on rx ethtool -S r0 | awk -F'[ :_]+' '/ rx_queue_[0-9]+_xdp_packets/ { n[$4] = $NF } END { for (i = 0; i < '$Q'; i++) print n[i] + 0 }' | xargs; }

send() { # port of g, port of x1, sets...: and captured at rx
	local a=$1 b=$2 n before after
	shift 2
	capture "$b" rx r0 -Q in -s 160 'udp port 4341'
	before=$(per_queue)
	n=$(on g "$E2E/rss.py" send "$a" "$(mac_of x1 "$b")" "$@")
	wait_for 5 all_there "$n" "$before"
	capture_end "$b"
	after=$(per_queue)
	sent=$n
	queues=$(paste -d' ' <(tr ' ' '\n' <<<"$before") <(tr ' ' '\n' <<<"$after") | awk '{ print $2 - $1 }' | xargs)
}
all_there() { [ "$(per_queue | tr ' ' '\n' | awk '{ s += $1 } END { print s }')" -ge $(($(tr ' ' '\n' <<<"$2" | awk '{ s += $1 } END { print s }') + $1)) ]; }

x=$(stat x1 encap-xdp) e=$(stat x1 encap)
send eth0 e0 $SETS4 $SETS6 $OUTER6
is "by XDP: all of it was encapsulated" $(($(stat x1 encap) - e)) "$sent"
is "by XDP: nothing was dropped" "$(drops_of x1)" "{}"
# behind an IPv6 extension header XDP cannot see on a veth whether a checksum is finished, and leaves it to TC
is "by XDP: and by XDP" $(($(stat x1 encap-xdp) - x)) $((sent - 3 * 256))
xdp_queues=$queues
x=$(stat x1 encap-xdp) e=$(stat x1 encap)
send eth1 e1 $SETS4 $SETS6 $OUTER6
is "by TC: all of it was encapsulated" $(($(stat x1 encap) - e)) "$sent"
is "by TC: and by TC" $(($(stat x1 encap-xdp) - x)) 0
"$E2E/rss.py" judge $Q $SETS4 $SETS6 $OUTER6 -- "$R/e0.pcap" "$R/e1.pcap" >"$R/judged"
lines cat "$R/judged"
# besides LISP there may be a message of neighbour discovery or two
is "the receive queues of the veth counted what the hash of the outer headers says" "$(paste -d' ' <(tr ' ' '\n' <<<"$xdp_queues $queues") \
	<(sed -n 's/^queues //p' "$R/judged" | tr ' ' '\n') | awk '$1 < $2 || $1 > $2 + 4 { print "queue", (NR - 1) % '$Q' ":", $1, "of", $2 }')" ""
echo "  packets per queue: $queues"
low=$(tr ' ' '\n' <<<"$queues" | sort -n | head -n 1) high=$(tr ' ' '\n' <<<"$queues" | sort -n | tail -n 1)
holds "no queue has much more than another: $low to $high" "$high < $low * 1.3"
finish
