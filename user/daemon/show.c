// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The objects of the control socket (ctl/ctl.h): a table of object, command and function; each
 * function takes the arguments and answers the request exactly once. Rows are bounded, because a
 * reply is built while the loop waits. Owns the lig requests that wait for the mapping system.
 */
#include "daemon/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"
#include "version.h"

#define ROWS_MAX 50000

struct xtr_lig_call {
	struct xtr_daemon *d;
	struct xtr_ctl_request *req;
	struct xtr_lig_call *next, *prev;
};

/* ---- values */

static json_t *hex(const uint8_t *p, size_t n)
{
	char buf[64];

	for (size_t i = 0; i < n; i++)
		snprintf(buf + 2 * i, 3, "%02x", p[i]);
	return json_string(buf);
}

/* {"iid":0,"eid":"10.2.0.0/24"} to be added to. */
static json_t *eid_row(const struct xtr_eid_prefix *e)
{
	char buf[XTR_EID_STRLEN], *text;
	json_t *o = json_object();

	xtr_eid_str(e, buf);
	text = strchr(buf, ']');
	json_object_set_new(o, "iid", json_integer(e->iid));
	json_object_set_new(o, "eid", text_or_null(text ? text + 1 : buf));
	return o;
}

static json_t *locators(const struct xtr_cache_locator *l, unsigned n)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < n; i++, l++)
		json_array_append_new(a,
				      json_pack("{s:o, s:i, s:i, s:i, s:i, s:b, s:b, s:b, s:b}",
						"address", address(&l->ip), "priority", l->priority,
						"weight", l->weight, "mpriority", l->mpriority,
						"mweight", l->mweight, "reachable", l->reachable,
						"local", l->local, "usable", l->usable, "gpe",
						l->gpe));
	return a;
}

static const char *algorithm_name(uint8_t id)
{
	switch (id) {
	case XTR_AUTH_SHA1:        return "hmac-sha-1-96";
	case XTR_AUTH_SHA256:      return "hmac-sha-256-128";
	case XTR_AUTH_SHA256_HKDF: return "hmac-sha-256-128-hkdf";
	default:                   return "none";
	}
}

/* ---- rows */

struct rows {
	struct xtr_daemon *d;
	json_t *list;
	bool cut;
	/* filters */
	bool has_eid, has_iid;
	struct xtr_eid_prefix eid;
	uint32_t iid;
	const char *name;
	size_t limit; /* of rows */
	uint64_t skip;
	struct xtr_eid_prefix last; /* of the rows that came */
};

/* {eid, iid}: eid with or without "[iid]"; a bare address is a host. 0, or -EINVAL with the request
 * answered. */
static int take_eid(struct xtr_ctl_request *req, json_t *args, struct xtr_eid_prefix *eid,
		    bool *has_eid, uint32_t *iid, bool *has_iid)
{
	json_t *e = json_object_get(args, "eid"), *i = json_object_get(args, "iid");
	const char *text = json_string_value(e);

	*has_eid = *has_iid = false;
	*iid = 0;
	if (i && !json_is_null(i)) {
		if (!json_is_integer(i) || json_integer_value(i) < 0 ||
		    json_integer_value(i) > XTR_IID_MAX) {
			xtr_ctl_error(req, "iid is not a number from 0 to %u", XTR_IID_MAX);
			return -EINVAL;
		}
		*iid = (uint32_t)json_integer_value(i);
		*has_iid = true;
	}
	if (!e || json_is_null(e))
		return 0;
	if (!text || xtr_eid_parse(text, eid)) {
		xtr_ctl_error(req, "eid %s is not an address or a prefix", text ? text : "");
		return -EINVAL;
	}
	if (*text != '[')
		eid->iid = *iid;
	else if (*has_iid && *iid != eid->iid) {
		xtr_ctl_error(req, "eid %s and iid %u are not of one instance", text, *iid);
		return -EINVAL;
	}
	*iid = eid->iid;
	*has_eid = true;
	return 0;
}

