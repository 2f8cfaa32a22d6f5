/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sd_notify(3) in one function, so that no library is needed for it.
 */
#ifndef XTR_DAEMON_NOTIFY_H
#define XTR_DAEMON_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1\nSTATUS=..." to the service manager, if there is one. 0, or -errno. */
int xtr_notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Milliseconds after which WATCHDOG=1 is due again (half of what the manager waits); 0: nobody
 * waits for it. */
uint64_t xtr_notify_watchdog_ms(void);

#endif
