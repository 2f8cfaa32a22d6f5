// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The HTTP client against a TLS server of the test's own: what is sent, what is taken, what is
 * refused, and that nothing is left behind. HTTP/2 and foreign servers are met in the end-to-end
 * tests.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <unistd.h>

#include "https_lab.h"
#include "net/http.h"

#define HOST "name.test"

struct got {
	struct xtr_http *http; /* to be closed in the call */
	unsigned n;
	struct xtr_http_result r;
	char body[65536];
};

static uv_loop_t loop;
static struct xtr_http *http;
static struct https_lab lab;
static struct got got;

static void done(void *arg, const struct xtr_http_result *r)
{
	struct got *g = arg;

	g->n++;
	g->r = *r;
	uv_stop(&loop);
	if (r->len) {
		cr_assert_lt(r->len, sizeof(g->body));
		memcpy(g->body, r->body, r->len);
		g->body[r->len] = '\0';
	}
	if (g->http)
		xtr_http_close(g->http);
}

static void give_up(uv_timer_t *t)
{
	cr_assert_fail("no result");
}

/* Until n results are there; nothing else may keep the loop longer than `ms`. */
static void wait_for(struct got *g, unsigned n, unsigned ms)
{
	uv_timer_t limit;

	uv_timer_init(&loop, &limit);
	uv_update_time(&loop);
	uv_timer_start(&limit, give_up, ms, 0);
	while (g->n < n)
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_eq(g->n, n);
}

static void echo(void *arg, const struct https_request *q, struct https_reply *r)
{
	static __thread char text[16384];

	snprintf(text, sizeof(text), "%s%.*s", q->head, (int)q->len, (const char *)q->body);
	r->body = (const uint8_t *)text;
	r->len = strlen(text);
	strcpy(r->headers, "ETag: \"v1\"\r\nAge: 17\r\n");
}

static void open_http(void)
{
	struct xtr_err err;

	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(xtr_http_open(&loop, &http, &err), 0, "%s", err.text);
}

static void end(void)
{
	xtr_http_close(http);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0, "handles are left");
	https_lab_stop(&lab);
}

static char url[128], at[64];

static struct xtr_http_options options(void)
{
	snprintf(at, sizeof(at), HOST ":%u:127.0.0.1", lab.port);
	return (struct xtr_http_options){ .ca_file = lab.ca, .resolve = at, .timeout_ms = 10000 };
}

static struct xtr_http_request request(const char *path)
{
	snprintf(url, sizeof(url), "https://" HOST ":%u%s", lab.port, path);
	return (struct xtr_http_request){ .url = url, .max = 16384 };
}

TestSuite(http, .init = open_http, .timeout = 60);

Test(http, get_and_what_comes_with_it)
{
	https_lab_start(&lab, "DNS:" HOST, echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/a?b");

	q.etag = "\"v0\"";
	q.accept = "text/plain";
	setenv("https_proxy", "http://127.0.0.1:1", 1); /* not looked at */
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	cr_assert_eq(got.n, 0, "never from inside the call");
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.status, 0, "%s", got.r.why);
	cr_assert_eq(got.r.code, 200);
	cr_assert_eq(got.r.version, 1);
	cr_assert_eq(got.r.age, 17);
	cr_assert_str_eq(got.r.etag, "\"v1\"");
	cr_assert_str_eq(got.r.why, "");
	cr_assert_eq(strncmp(got.body, "GET /a?b HTTP/1.1\r\n", 19), 0, "%s", got.body);
	cr_assert(strstr(got.body, "If-None-Match: \"v0\"\r\n"));
	cr_assert(strstr(got.body, "Accept: text/plain\r\n"));
	end();
}