static int begin_rows(struct rows *r, struct xtr_daemon *d, struct xtr_ctl_request *req,
		      json_t *args)
{
	*r = (struct rows){ .d = d,
			    .name = json_string_value(json_object_get(args, "name")),
			    .limit = ROWS_MAX };
	if (take_eid(req, args, &r->eid, &r->has_eid, &r->iid, &r->has_iid))
		return -EINVAL;
	r->list = json_array();
	return 0;
}

/* An EID is looked for in its instance (0 if none is said): what covers it and what is inside it.
 */
static bool shown(const struct rows *r, const struct xtr_eid_prefix *e)
{
	if (r->has_eid)
		return xtr_eid_covers(e, &r->eid) || xtr_eid_covers(&r->eid, e);
	return !r->has_iid || r->iid == e->iid;
}

static int add_row(struct rows *r, json_t *row)
{
	if (json_array_size(r->list) >= r->limit) {
		json_decref(row);
		r->cut = true;
		return 1;
	}
	json_array_append_new(r->list, row);
	return 0;
}

static const char *const source_names[] = {
	[XTR_CACHE_REPLY] = "reply",
	[XTR_CACHE_ADOPTED] = "adopted",
	[XTR_CACHE_STATIC] = "static",
	[XTR_CACHE_LOCAL] = "local",
};

static int cache_row(void *arg, const struct xtr_cache_info *c)
{
	struct rows *r = arg;
	struct xtr_ippfx p;
	uint64_t idle = UINT64_MAX;
	json_t *o;

	if (!shown(r, &c->eid))
		return 0;
	if (r->d->dp && xtr_eid_to_ippfx(&c->eid, &p))
		idle = xtr_dp_cache_idle(r->d->dp, c->eid.iid, &p, xtr_daemon_now());
	o = eid_row(&c->eid);
	json_object_set_new(o, "action",
			    json_string(
				    xtr_action_name(c->locator_count ? XTR_ACT_ENCAP : c->act)));
	json_object_set_new(o, "source", json_string(source_names[c->source]));
	json_object_set_new(o, "authoritative", json_boolean(c->authoritative));
	json_object_set_new(o, "map_version", json_integer(c->map_version));
	json_object_set_new(o, "age", seconds(c->age_ms));
	json_object_set_new(o, "ttl_left", seconds(c->ttl_left_ms));
	json_object_set_new(o, "idle", seconds(idle));
	json_object_set_new(o, "from", address(&c->from));
	json_object_set_new(o, "locators", locators(c->locators, c->locator_count));
	return add_row(r, o);
}

/* {limit, after: {iid, eid}}: a part of a long answer, which goes on behind that entry. */
static int take_part(struct xtr_ctl_request *req, json_t *args, struct rows *r,
		     struct xtr_eid_prefix *after, bool *has_after)
{
	json_t *limit = json_object_get(args, "limit"), *at = json_object_get(args, "after");
	bool has_iid;
	uint32_t iid;

	*has_after = false;
	if (json_integer_value(limit) > 0 && json_integer_value(limit) < ROWS_MAX)
		r->limit = (size_t)json_integer_value(limit);
	if (!at || json_is_null(at))
		return 0;
	if (take_eid(req, at, after, has_after, &iid, &has_iid))
		return -EINVAL;
	if (!*has_after) {
		xtr_ctl_error(req, "after has no eid");
		return -EINVAL;
	}
	return 0;
}

static struct xtr_cache_part part_of(const struct rows *r, const struct xtr_eid_prefix *after)
{
	return (struct xtr_cache_part){ .eid = r->has_eid ? &r->eid : NULL, .iid = r->has_iid ? &r->iid : NULL, .after = after };
}

static void cache_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	struct xtr_eid_prefix after;
	struct xtr_cache_part part;
	bool has_after;
	struct rows r;

	if (begin_rows(&r, d, req, args))
		return;
	if (take_part(req, args, &r, &after, &has_after)) {
		json_decref(r.list);
		return;
	}
	part = part_of(&r, has_after ? &after : NULL);
	xtr_node_walk_cache(d->node, &part, xtr_daemon_now(), cache_row, &r);
	xtr_ctl_reply_cut(req, r.list, r.cut);
}

