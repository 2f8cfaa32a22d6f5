// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS messages (RFC 1035 4): queries out, answers in. Pure functions on octets; nothing is kept.
 * Invariants on hostile input: every offset is compared with the length before it is read; a
 * compression pointer only ever leads towards the start of the message, so no name is endless; a
 * CNAME chain has at most 16 links; of any number of addresses the same 64 are kept, whatever their
 * order. A message with one malformed record is refused as a whole.
 */
#include "net/dns_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/wire.h"

#define HEADER	    12
#define CHAIN_MAX   16
#define NAME_MAX_   255 /* octets on the wire, RFC 1035 2.3.4 */
#define LABEL_MAX   63
#define CLASS_IN    1
#define TYPE_NS	    2
#define TYPE_CNAME  5
#define TYPE_SOA    6
#define TYPE_OPT    41
#define OPTION_EDE  15 /* RFC 8914 */
#define FLAG_QR	    0x8000
#define FLAG_TC	    0x0200
#define FLAG_RD	    0x0100
#define FLAG_RA	    0x0080
#define FLAG_AD	    0x0020
#define OPCODE	    0x7800
#define RCODE	    0x000f
#define RC_NXDOMAIN 3

/* In lower case, on the wire, with the root's octet. */
struct name {
	unsigned len;
	uint8_t o[NAME_MAX_];
};

struct rr {
	struct name owner;
	uint16_t type, class, rdlen;
	uint32_t ttl;
	size_t rdata; /* offset */
};

struct msg {
	const uint8_t *buf;
	size_t len, answers;
	uint16_t flags, answer_count;
	unsigned rcode;
	int ede;	       /* RFC 8914 code, -1: none */
	bool soa, referral;    /* in the authority section */
	uint32_t negative_ttl; /* of the SOA, RFC 2308 5 */
};

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)u16(p) << 16 | u16(p + 2);
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static bool same(const struct name *a, const struct name *b)
{
	return a->len == b->len && !memcmp(a->o, b->o, a->len);
}

static int name_from_text(const char *text, struct name *n)
{
	size_t label;

	for (n->len = 0; *text; text += label + (text[label] == '.')) {
		label = strcspn(text, ".");
		if (!label || label > LABEL_MAX || n->len + label + 2 > NAME_MAX_)
			return -EINVAL;
		n->o[n->len++] = (uint8_t)label;
		for (size_t i = 0; i < label; i++) {
			if (text[i] <= ' ' || text[i] > '~')
				return -EINVAL;
			n->o[n->len++] = lower((uint8_t)text[i]);
		}
	}
	if (!n->len)
		return -EINVAL;
	n->o[n->len++] = 0;
	return 0;
}

/* The offset behind the name, 0 if it is none. Each pointer leads before everything read so far. */
static size_t name_read(const uint8_t *buf, size_t len, size_t at, struct name *n)
{
	size_t after = 0, lowest = at;

	for (n->len = 0;;) {
		uint8_t c;

		if (at >= len)
			return 0;
		c = buf[at];
		if (c >= 0xc0) {
			if (len - at < 2)
				return 0;
			if (!after)
				after = at + 2;
			at = (size_t)(c & 0x3f) << 8 | buf[at + 1];
			if (at >= lowest)
				return 0;
			lowest = at;
			continue;
		}
		if (c > LABEL_MAX || c + 1u > NAME_MAX_ - n->len || c >= len - at)
			return 0;
		n->o[n->len++] = c;
		for (unsigned i = 1; i <= c; i++)
			n->o[n->len++] = lower(buf[at + i]);
		at += c + 1u;
		if (!c)
			return after ? after : at;
	}
}

/* The offset behind the record, 0 if it is none. */
static size_t rr_read(const struct msg *m, size_t at, struct rr *rr)
{
	const uint8_t *p;

	at = name_read(m->buf, m->len, at, &rr->owner);
	if (!at || m->len - at < 10)
		return 0;
	p = m->buf + at;
	rr->type = u16(p);
	rr->class = u16(p + 2);
	rr->ttl = u32(p + 4);
	if (rr->ttl >> 31 && rr->type != TYPE_OPT)
		rr->ttl = 0; /* RFC 2181 8 */
	rr->rdlen = u16(p + 8);
	rr->rdata = at + 10;
	if (rr->rdlen > m->len - rr->rdata)
		return 0;
	return rr->rdata + rr->rdlen;
}

