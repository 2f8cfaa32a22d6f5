// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A sequenced UDP stream at a rate that a script cannot reach, and what became of it.
 *
 *   stream recv ADDRESS PORT COUNT [IDLE]      prints "ready", then one JSON object
 *   stream send ADDRESS PORT COUNT RATE        RATE datagrams a second; prints one JSON object
 *
 * A datagram: its number and the time it was sent at (64 bits each, big-endian), and 84 octets that follow from the
 * number. recv ends when all COUNT have come, or nothing came for IDLE seconds (default 3) after the first. It counts
 * what is missing, what came twice, what came behind a later one, what was damaged, the longest silence, and where the
 * missing are. SIGTERM ends a sender early; it tells the receiver after how many (END). A sender that was kept from running catches up in steps: never more than 32 datagrams at once, or it
 * would fill queues that the stream itself does not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIZE  100
#define BURST 32
#define END   UINT64_MAX /* as a number: the time is how many there were */

static volatile sig_atomic_t stopped;

static void stop(int sig) { stopped = sig; }

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static void fill(uint8_t *p, uint64_t seq)
{
	for (unsigned i = 16; i < SIZE; i++)
		p[i] = (uint8_t)(seq + i);
}

static int open_socket(const char *address, const char *port, int to)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *ai;
	int fd, size = 64 << 20;

	if (getaddrinfo(address, port, &hints, &ai)) {
		fprintf(stderr, "stream: %s port %s: no address\n", address, port);
		exit(2);
	}
	fd = socket(ai->ai_family, SOCK_DGRAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd < 0 || (to ? connect(fd, ai->ai_addr, ai->ai_addrlen) : bind(fd, ai->ai_addr, ai->ai_addrlen))) {
		fprintf(stderr, "stream: %s port %s: %s\n", address, port, strerror(errno));
		exit(2);
	}
	freeaddrinfo(ai);
	return fd;
}

static void print_missing(const uint8_t *seen, uint64_t count)
{
	unsigned runs = 0;

	printf("\"missing\":[");
	for (uint64_t i = 0; i < count && runs < 10; i++) {
		uint64_t end = i;

		if (seen[i])
			continue;
		while (end + 1 < count && !seen[end + 1])
			end++;
		printf("%s\"%" PRIu64 "-%" PRIu64 "\"", runs++ ? "," : "", i, end);
		i = end;
	}
	printf("]}\n");
}

static int receive(int fd, uint64_t count, int idle_ms)
{
	uint64_t got = 0, unique = 0, twice = 0, late = 0, corrupt = 0, last = 0, gap = 0, gap_at = 0, highest = 0, first = 0;
	uint8_t *seen = calloc(1, count + 1), buf[2048], want[SIZE];

	if (!seen)
		return 2;
	printf("ready\n");
	fflush(stdout);
	while (unique < count) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t seq, now;
		ssize_t n;

		if (poll(&p, 1, got ? idle_ms : 15000) <= 0)
			break;
		n = recv(fd, buf, sizeof(buf), 0);
		now = now_ns();
		if (n == SIZE && get64(buf) == END) {
			count = get64(buf + 8) < count ? get64(buf + 8) : count;
			continue;
		}
		if (n != SIZE || (seq = get64(buf)) >= count) {
			corrupt++;
			continue;
		}
		fill(want, seq);
		corrupt += memcmp(buf + 16, want + 16, SIZE - 16) != 0;
		if (got && now - last > gap) {
			gap = now - last;
			gap_at = seq;
		}
		if (!got++)
			first = now - get64(buf + 8);
		last = now;
		late += seq < highest;
		highest = seq > highest ? seq : highest;
		twice += seen[seq];
		unique += !seen[seq];
		seen[seq] = 1;
	}
	printf("{\"received\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"reordered\":%" PRIu64
	       ",\"corrupt\":%" PRIu64 ",\"max_gap_ms\":%.3f,\"gap_at\":%" PRIu64 ",\"first_ms\":%.3f,",
	       got, count - unique, twice, late, corrupt, (double)gap / 1e6, gap_at, (double)first / 1e6);
	print_missing(seen, count);
	free(seen);
	return 0;
}

static int transmit(int fd, uint64_t count, uint64_t rate)
{
	uint64_t start = now_ns(), refused = 0;
	uint8_t buf[SIZE];
	int why = 0;

	signal(SIGTERM, stop);
	for (uint64_t seq = 0; seq < count;) {
		uint64_t due = (now_ns() - start) * rate / 1000000000, burst = 0;

		for (; seq < count && seq <= due && burst < BURST; seq++, burst++) {
			put64(buf, seq);
			put64(buf + 8, now_ns());
			fill(buf, seq);
			if (send(fd, buf, SIZE, 0) != SIZE) { /* said, not hidden */
				refused++;
				why = errno;
			}
		}
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
		if (stopped)
			count = seq;
	}
	for (int i = 0; stopped && i < 5; i++) {
		put64(buf, END);
		put64(buf + 8, count);
		send(fd, buf, SIZE, 0);
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	printf("{\"sent\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"error\":\"%s\",\"seconds\":%.3f}\n", count, refused,
	       why ? strerror(why) : "", (double)(now_ns() - start) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;

	if (count && !strcmp(argv[1], "recv"))
		return receive(open_socket(argv[2], argv[3], 0), count, argc > 5 ? atoi(argv[5]) * 1000 : 3000);
	if (count && argc > 5 && !strcmp(argv[1], "send"))
		return transmit(open_socket(argv[2], argv[3], 1), count, strtoull(argv[5], NULL, 10));
	fprintf(stderr, "usage: stream recv ADDRESS PORT COUNT [IDLE] | stream send ADDRESS PORT COUNT RATE\n");
	return 2;
}
