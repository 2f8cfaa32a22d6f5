// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Texts are in static buffers, several in turn, so that two of them can be compared. */
#include "push_help.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT 8192

static char *next_text(void)
{
	static char texts[8][TEXT];
	static unsigned at;
	char *t = texts[at++ % 8];

	t[0] = '\0';
	return t;
}

static void add(char *t, const char *sep, const char *s)
{
	size_t n = strlen(t);

	snprintf(t + n, TEXT - n, "%s%s", n ? sep : "", s);
}

/* ---- Map-Server */

struct of_eid {
	struct xtr_eid_prefix eid;
	struct xtr_ip ips[600];
	unsigned n;
};

static int collect(void *arg, const struct xtr_site_info *info)
{
	struct of_eid *of = arg;

	if (!info->registered || !xtr_eid_equal(&info->eid, &of->eid))
		return 0;
	for (unsigned i = 0; i < info->locator_count; i++)
		of->ips[of->n++] = info->locators[i].ip;
	return 0;
}

static int by_ip(const void *a, const void *b)
{
	return xtr_ip_cmp(a, b);
}

const char *registered(struct fw_node *f, const char *eid)
{
	struct of_eid of = { .eid = fw_eid(eid) };
	char *t = next_text(), ip[XTR_IP_STRLEN];

	xtr_node_walk_sites(f->n, f->w->now, collect, &of);
	qsort(of.ips, of.n, sizeof(of.ips[0]), by_ip);
	for (unsigned i = 0; i < of.n; i++)
		if (!i || xtr_ip_cmp(&of.ips[i], &of.ips[i - 1]))
			add(t, " ", xtr_ip_str(&of.ips[i], ip));
	return t;
}

/* ---- groups */

static int show_group(void *arg, const struct xtr_group_info *info)
{
	static const char *const states[] = { "self", "live", "peer", "former" };
	char *t = arg, s[128], ip[XTR_IP_STRLEN];

	if (!info->cfg->own)
		return 0;
	add(t, "; ", xtr_ip_str(&info->cfg->group, ip));
	add(t, "", ":");
	for (unsigned i = 0; i < info->count; i++) {
		const struct xtr_member_info *m = &info->members[i];

		snprintf(s, sizeof(s), "%s %s%s", xtr_ip_str(&m->rloc, ip), states[m->state],
			 m->acked && m->state != XTR_MEMBER_SELF ? "+" : "");
		add(t, i ? ", " : " ", s);
	}
	return 0;
}

const char *groups(struct fw_node *f)
{
	char *t = next_text();

	xtr_node_walk_groups(f->n, f->w->now, show_group, t);
	return t;
}

static int first_problem(void *arg, const struct xtr_group_info *info)
{
	char *t = arg;

	if (!info->problem)
		return 0;
	add(t, "", info->problem);
	return 1;
}

const char *group_problem(struct fw_node *f)
{
	char *t = next_text();

	xtr_node_walk_groups(f->n, f->w->now, first_problem, t);
	return t;
}

static int first_subscribed(void *arg, const struct xtr_group_info *info)
{
	*(bool *)arg = info->subscribed;
	return 1;
}

bool subscribed(struct fw_node *f)
{
	bool yes = false;

	xtr_node_walk_groups(f->n, f->w->now, first_subscribed, &yes);
	return yes;
}

const char *list(struct fw_node *f, const char *group)
{
	const struct fw_list *l = fw_list(f, group);
	char *t = next_text(), ip[XTR_IP_STRLEN];

	for (unsigned i = 0; l && i < l->n; i++)
		add(t, " ", xtr_ip_str(&l->ips[i], ip));
	return t;
}

/* ---- messages */

const char *rle_of(const struct xtr_record *rec)
{
	char *t = next_text(), s[128], ip[XTR_IP_STRLEN];
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	unsigned lists = 0;

	while (xtr_locator_next(rec, &it, &l)) {
		struct xtr_rd rle = { 0 };
		struct xtr_rle_entry e;
		struct xtr_ip a;

		if (lists++)
			add(t, "", " |");
		while (xtr_lcaf_rle_next(&l.addr, &rle, &e)) {
			cr_assert(xtr_addr_rloc_ip(&e.addr, &a));
			snprintf(s, sizeof(s), "%s@%u", xtr_ip_str(&a, ip), e.level);
			add(t, " ", s);
		}
	}
	return t;
}

