/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Octets to JSON by BTF. Integers, enums, arrays, structs and unions by name; __be16 comes out in host
 * order, __be32 (an address, or part of one) and octet arrays as hexadecimal text; padding members are
 * left out.
 */
#ifndef XTR_CLI_BTF_H
#define XTR_CLI_BTF_H

#include <bpf/btf.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* btf NULL or type 0, or a type that does not fit into size: an array of "0xNN", as bpftool has it. */
json_t *xtr_btf_json(const struct btf *btf, uint32_t type, const void *data, size_t size);
/* One line: 1, {a 1, b 2}, 0x0a010000. */
void xtr_btf_plain(FILE *f, const json_t *v);

#endif
