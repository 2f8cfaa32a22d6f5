// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The copies in front of the maps, while the maps change. One thread drives the data plane as the daemon does: mappings come,
 * change and go, longer prefixes appear inside shorter ones that are in use, locators lose their route or change their MAC
 * address, own EID-prefixes come and go, a port changes its instance. Others, one on each CPU, run packets through the
 * programs all the time. A packet that starts after a change has returned must not go by what was before: such stale hits
 * are counted, and there have to be none. What is right: cache_lab.h.
 *
 * That this finds something is tried, too: with the generations left alone, and with them bumped before the change instead of
 * after it.
 */
#include "xtr/abi.h"
#include "bpf/xtr.skel.h"
#include "cache_lab.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_bool stop;

struct reader {
	pthread_t thread;
	unsigned cpu;
	uint64_t runs, encaps, encaps_xdp, unknown, unresolved, stale, stale_mac;
	char first[160];
};

static uint32_t next(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/* Everything from `from` to the last one that had begun; false: so much that the history has forgotten some. */
static bool allowed(struct history *h, uint64_t from, uint64_t *mask, uint64_t one)
{
	uint64_t to = h->begun;

	*mask = 0;
	for (uint64_t v = from; v <= to; v++)
		*mask |= one ? h->was[v % PAST] == one : h->was[v % PAST];
	return h->begun - from < PAST - 2;
}

static void check_mac(struct reader *r, unsigned loc, uint64_t from, const uint8_t *out, const uint8_t *in)
{
	uint64_t serial = ((uint64_t)out[4] << 8 | out[5]) + 1, ok; /* 0 is no entry of a history */

	if (!memcmp(out, in, 6)) { /* the kernel is to resolve */
		r->unresolved++;
		return;
	}
	if (allowed(&macs[loc], from, &ok, serial) && !ok)
		r->stale_mac++;
}

static void one_packet(struct reader *r, struct cell *c, uint32_t random)
{
	bool xdp = !c->decap && random & 1u << 31;
	uint64_t from, mac_from[LOCATORS], mask = 0;
	struct pkt p;
	uint8_t out[2048];
	unsigned len = 0, loc;
	uint32_t got;

	p.len = c->frame.len;
	memcpy(p.b, c->frame.b, p.len);
	if (c->random)
		vary(&p, c, random);
	for (unsigned i = 0; i < LOCATORS; i++)
		mac_from[i] = macs[i].done;
	from = c->h.done;
	got = xdp ? of_xdp(c, &p, out, &len) : of_tc(c, &p, out, &len);
	r->runs++;
	if (got & UNKNOWN) { /* encapsulated: to whom? */
		loc = (unsigned)out[33] - 2;
		got = len > 34 && loc < LOCATORS ? 1u << loc : 0;
		r->encaps++;
		r->encaps_xdp += xdp;
		if (got)
			check_mac(r, loc, mac_from[loc], out, p.b);
	} else if (xdp && got == PASSED) { /* anything but an encapsulated packet is TC's */
		r->unknown++;
		return;
	}
	if (allowed(&c->h, from, &mask, 0) && !(got & mask) && !r->stale++)
		snprintf(r->first, sizeof(r->first), "cell %u%s: %08x, allowed %08llx", (unsigned)(c - cells), xdp ? " by XDP" : "", got,
			 (unsigned long long)mask);
}

static void *reader(void *arg)
{
	struct reader *r = arg;
	uint32_t s = 0x9e3779b9u * (r->cpu + 1);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while (!stop) {
		uint32_t x = next(&s);

		/* some more often than others: copies that are made again and again, and such that rest */
		one_packet(r, &cells[(x >> 8) % (x & 1 ? cell_count : 4)], next(&s));
	}
	return NULL;
}

static void fuzzy_world(void)
{
	static const char *const prefixes[] = { "10.0.0.0/8", "10.64.0.0/10", "10.66.0.0/16", "10.66.7.0/24", "10.66.7.200/32", "10.66.8.0/24",
						"10.70.0.0/17", "0.0.0.0/1", "fd00::/8", "fd10::/32", "fd10:0:1::/48", "fd10:0:1:2::/64",
						"fd10:0:1:2::9/128" };
	static const char *const to[] = { "10.66.7.200", "10.66.7.9", "fd10:0:1:2::9", "10.66.8.1", "10.66.99.1", "10.70.1.1", "10.70.200.1",
					  "10.99.0.1", "100.1.2.3", "fd10:0:1:3::1", "fd10:0:2::1", "fd20::1", "fd10:0:1:2:3::1" };

	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		for (unsigned j = 0; j < 3; j++)
			model(j ? 4 + j : 0, prefixes[i]);
	for (unsigned i = 0; i < sizeof(to) / sizeof(*to); i++)
		for (unsigned port = 0; port < 2; port++)
			cell(false, port, 0, to[i], 0);
	cell(true, 0, 0, "10.66.7.9", 0);
	cell(true, 0, 0, "10.1.0.77", 0);
	cell(true, 0, 5, "fd10:0:1:2::9", 0);
	all_begin();
	all_done();
}

static struct reader readers[4];
static unsigned reader_count;

static void readers_start(void)
{
	unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

	stop = false;
	reader_count = cpus < 2 ? 2 : cpus > 4 ? 4 : cpus;
	for (unsigned i = 0; i < reader_count; i++) {
		readers[i] = (struct reader){ .cpu = i % cpus };
		cr_assert_eq(pthread_create(&readers[i].thread, NULL, reader, &readers[i]), 0);
	}
}

static struct reader readers_end(void)
{
	struct reader all = { 0 };

	stop = true;
	for (unsigned i = 0; i < reader_count; i++) {
		const struct reader *r = &readers[i];

		pthread_join(r->thread, NULL);
		all.runs += r->runs;
		all.encaps += r->encaps;
		all.encaps_xdp += r->encaps_xdp;
		all.unknown += r->unknown;
		all.unresolved += r->unresolved;
		all.stale += r->stale;
		all.stale_mac += r->stale_mac;
		if (r->first[0] && !all.first[0])
			memcpy(all.first, r->first, sizeof(all.first));
	}
	return all;
}

/* Changes for so long; others: besides mappings. Returns how many. */
static unsigned change(unsigned ms, bool others)
{
	uint64_t end = now_ms() + ms;
	unsigned n = 0;

	for (; now_ms() < end; n++) {
		unsigned what = rnd(400);

		if (others && what == 0)
			reconfigure();
		else if (others && what == 1)
			route_or_mac();
		else
			put_or_del(&models[rnd(model_count)]);
		if (n % 16 == 0)
			housekeeping();
	}
	return n;
}

static void told(const char *what, const struct reader *r, unsigned changes)
{
	printf("%s: %u changes, %llu packets, %llu encapsulated (%llu by XDP), %llu left to TC, %llu for the kernel to resolve; stale: %llu, by MAC %llu\n",
	       what, changes, (unsigned long long)r->runs, (unsigned long long)r->encaps, (unsigned long long)r->encaps_xdp,
	       (unsigned long long)r->unknown,
	       (unsigned long long)r->unresolved, (unsigned long long)r->stale, (unsigned long long)r->stale_mac);
}

/* Bumps go where no program looks; returns where they went. */
static uint32_t *generations_rest(void)
{
	static uint32_t nowhere[XTR_GEN_SLOTS];
	uint32_t *was = dp->gen_at;

	dp->gen_at = nowhere;
	return was;
}

TestSuite(cache_hammer, .init = dp_setup, .fini = dp_teardown, .timeout = 120);

/* What a writer would do that bumps before it writes: a copy made between the two lives on. */
static unsigned change_too_late(unsigned ms)
{
	uint64_t end = now_ms() + ms;
	unsigned n = 0;

	for (; now_ms() < end; n++) {
		struct model *m = &models[rnd(model_count)];
		uint32_t *gen = dp->gen_at;

		xtr_dp_gen_bump(dp, m->iid, &m->eid);
		usleep(100);
		generations_rest();
		put_or_del(m);
		dp->gen_at = gen;
		if (n % 16 == 0)
			housekeeping();
	}
	return n;
}

Test(cache_hammer, no_packet_goes_by_what_was_changed_before_it_started)
{
	struct reader r;
	unsigned changes;

	cache_up();
	fuzzy_world();
	readers_start();
	changes = change(2000, true);
	r = readers_end();
	told("changes", &r, changes);
	cr_expect_eq(r.stale, 0, "%llu stale hits; the first: %s", (unsigned long long)r.stale, r.first);
	cr_expect_eq(r.stale_mac, 0);
	cr_expect_gt(r.encaps, r.runs / 20);
	cr_expect_gt(r.encaps_xdp, 0);
	cr_expect_gt(changes, 100);
	cr_expect_lt(r.unresolved, r.encaps / 4);

	readers_start();
	changes = change_too_late(500);
	r = readers_end();
	told("generations first", &r, changes);
	cr_expect_gt(r.stale, 0, "stale hits would be found");

	generations_rest();
	readers_start();
	changes = change(400, false);
	r = readers_end();
	told("generations at rest", &r, changes);
	cr_expect_gt(r.stale, 0, "stale hits would be found");
	cache_down();
}

static int lru(const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(dp->skel->obj, name);

	cr_assert_geq(fd, 0, "no map %s", name);
	return fd;
}

static int count_one(void *arg, const void *key)
{
	++*(unsigned *)arg;
	return 0;
}

/* More destinations than the shared hash holds: its elements are used for others all the time, while they are read. */
Test(cache_hammer, recycled_elements_are_nobodys)
{
	uint64_t end;
	unsigned changes = 0, n = 0;
	struct bpf_map_info info;
	struct reader r;
	char text[64];

	xtr_dp_copies = 2048;
	cache_up();
	for (unsigned i = 0; i < 48; i++) {
		snprintf(text, sizeof(text), "10.%u.0.0/16", 64 + i);
		model(0, text);
		snprintf(text, sizeof(text), "10.%u.0.0", 64 + i);
		cell(false, 0, 0, text, 7);
	}
	for (unsigned i = 0; i < 16; i++) {
		snprintf(text, sizeof(text), "fd40:%u::/32", i);
		model(0, text);
		snprintf(text, sizeof(text), "fd40:%u::", i);
		cell(false, 0, 0, text, 8);
	}
	for (unsigned i = 0; i < model_count; i++)
		put_or_del(&models[i]);
	all_begin();
	all_done();
	readers_start();
	for (end = now_ms() + 2500; now_ms() < end; changes++) {
		put_or_del(&models[rnd(model_count)]);
		housekeeping();
		usleep(5000); /* so that copies get old enough to be found again */
	}
	r = readers_end();
	told("recycling", &r, changes);
	cr_expect_eq(r.stale, 0, "%llu; the first: %s", (unsigned long long)r.stale, r.first);
	cr_assert_eq(xtr_dp_map_info(lru("xtr_dlru"), &info), 0);
	xtr_dp_each_key(lru("xtr_dlru"), info.key_size, count_one, &n);
	cr_expect_gt(n, info.max_entries * 3 / 4, "%u elements of %u", n, info.max_entries);
	printf("recycling: %u elements of %u in the shared hash\n", n, info.max_entries);
	cache_down();
}
