// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Control socket over libuv. The server owns its clients; a client owns its input and what is
 * written to it; a request that is not answered yet is owned by whoever has to answer it and
 * survives its client (then the answer goes nowhere). Invariants: a client has at most one request
 * in the hands of the handler, and reads nothing more meanwhile; a client that is being closed is
 * in no list.
 */
#include "ctl/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct client {
	uv_pipe_t pipe;            /* first: uv_close() gives it back */
	struct xtr_ctl_server *server;
	struct client *next, *prev;
	struct xtr_ctl_request *pending;
	char *in;                  /* what came and is not answered yet */
	size_t in_len, in_size;
	bool monitor, closing, ended, in_lines;
	json_t *kinds;             /* of events a monitor wants; NULL: all */
	uint64_t active;           /* turn of the last request, to find the one idle for longest */
};

struct xtr_ctl_server {
	uv_pipe_t pipe;
	struct xtr_ctl_handlers h;
	struct client *clients;
	unsigned count, monitors;
	uint64_t turn;
	char *path;
	int lock_fd;
};

struct xtr_ctl_request {
	struct client *client;     /* NULL: gone */
};

struct output {
	uv_write_t req;
	struct client *client;
	char *text;
};

static void handle_lines(struct client *c);
static void room(uv_handle_t *h, size_t suggested, uv_buf_t *buf);
static void received(uv_stream_t *st, ssize_t n, const uv_buf_t *buf);

/* Has it not taken yet what we wrote? */
static bool busy(const struct client *c)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
}

/* ---- clients */

static void client_freed(uv_handle_t *h)
{
	struct client *c = (struct client *)h;

	json_decref(c->kinds);
	free(c->in);
	free(c);
}

static void client_close(struct client *c)
{
	struct xtr_ctl_server *s = c->server;

	if (c->closing)
		return;
	c->closing = true;
	if (c->pending)
		c->pending->client = NULL;
	if (c->next)
		c->next->prev = c->prev;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->clients = c->next;
	s->count--;
	if (c->monitor && --s->monitors == 0 && s->h.listening)
		s->h.listening(s->h.ctx, false);
	uv_close((uv_handle_t *)&c->pipe, client_freed);
}

static void written(uv_write_t *req, int status)
{
	struct output *o = (struct output *)req;
	struct client *c = o->client;

	free(o->text);
	free(o);
	if (c->closing)
		return;
	if (status < 0) {
		client_close(c);
		return;
	}
	if (!c->pending && !c->monitor)
		handle_lines(c);
	if (c->ended && !c->closing && !c->pending && !busy(c))
		client_close(c);
}

/* text ends with a newline and is stolen. */
static void client_write(struct client *c, char *text, size_t len)
{
	struct output *o = malloc(sizeof(*o));
	uv_buf_t buf = uv_buf_init(text, (unsigned)len);

	if (!o || len > UINT32_MAX) {
		free(o);
		free(text);
		client_close(c);
		return;
	}
	o->client = c;
	o->text = text;
	if (uv_write(&o->req, (uv_stream_t *)&c->pipe, &buf, 1, written)) {
		free(text);
		free(o);
		client_close(c);
	}
}

/* Milliseconds of 30 years have 12 digits; more would show how binary fractions are not decimal
 * ones. */
#define DUMP (JSON_COMPACT | JSON_REAL_PRECISION(12))

/* Steals o. */
static char *dump_line(json_t *o, size_t *len)
{
	char *text = o ? json_dumps(o, DUMP) : NULL, *line;

	json_decref(o);
	if (!text)
		return NULL;
	*len = strlen(text) + 1; /* the newline instead of the end */
	line = realloc(text, *len + 1);
	if (!line) {
		free(text);
		return NULL;
	}
	line[*len - 1] = '\n';
	line[*len] = '\0';
	return line;
}

static void client_send(struct client *c, json_t *o)
{
	size_t len = 0;
	char *text = dump_line(o, &len);

	if (!text)
		client_close(c);
	else
		client_write(c, text, len);
}

/* ---- requests */

