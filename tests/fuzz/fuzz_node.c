// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A node with all roles on, fed a sequence of steps: messages as they come, messages made good
 * enough to get past nonces, MACs and checksums, misses, time, changes of configuration. A step is
 * one octet of kind, two of length, then its data.
 *
 * Checked besides the sanitizers: tables stay within their limits, the data plane is told only what
 * it can do, the node comes to rest, everything is freed.
 */
#include "fuzz/exercise.h"

#include "codec/auth.h"
#include "roles/node.h"
#include "xtr/abi.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CACHE 32
#define PENDING 16
#define REGISTRATIONS 24

struct world {
	struct xtr_node *n;
	uint64_t now, random, request_nonce, register_nonce, notify_nonce, next_nonce;
	unsigned sent;
	struct {
		uint8_t buf[8192];
		size_t len;
		char name[32];
	} blobs[4];
	struct xtr_node_config cfg;
	struct xtr_rloc_config rlocs[2], locators[2];
	struct xtr_mapping_config mappings[3];
	struct xtr_map_server_config servers[2];
	struct xtr_key keys[2];
	struct xtr_site_prefix_config prefixes[4];
	struct xtr_site_config sites[2];
	struct xtr_ip resolvers[2];
	struct xtr_group_config groups[2];
	struct xtr_ip peers[2];
	unsigned listed; /* in the replication list */
};

static const uint8_t secret[] = "secret";

static uint64_t nonce_at(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static int op_send(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		   const void *buf, size_t len)
{
	struct world *w = ctx;
	struct xtr_ecm ecm;

	EX_CHECK(dst->family && dport && len && len <= XTR_MSG_MAX);
	w->sent++;
	switch (xtr_msg_type(buf, len)) {
	case XTR_MSG_ECM:
		EX_CHECK(!xtr_ecm_decode(buf, len, &ecm));
		EX_CHECK(ecm.msg_len > 12);
		w->request_nonce = nonce_at(ecm.msg + 4);
		break;
	case XTR_MSG_MAP_REGISTER:
		EX_CHECK(nonce_at((const uint8_t *)buf + 4) >= w->register_nonce);
		w->register_nonce = nonce_at((const uint8_t *)buf + 4);
		break;
	case XTR_MSG_MAP_NOTIFY: w->notify_nonce = nonce_at((const uint8_t *)buf + 4); break;
	case XTR_MSG_MAP_REPLY: {
		struct xtr_map_reply m;

		EX_CHECK(!xtr_map_reply_decode(buf, len, &m));
		/* But for replication lists, which cannot be split. */
		EX_CHECK(len <= XTR_MSG_SAFE6 || w->cfg.decent.group_count);
		break;
	}
	}
	return w->sent % 16 ? 0 : -ENETUNREACH;
}

static int op_put(void *ctx, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd)
{
	struct xtr_ippfx p;

	EX_CHECK(xtr_eid_to_ippfx(eid, &p));
	EX_CHECK(fwd->n <= 8 &&
		 (fwd->action == XTR_ACT_ENCAP || (fwd->action <= XTR_ACT_DROP_AUTH && !fwd->n)));
	for (unsigned i = 0; i < fwd->n; i++)
		EX_CHECK(fwd->locators[i].ip.family == 4 || fwd->locators[i].ip.family == 6);
	return 0;
}

static int op_del(void *ctx, const struct xtr_eid_prefix *eid)
{
	return 0;
}

static uint64_t op_idle(void *ctx, const struct xtr_eid_prefix *eid)
{
	return eid->a[1] & 1 ? 1000 : UINT64_MAX;
}

static void op_failed(void *ctx, const struct xtr_eid_prefix *eid)
{
}

static void op_random(void *ctx, void *buf, size_t len)
{
	struct world *w = ctx;

	for (uint8_t *p = buf; len--; p++) {
		w->random = w->random * 6364136223846793005ull + 1442695040888963407ull;
		*p = (uint8_t)(w->random >> 40);
	}
}

static int op_save(void *ctx, const char *name, const void *buf, size_t len)
{
	struct world *w = ctx;

	for (unsigned i = 0; i < 4; i++) {
		if (w->blobs[i].name[0] && strcmp(w->blobs[i].name, name))
			continue;
		if (len > sizeof(w->blobs[i].buf))
			return -ENOSPC;
		snprintf(w->blobs[i].name, sizeof(w->blobs[i].name), "%s", name);
		memcpy(w->blobs[i].buf, buf, len);
		w->blobs[i].len = len;
		return 0;
	}
	return -ENOSPC;
}

static int op_load(void *ctx, const char *name, void *buf, size_t size)
{
	struct world *w = ctx;

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(w->blobs[i].name, name))
			continue;
		if (w->blobs[i].len > size)
			return -EFBIG;
		memcpy(buf, w->blobs[i].buf, w->blobs[i].len);
		return (int)w->blobs[i].len;
	}
	return -ENOENT;
}

