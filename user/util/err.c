// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Error texts: one bounded buffer owned by the caller, always NUL-terminated, cut when too long.
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
