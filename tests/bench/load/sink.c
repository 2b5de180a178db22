/*
 * sink [check]: takes stdin to its end and prints how many bytes came. They
 * are dropped in the kernel, or with check compared with the pattern: prints
 * "wrong at N" where they differ.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "pattern.h"

static unsigned char piece[256 * 1024];

int
main(int argc, char **argv)
{
	unsigned long long total = 0;
	int null = open("/dev/null", O_WRONLY);
	unsigned char *p = argc > 1 ? pattern_new() : NULL;
	ssize_t n;

	(void)argv;
	for (;;) {
		if (p == NULL)
			n = splice(
			    STDIN_FILENO, NULL, null, NULL, 1024 * 1024, 0);
		else
			n = read(STDIN_FILENO, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (p != NULL &&
		    memcmp(piece, p + total % PATTERN_SIZE, (size_t)n) != 0) {
			printf("wrong at %llu\n", total);
			return 1;
		}
		total += (unsigned long long)n;
	}
	printf("%llu\n", total);
	return n < 0 ? 1 : 0;
}
