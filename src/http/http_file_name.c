/* Safe local file names for downloads. */
#include "http/http_file_name.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/http_head.h"
#include "http/url.h"

/* A parameter's value before it is made safe. */
#define RAW_SIZE 1024

/* Path separators, and characters that can disguise a name. */
static bool
is_unsafe(uint32_t point)
{
	return point == '/' || point == '\\' || text_is_hidden(point);
}

/* Copies name to buf in a safe form. Returns false if the result is empty. */
static bool
make_safe(const char *name, char *buf, size_t size)
{
	const unsigned char *p = (const unsigned char *)name;
	size_t used = 0, left = strlen(name), n;
	uint32_t point;

	if (size > HTTP_FILE_NAME_SIZE)
		size = HTTP_FILE_NAME_SIZE;
	for (; left > 0; p += n, left -= n) {
		n = text_utf8(p, left, &point);
		if (used + (n == 0 ? 1 : n) >= size)
			break;
		if (n == 0 || is_unsafe(point) ||
		    (used == 0 && (point == '.' || point == '-'))) {
			n = n == 0 ? 1 : n;
			buf[used++] = '_';
		} else {
			memcpy(buf + used, p, n);
			used += n;
		}
	}
	buf[used] = '\0';
	return used > 0;
}

/* Returns the part after the last slash or backslash. */
static const char *
base_name(const char *path)
{
	const char *name = path;

	for (; *path != '\0'; path++)
		if (*path == '/' || *path == '\\')
			name = path + 1;
	return name;
}

bool
http_file_name_of_url(const struct url *u, char *buf, size_t size)
{
	const char *path = u->text + u->path.at;
	size_t n = u->path.length, at = n;
	char raw[URL_SIZE];

	while (at > 0 && path[at - 1] != '/')
		at--;
	if (url_decode(raw, sizeof(raw), path + at, n - at) < 0)
		return false;
	return make_safe(raw, buf, size);
}

/* Copies the parameter's value at p, quoted or not. Returns its end. */
static const char *
parse_value(const char *p, char *value, size_t size)
{
	bool is_quoted = *p == '"';
	size_t used = 0;

	if (is_quoted)
		p++;
	while (*p != '\0' && *p != (is_quoted ? '"' : ';')) {
		if (is_quoted && *p == '\\' && p[1] != '\0')
			p++;
		if (used + 1 < size)
			value[used++] = *p;
		p++;
	}
	while (!is_quoted && used > 0 && value[used - 1] == ' ')
		used--;
	value[used] = '\0';
	return p + strcspn(p, ";");
}

/* Finds a parameter in "attachment; name=value; ...". */
static bool
find_parameter(const char *field, const char *name, char *value, size_t size)
{
	const char *p = field + strcspn(field, ";");
	size_t n = strlen(name);
	bool is_match;

	while (*p == ';') {
		p += 1 + strspn(p + 1, " \t");
		is_match = strncasecmp(p, name, n) == 0 &&
			   p[n + strspn(p + n, " \t")] == '=';
		p += strcspn(p, "=;");
		if (*p != '=')
			continue;
		p += 1 + strspn(p + 1, " \t");
		p = parse_value(p, value, size);
		if (is_match)
			return true;
	}
	return false;
}

/* Decodes UTF-8''%e2%82%ac.txt (RFC 8187); other charsets are ignored. */
static bool
decode_extended(const char *value, char *raw, size_t size)
{
	const char *text;

	if (strncasecmp(value, "utf-8'", 6) != 0)
		return false;
	text = strchr(value + 6, '\'');
	return text != NULL &&
	       url_decode(raw, size, text + 1, strlen(text + 1)) > 0;
}

bool
http_file_name_of_head(const struct http_head *head, char *buf, size_t size)
{
	char field[4 * RAW_SIZE], value[RAW_SIZE], raw[RAW_SIZE];

	if (!http_head_value(head, "content-disposition", field, sizeof(field)))
		return false;
	if (find_parameter(field, "filename*", value, sizeof(value)) &&
	    decode_extended(value, raw, sizeof(raw)) &&
	    make_safe(base_name(raw), buf, size))
		return true;
	return find_parameter(field, "filename", value, sizeof(value)) &&
	       make_safe(base_name(value), buf, size);
}