static void answered(void *arg, const struct xtr_lig_result *res)
{
	char *t = arg, ip[XTR_IP_STRLEN];

	for (unsigned i = 0; i < res->count && i < 1; i++) {
		struct xtr_rd it = { 0 };
		struct xtr_locator l;

		while (xtr_locator_next(&res->records[i], &it, &l)) {
			struct xtr_rd rle = { 0 };
			struct xtr_rle_entry e;
			struct xtr_ip a;

			if (xtr_addr_rloc_ip(&l.addr, &a))
				add(t, " ", xtr_ip_str(&a, ip));
			while (l.addr.afi == XTR_AFI_LCAF &&
			       xtr_lcaf_rle_next(&l.addr, &rle, &e))
				if (xtr_addr_rloc_ip(&e.addr, &a))
					add(t, " ", xtr_ip_str(&a, ip));
		}
	}
}

const char *lig(struct fw_node *f, const char *eid)
{
	struct xtr_eid_prefix e = fw_eid(eid);
	char *t = next_text();

	cr_assert_eq(xtr_node_lig(f->n, &e, NULL, answered, t, f->w->now), 0);
	fw_tick(f);
	fw_run(f->w, 3000);
	return t;
}

size_t make_group_register(uint8_t *buf, size_t size, const char *group, const char *rlocs,
			   const struct group_reg *reg)
{
	static const uint8_t site_id[8];
	const struct xtr_key *key = reg->key ? reg->key : &fw_key;
	const struct xtr_register_out head = {
		.type = reg->type ? reg->type : XTR_MSG_MAP_REGISTER,
		.flags = reg->flags | (reg->xtr_id ? XTR_REG_I : 0),
		.nonce = reg->nonce,
		.key_id = key->key_id,
		.alg_id = key->alg_id,
		.record_count = 1,
	};
	const struct xtr_record_head rec = { .ttl = reg->withdraw ? 0
						    : reg->ttl    ? reg->ttl
								  : 1440,
					     .authoritative = true };
	struct xtr_wr w = xtr_wr_init(buf, size);
	static uint8_t rle[16384];
	static struct xtr_ip ips[512];
	static uint8_t levels[512];
	struct xtr_wr r = xtr_wr_init(rle, sizeof(rle));
	struct xtr_locator l = { .priority = 255, .mpriority = 1, .mweight = 100,
				 .local = true,   .reachable = true };
	char name[160], *copy = strdup(rlocs), *save = NULL;
	struct xtr_eid_prefix eid;
	size_t mark;
	unsigned n = 0;

	snprintf(name, sizeof(name), strchr(group, '(') ? "%s" : "(*,%s)", group);
	eid = fw_eid(name);
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save)) {
		ips[n] = fw_ip(s);
		levels[n++] = reg->level ? reg->level : 128;
	}
	free(copy);
	xtr_put_rle(&r, ips, levels, n);
	l.addr.wire = rle;
	l.addr.wire_len = (uint16_t)xtr_wr_len(&r);
	xtr_register_begin(&w, &head);
	mark = xtr_put_record_begin(&w, &rec, &eid);
	if (!reg->withdraw)
		xtr_put_locator_raw(&w, &l);
	xtr_put_record_end(&w, mark, !reg->withdraw);
	if (reg->xtr_id)
		xtr_put_ids(&w, reg->xtr_id, site_id);
	cr_assert_eq(w.err, 0);
	if (key->alg_id != XTR_AUTH_NONE)
		cr_assert_eq(xtr_auth_sign(buf, xtr_wr_len(&w), 16,
					   (size_t)xtr_auth_len(key->alg_id), head.type,
					   key->alg_id, reg->nonce, key->secret, key->secret_len),
			     0);
	return xtr_wr_len(&w);
}
