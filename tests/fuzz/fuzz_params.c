// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any text as the fetched parameter file, and any text as its signature: accepted with usable
 * parameters or refused with a reason; no text has a valid signature.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"
#include "daemon/params.h"

static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
			  "-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xtr_eid_prefix eid = { .afi = XTR_AFI_IP4, .len = 32, .a = { 240, 11, 1, 1 } };
	struct xtr_params *p, *same;
	struct xtr_err err = { "" };
	size_t half = size / 2;
	int rc = xtr_params_parse(data, size, &p, &err);

	if (!rc != !!p || !rc == !!*err.text)
		abort();
	if (p) {
		char name[XTR_DECENT_NAME_MAX];
		int64_t index = xtr_decent_index(&p->hash, &eid);

		if (index < 0 || index >= p->hash.modulus)
			abort();
		if (xtr_decent_name((uint32_t)index, p->suffix, name, sizeof(name)))
			abort();
		if (xtr_params_parse(data, size, &same, &err) || xtr_params_follows(p, same, &err))
			abort();
		xtr_params_free(same);
		xtr_params_free(p);
	}
	if (!xtr_params_verify(data, half, pem, (const char *)data + half, size - half, NULL, &err))
		abort();
	return 0;
}
