// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Both ends of the control socket over a real one: the server runs in a thread of its own, tests
 * talk to it by the client library and, to be rude, by plain sockets.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/server.h"

static char dir[64], path[128];
static struct {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	struct xtr_ctl_server *server;
	struct xtr_ctl_request *held[8]; unsigned held_count;
	int listening;               /* last report */
	bool running;
} s;

/* echo: args back; hold: answered by release; fail: an error; flood: many large events; listen:
 * monitor; half: a cut result. */
static void on_request(void *ctx, struct xtr_ctl_request *req, const char *object,
		       const char *command, json_t *args)
{
	if (!strcmp(object, "monitor")) {
		xtr_ctl_listen(req, json_object_get(args, "kinds"));
	} else if (!strcmp(command, "echo")) {
		xtr_ctl_reply(req, json_incref(args));
	} else if (!strcmp(command, "hold")) {
		s.held[s.held_count++] = req;
	} else if (!strcmp(command, "release")) {
		for (unsigned i = 0; i < s.held_count; i++)
			xtr_ctl_reply(s.held[i], json_integer(i));
		s.held_count = 0;
		xtr_ctl_reply(req, json_string("released"));
	} else if (!strcmp(command, "flood")) {
		char *text = malloc(100001);

		memset(text, 'x', 100000);
		text[100000] = '\0';
		for (int i = 0; i < 60; i++)
			xtr_ctl_event(s.server,
				      json_pack("{s:s, s:s}", "kind", "big", "text", text));
		free(text);
		xtr_ctl_reply(req, json_null());
	} else if (!strcmp(command, "event")) {
		xtr_ctl_event(s.server, json_pack("{s:s, s:O}", "kind",
						  json_string_value(json_object_get(args, "kind")),
						  "args", args));
		xtr_ctl_reply(req, json_boolean(xtr_ctl_listened(s.server)));
	} else if (!strcmp(command, "large")) {
		json_t *a = json_array();

		for (int i = 0; i < 200000; i++)
			json_array_append_new(a, json_integer(i));
		xtr_ctl_reply_cut(req, a, true);
	} else if (!strcmp(command, "listening")) {
		xtr_ctl_reply(req, json_integer(s.listening));
	} else {
		xtr_ctl_error(req, "no command %s of %s", command, object);
	}
}

static void on_listening(void *ctx, bool on)
{
	s.listening = on;
}

static void on_stop(uv_async_t *a)
{
	uv_stop(&s.loop);
}

static void *serve(void *arg)
{
	uv_run(&s.loop, UV_RUN_DEFAULT);
	return NULL;
}

static void start(void)
{
	struct xtr_ctl_handlers h = { .request = on_request, .listening = on_listening };
	struct xtr_err err = { "" };

	signal(SIGPIPE, SIG_IGN);
	strcpy(dir, "/tmp/xtr-ctl-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run/ctl.sock", dir);
	cr_assert_eq(uv_loop_init(&s.loop), 0);
	cr_assert_eq(uv_async_init(&s.loop, &s.stop, on_stop), 0);
	cr_assert_eq(xtr_ctl_server_open(&s.loop, path, &h, &s.server, &err), 0, "%s", err.text);
	cr_assert_eq(pthread_create(&s.thread, NULL, serve, NULL), 0);
	s.running = true;
}

static void halt(void)
{
	if (!s.running)
		return;
	uv_async_send(&s.stop);
	pthread_join(s.thread, NULL);
	s.running = false;
}

static void stop(void)
{
	char name[160];

	halt();
	for (unsigned i = 0; i < s.held_count; i++)
		xtr_ctl_error(s.held[i], "stopped");
	xtr_ctl_server_close(s.server);
	uv_close((uv_handle_t *)&s.stop, NULL);
	uv_run(&s.loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&s.loop), 0, "a handle was left open");
	cr_assert_neq(access(path, F_OK), 0, "the socket stays behind");
	snprintf(name, sizeof(name), "%s.lock", path);
	unlink(name);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	cr_assert_eq(rmdir(dir), 0);
}

TestSuite(ctl, .init = start, .fini = stop, .timeout = 60);

