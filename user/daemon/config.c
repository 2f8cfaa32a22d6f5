// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From file to configuration: read, parse, table, key files, checks, build. Owner of everything is
 * struct xtr_conf, freed at once. Invariant: a configuration that was returned passed every check;
 * there is no half-good one.
 */
#include "daemon/config_check.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void xtr_conf_host_free(struct xtr_conf_host *h)
{
	free(h->addresses);
	free(h->interfaces);
	*h = (struct xtr_conf_host){ 0 };
}

int xtr_conf_host_read(struct xtr_conf_host *h, struct xtr_err *err)
{
	struct if_nameindex *names = if_nameindex();
	struct ifaddrs *list = NULL;
	unsigned n = 0;

	*h = (struct xtr_conf_host){ 0 };
	if (!names || getifaddrs(&list)) {
		int rc = -errno;

		if (names)
			if_freenameindex(names);
		return xtr_fail(err, rc, "the interfaces of this host can not be listed: %s",
				strerror(-rc));
	}
	for (const struct if_nameindex *i = names; i->if_index; i++)
		n++;
	h->interfaces = calloc(n + 1, sizeof(*h->interfaces));
	for (const struct if_nameindex *i = names; h->interfaces && i->if_index; i++)
		snprintf(h->interfaces[h->interface_count++], sizeof(*h->interfaces), "%s",
			 i->if_name);
	n = 0;
	for (const struct ifaddrs *a = list; a; a = a->ifa_next)
		n++;
	h->addresses = calloc(n + 1, sizeof(*h->addresses));
	for (const struct ifaddrs *a = list; h->addresses && a; a = a->ifa_next)
		if (a->ifa_addr &&
		    !xtr_ip_from_sockaddr(a->ifa_addr, &h->addresses[h->address_count], NULL))
			h->address_count++;
	freeifaddrs(list);
	if_freenameindex(names);
	if (!h->interfaces || !h->addresses) {
		xtr_conf_host_free(h);
		return xtr_fail(err, -ENOMEM, "no memory");
	}
	return 0;
}

void xtr_conf_free(struct xtr_conf *c)
{
	if (!c)
		return;
	xtr_arena_free(&c->arena);
	free(c);
}

int xtr_conf_parse(const char *text, size_t len, const struct xtr_conf_host *host,
		   struct xtr_yaml_errors *errors, struct xtr_conf **out)
{
	struct xtr_conf *c = calloc(1, sizeof(*c));
	struct xtr_yaml *root;
	int rc;

	*out = NULL;
	if (!c)
		return -ENOMEM;
	rc = xtr_yaml_parse(text, len, &c->arena, errors, &root);
	if (!rc) {
		rc = xtr_schema_read(&xtr_conf_schema, root, &c->v, &c->arena, errors);
		/* Checks go on after errors of the table: entries with an error are left out of the
		 * lists. */
		if (rc != -ENOMEM && host)
			rc = xtr_conf_read_keys(c, errors);
		if (rc != -ENOMEM && (!root || root->kind == XTR_YAML_MAP))
			rc = xtr_conf_check(c, host, errors);
	}
	if (rc != -ENOMEM && (errors->count || errors->dropped))
		rc = -EINVAL;
	if (!rc)
		rc = xtr_conf_build(c);
	if (rc) {
		xtr_conf_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

/* Whole file, at most XTR_CONF_SIZE_MAX. 0 or -errno. */
static int read_file(const char *path, char **out, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	char *buf = NULL;
	struct stat st;
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		rc = -errno;
	else if (S_ISDIR(st.st_mode))
		rc = -EISDIR;
	else if (st.st_size > (off_t)XTR_CONF_SIZE_MAX)
		rc = -EFBIG;
	/* A pipe (xtrd --check /dev/stdin) has no size: room for the most. */
	size_t room = S_ISREG(st.st_mode) ? (size_t)st.st_size + 1 : XTR_CONF_SIZE_MAX;

	if (!rc && !(buf = malloc(room)))
		rc = -ENOMEM;
	while (!rc && at < room) {
		n = read(fd, buf + at, room - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = -errno;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(fd);
	if (rc) {
		free(buf);
		return rc;
	}
	*out = buf;
	*len = at;
	return 0;
}

int xtr_conf_load(const char *path, struct xtr_yaml_errors *errors, struct xtr_conf **out)
{
	struct xtr_conf_host host;
	struct xtr_err err;
	char *text = NULL;
	size_t len = 0;
	int rc;

	*out = NULL;
	rc = read_file(path, &text, &len);
	if (rc) {
		xtr_yaml_fail(errors, 0, 0, "%s; %s", strerror(-rc),
			      rc == -ENOENT ? "write one, or name another with --config" :
			      rc == -EACCES ? "run as the user that may read it" :
					      "name a readable file with --config");
		return rc;
	}
	rc = xtr_conf_host_read(&host, &err);
	if (rc) {
		xtr_yaml_fail(errors, 0, 0, "%s; try again", err.text);
	} else {
		rc = xtr_conf_parse(text, len, &host, errors, out);
		if (!rc && !((*out)->dp.file = xtr_arena_copy(&(*out)->arena, path, strlen(path)))) {
			xtr_conf_free(*out);
			*out = NULL;
			rc = -ENOMEM;
		}
		xtr_conf_host_free(&host);
	}
	free(text);
	return rc;
}

int xtr_conf_check_reload(const struct xtr_conf *old, const struct xtr_conf *new,
			  struct xtr_yaml_errors *errors)
{
	const struct xtr_yaml *at = xtr_yaml_get(new->v.at, "interfaces");

	xtr_schema_check_restart(&xtr_conf_schema, &old->v, &new->v, errors);
	xtr_conf_check_tenants_reload(old, new, errors);
	if (old->data_plane != new->data_plane)
		xtr_yaml_fail_at(errors, at ? at : new->v.at,
				 "`interfaces` %s while xtrd runs; restart it",
				 new->data_plane ? "can not come" : "can not go");
	return errors->count || errors->dropped ? -EINVAL : 0;
}
