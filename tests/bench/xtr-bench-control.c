// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Load for a Map-Server, from one process that plays many tunnel routers:
 *
 *   register   authenticated Map-Registers (HMAC-SHA-256), each waits for its Map-Notify
 *   request    Map-Requests in ECMs, each waits for its Map-Reply
 *
 * All messages are made before the clock starts, so that the client never is what is measured; at most --window of them
 * are on the way, so that no socket overflows. The figure is answers per second of CPU time of the daemon (--pid), which is
 * what "from one core" means also on a machine that is busy; of wall time besides.
 *
 * EID-prefix number i is 12.0.0.0 + 16 i, length 28. A hundred of them belong to one xTR, which has an xTR-ID of its own.
 */
#include "codec/auth.h"
#include "codec/msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, OF_ONE_XTR = 100, PORT = 4999 };

static struct {
	const char *to, *key, *rlocs;
	unsigned prefixes, count, records, window, pid, cpu;
} o = { .to = "172.16.0.1", .key = "secret", .rlocs = "172.20.0.0", .prefixes = 1000, .count = 1000, .records = 1, .window = 512 };

static struct message {
	uint8_t *buf;
	size_t len;
} *messages;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "xtr-bench-control: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

static uint64_t ns(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t server_cpu(void) /* ns, of the daemon's only thread that works */
{
	unsigned long long v = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/schedstat", o.pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &v) != 1)
		die("%s: %s", path, strerror(errno));
	fclose(f);
	return v;
}

static struct xtr_eid_prefix prefix(unsigned i)
{
	struct xtr_eid_prefix e;
	char text[64];
	uint32_t a = (12u << 24) + (i << 4);

	snprintf(text, sizeof(text), "%u.%u.%u.%u/28", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	if (xtr_eid_parse(text, &e))
		die("%s: no EID-prefix", text);
	return e;
}

static struct xtr_ip rloc(unsigned i) /* one of 4096 addresses of ours */
{
	struct xtr_ip ip;
	uint32_t a;

	if (inet_pton(AF_INET, o.rlocs, &a) != 1)
		die("%s: no IPv4 address", o.rlocs);
	a = htonl(ntohl(a) + 1 + i % 4096);
	memset(&ip, 0, sizeof(ip));
	ip.family = 4;
	memcpy(ip.a, &a, 4);
	return ip;
}

static void keep(struct message *m, const uint8_t *buf, size_t len)
{
	m->buf = malloc(len);
	if (!m->buf)
		die("no memory");
	memcpy(m->buf, buf, len);
	m->len = len;
}

/* Prefixes first..first+n of one xTR. The nonce is above that of every message before it. */
static void make_register(struct message *m, unsigned first, unsigned n, uint64_t nonce)
{
	const struct xtr_register_out head = { .type = XTR_MSG_MAP_REGISTER, .flags = XTR_REG_P | XTR_REG_M | XTR_REG_I,
					       .nonce = nonce, .alg_id = XTR_AUTH_SHA256, .record_count = (uint8_t)n };
	static const uint8_t site[8];
	uint8_t buf[4096], id[16] = { 1 };
	struct xtr_wr w = xtr_wr_init(buf, sizeof(buf));
	struct xtr_ip ip = rloc(first / OF_ONE_XTR);
	unsigned xtr = first / OF_ONE_XTR;

	memcpy(id + 8, &xtr, sizeof(xtr));
	xtr_register_begin(&w, &head);
	for (unsigned i = first; i < first + n; i++) {
		struct xtr_record_head h = { .ttl = 1440, .authoritative = true };
		struct xtr_eid_prefix e = prefix(i);
		size_t mark = xtr_put_record_begin(&w, &h, &e);

		xtr_put_locator(&w, 1, 100, 255, 0, true, false, true, &ip);
		xtr_put_record_end(&w, mark, 1);
	}
	xtr_put_ids(&w, id, site);
	if (w.err || xtr_auth_sign(buf, xtr_wr_len(&w), 16, (size_t)xtr_auth_len(XTR_AUTH_SHA256), XTR_MSG_MAP_REGISTER,
				   XTR_AUTH_SHA256, nonce, (const uint8_t *)o.key, strlen(o.key)))
		die("Map-Register: %s", strerror(-w.err));
	keep(m, buf, xtr_wr_len(&w));
}

static void make_request(struct message *m, unsigned i, uint64_t nonce)
{
	struct xtr_eid_prefix e = prefix((unsigned)((uint64_t)i * 7919 % o.prefixes));
	struct xtr_ip ip = rloc(i), dst = { .family = 4 };
	struct xtr_mreq_out r = { .nonce = nonce, .itr_rlocs = &ip, .itr_rloc_count = 1, .eid = &e };
	uint8_t msg[512], buf[1024];
	struct xtr_wr w = xtr_wr_init(msg, sizeof(msg)), out = xtr_wr_init(buf, sizeof(buf));

	e.a[3] |= 1;
	e.len = 32;
	memcpy(dst.a, e.a, 4);
	xtr_map_request_encode(&w, &r);
	xtr_ecm_encode(&out, &ip, PORT, &dst, 4342, msg, xtr_wr_len(&w));
	if (w.err || out.err)
		die("Map-Request: %s", strerror(w.err ? -w.err : -out.err));
	keep(m, buf, xtr_wr_len(&out));
}

static unsigned take(int fd, int wait)
{
	static uint8_t buf[BATCH][2048];
	struct pollfd p = { fd, POLLIN, 0 };
	struct mmsghdr m[BATCH];
	struct iovec io[BATCH];
	int n;

	if (wait)
		poll(&p, 1, wait);
	for (int i = 0; i < BATCH; i++) {
		io[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &io[i], .msg_iovlen = 1 } };
	}
	n = recvmmsg(fd, m, BATCH, MSG_DONTWAIT, NULL);
	return n < 0 ? 0 : (unsigned)n;
}

static int run(unsigned count, uint16_t port)
{
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(port) },
			   to = { .sin_family = AF_INET, .sin_port = htons(4342) };
	unsigned sent = 0, answered = 0, quiet = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 32 << 20;
	uint64_t cpu, wall;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(o.cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (inet_pton(AF_INET, o.to, &to.sin_addr) != 1 || bind(fd, (void *)&me, sizeof(me)))
		die("%s, port %d: %s", o.to, port, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	cpu = server_cpu();
	wall = ns(CLOCK_MONOTONIC);
	while (answered < count && quiet < 1000) {
		struct mmsghdr m[BATCH];
		struct iovec io[BATCH];
		unsigned n = 0, got;
		int r = 0;

		for (; n < BATCH && sent + n < count && sent + n - answered < o.window; n++) {
			io[n] = (struct iovec){ messages[sent + n].buf, messages[sent + n].len };
			m[n] = (struct mmsghdr){ .msg_hdr = { &to, sizeof(to), &io[n], 1, NULL, 0, 0 } };
		}
		if (n)
			r = sendmmsg(fd, m, n, 0);
		sent += r > 0 ? (unsigned)r : 0;
		got = take(fd, n ? 0 : 20);
		answered += got;
		quiet = got || n ? 0 : quiet + 1; /* twenty seconds without a word: what is missing is lost */
	}
	cpu = server_cpu() - cpu;
	wall = ns(CLOCK_MONOTONIC) - wall;
	printf("{\"sent\": %u, \"answered\": %u, \"seconds\": %.3f, \"per_second\": %.0f, \"server_cpu\": %.3f, \"per_core\": %.0f}\n", sent,
	       answered, (double)wall / 1e9, answered * 1e9 / (double)wall, (double)cpu / 1e9, answered * 1e9 / (double)cpu);
	return answered == count ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "to", 1, 0, 't' },	  { "key", 1, 0, 'k' },	   { "rlocs", 1, 0, 'r' }, { "prefixes", 1, 0, 'n' }, { "count", 1, 0, 'c' },
		{ "records", 1, 0, 'R' }, { "window", 1, 0, 'w' }, { "pid", 1, 0, 'p' },   { "cpu", 1, 0, 'C' },      { 0 },
	};
	uint64_t nonce = ns(CLOCK_REALTIME);
	unsigned at = 0;
	bool reg;
	int c;

	reg = argc > 1 && !strcmp(argv[1], "register");
	if (!reg && (argc < 2 || strcmp(argv[1], "request")))
		die("usage: xtr-bench-control register|request --to ADDRESS --pid PID ... (see the source)");
	optind = 2;
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (c) {
		case 't': o.to = optarg; break;
		case 'k': o.key = optarg; break;
		case 'r': o.rlocs = optarg; break;
		case 'n': o.prefixes = (unsigned)atoi(optarg); break;
		case 'c': o.count = (unsigned)atoi(optarg); break;
		case 'R': o.records = (unsigned)atoi(optarg); break;
		case 'w': o.window = (unsigned)atoi(optarg); break;
		case 'p': o.pid = (unsigned)atoi(optarg); break;
		case 'C': o.cpu = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	if (!o.records || OF_ONE_XTR % o.records || !o.prefixes || o.prefixes % o.records)
		die("--records must divide 100 and --prefixes");
	messages = calloc(o.count, sizeof(*messages));
	if (!messages)
		die("no memory");
	for (unsigned i = 0; i < o.count; i++, at = (at + o.records) % o.prefixes) {
		if (reg)
			make_register(&messages[i], at, o.records, nonce + i);
		else
			make_request(&messages[i], i, nonce + i);
	}
	return run(o.count, reg ? 4342 : PORT); /* a Map-Notify comes to the port of LISP, a Map-Reply to that of the question */
}
