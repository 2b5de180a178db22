# sockt: one binary, no dependency but the C library.
#
#	make                build/sockt
#	make demo           runs the tutorials' programs against each other
#	make check          runs every test that needs no other program
#	make check-long     what takes hours: fuzzing, large transfers, torture
#	make check-netns    runs tests in network namespaces (root)
#	make check-interop  runs tests against other programs
#	make check-matrix   runs the whole matrices of which make check has a part
#	make dist           build/sockt-VERSION.tar.gz of the last commit
#	make deb            build/sockt_VERSION_ARCH.deb
#	make static         a static binary with musl (Debian package musl-tools)
#	make release        all of these, and build/SHA256SUMS
#	make check-deb      inspects the package
#	make check-dist     tries package and tarball in a minimal Debian (root)
#	make torture        fails every system call once (tests/torture.mk)
#	make bench          compares speed with other programs; ROWS=pipelines,scan
#	make coverage       counts the lines and branches that tests reach
#	make sanitize       runs make check with ASan and UBSan
#	make fuzz           fuzzes each parser for FUZZ_SECONDS (clang)
#	make check-machines runs tests on 32-bit and big-endian machines
#	make lint           checks format, code, scripts and manual pages
#	make install, uninstall, clean, help
#
# Settings: CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR; PORTABLE=1 uses POSIX
# calls only, STATIC=1 links statically, SANITIZE=1 adds ASan and UBSan,
# MACHINE=i386, s390x or aarch64 builds for that machine, WERROR=1 makes
# warnings errors. Each kind of build has its own folder under build/.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
CFLAGS ?= -O2 -g
PROVE ?= prove
# Tests wait more than they compute.
JOBS ?= 32

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat-security
STD = -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc
# Files over 2 GiB and times after 2038 on 32-bit systems too.
STD += -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
SAN = -fsanitize=address,undefined
# The counters of all processes of a binary are one file that they map: forked,
# killed and confined ones are counted, too.
PROFILE = -fprofile-instr-generate=$(abspath $(B))/profiles/%c%m.profraw
B = build
ifeq ($(shell uname -s),Linux)
OS = linux
# Symbols are bound at start-up, so that no forked child has to look one up,
# and the table is read-only afterwards. Calls skip the PLT, which only lazy
# binding needs and which would be one more page to map.
BIND = -Wl,-z,now -Wl,-z,relro
MODE_CFLAGS += -fno-plt
else
OS = posix
endif
# gcc -m32 lacks the kernel's headers, which are those of the native machine.
CC_i386 = gcc -m32 -idirafter /usr/include/$(shell gcc -print-multiarch)
CC_s390x = s390x-linux-gnu-gcc
CC_aarch64 = aarch64-linux-gnu-gcc
ifdef MACHINE
B := $(B)/$(MACHINE)
CC = $(or $(CC_$(MACHINE)),$(error MACHINE=$(MACHINE) is not known))
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
MODE_CFLAGS += -DTEXT_POISON
MODE_LDFLAGS += $(SAN)
endif
ifdef COVERAGE
B := $(B)/coverage
# Assertions have a side that never runs, and hide what follows from Clang.
MODE_CFLAGS += $(PROFILE) -fcoverage-mapping -DNDEBUG -Wno-unused-parameter \
	-Xclang -mllvm -Xclang -runtime-counter-relocation
MODE_LDFLAGS += $(PROFILE)
endif
ifdef FUZZING
B := $(B)/fuzz
MODE_CFLAGS += $(SAN),fuzzer-no-link -fno-sanitize-recover=all -DTEXT_POISON
MODE_LDFLAGS += $(SAN)
endif
ifdef WERROR
STRICT = -Werror
endif
# Stack overflows and wild jumps are detected where the compiler can do it.
# _FORTIFY_SOURCE needs optimization and hides bugs from sanitizers.
known = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null \
	2>/dev/null && echo $(1))
HARDEN := $(foreach f,-fstack-protector-strong -fcf-protection \
	-mbranch-protection=standard,$(call known,$(f)))
ifeq ($(SANITIZE)$(FUZZING),)
ifneq ($(filter -O%,$(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS))))),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
# The user's flags override these, but never those that the mode needs.
COMPILE = $(CC) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(MODE_CFLAGS) $(CPPFLAGS)
LINK = $(BIND) $(LDFLAGS) $(MODE_LDFLAGS) $(LDLIBS)

