// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl rloc: the header templates the programs encapsulate with, one per pair of own and peer locator,
 * from the pins.
 */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <string.h>

static json_t *flag_names(unsigned flags)
{
	static const struct { unsigned bit; const char *name; } names[] = {
		{ XTR_RLOC_F_UP, "up" }, { XTR_RLOC_F_L2, "l2" }, { XTR_RLOC_F_XDP_TX, "xdp-tx" },
		{ XTR_RLOC_F_GPE, "gpe" }, { XTR_RLOC_F_NAT, "nat" }, { XTR_RLOC_F_CSUM, "udp-checksum" },
		{ XTR_RLOC_F_PMTU, "path-mtu" },
	};
	json_t *a = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].bit)
			json_array_append_new(a, json_string(names[i].name));
	return a;
}

static int take(void *arg, const struct xtr_dp_rloc_row *row)
{
	const struct xtr_rloc *t = &row->r;
	bool up = t->flags & XTR_RLOC_F_UP, l2 = t->flags & XTR_RLOC_F_L2;
	json_t *v;

	v = json_pack("{s:I, s:o, s:o, s:o, s:s, s:o, s:o, s:i, s:o, s:i, s:o, s:I, s:I}", "id", (json_int_t)row->id,
		      "source", xtr_json_ip(&t->src, t->family), "address", xtr_json_ip(&t->dst, t->family),
		      "dev", xtr_json_ifname(t->ifindex), "template", !up ? "down" : row->fresh ? "fresh" : "stale",
		      "dmac", l2 ? xtr_json_mac(t->dmac) : json_null(),
		      "smac", l2 ? xtr_json_mac(t->smac) : json_null(), "dport", (int)ntohs(t->dport),
		      "sport", t->flags & XTR_RLOC_F_NAT ? json_integer(ntohs(t->sport)) : json_null(),
		      "mtu", (int)t->mtu, "flags", flag_names(t->flags), "packets", (json_int_t)row->count.packets,
		      "octets", (json_int_t)row->count.octets);
	return v && !json_array_append_new(arg, v) ? 0 : -1;
}

static void rows_plain(FILE *f, const json_t *v)
{
	const json_t *row, *flag;
	size_t i, j;

	json_array_foreach(v, i, row) {
		struct xtr_line l;

		xtr_line_id(&l, f, "%" JSON_INTEGER_FORMAT, xtr_json_int(row, "id"));
		xtr_line_json(&l, "address", json_object_get(row, "address"));
		xtr_line_json(&l, "source", json_object_get(row, "source"));
		xtr_line_json(&l, "dev", json_object_get(row, "dev"));
		xtr_line_json(&l, "template", json_object_get(row, "template"));
		xtr_line_no_way(&l, row);
		xtr_line_json(&l, "packets", json_object_get(row, "packets"));
		xtr_line_json(&l, "octets", json_object_get(row, "octets"));
		xtr_line_more(&l);
		xtr_line_json(&l, "dmac", json_object_get(row, "dmac"));
		xtr_line_json(&l, "smac", json_object_get(row, "smac"));
		xtr_line_json(&l, "dport", json_object_get(row, "dport"));
		xtr_line_json(&l, "sport", json_object_get(row, "sport"));
		if (xtr_json_int(row, "mtu"))
			xtr_line_json(&l, "mtu", json_object_get(row, "mtu"));
		json_array_foreach(json_object_get(row, "flags"), j, flag)
			xtr_line_word(&l, json_string_value(flag));
		xtr_line_end(&l);
	}
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_dp_view *v = NULL;
	json_t *rows;
	int rc;

	if (xtr_words_end(c, w) || xtr_cli_view(c, &v))
		return -1;
	rows = json_array();
	rc = xtr_dp_view_rloc(v, take, rows);
	xtr_dp_view_close(v);
	if (rc) {
		json_decref(rows);
		return xtr_cli_error(c, "reading the pinned map %s: %s", XTR_MAP_RLOC, strerror(rc < 0 ? -rc : rc));
	}
	return xtr_cli_emit(c, xtr_cli_sort_ids(rows), rows_plain);
}

const struct xtr_cli_cmd xtr_cmd_rloc[] = {
	{ "show", do_show, "", "templates: fresh while xtrd vouches for them, else the kernel resolves layer 2" },
	{ NULL, NULL, NULL, NULL },
};
