/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The state directory: small named blobs that survive a restart.
 */
#ifndef XTR_DAEMON_STATE_H
#define XTR_DAEMON_STATE_H

#include <stddef.h>

#include "util/err.h"

/* Makes the directory (0700) where it is missing. The returned descriptor is what the others take.
 * Or -errno. */
int xtr_state_open(const char *path, struct xtr_err *err);
/* name: letters, digits, '-', '_' and '.'. Atomic: after a crash there is the old content or the
 * new. 0 or -errno. */
int xtr_state_save(int dir, const char *name, const void *buf, size_t len);
/* Octets read; -ENOENT; -EFBIG: the file is larger than size. */
int xtr_state_load(int dir, const char *name, void *buf, size_t size);

#endif
