/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bench of lab.h with the programs attached to its devices and real frames: packet sockets on the far ends.
 */
#ifndef XTR_TEST_WIRE_LAB_H
#define XTR_TEST_WIRE_LAB_H

#include <linux/if_link.h>
#include <linux/virtio_net.h>
#include <sys/types.h>
#include "bpf/lab.h"

#define PKT(...) pkt_build((const struct layer[]){ __VA_ARGS__, {} })

/* How long to wait for a frame that has to come, and for one that must not. */
#define COMES   3000
#define NOTHING 200

/* A packet socket on a device of this namespace, for frames with a virtio_net header. */
int open_port(const char *name);
ssize_t write_frame(int fd, const struct virtio_net_hdr *v, const struct pkt *p); /* v NULL: an ordinary frame */
void put_frame(int fd, const struct virtio_net_hdr *v, const struct pkt *p);
/* The next frame, or one of length 0 after ms. v may be NULL. */
struct pkt take_frame(int fd, struct virtio_net_hdr *v, int ms);
void attach_tc(const struct bpf_program *prog, int ifindex, enum bpf_tc_attach_point at);
void attach_xdp(int ifindex, const struct bpf_program *prog, __u32 flags); /* prog NULL: none any more */

#endif
