// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * xtrctl decent: LISP-Decent (RFC 9962). `hash` goes from an EID to the DNS name of its Map-Servers and shows each step, by
 * the code that the daemon uses (codec/decent.h); with `modulus` it needs no daemon. The other commands show what the
 * daemon knows: its parameters, the names in use with their addresses, the seed-groups with their members.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/decent.h"

/* --- parameters of the hash: of the command line or of the daemon. Owns lookups. */

struct params {
	struct xtr_decent_hash h;
	struct xtr_decent_lookup *lookups;
	char suffix[XTR_DECENT_NAME_MAX]; /* "": none */
};

static int add_lookup(struct params *p, const struct xtr_ippfx *eid, uint32_t iid, unsigned length)
{
	unsigned n = p->h.lookup_count;
	struct xtr_decent_lookup *more = reallocarray(p->lookups, n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	more[n] = (struct xtr_decent_lookup){ .eid = *eid, .iid = iid, .length = (uint8_t)length };
	xtr_ippfx_mask(&more[n].eid);
	p->h.lookups = p->lookups = more;
	p->h.lookup_count = n + 1;
	return 0;
}

/* PREFIX:LENGTH, of every instance, or [N]PREFIX:LENGTH. */
static int take_lookup(struct xtr_cli *c, struct xtr_words *w, struct params *p)
{
	const char *word = xtr_words_value(c, w, "lookup"), *colon = word ? strrchr(word, ':') : NULL;
	char text[XTR_EID_STRLEN];
	struct xtr_eid_prefix e;
	struct xtr_ippfx pfx;
	char *end = NULL;
	unsigned long n;

	if (!word)
		return -1;
	if (!colon || (size_t)(colon - word) >= sizeof(text))
		goto bad;
	memcpy(text, word, (size_t)(colon - word));
	text[colon - word] = '\0';
	n = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || n > 255 || !strchr(text, '/') || xtr_eid_parse(text, &e) ||
	    !xtr_eid_to_ippfx(&e, &pfx))
		goto bad;
	if (add_lookup(p, &pfx, *text == '[' ? e.iid : XTR_DECENT_ANY_IID, (unsigned)n))
		return xtr_cli_error(c, "out of memory");
	return 0;
bad:
	return xtr_cli_error(c, "lookup: '%s' is no EID-prefix with its lookup-length: write 240.11.0.0/16:24", word);
}

static int set_suffix(struct xtr_cli *c, struct params *p, const char *suffix)
{
	char name[XTR_DECENT_NAME_MAX];

	if (!*suffix || strlen(suffix) >= sizeof(p->suffix) ||
	    xtr_decent_name(XTR_DECENT_MODULUS_MAX, suffix, name, sizeof(name)))
		return xtr_cli_error(c, "suffix: '%s' is no domain name that can have an index before it", suffix);
	snprintf(p->suffix, sizeof(p->suffix), "%s", suffix);
	return 0;
}

/* pull of "decent show", or its old; the daemon has checked it. */
static int params_of_json(struct xtr_cli *c, const json_t *v, struct params *p)
{
	const json_t *l;
	size_t i;
	int profile = xtr_decent_profile_parse(xtr_json_str(v, "profile"));

	if (profile < 0)
		return xtr_cli_error(c, "xtrd says that its profile is '%s', which this xtrctl does not know: are they of one "
				     "version?", xtr_json_str(v, "profile"));
	p->h.profile = (uint8_t)profile;
	p->h.modulus = (uint32_t)xtr_json_int(v, "modulus");
	p->h.hash_mask = (uint16_t)xtr_json_int(v, "hash_mask");
	p->h.digest_octets = (uint8_t)xtr_json_int(v, "digest_octets");
	json_array_foreach(json_object_get(v, "lookups"), i, l) {
		struct xtr_ippfx pfx;

		if (xtr_ippfx_parse(xtr_json_str(l, "eid"), &pfx) ||
		    add_lookup(p, &pfx, xtr_json_has(l, "iid") ? (uint32_t)xtr_json_int(l, "iid") : XTR_DECENT_ANY_IID,
			       (unsigned)xtr_json_int(l, "length")))
			return xtr_cli_error(c, "what xtrd says of its lookup-lengths can not be taken");
	}
	return xtr_json_has(v, "suffix") ? set_suffix(c, p, xtr_json_str(v, "suffix")) : 0;
}

