// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The section `decent`: what good files become (pull, push, layers, EIDs of every family), and for each rule the message that a
 * person gets. The host is a fake one with eth0, eth1 and the RLOCs 192.0.2.1 and 2001:db8::1; key files are real.
 */
#include "conf_lab.h"

#include "codec/msg.h"
#include "daemon/group_name.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void make_group_keys(void)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
				  "-----END PUBLIC KEY-----\n";

	make_folder();
	put_file("k", "secret\n", 7, 0600);
	put_file("k3", "third\n", 6, 0600);
	put_file("pem", pem, sizeof(pem) - 1, 0600);
}

static struct xtr_ip ip(const char *text)
{
	struct xtr_ip a;

	cr_assert_eq(xtr_ip_parse(text, &a), 0);
	return a;
}

TestSuite(config_decent, .init = make_group_keys, .fini = remove_folder);

#define RLOCS "rlocs: [{address: 192.0.2.1}]\n"
#define ROLES "map-server: {sites: []}\nmap-resolver: {}\nitr: {}\n"
#define DP    "interfaces: [{name: eth0, role: underlay}]\n"

/* ---- pull */

Test(config_decent, pull_with_its_defaults)
{
	struct xtr_conf *c = good(RLOCS "itr: {}\ndecent: {pull: {suffix: ms.example, modulus: 4, key-file: $/k}}\n");
	const struct xtr_pull_config *p = c->node.decent.pull;

	cr_assert_not_null(p);
	cr_assert_eq(c->pull, p);
	cr_assert_eq(p->hash.profile, XTR_DECENT_RFC9962);
	cr_assert_eq(p->hash.modulus, 4);
	cr_assert_eq(p->hash.hash_mask, 0);
	cr_assert_eq(p->hash.lookup_count, 0);
	cr_assert_str_eq(p->suffix, "ms.example");
	cr_assert(p->server.proxy_reply && p->server.want_notify && !p->server.merge && !p->server.use_ttl);
	cr_assert_eq(p->server.key.alg_id, XTR_AUTH_SHA256);
	cr_assert_eq(p->server.key.secret_len, 6);
	cr_assert(!p->short_everywhere && !p->require_dnssec && !p->allow_loopback && p->allow_private);
	cr_assert_eq(p->family, 0);
	cr_assert_eq(p->max_addresses, 16);
	cr_assert(p->ttl_min == 30000 && p->ttl_max == 3600000 && p->retry_min == 5000 && p->retry_max == 300000);
	cr_assert_eq(p->change_window, 86400000);
	cr_assert_eq(c->dns.server_count, 0, "those of /etc/resolv.conf");
	cr_assert(c->dns.timeout_ms == 5000 && c->dns.mark == c->dp.mark);
	cr_assert(c->node.itr && !c->node.map_resolver_count);
	xtr_conf_free(c);
}

Test(config_decent, pull_with_everything)
{
	struct xtr_conf *c = good(
		RLOCS ROLES
		"etr: {database: [{eid: 240.11.1.0/24}]}\n"
		"decent:\n  pull:\n    suffix: ms.example\n    modulus: 64\n    profile: lispers-net\n    digest-octets: 4\n"
		"    lookup-lengths:\n      - {eid: 240.11.0.0/16, length: 24}\n      - {eid: \"fd00::/8\", length: 48, instance: 7}\n"
		"    short-prefixes: everywhere\n    key-file: $/k\n    key-id: 2\n    algorithm: hmac-sha-1-96\n    proxy-reply: false\n"
		"    want-map-notify: false\n    merge: true\n    use-ttl: true\n    keys: [{index: 3, key-file: $/k3, key-id: 9}]\n"
		"    change-window: 60\n    family: ipv4\n    max-addresses: 2\n    allow-loopback: true\n    allow-private: false\n"
		"  dns:\n    servers: [127.0.0.53, \"[2001:db8::53]:5353\", 192.0.2.53:54, \"2001:db8::54\"]\n    timeout: 1.5\n"
		"    require-dnssec: true\n    ttl-min: 1\n    ttl-max: 2\n    retry-min: 0.5\n    retry-max: 3\n");
	const struct xtr_pull_config *p = c->node.decent.pull;
	struct xtr_ip a = ip("2001:db8::53"), b = ip("2001:db8::54");

	cr_assert(p->hash.profile == XTR_DECENT_LISPERS && p->hash.digest_octets == 4 && p->hash.modulus == 64);
	cr_assert_eq(p->hash.lookup_count, 2);
	cr_assert(p->hash.lookups[0].iid == XTR_DECENT_ANY_IID && p->hash.lookups[0].length == 24 && p->hash.lookups[0].eid.len == 16);
	cr_assert(p->hash.lookups[1].iid == 7 && p->hash.lookups[1].length == 48 && p->hash.lookups[1].eid.ip.family == 6);
	cr_assert(p->short_everywhere && p->require_dnssec && p->allow_loopback && !p->allow_private);
	cr_assert(!p->server.proxy_reply && !p->server.want_notify && p->server.merge && p->server.use_ttl);
	cr_assert(p->server.key.key_id == 2 && p->server.key.alg_id == XTR_AUTH_SHA1);
	cr_assert(p->key_count == 1 && p->keys[0].index == 3 && p->keys[0].key.key_id == 9 && !memcmp(p->keys[0].key.secret, "third", 5));
	cr_assert(p->family == 4 && p->max_addresses == 2 && p->change_window == 60000);
	cr_assert(p->ttl_min == 1000 && p->ttl_max == 2000 && p->retry_min == 500 && p->retry_max == 3000);
	cr_assert_eq(c->dns.server_count, 4);
	cr_assert(c->dns.servers[0].port == 53 && c->dns.servers[1].port == 5353 && c->dns.servers[2].port == 54 && c->dns.servers[3].port == 53);
	cr_assert(!xtr_ip_cmp(&c->dns.servers[1].ip, &a) && !xtr_ip_cmp(&c->dns.servers[3].ip, &b));
	cr_assert_eq(c->dns.timeout_ms, 1500);
	xtr_conf_free(c);
}

