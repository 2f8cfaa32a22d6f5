// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From one daemon to the next on the real kernel: other ABIs, other sizes of maps, starts that were
 * killed, pins shared with another network namespace, and maps of locators that are full.
 */
#include "dp_lab.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(dp_life, .init = dp_setup, .fini = dp_teardown, .timeout = 400);

static char *folder(unsigned abi)
{
	static char path[4][192];
	static unsigned n;

	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/xtr/v%u-%u-%u", bpffs, abi, cfg.cache_entries, cfg.rloc_entries);
	return path[n];
}

static void folders_are(const char *want)
{
	char cmd[160], *names;

	snprintf(cmd, sizeof(cmd), "ls %s/xtr | tr '\\n' ' '", bpffs);
	names = capture(cmd);
	cr_expect_str_eq(names, want);
	free(names);
}

static void only_ours(void)
{
	char want[64];

	snprintf(want, sizeof(want), "v%u-%u-%u ", XTR_ABI_VERSION, cfg.cache_entries, cfg.rloc_entries);
	folders_are(want);
}

static uint32_t pinned_id(const char *dir, const char *name)
{
	struct bpf_map_info info;
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = bpf_obj_get(path);
	cr_assert(fd >= 0, "%s", path);
	cr_assert_eq(xtr_dp_map_info(fd, &info), 0);
	close(fd);
	return info.id;
}

/* A data plane with some entries, and closed. */
static void run_once(void)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 3, "2001:db8::2", 1), one = mapping("192.0.2.3", 1, NULL, 0),
			      neg = { .action = XTR_ACT_DROP };
	struct xtr_dp *dp = open_dp();
	struct xtr_count n[64] = { { .packets = 7, .octets = 700 } };
	__u32 at = XTR_STAT_ENCAP;

	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_expect_eq(put(dp, "10.3.0.0/24", &neg), 0);
	cr_expect_eq(put(dp, "fd02::/64", &one), 0);
	cr_assert(dp->cpus <= 64);
	cr_expect_eq(bpf_map_update_elem(dp->map[XTR_M_STATS], &at, n, BPF_ANY), 0);
	serve(dp, 200);
	xtr_dp_close(dp);
}

static void all_attached(void)
{
	look();
	cr_assert(iface_row("u0") && iface_row("h0") && iface_row("xtr0") && iface_row("xtr0p"));
	cr_expect(iface_row("u0")->tc && iface_row("h0")->tc && iface_row("xtr0")->tc && iface_row("xtr0p")->tc);
}

/* ---- ABI */

Test(dp_life, an_older_abi_is_taken_over_by_layout)
{
	struct xtr_dp *dp;
	uint32_t stats, eid;
	char path[256];

	config(XTR_MODE_TC);
	run_once();
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(2)), 0);
	snprintf(path, sizeof(path), "%s/xtr_layout", folder(2));
	cr_assert_eq(unlink(path), 0, "ABI 2 told nothing about layouts");
	stats = pinned_id(folder(2), XTR_MAP_STATS);
	eid = pinned_id(folder(2), XTR_MAP_EID4);
	dp = open_dp();
	cr_expect_eq(seen.adopt, 3);
	only_ours();
	cr_expect_eq(pinned_id(folder(XTR_ABI_VERSION), XTR_MAP_STATS), stats, "counters go on in the same map");
	cr_expect_neq(pinned_id(folder(XTR_ABI_VERSION), XTR_MAP_EID4), eid, "the map-cache of old programs is theirs");
	all_attached();
	cr_expect_eq(found.caches, 3);
	cr_expect_eq(found.rlocs, 3);
	cr_expect_eq(found.stats[XTR_STAT_ENCAP].packets, 7);
	for (unsigned i = 0; i < found.caches; i++)
		if (found.cache[i].n == 2)
			cr_expect(found.cache[i].share[0] == 192 && found.cache[i].share[1] == 64);
	xtr_dp_close(dp);
	detach();
}

Test(dp_life, a_newer_abi_is_taken_over_where_it_says_the_layout_is_ours)
{
	struct xtr_dp *dp;

	config(XTR_MODE_XDP_GENERIC);
	run_once();
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(9)), 0);
	dp = open_dp();
	cr_expect_eq(seen.adopt, 3);
	only_ours();
	all_attached();
	cr_expect(iface_row("u0")->xdp);
	xtr_dp_close(dp);
	detach();
}

