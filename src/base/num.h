/*
 * Numbers. Their parsing is strict: the entire text must be the number. Signs,
 * spaces, trailing characters and overflow are rejected, never clipped.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/* Returns n, but at least min, and at most max even if that is less. */
static inline int64_t
num_clamp(int64_t n, int64_t min, int64_t max)
{
	if (n < min)
		n = min;
	return n < max ? n : max;
}

/* Parses up to 31 decimal digits; returns false and keeps *out otherwise. */
bool num_parse(const char *text, int64_t min, int64_t max, int64_t *out);

/* Parses the digits at *text, of which there is one at least, and moves *text
 * past them; returns false and keeps both otherwise. */
bool num_digits(const char **text, int64_t max, int64_t *out);

/* The longest duration in ms, 70 years: in ns, it can be added to any point in
 * time without overflow. */
#define NUM_MAX_DURATION INT64_C(2207520000000)

enum num_result {
	NUM_GOOD,
	NUM_MALFORMED, /* it is not a number with a unit */
	NUM_TOO_LARGE  /* it is well-formed, but too large */
};

/*
 * Parses "5", "0.5", ".5", "500ms", "2m", "1h", "3s"; a plain number is in
 * seconds. Sets *ms to milliseconds, rounded up so that only zero becomes zero.
 */
enum num_result num_duration(const char *text, int64_t *ms);

/* Parses "4096", "64k", "1M", "1G", "2T": powers of 1024, in either case. */
bool num_size(const char *text, int64_t *bytes);

/* These return text in one of the buffers of text_slot(). A size is "1.5 KiB",
 * "3 MiB" or "17 B". */
const char *num_size_text(uint64_t bytes);

/* A limit is "20 ms", "0.5 s", "90 s", "2 min" or "1 h", as a user writes it.
 */
const char *num_limit_text(int64_t ms);

/* A count has its noun: "1 byte", "2 bytes", "1 reply", "2 replies". */
const char *num_count_text(uint64_t n, const char *noun);

/* A measured time is "0.012 ms", "3.4 ms" or "1.20 s". */
const char *num_duration_text(int64_t ns);

#endif
