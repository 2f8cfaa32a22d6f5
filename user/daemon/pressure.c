// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables that fill up: those of the roles and the maps of the kernel that grow with the map-cache. Once a second their
 * levels are looked at; each says it once when it passes 80 and 95 percent, and again only after it has been below 70.
 * At start the sizes are compared with each other and with the memory there is: a map that can not be filled is found
 * out before it is half full. Owns d->pressure.
 */
#include "daemon/daemon.h"

#include <stdlib.h>
#include <string.h>

#include "util/log.h"

#define EVERY_MS 1000
#define TABLES   (XTR_DP_COUNTS + XTR_TABLES_MAX)

struct xtr_pressure {
	uint64_t next;
	uint8_t level[TABLES]; /* 0, 1: said at 80, 2: said at 95 percent */
};

static void look(struct xtr_pressure *p, unsigned i, const char *name, const char *key, uint64_t entries, uint64_t max)
{
	uint64_t percent = max ? entries * 100 / max : 0;
	uint8_t level = percent >= 95 ? 2 : percent >= 80 ? 1 : 0;

	if (percent < 70)
		p->level[i] = 0;
	if (level <= p->level[i])
		return;
	p->level[i] = level;
	xtr_warn("%s: %llu of %llu entries are in use (%llu %%); raise %s, or what is idle longest has to go", name,
		 (unsigned long long)entries, (unsigned long long)max, (unsigned long long)percent, key);
}

void xtr_pressure_check(struct xtr_daemon *d, uint64_t now)
{
	struct xtr_dp_table maps[XTR_DP_COUNTS];
	struct xtr_table_info tables[XTR_TABLES_MAX];
	struct xtr_pressure *p = d->pressure;
	unsigned n;

	if (!p || now < p->next)
		return;
	p->next = now + EVERY_MS;
	n = d->dp ? xtr_dp_counts(d->dp, maps) : 0;
	for (unsigned i = 0; i < n; i++)
		look(p, i, maps[i].map, maps[i].key, maps[i].entries, maps[i].max);
	n = xtr_node_tables(d->node, tables);
	for (unsigned i = 0; i < n; i++)
		look(p, XTR_DP_COUNTS + i, tables[i].name, tables[i].key, tables[i].entries, tables[i].max);
}

/* MemAvailable of /proc/meminfo; 0: not known. */
static uint64_t memory_left(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

void xtr_pressure_start(struct xtr_daemon *d)
{
	const struct xtr_conf *c = d->conf;
	uint64_t need, left;

	d->pressure = calloc(1, sizeof(*d->pressure));
	if (!d->dp || !c->node.itr)
		return;
	if (c->node.limits.cache_entries > c->dp.cache_entries)
		xtr_warn("limits.cache-entries is %u, but the kernel has room for %u EID-prefixes of a family only; raise "
			 "data-plane.cache-entries, or entries have to go before the limit is reached",
			 c->node.limits.cache_entries, c->dp.cache_entries);
	need = xtr_dp_memory_full(d->dp, c->node.limits.cache_entries) +
	       (uint64_t)c->node.limits.cache_entries * XTR_MAPPING_OCTETS;
	left = memory_left();
	if (left && need > left)
		xtr_warn("a full map-cache needs %llu MiB (limits.cache-entries %u, data-plane.cache-entries %u, "
			 "data-plane.rloc-entries %u), %llu MiB are left; lower them",
			 (unsigned long long)(need >> 20), c->node.limits.cache_entries, c->dp.cache_entries,
			 c->dp.rloc_entries, (unsigned long long)(left >> 20));
}

void xtr_pressure_free(struct xtr_daemon *d)
{
	free(d->pressure);
	d->pressure = NULL;
}
