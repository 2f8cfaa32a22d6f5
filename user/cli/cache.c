// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl cache: the map-cache. The daemon knows where an entry came from and how long it lives; the pinned maps know
 * what the programs do with it. Both are shown together; without a daemon, what the kernel has.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* --- plain */

/* Why a locator carries nothing. best: the lowest priority in use, 256 if none is. */
static const char *not_used(const json_t *v, json_int_t best)
{
	if (xtr_json_int(v, "priority") == 255)
		return "not used: priority 255";
	if (json_is_false(json_object_get(v, "reachable")))
		return "not used: reported unreachable";
	if (xtr_json_int(v, "priority") > best)
		return "not used: a better priority is";
	return "not used: no way to it from here (address family, or our own locator is down)";
}

static json_int_t best_priority(const json_t *locs)
{
	json_int_t best = 256;
	const json_t *v;
	size_t i;

	json_array_foreach(locs, i, v)
		if (xtr_json_true(v, "usable") && xtr_json_has(v, "priority") && xtr_json_int(v, "priority") < best)
			best = xtr_json_int(v, "priority");
	return best;
}

static void locator_plain(struct xtr_line *l, const json_t *v, json_int_t best)
{
	xtr_line_more(l);
	xtr_line_pair(l, "locator", "%s", xtr_json_has(v, "address") ? xtr_json_str(v, "address") : "(no IP address)");
	xtr_line_json(l, "priority", json_object_get(v, "priority"));
	xtr_line_json(l, "weight", json_object_get(v, "weight"));
	if (xtr_json_has(v, "share"))
		xtr_line_pair(l, "share", "%.4g%%", xtr_json_int(v, "share") * 100.0 / XTR_BUCKETS);
	if (!xtr_json_true(v, "usable"))
		xtr_line_word(l, not_used(v, best));
	if (!xtr_json_has(v, "template"))
		return;
	xtr_line_json(l, "from", json_object_get(v, "source"));
	xtr_line_json(l, "dev", json_object_get(v, "dev"));
	xtr_line_json(l, "template", json_object_get(v, "template"));
	xtr_line_json(l, "packets", json_object_get(v, "packets"));
	xtr_line_json(l, "octets", json_object_get(v, "octets"));
}

static void row_plain(FILE *f, const json_t *v)
{
	const json_t *locs = json_object_get(v, "locators"), *loc;
	const json_t *ttl = json_object_get(v, "ttl_left");
	char name[128];
	struct xtr_line l;
	size_t i;

	xtr_line_id(&l, f, "%s", xtr_cli_row_name(v, name, sizeof(name)));
	xtr_line_json(&l, "action", json_object_get(v, "action"));
	xtr_line_json(&l, "source", json_object_get(v, "source"));
	xtr_line_age(&l, "age", json_object_get(v, "age"), "");
	if (json_is_number(ttl))
		xtr_line_age(&l, "expires in", ttl, "");
	else if (strcmp(xtr_json_str(v, "source"), "kernel"))
		xtr_line_word(&l, "does not expire");
	if (json_is_number(json_object_get(v, "idle")))
		xtr_line_age(&l, "last used", json_object_get(v, "idle"), " ago");
	if (json_is_false(json_object_get(v, "installed")))
		xtr_line_word(&l, "not in the kernel");
	if (xtr_json_has(v, "from") || xtr_json_int(v, "map_version") || xtr_json_true(v, "authoritative")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "from", json_object_get(v, "from"));
		if (xtr_json_true(v, "authoritative"))
			xtr_line_word(&l, "authoritative");
		if (xtr_json_int(v, "map_version"))
			xtr_line_json(&l, "map-version", json_object_get(v, "map_version"));
	}
	json_array_foreach(locs, i, loc)
		locator_plain(&l, loc, best_priority(locs));
	xtr_line_end(&l);
}

static void rows_plain(FILE *f, const json_t *v)
{
	const json_t *row;
	size_t i;

	json_array_foreach(v, i, row)
		row_plain(f, row);
}

/* --- the kernel's rows, by "iid eid" */

static json_t *kernel_locator(const struct xtr_dp_cache_row *r, unsigned i, bool fresh)
{
	const struct xtr_rloc *t = &r->rloc[i];
	bool up = t->flags & XTR_RLOC_F_UP;

	return json_pack("{s:o, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:i, s:o, s:o, s:s, s:I, s:I}",
			 "address", xtr_json_ip(&t->dst, t->family),
			 "priority", "weight", "mpriority", "mweight", "reachable", "local",
			 "usable", up, "share", (int)r->share[i],
			 "source", xtr_json_ip(&t->src, t->family), "dev", xtr_json_ifname(t->ifindex),
			 "template", !up ? "down" : fresh ? "fresh" : "stale",
			 "packets", (json_int_t)r->count[i].packets, "octets", (json_int_t)r->count[i].octets);
}

