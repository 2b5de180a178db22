/* Escapes in arguments become bytes; invalid ones are rejected. */
#include "base/text.h"
#include "lib/tap.h"

static void
good(const char *text, const char *bytes, size_t n)
{
	char got[64];

	is_int(text_unescape(got, text), (long long)n, text);
	ok(memcmp(got, bytes, n) == 0, "its bytes");
}

int
main(void)
{
	static const char *const bad[] = {
	    "\\", "a\\", "\\q", "\\x", "\\x4", "\\xg0", "\\x0g", "\\N"};
	char got[64];
	size_t i;

	good("", "", 0);
	good("plain", "plain", 5);
	good("a\\nb\\r\\n", "a\nb\r\n", 5);
	good("\\0\\t\\e\\\\", "\0\t\033\\", 4);
	good("\\x00\\x7F\\xfe\\xAb", "\0\x7f\xfe\xab", 4);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(text_unescape(got, bad[i]), -1, bad[i]);
	return done_testing();
}
