/*
 * source BYTES [BLOCK]: the pattern on stdout, a pipe. Without BLOCK it is
 * mapped into the pipe and costs next to nothing, so that what is measured is
 * the program behind it; else written in blocks of that size.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pattern.h"

int
main(int argc, char **argv)
{
	unsigned long long left = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	size_t block = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 0;
	unsigned char *p = pattern_new();
	size_t at = 0;

	if (block == 0)
		(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1024 * 1024);
	while (left > 0) {
		size_t most = block == 0 ? PATTERN_SIZE : block;
		struct iovec iov = {p + at, left < most ? left : most};
		ssize_t n = block == 0 ? vmsplice(STDOUT_FILENO, &iov, 1, 0)
				       : write(STDOUT_FILENO, iov.iov_base,
					     iov.iov_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 1;
		left -= (unsigned long long)n;
		at = (at + (size_t)n) % PATTERN_SIZE;
	}
	return 0;
}
