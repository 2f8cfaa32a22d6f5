#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Three instances with the same EIDs, addresses and hosts on the same two routers: 0 in the namespace of the router, 10 (red) and
# 20 (blue) in namespaces of their own, which reach the outside by their overlay device only. Whatever happens, a host gets
# packets of its own tenant alone, LISP packets of an instance carry packets of that instance alone, and nothing of an EID
# is seen in the underlay without LISP.
#
#   h1  10.1.0.10 ---- l0  x1  xtr0       |                     | xtr0      x2 l0 ---- 10.2.0.10  h2     instance 0
#   rh1 10.1.0.10 ---- l0  r1  xtr-red    | x1 == underlay == x2 | xtr-red  r2 l0 ---- 10.2.0.10  rh2    instance 10
#   bh1 10.1.0.10 ---- l0  b1  xtr-blue   |                     | xtr-blue  b2 l0 ---- 10.2.0.10  bh2    instance 20
. "$(dirname "$0")/lib.sh"

declare -A MARK=([h]=30 [rh]=72 [bh]=62) # what the pings of each tenant carry: '0', 'r', 'b'
TENANTS="h rh bh"

tenant_site() { # namespace of the tenant, its host, site number
	local n=$1 h=$2 i=$3
	wire "$n" l0 "$h" eth0
	addr "$n" l0 10.$i.0.126/25 fd0$i::a:fe/112
	addr "$h" eth0 10.$i.0.10/25 fd0$i::a:10/112
	default_via "$h" 10.$i.0.126 fd0$i::a:fe
}
yaml_tenants() { # site number: after yaml_xtr
	local i=$1
	yaml_xtr "$i" | sed -e "s,^etr:,  - device: xtr-red\n    instance: 10\n    namespace: ${NSP}r$i\n    addresses: [\"10.$i.0.1/32\"\, \"fd0$i::1/128\"]\n    routes: [\"10.0.0.0/8\"\, \"fd00::/8\"]\n  - device: xtr-blue\n    instance: 20\n    namespace: /run/netns/${NSP}b$i\n    addresses: [\"10.$i.0.1/32\"\, \"fd0$i::1/128\"]\n    routes: [\"10.0.0.0/8\"\, \"fd00::/8\"]\netr:," \
		-e 's,^    - eid: \(.*\),&\n    - {eid: \1\, instance: 10}\n    - {eid: \1\, instance: 20},'
}
lab
node r1 r2 b1 b2 rh1 rh2 bh1 bh2
router r1 r2 b1 b2
for i in 1 2; do
	tenant_site r$i rh$i $i
	tenant_site b$i bh$i $i
	yaml_tenants $i | conf x$i
done
yaml_ms | sed -e 's,^        - eid: \(.*\),&\n        - {eid: \1\, instance: 10}\n        - {eid: \1\, instance: 20},' \
	-e 's|aggregates.*|aggregates: [10.0.0.0/8, "fd00::/8", "[10]10.0.0.0/8", "[10]fd00::/8", "[20]10.0.0.0/8", "[20]fd00::/8"]|' | conf ms
yaml_mr | conf mr
start ms mr && start x1 x2 || finish
check "all prefixes of all instances are registered" wait_for 20 registered ms

# bits 12, 13, 38, 39 as ever, and 21: to enter the namespaces
is "x1 keeps CAP_SYS_ADMIN besides, and no more" "$(awk '$1 == "CapEff:" { print $2 }' "/proc/${PID[x1]}/status")" 000000c000203000