static void read_opt(struct msg *m, const struct rr *rr)
{
	struct xtr_rd rd = xtr_rd_init(m->buf + rr->rdata, rr->rdlen);

	m->rcode |= rr->ttl >> 24 << 4; /* RFC 6891 6.1.3 */
	while (xtr_rd_left(&rd)) {
		uint16_t code = xtr_rd_u16(&rd), len = xtr_rd_u16(&rd);
		struct xtr_rd option = xtr_rd_sub(&rd, len);

		if (code == OPTION_EDE && m->ede < 0 && len >= 2)
			m->ede = xtr_rd_u16(&option);
	}
}

static int read_soa(struct msg *m, const struct rr *rr)
{
	struct name n;
	size_t at = name_read(m->buf, m->len, rr->rdata, &n), end = rr->rdata + rr->rdlen;
	uint32_t minimum;

	if (at)
		at = name_read(m->buf, m->len, at, &n);
	if (!at || at > end || end - at != 20)
		return -EBADMSG;
	minimum = u32(m->buf + at + 16);
	m->soa = true;
	m->negative_ttl = rr->ttl < minimum ? rr->ttl : minimum;
	return 0;
}

/* All records once: each must be one; what the sections say besides the answer. */
static int walk(struct msg *m)
{
	unsigned counts[3] = { u16(m->buf + 6), u16(m->buf + 8), u16(m->buf + 10) };
	size_t at = m->answers;
	struct rr rr;

	for (int section = 0; section < 3; section++) {
		for (unsigned i = 0; i < counts[section]; i++) {
			at = rr_read(m, at, &rr);
			if (!at)
				return -EBADMSG;
			if (section == 1 && rr.class == CLASS_IN && rr.type == TYPE_NS)
				m->referral = true;
			if (section == 1 && rr.class == CLASS_IN && rr.type == TYPE_SOA &&
			    !m->soa && read_soa(m, &rr))
				return -EBADMSG;
			if (section == 2 && rr.type == TYPE_OPT && rr.owner.len == 1)
				read_opt(m, &rr);
		}
	}
	m->referral &= !m->soa;
	return 0;
}

/* ---- addresses */

/* Sorted, each once. Without room the greatest goes: what is kept does not depend on the order. */
static void add(struct xtr_dns_result *r, const struct xtr_ip *ip)
{
	unsigned i = r->count;
	int order = 1;

	while (i && (order = xtr_ip_cmp(&r->addrs[i - 1], ip)) > 0)
		i--;
	if (i && !order)
		return;
	if (r->count == XTR_DNS_ADDRS_MAX) {
		r->cut++;
		if (i == XTR_DNS_ADDRS_MAX)
			return;
		r->count--;
	}
	memmove(&r->addrs[i + 1], &r->addrs[i], (r->count - i) * sizeof(*ip));
	r->addrs[i] = *ip;
	r->count++;
}

/* The addresses of this owner; without any, where its CNAME leads (*next). 1 addresses, 0 a CNAME,
 * -ENOENT neither. */
static int owned(const struct msg *m, const struct name *owner, int type, struct xtr_dns_result *r,
		 struct name *next)
{
	unsigned want = type == DNS_TYPE_A ? 4 : 16;
	int found = -ENOENT;
	uint32_t cname_ttl = 0;
	size_t at = m->answers;
	struct rr rr;

	for (unsigned i = 0; i < m->answer_count; i++) {
		at = rr_read(m, at, &rr);
		if (rr.class != CLASS_IN || !same(&rr.owner, owner))
			continue;
		if (rr.type == type) {
			struct xtr_ip ip = { .family = type == DNS_TYPE_A ? 4 : 6 };

			if (rr.rdlen != want)
				return -EBADMSG;
			memcpy(ip.a, m->buf + rr.rdata, want);
			add(r, &ip);
			r->ttl = rr.ttl < r->ttl ? rr.ttl : r->ttl;
			found = 1;
		} else if (rr.type == TYPE_CNAME && found == -ENOENT) {
			if (name_read(m->buf, m->len, rr.rdata, next) != rr.rdata + rr.rdlen)
				return -EBADMSG;
			cname_ttl = rr.ttl;
			found = 0;
		}
	}
	if (!found)
		r->ttl = cname_ttl < r->ttl ? cname_ttl : r->ttl;
	return found;
}

