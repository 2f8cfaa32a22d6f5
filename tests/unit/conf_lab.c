// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Configuration files in tests; see conf_lab.h. */
#include "conf_lab.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

void put_file(const char *name, const char *text, size_t len, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len && !fchmod(fd, mode));
	close(fd);
}

void make_folder(void)
{
	strcpy(dir, "/tmp/xtr-conf-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

void remove_folder(void)
{
	char path[sizeof(dir) + NAME_MAX + 2];
	DIR *d = opendir(dir);

	cr_assert_not_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_REG)
			unlink(path);
	}
	closedir(d);
	rmdir(dir);
}

void make_keys(void)
{
	make_folder();
	put_file("a.key", "secret of a\n", 12, 0600);
	put_file("a2.key", "secret of a\nanother line\n", 25, 0400);
	put_file("b.key", "secret of b", 11, 0600);
	put_file("raw.key", "\x01\0\xff z\n", 6, 0600);
	put_file("open.key", "x\n", 2, 0644);
	put_file("group.key", "x\n", 2, 0640);
	put_file("empty.key", "", 0, 0600);
	put_file("line.key", "\nx\n", 3, 0600);
}

char *expand(const char *text)
{
	size_t room = strlen(text) + 1;
	char *out, *p;

	for (const char *c = text; *c; c++)
		room += *c == '$' ? strlen(dir) : 0;
	p = out = malloc(room);
	for (; *text; text++) {
		if (*text == '$')
			p = stpcpy(p, dir);
		else
			*p++ = *text;
	}
	*p = '\0';
	return out;
}

void add_line(void *ctx, const char *line)
{
	char **all = ctx, *both;

	cr_assert(asprintf(&both, "%s%s\n", *all ? *all : "", line) >= 0);
	free(*all);
	*all = both;
}

static struct xtr_conf_host fake_host(void)
{
	static struct xtr_ip addresses[3];
	static char interfaces[3][16] = { "lo", "eth0", "eth1" };

	xtr_ip_parse("192.0.2.1", &addresses[0]);
	xtr_ip_parse("2001:db8::1", &addresses[1]);
	xtr_ip_parse("127.0.0.1", &addresses[2]);
	return (struct xtr_conf_host){ addresses, 3, interfaces, 3 };
}

struct xtr_conf *parse(const char *text, char **errors_text)
{
	struct xtr_conf_host host = fake_host();
	struct xtr_yaml_errors errors = { 0 };
	struct xtr_conf *c;
	char *full = expand(text);
	int rc = xtr_conf_parse(full, strlen(full), &host, &errors, &c);

	*errors_text = NULL;
	xtr_yaml_errors_each(&errors, "f", add_line, errors_text);
	cr_assert_eq(rc != 0, *errors_text != NULL, "%d\n%s", rc, *errors_text ? *errors_text : "");
	cr_assert_eq(rc == 0, c != NULL);
	xtr_yaml_errors_free(&errors);
	free(full);
	return c;
}

struct xtr_conf *good(const char *text)
{
	char *errors;
	struct xtr_conf *c = parse(text, &errors);

	cr_assert_not_null(c, "%s", errors);
	return c;
}

static bool same(const char *want, const char *got)
{
	while (*want) {
		if (!strncmp(want, "REST", 4)) {
			want += 4;
			while (*got >= '0' && *got <= '9')
				got++;
		} else if (*want++ != *got++) {
			return false;
		}
	}
	return !*got;
}

void expect_mistakes(const struct mistake *bad, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *errors, *want = expand(bad[i].errors);
		struct xtr_conf *c = parse(bad[i].text, &errors);

		cr_expect_null(c, "accepted:\n%s", bad[i].text);
		cr_expect(errors && same(want, errors), "for\n%s\nexpected\n%s\ngot\n%s", bad[i].text, want, errors ? errors : "nothing");
		xtr_conf_free(c);
		free(errors);
		free(want);
	}
}

char *example(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	if (!f)
		cr_skip("%s is not here: run from the top of the tree", path);
	cr_assert_gt(fread(text, 1, 65535, f), 0);
	fclose(f);
	return text;
}

struct xtr_conf *parse_elsewhere(const char *text)
{
	struct xtr_yaml_errors errors = { 0 };
	char *all = NULL;
	struct xtr_conf *c;

	xtr_conf_parse(text, strlen(text), NULL, &errors, &c);
	xtr_yaml_errors_each(&errors, "f", add_line, &all);
	cr_assert_not_null(c, "%s\n%s", all, text);
	return c;
}

char *commented(const char *text, const char *from, const char *to, const char *before)
{
	const char *p = strstr(text, from), *end;
	char *out = calloc(1, strlen(text) + strlen(before) + 1), *w = stpcpy(out, before);

	cr_assert_not_null(p);
	end = to ? strstr(p, to) : p + strlen(p);
	cr_assert_not_null(end);
	for (p = strchr(p, '\n') + 1; p < end; p = strchr(p, '\n') + 1)
		if (!strncmp(p, "# ", 2))
			w = mempcpy(w, p + 2, (size_t)(strchr(p, '\n') + 1 - p - 2));
	return out;
}
