/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A simulation of many LISP-Decent routers: every router is the real control plane (struct
 * xtr_node with ITR, ETR, Map-Server and Map-Resolver), and only what is outside of it is made up:
 * the clock, the network, DNS and the data plane. One process, one thread, the same numbers for the
 * same seed.
 *
 *   sim.c     clock, queue of packets and deadlines, network, life of the routers
 *   dns.c     names to address sets, delay, failures
 *   oracle.c  what is true, questions asked at random routers, and whether the answers are right
 *   pull.c, push.c, static.c   how the routers of a scenario are configured
 *   stages.c  what happens: start, steady state, joins, crashes, loss, split ...
 *   check.c   what has to hold; report.c  tables and JSON; main.c  arguments
 */
#ifndef XTR_SIM_H
#define XTR_SIM_H

#include <stdio.h>

#include "roles/node.h"

#define SIM_WHEEL     8192 /* ms; no packet and no DNS answer takes longer */
#define SIM_NODES_MAX 16384
#define SIM_EPOCH     1700000000ull /* wall clock at time 0 */
#define SIM_NONE      UINT32_MAX
#define SIM_PORT      4342
#define SEC           1000ull
#define MIN           60000ull

struct sim;
struct sim_node;

/* --- oracle */
enum sim_verdict { SIM_RIGHT, SIM_WRONG, SIM_UNANSWERED, SIM_VERDICTS };
struct sim_question {
	bool open, done;
	bool positive;
	struct xtr_eid_prefix eid;
	struct xtr_ip rloc;
	uint32_t target; /* router whose EID it is */
	uint64_t asked;
};
#define SIM_SAMPLES 65536
struct sim_tally { /* of one stage */
	uint64_t asked, strict[SIM_VERDICTS]; /* against the truth of the moment */
	uint64_t wrong;    /* against what the timers of the protocol allow */
	uint64_t unanswered; /* the same */
	uint64_t late_no;    /* no answer in time about an EID that nobody has */
	uint64_t last_bad; /* time of the last question that had no right answer */
	uint32_t ms[SIM_SAMPLES]; /* how long answers took */
	unsigned samples;
};

/* --- routers */
#define SIM_REPL 4
struct sim_repl {
	struct xtr_ip group;
	unsigned n;
	uint32_t *to;
};
struct sim_conf { /* what a configuration points to */
	struct xtr_node_config c;
	struct xtr_rloc_config rloc, locator;
	struct xtr_mapping_config mapping;
	struct xtr_map_server_config servers[4];
	struct xtr_group_config groups[2];
	struct xtr_ip resolvers[4], peers[8];
	struct xtr_pull_config pull;
	struct xtr_site_config sites[2];
	struct xtr_ippfx accept[2];
};
struct sim_node {
	struct sim *s;
	struct xtr_node *n; /* NULL: dead, or not there yet */
	struct sim_conf *conf;
	uint64_t deadline;
	uint32_t pos; /* 1-based place in the heap; 0: not in it */
	uint32_t id, gen, group;
	uint8_t side; /* of a split network */
	float x, y;   /* where it stands: decides about delays */
	uint64_t changed; /* since when its EID is where it is, or not there */
	uint64_t tx, rx, tx_octets; /* control messages */
	uint64_t mark_tx, mark_rx;
	struct sim_question q;
	struct {
		uint32_t target;
		uint64_t at;
	} asked[8]; /* its last questions */
	unsigned asked_at;
	struct sim_repl repl[SIM_REPL];
	uint32_t *peers;
	unsigned peer_count;
};

/* --- queue */
struct sim_buf {
	unsigned refs;
	uint32_t len;
	uint8_t data[];
};
struct sim_event {
	struct sim_event *next;
	uint32_t to, to_gen;
	bool dns;
	union {
		struct {
			struct xtr_msg_meta meta;
			struct sim_buf *buf;
		};
		struct {
			uint32_t id, index;
			int status;
			const char *suffix;
		};
	};
};
struct sim_slot {
	struct sim_event *first, **end;
};

/* --- DNS */
#define SIM_NAMES     256
#define SIM_NAME_ADDR 16
struct sim_name {
	unsigned n;
	uint32_t ids[SIM_NAME_ADDR];
};
struct sim_zone {
	const char *suffix;
	unsigned modulus;
	struct sim_name names[SIM_NAMES];
};
struct sim_dns {
	struct sim_zone zones[2];
	uint32_t ttl;    /* seconds */
	double failures; /* share of questions without an answer */
	bool down;
	uint64_t questions, failed;
};

#define SIM_GROUPS      1024
#define SIM_MEMBERS_MAX 256
struct sim_group { /* of push, living or dead */
	uint32_t n;
	uint32_t ids[SIM_MEMBERS_MAX];
};

