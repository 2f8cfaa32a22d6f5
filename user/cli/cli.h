/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the objects of xtrctl share: the command tables, the words of the command line, talking to the
 * daemon, and output.
 *
 * A command makes one JSON value and hands it over with a function that prints it for people (xtr_cli_emit). So under
 * -j every command prints exactly one JSON value (monitor: one a line), and plain text and JSON can not
 * disagree. The JSON is a promise, described by xtrctl.schema.json: keys are only ever added.
 */
#ifndef XTR_CLI_CLI_H
#define XTR_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "codec/eid.h"
#include "dp/dp.h"
#include "util/err.h"

/* --- one run of the tool */
struct xtr_cli {
	const char *socket;        /* -s */
	const char *bpffs;         /* -B */
	bool json, pretty;         /* -j, -p */
	bool in_batch;
	json_t *held;              /* batch under -j: the value of the command that is running */
	bool in_array, array_empty; /* between xtr_cli_array_begin() and _end() */
	bool failed;               /* an error was printed */
	bool hangs;                /* xtrd took the last question and did not answer it */
	char **caught;             /* not NULL: the next error is not printed, its text goes here, to be freed */
};

/* --- words of the command line, taken from the front */
struct xtr_words {
	char **v;
	int n;
};
const char *xtr_words_peek(const struct xtr_words *w);          /* NULL at the end */
const char *xtr_words_take(struct xtr_words *w);                /* NULL at the end */
/* Takes the next word if it is keyword or the beginning of it, as bpftool does. */
bool xtr_words_is(struct xtr_words *w, const char *keyword);
/* 0 if nothing is left; else says which word is unknown and returns -1. */
int xtr_words_end(struct xtr_cli *c, const struct xtr_words *w);
/* Takes the value of a keyword; says that it is missing and returns NULL. */
const char *xtr_words_value(struct xtr_cli *c, struct xtr_words *w, const char *keyword);
/* Takes "N" up to max. 0, or -1 with an error printed. */
int xtr_words_number(struct xtr_cli *c, struct xtr_words *w, const char *keyword, uint32_t max, uint32_t *out);

/* --- command tables; names match by prefix in table order; "help" comes after them */
typedef int xtr_cli_fn(struct xtr_cli *c, struct xtr_words *w);
struct xtr_cli_cmd {
	const char *name;          /* NULL ends the table */
	xtr_cli_fn *fn;
	const char *args;          /* grammar of what follows, "" if nothing */
	const char *help;          /* one line */
};
struct xtr_cli_object {
	const char *name;          /* NULL ends the table */
	const struct xtr_cli_cmd *cmds;
	const char *help;          /* one line */
	const char *terms;         /* "EID := ..." lines of the grammar, or NULL */
	bool direct;               /* no command word: cmds[0] takes the words (lig, monitor, detach) */
	bool whole;                /* the name is not matched by prefix: it is no word to slip on (detach) */
};
extern const struct xtr_cli_object xtr_cli_objects[];
extern const struct xtr_cli_cmd xtr_cmd_cache[], xtr_cmd_eid[], xtr_cmd_site[], xtr_cmd_decent[], xtr_cmd_rloc[], xtr_cmd_iface[],
	xtr_cmd_stats[], xtr_cmd_map[], xtr_cmd_prog[], xtr_cmd_feature[], xtr_cmd_config[], xtr_cmd_detach[],
	xtr_cmd_lig[], xtr_cmd_monitor[], xtr_cmd_version[], xtr_cmd_batch[];
xtr_cli_fn xtr_cache_show; /* cache_show.c */
xtr_cli_fn xtr_stats_maps; /* stats_maps.c */
void xtr_stats_pressure(struct xtr_cli *c); /* a remark about each map that is nearly full */
#define XTR_CLI_EID_TERM \
	"EID := { ADDRESS | PREFIX | MAC | 'NAME' | (SOURCE,GROUP) | (*,GROUP) }, [N] before it: of instance N\n"
extern const char xtr_cli_event_terms[]; /* of monitor: the kinds of events */
/* Runs one command line. 0, or -1 with an error printed. */
int xtr_cli_run(struct xtr_cli *c, struct xtr_words *w);
int xtr_cli_help(struct xtr_cli *c, const struct xtr_cli_object *o);

