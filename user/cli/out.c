// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Output of xtrctl: one JSON value a command, or its plain form; errors where scripts and people look for them.
 * Text that came over the network never reaches a terminal as control characters.
 */
#include "cli/cli.h"

#include <inttypes.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define JSON_FLAGS (JSON_REAL_PRECISION(12) | JSON_ENCODE_ANY)

static void print_json(const struct xtr_cli *c, const json_t *v)
{
	json_dumpf(v, stdout, JSON_FLAGS | (c->pretty ? JSON_INDENT(4) : JSON_COMPACT));
	putchar('\n');
}

static void value(struct xtr_cli *c, json_t *v)
{
	if (c->in_batch) {
		json_decref(c->held);
		c->held = json_incref(v);
	} else {
		print_json(c, v);
	}
}

int xtr_cli_emit(struct xtr_cli *c, json_t *v, xtr_cli_plain *plain)
{
	if (!v)
		return xtr_cli_error(c, "out of memory");
	if (c->json)
		value(c, v);
	else
		plain(stdout, v);
	json_decref(v);
	return 0;
}

void xtr_cli_array_begin(struct xtr_cli *c)
{
	c->in_array = c->array_empty = true;
	if (!c->json)
		return;
	if (c->in_batch)
		c->held = json_array();
	else
		putchar('[');
}

static void array_value(struct xtr_cli *c, json_t *v)
{
	if (c->in_batch) {
		json_array_append(c->held, v);
		return;
	}
	if (!c->array_empty)
		putchar(',');
	if (c->pretty)
		putchar('\n');
	json_dumpf(v, stdout, JSON_FLAGS | (c->pretty ? JSON_INDENT(4) : JSON_COMPACT));
	c->array_empty = false;
}

int xtr_cli_array_item(struct xtr_cli *c, json_t *v, xtr_cli_plain *plain)
{
	if (!v)
		return xtr_cli_error(c, "out of memory");
	if (c->json)
		array_value(c, v);
	else
		plain(stdout, v);
	json_decref(v);
	return 0;
}

void xtr_cli_array_end(struct xtr_cli *c)
{
	c->in_array = false;
	if (c->json && !c->in_batch)
		printf("%s]\n", c->pretty && !c->array_empty ? "\n" : "");
}

int xtr_cli_error(struct xtr_cli *c, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (c->caught) {
		free(*c->caught);
		*c->caught = text ? text : strdup("out of memory");
		return -1;
	}
	c->failed = true;
	if (c->json) {
		json_t *e = json_pack("{s:s}", "error", text ? xtr_utf8_mend(text) : "out of memory");

		if (c->in_array)
			array_value(c, e);
		else
			value(c, e);
		json_decref(e);
	} else {
		fflush(stdout);
		fputs("Error: ", stderr);
		xtr_put_text(stderr, text ? text : "out of memory");
		fputc('\n', stderr);
	}
	free(text);
	return -1;
}

void xtr_cli_note(struct xtr_cli *c, const char *fmt, ...)
{
	va_list ap;

	if (c->json)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void xtr_put_text(FILE *f, const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		/* C0, DEL, and C1 controls, which UTF-8 writes as C2 80..9F. */
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		if ((*p < 0x20 && *p != '\n') || *p == 0x7f) {
			fprintf(f, "\\x%02x", *p);
		} else if (c1) {
			fprintf(f, "\\x%02x", p[1]);
			p++;
		} else {
			fputc(*p, f);
		}
	}
}

void xtr_cli_each_plain(FILE *f, const json_t *rows, xtr_cli_plain *row)
{
	const json_t *v;
	size_t i;

	json_array_foreach(rows, i, v)
		row(f, v);
}

void xtr_line_id(struct xtr_line *l, FILE *f, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->f = f;
	l->sep = " ";
	xtr_put_text(f, text);
	fputc(':', f);
}

void xtr_line_more(struct xtr_line *l)
{
	fputs("\n\t", l->f);
	l->sep = "";
}

void xtr_line_end(struct xtr_line *l)
{
	fputc('\n', l->f);
}

void xtr_line_word(struct xtr_line *l, const char *word)
{
	fputs(l->sep, l->f);
	xtr_put_text(l->f, word);
	l->sep = "  ";
}

void xtr_line_pair(struct xtr_line *l, const char *key, const char *fmt, ...)
{
	char text[4096]; /* a replication list is one locator */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(l->f, "%s%s ", l->sep, key);
	xtr_put_text(l->f, text);
	l->sep = "  ";
}

void xtr_line_json(struct xtr_line *l, const char *key, const json_t *v)
{
	if (json_is_string(v))
		xtr_line_pair(l, key, "%s", json_string_value(v));
	else if (json_is_integer(v))
		xtr_line_pair(l, key, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_real(v))
		xtr_line_pair(l, key, "%.12g", json_real_value(v));
	else if (json_is_boolean(v))
		xtr_line_pair(l, key, "%s", json_is_true(v) ? "yes" : "no");
}

void xtr_line_age(struct xtr_line *l, const char *key, const json_t *seconds, const char *suffix)
{
	char buf[32];

	if (json_is_number(seconds))
		xtr_line_pair(l, key, "%s%s", xtr_age_str(json_number_value(seconds), buf, sizeof(buf)), suffix);
}

const char *xtr_age_str(double seconds, char *buf, size_t size)
{
	uint64_t s;

	if (!(seconds >= 0))
		seconds = 0;
	if (seconds > 1e15)
		seconds = 1e15;
	s = (uint64_t)seconds;
	if (seconds < 10 && seconds != (double)s)
		snprintf(buf, size, "%.1fs", seconds);
	else if (s < 60)
		snprintf(buf, size, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, size, "%" PRIu64 "m%" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%" PRIu64 "h%" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%" PRIu64 "d%" PRIu64 "h", s / 86400, s / 3600 % 24);
	return buf;
}

const char *xtr_json_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

json_int_t xtr_json_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

bool xtr_json_true(const json_t *o, const char *key)
{
	return json_is_true(json_object_get(o, key));
}

bool xtr_json_has(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return v && !json_is_null(v);
}

json_t *xtr_json_mac(const uint8_t mac[6])
{
	char buf[18];

	snprintf(buf, sizeof(buf), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return json_string(buf);
}

json_t *xtr_json_ip(const struct xtr_abi_ip *ip, uint8_t family)
{
	struct xtr_ip a = { .family = family };
	char buf[XTR_IP_STRLEN];

	if (family != XTR_FAMILY_IP4 && family != XTR_FAMILY_IP6)
		return json_null();
	memcpy(a.a, ip->w, sizeof(a.a));
	return xtr_ip_is_unspecified(&a) ? json_null() : json_string(xtr_ip_str(&a, buf));
}

void xtr_line_no_way(struct xtr_line *l, const json_t *v)
{
	char text[160];

	if (strcmp(xtr_json_str(v, "template"), "down"))
		return;
	snprintf(text, sizeof(text), "NOT USED: no route to it, or no cable or locator of ours on the way (ip route get %s)",
		 xtr_json_str(v, "address"));
	xtr_line_word(l, text);
}

json_t *xtr_json_ifname(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	return ifindex && if_indextoname(ifindex, name) ? json_string(name) : json_null();
}
