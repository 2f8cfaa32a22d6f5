// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Ways to the locators on the real kernel: what of them is the administrator's word, and what anybody could have said;
 * next hops that others look after, and very many of them.
 */
#include "dp_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(dp_paths, .init = dp_setup, .fini = dp_teardown);

static bool says(const char *cmd, const char *what)
{
	char *out = capture(cmd);
	bool r = strstr(out, what) != NULL;

	free(out);
	return r;
}

static unsigned template_mtu(const char *locator, bool *learned)
{
	struct xtr_ip want = ip(locator), have;

	look();
	for (unsigned i = 0; i < found.rlocs; i++) {
		xtr_dp_from_abi(&have, &found.rloc[i].r.dst, found.rloc[i].r.family);
		if (memcmp(&want, &have, sizeof(want)))
			continue;
		*learned = found.rloc[i].r.flags & XTR_RLOC_F_PMTU;
		return found.rloc[i].r.mtu;
	}
	return 9999;
}

/* From the child, whom nobody asked: an echo reply of ours to the locator was too big. */
static void forge(uint8_t family, const char *locator, uint16_t mtu)
{
	struct xtr_ip us = ip(family == 4 ? "192.0.2.1" : "2001:db8::1"), to = ip(locator);
	uint8_t m[128] = { 0 };
	struct sockaddr_storage ss;
	socklen_t n = xtr_ip_to_sockaddr(&us, 0, &ss);
	unsigned len = family == 4 ? 8 + 20 + 8 : 8 + 40 + 8;
	int home = open("/proc/self/ns/net", O_RDONLY), there, fd;
	char path[64];
	uint16_t sum;

	if (family == 4) {
		memcpy(m, "\3\4", 2);
		memcpy(m + 8, "\x45\0\5\xdc\0\0\x40\0\x40\1\0\0", 12);
		memcpy(m + 20, us.a, 4);
		memcpy(m + 24, to.a, 4);
	} else {
		m[0] = 2;
		memcpy(m + 8, "\x60\0\0\0\5\xb4\x3a\x40", 8);
		memcpy(m + 16, us.a, 16);
		memcpy(m + 32, to.a, 16);
		m[48] = 129;
	}
	m[6] = (uint8_t)(mtu >> 8);
	m[7] = (uint8_t)mtu;
	sum = (uint16_t)~xtr_dp_fold(xtr_dp_sum(m, len, 0));
	if (family == 4) {
		m[2] = (uint8_t)(sum >> 8);
		m[3] = (uint8_t)sum;
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
	there = open(path, O_RDONLY);
	cr_assert_eq(setns(there, CLONE_NEWNET), 0);
	fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW, family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	cr_assert_eq(sendto(fd, m, len, 0, (struct sockaddr *)&ss, n), len, "%s", strerror(errno));
	close(fd);
	close(home);
	close(there);
}

Test(dp_paths, RFC9300_7_2_what_the_kernel_believes_of_icmp_is_no_mtu_of_a_template)
{
	struct xtr_dp_mapping m4 = mapping("192.0.2.2", 1, NULL, 0), m6 = mapping("2001:db8::2", 1, NULL, 0);
	struct xtr_dp *dp;
	bool learned;

	config(XTR_MODE_TC);
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &m4), 0);
	cr_assert_eq(put(dp, "fd02::/64", &m6), 0);
	serve(dp, 300);
	forge(4, "192.0.2.2", 600);
	forge(6, "2001:db8::2", 1290);
	usleep(100000);
	cr_assert(says("ip route get 192.0.2.2", "mtu"), "the kernel has believed it");
	cr_assert(says("ip route get 2001:db8::2", "mtu 1290"), "the kernel has believed it");
	xtr_dp_rl_all_stale(dp);
	serve(dp, 200);
	cr_expect_eq(template_mtu("192.0.2.2", &learned), 0);
	cr_expect_eq(template_mtu("2001:db8::2", &learned), 0);
	/* nor does such a message hide what the route says */
	sh("ip route add 192.0.2.2/32 dev u0 mtu 1400; ip route add 2001:db8::2/128 dev u0 mtu 1410");
	forge(4, "192.0.2.2", 600);
	forge(6, "2001:db8::2", 1290);
	usleep(100000);
	cr_assert_not(says("ip route get 192.0.2.2", "mtu 1400"), "the kernel has believed it");
	cr_assert(says("ip route get 2001:db8::2", "mtu 1290"), "the kernel has believed it");
	xtr_dp_rl_all_stale(dp);
	serve(dp, 200);
	cr_expect_eq(template_mtu("192.0.2.2", &learned), 1400);
	cr_expect_not(learned);
	cr_expect_eq(template_mtu("2001:db8::2", &learned), 1410);
	/* what the administrator says is not below what every host and link takes */
	sh("ip route replace 192.0.2.2/32 dev u0 mtu 500");
	serve(dp, 200);
	cr_expect_eq(template_mtu("192.0.2.2", &learned), 576);
	xtr_dp_close(dp);
	detach();
}

