// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xtrctl iface: interfaces with a role and the programs attached to them, from the pins. */
#include "cli/cli.h"

#include <string.h>

struct take {
	json_t *rows;
	const char *dev;
};

static json_t *flag_names(unsigned flags)
{
	static const struct { unsigned bit; const char *name; } names[] = {
		{ XTR_IF_F_ROUTER_HOP, "router-hop" }, { XTR_IF_F_CSUM_PARTIAL, "csum-partial" },
		{ XTR_IF_F_XDP_TX, "xdp-tx" }, { XTR_IF_F_XDP_GENERIC, "xdp-generic" },
		{ XTR_IF_F_FALLBACK, "fallback" }, { XTR_IF_F_PEER, "redirect-peer" },
	};
	json_t *a = json_array();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].bit)
			json_array_append_new(a, json_string(names[i].name));
	return a;
}

static int take(void *arg, const struct xtr_dp_iface_row *r)
{
	struct take *t = arg;
	json_t *v;

	if (t->dev && strcmp(t->dev, r->name))
		return 0;
	v = json_pack("{s:I, s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:I, s:b, s:b, s:s?, s:o, s:i, s:o, s:o, s:s?}",
		      "ifindex", (json_int_t)r->ifindex, "name", r->name,
		      "role", xtr_role_name(r->i.role), "mode", xtr_mode_name(r->i.mode),
		      "wanted", xtr_mode_name(r->i.wanted), "fallback", !!(r->i.flags & XTR_IF_F_FALLBACK),
		      "why", xtr_mode_why(r->i.why), "vlan", (int)r->i.vlan,
		      "iid", (json_int_t)r->i.iid, "xdp", r->xdp, "tc", r->tc, "tc_kind", r->tc ? r->tc_kind : NULL,
		      "mac", xtr_json_mac(r->i.mac), "mtu", (int)r->i.mtu, "peer", xtr_json_ifname(r->i.peer),
		      "flags", flag_names(r->i.flags), "namespace", r->netns[0] ? r->netns : NULL);
	return v && !json_array_append_new(t->rows, v) ? 0 : -1;
}

/* "xdp, tc/tcx", "tc/clsact", "nothing" */
static const char *attached(const json_t *row, char *buf, size_t size)
{
	bool xdp = xtr_json_true(row, "xdp"), tc = xtr_json_true(row, "tc");

	snprintf(buf, size, "%s%s%s%s", xdp ? "xdp" : "", xdp && tc ? ", " : "", tc ? "tc/" : "",
		 tc ? xtr_json_str(row, "tc_kind") : xdp ? "" : "nothing");
	return buf;
}

static void rows_plain(FILE *f, const json_t *v)
{
	const json_t *row, *flag;
	char hooks[64];
	size_t i, j;

	json_array_foreach(v, i, row) {
		const char *role = xtr_json_str(row, "role");
		struct xtr_line l;

		xtr_line_id(&l, f, "%" JSON_INTEGER_FORMAT, xtr_json_int(row, "ifindex"));
		xtr_line_json(&l, "dev", json_object_get(row, "name"));
		xtr_line_json(&l, "role", json_object_get(row, "role"));
		if (strcmp(xtr_json_str(row, "mode"), "none"))
			xtr_line_json(&l, "mode", json_object_get(row, "mode"));
		if (xtr_json_true(row, "fallback"))
			xtr_line_json(&l, "UNPLANNED, wanted", json_object_get(row, "wanted"));
		if (xtr_json_int(row, "vlan"))
			xtr_line_json(&l, "vlan", json_object_get(row, "vlan"));
		/* a helper without a mode is a device above a port */
		if (strcmp(role, "underlay") && (strcmp(role, "helper") || !strcmp(xtr_json_str(row, "mode"), "none")))
			xtr_line_json(&l, "instance", json_object_get(row, "iid"));
		if (xtr_json_str(row, "namespace")[0])
			xtr_line_json(&l, "namespace", json_object_get(row, "namespace"));
		xtr_line_pair(&l, "attached", "%s", attached(row, hooks, sizeof(hooks)));
		xtr_line_more(&l);
		if (strcmp(role, "helper"))
			xtr_line_json(&l, "mac", json_object_get(row, "mac"));
		if (xtr_json_int(row, "mtu"))
			xtr_line_json(&l, "mtu", json_object_get(row, "mtu"));
		xtr_line_json(&l, "peer", json_object_get(row, "peer"));
		json_array_foreach(json_object_get(row, "flags"), j, flag)
			xtr_line_word(&l, json_string_value(flag));
		if (xtr_json_str(row, "why")[0]) {
			xtr_line_more(&l);
			xtr_line_pair(&l, "why", "%s", xtr_json_str(row, "why"));
		}
		xtr_line_end(&l);
	}
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct xtr_dp_view *v = NULL;
	struct take t = { 0 };
	int rc;

	if (xtr_words_is(w, "dev")) {
		t.dev = xtr_words_value(c, w, "dev");
		if (!t.dev)
			return -1;
	}
	if (xtr_words_end(c, w) || xtr_cli_view(c, &v))
		return -1;
	t.rows = json_array();
	rc = xtr_dp_view_iface(v, take, &t);
	xtr_dp_view_close(v);
	if (rc)
		xtr_cli_error(c, "reading the pinned map %s: %s", XTR_MAP_IFACES, strerror(rc < 0 ? -rc : rc));
	else if (t.dev && !json_array_size(t.rows))
		rc = xtr_cli_error(c, "%s has no role here: name it in interfaces or overlay of the "
				   "configuration", t.dev);
	if (rc) {
		json_decref(t.rows);
		return -1;
	}
	return xtr_cli_emit(c, xtr_cli_sort_ids(t.rows), rows_plain);
}

const struct xtr_cli_cmd xtr_cmd_iface[] = {
	{ "show", do_show, "[dev NAME]", "role, mode in effect, instance, and what is attached" },
	{ NULL, NULL, NULL, NULL },
};