Test(config_decent, dns_over_https)
{
	struct xtr_conf *c = good(RLOCS "itr: {}\ndecent:\n  pull: {suffix: a.b, modulus: 1, key-file: $/k}\n"
					"  dns: {https: [\"https://dns.example:8443/dns-query\"], https-version: 1.1, https-address: \"2001:db8::53\", "
					"ca-file: /etc/ca.pem, proxy: \"socks5://192.0.2.80:1080\"}\n");

	cr_assert(c->dns.url_count == 1 && c->dns.http.version == 1);
	cr_assert_str_eq(c->dns.urls[0], "https://dns.example:8443/dns-query");
	cr_assert_str_eq(c->dns.http.resolve, "dns.example:8443:[2001:db8::53]");
	cr_assert_str_eq(c->dns.http.ca_file, "/etc/ca.pem");
	cr_assert_str_eq(c->dns.http.proxy, "socks5://192.0.2.80:1080");
	cr_assert_eq(c->dns.http.mark, c->dp.mark);
	xtr_conf_free(c);
}

Test(config_decent, parameters_keep_their_public_key)
{
	struct xtr_conf *c = good(RLOCS "itr: {}\ndecent:\n  pull: {suffix: a.b, modulus: 1, key-file: $/k}\n"
					"  parameters: {url: \"https://example.com/p.json\", public-key: $/pem}\n");

	cr_assert_not_null(strstr(c->v.decent.parameters.public_key, "BEGIN PUBLIC KEY"));
	cr_assert_eq(c->v.decent.parameters.interval, 3600000);
	xtr_conf_free(c);
}

/* ---- push */

/* Site a has the key of the group, b another one. */
#define MEMBER \
	RLOCS DP "itr: {}\nmap-resolver: {}\n" \
	"map-server:\n  sites:\n    - {name: a, key-file: $/k, eid-prefixes: [{eid: 10.1.0.0/16}, {eid: 10.2.0.0/16, accept-more-specifics: true}]}\n" \
	"    - {name: b, key-file: $/k3, eid-prefixes: [{eid: 10.3.0.0/16, accept-more-specifics: true}]}\n" \
	"decent:\n  push:\n    group: 224.1.1.1\n    key-file: $/k\n"
#define PUSH RLOCS DP ROLES "decent:\n  push:\n    group: 224.1.1.1\n    key-file: $/k\n"

Test(config_decent, push_with_its_defaults)
{
	struct xtr_conf *c = good(PUSH);
	const struct xtr_group_config *g = c->node.decent.groups;
	struct xtr_ip group = ip("224.1.1.1");
	const struct xtr_site_config *s;
	char buf[XTR_EID_STRLEN];

	cr_assert_eq(c->node.decent.group_count, 1);
	cr_assert(!xtr_ip_cmp(&g->group, &group) && !xtr_ip_cmp(&g->server.address, &group));
	cr_assert(g->member && g->own && !g->core && !g->all_eids && !g->subscribe);
	cr_assert(g->transport == XTR_GROUP_UNDERLAY && g->via == XTR_VIA_SELF && g->lookup_interval == 60000);
	cr_assert(g->server.proxy_reply && g->server.want_notify);
	cr_assert(!g->peer_count && !g->unauthenticated_count);
	cr_assert_eq(c->multicast_count, 1);
	cr_assert(c->multicast[0].join && c->multicast[0].ttl == 16 && c->multicast[0].interface_count == 1);
	cr_assert_str_eq(c->multicast[0].interfaces[0], "eth0");
	/* Members register themselves with the key of the group. */
	cr_assert_eq(c->node.site_count, 1);
	s = &c->node.sites[0];
	cr_assert_str_eq(s->name, "group 224.1.1.1");
	cr_assert(s->key_count == 1 && !memcmp(s->keys[0].secret, "secret", 6));
	cr_assert_eq(s->prefix_count, 1);
	cr_assert_str_eq(xtr_eid_str(&s->prefixes[0].eid, buf), "[0](0.0.0.0/0,224.1.1.1/32)");
	cr_assert(!s->prefixes[0].accept_more_specifics);
	xtr_conf_free(c);
}

Test(config_decent, push_as_a_core_of_ipv6_in_the_overlay)
{
	struct xtr_conf *c = good("rlocs: [{address: \"2001:db8::1\"}]\n" DP ROLES
				  "decent:\n  push:\n    group: \"ff08::4341\"\n    transport: overlay\n    key-file: $/k\n"
				  "    peers: [\"2001:db8::2\", \"2001:db8::3\"]\n    accept-from: [\"2001:db8::/64\"]\n"
				  "    accept-groups: [\"ff08::/16\", 224.0.0.0/4]\n    unauthenticated-notify-from: [\"2001:db8::2\"]\n"
				  "    lookup-interval: 5\n    subscribe: true\n");
	const struct xtr_group_config *g = c->node.decent.groups;
	const struct xtr_site_config *s = &c->node.sites[0];
	char buf[XTR_EID_STRLEN];

	cr_assert(g->core && g->transport == XTR_GROUP_OVERLAY && g->peer_count == 2 && g->unauthenticated_count == 1);
	cr_assert(g->lookup_interval == 5000 && g->subscribe);
	cr_assert_eq(c->multicast_count, 0);
	cr_assert(c->node.decent.accept_from_count == 1 && c->dp.control_from_count == 1 && c->dp.control_from[0].len == 64);
	cr_assert(c->dp.control_rate == 5000 && c->dp.control_burst == 2000);
	cr_assert_eq(s->prefix_count, 3);
	cr_assert_str_eq(xtr_eid_str(&s->prefixes[0].eid, buf), "[0](::/0,ff08::4341/128)");
	cr_assert_str_eq(xtr_eid_str(&s->prefixes[1].eid, buf), "[0](::/0,ff08::/16)");
	cr_assert_str_eq(xtr_eid_str(&s->prefixes[2].eid, buf), "[0](0.0.0.0/0,224.0.0.0/4)");
	cr_assert(s->prefixes[1].accept_more_specifics && s->prefixes[2].accept_more_specifics);
	xtr_conf_free(c);
}

