// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What was made in a network namespace, so that it can be removed by anybody later: devices and
 * filters, in the pinned map xtr_made. Other versions may have made the record longer or shorter:
 * its beginning never changes, and more goes behind its end.
 */
#include "dp/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct xtr_dp_made_dev *xtr_dp_made_dev(struct xtr_dp_made *m, int ifindex, const char *name,
					bool add)
{
	struct xtr_dp_made_dev *d;

	for (unsigned i = 0; i < m->count && i < XTR_DP_MADE_DEVS; i++)
		if ((int)m->dev[i].ifindex == ifindex && (ifindex != XTR_DP_MADE_SOON || !strcmp(m->dev[i].name, name)))
			return &m->dev[i];
	if (!add || m->count >= XTR_DP_MADE_DEVS)
		return NULL;
	d = &m->dev[m->count++];
	*d = (struct xtr_dp_made_dev){ .ifindex = (__u32)ifindex };
	snprintf(d->name, sizeof(d->name), "%s", name);
	return d;
}

int xtr_dp_made_save(struct xtr_dp *dp)
{
	struct xtr_dp_made *m = &dp->made;
	__u32 zero = 0;

	for (unsigned i = 0; i < m->count;)
		if (!m->dev[i].flags)
			m->dev[i] = m->dev[--m->count];
		else
			i++;
	return bpf_map_update_elem(dp->made_fd, &zero, m, BPF_ANY) ? -errno : 0;
}

/* -ENOENT: no such folder, or no note in it. */
int xtr_dp_made_read(const char *dir, struct xtr_dp_made *made)
{
	char path[PATH_MAX];
	int fd, r;

	snprintf(path, sizeof(path), "%s/%s", dir, XTR_DP_MAP_MADE);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	r = xtr_dp_read_record(fd, made, sizeof(*made));
	if (made->count > XTR_DP_MADE_DEVS)
		made->count = XTR_DP_MADE_DEVS;
	close(fd);
	return r;
}

/* The note in folder `from`, if there is one, goes on in folder `to`; in the same map where it has our size. */
int xtr_dp_made_open(struct xtr_dp *dp, const char *from, const char *to, struct xtr_err *err)
{
	struct bpf_map_info info;
	char path[PATH_MAX];
	uint64_t dev, ino;
	int r;

	if (xtr_dp_made_read(from, &dp->made))
		memset(&dp->made, 0, sizeof(dp->made));
	snprintf(path, sizeof(path), "%s/%s", from, XTR_DP_MAP_MADE);
	dp->made_fd = bpf_obj_get(path);
	if (dp->made_fd >= 0 &&
	    (xtr_dp_map_info(dp->made_fd, &info) || info.value_size != sizeof(dp->made))) {
		close(dp->made_fd);
		dp->made_fd = -1;
	}
	xtr_dp_netns(&dev, &ino);
	if (dp->made.netns_dev != dev || dp->made.netns_ino != ino)
		/* of a namespace that is gone: its devices went with it */
		memset(&dp->made, 0, sizeof(dp->made));
	if (dp->made_fd < 0)
		dp->made_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, XTR_DP_MAP_MADE, sizeof(__u32),
					     sizeof(dp->made), 1, NULL);
	if (dp->made_fd < 0)
		return xtr_fail(err, -errno, "cannot create BPF maps: %s (needs CAP_BPF)",
				strerror(errno));
	dp->made.netns_dev = dev;
	dp->made.netns_ino = ino;
	dp->made.table = dp->cfg.route_table;
	dp->made.priority = dp->cfg.rule_priority;
	dp->made.mark = dp->cfg.mark;
	r = xtr_dp_made_save(dp);
	if (!r)
		r = xtr_dp_pin(dp->made_fd, to, XTR_DP_MAP_MADE);
	return r ? xtr_fail(err, r, "%s/%s: cannot pin: %s", to, XTR_DP_MAP_MADE, strerror(-r)) : 0;
}
