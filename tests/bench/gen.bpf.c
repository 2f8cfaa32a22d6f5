// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs of the benchmark, no part of the product: a generator that makes frames in the kernel (live frames of
 * BPF_PROG_TEST_RUN), the two ends they are counted at, and the yardstick, a plain XDP redirect.
 */
#include "kernel.h"

struct bench_gen {
	__u8  head[64];    /* Ethernet, IP, UDP */
	__u32 head_len;
	__u32 family;
	__u32 dests;       /* destinations, evenly at random */
	__u32 shift;       /* distance between two of them, as a power of two */
	__u32 base;        /* IPv4: of the address; IPv6: of its second word; host order */
	__u32 ports;       /* mask of the random part of the source port */
	__u32 ifindex;
	__u32 walk;        /* not at random: each destination once before one comes again */
};
struct bench_way {
	__u8  dmac[6], smac[6];
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_gen);
} bench_gen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_way);
} bench_way SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_out SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} bench_count SEC(".maps");

static __u32 seed = 0x1234567;

XTR_INLINE void bench_count_one(__u32 n)
{
	__u32 zero = 0;
	__u64 *c = bpf_map_lookup_elem(&bench_count, &zero);

	if (c)
		*c += n;
}

/* The whole header every time: recycled pages keep what was written, and the TTL would run out. */
SEC("xdp")
int bench_make(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 zero = 0, x = seed, to, sum = 0;
	struct bench_gen *g = bpf_map_lookup_elem(&bench_gen, &zero);

	if (!g || data + 62 > end)
		return XDP_ABORTED;
	if (g->walk) {
		seed = x + 1;
		x *= 2654435761u;
	} else {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		seed = x;
	}
	to = g->base + (((__u64)x * g->dests >> 32) << g->shift);
	if (g->family == XTR_FAMILY_IP4) {
		struct iphdr *ip = data + ETH_HLEN;
		struct udphdr *udp = (void *)(ip + 1);
		__u16 *w = (void *)ip;

		__builtin_memcpy(data, g->head, 42);
		ip->daddr = bpf_htonl(to);
#pragma unroll
		for (int i = 0; i < 10; i++)
			sum += w[i];
		sum = (sum & 0xffff) + (sum >> 16);
		ip->check = ~((sum & 0xffff) + (sum >> 16));
		udp->source = bpf_htons(1024 + ((x >> 8) & g->ports));
	} else {
		struct ipv6hdr *ip = data + ETH_HLEN;
		struct udphdr *udp = (void *)(ip + 1);

		__builtin_memcpy(data, g->head, 62);
		*(__be32 *)((void *)&ip->daddr + 4) = bpf_htonl(to);
		udp->source = bpf_htons(1024 + ((x >> 8) & g->ports));
	}
	return bpf_redirect(g->ifindex, 0);
}

SEC("xdp")
int bench_sink(struct xdp_md *xdp)
{
	bench_count_one(1);
	return XDP_DROP;
}

SEC("tc")
int bench_sink_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + ETH_HLEN;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	bool udp = false;

	if (skb->protocol == bpf_htons(ETH_P_IP) && (void *)(ip + 1) <= end)
		udp = ip->protocol == IPPROTO_UDP;
	else if (skb->protocol == bpf_htons(ETH_P_IPV6) && (void *)(ip6 + 1) <= end)
		udp = ip6->nexthdr == IPPROTO_UDP;
	if (!udp)
		return TC_ACT_OK;
	bench_count_one(skb->gso_segs > 1 ? skb->gso_segs : 1);
	return TC_ACT_SHOT;
}

/* What any XDP router has to do at least: addresses, TTL, out. */
SEC("xdp")
int bench_redirect(struct xdp_md *xdp)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 zero = 0;
	struct bench_way *w = bpf_map_lookup_elem(&bench_way, &zero);
	struct ethhdr *eth = data;

	if (!w || data + ETH_HLEN + IP6_HLEN > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data + ETH_HLEN;
		__u32 sum = ip->check + bpf_htons(0x0100);

		if (ip->ttl <= 1)
			return XDP_PASS;
		ip->check = sum + (sum >= 0xffff);
		ip->ttl--;
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = data + ETH_HLEN;

		if (ip->hop_limit <= 1)
			return XDP_PASS;
		ip->hop_limit--;
	} else {
		return XDP_PASS;
	}
	__builtin_memcpy(eth, w, 12);
	return bpf_redirect_map(&bench_out, 0, 0);
}

/* Makes a veth end take frames that XDP redirects to it. */
SEC("xdp.frags")
int bench_pass(struct xdp_md *xdp)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
