// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xtrctl monitor: events of the daemon as they happen, one a line, until interrupted or the daemon ends. */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>

#include "ctl/ctl.h"

/* The same names as the daemon's (checked by the tests); known() looks them up here. */
const char xtr_cli_event_terms[] =
	"KIND := { cache-add | cache-change | cache-del | miss | map-request-sent |\n"
	"          map-request-timeout | map-reply | map-register-sent | map-register-acked |\n"
	"          map-register-unacknowledged | site-registered | site-changed | site-expired |\n"
	"          map-register-refused | message-dropped | packet-dropped | dns-changed |\n"
	"          dns-failed | dns-stale | member-joined | member-left | parameters-changed |\n"
	"          subscription | key-differs }\n";

static bool known(const char *kind)
{
	size_t len = strlen(kind);
	const char *p = xtr_cli_event_terms;

	if (!len || strspn(kind, "abcdefghijklmnopqrstuvwxyz-") != len)
		return false;
	p = strchr(p, '{');
	while ((p = strstr(p, kind))) {
		if (p[-1] == ' ' && p[len] == ' ')
			return true;
		p += len;
	}
	return false;
}

struct watch {
	struct xtr_cli *c;
	json_t *kinds; /* wanted; empty: all */
};

static bool wanted(const struct watch *m, const json_t *event)
{
	const json_t *k;
	size_t i;

	if (!json_array_size(m->kinds))
		return true;
	json_array_foreach(m->kinds, i, k)
		if (json_equal(k, json_object_get(event, "kind")))
			return true;
	return false;
}

static void event_plain(FILE *f, const json_t *v)
{
	xtr_put_text(f, xtr_json_str(v, "time"));
	fputs("  ", f);
	xtr_put_text(f, xtr_json_str(v, "kind"));
	if (xtr_json_has(v, "eid")) {
		fputs("  ", f);
		xtr_put_text(f, xtr_json_str(v, "eid"));
	}
	if (*xtr_json_str(v, "text")) {
		fputs("  ", f);
		xtr_put_text(f, xtr_json_str(v, "text"));
	}
	fputc('\n', f);
}

/* -EPIPE also when our own reader is gone. */
static int on_event(void *arg, const json_t *event)
{
	struct watch *m = arg;

	if (!wanted(m, event))
		return 0;
	if (m->c->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		event_plain(stdout, event);
	}
	return fflush(stdout) ? -EIO : 0;
}

static int parse(struct xtr_cli *c, struct xtr_words *w, json_t *kinds)
{
	const char *k;

	while (xtr_words_is(w, "kind")) {
		k = xtr_words_value(c, w, "kind");
		if (!k)
			return -1;
		if (!known(k))
			return xtr_cli_error(c, "no event is of kind '%s': see 'xtrctl monitor help'", k);
		json_array_append_new(kinds, json_string(k));
	}
	return xtr_words_end(c, w);
}

static int do_monitor(struct xtr_cli *c, struct xtr_words *w)
{
	struct watch m = { .c = c };
	struct xtr_err err = { "" };
	json_t *args;
	int rc;

	if (c->in_batch)
		return xtr_cli_error(c, "monitor does not end by itself: not in a batch file");
	m.kinds = json_array();
	if (parse(c, w, m.kinds)) {
		json_decref(m.kinds);
		return -1;
	}
	args = json_object();
	if (json_array_size(m.kinds))
		json_object_set(args, "kinds", m.kinds);
	rc = xtr_ctl_monitor(c->socket, args, on_event, &m, &err);
	json_decref(m.kinds);
	if (rc == -EIO)
		return -1;
	return xtr_cli_error(c, "%s", err.text[0] ? err.text : strerror(-rc));
}

const struct xtr_cli_cmd xtr_cmd_monitor[] = {
	{ "monitor", do_monitor, "[kind KIND] ...", "events as they happen, of all kinds or of those named" },
	{ NULL, NULL, NULL, NULL },
};
