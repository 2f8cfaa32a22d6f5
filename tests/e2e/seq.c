// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Traffic whose loss, order and content can be proved: TCP hides loss, ping hides order, iperf3 looks at no content. A C
 * program because scripts start it thousands of times.
 *
 *   seq recv  --bind ADDR --port P --count N [--idle S] [--wait S]
 *   seq send  --to ADDR --port P --count N [--interval MS] [--size OCTETS] [--bind ADDR] [--sport P] [--gso N] [--flows N]
 *   seq sink  --bind ADDR --port P [--wait S]           one TCP connection in
 *   seq blast --to ADDR --port P --octets N [--bind ADDR] [--seconds S]
 *
 * recv and sink print "ready" when they listen. recv prints one JSON object at the end: received, unique, lost,
 * duplicates, reordered, corrupt, max_gap_ms, first_ms (send to receive of the first datagram), flows, missing (the first
 * 20). It ends when all N have arrived, or nothing came for --idle seconds after the first (--wait seconds before it).
 * send prints sent, refused (by the own stack: an ICMP error, no buffer), errors, seconds. blast prints same (each octet
 * arrived, and as it was sent), seconds, connect_ms, mbit_s; its status is 0 if so.
 *
 * A datagram: "XTRS", flow (16 bit), sequence number (32), send time in ns (64), then octets that follow from the
 * sequence number. What goes over TCP are 64-bit words that follow from their place, so that the receiver can tell.
 * --gso N hands N datagrams at a time to the kernel as one (UDP_SEGMENT). --flows uses that many source ports in turn.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#define HEAD	  18
#define SIZE_MAX_ 65507
#define FLOWS_MAX 32768
#define BLOCK	  65536

struct opt {
	const char *bind, *to, *port;
	unsigned long count, size, gso, flows, octets, sport;
	double interval, idle, wait, seconds;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void put(uint8_t *p, uint64_t v, unsigned octets)
{
	while (octets--) {
		p[octets] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get(const uint8_t *p, unsigned octets)
{
	uint64_t v = 0;

	while (octets--)
		v = v << 8 | *p++;
	return v;
}

static void die(const char *what, const char *name)
{
	fprintf(stderr, "seq: %s %s: %s\n", what, name, strerror(errno));
	exit(2);
}

static struct addrinfo *address(const char *a, const char *port, int type)
{
	struct addrinfo hints = { .ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *ai;

	if (!a || getaddrinfo(a, port, &hints, &ai)) {
		fprintf(stderr, "seq: no address: %s port %s\n", a ? a : "(none)", port);
		exit(2);
	}
	return ai;
}

static int listen_on(const struct opt *o, int type)
{
	struct addrinfo *ai = address(o->bind, o->port, type);
	int fd = socket(ai->ai_family, type, 0), one = 1, size = 64 << 20;

	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) || (type == SOCK_STREAM && listen(fd, 1)))
		die("bind", o->bind);
	freeaddrinfo(ai);
	printf("ready\n");
	fflush(stdout);
	return fd;
}

static int connected(const struct opt *o, int type, unsigned long sport)
{
	struct addrinfo *ai = address(o->to, o->port, type);
	int fd = socket(ai->ai_family, type, 0), one = 1;

	if (fd < 0)
		die("socket for", o->to);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (o->bind || sport) {
		const char *any = ai->ai_family == AF_INET6 ? "::" : "0.0.0.0";
		char port[24];
		struct addrinfo *own;

		snprintf(port, sizeof(port), "%lu", sport);
		own = address(o->bind ? o->bind : any, port, type);
		if (bind(fd, own->ai_addr, own->ai_addrlen))
			die("bind", o->bind ? o->bind : any);
		freeaddrinfo(own);
	}
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		die("connect to", o->to);
	freeaddrinfo(ai);
	return fd;
}

static bool readable(int fd, double seconds)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, (int)(seconds * 1000)) > 0;
}

/* ---- UDP */

static void fill(uint8_t *p, uint64_t seq, unsigned long size)
{
	for (unsigned long i = HEAD; i < size; i++)
		p[i] = (uint8_t)(seq + i - HEAD);
}

struct heard {
	uint64_t received, unique, duplicates, reordered, corrupt;
	uint64_t highest[65536]; /* of a flow, plus one */
	unsigned flows;
	uint8_t *seen;
	double gap_ms, first_ms;
};

static void hear(struct heard *h, const struct opt *o, const uint8_t *data, size_t len, uint64_t now, uint64_t last)
{
	static uint8_t want[SIZE_MAX_ + 1];
	uint64_t flow, seq;

	if (len < HEAD || memcmp(data, "XTRS", 4) || (seq = get(data + 6, 4)) >= o->count) {
		h->corrupt++;
		return;
	}
	flow = get(data + 4, 2);
	fill(want, seq, len);
	h->corrupt += memcmp(data + HEAD, want + HEAD, len - HEAD) != 0;
	h->duplicates += h->seen[seq];
	h->unique += !h->seen[seq];
	h->seen[seq] = 1;
	h->flows += !h->highest[flow];
	h->reordered += seq + 1 < h->highest[flow];
	if (seq + 1 > h->highest[flow])
		h->highest[flow] = seq + 1;
	if (!h->received++)
		h->first_ms = (double)(int64_t)(now - get(data + 10, 8)) / 1e6;
	else if ((double)(now - last) / 1e6 > h->gap_ms)
		h->gap_ms = (double)(now - last) / 1e6;
}

