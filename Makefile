# sockt: one binary, no dependency but the C library.
#
#	make            build/sockt
#	make demo       the tutorials' programs against each other
#	make check      every test that needs no other program
#
# Settings: CC CFLAGS LDFLAGS PREFIX DESTDIR; PORTABLE=1 without Linux's own
# calls, STATIC=1 linked statically, SANITIZE=1 with ASan and UBSan. Each of
# the three builds in a folder of its own under build/.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
CFLAGS ?= -O2 -g
PROVE ?= prove
JOBS ?= 4

WARN = -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings
STD = -std=c11 -D_POSIX_C_SOURCE=200809L -Isrc
B = build
ifeq ($(shell uname -s),Linux)
FAST = linux
else
FAST = posix
endif
ifdef PORTABLE
B := $(B)/portable
FAST = posix
endif
ifdef STATIC
B := $(B)/static
LDFLAGS += -static
endif
ifdef SANITIZE
B := $(B)/sanitize
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
endif
ifdef WERROR
WARN += -Werror
endif

SRC = $(filter-out src/net/fast_%.c,$(wildcard src/base/*.c src/cli/*.c \
	src/net/*.c src/cmd/*.c)) src/net/fast_$(FAST).c
OBJ = $(SRC:src/%.c=$(B)/obj/%.o)
UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))

all: $(B)/sockt

$(B)/sockt: $(B)/obj/main.o $(B)/libsockt.a
	$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS)

$(B)/libsockt.a: $(OBJ)
	@rm -f $@
	$(AR) rcs $@ $(OBJ)

$(B)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# The one file that may use what only Linux has.
$(B)/obj/net/fast_linux.o: STD += -D_GNU_SOURCE

$(B)/tests/unit/%: tests/unit/%.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(CC) $(STD) -Itests $(WARN) $(CFLAGS) $(CPPFLAGS) -MMD -MP -o $@ $< \
		$(B)/libsockt.a $(LDFLAGS)

# sockt itself with a resolver that tests decide on.
$(B)/tests/sockt-names: tests/lib/names.c $(B)/obj/main.o $(B)/libsockt.a
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CFLAGS) $(CPPFLAGS) -o $@ $< $(B)/obj/main.o \
		$(B)/libsockt.a $(LDFLAGS)

# Tests find the binary under test and its build folder in the environment.
TESTENV = SOCKT="$(abspath $(B))/sockt" SOCKT_BUILD="$(abspath $(B))" \
	CC="$(CC)" MAKE="$(MAKE)"
TESTS ?= $(wildcard tests/lint/*.t tests/cmd/*.t tests/bugs/*.t) $(UNIT)
check: $(B)/sockt $(UNIT) $(B)/tests/sockt-names
	@$(TESTENV) $(PROVE) -j$(JOBS) -r $(TESTS)

clean:
	rm -rf build

.PHONY: all check clean
-include $(OBJ:.o=.d) $(B)/obj/main.d $(UNIT:=.d)
