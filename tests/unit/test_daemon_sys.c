// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the daemon asks of the system: readiness, state files, a copy of itself, privileges. The privileges are read
 * back from /proc/self/status of a child that gave them up.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/aside.h"
#include "daemon/notify.h"
#include "daemon/priv.h"
#include "daemon/state.h"

/* ---- sd_notify */

static int manager(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(sa.sun_path, name, strlen(name));
	if (*name == '@')
		sa.sun_path[0] = '\0';
	cr_assert_eq(bind(fd, (struct sockaddr *)&sa,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		     0, "%s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *told(int fd)
{
	static char buf[2048];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

Test(notify, a_socket_in_the_file_system)
{
	char dir[] = "/tmp/xtr-notify-XXXXXX", name[64];
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/n", dir);
	fd = manager(name);
	cr_assert_eq(xtr_notify("READY=1\nSTATUS=roles:%s", " itr"), 0);
	cr_assert_str_eq(told(fd), "READY=1\nSTATUS=roles: itr");
	close(fd);
	cr_assert_lt(xtr_notify("READY=1"), 0, "the manager is gone: an error, not a crash");
	unlink(name);
	cr_assert_lt(xtr_notify("READY=1"), 0);
	rmdir(dir);
}

Test(notify, an_abstract_socket)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@xtr-notify-%d", getpid());
	fd = manager(name);
	cr_assert_eq(xtr_notify("STOPPING=1"), 0);
	cr_assert_str_eq(told(fd), "STOPPING=1");
	close(fd);
}

Test(notify, without_a_manager_nothing_happens)
{
	unsetenv("NOTIFY_SOCKET");
	cr_assert_eq(xtr_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_assert_eq(xtr_notify("READY=1"), -EINVAL);
}

Test(notify, watchdog)
{
	char pid[16];

	unsetenv("WATCHDOG_USEC");
	cr_assert_eq(xtr_notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	unsetenv("WATCHDOG_PID");
	cr_assert_eq(xtr_notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	cr_assert_eq(xtr_notify_watchdog_ms(), 0, "meant for another process");
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("WATCHDOG_PID", pid, 1);
	cr_assert_eq(xtr_notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_USEC", "soon", 1);
	cr_assert_eq(xtr_notify_watchdog_ms(), 0);
}

/* ---- state files */

static char dir[64];
static int dir_fd;

static void open_state(void)
{
	struct xtr_err err = { "" };

	strcpy(dir, "/tmp/xtr-state-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	strcat(dir, "/a/b");
	dir_fd = xtr_state_open(dir, &err);
	cr_assert_geq(dir_fd, 0, "%s", err.text);
}

static void close_state(void)
{
	static const char *const names[] = { "nonce", ".nonce.new", "big", "link", "dir" };
	char *slash;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(dir_fd, names[i], 0);
	close(dir_fd);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(rmdir(dir), 0, "%s: %s", dir, strerror(errno));
		slash = strrchr(dir, '/');
		*slash = '\0';
	}
}

TestSuite(state, .init = open_state, .fini = close_state);

Test(state, what_was_saved_is_loaded)
{
	char buf[8];

	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, sizeof(buf)), -ENOENT);
	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "12345", 5), 0);
	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, sizeof(buf)), 5);
	cr_assert_arr_eq(buf, "12345", 5);
	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "87654321", 8), 0);
	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, 8), 8);
	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, 7), -EFBIG);
	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "", 0), 0);
	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, 8), 0);
}

Test(state, only_the_owner_reads_it)
{
	struct stat st;

	umask(0);
	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "x", 1), 0);
	cr_assert_eq(fstatat(dir_fd, "nonce", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(stat(dir, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0700);
}

Test(state, half_a_file_of_a_crash_does_no_harm)
{
	char buf[8];
	int fd;

	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "old", 3), 0);
	fd = openat(dir_fd, ".nonce.new", O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(fd, "ha", 2), 2);
	close(fd);
	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, sizeof(buf)), 3);
	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "new", 3), 0);
	cr_assert_eq(xtr_state_load(dir_fd, "nonce", buf, sizeof(buf)), 3);
	cr_assert_arr_eq(buf, "new", 3);
	cr_assert_neq(faccessat(dir_fd, ".nonce.new", F_OK, 0), 0);
}

