// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Seed-groups by name (RFC 9962 4.4): looked up in DNS again and again, put to use like a reload, and
 * kept in the state directory for a start without DNS. Without an address the group is not there.
 * Owner of a DNS client of its own and of what the node is given beyond the configuration's memory.
 *
 * Invariant: the node uses at most one of the two arenas; the other one is free to be written.
 */
#include "daemon/group_name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/state.h"
#include "util/log.h"

#define STATE_NAME "group-names"
#define KEPT_MAX   1024

struct name {
	struct xtr_group_names *s;
	uv_timer_t timer;
	bool core, busy;
	char text[256];     /* empty: none */
	struct xtr_ip ip;   /* family 0: not known */
	uint32_t id;        /* of the lookup that counts */
	unsigned failures;
	uint64_t next_at;
	char problem[256];
};
struct xtr_group_names {
	struct xtr_daemon *d;
	struct xtr_dns *dns;
	bool timers_open;
	struct name of[2]; /* push, core */
	struct xtr_arena arena[2];
	unsigned in_use;
	char kept[KEPT_MAX];
};

bool xtr_group_name_pick(const struct xtr_ip *addrs, unsigned n, bool ip4, bool ip6, struct xtr_ip *out)
{
	bool found = false;

	for (unsigned i = 0; i < n; i++) {
		if (!xtr_schema_is_group(&addrs[i]) || !(addrs[i].family == 4 ? ip4 : ip6))
			continue;
		if (!found || xtr_ip_cmp(&addrs[i], out) < 0)
			*out = addrs[i];
		found = true;
	}
	return found;
}

bool xtr_group_name_kept(const char *text, const char *name, struct xtr_ip *out)
{
	size_t n = strlen(name);
	char a[XTR_IP_STRLEN];

	for (const char *end; *text; text = end + 1) {
		size_t len;

		end = strchr(text, '\n');
		if (!end)
			return false;
		len = (size_t)(end - text);
		if (len <= n + 1 || strncasecmp(text, name, n) || text[n] != ' ' || len - n - 1 >= sizeof(a))
			continue;
		memcpy(a, text + n + 1, len - n - 1);
		a[len - n - 1] = '\0';
		return !xtr_ip_parse(a, out) && xtr_schema_is_group(out);
	}
	return false;
}

static struct xtr_conf_group *section(struct xtr_conf *c, bool core)
{
	return core ? &c->v.decent.core : &c->v.decent.push;
}

static void families(const struct xtr_conf *c, bool *ip4, bool *ip6)
{
	*ip4 = *ip6 = !c->v.rlocs.count;
	for (unsigned i = 0; i < c->v.rlocs.count; i++) {
		*ip4 |= c->v.rlocs.items[i].address.family == 4;
		*ip6 |= c->v.rlocs.items[i].address.family == 6;
	}
}

/* ---- the kept addresses */

static void save(struct xtr_group_names *s)
{
	char a[XTR_IP_STRLEN];
	size_t n = 0;
	int rc;

	s->kept[0] = '\0';
	for (unsigned i = 0; i < 2; i++)
		if (*s->of[i].text && s->of[i].ip.family)
			n += (size_t)snprintf(s->kept + n, sizeof(s->kept) - n, "%s %s\n", s->of[i].text,
					      xtr_ip_str(&s->of[i].ip, a));
	rc = xtr_state_save(s->d->state_dir, STATE_NAME, s->kept, n);
	if (rc)
		xtr_error("state file %s/%s: %s; the addresses of groups are lost when xtrd stops",
			  s->d->conf->v.state_dir, STATE_NAME, strerror(-rc));
}

int xtr_group_names_open(struct xtr_daemon *d, struct xtr_err *err)
{
	struct xtr_group_names *s = d->group_names = calloc(1, sizeof(*s));
	int n;

	if (!s)
		return xtr_fail(err, -ENOMEM, "no memory");
	s->d = d;
	for (unsigned i = 0; i < 2; i++) {
		s->of[i].s = s;
		s->of[i].core = i;
	}
	n = xtr_state_load(d->state_dir, STATE_NAME, s->kept, sizeof(s->kept) - 1);
	s->kept[n > 0 ? n : 0] = '\0';
	if (n < 0 && n != -ENOENT)
		xtr_warn("state file %s/%s: %s; going on without it", d->conf->v.state_dir, STATE_NAME,
			 strerror(-n));
	return 0;
}

