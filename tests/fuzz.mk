# make fuzz: fuzzes each parser. make check only replays the corpus.

FUZZ_SECONDS ?= 30
FUZZ = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
REPLAY = $(FUZZ:%=$(B)/tests/fuzz/%)
check: $(REPLAY)

# A fuzzer with a main() that replays its corpus, tests/fuzz/corpus/NAME.
$(B)/tests/fuzz/%: tests/fuzz/%.c tests/lib/replay.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) -Itests -DCORPUS='"tests/fuzz/corpus/$*"' \
		-o $@ $< tests/lib/replay.c $(B)/libsockt.a $(LINK)

# Seeds come from the tree; findings stay under build/.
fuzz:
	@$(MAKE) CC=clang FUZZING=1 fuzz-run

$(B)/fuzzer/%: tests/fuzz/%.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) -Itests -fsanitize=fuzzer -o $@ $< $(B)/libsockt.a $(LINK)

fuzz-%: $(B)/fuzzer/%
	@mkdir -p $(B)/found/$* && echo 'fuzzing $* for $(FUZZ_SECONDS) s' && \
	$< -max_total_time=$(FUZZ_SECONDS) -timeout=30 -verbosity=0 -seed=1 \
		-artifact_prefix=$(B)/found/$*- $(B)/found/$* \
		tests/fuzz/corpus/$* >$(B)/found/$*.log 2>&1 || \
		{ cat $(B)/found/$*.log; exit 1; }

fuzz-run: $(FUZZ:%=fuzz-%)

.PHONY: fuzz fuzz-run
