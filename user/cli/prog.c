// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl prog: our BPF programs in bpftool's grammar, restricted to our pins, and where they are attached: from the
 * pinned links, and for clsact, which has none, from netlink.
 */
#include "cli/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

/* struct bpf_link_info of tcx (kernel 6.6), which the build host's headers need not have. */
#define LINK_TYPE_TCX 11
struct tcx_info {
	uint32_t type, id, prog_id, pad;
	uint32_t ifindex, attach_type;
};
#define ATTACH_TCX_INGRESS 46

/* --- PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME } */

struct which {
	const char *name, *path, *tag;
	uint32_t id;
	bool given;
};

static int take_which(struct xtr_cli *c, struct xtr_words *w, struct which *q)
{
	const char *word = xtr_words_peek(w), **value = NULL, *keyword = "name";

	memset(q, 0, sizeof(*q));
	if (!word)
		return 0;
	q->given = true;
	if (xtr_words_is(w, "id"))
		return xtr_words_number(c, w, "id", UINT32_MAX, &q->id);
	if (xtr_words_is(w, "pinned"))
		value = &q->path, keyword = "pinned";
	else if (xtr_words_is(w, "tag"))
		value = &q->tag, keyword = "tag";
	else if (xtr_words_is(w, "name"))
		value = &q->name;
	else if (!strncmp(word, "xtr_", 4)) /* a name says itself what it is */
		value = &q->name;
	else
		return xtr_cli_error(c, "'%s' names no program: say id, pinned, tag, or name", word);
	*value = xtr_words_value(c, w, keyword);
	return *value ? 0 : -1;
}

static void tag_text(const struct bpf_prog_info *p, char out[2 * BPF_TAG_SIZE + 1])
{
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(out + 2 * i, 3, "%02x", p->tag[i]);
}

static bool matches(const struct which *q, const struct xtr_pin *p)
{
	char tag[2 * BPF_TAG_SIZE + 1];

	tag_text(&p->info.prog, tag);
	return !q->given || (q->name ? !strcmp(q->name, p->info.prog.name) || !strcmp(q->name, p->name) :
			     q->path ? !strcmp(q->path, p->path) : q->tag ? !strcmp(q->tag, tag) :
			     q->id == p->info.prog.id);
}

/* --- show */

struct show {
	struct which q;
	json_t *rows;
};

/* ISO 8601 of a time since boot. */
static json_t *loaded_at(uint64_t boot_ns)
{
	struct timespec real, boot;
	char buf[32];
	struct tm tm;
	time_t t;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	t = real.tv_sec - boot.tv_sec + (time_t)(boot_ns / 1000000000u);
	gmtime_r(&t, &tm);
	strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(buf);
}

static int show_prog(void *arg, const struct xtr_pin *p)
{
	const struct bpf_prog_info *i = &p->info.prog;
	const char *type = libbpf_bpf_prog_type_str(i->type);
	char tag[2 * BPF_TAG_SIZE + 1];
	struct show *s = arg;
	json_t *v;

	if (!matches(&s->q, p))
		return 0;
	tag_text(i, tag);
	v = json_pack("{s:I, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:[s], s:[]}", "id", (json_int_t)i->id,
		      "type", type ? type : "unknown", "name", i->name, "tag", tag,
		      "loaded_at", loaded_at(i->load_time),
		      "bytes_xlated", (json_int_t)i->xlated_prog_len,
		      "bytes_jited", (json_int_t)i->jited_prog_len, "verified_insns", (json_int_t)i->verified_insns, "pinned", p->path, "attached");
	if (i->run_cnt) { /* counted while kernel.bpf_stats_enabled is 1 */
		json_object_set_new(v, "run_time_ns", json_integer((json_int_t)i->run_time_ns));
		json_object_set_new(v, "run_cnt", json_integer((json_int_t)i->run_cnt));
	}
	json_array_append_new(s->rows, v);
	return 0;
}

/* --- where it is attached */

static json_t *attachments_of(json_t *rows, uint32_t prog_id)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (xtr_json_int(row, "id") == (json_int_t)prog_id)
			return json_object_get(row, "attached");
	return NULL;
}

static void attached(json_t *rows, uint32_t prog_id, uint32_t ifindex, const char *hook, const char *by)
{
	json_t *a = attachments_of(rows, prog_id);

	if (a)
		json_array_append_new(a, json_pack("{s:o, s:I, s:s, s:s}", "dev", xtr_json_ifname(ifindex), "ifindex",
						   (json_int_t)ifindex, "hook", hook, "by", by));
}

