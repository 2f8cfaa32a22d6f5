#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Plots of the part "scale", as BUILD/bench/*.svg: cost, rate and ratio against the number of prefixes, cost against that of active
# destinations.
set -euo pipefail
build=$1/bench
"$(dirname "$0")/table.py" "$1" curves
command -v gnuplot >/dev/null || { echo "bench: no plots: gnuplot is not installed (make deps)" >&2; exit 0; }
plot() { # name, data, title of the x axis, of the y axis, columns, style, end of the x axis
	local blocks
	blocks=$(grep -c '^"' "$build/$2.dat") || return 0
	gnuplot <<-P
	set terminal svg size 900,560 font "sans,14" background "white"
	set output "$build/$1.svg"
	set logscale x 2
	set xlabel "$3"
	set ylabel "$4"
	set xrange [700:$7]
	set yrange [0:*]
	set xtics ("1k" 1024, "8k" 8192, "16k" 16384, "64k" 65536, "128k" 131072, "1M" 1048576)
	set key outside top center horizontal
	set grid
	plot for [i=0:$((blocks - 1))] "$build/$2.dat" index i using $5 with $6 lw 2 title columnheader(1)
	P
}
plot prefixes-ns prefixes "prefixes in the map-cache" "CPU ns per packet, encap + decap (median, min, max)" 1:2:3:4 yerrorlines 1500000
plot prefixes-mpps prefixes "prefixes in the map-cache" "million packets per second and CPU" 1:5 linespoints 1500000
plot prefixes-ratio prefixes "prefixes in the map-cache" "rate in relation to 1k prefixes, same round" 1:6 linespoints 1500000
plot active-ns active "active destinations, at random" "CPU ns per packet, encap + decap (median, min, max)" 1:2:3:4 yerrorlines 90000
