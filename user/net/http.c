// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HTTP client: libcurl's multi-socket interface under libuv. struct xtr_http owns the multi handle,
 * its timer and every transfer; one struct sock stands for each socket curl has and is freed by
 * libuv after its handle closed. Invariants: a poll handle is stopped before curl closes the socket
 * (an epoll set must never keep a number that the next socket gets); done is called from the loop,
 * outside of curl, exactly once for each transfer that was taken; a body or a header block beyond
 * its bound ends the transfer. Certificates are always verified; environment (proxies, netrc) and
 * other schemes than https are never used.
 */
#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMEOUT_MS	5000
#define HEADERS_MAX	(64 << 10) /* all header lines of one transfer, redirects included */
#define REDIRECTS_MAX	3
#define HOST_CONNS_MAX	8
#define TOTAL_CONNS_MAX 32
#define IDLE_CONNS_MAX	8

struct sock {
	uv_poll_t poll; /* first: the handle is the allocation */
	struct xtr_http *http;
	struct sock *next, **link;
	curl_socket_t fd;
};

struct transfer {
	struct xtr_http *http;
	struct transfer *next, **link;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	xtr_http_done *done;
	void *arg;
	uint32_t mark, timeout_ms;
	int mark_errno; /* of SO_MARK, if that is why there is no connection */
	bool want_h2, too_big, proxied;
	uint8_t *body;
	size_t len, size, max, header_octets;
	unsigned age;
	char etag[128], error[CURL_ERROR_SIZE], origin[64];
};

struct xtr_http {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct transfer *transfers;
	struct sock *socks;
	unsigned busy; /* depth of calls of done: a close in there is finished afterwards */
	bool closed;
};

/* ---- sockets and timer */

static void sock_freed(uv_handle_t *handle)
{
	free(handle);
}

static void sock_drop(struct sock *s)
{
	if (!s)
		return;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, sock_freed);
}

static struct sock *sock_find(struct xtr_http *h, curl_socket_t fd)
{
	struct sock *s = h->socks;

	while (s && s->fd != fd)
		s = s->next;
	return s;
}

static void finished(struct xtr_http *h);

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct sock *s = (struct sock *)poll;
	struct xtr_http *h = s->http;
	int flags = 0, running;

	if (status < 0) /* reading says what is wrong */
		flags = CURL_CSELECT_IN | CURL_CSELECT_OUT;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(h->multi, s->fd, flags, &running);
	finished(h);
}

static void on_timer(uv_timer_t *timer)
{
	struct xtr_http *h = timer->data;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finished(h);
}

/* curl: watch this socket for that. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
	struct xtr_http *h = arg;
	struct sock *s = sockp ? sockp : sock_find(h, fd);
	int events = 0;

	if (what == CURL_POLL_REMOVE) {
		sock_drop(s);
		curl_multi_assign(h->multi, fd, NULL);
		return 0;
	}
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -1;
		if (uv_poll_init(h->loop, &s->poll, fd)) {
			free(s);
			return -1;
		}
		s->http = h;
		s->fd = fd;
		s->next = h->socks;
		s->link = &h->socks;
		if (s->next)
			s->next->link = &s->next;
		h->socks = s;
		curl_multi_assign(h->multi, fd, s);
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&s->poll, events, on_socket) ? -1 : 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct xtr_http *h = arg;

	if (ms < 0)
		uv_timer_stop(&h->timer);
	else /* 0 as well: curl must not be entered again from its own callback */
		uv_timer_start(&h->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

static int close_socket(void *arg, curl_socket_t fd)
{
	struct xtr_http *h = arg;

	sock_drop(sock_find(h, fd));
	return close(fd);
}

/* The user timeout makes the kernel give up a connection whose peer is gone without a word;
 * otherwise a multiplexed connection would be used again after each timeout. */
static int prepare_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct transfer *t = arg;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &t->timeout_ms, sizeof(t->timeout_ms));
	if (t->mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &t->mark, sizeof(t->mark))) {
		t->mark_errno = errno;
		return CURL_SOCKOPT_ERROR;
	}
	return CURL_SOCKOPT_OK;
}

