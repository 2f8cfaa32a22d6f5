// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * libyaml's events made into a tree with positions. The tree lives in the caller's arena; the
 * errors own their texts. Invariant: a node is linked into its parent only when it is complete
 * enough to be looked at, so a tree that was cut by an error is never returned.
 */
#include "daemon/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define KEYS_MAX 1000

void xtr_yaml_errors_free(struct xtr_yaml_errors *e)
{
	for (unsigned i = 0; i < e->count; i++)
		free(e->list[i].text);
	free(e->list);
	*e = (struct xtr_yaml_errors){ 0 };
}

void xtr_yaml_fail(struct xtr_yaml_errors *e, unsigned line, unsigned column, const char *fmt, ...)
{
	struct xtr_yaml_error *list;
	va_list ap;
	char *text;
	int n;

	if (e->count >= XTR_YAML_ERRORS_MAX) {
		e->dropped++;
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		goto lost;
	list = reallocarray(e->list, e->count + 1, sizeof(*list));
	if (!list) {
		free(text);
		goto lost;
	}
	e->list = list;
	list[e->count++] = (struct xtr_yaml_error){ line, column, text };
	return;
lost:
	e->dropped++; /* still an error: nothing is accepted because memory was short */
}

static int by_position(const void *a, const void *b)
{
	const struct xtr_yaml_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return strcmp(x->text, y->text);
}

void xtr_yaml_errors_each(struct xtr_yaml_errors *e, const char *file,
			  void (*put)(void *ctx, const char *line), void *ctx)
{
	char *line;
	int n;

	if (e->count)
		qsort(e->list, e->count, sizeof(*e->list), by_position);
	for (unsigned i = 0; i < e->count; i++) {
		const struct xtr_yaml_error *x = &e->list[i];

		n = x->line ? asprintf(&line, "%s:%u:%u: %s", file, x->line, x->column, x->text) :
			      asprintf(&line, "%s: %s", file, x->text);
		if (n < 0)
			continue;
		put(ctx, line);
		free(line);
	}
	if (e->dropped &&
	    asprintf(&line, "%s: and %u more errors; correct these first", file, e->dropped) >= 0) {
		put(ctx, line);
		free(line);
	}
}

struct reader {
	yaml_parser_t parser;
	const char *text; size_t len;
	struct xtr_arena *arena;
	struct xtr_yaml_errors *errors;
};

static void fail_mark(struct reader *r, const yaml_mark_t *m, const char *text)
{
	xtr_yaml_fail(r->errors, (unsigned)m->line + 1, (unsigned)m->column + 1, "%s", text);
}

/* The innermost bracket that is open at `end`: libyaml notices only much later that one is not
 * closed. Quotes and comments are looked at as YAML does, near enough for a message. index counts
 * octets here. */
static bool open_bracket(const struct reader *r, const yaml_mark_t *end, yaml_mark_t *at)
{
	yaml_mark_t stack[XTR_YAML_DEPTH_MAX], m = { 0 };
	unsigned depth = 0;
	char quote = 0, c, last = '\n';

	for (; m.index < r->len &&
	       (m.line < end->line || (m.line == end->line && m.column < end->column));
	     m.index++, last = c) {
		c = r->text[m.index];
		if (quote) {
			quote = c == quote && !(quote == '"' && last == '\\') ? 0 : quote;
		} else if (c == '#' && strchr(" \t\n", last)) {
			while (m.index + 1 < r->len && r->text[m.index + 1] != '\n')
				m.index++;
		} else if ((c == '"' || c == '\'') && strchr(" \t\n[{,:", last)) {
			quote = c;
		} else if (c == '[' || c == '{') {
			if (depth == XTR_YAML_DEPTH_MAX)
				return false;
			stack[depth++] = m;
		} else if ((c == ']' || c == '}') && depth) {
			depth--;
		}
		m.column += ((unsigned char)c & 0xc0) != 0x80; /* characters, not octets */
		if (c == '\n')
			m.line++, m.column = 0;
	}
	if (depth)
		*at = stack[depth - 1];
	return depth;
}

/* Next event, or -errno with the parser's own complaint added. */
static int next_event(struct reader *r, yaml_event_t *ev)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem;
	yaml_mark_t at, open;

	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	memset(ev, 0, sizeof(*ev));
	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	at = p->problem_mark;
	if (p->error == YAML_READER_ERROR) {
		/* The reader runs ahead of the scanner; it knows the octet. */
		at = (yaml_mark_t){ 0 };
		for (size_t i = 0; i < p->problem_offset && i < r->len; i++) {
			at.column += ((unsigned char)r->text[i] & 0xc0) != 0x80;
			if (r->text[i] == '\n')
				at.line++, at.column = 0;
		}
	}
	problem = p->problem ? p->problem : "unreadable";
	if (p->flow_level > 0 && open_bracket(r, &at, &open))
		xtr_yaml_fail(r->errors, (unsigned)open.line + 1, (unsigned)open.column + 1,
			      "not valid YAML: %s in line %zu, inside this %c; "
			      "close it before, and check quotes and commas",
			      problem, at.line + 1, r->text[open.index]);
	else
		xtr_yaml_fail(r->errors, (unsigned)at.line + 1, (unsigned)at.column + 1,
			      "not valid YAML: %s%s%s; check indentation, quotes and "
			      "brackets",
			      problem, p->context ? " " : "", p->context ? p->context : "");
	return -EINVAL;
}

