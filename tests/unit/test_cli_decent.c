// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl decent: every step of the hash as text and as JSON, with parameters of the command line and of the daemon; names,
 * groups and parameters as the daemon tells them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cli_lab.h"

#define LOOKUPS "[{\"eid\":\"240.11.0.0/16\",\"iid\":null,\"length\":24},{\"eid\":\"10.0.0.0/8\",\"iid\":7,\"length\":16}]"
#define OLD "{\"profile\":\"rfc9962\",\"modulus\":4,\"suffix\":\"ms.example.com\",\"hash_mask\":0,\"digest_octets\":null," \
	"\"lookups\":[],\"left\":86000}"
#define PULL(old) "{\"profile\":\"rfc9962\",\"modulus\":8,\"suffix\":\"ms.example.com\",\"hash_mask\":0,\"digest_octets\":null," \
	"\"lookups\":" LOOKUPS ",\"short_prefixes\":\"refuse\",\"require_dnssec\":true,\"family\":\"any\",\"names\":2,\"stale\":1,\"old\":" old "}"
#define DNS "{\"servers\":[\"127.0.0.53\",\"[2001:db8::53]:5353\"],\"https\":[],\"require_dnssec\":true,\"lookups\":12,\"failures\":3}"
#define FETCHED "{\"url\":\"https://conf.example/pull\",\"age\":60,\"next\":3540,\"failures\":1,\"saved\":true,\"problem\":\"the signature does not verify\"," \
	"\"used\":true,\"serial\":7}"
#define NAMES "[{\"name\":\"1.ms.example.com\",\"index\":1,\"old\":false,\"self\":true,\"stale\":true,\"saved\":false,\"authenticated\":true," \
	"\"addresses\":[{\"address\":\"192.0.2.1\",\"resting\":false},{\"address\":\"2001:db8::1\",\"resting\":true}],\"ignored\":2,\"ttl\":60," \
	"\"age\":61,\"next\":5,\"failures\":3,\"registered\":4,\"problem\":\"SERVFAIL from 127.0.0.53\"}," \
	"{\"name\":\"2.ms.example.com\",\"index\":2,\"old\":true,\"self\":false,\"stale\":false,\"saved\":true,\"authenticated\":false," \
	"\"addresses\":[],\"ignored\":0,\"ttl\":0,\"age\":null,\"next\":1.5,\"failures\":0,\"registered\":0,\"problem\":null}]"
#define GROUPS "[{\"group\":\"224.1.1.1\",\"member\":true,\"own\":true,\"core\":false,\"transport\":\"overlay\",\"via\":\"core\",\"known\":true," \
	"\"subscribed\":true,\"next_lookup\":30,\"problem\":null,\"members\":[" \
	"{\"address\":\"192.0.2.1\",\"state\":\"self\",\"acked\":false,\"since\":100,\"last_ack\":null}," \
	"{\"address\":\"192.0.2.2\",\"state\":\"live\",\"acked\":true,\"since\":90,\"last_ack\":12}]}," \
	"{\"group\":\"ff05::1\",\"member\":false,\"own\":false,\"core\":true,\"transport\":\"underlay\",\"via\":\"self\",\"known\":false," \
	"\"subscribed\":false,\"next_lookup\":null,\"problem\":\"no peer answers\",\"members\":[" \
	"{\"address\":\"2001:db8::2\",\"state\":\"former\",\"acked\":false,\"since\":7200,\"last_ack\":null}]}]"
#define SHOW(pull) "{\"result\":{\"pull\":" pull ",\"dns\":" DNS ",\"parameters\":" FETCHED ",\"push\":" GROUPS "}}"

#define MAPPING(iid, eid, problem) "{\"iid\":" #iid ",\"eid\":\"" eid "\",\"ttl_min\":3,\"map_server\":\"224.1.1.1\",\"key_id\":0," \
	"\"algorithm\":\"hmac-sha-256-128\",\"acked\":true,\"registers_sent\":5,\"notifies\":4,\"last_sent\":3,\"last_ack\":3," \
	"\"problem\":" problem ",\"locators\":[]}"
#define MAPPINGS "[" MAPPING(0, "(0.0.0.0/0,224.1.1.1/32)", "null") "," MAPPING(0, "10.1.0.0/16", "\"shorter than its lookup-length\"") "," \
	MAPPING(7, "0a0b-0c0d-0e0f/48", "null") "," MAPPING(0, "'host'", "null") "," MAPPING(0, "(10.1.0.0/16,224.1.1.2/32)", "null") "]"
