// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * UDP control sockets (RFC 9301 5). One struct owns both sockets and the buffers they are read
 * into. Invariants: a datagram is handed on whole or not at all; the destination that is reported
 * is a unicast address of this host, or a group that was joined on the interface it came in by;
 * what is sent leaves from the port itself and, where asked, from the given address.
 *
 * A system call costs more than the datagram it carries. So what one turn of the loop answers is collected, for each socket by
 * itself, and sent with one call. The room for it is fixed; nothing waits longer than the turn; and what is sent at once goes
 * behind what was collected before, so that no peer sees two messages in another order.
 *
 * Groups: each datagram names its interface, source and TTL itself, so several groups and
 * interfaces share the sockets. A socket would also hear the groups that others on the host have
 * joined: that is switched off, and the list of our own memberships decides once more.
 */
#include "net/udp.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH    32
#define BUF_SIZE 65536             /* more than any UDP payload: nothing is cut */
#define RCVBUF   (8 << 20)
#define SNDBUF   (4 << 20)         /* room for some turns that the network device has not sent yet */
#define LATER    XTR_UDP_TURN
#define LATER_OCTETS (128 << 10)   /* of messages and notes that are collected; longer ones go at once */
#define JOINED   64                /* memberships: groups times interfaces */

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

struct slot {
	uint8_t buf[BUF_SIZE];
	struct sockaddr_storage from;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
			  CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
};

/* The control messages of one datagram: where it leaves from and, with ttl, how far it may go. */
struct way {
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
	} control;
	size_t len;
};

/* What a datagram to be sent consists of besides its header for the kernel. */
struct out {
	struct iovec iov;
	struct sockaddr_storage to;
	struct way way;
	struct xtr_ip src, dst;    /* for whoever wants to know that it failed */
	uint16_t dport;
	const void *note;
};

struct later { /* of one socket, in order */
	int fd;
	unsigned n;
	size_t used;
	struct mmsghdr msgs[LATER];
	struct out outs[LATER];
	_Alignas(16) uint8_t octets[LATER_OCTETS];
};

struct xtr_udp {
	int fd4, fd6;              /* fd6: -1 without IPv6 */
	bool held, flushing;
	void (*unsent)(void *ctx, const struct xtr_udp_unsent *m);
	void *unsent_ctx;
	void (*batch)(void *ctx, const struct xtr_udp_packet *p, unsigned n);
	void *batch_ctx;
	struct later later4, later6;
	struct xtr_udp_counts counts;
	struct joined {
		struct xtr_ip group;
		unsigned ifindex;
	} joined[JOINED];
	unsigned joined_count;
	struct slot slots[BATCH];
};

/* The kernel runs a socket filter with the UDP header in front. IPv4 lets a checksum of 0 through
 * as "none". */
static int refuse_no_checksum(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct udphdr, check)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ? -errno : 0;
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* What both families want. *step says what failed. */
static int prepare(int fd, int family, uint32_t mark, const char **step)
{
	int rc;

	*step = "socket filter";
	rc = refuse_no_checksum(fd);
	if (!rc && mark) {
		*step = "SO_MARK (needs CAP_NET_ADMIN)";
		rc = set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	}
	if (!rc) {
		*step = "packet information";
		rc = family == AF_INET ? set(fd, IPPROTO_IP, IP_PKTINFO, 1) :
					 set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
	if (!rc && family == AF_INET6) {
		*step = "IPV6_V6ONLY";
		rc = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	}
	if (!rc) {
		/* No DF, and no path MTU that a forged ICMP could have made: a message that is too
		 * long is fragmented. */
		*step = "path MTU discovery";
		rc = family == AF_INET ?
			     set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) :
			     set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	}
	if (!rc) {
		/* Our own copy of what goes to a group never comes by the network (RFC 9962 4.1: a
		 * direct call), and only groups joined here are heard. Kernels before 4.20 have no
		 * IPV6_MULTICAST_ALL; there the list of memberships is the only filter. */
		*step = "multicast options";
		if (family == AF_INET) {
			rc = set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
			if (!rc)
				rc = set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
		} else {
			rc = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
			if (!rc && (rc = set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0)) == -ENOPROTOOPT)
				rc = 0;
		}
	}
	/* As large as we may: a Map-Server hears from all its sites at once after its restart. */
	if (!rc && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF))
		set(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	/* What is full is an error at once, and the message lost: answers leave by the turn. */
	if (!rc && set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SNDBUF))
		set(fd, SOL_SOCKET, SO_SNDBUF, SNDBUF);
	return rc;
}

