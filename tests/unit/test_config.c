// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The configuration: what a good file becomes, and what changes when another one takes its place. Mistakes and their
 * messages, and the examples: test_config_*.c.
 */
#include "conf_lab.h"

#include "codec/msg.h"
#include "dp/internal.h"
#include "util/log.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(config, .init = make_keys, .fini = remove_folder);

#define MR "map-resolver: {map-servers: [192.0.2.10]}\n"
#define ITR "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11]}\n"
#define DP "rlocs: [{address: 192.0.2.1}]\ninterfaces: [{name: eth0, role: underlay}]\nitr: {map-resolvers: [192.0.2.11]}\n"

#define X20 "xxxxxxxxxxxxxxxxxxxx"
#define X100 X20 X20 X20 X20 X20

/* ---- good files */

#define ROUTER \
	"rlocs:\n" \
	"  - address: 192.0.2.1\n" \
	"    priority: 2\n" \
	"    weight: 50\n" \
	"  - address: \"2001:db8::1\"\n" \
	"interfaces:\n" \
	"  - {name: eth0, role: underlay, mode: xdp-generic}\n" \
	"  - {name: eth1, role: eid, instance: 5}\n" \
	"overlay:\n" \
	"  - device: xtr0\n" \
	"    addresses: [10.1.0.1/32, \"fd01::1/64\"]\n" \
	"    routes: [10.0.0.0/8, \"fd00::/8\"]\n" \
	"  - device: xtr5\n" \
	"    instance: 5\n" \
	"    vrf: red\n" \
	"    mtu: 1400\n" \
	"    routes: [10.0.0.0/8]\n" \
	"etr:\n" \
	"  database:\n" \
	"    - eid: 10.1.0.0/24\n" \
	"      ttl: 60\n" \
	"      map-version: 7\n" \
	"    - eid: \"fd01::/64\"\n" \
	"      rlocs: [{address: 198.51.100.9, priority: 3}]\n" \
	"    - {eid: 10.1.0.0/24, instance: 5}\n" \
	"  map-servers:\n" \
	"    - address: 192.0.2.10\n" \
	"      key-file: $/a.key\n" \
	"      key-id: 3\n" \
	"      algorithm: hmac-sha-1-96\n" \
	"      proxy-reply: true\n" \
	"itr:\n" \
	"  map-resolvers: [192.0.2.11, 192.0.2.12]\n"

Test(config, RFC9305_lisp_gpe_is_off_and_by_one_key_on)
{
	struct xtr_conf *c = good(ROUTER);

	cr_assert(!c->dp.gpe && !c->node.mappings[0].gpe);
	xtr_conf_free(c);
	c = good(ROUTER "data-plane: {gpe: true}\n");
	cr_assert(c->dp.gpe && !c->dp.gpe_zero_checksum6 && !c->dp.gpe_peer_count);
	cr_assert_eq(c->node.mappings[0].gpe, xtr_dp_gpe_kernel(NULL) ? XTR_GPE_IP4 : 0,
		     "over IPv6 without checksum only where that is configured (RFC 9305 4.3.1)");
	xtr_conf_free(c);
	c = good(ROUTER "data-plane: {gpe: true, gpe-announce: false, gpe-zero-checksum-ipv6: true,\n"
			"  gpe-peers: [192.0.2.0/24, \"2001:db8::7/128\"]}\n");
	cr_assert(c->dp.gpe && c->dp.gpe_zero_checksum6 && c->dp.gpe_peer_count == 2 && c->dp.gpe_peers[1].len == 128);
	cr_assert(!c->node.mappings[0].gpe, "spoken, not said");
	xtr_conf_free(c);
	xtr_dp_no_gpe = true;
	c = good(ROUTER "data-plane: {gpe: true, gpe-zero-checksum-ipv6: true}\n");
	xtr_dp_no_gpe = false;
	cr_assert(!c->node.mappings[0].gpe, "nor said on a kernel that has no use for it");
	xtr_conf_free(c);
}