Test(http, post_and_one_connection_for_one_after_the_other)
{
	char body[] = "octets";

	https_lab_start(&lab, "DNS:" HOST, echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/p");

	q.body = body;
	q.body_len = 6;
	q.content_type = "application/dns-message";
	for (unsigned i = 1; i <= 5; i++) {
		cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
		memset(body, 'x', 6); /* copied */
		wait_for(&got, i, 15000);
		cr_assert_eq(got.r.status, 0, "%s", got.r.why);
		cr_assert_eq(strncmp(got.body, "POST /p ", 8), 0);
		cr_assert(strstr(got.body, i == 1 ? "\r\n\r\noctets" : "\r\n\r\nxxxxxx"), "%s", got.body);
		cr_assert(strstr(got.body, "Content-Type: application/dns-message\r\n"));
		cr_assert_not(strstr(got.body, "Expect"));
	}
	cr_assert_eq(lab.connections, 1);
	end();
}

Test(http, certificate_of_another_name_or_issuer_is_refused)
{
	https_lab_start(&lab, "DNS:other.test", echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/");

	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.status, -EKEYREJECTED, "%s", got.r.why);
	cr_assert(strstr(got.r.why, "https://" HOST), "%s", got.r.why);
	o.ca_file = NULL; /* the system does not know it either */
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 2, 15000);
	cr_assert_eq(got.r.status, -EKEYREJECTED, "%s", got.r.why);
	o.ca_file = "/nonexistent.pem";
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 3, 15000);
	cr_assert_eq(got.r.status, -EKEYREJECTED, "%s", got.r.why);
	cr_assert_eq(lab.requests, 0, "nothing was asked of a server that is not it");
	end();
}

static void big(void *arg, const struct https_request *q, struct https_reply *r)
{
	static uint8_t octets[20000];

	r->body = octets;
	r->len = sizeof(octets);
	if (strstr(q->head, "/unsaid"))
		r->claim = -1;
	if (strstr(q->head, "/exact"))
		r->len = 16384;
	if (strstr(q->head, "/cut"))
		r->claim = 16000, r->len = 100, strcpy(r->headers, "Connection: close\r\n");
}

Test(http, body_is_bounded_whatever_is_said_about_it)
{
	https_lab_start(&lab, "DNS:" HOST, big, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/said");

	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.status, -EFBIG, "%s", got.r.why);
	cr_assert_eq(got.r.len, 0);
	q = request("/unsaid");
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 2, 15000);
	cr_assert_eq(got.r.status, -EFBIG, "%s", got.r.why);
	q = request("/exact");
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 3, 15000);
	cr_assert_eq(got.r.status, 0, "%s", got.r.why);
	cr_assert_eq(got.r.len, 16384);
	q = request("/cut");
	o.timeout_ms = 500;
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 4, 15000);
	cr_assert_eq(got.r.status, -ETIMEDOUT, "%s", got.r.why);
	cr_assert_eq(got.r.len, 0, "half a body is none");
	end();
}

static void odd(void *arg, const struct https_request *q, struct https_reply *r)
{
	if (strstr(q->head, "/slow"))
		r->delay_ms = 9000;
	if (strstr(q->head, "/none"))
		r->code = 0;
	if (strstr(q->head, "/503"))
		r->code = 503;
	if (strstr(q->head, "/304"))
		r->code = 304;
	if (strstr(q->head, "/to-http"))
		r->code = 302, strcpy(r->headers, "Location: http://127.0.0.1:9/\r\n");
	if (strstr(q->head, "/to-file"))
		r->code = 302, strcpy(r->headers, "Location: file:///etc/passwd\r\n");
	if (strstr(q->head, "/loop"))
		r->code = 302, strcpy(r->headers, "Location: /loop\r\n");
	if (strstr(q->head, "/once"))
		r->code = 302, strcpy(r->headers, "ETag: \"no\"\r\nLocation: /there\r\n");
}

