/* Parses URLs (RFC 3986), follows references, and shows URLs. */
#include "http/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/num.h"
#include "base/text.h"

#define HTTP_PORT 80
#define HTTPS_PORT 443

/* Longest url_text(), without its "...". */
#define MAX_TEXT 316

/* The grammar does not depend on the locale, as ctype.h does. */
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define HOST_CHARS LETTERS DIGITS "-._~!$&'()*+,;="

static int
refuse(const char *text, const char *why, struct err *e)
{
	return err_set(e, ERR_USAGE, "URL '%s': %s", text_shown_url(text), why);
}

/*
 * Copies text to buf, of URL_SIZE bytes, without its fragment; bytes above 0x7f
 * and, with allows_spaces, spaces are encoded. Returns NULL, or what is wrong
 * with it.
 */
static const char *
encode(char *buf, const char *text, bool allows_spaces)
{
	size_t used = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == ' ' && !allows_spaces)
			return "a space in it must be written as %20";
		if (c < 0x20 || c == 0x7f)
			return "it contains a control byte";
		/* Leave space for the "/" of an empty path. */
		if (used + 8 > URL_SIZE)
			return "it is too long";
		if (c > 0x20 && c < 0x80) {
			buf[used++] = *text;
			continue;
		}
		snprintf(buf + used, 4, "%%%02X", c);
		used += 3;
	}
	buf[used] = '\0';
	buf[strcspn(buf, "#")] = '\0';
	return NULL;
}

/* Sets is_https. Returns NULL, or what is wrong with the scheme. */
static const char *
parse_scheme(struct url *u, const char *at, size_t n)
{
	u->is_https = n == 5;
	if ((n != 4 && n != 5) || strncasecmp(at, "https", n) != 0)
		return "only http:// and https:// can be fetched";
	return NULL;
}

/* Sets the credentials. RFC 7617 requires the colon even without a password.
 * Returns NULL, or what is wrong with them. */