static const struct xtr_fake_answer full[] = {
	{ "eid", "show", "{\"result\":" MAPPINGS "}" }, { "lig", "show", "{\"error\":\"nobody\"}" }, { "cache", "show", "{\"result\":[]}" },
	{ "decent", "show", SHOW(PULL(OLD)) }, { "decent", "names", "{\"result\":" NAMES "}" },
	{ "decent", "groups", "{\"result\":" GROUPS "}" }, { NULL, NULL, NULL },
};
static const struct xtr_fake_answer settled[] = {
	{ "decent", "show", SHOW(PULL("null")) }, { "decent", "names", "{\"result\":[]}" }, { NULL, NULL, NULL },
};
static const struct xtr_fake_answer nothing[] = {
	{ "decent", "show", "{\"result\":{\"pull\":null,\"dns\":null,\"parameters\":null,\"push\":null}}" },
	{ "decent", "names", "{\"result\":[]}" }, { "decent", "groups", "{\"result\":[]}" }, { NULL, NULL, NULL },
};
static const struct xtr_fake_answer strange[] = {
	{ "decent", "show", "{\"result\":{\"pull\":{\"profile\":\"rfc12345\"},\"dns\":null,\"parameters\":null,\"push\":null}}" },
	{ "decent", "names", "{\"result\":[]}" }, { NULL, NULL, NULL },
};

static struct xtr_lab lab;
static struct xtr_ran ran;

static void up(void) { xtr_lab_open(&lab, full); }
static void up_settled(void) { xtr_lab_open(&lab, settled); }
static void up_nothing(void) { xtr_lab_open(&lab, nothing); }
static void up_strange(void) { xtr_lab_open(&lab, strange); }
static void off(void) { xtr_lab_open(&lab, NULL); }
static void down(void) { xtr_lab_close(&lab); }

static void prints(const char *line, const char *want)
{
	xtr_lab_run(&lab, line, &ran);
	cr_expect_eq(ran.status, 0, "%s: status %d: %s", line, ran.status, ran.err);
	cr_expect_str_eq(ran.out, want, "%s printed:\n%s", line, ran.out);
}

static void refused(const char *line, const char *text)
{
	xtr_lab_run(&lab, line, &ran);
	cr_expect_eq(ran.status, 255, "%s: status %d", line, ran.status);
	cr_expect_not_null(strstr(ran.err, text), "%s: %s", line, ran.err);
	cr_expect_str_empty(ran.out, "%s: stdout is %s", line, ran.out);
}

static json_t *json_of(const char *line, const char *schema)
{
	char words[512];
	const char *bad;
	json_t *v;

	snprintf(words, sizeof(words), "-j %s", line);
	xtr_lab_run(&lab, words, &ran);
	v = json_loads(ran.out, 0, NULL);
	bad = xtr_schema_check(schema, v);
	cr_expect_null(bad, "%s: %s: %s", line, bad, ran.out);
	return v;
}

static bool is(const json_t *v, const char *key, const char *text)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s && !strcmp(s, text);
}

static json_int_t number(const json_t *v, const char *key)
{
	cr_assert(json_is_integer(json_object_get(v, key)), "%s", key);
	return json_integer_value(json_object_get(v, key));
}

/* ---- hash with parameters of the command line */

/* The command line that makes the string of a vector. */
static void line_of(const json_t *v, char line[256])
{
	static const struct { const char *string, *words; } special[] = {
		{ "[0]240.0", "240.0.1.1 profile draft10 hash-mask 8" },
		{ "[0]224.1.1.1/32-0.0.0.0/0", "(*,224.1.1.1) profile draft10" },
		{ "[0]224.1.1.1/32-2.2.2.2/32", "(2.2.2.2,224.1.1.1) profile draft10" },
		{ "[0]224.1.1.1", "(2.2.2.2,224.1.1.1)" }, { "[0]233.252.1.1", "(*,233.252.1.1)" },
		{ "[0]240.11.1.0/24", "240.11.1.9 lookup 240.11.0.0/16:24" },
		{ "[0]240.12.2.4/30", "240.12.2.6 lookup 240.12.0.0/16:30 lookup 240.11.0.0/16:24" },
		{ "[0]240.13.3.0/25", "240.13.3.99 lookup 240.0.0.0/8:12 lookup 240.13.0.0/16:25" },
	};
	const char *string = json_string_value(json_object_get(v, "string"));
	bool plain = is(v, "profile", "sha256");

	snprintf(line, 256, "decent hash %s %s", string, plain ? "" : "profile lispers-net");
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (!strcmp(special[i].string, string))
			snprintf(line, 256, "decent hash %s%s", special[i].words, plain ? "" : " profile lispers-net");
}

