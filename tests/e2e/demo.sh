#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The tour, in network namespaces and with real daemons. Takes about two minutes, leaves nothing behind. Last line
# "demo: N passed, N failed".
#
#   act one    two sites, a Map-Server and a Map-Resolver, and hosts that talk through LISP
#   act two    LISP-Decent: the routers are the mapping system. First pull (DNS), then push (multicast): demo-decent.sh
#
#   sudo make demo                         all of it
#   sudo make demo ACT=one                 one of: one, pull, push
#   sudo DEMO_KEEP=1 make demo             leaves the last act up afterwards and says how to enter and remove it
#   tests/e2e/demo.sh --remove FOLDER      removes what DEMO_KEEP=1 left
set -u

if [ "${1-}" = --remove ]; then
	d=${2:?which folder? DEMO_KEEP=1 printed it}
	[ -f "$d/demo.pids" ] || { echo "demo: $d is no folder of a demo"; exit 1; }
	while read -r pid what; do
		# a number may belong to somebody else by now
		tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$d" && kill "$pid" && echo "stopped $what"
	done <"$d/demo.pids"
	sleep 1
	while read -r ns node; do
		umount "$d/$node/bpf" 2>/dev/null
		ip netns del "$ns" 2>/dev/null && echo "removed namespace $ns"
	done <"$d/demo.nodes"
	rm -rf --one-file-system "$d"
	exit 0
fi
case ${ACT:=all} in
all) acts="one pull push" ;;
one | pull | push) acts=$ACT ;;
*) echo "demo: no act named $ACT: one, pull or push"; echo "demo: 0 passed, 1 failed"; exit 1 ;;
esac
if [ "$(id -u)" != 0 ]; then
	echo "The demo makes network namespaces and loads BPF programs: sudo make demo"
	echo "demo: 0 passed, 1 failed"
	exit 1
fi
[ -z "${DEMO_KEEP-}" ] || export E2E_SHARED=1
NO_WIRE=1
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

