// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Control messages in data packets, as frames from the ring (RFC 9962 4.1). The programs have looked at the outer headers
 * only; everything else is whatever a member of the group, or who pretends to be one, has sent. The first octet says what
 * is done to the rest before: lengths and checksums made right, so that what lies behind them is reached; the next two
 * are the segment size. What is handed on must lie inside the frame and be what its headers say; and what we send
 * ourselves must come up unchanged.
 */
#include "fuzz/exercise.h"

#include "dp/control.c"

static const uint8_t *frame_at, *frame_end;
static unsigned handed, dropped;
static const uint8_t *want;
static size_t want_len;

/* What control.c calls besides; only the way out needs most of it. */
void xtr_dp_drop(struct xtr_dp *dp, enum xtr_drop_reason reason, unsigned n)
{
	EX_CHECK(reason == XTR_DROP_CONTROL_BAD && n == 1);
	dropped++;
}
const struct xtr_dp_list *xtr_dp_list_match(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *source,
					    const struct xtr_ip *group)
{
	return NULL;
}
struct xtr_dp_if *xtr_dp_if_by_index(struct xtr_dp *dp, int ifindex) { return NULL; }
int xtr_dp_inject_frame(struct xtr_dp *dp, int ifindex, const uint8_t *frame, uint32_t len, uint32_t mark) { return 0; }
int xtr_nl_link_get(struct xtr_nl *nl, int ifindex, const char *name, struct xtr_nl_link *out) { return -ENODEV; }

static void on_control(void *ctx, const struct xtr_ip *via, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t sport,
		       const uint8_t *buf, size_t len)
{
	const uint8_t *udp = buf - 8;

	EX_CHECK(buf >= frame_at && buf + len <= frame_end);
	EX_CHECK(via->family == 4 || via->family == 6);
	EX_CHECK(src->family == dst->family && (src->family == 4 || src->family == 6));
	EX_CHECK(!xtr_ip_is_multicast(src) && !xtr_ip_is_unspecified(src) && !xtr_ip_is_loopback(src));
	EX_CHECK(be16(udp) == sport && be16(udp + 2) == 4342 && be16(udp + 4) == len + 8);
	EX_CHECK(src->family == 4 || be16(udp + 6));
	EX_CHECK(!want || (len == want_len && !memcmp(buf, want, len)));
	handed++;
}

static void run(const uint8_t *frame, unsigned n, unsigned gso)
{
	struct xtr_dp *dp = calloc(1, sizeof(*dp));
	struct xtr_event ev = { .type = XTR_EV_CONTROL, .len = n, .caplen = n, .gso_size = gso };

	dp->cb.control = on_control;
	frame_at = frame;
	frame_end = frame + n;
	handed = dropped = 0;
	xtr_dp_control(dp, &ev, frame);
	EX_CHECK(handed + dropped > 0);
	free(dp);
}

/* Lengths and checksums of the usual shapes: outer IPv4 or IPv6, one message. */
static void right(uint8_t *f, unsigned n, bool sums)
{
	unsigned out = n > 14 && f[14] >> 4 == 6 ? 40 : 20, at = 14 + out + 16, in, a;
	uint8_t *p, *udp;
	uint16_t c;

	if (n < at + 28 || (f[at] >> 4 == 6 && n < at + 48))
		return;
	put16(f + 12, out == 40 ? 0x86dd : 0x0800);
	put16(f + 14 + (out == 40 ? 4 : 2), n - 14 - (out == 40 ? 40 : 0));
	put16(f + 14 + out + 4, n - 14 - out);
	p = f + at;
	in = p[0] >> 4 == 6 ? 40 : 20;
	a = in == 40 ? 16 : 4;
	udp = p + in;
	put16(p + (in == 40 ? 4 : 2), n - at - (in == 40 ? 40 : 0));
	put16(udp + 4, n - at - in);
	if (!sums)
		return;
	if (in == 20) {
		put16(p + 10, 0);
		put16(p + 10, (uint16_t)~xtr_dp_fold(xtr_dp_sum(p, 20, 0)));
	}
	put16(udp + 6, 0);
	c = (uint16_t)~xtr_dp_fold(
		xtr_dp_sum(udp, n - at - in, xtr_dp_sum(udp - 2 * a, 2 * a, 17 + n - at - in)));
	put16(udp + 6, c ? c : 0xffff);
}

/* data as the payload of a message of ours, encapsulated as the programs do. */
static void round_trip(const uint8_t *data, unsigned n, bool six)
{
	struct xtr_ip src = { .family = six ? 6 : 4, .a = { six ? 0x20 : 192, 1, 2, 3 } };
	struct xtr_ip group = { .family = src.family, .a = { six ? 0xff : 233, 0x0e, 1, 1 } };
	uint8_t *f = calloc(1, n + 200);
	unsigned len = xtr_dp_control_build(f + 36, &src, &group, data, n);

	memset(f, 0, 50);
	f[14] = 0x45;
	f[23] = IPPROTO_UDP;
	put16(f + 36, XTR_PORT_DATA);
	f[42] = 0x08;
	f[46] = f[47] = f[48] = 0xff;
	right(f, len + 36, false);
	want = data;
	want_len = n;
	run(f, len + 36, 0);
	EX_CHECK(handed == 1 && !dropped);
	want = NULL;
	free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame;

	if (size < 3)
		return 0;
	frame = ex_exact(data + 3, size - 3);
	if (data[0] & 3)
		right(frame, (unsigned)size - 3, data[0] & 2);
	run(frame, (unsigned)size - 3, data[0] & 4 ? be16(data + 1) : 0);
	round_trip(data, (unsigned)size, data[0] & 8);
	free(frame);
	return 0;
}
