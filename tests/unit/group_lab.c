// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Routers of seed-groups, of a core and of its layers; see group_lab.h. */
#include "group_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>

const struct xtr_key other_key = { .key_id = 1,
					  .alg_id = XTR_AUTH_SHA256,
					  .secret = (const uint8_t *)"of the layer",
					  .secret_len = 12 };

void conf_router(struct fw_conf *c, unsigned i)
{
	char rloc[32], eid[32];

	snprintf(rloc, sizeof(rloc), "192.0.2.%u", i);
	snprintf(eid, sizeof(eid), "10.%u.0.0/16", i);
	fw_conf_init(c);
	fw_conf_rloc(c, rloc);
	fw_conf_mapping(c, eid, rloc);
	fw_conf_site(c, "all", "10.0.0.0/8", true);
	c->c.itr = c->c.mr = c->c.has_ids = true;
	c->c.xtr_id[15] = (uint8_t)i;
}

void conf_member(struct fw_conf *c, unsigned i, const char *group, bool overlay)
{
	conf_router(c, i);
	fw_conf_group(c, group, overlay);
	if (overlay && i != 1)
		fw_conf_peer(c, "192.0.2.1");
}

struct fw_node *start_member(unsigned i, const char *group, bool overlay)
{
	struct fw_conf c;

	conf_member(&c, i, group, overlay);
	return fw_start(w, "member", &c);
}

void start_members(struct fw_node **n, unsigned count, bool overlay)
{
	for (unsigned i = 0; i < count; i++)
		n[i] = start_member(i + 1, G, overlay);
}

struct fw_node *start_core(unsigned i, bool overlay)
{
	struct fw_conf c;

	conf_member(&c, i, CORE, overlay);
	fw_conf_site(&c, "layers", "(*,224.0.0.0/4)", true);
	return fw_start(w, "core", &c);
}

void conf_layer(struct fw_conf *c, unsigned i, const char *group)
{
	conf_router(c, i);
	fw_conf_group(c, group, true)->via = XTR_VIA_CORE;
	fw_conf_core(c, CORE, true);
	fw_conf_peer(c, "192.0.2.1");
}

struct fw_node *start_layer(unsigned i, const char *group)
{
	struct fw_conf c;

	conf_layer(&c, i, group);
	return fw_start(w, "layer", &c);
}

struct fw_node *start_subscriber(unsigned i, const char *group)
{
	struct fw_conf c;

	conf_layer(&c, i, group);
	c.groups[0].subscribe = true;
	return fw_start(w, "layer", &c);
}

void offer(struct fw_node *to, const char *dst, const char *eid, const struct xtr_key *key)
{
	static uint64_t nonce = 1ull << 62;
	const struct xtr_msg_meta meta = {
		.src = fw_ip("192.0.2.99"), .dst = fw_ip(dst), .sport = 4342, .dport = 4342
	};
	const struct fw_rec rec = FW_REC(eid, 1440, "192.0.2.99");
	const uint8_t id[16] = { 99 };
	uint8_t buf[1024];
	size_t len;

	if (eid[0] == '(') {
		const struct group_reg reg = {
			.nonce = nonce++, .flags = XTR_REG_MERGE, .key = key, .xtr_id = id
		};

		len = make_group_register(buf, sizeof(buf), eid, "192.0.2.99", &reg);
	} else {
		const struct fw_reg reg = { .nonce = nonce++, .key = key, .xtr_id = id };

		len = fw_make_register(buf, sizeof(buf), &reg, &rec, 1);
	}
	xtr_node_input(to->n, &meta, buf, len, w->now);
	fw_tick(to);
}

size_t make_notify(uint8_t *buf, size_t size, const char *group, const char *rloc, const struct xtr_key *key,
		   uint64_t nonce)
{
	return make_group_register(buf, size, group, rloc,
				   &(struct group_reg){ .nonce = nonce,
							.key = key,
							.type = XTR_MSG_MAP_NOTIFY });
}

struct xtr_eid_prefix registered_eid(const struct fw_packet *p)
{
	struct xtr_eid_prefix eid;
	struct xtr_register m;
	struct xtr_record rec;

	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	cr_assert(xtr_record_next(&m.records, &rec));
	cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL), 0);
	return eid;
}

struct xtr_eid_prefix asked_eid(const struct fw_packet *p)
{
	struct xtr_eid_prefix eid;
	struct xtr_map_request m;
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	size_t len;
	const uint8_t *msg = fw_message(p, &len);

	cr_assert_eq(xtr_map_request_decode(msg, len, &m), 0);
	cr_assert(xtr_mreq_record_next(&m, &it, &rec));
	cr_assert_eq(xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL), 0);
	return eid;
}
