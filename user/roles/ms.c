// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server, the registering side. RFC 9301 5.6, 8.2, 8.3, 9.
 *
 * The order is what keeps it safe: fixed header, site and key by the first EID, MAC over the whole
 * message, then the records, then the nonce, then each record against the configuration; nothing
 * changes before all of that was right. Every refusal is counted, kept as the site's last one, and
 * sent as an event: "why is this site not registered" has an answer.
 */
#include "roles/ms.h"

#include "codec/auth.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE 60000ull
#define MAX_REGISTRATIONS 10000 /* per site, unless configured */
#define VERSION_HALF 2048       /* RFC 9302 6 */

const struct xtr_key *xtr_ms_key(const struct xtr_site *site, uint8_t key_id)
{
	for (unsigned i = 0; i < site->cfg->key_count; i++)
		if (site->cfg->keys[i].key_id == key_id)
			return &site->cfg->keys[i];
	return NULL;
}

/* One Map-Register on its way. */
struct arrival {
	struct xtr_ms *ms;
	const struct xtr_msg_meta *meta;
	struct xtr_register m;
	struct xtr_site *site;
	const struct xtr_key *key;
	struct xtr_registrant_key who_key;
	struct xtr_registrant *who;
	struct xtr_locset read; /* of the record in hand */
	uint8_t buf[XTR_LOCSET_OCTETS];
	bool accepted[255];
	unsigned accepted_count;
	bool group; /* some record is about a group */
};

/* All members of a group have the same key (D-26): who has not shall be seen, even if nobody listens
 * to events; once in the time that a registration lives. */
static void key_differs(struct arrival *a, const struct xtr_eid_prefix *eid, const char *why)
{
	struct xtr_env *env = a->ms->env;
	char text[XTR_REFUSAL_TEXT + 128], ip[XTR_IP_STRLEN];

	env->refused.any = true;
	env->refused.at = env->now;
	env->refused.from = a->meta->src;
	if (env->now < a->ms->said_until || !env->ops.event)
		return;
	a->ms->said_until = env->now + env->cfg.timers.registration_timeout;
	snprintf(text, sizeof(text), "Map-Register from %s to our group refused: %s",
		 xtr_ip_str(&a->meta->src, ip), why);
	env->ops.event(env->ops.ctx, XTR_EVENT_KEY_DIFFERS, eid, text);
}

