// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From tree to struct by the table. Owns nothing: values, lists and texts live in the caller's
 * arena, `at` pointers point into the tree. Every message names the key, what is wrong with it, and
 * after a semicolon what to do.
 */
#include "daemon/schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct xtr_arena *arena;
	struct xtr_yaml_errors *errors;
	const struct xtr_schema *root;
};

static int read_section(struct reading *r, const struct xtr_schema *s, const struct xtr_yaml *y,
			void *out);

/* ---- unknown keys */

/* Optimal string alignment distance: insertions, deletions, replacements, and neighbours swapped.
 */
static unsigned distance(const char *a, const char *b)
{
	enum { MAX = 40 };
	unsigned row[3][MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > MAX || m > MAX)
		return MAX;
	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *cur = row[i % 3], *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned d = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < d)
				d = up[j] + 1;
			if (cur[j - 1] + 1 < d)
				d = cur[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    up2[j - 2] + 1 < d)
				d = up2[j - 2] + 1;
			cur[j] = d;
		}
	}
	return row[n % 3][m];
}

/* The section below s that has the key, if exactly that word is a key of another one. */
static const struct xtr_schema *owner_of(const struct xtr_schema *s, const char *key)
{
	for (const struct xtr_schema_key *k = s->keys; k->name; k++)
		if (!strcmp(k->name, key))
			return s;
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const struct xtr_schema *found = k->of ? owner_of(k->of, key) : NULL;

		if (found)
			return found;
	}
	return NULL;
}

static void fail_unknown(struct reading *r, const struct xtr_schema *s, const struct xtr_yaml *y)
{
	const char *best = NULL;
	const struct xtr_schema *owner;
	char known[512] = "";
	unsigned d, least = 1 + (unsigned)(strlen(y->key) + 2) / 3;
	size_t off = 0;

	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		d = distance(y->key, k->name);
		if (d < least)
			least = d, best = k->name;
		if (off < sizeof(known))
			off += (size_t)snprintf(known + off, sizeof(known) - off, "%s%s",
						off ? ", " : "", k->name);
	}
	owner = owner_of(r->root, y->key);
	if (best)
		xtr_yaml_fail_key(r->errors, y, "unknown key `%s` in %s; did you mean `%s`?",
				  y->key, s->what, best);
	else if (owner && owner != s)
		xtr_yaml_fail_key(r->errors, y, "unknown key `%s` in %s; it is a key of %s", y->key,
				  s->what, owner->what);
	else
		xtr_yaml_fail_key(r->errors, y, "unknown key `%s` in %s; the keys are %s", y->key,
				  s->what, known);
}

/* ---- scalars */

static const char *kind_name(const struct xtr_yaml *y)
{
	return y->kind == XTR_YAML_LIST ? "a list" : "a section";
}

static void set_uint(void *out, size_t size, uint64_t v)
{
	switch (size) {
	case 1: *(uint8_t *)out = (uint8_t)v; break;
	case 2: *(uint16_t *)out = (uint16_t)v; break;
	default: *(uint32_t *)out = (uint32_t)v; break;
	}
}

/* Decimal digits only: no sign, no octal, nothing behind. */
static bool parse_uint(const char *s, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s || strlen(s) > 18)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*out = v;
	return true;
}

/* "60", "0.5", "2.25" to milliseconds. */
static bool parse_seconds(const char *s, uint64_t *out)
{
	const char *dot = strchr(s, '.');
	char whole[24];
	uint64_t v, frac = 0, unit = 100;
	size_t n = dot ? (size_t)(dot - s) : strlen(s);

	if (n >= 12)
		return false;
	memcpy(whole, s, n);
	whole[n] = '\0';
	if (!parse_uint(whole, &v) || (dot && !dot[1]))
		return false;
	for (const char *c = dot ? dot + 1 : ""; *c; c++) {
		if (*c < '0' || *c > '9')
			return false;
		frac += (uint64_t)(*c - '0') * unit;
		if (!unit && *c != '0')
			return false; /* finer than a millisecond */
		unit /= 10;
	}
	*out = v * 1000 + frac;
	return true;
}

