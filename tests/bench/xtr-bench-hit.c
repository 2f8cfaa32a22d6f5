// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtr-bench-hit ACTIVE [PREFIXES]: nanoseconds that a lookup of one of ACTIVE destinations at random takes in a map-cache of
 * PREFIXES (1M) entries, by BPF_PROG_TEST_RUN, net of the program around it. The thread's CPU time counts, not the wall.
 */
#include "bench/hit.skel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "xtr/abi.h"

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
	struct xtr_cfg cfg = { .hz = 250 };
	uint32_t len = 8, one = 1;

	while (8u + (unsigned)__builtin_ctz(prefixes) > len)
		len++;
	for (uint32_t i = 0; i < XTR_GEN_SLOTS; i++)
		if (bpf_map_update_elem(bpf_map__fd(s->maps.xtr_gen), &i, &one, 0))
			return fail("generations");
	one = 0;
	if (bpf_map_update_elem(bpf_map__fd(s->maps.xtr_cfg), &one, &cfg, 0))
		return fail("configuration");
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
	unsigned prefixes = argc > 2 ? (unsigned)atoi(argv[2]) : 1 << 20;
	struct hit_bpf *s = hit_bpf__open();
	double empty, lookup;
	cpu_set_t set;

	if (argc < 2 || !s || prefixes & (prefixes - 1))
		return fail("usage: xtr-bench-hit ACTIVE [PREFIXES, a power of two]");
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	s->rodata->hit_active = (uint32_t)atoi(argv[1]);
	if (hit_bpf__load(s))
		return fail("load");
	if (fill(s, prefixes))
		return 1;
	/* the copies are made, as often as their shared hash takes them in */
	if (run(s->progs.hit_lookup, (int)s->rodata->hit_active * 64) < 0)
		return fail("a lookup finds nothing");
	empty = run(s->progs.hit_empty, 4000000);
	lookup = run(s->progs.hit_lookup, 4000000);
	if (empty < 0 || lookup < 0)
		return fail("run");
	printf("{\"empty_ns\": %.2f, \"lookup_ns\": %.2f, \"net_ns\": %.2f}\n", empty, lookup, lookup - empty);
	hit_bpf__destroy(s);
	return 0;
}
