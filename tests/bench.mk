# make bench: speed next to other programs; see tests/bench/README.md.

BENCH = $(B)/bench/clients $(B)/bench/datagrams
bench: $(B)/sockt $(BENCH) $(B)/tests/link
	@$(TESTENV) perl tests/bench/bench.pl $(ROWS)

$(BENCH): $(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(COMPILE) -o $@ $< $(LINK)

.PHONY: bench
