// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* BTF decoder of map dumps: recursion bounded by DEPTH, every read checked against the octets that are left. */
#include "cli/btf.h"

#include <arpa/inet.h>
#include <string.h>

#include "cli/cli.h"

#define DEPTH 16

static json_t *decode(const struct btf *btf, uint32_t id, const uint8_t *p, size_t left, int depth);

static json_t *hex_array(const uint8_t *p, size_t n)
{
	json_t *a = json_array();
	char buf[8];

	for (size_t i = 0; i < n; i++) {
		snprintf(buf, sizeof(buf), "0x%02x", p[i]);
		json_array_append_new(a, json_string(buf));
	}
	return a;
}

static json_t *hex_text(const uint8_t *p, size_t n)
{
	char buf[2 + 2 * 64 + 1] = "0x";

	if (n > 64)
		return hex_array(p, n);
	for (size_t i = 0; i < n; i++)
		snprintf(buf + 2 + 2 * i, 3, "%02x", p[i]);
	return json_string(buf);
}

static json_t *number(const uint8_t *p, uint32_t size, bool is_signed)
{
	uint64_t u = 0;
	char buf[32];

	memcpy(&u, p, size); /* little and big endian hosts: see the shift below */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	u >>= 8 * (8 - size);
#endif
	if (is_signed && size < 8 && u >> (8 * size - 1))
		u |= ~0ull << (8 * size);
	if (is_signed || u <= INT64_MAX)
		return json_integer((json_int_t)u);
	snprintf(buf, sizeof(buf), "%llu", (unsigned long long)u); /* beyond what JSON readers agree on */
	return json_string(buf);
}

static json_t *enumerator(const struct btf *btf, const struct btf_type *t, const uint8_t *p)
{
	json_t *n = number(p, t->size, btf_kflag(t));
	const struct btf_enum *e = btf_enum(t);

	for (unsigned i = 0; i < btf_vlen(t); i++) {
		if (e[i].val == (int)json_integer_value(n)) {
			json_decref(n);
			return json_string(btf__name_by_offset(btf, e[i].name_off));
		}
	}
	return n;
}

static json_t *array(const struct btf *btf, const struct btf_type *t, const uint8_t *p, size_t left, int depth)
{
	const struct btf_array *a = btf_array(t);
	int64_t size = btf__resolve_size(btf, a->type);
	json_t *out;

	if (size <= 0 || (uint64_t)size * a->nelems > left)
		return NULL;
	if (size == 1)
		return hex_text(p, a->nelems);
	out = json_array();
	for (uint32_t i = 0; i < a->nelems; i++)
		json_array_append_new(out, decode(btf, a->type, p + i * size, (size_t)size, depth));
	return out;
}

static bool is_padding(const char *name)
{
	return !*name || !strncmp(name, "pad", 3) || !strcmp(name, "reserved");
}

static json_t *members(const struct btf *btf, const struct btf_type *t, const uint8_t *p, size_t left, int depth)
{
	const struct btf_member *m = btf_members(t);
	json_t *out = json_object();

	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, m[i].name_off);
		uint32_t bit = btf_member_bit_offset(t, i);

		/* The ABI has no bitfields. */
		if (is_padding(name) || btf_member_bitfield_size(t, i) || bit / 8 > left)
			continue;
		json_object_set_new(out, name, decode(btf, m[i].type, p + bit / 8, left - bit / 8, depth));
	}
	return out;
}

/* What the programs have as global variables: a map whose value is a section of them. */
static json_t *variables(const struct btf *btf, const struct btf_type *t, const uint8_t *p, size_t left, int depth)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(t);
	json_t *out = json_object();

	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var = btf__type_by_id(btf, v[i].type);

		if (var && v[i].offset <= left)
			json_object_set_new(out, btf__name_by_offset(btf, var->name_off),
					    decode(btf, v[i].type, p + v[i].offset, left - v[i].offset, depth));
	}
	return out;
}

/* NULL where the octets do not hold the type. */
static json_t *decode(const struct btf *btf, uint32_t id, const uint8_t *p, size_t left, int depth)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	const char *name = t ? btf__name_by_offset(btf, t->name_off) : "";
	int64_t size = t ? btf__resolve_size(btf, id) : -1;
	uint16_t be16;

	if (size < 0 || (uint64_t)size > left || depth > DEPTH)
		return NULL;
	switch (btf_kind(t)) {
	case BTF_KIND_TYPEDEF:
		if (!strcmp(name, "__be16") && size == 2) {
			memcpy(&be16, p, 2);
			return json_integer(ntohs(be16));
		}
		if (!strcmp(name, "__be32") && size == 4)
			return hex_text(p, 4);
		/* fallthrough */
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_TYPE_TAG:
	case BTF_KIND_VAR:
		return decode(btf, t->type, p, left, depth + 1);
	case BTF_KIND_INT:
		if (size > 8)
			return hex_text(p, (size_t)size);
		if (btf_int_encoding(t) & BTF_INT_BOOL)
			return json_boolean(*p);
		return number(p, (uint32_t)size, btf_int_encoding(t) & BTF_INT_SIGNED);
	case BTF_KIND_ENUM:
		return enumerator(btf, t, p);
	case BTF_KIND_ARRAY:
		return array(btf, t, p, left, depth + 1);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return members(btf, t, p, left, depth + 1);
	case BTF_KIND_DATASEC:
		return variables(btf, t, p, left, depth + 1);
	default:
		return hex_text(p, (size_t)size);
	}
}

json_t *xtr_btf_json(const struct btf *btf, uint32_t type, const void *data, size_t size)
{
	json_t *v = btf && type ? decode(btf, type, data, size, 0) : NULL;

	return v ? v : hex_array(data, size);
}

void xtr_btf_plain(FILE *f, const json_t *v)
{
	const char *sep = "", *key;
	json_t *m;
	size_t i;

	if (json_is_object(v)) {
		fputc('{', f);
		json_object_foreach((json_t *)v, key, m) {
			fprintf(f, "%s%s ", sep, key);
			xtr_btf_plain(f, m);
			sep = ", ";
		}
		fputc('}', f);
	} else if (json_is_array(v)) {
		fputc('[', f);
		json_array_foreach(v, i, m) {
			fputs(sep, f);
			xtr_btf_plain(f, m);
			sep = " ";
		}
		fputc(']', f);
	} else if (json_is_string(v)) {
		xtr_put_text(f, json_string_value(v));
	} else if (json_is_integer(v)) {
		fprintf(f, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	} else if (json_is_boolean(v)) {
		fputs(json_is_true(v) ? "true" : "false", f);
	}
}
