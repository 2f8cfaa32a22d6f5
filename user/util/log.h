/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Logging to stderr (journald prefixes <N> when under systemd). An error is logged once, where
 * it is handled; a message names the thing, the value and what to do. XTR_LOG_LIMITED bounds
 * what the network can make us write.
 */
#ifndef XTR_UTIL_LOG_H
#define XTR_UTIL_LOG_H

#include <stdint.h>

enum xtr_log_level { XTR_LOG_ERROR, XTR_LOG_WARN, XTR_LOG_INFO, XTR_LOG_DEBUG };

extern enum xtr_log_level xtr_log_max; /* default XTR_LOG_INFO */
void xtr_log_at(enum xtr_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define xtr_log(level, ...) \
	do { if ((level) <= xtr_log_max) xtr_log_at((level), __VA_ARGS__); } while (0)
#define xtr_error(...) xtr_log(XTR_LOG_ERROR, __VA_ARGS__)
#define xtr_warn(...)  xtr_log(XTR_LOG_WARN, __VA_ARGS__)
#define xtr_info(...)  xtr_log(XTR_LOG_INFO, __VA_ARGS__)
#define xtr_debug(...) xtr_log(XTR_LOG_DEBUG, __VA_ARGS__)

/* State of one rate-limited message: at most burst per interval, then one line that counts the rest. */
struct xtr_log_limit { uint64_t window; uint32_t n, suppressed; };
/* True if the message may be written now (monotonic seconds; 10 per 10 s). */
int xtr_log_allow(struct xtr_log_limit *l, uint64_t now_s);
#define xtr_log_limited(level, now_s, ...) \
	do { static struct xtr_log_limit l_; if ((level) <= xtr_log_max && xtr_log_allow(&l_, (now_s))) xtr_log_at((level), __VA_ARGS__); } while (0)

#endif