static int read_number(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		       void *out)
{
	bool seconds = k->type == XTR_T_SECONDS;
	char lo[32], hi[32];
	uint64_t v = 0;
	bool ok;

	if (seconds) {
		xtr_schema_seconds(k->min, lo);
		xtr_schema_seconds(k->max, hi);
	} else {
		snprintf(lo, sizeof(lo), "%llu", (unsigned long long)k->min);
		snprintf(hi, sizeof(hi), "%llu", (unsigned long long)k->max);
	}
	if (!y->plain) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is a text in quotes, not a number; remove the quotes",
				 k->name);
		return -EINVAL;
	}
	if (k->flags & XTR_K_ANY && !strcmp(y->text, "any")) {
		set_uint(out, k->size, UINT32_MAX);
		return 0;
	}
	ok = seconds ? parse_seconds(y->text, &v) : parse_uint(y->text, &v);
	if (ok && v >= k->min && v <= k->max) {
		set_uint(out, k->size, v);
		return 0;
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is %s%s; write a %s from %s to %s%s", k->name, y->text,
			 ok	 ? ", out of range" :
			 seconds ? ", not a number of seconds" :
				   ", not a whole number",
			 seconds ? "number of seconds" : "whole number", lo, hi,
			 k->flags & XTR_K_ANY ? ", or any" : "");
	return -EINVAL;
}

static int read_bool(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		     void *out)
{
	if (y->plain && (!strcmp(y->text, "true") || !strcmp(y->text, "false"))) {
		*(bool *)out = y->text[0] == 't';
		return 0;
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write true or false", k->name, y->text);
	return -EINVAL;
}

static int read_enum(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		     void *out)
{
	const struct xtr_schema_name *n;
	char all[256] = "";
	size_t off = 0;

	for (n = k->names; n->name; n++) {
		if (!strcmp(n->name, y->text)) {
			set_uint(out, k->size, n->value);
			return 0;
		}
		if (off < sizeof(all))
			off += (size_t)snprintf(all + off, sizeof(all) - off, "%s%s",
						off ? n[1].name ? ", " : " or " : "", n->name);
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write %s", k->name, y->text, all);
	return -EINVAL;
}

static int read_string(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		       void *out)
{
	if (k->type == XTR_T_PATH && y->text[0] != '/') {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is `%s`; write an absolute path, beginning with /", k->name,
				 y->text);
		return -EINVAL;
	}
	if (k->type == XTR_T_PATH && y->len > k->max) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has %zu characters; write a path of at most %u",
				 k->name, y->len, (unsigned)k->max);
		return -EINVAL;
	}
	if (k->type == XTR_T_IFNAME && (!y->len || y->len > k->max || !strcmp(y->text, ".") ||
					!strcmp(y->text, "..") || strpbrk(y->text, "/: \t\n"))) {
		xtr_yaml_fail_at(
			r->errors, y,
			"`%s` is `%s`, which no interface can be called; write a name of at most %u characters "
			"without space, / and :",
			k->name, y->text, (unsigned)k->max);
		return -EINVAL;
	}
	if (k->type == XTR_T_STRING && (!y->len || y->len > 255)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has %zu characters; write 1 to 255", k->name,
				 y->len);
		return -EINVAL;
	}
	*(const char **)out = y->text;
	return 0;
}

bool xtr_schema_is_group(const struct xtr_ip *ip)
{
	return xtr_ip_is_multicast(ip) && (ip->family == 4 ? ip->a[0] != 224 || ip->a[1] || ip->a[2] :
							     (ip->a[1] & 15) > 2);
}