/* --- from the EID to the name */

/* Text as it is hashed, which for a name need not be UTF-8: then as it is shown elsewhere. */
static json_t *octets_text(const char *s)
{
	char text[4 * XTR_DECENT_STRLEN + 1];
	json_t *v = json_string(s);
	size_t n = 0;

	if (v)
		return v;
	for (; *s; s++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, *s >= ' ' && *s < 0x7f ? "%c" : "\\x%02x", (unsigned char)*s);
	return json_string(text);
}

static json_t *hex(const uint8_t *p, size_t n)
{
	char text[2 * XTR_DECENT_DIGEST + 1] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	return json_string(text);
}

/* "10.1.0.0/16" without the instance. */
static json_t *eid_text(const struct xtr_eid_prefix *e)
{
	char buf[XTR_EID_STRLEN];

	return json_string(strchr(xtr_eid_str(e, buf), ']') + 1);
}

static json_t *lookup_json(const struct xtr_decent_lookup *l)
{
	char buf[XTR_IPPFX_STRLEN];

	if (!l)
		return json_null();
	return json_pack("{s:s, s:o, s:i}", "eid", xtr_ippfx_str(&l->eid, buf), "iid",
			 l->iid == XTR_DECENT_ANY_IID ? json_null() : json_integer(l->iid), "length", l->length);
}

/* What the daemon knows of this name, or null. */
static json_t *set_of(const json_t *names, const char *name, uint32_t index)
{
	json_t *row;
	size_t i;

	json_array_foreach(names, i, row)
		if (xtr_json_int(row, "index") == (json_int_t)index && !strcmp(xtr_json_str(row, "name"), name))
			return json_incref(row);
	return json_null();
}

/* All the steps. NULL after an error that was printed. */
static json_t *hash_json(struct xtr_cli *c, const struct params *p, const struct xtr_eid_prefix *eid, const json_t *names)
{
	bool lispers = p->h.profile == XTR_DECENT_LISPERS;
	const char *problem = xtr_decent_check(&p->h);
	char name[XTR_DECENT_NAME_MAX] = "";
	struct xtr_decent_step s;
	int rc;

	if (!problem)
		problem = xtr_decent_check_iid(&p->h, eid->iid);
	if (problem && (eid->group_len == 0 || xtr_decent_check(&p->h))) {
		xtr_cli_error(c, "%s", problem);
		return NULL;
	}
	rc = xtr_decent_step(&p->h, eid, &s);
	if (!rc && *p->suffix)
		rc = xtr_decent_name(s.index, p->suffix, name, sizeof(name));
	if (rc) {
		xtr_cli_error(c, "no index can be made of this EID: %s", strerror(-rc));
		return NULL;
	}
	return json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:b, s:i, s:o}",
			 "profile", xtr_decent_profile_name(p->h.profile), "modulus", (int)p->h.modulus,
			 "hash_mask", (int)p->h.hash_mask,
			 "digest_octets", lispers ? json_integer(s.digest_used) : json_null(),
			 "suffix", *p->suffix ? json_string(p->suffix) : json_null(),
			 "lookup", lookup_json(s.lookup), "masked", eid_text(&s.masked),
			 "full", octets_text(s.full), "string", octets_text(s.string),
			 "digest", hex(s.digest, sizeof(s.digest)), "number", hex(s.digest, s.digest_used),
			 "index", (int)s.index, "name", *name ? json_string(name) : json_null(),
			 "too_short", xtr_decent_too_short(&p->h, eid),
			 "fixed_bits", (int)xtr_decent_fixed_bits(&p->h, eid), "set", set_of(names, name, s.index));
}

