/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * IPv4 and IPv6 addresses and prefixes as plain values. Octets are in network order,
 * lengths in bits; unused octets are always 0, so memcmp() compares.
 */
#ifndef XTR_UTIL_IP_H
#define XTR_UTIL_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct xtr_ip {
	uint8_t family; /* 4, 6, or 0: none */
	uint8_t a[16];
};

struct xtr_ippfx {
	struct xtr_ip ip;
	uint8_t len; /* bits */
};

#define XTR_IP_STRLEN    48
#define XTR_IPPFX_STRLEN 52

static inline unsigned xtr_ip_bits(const struct xtr_ip *ip) { return ip->family == 4 ? 32 : ip->family == 6 ? 128 : 0; }

/* Parses "192.0.2.1" or "2001:db8::1". 0, or -EINVAL. */
int xtr_ip_parse(const char *s, struct xtr_ip *out);
/* Parses "192.0.2.0/24"; without "/len" a host prefix. Host bits are kept: see xtr_ippfx_mask(). 0, or -EINVAL. */
int xtr_ippfx_parse(const char *s, struct xtr_ippfx *out);
/* Writes the canonical text (RFC 5952), always NUL-terminated; returns buf. */
const char *xtr_ip_str(const struct xtr_ip *ip, char buf[XTR_IP_STRLEN]);
const char *xtr_ippfx_str(const struct xtr_ippfx *p, char buf[XTR_IPPFX_STRLEN]);
/* Clears the host bits. Returns true if any was set. */
bool xtr_ippfx_mask(struct xtr_ippfx *p);
bool xtr_ippfx_contains(const struct xtr_ippfx *outer, const struct xtr_ippfx *inner);
bool xtr_ippfx_has(const struct xtr_ippfx *p, const struct xtr_ip *ip);
/* Numeric order, IPv4 before IPv6 (RFC 9301 5.5). */
int xtr_ip_cmp(const struct xtr_ip *a, const struct xtr_ip *b);
bool xtr_ip_is_multicast(const struct xtr_ip *ip);
bool xtr_ip_is_linklocal(const struct xtr_ip *ip);
bool xtr_ip_is_loopback(const struct xtr_ip *ip);
bool xtr_ip_is_unspecified(const struct xtr_ip *ip);
/* To and from socket addresses; port in host order. */
socklen_t xtr_ip_to_sockaddr(const struct xtr_ip *ip, uint16_t port, struct sockaddr_storage *ss);
/* 0, or -EAFNOSUPPORT. IPv4-mapped IPv6 becomes IPv4. */
int xtr_ip_from_sockaddr(const struct sockaddr *sa, struct xtr_ip *ip, uint16_t *port);

#endif