static uint64_t op_wall(void *ctx)
{
	return 1700000000 + ((struct world *)ctx)->now / 1000;
}

static void op_event(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		     const char *text)
{
	EX_CHECK(kind < XTR_EVENT_MAX && strlen(text) < 256);
}

static int op_send_group(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			 const void *buf, size_t len)
{
	struct world *w = ctx;

	EX_CHECK(xtr_ip_is_multicast(group) && src->family == group->family);
	EX_CHECK(xtr_msg_type(buf, len) == XTR_MSG_MAP_REGISTER);
	EX_CHECK(nonce_at((const uint8_t *)buf + 4) >= w->register_nonce);
	w->register_nonce = nonce_at((const uint8_t *)buf + 4);
	return ++w->sent % 16 ? 0 : -ENETUNREACH;
}

static int op_send_overlay(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			   const void *buf, size_t len)
{
	struct world *w = ctx;

	EX_CHECK(w->listed);
	return op_send_group(ctx, src, group, buf, len);
}

static int op_replicate(void *ctx, const struct xtr_eid_prefix *group, const struct xtr_ip *members,
			unsigned n)
{
	struct world *w = ctx;

	EX_CHECK(group->iid == XTR_IID_MAX && group->group_len && !group->len);
	for (unsigned i = 0; i < n; i++) {
		EX_CHECK(xtr_ip_cmp(&members[i], &w->rlocs[0].ip) &&
			 xtr_ip_cmp(&members[i], &w->rlocs[1].ip));
		EX_CHECK(!i || xtr_ip_cmp(&members[i - 1], &members[i]) < 0);
	}
	if (++w->sent % 16 == 0)
		return -ENOMEM;
	w->listed = n;
	return 0;
}

static int op_control_peers(void *ctx, const struct xtr_ip *peers, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		EX_CHECK(xtr_ip_cmp(&peers[i - 1], &peers[i]) < 0);
	return 0;
}

static struct xtr_eid_prefix eid_of(const char *s)
{
	struct xtr_eid_prefix e;

	EX_CHECK(!xtr_eid_parse(s, &e));
	return e;
}

static struct xtr_ip ip_of(const char *s)
{
	struct xtr_ip ip;

	EX_CHECK(!xtr_ip_parse(s, &ip));
	return ip;
}

