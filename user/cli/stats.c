// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl stats: what the data plane counted (from the pins), what it dropped and why, and what the control plane counted
 * (from the daemon). People see what is not 0, with what it means; JSON has every counter always.
 */
#include "cli/cli.h"

#include <string.h>

static bool all_wanted(struct xtr_words *w)
{
	return xtr_words_is(w, "all");
}

static int read_failed(struct xtr_cli *c, const char *map, int rc)
{
	return xtr_cli_error(c, "reading the pinned map %s: %s", map, strerror(rc < 0 ? -rc : rc));
}

static void row_plain(FILE *f, const json_t *row, bool all)
{
	struct xtr_line l;

	if (!all && !xtr_json_int(row, "packets"))
		return;
	xtr_line_id(&l, f, "%s", xtr_json_str(row, "name"));
	xtr_line_json(&l, "packets", json_object_get(row, "packets"));
	xtr_line_json(&l, "octets", json_object_get(row, "octets"));
	/* What a counter means is for those who ask; what a drop means is what they came for. */
	if (all || !xtr_json_has(row, "octets")) {
		xtr_line_more(&l);
		xtr_line_word(&l, xtr_json_str(row, "text"));
	}
	xtr_line_end(&l);
}

static void all_plain(FILE *f, const json_t *v)
{
	const json_t *row;
	size_t i;

	json_array_foreach(v, i, row)
		row_plain(f, row, true);
}

static void counted_plain(FILE *f, const json_t *v)
{
	const json_t *row;
	size_t i;

	json_array_foreach(v, i, row)
		row_plain(f, row, false);
}

static bool nothing(const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (xtr_json_int(row, "packets"))
			return false;
	return true;
}

static int emit(struct xtr_cli *c, json_t *rows, bool all, const char *none)
{
	if (!all && nothing(rows))
		xtr_cli_note(c, "%s", none);
	return xtr_cli_emit(c, rows, all ? all_plain : counted_plain);
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_count n[XTR_STAT_MAX] = { 0 };
	struct xtr_dp_view *v = NULL;
	bool all = all_wanted(w);
	json_t *rows;
	int rc;

	if (xtr_words_end(c, w) || xtr_cli_view(c, &v))
		return -1;
	rc = xtr_dp_view_stats(v, n);
	xtr_dp_view_close(v);
	if (rc)
		return read_failed(c, XTR_MAP_STATS, rc);
	rows = json_array();
	for (unsigned i = 0; i < XTR_STAT_MAX; i++)
		json_array_append_new(rows, json_pack("{s:s, s:I, s:I, s:s}", "name", xtr_stat_name(i), "packets",
						      (json_int_t)n[i].packets, "octets", (json_int_t)n[i].octets,
						      "text", xtr_stat_text(i)));
	return emit(c, rows, all, "nothing counted yet (all shows every counter)");
}

static int do_drops(struct xtr_cli *c, struct xtr_words *w)
{
	uint64_t n[XTR_DROP_MAX] = { 0 };
	struct xtr_dp_view *v = NULL;
	bool all = all_wanted(w);
	json_t *rows;
	int rc;

	if (xtr_words_end(c, w) || xtr_cli_view(c, &v))
		return -1;
	rc = xtr_dp_view_drops(v, n);
	xtr_dp_view_close(v);
	if (rc)
		return read_failed(c, XTR_MAP_DROPS, rc);
	rows = json_array();
	for (unsigned i = XTR_DROP_NONE + 1; i < XTR_DROP_MAX; i++)
		json_array_append_new(rows, json_pack("{s:s, s:I, s:s}", "name", xtr_drop_name(i), "packets",
						      (json_int_t)n[i], "text", xtr_drop_text(i)));
	return emit(c, rows, all, "no packet was dropped (all shows every reason)");
}

static int do_control(struct xtr_cli *c, struct xtr_words *w)
{
	bool all = all_wanted(w), any = false;
	json_t *o = NULL, *n;
	const char *name;

	if (xtr_words_end(c, w) || xtr_cli_call(c, "stats", "control", NULL, &o))
		return -1;
	if (c->json)
		return xtr_cli_emit(c, o, NULL);
	json_object_foreach(o, name, n) {
		if (!all && !json_integer_value(n))
			continue;
		xtr_put_text(stdout, name);
		printf(": %" JSON_INTEGER_FORMAT "\n", json_integer_value(n));
		any = true;
	}
	if (!any)
		xtr_cli_note(c, "nothing counted yet (all shows every counter)");
	json_decref(o);
	return 0;
}

/* --- reason NAME: what a name means, without anything running */

static void reason_plain(FILE *f, const json_t *v)
{
	const json_t *row;
	size_t i;

	json_array_foreach(v, i, row) {
		struct xtr_line l;

		xtr_line_id(&l, f, "%s", xtr_json_str(row, "name"));
		xtr_line_word(&l, xtr_json_str(row, "kind"));
		xtr_line_more(&l);
		xtr_line_word(&l, xtr_json_str(row, "text"));
		xtr_line_end(&l);
	}
}

static void reason_add(json_t *rows, const char *kind, const char *name, const char *text)
{
	json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", name, "kind", kind, "text", text));
}

/* The name of one, or the beginning of several; without a name, all. */
static int do_reason(struct xtr_cli *c, struct xtr_words *w)
{
	const char *name = xtr_words_take(w);
	size_t len = name ? strlen(name) : 0;
	json_t *rows;

	if (xtr_words_end(c, w))
		return -1;
	rows = json_array();
	for (unsigned i = XTR_DROP_NONE + 1; i < XTR_DROP_MAX; i++)
		if (!strncmp(xtr_drop_name(i), name ? name : "", len))
			reason_add(rows, "drop", xtr_drop_name(i), xtr_drop_text(i));
	for (unsigned i = 0; i < XTR_STAT_MAX; i++)
		if (!strncmp(xtr_stat_name(i), name ? name : "", len))
			reason_add(rows, "counter", xtr_stat_name(i), xtr_stat_text(i));
	if (!json_array_size(rows)) {
		json_decref(rows);
		return xtr_cli_error(c, "no drop reason or counter is named '%s': 'xtrctl stats reason' lists them", name);
	}
	return xtr_cli_emit(c, rows, reason_plain);
}

const struct xtr_cli_cmd xtr_cmd_stats[] = {
	{ "show", do_show, "[all]", "packets and octets of the data plane" },
	{ "drops", do_drops, "[all]", "dropped packets by reason, with what to do about it" },
	{ "control", do_control, "[all]", "messages and decisions of the control plane" },
	{ "reason", do_reason, "[NAME]", "what a drop reason or a counter means" },
	{ NULL, NULL, NULL, NULL },
};
