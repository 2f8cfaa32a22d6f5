// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl map: our BPF maps in bpftool's grammar, restricted to our pins, for reading. A dump decodes keys and values by
 * the BTF the maps carry and falls back to octets.
 */
#include "cli/btf.h"
#include "cli/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(uint32_t type)
{
	const char *s = libbpf_bpf_map_type_str(type);

	return s ? s : "unknown";
}

static bool per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* What the kernel charges for a map: in fdinfo only. */
static json_int_t memlock_of(int fd)
{
	char path[64], line[128];
	long long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %lld", &n) == 1)
			break;
	fclose(f);
	return n;
}

/* --- MAP := { id MAP_ID | pinned FILE | name MAP_NAME | MAP_NAME } */

struct which {
	const char *name, *path;
	uint32_t id;
	bool given, found;
};

static int take_which(struct xtr_cli *c, struct xtr_words *w, struct which *q)
{
	const char *word = xtr_words_peek(w);

	memset(q, 0, sizeof(*q));
	if (!word)
		return 0;
	q->given = true;
	if (xtr_words_is(w, "id")) {
		return xtr_words_number(c, w, "id", UINT32_MAX, &q->id);
	} else if (xtr_words_is(w, "pinned")) {
		q->path = xtr_words_value(c, w, "pinned");
		return q->path ? 0 : -1;
	} else if (xtr_words_is(w, "name")) {
		q->name = xtr_words_value(c, w, "name");
		return q->name ? 0 : -1;
	} else if (!strncmp(word, "xtr_", 4)) {
		q->name = xtr_words_take(w);
		return 0;
	}
	return xtr_cli_error(c, "'%s' names no map: say id, pinned, or name", word);
}

static bool matches(const struct which *q, const struct xtr_pin *p)
{
	return !q->given || (q->name ? !strcmp(q->name, p->info.map.name) || !strcmp(q->name, p->name) :
			     q->path ? !strcmp(q->path, p->path) : q->id == p->info.map.id);
}

static int none(struct xtr_cli *c)
{
	return xtr_cli_error(c, "that is none of our maps: 'xtrctl map show' lists them");
}

/* --- show */

struct show {
	struct which q;
	json_t *rows;
};

static int show_map(void *arg, const struct xtr_pin *p)
{
	const struct bpf_map_info *m = &p->info.map;
	struct show *s = arg;

	if (!matches(&s->q, p))
		return 0;
	json_array_append_new(s->rows, json_pack(
		"{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:[s], s:I}", "id", (json_int_t)m->id,
		"type", type_name(m->type), "name", p->name, "flags", (json_int_t)m->map_flags,
		"bytes_key", (json_int_t)m->key_size, "bytes_value", (json_int_t)m->value_size,
		"max_entries", (json_int_t)m->max_entries, "bytes_memlock", memlock_of(p->fd),
		"pinned", p->path, "btf_id", (json_int_t)m->btf_id));
	return 0;
}

static void show_plain(FILE *f, const json_t *v)
{
	const json_t *m;
	size_t i;

	json_array_foreach(v, i, m) {
		struct xtr_line l;

		xtr_line_id(&l, f, "%" JSON_INTEGER_FORMAT, xtr_json_int(m, "id"));
		xtr_line_word(&l, xtr_json_str(m, "type"));
		xtr_line_json(&l, "name", json_object_get(m, "name"));
		xtr_line_pair(&l, "flags", "0x%x", (unsigned)xtr_json_int(m, "flags"));
		xtr_line_more(&l);
		xtr_line_pair(&l, "key", "%" JSON_INTEGER_FORMAT "B", xtr_json_int(m, "bytes_key"));
		xtr_line_pair(&l, "value", "%" JSON_INTEGER_FORMAT "B", xtr_json_int(m, "bytes_value"));
		xtr_line_json(&l, "max_entries", json_object_get(m, "max_entries"));
		xtr_line_pair(&l, "memlock", "%" JSON_INTEGER_FORMAT "B", xtr_json_int(m, "bytes_memlock"));
		xtr_line_more(&l);
		xtr_line_json(&l, "pinned", json_array_get(json_object_get(m, "pinned"), 0));
		xtr_line_end(&l);
	}
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	struct show s;

	if (take_which(c, w, &s.q) || xtr_words_end(c, w))
		return -1;
	s.rows = json_array();
	if (xtr_pins_walk(c, XTR_PIN_MAP, show_map, &s)) {
		json_decref(s.rows);
		return -1;
	}
	if (s.q.given && !json_array_size(s.rows)) {
		json_decref(s.rows);
		return none(c);
	}
	return xtr_cli_emit(c, s.rows, show_plain);
}

