# make check: the tests that need no other program, and what they run; and its
# relatives check-unit, check-long, check-interop, check-matrix, sanitize, demo.

PROVE ?= prove
JOBS ?= 32

UNIT = $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
# Those of TLS and udp-serve take longest. Begun last, they would be waited for.
CMD_TESTS = $(wildcard tests/cmd/[t-z]*.t tests/cmd/[a-s]*.t)
# The examples and the lints are the same in every mode; exports.t is a part of
# make lint.
TESTS ?= $(if $(B:build=),,$(wildcard tests/examples/*.t) \
	$(filter-out %/exports.t,$(wildcard tests/lint/*.t))) $(CMD_TESTS) \
	$(UNIT) $(REPLAY)
TESTENV = SOCKT="$(abspath $(B))/sockt" SOCKT_BUILD="$(abspath $(B))" \
	CC="$(CC)" MAKE="$(MAKE)"

check: helpers $(UNIT)
	@$(TESTENV) $(PROVE) -j$(JOBS) $(TESTS)

# What tests run, besides the test programs in C.
helpers: $(B)/sockt $(B)/tests/sockt-names $(B)/tests/pty $(B)/tests/tls_peer

$(B)/tests/unit/%: tests/unit/%.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -Itests -o $@ $< $(B)/libsockt.a $(LINK)

# sockt with a resolver that tests control.
$(B)/tests/sockt-names: tests/lib/names.c $(B)/obj/main.o $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -o $@ $< $(B)/obj/main.o $(B)/libsockt.a $(LINK)

# pty runs a program on a pseudo-terminal; tls_peer is a server of TLS that
# renews its keys.
$(B)/tests/pty $(B)/tests/tls_peer: $(B)/tests/%: tests/lib/%.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $< $(LINK)

# The tests and replays in C.
check-unit:
	@$(MAKE) check TESTS='$$(UNIT) $$(REPLAY)'

# What takes hours: large transfers, an hour of fuzzing, every run of torture,
# all commands on other machines.
check-long: helpers
	@SOCKT_LONG=1 $(MAKE) check JOBS=2 \
		TESTS='tests/cmd/over_4_gib.t tests/cmd/listen_many_connections.t'
	@$(MAKE) -j2 fuzz FUZZ_SECONDS=$$((7200 / $(words $(FUZZ))))
	@SOCKT_TRANSFERS=2000 $(MAKE) check-interop \
		INTEROP=tests/interop/pause_and_burst.t
	@$(MAKE) torture
	@$(MAKE) check-machines WHOLE=1

INTEROP ?= $(wildcard tests/interop/*.t)
check-interop: helpers
	@$(TESTENV) $(PROVE) -j$(JOBS) $(INTEROP)

check-matrix: helpers
	@SOCKT_MATRIX=1 $(TESTENV) $(PROVE) -j$(JOBS) \
		tests/cmd/stdout_readers.t tests/cmd/crossings.t

sanitize:
	@$(MAKE) check SANITIZE=1

demo: $(B)/sockt
	@SOCKT="$(abspath $(B))/sockt" sh tests/demo/run

.PHONY: check helpers check-unit check-long check-interop check-matrix \
	sanitize demo
