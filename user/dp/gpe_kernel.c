// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Does this kernel put LISP-GPE frames together? By itself, because who reads a configuration asks too, and needs nothing else of the
 * data plane.
 */
#include "dp/internal.h"

#include <stdio.h>
#include <sys/utsname.h>

bool xtr_dp_no_gpe;

bool xtr_dp_gpe_kernel(char release[80])
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (uname(&u))
		return false;
	if (release)
		snprintf(release, 80, "%.79s", u.release);
	sscanf(u.release, "%u.%u", &major, &minor);
	return !xtr_dp_no_gpe && (major << 16 | minor) >= (6u << 16 | 5);
}
