// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Packets that wait for their mapping, on the real kernel: bounds, order, checksums, super-packets,
 * counters.
 */
#include "dp_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(dp_packets, .init = dp_setup, .fini = dp_teardown);

static int in_child(int type, const char *addr, uint16_t port)
{
	int home = open("/proc/self/ns/net", O_RDONLY), there, fd;
	char path[64];
	struct sockaddr_storage ss;
	struct xtr_ip a = ip(addr);
	struct timeval tv = { .tv_usec = 300000 };
	socklen_t n = xtr_ip_to_sockaddr(&a, port, &ss);

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	there = open(path, O_RDONLY);
	cr_assert_eq(setns(there, CLONE_NEWNET), 0);
	fd = socket(ss.ss_family, type, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&ss, n), 0, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (a.family == 6) /* LISP sends no UDP checksum (RFC 9300 5.3, RFC 6935) */
		cr_assert_eq(setsockopt(fd, IPPROTO_UDP, 102 /* UDP_NO_CHECK6_RX */, &(int){ 1 },
					sizeof(int)),
			     0);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	close(there);
	return fd;
}

static int sender(const char *dst, struct sockaddr_storage *ss, socklen_t *len)
{
	struct xtr_ip a = ip(dst);

	*len = xtr_ip_to_sockaddr(&a, 9999, ss);
	return socket(ss->ss_family, SOCK_DGRAM, 0);
}

/* Internet checksum over pseudo-header and UDP of an inner IPv4 packet: 0 when right. */
static uint16_t inner_udp_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 17 + (uint32_t)n - 20;

	for (size_t i = 12; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool right_udp6(const uint8_t *p, size_t n)
{
	uint32_t sum = 17 + (uint32_t)n - 40;

	for (size_t i = 8; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

Test(dp_packets, first_packets_wait_and_arrive_in_order_with_finished_checksums)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_storage to;
	struct xtr_ip want = ip("10.2.0.5");
	uint8_t buf[2048];
	socklen_t len;
	struct xtr_dp *dp;
	int tx, rx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	tx = sender("10.2.0.5", &to, &len);
	for (uint8_t i = 0; i < 3; i++)
		cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1, "%s",
			     strerror(errno));
	serve(dp, 50);
	cr_expect_eq(seen.miss, 1, "miss() is called once, not per packet");
	cr_expect_arr_eq(&seen.dst, &want, sizeof(want));
	cr_expect_eq(dp->q_packets, 3);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	cr_expect_eq(dp->q_packets, 0);
	serve(dp, 100);
	cr_expect_eq(dp->hold_active, 0, "order is kept for a moment only");
	for (uint8_t i = 3; i < 6; i++)
		cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1);
	for (uint8_t i = 0; i < 6; i++) {
		ssize_t n = recv(rx, buf, sizeof(buf), 0);

		cr_assert_eq(n, 8 + 20 + 8 + 1, "packet %u: %zd", i, n);
		cr_expect_eq(buf[8 + 28], i);
		if (i < 3)
			cr_expect_eq(inner_udp_sum(buf + 8, (size_t)n - 8), 0,
				     "packet %u has a wrong checksum", i);
	}
	look();
	cr_expect_eq(found.stats[XTR_STAT_INJECT].packets, 3);
	cr_expect_eq(found.stats[XTR_STAT_ENCAP].packets, 6);
	cr_expect_lt(found.cache[0].idle_ms, 3000);
	cr_expect_lt(xtr_dp_cache_idle(dp, 0, &found.cache[0].eid, now_ms()), 3000);
	/* without the daemon traffic goes on; a new one adopts the entry */
	xtr_dp_close(dp);
	buf[0] = 77;
	cr_assert_eq(sendto(tx, buf, 1, 0, (struct sockaddr *)&to, len), 1);
	cr_assert_eq(recv(rx, buf, sizeof(buf), 0), 37);
	cr_expect_eq(buf[36], 77);
	memset(&seen, 0, sizeof(seen));
	dp = open_dp();
	cr_expect_eq(seen.adopt, 1);
	cr_expect_eq(seen.adopted.n, 1);
	cr_expect_arr_eq(&seen.adopted.rloc[0], &m.rloc[0], sizeof(struct xtr_ip));
	xtr_dp_close(dp);
	detach();
	close(tx);
	close(rx);
}