static void configure(struct world *w)
{
	struct xtr_node_config *c = &w->cfg;

	*c = (struct xtr_node_config){ .timers = XTR_NODE_TIMERS_DEFAULT,
				       .limits = XTR_NODE_LIMITS_DEFAULT };
	c->limits.cache_entries = CACHE;
	c->limits.pending_requests = PENDING;
	c->limits.registrations = REGISTRATIONS;
	c->limits.replies_per_second = 100;
	c->itr = c->etr = c->ms = c->mr = true;
	w->rlocs[0] = (struct xtr_rloc_config){ .ip = ip_of("192.0.2.1"), .priority = 1 };
	w->rlocs[1] = (struct xtr_rloc_config){ .ip = ip_of("2001:db8::1"), .priority = 2 };
	memcpy(w->locators, w->rlocs, sizeof(w->locators));
	c->rlocs = w->rlocs;
	c->rloc_count = 2;
	w->resolvers[0] = ip_of("192.0.2.8");
	w->resolvers[1] = ip_of("192.0.2.1");
	c->map_resolvers = w->resolvers;
	c->map_resolver_count = 2;
	c->mr_map_servers = w->resolvers;
	c->mr_map_server_count = 1;
	w->mappings[0] = (struct xtr_mapping_config){ eid_of("10.1.0.0/16"), 1440, 0, w->locators,
						      2 };
	w->mappings[1] = (struct xtr_mapping_config){ eid_of("10.1.7.0/24"), 60, 7, w->locators,
						      1 };
	w->mappings[2] = (struct xtr_mapping_config){ eid_of("[3]2001:db8:1::/48"), 60, 0,
						      w->locators, 1 };
	c->mappings = w->mappings;
	c->mapping_count = 3;
	w->keys[0] = (struct xtr_key){ 1, XTR_AUTH_SHA256, secret, 6 };
	w->keys[1] = (struct xtr_key){ .key_id = 2 };
	w->servers[0] = (struct xtr_map_server_config){ .address = ip_of("192.0.2.9"),
							.key = w->keys[0],
							.want_notify = true };
	w->servers[1] = (struct xtr_map_server_config){ .address = ip_of("192.0.2.1"),
							.key = w->keys[0],
							.want_notify = true,
							.merge = true,
							.proxy_reply = true };
	c->map_servers = w->servers;
	c->map_server_count = 2;
	w->prefixes[0] = (struct xtr_site_prefix_config){ eid_of("10.0.0.0/8"), true };
	w->prefixes[1] = (struct xtr_site_prefix_config){ eid_of("2001:db8::/32"), true };
	w->prefixes[2] = (struct xtr_site_prefix_config){ eid_of("10.9.0.0/16"), false };
	w->prefixes[3] = (struct xtr_site_prefix_config){ eid_of("[3]2001:db8::/32"), true };
	w->sites[0] = (struct xtr_site_config){ .name = "a",
						.keys = w->keys,
						.key_count = 2,
						.prefixes = w->prefixes,
						.prefix_count = 2 };
	w->sites[1] = (struct xtr_site_config){ .name = "b",
						.keys = w->keys,
						.key_count = 1,
						.prefixes = w->prefixes + 2,
						.prefix_count = 2,
						.force_proxy = true,
						.max_registrations = 4 };
	c->sites = w->sites;
	c->site_count = 2;
}

/* A seed-group of which we are a member, and its core; or the core as the group itself. */
static void seed_groups(struct world *w, uint8_t how)
{
	struct xtr_map_server_config server = { .key = w->keys[0],
						.want_notify = how & 1,
						.proxy_reply = true };

	w->peers[0] = ip_of("192.0.2.9");
	w->peers[1] = ip_of("192.0.2.1"); /* ourselves: no harm */
	for (unsigned i = 0; i < 2; i++) {
		w->groups[i] = (struct xtr_group_config){
			.group = ip_of(i ? "224.0.9.1" : "224.1.1.1"),
			.member = !i,
			.own = !i,
			.core = i,
			.all_eids = how & 2,
			.transport = how & 4 ? XTR_GROUP_OVERLAY : XTR_GROUP_UNDERLAY,
			.via = how & 8 ? XTR_VIA_CORE : XTR_VIA_SELF,
			.server = server,
			.peers = w->peers,
			.peer_count = 2,
			.unauthenticated = w->peers,
			.unauthenticated_count = how >> 4 & 1,
			.lookup_interval = 60000,
			.subscribe = how & 32,
		};
		w->groups[i].server.address = w->groups[i].group;
	}
	w->cfg.has_ids = true;
	w->cfg.decent.groups = w->groups;
	w->cfg.decent.group_count = how & 64 ? 0 : how & 8 ? 2 : 1;
	/* As xtrd does: the Map-Server takes memberships of the group. */
	w->prefixes[2] = (struct xtr_site_prefix_config){ eid_of("(*,224.0.0.0/4)"), true };
	w->cfg.site_count = 2;
	EX_CHECK(!xtr_node_reconfigure(w->n, &w->cfg, w->now));
}

/* ---- steps */

static void settle(struct world *w)
{
	unsigned rounds = 0;

	while (xtr_node_tick(w->n, w->now) <= w->now)
		EX_CHECK(++rounds < 1000);
}

