/* Parses and formats HTTP dates (RFC 9110 section 5.6.7). */
#include "http/http_date.h"

#include <stdio.h>
#include <string.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "ThuFriSatSunMonTueWed";

/* 9999-12-31T23:59:59. */
#define LAST_SECOND INT64_C(253402300799)

/* A date in the proleptic Gregorian calendar. */
struct date {
	int year, month, day; /* month from 1 */
	int hour, minute, second;
};

/* Days since 1970-01-01. A year starts in March here, so a leap day ends it. */
static int64_t
days_since_1970(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool
is_date(const struct date *d)
{
	static const int lengths[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int last;

	if (d->year < 1 || d->year > 9999 || d->month < 1 || d->month > 12)
		return false;
	last =
	    lengths[d->month - 1] + (d->month == 2 && is_leap(d->year) ? 1 : 0);
	return d->day >= 1 && d->day <= last && d->hour >= 0 && d->hour < 24 &&
	       d->minute >= 0 && d->minute < 60 && d->second >= 0 &&
	       d->second <= 60;
}

static int
month_number(const char *name)
{
	int i;

	for (i = 0; i < 12; i++)
		if (strncmp(months + (size_t)i * 3, name, 3) == 0)
			return i + 1;
	return 0;
}

/* Tries the three forms of RFC 9110; one must match the whole text. */
static bool
parse_form(const char *text, struct date *d)
{
	char month[4] = "";
	int end = 0;

	memset(d, 0, sizeof(*d));
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
		&d->day, month, &d->year, &d->hour, &d->minute, &d->second,
		&end) == 6 &&
	    end > 0 && text[end] == '\0') {
		d->month = month_number(month);
		return true;
	}
	if (sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n",
		&d->day, month, &d->year, &d->hour, &d->minute, &d->second,
		&end) == 6 &&
	    end > 0 && text[end] == '\0') {
		d->month = month_number(month);
		d->year += d->year < 70 ? 2000 : 1900;
		return true;
	}
	if (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month,
		&d->day, &d->hour, &d->minute, &d->second, &d->year,
		&end) == 6 &&
	    text[end] == '\0') {
		d->month = month_number(month);
		return true;
	}
	return false;
}

/* "1994-11-06", optionally followed by a space or "T" and a time. */
static bool
parse_iso(const char *text, struct date *d)
{
	int end = 0, more = 0;

	memset(d, 0, sizeof(*d));
	if (sscanf(text, "%4d-%2d-%2d%n", &d->year, &d->month, &d->day, &end) !=
		3 ||
	    end != 10)
		return false;
	if (text[end] == '\0')
		return true;
	if (text[end] != ' ' && text[end] != 'T')
		return false;
	text += end + 1;
	if (sscanf(text, "%2d:%2d%n", &d->hour, &d->minute, &more) != 2)
		return false;
	text += more;
	if (*text == ':' && sscanf(text, ":%2d%n", &d->second, &more) == 1)
		text += more;
	return strcmp(text, "") == 0 || strcmp(text, "Z") == 0;
}

bool
http_date_parse(const char *text, int64_t *seconds)
{
	struct date d;

	if ((!parse_form(text, &d) && !parse_iso(text, &d)) || !is_date(&d))
		return false;
	*seconds = days_since_1970(d.year, d.month, d.day) * 86400 +
		   d.hour * 3600 + d.minute * 60 + d.second;
	return true;
}

/* Computes the date of a day: the inverse of days_since_1970(). */
static void
date_of_day(int64_t day, struct date *d)
{
	int64_t era, n, year, m;

	day += 719468;
	era = day / 146097;
	n = day - era * 146097;
	year = (n - n / 1460 + n / 36524 - n / 146096) / 365;
	n -= 365 * year + year / 4 - year / 100;
	m = (5 * n + 2) / 153;
	d->day = (int)(n - (153 * m + 2) / 5 + 1);
	d->month = (int)(m < 10 ? m + 3 : m - 9);
	d->year = (int)(year + era * 400 + (d->month <= 2 ? 1 : 0));
}

const char *
http_date_format(char *buf, size_t size, int64_t seconds)
{
	struct date d;
	int64_t day, rest;

	/* The year has four digits, which a leap second could exceed. */
	if (seconds < 0)
		seconds = 0;
	if (seconds > LAST_SECOND)
		seconds = LAST_SECOND;
	day = seconds / 86400;
	rest = seconds % 86400;
	date_of_day(day, &d);
	snprintf(buf, size, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	    days + day % 7 * 3, d.day, months + (size_t)(d.month - 1) * 3,
	    d.year, (int)(rest / 3600), (int)(rest / 60 % 60),
	    (int)(rest % 60));
	return buf;
}
