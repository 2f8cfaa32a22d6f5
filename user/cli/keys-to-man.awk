# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The lines of `xtrd --help-config` as man macros, in place of @KEYS@: awk -f keys-to-man.awk page.5.in keys
function text(s) { gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); sub(/^[.']/, "\\\\\\&&", s); return s }
FNR == NR { page[++n] = $0; next }
{
	at = index($0, " # ")
	key = substr($0, 1, at); doc = substr($0, at + 3)
	sub(/ +$/, "", key); match(key, /^ */)
	indent = RLENGTH; key = substr(key, RLENGTH + 1)
	out = out ".RS " indent * 1 + 2 "\n.TP 4\n\\fB" text(key) "\\fR\n" text(doc) "\n.RE\n"
}
END {
	for (i = 1; i <= n; i++)
		if (page[i] == "@KEYS@")
			printf ".PD 0\n%s.PD\n", out
		else
			print page[i]
}
