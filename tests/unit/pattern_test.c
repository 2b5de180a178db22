/* Patterns against regexec(3), by lines, in pieces, and in linear time. */
#include <regex.h>
#include <time.h>

#include "base/err.h"
#include "lib/tap.h"
#include "relay/nfa.h"
#include "relay/pattern.h"

/* The end of the first match in text, given in pieces of n bytes, or -1. */
static long
end_of(const char *regex, const char *text, size_t n)
{
	size_t at = 0, length = strlen(text), piece, used;
	struct err e = ERR_INIT;
	struct pattern p;
	bool found = false;

	if (pattern_compile(&p, regex, &e) < 0)
		return -2;
	pattern_start(&p, PATTERN_LINE_START);
	for (piece = n; !found; piece += n) {
		if (piece > length)
			piece = length;
		p.is_ended = piece == length;
		found = pattern_search(
		    &p, (const unsigned char *)text + at, piece - at, &used);
		at += used;
		if (piece == length)
			break;
	}
	pattern_release(&p);
	return found ? (long)at : -1;
}

/* The same by regexec(3): the shortest prefix of text that matches. */
static long
expected(const char *regex, const char *text)
{
	char prefix[64] = "";
	regex_t compiled;
	size_t n;
	long end = -1;

	if (regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB) != 0)
		return -2;
	for (n = 0; n <= strlen(text) && end < 0; n++) {
		memcpy(prefix, text, n);
		prefix[n] = '\0';
		if (regexec(&compiled, prefix, 0, NULL, 0) == 0)
			end = (long)n;
	}
	regfree(&compiled);
	return end;
}

static void
same_as_regexec(void)
{
	static const char *const texts[] = {"", "a", "aaa", "abcabc", "aXbYc",
	    "foo123bar 45", "a]b-c^d", "((x)) {1} \\ .", "220 ok", "ab\nab\n"};
	static const char *const patterns[] = {"a", "b+", "ab*c", "a?b?c",
	    "(a|b)c", "(ab|abc)abc", "a{3}", "a{2,}", "(abc){2}", "[b-d]",
	    "[^a]", "[]]", "[a-]b", "[^]a]", "[[:digit:]]+ ", "[[:upper:]]",
	    "[[:digit:]x]", "[x[:digit:]a]", "[[:upper:][:digit:]]b", "x|y|Y",
	    "()a", "(a*)*b", "(a|ab)(c|bcd)", ".", "...", "\\.", "\\(\\(",
	    "\\{1\\}", "o{2}1", "o{1,2}1", "(o{1,3}){1,2}1", "(a|b|c){6}",
	    "(a|b|c){7}", "", "a|", "z*", "2{2}0", "b\na", "\\\\", "a{0}b",
	    "(a{0,1}b{1,2}){2}", "((a)|(b(c|d)))+c"};
	size_t i, k, n;
	int wrong = 0;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		for (k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
			for (n = 1; n < 4; n++)
				if (end_of(patterns[i], texts[k], n) !=
				    expected(patterns[i], texts[k])) {
					printf("# '%s' in '%s' by %zu: %ld\n",
					    patterns[i], texts[k], n,
					    end_of(patterns[i], texts[k], n));
					wrong++;
				}
	is_int(wrong, 0, "matches end where regexec(3) finds the first");
}

/* The same with patterns and texts from a generator of pseudo-random numbers.
 */
static void
same_as_regexec_at_random(void)
{
	static const char *const parts[] = {"a", "b", ".", "(a|b)", "[^a]",
	    "(ab)", "a*", "b+", "(ba)?", "(a|bb){1,2}", "|", "b"};
	char pattern[128], text[40];
	unsigned long state = 12345;
	int round, wrong = 0;
	size_t i;

	for (round = 0; round < 3000; round++) {
		pattern[0] = '\0';
		for (i = 0; i < 6; i++) {
			state = state * 1103515245 + 12345;
			strcat(pattern, parts[(state >> 16) % 12]);
		}
		for (i = 0; i < 12; i++) {
			state = state * 1103515245 + 12345;
			text[i] = (char)("aabc"[(state >> 16) % 4]);
		}
		text[i] = '\0';
		if (end_of(pattern, text, 1 + (size_t)round % 5) !=
		    expected(pattern, text)) {
			printf("# '%s' in '%s'\n", pattern, text);
			wrong++;
		}
	}
	is_int(wrong, 0, "so do 3,000 pseudo-random ones");
}

static void
by_lines(void)
{
	static const struct {
		const char *regex, *text;
		long end;
	} cases[] = {
	    {"^250 ", "250-a\r\n250-b\r\n250 done\r\n", 18},
	    {"^220.*hi$", "220 hi\r\n", 6},
	    {"^220.*hi$", "220 hi\n", 6},
	    {"^220.*hi$", "220 hi", 6},
	    {"^220.*hi$", "220 hi\rx\r\n", -1},
	    {"^220.*x$", "220 hi\n250 x\n", -1},
	    {"hi$", "hi there\r\nhi\r\n", 12},
	    {"^b", "ab\nb", 4},
	    {"^$", "a\r\n\r\nb", 3},
	    {"^$", "a\n\nb", 2},
	    {"^$", "a\n", -1},
	    {"^.+$", "\r\n\r\nok\r\n", 6},
	    {"^..$", "a\r\nab\r\n", 5},
	    {"^[^x]$", "\r\nab\r\ny\r\n", 7},
	    {"^a.", "a\rb", 2},
	    {"^(a|b$)", "b\r\n", 1},
	    {"a$\n^b", "a\r\nb", 4},
	    {"a$\\n^b", "a\nb", 3},
	    {"^ok\\r$", "ok\r\n", 3},
	    {"^ok\\r\\n", "ok\r\n", 4},
	    {"220.*\\r\\n", "220 a\r\n", 7},
	    {"a.b", "a\nb", 3},
	    {"^x|y$", "ay\r\n", 2},
	};
	size_t i, n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (n = 1; n < 9; n++)
			is_int(end_of(cases[i].regex, cases[i].text, n),
			    cases[i].end, cases[i].regex);
}

static void
escapes(void)
{
	static const char text[] = "a\0b\r\n\t.$]^\xff\033";
	static const struct {
		const char *regex;
		long end;
	} cases[] = {{"a\\0b", 3}, {"\\x00b", 3}, {"b\\r\\n\\t", 6},
	    {"\\t\\.", 7}, {"\\x2e\\x24", 8}, {"\\.\\$\\]", 9},
	    {"[\\x5d]\\^", 10}, {"[\\x80-\\xff]\\e", 12}, {"[\\r]", 4},
	    {"\\S\\s", 4}, {"\\W\\W\\w", -1}, {"\\w\\W\\w", 3}, {"\\x2E", 7}};
	struct err e = ERR_INIT;
	struct pattern p;
	size_t i, used;
	bool found;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!ok(pattern_compile(&p, cases[i].regex, &e) == 0, "%s",
			cases[i].regex))
			continue;
		pattern_start(&p, PATTERN_LINE_START);
		found = pattern_search(
		    &p, (const unsigned char *)text, sizeof(text) - 1, &used);
		is_int(found ? (long)used : -1, cases[i].end, "its match");
		pattern_release(&p);
	}
}

