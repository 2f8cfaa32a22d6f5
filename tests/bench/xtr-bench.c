// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Hands of the benchmark. Each command does one thing and prints one line of JSON:
 *
 *   packets   makes frames with live frames of BPF_PROG_TEST_RUN in one long system call, counts them where they arrive,
 *             and tells packets per second and CPU time per packet (sender thread and ksoftirqd: wall time moves more);
 *             --warm: so many frames before, and twice as many to find out how many fit into the time
 *   raw       the same from an AF_PACKET socket
 *   hold      keeps an XDP program (pass, redirect) on a device until it is killed
 *   gso       UDP datagrams by UDP_SEGMENT, counted at a socket in another network namespace
 *   cold      numbered UDP datagrams to one destination after the other; how long the first of each took, how many were lost
 *   fill      writes prefixes into the pinned trie of a map-cache, all as the entry that --like has
 *
 * It runs in the network namespace of the sender; the other end is named by --sink-netns.
 */
#include "bench/hands.h"

#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "xtr/abi.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static struct {
	const char *dev, *sink_dev, *sink_netns, *sink, *src, *dst, *dmac, *smac, *prog, *pin, *like;
	unsigned len, dests, shift, ports, cpu, sink_cpu, batch, segment, warm;
	double secs;
} o = { .sink = "xdp", .len = 64, .dests = 1, .ports = 0xff, .batch = 64, .secs = 1, .dmac = "02:00:00:00:00:02",
	.smac = "02:00:00:00:00:09", .prog = "pass", .segment = 1200, .warm = 64 * 256, .sink_cpu = 1 };

/* CPU time of the kernel's packet threads, of all CPUs, seconds. */
static double ksoftirqd(void)
{
	static int pids[256], n = -1;
	char path[64], name[32];
	double sum = 0;

	if (n < 0) {
		n = 0;
		for (int p = 2; p < 4096 && n < 256; p++) {
			snprintf(path, sizeof(path), "/proc/%d/comm", p);
			FILE *f = fopen(path, "r");

			if (!f)
				continue;
			if (fgets(name, sizeof(name), f) && !strncmp(name, "ksoftirqd/", 10))
				pids[n++] = p;
			fclose(f);
		}
	}
	for (int i = 0; i < n; i++) {
		unsigned long long ns = 0;

		snprintf(path, sizeof(path), "/proc/%d/schedstat", pids[i]);
		FILE *f = fopen(path, "r");

		if (f && fscanf(f, "%llu", &ns) == 1)
			sum += (double)ns / 1e9;
		if (f)
			fclose(f);
	}
	return sum;
}

/* Ethernet, IP and UDP of the frames; the IPv4 checksum field stays 0, the generator fills it in. */
static void frame(struct gen *g)
{
	uint8_t *h = g->head, *ip = h + 14, *udp;
	uint32_t word;
	unsigned body;

	mac(h, o.dmac);
	mac(h + 6, o.smac);
	if (strchr(o.dst, ':')) {
		g->family = 6;
		g->head_len = 62;
		udp = ip + 40;
		body = o.len - 54;
		h[12] = 0x86, h[13] = 0xdd;
		ip[0] = 0x60, ip[4] = (uint8_t)(body >> 8), ip[5] = (uint8_t)body, ip[6] = 17, ip[7] = 64;
		if (inet_pton(AF_INET6, o.src, ip + 8) != 1 || inet_pton(AF_INET6, o.dst, ip + 24) != 1)
			die("%s, %s: no IPv6 addresses", o.src, o.dst);
		memcpy(&word, ip + 28, 4);
	} else {
		g->family = 4;
		g->head_len = 42;
		udp = ip + 20;
		body = o.len - 34;
		h[12] = 0x08;
		ip[0] = 0x45, ip[2] = (uint8_t)((body + 20) >> 8), ip[3] = (uint8_t)(body + 20), ip[8] = 64, ip[9] = 17;
		if (inet_pton(AF_INET, o.src, ip + 12) != 1 || inet_pton(AF_INET, o.dst, ip + 16) != 1)
			die("%s, %s: no IPv4 addresses", o.src, o.dst);
		memcpy(&word, ip + 16, 4);
	}
	g->base = ntohl(word);
	udp[1] = 9, udp[3] = 9, udp[4] = (uint8_t)(body >> 8), udp[5] = (uint8_t)body;
	g->dests = o.dests;
	g->shift = o.shift;
	g->ports = o.ports;
}

