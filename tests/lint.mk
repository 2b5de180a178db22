# make lint: format and static analysis. The lints of make check are in
# tests/lint.

CORES = $(shell getconf _NPROCESSORS_ONLN)
C_FILES = $(wildcard src/*.[ch] src/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
# Tests are run; these are what no test may have loaded.
PERL_FILES = $(wildcard tests/*/*.pm tests/*/*.pl tests/*/*/*.pl)
SHELL_FILES = $(wildcard .ci/run) src/cmd/completion.bash tests/demo/run \
	$(wildcard tests/*/*.sh)
lint: lint-format lint-names lint-tidy lint-cppcheck lint-shell lint-perl \
	lint-man

lint-format:
	clang-format --dry-run -Werror $(C_FILES)

# Rules of names.
lint-names: $(B)/sockt
	$(PROVE) tests/lint/exports.t

# The analyzer's paths through a function are bounded: without this bound a
# third of the time of CI is spent in 20 files.
TIDY = clang-tidy --quiet "$$@" -- $(STD) -Itests \
	-Xclang -analyzer-config -Xclang max-nodes=30000
TIDIED = $(filter-out tests/lib/% tests/bench/% tests/torture/% \
	$(GNU_SRC),$(filter %.c,$(C_FILES)))
lint-tidy:
	printf '%s\n' $(TIDIED) | xargs -P $(CORES) -n 4 sh -c '$(TIDY) 2>/dev/null' tidy
	printf '%s\n' $(GNU_SRC) | xargs -P $(CORES) -n 4 \
		sh -c '$(TIDY) -D_GNU_SOURCE 2>/dev/null' tidy

lint-cppcheck:
	cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -Isrc \
		-j $(CORES) --enable=warning,performance,portability \
		--suppressions-list=.cppcheck src

lint-shell:
	shellcheck $(SHELL_FILES)

lint-perl:
	printf '%s\n' $(PERL_FILES) | \
		xargs -P $(CORES) -n 1 perl -Itests/lib -Itests/bench \
			-Itests/torture -c 2>&1 | \
		{ ! grep -vE 'syntax OK$$|used only once'; }

lint-man:
	mandoc -Tlint -Wwarning $(wildcard man/*.[17])

.PHONY: lint lint-format lint-names lint-tidy lint-cppcheck lint-shell \
	lint-perl lint-man
