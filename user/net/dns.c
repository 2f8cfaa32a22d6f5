// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * DNS lookups: which are started, whom their questions are sent to, when they end. struct xtr_dns
 * owns the lookups (waiting in order, active, ready to be handed over) and the backends, one for
 * each configuration that a question still uses. Everything that calls the user or destroys
 * something is done by one zero timer ("kick"), outside of c-ares and curl: their callbacks only
 * note what came.
 *
 * A lookup asks for A and AAAA at the same time. A question goes to one server after the other,
 * beginning with the one that answered last; silent ones are asked up to three times (UDP), one
 * that answered uselessly is not asked again. A definite answer ends it, so does the time of the
 * lookup. A transport cannot be told to forget a question: without its lookup it is an orphan,
 * freed when the transport gives it back.
 */
#include "net/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns_int.h"
#include "util/log.h"

#define ACTIVE_MAX  256
#define WAITING_MAX 4096
#define TIMEOUT_MS  5000
#define ROUNDS	    3
#define RESOLV_CONF "/etc/resolv.conf"
#define LOOK_MS	    1000 /* between two looks at it */

static void on_kick(uv_timer_t *timer);

static void kick(struct xtr_dns *d)
{
	if (!d->closed && !uv_is_active((uv_handle_t *)&d->kick))
		uv_timer_start(&d->kick, on_kick, 0, 0);
}

/* ---- questions */

void xtr_dns_question_free(struct dns_question *q)
{
	if (q->waiting)
		TAILQ_REMOVE(&q->backend->dns->todo, q, todo);
	LIST_REMOVE(q, all);
	if (LIST_EMPTY(&q->backend->questions))
		kick(q->backend->dns); /* an old backend may be done with */
	free(q);
}

static void question_wait(struct dns_question *q)
{
	struct xtr_dns *d = q->backend->dns;

	TAILQ_INSERT_TAIL(&d->todo, q, todo);
	q->waiting = true;
	kick(d);
}

static struct dns_question *question_new(struct dns_lookup *l, struct dns_backend *b, int type)
{
	struct dns_question *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->lookup = l;
	q->backend = b;
	q->type = type;
	q->server = b->good;
	q->r.status = -ETIMEDOUT;
	snprintf(q->r.why, sizeof(q->r.why), "not asked within %u ms", b->timeout_ms);
	LIST_INSERT_HEAD(&b->questions, q, all);
	question_wait(q);
	return q;
}

/* How much a failure says: what a server said before what the network did. */
static int weight(int status)
{
	switch (status) {
	case -EIO: return 6;
	case -EBADMSG: return 5;
	case -EKEYREJECTED: return 4;
	case -EPROTO: return 3;
	case -ECONNREFUSED: return 2;
	case -ETIMEDOUT: return 1;
	default: return 2;
	}
}

static void lookup_ready(struct dns_lookup *l, struct xtr_dns *d)
{
	const struct xtr_dns_result *which = xtr_dns_merge(&l->q[0]->r, &l->q[1]->r, &l->r);

	if (which)
		memcpy(l->r.why, which->why, sizeof(l->r.why));
	TAILQ_REMOVE(&d->active, l, link);
	d->active_count--;
	TAILQ_INSERT_TAIL(&d->ready, l, link);
	kick(d);
}

static void question_over(struct dns_question *q)
{
	struct dns_lookup *l = q->lookup;

	q->over = true;
	if (l->q[0]->over && l->q[1]->over)
		lookup_ready(l, q->backend->dns);
}

void xtr_dns_answer(struct dns_question *q, const struct xtr_dns_result *r)
{
	if (q->over)
		return;
	if (!r->status || r->status == -ENOENT) {
		q->r = *r;
		q->backend->good = q->server;
		question_over(q);
		return;
	}
	if (r->status != -ETIMEDOUT)
		q->answered |= 1u << q->server;
	if (weight(r->status) >= weight(q->r.status))
		q->r = *r;
	question_wait(q);
}

void xtr_dns_ask_again(struct dns_question *q)
{
	if (q->over)
		return;
	q->again = true;
	question_wait(q);
}

