/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The configuration file as values: read by the schema table (config_schema.c), checked
 * (config_check.c), and made into what the node and the data plane take (config_build.c). A struct
 * xtr_conf owns everything it points to.
 */
#ifndef XTR_DAEMON_CONFIG_H
#define XTR_DAEMON_CONFIG_H

#include "core/config.h"
#include "daemon/schema.h"
#include "dp/dp.h"
#include "net/dns.h"

#define XTR_CONF_PATH     "/etc/xtr/xtrd.yaml"
#define XTR_CONF_SIZE_MAX (32u << 20)

struct xtr_conf_key {
	const struct xtr_yaml *at;
	const char *file;
	uint8_t key_id, algorithm;         /* enum xtr_auth_alg */
	const uint8_t *secret; size_t secret_len; /* read from file; never printed */
};
struct xtr_conf_rloc {
	const struct xtr_yaml *at;
	struct xtr_ip address;
	uint8_t priority, weight, mpriority, mweight;
};
struct xtr_conf_interface {
	const struct xtr_yaml *at;
	const char *name;
	uint8_t role, mode;                /* enum xtr_role, enum xtr_mode */
	uint16_t vlan;
	bool untagged;
	uint32_t instance;
};
struct xtr_conf_overlay {
	const struct xtr_yaml *at;
	const char *device, *netns, *vrf;
	uint32_t instance, mtu;
	XTR_SCHEMA_LIST(struct xtr_ippfx) addresses, routes;
};
struct xtr_conf_mcgroup {                    /* multicast[] */
	const struct xtr_yaml *at;
	struct xtr_ip group, source;
	uint32_t instance;
	bool receive;
	XTR_SCHEMA_LIST(struct xtr_ip) copies_to;
};
struct xtr_conf_mapping {
	const struct xtr_yaml *at;
	struct xtr_eid_prefix eid;         /* with the instance */
	uint32_t instance, ttl;
	uint16_t map_version;
	XTR_SCHEMA_LIST(struct xtr_conf_rloc) rlocs;
};
struct xtr_conf_server {                   /* how we register somewhere */
	struct xtr_conf_key key;           /* its `at` is that of the entry */
	bool proxy_reply, want_notify, merge, use_ttl;
};
struct xtr_conf_map_server {
	struct xtr_conf_server server;
	struct xtr_ip address;
};
struct xtr_conf_etr {
	const struct xtr_yaml *at;
	XTR_SCHEMA_LIST(struct xtr_conf_mapping) database;
	XTR_SCHEMA_LIST(struct xtr_conf_map_server) map_servers;
};
struct xtr_conf_itr {
	const struct xtr_yaml *at;
	XTR_SCHEMA_LIST(struct xtr_ip) map_resolvers;
};
struct xtr_conf_site_prefix {
	const struct xtr_yaml *at;
	struct xtr_eid_prefix eid;         /* with the instance */
	uint32_t instance;
	bool accept_more_specifics;
};
struct xtr_conf_site {
	struct xtr_conf_key key;           /* file NULL: keys instead */
	const char *name;
	XTR_SCHEMA_LIST(struct xtr_conf_key) keys;
	XTR_SCHEMA_LIST(struct xtr_conf_site_prefix) prefixes;
	bool replay_off, force_proxy, shared_secret;
	uint32_t max_registrations;
};
struct xtr_conf_ms {
	const struct xtr_yaml *at;
	XTR_SCHEMA_LIST(struct xtr_conf_site) sites;
	XTR_SCHEMA_LIST(struct xtr_eid_prefix) aggregates;
};
struct xtr_conf_mr {
	const struct xtr_yaml *at;
	XTR_SCHEMA_LIST(struct xtr_ip) map_servers;
};
/* --- decent */
struct xtr_conf_lookup {
	const struct xtr_yaml *at;
	struct xtr_ippfx eid;
	uint32_t instance;                 /* or XTR_DECENT_ANY_IID */
	uint8_t length;
};
struct xtr_conf_index_key {
	struct xtr_conf_key key;
	uint32_t index;
};
struct xtr_conf_pull {
	struct xtr_conf_server server;
	const char *suffix;
	uint32_t modulus, hash_mask, digest_octets;
	uint8_t profile, family;           /* enum xtr_decent_profile; 4, 6, 0: any */
	XTR_SCHEMA_LIST(struct xtr_conf_lookup) lookups;
	XTR_SCHEMA_LIST(struct xtr_conf_index_key) keys;
	bool short_everywhere, allow_loopback, allow_private;
	uint32_t change_window;
	uint8_t max_addresses;
};
struct xtr_conf_dns {
	const struct xtr_yaml *at;
	XTR_SCHEMA_LIST(const char *) servers, https;
	struct xtr_ip https_address;
	uint8_t https_version;             /* as in struct xtr_http_options */
	const char *ca_file, *proxy;
	bool require_dnssec;
	uint32_t timeout, ttl_min, ttl_max, retry_min, retry_max;
};
struct xtr_conf_params {
	const struct xtr_yaml *at;
	const char *url, *public_key_file, *sha256, *ca_file, *proxy;
	uint32_t interval, timeout;
	const char *public_key;            /* PEM, read from the file */
};
enum { XTR_CONF_CORE_NONE, XTR_CONF_CORE_GROUP, XTR_CONF_CORE_PULL };
struct xtr_conf_group {                    /* decent.push, decent.core */
	struct xtr_conf_server server;
	const char *group_text, *name;     /* name: NULL if the text is an address */
	struct xtr_ip group;               /* family 0: of a name that is not resolved */
	uint8_t transport;                 /* enum xtr_group_transport */
	uint8_t ttl;
	XTR_SCHEMA_LIST(const char *) interfaces;
	XTR_SCHEMA_LIST(struct xtr_ip) peers, unauthenticated;
	XTR_SCHEMA_LIST(struct xtr_ippfx) accept_from, accept_groups;
	uint32_t lookup_interval;
	bool subscribe;
	uint8_t core;                      /* push: XTR_CONF_CORE_* */
	bool all_eids, member;             /* core */
};
struct xtr_conf_decent {
	const struct xtr_yaml *at;
	struct xtr_conf_pull pull;
	struct xtr_conf_dns dns;
	struct xtr_conf_params parameters;
	struct xtr_conf_group push, core;
};
struct xtr_conf_dp {
	const struct xtr_yaml *at;
	uint32_t cache_entries, rloc_entries;
	bool check_source, check_decap_source, keep_inner_dscp, ecn_compat, accept_versions;
	uint32_t miss_rate, miss_burst, miss_eid_burst, control_rate, control_burst;
	uint32_t queue_eid_packets, queue_packets, queue_octets, queue_timeout;
	uint32_t route_table, rule_priority, mark;
	bool mss_clamp;
	uint32_t direct; /* enum xtr_dp_direct */
	bool gro;
	uint32_t miss_source_rate, large_rate, large_burst, icmp_rate, icmp_burst, slow_rate, slow_burst;
	uint32_t native_routes, path_mtus, path_mtu_time;
	bool gpe, gpe_announce, gpe_zero_checksum6;
	XTR_SCHEMA_LIST(struct xtr_ippfx) gpe_peers;
};
struct xtr_conf_timers { const struct xtr_yaml *at; struct xtr_node_timers t; };
struct xtr_conf_limits { const struct xtr_yaml *at; struct xtr_node_limits l; };

