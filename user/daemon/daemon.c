// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Life of the daemon. Start opens things in the order in which they need each other and stop closes
 * them in the reverse one, also after a start that failed half-way. One thread, one loop; every
 * callback does a bounded amount of work and comes back. All timers of the node and of the data
 * plane hang on one libuv timer, set again before each sleep.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "daemon/priv.h"
#include "daemon/state.h"
#include "util/log.h"
#include "version.h"

#define SLEEP_MAX 60000

/* ---- configuration */

struct collected {
	char *text;
};

static void log_line(void *ctx, const char *line)
{
	struct collected *c = ctx;
	char *both;

	xtr_error("%s", line);
	if (asprintf(&both, "%s%s%s", c->text ? c->text : "", c->text ? "\n" : "", line) < 0)
		return;
	free(c->text);
	c->text = both;
}

/* old NULL: at start. */
static int load(struct xtr_daemon *d, const struct xtr_conf *old, struct xtr_conf **out,
		char **errors_text)
{
	struct xtr_yaml_errors errors = { 0 };
	struct collected all = { NULL };
	int rc = xtr_conf_load(d->config_path, &errors, out);

	if (!rc) {
		if (d->no_data_plane)
			(*out)->data_plane = false;
		rc = old ? xtr_conf_check_reload(old, *out, &errors) : 0;
		if (rc) {
			xtr_conf_free(*out);
			*out = NULL;
		}
	}
	if (rc == -ENOMEM)
		xtr_error("%s: no memory for the configuration", d->config_path);
	xtr_yaml_errors_each(&errors, d->config_path, log_line, &all);
	xtr_yaml_errors_free(&errors);
	if (errors_text)
		*errors_text = all.text;
	else
		free(all.text);
	return rc;
}

static void apply_log_level(const struct xtr_daemon *d)
{
	xtr_log_max = d->debug ? XTR_LOG_DEBUG : (enum xtr_log_level)d->conf->v.log_level;
}

static void status(const struct xtr_daemon *d, const char *ready)
{
	const struct xtr_node_config *n = &d->conf->node;

	xtr_notify("%sSTATUS=roles:%s%s%s%s; %s", ready, n->itr ? " itr" : "", n->etr ? " etr" : "",
		   n->ms ? " map-server" : "", n->mr ? " map-resolver" : "",
		   d->dp ? "forwarding" : "no data plane");
}

static void add_change(void *ctx, const char *line)
{
	xtr_info("changed: %s", line);
	if (ctx)
		json_array_append_new(ctx, json_string(line));
}

/* The data plane goes back by itself when it does not take the new one. *in_use: new has to stay
 * although it failed. */
static int apply(struct xtr_daemon *d, struct xtr_conf *new, uint64_t now, bool *in_use,
		 struct xtr_err *err)
{
	int rc = xtr_decent_prepare(d, new, err);
	struct xtr_err back;

	if (!rc && d->dp)
		rc = xtr_dp_reconfigure(d->dp, &new->dp, err);
	if (rc) {
		xtr_decent_settle(d, d->conf);
		return rc;
	}
	rc = xtr_node_reconfigure(d->node, &new->node, now);
	if (rc) {
		xtr_fail(err, rc, "the roles do not take it: %s", strerror(-rc));
		if (d->dp && xtr_dp_reconfigure(d->dp, &d->conf->dp, &back))
			xtr_error("back to the old configuration of the data plane: %s", back.text);
		/* The roles may use parts of the new one already. */
		if (xtr_node_reconfigure(d->node, &d->conf->node, now)) {
			xtr_error("nor the old one again; restart xtrd");
			*in_use = true;
		}
	}
	xtr_decent_settle(d, rc && !*in_use ? d->conf : new);
	/* Watching drops is not part of a configuration. */
	if (d->dp && xtr_ctl_listened(d->ctl))
		xtr_dp_set_trace(d->dp, true);
	return rc;
}

