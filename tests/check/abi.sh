#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Prints the layout of everything headers/xtr/abi.h shares between kernel and user space, as the BPF compiler lays it
# out: structures with sizes and member offsets in octets, enums with their numbers. Read from BTF, so no parser of C
# of our own can be wrong about it.
#
#   tests/check/abi.sh        the dump (compared with abi.golden)
#   tests/check/abi.sh --gcc  has gcc assert the same offsets for user space; prints what differs
set -euo pipefail
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bpftool=bpftool
for b in /usr/sbin/bpftool /usr/bin/bpftool; do [ -x $b ] && bpftool=$b && break; done
inc=(-Iheaders "-I/usr/include/$(gcc -print-multiarch)")

# One variable of each type, or the compiler leaves it out of BTF.
{
	echo '#include "xtr/abi.h"'
	grep -hoE '^struct xtr_[a-z0-9_]+ \{' headers/xtr/*.h | awk '{print "struct " $2 " v_" $2 ";"}'
	grep -hoE '^enum xtr_[a-z0-9_]+ \{' headers/xtr/*.h | awk '{print "enum " $2 " e_" $2 ";"}'
	# anonymous enums: flags of the structures
	grep -hoE '^	XTR_[A-Z0-9]+_F_[A-Z0-9_]+' headers/xtr/abi.h | awk '{print "char f_" $1 "[" $1 "];"}'
} >"$tmp/all.c"
clang -O2 -g -target bpf "${inc[@]}" -c "$tmp/all.c" -o "$tmp/all.o"
version=$(sed -nE 's/^#define XTR_ABI_VERSION +([0-9]+).*/\1/p' headers/xtr/abi.h)

echo "abi version $version" >"$tmp/dump"
$bpftool -j btf dump file "$tmp/all.o" | jq -r '
	.types as $t | $t[]
	| if .kind == "STRUCT" and (.name | startswith("xtr_")) then
		"struct \(.name) size \(.size)", (.name as $s | .members[] | "struct \($s).\(.name) offset \(.bits_offset / 8)")
	  elif .kind == "ENUM" and (.name | startswith("xtr_")) then
		(.name as $s | .values[] | select(.name | endswith("_MAX") | not) | "enum \($s) \(.name) = \(.val)")
	  elif .kind == "VAR" and (.name | startswith("f_")) then
		(.type_id as $i | "flag \(.name[2:]) = \($t[] | select(.id == $i) | .nr_elems)")
	  else empty end' | sort -V >>"$tmp/dump"

if [ "${1-}" != --gcc ]; then
	cat "$tmp/dump"
	exit 0
fi
{
	echo '#include <stddef.h>'
	echo '#include "xtr/abi.h"'
	sed -nE -e 's/^struct (\w+) size ([0-9]+)$/_Static_assert(sizeof(struct \1) == \2, "size of \1");/p' \
		-e 's/^struct (\w+)\.(\w+) offset ([0-9]+)$/_Static_assert(offsetof(struct \1, \2) == \3, "offset of \1.\2");/p' \
		"$tmp/dump"
} >"$tmp/assert.c"
[ "$(grep -c Static_assert "$tmp/assert.c")" -gt 50 ] || echo "too few assertions: the dump is broken"
gcc -std=gnu11 -Iheaders -fsyntax-only "$tmp/assert.c" 2>&1 | grep -E 'error' || true
