/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Does everything that can be done with octets from the network: decode, walk all of it through every accessor, write it
 * as text, encode it again, and require that what was encoded decodes to the same. Used by the fuzz targets on any
 * input and by the unit tests on vectors. A broken promise aborts with file and line; ASan and UBSan see the rest.
 *
 * Every ex_*() returns what the decoder returned.
 */
#ifndef XTR_TESTS_EXERCISE_H
#define XTR_TESTS_EXERCISE_H

#include "codec/auth.h"
#include "codec/msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EX_CHECK(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

/* A copy in memory of exactly that size, so that ASan sees one octet too many. */
static inline uint8_t *ex_exact(const void *p, size_t len)
{
	uint8_t *copy = calloc(1, len ? len : 1);

	EX_CHECK(copy);
	if (len)
		memcpy(copy, p, len);
	return copy;
}

/* ---- addresses */

static inline void ex_addr(const struct xtr_addr *a);

static inline void ex_text(const struct xtr_addr *a)
{
	static const size_t sizes[] = { 1, 2, 7, 64, 1024 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *buf = malloc(sizes[i]);

		EX_CHECK(buf && xtr_addr_str(a, buf, sizes[i]) == buf && strlen(buf) < sizes[i]);
		for (const char *c = buf; *c; c++)
			EX_CHECK(*c >= ' ' && *c < 0x7f);
		free(buf);
	}
}

static inline void ex_eid(const struct xtr_addr *a, uint8_t mask_len)
{
	struct xtr_eid_prefix e, again;
	char text[XTR_EID_STRLEN];
	uint8_t buf[128];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_ippfx ip, ip_again;
	struct xtr_addr b;
	struct xtr_rd r;
	uint8_t mask;
	bool bits;

	if (xtr_eid_from_addr(a, mask_len, &e, &bits))
		return;
	EX_CHECK(strlen(xtr_eid_str(&e, text)) < sizeof(text));
	EX_CHECK(xtr_eid_covers(&e, &e) && xtr_eid_equal(&e, &e) && e.len <= xtr_eid_bits(&e));
	mask = xtr_eid_put(&w, &e);
	EX_CHECK(!w.err);
	r = xtr_rd_init(buf, xtr_wr_len(&w));
	xtr_addr_decode(&r, &b);
	EX_CHECK(!r.err && !xtr_rd_left(&r));
	EX_CHECK(!xtr_eid_from_addr(&b, mask, &again, &bits) && !bits && xtr_eid_equal(&e, &again));
	EX_CHECK(!xtr_eid_parse(text, &again) && xtr_eid_equal(&e, &again));
	if (xtr_eid_to_ippfx(&e, &ip)) {
		xtr_eid_from_ippfx(e.iid, &ip, &again);
		EX_CHECK(xtr_eid_equal(&e, &again) && xtr_eid_to_ippfx(&again, &ip_again));
		EX_CHECK(xtr_ippfx_contains(&ip, &ip_again) && !xtr_ippfx_mask(&ip));
	}
}

static inline void ex_lists(const struct xtr_addr *a)
{
	struct xtr_rd it = { 0 };
	struct xtr_rle_entry rle;
	struct xtr_elp_hop hop;
	struct xtr_addr e;
	unsigned n = 0;

	while (xtr_lcaf_list_next(a, &it, &e)) {
		ex_addr(&e);
		EX_CHECK(++n <= XTR_LCAF_MAX_LIST);
	}
	while (xtr_lcaf_elp_next(a, &it, &hop)) {
		ex_addr(&hop.addr);
		EX_CHECK(++n <= XTR_LCAF_MAX_ELP);
	}
	while (xtr_lcaf_rle_next(a, &it, &rle)) {
		ex_addr(&rle.addr);
		EX_CHECK(++n <= XTR_LCAF_MAX_RLE);
	}
	EX_CHECK(!it.err);
}

