#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Several locators: flows are shared by weight, a flow stays with its locator, a worse priority and weight 0 get nothing.
# What counts is the outer destination of what is on the wire.
#
#                        core              172.16.2.1   25
#   h1 --- x1 ==========[capture]========  172.16.2.2   75   x2 --- h2
#                                          172.16.2.3   priority 2: not used
. "$(dirname "$0")/lib.sh"
ulimit -n 16384

flows=4000
# Outer destination, and how often, for the capture; by inner flow: how many outer source port + destination pairs.
shares() { shark "$1" -Y 'udp.dstport == 4341' -T fields -E occurrence=f -e ip.dst | sort | uniq -c | awk '{print $2, $1}'; }
share_of() { awk -v a="$2" '{ all += $2; if ($1 == a) n = $2 } END { printf "%.4f", all ? n / all : 0 }' <<<"$1"; }
wanders() { # capture: flows that were seen with more than one outer source port or destination
	shark "$1" -Y 'udp.dstport == 4341' -T fields -E occurrence=a -e ip.dst -e udp.srcport |
		awk '{ split($1, d, ","); split($2, p, ","); k = p[2]; v = d[1] "/" p[1]
		       if (k in seen && seen[k] != v) bad[k] = 1; seen[k] = v; n++ }
		     END { b = 0; for (k in bad) b++; print b, n, length(seen) }'
}
config() { # three lines of "priority weight" for 172.16.2.1-3
	local i=0 p w
	{
		yaml_xtr 2 | sed '/^rlocs:/,/^interfaces:/{/^interfaces:/!d}'
		echo "rlocs:"
		while read -r p w; do
			i=$((i + 1))
			printf '  - address: 172.16.2.%d\n    priority: %d\n    weight: %d\n' $i "$p" "$w"
		done
	} | conf x2
}
measure() { # name: sends the flows twice each and leaves the shares in $got
	local s
	capture "$1" core c1 -Q in 'udp port 4341'
	s=$(stream h1 h2 10.2.0.10 $((flows * 2)) 0.1 --flows $flows --size 100 --sport 20000)
	capture_end "$1"
	check "$1: all datagrams of all flows arrived" intact "$s"
	got=$(shares "$1")
}

lab
addr core c2 172.16.2.253/24
addr x2 u0 172.16.2.2/24 172.16.2.3/24
MODE=auto
up || finish
stop x2
printf '1 25\n1 75\n2 100\n' | config
start x2
check "x1 learns the three locators" wait_for 20 eval \
	'xc x1 cache flush; ping4 h1 -c 1 10.2.0.10; xcj x1 cache show 10.2.0.10 | jq -e ".[0].locators | length == 3"'
has "the locators are in order of address (RFC 9301 5.5)" \
	"$(xcj x1 cache show | jq -r '.[] | select(.eid == "10.2.0.0/24") | [.locators[].address] | join(" ")')" \
	'^172\.16\.2\.1 172\.16\.2\.2 172\.16\.2\.3$'

measure "25:75"
a=$(share_of "$got" 172.16.2.1) b=$(share_of "$got" 172.16.2.2)
holds "weight 25 of 100 gets $a, within 10 %" "$a > 0.225 && $a < 0.275"
holds "weight 75 of 100 gets $b, within 10 %" "$b > 0.675 && $b < 0.825"
is "the worse priority gets nothing" "$(share_of "$got" 172.16.2.3)" 0.0000
read -r bad n seen < <(wanders "25:75")
is "each of $flows flows keeps its locator and source port" "$bad" 0
is "... and all were seen, twice" "$seen $n" "$flows $((flows * 2))"
sports=$(shark "25:75" -Y 'udp.dstport == 4341' -T fields -E occurrence=f -e udp.srcport | sort -u | wc -l)
holds "flows differ in the outer source port: $sports ports" "$sports > 1000"
# xtrctl says the same as the wire
is "xtrctl shows the shares of 256 buckets" \
	"$(xcj x1 cache show 10.2.0.10 | jq -r '.[0].locators | [.[] | select(.usable) | .share] | join(" ")')" "64 192"
is "locator counters are those of the wire" \
	"$(xcj x1 cache show 10.2.0.10 | jq -r '.[0].locators[0].packets >= '"$(awk '$1 == "172.16.2.1" {print $2}' <<<"$got")")" true

stop x2
printf '1 0\n1 50\n255 100\n' | config
start x2
check "x1 learns the new weights" wait_for 20 eval \
	'xc x1 cache flush; ping4 h1 -c 1 10.2.0.10; xcj x1 cache show 10.2.0.10 | jq -e ".[0].locators[0].weight == 0"'
measure "0:50"
is "weight 0 beside others gets nothing, priority 255 neither" "$got" "172.16.2.2 $((flows * 2))"

stop x2
printf '1 0\n1 0\n1 0\n' | config
start x2
check "x1 learns weights of 0 only" wait_for 20 eval \
	'xc x1 cache flush; ping4 h1 -c 1 10.2.0.10; xcj x1 cache show 10.2.0.10 | jq -e ".[0].locators[1].weight == 0"'
measure "0:0:0"
for i in 1 2 3; do
	a=$(share_of "$got" 172.16.2.$i)
	holds "all weights 0: 172.16.2.$i gets its third ($a)" "$a > 0.3 && $a < 0.367"
done
finish
