/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the makers of configurations have in common (config_build.c, config_build_decent.c).
 */
#ifndef XTR_DAEMON_CONFIG_BUILD_H
#define XTR_DAEMON_CONFIG_BUILD_H

#include "daemon/config.h"

#define ARRAY(c, type, n) ((type *)xtr_arena_alloc(&(c)->arena, (size_t)(n) * sizeof(type)))

struct xtr_key xtr_conf_build_key(const struct xtr_conf_key *k);
struct xtr_map_server_config xtr_conf_build_server(const struct xtr_conf_server *s,
						   const struct xtr_ip *address);
#define XTR_CONF_GROUP_SITES 2
/* Of decent: the sites that let members of our groups register themselves, (*,G) with the group's
 * key. How many, at most XTR_CONF_GROUP_SITES, or -ENOMEM. */
int xtr_conf_build_group_sites(struct xtr_conf *c, struct xtr_site_config *to);

#endif
