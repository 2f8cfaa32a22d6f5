// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a NIC with several receive queues does, for a veth: the queue by the Toeplitz hash of addresses and UDP ports, with the
 * key that most drivers come with, and a table that deals the hashes out evenly. At the egress of the sending end; the
 * queue it chooses is that of the receiving end.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define QUEUES 8

static const __u8 key[40] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static __always_inline __u32 key_word(int i) { return (__u32)key[i] << 24 | key[i + 1] << 16 | key[i + 2] << 8 | key[i + 3]; }

/* words: 32-bit words of input, in host order; their number is known when this is compiled */
static __always_inline __u32 toeplitz(const __u32 *word, const int words)
{
	__u32 hash = 0;

#pragma unroll
	for (int i = 0; i < words; i++) {
		__u64 window = (__u64)key_word(i * 4) << 32 | key_word(i * 4 + 4);

		for (int b = 0; b < 32; b++)
			if (word[i] >> (31 - b) & 1)
				hash ^= window << b >> 32;
	}
	return hash;
}

SEC("tc")
int rss(struct __sk_buff *skb)
{
	__u32 word[9], hash;
	__be32 raw[8];
	__be32 ports;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.ihl != 5 || ip.protocol != 17 ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + 20, &ports, 4))
			return -1;
		word[0] = bpf_ntohl(ip.saddr);
		word[1] = bpf_ntohl(ip.daddr);
		word[2] = bpf_ntohl(ports);
		hash = toeplitz(word, 3);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		__u8 next;

		if (bpf_skb_load_bytes(skb, ETH_HLEN + 6, &next, 1) || next != 17 ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + 8, raw, sizeof(raw)) || bpf_skb_load_bytes(skb, ETH_HLEN + 40, &ports, 4))
			return -1;
		for (int i = 0; i < 8; i++)
			word[i] = bpf_ntohl(raw[i]);
		word[8] = bpf_ntohl(ports);
		hash = toeplitz(word, 9);
	} else {
		return -1;
	}
	/* 0 is no queue; forwarded packets keep that number */
	skb->queue_mapping = 1 + (hash & 127) % QUEUES;
	return -1; /* TC_ACT_UNSPEC */
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
