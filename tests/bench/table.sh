#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The table of the last run again: tests/bench/table.sh [--markdown] [BUILD]. --markdown: as it stands in the README.
set -euo pipefail
what=show
[ "${1-}" != --markdown ] || { what=markdown; shift; }
exec "$(dirname "$0")/table.py" "${1:-build}" $what