static int open_family(int family, uint16_t port, uint32_t mark, int *out, struct xtr_err *err)
{
	const char *name = family == AF_INET ? "IPv4" : "IPv6", *step = "socket";
	struct xtr_ip any = { .family = family == AF_INET ? 4 : 6 };
	struct sockaddr_storage ss;
	socklen_t len = xtr_ip_to_sockaddr(&any, port, &ss);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP), rc;

	if (fd < 0)
		return xtr_fail(err, -errno, "%s control socket: %s", name, strerror(errno));
	/* The filter and the mark are there before the first datagram can be. */
	rc = prepare(fd, family, mark, &step);
	if (!rc) {
		step = "bind";
		rc = bind(fd, (struct sockaddr *)&ss, len) ? -errno : 0;
	}
	if (rc) {
		close(fd);
		return xtr_fail(err, rc, "%s control socket, UDP port %u: %s: %s%s", name, port,
				step, strerror(-rc),
				rc == -EADDRINUSE ? "; another LISP daemon runs here: stop it" :
						    "");
	}
	*out = fd;
	return 0;
}

int xtr_udp_open(uint16_t port, uint32_t mark, struct xtr_udp **out, struct xtr_err *err)
{
	struct xtr_udp *u = calloc(1, sizeof(*u));
	int rc;

	if (!u)
		return xtr_fail(err, -ENOMEM, "no memory for the control sockets");
	u->fd4 = u->fd6 = -1;
	rc = open_family(AF_INET, port, mark, &u->fd4, err);
	if (!rc)
		rc = open_family(AF_INET6, port, mark, &u->fd6, err);
	if (rc == -EAFNOSUPPORT && u->fd4 >= 0)
		rc = 0;
	if (rc) {
		xtr_udp_close(u);
		return rc;
	}
	u->later4.fd = u->fd4;
	u->later6.fd = u->fd6;
	*out = u;
	return 0;
}

void xtr_udp_close(struct xtr_udp *u)
{
	if (!u)
		return;
	xtr_udp_flush(u);
	if (u->fd4 >= 0)
		close(u->fd4);
	if (u->fd6 >= 0)
		close(u->fd6);
	free(u);
}

unsigned xtr_udp_fds(const struct xtr_udp *u, int fds[2])
{
	fds[0] = u->fd4;
	fds[1] = u->fd6;
	return u->fd6 >= 0 ? 2 : 1;
}

const struct xtr_udp_counts *xtr_udp_counts(const struct xtr_udp *u)
{
	return &u->counts;
}

static struct joined *find_joined(struct xtr_udp *u, const struct xtr_ip *group, unsigned ifindex)
{
	for (unsigned i = 0; i < u->joined_count; i++)
		if (u->joined[i].ifindex == ifindex && !xtr_ip_cmp(&u->joined[i].group, group))
			return &u->joined[i];
	return NULL;
}

/* The address it was sent to; false unless that is a unicast address of ours or a group we have
 * joined where it came in. */
static bool destination(struct xtr_udp *u, struct msghdr *m, struct xtr_ip *dst)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*dst = (struct xtr_ip){ .family = 4 };
			memcpy(dst->a, &info.ipi_addr, 4);
			if (xtr_ip_is_multicast(dst))
				return find_joined(u, dst, (unsigned)info.ipi_ifindex);
			/* They differ when the header says broadcast: spec_dst is then the address
			 * we would answer from. */
			return info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*dst = (struct xtr_ip){ .family = 6 };
			memcpy(dst->a, &info.ipi6_addr, 16);
			if (xtr_ip_is_multicast(dst))
				return find_joined(u, dst, info.ipi6_ifindex);
			/* Link-local addresses mean nothing without their link, and no RLOC is one.
			 */
			return !xtr_ip_is_linklocal(dst);
		}
	}
	return false;
}

/* False: counted and dropped. */
static bool accept_one(struct xtr_udp *u, struct mmsghdr *m, struct xtr_udp_packet *p)
{
	p->buf = m->msg_hdr.msg_iov->iov_base;
	p->len = m->msg_len;
	if (m->msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		u->counts.cut++;
		return false;
	}
	if (!destination(u, &m->msg_hdr, &p->dst) ||
	    xtr_ip_from_sockaddr(m->msg_hdr.msg_name, &p->src, &p->sport) ||
	    xtr_ip_is_linklocal(&p->src)) {
		u->counts.not_ours++;
		return false;
	}
	return true;
}

