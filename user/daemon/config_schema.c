// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every key of the configuration: name, type, range, default, documentation. `xtrd --help-config`
 * prints this table, `xtrctl config show` walks it, and tests compare its defaults with the RFC's
 * values (core/config.h).
 */
#include "daemon/config_schema.h"

#include "util/hash.h"
#include "util/log.h"

static const struct xtr_schema_name roles[] = {
	{ "underlay", XTR_ROLE_UNDERLAY },
	{ "eid", XTR_ROLE_EID },
	{ NULL, 0 },
};
static const struct xtr_schema_name modes[] = {
	{ "auto", XTR_MODE_AUTO },
	{ "xdp", XTR_MODE_XDP },
	{ "xdp-generic", XTR_MODE_XDP_GENERIC },
	{ "tc", XTR_MODE_TC },
	{ NULL, 0 },
};
const struct xtr_schema_name xtr_conf_algorithms[] = {
	{ "hmac-sha-256-128", XTR_AUTH_SHA256 },
	{ "hmac-sha-1-96", XTR_AUTH_SHA1 },
	{ "hmac-sha-256-128-hkdf", XTR_AUTH_SHA256_HKDF },
	{ NULL, 0 },
};
static const struct xtr_schema_name log_levels[] = {
	{ "error", XTR_LOG_ERROR },
	{ "warn", XTR_LOG_WARN },
	{ "info", XTR_LOG_INFO },
	{ "debug", XTR_LOG_DEBUG },
	{ NULL, 0 },
};
static const struct xtr_schema_name direct[] = {
	{ "auto", XTR_DP_DIRECT_AUTO },
	{ "true", XTR_DP_DIRECT_ON },
	{ "false", XTR_DP_DIRECT_OFF },
	{ NULL, 0 },
};
static const struct xtr_schema_name replay[] = {
	{ "strict", false },
	{ "off", true },
	{ NULL, 0 },
};

/* A changed secret is a change although no key says so. Keyed by this process: it tells nothing
 * about the secret. */
uint64_t xtr_conf_key_extra(const void *section)
{
	const struct xtr_conf_key *k = section;

	return k->secret ? xtr_hash(k->secret, k->secret_len) : 0;
}

#define T struct xtr_conf_rloc
static const struct xtr_schema rloc_schema = { "an entry of rlocs", "address", (const struct xtr_schema_key[]){
	TEXT(T, address, "address", XTR_T_IP, XTR_K_REQUIRED, NULL, "address in the underlay"),
	UINT(T, priority, "priority", 0, 0, 255, "1",
	     "lower is better, 255 is never used (RFC 9301 5.4)"),
	UINT(T, weight, "weight", 0, 0, 255, "100", "share among the locators of one priority"),
	UINT(T, mpriority, "multicast-priority", 0, 0, 255, "255",
	     "priority for multicast, 255 is never used"),
	UINT(T, mweight, "multicast-weight", 0, 0, 255, "0", "weight for multicast"),
	END }, NULL };
#undef T

#define T struct xtr_conf_interface
static const struct xtr_schema interface_schema = { "an entry of interfaces", "name", (const struct xtr_schema_key[]){
	IFNAME(T, name, "name", XTR_K_REQUIRED, 15, "interface that is there when xtrd starts"),
	ENUM(T, role, "role", XTR_K_REQUIRED, roles, NULL,
	     "underlay: carries LISP packets; eid: hosts are attached directly"),
	ENUM(T, mode, "mode", 0, modes, "auto",
	     "where the programs run; auto takes the fastest that works"),
	UINT(T, instance, "instance", 0, 0, IID_HI, "0", "instance ID of the hosts (role eid)"),
	UINT(T, vlan, "vlan", 0, 0, 4094, "0",
	     "role eid: only frames with this 802.1Q tag; 0: only those without. One interface may be here once per VLAN"),
	BOOL(T, untagged, "untagged-only", 0, "false",
	     "role eid: no tagged frames come in, so XDP may run where it would not see the tags; false: it runs only where it does"),
	END }, NULL };
#undef T

