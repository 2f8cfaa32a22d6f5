// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Logging to stderr. One message is one line and one write(), so that lines of several threads do
 * not mix. Octets that a terminal would act on are replaced: texts can hold names that came from
 * the network. Under systemd (JOURNAL_STREAM is set) the line starts with <N>, sd-daemon(3), else
 * with a word. State: only the level, set once at start.
 */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum xtr_log_level xtr_log_max = XTR_LOG_INFO;

static const struct {
	const char *plain;  /* on a terminal */
	const char *syslog; /* for journald */
} levels[] = {
	[XTR_LOG_ERROR] = { "error: ",   "<3>" },
	[XTR_LOG_WARN]  = { "warning: ", "<4>" },
	[XTR_LOG_INFO]  = { "info: ",    "<6>" },
	[XTR_LOG_DEBUG] = { "debug: ",   "<7>" },
};

#define LIMIT_BURST    10
#define LIMIT_INTERVAL 10 /* seconds */

void xtr_log_at(enum xtr_log_level level, const char *fmt, ...)
{
	int saved = errno, n, off;
	char line[1024];
	va_list ap;

	off = snprintf(line, sizeof(line), "%s",
		       getenv("JOURNAL_STREAM") ? levels[level].syslog : levels[level].plain);
	va_start(ap, fmt);
	n = vsnprintf(line + off, sizeof(line) - (size_t)off - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n > sizeof(line) - (size_t)off - 2)
		n = (int)(sizeof(line) - (size_t)off - 2);
	for (int i = off; i < off + n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[off + n] = '\n';
	/* Nobody is left to tell when stderr itself fails. */
	if (write(STDERR_FILENO, line, (size_t)(off + n + 1)) < 0)
		(void)0;
	errno = saved;
}

int xtr_log_allow(struct xtr_log_limit *l, uint64_t now_s)
{
	if (l->n == 0 || now_s - l->window >= LIMIT_INTERVAL) {
		if (l->suppressed)
			xtr_warn("%u messages like the next one were suppressed in the last %llu s",
				 l->suppressed, (unsigned long long)(now_s - l->window));
		*l = (struct xtr_log_limit){ .window = now_s };
	}
	if (l->n >= LIMIT_BURST) {
		l->suppressed++;
		return 0;
	}
	l->n++;
	return 1;
}