Test(dp_paths, the_mtu_of_the_route_to_a_locator_is_that_of_its_eids)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, NULL, 0), b = mapping("192.0.2.3", 1, NULL, 0);
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	cfg.path_mtus = 4;
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &a), 0);
	cr_assert_eq(put(dp, "10.3.0.0/24", &b), 0);
	serve(dp, 300);
	cr_expect_not(says("ip route show table 4341", "mtu"));
	sh("ip route add 192.0.2.2/32 dev u0 mtu 1400");
	serve(dp, 300);
	cr_expect(says("ip route show table 4341 10.2.0.0/24", "mtu 1364"));
	cr_expect_not(says("ip route show table 4341 10.3.0.0/24", "mtu"));
	/* a locator that is new finds it as well */
	sh("ip route add 192.0.2.9/32 dev u0 mtu 1300");
	a = mapping("192.0.2.9", 1, NULL, 0);
	cr_assert_eq(put(dp, "10.4.0.0/24", &a), 0);
	serve(dp, 300);
	cr_expect(says("ip route show table 4341 10.4.0.0/24", "mtu 1264"));
	sh("ip route del 192.0.2.2/32; ip route del 192.0.2.9/32");
	serve(dp, 300);
	cr_expect_not(says("ip route show table 4341", "mtu"));
	xtr_dp_close(dp);
	detach();
}

/* A default route with an MTU concerns them all; and what the administrator says of a route is no matter of path-mtus. */
Test(dp_paths, more_eids_than_room_for_their_routes_still_have_the_mtu_of_the_route)
{
	struct xtr_dp_mapping m = mapping("203.0.113.2", 1, NULL, 0);
	static const char list[] = "ip route show table 4341";
	struct xtr_dp *dp;

	for (unsigned room = 0; room <= 2; room += 2) {
		config(XTR_MODE_TC);
		cfg.path_mtus = room;
		sh("ip route replace default via 192.0.2.2 mtu 1400");
		dp = open_dp();
		for (unsigned i = 0; i < 8; i++) {
			char eid[32];

			snprintf(eid, sizeof(eid), "10.%u.0.0/24", 2 + i);
			cr_assert_eq(put(dp, eid, &m), 0);
		}
		serve(dp, 1200);
		cr_expect(says("ip route get 10.2.0.1", "mtu 1364") && says("ip route get 10.9.0.1", "mtu 1364"), "room for %u", room);
		cr_expect(says(list, "10.0.0.0/8 via 169.254.0.1 dev xtr0 proto 76 src 10.1.0.1 onlink mtu 1364"));
		cr_expect_not(says(list, "10.2.0.0/24"), "which stand for all now");
		/* one that is narrower than the others; then none is any more */
		sh("ip route add 192.0.2.3/32 dev u0 mtu 1300");
		m = mapping("192.0.2.3", 1, NULL, 0);
		cr_assert_eq(put(dp, "10.2.0.0/24", &m), 0);
		serve(dp, 800);
		cr_expect(says("ip route get 10.2.0.1", "mtu 1264"), "room for %u", room);
		sh("ip route del 192.0.2.3/32; ip route replace default via 192.0.2.2");
		serve(dp, 1200);
		cr_expect_not(says(list, "mtu"));
		m = mapping("203.0.113.2", 1, NULL, 0);
		xtr_dp_close(dp);
		detach();
	}
}

