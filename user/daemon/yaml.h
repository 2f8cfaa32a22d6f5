/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A YAML document as a tree in which every key and value knows where it stands, and the list of
 * errors that is collected on the way from text to configuration. No anchors, aliases, tags or
 * second documents: a configuration is read by people, and what is not written out is not seen.
 */
#ifndef XTR_DAEMON_YAML_H
#define XTR_DAEMON_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "util/arena.h"

#define XTR_YAML_DEPTH_MAX 16

enum xtr_yaml_kind { XTR_YAML_SCALAR, XTR_YAML_LIST, XTR_YAML_MAP };
struct xtr_yaml {
	enum xtr_yaml_kind kind;
	unsigned line, column;             /* from 1 */
	const char *text; size_t len;      /* scalar; NUL-terminated besides */
	bool plain;                        /* scalar without quotes */
	struct xtr_yaml *first, *last;     /* children of a list or map */
	unsigned count;
	struct xtr_yaml *next;             /* sibling */
	const char *key;                   /* in a map */
	unsigned key_line, key_column;
};

struct xtr_yaml_error {
	unsigned line, column;             /* 0: about the file as a whole */
	char *text;                        /* "reason; way out" */
};
struct xtr_yaml_errors {
	struct xtr_yaml_error *list;
	unsigned count, dropped;           /* at most XTR_YAML_ERRORS_MAX are kept */
};
#define XTR_YAML_ERRORS_MAX 200

void xtr_yaml_errors_free(struct xtr_yaml_errors *e);
void xtr_yaml_fail(struct xtr_yaml_errors *e, unsigned line, unsigned column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* At a value; at NULL: about the file. */
#define xtr_yaml_fail_at(e, at, ...) \
	xtr_yaml_fail((e), (at) ? (at)->line : 0, (at) ? (at)->column : 0, __VA_ARGS__)
#define xtr_yaml_fail_key(e, at, ...)                                                              \
	xtr_yaml_fail((e), (at)->key_line, (at)->key_column, __VA_ARGS__)
/* Calls put for each as "file:line:column: text", in the order of the file. */
void xtr_yaml_errors_each(struct xtr_yaml_errors *e, const char *file,
			  void (*put)(void *ctx, const char *line), void *ctx);

/* Reads a document into the arena. *root is NULL for an empty one. 0; -EINVAL with errors added;
 * -ENOMEM. Duplicate keys are errors that do not stop the reading (the first one counts). */
int xtr_yaml_parse(const char *text, size_t len, struct xtr_arena *arena,
		   struct xtr_yaml_errors *errors, struct xtr_yaml **root);
/* Member of a map; NULL if map is NULL, no map, or has none. */
const struct xtr_yaml *xtr_yaml_get(const struct xtr_yaml *map, const char *key);
/* An empty plain value, "~" or "null". */
bool xtr_yaml_null(const struct xtr_yaml *y);

#endif