Test(state, names_stay_inside)
{
	static const char *const bad[] = { "",	  ".",		 "..",	    "../x",
					   "a/b", "/etc/passwd", ".hidden", "a b" };
	char buf[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(xtr_state_save(dir_fd, bad[i], "x", 1), -EINVAL, "%s", bad[i]);
		cr_expect_eq(xtr_state_load(dir_fd, bad[i], buf, 8), -EINVAL, "%s", bad[i]);
	}
}

Test(state, a_link_is_not_followed)
{
	char buf[8];

	cr_assert_eq(symlinkat("/etc/hostname", dir_fd, "link"), 0);
	cr_assert_eq(xtr_state_load(dir_fd, "link", buf, sizeof(buf)), -ELOOP);
	cr_assert_eq(xtr_state_save(dir_fd, "link", "x", 1), 0);
	cr_assert_eq(xtr_state_load(dir_fd, "link", buf, sizeof(buf)), 1,
		     "it was replaced by a file");
}

Test(state, a_full_write_or_none)
{
	/* A directory is in the way of the new file's name: nothing changes, and it is said. */
	cr_assert_eq(mkdirat(dir_fd, ".nonce.new", 0700), 0);
	cr_assert_eq(xtr_state_save(dir_fd, "nonce", "x", 1), -EEXIST);
	cr_assert_eq(unlinkat(dir_fd, ".nonce.new", AT_REMOVEDIR), 0);
}

/* ---- a copy of the process */

static struct xtr_aside copy;
static int aside_dir;

static void save_two(void *arg)
{
	const char *what = arg;

	xtr_state_save(aside_dir, "two", what, strlen(what));
}

static void stay(void *arg)
{
	for (;;)
		pause();
}

static void no_more(void)
{
	for (int i = 0; copy.pid && i < 500; i++) {
		xtr_aside_reap(&copy);
		usleep(10000);
	}
	cr_assert_eq(copy.pid, 0, "the copy does not end");
}

Test(aside, writes_what_was_at_its_moment)
{
	char name[] = "/tmp/xtr-aside-XXXXXX", what[] = "before", buf[16] = "";
	struct xtr_err err;

	cr_assert_not_null(mkdtemp(name));
	aside_dir = xtr_state_open(name, &err);
	cr_assert(aside_dir >= 0);
	cr_assert_eq(xtr_aside(&copy, aside_dir, save_two, what), 0);
	memcpy(what, "after ", 6);
	no_more();
	cr_expect_eq(xtr_state_load(aside_dir, "two", buf, sizeof(buf)), 6);
	cr_expect_str_eq(buf, "before");
	cr_expect_eq(unlinkat(aside_dir, "two", 0), 0);
	cr_expect_eq(rmdir(name), 0);
}

/* The lock of the data plane among them: the next daemon must not be refused because a copy of the last one still writes. */
Test(aside, keeps_nothing_open_and_is_one)
{
	int p[2], lock = open("/tmp", O_RDONLY | O_CLOEXEC), again = open("/tmp", O_RDONLY | O_CLOEXEC);
	char c;

	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(flock(lock, LOCK_SH), 0);
	cr_assert_eq(xtr_aside(&copy, lock > again ? lock + 1 : again + 1, stay, NULL), 0);
	cr_expect_eq(xtr_aside(&copy, 2, stay, NULL), -EBUSY);
	close(p[1]);
	cr_expect_eq(read(p[0], &c, 1), 0, "the copy has let go of its end");
	xtr_aside_end(&copy);
	cr_expect_eq(copy.pid, 0);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD, "and is gone");
	close(p[0]);
	close(lock);
	close(again);
}

