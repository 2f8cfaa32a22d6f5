// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From tree to struct by the table. Owns nothing: values, lists and texts live in the caller's arena, `at` pointers
 * point into the tree. Every message names the key, what is wrong with it, and after a semicolon what to do.
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

static int read_section(struct reading *r, const struct xtr_schema *s, const struct xtr_yaml *y, void *out);

/* ---- unknown keys */

/* Optimal string alignment distance: insertions, deletions, replacements, and neighbours swapped. */
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
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && up2[j - 2] + 1 < d)
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
			off += (size_t)snprintf(known + off, sizeof(known) - off, "%s%s", off ? ", " : "", k->name);
	}
	owner = owner_of(r->root, y->key);
	if (best)
		xtr_yaml_fail_key(r->errors, y, "unknown key `%s` in %s; did you mean `%s`?", y->key, s->what, best);
	else if (owner && owner != s)
		xtr_yaml_fail_key(r->errors, y, "unknown key `%s` in %s; it is a key of %s", y->key, s->what, owner->what);
	else
		xtr_yaml_fail_key(r->errors, y, "unknown key `%s` in %s; the keys are %s", y->key, s->what, known);
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

static uint64_t get_uint(const void *p, size_t size)
{
	return size == 1 ? *(const uint8_t *)p : size == 2 ? *(const uint16_t *)p : *(const uint32_t *)p;
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

static void seconds_str(uint64_t ms, char buf[32])
{
	int n = snprintf(buf, 32, "%llu.%03llu", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));

	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = '\0';
	if (n > 0 && buf[n - 1] == '.')
		buf[--n] = '\0';
}

static int read_number(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	bool seconds = k->type == XTR_T_SECONDS;
	char lo[32], hi[32];
	uint64_t v = 0;
	bool ok;

	if (seconds) {
		seconds_str(k->min, lo);
		seconds_str(k->max, hi);
	} else {
		snprintf(lo, sizeof(lo), "%llu", (unsigned long long)k->min);
		snprintf(hi, sizeof(hi), "%llu", (unsigned long long)k->max);
	}
	if (!y->plain) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is a text in quotes, not a number; remove the quotes", k->name);
		return -EINVAL;
	}
	ok = seconds ? parse_seconds(y->text, &v) : parse_uint(y->text, &v);
	if (ok && v >= k->min && v <= k->max) {
		set_uint(out, k->size, v);
		return 0;
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is %s%s; write a %s from %s to %s", k->name, y->text,
			 ok ? ", out of range" : seconds ? ", not a number of seconds" : ", not a whole number",
			 seconds ? "number of seconds" : "whole number", lo, hi);
	return -EINVAL;
}

static int read_bool(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	if (y->plain && (!strcmp(y->text, "true") || !strcmp(y->text, "false"))) {
		*(bool *)out = y->text[0] == 't';
		return 0;
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write true or false", k->name, y->text);
	return -EINVAL;
}

static int read_enum(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
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
			off += (size_t)snprintf(all + off, sizeof(all) - off, "%s%s", off ? n[1].name ? ", " : " or " : "", n->name);
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write %s", k->name, y->text, all);
	return -EINVAL;
}

static int read_string(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	if (k->type == XTR_T_PATH && y->text[0] != '/') {
		xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write an absolute path, beginning with /", k->name, y->text);
		return -EINVAL;
	}
	if (k->type == XTR_T_IFNAME &&
	    (!y->len || y->len > k->max || !strcmp(y->text, ".") || !strcmp(y->text, "..") || strpbrk(y->text, "/: \t\n"))) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`, which no interface can be called; write a name of at most %u characters "
				 "without space, / and :", k->name, y->text, (unsigned)k->max);
		return -EINVAL;
	}
	if (k->type == XTR_T_STRING && (!y->len || y->len > 255)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has %zu characters; write 1 to 255", k->name, y->len);
		return -EINVAL;
	}
	*(const char **)out = y->text;
	return 0;
}

static int read_ip(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	struct xtr_ip *ip = out;

	if (xtr_ip_parse(y->text, ip)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`, not an address; write an IPv4 or IPv6 address without a length, "
				 "as 192.0.2.1 or \"2001:db8::1\"", k->name, y->text);
		return -EINVAL;
	}
	if (xtr_ip_is_unspecified(ip) || xtr_ip_is_multicast(ip) || xtr_ip_is_linklocal(ip)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is %s, which is %s; write a unicast address that others can reach", k->name, y->text,
				 xtr_ip_is_unspecified(ip) ? "no address" : xtr_ip_is_multicast(ip) ? "a multicast address" : "link-local");
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

