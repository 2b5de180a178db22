/* Resolves a URL reference against its base (RFC 3986 section 5). */
#include "http/url_reference.h"

#include <stdio.h>
#include <string.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/text.h"
#include "http/url.h"

/* Text in a fixed buffer; is_full is set when something does not fit. */
struct text {
	char bytes[URL_SIZE];
	size_t length;
	bool is_full;
};

static void
clear(struct text *t)
{
	t->bytes[0] = '\0';
	t->length = 0;
	t->is_full = false;
}

static const char *
part_text(const struct url *u, struct url_part part)
{
	return u->text + part.at;
}

static void
put(struct text *t, const char *bytes, size_t n)
{
	if (!bounds_fit(sizeof(t->bytes), t->length, n + 1)) {
		t->is_full = true;
		return;
	}
	memcpy(t->bytes + t->length, bytes, n);
	t->length += n;
	t->bytes[t->length] = '\0';
}

/* Appends the delimiter and the part, if the part is present. */
static void
put_part(struct text *t, const char *delimiter, const struct url *u,
    struct url_part part)
{
	if (!part.is_present)
		return;
	put(t, delimiter, strlen(delimiter));
	put(t, part_text(u, part), part.length);
}

/* Appends the part and the delimiter, if the part is present. */
static void
put_prefix(struct text *t, const struct url *u, struct url_part part,
    const char *delimiter)
{
	put_part(t, "", u, part);
	if (part.is_present)
		put(t, delimiter, strlen(delimiter));
}

static void
put_authority(struct text *t, const struct url *u)
{
	if (!u->host.is_present)
		return;
	put(t, "//", 2);
	put_prefix(t, u, u->userinfo, "@");
	put_part(t, "", u, u->host);
	put_part(t, ":", u, u->port);
}

/* Removes the last segment, but nothing before start. */
static void
drop_segment(struct text *t, size_t start)
{
	while (t->length > start && t->bytes[t->length - 1] != '/')
		t->length--;
	if (t->length > start)
		t->length--;
	t->bytes[t->length] = '\0';
}

/* Appends path without its dot segments (RFC 3986 section 5.2.4). */
static void
put_path(struct text *t, const char *path)
{
	size_t start = t->length, n;

	while (*path != '\0') {
		if (strncmp(path, "../", 3) == 0) {
			path += 3;
		} else if (strncmp(path, "./", 2) == 0) {
			path += 2;
		} else if (strncmp(path, "/./", 3) == 0) {
			path += 2;
		} else if (strcmp(path, "/.") == 0) {
			path = "/";
		} else if (strncmp(path, "/../", 4) == 0) {
			path += 3;
			drop_segment(t, start);
		} else if (strcmp(path, "/..") == 0) {
			path = "/";
			drop_segment(t, start);
		} else if (strcmp(path, ".") == 0 || strcmp(path, "..") == 0) {
			path = "";
		} else {
			n = 1 + strcspn(path + 1, "/");
			put(t, path, n);
			path += n;
		}
	}
}

/* Appends the path of ref merged with base's (RFC 3986 section 5.2.3). */
static void
put_merged(struct text *t, const struct url *base, const struct url *ref)
{
	struct text merged;
	const char *path = part_text(base, base->path);
	size_t n = base->path.length;

	clear(&merged);
	while (n > 0 && path[n - 1] != '/')
		n--;
	if (base->host.is_present && base->path.length == 0)
		put(&merged, "/", 1);
	else
		put(&merged, path, n);
	put_part(&merged, "", ref, ref->path);
	t->is_full |= merged.is_full;
	put_path(t, merged.bytes);
}

/* Appends the path of ref without its dot segments. */
static void
put_reference_path(struct text *t, const struct url *ref)
{
	char path[URL_SIZE];

	memcpy(path, part_text(ref, ref->path), ref->path.length);
	path[ref->path.length] = '\0';
	put_path(t, path);
}

/* Resolves ref against base; out is neither of them. 0, or -1 with *e. */
static int
resolve_against(const struct url *base, const struct url *ref, struct url *out,
    struct err *e)
{
	const struct url *query = ref;
	struct text t;

	clear(&t);
	put_prefix(&t, ref->scheme.is_present ? ref : base,
	    ref->scheme.is_present ? ref->scheme : base->scheme, ":");
	if (ref->scheme.is_present || ref->host.is_present) {
		put_authority(&t, ref);
		put_reference_path(&t, ref);
	} else {
		put_authority(&t, base);
		if (ref->path.length == 0) {
			put_part(&t, "", base, base->path);
			query = ref->query.is_present ? ref : base;
		} else if (part_text(ref, ref->path)[0] == '/') {
			put_reference_path(&t, ref);
		} else {
			put_merged(&t, base, ref);
		}
	}
	put_part(&t, "?", query, query->query);
	put_part(&t, "#", ref, ref->fragment);
	if (t.is_full)
		return err_set(e, ERR_USAGE, "the resolved URL is too long");
	return url_parse(out, t.bytes, e);
}

int
url_reference_follow(const struct url *base, const char *location,
    struct url *out, struct err *e)
{
	struct text t;
	struct url ref;

	clear(&t);
	for (; *location != '\0'; location++)
		if (*location == ' ')
			put(&t, "%20", 3);
		else
			put(&t, location, 1);
	if (strchr(t.bytes, '#') == NULL)
		put_part(&t, "#", base, base->fragment);
	if (t.is_full)
		err_set(e, ERR_PROTOCOL, "it is too long");
	else if (url_parse(&ref, t.bytes, e) == 0 &&
		 resolve_against(base, &ref, out, e) == 0)
		return 0;
	e->kind = ERR_PROTOCOL;
	return err_prefix(e, "the Location it redirects to");
}

/* Parses text, with "http://" in front if it has no scheme. */
static int
parse_completed(struct url *u, const char *text, struct err *e)
{
	char with_scheme[URL_SIZE], shown[256];
	const char *sign = strstr(text, "://");

	/* "host/?next=http://..." has no scheme. */
	if (sign != NULL && strcspn(text, "/?#") > (size_t)(sign - text))
		return url_parse(u, text, e);
	if (strlen(text) + sizeof("http://") > sizeof(with_scheme))
		return err_set(e, ERR_USAGE, "URL '%s': it is too long",
		    text_escape_string(shown, sizeof(shown), text));
	snprintf(with_scheme, sizeof(with_scheme), "http://%s", text);
	return url_parse(u, with_scheme, e);
}

int
url_reference_parse_typed(struct url *u, const char *text, struct err *e)
{
	struct url typed;

	if (parse_completed(&typed, text, e) < 0)
		return -1;
	if (typed.scheme.is_present && typed.host.is_present)
		return resolve_against(&typed, &typed, u, e);
	url_copy(u, &typed);
	return 0;
}
