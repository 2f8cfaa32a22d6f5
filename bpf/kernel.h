/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What BTF does not carry: UAPI constants that are macros. Everything the programs include comes through here. */
#ifndef XTR_BPF_KERNEL_H
#define XTR_BPF_KERNEL_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "xtr/abi.h"

#define ETH_ALEN        6
#define ETH_HLEN        14
#define ETH_P_IP        0x0800
#define ETH_P_IPV6      0x86dd
#define ETH_P_8021Q     0x8100
#define VLAN_HLEN       4

#define IPPROTO_ICMP    1
#define IPPROTO_TCP     6
#define IPPROTO_UDP     17
#define IPPROTO_ICMPV6  58
#define IPPROTO_SCTP    132

#define IP_MF_OFFSET    0x3fff /* more fragments, or an offset: this is a fragment */
#define IP_OFFSET       0x1fff
#define IP_DF           0x4000

#define PACKET_HOST      0
#define PACKET_OTHERHOST 3

#define AF_INET         2
#define AF_INET6        10

#define EINVAL          22

/* flags of bpf_skb_store_bytes */
#define BPF_F_RECOMPUTE_CSUM 1

#define TC_ACT_UNSPEC   (-1)   /* untouched: the next program, then the stack */
#define TC_ACT_OK       0
#define TC_ACT_SHOT     2

#define IP4_HLEN        20
#define IP6_HLEN        40
#define UDP_HLEN        8
#define LISP_HLEN       8
/* First word of the LISP header, in host order (RFC 9300 5.3); P and the next protocols: RFC 9305 3 */
#define XTR_LISP_N  0x80000000
#define XTR_LISP_V  0x10000000
#define XTR_LISP_I  0x08000000
#define XTR_LISP_P  0x04000000
#define XTR_LISP_KK 0x03000000
#define XTR_GPE_NP_IP4 1
#define XTR_GPE_NP_IP6 2
#define XTR_OUTER4      (IP4_HLEN + UDP_HLEN + LISP_HLEN)
#define XTR_OUTER6      (IP6_HLEN + UDP_HLEN + LISP_HLEN)

#define XTR_INLINE      static __always_inline
/* For programs: or the compiler may keep a branch for a context that is NULL, and the verifier believe in it. */
#define XTR_NONNULL     __attribute__((nonnull))
#define XTR_FUNC        static __noinline /* a valve for program size: verified where it is called */
#define XTR_GLOBAL      __noinline        /* a stronger one: verified once, by itself, for any arguments */

struct lisphdr {
	__be32 word[2];
};

#endif
