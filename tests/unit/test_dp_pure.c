// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What user/dp computes without a kernel: buckets of locator-sets, checksums of captured packets,
 * ids, names of pins, keys, and what it refuses in a configuration.
 */
#include "dp/internal.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void shares(unsigned out[XTR_MAX_LOCATORS], const uint8_t bucket[XTR_BUCKETS])
{
	memset(out, 0, XTR_MAX_LOCATORS * sizeof(*out));
	for (unsigned b = 0; b < XTR_BUCKETS; b++)
		out[bucket[b]]++;
}

Test(dp_fill, shares_follow_the_weights)
{
	static const struct {
		unsigned n;
		uint8_t w[8];
		unsigned want[8];
	} t[] = {
		{ 1, { 100 }, { 256 } },
		{ 2, { 1, 1 }, { 128, 128 } },
		{ 2, { 0, 0 }, { 128, 128 } }, /* all 0: equal shares (RFC 9301 5.4) */
		{ 2, { 75, 25 }, { 192, 64 } },
		{ 2, { 100, 0 }, { 256, 0 } }, /* weight 0 among others: none */
		{ 3, { 1, 1, 1 }, { 86, 85, 85 } },
		{ 3, { 50, 30, 20 }, { 128, 77, 51 } },
		{ 8, { 1, 1, 1, 1, 1, 1, 1, 1 }, { 32, 32, 32, 32, 32, 32, 32, 32 } },
		{ 2, { 255, 1 }, { 255, 1 } },
		{ 8, { 255, 255, 255, 255, 255, 255, 255, 1 }, { 0 } }, /* sums and minimum only */
	};

	for (unsigned i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint8_t bucket[XTR_BUCKETS], again[XTR_BUCKETS];
		unsigned got[XTR_MAX_LOCATORS], sum = 0;

		xtr_dp_fill(bucket, t[i].n, t[i].w, NULL);
		xtr_dp_fill(again, t[i].n, t[i].w, NULL);
		cr_expect_arr_eq(bucket, again, sizeof(bucket), "row %u: not deterministic", i);
		shares(got, bucket);
		for (unsigned j = 0; j < t[i].n; j++) {
			sum += got[j];
			if (t[i].want[0])
				cr_expect_eq(got[j], t[i].want[j], "row %u locator %u: %u, not %u",
					     i, j, got[j], t[i].want[j]);
			if (t[i].w[j])
				cr_expect_gt(got[j], 0,
					     "row %u locator %u has a weight and gets nothing", i,
					     j);
		}
		cr_expect_eq(sum, XTR_BUCKETS, "row %u", i);
	}
}

Test(dp_fill, buckets_are_interleaved)
{
	const uint8_t w[2] = { 1, 1 };
	uint8_t bucket[XTR_BUCKETS];

	xtr_dp_fill(bucket, 2, w, NULL);
	for (unsigned b = 1; b < XTR_BUCKETS; b++)
		cr_expect_neq(bucket[b], bucket[b - 1]);
}

Test(dp_fill, flows_on_live_locators_stay_when_another_goes_down)
{
	const uint8_t w[3] = { 2, 1, 1 };
	const bool up[3] = { true, false, true };
	uint8_t before[XTR_BUCKETS], after[XTR_BUCKETS];
	unsigned got[XTR_MAX_LOCATORS];

	xtr_dp_fill(before, 3, w, NULL);
	xtr_dp_fill(after, 3, w, up);
	for (unsigned b = 0; b < XTR_BUCKETS; b++)
		if (before[b] != 1)
			cr_expect_eq(after[b], before[b],
				     "bucket %u moved though its locator is up", b);
	shares(got, after);
	cr_expect_eq(got[1], 0);
	cr_expect_eq(got[0], 128 + 43);
	cr_expect_eq(got[2], 64 + 21);
}

Test(dp_fill, locators_of_weight_0_serve_when_all_others_are_down)
{
	const uint8_t w[3] = { 100, 0, 0 };
	const bool up[3] = { false, true, true };
	uint8_t bucket[XTR_BUCKETS];
	unsigned got[XTR_MAX_LOCATORS];

	xtr_dp_fill(bucket, 3, w, up);
	shares(got, bucket);
	cr_expect_eq(got[1], 128);
	cr_expect_eq(got[2], 128);
}

/* ---- checksums of captured packets */