static void refuse(struct arrival *a, enum xtr_node_counter counter,
		   const struct xtr_eid_prefix *eid, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void refuse(struct arrival *a, enum xtr_node_counter counter,
		   const struct xtr_eid_prefix *eid, const char *fmt, ...)
{
	struct xtr_env *env = a->ms->env;
	char text[XTR_REFUSAL_TEXT], ip[XTR_IP_STRLEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	env->counters[counter]++;
	if ((counter == XTR_NODE_DROP_AUTH || counter == XTR_NODE_DROP_ALGORITHM) &&
	    (xtr_ip_is_multicast(&a->meta->dst) || (eid && eid->group_len)))
		key_differs(a, eid, text);
	if (a->site) {
		a->site->refused++;
		a->site->refused_at = env->now;
		a->site->refused_from = a->meta->src;
		memcpy(a->site->refusal, text, sizeof(text));
	} else {
		a->ms->refused_unknown++;
	}
	xtr_env_event(env, XTR_EVENT_REGISTER_REFUSED, eid, "from %s%s%s: %s",
		      xtr_ip_str(&a->meta->src, ip), a->site ? " for site " : "", a->site ? a->site->name : "", text);
}

/* Site, key and MAC. */
static bool check_sender(struct arrival *a)
{
	const struct xtr_register *m = &a->m;
	struct xtr_site_prefix *p;
	struct xtr_eid_prefix eid;

	if (xtr_register_peek_eid(m, &eid)) {
		xtr_count(a->ms->env, DROP_MALFORMED);
		return false;
	}
	p = xtr_regdb_site(&a->ms->db, &eid);
	if (!p) {
		refuse(a, XTR_NODE_DROP_NO_SITE, &eid, "the EID-prefix is in no configured site");
		return false;
	}
	a->site = p->site;
	a->key = xtr_ms_key(p->site, m->key_id);
	if (!a->key) {
		refuse(a, XTR_NODE_DROP_AUTH, &eid, "key ID %u is not configured for the site",
		       m->key_id);
		return false;
	}
	if (a->key->alg_id != m->alg_id) { /* no downgrade */
		refuse(a, XTR_NODE_DROP_ALGORITHM, &eid,
		       "authentication algorithm %u, the site's key %u is for algorithm %u",
		       m->alg_id, m->key_id, a->key->alg_id);
		return false;
	}
	if (!xtr_key_signed(a->key, m)) {
		refuse(a, XTR_NODE_DROP_AUTH, &eid,
		       "authentication failed: key %u has another secret at the site",
		       m->key_id);
		return false;
	}
	return true;
}

/* Our own Map-Register to a group that comes back from the network: we had it by direct call. */
static bool own_echo(const struct arrival *a)
{
	const struct xtr_node_config *cfg = &a->ms->env->cfg;

	return xtr_ip_is_multicast(&a->meta->dst) && cfg->has_ids && a->m.has_ids &&
	       !memcmp(a->m.xtr_id, cfg->xtr_id, 16) && !memcmp(a->m.site_id, cfg->site_id, 8);
}

/* Is ip the locator, or in it? How deep they nest was checked. */
static bool names(const struct xtr_addr *a, const struct xtr_ip *ip)
{
	struct xtr_rd list = { 0 }, rle = { 0 }, elp = { 0 };
	struct xtr_rle_entry e;
	struct xtr_elp_hop hop;
	struct xtr_addr in;
	struct xtr_ip found;
	bool yes = xtr_addr_rloc_ip(a, &found) && !xtr_ip_cmp(&found, ip);

	while (!yes && xtr_lcaf_list_next(a, &list, &in))
		yes = names(&in, ip);
	while (!yes && xtr_lcaf_rle_next(a, &rle, &e))
		yes = names(&e.addr, ip);
	while (!yes && xtr_lcaf_elp_next(a, &elp, &hop))
		yes = names(&hop.addr, ip);
	return yes;
}

/* Is the address the message came from one of its locators? */
static bool names_source(const struct arrival *a)
{
	struct xtr_records it = a->m.records;
	struct xtr_record rec;
	struct xtr_locator l;

	while (xtr_record_next(&it, &rec)) {
		struct xtr_rd rd = { 0 };

		while (xtr_locator_next(&rec, &rd, &l))
			if (names(&l.addr, &a->meta->src))
				return true;
	}
	return false;
}

/* Has some of it been registered with this key by an xTR that is known by its address alone, too? */
static bool held_by_another(const struct arrival *a)
{
	struct xtr_records it = a->m.records;
	struct xtr_eid_prefix eid;
	struct xtr_record rec;

	while (xtr_record_next(&it, &rec)) {
		if (xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL))
			continue;
		for (const struct xtr_registration *r = xtr_regdb_get(&a->ms->db, &eid); r; r = r->next)
			if (!r->who->key.by_id && r->who->key.site == a->who_key.site &&
			    r->who->key.key_id == a->who_key.key_id)
				return true;
	}
	return false;
}

/* Without an xTR-ID a sender is known by the address it sends from, which no MAC covers: one more address is believed if the
 * message names it as a locator, or else a copy sent from elsewhere would count as that of a new xTR, whatever its nonce. */
static bool believed(struct arrival *a)
{
	if (a->m.has_ids || a->site->cfg->replay_off || names_source(a) || !held_by_another(a))
		return true;
	refuse(a, XTR_NODE_DROP_REPLAY, NULL,
	       "another xTR has registered this, and none of the locators is the address it came from (replayed; or an "
	       "xTR that needs an xTR-ID, or replay: off)");
	return false;
}

/* RFC 9301 5.6: the nonce grows with every message of one sender and key. */
static bool check_nonce(struct arrival *a)
{
	const struct xtr_register *m = &a->m;
	struct xtr_registrant_key *k = &a->who_key;

	memset(k, 0, sizeof(*k));
	k->site = a->site->uid;
	k->key_id = m->key_id;
	k->by_id = m->has_ids;
	if (m->has_ids) {
		memcpy(k->id, m->xtr_id, 16);
		memcpy(k->id + 16, m->site_id, 8);
	} else {
		k->id[0] = a->meta->src.family;
		memcpy(k->id + 1, a->meta->src.a, 16);
	}
	a->who = xtr_registrant_find(&a->ms->db, k);
	if (!a->who)
		return believed(a);
	if (m->nonce > a->who->nonce || a->site->cfg->replay_off)
		return true;
	if (own_echo(a))
		return false;
	refuse(a, XTR_NODE_DROP_REPLAY, NULL,
	       "nonce 0x%016llx is not greater than the last, 0x%016llx (replayed, or the xTR lost its state and its clock is "
	       "behind; one whose nonces do not grow: replay: off)",
	       (unsigned long long)m->nonce, (unsigned long long)a->who->nonce);
	return false;
}

/* Is the EID-prefix one of the site's, or may it be registered below one? Else it is refused. */
static bool allowed(struct arrival *a, const struct xtr_eid_prefix *eid)
{
	struct xtr_site_prefix *p = xtr_regdb_site(&a->ms->db, eid);
	char s[XTR_EID_STRLEN], t[XTR_EID_STRLEN];

	if (!p || p->site != a->site) {
		refuse(a, XTR_NODE_DROP_PREFIX, eid, "EID-prefix %s is outside the site's",
		       xtr_eid_str(eid, s));
		return false;
	}
	if (!xtr_site_prefix_allows(p, eid)) {
		refuse(a, XTR_NODE_DROP_PREFIX, eid,
		       "EID-prefix %s is more specific than %s, which does not accept that",
		       xtr_eid_str(eid, s), xtr_eid_str(&p->eid, t));
		return false;
	}
	return true;
}

/* RFC 9302 6: of two versions of one mapping the older is dropped; 0 is no version. */
static bool older_version(uint16_t now, uint16_t before)
{
	return now && before && now != before && ((now - before) & 0xfff) >= VERSION_HALF;
}

static struct xtr_registration *of_registrant(const struct arrival *a,
					      const struct xtr_eid_prefix *eid)
{
	struct xtr_registration *r = xtr_regdb_get(&a->ms->db, eid);

	while (r && (!a->who || r->who != a->who))
		r = r->next;
	return r;
}

/* All of one EID-prefix go into one record, and none is left out unsaid. Of a group they are one list. */
static bool room_in_record(struct arrival *a, const struct xtr_eid_prefix *eid)
{
	unsigned n = a->read.count;
	char s[XTR_EID_STRLEN];

	if (eid->group_len)
		return true;
	for (const struct xtr_registration *r = xtr_regdb_get(&a->ms->db, eid); r; r = r->next)
		n += r->locs_count;
	if (n <= XTR_LOCSET_UNION)
		return true;
	refuse(a, XTR_NODE_DROP_LIMIT, eid, "EID-prefix %s would have more locators than a record holds, %u",
	       xtr_eid_str(eid, s), XTR_LOCSET_UNION);
	return false;
}

/* A registration that may not be added any more is refused; a refresh always may. */
static bool room(struct arrival *a, const struct xtr_eid_prefix *eid)
{
	const struct xtr_env *env = a->ms->env;
	unsigned max = a->site->cfg->max_registrations ? a->site->cfg->max_registrations
						       : MAX_REGISTRATIONS;

	if (a->site->registrations >= max) {
		refuse(a, XTR_NODE_DROP_LIMIT, eid, "the site has its maximum of %u registrations",
		       max);
		return false;
	}
	if (a->ms->db.count >= env->cfg.limits.registrations) {
		refuse(a, XTR_NODE_DROP_LIMIT, eid,
		       "the Map-Server has its maximum of %u registrations",
		       env->cfg.limits.registrations);
		return false;
	}
	if (!room_in_record(a, eid))
		return false;
	if (!a->who)
		a->who = xtr_registrant_make(&a->ms->db, &a->who_key, env->now);
	if (!a->who)
		refuse(a, XTR_NODE_DROP_LIMIT, eid, "too many xTRs register");
	return a->who;
}

/* Of the locator-set that others are told about; 0: nothing registered. */
static uint64_t union_print(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid)
{
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset set;

	if (!xtr_ms_registered(ms, eid, buf, sizeof(buf), &set))
		return 0;
	return xtr_hash(set.octets, set.len) | 1;
}

/* What is registered for the EID-prefix is not what it was: those who want to know are told. */
static void set_changed(struct xtr_ms *ms, const struct xtr_eid_prefix *eid,
			const struct xtr_registrant *by)
{
	struct xtr_env *env = ms->env;
	const struct xtr_registration *head = xtr_regdb_get(&ms->db, eid);

	if (head)
		xtr_ms_notify_change(ms, head, by);
	xtr_ms_publish(ms, eid);
	if (env->registered && eid->group_len)
		env->registered(env->registered_ctx, eid);
}

static void withdraw(struct arrival *a, const struct xtr_eid_prefix *eid,
		     struct xtr_registration *r)
{
	struct xtr_env *env = a->ms->env;
	uint64_t before;
	char ip[XTR_IP_STRLEN];

	if (!r)
		return;
	before = union_print(a->ms, eid);
	if (xtr_regdb_del(&a->ms->db, r, env->now))
		xtr_env_event(env, XTR_EVENT_SITE_EXPIRE, eid, "site %s: withdrawn by %s",
			      a->site->name, xtr_ip_str(&a->meta->src, ip));
	else
		xtr_env_event(env, XTR_EVENT_SITE_CHANGE, eid, "site %s: %s withdrew its part",
			      a->site->name, xtr_ip_str(&a->meta->src, ip));
	if (union_print(a->ms, eid) != before)
		set_changed(a->ms, eid, a->who);
}

/* A mere refresh, of which nobody has to hear; most Map-Registers are. */
static bool same_as(const struct arrival *a, const struct xtr_registration *mine)
{
	struct xtr_locset set;

	if (!mine)
		return false;
	set = xtr_registration_locators(mine);
	return xtr_locset_equal(&set, &a->read);
}

static bool store(struct arrival *a, const struct xtr_eid_prefix *eid, const struct xtr_record *rec,
		  const struct xtr_registration *mine)
{
	struct xtr_env *env = a->ms->env;
	uint32_t flags = a->m.flags;
	uint64_t life = env->cfg.timers.registration_timeout, most = env->cfg.timers.max_ttl_min * MINUTE, before;
	struct xtr_registration_new n = {
		.eid = eid,
		.locators = &a->read,
		.who = a->who,
		.now = env->now,
		.ttl_min = xtr_ttl_minutes(rec->ttl),
		.map_version = rec->map_version,
		.flags = (flags & XTR_REG_P ? XTR_REGN_PROXY : 0) |
			 (flags & XTR_REG_M ? XTR_REGN_NOTIFY : 0) |
			 (flags & XTR_REG_MERGE ? XTR_REGN_MERGE : 0) |
			 (flags & XTR_REG_T ? XTR_REGN_TTL : 0),
	};
	char ip[XTR_IP_STRLEN];
	int r;

	if (flags & XTR_REG_T && rec->ttl != UINT32_MAX) /* RFC 9301 5.6: the record TTL is the registration timeout */
		life = xtr_ttl_ms(rec->ttl) < most ? xtr_ttl_ms(rec->ttl) : most;
	n.expires = env->now + life;
	before = same_as(a, mine) ? 0 : union_print(a->ms, eid);
	r = xtr_regdb_put(&a->ms->db, &n);
	if (r < 0) {
		refuse(a, XTR_NODE_DROP_LIMIT, eid, "cannot be stored (%s)",
		       r == -ENOMEM ? "out of memory" : "kind of EID");
		return false;
	}
	if (r != XTR_PUT_SAME)
		xtr_env_event(env, r == XTR_PUT_NEW ? XTR_EVENT_SITE_ADD : XTR_EVENT_SITE_CHANGE,
			      eid, "site %s: %u locators from %s", a->site->name, a->read.count,
			      xtr_ip_str(&a->meta->src, ip));
	if (r == XTR_PUT_NEW && env->appeared)
		env->appeared(env->appeared_ctx, eid);
	if (r != XTR_PUT_SAME && union_print(a->ms, eid) != before)
		set_changed(a->ms, eid, a->who);
	return true;
}

static bool any_receiver(const struct xtr_locset *set)
{
	struct xtr_group_union u;
	uint8_t buf[XTR_LOCSET_OCTETS];
	struct xtr_locset out;

	xtr_group_union_begin(&u);
	xtr_group_union_add(&u, set, true);
	xtr_group_union_end(&u, buf, sizeof(buf), &out);
	return out.count;
}

static bool take_record(struct arrival *a, const struct xtr_record *rec)
{
	struct xtr_registration *mine;
	struct xtr_eid_prefix eid;
	char s[XTR_EID_STRLEN];

	if (xtr_eid_from_addr(&rec->eid, rec->mask_len, &eid, NULL)) {
		refuse(a, XTR_NODE_DROP_PREFIX, NULL,
		       "a record has a kind of EID that is not supported");
		return false;
	}
	if (!allowed(a, &eid))
		return false;
	a->group |= eid.group_len != 0;
	mine = of_registrant(a, &eid);
	if (mine && older_version(rec->map_version, mine->map_version)) {
		refuse(a, XTR_NODE_DROP_REPLAY, &eid,
		       "EID-prefix %s: map-version %u is older than the registered %u",
		       xtr_eid_str(&eid, s), rec->map_version, mine->map_version);
		return false;
	}
	if (!rec->locator_count || !rec->ttl) {
		withdraw(a, &eid, mine);
		return true;
	}
	xtr_locset_read(rec, a->buf, sizeof(a->buf), &a->read);
	if (!a->read.count) { /* unknown ones are ignored (RFC 9306 3); that is no withdrawal */
		refuse(a, XTR_NODE_DROP_UNKNOWN_TYPE, &eid,
		       "EID-prefix %s: no locator is of a kind that is known here",
		       xtr_eid_str(&eid, s));
		return false;
	}
	if (eid.group_len && !any_receiver(&a->read)) { /* RFC 8378 5.1.3: an empty list is none */
		withdraw(a, &eid, mine);
		return true;
	}
	if (!mine && !room(a, &eid))
		return false;
	return store(a, &eid, rec, mine);
}

/* ---- Map-Notify that confirms (RFC 9301 5.7) */

void xtr_ms_put_locators(struct xtr_wr *w, const struct xtr_locset *set, bool keep_local,
			 uint8_t *count)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	unsigned n = 0;

	while (xtr_locset_next(set, &it, &l)) {
		if (!keep_local)
			l.local = false;
		l.probed = false;
		xtr_put_locator_raw(w, &l);
		n++;
	}
	*count = (uint8_t)n;
}