static void
misuse(void)
{
	static const char *const bad[] = {"(", "(a", "[", "[a", "[]", "a\\",
	    "*a", "+", "a|*b", "\\q", "\\x4", "\\1", "(a)\\1", "[z-a]",
	    "[[:nosuch:]]", "[[.a.]]", "a{3,2}", "a{256}", "a{9999}",
	    "a{1,256}", "a{1,9999}", "((a{255}){255}){255}",
	    "(((){255}){255}){255}"};
	static char deep[500];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is_int(end_of(bad[i], "", 1), -2, bad[i]);
	memset(deep, '(', sizeof(deep) - 1);
	is_int(end_of(deep, "", 1), -2, "too many parentheses");
	is_int(end_of("a{", "a{", 1), 2, "a brace that is none");
	is_int(end_of("{\"ok\":true}", "{\"ok\":true}", 1), 11, "JSON");
	is_int(end_of(":)", ":)", 1), 2, "an unmatched parenthesis");
}

/* Whatever a pattern consists of, it has a limit: near it, all kinds fail. */
static void
limits(void)
{
	static const char *const last[] = {
	    "a", "[a]", "\\w", "(a)", "a|", "a*", "a+", "a?", "a{2}", "a{2,}"};
	static char text[NFA_MAX_CODE + 8];
	size_t i, n;
	bool grows;

	for (i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
		grows = true;
		for (n = NFA_MAX_CODE; n + 6 > NFA_MAX_CODE; n--) {
			memset(text, 'b', n);
			strcpy(text + n, last[i]);
			grows = grows && end_of(text, "", 1) == -2;
		}
		ok(!grows, "%s fits once enough before it is left out",
		    last[i]);
	}
	for (n = 0; n <= NFA_MAX_SETS; n++)
		memcpy(text + 2 * n, "\\w", 3);
	is_int(end_of(text, "", 1), -2, "one set more than there may be");
	text[2 * NFA_MAX_SETS] = '\0';
	is_int(end_of(text, "", 1), -1, "as many as there may be");
}

/* A hostile peer: each byte costs the same, whatever was received before. */
static void
long_lines(void)
{
	static const char *const regexes[] = {
	    "a.*b", "[a-z]+ OK", "^(a|aa)*b$", "(a*)*b", "a{1,20}b"};
	static unsigned char bytes[1 << 20];
	struct err e = ERR_INIT;
	struct pattern p;
	clock_t start;
	size_t i, used;

	memset(bytes, 'a', sizeof(bytes));
	for (i = 0; i < sizeof(regexes) / sizeof(regexes[0]); i++) {
		start = clock();
		pattern_compile(&p, regexes[i], &e);
		pattern_start(&p, PATTERN_LINE_START);
		is_int(pattern_search(&p, bytes, sizeof(bytes), &used), 0,
		    regexes[i]);
		ok(clock() - start < 10 * CLOCKS_PER_SEC,
		    "a megabyte without a newline takes %.3f s",
		    (double)(clock() - start) / CLOCKS_PER_SEC);
		pattern_release(&p);
	}
}

/* Compiling returns 0 or -1, and nothing is left of what failed. */
static void
compiles(const char *regex, int want)
{
	struct err e = ERR_INIT;
	struct nfa a;

	is_int(nfa_compile(&a, regex, &e), want, regex);
	ok((a.code != NULL) == (want == 0), "its code");
	nfa_release(&a);
	ok(a.code == NULL && a.sets == NULL, "nothing is left");
}

int
main(void)
{
	compiles("a*[b]", 0);
	compiles("(", -1);
	same_as_regexec();
	same_as_regexec_at_random();
	by_lines();
	escapes();
	misuse();
	limits();
	long_lines();
	return done_testing();
}
