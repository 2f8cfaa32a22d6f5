// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One ITR alone in the world; see itr_lab.h. */
#include "itr_lab.h"

#include <criterion/criterion.h>

struct fw_node *itr;

void itr_conf(void)
{
	world_of("192.0.2.1 2001:db8::1");
	fw_conf_mapping(&conf, "10.1.0.0/24", "192.0.2.1");
	conf.c.etr = false;
	fw_conf_resolver(&conf, "192.0.2.8");
}

void itr_go(void)
{
	itr = fw_start(w, "itr", &conf);
	fw_until(w, 0);
}

void itr_up(void)
{
	itr_conf();
	itr_go();
}

uint64_t nonce_of_last(void)
{
	unsigned n = fw_sent_count(itr, XTR_MSG_MAP_REQUEST);

	cr_assert_gt(n, 0);
	return read_request(fw_sent(itr, XTR_MSG_MAP_REQUEST, n - 1)).nonce;
}

void reply(const struct fw_rec *recs, unsigned n)
{
	uint8_t buf[4096];

	fw_inject(itr, "192.0.2.2", 4342, buf, fw_make_reply(buf, sizeof(buf), nonce_of_last(), recs, n));
}

void resolve(const char *eid, const struct fw_rec *recs, unsigned n)
{
	fw_miss(itr, eid, NULL);
	reply(recs, n);
}
