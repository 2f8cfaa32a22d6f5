// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The keys of `decent` (RFC 9962): pull, its DNS and its parameters from a URL; the seed-group of
 * push and the core above it.
 */
#include "daemon/config_schema.h"

#include <string.h>

#include "util/hash.h"

static const struct xtr_schema_name profiles[] = {
	{ "rfc9962", XTR_DECENT_RFC9962 },
	{ "draft10", XTR_DECENT_DRAFT10 },
	{ "lispers-net", XTR_DECENT_LISPERS },
	{ NULL, 0 },
};
static const struct xtr_schema_name short_prefixes[] = {
	{ "refuse", false },
	{ "everywhere", true },
	{ NULL, 0 },
};
static const struct xtr_schema_name families[] = {
	{ "any", 0 },
	{ "ipv4", 4 },
	{ "ipv6", 6 },
	{ NULL, 0 },
};
static const struct xtr_schema_name http_versions[] = {
	{ "auto", 0 },
	{ "1.1", 1 },
	{ "2", 2 },
	{ NULL, 0 },
};
static const struct xtr_schema_name transports[] = {
	{ "underlay", XTR_GROUP_UNDERLAY },
	{ "overlay", XTR_GROUP_OVERLAY },
	{ NULL, 0 },
};
static const struct xtr_schema_name cores[] = {
	{ "none", XTR_CONF_CORE_NONE },
	{ "group", XTR_CONF_CORE_GROUP },
	{ "pull", XTR_CONF_CORE_PULL },
	{ NULL, 0 },
};
static const struct xtr_schema_name registers[] = {
	{ "groups", false },
	{ "all", true },
	{ NULL, 0 },
};

#define T struct xtr_conf_lookup
static const struct xtr_schema lookup_schema = { "an entry of lookup-lengths", "eid", (const struct xtr_schema_key[]){
	TEXT(T, eid, "eid", XTR_T_PREFIX, XTR_K_REQUIRED | XTR_K_EID, NULL,
	     "EIDs inside this prefix; the longest one counts"),
	UINT(T, length, "length", XTR_K_REQUIRED, 0, 128, NULL,
	     "bits of them that are hashed: registered prefixes have at least so many"),
	UINT(T, instance, "instance", XTR_K_ANY, 0, IID_HI, "any", "instance ID they are of"),
	END }, NULL };
#undef T

#define T struct xtr_conf_index_key
static const struct xtr_schema index_key_schema = { "an entry of decent.pull.keys", "index", (const struct xtr_schema_key[]){
	UINT(T, index, "index", XTR_K_REQUIRED, 0, XTR_DECENT_MODULUS_MAX - 1, NULL, "index of the Map-Server set"),
	KEY_FIELDS(T, key., XTR_K_REQUIRED),
	END }, xtr_conf_key_extra };
#undef T

#define T struct xtr_conf_pull
static const struct xtr_schema pull_schema = { "decent.pull", NULL, (const struct xtr_schema_key[]){
	TEXT(T, suffix, "suffix", XTR_T_STRING, XTR_K_REQUIRED, NULL,
	     "DNS names are <index>.<suffix>; their addresses are the Map-Servers"),
	UINT(T, modulus, "modulus", XTR_K_REQUIRED, 1, XTR_DECENT_MODULUS_MAX, NULL,
	     "number of Map-Server sets; the same in all routers (RFC 9962 5.1)"),
	ENUM(T, profile, "profile", 0, profiles, "rfc9962",
	     "how an EID is hashed; the same in all routers"),
	UINT(T, hash_mask, "hash-mask", 0, 0, XTR_DECENT_STRLEN - 1, "0",
	     "profile draft10: octets of the string that are hashed; 0: all"),
	UINT(T, digest_octets, "digest-octets", 0, 1, XTR_DECENT_DIGEST, "6",
	     "profile lispers-net: octets of the digest that are used"),
	LIST(T, lookups, "lookup-lengths", 0, 4096, lookup_schema,
	     "EID space where more than host EIDs are registered (RFC 9962 5.2); the same in all routers"),
	ENUM(T, short_everywhere, "short-prefixes", 0, short_prefixes, "refuse",
	     "a prefix of ours that is shorter than its lookup-length: an error, or registered at every index"),
	SERVER_FIELDS(T, server., XTR_K_REQUIRED, "true"),
	LIST(T, keys, "keys", 0, 4096, index_key_schema, "keys of single indexes, instead of the one above"),
	SECS(T, change_window, "change-window", 0, 0, 30 * 24 * HOUR, "86400",
	     "after a change of the parameters old and new are both used for so long"),
	ENUM(T, family, "family", 0, families, "any", "addresses of which family are used"),
	UINT(T, max_addresses, "max-addresses", 0, 1, 16, "16", "addresses of one name that are used"),
	BOOL(T, allow_loopback, "allow-loopback", 0, "false", "use loopback addresses of answers"),
	BOOL(T, allow_private, "allow-private", 0, "true", "use private addresses of answers (RFC 1918, RFC 4193)"),
	END }, xtr_conf_key_extra };
