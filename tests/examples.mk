# make examples-update: rewrites the examples of the manual pages from what is
# printed, see tests/lib/Examples.pm. EXAMPLES='man/sockt.1 README' chooses pages.

EXAMPLES ?= $(patsubst tests/examples/%.t,%,$(filter-out %runner.t,\
	$(wildcard tests/examples/*.t)))
examples-update: $(HELPERS)
	@for page in $(notdir $(EXAMPLES)); do \
		$(TESTENV) SOCKT_EXAMPLES=update \
			perl -Itests/lib tests/examples/$$page.t || exit 1; \
	done

.PHONY: examples-update
