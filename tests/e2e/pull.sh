# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The laboratory of the scripts on LISP-Decent pull, sourced after lib.sh and dns.sh: two sites, two Map-Servers that know
# the key of all, a node for DNS servers. Zone ms.example.com, modulus 4, every time as short as can be configured.
#
#   h1 --- x1 ----+           +---- m1   172.16.3.1, 2001:db8:3::1
#   10.1.0.10     |           |
#                 +-- core ---+---- m2   172.16.4.1, 2001:db8:4::1
#                 |           |
#   h2 --- x2 ----+           +---- dns  172.16.5.1 and up
#   10.2.0.10

topology() {
	local i=0 n
	node core x1 x2 m1 m2 dns h1 h2
	router core x1 x2
	for n in x1 x2 m1 m2 dns; do
		i=$((i + 1))
		wire $n u0 core c$i 1600
		addr core c$i 172.16.$i.254/24 2001:db8:$i::fe/64
		addr $n u0 172.16.$i.1/24 2001:db8:$i::1/64
		default_via $n 172.16.$i.254 2001:db8:$i::fe
	done
	addr dns u0 172.16.5.2/24 172.16.5.3/24 172.16.5.4/24
	for i in 1 2; do
		wire x$i l0 h$i eth0
		addr x$i l0 10.$i.0.126/25
		addr h$i eth0 10.$i.0.10/25
		default_via h$i 10.$i.0.126
	done
}
timers() {
	cat <<-Y
	timers:
	  request-interval: 0.05
	  request-retry-first: 0.3
	  request-holdoff: 0.5
	  resolver-rest: 1
	  reply-interval: 0.001
	Y
}
yaml_pull() { # site number, lines of section dns...
	local i=$1
	shift
	yaml_paths x$i
	cat <<-Y
	rlocs:
	  - address: 172.16.$i.1
	  - address: "2001:db8:$i::1"
	interfaces:
	  - {name: u0, role: underlay}
	overlay:
	  - device: xtr0
	    addresses: [10.$i.0.1/32]
	    routes: [10.0.0.0/8]
	etr:
	  database:
	    - eid: 10.$i.0.0/24
	itr: {}
	decent:
	  pull:
	    suffix: ms.example.com
	    modulus: 4
	    lookup-lengths:
	      - {eid: 10.0.0.0/8, length: 24}
	    key-file: $(key decent "secret of all")
	  dns:
	    timeout: 0.6
	    ttl-min: 1
	    ttl-max: 2
	    retry-min: 1
	    retry-max: 1
	Y
	printf '    %s\n' "$@"
	timers
}
yaml_m() { # node
	yaml_paths "$1"
	cat <<-Y
	map-server:
	  sites:
	    - name: all
	      key-file: $(key decent "secret of all")
	      eid-prefixes:
	        - {eid: 10.0.0.0/8, accept-more-specifics: true}
	Y
	timers
}
index_of() { "$BUILD/xtrctl" -j decent hash "10.$1.0.0/24" modulus 4 | jq .index; } # site number
everywhere() { # "add"|"del", records after the name: at all four names, in one transaction
	local i u=()
	for i in 0 1 2 3; do u+=("$1 $i${2:+ $2}"); done
	dns_update "${u[@]}"
}
knot_empty() { # a server without a zone, at knot's address
	printf 'server:\n    rundir: "%s"\n    listen: "172.16.5.1@53"\ndatabase:\n    storage: "%s"\n' \
		"$R/dns/knot" "$R/dns/knot/empty.db" >"$R/dns/knot/empty.conf"
	dns_run knot dns unbound_listens dns 172.16.5.1 -- knotd -c "$R/dns/knot/empty.conf"
}
# What node says of the name of its own prefix's index.
name() { xcj "$1" decent names | jq -c --argjson i "$2" "[.[] | select(.index == \$i)][0] | $3"; }
own() { name "x$1" "${IDX[$1]}" "$2"; } # site number, jq expression
own_is() { [ "$(own "$1" "$2")" = "$3" ]; }
at() { xcj "$1" site show | jq -e --arg e "10.$2.0.0/24" 'any(.[]; .eid == $e and .registered)'; } # Map-Server, site
not_at() { ! at "$1" "$2"; }
works() { ping4 h1 -c 3 -i 0.1 10.2.0.10; }
# (A Map-Server answers the same question of the same asker once in three seconds, RFC 9301 5.4.)
fresh() { xc x1 cache flush >/dev/null && wait_for 5 works; }
soon() { # name, milliseconds at most, command...: and says how long it took
	local name=$1 max=$2 t0 ms
	shift 2
	t0=$(date +%s%N)
	wait_for 10 "$@" || { fail "$name" "not within 10 s"; return 1; }
	ms=$((($(date +%s%N) - t0) / 1000000))
	holds "$name ($ms ms)" "$ms <= $max"
}

