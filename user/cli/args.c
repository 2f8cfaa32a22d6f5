// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The words of a command line, EID arguments, and the two sources of what xtrctl shows: the daemon by its control
 * socket, and the pins when no daemon runs.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

const char *xtr_words_peek(const struct xtr_words *w)
{
	return w->n > 0 ? w->v[0] : NULL;
}

const char *xtr_words_take(struct xtr_words *w)
{
	if (w->n <= 0)
		return NULL;
	w->n--;
	return *w->v++;
}

bool xtr_words_is(struct xtr_words *w, const char *keyword)
{
	const char *word = xtr_words_peek(w);

	if (!word || !*word || strncmp(word, keyword, strlen(word)))
		return false;
	xtr_words_take(w);
	return true;
}

int xtr_words_end(struct xtr_cli *c, const struct xtr_words *w)
{
	if (w->n > 0)
		return xtr_cli_error(c, "unknown word '%s'", w->v[0]);
	return 0;
}

const char *xtr_words_value(struct xtr_cli *c, struct xtr_words *w, const char *keyword)
{
	const char *v = xtr_words_take(w);

	if (!v)
		xtr_cli_error(c, "'%s' wants a value", keyword);
	return v;
}

int xtr_words_number(struct xtr_cli *c, struct xtr_words *w, const char *keyword, uint32_t max, uint32_t *out)
{
	const char *s = xtr_words_value(c, w, keyword);
	unsigned long long n;
	char *end;

	if (!s)
		return -1;
	errno = 0;
	n = strtoull(s, &end, 0);
	if (*s < '0' || *s > '9' || *end || errno || n > max)
		return xtr_cli_error(c, "%s: '%s' is not a number from 0 to %u", keyword, s, max);
	*out = (uint32_t)n;
	return 0;
}

/* --- EIDs */

int xtr_cli_eid_parse(struct xtr_cli *c, const char *word, struct xtr_cli_eid *out)
{
	struct xtr_eid_prefix e;
	bool iid_given = word[0] == '[';

	if (xtr_eid_parse(word, &e))
		return xtr_cli_error(c, "'%s' is no EID: write 10.2.0.1, 10.2.0.0/24, fd02::/64, 0a0b-0c0d-0e0f, 'name', "
				     "(S,G), (*,G), or [5]10.2.0.0/24 for instance 5", word);
	if (iid_given) {
		out->iid = e.iid;
		out->iid_given = true;
	}
	e.iid = 0;
	out->eid = e;
	out->host = xtr_eid_to_ippfx(&e, &out->pfx) && !strchr(word, '/');
	out->given = true;
	return 0;
}

int xtr_cli_eid_take(struct xtr_cli *c, struct xtr_words *w, struct xtr_cli_eid *out)
{
	memset(out, 0, sizeof(*out));
	while (xtr_words_peek(w)) {
		if (!out->iid_given && xtr_words_is(w, "instance")) {
			if (xtr_words_number(c, w, "instance", XTR_IID_MAX, &out->iid))
				return -1;
			out->iid_given = true;
		} else if (!out->given) {
			if (xtr_cli_eid_parse(c, xtr_words_take(w), out))
				return -1;
		} else {
			break;
		}
	}
	return 0;
}

const char *xtr_cli_eid_name(uint32_t iid, const char *eid, char *buf, size_t size)
{
	if (iid)
		snprintf(buf, size, "[%u]%s", iid, eid);
	else
		snprintf(buf, size, "%s", eid);
	return buf;
}

const char *xtr_cli_row_name(const json_t *row, char *buf, size_t size)
{
	return xtr_cli_eid_name((uint32_t)xtr_json_int(row, "iid"), xtr_json_str(row, "eid"), buf, size);
}

const char *xtr_cli_eid_text(const struct xtr_cli_eid *e, char buf[XTR_EID_STRLEN])
{
	if (e->host)
		return xtr_ip_str(&e->pfx.ip, buf);
	return strchr(xtr_eid_str(&e->eid, buf), ']') + 1;
}

json_t *xtr_cli_eid_args(const struct xtr_cli_eid *e)
{
	json_t *args = json_object();
	char buf[XTR_EID_STRLEN];

	if (e->given)
		json_object_set_new(args, "eid", json_string(xtr_cli_eid_text(e, buf)));
	if (e->given || e->iid_given)
		json_object_set_new(args, "iid", json_integer(e->iid));
	return args;
}

/* The EID of a row that is in e's instance. */
static bool row_eid(const json_t *row, const struct xtr_cli_eid *e, struct xtr_eid_prefix *p)
{
	return (uint32_t)xtr_json_int(row, "iid") == e->iid && !xtr_eid_parse(xtr_json_str(row, "eid"), p);
}

static int bits_of(const struct xtr_eid_prefix *p)
{
	return p->len + p->group_len;
}

void xtr_cli_eid_filter(json_t *rows, const struct xtr_cli_eid *e)
{
	bool inside = false;
	struct xtr_eid_prefix p;
	int best = -1;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (!e->given || !row_eid(row, e, &p))
			continue;
		if (!e->host && xtr_eid_covers(&e->eid, &p))
			inside = true;
		if (xtr_eid_covers(&p, &e->eid) && bits_of(&p) > best)
			best = bits_of(&p);
	}
	for (i = json_array_size(rows); i-- > 0;) {
		bool keep = true;

		row = json_array_get(rows, i);
		if (e->given)
			keep = row_eid(row, e, &p) && (inside ? xtr_eid_covers(&e->eid, &p) :
						       bits_of(&p) == best && xtr_eid_covers(&p, &e->eid));
		else if (e->iid_given)
			keep = (uint32_t)xtr_json_int(row, "iid") == e->iid;
		if (!keep)
			json_array_remove(rows, i);
	}
}