Test(config, a_router)
{
	struct xtr_conf *c = good(ROUTER);
	const struct xtr_node_config *n = &c->node;
	char buf[XTR_EID_STRLEN];

	cr_assert(n->itr && n->etr && !n->ms && !n->mr && c->data_plane && n->has_ids);
	cr_assert_eq(n->rloc_count, 2);
	cr_assert_eq(n->rlocs[0].priority, 2);
	cr_assert_eq(n->rlocs[0].weight, 50);
	cr_assert_eq(n->rlocs[0].mpriority, 255);
	cr_assert_eq(n->rlocs[1].priority, 1);
	cr_assert_eq(n->rlocs[1].weight, 100);
	cr_assert_eq(n->rlocs[1].ip.family, 6);
	cr_assert_eq(n->map_resolver_count, 2);
	cr_assert_eq(n->mapping_count, 3);
	cr_assert_str_eq(xtr_eid_str(&n->mappings[0].eid, buf), "[0]10.1.0.0/24");
	cr_assert_eq(n->mappings[0].ttl_min, 60);
	cr_assert_eq(n->mappings[0].map_version, 7);
	cr_assert_eq(n->mappings[0].rloc_count, 2);
	cr_assert_eq(n->mappings[1].rloc_count, 1);
	cr_assert_eq(n->mappings[1].rlocs[0].priority, 3);
	cr_assert_eq(n->mappings[1].ttl_min, 1440);
	cr_assert_str_eq(xtr_eid_str(&n->mappings[2].eid, buf), "[5]10.1.0.0/24");
	cr_assert_eq(n->map_server_count, 1);
	cr_assert_eq(n->map_servers[0].key.key_id, 3);
	cr_assert_eq(n->map_servers[0].key.alg_id, XTR_AUTH_SHA1);
	cr_assert_eq(n->map_servers[0].key.secret_len, 11);
	cr_assert_arr_eq(n->map_servers[0].key.secret, "secret of a", 11);
	cr_assert(n->map_servers[0].proxy_reply && n->map_servers[0].want_notify && !n->map_servers[0].merge);

	cr_assert_eq(c->dp.port_count, 2);
	cr_assert_str_eq(c->dp.ports[0].name, "eth0");
	cr_assert_eq(c->dp.ports[0].mode, XTR_MODE_XDP_GENERIC);
	cr_assert_eq(c->dp.ports[1].role, XTR_ROLE_EID);
	cr_assert_eq(c->dp.ports[1].mode, XTR_MODE_AUTO);
	cr_assert_eq(c->dp.ports[1].iid, 5);
	cr_assert_eq(c->dp.overlay_count, 2);
	cr_assert_eq(c->dp.overlays[0].address_count, 2);
	cr_assert_eq(c->dp.overlays[0].addresses[1].len, 64);
	cr_assert_eq(c->dp.overlays[0].route_count, 2);
	cr_assert_eq(c->dp.overlays[1].mtu, 1400);
	cr_assert_str_eq(c->dp.overlays[1].vrf, "red");
	cr_assert(!c->dp.overlays[0].vrf && !c->dp.overlays[0].netns && !xtr_conf_has_namespaces(c));
	cr_assert_eq(c->dp.local_count, 3);
	cr_assert_eq(c->dp.locals[0].map_version, 7);
	cr_assert_eq(c->dp.rloc_count, 2);
	cr_assert_eq(c->dp.flags, XTR_CFG_F_CHECK_ENCAP_SOURCE);
	cr_assert_eq(c->dp.mark, 0x4c495350);
	cr_assert_eq(c->dp.route_table, 4341);
	cr_assert_eq(c->dp.queue_timeout_ms, 5000);
	cr_assert_eq(c->dp.queue_octets, 32 << 20);
	xtr_conf_free(c);
}