#define T struct xtr_conf_overlay
static const struct xtr_schema overlay_schema = { "an entry of overlay", "device", (const struct xtr_schema_key[]){
	IFNAME(T, device, "device", XTR_K_REQUIRED, 14,
	     "name of the overlay device, made by xtrd; its other end is called <name>p"),
	UINT(T, instance, "instance", 0, 0, IID_HI, "0",
	     "instance ID of what is routed into the device"),
	UINT(T, mtu, "mtu", 0, 0, 65535, "0",
	     "MTU of the device; 0: smallest underlay MTU minus the LISP headers"),
	TEXT(T, netns, "namespace", XTR_T_STRING, 0, NULL,
	     "network namespace the device is placed into: a name of `ip netns`, or a path such as /proc/PID/ns/net"),
	IFNAME(T, vrf, "vrf", 0, 15,
	     "VRF device the overlay device belongs to; its routes go into the table of the VRF"),
	LIST_OF(T, addresses, "addresses", XTR_K_HOST_BITS | XTR_K_EID, 256, XTR_T_PREFIX,
	     "EIDs of this host itself, set on the device"),
	LIST_OF(T, routes, "routes", XTR_K_EID, 4096, XTR_T_PREFIX,
	     "EID space: what is looked up in LISP"),
	END }, NULL };
#undef T

#define T struct xtr_conf_mcgroup
static const struct xtr_schema group_schema = { "an entry of multicast", "group", (const struct xtr_schema_key[]){
	TEXT(T, group, "group", XTR_T_IP, XTR_K_REQUIRED | XTR_K_MULTICAST, NULL, "multicast address that hosts use"),
	UINT(T, instance, "instance", 0, 0, IID_HI, "0", "instance ID of the hosts"),
	TEXT(T, source, "source", XTR_T_IP, 0, NULL, "copies only of what this host sends; without it of what any does"),
	LIST_OF(T, copies_to, "copies-to", 0, XTR_REPL_MAX, XTR_T_IP,
	     "RLOCs of the routers that get a copy each of what our hosts send to the group"),
	BOOL(T, receive, "receive", 0, "true", "take in what other routers send to the group, out of the overlay device"),
	END }, NULL };
#undef T

#define T struct xtr_conf_mapping
static const struct xtr_schema mapping_schema = { "an entry of etr.database", "eid", (const struct xtr_schema_key[]){
	TEXT(T, eid, "eid", XTR_T_EID, XTR_K_REQUIRED | XTR_K_EID | XTR_K_NO_IID, NULL,
	     "EID-prefix we are authoritative for; one inside another is legal"),
	UINT(T, instance, "instance", 0, 0, IID_HI, "0", "instance ID"),
	UINT(T, ttl, "ttl", 0, 1, 0x7fffffff, "1440", "minutes others may keep the mapping"),
	UINT(T, map_version, "map-version", 0, 0, 4095, "0",
	     "version of the mapping (RFC 9302); 0: none"),
	LIST(T, rlocs, "rlocs", 0, 32, rloc_schema,
	     "locator-set of this prefix; without it the rlocs of the file"),
	END }, NULL };
#undef T

#define T struct xtr_conf_map_server
static const struct xtr_schema map_server_schema = { "an entry of etr.map-servers", "address", (const struct xtr_schema_key[]){
	TEXT(T, address, "address", XTR_T_IP, XTR_K_REQUIRED, NULL, "Map-Server to register at"),
	SERVER_FIELDS(T, server., XTR_K_REQUIRED, "false"),
	END }, xtr_conf_key_extra };
#undef T

#define T struct xtr_conf_etr
static const struct xtr_schema etr_schema = { "etr", NULL, (const struct xtr_schema_key[]){
	LIST(T, database, "database", XTR_K_REQUIRED | XTR_K_NONEMPTY, 65536, mapping_schema,
	     "the EID-prefixes behind this router"),
	LIST(T, map_servers, "map-servers", 0, 64, map_server_schema,
	     "where they are registered, besides what `decent` finds"),
	END }, NULL };
#undef T

