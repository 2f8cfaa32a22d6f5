// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Questions over HTTPS (RFC 8484): POST, so that nothing on the way keeps the answer, ID 0 (4.1),
 * one request per question; over HTTP/2 both share a connection. The time that is left is divided
 * among the urls that have not been asked yet.
 */
#include "net/dns_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE	 "application/dns-message"
#define BODY_MAX 65535

static void on_answer(void *arg, const struct xtr_http_result *h)
{
	struct dns_question *q = arg;
	struct xtr_dns_result r;
	size_t used;

	q->out = false;
	if (!q->lookup) {
		xtr_dns_question_free(q);
		return;
	}
	if (xtr_dns_parse_http(h, q->lookup->name, q->type, &r) && !h->why[0]) {
		used = strlen(r.why);
		snprintf(r.why + used, sizeof(r.why) - used, ": %s", q->backend->urls[q->server]);
	}
	xtr_dns_answer(q, &r);
}

void xtr_dns_doh_ask(struct dns_question *q, uint32_t timeout_ms)
{
	struct dns_backend *b = q->backend;
	struct xtr_http_options o = b->http;
	struct xtr_http_request h = {
		.url = b->urls[q->server],
		.content_type = MESSAGE,
		.accept = MESSAGE,
		.max = BODY_MAX,
	};
	struct xtr_dns_result r = { 0 };
	uint8_t buf[DNS_QUERY_MAX];
	int rc;

	rc = xtr_dns_query(buf, sizeof(buf), 0, q->lookup->name, q->type, true);
	if (rc > 0) {
		h.body = buf;
		h.body_len = (size_t)rc;
		o.timeout_ms = timeout_ms;
		q->out = true;
		rc = xtr_http_send(b->dns->http, &o, &h, on_answer, q);
	}
	if (rc < 0) {
		q->out = false;
		r.status = rc;
		snprintf(r.why, sizeof(r.why), "not asked: %s", strerror(-rc));
		xtr_dns_answer(q, &r);
	}
}
