// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * LISP-Decent, push (RFC 9962 4): seed-groups and who is in them.
 */
#include "roles/decent.h"

#include <errno.h>
#include <stdlib.h>

struct xtr_push {
	struct xtr_env *env;
};

int xtr_push_new(struct xtr_env *env, struct xtr_push **out)
{
	struct xtr_push *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->env = env;
	*out = p;
	return 0;
}

void xtr_push_free(struct xtr_push *p)
{
	free(p);
}

int xtr_push_reconfigure(struct xtr_push *p)
{
	return 0;
}

void xtr_push_registered(struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
}

bool xtr_push_notify(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		     size_t len)
{
	return false;
}

bool xtr_push_reply(struct xtr_push *p, const struct xtr_msg_meta *meta,
		    const struct xtr_map_reply *m)
{
	return false;
}

int xtr_push_walk(struct xtr_push *p, int (*fn)(void *, const struct xtr_group_info *), void *arg)
{
	return 0;
}