/* Of an attached port, and IPv6 over IPv6: captured at the port, injected at the overlay's peer,
 * treated as from the port. */
Test(dp_packets, packets_of_attached_ports_wait_too)
{
	struct xtr_dp_mapping m = mapping("2001:db8::2", 1, NULL, 0);
	struct sockaddr_storage to;
	uint8_t buf[2048];
	socklen_t len;
	struct xtr_dp *dp;
	int tx, rx, home, there;
	char path[64];

	config(XTR_MODE_TC);
	sh("ip link set h1 netns %d; nsenter --net=/proc/%d/ns/net sh -c 'ip link set h1 up; ip addr add 10.1.0.9/24 dev h1; ip addr add fd01::9/64 "
	   "dev h1 nodad; ip route add 10.2.0.0/16 via 10.1.0.254; ip -6 route add fd02::/16 via fd01::fe'; ip addr add fd01::fe/64 dev h0 nodad",
	   (int)child, (int)child);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "2001:db8::2", 4341);
	home = open("/proc/self/ns/net", O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	there = open(path, O_RDONLY);
	cr_assert_eq(setns(there, CLONE_NEWNET), 0);
	tx = sender("fd02::5", &to, &len);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	for (uint8_t i = 0; i < 3; i++)
		cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1, "%s",
			     strerror(errno));
	serve(dp, 100);
	cr_expect_eq(seen.miss, 1);
	cr_expect_eq(dp->q_packets, 3);
	cr_assert_not_null(dp->queues);
	cr_expect_eq(dp->queues->head->ifindex, if_nametoindex("h0"));
	cr_expect_eq(put(dp, "fd02::/64", &m), 0);
	for (uint8_t i = 0; i < 3; i++) {
		ssize_t n = recv(rx, buf, sizeof(buf), 0);

		cr_assert_eq(n, 8 + 40 + 8 + 1, "packet %u: %zd", i, n);
		cr_expect_eq(buf[8 + 48], i);
		cr_expect_eq(buf[8 + 7], 63, "a router hop: hop limit %u", buf[8 + 7]);
		cr_expect(right_udp6(buf + 8, (size_t)n - 8), "packet %u has a wrong checksum", i);
	}
	close(home);
	close(there);
	close(tx);
	close(rx);
	xtr_dp_close(dp);
	detach();
}

Test(dp_packets, queue_is_bounded_and_every_drop_is_counted)
{
	struct xtr_dp_mapping neg = { .action = XTR_ACT_DROP };
	struct sockaddr_storage to;
	socklen_t len;
	struct xtr_ip dst;
	struct xtr_dp *dp;
	int tx;

	config(XTR_MODE_AUTO);
	cfg.queue_timeout_ms = 400;
	dp = open_dp();
	tx = sender("10.2.0.5", &to, &len);
	for (int i = 0; i < 7; i++) /* bound per EID: 4 */
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	tx = sender("10.3.0.5", &to, &len);
	for (int i = 0; i < 4; i++) /* in total: 6 */
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	serve(dp, 50);
	cr_expect_eq(seen.miss, 2);
	cr_expect_eq(dp->q_packets, 6);
	cr_expect_eq(put(dp, "10.2.0.0/24", &neg), 0);
	dst = ip("10.9.9.9");
	xtr_dp_miss_failed(dp, 0, &dst); /* of nobody: nothing happens */
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_EID_FULL], 3);
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_FULL], 2);
	/* the two oldest had to make room */
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_NEGATIVE], 2);
	cr_expect_eq(dp->q_packets, 4);
	serve(dp, 900);
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_TIMEOUT], 4);
	cr_expect_eq(dp->q_packets, 0);
	cr_expect_null(dp->queues);
	cr_expect_eq(dp->q_octets, 0);
	/* the counters survive a restart */
	xtr_dp_close(dp);
	dp = open_dp();
	tx = sender("10.4.0.5", &to, &len);
	sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	serve(dp, 50);
	dst = ip("10.4.0.5");
	xtr_dp_miss_failed(dp, 0, &dst);
	xtr_dp_tick(dp, now_ms());
	look();
	cr_expect_eq(found.drops[XTR_DROP_QUEUE_TIMEOUT], 5);
	/* what is not asked for is not kept */
	seen.refuse = true;
	tx = sender("10.5.0.5", &to, &len);
	sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	close(tx);
	serve(dp, 50);
	look();
	cr_expect_eq(found.drops[XTR_DROP_NOT_ASKED], 1);
	cr_expect_eq(dp->q_packets, 0);
	cr_expect_null(dp->queues);
	xtr_dp_close(dp);
	detach();
}

