/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Helpers of the codec tests: octets written as hex with spaces, in memory of exactly their size. */
#ifndef XTR_TESTS_CODEC_HELP_H
#define XTR_TESTS_CODEC_HELP_H

#include "fuzz/exercise.h"

#include <ctype.h>

struct octets {
	uint8_t *p;
	size_t len;
};

static inline int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower case hex; spaces anywhere between octets. The caller frees p. */
static inline struct octets hex_octets(const char *hex)
{
	struct octets o = { malloc(strlen(hex) / 2 + 1), 0 };
	struct octets exact;

	EX_CHECK(o.p);
	while (*hex) {
		if (isspace((unsigned char)*hex)) {
			hex++;
			continue;
		}
		EX_CHECK(hex_digit(hex[0]) >= 0 && hex_digit(hex[1]) >= 0);
		o.p[o.len++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
		hex += 2;
	}
	exact = (struct octets){ ex_exact(o.p, o.len), o.len };
	free(o.p);
	return exact;
}

static inline struct octets cut(const struct octets *o, size_t len)
{
	return (struct octets){ ex_exact(o->p, len), len };
}

/* True if what was written is the octets in hex; says both if not. */
static inline bool wrote(const struct xtr_wr *w, const char *hex)
{
	struct octets want = hex_octets(hex);
	bool same = !w->err && xtr_wr_len(w) == want.len && !memcmp(w->start, want.p, want.len);

	if (!same) {
		fprintf(stderr, "written (error %d): ", w->err);
		for (const uint8_t *p = w->start; p < w->p; p++)
			fprintf(stderr, "%02x", *p);
		fprintf(stderr, "\n           expected: %s\n", hex);
	}
	free(want.p);
	return same;
}

static inline struct xtr_ip ip_of(const char *s)
{
	struct xtr_ip ip;

	EX_CHECK(!xtr_ip_parse(s, &ip));
	return ip;
}

static inline struct xtr_ippfx pfx_of(const char *s)
{
	struct xtr_ippfx p;

	EX_CHECK(!xtr_ippfx_parse(s, &p));
	return p;
}

static inline struct xtr_eid_prefix eid_of(const char *s)
{
	struct xtr_eid_prefix e;

	EX_CHECK(!xtr_eid_parse(s, &e));
	return e;
}

#endif