/* --- plain */

static void addresses_plain(struct xtr_line *l, const json_t *row)
{
	const json_t *a;
	size_t i;

	json_array_foreach(json_object_get(row, "addresses"), i, a) {
		xtr_line_more(l);
		xtr_line_json(l, "address", json_object_get(a, "address"));
		if (xtr_json_true(a, "resting"))
			xtr_line_word(l, "resting: it did not answer");
	}
}

static void problem_plain(struct xtr_line *l, const json_t *row)
{
	if (!xtr_json_has(row, "problem"))
		return;
	xtr_line_more(l);
	xtr_line_json(l, "why:", json_object_get(row, "problem"));
}

static void parameters_plain(struct xtr_line *l, const json_t *v)
{
	xtr_line_json(l, "profile", json_object_get(v, "profile"));
	xtr_line_json(l, "modulus", json_object_get(v, "modulus"));
	if (xtr_json_int(v, "hash_mask"))
		xtr_line_json(l, "hash-mask", json_object_get(v, "hash_mask"));
	if (!strcmp(xtr_json_str(v, "profile"), "lispers-net"))
		xtr_line_json(l, "digest-octets", json_object_get(v, "digest_octets"));
	xtr_line_json(l, "suffix", json_object_get(v, "suffix"));
}

static void lookup_plain(struct xtr_line *l, const json_t *v)
{
	xtr_line_json(l, "lookup", json_object_get(v, "eid"));
	xtr_line_json(l, "instance", json_object_get(v, "iid"));
	xtr_line_json(l, "length", json_object_get(v, "length"));
}

static void steps_plain(struct xtr_line *l, const json_t *v, const char *from)
{
	bool lispers = !strcmp(xtr_json_str(v, "profile"), "lispers-net");
	const json_t *set = json_object_get(v, "set");

	xtr_line_json(l, "index", json_object_get(v, "index"));
	xtr_line_json(l, "name", json_object_get(v, "name"));
	xtr_line_more(l);
	parameters_plain(l, v);
	xtr_line_word(l, from);
	if (xtr_json_has(v, "lookup")) {
		xtr_line_more(l);
		lookup_plain(l, json_object_get(v, "lookup"));
		xtr_line_json(l, "gives", json_object_get(v, "masked"));
	}
	if (strcmp(xtr_json_str(v, "full"), xtr_json_str(v, "string"))) {
		xtr_line_more(l);
		xtr_line_json(l, "before the hash-mask", json_object_get(v, "full"));
	}
	xtr_line_more(l);
	xtr_line_json(l, "string", json_object_get(v, "string"));
	xtr_line_more(l);
	xtr_line_json(l, lispers ? "hmac-sha-256" : "sha-256", json_object_get(v, "digest"));
	xtr_line_more(l);
	xtr_line_pair(l, "index", "%" JSON_INTEGER_FORMAT " = 0x%s mod %" JSON_INTEGER_FORMAT, xtr_json_int(v, "index"),
		      xtr_json_str(v, "number"), xtr_json_int(v, "modulus"));
	if (xtr_json_true(v, "too_short")) {
		xtr_line_more(l);
		xtr_line_word(l, "too short to be registered at one index: EIDs inside it are looked up at others");
	}
	if (json_is_object(set)) {
		problem_plain(l, set);
		addresses_plain(l, set);
	}
}

static void hash_plain(FILE *f, const json_t *v)
{
	bool daemon = !strcmp(xtr_json_str(v, "parameters"), "daemon");
	const json_t *old = json_object_get(v, "old");
	char name[XTR_EID_STRLEN];
	struct xtr_line l;

	xtr_line_id(&l, f, "%s", xtr_cli_row_name(v, name, sizeof(name)));
	steps_plain(&l, v, daemon ? "parameters of the running xtrd" : "parameters of the command line");
	if (json_is_object(old)) {
		xtr_line_more(&l);
		xtr_line_word(&l, "until the change of parameters is over also:");
		steps_plain(&l, old, "parameters before the change");
	}
	xtr_line_end(&l);
}

