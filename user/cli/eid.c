// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xtrctl eid: our EID-prefixes, and at each Map-Server whether they are registered, and if not, why. */
#include "cli/cli.h"

static void locators_plain(struct xtr_line *l, const json_t *locs)
{
	const json_t *v;
	size_t i;

	json_array_foreach(locs, i, v) {
		xtr_line_more(l);
		xtr_line_json(l, "locator", json_object_get(v, "address"));
		xtr_line_json(l, "priority", json_object_get(v, "priority"));
		xtr_line_json(l, "weight", json_object_get(v, "weight"));
		xtr_line_word(l, json_is_false(json_object_get(v, "reachable")) ? "down" : "up");
	}
}

static void row_plain(FILE *f, const json_t *v)
{
	bool ms = xtr_json_has(v, "map_server");
	char name[128];
	struct xtr_line l;

	xtr_line_id(&l, f, "%s", xtr_cli_row_name(v, name, sizeof(name)));
	xtr_line_json(&l, "map-server", json_object_get(v, "map_server"));
	xtr_line_word(&l, xtr_json_has(v, "problem") ? "NOT REGISTERED" :
		      !ms ? "not registered anywhere: no Map-Server configured" :
		      json_is_null(json_object_get(v, "acked")) ? "sent, not asked to be acknowledged" :
		      xtr_json_true(v, "acked") ? "registered" : "sent, not acknowledged yet");
	if (xtr_json_has(v, "ttl_min"))
		xtr_line_pair(&l, "ttl", "%" JSON_INTEGER_FORMAT "m", xtr_json_int(v, "ttl_min"));
	if (xtr_json_has(v, "problem")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "why:", json_object_get(v, "problem"));
	}
	if (ms) {
		xtr_line_more(&l);
		xtr_line_age(&l, "last sent", json_object_get(v, "last_sent"), " ago");
		xtr_line_age(&l, "last acknowledged", json_object_get(v, "last_ack"), " ago");
		xtr_line_json(&l, "sent", json_object_get(v, "registers_sent"));
		xtr_line_json(&l, "notifies", json_object_get(v, "notifies"));
		xtr_line_json(&l, "algorithm", json_object_get(v, "algorithm"));
		xtr_line_json(&l, "key-id", json_object_get(v, "key_id"));
	}
	locators_plain(&l, json_object_get(v, "locators"));
	xtr_line_end(&l);
}

static void rows_plain(FILE *f, const json_t *v)
{
	xtr_cli_each_plain(f, v, row_plain);
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_cli_eid e;
	struct xtr_cli_list list = { .object = "eid", .e = &e, .by_count = true, .plain = row_plain };
	char buf[XTR_EID_STRLEN];
	int rc;

	if (xtr_cli_eid_take(c, w, &e) || xtr_words_end(c, w))
		return -1;
	rc = xtr_cli_pages(c, &list);
	if (rc <= 0)
		return rc;
	if (e.given)
		return xtr_cli_error(c, "%s is in none of our EID-prefixes of instance %u (etr.database of the "
				     "configuration)", xtr_cli_eid_text(&e, buf), e.iid);
	xtr_cli_note(c, "no EID-prefix is configured here (etr.database)");
	return xtr_cli_emit(c, json_array(), rows_plain);
}

const struct xtr_cli_cmd xtr_cmd_eid[] = {
	{ "show", do_show, "[EID] [instance N]",
	  "each EID-prefix at each Map-Server, with the reason if it is not registered" },
	{ NULL, NULL, NULL, NULL },
};
