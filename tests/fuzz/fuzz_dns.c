// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS answers. The first octet says which question was asked, the rest is what came: whatever it is,
 * the result is one that the caller can work with.
 */
#include "fuzz/exercise.h"
#include "net/dns_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "3.ms.test", "3.MS.test.", "a", "very-long-label.in-a.name.example.com" };
	static struct xtr_dns_result r, again;
	int type = size && data[0] & 1 ? DNS_TYPE_AAAA : DNS_TYPE_A;
	const char *name = names[size ? data[0] >> 1 & 3 : 0];
	uint8_t *msg = ex_exact(data + (size ? 1 : 0), size ? size - 1 : 0);
	int rc = xtr_dns_parse(msg, size ? size - 1 : 0, name, type, &r);

	EX_CHECK(rc == r.status && (rc == 0 || rc == -ENOENT || rc == -EIO || rc == -EBADMSG));
	EX_CHECK(!rc == !r.why[0] && strlen(r.why) < sizeof(r.why));
	EX_CHECK(r.count <= XTR_DNS_ADDRS_MAX && !rc == !!r.count && !r.partial);
	EX_CHECK(r.ttl <= 0x7fffffff && (!r.cut || r.count == XTR_DNS_ADDRS_MAX));
	for (const char *c = r.why; *c; c++)
		EX_CHECK(*c >= ' ' && *c < 0x7f);
	for (unsigned i = 0; i < r.count; i++) {
		EX_CHECK(r.addrs[i].family == (type == DNS_TYPE_A ? 4 : 6));
		EX_CHECK(!i || xtr_ip_cmp(&r.addrs[i - 1], &r.addrs[i]) < 0);
	}
	/* Nothing of one answer is left for the next. */
	memset(&again, 0xff, sizeof(again));
	xtr_dns_parse(msg, size ? size - 1 : 0, name, type, &again);
	EX_CHECK(again.status == rc && again.count == r.count && again.ttl == r.ttl && !strcmp(again.why, r.why));
	free(msg);
	return 0;
}
