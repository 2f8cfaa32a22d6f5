#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The kernel matrix: boots Debian's cloud kernels in QEMU and runs guest.sh in each: every program is accepted by the
# verifier, BPF tests pass, and real routers forward, miss, restart, take over what they find and leave nothing behind.
#
#   tests/kernel/run.sh BUILD [SERIES...]     SERIES: 6.1 6.12 6.18 (default: these; 6.19, 6.17 and 6.16 stand in for 6.18)
#
# Emulated without KVM, so it runs on every machine, in a few minutes. Kernels come from the Debian archives this machine
# installs from (and backports beside them), by a private apt configuration in BUILD/kernel: nothing is installed. What
# is there already is not fetched again. Prints ok / not ok lines, and one skip line that names what could not be had.
# All that a guest printed stays in BUILD/kernel/SERIES.log.
#
# KERNEL_JOBS=2       guests at a time; each has one CPU
# KERNEL_SECONDS=600  for one guest
# KERNEL_ALL=1        all BPF tests, not only the chosen ones (see guest.sh): some twenty minutes a guest
# KERNEL_ONLY=*vrf    only the BPF programs and scripts of guest.d whose name matches this shell pattern
set -uo pipefail
export LC_ALL=C
B=$(cd "${1:?usage: run.sh BUILD [SERIES...]}" && pwd) || exit 2
shift
HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(cd "$HERE/../.." && pwd)
W=$B/kernel
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- ${KERNELS:-6.1 6.12 6.18}
JOBS=${KERNEL_JOBS:-2}
[ -n "${KERNEL_SECONDS-}" ] || KERNEL_SECONDS=$([ -n "${KERNEL_ALL-}" ] && echo 3600 || echo 600)
BOOT_SECONDS=90
mkdir -p "$W" || exit 1

skip_all() { echo "skip kernel matrix - $1"; exit 0; }
[ "$(uname -m)" = x86_64 ] || skip_all "the guests are x86_64, this machine is $(uname -m)"
lacking=()
for p in qemu-system-x86_64:qemu-system-x86 modprobe:kmod depmod:kmod cpio:cpio xz:xz-utils zstd:zstd dpkg-deb:dpkg apt-get:apt; do
	PATH=$PATH:/usr/sbin:/sbin type -P "${p%:*}" >/dev/null || lacking+=("${p#*:}")
