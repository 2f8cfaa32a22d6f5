// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One Map-Server alone; see ms_lab.h. */
#include "ms_lab.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct fw_node *ms;
static uint8_t buf[65536];
uint64_t nonce;

void conf_ms(struct fw_conf *c)
{
	fw_conf_init(c);
	fw_conf_rloc(c, "192.0.2.100");
	fw_conf_site(c, "groups", "(*,224.0.0.0/4)", true);
	fw_conf_site(c, "eids", "10.0.0.0/8", true);
}

void ms_up(void)
{
	struct fw_conf c;

	w = fw_new();
	conf_ms(&c);
	ms = fw_start(w, "ms", &c);
	nonce = 1000;
}

void ms_down(void)
{
	fw_free(w);
}

const uint8_t *id_of(unsigned i)
{
	static uint8_t ids[4][16];
	uint8_t *id = ids[i % 4];

	memset(id, 0, 16);
	id[14] = (uint8_t)(i >> 8);
	id[15] = (uint8_t)i;
	return id;
}

const char *rloc_of(unsigned i)
{
	static char text[4][32];

	snprintf(text[i % 4], sizeof(text[0]), "192.0.%u.%u", 2 + i / 200, 1 + i % 200);
	return text[i % 4];
}

void reg_more(unsigned i, const char *eid, const char *rlocs, struct group_reg r)
{
	r.nonce = ++nonce;
	r.flags |= XTR_REG_MERGE | XTR_REG_P;
	r.xtr_id = r.xtr_id ? r.xtr_id : id_of(i);
	fw_inject(ms, rloc_of(i), 4342, buf,
		  make_group_register(buf, sizeof(buf), eid, rlocs, &r));
}

void reg(unsigned i, const char *eid)
{
	reg_more(i, eid, rloc_of(i), (struct group_reg){ 0 });
}

void withdraw(unsigned i, const char *eid)
{
	reg_more(i, eid, "", (struct group_reg){ .withdraw = true });
}

struct fw_packet *last_sent(int type)
{
	unsigned n = fw_sent_count(ms, type);

	return n ? fw_sent(ms, type, n - 1) : NULL;
}

const char *eid_of(const struct xtr_record *rec)
{
	static char text[XTR_EID_STRLEN];
	struct xtr_eid_prefix e;

	cr_assert_eq(xtr_eid_from_addr(&rec->eid, rec->mask_len, &e, NULL), 0);
	return xtr_eid_str(&e, text);
}

void subscribe(unsigned i, const char *from, const char *itr_rloc, const char *eid,
		      uint64_t n)
{
	const struct xtr_ip rloc = itr_rloc ? fw_ip(itr_rloc) : (struct xtr_ip){ 0 };
	const struct xtr_ip src = fw_ip(from), to = fw_ip("192.0.2.100");
	const struct xtr_eid_prefix e = fw_eid(eid);
	static const uint8_t site[8];
	const struct xtr_mreq_out m = { .flags = XTR_MREQ_I,
					.nonce = n,
					.itr_rlocs = &rloc,
					.itr_rloc_count = 1,
					.eid = &e,
					.subscribe = true,
					.xtr_id = id_of(i),
					.site_id = site };
	uint8_t msg[512];
	struct xtr_wr r = xtr_wr_init(msg, sizeof(msg)), o = xtr_wr_init(buf, sizeof(buf));

	xtr_map_request_encode(&r, &m);
	xtr_ecm_encode(&o, &src, 4342, &to, 4342, msg, xtr_wr_len(&r));
	cr_assert(!r.err && !o.err);
	fw_inject(ms, from, 4342, buf, xtr_wr_len(&o));
}

uint64_t published(struct xtr_record *rec)
{
	static struct xtr_register m;
	struct fw_packet *p = last_sent(XTR_MSG_MAP_NOTIFY);

	cr_assert(p);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_auth_verify(p->buf, p->len, m.auth_off, m.auth_len, m.type, m.alg_id,
				     m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	cr_assert(xtr_record_next(&m.records, rec));
	return m.nonce;
}

void ack(const char *from)
{
	struct fw_packet *p = last_sent(XTR_MSG_MAP_NOTIFY);
	struct xtr_register m;
	struct xtr_wr r = xtr_wr_init(buf, sizeof(buf));

	cr_assert(p);
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	m.type = XTR_MSG_MAP_NOTIFY_ACK;
	xtr_register_reencode(&r, &m);
	cr_assert_eq(xtr_auth_sign(buf, xtr_wr_len(&r), m.auth_off, m.auth_len, m.type, m.alg_id,
				   m.nonce, fw_key.secret, fw_key.secret_len),
		     0);
	fw_inject(ms, from, 4342, buf, xtr_wr_len(&r));
}

unsigned notifies(void)
{
	return fw_sent_count(ms, XTR_MSG_MAP_NOTIFY);
}
