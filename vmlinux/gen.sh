#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Regenerates vmlinux.h from the BTF of the running kernel: the few types the programs use, instead of
# the 2.8 MB that a full dump has. Run it on the newest kernel at hand (newer flags are in its enums; the
# programs use them only behind a feature switch). All of them are UAPI or wire formats, so their layout is
# the same on every kernel and nothing here needs relocation; a kernel-internal struct added to the list must
# get __attribute__((preserve_access_index)), and may be cut down to the fields that are read.
#
#   vmlinux/gen.sh [BTF] > vmlinux/vmlinux.h
set -eu
btf=${1:-/sys/kernel/btf/vmlinux}
dump=$(mktemp)
trap 'rm -f "$dump"' EXIT
bpftool btf dump file "$btf" format c >"$dump"

# One definition, from its opening line to the closing brace in the first column.
named() { awk -v open="$1 {" '$0 == open { p = 1 } p { print } p && /^}/ { exit }' "$dump"; echo; }
# The anonymous enum that has this member.
anonymous() {
	awk -v want="$1" '/^enum {$/ { text = ""; p = 1; hit = 0 }
		p { text = text $0 "\n"; if ($1 == want) hit = 1 }
		p && /^}/ { p = 0; if (hit) { print text; exit } }' "$dump"
}

cat <<'H'
/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Kernel types for the BPF programs, from BTF by vmlinux/gen.sh: do not edit. Little-endian bit order. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u16 __sum16;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

H
for t in 'enum bpf_map_type' 'enum xdp_action' 'enum bpf_adj_room_mode' 'enum bpf_hdr_start_off'; do named "$t"; done
for m in BPF_F_NO_PREALLOC BPF_F_INGRESS BPF_F_ADJ_ROOM_FIXED_GSO BPF_FIB_LOOKUP_DIRECT BPF_FIB_LKUP_RET_SUCCESS BPF_CSUM_LEVEL_QUERY; do anonymous $m; done
echo 'struct bpf_flow_keys;'
echo 'struct bpf_sock;'
echo
for t in __sk_buff xdp_md ethhdr in6_addr iphdr ipv6hdr udphdr bpf_fib_lookup bpf_redir_neigh; do named "struct $t"; done
echo '#endif'
