// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An independent reading of what we send: every message in the form that the project sends it goes into one capture
 * file, tshark dissects it, and each packet has to have the fields expected, nothing malformed, no octets left over and
 * right checksums, inside ECMs as well. Without tshark: skipped.
 */
#include "unit/codec_help.h"

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define MAX 1500

static uint8_t msg[MAX];
static struct xtr_wr w;

/* ---- the messages */

static const uint8_t xtr_id[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
static const uint8_t site_id[8] = { 16, 17, 18, 19, 20, 21, 22, 23 };

static void map_request(uint32_t flags, const char *source, const char *eid_text)
{
	struct xtr_ip rlocs[3] = { ip_of("192.0.2.1"), ip_of("192.0.2.2"), ip_of("2001:db8::1") };
	struct xtr_eid_prefix eid = eid_of(eid_text), src = eid_of(source ? source : "0.0.0.0");
	struct xtr_mreq_out m = { .flags = flags, .nonce = 0x0102030405060708, .source_eid = source ? &src : NULL,
				  .itr_rlocs = rlocs, .itr_rloc_count = 3, .eid = &eid };

	xtr_map_request_encode(&w, &m);
}

static void request4(void) { map_request(0, "10.2.0.1", "10.1.0.1/32"); }
static void request6(void) { map_request(XTR_MREQ_A, "2001:db8:2::1", "2001:db8:1::/48"); }
static void request_iid(void) { map_request(XTR_MREQ_SMR_INVOKED, "[100]10.2.0.1", "[100]10.1.0.1/32"); }
static void probe(void) { map_request(XTR_MREQ_P, NULL, "10.1.0.0/24"); }
static void smr(void) { map_request(XTR_MREQ_S | XTR_MREQ_D, "10.1.0.0/24", "10.2.0.0/24"); }

static void records(bool proxy)
{
	struct xtr_record_head h = { .ttl = 1440, .authoritative = !proxy, .map_version = 0 };
	struct xtr_eid_prefix a = eid_of("[100]10.1.0.0/24"), b = eid_of("2001:db8:1::/48");
	struct xtr_ip v4 = ip_of("192.0.2.1"), v6 = ip_of("2001:db8::1");
	size_t mark = xtr_put_record_begin(&w, &h, &a);

	xtr_put_locator(&w, 1, 60, 255, 0, !proxy, false, true, &v4);
	xtr_put_locator(&w, 2, 40, 255, 0, false, false, false, &v6);
	xtr_put_record_end(&w, mark, 2);
	mark = xtr_put_record_begin(&w, &h, &b);
	xtr_put_locator(&w, 1, 100, 255, 0, !proxy, false, true, &v6);
	xtr_put_record_end(&w, mark, 1);
}

static void reply(void)
{
	xtr_map_reply_begin(&w, false, false, 2, 0x0102030405060708);
	records(false);
}

static void probe_reply(void)
{
	struct xtr_record_head h = { .ttl = 60, .authoritative = true };
	struct xtr_eid_prefix eid = eid_of("10.1.0.0/24");
	struct xtr_ip ip = ip_of("192.0.2.1");
	size_t mark;

	xtr_map_reply_begin(&w, true, false, 1, 2);
	mark = xtr_put_record_begin(&w, &h, &eid);
	xtr_put_locator(&w, 1, 100, 255, 0, true, true, true, &ip);
	xtr_put_record_end(&w, mark, 1);
}

static void negative(void)
{
	struct xtr_record_head h = { .ttl = 15, .act = 1 };
	struct xtr_eid_prefix eid = eid_of("10.2.0.0/15");
	size_t mark;

	xtr_map_reply_begin(&w, false, false, 1, 3);
	mark = xtr_put_record_begin(&w, &h, &eid);
	xtr_put_record_end(&w, mark, 0);
}

static void registration(uint8_t type, uint8_t alg, uint32_t flags)
{
	struct xtr_register_out m = { .type = type, .flags = flags, .nonce = 7, .key_id = 0, .alg_id = alg, .record_count = 2 };

	xtr_register_begin(&w, &m);
	records(false);
	if (flags & XTR_REG_I)
		xtr_put_ids(&w, xtr_id, site_id);
	cr_assert_eq(xtr_auth_sign(msg, xtr_wr_len(&w), 16, (size_t)xtr_auth_len(alg), type, alg, 7,
				   (const uint8_t *)"password", 8), 0);
}

static void reg_sha1(void) { registration(3, XTR_AUTH_SHA1, XTR_REG_P | XTR_REG_M); }
static void reg_ids(void) { registration(3, XTR_AUTH_SHA256, XTR_REG_P | XTR_REG_M | XTR_REG_I); }
static void reg_hkdf(void) { registration(3, XTR_AUTH_SHA256_HKDF, XTR_REG_I | XTR_REG_S); }
static void notify(void) { registration(4, XTR_AUTH_SHA256, 0); }
static void notify_ids(void) { registration(4, XTR_AUTH_SHA256, XTR_REG_I); }
static void notify_ack(void) { registration(5, XTR_AUTH_SHA256, 0); }
/* tshark 4.0 knows the name of a Map-Notify-Ack, but shows its body as data; it is that of a Map-Notify. */
static void notify_ack_as_notify(void)
{
	notify_ack();
	msg[0] = 0x40;
}

static void ecm(const char *src, const char *dst, const char *source, const char *eid)
{
	struct xtr_ip s = ip_of(src), d = ip_of(dst);
	uint8_t inner[MAX];
	size_t len;

	map_request(0, source, eid);
	len = xtr_wr_len(&w);
	memcpy(inner, msg, len);
	w = xtr_wr_init(msg, sizeof(msg));
	xtr_ecm_encode(&w, &s, 54321, &d, 4342, inner, len);
}

static void ecm4(void) { ecm("192.0.2.1", "10.1.0.1", "10.2.0.1", "10.1.0.1/32"); }
static void ecm6(void) { ecm("2001:db8::1", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:1::1/128"); }
static void ecm_iid(void) { ecm("192.0.2.1", "10.1.0.1", "[100]10.2.0.1", "[100]10.1.0.1/32"); }

static void info_request(void)
{
	struct xtr_info m = { .nonce = 9 };

	xtr_info_reencode(&w, &m);
}

static void info_reply(void)
{
	struct xtr_ip global = ip_of("203.0.113.7"), ms = ip_of("192.0.2.53"), none = { 0 }, rtr = ip_of("198.51.100.9");
	struct xtr_info m = { .reply = true, .nonce = 9 };
	uint8_t nat[128];
	struct xtr_wr nw = xtr_wr_init(nat, sizeof(nat));
	struct xtr_rd r;

	xtr_put_nat(&nw, 4342, 61000, &global, &ms, &none, &rtr, 1);
	r = xtr_rd_init(nat, xtr_wr_len(&nw));
	xtr_addr_decode(&r, &m.last);
	xtr_info_reencode(&w, &m);
}

#define REQUEST "lisp.type=1", "lisp.nonce=0x0102030405060708", "lisp.irc=2", "lisp.records=1", \
		"lisp.mreq.itr_rloc_ipv4=192.0.2.1", "lisp.mreq.itr_rloc_ipv4=192.0.2.2", "lisp.mreq.itr_rloc_ipv6=2001:db8::1"
#define RECORDS "lisp.mapping.ttl=1440", "lisp.lcaf.iid=100", "lisp.mapping.eid.masklen=24", "lisp.mapping.eid.masklen=48", \
		"lisp.lcaf.iid.ipv4=10.1.0.0", "lisp.mapping.eid.ipv6=2001:db8:1::", "lisp.loc.locator=192.0.2.1", \
		"lisp.loc.locator=2001:db8::1", "lisp.loc.priority=2", "lisp.loc.weight=60", \
		"lisp.loc.multicast_priority=255", "lisp.mapping.auth=1", "lisp.mapping.loccnt=2"
#define INNER_OK "ip.checksum.status=1", "udp.checksum.status=1"

static const struct {
	const char *name;
	void (*build)(void);
	const char *fields[24];
} cases[] = {
	{ "Map-Request", request4, { REQUEST, "lisp.mreq.srceid.ipv4=10.2.0.1", "lisp.mreq.record.prefix.ipv4=10.1.0.1",
				     "lisp.mreq.record.prefix.length=32", "lisp.mreq.flags.auth=0" } },
	{ "Map-Request, IPv6", request6, { REQUEST, "lisp.mreq.srceid_ipv6=2001:db8:2::1", "lisp.mreq.flags.auth=1",
					   "lisp.mreq.record.prefix.ipv6=2001:db8:1::",
					   "lisp.mreq.record.prefix.length=48" } },
	{ "Map-Request, instance ID", request_iid, { REQUEST, "lisp.lcaf.iid=100", "lisp.lcaf.iid.ipv4=10.2.0.1",
						     "lisp.lcaf.iid.ipv4=10.1.0.1", "lisp.mreq.flags.smri=1" } },
	{ "RLOC-probe", probe, { REQUEST, "lisp.mreq.flags.probe=1", "lisp.mreq.srceid.afi=0",
				 "lisp.mreq.record.prefix.length=24" } },
	{ "SMR", smr, { REQUEST, "lisp.mreq.flags.smr=1", "lisp.mreq.srceid.ipv4=10.1.0.0",
			"lisp.mreq.record.prefix.ipv4=10.2.0.0" } },
	{ "Map-Reply", reply, { "lisp.type=2", "lisp.records=2", "lisp.mrep.flags.probe=0", RECORDS,
				"lisp.loc.flags.local=1", "lisp.loc.flags.reach=0" } },
	{ "Map-Reply to a probe", probe_reply, { "lisp.mrep.flags.probe=1", "lisp.loc.flags.probe=1",
						 "lisp.mapping.auth=1", "lisp.loc.locator=192.0.2.1" } },
	{ "negative Map-Reply", negative, { "lisp.type=2", "lisp.mapping.act=1", "lisp.mapping.loccnt=0",
					    "lisp.mapping.eid.ipv4=10.2.0.0", "lisp.mapping.eid.masklen=15",
					    "lisp.mapping.ttl=15", "lisp.mapping.auth=0" } },
	{ "Map-Register, SHA-1", reg_sha1, { "lisp.type=3", "lisp.keyid=0x0001", "lisp.authlen=20", RECORDS,
					     "lisp.mreg.flags.pmr=1", "lisp.mreg.flags.wmn=1",
					     "lisp.mreg.flags.xtrid=0" } },
	{ "Map-Register, SHA-256, I", reg_ids, { "lisp.keyid=0x0002", "lisp.authlen=32", RECORDS,
						 "lisp.mreg.flags.xtrid=1",
						 "lisp.xtrid=00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f",
						 "lisp.siteid=10:11:12:13:14:15:16:17" } },
	{ "Map-Register, HKDF", reg_hkdf, { "lisp.keyid=0x0003", "lisp.mreg.flags.sec=1", "lisp.mreg.flags.pmr=0", RECORDS } },
	{ "Map-Notify", notify, { "lisp.type=4", "lisp.nonce=0x0000000000000007", "lisp.mnot.flags.xtrid=0", RECORDS } },
	{ "Map-Notify, I", notify_ids, { "lisp.mnot.flags.xtrid=1", "lisp.siteid=10:11:12:13:14:15:16:17", RECORDS } },
	{ "Map-Notify-Ack", notify_ack, { "lisp.type=5" } },
	{ "Map-Notify-Ack read as Map-Notify", notify_ack_as_notify, { "lisp.type=4", "lisp.authlen=32", RECORDS } },
	{ "ECM, IPv4", ecm4, { "lisp.type=8", REQUEST, "lisp.mreq.record.prefix.ipv4=10.1.0.1", INNER_OK,
			       "ip.src=192.0.2.1", "ip.dst=10.1.0.1", "udp.srcport=54321" } },
	{ "ECM, IPv6", ecm6, { "lisp.type=8", REQUEST, "lisp.mreq.record.prefix.ipv6=2001:db8:1::1", INNER_OK,
			       "ipv6.src=2001:db8::1", "ipv6.dst=2001:db8:1::1", "udp.srcport=54321" } },
	{ "ECM, instance ID", ecm_iid, { "lisp.type=8", REQUEST, "lisp.lcaf.iid=100", INNER_OK } },
	{ "Info-Request", info_request, { "lisp.type=7", "lisp.info.r=0", "lisp.info.prefix.afi=0", "lisp.info.afi=0" } },
	{ "Info-Reply", info_reply, { "lisp.type=7", "lisp.info.r=1", "lisp.lcaf.type=7",
				      "lisp.lcaf.natt.rloc.ipv4=203.0.113.7", "lisp.lcaf.natt.rloc.ipv4=198.51.100.9" } },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* ---- the capture file: raw IPv4 packets */

static void put32(FILE *f, uint32_t v)
{
	fwrite(&v, 4, 1, f);
}

static uint16_t ip_checksum(const uint8_t *h)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(h[i] << 8 | h[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The packet is what the ECM encoder makes, without its first word: the outer header of one is as good as the inner. */
static size_t packet(uint8_t *out, const uint8_t *payload, size_t len)
{
	struct xtr_ip s = ip_of("192.0.2.1"), d = ip_of("192.0.2.53");
	struct xtr_wr o = xtr_wr_init(out, MAX);
	size_t n;

	xtr_wr_u32(&o, 0x45000000 | (uint32_t)(28 + len));
	xtr_wr_u32(&o, 0x4000);
	xtr_wr_u32(&o, 64u << 24 | 17u << 16);
	xtr_wr_bytes(&o, s.a, 4);
	xtr_wr_bytes(&o, d.a, 4);
	xtr_wr_u32(&o, 4342u << 16 | 4342);
	xtr_wr_u32(&o, (uint32_t)(8 + len) << 16); /* no UDP checksum: sockets make it, not the codec */
	xtr_wr_bytes(&o, payload, len);
	cr_assert_eq(o.err, 0);
	n = xtr_wr_len(&o);
	out[10] = (uint8_t)(ip_checksum(out) >> 8);
	out[11] = (uint8_t)ip_checksum(out);
	return n;
}

static void write_capture(const char *path)
{
	FILE *f = fopen(path, "wb");

	cr_assert(f);
	put32(f, 0xa1b2c3d4);
	put32(f, 2 | 4 << 16);
	put32(f, 0);
	put32(f, 0);
	put32(f, 65535);
	put32(f, 101); /* LINKTYPE_RAW */
	for (size_t i = 0; i < CASES; i++) {
		uint8_t p[MAX + 64];
		size_t n;

		memset(msg, 0xff, sizeof(msg));
		w = xtr_wr_init(msg, sizeof(msg));
		cases[i].build();
		cr_assert_eq(w.err, 0, "%s", cases[i].name);
		cr_assert_eq(ex_message(msg, xtr_wr_len(&w)), 0, "%s", cases[i].name);
		n = packet(p, msg, xtr_wr_len(&w));
		put32(f, (uint32_t)i);
		put32(f, 0);
		put32(f, (uint32_t)n);
		put32(f, (uint32_t)n);
		fwrite(p, 1, n, f);
	}
	cr_assert_eq(fclose(f), 0);
}

/* ---- the dissection */

/* Does the key stand anywhere below, with that value (NULL: any)? */
static bool has(const json_t *at, const char *key, const char *value)
{
	const char *k;
	size_t i;
	json_t *x;

	json_object_foreach((json_t *)at, k, x) {
		if (!strcmp(k, key) && (!value || (json_is_string(x) && !strcmp(json_string_value(x), value))))
			return true;
		/* Repeated fields come as an array of values. */
		if (!strcmp(k, key) && json_is_array(x)) {
			json_t *e;

			json_array_foreach(x, i, e)
				if (json_is_string(e) && !strcmp(json_string_value(e), value))
					return true;
		}
		if (has(x, key, value))
			return true;
	}
	json_array_foreach((json_t *)at, i, x)
		if (has(x, key, value))
			return true;
	return false;
}

static json_t *dissect(const char *path)
{
	/* --no-duplicate-keys: repeated fields become arrays, which a JSON reader keeps. */
	static const char how[] = "tshark -n -r %s -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE "
				  "-T json --no-duplicate-keys 2>/dev/null";
	char command[512];
	json_error_t err;
	json_t *all;
	FILE *p;

	snprintf(command, sizeof(command), how, path);
	p = popen(command, "r");
	cr_assert(p);
	all = json_loadf(p, 0, &err);
	cr_assert_eq(pclose(p), 0);
	cr_assert(all, "%s", err.text);
	return all;
}

static void check_packet(const json_t *packet_json, size_t i)
{
	static const char *const wrong[] = { "_ws.malformed", "data", "_ws.expert", "_ws.unreassembled" };
	const json_t *layers = json_object_get(json_object_get(packet_json, "_source"), "layers");

	cr_assert(layers);
	cr_expect(has(layers, "lisp", NULL), "%s", cases[i].name);
	for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
		cr_expect(!has(layers, wrong[k], NULL) || (k == 1 && cases[i].build == notify_ack), "%s has %s", cases[i].name,
			  wrong[k]);
	cr_expect(!has(layers, "ip.checksum.status", "0") && !has(layers, "udp.checksum.status", "0"), "%s: checksum",
		  cases[i].name);
	for (const char *const *f = cases[i].fields; *f; f++) {
		char key[128];
		const char *eq = strchr(*f, '=');

		snprintf(key, sizeof(key), "%.*s", (int)(eq - *f), *f);
		cr_expect(has(layers, key, eq + 1), "%s: %s", cases[i].name, *f);
	}
}

Test(tshark, reads_what_we_send, .timeout = 120)
{
	char dir[] = "/tmp/xtr-tshark-XXXXXX", path[64];
	const json_t *p;
	json_t *all;
	size_t i;

	if (system("tshark --version >/dev/null 2>&1"))
		cr_skip_test("tshark is not installed");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sent.pcap", dir);
	write_capture(path);
	all = dissect(path);
	unlink(path);
	rmdir(dir);
	cr_expect_eq(json_array_size(all), CASES);
	json_array_foreach(all, i, p)
		check_packet(p, i);
	json_decref(all);
}

/* The checks above notice: a record cut short, an octet too many, a wrong inner checksum. */
Test(tshark, the_checks_can_fail, .timeout = 120)
{
	char dir[] = "/tmp/xtr-tshark-XXXXXX", path[64];
	const json_t *cut_layers, *long_layers, *sum_layers;
	uint8_t p[MAX + 64];
	json_t *all;
	FILE *f;

	if (system("tshark --version >/dev/null 2>&1"))
		cr_skip_test("tshark is not installed");
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/bad.pcap", dir);
	f = fopen(path, "wb");
	cr_assert(f);
	put32(f, 0xa1b2c3d4), put32(f, 2 | 4 << 16), put32(f, 0), put32(f, 0), put32(f, 65535), put32(f, 101);
	for (unsigned i = 0; i < 3; i++) {
		size_t n;

		memset(msg, 0, sizeof(msg));
		w = xtr_wr_init(msg, sizeof(msg));
		if (i < 2)
			reply();
		else
			ecm4();
		if (i == 2)
			msg[4 + 20 + 6] ^= 0x55;
		n = packet(p, msg, xtr_wr_len(&w) + (i == 0 ? (size_t)-3 : i == 1 ? 2 : 0));
		put32(f, i), put32(f, 0), put32(f, (uint32_t)n), put32(f, (uint32_t)n);
		fwrite(p, 1, n, f);
	}
	fclose(f);
	all = dissect(path);
	unlink(path);
	rmdir(dir);
#define LAYERS(i) json_object_get(json_object_get(json_array_get(all, i), "_source"), "layers")
	cut_layers = LAYERS(0), long_layers = LAYERS(1), sum_layers = LAYERS(2);
	cr_expect(has(cut_layers, "_ws.malformed", NULL));
	cr_expect(has(long_layers, "data", NULL));
	cr_expect(has(sum_layers, "udp.checksum.status", "0"));
	cr_expect(!has(cut_layers, "lisp.nonce", "0x0000000000000001"), "a value that is not there");
	json_decref(all);
}
