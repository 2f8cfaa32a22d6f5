/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packet builder. Written from the RFCs on its own, with no code of the data plane, so that it can be its judge.
 * Memory: everything by value.
 */
#include "bpf/pkt.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned layer_len(const struct layer *l)
{
	switch (l->type) {
	case L_ETH: return 14;
	case L_IP4: return 20 + 4 * l->options;
	case L_IP6: return 40;
	case L_UDP: return 8;
	case L_TCP: return 20;
	case L_SCTP: return 12;
	case L_LISP: return 8;
	case L_DATA: case L_PAD: case L_RAW: return l->n;
	default: return 0;
	}
}

unsigned pkt_offset(const struct layer *layers, unsigned i)
{
	unsigned off = 0;

	for (unsigned k = 0; k < i; k++)
		off += layer_len(&layers[k]);
	return off;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

uint16_t pkt_sum(const uint8_t *p, unsigned n, uint32_t s)
{
	for (unsigned i = 0; i < n; i++)
		s += i & 1 ? p[i] : p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void address(int family, const char *text, uint8_t *at)
{
	if (inet_pton(family, text, at) != 1) {
		fprintf(stderr, "pkt: bad address %s\n", text);
		abort();
	}
}

static unsigned proto_of(const struct layer *l)
{
	switch (l->type) {
	case L_UDP: return 17;
	case L_TCP: return 6;
	case L_SCTP: return 132;
	case L_IP4: return 4;
	case L_IP6: return 41;
	default: return 59;
	}
}

static void put_ip4(uint8_t *p, const struct layer *l, unsigned rest)
{
	unsigned hlen = layer_len(l);

	p[0] = (l->version ?: 4) << 4 | hlen / 4;
	p[1] = l->tos;
	put16(p + 2, hlen + rest + l->len_add);
	put16(p + 4, l->id);
	put16(p + 6, l->frag ?: l->no_df ? 0 : 0x4000);
	p[8] = l->ttl0 ? 0 : l->ttl ?: 64;
	p[9] = l->proto ?: proto_of(l + 1);
	address(AF_INET, l->src, p + 12);
	address(AF_INET, l->dst, p + 16);
	memset(p + 20, 1, hlen - 20);
	put16(p + 10, (uint16_t)~pkt_sum(p, hlen, 0) ^ l->check_xor);
}

static void put_ip6(uint8_t *p, const struct layer *l, unsigned rest)
{
	put32(p, (uint32_t)(l->version ?: 6) << 28 | (uint32_t)l->tos << 20 | l->flow);
	put16(p + 4, rest + l->len_add);
	p[6] = l->proto ?: proto_of(l + 1);
	p[7] = l->ttl0 ? 0 : l->ttl ?: 64;
	address(AF_INET6, l->src, p + 8);
	address(AF_INET6, l->dst, p + 24);
}

/* ip: the IP header before this layer, already complete. */
static void put_l4_sum(uint8_t *p, const struct layer *l, const struct layer *iph, const uint8_t *ip, unsigned len)
{
	unsigned at = l->type == L_TCP ? 16 : 6, addr = iph->type == L_IP4 ? 8 : 32;
	uint16_t s = pkt_sum(iph->type == L_IP4 ? ip + 12 : ip + 8, addr, len + proto_of(l));
	uint16_t c;

	if (l->partial) {
		put16(p + at, s);
	} else {
		c = ~pkt_sum(p, len, s);
		put16(p + at, c ?: 0xffff);
	}
}

static void put_layer(struct pkt *p, const struct layer *ls, unsigned i, unsigned off, unsigned end)
{
	static const uint16_t types[] = { [L_IP4] = 0x0800, [L_IP6] = 0x86dd };
	const struct layer *l = &ls[i];
	uint8_t *at = p->b + off;
	unsigned rest = end - off - layer_len(l);

	switch (l->type) {
	case L_ETH:
		memcpy(at, l->dmac, 6);
		memcpy(at + 6, l->smac, 6);
		put16(at + 12, l->ethertype ?: ls[i + 1].type == L_IP6 ? types[L_IP6] : types[L_IP4]);
		break;
	case L_IP4: put_ip4(at, l, rest); break;
	case L_IP6: put_ip6(at, l, rest); break;
	case L_UDP:
		put16(at, l->sport);
		put16(at + 2, l->dport);
		put16(at + 4, 8 + rest + l->len_add);
		if (l->csum || l->partial)
			put_l4_sum(at, l, l - 1, p->b + off - layer_len(l - 1), end - off);
		break;
	case L_TCP:
		put16(at, l->sport);
		put16(at + 2, l->dport);
		put32(at + 4, 1);
		put32(at + 8, 2);
		at[12] = 0x50;
		at[13] = l->flags ?: 0x10;
		put16(at + 14, 1000);
		put_l4_sum(at, l, l - 1, p->b + off - layer_len(l - 1), end - off);
		break;
	case L_SCTP:
		put16(at, l->sport);
		put16(at + 2, l->dport);
		put32(at + 4, 0x11223344);
		break;
	case L_LISP:
		put32(at, l->w0);
		put32(at + 4, l->w1);
		break;
	case L_DATA:
		for (unsigned k = 0; k < l->n; k++)
			at[k] = k + 1;
		break;
	case L_RAW: memcpy(at, l->raw, l->n); break;
	default: break;
	}
}

struct pkt pkt_build(const struct layer *ls)
{
	unsigned n = 0, end, off;
	struct pkt p = {};

	while (ls[n].type)
		n++;
	p.len = pkt_offset(ls, n);
	if (p.len > PKT_MAX) {
		fprintf(stderr, "pkt: %u octets are too many\n", p.len);
		abort();
	}
	end = p.len - (n && ls[n - 1].type == L_PAD ? ls[n - 1].n : 0);
	/* from the last to the first but with complete headers for the pseudo-headers: IP before its layer 4 */
	for (int i = n - 1; i >= 0; i--)
		if (ls[i].type != L_UDP && ls[i].type != L_TCP) {
			off = pkt_offset(ls, i);
			put_layer(&p, ls, i, off, ls[i].type == L_PAD ? p.len : end);
		}
	for (int i = n - 1; i >= 0; i--)
		if (ls[i].type == L_UDP || ls[i].type == L_TCP)
			put_layer(&p, ls, i, pkt_offset(ls, i), end);
	return p;
}

int pkt_differ(const struct pkt *a, const struct pkt *b)
{
	unsigned n = a->len < b->len ? a->len : b->len;

	for (unsigned i = 0; i < n; i++)
		if (a->b[i] != b->b[i])
			return i;
	return a->len == b->len ? -1 : (int)n;
}

const char *pkt_dump(const struct pkt *p, const struct pkt *other)
{
	static char text[2][8 * PKT_MAX];
	static unsigned turn;
	char *out = text[turn++ & 1], *at = out;

	for (unsigned i = 0; i < p->len && i < 160; i++) {
		bool diff = other && (i >= other->len || other->b[i] != p->b[i]);

		if (i % 16 == 0)
			at += sprintf(at, "\n  %04u ", i);
		at += sprintf(at, diff ? "[%02x]" : " %02x ", p->b[i]);
	}
	sprintf(at, "\n  (%u octets)", p->len);
	return out;
}
