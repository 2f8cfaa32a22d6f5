/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the rules about values have in common (config_check.c, config_decent.c).
 */
#ifndef XTR_DAEMON_CONFIG_CHECK_H
#define XTR_DAEMON_CONFIG_CHECK_H

#include "daemon/config.h"

struct check {
	struct xtr_conf *c;
	const struct xtr_conf_host *host; /* NULL: not to be looked at */
	struct xtr_yaml_errors *errors;
};

/* Position of a key in a section, or of the section if the key is not written. */
static inline const struct xtr_yaml *at_key(const struct xtr_yaml *section, const char *key)
{
	const struct xtr_yaml *y = xtr_yaml_get(section, key);

	return y ? y : section;
}

/* Is there something, be it wrong (then the table has said so)? */
static inline bool given(const struct xtr_yaml *section, const char *key)
{
	const struct xtr_yaml *y = xtr_yaml_get(section, key);

	return y && !xtr_yaml_null(y) && (y->kind == XTR_YAML_SCALAR || y->count);
}

bool xtr_conf_host_has_interface(const struct xtr_conf_host *h, const char *name);
void xtr_conf_fail_twice(struct check *k, const struct xtr_yaml *at, const struct xtr_yaml *first,
			 const char *what, const char *which);
/* An address of the underlay must not be inside the EID space. */
void xtr_conf_check_not_eid(struct check *k, const struct xtr_yaml *at, const char *what,
			    const struct xtr_ip *ip);
/* The same for each of a list, in which none may be twice. */
void xtr_conf_check_peers(struct check *k, const struct xtr_ip *list, const struct xtr_yaml **at,
			  unsigned n, const char *what);

/* Is there a device to deliver the packets of this instance on? */
bool xtr_conf_has_overlay(const struct xtr_conf_values *v, uint32_t instance);

/* --- config_group.c */
void xtr_conf_check_groups(struct check *k);
/* --- config_tenant.c */
/* In a namespace or VRF: its routes say nothing about what the host itself reaches. */
bool xtr_conf_overlay_apart(const struct xtr_conf_overlay *o);
void xtr_conf_check_tenants(struct check *k);
void xtr_conf_check_tenants_reload(const struct xtr_conf *old, const struct xtr_conf *new, struct xtr_yaml_errors *errors);

/* --- config_decent.c */
/* 0 or -ENOMEM. */
int xtr_conf_check_decent(struct check *k);
/* Takes "https://host:port/..." apart. False: it is none. */
bool xtr_conf_url(const char *url, char host[256], unsigned *port);

#endif
