# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# One entry for everything. Non-recursive; results in build/ (B=DIR for another); V=1 shows the commands.
# Sources are found by wildcard: a new file in a room needs no change here.

B      ?= build
V      ?= 0
Q      := $(if $(filter 1,$(V)),,@)
say     = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) '$(2)')
PREFIX ?= /usr/local
SAN    ?=
NPROC  := $(shell nproc 2>/dev/null || echo 1)

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

VERSION := $(shell git -c safe.directory=$(CURDIR) describe --tags --always --dirty 2>/dev/null || echo 0.1.0)

CC      := gcc
CLANG   := clang
BPFTOOL := $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
ARCH    := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

PKGS    := libbpf libssl libcrypto libuv yaml-0.1 jansson libmnl libcap libcares libcurl
# Asked once and only when something is built, so that `make deps` works on a bare machine.
pkg_cflags = $(eval pkg_cflags := $$(shell pkg-config --cflags $(PKGS)))$(pkg_cflags)
pkg_libs   = $(eval pkg_libs := $$(shell pkg-config --libs $(PKGS)))$(pkg_libs)

WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wno-unused-parameter -Werror
OPT     ?= -O2 -g
INC     := -Iuser -Iheaders -I$(B)
CFLAGS  = $(OPT) -std=gnu11 $(WARN) $(INC) -D_GNU_SOURCE -fno-strict-aliasing \
          -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2) $(SAN) $(pkg_cflags)
LDLIBS  = -Wl,--as-needed $(pkg_libs) -lm
BPFFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Wall -Werror -Ivmlinux -Iheaders -Ibpf -I/usr/include/$(MULTIARCH)