/* --- results and errors */
typedef void xtr_cli_plain(FILE *f, const json_t *v);
/* The plain form of an array: that of each member. */
void xtr_cli_each_plain(FILE *f, const json_t *rows, xtr_cli_plain *row);
/* Steals v. Returns 0, or -1 when out of memory (v NULL). */
int xtr_cli_emit(struct xtr_cli *c, json_t *v, xtr_cli_plain *plain);
/* A list that may be long: printed item by item. */
void xtr_cli_array_begin(struct xtr_cli *c);
int xtr_cli_array_item(struct xtr_cli *c, json_t *v, xtr_cli_plain *plain);
void xtr_cli_array_end(struct xtr_cli *c);
/* Prints "Error: ..." or {"error": ...}; returns -1. */
int xtr_cli_error(struct xtr_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A remark on stderr, in plain output only. */
void xtr_cli_note(struct xtr_cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- the daemon and the pins */
#define XTR_CLI_TIMEOUT_MS 10000
#define XTR_CLI_SOON_MS 2000 /* for what the pins say, too */
/* Asks the daemon; args is stolen. 0, or -1 with the error printed. */
int xtr_cli_call(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result);
/* The same, but when no daemon runs: 1 and nothing printed. */
int xtr_cli_try(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result);
/* The same, for what is asked for in parts: *more, if there is more than the result. */
int xtr_cli_part(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result, bool *more);
/* The same, of what the pins tell without the daemon: one that does not answer soon is as one that does not run. */
int xtr_cli_soon(struct xtr_cli *c, const char *object, const char *command, json_t *args, json_t **result, bool *more);
int xtr_cli_no_daemon(struct xtr_cli *c); /* says so, returns -1 */
/* The error of a failed xtr_ctl_call(); returns -1, *result is NULL. */
int xtr_cli_refused(struct xtr_cli *c, json_t **result, const struct xtr_err *err);
bool xtr_cli_daemon_up(struct xtr_cli *c);
/* Opens the pins; notes on stderr when no daemon keeps them true. 0, or -1 with the error printed. */
int xtr_cli_view(struct xtr_cli *c, struct xtr_dp_view **v);

/* --- EID arguments: EID [instance N] */
struct xtr_cli_eid {
	uint32_t iid;
	struct xtr_eid_prefix eid; /* as in instance 0, where rows are, too */
	struct xtr_ippfx pfx;      /* family 0: it is none of IPv4 or IPv6 */
	bool given, host;          /* host: an address, wants the longest match */
	bool iid_given;
};
/* Parses the text of an EID. 0, or -1 with an error printed. */
int xtr_cli_eid_parse(struct xtr_cli *c, const char *word, struct xtr_cli_eid *out);
/* Takes "[EID] [instance N]". 0, or -1 with an error printed. */
int xtr_cli_eid_take(struct xtr_cli *c, struct xtr_words *w, struct xtr_cli_eid *out);
/* "10.2.0.0/24", and "[5]10.2.0.0/24" outside instance 0. */
const char *xtr_cli_eid_name(uint32_t iid, const char *eid, char *buf, size_t size);
const char *xtr_cli_row_name(const json_t *row, char *buf, size_t size);
/* Without the instance; of an address that wants the longest match without "/32". */
const char *xtr_cli_eid_text(const struct xtr_cli_eid *e, char buf[XTR_EID_STRLEN]);
json_t *xtr_cli_eid_args(const struct xtr_cli_eid *e);
/* Keeps of rows [{iid, eid}] what e asks for: of a prefix itself and what is inside; of an address, or
 * when there is nothing inside, the longest match. */
void xtr_cli_eid_filter(json_t *rows, const struct xtr_cli_eid *e);

/* A list of the daemon that may be long, of what e asks for: page.c. */
struct xtr_cli_list {
	const char *object;        /* its command show */
	const struct xtr_cli_eid *e;
	const char *name;          /* of a site, or NULL */
	bool by_count;             /* the daemon goes on behind a number of rows, not behind an EID */
	bool (*take)(void *arg, json_t *row); /* may add to a row; false: it is not shown. NULL: all are */
	void *arg;
	xtr_cli_plain *plain;
};
/* 0; 1: there are none, and nothing was printed; -1 with the error printed. */
int xtr_cli_pages(struct xtr_cli *c, const struct xtr_cli_list *l);

/* In order of site, instance, prefix, Map-Server; of id or ifindex. Steals rows. */
json_t *xtr_cli_sort_eids(json_t *rows);
json_t *xtr_cli_sort_ids(json_t *rows);

/* --- plain output: "ID: key value  key value", continued on lines that begin with a tab */
struct xtr_line {
	FILE *f;
	const char *sep;
};
/* id: "ID:"; then words and pairs; more: goes on in a line that begins with a tab; end: ends the last one. Names and texts of
 * others are printed so that they do nothing to a terminal. */
void xtr_line_id(struct xtr_line *l, FILE *f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void xtr_line_more(struct xtr_line *l);
void xtr_line_end(struct xtr_line *l);
void xtr_line_word(struct xtr_line *l, const char *word);
void xtr_line_pair(struct xtr_line *l, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void xtr_line_json(struct xtr_line *l, const char *key, const json_t *v);  /* nothing for null */
void xtr_line_no_way(struct xtr_line *l, const json_t *v);                 /* of a locator whose template is down */
void xtr_line_age(struct xtr_line *l, const char *key, const json_t *seconds, const char *suffix);
/* Writes text that came from elsewhere: what a terminal could take for a command is shown as \xNN. */
void xtr_put_text(FILE *f, const char *s);
/* 1d2h, 3h5m, 12s, 0.25s */
const char *xtr_age_str(double seconds, char *buf, size_t size);

/* --- small JSON helpers: NULL and wrong types read as nothing */
const char *xtr_json_str(const json_t *o, const char *key);   /* "" if absent */
json_int_t xtr_json_int(const json_t *o, const char *key);
bool xtr_json_true(const json_t *o, const char *key);
bool xtr_json_has(const json_t *o, const char *key);          /* present and not null */
json_t *xtr_json_mac(const uint8_t mac[6]);
/* null: there is none, or it is unspecified. */
json_t *xtr_json_ip(const struct xtr_abi_ip *ip, uint8_t family);
json_t *xtr_json_ifname(uint32_t ifindex);                    /* name, or null when it is gone */

#endif
