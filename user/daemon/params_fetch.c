// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Parameters of Decent-Pull from a URL: fetched now and then, proved, compared, put to use like a
 * reload, and kept in the state directory for a start without network. Owner of the HTTP client and
 * of the parameters in use; the node only ever sees parameters of one complete file.
 *
 * The kept copy is the file with its proof in front, so it is proved again when it is read: with
 * another key or another URL in the configuration it is not used any more.
 */
#include "daemon/daemon.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/params.h"
#include "daemon/state.h"
#include "net/http.h"
#include "util/log.h"

#define STATE_NAME "decent-fetched"
#define RETRY_MIN  10000 /* ms; doubling up to the interval */
#define BLOB_MAX   (XTR_PARAMS_SIZE_MAX + XTR_PARAMS_SIG_MAX + 512)

struct xtr_params_source {
	struct xtr_daemon *d;
	struct xtr_http *http;
	uv_timer_t timer;
	bool timer_open;
	struct xtr_params *used, *next; /* next: while a configuration with them is tried */
	char *blob;                     /* of used: "<url> <signature or ->\n<file>" */
	size_t blob_len;
	/* one look */
	char *body;                     /* the file, while its signature is fetched */
	size_t body_len;
	char etag[128], new_etag[128];
	bool busy, confirmed;
	unsigned failures;
	uint64_t good_at, next_at;      /* 0: never */
	char problem[600];
	char from[1024];                /* what settle() saw last: url, key and digest */
};

static void fetch(struct xtr_params_source *s);

/* ---- the kept copy */

static int prove(const struct xtr_conf_params *c, const char *blob, size_t len, struct xtr_params **out,
		 struct xtr_err *err)
{
	const char *nl = memchr(blob, '\n', len), *sp = nl ? memchr(blob, ' ', (size_t)(nl - blob)) : NULL;
	size_t rest = nl ? len - (size_t)(nl + 1 - blob) : 0;
	int rc;

	*out = NULL;
	if (!sp)
		return xtr_fail(err, -EINVAL, "it is damaged");
	if (strlen(c->url) != (size_t)(sp - blob) || memcmp(c->url, blob, strlen(c->url)))
		return xtr_fail(err, -ESTALE, "it is from another URL");
	rc = xtr_params_verify(nl + 1, rest, c->public_key, sp + 1, (size_t)(nl - sp - 1), c->sha256, err);
	return rc ? rc : xtr_params_parse(nl + 1, rest, out, err);
}

static char *make_blob(const struct xtr_conf_params *c, const char *sig, size_t sig_len, const char *text,
		       size_t len, size_t *blob_len)
{
	size_t url = strlen(c->url);
	char *blob = malloc(url + sig_len + len + 3), *p = blob;

	if (!blob)
		return NULL;
	p = mempcpy(p, c->url, url);
	*p++ = ' ';
	for (size_t i = 0; i < sig_len; i++)
		if (!isspace((unsigned char)sig[i]))
			*p++ = sig[i];
	if (p[-1] == ' ')
		*p++ = '-';
	*p++ = '\n';
	p = mempcpy(p, text, len);
	*blob_len = (size_t)(p - blob);
	return blob;
}

static void load_kept(struct xtr_params_source *s)
{
	char *buf = malloc(BLOB_MAX);
	int n = buf ? xtr_state_load(s->d->state_dir, STATE_NAME, buf, BLOB_MAX) : -ENOMEM;

	if (n > 0) {
		s->blob = buf;
		s->blob_len = (size_t)n;
		return;
	}
	free(buf);
	if (n < 0 && n != -ENOENT)
		xtr_warn("state file %s/%s: %s; going on without it", s->d->conf->v.state_dir, STATE_NAME,
			 strerror(-n));
}

/* ---- use */

static struct xtr_pull_config *merge(const struct xtr_params *p, const struct xtr_pull_config *base,
				     struct xtr_arena *arena)
{
	struct xtr_pull_config *to = xtr_arena_alloc(arena, sizeof(*to));

