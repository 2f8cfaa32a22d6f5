/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The data plane as user space sees it: BPF programs and maps (pinned), their links, the overlay devices with routes and
 * rules, header templates kept from netlink, the ring buffer, and the queue of packets that wait for a mapping. Knows
 * addresses and instances, nothing of LISP messages. Everything it makes it can find again and remove (xtr_dp_detach).
 *
 * Life: open adopts what is pinned (or creates it), close leaves everything running, detach removes it.
 */
#ifndef XTR_DP_DP_H
#define XTR_DP_DP_H

#include "util/err.h"
#include "util/ip.h"
#include "xtr/abi.h"

struct xtr_dp;

#define XTR_DP_NETNS_MAX 128       /* name or path of a network namespace, with the end */

struct xtr_dp_port {               /* interfaces[] of the configuration */
	char name[16];
	uint8_t role;              /* XTR_ROLE_UNDERLAY or XTR_ROLE_EID */
	uint8_t mode;              /* wanted: XTR_MODE_AUTO, XDP, XDP_GENERIC, TC */
	uint32_t iid;              /* EID port */
	uint16_t vlan;             /* EID port: frames with this 802.1Q tag only; 0: those without. One device may be named several times */
	bool untagged;             /* EID port: no frame with a tag comes in at the device, says the configuration */
	unsigned line, column;     /* where its mode is written, for messages; 0: nowhere */
};
struct xtr_dp_overlay {            /* overlay[] */
	char name[16];             /* xtr0; the peer end is <name>p, cut to 15 characters */
	uint32_t iid;
	uint32_t mtu;              /* 0: smallest underlay MTU minus overhead (36, or 56 with an IPv6 RLOC) */
	const struct xtr_ippfx *addresses; unsigned address_count; /* EIDs of the host itself, set on the device */
	const struct xtr_ippfx *routes; unsigned route_count;      /* EID space routed into the device */
	const char *netns;         /* place the device into this network namespace: a name of `ip netns` or a path; NULL: stays here */
	const char *vrf;           /* enslave the device to this VRF (in netns if both) and put its routes into its table; NULL: none */
};
struct xtr_dp_local {              /* our EID-prefixes */
	uint32_t iid;
	struct xtr_ippfx eid;
	uint16_t map_version;
};
enum xtr_dp_direct {
	XTR_DP_DIRECT_AUTO,        /* hand decapsulated packets to EID ports unless the host filters what it forwards */
	XTR_DP_DIRECT_ON,
	XTR_DP_DIRECT_OFF,
};
struct xtr_dp_group {              /* a group of hosts (RFC 8378, by configuration) */
	uint32_t iid;
	struct xtr_ip group, source; /* source of no family: of all sources */
	const struct xtr_ip *members; unsigned member_count; /* RLOCs of the routers that get a copy of what our hosts send */
	bool receive;              /* take in what other routers send to it, out of the overlay device */
};
struct xtr_dp_config {
	const char *bpffs;         /* "/sys/fs/bpf" */
	const char *file;          /* of the configuration, for messages; NULL: there is none */
	const struct xtr_dp_port *ports; unsigned port_count;
	const struct xtr_dp_overlay *overlays; unsigned overlay_count; /* at least one if there is any port */
	const struct xtr_dp_local *locals; unsigned local_count;
	const struct xtr_ip *rlocs; unsigned rloc_count;
	uint32_t cache_entries;    /* max_entries of xtr_eid4, xtr_eid6: part of the geometry */
	uint32_t rloc_entries;     /* xtr_rloc, xtr_rset */
	uint32_t flags;            /* XTR_CFG_F_*, but for F_DIRECT */
	uint8_t direct;            /* enum xtr_dp_direct */
	bool gro;                  /* overlay devices put single packets of TCP together */
	uint32_t miss_rate, miss_burst, miss_eid_burst;
	uint32_t miss_source_rate; /* of miss_rate, what one source may use; 0: half of it */
	uint32_t large_rate, large_burst; /* misses of more than XTR_EV_MEDIUM octets, per CPU; both 0: 2000, 500 */
	uint32_t icmp_rate, icmp_burst;   /* ICMP errors per second and CPU; both 0: 1000, 100 */
	uint32_t slow_rate, slow_burst;   /* packets per second by the slow path; both 0: 5000, 1000 */
	uint32_t native_routes;    /* most throw routes for natively forwarded prefixes in use; 0: none */
	uint32_t path_mtus;        /* most path MTUs learned; 0: none */
	uint32_t path_mtu_ms;      /* how long each is believed; 0: ten minutes (RFC 1191 6.3, RFC 8201 4) */
	uint32_t queue_eid_packets, queue_packets, queue_octets; /* bounds of the miss queue: 256, 16384, 32 MiB */
	uint32_t queue_timeout_ms; /* 5000 */
	uint32_t route_table;      /* 4341; table + 1 is used for default routes */
	uint32_t rule_priority;    /* 4341: first of the consecutive priorities used */
	uint32_t mark;             /* 0x4c495350: SO_MARK of control sockets: their packets never enter the overlay */
	const struct xtr_ippfx *control_from; unsigned control_from_count; /* outer sources of control messages that are always accepted */
	bool gpe;                  /* LISP-GPE (RFC 9305) with peers known to speak it: those whose mappings say so, and gpe_peers */
	bool gpe_zero_checksum6;   /* also over IPv6, without UDP checksum (RFC 9305 4.3.1) */
	const struct xtr_ippfx *gpe_peers; unsigned gpe_peer_count;
	const struct xtr_dp_group *groups; unsigned group_count;
	uint32_t control_rate, control_burst; /* such messages per second, CPU and port; both 0: 1000, 2000 */
};
struct xtr_dp_mapping {
	uint8_t action;            /* enum xtr_action */
	uint16_t map_version;
	uint8_t n;                 /* 0..XTR_MAX_LOCATORS */
	struct xtr_ip rloc[XTR_MAX_LOCATORS];
	uint8_t weight[XTR_MAX_LOCATORS]; /* all equal: equal shares */
	uint8_t gpe;               /* bit i: rloc[i] is said to take LISP-GPE. Not known of adopted entries */
};
enum {
	XTR_DP_MISS_REQUEST_ONLY = 1 << 0, /* nothing is queued (send-map-request entry) */
	XTR_DP_MISS_AGAIN = 1 << 1,        /* there were packets to dst in the last seconds too: not one of a scan, most likely */
};
typedef void xtr_dp_adopt_fn(void *ctx, uint32_t iid, const struct xtr_ippfx *eid, const struct xtr_dp_mapping *m);
struct xtr_dp_callbacks {
	void *ctx;
	/* A packet to dst is waiting (queued here): resolve it. how: XTR_DP_MISS_*. False: it is not being asked for, what is queued
	 * for it is dropped. */
	bool (*miss)(void *ctx, uint32_t iid, const struct xtr_ip *dst, const struct xtr_ip *src, unsigned how);
	/* Sampled drop of the programs, for monitor. frame may be NULL. */
	void (*drop)(void *ctx, enum xtr_drop_reason reason, uint32_t ifindex, uint32_t iid, const struct xtr_ip *src, const struct xtr_ip *dst);
	/* Addresses or links of our RLOCs changed: those that are up now. */
	void (*rlocs_up)(void *ctx, const struct xtr_ip *up, unsigned n);
	/* A control message that came data-encapsulated (instance XTR_IID_MAX) from outer source `via`, one of the control peers: the
	 * payload of the inner UDP datagram to port 4342, its length and checksum verified. */
	void (*control)(void *ctx, const struct xtr_ip *via, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t sport, const uint8_t *buf, size_t len);
	/* At open, for every map-cache entry that was found in the kernel. NULL: ask for them by xtr_dp_cache_each(). */
	xtr_dp_adopt_fn *adopt;
	/* An entry of a batch that put() had accepted is not in the kernel, which had no room or memory for it. */
	void (*refused)(void *ctx, uint32_t iid, const struct xtr_ippfx *eid);
	/* The places for locators are all taken: may this entry, idle for long, go? 1: it is deleted now, with those that cover it
	 * (or its traffic would follow them); 0: it has to stay; -ENOENT: unknown, remove it yourself. NULL: as that. */
	int (*evict)(void *ctx, uint32_t iid, const struct xtr_ippfx *eid);
};