static int pending_row(void *arg, const struct xtr_pending_info *p)
{
	struct rows *r = arg;
	json_t *o;

	if (!shown(r, &p->eid))
		return 0;
	o = eid_row(&p->eid);
	json_object_set_new(o, "tries", json_integer(p->tries));
	json_object_set_new(o, "age", seconds(p->age_ms));
	json_object_set_new(o, "next", seconds(p->next_ms));
	json_object_set_new(o, "resolver", address(&p->resolver));
	return add_row(r, o);
}

static void cache_pending(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	struct rows r;

	if (begin_rows(&r, d, req, args))
		return;
	xtr_node_walk_pending(d->node, xtr_daemon_now(), pending_row, &r);
	xtr_ctl_reply_cut(req, r.list, r.cut);
}

/* The rlocs of cache add. Text of what is wrong, or NULL. */
static const char *take_rlocs(json_t *rlocs, struct xtr_fwd *fwd)
{
	json_t *one, *weight;
	size_t i;

	if (!json_array_size(rlocs) || json_array_size(rlocs) > XTR_MAX_LOCATORS)
		return "rlocs is not a list of 1 to 8 locators";
	json_array_foreach(rlocs, i, one) {
		const char *text = json_string_value(json_object_get(one, "address"));

		weight = json_object_get(one, "weight");
		if (!text || xtr_ip_parse(text, &fwd->locators[i].ip))
			return "a locator has no address that is one";
		if (xtr_ip_is_multicast(&fwd->locators[i].ip) ||
		    xtr_ip_is_unspecified(&fwd->locators[i].ip) ||
		    xtr_ip_is_linklocal(&fwd->locators[i].ip))
			return "a locator is not a unicast address";
		if (weight && (!json_is_integer(weight) || json_integer_value(weight) < 0 ||
			       json_integer_value(weight) > 255))
			return "a weight is not a number from 0 to 255";
		fwd->locators[i].weight = weight ? (uint8_t)json_integer_value(weight) : 100;
	}
	fwd->n = (uint8_t)json_array_size(rlocs);
	fwd->action = XTR_ACT_ENCAP;
	return NULL;
}

static const char *not_added(int rc)
{
	return rc == -ENOSPC ? "the map-cache is full; raise limits.cache-entries" :
	       rc == -E2BIG  ? "the kernel has no place for it; raise data-plane.cache-entries or rloc-entries (xtrctl stats maps)" :
			       strerror(-rc);
}

/* {action | rlocs} of an entry. */
static const char *take_fwd(json_t *args, struct xtr_fwd *fwd)
{
	const char *action = json_string_value(json_object_get(args, "action"));
	unsigned a = XTR_ACT_NO_ACTION;

	if (!action)
		return take_rlocs(json_object_get(args, "rlocs"), fwd);
	while (a <= XTR_ACT_DROP_AUTH && strcmp(action, xtr_action_name(a)))
		a++;
	fwd->action = (uint8_t)a;
	return a > XTR_ACT_DROP_AUTH ?
		       "the action is none of no-action, natively-forward, send-map-request, drop" :
		       NULL;
}

#define NO_ITR "this node is no ITR and has no map-cache; add itr: to the configuration"

static void cache_add(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	struct xtr_fwd fwd = { .n = 0 };
	const char *why;
	struct xtr_eid_prefix eid;
	bool has_eid, has_iid;
	uint32_t iid;
	int rc;

	if (take_eid(req, args, &eid, &has_eid, &iid, &has_iid))
		return;
	if (!has_eid) {
		xtr_ctl_error(req, "cache add needs an eid");
		return;
	}
	if (!d->conf->node.itr) {
		xtr_ctl_error(req, NO_ITR);
		return;
	}
	why = take_fwd(args, &fwd);
	if (why) {
		xtr_ctl_error(req, "%s", why);
		return;
	}
	rc = xtr_node_cache_add(d->node, &eid, &fwd, xtr_daemon_now());
	if (rc)
		xtr_ctl_error(req, "the entry is not added: %s", not_added(rc));
	else
		xtr_ctl_reply(req, eid_row(&eid));
}

