// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The 91 control-plane vectors of tests/unit/vectors/odl, each as its `use` says (see the README there), and each cut
 * at every octet. One Criterion test per vector and class of check, so that a failure names the vector.
 */
#include "unit/codec_help.h"

#include <arpa/inet.h>
#include <jansson.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#define COUNT 91
#define FILE_NAME "tests/unit/vectors/odl/packets.json"

static json_t *vectors;

static void load(void)
{
	json_error_t err;

	vectors = json_load_file(FILE_NAME, 0, &err);
	cr_assert(vectors, "%s (run from the top of the tree): %s", FILE_NAME, err.text);
	cr_assert_eq(json_array_size(vectors), COUNT);
}

static void unload(void)
{
	json_decref(vectors);
}

TestSuite(vectors, .init = load, .fini = unload);

static const char *str_of(const json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s ? s : "";
}

static bool is(const json_t *v, const char *key, const char *text)
{
	return !strcmp(str_of(v, key), text);
}

/* ---- our decisions where the vectors leave a choice, or break a rule that we check */

static const struct {
	const char *name;
	int want; /* 0: accepted */
	const char *why;
} policy[] = {
	{ "mreq-serialize-one-itr-rloc", -EBADMSG, "no record: nothing is asked for (RFC 9301 5.2: a sender MUST send one)" },
	{ "mreq-serialize-two-itr-rlocs", -EBADMSG, "as above" },
	{ "ecm-mreq-ipv6-eid", -EBADMSG, "trailing octets: a record follows although M is 0; the inner checksum is stale, too" },
	{ "ecm-mreq-with-source-eid", -EBADMSG, "as above" },
	{ "ecm-mreq-two-itr-rlocs", -EBADMSG, "as above" },
	{ "mreg-three-locators", 0, "p, order and duplicates of locators are for the Map-Server to judge, not for the parser" },
	{ "addr-afi-list-empty", 0, "legal syntax; unusable as EID or RLOC" },
	{ "addr-dn-embedded-nul", 0, "the name ends at the first NUL; what follows is not part of the address" },
	{ "addr-elp-empty", 0, "legal syntax; unusable" },
	{ "addr-iid-32bit", 0, "RFC 8060 4.1 gives the control plane 32 bits" },
	{ "addr-service-path", 0, "a type not in RFC 8060: skipped by its length, the address is marked unknown (RFC 9306 3)" },
};

static int wanted(const json_t *v)
{
	const char *name = str_of(v, "name");

	for (size_t i = 0; i < sizeof(policy) / sizeof(policy[0]); i++)
		if (!strcmp(policy[i].name, name))
			return policy[i].want;
	cr_assert(!is(v, "use", "policy"), "%s: no decision in the table", name);
	return is(v, "use", "positive") ? 0 : -1;
}

/* ---- running a vector */

static struct octets octets_of(const json_t *v)
{
	struct octets o = hex_octets(str_of(v, "hex"));

	cr_assert_eq(o.len, json_integer_value(json_object_get(v, "len")), "%s", str_of(v, "name"));
	return o;
}

/* Decodes, walks and encodes. An address that is skipped because of its type counts as refused where a vector says so. */
static int run(const json_t *v, const struct octets *o)
{
	struct xtr_addr a;
	struct xtr_rd r;

	if (!is(v, "type", "lcaf"))
		return ex_message(o->p, o->len);
	r = xtr_rd_init(o->p, o->len);
	xtr_addr_decode(&r, &a);
	if (r.err)
		return r.err;
	ex_addr(&a);
	return is(v, "use", "negative") && a.unknown ? -EPROTONOSUPPORT : 0;
}

/* ---- comparing with `expected` */

