# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts about LISP-GPE share; sourced after lib.sh.

# Configuration of both sites; GPE1, GPE2: what stands under data-plane, "gpe: true" and the like, one a line.
gpe_conf() { # site number
	local more="GPE$1"
	{ yaml_xtr "$1"; [ -z "${!more-}" ] || { echo "data-plane:"; sed 's/^/  /' <<<"${!more}"; }; } | conf "x$1"
}
gpe_up() {
	yaml_ms | conf ms
	yaml_mr | conf mr
	gpe_conf 1
	gpe_conf 2
	start ms mr && start x1 x2 || finish
	wait_for 20 registered ms || { fail "both sites register" "$(xcj ms site show 2>&1 | head -c 600)"; finish; }
}
# Does the template of node to the other site's RLOC say LISP-GPE?
speaks() { xcj "$1" rloc show | jq -e --arg a "$2" 'any(.[]; .address == $a and (.flags | index("gpe")))'; }
classic() { xcj "$1" rloc show | jq -e --arg a "$2" 'any(.[]; .address == $a and (.flags | index("up"))) and all(.[]; .address != $a or (.flags | index("gpe") | not))'; }
# First words of the LISP headers of a capture: "0c000001 0c000002" and how many of each, by outer source.
headers() { # capture, outer source
	local f=ip
	[[ $2 != *:* ]] || f=ipv6
	shark "$1" -Y "udp.dstport == 4341 && $f.src == $2" -T fields -E occurrence=f -e udp.payload | cut -c 1-8 | sort -u | tr '\n' ' '
}
# Every hop as a NIC without offloads sends: one packet per frame; receivers put together what they can.
per_packet() {
	local d
	for d in "x1 u0" "x2 u0" "core c1" "core c2"; do
		# shellcheck disable=SC2086
		on ${d% *} ethtool -K ${d#* } tso off gso off tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off gro on >/dev/null 2>&1
	done
}
# Octets per packet that x2 decapsulates during a TCP transfer from h1: those of a segment, or of what GRO has put together.
mean_decap() { # address, octets
	local p0 o0 p1 o1
	read -r p0 o0 < <(xcj x2 stats show | jq -r '"\(.decap.packets) \(.decap.octets)"')
	tcp h1 h2 "$1" "$2" >/dev/null || return 1
	read -r p1 o1 < <(xcj x2 stats show | jq -r '"\(.decap.packets) \(.decap.octets)"')
	echo $(((o1 - o0) / (p1 - p0)))
}
