// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Register, Map-Notify and Map-Notify-Ack: one layout, three types. RFC 9301 5.6, 5.7; the I
 * and R bits of a Map-Notify come from the NAT drafts.
 *
 * Decoding is in two steps on purpose: the head says where the authentication data is, and no
 * record is validated before the MAC over the whole message was checked (codec/auth.h). In between
 * only the first EID may be peeked at, to find the key.
 */
#include "codec/msg_int.h"
#include "codec/auth.h"

#include <errno.h>
#include <string.h>

struct flag_bit { uint32_t flag, mask; };

static const struct flag_bit register_bits[] = {
	{ XTR_REG_P, 0x08000000 }, { XTR_REG_S, 0x04000000 },
	{ XTR_REG_I, 0x02000000 }, { XTR_REG_E, 0x00001000 },
	{ XTR_REG_T, 0x00000800 }, { XTR_REG_MERGE, 0x00000400 },
	{ XTR_REG_M, 0x00000100 }, { 0 },
};
static const struct flag_bit notify_bits[] = { /* and of Map-Notify-Ack */
	{ XTR_REG_I, 0x08000000 }, { XTR_REG_RTR, 0x04000000 }, { 0 },
};

static const struct flag_bit *bits_of(uint8_t type)
{
	return type == XTR_MSG_MAP_REGISTER ? register_bits : notify_bits;
}

int xtr_register_decode_head(const uint8_t *buf, size_t len, struct xtr_register *out)
{
	int type = xtr_msg_type(buf, len);
	struct xtr_rd r;
	uint32_t word;

	memset(out, 0, sizeof(*out));
	if (type < 0)
		return type;
	if (type < XTR_MSG_MAP_REGISTER || type > XTR_MSG_MAP_NOTIFY_ACK)
		return -EPROTONOSUPPORT;
	word = xtr_msg_open(&r, buf, len, (uint8_t)type);
	out->type = (uint8_t)type;
	for (const struct flag_bit *b = bits_of(out->type); b->mask; b++)
		if (word & b->mask)
			out->flags |= b->flag;
	out->record_count = (uint8_t)word;
	out->nonce = xtr_rd_u64(&r);
	out->key_id = xtr_rd_u8(&r);
	out->alg_id = xtr_rd_u8(&r);
	out->auth_len = xtr_rd_u16(&r);
	if (out->auth_len > XTR_AUTH_MAX)
		xtr_rd_fail(&r, -E2BIG);
	out->auth_off = (size_t)(r.p - buf);
	out->auth = xtr_rd_bytes(&r, out->auth_len);
	out->msg = buf;
	out->msg_len = len;
	return r.err;
}

/* Cursor over what follows the authentication data. */
static struct xtr_rd body_of(const struct xtr_register *m)
{
	size_t off = m->auth_off + m->auth_len;

	return xtr_rd_init(m->msg + off, m->msg_len - off);
}

int xtr_register_decode_body(struct xtr_register *m)
{
	struct xtr_rd r = body_of(m);

	xtr_records_decode(&r, m->record_count, &m->records);
	m->has_ids = m->flags & XTR_REG_I;
	if (m->has_ids) {
		xtr_rd_copy(&r, m->xtr_id, sizeof(m->xtr_id));
		xtr_rd_copy(&r, m->site_id, sizeof(m->site_id));
	}
	xtr_rd_expect_end(&r);
	return r.err;
}

int xtr_register_peek_eid(const struct xtr_register *m, struct xtr_eid_prefix *eid)
{
	struct xtr_rd r = body_of(m);
	struct xtr_addr addr;
	uint8_t mask_len;

	if (!m->record_count)
		return -EBADMSG;
	xtr_rd_bytes(&r, 5); /* TTL, Locator Count */
	mask_len = xtr_rd_u8(&r);
	xtr_rd_bytes(&r, 4); /* ACT, A, Map-Version */
	xtr_addr_decode(&r, &addr);
	if (r.err)
		return -EBADMSG;
	return xtr_eid_from_addr(&addr, mask_len, eid, NULL) ? -EBADMSG : 0;
}

static void put_head(struct xtr_wr *w, uint8_t type, uint32_t flags, uint8_t record_count,
		     uint64_t nonce, uint8_t key_id, uint8_t alg_id, uint16_t auth_len)
{
	uint32_t word = (uint32_t)type << 28 | record_count;

	for (const struct flag_bit *b = bits_of(type); b->mask; b++)
		if (flags & b->flag)
			word |= b->mask;
	xtr_wr_u32(w, word);
	xtr_wr_u64(w, nonce);
	xtr_wr_u8(w, key_id);
	xtr_wr_u8(w, alg_id);
	xtr_wr_u16(w, auth_len);
}

void xtr_register_begin(struct xtr_wr *w, const struct xtr_register_out *m)
{
	int auth_len = xtr_auth_len(m->alg_id);

	if (auth_len < 0 || m->type < XTR_MSG_MAP_REGISTER || m->type > XTR_MSG_MAP_NOTIFY_ACK) {
		xtr_wr_fail(w, auth_len < 0 ? auth_len : -EINVAL);
		return;
	}
	if (m->auth_len)
		auth_len = m->auth_len;
	put_head(w, m->type, m->flags, m->record_count, m->nonce, m->key_id, m->alg_id,
		 (uint16_t)auth_len);
	xtr_wr_reserve(w, (size_t)auth_len);
}

void xtr_put_ids(struct xtr_wr *w, const uint8_t xtr_id[16], const uint8_t site_id[8])
{
	xtr_wr_bytes(w, xtr_id, 16);
	xtr_wr_bytes(w, site_id, 8);
}

void xtr_register_reencode(struct xtr_wr *w, const struct xtr_register *m)
{
	put_head(w, m->type, m->flags, m->record_count, m->nonce, m->key_id, m->alg_id,
		 m->auth_len);
	xtr_wr_bytes(w, m->auth, m->auth_len);
	xtr_records_reencode(w, m->records);
	if (m->has_ids)
		xtr_put_ids(w, m->xtr_id, m->site_id);
}
