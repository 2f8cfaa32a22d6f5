/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Inside of the data plane room: the state that its files share. One struct xtr_dp is driven by one thread. Each file owns the
 * part of it that carries its name; the comment there says who frees what. Nothing outside user/dp includes this,
 * except its tests.
 */
#ifndef XTR_DP_INTERNAL_H
#define XTR_DP_INTERNAL_H

#include "dp/dp.h"
#include "net/netlink.h"
#include "util/hash.h"
#include "util/log.h"
#include "util/trie.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct xtr_bpf;                            /* skeleton */
struct bpf_object;
struct bpf_map;

#define XTR_DP_PROTO        76             /* rtm_protocol, FRA_PROTOCOL, NDA_PROTOCOL of everything we make ('L') */
#define XTR_DP_ALIAS        "xtr "         /* IFLA_IFALIAS of our overlay devices: this and the bpffs folder */
#define XTR_DP_TCX_INGRESS  46             /* enum bpf_attach_type, newer than libbpf's header */
#define XTR_DP_TCX_EGRESS   47
#define XTR_DP_LINK_TCX     11             /* enum bpf_link_type */
#define XTR_DP_GATEWAY4     "169.254.0.1"  /* next hops of EID routes: nobody owns them (design: on-link routes would */
#define XTR_DP_GATEWAY6     "fe80::1"      /* make a kernel neighbour per EID) */
#define XTR_DP_MAP_MADE     "xtr_made"
#define XTR_DP_DETACHING    "detaching"    /* folder beside those of pins: detach by force is at work, do not put anything right */
#define XTR_DP_GRACE_MS     2000           /* before a set or template that nothing names is deleted and its id reused */
#define XTR_DP_HEARTBEAT_MS 10000          /* age after which the programs let the kernel resolve: safely within 15 s of
					    * whatever happens just after the daemon died */
#define XTR_DP_HOLD_MS      50             /* hard end of keeping order behind queued packets */
#define XTR_DP_HOLD_LOOK_MS 50             /* how often slots are looked at that only keep XDP away */
#define XTR_DP_EVENTS_TURN  256
#define XTR_DP_QUEUES       32             /* of an overlay device, at most: one for each CPU that GRO runs on */
#define XTR_DP_SETTLE_MS    20             /* changes come in groups: wait so long for the rest */
/* What an underlay device without Ethernet headers means: the programs look for one. */
#define XTR_DP_NO_ETHER     "what arrives there is decapsulated by xtrd alone: slowly (see data-plane.slow-rate), and not while it is stopped"
#define XTR_DP_WAYS         1024           /* neighbours whose address is remembered, mapped directly */
#define XTR_DP_LOOK_MS      30000          /* look at everything again, whatever netlink said */
#define XTR_DP_LISTS        16384          /* as many groups as the maps hold */
#define XTR_DP_REPL_PARTS   64             /* of the list of one group of control messages */
#define XTR_DP_NAMESPACES   (XTR_MAX_PORTS / 2)
#define XTR_DP_NSS          (2 * XTR_DP_NAMESPACES) /* while those of before have not been left yet */
#define XTR_DP_MAP_PLACES   "xtr_places"
#define XTR_DP_VRF_METRIC   4341           /* of EID routes in the table of a VRF, so that its own are never replaced */
#define XTR_DP_VRF_LAST     4278198271u    /* unreachable default route of a VRF: just before the usual one of the administrator */
#define XTR_DP_ADOPTED_MS   180000         /* lists and sources of a former daemon that nobody renews (as registrations) */

#define XTR_DP_PARTING      16             /* RLOCs that were taken out of the configuration are still decapsulated for... */
#define XTR_DP_PARTING_MS   60000          /* ...so long: until every sender has heard of it (RFC 9301 4.2: SMR) */
#define XTR_DP_UNFINISHED   "new_"         /* name of a folder or pin before it is complete: this and what it will be */

#define XTR_DP_MTU_MIN4     576            /* every host takes that (RFC 791); RFC 1191 3 would allow 68, which helps attackers alone */
#define XTR_DP_MTU_MIN6     1280           /* RFC 8201 4 */

#define XTR_DP_GPE          "xtrgpe"       /* helper device of LISP-GPE */

extern bool xtr_dp_no_gpe;                 /* tests: behave as a kernel before 6.5 */
extern bool xtr_dp_no_tcx;                 /* tests: behave as a kernel before 6.6 (clsact) */
extern uint32_t xtr_dp_copies;                /* tests: elements of each hash of copies that all CPUs share; 0: as built */
extern void (*xtr_dp_step)(const char *what); /* tests: called between the steps of a start */

/* ---- xtr_made: what detach has to know. ARRAY(1), made and pinned by user space, unknown to the programs. Other versions read it by
 * its size: what is here stays as it is, more goes behind the end of struct xtr_dp_made. */
#define XTR_DP_MADE_DEVS 128
enum {
	XTR_MADE_OVERLAY  = 1 << 0,        /* we created this device */
	XTR_MADE_CLSACT   = 1 << 1,        /* we created its clsact qdisc */
	XTR_MADE_INGRESS  = 1 << 2,        /* our filter is on clsact ingress */
	XTR_MADE_EGRESS   = 1 << 3,
	XTR_MADE_RXVLAN   = 1 << 4,        /* we switched its rx-vlan-offload off */
	XTR_MADE_RXSTAG   = 1 << 5,        /* the same for 802.1ad */
};
#define XTR_DP_MADE_SOON (-1)              /* index of an overlay device that is being made: it is known by its name */
struct xtr_dp_made_dev { __u32 ifindex, flags; char name[16]; };
struct xtr_dp_made {
	__u64 netns_dev, netns_ino;        /* namespace in which the indexes below mean something */
	__u32 table, priority, mark, count;
	struct xtr_dp_made_dev dev[XTR_DP_MADE_DEVS];
};