/* As if the programs had captured a packet of so many octets. */
static void captured(struct xtr_dp *dp, uint32_t iid, unsigned dst, unsigned octets, uint32_t flags)
{
	static uint8_t frame[XTR_EV_LARGE];
	struct xtr_event ev = { .family = 4, .iid = iid, .len = octets, .caplen = octets, .flags = flags };

	ev.dst.w[0] = htonl(0x0a640000 + dst);
	xtr_dp_queue_add(dp, &ev, frame);
}

static unsigned waiting(struct xtr_dp *dp, uint32_t iid, const char *eid)
{
	struct xtr_ippfx p = pfx(eid);

	return xtr_dp_queue_count(dp, iid, &p);
}

Test(dp_packets, an_instance_that_scans_takes_no_room_from_others)
{
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	cfg.queue_packets = 100;
	cfg.queue_eid_packets = 10;
	dp = open_dp();
	for (unsigned i = 0; i < 1000; i++)
		captured(dp, 5, i, 100, 0);
	cr_expect_eq(waiting(dp, 5, "0.0.0.0/0"), 100);
	cr_expect_eq(waiting(dp, 5, "10.100.3.132/32"), 1, "the youngest hundred are there");
	cr_expect_eq(waiting(dp, 5, "10.100.3.131/32"), 0, "the ones before are not");
	for (unsigned i = 0; i < 40; i++)
		captured(dp, 6, i, 100, 0);
	for (unsigned i = 1000; i < 2000; i++)
		captured(dp, 5, i, 100, 0);
	cr_expect_eq(waiting(dp, 6, "0.0.0.0/0"), 40, "all of the other instance wait still");
	cr_expect_eq(waiting(dp, 5, "0.0.0.0/0"), 60);
	cr_expect_eq(dp->drops[XTR_DROP_QUEUE_FULL], 2000 + 40 - 100);
	cr_expect_eq(seen.miss, 2040);
	/* two that both want all have half each */
	for (unsigned i = 0; i < 1000; i++) {
		captured(dp, 5, i, 100, 0);
		captured(dp, 6, i, 100, 0);
	}
	cr_expect_eq(waiting(dp, 5, "0.0.0.0/0"), 50);
	cr_expect_eq(waiting(dp, 6, "0.0.0.0/0"), 50);
	xtr_dp_close(dp);
	detach();
}

Test(dp_packets, large_packets_are_bounded_in_octets)
{
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	cfg.queue_packets = 1000;
	cfg.queue_eid_packets = 1000;
	cfg.queue_octets = 1 << 20;
	dp = open_dp();
	for (unsigned i = 0; i < 100; i++)
		captured(dp, 5, 1, 60000, 0);
	cr_expect_eq(dp->q_packets, (1 << 18) / 60000, "one EID: a quarter");
	cr_expect_eq(dp->drops[XTR_DROP_QUEUE_EID_FULL], 100 - (1 << 18) / 60000);
	captured(dp, 6, 1, 60000, 0);
	for (unsigned i = 0; i < 100; i++)
		captured(dp, 5, i, 60000, 0);
	cr_expect_eq(dp->q_packets, (1 << 20) / 60000);
	cr_expect_leq(dp->q_octets, 1 << 20);
	cr_expect_eq(waiting(dp, 6, "0.0.0.0/0"), 1, "the other instance's only one waits still");
	xtr_dp_close(dp);
	detach();
}

