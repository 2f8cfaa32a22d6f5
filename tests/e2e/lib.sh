# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the end-to-end scripts share: a laboratory of network namespaces, real daemons in them, captures, and verdicts.
#
#   tests/e2e/NN-name.sh [BUILD]     prints "ok NAME", "not ok NAME - why", "skip NAME - why"; status 1 if any failed
#
# A script runs in mount and process namespaces of its own (E2E_SHARED=1 leaves that out). So nothing can stay behind
# on the machine, whatever happens: when the script ends, or is killed, the kernel takes down its processes, with them
# its network namespaces, and with its mounts every pin. It can not meet another run either. A node has its own bpffs
# (never below /sys: `ip netns exec` would hide it), state folder, control socket and keys below $R/NODE.
set -uo pipefail
export LC_ALL=C

BUILD=$(cd "${1:-build}" 2>/dev/null && pwd) || { echo "not ok setup - no build in ${1:-build}: run make"; exit 1; }
E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SEQ=$BUILD/tests/e2e/seq
if [ "$(id -u)" != 0 ]; then
	echo "skip $(basename "$0" .sh) - needs root for network namespaces and BPF"
	exit 0
fi
if [ -z "${E2E_INSIDE-}" ] && [ -z "${E2E_SHARED-}" ]; then
	export E2E_INSIDE=1
	# in a chroot the root is no mount point, and its propagation can not be changed
	propagation=private
	unshare --mount --propagation $propagation true 2>/dev/null || propagation=unchanged
	exec unshare --mount --propagation $propagation --pid --fork --kill-child=KILL --mount-proc "$0" "$@"
fi
if [ -n "${E2E_INSIDE-}" ]; then
	unset E2E_INSIDE
	mkdir -p /run/netns && mount -t tmpfs -o mode=755 tmpfs /run/netns || exit 1
	NSP=
else
	NSP=xtr$$-
fi
R=$(mktemp -d "${TMPDIR:-/tmp}/xtr-e2e.XXXXXX") || exit 1
declare -A PID=() CAP=() CAPFILE=()
BG=() NODES=()
FAILED=0 OKS=0

# ---- verdicts
ok() { OKS=$((OKS + 1)); echo "ok $*"; }
fail() { FAILED=$((FAILED + 1)); echo "not ok $1 - ${2-}"; } # name, why
skip() { echo "skip $1 - $2"; }
# The command's output is shown when it fails only.
check() { # name, command...
	local name=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc = 0 ]; then
		ok "$name"
	else
		fail "$name" "$* gave status $rc: $(tail -n 1 <<<"$out")"
		[ -z "$out" ] || sed 's/^/  | /' <<<"$out"
	fi
	return $rc
}
is() { # name, got, wanted
	[ "$2" = "$3" ] && ok "$1" && return
	fail "$1" "got '$2', wanted '$3'"
	return 1
}
# Arithmetic: that "1.06 > 0.9" and why it was not.
holds() { # name, expression
	if awk "BEGIN { exit !($2) }" 2>/dev/null; then ok "$1"; else fail "$1" "$2 is not so"; return 1; fi
}
has() { # name, text, extended regular expression
	grep -qE -- "$3" <<<"$2" && ok "$1" && return
	fail "$1" "no match for '$3' in: $(head -c 300 <<<"$2" | tr '\n' ' ')"
	return 1
}
# The seconds are those of a quiet machine: a busy one gets three times as many. What must be quick is measured besides.
# Asking costs more than most that is waited for: it takes a third of the time at most.
wait_for() { # seconds, command...
	local end=$((SECONDS + $1 * 3)) t0 took
	shift
	t0=${EPOCHREALTIME/[.,]/}
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		took=$((2 * (${EPOCHREALTIME/[.,]/} - t0)))
		[ $took -gt 50000 ] || took=50000
		[ $took -lt 400000 ] || took=400000
		sleep "0.$(printf %06d $took)"
		t0=${EPOCHREALTIME/[.,]/}
	done
}
finish() {
	[ -z "${WIRE-}" ] || wire_end "${1-}"
	if [ $FAILED != 0 ]; then
		for n in "${NODES[@]}"; do
			[ -s "$R/$n/log" ] || continue
			echo "  ---- the end of the log of $n"
			tail -n "${E2E_LOG_LINES:-25}" "$R/$n/log" | sed 's/^/  | /'
		done
	fi
	[ $FAILED = 0 ] && [ $OKS -gt 0 ]
	exit
}

