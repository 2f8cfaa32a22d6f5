// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl lig: ask the mapping system for an EID, as the tool of that name does (RFC 6835). The daemon asks; with
 * `to ADDRESS` and no daemon this program sends the Map-Request itself, in an ECM (RFC 9301 5.8) from a socket of
 * its own, and takes the Map-Reply that has its nonce. Owns that socket only for the run; nothing is cached.
 */
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "codec/msg.h"
#include "ctl/ctl.h"

/* As lig of RFC 6835. The last try has to come later than the 3 s in which a Map-Server answers one RLOC
 * only once for one EID-prefix (RFC 9301 5.4), or asking twice in a row would fail. */
#define LIG_TRIES       3
#define LIG_INTERVAL_MS 2000
#define LIG_TIMEOUT_MS  30000 /* the daemon's own retries end before */

/* --- plain */

static void record_plain(FILE *f, const json_t *v)
{
	const json_t *locs = json_object_get(v, "locators"), *loc;
	json_int_t ttl = xtr_json_int(v, "ttl_min");
	char name[128];
	struct xtr_line l;
	size_t i;

	xtr_line_id(&l, f, "%s", xtr_cli_row_name(v, name, sizeof(name)));
	if (json_array_size(locs))
		xtr_line_word(&l, "mapped");
	else
		xtr_line_pair(&l, "negative, action", "%s", xtr_json_str(v, "action"));
	xtr_line_pair(&l, "ttl", "%" JSON_INTEGER_FORMAT "m", ttl);
	if (xtr_json_true(v, "authoritative"))
		xtr_line_word(&l, "authoritative");
	if (xtr_json_int(v, "map_version"))
		xtr_line_json(&l, "map-version", json_object_get(v, "map_version"));
	json_array_foreach(locs, i, loc) {
		xtr_line_more(&l);
		xtr_line_pair(&l, "locator", "%s",
			      xtr_json_has(loc, "address") ? xtr_json_str(loc, "address") : "(no address)");
		xtr_line_word(&l, json_is_false(json_object_get(loc, "reachable")) ? "down" : "up");
		xtr_line_json(&l, "priority", json_object_get(loc, "priority"));
		xtr_line_json(&l, "weight", json_object_get(loc, "weight"));
	}
	xtr_line_end(&l);
}

static void plain(FILE *f, const json_t *v)
{
	double rtt = json_number_value(json_object_get(v, "rtt"));
	const json_t *rec;
	size_t i;

	fputs("answered by ", f);
	xtr_put_text(f, xtr_json_str(v, "from"));
	if (rtt >= 1)
		fprintf(f, "  rtt %.1f s", rtt);
	else if (rtt > 0)
		fprintf(f, "  rtt %.3g ms", rtt * 1000);
	else
		fputs("  rtt below 1 ms", f);
	fprintf(f, "  tries %" JSON_INTEGER_FORMAT "\n", xtr_json_int(v, "tries"));
	json_array_foreach(json_object_get(v, "records"), i, rec)
		record_plain(f, rec);
}

/* --- our own asking */

struct lig {
	int fd;
	struct xtr_eid_prefix eid;
	struct xtr_ip to, local;
	uint16_t port;           /* ours: inner source port, where the answer goes (RFC 9301 5.4) */
	uint64_t nonce;
	uint8_t buf[XTR_MSG_MAX];
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The address the kernel would send from, found by connecting a socket that sends nothing. */
static int local_address(const struct xtr_ip *to, struct xtr_ip *local)
{
	struct sockaddr_storage ss;
	socklen_t len = xtr_ip_to_sockaddr(to, XTR_PORT_CONTROL, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;
	uint16_t port;

	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&ss, len))
		rc = -errno;
	len = sizeof(ss);
	if (!rc && getsockname(fd, (struct sockaddr *)&ss, &len))
		rc = -errno;
	close(fd);
	return rc ? rc : xtr_ip_from_sockaddr((struct sockaddr *)&ss, local, &port);
}

