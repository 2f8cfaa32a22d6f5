// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Table of outstanding Map-Requests. Owns its entries. Invariant: an entry is in the nonce table
 * exactly while its nonce is not 0, so an answer can be used once (RFC 9301 5.4).
 */
#define HASH_NONFATAL_OOM 1
#include "core/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void xtr_pendings_init(struct xtr_pendings *ps, struct xtr_timers *timers, uint8_t kind,
		       uint32_t limit)
{
	memset(ps, 0, sizeof(*ps));
	ps->timers = timers;
	ps->kind = kind;
	ps->limit = limit;
}

void xtr_pendings_free(struct xtr_pendings *ps)
{
	while (ps->oldest)
		xtr_pending_del(ps, ps->oldest);
}

struct xtr_pending *xtr_pending_find(const struct xtr_pendings *ps,
				     const struct xtr_eid_prefix *eid)
{
	struct xtr_pending *p;

	HASH_FIND(by_eid, ps->eids, eid, sizeof(*eid), p);
	return p;
}

struct xtr_pending *xtr_pending_by_nonce(const struct xtr_pendings *ps, uint64_t nonce)
{
	struct xtr_pending *p;

	HASH_FIND(by_nonce, ps->nonces, &nonce, sizeof(nonce), p);
	return p;
}

static void share_add(struct xtr_pendings *ps, struct xtr_pending *p)
{
	unsigned i = xtr_pending_share(p->eid.iid);

	p->older_in = ps->share[i].newest;
	if (p->older_in)
		p->older_in->newer_in = p;
	else
		ps->share[i].oldest = p;
	ps->share[i].newest = p;
	ps->share[i].count++;
}

static void share_del(struct xtr_pendings *ps, struct xtr_pending *p)
{
	unsigned i = xtr_pending_share(p->eid.iid);

	if (p->newer_in)
		p->newer_in->older_in = p->older_in;
	else
		ps->share[i].newest = p->older_in;
	if (p->older_in)
		p->older_in->newer_in = p->newer_in;
	else
		ps->share[i].oldest = p->newer_in;
	ps->share[i].count--;
}

struct xtr_pending *xtr_pending_add(struct xtr_pendings *ps, const struct xtr_eid_prefix *eid)
{
	struct xtr_pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	memcpy(&p->eid, eid, sizeof(*eid)); /* octet by octet: it is a hash key */
	p->timer.kind = ps->kind;
	HASH_ADD(by_eid, ps->eids, eid, sizeof(p->eid), p);
	if (!p->by_eid.tbl) {
		free(p);
		return NULL;
	}
	p->older = ps->newest;
	if (ps->newest)
		ps->newest->newer = p;
	else
		ps->oldest = p;
	ps->newest = p;
	ps->count++;
	share_add(ps, p);
	return p;
}

/* How far to look for one that nobody asked for again: mostly the oldest is such a one. */
#define VICTIM_LOOK 64

struct xtr_pending *xtr_pending_victim(const struct xtr_pendings *ps)
{
	struct xtr_pending *p, *oldest;
	unsigned most = 0;

	for (unsigned i = 1; i < XTR_PENDING_SHARES; i++)
		if (ps->share[i].count > ps->share[most].count)
			most = i;
	oldest = p = ps->share[most].oldest;
	for (unsigned i = 0; p && i < VICTIM_LOOK; i++, p = p->newer_in)
		if (!p->wanted)
			return p;
	return oldest;
}

int xtr_pending_set_nonce(struct xtr_pendings *ps, struct xtr_pending *p, uint64_t nonce)
{
	if (p->nonce)
		HASH_DELETE(by_nonce, ps->nonces, p);
	p->nonce = 0;
	if (!nonce)
		return 0;
	if (xtr_pending_by_nonce(ps, nonce))
		return -EEXIST;
	p->nonce = nonce;
	memset(&p->by_nonce, 0, sizeof(p->by_nonce));
	HASH_ADD(by_nonce, ps->nonces, nonce, sizeof(p->nonce), p);
	if (!p->by_nonce.tbl) {
		p->nonce = 0;
		return -ENOMEM;
	}
	return 0;
}

void xtr_pending_del(struct xtr_pendings *ps, struct xtr_pending *p)
{
	xtr_timer_cancel(ps->timers, &p->timer);
	xtr_pending_set_nonce(ps, p, 0);
	HASH_DELETE(by_eid, ps->eids, p);
	share_del(ps, p);
	if (p->newer)
		p->newer->older = p->older;
	else
		ps->newest = p->older;
	if (p->older)
		p->older->newer = p->newer;
	else
		ps->oldest = p->newer;
	ps->count--;
	free(p);
}
