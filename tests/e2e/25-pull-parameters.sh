#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The parameters of Decent-Pull from a URL (RFC 9962 5.3 leaves open how they are handed out): signed or checksummed,
# changed while running, every refusal with its reason, and the last good ones at a start without network.
#
#   x1 172.16.1.1 ------- web 172.16.1.2  HTTPS
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/dns.sh"

node x1 web
wire x1 u0 web w0
addr x1 u0 172.16.1.1/24
addr web w0 172.16.1.2/24
mkdir -p "$R/www"
CERT=$(tls_cert web IP:172.16.1.2) || finish
web_start() { # certificate prefix
	on_exec web python3 -u "$E2E/https_files.py" 172.16.1.2 443 "$R/www" "$1.pem" "$1.key" >>"$R/www.log" 2>&1 &
	WEB=$!
	BG+=("$WEB")
	wait_for 10 web_listens
}
web_listens() { on web ss -Hltn 'src 172.16.1.2:443' | grep -q .; }
web_stop() { kill "$WEB"; wait "$WEB" 2>/dev/null; true; }

openssl genpkey -algorithm ed25519 -out "$R/sign.key" 2>/dev/null && openssl pkey -in "$R/sign.key" -pubout -out "$R/sign.pem"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$R/ec.key" 2>/dev/null && openssl pkey -in "$R/ec.key" -pubout -out "$R/ec.pem"
put() { printf '%s\n' "$1" >"$R/www/p.json"; }
sign() { # [file]: as xtrd.yaml(5) says
	openssl pkeyutl -sign -rawin -inkey "$R/sign.key" -in "${1:-$R/www/p.json}" | base64 >"$R/www/p.json.sig"
}
sign_ec() { openssl dgst -sha256 -sign "$R/ec.key" "$R/www/p.json" | base64 >"$R/www/p.json.sig"; }
text() { # serial, modulus, [more]
	echo "{\"version\": 1, \"serial\": $1, \"modulus\": $2, \"suffix\": \"ms.example.com\"${3-}}"
}
publish() { put "$(text "$@")" && sign; }

