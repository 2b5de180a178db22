# make coverage: how much of src/ the tests of make check, check-netns and
# torture reach, by file; fails below the minimum of lines or branches. Needs
# root, and the Debian packages clang, llvm and libclang-rt-14-dev. Takes about
# six minutes, so that it is not part of CI.
#
#	make coverage-report COVERAGE=1        only the report, of the last run
#	make coverage-show COVERAGE=1 FILES=src/net/addr.c   what is not reached
#
# Clang derives how often a condition was false from how often it was true, so
# that what follows fork(2) in the parent is only seen where fork(2) also fails.

MIN_LINES ?= 98
MIN_BRANCHES ?= 93

LLVM_COV = $(shell clang -print-prog-name=llvm-cov)
LLVM_PROFDATA = $(shell clang -print-prog-name=llvm-profdata)
# Other users, as whom tests run sockt, write to the same profile.
coverage:
	@rm -rf $(B)/coverage/profiles
	@$(MAKE) CC=clang COVERAGE=1 && $(B)/coverage/sockt --version && \
		chmod a+rw $(B)/coverage/profiles/*
	@status=0; for suite in check check-netns torture coverage-report; do \
		$(MAKE) CC=clang COVERAGE=1 $$suite || status=1; \
	done; exit $$status

# llvm-cov has ten columns: the file, then all, missed and percent of functions,
# lines and branches.
coverage-report:
	@$(LLVM_PROFDATA) merge -o $(B)/profdata $(B)/profiles/*.profraw
	@$(LLVM_COV) report $(B)/sockt -instr-profile=$(B)/profdata \
		-show-region-summary=0 | awk ' \
	BEGIN { format = "%-28s %8s %8s %8s  %8s %8s %8s\n"; \
		printf format, "", "lines", "missed", "", \
			"branches", "missed", "" } \
	NF == 10 { printf format, $$1, $$5, $$6, $$7, $$8, $$9, $$10 } \
	/^TOTAL/ { lines = $$7; branches = $$10 } \
	END { if (lines + 0 < $(MIN_LINES) || branches + 0 < $(MIN_BRANCHES)) { \
		print "less than $(MIN_LINES) % of lines, " \
			"$(MIN_BRANCHES) % of branches"; exit 1 } }'

coverage-show:
	@$(LLVM_COV) show $(B)/sockt -instr-profile=$(B)/profdata \
		-show-branches=count $(FILES)

.PHONY: coverage coverage-report coverage-show
