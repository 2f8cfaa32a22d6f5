/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Seed-groups that are given by a DNS name (RFC 9962 4.4). Open before the node, settle with the
 * configuration in use, end before the loop is closed, close after it.
 */
#ifndef XTR_DAEMON_GROUP_NAME_H
#define XTR_DAEMON_GROUP_NAME_H

#include "daemon/daemon.h"

/* The group in an answer: its first address that is one, of a family (4, 6) that is wanted. */
bool xtr_group_name_pick(const struct xtr_ip *addrs, unsigned n, bool ip4, bool ip6, struct xtr_ip *out);
/* A line "name address" of the kept file; NULL: it is not there. Else the address in *out. */
bool xtr_group_name_kept(const char *text, const char *name, struct xtr_ip *out);

int xtr_group_names_open(struct xtr_daemon *d, struct xtr_err *err);
/* Puts the addresses that are known into a configuration that is not in use yet. */
int xtr_group_names_use(struct xtr_daemon *d, struct xtr_conf *c, struct xtr_err *err);
void xtr_group_names_settle(struct xtr_daemon *d, const struct xtr_conf *c);
void xtr_group_names_end(struct xtr_daemon *d);
void xtr_group_names_close(struct xtr_daemon *d);
/* Of those that have no address yet: text is "name: not resolved yet: why". */
void xtr_group_names_walk(const struct xtr_daemon *d,
			  void (*fn)(void *arg, const struct xtr_conf_group *g, bool core, uint64_t next_ms, const char *text),
			  void *arg);

#endif
