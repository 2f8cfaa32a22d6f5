#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What can be said of the tree without running it: the layers of the README (by the #include lines), the ABI between
# kernel and user space against its golden file, licence lines, words that must not be committed, shell and Python
# syntax, what make bench makes of figures. Each check of a rule is first shown a planted violation, so that a check that finds nothing anywhere is
# itself a failure. Lines "ok NAME", "not ok NAME - why"; status 1 when any failed.
#
#   tests/check/run.sh               all checks
#   tests/check/run.sh --update-abi  writes tests/check/abi.golden anew (see what it says)
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
here=tests/check
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

verdict() { # name, file with findings (empty: good)
	if [ -s "$2" ]; then
		echo "not ok $1 - $(wc -l <"$2") finding(s), first: $(head -n 1 "$2")"
		sed 's/^/  /' "$2"
		failed=1
	else
		echo "ok $1"
	fi
}
# A check must find something in the planted tree.
must_find() { # name, findings
	[ -s "$2" ] && echo "ok $1 notices a violation" && return
	echo "not ok $1 notices a violation - a planted one went unseen"
	failed=1
}

# Files of the tree: what git knows, and what is new and not ignored. Deleted ones are gone. Without git (an unpacked
# archive) everything but build/. The tree may belong to another user (sudo, a container), which git minds otherwise.
{
	git -c safe.directory="$PWD" ls-files --cached --others --exclude-standard 2>/dev/null ||
		find . -path ./build -prune -o -type f -print | sed 's,^\./,,'
} | while read -r f; do
	[ -f "$f" ] && printf '%s\n' "$f"
done >"$tmp/tree"
tree() { # pattern...: "*.c" matches in any folder
	local p
	if [ $# = 0 ]; then
		cat "$tmp/tree"
	else
		while read -r f; do
			for p; do
				# shellcheck disable=SC2053
				[[ $f == $p ]] && printf '%s\n' "$f" && break
			done
		done <"$tmp/tree"
	fi
}
[ "$(tree '*.c' | wc -l)" -gt 50 ] && [ "$(tree '*.sh' | wc -l)" -gt 10 ] >"$tmp/few" || echo "the list of files is too short" >"$tmp/few"

# ---- abi
if [ "${1-}" = --update-abi ]; then
	$here/abi.sh >"$tmp/abi" || exit 1
	if [ -f $here/abi.golden ] && diff -q $here/abi.golden "$tmp/abi" >/dev/null; then
		echo "abi.golden is up to date"
		exit 0
	fi
	cp "$tmp/abi" $here/abi.golden
	echo "abi.golden written. Unless only enums or structures were added at their end, raise XTR_ABI_VERSION too:"
	echo "programs of the old layout may still be pinned on somebody's machine."
	exit 0
fi

verdict "tree: its files are known" "$tmp/few"

# ---- layers
python3 $here/layers.py . >"$tmp/layers"
verdict "layers: the include graph is the one of the README" "$tmp/layers"
mkdir -p "$tmp/p/user/codec" "$tmp/p/user/core" "$tmp/p/user/cli" "$tmp/p/bpf" "$tmp/p/headers/xtr"
printf '#include "core/config.h"\n' >"$tmp/p/user/codec/up.c"
printf '#include <sys/socket.h>\nint f(void) { return (int)time(0); }\n' >"$tmp/p/user/core/io.c"
printf '#include "roles/node.h"\n' >"$tmp/p/user/cli/deep.c"
printf '#include "util/err.h"\n' >"$tmp/p/headers/xtr/abi.h"
printf 'void *f(void) { return malloc(1); }\n' >"$tmp/p/user/codec/heap.c"
python3 $here/layers.py "$tmp/p" >"$tmp/found"
for want in codec/up.c core/io.c:1 core/io.c:2 cli/deep.c headers/xtr/abi.h codec/heap.c; do
	grep -q "$want" "$tmp/found" || : >"$tmp/found"
done
must_find "layers" "$tmp/found"

# ---- ABI
if $here/abi.sh >"$tmp/abi" 2>"$tmp/abi.err"; then
	diff $here/abi.golden "$tmp/abi" >"$tmp/diff" 2>&1
	verdict "abi: layouts, offsets and numbers are those of abi.golden" "$tmp/diff"
	sed 's/ offset [0-9]*$/ offset 4095/' "$tmp/abi" | diff $here/abi.golden - >"$tmp/diff" 2>&1
	must_find "abi" "$tmp/diff"
	$here/abi.sh --gcc >"$tmp/gcc" 2>&1
	verdict "abi: gcc lays out what clang lays out for BPF" "$tmp/gcc"
else
	verdict "abi: layouts can be read" "$tmp/abi.err"
fi

# ---- names that the kernel cuts off at 15 characters
grep -hoE '^#define XTR_MAP_[A-Z0-9]+ +"[^"]+"' headers/xtr/abi.h | grep -oE '"[^"]+"' | tr -d '"' |
	awk 'length > 15 {print $0 ": longer than the 15 characters the kernel keeps"}' >"$tmp/names"
verdict "names: maps fit the kernel's 15 characters" "$tmp/names"

# ---- licence lines
spdx='GPL-2.0-only OR BSD-2-''Clause'
licence() { # files...
	for f in "$@"; do
		case $f in
		*.c | *.h | *.sh | *.py | *.service | *.yaml | *.yml | Makefile | .ci/run)
			head -n 3 "$f" | grep -q "SPDX-License-Identifier: $spdx" || echo "$f: no SPDX line" ;;
		esac
	done
}
mapfile -t files < <(tree | grep -vE '^tests/(unit|bpf|fuzz|interop)/.*\.(yaml|yml)$')
licence "${files[@]}" >"$tmp/spdx"
verdict "spdx: every source names its licence" "$tmp/spdx"
printf 'int x;\n' >"$tmp/p/no.c"
licence "$tmp/p/no.c" >"$tmp/found"
must_find "spdx" "$tmp/found"