static uint32_t add(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* An Ethernet frame with IPv4 or IPv6, UDP or TCP and n octets of payload; the checksum field holds
 * the pseudo-header's sum. */
static size_t frame(uint8_t *f, bool six, uint8_t proto, size_t n, unsigned ext)
{
	size_t l4len = (proto == 6 ? 20 : 8) + n, l4 = 14 + (six ? 40 + 8u * ext : 20);
	uint32_t pseudo;

	memset(f, 0, l4 + l4len);
	f[12] = six ? 0x86 : 8;
	f[13] = six ? 0xdd : 0;
	if (six) {
		f[14] = 0x60;
		f[18] = (uint8_t)((l4len + 8 * ext) >> 8);
		f[19] = (uint8_t)(l4len + 8 * ext);
		f[20] = ext ? 0 : proto;
		for (unsigned i = 0; i < ext; i++)
			f[54 + 8 * i] = i + 1 < ext ? 60 : proto;
		for (int i = 0; i < 32; i++)
			f[22 + i] = (uint8_t)(i * 7 + 1);
		pseudo = add(f + 22, 32, proto + (uint32_t)l4len);
	} else {
		f[14] = 0x45;
		f[16] = (uint8_t)((l4len + 20) >> 8);
		f[17] = (uint8_t)(l4len + 20);
		f[23] = proto;
		for (int i = 0; i < 8; i++)
			f[26 + i] = (uint8_t)(i * 7 + 1);
		pseudo = add(f + 26, 8, proto + (uint32_t)l4len);
	}
	for (size_t i = 0; i < n; i++)
		f[l4 + l4len - n + i] = (uint8_t)(i * 13 + 5);
	if (proto == 17) {
		f[l4 + 4] = (uint8_t)(l4len >> 8);
		f[l4 + 5] = (uint8_t)l4len;
	} else {
		f[l4 + 12] = 0x50;
	}
	f[l4 + (proto == 6 ? 16 : 6)] = (uint8_t)(fold(pseudo) >> 8);
	f[l4 + (proto == 6 ? 17 : 7)] = (uint8_t)fold(pseudo);
	return l4 + l4len;
}

static bool right(const uint8_t *f, size_t len, bool six, uint8_t proto, unsigned ext)
{
	size_t l4 = 14 + (six ? 40 + 8u * ext : 20);

	return fold(add(f + l4, len - l4,
			add(f + (six ? 22 : 26), six ? 32 : 8, proto + (uint32_t)(len - l4)))) ==
	       0xffff;
}

Test(dp_csum, partial_checksums_are_finished)
{
	uint8_t f[2048], once[2048];

	for (int six = 0; six < 2; six++)
		for (int tcp = 0; tcp < 2; tcp++)
			for (size_t n = 0; n < 300; n += 37)
				for (unsigned ext = 0; ext <= (six ? 2u : 0u); ext++) {
					uint8_t proto = tcp ? 6 : 17;
					size_t len = frame(f, six, proto, n, ext);

					cr_expect(xtr_dp_csum_complete(f, (uint32_t)len));
					cr_expect(right(f, len, six, proto, ext),
						  "six %d proto %u n %zu ext %u", six, proto, n,
						  ext);
					memcpy(once, f, len);
					xtr_dp_csum_complete(f, (uint32_t)len);
					cr_expect_arr_eq(f, once, len, "a finished checksum stays");
				}
}

Test(dp_csum, padding_and_fragments_and_zero_are_left_alone)
{
	uint8_t f[256], was[256];
	size_t len = frame(f, false, 17, 11, 0);

	memset(f + len, 0xee, 20); /* Ethernet padding is no part of the sum */
	cr_expect(xtr_dp_csum_complete(f, (uint32_t)len + 20));
	cr_expect(right(f, len, false, 17, 0));
	len = frame(f, false, 17, 11, 0);
	f[20] = 0x20; /* more fragments */
	memcpy(was, f, len);
	cr_expect_not(xtr_dp_csum_complete(f, (uint32_t)len));
	cr_expect_arr_eq(f, was, len);
	len = frame(f, false, 17, 11, 0);
	f[40] = f[41] = 0; /* the sender wants none (RFC 768) */
	cr_expect_not(xtr_dp_csum_complete(f, (uint32_t)len));
	cr_expect(!f[40] && !f[41]);
}

/* Every length, every octet that steers the parser set to everything: no read outside (ASan), no
 * crash. */
Test(dp_csum, any_octets_are_safe)
{
	static const unsigned steer[] = { 12, 13, 14, 16, 17, 18, 19, 20, 21, 23, 54, 55 };
	uint8_t f[512];

	for (int six = 0; six < 2; six++) {
		size_t full = frame(f, six, six ? 17 : 6, 60, six ? 2 : 0);

		for (size_t len = 0; len <= full; len++) {
			uint8_t *exact = malloc(len + !len);
			struct xtr_dp_l4 l4;

			memcpy(exact, f, len);
			xtr_dp_csum_complete(exact, (uint32_t)len);
			for (unsigned s = 0; s < sizeof(steer) / sizeof(steer[0]); s++)
				for (unsigned v = 0; v < 256 && steer[s] < len; v += 5) {
					uint8_t old = exact[steer[s]];

					exact[steer[s]] = (uint8_t)v;
					xtr_dp_l4_find(exact, (uint32_t)len, &l4);
					cr_assert(!l4.l4 || l4.l4 + l4.l4_len <= len);
					cr_assert(!l4.l4 || l4.csum + 2 <= len);
					exact[steer[s]] = old;
				}
			free(exact);
		}
	}
}

/* ---- ids, names, keys */

Test(dp_ids, are_given_out_once_and_used_again_late)
{
	struct xtr_dp_ids ids;
	uint32_t id;

	cr_assert_eq(xtr_dp_ids_init(&ids, 8), 0);
	for (uint32_t i = 1; i < 8; i++)
		cr_expect_eq(xtr_dp_ids_take(&ids), i);
	cr_expect_eq(xtr_dp_ids_take(&ids), 0);
	xtr_dp_ids_mark(&ids, 3, false);
	cr_expect_eq(xtr_dp_ids_take(&ids), 3);
	for (uint32_t i = 1; i < 8; i++)
		xtr_dp_ids_mark(&ids, i, false);
	id = xtr_dp_ids_take(&ids);
	cr_expect_eq(id, 4, "goes round instead of taking what was freed last");
	xtr_dp_ids_mark(&ids, 99, true); /* out of range: nothing happens */
	cr_expect_leq(ids.top, 8);
	free(ids.used);
}

Test(dp_names, of_pins)
{
	unsigned abi, cache, rloc;
	char prog[16], peer[16];
	int ifindex;

	cr_expect(xtr_dp_folder_parse("v1-100000-4096", &abi, &cache, &rloc));
	cr_expect(abi == 1 && cache == 100000 && rloc == 4096);
	cr_expect_not(xtr_dp_folder_parse("v1-100000-4096x", &abi, &cache, &rloc));
	cr_expect_not(xtr_dp_folder_parse("other", &abi, &cache, &rloc));
	cr_expect_eq(xtr_dp_link_parse("link_xtr_tc_underlay_12", prog, &ifindex), 0);
	cr_expect_str_eq(prog, "xtr_tc_underlay");
	cr_expect_eq(ifindex, 12);
	cr_expect_lt(xtr_dp_link_parse("link_12", prog, &ifindex), 0);
	cr_expect_lt(xtr_dp_link_parse("link_xtr_tc_encap_", prog, &ifindex), 0);
	cr_expect_lt(xtr_dp_link_parse("link_xtr_tc_encap_-4", prog, &ifindex), 0);
	cr_expect_lt(xtr_dp_link_parse("link_a_name_that_is_too_long_1", prog, &ifindex), 0);
	cr_expect_lt(xtr_dp_link_parse("xtr_eid4", prog, &ifindex), 0);
	xtr_dp_peer_name(peer, "xtr0");
	cr_expect_str_eq(peer, "xtr0p");
	xtr_dp_peer_name(peer, "fifteen-letters");
	cr_expect_str_eq(peer, "fifteen-letterp");
}

Test(dp_names, every_number_has_one)
{
	for (unsigned i = 0; i < XTR_DROP_MAX; i++)
		cr_expect(xtr_drop_name(i)[0] && xtr_drop_text(i)[0]);
	for (unsigned i = 0; i < XTR_STAT_MAX; i++)
		cr_expect(xtr_stat_name(i)[0] && xtr_stat_text(i)[0]);
	cr_expect_str_eq(xtr_drop_name(XTR_DROP_QUEUE_TIMEOUT), "queue-timeout");
	cr_expect_str_eq(xtr_drop_name(XTR_DROP_MAX), "unknown");
	cr_expect_str_eq(xtr_mode_name(XTR_MODE_XDP_GENERIC), "xdp-generic");
	cr_expect_str_eq(xtr_role_name(XTR_ROLE_UNDERLAY), "underlay");
	cr_expect_str_eq(xtr_action_name(XTR_ACT_NATIVE), "natively-forward");
	cr_expect_str_eq(xtr_action_name(99), "unknown");
}

Test(dp_key, of_the_tries)
{
	struct xtr_ippfx p, back;
	union xtr_dp_key k;
	uint8_t t[32];
	uint32_t iid;

	cr_assert_eq(xtr_ippfx_parse("10.1.2.0/24", &p), 0);
	xtr_dp_key(&k, 0x010203, &p);
	cr_expect_eq(k.k4.prefixlen, 56);
	cr_expect_eq(k.k4.iid, htonl(0x010203));
	xtr_dp_unkey4(&k.k4, &iid, &back);
	cr_expect_eq(iid, 0x010203);
	cr_expect_arr_eq(&back, &p, sizeof(p));
	cr_expect_eq(xtr_dp_trie_key(t, 0x010203, &p), 56);
	cr_expect_arr_eq(t, "\0\1\2\3\x0a\1\2\0\0", 9);
	cr_assert_eq(xtr_ippfx_parse("2001:db8::/32", &p), 0);
	xtr_dp_key(&k, 7, &p);
	cr_expect_eq(k.k6.prefixlen, 64);
	xtr_dp_unkey6(&k.k6, &iid, &back);
	cr_expect_eq(iid, 7);
	cr_expect_arr_eq(&back, &p, sizeof(p));
}

Test(dp_gen, shards_are_in_range_and_spread)
{
	unsigned hit4[XTR_GEN_SHARDS] = { 0 }, hit6[XTR_GEN_SHARDS] = { 0 }, used4 = 0, used6 = 0;

	for (unsigned i = 0; i < 4096; i++) {
		unsigned s4 = xtr_gen_shard4(i % 4, 0x0a000000u + (i << 16)),
			 s6 = xtr_gen_shard6(0, 0xfd000000u, i << 16);

		cr_assert(s4 < XTR_GEN_SHARDS && s6 < XTR_GEN_SHARDS);
		hit4[s4]++;
		hit6[s6]++;
	}
	for (unsigned i = 0; i < XTR_GEN_SHARDS; i++) {
		used4 += hit4[i] != 0;
		used6 += hit6[i] != 0;
	}
	cr_expect_gt(used4, 128);
	cr_expect_gt(used6, 128);
	cr_expect_eq(xtr_gen_shard4(3, 0x0a010000u), xtr_gen_shard4(3, 0x0a01ffffu),
		     "one shard per leading 16 bits");
}

/* ---- what is refused before the kernel is touched */

Test(dp_config, wrong_values_are_named)
{
	struct xtr_dp_port port[2] = { { .name = "u0", .role = XTR_ROLE_UNDERLAY },
				       { .name = "u0", .role = XTR_ROLE_EID } };
	struct xtr_dp_overlay ov[2] = { { .name = "xtr0" }, { .name = "xtr0p" } };
	struct xtr_dp_config good = { .bpffs = "/nonexistent/bpf",
				      .ports = port,
				      .port_count = 1,
				      .overlays = ov,
				      .overlay_count = 1,
				      .cache_entries = 1024,
				      .rloc_entries = 64,
				      .route_table = 4341,
				      .rule_priority = 4341 },
			     c;
	struct xtr_err err;
	struct xtr_dp *dp = NULL;

	c = good;
	c.overlay_count = 0;
	cr_expect_eq(xtr_dp_open(&c, NULL, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "overlay"), "%s", err.text);
	c = good;
	c.port_count = 2;
	cr_expect_eq(xtr_dp_open(&c, NULL, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "u0") && strstr(err.text, "twice"), "%s", err.text);
	c = good;
	c.overlay_count = 2;
	cr_expect_eq(xtr_dp_open(&c, NULL, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "xtr0p"), "%s", err.text);
	c = good;
	c.route_table = 254;
	cr_expect_eq(xtr_dp_open(&c, NULL, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "254"), "%s", err.text);
	c = good;
	c.cache_entries = 0;
	cr_expect_eq(xtr_dp_open(&c, NULL, &dp, &err), -EINVAL);
	c = good;
	c.bpffs = "relative";
	cr_expect_eq(xtr_dp_open(&c, NULL, &dp, &err), -EINVAL);
	cr_expect(strstr(err.text, "relative"), "%s", err.text);
	c = good;
	cr_expect_lt(xtr_dp_open(&c, NULL, &dp, &err), 0);
	cr_expect(strstr(err.text, "/nonexistent/bpf"), "%s", err.text);
}
