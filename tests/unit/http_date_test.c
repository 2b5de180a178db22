/* Dates of HTTP and of --if-modified-since: each form, and what is none. */
#include "http/http_date.h"

#include "lib/tap.h"

#define SECOND 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct {
	const char *text;
	int64_t seconds;
} good[] = {{"Sun, 06 Nov 1994 08:49:37 GMT", SECOND},
    {"Sunday, 06-Nov-94 08:49:37 GMT", SECOND},
    {"Sun Nov  6 08:49:37 1994", SECOND},
    {"Sunday, 01-Jan-69 00:00:00 GMT", INT64_C(3124224000)},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
    {"Tue, 29 Feb 2000 23:59:60 GMT", 951868800},
    {"1994-11-06", SECOND - 31777}, {"1994-11-06 08:49", SECOND - 37},
    {"1994-11-06T08:49:37", SECOND}, {"1994-11-06T08:49:37Z", SECOND}};

static const char *const bad[] = {"", "now", "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 GMT+1", "Sun, 06 Xyz 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
    "Thu, 29 Feb 1900 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 -1:49:37 GMT",
    "Sun, 06 Nov 1994 08:-1:37 GMT", "Sun, 06 Nov 1994 08:49:-1 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT+1", "Sun Nov  6 08:49:37 1994 GMT",
    "1994-13-06", "1994-00-06", "1994-11-6", "1994-11-06x08:49",
    "1994-11-06T08", "1994-11-06T08:49:", "1994-11-06T08:49:37+01"};

int
main(void)
{
	char text[HTTP_DATE_SIZE];
	int64_t seconds;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (ok(http_date_parse(good[i].text, &seconds), "%s",
			good[i].text))
			is_int(seconds, good[i].seconds, "its seconds");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(!http_date_parse(bad[i], &seconds), "not '%s'", bad[i]);
	is_text(http_date_format(text, sizeof(text), SECOND), good[0].text,
	    "a date is formatted");
	is_text(http_date_format(text, sizeof(text), INT64_MAX),
	    "Fri, 31 Dec 9999 23:59:59 GMT", "the last one");
	is_text(http_date_format(text, sizeof(text), -1), good[4].text,
	    "and the first one");
	return done_testing();
}