/* --- hash */

struct hash_words {
	struct xtr_eid_prefix eid;
	bool has_eid, has_iid, has_modulus, has_other;
	struct params p;
};

static int take_eid(struct xtr_cli *c, const char *word, struct hash_words *a)
{
	uint32_t iid = a->eid.iid;

	if (xtr_eid_parse(word, &a->eid))
		return xtr_cli_error(c, "'%s' is no EID: write 10.2.0.1, 10.2.0.0/24, fd02::/64, 0a0b-0c0d-0e0f, 'name', "
				     "(S,G), (*,G), or [5]10.2.0.1 for instance 5", word);
	if (*word == '[' && a->has_iid && iid != a->eid.iid)
		return xtr_cli_error(c, "'%s' is not of instance %u", word, iid);
	if (*word != '[')
		a->eid.iid = iid;
	a->has_iid |= *word == '[';
	a->has_eid = true;
	return 0;
}

static int take_iid(struct xtr_cli *c, struct xtr_words *w, struct hash_words *a)
{
	uint32_t iid;

	if (xtr_words_number(c, w, "instance", UINT32_MAX, &iid))
		return -1;
	if (a->has_iid && iid != a->eid.iid)
		return xtr_cli_error(c, "the EID is of instance %u, not %u", a->eid.iid, iid);
	a->eid.iid = iid;
	a->has_iid = true;
	return 0;
}

static int take_profile(struct xtr_cli *c, struct xtr_words *w, struct hash_words *a)
{
	const char *word = xtr_words_value(c, w, "profile");
	int profile = word ? xtr_decent_profile_parse(word) : -1;

	if (word && profile < 0)
		return xtr_cli_error(c, "profile: '%s' is none of rfc9962, draft10, lispers-net", word);
	a->p.h.profile = (uint8_t)profile;
	return word ? 0 : -1;
}

/* A keyword and its value. 1: none. */
static int take_parameter(struct xtr_cli *c, struct xtr_words *w, struct hash_words *a)
{
	uint32_t n = 0;
	int rc;

	if (xtr_words_is(w, "modulus")) {
		rc = xtr_words_number(c, w, "modulus", XTR_DECENT_MODULUS_MAX, &a->p.h.modulus);
		a->has_modulus = true;
		return rc;
	}
	if (xtr_words_is(w, "profile")) {
		rc = take_profile(c, w, a);
	} else if (xtr_words_is(w, "hash-mask")) {
		rc = xtr_words_number(c, w, "hash-mask", UINT16_MAX, &n);
		a->p.h.hash_mask = (uint16_t)n;
	} else if (xtr_words_is(w, "digest-octets")) {
		rc = xtr_words_number(c, w, "digest-octets", XTR_DECENT_DIGEST, &n);
		a->p.h.digest_octets = (uint8_t)n;
	} else if (xtr_words_is(w, "lookup")) {
		rc = take_lookup(c, w, &a->p);
	} else if (xtr_words_is(w, "suffix")) {
		const char *word = xtr_words_value(c, w, "suffix");

		rc = word ? set_suffix(c, &a->p, word) : -1;
	} else {
		return 1;
	}
	a->has_other = true;
	return rc;
}