int xtr_group_names_use(struct xtr_daemon *d, struct xtr_conf *c, struct xtr_err *err)
{
	struct xtr_group_names *s = d->group_names;
	bool ip4, ip6, any = false;
	struct xtr_ip ip;

	families(c, &ip4, &ip6);
	for (unsigned i = 0; i < 2; i++) {
		struct xtr_conf_group *g = section(c, i), *other = section(c, !i);

		if (!g->name || !xtr_group_name_kept(s->kept, g->name, &ip) ||
		    !xtr_group_name_pick(&ip, 1, ip4, ip6, &ip) || !xtr_ip_cmp(&ip, &other->group))
			continue;
		g->group = ip;
		any = true;
	}
	return any && xtr_conf_build_named(c) ? xtr_fail(err, -ENOMEM, "no memory") : 0;
}

/* ---- lookups */

static void look(struct name *n);

static void on_timer(uv_timer_t *t)
{
	look(t->data);
}

static void again_in(struct name *n, uint64_t ms)
{
	n->next_at = xtr_daemon_now() + ms;
	uv_update_time(&n->s->d->loop);
	uv_timer_start(&n->timer, on_timer, ms, 0);
}

static void failed(struct name *n, const char *why)
{
	const struct xtr_conf_dns *c = &n->s->d->conf->v.decent.dns;
	uint64_t wait = c->retry_min;

	for (unsigned i = 0; i < n->failures && wait < c->retry_max; i++)
		wait *= 2;
	n->failures++;
	if (strcmp(n->problem, why))
		xtr_warn("group %s: %s; %s", n->text, why,
			 n->ip.family ? "the address of before stays in use" : "without it the group is not there");
	snprintf(n->problem, sizeof(n->problem), "%s", why);
	again_in(n, wait < c->retry_max ? wait : c->retry_max);
}

/* Like a reload, of this alone. */
static int put_to_use(struct name *n, const struct xtr_ip *ip)
{
	struct xtr_group_names *s = n->s;
	struct xtr_daemon *d = s->d;
	struct xtr_conf old = *d->conf;
	struct xtr_arena *to = &s->arena[!s->in_use];
	int rc;

	xtr_arena_free(to);
	section(d->conf, n->core)->group = *ip;
	d->conf->arena = *to;
	rc = xtr_conf_build_named(d->conf);
	*to = d->conf->arena;
	d->conf->arena = old.arena;
	if (!rc)
		rc = xtr_node_reconfigure(d->node, &d->conf->node, xtr_daemon_now());
	if (!rc) {
		s->in_use = !s->in_use;
		n->ip = *ip;
		xtr_decent_join(d);
		return 0;
	}
	*d->conf = old;
	/* The roles may use parts of the new one already. */
	if (xtr_node_reconfigure(d->node, &d->conf->node, xtr_daemon_now())) {
		xtr_error("nor do the roles take the old groups again; restart xtrd");
		s->in_use = !s->in_use;
	}
	return rc;
}

static void on_answer(void *ctx, uint32_t id, const struct xtr_dns_result *r)
{
	struct xtr_group_names *s = ctx;
	struct name *n = &s->of[id & 1];
	const struct xtr_conf_dns *c = &s->d->conf->v.decent.dns;
	uint64_t ttl = (uint64_t)r->ttl * 1000;
	char a[XTR_IP_STRLEN];
	struct xtr_ip ip;
	bool ip4, ip6;
	int rc = 0;

	if (!n->busy || id != n->id)
		return;
	n->busy = false;
	families(s->d->conf, &ip4, &ip6);
	if (r->status) {
		failed(n, *r->why ? r->why : strerror(-r->status));
	} else if (c->require_dnssec && !r->authenticated) {
		failed(n, "the answer of DNS is not validated (require-dnssec)");
	} else if (!xtr_group_name_pick(r->addrs, r->count, ip4, ip6, &ip)) {
		failed(n, "DNS has no multicast address for it that routers forward, of the family of an RLOC");
	} else if (!xtr_ip_cmp(&ip, &section(s->d->conf, !n->core)->group)) {
		failed(n, "it has the address of our other group");
	} else {
		if (!n->ip.family || xtr_ip_cmp(&ip, &n->ip)) {
			rc = put_to_use(n, &ip);
			if (rc) {
				failed(n, "the roles do not take its address");
				return;
			}
			xtr_info("group %s is %s", n->text, xtr_ip_str(&ip, a));
			save(s);
		}
		n->failures = 0;
		n->problem[0] = '\0';
		ttl = ttl < c->ttl_min ? c->ttl_min : ttl > c->ttl_max ? c->ttl_max : ttl;
		again_in(n, ttl);
	}
}