/* What the Map-Server holds now for the record; nothing if it was refused (then without locators,
 * which says so). */
static void confirm_record(struct arrival *a, struct xtr_wr *w, const struct xtr_record *rec,
			   bool accepted, bool merged)
{
	struct xtr_record_head head = { .authoritative = rec->authoritative,
					.map_version = rec->map_version };
	struct xtr_registration *mine = NULL;
	struct xtr_eid_prefix eid;
	struct xtr_locset set;
	uint8_t count = 0;
	size_t mark;

	if (xtr_eid_from_addr(&rec->eid, rec->mask_len, &eid, NULL))
		return;
	if (accepted)
		mine = of_registrant(a, &eid);
	head.ttl = mine ? rec->ttl : 0;
	mark = xtr_put_record_begin(w, &head, &eid);
	if (mine && merged)
		xtr_registration_union(xtr_regdb_get(&a->ms->db, &eid), a->buf, sizeof(a->buf),
				       &set);
	else if (mine)
		set = xtr_registration_locators(mine);
	if (mine)
		xtr_ms_put_locators(w, &set, true, &count);
	xtr_put_record_end(w, mark, count);
}

/* Others send MACs of 12 or 16 octets, as the names of the algorithms say. What a Map-Notify has is
 * copied from the Map-Register (RFC 9301 5.7), this too: some check that the length is the one they
 * sent. */