/* {eid, action | rlocs}. NULL, or why it is not in. */
static const char *load_one(struct xtr_daemon *d, json_t *one, uint64_t now)
{
	const char *text = json_string_value(json_object_get(one, "eid")), *why;
	struct xtr_fwd fwd = { .n = 0 };
	struct xtr_eid_prefix eid;
	int rc;

	if (!text || xtr_eid_parse(text, &eid))
		return "eid is not an address or a prefix";
	why = take_fwd(one, &fwd);
	if (why)
		return why;
	rc = xtr_node_cache_add(d->node, &eid, &fwd, now);
	return rc ? not_added(rc) : NULL;
}

/* Many at once: {entries: [{eid, action | rlocs}, ...]}. What is wrong with one keeps none of the others out. */
static void cache_load(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	json_t *list = json_object_get(args, "entries"), *one, *first = json_null();
	uint64_t now = xtr_daemon_now();
	int added = 0, refused = 0;
	size_t i;

	if (!json_is_array(list) || !d->conf->node.itr) {
		xtr_ctl_error(req, json_is_array(list) ? NO_ITR : "entries is not a list");
		return;
	}
	xtr_node_batch(d->node, true);
	json_array_foreach(list, i, one) {
		const char *why = load_one(d, one, now);

		added += !why;
		if (why && !refused++)
			first = json_pack("{s:i, s:s}", "entry", (int)i, "error", why);
	}
	xtr_node_batch(d->node, false);
	xtr_ctl_reply(req, json_pack("{s:i, s:i, s:o}", "added", added, "refused", refused, "first", first));
}

/* {limit}: at most so many; the caller asks again as long as there are more. */
static void cache_clear(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args,
			const struct xtr_eid_prefix *inside)
{
	json_int_t limit = json_integer_value(json_object_get(args, "limit"));
	unsigned max = limit > 0 && limit < UINT32_MAX ? (unsigned)limit : UINT32_MAX;
	unsigned n = xtr_node_cache_clear(d->node, inside, max, xtr_daemon_now());

	xtr_ctl_reply_cut(req, json_pack("{s:I}", "deleted", (json_int_t)n), n == max);
}

static void cache_delete(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	struct xtr_eid_prefix eid;
	bool has_eid, has_iid;
	uint32_t iid;

	if (take_eid(req, args, &eid, &has_eid, &iid, &has_iid))
		return;
	if (!has_eid)
		xtr_ctl_error(req, "cache delete needs an eid");
	else
		cache_clear(d, req, args, &eid);
}

static void cache_flush(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	cache_clear(d, req, args, NULL);
}

static int db_row(void *arg, const struct xtr_db_info *m)
{
	struct rows *r = arg;
	json_t *o;

	if (!shown(r, &m->eid))
		return 0;
	if (r->skip) {
		r->skip--;
		return 0;
	}
	o = eid_row(&m->eid);
	json_object_set_new(o, "ttl_min", json_integer(m->ttl_min));
	json_object_set_new(o, "map_server", address(&m->map_server));
	json_object_set_new(o, "key_id",
			    m->map_server.family ? json_integer(m->key_id) : json_null());
	json_object_set_new(o, "algorithm",
			    m->map_server.family ? json_string(algorithm_name(m->alg_id)) :
						   json_null());
	json_object_set_new(o, "acked", m->unasked ? json_null() : json_boolean(m->acked));
	json_object_set_new(o, "registers_sent", json_integer((json_int_t)m->registers_sent));
	json_object_set_new(o, "notifies", json_integer((json_int_t)m->notifies));
	json_object_set_new(o, "last_sent", seconds(m->last_sent_ms));
	json_object_set_new(o, "last_ack", seconds(m->last_ack_ms));
	json_object_set_new(o, "problem", text_or_null(m->problem));
	json_object_set_new(o, "locators", locators(m->locators, m->locator_count));
	return add_row(r, o);
}

