// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ITR: what was set by hand stays until it is removed by hand, over restarts and the end of what is in the kernel.
 */
#include "itr_lab.h"
#include "xtr/abi.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(by_hand, .init = itr_up, .fini = world_down);

#define NAME "itr-static"

static void add(const char *text, const struct xtr_fwd *f)
{
	struct xtr_eid_prefix e = fw_eid(text);

	cr_assert_eq(xtr_node_cache_add(itr->n, &e, f, w->now), 0, "%s", text);
}

static void add_drop(const char *text)
{
	add(text, &(struct xtr_fwd){ .action = XTR_ACT_DROP });
}

static unsigned clear(const char *text)
{
	struct xtr_eid_prefix e = fw_eid(text);

	return xtr_node_cache_clear(itr->n, &e, UINT32_MAX, w->now);
}

/* "10.2.0.0/24 encap 192.0.2.2/50, " of each static entry. */
static char shown[1024];

static int show_one(void *arg, const struct xtr_cache_info *c)
{
	char eid[XTR_EID_STRLEN], ip[XTR_IP_STRLEN];
	size_t n = strlen(shown);

	if (c->source != XTR_CACHE_STATIC)
		return 0;
	cr_expect_eq(c->ttl_left_ms, UINT64_MAX);
	n += (size_t)snprintf(shown + n, sizeof(shown) - n, "%s", xtr_eid_str(&c->eid, eid));
	for (unsigned i = 0; i < c->locator_count; i++)
		n += (size_t)snprintf(shown + n, sizeof(shown) - n, " %s/%u", xtr_ip_str(&c->locators[i].ip, ip),
				      c->locators[i].weight);
	snprintf(shown + n, sizeof(shown) - n, c->locator_count ? ", " : " act %u, ", c->act);
	return 0;
}

static const char *statics(void)
{
	*shown = '\0';
	xtr_node_walk_cache(itr->n, NULL, w->now, show_one, NULL);
	return shown;
}

static struct fw_blob *file(void)
{
	for (unsigned i = 0; i < 8; i++)
		if (itr->blobs[i].buf && !strcmp(itr->blobs[i].name, NAME))
			return &itr->blobs[i];
	return NULL;
}

static void kill_and_start(void)
{
	fw_kill(itr);
	fw_restart(itr);
	fw_run(w, 1);
}

Test(by_hand, entries_survive_a_kill_with_their_weights_and_actions)
{
	static const char all[] = "[0]10.8.0.0/16 act 3, [0]10.9.0.0/16 192.0.2.2/50 192.0.2.3/0, [7]fd09::/64 2001:db8::2/255, ";

	add_drop("10.8.0.0/16");
	add("10.9.0.0/16", &(struct xtr_fwd){ .action = XTR_ACT_ENCAP, .n = 2,
					      .locators = { { fw_ip("192.0.2.2"), 50 }, { fw_ip("192.0.2.3"), 0 } } });
	add("[7]fd09::/64", &(struct xtr_fwd){ .action = XTR_ACT_ENCAP, .n = 1,
					       .locators = { { fw_ip("2001:db8::2"), 255 } } });
	cr_assert_str_eq(statics(), all);
	for (unsigned i = 0; i < 3; i++) {
		kill_and_start();
		cr_assert_str_eq(statics(), all);
	}
	fw_run(w, 1000ull * conf.c.timers.adopt_lifetime + 90000000);
	cr_assert_str_eq(statics(), all);
	cr_assert_eq(fw_dp_get(itr, "10.8.0.0/16")->fwd.action, XTR_ACT_DROP);
}

Test(by_hand, entries_of_other_families_and_groups_survive_too)
{
	add_drop("02:00:00:00:00:01/48");
	add_drop("(10.0.0.0/8,224.1.1.1/32)");
	kill_and_start();
	cr_assert_not_null(strstr(statics(), "0200-0000-0001"), "%s", shown);
	cr_assert_not_null(strstr(statics(), "224.1.1.1"), "%s", shown);
}

Test(by_hand, the_kernel_gets_what_it_has_lost)
{
	struct fw_dp *d;

	add_drop("10.8.0.0/16");
	fw_stop(itr);
	d = fw_dp_get(itr, "10.8.0.0/16");
	cr_assert_not_null(d);
	itr->dp_count = 0; /* detached, or a reboot */
	fw_restart(itr);
	cr_assert_eq(fw_dp_get(itr, "10.8.0.0/16")->fwd.action, XTR_ACT_DROP);
}

Test(by_hand, what_the_kernel_has_of_them_is_not_adopted)
{
	const struct xtr_fwd found = { .action = XTR_ACT_ENCAP, .n = 1, .locators = { { fw_ip("192.0.2.2"), 1 } } };
	struct xtr_eid_prefix e = fw_eid("10.9.0.0/16");

	add("10.9.0.0/16", &(struct xtr_fwd){ .action = XTR_ACT_ENCAP, .n = 1, .locators = { { fw_ip("192.0.2.2"), 50 } } });
	kill_and_start();
	xtr_node_adopt(itr->n, &e, &found, w->now);
	cr_assert_str_eq(statics(), "[0]10.9.0.0/16 192.0.2.2/50, ");
}

