// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A flow, and beside it on another CPU a scan: what does the scan cost the flow? Both are made of live frames, as fast as they
 * go. A round measures the flow three times: while nothing else is sent, while the scanner sends the same packets to known
 * addresses (a negative entry answers for them), and while it sends them to addresses that nobody knows. What the scanner takes
 * of the machine by being there is the same in the last two. At the end the scanner goes on alone until it has sent a packet to
 * each address.
 *
 *   xtr-bench-scan ROUNDS SECONDS FLOW-DEV FLOW-MAC FLOW-SRC FLOW-DST SCAN-DEV SCAN-MAC SCAN-SRC KNOWN UNKNOWN DESTINATIONS SINK-NETNS SINK-DEV
 *
 * It runs in the network namespace of both devices; the flow is counted where it arrives, at SINK-DEV in SINK-NETNS. MACs: of the
 * other ends. One line of JSON: for each of "alone", "known" and "unknown" lists with a value for each round: "mpps" and
 * "cpu_ns" of the flow (CPU time per packet that arrived: of the sending thread and of ksoftirqd of its CPU); and of the scanner
 * "sent", all frames, and their "scan_mpps" and "scan_cpu_ns".
 */
#include "bench/hands.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ALONE, KNOWN, UNKNOWN, KINDS, ROUNDS_MAX = 64, CHUNK = 64 * 512 };
static const char *const kind_name[KINDS] = { "alone", "known", "unknown" };

struct sender {
	struct gen_bpf *skel;
	struct gen g;
	unsigned cpu;
	uint8_t frame[64];
};

struct figures {
	double seconds, cpu;
	uint64_t packets;
};

static atomic_int go; /* the scanner sends while it is set */
static atomic_int quit;
static _Atomic uint64_t scanned;
static atomic_int pace; /* chunks the scanner has sent */
static _Atomic double scan_cpu;
static struct sender flow, scanner;

/* CPU time of the kernel's packet thread of one CPU. */
static double ksoftirqd(unsigned cpu)
{
	static int pids[2];
	char path[64], name[32], want[32];
	unsigned long long ns = 0;
	FILE *f;

	snprintf(want, sizeof(want), "ksoftirqd/%u\n", cpu);
	for (int p = 2; !pids[cpu] && p < 4096; p++) {
		snprintf(path, sizeof(path), "/proc/%d/comm", p);
		f = fopen(path, "r");
		if (f && fgets(name, sizeof(name), f) && !strcmp(name, want))
			pids[cpu] = p;
		if (f)
			fclose(f);
	}
	snprintf(path, sizeof(path), "/proc/%d/schedstat", pids[cpu]);
	f = fopen(path, "r");
	if (f && fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	if (f)
		fclose(f);
	return (double)ns / 1e9;
}

static uint32_t ip4(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		die("%s: no IPv4 address", text);
	return a.s_addr;
}

static void sender(struct sender *s, unsigned cpu, const char *dev, const char *to_mac, const char *src, const char *dst)
{
	uint8_t *h = s->g.head, *ip = h + 14;
	uint32_t from = ip4(src), to = ip4(dst);

	s->cpu = cpu;
	s->skel = load();
	mac(h, to_mac);
	memcpy(h + 6, "\x02\0\0\0\0\x09\x08", 7);
	memcpy(ip, "\x45\0\0\x32\0\0\0\0\x40\x11", 10); /* 50 octets of IPv4, UDP */
	memcpy(ip + 12, &from, 4);
	memcpy(ip + 16, &to, 4);
	memcpy(ip + 20, "\0\x09\0\x09\0\x1e", 6); /* no checksum */
	s->g.head_len = 42;
	s->g.family = 4;
	s->g.dests = 1;
	s->g.base = ntohl(to);
	s->g.ports = 0x3f;
	s->g.ifindex = (uint32_t)device(dev);
}

static void aim(struct sender *s, const char *dst)
{
	uint32_t zero = 0;

	if (dst)
		s->g.base = ntohl(ip4(dst));
	if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.bench_gen), &zero, &s->g, 0))
		die("map of the generator: %s", strerror(errno));
}

/* Many short calls would leave the thread asleep between them, and cost more than the frames. */
static void frames(struct sender *s, unsigned n)
{
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = s->frame, .data_size_in = sizeof(s->frame), .repeat = (int)n,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);

	if (bpf_prog_test_run_opts(bpf_program__fd(s->skel->progs.bench_make), &t) && errno != EAGAIN)
		die("live frames: %s", strerror(errno));
}