static int read_ip(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		   void *out)
{
	struct xtr_ip *ip = out;

	if (xtr_ip_parse(y->text, ip)) {
		xtr_yaml_fail_at(
			r->errors, y,
			"`%s` is `%s`, not an address; write an IPv4 or IPv6 address without a length, "
			"as 192.0.2.1 or \"2001:db8::1\"",
			k->name, y->text);
		return -EINVAL;
	}
	if (k->flags & XTR_K_MULTICAST) {
		if (xtr_schema_is_group(ip))
			return 0;
		xtr_yaml_fail_at(r->errors, y, "`%s` is %s, which is %s; write a multicast address that routers forward, as 233.252.1.1 or \"ff08::4341\"",
				 k->name, y->text, xtr_ip_is_multicast(ip) ? "a group of one link" : "no multicast address");
		return -EINVAL;
	}
	if (xtr_ip_is_unspecified(ip) || xtr_ip_is_multicast(ip) || xtr_ip_is_linklocal(ip)) {
		xtr_yaml_fail_at(
			r->errors, y,
			"`%s` is %s, which is %s; write a unicast address that others can reach",
			k->name, y->text,
			xtr_ip_is_unspecified(ip) ? "no address" :
			xtr_ip_is_multicast(ip)	  ? "a multicast address" :
						    "link-local");
		return -EINVAL;
	}
	return 0;
}

static const char *not_an_eid(const struct xtr_ippfx *p)
{
	if (!p->len)
		return NULL; /* the default route covers them all and is meant for the rest */
	if (xtr_ip_is_multicast(&p->ip))
		return "multicast";
	if (xtr_ip_is_linklocal(&p->ip))
		return "link-local";
	if (xtr_ip_is_loopback(&p->ip))
		return "loopback";
	if (p->len == xtr_ip_bits(&p->ip) && xtr_ip_is_unspecified(&p->ip))
		return "the unspecified address";
	return NULL;
}

static int check_prefix(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
			struct xtr_ippfx *p, const char *text)
{
	struct xtr_ippfx masked;
	char buf[XTR_IPPFX_STRLEN];
	const char *why;

	if (xtr_ippfx_parse(text, p)) {
		xtr_yaml_fail_at(
			r->errors, y,
			"`%s` is `%s`, not a prefix; write an address and a length, as 10.1.0.0/24 or \"fd01::/64\"",
			k->name, y->text);
		return -EINVAL;
	}
	/* Not a host by silence: who writes 10.0.0.0 means more than one address. */
	if (!(k->flags & XTR_K_HOST_BITS) && !strchr(text, '/')) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is `%s`, which has no length; write an address and a length, %s if it is one host",
				 k->name, y->text, xtr_ippfx_str(p, buf));
		return -EINVAL;
	}
	masked = *p;
	if (xtr_ippfx_mask(&masked) && !(k->flags & XTR_K_HOST_BITS)) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is %s, which has bits set beyond its length; write %s",
				 k->name, y->text, xtr_ippfx_str(&masked, buf));
		return -EINVAL;
	}
	if (k->flags & XTR_K_MULTICAST && (!xtr_ip_is_multicast(&p->ip) || p->len < (p->ip.family == 4 ? 4 : 8))) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is %s, where not everything is multicast; write groups, as 224.0.0.0/4 or \"ff00::/8\"",
				 k->name, y->text);
		return -EINVAL;
	}
	why = k->flags & XTR_K_EID ? not_an_eid(p) : NULL;
	if (why) {
		xtr_yaml_fail_at(
			r->errors, y,
			"`%s` is %s, which is %s and can not be an EID; write a unicast prefix",
			k->name, y->text, why);
		return -EINVAL;
	}
	return 0;
}

