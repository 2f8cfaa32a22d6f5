// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From an EID to the index of its Map-Server set (RFC 9962 5, draft-farinacci-lisp-decent-10 5.1).
 * Registering and looking up both go through here, so that they meet (RFC 9962 5.2: both sides mask
 * alike). Owns nothing, allocates nothing; the caller keeps the parameters.
 *
 * Invariant: what is hashed depends on the EID-prefix and the parameters only, and an EID-prefix
 * that is not too short (xtr_decent_too_short) has the index of every EID inside it.
 *
 * Groups: RFC 9962 hashes "[iid]group", the author's implementation "[iid]group/32", so (S,G) and
 * (*,G) meet. The draft hashes group and source; a Hash Mask is taken from the string there, not
 * counted: it stops after "[iid]group", as it has to (draft 5.1). Lookup-lengths count for the
 * group address.
 */
#include "codec/decent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define LOOKUPS_MAX 4096
#define LISPERS_OCTETS 6 /* 12 hexadecimal digits */

static const char *const profile_names[XTR_DECENT_PROFILE_MAX] = {
	[XTR_DECENT_RFC9962] = "rfc9962",
	[XTR_DECENT_DRAFT10] = "draft10",
	[XTR_DECENT_LISPERS] = "lispers-net",
};

const char *xtr_decent_profile_name(unsigned profile)
{
	return profile < XTR_DECENT_PROFILE_MAX ? profile_names[profile] : "unknown";
}

int xtr_decent_profile_parse(const char *s)
{
	for (int i = 0; i < XTR_DECENT_PROFILE_MAX; i++)
		if (!strcmp(s, profile_names[i]))
			return i;
	return -EINVAL;
}

/* --- addresses */

static bool is_ip(const struct xtr_eid_prefix *e)
{
	return e->afi == XTR_AFI_IP4 || e->afi == XTR_AFI_IP6;
}

/* Bits of an address of the family; 0 for names, which have no width. */
static unsigned width_of(const struct xtr_eid_prefix *e)
{
	switch (e->afi) {
	case XTR_AFI_IP4: return 32;
	case XTR_AFI_IP6: return 128;
	case XTR_AFI_MAC: return 48;
	default: return 0;
	}
}

/* What is hashed to spread the load: the group if there is one, else the EID itself. */
static bool main_ip(const struct xtr_eid_prefix *e, struct xtr_ippfx *out)
{
	if (!is_ip(e))
		return false;
	memset(out, 0, sizeof(*out));
	out->ip.family = e->afi == XTR_AFI_IP4 ? 4 : 6;
	out->len = e->group_len ? e->group_len : e->len;
	memcpy(out->ip.a, e->group_len ? e->g : e->a, 16);
	return true;
}

static unsigned main_len(const struct xtr_eid_prefix *e)
{
	return e->group_len ? e->group_len : e->len;
}

/* How many leading bits are the same, at most max. */
static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned max)
{
	unsigned n = 0;

	while (n < max && !((a[n / 8] ^ b[n / 8]) & (0x80 >> (n % 8))))
		n++;
	return n;
}

static void clear_bits(uint8_t *a, unsigned from, unsigned bits)
{
	for (unsigned i = from; i < bits; i++)
		a[i / 8] &= (uint8_t)~(0x80 >> (i % 8));
}

static void set_bits(uint8_t *a, unsigned from, unsigned bits)
{
	for (unsigned i = from; i < bits; i++)
		a[i / 8] |= (uint8_t)(0x80 >> (i % 8));
}

/* --- lookup-lengths, RFC 9962 5.2 */

static bool counts_for(const struct xtr_decent_lookup *l, uint32_t iid)
{
	return l->iid == XTR_DECENT_ANY_IID || l->iid == iid;
}

/* The longest one that holds the EID; of two that are equal the one for its instance. */
static const struct xtr_decent_lookup *lookup_of(const struct xtr_decent_hash *h,
						 const struct xtr_eid_prefix *eid)
{
	const struct xtr_decent_lookup *best = NULL;
	struct xtr_ippfx p;

	if (!main_ip(eid, &p))
		return NULL;
	for (unsigned i = 0; i < h->lookup_count; i++) {
		const struct xtr_decent_lookup *l = &h->lookups[i];

		if (!counts_for(l, eid->iid) || !xtr_ippfx_contains(&l->eid, &p))
			continue;
		if (!best || l->eid.len > best->eid.len ||
		    (l->eid.len == best->eid.len && best->iid == XTR_DECENT_ANY_IID))
			best = l;
	}
	return best;
}

static void mask_to(struct xtr_eid_prefix *e, unsigned length)
{
	uint8_t *octets = e->group_len ? e->g : e->a;
	uint8_t *len = e->group_len ? &e->group_len : &e->len;

	/* A group of no bits could not be told from a unicast prefix. */
	if (e->group_len && !length)
		length = 1;
	if (length >= *len)
		return;
	*len = (uint8_t)length;
	clear_bits(octets, length, width_of(e));
}