void xtr_udp_on_batch(struct xtr_udp *u, void (*fn)(void *ctx, const struct xtr_udp_packet *p, unsigned n), void *ctx)
{
	u->batch = fn;
	u->batch_ctx = ctx;
}

unsigned xtr_udp_recv(struct xtr_udp *u, int fd,
		      void (*fn)(void *ctx, const struct xtr_udp_packet *p), void *ctx)
{
	struct xtr_udp_packet packets[BATCH];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	unsigned total = 0, good;
	int n;

	do {
		memset(msgs, 0, sizeof(msgs));
		for (unsigned i = 0; i < BATCH; i++) {
			struct slot *s = &u->slots[i];

			iov[i] = (struct iovec){ s->buf, sizeof(s->buf) };
			msgs[i].msg_hdr = (struct msghdr){ .msg_name = &s->from,
							   .msg_namelen = sizeof(s->from),
							   .msg_iov = &iov[i],
							   .msg_iovlen = 1,
							   .msg_control = &s->control,
							   .msg_controllen = sizeof(s->control) };
		}
		n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		good = 0;
		for (int i = 0; i < n; i++)
			good += accept_one(u, &msgs[i], &packets[good]);
		if (good && u->batch)
			u->batch(u->batch_ctx, packets, good);
		for (unsigned i = 0; i < good; i++)
			fn(ctx, &packets[i]);
		total += n > 0 ? (unsigned)n : 0;
	} while (n == BATCH && total < XTR_UDP_TURN);
	return total;
}

static void way_add(struct way *w, int level, int type, const void *data, size_t len)
{
	struct cmsghdr h = { CMSG_LEN(len), level, type };

	memcpy(w->control.room + w->len, &h, sizeof(h));
	memcpy(w->control.room + w->len + CMSG_LEN(0), data, len);
	w->len += CMSG_SPACE(len);
}

