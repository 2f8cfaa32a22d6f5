// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, keys, and the core and its layers (RFC 9962, draft-farinacci-lisp-decent-10 4.2 to 4.4). Names cite the
 * rules; above each test stands what breaks it.
 */
#include "codec/auth.h"
#include "group_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(decent_roles, .init = world_up, .fini = world_down);

/* Number of the first packet of this type and about this EID from the node that goes to this
 * address, as a copy for a group or by itself; packet_count: none. */
static unsigned first(const struct fw_node *f, int type, const char *eid, const char *dst)
{
	const struct xtr_eid_prefix e = fw_eid(eid);
	const struct xtr_ip ip = fw_ip(dst);
	unsigned i;

	for (i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];
		struct xtr_eid_prefix about;

		if (p->from != f || fw_type(p) != type || xtr_ip_cmp(&p->dst, &ip))
			continue;
		about = type == XTR_MSG_MAP_REGISTER ? registered_eid(p) : asked_eid(p);
		if (xtr_eid_equal(&about, &e))
			break;
	}
	return i;
}

/* ---- keys */

/* Breaks if the group's key is the only one, or the key of one prefix opens another. */
Test(decent_roles, D_27_a_key_for_each_EID_prefix)
{
	struct fw_node *n[2];

	for (unsigned i = 0; i < 2; i++) {
		struct fw_conf c;

		conf_member(&c, i + 1, G, false);
		fw_conf_site(&c, "keys", "10.77.0.0/16", true);
		c.keys[c.c.site_count - 1][0] = other_key;
		n[i] = fw_start(w, "member", &c);
	}
	fw_run(w, 3000);
	for (unsigned i = 0; i < 2; i++) {
		offer(n[i], G, "10.77.1.0/24", &fw_key);
		cr_expect_str_eq(registered(n[i], "10.77.1.0/24"), "", "the key of the group");
		offer(n[i], G, "10.78.1.0/24", &other_key);
		cr_expect_str_eq(registered(n[i], "10.78.1.0/24"), "", "outside");
		offer(n[i], G, "(*," G ")", &other_key);
		cr_expect_str_eq(registered(n[i], "(*," G ")"), "192.0.2.1 192.0.2.2");
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_AUTH), 3);
		offer(n[i], G, "10.77.1.0/24", &other_key);
		cr_expect_str_eq(registered(n[i], "10.77.1.0/24"), "192.0.2.99");
	}
}

/* A public key rides as an ordinary registration: a name, and JSON in place of an RLOC. */
static size_t make_public_key(uint8_t *buf, size_t size, const char *name, const char *json,
			      const struct xtr_key *key, uint64_t nonce)
{
	const struct xtr_register_out head = { .type = XTR_MSG_MAP_REGISTER,
					       .flags = XTR_REG_P,
					       .nonce = nonce,
					       .key_id = key->key_id,
					       .alg_id = key->alg_id,
					       .record_count = 1 };
	const struct xtr_record_head rec = { .ttl = 1440, .authoritative = true };
	const struct xtr_eid_prefix eid = fw_eid(name);
	const uint16_t len = (uint16_t)strlen(json);
	struct xtr_wr wr = xtr_wr_init(buf, size);
	uint8_t lcaf[256];
	struct xtr_wr l = xtr_wr_init(lcaf, sizeof(lcaf));
	struct xtr_locator loc = { .priority = 255, .mpriority = 255, .reachable = true };
	size_t mark;

	xtr_wr_u16(&l, XTR_AFI_LCAF);
	xtr_wr_u16(&l, 0);
	xtr_wr_u8(&l, XTR_LCAF_JSON);
	xtr_wr_u8(&l, 0);
	xtr_wr_u16(&l, (uint16_t)(2 + len + 2));
	xtr_wr_u16(&l, len);
	xtr_wr_bytes(&l, json, len);
	xtr_wr_u16(&l, XTR_AFI_NONE);
	loc.addr.wire = lcaf;
	loc.addr.wire_len = (uint16_t)xtr_wr_len(&l);
	xtr_register_begin(&wr, &head);
	mark = xtr_put_record_begin(&wr, &rec, &eid);
	xtr_put_locator_raw(&wr, &loc);
	xtr_put_record_end(&wr, mark, 1);
	cr_assert_eq(wr.err | l.err, 0);
	cr_assert_eq(xtr_auth_sign(buf, xtr_wr_len(&wr), 16, (size_t)xtr_auth_len(key->alg_id),
				   head.type, key->alg_id, nonce, key->secret, key->secret_len),
		     0);
	return xtr_wr_len(&wr);
}