/* "[5]" in front of an EID. 0, with *text behind it. */
static int take_instance(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
			 const char **text, uint32_t *iid)
{
	const char *end = strchr(*text, ']');
	char num[12];
	uint64_t v;

	*iid = 0;
	if (**text != '[')
		return 0;
	if (k->flags & XTR_K_NO_IID) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is `%s`; write the instance as a key of its own: instance: NUMBER",
				 k->name, y->text);
		return -EINVAL;
	}
	if (!end || end - *text - 1 >= (long)sizeof(num)) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is `%s`; write \"[instance]prefix\", as \"[5]10.0.0.0/8\"",
				 k->name, y->text);
		return -EINVAL;
	}
	memcpy(num, *text + 1, (size_t)(end - *text - 1));
	num[end - *text - 1] = '\0';
	if (!parse_uint(num, &v) || v > 0xfffffe) {
		xtr_yaml_fail_at(
			r->errors, y,
			"`%s` is `%s`; write an instance ID from 0 to 16777214 in the brackets",
			k->name, y->text);
		return -EINVAL;
	}
	*iid = (uint32_t)v;
	*text = end + 1;
	return 0;
}

/* IPv4 and IPv6 prefixes; besides, what xtr_eid_parse() takes: MAC, distinguished name, group. */
static int read_eid(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		    void *out)
{
	struct xtr_eid_prefix *e = out, other;
	const char *text = y->text;
	struct xtr_ippfx p;
	uint32_t iid;

	if (take_instance(r, k, y, &text, &iid))
		return -EINVAL;
	if (!xtr_ippfx_parse(text, &p) || xtr_eid_parse(text, &other)) {
		if (check_prefix(r, k, y, &p, text))
			return -EINVAL;
		xtr_eid_from_ippfx(iid, &p, e);
		return 0;
	}
	if (other.group_len && (other.afi == XTR_AFI_IP4 ? other.g[0] >> 4 != 14 : other.g[0] != 0xff)) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is `%s`, whose group is no multicast address; write "
				 "\"(source,group)\", as \"(0.0.0.0/0,224.1.1.1/32)\"",
				 k->name, y->text);
		return -EINVAL;
	}
	other.iid = iid;
	*e = other;
	return 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

/* As many hexadecimal digits as the ID has, or a decimal number, or "auto" where the default is
 * that. */
static int read_id(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		   void *out)
{
	struct xtr_schema_id *id = out;
	size_t size = (size_t)k->max;
	bool can_auto = k->def && !strcmp(k->def, "auto");
	uint64_t v;

	id->size = (uint8_t)size;
	if (can_auto && !strcmp(y->text, "auto")) {
		id->automatic = true;
		return 0;
	}
	if (y->len == size * 2 && strspn(y->text, "0123456789abcdefABCDEF") == y->len) {
		for (size_t i = 0; i < size; i++)
			id->octets[i] = (uint8_t)(hex_digit(y->text[2 * i]) << 4 |
						  hex_digit(y->text[2 * i + 1]));
		return 0;
	}
	if (parse_uint(y->text, &v)) {
		for (size_t i = 0; i < 8; i++)
			id->octets[size - 1 - i] = (uint8_t)(v >> (8 * i));
		return 0;
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write %zu hexadecimal digits, a number%s",
			 k->name, y->text, size * 2, can_auto ? ", or auto" : "");
	return -EINVAL;
}

static int read_scalar(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		       void *out)
{
	if (y->kind != XTR_YAML_SCALAR) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is %s, but takes one value; write it on the line of the key",
				 k->name, kind_name(y));
		return -EINVAL;
	}
	if (xtr_yaml_null(y)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has no value; write one or remove the key",
				 k->name);
		return -EINVAL;
	}
	switch (k->type) {
	case XTR_T_BOOL:    return read_bool(r, k, y, out);
	case XTR_T_UINT:
	case XTR_T_SECONDS: return read_number(r, k, y, out);
	case XTR_T_ENUM:    return read_enum(r, k, y, out);
	case XTR_T_IP:      return read_ip(r, k, y, out);
	case XTR_T_PREFIX:  return check_prefix(r, k, y, out, y->text);
	case XTR_T_EID:     return read_eid(r, k, y, out);
	case XTR_T_ID:      return read_id(r, k, y, out);
	default:            return read_string(r, k, y, out);
	}
}

/* ---- lists and sections */

