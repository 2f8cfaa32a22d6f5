// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Text of addresses, prefixes and EIDs, as it comes from configuration and command line; and the hash of each EID. */
#include "codec/decent.h"
#include "fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What has a text can be sent, and comes back. */
static void ex_on_the_wire(const struct xtr_eid_prefix *e)
{
	struct xtr_eid_prefix again;
	struct xtr_addr a;
	uint8_t buf[128], mask;
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_rd r;

	mask = xtr_eid_put(&w, e);
	EX_CHECK(!w.err);
	r = xtr_rd_init(buf, xtr_wr_len(&w));
	xtr_addr_decode(&r, &a);
	EX_CHECK(!r.err && !xtr_eid_from_addr(&a, mask, &again, NULL) && xtr_eid_equal(e, &again));
}

static void ex_decent(const struct xtr_eid_prefix *e)
{
	struct xtr_decent_lookup lookups[2] = {
		{ .iid = XTR_DECENT_ANY_IID, .length = 24 }, { .iid = e->iid, .length = 12 } };
	struct xtr_decent_step step;

	lookups[0].eid.ip.family = e->afi == XTR_AFI_IP6 ? 6 : 4;
	xtr_eid_to_ippfx(e, &lookups[1].eid);
	lookups[1].eid.len /= 2;
	for (unsigned i = 0; i < 12; i++) {
		struct xtr_decent_hash h = { .profile = (uint8_t)(i % 3), .modulus = 1 + i * 5,
					     .hash_mask = i % 3 == XTR_DECENT_DRAFT10 ? (uint16_t)(i * 4) : 0,
					     .lookups = lookups, .lookup_count = i % 4 };
		int r;

		if (h.lookup_count > 2)
			h.lookup_count = 2;
		r = xtr_decent_step(&h, e, &step);
		EX_CHECK(r == 0 || (r == -EINVAL && xtr_decent_check_iid(&h, e->iid)));
		EX_CHECK(strlen(step.full) < sizeof(step.full) && !strncmp(step.full, step.string, strlen(step.string)));
		EX_CHECK(r || step.index < h.modulus);
		EX_CHECK(xtr_decent_index(&h, e) == (r ? r : (int64_t)step.index));
		EX_CHECK(xtr_decent_fixed_bits(&h, e) <= 256);
		xtr_decent_too_short(&h, e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), ip_text[XTR_IP_STRLEN], pfx_text[XTR_IPPFX_STRLEN], eid_text[XTR_EID_STRLEN];
	struct xtr_eid_prefix eid, eid2;
	struct xtr_ippfx pfx, pfx2;
	struct xtr_ip ip, ip2;

	EX_CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!xtr_ip_parse(text, &ip)) {
		EX_CHECK(!xtr_ip_parse(xtr_ip_str(&ip, ip_text), &ip2) && !xtr_ip_cmp(&ip, &ip2));
		EX_CHECK(strlen(ip_text) < sizeof(ip_text));
	}
	if (!xtr_ippfx_parse(text, &pfx)) {
		EX_CHECK(pfx.len <= xtr_ip_bits(&pfx.ip));
		EX_CHECK(!xtr_ippfx_parse(xtr_ippfx_str(&pfx, pfx_text), &pfx2));
		EX_CHECK(pfx.len == pfx2.len && !xtr_ip_cmp(&pfx.ip, &pfx2.ip));
		EX_CHECK(xtr_ippfx_has(&pfx, &pfx.ip) && xtr_ippfx_contains(&pfx, &pfx2));
	}
	if (!xtr_eid_parse(text, &eid)) {
		EX_CHECK(!xtr_eid_parse(xtr_eid_str(&eid, eid_text), &eid2) && xtr_eid_equal(&eid, &eid2));
		EX_CHECK(xtr_eid_covers(&eid, &eid2) && strlen(eid_text) < sizeof(eid_text));
		EX_CHECK(eid.len <= xtr_eid_bits(&eid) && eid.group_len <= xtr_eid_bits(&eid));
		EX_CHECK(!xtr_eid_to_ippfx(&eid, &pfx) || !xtr_ippfx_mask(&pfx));
		ex_on_the_wire(&eid);
		ex_decent(&eid);
	}
	free(text);
	return 0;
}