Test(config_decent, a_layer_has_its_own_group_and_the_core)
{
	struct xtr_conf *c = good(PUSH "    core: group\n  core:\n    group: 224.0.9.1\n    peers: [192.0.2.9]\n    key-file: $/k3\n"
				       "    register: all\n    interfaces: [eth1]\n    ttl: 3\n");
	const struct xtr_group_config *g = c->node.decent.groups;

	cr_assert_eq(c->node.decent.group_count, 2);
	cr_assert(g[0].own && g[0].member && g[0].via == XTR_VIA_CORE && !g[0].core);
	cr_assert(!g[1].own && !g[1].member && g[1].core && g[1].all_eids && g[1].peer_count == 1);
	cr_assert(!memcmp(g[1].server.key.secret, "third", 5));
	cr_assert_eq(c->multicast_count, 2);
	cr_assert(!c->multicast[1].join && c->multicast[1].ttl == 3, "the core is sent to, not joined");
	cr_assert_str_eq(c->multicast[1].interfaces[0], "eth1");
	xtr_conf_free(c);
}

/* Both groups, in both of which it is. $/k3 is the core's key. */
#define BOTH PUSH "    core: group\n  core:\n    group: 224.0.9.1\n    key-file: $/k3\n    member: true\n    interfaces: [eth1]\n"

Test(config_decent, D_32_or_additionally_a_member_of_the_core_too)
{
	struct xtr_conf *c = good(BOTH "    key-id: 7\n    accept-groups: [224.0.0.0/4]\n");
	const struct xtr_group_config *g = c->node.decent.groups;
	const struct xtr_site_config *s = c->node.sites;
	char buf[XTR_EID_STRLEN];

	cr_assert_eq(c->node.decent.group_count, 2);
	cr_assert(g[0].own && g[0].member && g[0].via == XTR_VIA_CORE && !g[0].core);
	cr_assert(!g[1].own && g[1].member && g[1].core && g[1].via == XTR_VIA_SELF && !g[1].peer_count);
	cr_assert(c->multicast_count == 2 && c->multicast[0].join && c->multicast[1].join, "both are joined");
	cr_assert_str_eq(c->multicast[1].interfaces[0], "eth1");
	cr_assert_eq(c->node.site_count, 2);
	/* The layer is registered in both, each time with the key of that one. */
	cr_assert_str_eq(s[0].name, "group 224.1.1.1");
	cr_assert_eq(s[0].prefix_count, 1);
	cr_assert_eq(s[0].key_count, 2);
	cr_assert(s[0].keys[0].key_id == 7 && !memcmp(s[0].keys[0].secret, "third", 5));
	cr_assert(s[0].keys[1].key_id == 0 && !memcmp(s[0].keys[1].secret, "secret", 6));
	/* The core, and what it accepts, with its key alone. */
	cr_assert_str_eq(s[1].name, "group 224.0.9.1");
	cr_assert(s[1].key_count == 1 && s[1].keys[0].key_id == 7 && !memcmp(s[1].keys[0].secret, "third", 5));
	cr_assert_eq(s[1].prefix_count, 2);
	cr_assert_str_eq(xtr_eid_str(&s[1].prefixes[0].eid, buf), "[0](0.0.0.0/0,224.0.9.1/32)");
	cr_assert_str_eq(xtr_eid_str(&s[1].prefixes[1].eid, buf), "[0](0.0.0.0/0,224.0.0.0/4)");
	cr_assert(!s[1].prefixes[0].accept_more_specifics && s[1].prefixes[1].accept_more_specifics);
	xtr_conf_free(c);
}

Test(config_decent, D_32_one_key_of_both_groups_and_senders_of_both)
{
	struct xtr_conf *c = good(PUSH "    transport: overlay\n    accept-from: [192.0.2.0/25]\n    core: group\n  core:\n    group: 224.0.9.1\n"
				       "    key-file: $/k\n    member: true\n    transport: overlay\n    peers: [192.0.2.9]\n    accept-from: [198.51.100.0/24]\n");

	cr_assert_eq(c->node.site_count, 2);
	cr_assert_eq(c->node.sites[0].key_count, 1);
	cr_assert_eq(c->multicast_count, 0);
	cr_assert(c->node.decent.accept_from_count == 2 && c->dp.control_from_count == 2);
	cr_assert(c->dp.control_from[0].len == 25 && c->dp.control_from[1].len == 24);
	xtr_conf_free(c);
}

Test(config_decent, D_30_the_core_by_a_name)
{
	struct xtr_conf *c = good(PUSH "    core: group\n  core: {group: core.example.com, peers: [192.0.2.9], key-file: $/k3}\n"
				       "  dns: {servers: [192.0.2.53]}\n");

	cr_assert_str_eq(c->v.decent.core.name, "core.example.com");
	cr_assert_null(c->v.decent.push.name);
	cr_assert(c->node.decent.group_count == 1 && c->node.site_count == 1 && c->multicast_count == 1, "not there yet");
	cr_assert(c->dns.server_count == 1 && c->dns.timeout_ms == 5000);
	c->v.decent.core.group = ip("224.0.9.1");
	cr_assert_eq(xtr_conf_build_named(c), 0);
	cr_assert(c->node.decent.group_count == 2 && c->node.decent.groups[1].core && c->multicast_count == 2);
	cr_assert(!xtr_ip_cmp(&c->node.decent.groups[1].group, &c->v.decent.core.group));
	xtr_conf_free(c);
}

Test(config_decent, D_30_our_own_group_by_a_name)
{
	struct xtr_conf *c = good(RLOCS DP "itr: {}\nmap-resolver: {}\nmap-server: {sites: [{name: a, key-file: $/k, eid-prefixes: [{eid: 10.1.0.0/16}]}]}\n"
				  "decent: {push: {group: g.example.com, key-file: $/k, accept-groups: [224.1.1.1/32, 224.2.0.0/16]}}\n");

	cr_assert(!c->node.decent.group_count && c->node.site_count == 1 && !c->multicast_count);
	c->v.decent.push.group = ip("224.1.1.1");
	cr_assert_eq(xtr_conf_build_named(c), 0);
	cr_assert(c->node.decent.group_count == 1 && c->multicast_count == 1 && c->node.site_count == 2);
	cr_assert_str_eq(c->node.sites[0].name, "a");
	cr_assert_eq(c->node.sites[1].prefix_count, 2, "not twice the own group");
	xtr_conf_free(c);
}

