# make torture: fails every system call once; see tests/torture/Torture.pm.
#
#	SCENARIOS=http-get,udp-send   only these
#	TORTURE='RUN'                   one run
#	RUNS='.* fork \d+ EAGAIN'       those of this pattern
#	SAMPLE=20 SEED=1                one run in twenty

# The preloaded library that makes calls fail, the same for every build mode.
$(B)/tests/inject.so: tests/torture/inject.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -O2 -g -fPIC -shared -o $@ $< -ldl

# Tests of make check use it, too, where a library can be preloaded.
ifeq ($(shell uname -s)$(MACHINE)$(STATIC)$(SANITIZE)$(FUZZING),Linux)
helpers: $(B)/tests/inject.so
endif

torture: helpers
	@$(TESTENV) TORTURE="$(TORTURE)" TORTURE_SCENARIOS="$(SCENARIOS)" \
		TORTURE_RUNS='$(RUNS)' TORTURE_SAMPLE="$(SAMPLE)" TORTURE_SEED="$(SEED)" \
		$(PROVE) $(if $(TORTURE)$(SCENARIOS),-v) tests/torture/torture.t

.PHONY: torture
