/*
 * udp_feed SIZE COUNT bytes|lines|packets: COUNT numbered datagrams of SIZE
 * bytes on stdout, a pipe: one behind the other or with a newline each,
 * mapped into the pipe at next to no cost; or a write each into a pipe that
 * keeps them apart (O_DIRECT), for programs to which a read is a datagram.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "numbered.h"

/* Writes all of it, in pieces. */
static int
feed(unsigned char *at, size_t left, size_t piece, bool map)
{
	while (left > 0) {
		struct iovec iov = {at, left < piece ? left : piece};
		ssize_t n = map ? vmsplice(STDOUT_FILENO, &iov, 1, 0)
				: write(STDOUT_FILENO, at, iov.iov_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 1;
		at += n;
		left -= (size_t)n;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	size_t size = argc > 3 ? (size_t)atoi(argv[1]) : 0, i, all;
	size_t count = argc > 3 ? (size_t)atoi(argv[2]) : 0;
	bool lines = argc > 3 && strcmp(argv[3], "lines") == 0;
	bool packets = argc > 3 && strcmp(argv[3], "packets") == 0;
	const unsigned char *letters = numbered_letters();
	unsigned char *p;

	if (size < NUMBERED_DIGITS || size > NUMBERED_MOST || count == 0)
		return 2;
	all = count * (size + lines);
	p = mmap(NULL, all, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	for (i = 0; i < count; i++) {
		unsigned char *at = p + i * (size + lines);

		numbered_make(at, size, (unsigned)i, letters);
		if (lines)
			at[size] = '\n';
	}
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1024 * 1024);
	if (packets && fcntl(STDOUT_FILENO, F_SETFL, O_DIRECT) < 0)
		return 1;
	return feed(p, all, packets ? size : 1024 * 1024, !packets);
}