Test(config_decent, D_30_the_group_of_an_answer)
{
	struct xtr_ip a[5] = { ip("192.0.2.1"), ip("224.0.0.5"), ip("224.9.9.9"), ip("224.1.1.1"), ip("ff08::1") }, out;

	cr_assert(xtr_group_name_pick(a, 5, true, true, &out) && !xtr_ip_cmp(&out, &a[3]));
	cr_assert(xtr_group_name_pick(a, 5, false, true, &out) && !xtr_ip_cmp(&out, &a[4]));
	cr_assert_not(xtr_group_name_pick(a, 2, true, true, &out), "neither unicast nor of the link");
	cr_assert_not(xtr_group_name_pick(a, 4, false, true, &out));
	cr_assert(xtr_group_name_kept("a.b 224.2.2.2\ncore.a 224.1.1.1\n", "core.A", &out) && !xtr_ip_cmp(&out, &a[3]));
	cr_assert_not(xtr_group_name_kept("a.b 224.2.2.2\n", "a.bc", &out));
	cr_assert_not(xtr_group_name_kept("a.b 10.0.0.1\n", "a.b", &out));
	cr_assert_not(xtr_group_name_kept("a.b 224.2.2.2", "a.b", &out), "cut off");
}

Test(config_decent, R_7_pull_beside_push_only_to_find_the_members)
{
	/* A database prefix that pull would refuse as too short: it does not go there. */
	struct xtr_conf *c = good(MEMBER "    core: pull\n  pull:\n    suffix: a.b\n    modulus: 4\n    key-file: $/k\n"
					 "    lookup-lengths: [{eid: 10.0.0.0/8, length: 24}]\n"
					 "etr: {database: [{eid: 10.1.0.0/16}]}\n");

	cr_assert(c->node.decent.pull && c->node.decent.groups[0].via == XTR_VIA_PULL);
	xtr_conf_free(c);
}

/* ---- EIDs of every family */

Test(config_decent, D_47_eids_of_every_family)
{
	struct xtr_conf *c = good(
		RLOCS DP
		"itr: {map-resolvers: [192.0.2.9]}\n"
		"etr:\n  database:\n    - eid: 10.1.0.0/24\n    - eid: 0001-0002-0003/48\n    - eid: \"'router-7'\"\n"
		"    - eid: (0.0.0.0/0,225.1.1.1/32)\n"
		"map-server:\n  sites:\n    - name: a\n      key-file: $/k\n      eid-prefixes:\n        - {eid: \"'router-7'\"}\n"
		"        - {eid: \"(0.0.0.0/0,225.0.0.0/8)\", accept-more-specifics: true}\n  aggregates: [\"[5]0001-0000-0000/16\"]\n");
	const struct xtr_node_config *n = &c->node;
	char buf[XTR_EID_STRLEN];

	cr_assert_eq(n->mapping_count, 4);
	cr_assert_str_eq(xtr_eid_str(&n->mappings[1].eid, buf), "[0]0001-0002-0003/48");
	cr_assert_str_eq(xtr_eid_str(&n->mappings[2].eid, buf), "[0]'router-7'");
	cr_assert_str_eq(xtr_eid_str(&n->mappings[3].eid, buf), "[0](0.0.0.0/0,225.1.1.1/32)");
	cr_assert_eq(c->dp.local_count, 1, "the data plane forwards IPv4 and IPv6");
	cr_assert_str_eq(xtr_eid_str(&n->aggregates[0], buf), "[5]0001-0000-0000/16");
	cr_assert_eq(n->sites[0].prefixes[1].eid.group_len, 8);
	xtr_conf_free(c);
}

/* ---- mistakes */

#define PULL  RLOCS "itr: {}\ndecent:\n  pull:\n    suffix: ms.example\n    modulus: 4\n    key-file: $/k\n"
#define PULL1 RLOCS "itr: {}\ndecent:\n  pull: {suffix: a.b, modulus: 1, key-file: $/k}\n"

