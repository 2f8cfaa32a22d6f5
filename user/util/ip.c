// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * IPv4 and IPv6 addresses and prefixes as values. Invariant: octets of a[] beyond the family's
 * width are 0, so two equal addresses are equal octet by octet.
 */
#include "util/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

int xtr_ip_parse(const char *s, struct xtr_ip *out)
{
	struct xtr_ip ip = { 0 };

	if (inet_pton(AF_INET, s, ip.a) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, s, ip.a) == 1)
		ip.family = 6;
	else
		return -EINVAL;
	*out = ip;
	return 0;
}

int xtr_ippfx_parse(const char *s, struct xtr_ippfx *out)
{
	const char *slash = strchr(s, '/');
	char addr[XTR_IP_STRLEN];
	struct xtr_ippfx p;
	unsigned len = 0;
	size_t n = slash ? (size_t)(slash - s) : strlen(s);

	if (n >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, s, n);
	addr[n] = '\0';
	if (xtr_ip_parse(addr, &p.ip))
		return -EINVAL;
	if (!slash) {
		p.len = (uint8_t)xtr_ip_bits(&p.ip);
		*out = p;
		return 0;
	}
	n = strlen(slash + 1);
	if (n < 1 || n > 3 || strspn(slash + 1, "0123456789") != n)
		return -EINVAL;
	for (const char *c = slash + 1; *c; c++)
		len = len * 10 + (unsigned)(*c - '0');
	if (len > xtr_ip_bits(&p.ip))
		return -EINVAL;
	p.len = (uint8_t)len;
	*out = p;
	return 0;
}

const char *xtr_ip_str(const struct xtr_ip *ip, char buf[XTR_IP_STRLEN])
{
	static const uint8_t zero[12];

	if (ip->family == 4) {
		inet_ntop(AF_INET, ip->a, buf, XTR_IP_STRLEN);
	} else if (ip->family == 6) {
		/* inet_ntop() writes ::a:b as if it were an IPv4-compatible address; RFC 5952 5
		 * wants that only for well-known prefixes. */
		if (!memcmp(ip->a, zero, 12) && (ip->a[12] || ip->a[13]))
			snprintf(buf, XTR_IP_STRLEN, "::%x:%x", ip->a[12] << 8 | ip->a[13],
				 ip->a[14] << 8 | ip->a[15]);
		else
			inet_ntop(AF_INET6, ip->a, buf, XTR_IP_STRLEN);
	} else {
		snprintf(buf, XTR_IP_STRLEN, "none");
	}
	return buf;
}

const char *xtr_ippfx_str(const struct xtr_ippfx *p, char buf[XTR_IPPFX_STRLEN])
{
	char ip[XTR_IP_STRLEN];

	snprintf(buf, XTR_IPPFX_STRLEN, "%s/%u", xtr_ip_str(&p->ip, ip), p->len);
	return buf;
}

bool xtr_ippfx_mask(struct xtr_ippfx *p)
{
	unsigned bits = xtr_ip_bits(&p->ip);
	bool any = false;

	for (unsigned i = p->len / 8; i < bits / 8; i++) {
		uint8_t keep = i == p->len / 8u ? (uint8_t)(0xff00 >> (p->len % 8)) : 0;

		if (p->ip.a[i] & (uint8_t)~keep)
			any = true;
		p->ip.a[i] &= keep;
	}
	return any;
}

/* Are the first n bits of both the same? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned n)
{
	if (memcmp(a, b, n / 8))
		return false;
	return n % 8 == 0 || !((a[n / 8] ^ b[n / 8]) & (uint8_t)(0xff00 >> (n % 8)));
}

bool xtr_ippfx_contains(const struct xtr_ippfx *outer, const struct xtr_ippfx *inner)
{
	return outer->ip.family == inner->ip.family && outer->len <= inner->len &&
	       same_bits(outer->ip.a, inner->ip.a, outer->len);
}

bool xtr_ippfx_has(const struct xtr_ippfx *p, const struct xtr_ip *ip)
{
	return p->ip.family == ip->family && same_bits(p->ip.a, ip->a, p->len);
}

int xtr_ip_cmp(const struct xtr_ip *a, const struct xtr_ip *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->a, b->a, sizeof(a->a));
}

bool xtr_ip_is_multicast(const struct xtr_ip *ip)
{
	return ip->family == 4 ? (ip->a[0] & 0xf0) == 0xe0 : ip->family == 6 && ip->a[0] == 0xff;
}

bool xtr_ip_is_linklocal(const struct xtr_ip *ip)
{
	if (ip->family == 4)
		return ip->a[0] == 169 && ip->a[1] == 254;
	return ip->family == 6 && ip->a[0] == 0xfe && (ip->a[1] & 0xc0) == 0x80;
}

bool xtr_ip_is_loopback(const struct xtr_ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (ip->family == 4)
		return ip->a[0] == 127;
	return ip->family == 6 && !memcmp(ip->a, one, sizeof(one));
}

bool xtr_ip_is_unspecified(const struct xtr_ip *ip)
{
	static const uint8_t zero[16];

	return !memcmp(ip->a, zero, sizeof(zero));
}

socklen_t xtr_ip_to_sockaddr(const struct xtr_ip *ip, uint16_t port, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (ip->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)ss;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, ip->a, 4);
		return sizeof(*in);
	}
	if (ip->family == 6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, ip->a, 16);
		return sizeof(*in6);
	}
	return 0;
}

int xtr_ip_from_sockaddr(const struct sockaddr *sa, struct xtr_ip *ip, uint16_t *port)
{
	struct xtr_ip r = { 0 };
	uint16_t p;

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		r.family = 4;
		memcpy(r.a, &in->sin_addr, 4);
		p = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			r.family = 4;
			memcpy(r.a, in6->sin6_addr.s6_addr + 12, 4);
		} else {
			r.family = 6;
			memcpy(r.a, &in6->sin6_addr, 16);
		}
		p = ntohs(in6->sin6_port);
	} else {
		return -EAFNOSUPPORT;
	}
	*ip = r;
	if (port)
		*port = p;
	return 0;
}