/* Attached as links: gone with this process. */
static void attach_sink(struct gen_bpf *s)
{
	int was = o.sink_netns ? enter(o.sink_netns) : -1, dev = device(o.sink_dev);

	if (!strcmp(o.sink, "xdp")) {
		count_by_xdp(s, dev);
	} else if (bpf_link_create(bpf_program__fd(s->progs.bench_sink_tc), dev, 46 /* BPF_TCX_INGRESS */, NULL) < 0) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = dev, .attach_point = BPF_TC_INGRESS);
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(s->progs.bench_sink_tc), .handle = 1,
			    .priority = 1, .flags = BPF_TC_F_REPLACE);

		bpf_tc_hook_create(&hook);
		if (bpf_tc_attach(&hook, &opts))
			die("%s: TC: %s", o.sink_dev, strerror(errno));
	}
	if (was >= 0)
		leave(was);
}

struct sample {
	double at, cpu, soft;
	uint64_t count;
};

static struct sample sample(struct gen_bpf *s)
{
	return (struct sample){ clock_of(CLOCK_MONOTONIC), clock_of(CLOCK_THREAD_CPUTIME_ID), ksoftirqd(), counted(s) };
}

/* sent: between the two; all: with those of the warm-up. */
static int report(const struct sample *a, const struct sample *b, uint64_t sent, uint64_t all)
{
	double secs = b->at - a->at, cpu = b->cpu - a->cpu, soft = b->soft - a->soft;
	double n = (double)(b->count - a->count);

	if (n < 1)
		die("nothing arrived of %llu packets", (unsigned long long)sent);
	printf("{\"all\": %llu, \"sent\": %llu, \"received\": %.0f, \"seconds\": %.3f, \"mpps\": %.4f, \"cpu_ns\": %.1f, \"loss\": %.4f}\n",
	       (unsigned long long)all, (unsigned long long)sent, n, secs, n / secs / 1e6, (cpu + soft) * 1e9 / n, 1 - n / (double)sent);
	return 0;
}

static int do_packets(void)
{
	struct gen_bpf *s = load();
	struct gen g = { 0 };
	uint8_t in[2048] = { 0 };
	uint32_t zero = 0;
	uint64_t n = o.warm, all = 0;
	struct sample a = { 0 }, b;

	frame(&g);
	g.ifindex = (uint32_t)device(o.dev);
	bpf_map_update_elem(bpf_map__fd(s->maps.bench_gen), &zero, &g, 0);
	memcpy(in, g.head, g.head_len);
	attach_sink(s);
	on_cpu(o.cpu);
	for (int turn = 0; turn < 3; turn++) { /* warm up, find out how many fit, measure: one system call */
		LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = in, .data_size_in = o.len < 62 ? 62 : o.len,
			    .repeat = (int)n, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = o.batch);
		double from, per;

		if (turn == 2)
			a = sample(s);
		from = clock_of(CLOCK_MONOTONIC);
		if (bpf_prog_test_run_opts(bpf_program__fd(s->progs.bench_make), &t) && errno != EAGAIN)
			die("live frames: %s", strerror(errno));
		per = (double)n / (clock_of(CLOCK_MONOTONIC) - from);
		all += n;
		if (turn == 0)
			n = o.warm * 2;
		else if (turn == 1)
			n = ((uint64_t)(per * o.secs) / 64 + 1) * 64;
	}
	b = sample(s);
	return report(&a, &b, n, all);
}

