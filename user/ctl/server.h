/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The answering side of the control socket (ctl.h). Everything a client can make grow is bounded:
 * clients, the length of a request, replies that are not read, events that are not read. Requests
 * of one client are answered one after the other.
 */
#ifndef XTR_CTL_SERVER_H
#define XTR_CTL_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "ctl/ctl.h"

#define XTR_CTL_CLIENTS_MAX 64
#define XTR_CTL_BACKLOG_MAX (4u << 20) /* octets a monitor has not read: then it is cut off */

struct xtr_ctl_server;
struct xtr_ctl_request;    /* answered exactly once, now or later, by reply, error or listen */

struct xtr_ctl_handlers {
	void *ctx;
	/* object, command and args (an object, never NULL; borrowed) are valid during the call. */
	void (*request)(void *ctx, struct xtr_ctl_request *req, const char *object,
			const char *command, json_t *args);
	/* Number of monitors became not zero, or zero. */
	void (*listening)(void *ctx, bool on);
};

/* Makes the folder (0755) and the socket (0600). A socket that nobody answers on is replaced;
 * -EADDRINUSE: another daemon answers; -EEXIST: the path is something else than a socket. */
int xtr_ctl_server_open(uv_loop_t *loop, const char *path, const struct xtr_ctl_handlers *h,
			struct xtr_ctl_server **out, struct xtr_err *err);
/* Closes all clients and removes the socket. The loop has to run once more after it (uv_close).
 * Requests that are not answered yet must be answered before. */
void xtr_ctl_server_close(struct xtr_ctl_server *s);

void xtr_ctl_reply(struct xtr_ctl_request *req, json_t *result /* stolen */);
/* More rows were there than the reply has: {"result":...,"truncated":true}. */
void xtr_ctl_reply_cut(struct xtr_ctl_request *req, json_t *result /* stolen */, bool cut);
void xtr_ctl_error(struct xtr_ctl_request *req, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Makes the client a monitor. kinds: array of the values of "kind" it wants (borrowed), NULL or
 * empty: all. */
void xtr_ctl_listen(struct xtr_ctl_request *req, json_t *kinds);

/* Sends {"event": event} to every monitor that wants its kind. event is stolen. */
void xtr_ctl_event(struct xtr_ctl_server *s, json_t *event);
bool xtr_ctl_listened(const struct xtr_ctl_server *s);

#endif
