// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What xtrctl prints of what the daemon says: plain text octet by octet, JSON against the schema, and the explanations it
 * adds (why a site is not registered, which entry an address takes).
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/cli_lab.h"

#define LOC(addr, prio, weight, up, usable) \
	"{\"address\":\"" addr "\",\"priority\":" #prio ",\"weight\":" #weight ",\"mpriority\":255,\"mweight\":0," \
	"\"reachable\":" #up ",\"local\":false,\"usable\":" #usable "}"

#define CACHE_ROWS "[" \
	"{\"iid\":0,\"eid\":\"10.2.0.0/16\",\"action\":\"natively-forward\",\"source\":\"map-reply\",\"authoritative\":false," \
	"\"map_version\":0,\"age\":61,\"ttl_left\":839,\"idle\":null,\"from\":\"192.0.2.10\",\"locators\":[]}," \
	"{\"iid\":0,\"eid\":\"10.2.0.0/24\",\"action\":\"encapsulate\",\"source\":\"map-reply\",\"authoritative\":true," \
	"\"map_version\":7,\"age\":12.5,\"ttl_left\":86387.5,\"idle\":0.25,\"from\":\"192.0.2.2\",\"locators\":[" \
	LOC("192.0.2.2", 1, 75, true, true) "," LOC("192.0.2.3", 2, 25, true, false) "," \
	LOC("192.0.2.4", 1, 25, false, false) "," LOC("192.0.2.5", 255, 0, true, false) "]}," \
	"{\"iid\":5,\"eid\":\"fd02::/64\",\"action\":\"drop\",\"source\":\"static\",\"authoritative\":false,\"map_version\":0," \
	"\"age\":100000,\"ttl_left\":null,\"idle\":7200,\"from\":null,\"locators\":[]}]"

/* As site_row() of the daemon says it: of a prefix that is not registered, no age and no number of Map-Registers. */
#define SITE(name, eid, registered, registers, refused, refusal, ended) \
	"{\"site\":\"" name "\",\"iid\":0,\"eid\":\"" eid "\",\"configured\":true,\"registered\":" #registered ",\"proxy\":true," \
	"\"registrant\":" registrant_##registered ",\"xtr_id\":null,\"age\":" age_##registered ",\"expires\":" age_##registered \
	"," ended ",\"registers\":" #registers ",\"refused\":" #refused "," refusal ",\"locators\":[]}"
#define NEVER "\"ended\":null,\"withdrawn\":null,\"more_specifics\":0"
#define ONE_BELOW "\"ended\":null,\"withdrawn\":null,\"more_specifics\":1"
#define ENDED(ago, withdrawn) "\"ended\":" #ago ",\"withdrawn\":" #withdrawn ",\"more_specifics\":0"
#define registrant_true "\"192.0.2.1\""
#define registrant_false "null"
#define age_true "59"
#define age_false "null"
#define NOT_REFUSED "\"last_refusal\":null,\"last_refusal_age\":null,\"last_refusal_from\":null"
#define REFUSED "\"last_refusal\":\"the MAC does not verify: wrong key?\",\"last_refusal_age\":3,\"last_refusal_from\":\"192.0.2.66\""
#define SITE_ROWS "[" SITE("site-a", "10.1.0.0/16", true, 4, 0, NOT_REFUSED, NEVER) "," \
	SITE("site-b", "10.2.0.0/16", false, 0, 2, REFUSED, NEVER) "," SITE("site-c", "10.3.0.0/16", false, 0, 0, NOT_REFUSED, NEVER) "," \
	SITE("site-d", "10.4.0.0/16", false, 0, 0, NOT_REFUSED, ONE_BELOW) "," SITE("site-d", "10.4.1.0/24", true, 9, 1, REFUSED, NEVER) "," \
	SITE("site-e", "10.5.0.0/16", false, 0, 0, NOT_REFUSED, ENDED(41.5, false)) "," \
	SITE("site-f", "10.6.0.0/16", false, 0, 2, REFUSED, ENDED(2.5, true)) "," \
	SITE("site-g", "10.7.0.0/16", false, 0, 2, REFUSED, ENDED(30, false)) "]"

