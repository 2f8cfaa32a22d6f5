// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Text of addresses, prefixes and EIDs, as it comes from configuration and command line. */
#include "fuzz/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		EX_CHECK(xtr_eid_covers(&eid, &eid2) && xtr_eid_to_ippfx(&eid, &pfx) && !xtr_ippfx_mask(&pfx));
	}
	free(text);
	return 0;
}