static int take_words(struct xtr_cli *c, struct xtr_words *w, struct hash_words *a)
{
	while (xtr_words_peek(w)) {
		int rc;

		if (!a->has_eid && strchr("[('", *xtr_words_peek(w)) && *xtr_words_peek(w))
			rc = take_eid(c, xtr_words_take(w), a);
		else if (xtr_words_is(w, "instance"))
			rc = take_iid(c, w, a);
		else
			rc = take_parameter(c, w, a);
		if (rc == 1) {
			if (a->has_eid)
				return xtr_words_end(c, w);
			rc = take_eid(c, xtr_words_take(w), a);
		}
		if (rc)
			return -1;
	}
	if (!a->has_eid)
		return xtr_cli_error(c, "'hash' wants an EID");
	if (a->p.h.digest_octets && a->p.h.profile != XTR_DECENT_LISPERS)
		return xtr_cli_error(c, "digest-octets is of profile lispers-net: the others take the whole digest");
	return 0;
}

#define SAY_MODULUS "say 'modulus M', the number of Map-Server sets (and profile, suffix ... where they are not the default)"

/* pull of the running daemon; 0, or -1 with an error that names the way out. */
static int ask_daemon(struct xtr_cli *c, bool other, json_t **shown, json_t **names)
{
	int rc;

	if (other)
		return xtr_cli_error(c, "the index needs the modulus: " SAY_MODULUS
				     "; or say none of the parameters, and those of the running xtrd are taken");
	rc = xtr_cli_try(c, "decent", "show", NULL, shown);
	if (rc == 1)
		return xtr_cli_error(c, "the index needs the modulus, and xtrd is not running (nobody answers at %s): "
				     SAY_MODULUS, c->socket);
	if (rc)
		return -1;
	if (!xtr_json_has(*shown, "pull"))
		return xtr_cli_error(c, "the index needs the modulus, and the running xtrd has no decent.pull: " SAY_MODULUS);
	return xtr_cli_call(c, "decent", "names", NULL, names);
}

/* Adds "old": the same with the parameters before a change, while they count. */
static int add_old(struct xtr_cli *c, const json_t *pull, const struct xtr_eid_prefix *eid, const json_t *names, json_t *v)
{
	const json_t *old = json_object_get(pull, "old");
	struct params p = { .lookups = NULL };
	json_t *steps = NULL;

	if (!json_is_object(old))
		return json_object_set_new(v, "old", json_null());
	if (!params_of_json(c, old, &p))
		steps = hash_json(c, &p, eid, names);
	free(p.lookups);
	return steps ? json_object_set_new(v, "old", steps) : -1;
}

static int do_hash(struct xtr_cli *c, struct xtr_words *w)
{
	struct hash_words a = { .has_eid = false };
	json_t *shown = NULL, *names = NULL, *v = NULL;
	const json_t *pull = NULL;
	int rc = take_words(c, w, &a);

	if (!rc && !a.has_modulus) {
		rc = ask_daemon(c, a.has_other, &shown, &names);
		pull = json_object_get(shown, "pull");
		if (!rc)
			rc = params_of_json(c, pull, &a.p);
	}
	if (!rc)
		v = hash_json(c, &a.p, &a.eid, names);
	if (v) {
		json_object_set_new(v, "iid", json_integer(a.eid.iid));
		json_object_set_new(v, "eid", eid_text(&a.eid));
		json_object_set_new(v, "parameters", json_string(pull ? "daemon" : "arguments"));
		rc = add_old(c, pull, &a.eid, names, v);
	} else {
		rc = -1;
	}
	if (!rc)
		rc = xtr_cli_emit(c, v, hash_plain);
	else
		json_decref(v);
	json_decref(shown);
	json_decref(names);
	free(a.p.lookups);
	return rc;
}

/* --- what the daemon knows */

