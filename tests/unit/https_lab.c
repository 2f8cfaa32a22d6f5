// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An HTTPS server of a thread for each connection, with a certificate it makes for itself; see https_lab.h. */
#include "https_lab.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct conn { struct https_lab *lab; SSL *ssl; int fd; };

static size_t header_number(const char *head, const char *name)
{
	const char *p = strcasestr(head, name);

	return p ? strtoul(p + strlen(name), NULL, 10) : 0;
}

/* One request; false at the end of the connection. */
static bool read_request(SSL *ssl, struct https_request *q)
{
	char *end = NULL;
	size_t n = 0, want;
	int got;

	memset(q, 0, sizeof(*q));
	while (!end) {
		if (n + 1 >= sizeof(q->head))
			return false;
		got = SSL_read(ssl, q->head + n, 1); /* octet by octet: the body stays where it is */
		if (got <= 0)
			return false;
		n += (size_t)got;
		end = strstr(q->head, "\r\n\r\n");
	}
	want = header_number(q->head, "Content-Length:");
	if (want > sizeof(q->body))
		return false;
	while (q->len < want) {
		got = SSL_read(ssl, q->body + q->len, (int)(want - q->len));
		if (got <= 0)
			return false;
		q->len += (size_t)got;
	}
	return true;
}

static void *serve(void *arg)
{
	struct conn *c = arg;
	struct https_lab *l = c->lab;
	struct https_request q;
	char head[1024];
	int n;

	while (SSL_accept(c->ssl) == 1 && read_request(c->ssl, &q)) {
		struct https_reply r = { .code = 200, .claim = -2 };

		__atomic_add_fetch(&l->requests, 1, __ATOMIC_SEQ_CST);
		l->handler(l->arg, &q, &r);
		if (r.delay_ms && poll(&(struct pollfd){ l->quit[0], POLLIN, 0 }, 1, (int)r.delay_ms) > 0)
			break;
		if (!r.code)
			break;
		n = snprintf(head, sizeof(head), "HTTP/1.1 %d Because\r\n%s", r.code, r.headers);
		if (r.claim != -1)
			n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %ld\r\n",
				      r.claim == -2 ? (long)r.len : r.claim);
		n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
		if (SSL_write(c->ssl, head, n) <= 0)
			break;
		if (r.len && SSL_write(c->ssl, r.body, (int)r.len) <= 0)
			break;
		if (r.claim == -1)
			break;
	}
	SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	shutdown(c->fd, SHUT_RDWR); /* https_lab_stop closes it */
	free(c);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct https_lab *l = arg;

	for (;;) {
		int fd = accept(l->fd, NULL, NULL);
		struct conn *c;

		if (fd < 0)
			return NULL;
		if (l->conns == HTTPS_LAB_CONNS) {
			close(fd);
			continue;
		}
		__atomic_add_fetch(&l->connections, 1, __ATOMIC_SEQ_CST);
		c = calloc(1, sizeof(*c));
		c->lab = l;
		c->fd = fd;
		c->ssl = SSL_new(l->ctx);
		SSL_set_fd(c->ssl, fd);
		l->conn[l->conns].fd = fd;
		if (pthread_create(&l->conn[l->conns].thread, NULL, serve, c) == 0)
			l->conns++;
	}
}

static void certificate(struct https_lab *l, const char *san)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_EXTENSION *ext;
	FILE *f;
	int fd;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), getpid());
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const uint8_t *)"xtr test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	cr_assert(ext);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	cr_assert_gt(X509_sign(x, key, EVP_sha256()), 0);
	snprintf(l->ca, sizeof(l->ca), "/tmp/xtr-https-XXXXXX");
	fd = mkstemp(l->ca);
	cr_assert_geq(fd, 0);
	f = fdopen(fd, "w");
	cr_assert(PEM_write_X509(f, x));
	fclose(f);
	cr_assert_eq(SSL_CTX_use_certificate(l->ctx, x), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(l->ctx, key), 1);
	X509_free(x);
	EVP_PKEY_free(key);
}

void https_lab_start(struct https_lab *l, const char *san, https_handler *handler, void *arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	signal(SIGPIPE, SIG_IGN);
	memset(l, 0, sizeof(*l));
	l->handler = handler;
	l->arg = arg;
	l->ctx = SSL_CTX_new(TLS_server_method());
	certificate(l, san);
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(l->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	cr_assert_eq(getsockname(l->fd, (struct sockaddr *)&a, &size), 0);
	cr_assert_eq(listen(l->fd, 64), 0);
	l->port = ntohs(a.sin_port);
	cr_assert_eq(pipe(l->quit), 0);
	cr_assert_eq(pthread_create(&l->accepts, NULL, accept_all, l), 0);
}

void https_lab_stop(struct https_lab *l)
{
	unlink(l->ca);
	shutdown(l->fd, SHUT_RDWR);
	pthread_join(l->accepts, NULL);
	close(l->quit[1]);
	for (unsigned i = 0; i < l->conns; i++) {
		shutdown(l->conn[i].fd, SHUT_RDWR);
		pthread_join(l->conn[i].thread, NULL);
		close(l->conn[i].fd);
	}
	close(l->quit[0]);
	close(l->fd);
	SSL_CTX_free(l->ctx);
}
