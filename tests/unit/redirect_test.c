/* Redirects: which credentials the next request carries. */
#include "http/redirect.h"

#include "base/err.h"
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
	redirect_release(&r);
}

int
main(void)
{
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