#define MAPPING_SYSTEM \
	"map-server:\n" \
	"  sites:\n" \
	"    - name: a\n" \
	"      key-file: $/a.key\n" \
	"      eid-prefixes:\n" \
	"        - {eid: 10.1.0.0/16, accept-more-specifics: true}\n" \
	"        - {eid: 10.1.2.0/24}\n" \
	"    - name: b\n" \
	"      keys:\n" \
	"        - {key-file: $/b.key, key-id: 1}\n" \
	"        - {key-file: $/raw.key, key-id: 2, algorithm: hmac-sha-256-128-hkdf}\n" \
	"      eid-prefixes: [{eid: 10.2.0.0/16}, {eid: 10.1.0.0/16, instance: 5}]\n" \
	"      replay: \"off\"\n" \
	"      force-proxy: true\n" \
	"      max-registrations: 7\n" \
	"  aggregates: [10.0.0.0/8, \"[5]fd00::/8\"]\n" \
	"map-resolver:\n"

Test(config, a_mapping_system_needs_no_rloc_and_no_interface)
{
	struct xtr_conf *c = good(MAPPING_SYSTEM);
	const struct xtr_node_config *n = &c->node;
	char buf[XTR_EID_STRLEN];

	cr_assert(!n->itr && !n->etr && n->ms && n->mr && !c->data_plane);
	cr_assert_eq(n->site_count, 2);
	cr_assert_str_eq(n->sites[0].name, "a");
	cr_assert_eq(n->sites[0].key_count, 1);
	cr_assert_eq(n->sites[0].keys[0].alg_id, XTR_AUTH_SHA256);
	cr_assert(n->sites[0].prefixes[0].accept_more_specifics && !n->sites[0].prefixes[1].accept_more_specifics);
	cr_assert(!n->sites[0].replay_off && !n->sites[0].force_proxy);
	cr_assert_eq(n->sites[0].max_registrations, 10000);
	cr_assert_eq(n->sites[1].key_count, 2);
	cr_assert_eq(n->sites[1].keys[1].alg_id, XTR_AUTH_SHA256_HKDF);
	/* Raw octets are the key; only the newline goes. */
	cr_assert_eq(n->sites[1].keys[1].secret_len, 5);
	cr_assert_arr_eq(n->sites[1].keys[1].secret, "\x01\0\xff z", 5);
	cr_assert(n->sites[1].replay_off && n->sites[1].force_proxy);
	cr_assert_eq(n->sites[1].max_registrations, 7);
	cr_assert_eq(n->aggregate_count, 2);
	cr_assert_str_eq(xtr_eid_str(&n->aggregates[1], buf), "[5]fd00::/8");
	xtr_conf_free(c);
}

Test(config, defaults_are_those_of_the_core)
{
	struct xtr_conf *c = good("map-resolver: {map-servers: [192.0.2.10]}\n");
	struct xtr_node_timers timers = XTR_NODE_TIMERS_DEFAULT;
	struct xtr_node_limits limits = XTR_NODE_LIMITS_DEFAULT;

	cr_assert_eq(memcmp(&c->node.timers, &timers, sizeof(timers)), 0, "a timer has another default, or no key");
	cr_assert_eq(memcmp(&c->node.limits, &limits, sizeof(limits)), 0, "a limit has another default, or no key");
	cr_assert_str_eq(c->v.state_dir, "/var/lib/xtr");
	cr_assert_str_eq(c->v.control_socket, "/run/xtr/xtrd.sock");
	cr_assert_null(c->v.user);
	cr_assert_eq(c->v.log_level, XTR_LOG_INFO);
	cr_assert(c->v.xtr_id.automatic && !c->v.site_id.automatic);
	xtr_conf_free(c);
}

