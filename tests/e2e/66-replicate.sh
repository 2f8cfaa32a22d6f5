#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Hosts that send to a group: one copy to each of 64 locators, by XDP where the port and the list allow it, by TC where they do
# not, and nobody can tell which. Counted at every locator: none is missing, none comes twice, also while lists change, somebody
# on the router joins, a next hop goes, the daemon dies and comes back.
#
#   p1 eth0 --- e0 x1 u0 --- c1 core c2 --- u0 x2   xtr0: a member of the group
#                                    c3 --- u0 x3   the same
#                               lo: 62 locators that only count, 172.16.9.N and 2001:db8:9::N
. "$(dirname "$0")/lib.sh"
REP=$E2E/replicate.py
G4=233.252.1.1 G6=ff08::db8:1

node core x1 x2 x3 p1
router core x1 x2 x3
for i in 1 2 3; do
	wire x$i u0 core c$i 1600
	addr core c$i 172.16.$i.254/24 2001:db8:$i::fe/64
	addr x$i u0 172.16.$i.1/24 2001:db8:$i::1/64
	default_via x$i 172.16.$i.254 2001:db8:$i::fe
done
wire x1 e0 p1 eth0
addr x1 e0 10.1.0.254/24 fd01::fe/64
addr p1 eth0 10.1.0.10/24 fd01::10/64
default_via p1 10.1.0.254 fd01::fe
for i in {1..42}; do addr core lo 172.16.9.$i/32; done
for i in {1..20}; do addr core lo 2001:db8:9::$i/128; done

locators() { # how many: x2 by IPv4, x3 by IPv6, then those that count, of both families
	local n=$(($1 - 2)) i
	printf '172.16.2.1, "2001:db8:3::1"'
	for ((i = 1; i <= n; i++)); do
		if ((i % 3)); then printf ', 172.16.9.%s' $((i - i / 3)); else printf ', "2001:db8:9::%s"' $((i / 3)); fi
	done
}
yaml_router() { # number, copies of both groups
	local i=$1
	yaml_paths x$i
	cat <<-Y
	rlocs: [{address: 172.16.$i.1}, {address: "2001:db8:$i::1"}]
	interfaces:
	  - {name: u0, role: underlay, mode: ${MODE:-xdp}}
	Y
	[ "$i" != 1 ] || echo "  - {name: e0, role: eid, mode: ${MODE:-xdp}, untagged-only: true}"
	cat <<-Y
	overlay: [{device: xtr0, addresses: [10.$i.0.1/32, "fd0$i::1/128"], routes: [10.0.0.0/8, "fd00::/8"]}]
	itr: {map-resolvers: [172.16.$i.254]}
	etr:
	  map-servers: [{address: 172.16.$i.254, key-file: $(key x$i secret)}]
	  database: [{eid: 10.$i.0.0/24}, {eid: "fd0$i::/64"}]
	multicast:
	Y
	for g in $G4 $G6; do
		echo "  - group: \"$g\""
		[ -z "${2-}" ] || echo "    copies-to: [$(locators "$2")]"
	done
}
for i in 2 3; do yaml_router $i | conf x$i; done
yaml_router 1 64 | conf x1
start x1 && start x2 x3 || finish

# ---- who listens
hear() { # name, node, replicate.py words...
	local name=$1 n=$2
	shift 2
	rm -f "$R/hear.$name" # an earlier one was ready, this one is not
	on_exec "$n" "$REP" "$@" >"$R/hear.$name" 2>&1 &
	HEARS[$name]=$!
	BG+=($!)
	wait_for 10 grep -q ready "$R/hear.$name"
}
declare -A HEARS=()
heard() { # name: it ends, and this is what it says
	kill -TERM "${HEARS[$1]}" 2>/dev/null
	wait_for 20 grep -q odd= "$R/hear.$1"
	grep -v ready "$R/hear.$1"
}
all_hear() { # group
	hear x2 x2 member "$1" xtr0
	hear x3 x3 member "$1" xtr0
	hear core core locators
}
all() { echo "received=$1 missing=0 twice=0 first=${2:-0} last=$((${2:-0} + $1 - 1))"; } # count, [first]
send() { on p1 "$REP" send "$1" eth0 "$2" "${3:-400}" "${4:-0}" >/dev/null; } # group, count, rate, first
# What came at locators that only count: how many locators, and each different verdict once.
counted() { echo "$1" | grep -v odd= | awk '{ n++; $1 = ""; v[$0]++ } END { for (k in v) printf "%d:%s", v[k], k }'; }
by() { # name, packets, of these by XDP, copies each: counters of x1 since the last time
	local a b c x
	a=$(stat x1 replicate) b=$(stat x1 replicate-xdp) c=$(stat x1 replicate-copy)
	# (a packet that comes just while the list or a template is written anew is left to TC)
	x=$((b - B))
	[ $x -ge "$3" ] || [ $x -lt $(($3 * 99 / 100)) ] || x=$3
	is "$1: x1 counts packets, those that XDP copied, copies" "$((a - A)) $x $((c - C))" "$2 $3 $(($2 * $4))"
	A=$a B=$b C=$c
}
A=0 B=0 C=0
made_by() { grep "group $1 of" "$R/x1/log" | tail -n 1 | grep -q "made by $2"; } # group, XDP or TC
check "both lists are XDP's" wait_for 10 made_by $G4 XDP
check "... " made_by $G6 XDP

