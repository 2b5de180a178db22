#!/bin/sh
# Tries what is given to others in a minimal Debian: debian.sh PACKAGE TARBALL
# [USER]... Installs the package, uses it and removes it; then builds and checks
# the tarball with what README asks for and nothing else, without users as root
# and as an ordinary one. The system is that of this machine's release and
# mirror; it is in memory, in namespaces of its own, and ends with this script.
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
package=$3
tarball=$4
shift 4
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
	debootstrap --variant=minbase \
		"$release" "$root" "$mirror" >"$root/log" 2>&1 || {
		tail -n 20 "$root/log"
		return 1
	}
	[ -z "$proxy" ] || echo "Acquire::http::Proxy \"$proxy\";" \
		>"$root/etc/apt/apt.conf.d/proxy"
	mount -t proc proc "$root/proc"
	mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
}

apt() {
	in_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		"$@" >"$root/log" 2>&1 || {
		tail -n 20 "$root/log"
		return 1
	}
}

# What a person does with the package, from installing to removing it.
try_package() {
	log "$package: apt install"
	apt --no-install-recommends install man-db bash-completion
	cp "$package" "$root/tmp"
	apt install "/tmp/${package##*/}"
	in_root sockt --version
	in_root env PAGER=cat man sockt | head -n 12
	# What README shows: a refused connection, and a file that is cut off.
	# shellcheck disable=SC2016
	in_root sh -c 'ip=127.0.0.1
		sockt connect $ip 9998; test $? -eq 4 || exit
		{ sockt listen -q 7000 >/tmp/copy; echo "status $?" >/tmp/got; } &
		(head -c 100000 /dev/zero; sleep 3) |
			sockt connect --retry-for 5 --max-time 1 localhost 7000
		test $? -eq 5; wait; grep -x "status 10" /tmp/got'
	# shellcheck disable=SC2016
	in_root bash -c '. /usr/share/bash-completion/bash_completion &&
		_completion_loader sockt
		COMP_WORDS=(sockt conn) COMP_CWORD=1 COMP_LINE="sockt conn"
		COMP_POINT=10 COMP_TYPE=9
		$(complete -p sockt | sed "s/.* -F \([^ ]*\) .*/\1/") sockt conn sockt
		echo "completed: ${COMPREPLY[*]}"
		[ "${COMPREPLY[*]}" = connect ]'
	apt remove sockt
	if in_root find /usr /etc | grep sockt; then
		return 1
	fi
	log "$package: removed"
}

make_root
try_package
apt --no-install-recommends install gcc make libc6-dev perl
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
