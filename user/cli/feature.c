// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* xtrctl feature probe: what the kernel offers, and which attach mode an interface would take and why. */
#include "cli/cli.h"

#include <string.h>

static int take(void *arg, const struct xtr_dp_feature *f)
{
	json_t *v = json_pack("{s:s, s:b, s:s}", "name", f->name, "have", f->have, "detail", f->detail);

	return v && !json_array_append_new(arg, v) ? 0 : -1;
}

static void dev_plain(FILE *f, const json_t *v)
{
	struct xtr_line l;

	xtr_line_id(&l, f, "%s", xtr_json_str(v, "name"));
	xtr_line_json(&l, "role", json_object_get(v, "role"));
	xtr_line_json(&l, "mode", json_object_get(v, "mode"));
	xtr_line_json(&l, "driver", json_object_get(v, "driver"));
	xtr_line_json(&l, "mtu", json_object_get(v, "mtu"));
	xtr_line_more(&l);
	xtr_line_json(&l, "native-xdp", json_object_get(v, "native_xdp"));
	xtr_line_json(&l, "xdp-transmit", json_object_get(v, "ndo_xmit"));
	xtr_line_json(&l, "tcx", json_object_get(v, "tcx"));
	if (*xtr_json_str(v, "reason")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "why:", json_object_get(v, "reason"));
	}
	if (*xtr_json_str(v, "unlock")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "for the faster one:", json_object_get(v, "unlock"));
	}
	if (*xtr_json_str(v, "hint")) {
		xtr_line_more(&l);
		xtr_line_json(&l, "note:", json_object_get(v, "hint"));
	}
	xtr_line_end(&l);
}

static void plain(FILE *f, const json_t *v)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(v, "kernel"), i, row) {
		struct xtr_line l;

		xtr_line_id(&l, f, "%s", xtr_json_str(row, "name"));
		xtr_line_word(&l, xtr_json_true(row, "have") ? "yes" : "no");
		if (*xtr_json_str(row, "detail"))
			xtr_line_word(&l, xtr_json_str(row, "detail"));
		xtr_line_end(&l);
	}
	json_array_foreach(json_object_get(v, "dev"), i, row)
		dev_plain(f, row);
}

static json_t *probe_dev(struct xtr_cli *c, const char *dev, uint8_t role)
{
	struct xtr_dp_probe p;
	struct xtr_err err = { "" };
	int rc;

	memset(&p, 0, sizeof(p));
	rc = xtr_dp_probe_iface(dev, role, &p, &err);
	if (rc) {
		xtr_cli_error(c, "%s", err.text[0] ? err.text : strerror(-rc));
		return NULL;
	}
	return json_pack("[{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:I, s:s, s:s, s:s}]", "name", dev,
			 "role", xtr_role_name(role), "mode", xtr_mode_name(p.mode), "driver", p.driver,
			 "native_xdp", p.native_xdp, "ndo_xmit", p.ndo_xmit, "tcx", p.tcx,
			 "mtu", (json_int_t)p.mtu, "reason", p.reason, "unlock", p.unlock,
			 "hint", p.hint);
}

struct probe {
	const char *dev;
	uint8_t role;
	bool kernel;
};

static int parse(struct xtr_cli *c, struct xtr_words *w, struct probe *p)
{
	const char *word;

	while (xtr_words_peek(w)) {
		if (xtr_words_is(w, "dev")) {
			p->dev = xtr_words_value(c, w, "dev");
			if (!p->dev)
				return -1;
		} else if (xtr_words_is(w, "kernel")) {
			p->kernel = true;
		} else if (p->dev && xtr_words_is(w, "role")) {
			word = xtr_words_value(c, w, "role");
			if (!word)
				return -1;
			if (strcmp(word, "underlay") && strcmp(word, "eid"))
				return xtr_cli_error(c, "role: '%s' is neither underlay nor eid", word);
			p->role = *word == 'e' ? XTR_ROLE_EID : XTR_ROLE_UNDERLAY;
		} else {
			return xtr_words_end(c, w);
		}
	}
	if (!p->dev)
		p->kernel = true;
	return 0;
}

static int do_probe(struct xtr_cli *c, struct xtr_words *w)
{
	struct probe p = { .role = XTR_ROLE_UNDERLAY };
	json_t *out, *dev, *kernel;
	int rc;

	if (parse(c, w, &p))
		return -1;
	out = json_object();
	if (p.kernel) {
		kernel = json_array();
		rc = xtr_dp_probe_kernel(take, kernel);
		json_object_set_new(out, "kernel", kernel);
		if (rc) {
			json_decref(out);
			return xtr_cli_error(c, "probing the kernel: %s", strerror(rc < 0 ? -rc : rc));
		}
	}
	if (p.dev) {
		dev = probe_dev(c, p.dev, p.role);
		if (!dev) {
			json_decref(out);
			return -1;
		}
		json_object_set_new(out, "dev", dev);
	}
	return xtr_cli_emit(c, out, plain);
}

const struct xtr_cli_cmd xtr_cmd_feature[] = {
	{ "probe", do_probe, "[kernel] [dev NAME [role { underlay | eid }]]",
	  "the kernel, or which mode 'auto' takes on an interface, why, and how to get the faster one" },
	{ NULL, NULL, NULL, NULL },
};
