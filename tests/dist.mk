# make dist: a tarball of the last commit, the same bytes whoever makes it and
# wherever.

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

.PHONY: dist
