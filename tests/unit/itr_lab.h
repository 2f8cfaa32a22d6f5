/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One ITR alone in the world: 192.0.2.1, 2001:db8::1, of the EIDs 10.1.0.0/24. Its Map-Resolver 192.0.2.8 exists only as
 * far as a test plays it.
 */
#ifndef XTR_TESTS_ITR_LAB_H
#define XTR_TESTS_ITR_LAB_H

#include "role_lab.h"

extern struct fw_node *itr;

void itr_conf(void); /* the world, and conf */
void itr_go(void);   /* starts it */
void itr_up(void);   /* both */

uint64_t nonce_of_last(void); /* of its last Map-Request */
/* That one is answered, from 192.0.2.2. */
void reply(const struct fw_rec *recs, unsigned n);
/* Asks for eid and gets these records. */
void resolve(const char *eid, const struct fw_rec *recs, unsigned n);
#define RESOLVE(eid, ...) do { \
		const struct fw_rec recs_[] = { __VA_ARGS__ }; \
		resolve(eid, recs_, sizeof(recs_) / sizeof(recs_[0])); \
	} while (0)

#endif