Test(dp_packets, who_comes_again_is_told_from_who_is_new)
{
	struct xtr_dp *dp;

	config(XTR_MODE_AUTO);
	cfg.queue_eid_packets = 100;
	cfg.queue_packets = 1000;
	dp = open_dp();
	captured(dp, 0, 1, 100, 0);
	cr_expect_eq(seen.miss, 1);
	cr_expect_eq(seen.again, 0);
	captured(dp, 0, 2, 100, XTR_EV_F_AGAIN); /* the programs refused it a second ago */
	cr_expect_eq(seen.miss, 2);
	cr_expect_eq(seen.again, 1);
	dp->now += 1000;
	captured(dp, 0, 1, 100, 0); /* its packets wait for a second already */
	cr_expect_eq(seen.miss, 3);
	cr_expect_eq(seen.again, 2);
	xtr_dp_close(dp);
	detach();
}

Test(dp_packets, an_entry_removed_behind_our_back_is_repaired_by_the_next_packet)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_storage to;
	socklen_t len;
	union xtr_dp_key k;
	struct xtr_ippfx p = pfx("10.2.0.0/24");
	struct xtr_dp *dp;
	uint8_t buf[256];
	int tx, rx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	xtr_dp_key(&k, 0, &p);
	cr_assert_eq(bpf_map_delete_elem(dp->map[XTR_M_EID4], &k), 0);
	tx = sender("10.2.0.5", &to, &len);
	for (int i = 0; i < 2; i++) {
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
		serve(dp, 50);
		cr_expect_eq(recv(rx, buf, sizeof(buf), 0), 37);
	}
	cr_expect_eq(seen.miss, 0);
	look();
	cr_expect_eq(found.caches, 1);
	cr_expect_eq(found.stats[XTR_STAT_MISS].packets, 1);
	xtr_dp_close(dp);
	detach();
	close(tx);
	close(rx);
}

Test(dp_packets, send_map_request_entries_ask_once_a_second)
{
	struct xtr_dp_mapping m = { .action = XTR_ACT_SEND_REQUEST };
	struct sockaddr_storage to;
	socklen_t len;
	struct xtr_dp *dp;
	int tx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	tx = sender("10.2.0.5", &to, &len);
	for (int i = 0; i < 5; i++)
		sendto(tx, "x", 1, 0, (struct sockaddr *)&to, len);
	serve(dp, 50);
	cr_expect_eq(seen.request, 1);
	cr_expect_eq(dp->q_packets, 0);
	close(tx);
	xtr_dp_close(dp);
	detach();
}

/*
 * A stream that never stops while its mapping is resolved: nothing lost, nothing overtaken. Whether
 * any packet has to be held depends on the scheduler, so it is tried until some were.
 */
static bool stream_in_order(struct xtr_dp *dp, int rx, unsigned turn)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	uint32_t expect = 0, got, late = 0, total = 3000;
	struct sockaddr_storage to;
	char dst[32], eid[32];
	uint8_t buf[256];
	socklen_t len;
	pid_t stream;
	int tx;

	snprintf(dst, sizeof(dst), "10.2.%u.5", turn);
	snprintf(eid, sizeof(eid), "10.2.%u.0/24", turn);
	memset(&seen, 0, sizeof(seen));
	tx = sender(dst, &to, &len);
	stream = fork();
	if (!stream) {
		for (uint32_t i = 0; i < total; i++) {
			if (sendto(tx, &i, sizeof(i), 0, (struct sockaddr *)&to, len) != sizeof(i))
				_exit(1);
			usleep(20);
		}
		_exit(0);
	}
	serve(dp, 60);
	cr_expect_eq(seen.miss, 1);
	cr_expect_gt(dp->q_packets, 0);
	cr_expect_eq(put(dp, eid, &m), 0);
	cr_expect_eq(dp->hold_active, 1);
	serve(dp, 1000);
	waitpid(stream, NULL, 0);
	serve(dp, 100);
	close(tx);
	for (uint32_t i = 0; i < total; i++) {
		if (recv(rx, buf, sizeof(buf), 0) != 40)
			break;
		memcpy(&got, buf + 36, 4);
		late += got != expect;
		expect = got + 1;
	}
	look();
	cr_expect_eq(expect, total, "lost: last seen %u", expect);
	cr_expect_eq(late, 0);
	cr_expect_eq(dp->hold_active, 0);
	return found.stats[XTR_STAT_HELD].packets > 0;
}