# ---- who got whose packets
watch_begin() { # name
	local t
	W=$1
	for t in $TENANTS; do capture "$W-$t" ${t}2 eth0 -Q in 'icmp or icmp6'; done
	capture "$W-wire" core any -Q in -s 200 'udp port 4341'
	capture "$W-leak" core any -Q in '(net 10.0.0.0/8 or net fd00::/8) and not udp port 4341'
}
watch_end() {
	local t c n i=1 out
	for c in h rh bh wire leak; do capture_end "$W-$c"; done
	for t in $TENANTS; do
		out=$("$E2E/tenants.py" host "${CAPFILE[$W-$t]}" "${MARK[$t]}")
		has "$W: ${t}2 got its own tenant's packets only" "$out" 'own [1-9][0-9]* strangers 0$'
	done
	out=$("$E2E/tenants.py" wire "${CAPFILE[$W-wire]}" 0=${MARK[h]} 10=${MARK[rh]} 20=${MARK[bh]})
	for t in $TENANTS; do
		n=$(sed -n ${i}p <<<"$out")
		has "$W: LISP packets of instance ${n%% *} carry its own packets only" "$n" 'own [1-9][0-9]* strangers 0$'
		i=$((i + 1))
	done
	has "$W: no other instance" "$out" '^other 0$'
	is "$W: nothing of an EID is in the underlay without LISP" "$(tcpdump -nr "${CAPFILE[$W-leak]}" 2>/dev/null | head -n 3)" ""
}
tping() { # tenant, number of the site it is in, address, more: pings that carry its mark
	local t=$1 i=$2 a=$3
	shift 3
	ping4 "$t$i" -p "${MARK[$t]}" "$@" "$a"
}
echoes() { on "$1" nstat -asz IcmpInEchos 2>/dev/null | awk '/Echos/ { print $2 }'; }
all_ping() { # name, count
	local t a p=() n=0
	for t in $TENANTS; do
		for a in 10.2.0.10 fd02::a:10; do
			tping $t 1 $a -c "$2" -i 0.02 >"$R/ping$n" &
			p+=($!)
			n=$((n + 1))
		done
	done
	wait "${p[@]}"
	n=0
	for t in $TENANTS; do
		for a in 10.2.0.10 fd02::a:10; do
			has "$1: ${t}1 to $a" "$(cat "$R/ping$n")" ' 0% packet loss'
			n=$((n + 1))
		done
	done
}

watch_begin cold
all_ping "cold" 10
watch_end
is "each tenant asked for its own entries" \
	"$(xcj x1 cache show | jq -r '[.[] | select(.eid == "10.2.0.0/24") | .iid] | sort | join(" ")')" "0 10 20"
has "cache show prints the instance" "$(xc x1 cache show)" '^\[10\]10.2.0.0/24'
has "eid show prints the instance" "$(xc x1 eid show)" '^\[20\]10.1.0.0/24'
is "iface show says where the devices are" \
	"$(xcj x1 iface show | jq -r '[.[] | select(.role == "overlay") | "\(.name) \(.iid) \(.namespace)"] | sort | join(", ")')" \
	"xtr-blue 20 /run/netns/${NSP}b1, xtr-red 10 ${NSP}r1, xtr0 0 null"
has "... for people too" "$(xc x1 iface show)" "dev xtr-red +role overlay +instance 10 +namespace ${NSP}r1"

# ---- TCP at the same time with the same addresses and ports; streams; answers of routers
watch_begin warm
p=()
for t in $TENANTS; do
	tcp ${t}1 ${t}2 10.2.0.10 3000000 &
	p+=($!)
done
for i in "${!p[@]}"; do
	wait "${p[$i]}"
	is "TCP of tenant $((i + 1)), content compared" $? 0
done
for t in rh bh; do
	s=$(stream ${t}1 ${t}2 10.2.0.10 300 1)
	check "300 datagrams of ${t}1" intact "$s"
	s=$(stream ${t}2 ${t}1 fd01::a:10 100 1 --gso 10 --size 1000)
	check "100 datagrams of ${t}2 in super-packets, IPv6" intact "$s"
done
all_ping "warm" 5
# TTL ends in the namespace at the other site, whose answer comes back through its own instance
has "time exceeded comes from the tenant's own router" "$(on rh1 ping -c 1 -W 2 -t 3 -p 72 10.2.0.10 2>&1)" 'From 10\.2\.0\.(1|126) .*Time to live exceeded'
has "too large for the overlay: told by the tenant's own router" "$(on rh1 ping -c 1 -W 2 -M 'do' -s 1580 10.2.0.10 2>&1)" 'Frag needed|too long|message too'

# ---- LISP packets in fragments: put together by the kernel, and each to its own tenant, whose answers are seen at site 2
n=$(stat x1 slow-path)
for t in "h 0" "rh 10" "bh 20"; do
	e=$(echoes "${t% *}1")
	on ms "$E2E/tenants.py" fragments 172.16.3.1 172.16.1.1 "${t#* }" ${MARK[${t% *}]} 10.2.0.10 10.1.0.10 5
	arrived() { [ "$(echoes "${t% *}1")" = $((e + 5)) ]; }
	check "5 pings of instance ${t#* } in fragments reach ${t% *}1" wait_for 3 arrived
done
holds "... by the slow path" "$(stat x1 slow-path) >= $n + 15"

