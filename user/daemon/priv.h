/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Giving up what is not needed after start.
 */
#ifndef XTR_DAEMON_PRIV_H
#define XTR_DAEMON_PRIV_H

#include <stdbool.h>

#include "util/err.h"

/* Keeps CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON and CAP_NET_RAW (with data_plane; else nothing) of what
 * the process has, takes the rest away for good, and becomes user (NULL: stays who it is). Call
 * while there is one thread only. */
/* namespaces: CAP_SYS_ADMIN stays too, to enter those of tenants (setns) */
int xtr_priv_drop(const char *user, bool data_plane, bool namespaces, struct xtr_err *err);
/* Gives a file or a whole folder tree to the user, without following links or crossing file
 * systems. A missing one is fine. */
int xtr_priv_give(const char *user, const char *path, struct xtr_err *err);
/* A folder with files in it, but no folders: so that a path that was mistyped (/var/lib) is not
 * given away. */
int xtr_priv_give_folder(const char *user, const char *path, struct xtr_err *err);

/* Can the user read the file? By the modes of the folders above it and its own. -EACCES, and err says at which of them not. */
int xtr_priv_reach(const char *user, const char *path, struct xtr_err *err);

#endif
