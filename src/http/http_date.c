/* Parses and formats HTTP dates (RFC 9110 section 5.6.7). */
#include "http/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* 9999-12-31T23:59:59. */
#define LAST_SECOND INT64_C(253402300799)

/* A date in the proleptic Gregorian calendar. */
struct date {
	int year, month, day; /* month from 1 */
	int hour, minute, second;
};

/* Tries the three forms of RFC 9110; one must match the whole text. */
static bool
parse_form(const char *text, struct date *d)
{
	char month[4] = "";
	int end = 0, i;

	memset(d, 0, sizeof(*d));
	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n",
		&d->day, month, &d->year, &d->hour, &d->minute, &d->second,
		&end) != 6 &&
	    sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month,
		&d->day, &d->hour, &d->minute, &d->second, &d->year,
		&end) != 6) {
		if (sscanf(text,
			"%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n",
			&d->day, month, &d->year, &d->hour, &d->minute,
			&d->second, &end) != 6)
			return false;
		d->year += d->year < 70 ? 2000 : 1900;
	}
	for (i = 0; i < 12; i++)
		if (strncmp(months + (size_t)i * 3, month, 3) == 0)
			d->month = i + 1;
	return end > 0 && text[end] == '\0';
}

/* "1994-11-06", optionally followed by a space or "T" and a time. */
static bool
parse_iso(const char *text, struct date *d)
{
	int date = 0, minutes = 0, seconds = 0, end;

	memset(d, 0, sizeof(*d));
	(void)sscanf(text, "%4d-%2d-%2d%n%*1[ T]%2d:%2d%n:%2d%n", &d->year,
	    &d->month, &d->day, &date, &d->hour, &d->minute, &minutes,
	    &d->second, &seconds);
	end = seconds > 0 ? seconds : minutes > 0 ? minutes : date;
	return date == 10 && (text[end] == '\0' ||
				 (minutes > 0 && strcmp(text + end, "Z") == 0));
}

bool
http_date_parse(const char *text, int64_t *seconds)
{
	struct date d;
	struct tm tm;
	int64_t y, m;
	time_t day;

	if (!parse_form(text, &d) && !parse_iso(text, &d))
		return false;
	if (d.year < 1 || d.hour < 0 || d.hour > 23 || d.minute < 0 ||
	    d.minute > 59 || d.second < 0 || d.second > 60)
		return false;
	/* There is no inverse of gmtime_r(3) in POSIX.1-2008. A year starts in
	 * March here, so that a leap day ends it. */
	y = d.month > 2 ? d.year : d.year - 1;
	m = d.month > 2 ? d.month - 3 : d.month + 9;
	day = (time_t)((365 * y + y / 4 - y / 100 + y / 400 +
			   (153 * m + 2) / 5 + d.day - 1 - 719468) *
		       86400);
	if (gmtime_r(&day, &tm) == NULL || tm.tm_mday != d.day ||
	    tm.tm_mon != d.month - 1)
		return false;
	*seconds = day + d.hour * 3600 + d.minute * 60 + d.second;
	return true;
}

const char *
http_date_text(int64_t seconds)
{
	char *text = text_slot();
	time_t t;
	struct tm tm;

	/* The year has four digits, which a leap second could exceed. */
	if (seconds < 0)
		seconds = 0;
	t = (time_t)(seconds < LAST_SECOND ? seconds : LAST_SECOND);
	gmtime_r(&t, &tm);
	strftime(text, TEXT_SLOT, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return text;
}
