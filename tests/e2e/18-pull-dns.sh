#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# LISP-Decent pull (RFC 9962 5) with real DNS servers: records that come and go, and everything a DNS server can do
# wrong. What works is never taken away by a failure of DNS.
#
#   h1 --- x1 ----+           +---- m1   Map-Server of both sites: 172.16.3.1, 2001:db8:3::1
#   10.1.0.10     |           |
#                 +-- core ---+---- m2   another: 172.16.4.1
#                 |           |
#   h2 --- x2 ----+           +---- dns  172.16.5.1 knot: zone ms.example.com, signed
#   10.2.0.10                            172.16.5.2 unbound: validates
#
# x1 asks knot (no AD bit), x2 asks unbound and requires DNSSEC. Modulus 4.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/dns.sh"
. "$(dirname "$0")/pull.sh"

topology
declare -A IDX=([1]=$(index_of 1) [2]=$(index_of 2))
yaml_pull 1 "servers: [172.16.5.1]" | conf x1
yaml_pull 2 "servers: [172.16.5.2]" "require-dnssec: true" | conf x2
yaml_m m1 | conf m1
yaml_m m2 | conf m2

# --- DNS is down when the routers start (decent.md X7: no answer is no reason to stop)
start m1 m2 x1 x2 || finish
failing() { own_is "$1" '.failures > 0 and .problem != null' true; }
check "DNS down at start: the router runs, and says that the name is not known" wait_for 5 failing 1
has "... and why: $(own 1 .problem)" "$(own 1 .problem)" '(not reachable|no answer).*172\.16\.5\.1:53'
has "... in plain words too" "$(xc x1 decent names)" 'ms\.example\.com'
knot_start dns 172.16.5.1 ms.example.com signed || finish
UNBOUND_SERVER='prefetch: no
serve-expired: no
ede: yes' unbound_start dns 172.16.5.2 ms.example.com 172.16.5.1 "$(knot_anchor)" || finish
nxdomain() { own_is "$1" '(.problem // "") | test("does not exist")' true; }
check "no records yet: the name does not exist" wait_for 5 nxdomain 1
everywhere add "1 A 172.16.3.1" && everywhere add "1 AAAA 2001:db8:3::1"
check "records come: site 1 is registered (knot)" wait_for 6 at m1 1
check "records come: site 2 is registered (unbound, DNSSEC required)" wait_for 6 at m1 2
is "A and AAAA are one set" "$(own 1 '[.addresses[].address]')" '["172.16.3.1","2001:db8:3::1"]'
is "AD bit: not from knot" "$(own 1 .authenticated)" false
is "AD bit: from unbound, which validated" "$(own 2 .authenticated)" true
check "traffic: both found m1 by the hash" works

# --- a record is added and removed
everywhere add "1 A 172.16.4.1"
soon "record added: registered at m2 as soon as the TTL of 1 s allows" 5000 at m2 1
check "... site 2 as well" wait_for 4 at m2 2
stop m1
check "... and lookups go on without m1" fresh
start m1 || finish
everywhere del "A 172.16.4.1"
soon "record removed: withdrawn at m2 as soon as the TTL allows (registrations live 180 s)" 5000 not_at m2 1
check "... site 2 as well" wait_for 4 not_at m2 2
check "registered at m1 again" wait_for 10 at m1 1
check "... both" wait_for 10 at m1 2

# --- silence
dns_stop knot dns STOP
stale() { own_is "$1" .stale true; }
check "timeout: the set is stale" wait_for 6 stale 1
has "... with the reason: $(own 1 .problem)" "$(own 1 .problem)" 'no answer'
is "... and stays" "$(own 1 '[.addresses[].address]')" '["172.16.3.1","2001:db8:3::1"]'
has "... and an alarm in the log says it" "$(grep '^warn' "$R/x1/log")" "dns: ${IDX[1]}\.ms\.example\.com: .*; still used: 172\.16\.3\.1"
check "... lookups work" fresh
dns_stop knot dns CONT
good() { own_is "$1" '(.stale or .problem != null) | not' true; }
check "knot answers again: not stale" wait_for 6 good 1
check "... nor behind unbound" wait_for 10 good 2

