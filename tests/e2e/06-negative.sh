#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Negative map-cache entries do what they say (RFC 9301 5.4), and what is dropped is counted with its reason.
#
#   h1 10.1.0.10, p1 10.1.0.130 --- x1 ---+--- core --- ext 10.9.0.5, fd09::5    not a LISP site, reached natively
#                                         +--- ms: owns 10.0.0.0/8 and fd00::/8, answers "natively forward" there
. "$(dirname "$0")/lib.sh"

lab
host_outside
# The underlay knows the way back, as the public Internet would for addresses that are no EIDs only.
ipn core route add 10.1.0.0/24 via 172.16.1.1
ipn core -6 route add fd01::/64 via 2001:db8:1::1
WIRE_DATA=0 # nothing is to be encapsulated here
up || finish

for m in "h1 10.9.0.5" "h1 fd09::5" "p1 10.9.0.5" "p1 fd09::5" "x1 10.9.0.5"; do
	read -r n a <<<"$m"
	src=()
	[ $n = x1 ] && src=(-I 10.1.0.1)
	xc x1 cache flush >/dev/null
	sleep 1.1
	capture native core cx 'icmp or icmp6'
	out=$(ping4 $n "${src[@]}" -c 10 -i 0.2 "$a")
	capture_end native
	has "natively forward: $n reaches $a" "$out" ' 0% packet loss'
	is "natively forward: $n to $a arrives as it is" \
		"$(packets native "(icmp.type == 8 && ip.dst == 10.9.0.5) || (icmpv6.type == 128 && ipv6.dst == fd09::5)")" 10
done
e=$(xcj x1 cache show 10.9.0.5 | jq -c '.[0] | [.action, (.locators | length)]')
is "the entry says so" "$e" '["natively-forward",0]'
ttl=$(xcj x1 cache show 10.9.0.5 | jq '.[0].ttl_left')
holds "outside every site: 15 minutes (RFC 9301 8.1), $ttl s left" "$ttl > 850 && $ttl <= 900"
is "the hole is the largest prefix without a site" "$(xcj x1 cache show 10.9.0.5 | jq -r '.[0].eid')" 10.8.0.0/13
holds "counted as native" "$(stat x1 native) > 0"

# A configured site that is not registered: 1 minute (RFC 9301 8.3)
stop x2
yaml_ms | sed 's/eid: 10.2.0.0\/24/eid: 10.3.0.0\/24/' >"$R/ms2"
stop ms
conf ms <"$R/ms2"
start ms
xc x1 cache flush >/dev/null
sleep 1.1
ping4 h1 -c 1 10.3.0.5 >/dev/null
neg() { xcj x1 cache show 10.3.0.5 | jq -e '.[0].eid == "10.3.0.0/24"'; }
check "not registered: negative for the site's prefix" wait_for 5 neg
ttl=$(xcj x1 cache show 10.3.0.5 | jq '.[0].ttl_left')
holds "not registered: 1 minute, $ttl s left" "$ttl > 40 && $ttl <= 60"

# The actions, one by one. What is sent must show as what is dropped.
i=20
for m in "drop negative-drop" "drop-policy-denied negative-policy" "drop-auth-failure negative-auth" "no-action negative-no-action"; do
	read -r act reason <<<"$m"
	i=$((i + 1))
	check "$act: entry added" xc x1 cache add 10.$i.0.0/16 action "$act"
	for n in h1 p1; do
		d=$(drop x1 "$reason")
		on $n ping -q -n -W 1 -c 5 -i 0.05 10.$i.0.1 >/dev/null
		is "$act: $n, 5 packets dropped as $reason" "$(($(drop x1 "$reason") - d))" 5
	done
	has "$reason: xtrctl tells what it means" "$(xc x1 stats reason "$reason")" 'negative'
done
# Send-map-request: not queued, but asked for.
check "send-map-request: entry added" xc x1 cache add 10.30.0.0/16 action send-map-request
q=$(control x1 tx-map-request)
on h1 ping -q -n -W 1 -c 3 -i 0.05 10.30.0.1 >/dev/null
asked() { [ "$(control x1 tx-map-request)" -gt "$q" ]; }
check "send-map-request: a Map-Request was sent" wait_for 3 asked
finish
