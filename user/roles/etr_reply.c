// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ETR, the answering side: one Map-Reply with the longest match and everything more specific below
 * it (RFC 9301 5.5), for requests forwarded by a Map-Server, sent directly, and probes (RFC
 * 9301 7.1).
 *
 * A prefix can be asked for that is none any more, as it has been split: who has it in a map-cache
 * asks for it. Its first address stands for it, as at a Map-Server, which forwards the request
 * unaltered to who has that; the answer is all that we have inside.
 */
#include "roles/etr.h"

#include <errno.h>
#include <string.h>

struct answer {
	const struct xtr_env *env;
	struct xtr_wr w;
	size_t room; /* octets of the whole message */
	const struct xtr_ip *probed;
	unsigned records, looked;
	uint32_t ttl;
	struct xtr_eid_prefix about; /* of the first answer: what the rate limit goes by */
};

static int shortest_ttl(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	const struct xtr_mapping_config *map = value;
	struct answer *a = ctx;

	if (map->ttl_min < a->ttl)
		a->ttl = map->ttl_min;
	return ++a->looked > 255; /* more than one message can hold */
}

static size_t left(const struct answer *a)
{
	size_t len = xtr_wr_len(&a->w);

	return len < a->room ? a->room - len : 0;
}

static int put_one(void *ctx, const struct xtr_eid_prefix *eid, void *value)
{
	struct answer *a = ctx;
	const struct xtr_mapping_config *map = value;
	const struct xtr_etr_record r = {
		.eid = eid,
		.map = map,
		.ttl_min = a->ttl,
		.probed = a->probed,
		.room = SIZE_MAX,
	};

	xtr_etr_put_record(a->env, &a->w, &r);
	a->records++;
	return a->w.err || xtr_wr_len(&a->w) > a->room || a->records > 255;
}

/* All of ours inside, each with the shortest TTL, or nothing if it does not fit. */
static bool put_all(struct answer *a, const struct xtr_eid_prefix *inside)
{
	const struct answer before = *a;

	a->ttl = UINT32_MAX;
	a->looked = 0;
	if (!xtr_eiddb_walk(&a->env->own, inside, shortest_ttl, a) &&
	    !xtr_eiddb_walk(&a->env->own, inside, put_one, a))
		return true;
	*a = before;
	return false;
}

/* The answer for one EID. The records have to go into one message: if they do not fit, the largest
 * part of the match that holds the EID and nothing more specific is answered alone. */
static void append(struct answer *a, const struct xtr_eid_prefix *eid,
		   const struct xtr_mapping_config *map)
{
	const struct answer before = *a;
	struct xtr_eid_prefix host, hole;
	struct xtr_etr_record r = { .map = map, .probed = a->probed };

	if (!a->records)
		a->about = map->eid;
	if (put_all(a, xtr_eid_covers(&map->eid, eid) ? &map->eid : eid))
		return;
	hole = map->eid;
	if (xtr_eiddb_has_longer(&a->env->own, &map->eid)) {
		host = xtr_eid_host(eid);
		hole = xtr_eid_cut(&host, xtr_eiddb_hole(&a->env->own, &host));
	}
	r.eid = &hole;
	r.ttl_min = map->ttl_min;
	r.room = left(a);
	xtr_etr_put_record(a->env, &a->w, &r);
	if (a->w.err || xtr_wr_len(&a->w) > a->room) {
		*a = before;
		return;
	}
	if (!a->records++)
		a->about = hole;
}

const struct xtr_mapping_config *xtr_etr_match(const struct xtr_env *env, const struct xtr_eid_prefix *eid)
{
	const struct xtr_mapping_config *map = xtr_eiddb_match(&env->own, eid, NULL);
	struct xtr_eid_prefix host = xtr_eid_host(eid);

	return map ? map : xtr_eiddb_match(&env->own, &host, NULL);
}

void xtr_etr_answer(struct xtr_etr *etr, const struct xtr_request *req)
{
	struct xtr_env *env = etr->env;
	const struct xtr_mapping_config *map;
	uint8_t buf[XTR_MSG_MAX];
	bool probe = req->m->flags & XTR_MREQ_P;
	struct answer a = {
		.env = env,
		.w = xtr_wr_init(buf, sizeof(buf)),
		.probed = probe ? &req->meta->dst : NULL,
	};
	struct xtr_mreq_record rec;
	struct xtr_eid_prefix eid;
	struct xtr_rd it = { 0 };
	struct xtr_ip to;

	if (req->m->flags & XTR_MREQ_D) /* no answer wanted (RFC 9301 5.2) */
		return;
	if (!xtr_reply_target(env, req, &to))
		return;
	a.room = xtr_env_room(to.family);
	xtr_map_reply_begin(&a.w, probe, false, 0, req->m->nonce);
	while (xtr_mreq_record_next(req->m, &it, &rec)) {
		if (xtr_eid_from_addr(&rec.eid, rec.mask_len, &eid, NULL))
			continue;
		map = xtr_etr_match(env, &eid);
		if (map)
			append(&a, &eid, map);
	}
	if (a.w.err || !a.records || !xtr_reply_allowed(env, req, &to, &a.about))
		return;
	buf[3] = (uint8_t)a.records;
	xtr_reply_send(env, req, &to, buf, xtr_wr_len(&a.w));
}
