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
# Settings, on the command line or in the environment:
#
#	CC CFLAGS CPPFLAGS LDFLAGS LDLIBS   as usual; CFLAGS is -O2 -g
#	PREFIX              where to install: /usr/local; below it are BINDIR,
#	                    DATADIR, MANDIR, ZSHDIR and FISHDIRS
#	DESTDIR             a folder to install into as if it were /
#	TESTS               which tests make check runs: all
#	JOBS                how many run at once: 32, since they mostly wait
#	PROVE               what runs them: prove
#
# A setting of one target is explained with it in tests/*.mk.
#
# Modes, likewise. Each has a folder under build/; several can be combined:
#
#	PORTABLE=1          calls of POSIX only, as on other systems than Linux
#	STATIC=1            a static binary, with CC=musl-gcc
#	MACHINE=i386        for another machine: i386, s390x or aarch64
#	SANITIZE=1          with ASan and UBSan
#	COVERAGE=1          counts the lines and branches that run (clang)
#	FUZZING=1           for make fuzz, which sets it (clang)
#	WERROR=1            warnings are errors, in the same folder

# Variables of this Makefile and of tests/*.mk. The section of the modes sets
# these, nothing else does:
#
#	B                   the folder that is built in: build, or one under it
#	OS                  which twin of a module is built, *_linux.c or
#	                    *_posix.c: linux or posix
#	SANDBOX             the same for net/sandbox, which sanitizers cannot use
#	WARN                flags of every file: warnings
#	MODE_CFLAGS         what is added to CFLAGS, and overrides them
#	MODE_LDFLAGS        what is added to LDFLAGS
#	CC_*                the compiler for a MACHINE, which becomes CC
#
# These follow from them and from the settings:
#
#	STD HARDEN          flags of every file: language, protection
#	COMPILE             the compiler with all flags; to link, it is followed
#	LINK                by this, at the end of the command
#	GNU_SRC             sources that call more than POSIX.1-2008 has
#	SRC OBJ             sources and objects of libsockt.a: all but main
#	UNIT REPLAY         test programs in C: unit tests, and each fuzzer with
#	                    a main() that replays its corpus
#	CMD_TESTS           the tests of commands, tests/cmd/*.t
#	TESTENV             the environment of tests: which binary they run
#
# These belong to targets:
#
#	FILE_CFLAGS         flags of a file, or of a group of files
#	STAMP               the text of a stamp

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
ZSHDIR ?= $(DATADIR)/zsh/site-functions
# fish from a package of the system searches /usr/local only where
# XDG_DATA_DIRS names it, and /etc always.
FISHDIRS ?= $(DATADIR)/fish/vendor_completions.d \
	$(if $(filter /usr/local,$(PREFIX)),/etc/fish/completions)
CFLAGS ?= -O2 -g

# The system and the modes.

B = build
OS = posix
SANDBOX = $(OS)
WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat-security

ifeq ($(shell uname -s),Linux)
OS = linux
# Symbols are bound at start-up, so that no forked child has to look one up,
# and the table is read-only afterwards. Calls skip the PLT, which only lazy
# binding needs and which would be one more page to map.
MODE_CFLAGS += -fno-plt
MODE_LDFLAGS += -Wl,-z,now -Wl,-z,relro
endif

ifdef MACHINE
B := $(B)/$(MACHINE)
CC = $(or $(CC_$(MACHINE)),$(error MACHINE=$(MACHINE) is not known))
endif
# gcc -m32 lacks the kernel's headers, which are those of the native machine.
CC_i386 = gcc -m32 -idirafter /usr/include/$(shell gcc -print-multiarch)
CC_s390x = s390x-linux-gnu-gcc
CC_aarch64 = aarch64-linux-gnu-gcc

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
# What a sanitizer does at the end of a process, a confined one must not.
SANDBOX = posix
MODE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -DTEXT_POISON
endif

ifdef FUZZING
B := $(B)/fuzz
SANDBOX = posix
MODE_CFLAGS += -fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=all -DTEXT_POISON
endif

ifdef COVERAGE
B := $(B)/coverage
# The counters of all processes of a binary are one file that they map, so that
# forked, killed and confined ones are counted. Assertions have a side that never
# runs, and hide what follows from Clang.
MODE_CFLAGS += -fprofile-instr-generate=$(abspath $(B))/profiles/%c%m.profraw \
	-fcoverage-mapping -DNDEBUG -Wno-unused-parameter \
	-Xclang -mllvm -Xclang -runtime-counter-relocation