/* A handler of libuv writes into a pipe that both have: what is told to the copy must not reach the daemon. */
static volatile int told_signals;
static void on_told(int s) { told_signals++; }

Test(aside, has_none_of_our_signal_handlers_and_ends_with_us)
{
	int status, p[2];
	pid_t pid, grandchild;
	char c;

	signal(SIGTERM, on_told);
	cr_assert_eq(xtr_aside(&copy, 2, stay, NULL), 0);
	cr_assert_eq(kill(copy.pid, SIGTERM), 0);
	no_more();
	cr_assert_eq(pipe(p), 0);
	pid = fork();
	if (!pid) {
		close(p[0]);
		_exit(xtr_aside(&copy, p[1], stay, NULL) || write(p[1], &copy.pid, sizeof(copy.pid)) != sizeof(copy.pid) || raise(SIGKILL));
	}
	close(p[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
	cr_assert_eq(read(p[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	cr_expect_eq(read(p[0], &c, 1), 0, "its copy, which held the other end, is gone as well");
	cr_expect_eq(told_signals, 0);
	close(p[0]);
}

/* ---- privileges */

#define FOUR (1ull << CAP_NET_ADMIN | 1ull << CAP_NET_RAW | 1ull << CAP_PERFMON | 1ull << CAP_BPF)

static uint64_t proc_hex(const char *key)
{
	char line[256];
	uint64_t v = UINT64_MAX;
	FILE *f = fopen("/proc/self/status", "r");

	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			v = strtoull(line + strlen(key) + 1, NULL, 16);
	fclose(f);
	return v;
}

/* In a child: 0, or the number of what is wrong. */
static int dropped(const char *user, bool data_plane, bool namespaces)
{
	uint64_t want = (data_plane ? FOUR : 0) | (namespaces ? 1ULL << CAP_SYS_ADMIN : 0);
	struct xtr_err err = { "" };
	struct passwd *pw = user ? getpwnam(user) : NULL;

	if (xtr_priv_drop(user, data_plane, namespaces, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (proc_hex("CapPrm") != want || proc_hex("CapEff") != want)
		return 2;
	if (proc_hex("CapBnd") != want || proc_hex("CapInh") || proc_hex("CapAmb"))
		return 3;
	if (proc_hex("NoNewPrivs") != 1)
		return 4;
	if (pw && (getuid() != pw->pw_uid || geteuid() != pw->pw_uid || getgid() != pw->pw_gid ||
		   !setuid(0)))
		return 5;
	/* No way back, not even by a program that root may run. */
	if (!user) {
		int status = system(
			"test \"$(sed -n 's/^CapEff:.//p' /proc/self/status)\" = \"$(sed -n 's/^CapBnd:.//p' /proc/self/status)\"");

		if (status)
			return 6;
	}
	return 0;
}

static void drop_in_child(const char *user, bool data_plane, bool namespaces)
{
	pid_t pid;
	int status;

	if (geteuid())
		cr_skip("needs root");
	pid = fork();
	if (!pid)
		_exit(dropped(user, data_plane, namespaces));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status), "check %d failed",
		  WEXITSTATUS(status));
}

Test(priv, with_a_data_plane_four_stay) { drop_in_child(NULL, true, false); }
Test(priv, without_a_data_plane_nothing_stays) { drop_in_child(NULL, false, false); }
Test(priv, as_another_user) { drop_in_child("nobody", true, false); }
Test(priv, as_another_user_without_a_data_plane) { drop_in_child("nobody", false, false); }

Test(priv, with_namespaces_a_fifth_stays) { drop_in_child(NULL, true, true); }
Test(priv, with_namespaces_as_another_user) { drop_in_child("nobody", true, true); }

Test(priv, roots_own_files_stay_usable)
{
	char name[] = "/tmp/xtr-priv-XXXXXX";
	int fd, status;
	pid_t pid;

	if (geteuid())
		cr_skip("needs root");
	fd = mkstemp(name);
	cr_assert(fd >= 0 && !fchmod(fd, 0600));
	pid = fork();
	if (!pid) {
		struct xtr_err err;

		_exit(xtr_priv_drop(NULL, true, false, &err) || open(name, O_RDWR) < 0 || unlink(name));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	close(fd);
}

Test(priv, a_user_that_is_not_there)
{
	struct xtr_err err;

	cr_assert_eq(xtr_priv_give("nobody-is-called-this", "/nonexistent", &err), -ENOENT);
}

Test(priv, files_are_given_and_a_folder_with_folders_is_not)
{
	char name[] = "/tmp/xtr-give-XXXXXX", path[64];
	struct passwd *pw = getpwnam("nobody");
	struct xtr_err err = { "" };
	struct stat st;

	if (geteuid() || !pw)
		cr_skip("needs root and a user nobody");
	cr_assert_not_null(mkdtemp(name));
	snprintf(path, sizeof(path), "%s/f", name);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(xtr_priv_give_folder("nobody", name, &err), 0, "%s", err.text);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_uid, pw->pw_uid);
	cr_assert_eq(stat(name, &st), 0);
	cr_assert_eq(st.st_uid, pw->pw_uid);
	cr_assert_eq(chown(name, 0, 0), 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(xtr_priv_give_folder("nobody", name, &err), -EPERM);
	cr_assert_eq(stat(name, &st), 0);
	cr_assert_eq(st.st_uid, 0);
	rmdir(path);
	rmdir(name);
}

/* What the unit leaves root for `user`, but for CAP_DAC_OVERRIDE: a folder that is given is shut from then on. */
Test(priv, a_folder_is_given_after_what_is_in_it)
{
	static const cap_value_t have[] = { CAP_CHOWN };
	char name[] = "/tmp/xtr-give-XXXXXX", path[64];
	struct passwd *pw = getpwnam("nobody");
	struct stat st;
	int status;
	pid_t pid;

	if (geteuid() || !pw)
		cr_skip("needs root and a user nobody");
	cr_assert_not_null(mkdtemp(name));
	snprintf(path, sizeof(path), "%s/f", name);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	pid = fork();
	if (!pid) {
		struct xtr_err err;
		cap_t caps = cap_init();

		_exit(cap_set_flag(caps, CAP_PERMITTED, 1, have, CAP_SET) || cap_set_flag(caps, CAP_EFFECTIVE, 1, have, CAP_SET) ||
		      cap_set_proc(caps) || xtr_priv_give("nobody", name, &err));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_uid, pw->pw_uid);
	unlink(path);
	rmdir(name);
}

Test(priv, a_file_the_user_cannot_reach_is_named_with_the_way_out)
{
	char name[] = "/tmp/xtr-reach-XXXXXX", path[64];
	struct err_want { mode_t folder, file; const char *says; } want[] = {
		{ 0755, 0644, NULL }, { 0711, 0604, NULL }, { 0700, 0644, "cannot pass the folder" }, { 0755, 0600, "cannot read" },
	};
	struct xtr_err err;

	if (geteuid() || !getpwnam("nobody"))
		cr_skip("needs root and a user nobody");
	cr_assert_not_null(mkdtemp(name));
	snprintf(path, sizeof(path), "%s/f", name);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	for (unsigned i = 0; i < sizeof(want) / sizeof(*want); i++) {
		cr_assert_eq(chmod(name, want[i].folder), 0);
		cr_assert_eq(chmod(path, want[i].file), 0);
		cr_expect_eq(xtr_priv_reach("nobody", path, &err), want[i].says ? -EACCES : 0, "row %u", i);
		cr_expect(!want[i].says || (strstr(err.text, want[i].says) && strstr(err.text, "chmod g+")), "row %u: %s", i, err.text);
		cr_expect_eq(xtr_priv_reach("root", path, &err), 0);
	}
	unlink(path);
	rmdir(name);
}
