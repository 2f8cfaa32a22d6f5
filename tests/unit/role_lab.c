// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What most tests of roles start from; see role_lab.h. */
#include "role_lab.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct fw *w;
struct fw_conf conf;

void world_up(void)
{
	w = fw_new();
}

void world_down(void)
{
	fw_free(w);
}

static void conf_rlocs(struct fw_conf *c, const char *rlocs)
{
	char copy[128], *save = NULL;

	fw_conf_init(c);
	snprintf(copy, sizeof(copy), "%s", rlocs);
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		fw_conf_rloc(c, s);
}

void world_of(const char *rlocs)
{
	world_up();
	conf_rlocs(&conf, rlocs);
}

struct mapping_system mapping_system_start(void)
{
	static struct fw_conf c;
	struct mapping_system m;

	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.9");
	fw_conf_site(&c, "a", "10.1.0.0/24", false);
	fw_conf_site(&c, "b", "10.2.0.0/24", false);
	m.ms = fw_start(w, "ms", &c);
	fw_conf_init(&c);
	fw_conf_rloc(&c, "192.0.2.8");
	fw_conf_mr_server(&c, "192.0.2.9");
	m.mr = fw_start(w, "mr", &c);
	return m;
}

void mapping_system_site(struct fw_conf *c, const char *rlocs, const char *eid)
{
	conf_rlocs(c, rlocs);
	fw_conf_mapping(c, eid, rlocs);
	fw_conf_server(c, "192.0.2.9");
	fw_conf_resolver(c, "192.0.2.8");
}

struct xtr_map_request read_request(const struct fw_packet *p)
{
	static struct xtr_map_request m;
	const uint8_t *msg;
	size_t len;

	cr_assert_not_null(p, "Map-Request was not sent");
	msg = fw_message(p, &len);
	cr_assert_eq(xtr_map_request_decode(msg, len, &m), 0);
	return m;
}