struct kernel {
	json_t *rows;   /* "iid eid" -> row */
	json_t *fresh;  /* locator id of a fresh template -> true */
	const struct xtr_cli_eid *want;
};

static int take_fresh(void *arg, const struct xtr_dp_rloc_row *row)
{
	struct kernel *k = arg;
	char key[128], ip[XTR_IP_STRLEN];
	struct xtr_ip dst = { .family = row->r.family };

	memcpy(dst.a, row->r.dst.w, sizeof(dst.a));
	snprintf(key, sizeof(key), "%s %u", xtr_ip_str(&dst, ip), row->r.ifindex);
	json_object_set_new(k->fresh, key, json_boolean(row->fresh));
	return 0;
}

static int take_row(void *arg, const struct xtr_dp_cache_row *r)
{
	struct kernel *k = arg;
	char eid[XTR_IPPFX_STRLEN], key[128], ip[XTR_IP_STRLEN];
	json_t *locs, *row;

	if ((k->want->given || k->want->iid_given) && r->iid != k->want->iid)
		return 0;
	if (k->want->given && !xtr_ippfx_contains(&r->eid, &k->want->pfx) &&
	    !xtr_ippfx_contains(&k->want->pfx, &r->eid))
		return 0;
	locs = json_array();
	for (unsigned i = 0; i < r->n && i < XTR_MAX_LOCATORS; i++) {
		struct xtr_ip dst = { .family = r->rloc[i].family };

		memcpy(dst.a, r->rloc[i].dst.w, sizeof(dst.a));
		snprintf(key, sizeof(key), "%s %u", xtr_ip_str(&dst, ip), r->rloc[i].ifindex);
		json_array_append_new(locs, kernel_locator(r, i, json_is_true(json_object_get(k->fresh, key))));
	}
	row = json_pack("{s:I, s:s, s:s, s:s, s:n, s:I, s:n, s:n, s:o, s:n, s:o, s:b}", "iid", (json_int_t)r->iid,
			"eid", xtr_ippfx_str(&r->eid, eid), "action", xtr_action_name(r->e.action), "source", "kernel",
			"authoritative", "map_version", (json_int_t)r->e.map_version, "age", "ttl_left",
			"idle", r->idle_ms == UINT64_MAX ? json_null() : json_real((double)r->idle_ms / 1000.0),
			"from", "locators", locs, "installed", 1);
	snprintf(key, sizeof(key), "%u %s", r->iid, eid);
	return row && !json_object_set_new(k->rows, key, row) ? 0 : -1;
}

/* The kernel's side, or NULL where there is none. quiet: a daemon answers, so it is no error that there is none. */
static json_t *kernel_rows(struct xtr_cli *c, const struct xtr_cli_eid *want, bool quiet)
{
	struct kernel k = { json_object(), json_object(), want };
	struct xtr_dp_view *v = NULL;
	int rc;

	rc = quiet ? xtr_dp_view_open(c->bpffs, &v, NULL) : xtr_cli_view(c, &v);
	if (!rc) {
		rc = xtr_dp_view_rloc(v, take_fresh, &k);
		if (!rc)
			rc = xtr_dp_view_cache(v, take_row, &k);
		if (rc && !quiet)
			xtr_cli_error(c, "reading the pinned map-cache: %s", strerror(rc < 0 ? -rc : rc));
		xtr_dp_view_close(v);
	}
	json_decref(k.fresh);
	if (!rc)
		return k.rows;
	json_decref(k.rows);
	return NULL;
}

/* --- the daemon's rows with what the kernel knows of them */

static void merge_locators(json_t *locs, const json_t *kernel)
{
	static const char *const keys[] = { "share", "source", "dev", "template", "packets", "octets" };
	json_t *loc, *k;
	size_t i, j;

	json_array_foreach(locs, i, loc) {
		json_array_foreach(kernel, j, k) {
			if (!json_equal(json_object_get(loc, "address"), json_object_get(k, "address")))
				continue;
			for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++)
				json_object_set(loc, keys[n], json_object_get(k, keys[n]));
			break;
		}
	}
}

/* Rows that only the kernel has (just added, or just gone from the daemon) are appended as they are. */
static void merge(json_t *rows, json_t *kernel)
{
	json_t *row, *k;
	char key[160];
	const char *name;
	void *tmp;
	size_t i;

	json_array_foreach(rows, i, row) {
		snprintf(key, sizeof(key), "%u %s", (unsigned)xtr_json_int(row, "iid"), xtr_json_str(row, "eid"));
		k = json_object_get(kernel, key);
		json_object_set_new(row, "installed", json_boolean(k != NULL));
		if (!k)
			continue;
		merge_locators(json_object_get(row, "locators"), json_object_get(k, "locators"));
		json_object_del(kernel, key);
	}
	json_object_foreach_safe(kernel, tmp, name, k)
		json_array_append(rows, k);
}