static int refuse(struct xtr_dns_result *r, int status, const char *why)
{
	snprintf(r->why, sizeof(r->why), "%s", why);
	return status;
}

static int follow(const struct msg *m, struct name *owner, int type, struct xtr_dns_result *r)
{
	unsigned links = 0;
	struct name next;
	int rc;

	r->ttl = UINT32_MAX;
	while (!(rc = owned(m, owner, type, r, &next))) {
		if (++links > CHAIN_MAX)
			return refuse(r, -EBADMSG, "more than 16 CNAMEs in a row");
		*owner = next;
	}
	if (rc == -EBADMSG)
		return refuse(r, rc, "malformed record in the answer");
	if (rc == 1)
		return 0;
	/* NODATA, RFC 2308 2.2. Half an answer of a server that does not follow is none. */
	if (m->referral || (links && !m->soa && !(m->flags & FLAG_RA)))
		return refuse(r, -EIO, "a referral: the server does not look up names for others");
	r->ttl = !m->soa ? 0 : m->negative_ttl < r->ttl ? m->negative_ttl : r->ttl;
	return refuse(r, -ENOENT, "the name has no such addresses");
}

static int server_failed(const struct msg *m, struct xtr_dns_result *r)
{
	static const char *const names[] = { "NOERROR",	 "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP",  "REFUSED" };
	static const char *const ede[] = {
		[3] = "stale answer",	   [6] = "DNSSEC bogus",
		[7] = "signature expired", [8] = "signature not yet valid",
		[9] = "DNSKEY missing",	   [10] = "RRSIGs missing",
		[18] = "prohibited",	   [22] = "no reachable authority",
		[23] = "network error",
	};
	char text[32], more[40] = "";

	if (m->rcode < sizeof(names) / sizeof(names[0]))
		snprintf(text, sizeof(text), "%s", names[m->rcode]);
	else
		snprintf(text, sizeof(text), "response code %u", m->rcode);
	if (m->ede >= 0 && (size_t)m->ede < sizeof(ede) / sizeof(ede[0]) && ede[m->ede])
		snprintf(more, sizeof(more), " (%s)", ede[m->ede]);
	else if (m->ede >= 0)
		snprintf(more, sizeof(more), " (extended error %d)", m->ede);
	snprintf(r->why, sizeof(r->why), "%s%s", text, more);
	return -EIO;
}

static int parse(struct msg *m, const char *name, int type, struct xtr_dns_result *r)
{
	struct name wanted, asked;
	int walked = -EBADMSG;
	size_t at;

	if (name_from_text(name, &wanted) || (type != DNS_TYPE_A && type != DNS_TYPE_AAAA))
		return refuse(r, -EINVAL, "not a question for addresses");
	if (m->len < HEADER)
		return refuse(r, -EBADMSG, "shorter than a DNS header");
	m->flags = u16(m->buf + 2);
	m->rcode = m->flags & RCODE;
	if (!(m->flags & FLAG_QR) || m->flags & OPCODE)
		return refuse(r, -EBADMSG, "not an answer to a query");
	m->answer_count = u16(m->buf + 6);
	at = u16(m->buf + 4) == 1 ? name_read(m->buf, m->len, HEADER, &asked) : 0;
	if (at && m->len - at >= 4) {
		m->answers = at + 4;
		walked = walk(m);
	}
	/* A server that fails need not repeat the question. */
	if (m->rcode && m->rcode != RC_NXDOMAIN)
		return server_failed(m, r);
	if (!m->answers || !same(&asked, &wanted) || u16(m->buf + at) != type ||
	    u16(m->buf + at + 2) != CLASS_IN)
		return refuse(r, -EBADMSG, "an answer to another question");
	if (m->flags & FLAG_TC)
		return refuse(r, -EBADMSG, "truncated answer");
	if (walked)
		return refuse(r, -EBADMSG, "malformed answer");
	r->authenticated = m->flags & FLAG_AD;
	if (m->rcode == RC_NXDOMAIN) {
		r->ttl = m->soa ? m->negative_ttl : 0;
		return refuse(r, -ENOENT, "the name does not exist");
	}
	return follow(m, &wanted, type, r);
}

