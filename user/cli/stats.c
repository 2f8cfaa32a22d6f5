// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl stats: what the data plane counted (from the pins), what it dropped and why, and what the control
 * plane counted (from the daemon). People see what is not 0, with what it means; JSON has every counter
 * always.
 */
#include "cli/cli.h"
#include "cli/counters.h"

#include <string.h>

static bool all_wanted(struct xtr_words *w)
{
	return xtr_words_is(w, "all");
}

static int read_failed(struct xtr_cli *c, const char *map, int rc)
{
	return xtr_cli_error(c, "reading the pinned map %s: %s", map, strerror(rc < 0 ? -rc : rc));
}

static const char *text_of(const char *name)
{
	for (unsigned i = 0; i < XTR_STAT_MAX; i++)
		if (!strcmp(xtr_stat_name(i), name))
			return xtr_stat_text(i);
	for (unsigned i = 0; i < XTR_DROP_MAX; i++)
		if (!strcmp(xtr_drop_name(i), name))
			return xtr_drop_text(i);
	return "";
}

/* {"packets":N,"octets":N} of the data plane, or N. */
static json_int_t packets_of(const json_t *v)
{
	return json_is_object(v) ? xtr_json_int(v, "packets") : json_integer_value(v);
}

static void counter_plain(FILE *f, const char *name, const json_t *v, bool all)
{
	struct xtr_line l;

	if (!all && !packets_of(v))
		return;
	xtr_line_id(&l, f, "%s", name);
	xtr_line_pair(&l, "packets", "%" JSON_INTEGER_FORMAT, packets_of(v));
	xtr_line_json(&l, "octets", json_object_get(v, "octets"));
	/* What a counter means is for those who ask; what a drop means is what they came for. */
	if (all || !json_is_object(v)) {
		xtr_line_more(&l);
		xtr_line_word(&l, text_of(name));
	}
	xtr_line_end(&l);
}

static void all_plain(FILE *f, const json_t *o)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)o, name, v)
		counter_plain(f, name, v, true);
}

static void counted_plain(FILE *f, const json_t *o)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)o, name, v)
		counter_plain(f, name, v, false);
}

static int emit(struct xtr_cli *c, json_t *o, bool all, const char *none)
{
	bool any = false;
	const char *name;
	json_t *v;

	json_object_foreach(o, name, v)
		any |= packets_of(v) != 0;
	if (!all && !any)
		xtr_cli_note(c, "%s", none);
	return xtr_cli_emit(c, o, all ? all_plain : counted_plain);
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_count n[XTR_STAT_MAX] = { 0 };
	struct xtr_dp_view *v = NULL;
	bool all = all_wanted(w);
	json_t *o;
	int rc;

	if (xtr_words_end(c, w) || xtr_cli_view(c, &v))
		return -1;
	rc = xtr_dp_view_stats(v, n);
	xtr_dp_view_close(v);
	if (rc)
		return read_failed(c, XTR_MAP_STATS, rc);
	o = json_object();
	for (unsigned i = 0; i < XTR_STAT_MAX; i++)
		json_object_set_new(o, xtr_stat_name(i), json_pack("{s:I, s:I}", "packets", (json_int_t)n[i].packets,
								   "octets", (json_int_t)n[i].octets));
	xtr_stats_pressure(c);
	return emit(c, o, all, "nothing counted yet (all shows every counter)");
}

static int do_drops(struct xtr_cli *c, struct xtr_words *w)
{
	uint64_t n[XTR_DROP_MAX] = { 0 };
	struct xtr_dp_view *v = NULL;
	bool all = all_wanted(w);
	json_t *o;
	int rc;

	if (xtr_words_end(c, w) || xtr_cli_view(c, &v))
		return -1;
	rc = xtr_dp_view_drops(v, n);
	xtr_dp_view_close(v);
	if (rc)
		return read_failed(c, XTR_MAP_DROPS, rc);
	o = json_object();
	for (unsigned i = XTR_DROP_NONE + 1; i < XTR_DROP_MAX; i++)
		json_object_set_new(o, xtr_drop_name(i), json_integer((json_int_t)n[i]));
	return emit(c, o, all, "no packet was dropped (all shows every reason)");
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
	static const struct { const char *name, *text; } control[] = {
#define X(name, text) { name, text },
		XTR_CONTROL_COUNTERS(X)
#undef X
	};
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
	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++)
		if (!strncmp(control[i].name, name ? name : "", len))
			reason_add(rows, "control", control[i].name, control[i].text);
	if (!json_array_size(rows)) {
		json_decref(rows);
		return xtr_cli_error(c, "no drop reason or counter is named '%s': 'xtrctl stats reason' lists "
				     "them", name);
	}
	return xtr_cli_emit(c, rows, reason_plain);
}

const struct xtr_cli_cmd xtr_cmd_stats[] = {
	{ "show", do_show, "[all]", "packets and octets of the data plane" },
	{ "drops", do_drops, "[all]", "dropped packets by reason, with what to do about it" },
	{ "control", do_control, "[all]", "messages and decisions of the control plane" },
	{ "maps", xtr_stats_maps, "[all]", "how full the maps and tables are, and the memory they take" },
	{ "reason", do_reason, "[NAME]", "what a drop reason or a counter means" },
	{ NULL, NULL, NULL, NULL },
};