SRC = $(filter-out %_linux.c %_posix.c,$(wildcard src/*/*.c)) \
	$(wildcard src/*/*_$(OS).c)
# What sanitizers do at the end of a process, a confined one must not.
ifneq ($(SANITIZE)$(FUZZING),)
SRC := $(SRC:%/sandbox_linux.c=%/sandbox_posix.c)
endif
OBJ = $(SRC:src/%.c=$(B)/obj/%.o) $(B)/obj/cmd/texts.o
UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))

all: $(B)/sockt

$(B)/sockt: $(B)/obj/main.o $(B)/libsockt.a
	$(CC) $(CFLAGS) $(MODE_CFLAGS) -o $@ $(B)/obj/main.o \
		$(B)/libsockt.a $(LINK)
	$(EMULATED)

$(B)/libsockt.a: $(OBJ) $(B)/objects
	@rm -f $@
	$(AR) rcs $@ $(OBJ)

$(B)/obj/%.o: src/%.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(SYSTEM) $(STRICT) -MMD -MP -c -o $@ $<

# Texts as strings: completion.bash becomes completion_bash. The comments of
# *.txt are left out.
TEXTS = $(wildcard src/cmd/completion.*sh src/cmd/*.txt)
$(B)/obj/cmd/texts.c: $(TEXTS)
	@mkdir -p $(@D)
	@for f in $(TEXTS); do \
		name=$$(basename $$f | tr . _) && \
		case $$f in *.txt) comments='/^#/d;' ;; *) comments= ;; esac && \
		echo "extern const char $$name[];" && \
		echo "const char $$name[] =" && \
		sed "$$comments"' s/[\\"]/\\&/g; s/.*/"&\\n"/' $$f && \
		echo ';' || exit 1; \
	done >$@

$(B)/obj/%.o: $(B)/obj/%.c $(B)/flags
	$(COMPILE) $(STRICT) -c -o $@ $<

# Linux's own calls are in *_linux.c. accept4, pipe2, SOCK_CLOEXEC and
# SOCK_NONBLOCK of POSIX.1-2024 are in these two; older glibc declares them only
# there.
NEWER = src/net/sock.c src/base/fd.c
$(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/*/*_linux.c) $(NEWER)): \
	private SYSTEM = -D_GNU_SOURCE
# What a system cannot do needs none of its twin's arguments.
$(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/*/*_posix.c)): \
	private SYSTEM = -Wno-unused-parameter

# Stamps: changed flags cause a rebuild, and so does a removed source file.
remember = @mkdir -p $(@D); text='$(subst ','\'',$(1))'; \
	printf '%s\n' "$$text" | cmp -s - $@ || \
	{ printf '%s\n' "$$text" >$@.$$$$ && mv $@.$$$$ $@; }
$(B)/flags: force
	$(call remember,$(COMPILE) $(LINK))
$(B)/objects: force
	$(call remember,$(OBJ))

$(B)/tests/unit/%: tests/unit/%.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -MMD -MP -Itests -o $@ $< $(B)/libsockt.a \
		$(LINK)
	$(EMULATED)

# sockt with a resolver that tests control.
$(B)/tests/sockt-names: tests/lib/names.c $(B)/obj/main.o $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -MMD -MP -o $@ $< $(B)/obj/main.o \
		$(B)/libsockt.a $(LINK)
	$(EMULATED)

# Runs a program on a pseudo-terminal.
$(B)/tests/pty: tests/lib/pty.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -o $@ $< $(LINK)
	$(EMULATED)

# A server of TLS that renews its keys.
$(B)/tests/tls_peer: tests/lib/tls_peer.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -o $@ $< $(LINK)
	$(EMULATED)

# The environment tells tests which binary and build folder to use.
TESTENV = SOCKT="$(abspath $(B))/sockt" SOCKT_BUILD="$(abspath $(B))" \
	CC="$(CC)" MAKE="$(MAKE)"
# The longest come first: they would be waited for at the end.
LONGEST = $(wildcard $(patsubst %,tests/cmd/%.t,connect_script \
	unnoticed_call_failures listen_cut_answers \
	tls_transfers held_ends connect_via portscan_states udp_serve_loop connect_check \
	listen_many_connections))
