// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl stats maps: how full the maps of the kernel and the tables of the daemon are, and what they cost. What the daemon
 * counts anyway is taken from it; without it, a large map is read to be counted.
 */
#include "cli/cli.h"
#include "ctl/ctl.h"

#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#define HIGH 80.0 /* percent: as in the log of xtrd */
#define FULL 95.0

struct maps {
	const json_t *daemon; /* its answer, or NULL */
	json_t *rows;
};

static double percent(uint64_t n, uint64_t max)
{
	return max ? (double)(n * 10000 / max) / 100 : 0;
}

static const char *pressure(double used)
{
	return used >= FULL ? "full" : used >= HIGH ? "high" : "ok";
}

static const json_t *find(const json_t *list, const char *name)
{
	const json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
		if (!strcmp(xtr_json_str(row, "name"), name))
			return row;
	return NULL;
}

static bool count(void *arg, const char *name, uint64_t *entries)
{
	const struct maps *m = arg;
	const json_t *row = find(json_object_get(m->daemon, "maps"), name);

	if (row)
		*entries = (uint64_t)xtr_json_int(row, "entries");
	return row;
}

static int add_map(void *arg, const struct xtr_dp_usage *u)
{
	const char *type = libbpf_bpf_map_type_str(u->type);
	double used = percent(u->entries, u->max);
	struct maps *m = arg;

	return json_array_append_new(m->rows, json_pack(
		"{s:s, s:s, s:I, s:I, s:f, s:s, s:I, s:I, s:I, s:s?}", "name", u->name, "type", type ? type : "unknown",
		"entries", (json_int_t)u->entries, "max_entries", (json_int_t)u->max, "percent", used,
		"pressure", u->fixed ? "fixed" : pressure(used), "bytes_entry", (json_int_t)u->bytes_entry,
		"bytes", (json_int_t)u->bytes, "bytes_full", (json_int_t)u->bytes_full, "key", u->key));
}

static void add_tables(struct maps *m)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(m->daemon, "tables"), i, row) {
		uint64_t n = (uint64_t)xtr_json_int(row, "entries"), max = (uint64_t)xtr_json_int(row, "max");
		double used = percent(n, max);

		json_array_append_new(m->rows, json_pack(
			"{s:s, s:s, s:I, s:I, s:f, s:s, s:n, s:n, s:n, s:s}", "name", xtr_json_str(row, "name"), "type", "table",
			"entries", (json_int_t)n, "max_entries", (json_int_t)max, "percent", used, "pressure", pressure(used),
			"bytes_entry", "bytes", "bytes_full", "key", xtr_json_str(row, "key")));
	}
}

/* 14.6 KiB */
static const char *octets(json_int_t n, char buf[32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB" };
	double v = (double)n / 1024;
	unsigned i = 0;

	if (n < 1024) {
		snprintf(buf, 32, "%" JSON_INTEGER_FORMAT " B", n);
		return buf;
	}
	for (; v >= 1024 && i < 2; i++)
		v /= 1024;
	snprintf(buf, 32, "%.1f %s", v, units[i]);
	return buf;
}

static void row_plain(FILE *f, const json_t *v)
{
	const char *state = xtr_json_str(v, "pressure");
	char a[32], b[32];
	struct xtr_line l;

	xtr_line_id(&l, f, "%s", xtr_json_str(v, "name"));
	xtr_line_word(&l, xtr_json_str(v, "type"));
	xtr_line_json(&l, "entries", json_object_get(v, "entries"));
	xtr_line_json(&l, "max_entries", json_object_get(v, "max_entries"));
	if (strcmp(state, "fixed"))
		xtr_line_pair(&l, "used", "%.4g%%", json_number_value(json_object_get(v, "percent")));
	if (!strcmp(state, "high") || !strcmp(state, "full"))
		xtr_line_word(&l, !strcmp(state, "full") ? "FULL" : "HIGH");
	xtr_line_more(&l);
	if (xtr_json_has(v, "bytes")) {
		xtr_line_pair(&l, "memory", "%s", octets(xtr_json_int(v, "bytes"), a));
		if (strcmp(state, "fixed"))
			xtr_line_pair(&l, "of at most", "%s", octets(xtr_json_int(v, "bytes_full"), b));
		xtr_line_pair(&l, "per entry", "%s", octets(xtr_json_int(v, "bytes_entry"), a));
	}
	xtr_line_json(&l, "key", json_object_get(v, "key"));
	xtr_line_end(&l);
}

/* Those of fixed size can not fill up: for those who ask for all. */
static void plain(FILE *f, const json_t *v, bool all)
{
	json_int_t total = 0, most = 0;
	const json_t *row;
	char a[32], b[32];
	size_t i;

	json_array_foreach(v, i, row) {
		total += xtr_json_int(row, "bytes");
		most += xtr_json_int(row, "bytes_full");
		if (all || strcmp(xtr_json_str(row, "pressure"), "fixed"))
			row_plain(f, row);
	}
	fprintf(f, "all maps: memory %s  of at most %s\n", octets(total, a), octets(most, b));
}

static void all_plain(FILE *f, const json_t *v)
{
	plain(f, v, true);
}

static void some_plain(FILE *f, const json_t *v)
{
	plain(f, v, false);
}

int xtr_stats_maps(struct xtr_cli *c, struct xtr_words *w)
{
	bool all = xtr_words_is(w, "all");
	struct maps m = { .rows = NULL };
	struct xtr_dp_view *v = NULL;
	json_t *daemon = NULL;
	bool more;
	int rc;

	if (xtr_words_end(c, w))
		return -1;
	rc = xtr_cli_soon(c, "stats", "maps", NULL, &daemon, &more);
	if (rc < 0)
		return -1;
	if (c->hangs)
		xtr_cli_note(c, "xtrd does not answer: showing the kernel's state");
	m.daemon = daemon;
	m.rows = json_array();
	/* A daemon without a data plane has tables all the same. */
	rc = xtr_dp_view_open(c->bpffs, &v, NULL);
	if (!rc) {
		rc = xtr_dp_view_usage(v, count, add_map, &m);
		xtr_dp_view_close(v);
		if (rc)
			xtr_cli_error(c, "reading the pinned maps: %s", strerror(rc < 0 ? -rc : rc));
	} else if (!daemon) {
		rc = xtr_cli_view(c, &v); /* says why not */
	} else {
		rc = 0;
	}
	if (!rc)
		add_tables(&m);
	json_decref(daemon);
	if (!rc)
		return xtr_cli_emit(c, m.rows, all ? all_plain : some_plain);
	json_decref(m.rows);
	return -1;
}

void xtr_stats_pressure(struct xtr_cli *c)
{
	json_t *daemon = NULL, *row;
	struct xtr_err err;
	size_t i;

	if (!c->json && !c->hangs)
		xtr_ctl_call(c->socket, "stats", "maps", NULL, XTR_CLI_SOON_MS, &daemon, &err);
	json_array_foreach(json_object_get(daemon, "maps"), i, row) {
		uint64_t n = (uint64_t)xtr_json_int(row, "entries"), max = (uint64_t)xtr_json_int(row, "max");

		if (percent(n, max) >= HIGH)
			xtr_cli_note(c, "%s is full to %.4g%% (%s): see 'xtrctl stats maps'", xtr_json_str(row, "name"),
				     percent(n, max), xtr_json_str(row, "key"));
	}
	json_decref(daemon);
}
