// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The maps of locators are full. Whoever has many locators must not keep others from having any: first
 * goes what nobody names any more, without its grace period; then the map-cache entries that were idle
 * longest, whosever they are. An entry that is missed after all is written again from what the
 * control plane knows. The programs that might still use a number have ended before it is given away.
 */
#include "dp/internal.h"

#define XTR_DP_ROOM_MS  100  /* between two turns: each waits for the programs and looks at everything */
#define XTR_DP_EVICT_MS 1000
#define XTR_DP_EVICT    64   /* the part of the maps that is freed at once: one of so many */

static unsigned xtr_dp_room_reap(struct xtr_dp *dp)
{
	unsigned sets = dp->set_count, n;

	xtr_dp_set_reap(dp, true);
	n = xtr_dp_rl_reap(dp, true);
	return n + sets - dp->set_count;
}

bool xtr_dp_room(struct xtr_dp *dp)
{
	unsigned n, out = 0;

	if (dp->room_at && dp->now - dp->room_at < XTR_DP_ROOM_MS)
		return false;
	dp->room_at = dp->now;
	n = xtr_dp_room_reap(dp);
	if (!n && (!dp->evicted_at || dp->now - dp->evicted_at >= XTR_DP_EVICT_MS)) {
		dp->evicted_at = dp->now;
		out = xtr_dp_cache_evict(dp, dp->cfg.rloc_entries / XTR_DP_EVICT + 1);
		n = xtr_dp_room_reap(dp);
	}
	if (out)
		xtr_log_limited(XTR_LOG_WARN, dp->now / 1000,
				"all %u places for locators are taken: %u map-cache entries that were idle longest made room; "
				"raise data-plane.rloc-entries",
				dp->cfg.rloc_entries - 1, out);
	else if (!n)
		xtr_log_limited(XTR_LOG_WARN, dp->now / 1000,
				"all %u places for locators are in use; raise data-plane.rloc-entries",
				dp->cfg.rloc_entries - 1);
	if (n)
		xtr_dp_programs_end();
	return n > 0;
}