# ---- the end: only what was started here, by its number. Daemons get the time to say what they leaked.
cleanup() {
	local rc=$? p n
	trap - EXIT
	trap '' INT TERM HUP
	for p in "${PID[@]}" "${CAP[@]}" "${BG[@]}"; do kill -TERM "$p" 2>/dev/null; done
	for p in "${PID[@]}"; do
		for _ in {1..100}; do kill -0 "$p" 2>/dev/null || break; sleep 0.05; done
		kill -KILL "$p" 2>/dev/null
	done
	for n in "${NODES[@]}"; do
		umount "$R/$n/bpf" 2>/dev/null || umount -l "$R/$n/bpf" 2>/dev/null
		[ -e "/run/netns/$NSP$n" ] && ip netns del "$NSP$n"
	done
	[ -n "${E2E_KEEP_FILES-}" ] && echo "files stay in $R" || rm -rf --one-file-system "$R"
	exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ---- namespaces and links
on() { # node, command...
	local n=$1
	shift
	nsenter --net="/run/netns/$NSP$n" -- "$@"
}
# For the background: the number in $! is that of the program itself, which is what gets killed later.
on_exec() { exec nsenter --net="/run/netns/$NSP$1" -- "${@:2}"; }
ipn() { local n=$1; shift; ip -n "$NSP$n" "$@"; }

node() { # name...: a network namespace with a folder and a bpffs
	local n
	for n; do
		mkdir -p "$R/$n/bpf" "$R/$n/state" && ip netns add "$NSP$n" && mount -t bpf bpf "$R/$n/bpf" || exit 1
		NODES+=("$n")
		on "$n" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
		ipn "$n" link set lo up
	done
}
router() { # node...: forwards
	local n
	for n; do on "$n" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done
}
wire() { # node1 if1 node2 if2 [mtu]: a cable
	ip link add "$2" netns "$NSP$1" type veth peer name "$4" netns "$NSP$3" || exit 1
	ipn "$1" link set "$2" mtu "${5:-1500}" up
	ipn "$3" link set "$4" mtu "${5:-1500}" up
	# GRO switches a veth to NAPI, which is what lets XDP redirect frames into it. A real NIC needs nothing.
	on "$1" ethtool -K "$2" gro on
	on "$3" ethtool -K "$4" gro on
}
addr() { # node if address...
	local n=$1 i=$2 a
	shift 2
	for a; do
		case $a in
		*:*) ipn "$n" addr add "$a" dev "$i" nodad ;;
		*) ipn "$n" addr add "$a" dev "$i" ;;
		esac
	done
}
default_via() { # node gateway4 gateway6
	ipn "$1" route add default via "$2"
	[ -z "${3-}" ] || ipn "$1" -6 route add default via "$3"
}

# The laboratory that most scripts use. EID-prefixes: site 1 10.1.0.0/24 and fd01::/64, site 2 10.2.0.0/24 and fd02::/64.
#
#  h1 10.1.0.10 ------ l0 +----+               +------+               +----+ l0 ------ 10.2.0.10  h2   routed by the
#     fd01::a:10          | x1 | u0 --------- c1 core c2 --------- u0 | x2 |          fd02::a:10       host into xtr0
#  p1 10.1.0.130 ----- e0 +----+ 172.16.1.1    | c3   | 172.16.2.1    +----+ e0 ------ 10.2.0.130 p2   attached:
#     fd01::b:10           xtr0  2001:db8:1::1 | c4   | 2001:db8:2::1  xtr0           fd02::b:10       role eid
#                     10.1.0.1                 +------+              10.2.0.1
#                     fd01::1                   |    |               fd02::1
#                                 172.16.3.1   ms    mr  172.16.4.1
#                              2001:db8:3::1             2001:db8:4::1
lab() { # [underlay mtu]
	local i n mtu=${1:-1600}
	node core x1 x2 ms mr h1 h2 p1 p2
	router core x1 x2
	i=0
	for n in x1 x2 ms mr; do
		i=$((i + 1))
		wire "$n" u0 core c$i "$mtu"
		addr core c$i 172.16.$i.254/24 2001:db8:$i::fe/64
		addr "$n" u0 172.16.$i.1/24 2001:db8:$i::1/64
		default_via "$n" 172.16.$i.254 2001:db8:$i::fe
	done
	for n in ms mr; do on $n ethtool -K u0 tx off >/dev/null; done
	for i in 1 2; do
		wire x$i l0 h$i eth0
		addr x$i l0 10.$i.0.126/25 fd0$i::a:fe/112
		addr h$i eth0 10.$i.0.10/25 fd0$i::a:10/112
		default_via h$i 10.$i.0.126 fd0$i::a:fe
		wire x$i e0 p$i eth0
		addr x$i e0 10.$i.0.254/25 fd0$i::b:fe/112
		addr p$i eth0 10.$i.0.130/25 fd0$i::b:10/112
		default_via p$i 10.$i.0.254 fd0$i::b:fe
	done
}