static int do_raw(void)
{
	enum { BATCH = 256 };
	struct gen_bpf *s = load();
	struct gen g = { 0 };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	static uint8_t frames[BATCH][2048];
	struct mmsghdr m[BATCH];
	struct iovec io[BATCH];
	struct sample a, b;
	uint64_t sent = 0, warm = 0;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), size = 4 << 20;

	if (fd < 0)
		die("packet socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	frame(&g);
	to.sll_ifindex = device(o.dev);
	memcpy(&to.sll_protocol, g.head + 12, 2);
	for (unsigned i = 0; i < BATCH; i++) {
		uint32_t at = htonl(g.base + ((uint32_t)((uint64_t)i * o.dests / BATCH) << o.shift)), sum = 0;
		uint8_t *f = frames[i];

		memcpy(f, g.head, g.head_len);
		f[g.head_len - 7] = (uint8_t)i; /* source port */
		memcpy(f + (g.family == 4 ? 30 : 42), &at, 4);
		if (g.family == 4) {
			for (int k = 14; k < 34; k += 2)
				sum += (uint32_t)f[k] << 8 | f[k + 1];
			sum = (sum & 0xffff) + (sum >> 16);
			sum = ~((sum & 0xffff) + (sum >> 16));
			f[24] = (uint8_t)(sum >> 8), f[25] = (uint8_t)sum;
		}
		io[i] = (struct iovec){ f, o.len };
		memset(&m[i], 0, sizeof(m[i]));
		m[i].msg_hdr = (struct msghdr){ .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &io[i], .msg_iovlen = 1 };
	}
	attach_sink(s);
	on_cpu(o.cpu);
	for (double end = clock_of(CLOCK_MONOTONIC) + 0.1; clock_of(CLOCK_MONOTONIC) < end;) {
		int r = sendmmsg(fd, m, BATCH, 0);

		warm += r < 0 ? 0 : (uint64_t)r;
	}
	a = sample(s);
	for (double end = a.at + o.secs; clock_of(CLOCK_MONOTONIC) < end;) {
		int r = sendmmsg(fd, m, BATCH, 0);

		if (r < 0 && errno != ENOBUFS)
			die("%s: %s", o.dev, strerror(errno));
		sent += r < 0 ? BATCH : (uint64_t)r;
	}
	usleep(20000);
	b = sample(s);
	b.at -= 0.02;
	return report(&a, &b, sent, warm + sent);
}

static volatile sig_atomic_t stop;
static void on_stop(int sig)
{
	stop = 1;
}

static int do_hold(void)
{
	struct gen_bpf *s = load();
	struct bench_way { uint8_t dmac[6], smac[6]; uint32_t pad; } w = { .pad = 0 };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	struct bpf_program *p = s->progs.bench_pass;
	uint32_t zero = 0, out;
	sigset_t none;

	if (!strcmp(o.prog, "redirect")) {
		p = s->progs.bench_redirect;
		out = (uint32_t)device(o.sink_dev);
		mac(w.dmac, o.dmac);
		mac(w.smac, o.smac);
		bpf_map_update_elem(bpf_map__fd(s->maps.bench_way), &zero, &w, 0);
		if (bpf_map_update_elem(bpf_map__fd(s->maps.bench_out), &zero, &out, 0))
			die("devmap: %s", strerror(errno));
	}
	if (bpf_link_create(bpf_program__fd(p), device(o.dev), BPF_XDP, &opts) < 0)
		die("%s: XDP: %s", o.dev, strerror(errno));
	signal(SIGTERM, on_stop);
	signal(SIGINT, on_stop);
	sigemptyset(&none);
	printf("ready\n");
	fflush(stdout);
	while (!stop)
		sigsuspend(&none);
	return 0;
}

