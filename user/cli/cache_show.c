// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl cache show: the daemon's entries joined with the kernel's, in one order. There may be a million of them, so
 * the daemon is asked for a page at a time, the kernel's are held in short form, and rows are printed as they come: neither
 * does the daemon's loop wait, nor is the whole list ever in memory as JSON. A row that only one side has (just added,
 * just gone, or there is no daemon) is shown as it is.
 */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 500 /* rows: a few milliseconds of the daemon */

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
	if (xtr_json_has(v, "share") && strcmp(xtr_json_str(v, "template"), "down"))
		xtr_line_pair(l, "share", "%.4g%%", xtr_json_int(v, "share") * 100.0 / XTR_BUCKETS);
	if (!strcmp(xtr_json_str(v, "template"), "down"))
		xtr_line_no_way(l, v);
	else if (!xtr_json_true(v, "usable"))
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

/* --- the kernel's rows */

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
	struct xtr_dp_view *v;           /* NULL: there is nothing to be seen */
	struct xtr_dp_view_list *list;
	size_t at;                       /* the next one */
	json_t *fresh;                   /* "locator ifindex" -> is its template fresh? */
	json_t *sets;                    /* locator-set -> its locators: many entries have the same */
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

static bool wanted(void *arg, uint32_t iid, const struct xtr_ippfx *eid)
{
	const struct xtr_cli_eid *want = arg;

	if ((want->given || want->iid_given) && iid != want->iid)
		return false;
	return !want->given || xtr_ippfx_contains(eid, &want->pfx) || xtr_ippfx_contains(&want->pfx, eid);
}

/* Borrowed. */
static json_t *kernel_locators(const struct kernel *k, struct xtr_dp_cache_row *r)
{
	char set[16], key[128], ip[XTR_IP_STRLEN];
	json_t *locs;

	snprintf(set, sizeof(set), "%u", r->e.action == XTR_ACT_ENCAP ? r->e.rset : 0);
	locs = json_object_get(k->sets, set);
	if (locs)
		return locs;
	xtr_dp_view_list_set(k->v, r);
	locs = json_array();
	for (unsigned j = 0; j < r->n && j < XTR_MAX_LOCATORS; j++) {
		struct xtr_ip dst = { .family = r->rloc[j].family };

		memcpy(dst.a, r->rloc[j].dst.w, sizeof(dst.a));
		snprintf(key, sizeof(key), "%s %u", xtr_ip_str(&dst, ip), r->rloc[j].ifindex);
		json_array_append_new(locs, kernel_locator(r, j, json_is_true(json_object_get(k->fresh, key))));
	}
	json_object_set_new(k->sets, set, locs);
	return locs;
}

static json_t *kernel_row(const struct kernel *k, size_t i)
{
	struct xtr_dp_cache_row r;
	char eid[XTR_IPPFX_STRLEN];
	json_t *locs;

	xtr_dp_view_list_row(k->v, k->list, i, &r);
	locs = json_deep_copy(kernel_locators(k, &r));
	return json_pack("{s:I, s:s, s:s, s:s, s:n, s:I, s:n, s:n, s:o, s:n, s:o, s:b}", "iid", (json_int_t)r.iid,
			 "eid", xtr_ippfx_str(&r.eid, eid), "action", xtr_action_name(r.e.action), "source", "kernel",
			 "authoritative", "map_version", (json_int_t)r.e.map_version, "age", "ttl_left",
			 "idle", r.idle_ms == UINT64_MAX ? json_null() : json_real((double)r.idle_ms / 1000.0),
			 "from", "locators", locs, "installed", 1);
}

/* quiet: a daemon answers, so it is no error that there is none. */
static int kernel_open(struct xtr_cli *c, struct kernel *k, bool quiet, bool list)
{
	int rc = quiet ? xtr_dp_view_open(c->bpffs, &k->v, NULL) : xtr_cli_view(c, &k->v);

	if (rc) {
		k->v = NULL;
		return rc;
	}
	k->fresh = json_object();
	k->sets = json_object();
	rc = xtr_dp_view_rloc(k->v, take_fresh, k);
	if (!rc && list)
		rc = xtr_dp_view_list(k->v, wanted, (void *)(uintptr_t)k->want, &k->list);
	if (rc && !quiet)
		xtr_cli_error(c, "reading the pinned map-cache: %s", strerror(rc < 0 ? -rc : rc));
	return rc;
}

