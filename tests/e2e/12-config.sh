#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Configuration: what is wrong is refused with file:line:column, the reason and the way out, by --check and at start, and
# nothing of the host is touched. SIGHUP applies differences. Readiness is told to systemd. No topology: one node.
. "$(dirname "$0")/lib.sh"

node x
node peer
wire x u0 peer eth0
addr x u0 172.16.1.1/24
addr peer eth0 172.16.1.9/24
key good "a secret" >/dev/null
good() {
	yaml_paths x
	cat <<-Y
	rlocs:
	  - address: 172.16.1.1
	interfaces:
	  - name: u0
	    role: underlay
	overlay:
	  - device: xtr0
	    addresses: [10.1.0.1/32]
	    routes: [10.0.0.0/8]
	etr:
	  database:
	    - eid: 10.1.0.0/24
	  map-servers:
	    - address: 172.16.1.9
	      key-file: $R/good.key
	itr:
	  map-resolvers: [172.16.1.9]
	Y
}
refused() { # what, sed script on the good one, text at the place of the mistake, regular expression of the reason
	local out rc line col
	good | sed -E "$2" >"$R/x/bad.yaml"
	line=$(grep -nF -- "$3" "$R/x/bad.yaml" | tail -n 1 | cut -d: -f1)
	out=$(on x "$BUILD/xtrd" --check "$R/x/bad.yaml" 2>&1)
	rc=$?
	if [ $rc = 0 ]; then fail "$1" "--check accepted it"; return; fi
	has "$1: $R/x/bad.yaml:$line:column, reason" "$out" "^($R/x/)?bad.yaml:${line:-nowhere}:[1-9][0-9]*: .*($4)"
	out=$(on x timeout 10 "$BUILD/xtrd" -c "$R/x/bad.yaml" 2>&1)
	rc=$?
	[ $rc != 0 ] && [ $rc != 124 ] && ok "$1: refused at start too" || fail "$1: refused at start too" "status $rc"
}
good | conf x
check "a good one passes --check" on x "$BUILD/xtrd" --check "$R/x/xtrd.yaml"
before=$(ipn x -j link show | jq -S 'map(del(.stats))')
refused "unknown key" 's/^itr:/itrr:/' 'itrr:' 'itr'
refused "unknown key, with the nearest known one" 's/role: underlay/role: underlay\n    moed: tc/' 'moed' 'mode'
refused "wrong type" 's/address: 172.16.1.1$/address: here/' 'address: here' 'here'
refused "wrong prefix" 's,10.1.0.0/24,10.1.0.0/44,' '10.1.0.0/44' '44|prefix'
refused "host bits in a prefix" 's,eid: 10.1.0.0/24,eid: 10.1.0.5/24,' '10.1.0.5/24' '10\.1\.0\.0/24'
refused "the same EID-prefix twice" 's,(    - )eid: 10.1.0.0/24,&\n\1eid: 10.1.0.0/24,' 'eid: 10.1.0.0/24' 'second|twice|overlap'
refused "an RLOC that no interface has" 's/address: 172.16.1.1$/address: 172.16.1.2/' '172.16.1.2' 'interface'
refused "an interface that is not there" 's/name: u0/name: u7/' 'u7' 'u7'
refused "a required key is missing" '/role: underlay/d' 'name: u0' 'role'
refused "a value out of range" 's/address: 172.16.1.1$/&\n    priority: 300/' 'priority: 300' '255|range'
refused "an unknown attach mode" 's/role: underlay/&\n    mode: fast/' 'mode: fast' 'xdp'
refused "broken YAML" 's/^overlay:/overlay: [/' 'overlay: [' '.'
chmod 644 "$R/good.key"
refused "a key file readable by others" 's/^#//' "key-file" '0600|600|mode|others|chmod'
chmod 600 "$R/good.key"
refused "a key file that is not there" "s,$R/good.key,$R/none.key," "none.key" 'none.key|No such'
out=$(good | sed 's/^itr:/itrr:/; s/name: u0/name: u7/; s,10.1.0.0/24,10.1.0.0/44,' >"$R/x/bad.yaml"; on x "$BUILD/xtrd" --check "$R/x/bad.yaml" 2>&1)
holds "several mistakes are told at once" "$(grep -c 'bad.yaml:' <<<"$out") >= 3"
is "nothing of the host was touched by all that" "$(ipn x -j link show | jq -S 'map(del(.stats))')" "$before"
is "nor pinned" "$(find "$R/x/bpf" -name "xtr*" | wc -l)" 0
sed -e "s,/etc/xtr/site-a.key,$R/good.key," -e 's/192.0.2.1$/172.16.1.1/' -e 's/eth0/u0/' "$E2E/../../deploy/examples/xtrd.yaml" >"$R/x/example.yaml"
check "the example in the tree is valid" on x "$BUILD/xtrd" --check "$R/x/example.yaml"

# What the README shows must be true too.
awk -v d="$R/x" '/^```yaml/ { n++; on = 1; next } /^```/ { on = 0 } on { print > (d "/readme" n ".yaml") }' "$E2E/../../README.md"
for i in 1 2; do
	sed -i -e "s,/etc/xtr/site-1.key,$R/good.key," -e 's/192.0.2.1 /172.16.1.1 /' -e 's/eth0/u0/' "$R/x/readme$i.yaml"
	check "configuration $i of the README is valid" on x "$BUILD/xtrd" --check "$R/x/readme$i.yaml"
done
# Those of LISP-Decent are said to need no Map-Server and no Map-Resolver beside them.
for i in 4 5; do
	{ sed -e '/^  map-servers:/,/^$/d' -e '/^itr:/,$d' "$R/x/readme1.yaml"; cat "$R/x/readme3.yaml" "$R/x/readme$i.yaml"; } |
		sed "s,/etc/xtr/decent.key,$R/good.key," >"$R/x/decent$i.yaml"
	has "configuration $i of the README is of LISP-Decent" "$(cat "$R/x/decent$i.yaml")" '^decent:'
	check "... and is valid" on x "$BUILD/xtrd" --check "$R/x/decent$i.yaml"
done

# Readiness: systemd is told when traffic can flow, not before.
cat >"$R/notify.py" <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
s.settimeout(20)
print(s.recv(4096).decode(), flush=True)
P
/usr/bin/python3 "$R/notify.py" "$R/notify" >"$R/notified" 2>&1 &
BG+=($!)
wait_for 5 grep -q listening "$R/notified"
NOTIFY_SOCKET=$R/notify start x || finish
check "READY=1 reaches systemd's socket" wait_for 5 grep -q '^READY=1' "$R/notified"

# Reload
check "reload of an unchanged file" xc x config reload
is "... changes nothing" "$(xcj x config reload | jq -c '.changed')" "[]"
good | sed 's,- eid: 10.1.0.0/24,&\n    - eid: 10.11.0.0/24,' | conf x
kill -HUP "${PID[x]}"
applied() { xcj x eid show | jq -e 'any(.[]; .eid == "10.11.0.0/24")'; }
check "SIGHUP applies a new EID-prefix" wait_for 5 applied
good | sed 's/^itr:/itrr:/' | conf x
if out=$(xc x config reload 2>&1); then
	fail "reload of a wrong file is refused" "it was not"
else
	has "reload of a wrong file is refused with its place" "$out" 'xtrd.yaml:[0-9]+:[0-9]+'
fi
check "... and the daemon goes on with the old one" applied
has "config show masks secrets" "x$(xc x config show | grep 'a secret')" '^x$'
check "config show" xc x config show
finish
