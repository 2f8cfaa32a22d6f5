#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is written for users against the programs themselves: README.md, the manual pages, deploy/examples.

    tests/check/docs.py [BUILD]

Every configuration shown is read by xtrd --check, every `xtrctl` command by xtrctl; every key, counter, drop reason, make
target, file and heading that is named is there. Each check is first shown a planted mistake. Lines "ok NAME",
"not ok NAME - why", "skip NAME - why"; status 1 when any failed."""
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MAN = ["user/cli/xtrctl.8", "user/cli/xtrd.8", "user/cli/xtrd.yaml.5.in"]
# What is wrong with part of a configuration, or with a whole one on another host than it is for.
ELSEWHERE = [r"no interface of this host has", r"no interface `?\S+", r"No such file or directory; write the secret",
             r"no role is switched on", r"`\w+` needs `(rlocs|interfaces)`", r"the ITR knows nobody to ask",
             r"a member of a seed-group is a Map-", r"does not know where its group is", r"EID routes need an ITR",
             r"public-key.*No such file", r"(interface|device) \S+ is not here", r"No such file or directory"]
# Words of a command line that nothing takes; anything else is that nothing runs here.
NOT_TAKEN = r"unknown word|is no command|is no object|wants |no event is of kind|see 'xtrctl|twice"
# Hyphenated words in backquotes that are none of ours.
FOREIGN = {"rx-vlan-offload", "tx-vlan-offload"}


def read(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        return f.read()


def run(*words):
    r = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    return r.stdout + r.stderr


def quoted(text):
    """What stands in backquotes, outside of blocks."""
    return [m.replace("\n", " ") for m in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M))]


class Docs:
    def __init__(self, build):
        self.xtrd, self.xtrctl = os.path.join(build, "xtrd"), os.path.join(build, "xtrctl")
        self.readme = read("README.md")
        self.man = {name: re.sub(r"\\f[BIR]", "", read(name).replace("\\-", "-").replace("\\(aq", "'")) for name in MAN}
        self.help_config = run(self.xtrd, "--help-config")
        self.keys = set(self.key_paths(self.help_config))

    @staticmethod
    def key_paths(text):
        """a.b.c of each key in a YAML text, lists taken as what is in them."""
        path = []
        for line in text.splitlines():
            m = re.match(r"( *(?:- )?)([a-z0-9-]+):", line)
            if not m:
                continue
            while path and path[-1][0] >= len(m[1]):
                path.pop()
            path.append((len(m[1]), m[2]))
            yield ".".join(p[1] for p in path)

    # ---- what is shown
    def configurations(self, readme):
        for i, m in enumerate(re.finditer(r"```yaml\n(.*?)```", readme, re.S)):
            yield f"README.md, configuration {i + 1}", m[1]
        m = re.search(r"^\.SH EXAMPLE.*?^\.RS 4\n(.*?)^\.RE", self.man["user/cli/xtrd.yaml.5.in"], re.S | re.M)
        yield "xtrd.yaml.5", m[1] if m else "there is none"
        for name in sorted(glob.glob(os.path.join(TOP, "deploy/examples/*.yaml"))):
            yield os.path.relpath(name, TOP), read(name)

    def bad_configurations(self, readme):
        for where, text in self.configurations(readme):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
                f.write(text)
                f.flush()
                said = run(self.xtrd, "--check", f.name).replace(f.name, where)
            for line in said.splitlines():
                if line.startswith(where) and ": good" not in line and not any(re.search(e, line) for e in ELSEWHERE):
                    yield line

    @staticmethod
    def shown(text):
        """Command lines: in backquotes, and in blocks after a prompt or at the beginning of a line."""
        for said in quoted(text):
            if re.match(r"(?:sudo )?(?:\w+=\S+ )*(?:xtrctl|xtrd|make|tests/\S+ )", said):
                yield said
        for block in re.finditer(r"```(?:sh|text)?\n(.*?)```|^\.nf\n(.*?)^\.fi", text, re.S | re.M):
            for line in (block[1] or block[2]).splitlines():
                m = re.match(r"(?:# )?((?:sudo )?(?:\w+='?\S+ )*(?:xtrctl|xtrd|make|tests/\S+)(?: .*)?)$", line)
                if m:
                    yield m[1]

    def bad_commands(self, text):
        grammar = re.compile(r"[\[\]{}|]|\.\.\.")  # of a manual page: cli.sh compares it with the help
        for line in self.shown(text):
            try:
                words = shlex.split(re.sub(r"\s\|\s.*", "", line), comments=True)
            except ValueError as e:
                yield f"{line}: {e}"
                continue
            while words and (words[0] == "sudo" or re.match(r"\w+=", words[0])):
                words.pop(0)
            if not words or grammar.search(" ".join(words)):
                continue
            if words[0] == "xtrctl":
                yield from self.bad_xtrctl(line, words[1:])
            elif words[0] == "xtrd":
                known = set(re.findall(r"--?[a-z-]+", run(self.xtrd, "--help")))
                yield from (f"{line}: xtrd has no {w}" for w in words if w.startswith("-") and w not in known)
            elif words[0] == "make":
                yield from (f"{line}: no such target" for w in words[1:] if "=" not in w and not self.target(w))
            elif not os.path.exists(os.path.join(TOP, words[0])):
                yield f"{line}: no such file"

    def bad_xtrctl(self, line, words):
        words = [{"NAME": "encap-ttl", "FILE": "/nonexistent"}.get(w, w) for w in words]
        if words[:1] == ["detach"]:  # takes no folder of another one for everything: it is not tried
            if words[1:] not in ([], ["force"]):
                yield f"{line}: detach takes force, or nothing"
            return
        said = run("timeout", "5", self.xtrctl, "-s", "/nonexistent", "-B", "/nonexistent", *words)
        if re.search(NOT_TAKEN, said.split("\n")[0]):
            yield f"{line}: {said.splitlines()[0]}"

    @staticmethod
    def target(name):
        return re.search(rf"^{re.escape(name)}:", read("Makefile"), re.M)

    # ---- what is named
    def bad_keys(self, text):
        tops = "|".join(sorted({k.split(".")[0] for k in self.keys}))
        for m in re.finditer(rf"(?<![\w./-])((?:{tops})\.[a-z0-9-]+(?:\.[a-z0-9-]+)*)(?![\w/*])", text):
            if m[1] not in self.keys and not re.search(r"\.(example|com|yaml|json|key|c|h)\b", m[1]):
                yield f"{m[1]}: no such key"

    def bad_words(self, text):
        last = {p for k in self.keys for p in k.split(".")}
        sources = ["user/cli/xtrctl.schema.json", "user/cli/iface.c", "user/roles/node.h"]  # flags, counters of the control plane
        help_words = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", " ".join(
            [run(self.xtrctl, "-j", "help"), run(self.xtrctl, "stats", "reason"), self.help_config,
             *map(read, sources)])))
        packages = set(run(os.path.join(TOP, "deploy/deps.sh"), "--list").split())
        targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
        for said in quoted(text):
            m = re.fullmatch(r"([a-z0-9]+(?:-[a-z0-9]+)+)(?:: .*)?", said)
            if m and m[1] not in last | help_words | packages | targets | FOREIGN:
                yield f"`{m[1]}`: no key, counter, reason, target, package or word of xtrctl"

    def bad_defaults(self, readme):
        """`key` 5000 a second, `key` (600), `key` 32 MiB: the number is the default."""
        default = {}
        for m in re.finditer(r"^ *(?:- )?([a-z0-9-]+): (\d+) +#", self.help_config, re.M):
            default.setdefault(m[1], set()).add(int(m[2]))
        for m in re.finditer(r"`(?:[a-z-]+\.)?([a-z0-9-]+)`[ (]+(\d[\d,]*)( MiB)?", readme):
            n = int(m[2].replace(",", "")) * (1 << 20 if m[3] else 1)
            if m[1] in default and n not in default[m[1]]:
                yield f"{m[0]}: the default is {default[m[1]]}"

    def bad_paths(self, text):
        for m in re.finditer(r"(?<![\w/.-])((?:tests|user|bpf|headers|deploy|vmlinux)/[\w.*/-]*[\w*/])", text):
            if not glob.glob(os.path.join(TOP, m[1])) and not m[1].startswith("deploy/deps.sh"):
                yield f"{m[1]}: no such file"
        heads = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
        for m in re.finditer(r"\]\(#([^)]+)\)", text):
            if m[1] not in heads:
                yield f"#{m[1]}: no such heading"

    def bad_targets(self, readme):
        m = re.search(r"`make help` lists all targets: `([^`]*)`", readme)
        have = [w.split()[1] for w in run("make", "-s", "-C", TOP, "help").splitlines() if w.strip().startswith("make ")]
        if not m or sorted(m[1].split()) != sorted(have):
            yield f"README.md lists {m[1] if m else 'nothing'}, make help {' '.join(have)}"


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
    os.chdir(TOP)
    if not os.access(os.path.join(build, "xtrd"), os.X_OK) or not os.access(os.path.join(build, "xtrctl"), os.X_OK):
        print(f"skip docs - no {build}/xtrd and xtrctl: run make")
        return 0
    d = Docs(build)
    pages = "\n".join([d.readme, *d.man.values()])
    checks = [  # name, check, text, a mistake that it has to find
        ("every configuration that is shown is one", d.bad_configurations, d.readme, "```yaml\nitr: {colour: red}\n```"),
        ("every command that is shown is one", d.bad_commands, pages, "`xtrctl cache shw` `make nothing` `xtrd --colour`"),
        ("every key that is named is one", d.bad_keys, pages, "data-plane.colour"),
        ("every default that is named is the default", d.bad_defaults, d.readme, "`slow-rate` 4000"),
        ("every word in backquotes is known", d.bad_words, d.readme, "`no-such-word`"),
        ("every file and heading that is named is there", d.bad_paths, d.readme, "tests/nothing [x](#nowhere)"),
        ("the list of make targets is that of make help", d.bad_targets, d.readme, "`make help` lists all targets: `all`"),
    ]
    failed = 0
    for name, check, text, mistake in checks:
        found = list(check(text)) or ([] if list(check(mistake)) else ["a planted mistake went unseen"])
        print(f"not ok docs: {name} - {found[0]}" if found else f"ok docs: {name}")
        for f in found[:30]:
            print("  " + f)
        failed |= bool(found)
    return failed


if __name__ == "__main__":
    sys.exit(main())