	if (to) {
		*to = *base;
		to->hash = p->hash;
		to->suffix = p->suffix;
	}
	return to;
}

int xtr_params_source_use(struct xtr_daemon *d, struct xtr_conf *c, struct xtr_err *err)
{
	struct xtr_params_source *s = d->params;
	const struct xtr_conf_params *cp = &c->v.decent.parameters;
	struct xtr_err why;

	xtr_params_free(s->next);
	s->next = NULL;
	if (!c->pull || !cp->at)
		return 0;
	if (!s->blob)
		load_kept(s);
	if (!s->blob)
		return 0;
	if (prove(cp, s->blob, s->blob_len, &s->next, &why)) {
		xtr_warn("parameters kept from earlier are not used: %s; those of the configuration are", why.text);
		return 0;
	}
	c->node.decent.pull = merge(s->next, c->pull, &c->arena);
	return c->node.decent.pull ? 0 : xtr_fail(err, -ENOMEM, "no memory");
}

static void describe(const struct xtr_params *p, char *buf, size_t size)
{
	snprintf(buf, size, "serial %llu: modulus %u, suffix %s, profile %s, %u lookup-lengths",
		 (unsigned long long)p->serial, p->hash.modulus, p->suffix,
		 xtr_decent_profile_name(p->hash.profile), p->hash.lookup_count);
}

/* Like a reload, of this alone. p is taken. */
static int put_to_use(struct xtr_params_source *s, struct xtr_params *p, struct xtr_err *err)
{
	struct xtr_daemon *d = s->d;
	const struct xtr_pull_config *old = d->conf->node.decent.pull;
	struct xtr_pull_config *new = merge(p, d->conf->pull, &p->arena);
	char text[512];
	int rc = new ? 0 : -ENOMEM;

	if (!rc) {
		d->conf->node.decent.pull = new;
		rc = xtr_node_reconfigure(d->node, &d->conf->node, xtr_daemon_now());
	}
	if (rc) {
		d->conf->node.decent.pull = old;
		/* The roles may use parts of the new one already. */
		if (new && xtr_node_reconfigure(d->node, &d->conf->node, xtr_daemon_now()))
			xtr_error("nor do the roles take the old parameters again; restart xtrd"); /* p stays */
		else
			xtr_params_free(p);
		return xtr_fail(err, rc, "the roles do not take them: %s", strerror(-rc));
	}
	xtr_params_free(s->used);
	s->used = p;
	describe(p, text, sizeof(text));
	xtr_info("parameters from %s in use, %s", d->conf->v.decent.parameters.url, text);
	return 0;
}

/* ---- one look */

static uint64_t jitter(uint64_t ms)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = UINT32_MAX / 2;
	return ms - ms / 10 + ms / 5 * (r >> 16) / 65536; /* 0.9 to 1.1 */
}

static void on_timer(uv_timer_t *t)
{
	fetch(t->data);
}

static void again_in(struct xtr_params_source *s, uint64_t ms)
{
	ms = jitter(ms);
	s->next_at = xtr_daemon_now() + ms;
	uv_update_time(&s->d->loop);
	uv_timer_start(&s->timer, on_timer, ms, 0);
}

static void end_look(struct xtr_params_source *s, const char *problem)
{
	uint64_t interval = s->d->conf->v.decent.parameters.interval, wait = RETRY_MIN;

	free(s->body);
	s->body = NULL;
	s->busy = false;
	if (!problem) {
		s->problem[0] = '\0';
		s->failures = 0;
		s->confirmed = true;
		s->good_at = xtr_daemon_now();
		again_in(s, interval);
		return;
	}
	for (unsigned i = 0; i < s->failures && wait < interval; i++)
		wait *= 2;
	s->failures++;
	if (strcmp(problem, s->problem))
		xtr_warn("parameters from %s: %s; %s", s->d->conf->v.decent.parameters.url, problem,
			 s->used ? "those of before stay in use" : "those of the configuration are used");
	snprintf(s->problem, sizeof(s->problem), "%s", problem);
	again_in(s, wait < interval ? wait : interval);
}

