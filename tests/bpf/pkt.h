/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets that read like packets. A packet is a list of layers; lengths and checksums are computed unless the layer
 * says otherwise, so a wrong field is visible as one named field in the test:
 *
 *	struct layer in[] = { ETH(MAC_EID, MAC_HOST), IP4("10.1.0.10", "10.2.0.20", .ttl = 9), UDP(5000, 53), DATA(32), {} };
 *	struct pkt p = pkt_build(in);
 *
 * Every layer's length covers what follows it up to the end of the list (PAD excepted: it is Ethernet padding).
 */
#ifndef XTR_TEST_PKT_H
#define XTR_TEST_PKT_H

#include <stdbool.h>
#include <stdint.h>

#define PKT_MAX    9600
#define MAX_LAYERS 12

struct pkt {
	unsigned len;
	uint8_t b[PKT_MAX];
};

enum layer_type { L_END, L_ETH, L_IP4, L_IP6, L_UDP, L_TCP, L_SCTP, L_LISP, L_DATA, L_PAD, L_RAW };

struct layer {
	enum layer_type type;
	/* Ethernet */
	uint8_t dmac[6], smac[6];
	uint16_t ethertype;     /* 0: that of the next layer */
	/* IP. Octets as text. */
	const char *src, *dst;
	uint8_t ttl, tos, proto; /* ttl 0: 64, unless ttl0; proto 0: that of the next layer */
	bool ttl0;
	uint8_t version;         /* 0: right */
	uint8_t options;         /* IPv4: words of options (no-operation) */
	uint16_t id;
	uint16_t frag;           /* the whole flags and offset field */
	bool no_df;              /* IPv4: DF is set unless this, or frag */
	uint32_t flow;           /* IPv6 flow label */
	int len_add;             /* added to the right length: to lie */
	uint16_t check_xor;      /* spoils the header checksum */
	/* UDP, TCP, SCTP */
	uint16_t sport, dport;
	bool csum;               /* UDP: compute; TCP: always unless partial */
	bool partial;            /* only the pseudo-header sum, as local senders leave it */
	uint8_t flags;
	/* LISP */
	uint32_t w0, w1;
	/* data */
	unsigned n;
	const uint8_t *raw;
};

#define MAC_BYTES(n) { 0x02, 0, 0, 0, 0, (n) }
#define ETH(d, s, ...)  { .type = L_ETH, .dmac = MAC_BYTES(d), .smac = MAC_BYTES(s), ##__VA_ARGS__ }
#define IP4(s, d, ...)  { .type = L_IP4, .src = s, .dst = d, ##__VA_ARGS__ }
#define IP6(s, d, ...)  { .type = L_IP6, .src = s, .dst = d, ##__VA_ARGS__ }
#define UDP(s, d, ...)  { .type = L_UDP, .sport = s, .dport = d, ##__VA_ARGS__ }
#define TCP(s, d, ...)  { .type = L_TCP, .sport = s, .dport = d, ##__VA_ARGS__ }
#define SCTP(s, d, ...) { .type = L_SCTP, .sport = s, .dport = d, ##__VA_ARGS__ }
#define LISP(a, b, ...) { .type = L_LISP, .w0 = a, .w1 = b, ##__VA_ARGS__ }
#define DATA(x)         { .type = L_DATA, .n = x }
#define PAD(x)          { .type = L_PAD, .n = x }
#define RAW(p, x)       { .type = L_RAW, .raw = p, .n = x }

/* layers ends with a layer of type 0. The data octets count up from 1 in every DATA layer. */
struct pkt pkt_build(const struct layer *layers);
/* Ones' complement sum of n octets and s (RFC 1071), folded. */
uint16_t pkt_sum(const uint8_t *p, unsigned n, uint32_t s);
/* Octets until the start of layer i. */
unsigned pkt_offset(const struct layer *layers, unsigned i);
/* First octet where the two differ, or -1. */
int pkt_differ(const struct pkt *a, const struct pkt *b);
/* "0000  aa bb ..." with the octets that differ from other in brackets; static buffer. */
const char *pkt_dump(const struct pkt *p, const struct pkt *other);

#endif