/* --- the string */

struct text {
	char *p;
	size_t n, size;
};

static void add(struct text *t, const char *s, size_t len)
{
	size_t room = t->size - 1 - t->n;

	if (len > room)
		len = room;
	memcpy(t->p + t->n, s, len);
	t->n += len;
	t->p[t->n] = '\0';
}

static void add_number(struct text *t, const char *before, unsigned v, const char *after)
{
	char s[32];
	int n = snprintf(s, sizeof(s), "%s%u%s", before, v, after);

	add(t, s, (size_t)n);
}

static void add_ip(struct text *t, const struct xtr_eid_prefix *e, const uint8_t *octets)
{
	struct xtr_ip ip = { .family = e->afi == XTR_AFI_IP4 ? 4 : 6 };
	char s[XTR_IP_STRLEN];

	memcpy(ip.a, octets, 16);
	xtr_ip_str(&ip, s);
	add(t, s, strlen(s));
}

static void add_group(struct text *t, unsigned profile, const struct xtr_eid_prefix *e)
{
	add_ip(t, e, e->g);
	if (profile == XTR_DECENT_RFC9962)
		return;
	add_number(t, "/", e->group_len, "");
	if (profile == XTR_DECENT_LISPERS)
		return;
	add(t, "-", 1);
	add_ip(t, e, e->a);
	add_number(t, "/", e->len, "");
}

/* "[iid]eid/ml" (draft 5.1). 0, or -EPROTONOSUPPORT. *stop: where a Hash Mask ends for a group. */
static int text_of(unsigned profile, const struct xtr_eid_prefix *e, char out[XTR_DECENT_STRLEN],
		   size_t *len, size_t *stop)
{
	struct text t = { .p = out, .size = XTR_DECENT_STRLEN };
	char s[32];

	add_number(&t, "[", e->iid, "]");
	*stop = 0;
	if (is_ip(e) && e->group_len) {
		struct text group = t;

		add_ip(&group, e, e->g);
		*stop = group.n;
		add_group(&t, profile, e);
	} else if (is_ip(e)) {
		add_ip(&t, e, e->a);
		add_number(&t, "/", e->len, "");
	} else if (e->afi == XTR_AFI_MAC) {
		snprintf(s, sizeof(s), "%02x%02x-%02x%02x-%02x%02x", e->a[0], e->a[1], e->a[2],
			 e->a[3], e->a[4], e->a[5]);
		add(&t, s, strlen(s));
		add_number(&t, "/", e->len, "");
	} else if (e->afi == XTR_AFI_NAME) {
		add(&t, "'", 1);
		add(&t, (const char *)e->a, strnlen((const char *)e->a, e->len / 8));
		add(&t, "'", 1);
		/* The mask-len of the record, which counts the NUL (RFC 9735 3). */
		if (profile != XTR_DECENT_LISPERS)
			add_number(&t, "/", xtr_eid_mask_len(e), "");
	} else {
		return -EPROTONOSUPPORT;
	}
	*len = t.n;
	return 0;
}

static size_t iid_text_len(uint32_t iid)
{
	char s[16];

	return (size_t)snprintf(s, sizeof(s), "[%u]", iid);
}

/* --- the number */

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static EVP_MD *sha256;

static void prepare(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL); /* for the life of the process */
}

static int digest_of(unsigned profile, const char *s, size_t len, uint8_t out[XTR_DECENT_DIGEST])
{
	static const char key[] = "lisp-decent";
	unsigned n = 0;

	if (!CRYPTO_THREAD_run_once(&once, prepare) || !sha256)
		return -ENOMEM;
	if (profile == XTR_DECENT_LISPERS) {
		if (!HMAC(sha256, key, (int)sizeof(key) - 1, (const uint8_t *)s, len, out, &n))
			return -ENOMEM;
	} else if (!EVP_Digest(s, len, out, &n, sha256, NULL)) {
		return -ENOMEM;
	}
	return n == XTR_DECENT_DIGEST ? 0 : -ENOMEM;
}

static unsigned octets_used(const struct xtr_decent_hash *h)
{
	if (h->profile != XTR_DECENT_LISPERS)
		return XTR_DECENT_DIGEST;
	return h->digest_octets ? h->digest_octets : LISPERS_OCTETS;
}

/* The octets as one big-endian number, modulo m. */
static uint32_t remainder_of(const uint8_t *digest, unsigned octets, uint32_t m)
{
	uint64_t r = 0;

	for (unsigned i = 0; i < octets; i++)
		r = (r * 256 + digest[i]) % m;
	return (uint32_t)r;
}