static int do_recv(const struct opt *o)
{
	static uint8_t data[SIZE_MAX_ + 1];
	static struct heard h;
	uint64_t last = 0;
	unsigned said = 0;
	int fd = listen_on(o, SOCK_DGRAM);

	h.seen = calloc(o->count + 1, 1);
	if (!h.seen)
		die("memory for", "the numbers");
	while (h.unique < o->count && readable(fd, last ? o->idle : o->wait)) {
		ssize_t n = recv(fd, data, sizeof(data), 0);
		uint64_t now = now_ns();

		if (n < 0)
			continue;
		hear(&h, o, data, (size_t)n, now, last);
		last = now;
	}
	printf("{\"received\":%lu,\"unique\":%lu,\"lost\":%lu,\"duplicates\":%lu,\"reordered\":%lu,\"corrupt\":%lu,"
	       "\"max_gap_ms\":%.3f,\"first_ms\":",
	       h.received, h.unique, o->count - h.unique, h.duplicates, h.reordered, h.corrupt, h.gap_ms);
	printf(h.received ? "%.3f" : "null", h.first_ms);
	printf(",\"flows\":%u,\"missing\":[", h.flows);
	for (unsigned long i = 0; i < o->count && said < 20; i++)
		if (!h.seen[i])
			printf("%s%lu", said++ ? "," : "", i);
	printf("]}\n");
	free(h.seen);
	close(fd);
	return 0;
}

/* Datagrams [seq, seq + n) as one message; more than one: the kernel cuts it. */
static bool send_batch(int fd, const struct opt *o, unsigned long flow, unsigned long seq, unsigned long n)
{
	static uint8_t buf[SIZE_MAX_ + 1];
	union {
		char at[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} anc = { .at = { 0 } };
	struct iovec iov = { .iov_base = buf, .iov_len = n * o->size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	for (unsigned long i = 0; i < n; i++) {
		uint8_t *p = buf + i * o->size;

		memcpy(p, "XTRS", 4);
		put(p + 4, flow, 2);
		put(p + 6, seq + i, 4);
		put(p + 10, now_ns(), 8);
		fill(p, seq + i, o->size);
	}
	if (o->gso > 1) {
		struct cmsghdr *c;
		uint16_t size = (uint16_t)o->size;

		m.msg_control = anc.at;
		m.msg_controllen = sizeof(anc.at);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(size));
		memcpy(CMSG_DATA(c), &size, sizeof(size));
	}
	return sendmsg(fd, &m, 0) == (ssize_t)iov.iov_len;
}

static int do_send(const struct opt *o)
{
	static int fds[FLOWS_MAX];
	unsigned long sent = 0, refused = 0, round = 0;
	int errors[8], n_errors = 0;
	struct rlimit files;
	uint64_t start;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (unsigned long i = 0; i < o->flows; i++)
		fds[i] = connected(o, SOCK_DGRAM, o->sport ? o->sport + i : 0);
	start = now_ns();
	for (unsigned long seq = 0; seq < o->count; seq += o->gso, round++) {
		unsigned long n = o->count - seq < o->gso ? o->count - seq : o->gso, flow = round % o->flows;
		uint64_t due = start + (uint64_t)((double)round * o->interval * 1e6);
		struct timespec at = { .tv_sec = (time_t)(due / 1000000000), .tv_nsec = (long)(due % 1000000000) };

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
			;
		if (send_batch(fds[flow], o, flow, seq, n)) {
			sent += n;
			continue;
		}
		refused += n;
		for (int i = 0; i <= n_errors && i < 8; i++)
			if (i == n_errors) {
				errors[n_errors++] = errno;
				break;
			} else if (errors[i] == errno) {
				break;
			}
	}
	printf("{\"sent\":%lu,\"refused\":%lu,\"errors\":[", sent, refused);
	for (int i = 0; i < n_errors; i++)
		printf("%s\"%s\"", i ? "," : "", strerror(errors[i]));
	printf("],\"seconds\":%.3f}\n", (double)(now_ns() - start) / 1e9);
	return 0;
}

/* ---- TCP */

static uint64_t word_at(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ull;
}

/* Octets [at, at + len) of the stream; at is a multiple of 8. */
static void content(uint8_t *p, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t w = word_at((at + i) / 8);

		memcpy(p + i, &w, len - i < 8 ? len - i : 8);
	}
}