#define EID_ROW(eid, ms, acked, ago, problem) \
	"{\"iid\":0,\"eid\":\"" eid "\",\"ttl_min\":1440,\"map_server\":" ms ",\"key_id\":0,\"algorithm\":\"hmac-sha-256-128\",\"acked\":" #acked \
	",\"registers_sent\":5,\"notifies\":4,\"last_sent\":" #ago ",\"last_ack\":" #ago ",\"problem\":" problem ",\"locators\":[" \
	LOC("192.0.2.1", 1, 100, true, true) "]}"

static const struct xtr_fake_answer daemon_says[] = {
	{ "cache", "show", "{\"result\":" CACHE_ROWS "}" },
	{ "cache", "pending", "{\"result\":[{\"iid\":0,\"eid\":\"10.9.0.1/32\",\"tries\":2,\"age\":1.5,\"next\":2.5,\"resolver\":\"192.0.2.11\"}]}" },
	{ "cache", "add", "{\"result\":{\"iid\":0,\"eid\":\"10.6.0.0/16\"}}" },
	{ "cache", "delete", "{\"result\":{\"deleted\":2}}" },
	{ "cache", "flush", "{\"result\":{\"deleted\":3}}" },
	{ "eid", "show", "{\"result\":[" EID_ROW("10.1.0.0/24", "\"192.0.2.10\"", true, 3, "null") ","
	  EID_ROW("fd01::/64", "\"192.0.2.10\"", false, 3, "\"no Map-Notify came back\"") ","
	  EID_ROW("10.8.0.0/24", "null", false, null, "null") "]}" },
	{ "site", "show", "{\"result\":" SITE_ROWS "}" },
	{ "stats", "control", "{\"result\":{\"rx\":7,\"tx\":0,\"drop-authentication\":2}}" },
	{ "config", "show", "{\"result\":{\"rlocs\":[{\"address\":\"192.0.2.1\",\"priority\":1}],\"itr\":{\"map-resolvers\":[\"192.0.2.11\"]},"
	  "\"etr\":{\"map-servers\":[{\"key-file\":\"(secret)\"}],\"database\":[]},\"log-level\":\"info\"}}" },
	{ "config", "reload", "{\"result\":{\"changed\":[\"log-level\",\"etr.database[1] added\"]}}" },
	{ "config", "path", "{\"result\":\"/etc/xtr/xtrd.yaml\"}" },
	{ "lig", "show", "{\"result\":{\"from\":\"192.0.2.2\",\"rtt\":0.00125,\"tries\":1,\"records\":[{\"iid\":0,\"eid\":\"10.2.0.0/24\","
	  "\"ttl_min\":1440,\"action\":\"encapsulate\",\"authoritative\":true,\"map_version\":0,\"locators\":["
	  "{\"address\":\"192.0.2.2\",\"priority\":1,\"weight\":100,\"mpriority\":255,\"mweight\":0,\"reachable\":true,\"local\":false}]},{\"iid\":5,\"eid\":\"10.3.0.0/24\",\"ttl_min\":15,\"action\":\"natively-forward\",\"authoritative\":false,\"map_version\":0,"
	  "\"locators\":[]}]}}" },
	{ "monitor", "show", "{\"result\":\"listening\"}\n"
	  "{\"event\":{\"time\":\"2024-01-02T03:04:05Z\",\"kind\":\"cache-add\",\"eid\":\"[0]10.2.0.0/24\",\"text\":\"2 locators\"}}\n"
	  "{\"event\":{\"time\":\"2024-01-02T03:04:06Z\",\"kind\":\"message-dropped\",\"eid\":null,\"text\":\"from \\u001b[31m'x'\\u009b\"}}" },
	{ "version", "show", "{\"result\":{\"version\":\"1.2\",\"abi\":1,\"pid\":77,\"uptime\":3725.5,\"roles\":[\"itr\",\"etr\"]}}" },
	{ NULL, NULL, NULL },
};

static struct xtr_lab lab;
static struct xtr_ran ran;

static void up(void) { xtr_lab_open(&lab, daemon_says); }
static void down(void) { xtr_lab_close(&lab); }