static const struct mistake bad[] = {
	{ RLOCS "itr: {}\ndecent: {}\n", "f:2:6: the ITR knows nobody to ask; add map-resolvers: to it, or decent: with pull: or push:\n"
					 "f:3:9: `decent` is neither pull nor push; add pull: or push: to it\n" },
	{ RLOCS "itr: {}\ndecent:\n  pull: {}\n",
	  "f:4:9: decent.pull has no `key-file`; add it: file with the shared secret in its first line, mode 0600\n"
	  "f:4:9: decent.pull has no `modulus`; add it: number of Map-Server sets; the same in all routers (RFC 9962 5.1)\n"
	  "f:4:9: decent.pull has no `suffix`; add it: DNS names are <index>.<suffix>; their addresses are the Map-Servers\n" },

	/* */
	{ PUSH "  pull: {suffix: a.b, modulus: 4, key-file: $/k}\n",
	  "f:8:5: pull and push are two mapping systems (RFC 9962 3); remove one, or write core: pull, so that pull holds the members of "
	  "the group and nothing else\n" },
	{ PUSH "    core: pull\n", "f:10:11: core: pull needs `pull`; add it beside `push`\n" },
	{ PUSH "    core: group\n",
	  "f:10:11: core: group needs `core`; add it beside `push`, with group:, peers: and key-file: of the core\n" },
	{ PUSH "  core: {group: 224.0.9.1, peers: [192.0.2.9], key-file: $/k}\n",
	  "f:10:9: `core` is used by a group above which it is; add push: with core: group\n" },
	{ PUSH "    core: group\n  core: {group: 224.1.1.1, peers: [192.0.2.9], key-file: $/k}\n",
	  "f:11:17: the core is another group than that of `push`; members of the core write it as `push` alone\n" },
	{ PUSH "    core: group\n  core: {group: 224.0.9.1, peers: [], key-file: $/k}\n",
	  "f:11:35: `peers` is empty; write at least one entry\n" },

	{ PUSH "    core: group\n  core: {group: 224.0.9.1, key-file: $/k}\n",
	  "f:11:9: decent.core has no `peers`; add it: members of the core that are known from the start\n" },
	{ PUSH "    core: group\n  core: {group: 224.0.9.1, key-file: $/k, member: true, transport: overlay}\n",
	  "f:11:9: decent.core has no `peers`; add it: members of the core that are known from the start\n" },

	/* a member of both */
	{ PUSH "    core: group\n  core: {group: 224.0.9.1, peers: [192.0.2.9], key-file: $/k, accept-groups: [224.0.0.0/4], accept-from: []}\n",
	  "f:11:REST: `accept-groups` is for members of the core; add member: true, or remove this key\n"
	  "f:11:REST: `accept-from` is for members of the core; add member: true, or remove this key\n" },
	{ BOTH, "f:12:5: `push` and `core` have different keys with key-id 0, and who is in both could not tell them apart; give one of them "
		"another key-id, in all routers that have that key\n" },
	{ BOTH "    key-id: 1\n    accept-groups: [224.0.9.1/32, 224.1.1.1/32]\n    accept-from: [192.0.2.0/24]\n",
	  "f:17:21: our own group is accepted without being named; remove it\n"
	  "f:17:35: the group of `push` is accepted without being named; remove it\n"
	  "f:18:18: `accept-from` is for transport: overlay, and this group is in the underlay; remove it\n" },
	{ PUSH "    accept-groups: [224.0.9.1/32, 224.3.0.0/16]\n    core: group\n"
	       "  core: {group: 224.0.9.1, key-file: $/k, member: true, accept-groups: [224.3.0.0/16]}\n",
	  "f:10:21: members of the core register with the key of decent.core; remove it\n"
	  "f:12:REST: 224.3.0.0/16 is accepted with the key of `push` already, in line 10; remove one\n" },
	{ RLOCS DP "map-server:\n  sites:\n    - name: x\n      key-file: $/k3\n      eid-prefixes: [{eid: \"(0.0.0.0/0,224.0.9.1/32)\"}]\n"
		"map-resolver: {}\ndecent:\n  push: {group: 224.1.1.1, key-file: $/k, core: group}\n"
		"  core: {group: 224.0.9.1, key-file: $/k, member: true}\n",
	  "f:7:28: members of 224.0.9.1 register with the key of decent.core; remove this prefix\n" },
	{ MEMBER "    core: group\n  core: {group: 224.0.9.1, key-file: $/k3, key-id: 1, member: true, register: all}\n"
		 "etr: {database: [{eid: 10.1.0.0/16}]}\n",
	  "f:15:24: EID-prefix 10.1.0.0/16 of instance 0 is registered with the key of decent.core too (register: all), and site a in line 7 "
	  "does not have it; add it to `keys` of the site\n" },

	/* roles of a member */
	{ RLOCS DP "itr: {}\ndecent:\n  push:\n    group: 224.1.1.1\n    key-file: $/k\n",
	  "f:6:5: a member of a seed-group is a Map-Resolver (RFC 9962 4.1); add map-resolver: {}\n"
	  "f:6:5: a member of a seed-group is a Map-Server (RFC 9962 4.1); add map-server: with the sites that may register\n" },
	{ RLOCS DP "map-server:\n  sites:\n    - name: x\n      key-file: $/k3\n      eid-prefixes: [{eid: \"(0.0.0.0/0,224.1.1.1/32)\"}]\n"
		"map-resolver: {}\ndecent:\n  push:\n    group: 224.1.1.1\n    key-file: $/k\n",
	  "f:7:28: members of 224.1.1.1 register with the key of decent.push; remove this prefix\n" },

	/* D-26: what a member registers it has to take itself */
	{ MEMBER "etr:\n  database:\n    - eid: 10.1.0.0/16\n    - eid: 10.1.1.0/24\n    - eid: 10.2.1.0/24\n    - eid: 10.3.1.0/24\n    - eid: 10.4.0.0/16\n"
		 "    - {eid: 10.2.2.0/24, instance: 5}\n",
	  "f:16:12: EID-prefix 10.1.1.0/24 of instance 0 is registered at the group, and so at our own Map-Server, which has no site for it; add it "
	  "to map-server.sites in all members (RFC 9962 4.3)\n"
	  "f:18:12: EID-prefix 10.3.1.0/24 of instance 0 is registered with the key of decent.push, but site b in line 8 has another one; give the "
	  "site that key in all members (RFC 9962 4.3)\n"
	  "f:19:12: EID-prefix 10.4.0.0/16 of instance 0 is registered at the group, and so at our own Map-Server, which has no site for it; add it "
	  "to map-server.sites in all members (RFC 9962 4.3)\n"
	  "f:20:13: EID-prefix 10.2.2.0/24 of instance 5 is registered at the group, and so at our own Map-Server, which has no site for it; add it "
	  "to map-server.sites in all members (RFC 9962 4.3)\n"
	  "f:20:36: instance 5 has no overlay device to deliver on; add one to `overlay` with instance: 5\n" },

	/* groups and how they are reached */
	{ RLOCS DP ROLES "decent: {push: {group: 224.1.1.999, key-file: $/k}}\n",
	  "f:6:24: `group` is `224.1.1.999`, neither an address nor a DNS name; write a multicast address, as 224.1.1.1 or \"ff08::4341\", or a "
	  "name, as core.example.com\n" },
	{ RLOCS DP ROLES "decent: {push: {group: a..example, key-file: $/k}}\n",
	  "f:6:24: `group` is `a..example`, which has an empty label; write a multicast address, as 224.1.1.1, or a DNS name, as "
	  "core.example.com\n" },
	{ PUSH "    core: group\n  core: {group: 224.0.9.1, peers: [192.0.2.9], key-file: $/k}\n  dns: {}\n",
	  "f:12:8: `dns` is for `pull`, which is not there; add it, or remove this section\n" },
	{ RLOCS DP ROLES "decent: {push: {group: 192.0.2.9, key-file: $/k}}\n",
	  "f:6:24: `group` is 192.0.2.9, which is no multicast address; write a multicast address that routers forward, as 224.1.1.1 or "
	  "\"ff08::4341\"\n" },
	{ RLOCS DP ROLES "decent: {push: {group: 224.0.0.9, key-file: $/k}}\n",
	  "f:6:24: `group` is 224.0.0.9, which is a group of one link; write a multicast address that routers forward, as 224.1.1.1 or "
	  "\"ff08::4341\"\n" },
	{ RLOCS DP ROLES "decent: {push: {group: \"ff02::9\", key-file: $/k}}\n",
	  "f:6:24: `group` is ff02::9, which is a group of one link; write a multicast address that routers forward, as 224.1.1.1 or "
	  "\"ff08::4341\"\n" },
	{ RLOCS DP ROLES "decent: {push: {group: \"ff08::9\", key-file: $/k}}\n",
	  "f:6:24: group ff08::9 is IPv6, and none of `rlocs` is, so nothing can be sent to it; add such an RLOC, or take a group of the other "
	  "family\n" },
	{ PUSH "    peers: [\"2001:db8::7\"]\n",
	  "f:10:13: peer 2001:db8::7 is IPv6, and none of `rlocs` is; add such an RLOC, or another address of the peer\n" },
	{ PUSH "    peers: [192.0.2.7, 192.0.2.7]\n", "f:10:24: peer 192.0.2.7 is here for the second time, the first is in line 10; remove one\n" },
	{ PUSH "    interfaces: [eth9]\n", "f:10:18: there is no interface eth9 on this host; write one of those that ip link shows\n" },
	{ RLOCS ROLES "decent:\n  push:\n    group: 224.1.1.1\n    key-file: $/k\n",
	  "f:7:5: decent.push does not know where its group is; add interfaces: with those that carry it\n" },
	{ RLOCS ROLES "decent:\n  push:\n    group: 224.1.1.1\n    key-file: $/k\n    transport: overlay\n",
	  "f:9:16: decent.push: the overlay is made by the data plane; add `interfaces` with the underlay interface, and the overlay device "
	  "comes with it\n" },
	{ PUSH "    transport: overlay\n    interfaces: [eth0]\n    ttl: 7\n",
	  "f:11:17: `interfaces` is for transport: underlay; remove it\n"
	  "f:12:10: `ttl` is for transport: underlay; remove it\n" },
	{ PUSH "    accept-from: [192.0.2.0/24]\n",
	  "f:10:18: `accept-from` is for transport: overlay, and this group is in the underlay; remove it\n" },
	{ PUSH "    accept-groups: [10.0.0.0/8, 128.0.0.0/1, 224.1.1.1/32]\n",
	  "f:10:21: `accept-groups` is 10.0.0.0/8, where not everything is multicast; write groups, as 224.0.0.0/4 or \"ff00::/8\"\n"
	  "f:10:33: `accept-groups` is 128.0.0.0/1, where not everything is multicast; write groups, as 224.0.0.0/4 or \"ff00::/8\"\n"
	  "f:10:46: our own group is accepted without being named; remove it\n" },
	{ PUSH "    accept-groups: [224.1.1.1/32]\n", "f:10:21: our own group is accepted without being named; remove it\n" },

	/* parameters of pull */
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: a..b, modulus: 4, key-file: $/k}}\n",
	  "f:3:25: `suffix` is `a..b`, which has an empty label; write a DNS name, as map-server.example.com\n" },
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: a.b., modulus: 4, key-file: $/k}}\n",
	  "f:3:25: `suffix` is `a.b.`, which ends with a dot; write a DNS name, as map-server.example.com\n" },
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: a b, modulus: 4, key-file: $/k}}\n",
	  "f:3:25: `suffix` is `a b`, which has a character that is no letter, digit or hyphen; write a DNS name, as map-server.example.com\n" },
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: a.-b, modulus: 4, key-file: $/k}}\n",
	  "f:3:25: `suffix` is `a.-b`, which has a label that begins or ends with a hyphen; write a DNS name, as map-server.example.com\n" },
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b, modulus: 4, key-file: $/k}}\n",
	  "f:3:25: `suffix` is `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b`, which has a label of more than 63 "
	  "characters; write a DNS name, as map-server.example.com\n" },
	{ PULL "    modulus: 5\n", "f:8:5: key `modulus` is here for the second time, the first is in line 6; remove one\n" },
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: a.b, modulus: 0, key-file: $/k}}\n",
	  "f:3:39: `modulus` is 0, out of range; write a whole number from 1 to 65536\n" },
	{ PULL "    hash-mask: 8\n",
	  "f:8:16: only profile draft10 has a `hash-mask`; remove it, and write lookup-lengths instead\n" },
	{ PULL "    digest-octets: 8\n", "f:8:20: only profile lispers-net has `digest-octets`; remove it\n" },
	{ PULL "    profile: sha1\n", "f:8:14: `profile` is `sha1`; write rfc9962, draft10 or lispers-net\n" },
	{ PULL "    lookup-lengths: [{eid: 10.0.0.0/8, length: 7}]\n",
	  "f:8:48: `length` is 7 bits for EIDs inside 10.0.0.0/8; write 8 to 32\n" },
	{ PULL "    lookup-lengths: [{eid: 10.0.0.0/8, length: 33}]\n",
	  "f:8:48: `length` is 33 bits for EIDs inside 10.0.0.0/8; write 8 to 32\n" },
	{ PULL "    lookup-lengths: [{eid: 10.0.0.0/8, length: 24}, {eid: 10.0.0.0/8, length: 25}]\n",
	  "f:8:59: lookup 10.0.0.0/8 is here for the second time, the first is in line 8; remove one\n" },
	{ PULL "    lookup-lengths: [{eid: 10.0.0.0/8, length: 24, instance: some}]\n",
	  "f:8:62: `instance` is some, not a whole number; write a whole number from 0 to 16777214, or any\n" },
	{ PULL "    keys: [{index: 4, key-file: $/k}]\n",
	  "f:8:20: `index` is 4, but modulus 4 makes indexes from 0 to 3; write one of these\n" },
	{ PULL "    family: ipv6\n", "f:8:13: `family` is ipv6, but none of `rlocs` is; add such an RLOC, or write any\n" },
	{ PULL "    lookup-lengths: [{eid: 10.0.0.0/8, length: 24}]\netr: {database: [{eid: 10.1.0.0/16}, {eid: 10.2.1.0/24}]}\n",
	  "f:9:24: EID-prefix [0]10.1.0.0/16 is shorter than what decent.pull hashes, so that few lookups would find it (RFC 9962 5.2); add "
	  "{eid: 10.1.0.0/16, length: 16} to lookup-lengths of all routers, register longer prefixes, or set short-prefixes: everywhere\n" },
	{ RLOCS "itr: {}\ndecent: {pull: {suffix: a.b, modulus: 5000, key-file: $/k, short-prefixes: everywhere}}\n"
		"etr: {database: [{eid: 10.1.0.0/16}]}\n",
	  "f:4:24: EID-prefix [0]10.1.0.0/16 would be registered at all 5000 indexes (short-prefixes: everywhere), which is done for at most "
	  "4096; add a lookup-length for it, or take a smaller modulus\n" },

	/* X5 */
	{ PULL "    profile: draft10\n    hash-mask: 8\netr: {database: [{eid: 10.1.2.3/32, instance: 99999}, {eid: 10.1.2.3/32, instance: 1000000}]}\n",
	  "f:10:61: the `hash-mask` of decent.pull is 8 octets and ends inside the instance of [1000000]10.1.2.3/32; write a longer one in all "
	  "routers, or lookup-lengths instead\n" },
	{ PULL "    profile: draft10\n    hash-mask: 2\n",
	  "f:9:16: the parameters can not be used: the Hash Mask ends inside the brackets of the instance ID: it counts octets of "
	  "\"[0]240.0.1.0/24\"; change them in all routers alike\n" },

	/* DNS and parameters */
	{ PULL1 "  dns: {servers: [ns.example, 192.0.2.53:0, \"[::1\", \"[::1]x\", 192.0.2.53:70000, \"192.0.2.53:\"]}\n",
	  "f:5:19: `servers` has `ns.example`, which is no server; write an address, with a port or without, as 192.0.2.53, 192.0.2.53:5353 or "
	  "\"[2001:db8::53]:5353\"\n"
	  "f:5:31: `servers` has `192.0.2.53:0`, which is no server; write an address, with a port or without, as 192.0.2.53, 192.0.2.53:5353 or "
	  "\"[2001:db8::53]:5353\"\n"
	  "f:5:45: `servers` has `[::1`, which is no server; write an address, with a port or without, as 192.0.2.53, 192.0.2.53:5353 or "
	  "\"[2001:db8::53]:5353\"\n"
	  "f:5:53: `servers` has `[::1]x`, which is no server; write an address, with a port or without, as 192.0.2.53, 192.0.2.53:5353 or "
	  "\"[2001:db8::53]:5353\"\n"
	  "f:5:63: `servers` has `192.0.2.53:70000`, which is no server; write an address, with a port or without, as 192.0.2.53, "
	  "192.0.2.53:5353 or \"[2001:db8::53]:5353\"\n"
	  "f:5:81: `servers` has `192.0.2.53:`, which is no server; write an address, with a port or without, as 192.0.2.53, 192.0.2.53:5353 or "
	  "\"[2001:db8::53]:5353\"\n" },
	{ PULL1 "  dns: {https: [\"http://a/\"], servers: [192.0.2.53], proxy: a}\n",
	  "f:5:17: `https` is `http://a/`; write a URL, as https://dns.example/dns-query\n"
	  "f:5:40: `servers` are not asked when there is `https`; remove one of the two\n"
	  "f:5:61: `proxy` is `a`; write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT\n" },
	{ PULL1 "  dns: {https: [\"https://a/\", \"https://b/\"], https-address: 192.0.2.53}\n",
	  "f:5:31: `https-address` is the address of one host, but b is not a; take URLs of one host, or write addresses into them\n" },
	{ PULL1 "  dns: {ca-file: /x}\n", "f:5:18: `ca-file` is for DNS over HTTPS, and there is no `https`; add it, or remove this key\n" },
	{ PULL1 "  dns: {ttl-min: 10, ttl-max: 5, retry-min: 10, retry-max: 5}\n",
	  "f:5:18: `ttl-min` is longer than `ttl-max`; write a smaller one\n"
	  "f:5:45: `retry-min` is longer than `retry-max`; write a smaller one\n" },
	{ PUSH "  dns: {}\n  parameters: {url: \"https://a/b\", sha256: 0}\n",
	  "f:10:8: `dns` is for `pull`, which is not there; add it, or remove this section\n"
	  "f:11:15: `parameters` is for `pull`, which is not there; add it, or remove this section\n"
	  "f:11:44: `sha256` is not 64 hexadecimal digits; write what sha256sum prints\n" },
	{ PULL1 "  parameters: {url: \"ftp://a/b\"}\n",
	  "f:5:15: the parameters need one proof of where they come from; write either `public-key` (file) or `sha256`\n"
	  "f:5:21: `url` is `ftp://a/b`; write a URL, as https://example.com/decent.json\n" },
	{ PULL1 "  parameters: {url: \"https://a/b\", public-key: $/k}\n",
	  "f:5:48: public key $/k is no public key in PEM; make one with openssl: genpkey -algorithm ed25519, then pkey -pubout\n" },
	{ PULL1 "  parameters: {url: \"https://a/b\", public-key: $/none}\n",
	  "f:5:48: public key $/none: No such file or directory; name a PEM file that xtrd can read\n" },

	/* EIDs */
	{ RLOCS "etr:\n  database:\n    - eid: \"[5]10.0.0.0/8\"\n    - eid: (0.0.0.0/0,10.1.1.1/32)\n    - eid: 224.1.1.1/32\n",
	  "f:4:12: `eid` is `[5]10.0.0.0/8`; write the instance as a key of its own: instance: NUMBER\n"
	  "f:5:12: `eid` is `(0.0.0.0/0,10.1.1.1/32)`, whose group is no multicast address; write \"(source,group)\", as "
	  "\"(0.0.0.0/0,224.1.1.1/32)\"\n"
	  "f:6:12: `eid` is 224.1.1.1/32, which is multicast and can not be an EID; write a unicast prefix\n" },
	{ RLOCS "etr:\n  database:\n    - eid: \"'a'\"\n    - eid: \"'a'\"\n    - eid: (0.0.0.0/0,224.1.1.1/32)\n    - eid: (0.0.0.0/0,224.1.1.1/32)\n",
	  "f:5:12: EID-prefix 'a' of instance 0 is here for the second time, the first is in line 4; remove one\n"
	  "f:7:12: EID-prefix (0.0.0.0/0,224.1.1.1/32) of instance 0 is here for the second time, the first is in line 6; remove one\n" },
	{ "map-server:\n  sites:\n    - name: a\n      key-file: $/k\n      eid-prefixes: [{eid: \"(10.0.0.0/8,224.0.0.0/4)\"}]\n"
	  "    - name: b\n      key-file: $/k3\n      eid-prefixes: [{eid: \"(0.0.0.0/0,224.1.1.1/32)\"}]\n",
	  "f:8:28: EID-prefix (0.0.0.0/0,224.1.1.1/32) of instance 0 overlaps (10.0.0.0/8,224.0.0.0/4) of site a in line 5; give each part of the "
	  "space to one site\n" },
};

