/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One Map-Server alone in the world: 192.0.2.100, of the groups and of 10.0.0.0/8. Who registers, 192.0.2.1 .. with an
 * xTR-ID each, and who subscribes exist only as far as a test plays them.
 */
#ifndef XTR_TESTS_MS_LAB_H
#define XTR_TESTS_MS_LAB_H

#include "push_help.h"
#include "role_lab.h"

#define G "233.252.0.1"
#define STAR "(*," G ")"
#define SUB "198.51.100.1" /* the subscriber */

extern struct fw_node *ms;
extern uint64_t nonce; /* of the last message, grows */

void conf_ms(struct fw_conf *c);
void ms_up(void);
void ms_down(void);
const uint8_t *id_of(unsigned i);
const char *rloc_of(unsigned i);
struct fw_packet *last_sent(int type); /* that was sent */
const char *eid_of(const struct xtr_record *rec);

/* Map-Registers about a group, of receiver i. */
void reg_more(unsigned i, const char *eid, const char *rlocs, struct group_reg r);
void reg(unsigned i, const char *eid);
void withdraw(unsigned i, const char *eid);

/* xTR i subscribes to eid; itr_rloc NULL: ends that. */
void subscribe(unsigned i, const char *from, const char *itr_rloc, const char *eid, uint64_t n);
unsigned notifies(void); /* how many were sent */
/* The last Map-Notify: its nonce; *rec its first record. */
uint64_t published(struct xtr_record *rec);
void ack(const char *from); /* the last Map-Notify */

#endif