static uint8_t sent_auth_len(const struct xtr_register *m)
{
	return m->alg_id == XTR_AUTH_NONE ? 0 : (uint8_t)m->auth_len;
}

static size_t write_notify(struct arrival *a, uint8_t *buf, size_t size, bool merged)
{
	struct xtr_register_out head = {
		.type = XTR_MSG_MAP_NOTIFY,
		.nonce = a->m.nonce,
		.key_id = a->m.key_id,
		.alg_id = a->m.alg_id,
		.auth_len = sent_auth_len(&a->m),
	};
	struct xtr_wr w = xtr_wr_init(buf, size);
	struct xtr_records it = a->m.records;
	struct xtr_record rec;
	unsigned i = 0, n = 0;

	xtr_register_begin(&w, &head);
	while (xtr_record_next(&it, &rec)) {
		size_t before = xtr_wr_len(&w);

		confirm_record(a, &w, &rec, a->accepted[i++], merged);
		n += xtr_wr_len(&w) > before;
	}
	if (w.err)
		return 0;
	buf[3] = (uint8_t)n;
	return xtr_wr_len(&w);
}

static void confirm(struct arrival *a)
{
	struct xtr_env *env = a->ms->env;
	size_t auth = sent_auth_len(&a->m), size = xtr_env_room(a->meta->src.family), len;
	const struct xtr_ip *from = xtr_ip_is_multicast(&a->meta->dst) ? NULL : &a->meta->dst;
	uint8_t buf[XTR_MSG_MAX];

	/* The merged set, if it fits (RFC 9301 5); never less room than the Map-Register itself
	 * took. A group's replication list is one locator, which cannot be split: whole or not at
	 * all, and without it the sender would not know the members. */
	if (a->group)
		size = sizeof(buf);
	if (size < a->m.msg_len + XTR_AUTH_MAX)
		size = a->m.msg_len + XTR_AUTH_MAX < sizeof(buf) ? a->m.msg_len + XTR_AUTH_MAX
								 : sizeof(buf);
	len = write_notify(a, buf, size, a->m.flags & XTR_REG_MERGE);
	if (!len)
		len = write_notify(a, buf, size, false);
	if (!len || xtr_auth_sign(buf, len, a->m.auth_off, auth, XTR_MSG_MAP_NOTIFY, a->m.alg_id,
				  a->m.nonce, a->key->secret, a->key->secret_len)) {
		xtr_count(env, TX_FAILED);
		return;
	}
	/* To 4342 whatever the source port was (RFC 9301 8.2). */
	xtr_env_answer(env, from, &a->meta->src, XTR_PORT, buf, len, XTR_NODE_TX_MAP_NOTIFY, NULL, 0);
}