static int read_list(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		     void *out)
{
	struct xtr_schema_key element = { .name = k->name,
					  .type = k->element,
					  .flags = k->flags,
					  .size = k->element_size,
					  .min = k->min,
					  .max = k->max,
					  .names = k->names };
	struct xtr_schema_list *list = out;
	int rc, result = 0;

	if (xtr_yaml_null(y))
		goto check_count;
	if (y->kind != XTR_YAML_LIST) {
		xtr_yaml_fail_at(r->errors, y,
				 "`%s` is %s, but takes a list; write - before each entry", k->name,
				 y->kind == XTR_YAML_MAP ? "a section" : "one value");
		return -EINVAL;
	}
	if (k->max && y->count > k->max) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has %u entries; write at most %u", k->name,
				 y->count, (unsigned)k->max);
		return -EINVAL;
	}
	list->items = xtr_arena_alloc(r->arena, y->count * k->element_size);
	list->at = xtr_arena_alloc(r->arena, y->count * sizeof(*list->at));
	if (!list->items || !list->at)
		return -ENOMEM;
	for (const struct xtr_yaml *e = y->first; e; e = e->next) {
		char *item = list->items + list->count * k->element_size;

		memset(item, 0, k->element_size);
		rc = k->of ? read_section(r, k->of, e, item) : read_scalar(r, &element, e, item);
		if (rc == -ENOMEM)
			return rc;
		if (rc)
			result = rc;
		else
			list->at[list->count++] = e;
	}
check_count:
	if (!list->count && !result && k->flags & XTR_K_NONEMPTY) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is empty; write at least one entry", k->name);
		return -EINVAL;
	}
	return result;
}

static int read_default(struct reading *r, const struct xtr_schema_key *k, void *out)
{
	struct xtr_yaml y = { .kind = XTR_YAML_SCALAR, .plain = true, .text = k->def };

	if (k->type == XTR_T_SECTION)
		return read_section(r, k->of, NULL, out);
	if (!k->def || k->type == XTR_T_LIST)
		return 0;
	y.len = strlen(k->def);
	return read_scalar(r, k, &y, out);
}

static int read_key(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y,
		    void *out)
{
	switch (k->type) {
	case XTR_T_SECTION: return read_section(r, k->of, y, out);
	case XTR_T_LIST:    return read_list(r, k, y, out);
	default:            return read_scalar(r, k, y, out);
	}
}

static int read_section(struct reading *r, const struct xtr_schema *s, const struct xtr_yaml *y,
			void *out)
{
	int rc, result = 0;

	*(const struct xtr_yaml **)out = y;
	if (y && y->kind != XTR_YAML_MAP && !xtr_yaml_null(y)) {
		xtr_yaml_fail_at(r->errors, y,
				 "%s is %s, but takes keys; write `key: value` lines, indented",
				 s->what, y->kind == XTR_YAML_LIST ? "a list" : "one value");
		return -EINVAL;
	}
	for (const struct xtr_yaml *c = y ? y->first : NULL; c; c = c->next) {
		const struct xtr_schema_key *k = s->keys;

		while (k->name && strcmp(k->name, c->key))
			k++;
		if (!k->name) {
			fail_unknown(r, s, c);
			result = -EINVAL;
		}
	}
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const struct xtr_yaml *c = xtr_yaml_get(y, k->name);
		void *value = (char *)out + k->offset;

		rc = c ? read_key(r, k, c, value) : read_default(r, k, value);
		if (rc == -ENOMEM)
			return rc;
		if (!c && !rc && y && k->flags & XTR_K_REQUIRED) {
			xtr_yaml_fail_at(r->errors, y, "%s has no `%s`; add it: %s", s->what,
					 k->name, k->doc);
			rc = -EINVAL;
		}
		if (rc)
			result = rc;
	}
	return result;
}

int xtr_schema_read(const struct xtr_schema *s, const struct xtr_yaml *tree, void *out,
		    struct xtr_arena *arena, struct xtr_yaml_errors *errors)
{
	struct reading r = { arena, errors, s };

	return read_section(&r, s, tree, out);
}