/* File and proof are here. */
static void judge(struct xtr_params_source *s, const char *sig, size_t sig_len)
{
	const struct xtr_conf_params *c = &s->d->conf->v.decent.parameters;
	struct xtr_params *p = NULL;
	struct xtr_err err;
	size_t len = 0;
	char *blob = NULL;
	int rc = xtr_params_verify(s->body, s->body_len, c->public_key, sig, sig_len, c->sha256, &err);

	if (!rc)
		rc = xtr_params_parse(s->body, s->body_len, &p, &err);
	/* With sha256 the configuration itself says which one it is. */
	if (!rc && !c->sha256)
		rc = xtr_params_follows(s->used, p, &err);
	if (!rc && s->used && !memcmp(s->used->digest, p->digest, sizeof(p->digest))) {
		xtr_params_free(p);
		memcpy(s->etag, s->new_etag, sizeof(s->etag));
		end_look(s, NULL);
		return;
	}
	if (!rc) {
		blob = make_blob(c, sig, sig_len, s->body, s->body_len, &len);
		rc = blob ? put_to_use(s, p, &err) : xtr_fail(&err, -ENOMEM, "no memory");
		p = blob ? NULL : p;
	}
	if (rc) {
		free(blob);
		xtr_params_free(p);
		end_look(s, err.text);
		return;
	}
	free(s->blob);
	s->blob = blob;
	s->blob_len = len;
	memcpy(s->etag, s->new_etag, sizeof(s->etag));
	rc = xtr_state_save(s->d->state_dir, STATE_NAME, blob, len);
	if (rc)
		xtr_error("state file %s/%s: %s; the parameters are lost when xtrd stops",
			  s->d->conf->v.state_dir, STATE_NAME, strerror(-rc));
	end_look(s, NULL);
}

static int get(struct xtr_params_source *s, const char *url, const char *etag, size_t max, xtr_http_done *done)
{
	const struct xtr_conf *conf = s->d->conf;
	const struct xtr_conf_params *c = &conf->v.decent.parameters;
	struct xtr_http_options o = { .ca_file = c->ca_file,
				      .proxy = c->proxy,
				      .timeout_ms = c->timeout,
				      .mark = conf->data_plane ? conf->v.dp.mark : 0 };
	struct xtr_http_request q = { .url = url, .etag = etag, .max = max };

	return xtr_http_send(s->http, &o, &q, done, s);
}

/* Text of what went wrong, or NULL. */
static const char *failure(const struct xtr_http_result *r, const char *what, char *buf, size_t size)
{
	if (r->status)
		snprintf(buf, size, "%s: %s", what, *r->why ? r->why : strerror(-r->status));
	else if (r->code != 200)
		snprintf(buf, size, "%s: the server answered %ld", what, r->code);
	else
		return NULL;
	return buf;
}

static void on_signature(void *arg, const struct xtr_http_result *r)
{
	struct xtr_params_source *s = arg;
	char text[400];

	if (failure(r, "its signature", text, sizeof(text)))
		end_look(s, text);
	else
		judge(s, (const char *)r->body, r->len);
}

static void on_file(void *arg, const struct xtr_http_result *r)
{
	struct xtr_params_source *s = arg;
	const struct xtr_conf_params *c = &s->d->conf->v.decent.parameters;
	char text[400], url[300];
	int rc;

	if (!r->status && r->code == 304 && s->used) {
		end_look(s, NULL);
		return;
	}
	if (failure(r, "the file", text, sizeof(text))) {
		end_look(s, text);
		return;
	}
	s->body = malloc(r->len + 1);
	if (!s->body) {
		end_look(s, "no memory");
		return;
	}
	memcpy(s->body, r->body, r->len);
	s->body_len = r->len;
	memcpy(s->new_etag, r->etag, sizeof(s->new_etag));
	if (c->sha256) {
		judge(s, "", 0);
		return;
	}
	snprintf(url, sizeof(url), "%s.sig", c->url);
	rc = get(s, url, NULL, XTR_PARAMS_SIG_MAX, on_signature);
	if (rc)
		end_look(s, strerror(-rc));
}