/* Sends to the next server. */
static void question_send(struct dns_question *q)
{
	struct dns_backend *b = q->backend;
	uint64_t now = uv_now(b->dns->loop), deadline = q->lookup->deadline;
	unsigned limit = b->https ? b->count : b->count * ROUNDS;

	while (q->tries < limit && now < deadline) {
		unsigned left = limit - q->tries;

		if (q->tries++ && !q->again)
			q->server = (q->server + 1) % b->count;
		q->again = false;
		if (q->answered & 1u << q->server)
			continue;
		if (b->https)
			xtr_dns_doh_ask(q, (uint32_t)((deadline - now + left - 1) / left));
		else
			xtr_dns_chan_ask(&b->chans[q->server], q);
		return;
	}
	question_over(q);
}

/* ---- lookups */

static void lookup_forget(struct dns_lookup *l)
{
	for (int i = 0; i < 2; i++) {
		if (l->q[i] && l->q[i]->out)
			l->q[i]->lookup = NULL;
		else if (l->q[i])
			xtr_dns_question_free(l->q[i]);
		l->q[i] = NULL;
	}
}

static void on_alarm(uv_timer_t *timer);

/* The deadlines are in order but for a change of the configuration. */
static void set_alarm(struct xtr_dns *d)
{
	uint64_t first = UINT64_MAX, now = uv_now(d->loop);
	struct dns_lookup *l;

	TAILQ_FOREACH(l, &d->active, link)
		first = l->deadline < first ? l->deadline : first;
	if (first == UINT64_MAX)
		uv_timer_stop(&d->alarm);
	else
		uv_timer_start(&d->alarm, on_alarm, first > now ? first - now : 0, 0);
}

static void question_late(struct dns_question *q)
{
	const struct dns_backend *b = q->backend;

	if (!q->over && q->out && q->r.status == -ETIMEDOUT)
		snprintf(q->r.why, sizeof(q->r.why), "no answer within %u ms: %.120s",
			 b->timeout_ms, b->https ? b->urls[q->server] : b->chans[q->server].name);
	q->over = true;
}

static void on_alarm(uv_timer_t *timer)
{
	struct xtr_dns *d = timer->data;
	struct dns_lookup *l, *next;

	for (l = TAILQ_FIRST(&d->active); l; l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->deadline > uv_now(d->loop))
			continue;
		for (int i = 0; i < 2; i++)
			question_late(l->q[i]);
		lookup_ready(l, d);
	}
	set_alarm(d);
}

static void lookup_start(struct xtr_dns *d, struct dns_lookup *l)
{
	TAILQ_REMOVE(&d->waiting, l, link);
	d->waiting_count--;
	l->deadline = uv_now(d->loop) + d->backend->timeout_ms;
	l->q[0] = question_new(l, d->backend, DNS_TYPE_A);
	l->q[1] = l->q[0] ? question_new(l, d->backend, DNS_TYPE_AAAA) : NULL;
	if (!l->q[1]) {
		if (l->q[0])
			xtr_dns_question_free(l->q[0]);
		l->q[0] = NULL;
		l->r.status = -ENOMEM;
		snprintf(l->r.why, sizeof(l->r.why), "no memory");
		TAILQ_INSERT_TAIL(&d->ready, l, link);
		kick(d);
		return;
	}
	TAILQ_INSERT_TAIL(&d->active, l, link);
	d->active_count++;
}

static void deliver(struct xtr_dns *d)
{
	struct dns_lookup *l;

	while (!d->closed && (l = TAILQ_FIRST(&d->ready))) {
		TAILQ_REMOVE(&d->ready, l, link);
		lookup_forget(l); /* first: the call may close and so free every question */
		d->done(d->ctx, l->id, &l->r);
		free(l);
	}
}

static void backend_free(struct dns_backend *b)
{
	for (unsigned i = 0; i < DNS_SERVERS_MAX; i++)
		free(b->urls[i]);
	free(b->ca_file);
	free(b->proxy);
	free(b->resolve);
	free(b);
}

static void chan_closed(uv_handle_t *handle)
{
	struct dns_chan *c = handle->data;
	struct dns_backend *b = c->backend;

	if (!--b->handles)
		backend_free(b);
}

