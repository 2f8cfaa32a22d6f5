// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Resolver. Which of several Map-Servers gets a request is decided by a hash of the EID; a
 * repeated request (same nonce) goes to the next one, since the first seems not to answer. The
 * Map-Request itself is not changed, so answers bypass us. With LISP-Decent the Map-Servers depend on
 * the EID (RFC 9962 5).
 */
#include "util/hash.h"
#include "roles/mr.h"
#include "xtr/abi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often this very request was seen before. Forgets when another takes its slot: then a
 * repetition counts as new. */
static uint32_t turn_of(struct xtr_mr *mr, const struct xtr_request *req)
{
	struct {
		uint64_t nonce;
		struct xtr_eid_prefix eid;
	} key;
	uint64_t print;
	unsigned slot;

	memset(&key, 0, sizeof(key));
	key.nonce = req->m->nonce;
	memcpy(&key.eid, &req->eid, sizeof(key.eid));
	print = xtr_hash(&key, sizeof(key));
	slot = print % XTR_MR_SEEN;
	if (mr->seen[slot].print == print)
		return ++mr->seen[slot].turn;
	mr->seen[slot].print = print;
	mr->seen[slot].turn = 0;
	return 0;
}

/* ---- LISP-Decent */

#define PARKED_MS 3000 /* the ITR has asked somebody else by then */

struct xtr_mr_parked {
	struct xtr_mr_parked *next;
	uint64_t since;
	struct xtr_eid_prefix eid;
	struct xtr_msg_meta meta;
	size_t len;
	uint8_t buf[];
};

static bool park(struct xtr_mr *mr, const struct xtr_request *req)
{
	uint8_t buf[XTR_MSG_MAX];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_mr_parked *p;

	if (mr->parked_count >= XTR_MR_PARKED_MAX)
		return false;
	xtr_ecm_reencode(&w, req->ecm);
	p = w.err ? NULL : malloc(sizeof(*p) + xtr_wr_len(&w));
	if (!p)
		return false;
	p->since = mr->env->now;
	p->eid = req->eid;
	p->meta = *req->meta;
	p->len = xtr_wr_len(&w);
	memcpy(p->buf, buf, p->len);
	p->next = mr->parked;
	mr->parked = p;
	mr->parked_count++;
	return true;
}

void xtr_mr_found(struct xtr_mr *mr)
{
	struct xtr_mr_parked **link = &mr->parked;
	struct xtr_env *env = mr->env;

	while (*link) {
		struct xtr_mr_parked *p = *link;

		if (p->since + PARKED_MS > env->now &&
		    env->find.ctx && env->find.waiting(env->find.ctx, &p->eid, 0)) {
			link = &p->next;
			continue;
		}
		if (p->since + PARKED_MS <= env->now ||
		    xtr_env_again(env, &p->meta, p->buf, p->len))
			xtr_count(env, DROP_NO_RLOC);
		*link = p->next;
		mr->parked_count--;
		free(p);
	}
}

/* The set of the EID knows; if we are in it, our own Map-Server does. A registration can be here
 * although we do not think so: another view of the DNS, or parameters before a change. It counts
 * unless it is so short that another set may know more (X14). Never back to where it came from: two
 * nodes with two views would play with it. */
bool xtr_mr_decent(struct xtr_mr *mr, const struct xtr_request *req, int known)
{
	struct xtr_env *env = mr->env;
	const struct xtr_finder *f = &env->find;
	struct xtr_ip list[32];
	unsigned n, good = 0, stage = f->best_stage(f->ctx);

	if (known >= 0 && (unsigned)known >= f->floor(f->ctx, &req->eid))
		return true;
	n = f->resolvers(f->ctx, &req->eid, stage, list, 32);
	if (!n && stage)
		n = f->resolvers(f->ctx, &req->eid, 0, list, 32);
	for (unsigned i = 0; i < n; i++) {
		if (env->cfg.ms && xtr_env_own_rloc(env, &list[i]))
			return true;
		if (xtr_env_reaches(env, list[i].family) && xtr_ip_cmp(&list[i], &req->meta->src))
			list[good++] = list[i];
	}
	if (good) {
		uint64_t first = xtr_hash(&req->eid, sizeof(req->eid)) + turn_of(mr, req);

		for (unsigned i = 0;
		     i < good && xtr_forward_request(env, req, &list[(first + i) % good]); i++)
			;
		return false;
	}
	if (n || known >= 0) /* whoever sent it thinks that we know */
		return true;
	/* Not known yet who they are: that is no negative answer. */
	if (!f->waiting(f->ctx, &req->eid, 0) || !park(mr, req))
		xtr_count(env, DROP_NO_RLOC);
	return false;
}

bool xtr_mr_request(struct xtr_mr *mr, const struct xtr_request *req, bool has_ms)
{
	struct xtr_env *env = mr->env;
	const struct xtr_node_config *cfg = &env->cfg;
	const struct xtr_ip *good[32];
	struct xtr_eid_prefix hole;
	unsigned n = 0;

	for (unsigned i = 0; i < cfg->mr_map_server_count && n < 32; i++) {
		const struct xtr_ip *ip = &cfg->mr_map_servers[i];

		/* Our own Map-Server was asked already whether it knows the EID. */
		if (xtr_env_reaches(env, ip->family) && !xtr_env_own_rloc(env, ip))
			good[n++] = ip;
	}
	if (n) {
		uint64_t first = xtr_hash(&req->eid, sizeof(req->eid));

		first += turn_of(mr, req);
		for (unsigned i = 0; i < n && xtr_forward_request(env, req, good[(first + i) % n]);
		     i++)
			;
		return false;
	}
	if (has_ms)
		return true;
	if (cfg->mr_map_server_count) { /* they exist, but cannot be reached now: that is no
					   negative answer */
		xtr_count(env, DROP_NO_RLOC);
		return false;
	}
	hole = xtr_eid_host(&req->eid);
	hole = xtr_hole(env, &hole, 0);
	xtr_reply_negative(env, req, &hole, XTR_ACT_NATIVE, cfg->timers.negative_ttl_min);
	return false;
}

int xtr_mr_new(struct xtr_env *env, struct xtr_mr **out)
{
	struct xtr_mr *mr = calloc(1, sizeof(*mr));

	if (!mr)
		return -ENOMEM;
	mr->env = env;
	*out = mr;
	return 0;
}

void xtr_mr_free(struct xtr_mr *mr)
{
	while (mr && mr->parked) {
		struct xtr_mr_parked *p = mr->parked;

		mr->parked = p->next;
		free(p);
	}
	free(mr);
}
