/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * LISP control messages: octets to plain structs of views and back. RFC 9301 5, RFC 9437 4, NAT drafts.
 * No allocation, no I/O, no time. A decoder validates the whole message (every record, every locator, trailing
 * octets), so iterating over records afterwards cannot fail. Views live as long as the message buffer.
 *
 * Errors of all decoders: -EBADMSG malformed or trailing octets; -EAFNOSUPPORT unknown AFI; -EPROTONOSUPPORT
 * unknown type, sub-type or vendor LCAF; -E2BIG a limit of ours.
 */
#ifndef XTR_CODEC_MSG_H
#define XTR_CODEC_MSG_H

#include "codec/addr.h"
#include "codec/eid.h"

enum xtr_msg_type {
	XTR_MSG_MAP_REQUEST = 1, XTR_MSG_MAP_REPLY = 2, XTR_MSG_MAP_REGISTER = 3, XTR_MSG_MAP_NOTIFY = 4,
	XTR_MSG_MAP_NOTIFY_ACK = 5, XTR_MSG_MAP_REFERRAL = 6, XTR_MSG_INFO = 7, XTR_MSG_ECM = 8, XTR_MSG_EXT = 15,
};
#define XTR_MSG_MAX       65507
#define XTR_ITR_RLOCS_MAX 32
#define XTR_AUTH_MAX      64
/* Largest control message (UDP payload) with an unknown path MTU, RFC 9301 5: whole packet 576 / 1280. */
#define XTR_MSG_SAFE4 (576 - 28)
#define XTR_MSG_SAFE6 (1280 - 48)

/* Type nibble of a message, or -EBADMSG if empty. */
int xtr_msg_type(const uint8_t *buf, size_t len);
const char *xtr_msg_name(int type);

/* --- EID records and locators, RFC 9301 5.4 */
struct xtr_locator {
	uint8_t priority, weight, mpriority, mweight;
	bool local, probed, reachable;  /* L, p, R */
	struct xtr_addr addr;
};
struct xtr_record {
	uint32_t ttl;            /* minutes; 0 remove, 0xffffffff receiver decides */
	uint8_t  locator_count;
	uint8_t  mask_len;
	uint8_t  act;            /* 0-7 */
	bool     authoritative;
	uint16_t map_version;    /* 12 bits */
	struct xtr_addr eid;
	struct xtr_rd locators;  /* validated */
	const uint8_t *wire;     /* the whole record */
	size_t wire_len;
};
struct xtr_records {             /* iterator over validated records */
	struct xtr_rd rd;
	uint8_t left;
};
/* What a TTL on the wire means. lispers.net sends seconds with the highest bit set, which are 4000 years if read as minutes:
 * nobody means those. 0xffffffff is no number, and left to the caller. */
#define XTR_TTL_SECONDS 0x80000000u
static inline uint64_t xtr_ttl_ms(uint32_t ttl)
{
	if (!(ttl & XTR_TTL_SECONDS))
		return ttl * 60000ull;
	return ttl == XTR_TTL_SECONDS ? 60000 : (ttl & ~XTR_TTL_SECONDS) * 1000ull;
}
/* The same in the form that every implementation reads: minutes, at least one. */
static inline uint32_t xtr_ttl_minutes(uint32_t ttl)
{
	if (!(ttl & XTR_TTL_SECONDS) || ttl == UINT32_MAX)
		return ttl;
	return xtr_ttl_ms(ttl) < 120000 ? 1 : (uint32_t)(xtr_ttl_ms(ttl) / 60000);
}
/* What an ACT on the wire means: the unassigned 6 and 7 are read as 0, no-action (RFC 9301 5.4). */
static inline uint8_t xtr_act_read(uint8_t act) { return act > 5 ? 0 : act; }
bool xtr_record_next(struct xtr_records *it, struct xtr_record *out);
/* Takes a copy of rec->locators as *it on the first call (it->p == NULL). */
bool xtr_locator_next(const struct xtr_record *rec, struct xtr_rd *it, struct xtr_locator *out);