/* The client the answer goes to, or NULL; frees the request. */
static struct client *finish(struct xtr_ctl_request *req)
{
	struct client *c = req->client;

	free(req);
	if (c)
		c->pending = NULL;
	return c;
}

void xtr_ctl_reply_cut(struct xtr_ctl_request *req, json_t *result, bool cut)
{
	struct client *c = finish(req);
	json_t *o;

	if (!c) {
		json_decref(result);
		return;
	}
	o = json_object();
	if (result)
		json_object_set_new(o, "result", result);
	else
		json_object_set_new(o, "error",
				    json_string("xtrd has no memory for the answer; ask for less"));
	if (cut)
		json_object_set_new(o, "truncated", json_true());
	client_send(c, o);
}

void xtr_ctl_reply(struct xtr_ctl_request *req, json_t *result)
{
	xtr_ctl_reply_cut(req, result, false);
}

static json_t *error_object(const char *fmt, va_list ap)
{
	char *text;
	json_t *o;

	if (vasprintf(&text, fmt, ap) < 0)
		return json_pack("{s:s}", "error", "xtrd has no memory for the text of the error");
	o = json_pack("{s:s}", "error", xtr_utf8_mend(text));
	free(text);
	return o;
}

void xtr_ctl_error(struct xtr_ctl_request *req, const char *fmt, ...)
{
	struct client *c = finish(req);
	va_list ap;

	if (!c)
		return;
	va_start(ap, fmt);
	client_send(c, error_object(fmt, ap));
	va_end(ap);
}

