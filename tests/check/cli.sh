#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The command line against what is written about it: every object, command and option of the tool's own help stands in
# its manual page and in the schema of its JSON, and the other way round; completion offers exactly what the tool has;
# manual pages have no errors. Lines "ok NAME", "not ok NAME - why", "skip NAME - why".
#
#   tests/check/cli.sh [BUILD]
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
room=user/cli
if [ ! -x "$build/xtrctl" ]; then
	echo "skip cli - no $build/xtrctl: run make"
	exit 0
fi
PATH=$(cd "$build" && pwd):$PATH
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
verdict() { # name, file with findings (empty: good)
	if [ -s "$2" ]; then
		echo "not ok $1 - $(head -n 1 "$2")"
		sed 's/^/  /' "$2"
		failed=1
	else
		echo "ok $1"
	fi
}
same() { # name, file with what there is, file with what is wanted
	diff "$3" "$2" >"$tmp/diff" 2>&1
	[ -s "$3" ] || echo "nothing to compare with" >>"$tmp/diff"
	verdict "$1" "$tmp/diff"
}

xtrctl -j help >"$tmp/help.json" || { echo "not ok cli help - xtrctl -j help failed"; exit 1; }
# "cache show", "lig": one line a command.
jq -r '.[] | .object as $o | .commands[] | if .name == $o then $o else "\($o) \(.name)" end' "$tmp/help.json" |
	sort >"$tmp/commands"
jq -r '.[] | .object as $o | .commands[] | (if .name == $o then $o else "\($o) \(.name)" end) + (if .arguments == "" then "" else " " + .arguments end)' \
	"$tmp/help.json" | sort >"$tmp/grammar"

# ---- the manual: its grammar of commands is that of the help, octet by octet
plain() { sed 's/\\-/-/g; s/\\fB//g; s/\\fR//g; s/\\fI//g' "$@"; } # of a page's source
plain "$room/xtrctl.8" >"$tmp/man"
sed -n '/^\.SH OBJECTS/,/^\.SH EXIT/s/^xtrctl \([a-z].*\)$/\1/p' "$tmp/man" | sed 's/{ show | list }/show/' | sort >"$tmp/man.grammar"
same "cli: xtrctl.8 has the grammar of every command, and no other" "$tmp/man.grammar" "$tmp/grammar"
for o in json pretty socket bpffs version help; do
	grep -q -- "--$o" "$tmp/man" || echo "xtrctl.8 does not explain --$o"
	xtrctl help | grep -q -- "--$o" || echo "the help does not name --$o"
done >"$tmp/found"
verdict "cli: every option is in the help and in xtrctl.8" "$tmp/found"
pages=("$room/xtrctl.8" "$room/xtrd.8")
if [ -x "$build/xtrd" ]; then
	xtrd --help-config >"$tmp/keys"
	awk -f "$room/keys-to-man.awk" "$room/xtrd.yaml.5.in" "$tmp/keys" >"$tmp/xtrd.yaml.5"
	pages+=("$tmp/xtrd.yaml.5")
	plain "$tmp/xtrd.yaml.5" >"$tmp/man5"
	sed 's/ *# .*//; s/^ *//' "$tmp/keys" | while read -r k; do
		grep -qxF -- "$k" "$tmp/man5" || echo "xtrd.yaml.5 has no $k"
	done >"$tmp/found"
	[ -s "$tmp/keys" ] || echo "xtrd --help-config printed nothing" >>"$tmp/found"
	verdict "cli: xtrd.yaml.5 has every key of the daemon's table" "$tmp/found"
	plain "$room/xtrd.8" >"$tmp/man8"
	xtrd --help | grep -oE -- '--[a-z-]+' | sort -u | while read -r o; do
		grep -qF -- "$o" "$tmp/man8" || echo "xtrd.8 does not explain $o"
	done >"$tmp/found"
	verdict "cli: every option of xtrd is in xtrd.8" "$tmp/found"
fi
if command -v man >/dev/null; then
	for p in "${pages[@]}"; do
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$p" 2>&1 >/dev/null | sed "s,^,$p: ,"
		grep -q '^\.SH NAME' "$p" || echo "$p: no NAME"
	done >"$tmp/found"
	verdict "cli: manual pages format without a warning" "$tmp/found"
else
	echo "skip cli: manual pages format without a warning - no man (apt-get install man-db)"
fi

# ---- the schema of the JSON: one definition for each command that prints something of its own
jq -r '."$defs" | keys[]' "$room/xtrctl.schema.json" >"$tmp/defs" || echo "no schema" >"$tmp/defs"
while read -r c; do
	grep -qxF "$c" "$tmp/defs" || echo "xtrctl.schema.json does not describe '$c'"
done <"$tmp/commands" >"$tmp/found"
while read -r d; do
	case $d in error | locator | cache-locator | decent-* | 'OBJECT help' | help) continue ;; esac
	grep -qxF "$d" "$tmp/commands" || echo "xtrctl.schema.json describes '$d', which is no command"
done <"$tmp/defs" >>"$tmp/found"
verdict "cli: the schema describes every command, and no other" "$tmp/found"

# ---- completion
# shellcheck disable=SC1090
. "$room/xtrctl.bash-completion"
offer() { # words..., the last is being typed
	COMP_WORDS=(xtrctl "$@")
	COMP_CWORD=$#
	_xtrctl
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
offer '' >"$tmp/got"
{ jq -r '.[].object' "$tmp/help.json"; echo help; } | sort >"$tmp/want"
same "cli: completion offers the objects" "$tmp/got" "$tmp/want"
for o in $(jq -r '.[] | select(.commands[0].name != .object) | .object' "$tmp/help.json"); do
	offer "$o" '' | sed "s/^/$o /"
	{ jq -r --arg o "$o" '.[] | select(.object == $o) | .commands[].name' "$tmp/help.json"; echo help; } | sort | sed "s/^/$o /" >&3
done >"$tmp/got" 3>"$tmp/want"
same "cli: completion offers the commands of each object" "$tmp/got" "$tmp/want"
{
	offer cache show '' | grep -qx instance || echo "cache show: no 'instance'"
	offer -s /x cache add 10.0.0.0/8 '' | grep -qx rloc || echo "cache add: no 'rloc' (with an option before)"
	offer cache add 10.0.0.0/8 action nat | grep -qx natively-forward || echo "action: no 'natively-forward'"
	offer decent hash profile dr | grep -qx draft10 || echo "profile: no 'draft10'"
	offer decent hash 10.0.0.1 h | grep -qx hash-mask || echo "decent hash: no 'hash-mask'"
	offer lig 10.0.0.1 t | grep -qx to || echo "lig: no 'to'"
	offer monitor kind site-r | grep -qx site-registered || echo "monitor: no 'site-registered'"
	offer iface show dev l | grep -qx lo || echo "iface: no 'lo'"
	offer stats reason encap-t | grep -qx encap-ttl || echo "stats reason: no 'encap-ttl'"
	(cd "$tmp" && touch table-of-entries && offer cache load table-) | grep -qx table-of-entries || echo "cache load: no file names"
	offer --so | grep -qx -- --socket || echo "no '--socket'"
	[ -z "$(offer cache show zzz)" ] || echo "offers what does not fit"
} >"$tmp/found"
verdict "cli: completion offers keywords and values" "$tmp/found"
exit $failed