if [ -t 1 ]; then
	bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' off=$'\e[0m'
else
	bold='' dim='' green='' red='' off=''
fi
ok() { OKS=$((OKS + 1)); printf '  %s[ ok ]%s %s\n' "$green" "$off" "$*"; }
fail() { FAILED=$((FAILED + 1)); printf '  %s[FAIL]%s %s: %s\n' "$red" "$off" "$1" "${2-}"; }
title() { printf '\n%s%s%s\n' "$bold" "$*" "$off"; }
say() { printf '  %s%s%s\n' "$dim" "$*" "$off"; }
run_shown() { # node, command...: as somebody would type it there
	local n=$1
	shift
	printf '  %s%s#%s %s\n' "$bold" "$n" "$off" "$*"
	on "$n" "$@" 2>&1 | sed 's/^/    /'
}
xtrctl_shown() {
	local n=$1
	shift
	printf '  %s%s#%s xtrctl %s\n' "$bold" "$n" "$off" "$*"
	xc "$n" "$@" 2>&1 | sed 's/^/    /'
}
keep_line() { # names of nodes worth a look, an address to ping from h1
	trap - EXIT
	for n in "${!PID[@]}"; do echo "${PID[$n]} xtrd of $n"; done >"$R/demo.pids"
	for n in "${BG[@]}"; do kill -0 "$n" 2>/dev/null && echo "$n $(cat "/proc/$n/comm")"; done >>"$R/demo.pids"
	for n in "${NODES[@]}"; do echo "$NSP$n $n"; done >"$R/demo.nodes"
	cat <<-K

	  DEMO_KEEP=1: everything stays up. Have a look:
	    nsenter --net=/run/netns/${NSP}h1 ping 10.2.0.10
	    nsenter --net=/run/netns/${NSP}x1 $BUILD/xtrctl -s $R/x1/xtrd.sock -B $R/x1/bpf ${1:-cache show}
	    (or ${NODES[*]}; configuration and log of each in $R/NODE)
	  and remove it:
	    $E2E/demo.sh --remove $R

	K
}
done_line() {
	title "The end"
	say "took $SECONDS s"
	[ $FAILED = 0 ] || for n in "${NODES[@]}"; do
		[ -s "$R/$n/log" ] && echo "  ---- log of $n" && tail -n 15 "$R/$n/log" | sed 's/^/  | /'
	done
	[ -z "${DEMO_KEEP-}" ] || keep_line "${KEEP_LOOK-}"
	echo "demo: $OKS passed, $FAILED failed"
	[ $FAILED = 0 ] && [ $OKS -gt 0 ]
	exit
}
# Between two acts: processes, namespaces and mounts of this one go.
act_end() {
	local n p
	for n in "${!PID[@]}"; do stop "$n"; done
	for p in "${BG[@]}"; do kill "$p" 2>/dev/null; done
	for n in "${NODES[@]}"; do
		umount "$R/$n/bpf" 2>/dev/null || umount -l "$R/$n/bpf" 2>/dev/null
		ip netns del "$NSP$n"
		rm -rf --one-file-system "${R:?}/$n"
	done
	BG=() NODES=()
}
kept() { [ -n "${DEMO_KEEP-}" ] && [ "$1" = "${acts##* }" ]; } # act: stays up

act_one() {
title "xtr: two sites talk through LISP"
cat <<'T'

        site 1                      underlay (IPv4 and IPv6)                      site 2
   10.1.0.0/24  fd01::/64                                                 10.2.0.0/24  fd02::/64

   +----+      +----------+          +----------+          +----------+      +----+
   | h1 |------| x1  xtrd |----------|   core   |----------| x2  xtrd |------| h2 |   routed into
   +----+      |   xtr0   |172.16.1.1| (router) |172.16.2.1|   xtr0   |      +----+   device xtr0
   +----+      |          |          |          |          |          |      +----+
   | p1 |------| BPF      |==== LISP data, UDP 4341 =======|      BPF |------| p2 |   attached
   +----+      +----------+          +----------+          +----------+      +----+   directly
                    :                  |      |                  :
                    :               +----+  +----+               :
                    :...............| ms |  | mr |...............:
                  Map-Register,     +----+  +----+    Map-Request,
                  UDP 4342         xtrd as    xtrd as      UDP 4342
                                 Map-Server  Map-Resolver
T
say "Every box is a network namespace of its own; nothing touches the rest of this machine."

title "1. Starting four daemons"
lab 1500
yaml_xtr 1 | conf x1
yaml_xtr 2 | conf x2
yaml_ms | conf ms
yaml_mr | conf mr
trap '' HUP
start ms mr x1 x2 || done_line
trap 'exit 143' HUP
ok "xtrd runs on x1, x2, ms and mr"
say "waiting until the Map-Server has both sites:"
t0=${EPOCHREALTIME/./} last=
while [ $((${EPOCHREALTIME/./} - t0)) -lt 20000000 ]; do
	now=$(xcj ms site show 2>/dev/null | jq -r '[.[] | select(.configured)] | "\(map(select(.registered)) | length) of \(length)"')
	if [ "$now" != "$last" ]; then
		printf '    %4d ms  %s EID-prefixes registered\n' $(((${EPOCHREALTIME/./} - t0) / 1000)) "${now:-0}"
		last=$now
	fi
	registered ms >/dev/null 2>&1 && break
	sleep 0.05
done
if registered ms >/dev/null 2>&1; then ok "both sites are registered"; else fail "registration" "not within 20 s"; done_line; fi

title "2. The first packet is not lost"
say "h1's router has never heard of site 2: the packet waits while the mapping system is asked."
for a in 10.2.0.10 fd02::a:10; do
	m=$(stat x1 miss)
	out=$(on h1 ping -n -c 5 -i 0.2 -W 2 $a 2>&1)
	printf '  %sh1#%s ping -c 5 %s\n' "$bold" "$off" $a
	grep -E 'bytes from|packet loss|rtt' <<<"$out" | sed 's/^/    /'
	if grep -q ' 0% packet loss' <<<"$out" && [ "$(stat x1 miss)" -gt "$m" ]; then
		ok "5 of 5 answered from a cold map-cache ($a)"
	else
		fail "ping $a" "packets lost, or the map-cache was not cold"
	fi
done
out=$(ping4 p1 -c 5 -i 0.1 10.2.0.130)
if grep -q ' 0% packet loss' <<<"$out"; then ok "p1, on a directly attached port: 5 of 5"; else fail "p1" "$(tail -n 2 <<<"$out")"; fi

title "3. What the routers know now"
xtrctl_shown x1 cache show
xtrctl_shown ms site show
if cached x1 10.2.0.0/24 >/dev/null && cached x1 fd02::/64 >/dev/null; then
	ok "x1 has site 2 in its map-cache, IPv4 and IPv6"
else
	fail "map-cache" "site 2 is not there"
fi

# ---- iperf3: LISP, and the same hosts over the kernel's VXLAN
for i in 1 2; do
	j=$((3 - i))
	ipn x$i link add vx0 type vxlan id 42 local 172.16.$i.1 remote 172.16.$j.1 dstport 4789 dev u0 noudpcsum
	ipn x$i link set vx0 mtu 1450 up
	addr x$i vx0 10.99.0.$i/24
	addr x$i l0 192.168.$i.126/25
	addr h$i eth0 192.168.$i.10/25
	ipn x$i route add 192.168.$j.0/25 via 10.99.0.$j mtu 1450
	ipn h$i route add 192.168.$j.0/25 via 192.168.$i.126 src 192.168.$i.10
done
iperf_listens() { on h2 ss -Hltn "sport = :5201" | grep -q .; }
measure() { # to-address, options of iperf3...: its JSON
	local to=$1 sp
	shift
	on_exec h2 iperf3 -s -1 -B "$to" -p 5201 >"$R/iperf.server" 2>&1 &
	sp=$!
	BG+=("$sp")
	wait_for 10 iperf_listens
	on h1 timeout 30 iperf3 -J -c "$to" -p 5201 -C cubic "$@" 2>/dev/null
	kill "$sp" 2>/dev/null
	wait "$sp" 2>/dev/null
}
gbit() { jq -r '(.end.sum_received.bits_per_second // 0) / 1e9 | . * 100 | round / 100' <<<"$1"; }
title "4. iperf3 from h1 to h2: LISP, and kernel VXLAN between the same namespaces"
lisp=$(measure 10.2.0.10 -t 3 -O 0.5)
lisp6=$(measure fd02::a:10 -t 2 -O 0.5)
vx=$(measure 192.168.2.10 -t 3 -O 0.5)
udp() { measure "$1" -u -b 100M -l 1200 -t 2; }
e=$(stat x1 encap) d=$(stat x2 decap)
lu=$(udp 10.2.0.10)
e=$(($(stat x1 encap) - e)) d=$(($(stat x2 decap) - d))
vu=$(udp 192.168.2.10)
udp_row() { jq -r '.end.sum | "\(.bits_per_second / 1e9 * 100 | round / 100) \(.lost_packets // 0) of \(.packets // 0) lost"' <<<"$1"; }
printf '    %-28s %10s\n' "TCP" "Gbit/s"
printf '    %-28s %10s\n' "LISP, IPv4" "$(gbit "$lisp")" "LISP, IPv6" "$(gbit "$lisp6")" "kernel VXLAN, IPv4" "$(gbit "$vx")"
printf '    %-28s %10s\n' "UDP, 1200 octets, 0.1 Gbit/s" "Gbit/s"
for r in "LISP|$lu" "kernel VXLAN|$vu"; do
	read -r g l < <(udp_row "${r#*|}")
	printf '    %-28s %10s   %s\n' "${r%%|*}" "$g" "$l"
done
say "(one short run on whatever else this machine does: make bench measures properly)"
for r in "TCP over LISP, IPv4|$lisp" "TCP over LISP, IPv6|$lisp6" "TCP over VXLAN|$vx"; do
	if awk "BEGIN { exit !($(gbit "${r#*|}") > 0.05) }"; then ok "${r%%|*} flows"; else fail "${r%%|*}" "$(jq -r '.error // "no data"' <<<"${r#*|}")"; fi
done
# A receiver that gets no CPU loses datagrams in its socket, whatever carried them: what the tunnel lost is counted.
if [ "$e" = "$d" ] && [ "$e" -gt 10000 ]; then
	ok "UDP over LISP: $e packets encapsulated by x1, $d decapsulated by x2"
else
	fail "UDP over LISP" "$e packets encapsulated by x1, $d decapsulated by x2"
fi

title "5. Why was my packet dropped?"
say "h1 sends from 198.51.100.7, which is no EID of site 1: a spoofed source must not leave the site."
addr h1 lo 198.51.100.7/32
d=$(drop x1 encap-source)
on h1 ping -q -n -W 1 -c 3 -i 0.1 -I 198.51.100.7 10.2.0.10 >/dev/null 2>&1
xtrctl_shown x1 stats drops
n=$(($(drop x1 encap-source) - d))
if [ $n = 3 ]; then ok "3 packets sent, 3 counted with their reason"; else fail "drop reason" "$n counted as encap-source"; fi

title "6. The daemon is killed; the traffic does not care"
stream h1 h2 10.2.0.10 2000 1 >"$R/s" &
sp=$!
sleep 0.7
stop x1 KILL
say "kill -9 of xtrd on x1, in the middle of 1000 datagrams a second; started again a moment later"
sleep 0.3
start x1
wait $sp
s=$(cat "$R/s")
say "$(jq -r '"sent \(.sender.sent), received \(.unique), lost \(.lost), reordered \(.reordered), longest pause \(.max_gap_ms) ms"' <<<"$s")"
if intact "$s" >/dev/null; then ok "none of 2000 lost"; else fail "restart" "$s"; fi

if ! kept one; then
	title "7. Everything down again"
	for n in x1 x2 ms mr; do stop $n; done
	xc x1 detach 2>&1 | sed 's/^/    /'
	xc x2 detach >/dev/null 2>&1
	left=$(find "$R/x1/bpf" -name 'xtr*' | wc -l)$(ipn x1 link show xtr0 2>/dev/null)$(ipn x1 rule | grep -c 4341)
	if [ "$left" = 00 ]; then ok "xtrctl detach left no pin, device or rule"; else fail "detach" "left: $left"; fi
fi
}

# shellcheck source=tests/e2e/demo-decent.sh
. "$E2E/demo-decent.sh"
for act in $acts; do
	"act_$act"
	kept "$act" || act_end
done
title "What to try next"
cat <<'T'
  xtrctl decent hash 10.2.0.10 modulus 64     every step from an EID to a DNS name; needs no daemon
  sudo DEMO_KEEP=1 make demo ACT=push         leaves three routers up: enter them, stop one, watch decent groups
  deploy/examples/                            configurations to start from; README.md explains them
  sudo make test, sudo make bench             everything that is promised, measured
T
done_line