static void refuse(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void refuse(struct client *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	client_send(c, error_object(fmt, ap));
	va_end(ap);
}

void xtr_ctl_listen(struct xtr_ctl_request *req, json_t *kinds)
{
	struct client *c = finish(req);

	if (!c)
		return;
	c->kinds = json_array_size(kinds) ? json_incref(kinds) : NULL;
	c->monitor = true;
	if (c->server->monitors++ == 0 && c->server->h.listening)
		c->server->h.listening(c->server->h.ctx, true);
	client_send(c, json_pack("{s:s}", "result", "listening"));
}

static void handle_line(struct client *c, const char *line, size_t len)
{
	json_error_t e;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	json_t *args = json_object_get(o, "args");
	const char *object = json_string_value(json_object_get(o, "object"));
	const char *command = json_string_value(json_object_get(o, "command"));

	c->active = ++c->server->turn;
	if (!o) {
		refuse(c, "the request is not JSON: %s (column %d)", e.text, e.column);
	} else if (!object || !command || (args && !json_is_object(args))) {
		refuse(c,
		       "the request is not {\"object\":\"...\",\"command\":\"...\",\"args\":{...}}");
	} else {
		json_t *given = args ? json_incref(args) : json_object();

		c->pending = calloc(1, sizeof(*c->pending));
		if (c->pending && given) {
			c->pending->client = c;
			c->server->h.request(c->server->h.ctx, c->pending, object, command, given);
		} else {
			free(c->pending);
			c->pending = NULL;
			client_close(c);
		}
		json_decref(given);
	}
	json_decref(o);
}

/* Answers complete lines, one by one, while nothing is pending and the client takes its answers. */
static void handle_lines(struct client *c)
{
	if (c->in_lines)
		return; /* an answer was written at once; the loop below goes on */
	c->in_lines = true;
	while (!c->closing && !c->pending && !c->monitor && !busy(c)) {
		char *nl = c->in_len ? memchr(c->in, '\n', c->in_len) : NULL;
		size_t used;

		if (!nl)
			break;
		used = (size_t)(nl - c->in) + 1;
		handle_line(c, c->in, used - 1);
		c->in_len -= used;
		memmove(c->in, c->in + used, c->in_len);
	}
	c->in_lines = false;
	if (c->closing || c->ended)
		return;
	if (c->monitor)
		c->in_len = 0; /* nothing it says means anything now */
	if (c->in_len < XTR_CTL_REQUEST_MAX) {
		uv_read_start((uv_stream_t *)&c->pipe, room, received); /* no harm if it is on */
		return;
	}
	uv_read_stop((uv_stream_t *)&c->pipe); /* full: goes on when a request has been answered */
	if (!memchr(c->in, '\n', c->in_len)) {
		c->in_len = 0;
		c->ended = true; /* closed when the answer is written */
		refuse(c, "the request is longer than %d octets", XTR_CTL_REQUEST_MAX);
	}
}

static void room(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *c = (struct client *)h;
	size_t size = c->in_size ? c->in_size : 1024;
	char *p;

	if (c->in_len == c->in_size && c->in_size < XTR_CTL_REQUEST_MAX) {
		size = c->in_size ? c->in_size * 2 : size;
		p = realloc(c->in, size);
		if (p) {
			c->in = p;
			c->in_size = size;
		}
	}
	*buf = uv_buf_init(c->in ? c->in + c->in_len : NULL, (unsigned)(c->in_size - c->in_len));
}

static void received(uv_stream_t *st, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = (struct client *)st;

	if (n == UV_EOF && !c->monitor && (c->pending || busy(c))) {
		c->ended = true; /* it has said all and waits for the answer */
		uv_read_stop(st);
		return;
	}
	if (n < 0) {
		client_close(c);
		return;
	}
	c->in_len += (size_t)n;
	handle_lines(c);
}

/* Makes room for one more client by closing the one that has been silent for longest. */
static bool evict(struct xtr_ctl_server *s)
{
	struct client *oldest = NULL;

	for (struct client *c = s->clients; c; c = c->next)
		if (!c->pending && !c->monitor && !busy(c) &&
		    (!oldest || c->active < oldest->active))
			oldest = c;
	if (oldest)
		client_close(oldest);
	return oldest;
}

static void connected(uv_stream_t *st, int status)
{
	struct xtr_ctl_server *s = (struct xtr_ctl_server *)st;
	struct client *c;

	if (status < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c)
		return;
	c->server = s;
	uv_pipe_init(st->loop, &c->pipe, 0);
	if (uv_accept(st, (uv_stream_t *)&c->pipe)) {
		c->closing = true;
		uv_close((uv_handle_t *)&c->pipe, client_freed);
		return;
	}
	if (s->count >= XTR_CTL_CLIENTS_MAX && !evict(s)) {
		c->closing = true;
		uv_close((uv_handle_t *)&c->pipe, client_freed);
		return;
	}
	c->active = ++s->turn;
	c->next = s->clients;
	if (c->next)
		c->next->prev = c;
	s->clients = c;
	s->count++;
	uv_read_start((uv_stream_t *)&c->pipe, room, received);
}

/* ---- events */

static bool wants(const struct client *c, const json_t *kind)
{
	const json_t *k;
	size_t i;

	if (!c->monitor || !c->kinds)
		return c->monitor;
	json_array_foreach(c->kinds, i, k)
		if (json_equal(k, kind))
			return true;
	return false;
}

void xtr_ctl_event(struct xtr_ctl_server *s, json_t *event)
{
	json_t *kind = json_incref(json_object_get(event, "kind"));
	struct client *next;
	size_t len = 0;
	char *text, *copy;

	if (!s->monitors) {
		json_decref(kind);
		json_decref(event);
		return;
	}
	text = dump_line(json_pack("{s:o}", "event", event), &len);
	for (struct client *c = s->clients; text && c; c = next) {
		next = c->next;
		if (!wants(c, kind))
			continue;
		if (uv_stream_get_write_queue_size((uv_stream_t *)&c->pipe) + len >
		    XTR_CTL_BACKLOG_MAX) {
			client_close(c);
			continue;
		}
		copy = malloc(len);
		if (!copy) {
			client_close(c);
			continue;
		}
		memcpy(copy, text, len);
		client_write(c, copy, len);
	}
	json_decref(kind);
	free(text);
}

bool xtr_ctl_listened(const struct xtr_ctl_server *s)
{
	return s && s->monitors;
}

/* ---- the socket */

static int make_folder(const char *path, struct xtr_err *err)
{
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(dir, sizeof(dir), "%s", path);
	for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			return xtr_fail(
				err, -errno,
				"folder %s of the control socket: %s; make it, or set control-socket",
				dir, strerror(errno));
		*p = '/';
	}
	return 0;
}