Test(dp_paths, every_next_hop_is_asked_however_many_there_are)
{
	enum { MANY = 400 };
	struct xtr_dp_nb *nb[MANY];
	struct xtr_dp *dp;
	unsigned never = 0;
	uint64_t begin;

	config(XTR_MODE_TC);
	dp = open_dp();
	begin = dp->now;
	for (unsigned i = 0; i < MANY; i++) {
		struct xtr_ip a = ip("192.0.2.0");

		a.a[2] = (uint8_t)(2 + i / 200);
		a.a[3] = (uint8_t)(10 + i % 200);
		nb[i] = xtr_dp_nb_get(dp, (int)if_nametoindex("u0"), &a);
		cr_assert(nb[i] && nb[i]->ours);
		nb[i]->valid = true; /* nobody answers here */
	}
	for (unsigned turn = 0; turn < 14; turn++) {
		dp->now += 1000;
		xtr_dp_nb_probe(dp);
	}
	for (unsigned i = 0; i < MANY; i++) {
		never += nb[i]->probed <= begin;
		nb[i]->refs = 1;
	}
	cr_expect_eq(never, 0, "%u of %u were never asked", never, MANY);
	for (unsigned i = 0; i < MANY; i++)
		xtr_dp_nb_put(dp, nb[i]);
	xtr_dp_close(dp);
	detach();
}

/* A routing daemon's (EVPN: extern_learn) and the administrator's (managed). Ours are taken over by them, too. */
Test(dp_paths, next_hops_that_others_look_after_stay_theirs)
{
	struct xtr_dp_mapping a = mapping("192.0.2.2", 1, "192.0.2.3", 1), b = mapping("192.0.2.4", 1, "2001:db8::2", 1);
	static const char list[] = "ip -d neigh show dev u0; ip -d -6 neigh show dev u0";
	struct xtr_dp *dp;
	struct xtr_ip hop;

	config(XTR_MODE_TC);
	sh("ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 nud reachable dev u0 extern_learn");
	sh("ip neigh add 192.0.2.3 dev u0 managed");
	dp = open_dp();
	cr_assert_eq(put(dp, "10.2.0.0/24", &a), 0);
	cr_assert_eq(put(dp, "10.3.0.0/24", &b), 0);
	serve(dp, 300);
	cr_expect(says("ip neigh show 192.0.2.2", "extern_learn") && !says("ip neigh show 192.0.2.2", "managed"));
	cr_expect(says("ip neigh show 192.0.2.3", "managed") && !says("ip neigh show 192.0.2.3", "proto 76"));
	cr_expect(says("ip -6 neigh show 2001:db8::2", "proto 76") && says("ip -6 neigh show 2001:db8::2", "managed"));
	/* they are used, and followed */
	hop = ip("192.0.2.2");
	cr_expect(xtr_dp_nb_get(dp, (int)if_nametoindex("u0"), &hop)->valid);
	sh("ip neigh replace 192.0.2.2 lladdr 02:00:00:00:00:77 nud reachable dev u0 extern_learn");
	serve(dp, 300);
	cr_expect_eq(xtr_dp_nb_get(dp, (int)if_nametoindex("u0"), &hop)->mac[5], 0x77);
	sh("ip -6 neigh replace 2001:db8::2 lladdr 02:00:00:00:00:02 nud reachable dev u0 extern_learn");
	serve(dp, 300);
	cr_assert_eq(xtr_dp_cache_del(dp, 0, &(struct xtr_ippfx){ ip("10.3.0.0"), 24 }), 0);
	serve(dp, 5000); /* grace */
	cr_expect(says(list, "2001:db8::2 lladdr"), "deleted with the last locator");
	xtr_dp_close(dp);
	detach();
	cr_expect(says(list, "192.0.2.2 lladdr"));
	cr_expect(says(list, "192.0.2.3 "));
	cr_expect(says(list, "2001:db8::2 lladdr"));
}

