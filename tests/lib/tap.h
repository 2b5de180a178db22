/* TAP for the unit tests in C: ok(), is_int(), is_text(), skip(),
 * done_testing(). */
#ifndef TESTS_TAP_H
#define TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int tap_count, tap_failed;

static bool ok(bool good, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), unused));
static bool is_int(long long got, long long want, const char *name)
    __attribute__((unused));
static bool is_text(const char *got, const char *want, const char *name)
    __attribute__((unused));
static void skip(int count, const char *why) __attribute__((unused));
static int done_testing(void) __attribute__((unused));
static void tap_start_limit(void) __attribute__((constructor));
static size_t in_short(size_t n, size_t fewer) __attribute__((unused));

/* A test that hangs has failed; SOCKT_PATIENCE is for slow machines. */
static void
tap_start_limit(void)
{
	const char *patience = getenv("SOCKT_PATIENCE");

	alarm(patience != NULL ? 4 * (unsigned)atoi(patience) : 120);
}

/* n, or fewer where SOCKT_SHORT says that the machine is slow. */
static size_t
in_short(size_t n, size_t fewer)
{
	return getenv("SOCKT_SHORT") != NULL ? fewer : n;
}

static bool
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!good)
		tap_failed++;
	fflush(stdout);
	return good;
}

static bool
is_int(long long got, long long want, const char *name)
{
	if (ok(got == want, "%s", name))
		return true;
	printf("#   got %lld, expected %lld\n", got, want);
	return false;
}

static bool
is_text(const char *got, const char *want, const char *name)
{
	if (ok(strcmp(got, want) == 0, "%s", name))
		return true;
	printf("#   got      '%s'\n#   expected '%s'\n", got, want);
	return false;
}

/* So many checks that cannot be made here, and why. */
static void
skip(int count, const char *why)
{
	while (count-- > 0)
		printf("ok %d # skip %s\n", ++tap_count, why);
}

/* The plan; the exit status of main(). */
static int
done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed == 0 ? 0 : 1;
}

#endif
