// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS of the world of fake_world.h. An answer says what is true when it is given, so a change while
 * a lookup is on its way counts.
 */
#include "fake_dns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS 1024

struct lookup {
	struct fw_node *node;
	uint32_t id;
	uint64_t at;
	char name[XTR_DECENT_NAME_MAX];
};
struct fw_dns_state {
	struct fw_dns_name names[FW_DNS_NAMES];
	unsigned name_count, total;
	struct lookup lookups[LOOKUPS];
	unsigned count;
	bool down;
};

static struct fw_dns_state *state(struct fw *w)
{
	if (!w->dns)
		w->dns = calloc(1, sizeof(*w->dns));
	return w->dns;
}

static struct fw_dns_name *find(struct fw *w, const char *name)
{
	struct fw_dns_state *s = state(w);

	for (unsigned i = 0; i < s->name_count; i++)
		if (!strcmp(s->names[i].name, name))
			return &s->names[i];
	return NULL;
}

struct fw_dns_name *fw_dns_name(struct fw *w, const char *name)
{
	struct fw_dns_state *s = state(w);
	struct fw_dns_name *n = find(w, name);

	if (n)
		return n;
	cr_assert(s->name_count < FW_DNS_NAMES);
	n = &s->names[s->name_count++];
	*n = (struct fw_dns_name){ .ttl = 300, .delay = 10 };
	snprintf(n->name, sizeof(n->name), "%s", name);
	return n;
}

struct fw_dns_name *fw_dns(struct fw *w, const char *name, const char *addrs)
{
	struct fw_dns_name *n = fw_dns_name(w, name);
	char copy[FW_DNS_ADDRS * 48], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", addrs);
	n->count = 0;
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		cr_assert(n->count < FW_DNS_ADDRS);
		n->addrs[n->count++] = fw_ip(s);
	}
	return n;
}

void fw_dns_down(struct fw *w, bool down)
{
	state(w)->down = down;
}

unsigned fw_dns_lookups(const struct fw *w)
{
	return w->dns ? w->dns->total : 0;
}

int fw_dns_resolve(void *ctx, const char *name, uint32_t id)
{
	struct fw_node *f = ctx;
	struct fw_dns_state *s = state(f->w);
	struct fw_dns_name *n = fw_dns_name(f->w, name);
	struct lookup *l;

	cr_assert(s->count < LOOKUPS, "lookup storm");
	s->total++;
	n->asked++;
	n->last_asked = f->w->now;
	l = &s->lookups[s->count++];
	*l = (struct lookup){ .node = f, .id = id };
	l->at = f->w->now + (s->down ? 5000 : n->delay);
	snprintf(l->name, sizeof(l->name), "%s", name);
	return 0;
}

static int earliest(const struct fw *w)
{
	int best = -1;

	for (unsigned i = 0; w->dns && i < w->dns->count; i++)
		if (best < 0 || w->dns->lookups[i].at < w->dns->lookups[best].at)
			best = (int)i;
	return best;
}

uint64_t fw_dns_next(const struct fw *w)
{
	int i = earliest(w);

	return i < 0 ? UINT64_MAX : w->dns->lookups[i].at;
}

void fw_dns_answer(struct fw *w)
{
	struct fw_dns_state *s = state(w);
	int i = earliest(w);
	struct lookup l = s->lookups[i];
	const struct fw_dns_name *n = fw_dns_name(w, l.name);
	struct xtr_ip *exact = malloc((n->count + 1) * sizeof(*exact));
	struct xtr_dns_answer a = {
		.status = n->status,
		.why = n->why,
		.partial = n->partial,
		.authenticated = n->authenticated,
		.ttl = n->ttl,
		.count = n->count,
		.addrs = exact,
	};

	s->lookups[i] = s->lookups[--s->count];
	memcpy(exact, n->addrs, n->count * sizeof(*exact));
	if (s->down) {
		a.status = -ETIMEDOUT;
		a.why = "no server answered";
	} else if (!a.status && !n->count) {
		a.status = -ENOENT;
		a.why = "no such name";
	}
	if (a.status)
		a.count = 0;
	xtr_node_resolved(l.node->n, l.id, &a, w->now);
	fw_tick(l.node);
	free(exact);
}

void fw_dns_forget(struct fw_node *f)
{
	struct fw_dns_state *s = state(f->w);

	for (unsigned i = s->count; i-- > 0;)
		if (s->lookups[i].node == f)
			s->lookups[i] = s->lookups[--s->count];
}

void fw_dns_free(struct fw *w)
{
	free(w->dns);
}

/* ---- configuration */

struct xtr_pull_config *fw_conf_pull(struct fw_conf *c, uint32_t modulus)
{
	c->has_pull = true;
	c->pull = (struct xtr_pull_config){
		.hash = { .profile = XTR_DECENT_RFC9962, .modulus = modulus },
		.suffix = "ms.example",
		.server = { .key = fw_key, .want_notify = true, .proxy_reply = true },
		.allow_private = true,
		.change_window = 86400000,
	};
	return &c->pull;
}

void fw_conf_lookup(struct fw_conf *c, const char *prefix, uint8_t length)
{
	struct xtr_decent_lookup *l = &c->lookups[c->pull.hash.lookup_count++];

	*l = (struct xtr_decent_lookup){ .iid = XTR_DECENT_ANY_IID, .length = length };
	cr_assert_eq(xtr_ippfx_parse(prefix, &l->eid), 0);
}

void fw_conf_index_key(struct fw_conf *c, uint32_t index, const struct xtr_key *key)
{
	c->index_keys[c->pull.key_count++] = (struct xtr_index_key){ index, *key };
}
