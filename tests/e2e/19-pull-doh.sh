#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# LISP-Decent pull with DNS over HTTPS (RFC 8484), HTTP/2 and HTTP/1.1, and who is not believed.
#
#   h1 --- x1 ----+           +---- m1   Map-Server: 172.16.3.1
#   10.1.0.10     |           |
#                 +-- core ---+---- m2   another: 172.16.4.1
#                 |           |
#   h2 --- x2 ----+           +---- dns  172.16.5.1 knot: zone ms.example.com, signed
#   10.2.0.10                            172.16.5.2 unbound: validates, doh.example.com by HTTP/2
#                                        172.16.5.3 dnsdist: before unbound, by HTTP/1.1 or 2
#                                        172.16.5.4 a proxy
#
# x1 asks unbound, x2 dnsdist; both certificates are by the laboratory's authority. Modulus 4.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/dns.sh"
. "$(dirname "$0")/pull.sh"

H2='https: ["https://doh.example.com/dns-query"]'
AT='https-address: 172.16.5.2'
x1_asks() { # lines of section dns: and takes them by a reload
	yaml_pull 1 "$@" | conf x1
	check "  reload: $*" xc x1 config reload >"$R/verdict" || cat "$R/verdict"
}
problem() { own_is "$1" "(.problem // \"\") | test(\"$2\")" true; }
stays() { is "... the set stays" "$(own 1 '[.addresses[].address]')" '["172.16.3.1"]'; }

topology
declare -A IDX=([1]=$(index_of 1) [2]=$(index_of 2))
CA="ca-file: $R/ca.pem"
yaml_m m1 | conf m1
yaml_m m2 | conf m2
good_cert=$(tls_cert doh "DNS:doh.example.com,IP:172.16.5.3")
old_cert=$(tls_cert old "DNS:doh.example.com" -1)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Another CA" \
	-keyout "$R/other.key" -out "$R/other.pem" 2>/dev/null
knot_start dns 172.16.5.1 ms.example.com signed || finish
unbound() { DOH_CERT=$1 UNBOUND_SERVER='ede: yes' unbound_start dns 172.16.5.2 ms.example.com 172.16.5.1 "$(knot_anchor)"; }
unbound "$good_cert" || finish
DOH_CERT=$good_cert dnsdist_start dns 172.16.5.3 172.16.5.2 || finish
everywhere add "1 A 172.16.3.1"

# --- both versions
capture doh core any -Q in 'port 53 or (tcp port 443)'
yaml_pull 1 "$H2" "$AT" "$CA" "https-version: 2" "require-dnssec: true" | conf x1
yaml_pull 2 'https: ["https://172.16.5.3/dns-query"]' "$CA" 'https-version: 1.1' "require-dnssec: true" | conf x2
start m1 m2 x1 x2 || finish
check "unbound, HTTP/2: registered" wait_for 8 at m1 1
check "dnsdist, HTTP/1.1: registered" wait_for 8 at m1 2
is "AD bit: from unbound" "$(own 1 .authenticated)" true
is "AD bit: through dnsdist" "$(own 2 .authenticated)" true
check "traffic: both found m1 by the hash" works
everywhere add "1 A 172.16.4.1"
soon "record added: registered at m2 as soon as the TTL of 1 s allows" 5000 at m2 1
check "... site 2 as well" wait_for 4 at m2 2
everywhere del "A 172.16.4.1"
soon "record removed: withdrawn at m2" 5000 not_at m2 1
check "... site 2 as well" wait_for 4 not_at m2 2
capture_end doh
shark doh -T fields -e ip.src -e udp.dstport -e tls.handshake.type -e tls.handshake.extensions_alpn_str -e tcp.flags \
	>"$R/doh.tsv" 2>/dev/null
seen() { awk -F'\t' "$1" "$R/doh.tsv"; }
alpn() { seen "\$3 == 1 && \$1 == \"172.16.$1.1\" { print \$4 }" | sort -u; }
has "x1 offers HTTP/2" "$(alpn 1)" '^h2'
is "x2 offers HTTP/1.1 alone" "$(alpn 2)" http/1.1
is "nothing was asked in the clear" "$(seen '$2 == 53 && $1 ~ /^172.16.[12].1$/' | wc -l)" 0
lookups=$(control x1 dns-lookups)
connections=$(seen '$1 == "172.16.1.1" && $5 == "0x0002"' | wc -l)
holds "connections are used again ($connections for $lookups lookups)" "$connections > 0 && $connections < $lookups"

