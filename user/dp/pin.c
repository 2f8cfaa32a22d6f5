// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The folder of pins on the BPF file system: <bpffs>/xtr/v<ABI>-<cache entries>-<rloc entries>/.
 * One lock (flock of <bpffs>/xtr) guards all of it, so that two daemons never share maps. Pins are
 * replaced by rename, which is atomic: at any moment a name shows the old object or the new one.
 * Names on bpffs must not contain a dot.
 */
#include "dp/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef BPF_FS_MAGIC
#define BPF_FS_MAGIC 0xcafe4a11
#endif

/* Makes sure that path is a folder on a BPF file system; make: creates it or mounts one. */
int xtr_dp_bpffs_ready(const char *path, bool make, struct xtr_err *err)
{
	struct statfs fs;

	if (path[0] != '/' || strlen(path) > 150)
		return xtr_fail(err, -EINVAL,
				"bpffs '%s': must be an absolute path of at most 150 characters",
				path);
	if (make && mkdir(path, 0700) && errno != EEXIST)
		return xtr_fail(err, -errno, "bpffs '%s': cannot create it: %s", path,
				strerror(errno));
	if (statfs(path, &fs))
		return xtr_fail(err, -errno, "bpffs '%s': %s", path, strerror(errno));
	if ((unsigned long)fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (!make)
		return xtr_fail(err, -ENOENT,
				"bpffs '%s': not a BPF file system, so nothing is pinned there",
				path);
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0711"))
		return xtr_fail(
			err, -errno,
			"bpffs '%s': not a BPF file system and mounting one failed: %s; run: mount -t bpf bpf %s",
			path, strerror(errno), path);
	xtr_info("bpffs '%s': mounted a BPF file system", path);
	return 0;
}

/* Whoever was killed between pinning and rename left the new object beside the name: a link that is there nowhere else
 * gets its name, or nobody would find what is attached; all else is made again. */
static int xtr_dp_pin_finish(void *arg, const char *name)
{
	char path[PATH_MAX], to[PATH_MAX], prog[16];
	int ifindex;

	if (strncmp(name, XTR_DP_UNFINISHED, strlen(XTR_DP_UNFINISHED)))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	name += strlen(XTR_DP_UNFINISHED);
	snprintf(to, sizeof(to), "%s/%s", (const char *)arg, name);
	if (xtr_dp_link_parse(name, prog, &ifindex))
		unlink(path);
	else if (!access(to, F_OK) || rename(path, to))
		xtr_dp_link_remove(path);
	return 0;
}

static int xtr_dp_pins_finish(void *arg, const char *name)
{
	unsigned abi, cache, rloc;
	char dir[PATH_MAX];

	if (!xtr_dp_folder_parse(name, &abi, &cache, &rloc))
		return 0;
	snprintf(dir, sizeof(dir), "%s/%s", (const char *)arg, name);
	xtr_dp_each_name(dir, xtr_dp_pin_finish, dir);
	return 0;
}

int xtr_dp_lock(const char *root, struct xtr_err *err)
{
	for (int turn = 0; turn < 16; turn++) {
		struct stat held, named;
		char mark[256];
		int fd;

		if (mkdir(root, 0700) && errno != EEXIST)
			return xtr_fail(err, -errno, "%s: cannot create the folder of pins: %s",
					root, strerror(errno));
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return xtr_fail(err, -errno, "%s: %s", root, strerror(errno));
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			int e = errno;

			close(fd);
			if (e == EWOULDBLOCK)
				return xtr_fail(
					err, -EBUSY,
					"%s: another xtrd holds it; stop that one, or give this one its own "
					"bpffs folder (key bpffs)",
					root);
			return xtr_fail(err, -e, "%s: lock: %s", root, strerror(e));
		}
		/* A detach may have removed the folder between open and lock: then this lock guards
		 * nothing. */
		if (!fstat(fd, &held) && !stat(root, &named) && held.st_ino == named.st_ino &&
		    held.st_dev == named.st_dev) {
			/* of a detach by force that did not end */
			snprintf(mark, sizeof(mark), "%s/%s", root, XTR_DP_DETACHING);
			rmdir(mark);
			xtr_dp_each_name(root, xtr_dp_pins_finish, (void *)root);
			return fd;
		}
		close(fd);
	}
	return xtr_fail(err, -EBUSY, "%s: is being removed and made again by somebody else", root);
}

void xtr_dp_netns(uint64_t *dev, uint64_t *ino)
{
	struct stat st;

	*dev = *ino = 0;
	if (!stat("/proc/thread-self/ns/net", &st)) {
		*dev = st.st_dev;
		*ino = st.st_ino;
	}
}

int xtr_dp_pin(int fd, const char *dir, const char *name)
{
	char tmp[PATH_MAX], path[PATH_MAX];

	snprintf(tmp, sizeof(tmp), "%s/" XTR_DP_UNFINISHED "%s", dir, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(tmp);
	if (bpf_obj_pin(fd, tmp))
		return -errno;
	xtr_dp_at(name);
	if (rename(tmp, path)) {
		int e = errno;

		unlink(tmp);
		return -e;
	}
	return 0;
}

/* "v1-100000-4096" */
bool xtr_dp_folder_parse(const char *name, unsigned *abi, unsigned *cache, unsigned *rloc)
{
	int end = 0;

	return sscanf(name, "v%u-%u-%u%n", abi, cache, rloc, &end) == 3 && !name[end];
}

int xtr_dp_each_name(const char *dir, int (*fn)(void *arg, const char *name), void *arg)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort), r = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (!r && strcmp(list[i]->d_name, ".") && strcmp(list[i]->d_name, ".."))
			r = fn(arg, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return r;
}

static int xtr_dp_unlink_in(void *arg, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	unlink(path);
	return 0;
}

int xtr_dp_remove_folder(const char *dir)
{
	xtr_dp_each_name(dir, xtr_dp_unlink_in, (void *)dir);
	return rmdir(dir) && errno != ENOENT ? -errno : 0;
}
