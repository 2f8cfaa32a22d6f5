// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From struct back to text by the same table as it was read by (schema.c): what is in effect, what
 * differs between two configurations, and the reference of all keys. Owns nothing.
 */
#include "daemon/schema.h"

#include <stdlib.h>
#include <string.h>

void xtr_schema_seconds(uint64_t ms, char buf[32])
{
	int n = snprintf(buf, 32, "%llu.%03llu", (unsigned long long)(ms / 1000),
			 (unsigned long long)(ms % 1000));

	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = '\0';
	if (n > 0 && buf[n - 1] == '.')
		buf[--n] = '\0';
}

static uint64_t get_uint(const void *p, size_t size)
{
	return size == 1 ? *(const uint8_t *)p :
	       size == 2 ? *(const uint16_t *)p :
			   *(const uint32_t *)p;
}

static json_t *scalar_json(const struct xtr_schema_key *k, enum xtr_schema_type type, size_t size,
			   const void *v)
{
	char buf[XTR_EID_STRLEN], *p = buf;
	const struct xtr_schema_id *id = v;

	switch (type) {
	case XTR_T_BOOL:
		return json_boolean(*(const bool *)v);
	case XTR_T_UINT:
		if (k->flags & XTR_K_ANY && get_uint(v, size) == UINT32_MAX)
			return json_string("any");
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
		return ((const struct xtr_ip *)v)->family ? json_string(xtr_ip_str(v, buf)) :
							    json_null();
	case XTR_T_PREFIX:
		return ((const struct xtr_ippfx *)v)->ip.family ?
			       json_string(xtr_ippfx_str(v, buf)) :
			       json_null();
	case XTR_T_EID:
		xtr_eid_str(v, buf);
		if (k->flags & XTR_K_NO_IID && strchr(buf, ']'))
			p = strchr(buf, ']') + 1;
		return json_string(p);
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

		json_array_append_new(array,
				      k->of ? xtr_schema_json(k->of, item) :
					      scalar_json(k, k->element, k->element_size, item));
	}
	return array;
}

/* Is it a section that switches something on by being there, and it is not there? */
static bool absent(const struct xtr_schema_key *k, const void *v)
{
	if (k->type != XTR_T_SECTION || *(const struct xtr_yaml *const *)v)
		return false;
	bool sections = true;

	for (const struct xtr_schema_key *s = k->of->keys; s->name; s++) {
		if (s->flags & XTR_K_REQUIRED || (s->type == XTR_T_LIST && !s->def))
			return true;
		sections &= s->type == XTR_T_SECTION && absent(s, (const char *)v + s->offset);
	}
	return sections; /* else all its keys have defaults: always in effect */
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
		const struct xtr_schema_list *p = (const void *)((const char *)a + k->offset),
					     *q = (const void *)((const char *)b + k->offset);

		/* Lists inside have as many entries in both, or the JSON would differ. */
		for (unsigned i = 0; k->type == XTR_T_LIST && k->of && same && i < p->count; i++)
			same = section_equal(k->of, p->items + i * k->element_size,
					     q->items + i * k->element_size);
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

static void diff_list(struct diff *d, const struct xtr_schema_key *k, const char *path,
		      const struct xtr_schema_list *a, const struct xtr_schema_list *b)
{
	struct named *x = name_all(k, a), *y = name_all(k, b);
	char text[600];
	unsigned i = 0, j = 0;

	while (x && y && (i < a->count || j < b->count)) {
		int c = i == a->count ? 1 : j == b->count ? -1 : by_name(&x[i], &y[j]);
		const char *name = c > 0 ? y[j].name : x[i].name;

		if (c || !item_equal(k, x[i].item, y[j].item)) {
			snprintf(text, sizeof(text), ": %s %s", name ? name : "?",
				 c < 0 ? "removed" :
				 c > 0 ? "added" :
					 "changed");
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

static void diff_scalar(struct diff *d, const struct xtr_schema_key *k, const char *path,
			const void *a, const void *b)
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

static void diff_section(struct diff *d, const struct xtr_schema *s, const char *prefix,
			 const void *a, const void *b)
{
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		const void *x = (const char *)a + k->offset, *y = (const char *)b + k->offset;
		char path[256];

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", k->name);
		if (k->type == XTR_T_SECTION && k->of->extra && k->of->extra(x) != k->of->extra(y) &&
		    !absent(k, x) && !absent(k, y))
			put_diff(d, path, ": a file that is named there changed");
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

void xtr_schema_diff(const struct xtr_schema *s, const void *old, const void *new,
		     void (*put)(void *ctx, const char *line), void *ctx)
{
	struct diff d = { put, ctx };

	diff_section(&d, s, "", old, new);
}

void xtr_schema_check_restart(const struct xtr_schema *s, const void *old, const void *new,
			      struct xtr_yaml_errors *errors)
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
			xtr_yaml_fail_at(
				errors, at ? at : section,
				"`%s` can not change while xtrd runs; restart it, which does not stop the "
				"traffic",
				k->name);
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
	case XTR_T_UINT:
		fprintf(f, "%llu-%llu%s", (unsigned long long)k->min, (unsigned long long)k->max,
			k->flags & XTR_K_ANY ? " or any" : "");
		break;
	case XTR_T_SECONDS:
		xtr_schema_seconds(k->min, lo);
		xtr_schema_seconds(k->max, hi);
		fprintf(f, "%s-%s s", lo, hi);
		break;
	case XTR_T_ENUM:
		for (const struct xtr_schema_name *n = k->names; n->name; n++)
			fprintf(f, "%s%s", n->name, n[1].name ? " | " : "");
		break;
	case XTR_T_STRING: fputs("text", f); break;
	case XTR_T_PATH:   fputs("path", f); break;
	case XTR_T_IFNAME: fputs("interface", f); break;
	case XTR_T_IP:     fputs(k->flags & XTR_K_MULTICAST ? "group" : "address", f); break;
	case XTR_T_PREFIX: fputs(k->flags & XTR_K_MULTICAST ? "prefix of groups" : "prefix", f); break;
	case XTR_T_EID:
		fputs(k->flags & XTR_K_NO_IID ? "EID-prefix" : "EID-prefix or \"[instance]prefix\"", f);
		break;
	case XTR_T_ID: fprintf(f, "%u hexadecimal digits or a number", (unsigned)k->max * 2); break;
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
		fprintf(f, "%s%s%s\n", k->type == XTR_T_SECTION ? "" : ": ", k->doc,
			k->flags & XTR_K_RESTART ? " (at start only)" : "");
		if (k->of)
			print_section(k->of, f, indent + (k->type == XTR_T_LIST ? 4 : 2),
				      k->type == XTR_T_LIST);
	}
}

void xtr_schema_print(const struct xtr_schema *s, FILE *f)
{
	print_section(s, f, 0, false);
}