int xtr_dns_parse(const uint8_t *buf, size_t len, const char *name, int type,
		  struct xtr_dns_result *r)
{
	struct msg m = { .buf = buf, .len = len, .ede = -1 };

	memset(r, 0, sizeof(*r));
	r->status = parse(&m, name, type, r);
	if (r->status && r->status != -ENOENT) {
		r->authenticated = false;
		r->ttl = 0;
	}
	if (r->status)
		r->count = r->cut = 0;
	return r->status;
}

int xtr_dns_parse_http(const struct xtr_http_result *h, const char *name, int type,
		       struct xtr_dns_result *r)
{
	if (!h->status && h->code >= 200 && h->code <= 299) {
		if (h->len < 2 || !u16(h->body)) { /* RFC 8484 4.1 */
			xtr_dns_parse(h->body, h->len, name, type, r);
			r->ttl -= h->age < r->ttl ? h->age : r->ttl; /* RFC 8484 5.1 */
			return r->status;
		}
		memset(r, 0, sizeof(*r));
		r->status = refuse(r, -EBADMSG, "an answer to another question (ID is not 0)");
		return r->status;
	}
	memset(r, 0, sizeof(*r));
	r->status = !h->status			 ? -EPROTO
		    : h->status == -EFBIG	 ? -EBADMSG
		    : h->status == -EHOSTUNREACH ? -ECONNREFUSED
						 : h->status;
	return refuse(r, r->status, h->why);
}

int xtr_dns_query(uint8_t *buf, size_t size, uint16_t id, const char *name, int type, bool edns)
{
	struct xtr_wr w = xtr_wr_init(buf, size);
	struct name n;

	if (name_from_text(name, &n))
		return -EINVAL;
	xtr_wr_u16(&w, id);
	xtr_wr_u16(&w, FLAG_RD | FLAG_AD);
	xtr_wr_u16(&w, 1);
	xtr_wr_u16(&w, 0);
	xtr_wr_u16(&w, 0);
	xtr_wr_u16(&w, edns);
	xtr_wr_bytes(&w, n.o, n.len);
	xtr_wr_u16(&w, (uint16_t)type);
	xtr_wr_u16(&w, CLASS_IN);
	if (edns) {
		xtr_wr_u8(&w, 0);
		xtr_wr_u16(&w, TYPE_OPT);
		xtr_wr_u16(&w, DNS_UDP_PAYLOAD);
		xtr_wr_u32(&w, 0);
		xtr_wr_u16(&w, 0);
	}
	return w.err ? w.err : (int)xtr_wr_len(&w);
}

const struct xtr_dns_result *xtr_dns_merge(const struct xtr_dns_result *a,
					   const struct xtr_dns_result *aaaa,
					   struct xtr_dns_result *r)
{
	const struct xtr_dns_result *both[2] = { a, aaaa };
	bool failed[2];

	memset(r, 0, sizeof(*r));
	r->ttl = UINT32_MAX;
	r->authenticated = true;
	for (int i = 0; i < 2; i++) {
		failed[i] = both[i]->status && both[i]->status != -ENOENT;
		if (!failed[i] && !both[i]->authenticated)
			r->authenticated = false;
		if (both[i]->status)
			continue;
		for (unsigned n = 0; n < both[i]->count; n++)
			add(r, &both[i]->addrs[n]);
		r->cut += both[i]->cut;
		r->ttl = both[i]->ttl < r->ttl ? both[i]->ttl : r->ttl;
	}
	if (r->count) {
		r->partial = failed[0] || failed[1];
		return failed[0] ? a : failed[1] ? aaaa : NULL;
	}
	if (failed[0] || failed[1]) { /* "none" of one family says nothing about the other */
		r->status = failed[0] ? a->status : aaaa->status;
		r->ttl = 0;
		r->authenticated = false;
		return failed[0] ? a : aaaa;
	}
	r->status = -ENOENT;
	r->ttl = a->ttl < aaaa->ttl ? a->ttl : aaaa->ttl;
	return a;
}
