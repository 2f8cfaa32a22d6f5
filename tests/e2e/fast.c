// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Senders for the end-to-end tests that are too fast, or too exact, for Python. Built by the scripts that use them.
 *
 *   fast scan IF SMAC DMAC SRC DST COUNT PPS   frames to COUNT IPv4 addresses from DST on, each once, in an order that
 *                                              is not that of the numbers; PPS 0: as fast as it goes
 *   fast burst BIND TO PORT COUNT US SIZE    datagrams exactly US microseconds apart, as `seq recv` wants them;
 *                                              BIND: local address, or - for none
 *
 * Both print one JSON object. Time is kept by asking for it until it has come: at 20 us sleeping is too coarse.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define FRAME 60

static void die(const char *what)
{
	fprintf(stderr, "fast: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void until(uint64_t at)
{
	while (now() < at)
		;
}

static uint16_t ip_sum(const uint8_t *p)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* UDP without a checksum, which IPv4 allows. */
static void frame(uint8_t *f, const uint8_t macs[12], uint32_t src, uint32_t dst)
{
	static const uint8_t head[] = { 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0 };
	static const uint8_t udp[] = { 0x30, 0x39, 0, 9, 0, 26, 0, 0 };
	uint16_t c;

	memset(f, 0, FRAME);
	memcpy(f, macs, 12);
	memcpy(f + 12, head, sizeof(head));
	memcpy(f + 26, &src, 4);
	dst = htonl(dst);
	memcpy(f + 30, &dst, 4);
	memcpy(f + 34, udp, sizeof(udp));
	c = htons(ip_sum(f + 14));
	memcpy(f + 24, &c, 2);
}

static void mac(const char *text, uint8_t out[6])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", out, out + 1, out + 2, out + 3, out + 4, out + 5) != 6)
		die(text);
}

static uint32_t common(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

static int scan(char **a)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = 6,
				  .sll_ifindex = (int)if_nametoindex(a[0]) };
	static uint8_t f[BATCH][FRAME];
	uint32_t src = inet_addr(a[3]), dst = ntohl(inet_addr(a[4])), count = (uint32_t)atol(a[5]), step;
	uint64_t pps = (uint64_t)atol(a[6]), start, sent = 0, lost = 0;
	struct mmsghdr m[BATCH] = { 0 };
	struct iovec io[BATCH];
	uint8_t macs[12];
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

	if (fd < 0 || !ll.sll_ifindex)
		die(a[0]);
	mac(a[1], macs + 6);
	mac(a[2], macs);
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	/* without a common divisor it meets every number of the range once */
	for (step = 2654435761u % count; common(step, count) != 1;)
		step++;
	start = now();
	for (uint64_t i = 0; i < count;) {
		unsigned n = 0;
		int r;

		if (pps)
			until(start + i * 1000000000 / pps);
		for (; n < BATCH && i < count; n++, i++) {
			frame(f[n], macs, src, dst + (uint32_t)(i * step % count));
			io[n] = (struct iovec){ f[n], FRAME };
			m[n].msg_hdr = (struct msghdr){ .msg_name = &ll, .msg_namelen = sizeof(ll), .msg_iov = &io[n], .msg_iovlen = 1 };
		}
		r = sendmmsg(fd, m, n, 0);
		if (r < 0 && errno != ENOBUFS)
			die("sendmmsg");
		sent += r < 0 ? 0 : (unsigned)r;
		lost += n - (r < 0 ? 0 : (unsigned)r);
	}
	printf("{\"sent\": %llu, \"refused\": %llu, \"seconds\": %.3f}\n", (unsigned long long)sent, (unsigned long long)lost,
	       (double)(now() - start) / 1e9);
	return 0;
}

static socklen_t address(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)atoi(port));
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1)
		die(text);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)atoi(port));
	return sizeof(*six);
}

static int burst(char **a)
{
	uint32_t count = (uint32_t)atol(a[3]), size = (uint32_t)atol(a[5]), refused = 0;
	uint64_t gap = (uint64_t)(atof(a[4]) * 1000), start, worst = 0;
	struct sockaddr_storage to, from;
	static uint8_t d[65536];
	socklen_t n = address(a[1], a[2], &to);
	int fd = socket(to.ss_family, SOCK_DGRAM, 0), big = 16 << 20;

	if (fd < 0 || size < 18 || size > sizeof(d))
		die("burst");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	if (strcmp(a[0], "-") && bind(fd, (struct sockaddr *)&from, address(a[0], "0", &from)))
		die(a[0]);
	if (connect(fd, (struct sockaddr *)&to, n))
		die(a[1]);
	start = now();
	for (uint32_t i = 0; i < count; i++) {
		uint64_t t, be;
		uint32_t seq = htonl(i);

		until(start + i * gap);
		t = now();
		if (t - start - i * gap > worst)
			worst = t - start - i * gap;
		be = htobe64(t);
		memcpy(d, "XTRS\0\0", 6);
		memcpy(d + 6, &seq, 4);
		memcpy(d + 10, &be, 8);
		for (uint32_t k = 18; k < size; k++)
			d[k] = (uint8_t)(i + k - 18);
		refused += send(fd, d, size, 0) != (ssize_t)size;
	}
	printf("{\"sent\": %u, \"refused\": %u, \"seconds\": %.4f, \"latest_us\": %.0f}\n", count - refused, refused,
	       (double)(now() - start) / 1e9, (double)worst / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 9 && !strcmp(argv[1], "scan"))
		return scan(argv + 2);
	if (argc == 8 && !strcmp(argv[1], "burst"))
		return burst(argv + 2);
	fprintf(stderr, "usage: fast scan IF SMAC DMAC SRC DST COUNT PPS | fast burst BIND TO PORT COUNT US SIZE\n");
	return 2;
}
