// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The router of the tests of LISP-Decent by pull; see pull_lab.h. */
#include "pull_lab.h"

#include "codec/auth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct fw_node *n;

void pull_up(void)
{
	world_of("192.0.2.1 2001:db8::1");
	fw_conf_mapping(&conf, EID, "192.0.2.1");
	fw_conf_pull(&conf, 8);
	fw_conf_lookup(&conf, "10.0.0.0/8", 24);
	conf.c.itr = true;
}

void go(void)
{
	n = fw_start(w, "n", &conf);
}

uint32_t index_by(const struct fw_conf *c, const char *eid)
{
	struct xtr_decent_hash h = c->pull.hash;
	struct xtr_eid_prefix e = fw_eid(eid);
	int64_t i;

	h.lookups = c->lookups;
	i = xtr_decent_index(&h, &e);
	cr_assert(i >= 0);
	return (uint32_t)i;
}

const char *name_by(const struct fw_conf *c, const char *eid)
{
	static char buf[4][XTR_DECENT_NAME_MAX];
	static unsigned at;
	char *s = buf[at++ % 4];

	snprintf(s, sizeof(buf[0]), "%u.%s", index_by(c, eid), c->pull.suffix);
	return s;
}

const char *name_of(const char *eid)
{
	return name_by(&conf, eid);
}

/* Packets of a type to an address since a time. */
unsigned sent_to(int type, const char *ip, uint64_t since)
{
	struct xtr_ip to = fw_ip(ip);
	unsigned count = 0;

	for (unsigned i = 0; i < w->packet_count; i++) {
		const struct fw_packet *p = &w->packets[i];

		count += p->from == n && p->sent >= since && fw_type(p) == type &&
			 !xtr_ip_cmp(&p->dst, &to);
	}
	return count;
}

const struct fw_packet *last_to(int type, const char *ip)
{
	struct xtr_ip to = fw_ip(ip);

	for (unsigned i = w->packet_count; i-- > 0;) {
		const struct fw_packet *p = &w->packets[i];

		if (p->from == n && fw_type(p) == type && !xtr_ip_cmp(&p->dst, &to))
			return p;
	}
	return NULL;
}

const struct fw_packet *last(int type)
{
	for (unsigned i = w->packet_count; i-- > 0;)
		if (w->packets[i].from == n && fw_type(&w->packets[i]) == type)
			return &w->packets[i];
	return NULL;
}

struct xtr_register read_register(const struct fw_packet *p)
{
	struct xtr_register m;

	cr_assert_not_null(p, "no Map-Register");
	cr_assert_eq(xtr_register_decode_head(p->buf, p->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	return m;
}

/* TTL of the first record: 0 is a withdrawal. */
uint32_t ttl_of(const struct fw_packet *p)
{
	struct xtr_register m = read_register(p);
	struct xtr_record rec;

	cr_assert(xtr_record_next(&m.records, &rec));
	return rec.ttl;
}

/* The Map-Server at this address confirms everything that was sent to it last. */
void confirm(const char *ip)
{
	const struct fw_packet *p = last_to(XTR_MSG_MAP_REGISTER, ip);
	struct xtr_register m = read_register(p);
	uint8_t buf[2048];

	memcpy(buf, p->buf, p->len);
	buf[0] = XTR_MSG_MAP_NOTIFY << 4;
	buf[1] = buf[2] = 0;
	xtr_auth_sign(buf, p->len, 16, 32, XTR_MSG_MAP_NOTIFY, fw_key.alg_id, m.nonce,
		      fw_key.secret, fw_key.secret_len);
	fw_inject(n, ip, 4342, buf, p->len);
}

void answer(const char *from, const struct fw_rec *rec)
{
	uint8_t buf[1024];
	size_t len = fw_make_reply(buf, sizeof(buf), read_request(last(XTR_MSG_MAP_REQUEST)).nonce,
				   rec, 1);

	fw_inject(n, from, 4342, buf, len);
}

const char *asked_at(void)
{
	static char buf[XTR_IP_STRLEN];
	const struct fw_packet *p = last(XTR_MSG_MAP_REQUEST);

	return p ? xtr_ip_str(&p->dst, buf) : "nobody";
}

struct names names;

static int keep_name(void *arg, const struct xtr_name_info *i)
{
	if (names.count == 64)
		return 1;
	names.list[names.count] = *i;
	snprintf(names.text[names.count], sizeof(names.text[0]), "%s", i->name);
	snprintf(names.problem[names.count], sizeof(names.problem[0]), "%s",
		 i->problem ? i->problem : "");
	names.count++;
	return 0;
}

unsigned show_names(void)
{
	names.count = 0;
	xtr_node_walk_names(n->n, w->now, keep_name, NULL);
	return names.count;
}

const struct xtr_name_info *name_info(const char *name)
{
	for (unsigned i = 0, count = show_names(); i < count; i++)
		if (!strcmp(names.text[i], name))
			return &names.list[i];
	return NULL;
}

struct xtr_db_info db[32];
char db_problem[32][300];
unsigned db_count;

static int keep_db(void *arg, const struct xtr_db_info *i)
{
	if (db_count == 32)
		return 1;
	snprintf(db_problem[db_count], sizeof(db_problem[0]), "%s", i->problem ? i->problem : "");
	db[db_count++] = *i;
	return 0;
}

unsigned show_db(void)
{
	db_count = 0;
	xtr_node_walk_db(n->n, w->now, keep_db, NULL);
	return db_count;
}

void dns_all(const char *suffix, uint32_t modulus, const char *addrs)
{
	for (unsigned i = 0; i < modulus; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%u.%s", i, suffix);
		fw_dns(w, name, addrs)->ttl = 30;
	}
}