static bool usable(const struct xtr_decent_hash *h)
{
	return h->profile < XTR_DECENT_PROFILE_MAX && h->modulus &&
	       h->modulus <= XTR_DECENT_MODULUS_MAX && octets_used(h) <= XTR_DECENT_DIGEST &&
	       (h->lookups || !h->lookup_count);
}

static bool has_mask(const struct xtr_decent_hash *h)
{
	return h->profile == XTR_DECENT_DRAFT10 && h->hash_mask;
}

int xtr_decent_step(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid,
		    struct xtr_decent_step *out)
{
	size_t len, stop;
	int r;

	memset(out, 0, sizeof(*out));
	if (!usable(h))
		return -EINVAL;
	out->masked = *eid;
	out->lookup = lookup_of(h, eid);
	if (out->lookup)
		mask_to(&out->masked, out->lookup->length);
	r = text_of(h->profile, &out->masked, out->full, &len, &stop);
	if (r)
		return r;
	if (has_mask(h) && stop) {
		len = stop;
	} else if (has_mask(h)) {
		if (xtr_decent_check_iid(h, eid->iid))
			return -EINVAL;
		len = h->hash_mask < len ? h->hash_mask : len;
	}
	memcpy(out->string, out->full, len);
	r = digest_of(h->profile, out->string, len, out->digest);
	if (r)
		return r;
	out->digest_used = octets_used(h);
	out->index = remainder_of(out->digest, out->digest_used, h->modulus);
	return 0;
}

int64_t xtr_decent_index(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid)
{
	struct xtr_decent_step step;
	int r = xtr_decent_step(h, eid, &step);

	return r ? r : (int64_t)step.index;
}

int xtr_decent_name(uint32_t index, const char *suffix, char *buf, size_t size)
{
	size_t len = strlen(suffix), label = 0;
	int n;

	if (len && suffix[len - 1] == '.')
		len--;
	n = snprintf(buf, size, "%u.%.*s", index, (int)len, suffix);
	if (n < 0 || (size_t)n >= size || n > XTR_DECENT_NAME_MAX - 1)
		return -ENAMETOOLONG;
	for (const char *p = buf; *p; p++) {
		label = *p == '.' ? 0 : label + 1;
		if (label > 63) /* RFC 1035 2.3.4 */
			return -ENAMETOOLONG;
	}
	return 0;
}

/* --- are the parameters good */

static const char *check_lookup(const struct xtr_decent_hash *h, unsigned n)
{
	const struct xtr_decent_lookup *l = &h->lookups[n];
	struct xtr_ippfx p = l->eid;

	if (!xtr_ip_bits(&p.ip) || p.len > xtr_ip_bits(&p.ip))
		return "a lookup-length is for an IPv4 or IPv6 EID-prefix";
	if (xtr_ippfx_mask(&p))
		return "the EID-prefix of a lookup-length has host bits set";
	if (l->length > xtr_ip_bits(&p.ip))
		return "a lookup-length counts bits: at most 32 for IPv4, 128 for IPv6";
	/* What it cuts to would be outside the EID-prefix that it is for. */
	if (l->length < p.len)
		return "a lookup-length is shorter than its own EID-prefix";
	for (unsigned i = 0; i < n; i++)
		if (h->lookups[i].iid == l->iid && h->lookups[i].eid.len == p.len &&
		    !xtr_ip_cmp(&h->lookups[i].eid.ip, &p.ip))
			return "an EID-prefix has two lookup-lengths";
	return NULL;
}

const char *xtr_decent_check(const struct xtr_decent_hash *h)
{
	if (h->profile >= XTR_DECENT_PROFILE_MAX)
		return "the profile is none of rfc9962, draft10, lispers-net";
	if (!h->modulus || h->modulus > XTR_DECENT_MODULUS_MAX)
		return "the modulus is the number of Map-Server sets, 1 to 65536";
	if (octets_used(h) > XTR_DECENT_DIGEST)
		return "digest-octets is at most 32: the digest has no more";
	if (h->hash_mask && h->profile != XTR_DECENT_DRAFT10)
		return "a Hash Mask is of profile draft10: use lookup-lengths instead";
	if (h->hash_mask && h->hash_mask < iid_text_len(0))
		return "the Hash Mask ends inside the brackets of the instance ID: it counts "
		       "octets of \"[0]240.0.1.0/24\"";
	if (h->lookup_count && !h->lookups)
		return "lookup-lengths are missing";
	if (h->lookup_count > LOOKUPS_MAX)
		return "more than 4096 lookup-lengths";
	for (unsigned i = 0; i < h->lookup_count; i++) {
		const char *problem = check_lookup(h, i);

		if (problem)
			return problem;
	}
	return NULL;
}