int xtr_daemon_reload(struct xtr_daemon *d, json_t *changed, char **errors_text)
{
	struct xtr_conf *new, *old = d->conf;
	uint64_t now = xtr_daemon_now();
	bool in_use = false;
	struct xtr_err err;
	int rc;

	xtr_notify("RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now * 1000);
	rc = load(d, old, &new, errors_text);
	if (!rc) {
		xtr_wire_xtr_id(d, new);
		rc = apply(d, new, now, &in_use, &err);
		if (rc) {
			xtr_error("%s: the new configuration does not work: %s", d->config_path,
				  err.text);
			if (errors_text &&
			    asprintf(errors_text, "%s: %s", d->config_path, err.text) < 0)
				*errors_text = NULL;
			if (!in_use)
				xtr_conf_free(new);
		}
	}
	if (rc) {
		xtr_warn("the configuration stays as it was");
	} else {
		d->conf = new;
		xtr_schema_diff(&xtr_conf_schema, &old->v, &new->v, add_change, changed);
		xtr_conf_free(old);
		apply_log_level(d);
		xtr_info("configuration %s read again", d->config_path);
	}
	status(d, "READY=1\n");
	return rc;
}

/* ---- loop */

static void on_packet(void *ctx, const struct xtr_udp_packet *p)
{
	struct xtr_daemon *d = ctx;
	struct xtr_msg_meta meta = {
		.src = p->src, .dst = p->dst, .sport = p->sport, .dport = XTR_PORT_CONTROL
	};

	xtr_node_input(d->node, &meta, p->buf, p->len, d->batch_at);
}

/* One time for all of them: they came at the same time. */
static void on_batch(void *ctx, const struct xtr_udp_packet *p, unsigned n)
{
	struct xtr_node_next next[XTR_UDP_TURN];
	struct xtr_daemon *d = ctx;

	d->batch_at = xtr_daemon_now();
	for (unsigned i = 0; i < n; i++)
		next[i] = (struct xtr_node_next){ p[i].buf, p[i].len };
	if (n > 1)
		xtr_node_ahead(d->node, next, n);
}

static void on_udp(uv_poll_t *h, int poll_status, int events)
{
	struct xtr_daemon *d = h->data;
	int fd;

	/* The answers to what has come leave together, before anything else is done. */
	xtr_udp_hold(d->udp);
	if (!uv_fileno((uv_handle_t *)h, &fd))
		xtr_udp_recv(d->udp, fd, on_packet, d);
	xtr_udp_flush(d->udp);
}

static void on_dp_event(uv_poll_t *h, int poll_status, int events)
{
	struct xtr_daemon *d = h->data;

	xtr_dp_events(d->dp, xtr_daemon_now());
}

static void on_netlink(uv_poll_t *h, int poll_status, int events)
{
	struct xtr_daemon *d = h->data;

	xtr_dp_netlink(d->dp, xtr_daemon_now());
}

static void on_slow(uv_poll_t *h, int poll_status, int events)
{
	struct xtr_daemon *d = h->data;

	xtr_dp_slow(d->dp, xtr_daemon_now());
}

static void on_timer(uv_timer_t *t)
{
	/* The work is done before the next sleep. */
}

/* Before each sleep: what is due is done, and the timer is set to what is due next. */
static void before_sleep(uv_prepare_t *p)
{
	struct xtr_daemon *d = p->data;
	uint64_t now = xtr_daemon_now(), next, dp_next, wait;

	xtr_udp_hold(d->udp);
	next = xtr_node_tick(d->node, now);
	xtr_udp_flush(d->udp);
	dp_next = d->dp ? xtr_dp_tick(d->dp, now) : UINT64_MAX;
	if (dp_next < next)
		next = dp_next;
	xtr_pressure_check(d, now);
	now = xtr_daemon_now();
	wait = next <= now ? 0 : next - now;
	uv_update_time(&d->loop);
	uv_timer_start(&d->timer, on_timer, wait < SLEEP_MAX ? wait : SLEEP_MAX, 0);
}

static void on_watchdog(uv_timer_t *t)
{
	xtr_notify("WATCHDOG=1");
}

static void on_signal(uv_signal_t *h, int signum)
{
	struct xtr_daemon *d = h->data;

	if (signum == SIGHUP) {
		xtr_daemon_reload(d, NULL, NULL);
	} else if (signum == SIGCHLD) {
		xtr_aside_reap(&d->aside);
	} else {
		xtr_info("signal %s: stopping%s", signum == SIGTERM ? "TERM" : "INT",
			 d->dp ? "; what is in the kernel goes on forwarding" : "");
		uv_stop(&d->loop);
	}
}

static void on_listening(void *ctx, bool on)
{
	struct xtr_daemon *d = ctx;

	if (d->dp && xtr_dp_set_trace(d->dp, on))
		xtr_warn("drops of the data plane can not be %s", on ? "watched" : "unwatched");
}

static int start_poll(struct xtr_daemon *d, uv_poll_t *h, int fd, uv_poll_cb cb)
{
	int rc = uv_poll_init(&d->loop, h, fd);

	if (!rc) {
		h->data = d;
		rc = uv_poll_start(h, UV_READABLE, cb);
	}
	if (rc)
		xtr_error("event loop: %s", uv_strerror(rc));
	return rc;
}

static int start_loop(struct xtr_daemon *d)
{
	static const int signums[4] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	uint64_t watchdog = xtr_notify_watchdog_ms();
	int fds[2], rc = 0;
	unsigned n = xtr_udp_fds(d->udp, fds);

	xtr_udp_on_batch(d->udp, on_batch, d);
	for (unsigned i = 0; !rc && i < n; i++)
		rc = start_poll(d, &d->udp_poll[i], fds[i], on_udp);
	if (!rc && d->dp)
		rc = start_poll(d, &d->event_poll, xtr_dp_event_fd(d->dp), on_dp_event);
	if (!rc && d->dp)
		rc = start_poll(d, &d->netlink_poll, xtr_dp_netlink_fd(d->dp), on_netlink);
	if (!rc && d->dp)
		rc = start_poll(d, &d->slow_poll, xtr_dp_slow_fd(d->dp), on_slow);
	if (rc)
		return rc;
	uv_timer_init(&d->loop, &d->timer);
	uv_prepare_init(&d->loop, &d->prepare);
	d->prepare.data = d;
	uv_prepare_start(&d->prepare, before_sleep);
	uv_timer_init(&d->loop, &d->watchdog);
	if (watchdog)
		uv_timer_start(&d->watchdog, on_watchdog, watchdog, watchdog);
	for (unsigned i = 0; i < 4; i++) {
		uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		rc = uv_signal_start(&d->signals[i], on_signal, signums[i]);
		if (rc) {
			xtr_error("signals: %s", uv_strerror(rc));
			return rc;
		}
	}
	return 0;
}

/* ---- start and stop */

static int open_control_socket(struct xtr_daemon *d, struct xtr_err *err)
{
	struct xtr_ctl_handlers h = { .ctx = d,
				      .request = xtr_show_request,
				      .listening = on_listening };

	return xtr_ctl_server_open(&d->loop, d->conf->v.control_socket, &h, &d->ctl, err);
}

static int open_node(struct xtr_daemon *d, struct xtr_err *err)
{
	struct xtr_ops ops;
	int rc;

	xtr_wire_ops(d, &ops);
	xtr_wire_xtr_id(d, d->conf);
	rc = xtr_node_new(&d->conf->node, &ops, d->started, &d->node);
	return rc ? xtr_fail(err, rc, "the roles do not start: %s", strerror(-rc)) : 0;
}

static int open_data_plane(struct xtr_daemon *d, struct xtr_err *err)
{
	struct xtr_dp_callbacks cb;
	int rc;

	if (!d->conf->data_plane) {
		xtr_wire_adopt(d);
		return 0;
	}
	xtr_wire_callbacks(d, &cb);
	rc = xtr_dp_open(&d->conf->dp, &cb, &d->dp, err);
	if (rc)
		return rc;
	xtr_wire_adopt(d);
	xtr_decent_data_plane(d);
	return rc;
}

/* Is it there, and somebody else's? */
static bool foreign(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && st.st_uid != geteuid();
}

/* A reload and every repair open pins by path: a user who cannot pass the folder above them could do neither. */
static int check_reach(const struct xtr_conf_values *v, struct xtr_err *err)
{
	struct stat st;

	if (!v->user || stat(v->bpffs, &st) || st.st_mode & S_IXOTH)
		return 0;
	return xtr_fail(err, -EACCES,
			"user: %s cannot reach the pins, %s has mode %04o; run: chmod o+x %s, or leave out `user`",
			v->user, v->bpffs, (unsigned)(st.st_mode & 07777), v->bpffs);
}

/* What is written after start has to belong to the user xtrd becomes; also to root, when it was
 * another user's before: without CAP_DAC_OVERRIDE root is a user like others. Of the folder of the
 * control socket only what is ours. */
static int give_files(struct xtr_daemon *d, struct xtr_err *err)
{
	const struct xtr_conf_values *v = &d->conf->v;
	const char *user = v->user ? v->user : "root";
	bool all = v->user;
	char lock[256];
	int rc = 0;

	if (!all && geteuid())
		return 0;
	snprintf(lock, sizeof(lock), "%s.lock", v->control_socket);
	if (all || foreign(v->state_dir))
		rc = xtr_priv_give_folder(user, v->state_dir, err);
	if (!rc && (all || foreign(v->control_socket)))
		rc = xtr_priv_give(user, v->control_socket, err);
	if (!rc && (all || foreign(lock)))
		rc = xtr_priv_give(user, lock, err);
	return rc;
}

static int give_pins(struct xtr_daemon *d, struct xtr_err *err)
{
	const struct xtr_conf_values *v = &d->conf->v;
	char pins[4096];

	snprintf(pins, sizeof(pins), "%s/xtr", v->bpffs);
	if (!d->dp || !(v->user || (!geteuid() && foreign(pins))))
		return 0;
	return xtr_priv_give(v->user ? v->user : "root", pins, err);
}

/* A reload reads it again, as the user. */
static void check_file(const struct xtr_daemon *d)
{
	struct xtr_err why;

	if (d->conf->v.user && xtr_priv_reach(d->conf->v.user, d->config_path, &why))
		xtr_warn("a reload will fail: %s", why.text);
}

int xtr_daemon_start(struct xtr_daemon *d)
{
	struct xtr_err err = { "" };
	int rc;

	d->state_dir = -1;
	d->started = xtr_daemon_now();
	rc = load(d, NULL, &d->conf, NULL);
	if (rc)
		return rc;
	apply_log_level(d);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	rc = uv_loop_init(&d->loop);
	if (rc)
		return rc;
	d->loop_open = true;
	rc = open_control_socket(d, &err);
	if (!rc) {
		rc = d->state_dir = xtr_state_open(d->conf->v.state_dir, &err);
		rc = rc < 0 ? rc : 0;
	}
	if (!rc)
		rc = xtr_udp_open(XTR_PORT_CONTROL, d->conf->v.dp.mark, &d->udp, &err);
	if (!rc)
		rc = xtr_decent_open(d, &err);
	if (!rc)
		rc = open_node(d, &err);
	if (!rc && d->conf->data_plane)
		rc = check_reach(&d->conf->v, &err);
	if (!rc)
		rc = give_files(d, &err); /* a refusal comes before the kernel is touched */
	if (!rc)
		rc = open_data_plane(d, &err);
	if (!rc)
		rc = give_pins(d, &err);
	if (!rc)
		rc = xtr_priv_drop(d->conf->v.user, d->dp, xtr_conf_has_namespaces(d->conf), &err);
	if (rc) {
		xtr_error("%s", err.text);
	} else {
		check_file(d);
		xtr_pressure_start(d);
		rc = start_loop(d);
		if (!rc)
			rc = xtr_decent_start(d);
	}
	if (rc && d->dp)
		xtr_dp_undo(d->dp);
	return rc;
}

void xtr_daemon_run(struct xtr_daemon *d)
{
	xtr_info("xtrd " XTR_VERSION " is running%s", d->dp ? "" : " without a data plane");
	status(d, "READY=1\n");
	uv_run(&d->loop, UV_RUN_DEFAULT);
	xtr_notify("STOPPING=1");
}

static void close_handle(uv_handle_t *h, void *arg)
{
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void xtr_daemon_stop(struct xtr_daemon *d)
{
	xtr_aside_end(&d->aside); /* what it writes is old by now */
	/* First the node: it saves, and its last events still find their monitors. */
	if (d->node)
		xtr_node_free(d->node);
	d->node = NULL;
	if (d->loop_open) {
		xtr_show_end(d);
		if (d->ctl)
			xtr_ctl_server_close(d->ctl);
		d->ctl = NULL;
		xtr_decent_end(d);
		uv_walk(&d->loop, close_handle, NULL);
		uv_run(&d->loop, UV_RUN_DEFAULT);
		uv_loop_close(&d->loop);
		d->loop_open = false;
	}
	xtr_decent_close(d);
	if (d->dp)
		xtr_dp_close(d->dp);
	d->dp = NULL;
	xtr_udp_close(d->udp);
	d->udp = NULL;
	if (d->state_dir >= 0 && d->conf)
		close(d->state_dir);
	d->state_dir = -1;
	xtr_pressure_free(d);
	xtr_conf_free(d->conf);
	d->conf = NULL;
}
