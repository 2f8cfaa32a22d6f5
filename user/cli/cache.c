// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl cache: the map-cache. The daemon knows where an entry came from and how long it lives; the pinned maps know
 * what the programs do with it. Both are shown together (cache_show.c); without a daemon, what the kernel has. What can be
 * much is asked of the daemon in parts, between which it goes on with its work.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- what is being asked for */

static void pending_plain(FILE *f, const json_t *v)
{
	const json_t *row;
	char name[128];
	size_t i;

	json_array_foreach(v, i, row) {
		struct xtr_line l;

		xtr_line_id(&l, f, "%s", xtr_cli_row_name(row, name, sizeof(name)));
		xtr_line_json(&l, "tries", json_object_get(row, "tries"));
		xtr_line_json(&l, "resolver", json_object_get(row, "resolver"));
		xtr_line_age(&l, "age", json_object_get(row, "age"), "");
		xtr_line_age(&l, "next in", json_object_get(row, "next"), "");
		xtr_line_end(&l);
	}
}

static int do_pending(struct xtr_cli *c, struct xtr_words *w)
{
	json_t *rows = NULL;

	if (xtr_words_end(c, w) || xtr_cli_call(c, "cache", "pending", NULL, &rows))
		return -1;
	if (!json_array_size(rows))
		xtr_cli_note(c, "nothing is being asked for");
	return xtr_cli_emit(c, rows, pending_plain);
}

/* --- changes */

static const char *action_named(const char *word)
{
	for (unsigned i = 0; i <= XTR_ACT_DROP_AUTH; i++)
		if (*word && !strncmp(xtr_action_name(i), word, strlen(word)))
			return xtr_action_name(i);
	return NULL;
}

/* rloc ADDRESS [weight N] */
static int take_rloc(struct xtr_cli *c, struct xtr_words *w, json_t *rlocs)
{
	const char *s = xtr_words_value(c, w, "rloc");
	char buf[XTR_IP_STRLEN];
	uint32_t weight = 100;
	struct xtr_ip ip;

	if (!s)
		return -1;
	if (xtr_ip_parse(s, &ip))
		return xtr_cli_error(c, "rloc: '%s' is no IP address", s);
	if (xtr_words_is(w, "weight") && xtr_words_number(c, w, "weight", 255, &weight))
		return -1;
	if (json_array_size(rlocs) == XTR_MAX_LOCATORS)
		return xtr_cli_error(c, "an entry has at most %d locators", XTR_MAX_LOCATORS);
	json_array_append_new(rlocs, json_pack("{s:s, s:i}", "address", xtr_ip_str(&ip, buf), "weight", (int)weight));
	return 0;
}

static int take_entry(struct xtr_cli *c, struct xtr_words *w, json_t *args)
{
	json_t *rlocs = json_array();
	const char *action = NULL, *word;
	int rc = 0;

	while (!rc && xtr_words_peek(w)) {
		if (xtr_words_is(w, "rloc")) {
			rc = take_rloc(c, w, rlocs);
		} else if (!action && xtr_words_is(w, "action")) {
			word = xtr_words_value(c, w, "action");
			action = word ? action_named(word) : NULL;
			if (!action)
				rc = word ? xtr_cli_error(c, "action '%s' is none of those that an entry can "
							  "have: see 'xtrctl cache help'", word) : -1;
		} else {
			rc = xtr_words_end(c, w);
		}
	}
	if (!rc && !json_array_size(rlocs) == !action)
		rc = xtr_cli_error(c, "an entry has either locators (rloc ADDRESS) or an action");
	if (!rc && action)
		json_object_set_new(args, "action", json_string(action));
	if (!rc && !action)
		json_object_set(args, "rlocs", rlocs);
	json_decref(rlocs);
	return rc;
}

static void done_plain(FILE *f, const json_t *v)
{
	if (xtr_json_has(v, "deleted"))
		fprintf(f, "deleted: %" JSON_INTEGER_FORMAT "\n", xtr_json_int(v, "deleted"));
}

/* What an add or a delete answers is for scripts; people get silence when all is well, as from bpftool. */
static int change(struct xtr_cli *c, const char *command, json_t *args)
{
	json_t *r = NULL;

	if (xtr_cli_call(c, "cache", command, args, &r))
		return -1;
	return xtr_cli_emit(c, r, done_plain);
}

