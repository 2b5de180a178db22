/* Parses URLs (RFC 3986) and builds the parts that a request needs. */
#include "http/url.h"

#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "net/endpoint.h"

#define HTTP_PORT 80
#define HTTPS_PORT 443

/* ctype.h depends on the locale; the grammar does not. */
static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *
part_text(const struct url *u, struct url_part part)
{
	return u->text + part.at;
}

static int
refuse(const char *text, const char *why, struct err *e)
{
	char shown[256];

	text_escape_string(shown, sizeof(shown), text);
	return err_set(e, ERR_USAGE, "URL '%s': %s", shown, why);
}

/* Copies text to u->text; bytes outside ASCII are percent-encoded. */
static int
copy_text(struct url *u, const char *text, struct err *e)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;
	const char *p;

	/* The pages that a short text does not need stay untouched. */
	memset(u, 0, offsetof(struct url, text));
	for (p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c <= 0x20 || c == 0x7f)
			return refuse(text,
			    c == ' ' ? "a space in it must be written as %20"
				     : "it contains a control byte",
			    e);
		/* Leave space for the "/" of an empty path. */
		if (used + 8 > sizeof(u->text))
			return refuse(text, "it is too long", e);
		if (c < 0x80) {
			u->text[used++] = *p;
			continue;
		}
		u->text[used++] = '%';
		u->text[used++] = digits[c >> 4];
		u->text[used++] = digits[c & 0xf];
	}
	u->text[used] = '\0';
	return 0;
}

/* Sets a part that goes from at up to one of stops. Returns its end. */
static size_t
parse_until(
    const struct url *u, struct url_part *part, size_t at, const char *stops)
{
	part->at = at;
	part->length = strcspn(u->text + at, stops);
	part->is_present = true;
	return at + part->length;
}

/* Parses the scheme, if there is one. Returns the offset after its colon. */
static size_t
parse_scheme(struct url *u)
{
	size_t n = 0;

	if (!is_alpha(u->text[0]))
		return 0;
	while (is_alpha(u->text[n]) || text_is_digit(u->text[n]) ||
	       (u->text[n] != '\0' && strchr("+-.", u->text[n]) != NULL))
		n++;
	if (u->text[n] != ':')
		return 0;
	u->scheme = (struct url_part){0, n, true};
	return n + 1;
}

static bool
is_host_char(char c)
{
	return is_alpha(c) || text_is_digit(c) ||
	       (c != '\0' && strchr("-._~!$&'()*+,;=", c) != NULL);
}

/* Whether the text in brackets is an IPv6 address, perhaps with a zone id. */
static bool
is_literal(const char *p, size_t n)
{
	const char *zone = memchr(p, '%', n);
	size_t i, len = zone == NULL ? n : (size_t)(zone - p);

	for (i = 0; i < len; i++)
		if (text_hex_digit(p[i]) < 0 && p[i] != ':' && p[i] != '.')
			return false;
	for (i = len; i < n; i++)
		if (!is_host_char(p[i]) && p[i] != '%')
			return false;
	return memchr(p, ':', len) != NULL && (zone == NULL || n > len + 1);
}

static const char *
check_host(const struct url *u)
{
	const char *p = part_text(u, u->host);
	size_t i, n = u->host.length;

	if (n >= ENDPOINT_HOST)
		return "its host is too long";
	if (n >= 2 && p[0] == '[' && p[n - 1] == ']')
		return is_literal(p + 1, n - 2)
			   ? NULL
			   : "the text in its brackets is not an IPv6 address";
	for (i = 0; i < n; i++) {
		if (p[i] == '%')
			return "its host has bytes that no host has (an "
			       "international name is written as xn--...)";
		if (!is_host_char(p[i]))
			return "its host is malformed";
	}
	return NULL;
}

static const char *
check_port(const struct url *u)
{
	const char *p = part_text(u, u->port);
	char digits[8];
	int64_t port;

	if (u->port.length == 0)
		return NULL;
	if (u->port.length >= sizeof(digits))
		return "its port is not a number from 1 to 65535";
	memcpy(digits, p, u->port.length);
	digits[u->port.length] = '\0';
	if (!num_parse(digits, 1, 65535, &port))
		return "its port is not a number from 1 to 65535";
	return NULL;
}

/* Parses [userinfo@]host[:port]. Returns NULL, or what is wrong with it. */
static const char *
parse_authority(struct url *u, size_t at, size_t end)
{
	const char *p = u->text + at, *sign = memchr(p, '@', end - at), *colon;

	if (sign != NULL) {
		u->userinfo = (struct url_part){at, (size_t)(sign - p), true};
		at += u->userinfo.length + 1;
		if (memchr(u->text + at, '@', end - at) != NULL)
			return "it has more than one @ before its path";
	}
	p = u->text + at;
	colon = *p == '[' ? memchr(p, ']', end - at) : p;
	if (colon == NULL)
		return "a bracket is not closed";
	colon = memchr(colon, ':', end - (size_t)(colon - u->text));
	u->host = (struct url_part){at, end - at, true};
	if (colon != NULL) {
		u->host.length = (size_t)(colon - p);
		at = (size_t)(colon - u->text) + 1;
		u->port = (struct url_part){at, end - at, true};
	}
	p = check_host(u);
	return p != NULL ? p : check_port(u);
}