Test(dp_life, a_newer_abi_that_says_nothing_is_not_read_but_replaced)
{
	struct xtr_dp *dp;
	char path[256];
	int xtr0;

	config(XTR_MODE_TC);
	run_once();
	xtr0 = (int)if_nametoindex("xtr0");
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(9)), 0);
	snprintf(path, sizeof(path), "%s/xtr_layout", folder(9));
	unlink(path);
	dp = open_dp();
	cr_expect_eq(seen.adopt, 0, "what cannot be understood is resolved again");
	only_ours();
	all_attached();
	cr_expect_eq((int)if_nametoindex("xtr0"), xtr0, "devices stay");
	xtr_dp_close(dp);
	detach();
}

/* A packet to nowhere while no daemon runs, captured into the ring. */
static void miss_unheard(void)
{
	sh("bash -c 'echo x > /dev/udp/10.9.0.9/9'");
}

Test(dp_life, packets_in_the_ring_of_another_abi_are_read_to_the_end)
{
	struct xtr_ip dst = ip("10.9.0.9");
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	run_once();
	miss_unheard();
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(9)), 0);
	dp = open_dp();
	only_ours();
	serve(dp, 100);
	cr_expect_eq(seen.miss, 1);
	cr_expect_arr_eq(&seen.dst, &dst, sizeof(dst));
	cr_expect_eq(dp->q_packets, 1, "the packet waits for its mapping");
	xtr_dp_close(dp);
	detach();
}

Test(dp_life, packets_in_a_ring_of_unknown_layout_are_counted_as_lost)
{
	struct xtr_dp *dp;
	char path[256];

	config(XTR_MODE_TC);
	run_once();
	miss_unheard();
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(9)), 0);
	snprintf(path, sizeof(path), "%s/xtr_layout", folder(9));
	unlink(path);
	dp = open_dp();
	serve(dp, 100);
	cr_expect_eq(seen.miss, 0);
	xtr_dp_close(dp);
	look();
	cr_expect_eq(found.drops[XTR_DROP_INJECT_FAILED], 1);
	detach();
}

/* What waited in the ring of a stopped daemon waited as in the queue: it is not delivered to somebody who gave up long ago. */
Test(dp_life, packets_in_the_ring_are_dropped_when_they_are_older_than_the_queue_keeps_them)
{
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.queue_timeout_ms = 1500;
	run_once();
	miss_unheard();
	usleep(2500000);
	dp = open_dp();
	serve(dp, 100);
	cr_expect_eq(seen.miss, 0);
	cr_expect_eq(dp->q_packets, 0);
	xtr_dp_close(dp);
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_TIMEOUT], 1);
	detach();
}

Test(dp_life, packets_in_the_ring_of_a_short_restart_wait_for_the_rest_of_their_time)
{
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.queue_timeout_ms = 5000;
	run_once();
	miss_unheard();
	usleep(2500000);
	dp = open_dp();
	serve(dp, 100);
	cr_expect_eq(seen.miss, 1);
	cr_expect_eq(dp->q_packets, 1);
	serve(dp, 3900);
	cr_expect_eq(dp->q_packets, 0, "5 s from when it was sent, not from when it was read");
	xtr_dp_close(dp);
	detach();
}

/* Devices that another version made are removed whatever the size of its note. */
static void made_of_another_size(int more)
{
	size_t size = sizeof(struct xtr_dp_made) + (size_t)more;
	uint8_t *value = calloc(1, size + sizeof(struct xtr_dp_made));
	char *before, *after;
	struct xtr_dp_made made;
	struct xtr_dp *dp;
	__u32 zero = 0;
	int fd;

	config(XTR_MODE_TC);
	before = snapshot();
	run_once();
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(2)), 0);
	cr_assert_eq(xtr_dp_made_read(folder(2), &made), 0);
	cr_assert_gt(made.count, 0);
	memcpy(value, &made, sizeof(made));
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "made", 4, (__u32)size, 1, NULL);
	cr_assert(fd >= 0 && !bpf_map_update_elem(fd, &zero, value, BPF_ANY));
	cr_assert_eq(xtr_dp_pin(fd, folder(2), XTR_DP_MAP_MADE), 0);
	close(fd);
	overlay[0].name[3] = '7'; /* xtr7: so that the note is all that knows of xtr0 */
	dp = open_dp();
	cr_expect_eq(if_nametoindex("xtr0"), 0, "what the configuration no longer has is removed");
	cr_expect_neq(if_nametoindex("xtr7"), 0);
	xtr_dp_close(dp);
	detach();
	after = snapshot();
	expect_same(before, after);
	free(value);
	free(before);
	free(after);
}

