# make check-machines: the tests on other kinds of machines.
#
#	make check-i386     32 bits: unit tests, corpora, some commands
#	make check-s390x    big endian, qemu-user: the same
#	make check-s390x WHOLE=1   all tests of the loopback, in the emulator with
#	                    the portable calls: minutes of processor time
#
# MACHINE=s390x make builds for it, in a folder of its own.

MACHINES = i386 s390x

ROOT_s390x = /usr/s390x-linux-gnu
QEMU_s390x = qemu-s390x
ifneq ($(QEMU_$(MACHINE)),)
# Linking ends with this: the program stands as NAME.elf beside its launcher,
# which gets its name.
LINK += && mv $@ $@.elf && ln -f $(B)/tests/emulate $@
$(B)/flags: $(B)/tests/emulate
$(B)/tests/emulate: tests/lib/emulate.c
	@mkdir -p $(@D)
	cc -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) -O2 -static \
		-DEMULATOR='"$(shell command -v $(QEMU_$(MACHINE)))"' \
		-DEMULATOR_ROOT='"$(ROOT_$(MACHINE))"' -o $@ $<

# The emulator is slow.
TESTENV += SOCKT_SHORT=1 SOCKT_PATIENCE=90

# What the emulator cannot run: the holder of a port has its name, the system's
# tables have their own order of bytes, and not all options of multicast are
# known.
NOT_EMULATED = tests/cmd/bind_errors.t tests/cmd/udp_many_hosts.t
CMD_TESTS := $(filter-out $(NOT_EMULATED),$(CMD_TESTS))
endif

# A choice of commands, and all of them where time does not matter. Many need
# TCP_INFO or UDP_SEGMENT, which the emulator lacks and PORTABLE=1 does without.
ifneq ($(MACHINE),)
ifeq ($(WHOLE),)
CMD_TESTS := $(filter $(addprefix tests/cmd/,$(addsuffix .t,connect_options \
	connect_proxy connect_records connect_unix http_get_conditional \
	http_get_framing http_get_redirect http_get_status inherited_sockets \
	listen_access over_4_gib portscan_output_formats portscan_targets \
	serve_hello_http serve_hello_messages udp_unix)),$(CMD_TESTS))
endif
endif

$(MACHINES:%=check-%): check-%:
	@$(MAKE) check MACHINE=$* $(if $(WHOLE),$(if $(QEMU_$*),PORTABLE=1)) \
		TESTS='$$(CMD_TESTS) $$(UNIT) $$(REPLAY)'

check-machines:
	@for machine in $(MACHINES); do $(MAKE) check-$$machine || exit 1; done

.PHONY: check-machines $(MACHINES:%=check-%)