static void prints(const char *line, const char *want)
{
	xtr_lab_run(&lab, line, &ran);
	cr_expect_eq(ran.status, 0, "%s: status %d: %s", line, ran.status, ran.err);
	cr_expect_str_eq(ran.out, want, "%s printed:\n%s", line, ran.out);
}

/* Runs it with -j and with -p: both the same value, as the schema says. */
static json_t *json_of(const char *line, const char *schema)
{
	char words[512];
	const char *bad;
	json_t *v, *p;

	snprintf(words, sizeof(words), "-j %s", line);
	xtr_lab_run(&lab, words, &ran);
	v = json_loads(ran.out, 0, NULL);
	bad = xtr_schema_check(schema, v);
	cr_expect_null(bad, "%s: %s: %s", line, bad, ran.out);
	cr_expect_eq(strchr(ran.out, '\n'), ran.out + strlen(ran.out) - 1, "-j prints one line: %s", ran.out);
	snprintf(words, sizeof(words), "-p %s", line);
	xtr_lab_run(&lab, words, &ran);
	p = json_loads(ran.out, 0, NULL);
	cr_expect(json_equal(v, p), "%s: -p and -j differ: %s", line, ran.out);
	json_decref(p);
	return v;
}

static void asked(const char *args)
{
	char want[512];

	snprintf(want, sizeof(want), "\"args\":%s}\n", args);
	cr_expect_not_null(strstr(lab.request, want), "asked %s", lab.request);
}

#define ENTRY_NATIVE "10.2.0.0/16: action natively-forward  source map-reply  age 1m1s  expires in 13m59s\n\tfrom 192.0.2.10\n"
#define ENTRY_ENCAP \
	"10.2.0.0/24: action encapsulate  source map-reply  age 12s  expires in 23h59m  last used 0.2s ago\n" \
	"\tfrom 192.0.2.2  authoritative  map-version 7\n" \
	"\tlocator 192.0.2.2  priority 1  weight 75\n" \
	"\tlocator 192.0.2.3  priority 2  weight 25  not used: a better priority is\n" \
	"\tlocator 192.0.2.4  priority 1  weight 25  not used: reported unreachable\n" \
	"\tlocator 192.0.2.5  priority 255  weight 0  not used: priority 255\n"
#define ENTRY_DROP "[5]fd02::/64: action drop  source static  age 1d3h  does not expire  last used 2h0m ago\n"

Test(cli_show, cache, .init = up, .fini = down)
{
	prints("cache show", ENTRY_NATIVE ENTRY_ENCAP ENTRY_DROP);
	asked("{\"limit\":500}");
	json_decref(json_of("cache show", "cache show"));
	prints("cache pending", "10.9.0.1/32: tries 2  resolver 192.0.2.11  age 1.5s  next in 2.5s\n");
	json_decref(json_of("cache pending", "cache pending"));
}

Test(cli_show, cache_of_an_address_is_its_longest_match, .init = up, .fini = down)
{
	prints("cache show 10.2.0.5", ENTRY_ENCAP);
	asked("{\"eid\":\"10.2.0.5\",\"iid\":0,\"limit\":500}");
	prints("cache show 10.2.1.5", ENTRY_NATIVE);
	prints("cache show [5]fd02::1", ENTRY_DROP);
	asked("{\"eid\":\"fd02::1\",\"iid\":5,\"limit\":500}");
	prints("cache show fd02::1 instance 5", ENTRY_DROP);
	prints("cache show 10.2.0.0/16", ENTRY_NATIVE ENTRY_ENCAP);
	prints("cache show 10.2.0.0/25", ENTRY_ENCAP);
	prints("cache show instance 5", ENTRY_DROP);
	asked("{\"iid\":5,\"limit\":500}");
	xtr_lab_run(&lab, "cache show 10.7.0.1", &ran);
	cr_expect_eq(ran.status, 255);
	cr_expect_str_eq(ran.err, "Error: no map-cache entry covers 10.7.0.1: the next packet to it makes xtrd ask the mapping "
				  "system (try it: xtrctl lig 10.7.0.1)\n");
}