Test(dp_packets, order_is_kept_while_an_entry_is_installed, .timeout = 60)
{
	int rx, big = 8 << 20;
	struct xtr_dp *dp;
	bool held = false;

	config(XTR_MODE_AUTO);
	cfg.queue_eid_packets = cfg.queue_packets = 4000;
	cfg.miss_eid_burst = cfg.miss_burst = 100000;
	cfg.miss_rate = 100000;
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	setsockopt(rx, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	for (unsigned turn = 0; turn < 10 && !held; turn++)
		held = stream_in_order(dp, rx, turn);
	cr_expect(held, "no packet had to be held in ten turns: this has shown nothing");
	close(rx);
	xtr_dp_close(dp);
	detach();
}

/*
 * The counts of a hold slot are wrong and never meet, as if an event had been lost. Order is kept
 * for 50 ms, then the flow goes direct: by the programs alone, and the daemon clears up.
 */
/* False: the 50 ms were over before this process, on a busy machine, had come to what it has to do in them. */
static bool miscount(bool last)
{
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_storage to;
	struct xtr_hold h;
	uint8_t buf[256], i = 0;
	uint64_t start, put_at;
	socklen_t len;
	__u32 slot;
	struct xtr_dp *dp;
	bool late;
	int tx, rx;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	tx = sender("10.2.0.5", &to, &len);
	cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1);
	serve(dp, 50);
	start = now_ms(); /* of the 50 ms at the earliest; at the latest when it is put */
	cr_assert_eq(put(dp, "10.2.0.0/24", &m), 0);
	put_at = now_ms();
	cr_assert_eq(dp->hold_active, 1);
	look();
	slot = found.cache[0].e.hold - 1;
	cr_assert_eq(bpf_map_lookup_elem(dp->map[XTR_M_HOLD], &slot, &h), 0);
	h.queued += 1000;
	cr_assert_eq(bpf_map_update_elem(dp->map[XTR_M_HOLD], &slot, &h, BPF_ANY), 0);
	cr_assert_eq(recv(rx, buf, sizeof(buf), 0), 37, "the one that waited");
	for (i = 1; now_ms() - start < 35; i++) {
		cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1);
		usleep(5000);
	}
	late = now_ms() - start >= XTR_DP_HOLD_MS && !last;
	look();
	cr_expect(late || found.stats[XTR_STAT_HELD].packets == i - 1u);
	cr_expect(late || recv(rx, buf, sizeof(buf), MSG_DONTWAIT) == -1, "they are behind those that wait");
	if (late)
		goto out;
	/* the daemon does nothing */
	while (now_ms() - put_at < XTR_DP_HOLD_MS + 15)
		usleep(1000);
	i = 99;
	cr_assert_eq(sendto(tx, &i, 1, 0, (struct sockaddr *)&to, len), 1);
	cr_expect_eq(recv(rx, buf, sizeof(buf), 0), 37, "the deadline is over");
	cr_expect_eq(buf[36], 99);
	/* and when it does */
	serve(dp, 50);
	cr_expect_eq(dp->hold_active, 0);
	serve(dp, 300);
	cr_expect_eq(dp->hold_settled, 0);
	look();
	cr_expect_eq(found.cache[0].e.hold, 0);
	cr_expect_eq(found.stats[XTR_STAT_INJECT].packets, 1 + found.stats[XTR_STAT_HELD].packets,
		     "what was held is late, not lost");
