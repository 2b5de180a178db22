# make mutants: changes one token at a time, and looks which changes no test
# notices; see tests/mutants/mutants.pl. Not part of CI.
#
#	COUNT=200 SEED=1          how many changes, and which
#	FOLDERS=relay,http        folders of src
#	BUDGET=120                seconds after which nothing else is begun
#	RETEST=1, RETEST=NAME     tests what survived again
#	STAGE=unit                unit tests and corpora only
#	STAGE=sanitize            what survived, with ASan and UBSan

COVER = -O1 -g -fprofile-instr-generate -fcoverage-mapping \
	-mllvm -runtime-counter-relocation
MUTANTS_JOBS ?= 6
FOLDERS ?= relay,http,scan,udp

# What the tests of this stage run.
MUTANTS_B = $(B)
ifeq ($(STAGE),sanitize)
MUTANTS_B = $(B)/sanitize
MUTANTS_MODE = SANITIZE=1
endif

mutants-programs: $(HELPERS) $(UNIT) $(REPLAY)

mutants: $(HELPERS) $(UNIT) $(REPLAY) $(B)/tests/link
	@mkdir -p $(B)/mutants/reach/tests
	@$(MAKE) -n -B $(MUTANTS_MODE) mutants-programs >$(B)/mutants/commands
	@$(MAKE) $(MUTANTS_MODE) mutants-programs
	@$(MAKE) B=$(B)/mutants/reach CC=clang CFLAGS='$(COVER)' WERROR= \
		mutants-programs
	@ln -sf $(abspath $(B)/tests/link) $(B)/mutants/reach/tests
	@$(TESTENV) MUTANTS_BUILD="$(B)" MUTANTS_FOLDERS="$(FOLDERS)" \
		MUTANTS_COUNT="$(or $(COUNT),200)" \
		MUTANTS_SEED="$(or $(SEED),1)" MUTANTS_BUDGET="$(BUDGET)" \
		MUTANTS_RETEST="$(RETEST)" MUTANTS_STAGE="$(STAGE)" \
		MUTANTS_JOBS="$(MUTANTS_JOBS)" \
		MUTANTS_PROGRAMS="$(MUTANTS_B)" \
		LLVM_COV="$(LLVM_COV)" LLVM_PROFDATA="$(LLVM_PROFDATA)" \
		perl tests/mutants/mutants.pl

.PHONY: mutants mutants-programs