static void *scan(void *arg)
{
	on_cpu(scanner.cpu);
	while (!quit) {
		if (!go) {
			usleep(500);
			continue;
		}
		frames(&scanner, CHUNK);
		scanned += CHUNK;
		scan_cpu = clock_of(CLOCK_THREAD_CPUTIME_ID);
		pace++;
	}
	return NULL;
}

static void sink(const char *netns, const char *name)
{
	int was = enter(netns);

	count_by_xdp(flow.skel, device(name));
	leave(was);
}

/* The flow for so long. */
static struct figures measure(double seconds)
{
	static double rate = 200000; /* as it was last time */
	double at = clock_of(CLOCK_MONOTONIC), cpu = clock_of(CLOCK_THREAD_CPUTIME_ID), soft = ksoftirqd(flow.cpu);
	uint64_t n = counted(flow.skel);
	struct figures f;

	frames(&flow, ((unsigned)(rate * seconds) / 64 + 128) * 64);
	f.seconds = clock_of(CLOCK_MONOTONIC) - at;
	f.cpu = clock_of(CLOCK_THREAD_CPUTIME_ID) - cpu + ksoftirqd(flow.cpu) - soft;
	f.packets = counted(flow.skel) - n;
	if (!f.packets)
		die("nothing of the flow arrived");
	rate = (double)f.packets / f.seconds;
	return f;
}

/* The scanner at work; what it has done is added when it has ended. */
static struct figures begun;

static void scan_begin(const char *to)
{
	aim(&scanner, to);
	begun = (struct figures){ clock_of(CLOCK_MONOTONIC), scan_cpu + ksoftirqd(scanner.cpu), scanned };
	pace = 0;
	go = 1;
	while (!pace)
		usleep(200);
}

static void scan_end(struct figures *f)
{
	int was = -1;

	go = 0;
	for (; was != pace; usleep(30000)) /* the last chunk has ended */
		was = pace;
	f->seconds += clock_of(CLOCK_MONOTONIC) - begun.seconds;
	f->cpu += scan_cpu + ksoftirqd(scanner.cpu) - begun.cpu;
	f->packets += scanned - begun.packets;
}

static void list(const char *kind, const char *name, const double *v, int n)
{
	printf("\"%s_%s\": [", kind, name);
	for (int i = 0; i < n; i++)
		printf("%s%.4f", i ? ", " : "", v[i]);
	printf("], ");
}

int main(int argc, char **argv)
{
	static double v[KINDS][2][ROUNDS_MAX];
	struct figures scans[KINDS] = { { 0 } }, f;
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	double seconds = argc > 2 ? atof(argv[2]) : 0;
	pthread_t thread;

	if (argc != 15 || rounds < 1 || rounds > ROUNDS_MAX)
		die("usage: see the source");
	sender(&flow, 0, argv[3], argv[4], argv[5], argv[6]);
	sender(&scanner, sysconf(_SC_NPROCESSORS_ONLN) > 1, argv[7], argv[8], argv[9], argv[10]);
	scanner.g.dests = (uint32_t)atoi(argv[12]);
	scanner.g.walk = 1;
	aim(&flow, NULL);
	sink(argv[13], argv[14]);
	if (pthread_create(&thread, NULL, scan, NULL))
		die("no thread");
	on_cpu(flow.cpu);
	for (int r = 0; r < 3; r++)
		measure(seconds / 2);
	for (int r = 0; r < rounds; r++)
		for (int k = 0; k < KINDS; k++) {
			int kind = (k + r) % KINDS; /* not always the same one after the other */

			if (kind != ALONE)
				scan_begin(argv[kind == KNOWN ? 10 : 11]);
			f = measure(seconds);
			if (kind != ALONE)
				scan_end(&scans[kind]);
			v[kind][0][r] = (double)f.packets / f.seconds / 1e6;
			v[kind][1][r] = f.cpu * 1e9 / (double)f.packets;
		}
	while (scans[UNKNOWN].packets < scanner.g.dests) {
		scan_begin(argv[11]);
		scan_end(&scans[UNKNOWN]);
	}
	quit = 1;
	pthread_join(thread, NULL);
	printf("{");
	for (int k = 0; k < KINDS; k++) {
		const struct figures *s = &scans[k];

		list(kind_name[k], "mpps", v[k][0], rounds);
		list(kind_name[k], "cpu_ns", v[k][1], rounds);
		printf("\"%s_sent\": %llu, \"%s_scan_mpps\": %.4f, \"%s_scan_cpu_ns\": %.1f%s", kind_name[k], (unsigned long long)s->packets,
		       kind_name[k], s->packets ? (double)s->packets / s->seconds / 1e6 : 0, kind_name[k],
		       s->packets ? s->cpu * 1e9 / (double)s->packets : 0, k + 1 < KINDS ? ", " : "}\n");
	}
	return 0;
}