static const char *
parse_user(struct url *u, const char *at, size_t n)
{
	char text[URL_SIZE];
	int i, length = url_decode(text, sizeof(text), at, n);

	if (length < 0)
		return "an escape in its user or password is malformed (a "
		       "percent sign is written as %25)";
	for (i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return "its user or password has a control byte";
	/* Leave space for a colon. */
	if (length > URL_USER_SIZE - 2)
		return "its user and password are too long";
	snprintf(u->user, sizeof(u->user), "%.*s%s", URL_USER_SIZE - 2, text,
	    strchr(text, ':') == NULL ? ":" : "");
	return NULL;
}

/* Sets the host. Returns NULL, or what is wrong with it. */
static const char *
parse_host(struct url *u, const char *at, size_t n)
{
	bool is_address = n >= 2 && at[0] == '[' && at[n - 1] == ']';
	char *host = u->host, *zone;

	if (n >= sizeof(u->host))
		return "its host is too long";
	snprintf(host, sizeof(u->host), "%.*s", (int)(is_address ? n - 2 : n),
	    at + is_address);
	if (!is_address) {
		n = strspn(host, HOST_CHARS);
		if (host[n] == '%')
			return "its host has bytes that no host has (an "
			       "international name is written as xn--...)";
		return host[n] == '\0' ? NULL : "its host is malformed";
	}
	n = strspn(host, DIGITS "abcdefABCDEF:.");
	zone = host + n;
	if (memchr(host, ':', n) == NULL || strcmp(zone, "%") == 0 ||
	    (*zone != '\0' && *zone != '%') ||
	    zone[strspn(zone, HOST_CHARS "%")] != '\0')
		return "the text in its brackets is not an IPv6 address";
	/* RFC 6874 writes the sign before a zone id as %25. */
	if (strncmp(zone, "%25", 3) == 0 && zone[3] != '\0')
		memmove(zone + 1, zone + 3, strlen(zone + 3) + 1);
	return NULL;
}

/* Parses [user@]host[:port]. Returns NULL, or what is wrong with it. */
static const char *
parse_authority(struct url *u, const char *at, size_t n)
{
	const char *end = at + n, *sign = memchr(at, '@', n), *colon, *wrong;
	int64_t port = u->is_https ? HTTPS_PORT : HTTP_PORT;

	u->user[0] = '\0';
	if (sign != NULL) {
		wrong = parse_user(u, at, (size_t)(sign - at));
		at = sign + 1;
		if (memchr(at, '@', (size_t)(end - at)) != NULL)
			return "it has more than one @ before its path";
		if (wrong != NULL)
			return wrong;
	}
	colon = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : at;
	if (colon == NULL)
		return "a bracket is not closed";
	colon = memchr(colon, ':', (size_t)(end - colon));
	if (colon == NULL)
		colon = end;
	wrong = parse_host(u, at, (size_t)(colon - at));
	if (wrong != NULL)
		return wrong;
	/* Without digits, the scheme's port applies. */
	if (end - colon > 1) {
		colon++;
		if (!num_digits(&colon, 65535, &port) || colon != end ||
		    port == 0)
			return "its port is not a number from 1 to 65535";
	}
	u->port = (uint16_t)port;
	return u->host[0] != '\0' ? NULL : "it has no host";
}

/*
 * Sets the target to a path, which begins with a slash, without its dot
 * segments (RFC 3986 section 5.2.4), and its query.
 */
static void
set_target(struct url *u, const char *path)
{
	char *out = u->target;
	size_t n;

	while (*path == '/') {
		n = 1 + strcspn(path + 1, "/?");
		if (n == 3 && strncmp(path, "/..", n) == 0) {
			while (out > u->target && *--out != '/')
				;
		} else if (n != 2 || path[1] != '.') {
			memcpy(out, path, n);
			out += n;
			path += n;
			continue;
		}
		path += n;
		/* A directory. */
		if (*path != '/')
			*out++ = '/';
	}
	strcpy(out, path);
}

/* Parses "authority/path?query". Returns NULL, or what is wrong with it. */
static const char *
parse_rest(struct url *u, const char *at)
{
	size_t n = strcspn(at, "/?");
	const char *wrong = parse_authority(u, at, n);
	char path[URL_SIZE];

	snprintf(path, sizeof(path), "%s%s", at[n] == '/' ? "" : "/", at + n);
	set_target(u, path);
	return wrong;
}

int
url_parse(struct url *u, const char *text, struct err *e)
{
	char buf[URL_SIZE];
	const char *wrong = encode(buf, text, false), *rest = buf, *sign;

	u->is_https = false;
	if (text[0] == '\0')
		return err_set(e, ERR_USAGE, "the URL is empty");
	if (wrong == NULL) {
		/* "host/?next=http://..." has no scheme. */
		sign = strstr(buf, "://");
		if (sign != NULL && strcspn(buf, "/?") > (size_t)(sign - buf)) {
			wrong = parse_scheme(u, buf, (size_t)(sign - buf));
			rest = sign + 3;
		}
	}
	if (wrong == NULL)
		wrong = parse_rest(u, rest);
	if (wrong != NULL)
		return refuse(text, wrong, e);
	return 0;
}

/* Resolves the path and query of a reference. Returns NULL, or why not. */
static const char *
follow_path(const struct url *base, const char *ref, struct url *next)
{
	char path[2 * URL_SIZE];
	size_t n = strcspn(base->target, "?");

	if (*ref == '\0')
		n = strlen(base->target);
	else if (*ref == '/')
		n = 0;
	else if (*ref != '?')
		while (base->target[n - 1] != '/')
			n--;
	snprintf(path, sizeof(path), "%.*s%s", (int)n, base->target, ref);
	if (strlen(path) >= sizeof(next->target))
		return "the resolved URL is too long";
	set_target(next, path);
	return NULL;
}

int
url_follow(const struct url *base, const char *location, struct url *next,
    struct err *e)
{
	char ref[URL_SIZE];
	const char *wrong = encode(ref, location, true), *at = ref;
	bool has_user = false, is_foreign;
	size_t n;

	next->is_https = base->is_https;
	n = wrong == NULL ? strspn(ref, LETTERS DIGITS "+-.") : 0;
	if (n > 0 && (ref[n] != ':' || strspn(ref, LETTERS) == 0))
		n = 0; /* That is not a scheme. */
	if (n > 0)
		wrong = parse_scheme(next, ref, n);
	is_foreign = n > 0 && wrong != NULL;
	at += n > 0 ? n + 1 : 0;
	if (wrong == NULL && strncmp(at, "//", 2) == 0) {
		at += 2;
		has_user = memchr(at, '@', strcspn(at, "/?")) != NULL;
		wrong = parse_rest(next, at);
	} else if (wrong == NULL && n > 0) {
		wrong = "it has no host";
	} else if (wrong == NULL && at[strcspn(at, ":/?")] == ':' &&
		   strchr(at, '@') != NULL) {
		/* A relative path cannot begin so (RFC 3986 section 4.2). It
		 * would show what may be credentials as a part of the URL. */
		wrong = "it may have credentials, but has no //";
	} else if (wrong == NULL) {
		snprintf(next->host, sizeof(next->host), "%s", base->host);
		next->port = base->port;
		wrong = follow_path(base, at, next);
	}
	if (wrong != NULL) {
		refuse(location, wrong, e);
		e->kind = is_foreign ? ERR_FAILED : ERR_PROTOCOL;
		return err_prefix(e, "the Location it redirects to");
	}
	if (!has_user)
		snprintf(next->user, sizeof(next->user), "%s",
		    url_same_origin(base, next) ? base->user : "");
	if (base->is_https && !next->is_https)
		next->user[0] = '\0';
	return 0;
}

const char *
url_authority(const struct url *u)
{
	char *text = text_slot();
	int n = (int)strcspn(u->host, "%");
	bool is_ip6 = strchr(u->host, ':') != NULL;

	snprintf(text, TEXT_SLOT, is_ip6 ? "[%.*s]" : "%.*s", n, u->host);
	if (u->port != (u->is_https ? HTTPS_PORT : HTTP_PORT))
		text_append(text, TEXT_SLOT, ":%u", u->port);
	return text;
}

const char *
url_absolute(const struct url *u, char *buf, size_t size)
{
	snprintf(buf, size, "%s://%s%s", u->is_https ? "https" : "http",
	    url_authority(u), u->target);
	return buf;
}

const char *
url_text(const struct url *u)
{
	char text[URL_ABSOLUTE_SIZE];

	url_absolute(u, text, sizeof(text));
	return text_format(
	    "%.*s%s", MAX_TEXT, text, strlen(text) > MAX_TEXT ? "..." : "");
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
	return a->is_https == b->is_https && a->port == b->port &&
	       strcasecmp(a->host, b->host) == 0;
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

/* In any case: some file systems do not distinguish them. */
static bool
ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), length = strlen(suffix);

	return n >= length && strcasecmp(name + n - length, suffix) == 0;
}

bool
url_file_name(const struct url *u, char *name)
{
	size_t end = strcspn(u->target, "?"), at = end, used = 0, n;
	char raw[URL_SIZE];
	const char *p = raw;
	uint32_t point;
	bool is_safe;
	int left;

	while (u->target[at - 1] != '/')
		at--;
	left = url_decode(raw, sizeof(raw), u->target + at, end - at);
	for (; left > 0; p += n, left -= (int)n) {
		n = text_utf8((const unsigned char *)p, (size_t)left, &point);
		/* No path separator, and nothing that disguises a name. */
		is_safe = n > 0 && point != '/' && point != '\\' &&
			  !text_is_hidden(point) &&
			  (used > 0 || (point != '.' && point != '-'));
		n = n == 0 ? 1 : n;
		if (used + n >= URL_NAME_SIZE)
			break;
		if (is_safe)
			memcpy(name + used, p, n);
		else
			name[used] = '_';
		used += is_safe ? n : 1;
	}
	name[used] = '\0';
	/* A server must not choose the name of a partial download. */
	return used > 0 && !ends_in(name, ".part") &&
	       !ends_in(name, ".part.from");
}