/*
 * Replication (RFC 8378, RFC 9962 4): packets to a group of an instance go as one encapsulated copy to each member. Control
 * messages between members of a seed-group are such packets, of instance XTR_IID_MAX.
 */
/* Adopts or creates maps and programs, makes overlay devices, routes, rules and templates, attaches ports (TC before XDP).
 * -EBUSY: another daemon holds the folder. On error nothing that was not there before stays, and traffic that flowed
 * goes on flowing. */
int xtr_dp_open(const struct xtr_dp_config *cfg, const struct xtr_dp_callbacks *cb, struct xtr_dp **out, struct xtr_err *err);
/* Applies the difference to ports, overlays, locals, flags. cfg is copied deeply. */
int xtr_dp_reconfigure(struct xtr_dp *dp, const struct xtr_dp_config *cfg, struct xtr_err *err);
/* After xtr_dp_open(), when the rest of the start failed: takes away again what was not there before. Still to be closed. */
void xtr_dp_undo(struct xtr_dp *dp);
/* Closes fds only; the kernel goes on forwarding with what it has. */
void xtr_dp_close(struct xtr_dp *dp);

/* File descriptors to poll for reading and what to call then. now: monotonic ms. */
int xtr_dp_event_fd(const struct xtr_dp *dp);     /* ring buffer (epoll fd) */
void xtr_dp_events(struct xtr_dp *dp, uint64_t now); /* at most 256 events a turn; call again while the fd stays readable */
int xtr_dp_netlink_fd(const struct xtr_dp *dp);
void xtr_dp_netlink(struct xtr_dp *dp, uint64_t now);
int xtr_dp_slow_fd(const struct xtr_dp *dp);      /* LISP packets in fragments, ICMP errors about the path MTU (epoll fd) */
void xtr_dp_slow(struct xtr_dp *dp, uint64_t now);
uint64_t xtr_dp_tick(struct xtr_dp *dp, uint64_t now); /* heartbeats, queue time-outs, repair; returns the next deadline */

