# make check-i386: the tests with 32 bits; gcc has to have -m32's libraries.

check-i386:
	@$(MAKE) check MACHINE=i386 TESTS='$$(LOOPBACK) $$(UNIT) $$(REPLAY)'

.PHONY: check-i386