/* Every timer and limit of core/config.h has a key: set all keys to something else and compare word by word. */
Test(config, every_timer_and_limit_is_a_key)
{
	struct xtr_conf *c = good("map-resolver: {map-servers: [192.0.2.10]}\n"
		"timers: {register-interval: 61, quick-interval: 21, quick-duration: 301, registration-timeout: 181, notify-retry-first: 2,\n"
		"  notify-retry-max: 61, request-interval: 2, request-retry-first: 2, request-retry-max: 33, request-retries: 11,\n"
		"  request-holdoff: 31, resolver-rest: 31, negative-ttl-min: 16, unregistered-ttl-min: 2, reply-interval: 4,\n"
		"  max-ttl-min: 10081, refresh-percent: 91, adopt-lifetime: 301, ms-request-interval: 4}\n"
		"limits: {cache-entries: 100001, pending-requests: 10001, registrations: 1000001, requests-per-second: 1001,\n"
		"  replies-per-second: 100001, replies-per-rloc: 1001, shortest-ip4: 9, shortest-ip6: 17, hole-ip4: 1, hole-ip6: 1}\n");
	struct xtr_node_timers timers = XTR_NODE_TIMERS_DEFAULT;
	struct xtr_node_limits limits = XTR_NODE_LIMITS_DEFAULT;
	const uint32_t *a = (const uint32_t *)&timers, *b = (const uint32_t *)&c->node.timers;
	const uint8_t *x = (const uint8_t *)&limits, *y = (const uint8_t *)&c->node.limits;

	for (size_t i = 0; i < sizeof(timers) / 4; i++)
		cr_expect_neq(a[i], b[i], "word %zu of struct xtr_node_timers has no key", i);
	for (size_t i = 0; i < offsetof(struct xtr_node_limits, shortest_ip4) / 4; i++)
		cr_expect_neq(memcmp(x + 4 * i, y + 4 * i, 4), 0, "word %zu of struct xtr_node_limits has no key", i);
	cr_expect_eq(c->node.limits.shortest_ip4, 9);
	cr_expect_eq(c->node.limits.shortest_ip6, 17);
	cr_expect_eq(c->node.limits.hole_ip4, 1);
	cr_expect_eq(c->node.limits.hole_ip6, 1);
	xtr_conf_free(c);
}

Test(config, fractions_of_seconds)
{
	struct xtr_conf *c = good("map-resolver: {map-servers: [192.0.2.10]}\n"
				  "timers: {register-interval: 0.5, quick-interval: 1.25, request-retry-first: 0.050}\n");

	cr_assert_eq(c->node.timers.register_interval, 500);
	cr_assert_eq(c->node.timers.quick_interval, 1250);
	cr_assert_eq(c->node.timers.request_retry_first, 50);
	xtr_conf_free(c);
}

Test(config, ids)
{
	static const uint8_t xtr[16] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	struct xtr_conf *c = good("map-resolver: {map-servers: [192.0.2.10]}\n"
				  "xtr-id: 00112233445566778899aabbccDDeeff\n"
				  "site-id: 258\n");

	cr_assert_arr_eq(c->node.xtr_id, xtr, 16);
	cr_assert_eq(c->node.site_id[6], 1);
	cr_assert_eq(c->node.site_id[7], 2);
	xtr_conf_free(c);
	c = good("map-resolver: {map-servers: [192.0.2.10]}\nsite-id: 0123456789abcdef\n");
	cr_assert_eq(c->node.site_id[0], 0x01);
	cr_assert_eq(c->node.site_id[7], 0xef);
	xtr_conf_free(c);
}

Test(config, shared_secret_by_explicit_word_on_both)
{
	struct xtr_conf *c = good("map-server:\n  sites:\n"
		"    - {name: a, key-file: $/a.key, shared-secret: true, eid-prefixes: [{eid: 10.1.0.0/16}]}\n"
		"    - {name: b, key-file: $/a2.key, shared-secret: true, eid-prefixes: [{eid: 10.2.0.0/16}]}\n");

	cr_assert_eq(c->node.site_count, 2);
	xtr_conf_free(c);
}

Test(config, default_route_as_eid_prefix)
{
	/* The whole Internet in the overlay: then Map-Resolvers are "inside" it, and that is what the mark is for. */
	struct xtr_conf *c = good("rlocs: [{address: 192.0.2.1}]\n"
				  "interfaces: [{name: eth0, role: underlay}]\n"
				  "overlay: [{device: xtr0, routes: [0.0.0.0/0, \"::/0\"]}]\n"
				  "itr: {map-resolvers: [192.0.2.11]}\n"
				  "etr: {database: [{eid: 0.0.0.0/0}]}\n");

	cr_assert_eq(c->dp.overlays[0].routes[0].len, 0);
	xtr_conf_free(c);
}

