/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Asynchronous lookup of the A and AAAA records of a name: by c-ares over UDP and TCP, or over
 * HTTPS (RFC 8484) by libcurl. One answer per lookup, with the shortest TTL and the AD bit. Answers
 * are bounded here, judged (private, multicast ...) by the caller. Runs in a libuv loop.
 */
#ifndef XTR_NET_DNS_H
#define XTR_NET_DNS_H

#include <uv.h>

#include "net/http.h"
#include "util/err.h"
#include "util/ip.h"

#define XTR_DNS_ADDRS_MAX 64 /* more are cut off, after sorting: the same set every time */

struct xtr_dns;
struct xtr_dns_server {
	struct xtr_ip ip;
	uint16_t port;
};
struct xtr_dns_config {
	/* At most 16 are used. None: /etc/resolv.conf. The one that answered last is asked
	 * first. */
	const struct xtr_dns_server *servers;
	unsigned server_count;
	const char *const *urls; /* https://...: these are asked, in turn, and servers are not */
	unsigned url_count;
	struct xtr_http_options http; /* of the urls */
	uint32_t timeout_ms;	      /* of one lookup, all tries together: 5000 */
	uint32_t mark;		      /* SO_MARK, 0 none */
};
struct xtr_dns_result {
	/* 0; -ENOENT: name or addresses do not exist (definite); -ETIMEDOUT; -EIO: server failure
	 * or refused; -EBADMSG: unreadable answer; -ECONNREFUSED, -EPROTO (HTTP status),
	 * -EKEYREJECTED (certificate): no answer */
	int status;
	char why[160]; /* for people: what failed, which server; the name is not in it */
	bool partial;  /* A or AAAA failed, the other is there */
	/* Every answer had the AD bit: to be trusted as far as the way to the server is. */
	bool authenticated;
	uint32_t ttl; /* seconds; -ENOENT: how long that holds, 0 unknown */
	unsigned count, cut; /* cut: so many records more than XTR_DNS_ADDRS_MAX */
	struct xtr_ip addrs[XTR_DNS_ADDRS_MAX]; /* sorted, without duplicates */
};
typedef void xtr_dns_done(void *ctx, uint32_t id, const struct xtr_dns_result *r);

/* cfg is copied. 0, or -errno, and err says what: -EINVAL (a URL that is none), -ENOMEM, -EIO, .. */
int xtr_dns_open(uv_loop_t *loop, const struct xtr_dns_config *cfg, xtr_dns_done *done, void *ctx,
		 struct xtr_dns **out, struct xtr_err *err);
/* done is called exactly once, never from inside this call. At most 256 are out at once, the rest
 * wait in order. 0, -ENOMEM, -EINVAL (no name), -ENOBUFS (4096 wait). */
int xtr_dns_lookup(struct xtr_dns *d, const char *name, uint32_t id);
/* Takes other servers; lookups that are out go on with the old ones. */
int xtr_dns_reconfigure(struct xtr_dns *d, const struct xtr_dns_config *cfg, struct xtr_err *err);
/* Without calling done. Its uv handles are closing: run the loop until they are. */
void xtr_dns_close(struct xtr_dns *d);

/* One DNS message as answer to a question of this type (1 A, 28 AAAA) for name. Pure; writes all of
 * r and returns its status. ttl: of addresses the shortest, CNAMEs included; with -ENOENT how long
 * that holds (RFC 2308), 0 if the answer does not say. authenticated: the AD bit. */
int xtr_dns_parse(const uint8_t *buf, size_t len, const char *name, int type,
		  struct xtr_dns_result *r);

#endif
