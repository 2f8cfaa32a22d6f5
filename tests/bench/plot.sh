#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Plots of the part "scale": BUILD/bench/prefixes-ns.svg, prefixes-mpps.svg, prefixes-ratio.svg.
set -euo pipefail
build=$1/bench
"$(dirname "$0")/table.py" "$1" curves
[ -s "$build/curves.dat" ] || exit 0
command -v gnuplot >/dev/null || { echo "bench: no plots: gnuplot is not installed (make deps)" >&2; exit 0; }
blocks=$(grep -c '^"' "$build/curves.dat")
plot() { # name, title of the y axis, columns
	gnuplot <<-P
	set terminal svg size 900,560 font "sans,14" background "white"
	set output "$build/$1.svg"
	set logscale x 2
	set xlabel "prefixes in the map-cache"
	set ylabel "$2"
	set yrange [0:*]
	set xtics ("1k" 1024, "16k" 16384, "128k" 131072, "1M" 1048576)
	set key bottom left
	set grid
	plot for [i=0:$((blocks - 1))] "$build/curves.dat" index i using $3 with $4 lw 2 title columnheader(1)
	P
}
plot prefixes-ns "CPU ns per packet, encap + decap (median, min, max)" 1:2:3:4 yerrorlines
plot prefixes-mpps "million packets per second and CPU" 1:5 linespoints
plot prefixes-ratio "rate in relation to 1k prefixes, same round" 1:6 linespoints