static void eid_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	json_int_t skip = json_integer_value(json_object_get(args, "skip"));
	struct xtr_eid_prefix after;
	bool has_after;
	struct rows r;

	if (begin_rows(&r, d, req, args))
		return;
	if (take_part(req, args, &r, &after, &has_after)) {
		json_decref(r.list);
		return;
	}
	if (skip < 0)
		skip = 0;
	r.skip = r.has_eid || r.has_iid ? (uint64_t)skip : 0; /* of all, they need not be made to be counted */
	xtr_node_walk_db_from(d->node, (uint64_t)skip - r.skip, xtr_daemon_now(), db_row, &r);
	xtr_ctl_reply_cut(req, r.list, r.cut);
}

static int site_row(void *arg, const struct xtr_site_info *s)
{
	struct rows *r = arg;
	json_t *o;

	if (!shown(r, &s->eid) || (r->name && strcmp(r->name, s->site)))
		return 0;
	/* A part goes on behind an EID-prefix: all that register the same one are in one. */
	if (json_array_size(r->list) == r->limit && r->limit < ROWS_MAX && xtr_eid_equal(&r->last, &s->eid))
		r->limit++;
	r->last = s->eid;
	o = eid_row(&s->eid);
	json_object_set_new(o, "site", text_or_null(s->site));
	json_object_set_new(o, "configured", json_boolean(s->configured));
	json_object_set_new(o, "registered", json_boolean(s->registered));
	json_object_set_new(o, "proxy", json_boolean(s->proxy));
	json_object_set_new(o, "registrant", address(&s->registrant));
	json_object_set_new(o, "xtr_id",
			    s->has_xtr_id ? hex(s->xtr_id, sizeof(s->xtr_id)) : json_null());
	json_object_set_new(o, "age", s->registered ? seconds(s->age_ms) : json_null());
	json_object_set_new(o, "expires", s->registered ? seconds(s->expires_ms) : json_null());
	json_object_set_new(o, "ended", seconds(s->ended_ms));
	json_object_set_new(o, "withdrawn", s->ended_ms == UINT64_MAX ? json_null() : json_boolean(s->withdrawn));
	json_object_set_new(o, "more_specifics", json_integer(s->more_specifics));
	json_object_set_new(o, "registers", json_integer((json_int_t)s->registers));
	json_object_set_new(o, "refused", json_integer((json_int_t)s->refused));
	json_object_set_new(o, "last_refusal", text_or_null(s->last_refusal));
	json_object_set_new(o, "last_refusal_age",
			    s->last_refusal ? seconds(s->last_refusal_ms) : json_null());
	json_object_set_new(o, "last_refusal_from", address(&s->last_refusal_from));
	json_object_set_new(o, "locators", locators(s->locators, s->locator_count));
	return add_row(r, o);
}

static void site_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	struct xtr_eid_prefix after;
	struct xtr_cache_part part;
	bool has_after;
	struct rows r;

	if (begin_rows(&r, d, req, args))
		return;
	if (take_part(req, args, &r, &after, &has_after)) {
		json_decref(r.list);
		return;
	}
	part = part_of(&r, has_after ? &after : NULL);
	xtr_node_walk_site_part(d->node, &part, xtr_daemon_now(), site_row, &r);
	xtr_ctl_reply_cut(req, r.list, r.cut);
}

static void stats_control(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	const uint64_t *c = xtr_node_counters(d->node);
	const struct xtr_udp_counts *u = xtr_udp_counts(d->udp);
	json_t *o = json_object();

	for (unsigned i = 0; i < XTR_NODE_COUNTER_MAX; i++)
		json_object_set_new(o, xtr_node_counter_names[i], json_integer((json_int_t)c[i]));
	json_object_set_new(o, "drop-too-long", json_integer((json_int_t)u->cut));
	json_object_set_new(o, "drop-not-unicast", json_integer((json_int_t)u->not_ours));
	xtr_ctl_reply(req, o);
}

static json_t *table(const char *name, const char *key, uint64_t entries, uint64_t max)
{
	return json_pack("{s:s, s:s, s:I, s:I}", "name", name, "key", key, "entries", (json_int_t)entries, "max",
			 (json_int_t)max);
}

