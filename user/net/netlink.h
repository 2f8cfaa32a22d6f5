/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Netlink in plain values: links, addresses, routes, rules, neighbours, offload settings and XDP features. Requests are
 * synchronous (the kernel answers at once); a second socket brings notifications. Everything concerns the network
 * namespace in which xtr_nl_open() was called, or that xtr_nl_open_at() was given. Return values: 0 or -errno of the kernel.
 */
#ifndef XTR_NET_NETLINK_H
#define XTR_NET_NETLINK_H

#include "util/ip.h"

struct xtr_nl;

/* *out is the caller's, for xtr_nl_close(). Not for two threads at a time. */
int xtr_nl_open(struct xtr_nl **out);
void xtr_nl_close(struct xtr_nl *nl);
/* Functions that list call fn for each record, which is valid during the call, until fn returns non-zero, and return that. */

/* ---- other network namespaces. Needs CAP_SYS_ADMIN (setns). */
/* fd of the namespace that path names (/run/netns/NAME, /proc/PID/ns/net). -EMEDIUMTYPE: it is something else. */
int xtr_nl_netns_open(const char *path);
/* Runs fn with the calling thread in that namespace, then comes back; nsfd -1: stays here. What fn returns, or -errno. */
int xtr_nl_at(int nsfd, int (*fn)(void *arg), void *arg);
/* Everything asked through it concerns that namespace. */
int xtr_nl_open_at(int nsfd, struct xtr_nl **out);
/* what the kernel said about the last refused request; "" if nothing */
const char *xtr_nl_error(const struct xtr_nl *nl);

/* ---- links */
struct xtr_nl_link {
	int ifindex;
	char name[16], kind[16], alias[64];
	uint8_t mac[6], mac_len;
	uint16_t type;           /* ARPHRD_* */
	uint32_t mtu, flags;     /* IFF_* */
	int peer;                /* IFLA_LINK: ifindex of a veth's other end, or what a VLAN device is on, if it is in this namespace; else 0 */
	int other;               /* IFLA_LINK, wherever that is */
	int master;
	uint16_t vlan;           /* IFLA_VLAN_ID of an 802.1Q device; else 0 */
	uint32_t vrf_table;      /* IFLA_VRF_TABLE of a VRF device; else 0 */
	bool no_ip6_autogen;     /* addrgenmode none */
	char qdisc[16];          /* its root qdisc */
	uint8_t xdp;             /* XDP_ATTACHED_*: 0 none, 1 driver, 2 generic */
};
typedef int (*xtr_nl_link_fn)(void *arg, const struct xtr_nl_link *l);
/* -ENODEV */
int xtr_nl_link_get(struct xtr_nl *nl, int ifindex, const char *name, struct xtr_nl_link *out);
int xtr_nl_links(struct xtr_nl *nl, xtr_nl_link_fn fn, void *arg);
/* nsfd: namespace for `name`, -1: here, where `peer` is in any case. queues: of each end and direction */
int xtr_nl_veth_add(struct xtr_nl *nl, const char *name, const char *peer, int nsfd, unsigned queues);
/* VXLAN device in GPE mode, of all VNIs (external), down. */
int xtr_nl_gpe_add(struct xtr_nl *nl, const char *name, uint16_t port, uint32_t mtu);
int xtr_nl_link_del(struct xtr_nl *nl, int ifindex);
struct xtr_nl_link_set {
	uint32_t mtu;            /* 0: leave */
	const char *alias;       /* NULL: leave */
	uint32_t flags, mask;    /* IFF_UP, IFF_NOARP */
	bool no_ip6_autogen;     /* set addrgenmode none */
	bool has_master; int master; /* enslave to; 0: to none */
};
/* In one request, in the order of the kernel: when it refuses one, others may be done. */
int xtr_nl_link_change(struct xtr_nl *nl, int ifindex, const struct xtr_nl_link_set *set);

/* ---- addresses */
struct xtr_nl_addr { int ifindex; struct xtr_ippfx pfx; uint8_t scope; bool tentative; };
typedef int (*xtr_nl_addr_fn)(void *arg, const struct xtr_nl_addr *a);
int xtr_nl_addrs(struct xtr_nl *nl, xtr_nl_addr_fn fn, void *arg);
/* no duplicate address detection */
int xtr_nl_addr_add(struct xtr_nl *nl, int ifindex, const struct xtr_ippfx *pfx);
int xtr_nl_addr_del(struct xtr_nl *nl, int ifindex, const struct xtr_ippfx *pfx);

/* ---- routes */
struct xtr_nl_route {
	uint8_t type;            /* RTN_* */
	uint8_t protocol;
	uint32_t table;
	struct xtr_ippfx dst;
	int oif;
	struct xtr_ip via, prefsrc; /* family 0: none. via may be of the other family */
	bool onlink;
	uint32_t mtu;            /* RTAX_MTU; 0 none */
	uint32_t metric;
};
typedef int (*xtr_nl_route_fn)(void *arg, const struct xtr_nl_route *r);
/* of one protocol, all tables, both families */
int xtr_nl_routes(struct xtr_nl *nl, uint8_t protocol, xtr_nl_route_fn fn, void *arg);
/* replaces one of the same table and prefix */
int xtr_nl_route_add(struct xtr_nl *nl, const struct xtr_nl_route *r);
int xtr_nl_route_del(struct xtr_nl *nl, const struct xtr_nl_route *r);
/* What the kernel would do with a packet to dst carrying mark. mtu: as the route has it, not what ICMP messages made of it. */
int xtr_nl_route_get(struct xtr_nl *nl, const struct xtr_ip *dst, uint32_t mark,
		     struct xtr_nl_route *out);