/* Breaks if members do not store a name with a key, do not give it to who asks, or let another key
 * change it. */
Test(decent_roles, D_27_public_keys_are_registered_to_the_group_with_their_own_key)
{
	static const char name[] = "'hash-0a1b2c'", json[] = "{\"public-key\":\"MFkwEwYH\"}",
			  bad[] = "{\"public-key\":\"FORGED00\"}";
	const struct xtr_msg_meta meta = {
		.src = fw_ip("192.0.2.99"), .dst = fw_ip(G), .sport = 4342, .dport = 4342
	};
	const struct fw_req req = { .nonce = 6, .eid = name, .itr_rloc = "198.51.100.1" };
	struct fw_node *n[2];
	uint8_t buf[1024];

	for (unsigned i = 0; i < 2; i++) {
		struct fw_conf c;

		conf_member(&c, i + 1, G, false);
		fw_conf_site(&c, "public keys", "'hash-'", true);
		c.keys[c.c.site_count - 1][0] = other_key;
		n[i] = fw_start(w, "member", &c);
	}
	fw_run(w, 3000);
	for (unsigned i = 0; i < 2; i++) {
		struct fw_packet *p;
		size_t len;

		len = make_public_key(buf, sizeof(buf), name, json, &other_key, 10);
		xtr_node_input(n[i]->n, &meta, buf, len, w->now);
		len = make_public_key(buf, sizeof(buf), name, bad, &fw_key, 11);
		xtr_node_input(n[i]->n, &meta, buf, len, w->now);
		cr_expect_eq(fw_counter(n[i], XTR_NODE_DROP_AUTH), 1);
		len = fw_make_request(buf, sizeof(buf), &req);
		fw_inject(n[i], "198.51.100.1", 4342, buf, len);
		p = fw_sent(n[i], XTR_MSG_MAP_REPLY, 0);
		cr_assert(p);
		cr_expect(memmem(p->buf, p->len, json, strlen(json)), "member %u", i + 1);
		cr_expect_not(memmem(p->buf, p->len, bad, strlen(bad)));
	}
}

/* ---- the core and its layers */

/* Breaks if the members of the core need to know more than its address. */
Test(decent_roles, D_30_the_address_of_the_core_is_enough_for_its_members)
{
	struct fw_node *n[3];

	for (unsigned i = 0; i < 3; i++)
		n[i] = start_core(i + 1, false); /* no peers */
	fw_run(w, 3000);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_str_eq(registered(n[i], "(*," CORE ")"),
				 "192.0.2.1 192.0.2.2 192.0.2.3");
}

/* Breaks if the membership of a layer cannot be found with the core's address and one RLOC. */
Test(decent_roles, D_30_a_few_routers_outside_know_it_too)
{
	struct fw_node *i;

	start_core(1, true);
	start_core(2, true);
	start_core(3, true);
	fw_run(w, 3000);
	i = start_layer(11, L1);
	fw_run(w, 3000);
	cr_expect_str_eq(list(i, CORE), "192.0.2.1 192.0.2.2 192.0.2.3");
	cr_expect_str_eq(lig(i, "(*," L1 ")"), "192.0.2.11");
}

