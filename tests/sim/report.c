// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tables for people, JSON for programs.
 */
#include "sim.h"

#include <errno.h>
#include <string.h>

const char *sim_kind_name(enum sim_kind k)
{
	static const char *const names[SIM_KINDS] = { "static", "pull", "push" };

	return names[k];
}

static const struct sim_stage *stage(const struct sim_result *r, const char *name)
{
	for (unsigned i = 0; i < r->stage_count; i++)
		if (!strcmp(r->stages[i].name, name))
			return &r->stages[i];
	return NULL;
}

static void title(const struct sim_result *r)
{
	if (r->kind == SIM_PULL)
		printf("\nPull: modulus %u, three Map-Servers a name\n", r->modulus);
	else if (r->kind == SIM_PUSH)
		printf("\nPush: groups of %u below a core group, %s multicast%s\n", r->group_size,
		       r->underlay ? "underlay" : "overlay",
		       r->cross ? "; all EIDs in the core too" : "");
	else
		printf("\nWithout LISP-Decent: three Map-Servers, configured by hand\n");
}

#define ROW(text, unit, fmt, expr) \
	do { \
		printf("  %-44s %-10s", text, unit); \
		for (unsigned i_ = 0; i_ < n; i_++) { \
			const struct sim_result *x = &r[i_]; \
			printf(fmt, expr); \
		} \
		printf("\n"); \
	} while (0)

static void load(const struct sim_result *r, unsigned n)
{
	ROW("routers", "", " %10u", x->nodes);
	ROW("idle: messages sent, all routers", "1/s", " %10.1f", stage(x, "idle")->per_second);
	ROW("idle: messages sent, one router", "1/s", " %10.3f", stage(x, "idle")->tx_node);
	ROW("idle: octets sent, one router", "1/s", " %10.1f", stage(x, "idle")->octets_node);
	ROW("idle: sent and received, busiest router", "1/s", " %10.2f", stage(x, "idle")->busiest);
	ROW("registrations held, mean", "", " %10.1f", x->registrations_mean);
	ROW("registrations held, most", "", " %10.0f", x->registrations_max);
	ROW("memory of one router in the simulation", "KiB", " %10.0f",
	    x->octets_of_memory / 1024);
	if (r->kind == SIM_PULL)
		ROW("DNS lookups of one router", "1/s", " %10.3f",
		    stage(x, "steady")->dns_per_second / x->nodes);
	ROW("one lookup: messages", "", " %10.2f", x->per_lookup);
	ROW("one lookup: median", "ms", " %10u", stage(x, "steady")->p50);
	ROW("one lookup: 99 %", "ms", " %10u", stage(x, "steady")->p99);
}

static void changes(const struct sim_result *r, unsigned n)
{
	for (unsigned k = 0; k < r->stage_count; k++) {
		const char *name = r->stages[k].name;
		char text[80];

		snprintf(text, sizeof(text), "%s: all lookups right after", name);
		if (strcmp(name, "idle") && strcmp(name, "loss") && strcmp(name, "split"))
			ROW(text, "s", " %10.1f", stage(x, name)->converge);
		snprintf(text, sizeof(text), "%s: all members hold all after", name);
		if (r->kind == SIM_PUSH && (stage(r, name)->full || !strcmp(name, "join") ||
					    !strcmp(name, "heal")))
			ROW(text, "s", " %10.1f", stage(x, name)->full);
	}
	for (unsigned k = 0; k < r->stage_count; k++) {
		const char *name = r->stages[k].name;
		char text[80];

		if (!strcmp(name, "idle"))
			continue;
		snprintf(text, sizeof(text), "%s: lookups / wrong / unanswered", name);
		printf("  %-44s %-10s", text, "");
		for (unsigned i = 0; i < n; i++) {
			const struct sim_stage *st = stage(&r[i], name);
			char cell[64];

			snprintf(cell, sizeof(cell), "%llu/%llu/%llu", (unsigned long long)st->asked,
				 (unsigned long long)st->wrong, (unsigned long long)st->unanswered);
			printf(" %10s", cell);
		}
		printf("\n");
	}
	ROW("virtual time", "s", " %10.0f", x->virtual_seconds);
	ROW("real time", "s", " %10.1f", x->real_seconds);
	ROW("messages simulated", "", " %10llu", (unsigned long long)x->messages);
}

void sim_report(const struct sim_result *r, unsigned n)
{
	unsigned first = 0;

	for (unsigned i = 1; i <= n; i++) {
		if (i < n && r[i].kind == r[first].kind && r[i].underlay == r[first].underlay &&
		    r[i].cross == r[first].cross)
			continue;
		title(&r[first]);
		load(&r[first], i - first);
		changes(&r[first], i - first);
		first = i;
	}
}

static void json_stage(FILE *f, const struct sim_stage *s)
{
	fprintf(f,
		"{\"name\":\"%s\",\"what\":\"%s\",\"seconds\":%.1f,\"converged\":%.3f,"
		"\"complete\":%.3f,\"lookups\":%llu,\"right\":%llu,\"not_right\":%llu,"
		"\"wrong\":%llu,\"unanswered\":%llu,\"late_no\":%llu,\"sent_per_node\":%.4f,"
		"\"received_per_node\":%.4f,\"octets_per_node\":%.1f,\"sent_per_second\":%.2f,"
		"\"busiest\":%.2f,\"answer_ms_median\":%u,\"answer_ms_99\":%u,"
		"\"dns_per_second\":%.2f,\"refused\":%llu}",
		s->name, s->what, s->seconds, s->converge, s->full, (unsigned long long)s->asked,
		(unsigned long long)s->right, (unsigned long long)s->strict_bad,
		(unsigned long long)s->wrong, (unsigned long long)s->unanswered,
		(unsigned long long)s->late_no, s->tx_node,
		s->rx_node, s->octets_node, s->per_second, s->busiest, s->p50, s->p99,
		s->dns_per_second, (unsigned long long)s->drops);
}

int sim_report_json(const char *path, const struct sim_result *r, unsigned n, uint64_t seed)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -errno;
	fprintf(f, "{\"seed\":%llu,\"runs\":[", (unsigned long long)seed);
	for (unsigned i = 0; i < n; i++) {
		fprintf(f,
			"%s\n{\"kind\":\"%s\",\"nodes\":%u,\"modulus\":%u,\"group_size\":%u,"
			"\"transport\":\"%s\",\"all_eids_in_core\":%s,\"messages_per_lookup\":%.3f,"
			"\"octets_of_memory\":%.0f,\"registrations_mean\":%.2f,"
			"\"registrations_max\":%.0f,\"virtual_seconds\":%.0f,"
			"\"real_seconds\":%.1f,\"messages\":%llu,\"stages\":[",
			i ? "," : "", sim_kind_name(r[i].kind), r[i].nodes, r[i].modulus,
			r[i].group_size, r[i].underlay ? "underlay" : "overlay",
			r[i].cross ? "true" : "false", r[i].per_lookup,
			r[i].octets_of_memory, r[i].registrations_mean, r[i].registrations_max,
			r[i].virtual_seconds, r[i].real_seconds, (unsigned long long)r[i].messages);
		for (unsigned k = 0; k < r[i].stage_count; k++) {
			fputs(k ? "," : "", f);
			json_stage(f, &r[i].stages[k]);
		}
		fputs("]}", f);
	}
	fputs("\n]}\n", f);
	return fclose(f) ? -EIO : 0;
}
