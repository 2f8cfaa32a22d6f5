// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Log lines as they reach stderr, limits on them, error texts, and the keyed hash. */
#include "util/err.h"
#include "util/hash.h"
#include "util/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

static FILE *captured;
static int saved_stderr;

static void begin(void)
{
	captured = tmpfile();
	cr_assert(captured);
	saved_stderr = dup(2);
	dup2(fileno(captured), 2);
	unsetenv("JOURNAL_STREAM");
}

/* What was written since begin(), and puts stderr back. */
static const char *end(void)
{
	static char buf[8192];
	size_t n;

	dup2(saved_stderr, 2);
	rewind(captured);
	n = fread(buf, 1, sizeof(buf) - 1, captured);
	buf[n] = '\0';
	fclose(captured);
	return buf;
}

Test(log, one_line_per_message_with_its_level)
{
	begin();
	xtr_log_max = XTR_LOG_INFO;
	xtr_error("a %d", 1);
	xtr_warn("b");
	xtr_info("c");
	xtr_debug("not shown");
	cr_expect_str_eq(end(), "error: a 1\nwarning: b\ninfo: c\n");
}

Test(log, journald_gets_numbers)
{
	begin();
	setenv("JOURNAL_STREAM", "8:1", 1);
	xtr_log_max = XTR_LOG_DEBUG;
	xtr_error("a");
	xtr_warn("b");
	xtr_info("c");
	xtr_debug("d");
	cr_expect_str_eq(end(), "<3>a\n<4>b\n<6>c\n<7>d\n");
}

Test(log, octets_of_strangers_cannot_forge_lines)
{
	begin();
	xtr_info("name %s", "x\nerror: forged\x1b[2J\x7f");
	cr_expect_str_eq(end(), "info: name x?error: forged?[2J?\n");
}

Test(log, long_messages_are_cut_and_end_with_a_newline)
{
	char *big = malloc(5000);
	const char *s;

	memset(big, 'x', 4999);
	big[4999] = '\0';
	begin();
	errno = 42;
	xtr_info("%s", big);
	cr_expect_eq(errno, 42);
	s = end();
	cr_expect_eq(strlen(s), 1023);
	cr_expect_eq(strchr(s, '\n'), s + 1022);
	free(big);
}

Test(log, ten_in_ten_seconds_then_a_count)
{
	struct xtr_log_limit l = { 0 };
	unsigned allowed = 0;

	begin();
	xtr_log_max = XTR_LOG_INFO;
	for (unsigned i = 0; i < 100; i++)
		allowed += xtr_log_allow(&l, 1000 + i / 20) != 0;
	cr_expect_eq(allowed, 10);
	cr_expect_eq(xtr_log_allow(&l, 1009), 0);
	cr_expect_eq(xtr_log_allow(&l, 1010), 1, "a new interval");
	cr_expect_str_eq(end(), "warning: 91 messages like the next one were suppressed in the last 10 s\n");
	cr_expect_eq(l.suppressed, 0);
}

Test(log, limited_macro_counts_per_place)
{
	begin();
	xtr_log_max = XTR_LOG_INFO;
	for (unsigned i = 0; i < 30; i++) {
		xtr_log_limited(XTR_LOG_WARN, 5, "x");
		if (i < 2)
			xtr_log_limited(XTR_LOG_WARN, 5, "y");
	}
	const char *s = end();
	unsigned x = 0, y = 0;

	for (; *s; s++) {
		x += *s == 'x';
		y += *s == 'y';
	}
	cr_expect_eq(x, 10);
	cr_expect_eq(y, 2);
}

Test(err, text_and_code)
{
	struct xtr_err e;
	char *big = malloc(2000);

	cr_expect_eq(xtr_fail(&e, -EINVAL, "%s: %d", "eth0", 7), -EINVAL);
	cr_expect_str_eq(e.text, "eth0: 7");
	cr_expect_eq(xtr_fail(NULL, -ENOENT, "nobody reads this"), -ENOENT);
	memset(big, 'y', 1999);
	big[1999] = '\0';
	xtr_fail(&e, -1, "%s", big);
	cr_expect_eq(strlen(e.text), sizeof(e.text) - 1);
	free(big);
}