static int udp_socket(const char *text, uint16_t port, struct sockaddr_storage *at, socklen_t *len)
{
	struct sockaddr_in6 *six = (void *)at;
	struct sockaddr_in *four = (void *)at;

	memset(at, 0, sizeof(*at));
	if (strchr(text, ':')) {
		*six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		inet_pton(AF_INET6, text, &six->sin6_addr);
		*len = sizeof(*six);
	} else {
		*four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
		inet_pton(AF_INET, text, &four->sin_addr);
		*len = sizeof(*four);
	}
	return socket(at->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Child in the other namespace: counts datagrams and octets until the pipe closes. */
static void gso_receive(int ready, int done, uint64_t *out)
{
	static uint8_t buf[64][2048];
	struct sockaddr_storage at;
	struct mmsghdr m[64];
	struct iovec io[64];
	int size = 32 << 20, fd;
	socklen_t len;

	enter(o.sink_netns);
	on_cpu(o.sink_cpu);
	fd = udp_socket(o.dst, 4999, &at, &len);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (void *)&at, len))
		die("bind %s: %s", o.dst, strerror(errno));
	for (int i = 0; i < 64; i++) {
		io[i] = (struct iovec){ buf[i], sizeof(buf[i]) };
		m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &io[i], .msg_iovlen = 1 } };
	}
	if (write(ready, "r", 1) != 1)
		exit(1);
	for (;;) {
		struct pollfd p[2] = { { fd, POLLIN, 0 }, { done, POLLIN | POLLHUP, 0 } };
		int n;

		poll(p, 2, -1);
		n = recvmmsg(fd, m, 64, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			out[1] += m[i].msg_len;
		if (n > 0)
			out[0] += (uint64_t)n;
		else if (p[1].revents)
			exit(0);
	}
}

static int do_gso(void)
{
	static uint8_t buf[65000];
	uint64_t *got = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), sent = 0;
	int ready[2], done[2], fd, segment = (int)o.segment, status;
	unsigned burst = 64000 / o.segment > 64 ? 64 : 64000 / o.segment;
	struct sockaddr_storage at;
	socklen_t len;
	double from, secs;
	pid_t pid;
	char c;

	if (got == MAP_FAILED || pipe(ready) || pipe(done))
		die("%s", strerror(errno));
	pid = fork();
	if (!pid) {
		close(done[1]);
		gso_receive(ready[1], done[0], got);
	}
	close(done[0]);
	if (read(ready[0], &c, 1) != 1)
		die("no receiver");
	on_cpu(o.cpu);
	fd = udp_socket(o.dst, 4999, &at, &len);
	if (connect(fd, (void *)&at, len) || (segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment))))
		die("%s: %s", o.dst, strerror(errno));
	from = clock_of(CLOCK_MONOTONIC);
	while (clock_of(CLOCK_MONOTONIC) - from < o.secs) {
		/* a receiver that is behind would drop in its socket, which is not what is measured */
		if (sent - __atomic_load_n(&got[0], __ATOMIC_RELAXED) > 8192 && clock_of(CLOCK_MONOTONIC) - from < o.secs) {
			usleep(50);
			if (sent - got[0] > 8192 + 65536)
				break;
			continue;
		}
		if (send(fd, buf, (size_t)burst * o.segment, 0) < 0 && errno != ENOBUFS && errno != ECONNREFUSED)
			die("send: %s", strerror(errno));
		sent += burst;
	}
	secs = clock_of(CLOCK_MONOTONIC) - from;
	usleep(200000);
	close(done[1]);
	waitpid(pid, &status, 0);
	printf("{\"sent\": %llu, \"received\": %llu, \"seconds\": %.3f, \"gbps\": %.3f}\n", (unsigned long long)sent,
	       (unsigned long long)got[0], secs, (double)got[1] * 8 / secs / 1e9);
	return 0;
}

/* ---- cold */

