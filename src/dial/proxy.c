/* Parses, checks and formats a proxy. */
#include "dial/proxy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/text.h"
#include "http/url.h"

#define SOCKS_PORT 1080
#define HTTP_PORT 8080

static const struct scheme {
	const char *name;
	enum proxy_kind kind;
	uint16_t port;
} schemes[] = {
    {"http", PROXY_HTTP, HTTP_PORT},
    {"socks5", PROXY_SOCKS5, SOCKS_PORT},
    {"socks5h", PROXY_SOCKS5, SOCKS_PORT},
    {"socks4", PROXY_SOCKS4, SOCKS_PORT},
    {"socks4a", PROXY_SOCKS4, SOCKS_PORT},
};

static const struct scheme *
find_scheme(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].name) == n &&
		    strncasecmp(schemes[i].name, name, n) == 0)
			return &schemes[i];
	return NULL;
}

/* Parses USER[:PASS], with %XX. */
static int
parse_secret(struct proxy *p, const char *text, size_t n, struct err *e)
{
	const char *colon = memchr(text, ':', n);
	size_t user = colon == NULL ? n : (size_t)(colon - text);

	if (url_decode(p->user, sizeof(p->user), text, user) <= 0 ||
	    (colon != NULL && url_decode(p->password, sizeof(p->password),
				  colon + 1, n - user - 1) < 0))
		return err_set(e, ERR_USAGE,
		    "the user or the password is malformed or too long");
	return 0;
}

/* Parses HOST, HOST:PORT, [V6] or [V6]:PORT. */
static int
parse_server(struct proxy *p, const char *text, uint16_t port, struct err *e)
{
	char host[ENDPOINT_HOST + 16], *operands[] = {host, NULL};
	size_t n = strcspn(text, "/");
	char *colon;

	if (n >= sizeof(host) - 8 || strncmp(text, "unix:", 5) == 0 ||
	    (text[n] == '/' && text[n + 1] != '\0'))
		return err_set(e, ERR_USAGE,
		    "expected [SCHEME://][USER:PASS@]HOST[:PORT]");
	memcpy(host, text, n);
	host[n] = '\0';
	colon = strrchr(host, ':');
	if (colon == NULL || strchr(colon, ']') != NULL)
		text_append(host, sizeof(host), ":%u", port);
	return endpoint_parse(&p->server, operands, 1, "tcp", e);
}

int
proxy_parse(struct proxy *p, const char *text, struct err *e)
{
	const char *sign = strstr(text, "://"), *at;
	const struct scheme *s = &schemes[0];
	char shown[64];

	memset(p, 0, sizeof(*p));
	p->origin = "--proxy";
	if (sign != NULL) {
		s = find_scheme(text, (size_t)(sign - text));
		if (s == NULL)
			return err_set(e, ERR_USAGE,
			    "the scheme '%s' must be http, socks4 or socks5",
			    text_escape(shown, sizeof(shown), text,
				(size_t)(sign - text)));
		text = sign + 3;
	}
	p->kind = s->kind;
	at = strrchr(text, '@');
	if (at != NULL) {
		if (parse_secret(p, text, (size_t)(at - text), e) < 0)
			return -1;
		text = at + 1;
	}
	return parse_server(p, text, s->port, e);
}

const char *
proxy_text(const struct proxy *p)
{
	static const char *const names[] = {"no", "HTTP", "SOCKS4", "SOCKS5"};

	return text_format("the %s proxy %s (%s)", names[p->kind],
	    endpoint_text(&p->server), p->origin);
}

const char *
proxy_format(const struct proxy *p, char *buf, size_t size)
{
	snprintf(buf, size, "%s", proxy_text(p));
	return buf;
}

bool
proxy_credentials(const struct proxy *p, char *buf, size_t size)
{
	int n;

	if (p->user[0] == '\0')
		return false;
	n = snprintf(buf, size, "%s:%s", p->user, p->password);
	return n > 0 && (size_t)n < size;
}

/* The proxy gets the name unchanged, so it must not break the request. */
static bool
is_plain_host(const char *host)
{
	for (; *host != '\0'; host++)
		if ((unsigned char)*host <= 0x20 || *host == 0x7f)
			return false;
	return true;
}

int
proxy_check(const struct endpoint *target, struct err *e)
{
	char text[ENDPOINT_TEXT];

	if (!target->is_unix && endpoint_check_host(target->host, e) < 0)
		return -1;
	if (!target->is_unix && is_plain_host(target->host))
		return 0;
	return err_set(e, ERR_USAGE, "%s cannot be reached through a proxy",
	    endpoint_format(target, text, sizeof(text)));
}