#define T struct xtr_conf_itr
static const struct xtr_schema itr_schema = { "itr", NULL, (const struct xtr_schema_key[]){
	LIST_OF(T, map_resolvers, "map-resolvers", 0, 64, XTR_T_IP,
	     "whom we ask, in this order; needed unless `decent` finds them"),
	END }, NULL };
#undef T

#define T struct xtr_conf_key
static const struct xtr_schema key_schema = { "an entry of keys", "key-file", (const struct xtr_schema_key[]){
	KEY_FIELDS(T, , XTR_K_REQUIRED),
	END }, xtr_conf_key_extra };
#undef T

#define T struct xtr_conf_site_prefix
static const struct xtr_schema site_prefix_schema = { "an entry of eid-prefixes", "eid", (const struct xtr_schema_key[]){
	TEXT(T, eid, "eid", XTR_T_EID, XTR_K_REQUIRED | XTR_K_EID | XTR_K_NO_IID, NULL,
	     "EID-prefix the site may register; no other site may have a part of it"),
	UINT(T, instance, "instance", 0, 0, IID_HI, "0", "instance ID"),
	BOOL(T, accept_more_specifics, "accept-more-specifics", 0, "false",
	     "prefixes inside it may be registered too"),
	END }, NULL };
#undef T

#define T struct xtr_conf_site
static const struct xtr_schema site_schema = { "an entry of map-server.sites", "name", (const struct xtr_schema_key[]){
	TEXT(T, name, "name", XTR_T_STRING, XTR_K_REQUIRED, NULL, "name of the site, for people"),
	KEY_FIELDS(T, key., 0),
	LIST(T, keys, "keys", 0, 16, key_schema, "several keys instead of key-file, for roll-over"),
	LIST(T, prefixes, "eid-prefixes", XTR_K_REQUIRED | XTR_K_NONEMPTY, 65536, site_prefix_schema,
	     "what the site may register"),
	ENUM(T, replay_off, "replay", 0, replay, "strict",
	     "strict: the nonce of each Map-Register must be above the last (RFC 9301 5.6); off: for ETRs with random nonces"),
	BOOL(T, force_proxy, "force-proxy", 0, "false",
	     "answer for the ETRs of the site even when they do not ask for it"),
	BOOL(T, shared_secret, "shared-secret", 0, "false", "other sites may have the same secret"),
	UINT(T, max_registrations, "max-registrations", 0, 1, 10000000, "10000",
	     "bound with accept-more-specifics"),
	END }, xtr_conf_key_extra };
#undef T

#define T struct xtr_conf_ms
static const struct xtr_schema ms_schema = { "map-server", NULL, (const struct xtr_schema_key[]){
	LIST(T, sites, "sites", XTR_K_REQUIRED, 65536, site_schema, "who may register what"),
	LIST_OF(T, aggregates, "aggregates", XTR_K_EID, 4096, XTR_T_EID,
	     "our part of the EID space; negative answers stay inside it"),
	END }, NULL };
#undef T

#define T struct xtr_conf_mr
static const struct xtr_schema mr_schema = { "map-resolver", NULL, (const struct xtr_schema_key[]){
	LIST_OF(T, map_servers, "map-servers", 0, 64, XTR_T_IP,
	     "where requests go that this node can not answer itself"),
	END }, NULL };
#undef T

