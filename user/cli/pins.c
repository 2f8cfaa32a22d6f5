// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Walks the folder of our pins; fds live only during the callback. */
#include "cli/pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a pinned fd is, from the name the kernel gives its anonymous inode. -1: something else. */
static int kind_of(int fd)
{
	char path[64], name[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return -1;
	name[n] = '\0';
	return strstr(name, "bpf-map") ? XTR_PIN_MAP : strstr(name, "bpf-prog") ? XTR_PIN_PROG :
	       strstr(name, "bpf_link") || strstr(name, "bpf-link") ? XTR_PIN_LINK : -1;
}

static int open_pin(const char *path)
{
	/* A map that only root may write can still be read: ask for no more than that. Programs and links know no
	 * access mode. */
	LIBBPF_OPTS(bpf_obj_get_opts, ro, .file_flags = BPF_F_RDONLY);
	int fd = bpf_obj_get_opts(path, &ro);

	return fd >= 0 ? fd : bpf_obj_get(path);
}

static int visit(const char *dir, const char *name, enum xtr_pin_kind kind, int (*fn)(void *, const struct xtr_pin *),
		 void *arg)
{
	struct xtr_pin p = { .name = name, .kind = kind };
	uint32_t len = kind == XTR_PIN_MAP ? sizeof(p.info.map) : kind == XTR_PIN_PROG ? sizeof(p.info.prog) :
		       sizeof(p.info.link);
	char path[PATH_MAX];
	int rc = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	p.path = path;
	p.fd = open_pin(path);
	if (p.fd < 0)
		return 0; /* gone since, or no BPF object */
	if (kind_of(p.fd) == (int)kind && !bpf_obj_get_info_by_fd(p.fd, &p.info, &len))
		rc = fn(arg, &p);
	close(p.fd);
	return rc;
}

int xtr_pins_walk(struct xtr_cli *c, enum xtr_pin_kind kind, int (*fn)(void *, const struct xtr_pin *), void *arg)
{
	struct xtr_dp_view *v = NULL;
	struct xtr_err err = { "" };
	struct dirent **names = NULL;
	int n, rc;

	rc = xtr_dp_view_open(c->bpffs, &v, &err);
	if (rc)
		return xtr_cli_error(c, "%s", err.text[0] ? err.text : strerror(-rc));
	n = scandir(xtr_dp_view_path(v), &names, NULL, alphasort);
	if (n < 0)
		rc = xtr_cli_error(c, "%s: %s", xtr_dp_view_path(v), strerror(errno));
	for (int i = 0; i < n; i++) {
		if (!rc && names[i]->d_name[0] != '.')
			rc = visit(xtr_dp_view_path(v), names[i]->d_name, kind, fn, arg);
		free(names[i]);
	}
	free(names);
	xtr_dp_view_close(v);
	return rc;
}
