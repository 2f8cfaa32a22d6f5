// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What nodes of a world sent and said, and messages made by hand; see fake_world.h. */
#include "fake_world.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* ---- what was said */

uint64_t fw_counter(const struct fw_node *f, enum xtr_node_counter c)
{
	return xtr_node_counters(f->n)[c];
}

unsigned fw_events(const struct fw_node *f, enum xtr_event_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->event_count; i++)
		n += f->events[i].kind == kind;
	return n;
}

const uint8_t *fw_message(const struct fw_packet *p, size_t *len)
{
	struct xtr_ecm ecm;

	if (xtr_msg_type(p->buf, p->len) != XTR_MSG_ECM) {
		*len = p->len;
		return p->buf;
	}
	cr_assert_eq(xtr_ecm_decode(p->buf, p->len, &ecm), 0);
	*len = ecm.msg_len;
	return ecm.msg;
}

int fw_type(const struct fw_packet *p)
{
	size_t len;
	const uint8_t *m = fw_message(p, &len);

	return xtr_msg_type(m, len);
}

struct fw_packet *fw_sent(struct fw_node *f, int type, unsigned i)
{
	for (unsigned n = 0; n < f->w->packet_count; n++) {
		struct fw_packet *p = &f->w->packets[n];

		if (p->from == f && fw_type(p) == type && !i--)
			return p;
	}
	return NULL;
}

unsigned fw_sent_since(struct fw_node *f, int type, uint64_t since)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->w->packet_count; i++) {
		const struct fw_packet *p = &f->w->packets[i];

		n += p->from == f && p->sent >= since && fw_type(p) == type;
	}
	return n;
}

unsigned fw_sent_count(struct fw_node *f, int type)
{
	return fw_sent_since(f, type, 0);
}

const char *fw_sent_times(struct fw_node *f, int type, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < f->w->packet_count && at < size; i++) {
		const struct fw_packet *p = &f->w->packets[i];

		if (p->from == f && fw_type(p) == type)
			at += (size_t)snprintf(buf + at, size - at, "%s%llu", at ? " " : "",
					       (unsigned long long)p->sent);
	}
	return buf;
}

/* ---- making messages */

static void put_rec(struct xtr_wr *w, const struct fw_rec *r)
{
	const struct xtr_record_head h = {
		.ttl = r->ttl,
		.act = r->act,
		.authoritative = !r->not_authoritative,
		.map_version = r->version,
	};
	struct xtr_eid_prefix eid = fw_eid(r->eid);
	size_t mark = xtr_put_record_begin(w, &h, &eid);
	uint8_t n = 0;

	for (; n < 8 && r->locs[n].ip; n++) {
		struct xtr_ip ip = fw_ip(r->locs[n].ip);

		xtr_put_locator(w, r->locs[n].priority ? r->locs[n].priority : 1,
				r->locs[n].weight ? r->locs[n].weight : 100, 255, 0, true, false,
				!r->locs[n].down, &ip);
	}
	xtr_put_record_end(w, mark, n);
}

size_t fw_make_reply(uint8_t *buf, size_t size, uint64_t nonce, const struct fw_rec *recs,
		     unsigned n)
{
	struct xtr_wr w = xtr_wr_init(buf, size);

	xtr_map_reply_begin(&w, false, false, (uint8_t)n, nonce);
	for (unsigned i = 0; i < n; i++)
		put_rec(&w, &recs[i]);
	cr_assert_eq(w.err, 0);
	return xtr_wr_len(&w);
}

size_t fw_make_register(uint8_t *buf, size_t size, const struct fw_reg *reg,
			const struct fw_rec *recs, unsigned n)
{
	static const uint8_t site_id[8];
	const struct xtr_key *key = reg->key ? reg->key : &fw_key;
	const struct xtr_register_out head = {
		.type = XTR_MSG_MAP_REGISTER,
		.flags = reg->flags | (reg->xtr_id ? XTR_REG_I : 0),
		.nonce = reg->nonce,
		.key_id = key->key_id,
		.alg_id = key->alg_id,
		.record_count = (uint8_t)n,
	};
	struct xtr_wr w = xtr_wr_init(buf, size);

	xtr_register_begin(&w, &head);
	for (unsigned i = 0; i < n; i++)
		put_rec(&w, &recs[i]);
	if (reg->xtr_id)
		xtr_put_ids(&w, reg->xtr_id, site_id);
	cr_assert_eq(w.err, 0);
	cr_assert_eq(xtr_auth_sign(buf, xtr_wr_len(&w), 16, (size_t)xtr_auth_len(key->alg_id),
				   XTR_MSG_MAP_REGISTER, key->alg_id, reg->nonce, key->secret,
				   key->secret_len),
		     0);
	return xtr_wr_len(&w);
}

size_t fw_make_request(uint8_t *buf, size_t size, const struct fw_req *req)
{
	struct xtr_ip rlocs[2] = { fw_ip(req->itr_rloc) }, inner = rlocs[0], dst;
	struct xtr_eid_prefix eid = fw_eid(req->eid), src;
	struct xtr_mreq_out m = {
		.flags = req->flags,
		.nonce = req->nonce,
		.itr_rlocs = rlocs,
		.itr_rloc_count = 1,
		.eid = &eid,
	};
	struct xtr_ippfx p;
	uint8_t msg[1024];
	struct xtr_wr w = xtr_wr_init(req->plain ? buf : msg, req->plain ? size : sizeof(msg)),
		      e = xtr_wr_init(buf, size);

	if (req->itr_rloc2) {
		rlocs[1] = fw_ip(req->itr_rloc2);
		m.itr_rloc_count = 2;
	}
	if (req->source) {
		src = fw_eid(req->source);
		m.source_eid = &src;
	}
	xtr_map_request_encode(&w, &m);
	cr_assert_eq(w.err, 0);
	if (req->plain)
		return xtr_wr_len(&w);
	dst = inner;
	if (xtr_eid_to_ippfx(&eid, &p) && p.ip.family == inner.family)
		dst = p.ip;
	xtr_ecm_encode(&e, &inner, req->sport ? req->sport : 4342, &dst, 4342, msg, xtr_wr_len(&w));
	cr_assert_eq(e.err, 0);
	return xtr_wr_len(&e);
}
