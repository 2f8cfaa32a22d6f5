// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Laboratory of the xtrctl tests (cli_lab.h). The server is a real Unix socket, so the client's framing is tested too: it
 * sends answers in two pieces.
 */
#include "unit/cli_lab.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the daemon's side */

static const char *answer_for(const struct xtr_lab *lab, const char *request)
{
	json_t *q = json_loads(request, 0, NULL);
	const char *o = json_string_value(json_object_get(q, "object")), *c = json_string_value(json_object_get(q, "command"));
	const char *reply = "{\"error\":\"the test has no answer for that\"}";

	for (const struct xtr_fake_answer *a = lab->answers; o && c && a->object; a++)
		if (!strcmp(a->object, o) && !strcmp(a->command, c))
			reply = a->reply;
	json_decref(q);
	return reply;
}

static void answer(struct xtr_lab *lab, int fd)
{
	char buf[sizeof(lab->request)] = "";
	size_t len = 0, half;
	const char *reply;
	ssize_t n;

	while (len < sizeof(buf) - 1 && !memchr(buf, '\n', len) && (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	if (!strstr(buf, "\"version\""))
		memcpy(lab->request, buf, sizeof(buf));
	reply = answer_for(lab, buf);
	half = strlen(reply) / 2;
	if (write(fd, reply, half) == (ssize_t)half) {
		usleep(2000);
		(void)!write(fd, reply + half, strlen(reply + half));
		(void)!write(fd, "\n", 1);
	}
}

static void *serve(void *arg)
{
	struct xtr_lab *lab = arg;
	int fd;

	while ((fd = accept(lab->fd, NULL, NULL)) >= 0) {
		answer(lab, fd);
		close(fd);
	}
	return NULL;
}

void xtr_lab_open(struct xtr_lab *lab, const struct xtr_fake_answer *answers)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	pthread_t t;

	memset(lab, 0, sizeof(*lab));
	lab->fd = -1;
	lab->answers = answers;
	signal(SIGPIPE, SIG_IGN);
	strcpy(lab->dir, "/tmp/xtr-cli-test.XXXXXX");
	if (!mkdtemp(lab->dir))
		abort();
	snprintf(lab->socket, sizeof(lab->socket), "%s/sock", lab->dir);
	if (!answers)
		return;
	strcpy(sa.sun_path, lab->socket);
	lab->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (lab->fd < 0 || bind(lab->fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(lab->fd, 8) ||
	    pthread_create(&t, NULL, serve, lab))
		abort();
	lab->thread = (unsigned long)t;
}

void xtr_lab_close(struct xtr_lab *lab)
{
	if (lab->fd >= 0) {
		shutdown(lab->fd, SHUT_RDWR); /* ends accept() */
		pthread_join((pthread_t)lab->thread, NULL);
		close(lab->fd);
		unlink(lab->socket);
	}
	rmdir(lab->dir);
}

/* --- the program */

/* BUILD/xtrctl, seen from BUILD/tests/unit/test_cli. */
static const char *program(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);

	if (n < 0)
		abort();
	path[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	return strcat(path, "/xtrctl");
}

static void child(const char *const argv[], int in, int out, int err)
{
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	execv(program(), (char *const *)argv);
	_exit(126);
}

static void collect(int fds[2], struct xtr_ran *ran)
{
	struct { char *p; size_t len, size; } s[2] = { { ran->out, 0, sizeof(ran->out) }, { ran->err, 0, sizeof(ran->err) } };
	int open_fds = 2;

	while (open_fds) {
		struct pollfd p[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLIN, 0 } };

		if (poll(p, 2, 20000) <= 0)
			break;
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (fds[i] < 0 || !p[i].revents)
				continue;
			n = read(fds[i], s[i].p + s[i].len, s[i].size - 1 - s[i].len);
			if (n > 0) {
				s[i].len += (size_t)n;
				continue;
			}
			close(fds[i]);
			fds[i] = -1;
			open_fds--;
		}
	}
	ran->out[s[0].len] = ran->err[s[1].len] = '\0';
}

