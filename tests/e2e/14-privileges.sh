#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# After start xtrd keeps CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON and CAP_NET_RAW, and no way back to more; a Map-Server without a data
# plane keeps nothing. Its files are its own.
#
#   h1 --- x1 ==== x2 --- h2    ms, mr
. "$(dirname "$0")/lib.sh"

caps() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/${PID[$1]}/status"; }
lab
up || finish
# bits 12 (NET_ADMIN), 13 (NET_RAW), 38 (PERFMON), 39 (BPF)
want=000000c000003000
for k in CapEff CapPrm CapBnd; do is "x1: $k" "$(caps x1 $k)" $want; done
is "x1: nothing to inherit" "$(caps x1 CapInh) $(caps x1 CapAmb)" "0000000000000000 0000000000000000"
is "x1: no_new_privs" "$(caps x1 NoNewPrivs)" 1
for n in ms mr; do
	for k in CapEff CapPrm CapBnd; do is "$n has no data plane: $k" "$(caps $n $k)" 0000000000000000; done
done
is "control socket: mode" "$(command stat -c %a "$R/x1/xtrd.sock")" 600
is "state: nothing readable by others" "$(find "$R/x1/state" -type f -perm /077 | wc -l)" 0

# With these and no more, everything still works: new entries, injection, link changes, reload.
xc x1 cache flush >/dev/null
m=$(stat x1 miss)
has "resolves and injects" "$(ping4 h1 -c 3 -i 0.1 10.2.0.10)" ' 0% packet loss'
holds "... from cold" "$(stat x1 miss) > $m"
ipn x1 link set xtr0 down
ipn x1 link set xtr0 up
back() { ping4 h1 -c 1 10.2.0.10 && ping4 h1 -c 1 fd02::a:10 && ping4 x1 -c 1 -I 10.1.0.1 10.2.0.10; }
check "link down and up: routes and addresses are restored" wait_for 10 back
old=$(ipn core -j link show c1 | jq -r '.[0].address')
# Another gateway takes over: a new MAC under the old address, announced as gateways do. (Without a word from it, any
# host sends into the void until its neighbour entry is found out.)
on core sysctl -qw net.ipv4.conf.c1.arp_notify=1
ipn core link set c1 address 02:00:00:aa:bb:cc
over() { ping4 h1 -c 1 -W 1 10.2.0.10; }
check "the gateway's MAC changes: templates follow" wait_for 3 over
has "... and then nothing is lost" "$(ping4 h1 -c 10 -i 0.1 10.2.0.10)" ' 0% packet loss'
ipn core link set c1 address "$old"

wire_end # its counters go with the pins
# A first start that fails after the data plane was opened (no capability to become the user) takes it away again.
stop x1
check "detach" xc x1 detach
{ yaml_xtr 1; echo "user: nobody"; } | conf x1
chmod 0711 "$R" "$R/x1" "$R/x1/bpf"
chown nobody "$R/site1.key"
on x1 setpriv --bounding-set -setuid,-setgid "$BUILD/xtrd" -c "$R/x1/xtrd.yaml" >"$R/x1/failed" 2>&1
is "a start that cannot become the user fails" "$?$(grep -c 'becoming user nobody' "$R/x1/failed")" 11
is "... and leaves no pins" "$(ls "$R/x1/bpf" | grep -c xtr)" 0
is "... no device" "$(ipn x1 -o link show | grep -c xtr0)" 0
is "... and no rules" "$(ipn x1 rule show | grep -c 4341)" 0
start x1 && ok "with the capabilities it starts"
is "... as that user" "$(awk '$1 == "Uid:" { print $2 }' "/proc/${PID[x1]}/status")" "$(id -u nobody)"
stop x1 && start x1 && ok "... and again"
finish