Test(config_decent, mistakes_and_their_messages)
{
	expect_mistakes(bad, sizeof(bad) / sizeof(bad[0]));
}

/* ---- shown, compared */

Test(config_decent, shown_without_secrets_and_only_when_there)
{
	struct xtr_conf *c = good(PULL "    lookup-lengths: [{eid: 10.0.0.0/8, length: 24}]\n"), *classic = good("map-resolver: {map-servers: [192.0.2.10]}\n");
	json_t *j = xtr_schema_json(&xtr_conf_schema, &c->v), *k = xtr_schema_json(&xtr_conf_schema, &classic->v);
	json_t *pull = json_object_get(json_object_get(j, "decent"), "pull");
	char *text = json_dumps(j, JSON_COMPACT);

	cr_assert_eq(json_integer_value(json_object_get(pull, "modulus")), 4);
	cr_assert_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(pull, "lookup-lengths"), 0), "instance")), "any");
	cr_assert_null(json_object_get(json_object_get(j, "decent"), "push"));
	cr_assert_null(json_object_get(k, "decent"), "no LISP-Decent, nothing to show");
	cr_assert_null(strstr(text, "secret\""));
	free(text);
	json_decref(j);
	json_decref(k);
	xtr_conf_free(c);
	xtr_conf_free(classic);
}

