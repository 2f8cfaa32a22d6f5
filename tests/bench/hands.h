/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs of the benchmark that send frames share: the generator of gen.bpf.c, where its frames are counted, clocks,
 * CPUs, network namespaces. Whatever fails ends the program, with one line that says what.
 */
#ifndef XTR_BENCH_HANDS_H
#define XTR_BENCH_HANDS_H

#include "bench/gen.skel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

struct gen { /* as struct bench_gen */
	uint8_t head[64];
	uint32_t head_len, family, dests, shift, base, ports, ifindex, walk;
};

__attribute__((format(printf, 1, 2), noreturn)) static inline void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

/* Seconds. */
static inline double clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void on_cpu(unsigned cpu)
{
	cpu_set_t s;

	CPU_ZERO(&s);
	CPU_SET(cpu, &s);
	sched_setaffinity(0, sizeof(s), &s);
	setpriority(PRIO_PROCESS, 0, -15);
}

/* Into a network namespace, a name or a path; returns where we were, for leave(). */
static inline int enter(const char *netns)
{
	char path[256];
	int was = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd;

	snprintf(path, sizeof(path), strchr(netns, '/') ? "%s" : "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (was < 0 || fd < 0 || setns(fd, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	close(fd);
	return was;
}

static inline void leave(int was)
{
	if (setns(was, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	close(was);
}

static inline int device(const char *name)
{
	int i = name ? (int)if_nametoindex(name) : 0;

	if (!i)
		die("device %s: %s", name ? name : "(none given)", strerror(errno));
	return i;
}

static inline void mac(uint8_t out[6], const char *text)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &out[0], &out[1], &out[2], &out[3], &out[4], &out[5]) != 6)
		die("%s: no MAC address", text);
}

/* ---- the generator */

/* Frames that arrived at where this generator counts. */
static inline uint64_t counted(struct gen_bpf *s)
{
	uint64_t v[1024] = { 0 }, sum = 0;
	uint32_t zero = 0;

	bpf_map_lookup_elem(bpf_map__fd(s->maps.bench_count), &zero, v);
	for (int i = 0; i < libbpf_num_possible_cpus() && i < 1024; i++)
		sum += v[i];
	return sum;
}

static inline struct gen_bpf *load(void)
{
	struct gen_bpf *s = gen_bpf__open_and_load();

	if (!s)
		die("programs of the benchmark do not load: %s", strerror(errno));
	return s;
}

/* For as long as this process is there. */
static inline void count_by_xdp(struct gen_bpf *s, int dev)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);

	if (bpf_link_create(bpf_program__fd(s->progs.bench_sink), dev, BPF_XDP, &opts) < 0)
		die("device %d: XDP: %s", dev, strerror(errno));
}

#endif