static int cmp_rows(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	struct xtr_ippfx p = { 0 }, q = { 0 };
	int r = strcmp(xtr_json_str(x, "site"), xtr_json_str(y, "site"));
	json_int_t d = xtr_json_int(x, "iid") - xtr_json_int(y, "iid");

	if (r || d)
		return r ? r : d < 0 ? -1 : 1;
	if (xtr_ippfx_parse(xtr_json_str(x, "eid"), &p) || xtr_ippfx_parse(xtr_json_str(y, "eid"), &q))
		r = strcmp(xtr_json_str(x, "eid"), xtr_json_str(y, "eid"));
	else
		r = xtr_ip_cmp(&p.ip, &q.ip);
	if (!r)
		r = (int)p.len - (int)q.len;
	return r ? r : strcmp(xtr_json_str(x, "map_server"), xtr_json_str(y, "map_server"));
}

static int cmp_ids(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	json_int_t d = xtr_json_int(x, "id") - xtr_json_int(y, "id");

	if (!d)
		d = xtr_json_int(x, "ifindex") - xtr_json_int(y, "ifindex");
	return d < 0 ? -1 : d > 0;
}

static json_t *sorted(json_t *rows, int (*cmp)(const void *, const void *))
{
	size_t n = json_array_size(rows);
	json_t **v = n ? calloc(n, sizeof(*v)) : NULL;
	json_t *out;

	if (!v)
		return rows;
	out = json_array();
	for (size_t i = 0; i < n; i++)
		v[i] = json_array_get(rows, i);
	qsort(v, n, sizeof(*v), cmp);
	for (size_t i = 0; i < n; i++)
		json_array_append(out, v[i]);
	free(v);
	json_decref(rows);
	return out;
}

json_t *xtr_cli_sort_eids(json_t *rows)
{
	return sorted(rows, cmp_rows);
}

json_t *xtr_cli_sort_ids(json_t *rows)
{
	return sorted(rows, cmp_ids);
}

/* --- sources */

int xtr_cli_refused(struct xtr_cli *c, json_t **result, const struct xtr_err *err)
{
	const char *whole = json_string_value(*result);

	xtr_cli_error(c, "%s", whole ? whole : err->text);
	json_decref(*result);
	*result = NULL;
	return -1;
}

int xtr_cli_try(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result)
{
	bool more = false;
	int rc = xtr_cli_part(c, object, command, args, result, &more);

	if (more)
		xtr_cli_note(c, "xtrd knows more than it sends at once: name an EID to see what is missing here");
	return rc;
}

static int ask(struct xtr_cli *c, const char *object, const char *command, json_t *args, int timeout_ms, json_t **result, bool *more)
{
	struct xtr_err err = { "" };
	int rc = xtr_ctl_call(c->socket, object, command, args, timeout_ms, result, &err);

	*more = rc == 1;
	c->hangs = rc == -ETIMEDOUT;
	if (rc == -ENOENT || rc == -ECONNREFUSED || (rc == -ETIMEDOUT && timeout_ms == XTR_CLI_SOON_MS))
		return 1;
	return rc < 0 ? xtr_cli_refused(c, result, &err) : 0;
}

int xtr_cli_part(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result,
		 bool *more)
{
	return ask(c, object, command, args, XTR_CLI_TIMEOUT_MS, result, more);
}

int xtr_cli_soon(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result,
		 bool *more)
{
	return ask(c, object, command, args, XTR_CLI_SOON_MS, result, more);
}

int xtr_cli_no_daemon(struct xtr_cli *c)
{
	return xtr_cli_error(c, "xtrd is not running (nobody answers at %s): only it knows this; "
			     "start it, or name another socket with -s PATH", c->socket);
}

int xtr_cli_call(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result)
{
	int rc = xtr_cli_try(c, object, command, args, result);

	return rc == 1 ? xtr_cli_no_daemon(c) : rc;
}

bool xtr_cli_daemon_up(struct xtr_cli *c)
{
	json_t *r = NULL;
	int rc = c->hangs ? -ETIMEDOUT : xtr_ctl_call(c->socket, "version", "show", NULL, XTR_CLI_SOON_MS, &r, NULL);

	json_decref(r);
	c->hangs = rc == -ETIMEDOUT;
	return rc != -ENOENT && rc != -ECONNREFUSED && rc != -ETIMEDOUT;
}

int xtr_cli_view(struct xtr_cli *c, struct xtr_dp_view **v)
{
	struct xtr_err err = { "" };
	int rc = xtr_dp_view_open(c->bpffs, v, &err);

	if (rc)
		return xtr_cli_error(c, "%s", err.text[0] ? err.text : strerror(-rc));
	if (!c->json && !xtr_cli_daemon_up(c))
		xtr_cli_note(c, "%s: showing the kernel's state", c->hangs ? "xtrd does not answer" : "daemon not running");
	return 0;
}