/* Two uplinks, of which a rule of the host chooses one by the source: an RLOC of ours. */
Test(dp_paths, rules_of_the_host_route_its_own_traffic_as_before)
{
	static const char old[] = "ip rule; ip -6 rule";
	struct xtr_dp *dp;
	char *out;

	config(XTR_MODE_TC);
	routes[0] = pfx("0.0.0.0/0");
	routes[1] = pfx("::/0");
	sh("ip route add default via 192.0.2.2; ip route add default via 192.0.2.3 table 100; ip rule add from 192.0.2.1 lookup 100 pref 10000");
	sh("ip -6 route add default via 2001:db8::2; ip -6 route add default via 2001:db8::3 table 100; "
	   "ip -6 rule add from 2001:db8::1 lookup 100 pref 10000; ip rule add fwmark 0x4c495350 lookup 100 pref 10001");
	/* those of a daemon before */
	sh("for f in -4 -6; do ip $f rule add fwmark 0x4c495350 lookup main pref 4341 proto 76; done; "
	   "ip rule add from 192.0.2.1 lookup main pref 4342 proto 76; ip -6 rule add from 2001:db8::1 lookup main pref 4342 proto 76");
	dp = open_dp();
	out = capture(old);
	for (const char *f = out, *p = "4342:\tfrom "; (f = strstr(f, p)); f++)
		cr_expect(!strncmp(f + strlen(p), "192.0.2.1 goto 4346", 19) || !strncmp(f + strlen(p), "2001:db8::1 goto 4346", 21), "%s", out);
	cr_expect(!strstr(out, "4341:\tfrom all fwmark 0x4c495350 lookup main") && !strstr(out, "unresolved"), "%s", out);
	free(out);
	cr_expect(says("ip route get 203.0.113.9 from 192.0.2.1", "via 192.0.2.3 dev u0"));
	cr_expect(says("ip route get 10.2.0.1 from 192.0.2.1", "via 192.0.2.3 dev u0"), "not an EID to what comes from an RLOC");
	cr_expect(says("ip -6 route get 2001:db8:9::9 from 2001:db8::1", "via 2001:db8::3 dev u0"));
	cr_expect(says("ip route get 203.0.113.9 mark 0x4c495350", "via 192.0.2.3 dev u0"));
	cr_expect(says("ip -6 route get 2001:db8:9::9 mark 0x4c495350", "via 2001:db8::2 dev u0"));
	cr_expect(says("ip route get 203.0.113.9 from 10.1.0.1", "dev xtr0"));
	cr_expect(says("ip -6 route get 2001:db8:9::9 from fd01::1", "dev xtr0"));
	xtr_dp_close(dp);
	detach();
	cr_expect_not(says(old, "proto 76") || says(old, "goto") || says(old, "nop"));
}

/* Only a VLAN of it is an EID port: what has no tag is a network of the host's. */
Test(dp_paths, the_untagged_network_of_a_trunk_stays_the_hosts)
{
	const struct xtr_dp_local_row *row;
	struct xtr_dp *dp;

	config(XTR_MODE_TC);
	ports[1].vlan = 7;
	ports[1].untagged = false;
	sh("ip addr add 10.99.0.1/24 dev h0; ip addr add fd99::1/64 dev h0 nodad; ip link set h0 addrgenmode none");
	dp = open_dp();
	cr_expect(says("ip route get 10.99.0.5", "dev h0"));
	cr_expect(says("ip -6 route get fd99::5", "dev h0"));
	cr_expect(says("ip route get 10.98.0.5", "dev xtr0"));
	look();
	row = local_row("10.99.0.1/32");
	cr_expect(row && row->l.flags & XTR_LOCAL_F_SELF);
	xtr_dp_close(dp);
	ports[2] = (struct xtr_dp_port){ .name = "h0", .role = XTR_ROLE_EID, .mode = XTR_MODE_TC };
	cfg.port_count = 3; /* and now that is a network of EIDs as well */
	dp = open_dp();
	cr_expect(says("ip route get 10.99.0.5", "dev xtr0"));
	xtr_dp_close(dp);
	detach();
}
