// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any text as a configuration: accepted or refused with at least one error, never both and never
 * neither. What was accepted is shown, and compares equal to itself. Nothing of the machine is
 * looked at (no key files, no interfaces).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"

static void count_line(void *ctx, const char *line)
{
	unsigned *n = ctx;

	*n += strncmp(line, "f:", 2) == 0;
}

static void must_not_differ(void *ctx, const char *line)
{
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xtr_yaml_errors errors = { 0 };
	struct xtr_conf *c;
	unsigned lines = 0;
	json_t *shown;
	int rc;

	rc = xtr_conf_parse((const char *)data, size, NULL, &errors, &c);
	xtr_yaml_errors_each(&errors, "f", count_line, &lines);
	if (!rc != !lines || !rc != !!c)
		abort();
	if (c) {
		shown = xtr_schema_json(&xtr_conf_schema, &c->v);
		if (!json_is_object(shown))
			abort();
		json_decref(shown);
		xtr_schema_diff(&xtr_conf_schema, &c->v, &c->v, must_not_differ, NULL);
		if (xtr_conf_check_reload(c, c, &errors))
			abort();
		xtr_conf_free(c);
	}
	xtr_yaml_errors_free(&errors);
	return 0;
}