/* Receives up to a block; 0 at the end, also when nothing comes. */
static size_t block(int fd, uint8_t *p, double wait)
{
	size_t have = 0;

	while (have < BLOCK && readable(fd, wait)) {
		ssize_t n = recv(fd, p + have, BLOCK - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

static int do_sink(const struct opt *o)
{
	static uint8_t data[BLOCK], want[BLOCK];
	int fd = listen_on(o, SOCK_STREAM), c;
	uint64_t octets = 0, wrong = 0;
	char line[80];
	size_t n;

	if (!readable(fd, o->wait) || (c = accept(fd, NULL, NULL)) < 0) {
		printf("{\"octets\":0,\"wrong\":0}\n");
		return 1;
	}
	while ((n = block(c, data, o->wait))) {
		content(want, octets, n);
		wrong += memcmp(data, want, n) != 0;
		octets += n;
		if (n < BLOCK)
			break;
	}
	/* Sent back over the same connection, so that the sender knows what arrived. */
	snprintf(line, sizeof(line), "{\"octets\":%lu,\"wrong\":%lu}", octets, wrong);
	if (send(c, line, strlen(line), MSG_NOSIGNAL) < 0)
		die("answer to", "the sender");
	printf("%s\n", line);
	close(c);
	return 0;
}

static int do_blast(const struct opt *o)
{
	struct timeval most = { .tv_sec = (time_t)o->seconds };
	uint64_t start = now_ns(), sent = 0, octets = 0, wrong = 1;
	static uint8_t data[BLOCK];
	char answer[256] = "";
	double connect_ms, took;
	size_t have = 0;
	ssize_t n;
	bool same;
	int fd = connected(o, SOCK_STREAM, 0);

	connect_ms = (double)(now_ns() - start) / 1e6;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
	while (sent < o->octets) {
		size_t len = o->octets - sent < BLOCK ? o->octets - sent : BLOCK, done = 0;

		content(data, sent, len);
		while (done < len) {
			n = send(fd, data + done, len - done, MSG_NOSIGNAL);
			if (n <= 0)
				die("send to", o->to);
			done += (size_t)n;
		}
		sent += len;
	}
	shutdown(fd, SHUT_WR);
	while (have < sizeof(answer) - 1 && (n = recv(fd, answer + have, sizeof(answer) - 1 - have, 0)) > 0)
		have += (size_t)n;
	took = (double)(now_ns() - start) / 1e9;
	same = sscanf(answer, "{\"octets\":%lu,\"wrong\":%lu}", &octets, &wrong) == 2 && octets == o->octets && !wrong;
	printf("{\"same\":%s,\"seconds\":%.3f,\"connect_ms\":%.3f,\"mbit_s\":%.1f}\n", same ? "true" : "false", took,
	       connect_ms, (double)o->octets * 8e-6 / took);
	close(fd);
	return !same;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "bind", 1, NULL, 'b' }, { "to", 1, NULL, 't' }, { "port", 1, NULL, 'p' }, { "sport", 1, NULL, 'P' },
		{ "count", 1, NULL, 'c' }, { "interval", 1, NULL, 'i' }, { "size", 1, NULL, 's' }, { "gso", 1, NULL, 'g' },
		{ "flows", 1, NULL, 'f' }, { "idle", 1, NULL, 'I' }, { "wait", 1, NULL, 'w' }, { "octets", 1, NULL, 'o' },
		{ "seconds", 1, NULL, 'S' }, { NULL, 0, NULL, 0 },
	};
	struct opt o = { .port = "5000", .count = 20, .size = 200, .gso = 1, .flows = 1, .octets = 2000000,
			 .interval = 1, .idle = 3, .wait = 15, .seconds = 45 };
	const char *what = argc > 1 ? argv[1] : "";
	int c;

	while ((c = getopt_long(argc - 1, argv + 1, "", names, NULL)) != -1)
		switch (c) {
		case 'b': o.bind = *optarg ? optarg : NULL; break;
		case 't': o.to = optarg; break;
		case 'p': o.port = optarg; break;
		case 'P': o.sport = strtoul(optarg, NULL, 10); break;
		case 'c': o.count = strtoul(optarg, NULL, 10); break;
		case 'i': o.interval = strtod(optarg, NULL); break;
		case 's': o.size = strtoul(optarg, NULL, 10); break;
		case 'g': o.gso = strtoul(optarg, NULL, 10); break;
		case 'f': o.flows = strtoul(optarg, NULL, 10); break;
		case 'I': o.idle = strtod(optarg, NULL); break;
		case 'w': o.wait = strtod(optarg, NULL); break;
		case 'o': o.octets = strtoul(optarg, NULL, 10); break;
		case 'S': o.seconds = strtod(optarg, NULL); break;
		default: return 2;
		}
	if (o.size < HEAD || !o.gso || o.gso * o.size > SIZE_MAX_ || !o.flows || o.flows > FLOWS_MAX) {
		fprintf(stderr, "seq: --size %lu, --gso %lu, --flows %lu: out of range\n", o.size, o.gso, o.flows);
		return 2;
	}
	if (!strcmp(what, "recv"))
		return do_recv(&o);
	if (!strcmp(what, "send"))
		return do_send(&o);
	if (!strcmp(what, "sink"))
		return do_sink(&o);
	if (!strcmp(what, "blast"))
		return do_blast(&o);
	fprintf(stderr, "usage: seq recv|send|sink|blast OPTIONS (see tests/e2e/seq.c)\n");
	return 2;
}
