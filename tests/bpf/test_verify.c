// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every program is accepted by the verifier of this kernel, whatever the loader switched on or off: constants of
 * .rodata named feat_* decide which code is left, and with it what the verifier sees. Run on each kernel of the matrix
 * (tests/kernel): older verifiers take loops, spilled values and helpers that newer ones know differently. With
 * XTR_VERIFY_LOADER in the environment only those switches are tried that the loader ever moves: emulated, each costs.
 */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "xtr/abi.h"
#include "bpf/xtr.skel.h"

#define MAX_FEATS 6
#define LOG_SIZE  (1 << 20)

struct feat {
	const char *name;
	__u32 offset;
};

/* The switches, as the object itself names them: a new one is found without a change here. */
static unsigned features(struct xtr_bpf *skel, struct feat *feats)
{
	struct btf *btf = bpf_object__btf(skel->obj);
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *sec;
	unsigned n = 0;

	cr_assert(id > 0, "no .rodata");
	sec = btf__type_by_id(btf, (__u32)id);
	for (unsigned i = 0; i < btf_vlen(sec); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(sec) + i;
		const char *name = btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off);

		if (strncmp(name, "feat_", 5))
			continue;
		cr_assert(n < MAX_FEATS && v->size == 1, "%s: switches are octets, and at most %d", name, MAX_FEATS);
		feats[n++] = (struct feat){ name, v->offset };
	}
	return n;
}

static __u8 *rodata(struct xtr_bpf *skel)
{
	struct bpf_map *map;
	size_t size;

	bpf_object__for_each_map(map, skel->obj)
		if (strstr(bpf_map__name(map), ".rodata"))
			return (__u8 *)bpf_map__initial_value(map, &size);
	return NULL;
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* The last lines say why. */
static void why(const char *log)
{
	size_t n = strlen(log);

	fprintf(stderr, "%s\n", n > 1500 ? log + n - 1500 : log);
}

static void loads(unsigned bits, unsigned n, const struct feat *feats, char *log)
{
	struct xtr_bpf *skel = xtr_bpf__open();
	struct bpf_program *prog;
	char what[256] = "";
	__u8 *data;
	int r;

	cr_assert(skel);
	data = rodata(skel);
	cr_assert(data);
	for (unsigned i = 0; i < n; i++) {
		data[feats[i].offset] = bits >> i & 1;
		snprintf(what + strlen(what), sizeof(what) - strlen(what), " %s=%u", feats[i].name, bits >> i & 1);
	}
	/* one buffer for all: the program that is refused is the last to write into it */
	bpf_object__for_each_program(prog, skel->obj) {
		bpf_program__set_log_buf(prog, log, LOG_SIZE);
		bpf_program__set_log_level(prog, 0);
	}
	log[0] = '\0';
	r = xtr_bpf__load(skel);
	cr_expect_eq(r, 0, "with%s: %s", what, strerror(-r));
	if (r)
		why(log);
	xtr_bpf__destroy(skel);
}

Test(verify, every_program_loads_with_every_combination_of_features, .timeout = 240)
{
	struct xtr_bpf *skel = xtr_bpf__open();
	struct feat feats[MAX_FEATS];
	char *log = malloc(LOG_SIZE);
	unsigned n;

	cr_assert(skel && log);
	libbpf_set_print(quiet);
	n = features(skel, feats);
	cr_assert(n > 0, "no switches found");
	for (unsigned bits = 0; bits < 1u << n; bits++)
		loads(bits, n, feats, log);
	xtr_bpf__destroy(skel);
	free(log);
}