/* An address in the notation of the file: MACs with colons, names without quotes. */
static void text_of(const struct xtr_addr *a, char buf[128])
{
	const uint8_t *mac;
	size_t len;

	mac = xtr_addr_mac(a, &len);
	if (mac)
		snprintf(buf, 128, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	else if (xtr_addr_name(a, &len))
		snprintf(buf, 128, "%.*s", (int)len, xtr_addr_name(a, &len));
	else
		xtr_addr_str(a, buf, 128);
}

static bool same_addr(const json_t *want, const struct xtr_addr *a)
{
	char text[128];

	if (json_is_null(want))
		return a->afi == XTR_AFI_NONE;
	text_of(a, text);
	return !strcmp(text, json_string_value(want));
}

static bool same_prefix(const json_t *want, const struct xtr_addr *a, unsigned mask_len)
{
	char text[128], full[140];

	text_of(a, text);
	snprintf(full, sizeof(full), "%s/%u", text, mask_len);
	return !strcmp(full, json_string_value(want)) || !strcmp(text, json_string_value(want));
}

static bool same_u64(const json_t *want, uint64_t v)
{
	if (json_is_string(want))
		return strtoull(json_string_value(want), NULL, 16) == v;
	return json_is_boolean(want) ? json_is_true(want) == (v != 0) : (uint64_t)json_integer_value(want) == v;
}

static bool same_hex(const json_t *want, const uint8_t *p, size_t len)
{
	struct octets o = hex_octets(json_string_value(want));
	bool same = o.len == len && (!len || !memcmp(o.p, p, len));

	free(o.p);
	return same;
}

static bool match_locator(const json_t *want, const struct xtr_locator *l)
{
	const char *key;
	json_t *x;

	json_object_foreach((json_t *)want, key, x) {
		bool ok = !strcmp(key, "rloc") ? same_addr(x, &l->addr) :
			  !strcmp(key, "priority") ? same_u64(x, l->priority) :
			  !strcmp(key, "weight") ? same_u64(x, l->weight) :
			  !strcmp(key, "mpriority") ? same_u64(x, l->mpriority) :
			  !strcmp(key, "mweight") ? same_u64(x, l->mweight) :
			  !strcmp(key, "L") ? same_u64(x, l->local) :
			  !strcmp(key, "p") ? same_u64(x, l->probed) :
			  !strcmp(key, "R") ? same_u64(x, l->reachable) : false;

		cr_expect(ok, "locator: %s", key);
		if (!ok)
			return false;
	}
	return true;
}

static bool match_locators(const json_t *want, const struct xtr_record *r)
{
	struct xtr_rd it = { 0 };
	struct xtr_locator l;
	size_t n = 0;

	for (; xtr_locator_next(r, &it, &l); n++)
		if (n >= json_array_size(want) || !match_locator(json_array_get(want, n), &l))
			return false;
	return n == json_array_size(want);
}

static bool match_record(const json_t *want, const struct xtr_record *r)
{
	const char *key;
	json_t *x;

	json_object_foreach((json_t *)want, key, x) {
		bool ok = !strcmp(key, "eid") ? same_prefix(x, &r->eid, r->mask_len) :
			  !strcmp(key, "ttl") ? same_u64(x, r->ttl) :
			  !strcmp(key, "act") || !strcmp(key, "act_on_wire") ? same_u64(x, r->act) :
			  !strcmp(key, "act_as_read") ? same_u64(x, xtr_act_read(r->act)) :
			  !strcmp(key, "A") ? same_u64(x, r->authoritative) :
			  !strcmp(key, "map_version") ? same_u64(x, r->map_version) :
			  !strcmp(key, "mask_len") ? same_u64(x, r->mask_len) :
			  !strcmp(key, "locators") ? match_locators(x, r) : false;

		cr_expect(ok, "record: %s", key);
		if (!ok)
			return false;
	}
	return true;
}

static bool match_records(const json_t *want, struct xtr_records it)
{
	struct xtr_record r;
	size_t n = 0;

	for (; xtr_record_next(&it, &r); n++)
		if (n >= json_array_size(want) || !match_record(json_array_get(want, n), &r))
			return false;
	return n == json_array_size(want);
}

static bool match_itr_rlocs(const json_t *want, const struct xtr_map_request *m)
{
	if (json_array_size(want) != m->itr_rloc_count)
		return false;
	for (unsigned i = 0; i < m->itr_rloc_count; i++)
		if (!same_addr(json_array_get(want, i), &m->itr_rlocs[i]))
			return false;
	return true;
}

static bool match_eids(const json_t *want, const struct xtr_map_request *m)
{
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	size_t n = 0;

	for (; xtr_mreq_record_next(m, &it, &rec); n++)
		if (n >= json_array_size(want) || !same_prefix(json_array_get(want, n), &rec.eid, rec.mask_len))
			return false;
	return n == json_array_size(want);
}

static void match_request(const json_t *expected, const struct octets *o)
{
	struct xtr_map_request m;
	const char *key;
	json_t *x;

	cr_assert_eq(xtr_map_request_decode(o->p, o->len, &m), 0);
	json_object_foreach((json_t *)expected, key, x) {
		bool ok = !strcmp(key, "A") ? same_u64(x, m.flags & XTR_MREQ_A) :
			  !strcmp(key, "M") ? same_u64(x, m.flags & XTR_MREQ_M) :
			  !strcmp(key, "P") ? same_u64(x, m.flags & XTR_MREQ_P) :
			  !strcmp(key, "S") ? same_u64(x, m.flags & XTR_MREQ_S) :
			  !strcmp(key, "p_pitr") ? same_u64(x, m.flags & XTR_MREQ_PITR) :
			  !strcmp(key, "s_smr_invoked") ? same_u64(x, m.flags & XTR_MREQ_SMR_INVOKED) :
			  !strcmp(key, "nonce") ? same_u64(x, m.nonce) :
			  !strcmp(key, "irc") ? same_u64(x, m.itr_rloc_count - 1u) :
			  !strcmp(key, "source_eid") ? same_addr(x, &m.source_eid) :
			  !strcmp(key, "itr_rlocs") ? match_itr_rlocs(x, &m) :
			  !strcmp(key, "eids") ? match_eids(x, &m) :
			  !strcmp(key, "reply_record") ? match_record(x, &m.reply_record) :
			  !strcmp(key, "inner") ? !strcmp(json_string_value(x), "map-request") :
			  !strcmp(key, "inner_udp_sport"); /* match_ecm() has compared it */

		cr_expect(ok, "Map-Request: %s", key);
	}
}

static void match_reply(const json_t *expected, const struct octets *o)
{
	struct xtr_map_reply m;
	const char *key;
	json_t *x;

	cr_assert_eq(xtr_map_reply_decode(o->p, o->len, &m), 0);
	json_object_foreach((json_t *)expected, key, x) {
		bool ok = !strcmp(key, "P") ? same_u64(x, m.probe) :
			  !strcmp(key, "E") ? same_u64(x, m.echo_nonce) :
			  !strcmp(key, "S") ? same_u64(x, m.security) :
			  !strcmp(key, "nonce") ? same_u64(x, m.nonce) :
			  !strcmp(key, "record_count") ? same_u64(x, m.record_count) :
			  !strcmp(key, "records") ? match_records(x, m.records) : false;

		cr_expect(ok, "Map-Reply: %s", key);
	}
}

static bool verifies(const struct xtr_register *m, const char *key)
{
	return !xtr_auth_verify(m->msg, m->msg_len, m->auth_off, m->auth_len, m->type, m->alg_id, m->nonce,
				(const uint8_t *)key, strlen(key));
}

static bool reencodes_equal(const struct xtr_register *m, const struct octets *o)
{
	uint8_t *buf = malloc(o->len);
	struct xtr_wr w = xtr_wr_init(buf, o->len);
	bool same;

	xtr_register_reencode(&w, m);
	same = !w.err && !memcmp(buf, o->p, o->len);
	free(buf);
	return same;
}

static void match_register(const json_t *v, const struct octets *o)
{
	const json_t *expected = json_object_get(v, "expected"), *auth = json_object_get(v, "auth");
	struct xtr_register m;
	const char *key;
	json_t *x;

	cr_assert_eq(xtr_register_decode_head(o->p, o->len, &m), 0);
	cr_assert_eq(xtr_register_decode_body(&m), 0);
	json_object_foreach((json_t *)expected, key, x) {
		bool ok = !strcmp(key, "P") ? same_u64(x, m.flags & XTR_REG_P) :
			  !strcmp(key, "I") ? same_u64(x, m.flags & XTR_REG_I) :
			  !strcmp(key, "M") ? same_u64(x, m.flags & XTR_REG_M) :
			  !strcmp(key, "nonce") ? same_u64(x, m.nonce) :
			  !strcmp(key, "key_id") ? same_u64(x, m.key_id) :
			  !strcmp(key, "alg_id") ? same_u64(x, m.alg_id) :
			  !strcmp(key, "auth_data") ? same_hex(x, m.auth, m.auth_len) :
			  !strcmp(key, "xtr_id") ? m.has_ids && same_hex(x, m.xtr_id, 16) :
			  !strcmp(key, "site_id") ? m.has_ids && same_hex(x, m.site_id, 8) :
			  !strcmp(key, "records") ? match_records(x, m.records) :
			  !strcmp(key, "auth_valid") ? same_u64(x, verifies(&m, str_of(auth, "key"))) :
			  !strcmp(key, "roundtrip") ? reencodes_equal(&m, o) : false;

		cr_expect(ok, "%s: %s", xtr_msg_name(m.type), key);
	}
}

static bool match_hops(const json_t *want, const struct xtr_addr *a)
{
	struct xtr_rd it = { 0 };
	struct xtr_elp_hop hop;
	size_t n = 0;

	for (; xtr_lcaf_elp_next(a, &it, &hop); n++) {
		const json_t *h = json_array_get(want, n);

		if (!h || !same_addr(json_object_get(h, "addr"), &hop.addr) ||
		    (json_object_get(h, "L") && json_is_true(json_object_get(h, "L")) != hop.lookup) ||
		    (json_object_get(h, "P") && json_is_true(json_object_get(h, "P")) != hop.probe) ||
		    (json_object_get(h, "S") && json_is_true(json_object_get(h, "S")) != hop.strict))
			return false;
	}
	return n == json_array_size(want);
}

static bool match_list(const json_t *want, const struct xtr_addr *a)
{
	struct xtr_rd it = { 0 };
	struct xtr_addr e;
	size_t n = 0;

	for (; xtr_lcaf_list_next(a, &it, &e); n++)
		if (n >= json_array_size(want) || !same_addr(json_array_get(want, n), &e))
			return false;
	return n == json_array_size(want);
}

static bool match_pair(const json_t *want, unsigned a, unsigned b)
{
	return same_u64(json_array_get(want, 0), a) && same_u64(json_array_get(want, 1), b);
}

static bool match_lcaf_key(const char *key, const json_t *x, const struct xtr_addr *a, size_t consumed)
{
	struct xtr_lcaf_srcdst sd = { 0 };
	struct xtr_lcaf_app app = { 0 };
	struct xtr_lcaf_iid iid = { 0 };
	struct xtr_lcaf_kv kv = { 0 };

	if (!strcmp(key, "lcaf"))
		return a->afi == XTR_AFI_LCAF && same_u64(x, a->lcaf);
	if (!strcmp(key, "afi"))
		return same_u64(x, a->afi);
	if (!strcmp(key, "name"))
		return same_addr(x, a);
	if (!strcmp(key, "consumed"))
		return same_u64(x, consumed);
	if (!strcmp(key, "addresses"))
		return match_list(x, a);
	if (!strcmp(key, "hops"))
		return match_hops(x, a);
	if (!strcmp(key, "roundtrip"))
		return true; /* ex_addr() requires it of every address */
	if (!strcmp(key, "iid"))
		return xtr_lcaf_get_iid(a, &iid) && same_u64(x, iid.iid);
	if (!strcmp(key, "address"))
		return xtr_lcaf_get_iid(a, &iid) ? same_addr(x, &iid.addr) :
		       xtr_lcaf_get_app(a, &app) && same_addr(x, &app.addr);
	if (xtr_lcaf_get_app(a, &app))
		return !strcmp(key, "tos") ? same_u64(x, app.tos) :
		       !strcmp(key, "protocol") ? same_u64(x, app.protocol) :
		       !strcmp(key, "local_port") ? match_pair(x, app.local_lo, app.local_hi) :
		       !strcmp(key, "remote_port") ? match_pair(x, app.remote_lo, app.remote_hi) : false;
	if (xtr_lcaf_get_srcdst(a, &sd))
		return !strcmp(key, "source") ? same_prefix(x, &sd.source, sd.source_len) :
		       !strcmp(key, "dest") ? same_prefix(x, &sd.dest, sd.dest_len) : false;
	if (xtr_lcaf_get_kv(a, &kv))
		return !strcmp(key, "key") ? same_addr(x, &kv.key) :
		       !strcmp(key, "value") ? same_addr(x, &kv.value) : false;
	return false;
}

static void match_lcaf(const json_t *v, const struct octets *o)
{
	const json_t *expected = json_object_get(v, "expected");
	struct xtr_rd r = xtr_rd_init(o->p, o->len);
	struct xtr_addr a;
	const char *key;
	json_t *x;

	xtr_addr_decode(&r, &a);
	cr_assert_eq(r.err, 0);
	if (a.unknown) { /* a type we know only the length of */
		cr_expect(match_lcaf_key("lcaf", json_object_get(expected, "lcaf"), &a, 0));
		return;
	}
	if (!json_object_get(expected, "consumed"))
		cr_expect_eq(xtr_rd_left(&r), 0);
	if (json_object_get(expected, "reject")) /* of another implementation; ours is in the table */
		return;
	json_object_foreach((json_t *)expected, key, x)
		cr_expect(match_lcaf_key(key, x, &a, (size_t)(r.p - o->p)), "address: %s", key);
}

static void match_ecm(const json_t *expected, const struct octets *o)
{
	const json_t *port = json_object_get(expected, "inner_udp_sport");
	struct octets inner;
	struct xtr_ecm m;

	cr_assert_eq(xtr_ecm_decode(o->p, o->len, &m), 0);
	if (port)
		cr_expect(same_u64(port, m.inner_sport));
	inner = (struct octets){ (uint8_t *)m.msg, m.msg_len };
	match_request(expected, &inner);
}

static void match(const json_t *v, const struct octets *o)
{
	const json_t *expected = json_object_get(v, "expected");

	cr_assert_gt(json_object_size(expected), 0, "%s expects nothing", str_of(v, "name"));
	if (is(v, "type", "map-request"))
		match_request(expected, o);
	else if (is(v, "type", "map-reply"))
		match_reply(expected, o);
	else if (is(v, "type", "map-register") || is(v, "type", "map-notify"))
		match_register(v, o);
	else if (is(v, "type", "ecm"))
		match_ecm(expected, o);
	else if (is(v, "type", "lcaf"))
		match_lcaf(v, o);
	else
		cr_assert_fail("%s: type %s", str_of(v, "name"), str_of(v, "type"));
}

/* Makes the checksums of an inner IPv4 header right. */
static void repair_ecm(struct octets *o)
{
	uint8_t *ip = o->p + 4, *udp = ip + 20;
	uint32_t sum = 0;

	ip[10] = ip[11] = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
	udp[6] = udp[7] = 0; /* accepted: the outer one covers it */
}

/* ---- the tests */

static struct criterion_test_params every_vector(void)
{
	static int index[COUNT];

	for (int i = 0; i < COUNT; i++)
		index[i] = i;
	return cr_make_param_array(int, index, COUNT);
}

ParameterizedTestParameters(vectors, as_its_use_says)
{
	return every_vector();
}

ParameterizedTest(int *index, vectors, as_its_use_says)
{
	const json_t *v = json_array_get(vectors, (size_t)*index);
	struct octets o = octets_of(v);
	int want = wanted(v), got = run(v, &o);

	if (want == 0 || want == -EBADMSG)
		cr_expect_eq(got, want, "%s: %d, wanted %d", str_of(v, "name"), got, want);
	else
		cr_expect_lt(got, 0, "%s must be refused", str_of(v, "name"));
	if (got == 0)
		match(v, &o);
	free(o.p);
}

ParameterizedTestParameters(vectors, cut_at_every_octet)
{
	return every_vector();
}

/* A proper prefix of a message is never a message. Exceptions are the vectors that are not whole themselves. */
ParameterizedTest(int *index, vectors, cut_at_every_octet)
{
	const json_t *v = json_array_get(vectors, (size_t)*index);
	bool trailing = is(v, "name", "addr-dn-embedded-nul"); /* whole after 6 octets */
	struct octets o = octets_of(v);

	for (size_t n = 0; n < o.len; n++) {
		struct octets part = cut(&o, n);
		int r = run(v, &part);

		cr_expect(r < 0 || (trailing && n >= 6), "%s cut to %zu of %zu octets was accepted", str_of(v, "name"), n,
			  o.len);
		free(part.p);
	}
	free(o.p);
}

/* One octet more is too much, for every vector that is accepted. */
Test(vectors, nothing_may_follow)
{
	const json_t *v;
	unsigned tried = 0;
	size_t i;

	json_array_foreach(vectors, i, v) {
		struct octets o, more;

		if (is(v, "type", "lcaf") || wanted(v) != 0)
			continue;
		o = octets_of(v);
		more = (struct octets){ malloc(o.len + 1), o.len + 1 };
		memcpy(more.p, o.p, o.len);
		more.p[o.len] = 0;
		cr_expect_eq(run(v, &more), -EBADMSG, "%s", str_of(v, "name"));
		free(more.p);
		free(o.p);
		tried++;
	}
	cr_expect_eq(tried, 42, "%u", tried); /* 55 positive and 1 of policy, without 14 addresses */
}

/* RFC 9301 5.6: which MACs verify, with the right key and with a wrong one. */
Test(vectors, RFC9301_5_6_authentication)
{
	unsigned valid = 0, invalid = 0, none = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(vectors, i, v) {
		const json_t *auth = json_object_get(v, "auth");
		struct xtr_register m;
		struct octets o;
		bool ok;

		if (!auth)
			continue;
		o = octets_of(v);
		cr_assert_eq(xtr_register_decode_head(o.p, o.len, &m), 0);
		cr_expect_eq(m.alg_id, json_integer_value(json_object_get(auth, "alg")));
		if (m.alg_id == XTR_AUTH_NONE) {
			cr_expect(!verifies(&m, "password"), "algorithm 0 is for the caller to decide");
			none++;
			free(o.p);
			continue;
		}
		ok = verifies(&m, str_of(auth, "key"));
		cr_expect_eq(ok, json_is_true(json_object_get(auth, "valid")), "%s", str_of(v, "name"));
		cr_expect(!verifies(&m, "wrongPassword"), "%s", str_of(v, "name"));
		valid += ok;
		invalid += !ok;
		free(o.p);
	}
	cr_expect_eq(valid, 17);
	cr_expect_eq(invalid, 7);
	cr_expect_eq(none, 2);
}

/* The vector with stale inner checksums parses, and a receiver refuses it; each checksum alone is enough for that. */
Test(vectors, RFC9301_5_8_stale_inner_checksums)
{
	const json_t *v;
	size_t i;

	json_array_foreach(vectors, i, v) {
		struct octets o;

		if (!is(v, "name", "ecm-mreq-integration"))
			continue;
		o = octets_of(v);
		cr_expect_eq(ex_ecm(o.p, o.len), 0);
		cr_expect_eq(ex_ecm_accepted(o.p, o.len), -EBADMSG);
		repair_ecm(&o);
		cr_expect_eq(ex_ecm_accepted(o.p, o.len), 0);
		match(v, &o);
		o.p[4 + 20 + 7] ^= 1; /* UDP checksum: not zero, not right */
		cr_expect_eq(ex_ecm_accepted(o.p, o.len), -EBADMSG);
		o.p[4 + 20 + 7] ^= 1;
		o.p[4 + 11] ^= 1; /* IPv4 header checksum */
		cr_expect_eq(ex_ecm_accepted(o.p, o.len), -EBADMSG);
		free(o.p);
		return;
	}
	cr_assert_fail("the vector is gone");
}

/* The trailing record of these is refused also when the checksums are right. */
Test(vectors, RFC9301_5_2_record_without_M)
{
	unsigned seen = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(vectors, i, v) {
		struct xtr_ecm ecm;
		struct octets o;

		if (!is(v, "name", "ecm-mreq-with-source-eid") && !is(v, "name", "ecm-mreq-two-itr-rlocs"))
			continue;
		o = octets_of(v);
		repair_ecm(&o);
		cr_assert_eq(xtr_ecm_decode(o.p, o.len, &ecm), 0);
		cr_expect_eq(ex_map_request(ecm.msg, ecm.msg_len), -EBADMSG);
		((uint8_t *)ecm.msg)[0] |= 0x04; /* with M the record belongs there */
		cr_expect_eq(ex_map_request(ecm.msg, ecm.msg_len), 0);
		free(o.p);
		seen++;
	}
	cr_expect_eq(seen, 2);
}

/* The whole messages that carry the addresses. */
Test(vectors, carriers_of_addresses)
{
	unsigned eids = 0, rlocs = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(vectors, i, v) {
		struct octets o;

		if (!json_object_get(v, "carrier_hex"))
			continue;
		o = hex_octets(str_of(v, "carrier_hex"));
		if (is(v, "use", "positive"))
			cr_expect_eq(ex_message(o.p, o.len), 0, "%s", str_of(v, "name"));
		else if (is(v, "use", "negative"))
			cr_expect_lt(ex_message(o.p, o.len), 0, "%s", str_of(v, "name"));
		else
			ex_message(o.p, o.len);
		eids += is(v, "role", "eid");
		rlocs += is(v, "role", "rloc");
		for (size_t n = 0; n < o.len && is(v, "use", "positive"); n++) {
			struct octets part = cut(&o, n);

			cr_expect_lt(ex_message(part.p, part.len), 0, "%s cut to %zu", str_of(v, "name"), n);
			free(part.p);
		}
		free(o.p);
	}
	cr_expect(eids && rlocs);
}

/* The classes add up to what the README says. */
Test(vectors, classes_are_complete)
{
	static const struct { const char *use; unsigned count; } classes[] = {
		{ "positive", 55 }, { "negative", 13 }, { "lenient-only", 12 }, { "policy", 11 },
	};
	const json_t *v;
	size_t i;

	for (size_t c = 0; c < 4; c++) {
		unsigned n = 0;

		json_array_foreach(vectors, i, v)
			n += is(v, "use", classes[c].use);
		cr_expect_eq(n, classes[c].count, "%s", classes[c].use);
	}
}
