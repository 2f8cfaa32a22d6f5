#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# `make install` into a folder of its own: what is there works from there, the systemd unit is valid, and `make uninstall`
# leaves no file. No topology: one node.
. "$(dirname "$0")/lib.sh"

top=$(cd "$E2E/../.." && pwd)
d=$R/dest
# -o: what is built is installed as it is
mk() { make -s -C "$top" B="$BUILD" DESTDIR="$d" PREFIX=/usr -o all "$@"; }
check "make install" mk install
for f in /usr/sbin/xtrd /usr/sbin/xtrctl /usr/share/man/man8/xtrctl.8 /lib/systemd/system/xtrd.service \
	/usr/share/doc/xtr/examples/xtrd.yaml; do
	check "installed: $f" test -s "$d$f"
done
check "installed xtrd runs" "$d/usr/sbin/xtrd" --version
check "installed xtrctl runs" "$d/usr/sbin/xtrctl" help
unit=$d/lib/systemd/system/xtrd.service
is "unit: nothing left to fill in" "$(grep -c '@PREFIX@' "$unit")" 0
has "unit: starts the installed daemon" "$(cat "$unit")" '^ExecStart=/usr/sbin/xtrd'
has "unit: waits for readiness" "$(cat "$unit")" '^Type=notify'
# Started again for ever: 5 times in 10 seconds would be the end, and that is sooner than an interface comes.
in_section() { sed -n "/^\[$1\]/,/^\[/p" "$unit"; }
has "unit: no limit of starts" "$(in_section Unit)" '^StartLimitIntervalSec=0$'
has "unit: started again after a failure" "$(in_section Service)" '^Restart=on-failure$'
has "unit: not at once" "$(in_section Service)" '^RestartSec=[2-9]$'
if command -v systemd-analyze >/dev/null; then
	# what it names, binary and manual page, is in $d, not in /usr
	sed -e "s,=\(+*\)/usr/sbin/,=\1$d/usr/sbin/," -e /^Documentation/d "$unit" >"$R/xtrd.service"
	is "unit: systemd-analyze finds nothing" "$(systemd-analyze verify "$R/xtrd.service" 2>&1 | grep -F xtrd.service)" ""
else
	skip "unit: systemd-analyze" "no systemd on this machine"
fi

node x peer
wire x u0 peer eth0
addr x u0 172.16.1.1/24
sed -e 's,/etc/xtr/site-a.key,'"$(key a secret)"',' -e 's/192.0.2.1$/172.16.1.1/' -e 's/eth0/u0/' \
	"$d/usr/share/doc/xtr/examples/xtrd.yaml" >"$R/example.yaml"
{ yaml_paths x; cat "$R/example.yaml"; } | conf x
BUILD=$d/usr/sbin
start x || finish
has "the installed daemon runs the installed example" "$(xc x iface show)" 'dev u0  role underlay'
# What systemctl reload runs, at the socket of this test. Only its status tells systemctl that a file was refused.
reload=$(sed -n 's/^ExecReload=+*//p' "$unit")
as_unit() { on x ${reload/\/usr\/sbin\/xtrctl/$BUILD/xtrctl -s $R/x/xtrd.sock}; }
check "unit: reload of a good file" as_unit
cp "$R/x/xtrd.yaml" "$R/good.yaml"
echo 'log-levle: info' >>"$R/x/xtrd.yaml"
as_unit >"$R/reload.out" 2>&1 && fail "unit: reload of a wrong file fails" || ok "unit: reload of a wrong file fails"
has "unit: and says why" "$(cat "$R/reload.out")" 'did you mean `log-level`'
cp "$R/good.yaml" "$R/x/xtrd.yaml"
stop x
check "detach" xc x detach
BUILD=$(cd "${1:-build}" && pwd)
check "make uninstall" mk uninstall
is "nothing stays behind" "$(find "$d" -type f -o -type l)" ""
finish