static int check_prefix(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, struct xtr_ippfx *p, const char *text)
{
	struct xtr_ippfx masked;
	char buf[XTR_IPPFX_STRLEN];
	const char *why;

	if (xtr_ippfx_parse(text, p)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`, not a prefix; write an address and a length, as 10.1.0.0/24 or \"fd01::/64\"",
				 k->name, y->text);
		return -EINVAL;
	}
	masked = *p;
	if (xtr_ippfx_mask(&masked) && !(k->flags & XTR_K_HOST_BITS)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is %s, which has bits set beyond its length; write %s", k->name, y->text,
				 xtr_ippfx_str(&masked, buf));
		return -EINVAL;
	}
	why = k->flags & XTR_K_EID ? not_an_eid(p) : NULL;
	if (why) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is %s, which is %s and can not be an EID; write a unicast prefix", k->name, y->text, why);
		return -EINVAL;
	}
	return 0;
}

static int read_eid(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	struct xtr_schema_eid *e = out;
	const char *text = y->text, *end;
	char num[12];
	uint64_t v;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || end - text - 1 >= (long)sizeof(num)) {
			xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write \"[instance]prefix\", as \"[5]10.0.0.0/8\"", k->name, y->text);
			return -EINVAL;
		}
		memcpy(num, text + 1, (size_t)(end - text - 1));
		num[end - text - 1] = '\0';
		if (!parse_uint(num, &v) || v > 0xfffffe) {
			xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write an instance ID from 0 to 16777214 in the brackets", k->name, y->text);
			return -EINVAL;
		}
		e->iid = (uint32_t)v;
		text = end + 1;
	}
	return check_prefix(r, k, y, &e->prefix, text);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As many hexadecimal digits as the ID has, or a decimal number, or "auto" where the default is that. */
static int read_id(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
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
			id->octets[i] = (uint8_t)(hex_digit(y->text[2 * i]) << 4 | hex_digit(y->text[2 * i + 1]));
		return 0;
	}
	if (parse_uint(y->text, &v)) {
		for (size_t i = 0; i < 8; i++)
			id->octets[size - 1 - i] = (uint8_t)(v >> (8 * i));
		return 0;
	}
	xtr_yaml_fail_at(r->errors, y, "`%s` is `%s`; write %zu hexadecimal digits, a number%s", k->name, y->text, size * 2,
			 can_auto ? ", or auto" : "");
	return -EINVAL;
}

static int read_scalar(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	if (y->kind != XTR_YAML_SCALAR) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is %s, but takes one value; write it on the line of the key", k->name, kind_name(y));
		return -EINVAL;
	}
	if (xtr_yaml_null(y)) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has no value; write one or remove the key", k->name);
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

static int read_list(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	struct xtr_schema_key element = { .name = k->name, .type = k->element, .flags = k->flags, .size = k->element_size,
					  .min = k->min, .max = k->max, .names = k->names };
	struct xtr_schema_list *list = out;
	int rc, result = 0;

	if (xtr_yaml_null(y))
		goto check_count;
	if (y->kind != XTR_YAML_LIST) {
		xtr_yaml_fail_at(r->errors, y, "`%s` is %s, but takes a list; write - before each entry", k->name,
				 y->kind == XTR_YAML_MAP ? "a section" : "one value");
		return -EINVAL;
	}
	if (k->max && y->count > k->max) {
		xtr_yaml_fail_at(r->errors, y, "`%s` has %u entries; write at most %u", k->name, y->count, (unsigned)k->max);
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

static int read_key(struct reading *r, const struct xtr_schema_key *k, const struct xtr_yaml *y, void *out)
{
	switch (k->type) {
	case XTR_T_SECTION: return read_section(r, k->of, y, out);
	case XTR_T_LIST:    return read_list(r, k, y, out);
	default:            return read_scalar(r, k, y, out);
	}
}

static int read_section(struct reading *r, const struct xtr_schema *s, const struct xtr_yaml *y, void *out)
{
	int rc, result = 0;

	*(const struct xtr_yaml **)out = y;
	if (y && y->kind != XTR_YAML_MAP && !xtr_yaml_null(y)) {
		xtr_yaml_fail_at(r->errors, y, "%s is %s, but takes keys; write `key: value` lines, indented", s->what,
				 y->kind == XTR_YAML_LIST ? "a list" : "one value");
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
			xtr_yaml_fail_at(r->errors, y, "%s has no `%s`; add it: %s", s->what, k->name, k->doc);
			rc = -EINVAL;
		}
		if (rc)
			result = rc;
	}
	return result;
}

int xtr_schema_read(const struct xtr_schema *s, const struct xtr_yaml *tree, void *out, struct xtr_arena *arena,
		    struct xtr_yaml_errors *errors)
{
	struct reading r = { arena, errors, s };

	return read_section(&r, s, tree, out);
}

/* ---- back to text */

static json_t *scalar_json(const struct xtr_schema_key *k, enum xtr_schema_type type, size_t size, const void *v)
{
	char buf[128], *p = buf;
	const struct xtr_schema_id *id = v;
	const struct xtr_schema_eid *e = v;

	switch (type) {
	case XTR_T_BOOL:
		return json_boolean(*(const bool *)v);
	case XTR_T_UINT:
		return json_integer((json_int_t)get_uint(v, size));
	case XTR_T_SECONDS:
		if (get_uint(v, size) % 1000 == 0)
			return json_integer((json_int_t)(get_uint(v, size) / 1000));
		return json_real((double)get_uint(v, size) / 1000);
	case XTR_T_ENUM:
		for (const struct xtr_schema_name *n = k->names; n->name; n++)
			if (n->value == get_uint(v, size))
				return json_string(n->name);
		return json_null();
	case XTR_T_IP:
		return ((const struct xtr_ip *)v)->family ? json_string(xtr_ip_str(v, buf)) : json_null();
	case XTR_T_PREFIX:
		return ((const struct xtr_ippfx *)v)->ip.family ? json_string(xtr_ippfx_str(v, buf)) : json_null();
	case XTR_T_EID:
		snprintf(buf, sizeof(buf), "[%u]", e->iid);
		xtr_ippfx_str(&e->prefix, buf + strlen(buf));
		return json_string(buf);
	case XTR_T_ID:
		if (id->automatic)
			return json_string("auto");
		for (unsigned i = 0; i < id->size; i++)
			p += snprintf(p, 3, "%02x", id->octets[i]);
		return json_string(buf);
	default:
		return *(const char *const *)v ? json_string(*(const char *const *)v) : json_null();
	}
}

static json_t *key_json(const struct xtr_schema_key *k, const void *v)
{
	const struct xtr_schema_list *list = v;
	json_t *array;

	if (k->type == XTR_T_SECTION)
		return xtr_schema_json(k->of, v);
	if (k->type != XTR_T_LIST)
		return scalar_json(k, k->type, k->size, v);
	array = json_array();
	for (unsigned i = 0; i < list->count; i++) {
		const char *item = list->items + i * k->element_size;

		json_array_append_new(array, k->of ? xtr_schema_json(k->of, item) :
						     scalar_json(k, k->element, k->element_size, item));
	}
	return array;
}

/* Is it a section that switches something on by being there, and it is not there? */
static bool absent(const struct xtr_schema_key *k, const void *v)
{
	if (k->type != XTR_T_SECTION || *(const struct xtr_yaml *const *)v)
		return false;
	for (const struct xtr_schema_key *s = k->of->keys; s->name; s++)
		if (s->flags & XTR_K_REQUIRED || (s->type == XTR_T_LIST && !s->def))
			return true;
	return false; /* all its keys have defaults: always in effect */
}

json_t *xtr_schema_json(const struct xtr_schema *s, const void *values)
{
	json_t *o = json_object();

	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const void *v = (const char *)values + k->offset;

		if (!absent(k, v))
			json_object_set_new(o, k->name, key_json(k, v));
	}
	return o;
}

/* ---- differences */

struct diff {
	void (*put)(void *ctx, const char *line);
	void *ctx;
};

static void put_diff(struct diff *d, const char *path, const char *text)
{
	char *line;

	if (asprintf(&line, "%s%s", path, text) < 0)
		return;
	d->put(d->ctx, line);
	free(line);
}

static char *item_name(const struct xtr_schema_key *k, const void *item)
{
	const struct xtr_schema_key *id = NULL;
	const void *v = item;
	json_t *j;
	char *text;

	if (k->of) {
		for (id = k->of->keys; id->name && strcmp(id->name, k->of->identity); id++)
			;
		v = (const char *)item + id->offset;
	}
	j = id ? key_json(id, v) : scalar_json(k, k->element, k->element_size, v);
	text = json_dumps(j, JSON_ENCODE_ANY | JSON_COMPACT);
	json_decref(j);
	/* Without the quotes of a JSON string. */
	if (text && *text == '"') {
		memmove(text, text + 1, strlen(text));
		text[strlen(text) - 1] = '\0';
	}
	return text;
}

static bool section_equal(const struct xtr_schema *s, const void *a, const void *b)
{
	json_t *x = xtr_schema_json(s, a), *y = xtr_schema_json(s, b);
	bool same = json_equal(x, y) && (!s->extra || s->extra(a) == s->extra(b));

	json_decref(x);
	json_decref(y);
	for (const struct xtr_schema_key *k = s->keys; same && k->name; k++) {
		const struct xtr_schema_list *p = (const void *)((const char *)a + k->offset), *q = (const void *)((const char *)b + k->offset);

		/* Lists inside have as many entries in both, or the JSON would differ. */
		for (unsigned i = 0; k->type == XTR_T_LIST && k->of && same && i < p->count; i++)
			same = section_equal(k->of, p->items + i * k->element_size, q->items + i * k->element_size);
	}
	return same;
}

static bool item_equal(const struct xtr_schema_key *k, const void *a, const void *b)
{
	json_t *x, *y;
	bool same;

	if (k->of)
		return section_equal(k->of, a, b);
	x = scalar_json(k, k->element, k->element_size, a);
	y = scalar_json(k, k->element, k->element_size, b);
	same = json_equal(x, y);
	json_decref(x);
	json_decref(y);
	return same;
}

struct named { char *name; const void *item; };

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

static struct named *name_all(const struct xtr_schema_key *k, const struct xtr_schema_list *l)
{
	struct named *n = calloc(l->count + 1, sizeof(*n));

	for (unsigned i = 0; n && i < l->count; i++) {
		n[i].item = l->items + i * k->element_size;
		n[i].name = item_name(k, n[i].item);
	}
	if (n)
		qsort(n, l->count, sizeof(*n), by_name);
	return n;
}

static void diff_list(struct diff *d, const struct xtr_schema_key *k, const char *path, const struct xtr_schema_list *a,
		      const struct xtr_schema_list *b)
{
	struct named *x = name_all(k, a), *y = name_all(k, b);
	char text[600];
	unsigned i = 0, j = 0;

	while (x && y && (i < a->count || j < b->count)) {
		int c = i == a->count ? 1 : j == b->count ? -1 : by_name(&x[i], &y[j]);
		const char *name = c > 0 ? y[j].name : x[i].name;

		if (c || !item_equal(k, x[i].item, y[j].item)) {
			snprintf(text, sizeof(text), ": %s %s", name ? name : "?", c < 0 ? "removed" : c > 0 ? "added" : "changed");
			put_diff(d, path, text);
		}
		i += c <= 0;
		j += c >= 0;
	}
	for (i = 0; x && i < a->count; i++)
		free(x[i].name);
	for (j = 0; y && j < b->count; j++)
		free(y[j].name);
	free(x);
	free(y);
}

static void diff_scalar(struct diff *d, const struct xtr_schema_key *k, const char *path, const void *a, const void *b)
{
	json_t *x = scalar_json(k, k->type, k->size, a), *y = scalar_json(k, k->type, k->size, b);
	char text[600], *old, *new;

	if (!json_equal(x, y)) {
		old = json_dumps(x, JSON_ENCODE_ANY);
		new = json_dumps(y, JSON_ENCODE_ANY);
		snprintf(text, sizeof(text), ": %s -> %s", old ? old : "?", new ? new : "?");
		put_diff(d, path, text);
		free(old);
		free(new);
	}
	json_decref(x);
	json_decref(y);
}

static void diff_section(struct diff *d, const struct xtr_schema *s, const char *prefix, const void *a, const void *b)
{
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const void *x = (const char *)a + k->offset, *y = (const char *)b + k->offset;
		char path[256];

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", k->name);
		if (absent(k, x) != absent(k, y))
			put_diff(d, path, absent(k, x) ? ": switched on" : ": switched off");
		else if (k->type == XTR_T_SECTION)
			diff_section(d, k->of, path, x, y);
		else if (k->type == XTR_T_LIST)
			diff_list(d, k, path, x, y);
		else
			diff_scalar(d, k, path, x, y);
	}
}

void xtr_schema_diff(const struct xtr_schema *s, const void *old, const void *new, void (*put)(void *ctx, const char *line), void *ctx)
{
	struct diff d = { put, ctx };

	diff_section(&d, s, "", old, new);
}

void xtr_schema_check_restart(const struct xtr_schema *s, const void *old, const void *new, struct xtr_yaml_errors *errors)
{
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const char *a = (const char *)old + k->offset, *b = (const char *)new + k->offset;
		const struct xtr_yaml *section = *(const struct xtr_yaml *const *)new;
		const struct xtr_yaml *at = xtr_yaml_get(section, k->name);
		json_t *x, *y;

		if (k->type == XTR_T_SECTION) {
			xtr_schema_check_restart(k->of, a, b, errors);
			continue;
		}
		if (!(k->flags & XTR_K_RESTART))
			continue;
		x = key_json(k, a);
		y = key_json(k, b);
		if (!json_equal(x, y))
			xtr_yaml_fail_at(errors, at ? at : section, "`%s` can not change while xtrd runs; restart it, which does not stop the "
					 "traffic", k->name);
		json_decref(x);
		json_decref(y);
	}
}

/* ---- reference */

static void print_type(const struct xtr_schema_key *k, enum xtr_schema_type type, FILE *f)
{
	char lo[32], hi[32];

	switch (type) {
	case XTR_T_BOOL: fputs("true or false", f); break;
	case XTR_T_UINT: fprintf(f, "%llu-%llu", (unsigned long long)k->min, (unsigned long long)k->max); break;
	case XTR_T_SECONDS:
		seconds_str(k->min, lo);
		seconds_str(k->max, hi);
		fprintf(f, "%s-%s s", lo, hi);
		break;
	case XTR_T_ENUM:
		for (const struct xtr_schema_name *n = k->names; n->name; n++)
			fprintf(f, "%s%s", n->name, n[1].name ? " | " : "");
		break;
	case XTR_T_STRING: fputs("text", f); break;
	case XTR_T_PATH:   fputs("path", f); break;
	case XTR_T_IFNAME: fputs("interface", f); break;
	case XTR_T_IP:     fputs("address", f); break;
	case XTR_T_PREFIX: fputs("prefix", f); break;
	case XTR_T_EID:    fputs("prefix or \"[instance]prefix\"", f); break;
	case XTR_T_ID:     fprintf(f, "%u hexadecimal digits or a number", (unsigned)k->max * 2); break;
	case XTR_T_SECTION:
	case XTR_T_LIST:   break;
	}
}

static void print_section(const struct xtr_schema *s, FILE *f, int indent, bool entry)
{
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const char *dash = entry && k == s->keys ? "- " : "";
		int n = fprintf(f, "%*s%s%s:", indent - (int)strlen(dash), "", dash, k->name);

		if (k->type != XTR_T_SECTION && k->type != XTR_T_LIST && k->def)
			n += fprintf(f, " %s", k->def);
		else if (k->type == XTR_T_LIST && !k->of)
			n += fprintf(f, " []");
		fprintf(f, "%*s# ", n < 40 ? 40 - n : 1, "");
		if (k->flags & XTR_K_REQUIRED)
			fputs("required. ", f);
		if (k->type == XTR_T_LIST) {
			fputs("list", f);
			if (!k->of) {
				fputs(" of ", f);
				print_type(k, k->element, f);
			}
		} else {
			print_type(k, k->type, f);
		}
		fprintf(f, "%s%s%s\n", k->type == XTR_T_SECTION ? "" : ": ", k->doc, k->flags & XTR_K_RESTART ? " (at start only)" : "");
		if (k->of)
			print_section(k->of, f, indent + (k->type == XTR_T_LIST ? 4 : 2), k->type == XTR_T_LIST);
	}
}

void xtr_schema_print(const struct xtr_schema *s, FILE *f)
{
	print_section(s, f, 0, false);
}