/* Its questions are over or orphans; those that c-ares has are given back now. */
static void backend_close(struct dns_backend *b)
{
	unsigned n = b->handles;

	LIST_REMOVE(b, link);
	for (unsigned i = 0; i < n; i++)
		xtr_dns_chan_close(&b->chans[i], chan_closed);
	while (!LIST_EMPTY(&b->questions)) /* those that the HTTP client had */
		xtr_dns_question_free(LIST_FIRST(&b->questions));
	if (!n)
		backend_free(b);
}

static void on_kick(uv_timer_t *timer)
{
	struct xtr_dns *d = timer->data;
	struct dns_backend *b, *next;
	struct dns_question *q;
	struct dns_lookup *l;

	deliver(d);
	if (d->closed)
		return;
	while (d->active_count < ACTIVE_MAX && (l = TAILQ_FIRST(&d->waiting)))
		lookup_start(d, l);
	while ((q = TAILQ_FIRST(&d->todo))) {
		TAILQ_REMOVE(&d->todo, q, todo);
		q->waiting = false;
		if (!q->over)
			question_send(q);
	}
	set_alarm(d);
	for (b = LIST_FIRST(&d->backends); b; b = next) {
		next = LIST_NEXT(b, link);
		if (b != d->backend && LIST_EMPTY(&b->questions))
			backend_close(b);
	}
}

/* A host that roams, or whose lease is renewed, gets other servers: the next question is for them. */
static void follow_system(struct xtr_dns *d)
{
	const struct xtr_dns_config cfg = { .timeout_ms = d->backend->timeout_ms, .mark = d->backend->mark };
	const struct stat *was = &d->backend->resolv;
	struct xtr_err err;
	struct stat st;

	if (!d->backend->system || uv_now(d->loop) - d->looked < LOOK_MS || stat(RESOLV_CONF, &st))
		return;
	d->looked = uv_now(d->loop);
	if (st.st_ino == was->st_ino && st.st_dev == was->st_dev && st.st_size == was->st_size &&
	    st.st_mtim.tv_sec == was->st_mtim.tv_sec && st.st_mtim.tv_nsec == was->st_mtim.tv_nsec)
		return;
	if (xtr_dns_reconfigure(d, &cfg, &err)) /* half written, perhaps: it is looked at again */
		xtr_log_limited(XTR_LOG_WARN, d->looked / 1000, "%s; going on with the servers of before", err.text);
}

int xtr_dns_lookup(struct xtr_dns *d, const char *name, uint32_t id)
{
	uint8_t buf[DNS_QUERY_MAX];
	struct dns_lookup *l;

	if (d->closed || strlen(name) >= DNS_NAME_TEXT ||
	    xtr_dns_query(buf, sizeof(buf), 0, name, DNS_TYPE_A, true) < 0)
		return -EINVAL;
	if (d->waiting_count >= WAITING_MAX)
		return -ENOBUFS;
	follow_system(d);
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->id = id;
	memcpy(l->name, name, strlen(name));
	TAILQ_INSERT_TAIL(&d->waiting, l, link);
	d->waiting_count++;
	kick(d);
	return 0;
}

/* ---- configuration */

static char *copy(const char *s, bool *failed)
{
	char *c = s ? strdup(s) : NULL;

	*failed |= s && !c;
	return c;
}

static int backend_urls(struct dns_backend *b, const struct xtr_dns_config *cfg,
			struct xtr_err *err)
{
	bool failed = false;

	b->https = true;
	b->count = cfg->url_count < DNS_SERVERS_MAX ? cfg->url_count : DNS_SERVERS_MAX;
	for (unsigned i = 0; i < b->count; i++)
		b->urls[i] = copy(cfg->urls[i], &failed);
	b->http = cfg->http;
	b->http.ca_file = b->ca_file = copy(cfg->http.ca_file, &failed);
	b->http.proxy = b->proxy = copy(cfg->http.proxy, &failed);
	b->http.resolve = b->resolve = copy(cfg->http.resolve, &failed);
	if (!b->http.mark)
		b->http.mark = cfg->mark;
	if (failed)
		return xtr_fail(err, -ENOMEM, "dns: no memory");
	return b->dns->http ? 0 : xtr_http_open(b->dns->loop, &b->dns->http, err);
}