static int take_link(void *arg, const struct xtr_pin *p)
{
	struct bpf_link_info info;
	struct tcx_info tcx;

	memcpy(&info, p->info.link, sizeof(info));
	memcpy(&tcx, p->info.link, sizeof(tcx));
	if (info.type == BPF_LINK_TYPE_XDP)
		attached(arg, info.prog_id, info.xdp.ifindex, "xdp", "link");
	else if (info.type == LINK_TYPE_TCX)
		attached(arg, info.prog_id, tcx.ifindex,
			 tcx.attach_type == ATTACH_TCX_INGRESS ? "tc ingress" : "tc egress", "tcx");
	return 0;
}

static int take_clsact(void *arg, const struct xtr_dp_iface_row *r)
{
	static const struct { enum bpf_tc_attach_point point; const char *hook; } hooks[] = {
		{ BPF_TC_INGRESS, "tc ingress" }, { BPF_TC_EGRESS, "tc egress" },
	};

	if (!r->tc || !r->tc_kind || strcmp(r->tc_kind, "clsact"))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)r->ifindex, .attach_point = hooks[i].point);
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = XTR_DP_TC_HANDLE, .priority = XTR_DP_TC_PRIORITY);

		if (!bpf_tc_query(&hook, &opts))
			attached(arg, opts.prog_id, r->ifindex, hooks[i].hook, "clsact");
	}
	return 0;
}

static int add_attachments(struct xtr_cli *c, json_t *rows)
{
	struct xtr_dp_view *v = NULL;

	if (xtr_pins_walk(c, XTR_PIN_LINK, take_link, rows))
		return -1;
	if (!xtr_dp_view_open(c->bpffs, &v, NULL)) {
		xtr_dp_view_iface(v, take_clsact, rows);
		xtr_dp_view_close(v);
	}
	return 0;
}

static void plain(FILE *f, const json_t *v)
{
	const json_t *p, *a;
	size_t i, j;

	json_array_foreach(v, i, p) {
		struct xtr_line l;

		xtr_line_id(&l, f, "%" JSON_INTEGER_FORMAT, xtr_json_int(p, "id"));
		xtr_line_word(&l, xtr_json_str(p, "type"));
		xtr_line_json(&l, "name", json_object_get(p, "name"));
		xtr_line_json(&l, "tag", json_object_get(p, "tag"));
		xtr_line_more(&l);
		xtr_line_json(&l, "loaded_at", json_object_get(p, "loaded_at"));
		xtr_line_pair(&l, "xlated", "%" JSON_INTEGER_FORMAT "B", xtr_json_int(p, "bytes_xlated"));
		xtr_line_pair(&l, "jited", "%" JSON_INTEGER_FORMAT "B", xtr_json_int(p, "bytes_jited"));
		xtr_line_json(&l, "verified_insns", json_object_get(p, "verified_insns"));
		xtr_line_json(&l, "run_cnt", json_object_get(p, "run_cnt"));
		xtr_line_json(&l, "run_time_ns", json_object_get(p, "run_time_ns"));
		xtr_line_more(&l);
		xtr_line_json(&l, "pinned", json_array_get(json_object_get(p, "pinned"), 0));
		json_array_foreach(json_object_get(p, "attached"), j, a) {
			xtr_line_more(&l);
			xtr_line_pair(&l, "attached", "%s",
				      xtr_json_has(a, "dev") ? xtr_json_str(a, "dev") : "(interface is gone)");
			xtr_line_word(&l, xtr_json_str(a, "hook"));
			xtr_line_json(&l, "by", json_object_get(a, "by"));
		}
		xtr_line_end(&l);
	}
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct show s;

	if (take_which(c, w, &s.q) || xtr_words_end(c, w))
		return -1;
	s.rows = json_array();
	if (xtr_pins_walk(c, XTR_PIN_PROG, show_prog, &s) || add_attachments(c, s.rows)) {
		json_decref(s.rows);
		return -1;
	}
	if (s.q.given && !json_array_size(s.rows)) {
		json_decref(s.rows);
		return xtr_cli_error(c, "that is none of our programs: 'xtrctl prog show' lists them");
	}
	return xtr_cli_emit(c, s.rows, plain);
}

const struct xtr_cli_cmd xtr_cmd_prog[] = {
	{ "show", do_show, "[PROG]",
	  "our programs with their sizes, the verifier's work, and where they are attached" },
	{ NULL, NULL, NULL, NULL },
};
