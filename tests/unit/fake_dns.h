/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DNS of the world of fake_world.h: records by name, failures, delays. A name that was never set
 * does not exist.
 */
#ifndef XTR_TESTS_FAKE_DNS_H
#define XTR_TESTS_FAKE_DNS_H

#include "fake_world.h"

#define FW_DNS_NAMES 1200
#define FW_DNS_ADDRS 64

struct fw_dns_name {
	char name[XTR_DECENT_NAME_MAX];
	struct xtr_ip addrs[FW_DNS_ADDRS];
	unsigned count;
	uint32_t ttl; /* seconds; 300 */
	int status;   /* not 0: fails so */
	const char *why;
	bool partial, authenticated;
	uint32_t delay; /* ms; 10 */
	unsigned asked;
	uint64_t last_asked;
};

/* Addresses: "192.0.2.1 2001:db8::1"; "" exists without any. Keeps the rest of a name set before. */
struct fw_dns_name *fw_dns(struct fw *w, const char *name, const char *addrs);
/* To be set up; made if it is new (then it does not exist). */
struct fw_dns_name *fw_dns_name(struct fw *w, const char *name);
/* All servers are silent: every lookup fails after 5 s. */
void fw_dns_down(struct fw *w, bool down);
unsigned fw_dns_lookups(const struct fw *w);

/* Pull for the node: suffix "ms.example", profile rfc9962, key fw_key with Map-Notify and proxy. */
struct xtr_pull_config *fw_conf_pull(struct fw_conf *c, uint32_t modulus);
void fw_conf_lookup(struct fw_conf *c, const char *prefix, uint8_t length);
void fw_conf_index_key(struct fw_conf *c, uint32_t index, const struct xtr_key *key);

/* --- for fake_world.c */
struct fw_dns_state;
int fw_dns_resolve(void *ctx, const char *name, uint32_t id);
uint64_t fw_dns_next(const struct fw *w); /* when the next answer is due, or UINT64_MAX */
void fw_dns_answer(struct fw *w);         /* gives it */
void fw_dns_forget(struct fw_node *f);    /* it has stopped: no answers any more */
void fw_dns_free(struct fw *w);

#endif
