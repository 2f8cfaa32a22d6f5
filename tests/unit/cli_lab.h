/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For the tests of xtrctl: runs the program that was built beside the test, in front of a control socket that answers
 * what the test says, and compares JSON with the schema.
 */
#ifndef XTR_TESTS_CLI_LAB_H
#define XTR_TESTS_CLI_LAB_H

#include <jansson.h>
#include <stdbool.h>

struct xtr_fake_answer {
	const char *object, *command;
	const char *reply;             /* one line or several, "\n" is added */
};
struct xtr_lab {
	char dir[64], socket[96];
	const struct xtr_fake_answer *answers; /* object NULL ends them; NULL: no daemon */
	char request[4096];            /* the last one that was no "version show" */
	int fd;
	unsigned long thread;
};
/* Makes a folder with a control socket in it that a thread answers on. */
void xtr_lab_open(struct xtr_lab *lab, const struct xtr_fake_answer *answers);
void xtr_lab_close(struct xtr_lab *lab);

struct xtr_ran { int status; char out[65536], err[8192]; };
/* Runs xtrctl with -s SOCKET -B (an empty folder) and the words of line, split at spaces. */
void xtr_lab_run(struct xtr_lab *lab, const char *line, struct xtr_ran *ran);
/* Runs it with these words only. input NULL: /dev/null. */
void xtr_run(const char *const argv[], const char *input, struct xtr_ran *ran);

/* Its standard output goes to this file. */
void xtr_run_into(const char *file, const char *const argv[], struct xtr_ran *ran);

/* The schema of the tree. NULL if v is as "#/$defs/<name>" says (and has no key that is not described), else what is wrong. */
const char *xtr_schema_check(const char *name, const json_t *v);

#endif
