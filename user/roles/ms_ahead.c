// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Map-Server, looking ahead: with 100,000 registrations most of the time of a lookup is waiting for memory, step by step. The
 * messages that were received together are about EIDs that have nothing to do with each other, so their lookups are made ready
 * side by side. Reads messages that nobody has checked yet, with the decoders that check; changes nothing, decides nothing.
 */
#include "roles/ms.h"

#include "util/trie.h"

/* The EID that the message is first of all about. */
static bool first_eid(const uint8_t *buf, size_t len, struct xtr_eid_prefix *eid)
{
	struct xtr_register reg;
	struct xtr_map_request m;
	struct xtr_mreq_record rec;
	struct xtr_rd it = { 0 };
	struct xtr_ecm ecm;

	if (xtr_msg_type(buf, len) == XTR_MSG_MAP_REGISTER)
		return !xtr_register_decode_head(buf, len, &reg) && !xtr_register_peek_eid(&reg, eid);
	if (xtr_msg_type(buf, len) == XTR_MSG_ECM) {
		if (xtr_ecm_decode(buf, len, &ecm))
			return false;
		buf = ecm.msg;
		len = ecm.msg_len;
	}
	return xtr_msg_type(buf, len) == XTR_MSG_MAP_REQUEST && !xtr_map_request_decode(buf, len, &m) &&
	       xtr_mreq_record_next(&m, &it, &rec) && !xtr_eid_from_addr(&rec.eid, rec.mask_len, eid, NULL);
}

void xtr_ms_ahead(const struct xtr_ms *ms, const struct xtr_node_next *next, unsigned n)
{
	struct xtr_eid_prefix eids[XTR_TRIE_AHEAD];
	unsigned m = 0;

	for (unsigned i = 0; i < n && m < XTR_TRIE_AHEAD; i++)
		m += next[i].len <= XTR_MSG_MAX && first_eid(next[i].buf, next[i].len, &eids[m]);
	xtr_eiddb_ahead(&ms->db.registered, eids, m);
}