Test(dp_life, a_longer_note_of_what_was_made_is_read) { made_of_another_size(64); }
Test(dp_life, a_shorter_note_of_what_was_made_is_read) { made_of_another_size(-64 * (int)sizeof(struct xtr_dp_made_dev)); }

/* ---- sizes */

static struct xtr_dp_mapping nth(unsigned i)
{
	char a[32];

	snprintf(a, sizeof(a), "192.0.2.%u", 2 + i);
	return mapping(a, 1, NULL, 0);
}

/* Numbers above the new size are given anew; every entry keeps its locators. */
Test(dp_life, smaller_maps_of_locators_keep_what_fits_under_new_numbers)
{
	struct xtr_dp_mapping m;
	struct xtr_dp *dp;
	char eid[32];
	unsigned wrong = 0;

	config(XTR_MODE_TC);
	dp = open_dp();
	for (unsigned i = 0; i < 200; i++) { /* numbers go up */
		m = nth(i);
		cr_assert_eq(put(dp, "10.9.0.0/24", &m), 0);
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(eid, sizeof(eid), "10.2.%u.0/24", i);
		m = nth(180 + i);
		cr_assert_eq(put(dp, eid, &m), 0);
	}
	xtr_dp_close(dp);
	cfg.rloc_entries = 64;
	dp = open_dp();
	cr_expect_eq(seen.adopt, 21);
	only_ours();
	serve(dp, 100);
	look();
	cr_expect_eq(found.caches, 21);
	cr_expect_eq(found.rlocs, 20, "and what nothing named is left behind");
	for (unsigned i = 0; i < 20; i++) {
		struct xtr_dp_entry *e;
		struct xtr_ippfx p;
		struct xtr_ip want;

		snprintf(eid, sizeof(eid), "10.2.%u.9", i);
		want = ip(eid);
		e = xtr_dp_cache_match(dp, 0, &want, &p);
		snprintf(eid, sizeof(eid), "192.0.2.%u", 182 + i);
		want = ip(eid);
		wrong += !e || !e->is.set || memcmp(&dp->rl_by_id[e->is.set->key.rl[0]]->dst, &want, sizeof(want));
	}
	cr_expect_eq(wrong, 0);
	xtr_dp_close(dp);
	detach();
}

Test(dp_life, a_smaller_map_cache_keeps_what_was_used_last)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct xtr_dp *dp;
	char eid[32];
	struct xtr_ip a;

	config(XTR_MODE_TC);
	dp = open_dp();
	for (unsigned i = 0; i < 100; i++) {
		union xtr_dp_key k;
		struct xtr_ippfx p;
		struct xtr_eid v;

		snprintf(eid, sizeof(eid), "10.2.%u.0/24", i);
		cr_assert_eq(put(dp, eid, &m), 0);
		p = pfx(eid);
		xtr_dp_key(&k, 0, &p);
		cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_EID4], &k, &v), 0);
		v.used = xtr_dp_jiffies(dp) - (i % 2 ? 0 : 100000);
		bpf_map_update_elem(dp->map[XTR_M_EID4], &k, &v, BPF_ANY);
	}
	xtr_dp_close(dp);
	cfg.cache_entries = 50;
	dp = open_dp();
	cr_expect_eq(seen.adopt, 50);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(eid, sizeof(eid), "10.2.%u.9", i);
		a = ip(eid);
		cr_expect_eq(xtr_dp_cache_match(dp, 0, &a, NULL) != NULL, i % 2, "entry %u", i);
	}
	xtr_dp_close(dp);
	detach();
}

/* ---- starts that were killed */

static unsigned kill_at, steps;
static bool (*counts)(const char *what); /* which steps are meant */

