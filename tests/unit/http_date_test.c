/* HTTP dates: every day of the four-digit years, every form, every limit. */
#include "http/http_date.h"
#include "lib/tap.h"

#define DAY 86400
#define LAST_DAY 2932896 /* 9999-12-31 */

static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May",
    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const day_names[] = {
    "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

static int
days_of(int year, int month)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (month != 2)
		return days[month - 1];
	if (year % 400 == 0)
		return 29;
	if (year % 100 == 0)
		return 28;
	return year % 4 == 0 ? 29 : 28;
}

/* A calendar that counts day by day. */
struct calendar {
	int64_t day;
	int year, month, date;
};

static void
add_day(struct calendar *c)
{
	c->day++;
	if (++c->date <= days_of(c->year, c->month))
		return;
	c->date = 1;
	if (++c->month <= 12)
		return;
	c->month = 1;
	c->year++;
}

/* Whether the day is formatted and parsed as the calendar says. */
static bool
is_right(const struct calendar *c, int hour, int minute, int second)
{
	char text[128];
	int64_t want = c->day * DAY + hour * 3600 + minute * 60 + second, got;

	snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
	    day_names[c->day % 7], c->date, month_names[c->month - 1], c->year,
	    hour, minute, second);
	if (strcmp(text, http_date_text(want)) == 0 &&
	    http_date_parse(text, &got) && got == want)
		return true;
	ok(false, "%s: formatted as %s", text, http_date_text(want));
	return false;
}

/* 400 years whole, since they repeat; then the ends of February. */
static void
test_every_day(void)
{
	struct calendar c = {0, 1970, 1, 1};
	bool good = true;

	for (; good && c.day <= LAST_DAY; add_day(&c))
		if (c.year < 2371 || c.month == 3 - (c.date > 27))
			good = is_right(&c, (int)(c.day % 24),
			    (int)(c.day % 60), (int)(c.day % 59));
	ok(good, "the days of 1970 to 9999");
}

static void
test_limits(void)
{
	is_text(http_date_text(-1), "Thu, 01 Jan 1970 00:00:00 GMT",
	    "nothing before 1970");
	is_text(http_date_text(INT64_C(253402300799)),
	    "Fri, 31 Dec 9999 23:59:59 GMT", "the last second of 9999");
	is_text(http_date_text(INT64_C(253402300800)),
	    "Fri, 31 Dec 9999 23:59:59 GMT", "nothing after 9999");
}

static void
check(const char *text, int64_t want)
{
	int64_t got = -1;

	ok(http_date_parse(text, &got), "'%s' is a date", text);
	is_int(got, want, text);
}

/* Each form of one moment, and what only one of them has. */
static void
test_forms(void)
{
	check("Sun, 06 Nov 1994 08:49:37 GMT", 784111777);
	check("Sunday, 06-Nov-94 08:49:37 GMT", 784111777);
	check("Sun Nov  6 08:49:37 1994", 784111777);
	check("1994-11-06", 784080000);
	check("1994-11-06 08:49", 784111740);
	check("1994-11-06T08:49", 784111740);
	check("1994-11-06T08:49Z", 784111740);
	check("1994-11-06T08:49:37", 784111777);
	check("1994-11-06T08:49:37Z", 784111777);
	check("Thursday, 01-Jan-70 00:00:00 GMT", 0);
	check("Tuesday, 31-Dec-69 23:59:59 GMT", INT64_C(3155759999));
	check("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800);
	check("Mon, 01 Jan 0001 00:00:00 GMT", -INT64_C(62135596800));
	check("Tue, 29 Feb 2000 12:00:00 GMT", 951825600);
	check("Wed, 31 Dec 1969 00:00:00 GMT", -86400);
}

static void
test_refused(void)
{
	static const char *const texts[] = {"", "now", "Sun, 06 Nov 1994",
	    "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ",
	    "Sun, 06 Nov 1994 08:49:37 GMTx", "Sun, 06 Nov 1994 08:49:37 CET",
	    "Sunday, 06-Nov-94 08:49:37", "Sunday, 06-Nov-94 08:49:37 GMT.",
	    "Sun Nov  6 08:49:37 1994 ", "Sun Nov  6 08:49:37",
	    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
	    "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT",
	    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
	    "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 -1:49:37 GMT",
	    "Sun, 06 Nov 1994 08:-1:37 GMT", "Sun, 06 Nov 1994 08:49:-1 GMT",
	    "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT",
	    "Thu, 29 Feb 1900 00:00:00 GMT", "Sun, 29 Feb 1994 00:00:00 GMT",
	    "1994-13-06", "1994-00-06", "1994-11-31", "1994-1-06", "1994-11-6",
	    "1994-11-06 ", "1994-11-06x08:49", "1994-11-06 08",
	    "1994-11-06 08:49:", "1994-11-06 08:49:37z", "1994-11-06 08:49Zx",
	    "1994-11-06 24:00", "1900-02-29"};
	int64_t seconds;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ok(!http_date_parse(texts[i], &seconds), "'%s' is not a date",
		    texts[i]);
}

int
main(void)
{
	test_every_day();
	test_limits();
	test_forms();
	test_refused();
	return done_testing();
}