Test(cli_show, cache_changes, .init = up, .fini = down)
{
	prints("cache add 10.6.0.0/16 rloc 192.0.2.6 weight 30 rloc 2001:db8::6", "");
	asked("{\"eid\":\"10.6.0.0/16\",\"iid\":0,\"rlocs\":[{\"address\":\"192.0.2.6\",\"weight\":30},"
	      "{\"address\":\"2001:db8::6\",\"weight\":100}]}");
	prints("cache add 10.6.0.1 instance 9 action nat", "");
	asked("{\"eid\":\"10.6.0.1/32\",\"iid\":9,\"action\":\"natively-forward\"}");
	json_decref(json_of("cache add 10.6.0.0/16 action drop", "cache add"));
	prints("cache delete [9]10.6.0.0/16", "deleted: 2\n");
	asked("{\"eid\":\"10.6.0.0/16\",\"iid\":9,\"limit\":1000}");
	json_decref(json_of("cache delete 10.6.0.0/16", "cache delete"));
	prints("cache flush", "deleted: 3\n");
	json_decref(json_of("cache flush", "cache flush"));
}

#define EID_LOC "\tlocator 192.0.2.1  priority 1  weight 100  up\n"
#define EID_KEY "  sent 5  notifies 4  algorithm hmac-sha-256-128  key-id 0\n"
#define EID_A "10.1.0.0/24: map-server 192.0.2.10  registered  ttl 1440m\n\tlast sent 3s ago  last acknowledged 3s ago" EID_KEY EID_LOC

Test(cli_show, eid_says_why_it_is_not_registered, .init = up, .fini = down)
{
	prints("eid show", EID_A
	       "10.8.0.0/24: not registered anywhere: no Map-Server configured  ttl 1440m\n" EID_LOC
	       "fd01::/64: map-server 192.0.2.10  NOT REGISTERED  ttl 1440m\n\twhy: no Map-Notify came back\n"
	       "\tlast sent 3s ago  last acknowledged 3s ago" EID_KEY EID_LOC);
	prints("eid show 10.1.0.7", EID_A);
	json_decref(json_of("eid show", "eid show"));
	xtr_lab_run(&lab, "eid show 10.77.0.1", &ran);
	cr_expect_eq(ran.status, 255);
}

#define SITE_A "site-a 10.1.0.0/16: registered  by 192.0.2.1  last 59s ago  expires in 59s  proxy-reply\n\taccepted 4  refused 0\n"
#define SITE_B "site-b 10.2.0.0/16: NOT REGISTERED\n" \
	"\twhy: a Map-Register from 192.0.2.66 was refused 3s ago: the MAC does not verify: wrong key?\n\taccepted 0  refused 2\n"
#define SITE_C "site-c 10.3.0.0/16: NOT REGISTERED\n" \
	"\twhy: no Map-Register for it has arrived: check etr.map-servers of its ETR, and that UDP port 4342 is open on the way\n"
#define SITE_D "site-d 10.4.0.0/16: NOT REGISTERED\n\twhy: not itself, but 1 more-specific EID-prefix of it is\n"
#define SITE_D1 "site-d 10.4.1.0/24: registered  by 192.0.2.1  last 59s ago  expires in 59s  proxy-reply\n\taccepted 9  refused 1\n" \
	"\tlast refusal: the MAC does not verify: wrong key?  from 192.0.2.66  was 3s ago\n"
#define SITE_E "site-e 10.5.0.0/16: NOT REGISTERED\n" \
	"\twhy: its registration has expired 41s ago: its ETR has stopped sending Map-Registers, or they no longer arrive\n"
/* The wrong key is mended, and the ETR has left since: that is why. */
#define SITE_F "site-f 10.6.0.0/16: NOT REGISTERED\n\twhy: its registration was withdrawn by its ETR 2.5s ago\n\taccepted 0  refused 2\n"
#define SITE_G "site-g 10.7.0.0/16: NOT REGISTERED\n" \
	"\twhy: a Map-Register from 192.0.2.66 was refused 3s ago: the MAC does not verify: wrong key?\n\taccepted 0  refused 2\n"

