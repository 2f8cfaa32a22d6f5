// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Learned path MTUs on the real kernel: the programs' flow hash is the daemon's; messages of the network teach the templates
 * and the routes, others nothing; bounds and time.
 */
#include "dp_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(dp_pmtu, .init = dp_setup, .fini = dp_teardown);

static int in_child(int af, int proto)
{
	int home = open("/proc/self/ns/net", O_RDONLY), there, fd;
	struct timeval tv = { .tv_usec = 500000 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	there = open(path, O_RDONLY);
	cr_assert_eq(setns(there, CLONE_NEWNET), 0);
	fd = socket(af, SOCK_RAW, proto);
	cr_assert(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	close(there);
	return fd;
}

/* A datagram of xtr0's host to this address; what arrives in the child behind the outer IP header. */
static ssize_t encapsulated(int rx, int af, const char *dst, uint16_t port, uint8_t *buf, size_t size)
{
	struct sockaddr_storage ss;
	struct xtr_ip a = ip(dst);
	socklen_t n = xtr_ip_to_sockaddr(&a, port, &ss);
	int tx = socket(ss.ss_family, SOCK_DGRAM, 0);
	ssize_t len;

	cr_assert_eq(sendto(tx, "hello", 5, 0, (struct sockaddr *)&ss, n), 5, "%s", strerror(errno));
	close(tx);
	do {
		len = recv(rx, buf, size, 0);
		if (len > 20 && af == AF_INET)
			memmove(buf, buf + 20, (size_t)(len -= 20));
	} while (len > 4 && (buf[2] << 8 | buf[3]) != 4341);
	return len;
}

Test(dp_pmtu, flow_hash_is_that_of_the_programs)
{
	struct xtr_dp_mapping m4 = mapping("192.0.2.2", 1, NULL, 0), m6 = mapping("2001:db8::2", 1, NULL, 0);
	uint8_t m[2048] = { 3, 4 };
	struct xtr_dp_quote q;
	struct xtr_dp *dp;
	int rx4, rx6;

	config(XTR_MODE_TC);
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &m4), 0);
	cr_assert_eq(put(dp, "fd02::/64", &m6), 0);
	serve(dp, 300);
	rx4 = in_child(AF_INET, IPPROTO_UDP);
	rx6 = in_child(AF_INET6, IPPROTO_UDP);
	for (uint16_t port = 1000; port < 1020; port++) {
		for (int k = 0; k < 2; k++) {
			ssize_t n = encapsulated(k ? rx6 : rx4, k ? AF_INET6 : AF_INET, k ? "fd02::7" : "10.2.0.7", port, m + 28,
						 1500);

			cr_assert_gt(n, 40, "IPv%d port %u", k ? 6 : 4, port);
			/* as a router would quote it */
			memcpy(m + 8, "\x45\0\0\0\0\0\x40\0\x40\x11\0\0\1\1\1\1\2\2\2\2", 20);
			m[10] = (uint8_t)((n + 20) >> 8);
			m[11] = (uint8_t)(n + 20);
			cr_assert_eq(xtr_dp_quote_read(4, m, (unsigned)n + 28, &q), 0);
			cr_assert(q.has_inner);
			cr_expect_eq(q.sport, xtr_flow_port(q.hash), "IPv%d port %u", k ? 6 : 4, port);
		}
	}
	xtr_dp_close(dp);
	detach();
}

/* From the child, quoting a packet from us to it: to xtr0's EIDs' port; with the right source port, or another. */
static void too_big(const char *locator, uint16_t mtu, const char *edst, unsigned len, int delta, unsigned quoted)
{
	int tx = in_child(AF_INET, IPPROTO_ICMP);
	struct xtr_ip a = ip("192.0.2.1"), b = ip(locator), c = ip("10.1.0.1"), d = ip(edst);
	uint8_t m[512] = { 3, 4 }, l4[4] = { 0, 1, 0, 2 }, *o = m + 8, *i = m + 44;
	struct sockaddr_storage ss;
	socklen_t n = xtr_ip_to_sockaddr(&a, 0, &ss);
	unsigned in = len - 36;
	uint16_t sport = (uint16_t)(xtr_flow_port(xtr_dp_flow_hash(&c, &d, 17, l4)) + delta), sum;

	m[6] = (uint8_t)(mtu >> 8);
	m[7] = (uint8_t)mtu;
	memcpy(o, "\x45\0\0\0\0\0\x40\0\x40\x11\0\0", 12);
	o[2] = (uint8_t)(len >> 8);
	o[3] = (uint8_t)len;
	memcpy(o + 12, a.a, 4);
	memcpy(o + 16, b.a, 4);
	o[20] = (uint8_t)(sport >> 8);
	o[21] = (uint8_t)sport;
	o[22] = 4341 >> 8;
	o[23] = 4341 & 255;
	o[24] = (uint8_t)((len - 20) >> 8);
	o[25] = (uint8_t)(len - 20);
	memcpy(i, "\x45\0\0\0\0\0\x40\0\x40\x11\0\0", 12);
	i[2] = (uint8_t)(in >> 8);
	i[3] = (uint8_t)in;
	memcpy(i + 12, c.a, 4);
	memcpy(i + 16, d.a, 4);
	memcpy(i + 20, l4, 4);
	sum = (uint16_t)~xtr_dp_fold(xtr_dp_sum(m, quoted, 0));
	m[2] = (uint8_t)(sum >> 8);
	m[3] = (uint8_t)sum;
	cr_assert_eq(sendto(tx, m, quoted, 0, (struct sockaddr *)&ss, n), quoted, "%s", strerror(errno));
	close(tx);
}

