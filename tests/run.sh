#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Runs test suites and adds them up. The last line is always "N passed, N failed, N skipped"; the exit status is 0 only
# if nothing failed and something passed. What was run and its whole output stays in DIR/test-logs.
#
#   tests/run.sh --build DIR [--asan] SUITE...
#
#   check   layers, ABI, style of the tree          tests/check/run.sh, and cli.sh, docs.py: what is written for users
#   unit    Criterion programs DIR/tests/unit/test_*
#   bpf     Criterion programs DIR/tests/bpf/test_* (root)
#   fuzz    every fuzz target for a moment          tests/fuzz/run.sh
#   sim     hundreds of routers in virtual time     DIR/sim/xtr-sim --quick
#   e2e     tests/e2e/[0-9]*.sh, real daemons in network namespaces (root)
#   interop tests/interop/[0-9]*.sh, real daemons and a foreign peer in network namespaces (root)
#   kernel  other kernels in QEMU                   tests/kernel/run.sh
#   asan    unit tests, and the e2e tests that stress the daemon's memory most, with the sanitizer build in DIR/asan
#
# --asan  DIR itself is a sanitizer build: any sanitizer report, leaks included, is a failure.
# ONLY=PATTERN  run only the programs whose name matches the pattern. FUZZ_TOTAL=20  seconds for the fuzz suite.
# JOBS=3        programs and scripts at a time; by default one more than there are CPUs, as they wait, too.
#
# The kernel suite only computes: when others are to run before it, it begins with them and takes what CPU time they leave.
# ASAN_MAKE=COMMAND  builds DIR/asan in the same way, for the suite asan to find it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

build=build asan=0 suites=()
while [ $# -gt 0 ]; do
	case $1 in
	--build) build=${2:?--build needs a folder}; shift ;;
	--asan) asan=1 ;;
	-*) sed -n '3,28s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	*) suites+=("$1") ;;
	esac
	shift
