/* The names of downloaded files: safe, whatever URLs and servers say. */
#include "http/http_file_name.h"

#include "base/err.h"
#include "http/http_head.h"
#include "http/url.h"
#include "lib/tap.h"

static void
check_url(const char *text, const char *want)
{
	char name[HTTP_FILE_NAME_SIZE] = "";
	struct err e = ERR_INIT;
	struct url u;
	bool found;

	if (url_parse(&u, text, &e) < 0) {
		ok(false, "%s: %s", text, e.text);
		return;
	}
	found = http_file_name_of_url(&u, name, sizeof(name));
	is_text(found ? name : "(none)", want, text);
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

/* The name that the value of a Content-Disposition makes, with that space. */
static void
check_head_in(size_t size, const char *value, const char *want)
{
	static struct http_head head;
	char text[HTTP_HEAD_SIZE], name[2 * HTTP_FILE_NAME_SIZE] = "";
	struct http_input in = {(unsigned char *)text, 0};
	struct err e = ERR_INIT;
	bool found;

	in.length = (size_t)snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\nContent-Disposition: %s\r\n\r\n", value);
	http_head_start(&head);
	if (http_head_parse(&head, &in, &e) != HTTP_HEAD_DONE) {
		ok(false, "%s: %s", value, e.text);
		return;
	}
	found = http_file_name_of_head(&head, name, size);
	is_text(found ? name : "(none)", want, value);
}

static void
check_head(const char *value, const char *want)
{
	check_head_in(HTTP_FILE_NAME_SIZE, value, want);
}

static void
test_heads(void)
{
	check_head("attachment", "(none)");
	check_head("attachment; filename=a.txt", "a.txt");
	check_head("attachment;filename=a.txt", "a.txt");
	check_head("attachment;\tFileName =\ta.txt", "a.txt");
	check_head("attachment; filename=a b ; x=y", "a b");
	check_head("attachment; filename=\"a; b \"", "a; b ");
	check_head("attachment; filename=\"a\\\"b\"; x", "a\"b");
	check_head("attachment; filename=\"b\\a", "ba");
	check_head("attachment; filename=\"\"", "(none)");
	check_head("attachment; filename=", "(none)");
	check_head("attachment; filename", "(none)");
	check_head("attachment; filename; filename=a", "a");
	check_head("attachment; filename2=b; filename=a", "a");
	check_head("attachment; file=b; filename=a", "a");
	check_head("attachment; x=\"filename=b; \"; filename=a", "a");
	check_head("attachment; filename=/etc/passwd", "passwd");
	check_head("attachment; filename=c:\\b\\a.txt", "a.txt");
	check_head("attachment; filename=../..", "_.");
	check_head("attachment; filename=b/", "(none)");
}

static void
test_extended(void)
{
	check_head("a; filename*=UTF-8''%e2%82%ac.txt", "\xe2\x82\xac.txt");
	check_head("a; filename*=utf-8'en'a%20b", "a b");
	check_head("a; filename=b; filename*=utf-8''a", "a");
	check_head("a; filename*=utf-8''a; filename=b", "a");
	check_head("a; filename*=latin1''a; filename=b", "b");
	check_head("a; filename*=utf-8'a; filename=b", "b");
	check_head("a; filename*=utf-8''; filename=b", "b");
	check_head("a; filename*=utf-8''%2; filename=b", "b");
	check_head("a; filename*=utf-8''c%2fa", "a");
	check_head("a; filename*=utf-8''c%2f; filename=b", "b");
}

/* A name is cut before the character that does not fit. */
static void
test_length(void)
{
	char value[400], want[HTTP_FILE_NAME_SIZE];

	check_head_in(4, "a; filename=bcdef", "bcd");
	check_head_in(4, "a; filename=bc\xc3\xa9", "bc");
	check_head_in(5, "a; filename=bc\xc3\xa9", "bc\xc3\xa9");
	check_head_in(4, "a; filename=bc\xff\xff", "bc_");
	snprintf(value, sizeof(value), "a; filename=%0300d", 0);
	snprintf(want, sizeof(want), "%0*d", HTTP_FILE_NAME_SIZE - 1, 0);
	check_head_in(2 * HTTP_FILE_NAME_SIZE, value, want);
}

int
main(void)
{
	test_urls();
	test_heads();
	test_extended();
	test_length();
	return done_testing();
}