/* Breaks if a core is closed once it runs. */
Test(decent_roles, D_31_who_comes_later_joins_the_core_by_its_group)
{
	struct fw_node *n[3];

	n[0] = start_core(1, false);
	n[1] = start_core(2, false);
	fw_run(w, 400000);
	cr_assert_str_eq(registered(n[0], "(*," CORE ")"), "192.0.2.1 192.0.2.2");
	n[2] = start_core(3, false);
	fw_run(w, 2000);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_str_eq(registered(n[i], "(*," CORE ")"),
				 "192.0.2.1 192.0.2.2 192.0.2.3");
		cr_expect_str_eq(registered(n[i], "10.3.0.0/16"), "192.0.2.3");
		cr_expect_str_eq(registered(n[i], "10.1.0.0/16"), "192.0.2.1");
	}
}

/* Breaks if layers are not groups of their own: registrations of one in another or in the core. */
Test(decent_roles, D_32_later_ones_may_form_layers_of_their_own)
{
	struct fw_node *a, *i[2], *j[2];

	a = start_core(1, true);
	fw_run(w, 1000);
	for (unsigned k = 0; k < 2; k++) {
		i[k] = start_layer(11 + k, L1);
		j[k] = start_layer(21 + k, L2);
	}
	fw_run(w, 10000);
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11 192.0.2.12");
	cr_expect_str_eq(registered(a, "(*," L2 ")"), "192.0.2.21 192.0.2.22");
	for (unsigned k = 0; k < 2; k++) {
		cr_expect_str_eq(registered(i[k], "10.11.0.0/16"), "192.0.2.11");
		cr_expect_str_eq(registered(i[k], "10.12.0.0/16"), "192.0.2.12");
		cr_expect_str_eq(registered(i[k], "10.21.0.0/16"), "");
		cr_expect_str_eq(registered(j[k], "10.22.0.0/16"), "192.0.2.22");
		cr_expect_str_eq(registered(j[k], "10.12.0.0/16"), "");
	}
	cr_expect_str_eq(registered(a, "10.11.0.0/16"), "");
	cr_expect_str_eq(registered(a, "10.21.0.0/16"), "");
}

/* A router in two groups: the core, and a layer that is found there. */
static struct fw_node *start_both(unsigned i)
{
	struct fw_conf c;

	conf_router(&c, i);
	fw_conf_group(&c, L1, true)->via = XTR_VIA_CORE;
	fw_conf_core(&c, CORE, true)->member = true;
	fw_conf_site(&c, "layers", "(*,224.0.0.0/4)", true);
	fw_conf_peer(&c, "192.0.2.1");
	return fw_start(w, "both", &c);
}

/* Breaks if who is in a layer cannot be in the core besides. */
Test(decent_roles, D_32_or_additionally)
{
	struct fw_node *a, *b, *i;

	a = start_core(1, true);
	fw_run(w, 1000);
	b = start_both(2);
	i = start_layer(11, L1);
	fw_run(w, 62000);
	cr_expect_str_eq(registered(a, "(*," CORE ")"), "192.0.2.1 192.0.2.2");
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.2 192.0.2.11");
	cr_expect_str_eq(registered(b, "10.11.0.0/16"), "192.0.2.11");
	cr_expect_str_eq(registered(i, "10.2.0.0/16"), "192.0.2.2");
	cr_expect_str_eq(registered(a, "10.2.0.0/16"), "");
}

