/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * user/dp on the real kernel. Each test has a network and a mount namespace of its own (they go with the process) and a BPF
 * file system of its own:
 *
 *   [ test process ]                        [ child ]
 *   xtr0 10.1.0.1 fd01::1
 *   u0 192.0.2.1/24 2001:db8::1/64 --veth-- u1 192.0.2.2 .3 2001:db8::2
 *   h0 10.1.0.254/24 (EID port)    --veth-- h1 (in the test's namespace, no addresses)
 */
#ifndef XTR_TESTS_DP_LAB_H
#define XTR_TESTS_DP_LAB_H

#include "dp/internal.h"

#include <criterion/criterion.h>

extern char bpffs[96];
extern pid_t child;

/* One configuration, to be changed by a test after config(). */
extern struct xtr_dp_port ports[4];
extern struct xtr_dp_overlay overlay[2];
extern struct xtr_dp_local locals[4];
extern struct xtr_ip rlocs[2];
extern struct xtr_ippfx addrs[2], routes[4];
extern struct xtr_dp_config cfg;
extern const struct xtr_dp_callbacks cb;

/* What the callbacks were told. */
struct dp_seen {
	unsigned miss, request, again, adopt, up;
	bool refuse; /* what miss() answers: no */
	struct xtr_ip dst;
	struct xtr_dp_mapping adopted;
	struct xtr_ippfx eid;
};
extern struct dp_seen seen;

/* What the pins showed at the last look(). */
struct dp_found {
	struct xtr_dp_rloc_row rloc[8];
	unsigned rlocs;
	struct xtr_dp_cache_row cache[8];
	unsigned caches;
	struct xtr_dp_local_row local[64];
	unsigned locals;
	struct xtr_dp_iface_row iface[8];
	unsigned ifaces;
	uint64_t drops[XTR_DROP_MAX];
	struct xtr_count stats[XTR_STAT_MAX];
};
extern struct dp_found found;

void dp_setup(void);
void dp_teardown(void);
void sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
uint64_t now_ms(void);
struct xtr_ip ip(const char *s);
struct xtr_ippfx pfx(const char *s);
void config(uint8_t mode);
struct xtr_dp *open_dp(void);
void detach(void);
void serve(struct xtr_dp *dp, unsigned ms); /* as the daemon's loop does */
char *capture(const char *cmd);             /* output; caller frees */
char *snapshot(void);                       /* everything that could be left behind; caller frees */
void expect_same(const char *before, const char *after);
struct xtr_dp_mapping mapping(const char *a, uint8_t wa, const char *b, uint8_t wb);
int put(struct xtr_dp *dp, const char *eid, const struct xtr_dp_mapping *m);
void look(void);
const struct xtr_dp_local_row *local_row(const char *eid);
const struct xtr_dp_iface_row *iface_row(const char *name);

#endif
