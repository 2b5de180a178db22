#!/bin/sh
# Builds and checks a tarball in a minimal Debian that has what README asks for
# and nothing else: debian.sh TARBALL [USER]... Without users, as root and as an
# ordinary one. The system is that of this machine's release and mirror; it is
# in memory, in namespaces of its own, and ends with this script.
set -eu

if [ "$1" != --inside ]; then
	for need in debootstrap unshare apt-get; do
		if [ "$(id -u)" -ne 0 ] || ! command -v $need >/dev/null; then
			echo "check-dist: skipped: needs root and $need"
			exit 0
		fi
	done
	root=$(mktemp -d)
	trap 'rmdir "$root"' EXIT
	unshare --mount --pid --fork --kill-child \
		sh "$0" --inside "$root" "$@"
	exit
fi
root=$2
tarball=$3
shift 3
[ $# -gt 0 ] || set -- root tester
began=$(date +%s)

log() {
	printf '== %s (%d s)\n' "$*" $(($(date +%s) - began))
}

in_root() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		MAKEFLAGS="-j$(nproc) --no-print-directory" "$@"
}

make_root() {
	# shellcheck disable=SC1091
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' "Release: $release" | head -n 1)
	proxy=$(apt-config dump --format '%v' Acquire::http::Proxy)
	[ -z "$proxy" ] || export http_proxy="$proxy"
	log "debootstrap of $release"
	mount -t tmpfs -o mode=755,size=3g tmpfs "$root"
	debootstrap --variant=minbase --include=gcc,make,libc6-dev,perl \
		"$release" "$root" "$mirror" >"$root/log" 2>&1 || {
		tail -n 20 "$root/log"
		return 1
	}
	mount -t proc proc "$root/proc"
	mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
}

make_root
for user; do
	in_root id -u "$user" >/dev/null 2>&1 ||
		in_root useradd --create-home "$user"
	home=$(in_root sh -c "echo ~$user")
	cp "$tarball" "$root$home/sockt.tar.gz"
	log "$user: make"
	in_root su "$user" -c 'cd && tar xzf sockt.tar.gz && cd sockt-* &&
		make -s'
	log "$user: make check"
	in_root su "$user" -c 'cd && cd sockt-* && make -s check'
done
log 'done'
