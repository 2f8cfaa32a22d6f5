#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# LISP-GPE over IPv6 (RFC 9305 4.3.1): without UDP checksum only where that is configured, on both sides; else classic LISP.
# What a router hears of LISP-GPE in this way though it is not configured there is dropped, and counted.
#
#   h1 --- x1 ===IPv6, one packet per frame=== core === x2 --- h2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gpe.sh"

lab 1600
OUTER=6
GPE1="gpe: true" GPE2="gpe: true"
gpe_up
per_packet
capture wire core any -Q in -s 200 'udp port 4341'
has "pings" "$(ping4 h1 -c 3 -i 0.1 10.2.0.10)" ' 0% packet loss'
capture_end wire
is "gpe alone: classic LISP over IPv6" "$(headers wire 2001:db8:1::1)" "00000000 "
GPE1=$'gpe: true\ngpe-zero-checksum-ipv6: true'
gpe_conf 1
check "x1 may do without the checksum" xc x1 config reload
ping4 h1 -c 2 -i 0.1 10.2.0.10 >/dev/null
check "but x2 has not said that it takes such frames" classic x1 2001:db8:2::1
GPE2=$GPE1
gpe_conf 2
ping4 h2 -c 2 -i 0.1 10.1.0.10 >/dev/null
check "now it does" xc x2 config reload
check "and x1 hears of it" wait_for 10 speaks x1 2001:db8:2::1
capture wire core any -Q in -s 200 'udp port 4341'
has "pings, IPv4" "$(ping4 h1 -c 3 -i 0.1 10.2.0.10)" ' 0% packet loss'
has "pings, IPv6" "$(ping4 h1 -c 3 -i 0.1 fd02::a:10)" ' 0% packet loss'
capture_end wire
is "LISP-GPE over IPv6" "$(headers wire 2001:db8:1::1)" "0c000001 0c000002 "
n=$(mean_decap 10.2.0.10 20000000)
holds "x2 decapsulates what GRO has put together: $n octets a packet" "${n:-0} > 8000"
n=$(mean_decap fd02::a:10 20000000)
holds "IPv6 in IPv6 too: $n octets a packet" "${n:-0} > 8000"
is "nothing was dropped" "$(drops_of x1)$(drops_of x2)" "{}{}"

# configured to speak it to a router that does not do without the checksum
GPE2="gpe: true"
gpe_conf 2
check "x2 wants checksums again" xc x2 config reload
check "x1 hears of it" wait_for 10 classic x1 2001:db8:2::1
GPE1=$'gpe: true\ngpe-zero-checksum-ipv6: true\ngpe-peers: ["2001:db8:2::/48"]'
gpe_conf 1
check "x1 is told otherwise by its operator" xc x1 config reload
check "and speaks it" wait_for 5 speaks x1 2001:db8:2::1
has "which x2 does not take" "$(ping4 h1 -c 3 -i 0.1 -W 1 10.2.0.10)" ' 100% packet loss'
has "and says why" "$(drops_of x2)" '"decap-gpe-checksum":3'
finish