const char *xtr_decent_check_iid(const struct xtr_decent_hash *h, uint32_t iid)
{
	if (has_mask(h) && h->hash_mask < iid_text_len(iid))
		return "the Hash Mask ends inside the brackets of this instance ID: make it longer "
		       "or use lookup-lengths";
	return NULL;
}

/* --- what one set can speak for */

unsigned xtr_decent_fixed_bits(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid)
{
	const struct xtr_decent_lookup *l = lookup_of(h, eid);
	unsigned width = width_of(eid), bits;
	struct xtr_ippfx p;

	if (h->modulus == 1) /* there is one set */
		return 0;
	if (!width)
		return eid->len;
	if (eid->group_len && h->profile == XTR_DECENT_DRAFT10 && !h->hash_mask)
		return 2 * width; /* the source is hashed, too */
	if (!main_ip(eid, &p) || !l || (has_mask(h) && !eid->group_len))
		return width;
	bits = l->length > l->eid.len ? l->length : l->eid.len;
	/* Not so short that it takes in EIDs with another lookup-length. */
	for (unsigned i = 0; i < h->lookup_count; i++) {
		const struct xtr_decent_lookup *o = &h->lookups[i];
		unsigned same;

		if (!counts_for(o, eid->iid) || o->eid.ip.family != p.ip.family ||
		    o->eid.len <= bits)
			continue;
		same = common_bits(o->eid.ip.a, p.ip.a, o->eid.len);
		if (same >= bits)
			bits = same < o->eid.len && same < p.len ? same + 1 : width;
	}
	return bits;
}

/* How many octets of its text all EIDs inside a prefix have in common. Decimal numbers of one
 * length and hexadecimal ones are in the order of their text, so the first and the last EID tell;
 * where IPv6 puts "::" depends on the zeros behind, so that is tried in each way. */
static size_t common_text(const struct xtr_eid_prefix *eid)
{
	unsigned width = width_of(eid), group = eid->len / 16 * 16 + 16, n;
	char first[XTR_DECENT_STRLEN], text[XTR_DECENT_STRLEN];
	struct xtr_eid_prefix e = *eid, v[3];
	size_t len, stop, common;

	e.len = (uint8_t)width;
	v[0] = v[1] = v[2] = e;
	set_bits(v[0].a, eid->len, width);                          /* the last one */
	set_bits(v[1].a, eid->len, group < width ? group : width);  /* zeros only behind */
	set_bits(v[2].a, width - 1, width);                         /* the second one */
	text_of(XTR_DECENT_DRAFT10, &e, first, &common, &stop);
	for (n = 0; n < 3; n++) {
		size_t i = 0;

		text_of(XTR_DECENT_DRAFT10, &v[n], text, &len, &stop);
		while (i < common && i < len && first[i] == text[i])
			i++;
		common = i;
	}
	return common;
}

/* EIDs inside eid that are not cut as eid is: by a lookup-length that is longer than eid. */
static bool cut_inside(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid)
{
	struct xtr_ippfx p;

	if (!main_ip(eid, &p))
		return false;
	for (unsigned i = 0; i < h->lookup_count; i++) {
		const struct xtr_decent_lookup *l = &h->lookups[i];

		if (counts_for(l, eid->iid) && l->eid.len > p.len &&
		    xtr_ippfx_contains(&p, &l->eid) && l->length > p.len)
			return true;
	}
	return false;
}

bool xtr_decent_too_short(const struct xtr_decent_hash *h, const struct xtr_eid_prefix *eid)
{
	const struct xtr_decent_lookup *l = lookup_of(h, eid);
	unsigned width = width_of(eid), want = l ? l->length : width;

	/* Names are looked up whole. */
	if (h->modulus == 1 || !width)
		return false;
	if (main_len(eid) >= want && !cut_inside(h, eid))
		return false;
	return !has_mask(h) || eid->group_len || common_text(eid) < h->hash_mask;
}

static bool has_lookup(const struct xtr_decent_hash *h, const struct xtr_decent_lookup *l)
{
	for (unsigned i = 0; i < h->lookup_count; i++)
		if (h->lookups[i].iid == l->iid && h->lookups[i].length == l->length &&
		    h->lookups[i].eid.len == l->eid.len &&
		    !xtr_ip_cmp(&h->lookups[i].eid.ip, &l->eid.ip))
			return true;
	return false;
}

bool xtr_decent_same(const struct xtr_decent_hash *a, const struct xtr_decent_hash *b)
{
	if (a->profile != b->profile || a->modulus != b->modulus ||
	    octets_used(a) != octets_used(b) ||
	    (a->profile == XTR_DECENT_DRAFT10 && a->hash_mask != b->hash_mask) ||
	    a->lookup_count != b->lookup_count)
		return false;
	for (unsigned i = 0; i < a->lookup_count; i++)
		if (!has_lookup(b, &a->lookups[i]) || !has_lookup(a, &b->lookups[i]))
			return false;
	return true;
}