round() { # name, group, count, copied by XDP, copies
	local c
	all_hear "$2"
	send "$2" "$3"
	is "$1: x2 has each once" "$(heard x2 | grep -v odd)" "$2 $(all "$3")"
	is "$1: x3 has each once" "$(heard x3 | grep -v odd)" "$2 $(all "$3")"
	c=$(heard core)
	is "$1: so has every other locator" "$(counted "$c")" "$(($5 - 2)): $(all "$3")"
	is "$1: nothing else came" "$(grep odd <<<"$c")" "odd=0"
	by "$1" "$3" "$4" "$5"
}
# A NIC would have finished the checksum: without this XDP leaves what p1 sends to TC.
on p1 ethtool -K eth0 tx off >/dev/null
round "XDP, IPv4" $G4 300 300 64
round "XDP, IPv6" $G6 300 300 64
on p1 ethtool -K eth0 tx on >/dev/null
round "checksum unfinished" $G4 100 0 64
on p1 ethtool -K eth0 tx off >/dev/null

# ---- lists change while packets flow
all_hear $G4
send $G4 1500 500 &
BG+=($!) S=$!
for n in 7 64 20 2 64; do
	yaml_router 1 $n | conf x1
	xc x1 config reload >/dev/null || fail "reload to $n copies" "refused"
	sleep 0.3
done
wait $S
is "lists of other sizes: x2 has each once" "$(heard x2 | grep -v odd)" "$G4 $(all 1500)"
is "lists of other sizes: x3 has each once" "$(heard x3 | grep -v odd)" "$G4 $(all 1500)"
is "lists of other sizes: no locator has one twice" "$(heard core | grep -v odd | grep -cv 'twice=0')" 0
holds "... most by XDP" "$(stat x1 replicate-xdp) - $B > 1000"
A=$(stat x1 replicate) B=$(stat x1 replicate-xdp) C=$(stat x1 replicate-copy)

# ---- somebody on the router wants the group too: XDP can not pass a packet on that it copies
hear here x1 member $G4 e0
check "a member on the router: TC copies" wait_for 5 made_by $G4 TC
round "member on the router" $G4 100 0 64
is "member on the router: it has each once" "$(heard here | grep -v odd)" "$G4 $(all 100)"
check "it has gone: XDP again" wait_for 5 made_by $G4 XDP

# ---- a next hop that goes away and comes back; a router that dies and comes back
mac=$(ipn core -j link show c1 | jq -r '.[0].address')
on core sysctl -qw net.ipv4.conf.c1.arp_notify=1 net.ipv6.conf.c1.ndisc_notify=1
all_hear $G4
send $G4 1000 400 &
BG+=($!) S=$!
sleep 0.5
ipn core link set c1 address 02:00:00:00:77:01
heard_of() { ipn x1 neigh show to "$1" | grep -q 02:00:00:00:77:01; }
check "the next hop has another address" wait_for 5 heard_of 172.16.1.254
check "... by IPv6 as well" wait_for 5 heard_of 2001:db8:1::fe
wait $S
has "next hop changed: x2 has none twice, and the last" "$(heard x2 | grep -v odd)" "twice=0 first=0 last=999"
has "... x3 too" "$(heard x3 | grep -v odd)" "twice=0 first=0 last=999"
is "... and every other locator" "$(heard core | grep -o 'twice=.*' | sort | uniq -c | xargs)" "62 twice=0 first=0 last=999"
all_hear $G4
send $G4 1000 400 &
BG+=($!) S=$!
sleep 0.5
stop x1 KILL
sleep 0.3
start x1
wait $S
is "daemon killed and started: x2 has each once" "$(heard x2 | grep -v odd)" "$G4 $(all 1000)"
is "... x3 too" "$(heard x3 | grep -v odd)" "$G4 $(all 1000)"
is "... and every other locator" "$(counted "$(heard core)")" "62: $(all 1000)"
check "XDP copies again" wait_for 10 made_by $G4 XDP
sleep 0.5
A=$(stat x1 replicate) B=$(stat x1 replicate-xdp) C=$(stat x1 replicate-copy)
round "after all that" $G4 100 100 64
ipn core link set c1 address "$mac"

# ---- and nothing stays
ids=$(for m in "$R"/x1/bpf/xtr/v*/xtr_fan*; do bpftool -j map show pinned "$m" | jq .id; done)
progs=$(bpftool -j prog show pinned "$(ls "$R"/x1/bpf/xtr/v*/xtr_xdp_copy)" | jq .id)
holds "there are maps and a program of ours" "$(wc -w <<<"$ids") == 5 && ${progs:-0} > 0"
stop x1
check "detach" xc x1 detach
gone() { for i in $ids; do bpftool map show id "$i" >/dev/null 2>&1 && return 1; done; ! bpftool prog show id "$progs" >/dev/null 2>&1; }
check "maps, device maps and the program are gone" wait_for 5 gone
finish