/* Returns in how many typed views the LCAF can be seen. */
static inline unsigned ex_views(const struct xtr_addr *a)
{
	struct xtr_lcaf_srcdst sd;
	struct xtr_lcaf_encap encap;
	struct xtr_lcaf_nonce nonce;
	struct xtr_lcaf_mcast mcast;
	struct xtr_lcaf_json json;
	struct xtr_lcaf_iid iid;
	struct xtr_lcaf_asn asn;
	struct xtr_lcaf_app app;
	struct xtr_lcaf_geo geo;
	struct xtr_lcaf_nat nat;
	struct xtr_lcaf_key key;
	struct xtr_lcaf_kv kv;
	struct xtr_addr rtr;
	unsigned n = 0;

	if (xtr_lcaf_get_iid(a, &iid))
		ex_addr(&iid.addr), n++;
	if (xtr_lcaf_get_asn(a, &asn))
		ex_addr(&asn.addr), n++;
	if (xtr_lcaf_get_app(a, &app))
		ex_addr(&app.addr), n++;
	if (xtr_lcaf_get_geo(a, &geo))
		ex_addr(&geo.addr), n++;
	if (xtr_lcaf_get_nonce(a, &nonce))
		ex_addr(&nonce.addr), n++;
	if (xtr_lcaf_get_encap(a, &encap))
		ex_addr(&encap.addr), n++;
	if (xtr_lcaf_get_mcast(a, &mcast))
		ex_addr(&mcast.source), ex_addr(&mcast.group), n++;
	if (xtr_lcaf_get_srcdst(a, &sd))
		ex_addr(&sd.source), ex_addr(&sd.dest), n++;
	if (xtr_lcaf_get_kv(a, &kv))
		ex_addr(&kv.key), ex_addr(&kv.value), n++;
	if (xtr_lcaf_get_json(a, &json)) {
		EX_CHECK(json.json >= a->wire && json.json + json.json_len <= a->wire + a->wire_len);
		ex_addr(&json.addr);
		n++;
	}
	if (xtr_lcaf_get_key(a, &key)) {
		EX_CHECK(key.keys >= a->wire && key.keys + key.keys_len <= a->wire + a->wire_len);
		ex_addr(&key.addr);
		n++;
	}
	if (xtr_lcaf_get_nat(a, &nat)) {
		ex_addr(&nat.global_etr), ex_addr(&nat.ms), ex_addr(&nat.private_etr);
		while (xtr_rd_left(&nat.rtrs)) {
			xtr_addr_decode(&nat.rtrs, &rtr);
			ex_addr(&rtr);
		}
		EX_CHECK(!nat.rtrs.err);
		n++;
	}
	return n;
}

/* The types that have a view of their own; 1, 10 and 13 are lists. */
static inline bool ex_has_view(const struct xtr_addr *a)
{
	return a->afi == XTR_AFI_LCAF && a->lcaf >= XTR_LCAF_IID && a->lcaf <= XTR_LCAF_ENCAP &&
	       a->lcaf != XTR_LCAF_OKEY && a->lcaf != XTR_LCAF_ELP && a->lcaf != XTR_LCAF_RLE;
}

