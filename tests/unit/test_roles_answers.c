// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Answers that leave at the end of a turn: what can not be sent then is counted as if it had been refused at once, and a
 * Map-Reply goes to the ITR's next address, as it does at once. A Map-Server without RLOCs of its own: only sending tells what
 * can be reached.
 */
#include "fake_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct sent {
	struct xtr_ip dst;
	uint16_t dport;
	int type;
	bool waited;
} sent[64];
static struct waiting {
	struct xtr_ip dst;
	uint16_t dport;
	uint8_t buf[512], note[1024];
	size_t len;
} waiting[64];
static unsigned sent_count, waiting_count;
static const char *unreachable[2]; /* addresses that the kernel has no route to */

static int transmit(const struct xtr_ip *dst, uint16_t dport, const uint8_t *buf, size_t len, bool waited)
{
	for (unsigned i = 0; i < 2; i++) {
		struct xtr_ip u = unreachable[i] ? fw_ip(unreachable[i]) : (struct xtr_ip){ 0 };

		if (unreachable[i] && !xtr_ip_cmp(&u, dst))
			return -ENETUNREACH;
	}
	sent[sent_count++] = (struct sent){ *dst, dport, xtr_msg_type(buf, len), waited };
	return 0;
}

static int op_send(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport, const void *buf, size_t len)
{
	return transmit(dst, dport, buf, len, false);
}

static int op_answer(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport, const void *buf,
		     size_t len, const void *note, size_t note_len)
{
	struct waiting *m = &waiting[waiting_count++];

	cr_assert(len <= sizeof(m->buf) && note_len <= sizeof(m->note));
	m->dst = *dst;
	m->dport = dport;
	m->len = len;
	memcpy(m->buf, buf, len);
	memset(m->note, 0xff, sizeof(m->note));
	memcpy(m->note, note, note_len);
	return 0;
}

static void op_random(void *ctx, void *buf, size_t len) { memset(buf, 7, len); }
static int op_save(void *ctx, const char *name, const void *buf, size_t len) { return 0; }
static int op_load(void *ctx, const char *name, void *buf, size_t size) { return -ENOENT; }
static uint64_t op_wall(void *ctx) { return 1700000000; }

static struct xtr_node *node;
static struct fw_conf conf, used;
static uint64_t nonce = 1000;

static void go(bool at_once)
{
	const struct xtr_ops ops = { .send = op_send, .answer = at_once ? NULL : op_answer, .random = op_random,
				     .save = op_save, .load = op_load, .wall_seconds = op_wall };

	fw_conf_init(&conf);
	conf.c.ms = true;
	fw_conf_site(&conf, "a", "10.1.0.0/16", true);
	fw_conf_copy(&used, &conf);
	cr_assert_eq(xtr_node_new(&used.c, &ops, 0, &node), 0);
	sent_count = waiting_count = 0;
}

static void input(const uint8_t *buf, size_t len)
{
	const struct xtr_msg_meta meta = { .src = fw_ip("192.0.2.1"), .dst = fw_ip("192.0.2.9"), .sport = 4342, .dport = 4342 };

	xtr_node_input(node, &meta, buf, len, 1000);
}

static void turn_ends(void)
{
	for (unsigned i = 0; i < waiting_count; i++) {
		const struct waiting *m = &waiting[i];

		if (transmit(&m->dst, m->dport, m->buf, m->len, true))
			xtr_node_unsent(node, m->dport, m->buf, m->len, m->note);
	}
	waiting_count = 0;
}

static void reg(void)
{
	const struct fw_rec rec = FW_REC("10.1.2.0/24", 1440, "192.0.2.1");
	const struct fw_reg r = { .nonce = ++nonce, .flags = XTR_REG_P | XTR_REG_M };
	uint8_t buf[1024];

	input(buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	turn_ends();
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_REGISTER_ACCEPTED], 1);
}

static void ask(const char *itr_rloc, const char *itr_rloc2)
{
	const struct fw_req q = { .eid = "10.1.2.3", .nonce = ++nonce, .itr_rloc = itr_rloc, .itr_rloc2 = itr_rloc2 };
	uint8_t buf[1024];

	input(buf, fw_make_request(buf, sizeof(buf), &q));
	turn_ends();
}