Test(cli_decent, hash_of_all_vectors_without_a_daemon, .init = off, .fini = down)
{
	json_t *vectors = json_load_file("tests/unit/vectors/decent/hash.json", 0, NULL), *v, *got, *index;
	char line[256], words[320];
	const char *key;
	size_t i;

	cr_assert_eq(json_array_size(vectors), 30, "run from the top of the tree");
	json_array_foreach(vectors, i, v) {
		line_of(v, line);
		json_object_foreach(json_object_get(v, "index"), key, index) {
			if (strcmp(key, "7") && strcmp(key, "255"))
				continue;
			snprintf(words, sizeof(words), "%s modulus %s", line, key);
			got = json_of(words, "decent hash");
			cr_expect(is(got, "string", json_string_value(json_object_get(v, "string"))), "%s: %s", words, ran.out);
			cr_expect(is(got, "digest", json_string_value(json_object_get(v, "digest"))), "%s: %s", words, ran.out);
			cr_expect_eq(number(got, "index"), json_integer_value(index), "%s: %s", words, ran.out);
			cr_expect(json_is_null(json_object_get(got, "name")));
			cr_expect(is(got, "parameters", "arguments"));
			json_decref(got);
		}
	}
	json_decref(vectors);
}

Test(cli_decent, hash_shows_each_step, .init = off, .fini = down)
{
	prints("decent hash 240.11.1.1 modulus 64 lookup 240.11.0.0/16:24 suffix map-server.example.com.",
	       "240.11.1.1/32: index 17  name 17.map-server.example.com\n"
	       "\tprofile rfc9962  modulus 64  suffix map-server.example.com.  parameters of the command line\n"
	       "\tlookup 240.11.0.0/16  length 24  gives 240.11.1.0/24\n"
	       "\tstring [0]240.11.1.0/24\n"
	       "\tsha-256 e5fd646c45682d2a6a6cd6285b1dbc66bb2a74939dc1278f213542584dad5f11\n"
	       "\tindex 17 = 0xe5fd646c45682d2a6a6cd6285b1dbc66bb2a74939dc1278f213542584dad5f11 mod 64\n");
	prints("decent hash 240.0.1.0/24 modulus 4 profile draft10 hash-mask 8",
	       "240.0.1.0/24: index 0\n"
	       "\tprofile draft10  modulus 4  hash-mask 8  parameters of the command line\n"
	       "\tbefore the hash-mask [0]240.0.1.0/24\n"
	       "\tstring [0]240.0\n"
	       "\tsha-256 689d0dd3db4411c737e50ef3d173b1729742dbb8978b4048e81be0e4285561a8\n"
	       "\tindex 0 = 0x689d0dd3db4411c737e50ef3d173b1729742dbb8978b4048e81be0e4285561a8 mod 4\n");
	prints("de h 'dino-laptop' instance 1000 mod 7 prof lispers-net",
	       "[1000]'dino-laptop': index 2\n"
	       "\tprofile lispers-net  modulus 7  digest-octets 6  parameters of the command line\n"
	       "\tstring [1000]'dino-laptop'\n"
	       "\thmac-sha-256 59dea566c7eb823f65368c2b9fadae277d6b65cc3aa1c791f4d83bf7fa1b72b7\n"
	       "\tindex 2 = 0x59dea566c7eb mod 7\n");
	prints("decent hash 10.1.0.0/16 modulus 4 digest-octets 2 profile lispers-net lookup [0]10.0.0.0/8:24",
	       "10.1.0.0/16: index 0\n"
	       "\tprofile lispers-net  modulus 4  digest-octets 2  parameters of the command line\n"
	       "\tlookup 10.0.0.0/8  instance 0  length 24  gives 10.1.0.0/16\n"
	       "\tstring [0]10.1.0.0/16\n"
	       "\thmac-sha-256 4748995062adb42c0a5353b51ea50021425dc543e03d6b2ef9e194b1de325c6f\n"
	       "\tindex 0 = 0x4748 mod 4\n"
	       "\ttoo short to be registered at one index: EIDs inside it are looked up at others\n");
}

