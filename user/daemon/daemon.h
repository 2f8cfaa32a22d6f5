/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The daemon: the only place where the two columns of the house meet. The node (core, roles) knows
 * no sockets and no BPF; sockets, data plane, control socket and files know nothing of roles.
 *
 *   daemon.c  life: start, loop, reload, stop      wire.c  xtr_ops, data plane callbacks, events
 *   show.c    objects of the control socket        main.c  the command line
 *   decent.c  DNS and groups of LISP-Decent        params_fetch.c  its parameters from a URL
 *   group_name.c  addresses of its groups from DNS   pressure.c  tables that fill up
 */
#ifndef XTR_DAEMON_DAEMON_H
#define XTR_DAEMON_DAEMON_H

#include <uv.h>

#include "ctl/server.h"
#include "daemon/aside.h"
#include "daemon/config.h"
#include "net/udp.h"
#include "roles/node.h"

struct xtr_lig_call;
struct xtr_pressure;
struct xtr_daemon_decent;
struct xtr_params_source;
struct xtr_group_names;

struct xtr_daemon {
	/* set by the caller */
	const char *config_path;
	bool no_data_plane, debug;
	/* owned */
	struct xtr_conf *conf;
	struct xtr_node *node;
	struct xtr_dp *dp;                 /* NULL: none */
	struct xtr_udp *udp;
	struct xtr_ctl_server *ctl;
	struct xtr_lig_call *ligs;
	struct xtr_pressure *pressure;     /* pressure.c */
	struct xtr_daemon_decent *decent;
	struct xtr_params_source *params;  /* NULL: not open */
	struct xtr_group_names *group_names; /* NULL: not open */
	int state_dir;
	uint8_t xtr_id[16];
	uint64_t started;                  /* ms */
	uint64_t batch_at;                 /* ms, when the messages in hand were received */
	uv_loop_t loop;
	bool loop_open;
	uv_poll_t udp_poll[2], event_poll, netlink_poll, slow_poll;
	uv_timer_t timer, watchdog;
	uv_prepare_t prepare;
	uv_signal_t signals[4];
	struct xtr_aside aside;            /* what saves registrations */
};

/* The clock of everything here: CLOCK_MONOTONIC in milliseconds. */
uint64_t xtr_daemon_now(void);

/* Reads the configuration, opens everything, gives up privileges. Errors are logged. 0 or -errno;
 * after an error stop has to be called too. */
int xtr_daemon_start(struct xtr_daemon *d);
/* Until SIGTERM or SIGINT. */
void xtr_daemon_run(struct xtr_daemon *d);
/* Saves and closes; the data plane goes on by itself. */
void xtr_daemon_stop(struct xtr_daemon *d);
/* Reads the file again and applies the difference. On error nothing has changed, and the errors are
 * logged and put into *errors_text (malloc'ed, may be NULL to get none). changed: array the
 * differences are added to, may be NULL. */
int xtr_daemon_reload(struct xtr_daemon *d, json_t *changed, char **errors_text);

/* wire.c */
void xtr_wire_ops(struct xtr_daemon *d, struct xtr_ops *ops);
void xtr_wire_callbacks(struct xtr_daemon *d, struct xtr_dp_callbacks *cb);
/* Static entries, and what is found in the kernel, go to the node: when the data plane is open, so that the node can remove some. */
void xtr_wire_adopt(struct xtr_daemon *d);
void xtr_wire_xtr_id(struct xtr_daemon *d, struct xtr_conf *c);
bool xtr_wire_event_kind(const char *name);

/* decent.c: open before the node, data_plane when that is open too, start when the loop is about to
 * run, end before the loop is closed, free after it. */
int xtr_decent_open(struct xtr_daemon *d, struct xtr_err *err);
void xtr_decent_ops(struct xtr_ops *ops);
void xtr_decent_data_plane(struct xtr_daemon *d);
int xtr_decent_start(struct xtr_daemon *d);
void xtr_decent_end(struct xtr_daemon *d);
void xtr_decent_close(struct xtr_daemon *d);
/* Reload: prepare before the node gets the new configuration (0 or -errno; then nothing changed),
 * settle after it with the one that is in use then. */
int xtr_decent_prepare(struct xtr_daemon *d, struct xtr_conf *new, struct xtr_err *err);
void xtr_decent_settle(struct xtr_daemon *d, const struct xtr_conf *conf);
/* Joins and leaves groups, as the configuration in use says now. */
void xtr_decent_join(struct xtr_daemon *d);

/* params_fetch.c. use: puts the parameters that are known into a configuration that has pull. */
int xtr_params_source_open(struct xtr_daemon *d, struct xtr_err *err);
int xtr_params_source_use(struct xtr_daemon *d, struct xtr_conf *c, struct xtr_err *err);
/* Begins, goes on or stops fetching, as this configuration says. */
void xtr_params_source_settle(struct xtr_daemon *d, const struct xtr_conf *c);
void xtr_params_source_end(struct xtr_daemon *d);
void xtr_params_source_free(struct xtr_daemon *d);
struct xtr_params_info {
	uint64_t age_ms, next_ms; /* since the last good look; to the next; UINT64_MAX: none */
	unsigned failures;        /* in a row */
	bool saved;               /* in use, but not confirmed since start */
	bool used;                /* else those of the configuration file are */
	uint64_t serial;
	const char *problem;      /* NULL, or for people */
};
void xtr_params_source_info(const struct xtr_daemon *d, struct xtr_params_info *out);

/* show_decent.c: commands of object decent; false: there is no such command. */
bool xtr_show_decent(struct xtr_daemon *d, struct xtr_ctl_request *req, const char *command);

/* pressure.c: looks once a second how full the tables are; what passes 80 or 95 percent is logged. */
void xtr_pressure_check(struct xtr_daemon *d, uint64_t now);
/* The sizes of the configuration against each other and the memory there is; problems are logged. */
void xtr_pressure_start(struct xtr_daemon *d);
void xtr_pressure_free(struct xtr_daemon *d);

/* show.c: the handler of the control socket. */
void xtr_show_request(void *ctx, struct xtr_ctl_request *req, const char *object,
		      const char *command, json_t *args);
/* Answers the lig requests that are still open, with an error. */
void xtr_show_end(struct xtr_daemon *d);

#endif
