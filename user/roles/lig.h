/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lig: asks the mapping system for an EID on behalf of a person, without touching the map-cache
 * (RFC 6835). Needs no role.
 */
#ifndef XTR_ROLES_LIG_H
#define XTR_ROLES_LIG_H

#include "roles/resolver.h"

#define XTR_LIG_MAX 64

struct xtr_lig_ask;
struct xtr_lig {
	struct xtr_env *env;
	struct xtr_resolvers resolvers;
	struct xtr_lig_ask *asks;
	unsigned count;
};

int xtr_lig_new(struct xtr_env *env, struct xtr_lig **out);
void xtr_lig_free(struct xtr_lig *lig); /* tells everybody who waits that nothing came */
void xtr_lig_reconfigure(struct xtr_lig *lig);
void xtr_lig_found(struct xtr_lig *lig); /* as xtr_itr_found() */
int xtr_lig_start(struct xtr_lig *lig, const struct xtr_eid_prefix *eid, const struct xtr_ip *to,
		  void (*done)(void *arg, const struct xtr_lig_result *res), void *arg);
/* False: the nonce is not one of ours. */
bool xtr_lig_reply(struct xtr_lig *lig, const struct xtr_msg_meta *meta,
		   const struct xtr_map_reply *m);

#endif
