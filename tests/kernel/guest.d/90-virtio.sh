#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The underlay on virtio NICs, as in a cloud: native XDP attaches, by itself and when asked for, with TC behind it. The
# two NICs of this guest are on one hub.
. "$(dirname "$0")/../site.sh"

nics=$(for d in /sys/class/net/*/device/driver; do case $(readlink -f "$d") in */virtio_net) basename "${d%/device/driver}" ;; esac; done)
[ "$(wc -w <<<"$nics")" = 2 ] || { fail "two virtio NICs" "there are: $nics"; finish; }
# shellcheck disable=SC2086
site_nodes $nics

probe=$(on x1 "$BUILD/xtrctl" -j feature probe dev u0 2>&1)
has "the driver is seen" "$probe" '"driver":"virtio_net"'
has "native XDP would be taken" "$probe" '"mode":"xdp"'
sed -E 's/.*"dev":/# feature probe dev u0: /' <<<"$probe"

yaml_site 1 | conf x1
MODE=xdp yaml_site 2 | conf x2
if start x2 && start x1; then check "sites register" wait_for 40 registered x2; else finish; fi
if at_least 6.3; then how="the driver declares it"; else how="no driver can declare it: tried"; fi
is "mode auto is native XDP ($how)" "$(of_port x1 u0 mode)" xdp
is "mode xdp is native XDP" "$(of_port x2 u0 mode)" xdp
has "the kernel says so" "$(ipn x1 -d link show u0)" 'prog/xdp '
first_packets "first packets, IPv4 in IPv6" h1 10.2.0.10
first_packets "first packets, IPv6 in IPv4" h1 fd02::10
first_packets "attached ports" p2 10.1.2.10
bulk "TCP, IPv4 in IPv6" h1 h2 10.2.0.10
bulk "TCP, IPv6 in IPv4, to an attached port" h2 p1 fd01:0:0:2::10
has "what is not LISP passes" "$(ping4 x1 -c 3 -i 0.1 192.0.2.2)" '3 packets transmitted, 3 received'
is "nothing was dropped" "$(drops_of x1)$(drops_of x2)" ''
stop x1
check "detach" xc x1 detach
hasnt() { ! grep -qE "$2" <<<"$1"; }
check "no XDP is left on the NIC" hasnt "$(ipn x1 -d link show u0)" 'xdp'
finish