/* ---- rules */
struct xtr_nl_rule {
	uint8_t family;          /* 4, 6 */
	uint8_t protocol;
	uint32_t priority, table, mark, mask;
	struct xtr_ippfx from;   /* ip.family 0: any */
	int suppress;            /* suppress_prefixlength; -1 none */
	bool invert;             /* it applies to what does not match */
	uint32_t skip_to;        /* go on behind all rules before this priority (goto); 0: look into table... */
	bool nop;                /* ...unless it does nothing */
};
typedef int (*xtr_nl_rule_fn)(void *arg, const struct xtr_nl_rule *r);
/* Both families, of all protocols. */
int xtr_nl_rules(struct xtr_nl *nl, xtr_nl_rule_fn fn, void *arg);
int xtr_nl_rule_add(struct xtr_nl *nl, const struct xtr_nl_rule *r);
int xtr_nl_rule_del(struct xtr_nl *nl, const struct xtr_nl_rule *r);

/* ---- neighbours */
struct xtr_nl_neigh {
	int ifindex;
	struct xtr_ip ip;
	uint8_t mac[6]; bool has_mac;
	uint16_t state;          /* NUD_* */
	uint8_t flags, protocol;
	bool managed;            /* the kernel keeps it resolved (NTF_EXT_MANAGED) */
};
typedef int (*xtr_nl_neigh_fn)(void *arg, const struct xtr_nl_neigh *n);
int xtr_nl_neighs(struct xtr_nl *nl, xtr_nl_neigh_fn fn, void *arg);
/* -ENOENT */
int xtr_nl_neigh_get(struct xtr_nl *nl, int ifindex, const struct xtr_ip *ip,
		     struct xtr_nl_neigh *out);
/* managed: resolve and keep; else as given */
int xtr_nl_neigh_put(struct xtr_nl *nl, const struct xtr_nl_neigh *n);
int xtr_nl_neigh_del(struct xtr_nl *nl, int ifindex, const struct xtr_ip *ip);

/* ---- traffic control: what a clsact qdisc holds. *qdisc: there is one. *filters: filters on it, both directions. */
int xtr_nl_clsact(struct xtr_nl *nl, int ifindex, bool *qdisc, unsigned *filters);
/* The same for each direction. */
int xtr_nl_clsact_sides(struct xtr_nl *nl, int ifindex, bool *qdisc, unsigned *ingress, unsigned *egress);

/* ---- device features */
#define XTR_NL_XDP_BASIC    (1u << 0)
#define XTR_NL_XDP_REDIRECT (1u << 1)
#define XTR_NL_XDP_NDO_XMIT (1u << 2)
#define XTR_NL_XDP_RX_SG    (1u << 5) /* frames of several buffers */
/* XDP features as the driver declares them. -EOPNOTSUPP: the kernel can not tell (before 6.3). */
int xtr_nl_xdp_features(struct xtr_nl *nl, int ifindex, uint64_t *features);
int xtr_nl_driver(const char *ifname, char *buf, size_t size);
/* Offload by its ethtool name, e.g. "tx-udp-segmentation". get: 0 or 1 in *on. -ENOENT: the kernel has no such feature. */
int xtr_nl_offload_get(const char *ifname, const char *feature, bool *on);
int xtr_nl_offload_set(const char *ifname, const char *feature, bool on);
/* fixed: this device can not change it */
int xtr_nl_offload_look(const char *ifname, const char *feature, bool *on, bool *fixed);
struct xtr_nl_channels { uint32_t rx, tx, combined, rx_max, tx_max, combined_max; };
/* -EOPNOTSUPP: the driver does not say */
int xtr_nl_channels(const char *ifname, struct xtr_nl_channels *out);

/* ---- notifications */
struct xtr_nl_monitor;
struct xtr_nl_monitor_ops {
	void *ctx;
	void (*link)(void *ctx, bool gone, const struct xtr_nl_link *l);
	void (*addr)(void *ctx, bool gone, const struct xtr_nl_addr *a);
	void (*route)(void *ctx, bool gone, const struct xtr_nl_route *r);
	void (*rule)(void *ctx, bool gone, const struct xtr_nl_rule *r);
	void (*neigh)(void *ctx, bool gone, const struct xtr_nl_neigh *n);
	void (*lost)(void *ctx);  /* notifications were lost: look at everything again */
};
/* Of the namespace of the calling thread, or of nsfd (-1: as well). The fd does not block; it stays the monitor's. */
int xtr_nl_monitor_open(struct xtr_nl_monitor **out);
int xtr_nl_monitor_open_at(int nsfd, struct xtr_nl_monitor **out);
void xtr_nl_monitor_close(struct xtr_nl_monitor *m);
int xtr_nl_monitor_fd(const struct xtr_nl_monitor *m);
/* Reads at most a few hundred messages; call again while the fd stays readable. */
void xtr_nl_monitor_read(struct xtr_nl_monitor *m, const struct xtr_nl_monitor_ops *ops);

#endif
