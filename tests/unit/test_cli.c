// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The grammar of xtrctl: names and prefixes, words that nobody takes, help, errors and their exit status, batch files. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/ops.h"
#include "roles/node.h"
#include "unit/cli_lab.h"

static struct xtr_lab lab;
static struct xtr_ran ran;

static const struct xtr_fake_answer empty[] = {
	{ "cache", "show", "{\"result\":[]}" }, { "cache", "pending", "{\"result\":[]}" },
	{ "cache", "flush", "{\"result\":{\"deleted\":3}}" }, { "eid", "show", "{\"result\":[]}" },
	{ "site", "show", "{\"result\":[]}" }, { "config", "path", "{\"result\":\"/etc/xtr/xtrd.yaml\"}" },
	{ "stats", "control", "{\"result\":{\"rx\":7}}" }, { NULL, NULL, NULL },
};

static void up(void) { xtr_lab_open(&lab, empty); }
static void off(void) { xtr_lab_open(&lab, NULL); }
static void down(void) { xtr_lab_close(&lab); }

/* Runs line; the request the daemon got must be this object and command. */
static void asks(const char *line, const char *object, const char *command)
{
	char want[128];

	snprintf(want, sizeof(want), "{\"object\":\"%s\",\"command\":\"%s\",", object, command);
	memset(lab.request, 0, sizeof(lab.request));
	xtr_lab_run(&lab, line, &ran);
	cr_expect_eq(ran.status, 0, "%s: status %d: %s", line, ran.status, ran.err);
	cr_expect(!strncmp(lab.request, want, strlen(want)), "%s: asked %s", line, lab.request);
}

/* Runs line, which must fail with this text: on stderr, and under -j as JSON on stdout with nothing on stderr. */
static void refused(const char *line, const char *text)
{
	char with_j[1024], want[1024];
	json_t *v;

	xtr_lab_run(&lab, line, &ran);
	snprintf(want, sizeof(want), "Error: %s", text);
	cr_expect_eq(ran.status, 255, "%s: status %d", line, ran.status);
	cr_expect(!strncmp(ran.err, want, strlen(want)), "%s: stderr is %s", line, ran.err);
	cr_expect_str_empty(ran.out, "%s: stdout is %s", line, ran.out);
	snprintf(with_j, sizeof(with_j), "-j %s", line);
	xtr_lab_run(&lab, with_j, &ran);
	cr_expect_eq(ran.status, 255, "-j %s: status %d", line, ran.status);
	cr_expect_str_empty(ran.err, "-j %s: stderr is %s", line, ran.err);
	v = json_loads(ran.out, 0, NULL);
	cr_expect_eq(json_object_size(v), 1, "-j %s: %s", line, ran.out);
	cr_expect_not_null(strstr(json_string_value(json_object_get(v, "error")), text), "-j %s: %s", line, ran.out);
	json_decref(v);
}

Test(cli, names_match_by_prefix_in_table_order, .init = up, .fini = down)
{
	asks("cache show", "cache", "show");
	asks("c", "cache", "show");
	asks("co path", "config", "path");
	asks("s", "site", "show");
	asks("st c", "stats", "control");
	asks("e l", "eid", "show");
	asks("cache p", "cache", "pending");
	asks("cache f", "cache", "flush");
}

Test(cli, no_command_means_show, .init = up, .fini = down)
{
	asks("cache", "cache", "show");
	asks("eid", "eid", "show");
	asks("site", "site", "show");
}

Test(cli, options_stand_anywhere, .init = up, .fini = down)
{
	asks("cache -j show", "cache", "show");
	cr_expect_str_eq(ran.out, "[]\n");
	asks("cache show --json", "cache", "show");
	cr_expect_str_eq(ran.out, "[]\n");
}

Test(cli, unknown_words_are_refused, .init = up, .fini = down)
{
	refused("nonsense", "'nonsense' is no object");
	refused("cache nonsense", "'nonsense' is no command of cache");
	refused("cache show 10.0.0.1 nonsense", "unknown word 'nonsense'");
	refused("cache pending now", "unknown word 'now'");
	refused("cache flush please", "unknown word 'please'");
	refused("eid show 10.0.0.1 10.0.0.2", "unknown word '10.0.0.2'");
	refused("site show a b", "unknown word 'b'");
	refused("rloc show x", "unknown word 'x'");
	refused("iface show dev a b", "unknown word 'b'");
	refused("stats drops every", "unknown word 'every'");
	refused("stats control all all", "unknown word 'all'");
	refused("map show name a b", "unknown word 'b'");
	refused("prog show id 1 2", "unknown word '2'");
	refused("feature probe everything", "unknown word 'everything'");
	refused("config reload now", "unknown word 'now'");
	refused("detach it", "unknown word 'it'");
	refused("lig 10.0.0.1 from 10.0.0.2", "unknown word 'from'");
	refused("monitor all", "unknown word 'all'");
	refused("version 2", "'2' is no command of version");
	refused("version show 2", "unknown word '2'");
	refused("cache help me", "unknown word 'me'");
	refused("help me", "unknown word 'me'");
}