enum xtr_dp_map {
	XTR_M_CFG, XTR_M_IFACES, XTR_M_INST, XTR_M_SELF, XTR_M_LOCAL4, XTR_M_LOCAL6, XTR_M_RLOC, XTR_M_RLSTAT, XTR_M_RSET,
	XTR_M_EID4, XTR_M_EID6, XTR_M_DROPS, XTR_M_STATS, XTR_M_EVENTS, XTR_M_MISSTB, XTR_M_MISSSL, XTR_M_MISSSRC, XTR_M_HOLD, XTR_M_GEN,
	XTR_M_MCAST4, XTR_M_MCAST6, XTR_M_REPL, XTR_M_CTLSRC, XTR_M_FANOF, XTR_M_FAN, XTR_M_FANDEV, XTR_M_FANOUT, XTR_M_FANCPU,
	XTR_M_MAX,
};
enum xtr_dp_prog { XTR_P_ENCAP, XTR_P_INJECT, XTR_P_UNDERLAY, XTR_P_XDP_EID, XTR_P_XDP_UNDER, XTR_P_XDP_COPY, XTR_P_CLOCK,
		   XTR_P_FENCE, XTR_P_GUARD, XTR_P_MAX };
extern const char *const xtr_dp_map_names[XTR_M_MAX];
extern const char *const xtr_dp_prog_names[XTR_P_MAX];

union xtr_dp_key { struct xtr_lpm4 k4; struct xtr_lpm6 k6; };
union xtr_dp_mckey { struct xtr_mc4 k4; struct xtr_mc6 k6; };

/* ---- upgrade.c: a folder whose contents are taken over */
struct xtr_dp_source {
	char dir[256];
	unsigned abi;
	bool found, own;                   /* own: the folder of this ABI and these sizes itself */
	uint32_t since[XTR_M_MAX];         /* ABI in which its maps got their layout; 0: unknown */
	int fd[XTR_M_MAX];                 /* maps of our layout that are not shared; -1 */
};
/* the ring of a folder that is gone */
struct xtr_dp_left {
	struct xtr_dp_left *next;
	struct xtr_dp *dp;
	struct ring_buffer *ring;
	uint32_t octets;                   /* of an event, before the frame; 0: unknown */
	unsigned seen, lost;
};

/* ---- ids: numbers 1..max-1 for locator-sets and templates */
struct xtr_dp_ids { uint32_t max, next, top; uint64_t *used; }; /* top: above every id ever used */

/* ---- neigh.c: one next hop on one port */
struct xtr_dp_nbkey { int ifindex; struct xtr_ip ip; };
struct xtr_dp_nb {
	struct xtr_dp_nbkey key;
	uint8_t mac[6];
	uint64_t probed;                   /* when the kernel was told to ask it again */
	bool valid, ours, lost;            /* usable layer 2 address; managed by us; gone from the kernel */
	uint32_t refs;
	UT_hash_handle hh;
};
/* ---- rloc.c: one remote RLOC with its header template */
struct xtr_dp_rl {
	struct xtr_ip dst;                 /* hash key */
	uint32_t id, refs;
	uint64_t dead;                     /* when refs became 0 */
	uint64_t beat;                     /* ms of the heartbeat in the kernel; 0 none */
	struct xtr_rloc t;                 /* as in the kernel */
	struct xtr_dp_nb *nb;
	bool hashed;                       /* in the table by address (not a duplicate found at adoption) */
	bool stale;                        /* to be resolved again */
	bool moved;                        /* UP changed: its sets are to be filled again */
	uint32_t gpe;                      /* sets of mappings that say it takes LISP-GPE */
	UT_hash_handle hh;
};
/* ---- rset.c: one locator-set, shared by all entries with the same content */
struct xtr_dp_setkey { uint32_t n; uint32_t rl[XTR_MAX_LOCATORS]; uint8_t weight[XTR_MAX_LOCATORS];
	uint8_t gpe; };
struct xtr_dp_set {
	struct xtr_dp_setkey key;
	uint32_t id, refs, version;
	uint64_t dead;
	bool hashed;                       /* in the table by content (not a duplicate found at adoption) */
	UT_hash_handle hh;
};
/* ---- cache.c: what is in xtr_eid4/6; values of the tries, shared by all that are the same and hold nothing */
struct xtr_dp_entry {
	struct xtr_dp_is {                 /* zeroed before it is filled: compared by its octets */
		struct xtr_dp_set *set;    /* NULL unless XTR_ACT_ENCAP; each EID-prefix has a reference */
		uint16_t map_version;
		uint8_t action;
	} is;
	uint32_t hold;                     /* 0, or 1 + slot */
	uint32_t refs;                     /* EID-prefixes */
	UT_hash_handle hh;                 /* with no hold */
};
struct xtr_dp_batch;                       /* batch.c */
/* ---- missq.c */
struct xtr_dp_pkt {
	struct xtr_dp_pkt *next;           /* in its queue */
	struct xtr_dp_pkt *older, *newer;  /* in its share */
	struct xtr_dp_queue *q;
	uint64_t at;
	uint32_t len, ifindex, vlan, gso_size, gso_segs, hold;
	uint8_t frame[];
};
/* All packets of one instance, or of several that meet in a hash. A queue is part of one share. */
#define XTR_DP_SHARES 64
struct xtr_dp_share {
	struct xtr_dp_pkt *oldest, *newest;
	uint32_t packets; uint64_t octets;
};
struct xtr_dp_queue {
	struct xtr_dp_queue *prev, *next;  /* of dp->queues */
	uint32_t iid;
	struct xtr_ip dst;
	struct xtr_dp_pkt *head, **tail;
	uint32_t count; uint64_t octets;
	uint64_t asked;                    /* when miss() was called last */
};
struct xtr_dp_hold_state {
	bool active, guard;                /* active: the entry names the slot */
	bool settled;                      /* the counts have met, or time is over: XDP alone stays away yet */
	uint32_t iid;
	struct xtr_ippfx eid;
	uint64_t since, freed;
};
/* ---- mcast.c: the replication list of one (instance, source, group) */
struct xtr_dp_mc { uint32_t iid; struct xtr_ip source; struct xtr_ippfx group; };
struct xtr_dp_list {
	struct xtr_dp_mc key;              /* zeroed before it is filled: compared by its octets */
	uint32_t id, n;
	struct xtr_dp_rl **rl;             /* n, each with a reference; IPv4 first */
	bool adopted;                      /* of a former daemon, not renewed yet */
	bool configured, dropped;          /* by cfg.groups; it was, and is not any more */
	uint32_t fan, shape;               /* fan.c: 1 + number of its record, 0: TC replicates; its device map */
	uint64_t fan_hash;                 /* of the record, without its shape */
	const char *fan_told;              /* why it is TC; "": XDP; NULL: nothing said yet */
	UT_hash_handle hh;
};
/* ---- fan.c */
#define XTR_DP_WANTS 3
struct xtr_dp_shape { struct xtr_fan_port port[XTR_FAN_PORTS]; uint32_t refs; }; /* port[0].n 0: not made */
/* ---- netns.c: a network namespace that is not ours, with overlay devices in it */
struct xtr_dp_ns {
	char where[XTR_DP_NETNS_MAX];      /* as configured */
	uint64_t dev, ino;
	int fd;                            /* -1: not there, or not usable: `why` */
	struct xtr_nl *nl;
	struct xtr_nl_monitor *mon;
	struct xtr_nl_addr *addrs; unsigned addr_count;
	bool used, looked;                 /* by the present configuration; in this turn */
	int error;
	struct xtr_err why;
	bool trouble;                      /* its routes could not be set */
};
/* xtr_places: where the overlay devices are that are not with us. ARRAY, unknown to the programs. */
struct xtr_dp_place { __u64 dev, ino; __u32 ifindex, peer; char device[16], where[XTR_DP_NETNS_MAX]; };
/* ---- slow.c, pmtu.c */
#define XTR_DP_SLOW_HEAD 128               /* octets before a packet of the slow path, for headers */
struct xtr_dp_bucket { uint64_t at, tokens; }; /* ms; thousandths */
struct xtr_dp_pm {
	struct xtr_ip dst;                 /* remote RLOC; hash key. In the order of their last message */
	uint16_t mtu;
	uint64_t since, until;
	UT_hash_handle hh;
};
/* ---- eidroute.c: a route for one map-cache entry. Native entries have one from the beginning, set when they are in use;
 * others only while their path MTU is known. */
