/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Values as the control socket shows them (show.c, show_decent.c).
 */
#ifndef XTR_DAEMON_SHOW_H
#define XTR_DAEMON_SHOW_H

#include "daemon/daemon.h"

static inline json_t *seconds(uint64_t ms)
{
	return ms == UINT64_MAX ? json_null() : json_real((double)ms / 1000);
}

static inline json_t *address(const struct xtr_ip *ip)
{
	char buf[XTR_IP_STRLEN];

	return ip->family ? json_string(xtr_ip_str(ip, buf)) : json_null();
}

/* Text that may come from the network: what is not UTF-8 is not shown. */
static inline json_t *text_or_null(const char *s)
{
	json_t *j = s ? json_string(s) : NULL;

	return j ? j : json_null();
}

#endif