/* What only the daemon knows: how full its tables are, and without reading them, those of the kernel. */
static void stats_maps(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	struct xtr_table_info t[XTR_TABLES_MAX];
	struct xtr_dp_table m[XTR_DP_COUNTS];
	json_t *maps = json_array(), *tables = json_array();
	unsigned n = d->dp ? xtr_dp_counts(d->dp, m) : 0;

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(maps, table(m[i].map, m[i].key, m[i].entries, m[i].max));
	n = xtr_node_tables(d->node, t);
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(tables, table(t[i].name, t[i].key, t[i].entries, t[i].max));
	xtr_ctl_reply(req, json_pack("{s:o, s:o, s:I}", "maps", maps, "tables", tables, "refused",
				     (json_int_t)(d->dp ? xtr_dp_refused(d->dp) : 0)));
}

/* ---- config, version, monitor */

static void config_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	xtr_ctl_reply(req, xtr_schema_json(&xtr_conf_schema, &d->conf->v));
}

static void config_path(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	xtr_ctl_reply(req, json_string(d->config_path));
}

static void config_reload(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	json_t *changed = json_array();
	char *errors = NULL;
	int rc = xtr_daemon_reload(d, changed, &errors);

	if (rc)
		xtr_ctl_error(req, "%s",
			      errors ? errors :
				       "the new configuration is not taken; see the log of xtrd");
	else
		xtr_ctl_reply(req, json_pack("{s:O}", "changed", changed));
	json_decref(changed);
	free(errors);
}

static void version_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	const struct xtr_node_config *n = &d->conf->node;
	json_t *roles = json_array();

	if (n->itr)
		json_array_append_new(roles, json_string("itr"));
	if (n->etr)
		json_array_append_new(roles, json_string("etr"));
	if (n->ms)
		json_array_append_new(roles, json_string("map-server"));
	if (n->mr)
		json_array_append_new(roles, json_string("map-resolver"));
	xtr_ctl_reply(req, json_pack("{s:s, s:i, s:i, s:o, s:o}", "version", XTR_VERSION, "abi",
				     XTR_ABI_VERSION, "pid", (int)getpid(), "uptime",
				     seconds(xtr_daemon_now() - d->started), "roles", roles));
}

static void monitor_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	json_t *kinds = json_object_get(args, "kinds"), *k;
	size_t i;

	if (kinds && !json_is_array(kinds)) {
		xtr_ctl_error(req, "kinds is not a list of names");
		return;
	}
	json_array_foreach(kinds, i, k) {
		if (!json_is_string(k) || !xtr_wire_event_kind(json_string_value(k))) {
			xtr_ctl_error(req, "there is no event %s",
				      json_is_string(k) ? json_string_value(k) :
							  "that is not a text");
			return;
		}
	}
	xtr_ctl_listen(req, kinds);
}

/* ---- lig */

static json_t *lig_locators(const struct xtr_record *rec)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	json_t *a = json_array();
	char text[4096];

	while (xtr_locator_next(rec, &it, &l))
		json_array_append_new(a, json_pack("{s:o, s:i, s:i, s:i, s:i, s:b, s:b}", "address",
						   text_or_null(xtr_addr_str(&l.addr, text,
									     sizeof(text))),
						   "priority", l.priority, "weight", l.weight,
						   "mpriority", l.mpriority, "mweight", l.mweight,
						   "reachable", l.reachable, "local", l.local));
	return a;
}

static json_t *lig_record(const struct xtr_record *rec)
{
	struct xtr_eid_prefix eid;
	char text[256];
	json_t *o;

	if (!xtr_eid_from_addr(&rec->eid, rec->mask_len, &eid, NULL)) {
		o = eid_row(&eid);
	} else {
		o = json_object();
		json_object_set_new(o, "iid", json_null());
		json_object_set_new(o, "eid",
				    text_or_null(xtr_addr_str(&rec->eid, text, sizeof(text))));
	}
	json_object_set_new(o, "ttl_min", json_integer(rec->ttl));
	json_object_set_new(o, "action",
			    json_string(xtr_action_name(rec->locator_count ? XTR_ACT_ENCAP :
									     rec->act)));
	json_object_set_new(o, "authoritative", json_boolean(rec->authoritative));
	json_object_set_new(o, "map_version", json_integer(rec->map_version));
	json_object_set_new(o, "locators", lig_locators(rec));
	return o;
}