Test(by_hand, removed_ones_stay_removed)
{
	add_drop("10.8.0.0/16");
	add_drop("10.9.0.0/16");
	add_drop("fd01::/64");
	cr_assert_eq(clear("10.8.0.0/16"), 1);
	kill_and_start();
	cr_assert_str_eq(statics(), "[0]10.9.0.0/16 act 3, [0]fd01::/64 act 3, ");
	cr_assert_eq(xtr_node_cache_clear(itr->n, NULL, UINT32_MAX, w->now), 2);
	kill_and_start();
	cr_assert_str_eq(statics(), "");
}

/* Killed in between, the first half would be all there is; but the work would be the square of their number. */
Test(by_hand, many_are_written_together)
{
	struct fw_blob *b;

	xtr_node_batch(itr->n, true);
	add_drop("10.8.0.0/16");
	add_drop("10.9.0.0/16");
	cr_assert_null(file());
	xtr_node_batch(itr->n, false);
	b = file();
	cr_assert_not_null(b);
	cr_assert_eq(((uint8_t *)b->buf)[7], 2);
}

/* All of the map-cache is gone through for it: with a million entries, nobody waits for that with each one that is added. */
Test(by_hand, in_a_large_map_cache_they_are_written_a_moment_later)
{
	const struct xtr_fwd found = { .action = XTR_ACT_ENCAP, .n = 1, .locators = { { fw_ip("192.0.2.2"), 1 } } };
	char text[24];

	for (unsigned i = 0; i < 4200; i++) {
		struct xtr_eid_prefix e;

		snprintf(text, sizeof(text), "10.%u.%u.0/24", 100 + i / 256, i % 256);
		e = fw_eid(text);
		xtr_node_adopt(itr->n, &e, &found, w->now);
	}
	add_drop("10.8.0.0/16");
	cr_assert_null(file());
	fw_run(w, 0);
	xtr_node_tick(itr->n, w->now + 100);
	cr_assert_not_null(file());
}

Test(by_hand, learned_entries_are_not_kept_as_static_ones)
{
	RESOLVE("10.2.0.5", FW_REC("10.2.0.0/24", 60, "192.0.2.2"));
	add_drop("10.8.0.0/16");
	kill_and_start();
	cr_assert_str_eq(statics(), "[0]10.8.0.0/16 act 3, ");
}

Test(by_hand, they_come_back_with_the_role)
{
	add_drop("10.8.0.0/16");
	conf.c.itr = false;
	conf.c.ms = true;
	fw_reconfigure(itr, &conf);
	cr_assert_null(fw_dp_get(itr, "10.8.0.0/16"));
	conf.c.itr = true;
	fw_reconfigure(itr, &conf);
	cr_assert_str_eq(statics(), "[0]10.8.0.0/16 act 3, ");
	cr_assert_not_null(fw_dp_get(itr, "10.8.0.0/16"));
}

Test(by_hand, what_is_ours_meanwhile_is_not_restored)
{
	add_drop("10.8.0.0/16");
	fw_stop(itr);
	fw_conf_mapping(&itr->conf, "10.8.0.0/15", "192.0.2.1");
	fw_restart(itr);
	cr_assert_str_eq(statics(), "");
	cr_assert_eq(itr->restored, 0);
}

Test(by_hand, a_disk_that_was_full_is_tried_again)
{
	itr->save_fails = true;
	add_drop("10.8.0.0/16");
	fw_tick(itr);
	fw_run(w, 1000);
	cr_assert_null(file());
	itr->save_fails = false;
	fw_run(w, 60000);
	kill_and_start();
	cr_assert_str_eq(statics(), "[0]10.8.0.0/16 act 3, ");
}

/* Cut anywhere, and every octet changed: what can be read is used, no more, and the rest is said to be missing. */
Test(by_hand, a_damaged_file_does_no_harm)
{
	struct fw_blob *b;
	uint8_t good[512];
	size_t len;

	add("10.9.0.0/16", &(struct xtr_fwd){ .action = XTR_ACT_ENCAP, .n = 1, .locators = { { fw_ip("192.0.2.2"), 50 } } });
	add_drop("[9]fd01::/64");
	b = file();
	cr_assert_not_null(b);
	len = b->len;
	cr_assert_leq(len, sizeof(good));
	memcpy(good, b->buf, len);
	for (size_t i = 0; i < 2 * len; i++) {
		fw_kill(itr);
		b = file();
		b->buf = realloc(b->buf, len);
		memcpy(b->buf, good, len);
		b->len = i < len ? i : len;
		if (i >= len)
			((uint8_t *)b->buf)[i - len] ^= 0xff;
		fw_restart(itr);
		if (i < len)
			cr_expect_eq(itr->restored, -EBADMSG, "cut at %zu", i);
	}
}

Test(by_hand, more_than_there_is_room_for_is_said)
{
	for (unsigned i = 0; i < 20; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.9.%u.0/24", i);
		add_drop(text);
	}
	fw_stop(itr);
	itr->conf.c.limits.cache_entries = 16;
	fw_restart(itr);
	cr_assert_eq(itr->restored, -ENOSPC);
}
