// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Dialects of other implementations at the roles: MACs as long as the algorithms' names say, locators of kinds that are
 * unknown here, ITR-RLOCs that cannot be reached.
 */
#include <criterion/criterion.h>

#include "codec/auth.h"
#include "unit/fake_world.h"

#include <string.h>

static struct fw *w;
static struct fw_node *ms;
static struct fw_conf conf;

static void set_up(void)
{
	w = fw_new();
	fw_conf_init(&conf);
	conf.c.ms = true;
	fw_conf_rloc(&conf, "192.0.2.9");
	fw_conf_site(&conf, "a", "10.1.0.0/24", false);
	ms = fw_start(w, "ms", &conf);
	fw_until(w, 0);
}

static void tear_down(void)
{
	fw_free(w);
}

TestSuite(interop, .init = set_up, .fini = tear_down);

/* An LCAF of type 200, and the address it is a locator beside. */
static const uint8_t unknown[] = { 0x40, 0x03, 0, 0, 200, 0, 0, 2, 0xab, 0xcd };

/* One record with a locator of an unknown kind, or a plain one, or both. */
static void send_register(uint64_t nonce, uint8_t auth_len, bool with_unknown, const char *plain, uint32_t flags)
{
	const struct xtr_register_out head = {
		.type = XTR_MSG_MAP_REGISTER, .flags = flags, .nonce = nonce, .key_id = fw_key.key_id, .alg_id = fw_key.alg_id,
		.auth_len = auth_len, .record_count = 1,
	};
	const struct xtr_record_head rec = { .ttl = 1440, .authoritative = true };
	struct xtr_eid_prefix eid = fw_eid("10.1.0.0/24");
	struct xtr_locator l = { .priority = 1, .reachable = true };
	struct xtr_rd rd = xtr_rd_init(unknown, sizeof(unknown));
	uint8_t buf[512], count = 0;
	struct xtr_wr wr = xtr_wr_init(buf, sizeof(buf));
	struct xtr_ip ip;
	size_t mark;

	xtr_register_begin(&wr, &head);
	mark = xtr_put_record_begin(&wr, &rec, &eid);
	if (with_unknown) {
		xtr_addr_decode(&rd, &l.addr);
		xtr_put_locator_raw(&wr, &l);
		count++;
	}
	if (plain && !xtr_ip_parse(plain, &ip)) {
		xtr_put_locator(&wr, 1, 100, 255, 0, true, false, true, &ip);
		count++;
	}
	xtr_put_record_end(&wr, mark, count);
	cr_assert_eq(wr.err, 0);
	cr_assert_eq(xtr_auth_sign(buf, xtr_wr_len(&wr), 16, auth_len, XTR_MSG_MAP_REGISTER, fw_key.alg_id, nonce, fw_key.secret,
				   fw_key.secret_len), 0);
	fw_inject(ms, "192.0.2.1", 4342, buf, xtr_wr_len(&wr));
}

static int count_locators(void *arg, const struct xtr_site_info *i)
{
	if (i->registered)
		*(unsigned *)arg = i->locator_count;
	return 0;
}

static unsigned locators(void)
{
	unsigned n = 0;

	xtr_node_walk_sites(ms->n, w->now, count_locators, &n);
	return n;
}

Test(interop, RFC9301_5_7_the_mac_of_a_map_notify_is_as_long_as_that_of_the_map_register)
{
	static const uint8_t lengths[] = { 16, 32 };

	for (unsigned i = 0; i < 2; i++) {
		struct xtr_register m;
		struct fw_packet *p;

		send_register(100 + i, lengths[i], false, "192.0.2.1", XTR_REG_M);
		p = fw_sent(ms, XTR_MSG_MAP_NOTIFY, i);
		cr_assert_not_null(p);
		cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
		cr_assert_eq(m.auth_len, lengths[i]);
		cr_assert_eq(xtr_auth_verify(p->buf, p->len, m.auth_off, m.auth_len, m.type, m.alg_id, m.nonce, fw_key.secret,
					     fw_key.secret_len), 0);
		cr_assert_eq(xtr_register_decode_body(&m), 0);
	}
}

Test(interop, RFC9306_3_a_locator_of_an_unknown_kind_is_ignored)
{
	send_register(1, 32, true, "192.0.2.1", 0);
	cr_assert_eq(locators(), 1);
}

Test(interop, a_record_with_nothing_but_unknown_locators_is_refused_and_no_withdrawal)
{
	send_register(1, 32, true, NULL, 0);
	cr_assert_eq(locators(), 0);
	cr_assert_eq(fw_counter(ms, XTR_NODE_REGISTER_ACCEPTED), 0);
	send_register(2, 32, false, "192.0.2.1", 0);
	cr_assert_eq(locators(), 1);
	send_register(3, 32, true, NULL, 0);
	cr_assert_eq(locators(), 1);
	cr_assert_eq(fw_counter(ms, XTR_NODE_DROP_UNKNOWN_TYPE), 2);
}

/* lispers.net: the highest bit of a record TTL says that it is in seconds. */
Test(interop, a_registration_whose_TTL_is_in_seconds_lives_so_long)
{
	const struct fw_rec rec = FW_REC("10.1.0.0/24", 0x80000000u + 150, "192.0.2.1");
	const struct fw_reg r = { .nonce = 1, .flags = XTR_REG_T | XTR_REG_P };
	const struct fw_req ask = { .nonce = 7, .eid = "10.1.0.1/32", .itr_rloc = "198.51.100.1" };
	struct xtr_map_reply m;
	struct xtr_record got;
	struct fw_packet *p;
	uint8_t buf[1024];

	fw_inject(ms, "192.0.2.1", 4342, buf, fw_make_register(buf, sizeof(buf), &r, &rec, 1));
	fw_inject(ms, "198.51.100.1", 4342, buf, fw_make_request(buf, sizeof(buf), &ask));
	p = fw_sent(ms, XTR_MSG_MAP_REPLY, 0);
	cr_assert(p);
	cr_assert_eq(xtr_map_reply_decode(p->buf, p->len, &m), 0);
	cr_assert(xtr_record_next(&m.records, &got));
	cr_expect_eq(got.ttl, 2, "in minutes, as everybody reads it");
	fw_run(w, 149000);
	cr_expect_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 0);
	fw_run(w, 2000);
	cr_expect_eq(fw_counter(ms, XTR_NODE_REGISTRATION_EXPIRED), 1);
}
