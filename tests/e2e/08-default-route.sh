#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The EID space is 0.0.0.0/0 (and ::/0): both routers route everything into xtr0. What the hosts themselves say to the
# underlay, the daemons' control packets first of all, must not be caught, or the tunnel would be carried inside itself.
#
#   h1 --- x1 ====== core ====== x2 --- h2 --- (lo of h2: 203.0.113.5, 2001:db8:cafe::5)
#   routes 0.0.0.0/0, ::/0            routes 0.0.0.0/0, ::/0; EID-prefixes 203.0.113.0/24, 2001:db8:cafe::/48 too
. "$(dirname "$0")/lib.sh"

lab
addr h2 lo 203.0.113.5/32 2001:db8:cafe::5/128
ipn x2 route add 203.0.113.0/24 via 10.2.0.10
ipn x2 -6 route add 2001:db8:cafe::/48 via fd02::a:10
more() { sed -e 's,^\( *\)- eid: 10.2.0.0/24,&\n\1- eid: 203.0.113.0/24\n\1- eid: "2001:db8:cafe::/48",'; }
ROUTES='"0.0.0.0/0", "::/0"'
yaml_ms | more | sed 's,aggregates.*,aggregates: ["0.0.0.0/0"\, "::/0"],' | conf ms
yaml_mr | conf mr
yaml_xtr 1 | conf x1
yaml_xtr 2 | more | conf x2
wire_begin
wire=$WIRE
start ms mr && start x1 x2 || finish
acked() { xcj "$1" eid show | jq -e 'length > 0 and all(.[]; .acked)'; }
check "x1 registers, though its Map-Server is inside 0.0.0.0/0" wait_for 15 acked x1
check "x2 registers, though its Map-Server is inside 0.0.0.0/0" wait_for 15 acked x2

for a in 203.0.113.5 2001:db8:cafe::5; do
	out=$(ping4 h1 -c 10 -i 0.1 $a)
	has "h1 reaches $a through site 2, first packet included" "$out" ' 0% packet loss'
done
s=$(stream h1 h2 203.0.113.5 200 1)
check "200 datagrams to 203.0.113.5" intact "$s"
check "TCP to 203.0.113.5, content compared" tcp h1 h2 203.0.113.5 1000000
is "it went by the entry of site 2" "$(xcj x1 cache show 203.0.113.5 | jq -r '.[].eid')" 203.0.113.0/24
has "the EID routes are default routes" "$(ipn x1 route show table all | grep xtr0)" '^default via 169.254.0.1 dev xtr0'

# The host's own traffic with the underlay goes as if we were not there.
e=$(stat x1 encap)
m=$(stat x1 miss)
for a in 172.16.3.1 2001:db8:3::1; do
	out=$(ping4 x1 -c 10 -i 0.05 $a)
	has "x1's own ping to $a, from its RLOC" "$out" ' 0% packet loss'
done
check "x1's own TCP to the Map-Server's host" tcp x1 ms 172.16.3.1 100000
check "x1's own TCP over IPv6" tcp x1 ms 2001:db8:3::1 100000
check "from outside to x1's RLOC, and back" ping4 ms -c 3 -i 0.1 172.16.1.1
check "x1 to its own attached LAN" ping4 x1 -c 3 -i 0.1 10.1.0.10
is "none of it was encapsulated or asked for" "$(stat x1 encap) $(stat x1 miss)" "$e $m"
check "lig from x1 gets its answer from the underlay" xc x1 lig 203.0.113.5
wire_end
is "no control message ever left inside a data packet, nor LISP inside LISP" \
	"$(shark "$wire" -Y 'udp.dstport == 4341' -T fields -e udp.port | grep -cE '434[12].*434[12]')" 0
for n in x1 x2; do
	is "$n dropped nothing" "$(drops_of $n)" "{}"
done

# Still so when the daemon is gone.
stop x1 KILL
out=$(ping4 x1 -c 5 -i 0.05 172.16.3.1)
has "daemon dead: x1's own ping to the underlay" "$out" ' 0% packet loss'
out=$(ping4 h1 -c 5 -i 0.05 203.0.113.5)
has "daemon dead: h1 still reaches 203.0.113.5" "$out" ' 0% packet loss'
finish
