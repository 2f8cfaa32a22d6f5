/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What most tests of roles start from: a world, and the configuration of the one router they look at. */
#ifndef XTR_TESTS_ROLE_LAB_H
#define XTR_TESTS_ROLE_LAB_H

#include "fake_world.h"

extern struct fw *w;	    /* the world of this test */
extern struct fw_conf conf; /* of its router, to be changed before it is started */

void world_up(void);
void world_down(void);
/* The same, and conf is that of a router with these RLOCs: "192.0.2.1 2001:db8::1". */
void world_of(const char *rlocs);

/* The mapping system of two sites, 10.1.0.0/24 and 10.2.0.0/24: a Map-Server at 192.0.2.9, a Map-Resolver at 192.0.2.8. */
struct mapping_system {
	struct fw_node *mr, *ms;
};
struct mapping_system mapping_system_start(void);
/* A site of it: its RLOCs are the locators of its EIDs, it registers and asks there. */
void mapping_system_site(struct fw_conf *c, const char *rlocs, const char *eid);

/* A Map-Request that was sent, out of its ECM; fails the test if p is NULL. */
struct xtr_map_request read_request(const struct fw_packet *p);

#endif