/* ---- one transfer */

static void transfer_free(struct transfer *t)
{
	if (t->link) {
		*t->link = t->next;
		if (t->next)
			t->next->link = t->link;
	}
	if (t->easy) {
		curl_multi_remove_handle(t->http->multi, t->easy);
		curl_easy_cleanup(t->easy);
	}
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->connect_to);
	free(t->body);
	free(t);
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n, want;
	uint8_t *body;

	if (len > t->max - t->len) {
		t->too_big = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (t->len + len > t->size) {
		want = t->size ? t->size * 2 : 4096;
		if (want < t->len + len)
			want = t->len + len;
		body = realloc(t->body, want);
		if (!body)
			return CURL_WRITEFUNC_ERROR;
		t->body = body;
		t->size = want;
	}
	memcpy(t->body + t->len, data, len);
	t->len += len;
	return len;
}

/* The value of a header line of this name, without white space around, or NULL. */
static const char *header_value(const char *line, size_t len, const char *name, size_t *value_len)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n))
		return NULL;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len && strchr(" \t\r\n", line[len - 1]))
		len--;
	*value_len = len;
	return line;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n, vlen;
	const char *v;

	if (len > HEADERS_MAX - t->header_octets) {
		t->too_big = true;
		return 0;
	}
	t->header_octets += len;
	if (len > 5 && !memcmp(data, "HTTP/", 5)) { /* of the next response: redirect or 1xx */
		t->etag[0] = '\0';
		t->age = 0;
	}
	v = header_value(data, len, "etag", &vlen);
	if (v && vlen < sizeof(t->etag) && !memchr(v, '\0', vlen)) {
		memcpy(t->etag, v, vlen);
		t->etag[vlen] = '\0';
	}
	v = header_value(data, len, "age", &vlen);
	if (v) {
		for (t->age = 0; vlen && *v >= '0' && *v <= '9' && t->age < 100000000; v++, vlen--)
			t->age = t->age * 10 + (unsigned)(*v - '0');
	}
	return len;
}

static int error_of(const struct transfer *t, CURLcode rc)
{
	long os = 0;

	if (rc && t->mark_errno)
		return -t->mark_errno;
	switch (rc) {
	case CURLE_OK: return 0;
	case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os);
		return os == EHOSTUNREACH || os == ENETUNREACH ? -EHOSTUNREACH
		       : os == ETIMEDOUT		       ? -ETIMEDOUT
							       : -ECONNREFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS: return -EKEYREJECTED;
	case CURLE_FILESIZE_EXCEEDED: return -EFBIG;
	case CURLE_WRITE_ERROR: return t->too_big ? -EFBIG : -ENOMEM;
	case CURLE_OUT_OF_MEMORY: return -ENOMEM;
	default: return -EPROTO;
	}
}

static void say_why(const struct transfer *t, CURLcode rc, struct xtr_http_result *r)
{
	const char *text = t->error[0] ? t->error : curl_easy_strerror(rc);
	long os = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os);
	if (t->mark_errno)
		snprintf(r->why, sizeof(r->why), "%s: SO_MARK: %s (needs CAP_NET_ADMIN)", t->origin,
			 strerror(t->mark_errno));
	else if (rc == CURLE_COULDNT_CONNECT && os)
		snprintf(r->why, sizeof(r->why), "%s: cannot connect%s: %s", t->origin,
			 t->proxied ? " by way of the proxy" : "", strerror((int)os));
	else if (r->status == -EFBIG)
		snprintf(r->why, sizeof(r->why), "%s: longer than %zu octets", t->origin, t->max);
	else if (r->status)
		snprintf(r->why, sizeof(r->why), "%s: %.90s", t->origin, text);
	else if (r->code < 200 || r->code > 299)
		snprintf(r->why, sizeof(r->why), "%s: HTTP status %ld", t->origin, r->code);
}

