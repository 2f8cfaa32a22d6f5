// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * deploy/examples/xtrd.yaml and --help-config: they are configurations, they name every key, and the defaults they show
 * are the defaults.
 */
#include "conf_lab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MR "map-resolver: {map-servers: [192.0.2.10]}\n"

Test(config, the_example_is_good)
{
	char *text = example("deploy/examples/xtrd.yaml");

	xtr_conf_free(parse_elsewhere(text));
	free(text);
}

Test(config, the_mapping_system_of_the_example_is_good)
{
	char *text = example("deploy/examples/xtrd.yaml"), *part = commented(text, "# A Map-Server and Map-Resolver", "# LISP-Decent (RFC", "");
	struct xtr_conf *c = parse_elsewhere(part);

	cr_assert(c->node.ms && c->node.mr && c->node.site_count == 2);
	xtr_conf_free(c);
	free(part);
	free(text);
}

Test(config, the_defaults_the_example_names_are_the_defaults)
{
	char *text = example("deploy/examples/xtrd.yaml"), *part = commented(text, "# Less often needed", "# Without a default", MR), *differ = NULL;
	struct xtr_conf *c = parse_elsewhere(MR), *e;
	json_t *x, *y;

	e = parse_elsewhere(part);
	x = xtr_schema_json(&xtr_conf_schema, &c->v);
	y = xtr_schema_json(&xtr_conf_schema, &e->v);
	xtr_schema_diff(&xtr_conf_schema, &c->v, &e->v, add_line, &differ);
	cr_assert_null(differ, "%s", differ);
	cr_assert(json_equal(x, y));
	json_decref(x);
	json_decref(y);
	xtr_conf_free(c);
	xtr_conf_free(e);
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
	char *text = example("deploy/examples/xtrd.yaml");

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
