/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An upgrade replaces the programs in their links one after the other, under traffic, on the same maps: for moments old and
 * new ones work together. Nothing is lost in either order as long as the metadata between XDP and TC are of one version; a
 * new version needs TC to be replaced first (and put back last), and if somebody does it the other way round, what dies is
 * counted.
 *
 *	wire --- underx [veth] under ( XDP | TC ) ---> xtr0 [veth] xtr0p      numbered packets, one way after the other
 *	host --- eidx   [veth] eid   ( XDP | TC ) ---> under [veth] underx --- wire
 */
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#define TCX_INGRESS ((enum bpf_attach_type)46) /* Linux 6.6; not in older headers */

#define COUNT 4000

enum { OLD, NEW };
static struct xtr_bpf *skel[2];
static bool got[COUNT];

struct place {
	int link;
	int prog[2];
};

/* The new programs: another object, loaded onto the maps that are there. */
static void load_new(__u16 meta_version)
{
	struct bpf_map *map;

	skel[OLD] = lab.skel;
	skel[NEW] = xtr_bpf__open();
	cr_assert(skel[NEW]);
	skel[NEW]->rodata->feat_decap_l3 = lab.decap_l3;
	skel[NEW]->rodata->meta_version = meta_version;
	bpf_object__for_each_map(map, skel[NEW]->obj) {
		int fd = bpf_object__find_map_fd_by_name(lab.skel->obj, bpf_map__name(map));

		if (!bpf_map__is_internal(map) || !strncmp(bpf_map__name(map), ".data.", 6))
			cr_assert_eq(bpf_map__reuse_fd(map, fd), 0);
	}
	cr_assert_eq(xtr_bpf__load(skel[NEW]), 0);
}

static struct place place(int ifindex, bool xdp, const struct bpf_program *(*of)(struct xtr_bpf *))
{
	struct place p = { .prog = { lab_prog(of(skel[OLD])), bpf_program__fd(of(skel[NEW])) } };

	if (xdp)
		bpf_xdp_detach(ifindex, 0, NULL);
	p.link = bpf_link_create(p.prog[OLD], ifindex, xdp ? BPF_XDP : TCX_INGRESS, NULL);
	if (p.link < 0 && !xdp && errno == EINVAL)
		cr_skip_test("this kernel has no links for TC (6.6)");
	cr_assert(p.link >= 0, "link: %s", strerror(errno));
	return p;
}

static void put_in(const struct place *p, int which)
{
	cr_assert_eq(bpf_link_update(p->link, p->prog[which], NULL), 0, "update: %s", strerror(errno));
	usleep(7000);
}

/* A child sends COUNT numbered frames in about half a second. at: where the number goes. */
static pid_t sender(const char *port, struct pkt p, unsigned at)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open_port(port);
	for (__u32 i = 0; i < COUNT; i++) {
		memcpy(p.b + at, &i, sizeof(i));
		write_frame(fd, NULL, &p);
		if (i % 8 == 0)
			usleep(800);
	}
	_exit(0);
}

/* Old and new change places, first and second in this order, until the sender is done. */
static void replaced_under_traffic(const char *from, const struct pkt *p, unsigned at, const char *to, unsigned out_at,
				   const struct place *first, const struct place *second, bool back_in_order)
{
	int port = open_port(to), size = 64 << 20, status;
	pid_t pid;

	setsockopt(port, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	memset(got, 0, sizeof(got));
	pid = sender(from, *p, at);
	while (!waitpid(pid, &status, WNOHANG)) {
		put_in(first, NEW);
		put_in(second, NEW);
		put_in(back_in_order ? first : second, OLD);
		put_in(back_in_order ? second : first, OLD);
	}
	for (unsigned n = 0, idle = 0; n < COUNT && !idle;) {
		struct pkt f = take_frame(port, NULL, n ? 300 : COMES);
		__u32 i;

		idle = !f.len;
		if (f.len < out_at + 4)
			continue;
		memcpy(&i, f.b + out_at, sizeof(i));
		if (i < COUNT && !got[i]) {
			got[i] = true;
			n++;
		}
	}
	close(port);
}

static unsigned arrived(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < COUNT; i++)
		n += got[i];
	return n;
}