/* Every one but those between pinning and rename: many, and for maps and programs all the same. */
static bool but_pins(const char *what) { return strncmp(what, "xtr_", 4) && strncmp(what, "link_", 5); }

static void dies(const char *what)
{
	if (counts(what) && steps++ == kill_at)
		_exit(42);
}

/* 1: it was killed at that step; 0: it came to its end before. */
static int start_and_die(unsigned at)
{
	pid_t p = fork();
	int status;

	cr_assert(p >= 0);
	if (!p) {
		struct xtr_dp *dp;
		struct xtr_err err;

		kill_at = at;
		steps = 0;
		if (!counts)
			counts = but_pins;
		xtr_dp_step = dies;
		_exit(xtr_dp_open(&cfg, &cb, &dp, &err) ? 1 : 0);
	}
	waitpid(p, &status, 0);
	cr_assert(WIFEXITED(status) && (WEXITSTATUS(status) == 42 || !WEXITSTATUS(status)), "status %x", status);
	return WEXITSTATUS(status) == 42;
}

Test(dp_life, an_upgrade_killed_at_any_step_is_done_by_the_next_start)
{
	unsigned at = 0;
	int killed;

	config(XTR_MODE_XDP_GENERIC);
	do {
		struct xtr_dp *dp;

		memset(&seen, 0, sizeof(seen));
		run_once();
		cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(9)), 0);
		killed = start_and_die(at);
		dp = open_dp();
		cr_expect_eq(seen.adopt, at ? 6 : 3, "killed at step %u", at); /* run_once() adopts those of the turn before */
		only_ours();
		all_attached();
		cr_expect(iface_row("u0")->xdp && iface_row("h0")->xdp, "killed at step %u", at);
		cr_expect_eq(found.caches, 3);
		xtr_dp_close(dp);
		at++;
	} while (killed && at < 40);
	cr_expect_geq(at, 10);
	cr_expect_lt(at, 40);
	detach();
}

/* And the version before is started again instead: it finds a folder of its own from before. */
Test(dp_life, after_an_upgrade_that_was_killed_the_version_before_goes_on)
{
	unsigned at = 0;
	int killed;

	config(XTR_MODE_XDP_GENERIC);
	do {
		struct xtr_dp *dp;
		uint32_t cache = cfg.cache_entries;

		memset(&seen, 0, sizeof(seen));
		run_once();
		cfg.cache_entries = 2048; /* for the other version: another folder */
		killed = start_and_die(at);
		cfg.cache_entries = cache;
		dp = open_dp();
		cr_expect_eq(seen.adopt, at ? 6 : 3, "killed at step %u", at);
		only_ours();
		all_attached();
		cr_expect(iface_row("u0")->xdp && iface_row("h0")->xdp, "killed at step %u", at);
		xtr_dp_close(dp);
		at++;
	} while (killed && at < 40);
	cr_expect_geq(at, 10);
	detach();
}

static bool pairs_and_links(const char *what)
{
	return strstr(what, "pair") || !strncmp(what, "link_", 5) || !strcmp(what, XTR_MAP_CFG) || !strcmp(what, XTR_PROG_ENCAP);
}

/* Between a veth pair and the aliases of its ends; between the pin of a link, a map, a program and its name. */
Test(dp_life, a_first_start_killed_at_any_step_is_finished_by_the_next_one_or_removed_by_detach)
{
	char *before, *after, cmd[160], *names;
	unsigned at = 0;
	int killed;

	config(XTR_MODE_XDP_GENERIC);
	before = snapshot();
	counts = pairs_and_links;
	do {
		struct xtr_dp *dp;

		killed = start_and_die(at);
		detach();
		after = snapshot();
		expect_same(before, after);
		free(after);
		start_and_die(at);
		dp = open_dp();
		all_attached();
		cr_expect(iface_row("u0")->xdp && iface_row("h0")->xdp, "killed at step %u", at);
		snprintf(cmd, sizeof(cmd), "ls %s | grep ^new_", folder(XTR_ABI_VERSION));
		names = capture(cmd);
		cr_expect_str_empty(names, "killed at step %u: %s", at, names);
		free(names);
		xtr_dp_close(dp);
		detach();
		at++;
	} while (killed && at < 40);
	cr_expect_eq(at, 12, "two of the pair, seven links, a map, a program, and one that came to its end: %u", at);
	free(before);
}

