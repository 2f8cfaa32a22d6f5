#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The Map-Server: who answers (the ETR, or the Map-Server for it), expiry, and why a site is not registered.
#
#   h1 --- x1 ==== core ==== x2 --- h2       ms: sites and keys, mr: asks ms
. "$(dirname "$0")/lib.sh"

answered_by() { # fresh lookup of site 2 at x1
	xc x1 lig 10.2.0.10 >/dev/null 2>&1
	xcj x1 lig 10.2.0.10 | jq -r .from
}
lab
# Short times, to see expiry within the test. The defaults are proved in virtual time by the unit tests.
timers="timers:
  registration-timeout: 4
  register-interval: 1
  quick-interval: 1
  reply-interval: 0.001
  request-interval: 0.05"
conf_all() { # PROXY for site 2
	{ yaml_xtr 1; echo "$timers"; } | conf x1
	{ PROXY=$1 yaml_xtr 2; echo "$timers"; } | conf x2
	{ yaml_ms; echo "$timers"; } | conf ms
	{ yaml_mr; echo "$timers"; } | conf mr
}
conf_all false
wire_begin
start ms mr && start x1 x2 || finish
check "sites register" wait_for 15 registered ms
has "traffic by the answer of the ETR" "$(ping4 h1 -c 3 -i 0.1 10.2.0.10)" ' 0% packet loss'
is "no proxy reply: the ETR answers" "$(answered_by)" 172.16.2.1
f=$(control ms tx-forwarded-request)
holds "... and the Map-Server forwarded" "$f > 0"
auth=$(xcj x1 lig 10.2.0.10 | jq -c '.records[0] | [.eid, .authoritative, .locators[0].address, .locators[0].reachable]')
is "the answer is the ETR's: authoritative" "$auth" '["10.2.0.0/24",true,"172.16.2.1",true]'

wire_end
stop x2
conf_all true
start x2
proxied() { xcj ms site show | jq -e 'any(.[]; .eid == "10.2.0.0/24" and .proxy)'; }
check "proxy reply wanted: the registration says so" wait_for 10 proxied
r=$(control x2 rx-map-request)
is "proxy reply: the Map-Server answers" "$(answered_by)" 172.16.3.1
is "... and the ETR was not asked" "$(control x2 rx-map-request)" "$r"
has "a proxied answer is not authoritative" "$(xcj x1 lig 10.2.0.10 | jq -c '.records[0].authoritative')" false
xc x1 cache flush >/dev/null
has "traffic by the proxied answer" "$(ping4 h1 -c 5 -i 0.1 10.2.0.10)" ' 0% packet loss'

# Expiry: the site dies without a word.
stop x2 KILL
was=$(control ms registration-expired)
expired() { xcj ms site show | jq -e 'any(.[]; .eid == "10.2.0.0/24" and .configured and (.registered | not))'; }
check "a dead site expires" wait_for 12 expired
holds "... which is counted" "$(control ms registration-expired) > $was"
is "... the other stays" "$(xcj ms site show | jq -r '[.[] | select(.eid == "10.1.0.0/24") | .registered] | any')" true
has "... and people can read it" "$(xc ms site show 10.2.0.0/24)" 'why: its registration has expired [0-9.]+s ago'
start x2
check "it comes back" wait_for 10 registered ms

# Wrong key: both ends say why.
stop x2
cp "$R/x2/xtrd.yaml" "$R/x2.good"
sed "s,key-file: .*,key-file: $(key wrong "a wrong secret")," "$R/x2.good" | conf x2
check "the site expires again" wait_for 12 expired
start x2
refused() { xcj ms site show | jq -e 'any(.[]; .eid == "10.2.0.0/24" and .refused > 0 and .last_refusal != null)'; }
check "wrong key: the Map-Server counts a refusal for the site" wait_for 10 refused
why=$(xcj ms site show | jq -r '[.[] | select(.eid == "10.2.0.0/24" and .configured)][0] | "\(.last_refusal) from \(.last_refusal_from)"')
has "wrong key: xtrctl site show says why, and who ($why)" "$why" '(key|auth|secret).* from 172\.16\.2\.1'
has "wrong key: also in plain words" "$(xc ms site show)" 'key|auth'
holds "wrong key: counted" "$(control ms drop-authentication) > 0"
problem() { xcj x2 eid show | jq -e 'any(.[]; .acked | not) and any(.[]; .problem != null)'; }
check "wrong key: the site itself says that it is not acknowledged" wait_for 15 problem
has "wrong key: the log of the Map-Server says which site, who and why" "$(cat "$R/ms/log")" 'Map-Register of .*10\.2\..* refused, from 172\.16\.2\.1 for site .*: authentication failed: key 0'
logged() { grep -q 'is not registered: Map-Server .* does not confirm' "$R/x2/log"; }
check "wrong key: so does that of the site" wait_for 20 logged
has "wrong key: no secret in any log" "x$(grep -lE 'secret of|wrong secret' "$R"/*/log)" '^x$'
stop x2
conf x2 <"$R/x2.good"
start x2
check "right key again: registered" wait_for 10 registered ms

# A prefix that is not the site's.
stop x2
check "and when it is gone once more" wait_for 12 expired
has "... that is why, not the wrong key before it" "$(xc ms site show 10.2.0.0/24)" 'why: its registration has expired [0-9.]+s ago'
sed -e '/^etr:/,$s,10\.2\.0\.,10.7.0.,' -e 's,addresses.*,addresses: [],' "$R/x2.good" | conf x2
nobodys() { echo $(($(control ms drop-prefix-outside-site) + $(control ms drop-no-site))); }
p=$(nobodys)
start x2
outside() { [ "$(nobodys)" -gt "$p" ]; }
check "a prefix of nobody is refused and counted" wait_for 10 outside
is "... and not registered" "$(xcj ms site show | jq '[.[] | select(.eid == "10.7.0.0/24" and .registered)] | length')" 0

# Two Map-Servers and want-map-notify
is "x1's registration is acknowledged" "$(xcj x1 eid show | jq 'all(.[]; .acked)')" true
holds "by Map-Notify" "$(control ms tx-map-notify) > 0 && $(control x1 rx-map-notify) > 0"
is "xTR-ID and Site-ID reach the Map-Server" \
	"$(xcj ms site show | jq -r '[.[] | select(.eid == "10.1.0.0/24" and .registered) | .xtr_id | select(. != null) | length] | max')" 32

# monitor streams events
on_exec x1 "$BUILD/xtrctl" -s "$R/x1/xtrd.sock" -B "$R/x1/bpf" -j monitor >"$R/events" 2>&1 &
BG+=($!)
sleep 0.5
xc x1 cache flush >/dev/null
ping4 h1 -c 1 10.2.0.10 >/dev/null
seen() { grep -q 'cache-del' "$R/events" && grep -q 'miss' "$R/events"; }
check "monitor shows the deletion and the miss" wait_for 5 seen
finish
