/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Does this host filter or translate what it forwards? */
#ifndef XTR_NET_FILTER_H
#define XTR_NET_FILTER_H

#include <stddef.h>

/*
 * Looks for base chains of nftables (those of iptables-nft among them) at the hooks that a forwarded IPv4 or IPv6 packet
 * passes, and at the egress of devices, and for tables of legacy iptables, in the network namespace of the caller. 1: there is one, *name (NUL-terminated
 * in size octets) says which; 0: none; -errno: cannot tell.
 */
int xtr_filter_forward(char *name, size_t size);

#endif
