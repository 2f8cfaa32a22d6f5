/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pins of the data plane as kernel objects: what `map` and `prog` show. Only what is pinned in our folder can be
 * named, so neither command reaches anybody else's objects.
 */
#ifndef XTR_CLI_PINS_H
#define XTR_CLI_PINS_H

#include <linux/bpf.h>

#include "cli/cli.h"

enum xtr_pin_kind { XTR_PIN_MAP, XTR_PIN_PROG, XTR_PIN_LINK };
struct xtr_pin {
	const char *path, *name;   /* valid during the call */
	enum xtr_pin_kind kind;
	int fd;                    /* closed after the call */
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		uint8_t link[256]; /* struct bpf_link_info, as long as the running kernel has it */
	} info;
};
/* Calls fn for every pin of a kind, by name. fn returns non-zero to stop, which is returned; -1 with an
 * error printed. */
int xtr_pins_walk(struct xtr_cli *c, enum xtr_pin_kind kind, int (*fn)(void *, const struct xtr_pin *), void *arg);

#endif
