// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Our own mappings as EID records: sorted, with the L bit for locators of this router and the R bit
 * by what is up. RFC 9301 5.4, 5.5.
 *
 * That we take LISP-GPE is said by one more locator for each of our RLOCs: the encapsulation format LCAF (RFC 8060 5.6)
 * with bit g around the RLOC, priority 255. The locators to send to are written as ever before it (8060 3: LCAFs come
 * last, so no ordinal moves), and a router that does not know the LCAF skips it (RFC 9306 3), one that knows it but not
 * the bit must not send there (9301 5.4: 255). So nobody who does not ask for it sees a difference.
 */
#include "roles/etr.h"

#include <string.h>

#define RECORD_HEAD 12
#define UNUSED 255 /* priority: not to be used for forwarding */

struct sorted {
	const struct xtr_rloc_config *l[255];
	unsigned n;
};

static void sort(const struct xtr_mapping_config *map, struct sorted *s)
{
	s->n = 0;
	for (unsigned i = 0; i < map->rloc_count; i++) {
		const struct xtr_rloc_config *r = &map->rlocs[i];
		unsigned at = s->n;
		int order = 1;

		while (at && (order = xtr_ip_cmp(&r->ip, &s->l[at - 1]->ip)) < 0)
			at--;
		if (at && !order)
			continue; /* the first of two equal ones stays */
		memmove(&s->l[at + 1], &s->l[at], (s->n - at) * sizeof(s->l[0]));
		s->l[at] = r;
		s->n++;
	}
}

static size_t locator_octets(const struct xtr_rloc_config *r)
{
	return 8 + xtr_ip_bits(&r->ip) / 8;
}

/* Leaves out locators of the worst priority until the rest fits. A Map-Reply cannot be split (RFC
 * 9301 5). */
static void fit(struct sorted *s, size_t room)
{
	size_t need = 0;

	for (unsigned i = 0; i < s->n; i++)
		need += locator_octets(s->l[i]);
	while (s->n && need > room) {
		unsigned worst = 0;

		for (unsigned i = 1; i < s->n; i++)
			if (s->l[i]->priority >= s->l[worst]->priority)
				worst = i;
		need -= locator_octets(s->l[worst]);
		s->n--;
		memmove(&s->l[worst], &s->l[worst + 1], (s->n - worst) * sizeof(s->l[0]));
	}
}

/* Where packets to a group are to be sent: one entry of a replication list, the best RLOC of ours
 * that is up (two of one router would get everything twice). RFC 8378 5.1.2. */
static uint8_t put_rle(const struct xtr_env *env, struct xtr_wr *w,
		       const struct xtr_mapping_config *map)
{
	static const uint8_t level = 128;

	for (unsigned i = 0; i < map->rloc_count; i++) {
		const struct xtr_rloc_config *l = &map->rlocs[i];
		uint8_t buf[64];
		struct xtr_wr rle = xtr_wr_init(buf, sizeof(buf));
		struct xtr_locator out = {
			.priority = l->priority,
			.weight = l->weight,
			.mpriority = l->mpriority,
			.mweight = l->mweight,
			.local = true,
			.reachable = true,
		};

		if (!xtr_env_rloc_up(env, &l->ip))
			continue;
		xtr_put_rle(&rle, &l->ip, &level, 1);
		out.addr.wire = buf;
		out.addr.wire_len = (uint16_t)xtr_wr_len(&rle);
		xtr_put_locator_raw(w, &out);
		return 1;
	}
	return 0;
}

static bool takes_gpe(const struct xtr_env *env, const struct xtr_mapping_config *map, const struct xtr_ip *ip)
{
	return map->gpe & (ip->family == 4 ? XTR_GPE_IP4 : XTR_GPE_IP6) && xtr_env_own_rloc(env, ip);
}

/* Which of our RLOCs in the record take LISP-GPE, as far as there is room. Returns how many locators that is. */
static unsigned put_gpe(const struct xtr_env *env, struct xtr_wr *w, const struct xtr_mapping_config *map,
			const struct sorted *s, size_t room)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n && s->n + n < 255; i++) {
		const struct xtr_ip *ip = &s->l[i]->ip;
		uint8_t buf[64];
		struct xtr_wr lcaf = xtr_wr_init(buf, sizeof(buf));
		struct xtr_locator out = { .priority = UNUSED, .mpriority = UNUSED, .local = true };

		if (!takes_gpe(env, map, ip))
			continue;
		xtr_put_encap(&lcaf, XTR_ENCAP_LISP | XTR_ENCAP_LISP_GPE, ip);
		out.reachable = xtr_env_rloc_up(env, ip);
		out.addr.wire = buf;
		out.addr.wire_len = (uint16_t)xtr_wr_len(&lcaf);
		if (6u + out.addr.wire_len > room)
			break;
		room -= 6u + out.addr.wire_len;
		xtr_put_locator_raw(w, &out);
		n++;
	}
	return n;
}

void xtr_etr_put_record(const struct xtr_env *env, struct xtr_wr *w, const struct xtr_etr_record *r)
{
	const struct xtr_record_head head = {
		.ttl = r->ttl_min,
		.authoritative = true,
		.map_version = r->map->map_version,
	};
	size_t start = xtr_wr_len(w), mark, used;
	unsigned gpe = 0;
	struct sorted s;
	bool probed = false;

	sort(r->map, &s);
	mark = xtr_put_record_begin(w, &head, r->eid);
	if (r->eid->group_len) {
		xtr_put_record_end(w, mark, put_rle(env, w, r->map));
		return;
	}
	used = xtr_wr_len(w) - start;
	fit(&s, r->room > used ? r->room - used : 0);
	for (unsigned i = 0; i < s.n; i++) {
		const struct xtr_rloc_config *l = s.l[i];
		bool own = xtr_env_own_rloc(env, &l->ip);
		bool p = r->probed && !probed && !xtr_ip_cmp(&l->ip, r->probed);

		probed |= p;
		xtr_put_locator(w, l->priority, l->weight, l->mpriority, l->mweight, own, p,
				!own || xtr_env_rloc_up(env, &l->ip), &l->ip);
	}
	used = xtr_wr_len(w) - start;
	if (r->map->gpe)
		gpe = put_gpe(env, w, r->map, &s, r->room > used ? r->room - used : 0);
	xtr_put_record_end(w, mark, (uint8_t)(s.n + gpe));
}

unsigned xtr_etr_show(const struct xtr_env *env, const struct xtr_mapping_config *map,
		      struct xtr_cache_locator out[32])
{
	struct sorted s;
	unsigned n;

	sort(map, &s);
	for (n = 0; n < s.n && n < 32; n++) {
		const struct xtr_rloc_config *l = s.l[n];
		bool own = xtr_env_own_rloc(env, &l->ip);

		out[n] = (struct xtr_cache_locator){
			.ip = l->ip,
			.priority = l->priority,
			.weight = l->weight,
			.mpriority = l->mpriority,
			.mweight = l->mweight,
			.local = own,
			.reachable = !own || xtr_env_rloc_up(env, &l->ip),
		};
		out[n].usable = out[n].reachable && l->priority != 255;
		out[n].gpe = takes_gpe(env, map, &l->ip);
	}
	return n;
}