struct cold_packet {
	uint32_t dest, seq;
	uint64_t sent; /* CLOCK_MONOTONIC, ns */
};
struct cold_result { /* shared with the receiver */
	uint64_t received, disordered;
	struct {
		uint64_t first; /* ns that the first one took; 0: none came */
		uint32_t next;
	} of[65536];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void cold_receive(int ready, int done, struct cold_result *out)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(4998) };
	int size = 32 << 20, fd;

	enter(o.sink_netns);
	on_cpu(o.sink_cpu);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (void *)&at, sizeof(at)))
		die("bind: %s", strerror(errno));
	if (write(ready, "r", 1) != 1)
		exit(1);
	for (;;) {
		struct pollfd p[2] = { { fd, POLLIN, 0 }, { done, POLLIN | POLLHUP, 0 } };
		struct cold_packet c;

		poll(p, 2, -1);
		if (recv(fd, &c, sizeof(c), MSG_DONTWAIT) != sizeof(c)) {
			if (p[1].revents)
				exit(0);
			continue;
		}
		if (c.dest >= o.dests)
			continue;
		if (!out->of[c.dest].first)
			out->of[c.dest].first = now_ns() - c.sent;
		out->disordered += c.seq < out->of[c.dest].next;
		out->of[c.dest].next = c.seq + 1;
		out->received++;
	}
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int do_cold(void)
{
	struct cold_result *got = mmap(NULL, sizeof(*got), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(4998) };
	unsigned sent = 0, came = 0, refused = 0;
	static uint64_t first[65536];
	int ready[2], done[2], fd;
	uint32_t base;
	pid_t pid;
	char c;

	if (got == MAP_FAILED || pipe(ready) || pipe(done) || o.dests > 65536 || inet_pton(AF_INET, o.dst, &base) != 1)
		die("cold: --dst IPv4 and --dests up to 65536");
	pid = fork();
	if (!pid) {
		close(done[1]);
		cold_receive(ready[1], done[0], got);
	}
	close(done[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		die("no receiver");
	on_cpu(o.cpu);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (unsigned d = 0; d < o.dests; d++)
		for (unsigned i = 0; i < o.batch; i++) {
			struct cold_packet p = { d, i, now_ns() };

			to.sin_addr.s_addr = htonl(ntohl(base) + (d << o.shift) + 1);
			if (sendto(fd, &p, sizeof(p), 0, (void *)&to, sizeof(to)) < 0)
				refused++;
			sent++;
			usleep((unsigned)(o.secs * 1e6)); /* --secs: from one to the next */
		}
	usleep(500000);
	close(done[1]);
	waitpid(pid, NULL, 0);
	for (unsigned d = 0; d < o.dests; d++)
		if (got->of[d].first)
			first[came++] = got->of[d].first;
	qsort(first, came, sizeof(*first), by_size);
	printf("{\"sent\": %u, \"received\": %llu, \"lost\": %lld, \"refused\": %u, \"disordered\": %llu, \"first_ms\": %.4f, "
	       "\"first_max_ms\": %.4f}\n",
	       sent, (unsigned long long)got->received, (long long)sent - (long long)got->received, refused,
	       (unsigned long long)got->disordered, came ? (double)first[came / 2] / 1e6 : -1,
	       came ? (double)first[came - 1] / 1e6 : -1);
	return 0;
}

/* ---- fill */

/* Prefixes of IPv4 in instance 0: --dst, length --len, so many as --dests, one after the other. */
static int do_fill(void)
{
	enum { BATCH = 4096 };
	static struct xtr_lpm4 keys[BATCH];
	static struct xtr_eid values[BATCH];
	struct xtr_lpm4 like = { .prefixlen = 64 };
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	int fd = bpf_obj_get(o.pin);
	struct xtr_eid v;
	uint32_t base;
	double from = clock_of(CLOCK_MONOTONIC);

	if (fd < 0)
		die("%s: %s", o.pin, strerror(errno));
	if (inet_pton(AF_INET, o.like, &like.addr) != 1 || inet_pton(AF_INET, o.dst, &base) != 1 || o.len > 32)
		die("fill: --like, --dst: IPv4 addresses; --len: up to 32");
	if (bpf_map_lookup_elem(fd, &like, &v))
		die("%s: no entry for %s", o.pin, o.like);
	v.hold = 0; /* of the packets that waited for that one: what is held is not remembered by the programs */
	for (unsigned i = 0; i < o.dests;) {
		__u32 n = 0;

		for (; n < BATCH && i < o.dests; n++, i++) {
			keys[n] = (struct xtr_lpm4){ .prefixlen = 32 + o.len, .addr = htonl(ntohl(base) + (i << (32 - o.len))) };
			values[n] = v;
		}
		if (bpf_map_update_batch(fd, keys, values, &n, &opts))
			die("%s: prefix %u: %s", o.pin, i, strerror(errno));
	}
	printf("{\"prefixes\": %u, \"seconds\": %.3f}\n", o.dests, clock_of(CLOCK_MONOTONIC) - from);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "dev", 1, 0, 'd' },	   { "sink-dev", 1, 0, 'D' }, { "sink-netns", 1, 0, 'N' }, { "sink", 1, 0, 'S' },
		{ "src", 1, 0, 'a' },	   { "dst", 1, 0, 'b' },      { "dmac", 1, 0, 'm' },	   { "smac", 1, 0, 'M' },
		{ "len", 1, 0, 'l' },	   { "dests", 1, 0, 'n' },    { "shift", 1, 0, 's' },	   { "ports", 1, 0, 'p' },
		{ "cpu", 1, 0, 'c' },	   { "sink-cpu", 1, 0, 'C' }, { "batch", 1, 0, 'B' },	   { "secs", 1, 0, 't' },
		{ "program", 1, 0, 'P' }, { "segment", 1, 0, 'g' }, { "pin", 1, 0, 'i' }, { "warm", 1, 0, 'w' },
		{ "like", 1, 0, 'l' + 256 }, { 0 },
	};
	const char *cmd = argc > 1 ? argv[1] : "";
	int c;

	optind = 2;
	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1)
		switch (c) {
		case 'd': o.dev = optarg; break;
		case 'D': o.sink_dev = optarg; break;
		case 'N': o.sink_netns = optarg; break;
		case 'S': o.sink = optarg; break;
		case 'a': o.src = optarg; break;
		case 'b': o.dst = optarg; break;
		case 'm': o.dmac = optarg; break;
		case 'M': o.smac = optarg; break;
		case 'l': o.len = (unsigned)atoi(optarg); break;
		case 'n': o.dests = (unsigned)atoi(optarg); break;
		case 's': o.shift = (unsigned)atoi(optarg); break;
		case 'p': o.ports = (unsigned)strtoul(optarg, NULL, 0); break;
		case 'c': o.cpu = (unsigned)atoi(optarg); break;
		case 'C': o.sink_cpu = (unsigned)atoi(optarg); break;
		case 'B': o.batch = (unsigned)atoi(optarg); break;
		case 't': o.secs = atof(optarg); break;
		case 'P': o.prog = optarg; break;
		case 'i': o.pin = optarg; break;
		case 'w': o.warm = (unsigned)atoi(optarg); break;
		case 'l' + 256: o.like = optarg; break;
		case 'g': o.segment = (unsigned)atoi(optarg); break;
		default: return 2;
		}
	if (!strcmp(cmd, "hold"))
		return do_hold();
	if (!strcmp(cmd, "fill") && o.pin && o.dst && o.like)
		return do_fill();
	if (o.len < 62 || o.len > 2000)
		o.len = o.len < 62 ? 64 : 2000;
	if (!strcmp(cmd, "cold") && o.dst)
		return do_cold();
	if (!o.src || !o.dst)
		die("usage: xtr-bench packets|raw|hold|gso|cold|fill --dev DEV --src ADDRESS --dst ADDRESS ... (see the source)");
	if (!strcmp(cmd, "packets"))
		return do_packets();
	if (!strcmp(cmd, "raw"))
		return do_raw();
	if (!strcmp(cmd, "gso"))
		return do_gso();
	die("%s: no such command", cmd);
}
