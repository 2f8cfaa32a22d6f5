// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The copies in front of the maps: how long they live, that a scan does not push out what is in use, and that a host which
 * moves is followed.
 */
#include "cache_lab.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(cache_hammer, .init = dp_setup, .fini = dp_teardown, .timeout = 120);

static void put_to(const char *eid, unsigned loc)
{
	struct xtr_dp_mapping to = { .action = XTR_ACT_ENCAP, .n = 1, .weight = { 1 }, .rloc = { locator(loc) } };

	cr_assert_eq(put(dp, eid, &to), 0);
}

/* Behind the back of everybody: no bump. The sets exist, as entries of their own. */
static void turn_to(const char *eid, unsigned loc)
{
	struct xtr_ippfx p = pfx(eid), from;
	char text[32];
	union xtr_dp_key k;
	struct xtr_eid v;

	snprintf(text, sizeof(text), "172.20.%u.0/24", loc);
	from = pfx(text);
	xtr_dp_key(&k, 0, &from);
	cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_EID4], &k, &v), 0);
	xtr_dp_key(&k, 0, &p);
	cr_assert_eq(bpf_map_update_elem(dp->map[XTR_M_EID4], &k, &v, BPF_EXIST), 0);
}

static void all_sets(void)
{
	char text[32];

	for (unsigned i = 0; i < LOCATORS; i++) {
		snprintf(text, sizeof(text), "172.20.%u.0/24", i);
		put_to(text, i);
	}
}

static void on_cpu(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Where a packet of this cell goes; -1: nowhere. */
static int asked(const struct cell *c, uint32_t random)
{
	struct pkt p = { .len = c->frame.len };
	uint8_t out[2048];
	unsigned len = 0;

	memcpy(p.b, c->frame.b, p.len);
	if (c->random)
		vary(&p, c, random);
	return of_tc(c, &p, out, &len) & UNKNOWN ? out[33] - 2 : -1;
}

/* A copy is asked for four seconds, then the entry gets its stamp of use. On each CPU, and by the hash they share. */
static void copies_live_for_seconds(void)
{
	uint64_t start, gone[2] = { 0 };
	struct xtr_ippfx eid = pfx("10.66.0.0/16");
	unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN), kept = 0;

	put_to("10.66.0.0/16", 3);
	cell_count = 0;
	cell(false, 0, 0, "10.66.7.9", 0);
	for (unsigned i = 0; i < 2 * cpus; i++) {
		on_cpu(i % cpus);
		cr_expect_eq(asked(cells, 0), 3);
	}
	turn_to("10.66.0.0/16", 4);
	start = now_ms();
	while (now_ms() - start < 4400)
		for (unsigned i = 0; i < 2; i++) {
			int to;

			on_cpu(i % cpus);
			to = asked(cells, 0);
			cr_assert(to == 3 || to == 4, "%d", to);
			kept += to == 3;
			if (to == 4 && !gone[i])
				gone[i] = now_ms() - start;
			cr_assert(to == 4 || !gone[i], "CPU %u went back", i);
			usleep(2000);
		}
	cr_expect_gt(kept, 0, "there are copies");
	cr_expect(gone[0] && gone[0] < 4300 && gone[1] && gone[1] < 4300, "%llu, %llu ms", (unsigned long long)gone[0],
		  (unsigned long long)gone[1]);
	cr_expect_lt(xtr_dp_cache_idle(dp, 0, &eid, now_ms()), 4400);
}

/*
 * 8,192 destinations in use, and one after the other of a great many more that are met once. Each round the mapping of those in
 * use is another one, without a bump: who still goes by an older one was found in a copy, who goes by the new one was not.
 */