int
url_parse(struct url *u, const char *text, struct err *e)
{
	const char *wrong;
	size_t at, end;

	if (copy_text(u, text, e) < 0)
		return -1;
	at = parse_scheme(u);
	if (strncmp(u->text + at, "//", 2) == 0) {
		end = at + 2 + strcspn(u->text + at + 2, "/?#");
		wrong = parse_authority(u, at + 2, end);
		if (wrong != NULL)
			return refuse(text, wrong, e);
		at = end;
	}
	at = parse_until(u, &u->path, at, "?#");
	if (u->text[at] == '?')
		at = parse_until(u, &u->query, at + 1, "#");
	if (u->text[at] == '#')
		parse_until(u, &u->fragment, at + 1, "");
	return 0;
}

void
url_copy(struct url *to, const struct url *from)
{
	memcpy(to, from, offsetof(struct url, text) + strlen(from->text) + 1);
}

static bool
part_is(const struct url *u, struct url_part part, const char *word)
{
	return part.length == strlen(word) &&
	       strncasecmp(part_text(u, part), word, part.length) == 0;
}

bool
url_is_https(const struct url *u)
{
	return part_is(u, u->scheme, "https");
}

int
url_check_http(const struct url *u, struct err *e)
{
	if (!part_is(u, u->scheme, "http") && !url_is_https(u))
		return refuse(
		    u->text, "only http:// and https:// can be fetched", e);
	if (!u->host.is_present || u->host.length == 0)
		return refuse(u->text, "it has no host", e);
	return 0;
}

static uint16_t
default_port(const struct url *u)
{
	return url_is_https(u) ? HTTPS_PORT : HTTP_PORT;
}

static uint16_t
port_of(const struct url *u)
{
	uint16_t port = 0;
	size_t i;

	for (i = 0; i < u->port.length; i++)
		port = (uint16_t)(port * 10 + (part_text(u, u->port)[i] - '0'));
	return port == 0 ? default_port(u) : port;
}

int
url_endpoint(const struct url *u, struct endpoint *ep, struct err *e)
{
	const char *host = part_text(u, u->host);
	size_t n = u->host.length;
	char *zone;

	if (host[0] == '[') {
		host++;
		n -= 2;
	}
	if (n == 0 || n >= sizeof(ep->host))
		return refuse(u->text, "its host is empty or too long", e);
	memset(ep, 0, sizeof(*ep));
	memcpy(ep->host, host, n);
	ep->port = port_of(u);
	/* RFC 6874 writes the sign before a zone id as %25. */
	zone = strchr(ep->host, '%');
	if (zone != NULL && strncmp(zone, "%25", 3) == 0 && zone[3] != '\0')
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
	return 0;
}

const char *
url_authority(const struct url *u, char *buf, size_t size)
{
	const char *host = part_text(u, u->host);
	const char *zone = memchr(host, '%', u->host.length);
	int n = (int)(zone == NULL ? u->host.length : (size_t)(zone - host));
	uint16_t port = port_of(u);

	if (port == default_port(u))
		snprintf(buf, size, "%.*s%s", n, host, zone == NULL ? "" : "]");
	else
		snprintf(buf, size, "%.*s%s:%u", n, host,
		    zone == NULL ? "" : "]", port);
	return buf;
}

const char *
url_target(const struct url *u, char *buf, size_t size)
{
	snprintf(buf, size, "%s%.*s%s%.*s",
	    u->path.length > 0 && part_text(u, u->path)[0] == '/' ? "" : "/",
	    (int)u->path.length, part_text(u, u->path),
	    u->query.is_present ? "?" : "", (int)u->query.length,
	    part_text(u, u->query));
	return buf;
}

const char *
url_absolute(const struct url *u, char *buf, size_t size)
{
	char authority[ENDPOINT_HOST + 16], target[URL_SIZE];

	snprintf(buf, size, "%s://%s%s", url_is_https(u) ? "https" : "http",
	    url_authority(u, authority, sizeof(authority)),
	    url_target(u, target, sizeof(target)));
	return buf;
}

const char *
url_label(const struct url *u, char *buf)
{
	char shown[URL_ABSOLUTE_SIZE];
	int n = URL_LABEL_SIZE - 4;

	url_absolute(u, shown, sizeof(shown));
	snprintf(buf, URL_LABEL_SIZE, "%.*s%s", n, shown,
	    strlen(shown) > (size_t)n ? "..." : "");
	return buf;
}

bool
url_userinfo(const struct url *u, char *buf, size_t size)
{
	int i, n;

	if (!u->userinfo.is_present || size == 0)
		return false;
	n = url_decode(
	    buf, size, part_text(u, u->userinfo), u->userinfo.length);
	for (i = 0; i < n; i++)
		if ((unsigned char)buf[i] < 0x20 || buf[i] == 0x7f)
			return false;
	return n >= 0;
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
	return a->scheme.length == b->scheme.length &&
	       strncasecmp(part_text(a, a->scheme), part_text(b, b->scheme),
		   a->scheme.length) == 0 &&
	       a->host.length == b->host.length &&
	       strncasecmp(part_text(a, a->host), part_text(b, b->host),
		   a->host.length) == 0 &&
	       port_of(a) == port_of(b);
}

int
url_decode(char *dst, size_t size, const char *text, size_t n)
{
	size_t i, used = 0;
	int high, low;

	for (i = 0; i < n; i++) {
		if (used + 1 >= size)
			return -1;
		if (text[i] != '%') {
			dst[used++] = text[i];
			continue;
		}
		high = i + 2 < n ? text_hex_digit(text[i + 1]) : -1;
		low = i + 2 < n ? text_hex_digit(text[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0)
			return -1;
		dst[used++] = (char)(high * 16 + low);
		i += 2;
	}
	dst[used] = '\0';
	return (int)used;
}
