# make bench: speed next to other programs; see tests/bench/README.md.

# Load generators, and the reference programs to compare with.
BENCH = $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*/*.c))
bench: $(B)/sockt $(BENCH) $(B)/tests/link
	@$(TESTENV) perl tests/bench/bench.pl $(ROWS)

# The program that servers run per connection.
$(B)/bench/load/greeter: private MODE_LDFLAGS += -static
$(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -MMD -MP -Itests/bench/load -o $@ $< $(LINK)

.PHONY: bench
