# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The laboratory of the interop scripts: our daemons and a foreign peer (peer.py) on one link.
#
#        f 172.16.0.11 ... .16, 2001:db8::11 ... ::16        each address is another foreign router or server
#        | u0
#   -----+------------ br0 in core -----------+-----------------------+---------
#        | u0                                 | u0                    | u0
#       ms 172.16.0.1                        x1 172.16.0.2           x2 172.16.0.3
#          2001:db8::1                          2001:db8::2             2001:db8::3
#
# EID-prefixes: x1 20.1.0.0/24 fd01::/64, x2 20.2.0.0/24 fd02::/64, foreign ones 20.9.0.0/16 fd09::/48.
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
INTEROP=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

interop_lab() { # our nodes...
	local n i=0
	node core f "$@"
	ipn core link add br0 type bridge mcast_snooping 0
	ipn core link set br0 up
	for n in f "$@"; do
		wire "$n" u0 core "c$n" 1600
		ipn core link set "c$n" master br0
		# What the foreign peer sends and gets has real checksums.
		on "$n" ethtool -K u0 tx off >/dev/null
		[ "$n" = f ] && continue
		i=$((i + 1))
		addr "$n" u0 172.16.0.$i/24 2001:db8::$i/64
	done
	addr f u0 172.16.0.1{1..6}/24 2001:db8::1{1..6}/64
}

play() { # Python program, arguments...: adds its verdicts to ours
	local rc=0
	R=$R BUILD=$BUILD NSP=$NSP PYTHONDONTWRITEBYTECODE=1 python3 "$INTEROP/$1" "${@:2}" 2>&1 || rc=$?
	if [ $rc = 0 ]; then
		OKS=$((OKS + 1))
	else
		FAILED=$((FAILED + 1))
		[ $rc = 3 ] || fail "$1 runs to its end" "status $rc"
	fi
}

# YAML of a site of the Map-Server: name, replay, keys as "ID ALGORITHM SECRET" lines on stdin, then "eid" lines.
site() { # name, strict or off; stdin: "key ID ALGORITHM SECRET..." and "eid PREFIX [INSTANCE]"
	local what a b c keys= eids= n=0
	while read -r what a b c; do
		case $what in
		key)
			n=$((n + 1))
			keys+="        - {key-file: $(key "$1-$n" "$c"), key-id: $a, algorithm: $b}"$'\n' ;;
		eid) eids+="        - {eid: \"$a\", instance: ${b:-0}, accept-more-specifics: true}"$'\n' ;;
		esac
	done
	printf '    - name: %s\n      replay: %s\n      keys:\n%s      eid-prefixes:\n%s' "$1" "$2" "$keys" "$eids"
}