/* What looks like ours but is up, or has another name on it, is somebody's. */
Test(dp_life, a_pair_of_our_names_that_somebody_uses_is_left_alone)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;

	config(XTR_MODE_TC);
	sh("ip link add xtr0 type veth peer name xtr0p && ip link set xtr0p up");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EEXIST);
	cr_expect(strstr(err.text, "not ours"), "%s", err.text);
	sh("ip link set xtr0p down && ip link set xtr0 alias mine");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EEXIST);
	cr_expect_neq(if_nametoindex("xtr0"), 0);
	sh("ip link set xtr0 alias '' && ip link set xtr0p name other");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EEXIST);
	cr_expect_neq(if_nametoindex("xtr0"), 0);
	sh("ip link del xtr0");
}

/* ---- roles */

static void roles(uint8_t u0, uint8_t h0)
{
	ports[0].role = u0;
	ports[1].role = h0;
}

/* A device has room for one XDP program: that of the other role gives way to it, by reload and by restart. */
static void role_changes(bool restart)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp;

	config(XTR_MODE_XDP_GENERIC);
	dp = open_dp();
	for (unsigned turn = 0; turn < 2; turn++) {
		const char *h0 = turn ? "link_xtr_xdp_eid_%d" : "link_xtr_xdp_under_%d", *not = turn ? "link_xtr_xdp_under_%d" : "link_xtr_xdp_eid_%d";
		char name[48], path[256];

		roles(XTR_ROLE_UNDERLAY, turn ? XTR_ROLE_EID : XTR_ROLE_UNDERLAY);
		if (restart) {
			xtr_dp_close(dp);
			dp = open_dp();
		} else {
			cr_assert_eq(xtr_dp_reconfigure(dp, &cfg, &err), 0, "%s", err.text);
		}
		all_attached();
		cr_expect(iface_row("h0")->xdp);
		snprintf(name, sizeof(name), h0, (int)if_nametoindex("h0"));
		snprintf(path, sizeof(path), "%s/%s", folder(XTR_ABI_VERSION), name);
		cr_expect(!access(path, F_OK), "%s", path);
		snprintf(name, sizeof(name), not, (int)if_nametoindex("h0"));
		snprintf(path, sizeof(path), "%s/%s", folder(XTR_ABI_VERSION), name);
		cr_expect(access(path, F_OK), "%s", path);
	}
	xtr_dp_close(dp);
	detach();
}

Test(dp_life, the_role_of_a_port_changes_under_xdp_by_reload) { role_changes(false); }
Test(dp_life, the_role_of_a_port_changes_under_xdp_by_restart) { role_changes(true); }

Test(dp_life, an_upgrade_that_fails_leaves_the_old_folder_alone)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;
	char want[64];

	config(XTR_MODE_TC);
	run_once();
	snprintf(want, sizeof(want), "v%u-1024-256 ", XTR_ABI_VERSION);
	cfg.cache_entries = 2048;
	snprintf(ports[1].name, sizeof(ports[1].name), "nosuch0");
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -ENODEV);
	folders_are(want);
	all_attached();
	detach();
}

/* ---- one owner */