LOOPBACK = $(LONGEST) \
	$(filter-out $(LONGEST),$(wildcard tests/cmd/*.t))
# The examples and the lints are the same in every mode.
TESTS ?= $(if $(B:build=),,$(wildcard tests/examples/*.t) \
	$(filter-out $(NAMES),$(wildcard tests/lint/*.t))) $(LOOPBACK) \
	$(UNIT) $(REPLAY)
HELPERS = $(B)/sockt $(B)/tests/sockt-names $(B)/tests/pty $(B)/tests/tls_peer

include $(wildcard tests/*.mk)

# What tests run, besides unit tests.
helpers: $(HELPERS) $(B)/tests/link

check: $(HELPERS) $(UNIT) $(REPLAY)
	@$(TESTENV) $(PROVE) -j$(JOBS) $(TESTS)

# The tests and replays in C.
check-unit:
	@$(MAKE) check TESTS='$$(UNIT) $$(REPLAY)'

# What takes hours: large transfers, an hour of fuzzing, every run of torture,
# all commands on other machines.
check-long: $(HELPERS)
	@SOCKT_LONG=1 $(MAKE) check JOBS=2 \
		TESTS='tests/cmd/over_4_gib.t tests/cmd/listen_many_connections.t'
	@$(MAKE) -j2 fuzz FUZZ_SECONDS=$$((7200 / $(words $(FUZZ))))
	@SOCKT_TRANSFERS=2000 $(MAKE) check-interop INTEROP=tests/interop/pause_and_burst.t
	@$(MAKE) torture
	@$(MAKE) check-machines WHOLE=1

INTEROP ?= $(wildcard tests/interop/*.t)
check-interop: $(HELPERS)
	@$(TESTENV) $(PROVE) -j$(JOBS) $(INTEROP)

check-matrix: $(HELPERS)
	@SOCKT_MATRIX=1 $(TESTENV) $(PROVE) -j$(JOBS) \
		tests/cmd/stdout_readers.t tests/cmd/crossings.t

sanitize:
	@$(MAKE) check SANITIZE=1

demo: $(B)/sockt
	@SOCKT="$(abspath $(B))/sockt" sh tests/demo/run

# The binary itself writes the completions. fish from a package of the system
# searches /usr/local only where XDG_DATA_DIRS names it, and /etc always.
ZSHDIR ?= $(DATADIR)/zsh/site-functions
FISHDIR = $(DATADIR)/fish/vendor_completions.d
FISHDIRS ?= $(FISHDIR) $(if $(filter /usr/local,$(PREFIX)),/etc/fish/completions)
COMPLETIONS = $(DATADIR)/bash-completion/completions/sockt \
	$(ZSHDIR)/_sockt $(FISHDIRS:=/sockt.fish)
PAGES = $(wildcard man/*.[17])
install: $(B)/sockt
	umask 022 && install -d "$(DESTDIR)$(BINDIR)"
	install -m 755 $(B)/sockt "$(DESTDIR)$(BINDIR)/sockt"
	umask 022; for f in $(PAGES); do \
		install -d "$(DESTDIR)$(MANDIR)/man$${f##*.}" && \
		install -m 644 $$f "$(DESTDIR)$(MANDIR)/man$${f##*.}" || \
			exit 1; \
	done
	umask 022; for f in $(COMPLETIONS); do \
		case $$f in *.fish) shell=fish ;; */_sockt) shell=zsh ;; \
			*) shell=bash ;; esac; \
		install -d "$(DESTDIR)$${f%/*}" && \
		$(B)/sockt completion $$shell >"$(DESTDIR)$$f" || exit 1; \
	done

uninstall:
	for f in $(BINDIR)/sockt $(COMPLETIONS) $(foreach f,$(PAGES),\
		$(MANDIR)/man$(subst .,,$(suffix $f))/$(notdir $f)); do \
		rm -f "$(DESTDIR)$$f" || exit 1; \
	done

clean:
	rm -rf build

# The head of this file.
help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

force:

.PHONY: all helpers check check-unit check-long check-interop check-matrix sanitize demo install \
	uninstall clean help force
.SECONDARY:
.DELETE_ON_ERROR:
-include $(OBJ:.o=.d) $(B)/obj/main.d $(UNIT:=.d) $(REPLAY:=.d) \
	$(B)/tests/sockt-names.d $(BENCH:=.d)
