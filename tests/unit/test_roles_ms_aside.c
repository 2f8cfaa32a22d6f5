// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A Map-Server with many registrations saves them in a copy of itself, so that nobody waits for an answer meanwhile; with few, or
 * where there can be no copy, at once.
 */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 20000, PER_MESSAGE = 20 };

static unsigned saved, copies;
static bool in_copy, saved_in_copy;
static int answer; /* of the next wish for a copy */

static int op_send(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport, const void *buf, size_t len)
{
	return 0;
}

static void op_random(void *ctx, void *buf, size_t len) { memset(buf, 7, len); }
static int op_load(void *ctx, const char *name, void *buf, size_t size) { return -ENOENT; }
static uint64_t op_wall(void *ctx) { return 1700000000; }

static int op_save(void *ctx, const char *name, const void *buf, size_t len)
{
	if (strcmp(name, "ms-registrations"))
		return 0;
	saved++;
	saved_in_copy = in_copy;
	return 0;
}

static int op_aside(void *ctx, void (*work)(void *arg), void *arg)
{
	copies++;
	if (answer)
		return answer;
	in_copy = true;
	work(arg);
	in_copy = false;
	return 0;
}

static struct xtr_node *node;
static struct fw_conf conf, used;

static void start(unsigned registrations)
{
	const struct xtr_msg_meta meta = { .src = fw_ip("192.0.2.1"), .dst = fw_ip("192.0.2.9"), .sport = 4342, .dport = 4342 };
	const struct xtr_ops ops = { .send = op_send, .random = op_random, .save = op_save, .load = op_load,
				     .wall_seconds = op_wall, .aside = op_aside };
	static char eids[PER_MESSAGE][24];
	struct fw_rec recs[PER_MESSAGE];
	uint8_t buf[2048];

	fw_conf_init(&conf);
	fw_conf_site(&conf, "a", "10.0.0.0/8", true)->max_registrations = MANY;
	conf.c.limits.registrations = MANY;
	fw_conf_copy(&used, &conf);
	cr_assert_eq(xtr_node_new(&used.c, &ops, 0, &node), 0);
	for (unsigned i = 0; i < registrations; i++) {
		const struct fw_reg r = { .nonce = 1000 + i, .flags = XTR_REG_P };
		unsigned at = i % PER_MESSAGE;

		snprintf(eids[at], sizeof(eids[at]), "10.%u.%u.0/24", i >> 8, i & 255);
		recs[at] = (struct fw_rec)FW_REC(eids[at], 1440, "192.0.2.1");
		if (at == PER_MESSAGE - 1)
			xtr_node_input(node, &meta, buf, fw_make_register(buf, sizeof(buf), &r, recs, PER_MESSAGE), 0);
	}
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_REGISTER_ACCEPTED], registrations / PER_MESSAGE);
}

/* Until the next checkpoint has been tried; what it has saved. */
static unsigned until_checkpoint(uint64_t *now)
{
	unsigned before = saved, tried = copies;

	for (uint64_t end = *now + 40000; *now < end && saved == before && copies == tried; *now += 100)
		xtr_node_tick(node, *now);
	return saved - before;
}

Test(ms_aside, few_are_saved_at_once)
{
	uint64_t now = 0;

	start(MANY - PER_MESSAGE);
	cr_expect_eq(until_checkpoint(&now), 1);
	cr_expect_eq(copies, 0);
	xtr_node_free(node);
}

Test(ms_aside, many_are_saved_by_a_copy_and_at_the_end_by_ourselves)
{
	uint64_t now = 0;

	start(MANY);
	cr_expect_eq(until_checkpoint(&now), 1);
	cr_expect_eq(copies, 1);
	cr_expect(saved_in_copy);
	xtr_node_free(node);
	cr_expect_eq(saved, 2);
	cr_expect_not(saved_in_copy);
}

Test(ms_aside, while_the_last_copy_writes_there_is_no_second_and_without_copies_all_is_saved)
{
	uint64_t now = 0;

	start(MANY);
	answer = -EBUSY;
	cr_expect_eq(until_checkpoint(&now), 0);
	cr_expect_eq(copies, 1);
	answer = -ENOMEM;
	cr_expect_eq(until_checkpoint(&now), 1, "it is tried again");
	cr_expect_eq(copies, 2);
	cr_expect_not(saved_in_copy);
	xtr_node_free(node);
}
