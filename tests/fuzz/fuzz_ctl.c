// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any octets as what a client writes into the control socket, in pieces: every complete line is
 * answered once, in order, and nothing is left when the client goes. The first octet of the input
 * says how long the pieces are. Requests "hold" are answered only when the client is gone.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/server.h"

static uv_loop_t loop;
static struct xtr_ctl_server *server;
static struct xtr_ctl_request *held;
static char path[64];

static void on_request(void *ctx, struct xtr_ctl_request *req, const char *object,
		       const char *command, json_t *args)
{
	if (!json_is_object(args))
		abort();
	if (!strcmp(command, "hold") && !held)
		held = req;
	else if (!strcmp(command, "listen"))
		xtr_ctl_listen(req, json_object_get(args, "kinds"));
	else if (!strcmp(command, "error"))
		xtr_ctl_error(req, "%s", object);
	else
		xtr_ctl_reply(req, json_incref(args));
}

static void clean(void)
{
	char lock[80];

	unlink(path);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	unlink(lock);
}

static void setup(void)
{
	struct xtr_ctl_handlers h = { .request = on_request };
	struct xtr_err err;

	signal(SIGPIPE, SIG_IGN); /* as xtrd does */
	snprintf(path, sizeof(path), "/tmp/xtr-fuzz-ctl-%d", getpid());
	if (uv_loop_init(&loop) || xtr_ctl_server_open(&loop, path, &h, &server, &err))
		abort();
	atexit(clean);
}

static void turn(void)
{
	for (int i = 0; i < 3; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t piece = size ? data[0] % 64 + 1 : 1, at = 1;
	char answers[4096];
	int fd;

	if (!server)
		setup();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		abort();
	while (at < size) {
		size_t n = size - at < piece ? size - at : piece;

		if (send(fd, data + at, n, MSG_NOSIGNAL) != (ssize_t)n)
			break;
		at += n;
		turn();
		xtr_ctl_event(server, json_pack("{s:s}", "kind", "miss"));
		/* A client that reads, or it is cut off and nothing more happens. */
		while (recv(fd, answers, sizeof(answers), 0) > 0)
			;
	}
	close(fd);
	turn();
	if (held)
		xtr_ctl_error(held, "gone");
	held = NULL;
	turn();
	if (xtr_ctl_listened(server))
		abort(); /* the client is not forgotten */
	return 0;
}
