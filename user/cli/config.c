// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl config: the configuration in effect, checking a file, and applying a changed one. A file is checked by the
 * daemon's own checker, `xtrd --check`, so that both always agree. Secrets never come here: the daemon masks them.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- plain: the shape of the file */

static void scalar(FILE *f, const json_t *v)
{
	char *s = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

	if (json_is_string(v))
		xtr_put_text(f, json_string_value(v));
	else if (s)
		fputs(s, f);
	free(s);
}

static void tree(FILE *f, const json_t *v, int depth)
{
	const char *key;
	json_t *m;
	size_t i;

	if (json_is_object(v)) {
		json_object_foreach((json_t *)v, key, m) {
			bool deep = json_object_size(m) || json_array_size(m);

			fprintf(f, "%*s%s:%s", depth * 2, "", key, deep ? "\n" : " ");
			if (deep) {
				tree(f, m, depth + 1);
			} else {
				scalar(f, m);
				fputc('\n', f);
			}
		}
		return;
	}
	json_array_foreach(v, i, m) {
		if (json_is_object(m) || json_is_array(m)) {
			fprintf(f, "%*s-\n", depth * 2, "");
			tree(f, m, depth + 1);
		} else {
			fprintf(f, "%*s- ", depth * 2, "");
			scalar(f, m);
			fputc('\n', f);
		}
	}
}

static void tree_plain(FILE *f, const json_t *v)
{
	tree(f, v, 0);
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	json_t *v = NULL;

	if (xtr_words_end(c, w) || xtr_cli_call(c, "config", "show", NULL, &v))
		return -1;
	return xtr_cli_emit(c, v, tree_plain);
}

static void path_plain(FILE *f, const json_t *v)
{
	xtr_put_text(f, json_is_string(v) ? json_string_value(v) : xtr_json_str(v, "path"));
	fputc('\n', f);
}

static int do_path(struct xtr_cli *c, struct xtr_words *w)
{
	json_t *v = NULL;

	if (xtr_words_end(c, w) || xtr_cli_call(c, "config", "path", NULL, &v))
		return -1;
	if (json_is_string(v))
		v = json_pack("{s:o}", "path", v);
	return xtr_cli_emit(c, v, path_plain);
}

static void reload_plain(FILE *f, const json_t *v)
{
	const json_t *changed = json_object_get(v, "changed"), *s;
	size_t i;

	if (!json_array_size(changed))
		fprintf(f, "nothing changed\n");
	json_array_foreach(changed, i, s) {
		fputs("changed: ", f);
		xtr_put_text(f, json_string_value(s) ? json_string_value(s) : "?");
		fputc('\n', f);
	}
}

static int do_reload(struct xtr_cli *c, struct xtr_words *w)
{
	json_t *v = NULL;

	if (xtr_words_end(c, w) || xtr_cli_call(c, "config", "reload", NULL, &v))
		return -1;
	return xtr_cli_emit(c, v, reload_plain);
}

/* --- check: by the daemon's own checker */

/* xtrd beside this program, else as found in PATH. */
static void checker_path(char *buf, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *slash;

	if (n > 0) {
		buf[n] = '\0';
		slash = strrchr(buf, '/');
		if (slash && (size_t)(slash - buf) + sizeof("/xtrd") <= size) {
			strcpy(slash, "/xtrd");
			if (!access(buf, X_OK))
				return;
		}
	}
	snprintf(buf, size, "xtrd");
}

/* All of what comes from fd, however much; NULL: no memory. */
static char *read_all(int fd)
{
	size_t len = 0, size = 0;
	char *text = NULL, *p;
	ssize_t n;

	for (;;) {
		if (len + 1 >= size) {
			p = realloc(text, size = size ? 2 * size : 4096);
			if (!p)
				break;
			text = p;
		}
		n = read(fd, text + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			text[len] = '\0';
			return text;
		}
		len += (size_t)n;
	}
	free(text);
	return NULL;
}

/* Runs xtrd --check FILE; its output (both streams) goes to *text, to be freed. The wait status, or -errno. */
static int run_checker(const char *file, char **text)
{
	char path[PATH_MAX];
	int fds[2], status;
	pid_t pid;

	*text = NULL;
	checker_path(path, sizeof(path));
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		execlp(path, "xtrd", "--check", file, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	if (pid > 0)
		*text = read_all(fds[0]);
	close(fds[0]);
	if (pid < 0)
		return -EAGAIN;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return *text ? status : -ENOMEM;
}

/* What the checker says of a good file, warnings included. */
static void check_plain(FILE *f, const json_t *v)
{
	xtr_put_text(f, *xtr_json_str(v, "text") ? xtr_json_str(v, "text") : "ok");
	fputc('\n', f);
}

static int checked(struct xtr_cli *c, const char *file, int status, const char *text)
{
	char *name;
	int rc;

	if (status < 0)
		return xtr_cli_error(c, "running xtrd --check: %s", strerror(-status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return xtr_cli_error(c, "xtrd is needed to check a configuration, and is neither beside xtrctl "
				     "nor in PATH");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return xtr_cli_error(c, "%s", text[0] ? text : "xtrd --check failed without saying why");
	name = strdup(file);
	rc = xtr_cli_emit(c, name ? json_pack("{s:s, s:b, s:s}", "file", xtr_utf8_mend(name), "valid", 1, "text", text) : NULL,
			  check_plain);
	free(name);
	return rc;
}

static int do_check(struct xtr_cli *c, struct xtr_words *w)
{
	const char *file = xtr_words_value(c, w, "check");
	char *text;
	int status, rc;

	if (!file || xtr_words_end(c, w))
		return -1;
	status = run_checker(file, &text);
	if (text) {
		for (size_t len = strlen(text); len && text[len - 1] == '\n'; len--)
			text[len - 1] = '\0';
		xtr_utf8_mend(text);
	}
	rc = checked(c, file, status, text);
	free(text);
	return rc;
}

const struct xtr_cli_cmd xtr_cmd_config[] = {
	{ "show", do_show, "", "the configuration in effect, secrets masked" },
	{ "check", do_check, "FILE", "is FILE a good configuration? Changes nothing, needs no daemon" },
	{ "reload", do_reload, "", "apply what has changed in the file, and say what that was" },
	{ "path", do_path, "", "the file the daemon reads" },
	{ NULL, NULL, NULL, NULL },
};
