/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Configuration files in tests: texts in which $ stands for a folder of key files that are real, read for a fake host with
 * lo, eth0, eth1 and the addresses 192.0.2.1, 2001:db8::1 and 127.0.0.1. Returned texts are malloc'ed.
 */
#ifndef XTR_TESTS_CONF_LAB_H
#define XTR_TESTS_CONF_LAB_H

#include "daemon/config.h"

/* ---- the folder */
void make_folder(void);
void make_keys(void); /* the same, with a.key, b.key, raw.key, and such that are not taken: open.key, empty.key, .. */
void remove_folder(void); /* and what is in it */
void put_file(const char *name, const char *text, size_t len, mode_t mode);

/* ---- parsing */
char *expand(const char *text); /* each $ */
/* The configuration, or NULL and the errors, one a line, the file called "f". */
struct xtr_conf *parse(const char *text, char **errors_text);
struct xtr_conf *good(const char *text); /* there are none */
/* For those who report line by line: puts them together in the char * at ctx. */
void add_line(void *ctx, const char *line);

struct mistake {
	const char *text, *errors; /* every line of them; REST stands for a column that depends on the folder's name */
};
void expect_mistakes(const struct mistake *bad, size_t n);

/* ---- the files of deploy/examples */
char *example(const char *path); /* or the test is skipped: run from the top of the tree */
/* Without looking at the host: the examples name another one. */
struct xtr_conf *parse_elsewhere(const char *text);
/* The lines between two headings, without their "# ", behind what a node needs besides; to NULL: to the end. */
char *commented(const char *text, const char *from, const char *to, const char *before);

#endif