/* One EID-prefix in three instances, the RLOC inside the EID space of one of them: each routes by itself. */
Test(config, tenants_with_the_same_eids)
{
	struct xtr_conf *c = good("rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay}\n  - {name: eth1, role: eid, instance: 3}\n"
				  "itr: {map-resolvers: [192.0.2.11]}\n"
				  "etr: {database: [{eid: 10.1.0.0/16, instance: 1}, {eid: 10.1.0.0/16, instance: 2}, {eid: 10.1.0.0/16, instance: 3}, "
				  "{eid: 10.1.0.0/16}]}\n"
				  "overlay:\n  - {device: xtr0, routes: [10.0.0.0/8]}\n"
				  "  - {device: xtr-red, instance: 1, namespace: red, routes: [10.0.0.0/8, 192.0.2.0/24]}\n"
				  "  - {device: xtr-blue, instance: 2, namespace: /run/netns/blue, routes: [0.0.0.0/0, 10.0.0.0/8]}\n"
				  "  - {device: xtr-green, instance: 3, vrf: green, routes: [10.0.0.0/8]}\n");

	cr_assert_eq(c->dp.overlay_count, 4);
	cr_assert_str_eq(c->dp.overlays[1].netns, "red");
	cr_assert_str_eq(c->dp.overlays[2].netns, "/run/netns/blue");
	cr_assert_str_eq(c->dp.overlays[3].vrf, "green");
	cr_assert_eq(c->dp.local_count, 4);
	cr_assert(xtr_conf_has_namespaces(c));
	xtr_conf_free(c);
}

/* A default route is what nobody else has: it overlaps with nothing. */
Test(config, a_default_route_beside_another_instance)
{
	struct xtr_conf *c = good("rlocs: [{address: 192.0.2.1}]\ninterfaces: [{name: eth0, role: underlay}]\nitr: {map-resolvers: [192.0.2.11]}\n"
				  "overlay:\n  - {device: xtr0, routes: [0.0.0.0/0]}\n  - {device: xtr5, instance: 5, routes: [10.5.0.0/16]}\n");

	cr_assert_eq(c->dp.overlay_count, 2);
	xtr_conf_free(c);
}

Test(config, without_overlay_there_is_xtr0)
{
	struct xtr_conf *c = good("rlocs: [{address: 192.0.2.1}]\n"
				  "interfaces: [{name: eth0, role: underlay}]\n"
				  "etr: {database: [{eid: 10.1.0.0/24}]}\n");

	cr_assert_eq(c->dp.overlay_count, 1);
	cr_assert_str_eq(c->dp.overlays[0].name, "xtr0");
	xtr_conf_free(c);
}

Test(config, no_secret_in_any_output)
{
	struct xtr_conf *c = good(MAPPING_SYSTEM);
	json_t *j = xtr_schema_json(&xtr_conf_schema, &c->v);
	char *text = json_dumps(j, JSON_COMPACT);

	cr_assert_null(strstr(text, "secret of"));
	cr_assert_not_null(strstr(text, "a.key"));
	free(text);
	json_decref(j);
	xtr_conf_free(c);
}

Test(config, shown_configuration_has_all_that_is_in_effect)
{
	struct xtr_conf *c = good(MR);
	json_t *j = xtr_schema_json(&xtr_conf_schema, &c->v);

	cr_assert_eq(json_integer_value(json_object_get(json_object_get(j, "timers"), "register-interval")), 60);
	cr_assert_str_eq(json_string_value(json_object_get(j, "log-level")), "info");
	cr_assert_str_eq(json_string_value(json_array_get(json_object_get(json_object_get(j, "map-resolver"), "map-servers"), 0)), "192.0.2.10");
	cr_assert_null(json_object_get(j, "itr"));
	json_decref(j);
	xtr_conf_free(c);
}

/* ---- differences between two configurations */

static char *differences(const char *a, const char *b)
{
	struct xtr_conf *x = good(a), *y = good(b);
	char *text = NULL;

	xtr_schema_diff(&xtr_conf_schema, &x->v, &y->v, add_line, &text);
	xtr_conf_free(x);
	xtr_conf_free(y);
	return text;
}

