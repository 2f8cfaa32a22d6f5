#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Decent-Push with no multicast in the underlay: Map-Registers to the group are LISP data of instance 0xffffff, one
# copy per member (RFC 9962 4, D-13 to D-16), made by the data plane. Judged on the wire by tshark.
#
#   h1 --- x1 --- c1 core c2 --- x2 --- h2      core drops what is multicast
#   h3 --- x3 --- c3 |  | c4 --- x4 --- h4      x2, x3 know x1 only (peers); x4 joins later
#                    c5
#                    x5: knows the group, is no member and no peer of anyone: its frames are dropped
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 6
register-interval: 2
quick-interval: 1
request-interval: 0.05
reply-interval: 0.001"
mcast_none 5
decent_hosts 4
G=224.1.1.1
is "no multicast gets through, IPv4" "$(mcast_got x1 x2 $G)" 0
is "no multicast gets through, IPv6" "$(mcast_got x1 x2 ff15::101)" 0

for OUTER in 4 6; do
	if [ $OUTER = 4 ]; then G=224.1.1.1 v=ip; else G=ff15::101 v=ipv6; fi
	one=$(mcast_rloc 1 $OUTER)
	decent_push 1 $G overlay | yaml_decent 1 | conf x1
	for i in 2 3 4; do decent_push $i $G overlay "peers: [\"$one\"]" | yaml_decent $i | conf x$i; done
	capture "wire$OUTER" core any -Q in 'udp port 4341 or udp port 4342'
	start x1 && start x2 x3 || finish
	for n in x1 x2 x3; do
		check "$G: $n has the registrations of all" wait_for 15 stores $n 1 2 3
		check "$G: $n knows the members" wait_for 10 members_are $n "$(rlocs 1 2 3)"
	done
	check "$G: every host reaches every other" reach 1 2 3
	t0=${EPOCHREALTIME/./}
	start x4 || finish
	started=$((${EPOCHREALTIME/./} - t0))
	wait_for 5 stores x4 1 2 3 4
	t=$(((${EPOCHREALTIME/./} - t0 - started) / 1000))
	check "$G: a new member that knows one peer has everything" stores x4 1 2 3 4
	holds "$G: ... within 2 s: $t ms" "$t < 2000"
	for n in x1 x2 x3 x4; do check "$G: $n knows all four" wait_for 10 members_are $n "$(rlocs 1 2 3 4)"; done
	check "$G: ... and the others have everything" wait_for 10 all_store 1 2 3 4
	check "$G: all reach it, and it reaches all" reach 1 2 3 4
	sleep 2.5 # periodic Map-Registers with four members
	capture_end "wire$OUTER"
	c=wire$OUTER
	frame="lisp-data && udp.dstport == 4341 && lisp-data.iid == 0xffffff"
	is "$G: tshark finds nothing malformed" "$(packets $c _ws.malformed)" 0
	holds "$G: control messages in instance 0xffffff" "$(packets $c "$frame") > 0"
	is "$G: ... I is set, and no other flag" "$(shark $c -Y "$frame" -T fields -e lisp-data.flags | sort -u)" 0x08
	# the outer header is the first of both, the inner one the second
	is "$G: ... inner destination is the group, outer one a member (D-15)" \
		"$(shark $c -Y "$frame" -T fields -e $v.dst | sed 's/.*,//' | sort -u)" "$G"
	is "$G: ... inner UDP 4342 to 4342" "$(shark $c -Y "$frame" -T fields -e udp.srcport -e udp.dstport |
		awk '{ split($1, s, ","); split($2, d, ","); print s[2], d[2] }' | sort -u)" "4342 4342"
	is "$G: ... a Map-Register" "$(shark $c -Y "$frame" -T fields -e lisp.type | sort -u)" 3
	is "$G: ... the inner source is the sender's RLOC" "$(shark $c -Y "$frame" -T fields -e $v.src |
		awk -F, '$1 != $2' | wc -l)" 0
	is "$G: ... inner checksums are right" "$(shark $c -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE \
		-Y "($frame) && (udp.checksum.status == 0 || ip.checksum.status == 0)" | wc -l)" 0
	is "$G: every member gets a copy, nobody one of its own (x1 to 2, 3, 4)" \
		"$(shark $c -Y "($frame) && $v.src == $one" -T fields -e $v.dst | cut -d, -f1 | sort -u | tr '\n' ' ' | sed 's/ $//')" "$(rlocs 2 3 4)"
	is "$G: nothing is addressed to the group itself" "$(shark $c -T fields -e $v.dst | cut -d, -f1 | grep -c "^$G$")" 0

	# ---- a stranger's frame: a copy of a true one, sent by x5, is dropped before anything looks at it
	[ $OUTER = 6 ] || {
		shark $c -Y "($frame) && ip.src == $one && ip.dst == $(mcast_rloc 2)" -T fields -e udp.payload | head -n 1 | cut -d, -f1 >"$R/copy"
		was=$(drop x2 decap-control) rx=$(control x2 rx-group)
		on x5 /usr/bin/python3 - "$(mcast_rloc 2)" "$(cat "$R/copy")" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for _ in range(5):
		    s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 4341))
		P
		dropped() { [ "$(drop x2 decap-control)" = $((was + 5)) ]; }
		check "a frame of instance 0xffffff from a stranger is dropped, and counted" wait_for 3 dropped
		# and one that a member sent again: the nonce is not above the last (RFC 9301 5.6)
		was=$(control x2 drop-replayed-nonce)
		on x1 /usr/bin/python3 - "$(mcast_rloc 2)" "$(cat "$R/copy")" <<-'P'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for _ in range(5):
		    s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 4341))
		P
		replayed() { [ "$(control x2 drop-replayed-nonce)" -gt "$was" ]; }
		check "a copy of a Map-Register is a replay, and counted" wait_for 3 replayed
		check "... and changed nothing" stores x2 1 2 3 4
	}
	stop x4 KILL
	xc x4 detach >/dev/null 2>&1
	check "$G: a crashed member's registrations are gone" wait_for 12 stores x1 1 2 3
	check "$G: ... and no copies go to it any more" wait_for 12 members_are x1 "$(rlocs 1 2 3)"
	for i in 1 2 3; do stop x$i; xc x$i detach >/dev/null 2>&1; done
	rm -rf "$R"/x*/state/*
done
finish
