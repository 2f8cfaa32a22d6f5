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
/* Of decent: 0 or -ENOMEM. The site lets members register themselves: (*,G) with the group's key. */
int xtr_conf_build_group_site(struct xtr_conf *c, struct xtr_site_config *to);

#endif