/* Writers. begin writes the record header and EID; locator_count is filled in by end. */
struct xtr_record_head { uint32_t ttl; uint8_t act; bool authoritative; uint16_t map_version; };
size_t xtr_put_record_begin(struct xtr_wr *w, const struct xtr_record_head *h, const struct xtr_eid_prefix *eid);
void xtr_put_locator(struct xtr_wr *w, uint8_t priority, uint8_t weight, uint8_t mpriority, uint8_t mweight,
		     bool local, bool probed, bool reachable, const struct xtr_ip *ip);
void xtr_put_locator_raw(struct xtr_wr *w, const struct xtr_locator *l); /* any address */
void xtr_put_record_end(struct xtr_wr *w, size_t mark, uint8_t locator_count);

/* --- Map-Request, RFC 9301 5.2 */
enum {
	XTR_MREQ_A = 1 << 0, XTR_MREQ_M = 1 << 1, XTR_MREQ_P = 1 << 2, XTR_MREQ_S = 1 << 3, XTR_MREQ_PITR = 1 << 4,
	XTR_MREQ_SMR_INVOKED = 1 << 5, XTR_MREQ_I = 1 << 6, XTR_MREQ_L = 1 << 7, XTR_MREQ_D = 1 << 8,
};
struct xtr_map_request {
	uint32_t flags;                  /* XTR_MREQ_* */
	uint64_t nonce;
	struct xtr_addr source_eid;      /* AFI 0: none */
	uint8_t itr_rloc_count;          /* 1..32 */
	struct xtr_addr itr_rlocs[XTR_ITR_RLOCS_MAX];
	uint8_t record_count;            /* received; >= 1 */
	struct xtr_rd recs;              /* validated request records: see xtr_mreq_record_next */
	struct xtr_record reply_record;  /* with M */
	uint8_t xtr_id[16], site_id[8];  /* with I */
};
struct xtr_mreq_record { bool subscribe; uint8_t mask_len; struct xtr_addr eid; };
int xtr_map_request_decode(const uint8_t *buf, size_t len, struct xtr_map_request *out);
bool xtr_mreq_record_next(const struct xtr_map_request *m, struct xtr_rd *it, struct xtr_mreq_record *out);
/* What an xTR of this project sends: one record, IP ITR-RLOCs. source_eid may be NULL (AFI 0). xtr_id/site_id with XTR_MREQ_I. */
struct xtr_mreq_out {
	uint32_t flags;
	uint64_t nonce;
	const struct xtr_eid_prefix *source_eid;
	const struct xtr_ip *itr_rlocs;
	uint8_t itr_rloc_count;
	const struct xtr_eid_prefix *eid;
	bool subscribe;
	const uint8_t *xtr_id, *site_id;
};
void xtr_map_request_encode(struct xtr_wr *w, const struct xtr_mreq_out *m);
/* Re-encodes a decoded message (round trip). */
void xtr_map_request_reencode(struct xtr_wr *w, const struct xtr_map_request *m);

/* --- Map-Reply, RFC 9301 5.4 */
struct xtr_map_reply {
	bool probe, echo_nonce, security;  /* P, E, S */
	uint8_t record_count;
	uint64_t nonce;
	struct xtr_records records;
	const uint8_t *auth; size_t auth_len; /* LISP-SEC data with S: opaque */
};
int xtr_map_reply_decode(const uint8_t *buf, size_t len, struct xtr_map_reply *out);
/* Writes the header; records follow by xtr_put_record_*. */
void xtr_map_reply_begin(struct xtr_wr *w, bool probe, bool echo_nonce, uint8_t record_count, uint64_t nonce);
void xtr_map_reply_reencode(struct xtr_wr *w, const struct xtr_map_reply *m);

