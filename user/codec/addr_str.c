// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Text of addresses, for logs and people. Writes into the caller's buffer, cuts what does not fit,
 * always terminates. Octets of names and JSON come from the network: everything that is not
 * printable ASCII is escaped.
 */
#include "codec/addr.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
	char *p;
	size_t left; /* with room for the NUL */
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->p, t->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->left)
		n = (int)t->left - 1;
	t->p += n;
	t->left -= (size_t)n;
}

static void add_octets(struct text *t, const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len && t->left > 1; i++) {
		if (s[i] >= ' ' && s[i] < 0x7f && s[i] != '\'' && s[i] != '\\')
			add(t, "%c", s[i]);
		else
			add(t, "\\x%02x", s[i]);
	}
}

static void add_addr(struct text *t, const struct xtr_addr *a);

/* With "/len" unless it is the whole width; "*" for no address at all, as in (*,G). */
static void add_prefix(struct text *t, const struct xtr_addr *a, uint8_t len)
{
	struct xtr_ip ip;

	if (xtr_addr_ip(a, &ip) && len == 0 && xtr_ip_is_unspecified(&ip)) {
		add(t, "*");
		return;
	}
	add_addr(t, a);
	if (xtr_addr_ip(a, &ip) && len != xtr_ip_bits(&ip))
		add(t, "/%u", len);
}

static void add_nat(struct text *t, const struct xtr_addr *a)
{
	struct xtr_lcaf_nat nat;

	if (!xtr_lcaf_get_nat(a, &nat))
		return;
	add(t, "ms-port %u,etr-port %u,global ", nat.ms_port, nat.etr_port);
	add_addr(t, &nat.global_etr);
	add(t, ",ms ");
	add_addr(t, &nat.ms);
	add(t, ",private ");
	add_addr(t, &nat.private_etr);
	while (xtr_rd_left(&nat.rtrs)) {
		struct xtr_addr rtr;

		xtr_addr_decode(&nat.rtrs, &rtr);
		add(t, ",rtr ");
		add_addr(t, &rtr);
	}
}

static void add_lists(struct text *t, const struct xtr_addr *a)
{
	struct xtr_rd it = { 0 };
	struct xtr_rle_entry rle;
	struct xtr_elp_hop hop;
	struct xtr_addr e;
	const char *comma = "";

	while (xtr_lcaf_list_next(a, &it, &e)) {
		add(t, "%s", comma);
		add_addr(t, &e);
		comma = ",";
	}
	while (xtr_lcaf_elp_next(a, &it, &hop)) {
		add(t, "%s", comma);
		add_addr(t, &hop.addr);
		if (hop.lookup || hop.probe || hop.strict)
			add(t, "/%s%s%s", hop.lookup ? "L" : "", hop.probe ? "P" : "",
			    hop.strict ? "S" : "");
		comma = ",";
	}
	while (t->left > 1 && xtr_lcaf_rle_next(a, &it, &rle)) {
		add(t, "%s", comma);
		add_addr(t, &rle.addr);
		add(t, "@%u", rle.level);
		comma = ",";
	}
}

