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

/* --- the schema: tests/check/schema.py knows how to read it */

const char *xtr_schema_check(const char *name, const json_t *v)
{
	static char why[2048];
	char file[] = "/tmp/xtr-cli-json.XXXXXX", cmd[256];
	int fd = mkstemp(file);
	size_t n;
	FILE *f;

	if (fd < 0 || !v || json_dumpfd(v, fd, JSON_ENCODE_ANY)) {
		if (fd >= 0) {
			close(fd);
			unlink(file);
		}
		return "no JSON";
	}
	close(fd);
	snprintf(cmd, sizeof(cmd), "tests/check/schema.py '%s' <%s 2>&1", name, file);
	f = popen(cmd, "r");
	n = f ? fread(why, 1, sizeof(why) - 1, f) : 0;
	why[n] = '\0';
	n = !f || pclose(f);
	unlink(file);
	return n ? (why[0] ? why : "tests/check/schema.py failed") : NULL;
}
