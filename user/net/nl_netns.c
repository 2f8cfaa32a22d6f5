// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Work in another network namespace. A socket belongs for ever to the namespace in which it was made, and so does what is
 * asked through it; sysctls and ethtool look at the thread that asks. So the calling thread goes there for a moment
 * (setns(2): CAP_SYS_ADMIN) and comes back before anything else runs. A thread that can not come back must not go on: what
 * it did next would be done to the wrong host. Held sockets keep the namespace alive: the owner closes them when its name is gone.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "net/nl_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "util/log.h"

int xtr_nl_at(int nsfd, int (*fn)(void *arg), void *arg)
{
	int home, r;

	if (nsfd < 0)
		return fn(arg);
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		return -errno;
	if (setns(nsfd, CLONE_NEWNET)) {
		r = -errno;
		close(home);
		return r;
	}
	r = fn(arg);
	if (setns(home, CLONE_NEWNET)) {
		xtr_error("cannot return to the network namespace of xtrd; giving up");
		abort();
	}
	close(home);
	return r;
}

int xtr_nl_netns_open(const char *path)
{
	/* O_NONBLOCK: whatever a wrong path leads to */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	/* what `ip netns del` leaves for a moment, or a file of somebody else, is no namespace */
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		return -EMEDIUMTYPE;
	}
	return fd;
}

static int xtr_nl_open_there(void *arg) { return xtr_nl_open(arg); }
int xtr_nl_open_at(int nsfd, struct xtr_nl **out)
{
	int r = xtr_nl_at(nsfd, xtr_nl_open_there, out);

	if (!r && nsfd >= 0)
		(*out)->nsfd = fcntl(nsfd, F_DUPFD_CLOEXEC, 0);
	return r;
}

static int xtr_nl_monitor_there(void *arg) { return xtr_nl_monitor_open(arg); }
int xtr_nl_monitor_open_at(int nsfd, struct xtr_nl_monitor **out)
{
	return xtr_nl_at(nsfd, xtr_nl_monitor_there, out);
}
