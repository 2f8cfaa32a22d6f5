// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS lookups by UDP and TCP, against servers of the test's own on 127.0.0.1 that answer, lie, fall silent, truncate. By
 * HTTPS: test_net_doh.c; the messages: test_net_dns_parse.c. Foreign servers are met in the end-to-end tests.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns_lab.h"

TestSuite(dns, .timeout = 60);

Test(dns, both_families_in_one_result)
{
	server_start(&s1, answer_good);
	open_dns(1);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 7), 0);
	cr_assert_eq(seen.n, 0, "never from inside the call");
	wait_for(1, 15000);
	cr_assert(seen.id == 7 && !seen.r.status && seen.r.count == 2 && seen.r.ttl == 60 && !seen.r.partial, "%s",
		  seen.r.why);
	cr_assert(seen.r.addrs[0].family == 4 && seen.r.addrs[1].family == 6);
	cr_assert_eq(s1.queries, 2);
	cr_assert_eq(xtr_dns_lookup(dns, "", 1), -EINVAL);
	cr_assert_eq(xtr_dns_lookup(dns, "a..b", 1), -EINVAL);
	close_dns();
}

static size_t wants_ad(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	if (q[2] & 1 && q[3] & 0x20) /* RD, AD */
		a->b[3] |= 0x20;
	return answer_good(s, q, len, tcp, a);
}

Test(dns, RFC6840_5_7_authenticated_data_is_asked_for)
{
	server_start(&s1, wants_ad);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert(!seen.r.status && seen.r.authenticated);
	close_dns();
}

static size_t truncated(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	int type = asked_type(a);
	char text[32];

	if (!tcp)
		a->b[2] |= 2;
	for (int i = 1; tcp && type == A && i <= 200; i++) {
		snprintf(text, sizeof(text), "127.0.2.%d", i);
		ans_addr(a, "@12", 60, text);
	}
	return a->n;
}

Test(dns, truncated_answers_come_by_tcp_whole)
{
	server_start(&s1, truncated);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	cr_assert_eq(seen.r.count, XTR_DNS_ADDRS_MAX);
	cr_assert_eq(seen.r.cut, 200 - XTR_DNS_ADDRS_MAX);
	cr_assert_eq(s1.tcp_queries, 2);
	close_dns();
}

static size_t large(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	if (asked_type(a) == A)
		for (int i = 1; i <= 60; i++) {
			char text[32];

			snprintf(text, sizeof(text), "127.0.2.%d", i);
			ans_addr(a, "@12", 60, text);
		}
	return a->n;
}

Test(dns, RFC6891_an_answer_of_a_kilobyte_needs_no_tcp)
{
	server_start(&s1, large);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.count, 60, "%s", seen.r.why);
	cr_assert_eq(s1.tcp_queries, 0);
	close_dns();
}

Test(dns, servfail_is_said_at_once_and_the_next_server_is_asked)
{
	server_start(&s1, answer_servfail);
	server_start(&s2, answer_good);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	cr_assert_lt(wait_for(1, 15000), 3000);
	cr_assert_eq(seen.r.status, -EIO);
	cr_assert(strstr(seen.r.why, "SERVFAIL: 127.0.0.1:") == seen.r.why, "%s", seen.r.why);
	cr_assert_eq(s1.queries, 2, "not asked again");
	xtr_dns_close(dns);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 2);
	cr_assert_lt(wait_for(2, 15000), 3000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	cr_assert_eq(s1.queries, 4);
	xtr_dns_lookup(dns, NAME, 3);
	wait_for(3, 15000);
	cr_assert_eq(s1.queries, 4, "the one that answered last comes first");
	close_dns();
}

Test(dns, silence_ends_with_the_time_of_the_lookup)
{
	uint64_t ms;

	server_start(&s1, answer_silent);
	cfg.timeout_ms = 900;
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	ms = wait_for(1, 15000);
	cr_assert(ms >= 850 && ms < 5000, "%u", (unsigned)ms);
	cr_assert_eq(seen.r.status, -ETIMEDOUT);
	cr_assert(strstr(seen.r.why, "no answer"), "%s", seen.r.why);
	cr_assert_eq(s1.queries, 6, "three times for each family, not %u", s1.queries);
	close_dns();
}

