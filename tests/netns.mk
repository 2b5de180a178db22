# make check-netns: tests in network namespaces, which only root can make.

# A slow and lossy link between two network namespaces; Linux only. Built with
# the system's compiler, since others lack the kernel's headers.
$(B)/tests/link: tests/lib/tun_link.c
	@mkdir -p $(@D)
	cc -std=c11 $(WARN) $(CFLAGS) -o $@ $<

check-netns: helpers $(B)/tests/link
	@if [ "$$(id -u)" -ne 0 ]; then \
		echo 'check-netns: skipped: only root makes network namespaces'; \
	else \
		$(TESTENV) $(PROVE) -j$(JOBS) $(wildcard tests/netns/*.t); \
	fi

.PHONY: check-netns
