// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What two HTTP servers answer to the questions for A and AAAA (RFC 8484), and what both say
 * together. Input: for each a code, an age, a length in two octets, the body.
 */
#include "fuzz/exercise.h"
#include "net/dns_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(const uint8_t **data, size_t *size, int type, struct xtr_dns_result *r)
{
	static const int failures[] = { 0, -ETIMEDOUT, -ECONNREFUSED, -EKEYREJECTED, -EFBIG, -EPROTO, -EHOSTUNREACH, 0 };
	static const long codes[] = { 200, 204, 302, 404, 500, 0 };
	struct xtr_http_result h = { .code = 200 };
	uint8_t *body;
	int rc;

	if (*size >= 4) {
		h.status = (*data)[0] & 8 ? failures[(*data)[0] & 7] : 0;
		h.code = codes[((*data)[0] >> 4) % 6];
		h.age = (*data)[1];
		h.len = (size_t)(*data)[2] << 8 | (*data)[3];
		*data += 4;
		*size -= 4;
	}
	h.len = h.len < *size ? h.len : *size;
	body = ex_exact(*data, h.len);
	h.body = body;
	*data += h.len;
	*size -= h.len;
	snprintf(h.why, sizeof(h.why), "%s", h.status || h.code != 200 ? "https://dns.test: failed" : "");
	rc = xtr_dns_parse_http(&h, "3.ms.test", type, r);
	EX_CHECK(rc == r->status && rc <= 0 && rc != -EFBIG && rc != -EHOSTUNREACH && !rc == !!r->count);
	EX_CHECK(!rc || r->why[0] || h.code == 204);
	EX_CHECK(!h.status || rc);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xtr_dns_result a, aaaa, both;
	const struct xtr_dns_result *which;

	one(&data, &size, DNS_TYPE_A, &a);
	one(&data, &size, DNS_TYPE_AAAA, &aaaa);
	which = xtr_dns_merge(&a, &aaaa, &both);
	EX_CHECK(both.count <= XTR_DNS_ADDRS_MAX && !both.status == !!both.count);
	EX_CHECK(!both.status || which);
	EX_CHECK(both.status != -ENOENT || (a.status == -ENOENT && aaaa.status == -ENOENT));
	EX_CHECK(!both.partial || (!both.status && (a.status || aaaa.status)));
	EX_CHECK(both.ttl != UINT32_MAX && (a.status || both.ttl <= a.ttl) && (aaaa.status || both.ttl <= aaaa.ttl));
	for (unsigned i = 1; i < both.count; i++)
		EX_CHECK(xtr_ip_cmp(&both.addrs[i - 1], &both.addrs[i]) < 0);
	return 0;
}
