// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The configuration: what a good file becomes, and, for every mistake we know of, the exact message a person gets. The host is a fake
 * one (addresses and interfaces given here), key files are real.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/msg.h"
#include "daemon/config.h"
#include "dp/internal.h"
#include "util/log.h"

static struct xtr_conf_host fake_host(void)
{
	static struct xtr_ip addresses[3];
	static char interfaces[3][16] = { "lo", "eth0", "eth1" };

	xtr_ip_parse("192.0.2.1", &addresses[0]);
	xtr_ip_parse("2001:db8::1", &addresses[1]);
	xtr_ip_parse("127.0.0.1", &addresses[2]);
	return (struct xtr_conf_host){ addresses, 3, interfaces, 3 };
}

/* ---- a folder with key files */

static char dir[64];

static void put_file(const char *name, const char *text, size_t len, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0 && write(fd, text, len) == (ssize_t)len && !fchmod(fd, mode));
	close(fd);
}

static void make_keys(void)
{
	strcpy(dir, "/tmp/xtr-conf-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	put_file("a.key", "secret of a\n", 12, 0600);
	put_file("a2.key", "secret of a\nanother line\n", 25, 0400);
	put_file("b.key", "secret of b", 11, 0600);
	put_file("raw.key", "\x01\0\xff z\n", 6, 0600);
	put_file("open.key", "x\n", 2, 0644);
	put_file("group.key", "x\n", 2, 0640);
	put_file("empty.key", "", 0, 0600);
	put_file("line.key", "\nx\n", 3, 0600);
}

static void remove_keys(void)
{
	static const char *const names[] = { "a.key", "a2.key", "b.key", "raw.key", "open.key", "group.key", "empty.key", "line.key" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
}

/* $ in a text stands for the folder. Returned text is malloc'ed. */
static char *expand(const char *text)
{
	size_t room = strlen(text) + 1;
	char *out, *p;

	for (const char *c = text; *c; c++)
		room += *c == '$' ? strlen(dir) : 0;
	p = out = malloc(room);
	for (; *text; text++) {
		if (*text == '$')
			p = stpcpy(p, dir);
		else
			*p++ = *text;
	}
	*p = '\0';
	return out;
}

static void add_line(void *ctx, const char *line)
{
	char **all = ctx, *both;

	cr_assert(asprintf(&both, "%s%s\n", *all ? *all : "", line) >= 0);
	free(*all);
	*all = both;
}

/* The configuration, or NULL and the errors, one a line, the file called "f". */
static struct xtr_conf *parse(const char *text, char **errors_text)
{
	struct xtr_conf_host host = fake_host();
	struct xtr_yaml_errors errors = { 0 };
	struct xtr_conf *c;
	char *full = expand(text);
	int rc = xtr_conf_parse(full, strlen(full), &host, &errors, &c);

	*errors_text = NULL;
	xtr_yaml_errors_each(&errors, "f", add_line, errors_text);
	cr_assert_eq(rc != 0, *errors_text != NULL, "%d\n%s", rc, *errors_text ? *errors_text : "");
	cr_assert_eq(rc == 0, c != NULL);
	xtr_yaml_errors_free(&errors);
	free(full);
	return c;
}

static struct xtr_conf *good(const char *text)
{
	char *errors;
	struct xtr_conf *c = parse(text, &errors);

	cr_assert_not_null(c, "%s", errors);
	return c;
}

TestSuite(config, .init = make_keys, .fini = remove_keys);

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

/* ---- bad files: text, and every line of the answer */

#define MR "map-resolver: {map-servers: [192.0.2.10]}\n"
#define ITR "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11]}\n"
#define DP "rlocs: [{address: 192.0.2.1}]\ninterfaces: [{name: eth0, role: underlay}]\nitr: {map-resolvers: [192.0.2.11]}\n"
#define DP2 "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay}\n  - {name: eth1, role: eid}\n" \
	"itr: {map-resolvers: [192.0.2.11]}\n"

static const struct {
	const char *text, *errors;
} bad[] = {
	/* YAML itself */
	{ "", "f: no role is switched on; add itr:, etr:, map-server: or map-resolver:\n" },
	{ "just text\n", "f:1:1: the top level is one value, but takes keys; write `key: value` lines, indented\n" },
	{ "- a\n", "f:1:1: the top level is a list, but takes keys; write `key: value` lines, indented\n" },
	{ "itr: [1, 2\n", "f:1:6: not valid YAML: did not find expected ',' or ']' in line 2, inside this [; close it before, and check quotes and "
	  "commas\n" },
	{ "itr: [\n  - 1\n", "f:1:6: not valid YAML: did not find expected node content in line 2, inside this [; close it before, and check quotes and "
	  "commas\n" },
	{ "# a [ in a comment\nitr: {a: \"[\", b: '{'\nxtr-id: 5\n", "f:2:6: not valid YAML: did not find expected ',' or '}' in line 3, inside this {; close it "
	  "before, and check quotes and commas\n" },
	{ "itr:\n\ta: 1\n", "f:2:1: not valid YAML: found character that cannot start any token while scanning for the next token; check indentation, quotes "
	  "and brackets\n" },
	{ "itr:\n  a: 1\n b: 2\n", "f:3:2: not valid YAML: did not find expected key while parsing a block mapping; check indentation, quotes and brackets\n" },
	{ "itr: \"\xff\xfe\"\n", "f:1:7: not valid YAML: invalid leading UTF-8 octet; check indentation, quotes and brackets\n" },
	{ MR "log-level: info\nlog-level: debug\n", "f:3:1: key `log-level` is here for the second time, the first is in line 2; remove one\n" },
	{ MR "timers: &x {}\n", "f:2:9: anchors (&name) are not supported; write the value out\n" },
	{ MR "timers: *x\n", "f:2:9: aliases (*name) are not supported; write the value out\n" },
	{ MR "timers: !!map {}\n", "f:2:9: tags (!name) are not supported; remove it\n" },
	{ MR "---\nitr:\n", "f:2:1: a second document begins here; one file is one document: remove the ---\n" },
	{ MR "[a, b]: 1\n", "f:2:1: a key must be a word; put quotes around it\n" },
	{ "itr: [[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]\n", "f:1:21: nested too deep; no key of xtrd needs that\n" },

	/* keys */
	{ MR "log-levle: info\n", "f:2:1: unknown key `log-levle` in the top level; did you mean `log-level`?\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr:\n  map-resolver: [192.0.2.11]\n",
	  "f:3:3: the ITR knows nobody to ask; add map-resolvers: to it, or decent: with pull: or push:\n"
	  "f:3:3: unknown key `map-resolver` in itr; did you mean `map-resolvers`?\n" },
	{ MR "register-interval: 5\n", "f:2:1: unknown key `register-interval` in the top level; it is a key of timers\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11], colour: red}\n",
	  "f:2:36: unknown key `colour` in itr; the keys are map-resolvers\n" },
	{ "rlocs: [{address: 192.0.2.1, prio: 1}]\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:30: unknown key `prio` in an entry of rlocs; the keys are address, priority, weight, multicast-priority, multicast-weight\n"
	},

	/* types and ranges */
	{ MR "log-level: loud\n", "f:2:12: `log-level` is `loud`; write error, warn, info or debug\n" },
	{ MR "log-level: [info]\n", "f:2:12: `log-level` is a list, but takes one value; write it on the line of the key\n" },
	{ MR "log-level:\n", "f:2:11: `log-level` has no value; write one or remove the key\n" },
	{ MR "limits: {cache-entries: lots}\n", "f:2:25: `cache-entries` is lots, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: 3}\n", "f:2:25: `cache-entries` is 3, out of range; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: -3}\n", "f:2:25: `cache-entries` is -3, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: 0x100}\n", "f:2:25: `cache-entries` is 0x100, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "limits: {cache-entries: \"100\"}\n", "f:2:25: `cache-entries` is a text in quotes, not a number; remove the quotes\n" },
	{ MR "limits: {cache-entries: 99999999999999999999999}\n",
	  "f:2:25: `cache-entries` is 99999999999999999999999, not a whole number; write a whole number from 16 to 16777216\n" },
	{ MR "timers: {register-interval: 1m}\n",
	  "f:2:29: `register-interval` is 1m, not a number of seconds; write a number of seconds from 0.1 to 86400\n" },
	{ MR "timers: {register-interval: 0.05}\n",
	  "f:2:29: `register-interval` is 0.05, out of range; write a number of seconds from 0.1 to 86400\n" },
	{ MR "timers: {register-interval: 1.0005}\n",
	  "f:2:29: `register-interval` is 1.0005, not a number of seconds; write a number of seconds from 0.1 to 86400\n" },
	{ MR "timers: 60\n", "f:2:9: timers is one value, but takes keys; write `key: value` lines, indented\n" },
	{ MR "data-plane: {check-source: yes}\n", "f:2:28: `check-source` is `yes`; write true or false\n" },
	{ MR "state-dir: var/lib\n", "f:2:12: `state-dir` is `var/lib`; write an absolute path, beginning with /\n" },
	{ MR "control-socket: /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	  "f:2:17: `control-socket` has 112 characters; write a path of at most 107\n" },
	{ MR "xtr-id: 1234xyz\n", "f:2:9: `xtr-id` is `1234xyz`; write 32 hexadecimal digits, a number, or auto\n" },
	{ MR "site-id: auto\n", "f:2:10: `site-id` is `auto`; write 16 hexadecimal digits, a number\n" },
	{ "map-resolver: {map-servers: 192.0.2.10}\n",
	  "f:1:29: `map-servers` is one value, but takes a list; write - before each entry\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: []}\n", 
	  "f:2:22: the ITR knows nobody to ask; add map-resolvers: to it, or decent: with pull: or push:\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.300]}\n",
	  "f:2:23: `map-resolvers` is `192.0.2.300`, not an address; write an IPv4 or IPv6 address without a length, as 192.0.2.1 or "
	  "\"2001:db8::1\"\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [233.252.0.1, \"fe80::1\", 0.0.0.0]}\n",
	  "f:2:23: `map-resolvers` is 233.252.0.1, which is a multicast address; write a unicast address that others can reach\n"
	  "f:2:36: `map-resolvers` is fe80::1, which is link-local; write a unicast address that others can reach\n"
	  "f:2:47: `map-resolvers` is 0.0.0.0, which is no address; write a unicast address that others can reach\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.0/33}]}\n",
	  "f:3:24: `eid` is `10.1.0.0/33`, not a prefix; write an address and a length, as 10.1.0.0/24 or \"fd01::/64\"\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.1/24}]}\n",
	  "f:3:24: `eid` is 10.1.0.1/24, which has bits set beyond its length; write 10.1.0.0/24\n" },
	{ ITR "etr: {database: [{eid: 233.252.0.0/24}, {eid: 127.0.0.0/8}, {eid: 169.254.1.0/24}, {eid: \"::\"}]}\n",
	  "f:3:24: `eid` is 233.252.0.0/24, which is multicast and can not be an EID; write a unicast prefix\n"
	  "f:3:47: `eid` is 127.0.0.0/8, which is loopback and can not be an EID; write a unicast prefix\n"
	  "f:3:67: `eid` is 169.254.1.0/24, which is link-local and can not be an EID; write a unicast prefix\n"
	  "f:3:90: `eid` is ::, which is the unspecified address and can not be an EID; write a unicast prefix\n" },
	{ ITR "etr: {database: [{eid: 10.1.0.0/24, instance: 16777215}]}\n",
	  "f:3:47: `instance` is 16777215, out of range; write a whole number from 0 to 16777214\n" },
	{ "map-server: {sites: [], aggregates: [\"[16777215]10.0.0.0/8\", \"[5\"]}\n",
	  "f:1:38: `aggregates` is `[16777215]10.0.0.0/8`; write an instance ID from 0 to 16777214 in the brackets\n"
	  "f:1:62: `aggregates` is `[5`; write \"[instance]prefix\", as \"[5]10.0.0.0/8\"\n" },
	{ ITR "etr: {}\n", "f:3:6: etr has no `database`; add it: the EID-prefixes behind this router\n" },
	{ ITR "etr: {database: [{instance: 5}]}\n",
	  "f:3:18: an entry of etr.database has no `eid`; add it: EID-prefix we are authoritative for; one inside another is legal\n" },

	/* roles */
	{ "log-level: info\n", "f:1:1: no role is switched on; add itr:, etr:, map-server: or map-resolver:\n" },
	{ "map-resolver:\n", "f:1:14: the Map-Resolver knows nobody to ask; add map-servers: to it, or map-server: to this node\n" },
	{ "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:6: `itr` needs `rlocs`, and there is none; add rlocs: with the address of this host in the underlay\n" },

	/* EID-prefixes that meet */
	{ ITR "etr:\n  database:\n    - eid: 10.1.0.0/24\n    - eid: 10.1.0.0/16\n    - eid: 10.1.0.0/24\n",
	  "f:7:12: EID-prefix 10.1.0.0/24 of instance 0 is here for the second time, the first is in line 5; remove one\n" },
	{ "map-server:\n  sites:\n"
	  "    - {name: a, key-file: $/a.key, eid-prefixes: [{eid: 10.1.2.0/24}]}\n"
	  "    - {name: b, key-file: $/b.key, eid-prefixes: [{eid: 10.1.0.0/16, accept-more-specifics: true}]}\n",
	  "f:4:REST: EID-prefix 10.1.0.0/16 of instance 0 overlaps 10.1.2.0/24 of site a in line 3; give each part of the space to one site\n" },
	{ "map-server:\n  sites:\n"
	  "    - {name: a, key-file: $/a.key, eid-prefixes: [{eid: 10.1.0.0/16}]}\n"
	  "    - {name: b, key-file: $/b.key, eid-prefixes: [{eid: 10.1.0.0/16}]}\n",
	  "f:4:REST: EID-prefix 10.1.0.0/16 of instance 0 overlaps 10.1.0.0/16 of site a in line 3; give each part of the space to one site\n" },

	/* this host */
	{ "rlocs:\n  - address: 192.0.2.9\n" "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:2:14: no interface of this host has the RLOC 192.0.2.9; set it (ip address add 192.0.2.9/32 dev ...) or write the address that is there\n" },
	{ "rlocs: [{address: 127.0.0.1}]\ninterfaces: [{name: eth0, role: underlay}]\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:19: RLOC 127.0.0.1 is a loopback address, which nobody else can reach; write an address of the underlay\n" },
	{ "rlocs: [{address: 192.0.2.1}, {address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:1:41: RLOC 192.0.2.1 is here for the second time, the first is in line 1; remove one\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth7, role: underlay}\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:12: there is no interface eth7 on this host; write one of those that ip link shows\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay}\n  - {name: eth0, role: eid}\nitr: {map-resolvers: [192.0.2.11]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:4:12: interface eth0 is here for the second time, the first is in line 3; remove one\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: eid}\nitr: {map-resolvers: [192.0.2.11]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:3:3: no interface has role: underlay; name the one with the RLOC\n" },
	{ DP2 "overlay: [{device: xtr0}]\n",
	  "f:4:12: instance 0 has no `routes` in `overlay`: what is too big for the path would leave without LISP; add the EID space there\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: eth0, role: underlay, instance: 5}\n  - {name: eth1, role: eid, instance: 6}\n"
	  "itr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:44: an underlay interface has no instance: LISP headers carry it; remove this key\n"
	  "f:4:39: instance 6 has no overlay device to deliver on; add one to `overlay` with instance: 6\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces:\n  - {name: this-name-is-far-too-long, role: underlay}\nitr: {map-resolvers: [192.0.2.11]}\n",
	  "f:3:12: `name` is `this-name-is-far-too-long`, which no interface can be called; write a name of at most 15 characters without space, / and :\n" },
	{ MR "user: nobody-is-called-this\n",
	  "f:2:7: there is no user nobody-is-called-this on this host; make it (useradd --system nobody-is-called-this) or remove the key\n" },

	/* overlay */
	{ ITR "overlay: [{device: xtr0}]\n", "f:3:10: `overlay` needs `interfaces`; add interfaces: with the underlay interface\n" },
	{ DP "overlay: [{device: xtr0}, {device: xtr0, instance: 1}, {device: xtr2, instance: 1}, {device: eth0, instance: 3}]\n",
	  "f:2:21: eth0 is the overlay device of line 4, not a port; remove this entry\n"
	  "f:4:36: device xtr0 is here for the second time, the first is in line 4; remove one\n"
	  "f:4:81: instance 1 already has the device xtr0 of line 4; write another instance, or add the routes there\n" },
	{ DP "overlay: [{device: xtr0, mtu: 1000}]\n", "f:4:31: `mtu` is 1000; write 0 or 1280 to 65000 (IPv6 needs 1280)\n" },
	{ "rlocs: [{address: 192.0.2.1}]\ninterfaces: [{name: eth0, role: underlay}]\netr: {database: [{eid: 10.1.0.0/24}]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:4:35: EID routes need an ITR to look the EIDs up; add itr: with map-resolvers\n" },
	{ DP "overlay: [{device: xtr0, addresses: [10.9.0.1/32], routes: [10.0.0.0/8]}]\n",
	  "f:4:38: 10.9.0.1 is in no EID-prefix of etr.database (instance 0), so its packets would be dropped (encap-source); add the prefix there, or "
	  "set data-plane.check-source: false\n" },
	{ DP "etr: {database: [{eid: 10.1.0.0/24, instance: 8}]}\n",
	  "f:4:47: instance 8 has no overlay device to deliver on; add one to `overlay` with instance: 8\n" },
	{ DP "overlay: [{device: xtr0, routes: [10.0.0.0/8, 10.0.0.0/8]}]\n",
	  "f:4:47: route 10.0.0.0/8 is here for the second time, the first is in line 4; remove one\n" },
	{ DP "overlay: [{device: xtr0, routes: [192.0.0.0/16]}]\n",
	  "f:1:19: RLOC 192.0.2.1 is inside the EID space 192.0.0.0/16 that line 4 routes into xtr0; take narrower routes or an address outside them\n"
	  "f:3:23: map-resolver 192.0.2.11 is inside the EID space 192.0.0.0/16 that line 4 routes into xtr0; take narrower routes or an address "
	  "outside them\n" },
	{ "rlocs: [{address: 192.0.2.1}]\nitr: {map-resolvers: [192.0.2.11, 192.0.2.11]}\n",
	  "f:2:35: map-resolver 192.0.2.11 is here for the second time, the first is in line 2; remove one\n" },

	/* groups */
	{ ITR "multicast: [{group: 233.252.1.1}]\n",
	  "f:3:12: `multicast` needs `interfaces`; add interfaces: with the underlay interface\n" },
	{ DP "multicast: [{group: 10.1.0.0}, {group: 224.0.0.9}, {group: \"ff02::9\"}, {instance: 3}]\n",
	  "f:4:21: `group` is 10.1.0.0, which is no multicast address; write a multicast address that routers forward, as 233.252.1.1 or \"ff08::4341\"\n"
	  "f:4:40: `group` is 224.0.0.9, which is a group of one link; write a multicast address that routers forward, as 233.252.1.1 or "
	  "\"ff08::4341\"\n"
	  "f:4:60: `group` is ff02::9, which is a group of one link; write a multicast address that routers forward, as 233.252.1.1 or \"ff08::4341\"\n"
	  "f:4:72: an entry of multicast has no `group`; add it: multicast address that hosts use\n" },
	{ DP "multicast:\n  - {group: 233.252.1.1, instance: 3}\n  - {group: 233.252.1.1}\n  - {group: 233.252.1.1}\n"
	  "  - {group: 233.252.1.1, source: \"fd01::1\"}\n  - {group: 233.252.1.1, source: 10.1.0.1, copies-to: [192.0.2.2, 192.0.2.2]}\n"
	  "overlay: [{device: xtr0, routes: [10.0.0.0/8]}]\n",
	  "f:5:36: instance 3 has no overlay device to deliver on; add one to `overlay` with instance: 3\n"
	  "f:7:13: group 233.252.1.1 is here for the second time, the first is in line 6; remove one\n"
	  "f:8:34: `source` and `group` are of different families; write a source in the family of the group\n"
	  "f:9:67: copies-to 192.0.2.2 is here for the second time, the first is in line 9; remove one\n" },

	/* tenants */
	{ DP "overlay:\n  - {device: xtr0, routes: [10.0.0.0/8]}\n  - {device: xtr5, instance: 5, routes: [\"fd00::/8\", 10.5.0.0/16]}\n",
	  "f:6:54: 10.5.0.0/16 of xtr5 (instance 5) overlaps 10.0.0.0/8 of xtr0 (instance 0) in line 5, and the host routes both by the same tables: "
	  "packets of one would go into the other; place one of the devices with `namespace` or `vrf`, or take routes that do not overlap\n" },
	{ DP "overlay:\n  - {device: xtr0, namespace: red, routes: [10.5.0.0/16]}\n  - {device: xtr5, namespace: red, instance: 5, routes: [10.5.0.0/16]}\n",
	  "f:6:58: 10.5.0.0/16 of xtr5 (instance 5) overlaps 10.5.0.0/16 of xtr0 (instance 0) in line 5, and the host routes both by the same tables: "
	  "packets of one would go into the other; place one of the devices with `namespace` or `vrf`, or take routes that do not overlap\n" },
	{ DP "overlay: [{device: xtr0, namespace: ../red}]\n",
	  "f:4:37: `namespace` is `../red`; write a name that ip netns list shows, or a path that starts with /\n" },
	{ DP "overlay: [{device: xtr0, namespace: ..}]\n",
	  "f:4:37: `namespace` is `..`; write a name that ip netns list shows, or a path that starts with /\n" },
	{ DP "overlay: [{device: xtr0, namespace: /run/" X100 "/" X100 "}]\n",
	  "f:4:37: `namespace` is longer than 127 characters; take a shorter name or path\n" },
	{ DP "overlay: [{device: xtr0, vrf: this-name-is-too-long}]\n",
	  "f:4:31: `vrf` is `this-name-is-too-long`, which no interface can be called; write a name of at most 15 characters without space, / and :\n" },
	{ DP2 "overlay: [{device: xtr0, namespace: red, routes: [10.0.0.0/8]}]\n",
	  "f:4:5: eth1 has instance 0, whose overlay device xtr0 (line 6) is in a network namespace, where the interface is not; use `vrf` there, or "
	  "give the interface another instance\n" },

	/* key files */
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/none.key}\n",
	  "f:6:39: key file $/none.key: No such file or directory; write the secret into it, mode 0600\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/open.key}\n",
	  "f:6:39: key file $/open.key has mode 0644: others than its owner can use it; chmod 0600 $/open.key\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/group.key}\n",
	  "f:6:39: key file $/group.key has mode 0640: others than its owner can use it; chmod 0600 $/group.key\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/empty.key}\n",
	  "f:6:39: key file $/empty.key has nothing in its first line; write the secret there\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/line.key}\n",
	  "f:6:39: key file $/line.key has nothing in its first line; write the secret there\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $}\n",
	  "f:6:39: key file $ is not a regular file; name a file with the secret in its first line\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10}\n",
	  "f:6:7: an entry of etr.map-servers has no `key-file`; add it: file with the shared secret in its first line, mode 0600\n" },
	{ ITR "etr:\n  database: [{eid: 10.1.0.0/24}]\n  map-servers:\n    - {address: 192.0.2.10, key-file: $/a.key, algorithm: md5}\n",
	  "f:6:REST: `algorithm` is `md5`; write hmac-sha-256-128, hmac-sha-1-96 or hmac-sha-256-128-hkdf\n" },

	/* sites */
	{ "map-server:\n  sites:\n"
	  "    - name: a\n      key-file: $/a.key\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n"
	  "    - name: b\n      key-file: $/a2.key\n      eid-prefixes: [{eid: 10.2.0.0/16}]\n",
	  "f:7:17: sites a and b have the same secret (RFC 9301 5.6); make one for each site, or write shared-secret: true on both\n" },
	{ "map-server:\n  sites:\n"
	  "    - name: a\n      key-file: $/a.key\n      shared-secret: true\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n"
	  "    - name: b\n      key-file: $/a2.key\n      eid-prefixes: [{eid: 10.2.0.0/16}]\n",
	  "f:8:17: sites a and b have the same secret (RFC 9301 5.6); make one for each site, or write shared-secret: true on both\n" },
	{ "map-server:\n  sites:\n"
	  "    - name: a\n      key-file: $/a.key\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n"
	  "    - name: a\n      key-file: $/b.key\n      eid-prefixes: [{eid: 10.2.0.0/16}]\n",
	  "f:6:13: site a is here for the second time, the first is in line 3; rename or remove one\n" },
	{ "map-server:\n  sites:\n    - name: a\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:3:7: site a has no key; add key-file: FILE with the secret of the site\n" },
	{ "map-server:\n  sites:\n    - name: a\n      keys: [{key-file: $/b.key}]\n      key-file: $/a.key\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:4:13: site a has both `key-file` and `keys`; move the file into `keys`\n" },
	{ "map-server:\n  sites:\n    - name: a\n      keys: [{key-file: $/b.key}]\n      key-id: 4\n      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:5:15: site a has no `key-file` that this could belong to; write it in the entry of `keys`\n" },
	{ "map-server:\n  sites:\n    - name: a\n      keys:\n        - {key-id: 1, key-file: $/a.key}\n        - {key-id: 1, key-file: $/b.key}\n"
	  "      eid-prefixes: [{eid: 10.1.0.0/16}]\n",
	  "f:6:20: site a has key-id 1 with this algorithm for the second time; give each key an ID of its own\n" },

	/* timers that contradict */
	{ MR "timers:\n  request-retry-first: 40\n",
	  "f:3:24: `request-retry-first` (40 s) is longer than `request-retry-max` (32 s); write a smaller one\n" },

	{ MR "data-plane: {route-table: 252}\n",
	  "f:2:27: `route-table` is 252, but tables 253 to 255 are the host's and the one behind ours is used too; write another\n" },

	/* many at once, in the order of the file, from the table and from the checks */
	{ "rlocs:\n  - address: 192.0.2.9\n    priority: 300\n  - address: 203.0.113.1\nlog-level: loud\nitr:\n  map-resolvers: [x]\ncolour: red\n",
	  "f:3:15: `priority` is 300, out of range; write a whole number from 0 to 255\n"
	  "f:4:14: no interface of this host has the RLOC 203.0.113.1; set it (ip address add 203.0.113.1/32 dev ...) or write the address that is "
	  "there\n"
	  "f:5:12: `log-level` is `loud`; write error, warn, info or debug\n"
	  "f:7:19: `map-resolvers` is `x`, not an address; write an IPv4 or IPv6 address without a length, as 192.0.2.1 or \"2001:db8::1\"\n"
	  "f:8:1: unknown key `colour` in the top level; the keys are rlocs, interfaces, overlay, multicast, etr, itr, map-server, map-resolver, decent, xtr-id, site-id, "
	  "state-dir, control-socket, bpffs, user, log-level, data-plane, timers, limits\n" },
};

/* REST stands for a column that depends on the length of the folder's name. */
static bool same(const char *want, const char *got)
{
	while (*want) {
		if (!strncmp(want, "REST", 4)) {
			want += 4;
			while (*got >= '0' && *got <= '9')
				got++;
		} else if (*want++ != *got++) {
			return false;
		}
	}
	return !*got;
}

Test(config, mistakes_and_their_messages)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *errors, *want = expand(bad[i].errors);
		struct xtr_conf *c = parse(bad[i].text, &errors);

		cr_expect_null(c, "accepted:\n%s", bad[i].text);
		cr_expect(errors && same(want, errors), "for\n%s\nexpected\n%s\ngot\n%s", bad[i].text, want, errors ? errors : "nothing");
		xtr_conf_free(c);
		free(errors);
		free(want);
	}
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

/* ---- bounds */

Test(config, errors_are_bounded_and_the_rest_is_counted)
{
	size_t room = 300 * 16, at = 0;
	char *text = malloc(room + 1), *errors;

	for (int i = 0; i < 300; i++)
		at += (size_t)snprintf(text + at, room - at + 1, "zz%03d: 1\n", i);
	cr_assert_null(parse(text, &errors));
	cr_assert_not_null(strstr(errors, "f: and 101 more errors; correct these first\n"), "%s", errors);
	free(errors);
	free(text);
}

Test(config, many_sites_are_checked_fast)
{
	enum { SITES = 5000 };
	size_t room = SITES * 128, at = 0;
	char *text = malloc(room), *full, *errors;
	struct xtr_conf *c;

	at += (size_t)snprintf(text, room, "map-server:\n  sites:\n");
	for (int i = 0; i < SITES; i++)
		at += (size_t)snprintf(text + at, room - at, "    - {name: s%d, key-file: $/a.key, shared-secret: true, eid-prefixes: [{eid: 10.%d.%d.0/24}]}\n",
				       i, i / 250, i % 250);
	full = text;
	c = parse(full, &errors);
	cr_assert_not_null(c, "%s", errors);
	cr_assert_eq(c->node.site_count, SITES);
	xtr_conf_free(c);
	free(text);
}

/* deploy/examples/xtrd.yaml, or the test is skipped. */
static char *example(void)
{
	FILE *f = fopen("deploy/examples/xtrd.yaml", "r");
	char *text = calloc(1, 65536);

	if (!f)
		cr_skip("deploy/examples/xtrd.yaml is not here: run from the top of the tree");
	cr_assert_gt(fread(text, 1, 65535, f), 0);
	fclose(f);
	return text;
}

/* Without looking at the host: the example names another one. */
static struct xtr_conf *parse_elsewhere(const char *text)
{
	struct xtr_yaml_errors errors = { 0 };
	char *all = NULL;
	struct xtr_conf *c;

	xtr_conf_parse(text, strlen(text), NULL, &errors, &c);
	xtr_yaml_errors_each(&errors, "f", add_line, &all);
	cr_assert_not_null(c, "%s\n%s", all, text);
	return c;
}

/* The lines between two headings, without their "# ". */
static char *commented(const char *text, const char *from, const char *to)
{
	const char *p = strstr(text, from), *end;
	char *out = calloc(1, strlen(text) + 1), *w = out;

	cr_assert_not_null(p);
	end = to ? strstr(p, to) : p + strlen(p);
	cr_assert_not_null(end);
	for (p = strchr(p, '\n') + 1; p < end; p = strchr(p, '\n') + 1)
		if (!strncmp(p, "# ", 2))
			w = mempcpy(w, p + 2, (size_t)(strchr(p, '\n') + 1 - p - 2));
	return out;
}

Test(config, the_example_is_good)
{
	char *text = example();

	xtr_conf_free(parse_elsewhere(text));
	free(text);
}

Test(config, the_mapping_system_of_the_example_is_good)
{
	char *text = example(), *part = commented(text, "# A Map-Server and Map-Resolver", "# LISP-Decent (RFC");
	struct xtr_conf *c = parse_elsewhere(part);

	cr_assert(c->node.ms && c->node.mr && c->node.site_count == 2);
	xtr_conf_free(c);
	free(part);
	free(text);
}

Test(config, the_defaults_the_example_names_are_the_defaults)
{
	char *text = example(), *part = commented(text, "# Less often needed", "# Without a default"), *both, *differ = NULL;
	struct xtr_conf *c = parse_elsewhere(MR), *e;
	json_t *x, *y;

	cr_assert(asprintf(&both, MR "%s", part) >= 0);
	e = parse_elsewhere(both);
	x = xtr_schema_json(&xtr_conf_schema, &c->v);
	y = xtr_schema_json(&xtr_conf_schema, &e->v);
	xtr_schema_diff(&xtr_conf_schema, &c->v, &e->v, add_line, &differ);
	cr_assert_null(differ, "%s", differ);
	cr_assert(json_equal(x, y));
	json_decref(x);
	json_decref(y);
	xtr_conf_free(c);
	xtr_conf_free(e);
	free(both);
	free(part);
	free(text);
}

/* Every key of the table is in the example, so that nobody has to look elsewhere. */
static void names_in(const struct xtr_schema *s, const char *text)
{
	for (const struct xtr_schema_key *k = s->keys; k->name; k++) {
		char key[64];

		snprintf(key, sizeof(key), "%s:", k->name);
		cr_expect_not_null(strstr(text, key), "`%s` (%s) is not in deploy/examples/xtrd.yaml", k->name, s->what);
		if (k->of)
			names_in(k->of, text);
	}
}

Test(config, the_example_names_every_key)
{
	char *text = example();

	names_in(&xtr_conf_schema, text);
	free(text);
}

Test(config, the_reference_is_a_configuration_itself)
{
	/* --help-config prints YAML: the parser takes it, and every key in it is known. */
	struct xtr_yaml_errors errors = { 0 };
	struct xtr_arena arena = { 0 };
	struct xtr_yaml *root;
	unsigned keys = 0;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	xtr_schema_print(&xtr_conf_schema, f);
	fclose(f);
	cr_assert_eq(xtr_yaml_parse(text, len, &arena, &errors, &root), 0);
	for (const struct xtr_schema_key *k = xtr_conf_schema.keys; k->name; k++, keys++)
		cr_expect_not_null(xtr_yaml_get(root, k->name), "%s", k->name);
	cr_expect_eq(root->count, keys);
	xtr_yaml_errors_free(&errors);
	xtr_arena_free(&arena);
	free(text);
}