struct xtr_dp_er {
	uint32_t iid;
	struct xtr_ippfx eid;
	bool native, set;                  /* throw; else mtu. It is in the kernel */
	uint8_t seen;                      /* there at the last comparison: bit 0 in the table of EIDs, bit 1 in that of default routes */
	uint16_t mtu;
	uint64_t put;                      /* jiffies of when the entry was written: in use are those that were used later */
	uint64_t gone;                     /* ms since when there is no entry any more, but was a route; 0: there is */
	struct xtr_dp_er *prev, *next;     /* of dp->er_wait, or if set, of dp->er_set, the oldest first */
};
struct xtr_dp_er_base { struct xtr_dp_ns *ns; struct xtr_nl_route *r; unsigned n; }; /* what route.c wants */
/* ---- overlay.c */
struct xtr_dp_ov {
	char name[16], peer_name[16];
	uint32_t iid;
	int ifindex, peer;                 /* 0: not there. ifindex also if it is elsewhere: numbers of namespaces collide */
	uint8_t mac[6], peer_mac[6];
	uint32_t mtu;
	bool elsewhere;                    /* in another network namespace: ns, and its index there */
	struct xtr_dp_ns *ns;
	int far;
	int vrf; uint32_t vrf_table;       /* VRF device it belongs to, and its table; 0: none */
	bool apart;                        /* in a namespace or VRF: neither routes nor addresses of the host are those of its instance */
	bool ready;                        /* it is where it should be */
	bool trouble;                      /* something is not as it should be, and was said */
	bool gro;                          /* it puts together what its peer end sends */
};
/* ---- attach.c: a port as found */
struct xtr_dp_relay { char bridge[16], port[16]; }; /* it, or the bond above it, is `port` of `bridge`; "": of none */
struct xtr_dp_if {
	char name[16];
	int ifindex;                       /* 0: not there now */
	uint8_t role, mode;                /* mode in effect */
	uint32_t iid, mtu, flags;          /* IFF_* */
	int master;
	uint16_t type;
	uint8_t mac[6];
	bool soft;                         /* veth, tap: partial checksums */
	bool ndo_xmit;
	bool apart;                        /* packets may be put to its other end: ends.c */
	uint16_t vlan;                     /* EID port: of frames with this tag */
	struct xtr_dp_relay relay;         /* underlay: what keeps it from XDP */
	uint8_t wanted, planned, why;      /* as configured; what that means on this device; enum xtr_mode_why */
	uint8_t told;                      /* the why that was logged for this device */
};

#define XTR_DP_ABOVES 64
struct xtr_dp_above { int ifindex; uint32_t iid; };

struct xtr_dp {
	struct xtr_dp_config cfg;          /* deep copy, freed by dp.c */
	struct xtr_dp_callbacks cb;
	char root[192], dir[256];          /* <bpffs>/xtr, and the folder in it */
	int lock;
	bool fresh;                        /* nothing was adopted */
	bool built;                        /* dir was made by this start */
	struct xtr_dp_left *left;          /* rings still to be read */
	struct xtr_bpf *skel;
	int map[XTR_M_MAX], prog[XTR_P_MAX]; /* fds; those of map and prog belong to the skeleton */
	int made_fd;
	struct xtr_dp_made made;
	struct xtr_nl *nl;
	struct xtr_nl_monitor *mon;
	int mon_fd;                        /* epoll: mon, and those of the namespaces */
	struct xtr_dp_ns *nss[XTR_DP_NSS]; unsigned ns_count;
	struct xtr_dp_place places[XTR_DP_NAMESPACES]; unsigned place_count; /* as in xtr_places */
	bool trouble;                      /* some overlay device is not as it should be, for another reason than that its
					    * namespace is not there: try again */
	unsigned cpus;

	uint32_t hz;
	uint64_t jiffies, jiffies_ns;      /* and the monotonic clock just after they were read */
	uint64_t generation;
	uint32_t gen[XTR_GEN_SLOTS];       /* as in xtr_gen, */
	uint32_t *gen_at;                  /* which is mapped here, by the skeleton */
	uint64_t ways_known[XTR_DP_WAYS];  /* direct.c: digests of neighbours and their addresses, by neighbour */
	bool ways_stale;
	struct xtr_dp_above above[XTR_DP_ABOVES]; unsigned above_count; bool above_said; /* above.c */
	bool rules_stale, rules_found; uint32_t rules_priority; /* direct.c: policy rules of others */
	bool direct, direct_said;          /* decapsulated packets go straight to EID ports; it was logged */