static bool node_is_plain(struct reader *r, const yaml_event_t *ev)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		fail_mark(r, &ev->start_mark,
			  "aliases (*name) are not supported; write the value out");
		return false;
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor, tag = ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor, tag = ev->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor, tag = ev->data.mapping_start.tag;
		break;
	default:
		break;
	}
	if (anchor)
		fail_mark(r, &ev->start_mark,
			  "anchors (&name) are not supported; write the value out");
	else if (tag)
		fail_mark(r, &ev->start_mark, "tags (!name) are not supported; remove it");
	return !anchor && !tag;
}

static struct xtr_yaml *new_node(struct reader *r, enum xtr_yaml_kind kind, const yaml_mark_t *m)
{
	struct xtr_yaml *y = xtr_arena_alloc(r->arena, sizeof(*y));

	if (y) {
		y->kind = kind;
		y->line = (unsigned)m->line + 1;
		y->column = (unsigned)m->column + 1;
	}
	return y;
}

static int read_node(struct reader *r, yaml_event_t *ev, unsigned depth, struct xtr_yaml **out);

static void append(struct xtr_yaml *parent, struct xtr_yaml *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

static int read_children(struct reader *r, struct xtr_yaml *parent, yaml_event_type_t end,
			 unsigned depth)
{
	struct xtr_yaml *key, *child;
	yaml_event_t ev;
	int rc;

	for (;;) {
		key = NULL;
		rc = next_event(r, &ev);
		if (rc)
			return rc;
		if (ev.type == end) {
			yaml_event_delete(&ev);
			return 0;
		}
		if (parent->kind == XTR_YAML_MAP) {
			/* Duplicates are looked for one by one: no section has anywhere near so
			 * many keys. */
			if (parent->count >= KEYS_MAX) {
				fail_mark(
					r, &ev.start_mark,
					"too many keys in one section; no section of xtrd has so many");
				yaml_event_delete(&ev);
				return -EINVAL;
			}
			rc = read_node(r, &ev, depth, &key);
			if (rc)
				return rc;
			rc = next_event(r, &ev);
			if (rc)
				return rc;
		}
		rc = read_node(r, &ev, depth, &child);
		if (rc)
			return rc;
		if (key && key->kind != XTR_YAML_SCALAR) {
			xtr_yaml_fail_at(r->errors, key,
					 "a key must be a word; put quotes around it");
			continue;
		}
		if (key) {
			const struct xtr_yaml *had = xtr_yaml_get(parent, key->text);

			if (had) {
				xtr_yaml_fail_at(
					r->errors, key,
					"key `%s` is here for the second time, the first is in line %u; "
					"remove one",
					key->text, had->key_line);
				continue;
			}
			child->key = key->text;
			child->key_line = key->line;
			child->key_column = key->column;
		}
		append(parent, child);
	}
}

/* Takes the event. */
static int read_node(struct reader *r, yaml_event_t *ev, unsigned depth, struct xtr_yaml **out)
{
	bool ok = node_is_plain(r, ev);
	yaml_event_type_t type = ev->type;
	yaml_mark_t mark = ev->start_mark;
	struct xtr_yaml *y = NULL;
	int rc = 0;

	if (ok && type == YAML_SCALAR_EVENT) {
		y = new_node(r, XTR_YAML_SCALAR, &mark);
		if (y) {
			y->len = ev->data.scalar.length;
			y->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
			y->text = xtr_arena_copy(r->arena, ev->data.scalar.value, y->len);
		}
		rc = y && y->text ? 0 : -ENOMEM;
	}
	yaml_event_delete(ev);
	if (!ok)
		return -EINVAL;
	if (type == YAML_SCALAR_EVENT) {
		if (!rc && strlen(y->text) != y->len) {
			fail_mark(r, &mark, "the text contains an octet 0; remove it");
			rc = -EINVAL;
		}
	} else if (depth >= XTR_YAML_DEPTH_MAX) {
		fail_mark(r, &mark, "nested too deep; no key of xtrd needs that");
		rc = -EINVAL;
	} else {
		bool list = type == YAML_SEQUENCE_START_EVENT;

		y = new_node(r, list ? XTR_YAML_LIST : XTR_YAML_MAP, &mark);
		rc = y ? read_children(r, y,
				       list ? YAML_SEQUENCE_END_EVENT : YAML_MAPPING_END_EVENT,
				       depth + 1) :
			 -ENOMEM;
	}
	*out = y;
	return rc;
}

static int read_document(struct reader *r, struct xtr_yaml **root)
{
	yaml_event_t ev;
	int rc;

	for (;;) {
		rc = next_event(r, &ev);
		if (rc)
			return rc;
		switch (ev.type) {
		case YAML_STREAM_END_EVENT:
			yaml_event_delete(&ev);
			return 0;
		case YAML_DOCUMENT_START_EVENT:
			if (*root) {
				fail_mark(
					r, &ev.start_mark,
					"a second document begins here; one file is one document: remove the ---");
				yaml_event_delete(&ev);
				return -EINVAL;
			}
			yaml_event_delete(&ev);
			break;
		case YAML_SCALAR_EVENT:
		case YAML_ALIAS_EVENT:
		case YAML_SEQUENCE_START_EVENT:
		case YAML_MAPPING_START_EVENT:
			rc = read_node(r, &ev, 0, root);
			if (rc)
				return rc;
			break;
		default:
			yaml_event_delete(&ev);
			break;
		}
	}
}

int xtr_yaml_parse(const char *text, size_t len, struct xtr_arena *arena,
		   struct xtr_yaml_errors *errors, struct xtr_yaml **root)
{
	struct reader r = { .arena = arena, .errors = errors, .text = text, .len = len };
	int rc;

	*root = NULL;
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	rc = read_document(&r, root);
	yaml_parser_delete(&r.parser);
	if (rc)
		*root = NULL;
	return rc;
}

const struct xtr_yaml *xtr_yaml_get(const struct xtr_yaml *map, const char *key)
{
	if (!map || map->kind != XTR_YAML_MAP)
		return NULL;
	for (const struct xtr_yaml *y = map->first; y; y = y->next)
		if (!strcmp(y->key, key))
			return y;
	return NULL;
}

bool xtr_yaml_null(const struct xtr_yaml *y)
{
	return y->kind == XTR_YAML_SCALAR && y->plain &&
	       (!y->len || !strcmp(y->text, "~") || !strcmp(y->text, "null"));
}
