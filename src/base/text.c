/* Escapes untrusted bytes so that they can be shown safely. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* The number of trailing bytes that a leading byte announces, or -1. */
static int
utf8_trail(unsigned char lead)
{
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

size_t
text_utf8(const unsigned char *bytes, size_t n, uint32_t *point)
{
	static const uint32_t min[] = {0, 0x80, 0x800, 0x10000};
	static const unsigned char mask[] = {0x7f, 0x1f, 0x0f, 0x07};
	int i, trail;
	uint32_t p;

	if (n == 0 || (trail = utf8_trail(bytes[0])) < 0 ||
	    n < (size_t)trail + 1)
		return 0;
	p = bytes[0] & mask[trail];
	for (i = 1; i <= trail; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		p = p << 6 | (bytes[i] & 0x3f);
	}
	if (p < min[trail] || p > 0x10ffff || (p >= 0xd800 && p <= 0xdfff))
		return 0;
	*point = p;
	return (size_t)trail + 1;
}

bool
text_is_hidden(uint32_t point)
{
	/* Control characters, and those of category Cf, Zl or Zp or without a
	 * glyph. Ascending. */
	static const struct {
		uint32_t first, last;
	} hidden[] = {
	    {0x00, 0x1f},       /* C0 */
	    {0x7f, 0x9f},       /* DEL, C1 */
	    {0xad, 0xad},       /* soft hyphen */
	    {0x034f, 0x034f},   /* combining grapheme joiner */
	    {0x061c, 0x061c},   /* Arabic letter mark */
	    {0x115f, 0x1160},   /* Hangul fillers */
	    {0x17b4, 0x17b5},   /* Khmer vowels without a form */
	    {0x180b, 0x180f},   /* Mongolian selectors */
	    {0x200b, 0x200f},   /* zero width, left-to-right, right-to-left */
	    {0x2028, 0x202e},   /* separators, embeddings, overrides */
	    {0x2060, 0x206f},   /* joiner, operators, isolates */
	    {0x3164, 0x3164},   /* Hangul filler */
	    {0xfeff, 0xfeff},   /* byte order mark */
	    {0xffa0, 0xffa0},   /* Hangul filler, half width */
	    {0xfff0, 0xfffb},   /* annotations */
	    {0x1bca0, 0x1bca3}, /* shorthand format controls */
	    {0x1d173, 0x1d17a}, /* musical format controls */
	    {0xe0000, 0xe0fff}, /* tags, selectors */
	};
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (point <= hidden[i].last)
			return point >= hidden[i].first;
	return false;
}

/* Escapes the next character into out (at most 17 bytes with its NUL), and
 * returns how many bytes of the input it consumed. */
static size_t
escape_one(char *out, const unsigned char *p, size_t n, const char *keep)
{
	uint32_t point = 0;
	size_t i, len = text_utf8(p, n, &point);

	if (len == 1 && point != 0 && strchr(keep, (int)point) != NULL) {
		out[0] = (char)point;
		out[1] = '\0';
	} else if (len == 1 && point == '\n') {
		strcpy(out, "\\n");
	} else if (len == 1 && point == '\r') {
		strcpy(out, "\\r");
	} else if (len == 1 && point == '\t') {
		strcpy(out, "\\t");
	} else if (len == 1 && point == '\\') {
		strcpy(out, "\\\\");
	} else if (len == 0 || text_is_hidden(point)) {
		if (len == 0)
			len = 1;
		for (i = 0; i < len; i++)
			snprintf(out + 4 * i, 5, "\\x%02x", p[i]);
	} else {
		memcpy(out, p, len);
		out[len] = '\0';
	}
	return len;
}

/* As text_escape(), but leaves the characters in keep. */
static char *
escape(char *dst, size_t size, const void *bytes, size_t n, const char *keep)
{
	const unsigned char *p = bytes;
	size_t used = 0, mark = 0, len, step;
	char one[20];

	dst[0] = '\0';
	while (n > 0) {
		step = escape_one(one, p, n, keep);
		len = strlen(one);
		if (!buf_fits(size, used, len + 1)) {
			memcpy(dst + mark, "...", 4);
			break;
		}
		memcpy(dst + used, one, len + 1);
		used += len;
		if (buf_fits(size, used, 4))
			mark = used;
		p += step;
		n -= step;
	}
	return dst;
}

char *
text_escape(char *dst, size_t size, const void *bytes, size_t n)
{
	return escape(dst, size, bytes, n, "");
}

/* Whether the meaning of the n bytes at p depends on what follows. */
static bool
is_partial(const unsigned char *p, size_t n)
{
	int trail = utf8_trail(p[0]);
	size_t i;

	if (p[0] == '\r')
		return n == 1;
	if (trail < 0 || n > (size_t)trail)
		return false;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

char *
text_slot(void)
{
	static char slots[16][TEXT_SLOT];
	static unsigned next;

#ifdef TEXT_POISON
	/* Code that keeps a text for too long finds this instead. */
	memcpy(slots[(next + 8) % 16], "\033[kept]", 8);
#endif
	return slots[next++ % 16];
}

const char *
text_credentials(const char *bytes, size_t n, bool is_url, size_t *length)
{
	static const char starts[] = {'/', '?', '#', '.'};
	const char *at = memchr(bytes, '@', n), *end = bytes + n, *p = bytes;

	while (end - p > 3 && memcmp(p, "://", 3) != 0)
		p++;
	if (at == NULL)
		return NULL;
	if (end - p > 3 && (p < at || !is_url))
		p += 3;
	else if (is_url && end - bytes > 2 && memcmp(bytes, "//", 2) == 0)
		p = bytes + 2;
	else if (is_url && memchr(starts, bytes[0], sizeof(starts)) == NULL)
		p = bytes;
	else /* A relative reference has none. */
		return NULL;
	for (at = end; at > p && at[-1] != '@'; at--)
		;
	*length = (size_t)(at - p) - 1;
	return at > p ? p : NULL;
}

/* A string that the user typed, without its credentials. */
static const char *
shown(const char *text, bool is_url)
{
	size_t length = strlen(text), n = 0;
	const char *p = text_credentials(text, length, is_url, &n), *first;

	first = escape(text_slot(), TEXT_SHOWN, text,
	    p == NULL ? length : (size_t)(p - text), "\\");
	return p == NULL ? first
			 : text_format("%s...%s", first,
			       escape(text_slot(), TEXT_SHOWN, p + n,
				   strlen(p + n), "\\"));
}

const char *
text_shown(const char *text)
{
	return shown(text, false);
}

const char *
text_shown_url(const char *text)
{
	return shown(text, true);
}

const char *
text_shown_bytes(const void *bytes, size_t n)
{
	return escape(text_slot(), TEXT_SHOWN, bytes, n, "");
}

const char *
text_format(const char *fmt, ...)
{
	char *text = text_slot();
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, TEXT_SLOT, fmt, ap);
	va_end(ap);
	return text;
}

size_t
text_escape_stream(
    char *dst, const void *bytes, size_t n, bool last, size_t *used)
{
	const unsigned char *p = bytes;
	size_t out = 0, len, pos = 0;
	bool is_line_end;
	char one[20];

	while (pos < n) {
		if (!last && is_partial(p + pos, n - pos))
			break;
		is_line_end =
		    p[pos] == '\r' && pos + 1 < n && p[pos + 1] == '\n';
		pos += escape_one(
		    one, p + pos, n - pos, is_line_end ? "\r" : "\n\t\\");
		len = strlen(one);
		memcpy(dst + out, one, len);
		out += len;
	}
	*used = pos;
	return out;
}

bool
text_append_list(char *buf, size_t size, const char *fmt, va_list ap)
{
	size_t used = strnlen(buf, size);
	int n;

	if (used == size)
		return false;
	n = vsnprintf(buf + used, size - used, fmt, ap);
	return n >= 0 && buf_fits(size, used, (size_t)n + 1);
}

bool
text_append(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	bool fits;

	va_start(ap, fmt);
	fits = text_append_list(buf, size, fmt, ap);
	va_end(ap);
	return fits;
}

size_t
text_fit(const char *text, size_t n, size_t columns)
{
	size_t i, width = 0, fits = 0;

	for (i = 0; width <= columns || fits == 0; i++) {
		if (i == n)
			return n;
		if (text[i] == ' ')
			fits = i;
		/* Characters of several bytes have one column. */
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	}
	return fits;
}

int
text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