#define T struct xtr_conf_dp
static const struct xtr_schema dp_schema = { "data-plane", NULL, (const struct xtr_schema_key[]){
	UINT(T, cache_entries, "cache-entries", XTR_K_RESTART, 16, 16777216, "100000",
	     "size of the map-cache in the kernel, per family"),
	UINT(T, rloc_entries, "rloc-entries", XTR_K_RESTART, 16, 1048576, "16384",
	     "locators and locator-sets in the kernel"),
	BOOL(T, check_source, "check-source", 0, "true",
	     "the source of outgoing packets must be one of our EIDs"),
	BOOL(T, check_decap_source, "check-decap-source", 0, "false",
	     "the outer source must be a locator of the inner source (RFC 9300 16)"),
	BOOL(T, keep_inner_dscp, "keep-inner-dscp", 0, "false",
	     "do not replace the inner DSCP by the outer one"),
	BOOL(T, ecn_compat, "ecn-compatible", 0, "false",
	     "encapsulate as Not-ECT (RFC 6040 4.1 compatibility mode)"),
	BOOL(T, accept_versions, "accept-map-versions", 0, "false",
	     "check map-versions of received packets (RFC 9302 7.1); the SMRs and Map-Requests it asks for then are not sent"),
	UINT(T, miss_rate, "miss-rate", 0, 1, 10000000, "20000",
	     "misses handed to the daemon per second, CPU and port"),
	UINT(T, miss_burst, "miss-burst", 0, 1, 10000000, "5000", "of these, at once"),
	UINT(T, miss_eid_burst, "miss-eid-burst", 0, 1, 1000000, "1000",
	     "packets of one EID per second while it is resolved"),
	UINT(T, miss_source_rate, "miss-source-rate", 0, 0, 10000000, "0",
	     "of miss-rate, what the packets of one source address may use; 0: half of it"),
	UINT(T, large_rate, "miss-large-rate", 0, 1, 1000000, "2000",
	     "misses of packets above 2048 octets, per second and CPU"),
	UINT(T, large_burst, "miss-large-burst", 0, 1, 1000000, "500", "of these, at once"),
	UINT(T, icmp_rate, "icmp-rate", 0, 1, 1000000, "1000",
	     "ICMP errors (packet too big) sent per second and CPU by the programs (RFC 1812 4.3.2.8)"),
	UINT(T, icmp_burst, "icmp-burst", 0, 1, 1000000, "100", "of these, at once"),
	UINT(T, slow_rate, "slow-rate", 0, 1, 1000000, "5000",
	     "LISP packets that arrive in fragments or with IP options, taken per second"),
	UINT(T, slow_burst, "slow-burst", 0, 1, 1000000, "1000", "of these, at once"),
	ENUM(T, direct, "direct-delivery", 0, direct, "auto",
	     "hand decapsulated packets to hosts at EID ports past the stack and packet filter of this host (auto: if it filters none)"),
	BOOL(T, gro, "overlay-gro", 0, "true",
	     "put TCP that arrives in single packets together on the overlay devices"),
	BOOL(T, mss_clamp, "mss-clamp", 0, "false",
	     "lower the MSS option of TCP connections to what fits the path"),
	UINT(T, native_routes, "native-routes", 0, 0, 65536, "1024",
	     "prefixes forwarded natively that get a route, so that the host's own routing and NAT apply; 0: none"),
	UINT(T, path_mtus, "path-mtus", 0, 0, 65536, "1024",
	     "path MTUs learned from ICMP of the underlay, at most; 0: none is believed"),
	SECS(T, path_mtu_time, "path-mtu-time", 0, 1000, 24 * HOUR, "600",
	     "how long each is believed (RFC 1191 6.3, RFC 8201 4)"),
	BOOL(T, gpe, "gpe", 0, "false",
	     "LISP-GPE (RFC 9305) with routers known to speak it, so that the kernel puts received frames together; classic LISP with all others"),
	BOOL(T, gpe_announce, "gpe-announce", 0, "true",
	     "with gpe: say in our mappings that we speak it"),
	LIST_OPTIONAL_OF(T, gpe_peers, "gpe-peers", XTR_K_HOST_BITS, 1024, XTR_T_PREFIX,
		"with gpe: locators that speak it though their mappings do not say so"),
	BOOL(T, gpe_zero_checksum6, "gpe-zero-checksum-ipv6", 0, "false",
	     "with gpe: speak it over IPv6 too, without UDP checksum; for managed networks only (RFC 9305 4.3.1)"),
	UINT(T, control_rate, "control-rate", 0, 1, 1000000, "5000",
	     "LISP-Decent: control messages in data packets taken per second, CPU and port"),
	UINT(T, control_burst, "control-burst", 0, 1, 1000000, "2000", "of these, at once"),
	UINT(T, queue_eid_packets, "queue-packets-per-eid", 0, 1, 65536, "256",
	     "packets of one EID that wait for a mapping"),
	UINT(T, queue_packets, "queue-packets", 0, 1, 1048576, "16384",
	     "packets that wait, in all"),
	UINT(T, queue_octets, "queue-octets", 0, 65536, 1073741824, "33554432",
	     "octets that wait, in all"),
	SECS(T, queue_timeout, "queue-timeout", 0, 100, 60000, "5", "how long a packet waits"),
	UINT(T, route_table, "route-table", 0, 1, 0xfffffffd, "4341",
	     "routing table of the EID routes; the next one is used for default routes"),
	UINT(T, rule_priority, "rule-priority", 0, 1, 32000, "4341",
	     "first of the consecutive ip rule priorities"),
	UINT(T, mark, "mark", XTR_K_RESTART, 1, 0xffffffff, "1279873872",
	     "mark of the daemon's own packets: they never enter the overlay"),
	END }, NULL };
