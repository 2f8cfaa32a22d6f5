// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Saving a million registrations takes half a second, more on a slow disk. Nobody is to wait for it, and what is saved is to be of
 * one moment: a copy of the process has both. fork() costs the copying of page tables, a few milliseconds a gigabyte.
 *
 * The copy must not be taken for the daemon: it lets go of its sockets, its lock and its BPF objects at once, has none of its
 * signal handlers (libuv's would write into a pipe that both have), and ends with it.
 */
#include "daemon/aside.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_copy(pid_t parent, int keep)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (int s = 1; s < NSIG; s++)
		signal(s, s == SIGPIPE ? SIG_IGN : SIG_DFL);
	if (keep > 3)
		close_range(3, (unsigned)keep - 1, 0);
	close_range(keep > 2 ? (unsigned)keep + 1 : 3, ~0U, 0);
	setpriority(PRIO_PROCESS, 0, 10);
}

int xtr_aside(struct xtr_aside *a, int keep, void (*work)(void *arg), void *arg)
{
	pid_t parent = getpid();
	sigset_t all, before;
	int r = 0;

	xtr_aside_reap(a);
	if (a->pid)
		return -EBUSY;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	a->pid = fork();
	if (!a->pid) {
		become_copy(parent, keep);
		sigprocmask(SIG_SETMASK, &before, NULL);
		work(arg);
		_exit(0);
	}
	if (a->pid < 0) {
		r = -errno;
		a->pid = 0;
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

bool xtr_aside_reap(struct xtr_aside *a)
{
	if (!a->pid || !waitpid(a->pid, NULL, WNOHANG))
		return false;
	a->pid = 0;
	return true;
}

void xtr_aside_end(struct xtr_aside *a)
{
	if (!a->pid)
		return;
	kill(a->pid, SIGKILL);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	a->pid = 0;
}