static void to(unsigned i, int type, const char *dst, bool waited)
{
	struct xtr_ip a = fw_ip(dst);

	cr_assert_lt(i, sent_count);
	cr_assert_eq(sent[i].type, type);
	cr_assert_eq(xtr_ip_cmp(&sent[i].dst, &a), 0);
	cr_assert_eq(sent[i].waited, waited);
}

Test(answers, a_map_notify_and_a_map_reply_wait_for_the_end_of_the_turn)
{
	go(false);
	reg();
	ask("192.0.2.50", NULL);
	cr_assert_eq(sent_count, 2);
	to(0, XTR_MSG_MAP_NOTIFY, "192.0.2.1", true);
	to(1, XTR_MSG_MAP_REPLY, "192.0.2.50", true);
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_TX], 2);
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_TX_MAP_REPLY], 1);
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_TX_FAILED], 0);
	xtr_node_free(node);
}

Test(answers, MS_what_can_not_be_sent_goes_to_the_next_itr_rloc)
{
	unreachable[0] = "192.0.2.50";
	go(false);
	reg();
	ask("192.0.2.50", "2001:db8::50");
	cr_assert_eq(sent_count, 2);
	to(1, XTR_MSG_MAP_REPLY, "2001:db8::50", false);
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_TX_MAP_REPLY], 1);
	cr_assert_eq(xtr_node_counters(node)[XTR_NODE_TX_FAILED], 1);
	xtr_node_free(node);
}

/* Whatever fails: the counters at the end of the turn are those of a node that sends at once. */
Test(answers, failures_are_counted_as_when_sent_at_once)
{
	static const char *const cases[][2] = {
		{ NULL, NULL }, { "192.0.2.50", NULL }, { "192.0.2.50", "2001:db8::50" }, { "192.0.2.1", "2001:db8::50" },
	};

	for (unsigned i = 0; i < 4; i++) {
		uint64_t at_once[XTR_NODE_COUNTER_MAX];

		memcpy(unreachable, cases[i], sizeof(unreachable));
		for (unsigned later = 0; later < 2; later++) {
			nonce = 1000;
			go(!later);
			reg();
			ask("192.0.2.50", "2001:db8::50");
			ask("2001:db8::50", NULL);
			if (later)
				cr_assert_arr_eq(at_once, xtr_node_counters(node), sizeof(at_once), "case %u", i);
			memcpy(at_once, xtr_node_counters(node), sizeof(at_once));
			xtr_node_free(node);
		}
	}
}

/* Looking ahead does nothing but read, and reads what anybody may have sent: each message cut at every octet, and with each of
 * its octets changed. */
Test(answers, looking_ahead_changes_nothing_whatever_comes)
{
	const struct fw_rec rec = FW_REC("10.1.2.0/24", 1440, "192.0.2.1");
	const struct fw_reg r = { .nonce = ++nonce, .flags = XTR_REG_P | XTR_REG_M };
	const struct fw_req q = { .eid = "10.1.2.3", .nonce = ++nonce, .itr_rloc = "192.0.2.50" };
	uint64_t before[XTR_NODE_COUNTER_MAX];
	struct xtr_node_next next[100];
	uint8_t made[2][512];
	size_t len[2];

	go(false);
	len[0] = fw_make_register(made[0], sizeof(made[0]), &r, &rec, 1);
	len[1] = fw_make_request(made[1], sizeof(made[1]), &q);
	for (unsigned filled = 0; filled < 2; filled++) {
		if (filled)
			reg();
		memcpy(before, xtr_node_counters(node), sizeof(before));
		for (unsigned m = 0; m < 2; m++)
			for (size_t i = 0; i <= len[m]; i++) {
				uint8_t *cut = malloc(i ? i : 1), *changed = malloc(len[m]);

				memcpy(cut, made[m], i);
				memcpy(changed, made[m], len[m]);
				changed[i % len[m]] ^= 0xff;
				next[0] = (struct xtr_node_next){ cut, i };
				next[1] = (struct xtr_node_next){ changed, len[m] };
				next[2] = (struct xtr_node_next){ made[m], len[m] };
				xtr_node_ahead(node, next, 3);
				free(cut);
				free(changed);
			}
		/* more than it looks at */
		for (unsigned i = 0; i < 100; i++)
			next[i] = (struct xtr_node_next){ made[i & 1], len[i & 1] };
		xtr_node_ahead(node, next, 100);
		cr_assert_arr_eq(before, xtr_node_counters(node), sizeof(before));
		cr_assert_eq(waiting_count, 0);
	}
	xtr_node_free(node);
}
