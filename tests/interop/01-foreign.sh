#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Foreign LISP routers and servers, played by peer.py in the dialects of other implementations, against real daemons in
# both directions. The laboratory is drawn in lab.sh.
#
#   map_server.py    foreign ETRs register at our Map-Server
#   requests.py      foreign ITRs ask our Map-Resolver, Map-Server and ETR
#   xtr.py           our xTR registers at a foreign Map-Server and asks a foreign Map-Resolver
#   data.py          LISP data between our tunnel routers (one on XDP, one on TC) and a foreign one
#   replay.py        recorded messages of another implementation
. "$(dirname "$0")/lab.sh"

check "the foreign peer knows its own protocol" python3 "$INTEROP/peer.py"
interop_lab ms x1 x2
for a in 192.168.136.10 1.2.3.4 17.34.52.86 10.0.58.156; do ipn f addr add $a/32 dev u0; done
ipn ms route add default via 172.16.0.11

timers() {
	cat <<-Y
	timers:
	  reply-interval: 0
	  request-interval: 0
	  request-retry-first: 0.5
	  quick-interval: 0.15
	  ms-request-interval: 0.2
	Y
}
{
	yaml_paths ms
	echo "map-server:"
	echo "  sites:"
	site foreign off <<-S
		key 0 hmac-sha-1-96 odl secret
		key 1 hmac-sha-256-128 oor secret
		key 2 hmac-sha-256-128-hkdf rfc secret
		eid 20.9.0.0/16
		eid fd09::/48
		eid 20.9.0.0/16 100
		eid fd09::/48 11259375
	S
	site strict strict <<-S
		key 0 hmac-sha-256-128 strict secret
		eid 20.8.0.0/16
	S
	site x2 strict <<-S
		key 1 hmac-sha-256-128 secret of x2
		eid 20.2.0.0/24
		eid fd02::/64
	S
	site odl off <<-S
		key 0 hmac-sha-1-96 password
		eid 150.16.0.0/16
		eid 151.16.0.0/16
		eid 152.16.0.0/16
		eid 153.16.0.0/16
		eid 172.1.1.2/32
		eid 2610:d0:ffff:192::1/128
		eid 10.0.0.0/8
		eid 0f00::/8
		eid 125.0.0.0/8 21
		eid 195.168.200.1/32 1
	S
	echo "  aggregates: [20.0.0.0/8, \"fd00::/8\", \"[100]20.0.0.0/8\"]"
	echo "map-resolver: {}"
	timers
} | conf ms
xtr() { # number, Map-Server, Map-Resolver, attach mode
	yaml_paths "x$1"
	cat <<-Y
	rlocs:
	  - address: 172.16.0.$(($1 + 1))
	  - address: "2001:db8::$(($1 + 1))"
	interfaces:
	  - name: u0
	    role: underlay
	    mode: $4
	overlay:
	  - device: xtr0
	    addresses: ["20.$1.0.1/32", "fd0$1::1/128"]
	    routes: ["20.0.0.0/8", "fd00::/8"]
	etr:
	  database:
	    - eid: 20.$1.0.0/24
	    - eid: "fd0$1::/64"
	  map-servers:
	    - address: "$2"
	      key-file: $(key "x$1" "secret of x$1")
	      key-id: 1
	itr:
	  map-resolvers: ["$3"]
	site-id: 7
	Y
	timers
}
xtr 1 172.16.0.13 172.16.0.14 auto | conf x1
xtr 2 172.16.0.1 172.16.0.1 tc | conf x2
for n in ms x1 x2; do capture "said-$n" $n u0 -Q out 'udp port 4342'; done
start ms || finish
play map_server.py
play replay.py # while nobody else talks to the Map-Server
start x1 x2 || finish
play requests.py
play xtr.py
play data.py 1
play data.py 2
# Not from peer.py: does another dissector find fault with what ours said? 20.9.10.0/24 has locators in LCAFs of others, which
# are handed on as they came.
for n in ms x1 x2; do
	stop $n # they never fall silent
	capture_end "said-$n"
	shark "said-$n" -o udp.check_checksum:TRUE -Y '_ws.malformed || _ws.expert.severity >= 0x600000' \
		-T fields -e frame.number -e _ws.col.Info -e _ws.expert.message >"$R/faults"
	is "tshark finds no fault with the $(packets "said-$n") control messages of $n" "$(grep -v '20\.9\.10\.0/24' "$R/faults")" ""
done
finish