/* --- dump and lookup */

struct dump {
	struct xtr_cli *c;
	struct which q;
	bool lookup;
	uint8_t key[256];       /* of lookup */
	size_t key_len;
	uint64_t entries;
};

/* An entry: {"key":..., "value":...}, or "values":[{"cpu":N,"value":...}]. value NULL: it is not there (error). */
static json_t *entry_json(const struct bpf_map_info *m, const struct btf *btf, const void *key, const uint8_t *value,
			  int error)
{
	uint32_t step = (m->value_size + 7) & ~7u;
	json_t *o = json_object(), *all;
	int cpus = libbpf_num_possible_cpus();

	json_object_set_new(o, "key", xtr_btf_json(btf, m->btf_key_type_id, key, m->key_size));
	if (error) {
		json_object_set_new(o, "error", json_string(strerror(error)));
		return o;
	}
	if (!per_cpu(m->type)) {
		json_object_set_new(o, "value", xtr_btf_json(btf, m->btf_value_type_id, value, m->value_size));
		return o;
	}
	all = json_array();
	for (int i = 0; i < cpus; i++) {
		json_t *v = xtr_btf_json(btf, m->btf_value_type_id, value + i * step, m->value_size);

		json_array_append_new(all, json_pack("{s:i, s:o}", "cpu", i, "value", v));
	}
	json_object_set_new(o, "values", all);
	return o;
}

static void entry_plain(FILE *f, const json_t *v)
{
	const json_t *values = json_object_get(v, "values"), *one;
	size_t i;

	fputs("key: ", f);
	xtr_btf_plain(f, json_object_get(v, "key"));
	if (xtr_json_has(v, "error")) {
		fprintf(f, "  error: %s\n", xtr_json_str(v, "error"));
		return;
	}
	if (!values) {
		fputs("  value: ", f);
		xtr_btf_plain(f, json_object_get(v, "value"));
		fputc('\n', f);
		return;
	}
	json_array_foreach(values, i, one) {
		fprintf(f, "\n\tvalue (cpu %" JSON_INTEGER_FORMAT "): ", xtr_json_int(one, "cpu"));
		xtr_btf_plain(f, json_object_get(one, "value"));
	}
	fputc('\n', f);
}

static int one_entry(struct dump *d, const struct xtr_pin *p, const struct btf *btf, const void *key, uint8_t *value)
{
	int error = bpf_map_lookup_elem(p->fd, key, value) ? errno : 0;
	json_t *v = entry_json(&p->info.map, btf, key, value, error);

	if (d->lookup && error) {
		json_decref(v);
		return xtr_cli_error(d->c, "%s: that key: %s", p->name, strerror(error));
	}
	d->entries++;
	return d->lookup ? xtr_cli_emit(d->c, v, entry_plain) : xtr_cli_array_item(d->c, v, entry_plain);
}

