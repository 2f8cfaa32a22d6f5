// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Error texts: one bounded buffer owned by the caller, always NUL-terminated, cut when too long; and what makes any text
 * one that JSON can carry.
 */
#include "util/err.h"

#include <stdio.h>

int xtr_fail(struct xtr_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	va_end(ap);
	return code;
}

/* Octets of the UTF-8 character at s (RFC 3629 4), 0: it is none. */
static unsigned utf8_octets(const unsigned char *s)
{
	unsigned n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (unsigned i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

char *xtr_utf8_mend(char *text)
{
	for (unsigned char *s = (unsigned char *)text; *s;) {
		unsigned n = utf8_octets(s);

		if (!n)
			*s = '?';
		s += n ? n : 1;
	}
	return text;
}
