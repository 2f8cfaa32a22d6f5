// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Answers to lookups of one name. RFC 9962 5 and draft-farinacci-lisp-decent-10 5.3: the set is
 * looked up periodically; a failure never takes away what worked. DNS can be forged or wrong, so
 * the set is bounded and filtered, and which addresses count does not depend on their order in the
 * answer.
 *
 * Invariant: addrs[0..count) ascend, differ, and each passed the rules when it came.
 */
#include "core/nameset.h"
#include "core/locset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void xtr_name_rules_of(const struct xtr_pull_config *cfg, struct xtr_name_rules *out)
{
	memset(out, 0, sizeof(*out)); /* it is compared */
	out->family = cfg->family;
	out->max_addresses = cfg->max_addresses;
	if (!out->max_addresses || out->max_addresses > XTR_NAME_ADDRS)
		out->max_addresses = XTR_NAME_ADDRS;
	out->require_dnssec = cfg->require_dnssec;
	out->allow_loopback = cfg->allow_loopback;
	out->allow_private = cfg->allow_private;
	out->ttl_min = cfg->ttl_min ? cfg->ttl_min : 30000;
	out->ttl_max = cfg->ttl_max ? cfg->ttl_max : 3600000;
	out->retry_min = cfg->retry_min ? cfg->retry_min : 5000;
	out->retry_max = cfg->retry_max ? cfg->retry_max : 300000;
}

void xtr_nameset_init(struct xtr_nameset *n)
{
	memset(n, 0, sizeof(*n));
	n->answered = XTR_NEVER;
}

static bool in(const struct xtr_ip *ip, uint8_t family, uint8_t a, uint8_t b, unsigned bits)
{
	struct xtr_ippfx p = { .ip = { .family = family, .a = { a, b } }, .len = (uint8_t)bits };

	return xtr_ippfx_has(&p, ip);
}

/* RFC 1918, RFC 6598, RFC 3927, RFC 4193. */
static bool is_private(const struct xtr_ip *ip)
{
	return in(ip, 4, 10, 0, 8) || in(ip, 4, 172, 16, 12) || in(ip, 4, 192, 168, 16) ||
	       in(ip, 4, 100, 64, 10) || in(ip, 4, 169, 254, 16) || in(ip, 6, 0xfc, 0, 7);
}

static bool allowed(const struct xtr_name_rules *rules, const struct xtr_ip *ip)
{
	if (rules->family && ip->family != rules->family)
		return false;
	if (xtr_ip_is_loopback(ip))
		return rules->allow_loopback;
	if (!xtr_rloc_valid(ip))
		return false;
	return rules->allow_private || !is_private(ip);
}

/* The numerically first max ones stay. Returns how many fell out: 0 or 1. */
static unsigned insert(struct xtr_ip list[XTR_NAME_ADDRS], unsigned *n, unsigned max,
		       const struct xtr_ip *ip)
{
	unsigned at = *n, out = 0;

	while (at && xtr_ip_cmp(ip, &list[at - 1]) <= 0)
		at--;
	if (at < *n && !xtr_ip_cmp(ip, &list[at]))
		return 0;
	if (at >= max)
		return 1;
	if (*n == max) {
		(*n)--;
		out = 1;
	}
	memmove(&list[at + 1], &list[at], (*n - at) * sizeof(list[0]));
	list[at] = *ip;
	(*n)++;
	return out;
}

static unsigned filter(const struct xtr_name_rules *rules, const struct xtr_dns_answer *a,
		       struct xtr_ip list[XTR_NAME_ADDRS], unsigned *ignored)
{
	unsigned n = 0;

	*ignored = 0;
	for (unsigned i = 0; i < a->count; i++)
		*ignored += allowed(rules, &a->addrs[i])
				    ? insert(list, &n, rules->max_addresses, &a->addrs[i])
				    : 1;
	return n;
}

