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

bool xtr_push_accepts(struct xtr_push *p, const struct xtr_msg_meta *meta, const uint8_t *buf,
		      size_t len)
{
	return false;
}

bool xtr_push_via_pull(const struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
	return false;
}

unsigned xtr_push_targets(struct xtr_push *p, const struct xtr_eid_prefix *eid,
			  struct xtr_map_server_config *out, unsigned max)
{
	return 0;
}

unsigned xtr_push_resolvers(struct xtr_push *p, const struct xtr_eid_prefix *eid, unsigned stage,
			    struct xtr_ip *out, unsigned max)
{
	return 0;
}

unsigned xtr_push_memberships(struct xtr_push *p, const struct xtr_mapping_config **out)
{
	return 0;
}

unsigned xtr_push_members(struct xtr_push *p, const struct xtr_ip *group, struct xtr_ip *out,
			  unsigned max)
{
	return 0;
}

int xtr_push_send_group(struct xtr_push *p, const struct xtr_ip *group, const void *buf,
			size_t len, enum xtr_node_counter counter)
{
	return -ENETUNREACH;
}

const char *xtr_push_problem(struct xtr_push *p, const struct xtr_eid_prefix *eid)
{
	return NULL;
}

int xtr_push_walk(struct xtr_push *p, int (*fn)(void *, const struct xtr_group_info *), void *arg)
{
	return 0;
}
