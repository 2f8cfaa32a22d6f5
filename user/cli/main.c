// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl: options, the table of objects, and the way from words to a command, in bpftool's grammar: names match by
 * prefix in table order, no command means the first one, and, unlike bpftool, a word that nobody takes is refused.
 * Owns struct xtr_cli of the run. The exit status is 0 or 255.
 */
#include "cli/cli.h"

#include <bpf/libbpf.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

const struct xtr_cli_object xtr_cli_objects[] = {
	{ "cache", xtr_cmd_cache, "the map-cache: which EID-prefixes are reached by which locators",
	  .terms = XTR_CLI_EID_TERM
		   "ACTION := { no-action | natively-forward | send-map-request | drop |\n"
		   "            drop-policy-denied | drop-auth-failure }\n" },
	{ "eid", xtr_cmd_eid, "our EID-prefixes and their registration at each Map-Server", .terms = XTR_CLI_EID_TERM },
	{ "site", xtr_cmd_site, "Map-Server: sites, their registrations, and why one is missing",
	  .terms = "NAME := name of a site in the configuration\n" XTR_CLI_EID_TERM },
	{ "decent", xtr_cmd_decent, "LISP-Decent: Map-Servers by DNS and hash, seed-groups",
	  .terms = XTR_CLI_EID_TERM
		   "PROFILE := { rfc9962 | draft10 | lispers-net }\n" },
	{ "rloc", xtr_cmd_rloc, "header templates of the locators in use", .terms = NULL },
	{ "iface", xtr_cmd_iface, "interfaces with a role, and how the programs are attached", .terms = NULL },
	{ "stats", xtr_cmd_stats, "counters of the data plane and of the control plane, drops by reason",
	  .terms = "NAME := name of a drop reason or counter, as shown with all, or its beginning\n" },
	{ "map", xtr_cmd_map, "our BPF maps",
	  .terms = "MAP := { id MAP_ID | pinned FILE | name MAP_NAME | MAP_NAME }\n"
		   "DATA := { [hex] BYTES }\n" },
	{ "prog", xtr_cmd_prog, "our BPF programs",
	  .terms = "PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME | PROG_NAME }\n" },
	{ "feature", xtr_cmd_feature, "what this kernel and an interface offer", .terms = NULL },
	{ "config", xtr_cmd_config, "the configuration of the daemon", .terms = NULL },
	{ "detach", xtr_cmd_detach, "remove everything xtr ever made on this host", .direct = true, .whole = true },
	{ "lig", xtr_cmd_lig, "ask the mapping system for an EID", .terms = XTR_CLI_EID_TERM, .direct = true },
	{ "monitor", xtr_cmd_monitor, "watch what happens, event by event", .terms = xtr_cli_event_terms,
	  .direct = true },
	{ "version", xtr_cmd_version, "versions of the tool, the ABI and the daemon", .terms = NULL },
	{ "batch", xtr_cmd_batch, "run the commands of a file, one a line", .terms = NULL },
	{ NULL, NULL, NULL, .terms = NULL },
};

#define OPTIONS_TEXT "{ {-j|--json} [{-p|--pretty}] | {-s|--socket} PATH |\n" \
		"                    {-B|--bpffs} DIR | {-V|--version} | {-h|--help} }"

static void print_terms(const char *terms)
{
	while (terms && *terms) {
		const char *nl = strchr(terms, '\n');

		printf("       %.*s\n", (int)(nl - terms), terms);
		terms = nl + 1;
	}
}

static json_t *object_json(const struct xtr_cli_object *o)
{
	json_t *cmds = json_array();

	for (const struct xtr_cli_cmd *k = o->cmds; k->name; k++)
		json_array_append_new(cmds, json_pack("{s:s, s:s, s:s}", "name", k->name, "arguments", k->args,
						      "help", k->help));
	return json_pack("{s:s, s:s, s:o}", "object", o->name, "help", o->help, "commands", cmds);
}

int xtr_cli_help(struct xtr_cli *c, const struct xtr_cli_object *o)
{
	const char *lead = "Usage:";

	if (c->json)
		return xtr_cli_emit(c, object_json(o), NULL);
	for (const struct xtr_cli_cmd *k = o->cmds; k->name; k++, lead = "      ") {
		const char *alias = strcmp(k->name, "show") ? "" : " | list }";

		if (o->direct)
			printf("%s xtrctl %s%s%s\n", lead, o->name, *k->args ? " " : "", k->args);
		else
			printf("%s xtrctl %s %s%s%s%s%s\n", lead, o->name, *alias ? "{ " : "", k->name, alias,
			       *k->args ? " " : "", k->args);
	}
	printf("       xtrctl %s help\n\n", o->name);
	print_terms(o->terms);
	printf("       OPTIONS := %s\n\n", OPTIONS_TEXT);
	if (o->direct) {
		printf("       %s: %s\n", o->name, o->cmds[0].help);
		return 0;
	}
	printf("       %s: %s\n", o->name, o->help);
	for (const struct xtr_cli_cmd *k = o->cmds; k->name; k++)
		printf("       %-10s %s\n", k->name, k->help);
	return 0;
}

