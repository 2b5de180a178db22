# What is given to others, the same bytes whoever makes it and wherever:
#
#	make dist     a tarball of the last commit
#	make deb      a package for Debian of what make install installs
#	make static   one binary that needs nothing, with musl
#	make release  all of them, and their checksums
#
# make check-dist installs and removes the package in a minimal Debian, and
# builds and checks the tarball there, as root and as an ordinary user;
# DIST_USERS=tester chooses.

VERSION = $(shell sed -n 's/^.define VERSION "\(.*\)"/\1/p' src/main.c)
DIST = build/sockt-$(VERSION).tar.gz

checkout:
	@[ -e .git ] || { echo 'this needs a git checkout' >&2; exit 1; }

# Nobody's configuration counts: neither git's nor gzip's.
dist: checkout
	@mkdir -p build
	@git --git-dir=.git -c tar.umask=0022 -c core.attributesFile=/dev/null \
		-c core.autocrlf=false archive --format=tar \
		--prefix=sockt-$(VERSION)/ HEAD >$(DIST).tar
	@GZIP= gzip -9n <$(DIST).tar >$(DIST)
	@rm $(DIST).tar

# The time of the commit, which a tarball gives to all of its files.
EPOCH = $(shell git --git-dir=.git log -1 --format=%ct 2>/dev/null || \
	stat -c %Y COPYING)
# One set of flags, whatever those of the caller are.
RELEASE = CFLAGS=-O2 CPPFLAGS= LDFLAGS=-s WERROR=1
DEB_ARCH = $(shell dpkg --print-architecture)
DEB = build/sockt_$(VERSION)_$(DEB_ARCH).deb
deb:
	@rm -rf build/deb/root
	@$(MAKE) -s install B=build/deb DESTDIR=build/deb/root PREFIX=/usr \
		ZSHDIR=/usr/share/zsh/vendor-completions $(RELEASE)
	@SOURCE_DATE_EPOCH=$(EPOCH) sh tests/dist/deb.sh build/deb/root \
		$(VERSION) $(DEB_ARCH) $(DEB)

STATIC_ARCH = $(or $(MACHINE),$(shell uname -m))
static:
	@$(MAKE) -s build/$(STATIC_ARCH)/release/sockt STATIC=1 $(RELEASE) \
		CC=$(or $(CC_$(MACHINE)),musl-gcc) B=build/$(STATIC_ARCH)/release
	@cp build/$(STATIC_ARCH)/release/sockt \
		build/sockt-$(VERSION)-linux-$(STATIC_ARCH)

# TOOL:PACKAGE, of Debian.
RELEASE_TOOLS = git:git gzip:gzip musl-gcc:musl-tools dpkg-deb:dpkg
release: checkout
	@for tool in $(RELEASE_TOOLS); do \
		command -v $${tool%:*} >/dev/null || { echo "release: needs" \
			"$${tool%:*} (Debian package $${tool#*:})" >&2; \
			exit 1; }; done
	@git diff --quiet HEAD || { echo 'release: commit first' >&2; exit 1; }
	@rm -f build/sockt[-_]*
	@for part in dist deb static; do $(MAKE) $$part || exit 1; done
	@cd build && sha256sum sockt[-_]* >SHA256SUMS && cat SHA256SUMS

check-deb: deb
	@DEB=$(DEB) $(PROVE) tests/dist/deb.t

check-dist: dist deb
	@sh tests/dist/debian.sh $(DEB) $(DIST) $(DIST_USERS)

.PHONY: checkout dist deb static release check-deb check-dist