Test(cli_decent, hash_of_what_no_terminal_should_see, .init = off, .fini = down)
{
	json_t *v = json_of("decent hash '\\x1b[31m\\xff' modulus 4", "decent hash");

	/* Not UTF-8: as EIDs are shown. */
	cr_expect(is(v, "string", "[0]'\\x1b[31m\\xff'/56"), "%s", ran.out);
	json_decref(v);
	xtr_lab_run(&lab, "decent hash '\\x1b[31m' modulus 4", &ran);
	cr_expect(!strchr(ran.out, 0x1b) && strstr(ran.out, "string [0]'\\x1b[31m'/48"), "%s", ran.out);
}

Test(cli_decent, instances, .init = off, .fini = down)
{
	static const char *const lines[] = { "[5]10.0.0.1 modulus 4", "10.0.0.1 instance 5 modulus 4", "instance 5 10.0.0.1 modulus 4",
					     "modulus 4 [5]10.0.0.1 instance 5" };
	char words[128];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		json_t *v;

		snprintf(words, sizeof(words), "decent hash %s", lines[i]);
		v = json_of(words, "decent hash");
		cr_expect(is(v, "string", "[5]10.0.0.1/32") && is(v, "eid", "10.0.0.1/32") && number(v, "iid") == 5, "%s", ran.out);
		json_decref(v);
	}
	refused("decent hash [5]10.0.0.1 instance 6 modulus 4", "the EID is of instance 5, not 6");
	refused("decent hash instance 6 [5]10.0.0.1 modulus 4", "'[5]10.0.0.1' is not of instance 6");
}

