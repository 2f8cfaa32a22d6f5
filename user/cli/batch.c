// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl batch: one command a line, '#' begins a comment, "..." holds words with spaces together, '-' is
 * standard input. Ends at the first command that fails. Under -j one array: {"command": [words],
 * "output": its JSON value}.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 128

/* Cuts line into words in place. Their number, or -1 for an open quote, -2 for too many. */
static int split(char *line, char **v)
{
	char *p = line;
	int n = 0;

	for (;;) {
		p += strspn(p, " \t\r\n");
		if (!*p || *p == '#')
			return n;
		if (n == MAX_WORDS)
			return -2;
		if (*p == '"') {
			v[n++] = ++p;
			p = strchr(p, '"');
			if (!p)
				return -1;
		} else {
			v[n++] = p;
			p += strcspn(p, " \t\r\n");
		}
		if (!*p)
			return n;
		*p++ = '\0';
	}
}

/* What the command printed under -j goes into out beside its words. */
static int run_line(struct xtr_cli *c, char **v, int n, json_t *out)
{
	struct xtr_words w = { v, n };
	json_t *words = json_array();
	int rc;

	for (int i = 0; i < n; i++)
		json_array_append_new(words, json_string(v[i]));
	rc = xtr_cli_run(c, &w);
	if (out)
		json_array_append_new(out, json_pack("{s:o, s:o}", "command", words,
						     "output", c->held ? c->held : json_null()));
	else
		json_decref(words);
	c->held = NULL;
	return rc;
}

static int run_lines(struct xtr_cli *c, FILE *f, const char *name, json_t *out)
{
	int rc = 0, n, done = 0, at = 0;
	char *v[MAX_WORDS], *line = NULL;
	size_t size = 0;

	while (!rc && getline(&line, &size, f) >= 0) {
		at++;
		n = split(line, v);
		if (n < 0)
			rc = xtr_cli_error(c, "%s:%d: %s", name, at,
					   n == -1 ? "the quote is not closed" : "too many words");
		else if (n > 0)
			rc = run_line(c, v, n, out);
		if (n > 0)
			done++;
		if (rc && !c->json && n > 0)
			fprintf(stderr, "%s:%d: stopped here\n", name, at);
	}
	free(line);
	if (!rc && ferror(f))
		rc = xtr_cli_error(c, "%s: %s", name, strerror(errno));
	if (!rc && !c->json)
		printf("processed %d command%s\n", done, done == 1 ? "" : "s");
	return rc;
}

static int do_file(struct xtr_cli *c, struct xtr_words *w)
{
	const char *name = xtr_words_value(c, w, "file");
	json_t *out = NULL;
	FILE *f;
	int rc;

	if (!name || xtr_words_end(c, w))
		return -1;
	if (c->in_batch)
		return xtr_cli_error(c, "a batch file can not run another");
	f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	if (!f)
		return xtr_cli_error(c, "%s: %s", name, strerror(errno));
	if (c->json)
		out = json_array();
	c->in_batch = true;
	rc = run_lines(c, f, name, out);
	c->in_batch = false;
	if (c->held) { /* an error of the file itself */
		json_array_append_new(out, c->held);
		c->held = NULL;
	}
	if (f != stdin)
		fclose(f);
	if (out)
		xtr_cli_emit(c, out, NULL);
	return rc;
}

const struct xtr_cli_cmd xtr_cmd_batch[] = {
	{ "file", do_file, "FILE", "commands of FILE ('-': standard input), one a line; ends at the first that fails" },
	{ NULL, NULL, NULL, NULL },
};
