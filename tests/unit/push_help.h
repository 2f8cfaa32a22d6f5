/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Seed-groups and replication lists in tests: what nodes know, as text, and messages about
 * groups. */
#ifndef XTR_TESTS_PUSH_HELP_H
#define XTR_TESTS_PUSH_HELP_H

#include "fake_world.h"

/* RLOCs registered for exactly this EID at the node's own Map-Server: "192.0.2.1 192.0.2.2"; "". */
const char *registered(struct fw_node *f, const char *eid);
/* "224.1.1.1: 192.0.2.1 self, 192.0.2.2 live+, 192.0.2.3 former"; + : confirmed. */
const char *groups(struct fw_node *f);
const char *group_problem(struct fw_node *f); /* of the first group that has one; "" */
bool subscribed(struct fw_node *f);           /* to the first group */
const char *list(struct fw_node *f, const char *group); /* replication list of the data plane */
const char *lig(struct fw_node *f, const char *eid);    /* the RLOCs of the answer; waits 3 s */

struct group_reg {
	uint64_t nonce;
	uint8_t type; /* 0: Map-Register */
	uint32_t flags;
	const struct xtr_key *key; /* NULL: fw_key */
	const uint8_t *xtr_id;
	uint32_t ttl;  /* 0: 1440 */
	uint8_t level; /* 0: 128 */
	bool withdraw;
};
/* About (*,G), or the EID as it is; rlocs "192.0.2.1 192.0.2.2": one RLE. */
size_t make_group_register(uint8_t *buf, size_t size, const char *group, const char *rlocs,
			   const struct group_reg *reg);
/* The RLE entries of a record: "192.0.2.1@128 192.0.2.2@0"; several lists are parted by "|". */
const char *rle_of(const struct xtr_record *rec);

#endif