static int help_all(struct xtr_cli *c)
{
	if (c->json) {
		json_t *a = json_array();

		for (const struct xtr_cli_object *o = xtr_cli_objects; o->name; o++)
			json_array_append_new(a, object_json(o));
		return xtr_cli_emit(c, a, NULL);
	}
	printf("Usage: xtrctl [OPTIONS] OBJECT { COMMAND | help }\n"
	       "       xtrctl batch file FILE\n"
	       "       xtrctl version\n\n"
	       "       OBJECT := {");
	for (const struct xtr_cli_object *o = xtr_cli_objects; o->name; o++)
		printf("%s%s", o == xtr_cli_objects ? " " :
			       (o - xtr_cli_objects) % 8 ? " | " : " |\n                   ", o->name);
	printf(" }\n       OPTIONS := %s\n\n", OPTIONS_TEXT);
	for (const struct xtr_cli_object *o = xtr_cli_objects; o->name; o++)
		printf("       %-10s %s\n", o->name, o->help);
	return 0;
}

static bool is_list(const struct xtr_cli_cmd *k, struct xtr_words *w)
{
	return !strcmp(k->name, "show") && xtr_words_is(w, "list");
}

static int run_object(struct xtr_cli *c, const struct xtr_cli_object *o, struct xtr_words *w)
{
	if (xtr_words_peek(w)) {
		if (!o->direct) {
			for (const struct xtr_cli_cmd *k = o->cmds; k->name; k++)
				if (xtr_words_is(w, k->name) || is_list(k, w))
					return k->fn(c, w);
		}
		if (xtr_words_is(w, "help"))
			return xtr_words_end(c, w) ? -1 : xtr_cli_help(c, o);
		if (!o->direct)
			return xtr_cli_error(c, "'%s' is no command of %s: see 'xtrctl %s help'",
					     xtr_words_peek(w), o->name, o->name);
	}
	return o->cmds[0].fn(c, w);
}

int xtr_cli_run(struct xtr_cli *c, struct xtr_words *w)
{
	if (!xtr_words_peek(w))
		return help_all(c);
	for (const struct xtr_cli_object *o = xtr_cli_objects; o->name; o++) {
		if (o->whole && strcmp(xtr_words_peek(w), o->name))
			continue;
		if (xtr_words_is(w, o->name))
			return run_object(c, o, w);
	}
	if (xtr_words_is(w, "help"))
		return xtr_words_end(c, w) ? -1 : help_all(c);
	return xtr_cli_error(c, "'%s' is no object: see 'xtrctl help'", xtr_words_peek(w));
}

/* 0 go on, 1 version wanted, 2 help wanted, -1 error printed. */
static int parse_options(struct xtr_cli *c, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' }, { "pretty", no_argument, NULL, 'p' },
		{ "socket", required_argument, NULL, 's' }, { "bpffs", required_argument, NULL, 'B' },
		{ "version", no_argument, NULL, 'V' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	char word[3] = "-";
	int opt, what = 0;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "jps:B:Vh", longs, NULL)) != -1) {
		switch (opt) {
		case 'p': c->pretty = true; /* fallthrough */
		case 'j': c->json = true; break;
		case 's': c->socket = optarg; break;
		case 'B': c->bpffs = optarg; break;
		case 'V': what = what ? what : 1; break;
		case 'h': what = what ? what : 2; break;
		default:
			word[1] = (char)optopt; /* 0: a long one, which is whole in argv */
			return xtr_cli_error(c, "option '%s' is unknown or lacks its value: see 'xtrctl help'",
					     optopt ? word : argv[optind - 1]);
		}
	}
	return what;
}

int main(int argc, char **argv)
{
	struct xtr_cli c = { .socket = XTR_CTL_PATH, .bpffs = "/sys/fs/bpf" };
	char *version[] = { (char *)"version" };
	struct xtr_words w;
	int rc;

	libbpf_set_print(NULL); /* what fails is said in our words */
	rc = parse_options(&c, argc, argv);
	w = (struct xtr_words){ argv + optind, argc - optind };
	if (rc == 1)
		w = (struct xtr_words){ version, 1 };
	if (rc == 2)
		rc = help_all(&c);
	else if (rc >= 0)
		rc = xtr_cli_run(&c, &w);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "Error: writing to standard output failed\n");
		rc = -1;
	}
	return rc ? 255 : 0;
}