static void look(struct name *n)
{
	int rc;

	n->id = (n->id + 2) & ~1u;
	n->id |= n->core;
	n->next_at = 0;
	n->busy = true;
	rc = xtr_dns_lookup(n->s->dns, n->text, n->id);
	if (rc) {
		n->busy = false;
		failed(n, strerror(-rc));
	}
}

/* ---- life */

static void stop(struct name *n)
{
	if (n->s->timers_open)
		uv_timer_stop(&n->timer);
	n->busy = false;
	n->text[0] = n->problem[0] = '\0';
	n->ip = (struct xtr_ip){ 0 };
	n->failures = 0;
	n->next_at = 0;
}

static int settle_dns(struct xtr_group_names *s, const struct xtr_conf *c, struct xtr_err *err)
{
	struct xtr_dns_config cfg = c->dns;

	if (!c->data_plane)
		cfg.mark = cfg.http.mark = 0; /* as in decent.c */
	if (s->dns)
		return xtr_dns_reconfigure(s->dns, &cfg, err);
	return xtr_dns_open(&s->d->loop, &cfg, on_answer, s, &s->dns, err);
}

void xtr_group_names_settle(struct xtr_daemon *d, const struct xtr_conf *c)
{
	struct xtr_group_names *s = d->group_names;
	const struct xtr_conf_group *groups[2] = { &c->v.decent.push, &c->v.decent.core };
	struct xtr_err err;

	if (!groups[0]->name && !groups[1]->name) {
		stop(&s->of[0]);
		stop(&s->of[1]);
		if (s->dns)
			xtr_dns_close(s->dns);
		s->dns = NULL;
		return;
	}
	for (unsigned i = 0; !s->timers_open && i < 2; i++) {
		uv_timer_init(&d->loop, &s->of[i].timer);
		s->of[i].timer.data = &s->of[i];
	}
	s->timers_open = true;
	if (settle_dns(s, c, &err)) {
		xtr_error("names of groups: %s", err.text);
		if (!s->dns)
			return;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct name *n = &s->of[i];

		if (!groups[i]->name || strcmp(groups[i]->name, n->text))
			stop(n);
		if (!groups[i]->name)
			continue;
		snprintf(n->text, sizeof(n->text), "%s", groups[i]->name);
		n->ip = groups[i]->group;
		if (!n->busy)
			uv_timer_start(&n->timer, on_timer, 0, 0);
	}
}

void xtr_group_names_end(struct xtr_daemon *d)
{
	struct xtr_group_names *s = d->group_names;

	if (!s)
		return;
	stop(&s->of[0]);
	stop(&s->of[1]);
	if (s->dns)
		xtr_dns_close(s->dns);
	s->dns = NULL;
}

void xtr_group_names_close(struct xtr_daemon *d)
{
	struct xtr_group_names *s = d->group_names;

	if (!s)
		return;
	xtr_arena_free(&s->arena[0]);
	xtr_arena_free(&s->arena[1]);
	free(s);
	d->group_names = NULL;
}

void xtr_group_names_walk(const struct xtr_daemon *d,
			  void (*fn)(void *arg, const struct xtr_conf_group *g, bool core, uint64_t next_ms, const char *text),
			  void *arg)
{
	uint64_t now = xtr_daemon_now();
	char text[600];

	for (unsigned i = 0; i < 2; i++) {
		const struct name *n = &d->group_names->of[i];

		if (!*n->text || n->ip.family)
			continue;
		snprintf(text, sizeof(text), "%s: not resolved yet: %s", n->text,
			 *n->problem ? n->problem : "DNS has not answered so far");
		fn(arg, section(d->conf, i), i, n->next_at > now ? n->next_at - now : 0, text);
	}
}
