#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Installs the Debian packages that building, testing and the demo need. Prints what it installs; does and prints
# nothing when all are there. Asks no questions. The README has the same list with the reason for each.
#
#   deploy/deps.sh          install what is missing (root)
#   deploy/deps.sh --list   print the names, one a line
set -euo pipefail

packages=(
	# compilers and build tools; clang makes the BPF programs and the fuzzers
	make gcc libc6-dev pkg-config git ca-certificates
	clang llvm libclang-rt-14-dev bpftool
	# libraries
	libbpf-dev libelf-dev zlib1g-dev libssl-dev libuv1-dev libyaml-dev libjansson-dev libmnl-dev uthash-dev
	libcap-dev libc-ares-dev libcurl4-openssl-dev
	# tests, demo and benchmark
	libcriterion-dev iproute2 iputils-ping ethtool iperf3 tshark tcpdump python3 python3-scapy jq procps man-db gnuplot-nox
	# other kernels: an emulator, and what unpacks their images
	qemu-system-x86 kmod cpio xz-utils zstd
	# DNS servers and a multicast router for tests and demo: run by them in namespaces, never as services of this host
	knot knot-dnsutils knot-dnssecutils unbound dnsdist smcroute
)
services=(knot unbound dnsdist smcroute)

if [ "${1-}" = --list ]; then
	printf '%s\n' "${packages[@]}"
	exit 0
fi

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || {
	echo "deps: this is no Debian system (no dpkg or apt-get). Install the equivalents of:" >&2
	printf '  %s\n' "${packages[*]}" >&2
	exit 1
}

missing=()
for p in "${packages[@]}"; do
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "deps: ${#missing[@]} of ${#packages[@]} packages are missing: ${missing[*]}"
if [ "$(id -u)" != 0 ]; then
	echo "deps: installing needs root. Run:  sudo make deps" >&2
	exit 1
fi

# tshark asks whether users may capture, iperf3 whether to start a daemon: the defaults (no, no) are right.
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)

# Debian starts a service when its package is installed. While we install, the answer to that is no (invoke-rc.d(8));
# an answer that was there before comes back. Nor shall it start with the machine, unless it was here before us.
policy=/usr/sbin/policy-rc.d
saved=$policy.before-xtr
restore() {
	rm -f "$log"
	if [ -e "$saved" ]; then
		mv -f "$saved" "$policy"
	elif grep -qs '^# xtr deps$' "$policy"; then
		rm -f "$policy"
	fi
}
quiet_services() {
	restore # after a run that was killed
	log=$(mktemp)
	[ ! -e "$policy" ] || mv "$policy" "$saved"
	printf '#!/bin/sh\n# xtr deps\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}
disable_services() {
	local s
	for s in "${services[@]}"; do
		case " ${missing[*]} " in
		*" $s "*) ! command -v systemctl >/dev/null || systemctl --quiet disable "$s" >/dev/null 2>&1 || true ;;
		esac
	done
}
trap restore EXIT
trap 'exit 1' INT TERM HUP
quiet_services
echo "deps: apt-get update"
apt-get -q update >"$log" 2>&1 || {
	cat "$log" >&2
	echo "deps: apt-get update failed: see above. Is the network up, and /etc/apt/sources.list right?" >&2
	exit 1
}
echo "deps: apt-get install (some minutes the first time)"
apt-get -q -y --no-install-recommends install "${missing[@]}" >"$log" 2>&1 || {
	tail -n 40 "$log" >&2
	echo "deps: apt-get install failed: see above. On Debian 12 all of them are in main." >&2
	exit 1
}
disable_services
echo "deps: installed ${missing[*]}"
