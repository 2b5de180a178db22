# sockt: one binary, no dependency but the C library.
#
#	make                build/sockt
#	make demo           the tutorials' programs against each other
#	make check          every test that needs no other program
#	make check-netns      tests in network namespaces (root)
#	make check-interop  tests against other programs, which must be there
#	make torture        every system call failing once, and what becomes of it;
#	                    SCENARIOS=half-close,udp-send picks, TORTURE='RUN' is
#	                    one run, SAMPLE=20 one in twenty; tests/torture
#	make bench          speed next to other programs; ROWS=relay,udp picks
#	make sanitize       make check with ASan and UBSan
#	make fuzz           each parser for FUZZ_SECONDS (clang)
#	make lint           format, static analysis, scripts, manual pages
#	make install, uninstall, clean
#
# Settings: CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR; PORTABLE=1 without
# Linux's own calls, STATIC=1 linked statically, SANITIZE=1 with ASan and
# UBSan, WERROR=1. Each kind of build has a folder of its own under build/.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
CFLAGS ?= -O2 -g
PROVE ?= prove
JOBS ?= 4
FUZZ_SECONDS ?= 30

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat-security
STD = -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc
# Files over 2 GiB and times after 2038 on 32-bit systems too.
STD += -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
SAN = -fsanitize=address,undefined
B = build
ifeq ($(shell uname -s),Linux)
OS = linux
else
OS = posix
endif
ifdef PORTABLE
B := $(B)/portable
OS = posix
endif
ifdef STATIC
B := $(B)/static
# CMSG_NXTHDR of musl mixes signs.
MODE_CFLAGS += -Wno-sign-conversion
MODE_LDFLAGS += -static
endif
ifdef SANITIZE
B := $(B)/sanitize
MODE_CFLAGS += $(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
MODE_LDFLAGS += $(SAN)
endif
ifdef FUZZING
B := $(B)/fuzz
MODE_CFLAGS += $(SAN),fuzzer-no-link -fno-sanitize-recover=all
MODE_LDFLAGS += $(SAN)
endif
ifdef WERROR
STRICT = -Werror
endif
# Overflows of the stack and wild jumps are found where the compiler can do
# so; _FORTIFY_SOURCE needs optimization, and hides things from sanitizers.
known = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null \
	2>/dev/null && echo $(1))
HARDEN := $(foreach f,-fstack-protector-strong -fcf-protection \
	-mbranch-protection=standard,$(call known,$(f)))