/* Not connected: the answer comes from whoever is authoritative, not from whom we ask. */
static int lig_open(struct lig *g)
{
	struct sockaddr_storage ss;
	socklen_t len;
	uint32_t mark = 0x4c495350; /* as the daemon's control sockets: never into the overlay */
	int rc = local_address(&g->to, &g->local);
	uint16_t port;

	if (rc)
		return rc;
	len = xtr_ip_to_sockaddr(&g->local, 0, &ss);
	g->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (g->fd < 0)
		return -errno;
	/* Refused without CAP_NET_ADMIN; then the EID space must not cover the Map-Resolver. */
	(void)setsockopt(g->fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (bind(g->fd, (struct sockaddr *)&ss, len))
		return -errno;
	len = sizeof(ss);
	if (getsockname(g->fd, (struct sockaddr *)&ss, &len))
		return -errno;
	rc = xtr_ip_from_sockaddr((struct sockaddr *)&ss, &g->local, &port);
	g->port = port;
	return rc;
}

static int lig_send(struct lig *g)
{
	uint8_t inner[XTR_MSG_SAFE6], outer[XTR_MSG_SAFE6];
	struct xtr_wr w = xtr_wr_init(inner, sizeof(inner)), o = xtr_wr_init(outer, sizeof(outer));
	struct xtr_mreq_out m = { .nonce = g->nonce, .itr_rlocs = &g->local, .itr_rloc_count = 1, .eid = &g->eid };
	struct sockaddr_storage ss;
	struct xtr_ip dst = g->to;
	struct xtr_ippfx eid;
	socklen_t len;

	/* The inner destination is the EID, where its family allows (RFC 9301 5.8 has one family inside). */
	if (xtr_eid_to_ippfx(&g->eid, &eid) && eid.ip.family == g->local.family)
		dst = eid.ip;
	xtr_map_request_encode(&w, &m);
	if (w.err)
		return w.err;
	xtr_ecm_encode(&o, &g->local, g->port, &dst, XTR_PORT_CONTROL, inner, xtr_wr_len(&w));
	if (o.err)
		return o.err;
	len = xtr_ip_to_sockaddr(&g->to, XTR_PORT_CONTROL, &ss);
	return sendto(g->fd, outer, xtr_wr_len(&o), 0, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

static json_t *locator_json(const struct xtr_locator *lo)
{
	char text[4096];

	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:b, s:b}",
			 "address", xtr_addr_str(&lo->addr, text, sizeof(text)),
			 "priority", lo->priority, "weight", lo->weight,
			 "mpriority", lo->mpriority, "mweight", lo->mweight,
			 "reachable", lo->reachable, "local", lo->local);
}

static json_t *record_json(const struct xtr_record *rec)
{
	struct xtr_eid_prefix e;
	struct xtr_locator lo;
	struct xtr_rd it = { 0 };
	json_t *locs = json_array();
	char eid[256], *p = eid;
	bool usual = !xtr_eid_from_addr(&rec->eid, rec->mask_len, &e, NULL);

	if (usual) {
		xtr_eid_str(&e, eid);
		p = strchr(eid, ']') ? strchr(eid, ']') + 1 : eid;
	} else {
		xtr_addr_str(&rec->eid, eid, sizeof(eid));
	}
	while (xtr_locator_next(rec, &it, &lo))
		json_array_append_new(locs, locator_json(&lo));
	return json_pack("{s:o, s:s, s:I, s:s, s:b, s:i, s:o}",
			 "iid", usual ? json_integer(e.iid) : json_null(), "eid", p,
			 "ttl_min", (json_int_t)rec->ttl,
			 "action", xtr_action_name(rec->locator_count ? XTR_ACT_ENCAP : rec->act),
			 "authoritative", rec->authoritative, "map_version", (int)rec->map_version, "locators", locs);
}

/* NULL: not the answer to our question, and none of our business. */
static json_t *reply_json(const struct lig *g, size_t len, const struct sockaddr *from, double rtt, int tries)
{
	struct xtr_map_reply m;
	struct xtr_record rec;
	char buf[XTR_IP_STRLEN] = "?";
	json_t *recs;
	struct xtr_ip ip;
	uint16_t port;

	if (xtr_msg_type(g->buf, len) != XTR_MSG_MAP_REPLY || xtr_map_reply_decode(g->buf, len, &m) ||
	    m.nonce != g->nonce)
		return NULL;
	if (!xtr_ip_from_sockaddr(from, &ip, &port))
		xtr_ip_str(&ip, buf);
	recs = json_array();
	while (xtr_record_next(&m.records, &rec))
		json_array_append_new(recs, record_json(&rec));
	return json_pack("{s:s, s:f, s:i, s:o}", "from", buf, "rtt", rtt, "tries", tries, "records", recs);
}

/* Waits for the answer until the deadline. NULL: none. */
static json_t *lig_wait(struct lig *g, double sent, double deadline, int tries)
{
	for (;;) {
		struct sockaddr_storage from;
		socklen_t fl = sizeof(from);
		struct pollfd p = { .fd = g->fd, .events = POLLIN };
		double left = deadline - now_s();
		json_t *v;
		ssize_t n;

		if (left <= 0 || (poll(&p, 1, (int)(left * 1000) + 1) < 0 && errno != EINTR))
			return NULL;
		if (!(p.revents & POLLIN))
			continue;
		n = recvfrom(g->fd, g->buf, sizeof(g->buf), MSG_DONTWAIT, (struct sockaddr *)&from, &fl);
		if (n < 0)
			continue;
		v = reply_json(g, (size_t)n, (struct sockaddr *)&from, now_s() - sent, tries);
		if (v)
			return v;
	}
}

static int ask_ourselves(struct xtr_cli *c, const struct xtr_cli_eid *e, const struct xtr_ip *to)
{
	static struct lig g; /* a whole datagram: too big for the stack */
	char buf[XTR_IP_STRLEN];
	json_t *v = NULL;
	double sent;
	int rc;

	memset(&g, 0, sizeof(g));
	g.fd = -1;
	g.to = *to;
	g.eid = e->eid;
	g.eid.iid = e->iid;
	rc = getrandom(&g.nonce, sizeof(g.nonce), 0) == sizeof(g.nonce) ? lig_open(&g) : -EIO;
	xtr_cli_note(c, "daemon not running: asking %s directly", xtr_ip_str(to, buf));
	for (int i = 1; i <= LIG_TRIES && !rc && !v; i++) {
		rc = lig_send(&g);
		sent = now_s();
		if (!rc)
			v = lig_wait(&g, sent, sent + LIG_INTERVAL_MS / 1000.0, i);
	}
	if (g.fd >= 0)
		close(g.fd);
	if (rc)
		return xtr_cli_error(c, "asking %s: %s", buf, strerror(-rc));
	if (!v)
		return xtr_cli_error(c, "no Map-Reply came from %s or on its behalf (%d tries): is it a "
				     "Map-Resolver, and is UDP port %d open both ways?", buf, LIG_TRIES, XTR_PORT_CONTROL);
	return xtr_cli_emit(c, v, plain);
}

/* --- command */

static int do_lig(struct xtr_cli *c, struct xtr_words *w)
{
	const char *word = xtr_words_value(c, w, "lig");
	struct xtr_cli_eid e = { 0 };
	struct xtr_ip to = { 0 };
	json_t *args, *v = NULL;
	char buf[XTR_IP_STRLEN];
	struct xtr_err err = { "" };
	int rc;

	if (!word || xtr_cli_eid_parse(c, word, &e))
		return -1;
	while (xtr_words_peek(w)) {
		if (!e.iid_given && xtr_words_is(w, "instance")) {
			if (xtr_words_number(c, w, "instance", XTR_IID_MAX, &e.iid))
				return -1;
			e.iid_given = true;
		} else if (!to.family && xtr_words_is(w, "to")) {
			word = xtr_words_value(c, w, "to");
			if (!word)
				return -1;
			if (xtr_ip_parse(word, &to))
				return xtr_cli_error(c, "to: '%s' is no IP address", word);
		} else {
			return xtr_words_end(c, w);
		}
	}
	args = xtr_cli_eid_args(&e);
	if (to.family)
		json_object_set_new(args, "to", json_string(xtr_ip_str(&to, buf)));
	rc = xtr_ctl_call(c->socket, "lig", "show", args, LIG_TIMEOUT_MS, &v, &err);
	if ((rc == -ENOENT || rc == -ECONNREFUSED) && to.family)
		return ask_ourselves(c, &e, &to);
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return xtr_cli_error(c, "%s: say whom to ask, 'to ADDRESS' of a Map-Resolver", err.text);
	if (rc < 0)
		return xtr_cli_refused(c, &v, &err);
	return xtr_cli_emit(c, v, plain);
}

const struct xtr_cli_cmd xtr_cmd_lig[] = {
	{ "lig", do_lig, "EID [instance N] [to ADDRESS]",
	  "ask the mapping system, or the Map-Resolver ADDRESS; the map-cache is left alone" },
	{ NULL, NULL, NULL, NULL },
};