/* What is put and deleted between begin and end gets into the kernel together, at the end at the latest; entries
 * that packets wait for, at once. May be nested. */
void xtr_dp_batch_begin(struct xtr_dp *dp);
void xtr_dp_batch_end(struct xtr_dp *dp);
/* Map-cache. put: writes locator templates and set first, the entry last, bumps the generation, then releases queued packets inside the
 * prefix (encap, native: injected; else dropped and counted). */
int xtr_dp_cache_put(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, const struct xtr_dp_mapping *m, uint64_t now);
/* -E2BIG: all data-plane.cache-entries places of its family are taken; -ENOSPC: those of locators. */
int xtr_dp_cache_del(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid);
uint64_t xtr_dp_cache_idle(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, uint64_t now); /* ms; UINT64_MAX */
/* Every entry in the kernel; fn may put and delete. How many there were. */
size_t xtr_dp_cache_each(struct xtr_dp *dp, xtr_dp_adopt_fn *fn, void *ctx);
/* Replication list of (source, group), source NULL: of all sources. members without our own RLOCs, any order, duplicates ignored; n 0: removed. At most
 * XTR_REPL_MAX are replicated by one program run; longer lists are cut into several (control messages only; -E2BIG otherwise).
 * -EINVAL: no group, or one that stays on its link. Lists of a daemon before stay in use until renewed, three minutes at most; so do peers. */
int xtr_dp_replicate(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *source, const struct xtr_ip *group, const struct xtr_ip *members, unsigned n);
/* The outer sources control messages are accepted from, besides control_from: the whole set, replaced. */
int xtr_dp_control_peers(struct xtr_dp *dp, const struct xtr_ip *peers, unsigned n);
/* src, group and UDP 4342 to 4342 around buf, to the replication list of (XTR_IID_MAX, group): -ENOENT if there is none; -EMSGSIZE: does not fit the path to some member, nothing was sent. src and group of one family. */
int xtr_dp_send_overlay(struct xtr_dp *dp, const struct xtr_ip *src, const struct xtr_ip *group, const void *buf, size_t len);
void xtr_dp_miss_failed(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst);
/* How full the tables are that grow with the map-cache. */
struct xtr_dp_table { const char *map, *key; /* of the configuration: what sizes it */ uint64_t entries, max; };
#define XTR_DP_COUNTS 4
unsigned xtr_dp_counts(const struct xtr_dp *dp, struct xtr_dp_table out[XTR_DP_COUNTS]);
/* What the maps take when they are full, of the map-cache at most so many entries in all. */
uint64_t xtr_dp_memory_full(const struct xtr_dp *dp, uint64_t cache_entries);
uint64_t xtr_dp_refused(const struct xtr_dp *dp);  /* entries that found no place in the kernel, since start */
int xtr_dp_set_trace(struct xtr_dp *dp, bool on);  /* XTR_CFG_F_TRACE_DROPS while a monitor listens */
/* Counters of the daemon's side (queue drops) are added into xtr_drops so that one table has all of them. */

/* --- read from the pins, with or without a daemon (xtrctl). Opened read-only where the kernel allows. */
struct xtr_dp_view;
int xtr_dp_view_open(const char *bpffs, struct xtr_dp_view **out, struct xtr_err *err); /* -ENOENT: nothing attached */
void xtr_dp_view_close(struct xtr_dp_view *v);
const char *xtr_dp_view_path(const struct xtr_dp_view *v); /* folder of the pins */
struct xtr_dp_cache_row { uint32_t iid; struct xtr_ippfx eid; struct xtr_eid e; uint8_t n; struct xtr_rloc rloc[XTR_MAX_LOCATORS];
	unsigned share[XTR_MAX_LOCATORS]; /* buckets of 256 */ struct xtr_count count[XTR_MAX_LOCATORS]; uint64_t idle_ms; };