Test(cli_decent, wrong_words_are_refused_with_the_way_out, .init = off, .fini = down)
{
	refused("decent hash", "'hash' wants an EID");
	refused("decent hash modulus 4", "'hash' wants an EID");
	refused("decent hash 10.0.0.300 modulus 4", "'10.0.0.300' is no EID: write 10.2.0.1");
	refused("decent hash 10.0.0.1 10.0.0.2 modulus 4", "unknown word '10.0.0.2'");
	refused("decent hash 10.0.0.1 modulus", "'modulus' wants a value");
	refused("decent hash 10.0.0.1 modulus 65537", "modulus: '65537' is not a number from 0 to 65536");
	refused("decent hash 10.0.0.1 modulus 0", "the modulus is the number of Map-Server sets, 1 to 65536");
	refused("decent hash 10.0.0.1 modulus 4 profile rfc", "profile: 'rfc' is none of rfc9962, draft10, lispers-net");
	refused("decent hash 10.0.0.1 modulus 4 hash-mask 8", "a Hash Mask is of profile draft10");
	refused("decent hash 10.0.0.1 modulus 4 digest-octets 8", "digest-octets is of profile lispers-net");
	refused("decent hash 10.0.0.1 modulus 4 profile draft10 hash-mask 2", "ends inside the brackets of the instance ID");
	refused("decent hash [1000000]10.0.0.1 modulus 4 profile draft10 hash-mask 8", "ends inside the brackets of this instance ID");
	refused("decent hash 10.0.0.1 modulus 4 lookup 10.0.0.0/8", "lookup: '10.0.0.0/8' is no EID-prefix with its lookup-length");
	refused("decent hash 10.0.0.1 modulus 4 lookup 10.0.0.0:16", "write 240.11.0.0/16:24");
	refused("decent hash 10.0.0.1 modulus 4 lookup 10.0.0.0/8:16x", "write 240.11.0.0/16:24");
	refused("decent hash 10.0.0.1 modulus 4 lookup 10.0.0.0/8:33", "at most 32 for IPv4");
	refused("decent hash 10.0.0.1 modulus 4 lookup 10.0.0.0/8:7", "shorter than its own EID-prefix");
	refused("decent hash 10.0.0.1 modulus 4 lookup 10.0.0.0/8:16 lookup 10.0.0.0/8:17", "two lookup-lengths");
	refused("decent hash 10.0.0.1 modulus 4 suffix "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", "is no domain name");
	/* Without the modulus nobody can know the index. */
	refused("decent hash 10.0.0.1", "the index needs the modulus, and xtrd is not running");
	refused("decent hash 10.0.0.1", "say 'modulus M'");
	refused("decent hash 10.0.0.1 profile draft10", "say none of the parameters, and those of the running xtrd are taken");
}

Test(cli_decent, IPv6_lookup_lengths, .init = off, .fini = down)
{
	json_t *v = json_of("decent hash 2001:db8:1:2::3 modulus 64 lookup 2001:db8::/32:48", "decent hash");

	cr_expect(is(v, "string", "[0]2001:db8:1::/48") && is(v, "masked", "2001:db8:1::/48") && number(v, "fixed_bits") == 48);
	json_decref(v);
}

/* ---- hash with the parameters of the daemon */

Test(cli_decent, hash_takes_the_parameters_of_the_daemon_and_says_so, .init = up, .fini = down)
{
	json_t *v = json_of("decent hash 240.11.1.1", "decent hash"), *set;

	cr_expect(is(v, "parameters", "daemon") && is(v, "string", "[0]240.11.1.0/24") && is(v, "name", "1.ms.example.com"), "%s", ran.out);
	cr_expect_eq(number(v, "modulus"), 8);
	set = json_object_get(v, "set");
	cr_expect(is(set, "problem", "SERVFAIL from 127.0.0.53") && json_array_size(json_object_get(set, "addresses")) == 2);
	cr_expect(is(json_object_get(v, "old"), "string", "[0]240.11.1.1/32"), "the change is not over: %s", ran.out);
	cr_expect_eq(number(json_object_get(v, "old"), "modulus"), 4);
	json_decref(v);
	/* The lookup-length of the other instance does not count. */
	v = json_of("decent hash 10.1.2.3", "decent hash");
	cr_expect(is(v, "string", "[0]10.1.2.3/32"));
	json_decref(v);
	v = json_of("decent hash 10.1.2.3 instance 7", "decent hash");
	cr_expect(is(v, "string", "[7]10.1.0.0/16"));
	json_decref(v);
	xtr_lab_run(&lab, "decent hash 240.11.1.1", &ran);
	cr_expect_not_null(strstr(ran.out, "240.11.1.1/32: index 1  name 1.ms.example.com\n"
					   "\tprofile rfc9962  modulus 8  suffix ms.example.com  parameters of the running xtrd\n"), "%s", ran.out);
	cr_expect_not_null(strstr(ran.out, "\twhy: SERVFAIL from 127.0.0.53\n\taddress 192.0.2.1\n"
					   "\taddress 2001:db8::1  resting: it did not answer\n"
					   "\tuntil the change of parameters is over also:  index "), "%s", ran.out);
	/* With a modulus the daemon is not asked. */
	memset(lab.request, 0, sizeof(lab.request));
	xtr_lab_run(&lab, "decent hash 240.11.1.1 modulus 5", &ran);
	cr_expect_str_empty(lab.request);
	refused("decent hash 240.11.1.1 suffix x.example", "say none of the parameters");
}

Test(cli_decent, hash_with_a_settled_daemon, .init = up_settled, .fini = down)
{
	json_t *v = json_of("decent hash 240.11.1.1", "decent hash");

	cr_expect(json_is_null(json_object_get(v, "old")) && json_is_null(json_object_get(v, "set")), "%s", ran.out);
	json_decref(v);
}

Test(cli_decent, a_daemon_without_pull, .init = up_nothing, .fini = down)
{
	refused("decent hash 240.11.1.1", "the running xtrd has no decent.pull: say 'modulus M'");
	prints("decent", "");
	cr_expect_str_eq(ran.err, "LISP-Decent is not configured here (decent)\n");
	prints("decent names", "");
	cr_expect_not_null(strstr(ran.err, "no name is in use"));
	prints("decent groups", "");
	cr_expect_not_null(strstr(ran.err, "no seed-group is configured here"));
	json_decref(json_of("decent show", "decent show"));
}

Test(cli_decent, a_daemon_of_another_version, .init = up_strange, .fini = down)
{
	refused("decent hash 240.11.1.1", "its profile is 'rfc12345', which this xtrctl does not know");
}

/* ---- what the daemon knows */

#define GROUPS_PLAIN \
	"224.1.1.1: member  own group  transport overlay  membership by core  subscribed  next lookup in 30s\n" \
	"\tmember 192.0.2.1  self  for 1m40s\n" \
	"\tmember 192.0.2.2  live  acknowledged  for 1m30s  last acknowledged 12s ago\n" \
	"ff05::1: not a member  core  transport underlay  membership by self  members NOT KNOWN yet\n" \
	"\twhy: no peer answers\n" \
	"\tmember 2001:db8::2  former  not acknowledged  for 2h0m\n"

Test(cli_decent, show, .init = up, .fini = down)
{
	prints("decent show",
	       "pull: profile rfc9962  modulus 8  suffix ms.example.com  short prefixes refuse  family any  dnssec required  "
	       "names in use 2  STALE 1\n"
	       "\tlookup 240.11.0.0/16  length 24\n"
	       "\tlookup 10.0.0.0/8  instance 7  length 16\n"
	       "\tbefore the change, for 23h53m more:  profile rfc9962  modulus 4  suffix ms.example.com\n"
	       "dns: server 127.0.0.53  server [2001:db8::53]:5353  lookups 12  failures 3\n"
	       "parameters: url https://conf.example/pull  in use  serial 7  from the state directory  fetched 1m0s ago  next in 59m0s  failures 1\n"
	       "\twhy: the signature does not verify\n" GROUPS_PLAIN);
	json_decref(json_of("decent", "decent show"));
}

Test(cli_decent, names, .init = up, .fini = down)
{
	prints("decent names",
	       "1.ms.example.com: STALE  served here  dnssec  our EID-prefixes 4  ttl 1m0s  answered 1m1s ago  next in 5s  failures 3  "
	       "ignored addresses 2\n"
	       "\twhy: SERVFAIL from 127.0.0.53\n"
	       "\taddress 192.0.2.1\n"
	       "\taddress 2001:db8::1  resting: it did not answer\n"
	       "2.ms.example.com: from the state directory  of the parameters before the change  our EID-prefixes 0  next in 1.5s\n");
	json_decref(json_of("decent names", "decent names"));
}

Test(cli_decent, groups, .init = up, .fini = down)
{
	prints("decent groups", GROUPS_PLAIN);
	json_decref(json_of("decent groups", "decent groups"));
	refused("decent groups now", "unknown word 'now'");
}

/* ---- EIDs of every family, wherever an EID is taken */

static void shows(const char *words, const char *eid)
{
	char line[256];
	json_t *v;

	snprintf(line, sizeof(line), "eid show %s", words);
	v = json_of(line, "eid show");
	cr_expect(json_array_size(v) == 1 && is(json_array_get(v, 0), "eid", eid), "%s: %s", line, ran.out);
	json_decref(v);
}

Test(cli_decent, EIDs_of_every_family, .init = up, .fini = down)
{
	shows("(*,224.1.1.1)", "(0.0.0.0/0,224.1.1.1/32)");
	shows("(10.1.2.3,224.1.1.1)", "(0.0.0.0/0,224.1.1.1/32)");
	shows("(10.1.2.3,224.1.1.2)", "(10.1.0.0/16,224.1.1.2/32)");
	shows("[7]0A:0B:0C:0D:0E:0F", "0a0b-0c0d-0e0f/48");
	shows("0a0b-0c0d-0000/32 instance 7", "0a0b-0c0d-0e0f/48");
	shows("'host'", "'host'");
	shows("10.1.2.3", "10.1.0.0/16");
	refused("eid show (*,224.1.1.9)", "(0.0.0.0/0,224.1.1.9/32) is in none of our EID-prefixes of instance 0");
	refused("eid show 0a0b-0c0d-0e0f", "0a0b-0c0d-0e0f/48 is in none of our EID-prefixes of instance 0");
	refused("cache show 'other'", "no map-cache entry inside 'other'");
	refused("cache add 0a0b-0c0d-0e0f action drop", "'0a0b-0c0d-0e0f' is no IPv4 or IPv6 EID-prefix");
	xtr_lab_run(&lab, "lig [3](*,224.1.1.1)", &ran); /* D-21: who is in the group */
	cr_expect_not_null(strstr(lab.request, "\"args\":{\"eid\":\"(0.0.0.0/0,224.1.1.1/32)\",\"iid\":3}"), "%s", lab.request);
}