void xtr_ms_register(struct xtr_ms *ms, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len)
{
	struct xtr_env *env = ms->env;
	struct arrival a;
	struct xtr_records it;
	struct xtr_record rec;
	unsigned i = 0;
	int r;

	a.ms = ms;
	a.meta = meta;
	a.site = NULL;
	a.who = NULL;
	a.accepted_count = 0;
	a.group = false;
	r = xtr_register_decode_head(buf, len, &a.m);
	if (r) {
		xtr_env_bad(env, r);
		return;
	}
	if (!check_sender(&a))
		return;
	r = xtr_register_decode_body(&a.m);
	if (r) {
		refuse(&a, r == -EAFNOSUPPORT ? XTR_NODE_DROP_UNKNOWN_AFI : XTR_NODE_DROP_MALFORMED,
		       NULL, "the Map-Register is authentic but malformed");
		return;
	}
	if (!check_nonce(&a))
		return;
	for (it = a.m.records; xtr_record_next(&it, &rec); i++) {
		a.accepted[i] = take_record(&a, &rec);
		a.accepted_count += a.accepted[i];
	}
	if (a.accepted_count && a.who) {
		a.who->source = meta->src;
		/* A group is no source: then the address is chosen when something is sent. */
		a.who->local = xtr_ip_is_multicast(&meta->dst) ? (struct xtr_ip){ 0 } : meta->dst;
		a.who->auth_len = sent_auth_len(&a.m);
		xtr_registrant_seen(&ms->db, a.who, a.m.nonce, env->now);
		xtr_ms_dirty(ms);
	}
	if (a.accepted_count)
		xtr_count(env, REGISTER_ACCEPTED);
	if (a.m.flags & XTR_REG_M)
		confirm(&a);
}

