/* Numbers, durations and sizes, good and bad. */
#include "base/num.h"
#include "lib/tap.h"

static void
shows_limit(int64_t ms, const char *want)
{
	is_text(num_limit_text(ms), want, want);
}

static void
shows_count(uint64_t n, const char *noun, const char *want)
{
	is_text(num_count_text(n, noun), want, want);
}

static void
refuses_duration(const char *text, enum num_result want)
{
	int64_t ms = -7;

	ok(num_duration(text, &ms) == want && ms == -7,
	    "duration '%s' is refused", text);
}

static void
takes_duration(const char *text, int64_t want)
{
	int64_t ms = -7;

	ok(num_duration(text, &ms) == NUM_GOOD && ms == want,
	    "duration '%s' is %lld ms", text, (long long)want);
}

static void
refuses_size(const char *text)
{
	int64_t n = -7;

	ok(!num_size(text, &n) && n == -7, "size '%s' is refused", text);
}

static void
takes_size(const char *text, int64_t want)
{
	int64_t n = -7;

	ok(num_size(text, &n) && n == want, "size '%s' is %lld", text,
	    (long long)want);
}

static void
test_formats(void)
{
	shows_limit(20, "20 ms");
	shows_limit(500, "0.5 s");
	shows_limit(250, "0.25 s");
	shows_limit(1000, "1 s");
	shows_limit(90000, "90 s");
	shows_limit(120000, "2 min");
	shows_limit(3600000, "1 h");
	shows_limit(5400000, "90 min");
	shows_count(1, "byte", "1 byte");
	shows_count(0, "byte", "0 bytes");
	shows_count(2, "reply", "2 replies");
	shows_count(1, "reply", "1 reply");
}

int
main(void)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "1x",
	    "0x10", "1.5.5", ".", ".s", "5.", "1e3", "1ms ", "1S",
	    "0.00000000x", "99999999999999999999x", "99999999999999999999."};
	static const char *const long_ones[] = {"99999999999999999999",
	    "9223372036854775807h", "9223372036854775808ms", "2207520001",
	    "2207520000.001", "2207520000001ms", "36792001m", "613200.1h"};
	static const char *const bad_sizes[] = {"", "-1", "1kk", "1b", "k",
	    "9223372036854775808", "8388608T", "1.5M"};
	int64_t n = 3;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses_duration(bad[i], NUM_MALFORMED);
	for (i = 0; i < sizeof(long_ones) / sizeof(long_ones[0]); i++)
		refuses_duration(long_ones[i], NUM_TOO_LARGE);
	/* 0.1 + 0.2 as programs print it. */
	takes_duration("0.30000000000000004", 301);
	takes_duration("2.5000000000", 2500);
	takes_duration("0.00000000001ms", 1);
	takes_duration("2207520000", NUM_MAX_DURATION);
	takes_duration("613200h", NUM_MAX_DURATION);
	takes_duration(".5", 500);
	takes_duration(".25m", 15000);
	takes_duration(".0001", 1);
	takes_duration("5", 5000);
	takes_duration("0", 0);
	takes_duration("0.5", 500);
	takes_duration("500ms", 500);
	takes_duration("2m", 120000);
	takes_duration("1h", 3600000);
	takes_duration("1.5h", 5400000);
	takes_duration("3s", 3000);
	takes_duration("0.0001", 1);
	for (i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++)
		refuses_size(bad_sizes[i]);
	takes_size("4096", 4096);
	takes_size("64k", 65536);
	takes_size("1M", 1048576);
	takes_size("1G", 1073741824);
	takes_size("9223372036854775807", INT64_MAX);
	ok(num_parse("65535", 1, 65535, &n) && n == 65535, "the bound itself");
	ok(!num_parse("65536", 1, 65535, &n) && n == 65535, "one more is not");
	ok(!num_parse("0", 1, 65535, &n), "less is not");
	ok(!num_parse("80x", 0, 65535, &n), "rubbish behind it is not");
	is_text(num_size_text(1536), "1.5 KiB", "KiB");
	is_text(num_size_text(17), "17 B", "bytes");
	is_text(num_duration_text(1500000000), "1.50 s", "seconds");
	is_text(num_duration_text(12345678), "12.3 ms", "milliseconds");
	is_text(num_duration_text(1045600), "1.046 ms",
	    "one millisecond and its rounded thousandths");
	is_text(num_duration_text(12499), "0.012 ms", "microseconds");
	is_text(num_duration_text(0), "0.000 ms", "nothing");
	test_formats();
	return done_testing();
}
