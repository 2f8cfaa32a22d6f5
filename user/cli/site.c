// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl site: the Map-Server's view. Each configured EID-prefix and each registration below it; for what is not
 * registered, the reason: never heard of, refused (with the Map-Server's own words), or expired.
 */
#include "cli/cli.h"

#include <string.h>

/* --- why a configured prefix has no registration */

#define MORE_SPECIFICS_MAX 100 /* the daemon counts no further */

static json_t *why_refused(const json_t *row)
{
	char text[512], age[32];
	const char *from = xtr_json_str(row, "last_refusal_from");
	const json_t *when = json_object_get(row, "last_refusal_age");

	snprintf(text, sizeof(text), "a Map-Register%s%s was refused%s%s%s: %s", *from ? " from " : "", from,
		 json_is_number(when) ? " " : "",
		 json_is_number(when) ? xtr_age_str(json_number_value(when), age, sizeof(age)) : "",
		 json_is_number(when) ? " ago" : "", xtr_json_str(row, "last_refusal"));
	return json_string(text);
}

static json_t *why_ended(const json_t *row)
{
	bool withdrawn = xtr_json_true(row, "withdrawn");
	char text[160], age[32];

	snprintf(text, sizeof(text), "its registration %s %s ago%s", withdrawn ? "was withdrawn by its ETR" : "has expired",
		 xtr_age_str(json_number_value(json_object_get(row, "ended")), age, sizeof(age)),
		 withdrawn ? "" : ": its ETR has stopped sending Map-Registers, or they no longer arrive");
	return json_string(text);
}

/* What was refused before the last good Map-Register is no reason that there is none now. */
static bool refused_since(const json_t *row)
{
	return xtr_json_has(row, "last_refusal") &&
	       (!xtr_json_has(row, "ended") || json_number_value(json_object_get(row, "last_refusal_age")) <
						       json_number_value(json_object_get(row, "ended")));
}

static json_t *why_below(json_int_t n)
{
	char text[160];

	snprintf(text, sizeof(text), "not itself, but %" JSON_INTEGER_FORMAT "%s more-specific EID-prefix%s of it %s", n,
		 n >= MORE_SPECIFICS_MAX ? " or more" : "", n == 1 ? "" : "es", n == 1 ? "is" : "are");
	return json_string(text);
}

static json_t *why(const json_t *row)
{
	json_int_t n = xtr_json_int(row, "more_specifics");

	if (xtr_json_true(row, "registered"))
		return json_null();
	if (refused_since(row))
		return why_refused(row);
	if (n)
		return why_below(n);
	if (xtr_json_has(row, "ended"))
		return why_ended(row);
	return json_string("no Map-Register for it has arrived: check etr.map-servers of its ETR, and that UDP "
			   "port 4342 is open on the way");
}

static bool take_row(void *name, json_t *row)
{
	json_object_set_new(row, "why", why(row));
	return !name || !strcmp(xtr_json_str(row, "site"), name);
}

/* --- plain */

static void row_plain(FILE *f, const json_t *v)
{
	const json_t *locs = json_object_get(v, "locators"), *loc;
	char name[128];
	struct xtr_line l;
	size_t i;

	xtr_line_id(&l, f, "%s %s", xtr_json_str(v, "site"), xtr_cli_row_name(v, name, sizeof(name)));
	if (xtr_json_true(v, "registered")) {
		xtr_line_word(&l, "registered");
		xtr_line_json(&l, "by", json_object_get(v, "registrant"));
		xtr_line_age(&l, "last", json_object_get(v, "age"), " ago");
		xtr_line_age(&l, "expires in", json_object_get(v, "expires"), "");
		if (xtr_json_true(v, "proxy"))
			xtr_line_word(&l, "proxy-reply");
	} else {
		xtr_line_word(&l, "NOT REGISTERED");
	}
	if (xtr_json_has(v, "why")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "why:", json_object_get(v, "why"));
	}
	if (xtr_json_int(v, "registers") || xtr_json_int(v, "refused")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "accepted", json_object_get(v, "registers"));
		xtr_line_json(&l, "refused", json_object_get(v, "refused"));
		xtr_line_json(&l, "xtr-id", json_object_get(v, "xtr_id"));
	}
	if (xtr_json_true(v, "registered") && xtr_json_has(v, "last_refusal")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "last refusal:", json_object_get(v, "last_refusal"));
		xtr_line_json(&l, "from", json_object_get(v, "last_refusal_from"));
		xtr_line_age(&l, "was", json_object_get(v, "last_refusal_age"), " ago");
	}
	json_array_foreach(locs, i, loc) {
		xtr_line_more(&l);
		xtr_line_json(&l, "locator", json_object_get(loc, "address"));
		xtr_line_json(&l, "priority", json_object_get(loc, "priority"));
		xtr_line_json(&l, "weight", json_object_get(loc, "weight"));
		xtr_line_word(&l, json_is_false(json_object_get(loc, "reachable")) ? "down" : "up");
	}
	xtr_line_end(&l);
}

static void rows_plain(FILE *f, const json_t *v)
{
	xtr_cli_each_plain(f, v, row_plain);
}

/* --- command */

/* Nothing is known of what was asked for: why. */
static int nothing(struct xtr_cli *c, const char *name, const struct xtr_cli_eid *e)
{
	char buf[XTR_EID_STRLEN];

	if (name)
		return xtr_cli_error(c, "no site is named '%s', and it is no EID either: see 'xtrctl site show'", name);
	return xtr_cli_error(c, "%s of instance %u belongs to no configured site: add it to eid-prefixes of a "
			     "site in map-server.sites", xtr_cli_eid_text(e, buf), e->iid);
}

/* [NAME | EID] [instance N]: what reads as an EID is one. */
static int take_args(struct xtr_cli *c, struct xtr_words *w, const char **name, struct xtr_cli_eid *e)
{
	struct xtr_eid_prefix probe;
	const char *word = xtr_words_peek(w);

	memset(e, 0, sizeof(*e));
	*name = NULL;
	if (word && strcmp(word, "instance") && xtr_eid_parse(word, &probe))
		*name = xtr_words_take(w);
	if (xtr_words_peek(w) && strcmp(xtr_words_peek(w), "instance") && *name)
		return xtr_words_end(c, w);
	return xtr_cli_eid_take(c, w, e) || xtr_words_end(c, w) ? -1 : 0;
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_cli_eid e;
	struct xtr_cli_list list = { .object = "site", .e = &e, .take = take_row, .plain = row_plain };
	const char *name;
	int rc;

	if (take_args(c, w, &name, &e))
		return -1;
	list.name = name;
	list.arg = (void *)(uintptr_t)name;
	rc = xtr_cli_pages(c, &list);
	if (rc <= 0)
		return rc;
	if (name || e.given)
		return nothing(c, name, &e);
	xtr_cli_note(c, "no site is configured here (map-server.sites)");
	return xtr_cli_emit(c, json_array(), rows_plain);
}

const struct xtr_cli_cmd xtr_cmd_site[] = {
	{ "show", do_show, "[NAME | EID] [instance N]",
	  "configured EID-prefixes and registrations, with the reason where one is missing" },
	{ NULL, NULL, NULL, NULL },
};