static void fetch(struct xtr_params_source *s)
{
	int rc;

	s->busy = true;
	s->next_at = 0;
	rc = get(s, s->d->conf->v.decent.parameters.url, s->used && *s->etag ? s->etag : NULL,
		 XTR_PARAMS_SIZE_MAX, on_file);
	if (rc)
		end_look(s, strerror(-rc));
}

/* ---- life */

int xtr_params_source_open(struct xtr_daemon *d, struct xtr_err *err)
{
	d->params = calloc(1, sizeof(*d->params));
	if (!d->params)
		return xtr_fail(err, -ENOMEM, "no memory");
	d->params->d = d;
	return 0;
}

/* What is under way is given up. */
static void stop(struct xtr_params_source *s)
{
	if (s->http)
		xtr_http_close(s->http);
	s->http = NULL;
	if (s->timer_open)
		uv_timer_stop(&s->timer);
	free(s->body);
	s->body = NULL;
	s->busy = s->confirmed = false;
	s->etag[0] = s->problem[0] = s->from[0] = '\0';
	s->failures = 0;
	s->good_at = s->next_at = 0;
}

void xtr_params_source_settle(struct xtr_daemon *d, const struct xtr_conf *c)
{
	struct xtr_params_source *s = d->params;
	const struct xtr_conf_params *p = &c->v.decent.parameters;
	char from[sizeof(s->from)];
	struct xtr_err err;

	/* What use() prepared is used now, unless that configuration was not taken. */
	if (s->next && c->node.decent.pull && c->node.decent.pull->suffix == s->next->suffix) {
		xtr_params_free(s->used);
		s->used = s->next;
	} else {
		bool used = s->used && c->node.decent.pull &&
			    c->node.decent.pull->suffix == s->used->suffix;

		xtr_params_free(s->next);
		if (!used) {
			xtr_params_free(s->used);
			s->used = NULL;
		}
	}
	s->next = NULL;
	if (!c->pull || !p->at) {
		stop(s);
		return;
	}
	if (!s->timer_open) {
		uv_timer_init(&d->loop, &s->timer);
		s->timer.data = s;
		s->timer_open = true;
	}
	snprintf(from, sizeof(from), "%s %s %s", p->url, p->sha256 ? p->sha256 : "",
		 p->public_key ? p->public_key : "");
	if (strcmp(from, s->from)) {
		stop(s);
		memcpy(s->from, from, sizeof(from));
	}
	if (!s->http && xtr_http_open(&d->loop, &s->http, &err)) {
		snprintf(s->problem, sizeof(s->problem), "%s", err.text);
		xtr_error("parameters: %s", err.text);
		return;
	}
	/* With another interval the next look may be too far off. */
	if (!s->busy)
		uv_timer_start(&s->timer, on_timer, 0, 0);
}

void xtr_params_source_end(struct xtr_daemon *d)
{
	if (d->params)
		stop(d->params);
}

void xtr_params_source_free(struct xtr_daemon *d)
{
	struct xtr_params_source *s = d->params;

	if (!s)
		return;
	xtr_params_free(s->used);
	xtr_params_free(s->next);
	free(s->blob);
	free(s->body);
	free(s);
	d->params = NULL;
}

void xtr_params_source_info(const struct xtr_daemon *d, struct xtr_params_info *out)
{
	const struct xtr_params_source *s = d->params;
	uint64_t now = xtr_daemon_now();

	*out = (struct xtr_params_info){
		.age_ms = s->good_at ? now - s->good_at : UINT64_MAX,
		.next_ms = s->busy ? 0 : s->next_at > now ? s->next_at - now : s->next_at ? 0 : UINT64_MAX,
		.failures = s->failures,
		.saved = s->used && !s->confirmed,
		.used = s->used,
		.serial = s->used ? s->used->serial : 0,
		.problem = *s->problem ? s->problem : NULL,
	};
}