/* The map-cache, to be gone through: in the order of instance, address, length; only those that are wanted (NULL: all). */
struct xtr_dp_view_list;
int xtr_dp_view_list(struct xtr_dp_view *v, bool (*want)(void *, uint32_t iid, const struct xtr_ippfx *eid), void *arg, struct xtr_dp_view_list **out);
void xtr_dp_view_list_free(struct xtr_dp_view_list *l);
bool xtr_dp_view_list_at(const struct xtr_dp_view_list *l, size_t i, uint32_t *iid, struct xtr_ippfx *eid); /* false: there are fewer */
/* Is exactly this prefix there, without reading all? 1, 0; -EAGAIN: read them. */
int xtr_dp_view_entry(struct xtr_dp_view *v, uint32_t iid, const struct xtr_ippfx *eid, struct xtr_dp_cache_row *row);
/* Without the locators, which are the same for all entries with this e.rset: list_set reads them. */
void xtr_dp_view_list_set(struct xtr_dp_view *v, struct xtr_dp_cache_row *row);
void xtr_dp_view_list_row(struct xtr_dp_view *v, const struct xtr_dp_view_list *l, size_t i, struct xtr_dp_cache_row *row);
struct xtr_dp_local_row { uint32_t iid; struct xtr_ippfx eid; struct xtr_local l; };
int xtr_dp_view_local(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_local_row *), void *arg);
struct xtr_dp_rloc_row { uint32_t id; struct xtr_rloc r; struct xtr_count count; bool fresh; };
int xtr_dp_view_rloc(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_rloc_row *), void *arg);
struct xtr_dp_iface_row { uint32_t ifindex; char name[16]; struct xtr_iface i; bool xdp, tc; /* attached links */ const char *tc_kind; /* "tcx", "clsact" */
	char netns[XTR_DP_NETNS_MAX]; /* network namespace it is in, if that is another one: of overlay devices */ };
int xtr_dp_view_iface(struct xtr_dp_view *v, int (*fn)(void *, const struct xtr_dp_iface_row *), void *arg);
/* Our filters on clsact, where there is no tcx link to ask. */
#define XTR_DP_TC_PRIORITY 4341
#define XTR_DP_TC_HANDLE   1
/* All maps. count(name, entries) tells how many elements there are, if somebody knows (true); else they are counted, which takes a
 * second a million. */
struct xtr_dp_usage { const char *name, *key; /* of the configuration; NULL: of fixed size */ uint32_t type, flags, bytes_key, bytes_value;
	bool fixed; /* an array: always full */ uint64_t entries, max, bytes_entry /* really taken */, bytes, bytes_full; };
int xtr_dp_view_usage(struct xtr_dp_view *v, bool (*count)(void *, const char *name, uint64_t *entries),
		      int (*fn)(void *, const struct xtr_dp_usage *), void *arg);
int xtr_dp_view_drops(struct xtr_dp_view *v, uint64_t out[XTR_DROP_MAX]);
int xtr_dp_view_stats(struct xtr_dp_view *v, struct xtr_count out[XTR_STAT_MAX]);
const char *xtr_drop_name(unsigned reason); const char *xtr_drop_text(unsigned reason);
const char *xtr_stat_name(unsigned stat);   const char *xtr_stat_text(unsigned stat);
const char *xtr_mode_name(unsigned mode);   const char *xtr_mode_why(unsigned why);   const char *xtr_role_name(unsigned role);  const char *xtr_action_name(unsigned action);

/* Removes everything xtr ever made on this host (in this network namespace and bpffs): XDP first, then TC, links, programs, maps, pins, overlay
 * devices, routes, rules, neighbours, offload settings. Safe to repeat. -EBUSY while a daemon runs (unless force). say(ctx, line) reports each step. */
int xtr_dp_detach(const char *bpffs, bool force, void (*say)(void *, const char *line), void *ctx, struct xtr_err *err);

/* Does this kernel put LISP-GPE frames together (6.5)? If not, gpe of the configuration has no effect. release: uname -r, or NULL. */
bool xtr_dp_gpe_kernel(char release[80]);

/* What the kernel and an interface offer, and which mode `auto` takes. */
struct xtr_dp_feature { const char *name; bool have; char detail[160]; };
int xtr_dp_probe_kernel(int (*fn)(void *, const struct xtr_dp_feature *), void *arg);
struct xtr_dp_probe { uint8_t mode; char driver[32]; char reason[512]; char unlock[320]; /* commands for the faster mode, joined by && */
	char hint[320];             /* what else there is to know */
	bool native_xdp, ndo_xmit, tcx; uint32_t mtu; };
int xtr_dp_probe_iface(const char *name, uint8_t role, struct xtr_dp_probe *out, struct xtr_err *err);

#endif