/* ---- life */

static void registration_timer(void *ctx, struct xtr_timer *t)
{
	struct xtr_registration *r = xtr_timer_owner(t, struct xtr_registration, timer);
	struct xtr_ms *ms = ctx;
	struct xtr_env *env = ms->env;
	struct xtr_eid_prefix eid;
	char ip[XTR_IP_STRLEN];
	const char *site = r->who->site->name;
	uint64_t before;

	if (r->expires > env->now) { /* was refreshed meanwhile */
		xtr_timer_set(&env->timers, &r->timer, r->expires);
		return;
	}
	xtr_registration_eid(r, &eid);
	xtr_ip_str(&r->who->source, ip);
	xtr_count(env, REGISTRATION_EXPIRED);
	xtr_ms_dirty(ms);
	before = union_print(ms, &eid);
	if (xtr_regdb_del(&ms->db, r, env->now))
		xtr_env_event(env, XTR_EVENT_SITE_EXPIRE, &eid,
			      "site %s: no Map-Register from %s in time", site, ip);
	else
		xtr_env_event(env, XTR_EVENT_SITE_CHANGE, &eid, "site %s: the part of %s expired",
			      site, ip);
	if (union_print(ms, &eid) != before)
		set_changed(ms, &eid, NULL);
}

/* The registrants hear of it by the Map-Notify of their next Map-Register, which is refused. */
static void gone(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct xtr_ms *ms = ctx;

	xtr_env_event(ms->env, XTR_EVENT_SITE_EXPIRE, eid, "not allowed by the configuration any more");
	xtr_ms_publish(ms, eid);
	if (ms->env->registered && eid->group_len)
		ms->env->registered(ms->env->registered_ctx, eid);
}