static void run(const char *const argv[], const char *input, const char *file, struct xtr_ran *ran)
{
	int out[2], err[2], in = open("/dev/null", O_RDONLY | O_CLOEXEC), from[2], status;
	int feed[2] = { -1, -1 };
	pid_t pid;

	memset(ran, 0, sizeof(*ran));
	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || (input && pipe2(feed, O_CLOEXEC)))
		abort();
	if (input) { /* short enough for the pipe */
		(void)!write(feed[1], input, strlen(input));
		close(feed[1]);
	}
	if (file) {
		close(out[1]);
		out[1] = open(file, O_WRONLY | O_CLOEXEC);
	}
	pid = fork();
	if (pid == 0)
		child(argv, input ? feed[0] : in, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	close(in);
	if (input)
		close(feed[0]);
	from[0] = out[0];
	from[1] = err[0];
	collect(from, ran);
	for (int i = 0; i < 2; i++)
		if (from[i] >= 0)
			close(from[i]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	ran->status = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

void xtr_run(const char *const argv[], const char *input, struct xtr_ran *ran)
{
	run(argv, input, NULL, ran);
}

void xtr_run_into(const char *file, const char *const argv[], struct xtr_ran *ran)
{
	run(argv, NULL, file, ran);
}

void xtr_lab_run(struct xtr_lab *lab, const char *line, struct xtr_ran *ran)
{
	const char *argv[64] = { "xtrctl", "-s", lab->socket, "-B", lab->dir };
	char words[2048];
	int n = 5;

	snprintf(words, sizeof(words), "%s", line);
	for (char *p = strtok(words, " "); p && n < 63; p = strtok(NULL, " "))
		argv[n++] = p;
	xtr_run(argv, NULL, ran);
}

/* --- the schema: what xtrctl.schema.json uses of JSON Schema */

static char why[512];

static const char *wrong(const char *where, const char *what, const char *which)
{
	snprintf(why, sizeof(why), "%s: %s %s", where, what, which);
	return why;
}

static bool is_type(const char *type, const json_t *v)
{
	return (!strcmp(type, "object") && json_is_object(v)) || (!strcmp(type, "array") && json_is_array(v)) ||
	       (!strcmp(type, "string") && json_is_string(v)) || (!strcmp(type, "integer") && json_is_integer(v)) ||
	       (!strcmp(type, "number") && json_is_number(v)) || (!strcmp(type, "boolean") && json_is_boolean(v)) ||
	       (!strcmp(type, "null") && json_is_null(v));
}

static bool type_fits(const json_t *type, const json_t *v)
{
	const json_t *t;
	size_t i;

	if (json_is_string(type))
		return is_type(json_string_value(type), v);
	json_array_foreach(type, i, t)
		if (is_type(json_string_value(t), v))
			return true;
	return false;
}

static const char *conforms(const json_t *defs, const json_t *s, const json_t *v, const char *where);

static const char *object_conforms(const json_t *defs, const json_t *s, const json_t *v, const char *where)
{
	json_t *props = json_object_get(s, "properties"), *extra = json_object_get(s, "additionalProperties"), *k, *m;
	const char *key, *bad = NULL;
	size_t i;

	json_array_foreach(json_object_get(s, "required"), i, k)
		if (!json_object_get(v, json_string_value(k)))
			return wrong(where, "lacks the key", json_string_value(k));
	if (!props && !extra)
		return NULL; /* free form */
	json_object_foreach((json_t *)v, key, m) {
		const json_t *sub = json_object_get(props, key);

		if (!sub && !extra)
			return wrong(where, "has a key the schema does not describe:", key);
		bad = conforms(defs, sub ? sub : extra, m, key);
		if (bad)
			return bad;
	}
	return NULL;
}

static const char *conforms(const json_t *defs, const json_t *s, const json_t *v, const char *where)
{
	const char *r = json_string_value(json_object_get(s, "$ref")), *bad;
	const json_t *e = json_object_get(s, "enum"), *type = json_object_get(s, "type"), *m;
	size_t i;

	if (r) {
		s = json_object_get(defs, r + strlen("#/$defs/"));
		return s ? conforms(defs, s, v, where) : wrong(where, "refers to nothing:", r);
	}
	if (type && !type_fits(type, v)) {
		char *t = json_dumps(type, JSON_ENCODE_ANY);

		wrong(where, "is not of type", t);
		free(t);
		return why;
	}
	if (e) {
		json_array_foreach(e, i, m)
			if (json_equal(m, v))
				return NULL;
		return wrong(where, "is none of the values", "of its enum");
	}
	if (json_is_object(v))
		return object_conforms(defs, s, v, where);
	json_array_foreach(json_is_array(v) ? v : NULL, i, m) {
		bad = json_object_get(s, "items") ? conforms(defs, json_object_get(s, "items"), m, where) : NULL;
		if (bad)
			return bad;
	}
	return NULL;
}

const char *xtr_schema_check(const char *name, const json_t *v)
{
	json_error_t err;
	json_t *schema = json_load_file("user/cli/xtrctl.schema.json", 0, &err);
	const json_t *defs = json_object_get(schema, "$defs"), *s = json_object_get(defs, name);
	const char *bad;

	if (!schema)
		return wrong("user/cli/xtrctl.schema.json", "can not be read:", err.text);
	bad = s ? conforms(defs, s, v, name) : wrong(name, "is not in the schema", "");
	json_decref(schema);
	return bad;
}