Test(http, each_failure_has_its_name)
{
	static const struct { const char *path; int status; long code; } cases[] = {
		{ "/slow", -ETIMEDOUT, 0 },  { "/none", -EPROTO, 0 },	    { "/503", 0, 503 },
		{ "/304", 0, 304 },	     { "/to-http", -EPROTO, 302 }, { "/to-file", -EPROTO, 302 },
		{ "/loop", -EPROTO, 302 },   { "/once", 0, 200 },
	};

	https_lab_start(&lab, "DNS:" HOST, odd, NULL);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct xtr_http_options o = options();
		struct xtr_http_request q = request(cases[i].path);

		o.timeout_ms = cases[i].status == -ETIMEDOUT ? 700 : 10000;
		cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
		wait_for(&got, i + 1, 15000);
		cr_assert_eq(got.r.status, cases[i].status, "%s: %d, %s", cases[i].path, got.r.status, got.r.why);
		cr_assert_eq(got.r.code, cases[i].code, "%s: %ld", cases[i].path, got.r.code);
		cr_assert_eq(!!got.r.why[0], got.r.status || got.r.code != 200, "%s", cases[i].path);
		cr_assert_str_eq(got.r.etag, "", "the one of the redirect is not the document's");
	}
	end();
}

Test(http, a_post_is_not_redirected)
{
	https_lab_start(&lab, "DNS:" HOST, odd, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/once");

	q.body = "x";
	q.body_len = 1;
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.code, 302);
	cr_assert_eq(lab.requests, 1);
	end();
}

Test(http, nothing_there_and_not_https)
{
	struct xtr_http_options o = { .timeout_ms = 2000 };
	struct xtr_http_request q = { .url = "https://user:secret@127.0.0.1:1/token", .max = 10 };

	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.status, -ECONNREFUSED, "%s", got.r.why);
	cr_assert_not(strstr(got.r.why, "secret") || strstr(got.r.why, "token"), "%s", got.r.why);
	q.url = "http://127.0.0.1/";
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), -EINVAL);
	q.url = "file:///etc/passwd";
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), -EINVAL);
	q.url = "https://127.0.0.1/";
	o.resolve = "no-colons";
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), -EINVAL);
	o.resolve = NULL;
	q.accept = "a\r\nInjected: yes";
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), -EINVAL);
	cr_assert_eq(got.n, 1);
	end();
}

Test(http, version_2_is_required_when_configured)
{
	https_lab_start(&lab, "DNS:" HOST, echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/");

	o.version = 2;
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.status, -EPROTO);
	cr_assert(strstr(got.r.why, "HTTP/2"), "%s", got.r.why);
	end();
}

Test(http, many_at_once_and_then_closed)
{
	https_lab_start(&lab, "DNS:" HOST, echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/");

	o.timeout_ms = 20000;
	for (int i = 0; i < 100; i++)
		cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 100, 20000);
	cr_assert_leq(lab.connections, 8, "%u", lab.connections);
	end();
}

Test(http, close_from_the_call_and_with_requests_out)
{
	https_lab_start(&lab, "DNS:" HOST, echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/");

	got.http = http;
	for (int i = 0; i < 10; i++)
		cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(got.n, 1, "no call after close");
	cr_assert_eq(uv_loop_close(&loop), 0);
	https_lab_stop(&lab);
}

/* Whether a socket of this process has that mark. */
static bool marked(uint32_t mark)
{
	for (int fd = 3; fd < 256; fd++) {
		uint32_t m = 0;
		socklen_t size = sizeof(m);

		if (!getsockopt(fd, SOL_SOCKET, SO_MARK, &m, &size) && m == mark)
			return true;
	}
	return false;
}

/* Not by another user ID: the kernel would then keep LeakSanitizer from looking. */
static void unprivileged(void)
{
	cap_t none = cap_init();

	cr_assert_eq(cap_set_proc(none), 0);
	cap_free(none);
}

Test(http, so_mark)
{
	if (geteuid())
		cr_skip("needs root for SO_MARK");
	https_lab_start(&lab, "DNS:" HOST, echo, NULL);
	struct xtr_http_options o = options();
	struct xtr_http_request q = request("/");

	o.mark = 0x4c495350;
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 1, 15000);
	cr_assert_eq(got.r.status, 0, "%s", got.r.why);
	cr_assert(marked(o.mark), "the idle connection has it");
	unprivileged();
	q.url = "https://127.0.0.1:1/";
	cr_assert_eq(xtr_http_send(http, &o, &q, done, &got), 0);
	wait_for(&got, 2, 15000);
	cr_assert_eq(got.r.status, -EPERM);
	cr_assert(strstr(got.r.why, "SO_MARK"), "%s", got.r.why);
	end();
}
