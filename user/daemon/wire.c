// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What connects the node with the world: struct xtr_ops filled with sockets, data plane, files and
 * the clock, and the callbacks of the data plane filled with calls of the node. Invariant: d->dp
 * may be NULL (no data plane, or not open yet); then forwarding operations succeed and do nothing.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/state.h"
#include "util/log.h"

uint64_t xtr_daemon_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static uint64_t now_s(void)
{
	return xtr_daemon_now() / 1000;
}

/* ---- events */

static const char *const event_names[XTR_EVENT_MAX] = {
#define X(sym, name) [XTR_EVENT_##sym] = name,
	XTR_EVENTS(X)
#undef X
};

bool xtr_wire_event_kind(const char *name)
{
	for (unsigned i = 0; i < XTR_EVENT_MAX; i++)
		if (!strcmp(event_names[i], name))
			return true;
	return false;
}

/* An event with its time, RFC 3339 in UTC. */
static json_t *new_event(enum xtr_event_kind kind, const char *text)
{
	struct timespec ts;
	struct tm tm;
	char when[64];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(when + n, sizeof(when) - n, ".%03ldZ", ts.tv_nsec / 1000000);
	return json_pack("{s:s, s:s, s:s*}", "time", when, "kind", event_names[kind], "text", text);
}

/* What people have to know though no monitor runs: to the ETR a refusal is silence (RFC 9301 5.6). */
static void log_event(enum xtr_event_kind kind, const struct xtr_eid_prefix *eid, const char *text)
{
	char buf[XTR_EID_STRLEN] = "-";

	if (eid)
		xtr_eid_str(eid, buf);
	if (kind == XTR_EVENT_DNS_STALE) /* an alarm */
		xtr_log_limited(XTR_LOG_WARN, now_s(), "dns: %s", text);
	else if (kind == XTR_EVENT_KEY_DIFFERS)
		xtr_log_limited(XTR_LOG_WARN, now_s(), "push: %s", text);
	else if (kind == XTR_EVENT_PARAMS)
		xtr_info("pull: %s", text);
	else if (kind == XTR_EVENT_REGISTER_REFUSED)
		xtr_log_limited(XTR_LOG_WARN, now_s(), "Map-Register of %s refused, %s; compare keys and prefixes with map-server.sites",
				buf, text);
	else if (kind == XTR_EVENT_REGISTER_LOST)
		xtr_log_limited(XTR_LOG_WARN, now_s(), "%s is not registered: %s; see its log, it may refuse our key", buf, text);
	else if (kind == XTR_EVENT_SITE_EXPIRE)
		xtr_log_limited(XTR_LOG_INFO, now_s(), "%s is not registered any more: %s", buf, text);
}

static void op_event(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		     const char *text)
{
	struct xtr_daemon *d = ctx;
	char buf[XTR_EID_STRLEN] = "";
	json_t *e;

	log_event(kind, eid, text);
	if (xtr_log_max < XTR_LOG_DEBUG && !xtr_ctl_listened(d->ctl))
		return;
	if (eid)
		xtr_eid_str(eid, buf);
	xtr_debug("%s%s%s%s%s", event_names[kind], *buf ? " " : "", buf, text && *text ? ": " : "",
		  text ? text : "");
	if (!xtr_ctl_listened(d->ctl))
		return;
	e = new_event(kind, text);
	if (e && *buf)
		json_object_set_new(e, "eid", json_string(buf));
	xtr_ctl_event(d->ctl, e);
}

static bool op_listening(void *ctx)
{
	struct xtr_daemon *d = ctx;

	return xtr_log_max >= XTR_LOG_DEBUG || xtr_ctl_listened(d->ctl);
}

/* ---- node to world */

static int log_send(int rc, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport, size_t len)
{
	char a[XTR_IP_STRLEN], b[XTR_IP_STRLEN];

	if (rc)
		xtr_log_limited(XTR_LOG_WARN, now_s(),
				"sending %zu octets from %s to %s port %u: %s", len,
				src->family ? xtr_ip_str(src, a) : "any address",
				xtr_ip_str(dst, b), dport, strerror(-rc));
	return rc;
}