/* Is the EID one of our own? Then it is no business of the map-cache, which is worth saying. */
struct own { const struct xtr_cli_eid *e; char text[XTR_IPPFX_STRLEN]; };

static int find_own(void *arg, const struct xtr_dp_local_row *r)
{
	struct own *o = arg;

	if (r->iid == o->e->iid && (r->l.flags & XTR_LOCAL_F_EID) && xtr_ippfx_contains(&r->eid, &o->e->pfx))
		xtr_ippfx_str(&r->eid, o->text);
	return 0;
}

static int nothing_found(struct xtr_cli *c, const struct xtr_cli_eid *e)
{
	struct own own = { .e = e };
	struct xtr_dp_view *v = NULL;
	char eid[XTR_EID_STRLEN], name[XTR_EID_STRLEN];

	xtr_cli_eid_name(e->iid, xtr_cli_eid_text(e, eid), name, sizeof(name));
	if (!xtr_dp_view_open(c->bpffs, &v, NULL)) {
		xtr_dp_view_local(v, find_own, &own);
		xtr_dp_view_close(v);
	}
	if (own.text[0])
		return xtr_cli_error(c, "%s is inside our own EID-prefix %s: it is delivered here, not "
				     "looked up in the map-cache", name, own.text);
	if (e->host)
		return xtr_cli_error(c, "no map-cache entry covers %s: the next packet to it makes xtrd ask the "
				     "mapping system (try it: xtrctl lig %s)", name, name);
	return xtr_cli_error(c, "no map-cache entry inside %s", name);
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	json_t *rows = NULL, *kernel, *k;
	struct xtr_cli_eid e;
	const char *key;
	int rc;

	if (xtr_cli_eid_take(c, w, &e) || xtr_words_end(c, w))
		return -1;
	rc = xtr_cli_try(c, "cache", "show", xtr_cli_eid_args(&e), &rows);
	if (rc < 0)
		return -1;
	kernel = kernel_rows(c, &e, rc == 0);
	if (rc == 1) {
		if (!kernel)
			return -1;
		rows = json_array();
		json_object_foreach(kernel, key, k)
			json_array_append(rows, k);
	} else if (kernel) {
		merge(rows, kernel);
	}
	json_decref(kernel);
	xtr_cli_eid_filter(rows, &e);
	if (e.given && !json_array_size(rows)) {
		json_decref(rows);
		return nothing_found(c, &e);
	}
	if (!json_array_size(rows))
		xtr_cli_note(c, "the map-cache is empty");
	return xtr_cli_emit(c, xtr_cli_sort_eids(rows), rows_plain);
}

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

static int do_add(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_cli_eid e;
	json_t *args;
	const char *s = xtr_words_value(c, w, "add");

	memset(&e, 0, sizeof(e));
	if (!s || xtr_cli_eid_parse(c, s, &e))
		return -1;
	if (!e.pfx.ip.family)
		return xtr_cli_error(c, "'%s' is no IPv4 or IPv6 EID-prefix: the data plane forwards no others", s);
	e.host = false; /* an entry is a prefix: of an address, its host prefix */
	if (!e.iid_given && xtr_words_is(w, "instance") && xtr_words_number(c, w, "instance", XTR_IID_MAX, &e.iid))
		return -1;
	args = xtr_cli_eid_args(&e);
	if (take_entry(c, w, args)) {
		json_decref(args);
		return -1;
	}
	return change(c, "add", args);
}

static int do_delete(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_cli_eid e;

	if (xtr_cli_eid_take(c, w, &e) || xtr_words_end(c, w))
		return -1;
	if (!e.given)
		return xtr_cli_error(c, "delete which EID? All of them: xtrctl cache flush");
	e.host = false;
	return change(c, "delete", xtr_cli_eid_args(&e));
}

static int do_flush(struct xtr_cli *c, struct xtr_words *w)
{
	return xtr_words_end(c, w) ? -1 : change(c, "flush", NULL);
}

const struct xtr_cli_cmd xtr_cmd_cache[] = {
	{ "show", do_show, "[EID] [instance N]", "entries; of an address: the one it takes, and by which locators" },
	{ "pending", do_pending, "", "EIDs the mapping system is being asked for" },
	{ "add", do_add, "EID [instance N] { rloc ADDRESS [weight N] ... | action ACTION }", "a static entry" },
	{ "delete", do_delete, "EID [instance N]", "entries inside EID" },
	{ "flush", do_flush, "", "all entries" },
	{ NULL, NULL, NULL, NULL },
};