static unsigned template_mtu(const char *locator)
{
	struct xtr_ip want = ip(locator), have;

	look();
	for (unsigned i = 0; i < found.rlocs; i++) {
		xtr_dp_from_abi(&have, &found.rloc[i].r.dst, found.rloc[i].r.family);
		if (!memcmp(&want, &have, sizeof(want)))
			return found.rloc[i].r.mtu;
	}
	return 9999;
}

static bool has_route(const char *what)
{
	char cmd[256], *out;
	bool r;

	snprintf(cmd, sizeof(cmd), "ip route show table 4341 | grep -E '%s'", what);
	out = capture(cmd);
	r = *out;
	free(out);
	return r;
}

Test(dp_pmtu, RFC9300_7_2_only_messages_about_our_packets_are_believed)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.path_mtus = 4;
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &m), 0);
	serve(dp, 300);
	too_big("192.0.2.2", 1300, "10.2.0.7", 1496, 1, 200); /* the source port is not that of its flow */
	too_big("192.0.2.2", 1300, "10.3.0.7", 1496, 0, 200); /* that EID is not behind it */
	too_big("192.0.2.3", 1300, "10.2.0.7", 1496, 0, 200); /* no locator of ours */
	too_big("192.0.2.2", 1497, "10.2.0.7", 1496, 0, 200); /* it would have fitted */
	serve(dp, 300);
	cr_expect_eq(template_mtu("192.0.2.2"), 0);
	cr_expect_eq(found.stats[XTR_STAT_PATH_MTU_BAD].packets, 4);
	too_big("192.0.2.2", 1400, "10.2.0.7", 1496, 0, 200);
	serve(dp, 300);
	cr_expect_eq(template_mtu("192.0.2.2"), 1400);
	cr_expect_eq(found.stats[XTR_STAT_PATH_MTU].packets, 1);
	cr_expect(has_route("^10.2.0.0/24 .*xtr0.*mtu 1364"));
	too_big("192.0.2.2", 1450, "10.2.0.7", 1496, 0, 200); /* never raised */
	serve(dp, 300);
	cr_expect_eq(template_mtu("192.0.2.2"), 1400);
	too_big("192.0.2.2", 100, "10.2.0.7", 1496, 0, 36); /* the shortest quote; never below 576 */
	serve(dp, 300);
	cr_expect_eq(template_mtu("192.0.2.2"), 576);
	cr_expect(has_route("^10.2.0.0/24 .*mtu 540"));
	/* the EID-prefix goes, and so does its route; one that comes has it from the beginning */
	cr_assert_eq(xtr_dp_cache_del(dp, 0, &(struct xtr_ippfx){ ip("10.2.0.0"), 24 }), 0);
	cr_expect_not(has_route("^10.2.0.0/24"));
	cr_assert_eq(put(dp, "10.4.0.0/16", &m), 0);
	cr_expect(has_route("^10.4.0.0/16 .*mtu 540"));
	cr_assert_eq(put(dp, "10.0.0.0/8", &m), 0); /* the prefix of the EID route itself */
	cr_expect(has_route("^10.0.0.0/8 .*xtr0.*mtu 540"));
	serve(dp, 100);
	sh("ip link set xtr0 down; ip link set xtr0 up");
	serve(dp, 500);
	cr_expect(has_route("^10.0.0.0/8 .*xtr0.*mtu 540") && has_route("^10.4.0.0/16 .*mtu 540"), "after a link flap");
	xtr_dp_close(dp);
	detach();
}

Test(dp_pmtu, RFC1191_6_3_forgotten_after_a_while)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.path_mtus = 4;
	cfg.path_mtu_ms = 1000;
	dp = open_dp();
	cr_assert_eq(put(dp, "10.0.0.0/8", &m), 0);
	cr_assert_eq(put(dp, "10.2.0.0/24", &m), 0);
	serve(dp, 300);
	too_big("192.0.2.2", 1400, "10.2.0.7", 1496, 0, 200);
	serve(dp, 300);
	cr_expect_eq(template_mtu("192.0.2.2"), 1400);
	cr_expect(has_route("^10.0.0.0/8 .*mtu 1364") && has_route("^10.2.0.0/24 .*mtu 1364"));
	serve(dp, 1500);
	cr_expect_eq(template_mtu("192.0.2.2"), 0);
	cr_expect(has_route("^10.0.0.0/8 .*xtr0") && !has_route("mtu"));
	xtr_dp_close(dp);
	detach();
}

Test(dp_pmtu, the_table_is_bounded)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, NULL, 0), b = mapping("192.0.2.3", 1, NULL, 0);
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.path_mtus = 1;
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &a), 0);
	cr_assert_eq(put(dp, "10.3.0.0/24", &b), 0);
	serve(dp, 300);
	too_big("192.0.2.2", 1400, "10.2.0.7", 1496, 0, 200);
	too_big("192.0.2.3", 1300, "10.3.0.7", 1496, 0, 200);
	serve(dp, 1500);
	cr_expect_eq(template_mtu("192.0.2.2"), 0, "heard of longest ago");
	cr_expect_eq(template_mtu("192.0.2.3"), 1300);
	cr_expect(!has_route("^10.2.0.0/24") && has_route("^10.3.0.0/24 .*mtu 1264"));
	xtr_dp_close(dp);
	detach();
}