Test(cli_show, site_says_why_it_is_not_registered, .init = up, .fini = down)
{
	json_t *v;

	prints("site show", SITE_A SITE_B SITE_C SITE_D SITE_D1 SITE_E SITE_F SITE_G);
	prints("site show site-d", SITE_D SITE_D1);
	asked("{\"limit\":500,\"name\":\"site-d\"}");
	prints("site show 10.4.1.9", SITE_D1);
	prints("site show 10.4.9.9", SITE_D);
	prints("site show 10.4.0.0/16 instance 0", SITE_D SITE_D1);
	prints("site show 10.3.7.0/24", SITE_C);
	v = json_of("site show", "site show");
	cr_expect(json_is_null(json_object_get(json_array_get(v, 0), "why")));
	cr_expect(json_is_string(json_object_get(json_array_get(v, 1), "why")));
	json_decref(v);
	xtr_lab_run(&lab, "site show site-z", &ran);
	cr_expect_eq(ran.status, 255);
	cr_expect_str_eq(ran.err, "Error: no site is named 'site-z', and it is no EID either: see 'xtrctl site show'\n");
	xtr_lab_run(&lab, "site show 10.99.0.1", &ran);
	cr_expect_eq(ran.status, 255);
}

Test(cli_show, stats, .init = up, .fini = down)
{
	prints("stats control", "rx: 7\ndrop-authentication: 2\n");
	prints("stats control all", "rx: 7\ntx: 0\ndrop-authentication: 2\n");
	json_decref(json_of("stats control", "stats control"));
	prints("stats reason encap-ttl", "encap-ttl: drop\n\tinner TTL or hop limit reached 0 at this router\n");
	prints("stats reason held", "held: counter\n\tpackets sent through the daemon to keep the order behind queued ones\n");
	json_decref(json_of("stats reason", "stats reason"));
}

Test(cli_show, config, .init = up, .fini = down)
{
	prints("config show", "rlocs:\n  -\n    address: 192.0.2.1\n    priority: 1\nitr:\n  map-resolvers:\n    - 192.0.2.11\n"
	       "etr:\n  map-servers:\n    -\n      key-file: (secret)\n  database: []\nlog-level: info\n");
	json_decref(json_of("config show", "config show"));
	prints("config path", "/etc/xtr/xtrd.yaml\n");
	json_decref(json_of("config path", "config path"));
	prints("config reload", "changed: log-level\nchanged: etr.database[1] added\n");
	json_decref(json_of("config reload", "config reload"));
}

#define LIG_TEXT "answered by 192.0.2.2  rtt 1.25 ms  tries 1\n" \
	"10.2.0.0/24: mapped  ttl 1440m  authoritative\n\tlocator 192.0.2.2  up  priority 1  weight 100\n" \
	"[5]10.3.0.0/24: negative, action natively-forward  ttl 15m\n"

Test(cli_show, lig, .init = up, .fini = down)
{
	prints("lig 10.2.0.5", LIG_TEXT);
	asked("{\"eid\":\"10.2.0.5\",\"iid\":0}");
	prints("lig 10.2.0.0/24 instance 7 to 192.0.2.11", LIG_TEXT);
	asked("{\"eid\":\"10.2.0.0/24\",\"iid\":7,\"to\":\"192.0.2.11\"}");
	json_decref(json_of("lig 10.2.0.5", "lig"));
}

/* The stream ends with the daemon: an error, so that a script notices. */
Test(cli_show, monitor, .init = up, .fini = down)
{
	json_t *v;

	xtr_lab_run(&lab, "monitor", &ran);
	cr_expect_eq(ran.status, 255);
	cr_expect_str_eq(ran.out, "2024-01-02T03:04:05Z  cache-add  [0]10.2.0.0/24  2 locators\n"
				  "2024-01-02T03:04:06Z  message-dropped  from \\x1b[31m'x'\\x9b\n",
			 "no control character of a foreign text reaches the terminal: %s", ran.out);
	cr_expect_str_eq(ran.err, "Error: xtrd closed the connection\n");
	xtr_lab_run(&lab, "monitor kind message-dropped kind miss", &ran);
	asked("{\"kinds\":[\"message-dropped\",\"miss\"]}");
	cr_expect(!strncmp(ran.out, "2024-01-02T03:04:06Z", 20), "%s", ran.out);
	xtr_lab_run(&lab, "-j monitor kind cache-add", &ran);
	*strchr(ran.out, '\n') = '\0';
	v = json_loads(ran.out, 0, NULL);
	cr_expect_null(xtr_schema_check("monitor", v), "%s", ran.out);
	json_decref(v);
}