	struct xtr_dp_if *ifs; unsigned if_count;
	struct xtr_dp_ov *ovs; unsigned ov_count;
	struct xtr_nl_addr *addrs; unsigned addr_count; /* of this host, as dumped last */
	int gpe; bool gpe_told;            /* helper device of LISP-GPE; 0: there is none */
	uint64_t up_mask_hash;             /* last rlocs_up reported */
	struct { struct xtr_ip ip; uint64_t until; } parting[XTR_DP_PARTING]; /* RLOCs no longer configured */
	uint64_t written[XTR_M_MAX];       /* hash of what local.c wrote last; 0: write again */
	bool changed;

	struct xtr_dp_ids rl_ids, set_ids;
	struct xtr_dp_rl *rls, **rl_by_id;
	struct xtr_dp_nb *nbs;
	struct xtr_dp_set *sets, **set_by_id;
	uint32_t set_count;
	struct xtr_trie *eid4, *eid6;      /* key: iid, address */
	struct xtr_dp_entry *shared;
	const struct xtr_ippfx *writing; uint32_t writing_iid; /* must not be put out to make room for itself */
	uint8_t evict_key[32]; unsigned evict_bits; bool evict_six; /* how far the entries were looked through for idle ones */
	struct xtr_dp_batch *batch;
	uint64_t full;                     /* entries that found no place in the kernel */
	uint64_t room_at, evicted_at;      /* when room was made last */
	bool rl_stale;                     /* some template has to be resolved again */
	uint32_t rl_mtus;                  /* templates with an MTU, of a route or learned */
	uint64_t reap_at;                  /* 0: nothing to reap */
	uint32_t rl_next;                  /* where resolving goes on */

	struct xtr_dp_list *lists;
	struct xtr_dp_ids list_ids;
	struct xtr_ip *peers; unsigned peer_count; /* sources of control messages, besides control_from */
	bool peers_known;                  /* told since start; until then those of a former daemon stay */
	uint64_t adopted_until;            /* 0: nothing adopted is left */

	uint64_t fan_rest[XTR_FANS];       /* when the number is free; UINT64_MAX: in use */
	struct xtr_dp_shape shapes[XTR_FAN_SHAPES];
	unsigned fans;                     /* lists with a record */
	bool fan_on, fan_stale;            /* XDP has lists; they are to be looked at again */
	char *wants[XTR_DP_WANTS];         /* what /proc says of memberships */

	struct xtr_trie *q4, *q6;          /* queues by iid and destination */
	struct xtr_dp_queue *queues;
	uint32_t q_packets; uint64_t q_octets;
	struct xtr_dp_share shares[XTR_DP_SHARES];
	struct xtr_dp_hold_state *holds; struct xtr_hold *hold_mem; size_t hold_size; uint32_t hold_next;
	uint64_t hold_look;
	uint32_t hold_active, hold_settled; /* slots that packets may wait by; that only keep XDP away */
	struct { uint64_t tag, at; } asked[1024]; /* request_only: last call per fingerprint */
	int inject_fd;
	uint8_t scratch[XTR_EV_LARGE];

	struct ring_buffer *ring;
	unsigned turn;                     /* events of this turn */
	uint64_t now;                      /* of the public function that runs */

	uint64_t drops[XTR_DROP_MAX]; bool drop_dirty[XTR_DROP_MAX], drops_dirty; /* those of the daemon */
	int slow_poll, slow_fd[2], pmtu_fd[2], port_fd[2]; /* epoll of the middle ones; IPv4, IPv6; below 0: none */
	uint32_t slow_lost[2];
	struct xtr_dp_bucket slow_bucket, pmtu_bucket, er_bucket;
	struct xtr_dp_pm *pms;
	unsigned slow_bad, pm_good, pm_bad; /* not yet in xtr_drops, xtr_stats */
	struct xtr_trie *er4, *er6;        /* struct xtr_dp_er by iid and prefix */
	struct xtr_dp_er *er_wait, *er_set;
	unsigned er_count[2];              /* of er_set: mtu, throw */
	struct xtr_dp_er_base er_base[XTR_DP_NSS + 1]; unsigned er_bases;
	uint64_t er_removed[256];          /* hashes of routes that were removed by us; 0: none */
	uint16_t er_least;                 /* MTU of all EID routes, as there is no room for single ones; 0: not needed */
	uint64_t er_look_at, er_scan_at;   /* which native entries are in use; which EIDs have a locator with a learned MTU, 0: no need */

	uint64_t beat_at;                  /* next heartbeat */
	uint64_t sync_at;                  /* when to look at links, addresses, routes again; 0: nothing changed */
	bool repair;                       /* then: everything, not only the way to each locator */
	uint64_t look_at;                  /* and in any case */
	uint64_t synced; unsigned sync_streak; /* how often in short succession */
	bool sync_failed, adopted, mine;   /* mine: nobody else's data plane is here */
};