static inline void ex_addr(const struct xtr_addr *a)
{
	struct xtr_addr b;
	uint8_t *copy;
	struct xtr_wr w;
	struct xtr_rd r;
	struct xtr_ip ip;
	unsigned views;
	size_t len;

	ex_text(a);
	views = ex_views(a);
	/* Geo-coordinates as in the draft have none. */
	EX_CHECK(views == (ex_has_view(a) ? 1u : 0u) || (a->lcaf == XTR_LCAF_GEO && !views && a->wire_len >= 30));
	ex_lists(a);
	for (unsigned mask = 0; mask <= 255; mask += mask == 32 || mask == 48 || mask == 128 ? 7 : 8)
		ex_eid(a, (uint8_t)mask);
	if (xtr_addr_rloc_ip(a, &ip))
		EX_CHECK(ip.family == 4 || ip.family == 6);
	if (xtr_addr_mac(a, &len))
		EX_CHECK(len == 6 || len == 8);
	if (xtr_addr_name(a, &len))
		EX_CHECK(len <= XTR_NAME_MAX && !memchr(xtr_addr_name(a, &len), 0, len));

	len = a->wire ? a->wire_len : 2;
	copy = malloc(len);
	EX_CHECK(copy);
	w = xtr_wr_init(copy, len);
	xtr_addr_encode(&w, a);
	EX_CHECK(!w.err && xtr_wr_len(&w) == len);
	/* One that was cut to be read to the end of its message (Info-Reply) has another Length of its own. */
	if (a->afi != XTR_AFI_LCAF || (copy[6] << 8 | copy[7]) + 8u == len) {
		r = xtr_rd_init(copy, len);
		xtr_addr_decode(&r, &b);
		EX_CHECK(!r.err && !xtr_rd_left(&r) && xtr_addr_equal(a, &b));
		EX_CHECK(a->afi == b.afi && a->lcaf == b.lcaf && a->unknown == b.unknown);
	}
	w = xtr_wr_init(copy, len - 1);
	xtr_addr_encode(&w, a);
	EX_CHECK(w.err == -ENOSPC);
	free(copy);
}

/* One address that fills the buffer, or any number of them after each other with `many`. */
static inline int ex_addr_octets(const uint8_t *buf, size_t len, bool many)
{
	struct xtr_rd r = xtr_rd_init(buf, len);
	struct xtr_addr a;

	do {
		xtr_addr_decode(&r, &a);
		if (r.err) {
			EX_CHECK(r.err == -EBADMSG || r.err == -EAFNOSUPPORT || r.err == -EPROTONOSUPPORT ||
				 r.err == -E2BIG);
			return r.err;
		}
		ex_addr(&a);
	} while (many && xtr_rd_left(&r));
	return xtr_rd_left(&r) ? -EBADMSG : 0;
}

/* ---- records */

static inline bool ex_same_locators(const struct xtr_record *a, const struct xtr_record *b)
{
	struct xtr_rd ia = { 0 }, ib = { 0 };
	struct xtr_locator la, lb;
	unsigned n = 0;

	for (; xtr_locator_next(a, &ia, &la); n++) {
		EX_CHECK(xtr_locator_next(b, &ib, &lb));
		EX_CHECK(la.priority == lb.priority && la.weight == lb.weight && la.mpriority == lb.mpriority &&
			 la.mweight == lb.mweight && la.local == lb.local && la.probed == lb.probed &&
			 la.reachable == lb.reachable && xtr_addr_equal(&la.addr, &lb.addr));
	}
	EX_CHECK(!xtr_locator_next(b, &ib, &lb) && !ia.err && !ib.err);
	return n == a->locator_count;
}

static inline void ex_same_record(const struct xtr_record *a, const struct xtr_record *b)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator loc;

	EX_CHECK(a->ttl == b->ttl && a->locator_count == b->locator_count && a->mask_len == b->mask_len &&
		 a->act == b->act && a->authoritative == b->authoritative && a->map_version == b->map_version);
	EX_CHECK(xtr_addr_equal(&a->eid, &b->eid) && ex_same_locators(a, b) && xtr_act_read(a->act) <= 5);
	ex_addr(&a->eid);
	ex_eid(&a->eid, a->mask_len);
	while (xtr_locator_next(a, &it, &loc))
		ex_addr(&loc.addr);
}

static inline void ex_same_records(struct xtr_records a, struct xtr_records b, unsigned count)
{
	struct xtr_record ra, rb;
	unsigned n = 0;

	for (; xtr_record_next(&a, &ra); n++) {
		EX_CHECK(xtr_record_next(&b, &rb));
		ex_same_record(&ra, &rb);
	}
	EX_CHECK(n == count && !xtr_record_next(&b, &rb) && !xtr_rd_left(&a.rd) && !a.rd.err);
}

