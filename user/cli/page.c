// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A list of the daemon that may be long: asked for a page at a time and printed row by row as it comes, so that neither the
 * daemon's loop waits for it, nor is the whole of it ever in memory. One page is sorted; more of them are in the daemon's order.
 */
#include "cli/cli.h"

#include <string.h>

#define PAGE 500 /* rows: a few milliseconds of the daemon */

struct pages {
	struct xtr_cli *c;
	const struct xtr_cli_list *l;
	json_int_t got;          /* rows of the daemon so far */
	bool begun, inside;
	json_t *best;            /* rows of what covers the EID, the longest so far */
	int best_bits;
};

static int put(struct pages *p, json_t *row)
{
	if (!p->begun)
		xtr_cli_array_begin(p->c);
	p->begun = true;
	return xtr_cli_array_item(p->c, json_incref(row), p->l->plain);
}

/* As xtr_cli_eid_filter(), of rows that come one by one. */
static int pass(struct pages *p, json_t *row)
{
	const struct xtr_cli_eid *e = p->l->e;
	struct xtr_eid_prefix eid;
	int bits;

	if (!e->given)
		return e->iid_given && (uint32_t)xtr_json_int(row, "iid") != e->iid ? 0 : put(p, row);
	if ((uint32_t)xtr_json_int(row, "iid") != e->iid || xtr_eid_parse(xtr_json_str(row, "eid"), &eid))
		return 0;
	if (!e->host && xtr_eid_covers(&e->eid, &eid)) {
		p->inside = true;
		return put(p, row);
	}
	bits = eid.len + eid.group_len;
	if (!xtr_eid_covers(&eid, &e->eid) || bits < p->best_bits)
		return 0;
	if (bits > p->best_bits)
		json_array_clear(p->best);
	p->best_bits = bits;
	return json_array_append(p->best, row);
}

/* One page. 0; -1 with the error printed. *more, if there is another one. */
static int page(struct pages *p, json_t **rows, json_t **last, bool *more)
{
	json_t *args = xtr_cli_eid_args(p->l->e), *row;
	int rc;

	json_object_set_new(args, "limit", json_integer(PAGE));
	if (p->l->name)
		json_object_set_new(args, "name", json_string(p->l->name));
	if (p->got && p->l->by_count)
		json_object_set_new(args, "skip", json_integer(p->got));
	else if (p->got)
		json_object_set_new(args, "after", json_pack("{s:O, s:O}", "iid", json_object_get(*last, "iid"),
							     "eid", json_object_get(*last, "eid")));
	rc = xtr_cli_part(p->c, p->l->object, "show", args, rows, more);
	if (rc == 1)
		return p->got ? xtr_cli_error(p->c, "xtrd has gone; the list is not complete") : xtr_cli_no_daemon(p->c);
	if (rc)
		return rc;
	row = json_array_get(*rows, json_array_size(*rows) - 1);
	*more = *more && row;
	if (*more && *last && json_equal(row, *last))
		return xtr_cli_error(p->c, "the list is not complete: xtrd is older than this xtrctl and knows no pages; name an EID "
				     "to see what is missing");
	p->got += (json_int_t)json_array_size(*rows);
	json_decref(*last);
	*last = json_incref(row);
	return 0;
}

static int take_all(struct pages *p)
{
	json_t *rows = NULL, *last = NULL, *row;
	bool more = true;
	int rc = 0;
	size_t i;

	while (!rc && more) {
		bool first = !last;

		rc = page(p, &rows, &last, &more);
		if (!rc && first && !more)
			rows = xtr_cli_sort_eids(rows);
		json_array_foreach(rows, i, row)
			if (!rc && (!p->l->take || p->l->take(p->l->arg, row)))
				rc = pass(p, row);
		json_decref(rows);
		rows = NULL;
	}
	json_array_foreach(p->best, i, row)
		if (!rc && !p->inside)
			rc = put(p, row);
	json_decref(last);
	return rc;
}

int xtr_cli_pages(struct xtr_cli *c, const struct xtr_cli_list *l)
{
	struct pages p = { .c = c, .l = l, .best = json_array(), .best_bits = -1 };
	int rc = take_all(&p);

	json_decref(p.best);
	if (p.begun)
		xtr_cli_array_end(c);
	return rc ? -1 : !p.begun;
}