Test(cli, wrong_values_are_refused_with_the_way_out, .init = up, .fini = down)
{
	refused("cache show 10.0.0.300", "'10.0.0.300' is no EID: write 10.2.0.1");
	refused("cache show 10.0.0.1 instance", "'instance' wants a value");
	refused("cache show instance 16777216", "instance: '16777216' is not a number from 0 to 16777215");
	refused("cache show instance -1x", "option '-1' is unknown");
	refused("cache add", "'add' wants a value");
	refused("cache add 10.0.0.0/8", "an entry has either locators (rloc ADDRESS) or an action");
	refused("cache add 10.0.0.0/8 rloc 192.0.2.1 action drop", "an entry has either locators");
	refused("cache add 10.0.0.0/8 rloc host", "rloc: 'host' is no IP address");
	refused("cache add 10.0.0.0/8 rloc 192.0.2.1 weight 256", "weight: '256' is not a number from 0 to 255");
	refused("cache add 10.0.0.0/8 action fly", "action 'fly' is none of those");
	refused("cache delete", "delete which EID? All of them: xtrctl cache flush");
	refused("monitor kind nonsense", "no event is of kind 'nonsense'");
	refused("lig", "'lig' wants a value");
	refused("lig 10.0.0.1 to nowhere", "to: 'nowhere' is no IP address");
	refused("map lookup xtr_cfg", "say which map and which key");
	refused("map dump", "dump which map?");
	refused("map dump elsewhere", "'elsewhere' names no map");
	refused("feature probe dev lo role overlay", "role: 'overlay' is neither underlay nor eid");
	refused("stats reason nonsense", "no drop reason or counter is named 'nonsense'");
	refused("--nonsense", "option '--nonsense' is unknown");
	refused("version -s", "option '-s' is unknown or lacks its value");
}

Test(cli, detach_is_not_matched_by_prefix, .init = off, .fini = down)
{
	refused("de", "xtrd is not running");
	refused("det", "'det' is no object");
	refused("detac", "'detac' is no object");
}

Test(cli, without_a_daemon_says_so, .init = off, .fini = down)
{
	refused("eid", "xtrd is not running (nobody answers at ");
	refused("site", "xtrd is not running");
	refused("stats control", "xtrd is not running");
	refused("config show", "xtrd is not running");
	refused("monitor", "xtrd is not running");
	refused("lig 10.0.0.1", "xtrd is not running");
	/* No pins either: the text names the folder where there should be some. */
	refused("cache show", lab.dir);
	refused("rloc", lab.dir);
	refused("iface", lab.dir);
	refused("stats", lab.dir);
	refused("stats drops", lab.dir);
	refused("map", lab.dir);
	refused("prog", lab.dir);
}

Test(cli, every_object_has_help_plain_and_json, .init = off, .fini = down)
{
	char line[64], want[64];
	json_t *all, *o, *one;
	size_t i;

	xtr_lab_run(&lab, "-j help", &ran);
	cr_assert_eq(ran.status, 0);
	all = json_loads(ran.out, 0, NULL);
	cr_assert_null(xtr_schema_check("help", all));
	cr_assert_eq(json_array_size(all), 16);
	json_array_foreach(all, i, o) {
		const char *name = json_string_value(json_object_get(o, "object"));

		snprintf(line, sizeof(line), "%s help", name);
		snprintf(want, sizeof(want), "Usage: xtrctl %s", name);
		xtr_lab_run(&lab, line, &ran);
		cr_expect_eq(ran.status, 0);
		cr_expect(!strncmp(ran.out, want, strlen(want)), "%s", ran.out);
		snprintf(line, sizeof(line), "-j %s help", name);
		xtr_lab_run(&lab, line, &ran);
		one = json_loads(ran.out, 0, NULL);
		cr_expect(json_equal(one, o));
		json_decref(one);
	}
	json_decref(all);
}

Test(cli, without_words_prints_help, .init = off, .fini = down)
{
	struct xtr_ran h;

	xtr_lab_run(&lab, "", &ran);
	xtr_lab_run(&lab, "help", &h);
	cr_expect_eq(ran.status, 0);
	cr_expect_str_eq(ran.out, h.out);
	xtr_lab_run(&lab, "-h", &h);
	cr_expect_str_eq(ran.out, h.out);
	cr_expect(!strncmp(ran.out, "Usage: xtrctl [OPTIONS] OBJECT { COMMAND | help }\n", 50));
}

