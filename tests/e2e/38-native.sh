#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Natively forwarded prefixes in use get a throw route, so that the host's own routing, NAT and source addresses apply; it
# goes before anything inside the prefix is encapsulated again.
#
#   h1 10.1.0.10 --- x1 (masquerade out of u0) --- core --- ext 10.9.0.5, fd09::5    knows no way back to the EIDs
. "$(dirname "$0")/lib.sh"

lab
host_outside
for f in ip ip6; do
	on x1 nft add table $f nat
	on x1 nft add chain $f nat post '{ type nat hook postrouting priority srcnat; }'
	# The kernel drops the first packet of a masqueraded connection that takes another interface: not what is tested here
	on x1 nft add rule $f nat post udp dport 7777 accept
done
on x1 nft add rule ip nat post oifname u0 ip saddr 10.1.0.0/24 masquerade
on x1 nft add rule ip6 nat post oifname u0 ip6 saddr fd01::/64 masquerade
throws() { { ipn x1 route show table 4341; ipn x1 -6 route show table 4341; } | awk '$1 == "throw" { print $2 }'; }
has_throw() { throws | grep -qx "$1"; }
no_throw() { ! has_throw "$1"; }
NO_WIRE=1
up || finish
was=$(throws | sort | tr '\n' ' ')

# The first packets go by redirect: as they are, and nobody can answer. From a throw route on they are masqueraded.
for a in 10.9.0.5 fd09::5; do
	on h1 ping -q -n -c 40 -i 0.1 -W 1 $a >/dev/null &
	pp=$!
	known() { xcj x1 cache show $a | jq -e '.[0].action == "natively-forward"'; }
	check "$a is to be forwarded natively" wait_for 5 known
	p=$(xcj x1 cache show $a | jq -r '.[0].eid')
	[ $a != 10.9.0.5 ] || p4=$p
	check "throw route of $p while in use" wait_for 6 has_throw "$p"
	wait $pp
	has "$a: masqueraded, so answered" "$(ping4 h1 -c 5 -i 0.1 $a)" ' 0% packet loss'
	has "$a: from the host itself too" "$(ping4 x1 -c 3 -i 0.1 $a)" ' 0% packet loss'
done
p6=$p
capture nat core cx 'icmp or icmp6'
ping4 h1 -c 3 -i 0.1 10.9.0.5 >/dev/null
ping4 h1 -c 3 -i 0.1 fd09::5 >/dev/null
capture_end nat
is "all of it with the address of the host" \
	"$(packets nat 'icmp.type == 8 && ip.src == 172.16.1.1') $(packets nat 'icmpv6.type == 128 && ipv6.src == 2001:db8:1::1') $(
		packets nat 'icmp.type == 8 || icmpv6.type == 128')" "3 3 6"

# Connected sockets: the next packet after the entry has turned positive is encapsulated.
cat >"$R/conn.py" <<-'P'
	import socket, sys
	s = [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
	s[0].bind(("10.1.0.1", 0)); s[1].bind(("fd01::1", 0))
	s[0].connect(("10.9.0.5", 7777)); s[1].connect(("fd09::5", 7777))
	print("ready", flush=True)
	for line in sys.stdin:
	    for one in s:
	        one.send(b"x" * 100)
	    print("sent", flush=True)
P
mkfifo "$R/go"
on_exec x1 python3 "$R/conn.py" <"$R/go" >"$R/conn.out" 2>&1 &
BG+=($!)
exec 9>"$R/go"
wait_for 20 grep -q ready "$R/conn.out"
sent=0
has_sent() { [ "$(grep -c sent "$R/conn.out")" -ge $sent ]; }
send() { sent=$((sent + 1)); echo >&9; wait_for 3 has_sent; }
send
e=$(stat x1 encap)
send
is "connected sockets: native, not encapsulated" "$(($(stat x1 encap) - e))" 0
# other addresses of the prefix become an EID-prefix behind site 2
check "positive entry inside $p4" xc x1 cache add 10.9.0.0/24 rloc 172.16.2.1
check "positive entry inside $p6" xc x1 cache add fd09::/64 rloc 172.16.2.1
check "no throw route hides it" no_throw "$p4"
check "no throw route hides it, IPv6" no_throw "$p6"
e=$(stat x1 encap)
send
sleep 0.2
is "connected sockets: the next packet of each is encapsulated" "$(($(stat x1 encap) - e))" 2
e=$(stat x1 encap)
on h1 ping -q -n -c 3 -i 0.1 -W 1 10.9.0.5 >/dev/null
is "and all that is forwarded" "$(($(stat x1 encap) - e))" 3
# While it is there no throw route for the prefix around it, however much that is used.
on h1 ping -q -n -c 25 -i 0.1 -W 1 10.8.0.5 >/dev/null
check "none while an encapsulated prefix is inside" no_throw "$p4"
xc x1 cache del 10.9.0.0/24 >/dev/null
xc x1 cache del fd09::/64 >/dev/null
on h1 ping -q -n -c 40 -i 0.1 -W 1 10.9.0.5 >/dev/null &
pp=$!
check "back to native: throw route again" wait_for 6 has_throw "$p4"
wait $pp

# A link flap and a restart lose nothing.
ipn x1 link set xtr0 down
ipn x1 link set xtr0 up
restored() { has_throw "$p4" && ipn x1 route show table 4341 | grep -q '^10.0.0.0/8 .*xtr0'; }
check "there after a link flap" wait_for 5 restored
stop x1
start x1
check "there after a restart" has_throw "$p4"
has "and at work" "$(ping4 h1 -c 3 -i 0.1 10.9.0.5)" ' 0% packet loss'
# The entry goes, its route too.
xc x1 cache flush >/dev/null
check "gone with its entry" wait_for 3 no_throw "$p4"
is "nothing else is left" "$(throws | sort | tr '\n' ' ')" "$was"
exec 9>&-
on h1 ping -q -n -c 40 -i 0.1 -W 1 10.9.0.5 >/dev/null &
pp=$!
check "and comes again with use" wait_for 6 has_throw "$p4"
wait $pp
stop x1
check "detach" xc x1 detach
is "detach takes them" "$(ipn x1 route show table all proto 76; ipn x1 -6 route show table all proto 76)" ""
finish