static void input(struct world *w, const uint8_t *buf, size_t len)
{
	struct xtr_msg_meta meta = { .src = ip_of("192.0.2.9"),
				     .dst = ip_of("192.0.2.1"),
				     .sport = 4342,
				     .dport = 4342 };
	uint8_t *exact = ex_exact(buf, len);

	if (len && buf[len - 1] & 1) {
		meta.src = ip_of("2001:db8::9");
		meta.dst = ip_of("2001:db8::1");
	}
	xtr_node_input(w->n, &meta, exact, len, w->now);
	free(exact);
}

static void set_nonce(uint8_t *buf, uint64_t nonce)
{
	for (int i = 7; i >= 0; i--, nonce >>= 8)
		buf[4 + i] = (uint8_t)nonce;
}

/* Header of the type with a nonce that counts, data as the rest; MAC right. */
static void input_signed(struct world *w, uint8_t type, uint64_t nonce, const uint8_t *data,
			 size_t len)
{
	uint8_t buf[4096];

	if (len < 3 || len > 2048)
		return;
	memset(buf, 0, 48);
	buf[0] = (uint8_t)(type << 4 | (data[0] & 15));
	buf[1] = data[1];
	buf[2] = data[1];
	buf[3] = data[2];
	set_nonce(buf, nonce);
	buf[12] = 1;
	buf[13] = XTR_AUTH_SHA256;
	buf[15] = 32;
	memcpy(buf + 48, data + 3, len - 3);
	EX_CHECK(!xtr_auth_sign(buf, 45 + len, 16, 32, type, XTR_AUTH_SHA256, nonce, secret, 6));
	input(w, buf, 45 + len);
}

static void input_reply(struct world *w, const uint8_t *data, size_t len)
{
	uint8_t buf[4096] = { XTR_MSG_MAP_REPLY << 4 };

	if (len < 1 || len > 2048)
		return;
	buf[3] = data[0];
	set_nonce(buf, w->request_nonce);
	memcpy(buf + 12, data + 1, len - 1);
	input(w, buf, 11 + len);
}

static void input_ecm(struct world *w, const uint8_t *data, size_t len)
{
	struct xtr_ip src = ip_of("192.0.2.50"), dst = ip_of("10.1.0.1");
	uint8_t buf[4096];
	struct xtr_wr wr = xtr_wr_init(buf, sizeof(buf));

	if (!len || len > 2048)
		return;
	xtr_ecm_encode(&wr, &src, 4342, &dst, 4342, data, len);
	input(w, buf, xtr_wr_len(&wr));
}

static void eid_from(const uint8_t *data, size_t len, struct xtr_eid_prefix *out)
{
	struct xtr_ippfx p = { .ip = { .family = len > 8 ? 6 : 4, .a = { 10 } },
			       .len = len > 8 ? 128 : 32 };

	if (len > 8) {
		memcpy(p.ip.a, "\x20\x01\x0d\xb8", 4);
		memcpy(p.ip.a + 4, data, len < 12 ? len : 12);
	} else {
		memcpy(p.ip.a + 1, data, len < 3 ? len : 3);
	}
	xtr_eid_from_ippfx(len > 3 && data[3] & 1 ? 3 : 0, &p, out);
}

/* A message to the group, by multicast or overlay; dst may be a group that is not ours. */
static void input_group(struct world *w, uint8_t how, const uint8_t *buf, size_t len)
{
	struct xtr_msg_meta meta = { .src = ip_of("192.0.2.9"),
				     .dst = ip_of(how & 2 ? "224.0.9.1" : "224.1.1.1"),
				     .sport = 4342,
				     .dport = 4342,
				     .overlay = how & 1 };
	uint8_t *exact = ex_exact(buf, len);

	meta.src.a[3] = (uint8_t)(how >> 2);
	xtr_node_input(w->n, &meta, exact, len, w->now);
	free(exact);
}

