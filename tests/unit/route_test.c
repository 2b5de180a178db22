/* The no_proxy list, and proxies as a user names them. */
#include "fetch/internal.h"

#include <stdlib.h>

#include "base/err.h"
#include "lib/tap.h"
#include "dial/proxy.h"
#include "http/url.h"

/* Whether the proxy of the environment is used for host, with that list. */
static bool
is_direct(const char *list, const char *host, uint16_t port)
{
	struct route_rules rules = {
	    .env_proxy = {.kind = PROXY_HTTP}, .no_proxy = list};
	struct route route;
	struct err e = ERR_INIT;
	char text[128];
	struct url u;
	bool is_ip6 = strchr(host, ':') != NULL;

	snprintf(text, sizeof(text), "http://%s%s%s:%u/", is_ip6 ? "[" : "",
	    host, is_ip6 ? "]" : "", port);
	if (url_parse(&u, text, &e) < 0 ||
	    route_find(&rules, &u, true, &route, &e) < 0)
		abort();
	return route.proxy == NULL;
}

static void
check(const char *list, const char *host, uint16_t port, bool want)
{
	ok(is_direct(list, host, port) == want, "'%s': %s port %u is %s", list,
	    host, port, want ? "in it" : "not");
}

/* The proxy of a URL, where the environment has these two. */
static const char *
proxy_of(const char *http, const char *https, const char *text)
{
	static struct route_rules rules;
	static struct route route;
	static struct err e;
	struct url u;

	err_clear(&e);
	setenv("http_proxy", http, 1);
	setenv("https_proxy", https, 1);
	setenv("no_proxy", "direct", 1);
	if (route_init(&rules, NULL, NULL, &e) < 0)
		return "malformed";
	url_parse(&u, text, &e);
	if (route_find(&rules, &u, true, &route, &e) < 0)
		return e.text;
	return route.proxy == NULL ? "none" : route.proxy->server.host;
}

static void
check_environment(void)
{
	is_text(proxy_of("a", "b", "http://x/"), "a", "http_proxy");
	is_text(proxy_of("a", "b", "https://x/"), "b", "https_proxy");
	is_text(proxy_of("a", "", "https://x/"), "none", "an empty one");
	is_text(proxy_of("", "b", "http://x/"), "none", "an empty http_proxy");
	is_text(proxy_of("a", "b", "https://direct/"), "none", "no_proxy");
	is_text(proxy_of("a", "https://b", "http://x/"), "a",
	    "a malformed https_proxy is not needed for http");
	is_text(proxy_of("a", "https://b", "https://direct/"), "none",
	    "nor where no_proxy applies");
	ok(strncmp(proxy_of("a", "https://b", "https://x/"), "https_proxy (in",
	       15) == 0,
	    "but for https");
}

static void
takes(const char *text, enum proxy_kind kind, const char *host, uint16_t port,
    const char *user, const char *password)
{
	struct proxy p;
	struct err e = ERR_INIT;

	ok(proxy_parse(&p, text, &e) == 0 && p.kind == kind &&
		strcmp(p.server.host, host) == 0 && p.server.port == port &&
		strcmp(p.user, user) == 0 && strcmp(p.password, password) == 0,
	    "proxy '%s' %s", text, e.text);
}

static void
refuses(const char *text)
{
	struct proxy p;
	struct err e = ERR_INIT;

	ok(proxy_parse(&p, text, &e) < 0 && e.kind == ERR_USAGE &&
		strstr(e.text, "secret") == NULL,
	    "proxy '%s' is refused: %s", text, e.text);
}

int
main(void)
{
	char list[400];

	ok(!is_direct(NULL, "a", 80), "no list");
	snprintf(list, sizeof(list), "%0390d,a", 0);
	ok(is_direct(list, "a", 80), "a name after one that is too long");
	check("", "a", 80, false);
	check("*", "a", 80, true);
	check("a", "a", 80, true);
	check("A.b", "a.B", 80, true);
	check("a", "ba", 80, false);
	check("a", "a.b", 80, false);
	check("b", "a.b", 80, true);
	check(".b", "a.b", 80, true);
	check(".b", "b", 80, true);
	check("b", "a.b.", 80, true);
	check(".", "a", 80, false);
	check("x,,y  a", "a", 80, true);
	check("a:81", "a", 80, false);
	check("a:80", "a", 80, true);
	check("127.0.0.1", "127.0.0.1", 80, true);
	check("127.0.0.0/8", "127.1.2.3", 80, true);
	check("127.0.0.0/8", "128.1.2.3", 80, false);
	check("127.0.0.0/8", "a", 80, false);
	check("::1", "::1", 80, true);
	check("[::1]:80", "::1", 80, true);
	check("[::1]:81", "::1", 80, false);
	check("fe80::/10", "fe80::5", 80, true);
	check("0:0::1", "::1", 80, true);
	check("127.0.0.0/8", "::ffff:127.0.0.1", 80, true);
	check("::ffff:127.0.0.0/104", "127.0.0.1", 80, true);
	check("::ffff:127.0.0.1", "127.0.0.1", 80, true);
	check("@/etc/passwd", "127.0.0.1", 80, false);
	takes("a", PROXY_HTTP, "a", 8080, "", "");
	takes("a:1/", PROXY_HTTP, "a", 1, "", "");
	takes("http://a:1", PROXY_HTTP, "a", 1, "", "");
	takes("socks5://[::1]", PROXY_SOCKS5, "::1", 1080, "", "");
	takes("SOCKS5H://[::1]:2", PROXY_SOCKS5, "::1", 2, "", "");
	takes("socks4a://u@b", PROXY_SOCKS4, "b", 1080, "u", "");
	takes("http://u%3a:p%40@b:3", PROXY_HTTP, "b", 3, "u:", "p@");
	refuses("");
	refuses("http://");
	refuses("https://a");
	refuses("://a");
	refuses("http://a:0");
	refuses("http://a:99999");
	refuses("http://u:secret%@a");
	refuses("http://:secret@a");
	refuses("http://u:secret@a/b");
	refuses("u:secret@a:b:c");
	refuses("socks5://unix:x");
	check_environment();
	return done_testing();
}
