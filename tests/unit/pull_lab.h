/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * LISP-Decent by pull: one router n, 192.0.2.1 and 2001:db8::1, of 8 indexes in ms.example. Its Map-Servers exist only in
 * DNS and as far as a test plays them.
 */
#ifndef XTR_TESTS_PULL_LAB_H
#define XTR_TESTS_PULL_LAB_H

#include "fake_dns.h"
#include "role_lab.h"

#define EID "10.1.1.0/24" /* its own */
#define FAR "10.2.2.0/24" /* somebody else's */

extern struct fw_node *n;

void pull_up(void); /* the world, and conf */
void go(void);      /* starts n */

/* The index of an EID by the hash of a configuration, and the DNS name of its Map-Servers. */
uint32_t index_by(const struct fw_conf *c, const char *eid);
const char *name_by(const struct fw_conf *c, const char *eid);
const char *name_of(const char *eid); /* by conf */
/* All indexes of a suffix have these addresses ("192.0.2.1 192.0.2.2"), for 30 s. */
void dns_all(const char *suffix, uint32_t modulus, const char *addrs);

/* ---- what n sent */
unsigned sent_to(int type, const char *ip, uint64_t since);
const struct fw_packet *last_to(int type, const char *ip);
const struct fw_packet *last(int type);
struct xtr_register read_register(const struct fw_packet *p);
uint32_t ttl_of(const struct fw_packet *p); /* of the first record: 0 is a withdrawal */
const char *asked_at(void);                 /* where the last Map-Request went; "nobody" */

/* ---- playing Map-Servers */
void confirm(const char *ip); /* everything that was sent to this one last */
void answer(const char *from, const struct fw_rec *rec);

/* ---- what n shows: the names it knows, and where it registers */
struct names {
	struct xtr_name_info list[64];
	char text[64][300], problem[64][128];
	unsigned count;
};
extern struct names names;
unsigned show_names(void); /* reads them all again; how many */
const struct xtr_name_info *name_info(const char *name); /* does the same for this one; NULL if it is not there */

extern struct xtr_db_info db[32];
extern char db_problem[32][300];
unsigned show_db(void); /* reads the rows again; how many */

#endif
