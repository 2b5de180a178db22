#!/bin/sh
# Makes a Debian package of what make install has put below ROOT:
# deb.sh ROOT VERSION ARCHITECTURE FILE. SOURCE_DATE_EPOCH is its time; the
# same files and the same time give the same bytes.
set -eu
umask 022
root=$1 version=$2 arch=$3 file=$4
# Whoever publishes it sets MAINTAINER, which Debian demands.
maintainer=${MAINTAINER:-the sockt authors <sockt@localhost>}
doc=$root/usr/share/doc/sockt

# An entry of the changelog: VERSION, TIME, and the text on standard input.
entry() {
	printf 'sockt (%s) unstable; urgency=medium\n\n' "$1"
	sed '/^$/d; s/^/    /; 1s/^   /  */'
	printf '\n -- %s  %s\n\n' "$maintainer" \
		"$(LC_ALL=C date -u -R -d "@$2")"
}

# The version that is built, and the tags of those before it.
changelog() {
	echo 'Release; sockt(1), HISTORY, says what has changed.' |
		entry "$version" "$SOURCE_DATE_EPOCH"
	[ -e .git ] || return 0
	git tag --merged HEAD --sort=-version:refname --list 'v[0-9]*' |
		while read -r tag; do
			[ "$tag" != "v$version" ] || continue
			git tag --list --format='%(contents)' "$tag" |
				entry "${tag#v}" "$(git log -1 --format=%ct "$tag")"
		done
}

copyright() {
	cat <<-END
		Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
		Upstream-Name: sockt

		Files: *
		Copyright: $(sed -n 's/^Copyright (c) //p' COPYING)
		License: ISC
	END
	sed '1,2d; s/^$/./; s/^/ /' COPYING
}

# The library whose newest symbol version the binary asks for.
libc() {
	objdump -T "$root/usr/bin/sockt" | sed -n 's/.*GLIBC_\([0-9.]*\).*/\1/p' |
		sort -uV | tail -n 1
}

# In KiB, as dpkg-gencontrol counts.
installed_size() {
	find "$root/usr" -printf '%y %s\n' | awk '
		{ k += $1 == "f" ? int(($2 + 1023) / 1024) : 1 }
		END { print k }'
}

control() {
	cat <<-END
		Package: sockt
		Version: $version
		Architecture: $arch
		Maintainer: $maintainer
		Installed-Size: $(installed_size)
		Depends: libc6 (>= $(libc))
		Recommends: libssl3
		Section: net
		Priority: optional
		Description: connect, listen, send, fetch and scan, and see what happens
		 sockt does socket work at a shell and in scripts, and reports what happened
		 on the wire and why something failed. Its commands connect, listen, greet
		 clients, send datagrams, answer datagrams, download over HTTP and scan
		 ports. For TLS it loads libssl3 when it is asked to.
	END
}

mkdir -p "$doc" "$root/DEBIAN"
find "$root/usr/share/man" -type f -name '*.[17]' -exec gzip -9n {} +
changelog | gzip -9n >"$doc/changelog.gz"
copyright >"$doc/copyright"
control >"$root/DEBIAN/control"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z |
	xargs -0 md5sum) >"$root/DEBIAN/md5sums"
dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