/* The keys of the file, one member each. */
struct xtr_conf_values {
	const struct xtr_yaml *at;
	XTR_SCHEMA_LIST(struct xtr_conf_rloc) rlocs;
	XTR_SCHEMA_LIST(struct xtr_conf_interface) interfaces;
	XTR_SCHEMA_LIST(struct xtr_conf_overlay) overlay;
	XTR_SCHEMA_LIST(struct xtr_conf_mcgroup) multicast;
	struct xtr_conf_etr etr;
	struct xtr_conf_itr itr;
	struct xtr_conf_ms ms;
	struct xtr_conf_mr mr;
	struct xtr_conf_decent decent;
	struct xtr_schema_id xtr_id, site_id;
	const char *state_dir, *control_socket, *bpffs, *user;
	uint32_t log_level;
	struct xtr_conf_dp dp;
	struct xtr_conf_timers timers;
	struct xtr_conf_limits limits;
};
extern const struct xtr_schema xtr_conf_schema;

/* What a configuration is checked against: addresses and interfaces of this host. */
struct xtr_conf_host {
	struct xtr_ip *addresses; unsigned address_count;
	char (*interfaces)[16]; unsigned interface_count;
};
int xtr_conf_host_read(struct xtr_conf_host *h, struct xtr_err *err);
void xtr_conf_host_free(struct xtr_conf_host *h);

/* A seed-group in the underlay: where it is joined and sent to. */
struct xtr_conf_multicast {
	struct xtr_ip group;
	bool join;
	uint8_t ttl;
	const char *const *interfaces; unsigned interface_count;
};
struct xtr_conf {
	struct xtr_arena arena;
	struct xtr_conf_values v;
	bool data_plane;                   /* interfaces: is there */
	/* As in the file; node.decent.pull can be another one, with parameters from a URL. */
	const struct xtr_pull_config *pull;
	struct xtr_dns_config dns;         /* with pull, or a group by name */
	struct xtr_conf_multicast multicast[XTR_GROUPS_MAX]; unsigned multicast_count;
	struct xtr_node_config node;
	struct xtr_dp_config dp;
};

/* Parses and checks a text. host NULL: nothing of this machine is looked at (no interfaces,
 * addresses, key files). *out owned by the caller. 0; -EINVAL with errors; -ENOMEM. */
int xtr_conf_parse(const char *text, size_t len, const struct xtr_conf_host *host,
		   struct xtr_yaml_errors *errors, struct xtr_conf **out);
/* The same from a file, on this host. */
int xtr_conf_load(const char *path, struct xtr_yaml_errors *errors, struct xtr_conf **out);
void xtr_conf_free(struct xtr_conf *c);

/* Is some overlay device to be in another network namespace? */
bool xtr_conf_has_namespaces(const struct xtr_conf *c);
/* Errors for what can not change while the daemon runs. 0 or -EINVAL. */
int xtr_conf_check_reload(const struct xtr_conf *old, const struct xtr_conf *new,
			  struct xtr_yaml_errors *errors);

/* Parts of xtr_conf_parse. */
int xtr_conf_check(struct xtr_conf *c, const struct xtr_conf_host *host,
		   struct xtr_yaml_errors *errors);
int xtr_conf_read_keys(struct xtr_conf *c, struct xtr_yaml_errors *errors);
int xtr_conf_build(struct xtr_conf *c);
/* Parts of xtr_conf_build. */
int xtr_conf_build_decent(struct xtr_conf *c);
/* Again what depends on the addresses of groups, from the arena of c. 0 or -ENOMEM: then c is not to
 * be used. */
int xtr_conf_build_named(struct xtr_conf *c);
/* A text of dns.servers: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:5353". 0 or -EINVAL. */
int xtr_conf_dns_server(const char *text, struct xtr_dns_server *out);
/* NULL, or what is wrong with a suffix, as "has an empty label". */
const char *xtr_conf_check_suffix(const char *suffix, uint32_t modulus);
/* The hash of a section pull; lookups from the arena. 0 or -ENOMEM. */
int xtr_conf_hash(struct xtr_conf *c, struct xtr_decent_hash *out);

#endif
