/* URLs: what is accepted, what a request needs of one, references, credentials,
 * and what errors show. */
#include "http/url.h"

#include "base/err.h"
#include "base/text.h"
#include "lib/tap.h"

/* RFC 3986 section 5.4, against "http://a/b/c/d;p?q", as absolute forms. */
static const char *const resolved[][2] = {{"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"}, {"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"},
    {"//g", "http://g/"}, {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/g"}, {"g?y#s", "http://a/b/c/g?y"},
    {";x", "http://a/b/c/;x"}, {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y"}, {"", "http://a/b/c/d;p?q"},
    {"?", "http://a/b/c/d;p?"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"},
    {"..", "http://a/b/"}, {"../", "http://a/b/"}, {"../g", "http://a/b/g"},
    {"../..", "http://a/"}, {"../../", "http://a/"}, {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"}, {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"}, {"/../g", "http://a/g"}, {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"}, {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"}, {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"}, {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"}, {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"}, {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"}, {"g#s/./x", "http://a/b/c/g"},
    {"http://b:0080", "http://b/"}, {"HTTPS://b?c", "https://b/?c"},
    {"//b:81/..//c", "http://b:81//c"}, {"c d?e f", "http://a/b/c/c%20d?e%20f"},
    {"/\xc3\xa4", "http://a/%C3%A4"}, {"3:4", "http://a/b/c/3:4"},
    {"a/b:c", "http://a/b/c/a/b:c"}};

static const char *const refused[] = {"http://a b/", "http://a/b c",
    "http://a/\r\nX: y", "http://a/\x7f", "http://a:0/", "http://a:65536/",
    "http://a:80x/", "http://a:-1/", "http://a: 80/", "http://a@b@c/",
    "http://[::1/", "http://[::1]x/", "http://[]/", "http://[g::1]/",
    "http://[127.0.0.1]/", "http://::1/", "http://a%41/", "http://\xc3\xa4/",
    "http://a\\b/", "http://[fe80::1%]/", "http://[fe80::1%a\\]/",
    "http://a:123456789/", "ftp://a/", "http:///x", "http://", "http://:80/",
    "http://u@/", "http://u:p%0a@a/", "http://u:p%0@a/", "http://u:p%g0@a/",
    "http://u:p%7f@a/", "http://u:p%00@a/", "file:///etc/passwd", "://a",
    "httpx://a/", "htt://a/", ""};

/* A URL, or a failed test. */
static struct url
parsed(const char *text)
{
	struct url u = {.port = 0};
	struct err e = ERR_INIT;

	if (url_parse(&u, text, &e) < 0)
		ok(false, "%s: %s", text, e.text);
	return u;
}

static void
test_resolution(void)
{
	struct url base = parsed("http://a/b/c/d;p?q"), out;
	struct err e = ERR_INIT;
	char text[URL_ABSOLUTE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(resolved) / sizeof(resolved[0]); i++) {
		if (url_follow(&base, resolved[i][0], &out, &e) < 0)
			ok(false, "'%s': %s", resolved[i][0], e.text);
		else
			is_text(url_absolute(&out, text, sizeof(text)),
			    resolved[i][1], resolved[i][0]);
	}
}

/* A Location that cannot be followed from http://a/b/c. */
static void
check_bad(const char *location, enum err_kind kind, const char *want)
{
	struct url base = parsed("http://a/b/c"), out;
	struct err e = ERR_INIT;

	is_int(url_follow(&base, location, &out, &e), -1, location);
	is_int(e.kind, kind, "  its kind");
	is_text(e.text, want, "  and why");
}

static void
test_bad(void)
{
	check_bad("http://b:0/", ERR_PROTOCOL,
	    "the Location it redirects to: URL 'http://b:0/': its port is not "
	    "a number from 1 to 65535");
	check_bad("http:g", ERR_PROTOCOL,
	    "the Location it redirects to: URL 'http:g': it has no host");
	check_bad("\t/b", ERR_PROTOCOL,
	    "the Location it redirects to: URL '\\t/b': it contains a control "
	    "byte");
	check_bad("ftp://u:p@b/", ERR_FAILED,
	    "the Location it redirects to: URL 'ftp://...@b/': only http:// "
	    "and https:// can be "
	    "fetched");
	check_bad("http://u:100%@b/", ERR_PROTOCOL,
	    "the Location it redirects to: URL 'http://...@b/': an escape in "
	    "its user or password is malformed (a percent sign is written as "
	    "%25)");
	check_bad("http://u:%0a@b/", ERR_PROTOCOL,
	    "the Location it redirects to: URL 'http://...@b/': its user or "
	    "password has a control byte");
	check_bad("g:h", ERR_FAILED,
	    "the Location it redirects to: URL 'g:h': only http:// and "
	    "https:// can be fetched");
}

/* Host field, request target and where to dial. */
static void
check_forms(const char *text, const char *authority, const char *target,
    const char *host, unsigned port)
{
	static struct url u;
	struct err e = ERR_INIT;

	if (!ok(url_parse(&u, text, &e) == 0, "'%s' is taken %s", text, e.text))
		return;
	is_text(url_authority(&u), authority, "its Host");
	is_text(u.target, target, "its target");
	is_text(u.host, host, "its host");
	is_int(u.port, port, "its port");
}

static void
test_forms(void)
{
	check_forms(
	    "http://Example.test", "Example.test", "/", "Example.test", 80);
	check_forms("http://a:80?x#f", "a", "/?x", "a", 80);
	check_forms("http://a:/b?#f", "a", "/b?", "a", 80);
	check_forms("http://u:p@a:81/b", "a:81", "/b", "a", 81);
	check_forms("HTTP://[::1]:8080/", "[::1]:8080", "/", "::1", 8080);
	check_forms(
	    "http://[fe80::1%25eth0]/x", "[fe80::1]", "/x", "fe80::1%eth0", 80);
	check_forms("http://[fe80::1%25]/", "[fe80::1]", "/", "fe80::1%25", 80);
	check_forms("http://[fe80::1%eth0]:81/", "[fe80::1]:81", "/",
	    "fe80::1%eth0", 81);
	check_forms("https://a/b", "a", "/b", "a", 443);
	check_forms("HTTPS://a:443/", "a", "/", "a", 443);
	check_forms("https://a:80/", "a:80", "/", "a", 80);
	check_forms("http://a:443/", "a:443", "/", "a", 443);
	check_forms("https://[::1]/", "[::1]", "/", "::1", 443);
	check_forms(
	    "localhost:8080/x", "localhost:8080", "/x", "localhost", 8080);
	check_forms("a/b/../c/./d/..?x/../y", "a", "/c/?x/../y", "a", 80);
	check_forms("http://a/../..", "a", "/", "a", 80);
	check_forms("a/?u=http://b/", "a", "/?u=http://b/", "a", 80);
	check_forms("http://a/\xc3\xa4%20b", "a", "/%C3%A4%20b", "a", 80);
}

static void
check_user(const char *text, const char *want)
{
	is_text(parsed(text).user, want, text);
}

static void
test_users(void)
{
	char text[URL_USER_SIZE + 20], want[URL_USER_SIZE];
	static struct url u;
	struct err e = ERR_INIT;

	check_user("http://u:p@a/", "u:p");
	check_user("http://u%3A:p%40@a/", "u::p@");
	check_user("http://u@a/", "u:");
	check_user("http://a/", "");
	snprintf(text, sizeof(text), "http://%0*d@a/", URL_USER_SIZE - 2, 0);
	snprintf(want, sizeof(want), "%0*d:", URL_USER_SIZE - 2, 0);
	check_user(text, want);
	snprintf(text, sizeof(text), "http://%0*d@a/", URL_USER_SIZE - 1, 0);
	ok(url_parse(&u, text, &e) < 0, "a user that is too long");
	is_text(e.text,
	    "URL 'http://...@a/': its user and password are too long",
	    "  which is reported");
}

/* The credentials of a request to location, redirected to from start. */
static void
check_redirect(const char *start, const char *location, const char *want)
{
	struct url from = parsed(start), to;
	struct err e = ERR_INIT;

	if (url_follow(&from, location, &to, &e) < 0)
		ok(false, "%s: %s", location, e.text);
	else
		ok(strcmp(to.user, want) == 0, "'%s' from %s to %s", want,
		    start, location);
}

static void
test_redirects(void)
{
	check_redirect("http://u:p@a/", "/b", "u:p");
	check_redirect("http://u:p@a/", "http://a:80/b", "u:p");
	check_redirect("http://u:p@a/", "http://x:y@a/b", "x:y");
	check_redirect("http://u:p@a/", "http://b/", "");
	check_redirect("http://u:p@a/", "https://a/", "");
	check_redirect("http://u:p@a/", "https://x:y@a/", "x:y");
	check_redirect("https://u:p@a/", "//a/b", "u:p");
	check_redirect("https://u:p@a/", "https://x:y@b/", "x:y");
	check_redirect("https://u:p@a/", "http://a/", "");
	check_redirect("https://u:p@a/", "http://a:443/", "");
	check_redirect("https://u:p@a/", "http://x:y@a/", "");
	check_redirect("https://u:p@a/", "//x:y@b/", "x:y");
}

static void
check_origin(const char *a, const char *b, bool want)
{
	struct url x = parsed(a), y = parsed(b);

	ok(url_same_origin(&x, &y) == want, "'%s' and '%s': %s origin", a, b,
	    want ? "one" : "another");
}

static void
test_origins(void)
{
	check_origin("http://a/x", "http://A:80/y", true);
	check_origin("http://a/", "http://a:81/", false);
	check_origin("http://a/", "https://a/", false);
	check_origin("http://a:443/", "https://a/", false);
	check_origin("https://a/", "HTTPS://A:443/", true);
	check_origin("http://a/", "http://b/", false);
	check_origin("http://a/", "http://ab/", false);
}

static void
check_absolute(const char *text, const char *want)
{
	char buf[URL_ABSOLUTE_SIZE];
	struct url u = parsed(text);

	is_text(url_absolute(&u, buf, sizeof(buf)), want, text);
}

static void
check_shown(const char *text, const char *want)
{
	is_text(text_shown_url(text), want, "is shown");
}

static void
test_shown(void)
{
	check_absolute("https://u:p@A/b?c#d", "https://A/b?c");
	check_absolute("HTTPS://a:443", "https://a/");
	check_absolute("http://a:443", "http://a:443/");
	check_shown("http://u:p@a:0/", "http://...@a:0/");
	check_shown("u:p@a:0/", "...@a:0/");
	check_shown("http://u:p/q@r@a//b", "http://...@a//b");
	check_shown("u:p@a//b", "...@a//b");
	check_shown("gopher:\033", "gopher:\\x1b");
	check_shown("//u:p@\033", "//...@\\x1b");
	check_shown("/a@b", "/a@b");
	check_shown("?to=a@b", "?to=a@b");
	is_text(text_shown("a@b: http://u:p@c"), "a@b: http://...@c",
	    "any text: the credentials of a URL in it");
	is_text(text_shown("//a@b"), "//a@b", "no scheme, no URL");
}

static void
check_name(const char *text, const char *want)
{
	struct url u = parsed(text);
	char name[URL_NAME_SIZE];

	is_text(url_file_name(&u, name) ? name : "(none)", want, text);
}

/* Names of files; one is cut before the character that does not fit. */
static void
test_names(void)
{
	char text[400], want[URL_NAME_SIZE + 8];
	int n = URL_NAME_SIZE;

	check_name("http://a/b/c.txt?d/e#f/g", "c.txt");
	check_name("http://a/b/", "(none)");
	check_name("http://a", "(none)");
	check_name("http://a/b%20c", "b c");
	check_name("http://a/%2e%2e", "_.");
	check_name("http://a/b%2fc", "b_c");
	check_name("http://a/b%5cc", "b_c");
	check_name("http://a/-rf", "_rf");
	check_name("http://a/b-.c", "b-.c");
	check_name("http://a/b%0ac%7f", "b_c_");
	check_name("http://a/b%00c", "(none)");
	check_name("http://a/%c3%a9%ff%c3", "\xc3\xa9__");
	check_name("http://a/%e2%80%ae"
		   "exe",
	    "_exe");
	snprintf(text, sizeof(text), "http://a/%0300d", 0);
	snprintf(want, sizeof(want), "%0*d", n - 1, 0);
	check_name(text, want);
	snprintf(text, sizeof(text), "http://a/%0*d%%c3%%a9", n - 2, 0);
	snprintf(want, sizeof(want), "%0*d", n - 2, 0);
	check_name(text, want);
	snprintf(text, sizeof(text), "http://a/%0*d%%c3%%a9", n - 3, 0);
	snprintf(want, sizeof(want), "%0*d\xc3\xa9", n - 3, 0);
	check_name(text, want);
}

/* Both fit, but not their paths together. text is storage. */
static void
check_long_reference(char *text)
{
	static struct url base, out;
	struct err e = ERR_INIT;

	memset(text, 'x', URL_SIZE);
	text[URL_SIZE / 2] = '\0';
	memcpy(text, "http://a/", 9);
	text[URL_SIZE / 2 - 1] = '/';
	url_parse(&base, text, &e);
	ok(url_follow(&base, text + 9, &out, &e) == 0,
	    "a reference that becomes a long URL");
	memset(text, 'x', URL_SIZE - 100);
	text[URL_SIZE - 100] = '\0';
	ok(url_follow(&base, text, &out, &e) < 0 && e.kind == ERR_PROTOCOL,
	    "one that becomes a URL that is too long");
	ok(strstr(e.text, "': the resolved URL is too long") != NULL,
	    "  and why: %s", e.text);
}

static void
test_long(void)
{
	char *text = malloc(URL_SIZE + 100);
	static struct url u;
	struct err e = ERR_INIT;

	memset(text, 'x', URL_SIZE + 100);
	text[URL_SIZE + 99] = '\0';
	memcpy(text, "http://a/", 9);
	ok(url_parse(&u, text, &e) < 0, "a long URL is refused");
	text[URL_SIZE - 20] = '\0';
	ok(url_parse(&u, text, &e) == 0, "one that fits is not");
	memcpy(text, "http://", 7);
	memset(text + 7, 'x', 300);
	ok(url_parse(&u, text, &e) < 0, "a long host is");
	memset(text + 7, ':', 300);
	text[7] = '[';
	text[306] = ']';
	text[307] = '\0';
	ok(url_parse(&u, text, &e) < 0, "and so is a long address");
	check_long_reference(text);
	free(text);
}

int
main(void)
{
	static struct url u;
	struct err e = ERR_INIT;
	size_t i;

	test_resolution();
	test_bad();
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ok(url_parse(&u, refused[i], &e) < 0 && e.kind == ERR_USAGE,
		    "number %zu of the malformed is refused", i);
	test_forms();
	test_users();
	test_redirects();
	test_origins();
	test_shown();
	test_long();
	test_names();
	return done_testing();
}