#undef T

#define T struct xtr_conf_dns
static const struct xtr_schema dns_schema = { "decent.dns", NULL, (const struct xtr_schema_key[]){
	LIST_OF(T, servers, "servers", 0, 16, XTR_T_STRING,
		"DNS servers, with a port or without; without the key those of /etc/resolv.conf, also when it changes"),
	LIST_OF(T, https, "https", 0, 16, XTR_T_STRING,
		"DNS over HTTPS (RFC 8484): these are asked instead, as https://dns.example/dns-query"),
	ENUM(T, https_version, "https-version", 0, http_versions, "auto", "version of HTTP; auto: 2 where offered"),
	TEXT(T, https_address, "https-address", XTR_T_IP, 0, NULL,
	     "address of the host that `https` names, so that no DNS is needed to find it"),
	PATH(T, ca_file, "ca-file", 0, 4095, NULL, "certificates that are trusted; without it those of the system"),
	TEXT(T, proxy, "proxy", XTR_T_STRING, 0, NULL, "proxy of `https`: http://, https:// or socks5://"),
	SECS(T, timeout, "timeout", 0, 100, 60000, "5", "a lookup fails after so long"),
	BOOL(T, require_dnssec, "require-dnssec", 0, "false",
	     "use only answers that the DNS server has validated (AD bit)"),
	SECS(T, ttl_min, "ttl-min", 0, 1000, 24 * HOUR, "30", "shorter TTLs of answers count as this"),
	SECS(T, ttl_max, "ttl-max", 0, 1000, 7 * 24 * HOUR, "3600", "longer TTLs of answers count as this"),
	SECS(T, retry_min, "retry-min", 0, 100, HOUR, "5", "lookup again after a failure, doubling"),
	SECS(T, retry_max, "retry-max", 0, 100, 24 * HOUR, "300", "up to this"),
	END }, NULL };
#undef T

static uint64_t params_extra(const void *section)
{
	const struct xtr_conf_params *p = section;

	return p->public_key ? xtr_hash(p->public_key, strlen(p->public_key)) : 0;
}

#define T struct xtr_conf_params
static const struct xtr_schema params_schema = { "decent.parameters", NULL, (const struct xtr_schema_key[]){
	TEXT(T, url, "url", XTR_T_STRING, XTR_K_REQUIRED, NULL,
	     "where modulus, suffix, profile and lookup-lengths are fetched from, as JSON"),
	PATH(T, public_key_file, "public-key", 0, 4095, NULL,
	     "PEM file, Ed25519 or ECDSA; the signature is at <url>.sig"),
	TEXT(T, sha256, "sha256", XTR_T_STRING, 0, NULL,
	     "instead of a key: the digest of the file, 64 hexadecimal digits"),
	SECS(T, interval, "interval", 0, 1000, 30 * 24 * HOUR, "3600", "how often it is looked at"),
	SECS(T, timeout, "timeout", 0, 100, 600000, "30", "for one transfer"),
	PATH(T, ca_file, "ca-file", 0, 4095, NULL, "certificates that are trusted; without it those of the system"),
	TEXT(T, proxy, "proxy", XTR_T_STRING, 0, NULL, "http://, https:// or socks5://"),
	END }, params_extra };
