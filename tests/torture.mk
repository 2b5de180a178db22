# make torture: fails every system call once; see tests/torture/Torture.pm.
#
#	SCENARIOS=half-close,udp-send   only these
#	TORTURE='RUN'                   one run
#	RUNS='.* fork \d+ EAGAIN'       those of this pattern
#	SAMPLE=20 SEED=1                one run in twenty

# The preloaded library that makes calls fail, the same for every build mode.
INJECT = $(wildcard tests/torture/*.c)
$(B)/tests/inject.so: $(INJECT) tests/torture/inject.h
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -O2 -g $(STRICT) -fPIC -shared -o $@ $(INJECT) -ldl

# Tests of make check use it, too, where a library can be preloaded.
ifeq ($(MACHINE)$(STATIC)$(SANITIZE)$(FUZZING),)
ifneq ($(BIND),)
HELPERS += $(B)/tests/inject.so
endif
endif

# Scans mostly wait: they come first, and beside others.
TORTURE_TESTS ?= tests/torture/portscan.t \
	$(filter-out %/portscan.t,$(wildcard tests/torture/*.t))
torture: $(HELPERS)
	@$(TESTENV) TORTURE="$(TORTURE)" TORTURE_SCENARIOS="$(SCENARIOS)" \
		TORTURE_RUNS='$(RUNS)' TORTURE_SAMPLE="$(SAMPLE)" TORTURE_SEED="$(SEED)" \
		$(PROVE) -j2 $(if $(TORTURE)$(SCENARIOS),-v) $(TORTURE_TESTS)

.PHONY: torture
