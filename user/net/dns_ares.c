// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Questions over UDP and TCP by c-ares. One channel per server with one try each: which server is
 * asked when is decided in dns.c, so that an answer is known to be that server's and a SERVFAIL is
 * not taken for silence. c-ares checks sender, ID and question, and asks again over TCP when an
 * answer is truncated. Invariants: a poll handle is stopped before c-ares closes the socket; after
 * every call into c-ares its timer is set anew.
 */
#include "net/dns_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define TRIES	     3 /* per server, within the time of a lookup */
#define TRY_MIN_MS   200
#define RCODE_FORMAT 1
#define RCODE_NOTIMP 4

struct dns_sock {
	uv_poll_t poll; /* first: the handle is the allocation */
	struct dns_chan *chan;
	struct dns_sock *next;
	ares_socket_t fd;
};

static void on_timer(uv_timer_t *timer);

static void set_timer(struct dns_chan *c)
{
	struct timeval tv, *left = ares_timeout(c->ares, NULL, &tv);

	if (!left)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timer,
			       (uint64_t)left->tv_sec * 1000 + (uint64_t)left->tv_usec / 1000 + 1,
			       0);
}

static void on_timer(uv_timer_t *timer)
{
	struct dns_chan *c = timer->data;

	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(c);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct dns_sock *s = (struct dns_sock *)poll;
	struct dns_chan *c = s->chan;
	ares_socket_t fd = s->fd;
	bool in = status < 0 || events & UV_READABLE, out = status < 0 || events & UV_WRITABLE;

	ares_process_fd(c->ares, in ? fd : ARES_SOCKET_BAD, out ? fd : ARES_SOCKET_BAD);
	set_timer(c);
}

static void sock_freed(uv_handle_t *handle)
{
	free(handle);
}

/* c-ares: watch this socket for that; for nothing: it is about to be closed. */
static void watch(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_chan *c = arg;
	struct dns_sock **link = &c->socks, *s;

	while ((s = *link) && s->fd != fd)
		link = &s->next;
	if (!readable && !writable) {
		if (s) {
			*link = s->next;
			uv_poll_stop(&s->poll);
			uv_close((uv_handle_t *)&s->poll, sock_freed);
		}
		return;
	}
	if (!s) { /* without memory the question runs into its time limit */
		s = calloc(1, sizeof(*s));
		if (!s)
			return;
		if (uv_poll_init(c->backend->dns->loop, &s->poll, fd)) {
			free(s);
			return;
		}
		s->chan = c;
		s->fd = fd;
		s->next = c->socks;
		c->socks = s;
	}
	uv_poll_start(&s->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
		      on_socket);
}

static int prepare_socket(ares_socket_t fd, int type, void *arg)
{
	struct dns_chan *c = arg;
	uint32_t mark = c->backend->mark;

	c->mark_errno =
		mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ? errno : 0;
	return c->mark_errno ? -1 : 0;
}

/* ---- questions */

static void no_answer(const struct dns_chan *c, int status, struct xtr_dns_result *r)
{
	r->status = status == ARES_ETIMEOUT	  ? -ETIMEDOUT
		    : status == ARES_ECONNREFUSED ? -ECONNREFUSED
		    : status == ARES_EBADRESP	  ? -EBADMSG
						  : -EIO;
	if (c->mark_errno)
		snprintf(r->why, sizeof(r->why), "SO_MARK: %s (needs CAP_NET_ADMIN), asking %s",
			 strerror(c->mark_errno), c->name);
	else
		snprintf(r->why, sizeof(r->why), "%s: %s",
			 status == ARES_ETIMEOUT ? "no answer"
			 : status == ARES_ECONNREFUSED
				 ? "not reachable (closed port or no way there)"
				 : ares_strerror(status),
			 c->name);
}

static void on_answer(void *arg, int status, int timeouts, unsigned char *buf, int len)
{
	struct dns_question *q = arg;
	struct xtr_dns_result r = { 0 };
	struct dns_chan *c;
	size_t used;

	q->out = false;
	if (!q->lookup) {
		xtr_dns_question_free(q);
		return;
	}
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		return;
	c = &q->backend->chans[q->server];
	if (status != ARES_SUCCESS || len < 4) {
		no_answer(c, status == ARES_SUCCESS ? ARES_EBADRESP : status, &r);
	} else if (!c->plain && ((buf[3] & 15) == RCODE_FORMAT || (buf[3] & 15) == RCODE_NOTIMP)) {
		c->plain = true; /* RFC 6891 7 */
		xtr_dns_ask_again(q);
		return;
	} else if (xtr_dns_parse(buf, (size_t)len, q->lookup->name, q->type, &r)) {
		used = strlen(r.why);
		snprintf(r.why + used, sizeof(r.why) - used, ": %s", c->name);
	}
	xtr_dns_answer(q, &r);
}

