/* Datagrams with a number in front, and their check. */
#ifndef BENCH_NUMBERED_H
#define BENCH_NUMBERED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Digits of the number, the longest datagram, and the letters' period. */
#define NUMBERED_DIGITS 8
#define NUMBERED_MOST 65536
#define NUMBERED_PERIOD 23

/* Letters that stand behind the number; where depends on it. */
static inline unsigned char *
numbered_letters(void)
{
	static unsigned char letters[NUMBERED_MOST + NUMBERED_PERIOD];
	size_t i;

	for (i = 0; letters[0] == 0 || i < sizeof(letters); i++)
		letters[i % sizeof(letters)] =
		    (unsigned char)('a' + i % NUMBERED_PERIOD);
	return letters;
}

static inline void
numbered_make(unsigned char *at, size_t size, unsigned number,
    const unsigned char *letters)
{
	int i;

	for (i = 0; i < NUMBERED_DIGITS; i++)
		at[i] =
		    (unsigned char)"0123456789abcdef"[number >> (28 - 4 * i) &
						      15];
	memcpy(at + NUMBERED_DIGITS, letters + number % NUMBERED_PERIOD,
	    size - NUMBERED_DIGITS);
}

/* The number, or -1 where it is not such a datagram of that size. */
static inline long
numbered_check(const unsigned char *at, size_t n, size_t size,
    const unsigned char *letters)
{
	unsigned number = 0;
	int i;

	if (n != size)
		return -1;
	for (i = 0; i < NUMBERED_DIGITS; i++) {
		unsigned char c = at[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return -1;
		number =
		    number << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (memcmp(at + NUMBERED_DIGITS, letters + number % NUMBERED_PERIOD,
		size - NUMBERED_DIGITS) != 0)
		return -1;
	return (long)number;
}

static inline double
numbered_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