static int op_send(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		   const void *buf, size_t len)
{
	struct xtr_daemon *d = ctx;

	return log_send(xtr_udp_send(d->udp, src, dst, dport, buf, len), src, dst, dport, len);
}

static int op_answer(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		     const void *buf, size_t len, const void *note, size_t note_len)
{
	struct xtr_daemon *d = ctx;

	return log_send(xtr_udp_send_later(d->udp, src, dst, dport, buf, len, note, note_len), src, dst, dport, len);
}

static void on_unsent(void *ctx, const struct xtr_udp_unsent *m)
{
	struct xtr_daemon *d = ctx;

	log_send(m->err, &m->src, &m->dst, m->dport, m->len);
	if (d->node)
		xtr_node_unsent(d->node, m->dport, m->buf, m->len, m->note);
}

static int op_cache_put(void *ctx, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd)
{
	struct xtr_daemon *d = ctx;
	struct xtr_dp_mapping m = { .action = fwd->action,
				    .map_version = fwd->map_version,
				    .n = fwd->n };
	char text[XTR_EID_STRLEN];
	struct xtr_ippfx p;
	int rc;

	if (!xtr_eid_to_ippfx(eid, &p))
		return -EAFNOSUPPORT;
	if (!d->dp)
		return 0;
	for (unsigned i = 0; i < fwd->n; i++) {
		m.rloc[i] = fwd->locators[i].ip;
		m.weight[i] = fwd->locators[i].weight;
		m.gpe |= (uint8_t)(fwd->locators[i].gpe << i);
	}
	rc = xtr_dp_cache_put(d->dp, eid->iid, &p, &m, xtr_daemon_now());
	if (rc && rc != -E2BIG) /* that one is said, and something else may give way */
		xtr_log_limited(XTR_LOG_WARN, now_s(),
				"map-cache entry %s does not get into the kernel: %s%s",
				xtr_eid_str(eid, text), strerror(-rc),
				rc == -ENOSPC ? " (raise data-plane.rloc-entries)" :
				rc == -ENOMEM ? " (raise the memory limit of xtrd)" :
						"");
	return rc;
}

static int op_cache_del(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct xtr_daemon *d = ctx;
	struct xtr_ippfx p;

	if (!xtr_eid_to_ippfx(eid, &p))
		return -EAFNOSUPPORT;
	return d->dp ? xtr_dp_cache_del(d->dp, eid->iid, &p) : 0;
}

static void op_cache_batch(void *ctx, bool begin)
{
	struct xtr_daemon *d = ctx;

	if (d->dp && begin)
		xtr_dp_batch_begin(d->dp);
	else if (d->dp)
		xtr_dp_batch_end(d->dp);
}

static uint64_t op_cache_idle(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct xtr_daemon *d = ctx;
	struct xtr_ippfx p;

	if (!d->dp || !xtr_eid_to_ippfx(eid, &p))
		return UINT64_MAX;
	return xtr_dp_cache_idle(d->dp, eid->iid, &p, xtr_daemon_now());
}

static void op_miss_failed(void *ctx, const struct xtr_eid_prefix *eid)
{
	struct xtr_daemon *d = ctx;
	struct xtr_ippfx p;

	if (d->dp && xtr_eid_to_ippfx(eid, &p))
		xtr_dp_miss_failed(d->dp, eid->iid, &p.ip);
}