Test(config_decent, D_54_a_change_of_the_modulus_is_one_line_and_needs_no_restart)
{
	struct xtr_conf *x = good(PULL), *y = good(RLOCS "itr: {}\ndecent:\n  pull:\n    suffix: ms.example\n    modulus: 8\n    key-file: $/k\n");
	struct xtr_yaml_errors errors = { 0 };
	char *text = NULL;

	cr_assert_eq(xtr_conf_check_reload(x, y, &errors), 0);
	xtr_schema_diff(&xtr_conf_schema, &x->v, &y->v, add_line, &text);
	cr_assert_str_eq(text, "decent.pull.modulus: 4 -> 8\n", "%s", text);
	free(text);
	xtr_conf_free(x);
	xtr_conf_free(y);
}

Test(config_decent, a_new_secret_in_the_same_file_is_a_difference)
{
	struct xtr_conf *x = good(PULL), *y;
	char *text = NULL;

	put_file("k", "another\n", 8, 0600);
	y = good(PULL);
	xtr_schema_diff(&xtr_conf_schema, &x->v, &y->v, add_line, &text);
	cr_assert_str_eq(text, "decent.pull: a file that is named there changed\n", "%s", text);
	free(text);
	xtr_conf_free(x);
	xtr_conf_free(y);
}