# ---- natively forward: not by the host's routes, not into the underlay
d=$(drop x1 native-no-route)
on rh1 ping -q -c 3 -i 0.1 -W 1 -p 72 10.99.0.9 >/dev/null
holds "what is not in LISP is dropped for a tenant, and counted" "$(drop x1 native-no-route) > $d"
# ... unless the routes of its own namespace lead somewhere
addr rh1 lo 10.99.0.9/32
ipn r1 route add 10.99.0.0/16 via 10.1.0.10
own_way() { on r1 ping -q -c 1 -W 0.5 -p 72 10.99.0.9; }
check "a throw route stands for it in red: the tenant's own routes serve it" wait_for 8 own_way
has "... in its namespace" "$(ipn r1 route show table 4341 match 10.99.0.9)" '^throw 10\.'
is "... and in no other" "$(for n in x1 b1; do ipn $n route show table 4341 match 10.99.0.9 | grep throw; done)" ""
watch_end

# ---- the daemon goes and comes back under traffic
again() { # what, commands
	local t p=() i=0
	for t in $TENANTS; do
		stream ${t}1 ${t}2 10.2.0.10 2500 1 >"$R/s$i" &
		p+=($!)
		i=$((i + 1))
	done
	sleep 0.7
	eval "$2"
	for i in "${!p[@]}"; do
		wait "${p[$i]}"
		check "$1: stream of tenant $((i + 1)), none of 2500 lost" intact "$(cat "$R/s$i")"
	done
}
far() { ipn r1 -j link show xtr-red | jq .[0].ifindex; }
was=$(far)
watch_begin restart
again "restart" 'stop x1; start x1'
again "kill -9" 'stop x2 KILL; start x2; stop x1 KILL; start x1'
is "the device in the namespace is the same one" "$(far)" "$was"
all_ping "after restarts" 3
watch_end

# ---- the namespace of one tenant goes and comes back
watch_begin gone
p=()
for t in h bh; do
	stream ${t}1 ${t}2 10.2.0.10 4000 1 >"$R/g$t" &
	p+=($!)
done
ip netns del "${NSP}r1"
gone() { ! ipn x1 link show xtr-redp 2>/dev/null; }
check "red's pair is gone with its namespace" wait_for 5 gone
sleep 0.5
d=$(drop x1 decap-no-overlay)
on r2 ping -q -c 2 -i 0.1 -W 1 -p 72 -I 10.2.0.1 10.1.0.10 >/dev/null
holds "what arrives for it is dropped and counted" "$(drop x1 decap-no-overlay) + $(drop x1 overlay-gone) > $d"
is "said once" "$(grep -c "no network namespace ${NSP}r1" "$R/x1/log")" 1
ip netns add "${NSP}r1"
on r1 sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ipn r1 link set lo up
router r1
ipn rh1 link del eth0 2>/dev/null
tenant_site r1 rh1 1
back() { tping rh 1 10.2.0.10 -c 1 -W 1 && tping rh 1 fd02::a:10 -c 1 -W 1; }
check "a namespace of that name is there again: so is the tenant" wait_for 8 back
has "and it is said" "$(cat "$R/x1/log")" 'overlay xtr-red: in its place again'
wait "${p[@]}"
check "instance 0 did not notice" intact "$(cat "$R/gh")"
check "blue did not notice" intact "$(cat "$R/gbh")"
all_ping "with everybody there again" 3
watch_end

# ---- a reload moves a device, and back
yaml_tenants 1 | sed "s,namespace: ${NSP}r1\$,namespace: ${NSP}rh1," >"$R/x1/moved.yaml"
cp "$R/x1/xtrd.yaml" "$R/x1/first.yaml"
cp "$R/x1/moved.yaml" "$R/x1/xtrd.yaml"
check "reload" xc x1 config reload
has "red's device is in another namespace" "$(ipn rh1 -o link show xtr-red 2>&1)" 'NOARP'
is "and nothing of it where it was" "$(ipn r1 -o link show xtr-red 2>/dev/null)$(ipn r1 rule | grep 4341)" ""
cp "$R/x1/first.yaml" "$R/x1/xtrd.yaml"
check "reload back" xc x1 config reload
check "the tenant is where it was" wait_for 5 back

for n in x1 x2; do
	stop $n
	check "$n: detach" xc $n detach
done
is "detach leaves nothing with the tenants" \
	"$(for n in r1 r2 b1 b2; do ipn $n -o link show | grep xtr; ipn $n rule | grep 4341; ipn $n route show table all | grep 'proto 76'; done)" ""
finish
