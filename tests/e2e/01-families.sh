#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Every address family pair (4in4, 6in4, 4in6, 6in6), in every attach mode, on every way into the tunnel router:
#
#   x1 itself ---- xtr0 +----+    underlay     +----+ xtr0 ---- x2 itself
#   h1 --- l0 --- xtr0  | x1 | u0 ==LISP== u0  | x2 |  xtr0 --- l0 --- h2      routed into xtr0 by the host
#   p1 --------- e0     +----+  (core, ms, mr) +----+     e0 --------- p2      attached port (role eid)
#
# Each pair: ICMP with the first packet, TCP with its content compared, sequenced UDP. The counters must say which hook did the work.
. "$(dirname "$0")/lib.sh"

# A kernel before 6.6 has no tcx. This one has, so it is made to say what an older one says: EINVAL.
cat >"$R/old.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
long syscall(long n, ...)
{
	static long (*real)(long, ...);
	va_list ap;
	long a[6];

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_bpf) {
		const union bpf_attr *attr = (const void *)a[1];
		unsigned type = a[0] == BPF_LINK_CREATE ? attr->link_create.attach_type :
				a[0] == BPF_PROG_QUERY ? attr->query.attach_type : 0;

		if (type == 46 || type == 47) { /* BPF_TCX_INGRESS, BPF_TCX_EGRESS */
			errno = EINVAL;
			return -1;
		}
	}
	if (!real)
		real = dlsym(RTLD_NEXT, "syscall");
	return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
C
modes=${MODES:-tc tc-clsact xdp xdp-generic}
if [ "${XTR_ASAN-0}" = 1 ]; then
	modes="tc xdp" # a preloaded library and the sanitizer's do not mix
else
	gcc -O2 -shared -fPIC -o "$R/old.so" "$R/old.c" -ldl || fail "setup" "gcc"
fi

pair() { # what, from, to, to-address
	local s
	has "$1: ping, first packet included, none lost" "$(ping4 "$2" -c 20 -i 0.01 "$4")" ' 0% packet loss'
	check "$1: TCP, content compared" tcp "$2" "$3" "$4" 1000000
	s=$(stream "$2" "$3" "$4" 50 1)
	check "$1: 50 UDP datagrams" intact "$s"
}

lab
for m in $modes; do
	export MODE=${m%-clsact}
	for o in 4 6; do
		OUTER=$o
		[ "$m" = tc-clsact ] && export LD_PRELOAD=$R/old.so
		up || continue
		unset LD_PRELOAD
		for e in 4 6; do
			if [ $e = 4 ]; then d=(10.2.0.1 10.2.0.10 10.2.0.130); else d=(fd02::1 fd02::a:10 fd02::b:10); fi
			pair "$m ${e}in$o host" x1 x2 "${d[0]}"
			pair "$m ${e}in$o routed" h1 h2 "${d[1]}"
			pair "$m ${e}in$o port" p1 p2 "${d[2]}"
			if [ $e = 4 ]; then b=10.1.0.130; else b=fd01::b:10; fi
			pair "$m ${e}in$o port to port, other way" p2 p1 "$b"
		done
		iface=$(xcj x1 iface show)
		is "$m outer $o: mode in effect" \
			"$(jq -r '[.[] | select(.name == "u0" or .name == "e0") | .mode] | unique | join(" ")' <<<"$iface")" "$MODE"
		is "$m outer $o: TC attached by" \
			"$(jq -r '[.[] | select(.name == "u0") | .tc_kind] | join(" ")' <<<"$iface")" \
			"$([ "$m" = tc-clsact ] && echo clsact || echo tcx)"
		for n in x1 x2; do
			holds "$m outer $o: $n encapsulated and decapsulated" "$(stat $n encap) > 100 && $(stat $n decap) > 100"
			if [ "$MODE" = tc ]; then
				is "$m outer $o: $n without XDP" "$(stat $n encap-xdp) $(stat $n decap-xdp)" "0 0"
			else
				holds "$m outer $o: $n by XDP" "$(stat $n encap-xdp) >= 20 && $(stat $n decap-xdp) > 100"
			fi
			is "$m outer $o: $n dropped nothing" \
				"$(drops_of $n)" "{}"
		done
		for n in h1 h2 p1 p2 x1 x2; do is "$m outer $o: no checksum error at $n" "$(csum_errors $n)" 0; done
		down
	done
done
finish