static void op_random(void *ctx, void *buf, size_t len)
{
	unsigned char *p = buf;

	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* Without randomness nonces can be guessed: nothing is better than that. */
			xtr_error("the kernel gives no random numbers: %s", strerror(errno));
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

static int op_save(void *ctx, const char *name, const void *buf, size_t len)
{
	struct xtr_daemon *d = ctx;
	int rc = xtr_state_save(d->state_dir, name, buf, len);

	if (rc)
		xtr_log_limited(XTR_LOG_ERROR, now_s(),
				"state file %s/%s: %s; what is in it is lost when xtrd stops",
				d->conf->v.state_dir, name, strerror(-rc));
	return rc;
}

static int op_aside(void *ctx, void (*work)(void *arg), void *arg)
{
	struct xtr_daemon *d = ctx;

	return xtr_aside(&d->aside, d->state_dir, work, arg);
}

static int op_load(void *ctx, const char *name, void *buf, size_t size)
{
	struct xtr_daemon *d = ctx;
	int rc = xtr_state_load(d->state_dir, name, buf, size);

	/* Too large: the role asks again with more room; nothing that it wrote itself is larger. */
	if (rc < 0 && rc != -ENOENT && rc != -EFBIG)
		xtr_warn("state file %s/%s: %s; going on without it", d->conf->v.state_dir, name,
			 strerror(-rc));
	return rc;
}

static uint64_t op_wall_seconds(void *ctx)
{
	return (uint64_t)time(NULL);
}

void xtr_wire_ops(struct xtr_daemon *d, struct xtr_ops *ops)
{
	*ops = (struct xtr_ops){
		.ctx = d,
		.send = op_send,
		.answer = op_answer,
		.cache_put = op_cache_put,
		.cache_del = op_cache_del,
		.cache_batch = op_cache_batch,
		.cache_idle = op_cache_idle,
		.miss_failed = op_miss_failed,
		.random = op_random,
		.save = op_save,
		.load = op_load,
		.aside = op_aside,
		.wall_seconds = op_wall_seconds,
		.event = op_event,
		.listening = op_listening,
	};
	xtr_decent_ops(ops);
	xtr_udp_on_unsent(d->udp, on_unsent, d);
}

/* ---- data plane to node */

static void host_eid(uint32_t iid, const struct xtr_ip *ip, struct xtr_eid_prefix *out)
{
	struct xtr_ippfx p = { *ip, (uint8_t)xtr_ip_bits(ip) };

	xtr_eid_from_ippfx(iid, &p, out);
}

static bool on_miss(void *ctx, uint32_t iid, const struct xtr_ip *dst, const struct xtr_ip *src,
		    unsigned how)
{
	struct xtr_daemon *d = ctx;
	struct xtr_eid_prefix to, from;

	host_eid(iid, dst, &to);
	if (src && src->family)
		host_eid(iid, src, &from);
	return (how & XTR_DP_MISS_AGAIN ? xtr_node_miss_again : xtr_node_miss)(
		d->node, &to, src && src->family ? &from : NULL, xtr_daemon_now());
}

static void on_drop(void *ctx, enum xtr_drop_reason reason, uint32_t ifindex, uint32_t iid,
		    const struct xtr_ip *src, const struct xtr_ip *dst)
{
	struct xtr_daemon *d = ctx;
	char a[XTR_IP_STRLEN] = "", b[XTR_IP_STRLEN] = "", name[IF_NAMESIZE] = "", text[512];
	json_t *e;

	if (!xtr_ctl_listened(d->ctl))
		return;
	if (src && src->family)
		xtr_ip_str(src, a);
	if (dst && dst->family)
		xtr_ip_str(dst, b);
	if (!if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "#%u", ifindex);
	snprintf(text, sizeof(text), "%s: %s -> %s instance %u on %s: %s", xtr_drop_name(reason),
		 *a ? a : "?", *b ? b : "?", iid, name, xtr_drop_text(reason));
	e = new_event(XTR_EVENT_DROP, text);
	if (!e)
		return;
	json_object_set_new(e, "reason", json_string(xtr_drop_name(reason)));
	json_object_set_new(e, "iid", json_integer(iid));
	json_object_set_new(e, "source", *a ? json_string(a) : json_null());
	json_object_set_new(e, "destination", *b ? json_string(b) : json_null());
	json_object_set_new(e, "interface", json_string(name));
	xtr_ctl_event(d->ctl, e);
}

static void on_rlocs_up(void *ctx, const struct xtr_ip *up, unsigned n)
{
	struct xtr_daemon *d = ctx;

	xtr_node_rlocs_up(d->node, up, n, xtr_daemon_now());
}

/* What the members of a seed-group send each other as data packets. */
static void on_control(void *ctx, const struct xtr_ip *via, const struct xtr_ip *src,
		       const struct xtr_ip *dst, uint16_t sport, const uint8_t *buf, size_t len)
{
	struct xtr_daemon *d = ctx;
	struct xtr_msg_meta meta = { .src = *src,
				     .dst = *dst,
				     .sport = sport,
				     .dport = XTR_PORT_CONTROL,
				     .overlay = true };

	xtr_node_input(d->node, &meta, buf, len, xtr_daemon_now());
}

static void on_adopt(void *ctx, uint32_t iid, const struct xtr_ippfx *eid,
		     const struct xtr_dp_mapping *m)
{
	struct xtr_daemon *d = ctx;
	struct xtr_fwd fwd = { .action = m->action, .map_version = m->map_version, .n = m->n };
	struct xtr_eid_prefix e;

	for (unsigned j = 0; j < fwd.n; j++) {
		fwd.locators[j].ip = m->rloc[j];
		fwd.locators[j].weight = m->weight[j];
	}
	xtr_eid_from_ippfx(iid, eid, &e);
	xtr_node_adopt(d->node, &e, &fwd, xtr_daemon_now());
}

void xtr_wire_adopt(struct xtr_daemon *d)
{
	int rc = xtr_node_restore(d->node, xtr_daemon_now());
	uint64_t began = xtr_daemon_now();
	size_t n = d->dp ? xtr_dp_cache_each(d->dp, on_adopt, d) : 0;

	if (rc)
		xtr_warn("state file %s/itr-static: %s; static map-cache entries are missing, add them again", d->conf->v.state_dir,
			 rc == -ENOSPC	? "not all find a place (raise limits.cache-entries)" :
			 rc == -EBADMSG ? "damaged, or of another version of xtrd" :
					  strerror(-rc));
	if (n)
		xtr_info("took over %zu map-cache entries from the kernel; %llu ms since start", n,
			 (unsigned long long)(xtr_daemon_now() - d->started));
	xtr_debug("telling the roles of them took %llu ms", (unsigned long long)(xtr_daemon_now() - began));
}

static void on_refused(void *ctx, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_daemon *d = ctx;
	struct xtr_eid_prefix e;

	xtr_eid_from_ippfx(iid, eid, &e);
	xtr_node_refused(d->node, &e, xtr_daemon_now());
}

static int on_evict(void *ctx, uint32_t iid, const struct xtr_ippfx *eid)
{
	struct xtr_daemon *d = ctx;
	struct xtr_eid_prefix e;

	xtr_eid_from_ippfx(iid, eid, &e);
	return xtr_node_evict(d->node, &e, xtr_daemon_now());
}

void xtr_wire_callbacks(struct xtr_daemon *d, struct xtr_dp_callbacks *cb)
{
	*cb = (struct xtr_dp_callbacks){ .ctx = d,
					 .miss = on_miss,
					 .drop = on_drop,
					 .rlocs_up = on_rlocs_up,
					 .control = on_control,
					 .refused = on_refused,
					 .evict = on_evict };
}

/* ---- the xTR-ID */

/* 128 random bits made once: two routers of a site must not have the same (RFC 9301 5.6). */
void xtr_wire_xtr_id(struct xtr_daemon *d, struct xtr_conf *c)
{
	static const uint8_t none[16];

	if (c->v.xtr_id.automatic) {
		if (!memcmp(d->xtr_id, none, 16) && op_load(d, "xtr-id", d->xtr_id, 16) != 16) {
			op_random(d, d->xtr_id, 16);
			op_save(d, "xtr-id", d->xtr_id, 16);
		}
		memcpy(c->node.xtr_id, d->xtr_id, 16);
	}
}
