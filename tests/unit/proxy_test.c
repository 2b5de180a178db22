/* Proxies as a user names them. */
#include "dial/proxy.h"

#include "base/err.h"
#include "lib/tap.h"

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
	return done_testing();
}
