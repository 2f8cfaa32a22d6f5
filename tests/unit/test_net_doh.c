// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS over HTTPS (RFC 8484): a server of the test's own that answers each path in its way.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dns_lab.h"
#include "https_lab.h"

static void doh(void *arg, const struct https_request *q, struct https_reply *rep)
{
	struct server *s = arg;
	static __thread struct ans buf;
	struct ans *a = &buf;

	rep->body = a->b;
	strcpy(rep->headers, "Content-Type: application/dns-message\r\n");
	server_answer(s, q->body, q->len, false, a);
	if (strstr(q->head, "/aged"))
		strcat(rep->headers, "Age: 50\r\n");
	if (strstr(q->head, "/id"))
		a->b[1] = 1;
	if (strstr(q->head, "/503"))
		rep->code = 503;
	if (strstr(q->head, "/slow"))
		rep->delay_ms = 9000;
	if (strncmp(q->head, "POST ", 5) || !strstr(q->head, "Content-Type: application/dns-message\r\n") ||
	    !strstr(q->head, "Accept: application/dns-message\r\n") || q->body[0] || q->body[1])
		rep->code = 400;
	rep->len = a->n;
	if (strstr(q->head, "/huge"))
		rep->len = sizeof(a->b);
	if (strstr(q->head, "/empty"))
		rep->len = 0;
}

static struct https_lab lab;
static char urls[2][96], resolve[64];
static const char *const url_list[] = { urls[0], urls[1] };

static void open_doh(const char *san, const char *path1, const char *path2)
{
	const char *paths[2] = { path1, path2 };
	struct xtr_err err;

	s1.answer = answer_good;
	https_lab_start(&lab, san, doh, &s1);
	for (int i = 0; i < 2; i++)
		snprintf(urls[i], sizeof(urls[i]), "https://dns.test:%u/%s", lab.port, paths[i] ? paths[i] : "");
	snprintf(resolve, sizeof(resolve), "dns.test:%u:127.0.0.1", lab.port);
	cfg.urls = url_list;
	cfg.url_count = path2 ? 2 : 1;
	cfg.http.ca_file = lab.ca;
	cfg.http.resolve = resolve;
	cr_assert_eq(uv_loop_init(&loop), 0);
	cr_assert_eq(xtr_dns_open(&loop, &cfg, dns_done, &seen, &dns, &err), 0, "%s", err.text);
}

static void doh_once(const char *san, const char *path1, const char *path2)
{
	open_doh(san, path1, path2);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 9), 0);
	wait_for(1, 15000);
	cr_assert_eq(seen.id, 9);
	s1.port = 0;
	close_dns();
	https_lab_stop(&lab);
}

TestSuite(doh, .timeout = 60);

Test(doh, RFC8484_post)
{
	doh_once("DNS:dns.test", "dns-query", NULL);
	cr_assert(!seen.r.status && seen.r.count == 2 && seen.r.ttl == 60, "%s", seen.r.why);
}

Test(doh, RFC8484_5_1_age_is_taken_off)
{
	doh_once("DNS:dns.test", "aged", NULL);
	cr_assert(!seen.r.status && seen.r.ttl == 10, "%u", seen.r.ttl);
}

Test(doh, wrong_certificate)
{
	doh_once("DNS:other.test", "dns-query", NULL);
	cr_assert_eq(seen.r.status, -EKEYREJECTED, "%s", seen.r.why);
	cr_assert_eq(s1.queries, 0, "no name was told to it");
}

Test(doh, failures)
{
	doh_once("DNS:dns.test", "503", NULL);
	cr_assert_eq(seen.r.status, -EPROTO);
	cr_assert(strstr(seen.r.why, "503"), "%s", seen.r.why);
}

Test(doh, id_is_not_zero)
{
	doh_once("DNS:dns.test", "id", NULL);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
}

Test(doh, oversized)
{
	doh_once("DNS:dns.test", "huge", NULL);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
}

Test(doh, empty)
{
	doh_once("DNS:dns.test", "empty", NULL);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
}

Test(doh, slow)
{
	cfg.timeout_ms = 500;
	doh_once("DNS:dns.test", "slow", NULL);
	cr_assert_eq(seen.r.status, -ETIMEDOUT, "%s", seen.r.why);
}

Test(doh, the_next_url_within_the_time_of_the_lookup)
{
	doh_once("DNS:dns.test", "slow", "dns-query");
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
}

Test(doh, closed_with_questions_out)
{
	open_doh("DNS:dns.test", "slow", NULL);
	for (unsigned i = 0; i < 50; i++)
		xtr_dns_lookup(dns, NAME, i);
	for (int i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	s1.port = 0;
	close_dns();
	cr_assert_eq(seen.n, 0);
	https_lab_stop(&lab);
}
