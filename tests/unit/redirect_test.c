/* Redirects: which credentials the next request carries, which are followed,
 * and what their errors show. */
#include "http/redirect.h"

#include "base/err.h"
#include "http/http_head.h"
#include "lib/tap.h"

/* The credentials of a request to location, redirected to from start. */
static void
check(const char *start, const char *location, const char *want)
{
	static struct redirect r;
	struct err e = ERR_INIT;
	struct url u;

	url_parse(&u, start, &e);
	redirect_start(&r, &u, NULL);
	if (redirect_follow(&r, location, 5, &e) < 0)
		ok(false, "%s: %s", location, e.text);
	else
		ok(strcmp(r.user, want) == 0, "'%s' from %s to %s", want, start,
		    location);
}

/* The head of a response, with a Location field if there is one. */
static const struct http_head *
head_of(int status, const char *location)
{
	static struct http_head head;
	char text[1024], field[512] = "";
	struct http_input in = {(unsigned char *)text, 0};
	struct err e = ERR_INIT;

	if (location != NULL)
		snprintf(field, sizeof(field), "Location: %s\r\n", location);
	in.length = (size_t)snprintf(
	    text, sizeof(text), "HTTP/1.1 %d X\r\n%s\r\n", status, field);
	http_head_start(&head);
	if (http_head_parse(&head, &in, &e) != HTTP_HEAD_DONE)
		abort();
	return &head;
}

/* Which statuses redirect. */
static void
test_location(void)
{
	static const int redirects[] = {301, 302, 303, 307, 308};
	char location[64];
	size_t i = 0;
	int status;

	for (status = 200; status < 600; status++) {
		bool want = i < 5 && status == redirects[i];

		i += want;
		if (redirect_location(head_of(status, "/b"), location,
			sizeof(location)) != want)
			ok(false, "%d redirects, or not", status);
	}
	is_int((long long)i, 5, "five statuses redirect");
	redirect_location(head_of(308, "/b"), location, sizeof(location));
	is_text(location, "/b", "where to");
	ok(!redirect_location(head_of(301, NULL), location, sizeof(location)),
	    "nowhere without a location");
}

/* The error after max redirects. */
static void
refuses(size_t max, const char *const *locations, const char *want)
{
	struct redirect r;
	struct err e = ERR_INIT;
	struct url u;
	size_t count = 0;

	url_parse(&u, "http://a/0", &e);
	redirect_start(&r, &u, NULL);
	for (; *locations != NULL; locations++) {
		if (redirect_follow(&r, *locations, max, &e) < 0)
			break;
		is_int((long long)r.count, (long long)++count,
		    "one more redirect");
	}
	is_text(e.text, want, "the error");
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
test_limit(void)
{
	refuses(0, LIST("/1"),
	    "redirected more than 0 times; the next one would lead to "
	    "http://a/1");
	refuses(2, LIST("/1", "/2", "/3"),
	    "redirected more than 2 times; the next one would lead to "
	    "http://a/3");
	refuses(1, LIST("/1", "/0"),
	    "redirected more than 1 time; the next one would lead to "
	    "http://a/0");
}

/* What is shown of a redirect that is not followed. */
static void
shows(const char *location, const char *want)
{
	struct err e = ERR_INIT;
	struct url u;
	char text[512];

	url_parse(&u, "http://a/0", &e);
	is_int(redirect_refuse(&u, head_of(302, location), &e), -1, want);
	snprintf(text, sizeof(text),
	    "http://a/0: redirected to %s (302); not followed (--location "
	    "follows it)",
	    want);
	is_text(e.text, text, "is shown");
	is_int(e.kind, ERR_PEER, "an error of the peer");
}

int
main(void)
{
	test_location();
	test_limit();
	shows("/b", "http://a/b");
	shows("http://u:p@b/", "http://b/");
	shows("http://[", "http://[");
	shows("gopher:\033", "gopher:\\x1b");
	check("http://u:p@a/", "/b", "u:p");
	check("http://u:p@a/", "http://a:80/b", "u:p");
	check("http://u:p@a/", "http://b/", "");
	check("http://u:p@a/", "https://a/", "");
	check("http://u:p@a/", "https://x:y@a/", "x:y");
	check("https://u:p@a/", "//a/b", "u:p");
	check("https://u:p@a/", "https://x:y@b/", "x:y");
	check("https://u:p@a/", "http://a/", "");
	check("https://u:p@a/", "http://a:443/", "");
	check("https://u:p@a/", "http://x:y@a/", "");
	check("https://u:p@a/", "//x:y@b/", "x:y");
	return done_testing();
}
