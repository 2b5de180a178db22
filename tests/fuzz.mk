# make fuzz: fuzzes each parser. make check only replays the corpus.

FUZZ_SECONDS ?= 30
FUZZ = $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
REPLAY = $(FUZZ:%=$(B)/tests/fuzz/%)

# A fuzzer with a main() that replays its corpus, tests/fuzz/corpus/NAME.
$(B)/tests/fuzz/%: tests/fuzz/%.c tests/lib/replay.c $(B)/libsockt.a
	@mkdir -p $(@D)
	$(COMPILE) $(STRICT) -Itests \
		-DCORPUS='"$(abspath tests/fuzz/corpus/$*)"' \
		-o $@ $< tests/lib/replay.c $(B)/libsockt.a $(LINK)

# Seeds come from the tree; findings stay under build/.
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

.PHONY: fuzz fuzz-run
