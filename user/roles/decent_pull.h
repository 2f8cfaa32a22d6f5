/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Between the files of the pull role: decent_pull.c answers the other roles, decent_names.c looks
 * names up, decent_params.c keeps the parameters, before and after a change.
 */
#ifndef XTR_ROLES_DECENT_PULL_H
#define XTR_ROLES_DECENT_PULL_H

#include "util/hash.h"
#include "core/nameset.h"
#include "core/ratelimit.h"
#include "roles/decent.h"

#define XTR_PULL_NAMES_MAX 4096
#define XTR_PULL_BLOB_MAX  262144

/* Parameters with memory of their own. Only hash and suffix are different ones before and after a
 * change; keys, flags and rules are always those of the configuration of now. */
struct xtr_pull_params {
	bool used;
	struct xtr_pull_config cfg;
	char suffix[XTR_DECENT_NAME_MAX];
	struct xtr_decent_lookup *lookups;
	uint32_t zone; /* number of the suffix: the same for the same */
};
enum { XTR_PULL_NEW, XTR_PULL_OLD };

struct xtr_pull_key {
	uint32_t zone, index;
};
struct xtr_pull_name {
	struct xtr_pull *pull;
	struct xtr_pull_key key;
	uint32_t id;   /* of its lookups */
	bool asking;   /* an answer is on its way */
	bool started;  /* asked for since start */
	/* EID-prefixes of ours registered there, by the parameters of now, and only by those
	 * before: it is looked up as long as there are any. */
	unsigned pins[2];
	unsigned mark; /* last EID-prefix counted in pins */
	bool is_new;   /* in use by the parameters of now */
	uint64_t used;
	struct xtr_nameset set;
	struct xtr_timer timer;
	UT_hash_handle hh, by_id;
};
struct xtr_pull {
	struct xtr_env *env;
	struct xtr_pull_params params[2];
	uint32_t zones; /* last number given */
	struct xtr_timer window; /* end of params[XTR_PULL_OLD] */
	uint64_t since;          /* params[XTR_PULL_NEW] came; 0: at the start or before */
	struct xtr_bucket fresh; /* new names that the network makes us look up */
	struct xtr_timer save;
	struct xtr_name_rules rules;
	struct xtr_pull_name *names, *ids;
	unsigned name_count;
	uint32_t last_id;
	uint64_t saved_at; /* XTR_NEVER */
	bool loaded;
	char text[512]; /* of the last problem told */
};

/* --- decent_names.c */
/* The name of an index, looked up if it was not yet; NULL if there are too many. */
struct xtr_pull_name *xtr_pull_name(struct xtr_pull *p, unsigned which, uint32_t index);
struct xtr_pull_name *xtr_pull_name_find(const struct xtr_pull *p, uint32_t zone, uint32_t index);
void xtr_pull_name_text(const struct xtr_pull *p, const struct xtr_pull_name *n,
			char buf[XTR_DECENT_NAME_MAX]);
void xtr_pull_name_drop(struct xtr_pull *p, struct xtr_pull_name *n);
/* Drops names of suffixes that are not in use any more. */
void xtr_pull_names_clean(struct xtr_pull *p);
void xtr_pull_name_timer(void *ctx, struct xtr_timer *t);
void xtr_pull_save_timer(void *ctx, struct xtr_timer *t);
void xtr_pull_names_save(struct xtr_pull *p);
void xtr_pull_names_load(struct xtr_pull *p);

/* --- decent_params.c */
/* Takes up env->cfg.decent.pull. True: hash or suffix changed. */
int xtr_pull_params_set(struct xtr_pull *p, bool *changed);
void xtr_pull_params_load(struct xtr_pull *p); /* after the first set */
void xtr_pull_params_free(struct xtr_pull *p);
void xtr_pull_window_timer(void *ctx, struct xtr_timer *t);
/* Blobs of the state directory, closed by a hash of what is in them. Writing: *w from begin, which
 * fails (false) without a state directory; end saves and frees. Reading: false if there is no such
 * blob or it is damaged; *buf is the caller's to free. */
bool xtr_pull_blob_begin(const struct xtr_pull *p, struct xtr_wr *w);
void xtr_pull_blob_end(const struct xtr_pull *p, const char *name, struct xtr_wr *w);
bool xtr_pull_blob_read(const struct xtr_pull *p, const char *name, uint8_t **buf,
			struct xtr_rd *r);
static inline bool xtr_pull_has(const struct xtr_pull *p, unsigned which)
{
	return p->params[which].used;
}

#endif