done
[ ${#suites[@]} -gt 0 ] || suites=(check unit bpf fuzz sim e2e interop)

passed=0 failed=0 skipped=0
skips=() fails=()
JOBS=${JOBS:-$(($(nproc) + 1))}
mkdir -p "$build/test-logs" || exit 1
logs=$(cd "$build/test-logs" && pwd)
started=$(date +%s)
# What the sanitizer e2e runs cover: every packet path and every life-cycle event of the daemon, pull and push; not
# every combination.
asan_e2e='@(0[1-3]|24|26)-*'

# LeakSanitizer inside a Criterion test does not fail it, and nobody sees the exit status of a daemon that is killed:
# so reports go to files, and a file is a failure.
san_env() { # log prefix
	export ASAN_OPTIONS="log_path=$1:detect_leaks=1:exitcode=99:abort_on_error=0:disable_coredump=1"
	export UBSAN_OPTIONS="log_path=$1:print_stacktrace=1:halt_on_error=1:exitcode=99"
	export LSAN_OPTIONS="report_objects=0"
}

note() { # state, suite/name, text
	printf '  %-6s %-28s %s\n' "$1" "$2" "$3"
}

# Adds up one program: lines "ok ..." / "not ok ..." / "skip ..." of FILE and its exit status.
tally() { # suite/name, file with the lines, log, exit status, seconds
	local p f s state=ok
	p=$(grep -c '^ok ' "$2")
	f=$(grep -c '^not ok ' "$2")
	s=$(grep -c '^skip ' "$2")
	if [ "$4" != 0 ] && [ "$f" = 0 ]; then
		echo "not ok $1 - ended with status $4$( [ "$4" = 124 ] || [ "$4" = 137 ] && echo ' (timed out)')" >>"$2"
		f=1
	elif [ $((p + f + s)) = 0 ]; then
		echo "not ok $1 - ran no test" >>"$2"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ "$f" = 0 ] || state=FAILED
	note "$state" "$1" "$p passed$( [ "$f" = 0 ] || echo ", $f failed")$( [ "$s" = 0 ] || echo ", $s skipped") ($5 s)"
	while read -r line; do skips+=("$1: ${line#skip }"); done < <(grep '^skip ' "$2")
	if [ "$f" != 0 ]; then
		while read -r line; do fails+=("$1: ${line#not ok }"); done < <(grep '^not ok ' "$2")
		grep '^not ok ' "$2" | head -n 20 | sed 's/^/         /'
		if [ "$3" != "$2" ]; then
			echo "         ---- the end of $3"
			tail -n 40 "$3" | sed 's/^/         /'
		fi
	fi
}

sanitizer_reports() { # prefix, suite/name, lines file
	local r
	for r in "$1".*; do
		[ -e "$r" ] || continue
		echo "not ok $2 sanitizer - $(grep -m1 -E 'ERROR|runtime error|SUMMARY' "$r" || echo report), see $r" >>"$3"
		sed 's/^/         /' "$r" | head -n 40
	done
}

skip_suite() { # suite, why
	skipped=$((skipped + 1))
	skips+=("$1: $2")
	note skip "$1" "$2"
}

# ---- the pool: programs and scripts side by side, JOBS at a time. Each has its output in files of its own, and its status
# and seconds come last, in LOG.rc. Criterion runs one test of a program at a time: the programs are side by side.
pending=() # "kind suite/name"
pool() { # kind (criterion or script), suite/name, sanitizer run?, time limit, command...
	rm -f "$logs/${2//\//-}".*
	while [ ${#pending[@]} -ge "$JOBS" ]; do
		wait -n
		harvest
	done
	"$1_run" "$logs/${2//\//-}" "${@:3}" &
	pending+=("$1 $2")
}
harvest() { # adds up what has ended
	local what name rest=()
	for what in "${pending[@]}"; do
		name=${what#* }
		if [ -e "$logs/${name//\//-}.rc" ]; then "${what% *}_tally" "$name"; else rest+=("$what"); fi
	done
	pending=("${rest[@]}")
}
pool_end() {
	while [ ${#pending[@]} -gt 0 ]; do
		wait -n
		harvest
	done
}
timed() { # log, sanitizer run?, time limit, command... (output in the log)
	local log=$1 limit=$3 t0 rc
	[ "$2" = 0 ] || san_env "$log.san"
	t0=$(date +%s)
	XTR_ASAN=$2 timeout -k 10 "$limit" "${@:4}" >"$log.log" 2>&1 </dev/null
	rc=$?
	echo "$rc $(($(date +%s) - t0))" >"$log.rc.new"
	mv "$log.rc.new" "$log.rc"
}

# A leak inside a forked test must not change how Criterion sees it: the report file decides.
criterion_run() { timed "$1" "$2" "$3" "$4" -j1 --tap="$1.tap"; }
criterion_tally() { # suite/name
	local log=$logs/${1//\//-} rc secs
	read -r rc secs <"$log.rc"
	touch "$log.tap"
	sed -nE -e 's/^ok - (.*)  # SKIP (.*)/skip \1 - \2/p; t' -e 's/^(ok|not ok) - /\1 /p' "$log.tap" >"$log.lines"
	sanitizer_reports "$log.san" "$1" "$log.lines"
	# What a failed assertion said stands in the TAP file, beside the test it belongs to.
	grep -q '^not ok' "$log.lines" && sed -n '/^not ok/,/^  \.\.\./p' "$log.tap" >>"$log.log"
	tally "$1" "$log.lines" "$log.log" "$rc" "$secs"
}
script_run() { timed "$@"; }
script_tally() { # suite/name
	local log=$logs/${1//\//-} rc secs
	read -r rc secs <"$log.rc"
	grep -E '^(ok|not ok|skip) ' "$log.log" >"$log.lines"
	sanitizer_reports "$log.san" "$1" "$log.lines"
	tally "$1" "$log.lines" "$log.log" "$rc" "$secs"
}

# What takes longest starts first, so that nobody waits for it alone at the end.
longest=(test_dp_life test_dp_live test_dp_tenant test_dp_mcast test_cli_decent test_roles_ms_group
	01- 43- 42- 16- 10- 13- 03- 46- 48- 22- 49- 20- 33-)
in_order() { # files...
	local p f
	for p in "${longest[@]}" ''; do
		for f; do [[ ${f##*/} == "$p"* ]] && echo "$f"; done
	done | awk '!seen[$0]++'
}

criterion() { # suite, folder of the programs, sanitizer build?
	local bin name n=0
	for bin in $(in_order "$2"/test_*); do
		[ -x "$bin" ] && [ ! -d "$bin" ] || continue
		case $bin in *.o | *.d) continue ;; esac
		name=$(basename "$bin")
		# shellcheck disable=SC2053
		[[ $name == ${ONLY:-*} ]] || continue
		n=$((n + 1))
		pool criterion "$1/$name" "$3" 900 "$bin"
	done
	if [ $n = 0 ] && [ -z "${ONLY-}" ]; then
		echo "not ok $1 - no test program in $2 (make unit-bin bpf-bin builds them)" >"$logs/$1.lines"
		tally "$1" "$logs/$1.lines" "$logs/$1.lines" 0 0
	fi
}

# Each script has mount, process and network namespaces of its own, so several can run at once.
e2e() { # suite, build folder, pattern, sanitizer build?, [folder of the scripts]
	local t name n=0
	if [ "$(id -u)" != 0 ]; then
		skip_suite "$1" "network namespaces and BPF need root: sudo make test"
		return
	fi
	for t in $(in_order "${5:-tests/e2e}"/[0-9]*.sh); do
		name=$(basename "$t" .sh)
		# shellcheck disable=SC2053
		[[ $name == $3 && $name == ${ONLY:-*} ]] || continue
		n=$((n + 1))
		pool script "$1/$name" "$4" 600 "$t" "$2"
	done
	[ $n -gt 0 ] || [ -n "${ONLY-}" ] || { failed=$((failed + 1)); fails+=("$1: no script found"); }
}

fuzz_run() { timed "$1" 0 600 tests/fuzz/run.sh "$build" --total "${FUZZ_TOTAL:-20}"; }
fuzz_tally() {
	local log=$logs/fuzz rc secs
	read -r rc secs <"$log.rc"
	: >"$log.lines"
	if [[ $(tail -n 1 "$log.log") =~ ^fuzz:\ ([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
		for ((i = 0; i < BASH_REMATCH[1]; i++)); do echo "ok fuzz target" >>"$log.lines"; done
		for ((i = 0; i < BASH_REMATCH[2]; i++)); do echo "not ok fuzz target - see $log.log" >>"$log.lines"; done
	fi
	tally fuzz "$log.lines" "$log.log" "$rc" "$secs"
}

# What only computes goes on beside the rest, which also waits: in what that leaves of the CPUs.
idle=(nice -n 19)
! chrt --idle 0 true 2>/dev/null || idle+=(chrt --idle 0)
beside=" ${ONLY-} ${suites[*]} "
if [ -n "${ASAN_MAKE-}" ] && [[ $beside == *" asan "* ]]; then
	rm -f "$logs/asan-build".*
	timed "$logs/asan-build" 0 3000 "${idle[@]}" sh -c "$ASAN_MAKE" &
fi
case $beside in
"  "*" kernel "*)
	rm -f "$logs/kernel".*
	# the core of it on the oldest kernel: the rest is for make kernel-test
	KERNELS=${KERNELS:-6.1} KERNEL_ONLY='@(test_verify|test_decap|10-*)' KERNEL_SECONDS=1500 \
		timed "$logs/kernel" 0 3000 "${idle[@]}" tests/kernel/run.sh "$build" &
	pending_kernel=1 ;;
*) pending_kernel=0 ;;
esac
# Waits for what goes on beside.
ended() { until [ -e "$logs/$1.rc" ]; do sleep 0.5; done; }

for suite in "${suites[@]}"; do
	case $suite in
	check)
		pool script check 0 240 tests/check/run.sh
		pool script check/cli 0 240 tests/check/cli.sh "$build"
		pool script check/docs 0 240 tests/check/docs.py "$build" ;;
	unit) criterion unit "$build/tests/unit" "$asan" ;;
	bpf)
		if [ "$(id -u)" = 0 ]; then
			criterion bpf "$build/tests/bpf" "$asan"
		else
			skip_suite bpf "loading BPF programs needs root: sudo make test"
		fi ;;
	fuzz) pool fuzz fuzz ;;
	sim) pool script sim 0 480 "$build/sim/xtr-sim" --quick --json "$build/sim/quick.json" ;;
	e2e) e2e e2e "$build" '*' "$asan" ;;
	interop) e2e interop "$build" '*' "$asan" tests/interop ;;
	kernel)
		# shellcheck disable=SC2053
		[[ kernel == ${ONLY:-*} ]] || continue
		pool_end
		if [ $pending_kernel = 1 ]; then
			ended kernel
			script_tally kernel
		else
			pool script kernel 0 3000 tests/kernel/run.sh "$build"
		fi ;;
	asan)
		if [ -n "${ASAN_MAKE-}" ]; then
			ended asan-build
			read -r rc secs <"$logs/asan-build.rc"
			if [ "$rc" != 0 ]; then
				echo "not ok asan - the sanitizer build failed" >"$logs/asan.lines"
				tally asan "$logs/asan.lines" "$logs/asan-build.log" 0 "$secs"
				continue
			fi
		fi
		criterion asan-unit "$build/asan/tests/unit" 1
		e2e asan-e2e "$build/asan" "$asan_e2e" 1 ;;
	*) echo "tests/run.sh: no suite named $suite (check unit bpf fuzz sim e2e interop kernel asan)" >&2; exit 2 ;;
	esac
done
pool_end

if [ ${#skips[@]} -gt 0 ]; then
	echo "skipped:"
	printf '  %s\n' "${skips[@]}"
fi
if [ ${#fails[@]} -gt 0 ]; then
	echo "failed:"
	printf '  %s\n' "${fails[@]}"
fi
echo "$(($(date +%s) - started)) s; output of every test in $logs"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
