/*
 * Strict numbers: the whole text must be the number. Signs, blanks, trailing
 * rubbish and overflow are refused, never clipped.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits only; false leaves *out as it was. */
bool num_parse(const char *text, int64_t min, int64_t max, int64_t *out);

/*
 * The longest duration, in milliseconds: 70 years. In nanoseconds it can be
 * added to a point in time.
 */
#define NUM_MAX_DURATION INT64_C(2207520000000)

enum num_result {
	NUM_GOOD,
	NUM_MALFORMED, /* not of that form */
	NUM_TOO_LARGE  /* of that form, and too large */
};

/*
 * "5", "0.5", ".5", "500ms", "2m", "1h", "3s": a plain number is in seconds.
 * *ms gets milliseconds, rounded up so that only zero is zero.
 */
enum num_result num_duration(const char *text, int64_t *ms);

/* "4096", "64k", "1M", "1G", "2T": powers of 1024, either case. */
bool num_size(const char *text, int64_t *bytes);

/* "1.5 KiB", "3 MiB", "17 B" into buf; returns buf. */
const char *num_format_size(char *buf, size_t size, uint64_t bytes);

/*
 * A limit as a user writes it, into buf: "20 ms", "0.5 s", "90 s", "2 min",
 * "1 h". Returns buf.
 */
const char *num_format_limit(char *buf, size_t size, int64_t ms);

/*
 * A count and its noun, into buf: "1 byte", "2 bytes", "1 reply", "2 replies".
 * Returns buf.
 */
const char *num_format_count(
    char *buf, size_t size, uint64_t n, const char *noun);

/* A measured time: "0.012 ms", "3.4 ms", "1.20 s" into buf; returns buf. */
const char *num_format_duration(char *buf, size_t size, int64_t ns);

#endif
