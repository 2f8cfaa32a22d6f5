#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What is known to bring LISP daemons down, and noise, against one of ours with all roles and the data plane on. It has
# to count every message, keep its memory, go on serving, and end cleanly. With the sanitizer build if there is one.
#
#   f 172.16.0.11 ... ==== core ==== n 172.16.0.1: ITR, ETR, Map-Server, Map-Resolver, EIDs 20.1.0.0/24 fd01::/64
. "$(dirname "$0")/lab.sh"

if [ "${XTR_ASAN:-0}" = 1 ]; then # BUILD is one, and who started us looks at its reports
	ASAN_OPTIONS+=:quarantine_size_mb=4:thread_local_quarantine_size_kb=64
elif [ -x "$BUILD/asan/xtrd" ]; then
	BUILD=$BUILD/asan
	export ASAN_OPTIONS="log_path=$R/san:detect_leaks=1:exitcode=99:quarantine_size_mb=4:thread_local_quarantine_size_kb=64"
	export UBSAN_OPTIONS="log_path=$R/san:print_stacktrace=1:halt_on_error=1:exitcode=99" LSAN_OPTIONS=report_objects=0
else
	skip "sanitizers watch the storm" "no $BUILD/asan/xtrd (make asan builds it)"
fi
interop_lab n
{
	yaml_paths n
	cat <<-Y
	rlocs:
	  - address: 172.16.0.1
	  - address: "2001:db8::1"
	interfaces:
	  - name: u0
	    role: underlay
	    mode: ${MODE:-auto}
	overlay:
	  - device: xtr0
	    addresses: ["20.1.0.1/32", "fd01::1/128"]
	    routes: ["20.0.0.0/8", "fd00::/8"]
	etr:
	  database:
	    - eid: 20.1.0.0/24
	    - eid: "fd01::/64"
	  map-servers:
	    - address: 172.16.0.13
	      key-file: $(key n "secret of n")
	itr:
	  map-resolvers: [172.16.0.14]
	map-resolver: {}
	map-server:
	  sites:
	Y
	site foreign off <<-S
		key 0 hmac-sha-1-96 odl secret
		key 1 hmac-sha-256-128 oor secret
		eid 20.9.0.0/16
		eid fd09::/48
	S
	cat <<-Y
	timers:
	  reply-interval: 0
	  request-interval: 0
	limits:
	  replies-per-rloc: 1000000
	Y
} | conf n
start n || finish
play storm.py "${PID[n]}"
stop n && ok "xtrd ends cleanly after the storm"
reports=$(cat "$R"/san.* 2>/dev/null | grep -E 'ERROR|runtime error|SUMMARY' | head -n 5)
is "no sanitizer report" "$reports" ""
[ -z "$reports" ] || cat "$R"/san.*
finish