/* Breaks if one of the two keys opens what the other one is for. */
Test(decent_roles, D_34_the_key_of_the_core_and_that_of_a_layer_open_nothing_else)
{
	struct fw_node *a, *i;
	struct fw_conf c;

	a = start_core(1, true);
	fw_run(w, 1000);
	conf_layer(&c, 11, L1);
	c.groups[0].server.key = other_key;
	c.keys[0][0] = c.keys[1][0] = other_key;
	i = fw_start(w, "layer", &c);
	fw_run(w, 10000);
	cr_assert_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11");
	/* the core's key at the layer */
	offer(i, L1, "(*," L1 ")", &fw_key);
	offer(i, L1, "10.66.0.0/16", &fw_key);
	offer(i, "192.0.2.11", "10.66.0.0/16", &fw_key);
	cr_expect_eq(fw_counter(i, XTR_NODE_DROP_AUTH), 3);
	cr_expect_str_eq(registered(i, "(*," L1 ")"), "192.0.2.11");
	cr_expect_str_eq(registered(i, "10.66.0.0/16"), "");
	/* the layer's key at the core */
	offer(a, CORE, "(*," CORE ")", &other_key);
	offer(a, CORE, "10.66.0.0/16", &other_key);
	offer(a, "192.0.2.1", "(*," L1 ")", &other_key);
	cr_expect_eq(fw_counter(a, XTR_NODE_DROP_AUTH), 3);
	cr_expect_str_eq(registered(a, "(*," CORE ")"), "192.0.2.1");
	cr_expect_str_eq(registered(a, "(*," L1 ")"), "192.0.2.11");
	cr_expect_str_eq(registered(a, "10.66.0.0/16"), "");
	/* each at its own */
	offer(i, L1, "10.66.0.0/16", &other_key);
	cr_expect_str_eq(registered(i, "10.66.0.0/16"), "192.0.2.99");
	offer(a, CORE, "10.66.0.0/16", &fw_key);
	cr_expect_str_eq(registered(a, "10.66.0.0/16"), "192.0.2.99");
}

/* Breaks if any of the steps comes before the one above it. */
Test(decent_roles, D_36_the_steps_of_a_start_in_their_order)
{
	struct fw_node *i;
	unsigned core, member, lookup, eid;

	start_core(1, true);
	start_core(2, true);
	fw_run(w, 5000);
	start_layer(12, L1);
	fw_run(w, 5000);
	i = start_layer(11, L1);
	fw_run(w, 5000);
	core = first(i, XTR_MSG_MAP_REQUEST, "(*," CORE ")", "192.0.2.1");
	member = first(i, XTR_MSG_MAP_REGISTER, "(*," L1 ")", "192.0.2.1");
	lookup = first(i, XTR_MSG_MAP_REQUEST, "(*," L1 ")", "192.0.2.1");
	eid = first(i, XTR_MSG_MAP_REGISTER, "10.11.0.0/16", "192.0.2.12");
	cr_expect(eid < w->packet_count, "the EIDs were registered");
	cr_expect(core < member, "who is in the core: %u %u", core, member);
	cr_expect(member < eid, "its membership before its EIDs: %u %u", member, eid);
	cr_expect(lookup < eid, "who is in its group: %u %u", lookup, eid);
}

static bool lose_layer_lookup(struct fw *fw, const struct fw_packet *p)
{
	struct xtr_eid_prefix layer = fw_eid("(*," L1 ")"), asked;

	if (p->from != fw->lose_arg || fw_type(p) != XTR_MSG_MAP_REQUEST)
		return false;
	asked = asked_eid(p);
	return xtr_eid_equal(&asked, &layer);
}

/* Breaks if a layer's group is sent to without having been looked up in the core, or to others than
 * the answer says. */
Test(decent_roles, D_37_registers_to_the_group_go_to_who_the_core_says)
{
	struct fw_node *j, *i;
	unsigned copies = 0;

	start_core(1, true);
	fw_run(w, 1000);
	j = start_layer(12, L1);
	fw_run(w, 5000);
	fw_kill(j); /* it may not tell of itself: only the core knows it */
	w->lose_arg = i = start_layer(11, L1);
	w->lose = lose_layer_lookup;
	fw_run(w, 20000);
	cr_expect_eq(first(i, XTR_MSG_MAP_REGISTER, "10.11.0.0/16", "192.0.2.12"), w->packet_count);
	cr_expect_str_eq(list(i, L1), "");
	w->lose = NULL;
	fw_run(w, 100000);
	cr_expect_str_eq(list(i, L1), "192.0.2.12");
	cr_expect(first(i, XTR_MSG_MAP_REGISTER, "10.11.0.0/16", "192.0.2.12") < w->packet_count);
	for (unsigned k = 0; k < w->packet_count; k++) {
		const struct fw_packet *p = &w->packets[k];

		if (p->from != i || !p->overlay || p->group.a[1] != 2)
			continue;
		cr_expect_eq(p->dst.a[3], 12);
		copies++;
	}
	cr_expect(copies > 0);
}
