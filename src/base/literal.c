/* Converts what a user types into bytes: escapes, hexadecimal, templates. */
#include "base/literal.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* The value of two hexadecimal digits, of which n bytes exist, or -1. */
static int
hex_byte(const char *text, size_t n)
{
	int high = n < 2 ? -1 : text_hex_digit(text[0]);
	int low = high < 0 ? -1 : text_hex_digit(text[1]);

	return low < 0 ? -1 : high * 16 + low;
}

size_t
literal_escape(const char *text, size_t n, unsigned char *byte)
{
	static const char letters[] = "nrt0e\\", bytes[] = "\n\r\t\0\033\\";
	const char *letter;
	int value;

	if (n < 2)
		return 0;
	if (text[1] == 'x') {
		value = hex_byte(text + 2, n - 2);
		*byte = (unsigned char)value;
		return value < 0 ? 0 : 4;
	}
	letter = memchr(letters, text[1], sizeof(letters) - 1);
	if (letter == NULL)
		return 0;
	*byte = (unsigned char)bytes[letter - letters];
	return 2;
}

ssize_t
literal_unescape(void *dst, const void *text, size_t n, struct err *e)
{
	unsigned char *out = dst;
	const char *in = text;
	size_t at = 0, used;

	while (at < n) {
		if (in[at] != '\\') {
			*out++ = (unsigned char)in[at++];
			continue;
		}
		used = literal_escape(in + at, n - at, out);
		if (used == 0) {
			err_set(e, ERR_USAGE, "character %zu: %s", at + 1,
			    LITERAL_BAD_ESCAPE);
			return -1;
		}
		at += used;
		out++;
	}
	return out - (unsigned char *)dst;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Reports why there is no byte at an offset. Returns -1. */
static ssize_t
fail_hex(struct err *e, const char *text, size_t n, size_t at)
{
	const char *shown;
	size_t wrong = text_hex_digit(text[at]) < 0 ? at : at + 1;

	if (wrong == n || is_space(text[wrong]) ||
	    (wrong > at && text[wrong] == ':'))
		return err_set(e, ERR_USAGE,
		    "character %zu: a byte has two hexadecimal digits", at + 1);
	if (text[wrong] == ':')
		return err_set(e, ERR_USAGE,
		    "character %zu: a colon stands between two bytes",
		    wrong + 1);
	shown = text_shown_bytes(text + wrong, 1);
	return err_set(e, ERR_USAGE,
	    "character %zu: '%s' is not a hexadecimal digit", wrong + 1, shown);
}

ssize_t
literal_parse_hex(void *dst, const void *text, size_t n, struct err *e)
{
	unsigned char *out = dst;
	const char *in = text;
	size_t at = 0;
	int byte;

	while (at < n) {
		if (is_space(in[at])) {
			at++;
			continue;
		}
		byte = hex_byte(in + at, n - at);
		if (byte < 0)
			return fail_hex(e, in, n, at);
		*out++ = (unsigned char)byte;
		at += 2;
		if (at < n && in[at] == ':' &&
		    hex_byte(in + at + 1, n - at - 1) >= 0)
			at++;
	}
	return out - (unsigned char *)dst;
}

/* Fixed text, an escape, or the value of a placeholder. */
struct piece {
	const void *bytes;
	size_t n;
	char small[24]; /* for numbers and escapes */
};

/* Sets *p to the next piece of *text, and moves *text past it. Returns 0, or -1
 * with a usage error. */
static int
next_piece(const char **text, const struct literal_values *v, struct piece *p,
    struct err *e)
{
	const char *at = *text;
	unsigned char byte = 0;
	size_t used;

	*p = (struct piece){.bytes = at, .n = strcspn(at, "%\\")};
	*text += p->n;
	if (p->n > 0)
		return 0;
	p->bytes = p->small;
	if (*at == '\\') {
		used = literal_escape(at, strlen(at), &byte);
		p->small[0] = (char)byte;
		p->n = 1;
		*text += used;
		if (used == 0)
			return err_set(e, ERR_USAGE, LITERAL_BAD_ESCAPE);
		return 0;
	}
	*text += 2;
	switch (at[1]) {
	case 's':
		p->bytes = v->message;
		p->n = v->length;
		return 0;
	case 'a':
		p->bytes = v->ip;
		p->n = strlen(v->ip);
		return 0;
	case 'p':
		snprintf(p->small, sizeof(p->small), "%u", v->port);
		break;
	case 'n':
		snprintf(p->small, sizeof(p->small), "%" PRIu64, v->number);
		break;
	case '%':
		p->small[0] = '%';
		break;
	case '\0':
		return err_set(
		    e, ERR_USAGE, "a lone %% at the end (%%%% is one)");
	default:
		return err_set(e, ERR_USAGE,
		    "there is no %%%s (but %%s %%n %%a %%p %%%%)",
		    text_shown_bytes(at + 1, 1));
	}
	p->n = strlen(p->small);
	return 0;
}

int
literal_check(const char *text, struct err *e)
{
	const struct literal_values none = {.ip = ""};
	struct piece p;

	while (*text != '\0')
		if (next_piece(&text, &none, &p, e) < 0)
			return -1;
	return 0;
}

ssize_t
literal_fill(
    const char *text, const struct literal_values *v, void *dst, size_t size)
{
	unsigned char *out = dst;
	struct piece p;
	struct err e;
	size_t used = 0;

	while (*text != '\0' && next_piece(&text, v, &p, &e) == 0) {
		if (!buf_fits(size, used, p.n))
			return -1;
		if (p.n > 0)
			memcpy(out + used, p.bytes, p.n);
		used += p.n;
	}
	return (ssize_t)used;
}