enum sim_kind { SIM_STATIC, SIM_PULL, SIM_PUSH, SIM_KINDS };
struct sim {
	uint64_t now;
	uint64_t random[2];
	struct sim_slot wheel[SIM_WHEEL];
	struct sim_event *spare;
	uint64_t in_flight;
	struct sim_node *nodes; /* SIM_NODES_MAX */
	uint32_t count;         /* ever made */
	uint32_t alive;
	struct sim_node **heap;
	uint32_t heap_n;
	/* the network */
	double loss;
	bool split;
	uint64_t calm; /* since when nothing is wrong with network or configuration as a whole */
	/* what is run */
	enum sim_kind kind;
	uint32_t target; /* how many routers */
	uint32_t group_size;
	struct sim_group *groups; /* SIM_GROUPS */
	bool underlay;
	unsigned modulus, servers_per_name;
	uint32_t change_window; /* ms */
	bool brief; /* see struct sim_plan */
	struct sim_dns dns;
	/* counts */
	uint64_t sent, delivered, lost, dead, refused, octets, types[16];
	uint64_t counters[XTR_NODE_COUNTER_MAX]; /* of routers that are gone */
	struct sim_tally *tally;
	uint32_t *focus, focus_count; /* routers the questions are about, half of the time */
	double questions_per_second;
	double next_question; /* ms */
	bool cross; /* push: all EIDs are in the core too, and asked for from everywhere */
	bool verbose;
};

/* sim.c */
struct sim *sim_new(uint64_t seed);
void sim_free(struct sim *s);
uint64_t sim_random(struct sim *s);
uint32_t sim_below(struct sim *s, uint32_t n);
double sim_unit(struct sim *s);
struct xtr_ip sim_rloc(const struct sim_node *f);
/* The router that has this RLOC now, alive or not; NULL: none. */
struct sim_node *sim_by_rloc(struct sim *s, const struct xtr_ip *ip);
struct xtr_eid_prefix sim_eid(uint32_t id);      /* EID-prefix of router id, a /24 */
struct xtr_eid_prefix sim_eid_host(struct sim *s, uint32_t id);
/* Makes one, not started. group: SIM_NONE, or the group of push it belongs to. */
struct sim_node *sim_add(struct sim *s, uint32_t group);
void sim_boot(struct sim_node *f);       /* now */
void sim_kill(struct sim_node *f);       /* without a word */
/* Gives it a new configuration, as conf_make() builds it now. */
void sim_reload(struct sim_node *f);
void sim_run(struct sim *s, uint64_t until);
void sim_schedule(struct sim *s, struct sim_event *e, uint64_t at);
struct sim_event *sim_event(struct sim *s);
void sim_deadline(struct sim_node *f, uint64_t at);
void sim_mark(struct sim *s); /* counters of nodes: from here on */
extern const struct xtr_key sim_key;

/* dns.c */
int sim_dns_resolve(struct sim_node *f, const char *name, uint32_t id);
void sim_dns_answer(struct sim_node *f, const struct sim_event *e);

/* oracle.c */
void sim_ask(struct sim *s);
void sim_answer(struct sim_node *f, const struct xtr_eid_prefix *eid, const struct xtr_fwd *fwd);
void sim_judge(struct sim_node *f); /* after each call into the router */
void sim_overdue(struct sim *s);
unsigned sim_percentile(struct sim_tally *t, double p);

/* static.c, pull.c, push.c: configuration of one router */
void sim_conf_make(struct sim_node *f, struct sim_conf *c);
void sim_static_conf(struct sim_node *f, struct sim_conf *c);
void sim_eid_site(struct sim_conf *c); /* Map-Server for all EIDs there are */
void sim_pull_conf(struct sim_node *f, struct sim_conf *c);
void sim_pull_zone(struct sim *s, unsigned modulus);
void sim_push_conf(struct sim_node *f, struct sim_conf *c);
struct xtr_ip sim_group_ip(uint32_t group);
/* All members of the group hold all registrations of it, and no others. */
bool sim_push_complete(struct sim *s, uint32_t group);

/* stages.c */
#define SIM_STAGES 12
struct sim_stage {
	const char *name, *what;
	double seconds;
	double converge;      /* s until every lookup is right; < 0: did not */
	double full;          /* s until all members hold all (push); < 0: did not */
	uint64_t asked, right, wrong, unanswered, strict_bad, late_no;
	double tx_node, rx_node, octets_node, per_second; /* per node and second; of all */
	double types[16];     /* messages sent by type, of all per second */
	double busiest;       /* rx + tx of the busiest node, per second */
	unsigned p50, p99;    /* ms of an answer */
	double dns_per_second;
	uint64_t drops;       /* messages a router refused */
};
struct sim_result {
	enum sim_kind kind;
	uint32_t nodes, group_size;
	unsigned modulus;
	bool underlay, cross, brief;
	struct sim_stage stages[SIM_STAGES];
	unsigned stage_count;
	double per_lookup; /* messages */
	double octets_of_memory; /* per node */
	double registrations_mean, registrations_max; /* held per node */
	double virtual_seconds, real_seconds;
	uint64_t messages;
};
struct sim_plan {
	enum sim_kind kind;
	uint32_t nodes, group_size;
	unsigned modulus;
	bool underlay, cross, quick, verbose;
	bool brief; /* no quick registration, and no stage that waits for time-outs */
	uint64_t seed;
};
void sim_play(const struct sim_plan *plan, struct sim_result *out);

/* check.c: lines "ok ..."; how many failed */
unsigned sim_check(const struct sim_result *r, unsigned n);
bool sim_same(const struct sim_result *a, const struct sim_result *b);

/* report.c */
void sim_report(const struct sim_result *r, unsigned n);
int sim_report_json(const char *path, const struct sim_result *r, unsigned n, uint64_t seed);
const char *sim_kind_name(enum sim_kind k);

#endif