/* SipHash-1-3 of 00, 0001, 000102, ... under the key 000102..0f: from the reference implementation's algorithm, computed
 * apart by the straightforward definition below. */
static uint64_t rotl(uint64_t x, int b) { return x << b | x >> (64 - b); }

static uint64_t plain_siphash13(const uint8_t *k, const uint8_t *in, size_t len)
{
	uint64_t k0 = 0, k1 = 0, m, v0, v1, v2, v3;
	uint8_t block[8];

	for (int i = 7; i >= 0; i--) {
		k0 = k0 << 8 | k[i];
		k1 = k1 << 8 | k[8 + i];
	}
	v0 = 0x736f6d6570736575 ^ k0, v1 = 0x646f72616e646f6d ^ k1;
	v2 = 0x6c7967656e657261 ^ k0, v3 = 0x7465646279746573 ^ k1;
	for (size_t at = 0; at <= len; at += 8) {
		size_t n = len - at < 8 ? len - at : 8;

		memset(block, 0, 8);
		memcpy(block, in + at, n);
		if (n < 8)
			block[7] = (uint8_t)len;
		m = 0;
		for (int i = 7; i >= 0; i--)
			m = m << 8 | block[i];
		v3 ^= m;
		for (int r = 0; r < 4; r++) {
			if (r == 1) { /* one compression round, and only the last block is followed by three more */
				v0 ^= m;
				if (n == 8)
					break;
				v2 ^= 0xff;
			}
			v0 += v1, v1 = rotl(v1, 13) ^ v0, v0 = rotl(v0, 32);
			v2 += v3, v3 = rotl(v3, 16) ^ v2;
			v0 += v3, v3 = rotl(v3, 21) ^ v0;
			v2 += v1, v1 = rotl(v1, 17) ^ v2, v2 = rotl(v2, 32);
		}
	}
	return v0 ^ v1 ^ v2 ^ v3;
}

Test(hash, siphash_1_3)
{
	uint8_t key[16], in[64];

	for (int i = 0; i < 16; i++)
		key[i] = (uint8_t)i;
	for (int i = 0; i < 64; i++)
		in[i] = (uint8_t)i;
	for (size_t len = 0; len < 64; len++)
		cr_expect_eq(xtr_hash_with(key, in, len), plain_siphash13(key, in, len), "%zu", len);
	/* Known value of the empty input: hsiphash and Rust's SipHasher13 use the same function. */
	cr_expect_eq(xtr_hash_with(key, in, 0), 0xabac0158050fc4dcull);
}

Test(hash, the_process_key_is_used)
{
	static const uint8_t zero[16];
	unsigned same = 0;

	for (uint32_t i = 0; i < 64; i++)
		same += xtr_hash(&i, sizeof(i)) == xtr_hash_with(zero, &i, sizeof(i));
	cr_expect_eq(same, 0);
	cr_expect_eq(xtr_hash("abc", 3), xtr_hash("abc", 3));
}

struct item { uint32_t key; UT_hash_handle hh; };

Test(hash, uthash_uses_it)
{
	struct item *table = NULL, items[200], *found, *tmp;
	unsigned n;

	for (uint32_t i = 0; i < 200; i++) {
		items[i].key = i * 65536;
		HASH_ADD(hh, table, key, sizeof(uint32_t), &items[i]);
	}
	cr_expect_eq(items[7].hh.hashv, (unsigned)xtr_hash(&items[7].key, sizeof(uint32_t)));
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t key = i * 65536;

		HASH_FIND(hh, table, &key, sizeof(key), found);
		cr_expect_eq(found, &items[i]);
	}
	n = 0;
	HASH_ITER(hh, table, found, tmp) {
		HASH_DEL(table, found);
		n++;
	}
	cr_expect_eq(n, 200);
}
