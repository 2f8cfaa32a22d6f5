/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Asynchronous HTTP client: libcurl's multi interface in a libuv loop. Bounded bodies, verified
 * certificates, https and nothing else, also after a redirect (which only a GET follows).
 */
#ifndef XTR_NET_HTTP_H
#define XTR_NET_HTTP_H

#include <uv.h>

#include "util/err.h"

struct xtr_http;
struct xtr_http_options {
	const char *ca_file; /* NULL: the system's */
	/* NULL: none (environment is not looked at); http://, https://, socks5:// */
	const char *proxy;
	/* NULL, or "host:port:address": where this host is, on any port. A DoH server can not be
	 * looked up by itself; otherwise the system's resolver is asked, in a thread, without mark. */
	const char *resolve;
	uint8_t version;     /* 0: HTTP/2 where offered, 1: HTTP/1.1, 2: HTTP/2 */
	uint32_t timeout_ms; /* 0: 5000 */
	uint32_t mark;
};
struct xtr_http_request {
	const char *url;
	const void *body; size_t body_len; /* POST if not NULL; copied */
	const char *content_type, *accept; /* NULL: none */
	const char *etag;		   /* If-None-Match */
	size_t max;			   /* longest body taken */
};
struct xtr_http_result {
	/* 0, -ETIMEDOUT, -ECONNREFUSED, -EKEYREJECTED certificate, -EFBIG, -EPROTO,
	 * -EHOSTUNREACH, ... */
	int status;
	long code;    /* HTTP status, 0 if there was none: to be judged by the caller */
	char why[160];
	const uint8_t *body; size_t len; /* valid during the call */
	char etag[128];
	unsigned age; /* seconds in caches on the way (Age) */
	unsigned version; /* 1, 2: as spoken */
};
typedef void xtr_http_done(void *arg, const struct xtr_http_result *r);

/* 0, -ENOMEM, -EIO (libcurl does not start). */
int xtr_http_open(uv_loop_t *loop, struct xtr_http **out, struct xtr_err *err);
/* done exactly once, never from inside this call; it may send and close. 0, or -errno and no call:
 * -EINVAL (no https:// url, or `resolve` is none), -ENOMEM. */
int xtr_http_send(struct xtr_http *h, const struct xtr_http_options *o,
		  const struct xtr_http_request *q, xtr_http_done *done, void *arg);
void xtr_http_close(struct xtr_http *h); /* without calling done */

#endif
