/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An error text for a person, filled by the function that fails and printed by whoever handles it.
 * Functions that take a struct xtr_err return 0 or -errno besides.
 */
#ifndef XTR_UTIL_ERR_H
#define XTR_UTIL_ERR_H

#include <stdarg.h>

struct xtr_err { char text[512]; };

/* Writes the text and returns code, so that `return xtr_fail(err, -EINVAL, "...")` reads well. err may be NULL. */
int xtr_fail(struct xtr_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* In place: a '?' for each octet that is in no UTF-8 character, as of names of files and texts that were cut. Returns text. */
char *xtr_utf8_mend(char *text);

#endif
