/* Datagrams from arguments, lines, blocks, or the whole input. */
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "udp/message_source.h"

/* The pieces of a text, each in brackets, read n bytes at a time. */
static const char *
formatted(const char *text, size_t n, enum message_source_kind kind,
    enum message_source_format format)
{
	static char got[256];
	const unsigned char *bytes;
	size_t length, used = 0, at = 0;
	struct err e = ERR_INIT;
	enum message_source_next found;
	struct message_source f;
	int ends[2];

	if (pipe(ends) < 0)
		return "no pipe";
	message_source_descriptor(&f, ends[0], kind, 3);
	f.max_length = 8;
	if (message_source_convert(&f, format, &e) < 0)
		return "an error";
	while ((found = message_source_next(&f, &bytes, &length, &e)) >
	       SOURCE_END) {
		if (found == SOURCE_MESSAGE) {
			got[used++] = '[';
			memcpy(got + used, bytes, length);
			used += length;
			got[used++] = ']';
			continue;
		}
		if (at < strlen(text)) {
			size_t some =
			    strlen(text) - at < n ? strlen(text) - at : n;

			at += (size_t)write(ends[1], text + at, some);
		} else {
			close(ends[1]);
		}
		message_source_read(&f, &e);
	}
	got[used] = '\0';
	if (found == SOURCE_ERROR)
		strcpy(got + used, "!");
	message_source_release(&f);
	close(ends[0]);
	return got;
}

static const char *
pieces(const char *text, size_t n, enum message_source_kind kind)
{
	return formatted(text, n, kind, SOURCE_PLAIN);
}

/* Messages that are converted to bytes. */
static void
formats(size_t n)
{
	is_text(formatted("61 62\n\n63\n", n, SOURCE_LINES, SOURCE_HEX),
	    "[ab][][c]", "lines in hexadecimal");
	is_text(formatted("61\n6", n, SOURCE_LINES, SOURCE_HEX), "[a]!",
	    "one of them is malformed");
	is_text(formatted("6162636465666768\n616263646566676869", n,
		    SOURCE_LINES, SOURCE_HEX),
	    "[abcdefgh]!", "the longest, and one that is too long");
	is_text(formatted("a\\x62\nc\\\\", n, SOURCE_LINES, SOURCE_ESCAPES),
	    "[ab][c\\]", "lines with escapes");
	is_text(formatted("61 62\n63\n", n, SOURCE_WHOLE, SOURCE_HEX), "[abc]",
	    "a whole in hexadecimal");
	is_text(formatted("a\\x62\nc\n", n, SOURCE_WHOLE, SOURCE_ESCAPES),
	    "[ab\nc\n]", "a whole with escapes");
}

/* Arguments, each in brackets, at most five of them. */
static const char *
arguments(
    bool repeats, enum message_source_format format, const char *const *texts)
{
	static char got[256];
	const unsigned char *bytes;
	size_t length, used = 0;
	struct err e = ERR_INIT;
	struct message_source f;
	int count, n;

	for (count = 0; texts[count] != NULL; count++)
		continue;
	message_source_arguments(&f, (char *const *)texts, count, repeats);
	if (message_source_convert(&f, format, &e) < 0) {
		snprintf(got, sizeof(got), "%s", e.text);
		message_source_release(&f);
		return got;
	}
	for (n = 0; n < 5 && message_source_next(&f, &bytes, &length, &e) ==
				 SOURCE_MESSAGE;
	     n++) {
		got[used++] = '[';
		memcpy(got + used, bytes, length);
		used += length;
		got[used++] = ']';
		message_source_consume(&f);
	}
	got[used] = '\0';
	message_source_release(&f);
	return got;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_arguments(void)
{
	is_text(arguments(false, SOURCE_PLAIN, LIST("ab", "", "c")),
	    "[ab][][c]", "arguments");
	is_text(arguments(true, SOURCE_PLAIN, LIST("ab", "c")),
	    "[ab][c][ab][c][ab]", "arguments, again and again");
	is_text(arguments(false, SOURCE_HEX, LIST("61 62", "", "63")),
	    "[ab][][c]", "arguments in hexadecimal");
	is_text(arguments(true, SOURCE_ESCAPES, LIST("\\x61\\n", "c")),
	    "[a\n][c][a\n][c][a\n]", "with escapes, again and again");
	ok(strncmp(arguments(false, SOURCE_HEX, LIST("61", "6")),
	       "message 2: ", 11) == 0,
	    "the second one is malformed");
}

int
main(void)
{
	char one[] = "one", two[] = "two", *arguments[] = {one, two};
	const unsigned char *bytes;
	struct err e = ERR_INIT;
	struct message_source f;
	size_t n, i;

	for (n = 1; n < 10; n += 4) {
		is_text(
		    pieces("a\n\nbc\n", n, SOURCE_LINES), "[a][][bc]", "lines");
		is_text(pieces("a\nb", n, SOURCE_LINES), "[a][b]",
		    "the last without its newline");
		is_text(pieces("", n, SOURCE_LINES), "", "nothing");
		is_text(pieces("ok\n123456789\n", n, SOURCE_LINES), "[ok]!",
		    "a line that is too long");
		is_text(pieces("12345678\n", n, SOURCE_LINES), "[12345678]",
		    "the longest line");
		is_text(pieces("abcdefg", n, SOURCE_BLOCKS), "[abc][def][g]",
		    "blocks");
		is_text(
		    pieces("abc", n, SOURCE_BLOCKS), "[abc]", "just one block");
		is_text(pieces("a\nb", n, SOURCE_WHOLE), "[a\nb]", "whole");
		is_text(pieces("", n, SOURCE_WHOLE), "[]", "whole of nothing");
		is_text(pieces("123456789", n, SOURCE_WHOLE), "!",
		    "a whole that is too long");
		formats(n);
	}
	message_source_arguments(&f, arguments, 2, false);
	for (i = 0; message_source_next(&f, &bytes, &n, &e) == SOURCE_MESSAGE;
	     i++)
		is_text((const char *)bytes, arguments[i], "an argument");
	is_int((long long)i, 2, "each once");
	message_source_arguments(&f, arguments, 2, true);
	for (i = 0; i < 5; i++)
		message_source_next(&f, &bytes, &n, &e);
	is_text((const char *)bytes, "one", "over and over");
	test_arguments();
	return done_testing();
}