/* A member's registration, signed: its RLOCs are octets of the data. */
static void input_membership(struct world *w, uint8_t type, uint64_t nonce, const uint8_t *data,
			     size_t len)
{
	struct xtr_eid_prefix eid = eid_of(len & 1 ? "(*,224.1.1.1)" : "(*,224.0.9.1)");
	const struct xtr_record_head rec = { .ttl = len % 7 };
	struct xtr_register_out head = { .type = type,
					 .flags = XTR_REG_MERGE | (len & 2 ? XTR_REG_M : 0),
					 .nonce = nonce,
					 .key_id = 1,
					 .alg_id = XTR_AUTH_SHA256,
					 .record_count = 1 };
	uint8_t buf[8192], list[4096], levels[64];
	struct xtr_wr w1 = xtr_wr_init(buf, sizeof(buf)), w2 = xtr_wr_init(list, sizeof(list));
	struct xtr_locator l = { .priority = 255, .mpriority = 1, .reachable = true };
	struct xtr_ip ips[64];
	unsigned n = 0;
	size_t mark;

	for (; n < 64 && n < len; n++) {
		ips[n] = ip_of("192.0.2.0");
		ips[n].a[3] = data[n];
		levels[n] = data[n] & 128;
	}
	xtr_put_rle(&w2, ips, levels, n);
	l.addr.wire = list;
	l.addr.wire_len = (uint16_t)xtr_wr_len(&w2);
	xtr_register_begin(&w1, &head);
	mark = xtr_put_record_begin(&w1, &rec, &eid);
	xtr_put_locator_raw(&w1, &l);
	xtr_put_record_end(&w1, mark, 1);
	EX_CHECK(!w1.err && !xtr_auth_sign(buf, xtr_wr_len(&w1), 16, 32, type, XTR_AUTH_SHA256,
					   nonce, secret, 6));
	if (type == XTR_MSG_MAP_REGISTER)
		input_group(w, (uint8_t)(len ? data[0] << 2 : 0), buf, xtr_wr_len(&w1));
	else
		input(w, buf, xtr_wr_len(&w1));
}

static unsigned counted;

static int count_groups(void *arg, const struct xtr_group_info *i)
{
	EX_CHECK(i->count <= 513 && i->cfg);
	for (unsigned m = 0; m < i->count; m++)
		EX_CHECK(i->members[m].state <= XTR_MEMBER_FORMER && i->members[m].rloc.family);
	return 0;
}

static int count_cache(void *arg, const struct xtr_cache_info *i)
{
	counted++;
	EX_CHECK(i->locator_count <= 32);
	return 0;
}
static int count_pending(void *arg, const struct xtr_pending_info *i)
{
	counted++;
	return 0;
}
static int count_db(void *arg, const struct xtr_db_info *i)
{
	counted++;
	EX_CHECK(i->locator_count <= 32);
	return 0;
}
static int count_sites(void *arg, const struct xtr_site_info *i)
{
	counted += i->registered;
	EX_CHECK(i->site && i->locator_count <= 32);
	return 0;
}

static void check(struct world *w)
{
	counted = 0;
	xtr_node_walk_cache(w->n, NULL, w->now, count_cache, NULL);
	EX_CHECK(counted <= CACHE);
	counted = 0;
	xtr_node_walk_pending(w->n, w->now, count_pending, NULL);
	EX_CHECK(counted <= PENDING);
	counted = 0;
	xtr_node_walk_sites(w->n, w->now, count_sites, NULL);
	EX_CHECK(counted <= REGISTRATIONS);
	xtr_node_walk_db(w->n, w->now, count_db, NULL);
	xtr_node_walk_groups(w->n, w->now, count_groups, NULL);
}

static void on_lig(void *arg, const struct xtr_lig_result *res)
{
	EX_CHECK(res->count <= 255);
}

static const struct xtr_ops ops_of(struct world *w)
{
	return (struct xtr_ops){
		.ctx = w,
		.send = op_send,
		.cache_put = op_put,
		.cache_del = op_del,
		.cache_idle = op_idle,
		.miss_failed = op_failed,
		.random = op_random,
		.save = op_save,
		.load = op_load,
		.wall_seconds = op_wall,
		.event = op_event,
		.send_group = op_send_group,
		.send_overlay = op_send_overlay,
		.replicate = op_replicate,
		.control_peers = op_control_peers,
	};
}

static void restart(struct world *w)
{
	const struct xtr_ops ops = ops_of(w);

	xtr_node_free(w->n);
	EX_CHECK(!xtr_node_new(&w->cfg, &ops, w->now, &w->n));
}

