#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What is on the wire, field by field, as an independent dissector reads it: every kind of message and data packet that
# this release sends, over both families, with an instance ID. (That every packet is captured, counted and well-formed
# is checked in every script that uses the laboratory: wire_end in lib.sh.)
#
#   h1 --- x1 ====[capture in core]==== x2 --- h2    ms, mr
. "$(dirname "$0")/lib.sh"

fields() { # capture, filter, fields...: distinct values
	local c=$1 f=$2 e=()
	shift 2
	for x; do e+=(-e "$x"); done
	shark "$c" -Y "$f" -T fields -E occurrence=f -E separator=' ' "${e[@]}" | sort -u
}
lab
for n in x1 x2; do on $n ethtool -K u0 tx off >/dev/null; done
WIRE_CSUM=. # every control checksum is finished by its sender here: all are verified
for OUTER in 4 6; do
	if [ "$OUTER" = 4 ]; then v=ip; s1=172.16.1.1 s2=172.16.2.1; else v=ipv6; s1=2001:db8:1::1 s2=2001:db8:2::1; fi
	up || finish
	for a in 10.2.0.10 fd02::a:10; do ping4 h1 -c 3 -i 0.1 $a >/dev/null; done
	s=$(stream h1 h2 10.2.0.10 50 1)
	check "outer $OUTER: stream" intact "$s"
	check "outer $OUTER: lig" xc x1 lig 10.2.0.10
	c=$WIRE
	on h1 ping -q -c 2 -i 0.1 -t 33 -Q 0xb8 10.2.0.10 >/dev/null
	wire_end

	# ---- control (RFC 9301 5)
	for t in "1 Map-Request" "2 Map-Reply" "3 Map-Register" "4 Map-Notify" "8 ECM"; do
		read -r num name <<<"$t"
		holds "outer $OUTER: $name seen" "$(packets "$c" "lisp.type == $num") > 0"
	done
	is "outer $OUTER: Map-Register: authenticated by HMAC-SHA-256-128 (key 0, algorithm 2)" \
		"$(fields "$c" 'lisp.type == 3' lisp.keyid)" "0x0002"
	is "outer $OUTER: Map-Register: want-map-notify and I are set" \
		"$(fields "$c" 'lisp.type == 3' lisp.mreg.flags.wmn lisp.mreg.flags.xtrid)" "1 1"
	is "outer $OUTER: Map-Request inside the ECM goes to 4342, for the EID asked" \
		"$(fields "$c" 'lisp.type == 8 && lisp.mreq.flags.probe == 0' udp.dstport | sort -u)" 4342
	is "outer $OUTER: Map-Reply comes from the ETRs" \
		"$(shark "$c" -Y 'lisp.type == 2' -T fields -E occurrence=f -e $v.src | sort -u | tr '\n' ' ')" "$s1 $s2 "
	is "outer $OUTER: no control message has its reserved bits set" \
		"$(packets "$c" 'lisp.mreq.res != 0 || lisp.mrep.res != 0 || lisp.mreg.res != 0')" 0

	# ---- data (RFC 9300 5)
	d="udp.dstport == 4341 && $v.src == $s1"
	is "outer $OUTER: data: flags N, L, E, V, I and KK are 0, instance 0" "$(fields "$c" "$d" lisp-data.flags)" 0x00
	is "outer $OUTER: data goes to the locator of site 2" "$(fields "$c" "$d" $v.dst)" $s2
	lo=$(shark "$c" -Y "$d" -T fields -E occurrence=f -e udp.srcport | sort -n | head -n 1)
	holds "outer $OUTER: source ports are ephemeral, from $lo" "$lo >= 49152"
	if [ "$OUTER" = 4 ]; then
		is "outer $OUTER: DF is set" "$(fields "$c" "$d" ip.flags.df)" 1
		is "outer $OUTER: outer header checksum is right" \
			"$(shark "$c" -o ip.check_checksum:TRUE -Y "$d && ip.checksum.status == 0" | wc -l)" 0
		ttl=ip.ttl ds=ip.dsfield.dscp
	else
		ttl=ipv6.hlim ds=ipv6.tclass.dscp
	fi
	is "outer $OUTER: TTL 33 and DSCP EF of the host are on the outer header (a router hop less)" \
		"$(shark "$c" -Y "$d && ip.dsfield.dscp == 46 && icmp" -T fields -E occurrence=f -E separator=' ' -e $ttl -e $ds | sort -u)" "32 46"
	down
done

# ---- an instance ID, in both planes
OUTER=4
for i in 1 2; do
	yaml_xtr $i | sed -e 's/^\(  *\)- eid: .*/&\n\1  instance: 4660/' -e 's/^\(  *\)- device: xtr0/&\n\1  instance: 4660/' \
		-e 's/^\(  *\)role: eid/&\n\1instance: 4660/' | conf x$i
done
yaml_ms | sed -e 's/^\(  *\)- eid: .*/&\n\1  instance: 4660/' -e 's,aggregates.*,aggregates: ["[4660]10.0.0.0/8"],' | conf ms
yaml_mr | conf mr
wire_begin
c=$WIRE
start ms mr && start x1 x2 || finish
check "instance 4660: registers" wait_for 20 registered ms
for m in "h1 10.2.0.10" "h1 fd02::a:10" "p1 10.2.0.130"; do
	read -r n a <<<"$m"
	has "instance 4660: $n reaches $a" "$(ping4 "$n" -c 3 -i 0.1 "$a")" ' 0% packet loss'
done
wire_end
is "instance 4660: I is set and the ID is on the wire" "$(fields "$c" 'udp.dstport == 4341' lisp-data.flags lisp-data.iid)" "0x08 4660"
holds "instance 4660: EIDs in control messages carry it" "$(packets "$c" 'lisp.type == 3 && lisp.lcaf.iid == 4660') > 0"
# A packet of an instance that is not here is dropped and counted.
d=$(drop x2 decap-iid)
on x1 /usr/bin/python3 - <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
inner = bytes.fromhex("4500001c000040004001261b0a01000a0a02000a0800f7ff00000000")
s.sendto(bytes.fromhex("0800000000000700") + inner, ("172.16.2.1", 4341))
P
dropped() { [ "$(drop x2 decap-iid)" = $((d + 1)) ]; }
check "another instance ID: dropped as decap-iid" wait_for 3 dropped
finish