static void transfer_end(struct transfer *t, CURLcode rc)
{
	struct xtr_http *h = t->http;
	struct xtr_http_result r = { .body = t->body, .len = t->len, .age = t->age };
	long version = 0;

	r.status = error_of(t, rc);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &r.code);
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	r.version = version == CURL_HTTP_VERSION_2_0 ? 2 : version ? 1 : 0;
	memcpy(r.etag, t->etag, sizeof(r.etag));
	if (!r.status && t->want_h2 && r.version != 2) {
		r.status = -EPROTO;
		snprintf(t->error, sizeof(t->error),
			 "the server does not speak HTTP/2, which is configured");
	}
	if (r.status)
		r.len = 0;
	say_why(t, rc, &r);
	h->busy++;
	t->done(t->arg, &r);
	h->busy--;
	transfer_free(t);
}

/* ---- life */

static void timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* curl must not call back into what is half gone: transfers first, then the multi handle with its
 * idle connections, then the timer that all of them used. */
static void destroy(struct xtr_http *h)
{
	while (h->transfers)
		transfer_free(h->transfers);
	curl_multi_cleanup(h->multi);
	while (h->socks)
		sock_drop(h->socks);
	uv_timer_stop(&h->timer);
	uv_close((uv_handle_t *)&h->timer, timer_closed);
}

/* Hands over what has ended. */
static void finished(struct xtr_http *h)
{
	struct transfer *t;
	CURLMsg *msg;
	int left;

	while (!h->closed && (msg = curl_multi_info_read(h->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		transfer_end(t, msg->data.result);
	}
	if (h->closed && !h->busy)
		destroy(h);
}

int xtr_http_open(uv_loop_t *loop, struct xtr_http **out, struct xtr_err *err)
{
	struct xtr_http *h;

	/* Counts by itself; what it sets up stays for the life of the process. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return xtr_fail(err, -EIO, "libcurl does not start");
	h = calloc(1, sizeof(*h));
	if (!h)
		return xtr_fail(err, -ENOMEM, "no memory for the HTTP client");
	h->multi = curl_multi_init();
	if (!h->multi || uv_timer_init(loop, &h->timer)) {
		if (h->multi)
			curl_multi_cleanup(h->multi);
		free(h);
		return xtr_fail(err, -ENOMEM, "no memory for the HTTP client");
	}
	h->loop = loop;
	h->timer.data = h;
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNS_MAX);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)TOTAL_CONNS_MAX);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNS_MAX);
	*out = h;
	return 0;
}

void xtr_http_close(struct xtr_http *h)
{
	if (!h || h->closed)
		return;
	h->closed = true;
	if (!h->busy)
		destroy(h);
}

/* ---- requests */

/* scheme://host:port for messages: a path or user part may hold a secret. */
static void origin_of(const char *url, char *buf, size_t size)
{
	const char *host = strstr(url, "://"), *at;
	size_t n;

	host = host ? host + 3 : url;
	n = strcspn(host, "/?#");
	at = memrchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	snprintf(buf, size, "https://%.*s", (int)(n < 48 ? n : 48), host);
}

static int add_header(struct transfer *t, const char *name, const char *value)
{
	struct curl_slist *list;
	char line[512];
	int n;

	if (!value)
		return 0;
	n = snprintf(line, sizeof(line), "%s: %s", name, value);
	if (n < 0 || (size_t)n >= sizeof(line) || strpbrk(line, "\r\n"))
		return -EINVAL;
	list = curl_slist_append(t->headers, line);
	if (!list)
		return -ENOMEM;
	t->headers = list;
	return 0;
}

/* "host:port:address" becomes curl's host::address: (any port): unlike its cache of resolved names,
 * this is compared when a connection is used again. */
static int add_connect_to(struct transfer *t, const char *resolve)
{
	const char *host_end, *port, *address;
	char line[512];
	bool v6;
	int n;

	host_end = resolve[0] == '[' ? strchr(resolve, ']') : resolve;
	host_end = host_end ? strchr(host_end, ':') : NULL;
	port = host_end ? host_end + 1 : NULL;
	address = port ? strchr(port, ':') : NULL;
	if (!address || address == port || !address[1])
		return -EINVAL;
	v6 = strchr(address + 1, ':') && address[1] != '[';
	n = snprintf(line, sizeof(line), "%.*s::%s%s%s:", (int)(host_end - resolve), resolve,
		     v6 ? "[" : "", address + 1, v6 ? "]" : "");
	if (n < 0 || (size_t)n >= sizeof(line))
		return -EINVAL;
	t->connect_to = curl_slist_append(NULL, line);
	return t->connect_to ? 0 : -ENOMEM;
}

static int set_security(CURL *e, const struct xtr_http_options *o)
{
	CURLcode rc;

	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	rc = curl_easy_setopt(e, CURLOPT_PROXY, o->proxy ? o->proxy : "");
	if (!rc)
		rc = curl_easy_setopt(e, CURLOPT_NOPROXY, "");
	if (!rc && o->ca_file) { /* this one and no other */
		rc = curl_easy_setopt(e, CURLOPT_CAINFO, o->ca_file);
		curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
		if (!rc)
			rc = curl_easy_setopt(e, CURLOPT_PROXY_CAINFO, o->ca_file);
		curl_easy_setopt(e, CURLOPT_PROXY_CAPATH, NULL);
	}
	return rc ? -ENOMEM : 0;
}

static void set_callbacks(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, prepare_socket);
	curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, t);
	/* The connection outlives the transfer. */
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, t->http);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* A name that is looked up in a thread must not hold the loop when the time is over. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
}

