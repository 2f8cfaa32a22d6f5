#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What goes wrong in a group: one member has another key; a Map-Notify without authentication wants to rewrite the
# group. And a classic router that only knows one member as its Map-Resolver and Map-Server (D-21).
#
#   h1 --- x1 ---+         +--- x3 --- h3     x3: wrong key at first
#                |--[core]-|
#   h2 --- x2 ---+         +--- x4 --- h4     x4: classic, no decent section; also the forger
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 5
register-interval: 1.5
quick-interval: 1
request-retry-first: 0.3
request-interval: 0.05
reply-interval: 0.001
notify-retry-max: 2"
G=224.1.1.1
mcast_none 4
decent_hosts 4
member() { # number, secret, [more of push]
	decent_push "$1" $G overlay "peers: [\"$(mcast_rloc 1)\", \"$(mcast_rloc 2)\", \"$(mcast_rloc 3)\"]${3:+
$3}" | yaml_decent "$1" "$2"
}
S="secret of the mapping system"
member 1 "$S" | conf x1
member 2 "$S" | conf x2
member 3 "another secret" | conf x3
yaml_decent 4 "$S" </dev/null | sed -e '/^decent:/d' -e '/^map-/,/^timers:/{/^timers:/!d}' -e "s,^itr:.*,itr: {map-resolvers: [\"$(mcast_rloc 1)\"]}," |
	sed "/fd04::\/64/a\\  map-servers:\\n    - address: \"$(mcast_rloc 1)\"\\n      key-file: $R/x4.key" | conf x4
start x1 x2 x3 x4 || finish

# ---- key mismatch on one member
check "x1 has what x2 registers" wait_for 10 stores x1 1 2 4
refused() { [ "$(control x3 drop-authentication)" -gt 2 ]; }
check "wrong key on x3: it refuses the others, and counts that" wait_for 10 refused
is "wrong key on x3: it has its own registrations only" "$(stored x3)" "10.3.0.0/24 fd03::/64"
is "wrong key on x3: the others do not have it" "$(stored x1 | tr ' ' '\n' | grep -cE '^10\.3|^fd03')" 0
is "wrong key on x3: it has not registered as a member at the others" \
	"$(xcj x1 site show | jq -r --arg g $G '[.[] | select(.registered and (.eid | contains($g))) | .locators[].address] | unique | join(" ")')" "$(rlocs 1 2)"
answer() { xcj x4 lig 10.2.0.10 to "$(mcast_rloc "$1")" | jq -c '.records[0] | [(.locators | length) > 0, .ttl_min]'; }
has "the others answer lookups positively" "$(answer 1)" '^\[true,'
is "x3 answers negatively, for a minute " "$(answer 3)" '[false,1]'
has "x3 says in its log what is wrong" "$(cat "$R/x3/log")" 'warning: .*172\.16\.[12]\.1 .*authentication failed'
has "x1 shows that x3 does not confirm" "$(groups x1 | jq -c --arg a "$(mcast_rloc 3)" '.[0].members[] | select(.address == $a) | .acked')" false
stop x3
xc x3 detach >/dev/null 2>&1
member 3 "$S" | conf x3
start x3 || finish
for n in x1 x2 x3; do check "right key: $n has all" wait_for 12 has_sites $n 1 2 3; done
check "right key: members" wait_for 10 members_are x1 "$(rlocs 1 2 3)"

# ---- the classic router
holds "external: x4 is no member" "$(members x1 | grep -c 172.16.4.1) == 0"
has "external: h4 reaches h1, h1 h4" "$(ping4 h4 -c 3 -i 0.1 10.1.0.10)" ' 0% packet loss'
has "external: a lookup of x3's EID at x1" "$(xcj x4 lig 10.3.0.10 | jq -c '[.records[0].locators[].address]')" '172\.16\.3\.1'
has "external: a lookup of the group gives all members (D-21)" \
	"$(xcj x4 lig "(*,$G)" | jq -c '[.. | .address? // empty] | sort')" '172\.16\.1\.1.*172\.16\.2\.1.*172\.16\.3\.1'

# ---- a Map-Notify that nobody signed: (0.0.0.0/0, G) -> RLE { x4 }, as the author's implementation would send it
cat >"$R/forge.py" <<'P'
import socket, struct, sys
group, rloc, to = sys.argv[1:4]
ip = socket.inet_aton
# RFC 8060 4.9 multicast information, RFC 8060 4.10 replication list
eid = struct.pack("!HBBBBHIHBB", 16387, 0, 0, 9, 0, 20, 0, 0, 0, 32) + b"\x00\x01" + ip("0.0.0.0") + b"\x00\x01" + ip(group)
rle = struct.pack("!HBBBBHHBBH", 16387, 0, 0, 13, 0, 10, 0, 0, 128, 1) + ip(rloc)
loc = struct.pack("!BBBBH", 255, 0, 1, 100, 7) + rle
record = struct.pack("!IBBHH", 1440, 1, 0, 0x1000, 0) + eid + loc
message = struct.pack("!IQBBH", 4 << 28 | 1, 0x1234567890abcdef, 0, 0, 0) + record
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(message, (to, 4342))
P
was=$(control x1 drop-authentication) n=$(control x1 rx-map-notify)
on x4 /usr/bin/python3 "$R/forge.py" $G "$(mcast_rloc 4)" "$(mcast_rloc 1)"
arrived() { [ "$(control x1 rx-map-notify)" -gt "$n" ]; }
check "a forged Map-Notify arrives" wait_for 3 arrived
holds "... is refused, and counted" "$(control x1 drop-authentication) > $was"
is "... and the group is as it was" "$(members x1)" "$(rlocs 1 2 3)"
# The same octets are believed from a peer that the configuration names: so it was not their form that was refused.
member 1 "$S" "unauthenticated-notify-from: [\"$(mcast_rloc 4)\"]" | conf x1
check "unauthenticated-notify-from: by a reload" xc x1 config reload
on x4 /usr/bin/python3 "$R/forge.py" $G "$(mcast_rloc 4)" "$(mcast_rloc 1)"
believed() { groups x1 | jq -e --arg a "$(mcast_rloc 4)" '.[0].members | any(.[]; .address == $a and .state == "live")'; }
check "... and then the peer is believed, for this member only" wait_for 3 believed
is "... not by others" "$(members x2)" "$(rlocs 1 2 3)"
finish