void xtr_dns_chan_ask(struct dns_chan *c, struct dns_question *q)
{
	struct xtr_dns_result r = { .status = -EINVAL, .why = "not a name" };
	uint8_t buf[DNS_QUERY_MAX];
	uint16_t id = 0;
	int len;

	/* With the port the kernel draws, 32 bits that a forger has to guess (RFC 5452). */
	if (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
		r.status = -EIO;
		snprintf(r.why, sizeof(r.why), "no random number");
		xtr_dns_answer(q, &r);
		return;
	}
	len = xtr_dns_query(buf, sizeof(buf), id, q->lookup->name, q->type, !c->plain);
	if (len < 0) {
		xtr_dns_answer(q, &r);
		return;
	}
	q->out = true;
	ares_send(c->ares, buf, len, on_answer, q);
	set_timer(c);
}

/* ---- channels */

int xtr_dns_chan_open(struct dns_chan *c, const struct xtr_dns_server *server, struct xtr_err *err)
{
	uint16_t port = server->port ? server->port : 53;
	char ip[XTR_IP_STRLEN];
	struct ares_options o = {
		/* All answers come here, whatever their response code. */
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP |
			 ARES_FLAG_EDNS,
		.tries = 1,
		.ednspsz = DNS_UDP_PAYLOAD,
		.sock_state_cb = watch,
		.sock_state_cb_data = c,
	};
	int rc, mask = ARES_OPT_FLAGS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB |
		       ARES_OPT_TIMEOUTMS;

	o.timeout = (int)(c->backend->timeout_ms / (TRIES * c->backend->count));
	o.timeout = o.timeout < TRY_MIN_MS ? TRY_MIN_MS : o.timeout;
	xtr_ip_str(&server->ip, ip);
	snprintf(c->name, sizeof(c->name), server->ip.family == 6 ? "[%s]:%u" : "%s:%u", ip, port);
	rc = ares_init_options(&c->ares, &o, mask);
	if (!rc) {
		rc = ares_set_servers_ports_csv(c->ares, c->name);
		if (rc)
			ares_destroy(c->ares);
	}
	if (rc)
		return xtr_fail(err, rc == ARES_ENOMEM ? -ENOMEM : -EINVAL, "dns: server %s: %s",
				c->name, ares_strerror(rc));
	ares_set_socket_configure_callback(c->ares, prepare_socket, c);
	rc = uv_timer_init(c->backend->dns->loop, &c->timer);
	if (rc) {
		ares_destroy(c->ares);
		return xtr_fail(err, rc, "dns: timer: %s", uv_strerror(rc));
	}
	c->timer.data = c;
	return 0;
}

void xtr_dns_chan_close(struct dns_chan *c, uv_close_cb closed)
{
	ares_destroy(c->ares);
	uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)&c->timer, closed);
}

int xtr_dns_system_servers(struct xtr_dns_server *out, unsigned max, struct xtr_err *err)
{
	struct ares_addr_port_node *list = NULL;
	ares_channel ares;
	unsigned n = 0;
	int rc = ares_init(&ares);

	if (!rc) {
		rc = ares_get_servers_ports(ares, &list);
		ares_destroy(ares);
	}
	if (rc)
		return xtr_fail(err, -EIO, "dns: servers of /etc/resolv.conf: %s",
				ares_strerror(rc));
	for (struct ares_addr_port_node *s = list; s && n < max; s = s->next) {
		struct xtr_dns_server *o = &out[n++];

		memset(o, 0, sizeof(*o));
		o->ip.family = s->family == AF_INET6 ? 6 : 4;
		memcpy(o->ip.a, &s->addr, s->family == AF_INET6 ? 16 : 4);
		o->port = s->udp_port > 0 ? (uint16_t)s->udp_port : 53;
	}
	ares_free_data(list);
	return (int)n;
}
