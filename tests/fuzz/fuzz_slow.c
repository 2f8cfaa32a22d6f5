// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What raw sockets bring: ICMP errors that quote a packet, and LISP packets that the kernel has reassembled. Both are whatever
 * anybody has sent. The first octet chooses family and kind. An ICMP error that is taken must lie inside what came and claim
 * what the bounds allow; a frame that is made must be as long as its headers say, with a right header checksum, and its UDP checksum 0 or right.
 */
#include "fuzz/exercise.h"

#include "dp/pmtu.c"
#include "dp/slow.c"

/* What the two files call besides; nothing of it is reached from here. */
int xtr_raw_open(uint8_t family, enum xtr_raw_kind kind) { return -ENOSYS; }
int xtr_raw_recv(int fd, uint8_t family, uint8_t *buf, unsigned size, struct xtr_raw_packet *out) { return -EAGAIN; }
void xtr_dp_drop(struct xtr_dp *dp, enum xtr_drop_reason reason, unsigned n) {}
void xtr_dp_drops_flush(struct xtr_dp *dp) {}
int xtr_dp_inject_frame(struct xtr_dp *dp, int ifindex, const uint8_t *frame, uint32_t len, uint32_t mark) { return 0; }
struct xtr_dp_if *xtr_dp_if_by_index(struct xtr_dp *dp, int ifindex) { return NULL; }
struct xtr_dp_entry *xtr_dp_cache_match(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst, struct xtr_ippfx *eid)
{
	return NULL;
}
void xtr_dp_from_abi(struct xtr_ip *out, const struct xtr_abi_ip *in, unsigned family) {}
void xtr_dp_er_learned(struct xtr_dp *dp) {}
void xtr_dp_er_wanted(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst) {}
int bpf_map_lookup_elem(int fd, const void *key, void *value) { return -1; }
int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags) { return -1; }

static void too_big(uint8_t family, uint8_t *m, unsigned n)
{
	unsigned l3 = family == 4 ? 20 : 40;
	struct xtr_dp_quote q;
	uint16_t mtu;

	if (xtr_dp_quote_read(family, m, n, &q))
		return;
	EX_CHECK(n >= 8 + l3 + 8 && q.src.family == family && q.dst.family == family);
	EX_CHECK(q.len >= l3 && q.len <= 65575);
	EX_CHECK(!q.has_inner || (n >= 8 + l3 + 16 + 20 && q.inner_src.family == q.inner_dst.family));
	mtu = xtr_dp_quote_mtu(family, q.len, q.mtu);
	EX_CHECK(!mtu || (mtu < q.len && mtu >= (family == 4 ? 576 : 1280) && (family == 6 || !q.mtu || mtu >= q.mtu)));
}

static void frame(uint8_t family, const uint8_t *data, unsigned n)
{
	static const uint8_t mac[6] = { 2 };
	struct xtr_raw_packet p = { .len = n, .tos = n & 255, .ttl = 1, .src.family = family, .dst.family = family };
	unsigned l3 = family == 4 ? 20 : 40, len = 0;
	uint8_t *buf = calloc(1, XTR_DP_SLOW_HEAD + n), *f, *at = buf + XTR_DP_SLOW_HEAD;

	memcpy(at, data, n);
	f = xtr_dp_slow_frame(at, &p, mac, &len);
	if (f) {
		EX_CHECK(f == at - l3 - 14 && len >= 14 + l3 + 16 && len <= 14 + l3 + n && len - 14 - (family == 6 ? 40 : 0) <= 65535);
		EX_CHECK(be16(at + 4) == len - 14 - l3);
		/* of addresses that are all zeros */
		EX_CHECK(!be16(at + 6) || xtr_dp_fold(xtr_dp_sum(at, be16(at + 4), 17 + be16(at + 4))) == 0xffff);
		if (family == 4)
			EX_CHECK(be16(f + 16) == len - 14 && xtr_dp_fold(xtr_dp_sum(f + 14, 20, 0)) == 0xffff);
		else
			EX_CHECK(be16(f + 18) == len - 54 && f[14] >> 4 == 6);
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t family, *m;
	unsigned n = (unsigned)size - 1, l3;

	if (size < 2 || size > 66000)
		return 0;
	family = data[0] & 1 ? 6 : 4;
	m = ex_exact(data + 1, n);
	l3 = family == 4 ? 20 : 40;
	if (data[0] & 2) {
		frame(family, m, n);
	} else {
		if (data[0] & 4 && n >= 8 + l3 + 16) { /* made right, so that what lies behind is reached */
			m[0] = family == 4 ? 3 : 2;
			m[1] = family == 4 ? 4 : 0;
			m[8] = family == 4 ? 0x45 : 0x60;
			m[8 + (family == 4 ? 9 : 6)] = IPPROTO_UDP;
			if (family == 4)
				m[14] = m[15] = 0;
			be16_put(m + 8 + l3 + 4, family == 4 ? be16(m + 10) - 20u : be16(m + 12));
			m[8 + l3 + 6] = m[8 + l3 + 7] = 0;
		}
		too_big(family, m, n);
	}
	free(m);
	return 0;
}
