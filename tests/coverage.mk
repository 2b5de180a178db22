# make coverage: what make check, check-netns and torture reach in src/, and
# whether that is all that is known to be reachable; see
# tests/coverage/report.pl. Needs root, and the Debian packages clang, llvm and
# libclang-rt-14-dev. Takes about six minutes, so that it is not part of CI.
#
#	SHRINK=1            removes what is reached from tests/coverage/unreached
#	make coverage-report COVERAGE=1   only the report, of the last run

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

coverage-report:
	@$(LLVM_PROFDATA) merge -o $(B)/profdata $(B)/profiles/*.profraw
	@perl tests/coverage/report.pl $(B)/sockt $(B)/profdata $(LLVM_COV)

.PHONY: coverage coverage-report
