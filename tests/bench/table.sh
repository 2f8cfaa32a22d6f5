#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The table of the last run again: tests/bench/table.sh [--markdown | --readme] [BUILD]. --markdown: as it stands in the README;
# --readme: puts it there, between the two marks.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
what=show
case ${1-} in --markdown) what=markdown ;; --readme) what=readme ;; esac
[ $what = show ] || shift
build=${1:-$here/../../build}
if [ $what != readme ]; then exec "$here/table.py" "$build" $what; fi
readme=$here/../../README.md
table=$(mktemp)
trap 'rm -f "$table"' EXIT
"$here/table.py" "$build" markdown >"$table"
grep -q '^<!-- bench: begin' "$readme" && grep -q '^<!-- bench: end' "$readme" || { echo "README.md: no marks for the table" >&2; exit 1; }
sed -i -e '/^<!-- bench: begin/,/^<!-- bench: end/{//!d}' -e "/^<!-- bench: begin/r $table" "$readme"
echo "README.md: table of $(head -c 20 "$table")"