#undef T

#define T struct xtr_conf_timers
static const struct xtr_schema timers_schema = { "timers", NULL, (const struct xtr_schema_key[]){
	SECS(T, t.register_interval, "register-interval", 0, 100, 24 * HOUR, "60",
	     "Map-Register (RFC 9301 8.2)"),
	SECS(T, t.quick_interval, "quick-interval", 0, 100, 24 * HOUR, "20",
	     "Map-Register after start or change (RFC 9301 8.2)"),
	SECS(T, t.quick_duration, "quick-duration", 0, 0, 24 * HOUR, "300",
	     "for so long after it (RFC 9301 8.2)"),
	SECS(T, t.registration_timeout, "registration-timeout", 0, 100, 24 * HOUR, "180",
	     "Map-Server: a registration not renewed is removed (RFC 9301 8.2)"),
	SECS(T, t.notify_retry_first, "notify-retry-first", 0, 50, HOUR, "1",
	     "Map-Register again when no Map-Notify came, doubling (RFC 9301 5.7)"),
	SECS(T, t.notify_retry_max, "notify-retry-max", 0, 50, HOUR, "60", "up to this"),
	SECS(T, t.request_interval, "request-interval", 0, 0, HOUR, "1",
	     "one Map-Request per EID-prefix in this time (RFC 9301 5.3)"),
	SECS(T, t.request_retry_first, "request-retry-first", 0, 50, HOUR, "1",
	     "Map-Request again when no answer came, doubling"),
	SECS(T, t.request_retry_max, "request-retry-max", 0, 50, HOUR, "32", "up to this"),
	UINT(T, t.request_retries, "request-retries", 0, 0, 100, "10",
	     "so many times (RFC 9301 5.3)"),
	SECS(T, t.request_holdoff, "request-holdoff", 0, 0, HOUR, "30",
	     "then silence for so long (RFC 9301 5.3)"),
	SECS(T, t.resolver_rest, "resolver-rest", 0, 0, HOUR, "30",
	     "a Map-Resolver that did not answer is asked last for so long"),
	UINT(T, t.negative_ttl_min, "negative-ttl-min", 0, 1, 10080, "15",
	     "minutes: negative answer, EID unknown (RFC 9301 8.1)"),
	UINT(T, t.unregistered_ttl_min, "unregistered-ttl-min", 0, 1, 10080, "1",
	     "minutes: negative answer, site not registered (RFC 9301 8.3)"),
	SECS(T, t.reply_interval, "reply-interval", 0, 0, HOUR, "3",
	     "one Map-Reply per EID-prefix and asking RLOC in this time (RFC 9301 5.4)"),
	UINT(T, t.max_ttl_min, "max-ttl-min", 0, 1, 525600, "10080",
	     "minutes: longer TTLs of others count as this"),
	UINT(T, t.refresh_percent, "refresh-percent", 0, 10, 99, "90",
	     "an entry in use is asked for again at so much of its TTL"),
	SECS(T, t.adopt_lifetime, "adopt-lifetime", 0, 1000, 24 * HOUR, "300",
	     "entries found in the kernel at start live so long unless refreshed"),
	SECS(T, t.ms_request_interval, "ms-request-interval", 0, 100, HOUR, "3",
	     "unsolicited Map-Notify again (RFC 9301 5.7)"),
	END }, NULL };
#undef T