static void name_plain(FILE *f, const json_t *v)
{
	struct xtr_line l;

	xtr_line_id(&l, f, "%s", xtr_json_str(v, "name"));
	if (xtr_json_true(v, "stale"))
		xtr_line_word(&l, "STALE");
	if (xtr_json_true(v, "saved"))
		xtr_line_word(&l, "from the state directory");
	if (xtr_json_true(v, "old"))
		xtr_line_word(&l, "of the parameters before the change");
	if (xtr_json_true(v, "self"))
		xtr_line_word(&l, "served here");
	if (xtr_json_true(v, "authenticated"))
		xtr_line_word(&l, "dnssec");
	xtr_line_json(&l, "our EID-prefixes", json_object_get(v, "registered"));
	if (xtr_json_has(v, "age"))
		xtr_line_age(&l, "ttl", json_object_get(v, "ttl"), "");
	xtr_line_age(&l, "answered", json_object_get(v, "age"), " ago");
	xtr_line_age(&l, "next in", json_object_get(v, "next"), "");
	if (xtr_json_int(v, "failures"))
		xtr_line_json(&l, "failures", json_object_get(v, "failures"));
	if (xtr_json_int(v, "ignored"))
		xtr_line_json(&l, "ignored addresses", json_object_get(v, "ignored"));
	problem_plain(&l, v);
	addresses_plain(&l, v);
	xtr_line_end(&l);
}

static void member_plain(struct xtr_line *l, const json_t *m)
{
	xtr_line_more(l);
	xtr_line_json(l, "member", json_object_get(m, "address"));
	xtr_line_word(l, xtr_json_str(m, "state"));
	if (strcmp(xtr_json_str(m, "state"), "self"))
		xtr_line_word(l, xtr_json_true(m, "acked") ? "acknowledged" : "not acknowledged");
	xtr_line_age(l, "for", json_object_get(m, "since"), "");
	xtr_line_age(l, "last acknowledged", json_object_get(m, "last_ack"), " ago");
}

static void group_plain(FILE *f, const json_t *v)
{
	const json_t *m;
	struct xtr_line l;
	size_t i;

	xtr_line_id(&l, f, "%s", xtr_json_str(v, "group"));
	xtr_line_word(&l, xtr_json_true(v, "member") ? "member" : "not a member");
	if (xtr_json_true(v, "own"))
		xtr_line_word(&l, "own group");
	if (xtr_json_true(v, "core"))
		xtr_line_word(&l, "core");
	xtr_line_json(&l, "transport", json_object_get(v, "transport"));
	xtr_line_json(&l, "membership by", json_object_get(v, "via"));
	if (!xtr_json_true(v, "known"))
		xtr_line_word(&l, "members NOT KNOWN yet");
	if (xtr_json_true(v, "subscribed"))
		xtr_line_word(&l, "subscribed");
	xtr_line_age(&l, "next lookup in", json_object_get(v, "next_lookup"), "");
	problem_plain(&l, v);
	json_array_foreach(json_object_get(v, "members"), i, m)
		member_plain(&l, m);
	xtr_line_end(&l);
}

static void names_plain(FILE *f, const json_t *v)
{
	xtr_cli_each_plain(f, v, name_plain);
}

static void groups_plain(FILE *f, const json_t *v)
{
	xtr_cli_each_plain(f, v, group_plain);
}

static void lookups_plain(struct xtr_line *l, const json_t *v)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(v, "lookups"), i, e) {
		xtr_line_more(l);
		lookup_plain(l, e);
	}
}

static void pull_plain(FILE *f, const json_t *v)
{
	const json_t *old = json_object_get(v, "old");
	struct xtr_line l;

	xtr_line_id(&l, f, "pull");
	parameters_plain(&l, v);
	xtr_line_json(&l, "short prefixes", json_object_get(v, "short_prefixes"));
	xtr_line_json(&l, "family", json_object_get(v, "family"));
	if (xtr_json_true(v, "require_dnssec"))
		xtr_line_word(&l, "dnssec required");
	xtr_line_json(&l, "names in use", json_object_get(v, "names"));
	if (xtr_json_int(v, "stale"))
		xtr_line_json(&l, "STALE", json_object_get(v, "stale"));
	lookups_plain(&l, v);
	if (json_is_object(old)) {
		xtr_line_more(&l);
		xtr_line_age(&l, "before the change, for", json_object_get(old, "left"), " more:");
		parameters_plain(&l, old);
		lookups_plain(&l, old);
	}
	xtr_line_end(&l);
}

