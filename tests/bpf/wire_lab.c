/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* See wire_lab.h. Sockets belong to the test. */
#include "bpf/wire_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Frames with a virtio_net header in front, so that super-packets are seen and sent as what they are. */
int open_port(const char *name)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	cr_assert(fd >= 0 && !setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) &&
		  !setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) &&
		  !bind(fd, (struct sockaddr *)&a, sizeof(a)), "packet socket on %s: %s", name, strerror(errno));
	return fd;
}

ssize_t write_frame(int fd, const struct virtio_net_hdr *v, const struct pkt *p)
{
	static const struct virtio_net_hdr none;
	struct iovec io[] = { { (void *)(v ?: &none), sizeof(*v) }, { (void *)p->b, p->len } };

	return writev(fd, io, 2);
}

void put_frame(int fd, const struct virtio_net_hdr *v, const struct pkt *p)
{
	cr_assert_eq(write_frame(fd, v, p), (ssize_t)(sizeof(*v) + p->len), "send: %s", strerror(errno));
}

/* The next frame, or one of length 0 after ms. Not one of this host about its own groups (MLD), which come when they like. */
struct pkt take_frame(int fd, struct virtio_net_hdr *v, int ms)
{
	static const uint8_t mld[] = { 0x33, 0x33, 0, 0, 0, 0x16 };
	struct virtio_net_hdr h;
	struct pkt p = {};
	struct iovec io[] = { { &h, sizeof(h) }, { p.b, PKT_MAX } };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	do {
		if (poll(&pfd, 1, ms) != 1)
			return (struct pkt){ .len = 0 };
		n = readv(fd, io, 2);
		cr_assert(n >= (ssize_t)sizeof(h));
	} while (!memcmp(p.b, mld, sizeof(mld)));
	p.len = n - sizeof(h);
	if (v)
		*v = h;
	return p;
}

void attach_tc(const struct bpf_program *prog, int ifindex, enum bpf_tc_attach_point at)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, o, .prog_fd = lab_prog(prog));
	int r = bpf_tc_hook_create(&hook);

	cr_assert(!r || r == -EEXIST, "clsact: %d", r);
	hook.attach_point = at;
	cr_assert_eq(bpf_tc_attach(&hook, &o), 0);
}

void attach_xdp(int ifindex, const struct bpf_program *prog, __u32 flags)
{
	bpf_xdp_detach(ifindex, 0, NULL);
	if (prog)
		cr_assert_eq(bpf_xdp_attach(ifindex, lab_prog(prog), flags, NULL), 0);
}
