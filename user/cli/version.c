// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xtrctl version: of this tool, of the ABI and libbpf it was built with, and of the daemon if one answers. */
#include "cli/cli.h"
#include "version.h"

#include <bpf/libbpf.h>

static void plain(FILE *f, const json_t *v)
{
	const json_t *d = json_object_get(v, "daemon"), *role;
	struct xtr_line l;
	size_t i;

	fprintf(f, "xtrctl %s\nabi %" JSON_INTEGER_FORMAT "\nlibbpf %s\n", xtr_json_str(v, "version"),
		xtr_json_int(v, "abi"), xtr_json_str(v, "libbpf"));
	xtr_line_id(&l, f, "daemon");
	if (!json_is_object(d)) {
		xtr_line_word(&l, "not running");
	} else {
		xtr_line_json(&l, "version", json_object_get(d, "version"));
		xtr_line_json(&l, "abi", json_object_get(d, "abi"));
		xtr_line_json(&l, "pid", json_object_get(d, "pid"));
		xtr_line_age(&l, "up", json_object_get(d, "uptime"), "");
		xtr_line_more(&l);
		xtr_line_word(&l, "roles");
		l.sep = " ";
		json_array_foreach(json_object_get(d, "roles"), i, role) {
			xtr_line_word(&l, json_string_value(role) ? json_string_value(role) : "?");
			l.sep = ", ";
		}
	}
	xtr_line_end(&l);
}

static int do_version(struct xtr_cli *c, struct xtr_words *w)
{
	json_t *daemon = NULL;
	char libbpf[32];
	int rc;

	if (xtr_words_end(c, w))
		return -1;
	rc = xtr_cli_try(c, "version", "show", NULL, &daemon);
	if (rc < 0)
		return -1;
	snprintf(libbpf, sizeof(libbpf), "%u.%u", libbpf_major_version(), libbpf_minor_version());
	return xtr_cli_emit(c, json_pack("{s:s, s:i, s:s, s:o}", "version", XTR_VERSION, "abi", XTR_ABI_VERSION,
					 "libbpf", libbpf, "daemon", rc ? json_null() : daemon), plain);
}

const struct xtr_cli_cmd xtr_cmd_version[] = {
	{ "show", do_version, "", "versions of the tool, of libbpf, and of the daemon if it runs" },
	{ NULL, NULL, NULL, NULL },
};
