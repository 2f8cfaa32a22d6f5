// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * See raw.h. A raw socket gets a copy of what is for this host after the kernel has reassembled it: memory and time for
 * that are bounded by the kernel (net.ipv4.ipfrag_high_thresh and the like, RFC 9300 16). It neither binds nor connects, and
 * does no path MTU discovery: an ICMP error that names it must not teach the kernel anything, for nobody has checked it yet.
 *
 * IPv4 gives the IP header with the packet, IPv6 does not: what is needed of it comes as control messages.
 */
#include "net/raw.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT   4341
#define RCVBUF (1 << 20) /* some dozen of the largest packets there are */

#ifndef UDP_NO_CHECK6_RX
#define UDP_NO_CHECK6_RX 102
#endif

static int attach(int fd, struct sock_filter *code, unsigned n)
{
	struct sock_fprog prog = { (unsigned short)n, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ? -errno : 0;
}

#define LEN(code) (sizeof(code) / sizeof((code)[0]))

/* The kernel runs it with the IPv4 header in front, or with what is behind the IPv6 header. */
static int filter(int fd, uint8_t family, enum xtr_raw_kind kind)
{
	struct sock_filter none[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_filter lisp4[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter lisp6[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter big4[] = { /* type and code, and the protocol of the packet it is about */
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 3 << 8 | 4, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 8 + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter big6[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_PACKET_TOO_BIG, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8 + 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	if (kind == XTR_RAW_NONE)
		return attach(fd, none, LEN(none));
	if (kind == XTR_RAW_LISP)
		return family == 4 ? attach(fd, lisp4, LEN(lisp4)) : attach(fd, lisp6, LEN(lisp6));
	return family == 4 ? attach(fd, big4, LEN(big4)) : attach(fd, big6, LEN(big6));
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int prepare(int fd, uint8_t family, enum xtr_raw_kind kind)
{
	int rc = filter(fd, family, kind);

	if (!rc)
		rc = family == 4 ? set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) :
				   set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	if (!rc && family == 6 && kind == XTR_RAW_NONE) /* a raw socket never has the other family's packets */
		rc = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (rc)
		return rc;
	if (kind == XTR_RAW_NONE) /* without this each zero checksum would count as an error of the host's */
		return family == 6 ? set(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1) : 0;
	if (family == 4) {
		rc = set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	} else {
		rc = set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		if (!rc)
			rc = set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		if (!rc)
			rc = set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	}
	if (!rc)
		rc = set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	if (!rc && set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF))
		rc = set(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	return rc;
}

int xtr_raw_open(uint8_t family, enum xtr_raw_kind kind)
{
	int af = family == 4 ? AF_INET : AF_INET6, fd, rc;
	struct xtr_ip any = { .family = family };
	struct sockaddr_storage ss;
	socklen_t len = xtr_ip_to_sockaddr(&any, PORT, &ss);

	if (kind == XTR_RAW_NONE)
		fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	else
		fd = socket(af, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    kind == XTR_RAW_LISP ? IPPROTO_UDP : family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	rc = prepare(fd, family, kind);
	if (!rc && kind == XTR_RAW_NONE && bind(fd, (struct sockaddr *)&ss, len))
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	return fd;
}

/* What the header of IPv4 says; 0 or -EBADMSG. */
static int header4(const uint8_t *buf, unsigned n, struct xtr_raw_packet *out)
{
	unsigned ihl = n >= 20 ? (buf[0] & 15u) * 4 : 0;

	if (ihl < 20 || ihl > n || buf[0] >> 4 != 4)
		return -EBADMSG;
	out->tos = buf[1];
	out->ttl = buf[8];
	out->src.family = out->dst.family = 4;
	memcpy(out->src.a, buf + 12, 4);
	memcpy(out->dst.a, buf + 16, 4);
	out->at = ihl;
	out->len = n - ihl;
	return 0;
}

static void control(struct msghdr *m, struct xtr_raw_packet *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in6_pktinfo i6;
		struct in_pktinfo i4;
		int value = 0;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&i4, CMSG_DATA(c), sizeof(i4));
			out->ifindex = i4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&i6, CMSG_DATA(c), sizeof(i6));
			out->ifindex = (int)i6.ipi6_ifindex;
			out->dst.family = 6;
			memcpy(out->dst.a, &i6.ipi6_addr, 16);
		} else if (c->cmsg_len >= CMSG_LEN(sizeof(value))) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
				out->tos = (uint8_t)value;
			if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
				out->ttl = (uint8_t)value;
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
				out->lost = (uint32_t)value;
		}
	}
}

int xtr_raw_recv(int fd, uint8_t family, uint8_t *buf, unsigned size, struct xtr_raw_packet *out)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + 4 * CMSG_SPACE(sizeof(int)) +
			  CMSG_SPACE(sizeof(struct in_pktinfo))];
	} c;
	struct sockaddr_storage ss;
	struct iovec io = { buf, size };
	struct msghdr m = { .msg_name = &ss,
			    .msg_namelen = sizeof(ss),
			    .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c) };
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	memset(out, 0, sizeof(*out));
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : -EBADMSG;
	control(&m, out);
	if (m.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (family == 4)
		return header4(buf, (unsigned)n, out);
	out->len = (unsigned)n;
	if (out->dst.family != 6 || xtr_ip_from_sockaddr((struct sockaddr *)&ss, &out->src, &(uint16_t){ 0 }))
		return -EBADMSG;
	return out->src.family == 6 ? 0 : -EBADMSG;
}