endif

ifdef WERROR
WARN += -Werror
endif

# The flags.

# Files over 2 GiB and times after 2038, also on 32-bit systems.
STD = -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc -D_FILE_OFFSET_BITS=64 \
	-D_TIME_BITS=64
# Stack overflows and wild jumps are detected where the compiler can do it.
HARDEN := $(foreach flag,-fstack-protector-strong -fcf-protection \
	-mbranch-protection=standard,$(shell $(CC) -Werror $(flag) -x c -c \
	-o /dev/null /dev/null 2>/dev/null && echo $(flag)))
# _FORTIFY_SOURCE needs optimization and hides bugs from sanitizers.
ifeq ($(SANITIZE)$(FUZZING),)
ifneq ($(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS)))),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
# The user's flags override these, but never those that the mode needs.
COMPILE = $(CC) $(STD) $(WARN) $(HARDEN) $(CFLAGS) $(MODE_CFLAGS) $(CPPFLAGS) \
	$(FILE_CFLAGS)
LINK = $(LDFLAGS) $(MODE_LDFLAGS) $(LDLIBS)

# The binary.

SRC = $(filter-out %_linux.c %_posix.c,$(wildcard src/*/*.c)) \
	$(patsubst %/sandbox_linux.c,%/sandbox_$(SANDBOX).c,\
		$(wildcard src/*/*_$(OS).c))
OBJ = $(SRC:src/%.c=$(B)/obj/%.o) $(B)/obj/cmd/texts.o

all: $(B)/sockt

$(B)/sockt: $(B)/obj/main.o $(B)/libsockt.a
	$(COMPILE) -o $@ $^ $(LINK)

$(B)/libsockt.a: $(OBJ) $(B)/objects
	@rm -f $@
	$(AR) rcs $@ $(OBJ)

$(B)/obj/%.o: src/%.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# Linux's own calls are in *_linux.c. accept4, pipe2, SOCK_CLOEXEC and
# SOCK_NONBLOCK of POSIX.1-2024 are in these two; older glibc declares them only
# there. private: it is not a flag of what the object depends on.
GNU_SRC = $(wildcard src/*/*_linux.c) src/net/sock.c src/base/fd.c
$(GNU_SRC:src/%.c=$(B)/obj/%.o): private FILE_CFLAGS = -D_GNU_SOURCE
# What a system cannot do needs none of its twin's arguments.
$(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/*/*_posix.c)): \
	private FILE_CFLAGS = -Wno-unused-parameter

# Texts as strings: completion.bash becomes completion_bash. The comments of
# *.txt are left out.
$(B)/obj/cmd/texts.c: $(wildcard src/cmd/completion.*sh src/cmd/*.txt)
	@mkdir -p $(@D)
	@for f in $^; do \
		name=$$(basename $$f | tr . _) && \
		case $$f in *.txt) comments='/^#/d;' ;; *) comments= ;; esac && \
		echo "extern const char $$name[];" && \
		echo "const char $$name[] =" && \
		sed "$$comments"' s/[\\"]/\\&/g; s/.*/"&\\n"/' $$f && \
		echo ';' || exit 1; \
	done >$@

$(B)/obj/%.o: $(B)/obj/%.c $(B)/flags
	$(COMPILE) -c -o $@ $<

# Stamps. They change with their text only: flags rebuild everything, but not
# -Werror; a source file that is removed or added rebuilds the library.
$(B)/flags: private STAMP = $(filter-out -Werror,$(COMPILE)) $(LINK)
$(B)/objects: private STAMP = $(OBJ)
$(B)/flags $(B)/objects: force
	@mkdir -p $(@D); text='$(subst ','\'',$(STAMP))'; \
	printf '%s\n' "$$text" | cmp -s - $@ || \
	{ printf '%s\n' "$$text" >$@.$$$$ && mv $@.$$$$ $@; }

# The binary itself writes the completions.
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

.PHONY: all install uninstall clean help force
.SECONDARY:
.DELETE_ON_ERROR:

include $(sort $(wildcard tests/*.mk))
-include $(wildcard $(B)/obj/*.d $(B)/obj/*/*.d $(B)/tests/*.d $(B)/tests/*/*.d)