/* ---- examples */

Test(config_decent, the_examples_are_good)
{
	static const char *const paths[] = { "deploy/examples/decent-pull.yaml", "deploy/examples/decent-push.yaml", "deploy/examples/decent-layer.yaml" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text = example(paths[i]);
		struct xtr_conf *c = parse_elsewhere(text);

		cr_expect(c->node.itr && c->node.etr && c->node.ms && c->node.mr, "%s (D-1)", paths[i]);
		cr_expect_eq(!!c->node.decent.pull, i == 0);
		cr_expect_eq(c->node.decent.group_count, i);
		xtr_conf_free(c);
		free(text);
	}
}

Test(config_decent, the_full_example_is_good_and_names_the_defaults)
{
	char *text = example("deploy/examples/xtrd.yaml"), *differ = NULL;
	char *pull = commented(text, "# Pull:\n", "# Push, with", RLOCS "itr: {}\n");
	char *push = commented(text, "# Push, with", "# Of other profiles", RLOCS DP ROLES);
	struct xtr_conf *p = parse_elsewhere(pull), *g = parse_elsewhere(push), *least;

	least = parse_elsewhere(
		RLOCS "itr: {}\ndecent:\n  pull:\n    suffix: map-server.example.com\n    modulus: 64\n    key-file: /etc/xtr/decent.key\n"
		      "    lookup-lengths: [{eid: 240.11.0.0/16, length: 24}]\n    keys: [{index: 3, key-file: /etc/xtr/decent-3.key}]\n"
		      "  dns: {servers: [192.0.2.53, \"[2001:db8::53]:5353\"]}\n"
		      "  parameters: {url: \"https://example.com/decent.json\", public-key: /etc/xtr/decent.pem}\n");
	xtr_schema_diff(&xtr_conf_schema, &least->v, &p->v, add_line, &differ);
	cr_expect_null(differ, "%s", differ);
	xtr_conf_free(least);
	least = parse_elsewhere(RLOCS DP ROLES "decent:\n  push: {group: 224.2.2.2, interfaces: [eth0], peers: [192.0.2.2], accept-groups: [224.3.0.0/16], "
					       "key-file: /etc/xtr/group.key, core: group}\n"
					       "  core: {group: 224.1.1.1, transport: overlay, peers: [192.0.2.3], key-file: /etc/xtr/core.key}\n");
	xtr_schema_diff(&xtr_conf_schema, &least->v, &g->v, add_line, &differ);
	cr_expect_null(differ, "%s", differ);
	xtr_conf_free(least);
	xtr_conf_free(p);
	xtr_conf_free(g);
	free(pull);
	free(push);
	free(text);
}