/* ---- messages. Each encodes twice: the second time from what the first decodes to; both must be equal. */

#define EX_TWICE(kind, m, n, buf, len) \
	size_t size_ = (len); \
	uint8_t *one_ = ex_exact((buf), size_), *two_ = ex_exact((buf), size_); \
	struct xtr_wr w_ = xtr_wr_init(one_, size_); \
	xtr_##kind##_reencode(&w_, (m)); \
	EX_CHECK(!w_.err && xtr_wr_len(&w_) == size_); \
	EX_CHECK(ex_decode_##kind(one_, size_, (n)) == 0); \
	w_ = xtr_wr_init(two_, size_); \
	xtr_##kind##_reencode(&w_, (n)); \
	EX_CHECK(!w_.err && xtr_wr_len(&w_) == size_ && !memcmp(one_, two_, size_)); \
	w_ = xtr_wr_init(two_, size_ - 1); \
	xtr_##kind##_reencode(&w_, (n)); \
	EX_CHECK(w_.err == -ENOSPC)
#define EX_TWICE_END() do { free(one_); free(two_); } while (0)

#define ex_decode_map_request xtr_map_request_decode
#define ex_decode_map_reply   xtr_map_reply_decode
#define ex_decode_info        xtr_info_decode

static inline int ex_map_request(const uint8_t *buf, size_t len)
{
	struct xtr_map_request *m = malloc(2 * sizeof(*m)), *n = m + 1;
	struct xtr_rd im = { 0 }, in = { 0 };
	struct xtr_mreq_record a, b;
	unsigned count = 0;
	struct xtr_ip ip;
	bool usable = false;
	int r;

	EX_CHECK(m);
	r = xtr_map_request_decode(buf, len, m);
	if (r) {
		free(m);
		return r;
	}
	EX_TWICE(map_request, m, n, buf, len);
	EX_CHECK(m->flags == n->flags && m->nonce == n->nonce && m->itr_rloc_count == n->itr_rloc_count &&
		 m->record_count == n->record_count && xtr_addr_equal(&m->source_eid, &n->source_eid) &&
		 !memcmp(m->xtr_id, n->xtr_id, 16) && !memcmp(m->site_id, n->site_id, 8));
	ex_addr(&m->source_eid);
	EX_CHECK(m->itr_rloc_count >= 1 && m->itr_rloc_count <= XTR_ITR_RLOCS_MAX && m->record_count);
	for (unsigned i = 0; i < m->itr_rloc_count; i++) {
		EX_CHECK(xtr_addr_equal(&m->itr_rlocs[i], &n->itr_rlocs[i]));
		ex_addr(&m->itr_rlocs[i]);
		usable |= xtr_addr_rloc_ip(&m->itr_rlocs[i], &ip);
	}
	for (; xtr_mreq_record_next(m, &im, &a); count++) {
		EX_CHECK(xtr_mreq_record_next(n, &in, &b));
		EX_CHECK(a.subscribe == b.subscribe && a.mask_len == b.mask_len && xtr_addr_equal(&a.eid, &b.eid));
		EX_CHECK(usable || count || a.subscribe);
		ex_addr(&a.eid);
		ex_eid(&a.eid, a.mask_len);
	}
	EX_CHECK(count == m->record_count && !im.err);
	if (m->flags & XTR_MREQ_M)
		ex_same_record(&m->reply_record, &n->reply_record);
	EX_TWICE_END();
	free(m);
	return 0;
}

static inline int ex_map_reply(const uint8_t *buf, size_t len)
{
	struct xtr_map_reply m, n;
	int r = xtr_map_reply_decode(buf, len, &m);

	if (r)
		return r;
	EX_TWICE(map_reply, &m, &n, buf, len);
	EX_CHECK(m.probe == n.probe && m.echo_nonce == n.echo_nonce && m.security == n.security &&
		 m.nonce == n.nonce && m.record_count == n.record_count && m.auth_len == n.auth_len);
	EX_CHECK(!m.auth_len || !memcmp(m.auth, n.auth, m.auth_len));
	ex_same_records(m.records, n.records, m.record_count);
	EX_TWICE_END();
	return 0;
}

static inline int ex_decode_register(const uint8_t *buf, size_t len, struct xtr_register *m)
{
	int r = xtr_register_decode_head(buf, len, m);

	return r ? r : xtr_register_decode_body(m);
}

/* Signs a copy, which must verify, and must not with anything changed. */
static inline void ex_sign(const struct xtr_register *m)
{
	static const uint8_t key[] = "password";
	uint8_t *copy = ex_exact(m->msg, m->msg_len);
	struct xtr_register s;
	size_t at;

	if (xtr_auth_sign(copy, m->msg_len, m->auth_off, m->auth_len, m->type, m->alg_id, m->nonce, key, 8) ||
	    m->alg_id == XTR_AUTH_NONE) {
		EX_CHECK(xtr_auth_verify(m->msg, m->msg_len, m->auth_off, m->auth_len, m->type, m->alg_id, m->nonce,
					 key, 8) == -EACCES);
		free(copy);
		return;
	}
	EX_CHECK(!xtr_register_decode_head(copy, m->msg_len, &s));
#define EX_VERIFY() \
	xtr_auth_verify(copy, s.msg_len, s.auth_off, s.auth_len, s.type, s.alg_id, s.nonce, key, 8)
	EX_CHECK(!EX_VERIFY());
	at = m->nonce % m->msg_len;
	copy[at] ^= 1;
	EX_CHECK(EX_VERIFY() == -EACCES);
#undef EX_VERIFY
	free(copy);
}

static inline int ex_register(const uint8_t *buf, size_t len)
{
	struct xtr_eid_prefix peeked, first;
	struct xtr_register m, n;
	struct xtr_records it;
	struct xtr_record rec;
	int r = xtr_register_decode_head(buf, len, &m), peek;

	if (r)
		return r;
	EX_CHECK(m.auth_off + m.auth_len <= len && m.auth_len <= XTR_AUTH_MAX);
	ex_sign(&m);
	peek = xtr_register_peek_eid(&m, &peeked);
	EX_CHECK(peek == 0 || peek == -EBADMSG);
	r = xtr_register_decode_body(&m);
	if (r)
		return r;
	it = m.records;
	if (xtr_record_next(&it, &rec)) {
		r = xtr_eid_from_addr(&rec.eid, rec.mask_len, &first, NULL);
		EX_CHECK(!r == !peek && (r || xtr_eid_equal(&first, &peeked)));
	}
	EX_TWICE(register, &m, &n, buf, len);
	EX_CHECK(m.type == n.type && m.flags == n.flags && m.nonce == n.nonce && m.key_id == n.key_id &&
		 m.alg_id == n.alg_id && m.auth_len == n.auth_len && m.auth_off == n.auth_off &&
		 m.record_count == n.record_count && m.has_ids == n.has_ids);
	EX_CHECK(!memcmp(m.auth, n.auth, m.auth_len) && !memcmp(m.xtr_id, n.xtr_id, 16) &&
		 !memcmp(m.site_id, n.site_id, 8));
	ex_same_records(m.records, n.records, m.record_count);
	EX_TWICE_END();
	return 0;
}

static inline int ex_info(const uint8_t *buf, size_t len)
{
	struct xtr_info m, n;
	int r = xtr_info_decode(buf, len, &m);

	if (r)
		return r;
	EX_TWICE(info, &m, &n, buf, len);
	EX_CHECK(m.reply == n.reply && m.nonce == n.nonce && m.key_id == n.key_id && m.alg_id == n.alg_id &&
		 m.auth_len == n.auth_len && m.ttl == n.ttl && m.mask_len == n.mask_len &&
		 xtr_addr_equal(&m.eid, &n.eid) && m.last.wire_len == n.last.wire_len && m.last.afi == n.last.afi);
	EX_CHECK(m.auth_off + m.auth_len <= len && (!m.auth_len || !memcmp(m.auth, n.auth, m.auth_len)));
	ex_addr(&m.eid);
	ex_addr(&m.last);
	EX_TWICE_END();
	return 0;
}

static inline int ex_message(const uint8_t *buf, size_t len);

static inline int ex_ecm(const uint8_t *buf, size_t len)
{
	struct xtr_ecm m, n;
	size_t size, max = len + 64;
	struct xtr_wr w;
	uint8_t *one;
	int r = xtr_ecm_decode(buf, len, &m);

	if (r)
		return r;
	EX_CHECK(m.msg >= buf && m.msg + m.msg_len == buf + len && m.msg_len);
	EX_CHECK(m.inner_src.family == m.inner_dst.family && xtr_msg_type(m.msg, m.msg_len) != XTR_MSG_ECM);
	/* IP options, identification and traffic class are not kept: lengths can differ. */
	one = malloc(max);
	EX_CHECK(one);
	w = xtr_wr_init(one, max);
	xtr_ecm_reencode(&w, &m);
	if (w.err == -E2BIG && m.msg_len > XTR_MSG_MAX - 64) {
		free(one);
		return 0;
	}
	EX_CHECK(!w.err);
	size = xtr_wr_len(&w);
	EX_CHECK(!xtr_ecm_decode(one, size, &n) && !n.checksum_bad);
	EX_CHECK(m.security == n.security && m.ddt == n.ddt && m.to_etr == n.to_etr && m.to_ms == n.to_ms &&
		 m.inner_sport == n.inner_sport && m.inner_dport == n.inner_dport && m.inner_ttl == n.inner_ttl &&
		 !xtr_ip_cmp(&m.inner_src, &n.inner_src) && !xtr_ip_cmp(&m.inner_dst, &n.inner_dst));
	EX_CHECK(m.auth_len == n.auth_len && (!m.auth_len || !memcmp(m.auth, n.auth, m.auth_len)));
	EX_CHECK(m.msg_len == n.msg_len && !memcmp(m.msg, n.msg, m.msg_len));
	w = xtr_wr_init(one, size - 1);
	xtr_ecm_reencode(&w, &m);
	EX_CHECK(w.err == -ENOSPC);
	free(one);
	return ex_message(m.msg, m.msg_len);
}

/* The same as a receiver judges it: wrong inner checksums are refused (RFC 9301 5.8). */
static inline int ex_ecm_accepted(const uint8_t *buf, size_t len)
{
	struct xtr_ecm m;
	int r = ex_ecm(buf, len);

	return !r && (xtr_ecm_decode(buf, len, &m) || m.checksum_bad) ? -EBADMSG : r;
}

/* Any message, by its type nibble. */
static inline int ex_message(const uint8_t *buf, size_t len)
{
	int type = xtr_msg_type(buf, len);

	EX_CHECK(xtr_msg_name(type));
	switch (type) {
	case XTR_MSG_MAP_REQUEST: return ex_map_request(buf, len);
	case XTR_MSG_MAP_REPLY: return ex_map_reply(buf, len);
	case XTR_MSG_MAP_REGISTER:
	case XTR_MSG_MAP_NOTIFY:
	case XTR_MSG_MAP_NOTIFY_ACK: return ex_register(buf, len);
	case XTR_MSG_INFO: return ex_info(buf, len);
	case XTR_MSG_ECM: return ex_ecm(buf, len);
	default: return type < 0 ? type : -EPROTONOSUPPORT;
	}
}

#endif
