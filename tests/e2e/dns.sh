# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Real DNS servers for the laboratory, sourced after lib.sh: knot is authoritative (dynamic updates, DNSSEC signing),
# unbound validates and speaks DNS over HTTP/2, dnsdist speaks DNS over HTTP/1.1 and HTTP/2.
#
#   xtrd ---(UDP, TCP 53)---> knot                     knot_start NODE ADDRESS ZONE [signed]
#   xtrd ---(53 | 443, h2)--> unbound ----> knot       unbound_start NODE ADDRESS ZONE KNOT-ADDRESS [TRUST-ANCHOR-FILE]
#   xtrd ---(53 | 443, 1.1)-> dnsdist ----> either     dnsdist_start NODE ADDRESS BACKEND-ADDRESS
#
# Each has a folder $R/NODE/SERVER with its configuration and log, and ends with the script (or by dns_stop). Several
# can share a node on addresses of their own. What can be set before a start:
#   KNOT_SERVER, KNOT_ZONE, UNBOUND_SERVER   more lines for these sections of the configuration
#   DOH_CERT                                 prefix of the certificate's files (default: the one of tls_cert "doh")
declare -A DNS_PID=()
DNS_KEY=hmac-sha256:update:dGhlIHNlY3JldCBvZiBkeW5hbWljIHVwZGF0ZXM=

dns_node() { # dns, 172.16.9.1: a host at the core for any of them
	node dns
	wire dns u0 core c9
	addr core c9 172.16.9.254/24
	addr dns u0 172.16.9.1/24
	default_via dns 172.16.9.254
}

# ---- servers
dns_run() { # server, node, ready-test command..., "--", command...: starts it and waits for the test
	local s=$1 n=$2 t=()
	shift 2
	while [ "$1" != -- ]; do t+=("$1"); shift; done
	shift
	on_exec "$n" "$@" >>"$R/$n/$s/log" 2>&1 &
	DNS_PID[$s-$n]=$!
	BG+=("$!")
	wait_for 15 "${t[@]}" && return
	fail "$s on $n starts" "$(tail -n 3 "$R/$n/$s/log" | tr '\n' ' ')"
	return 1
}
dns_stop() { # server, node, [signal]: STOP and CONT make a server that is there and silent
	local p=${DNS_PID[$1-$2]-}
	[ -n "$p" ] || return 1
	kill "-${3:-TERM}" "$p"
	case ${3-} in STOP | CONT) return ;; esac
	wait "$p" 2>/dev/null
	unset "DNS_PID[$1-$2]"
}
dns_indent() { [ -z "$1" ] || printf '    %s\n' "${1//$'\n'/$'\n'    }"; }
dns_answers() { on "$1" kdig +time=1 +retry=0 "@$2" "$3" SOA | grep -q 'status: NOERROR'; } # node, address, name