static const struct bpf_program *underlay(struct xtr_bpf *s) { return s->progs.xtr_tc_underlay; }
static const struct bpf_program *xdp_under(struct xtr_bpf *s) { return s->progs.xtr_xdp_under; }
static const struct bpf_program *encap(struct xtr_bpf *s) { return s->progs.xtr_tc_encap; }
static const struct bpf_program *xdp_eid(struct xtr_bpf *s) { return s->progs.xtr_xdp_eid; }

static struct pkt lisp(void)
{
	return PKT(ETH(MAC_UNDER, MAC_NEXT), IP4("192.0.2.2", "192.0.2.1"), UDP(1, 4341), LISP(0x08000000, 5 << 8),
		   IP4("10.2.0.20", "10.1.0.10"), UDP(53, 5000), DATA(40));
}

/* first: 0 TC, 1 XDP. */
static struct ran decapsulation(int first, bool back_in_order)
{
	struct place at[2] = { place(lab.under, false, underlay), place(lab.under, true, xdp_under) };
	struct pkt p = lisp();
	struct ran r = lab_count_start();

	replaced_under_traffic("underx", &p, 14 + 36 + 28, "xtr0", 14 + 28, &at[first], &at[!first], back_in_order);
	lab_count_end(&r);
	close(at[0].link);
	close(at[1].link);
	return r;
}

Test(mixed, one_version_of_metadata_either_order_loses_nothing, .init = lab_init)
{
	load_new(XTR_META_VERSION);
	for (int order = 0; order < 4; order++) {
		struct ran r = decapsulation(order & 1, order >> 1);

		cr_expect_eq(arrived(), COUNT, "order %d: %u of %u", order, arrived(), COUNT);
		cr_expect(!ran_dropped(&r), "order %d: dropped for %s", order, ran_dropped(&r));
		cr_expect(r.stats[XTR_STAT_DECAP_XDP].packets == COUNT, "order %d: XDP did %llu", order,
			  (unsigned long long)r.stats[XTR_STAT_DECAP_XDP].packets);
	}
}

Test(mixed, a_new_version_of_metadata_tc_first_loses_nothing, .init = lab_init)
{
	struct ran r;

	load_new(XTR_META_VERSION + 1);
	r = decapsulation(0, false); /* TC, XDP; back XDP, TC */
	cr_expect_eq(arrived(), COUNT, "%u of %u", arrived(), COUNT);
	cr_expect(!ran_dropped(&r), "dropped for %s", ran_dropped(&r));
}

Test(mixed, a_new_version_of_metadata_xdp_first_is_counted, .init = lab_init)
{
	struct ran r;

	load_new(XTR_META_VERSION + 1);
	r = decapsulation(1, false);
	cr_expect(arrived() < COUNT, "the order would not matter");
	cr_expect_eq(arrived() + r.drops[XTR_DROP_META_VERSION], COUNT, "%u arrived, %llu counted", arrived(),
		     (unsigned long long)r.drops[XTR_DROP_META_VERSION]);
}

Test(mixed, encapsulation_either_order_loses_nothing, .init = lab_init)
{
	struct pkt p = PKT(ETH(MAC_EID, MAC_HOST), IP4("10.1.0.10", "10.2.0.20"), UDP(53, 5000, .csum = true), DATA(40));

	cr_assert_eq(system("ethtool -K underx gro on"), 0);
	attach_xdp(lab.under, NULL, 0);
	load_new(XTR_META_VERSION + 1);
	for (int order = 0; order < 2; order++) {
		struct place at[2] = { place(lab.eid, false, encap), place(lab.eid, true, xdp_eid) };
		struct ran r = lab_count_start();

		replaced_under_traffic("eidx", &p, 14 + 28, "underx", 14 + 36 + 28, &at[order], &at[!order], order);
		lab_count_end(&r);
		cr_expect_eq(arrived(), COUNT, "order %d: %u of %u", order, arrived(), COUNT);
		cr_expect(!ran_dropped(&r), "order %d: dropped for %s", order, ran_dropped(&r));
		cr_expect(r.stats[XTR_STAT_ENCAP].packets == COUNT, "order %d", order);
		close(at[0].link);
		close(at[1].link);
	}
}
