/* Strict parsing of numbers, durations and sizes. */
#include "base/num.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* The most digits of a number, with its leading zeros. */
#define MAX_DIGITS 31

bool
num_digits(const char **text, int64_t max, int64_t *out)
{
	const char *p = *text;
	int64_t n = 0;

	if (!text_is_digit(*p))
		return false;
	for (; text_is_digit(*p); p++) {
		int digit = *p - '0';

		if (p - *text == MAX_DIGITS || digit > max ||
		    n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*text = p;
	*out = n;
	return true;
}

bool
num_parse(const char *text, int64_t min, int64_t max, int64_t *out)
{
	int64_t n;

	if (!num_digits(&text, max, &n) || *text != '\0' || n < min)
		return false;
	*out = n;
	return true;
}

enum num_result
num_duration(const char *text, int64_t *ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60 * 1000},
	    {"h", 60 * 60 * 1000}, {NULL, 0}};
	int64_t whole = 0, part = 0, scale = 1, rest;
	size_t i = 0;

	/* Digits are optional before a point. */
	if (*text != '.' && !num_digits(&text, NUM_MAX_DURATION, &whole)) {
		if (!text_is_digit(*text))
			return NUM_MALFORMED;
		whole = NUM_MAX_DURATION + 1;
		text += strspn(text, "0123456789");
	}
	if (*text == '.') {
		for (text++; text_is_digit(*text) && scale < 1000000000;
		     text++) {
			part = part * 10 + (*text - '0');
			scale *= 10;
		}
		if (scale == 1)
			return NUM_MALFORMED;
		/* Fractions of a millisecond are rounded up. */
		part += text[strspn(text, "0")] > '0' &&
			text[strspn(text, "0")] <= '9';
		text += strspn(text, "0123456789");
	}
	while (units[i].name != NULL && strcmp(text, units[i].name) != 0)
		i++;
	if (units[i].name == NULL)
		return NUM_MALFORMED;
	rest = (part * units[i].ms + scale - 1) / scale;
	if (whole > (NUM_MAX_DURATION - rest) / units[i].ms)
		return NUM_TOO_LARGE;
	*ms = whole * units[i].ms + rest;
	return NUM_GOOD;
}

bool
num_size(const char *text, int64_t *bytes)
{
	static const char units[] = "kKmMgGtT";
	const char *unit;
	int64_t n;
	int shift = 0;

	if (!num_digits(&text, INT64_MAX, &n))
		return false;
	if (*text != '\0') {
		unit = strchr(units, *text);
		if (unit == NULL || text[1] != '\0')
			return false;
		shift = (int)((unit - units) / 2 + 1) * 10;
	}
	if (n > INT64_MAX >> shift)
		return false;
	*bytes = n << shift;
	return true;
}

const char *
num_size_text(uint64_t bytes)
{
	static const char *const units[] = {
	    "B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double n = (double)bytes;
	size_t i = 0;

	while (n >= 1024 && i + 1 < sizeof(units) / sizeof(units[0])) {
		n /= 1024;
		i++;
	}
	return text_format("%.*f %s", i > 0 && n < 100 ? 1 : 0, n, units[i]);
}

const char *
num_limit_text(int64_t ms)
{
	long long n = ms;

	if (n > 0 && n % (60 * 60 * 1000) == 0)
		return text_format("%lld h", n / (60 * 60 * 1000));
	if (n > 0 && n % (60 * 1000) == 0)
		return text_format("%lld min", n / (60 * 1000));
	if (n < 100)
		return text_format("%lld ms", n);
	return text_format("%.15g s", (double)n / 1000);
}

const char *
num_count_text(uint64_t n, const char *noun)
{
	int length = (int)strlen(noun);

	if (n != 1 && length > 1 && noun[length - 1] == 'y')
		return text_format("%" PRIu64 " %.*sies", n, length - 1, noun);
	return text_format("%" PRIu64 " %s%s", n, noun, n == 1 ? "" : "s");
}

const char *
num_duration_text(int64_t ns)
{
	int64_t us = (ns + 500) / 1000, tenths = (ns + 50000) / 100000,
		hundredths = (ns + 5000000) / 10000000;

	/* Not as floating point, which is costly to format. */
	if (ns < 10000000)
		return text_format(
		    "%" PRId64 ".%03d ms", us / 1000, (int)(us % 1000));
	if (ns < 1000000000)
		return text_format(
		    "%" PRId64 ".%d ms", tenths / 10, (int)(tenths % 10));
	return text_format(
	    "%" PRId64 ".%02d s", hundredths / 100, (int)(hundredths % 100));
}