/* pin.c */
int xtr_dp_bpffs_ready(const char *path, bool make, struct xtr_err *err);
int xtr_dp_lock(const char *root, struct xtr_err *err);   /* fd of the locked folder, or -errno */
void xtr_dp_netns(uint64_t *dev, uint64_t *ino);
int xtr_dp_pin(int fd, const char *dir, const char *name); /* replaces what is there in one step */
bool xtr_dp_folder_parse(const char *name, unsigned *abi, unsigned *cache, unsigned *rloc);
int xtr_dp_each_name(const char *dir, int (*fn)(void *arg, const char *name), void *arg);
int xtr_dp_remove_folder(const char *dir);                 /* with the pins in it */
/* load.c */
int xtr_dp_load(struct xtr_dp *dp, struct xtr_err *err);
/* upgrade.c */
void xtr_dp_at(const char *what);
uint32_t xtr_dp_layout_since(unsigned map);
int xtr_dp_layout_pin(const char *dir);
/* the one element of an array that another version may have made longer or shorter; the rest is 0 */
int xtr_dp_read_record(int fd, void *out, size_t size);
void xtr_dp_source_find(struct xtr_dp *dp, struct xtr_dp_source *src);
void xtr_dp_source_close(struct xtr_dp_source *src);
void xtr_dp_unfinished_remove(const char *root);
int xtr_dp_places_keep(const char *from, const char *to);
int xtr_dp_check_foreign(const char *root);                /* -EXDEV: in use in another network namespace */
void xtr_dp_upgrade_finish(struct xtr_dp *dp);
void xtr_dp_upgrade_undo(struct xtr_dp *dp);
void xtr_dp_left_turn(struct xtr_dp *dp);
void xtr_dp_left_free(struct xtr_dp *dp);
void xtr_dp_programs_end(void);                            /* returns when whatever program runs now has ended */
/* move.c */
int xtr_dp_move(struct xtr_dp *dp, const struct xtr_dp_source *src, struct xtr_err *err);
/* made.c */
int xtr_dp_made_read(const char *dir, struct xtr_dp_made *made);
int xtr_dp_made_open(struct xtr_dp *dp, const char *from, const char *to, struct xtr_err *err);
int xtr_dp_made_save(struct xtr_dp *dp);
struct xtr_dp_made_dev *xtr_dp_made_dev(struct xtr_dp_made *m, int ifindex, const char *name,
					bool add);
/* maps.c */
void xtr_dp_drops_read(struct xtr_dp *dp);
int xtr_dp_map_info(int fd, struct bpf_map_info *info);
void xtr_dp_key(union xtr_dp_key *k, uint32_t iid, const struct xtr_ippfx *p);
void xtr_dp_unkey4(const struct xtr_lpm4 *k, uint32_t *iid, struct xtr_ippfx *p);
void xtr_dp_unkey6(const struct xtr_lpm6 *k, uint32_t *iid, struct xtr_ippfx *p);
/* Makes the map hold exactly these n records (key, value), changing only what differs. keep: leave others. */
int xtr_dp_map_sync(int fd, const void *records, unsigned n, size_t key_size, size_t value_size,
		    bool keep);
int xtr_dp_each_key(int fd, size_t key_size, int (*fn)(void *arg, const void *key), void *arg);
/* Calls fn for every element, in batches where the kernel can; fn must not change the map. */
int xtr_dp_each_elem(int fd, size_t key_size, size_t value_size,
		     int (*fn)(void *arg, const void *key, const void *value), void *arg);
void xtr_dp_gen_bump(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *p); /* p NULL: all */
void xtr_dp_gen_bump_one(struct xtr_dp *dp, __u32 shard);
/* ---- direct.c. What the programs know of ways out of EID ports is old: from the next xtr_dp_ways_work on. */
void xtr_dp_ways_stale(struct xtr_dp *dp);
void xtr_dp_beat(struct xtr_dp *dp);                       /* says to the programs that this host is looked after */
void xtr_dp_ways_neigh(struct xtr_dp *dp, bool gone, const struct xtr_nl_neigh *n);
void xtr_dp_ways_work(struct xtr_dp *dp);
/* Is direct delivery to be done? True: that has changed, xtr_dp_cfg_sync is due. */
bool xtr_dp_direct_look(struct xtr_dp *dp);
int xtr_dp_clock(struct xtr_dp *dp);
uint64_t xtr_dp_jiffies(const struct xtr_dp *dp);          /* of now; never ahead of the kernel's */
void xtr_dp_abi_ip(struct xtr_abi_ip *out, const struct xtr_ip *ip);
void xtr_dp_from_abi(struct xtr_ip *out, const struct xtr_abi_ip *in, unsigned family);
void xtr_dp_drop(struct xtr_dp *dp, enum xtr_drop_reason reason, unsigned n);
void xtr_dp_drops_flush(struct xtr_dp *dp);
unsigned xtr_dp_hz(void);
/* load.c. As bpf_object__find_map_by_name, also of one that is a section. */
struct bpf_map *xtr_dp_obj_map(struct bpf_object *obj, const char *name);
/* Before the programs are loaded: what each CPU remembers (bpf/cache.h, home.h) gets its room, for every number a CPU may have:
 * 232 KiB each, and of destinations 3.4 MiB each, but of these not more than 64 MiB in all. bits: copy_bits of the programs. */
