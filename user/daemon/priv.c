// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Privileges by libcap. What stays, and for what: CAP_NET_ADMIN (links, routes, attaching programs,
 * SO_MARK), CAP_BPF and CAP_PERFMON (maps and programs that use packet pointers), CAP_NET_RAW
 * (packets that waited are injected by a packet socket); and CAP_SYS_ADMIN where overlay devices are placed into network
 * namespaces, because entering one needs it. The bounding set goes down to the same,
 * and no_new_privs keeps it there. Uid 0 without CAP_DAC_OVERRIDE still owns root's files: pins,
 * state and keys stay usable.
 */
#include "daemon/priv.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

static const cap_value_t wanted[] = { CAP_NET_ADMIN, CAP_BPF, CAP_PERFMON, CAP_NET_RAW, CAP_SYS_ADMIN };
/* How many of them: the last only for namespaces. */
static size_t xtr_priv_wanted(bool data_plane, bool namespaces)
{
	size_t all = sizeof(wanted) / sizeof(wanted[0]);

	return !data_plane ? 0 : namespaces ? all : all - 1;
}

static int become(const char *user, struct xtr_err *err)
{
	struct passwd *pw = getpwnam(user);

	if (!pw)
		return xtr_fail(err, -ENOENT, "there is no user %s", user);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid))
		return xtr_fail(err, -errno, "becoming user %s: %s", user, strerror(errno));
	return 0;
}

/* Those of the wanted ones that the process has: in a container some may be missing, and what needs
 * them has said so. */
static int set_caps(size_t n, struct xtr_err *err)
{
	cap_t had = cap_get_proc(), caps = cap_init();
	cap_flag_value_t v;
	int rc = 0;

	if (!had || !caps)
		rc = -errno;
	for (size_t i = 0; !rc && i < n; i++) {
		if (cap_get_flag(had, wanted[i], CAP_PERMITTED, &v))
			continue;
		if (v == CAP_SET && (cap_set_flag(caps, CAP_PERMITTED, 1, &wanted[i], CAP_SET) ||
				     cap_set_flag(caps, CAP_EFFECTIVE, 1, &wanted[i], CAP_SET)))
			rc = -errno;
	}
	if (!rc && cap_set_proc(caps))
		rc = -errno;
	cap_free(had);
	cap_free(caps);
	return rc ? xtr_fail(err, rc, "giving up capabilities: %s", strerror(-rc)) : 0;
}

/* Needs CAP_SETPCAP; a process that has not got it can not widen anything either. */
static int drop_bounding(size_t n, struct xtr_err *err)
{
	for (cap_value_t c = 0; c <= cap_max_bits() && cap_get_bound(c) >= 0; c++) {
		bool keep = false;

		for (size_t i = 0; i < n; i++)
			keep |= wanted[i] == c;
		if (!keep && cap_get_bound(c) == 1 && cap_drop_bound(c) && errno != EPERM)
			return xtr_fail(err, -errno, "capability bounding set: %s",
					strerror(errno));
	}
	return 0;
}

int xtr_priv_drop(const char *user, bool data_plane, bool namespaces, struct xtr_err *err)
{
	size_t n = xtr_priv_wanted(data_plane, namespaces);
	int rc = drop_bounding(n, err);

	if (!rc && user)
		rc = become(user, err);
	if (!rc)
		rc = set_caps(n, err);
	if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		rc = xtr_fail(err, -errno, "no_new_privs: %s", strerror(errno));
	return rc;
}

static __thread uid_t give_uid;
static __thread gid_t give_gid;

static int give_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return lchown(path, give_uid, give_gid) ? -1 : 0;
}

static int refuse_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return ftw->level > 0 && type != FTW_F;
}

int xtr_priv_give_folder(const char *user, const char *path, struct xtr_err *err)
{
	if (nftw(path, refuse_folder, 16, FTW_PHYS | FTW_MOUNT))
		return xtr_fail(
			err, -EPERM,
			"%s has more in it than the files of xtrd, so it is not given to user %s; name a folder of its own",
			path, user);
	return xtr_priv_give(user, path, err);
}

int xtr_priv_give(const char *user, const char *path, struct xtr_err *err)
{
	struct passwd *pw = getpwnam(user);

	if (!pw)
		return xtr_fail(err, -ENOENT, "there is no user %s", user);
	if (access(path, F_OK) && errno == ENOENT)
		return 0;
	give_uid = pw->pw_uid;
	give_gid = pw->pw_gid;
	/* what is in a folder first: one that is the user's may be shut for us already */
	if (nftw(path, give_one, 16, FTW_PHYS | FTW_MOUNT | FTW_DEPTH))
		return xtr_fail(err, -errno, "giving %s to user %s: %s", path, user,
				strerror(errno));
	return 0;
}

static bool may(const struct passwd *pw, const struct stat *st, mode_t bit)
{
	if (!pw->pw_uid)
		return true;
	return st->st_mode & (st->st_uid == pw->pw_uid ? bit << 6 : st->st_gid == pw->pw_gid ? bit << 3 : bit);
}

int xtr_priv_reach(const char *user, const char *path, struct xtr_err *err)
{
	struct passwd *pw = getpwnam(user);
	char at[4096];
	struct stat st;

	if (!pw)
		return xtr_fail(err, -ENOENT, "there is no user %s", user);
	if (!realpath(path, at))
		return 0; /* it will be said when it is read */
	for (char *end = at;;) {
		char kept;

		end = strchr(end + 1, '/');
		kept = end ? *end : '\0';
		if (end)
			*end = '\0';
		if (!stat(at, &st) && !may(pw, &st, end ? 1 : 4))
			return xtr_fail(err, -EACCES, "user %s cannot %s %s (mode %04o); run: chgrp %u %s; chmod g+%s %s", user,
					end ? "pass the folder" : "read", at, (unsigned)(st.st_mode & 07777), (unsigned)pw->pw_gid, at,
					end ? "x" : "r", at);
		if (!end)
			return 0;
		*end = kept;
	}
}