static void kernel_close(struct kernel *k)
{
	xtr_dp_view_list_free(k->list);
	json_decref(k->fresh);
	json_decref(k->sets);
	if (k->v)
		xtr_dp_view_close(k->v);
	k->list = NULL;
	k->fresh = k->sets = NULL;
	k->v = NULL;
}

/* --- rows of both, as they come: what the EID asks for */

struct out {
	struct xtr_cli *c;
	const struct xtr_cli_eid *e;
	struct kernel k;
	bool begun, inside;
	json_t *best;                    /* what covers the EID, the longest so far */
	unsigned best_len;
};

static int put(struct out *o, json_t *row)
{
	if (!o->begun)
		xtr_cli_array_begin(o->c);
	o->begun = true;
	return xtr_cli_array_item(o->c, row, row_plain);
}

/* Of a prefix itself and what is inside; of an address, or when nothing is inside, the longest match. Steals row. */
static int pass(struct out *o, json_t *row)
{
	const struct xtr_cli_eid *e = o->e;
	struct xtr_eid_prefix p;

	if (!row)
		return xtr_cli_error(o->c, "out of memory");
	if (!e->given && (!e->iid_given || (uint32_t)xtr_json_int(row, "iid") == e->iid))
		return put(o, row);
	if (e->given && (uint32_t)xtr_json_int(row, "iid") == e->iid && !xtr_eid_parse(xtr_json_str(row, "eid"), &p)) {
		if (!e->host && xtr_eid_covers(&e->eid, &p)) {
			o->inside = true;
			return put(o, row);
		}
		if (xtr_eid_covers(&p, &e->eid) && (!o->best || (unsigned)p.len + p.group_len >= o->best_len)) {
			json_decref(o->best);
			o->best = json_incref(row);
			o->best_len = (unsigned)p.len + p.group_len;
		}
	}
	json_decref(row);
	return 0;
}

/* -1, 0, 1: the kernel's next row comes before this one, is the same, comes after it or there is none. */
static int compare(const struct kernel *k, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_ippfx other;
	uint32_t other_iid;
	int d;

	if (!k->list || !xtr_dp_view_list_at(k->list, k->at, &other_iid, &other))
		return 1;
	if (other_iid != iid)
		return other_iid < iid ? -1 : 1;
	if (!eid) /* no IP prefix: they come after those */
		return -1;
	d = xtr_ip_cmp(&other.ip, &eid->ip);
	if (!d)
		d = (int)other.len - (int)eid->len;
	return d < 0 ? -1 : d > 0;
}

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

/* A row of the daemon, with what the kernel knows of it, after those that only the kernel has. Borrows row. */
static int take(struct out *o, json_t *row)
{
	struct xtr_ippfx eid;
	bool is_ip = !xtr_ippfx_parse(xtr_json_str(row, "eid"), &eid);
	uint32_t iid = (uint32_t)xtr_json_int(row, "iid");
	struct xtr_dp_cache_row r;
	int d, rc;

	while ((d = compare(&o->k, iid, is_ip ? &eid : NULL)) < 0) {
		rc = pass(o, kernel_row(&o->k, o->k.at++));
		if (rc)
			return rc;
	}
	if (o->k.v)
		json_object_set_new(row, "installed", json_boolean(!d));
	if (!d) {
		xtr_dp_view_list_row(o->k.v, o->k.list, o->k.at++, &r);
		merge_locators(json_object_get(row, "locators"), kernel_locators(&o->k, &r));
	}
	return pass(o, json_incref(row));
}