# The zone has an SOA and an NS record; the rest comes by dns_update. "signed": by knot itself, with ECDSA P-256.
knot_start() { # node, address, zone, [signed]
	local n=$1 a=$2 z=$3 d=$R/$1/knot k
	KNOT_ADDR=$a KNOT_NODE=$n KNOT_NAME=$z
	if ! [ -d "$d" ]; then
		mkdir -p "$d/db"
		cat >"$d/zone" <<-Z
		$z. 60 SOA ns.$z. hostmaster.$z. 1 3600 600 86400 ${DNS_NEGATIVE_TTL:-1}
		$z. 60 NS ns.$z.
		ns.$z. 60 $([[ $a == *:* ]] && echo AAAA || echo A) $a
		Z
	fi
	k=${DNS_KEY#*:}
	cat >"$d/knot.conf" <<-C
	server:
	    rundir: "$d"
	    listen: "$a@53"
	    udp-workers: 1
	    tcp-workers: 1
	    background-workers: 1
	$(dns_indent "${KNOT_SERVER-}")
	log:
	  - target: stderr
	    any: info
	database:
	    storage: "$d/db"
	key:
	  - id: ${k%%:*}
	    algorithm: ${DNS_KEY%%:*}
	    secret: ${k#*:}
	acl:
	  - id: update
	    key: ${k%%:*}
	    action: update
	  - id: transfer
	    action: transfer
	    address: [0.0.0.0/0, "::/0"]
	policy:
	  - id: fast
	    algorithm: ecdsap256sha256
	    single-type-signing: on
	zone:
	  - domain: $z
	    file: "$d/zone"
	    acl: [update, transfer]
	    zonefile-sync: 0
	    dnssec-signing: $([ "${4-}" = signed ] && echo on || echo off)
	    dnssec-policy: fast
	$(dns_indent "${KNOT_ZONE-}")
	C
	dns_run knot "$n" dns_answers "$n" "$a" "$z" -- knotd -c "$d/knot.conf" || return
	[ "${4-}" != signed ] || wait_for 10 knot_anchor
}
# What a validating resolver has to believe: the zone's DNSKEY, in a file whose name is printed. (A real one would
# have got it from the parent zone.)
knot_anchor() {
	local f=$R/$KNOT_NODE/knot/anchor
	on "$KNOT_NODE" kdig +short +time=1 "@$KNOT_ADDR" "$KNOT_NAME" DNSKEY |
		sed -n "s/^25[67] /$KNOT_NAME. 60 IN DNSKEY &/p" >"$f"
	[ -s "$f" ] && echo "$f"
}
# Dynamic updates (RFC 2136), authenticated, all in one transaction. Names are relative to the zone:
#   dns_update 'add 0 5 A 172.16.1.1' 'add 0 5 AAAA 2001:db8:1::1' 'del 1 A 172.16.2.1' 'del 2'
dns_update() {
	local out rc
	out=$({
		echo "server $KNOT_ADDR"
		echo "zone $KNOT_NAME."
		printf '%s\n' "$@" | sed -E "s/^(add|del) ([^ .]+)( |$)/\1 \2.$KNOT_NAME.\3/"
		echo send
		echo quit
	} | on "$KNOT_NODE" knsupdate -y "$DNS_KEY" 2>&1)
	rc=$?
	[ $rc = 0 ] && ! grep -qi error <<<"$out" && return
	fail "update of $KNOT_NAME: $*" "$(tail -n 1 <<<"$out")"
	return 1
}

unbound_start() { # node, address, zone, knot's address, [file with the trust anchor: validates]
	local n=$1 a=$2 z=$3 d=$R/$1/unbound
	mkdir -p "$d"
	cat >"$d/unbound.conf" <<-C
	server:
	    directory: "$d"
	    chroot: ""
	    username: ""
	    pidfile: ""
	    use-syslog: no
	    do-daemonize: no
	    num-threads: 1
	    verbosity: 1
	    val-log-level: 2
	    module-config: "$([ -n "${5-}" ] && echo "validator ")iterator"
	    ${5:+trust-anchor-file: \"$5\"}
	    do-not-query-localhost: no
	    interface: $a@53
	    access-control: 0.0.0.0/0 allow
	    access-control: ::/0 allow
	    cache-max-negative-ttl: 1
	    infra-host-ttl: 1
	$(if [ -n "${DOH_CERT-}" ]; then
		printf '    %s\n' "interface: $a@443" "https-port: 443" 'http-endpoint: "/dns-query"' \
			"tls-service-key: \"$DOH_CERT.key\"" "tls-service-pem: \"$DOH_CERT.pem\""
	fi)
	$(dns_indent "${UNBOUND_SERVER-}")
	stub-zone:
	    name: "$z."
	    stub-addr: $4
	remote-control:
	    control-enable: no
	C
	dns_run unbound "$n" unbound_listens "$n" "$a" -- unbound -d -c "$d/unbound.conf"
}
unbound_listens() { on "$1" ss -Hltn "src $(ss_addr "$2")" | grep -q .; }
ss_addr() { [[ $1 == *:* ]] && echo "[$1]" || echo "$1"; }

dnsdist_start() { # node, address, address of the server behind it (port 53): plain DNS on 53, HTTPS on 443
	local n=$1 a b d=$R/$1/dnsdist
	a=$(ss_addr "$2") b=$(ss_addr "$3")
	mkdir -p "$d"
	cat >"$d/dnsdist.conf" <<-C
	setLocal("$a:53")
	setACL({"0.0.0.0/0", "::/0"})
	setSecurityPollSuffix("")
	newServer({address="$b:53"}):setUp()
	$([ -z "${DOH_CERT-}" ] || echo "addDOHLocal(\"$a:443\", \"$DOH_CERT.pem\", \"$DOH_CERT.key\", \"/dns-query\", {reusePort=true})")
	C
	dns_run dnsdist "$n" unbound_listens "$n" "$2" -- dnsdist --supervised --disable-syslog -C "$d/dnsdist.conf"
}

# ---- certificates: an authority of our own ($R/ca.pem), and certificates that it signs
tls_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Laboratory CA" \
		-keyout "$R/ca.key" -out "$R/ca.pem" 2>/dev/null
}
# Prints the prefix of NAME.pem and NAME.key. "-1" as days: has expired already.
tls_cert() { # name, subject alternative names ("DNS:doh.example.com,IP:172.16.5.1"), [days]
	local p=$R/tls-$1
	[ -s "$R/ca.pem" ] || tls_ca
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$p.key" -out "$p.csr" 2>/dev/null &&
		if [ "${3:-2}" -gt 0 ]; then
			openssl x509 -req -in "$p.csr" -CA "$R/ca.pem" -CAkey "$R/ca.key" -CAcreateserial -days "${3:-2}" \
				-extfile <(echo "subjectAltName=$2") -out "$p.pem" 2>/dev/null
		else
			tls_expired "$p" "$2"
		fi && echo "$p"
}
tls_expired() { # prefix, names: openssl x509 takes no dates, openssl ca does
	local d=$R/ca.db
	mkdir -p "$d" && : >"$d/index" && echo 1000 >"$d/serial"
	cat >"$d/conf" <<-C
	[ca]
	default_ca = lab
	[lab]
	database = $d/index
	serial = $d/serial
	new_certs_dir = $d
	default_md = sha256
	policy = any
	x509_extensions = ext
	[any]
	commonName = supplied
	[ext]
	subjectAltName = $2
	C
	openssl ca -batch -config "$d/conf" -cert "$R/ca.pem" -keyfile "$R/ca.key" -in "$1.csr" -out "$1.pem" -notext \
		-startdate 20200101000000Z -enddate 20200201000000Z 2>/dev/null
}