Test(config, differences_are_named)
{
	char *text = differences("rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11]}\n"
				 "etr: {database: [{eid: 10.1.0.0/24}, {eid: 10.2.0.0/24}]}\n",
				 "rlocs: [{address: 192.0.2.1, weight: 7}]\nitr: {map-resolvers: [192.0.2.12]}\n"
				 "etr: {database: [{eid: 10.3.0.0/24}, {eid: 10.1.0.0/24}]}\ntimers: {register-interval: 0.5}\n" MR);

	cr_assert_str_eq(text, "rlocs: 192.0.2.1 changed\n"
			       "etr.database: 10.2.0.0/24 removed\n"
			       "etr.database: 10.3.0.0/24 added\n"
			       "itr.map-resolvers: 192.0.2.11 removed\n"
			       "itr.map-resolvers: 192.0.2.12 added\n"
			       "map-resolver: switched on\n"
			       "timers.register-interval: 60 -> 0.5\n", "%s", text);
	free(text);
	cr_assert_null(differences(ROUTER, ROUTER));
	cr_assert_null(differences(MAPPING_SYSTEM, MAPPING_SYSTEM));
}

Test(config, a_new_secret_in_the_same_file_is_a_difference)
{
	struct xtr_conf *x = good(MAPPING_SYSTEM), *y;
	char *text = NULL;

	put_file("raw.key", "other\n", 6, 0600);
	y = good(MAPPING_SYSTEM);
	xtr_schema_diff(&xtr_conf_schema, &x->v, &y->v, add_line, &text);
	cr_assert_str_eq(text, "map-server.sites: b changed\n", "%s", text);
	free(text);
	xtr_conf_free(x);
	xtr_conf_free(y);
}

Test(config, what_can_not_change_while_running)
{
	struct xtr_conf *x = good(DP), *y = good(DP "state-dir: /var/lib/other\ndata-plane: {mark: 7, check-source: false}\n"), *z = good(ITR);
	struct xtr_yaml_errors errors = { 0 };
	char *text = NULL;

	cr_assert_eq(xtr_conf_check_reload(x, x, &errors), 0);
	cr_assert_neq(xtr_conf_check_reload(x, y, &errors), 0);
	xtr_yaml_errors_each(&errors, "f", add_line, &text);
	cr_assert_str_eq(text, "f:4:12: `state-dir` can not change while xtrd runs; restart it, which does not stop the traffic\n"
			       "f:5:20: `mark` can not change while xtrd runs; restart it, which does not stop the traffic\n", "%s", text);
	free(text);
	text = NULL;
	xtr_yaml_errors_free(&errors);
	cr_assert_neq(xtr_conf_check_reload(x, z, &errors), 0);
	xtr_yaml_errors_each(&errors, "f", add_line, &text);
	cr_assert_str_eq(text, "f:1:1: `interfaces` can not go while xtrd runs; restart it\n", "%s", text);
	free(text);
	text = NULL;
	xtr_yaml_errors_free(&errors);
	xtr_conf_free(z);
	/* Entering namespaces is a privilege kept from the start or not at all. */
	z = good(DP "overlay: [{device: xtr0, namespace: red}]\n");
	cr_assert_neq(xtr_conf_check_reload(x, z, &errors), 0);
	xtr_yaml_errors_each(&errors, "f", add_line, &text);
	cr_assert_str_eq(text, "f:4:37: the first `namespace` needs a restart of xtrd (traffic goes on meanwhile): it has given up the "
			       "privilege to enter namespaces (CAP_SYS_ADMIN)\n", "%s", text);
	free(text);
	xtr_yaml_errors_free(&errors);
	cr_assert_eq(xtr_conf_check_reload(z, x, &errors), 0);
	cr_assert_eq(xtr_conf_check_reload(z, z, &errors), 0);
	xtr_conf_free(x);
	xtr_conf_free(y);
	xtr_conf_free(z);
}
