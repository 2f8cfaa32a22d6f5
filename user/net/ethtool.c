// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Driver name and offload settings through the ethtool ioctl: present in every supported kernel,
 * while its netlink successor is a build option. Features are looked up by name, because their bit
 * numbers differ between kernels.
 */
#include "net/netlink.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int xtr_ethtool(const char *ifname, void *data)
{
	struct ifreq ifr = { .ifr_data = data };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	r = ioctl(fd, SIOCETHTOOL, &ifr) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int xtr_nl_driver(const char *ifname, char *buf, size_t size)
{
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };
	int r = xtr_ethtool(ifname, &d);

	if (size)
		buf[0] = '\0';
	if (r)
		return r;
	snprintf(buf, size, "%.*s", (int)sizeof(d.driver), d.driver);
	return 0;
}

/* Bit number of a feature; *count: how many the kernel has. */
static int xtr_ethtool_feature(const char *ifname, const char *feature, unsigned *bit,
			       unsigned *count)
{
	struct {
		struct ethtool_sset_info info;
		__u32 len;
	} sset = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES } };
	struct ethtool_gstrings *names;
	int r = xtr_ethtool(ifname, &sset);

	if (r)
		return r;
	if (!sset.info.sset_mask || !sset.len || sset.len > 1024)
		return -EOPNOTSUPP;
	names = calloc(1, sizeof(*names) + (size_t)sset.len * ETH_GSTRING_LEN);
	if (!names)
		return -ENOMEM;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = sset.len;
	r = xtr_ethtool(ifname, names);
	if (!r) {
		r = -ENOENT;
		for (unsigned i = 0; i < sset.len && i < names->len; i++)
			if (!strncmp((const char *)names->data + (size_t)i * ETH_GSTRING_LEN,
				     feature, ETH_GSTRING_LEN)) {
				*bit = i;
				r = 0;
			}
	}
	*count = sset.len;
	free(names);
	return r;
}

int xtr_nl_offload_look(const char *ifname, const char *feature, bool *on, bool *fixed)
{
	unsigned bit, count, blocks;
	struct ethtool_gfeatures *f;
	int r = xtr_ethtool_feature(ifname, feature, &bit, &count);

	if (r)
		return r;
	blocks = (count + 31) / 32;
	f = calloc(1, sizeof(*f) + blocks * sizeof(f->features[0]));
	if (!f)
		return -ENOMEM;
	f->cmd = ETHTOOL_GFEATURES;
	f->size = blocks;
	r = xtr_ethtool(ifname, f);
	if (!r) {
		*on = f->features[bit / 32].active >> (bit % 32) & 1;
		*fixed = !(f->features[bit / 32].available >> (bit % 32) & 1) ||
			 f->features[bit / 32].never_changed >> (bit % 32) & 1;
	}
	free(f);
	return r;
}

int xtr_nl_offload_get(const char *ifname, const char *feature, bool *on)
{
	bool fixed;

	return xtr_nl_offload_look(ifname, feature, on, &fixed);
}

int xtr_nl_channels(const char *ifname, struct xtr_nl_channels *out)
{
	struct ethtool_channels c = { .cmd = ETHTOOL_GCHANNELS };
	int r = xtr_ethtool(ifname, &c);

	*out = (struct xtr_nl_channels){ 0 };
	if (r)
		return r;
	*out = (struct xtr_nl_channels){ .rx = c.rx_count, .tx = c.tx_count, .combined = c.combined_count,
					 .rx_max = c.max_rx, .tx_max = c.max_tx,
					 .combined_max = c.max_combined };
	return 0;
}

int xtr_nl_offload_set(const char *ifname, const char *feature, bool on)
{
	unsigned bit, count, blocks;
	struct ethtool_sfeatures *f;
	int r = xtr_ethtool_feature(ifname, feature, &bit, &count);

	if (r)
		return r;
	blocks = (count + 31) / 32;
	f = calloc(1, sizeof(*f) + blocks * sizeof(f->features[0]));
	if (!f)
		return -ENOMEM;
	f->cmd = ETHTOOL_SFEATURES;
	f->size = blocks;
	f->features[bit / 32].valid = 1u << (bit % 32);
	f->features[bit / 32].requested = on ? 1u << (bit % 32) : 0;
	r = xtr_ethtool(ifname, f);
	free(f);
	return r;
}
