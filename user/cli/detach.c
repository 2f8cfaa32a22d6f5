// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xtrctl detach: programs, maps, pins, devices, routes, rules and neighbours that xtr ever made here go away. */
#include "cli/cli.h"

#include <string.h>

struct report {
	struct xtr_cli *c;
	json_t *lines;
};

static void say(void *arg, const char *line)
{
	struct report *r = arg;

	if (!r->c->json) {
		xtr_put_text(stdout, line);
		putchar('\n');
	}
	json_array_append_new(r->lines, json_string(line));
}

static int do_detach(struct xtr_cli *c, struct xtr_words *w)
{
	struct report r = { .c = c };
	struct xtr_err err = { "" };
	bool force = false;
	int rc;

	if (xtr_words_peek(w) && !strcmp(xtr_words_peek(w), "force")) {
		xtr_words_take(w);
		force = true;
	}
	if (xtr_words_end(c, w))
		return -1;
	r.lines = json_array();
	rc = xtr_dp_detach(c->bpffs, force, say, &r, &err);
	if (rc) {
		xtr_cli_error(c, "%s", err.text[0] ? err.text : strerror(-rc));
		json_decref(r.lines);
		return -1;
	}
	if (c->json)
		return xtr_cli_emit(c, json_pack("{s:o}", "removed", r.lines), NULL);
	if (!json_array_size(r.lines))
		printf("nothing to remove\n");
	json_decref(r.lines);
	return 0;
}

const struct xtr_cli_cmd xtr_cmd_detach[] = {
	{ "detach", do_detach, "[force]", "remove everything xtr ever made on this host; force: although xtrd runs" },
	{ NULL, NULL, NULL, NULL },
};
