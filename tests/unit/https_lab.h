/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An HTTPS server of the test's own on 127.0.0.1: HTTP/1.1 over TLS, a thread for each connection, a
 * certificate made for the occasion. What it answers is the test's business.
 */
#ifndef XTR_TESTS_HTTPS_LAB_H
#define XTR_TESTS_HTTPS_LAB_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct https_request {
	char head[4096]; /* request line and headers */
	uint8_t body[8192];
	size_t len;
};
struct https_reply {
	int code; /* 0: close the connection without a word */
	char headers[512]; /* each with CR LF */
	const uint8_t *body;
	size_t len;
	long claim;	   /* Content-Length if not len; -1: none, until the end of the connection */
	unsigned delay_ms;
};
typedef void https_handler(void *arg, const struct https_request *q, struct https_reply *r);

#define HTTPS_LAB_CONNS 256
struct https_lab {
	uint16_t port;
	char ca[64]; /* file with the certificate, which signed itself */
	/* private */
	int fd;
	void *ctx;
	https_handler *handler;
	void *arg;
	unsigned connections, requests;
	int quit[2];
	pthread_t accepts;
	struct { pthread_t thread; int fd; } conn[HTTPS_LAB_CONNS];
	unsigned conns;
};

/* For the host name or address `san` ("DNS:dns.test", "IP:127.0.0.1"). */
void https_lab_start(struct https_lab *l, const char *san, https_handler *handler, void *arg);
void https_lab_stop(struct https_lab *l); /* when it returns none of its threads is left, nor what they had */

#endif