host_behind_p1() { # q1 10.1.0.194, fd01::c:10: an EID one hop further away than the host at the port
	node q1
	wire p1 r0 q1 eth0
	router p1
	addr p1 r0 10.1.0.193/28 fd01::c:1/112
	addr q1 eth0 10.1.0.194/28 fd01::c:10/112
	default_via q1 10.1.0.193 fd01::c:1
	ipn x1 route add 10.1.0.192/28 via 10.1.0.130 dev e0
	ipn x1 -6 route add fd01::c:0/112 via fd01::b:10 dev e0
}
host_outside() { # ext 10.9.0.5, fd09::5: at the core, not a LISP site
	node ext
	wire ext eth0 core cx 1600
	addr core cx 10.9.0.254/24 fd09::fe/64
	addr ext eth0 10.9.0.5/24 fd09::5/64
	default_via ext 10.9.0.254 fd09::fe
}

# ---- configuration. Each prints YAML; what comes from the environment: MODE (attach mode), OUTER (4, 6 or 46), EMODE.
key() { # name, secret
	(umask 077 && printf '%s\n' "$2" >"$R/$1.key")
	echo "$R/$1.key"
}
yaml_paths() { # node
	cat <<-Y
	state-dir: $R/$1/state
	control-socket: $R/$1/xtrd.sock
	bpffs: $R/$1/bpf
	log-level: ${LOG_LEVEL:-info}
	Y
}
rloc_of() { [ "$2" = 4 ] && echo "172.16.$1.1" || echo "2001:db8:$1::1"; } # number, family
outer() { echo "${OUTER:-4}" | grep -o .; }
first_outer() { outer | head -n 1; }
yaml_xtr() { # site number: the tunnel router of a site; SITE_KEY, MAP_SERVERS, RESOLVERS, ROUTES, PROXY override
	local i=$1 f a
	yaml_paths "x$i"
	echo "rlocs:"
	for f in $(outer); do echo "  - address: \"$(rloc_of "$i" "$f")\""; done
	cat <<-Y
	interfaces:
	  - name: u0
	    role: underlay
	    mode: ${MODE:-auto}
	  - name: e0
	    role: eid
	    untagged-only: ${UNTAGGED:-true}
	    mode: ${EMODE:-${MODE:-auto}}
	overlay:
	  - device: xtr0
	    addresses: ["10.$i.0.1/32", "fd0$i::1/128"]
	    routes: [${ROUTES:-\"10.0.0.0/8\", \"fd00::/8\"}]
	etr:
	  database:
	    - eid: 10.$i.0.0/24
	    - eid: "fd0$i::/64"
	  map-servers:
	Y
	for a in ${MAP_SERVERS:-$(rloc_of 3 "$(first_outer)")}; do
		cat <<-Y
		    - address: "$a"
		      key-file: ${SITE_KEY:-$(key "site$i" "secret of site $i")}
		      proxy-reply: ${PROXY:-false}
		Y
	done
	echo "itr:"
	echo "  map-resolvers:"
	for a in ${RESOLVERS:-$(rloc_of 4 "$(first_outer)")}; do echo "    - \"$a\""; done
}
yaml_ms() { # the Map-Server of both sites
	local i
	yaml_paths ms
	echo "map-server:"
	echo "  sites:"
	for i in 1 2; do
		cat <<-Y
		    - name: site-$i
		      key-file: $(key "site$i" "secret of site $i")
		      eid-prefixes:
		        - eid: 10.$i.0.0/24
		        - eid: "fd0$i::/64"
		Y
	done
	echo "  aggregates: [10.0.0.0/8, \"fd00::/8\"]"
}
yaml_mr() { # a Map-Resolver that knows nothing but its Map-Server
	yaml_paths mr
	echo "map-resolver:"
	echo "  map-servers: [\"$(rloc_of 3 "$(first_outer)")\"]"
}

# ---- daemons
conf() { cat >"$R/$1/xtrd.yaml"; } # node, YAML on stdin
start() { # node...: starts xtrd and waits until it answers
	local n
	for n; do
		on_exec "$n" "$BUILD/xtrd" -c "$R/$n/xtrd.yaml" >>"$R/$n/log" 2>&1 &
		PID[$n]=$!
	done
	for n; do
		wait_for "${XTR_START_WAIT:-20}" xc "$n" stats control && continue
		fail "xtrd of $n starts" "no answer on its control socket: $(tail -n 2 "$R/$n/log" | tr '\n' ' ')"
		return 1
	done
}
stop() { # node [signal]: and its exit status is that of a clean end
	local n=$1 sig=${2:-TERM} p=${PID[$1]-} rc
	[ -n "$p" ] || return 1
	[ "$sig" = KILL ] || wire_node_ends "$n"
	unset "PID[$n]"
	kill "-$sig" "$p"
	wait "$p" 2>/dev/null
	rc=$?
	[ "$sig" = KILL ] && return 0
	[ $rc = 0 ] || { fail "xtrd of $n ends cleanly after SIG$sig" "status $rc: $(tail -n 2 "$R/$n/log" | tr '\n' ' ')"; return 1; }
}
xc() { # node, xtrctl arguments...
	local n=$1
	shift
	on "$n" "$BUILD/xtrctl" -s "$R/$n/xtrd.sock" -B "$R/$n/bpf" "$@"
}
xcj() { local n=$1; shift; xc "$n" -j "$@"; }
# Much is asked for all the time, and jq takes longer to start than all the rest: what is asked most goes without it, as all
# that xtrctl -j prints is one line without spaces.
rows() { sed 's/},{"iid"/\n/g'; } # each entry of the list on a line
number() { # text, extended regular expression: the number behind it, 0 without
	[[ $1 =~ $2([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}
# Packets of a counter of the data plane, of a drop reason, of the control plane. 0 when there is nobody to ask.
stat() { number "$(xcj "$1" stats show 2>/dev/null)" "\"$2\":\{\"packets\":"; }
stat_octets() { number "$(xcj "$1" stats show 2>/dev/null)" "\"$2\":\{\"packets\":[0-9]+,\"octets\":"; }
drop() { number "$(xcj "$1" stats drops 2>/dev/null)" "\"$2\":"; }
control() { number "$(xcj "$1" stats control 2>/dev/null)" "\"$2\":"; }
registered() { # Map-Server node: every configured prefix of every site is registered
	local those
	those=$(xcj "$1" site show | rows | grep '"configured":true') && ! grep -q '"registered":false' <<<"$those"
}
cached() { # node, EID-prefix: a positive entry is there
	xcj "$1" cache show | rows | grep -F "\"eid\":\"$2\"" | grep -q '"locators":\[{'
}

# ---- the wire: everything LISP that enters the core, which is everything any of the nodes sends. It is dissected by a
# program that is not ours, and must be exactly as many packets as our own counters say: a capture that lost some, or
# a counter that forgot some, shows.
wire_begin() {
	WIRE_N=$((${WIRE_N:-0} + 1)) WIRE=wire$WIRE_N WIRE_TX=0
	declare -gA WIRE_BASE=()
	local n
	for n in x1 x2; do WIRE_BASE[$n]=$(stat $n encap); done
	# the beginning of each is enough: super-packets of 64 KiB would only make the capture lose some
	capture "$WIRE" core any -Q in -s 1600 'udp port 4341 or udp port 4342'
}
wire_node_ends() { # node: its control counters go with it
	[ -z "${WIRE-}" ] || WIRE_TX=$((WIRE_TX + $(control "$1" tx)))
}
wire_sums() { # encapsulated packets and control messages so far
	local n encap=0 tx=$WIRE_TX
	for n in x1 x2; do encap=$((encap + $(stat $n encap) - WIRE_BASE[$n])); done
	for n in "${!PID[@]}"; do tx=$((tx + $(control "$n" tx))); done
	echo "$encap $tx"
}
# Counters are read before and after the end of the capture, as a timer may fire in between: mostly they are equal, and
# then so must the captured count be.
between() { # name, got, low, high, [fewest that prove anything: 1]
	[ "$2" -ge "$3" ] && [ "$2" -le "$4" ] && [ "$2" -ge "${5:-1}" ] && ok "$1" && return
	fail "$1" "captured $2, counted $3$([ "$3" = "$4" ] || echo " to $4")"
}
wire_end() { # [loose: a daemon was killed, and what it had counted is gone]
	local name=${WIRE-} e0 e1 t0 t1 bad
	[ -n "$name" ] || return 0
	read -r e0 t0 < <(wire_sums)
	capture_end "$name"
	read -r e1 t1 < <(wire_sums)
	WIRE=
	[ "${1-}" = loose ] && t1=999999999
	# One pass of the dissector: kind (data or control), its own words on it, and what our rules look at.
	tshark -n -r "${CAPFILE[$name]}" -o udp.check_checksum:TRUE -T fields -E separator=/t -E occurrence=f \
		-e frame.number -e udp.srcport -e udp.dstport -e udp.checksum -e udp.checksum.status -e ip.src -e ipv6.src \
		-e frame.protocols -e _ws.malformed 2>/dev/null >"$R/$name.tsv"
	wire_find() { awk -F'\t' -v OFS=' ' "function data() { return \$3 == 4341 } function control() { return \$2 == 4342 || \$3 == 4342 }
		$1 { print \"frame\", \$1, \$8, \$4, \$5 }" "$R/$name.tsv"; }
	between "wire: every encapsulated packet was captured, and counted" "$(wire_find 'data()' | wc -l)" "$e0" "$e1" "${WIRE_DATA:-1}"
	between "wire: every control message was captured, and counted" "$(wire_find 'control() && !data()' | wc -l)" "$t0" "$t1"
	# (What hosts say inside inner UDP and TCP is theirs: tshark guesses an application by the port, and may be wrong.)
	is "wire: tshark finds nothing malformed" \
		"$(wire_find '($9 != "" || $8 ~ /malformed/) && $8 !~ /:lisp-data:.*:(udp|tcp):[a-z]/' | head -n 3)" ""
	is "wire: control messages are LISP to the last octet" \
		"$(wire_find 'control() && !data() && ($8 !~ /:lisp/ || $8 ~ /:data/)' | head -n 3)" ""
	is "wire: data packets are LISP" "$(wire_find 'data() && $8 !~ /lisp-data/' | head -n 3)" ""
	is "wire: data packets have UDP checksum 0 (RFC 9300 5.3)" "$(wire_find 'data() && $4 != "0x0000"' | head -n 3)" ""
	# Senders on a veth leave checksums to a NIC that is not there, except where tx offload is off (lab: ms, mr).
	is "wire: control messages have a UDP checksum, and it is right (RFC 9301 5)" "$(wire_find "control() && !data() &&
		(\$4 == \"0x0000\" || (\$5 == 0 && \$6 \$7 ~ /${WIRE_CSUM:-^(172.16.[34].1|2001:db8:[34]::1)$}/))" | head -n 3)" ""
}

# Both sites, Map-Server and Map-Resolver up and registered. MODE and OUTER as above.
up() {
	yaml_xtr 1 | conf x1
	yaml_xtr 2 | conf x2
	yaml_ms | conf ms
	yaml_mr | conf mr
	[ -n "${NO_WIRE-}" ] || wire_begin
	start ms mr && start x1 x2 || return 1
	wait_for 20 registered ms && return
	fail "both sites register" "$(xcj ms site show 2>&1 | head -c 600)"
	return 1
}
# Everything off, and the routers as if xtr had never been there.
down() {
	local n
	wire_end "${1-}"
	for n in "${!PID[@]}"; do stop "$n"; done
	for n in x1 x2; do xc "$n" detach >/dev/null 2>&1; done
	rm -rf "$R"/*/state && for n in x1 x2 ms mr; do mkdir -p "$R/$n/state"; done
}

# What was dropped, but for link-local chatter that is not to be tunnelled: "{}" when nothing was.
drops_of() {
	local all
	all=$(xcj "$1" stats drops) || { echo "nobody says: $all"; return 1; }
	echo "{$(tr -d '{}' <<<"$all" | tr , '\n' | grep -vE ':0$|^"encap-scope":' | paste -sd ,)}"
}

# ---- traffic
ping4() { local n=$1; shift; on "$n" ping -q -n -W 2 "$@"; }
# A stream of sequenced datagrams. Prints the receiver's JSON with the sender's in .sender.
stream() { # from-node, to-node, to-address, count, interval ms, [more options of send]
	local a=$1 b=$2 to=$3 n=$4 ms=$5 out snd port
	shift 5
	port=$((20000 + RANDOM % 20000))
	out=$(mktemp -p "$R")
	on_exec "$b" "$SEQ" recv --bind "$to" --port $port --count "$n" ${RECV_IDLE:+--idle "$RECV_IDLE"} >"$out" 2>&1 &
	local rp=$!
	BG+=("$rp")
	wait_for 20 grep -q ready "$out"
	snd=$(on "$a" "$SEQ" send --to "$to" --port $port --count "$n" --interval "$ms" "$@" 2>&1 | tail -n 1)
	wait $rp
	out=$(grep -v ready "$out")
	[[ $snd == '{'* ]] || snd=null
	echo "${out%\}},\"sender\":$snd}"
}
# True if nothing was lost, repeated, damaged, or refused by the sending stack.
intact() {
	[[ $1 == '{"received":'[1-9]* && $1 == *'"lost":0,'* && $1 == *'"corrupt":0,'* && $1 == *'"duplicates":0,'* &&
		$1 == *'"sender":{"sent":'*',"refused":0,'* ]]
}
# TCP with the content compared at both ends.
tcp() { # from-node, to-node, to-address, octets
	local port=$((20000 + RANDOM % 20000)) out rc
	out=$(mktemp -p "$R")
	on_exec "$2" "$SEQ" sink --bind "$3" --port $port >"$out" 2>&1 &
	local sp=$!
	BG+=("$sp")
	wait_for 20 grep -q ready "$out"
	on "$1" "$SEQ" blast --to "$3" --port $port --octets "$4"
	rc=$?
	wait $sp
	return $rc
}
csum_errors() { # node: UDP and TCP checksum errors its stack has seen, both families
	on "$1" nstat -asz 2>/dev/null |
		awk '/^(UdpInCsumErrors|Udp6InCsumErrors|TcpInCsumErrors|IcmpInCsumErrors|Icmp6InCsumErrors) / { s += $2 } END { print s + 0 }'
}

# ---- captures
capture() { # name, node, interface, tcpdump arguments and filter...
	local name=$1 n=$2 i=$3
	shift 3
	CAPFILE[$name]=$R/$name.pcap
	rm -f "$R/$name.pcap" "$R/$name.tcpdump" # of an earlier capture of that name
	on_exec "$n" tcpdump -Z root -n -U --immediate-mode -B 131072 -i "$i" -w "$R/$name.pcap" "$@" 2>"$R/$name.tcpdump" &
	CAP[$name]=$!
	wait_for 5 grep -q 'listening on' "$R/$name.tcpdump" && return
	fail "capture $name starts" "$(tail -n 1 "$R/$name.tcpdump")"
	return 1
}
# Ends it when nothing has come for a moment; a capture that lost packets proves nothing and says so.
capture_end() { # name
	local p=${CAP[$1]} was=-1 is=0
	while [ "$was" != "$is" ]; do
		was=$is
		sleep 0.3
		is=$(command stat -c %s "$R/$1.pcap")
	done
	unset "CAP[$1]"
	kill -TERM "$p" # SIGINT is ignored by what a script starts in the background
	wait "$p" 2>/dev/null
	grep -q '^0 packets dropped by kernel' "$R/$1.tcpdump" ||
		fail "capture $1 is complete" "$(grep dropped "$R/$1.tcpdump")"
}
shark() { # capture name, tshark arguments...
	local f=${CAPFILE[$1]}
	shift
	tshark -n -r "$f" "$@" 2>/dev/null
}
packets() { shark "$1" ${2:+-Y "$2"} -T fields -e frame.number | wc -l; } # capture name, [display filter]
