// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `xtrctl lig EID to ADDRESS` without a daemon: against a Map-Resolver of the test in a network namespace of its own.
 *
 *   xtrctl --ECM(Map-Request)--> 127.0.0.1:4342 or ::1 (the Map-Resolver: answers nothing itself)
 *          <------Map-Reply----- 127.0.0.2 (an ETR), after a forged one with another nonce
 */
#include <criterion/criterion.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/msg.h"
#include "unit/cli_lab.h"

static struct xtr_lab lab;
static struct xtr_ran ran;

struct resolver {
	int fd;
	unsigned deaf;              /* requests that get no answer */
	unsigned seen;
	char wrong[160];            /* what a request has that it must not have */
	struct xtr_ecm ecm;
	struct xtr_eid_prefix eid;  /* asked for */
	uint8_t buf[2048];
	pthread_t thread;
};

static void loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

static int bound(const char *address, uint16_t port)
{
	struct sockaddr_storage ss;
	struct xtr_ip ip;
	socklen_t len;
	int fd;

	cr_assert_eq(xtr_ip_parse(address, &ip), 0);
	len = xtr_ip_to_sockaddr(&ip, port, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* RFC 9301 5.2, 5.8: what an ITR puts into the request. */
static void judge(struct resolver *r, const struct xtr_map_request *m, const struct sockaddr_storage *from)
{
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_ip itr, sender;
	uint16_t port;

	xtr_ip_from_sockaddr((const struct sockaddr *)from, &sender, &port);
	if (m->itr_rloc_count != 1 || !xtr_addr_ip(&m->itr_rlocs[0], &itr) || xtr_ip_cmp(&itr, &sender))
		strcpy(r->wrong, "the ITR-RLOC is not the address it is sent from");
	else if (r->ecm.inner_sport != port || xtr_ip_cmp(&r->ecm.inner_src, &sender))
		strcpy(r->wrong, "the inner source is not the socket the answer is awaited on");
	else if (r->ecm.inner_dport != 4342)
		strcpy(r->wrong, "the inner destination port is not 4342");
	else if (m->flags || m->record_count != 1 || m->source_eid.afi != XTR_AFI_NONE)
		strcpy(r->wrong, "flags, record count or source EID");
	else if (!xtr_mreq_record_next(m, &it, &rec) || xtr_eid_from_addr(&rec.eid, rec.mask_len, &r->eid, NULL))
		strcpy(r->wrong, "the EID record");
}

static void reply(const struct resolver *r, uint64_t nonce, bool positive)
{
	bool v4 = r->ecm.inner_src.family == 4;
	int fd = bound(v4 ? "127.0.0.2" : "::1", 0);
	struct xtr_record_head h = { .ttl = 1440, .act = positive ? 0 : 1, .authoritative = true, .map_version = 3 };
	struct sockaddr_storage to;
	struct xtr_ip rloc;
	uint8_t buf[512];
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	socklen_t len = xtr_ip_to_sockaddr(&r->ecm.inner_src, r->ecm.inner_sport, &to);
	size_t mark;

	xtr_ip_parse("192.0.2.2", &rloc);
	xtr_map_reply_begin(&w, false, false, 1, nonce);
	mark = xtr_put_record_begin(&w, &h, &r->eid);
	if (positive)
		xtr_put_locator(&w, 1, 100, 255, 0, false, false, true, &rloc);
	xtr_put_record_end(&w, mark, positive);
	(void)!sendto(fd, buf, xtr_wr_len(&w), 0, (struct sockaddr *)&to, len);
	close(fd);
}

static void *resolve(void *arg)
{
	struct resolver *r = arg;
	struct xtr_map_request m;
	struct sockaddr_storage from;

	for (;;) {
		socklen_t fl = sizeof(from);
		ssize_t n = recvfrom(r->fd, r->buf, sizeof(r->buf), 0, (struct sockaddr *)&from, &fl);

		if (n <= 1)
			return NULL;
		r->seen++;
		if (xtr_ecm_decode(r->buf, (size_t)n, &r->ecm) ||
		    xtr_map_request_decode(r->ecm.msg, r->ecm.msg_len, &m)) {
			strcpy(r->wrong, "no Map-Request in an ECM");
			continue;
		}
		judge(r, &m, &from);
		if (r->seen <= r->deaf)
			continue;
		reply(r, m.nonce ^ 1, false);
		reply(r, m.nonce, r->eid.iid != 9);
	}
}

static void up(struct resolver *r, const char *address, unsigned deaf)
{
	if (unshare(CLONE_NEWNET))
		cr_skip("network namespaces need root");
	xtr_lab_open(&lab, NULL);
	loopback_up();
	memset(r, 0, sizeof(*r));
	r->deaf = deaf;
	r->fd = bound(address, 4342);
	cr_assert_eq(pthread_create(&r->thread, NULL, resolve, r), 0);
}

static void down(struct resolver *r)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	getsockname(r->fd, (struct sockaddr *)&ss, &len);
	(void)!sendto(r->fd, "", 1, 0, (struct sockaddr *)&ss, len); /* ends the thread */
	pthread_join(r->thread, NULL);
	close(r->fd);
	xtr_lab_close(&lab);
	cr_expect_str_empty(r->wrong, "%s", r->wrong);
}

static void asked_for(const struct resolver *r, const char *eid)
{
	char buf[XTR_EID_STRLEN];

	cr_expect_str_eq(xtr_eid_str(&r->eid, buf), eid);
}

static void lines_are(const char *tries, const char *rest)
{
	const char *second = strchr(ran.out, '\n');

	cr_expect_eq(ran.status, 0, "status %d: %s", ran.status, ran.err);
	cr_assert_not_null(second);
	cr_expect_not_null(strstr(ran.out, tries), "%s", ran.out);
	cr_expect_str_eq(second + 1, rest, "%s", ran.out);
}

Test(cli_lig, takes_the_answer_of_whoever_is_authoritative)
{
	static struct resolver r;
	json_t *v;

	up(&r, "127.0.0.1", 0);
	xtr_lab_run(&lab, "lig 10.2.0.5 to 127.0.0.1", &ran);
	cr_expect(!strncmp(ran.out, "answered by 127.0.0.2  rtt ", 27), "%s", ran.out);
	lines_are("  tries 1\n", "10.2.0.5/32: mapped  ttl 1440m  authoritative  map-version 3\n"
				 "\tlocator 192.0.2.2  up  priority 1  weight 100\n");
	asked_for(&r, "[0]10.2.0.5/32");
	cr_expect_str_eq(ran.err, "daemon not running: asking 127.0.0.1 directly\n");
	xtr_lab_run(&lab, "-j lig 10.2.0.5 to 127.0.0.1", &ran);
	v = json_loads(ran.out, 0, NULL);
	cr_expect_null(xtr_schema_check("lig", v), "%s", ran.out);
	json_decref(v);
	down(&r);
}

Test(cli_lig, asks_again_after_two_seconds)
{
	static struct resolver r;

	up(&r, "127.0.0.1", 1);
	xtr_lab_run(&lab, "lig [9]fd02::/64 to 127.0.0.1", &ran);
	lines_are("  tries 2\n", "[9]fd02::/64: negative, action natively-forward  ttl 1440m  authoritative  map-version 3\n");
	asked_for(&r, "[9]fd02::/64");
	cr_expect_eq(r.seen, 2);
	down(&r);
}

Test(cli_lig, over_ipv6)
{
	static struct resolver r;

	up(&r, "::1", 0);
	xtr_lab_run(&lab, "lig fd02::5 instance 7 to ::1", &ran);
	lines_are("  tries 1\n", "[7]fd02::5/128: mapped  ttl 1440m  authoritative  map-version 3\n"
				 "\tlocator 192.0.2.2  up  priority 1  weight 100\n");
	cr_expect_eq(r.ecm.inner_dst.family, 6);
	down(&r);
}

Test(cli_lig, D_21_of_a_group)
{
	static struct resolver r;

	up(&r, "127.0.0.1", 0);
	xtr_lab_run(&lab, "lig (*,224.1.1.1) to 127.0.0.1", &ran);
	lines_are("  tries 1\n", "(0.0.0.0/0,224.1.1.1/32): mapped  ttl 1440m  authoritative  map-version 3\n"
				 "\tlocator 192.0.2.2  up  priority 1  weight 100\n");
	asked_for(&r, "[0](0.0.0.0/0,224.1.1.1/32)");
	down(&r);
}

Test(cli_lig, gives_up_after_three_tries)
{
	static struct resolver r;

	up(&r, "127.0.0.1", 99);
	xtr_lab_run(&lab, "lig 10.2.0.5 to 127.0.0.1", &ran);
	cr_expect_eq(ran.status, 255);
	cr_expect_eq(r.seen, 3);
	cr_expect_not_null(strstr(ran.err, "Error: no Map-Reply came from 127.0.0.1 or on its behalf (3 tries)"), "%s", ran.err);
	down(&r);
}