done
[ ${#lacking[@]} = 0 ] || skip_all "needs the packages ${lacking[*]} (make deps)"
PATH=$PATH:/usr/sbin:/sbin

# ---- kernels
A=$W/apt
apt_own() { APT_CONFIG=$A/etc/apt.conf "$@"; }
# The archives of this machine, one line each for the suites that have kernels; backports of the next release too.
apt_sources() {
	local main security key=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		grep -v '^#' | grep -oE '[a-z+]+:/[^ ]*/debian/?( |$)' | head -n 1 | tr -d ' ')
	[ -n "$main" ] || return 1
	main=${main%/}
	security=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		grep -v '^#' | grep -oE '[a-z+]+:/[^ ]*/debian-security/?( |$)' | head -n 1 | tr -d ' ')
	cat <<-L
	deb [signed-by=$key] $main bookworm main
	deb [signed-by=$key] ${security:-$main-security} bookworm-security main
	deb [signed-by=$key] $main trixie-backports main
	L
}
apt_lists() {
	mkdir -p "$A/lists/partial" "$A/cache/archives/partial" "$A/etc" || return 1
	apt_sources >"$A/etc/sources.list" || { echo "no Debian archive in this machine's apt sources" >"$A/update.log"; return 1; }
	cat >"$A/etc/apt.conf" <<-L
	Dir::Etc::sourcelist "$A/etc/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::State::lists "$A/lists";
	Dir::Cache "$A/cache";
	Acquire::Languages "none";
	Acquire::Retries "2";
	APT::Sandbox::User "root";
	L
	[ -n "$(find "$A/lists" -name '*_Packages*' -mtime -3 -print -quit 2>/dev/null)" ] ||
		apt_own timeout 120 apt-get -q update >"$A/update.log" 2>&1
}
release_of() { ls "$1/lib/modules" 2>/dev/null | head -n 1; } # root of an unpacked kernel
# The newest cloud kernel of a series, and what it consists of: newer images are cut into several packages.
fetch() { # series: unpacked into $W/root-SERIES
	local root=$W/root-$1 pkg p
	[ -z "$(release_of "$root")" ] || return 0
	[ -e "$A/etc/apt.conf" ] || apt_lists || return 1
	pkg=$(apt_own apt-cache search --names-only "^linux-image-${1//./\\.}\\.[0-9][-+.a-z0-9]*-cloud-amd64\$" 2>/dev/null |
		awk '{ print $1 }' | sort -V | tail -n 1)
	[ -n "$pkg" ] || return 1
	rm -rf "$root" "$root.new" "$W/deb"
	mkdir -p "$root.new" "$W/deb"
	for p in "$pkg" $(apt_own apt-cache depends "$pkg" 2>/dev/null | grep -oE "linux-(binary|modules)-[^ <>]*"); do
		(cd "$W/deb" && apt_own timeout 300 apt-get -q download "$p") >>"$W/download.log" 2>&1 || return 1
	done
	for p in "$W"/deb/*.deb; do dpkg-deb -x "$p" "$root.new" || return 1; done
	rm -rf "$W/deb"
	[ -d "$root.new/lib/modules" ] || { mkdir -p "$root.new/lib" && mv "$root.new/usr/lib/modules" "$root.new/lib/modules"; }
	p=$(release_of "$root.new")
	[ -n "$p" ] && ls "$root.new"/boot/vmlinuz-* >/dev/null && depmod -b "$root.new" "$p" 2>/dev/null && mv "$root.new" "$root"
}

# ---- the initial file system: programs of this machine with their libraries, the build, the laboratory
I=$W/image
closure() { # program, path in the guest
	local l
	mkdir -p "$I$(dirname "$2")" && cp -L "$1" "$I$2" || return 1
	{ ldd "$1" 2>/dev/null || true; } | grep -oE '/[^ )]+' | while read -r l; do
		[ -e "$I$l" ] || { mkdir -p "$I$(dirname "$l")" && cp -L "$l" "$I$l"; }
	done
}
TOOLS="bash dash ip tc nsenter unshare mount umount mkdir rmdir rm cat ls ln cp mv chmod touch mktemp stat cmp diff od tr
	readlink grep sed awk cut head tail sort uniq wc seq sleep date env id dirname basename true uname kill timeout dmesg modprobe
	ping sysctl ethtool jq nstat ss iperf3 tcpdump"
base_image() { # the same for all kernels
	local p f
	rm -rf "$I"
	mkdir -p "$I"/{bin,proc,sys,dev,tmp,run,etc,root,usr,b,t/bpf,t/kernel} && ln -s ../bin "$I/usr/bin" || return 1
	for p in $TOOLS; do
		f=$(type -P "$p") || { echo "kernel: no $p on this machine" >&2; return 1; }
		closure "$f" "/bin/$p" || return 1
	done
	rm -f "$W"/base.cpio
	mv "$I/bin/dash" "$I/bin/sh" # what system(3) calls: it starts faster
	closure "$B/xtrd" /b/xtrd && closure "$B/xtrctl" /b/xtrctl || return 1
	for f in "$B"/tests/bpf/test_*; do
		case $f in *.o | *.d) continue ;; esac
		[ ! -x "$f" ] || closure "$f" "/t/bpf/$(basename "$f")" || return 1
	done
	echo 'root:x:0:0::/root:/bin/sh' >"$I/etc/passwd"
	[ ! -e /etc/ssl/openssl.cnf ] || { mkdir -p "$I/usr/lib/ssl" "$I/etc/ssl" && cp -L /etc/ssl/openssl.cnf "$I/usr/lib/ssl/"; }
	strip "$I"/b/* "$I"/t/bpf/* 2>/dev/null # less to unpack
	cp -r "$HERE/guest.sh" "$HERE/site.sh" "$HERE/guest.d" "$I/t/kernel/" && cp "$TREE/tests/e2e/lib.sh" "$I/t/kernel/" &&
		cp "$HERE/init" "$I/init" && chmod 755 "$I/init" "$I/t/kernel/guest.sh" &&
		printf 'KERNEL_ALL=%q KERNEL_ONLY=%q LIMIT=%q\n' "${KERNEL_ALL-}" "${KERNEL_ONLY-}" $((KERNEL_SECONDS / 2)) >"$I/t/kernel/env" &&
		(cd "$I" && find . | cpio -o -H newc --quiet >"$W/base.cpio") && rm -rf "$I"
}
MODULES="veth bridge bonding dummy vxlan vrf 8021q sch_ingress cls_bpf act_bpf virtio_pci virtio_net"
modules() { # series: decompressed, with an index of their own; one archive behind the other
	local root=$W/root-$1 d=$W/modules-$1 rel m f b
	rel=$(release_of "$root")
	rm -rf "$d"
	mkdir -p "$d/lib/modules/$rel" || return 1
	for m in $MODULES; do
		modprobe -d "$root" -S "$rel" --show-depends "$m" 2>/dev/null
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r f; do
		b=$d/lib/modules/$rel/$(basename "$f")
		case $f in
		*.xz) xz -dc "$f" >"${b%.xz}" ;;
		*.zst) zstd -qdc "$f" >"${b%.zst}" ;;
		*) cp "$f" "$b" ;;
		esac
	done
	cp "$root/lib/modules/$rel"/modules.{order,builtin,builtin.modinfo} "$d/lib/modules/$rel/" && depmod -b "$d" "$rel" || return 1
	echo "$MODULES" >"$d/lib/modules/wanted"
	(cd "$d" && find . | cpio -o -H newc --quiet) | cat "$W/base.cpio" - >"$W/$1.initrd" && rm -rf "$d"
}

# ---- a guest. Two virtio NICs on a hub, so that frames sent on one arrive at the other.
boot() { # series: its status says nothing, what it printed does
	local nic n=()
	for nic in 0 1; do
		n+=(-netdev "hubport,id=n$nic,hubid=0" -device "virtio-net-pci,netdev=n$nic,mac=02:00:00:00:0f:0$nic,romfile=")
	done
	timeout -k 5 "$KERNEL_SECONDS" qemu-system-x86_64 -M q35 -accel tcg,thread=multi -cpu max -smp "${KERNEL_CPUS:-1}" -m 1536 \
		-nodefaults -no-user-config -display none -no-reboot -serial stdio "${n[@]}" \
		-kernel "$(ls "$W/root-$1"/boot/vmlinuz-*)" -initrd "$W/$1.initrd" \
		-append "console=ttyS0 quiet panic=-1 nokaslr mitigations=off init_on_alloc=0 kfence.sample_interval=0 audit=0 nowatchdog rdinit=/init" </dev/null >"$W/$1.log" 2>&1 &
	local pid=$! end=$((SECONDS + BOOT_SECONDS))
	# one boot in some dozens hangs before it prints a line: that, and only that, is tried again
	until grep -q XTR-GUEST "$W/$1.log" 2>/dev/null; do
		if ! kill -0 $pid 2>/dev/null || [ $SECONDS -ge $end ]; then
			kill $pid 2>/dev/null
			wait $pid
			return 1
		fi
		sleep 1
	done
	wait $pid
	return 0
}
one() { # series
	local up=0 t0=$SECONDS
	: >"$W/$1.lines"
	modules "$1" || { echo "not ok kernel $1 - no initial file system" >"$W/$1.lines"; return; }
	boot "$1" || { echo "kernel: $1 did not boot, once more" >&2 && boot "$1"; } && up=1
	rm -f "$W/$1.initrd"
	tr -d '\r' <"$W/$1.log" | sed -nE "s/^(ok|not ok|skip) (.*)/\1 $1: \2/p" >"$W/$1.lines"
	[ $up = 1 ] || { echo "not ok $1: boots - see $W/$1.log" >>"$W/$1.lines"; return; }
	if tr -d '\r' <"$W/$1.log" | grep -q '^VMTEST-RC=0$'; then
		echo "kernel: $1: $(release_of "$W/root-$1"), $((SECONDS - t0)) s"
	elif ! grep -q '^not ok' "$W/$1.lines"; then
		echo "not ok $1: comes to its end within $KERNEL_SECONDS s - see $W/$1.log" >>"$W/$1.lines"
	fi
}

have=() lacking=()
rm -f "$W/download.log" "$A/etc/apt.conf"
for k; do
	got=
	for s in "$k" $([ "$k" != 6.18 ] || echo 6.19 6.17 6.16); do
		fetch "$s" && got=$s && break
	done
	rm -rf "$W"/root-*.new
	if [ -n "$got" ]; then have+=("$got"); else lacking+=("$k"); fi
done
reason=$(cat "$A/update.log" "$W/download.log" 2>/dev/null | grep -E '^(E|W|Err)' | head -n 1 | sed -E 's,[a-z+]+://[^ ]+,,g')
[ ${#have[@]} = 0 ] || base_image || { echo "not ok kernel matrix - no image of this machine's programs"; exit 1; }
running=0
for k in "${have[@]}"; do
	[ $running -lt "$JOBS" ] || { wait -n; running=$((running - 1)); }
	one "$k" &
	running=$((running + 1))
done
wait
rm -f "$W/base.cpio"
bad=0
for k in "${have[@]}"; do
	cat "$W/$k.lines"
	grep -q '^not ok' "$W/$k.lines" || continue
	bad=1
	echo "  ---- $k: the end of $W/$k.log"
	tail -n 40 "$W/$k.log" | tr -d '\r' | sed 's/^/  | /'
done
[ ${#lacking[@]} = 0 ] || echo "skip kernels ${lacking[*]} - their packages linux-image-SERIES-cloud-amd64 can not be had${reason:+: $reason}"
exit $bad