static int dial(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(sa.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	cr_assert_eq(send(fd, text, len, MSG_NOSIGNAL), (ssize_t)len);
}

/* One line without its end; "" when the server has closed. */
static const char *hear(int fd)
{
	static char line[4096];
	size_t n = 0;

	while (n < sizeof(line) - 1) {
		ssize_t got = recv(fd, line + n, 1, 0);

		if (got <= 0 || line[n] == '\n')
			break;
		n++;
	}
	line[n] = '\0';
	return line;
}

/* The socket is closed; what was still on its way is skipped. */
static bool closed(int fd)
{
	char buf[65536];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

static json_t *call(const char *command, json_t *args)
{
	struct xtr_err err = { "" };
	json_t *result;

	int rc = xtr_ctl_call(path, "test", command, args, 5000, &result, &err);

	cr_assert_eq(rc, 0, "%s: %d %s", command, rc, err.text);
	return result;
}

Test(ctl, asked_and_answered)
{
	json_t *r = call("echo",
			 json_pack("{s:i, s:s}", "n", 7, "text", "with \n a newline and \xc3\xa9"));

	cr_assert_eq(json_integer_value(json_object_get(r, "n")), 7);
	cr_assert_str_eq(json_string_value(json_object_get(r, "text")),
			 "with \n a newline and \xc3\xa9");
	json_decref(r);
	r = call("echo", NULL);
	cr_assert(json_is_object(r) && !json_object_size(r), "no args are empty args");
	json_decref(r);
}

Test(ctl, an_error_reaches_the_client_as_text)
{
	struct xtr_err err;
	json_t *r;

	cr_assert_eq(xtr_ctl_call(path, "thing", "nonsense", NULL, 5000, &r, &err), -EREMOTEIO);
	cr_assert_str_eq(err.text, "no command nonsense of thing");
	cr_assert_str_eq(json_string_value(r), "no command nonsense of thing");
	json_decref(r);
}

/* Two hundred mistakes of a configuration are one error; a name in it may be anything. */
Test(ctl, an_error_is_as_long_as_it_is)
{
	static char name[20001];
	struct xtr_err err;
	const char *text;
	json_t *r;

	memset(name, 'x', sizeof(name) - 1);
	for (size_t i = 1; i < sizeof(name) - 2; i += 2)
		memcpy(name + i, "\xc3\xa9", 2);
	cr_assert_eq(xtr_ctl_call(path, "thing", name, NULL, 5000, &r, &err), -EREMOTEIO);
	text = json_string_value(r);
	cr_assert(!strncmp(text, "no command x\xc3\xa9", 14) && strlen(text) == strlen("no command  of thing") + 20000);
	json_decref(r);
}

Test(ctl, what_is_not_utf8_does_not_take_the_rest_with_it)
{
	char text[] = "a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xff \xc3 \xe2\x82 \xed\xa0\x80 \xc0\xaf \xf0\x9f";

	cr_assert_str_eq(xtr_utf8_mend(text), "a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 ? ? ?? ??? ?? ??");
}

Test(ctl, nobody_there)
{
	struct xtr_err err;
	json_t *r;

	cr_assert_eq(xtr_ctl_call("/tmp/xtr-no-such-socket", "a", "b", NULL, 100, &r, &err),
		     -ENOENT);
}

Test(ctl, a_large_answer)
{
	int fd = dial();
	struct xtr_err err = { "" };
	json_t *r;

	/* 1: the answer was cut. */
	cr_assert_eq(xtr_ctl_call(path, "test", "large", NULL, 5000, &r, &err), 1, "%s", err.text);
	cr_assert_eq(json_array_size(r), 200000);
	json_decref(r);
	say(fd, "{\"object\":\"x\",\"command\":\"large\"}\n");
	for (char last[24] = "", c; recv(fd, &c, 1, 0) == 1;) {
		memmove(last, last + 1, sizeof(last) - 2);
		last[sizeof(last) - 2] = c;
		if (c == '\n') {
			cr_assert_str_eq(last + sizeof(last) - 1 - strlen(",\"truncated\":true}\n"),
					 ",\"truncated\":true}\n");
			break;
		}
	}
	close(fd);
}

Test(ctl, an_answer_that_comes_later)
{
	int a = dial(), b = dial();
	json_t *r;

	say(a, "{\"object\":\"x\",\"command\":\"hold\"}\n");
	say(b, "{\"object\":\"x\",\"command\":\"echo\",\"args\":{}}\n");
	cr_assert_str_eq(hear(b), "{\"result\":{}}", "one client does not wait for another");
	r = call("release", NULL);
	cr_assert_str_eq(json_string_value(r), "released");
	json_decref(r);
	cr_assert_str_eq(hear(a), "{\"result\":0}");
	close(a);
	close(b);
}

Test(ctl, a_client_that_left_before_its_answer)
{
	int fd = dial();
	json_t *r;

	say(fd, "{\"object\":\"x\",\"command\":\"hold\"}\n");
	/* Then the server has read the first too: it serves in the order of arrival. */
	r = call("echo", NULL);
	json_decref(r);
	close(fd);
	usleep(50000);
	json_decref(call("release", NULL));
	json_decref(call("echo", NULL));
}

Test(ctl, a_client_that_left_and_is_still_held_at_the_end)
{
	int fd = dial();

	say(fd, "{\"object\":\"x\",\"command\":\"hold\"}\n");
	json_decref(call("echo", NULL));
	close(fd);
	/* stop() answers it */
}

Test(ctl, requests_of_one_client_in_order)
{
	int fd = dial();
	char text[8192] = "", line[96], want[64];

	for (int i = 0; i < 50; i++) {
		snprintf(line, sizeof(line),
			 "{\"object\":\"x\",\"command\":\"echo\",\"args\":{\"n\":%d}}\n", i);
		strcat(text, line);
	}
	say(fd, text);
	for (int i = 0; i < 50; i++) {
		snprintf(want, sizeof(want), "{\"result\":{\"n\":%d}}", i);
		cr_assert_str_eq(hear(fd), want);
	}
	close(fd);
}

Test(ctl, a_client_that_closes_its_sending_side_gets_its_answer)
{
	int fd = dial();

	say(fd, "{\"object\":\"x\",\"command\":\"hold\"}\n");
	shutdown(fd, SHUT_WR);
	json_decref(call("release", NULL));
	cr_assert_str_eq(hear(fd), "{\"result\":0}");
	cr_assert(closed(fd));
	close(fd);
}

Test(ctl, a_request_in_pieces)
{
	static const char text[] = "{\"object\":\"x\",\"command\":\"echo\",\"args\":{\"n\":1}}\n";
	int fd = dial();

	for (const char *c = text; *c; c++)
		cr_assert_eq(send(fd, c, 1, MSG_NOSIGNAL), 1);
	cr_assert_str_eq(hear(fd), "{\"result\":{\"n\":1}}");
	close(fd);
}

Test(ctl, what_is_not_a_request)
{
	static const char *const bad[][2] = {
		{ "hello\n", "{\"error\":\"the request is not JSON: " },
		{ "\n", "{\"error\":\"the request is not JSON: " },
		{ "{\"object\":\"x\",\"object\":\"y\",\"command\":\"echo\"}\n",
		  "{\"error\":\"the request is not JSON: duplicate object key" },
		{ "[1]\n", "{\"error\":\"the request is not {" },
		{ "{}\n", "{\"error\":\"the request is not {" },
		{ "{\"object\":1,\"command\":\"echo\"}\n", "{\"error\":\"the request is not {" },
		{ "{\"object\":\"x\",\"command\":\"echo\",\"args\":[]}\n",
		  "{\"error\":\"the request is not {" },
		{ "{\"object\":\"\xff\",\"command\":\"echo\"}\n",
		  "{\"error\":\"the request is not JSON: " },
	};
	int fd = dial();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *got;

		say(fd, bad[i][0]);
		got = hear(fd);
		cr_expect(!strncmp(got, bad[i][1], strlen(bad[i][1])), "%s gave %s", bad[i][0],
			  got);
	}
	say(fd, "{\"object\":\"x\",\"command\":\"echo\"}\n");
	cr_assert_str_eq(hear(fd), "{\"result\":{}}", "the connection is still good");
	close(fd);
}

Test(ctl, a_request_without_end)
{
	int fd = dial();
	char block[4096];

	memset(block, 'a', sizeof(block));
	for (int i = 0; i < 64 && send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0; i++)
		;
	cr_assert_str_eq(hear(fd), "{\"error\":\"the request is longer than 65536 octets\"}");
	cr_assert(closed(fd));
	close(fd);
	json_decref(call("echo", NULL));
}

Test(ctl, more_requests_than_fit_wait_their_turn)
{
	/* While the first is held, the server reads its buffer full and stops; nothing is lost or
	 * mixed up afterwards. */
	enum { N = 4000 };
	static const char one[] = "{\"object\":\"x\",\"command\":\"echo\",\"args\":{}}\n";
	int fd = dial(), sent = 0, status;
	pid_t pid;

	say(fd, "{\"object\":\"x\",\"command\":\"hold\"}\n");
	pid = fork();
	if (!pid) {
		for (; sent < N && send(fd, one, sizeof(one) - 1, MSG_NOSIGNAL) == sizeof(one) - 1;
		     sent++)
			;
		_exit(sent != N);
	}
	usleep(100000);
	json_decref(call("release", NULL));
	cr_assert_str_eq(hear(fd), "{\"result\":0}");
	for (int i = 0; i < N; i++)
		cr_assert_str_eq(hear(fd), "{\"result\":{}}", "answer %d", i);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	close(fd);
}

/* ---- monitors */

Test(ctl, a_monitor_hears_what_it_asked_for)
{
	int all = dial(), some = dial();
	json_t *r;

	say(all, "{\"object\":\"monitor\",\"command\":\"show\"}\n");
	cr_assert_str_eq(hear(all), "{\"result\":\"listening\"}");
	say(some,
	    "{\"object\":\"monitor\",\"command\":\"show\",\"args\":{\"kinds\":[\"b\",\"c\"]}}\n");
	cr_assert_str_eq(hear(some), "{\"result\":\"listening\"}");
	json_decref(call("event", json_pack("{s:s}", "kind", "a")));
	r = call("event", json_pack("{s:s}", "kind", "b"));
	cr_assert(json_is_true(r));
	json_decref(r);
	cr_assert_str_eq(hear(all), "{\"event\":{\"kind\":\"a\",\"args\":{\"kind\":\"a\"}}}");
	cr_assert_str_eq(hear(all), "{\"event\":{\"kind\":\"b\",\"args\":{\"kind\":\"b\"}}}");
	cr_assert_str_eq(hear(some), "{\"event\":{\"kind\":\"b\",\"args\":{\"kind\":\"b\"}}}");
	say(all, "whatever it says now is not a request\n");
	json_decref(call("event", json_pack("{s:s}", "kind", "c")));
	cr_assert_str_eq(hear(all), "{\"event\":{\"kind\":\"c\",\"args\":{\"kind\":\"c\"}}}");
	close(all);
	close(some);
}

Test(ctl, listening_is_reported_from_the_first_to_the_last_monitor)
{
	int a = dial(), b = dial();
	json_t *r;

	for (int i = 0; i < 2; i++) {
		say(i ? b : a, "{\"object\":\"monitor\",\"command\":\"show\"}\n");
		hear(i ? b : a);
	}
	r = call("listening", NULL);
	cr_assert_eq(json_integer_value(r), 1);
	json_decref(r);
	close(a);
	usleep(50000);
	r = call("listening", NULL);
	cr_assert_eq(json_integer_value(r), 1, "one is still there");
	json_decref(r);
	close(b);
	usleep(50000);
	r = call("listening", NULL);
	cr_assert_eq(json_integer_value(r), 0);
	json_decref(r);
}

Test(ctl, a_monitor_that_does_not_read_is_cut_off)
{
	int lazy = dial();

	say(lazy, "{\"object\":\"monitor\",\"command\":\"show\"}\n");
	cr_assert_str_eq(hear(lazy), "{\"result\":\"listening\"}");
	json_decref(call("flood", NULL)); /* 6 MB */
	cr_assert(closed(lazy));
	close(lazy);
	json_decref(call("echo", NULL));
}

struct watch { int events; };

static int on_event(void *arg, const json_t *event)
{
	struct watch *w = arg;

	cr_assert_str_eq(json_string_value(json_object_get(event, "kind")), "a");
	return ++w->events == 3 ? 42 : 0;
}

static void *cause_events(void *arg)
{
	for (int i = 0; i < 100 && s.running; i++) {
		struct xtr_err err;
		json_t *r;

		if (!xtr_ctl_call(path, "test", "event", json_pack("{s:s}", "kind", "a"), 1000, &r,
				  &err))
			json_decref(r);
		usleep(10000);
	}
	return NULL;
}

Test(ctl, the_client_library_monitors)
{
	struct watch w = { 0 };
	struct xtr_err err = { "" };
	pthread_t t;

	cr_assert_eq(pthread_create(&t, NULL, cause_events, NULL), 0);
	cr_assert_eq(xtr_ctl_monitor(path, NULL, on_event, &w, &err), 42, "%s", err.text);
	cr_assert_eq(w.events, 3);
	pthread_join(t, NULL);
}

/* ---- bounds of clients */

Test(ctl, the_longest_silent_client_makes_room)
{
	int fds[XTR_CTL_CLIENTS_MAX];

	for (int i = 0; i < XTR_CTL_CLIENTS_MAX; i++) {
		fds[i] = dial();
		say(fds[i], "{\"object\":\"x\",\"command\":\"echo\"}\n");
		cr_assert_str_eq(hear(fds[i]), "{\"result\":{}}");
	}
	say(fds[0], "{\"object\":\"x\",\"command\":\"echo\"}\n"); /* not silent any more */
	cr_assert_str_eq(hear(fds[0]), "{\"result\":{}}");
	json_decref(call("echo", NULL));
	cr_assert(closed(fds[1]), "the one that was silent for longest");
	say(fds[0], "{\"object\":\"x\",\"command\":\"echo\"}\n");
	cr_assert_str_eq(hear(fds[0]), "{\"result\":{}}");
	for (int i = 0; i < XTR_CTL_CLIENTS_MAX; i++)
		close(fds[i]);
}

Test(ctl, no_more_than_64_busy_clients)
{
	int fds[XTR_CTL_CLIENTS_MAX], one_more;

	for (int i = 0; i < XTR_CTL_CLIENTS_MAX; i++) {
		fds[i] = dial();
		say(fds[i], "{\"object\":\"monitor\",\"command\":\"show\"}\n");
		cr_assert_str_eq(hear(fds[i]), "{\"result\":\"listening\"}");
	}
	one_more = dial();
	cr_assert(closed(one_more));
	close(one_more);
	close(fds[0]);
	usleep(50000);
	json_decref(call("echo", NULL));
	for (int i = 1; i < XTR_CTL_CLIENTS_MAX; i++)
		close(fds[i]);
}

/* ---- the file */

Test(ctl, only_the_owner_can_connect)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	cr_assert_eq(st.st_mode & 07777, 0600);
}