Test(dns, a_silent_server_does_not_hide_the_other)
{
	server_start(&s1, answer_silent);
	server_start(&s2, answer_good);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 1);
	cr_assert_lt(wait_for(1, 15000), 3000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	close_dns();
}

Test(dns, a_closed_port_is_noticed_at_once_and_used_again_later)
{
	server_start(&s1, answer_good);
	server_stop(&s1);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	cr_assert_lt(wait_for(1, 15000), 3000);
	cr_assert_eq(seen.r.status, -ECONNREFUSED, "%s", seen.r.why);
	s1.port = 0;
	close_dns();
}

Test(dns, no_such_name_is_definite)
{
	server_start(&s1, answer_nxdomain);
	server_start(&s2, answer_good);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert(seen.r.status == -ENOENT && seen.r.ttl == 40, "%s", seen.r.why);
	cr_assert(s1.queries == 2 && !s2.queries);
	close_dns();
}

static size_t half(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	return asked_type(a) == A ? answer_good(s, q, len, tcp, a) : answer_servfail(s, q, len, tcp, a);
}

Test(dns, one_family_alone_is_partial)
{
	server_start(&s1, half);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert(!seen.r.status && seen.r.count == 1 && seen.r.partial);
	cr_assert(strstr(seen.r.why, "SERVFAIL"), "%s", seen.r.why);
	close_dns();
}

static size_t forged(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	answer_good(s, q, len, tcp, a);
	if (s == &s1)
		a->b[1] ^= 1; /* ID */
	else
		a->b[13] ^= 1; /* name */
	return a->n;
}

Test(dns, RFC5452_answers_to_nobodys_question_are_not_taken)
{
	cfg.timeout_ms = 600;
	server_start(&s1, forged);
	server_start(&s2, forged);
	open_dns(2);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, -ETIMEDOUT, "%s", seen.r.why);
	close_dns();
}

static size_t no_edns(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	if (q[11]) {
		a->b[3] |= 1;
		return a->n;
	}
	return answer_good(s, q, len, tcp, a);
}

Test(dns, RFC6891_7_servers_without_edns)
{
	server_start(&s1, no_edns);
	open_dns(1);
	for (unsigned i = 1; i <= 3; i++) {
		xtr_dns_lookup(dns, NAME, i);
		wait_for(i, 15000);
		cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	}
	cr_assert_eq(s1.plain, 6);
	cr_assert_leq(s1.queries, 10, "%u: learned once", s1.queries);
	close_dns();
}

static size_t garbage(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	ans_addr(a, "@12", 60, "127.0.0.1");
	a->n -= 2;
	return a->n;
}

Test(dns, malformed_answers)
{
	server_start(&s1, garbage);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, -EBADMSG, "%s", seen.r.why);
	close_dns();
}

static size_t late(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	usleep(300);
	return answer_good(s, q, len, tcp, a);
}

Test(dns, a_thousand_at_once)
{
	char name[32];

	cfg.timeout_ms = 10000;
	server_start(&s1, late);
	open_dns(1);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%u.ms.test", i);
		cr_assert_eq(xtr_dns_lookup(dns, name, i), 0);
	}
	uv_run(&loop, UV_RUN_NOWAIT);
	cr_assert_leq(dns->active_count, 256);
	wait_for(1000, 20000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	close_dns();
}

Test(dns, the_queue_is_bounded)
{
	server_start(&s1, answer_silent);
	open_dns(1);
	for (unsigned i = 0; i < 4096; i++)
		cr_assert_eq(xtr_dns_lookup(dns, NAME, i), 0);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 1), -ENOBUFS);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	close_dns(); /* with all that out and waiting */
	cr_assert_eq(seen.n, 0, "close does not call");
}