static bool replace(struct xtr_nameset *n, const struct xtr_ip *list, unsigned count)
{
	bool changed = n->count != count;

	for (unsigned i = 0; i < count && !changed; i++)
		changed = xtr_ip_cmp(&n->addrs[i], &list[i]);
	if (changed) {
		memset(n->addrs, 0, sizeof(n->addrs));
		if (count)
			memcpy(n->addrs, list, count * sizeof(*list));
		n->count = (uint8_t)count;
	}
	return changed;
}

static bool has_family(const struct xtr_dns_answer *a, uint8_t family)
{
	for (unsigned i = 0; i < a->count; i++)
		if (a->addrs[i].family == family)
			return true;
	return false;
}

static unsigned failed(struct xtr_nameset *n, const char *why)
{
	unsigned news = XTR_NAMESET_FAILED;

	if (n->count && !n->stale)
		news |= XTR_NAMESET_STALE;
	n->stale = n->count;
	n->failures++;
	snprintf(n->why, sizeof(n->why), "%s", why);
	return news;
}

unsigned xtr_nameset_take(struct xtr_nameset *n, const struct xtr_name_rules *rules,
			  const struct xtr_dns_answer *a, uint64_t now)
{
	struct xtr_ip list[XTR_NAME_ADDRS];
	unsigned count, ignored, news = 0;

	if (a->status)
		return failed(n, a->why                 ? a->why
				 : a->status == -ENOENT ? "no such name, or no address"
							: "the lookup failed");
	if (rules->require_dnssec && !a->authenticated)
		return failed(n, "the answer is not authenticated (DNSSEC is required)");
	count = filter(rules, a, list, &ignored);
	if (!count) {
		n->ignored = ignored;
		return failed(n, ignored ? "no address of the answer may be used"
					 : "no such name, or no address");
	}
	/* Half an answer: of the family that it has nothing of, all may still be there. What is
	 * missing of the other is gone, or one broken server would keep it for ever. */
	for (unsigned i = 0; a->partial && i < n->count; i++)
		if (!has_family(a, n->addrs[i].family))
			insert(list, &count, rules->max_addresses, &n->addrs[i]);
	n->ignored = ignored;
	n->ttl = a->ttl;
	n->authenticated = a->authenticated;
	n->answered = now;
	n->stale = n->saved = false;
	n->failures = a->partial ? n->failures + 1 : 0;
	snprintf(n->why, sizeof(n->why), "%s",
		 !a->partial ? ""
		 : a->why    ? a->why
			     : "one of the questions for A and AAAA was not answered");
	if (replace(n, list, count))
		news |= XTR_NAMESET_CHANGED;
	return news;
}

bool xtr_nameset_restore(struct xtr_nameset *n, const struct xtr_name_rules *rules,
			 const struct xtr_dns_answer *saved)
{
	struct xtr_ip list[XTR_NAME_ADDRS];
	unsigned count, ignored;

	if (rules->require_dnssec && !saved->authenticated)
		return false;
	count = filter(rules, saved, list, &ignored);
	if (!count)
		return false;
	replace(n, list, count);
	n->ttl = saved->ttl;
	n->authenticated = saved->authenticated;
	n->saved = true;
	return true;
}

uint64_t xtr_nameset_wait(const struct xtr_nameset *n, const struct xtr_name_rules *rules,
			  uint64_t random)
{
	uint64_t ms = (uint64_t)n->ttl * 1000;

	if (n->failures) {
		ms = rules->retry_min;
		for (unsigned i = 1; i < n->failures && ms < rules->retry_max; i++)
			ms *= 2;
		ms = ms < rules->retry_max ? ms : rules->retry_max;
		return ms + random % (ms / 10 + 1);
	}
	ms = ms < rules->ttl_min ? rules->ttl_min : ms > rules->ttl_max ? rules->ttl_max : ms;
	/* Before it ends, and not with all the others. */
	return ms - ms / 20 - random % (ms / 10 + 1);
}