/* EID [instance N] { rloc ADDRESS [weight N] ... | action ACTION }. The arguments of the daemon, or NULL with an error printed. */
static json_t *take_static(struct xtr_cli *c, struct xtr_words *w, const char *s, bool one_text)
{
	struct xtr_cli_eid e;
	json_t *args;

	memset(&e, 0, sizeof(e));
	if (!s || xtr_cli_eid_parse(c, s, &e))
		return NULL;
	if (!e.pfx.ip.family) {
		xtr_cli_error(c, "'%s' is no IPv4 or IPv6 EID-prefix: the data plane forwards no others", s);
		return NULL;
	}
	e.host = false; /* an entry is a prefix: of an address, its host prefix */
	if (!e.iid_given && xtr_words_is(w, "instance") && xtr_words_number(c, w, "instance", XTR_IID_MAX, &e.iid))
		return NULL;
	if (one_text) {
		char text[XTR_EID_STRLEN];

		e.eid.iid = e.iid;
		args = json_pack("{s:s}", "eid", xtr_eid_str(&e.eid, text));
	} else {
		args = xtr_cli_eid_args(&e);
	}
	if (take_entry(c, w, args)) {
		json_decref(args);
		return NULL;
	}
	return args;
}

static int do_add(struct xtr_cli *c, struct xtr_words *w)
{
	const char *s = xtr_words_value(c, w, "add");
	json_t *args = s ? take_static(c, w, s, false) : NULL;

	return args ? change(c, "add", args) : -1;
}

/* --- load: a file of entries, many to a request */

#define LOAD_OCTETS 60000 /* of a request, below XTR_CTL_REQUEST_MAX */
#define LOAD_WORDS  64

struct load {
	struct xtr_cli *c;
	const char *name;
	json_t *entries;
	size_t octets;
	unsigned line, lines[LOAD_OCTETS / 16]; /* of each entry */
	json_int_t added, refused;
	unsigned refused_line; /* the first one */
	char *refused_why;
};

static void load_refused(struct load *l, unsigned line, const char *why)
{
	if (l->refused_line && l->refused_line < line)
		return;
	free(l->refused_why);
	l->refused_why = strdup(why);
	l->refused_line = line;
}

static int load_send(struct load *l)
{
	json_t *r = NULL, *first;
	int rc;

	if (!json_array_size(l->entries))
		return 0;
	rc = xtr_cli_call(l->c, "cache", "load", json_pack("{s:o}", "entries", l->entries), &r);
	l->entries = json_array();
	l->octets = 0;
	if (rc)
		return rc;
	l->added += xtr_json_int(r, "added");
	first = json_object_get(r, "first");
	if (json_is_object(first))
		load_refused(l, l->lines[xtr_json_int(first, "entry")], xtr_json_str(first, "error"));
	l->refused += xtr_json_int(r, "refused");
	json_decref(r);
	return 0;
}

/* The entry of a line; NULL: it has none, or what is wrong is in l->c->caught. */
static json_t *load_words(struct load *l, char *text)
{
	char *v[LOAD_WORDS], *save = NULL;
	struct xtr_words w = { v, 0 };

	text[strcspn(text, "#\n")] = '\0';
	for (char *p = strtok_r(text, " \t\r", &save); p; p = strtok_r(NULL, " \t\r", &save)) {
		if (w.n == LOAD_WORDS) {
			xtr_cli_error(l->c, "too many words");
			return NULL;
		}
		v[w.n++] = p;
	}
	return w.n ? take_static(l->c, &w, xtr_words_take(&w), true) : NULL;
}

static int load_line(struct load *l, char *text)
{
	char *why = NULL;
	size_t octets;
	json_t *entry;

	l->c->caught = &why;
	entry = load_words(l, text);
	l->c->caught = NULL;
	if (why) {
		l->refused++;
		load_refused(l, l->line, why);
		free(why);
	}
	if (!entry)
		return 0;
	octets = json_dumpb(entry, NULL, 0, JSON_COMPACT) + 1;
	if (l->octets + octets > LOAD_OCTETS && load_send(l)) {
		json_decref(entry);
		return -1;
	}
	l->lines[json_array_size(l->entries)] = l->line;
	l->octets += octets;
	return json_array_append_new(l->entries, entry) ? xtr_cli_error(l->c, "out of memory") : 0;
}

