/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the control plane needs from the world. daemon/ fills this in with sockets, BPF maps and
 * files; unit tests, fuzzers and simulations with fakes. Core and roles never block, never read a
 * clock: `now` (milliseconds, monotonic, any start) is an argument of every entry point.
 */
#ifndef XTR_CORE_OPS_H
#define XTR_CORE_OPS_H

#include "codec/msg.h"

/* One usable locator of a map-cache entry, for the data plane. */
struct xtr_fwd_locator {
	struct xtr_ip ip;
	uint8_t weight; /* as received; all equal (also all 0) means equal shares */
	bool gpe;       /* it said that it takes LISP-GPE (RFC 9305 5) */
};
/* What the data plane shall do for an EID-prefix. */
struct xtr_fwd {
	uint8_t action; /* enum xtr_action (abi.h): XTR_ACT_ENCAP or a negative one */
	uint16_t map_version;
	uint8_t n; /* locators of the best priority only, 0..8; 0 with XTR_ACT_ENCAP: none usable */
	struct xtr_fwd_locator locators[8];
};

/* Answer to ops.resolve: A and AAAA records together. */
struct xtr_dns_answer {
	/* 0: a definite answer; -ENOENT: a definite "no such name" or no address; others: failed
	 * (-ETIMEDOUT, -EIO server failure, -EBADMSG unreadable, -EACCES validation failed). */
	int status;
	const char *why; /* text of the failure; NULL with 0 */
	/* One of the two questions failed: what is there is right, but some may be missing. */
	bool partial;
	bool authenticated; /* AD bit of a trusted resolver */
	uint32_t ttl;       /* seconds, the shortest */
	unsigned count;
	const struct xtr_ip *addrs; /* valid during the call; not filtered */
};

enum xtr_event_kind { /* typed events of `xtrctl monitor`; X-macro so that names and enum agree */
#define XTR_EVENTS(X) \
	X(CACHE_ADD, "cache-add") X(CACHE_CHANGE, "cache-change") X(CACHE_DEL, "cache-del") \
	X(MISS, "miss") X(REQUEST_SENT, "map-request-sent") \
	X(REQUEST_TIMEOUT, "map-request-timeout") X(REPLY, "map-reply") \
	X(REGISTER_SENT, "map-register-sent") X(REGISTER_ACKED, "map-register-acked") \
	X(REGISTER_LOST, "map-register-unacknowledged") X(SITE_ADD, "site-registered") \
	X(SITE_CHANGE, "site-changed") X(SITE_EXPIRE, "site-expired") \
	X(REGISTER_REFUSED, "map-register-refused") X(MESSAGE_DROPPED, "message-dropped") \
	X(DROP, "packet-dropped") X(DNS_CHANGE, "dns-changed") X(DNS_FAIL, "dns-failed") \
	X(DNS_STALE, "dns-stale") X(MEMBER_ADD, "member-joined") X(MEMBER_DEL, "member-left") \
	X(PARAMS, "parameters-changed") X(SUBSCRIPTION, "subscription") \
	X(KEY_DIFFERS, "key-differs")
#define X(sym, name) XTR_EVENT_##sym,
		      XTR_EVENTS(X)
#undef X
			      XTR_EVENT_MAX,
};

struct xtr_ops {
	void *ctx;
	/* Sends a control message from port 4342. src family 0: the kernel chooses. 0 or -errno
	 * (logged by the callee, rate limited). */
	int (*send)(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		    const void *buf, size_t len);
	/* The same for an answer, of which nobody waits to hear whether it left: it may be collected and sent with others when
	 * the node returns. What fails then comes back by xtr_node_unsent(), with a copy of the note. NULL: send. */
	int (*answer)(void *ctx, const struct xtr_ip *src, const struct xtr_ip *dst, uint16_t dport,
		      const void *buf, size_t len, const void *note, size_t note_len);
	/* Data plane. put replaces; packets queued for EIDs inside the prefix are released by it.
	 * IPv4 and IPv6 EIDs only. */
	int (*cache_put)(void *ctx, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd);
	int (*cache_del)(void *ctx, const struct xtr_eid_prefix *eid);
	/* Between begin and end the data plane may collect what is put and deleted, and do it together. What it then does not
	 * take after all comes back by xtr_node_refused(), from inside any of these. NULL: no such thing. */
	void (*cache_batch)(void *ctx, bool begin);
	/* Milliseconds since the data plane last used the entry; UINT64_MAX: never or unknown. */
	uint64_t (*cache_idle)(void *ctx, const struct xtr_eid_prefix *eid);
	/* The mapping system gave no answer for this EID: drop its queued packets (counted). */
	void (*miss_failed)(void *ctx, const struct xtr_eid_prefix *eid);
	void (*random)(void *ctx, void *buf, size_t len);
	/* Small named blobs in the state directory, written atomically. load: octets read, or
	 * -errno. */
	int (*save)(void *ctx, const char *name, const void *buf, size_t len);
	int (*load)(void *ctx, const char *name, void *buf, size_t size);
	/* May be NULL. work(arg) in a copy of the process, while this one goes on: save() is seen, what it changes in memory is
	 * not. 0; -EBUSY: the last one is still at work; else -errno. */
	int (*aside)(void *ctx, void (*work)(void *arg), void *arg);
	uint64_t (*wall_seconds)(void *ctx);
	/* Text of the event for people and monitor; eid may be NULL. Cheap when nobody listens. */
	void (*event)(void *ctx, enum xtr_event_kind kind, const struct xtr_eid_prefix *eid,
		      const char *text);
	/* --- LISP-Decent. Each may be NULL where it is not configured. */
	/* Starts a lookup of the A and AAAA records; exactly one xtr_node_resolved(id) follows later,
	 * never from inside this call. 0 or -errno (then none follows). */
	int (*resolve)(void *ctx, const char *name, uint32_t id);
	/* A control message to a group by underlay multicast: out of every configured interface.
	 * 0 or -errno. */
	int (*send_group)(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			  const void *buf, size_t len);
	/* By overlay multicast: src, group, UDP 4342 to 4342 and the message as a data packet of
	 * instance 0xffffff, one copy to each member of the group's replication list. */
	int (*send_overlay)(void *ctx, const struct xtr_ip *src, const struct xtr_ip *group,
			    const void *buf, size_t len);
	/* Replication list of a group (iid XTR_IID_MAX: control messages): RLOCs, without our own;
	 * n 0 removes it. */
	int (*replicate)(void *ctx, const struct xtr_eid_prefix *group, const struct xtr_ip *members,
			 unsigned n);
	/* Overlay control frames are accepted from these outer sources only (known members, peers);
	 * the whole set, replaced. accept_from of the configuration is the data plane's already. */
	int (*control_peers)(void *ctx, const struct xtr_ip *peers, unsigned n);
	/* Does anybody want events now? NULL: always. If not, not even their texts are made. */
	bool (*listening)(void *ctx);
};

#endif