Test(cli_show, version, .init = up, .fini = down)
{
	json_t *v;

	xtr_lab_run(&lab, "version", &ran);
	cr_expect_eq(ran.status, 0);
	cr_expect(!strncmp(ran.out, "xtrctl ", 7));
	cr_expect_not_null(strstr(ran.out, "\ndaemon: version 1.2  abi 1  pid 77  up 1h2m\n\troles itr, etr\n"), "%s", ran.out);
	v = json_of("version show", "version show");
	json_decref(v);
	v = json_of("-V", "version show");
	json_decref(v);
}

Test(cli_show, a_list_that_was_cut_is_said_to_be, .init = up, .fini = down)
{
	static const struct xtr_fake_answer cut[] = {
		{ "cache", "show", "{\"result\":" CACHE_ROWS ",\"truncated\":true}" }, { NULL, NULL, NULL },
	};

	lab.answers = cut;
	xtr_lab_run(&lab, "cache show", &ran);
	cr_expect_eq(ran.status, 0);
	cr_expect_str_eq(ran.err, "xtrd knows more than it sends at once: name an EID to see what is missing here\n");
}

/* A long answer is taken whole: 20000 entries are about 5 MB. */
Test(cli_show, long_answers, .init = up, .fini = down)
{
	struct xtr_fake_answer big[] = { { "stats", "control", NULL }, { NULL, NULL, NULL } };
	size_t size = 8u << 20, len = 0;
	char *reply = malloc(size);

	len += (size_t)snprintf(reply, size, "{\"result\":{");
	for (int i = 0; i < 200000; i++)
		len += (size_t)snprintf(reply + len, size - len, "\"counter-%06d\":0,", i);
	snprintf(reply + len, size - len, "\"last\":1}}");
	big[0].reply = reply;
	lab.answers = big;
	prints("stats control", "last: 1\n");
	free(reply);
}

static void load(const char *reply, const char *text, const char *want)
{
	struct xtr_fake_answer says[] = { { "cache", "load", reply }, { NULL, NULL, NULL } };
	char path[128], line[160], all[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/table", lab.dir);
	snprintf(line, sizeof(line), "cache load %s", path);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	lab.answers = says;
	xtr_lab_run(&lab, line, &ran);
	cr_expect_eq(ran.status, 255);
	snprintf(all, sizeof(all), "Error: %s\n", want);
	cr_expect_str_eq(ran.err, all, "%s", ran.err);
	snprintf(line, sizeof(line), "-j cache load %s", path);
	xtr_lab_run(&lab, line, &ran);
	snprintf(all, sizeof(all), "{\"error\":\"%s\"}\n", want);
	cr_expect_str_eq(ran.out, all, "%s", ran.out);
	remove(path);
}

Test(cli_show, cache_load_names_the_line_and_what_is_in, .init = up, .fini = down)
{
	load("{\"result\":{\"added\":4,\"refused\":1,\"first\":{\"entry\":2,\"error\":\"a locator is not a unicast address\"}}}",
	     "10.9.1.0/24 rloc 192.0.2.9\n10.9.2.0/24 rloc 192.0.2.9\n# three\n10.9.4.0/24 rloc 224.0.0.1\n"
	     "10.9.5.0/24 rloc 192.0.2.9\n10.9.6.0/24 rloc 192.0.2.9\n",
	     "4 entries were added, 1 refused, the first one of line 4: a locator is not a unicast address");
	/* What the daemon says of an earlier line comes after what is seen here of a later one. */
	load("{\"result\":{\"added\":1,\"refused\":1,\"first\":{\"entry\":0,\"error\":\"full\"}}}",
	     "\n10.9.2.0/24 rloc 192.0.2.9\n10.9.3.0/24 rloc x\n10.9.4.0/24 rloc 192.0.2.9\n",
	     "1 entries were added, 2 refused, the first one of line 2: full");
	load("{\"result\":{\"added\":1,\"refused\":0,\"first\":null}}", "10.9.2.0/24 rloc 192.0.2.9\n10.9.3.0/24 rloc x\n",
	     "1 entries were added, 1 refused, the first one of line 2: rloc: 'x' is no IP address");
}
