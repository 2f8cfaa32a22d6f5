/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verifier's work on each program, held against a golden file. The limit of the kernel is a million; older kernels
 * and other compilers need several times what this one does, so growth is to be noticed while it is small.
 */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include "xtr/abi.h"
#include "bpf/xtr.skel.h"
#include "dp/internal.h"

struct budget {
	const char *name;
	unsigned long insns;
};
static const struct budget budgets[] = {
#define BUDGET(name, insns) { #name, insns },
#include "bpf/verifier-budget.txt"
};
#define N (sizeof(budgets) / sizeof(budgets[0]))

static char logs[16][4096];

/* Instructions processed, from the statistics the verifier prints. */
static unsigned long processed(const char *log)
{
	const char *at = strstr(log, "processed ");

	return at ? strtoul(at + 10, NULL, 10) : 0;
}

Test(budget, verifier_work_stays_within_its_golden_figures)
{
	struct xtr_bpf *skel = xtr_bpf__open();
	struct bpf_program *prog;
	struct utsname u;
	unsigned n = 0, found = 0;

	cr_assert(skel);
	uname(&u);
	/* on another kernel the verifier works differently: there only a multiple counts */
	unsigned percent = strncmp(u.release, "6.18", 4) ? 300 : 110;

	bpf_object__for_each_program(prog, skel->obj) {
		cr_assert(n < 16);
		bpf_program__set_log_buf(prog, logs[n], sizeof(logs[n]));
		bpf_program__set_log_level(prog, 4);
		n++;
	}
	cr_assert_eq(xtr_bpf__load(skel), 0);
	n = 0;
	bpf_object__for_each_program(prog, skel->obj) {
		unsigned long now = processed(logs[n++]);

		cr_expect(now > 0, "no statistics for %s", bpf_program__name(prog));
		cr_log_info("BUDGET(%s, %lu)", bpf_program__name(prog), now);
		for (unsigned i = 0; i < N; i++)
			if (!strcmp(budgets[i].name, bpf_program__name(prog))) {
				found++;
				cr_expect(now * 100 <= budgets[i].insns * percent, "%s: %lu instructions, budget %lu",
					  budgets[i].name, now, budgets[i].insns);
			}
	}
	cr_expect(found == N && n == N, "%u programs, %u with a budget, %zu budgets", n, found, N);
	xtr_bpf__destroy(skel);
}

Test(budget, names_fit_and_are_those_of_the_abi)
{
	static const char *const progs[] = { XTR_PROG_ENCAP, XTR_PROG_INJECT, XTR_PROG_UNDERLAY, XTR_PROG_XDP_EID,
					     XTR_PROG_XDP_UNDER, XTR_PROG_XDP_COPY, XTR_PROG_CLOCK, XTR_PROG_FENCE, XTR_PROG_GUARD };
	static const char *const maps[] = { XTR_MAP_CFG, XTR_MAP_IFACES, XTR_MAP_INST, XTR_MAP_SELF, XTR_MAP_LOCAL4, XTR_MAP_LOCAL6,
					    XTR_MAP_EID4, XTR_MAP_EID6, XTR_MAP_RSET, XTR_MAP_RLOC, XTR_MAP_RLSTAT, XTR_MAP_DROPS,
					    XTR_MAP_STATS, XTR_MAP_EVENTS, XTR_MAP_MISSTB, XTR_MAP_MISSSL, XTR_MAP_MISSSRC, XTR_MAP_HOLD, XTR_MAP_GEN,
					    XTR_MAP_MCAST4, XTR_MAP_MCAST6, XTR_MAP_REPL, XTR_MAP_CTLSRC,
					    XTR_MAP_FANOF, XTR_MAP_FAN, XTR_MAP_FANDEV, XTR_MAP_FANOUT, XTR_MAP_FANCPU };
	struct xtr_bpf *skel = xtr_bpf__open();

	cr_assert(skel);
	for (unsigned i = 0; i < sizeof(progs) / sizeof(progs[0]); i++) {
		cr_expect(bpf_object__find_program_by_name(skel->obj, progs[i]), "program %s", progs[i]);
		cr_expect(strlen(progs[i]) <= 15, "%s is longer than the kernel keeps", progs[i]);
	}
	for (unsigned i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		cr_expect(xtr_dp_obj_map(skel->obj, maps[i]), "map %s", maps[i]);
		cr_expect(strlen(maps[i]) <= 15, "%s is longer than the kernel keeps", maps[i]);
	}
	cr_expect_eq(bpf_map__max_entries(skel->maps.xtr_drops), XTR_DROP_SLOTS);
	cr_expect_eq(bpf_map__max_entries(skel->maps.xtr_stats), XTR_STAT_SLOTS);
	cr_expect_eq(bpf_map__max_entries(skel->maps.xtr_misstb), XTR_BUCKETS_TB);
	xtr_bpf__destroy(skel);
}