Test(cli, monitor_knows_the_kinds_of_the_daemon, .init = off, .fini = down)
{
	static const char *const kinds[] = {
#define X(sym, name) name,
		XTR_EVENTS(X)
#undef X
	};
	const char *p;
	size_t n = 1;

	xtr_lab_run(&lab, "monitor help", &ran);
	for (size_t i = 0; i < XTR_EVENT_MAX; i++) {
		char want[64];

		snprintf(want, sizeof(want), " %s ", kinds[i]);
		cr_expect_not_null(strstr(ran.out, want), "%s is not in the help of monitor", kinds[i]);
	}
	p = strstr(ran.out, "KIND :=");
	for (; p && *p && *p != '}'; p++)
		n += *p == '|';
	cr_expect_eq(n, XTR_EVENT_MAX, "the help of monitor has %zu kinds", n);
}

Test(cli, errors_of_the_daemon_are_passed_on, .init = up, .fini = down)
{
	static const struct xtr_fake_answer says[] = {
		{ "eid", "show", "{\"error\":\"no etr section in the configuration\"}" },
		{ "site", "show", "[1,2]" }, { "cache", "show", "{\"neither\":1}" }, { NULL, NULL, NULL },
	};

	lab.answers = says;
	refused("eid", "no etr section in the configuration");
	refused("site", "xtrd answered something that is not a JSON object");
	refused("cache", "answer of xtrd has neither result nor error");
}

/* --- batch */

static void batch(const char *input, bool json)
{
	const char *const plain[] = { "xtrctl", "-s", lab.socket, "-B", lab.dir, "batch", "file", "-", NULL };
	const char *const with_j[] = { "xtrctl", "-j", "-s", lab.socket, "-B", lab.dir, "batch", "file", "-", NULL };

	xtr_run(json ? with_j : plain, input, &ran);
}

Test(cli, batch_runs_the_lines_of_a_file, .init = up, .fini = down)
{
	batch("# a comment\n\nstats control # with one behind it\n  config \"path\"\n", false);
	cr_expect_eq(ran.status, 0);
	cr_expect_str_eq(ran.out, "rx: 7\n/etc/xtr/xtrd.yaml\nprocessed 2 commands\n");
	batch("stats control\nconfig path", true);
	cr_expect_eq(ran.status, 0);
	cr_expect_str_eq(ran.out, "[{\"command\":[\"stats\",\"control\"],\"output\":{\"rx\":7}},"
				  "{\"command\":[\"config\",\"path\"],\"output\":{\"path\":\"/etc/xtr/xtrd.yaml\"}}]\n");
}

Test(cli, batch_ends_at_the_first_failure, .init = up, .fini = down)
{
	json_t *v;

	batch("stats control\ncache nonsense\nconfig path\n", false);
	cr_expect_eq(ran.status, 255);
	cr_expect_str_eq(ran.out, "rx: 7\n");
	cr_expect_str_eq(ran.err, "Error: 'nonsense' is no command of cache: see 'xtrctl cache help'\n-:2: stopped here\n");
	batch("stats control\ncache nonsense\nconfig path\n", true);
	cr_expect_eq(ran.status, 255);
	v = json_loads(ran.out, 0, NULL);
	cr_expect_null(xtr_schema_check("batch file", v));
	cr_expect_eq(json_array_size(v), 2);
	cr_expect_null(xtr_schema_check("error", json_object_get(json_array_get(v, 1), "output")));
	json_decref(v);
}

Test(cli, batch_refuses_what_would_not_end, .init = up, .fini = down)
{
	batch("batch file -\n", false);
	cr_expect_eq(ran.status, 255);
	cr_expect_not_null(strstr(ran.err, "a batch file can not run another"));
	batch("monitor\n", false);
	cr_expect_eq(ran.status, 255);
	batch("config \"path\n", false);
	cr_expect_eq(ran.status, 255);
	cr_expect_str_eq(ran.err, "Error: -:1: the quote is not closed\n");
}

