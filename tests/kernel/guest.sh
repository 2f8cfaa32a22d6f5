#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What runs inside a guest of the kernel matrix (see run.sh): BPF tests, then every script of guest.d, which are written
# like those of tests/e2e: they find lib.sh beside this file, get the build folder, and print ok / not ok / skip lines.
#
#   guest.sh BUILD
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/env" # KERNEL_ALL, KERNEL_ONLY; LIMIT: seconds for one program
rc=0
at_least() { [ "$(printf '%s\n%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ]; }
since() { echo $((SECONDS - t0)); }

# Criterion programs: which of their tests. All of them take an emulated CPU half an hour; these are one of each kind,
# and those that look at what differs between kernels. Of what lies between the oldest and the newest, the core only.
middle() { at_least 6.2 && ! at_least 6.13; }
chosen() { # program
	case $1 in
	test_verify) echo '*' ;;
	test_encap) echo '*/octet_for_octet*' ;;
	test_decap) echo '*/@(octet_for_octet|without)*' ;;
	*) middle && return ;;&
	test_deliver) echo '*/into_another*' ;;
	test_oddities) echo '*/checksum_over*' ;;
	test_wire) echo "*/@(decapsulated$(at_least 6.2 && echo '|udp_super'))*" ;;
	esac
}
bpf() { # program
	local n filter t0=$SECONDS p f
	n=$(basename "$1")
	filter=$([ -n "$KERNEL_ALL" ] && echo '*' || chosen "$n")
	[ -n "$filter" ] || return 0
	timeout -k 5 "$LIMIT" "$1" -j1 --timeout "$LIMIT" --filter "$filter" --tap=/tmp/tap >/tmp/out 2>&1
	local status=$?
	touch /tmp/tap
	# (what the filter leaves out counts as "test was skipped")
	sed -nE -e '/test was skipped$/d; s/^ok - (.*)  # SKIP (.*)/skip \1 - \2/p; t' -e 's/^(ok|not ok) - /\1 /p' /tmp/tap >/tmp/lines
	cat /tmp/lines
	p=$(grep -c '^ok' /tmp/lines) f=$(grep -c '^not ok' /tmp/lines)
	echo "# $n: $p passed, $f failed, status $status, $(since) s"
	[ $status = 0 ] && [ "$p" -gt 0 ] && return
	rc=1
	[ "$f" -gt 0 ] || echo "not ok $n - $p tests, then status $status"
	sed -n '/^not ok/,/^  \.\.\./p' /tmp/tap | head -n 40 | sed 's/^/  | /'
	tail -n 15 /tmp/out | sed 's/^/  | /'
}
script() { # file
	local n t0=$SECONDS status
	n=$(basename "$1" .sh)
	if [ -z "$KERNEL_ALL$KERNEL_ONLY" ]; then
		case $n in
		31-*) at_least 6.13 || return ;;
		3?-*) middle && return ;;
		esac
	fi
	timeout -k 5 "$LIMIT" bash "$1" /b >/tmp/out 2>&1 </dev/null
	status=$?
	sed -E "s/^(ok|not ok|skip) /\1 $n: /" /tmp/out
	echo "# $n: status $status, $(since) s"
	[ $status = 0 ] && return
	rc=1
	grep -q '^not ok' /tmp/out || echo "not ok $n - ended with status $status"
}

for t in /t/bpf/test_* "$here"/guest.d/*.sh; do
	# shellcheck disable=SC2053
	[[ $(basename "$t" .sh) == ${KERNEL_ONLY:-*} ]] || continue
	case $t in *.sh) script "$t" ;; *) bpf "$t" ;; esac
done
exit $rc
