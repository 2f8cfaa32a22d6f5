// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Runs the simulation: all kinds in all sizes, or what the arguments say; prints tables, writes
 * JSON, and says "ok NAME" or "not ok NAME - why" for each thing that has to hold.
 */
#include "sim.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("xtr-sim [--quick | --brief] [--kind static|pull|push] [--nodes N] [--modulus N]\n"
	      "        [--group-size N] [--underlay] [--seed N] [--jobs N] [--json FILE] [--verbose]\n",
	      stderr);
	exit(2);
}

/* The runs: each in a process of its own, as many at a time as there are processors. */
static struct sim_result *results; /* shared with the processes */
static struct sim_plan plans[32];
static unsigned plan_count, again; /* again: how many of them are the first ones once more */

static void plan_add(const struct sim_plan *base, enum sim_kind kind, uint32_t nodes)
{
	struct sim_plan *p = &plans[plan_count++];

	*p = *base;
	p->kind = kind;
	if (!p->nodes)
		p->nodes = nodes;
	/* All stages of push with ten thousand are sixty million Map-Registers: hours. */
	p->brief |= kind == SIM_PUSH && p->nodes > 1000;
}

/* The same with all EIDs in the core too; not with ten thousand: what the core has to carry is
 * plain with a thousand. */
static void plan_cross(const struct sim_plan *base)
{
	unsigned n = plan_count;

	for (unsigned i = 0; i < n; i++)
		if (plans[i].kind == SIM_PUSH && plans[i].nodes <= (base->quick ? 64 : 1000)) {
			plans[plan_count] = plans[i];
			plans[plan_count++].cross = true;
		}
}

static void make_plans(const struct sim_plan *base)
{
	static const uint32_t sizes[] = { 100, 1000, 10000 }, small[] = { 64, 256 };

	for (unsigned k = 0; k < SIM_KINDS; k++) {
		unsigned n = base->nodes ? 1 : base->quick ? 2 : 3;

		for (unsigned i = 0; i < n && (base->kind == SIM_KINDS || base->kind == k); i++)
			plan_add(base, k, base->quick ? small[i] : sizes[i]);
	}
	plan_cross(base);
}

/* The smallest run of each kind twice. */
static void repeat_plans(void)
{
	unsigned n = plan_count;

	for (unsigned i = 0; i < n; i++)
		if (!plans[i].cross && (!i || plans[i].kind != plans[i - 1].kind)) {
			plans[plan_count] = plans[i];
			plans[plan_count++].verbose = false;
			again++;
		}
}

/* The repetitions stand behind the others, in the same order. */
static unsigned check_repeated(void)
{
	unsigned n = plan_count - again, seen = 0, failed = 0;

	for (unsigned i = 0; i < n && again; i++)
		if (!plans[i].cross && (!i || plans[i].kind != plans[i - 1].kind))
			failed += !sim_same(&results[i], &results[n + seen++]);
	return failed;
}

static uint64_t cost(const struct sim_plan *p)
{
	return (uint64_t)p->nodes * (p->kind == SIM_PUSH ? p->group_size * (1u + p->cross) : 3);
}

/* The most expensive one of those that were not started. */
static unsigned next_plan(const bool *started)
{
	unsigned best = plan_count;

	for (unsigned i = 0; i < plan_count; i++)
		if (!started[i] && (best == plan_count || cost(&plans[i]) > cost(&plans[best])))
			best = i;
	return best;
}

static bool run_all(unsigned jobs)
{
	unsigned running = 0, left = plan_count;
	bool good = true, started[32] = { 0 };
	int status;

	while (left || running) {
		if (left && running < jobs) {
			unsigned i = next_plan(started);
			pid_t pid;

			left--;
			started[i] = true;
			fflush(stdout);
			pid = fork();
			if (pid < 0) {
				perror("sim: fork");
				exit(2);
			}
			if (!pid) {
				sim_play(&plans[i], &results[i]);
				_exit(0);
			}
			running++;
			continue;
		}
		if (wait(&status) < 0)
			return false;
		good &= WIFEXITED(status) && !WEXITSTATUS(status);
		running--;
	}
	return good;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quick", 0, NULL, 'q' },      { "brief", 0, NULL, 'b' },
		{ "kind", 1, NULL, 'k' },
		{ "nodes", 1, NULL, 'n' },      { "modulus", 1, NULL, 'm' },
		{ "group-size", 1, NULL, 'g' }, { "underlay", 0, NULL, 'u' },
		{ "seed", 1, NULL, 's' },       { "json", 1, NULL, 'J' },
		{ "jobs", 1, NULL, 'j' },       { "verbose", 0, NULL, 'v' },
		{ 0 },
	};
	struct sim_plan plan = { .kind = SIM_KINDS, .modulus = 64, .group_size = 64, .seed = 1 };
	long jobs = sysconf(_SC_NPROCESSORS_ONLN);
	const char *json = NULL;
	unsigned failed;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'q':
			plan.quick = true;
			plan.group_size = 16;
			break;
		case 'b': plan.brief = true; break;
		case 'k':
			for (unsigned k = 0; k < SIM_KINDS; k++)
				if (!strcmp(optarg, sim_kind_name(k)))
					plan.kind = k;
			if (plan.kind == SIM_KINDS)
				usage();
			break;
		case 'n': plan.nodes = (uint32_t)atoi(optarg); break;
		case 'm': plan.modulus = (unsigned)atoi(optarg); break;
		case 'g': plan.group_size = (uint32_t)atoi(optarg); break;
		case 'u': plan.underlay = true; break;
		case 's': plan.seed = strtoull(optarg, NULL, 0); break;
		case 'J': json = optarg; break;
		case 'j': jobs = atoi(optarg); break;
		case 'v': plan.verbose = true; break;
		default: usage();
		}
	if (plan.modulus > SIM_NAMES / 2 || plan.nodes > SIM_NODES_MAX * 3 / 4 ||
	    plan.group_size > SIM_MEMBERS_MAX / 2)
		usage();
	make_plans(&plan);
	if (plan.quick)
		repeat_plans();
	results = mmap(NULL, sizeof(*results) * plan_count, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (results == MAP_FAILED) {
		perror("sim: mmap");
		return 2;
	}
	if (!run_all(jobs < 1 ? 1 : (unsigned)jobs)) {
		printf("not ok SIM - a run ended before its time\n");
		return 2;
	}
	sim_report(results, plan_count - again);
	if (json && sim_report_json(json, results, plan_count - again, plan.seed)) {
		fprintf(stderr, "sim: cannot write %s\n", json);
		return 2;
	}
	failed = sim_check(results, plan_count - again);
	failed += check_repeated();
	return failed != 0;
}