#define T struct xtr_conf_limits
static const struct xtr_schema limits_schema = { "limits", NULL, (const struct xtr_schema_key[]){
	UINT(T, l.cache_entries, "cache-entries", 0, 16, 16777216, "100000",
	     "map-cache entries; the least recently used goes first"),
	UINT(T, l.pending_requests, "pending-requests", 0, 16, 1000000, "10000",
	     "EIDs being resolved at once"),
	UINT(T, l.registrations, "registrations", 0, 1, 100000000, "1000000",
	     "registrations of all sites"),
	UINT(T, l.requests_per_second, "requests-per-second", 0, 1, 1000000, "1000",
	     "Map-Requests we send"),
	UINT(T, l.replies_per_second, "replies-per-second", 0, 1, 10000000, "100000",
	     "answers we send"),
	UINT(T, l.replies_per_rloc, "replies-per-rloc", 0, 1, 10000000, "1000",
	     "answers for different EID-prefixes to one ITR-RLOC per second"),
	UINT(T, l.shortest_ip4, "shortest-ip4", 0, 0, 32, "8",
	     "shortest IPv4 prefix accepted from a Map-Reply; 0 allows a default route"),
	UINT(T, l.shortest_ip6, "shortest-ip6", 0, 0, 128, "16", "the same for IPv6"),
	UINT(T, l.hole_ip4, "hole-ip4", 0, 0, 32, "0", "shortest negative IPv4 prefix we hand out"),
	UINT(T, l.hole_ip6, "hole-ip6", 0, 0, 128, "0", "the same for IPv6"),
	END }, NULL };
#undef T

#define T struct xtr_conf_values
const struct xtr_schema xtr_conf_schema = { "the top level", NULL, (const struct xtr_schema_key[]){
	LIST(T, rlocs, "rlocs", 0, 32, rloc_schema,
	     "our addresses in the underlay; needed by itr, etr and interfaces"),
	LIST(T, interfaces, "interfaces", 0, XTR_MAX_PORTS / 2, interface_schema,
	     "where packets enter; without it there is no data plane (a pure Map-Server or Map-Resolver)"),
	LIST(T, overlay, "overlay", 0, 16, overlay_schema,
	     "devices: what is routed into them is encapsulated; without it xtr0, instance 0"),
	LIST(T, multicast, "multicast", 0, 4096, group_schema,
	     "groups of hosts at several sites: head-end replication to routers that are listed"),
	SECTION(T, etr, "etr", etr_schema, "answers for EID-prefixes and registers them"),
	SECTION(T, itr, "itr", itr_schema, "finds the locators of others' EIDs"),
	SECTION(T, ms, "map-server", ms_schema, "takes registrations"),
	SECTION(T, mr, "map-resolver", mr_schema, "takes requests of ITRs"),
	SECTION(T, decent, "decent", xtr_conf_decent_schema,
		"LISP-Decent (RFC 9962): the routers are the mapping system"),
	ID(T, xtr_id, "xtr-id", 16, "auto",
	     "tells this router from others; auto: made once and kept in state-dir"),
	ID(T, site_id, "site-id", 8, "0", "the site this router belongs to"),
	PATH(T, state_dir, "state-dir", XTR_K_RESTART, 4000, "/var/lib/xtr",
	     "what must survive a restart"),
	PATH(T, control_socket, "control-socket", XTR_K_RESTART, 107, "/run/xtr/xtrd.sock",
	     "where xtrctl connects"),
	PATH(T, bpffs, "bpffs", XTR_K_RESTART, 150, "/sys/fs/bpf",
	     "where programs and maps are pinned"),
	TEXT(T, user, "user", XTR_T_STRING, XTR_K_RESTART, NULL,
	     "run as this user after start; it must own the key files"),
	ENUM(T, log_level, "log-level", 0, log_levels, "info", "how much is written to stderr"),
	SECTION(T, dp, "data-plane", dp_schema, "sizes and checks in the kernel"),
	SECTION(T, timers, "timers", timers_schema,
	     "seconds, fractions allowed, unless the name says otherwise"),
	SECTION(T, limits, "limits", limits_schema, "bounds of tables and rates"),
	END }, NULL };
#undef T