static void load_plain(FILE *f, const json_t *v)
{
	fprintf(f, "added: %" JSON_INTEGER_FORMAT "\n", xtr_json_int(v, "added"));
}

static int load_file(struct load *l, FILE *f)
{
	char *text = NULL;
	size_t size = 0;
	int rc = 0;

	while (!rc && getline(&text, &size, f) >= 0) {
		l->line++;
		rc = load_line(l, text);
	}
	free(text);
	if (!rc && ferror(f))
		return xtr_cli_error(l->c, "%s: %s", l->name, strerror(errno));
	if (!rc)
		rc = load_send(l);
	if (rc)
		xtr_cli_note(l->c, "%s: stopped; %" JSON_INTEGER_FORMAT " entries are in", l->name, l->added);
	return rc;
}

static int do_load(struct xtr_cli *c, struct xtr_words *w)
{
	const char *name = xtr_words_value(c, w, "load");
	struct load *l;
	FILE *f;
	int rc;

	if (!name || xtr_words_end(c, w))
		return -1;
	f = strcmp(name, "-") ? fopen(name, "re") : stdin;
	if (!f)
		return xtr_cli_error(c, "%s: %s", name, strerror(errno));
	l = calloc(1, sizeof(*l));
	if (l) {
		l->c = c;
		l->name = name;
		l->entries = json_array();
		rc = load_file(l, f);
		if (!rc && l->refused)
			rc = xtr_cli_error(c, "%" JSON_INTEGER_FORMAT " entries were added, %" JSON_INTEGER_FORMAT
					   " refused, the first one of line %u: %s",
					   l->added, l->refused, l->refused_line, l->refused_why ? l->refused_why : "?");
		else if (!rc)
			rc = xtr_cli_emit(c, json_pack("{s:I}", "added", l->added), load_plain);
		json_decref(l->entries);
		free(l->refused_why);
	} else {
		rc = xtr_cli_error(c, "out of memory");
	}
	free(l);
	if (f != stdin)
		fclose(f);
	return rc;
}

/* --- delete, flush: in parts, between which the daemon forwards and answers */

#define CLEAR_PART 1000

static int clear(struct xtr_cli *c, const char *command, const struct xtr_cli_eid *e)
{
	json_int_t total = 0;
	bool more = true;
	int rc = 0;

	while (!rc && more) {
		json_t *args = e ? xtr_cli_eid_args(e) : json_object(), *r = NULL;

		json_object_set_new(args, "limit", json_integer(CLEAR_PART));
		rc = xtr_cli_part(c, "cache", command, args, &r, &more);
		if (rc == 1) /* says why that is an error */
			rc = xtr_cli_call(c, "cache", command, json_object(), &r);
		total += xtr_json_int(r, "deleted");
		json_decref(r);
	}
	return rc ? -1 : xtr_cli_emit(c, json_pack("{s:I}", "deleted", total), done_plain);
}

static int do_delete(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_cli_eid e;

	if (xtr_cli_eid_take(c, w, &e) || xtr_words_end(c, w))
		return -1;
	if (!e.given)
		return xtr_cli_error(c, "delete which EID? All of them: xtrctl cache flush");
	e.host = false;
	return clear(c, "delete", &e);
}

static int do_flush(struct xtr_cli *c, struct xtr_words *w)
{
	return xtr_words_end(c, w) ? -1 : clear(c, "flush", NULL);
}

const struct xtr_cli_cmd xtr_cmd_cache[] = {
	{ "show", xtr_cache_show, "[EID] [instance N]", "entries; of an address: the one it takes, and by which locators" },
	{ "pending", do_pending, "", "EIDs the mapping system is being asked for" },
	{ "add", do_add, "EID [instance N] { rloc ADDRESS [weight N] ... | action ACTION }", "a static entry" },
	{ "delete", do_delete, "EID [instance N]", "entries inside EID" },
	{ "flush", do_flush, "", "all entries" },
	{ "load", do_load, "FILE", "static entries of FILE ('-': standard input), one a line as after add" },
	{ NULL, NULL, NULL, NULL },
};
