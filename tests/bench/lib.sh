# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the parts of the benchmark share: chains of namespaces for the variants, rounds, and where figures go.
#
#   tests/bench/PART.sh BUILD        QUICK=1: fewer and shorter rounds; ROUNDS, SECS override
#
# Every variant has a chain of its own, all are up at once, and each round measures all of them one after the other, so that
# what else the machine does hits all alike. A figure goes to BUILD/bench/raw/PART.tsv as "id round value"; table.py makes
# ratios of figures of one round. What can not be measured goes there as "- id why", and is said, not left out.
#
#    s s0 ------------ a0 a a1 ============ b1 b b0 ------------ d0 d      1500 octets, underlay 1600;
#   10.1.0.2, fd01::2      172.16.0.1, 2001:db8::1   ...2      10.2.0.1, fd02::1 (and all of 10.2/16, 10.6/16, 11/8, fd02::/16, fd06::/16)
NO_WIRE=1
PART=$(basename "$0" .sh)
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

BENCH=${BENCH:-$BUILD/bench/xtr-bench}
RAW=$BUILD/bench/raw/$PART.tsv
mkdir -p "$BUILD/bench/raw"
: >"$RAW"
if [ -n "${QUICK-}" ]; then ROUNDS=${ROUNDS:-3} SECS=${SECS:-0.3}; else ROUNDS=${ROUNDS:-7} SECS=${SECS:-1}; fi
XTR_START_WAIT=120

say() { echo "bench: $PART: $*"; }
record() { # id, round, value
	if [[ $3 =~ ^[0-9.]+(e[-+]?[0-9]+)?$ ]]; then echo "$1 $2 $3" >>"$RAW"; else echo "bench: $PART: round $2: $1 gave no figure" >&2; fi
}
unmeasured() { # id, why
	echo "- $*" >>"$RAW"
	say "$1 is not measured: ${*:2}"
}
# How busy the machine is with something else, percent of all CPUs: looked at while nothing of ours runs.
busy() {
	local a b
	read -ra a < <(head -n 1 /proc/stat)
	sleep 0.25
	read -ra b < <(head -n 1 /proc/stat)
	awk -v x="${a[*]:1:8}" -v y="${b[*]:1:8}" 'BEGIN { split(x, p, " "); n = split(y, q, " ");
		for (i = 1; i <= n; i++) { all += q[i] - p[i]; if (i == 4 || i == 5) idle += q[i] - p[i] }
		printf "%.1f", all ? 100 * (all - idle) / all : 0 }'
}
round() { # number: begins one
	record busy-$PART "$1" "$(busy)"
	record load-$PART "$1" "$(cut -d' ' -f1 /proc/loadavg)"
}
# One line for each round: what it gave.
round_ends() { say "round $1 of $ROUNDS: $(awk -v r="$1" '$2 == r && $1 !~ /^(busy|load)-|-(loss|mpps)$/ { printf "%s %.4g  ", $1, $3 }' "$RAW")"; }

