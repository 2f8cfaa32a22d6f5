/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Addresses of control messages: AFI 0, 1, 2, 6, 17, 16387 (LCAF), 16389, 16390. RFC 8060, 9306, 9735.
 *
 * A decoded address is a view into the message: it lives as long as the buffer. Decoding validates the whole
 * address, nested ones included (depth, counts, exact lengths), so the accessors below cannot fail on one that was
 * decoded. Types without an accessor are opaque and re-encode unchanged.
 */
#ifndef XTR_CODEC_ADDR_H
#define XTR_CODEC_ADDR_H

#include "util/ip.h"
#include "util/wire.h"

enum xtr_afi {
	XTR_AFI_NONE = 0, XTR_AFI_IP4 = 1, XTR_AFI_IP6 = 2, XTR_AFI_MAC_OLD = 6, XTR_AFI_NAME = 17,
	XTR_AFI_LCAF = 16387, XTR_AFI_MAC = 16389, XTR_AFI_MAC64 = 16390,
};

enum xtr_lcaf {
	XTR_LCAF_NULL = 0, XTR_LCAF_LIST = 1, XTR_LCAF_IID = 2, XTR_LCAF_ASN = 3, XTR_LCAF_APP = 4, XTR_LCAF_GEO = 5,
	XTR_LCAF_OKEY = 6, XTR_LCAF_NAT = 7, XTR_LCAF_NONCE = 8, XTR_LCAF_MCAST = 9, XTR_LCAF_ELP = 10, XTR_LCAF_KEY = 11,
	XTR_LCAF_SRCDST = 12, XTR_LCAF_RLE = 13, XTR_LCAF_JSON = 14, XTR_LCAF_KV = 15, XTR_LCAF_ENCAP = 16,
	XTR_LCAF_VENDOR = 255,
};

#define XTR_LCAF_MAX_DEPTH    4
#define XTR_LCAF_MAX_LIST     16
#define XTR_LCAF_MAX_ELP      16
#define XTR_LCAF_MAX_RLE      512
#define XTR_NAME_MAX          255
#define XTR_JSON_MAX          4096
#define XTR_KEY_MAX           512

struct xtr_addr {
	uint16_t afi;          /* enum xtr_afi */
	uint8_t  lcaf;         /* enum xtr_lcaf, with XTR_AFI_LCAF */
	bool     unknown;      /* LCAF of a type not in RFC 8060/9306, or of no use without one it nests (a list or RLE: only
				* if nothing in it is known): ignore the address, not the message */
	const uint8_t *wire;   /* the whole encoding, AFI first */
	uint16_t wire_len;
};

/* Reads one address. On error the cursor fails: -EBADMSG malformed, -EAFNOSUPPORT unknown AFI (drop the message,
 * RFC 9301 5.1), -EPROTONOSUPPORT vendor LCAF (drop the message, RFC 9306 4), -E2BIG one of the limits above. */
void xtr_addr_decode(struct xtr_rd *r, struct xtr_addr *out);
/* Writes the view's octets unchanged. */
void xtr_addr_encode(struct xtr_wr *w, const struct xtr_addr *a);
bool xtr_addr_equal(const struct xtr_addr *a, const struct xtr_addr *b);

/* AFI 1 and 2 as a value; for others returns false. */
bool xtr_addr_ip(const struct xtr_addr *a, struct xtr_ip *ip);
/* The first IP address an RLOC can be used by: plain, inside an AFI list, under encapsulation format, key, name lists. */
bool xtr_addr_rloc_ip(const struct xtr_addr *a, struct xtr_ip *ip);
/* A locator that only says which formats its address takes (XTR_ENCAP_*): encapsulation format LCAF around an IP address. */
bool xtr_addr_encap_ip(const struct xtr_addr *a, uint32_t *formats, struct xtr_ip *ip);
/* Octets of a MAC (6 or 8) or of a distinguished name without its NUL; NULL if it is neither. */
const uint8_t *xtr_addr_mac(const struct xtr_addr *a, size_t *len);
const char *xtr_addr_name(const struct xtr_addr *a, size_t *len);
/* Text for people: 192.0.2.1, [100]192.0.2.1, (192.0.2.1,233.252.0.1), 'name', 0001-0203-0405, lcaf-10(...). */
const char *xtr_addr_str(const struct xtr_addr *a, char *buf, size_t size);

/* --- typed views of the LCAFs. Each returns false if the address is not of that type. */
struct xtr_lcaf_iid   { uint8_t iid_mask; uint32_t iid; struct xtr_addr addr; };
struct xtr_lcaf_asn   { uint32_t asn; struct xtr_addr addr; };
struct xtr_lcaf_app   { uint32_t tos; uint8_t protocol; uint16_t local_lo, local_hi, remote_lo, remote_hi; struct xtr_addr addr; };
struct xtr_lcaf_geo   { bool north, east; uint16_t lat_deg, lon_deg; uint8_t lat_min, lat_sec, lon_min, lon_sec; int32_t altitude; struct xtr_addr addr; };
struct xtr_lcaf_nat   { uint16_t ms_port, etr_port; struct xtr_addr global_etr, ms, private_etr; struct xtr_rd rtrs; };
struct xtr_lcaf_nonce { uint32_t nonce; struct xtr_addr addr; };
struct xtr_lcaf_mcast { uint32_t iid; uint8_t source_len, group_len; struct xtr_addr source, group; };
struct xtr_lcaf_key   { uint8_t count, alg; const uint8_t *keys; size_t keys_len; struct xtr_addr addr; };
struct xtr_lcaf_srcdst { uint8_t source_len, dest_len; struct xtr_addr source, dest; };
struct xtr_lcaf_json  { bool binary; const uint8_t *json; uint16_t json_len; bool has_addr; struct xtr_addr addr; };
struct xtr_lcaf_kv    { struct xtr_addr key, value; };
/* RFC 8060 5.6. Bit g (LISP-GPE, UDP 4341) is of draft-ietf-lisp-gpe-06 4.1: RFC 9305 5.1 leaves open how a router says that it
 * speaks LISP-GPE, and no other meaning of the bit was ever given out. */