/* The request, for the answer; the call is gone. */
static struct xtr_ctl_request *lig_end(struct xtr_lig_call *c)
{
	struct xtr_ctl_request *req = c->req;

	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		c->d->ligs = c->next;
	free(c);
	return req;
}

static void lig_done(void *arg, const struct xtr_lig_result *res)
{
	struct xtr_ctl_request *req = lig_end(arg);
	json_t *records;

	if (res && !res->records && !res->tries) {
		xtr_ctl_error(req, "nobody could be asked: no address of a Map-Server or Map-Resolver for it is "
				   "known that can be reached (see `xtrctl decent names`, `xtrctl rloc`)");
		return;
	}
	if (!res || !res->records) {
		xtr_ctl_error(req, "no answer from the mapping system after %u requests",
			      res ? res->tries : 0);
		return;
	}
	records = json_array();
	for (unsigned i = 0; i < res->count; i++)
		json_array_append_new(records, lig_record(&res->records[i]));
	xtr_ctl_reply(req, json_pack("{s:o, s:o, s:i, s:o}", "from", address(&res->from), "rtt",
				     seconds(res->rtt_ms), "tries", (int)res->tries, "records",
				     records));
}

static void lig_show(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args)
{
	const char *to_text = json_string_value(json_object_get(args, "to"));
	struct xtr_eid_prefix eid;
	struct xtr_lig_call *c;
	bool has_eid, has_iid;
	struct xtr_ip to;
	uint32_t iid;
	int rc;

	if (take_eid(req, args, &eid, &has_eid, &iid, &has_iid))
		return;
	if (!has_eid) {
		xtr_ctl_error(req, "lig needs an eid");
		return;
	}
	if (to_text && xtr_ip_parse(to_text, &to)) {
		xtr_ctl_error(req, "to is %s, which is not an address", to_text);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		xtr_ctl_error(req, "no memory");
		return;
	}
	*c = (struct xtr_lig_call){ .d = d, .req = req, .next = d->ligs };
	if (c->next)
		c->next->prev = c;
	d->ligs = c;
	rc = xtr_node_lig(d->node, &eid, to_text ? &to : NULL, lig_done, c, xtr_daemon_now());
	if (rc)
		xtr_ctl_error(lig_end(c), "the mapping system can not be asked: %s",
			      rc == -EBUSY || rc == -EAGAIN ?
				      "too many questions at once" :
			      rc == -ENOENT || rc == -EDESTADDRREQ ?
				      "no Map-Resolver is configured; name one (to)" :
				      strerror(-rc));
}

void xtr_show_end(struct xtr_daemon *d)
{
	while (d->ligs)
		xtr_ctl_error(lig_end(d->ligs), "xtrd stops");
}

/* ---- dispatch */

static const struct {
	const char *object, *command;
	void (*fn)(struct xtr_daemon *d, struct xtr_ctl_request *req, json_t *args);
} commands[] = {
	{ "cache", "show", cache_show },       { "cache", "pending", cache_pending },
	{ "cache", "add", cache_add },	       { "cache", "delete", cache_delete },
	{ "cache", "flush", cache_flush },     { "eid", "show", eid_show },
	{ "cache", "load", cache_load },       { "stats", "maps", stats_maps },
	{ "site", "show", site_show },	       { "stats", "control", stats_control },
	{ "config", "show", config_show },     { "config", "path", config_path },
	{ "config", "reload", config_reload }, { "lig", "show", lig_show },
	{ "version", "show", version_show },   { "monitor", "show", monitor_show },
};

void xtr_show_request(void *ctx, struct xtr_ctl_request *req, const char *object,
		      const char *command, json_t *args)
{
	struct xtr_daemon *d = ctx;
	bool known = !strcmp(object, "decent");

	if (known && xtr_show_decent(d, req, command))
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].object, object))
			continue;
		known = true;
		if (!strcmp(commands[i].command, command)) {
			commands[i].fn(d, req, args);
			return;
		}
	}
	if (known)
		xtr_ctl_error(req, "object %s has no command %s", object, command);
	else
		xtr_ctl_error(req, "xtrd has no object %s", object);
}