# ---- chains. A variant is a short name; its nodes are s, a, b and d with that name behind it.
link() { # node, device, MAC, node, device, MAC, MTU
	ip link add "$2" netns "$NSP$1" address "$3" type veth peer name "$5" netns "$NSP$4" address "$6" || exit 1
	ipn "$1" link set "$2" mtu "$7" up
	ipn "$4" link set "$5" mtu "$7" up
	# NAPI, without which nothing can be redirected into a veth
	on "$1" ethtool -K "$2" gro on
	on "$4" ethtool -K "$5" gro on
}
neigh() { ipn "$1" neigh replace "$2" lladdr "$3" dev "$4" nud permanent; }
M=02:00:00:00:00:0
chain() { # variant
	local s=s$1 a=a$1 b=b$1 d=d$1
	node $s $a $b $d
	link $s s0 ${M}1 $a a0 ${M}2 1500
	link $a a1 ${M}3 $b b1 ${M}4 1600
	link $b b0 ${M}5 $d d0 ${M}6 1500
	router $a $b
	addr $s s0 10.1.0.2/24 fd01::2/64
	addr $a a0 10.1.0.1/24 fd01::1/64
	addr $a a1 172.16.0.1/24 2001:db8::1/64
	addr $b b1 172.16.0.2/24 2001:db8::2/64
	addr $b b0 10.3.0.1/24 fd03::1/64
	addr $d d0 10.3.0.2/24 fd03::2/64
	addr $d lo 10.2.0.1/32 10.6.0.1/32 fd02::1/128 fd06::1/128
	default_via $s 10.1.0.1 fd01::1
	default_via $d 10.3.0.1 fd03::1
	neigh $s 10.1.0.1 ${M}2 s0
	neigh $s fd01::1 ${M}2 s0
	neigh $a 10.1.0.2 ${M}1 a0
	neigh $a fd01::2 ${M}1 a0
	neigh $a 172.16.0.2 ${M}4 a1
	neigh $a 2001:db8::2 ${M}4 a1
	neigh $b 172.16.0.1 ${M}3 b1
	neigh $b 2001:db8::1 ${M}3 b1
	neigh $b 10.3.0.2 ${M}6 b0
	neigh $b fd03::2 ${M}6 b0
	neigh $d 10.3.0.1 ${M}5 d0
	neigh $d fd03::1 ${M}5 d0
	for p in 10.2.0.0/16 10.6.0.0/16 11.0.0.0/8; do ipn $b route add $p via 10.3.0.2; done
	for p in fd02::/16 fd06::/16; do ipn $b -6 route add $p via fd03::2; done
}
# The variants.
plain() { # variant: routed by the kernel, no overlay
	ipn a$1 route add default via 172.16.0.2
	ipn b$1 route add 10.1.0.0/24 via 172.16.0.1
	ipn a$1 -6 route add default via 2001:db8::2
	ipn b$1 -6 route add fd01::/64 via 2001:db8::1
}
hold() { # node, device, program, [xtr-bench options]: an XDP program for as long as this script runs
	on_exec "$1" "$BENCH" hold --dev "$2" --program "$3" "${@:4}" >"$R/hold.$1.$2" 2>&1 &
	BG+=($!)
	wait_for 10 grep -q ready "$R/hold.$1.$2" || { say "$1 $2: $(cat "$R/hold.$1.$2")"; exit 1; }
}
redirect() { # variant: the least any XDP router does
	hold a$1 a0 redirect --sink-dev a1 --dmac ${M}4 --smac ${M}3
	hold b$1 b1 redirect --sink-dev b0 --dmac ${M}6 --smac ${M}5
}
vxlan() { # variant
	local n i j p
	for n in "a 1 2 10.2.0.0/16" "b 2 1 10.1.0.0/24"; do
		read -r n i j p <<<"$n"
		ipn $n$1 link add vx0 address 02:00:00:00:01:0$i type vxlan id 5 local 172.16.0.$i remote 172.16.0.$j dstport 4789 \
			dev ${n}1 nolearning noudpcsum
		ipn $n$1 link set vx0 mtu 1500 up
		addr $n$1 vx0 10.9.0.$i/24
		neigh $n$1 10.9.0.$j 02:00:00:00:01:0$j vx0
		ipn $n$1 route replace $p via 10.9.0.$j
	done
}
# Our routers. MODE of the ports, UMODE of those of the underlay; MS: which of them is Map-Server and Map-Resolver too; more keys
# of both: MORE; more EID-prefixes of b: EIDS; more sites: SITES.
ours() { # variant
	local v=$1 n i u db ms=${MS:-a} server=172.16.0.1
	[ $ms = a ] || server=172.16.0.2
	for n in a b; do
		[ $n = a ] && i=1 || i=2
		{
			yaml_paths $n$v
			cat <<-Y
			rlocs: [{address: 172.16.0.$i}, {address: "2001:db8::$i"}]
			interfaces:
			  - {name: ${n}1, role: underlay, mode: ${UMODE:-${MODE:-xdp}}}
			  - {name: ${n}0, role: eid, mode: ${MODE:-xdp}, untagged-only: true}
			overlay: [{device: xtr0, routes: [10.0.0.0/8, 11.0.0.0/8, "fd00::/8"]}]
			itr: {map-resolvers: [$server]}
			${MORE-}
			etr:
			  map-servers: [{address: $server, key-file: $(key $n$v "secret of $n$v"), proxy-reply: true}]
			  database:
			Y
			# over IPv4: 10.2, 11 and fd02; over IPv6: 10.6 and fd06
			[ $n = a ] && db="10.1.0.0/24=. fd01::/64=." || db="10.2.0.0/16=4 fd02::/16=4 10.6.0.0/16=6 fd06::/16=6 11.0.0.0/8=4 ${EIDS-}"
			for u in $db; do
				case $u in
				*=4) echo "    - {eid: \"${u%=*}\", rlocs: [{address: 172.16.0.$i}]}" ;;
				*=6) echo "    - {eid: \"${u%=*}\", rlocs: [{address: \"2001:db8::$i\"}]}" ;;
				*) echo "    - {eid: \"${u%=*}\"}" ;;
				esac
			done
		} | conf $n$v
	done
	cat >>"$R/$ms$v/xtrd.yaml" <<-Y
	map-resolver: {}
	map-server:
	  sites:
	    - {name: a, key-file: $R/a$v.key, eid-prefixes: [{eid: 10.1.0.0/24}, {eid: "fd01::/64"}]}
	    - name: b
	      key-file: $R/b$v.key
	      eid-prefixes: [{eid: 10.2.0.0/16}, {eid: 10.6.0.0/16}, {eid: 11.0.0.0/8}, {eid: 10.4.0.0/16, accept-more-specifics: true}, {eid: "fd02::/16"}, {eid: "fd06::/16"}]
	    ${SITES-}
	Y
	start a$v b$v && hurry a$v b$v && wait_for 30 all_registered $v && return
	say "$v: routers do not register: $(tail -n 3 "$R/a$v/log" "$R/b$v/log" | tr '\n' ' ')"
	exit 1
}
# Daemons that are measured run before whatever else this machine does, as the senders do.
hurry() {
	local n
	for n; do renice -n -15 -p "${PID[$n]}" >/dev/null || return 1; done
}
# as registered() of lib.sh, but for those that only have more-specifics
all_registered() { xcj ${MS:-a}$1 site show | jq -e '[.[] | select(.configured and (.eid | IN("10.4.0.0/16", "12.0.0.0/8") | not))] | all(.registered)'; }
# Both directions resolved, or nothing is worth measuring.
warm() { # variant, address...
	local v=$1 to
	shift
	for to; do
		wait_for 10 on s$v ping -q -n -c 1 -W 1 "$to" || { say "$v: $to can not be reached"; exit 1; }
	done
}
field() { # JSON, name
	jq -r ".$2 // empty" <<<"$1" 2>/dev/null
}