static void a_scan_does_not_push_out_what_is_in_use(void)
{
	enum { HOT = 8192, ROUNDS = 12, WARM = 4, SCAN = 2 };
	unsigned missed[ROUNDS] = { 0 }, scanned = 0;
	struct xtr_cfg c;
	__u32 zero = 0;

	put_to("10.66.0.0/16", 0);
	put_to("10.128.0.0/9", 1);
	cell_count = 0;
	cell(false, 0, 0, "10.66.0.0", 13);
	cell(false, 0, 0, "10.128.0.0", 23);
	cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_CFG], &zero, &c), 0);
	c.hz *= 1000; /* no copy ends by its age */
	cr_assert_eq(bpf_map_update_elem(dp->map[XTR_M_CFG], &zero, &c, 0), 0);
	on_cpu(0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		turn_to("10.66.0.0/16", round + 2);
		for (unsigned i = 0; i < HOT; i++) {
			missed[round] += asked(&cells[0], i * 2654435761u >> 7) == (int)round + 2;
			for (unsigned k = 0; k < SCAN && round >= WARM; k++)
				cr_assert_eq(asked(&cells[1], scanned++ * 2654435761u), 1);
		}
	}
	cr_expect_lt(missed[ROUNDS - 1], HOT * 15 / 100, "%u", missed[ROUNDS - 1]);
	for (unsigned round = WARM; round < ROUNDS; round++)
		cr_expect_lt(missed[round], HOT * 45 / 100, "round %u: %u", round, missed[round]);
	printf("not found in a copy, of %u, in each round (a scan from the %uth on, %u in all):", HOT, WARM + 1, scanned);
	for (unsigned round = 0; round < ROUNDS; round++)
		printf(" %u", missed[round]);
	printf("\n");
	c.hz /= 1000;
	bpf_map_update_elem(dp->map[XTR_M_CFG], &zero, &c, 0);
}

/* ---- hosts at EID ports */

#define BY_OVERLAY (-1)

/* To which MAC address (its last octet) a packet for the host is sent straight. */
static int home_of(const struct cell *c)
{
	uint8_t out[2048];
	unsigned len = 0;

	cr_assert_eq(of_tc(c, &c->frame, out, &len), HOME);
	return memcmp(out, "\x02\x00\x00\x03\x00", 5) ? BY_OVERLAY : out[5];
}

static int settles(const struct cell *c)
{
	int to = BY_OVERLAY;

	for (unsigned i = 0; i < 5; i++)
		to = home_of(c);
	return to;
}

/*
 * The kernel's answer where a host is, is used again for seconds. A host that has moved says so (gratuitous ARP), and the kernel
 * knows at once: so must the programs, as soon as the daemon has heard of it.
 */
static void a_host_that_moves_is_followed(void)
{
	int to;

	cfg.flags |= XTR_CFG_F_DIRECT;
	cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &(struct xtr_err){ "" }), 0);
	cell_count = 0;
	cell(true, 0, 0, "10.1.0.77", 0);
	sh("ip neigh replace 10.1.0.77 lladdr 02:00:00:03:00:01 dev h0 nud permanent");
	serve(dp, 50);
	cr_expect_eq(settles(cells), 1, "straight to the host");
	sh("ip neigh replace 10.1.0.77 lladdr 02:00:00:03:00:02 dev h0 nud permanent");
	serve(dp, 50);
	to = home_of(cells);
	cr_expect(to == 2 || to == BY_OVERLAY, "its new address: %d", to);
	cr_expect_eq(settles(cells), 2);
	sh("ip addr add 10.1.0.253/24 dev k0; ip neigh replace 10.1.0.77 lladdr 02:00:00:03:00:03 dev k0 nud permanent; "
	   "ip route add 10.1.0.77/32 dev k0");
	serve(dp, 50);
	cr_expect_eq(home_of(cells), BY_OVERLAY, "a port of another instance: the kernel's business");
	sh("ip route del 10.1.0.77/32 dev k0; ip neigh del 10.1.0.77 dev h0");
	serve(dp, 50);
	cr_expect_eq(home_of(cells), BY_OVERLAY, "nobody knows where it is");
}

Test(cache_hammer, copies_end_in_time_and_stay_as_long)
{
	cache_up();
	all_sets();
	copies_live_for_seconds();
	on_cpu(0);
	a_scan_does_not_push_out_what_is_in_use();
	a_host_that_moves_is_followed();
	cache_down();
}
