#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Throughput of one TCP and one UDP flow between two hosts, three ways at once between the same namespaces:
#
#   h1 --- x1 ====== core ====== x2 --- h2
#      lisp    xtr0 (xtrd, mode auto)            10.2.0.10, fd02::a:10
#      vxlan   vx0 (kernel VXLAN, no checksum)   192.168.2.10
#      plain   routed by core, no overlay        172.20.2.10
#
# The variants are interleaved in every round, and ratios are taken within a round: absolute figures move with the
# machine, ratios much less. Writes BUILD/bench/results.json, rows of {name, unit, median, min, max, rounds}, and prints them.
#
#   tests/bench/run.sh BUILD      7 rounds of 5 s; QUICK=1: 3 rounds of 1 s; ROUNDS, SECONDS_EACH override
NO_WIRE=1
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"

if [ -n "${QUICK-}" ]; then rounds=${ROUNDS:-3} secs=${SECONDS_EACH:-1}; else rounds=${ROUNDS:-7} secs=${SECONDS_EACH:-5}; fi
out=$BUILD/bench
mkdir -p "$out"
raw=$R/raw
: >"$raw"

# A jumbo underlay for all: what is compared is the work per packet, not who has fewer octets in a frame.
lab 1600
for i in 1 2; do
	j=$((3 - i))
	ipn x$i link add vx0 type vxlan id 42 local 172.16.$i.1 remote 172.16.$j.1 dstport 4789 dev u0 noudpcsum
	ipn x$i link set vx0 mtu 1500 up
	addr x$i vx0 10.99.0.$i/24
	addr x$i l0 192.168.$i.126/25 172.20.$i.126/25
	addr h$i eth0 192.168.$i.10/25 172.20.$i.10/25
	ipn x$i route add 192.168.$j.0/25 via 10.99.0.$j
	ipn x$i route add 172.20.$j.0/25 via 172.16.$i.254
	ipn core route add 172.20.$i.0/25 via 172.16.$i.1
	ipn h$i route add 192.168.$j.0/25 via 192.168.$i.126 src 192.168.$i.10
	ipn h$i route add 172.20.$j.0/25 via 172.20.$i.126 src 172.20.$i.10
done
MODE=auto
up || finish
declare -A to=([lisp]=10.2.0.10 [lisp6]=fd02::a:10 [vxlan]=192.168.2.10 [plain]=172.20.2.10)
for v in lisp lisp6 vxlan plain; do ping4 h1 -c 2 -i 0.1 "${to[$v]}" >/dev/null || { fail "$v" "no connection"; finish; }; done

measure() { # variant, iperf3 options...: one JSON
	local v=$1 sp
	shift
	on_exec h2 nice -n -15 iperf3 -s -1 -A 1 -B "${to[$v]}" -p 5301 >/dev/null 2>&1 &
	sp=$!
	wait_for 5 on h2 ss -Hltn 'sport = :5301'
	on h1 nice -n -15 timeout $((secs * 3 + 10)) iperf3 -J -A 0 -c "${to[$v]}" -p 5301 -t "$secs" -O 0.5 "$@" 2>/dev/null
	kill "$sp" 2>/dev/null
	wait "$sp" 2>/dev/null
}
record() { echo "$1 $2 $3 ${4:-0}" >>"$raw"; } # round, variant-protocol, value

e=$(stat x1 encap)
for ((r = 1; r <= rounds; r++)); do
	for v in lisp vxlan plain lisp6; do
		j=$(measure $v -C cubic)
		record $r tcp-$v "$(jq -r '.end.sum_received.bits_per_second / 1e9' <<<"$j")"
		# as fast as it goes, datagrams of 1400 octets; what arrived is what counts
		j=$(measure $v -u -b 0 -l 1400)
		record $r udp-$v "$(jq -r '.end.sum | (1 - .lost_percent / 100) * .packets / .seconds / 1000' <<<"$j")"
	done
	echo "round $r of $rounds: $(awk -v r=$r '$1 == r { printf "%s %.2f  ", $2, $3 }' "$raw")"
done
holds "the LISP runs went through LISP" "$(stat x1 encap) > $e + 1000" >/dev/null || { echo "bench: xtr0 was not used"; exit 1; }

/usr/bin/python3 - "$raw" "$out/results.json" "$BUILD" <<'P'
import collections, json, os, platform, statistics, sys, time
raw, path, build = sys.argv[1:]
got = collections.defaultdict(dict)
for line in open(raw):
    rnd, name, value = line.split()[:3]
    try:
        got[name][int(rnd)] = float(value)
    except ValueError:
        print(f"round {rnd}: {name} gave no figure", file=sys.stderr)
rows = []
def row(name, unit, values):
    if values:
        rows.append({"name": name, "unit": unit, "median": round(statistics.median(values), 3), "min": round(min(values), 3),
                     "max": round(max(values), 3), "rounds": len(values)})
for name in sorted(got):
    row(name, "Gbit/s" if name.startswith("tcp") else "kpps", list(got[name].values()))
for a, b in (("tcp-lisp", "tcp-vxlan"), ("tcp-lisp", "tcp-plain"), ("tcp-lisp6", "tcp-lisp"), ("udp-lisp", "udp-vxlan"),
             ("udp-lisp", "udp-plain")):
    row(f"{a} / {b}", "ratio", [got[a][r] / got[b][r] for r in got[a] if got[b].get(r)])
cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
head = {"date": time.strftime("%Y-%m-%d"), "kernel": platform.release(), "cpu": cpu, "cpus": os.cpu_count(),
        "load": os.getloadavg()[0]}
json.dump({"machine": head, "rows": rows}, open(path, "w"), indent=1)
print(f"\n{head['date']}, {head['cpus']} x {cpu}, Linux {head['kernel']}, load {head['load']:.1f}")
print(f"{'':26}{'median':>9}{'min':>9}{'max':>9}  rounds")
for r in rows:
    print(f"{r['name']:26}{r['median']:9.2f}{r['min']:9.2f}{r['max']:9.2f}  {r['rounds']}  {r['unit']}")
P
echo "written: $out/results.json"
