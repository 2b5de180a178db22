/* Safe local file names for downloads. */
#include "http/http_file_name.h"

#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "http/url.h"

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

bool
http_file_name_of_url(const struct url *u, char *buf, size_t size)
{
	size_t end = strcspn(u->target, "?"), at = end;
	char raw[URL_SIZE];

	while (u->target[at - 1] != '/')
		at--;
	if (url_decode(raw, sizeof(raw), u->target + at, end - at) < 0)
		return false;
	return make_safe(raw, buf, size);
}
