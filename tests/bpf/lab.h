/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bench that every test of the programs stands on: a network namespace of its own with devices, the programs loaded,
 * and maps filled with one small world:
 *
 *	   hosts 10.1/16, fd01::/48                              10.2/16, fd02::/48  by 192.0.2.2    (IPv4 locator)
 *	      |eid (MAC 4)                                       10.6/16, fd06::/48  by 2001:db8::2  (IPv6 locator)
 *	   [ us: 192.0.2.1, 2001:db8::1 ] under (MAC 1) ---
 *	      |xtr0 (MAC 2), peer end xtr0p (MAC 3)              the same in instances 0, 5 and 0xfffffe
 *
 * Programs run by BPF_PROG_TEST_RUN, on both hooks, one packet at a time. A run says what came out, and every counter
 * that moved: a test names all of them, so that nothing moves unseen.
 */
#ifndef XTR_TEST_LAB_H
#define XTR_TEST_LAB_H

#include <criterion/criterion.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "bpf/pkt.h"
#include "xtr/abi.h"
#include "bpf/xtr.skel.h"

#define MAC_UNDER 1
#define MAC_XTR0  2
#define MAC_PEER  3
#define MAC_EID   4
#define MAC_HOST  0x40 /* a host on the EID port */
#define MAC_NEXT  0x41 /* next hop of the underlay */

#define IID_A 5u
#define IID_B 0xfffffeu

#define RSET4 1
#define RSET6 2
#define RLOC4 11
#define RLOC6 12

struct lab {
	struct xtr_bpf *skel;
	int under, xtr0, peer, eid; /* ifindexes */
	__u64 now;                  /* jiffies */
	bool decap_l3;              /* as loaded */
	struct xtr_cfg cfg;
};
extern struct lab lab;

/* Criterion .init: namespace, devices, programs for this kernel, world. */
void lab_init(void);
/* What the loader finds out by trying: BPF_F_ADJ_ROOM_DECAP_L3_* came with 6.3. */
bool lab_kernel_has_decap_l3(void);
/* The same with what the loader may choose: feat_decap_l3, feat_meta. */
void lab_init_with(bool decap_l3, bool meta);
/* The file descriptor of a program of lab.skel. It is loaded when it is asked for first: the verifier works a long time, and
 * most tests need one program or two. */
int lab_prog(const struct bpf_program *wanted);

enum hook {
	H_TC_EID,      /* ingress of an EID port where we are the router hop */
	H_XDP_EID,
	H_TC_XTR0,     /* egress of the overlay device: the kernel was the router hop */
	H_TC_PEER,     /* ingress of its peer end */
	H_INJECT,      /* egress of its peer end, packet captured on the EID port */
	H_INJECT_XTR0, /* the same, captured on the overlay device */
	H_TC_UNDER,
	H_XDP_UNDER,
	H_SLOW,        /* egress of the peer end: a LISP packet the daemon has put together, which reached the underlay port */
	H_MAX,
};
extern const char *const hook_name[H_MAX];
#define ON(h) (1u << (h))

#define TC_UNSPEC   (-1)
#define TC_OK       0
#define TC_SHOT     2
#define TC_REDIRECT 7

/* What one packet did. */
struct ran {
	int ret;
	struct pkt out;
	__u64 drops[XTR_DROP_MAX];
	struct xtr_count stats[XTR_STAT_MAX];
	unsigned meta_len;
	__u8 meta[64];
};
struct run_opt {
	__u32 gso_size, gso_segs;
	__u32 mark;       /* 0: the right one for the hook; ~0u: none */
	int ifindex;      /* 0: the right one */
	int ingress;      /* TC: skb->ingress_ifindex; 0: as the hook has it */
	bool no_sentinel; /* XDP: do not put 0xff octets in front of the packet */
};
/* Runs one packet; the headroom in front of it is 0xff where the kernel lets a test put anything there (XDP). */
struct ran lab_run(enum hook h, const struct pkt *p, const struct run_opt *opt);

/* The same around something that a test does itself: counters before, and what moved since. */
struct ran lab_count_start(void);
void lab_count_end(struct ran *r);

/* Name of the first counter that did not move as said, or NULL. drop: reason or 0. stats: XTR_STAT_*, ends with -1. */
const char *ran_counters(const struct ran *r, int drop, const int *stats);
/* Name of the first drop reason that moved, or NULL. */
const char *ran_dropped(const struct ran *r);
/* Exactly these statistics moved by one packet each, and exactly this drop (0: none). */
#define expect_moved(r, what, drop, ...) do { \
	const int moved_[] = { __VA_ARGS__ __VA_OPT__(,) -1 }; \
	const char *bad_ = ran_counters(r, drop, moved_); \
	cr_expect(!bad_, "%s: counter %s", what, bad_ ? bad_ : ""); \
} while (0)

/* Copies what the flow hash decides (source port, flow label) from got into want, after checking its form. */
void take_entropy(const struct pkt *got, struct pkt *want);
/* got is want, octet for octet. */
#define expect_pkt(what, got, want) \
	cr_expect(pkt_differ(got, want) < 0, "%s: octet %d\ngot%s\nwant%s", what, pkt_differ(got, want), \
		  pkt_dump(got, want), pkt_dump(want, got))

/* Shot at TC, under this reason and no other. */
void expect_dropped(const char *what, enum hook h, const struct pkt *p, const struct run_opt *o, int reason);
/* XDP leaves what it cannot finish to TC: untouched, and counted by TC alone. */
void expect_left(const char *what, const struct pkt *p);

/* --- the world */
void lab_cfg(void);                                            /* writes lab.cfg */
void lab_flags(__u32 flags);
__u64 lab_jiffies(void);
void lab_iface(int ifindex, struct xtr_iface v);
struct xtr_iface lab_iface_get(int ifindex);
void lab_iid(__u32 iid);                                       /* of the EID port and of both ends of xtr0 */
void lab_local(__u32 iid, const char *prefix, __u32 flags, __u16 version);
void lab_eid(__u32 iid, const char *prefix, struct xtr_eid v);
struct xtr_eid lab_eid_get(__u32 iid, const char *prefix);
void lab_rset(__u32 id, struct xtr_rset v);
struct xtr_rloc lab_rloc_get(__u32 id);
void lab_rloc(__u32 id, struct xtr_rloc v);
void lab_inst(__u32 iid, struct xtr_inst v);
void lab_inst_del(__u32 iid);
struct xtr_count lab_rlstat(__u32 index);
struct xtr_rloc lab_template(int family, const char *src, const char *dst, __u32 stat);
void lab_rloc_del(__u32 id);
void lab_mcast(__u32 iid, const char *group, const char *source, struct xtr_mcast v);
struct xtr_mcast lab_mcast_get(__u32 iid, const char *group);  /* (*,G) of IPv4, exactly */
void lab_repl(__u32 id, __u32 part, struct xtr_repl v);
void lab_ctlsrc(const char *prefix);

/* --- events */
struct seen {
	unsigned n;               /* events since the last call */
	struct xtr_event ev;      /* the last one */
	struct pkt frame;         /* what it carried, cut to PKT_MAX */
};
struct seen lab_events(void);

#endif
