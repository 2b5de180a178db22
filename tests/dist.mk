# make dist: a tarball of the last commit, the same bytes whoever makes it and
# wherever. make check-dist builds and checks it in a minimal Debian, as root and
# as an ordinary user; DIST_USERS=tester chooses.

VERSION = $(shell sed -n 's/^.define VERSION "\(.*\)"/\1/p' src/main.c)
DIST = build/sockt-$(VERSION).tar.gz

# Nobody's configuration counts: neither git's nor gzip's.
dist:
	@mkdir -p build
	@git --git-dir=.git -c tar.umask=0022 -c core.attributesFile=/dev/null \
		-c core.autocrlf=false archive --format=tar \
		--prefix=sockt-$(VERSION)/ HEAD >$(DIST).tar
	@GZIP= gzip -9n <$(DIST).tar >$(DIST)
	@rm $(DIST).tar

check-dist: dist
	@sh tests/dist/debian.sh $(DIST) $(DIST_USERS)

.PHONY: dist check-dist