void xtr_dp_copies_size(struct bpf_object *obj, uint8_t *bits);
/* the kernel has BPF_F_ADJ_ROOM_DECAP_L3_* */
bool xtr_dp_decap_l3(void);
void xtr_dp_gen_shards(struct xtr_dp *dp, const __u32 *shards, unsigned n);
/* batch.c */
extern bool xtr_dp_no_batch;               /* the kernel has none of these operations; tests: as if */
void xtr_dp_batch_begin(struct xtr_dp *dp);
void xtr_dp_batch_end(struct xtr_dp *dp);
void xtr_dp_batch_flush(struct xtr_dp *dp);
void xtr_dp_batch_ready(struct xtr_dp *dp, uint8_t family);
/* of the map-cache; v NULL: to be deleted. False: nothing is being collected, do it yourself */
bool xtr_dp_batch_add(struct xtr_dp *dp, uint8_t family, const union xtr_dp_key *k, const struct xtr_eid *v);
bool xtr_dp_batch_gen(struct xtr_dp *dp, uint32_t shard); /* XTR_GEN_SLOTS: all */
void xtr_dp_batch_free(struct xtr_dp *dp);
/* Elements of struct xtr_eid into a map (v NULL: out of it); how many were refused. */
int xtr_dp_write_all(int fd, const void *keys, size_t key_size, const struct xtr_eid *v, unsigned n);
/* netns.c */
int xtr_dp_watch(struct xtr_dp *dp, int fd);               /* readable: xtr_dp_netlink */
int xtr_dp_namespaces(struct xtr_dp *dp, bool strict, struct xtr_err *err);
bool xtr_dp_namespaces_changed(struct xtr_dp *dp);
void xtr_dp_namespaces_sweep(struct xtr_dp *dp);
void xtr_dp_ns_free(struct xtr_dp *dp);
void xtr_dp_places_load(struct xtr_dp *dp);
void xtr_dp_places_update(struct xtr_dp *dp, bool keep);
unsigned xtr_dp_places_read(const char *dir, struct xtr_dp_place out[XTR_DP_NAMESPACES]);
int xtr_dp_place_open(const struct xtr_dp_place *p, struct xtr_nl **nl);
/* overlay.c */
int xtr_dp_overlays(struct xtr_dp *dp, bool strict, struct xtr_err *err);
void xtr_dp_overlays_sweep(struct xtr_dp *dp);
/* of exactly this instance; NULL: it has none. Its peer may be 0: the device is not there now. */
const struct xtr_dp_ov *xtr_dp_overlay_of(const struct xtr_dp *dp, uint32_t iid);
/* /proc/sys/net/<family>/conf/<name>/<key> in a namespace, -1: here. 0 if the kernel has no such family */
int xtr_dp_sysctl(int nsfd, const char *family, const char *name, const char *key, const char *value);
/* either end, of those that are with us; NULL */
const struct xtr_dp_ov *xtr_dp_overlay_by_index(const struct xtr_dp *dp, int ifindex);
/* requests about the device itself go here; NULL: its namespace is not there */
struct xtr_nl *xtr_dp_overlay_nl(const struct xtr_dp *dp, const struct xtr_dp_ov *ov);
void xtr_dp_peer_name(char out[16], const char *name);
/* of the overlay devices that belong to these pins */
void xtr_dp_alias(char out[64], const char *root);
bool xtr_dp_overlay_begun(struct xtr_nl *nl, const struct xtr_dp_made_dev *d, const char *alias, struct xtr_nl_link *l);
/* -EBUSY: this network namespace has the overlay device of another folder of pins. In dp.c. */
int xtr_dp_check_others(struct xtr_nl *nl, const char *root, struct xtr_err *err);
/* route.c */
int xtr_dp_routes(struct xtr_dp *dp, struct xtr_err *err);
int xtr_dp_routes_remove(struct xtr_nl *nl, unsigned most, unsigned *rules, unsigned *routes, unsigned *neighs);
/* local.c */
int xtr_dp_addrs_read(struct xtr_dp *dp);                  /* here and in the namespaces */
bool xtr_dp_addr_in_vrf(struct xtr_dp *dp, int ifindex);   /* of one of our tenants: no address of the host then */
int xtr_dp_cfg_sync(struct xtr_dp *dp);
/* xtr_self, xtr_inst, xtr_local4/6, xtr_cfg */
int xtr_dp_locals(struct xtr_dp *dp, struct xtr_err *err);
int xtr_dp_ifaces(struct xtr_dp *dp, bool sweep, struct xtr_err *err);
void xtr_dp_rlocs_report(struct xtr_dp *dp, bool always);
void xtr_dp_rlocs_part(struct xtr_dp *dp, const struct xtr_dp_config *old); /* those of old that are gone */
/* attach.c */
int xtr_dp_ports_read(struct xtr_dp *dp, struct xtr_err *err);
int xtr_dp_attach(struct xtr_dp *dp, struct xtr_err *err);
int xtr_dp_attach_fence(struct xtr_dp *dp, int ifindex, const char *ifname, struct xtr_err *err);
/* Of the program at the egress of an EID port that keeps instances apart, 0: none there. */
uint32_t xtr_dp_guard_id(const struct xtr_dp *dp, int ifindex);
void xtr_dp_attach_sweep(struct xtr_dp *dp);
void xtr_dp_link_remove(const char *path);                  /* detaches at once and unpins */
int xtr_dp_link_parse(const char *pin, char prog[16], int *ifindex); /* "link_<prog>_<ifindex>" */
int xtr_dp_clsact_remove(struct xtr_nl *nl, struct xtr_dp_made_dev *d);
uint8_t xtr_dp_mode(const struct xtr_dp_port *p, const struct xtr_nl_link *l, bool soft,
		    bool features_known, uint64_t features);