LIB_SRC := $(wildcard $(foreach d,util codec core roles dp net loop ctl,user/$(d)/*.c))
DAEMON_SRC := $(wildcard user/daemon/*.c)
CLI_SRC := $(wildcard user/cli/*.c)
BPF_SRC := $(wildcard bpf/*.bpf.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
BPFT_SRC := $(wildcard tests/bpf/test_*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)

obj = $(patsubst %.c,$(B)/%.o,$(1))
BPF_OBJ := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(BPF_SRC))
SKEL := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.skel.h,$(BPF_SRC))
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(UNIT_SRC))
BPFT_BIN := $(patsubst tests/bpf/%.c,$(B)/tests/bpf/%,$(BPFT_SRC))
SIM_SRC := $(wildcard tests/sim/*.c)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))
LIB := $(B)/libxtr.a

.PHONY: all deps test e2e kernel-test demo bench check sim fuzz asan install uninstall clean help unit-bin bpf-bin fuzz-bin

all: $(B)/xtrd $(B)/xtrctl ## build the daemon, the command line tool and the BPF programs

deps: ## install the Debian packages that building and testing need (nothing if all are there)
	$(Q)deploy/deps.sh

# Targets that do everything build on all CPUs, unless -j says otherwise.
PARMAKE = $(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(NPROC))
ASAN   := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

# ---- BPF: one object, one skeleton
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(B)/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# ---- user space
# Rewritten only when it differs: after a commit, what prints the version is built anew, and nothing else.
$(B)/version.h: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '#define XTR_VERSION "$(VERSION)"' | cmp -s - $@ || echo '#define XTR_VERSION "$(VERSION)"' > $@
# .SECONDARY: below takes what is not there for nothing to do, but for phony targets.
.PHONY: FORCE
FORCE:

$(B)/user/%.o: user/%.c | $(SKEL) $(B)/version.h
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(LIB): $(call obj,$(LIB_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/xtrd: $(call obj,$(DAEMON_SRC)) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $(call obj,$(DAEMON_SRC)) $(LIB) $(LDLIBS)

$(B)/xtrctl: $(call obj,$(CLI_SRC)) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $(call obj,$(CLI_SRC)) $(LIB) $(LDLIBS)

# The keys in the manual are the daemon's own table.
$(B)/xtrd.yaml.5: user/cli/xtrd.yaml.5.in user/cli/keys-to-man.awk $(B)/xtrd
	$(call say,MAN,$@)
	$(Q)$(B)/xtrd --help-config > $@.keys && awk -f user/cli/keys-to-man.awk $< $@.keys > $@

# ---- tests: every tests/unit/test_*.c and tests/bpf/test_*.c is a Criterion program of its own
# Compiled without optimisation: a sanitizer build of them takes a quarter of the time, and what they test is not in them.
# The simulation computes for minutes: that is another thing.
TEST_OPT ?= -O0 -g -U_FORTIFY_SOURCE
$(B)/tests/sim/%.o: TEST_OPT :=
$(B)/tests/%.o: tests/%.c | $(SKEL)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(TEST_OPT) -Itests -MMD -MP -c $< -o $@

TEST_HELP := $(filter-out $(UNIT_SRC) $(BPFT_SRC),$(wildcard tests/unit/*.c tests/bpf/*.c))
# What xtrd is made of besides main(): configuration and wiring are tested too.
DAEMON_LIB := $(B)/libxtrd.a
$(DAEMON_LIB): $(call obj,$(filter-out user/daemon/main.c,$(DAEMON_SRC)))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^
$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(call obj,$(filter tests/unit/%,$(TEST_HELP))) $(DAEMON_LIB) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $^ $(LDLIBS) -lcriterion
$(B)/tests/bpf/test_%: $(B)/tests/bpf/test_%.o $(call obj,$(filter tests/bpf/%,$(TEST_HELP))) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $^ $(LDLIBS) -lcriterion
# The tests of the command line run it.
$(filter $(B)/tests/unit/test_cli%,$(UNIT_BIN)): | $(B)/xtrctl
.SECONDARY:

unit-bin: $(UNIT_BIN)
bpf-bin: $(BPFT_BIN)

# ---- what end-to-end tests need besides: traffic that proves what arrived, a fast stream, and a second xtr that only differs in the number of its ABI, to
# upgrade to. Nothing outside the data plane knows that number, but for the two files that print it.
NEXT_SRC := $(wildcard user/dp/*.c) user/daemon/show.c user/cli/version.c
NEXT_OBJ := $(patsubst %.c,$(B)/next/%.o,$(NEXT_SRC))
next_of = $(filter $(B)/next/user/dp/%.o $(B)/next/$(2)/%.o,$(NEXT_OBJ)) \
	$(filter-out $(patsubst $(B)/next/%,$(B)/%,$(NEXT_OBJ)),$(call obj,$(1)))
$(B)/next/%.o: %.c | $(SKEL) $(B)/version.h
	$(call say,CC,$< (next))
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -DXTR_ABI_VERSION=9 -MMD -MP -c $< -o $@
$(B)/next/xtrd: $(call next_of,$(DAEMON_SRC),user/daemon) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $^ $(LDLIBS)
$(B)/next/xtrctl: $(call next_of,$(CLI_SRC),user/cli) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $^ $(LDLIBS)
$(B)/tests/e2e/%: $(B)/tests/e2e/%.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $^
$(B)/tests/e2e/%.o: TEST_OPT :=

.PHONY: e2e-bin
e2e-bin: $(B)/tests/e2e/seq $(B)/tests/e2e/stream $(B)/bench/xtr-bench-scan $(B)/next/xtrd $(B)/next/xtrctl

# ---- fuzzers: clang's libFuzzer over what reads foreign octets: the protocol, DNS, files, the control socket.
# Compiled once; each target links what it calls.
FUZZ_LIB_SRC := $(wildcard $(foreach d,util codec core roles,user/$(d)/*.c) \
		user/net/dns*.c user/net/http*.c user/daemon/yaml.c user/daemon/schema*.c user/daemon/config*.c \
		user/daemon/params.c user/ctl/server.c user/dp/gpe_kernel.c user/dp/csum.c)
FUZZ_CC := $(CLANG) -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -std=gnu11 -D_GNU_SOURCE \
		$(INC) -Itests
FUZZ_PKGS := libcrypto jansson yaml-0.1 libuv libcares libcurl
FUZZ_LIB := $(B)/fuzz/libfuzzed.a

$(B)/fuzz/obj/%.o: %.c
	$(call say,FUZZ-CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer-no-link $(shell pkg-config --cflags $(FUZZ_PKGS)) -MMD -MP -c $< -o $@

$(FUZZ_LIB): $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_LIB_SRC))
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(FUZZ_LIB)
	$(call say,FUZZ,$@)
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer -o $@ $^ $(shell pkg-config --libs $(FUZZ_PKGS))
fuzz-bin: $(FUZZ_BIN)

FUZZ_TIME ?= 60
fuzz: fuzz-bin ## run each fuzz target for FUZZ_TIME seconds (default 60), from the corpus in the tree
	$(Q)tests/fuzz/run.sh $(B) $(FUZZ_TIME)

asan: ## build with ASan and UBSan into build/asan and run unit, e2e and interop tests on it (leaks fail the run)
	$(Q)$(PARMAKE) B=$(B)/asan SAN='$(ASAN)' OPT='-O1 -g' all unit-bin $(B)/asan/tests/e2e/seq
	$(Q)tests/run.sh --build $(B)/asan --asan unit e2e interop

# ---- simulation: the protocol alone, without the world around it
SIM_BIN := $(B)/sim/xtr-sim
$(SIM_BIN): $(call obj,$(SIM_SRC) $(wildcard $(foreach d,util codec core roles,user/$(d)/*.c)))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(SAN) -o $@ $^ -lcrypto -lm

sim: $(SIM_BIN) ## simulate up to 10,000 routers (minutes; QUICK=1: up to 256, seconds)
	$(Q)$(SIM_BIN) $(if $(filter 1,$(QUICK)),--quick) --json $(B)/sim/results.json

check: ## layer rules, ABI golden, style of the tree
	$(Q)tests/check/run.sh

test: deps ## all set-up, then every test; ends with "N passed, N failed, N skipped"
	$(Q)$(PARMAKE) all unit-bin bpf-bin e2e-bin fuzz-bin $(SIM_BIN)
	$(Q)ASAN_MAKE="$(MAKE) --no-print-directory -j$(NPROC) B=$(B)/asan SAN='$(ASAN)' OPT='-O1 -g' all unit-bin $(B)/asan/tests/e2e/seq" MAKEFLAGS= \
		tests/run.sh --build $(B) check unit bpf fuzz sim e2e interop asan kernel

e2e: all e2e-bin ## end-to-end tests in network namespaces (root)
	$(Q)tests/run.sh --build $(B) e2e

kernel-test: all bpf-bin ## boot Linux 6.1, 6.12 and 6.18 in QEMU and test there (KERNELS="6.1" for some of them)
	$(Q)tests/run.sh --build $(B) kernel

demo: deps ## the tour: two sites, then LISP-Decent by pull and by push; ACT=one, pull or push (root)
	$(Q)$(PARMAKE) all $(B)/tests/e2e/seq
	$(Q)tests/e2e/demo.sh $(B)

# ---- benchmark: its own programs and hands
$(B)/bench/%.bpf.o: tests/bench/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPFFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(B)/bench/%.skel.h: $(B)/bench/%.bpf.o
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@
# Each is one source; two need programs in the kernel, one the library.
BENCH_BIN := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/xtr-bench*.c))
$(BENCH_BIN): $(B)/bench/%: tests/bench/%.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -Itests -MMD -MP -o $@ $< $(filter %.a,$^) $(LDLIBS)
$(B)/bench/xtr-bench $(B)/bench/xtr-bench-scan: $(B)/bench/gen.skel.h
$(B)/bench/xtr-bench-hit: $(B)/bench/hit.skel.h
$(B)/bench/xtr-bench-control: $(LIB)

.PHONY: bench-bin
bench-bin: all $(BENCH_BIN)
bench: bench-bin ## measure against the targets (root; QUICK=1: under 3 minutes)
	$(Q)tests/bench/run.sh $(B)

install: all $(B)/xtrd.yaml.5 ## install into PREFIX (default /usr/local), DESTDIR honoured
	install -D -m 755 $(B)/xtrd $(DESTDIR)$(PREFIX)/sbin/xtrd
	install -D -m 755 $(B)/xtrctl $(DESTDIR)$(PREFIX)/sbin/xtrctl
	install -D -m 644 user/cli/xtrctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/xtrctl.8
	install -D -m 644 user/cli/xtrd.8 $(DESTDIR)$(PREFIX)/share/man/man8/xtrd.8
	install -d $(DESTDIR)$(PREFIX)/share/man/man5
	sed 's,@PREFIX@,$(PREFIX),g' $(B)/xtrd.yaml.5 > $(DESTDIR)$(PREFIX)/share/man/man5/xtrd.yaml.5
	install -D -m 644 user/cli/xtrctl.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/xtrctl
	install -D -m 644 user/cli/xtrctl.schema.json $(DESTDIR)$(PREFIX)/share/xtr/xtrctl.schema.json
	install -d $(DESTDIR)/lib/systemd/system
	sed 's,@PREFIX@,$(PREFIX),g' deploy/systemd/xtrd.service > $(DESTDIR)/lib/systemd/system/xtrd.service
	install -d $(DESTDIR)$(PREFIX)/share/doc/xtr/examples
	install -m 644 $(wildcard deploy/examples/*.yaml) $(DESTDIR)$(PREFIX)/share/doc/xtr/examples

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/xtrd $(DESTDIR)$(PREFIX)/sbin/xtrctl $(DESTDIR)/lib/systemd/system/xtrd.service
	rm -f $(DESTDIR)$(PREFIX)/share/man/man8/xtrctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/xtrd.8
	rm -f $(DESTDIR)$(PREFIX)/share/man/man5/xtrd.yaml.5 $(DESTDIR)$(PREFIX)/share/bash-completion/completions/xtrctl
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/xtr $(DESTDIR)$(PREFIX)/share/xtr

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/' | awk -F'\t' '{printf "  make %-11s %s\n", $$1, $$2}'

-include $(shell find $(B) -name '*.d' 2>/dev/null)