/* In a child with a network namespace of its own, as container engines share a BPF file system. */
static int elsewhere(bool force, char *text, size_t size)
{
	int p[2], status;
	pid_t pid;
	ssize_t n;

	cr_assert_eq(pipe(p), 0);
	pid = fork();
	if (!pid) {
		struct xtr_err err = { "" };
		struct xtr_dp *dp;
		int r;

		if (unshare(CLONE_NEWNET))
			_exit(1);
		r = xtr_dp_open(&cfg, &cb, &dp, &err);
		if (r != -EXDEV && r != -EBUSY)
			_exit(2);
		r = xtr_dp_detach(bpffs, force, NULL, NULL, &err);
		if (write(p[1], err.text, strlen(err.text)) < 0)
			_exit(3);
		_exit(r == -EXDEV ? 10 : r == -EBUSY ? 11 : r ? 12 : 0);
	}
	close(p[1]);
	n = read(p[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(p[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(dp_life, another_namespace_can_neither_start_nor_detach_on_these_pins)
{
	char text[512];
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	dp = open_dp();
	cr_expect_eq(elsewhere(false, text, sizeof(text)), 11);
	cr_expect(strstr(text, "running xtrd"), "%s", text);
	xtr_dp_close(dp);
	cr_expect_eq(elsewhere(false, text, sizeof(text)), 10);
	cr_expect(strstr(text, "another network namespace"), "%s", text);
	all_attached();
	/* also when they are of another version */
	cr_assert_eq(rename(folder(XTR_ABI_VERSION), folder(9)), 0);
	cr_expect_eq(elsewhere(false, text, sizeof(text)), 10);
	cr_assert_eq(rename(folder(9), folder(XTR_ABI_VERSION)), 0);
	all_attached();
	cr_expect_eq(elsewhere(true, text, sizeof(text)), 0, "%s", text);
	cr_expect_neq(if_nametoindex("xtr0"), 0, "by force the programs go; the device is out of its reach");
	detach();
	cr_expect_eq(if_nametoindex("xtr0"), 0);
}

static void dawdles(const char *what)
{
	if (!strcmp(what, "locked"))
		usleep(700000);
}

Test(dp_life, a_second_start_is_refused_while_the_first_is_starting)
{
	struct xtr_err err = { "" };
	struct xtr_dp *dp = NULL;
	int status;
	pid_t p;

	config(XTR_MODE_TC);
	p = fork();
	if (!p) {
		xtr_dp_step = dawdles;
		_exit(xtr_dp_open(&cfg, &cb, &dp, &err) ? 1 : 0);
	}
	usleep(300000);
	cr_expect_eq(xtr_dp_open(&cfg, &cb, &dp, &err), -EBUSY);
	cr_expect(strstr(err.text, "another xtrd"), "%s", err.text);
	waitpid(p, &status, 0);
	cr_expect_eq(status, 0, "the first is not disturbed");
	all_attached();
	detach();
}

/* ---- no room */

Test(dp_life, one_site_with_many_locators_does_not_keep_others_out)
{
	struct xtr_dp_mapping m;
	struct xtr_dp *dp;
	char eid[32];
	struct xtr_ip a = ip("10.3.0.9");
	union xtr_dp_key k;
	struct xtr_ippfx p;
	struct xtr_eid v;

	config(XTR_MODE_TC);
	cfg.rloc_entries = 64;
	dp = open_dp();
	m = nth(100);
	cr_assert_eq(put(dp, "10.3.0.0/24", &m), 0); /* somebody else, in use */
	for (unsigned i = 0; i < 63; i++) {
		snprintf(eid, sizeof(eid), "10.2.%u.0/24", i);
		m = nth(i);
		if (i < 62)
			cr_assert_eq(put(dp, eid, &m), 0, "entry %u", i);
		p = pfx("10.3.0.0/24");
		xtr_dp_key(&k, 0, &p);
		bpf_map_lookup_elem(dp->map[XTR_M_EID4], &k, &v);
		v.used = xtr_dp_jiffies(dp);
		bpf_map_update_elem(dp->map[XTR_M_EID4], &k, &v, BPF_ANY);
	}
	cr_expect_eq(put(dp, "10.4.0.0/24", &m), 0, "full, but the idle give way");
	cr_expect(xtr_dp_cache_match(dp, 0, &a, NULL), "who is in use stays");
	a = ip("10.4.0.9");
	cr_expect(xtr_dp_cache_match(dp, 0, &a, NULL));
	serve(dp, 1100);
	/* what nobody names goes at once, without the grace period */
	for (unsigned i = 0; i < 300; i++) {
		m = nth(i % 200);
		if (put(dp, "10.5.0.0/24", &m))
			usleep(2 * 1000 * 100 / 2);
		else
			continue;
		cr_expect_eq(put(dp, "10.5.0.0/24", &m), 0, "round %u", i);
	}
	a = ip("10.3.0.9");
	cr_expect(xtr_dp_cache_match(dp, 0, &a, NULL));
	look();
	cr_expect_leq(found.rlocs, 63);
	xtr_dp_close(dp);
	dp = open_dp(); /* and what is in the kernel fits together */
	cr_expect_gt(seen.adopt, 50);
	xtr_dp_close(dp);
	detach();
}