yaml() { # lines of decent.parameters...
	yaml_paths x1
	cat <<-Y
	rlocs: [{address: 172.16.1.1}]
	itr: {}
	decent:
	  pull:
	    suffix: file.example.com
	    modulus: 4
	    key-file: $(key all "secret of all")
	  dns: {servers: [172.16.1.2]}
	Y
	[ $# = 0 ] || echo "  parameters:"
	[ $# = 0 ] || printf '    %s\n' "$@"
}
URL=https://172.16.1.2/p.json
SIGNED=("url: $URL" "public-key: $R/sign.pem" "ca-file: $R/ca.pem" "interval: 1")
pull() { xcj x1 decent show | jq -c ".pull | $1"; }
params() { xcj x1 decent show | jq -c ".parameters | $1"; }
pull_is() { [ "$(pull "$1")" = "$2" ]; }
params_is() { [ "$(params "$1")" = "$2" ]; }
problem() { params .problem | grep -Eq "$1"; }
becomes() { check "$1" wait_for 8 pull_is .modulus "$2"; } # name, modulus
refused() { # name, reason
	check "$1" wait_for 15 problem "$2" || params .
	is "... what was used stays" "$(pull .modulus)" "$MODULUS"
}

# --- the server is not there: the file's own parameters
yaml "${SIGNED[@]}" | conf x1
start x1 || finish
check "no server: a problem that is shown" wait_for 5 problem 'Failed to connect|refused|Connection'
is "... the parameters of the configuration are used" "$(pull '[.modulus, .suffix]')" '[4,"file.example.com"]'
is "... and nothing else is pretended" "$(params '[.used, .serial, .saved]')" '[false,null,false]'

# --- it comes
publish 1 8 ', "lookup-lengths": [{"eid": "240.11.0.0/16", "length": 24, "instance": 5}]'
web_start "$CERT" || finish
becomes "signed parameters are fetched" 8
is "... with suffix and lookup-lengths" "$(pull '[.suffix, .lookups]')" '["ms.example.com",[{"eid":"240.11.0.0/16","iid":5,"length":24}]]'
is "... serial and no problem" "$(params '[.used, .serial, .saved, .problem]')" '[true,1,false,null]'
is "... the ones before are used for a while yet" "$(pull '[.old.modulus, .old.suffix]')" '[4,"file.example.com"]'
unchanged() { grep -q '^304 ' "$R/www.log"; }
check "what did not change is not sent again (ETag)" wait_for 5 unchanged
publish 2 16
becomes "a higher serial is taken" 16
# What counted for some seconds only is nobody's: what all had before it stays the old one.
is "... old and new" "$(pull '.old.modulus')" 4
MODULUS=16

# --- refusals
publish 1 8
refused "an older serial is refused" 'serial 1 is older than 2'
publish 2 9
refused "the same serial with other contents is refused" 'serial 2 is in use with other contents'
text 3 32 >"$R/signed" && put "$(text 3 33)" && sign "$R/signed"
refused "a changed file is refused" 'signature is not of this file'
put "$(text 3 32)" && sign_ec
refused "a signature by another key is refused" 'signature is not of this file'
echo "not base64 at all" >"$R/www/p.json.sig"
refused "a signature that is none is refused" 'no base64'
rm "$R/www/p.json.sig"
refused "no signature: refused" 'its signature: .*404'
rm "$R/www/p.json"
refused "no file: refused" 'the file: .*404'
put "$(text 3 0)" && sign
refused "a value out of range is refused" 'modulus.*1 to 65536'
put "$(text 3 32 ', "colour": 1')" && sign
refused "an unknown key is refused: others may hash by it" 'unknown key `colour`'
head -c 300000 /dev/zero | tr '\0' ' ' >"$R/www/p.json" && sign
refused "a file that is too long is refused" 'long|larger|262144'
is "... and the daemon counts failures" "$(params '.failures > 5')" true
has "... each reason is in the log once" "$(grep -c 'serial 2 is in use with other contents' "$R/x1/log")" '^1$'

# --- a server that is not the one
web_stop
OTHER=$(tls_cert other DNS:other.example.com) || finish
publish 4 64
web_start "$OTHER" || finish
refused "a certificate of another name is refused" 'certificate|SSL'
web_stop

# --- start without network; a kept copy that somebody changed
stop x1
start x1 || finish
is "start without network: the last good parameters" "$(pull '[.modulus, .suffix]')" '[16,"ms.example.com"]'
is "... from the state directory" "$(params '[.used, .serial, .saved]')" '[true,2,true]'
stop x1
sed -i 's/"modulus": 16/"modulus": 17/' "$R/x1/state/decent-fetched"
start x1 || finish
is "a changed copy in the state directory is not used" "$(pull '[.modulus, .suffix]')" '[4,"file.example.com"]'
has "... and the log says why" "$(cat "$R/x1/log")" 'parameters kept from earlier are not used: the signature is not of this file'
web_start "$CERT" || finish
becomes "the server is back" 64
is "... not from the state directory any more" "$(params .saved)" false

# --- reloads: another key, a digest, none
yaml "url: $URL" "public-key: $R/ec.pem" "ca-file: $R/ca.pem" "interval: 1" | conf x1
check "another key: reload" xc x1 config reload
is "... what the old key signed is not used any more" "$(pull .modulus)" 4
put "$(text 1 7)" && sign_ec
becomes "ECDSA" 7
put "$(text 1 5)"
yaml "url: $URL" "sha256: $(sha256sum "$R/www/p.json" | cut -d' ' -f1)" "ca-file: $R/ca.pem" "interval: 1" | conf x1
rm "$R/www/p.json.sig"
check "a digest instead of a key: reload" xc x1 config reload
becomes "... taken without a signature" 5
MODULUS=5
put "$(text 2 6)"
refused "another file is refused" 'its SHA-256 is [0-9a-f]{64}, not the configured one'
yaml | conf x1
check "no parameters any more: reload" xc x1 config reload
is "... those of the configuration are used" "$(pull '[.modulus, .suffix]')" '[4,"file.example.com"]'
is "... and nothing is fetched" "$(xcj x1 decent show | jq -c .parameters)" null
stop x1
finish
