#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Every kind of start and stop of the daemon under streams of 10,000 packets/s, attach mode xdp-generic: see life.sh.
. "$(dirname "$0")/life.sh"
life xdp-generic