static int path_taken(const struct sockaddr_un *sa, struct xtr_err *err)
{
	struct stat st;
	int fd, rc = 0;

	if (lstat(sa->sun_path, &st))
		return errno == ENOENT ?
			       0 :
			       xtr_fail(err, -errno, "%s: %s", sa->sun_path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return xtr_fail(err, -EEXIST,
				"%s is there and is no socket; remove it, or set control-socket",
				sa->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return xtr_fail(err, -errno, "control socket: %s", strerror(errno));
	if (!connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) || errno == EAGAIN)
		rc = xtr_fail(err, -EADDRINUSE,
			      "another daemon answers at %s; stop it, or set control-socket",
			      sa->sun_path);
	else if (errno == ECONNREFUSED && unlink(sa->sun_path))
		rc = xtr_fail(err, -errno, "old control socket %s: %s; remove it", sa->sun_path,
			      strerror(errno));
	close(fd);
	return rc;
}

/* A lock beside the socket, so that of two daemons that start at once only one takes it. */
static int take_lock(const char *path, struct xtr_err *err)
{
	char lock[sizeof(((struct sockaddr_un *)0)->sun_path) + 8];
	int fd;

	snprintf(lock, sizeof(lock), "%s.lock", path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return xtr_fail(err, -errno, "%s: %s", lock, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		int rc = errno == EWOULDBLOCK ?
				 xtr_fail(err, -EADDRINUSE,
					  "another daemon holds %s; stop it, or set control-socket",
					  lock) :
				 xtr_fail(err, -errno, "%s: %s", lock, strerror(errno));

		close(fd);
		return rc;
	}
	return fd;
}

static int listen_at(const char *path, struct xtr_err *err)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, rc;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	rc = path_taken(&sa, err);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return xtr_fail(err, -errno, "control socket: %s", strerror(errno));
	/* bind() gives the file the mode of the socket: at no moment can others connect. */
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || chmod(path, 0600)) {
		rc = xtr_fail(err, -errno, "control socket %s: %s", path, strerror(errno));
		close(fd);
		return rc;
	}
	return fd;
}

static void server_freed(uv_handle_t *h)
{
	struct xtr_ctl_server *s = (struct xtr_ctl_server *)h;

	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->path);
	free(s);
}

int xtr_ctl_server_open(uv_loop_t *loop, const char *path, const struct xtr_ctl_handlers *h,
			struct xtr_ctl_server **out, struct xtr_err *err)
{
	struct xtr_ctl_server *s;
	int fd, rc;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return xtr_fail(
			err, -ENAMETOOLONG,
			"control socket %s: the path is longer than a socket may have; set a shorter control-socket",
			path);
	rc = make_folder(path, err);
	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s || !(s->path = strdup(path))) {
		free(s);
		return xtr_fail(err, -ENOMEM, "no memory");
	}
	s->h = *h;
	uv_pipe_init(loop, &s->pipe, 0);
	rc = s->lock_fd = take_lock(path, err);
	if (rc >= 0)
		rc = fd = listen_at(path, err);
	if (rc >= 0) {
		rc = uv_pipe_open(&s->pipe, fd);
		if (!rc)
			rc = uv_listen((uv_stream_t *)&s->pipe, XTR_CTL_CLIENTS_MAX, connected);
		else
			close(fd);
		if (rc) {
			unlink(path);
			xtr_fail(err, rc, "control socket %s: %s", path, uv_strerror(rc));
		}
	}
	if (rc < 0) {
		uv_close((uv_handle_t *)&s->pipe, server_freed);
		return rc;
	}
	*out = s;
	return 0;
}

void xtr_ctl_server_close(struct xtr_ctl_server *s)
{
	s->h.listening = NULL;
	while (s->clients)
		client_close(s->clients);
	unlink(s->path);
	uv_close((uv_handle_t *)&s->pipe, server_freed);
}