# --- more addresses than a datagram holds
many=()
for i in {1..120}; do many+=("add ${IDX[2]} 1 A 172.17.1.$i"); done
dns_update "${many[@]}"
crowd() { own_is 2 '(.addresses | length) == 16 and .ignored > 0' true; }
check "120 addresses: 16 are used, the others counted" wait_for 6 crowd
dns_update "del ${IDX[2]} A" && dns_update "add ${IDX[2]} 1 A 172.16.3.1"

# --- a server that does not speak what is required
x1_asks "$H2" "$AT" "$CA" "https-version: 1.1"
check "HTTP/1.1 with a server that speaks HTTP/2 only: stale" wait_for 6 own_is 1 .stale true
stays
x1_asks "$H2" "$AT" "$CA"
check "auto: HTTP/2" wait_for 6 problem 1 '^$'

# --- who is not believed
x1_asks 'https: ["https://other.example.com/dns-query"]' "$AT" "$CA"
check "certificate of another name: refused" wait_for 6 problem 1 'SSL.*name'
has "... with the reason: $(own 1 .problem)" "$(own 1 .problem)" 'https://other\.example\.com'
stays
x1_asks "$H2" "$AT" "ca-file: $R/other.pem"
check "certificate of another authority: refused" wait_for 6 problem 1 'certificate'
stays
x1_asks "$H2" "$AT"
check "... nor do the system's authorities know it" wait_for 6 problem 1 'certificate'
x1_asks "$H2" "$AT" "$CA"
check "... with the right one it is taken" wait_for 6 problem 1 '^$'
of_2() { [ "$(name x1 "${IDX[2]}" '[(.problem // ""), .addresses[].address]')" = '["","172.16.3.1"]' ]; }
check "... for the name of the other site as well" wait_for 6 of_2
dns_stop unbound dns
unbound "$old_cert" || finish
check "certificate that has expired: refused" wait_for 8 problem 1 'expired'
stays
check "... and all works" fresh || { xc x1 decent names; xc x1 cache show; xc x1 stats control; }
dns_stop unbound dns

# --- a server that is gone, or silent, or no DNS server
check "closed port: stale, with the reason" wait_for 6 problem 1 'cannot connect: Connection refused'
unbound "$good_cert" || finish
check "it is back" wait_for 8 problem 1 '^$'
dns_stop unbound dns STOP
check "silent server: stale, with the reason" wait_for 6 problem 1 'timed out|no answer'
stays
dns_stop unbound dns CONT
check "it is back, over another connection if need be" wait_for 8 problem 1 '^$'
x1_asks 'https: ["https://doh.example.com/elsewhere"]' "$AT" "$CA"
check "HTTP status 404: stale, with the reason" wait_for 6 problem 1 '404'
stays
x1_asks 'https: ["https://172.16.5.1/dns-query", "https://172.16.5.3/dns-query"]' "$CA"
check "nobody at the first URL: the second is asked" wait_for 6 problem 1 '^$'

# --- SERVFAIL and bogus through HTTPS
dns_update "add ${IDX[1]} 1 A 172.16.4.1"
check "another address comes by the second URL" wait_for 6 at m2 1
x1_asks "$H2" "$AT" "$CA"
dns_stop knot dns
knot_empty || finish
check "SERVFAIL: stale, with the reason" wait_for 8 problem 1 'SERVFAIL'
is "... the set stays" "$(own 1 '.addresses | length')" 2
dns_stop knot dns
knot_start dns 172.16.5.1 ms.example.com signed || finish
check "knot is back" wait_for 10 problem 1 '^$'

# --- by way of a proxy
on_exec dns python3 "$E2E/connect_proxy.py" 172.16.5.4 3128 >"$R/proxy.log" 2>&1 &
proxy=$!
BG+=("$proxy")
wait_for 5 grep -q ready "$R/proxy.log"
x1_asks "$H2" "$AT" "$CA" "proxy: http://172.16.5.4:3128"
through() { grep -q '^CONNECT 172.16.5.2:443' "$R/proxy.log"; }
check "proxy: it is asked to connect" wait_for 6 through
check "... and the answers are good" wait_for 6 problem 1 '^$'
dns_update "del ${IDX[1]} A 172.16.4.1"
check "... and true: withdrawn at m2" wait_for 6 not_at m2 1
kill "$proxy"
check "proxy gone: nobody is asked without it" wait_for 6 problem 1 'cannot connect by way of the proxy'
stays

# --- start without DNS, from the state directory
stop x1
start x1 || finish
saved() { own_is 1 '.saved and (.addresses | length) == 1' true; }
check "start without DNS: the last good set is used" wait_for 5 saved
check "... and finds others" fresh
finish