/* --- Map-Register, Map-Notify, Map-Notify-Ack, RFC 9301 5.6, 5.7 */
enum {
	XTR_REG_P = 1 << 0, XTR_REG_S = 1 << 1, XTR_REG_I = 1 << 2, XTR_REG_E = 1 << 3, XTR_REG_T = 1 << 4,
	XTR_REG_MERGE = 1 << 5, XTR_REG_M = 1 << 6, XTR_REG_RTR = 1 << 7, /* Map-Notify header bit 5, NAT-E */
};
enum xtr_auth_alg { XTR_AUTH_NONE = 0, XTR_AUTH_SHA1 = 1, XTR_AUTH_SHA256 = 2, XTR_AUTH_SHA256_HKDF = 3 };
struct xtr_register {              /* types 3, 4 and 5 */
	uint8_t type;              /* enum xtr_msg_type */
	uint32_t flags;            /* XTR_REG_* */
	uint64_t nonce;
	uint8_t key_id, alg_id;
	const uint8_t *auth; uint16_t auth_len; size_t auth_off;
	uint8_t record_count;
	struct xtr_records records;        /* not valid before xtr_register_decode() */
	bool has_ids;                      /* xTR-ID and Site-ID present */
	uint8_t xtr_id[16], site_id[8];
	const uint8_t *msg; size_t msg_len;
};
/* Step 1: the fixed part only, up to and including the authentication data (no record is looked at). */
int xtr_register_decode_head(const uint8_t *buf, size_t len, struct xtr_register *out);
/* Step 2: xtr_auth_verify() on the whole message (codec/auth.h). Step 3: */
int xtr_register_decode_body(struct xtr_register *m);
/* Finds the first record's EID without validating anything else, to choose the site and its key before the MAC is checked.
 * -EBADMSG if even that is unreadable. */
int xtr_register_peek_eid(const struct xtr_register *m, struct xtr_eid_prefix *eid);
struct xtr_register_out {
	uint8_t type;
	uint32_t flags;
	uint64_t nonce;
	uint8_t key_id, alg_id;
	uint8_t auth_len;          /* 0: as long as the algorithm's MAC */
	uint8_t record_count;
};
/* Header with zeroed authentication data; then records; then xtr_put_ids with XTR_REG_I; then
 * xtr_auth_sign() over the finished message. */
void xtr_register_begin(struct xtr_wr *w, const struct xtr_register_out *m);
void xtr_put_ids(struct xtr_wr *w, const uint8_t xtr_id[16], const uint8_t site_id[8]);
void xtr_register_reencode(struct xtr_wr *w, const struct xtr_register *m);

/* --- Encapsulated Control Message, RFC 9301 5.8 */
struct xtr_ecm {
	bool security, ddt, to_etr, to_ms;   /* S, D, E, M (bits 6 and 7 are reserved in 9301 5.8) */
	const uint8_t *auth; size_t auth_len; /* with S */
	struct xtr_ip inner_src, inner_dst;
	uint16_t inner_sport, inner_dport;
	uint8_t inner_ttl;
	bool checksum_bad;                    /* inner IPv4 header or (non-zero) UDP checksum is wrong: the receiver drops it */
	const uint8_t *msg; size_t msg_len;   /* the control message inside */
};
/* Checks inner lengths and protocol 17; an ECM inside is -EBADMSG. Inner checksums are judged, not enforced: checksum_bad. */
int xtr_ecm_decode(const uint8_t *buf, size_t len, struct xtr_ecm *out);
/* Writes ECM word, inner IP, UDP (both checksums), and the message. inner_src and inner_dst of one family. */
void xtr_ecm_encode(struct xtr_wr *w, const struct xtr_ip *inner_src, uint16_t inner_sport,
		    const struct xtr_ip *inner_dst, uint16_t inner_dport, const uint8_t *msg, size_t msg_len);
void xtr_ecm_reencode(struct xtr_wr *w, const struct xtr_ecm *m);

/* --- Info-Request, Info-Reply (type 7) */
struct xtr_info {
	bool reply;
	uint64_t nonce;
	uint8_t key_id, alg_id;
	const uint8_t *auth; uint16_t auth_len; size_t auth_off;
	uint32_t ttl;
	uint8_t mask_len;
	struct xtr_addr eid;
	struct xtr_addr last;   /* request: AFI 0 or name; reply: NAT LCAF */
};
int xtr_info_decode(const uint8_t *buf, size_t len, struct xtr_info *out);
void xtr_info_reencode(struct xtr_wr *w, const struct xtr_info *m);

#endif