enum {
	XTR_ENCAP_LISP = 0x01, XTR_ENCAP_LISP_L2 = 0x02, XTR_ENCAP_VXLAN = 0x04, XTR_ENCAP_VXLAN_GPE = 0x08, XTR_ENCAP_NVGRE = 0x10,
	XTR_ENCAP_GENEVE = 0x20, XTR_ENCAP_GUE = 0x40, XTR_ENCAP_LISP_GPE = 0x80, XTR_ENCAP_KNOWN = 0xff,
};
struct xtr_lcaf_encap { uint32_t formats; struct xtr_addr addr; };
struct xtr_elp_hop    { bool lookup, probe, strict; struct xtr_addr addr; };
struct xtr_rle_entry  { uint8_t level; struct xtr_addr addr; };

bool xtr_lcaf_get_iid(const struct xtr_addr *a, struct xtr_lcaf_iid *out);
bool xtr_lcaf_get_asn(const struct xtr_addr *a, struct xtr_lcaf_asn *out);
bool xtr_lcaf_get_app(const struct xtr_addr *a, struct xtr_lcaf_app *out);
bool xtr_lcaf_get_geo(const struct xtr_addr *a, struct xtr_lcaf_geo *out);
bool xtr_lcaf_get_nat(const struct xtr_addr *a, struct xtr_lcaf_nat *out);
bool xtr_lcaf_get_nonce(const struct xtr_addr *a, struct xtr_lcaf_nonce *out);
bool xtr_lcaf_get_mcast(const struct xtr_addr *a, struct xtr_lcaf_mcast *out);
bool xtr_lcaf_get_key(const struct xtr_addr *a, struct xtr_lcaf_key *out);
bool xtr_lcaf_get_srcdst(const struct xtr_addr *a, struct xtr_lcaf_srcdst *out);
bool xtr_lcaf_get_json(const struct xtr_addr *a, struct xtr_lcaf_json *out);
bool xtr_lcaf_get_kv(const struct xtr_addr *a, struct xtr_lcaf_kv *out);
bool xtr_lcaf_get_encap(const struct xtr_addr *a, struct xtr_lcaf_encap *out);
/* Lists: *it is a cursor made by the first call with it->p == NULL; false at the end. */
bool xtr_lcaf_list_next(const struct xtr_addr *a, struct xtr_rd *it, struct xtr_addr *out);
bool xtr_lcaf_elp_next(const struct xtr_addr *a, struct xtr_rd *it, struct xtr_elp_hop *out);
bool xtr_lcaf_rle_next(const struct xtr_addr *a, struct xtr_rd *it, struct xtr_rle_entry *out);

/* --- writers of new addresses. `inner` callbacks are avoided: nested writers are begun and ended. */
void xtr_put_none(struct xtr_wr *w);
void xtr_put_ip(struct xtr_wr *w, const struct xtr_ip *ip);                    /* family 0: AFI 0 */
void xtr_put_mac(struct xtr_wr *w, const uint8_t mac[6]);
void xtr_put_name(struct xtr_wr *w, const char *name, size_t len);             /* adds the NUL */
/* Writes AFI, reserved, flags, type, rsvd2 and room for Length; returns the mark to pass to end. */
size_t xtr_put_lcaf_begin(struct xtr_wr *w, uint8_t type, uint8_t rsvd2);
void xtr_put_lcaf_end(struct xtr_wr *w, size_t mark);
void xtr_put_iid_ip(struct xtr_wr *w, uint32_t iid, const struct xtr_ip *ip);  /* plain address if iid is 0 */
void xtr_put_mcast(struct xtr_wr *w, uint32_t iid, const struct xtr_ippfx *source, const struct xtr_ippfx *group);
void xtr_put_rle(struct xtr_wr *w, const struct xtr_ip *ips, const uint8_t *levels, size_t n);
/* RFC 8060 4.4. Addresses of family 0 become AFI 0; without RTRs one AFI 0 ends the list. */
void xtr_put_nat(struct xtr_wr *w, uint16_t ms_port, uint16_t etr_port, const struct xtr_ip *global_etr,
		 const struct xtr_ip *ms, const struct xtr_ip *private_etr, const struct xtr_ip *rtrs, size_t n);
void xtr_put_encap(struct xtr_wr *w, uint32_t formats, const struct xtr_ip *ip); /* XTR_ENCAP_*; RFC 8060 5.6 */
void xtr_put_elp(struct xtr_wr *w, const struct xtr_ip *ips, const uint8_t *bits /* L 4, P 2, S 1 */, size_t n);

#endif