/* Goes from key to key. A key that is deleted meanwhile makes the kernel begin again: bounded by max_entries. */
static int all_entries(struct dump *d, const struct xtr_pin *p, const struct btf *btf, uint8_t *key, uint8_t *value)
{
	uint8_t *prev = NULL, *next = key, *other = key + p->info.map.key_size;
	uint64_t left = p->info.map.max_entries;
	int rc = 0;

	xtr_cli_array_begin(d->c);
	while (!rc && left-- && !bpf_map_get_next_key(p->fd, prev, next)) {
		uint8_t *spare = prev ? prev : other;

		rc = one_entry(d, p, btf, next, value);
		prev = next;
		next = spare;
	}
	xtr_cli_array_end(d->c);
	if (!d->c->json)
		printf("Found %" PRIu64 " element%s\n", d->entries, d->entries == 1 ? "" : "s");
	return rc;
}

static int dump_map(void *arg, const struct xtr_pin *p)
{
	const struct bpf_map_info *m = &p->info.map;
	int cpus = libbpf_num_possible_cpus(), rc;
	struct dump *d = arg;
	uint8_t *key, *value;
	struct btf *btf;

	if (!matches(&d->q, p))
		return 0;
	d->q.found = true;
	if (m->type == BPF_MAP_TYPE_RINGBUF || !m->key_size)
		return xtr_cli_error(d->c, "%s is a %s: it has no entries to read", p->name, type_name(m->type));
	if (d->lookup && d->key_len != m->key_size)
		return xtr_cli_error(d->c, "a key of %s has %u octets, not %zu", p->name, m->key_size, d->key_len);
	key = calloc(2, m->key_size);
	value = calloc(per_cpu(m->type) && cpus > 0 ? (size_t)cpus : 1, (m->value_size + 7) & ~7u);
	btf = m->btf_id ? btf__load_from_kernel_by_id(m->btf_id) : NULL;
	if (!key || !value || cpus <= 0)
		rc = xtr_cli_error(d->c, "out of memory");
	else if (d->lookup)
		rc = one_entry(d, p, btf, d->key, value);
	else
		rc = all_entries(d, p, btf, key, value);
	btf__free(btf);
	free(value);
	free(key);
	return rc ? -1 : 1;
}

static int run_dump(struct xtr_cli *c, struct dump *d)
{
	int rc = xtr_pins_walk(c, XTR_PIN_MAP, dump_map, d);

	if (rc < 0)
		return -1;
	return d->q.found ? 0 : none(c);
}

static int do_dump(struct xtr_cli *c, struct xtr_words *w)
{
	struct dump d = { .c = c };

	if (take_which(c, w, &d.q) || xtr_words_end(c, w))
		return -1;
	if (!d.q.given)
		return xtr_cli_error(c, "dump which map? 'xtrctl map show' lists them");
	return run_dump(c, &d);
}

static int take_key(struct xtr_cli *c, struct xtr_words *w, struct dump *d)
{
	int base = xtr_words_is(w, "hex") ? 16 : 0;

	while (xtr_words_peek(w)) {
		const char *s = xtr_words_take(w);
		unsigned long n;
		char *end;

		errno = 0;
		n = strtoul(s, &end, base);
		if (!*s || *end || errno || n > 255)
			return xtr_cli_error(c, "key: '%s' is not an octet", s);
		if (d->key_len == sizeof(d->key))
			return xtr_cli_error(c, "key: more than %zu octets", sizeof(d->key));
		d->key[d->key_len++] = (uint8_t)n;
	}
	return 0;
}

static int do_lookup(struct xtr_cli *c, struct xtr_words *w)
{
	struct dump d = { .c = c, .lookup = true };

	if (take_which(c, w, &d.q))
		return -1;
	if (!d.q.given || !xtr_words_is(w, "key"))
		return xtr_cli_error(c, "say which map and which key: xtrctl map lookup MAP key DATA");
	if (take_key(c, w, &d))
		return -1;
	return run_dump(c, &d);
}

const struct xtr_cli_cmd xtr_cmd_map[] = {
	{ "show", do_show, "[MAP]", "our maps with their sizes and pins" },
	{ "dump", do_dump, "MAP", "all entries, decoded" },
	{ "lookup", do_lookup, "MAP key DATA", "one entry, decoded" },
	{ NULL, NULL, NULL, NULL },
};
