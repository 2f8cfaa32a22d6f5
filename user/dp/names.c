// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Names and texts of numbers: drop reasons and counters from the lists in headers/xtr/reasons.h,
 * modes, roles, actions, maps, programs.
 */
#include "dp/internal.h"

const char *const xtr_dp_map_names[XTR_M_MAX] = {
	[XTR_M_CFG] = XTR_MAP_CFG,	 [XTR_M_IFACES] = XTR_MAP_IFACES,
	[XTR_M_INST] = XTR_MAP_INST,	 [XTR_M_SELF] = XTR_MAP_SELF,
	[XTR_M_LOCAL4] = XTR_MAP_LOCAL4, [XTR_M_LOCAL6] = XTR_MAP_LOCAL6,
	[XTR_M_EID4] = XTR_MAP_EID4,	 [XTR_M_EID6] = XTR_MAP_EID6,
	[XTR_M_RSET] = XTR_MAP_RSET,	 [XTR_M_RLOC] = XTR_MAP_RLOC,
	[XTR_M_RLSTAT] = XTR_MAP_RLSTAT, [XTR_M_DROPS] = XTR_MAP_DROPS,
	[XTR_M_STATS] = XTR_MAP_STATS,	 [XTR_M_EVENTS] = XTR_MAP_EVENTS,
	[XTR_M_MISSTB] = XTR_MAP_MISSTB, [XTR_M_MISSSL] = XTR_MAP_MISSSL,
	[XTR_M_MISSSRC] = XTR_MAP_MISSSRC,
	[XTR_M_HOLD] = XTR_MAP_HOLD,	 [XTR_M_GEN] = XTR_MAP_GEN,
	[XTR_M_MCAST4] = XTR_MAP_MCAST4, [XTR_M_MCAST6] = XTR_MAP_MCAST6,
	[XTR_M_REPL] = XTR_MAP_REPL,	 [XTR_M_CTLSRC] = XTR_MAP_CTLSRC,
	[XTR_M_FANOF] = XTR_MAP_FANOF,	 [XTR_M_FAN] = XTR_MAP_FAN,
	[XTR_M_FANDEV] = XTR_MAP_FANDEV, [XTR_M_FANOUT] = XTR_MAP_FANOUT,
	[XTR_M_FANCPU] = XTR_MAP_FANCPU,
};

const char *const xtr_dp_prog_names[XTR_P_MAX] = {
	[XTR_P_ENCAP] = XTR_PROG_ENCAP,		[XTR_P_INJECT] = XTR_PROG_INJECT,
	[XTR_P_UNDERLAY] = XTR_PROG_UNDERLAY,	[XTR_P_XDP_EID] = XTR_PROG_XDP_EID,
	[XTR_P_XDP_UNDER] = XTR_PROG_XDP_UNDER, [XTR_P_XDP_COPY] = XTR_PROG_XDP_COPY,
	[XTR_P_CLOCK] = XTR_PROG_CLOCK,
	[XTR_P_FENCE] = XTR_PROG_FENCE,		[XTR_P_GUARD] = XTR_PROG_GUARD,
};

bool xtr_dp_private(unsigned map)
{
	return map == XTR_M_FANOF || map == XTR_M_FAN || map == XTR_M_FANDEV || map == XTR_M_FANOUT || map == XTR_M_FANCPU;
}

static const char *const xtr_drop_names[XTR_DROP_MAX][2] = {
#define X(sym, name, text) { name, text },
	XTR_DROP_REASONS(X)
#undef X
};
static const char *const xtr_stat_names[XTR_STAT_MAX][2] = {
#define X(sym, name, text) { name, text },
	XTR_STATS(X)
#undef X
};

const char *xtr_drop_name(unsigned reason)
{
	return reason < XTR_DROP_MAX ? xtr_drop_names[reason][0] : "unknown";
}
const char *xtr_drop_text(unsigned reason)
{
	return reason < XTR_DROP_MAX ? xtr_drop_names[reason][1] : "of a newer version";
}
const char *xtr_stat_name(unsigned stat)
{
	return stat < XTR_STAT_MAX ? xtr_stat_names[stat][0] : "unknown";
}
const char *xtr_stat_text(unsigned stat)
{
	return stat < XTR_STAT_MAX ? xtr_stat_names[stat][1] : "of a newer version";
}

const char *xtr_mode_why(unsigned why)
{
	switch (why) {
	case XTR_WHY_NONE: return "";
	case XTR_WHY_SOFT: return "virtual device: TC keeps super-packets whole, and single packets of TCP are put together";
	case XTR_WHY_DRIVER: return "its driver has no native XDP";
	case XTR_WHY_BRIDGE: return "port of a bridge";
	case XTR_WHY_REFUSED: return "its driver refuses XDP as the device is set up";
	case XTR_WHY_BUSY: return "another XDP program is attached";
	case XTR_WHY_TAGS: return "VLAN tags are outside of the frames, where XDP does not see them";
	}
	return "of a newer version";
}

const char *xtr_mode_name(unsigned mode)
{
	switch (mode) {
	case XTR_MODE_NONE: return "none";
	case XTR_MODE_AUTO: return "auto";
	case XTR_MODE_XDP: return "xdp";
	case XTR_MODE_XDP_GENERIC: return "xdp-generic";
	case XTR_MODE_TC: return "tc";
	}
	return "unknown";
}

const char *xtr_role_name(unsigned role)
{
	switch (role) {
	case XTR_ROLE_NONE: return "none";
	case XTR_ROLE_UNDERLAY: return "underlay";
	case XTR_ROLE_EID: return "eid";
	case XTR_ROLE_OVERLAY: return "overlay";
	case XTR_ROLE_PEER: return "peer";
	case XTR_ROLE_HELPER: return "helper";
	}
	return "unknown";
}

const char *xtr_action_name(unsigned action)
{
	switch (action) {
	case XTR_ACT_NO_ACTION: return "no-action";
	case XTR_ACT_NATIVE: return "natively-forward";
	case XTR_ACT_SEND_REQUEST: return "send-map-request";
	case XTR_ACT_DROP: return "drop";
	case XTR_ACT_DROP_POLICY: return "drop-policy-denied";
	case XTR_ACT_DROP_AUTH: return "drop-auth-failure";
	case XTR_ACT_ENCAP: return "encapsulate";
	}
	return "unknown";
}
