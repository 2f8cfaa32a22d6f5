/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Seed-groups of LISP-Decent by push, their core and layers. All routers are of one world (role_lab.h).
 *
 *   router i   RLOC 192.0.2.i, EIDs 10.i.0.0/16, all roles
 *   G          the group of most tests
 *   CORE       a core, whose routers are 1, 2, ..; L1 and L2 are layers of it, of routers 11, 12, .. and 21, 22, ..
 */
#ifndef XTR_TESTS_GROUP_LAB_H
#define XTR_TESTS_GROUP_LAB_H

#include "push_help.h"
#include "role_lab.h"

#define G "224.1.1.1"
#define CORE "224.0.9.1"
#define L1 "224.2.2.2"
#define L2 "224.3.3.3"

/* Of the same number as fw_key: only the secret tells them apart. */
extern const struct xtr_key other_key;

void conf_router(struct fw_conf *c, unsigned i); /* of no group */
/* In an overlay group all but router 1 know that one. */
void conf_member(struct fw_conf *c, unsigned i, const char *group, bool overlay);
struct fw_node *start_member(unsigned i, const char *group, bool overlay);
void start_members(struct fw_node **n, unsigned count, bool overlay); /* of G: 1, 2, .. */

/* Member of the core, where groups may be registered. */
struct fw_node *start_core(unsigned i, bool overlay);
/* Knows its group, the core and one address there; a subscriber wants to be told of changes. */
void conf_layer(struct fw_conf *c, unsigned i, const char *group);
struct fw_node *start_layer(unsigned i, const char *group);
struct fw_node *start_subscriber(unsigned i, const char *group);

/* ---- messages made by hand */
/* A Map-Register of a stranger, 192.0.2.99, arrives at dst. */
void offer(struct fw_node *to, const char *dst, const char *eid, const struct xtr_key *key);
/* A Map-Notify that rloc is a member of the group. */
size_t make_notify(uint8_t *buf, size_t size, const char *group, const char *rloc, const struct xtr_key *key,
		   uint64_t nonce);

/* ---- what the first record of a message is about */
struct xtr_eid_prefix registered_eid(const struct fw_packet *p);
struct xtr_eid_prefix asked_eid(const struct fw_packet *p);

#endif
