/* URLs and references: parsing, resolution, origins, lengths. */
#include "http/url.h"

#include "base/err.h"
#include "lib/tap.h"
#include "net/endpoint.h"
#include "http/url_reference.h"

/* RFC 3986 section 5.4, against "http://a/b/c/d;p?q". */
static const char *const resolved[][2] = {{"g:h", "g:h"},
    {"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"}, {"//g", "http://g"},
    {"?y", "http://a/b/c/d;p?y"}, {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q#s"}, {"g#s", "http://a/b/c/g#s"},
    {"g?y#s", "http://a/b/c/g?y#s"}, {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"}, {"g;x?y#s", "http://a/b/c/g;x?y#s"},
    {"", "http://a/b/c/d;p?q"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"},
    {"..", "http://a/b/"}, {"../", "http://a/b/"}, {"../g", "http://a/b/g"},
    {"../..", "http://a/"}, {"../../", "http://a/"}, {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"}, {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"}, {"/../g", "http://a/g"}, {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"}, {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"}, {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"}, {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"}, {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"}, {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"}, {"g#s/./x", "http://a/b/c/g#s/./x"},
    {"g#s/../x", "http://a/b/c/g#s/../x"}, {"http:g", "http:g"},
    {"g:../h", "g:h"}, {"g:./h", "g:h"}, {"g:.", "g:"}, {"g:..", "g:"},
    {"g:.h", "g:.h"}, {"g:h/..", "g:/"}};

static const char *const refused[] = {"http://a b/", "http://a/b c",
    "http://a/\r\nX: y", "http://a/\x7f", "http://a:0/", "http://a:65536/",
    "http://a:80x/", "http://a:-1/", "http://a: 80/", "http://a@b@c/",
    "http://[::1/", "http://[::1]x/", "http://[]/", "http://[g::1]/",
    "http://[127.0.0.1]/", "http://::1/", "http://a%41/", "http://\xc3\xa4/",
    "http://a\\b/", "http://[fe80::1%]/", "http://[fe80::1%a\\]/",
    "http://a:123456789/"};

static const char *const not_http[] = {"ftp://a/", "http:///x", "http://",
    "http://:80/", "http://u@/", "file:///etc/passwd", "mailto:a@b"};

static void
check_resolution(void)
{
	struct url base, out;
	struct err e = ERR_INIT;
	size_t i;

	url_parse(&base, "http://a/b/c/d;p?q", &e);
	for (i = 0; i < sizeof(resolved) / sizeof(resolved[0]); i++) {
		if (url_reference_follow(&base, resolved[i][0], &out, &e) < 0)
			ok(false, "'%s': %s", resolved[i][0], e.text);
		else
			is_text(out.text, resolved[i][1], resolved[i][0]);
	}
	url_parse(&base, "http://a", &e);
	url_reference_follow(&base, "g", &out, &e);
	is_text(out.text, "http://a/g", "a base without a path");
	url_parse(&base, "g:a/b", &e);
	url_reference_follow(&base, "c", &out, &e);
	is_text(out.text, "g:a/c", "a base without a host");
}

static void
check_follow(void)
{
	struct url base, out;
	struct err e = ERR_INIT;

	url_parse(&base, "http://a/b#frag", &e);
	url_reference_follow(&base, "/c", &out, &e);
	is_text(out.text, "http://a/c#frag", "the fragment is inherited");
	url_reference_follow(&base, "/c#own", &out, &e);
	is_text(out.text, "http://a/c#own", "unless there is one");
	url_reference_follow(&base, "/c d?e f", &out, &e);
	is_text(out.text, "http://a/c%20d?e%20f#frag", "blanks are encoded");
	url_reference_follow(&base, "/\xc3\xa4", &out, &e);
	is_text(out.text, "http://a/%C3%A4#frag", "UTF-8 is encoded");
	ok(url_reference_follow(&base, "http://b:0/", &out, &e) < 0 &&
		e.kind == ERR_PROTOCOL,
	    "a malformed Location is the server's fault");
}

/* Host field, request target and where to dial. */
static void
check_forms(const char *text, const char *host, const char *target,
    const char *name, unsigned port)
{
	char buf[URL_SIZE];
	struct endpoint ep;
	struct url u;
	struct err e = ERR_INIT;

	if (!ok(url_reference_parse_typed(&u, text, &e) == 0 &&
		    url_check_http(&u, &e) == 0 &&
		    url_endpoint(&u, &ep, &e) == 0,
		"'%s' is taken %s", text, e.text))
		return;
	is_text(url_authority(&u, buf, sizeof(buf)), host, "its Host");
	is_text(url_target(&u, buf, sizeof(buf)), target, "its target");
	is_text(ep.host, name, "its host");
	is_int(ep.port, port, "its port");
}

static void
check_userinfo(const char *text, const char *want)
{
	char buf[64];
	struct url u;
	struct err e;
	bool good;

	url_parse(&u, text, &e);
	good = url_userinfo(&u, buf, sizeof(buf));
	ok(good == (want != NULL) && (!good || strcmp(buf, want) == 0),
	    "userinfo of '%s'", text);
}

static void
check_origin(const char *a, const char *b, bool want)
{
	struct url x, y;
	struct err e;

	url_parse(&x, a, &e);
	url_parse(&y, b, &e);
	ok(url_same_origin(&x, &y) == want, "'%s' and '%s': %s origin", a, b,
	    want ? "one" : "another");
}

static void
check_absolute(const char *text, const char *want)
{
	char buf[URL_ABSOLUTE_SIZE];
	struct url u;
	struct err e;

	url_parse(&u, text, &e);
	is_text(url_absolute(&u, buf, sizeof(buf)), want, text);
}

/* Both fit, but not their paths together. text is storage. */
static void
check_long_reference(char *text)
{
	struct url base, out;
	struct err e = ERR_INIT;

	memset(text, 'x', URL_SIZE);
	text[URL_SIZE / 2] = '\0';
	memcpy(text, "http://a/", 9);
	text[URL_SIZE / 2 - 1] = '/';
	url_parse(&base, text, &e);
	ok(url_reference_follow(&base, text + 9, &out, &e) == 0,
	    "a reference that becomes a long URL");
	memset(text, 'x', URL_SIZE - 100);
	text[URL_SIZE - 100] = '\0';
	ok(url_reference_follow(&base, text, &out, &e) < 0 &&
		e.kind == ERR_PROTOCOL,
	    "one that becomes a URL that is too long");
	is_text(e.text,
	    "the Location it redirects to: the resolved URL is too long",
	    "  and why");
}

static void
check_long(void)
{
	char *text = malloc(URL_SIZE + 100);
	struct url u;
	struct err e;

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

static void
check_users(void)
{
	check_userinfo("http://u:p@a/", "u:p");
	check_userinfo("http://u%3A:p%40@a/", "u::p@");
	check_userinfo("http://u:p%0a@a/", NULL);
	check_userinfo("http://u:p%0@a/", NULL);
	check_userinfo("http://u:p%g0@a/", NULL);
	check_userinfo("http://u:p%7f@a/", NULL);
	check_userinfo("http://12345678901234567890123456789012345678901234567"
		       "89012345678901234567890:p@a/",
	    NULL);
	check_userinfo("http://u:p%00@a/", NULL);
	check_userinfo("http://a/", NULL);
}

int
main(void)
{
	struct url u;
	struct err e;
	size_t i;

	check_resolution();
	check_follow();
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ok(url_parse(&u, refused[i], &e) < 0 && e.kind == ERR_USAGE,
		    "number %zu of the malformed is refused", i);
	for (i = 0; i < sizeof(not_http) / sizeof(not_http[0]); i++)
		ok(url_parse(&u, not_http[i], &e) < 0 ||
			url_check_http(&u, &e) < 0,
		    "'%s' cannot be fetched", not_http[i]);
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
	check_users();
	check_origin("http://a/x", "http://A:80/y", true);
	check_origin("http://a/", "http://a:81/", false);
	check_origin("http://a:81/", "ldap://a:81/", false);
	check_origin("http://a/", "https://a/", false);
	check_origin("http://a:443/", "https://a/", false);
	check_origin("https://a/", "HTTPS://A:443/", true);
	check_origin("http://a/", "http://b/", false);
	check_origin("http://a/", "http://ab/", false);
	check_origin("http://a/", "ftp://a/", false);
	check_absolute("https://u:p@A/b?c#d", "https://A/b?c");
	check_absolute("HTTPS://a:443", "https://a/");
	check_absolute("http://a:443", "http://a:443/");
	check_long();
	is_int(url_reference_parse_typed(&u, "://a", &e), 0,
	    "what has no scheme is parsed");
	ok(url_check_http(&u, &e) < 0, "but not fetched");
	return done_testing();
}