out:
	xtr_dp_close(dp);
	detach();
	close(tx);
	close(rx);
	return !late;
}

Test(dp_packets, a_miscount_holds_a_flow_for_50_ms_and_no_longer, .timeout = 120)
{
	for (unsigned tries = 0; !miscount(tries == 9); tries++)
		;
}

/* A TCP super-packet with a partial checksum from an attached port, captured whole and injected
 * whole. */
Test(dp_packets, super_packets_survive_the_queue)
{
	struct {
		uint8_t v[10];
		uint8_t f[14 + 40 + 6000];
	} __attribute__((packed)) p;
	struct xtr_dp_mapping m = mapping("192.0.2.2", 1, NULL, 0);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex("h1"),
				  .sll_halen = 6 };
	static uint8_t buf[70000];
	struct xtr_nl_link l;
	struct xtr_dp_l4 l4;
	struct xtr_dp *dp;
	uint32_t sum = 0, octets = 0;
	uint16_t tot = 40 + 6000, mss = 1000;
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, rx;
	ssize_t n;

	config(XTR_MODE_AUTO);
	dp = open_dp();
	rx = in_child(SOCK_DGRAM, "192.0.2.2", 4341);
	cr_assert_eq(xtr_nl_link_get(dp->nl, 0, "h0", &l), 0);
	memset(&p, 0, sizeof(p));
	memcpy(p.f, l.mac, 6);
	memcpy(p.f + 6, "\2\0\0\0\0\7\x08\x00\x45\0", 10);
	p.f[16] = (uint8_t)(tot >> 8);
	p.f[17] = (uint8_t)tot;
	memcpy(p.f + 22, "\x40\x06\0\0\x0a\1\0\x0a\x0a\2\0\5", 12);
	for (int i = 14; i < 34; i += 2)
		sum += (uint32_t)p.f[i] << 8 | p.f[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	p.f[24] = (uint8_t)(~sum >> 8);
	p.f[25] = (uint8_t)~sum;
	memcpy(p.f + 34, "\x12\x34\x00\x50", 4);
	p.f[46] = 0x50;
	p.f[47] = 0x10;
	sum = 0x0a01 + 0x000a + 0x0a02 + 0x0005 + 6 + 6020; /* pseudo-header */
	sum = (sum & 0xffff) + (sum >> 16);
	p.f[50] = (uint8_t)(sum >> 8);
	p.f[51] = (uint8_t)sum;
	p.v[0] = 1; /* NEEDS_CSUM */
	p.v[1] = 1; /* TCPV4 */
	p.v[2] = 54;
	memcpy(p.v + 4, &mss, 2);
	p.v[6] = 34;
	p.v[8] = 16;
	cr_assert_eq(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	cr_assert_eq(sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&ll, sizeof(ll)),
		     (ssize_t)sizeof(p), "%s", strerror(errno));
	serve(dp, 100);
	cr_assert_eq(dp->q_packets, 1);
	cr_expect_eq(dp->queues->head->gso_size, 1000);
	xtr_dp_l4_find(dp->queues->head->frame, dp->queues->head->len, &l4);
	cr_expect(l4.partial && l4.l4 == 34 && l4.proto == 6);
	cr_expect_eq(put(dp, "10.2.0.0/24", &m), 0);
	while ((n = recv(rx, buf, sizeof(buf), 0)) > 0)
		octets += (uint32_t)n - 8 - 40;
	cr_expect_eq(octets, 6000);
	look();
	cr_expect_eq(found.stats[XTR_STAT_MISS_EVENT].packets, 1, "one in");
	cr_expect_eq(found.stats[XTR_STAT_INJECT].packets, 1, "one out");
	cr_expect_eq(found.stats[XTR_STAT_ENCAP].packets, 1);
	cr_expect_eq(found.drops[XTR_DROP_INJECT_FAILED], 0);
	xtr_dp_close(dp);
	detach();
	close(fd);
	close(rx);
}
