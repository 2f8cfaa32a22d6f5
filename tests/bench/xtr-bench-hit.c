// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtr-bench-hit PREFIXES ROUNDS ACTIVE...: nanoseconds that a lookup of one of ACTIVE destinations at random takes in a map-cache
 * of PREFIXES entries, by BPF_PROG_TEST_RUN, net of the program around it. The thread's CPU time counts, not the wall.
 * Prints "ACTIVE ROUND NANOSECONDS".
 */
#include "xtr/abi.h"
#include "bench/hit.skel.h" /* after that: it has variables of its types */

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>


static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int fail(const char *what)
{
	fprintf(stderr, "xtr-bench-hit: %s: %s\n", what, strerror(errno));
	return 1;
}

static double run(struct bpf_program *p, int times)
{
	uint8_t in[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = in, .data_size_in = sizeof(in), .repeat = times);
	double from = cpu();

	if (bpf_prog_test_run_opts(bpf_program__fd(p), &t))
		return -1;
	return t.retval == 1 /* XTR_DEST_FOUND */ ? (cpu() - from) / times : -1;
}

static int fill(struct hit_bpf *s, unsigned prefixes)
{
	enum { BATCH = 4096 };
	static struct xtr_lpm4 keys[BATCH];
	static struct xtr_eid values[BATCH];
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t len = 8;

	while (8u + (unsigned)__builtin_ctz(prefixes) > len)
		len++;
	for (uint32_t i = 0; i < XTR_GEN_SLOTS; i++)
		s->data_xtr_gen->xtr_gen[i] = 1;
	s->data_xtr_cfg->xtr_cfg.hz = 250;
	for (unsigned i = 0; i < prefixes;) {
		uint32_t n = 0;

		for (; n < BATCH && i < prefixes; n++, i++) {
			keys[n] = (struct xtr_lpm4){ .prefixlen = 32 + len, .addr = htonl(11u << 24 | i << (32 - len)) };
			values[n] = (struct xtr_eid){ .action = XTR_ACT_ENCAP, .rset = 1 };
		}
		if (bpf_map_update_batch(bpf_map__fd(s->maps.xtr_eid4), keys, values, &n, &opts))
			return fail("prefixes");
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned prefixes = argc > 3 ? (unsigned)atoi(argv[1]) : 0, rounds = argc > 3 ? (unsigned)atoi(argv[2]) : 0;
	struct hit_bpf *s;
	cpu_set_t set;

	if (!rounds || !prefixes || prefixes & (prefixes - 1)) {
		fprintf(stderr, "usage: xtr-bench-hit PREFIXES ROUNDS ACTIVE... (PREFIXES a power of two)\n");
		return 2;
	}
	s = hit_bpf__open_and_load();
	if (!s)
		return fail("load");
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (fill(s, prefixes))
		return 1;
	for (unsigned r = 1; r <= rounds; r++)
		for (int i = 3; i < argc; i++) {
			unsigned active = (unsigned)atoi(argv[i]);
			double empty, lookup;

			s->data->hit_active = active;
			/* the copies are made, as often as their shared hash takes them in */
			if (run(s->progs.hit_lookup, (int)active * 16) < 0)
				return fail("a lookup finds nothing");
			empty = run(s->progs.hit_empty, 2000000);
			lookup = run(s->progs.hit_lookup, 2000000);
			if (empty < 0 || lookup < 0)
				return fail("run");
			printf("%u %u %.2f\n", active, r, lookup - empty);
			fflush(stdout);
		}
	hit_bpf__destroy(s);
	return 0;
}