static void way_from(struct way *w, const struct xtr_ip *src, uint8_t family, unsigned ifindex)
{
	if (!src->family && !ifindex)
		return;
	if (family == 4) {
		struct in_pktinfo info = { .ipi_ifindex = (int)ifindex };

		memcpy(&info.ipi_spec_dst, src->a, 4);
		way_add(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = ifindex };

		memcpy(&info.ipi6_addr, src->a, 16);
		way_add(w, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

/* Whereto, wherefrom and how far of a datagram; ifindex, ttl 0: the kernel's choice. */
static void out_fill(struct out *o, struct msghdr *m, const struct xtr_ip *src, const struct xtr_ip *dst,
		     unsigned ifindex, int ttl, uint16_t dport, const void *buf, size_t len)
{
	o->iov = (struct iovec){ (void *)buf, len };
	o->way.len = 0;
	way_from(&o->way, src, dst->family, ifindex);
	if (ttl && dst->family == 4)
		way_add(&o->way, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	else if (ttl)
		way_add(&o->way, IPPROTO_IPV6, IPV6_HOPLIMIT, &ttl, sizeof(ttl));
	*m = (struct msghdr){ .msg_name = &o->to,
			      .msg_namelen = xtr_ip_to_sockaddr(dst, dport, &o->to),
			      .msg_iov = &o->iov,
			      .msg_iovlen = 1,
			      .msg_control = o->way.len ? &o->way.control : NULL,
			      .msg_controllen = o->way.len };
}

/* The socket, or -EAFNOSUPPORT. */
static int socket_for(const struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *dst)
{
	int fd = dst->family == 4 ? u->fd4 : dst->family == 6 ? u->fd6 : -1;

	return fd < 0 || (src->family && src->family != dst->family) ? -EAFNOSUPPORT : fd;
}

/* ---- what is collected */

static void tell_unsent(struct xtr_udp *u, const struct out *o, int err)
{
	const struct xtr_udp_unsent m = { o->src,	o->dst,	      o->dport, o->iov.iov_base,
					  o->note, o->iov.iov_len, err };

	if (u->unsent)
		u->unsent(u->unsent_ctx, &m);
}

/* The kernel says how many it took; the error of the one after those it says when that is the first. */
static void flush_one(struct xtr_udp *u, struct later *l)
{
	for (unsigned i = 0; i < l->n;) {
		int r = sendmmsg(l->fd, l->msgs + i, l->n - i, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r > 0)
			i += (unsigned)r;
		else if (errno != EINTR)
			tell_unsent(u, &l->outs[i++], -errno);
	}
	l->n = 0;
	l->used = 0;
}

static void flush(struct xtr_udp *u)
{
	if (u->flushing) /* who is told of a failure sends something else in its place */
		return;
	u->flushing = true;
	flush_one(u, &u->later4);
	flush_one(u, &u->later6);
	u->flushing = false;
}

void xtr_udp_hold(struct xtr_udp *u)
{
	u->held = true;
}

void xtr_udp_flush(struct xtr_udp *u)
{
	u->held = false;
	flush(u);
}

void xtr_udp_on_unsent(struct xtr_udp *u, void (*fn)(void *ctx, const struct xtr_udp_unsent *m), void *ctx)
{
	u->unsent = fn;
	u->unsent_ctx = ctx;
}

static const void *keep(struct later *l, const void *p, size_t len)
{
	void *to = l->octets + l->used;

	if (len)
		memcpy(to, p, len);
	l->used += (len + 15) & ~(size_t)15;
	return to;
}

int xtr_udp_send_later(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		       const void *buf, size_t len, const void *note, size_t note_len)
{
	struct later *l = dst->family == 4 ? &u->later4 : &u->later6;
	int fd = socket_for(u, src, dst);
	size_t want = len + note_len + 32;
	struct out *o;

	if (fd < 0)
		return fd;
	if (!u->held || u->flushing || want > LATER_OCTETS || want < len)
		return xtr_udp_send(u, src, dst, dport, buf, len);
	if (l->n == LATER || want > LATER_OCTETS - l->used)
		flush(u);
	o = &l->outs[l->n];
	o->src = *src;
	o->dst = *dst;
	o->dport = dport;
	o->note = note ? keep(l, note, note_len) : NULL;
	out_fill(o, &l->msgs[l->n].msg_hdr, src, dst, 0, 0, dport, keep(l, buf, len), len);
	l->n++;
	return 0;
}

/* ---- what is sent at once */

static int send_one(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *dst,
		    unsigned ifindex, int ttl, uint16_t dport, const void *buf, size_t len)
{
	int fd = socket_for(u, src, dst);
	struct msghdr m;
	struct out o;

	if (fd < 0)
		return fd;
	flush(u);
	out_fill(&o, &m, src, dst, ifindex, ttl, dport, buf, len);
	for (;;) {
		if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int xtr_udp_send(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *dst,
		 uint16_t dport, const void *buf, size_t len)
{
	return send_one(u, src, dst, 0, 0, dport, buf, len);
}

int xtr_udp_send_group(struct xtr_udp *u, const struct xtr_ip *src, const struct xtr_ip *group,
		       unsigned ifindex, uint8_t ttl, uint16_t dport, const void *buf, size_t len)
{
	if (!xtr_ip_is_multicast(group) || !ifindex || !ttl)
		return -EINVAL;
	return send_one(u, src, group, ifindex, ttl, dport, buf, len);
}

int xtr_udp_join(struct xtr_udp *u, const struct xtr_ip *group, unsigned ifindex, bool on)
{
	int fd = group->family == 4 ? u->fd4 : group->family == 6 ? u->fd6 : -1;
	int level = group->family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
	struct group_req req = { .gr_interface = ifindex };
	struct joined *j;

	if (!xtr_ip_is_multicast(group) || !ifindex)
		return -EINVAL;
	if (fd < 0)
		return -EAFNOSUPPORT;
	j = find_joined(u, group, ifindex);
	xtr_ip_to_sockaddr(group, 0, &req.gr_group);
	if (!on) {
		if (!j)
			return 0;
		/* Whatever the kernel says: an interface that has gone took the membership along. */
		*j = u->joined[--u->joined_count];
		if (setsockopt(fd, level, MCAST_LEAVE_GROUP, &req, sizeof(req)) &&
		    errno != EADDRNOTAVAIL && errno != ENODEV)
			return -errno;
		return 0;
	}
	if (!j && u->joined_count == JOINED)
		return -ENOSPC;
	/* Asked again although it is in the list: the interface may have come back with its index. */
	if (setsockopt(fd, level, MCAST_JOIN_GROUP, &req, sizeof(req)) && errno != EADDRINUSE)
		return -errno;
	if (!j)
		u->joined[u->joined_count++] = (struct joined){ *group, ifindex };
	return 0;
}
