// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files of the state directory, mode 0600, replaced by rename(2) after fsync(2), so that neither a
 * crash of the daemon nor of the machine leaves half a file: a nonce that went back would lock the
 * router out of its Map-Servers (RFC 9301 5.6).
 */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int xtr_state_open(const char *path, struct xtr_err *err)
{
	char dir[4096];
	int fd;

	if (snprintf(dir, sizeof(dir), "%s/", path) >= (int)sizeof(dir))
		return xtr_fail(err, -ENAMETOOLONG, "state-dir %s is too long; set a shorter one",
				path);
	for (char *p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(dir, p[1] ? 0755 : 0700) && errno != EEXIST)
			return xtr_fail(err, -errno,
					"state-dir %s: %s: %s; make it, or set another", path, dir,
					strerror(errno));
		*p = '/';
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return xtr_fail(err, -errno, "state-dir %s: %s", path, strerror(errno));
	return fd;
}

static int check_name(const char *name)
{
	size_t n = strlen(name);

	return n && n <= 200 && name[0] != '.' &&
			       strspn(name,
				      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
				       n ?
		       0 :
		       -EINVAL;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

int xtr_state_save(int dir, const char *name, const void *buf, size_t len)
{
	char tmp[256];
	int fd, rc = check_name(name);

	if (rc)
		return rc;
	snprintf(tmp, sizeof(tmp), ".%s.new", name);
	unlinkat(dir, tmp, 0); /* of a daemon that died in here */
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, buf, len);
	close(fd);
	if (!rc && renameat(dir, tmp, dir, name))
		rc = -errno;
	if (rc)
		unlinkat(dir, tmp, 0);
	else if (fsync(dir))
		rc = -errno;
	return rc;
}

int xtr_state_load(int dir, const char *name, void *buf, size_t size)
{
	size_t at = 0;
	int fd, rc = check_name(name);
	ssize_t n = 0;
	char more;

	if (rc)
		return rc;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	while (at < size) {
		n = read(fd, (char *)buf + at, size - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (n < 0)
		rc = -errno;
	else if (at == size && read(fd, &more, 1) == 1)
		rc = -EFBIG;
	close(fd);
	return rc ? rc : (int)at;
}