# --- a closed port; then a server that serves nothing: REFUSED, which unbound makes SERVFAIL of
dns_stop knot dns
unreachable() { own_is "$1" '.stale and (.problem | test("not reachable"))' true; }
check "closed port: stale, with the reason" wait_for 6 unreachable 1
knot_empty || finish
refused() { own_is "$1" '.stale and (.problem | test("REFUSED"))' true; }
check "REFUSED: stale, with the reason" wait_for 6 refused 1
servfail() { own_is "$1" '.stale and (.problem | test("SERVFAIL"))' true; }
check "SERVFAIL: stale, with the reason" wait_for 8 servfail 2
is "... the set stays" "$(own 2 '.addresses | length')" 2
check "... and all works" fresh

# --- a router starts without DNS: what it knew is in the state directory
dns_stop knot dns
stop x1
start x1 || finish
saved() { own_is "$1" '.saved and (.addresses | length) == 2' true; }
check "start without DNS: the last good set is used" wait_for 5 saved 1
acked() { xcj "x$1" eid show | jq -e 'length > 0 and all(.[]; .acked)'; }
check "... and it is registered by it" wait_for 6 acked 1
check "... and finds others" fresh
knot_start dns 172.16.5.1 ms.example.com signed || finish
check "DNS comes back: both are good" wait_for 8 good 1
check "... unbound" wait_for 8 good 2
is "... not from the state directory any more" "$(own 1 .saved)" false

# --- the names are removed
everywhere del
gone() { own_is "$1" '.stale and (.problem | test("does not exist"))' true; }
check "NXDOMAIN: stale, with the reason" wait_for 6 gone 1
is "... the set stays" "$(own 1 '.addresses | length')" 2
check "... and all works" fresh
everywhere add "1 AAAA 2001:db8:3::1" && everywhere add "1 A 172.16.3.1"
check "... until the names are back" wait_for 6 good 1

# --- more addresses than a datagram holds, and than are wanted
opened() { on dns nstat -asz TcpPassiveOpens | awk '/PassiveOpens/ { print $2 }'; }
before=$(opened)
many=()
for i in {1..120}; do many+=("add ${IDX[1]} 1 A 172.17.1.$i"); done
dns_update "${many[@]}"
crowd() { own_is "$1" '(.addresses | length) == 16 and .ignored > 0' true; }
check "120 addresses: 16 are used, the others counted" wait_for 6 crowd 1
is "... the numerically first ones" "$(own 1 '[.addresses[:2][].address]')" '["172.16.3.1","172.17.1.1"]'
holds "... the answer was truncated and came by TCP" "$(opened) > $before"
check "... those that do not answer rest, and lookups work" fresh
dns_update "del ${IDX[1]} A" && dns_update "add ${IDX[1]} 1 A 172.16.3.1"
few() { own_is "$1" '.addresses | length' 2; }
check "... two again" wait_for 6 few 1

# --- addresses that nobody may use
dns_update "add ${IDX[1]} 1 A 224.0.0.1" "add ${IDX[1]} 1 A 127.0.0.1" "add ${IDX[1]} 1 A 0.0.0.0" \
	"add ${IDX[1]} 1 AAAA ff02::1" "add ${IDX[1]} 1 AAAA ::1" "add ${IDX[1]} 1 AAAA fe80::1"
ignored() { own_is "$1" '.ignored == 6 and (.addresses | length) == 2' true; }
check "multicast, loopback, link-local and no address: ignored, counted" wait_for 6 ignored 1

# --- DNSSEC: the resolver believes another key; then one that does not validate at all
dns_stop unbound dns
sed 's/ [A-Za-z0-9+/=]*$/ mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==/' "$R/dns/knot/anchor" >"$R/wrong-anchor"
UNBOUND_SERVER='ede: yes' unbound_start dns 172.16.5.2 ms.example.com 172.16.5.1 "$R/wrong-anchor" || finish
check "bogus: SERVFAIL, the set stays" wait_for 8 servfail 2
has "... with the reason of the resolver: $(own 2 .problem)" "$(own 2 .problem)" 'DNSSEC|DNSKEY|bogus'
dns_stop unbound dns
unbound_start dns 172.16.5.2 ms.example.com 172.16.5.1 || finish
unauthenticated() { own_is "$1" '.stale and (.problem | test("not authenticated"))' true; }
check "require-dnssec: an answer without AD is not used" wait_for 8 unauthenticated 2
check "... and all works" fresh

# --- other servers by a reload
yaml_pull 1 "servers: [172.16.5.2]" | conf x1
check "reload with another DNS server" xc x1 config reload
has "... it is asked" "$(sleep 1.5; xcj x1 decent | jq -c .dns.servers)" '172\.16\.5\.2'
check "... and answers" wait_for 6 good 1
finish
