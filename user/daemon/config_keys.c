// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Key files: the first line of a regular file that only its owner can read. The octets are the key
 * as they are, only the newline is not part of it. Secrets live in the arena of the configuration,
 * which wipes what it frees; no message ever holds one.
 */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/params.h"

#define SECRET_MAX     512
#define PUBLIC_KEY_MAX 8192

/* The text after the ';' is the way out. */
static int read_secret(struct xtr_conf *c, struct xtr_conf_key *k, struct xtr_yaml_errors *errors,
		       const struct xtr_yaml *at)
{
	char buf[SECRET_MAX + 2];
	struct passwd *pw = c->v.user ? getpwnam(c->v.user) : NULL;
	int fd = open(k->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = -EINVAL;
	struct stat st;
	ssize_t n;
	char *nl;

	if (fd < 0 || fstat(fd, &st)) {
		xtr_yaml_fail_at(errors, at, "key file %s: %s; %s", k->file, strerror(errno),
				 errno == ENOENT ? "write the secret into it, mode 0600" :
				 pw && errno == EACCES ? "a start with `user` needs CAP_DAC_OVERRIDE for it (systemd: see the unit)" :
							 "make it readable for xtrd");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		xtr_yaml_fail_at(
			errors, at,
			"key file %s is not a regular file; name a file with the secret in its first line",
			k->file);
		goto out;
	}
	if (st.st_mode & 077) {
		xtr_yaml_fail_at(
			errors, at,
			"key file %s has mode %04o: others than its owner can use it; chmod 0600 %s",
			k->file, (unsigned)st.st_mode & 07777, k->file);
		goto out;
	}
	if (pw && st.st_uid != pw->pw_uid) {
		xtr_yaml_fail_at(
			errors, at,
			"key file %s does not belong to user %s, who could not read it at a reload; chown %s %s",
			k->file, c->v.user, c->v.user, k->file);
		goto out;
	}
	n = read(fd, buf, sizeof(buf));
	if (n < 0) {
		xtr_yaml_fail_at(errors, at, "key file %s: %s; make it readable", k->file,
				 strerror(errno));
		goto out;
	}
	nl = memchr(buf, '\n', (size_t)n);
	k->secret_len = nl ? (size_t)(nl - buf) : (size_t)n;
	if (!k->secret_len) {
		xtr_yaml_fail_at(
			errors, at,
			"key file %s has nothing in its first line; write the secret there",
			k->file);
		goto out;
	}
	if (k->secret_len > SECRET_MAX) {
		xtr_yaml_fail_at(
			errors, at,
			"key file %s has more than %u octets in its first line; take a shorter secret",
			k->file, SECRET_MAX);
		goto out;
	}
	k->secret = (const uint8_t *)xtr_arena_copy(&c->arena, buf, k->secret_len);
	rc = k->secret ? 0 : -ENOMEM;
out:
	explicit_bzero(buf, sizeof(buf));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int read_one(struct xtr_conf *c, struct xtr_conf_key *k, struct xtr_yaml_errors *errors)
{
	return k->file ? read_secret(c, k, errors, xtr_yaml_get(k->at, "key-file")) : 0;
}

/* Public keys are no secret, but wrong ones are better found now. */
static int read_public_key(struct xtr_conf *c, struct xtr_yaml_errors *errors)
{
	struct xtr_conf_params *p = &c->v.decent.parameters;
	const struct xtr_yaml *at = xtr_yaml_get(p->at, "public-key");
	char buf[PUBLIC_KEY_MAX + 1];
	const char *why;
	ssize_t n;
	int fd;

	if (!p->public_key_file)
		return 0;
	fd = open(p->public_key_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));
	if (n < 0)
		xtr_yaml_fail_at(errors, at, "public key %s: %s; name a PEM file that xtrd can read",
				 p->public_key_file, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -EINVAL;
	buf[n < (ssize_t)sizeof(buf) ? n : 0] = '\0';
	why = xtr_params_check_key(buf);
	if (why) {
		xtr_yaml_fail_at(errors, at,
				 "public key %s %s; make one with openssl: genpkey -algorithm ed25519, then pkey -pubout",
				 p->public_key_file, why);
		return -EINVAL;
	}
	p->public_key = xtr_arena_copy(&c->arena, buf, (size_t)n);
	return p->public_key ? 0 : -ENOMEM;
}

static int read_decent(struct xtr_conf *c, struct xtr_yaml_errors *errors)
{
	struct xtr_conf_decent *d = &c->v.decent;
	int rc = read_one(c, &d->pull.server.key, errors), one;

	for (unsigned i = 0; i < d->pull.keys.count; i++) {
		one = read_one(c, &d->pull.keys.items[i].key, errors);
		rc = one ? one : rc;
	}
	one = read_one(c, &d->push.server.key, errors);
	rc = one ? one : rc;
	one = read_one(c, &d->core.server.key, errors);
	rc = one ? one : rc;
	one = read_public_key(c, errors);
	return one ? one : rc;
}

int xtr_conf_read_keys(struct xtr_conf *c, struct xtr_yaml_errors *errors)
{
	int rc = 0, one;

	for (unsigned i = 0; i < c->v.etr.map_servers.count; i++) {
		one = read_one(c, &c->v.etr.map_servers.items[i].server.key, errors);
		rc = one ? one : rc;
	}
	for (unsigned i = 0; i < c->v.ms.sites.count; i++) {
		struct xtr_conf_site *s = &c->v.ms.sites.items[i];

		one = read_one(c, &s->key, errors);
		rc = one ? one : rc;
		for (unsigned j = 0; j < s->keys.count; j++) {
			one = read_one(c, &s->keys.items[j], errors);
			rc = one ? one : rc;
		}
	}
	one = read_decent(c, errors);
	return one ? one : rc;
}
