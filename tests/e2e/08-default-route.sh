#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The EID-prefix 0.0.0.0/0 (and ::/0): site 2 is the way to everywhere, x1 routes everything into xtr0. What the host
# itself says to the underlay, the daemon's control packets first of all, must not be caught, or the tunnel would be
# carried inside itself.
#
#   h1 --- x1 ====== core ====== x2 --- h2 --- (lo of h2: 203.0.113.5, 2001:db8:cafe::5: "the Internet")
#              routes 0.0.0.0/0   registers 0.0.0.0/0
. "$(dirname "$0")/lib.sh"

lab
addr h2 lo 203.0.113.5/32 2001:db8:cafe::5/128
ipn x2 route add 203.0.113.0/24 via 10.2.0.10
ipn x2 -6 route add 2001:db8:cafe::/48 via fd02::a:10
yaml_ms | sed -e 's,eid: 10.2.0.0/24,eid: 0.0.0.0/0,' -e 's,eid: "fd02::/64",eid: "::/0",' \
	-e '/aggregates/d' -e 's,name: site-2,&\n      max-registrations: 10,' >"$R/ms.yaml"
grep -q '0.0.0.0/0' "$R/ms.yaml" || fail "setup" "sed"
# site 1 lies inside 0.0.0.0/0: one site's space must not hold another's, so site 1 becomes part of the same site
python3 - "$R/ms.yaml" "$(key both "secret of both")" <<'P'
import sys
p, key = sys.argv[1:]
head = open(p).read().split("map-server:")[0]
open(p, "w").write(head + f"""map-server:
  sites:
    - name: all
      key-file: {key}
      eid-prefixes:
        - {{eid: 0.0.0.0/0, accept-more-specifics: true}}
        - {{eid: "::/0", accept-more-specifics: true}}
""")
P
conf ms <"$R/ms.yaml"
yaml_mr | conf mr
SITE_KEY=$R/both.key
limits="limits:
  shortest-ip4: 0
  shortest-ip6: 0"
{ ROUTES='"0.0.0.0/0", "::/0"' yaml_xtr 1; echo "$limits"; } | conf x1
{ yaml_xtr 2 | sed -e 's,eid: 10.2.0.0/24,eid: 0.0.0.0/0,' -e 's,eid: "fd02::/64",eid: "::/0",'; echo "$limits"; } | conf x2
NO_WIRE=1
capture wire core any -Q in 'udp port 4341 or udp port 4342'
start ms mr && start x1 x2 || finish
acked() { xcj "$1" eid show | jq -e 'length > 0 and all(.[]; .acked)'; }
check "x1 registers, though its Map-Server is inside 0.0.0.0/0" wait_for 15 acked x1
check "x2 registers 0.0.0.0/0 and ::/0" wait_for 15 acked x2

for a in 203.0.113.5 2001:db8:cafe::5; do
	out=$(ping4 h1 -c 10 -i 0.1 $a)
	has "h1 reaches $a through site 2, first packet included" "$out" ' 0% packet loss'
done
s=$(stream h1 h2 203.0.113.5 200 1)
check "200 datagrams to 203.0.113.5" intact "$s"
check "TCP to 203.0.113.5, content compared" tcp h1 h2 203.0.113.5 1000000
has "the entry is the default route" "$(xcj x1 cache show 203.0.113.5 | jq -r '.[].eid' | tr '\n' ' ')" '^(0\.0\.0\.0/0|12[0-9]\.|1[3-9][0-9]\.|2[0-9][0-9]\.)'

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
capture_end wire
is "no control message ever left inside a data packet" \
	"$(packets wire 'udp.dstport == 4341 && udp.dstport == 4342')" 0
is "no LISP inside LISP" "$(shark wire -Y 'udp.dstport == 4341' -T fields -e udp.dstport | grep -c '4341,4341')" 0
is "tshark finds nothing malformed" "$(packets wire _ws.malformed)" 0
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