/* The checker the other tests lean on. */
Test(cli, the_schema_check_notices_what_is_wrong)
{
	static const struct { const char *name, *json; bool good; } cases[] = {
		{ "error", "{\"error\":\"x\"}", true },           { "error", "{}", false },
		{ "error", "{\"error\":1}", false },              { "error", "{\"error\":\"x\",\"more\":1}", false },
		{ "cache delete", "{\"deleted\":1.5}", false },   { "cache delete", "{\"deleted\":true}", false },
		{ "stats control", "{\"rx\":1,\"tx\":2}", true }, { "stats control", "{\"rx\":\"1\"}", false },
		{ "no such command", "{}", false },
		{ "cache pending", "[{\"iid\":0,\"eid\":\"x\",\"tries\":1,\"age\":null,\"next\":2,\"resolver\":null}]", true },
		{ "cache pending", "[{\"iid\":0,\"eid\":\"x\",\"tries\":1,\"age\":\"0\",\"next\":2,\"resolver\":null}]", false },
		{ "stats reason", "[{\"name\":\"x\",\"kind\":\"drop\",\"text\":\"\"}]", true },
		{ "stats reason", "[{\"name\":\"x\",\"kind\":\"other\",\"text\":\"\"}]", false },
		{ "help", "[{\"object\":\"x\"}]", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *v = json_loads(cases[i].json, 0, NULL);

		cr_expect_eq(xtr_schema_check(cases[i].name, v) == NULL, cases[i].good, "%s %s", cases[i].name, cases[i].json);
		json_decref(v);
	}
}

Test(cli, a_full_disk_is_an_error, .init = up, .fini = down)
{
	const char *const argv[] = { "xtrctl", "help", NULL };

	xtr_run_into("/dev/full", argv, &ran);
	cr_expect_eq(ran.status, 255);
	cr_expect_str_eq(ran.err, "Error: writing to standard output failed\n");
}

/* Mistakes of a configuration, all of them, however many and whatever they are called. */
static void twelve_mistakes(const char *name, char path[256])
{
	FILE *f;

	snprintf(path, 256, "%s/%s", lab.dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	for (int i = 0; i < 12; i++)
		fprintf(f, "mistake-%02d-\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9: 1\n", i);
	fclose(f);
}

static void all_twelve(const char *text)
{
	char key[32];

	for (int i = 0; i < 12; i++) {
		snprintf(key, sizeof(key), "mistake-%02d-", i);
		cr_expect_not_null(strstr(text, key), "%s is not in %s", key, text);
	}
}

Test(cli, config_check_shows_every_mistake, .init = up, .fini = down)
{
	char path[256], line[300];
	json_t *v;

	twelve_mistakes("bad\xff.yaml", path);
	snprintf(line, sizeof(line), "config check %s", path);
	xtr_lab_run(&lab, line, &ran);
	cr_expect_eq(ran.status, 255);
	all_twelve(ran.err);
	snprintf(line, sizeof(line), "-j config check %s", path);
	xtr_lab_run(&lab, line, &ran);
	v = json_loads(ran.out, 0, NULL);
	cr_assert_not_null(v, "%s", ran.out);
	all_twelve(json_string_value(json_object_get(v, "error")));
	json_decref(v);
	unlink(path);
}

Test(cli, config_reload_shows_every_mistake, .init = up, .fini = down)
{
	struct xtr_fake_answer says[] = { { "config", "reload", NULL }, { NULL, NULL, NULL } };
	char reply[4096] = "{\"error\":\"";

	for (int i = 0; i < 12; i++)
		sprintf(reply + strlen(reply), "%02d: mistake-%02d- is no key of the configuration, and what is instead of it takes "
			"more words than a line of the terminal has, of which this is the second half of the third\\n", i, i);
	strcat(reply, "\"}");
	says[0].reply = reply;
	lab.answers = says;
	xtr_lab_run(&lab, "config reload", &ran);
	cr_expect_eq(ran.status, 255);
	all_twelve(ran.err);
}

/* README and people name them; the tool has their texts, the daemon the counters. */
Test(cli, every_counter_of_the_control_plane_is_explained, .init = up, .fini = down)
{
	char line[96], want[96];

	for (unsigned i = 0; i < XTR_NODE_COUNTER_MAX; i++) {
		snprintf(line, sizeof(line), "stats reason %s", xtr_node_counter_names[i]);
		snprintf(want, sizeof(want), "%s: control\n\t", xtr_node_counter_names[i]);
		xtr_lab_run(&lab, line, &ran);
		cr_expect_eq(ran.status, 0, "%s", line);
		cr_expect_not_null(strstr(ran.out, want), "%s: %s", line, ran.out);
	}
}

/* A daemon that took the question and hangs: what the pins say is shown, soon, and that it is only that. */
Test(cli, a_daemon_that_hangs_is_not_waited_for_long, .init = up, .fini = down)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *const argv[] = { "xtrctl", "-s", sa.sun_path, "-B", lab.dir, "stats", "maps", NULL };
	struct timespec a, b;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/hangs", lab.dir);
	cr_assert(!bind(fd, (struct sockaddr *)&sa, sizeof(sa)) && !listen(fd, 8));
	clock_gettime(CLOCK_MONOTONIC, &a);
	xtr_run(argv, NULL, &ran);
	clock_gettime(CLOCK_MONOTONIC, &b);
	cr_expect_not_null(strstr(ran.err, "xtrd does not answer: showing the kernel's state"), "%s", ran.err);
	cr_expect(b.tv_sec - a.tv_sec < 8, "it took %ld s", (long)(b.tv_sec - a.tv_sec));
	close(fd);
	unlink(sa.sun_path);
}