/* What is left: only the kernel has it. */
static int take_rest(struct out *o)
{
	uint32_t iid;
	struct xtr_ippfx eid;
	int rc = 0;

	while (!rc && o->k.list && xtr_dp_view_list_at(o->k.list, o->k.at, &iid, &eid))
		rc = pass(o, kernel_row(&o->k, o->k.at++));
	if (!rc && o->best && !o->inside)
		rc = put(o, json_incref(o->best));
	return rc;
}

/* --- pages */

/* 0; 1: there is no daemon; -1 with the error printed. *last: where the page ended, NULL: it was the last. */
static int page(struct out *o, json_t **rows, json_t **last)
{
	json_t *args = xtr_cli_eid_args(o->e), *row;
	bool more = false;
	int rc;

	json_object_set_new(args, "limit", json_integer(PAGE));
	if (*last)
		json_object_set(args, "after", *last);
	rc = xtr_cli_soon(o->c, "cache", "show", args, rows, &more);
	if (rc)
		return rc;
	row = json_array_get(*rows, json_array_size(*rows) - 1);
	row = more && row ? json_pack("{s:O, s:O}", "iid", json_object_get(row, "iid"), "eid", json_object_get(row, "eid")) :
			    NULL;
	if (row && *last && json_equal(row, *last)) { /* an xtrd that knows no pages */
		json_decref(row);
		json_decref(*rows);
		*rows = json_array();
		row = NULL;
		xtr_cli_note(o->c, "xtrd knows more than it sends at once: name an EID to see what is missing here");
	}
	json_decref(*last);
	*last = row;
	return 0;
}

/* Of an address the daemon knows the one entry: of the kernel's million only that is looked at. False: they have to be read. */
static bool show_host(struct out *o, const json_t *rows)
{
	struct xtr_dp_cache_row r;
	struct xtr_ippfx eid;
	json_t *row;
	size_t i;
	int there;

	json_array_foreach(rows, i, row)
		pass(o, json_incref(row));
	eid = o->e->pfx;
	if (o->best && xtr_ippfx_parse(xtr_json_str(o->best, "eid"), &eid))
		return false;
	there = xtr_dp_view_entry(o->k.v, o->e->iid, &eid, &r);
	if (there < 0 || (!o->best && there)) {
		json_decref(o->best);
		o->best = NULL;
		o->best_len = 0;
		return false;
	}
	if (!o->best)
		return true;
	json_object_set_new(o->best, "installed", json_boolean(there));
	if (there)
		merge_locators(json_object_get(o->best, "locators"), kernel_locators(&o->k, &r));
	return true;
}

static int show(struct out *o)
{
	json_t *rows = NULL, *last = NULL, *row;
	int rc = page(o, &rows, &last), failed = 0;
	size_t i;

	if (rc < 0)
		return rc;
	if (!rc && !last && o->e->host && !kernel_open(o->c, &o->k, true, false) && show_host(o, rows)) {
		json_decref(rows);
		return take_rest(o);
	}
	kernel_close(&o->k);
	if (kernel_open(o->c, &o->k, rc == 0, true) && rc == 1)
		return -1;
	while (!rc && !failed) {
		json_array_foreach(rows, i, row)
			if (!failed)
				failed = take(o, row);
		json_decref(rows);
		rows = NULL;
		if (!last)
			break;
		rc = page(o, &rows, &last);
		if (rc == 1)
			xtr_cli_error(o->c, "xtrd has gone; the list is not complete");
		failed = failed ? failed : rc;
	}
	json_decref(rows);
	json_decref(last);
	return failed ? -1 : take_rest(o);
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

int xtr_cache_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_cli_eid e;
	struct out o = { .c = c, .e = &e, .k.want = &e };
	int rc;

	if (xtr_cli_eid_take(c, w, &e) || xtr_words_end(c, w))
		return -1;
	rc = show(&o);
	if (!rc && !o.begun && !e.given) {
		xtr_cli_note(c, "the map-cache is empty");
		xtr_cli_array_begin(c);
		o.begun = true;
	}
	if (o.begun)
		xtr_cli_array_end(c);
	json_decref(o.best);
	kernel_close(&o.k);
	return !rc && !o.begun ? nothing_found(c, &e) : rc;
}