static int set_request(struct transfer *t, const struct xtr_http_options *o,
		       const struct xtr_http_request *q)
{
	CURL *e = t->easy;
	int rc;

	rc = add_header(t, "Content-Type", q->content_type);
	if (!rc)
		rc = add_header(t, "Accept", q->accept);
	if (!rc)
		rc = add_header(t, "If-None-Match", q->etag);
	if (!rc && q->body)
		rc = add_header(t, "Expect", ""); /* no 100-continue */
	if (!rc && o->resolve)
		rc = add_connect_to(t, o->resolve);
	if (rc)
		return rc;
	if (curl_easy_setopt(e, CURLOPT_URL, q->url) ||
	    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers) ||
	    curl_easy_setopt(e, CURLOPT_CONNECT_TO, t->connect_to))
		return -ENOMEM;
	if (q->body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
		if (curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, q->body))
			return -ENOMEM;
	} else { /* a POST would turn into a GET on its way */
		curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	}
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)q->max);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
			 o->version == 1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(e, CURLOPT_PIPEWAIT, o->version == 1 ? 0L : 1L);
	return 0;
}

int xtr_http_send(struct xtr_http *h, const struct xtr_http_options *o,
		  const struct xtr_http_request *q, xtr_http_done *done, void *arg)
{
	struct transfer *t;
	int rc;

	if (h->closed || strncasecmp(q->url, "https://", 8))
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->http = h;
	t->done = done;
	t->arg = arg;
	t->max = q->max;
	t->mark = o->mark;
	t->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
	t->want_h2 = o->version == 2;
	t->proxied = o->proxy;
	origin_of(q->url, t->origin, sizeof(t->origin));
	t->easy = curl_easy_init();
	rc = t->easy ? set_security(t->easy, o) : -ENOMEM;
	if (!rc) {
		set_callbacks(t);
		rc = set_request(t, o, q);
	}
	if (!rc && curl_multi_add_handle(h->multi, t->easy))
		rc = -ENOMEM;
	if (rc) {
		transfer_free(t);
		return rc;
	}
	t->next = h->transfers;
	t->link = &h->transfers;
	if (t->next)
		t->next->link = &t->next;
	h->transfers = t;
	return 0;
}