static int backend_servers(struct dns_backend *b, const struct xtr_dns_config *cfg,
			   struct xtr_err *err)
{
	struct xtr_dns_server servers[DNS_SERVERS_MAX];
	int rc;

	b->count = cfg->server_count < DNS_SERVERS_MAX ? cfg->server_count : DNS_SERVERS_MAX;
	if (b->count) {
		memcpy(servers, cfg->servers, b->count * sizeof(servers[0]));
	} else {
		if (stat(RESOLV_CONF, &b->resolv)) /* c-ares asks 127.0.0.1 then */
			memset(&b->resolv, 0, sizeof(b->resolv));
		b->system = true;
		rc = xtr_dns_system_servers(servers, DNS_SERVERS_MAX, err);
		if (rc < 0)
			return rc;
		if (!rc)
			return xtr_fail(
				err, -ENOENT,
				"dns: /etc/resolv.conf names no server: set decent.dns.servers");
		b->count = (unsigned)rc;
	}
	for (unsigned i = 0; i < b->count; i++) {
		b->chans[i].backend = b;
		rc = xtr_dns_chan_open(&b->chans[i], &servers[i], err);
		if (rc)
			return rc;
		b->handles++;
	}
	return 0;
}

int xtr_dns_reconfigure(struct xtr_dns *d, const struct xtr_dns_config *cfg, struct xtr_err *err)
{
	struct dns_backend *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return xtr_fail(err, -ENOMEM, "dns: no memory");
	b->dns = d;
	b->timeout_ms = cfg->timeout_ms ? cfg->timeout_ms : TIMEOUT_MS;
	b->mark = cfg->mark;
	LIST_INIT(&b->questions);
	LIST_INSERT_HEAD(&d->backends, b, link);
	rc = cfg->url_count ? backend_urls(b, cfg, err) : backend_servers(b, cfg, err);
	if (rc) {
		backend_close(b);
		return rc;
	}
	d->backend = b;
	kick(d); /* the old one */
	return 0;
}

/* ---- life */

static void dns_closed(uv_handle_t *handle)
{
	struct xtr_dns *d = handle->data;

	if (!--d->handles)
		free(d);
}

static void drop(struct dns_lookups *list)
{
	struct dns_lookup *l;

	while ((l = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, l, link);
		lookup_forget(l);
		free(l);
	}
}

void xtr_dns_close(struct xtr_dns *d)
{
	if (!d || d->closed)
		return;
	d->closed = true;
	drop(&d->waiting);
	drop(&d->active);
	drop(&d->ready);
	xtr_http_close(d->http);
	while (!LIST_EMPTY(&d->backends))
		backend_close(LIST_FIRST(&d->backends));
	uv_timer_stop(&d->kick);
	uv_timer_stop(&d->alarm);
	uv_close((uv_handle_t *)&d->kick, dns_closed);
	uv_close((uv_handle_t *)&d->alarm, dns_closed);
}

int xtr_dns_open(uv_loop_t *loop, const struct xtr_dns_config *cfg, xtr_dns_done *done, void *ctx,
		 struct xtr_dns **out, struct xtr_err *err)
{
	struct xtr_dns *d;
	int rc = ares_library_init(ARES_LIB_INIT_ALL);

	if (rc)
		return xtr_fail(err, -EIO, "c-ares does not start: %s", ares_strerror(rc));
	d = calloc(1, sizeof(*d));
	if (!d)
		return xtr_fail(err, -ENOMEM, "dns: no memory");
	d->loop = loop;
	d->done = done;
	d->ctx = ctx;
	TAILQ_INIT(&d->todo);
	TAILQ_INIT(&d->waiting);
	TAILQ_INIT(&d->active);
	TAILQ_INIT(&d->ready);
	LIST_INIT(&d->backends);
	/* libuv: cannot fail, and from here on the handles have to be closed. */
	uv_timer_init(loop, &d->kick);
	uv_timer_init(loop, &d->alarm);
	d->kick.data = d->alarm.data = d;
	d->handles = 2;
	rc = xtr_dns_reconfigure(d, cfg, err);
	if (rc) {
		xtr_dns_close(d);
		return rc;
	}
	*out = d;
	return 0;
}
