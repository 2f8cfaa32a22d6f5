/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A declarative table of keys, and the engine that turns a YAML tree into a struct by it: types,
 * ranges, defaults, documentation, and errors with the place, the reason and the way out. The same
 * table prints the reference and the configuration in effect, so none of them can differ from
 * another.
 */
#ifndef XTR_DAEMON_SCHEMA_H
#define XTR_DAEMON_SCHEMA_H

#include <jansson.h>
#include <stdint.h>

#include "codec/eid.h"
#include "daemon/yaml.h"
#include "util/ip.h"

enum xtr_schema_type {
	XTR_T_BOOL,     /* bool */
	XTR_T_UINT,     /* uint8_t, uint16_t, uint32_t by size */
	XTR_T_SECONDS,  /* uint32_t milliseconds, as are min and max; written in seconds, fractions
			 * allowed */
	XTR_T_ENUM,     /* uint8_t or uint32_t: value of the name */
	XTR_T_STRING,   /* const char * */
	XTR_T_PATH,     /* const char *, absolute, at most max characters */
	XTR_T_IFNAME,   /* const char *, name of an interface, at most max characters */
	XTR_T_IP,       /* struct xtr_ip */
	XTR_T_PREFIX,   /* struct xtr_ippfx */
	XTR_T_EID,      /* struct xtr_eid_prefix of any family, with "[instance]" in front or without */
	XTR_T_ID,       /* struct xtr_schema_id: octets from hexadecimal digits or a number */
	XTR_T_SECTION,  /* struct that begins with const struct xtr_yaml *at: NULL if not written */
	XTR_T_LIST,     /* XTR_SCHEMA_LIST of element */
};
enum {
	XTR_K_REQUIRED  = 1 << 0, /* in its section, if that is written */
	XTR_K_RESTART   = 1 << 1, /* takes effect at start only */
	XTR_K_HOST_BITS = 1 << 2, /* prefix: of a host: with its length (10.1.0.1/24) or alone */
	XTR_K_EID       = 1 << 3, /* prefix: unicast; no loopback, link-local or multicast */
	XTR_K_NONEMPTY  = 1 << 4, /* list: at least one */
	XTR_K_MULTICAST = 1 << 5, /* prefix: multicast; address: a group that leaves its link */
	XTR_K_NO_IID    = 1 << 6, /* EID: the instance is a key of its own */
	XTR_K_ANY       = 1 << 7, /* whole number: "any" is UINT32_MAX */
};
struct xtr_schema_name { const char *name; uint32_t value; };
struct xtr_schema;
struct xtr_schema_key {
	const char *name;
	enum xtr_schema_type type;
	uint32_t flags;
	size_t offset, size;
	uint64_t min, max;                   /* UINT, SECONDS; PATH, IFNAME, LIST: max only */
	const char *def;                     /* as it would be written; NULL: none, or see doc */
	const char *doc;                     /* one line for the reference */
	const struct xtr_schema_name *names; /* ENUM; ends with a NULL name */
	const struct xtr_schema *of;         /* SECTION, LIST of sections */
	enum xtr_schema_type element;        /* LIST */
	size_t element_size;
};
struct xtr_schema {
	const char *what;                    /* for messages: "itr", "an entry of rlocs" */
	const char *identity;                /* key that tells entries of a list apart, or NULL */
	const struct xtr_schema_key *keys;   /* ends with a NULL name */
	/* In a comparison: text that differs when something that is not a key differs (the contents
	 * of a file). May be NULL. */
	uint64_t (*extra)(const void *section);
};

#define XTR_SCHEMA_LIST(type) struct { type *items; const struct xtr_yaml **at; unsigned count; }
struct xtr_schema_list { char *items; const struct xtr_yaml **at; unsigned count; };
struct xtr_schema_id { bool automatic; uint8_t size; uint8_t octets[16]; };

/* Fills the zeroed struct at out from tree (NULL: nothing is written, defaults only). Elements of
 * lists that have an error are left out. 0, or -EINVAL with errors added, or -ENOMEM. */
int xtr_schema_read(const struct xtr_schema *s, const struct xtr_yaml *tree, void *out,
		    struct xtr_arena *arena, struct xtr_yaml_errors *errors);
/* The values as an object; sections that are not written are left out. NULL: no memory. */
json_t *xtr_schema_json(const struct xtr_schema *s, const void *values);
/* One line for each difference: put(ctx, "timers.register-interval: 60 -> 30"). */
void xtr_schema_diff(const struct xtr_schema *s, const void *old, const void *new,
		     void (*put)(void *ctx, const char *line), void *ctx);
/* Adds an error for every key with XTR_K_RESTART that differs. */
void xtr_schema_check_restart(const struct xtr_schema *s, const void *old, const void *new,
			      struct xtr_yaml_errors *errors);
/* A group that routers forward: not of one link (224.0.0.0/24, ff02::/16) or host (ff01::/16). */
bool xtr_schema_is_group(const struct xtr_ip *ip);
/* Milliseconds as seconds: "60", "0.5". */
void xtr_schema_seconds(uint64_t ms, char buf[32]);
/* Every key with type, default and documentation, in the shape of a configuration. */
void xtr_schema_print(const struct xtr_schema *s, FILE *f);

#endif
