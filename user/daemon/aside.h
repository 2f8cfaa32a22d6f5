/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A copy of the process for one long piece of work, while this one goes on answering.
 */
#ifndef XTR_DAEMON_ASIDE_H
#define XTR_DAEMON_ASIDE_H

#include <stdbool.h>
#include <sys/types.h>

/* All zero: none is at work. Owned by the caller; xtr_aside_end() before it is freed. */
struct xtr_aside {
	pid_t pid;
};

/* work(arg) in a copy of the process, which has the file descriptors 0 to 2 and keep, and ends with the process. What it changes
 * in memory is its own. 0; -EBUSY: the last one is still at work; else -errno. */
int xtr_aside(struct xtr_aside *a, int keep, void (*work)(void *arg), void *arg);
/* After SIGCHLD. True: a copy has ended. */
bool xtr_aside_reap(struct xtr_aside *a);
/* Ends it now, if one is at work. */
void xtr_aside_end(struct xtr_aside *a);

#endif
