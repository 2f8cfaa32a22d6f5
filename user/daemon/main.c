// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The command line of xtrd. Never goes into the background: that is the work of the service
 * manager.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "version.h"

enum { OPT_CHECK = 256, OPT_VERSION, OPT_HELP_CONFIG, OPT_NO_DATA_PLANE };
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", optional_argument, NULL, OPT_CHECK },
	{ "no-data-plane", no_argument, NULL, OPT_NO_DATA_PLANE },
	{ "debug", no_argument, NULL, 'd' },
	{ "help", no_argument, NULL, 'h' },
	{ "help-config", no_argument, NULL, OPT_HELP_CONFIG },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static void help(FILE *f)
{
	fputs("usage: xtrd [-c FILE] [-d] [--no-data-plane]\n"
	      "       xtrd --check [FILE]\n"
	      "\n"
	      "LISP tunnel router (RFC 9300, 9301): ITR, ETR, Map-Server and Map-Resolver.\n"
	      "\n"
	      "  -c, --config FILE     configuration (default " XTR_CONF_PATH ")\n"
	      "      --check [FILE]    check the configuration, start nothing\n"
	      "      --help-config     every key with its type, default and meaning\n"
	      "      --no-data-plane   control plane only: no programs, no devices\n"
	      "  -d, --debug           log everything\n"
	      "      --version         version\n"
	      "  -h, --help            this text\n"
	      "\n"
	      "Signals: TERM and INT stop the daemon, and what it put into the kernel goes on forwarding\n"
	      "(xtrctl detach removes it); HUP reads the configuration again.\n"
	      "Exit status: 0 stopped or checked without error, 1 an error, 2 wrong usage.\n",
	      f);
}

static void print_line(void *ctx, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static int check(const char *path)
{
	struct xtr_yaml_errors errors = { 0 };
	struct xtr_conf *conf;
	int rc = xtr_conf_load(path, &errors, &conf);

	xtr_yaml_errors_each(&errors, path, print_line, NULL);
	xtr_yaml_errors_free(&errors);
	if (rc == -ENOMEM)
		fprintf(stderr, "%s: no memory\n", path);
	if (rc)
		return EXIT_FAILED;
	xtr_conf_free(conf);
	printf("%s: ok\n", path);
	return EXIT_OK;
}

static int run(struct xtr_daemon *d)
{
	/* As xtrctl shows it: a relative path means nothing to others. */
	char *full = realpath(d->config_path, NULL);
	int rc;

	if (full)
		d->config_path = full;
	rc = xtr_daemon_start(d);
	if (!rc)
		xtr_daemon_run(d);
	xtr_daemon_stop(d);
	free(full);
	return rc ? EXIT_FAILED : EXIT_OK;
}

int main(int argc, char **argv)
{
	static struct xtr_daemon d = { .config_path = XTR_CONF_PATH };
	bool only_check = false;
	int c;

	while ((c = getopt_long(argc, argv, "c:dh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			d.config_path = optarg;
			break;
		case OPT_CHECK:
			only_check = true;
			if (optarg)
				d.config_path = optarg;
			break;
		case OPT_NO_DATA_PLANE:
			d.no_data_plane = true;
			break;
		case 'd':
			d.debug = true;
			break;
		case 'h':
			help(stdout);
			return EXIT_OK;
		case OPT_HELP_CONFIG:
			xtr_schema_print(&xtr_conf_schema, stdout);
			return EXIT_OK;
		case OPT_VERSION:
			printf("xtrd %s\n", XTR_VERSION);
			return EXIT_OK;
		default:
			fputs("see xtrd --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (only_check && optind == argc - 1)
		d.config_path = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "xtrd: what is `%s`? See xtrd --help\n", argv[optind]);
		return EXIT_USAGE;
	}
	return only_check ? check(d.config_path) : run(&d);
}
