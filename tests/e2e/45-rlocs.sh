#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An RLOC is taken out of the configuration and put back while traffic arrives at it: other sites go on sending there until
# they have heard of it, and what they send is still theirs.
#
#   h2 === eight streams, some to 172.16.1.1, some to 2001:db8:1::1 ===> h1
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fast.sh"

sent_to() { xcj x2 cache show | jq --arg a "$1" '[.[].locators[] | select(.address == $a) | .packets // 0] | add // 0'; }
uses() { xcj x2 cache show | jq -e --argjson n "$1" 'any(.[]; .eid == "10.1.0.0/24" and (.locators | length) == $n)'; }

lab
MODE=auto OUTER=46 NO_WIRE=1
up || finish
check "warm up" ping4 h2 -c 2 -i 0.1 10.1.0.10
for i in 1 2 3 4 5 6 7 8; do fast_begin "h2 to h1, flow $i" h2 h1 10.1.0.10 10 1000; done
sleep 1
holds "both RLOCs get traffic" "$(sent_to 172.16.1.1) > 100 && $(sent_to 2001:db8:1::1) > 100"
OUTER=4 yaml_xtr 1 | conf x1
event one RLOC less
check "reload with one RLOC less" xc x1 config reload
check "the other site hears of it" wait_for 5 uses 1
yaml_xtr 1 | conf x1
event and one more
check "reload with both" xc x1 config reload
check "the other site hears of that" wait_for 10 uses 2
sleep 1
fast_end "RLOC taken out and put back"
finish