#undef T

#define GROUP_FIELDS(T) \
	TEXT(T, group_text, "group", XTR_T_STRING, XTR_K_REQUIRED, NULL, "multicast address of the seed-group, or a DNS name that has it"), \
	ENUM(T, transport, "transport", 0, transports, "underlay", \
	     "underlay: routers of the underlay forward the group; overlay: one copy per member in data packets"), \
	LIST_OF(T, interfaces, "interfaces", 0, 16, XTR_T_IFNAME, \
		"underlay: where the group is joined and sent to; without it the underlay interfaces"), \
	UINT(T, ttl, "ttl", 0, 1, 255, "16", "underlay: TTL or hop limit of messages to the group"), \
	SERVER_FIELDS(T, server., XTR_K_REQUIRED, "true"), \
	SECS(T, lookup_interval, "lookup-interval", 0, 1000, 24 * HOUR, "60", \
	     "how often the members are looked up (RFC 9962 4.2)"), \
	BOOL(T, subscribe, "subscribe", 0, "false", "be told of changes of the members besides (RFC 9437)")

#define ACCEPT_FIELDS(T) \
	LIST_OF(T, accept_from, "accept-from", XTR_K_HOST_BITS, 256, XTR_T_PREFIX, \
		"overlay: senders of control messages that are heard besides peers and known members"), \
	LIST_OF(T, accept_groups, "accept-groups", XTR_K_MULTICAST, 64, XTR_T_PREFIX, \
		"we are their core: memberships of these groups may be registered here with the key of this one")

#define T struct xtr_conf_group
static const struct xtr_schema push_schema = { "decent.push", NULL, (const struct xtr_schema_key[]){
	GROUP_FIELDS(T),
	LIST_OF(T, peers, "peers", 0, 64, XTR_T_IP, "members that are known from the start"),
	ACCEPT_FIELDS(T),
	LIST_OF(T, unauthenticated, "unauthenticated-notify-from", 0, 64, XTR_T_IP,
		"members whose Map-Notifies are believed without authentication: each can rewrite the group"),
	ENUM(T, core, "core", 0, cores, "none",
	     "where members are registered and looked up: among themselves, in the group of section core, by section pull"),
	END }, xtr_conf_key_extra };

static const struct xtr_schema core_schema = { "decent.core", NULL, (const struct xtr_schema_key[]){
	GROUP_FIELDS(T),
	BOOL(T, member, "member", 0, "false",
	     "we are in the core too: what is registered there is stored here besides (RFC 9962 4.4)"),
	LIST_OF(T, peers, "peers", 0, 64, XTR_T_IP,
		"members of the core that are known from the start; at least one, but for members in the underlay"),
	ACCEPT_FIELDS(T),
	ENUM(T, all_eids, "register", 0, registers, "groups",
	     "what we register in the core: our group, or all our EID-prefixes besides"),
	END }, xtr_conf_key_extra };
#undef T

#define T struct xtr_conf_decent
const struct xtr_schema xtr_conf_decent_schema = { "decent", NULL, (const struct xtr_schema_key[]){
	SECTION(T, pull, "pull", pull_schema, "Map-Servers are found by DNS and a hash of the EID (RFC 9962 5)"),
	SECTION(T, dns, "dns", dns_schema, "how DNS is asked, for pull and for groups that are given by name"),
	SECTION(T, parameters, "parameters", params_schema, "parameters of pull from a URL, instead of those in this file"),
	SECTION(T, push, "push", push_schema, "we are a member of a multicast group of Map-Servers (RFC 9962 4)"),
	SECTION(T, core, "core", core_schema, "the group above ours (RFC 9962 4.4)"),
	END }, NULL };
#undef T
