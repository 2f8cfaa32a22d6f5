/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How the tables of keys are written (config_schema.c, config_schema_decent.c): one macro for each
 * type of key.
 */
#ifndef XTR_DAEMON_CONFIG_SCHEMA_H
#define XTR_DAEMON_CONFIG_SCHEMA_H

#include "codec/msg.h"
#include "daemon/config.h"

#define KEY(T, f, n, t) .name = n, .type = t, .offset = offsetof(T, f), .size = sizeof(((T *)0)->f)
#define BOOL(T, f, n, fl, d, text) \
	{ KEY(T, f, n, XTR_T_BOOL), .flags = fl, .def = d, .doc = text }
#define UINT(T, f, n, fl, lo, hi, d, text) \
	{ KEY(T, f, n, XTR_T_UINT), .flags = fl, .min = lo, .max = hi, .def = d, .doc = text }
#define SECS(T, f, n, fl, lo, hi, d, text) \
	{ KEY(T, f, n, XTR_T_SECONDS), .flags = fl, .min = lo, .max = hi, .def = d, .doc = text }
#define ENUM(T, f, n, fl, tab, d, text) \
	{ KEY(T, f, n, XTR_T_ENUM), .flags = fl, .names = tab, .def = d, .doc = text }
#define TEXT(T, f, n, t, fl, d, text) \
	{ KEY(T, f, n, t), .flags = fl, .def = d, .doc = text }
#define PATH(T, f, n, fl, longest, d, text) \
	{ KEY(T, f, n, XTR_T_PATH), .flags = fl, .max = longest, .def = d, .doc = text }
#define IFNAME(T, f, n, fl, longest, text) \
	{ KEY(T, f, n, XTR_T_IFNAME), .flags = fl, .max = longest, .doc = text }
#define ID(T, f, n, octets, d, text) \
	{ KEY(T, f, n, XTR_T_ID), .max = octets, .def = d, .doc = text }
#define SECTION(T, f, n, schema, text) \
	{ KEY(T, f, n, XTR_T_SECTION), .of = &(schema), .doc = text }
#define LIST(T, f, n, fl, most, schema, text) \
	{ KEY(T, f, n, XTR_T_LIST), .flags = fl, .max = most, .of = &(schema), .doc = text, \
	  .element = XTR_T_SECTION, .element_size = sizeof(*((T *)0)->f.items) }
#define LIST_OF(T, f, n, fl, most, elem, text) \
	{ KEY(T, f, n, XTR_T_LIST), .flags = fl, .max = most, .doc = text, \
	  .element = elem, .element_size = sizeof(*((T *)0)->f.items) }
/* in a section that is in effect though it is not written */
#define LIST_OPTIONAL_OF(T, f, n, fl, most, elem, text) \
	{ KEY(T, f, n, XTR_T_LIST), .flags = fl, .max = most, .def = "[]", .doc = text, \
	  .element = elem, .element_size = sizeof(*((T *)0)->f.items) }
#define END { .name = NULL }

#define IID_HI 0xfffffe /* 0xffffff marks control messages in data packets (RFC 9962) */
#define HOUR   3600000u

extern const struct xtr_schema_name xtr_conf_algorithms[];
/* Compares the secret of a section that begins with a struct xtr_conf_key. */
uint64_t xtr_conf_key_extra(const void *section);
extern const struct xtr_schema xtr_conf_decent_schema;

#define KEY_FIELDS(T, k, need) \
	PATH(T, k file, "key-file", need, 4095, NULL, "file with the shared secret in its first line, mode 0600"), \
	UINT(T, k key_id, "key-id", 0, 0, 255, "0", "number both sides know the secret by"), \
	ENUM(T, k algorithm, "algorithm", 0, xtr_conf_algorithms, "hmac-sha-256-128", "how messages are authenticated (RFC 9301 5.6)")
/* How we register: a key and the flags of Map-Register. proxy: default of the P bit. */
#define SERVER_FIELDS(T, k, need, proxy) \
	KEY_FIELDS(T, k key., need), \
	BOOL(T, k proxy_reply, "proxy-reply", 0, proxy, "let the Map-Server answer for us (P bit)"), \
	BOOL(T, k want_notify, "want-map-notify", 0, "true", "ask for acknowledgements (M bit)"), \
	BOOL(T, k merge, "merge", 0, "false", "merge our locators with those of other ETRs of the site (a bit)"), \
	BOOL(T, k use_ttl, "use-ttl", 0, "false", "the registration lives as long as the TTL of the record (T bit)")

#endif