static int open_second(const char *where, struct xtr_err *err)
{
	struct xtr_ctl_handlers h = { .request = on_request };
	struct xtr_ctl_server *second;
	uv_loop_t loop;
	int rc;

	uv_loop_init(&loop);
	rc = xtr_ctl_server_open(&loop, where, &h, &second, err);
	if (!rc)
		xtr_ctl_server_close(second);
	uv_run(&loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(&loop), 0);
	return rc;
}

Test(ctl, a_second_daemon_is_refused)
{
	struct xtr_err err;
	char lock[160];

	cr_assert_eq(open_second(path, &err), -EADDRINUSE);
	cr_assert_not_null(strstr(err.text, "another daemon holds"), "%s", err.text);
	/* Also when somebody took the lock file away. */
	snprintf(lock, sizeof(lock), "%s.lock", path);
	cr_assert_eq(unlink(lock), 0);
	cr_assert_eq(open_second(path, &err), -EADDRINUSE);
	cr_assert_not_null(strstr(err.text, "another daemon answers"), "%s", err.text);
	json_decref(call("echo", NULL));
}

Test(ctl, a_dead_socket_is_replaced)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char lock[192];
	struct xtr_err err = { "" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/dead.sock", dir);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	cr_assert_eq(open_second(sa.sun_path, &err), 0, "%s", err.text);
	snprintf(lock, sizeof(lock), "%s.lock", sa.sun_path);
	unlink(lock);
}

Test(ctl, a_file_that_is_no_socket_is_left_alone)
{
	char name[128], lock[160];
	struct xtr_err err;
	FILE *f;

	snprintf(name, sizeof(name), "%s/precious", dir);
	f = fopen(name, "w");
	fputs("data", f);
	fclose(f);
	cr_assert_eq(open_second(name, &err), -EEXIST);
	cr_assert_eq(access(name, F_OK), 0);
	unlink(name);
	snprintf(lock, sizeof(lock), "%s.lock", name);
	unlink(lock);
}

Test(ctl, a_path_that_is_too_long)
{
	struct xtr_err err;
	char name[300];

	memset(name, 'a', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	cr_assert_eq(open_second(name, &err), -ENAMETOOLONG);
}