static void dns_plain(FILE *f, const json_t *v)
{
	static const char *const kinds[][2] = { { "servers", "server" }, { "https", "server" } };
	const json_t *s;
	struct xtr_line l;
	size_t i;

	xtr_line_id(&l, f, "dns");
	for (unsigned k = 0; k < 2; k++)
		json_array_foreach(json_object_get(v, kinds[k][0]), i, s)
			xtr_line_json(&l, kinds[k][1], s);
	if (!json_array_size(json_object_get(v, "servers")) && !json_array_size(json_object_get(v, "https")))
		xtr_line_word(&l, "servers of /etc/resolv.conf");
	xtr_line_json(&l, "lookups", json_object_get(v, "lookups"));
	xtr_line_json(&l, "failures", json_object_get(v, "failures"));
	xtr_line_end(&l);
}

static void fetched_plain(FILE *f, const json_t *v)
{
	struct xtr_line l;

	xtr_line_id(&l, f, "parameters");
	xtr_line_json(&l, "url", json_object_get(v, "url"));
	xtr_line_word(&l, xtr_json_true(v, "used") ? "in use" : "NOT IN USE");
	xtr_line_json(&l, "serial", json_object_get(v, "serial"));
	if (xtr_json_true(v, "saved"))
		xtr_line_word(&l, "from the state directory");
	xtr_line_age(&l, "fetched", json_object_get(v, "age"), " ago");
	xtr_line_age(&l, "next in", json_object_get(v, "next"), "");
	if (xtr_json_int(v, "failures"))
		xtr_line_json(&l, "failures", json_object_get(v, "failures"));
	problem_plain(&l, v);
	xtr_line_end(&l);
}

static void show_plain(FILE *f, const json_t *v)
{
	if (xtr_json_has(v, "pull"))
		pull_plain(f, json_object_get(v, "pull"));
	if (xtr_json_has(v, "dns"))
		dns_plain(f, json_object_get(v, "dns"));
	if (xtr_json_has(v, "parameters"))
		fetched_plain(f, json_object_get(v, "parameters"));
	groups_plain(f, json_object_get(v, "push"));
}

static int show(struct xtr_cli *c, struct xtr_words *w, const char *what, xtr_cli_plain *plain, const char *none)
{
	json_t *v = NULL;
	bool any;

	if (xtr_words_end(c, w) || xtr_cli_call(c, "decent", what, NULL, &v))
		return -1;
	any = json_is_array(v) ? json_array_size(v) > 0 : xtr_json_has(v, "pull") || xtr_json_has(v, "push");
	if (!any)
		xtr_cli_note(c, "%s", none);
	return xtr_cli_emit(c, v, plain);
}

static int do_show(struct xtr_cli *c, struct xtr_words *w)
{
	return show(c, w, "show", show_plain, "LISP-Decent is not configured here (decent)");
}

static int do_names(struct xtr_cli *c, struct xtr_words *w)
{
	return show(c, w, "names", names_plain,
		    "no name is in use: nothing was registered or looked up by decent.pull, or it is not configured");
}

static int do_groups(struct xtr_cli *c, struct xtr_words *w)
{
	return show(c, w, "groups", groups_plain, "no seed-group is configured here (decent.push)");
}

const struct xtr_cli_cmd xtr_cmd_decent[] = {
	{ "show", do_show, "", "parameters of the pull system, seed-groups, and how DNS does" },
	{ "names", do_names, "", "DNS names of Map-Server sets in use, with their addresses, and what is wrong with them" },
	{ "groups", do_groups, "", "seed-groups with their members" },
	{ "hash", do_hash,
	  "EID [instance N] [profile PROFILE] [modulus M] [hash-mask N] [digest-octets N] [lookup PREFIX:LENGTH]... [suffix NAME]",
	  "each step from an EID to the index and name of its Map-Servers" },
	{ NULL, NULL, NULL, NULL },
};
