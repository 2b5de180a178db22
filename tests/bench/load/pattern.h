/* The bytes that go through the programs measured, and their check. */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* An odd number of pages, so that what is lost or doubled does not fit. */
#define PATTERN_SIZE ((size_t)257 * 4096)

/* Twice the pattern, so that any offset has PATTERN_SIZE bytes behind it. */
static unsigned char *
pattern_new(void)
{
	uint64_t word = 88172645463325252ULL;
	unsigned char *p = aligned_alloc(4096, 2 * PATTERN_SIZE);
	size_t i;

	if (p == NULL)
		abort();
	for (i = 0; i < PATTERN_SIZE; i += sizeof(word)) {
		word ^= word << 13;
		word ^= word >> 7;
		word ^= word << 17;
		memcpy(p + i, &word, sizeof(word));
	}
	memcpy(p + PATTERN_SIZE, p, PATTERN_SIZE);
	return p;
}

#endif
