/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A data plane whose mappings, routes and neighbours change under the packets, and a model of few lines that says what is
 * right: longest prefix by comparing.
 *
 * Each destination ("cell") has a history of its outcomes; who changes something notes the new one (begun) before the
 * change, and that it is done after. A packet may go by any outcome from the last one done before it started to the last
 * one begun before it ended. One thread changes; any may run packets.
 */
#ifndef XTR_TESTS_CACHE_LAB_H
#define XTR_TESTS_CACHE_LAB_H

#include "dp_lab.h"
#include "pkt.h"

#include <stdatomic.h>

#define LOCATORS 16 /* 192.0.2.2 and up */
#define PAST   64
#define CELLS  96
#define MODELS 64

/* ---- outcomes: the bits of the locators it may be encapsulated to, or one of these */
#define TAKEN	 (1u << 16)
#define SHOT	 (1u << 17)
#define PASSED	 (1u << 18)
#define HOME	 (1u << 19) /* decapsulated and delivered */
#define UNKNOWN	 (1u << 31) /* encapsulated: to whom is in the packet */

struct history {
	_Atomic uint64_t begun, done;
	_Atomic uint64_t was[PAST];
};

struct cell {
	bool decap;
	unsigned port;	 /* 0: h0, instance 0; 1: k0, whose instance changes */
	uint32_t iid;	 /* of the packet, when it comes from outside */
	struct xtr_ip ip;
	unsigned random; /* so many of the last bits of the address are taken at random: they have no meaning here */
	struct pkt frame;
	struct history h;
};
extern struct cell cells[CELLS];
extern unsigned cell_count;
extern struct history macs[LOCATORS];

struct model {
	bool used;
	uint32_t iid;
	struct xtr_ippfx eid;
	uint8_t action;
	uint32_t locators;
};
extern struct model models[MODELS];
extern unsigned model_count;
extern struct xtr_dp *dp;

/* ---- opens and closes the data plane; cells and models are added in between */
void cache_up(void);
void cache_down(void);
void cell(bool decap, unsigned port, uint32_t iid, const char *to, unsigned random);
void model(uint32_t iid, const char *prefix);

/* ---- changes */
void all_begin(void);
void all_done(void);
unsigned rnd(unsigned n);	    /* of the changing thread only; the same every time */
struct xtr_ip locator(unsigned i);
void put_or_del(struct model *m);
void reconfigure(void);		    /* own EID-prefixes come or go, or k0 changes its instance */
void route_or_mac(void);	    /* of one of the locators, until the daemon's part has followed */
void housekeeping(void);

/* ---- packets: through the programs, into out (2,048 octets) */
uint32_t of_tc(const struct cell *c, const struct pkt *in, uint8_t *out, unsigned *len);
uint32_t of_xdp(const struct cell *c, const struct pkt *in, uint8_t *out, unsigned *len);
/* Other last bits of the inner destination; nobody looks at the inner checksums on the way out. */
void vary(struct pkt *p, const struct cell *c, uint32_t by);

#endif