Test(dns, closed_from_the_call)
{
	server_start(&s1, answer_good);
	open_dns(1);
	seen.close = dns;
	for (unsigned i = 0; i < 5; i++)
		xtr_dns_lookup(dns, NAME, i);
	wait_for(1, 15000);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(seen.n, 1);
	cr_assert_eq(uv_loop_close(&loop), 0);
	server_stop(&s1);
}

static size_t slow(struct server *s, const uint8_t *q, size_t len, bool tcp, struct ans *a)
{
	usleep(100000);
	return answer_good(s, q, len, tcp, a);
}

Test(dns, other_servers_while_lookups_are_out)
{
	struct xtr_err err;

	server_start(&s1, slow);
	server_start(&s2, answer_nxdomain);
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	server_list[0].port = s2.port;
	cr_assert_eq(xtr_dns_reconfigure(dns, &cfg, &err), 0);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, 0, "the old one answered: %s", seen.r.why);
	xtr_dns_lookup(dns, NAME, 2);
	wait_for(2, 15000);
	cr_assert_eq(seen.r.status, -ENOENT);
	close_dns();
}

Test(dns, the_system_servers_without_configuration)
{
	struct xtr_dns_server sys[8];
	struct xtr_err err;
	int n = xtr_dns_system_servers(sys, 8, &err);

	cr_assert(n >= 1 && n <= 8, "%s", err.text);
	cr_assert(sys[0].port && (sys[0].ip.family == 4 || sys[0].ip.family == 6));
}

/* Not by another user ID: the kernel would then keep LeakSanitizer from looking. */
static void unprivileged(void)
{
	cap_t none = cap_init();

	cr_assert_eq(cap_set_proc(none), 0);
	cap_free(none);
}

Test(dns, so_mark)
{
	bool marked = false;

	if (geteuid())
		cr_skip("needs root for SO_MARK");
	server_start(&s1, slow);
	cfg.mark = 0x4c495350;
	open_dns(1);
	xtr_dns_lookup(dns, NAME, 1);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
	for (int fd = 3; fd < 64; fd++) {
		uint32_t m = 0;
		socklen_t size = sizeof(m);

		marked |= !getsockopt(fd, SOL_SOCKET, SO_MARK, &m, &size) && m == cfg.mark;
	}
	cr_assert(marked);
	wait_for(1, 15000);
	cr_assert_eq(seen.r.status, 0, "%s", seen.r.why);
	unprivileged();
	xtr_dns_lookup(dns, NAME, 2);
	wait_for(2, 15000);
	cr_assert(seen.r.status && strstr(seen.r.why, "SO_MARK"), "%s", seen.r.why);
	close_dns();
}

/* The host gets other servers, by DHCP say: they are asked without a reload. */
Test(dns, servers_of_the_system_are_followed)
{
	char name[] = "/tmp/xtr-resolv-XXXXXX";
	int fd = mkstemp(name);

	if (geteuid())
		cr_skip("needs root, for a file over /etc/resolv.conf");
	cr_assert(fd >= 0);
	cr_assert_eq(unshare(CLONE_NEWNS | CLONE_NEWNET), 0);
	cr_assert_eq(system("ip link set lo up"), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount(name, "/etc/resolv.conf", NULL, MS_BIND, NULL), 0);
	server_at = "127.0.0.2";
	server_start(&s1, answer_good);
	server_at = "127.0.0.3";
	server_start(&s2, answer_good);
	dprintf(fd, "nameserver 127.0.0.2\n");
	open_dns(0);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 1), 0);
	wait_for(1, 15000);
	cr_expect(!seen.r.status && s1.queries == 2 && !s2.queries, "%s: %u, %u", seen.r.why, s1.queries, s2.queries);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(pwrite(fd, "nameserver 127.0.0.3\n", 21, 0), 21);
	usleep(1100000);
	uv_update_time(&loop);
	cr_assert_eq(xtr_dns_lookup(dns, NAME, 2), 0);
	wait_for(2, 15000);
	cr_expect(!seen.r.status && s1.queries == 2 && s2.queries == 2, "%s: %u, %u", seen.r.why, s1.queries, s2.queries);
	close_dns();
	umount2("/etc/resolv.conf", MNT_DETACH);
	close(fd);
	unlink(name);
}
