/* SHA-256: the examples of FIPS 180-4, and all ways to cut a message. */
#include "base/sha256.h"

#include <string.h>

#include "lib/tap.h"

/* The digest of count times text. */
static const char *
digest(const char *text, int count)
{
	static char hex[SHA256_TEXT];
	struct sha256 h;

	h.length = 0;
	while (count-- > 0)
		sha256_update(&h, text, strlen(text));
	sha256_text(&h, hex);
	return hex;
}

int
main(void)
{
	static const struct {
		const char *text;
		int count;
		const char *digest;
	} rows[] = {
	    {"", 1,
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
		"55"},
	    {"abc", 1,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
		"ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06"
		"c1"},
	    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
	     "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		1,
		"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9"
		"d1"},
	    {"a", 1000000,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112c"
		"d0"},
	};
	static const char message[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	char whole[SHA256_TEXT], text[SHA256_TEXT];
	struct sha256 h;
	size_t i, n;
	bool same = true;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is_text(digest(rows[i].text, rows[i].count), rows[i].digest,
		    rows[i].text);
	for (n = 0; n < sizeof(message); n++) {
		h.length = 0;
		sha256_update(&h, message, n);
		sha256_text(&h, whole);
		for (i = 0; i <= n; i++) {
			h.length = 0;
			sha256_update(&h, message, i);
			sha256_text(&h, text);
			sha256_update(&h, message + i, n - i);
			sha256_text(&h, text);
			same = same && strcmp(text, whole) == 0;
		}
	}
	ok(same, "a message in two pieces");
	ok(sha256_parse(text, rows[0].digest, false) &&
		strcmp(text, rows[0].digest) == 0 &&
		!sha256_parse(text, rows[0].digest + 1, false) &&
		!sha256_parse(text,
		    "x3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b78"
		    "52b855",
		    true),
	    "what a digest is");
	return done_testing();
}
