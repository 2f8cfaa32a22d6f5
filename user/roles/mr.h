/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Map-Resolver, non-caching: passes Map-Requests on to the Map-Servers it knows, or says that the
 * EID does not exist. It keeps no state about its clients, so its address may be anycast. RFC
 * 9301 8.4.
 */
#ifndef XTR_ROLES_MR_H
#define XTR_ROLES_MR_H

#include "roles/role.h"

#define XTR_MR_SEEN 1024
#define XTR_MR_PARKED_MAX 64

struct xtr_mr_parked;
struct xtr_mr {
	struct xtr_env *env;
	struct {
		uint64_t print;
		uint32_t turn;
	} seen[XTR_MR_SEEN]; /* requests of the last moments, to notice repetitions */
	struct xtr_mr_parked *parked; /* until it is known whom to pass them on to */
	unsigned parked_count;
};

int xtr_mr_new(struct xtr_env *env, struct xtr_mr **out);
void xtr_mr_free(struct xtr_mr *mr);
/* ours: the Map-Server on this node is responsible for the EID (node.c asked it). Returns true if
 * the Map-Server has to decide. */
/* LISP-Decent: known is the length of the longest registration here that covers the EID, -1: none.
 * Returns true if the Map-Server here decides; else the request went to those whom env->find names,
 * or waits for their names, or was dropped. */
bool xtr_mr_decent(struct xtr_mr *mr, const struct xtr_request *req, int known);
/* Some became known: requests that wait for them come in again. */
void xtr_mr_found(struct xtr_mr *mr);
bool xtr_mr_request(struct xtr_mr *mr, const struct xtr_request *req, bool has_ms);

#endif