ifeq ($(SANITIZE)$(FUZZING),)
ifneq ($(filter -O%,$(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
# What the user gives displaces that, but never what the mode needs.
COMPILE = $(CC) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(MODE_CFLAGS) $(CPPFLAGS)
# Bound at the start, so that no forked child has to look a symbol up, and
# what is bound is read-only from then on; called without the detour that is
# for binding late, another piece of the file to be mapped.
LINK = $(BIND) $(LDFLAGS) $(MODE_LDFLAGS) $(LDLIBS)
ifeq ($(shell uname -s),Linux)
BIND = -Wl,-z,now -Wl,-z,relro
MODE_CFLAGS += -fno-plt
endif

SRC = $(filter-out %_linux.c %_posix.c,$(wildcard src/*/*.c)) \
	$(wildcard src/*/*_$(OS).c)
OBJ = $(SRC:src/%.c=$(B)/obj/%.o)
UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
FUZZ = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
REPLAY = $(FUZZ:%=$(B)/tests/fuzz/%)

all: $(B)/sockt

# What a server runs for each connection lies side by side, in front: see
# net/spawn.h.
HOT = $(B)/obj/cmd/serve_hello.o $(filter $(B)/obj/serve/% $(B)/obj/net/% \
	$(B)/obj/base/%,$(OBJ))
$(B)/sockt: $(B)/obj/main.o $(HOT) $(B)/libsockt.a
	$(CC) $(CFLAGS) $(MODE_CFLAGS) -o $@ $^ $(LINK)

$(B)/libsockt.a: $(OBJ) $(B)/objects
	@rm -f $@
	$(AR) rcs $@ $(OBJ)

$(B)/obj/%.o: src/%.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(SYSTEM) $(STRICT) -MMD -MP -c -o $@ $<

# The files that may use what only Linux has.
$(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/*/*_linux.c)): \
	private SYSTEM = -D_GNU_SOURCE

# Stamps: a change of flags rebuilds, and so does a file that has gone.
remember = @mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(1))' >$@.new; \
	cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(B)/flags: force
	$(call remember,$(COMPILE) $(LINK))
$(B)/objects: force
	$(call remember,$(OBJ))

$(B)/tests/unit/%: tests/unit/%.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -MMD -MP -Itests -o $@ $< $(B)/libsockt.a \
		$(LINK)

# Tests that push back where sockt sends: the linker hands its calls to them.
WRAP = -Wl,--wrap=sendmsg -Wl,--wrap=sendmmsg
$(B)/tests/unit/sender_test: private MODE_LDFLAGS += $(WRAP)
$(B)/tests/unit/dgram_server_test: private MODE_LDFLAGS += $(WRAP) \
	-Wl,--wrap=recvmsg -Wl,--wrap=recvmmsg -Wl,--wrap=getsockopt

# sockt itself with a resolver that tests decide on.
$(B)/tests/sockt-names: tests/lib/names.c $(B)/obj/main.o $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -MMD -MP -o $@ $< $(B)/obj/main.o \
		$(B)/libsockt.a $(LINK)

# A terminal for programs under test.
$(B)/tests/pty: tests/lib/pty.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -o $@ $< $(LINK)

# A slow and lossy link between two network namespaces; Linux only. By the
# system's own compiler, since others lack the kernel's headers.
$(B)/tests/link: tests/lib/link.c
	@mkdir -p $(@D)
	cc -std=c11 $(WARN) $(CFLAGS) -o $@ $<

# A fuzzer with a main() that feeds it its corpus, tests/fuzz/corpus/NAME.
$(B)/tests/fuzz/%: tests/fuzz/%.c tests/lib/replay.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -Itests \
		-DCORPUS='"$(abspath tests/fuzz/corpus/$*)"' \
		-o $@ $< tests/lib/replay.c $(B)/libsockt.a $(LINK)

# Tests find the binary under test and its build folder in the environment.
TESTENV = SOCKT="$(abspath $(B))/sockt" SOCKT_BUILD="$(abspath $(B))" \
	CC="$(CC)" MAKE="$(MAKE)"
TESTS ?= $(wildcard tests/lint/*.t tests/cmd/*.t tests/bugs/*.t) \
	$(UNIT) $(REPLAY)
HELPERS = $(B)/sockt $(B)/tests/sockt-names $(B)/tests/pty \
	$(B)/tests/inject.so
check: $(HELPERS) $(UNIT) $(REPLAY)
	@$(TESTENV) $(PROVE) -j$(JOBS) $(TESTS)

check-netns: $(HELPERS) $(B)/tests/link
	@if [ "$$(id -u)" -ne 0 ]; then \
		echo 'check-netns: skipped: only root makes network namespaces'; \
	else \
		$(TESTENV) $(PROVE) -j$(JOBS) $(wildcard tests/netns/*.t); \
	fi

check-interop: $(HELPERS)
	@$(TESTENV) $(PROVE) -j$(JOBS) $(wildcard tests/interop/*.t)

# What makes calls fail. It is preloaded, whatever sockt is built with; see
# vfork() in it for -O2.
INJECT = $(wildcard tests/torture/*.c)
$(B)/tests/inject.so: $(INJECT) tests/torture/inject.h
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -O2 -g $(STRICT) -fPIC -shared -o $@ $(INJECT) -ldl

TORTURE_TESTS ?= $(wildcard tests/torture/*.t)
torture: $(HELPERS)
	@$(TESTENV) TORTURE="$(TORTURE)" TORTURE_SCENARIOS="$(SCENARIOS)" \
		TORTURE_SAMPLE="$(SAMPLE)" TORTURE_SEED="$(SEED)" \
		$(PROVE) $(if $(TORTURE)$(SCENARIOS),-v) $(TORTURE_TESTS)

# What measures, and what it is measured against.
BENCH = $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*/*.c))
bench: $(B)/sockt $(BENCH) $(B)/tests/link
	@$(TESTENV) perl tests/bench/bench.pl $(ROWS)

# The program of servers that run one.
$(B)/bench/load/greeter: private MODE_LDFLAGS += -static
$(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -MMD -MP -Itests/bench/load -o $@ $< $(LINK)

sanitize:
	@$(MAKE) check SANITIZE=1

demo: $(B)/sockt
	@SOCKT="$(abspath $(B))/sockt" sh tests/demo/run

# Seeds come from the tree; what fuzzing finds stays under build/.
fuzz:
	@$(MAKE) CC=clang FUZZING=1 fuzz-run

fuzz-run: $(B)/libsockt.a
	@for f in $(FUZZ); do \
		mkdir -p $(B)/found/$$f $(B)/tests && \
		$(COMPILE) -Itests -fsanitize=fuzzer -o $(B)/tests/$$f \
			tests/fuzz/$$f.c $(B)/libsockt.a $(LINK) && \
		$(B)/tests/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=5 \
			-print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(B)/found/$$f- $(B)/found/$$f \
			$(wildcard tests/fuzz/corpus)/$$f || exit 1; \
	done

C_FILES = $(wildcard src/*.[ch] src/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
PERL_FILES = $(wildcard tests/*/*.t tests/*/*.pm tests/*/*.pl tests/*/*/*.pl)
SHELL_FILES = .ci/run tests/lib/repeat tests/demo/run $(wildcard tests/*/*.sh)
lint: lint-format lint-tidy lint-cppcheck lint-shell lint-perl lint-man

lint-format:
	clang-format --dry-run -Werror $(C_FILES)

TIDY = clang-tidy --quiet
# Tests that define calls of the C library name their parameters otherwise.
OVERRIDE = $(patsubst %,tests/unit/%_test.c,http_client server_errors \
	write_interrupted)
TIDIED = $(filter-out tests/lib/% tests/bench/% tests/torture/% $(OVERRIDE) \
	%_linux.c,\
	$(filter %.c,$(C_FILES)))
lint-tidy:
	$(TIDY) $(wildcard src/*/*_linux.c) -- $(STD) -D_GNU_SOURCE 2>/dev/null
	printf '%s\n' $(TIDIED) | xargs -P $(JOBS) -n 4 \
		sh -c '$(TIDY) "$$@" -- $(STD) -Itests 2>/dev/null' tidy

lint-cppcheck:
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -Isrc \
		-j $(JOBS) --enable=warning,performance,portability \
		--suppressions-list=.cppcheck src

lint-shell:
	shellcheck $(SHELL_FILES)

lint-perl:
	printf '%s\n' $(PERL_FILES) | \
		xargs -P $(JOBS) -n 1 perl -Itests/lib -Itests/bench \
			-Itests/torture -c 2>&1 | \
		{ ! grep -vE 'syntax OK$$|used only once'; }

lint-man:
	mandoc -Tlint -Wwarning $(wildcard man/*.1)

# Completions are written by the binary itself.
COMPLETIONS = bash-completion/completions/sockt zsh/site-functions/_sockt \
	fish/vendor_completions.d/sockt.fish
install: $(B)/sockt
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	install -m 755 $(B)/sockt $(DESTDIR)$(BINDIR)/sockt
	install -m 644 $(wildcard man/*.1) $(DESTDIR)$(MANDIR)/man1
	for f in $(COMPLETIONS); do \
		install -d "$(DESTDIR)$(DATADIR)/$${f%/*}" && \
		$(B)/sockt completion "$${f%%[-/]*}" \
			>"$(DESTDIR)$(DATADIR)/$$f" || exit 1; \
	done

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/sockt \
		$(patsubst man/%,$(DESTDIR)$(MANDIR)/man1/%,$(wildcard man/*.1)) \
		$(addprefix $(DESTDIR)$(DATADIR)/,$(COMPLETIONS))

clean:
	rm -rf build

force:

.PHONY: all check check-netns check-interop torture bench sanitize demo fuzz \
	fuzz-run lint lint-format lint-tidy lint-cppcheck lint-shell lint-perl \
	lint-man install uninstall clean force
.SECONDARY:
.DELETE_ON_ERROR:
-include $(OBJ:.o=.d) $(B)/obj/main.d $(UNIT:=.d) $(REPLAY:=.d) \
	$(B)/tests/sockt-names.d $(BENCH:=.d)