int xtr_ms_reconfigure(struct xtr_ms *ms)
{
	const struct xtr_node_config *cfg = &ms->env->cfg;
	int r;

	xtr_ms_notify_free_all(ms);
	xtr_eiddb_free(&ms->aggregates, NULL);
	/* Of more registrants than can have something registered nonces are remembered. */
	ms->db.registrant_limit = cfg->limits.registrations < 32768 ? 65536
								    : 2 * cfg->limits.registrations;
	for (unsigned i = 0; i < cfg->aggregate_count; i++) {
		r = xtr_eiddb_set(&ms->aggregates, &cfg->aggregates[i], (void *)&cfg->aggregates[i],
				  NULL, NULL);
		if (r)
			return r;
	}
	r = xtr_regdb_configure(&ms->db, cfg->sites, cfg->site_count, gone, ms);
	xtr_ms_pubsub_reconfigure(ms);
	return r;
}

bool xtr_ms_registered(const struct xtr_ms *ms, const struct xtr_eid_prefix *eid, uint8_t *buf,
		       size_t size, struct xtr_locset *out)
{
	const struct xtr_registration *head = xtr_regdb_get(&ms->db, eid);

	if (head)
		xtr_registration_union(head, buf, size, out);
	return head;
}

static bool registration(void *ctx, const struct xtr_eid_prefix *eid, uint8_t *buf, size_t size,
			 struct xtr_locset *out)
{
	return xtr_ms_registered(ctx, eid, buf, size, out);
}

int xtr_ms_new(struct xtr_env *env, struct xtr_ms **out)
{
	struct xtr_ms *ms = calloc(1, sizeof(*ms));
	int r;

	if (!ms)
		return -ENOMEM;
	ms->env = env;
	ms->save.kind = XTR_TIMER_MS_SAVE;
	ms->checkpoint.kind = XTR_TIMER_MS_CHECKPOINT;
	xtr_eiddb_init(&ms->aggregates);
	xtr_regdb_init(&ms->db, &env->timers, XTR_TIMER_REGISTRATION);
	xtr_timers_kind(&env->timers, XTR_TIMER_REGISTRATION, registration_timer, ms);
	xtr_timers_kind(&env->timers, XTR_TIMER_MS_NOTIFY, xtr_ms_notify_timer, ms);
	xtr_timers_kind(&env->timers, XTR_TIMER_MS_SAVE, xtr_ms_save_timer, ms);
	xtr_timers_kind(&env->timers, XTR_TIMER_MS_CHECKPOINT, xtr_ms_checkpoint_timer, ms);
	xtr_timers_kind(&env->timers, XTR_TIMER_MS_PUBLISH, xtr_ms_publish_timer, ms);
	r = xtr_ms_reconfigure(ms);
	if (r) {
		xtr_ms_free(ms);
		return r;
	}
	xtr_ms_load(ms);
	xtr_ms_restore(ms);
	ms->loaded = true;
	env->registration = registration;
	env->ms_ctx = ms;
	*out = ms;
	return 0;
}

void xtr_ms_free(struct xtr_ms *ms)
{
	if (!ms)
		return;
	if (ms->loaded) { /* or it would overwrite what it has not read */
		xtr_ms_save(ms);
		xtr_ms_checkpoint(ms);
	}
	xtr_timer_cancel(&ms->env->timers, &ms->save);
	xtr_timer_cancel(&ms->env->timers, &ms->checkpoint);
	xtr_ms_notify_free_all(ms);
	xtr_ms_pubsub_free(ms);
	ms->env->registration = NULL;
	xtr_eiddb_free(&ms->aggregates, NULL);
	xtr_regdb_free(&ms->db);
	free(ms);
}
