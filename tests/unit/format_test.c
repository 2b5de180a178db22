/* Answers with places: filled in, bounded, and refused when misspelt. */
#include "base/err.h"
#include "base/format.h"
#include "lib/tap.h"

static void
fills(const char *text, const char *want, size_t n)
{
	struct format_values v = {"a\0b", 3, "192.0.2.1", 77, 5};
	struct err e = ERR_INIT;
	struct format f;
	char got[64];
	ssize_t made;

	if (!ok(format_parse(&f, text, &e) == 0, "'%s' is a format", text))
		return;
	made = format_fill(&f, &v, got, sizeof(got));
	is_int(made, (long long)n, "its length");
	ok(memcmp(got, want, n) == 0, "its bytes");
	ok(n == 0 || format_fill(&f, &v, got, n - 1) == -1,
	    "one byte too few is noticed");
	format_release(&f);
}

int
main(void)
{
	static const char *const bad[] = {
	    "%", "%q", "100%", "%%%", "\\q", "%S"};
	struct err e = ERR_INIT;
	struct format f;
	size_t i;

	fills("", "", 0);
	fills("plain", "plain", 5);
	fills("Hello, %s!", "Hello, a\0b!", 11);
	fills("%s%s", "a\0ba\0b", 6);
	fills("%a:%p #%n 100%%", "192.0.2.1:77 #5 100%", 20);
	fills("\\x41%%s\\n", "A%s\n", 4);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_int(format_parse(&f, bad[i], &e), -1, bad[i]);
		is_int(e.kind, ERR_USAGE, "is a usage error");
	}
	return done_testing();
}
