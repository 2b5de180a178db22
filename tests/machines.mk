# make check-machines: the tests on other kinds of machines.
#
#	make check-i386     32 bits: unit tests, corpora, some commands
#	make check-s390x    big endian, qemu-user: the same
#	make check-s390x WHOLE=1   all tests of the loopback, in the emulator with
#	                    the portable calls: minutes of processor time
#
# MACHINE=s390x make builds for it, in a folder of its own.

MACHINES = i386 s390x

# A program for another machine stands as NAME.elf next to its launcher NAME.
ROOT_s390x = /usr/s390x-linux-gnu
QEMU_s390x = qemu-s390x
ifneq ($(QEMU_$(MACHINE)),)
EMULATED = @mv $@ $@.elf && ln -f $(B)/tests/emulate $@
$(B)/flags: $(B)/tests/emulate
$(B)/tests/emulate: tests/lib/emulate.c
	@mkdir -p $(@D)
	cc -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) $(STRICT) -O2 -static \
		-DEMULATOR='"$(shell command -v $(QEMU_$(MACHINE)))"' \
		-DEMULATOR_ROOT='"$(ROOT_$(MACHINE))"' -o $@ $<

# The emulator is slow.
TESTENV += SOCKT_SHORT=1 SOCKT_PATIENCE=90

# What the emulator cannot run: the holder of a port has its name, the system's
# tables have their own order of bytes, and not all options of multicast are
# known.
NOT_EMULATED = tests/cmd/bind_errors.t tests/cmd/udp_many_hosts.t
LOOPBACK := $(filter-out $(NOT_EMULATED),$(LOOPBACK))
endif

# A choice of commands, and all of them where time does not matter. Many need
# TCP_INFO or UDP_SEGMENT, which the emulator lacks and PORTABLE=1 does without.
ifneq ($(MACHINE),)
ifeq ($(WHOLE),)
LOOPBACK := $(filter $(addprefix tests/cmd/,$(addsuffix .t,connect_options \
	connect_proxy connect_records connect_unix http_get_conditional \
	http_get_framing http_get_redirect http_get_status inherited_sockets \
	listen_access over_4_gib portscan_output_formats portscan_targets \
	serve_hello_http serve_hello_messages udp_unix)),$(LOOPBACK))
endif
endif

$(MACHINES:%=check-%): check-%:
	@$(MAKE) check MACHINE=$* $(if $(WHOLE),$(if $(QEMU_$*),PORTABLE=1)) \
		TESTS='$$(LOOPBACK) $$(UNIT) $$(REPLAY)'

check-machines:
	@for machine in $(MACHINES); do $(MAKE) check-$$machine || exit 1; done

.PHONY: check-machines $(MACHINES:%=check-%)