bool xtr_dp_is_soft(const char *kind, const char *driver);
#define XTR_DP_STACKED 8 /* the kernel's own limit (MAX_NEST_DEV) */
void xtr_dp_relayed(struct xtr_nl *nl, const struct xtr_nl_link *l, struct xtr_dp_relay *out);
/* tags.c: may XDP run here, with regard to VLAN tags? Switches rx-vlan-offload off if need be. */
/* above.c */
bool xtr_dp_above(const struct xtr_dp *dp, const struct xtr_nl_link *l); /* is it above an EID port, so that it matters? */
void xtr_dp_aboves(struct xtr_dp *dp); /* fills dp->above */
/* ends.c: may the programs put packets to the other end of this EID port? */
bool xtr_dp_other_end(struct xtr_dp *dp, const struct xtr_nl_link *l);
bool xtr_dp_tags_ready(struct xtr_dp *dp, const struct xtr_dp_if *f);
void xtr_dp_tags_restore(struct xtr_dp_made_dev *d);        /* as it was */
/* probe.c */
void xtr_dp_warn_forwarding(const struct xtr_dp *dp);
/* driver.c: pure */
struct xtr_dp_offload { bool on, fixed; };
struct xtr_dp_facts {
	char name[16], driver[32], kind[16];
	uint8_t role;
	uint16_t type;                     /* ARPHRD_* */
	int master;
	struct xtr_dp_relay relay;
	uint32_t mtu, cpus;
	bool xdp_known; uint64_t xdp;      /* XTR_NL_XDP_* as declared */
	struct xtr_dp_offload lro, gro_hw, rx_vlan;
	struct xtr_nl_channels channels;   /* 0: not known */
};
void xtr_dp_advise(const struct xtr_dp_facts *f, struct xtr_dp_probe *out);
struct xtr_dp_if *xtr_dp_if_by_index(struct xtr_dp *dp, int ifindex);
/* the port that frames without a tag belong to, and so the addresses of the device; NULL: none, whatever its VLANs are */
struct xtr_dp_if *xtr_dp_if_untagged(struct xtr_dp *dp, int ifindex);
/* gpe.c */
uint32_t xtr_dp_gpe_flags(const struct xtr_dp_config *c);
bool xtr_dp_gpe_is(const struct xtr_nl_link *l, const char *alias); /* the helper device */
bool xtr_dp_gpe_peer(const struct xtr_dp *dp, const struct xtr_ip *dst, bool said);
int xtr_dp_gpe(struct xtr_dp *dp, struct xtr_err *err);
void xtr_dp_gpe_sweep(struct xtr_dp *dp);
/* neigh.c, rloc.c */
struct xtr_dp_nb *xtr_dp_nb_get(struct xtr_dp *dp, int ifindex, const struct xtr_ip *ip);
void xtr_dp_nb_put(struct xtr_dp *dp, struct xtr_dp_nb *nb);
/* true: templates changed */
bool xtr_dp_nb_event(struct xtr_dp *dp, bool gone, const struct xtr_nl_neigh *n);
void xtr_dp_nb_refresh(struct xtr_dp *dp);                  /* ask the kernel again about each */
/* those a former daemon managed and nobody needs */
void xtr_dp_nb_sweep(struct xtr_dp *dp);
void xtr_dp_nb_probe(struct xtr_dp *dp);
void xtr_dp_nb_free(struct xtr_dp *dp);
int xtr_dp_rl_get(struct xtr_dp *dp, const struct xtr_ip *dst, struct xtr_dp_rl **out);
void xtr_dp_rl_put(struct xtr_dp *dp, struct xtr_dp_rl *rl);
int xtr_dp_rl_adopt(struct xtr_dp *dp);
bool xtr_dp_rl_usable(const struct xtr_dp *dp, uint32_t id);
void xtr_dp_rl_nb_changed(struct xtr_dp *dp, const struct xtr_dp_nb *nb);
void xtr_dp_rl_gpe(struct xtr_dp *dp, uint32_t id, bool more); /* one set more, or less, that says it takes LISP-GPE */
void xtr_dp_rl_all_stale(struct xtr_dp *dp);
/* resolves stale ones; true: more to do */
bool xtr_dp_rl_work(struct xtr_dp *dp, unsigned max);
void xtr_dp_rl_beat(struct xtr_dp *dp);
unsigned xtr_dp_rl_reap(struct xtr_dp *dp, bool now);       /* now: without the grace period; how many */
void xtr_dp_rl_free(struct xtr_dp *dp);
int xtr_dp_ids_init(struct xtr_dp_ids *ids, uint32_t max);
uint32_t xtr_dp_ids_take(struct xtr_dp_ids *ids);           /* 0: none left */
void xtr_dp_ids_mark(struct xtr_dp_ids *ids, uint32_t id, bool used);
/* rset.c */
void xtr_dp_fill(uint8_t bucket[XTR_BUCKETS], unsigned n, const uint8_t *weight,
		 const bool *usable);
int xtr_dp_set_get(struct xtr_dp *dp, const struct xtr_dp_mapping *m, struct xtr_dp_set **out);
void xtr_dp_set_put(struct xtr_dp *dp, struct xtr_dp_set *s);
int xtr_dp_set_adopt(struct xtr_dp *dp);
void xtr_dp_set_refill(struct xtr_dp *dp);                  /* those with a locator that moved */
void xtr_dp_set_reap(struct xtr_dp *dp, bool now);
void xtr_dp_set_free(struct xtr_dp *dp);
/* room.c: numbers for templates and sets have run out. True: there are some again. */
bool xtr_dp_room(struct xtr_dp *dp);
/* mcast.c */
int xtr_dp_mc_key(union xtr_dp_mckey *k, const struct xtr_dp_mc *mc); /* -EINVAL: cannot be said as one prefix */
int xtr_dp_groups_copy(struct xtr_dp_config *to, const struct xtr_dp_config *from);
void xtr_dp_groups_free(struct xtr_dp_config *c);
int xtr_dp_groups(struct xtr_dp *dp, struct xtr_err *err);  /* lists are as the configuration says */
int xtr_dp_mcast_adopt(struct xtr_dp *dp);                  /* after the templates */
void xtr_dp_mcast_sweep(struct xtr_dp *dp);                 /* what was adopted and not renewed in time */
void xtr_dp_mcast_free(struct xtr_dp *dp);
int xtr_dp_ctlsrc_sync(struct xtr_dp *dp);
const struct xtr_dp_list *xtr_dp_list_match(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *source,
					    const struct xtr_ip *group);
bool xtr_dp_own_rloc(const struct xtr_dp *dp, const struct xtr_ip *ip);
/* fan.c */
void xtr_dp_fan_list(struct xtr_dp *dp, struct xtr_dp_list *l); /* after a change of this list */
void xtr_dp_fan_drop(struct xtr_dp *dp, struct xtr_dp_list *l); /* TC alone replicates by it, from now on */
void xtr_dp_fans(struct xtr_dp *dp);
void xtr_dp_fanout_ports(struct xtr_dp *dp); /* after a change of ports */
void xtr_dp_fan_beat(struct xtr_dp *dp);
void xtr_dp_fan_free(struct xtr_dp *dp);
bool xtr_dp_private(unsigned map);                          /* belongs to its programs alone: never shared or moved. names.c */
/* control.c */
void xtr_dp_control(struct xtr_dp *dp, const struct xtr_event *ev, const uint8_t *frame);
/* cache.c */
int xtr_dp_cache_adopt(struct xtr_dp *dp);
void xtr_dp_cache_forget(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid); /* the kernel has not got it */
struct xtr_dp_entry *xtr_dp_cache_match(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst,
					struct xtr_ippfx *eid);
bool xtr_dp_cache_repair(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst);
int xtr_dp_cache_unhold(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid);
/* removes up to n of the entries with locators that were idle longest; how many */
unsigned xtr_dp_cache_evict(struct xtr_dp *dp, unsigned n);
void xtr_dp_cache_free(struct xtr_dp *dp);
unsigned xtr_dp_trie_key(uint8_t key[32], uint32_t iid, const struct xtr_ippfx *p); /* bits */
/* missq.c */
int xtr_dp_queue_init(struct xtr_dp *dp, struct xtr_err *err);
void xtr_dp_queue_add(struct xtr_dp *dp, const struct xtr_event *ev, const uint8_t *frame);
unsigned xtr_dp_queue_count(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid);
void xtr_dp_queue_release(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, bool inject,
			  uint32_t hold);
