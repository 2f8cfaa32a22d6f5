// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The asking side of the control socket: one JSON object per line, each way (ctl.h). A call owns its socket and its
 * buffer and frees both on every path; what the daemon sends is bounded by XTR_CTL_LINE_MAX and waited for until a
 * deadline of the monotonic clock, so that a daemon that hangs never makes its tool hang.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Octets received and not yet taken; a line is at its start. */
struct inbox {
	char *buf;
	size_t len, size;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits for events on fd until the deadline (-1: for ever). 0, -ETIMEDOUT, -errno. */
static int wait_fd(int fd, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = events };
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();
		int n;

		if (deadline >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int dial(const char *path, struct xtr_err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, e;

	if (strlen(path) >= sizeof(sa.sun_path))
		return xtr_fail(err, -ENAMETOOLONG, "control socket path is longer than %zu octets: %s",
				sizeof(sa.sun_path) - 1, path);
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return xtr_fail(err, -errno, "socket: %s", strerror(errno));
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	}
	e = errno;
	close(fd);
	if (e == ENOENT || e == ECONNREFUSED)
		return xtr_fail(err, -e, "xtrd is not running (nobody answers at %s)", path);
	if (e == EACCES)
		return xtr_fail(err, -e, "no permission to use the control socket %s (are you root?)", path);
	return xtr_fail(err, -e, "control socket %s: %s", path, strerror(e));
}

static int send_line(int fd, const char *text, int64_t deadline, struct xtr_err *err)
{
	size_t len = strlen(text), at = 0;

	while (at < len) {
		ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);
		int rc;

		if (n >= 0) {
			at += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return xtr_fail(err, -errno, "sending to xtrd: %s", strerror(errno));
		rc = wait_fd(fd, POLLOUT, deadline);
		if (rc)
			return xtr_fail(err, rc, "xtrd does not take the request: %s", strerror(-rc));
	}
	return 0;
}

static int inbox_room(struct inbox *in)
{
	size_t size;
	char *p;

	if (in->len < in->size)
		return 0;
	if (in->size >= XTR_CTL_LINE_MAX)
		return -E2BIG;
	size = in->size ? in->size * 2 : 16384;
	p = realloc(in->buf, size);
	if (!p)
		return -ENOMEM;
	in->buf = p;
	in->size = size;
	return 0;
}

/* Reads one line and parses it; what follows it stays in the inbox. -EPIPE: the daemon closed. */
static int read_line(int fd, struct inbox *in, int64_t deadline, json_t **out, struct xtr_err *err)
{
	size_t seen = 0;

	for (;;) {
		char *nl = in->len > seen ? memchr(in->buf + seen, '\n', in->len - seen) : NULL;
		json_error_t je;
		ssize_t n;
		int rc;

		if (nl) {
			size_t used = (size_t)(nl - in->buf);

			*out = json_loadb(in->buf, used, 0, &je);
			in->len -= used + 1;
			memmove(in->buf, nl + 1, in->len);
			if (!json_is_object(*out)) {
				json_decref(*out);
				*out = NULL;
				return xtr_fail(err, -EBADMSG, "xtrd answered something that is not a JSON object");
			}
			return 0;
		}
		seen = in->len;
		rc = inbox_room(in);
		if (rc)
			return xtr_fail(err, rc, "answer of xtrd does not fit: %s", strerror(-rc));
		n = recv(fd, in->buf + in->len, in->size - in->len, 0);
		if (n > 0) {
			in->len += (size_t)n;
			continue;
		}
		if (n == 0)
			return xtr_fail(err, -EPIPE, "xtrd closed the connection");
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return xtr_fail(err, -errno, "receiving from xtrd: %s", strerror(errno));
		rc = wait_fd(fd, POLLIN, deadline);
		if (rc)
			return xtr_fail(err, rc, "xtrd does not answer: %s", strerror(-rc));
	}
}

/* Takes {"result": x} or {"error": "text"} apart; consumes reply. 1: there is more than the result has. The text of an error may
 * be longer than err: *result is the whole of it. */
static int take_result(json_t *reply, json_t **result, struct xtr_err *err)
{
	json_t *e = json_object_get(reply, "error"), *r = json_object_get(reply, "result");
	int rc = 0;

	if (e)
		rc = xtr_fail(err, -EREMOTEIO, "%s", json_is_string(e) ? json_string_value(e) : "unknown error of xtrd");
	else if (!r)
		rc = xtr_fail(err, -EBADMSG, "answer of xtrd has neither result nor error");
	else
		rc = json_is_true(json_object_get(reply, "truncated"));
	if (rc >= 0 || rc == -EREMOTEIO)
		*result = json_incref(e ? e : r);
	json_decref(reply);
	return rc;
}

/* Connects and sends {"object":...,"command":...,"args":...}. Steals args. Returns the socket or -errno. */
static int ask(const char *path, const char *object, const char *command, json_t *args, int64_t deadline,
	       struct xtr_err *err)
{
	json_t *req = json_pack("{s:s, s:s, s:o}", "object", object, "command", command,
				"args", args ? args : json_object());
	char *text = req ? json_dumps(req, JSON_COMPACT) : NULL;
	char *line = NULL;
	int fd = -1, rc;

	if (!text || asprintf(&line, "%s\n", text) < 0) {
		line = NULL;
		rc = xtr_fail(err, -ENOMEM, "out of memory");
	} else {
		rc = fd = dial(path, err);
		if (fd >= 0)
			rc = send_line(fd, line, deadline, err);
	}
	if (rc < 0 && fd >= 0)
		close(fd);
	free(line);
	free(text);
	json_decref(req);
	return rc < 0 ? rc : fd;
}

int xtr_ctl_call(const char *path, const char *object, const char *command, json_t *args, int timeout_ms,
		 json_t **result, struct xtr_err *err)
{
	int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	struct inbox in = { 0 };
	json_t *reply = NULL;
	int fd, rc;

	*result = NULL;
	fd = ask(path, object, command, args, deadline, err);
	if (fd < 0)
		return fd;
	rc = read_line(fd, &in, deadline, &reply, err);
	if (!rc)
		rc = take_result(reply, result, err);
	free(in.buf);
	close(fd);
	return rc;
}

int xtr_ctl_monitor(const char *path, json_t *args, int (*fn)(void *, const json_t *event), void *arg, struct xtr_err *err)
{
	struct inbox in = { 0 };
	json_t *reply = NULL, *result = NULL;
	int fd, rc;

	fd = ask(path, "monitor", "show", args, now_ms() + 5000, err);
	if (fd < 0)
		return fd;
	rc = read_line(fd, &in, now_ms() + 5000, &reply, err);
	if (!rc)
		rc = take_result(reply, &result, err);
	json_decref(result);
	while (rc >= 0) {
		json_t *event;

		rc = read_line(fd, &in, -1, &reply, err);
		if (rc)
			break;
		event = json_object_get(reply, "event");
		rc = event ? fn(arg, event) : 0;
		json_decref(reply);
		if (rc)
			break;
	}
	free(in.buf);
	close(fd);
	return rc;
}