# ---- every source opens with what it is for
untold() { # files...
	for f in "$@"; do
		sed -n 2p "$f" | grep -q '^/\*' || echo "$f: the licence line is not followed by a comment that says what the file is for"
	done
}
mapfile -t files < <(tree '*.c' '*.h' | grep -v '^vmlinux/')
untold "${files[@]}" >"$tmp/untold"
verdict "heads: every source says what it is for" "$tmp/untold"
untold "$tmp/p/no.c" >"$tmp/found"
must_find "heads" "$tmp/found"

# ---- words
# The patterns are put together so that this file does not match itself.
words=("TO""DO" "FIX""ME" "X""XX[^X]" "not ""implemented" "/wo""rk/" "/fa""rm/" "sha""red/(design|style|platform|bench|protocol|vectors|prototypes)")
unfit() { # files...
	for w in "${words[@]}"; do
		grep -nIE -- "(^|[^A-Za-z])$w" "$@" /dev/null 2>/dev/null
	done
}
mapfile -t files < <(tree | grep -vE '^(LICENSE|vmlinux/|tests/[a-z]+/(corpus|vectors|data)/)')
unfit "${files[@]}" >"$tmp/words"
verdict "words: nothing unfinished, no path of one machine" "$tmp/words"
printf '/* TO''DO later */\n' >"$tmp/p/later.c"
unfit "$tmp/p/later.c" >"$tmp/found"
must_find "words" "$tmp/found"

# ---- size of files; a longer one needs its reason here
long_ones='^vmlinux/'
tree '*.c' '*.h' | grep -vE "$long_ones" | while read -r f; do
	n=$(wc -l <"$f")
	[ "$n" -le 800 ] || echo "$f: $n lines; split it by purpose"
done >"$tmp/long"
verdict "size: no source file past 800 lines" "$tmp/long"

# ---- every script parses; runnable ones are executable
tree '*.sh' '.ci/run' | while read -r f; do
	bash -n "$f" 2>&1
	head -n 1 "$f" | grep -q '^#!' && [ ! -x "$f" ] && echo "$f: has #! but is not executable"
done >"$tmp/sh"
verdict "shell: every script parses and can be run" "$tmp/sh"
tree '*.py' | while read -r f; do
	python3 -c 'import ast,sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$f" 2>&1 | tail -n 1
done >"$tmp/py"
verdict "python: every script parses" "$tmp/py"

# ---- what make deps installs and what the README says is needed are one list
if [ -f README.md ]; then
	deploy/deps.sh --list | while read -r p; do
		grep -q "\`$p\`" README.md || echo "$p: installed by deploy/deps.sh, not explained in README.md"
	done >"$tmp/deps"
	verdict "deps: the README explains every package" "$tmp/deps"
fi

# ---- every make target is explained
grep -oE '^\.PHONY:.*' Makefile | tr ' ' '\n' | grep -vE '^\.PHONY|-bin$|^FORCE$|^$' | while read -r t; do
	grep -qE "^$t:.*## " Makefile || echo "Makefile: target $t has no '## explanation'"
done >"$tmp/help"
verdict "help: every make target is explained" "$tmp/help"

# ---- what make bench writes
python3 $here/bench.py >"$tmp/bench" 2>&1
verdict "bench: rows, medians and verdicts are made of figures as they should" "$tmp/bench"

exit $failed