void xtr_dp_queue_expire(struct xtr_dp *dp);
void xtr_dp_queue_free(struct xtr_dp *dp);
/* 0, or 1 + slot */
uint32_t xtr_dp_hold_take(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid,
			  unsigned queued);
void xtr_dp_hold_drained(struct xtr_dp *dp, uint32_t hold);
void xtr_dp_hold_cancel(struct xtr_dp *dp, uint32_t hold);
void xtr_dp_hold_check(struct xtr_dp *dp, bool ring_empty);
/* inject.c */
int xtr_dp_inject_open(struct xtr_dp *dp);
/* One frame out of a device; mark: as abi.h says. 0 or -errno. */
int xtr_dp_inject_frame(struct xtr_dp *dp, int ifindex, const uint8_t *frame, uint32_t len, uint32_t mark);
uint32_t xtr_dp_sum(const uint8_t *p, size_t n, uint32_t sum); /* RFC 1071, of big-endian words */
uint16_t xtr_dp_fold(uint32_t sum);
/* A captured packet; from: the interface and VLAN where it was, and its gso_size. */
struct xtr_dp_origin { uint32_t ifindex, vlan, gso_size; };
void xtr_dp_inject(struct xtr_dp *dp, uint32_t iid, uint8_t *frame, uint32_t len,
		   const struct xtr_dp_origin *from);
/* offsets in the frame; l4 0: none found */
struct xtr_dp_l4 { unsigned l3, l4, l4_len, csum; uint8_t proto; bool partial; };
void xtr_dp_l4_find(const uint8_t *frame, uint32_t len, struct xtr_dp_l4 *out);
/* true: it was partial and is complete now */
bool xtr_dp_csum_complete(uint8_t *frame, uint32_t len);
/* slow.c: both fds in one epoll, xtr_dp_slow_fd() */
struct xtr_raw_packet;
int xtr_dp_slow_open(struct xtr_dp *dp, struct xtr_err *err);
void xtr_dp_slow_close(struct xtr_dp *dp);
int xtr_dp_port_hold(struct xtr_dp *dp, struct xtr_err *err); /* UDP port 4341, if nobody has it: no ICMP unreachable */
void xtr_dp_port_release(struct xtr_dp *dp);
uint8_t *xtr_dp_slow_frame(uint8_t *at, const struct xtr_raw_packet *p, const uint8_t mac[6], unsigned *len);
bool xtr_dp_bucket_take(struct xtr_dp_bucket *b, uint64_t now, uint32_t rate, uint32_t burst);
/* pmtu.c */
struct xtr_dp_quote {                      /* an ICMP error "too big" and the packet of ours that it quotes */
	struct xtr_ip src, dst;            /* of the outer header */
	uint16_t sport, dport;             /* host order */
	uint32_t len, mtu;                 /* of the quoted packet; the claim, 0: none made (RFC 1191 5) */
	bool has_inner;                    /* the quote reaches as far as the flow hash does: */
	uint32_t iid, hash;
	struct xtr_ip inner_src, inner_dst;
};
int xtr_dp_quote_read(uint8_t family, const uint8_t *icmp, unsigned n, struct xtr_dp_quote *q);
uint32_t xtr_dp_flow_hash(const struct xtr_ip *src, const struct xtr_ip *dst, uint8_t proto, const uint8_t ports[4]);
/* what to believe of a claim about a packet of this length; 0: nothing */
uint16_t xtr_dp_quote_mtu(uint8_t family, uint32_t len, uint32_t mtu);
void xtr_dp_pmtu_read(struct xtr_dp *dp, unsigned k);
uint16_t xtr_dp_pmtu_of(struct xtr_dp *dp, const struct xtr_ip *dst); /* learned; 0 */
uint64_t xtr_dp_pmtu_tick(struct xtr_dp *dp);              /* forgets what is old; when the next one is, or UINT64_MAX */
void xtr_dp_pmtu_adopt(struct xtr_dp *dp, const struct xtr_ip *dst, uint16_t mtu);
void xtr_dp_pmtu_free(struct xtr_dp *dp);
/* eidroute.c */
void xtr_dp_er_before(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, uint8_t action); /* before it is written */
void xtr_dp_er_put(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid, uint8_t action);    /* after */
void xtr_dp_er_del(struct xtr_dp *dp, uint32_t iid, const struct xtr_ippfx *eid);                    /* before it goes */
void xtr_dp_er_learned(struct xtr_dp *dp);                 /* the MTU of a template changed */
void xtr_dp_er_wanted(struct xtr_dp *dp, uint32_t iid, const struct xtr_ip *dst); /* too large packets to this EID go on */
bool xtr_dp_er_own(struct xtr_dp *dp, const struct xtr_nl_route *r); /* was it removed by us, as part of the plan? */
uint64_t xtr_dp_er_tick(struct xtr_dp *dp);
void xtr_dp_er_base(struct xtr_dp *dp, struct xtr_dp_ns *ns, struct xtr_nl_route *r, unsigned n);
bool xtr_dp_er_have(struct xtr_dp *dp, struct xtr_dp_ns *ns, const struct xtr_nl_route *r);
void xtr_dp_er_restore(struct xtr_dp *dp, struct xtr_dp_ns *ns);
void xtr_dp_er_free(struct xtr_dp *dp);
/* events.c */
int xtr_dp_ring_open(struct xtr_dp *dp, struct xtr_err *err);
int xtr_dp_event(void *dp, void *event, size_t size);
uint32_t xtr_dp_event_age(const struct xtr_dp *dp, const struct xtr_event *ev); /* ms since it was captured */
bool xtr_dp_ring_turn(struct xtr_dp *dp);                   /* true: the ring was emptied */
/* usage.c */
const char *xtr_dp_map_key(unsigned map);                  /* the key that sizes it, or NULL */
void xtr_dp_usage_memory(struct xtr_dp_usage *u, unsigned cpus);
uint64_t xtr_dp_usage_entries(int fd, const struct bpf_map_info *i);
/* detach.c */
int xtr_dp_unmake(struct xtr_nl *nl, const char *root, void (*say)(void *, const char *), void *ctx,
		  struct xtr_err *err);

#endif
