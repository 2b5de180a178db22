/* The names of downloaded files: safe, whatever URLs say. */
#include "http/http_file_name.h"

#include "base/err.h"
#include "http/url.h"
#include "lib/tap.h"

/* The name that the URL makes, with that space. */
static void
check_url_in(size_t size, const char *text, const char *want)
{
	char name[2 * HTTP_FILE_NAME_SIZE] = "";
	struct err e = ERR_INIT;
	struct url u;
	bool found;

	if (url_parse(&u, text, &e) < 0) {
		ok(false, "%s: %s", text, e.text);
		return;
	}
	found = http_file_name_of_url(&u, name, size);
	is_text(found ? name : "(none)", want, text);
}

static void
check_url(const char *text, const char *want)
{
	check_url_in(HTTP_FILE_NAME_SIZE, text, want);
}

static void
test_urls(void)
{
	check_url("http://a/b", "b");
	check_url("http://a/b/c.txt", "c.txt");
	check_url("http://a/b/c.txt?d/e#f/g", "c.txt");
	check_url("http://a/b/", "(none)");
	check_url("http://a", "(none)");
	check_url("http://a/b%20c", "b c");
	check_url("http://a/%2e%2e", "_.");
	check_url("http://a/b%2fc", "b_c");
	check_url("http://a/b%5cc", "b_c");
	check_url("http://a/-rf", "_rf");
	check_url("http://a/b-.c", "b-.c");
	check_url("http://a/b%0ac%7f", "b_c_");
	check_url("http://a/%c3%a9", "\xc3\xa9");
	check_url("http://a/%c3%a9%ff%c3", "\xc3\xa9__");
	check_url("http://a/%e2%80%ae"
		  "exe",
	    "_exe");
}

/* A name is cut before the character that does not fit. */
static void
test_length(void)
{
	char text[400], want[HTTP_FILE_NAME_SIZE];

	check_url_in(4, "http://a/bcdef", "bcd");
	check_url_in(4, "http://a/bc%c3%a9", "bc");
	check_url_in(5, "http://a/bc%c3%a9", "bc\xc3\xa9");
	check_url_in(4, "http://a/bc%ff%ff", "bc_");
	snprintf(text, sizeof(text), "http://a/%0300d", 0);
	snprintf(want, sizeof(want), "%0*d", HTTP_FILE_NAME_SIZE - 1, 0);
	check_url_in(2 * HTTP_FILE_NAME_SIZE, text, want);
}

int
main(void)
{
	test_urls();
	test_length();
	return done_testing();
}
