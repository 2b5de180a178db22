/* Templates: filled in, bounded, and rejected when misspelt. */
#include "base/err.h"
#include "base/template.h"
#include "lib/tap.h"

static void
fills(const char *text, const char *want, size_t n)
{
	struct template_values v = {"a\0b", 3, "192.0.2.1", 77, 5};
	struct err e = ERR_INIT;
	struct template f;
	char got[64];
	ssize_t made;

	if (!ok(template_parse(&f, text, &e) == 0, "'%s' is a format", text))
		return;
	made = template_fill(&f, &v, got, sizeof(got));
	is_int(made, (long long)n, "its length");
	ok(memcmp(got, want, n) == 0, "its bytes");
	ok(n == 0 || template_fill(&f, &v, got, n - 1) == -1,
	    "one byte too few is noticed");
	template_release(&f);
}

int
main(void)
{
	static const char *const bad[] = {
	    "%", "%q", "100%", "%%%", "\\q", "%S"};
	struct err e = ERR_INIT;
	struct template f;
	size_t i;

	fills("", "", 0);
	fills("plain", "plain", 5);
	fills("Hello, %s!", "Hello, a\0b!", 11);
	fills("%s%s", "a\0ba\0b", 6);
	fills("%a:%p #%n 100%%", "192.0.2.1:77 #5 100%", 20);
	fills("\\x41%%s\\n", "A%s\n", 4);
	fills("\\x25s\\x25", "%s%", 3);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		is_int(template_parse(&f, bad[i], &e), -1, bad[i]);
		is_int(e.kind, ERR_USAGE, "is a usage error");
	}
	return done_testing();
}