/* What stands between the parentheses of lcaf-N(...). */
static void add_lcaf_body(struct text *t, const struct xtr_addr *a)
{
	union {
		struct xtr_lcaf_asn asn;
		struct xtr_lcaf_app app;
		struct xtr_lcaf_geo geo;
		struct xtr_lcaf_nonce nonce;
		struct xtr_lcaf_key key;
		struct xtr_lcaf_srcdst sd;
		struct xtr_lcaf_json json;
		struct xtr_lcaf_kv kv;
		struct xtr_lcaf_encap encap;
	} v;

	if (xtr_lcaf_get_asn(a, &v.asn)) {
		add(t, "as %u,", v.asn.asn);
		add_addr(t, &v.asn.addr);
	} else if (xtr_lcaf_get_app(a, &v.app)) {
		add(t, "tos %u,protocol %u,local %u-%u,remote %u-%u,", v.app.tos, v.app.protocol,
		    v.app.local_lo, v.app.local_hi, v.app.remote_lo, v.app.remote_hi);
		add_addr(t, &v.app.addr);
	} else if (xtr_lcaf_get_geo(a, &v.geo)) {
		add(t, "%u-%u-%u-%c,%u-%u-%u-%c,", v.geo.lat_deg, v.geo.lat_min, v.geo.lat_sec,
		    v.geo.north ? 'N' : 'S', v.geo.lon_deg, v.geo.lon_min, v.geo.lon_sec,
		    v.geo.east ? 'E' : 'W');
		add_addr(t, &v.geo.addr);
	} else if (xtr_lcaf_get_nonce(a, &v.nonce)) {
		add(t, "nonce 0x%06x,", v.nonce.nonce);
		add_addr(t, &v.nonce.addr);
	} else if (xtr_lcaf_get_key(a, &v.key)) {
		add(t, "keys %u,", v.key.count); /* never their octets */
		add_addr(t, &v.key.addr);
	} else if (xtr_lcaf_get_srcdst(a, &v.sd)) {
		add_prefix(t, &v.sd.source, v.sd.source_len);
		add(t, ",");
		add_prefix(t, &v.sd.dest, v.sd.dest_len);
	} else if (xtr_lcaf_get_json(a, &v.json)) {
		if (v.json.binary)
			add(t, "%u octets", v.json.json_len);
		else
			add_octets(t, v.json.json, v.json.json_len);
		if (v.json.has_addr && v.json.addr.afi != XTR_AFI_NONE) {
			add(t, ",");
			add_addr(t, &v.json.addr);
		}
	} else if (xtr_lcaf_get_kv(a, &v.kv)) {
		add_addr(t, &v.kv.key);
		add(t, "=");
		add_addr(t, &v.kv.value);
	} else if (xtr_lcaf_get_encap(a, &v.encap)) {
		add(t, "formats 0x%02x,", v.encap.formats);
		add_addr(t, &v.encap.addr);
	} else {
		add(t, "%u octets", a->wire_len - 8u);
	}
}

static void add_lcaf(struct text *t, const struct xtr_addr *a)
{
	struct xtr_lcaf_mcast mc;
	struct xtr_lcaf_iid iid;

	if (xtr_lcaf_get_iid(a, &iid)) {
		add(t, "[%u]", iid.iid);
		add_addr(t, &iid.addr);
		return;
	}
	if (xtr_lcaf_get_mcast(a, &mc)) {
		if (mc.iid)
			add(t, "[%u]", mc.iid);
		add(t, "(");
		add_prefix(t, &mc.source, mc.source_len);
		add(t, ",");
		add_prefix(t, &mc.group, mc.group_len);
		add(t, ")");
		return;
	}
	add(t, "lcaf-%u(", a->lcaf);
	if (a->lcaf == XTR_LCAF_NAT)
		add_nat(t, a);
	else if (a->lcaf == XTR_LCAF_LIST || a->lcaf == XTR_LCAF_ELP || a->lcaf == XTR_LCAF_RLE)
		add_lists(t, a);
	else
		add_lcaf_body(t, a);
	add(t, ")");
}

static void add_addr(struct text *t, const struct xtr_addr *a)
{
	char ip_text[XTR_IP_STRLEN];
	const uint8_t *mac;
	const char *name;
	struct xtr_ip ip;
	size_t len;

	if (t->left <= 1)
		return;
	if (xtr_addr_ip(a, &ip)) {
		add(t, "%s", xtr_ip_str(&ip, ip_text));
	} else if ((mac = xtr_addr_mac(a, &len))) {
		for (size_t i = 0; i < len; i += 2)
			add(t, "%s%02x%02x", i ? "-" : "", mac[i], mac[i + 1]);
	} else if ((name = xtr_addr_name(a, &len))) {
		add(t, "'");
		add_octets(t, (const uint8_t *)name, len);
		add(t, "'");
	} else if (a->afi == XTR_AFI_LCAF) {
		add_lcaf(t, a);
	} else {
		add(t, "none");
	}
}

const char *xtr_addr_str(const struct xtr_addr *a, char *buf, size_t size)
{
	struct text t = { buf, size };

	if (!size)
		return buf;
	buf[0] = '\0';
	add_addr(&t, a);
	return buf;
}