static void reconfigure(struct world *w, uint8_t how)
{
	w->cfg.mapping_count = how & 3;
	w->cfg.site_count = how & 4 ? 1 : 2;
	w->cfg.itr = !(how & 8);
	w->cfg.ms = !(how & 16);
	w->cfg.etr = !(how & 32);
	w->cfg.mr = !(how & 64);
	w->prefixes[0].accept_more_specifics = !(how & 128);
	EX_CHECK(!xtr_node_reconfigure(w->n, &w->cfg, w->now));
}

static void static_entry(struct world *w, const struct xtr_eid_prefix *eid, uint8_t how)
{
	struct xtr_fwd fwd = { .action = how & 1 ? XTR_ACT_ENCAP : how >> 1 & 7, .n = how & 1 };

	fwd.locators[0].ip = ip_of("192.0.2.77");
	if (how & 128)
		xtr_node_adopt(w->n, eid, &fwd, w->now);
	else if (!(how & 64)) /* few, or they fill the cache for good */
		xtr_node_cache_add(w->n, eid, &fwd, w->now);
}

static void group_step(struct world *w, uint8_t kind, const uint8_t *data, size_t len)
{
	switch (kind % 6) {
	case 0: seed_groups(w, len ? data[0] : 0); break;
	case 1: input_group(w, len ? data[0] : 0, data, len); break;
	case 2: input_membership(w, XTR_MSG_MAP_REGISTER, ++w->next_nonce, data, len); break;
	case 3: input_membership(w, XTR_MSG_MAP_NOTIFY, w->register_nonce, data, len); break;
	case 4:
		input_membership(w, XTR_MSG_MAP_NOTIFY, w->request_nonce + len % 3, data, len);
		break;
	case 5: input_membership(w, XTR_MSG_MAP_NOTIFY, ++w->next_nonce, data, len); break;
	}
}

static void step(struct world *w, uint8_t kind, const uint8_t *data, size_t len)
{
	struct xtr_eid_prefix eid;

	if (kind >= 240) {
		group_step(w, kind, data, len);
		settle(w);
		return;
	}
	eid_from(data, len, &eid);
	switch (kind % 15) {
	case 0: input(w, data, len); break;
	case 1: input_signed(w, XTR_MSG_MAP_REGISTER, ++w->next_nonce, data, len); break;
	case 2: input_reply(w, data, len); break;
	case 3: input_signed(w, XTR_MSG_MAP_NOTIFY, w->register_nonce, data, len); break;
	case 4: input_signed(w, XTR_MSG_MAP_NOTIFY_ACK, w->notify_nonce, data, len); break;
	case 5: input_ecm(w, data, len); break;
	case 6:
	case 7: xtr_node_miss(w->n, &eid, len & 1 ? &eid : NULL, w->now); break;
	case 8: w->now += len ? data[0] * 1000ull : 100; break;
	case 9: w->now += len ? data[0] : 1; break;
	case 10: reconfigure(w, len ? data[0] : 0); break;
	case 11: {
		struct xtr_ip up[2] = { w->rlocs[len & 1].ip, w->rlocs[1].ip };

		xtr_node_rlocs_up(w->n, up, len % 3, w->now);
		break;
	}
	case 12:
		xtr_node_lig(w->n, &eid, len & 1 ? &w->resolvers[0] : NULL, on_lig, NULL, w->now);
		break;
	case 13:
		if (len & 1)
			xtr_node_cache_clear(w->n, len & 2 ? &eid : NULL, UINT32_MAX, w->now);
		else
			static_entry(w, &eid, len ? data[0] : 0);
		break;
	case 14: restart(w); break;
	}
	settle(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct xtr_ops ops;

	memset(&w, 0, sizeof(w));
	w.now = 1000;
	configure(&w);
	ops = ops_of(&w);
	EX_CHECK(!xtr_node_new(&w.cfg, &ops, w.now, &w.n));
	settle(&w);
	while (size >= 3) {
		size_t len = (size_t)(data[1] << 8 | data[2]) & 0x3ff;
		uint8_t kind = data[0];

		data += 3;
		size -= 3;
		len = len < size ? len : size;
		step(&w, kind, data, len);
		data += len;
		size -= len;
	}
	check(&w);
	xtr_node_free(w.n);
	return 0;
}
