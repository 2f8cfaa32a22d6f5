# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# LISP-Decent in the laboratory, sourced after lib.sh and mcast.sh: sites 1 .. N on any underlay of mcast.sh, and the
# configuration of routers that are the mapping system themselves. There is no Map-Server box.
#
#   hN 10.N.0.10, fd0N::a:10 --- l0 xN u0 --- the underlay
#      EID-prefixes of site N: 10.N.0.0/24 and fd0N::/64; xN itself is 10.N.0.1, fd0N::1
#
# What comes from the environment: OUTER (RLOC families), TIMERS (YAML lines for "timers:"), MODE (attach mode).

decent_hosts() { # routers: a host behind each
	local i
	for ((i = 1; i <= $1; i++)); do
		node h$i
		wire x$i l0 h$i eth0
		addr x$i l0 10.$i.0.126/25 fd0$i::a:fe/112
		addr h$i eth0 10.$i.0.10/25 fd0$i::a:10/112
		default_via h$i 10.$i.0.126 fd0$i::a:fe
	done
}
# A router with all roles. Every one has the same sites and key (D-26): whoever has the key may register any EID-prefix
# of the EID space. The section "decent:" comes on stdin, indented below it; without one it is a classic router.
yaml_decent() { # number, [shared secret]
	local i=$1 f
	yaml_paths "x$i"
	echo "rlocs:"
	for f in $(outer); do echo "  - address: \"$(mcast_rloc "$i" "$f")\""; done
	cat <<-Y
	interfaces:
	  - name: u0
	    role: underlay
	    mode: ${MODE:-auto}
	overlay:
	  - device: xtr0
	    addresses: ["10.$i.0.1/32", "fd0$i::1/128"]
	    routes: ["10.0.0.0/8", "fd00::/8"]
	etr:
	  database:
	    - eid: 10.$i.0.0/24
	    - eid: "fd0$i::/64"
	itr: {}
	map-resolver: {}
	map-server:
	  sites:
	    - name: all
	      key-file: $(key "x$i" "${2:-secret of the mapping system}")
	      eid-prefixes:
	        - eid: 10.0.0.0/8
	          accept-more-specifics: true
	        - eid: "fd00::/8"
	          accept-more-specifics: true
	${TIMERS:+timers:
	$(printf '%s\n' "$TIMERS" | sed 's/^[[:space:]]*/  /')
	}decent:
	Y
	sed -e '/^[[:space:]]*$/d' -e 's/^/  /'
}
decent_pull() { # number, modulus, DNS server, [more lines of "pull"]
	cat <<-Y
	pull:
	  suffix: map-server.example.com
	  modulus: $2
	  lookup-lengths:
	    - {eid: 10.0.0.0/8, length: 24}
	    - {eid: "fd00::/8", length: 64}
	  key-file: $R/x$1.key
	${4:+$(sed 's/^/  /' <<<"$4")}
	dns:
	  servers: ["$3"]
	  timeout: 1
	  ttl-min: 1
	  retry-min: 1
	  retry-max: 2
	Y
}
decent_push() { # number, group, transport, [more lines of "push"]
	cat <<-Y
	push:
	  group: "$2"
	  transport: $3
	  key-file: $R/x$1.key
	${4:+$(sed 's/^/  /' <<<"$4")}
	Y
}

# ---- what the routers say
rlocs() { for i; do mcast_rloc "$i" "$(first_outer)"; echo; done | sort | tr '\n' ' ' | sed 's/ $//'; } # numbers...: sorted
names() { xcj "$1" decent names; }
groups() { xcj "$1" decent groups; }
# RLOCs of the members that are live, or the node itself, of the group (default: the own one), sorted, on one line.
members() { # node, [group]
	groups "$1" | jq -r --arg g "${2-}" '[.[] | select(if $g == "" then .own else .group == $g end) | .members[] |
		select(.state == "live" or .state == "self") | .address] | sort | join(" ")'
}
members_are() { [ "$(members "$1" "${3-}")" = "$2" ]; } # node, addresses, [group]
# The EID-prefixes (not groups) that are registered at a node's Map-Server, sorted, on one line.
stored() { # node
	xcj "$1" site show | rows | sed -nE '/"registered":true/s/.*"eid":"((10\.|fd0)[^"]*)".*/\1/p' | sort -u | tr '\n' ' ' | sed 's/ $//'
}
stores() { # node, sites (numbers)...: has both EID-prefixes of each, and no others
	local n=$1 i w=()
	shift
	for i; do w+=("10.$i.0.0/24" "fd0$i::/64"); done
	[ "$(stored "$n")" = "$(printf '%s\n' "${w[@]}" | sort | tr '\n' ' ' | sed 's/ $//')" ]
}
has_sites() { # node, sites...: has at least these
	local n=$1 i s
	shift
	s=" $(stored "$n") "
	for i; do [[ $s == *" 10.$i.0.0/24 "* && $s == *" fd0$i::/64 "* ]] || return 1; done
}
# A router's Map-Server answers for it: until that has the registrations of a site, packets to the site go nowhere. So a new
# member is reached by all when all have them, which may be up to a second after it has theirs (etr_group.c).
all_store() { # sites (numbers)...: each of their routers has both EID-prefixes of each
	local i
	for i; do stores "x$i" "$@" || return 1; done
}
# Every host reaches every other. Prints those that do not, and what their routers know and have dropped. All hosts at a
# time, each one after the other.
reach() { # numbers...
	local i p=() bad=0
	for i; do
		reach_from "$i" "$@" &
		p+=("$!")
	done
	for i in "${p[@]}"; do wait "$i" || bad=1; done
	return $bad
}
reach_why() { # two numbers: how the routers see each other's sites
	local n o
	for n in "$1 $2" "$2 $1"; do
		read -r n o <<<"$n"
		echo "x$n: stores $(stored "x$n"); members $(members "x$n")"
		xc "x$n" cache show | grep -A 2 -E "^10\.$o\.|^fd0$o|natively|action drop" || echo "no entry for site $o, and no negative one"
		echo "drops $(drops_of "x$n"), natively forwarded $(stat "x$n" native), control $(xcj "x$n" stats control |
			jq -c 'with_entries(select(.value > 0))')"
	done | sed 's/^/    /'
}
reach_from() { # number, numbers...
	local i=$1 j a bad=0
	shift
	for j; do
		[ "$i" = "$j" ] && continue
		for a in 10.$j.0.10 fd0$j::a:10; do
			ping4 "h$i" -c 2 -i 0.05 "$a" >/dev/null && continue
			reach_why "$i" "$j"
			echo "h$i does not reach $a"
			bad=1
		done
	done
	return $bad
}
flush_all() { local i; for i; do xc "x$i" cache flush >/dev/null; done; } # numbers...
