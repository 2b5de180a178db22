/* Escapes and hexadecimal become bytes; what is malformed is located. */
#include "base/err.h"
#include "base/literal.h"
#include "lib/tap.h"

typedef ssize_t parse(void *, const void *, size_t, struct err *);

static void
good(parse *f, const char *text, const char *bytes, size_t n)
{
	struct err e = ERR_INIT;
	char got[64];

	is_int(f(got, text, strlen(text), &e), (long long)n, text);
	ok(memcmp(got, bytes, n) == 0, "its bytes");
	strcpy(got, text);
	is_int(f(got, got, strlen(text), &e), (long long)n, "in place");
	ok(memcmp(got, bytes, n) == 0, "the same bytes");
}

static void
bad(parse *f, const char *text, const char *why)
{
	struct err e = ERR_INIT;
	char got[64];

	is_int(f(got, text, strlen(text), &e), -1, text);
	ok(strstr(e.text, why) == e.text, "'%s' is '%s'", e.text, why);
}

static void
every_byte(void)
{
	static unsigned char all[256], back[256];
	struct err e = ERR_INIT;
	char hex[3 * 256 + 1];
	size_t i;

	for (i = 0; i < 256; i++) {
		all[i] = (unsigned char)i;
		snprintf(hex + 3 * i, 4, "%02zx ", i);
	}
	is_int(literal_parse_hex(back, hex, 3 * 256, &e), 256,
	    "all bytes in hexadecimal");
	ok(memcmp(all, back, 256) == 0, "the same bytes");
}

int
main(void)
{
	parse *text = literal_unescape, *hex = literal_parse_hex;

	good(text, "", "", 0);
	good(text, "plain", "plain", 5);
	good(text, "a\\nb\\r\\n", "a\nb\r\n", 5);
	good(text, "\\0\\t\\e\\\\", "\0\t\033\\", 4);
	good(text, "\\x00\\x7F\\xfe\\xAb", "\0\x7f\xfe\xab", 4);
	bad(text, "\\", "character 1: an unknown escape");
	bad(text, "a\\", "character 2: ");
	bad(text, "ab\\q", "character 3: ");
	bad(text, "\\x", "character 1: ");
	bad(text, "\\\\\\x4", "character 3: ");
	bad(text, "\\xg0", "character 1: ");
	bad(text, "\\x0g", "character 1: ");
	bad(text, "\\N", "character 1: ");

	good(hex, "", "", 0);
	good(hex, " \t\r\n", "", 0);
	good(hex, "00ff7E", "\0\xff\x7e", 3);
	good(hex, "de ad  be\nef", "\xde\xad\xbe\xef", 4);
	good(hex, "02:00:5e:10:00:01", "\x02\0\x5e\x10\0\x01", 6);
	bad(hex, "0", "character 1: a byte has two");
	bad(hex, "48 6", "character 4: a byte has two");
	bad(hex, "4 8", "character 1: a byte has two");
	bad(hex, "1:2", "character 1: a byte has two");
	bad(hex, "48 6g", "character 5: 'g' is not");
	bad(hex, "0x48", "character 2: 'x' is not");
	bad(hex, "48-65", "character 3: '-' is not");
	bad(hex, ":48", "character 1: a colon");
	bad(hex, "48:", "character 3: a colon");
	bad(hex, "48::65", "character 3: a colon");
	bad(hex, "48: 65", "character 3: a colon");
	bad(hex, "\033[0m", "character 1: '\\x1b' is not");
	every_byte();
	return done_testing();
}
