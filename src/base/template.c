/* Templates of answers: "Hello, %s!" and its placeholders. */
#include "base/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/literal.h"
#include "base/mem.h"
#include "base/text.h"

static const char places[] = "snap%";

/* Adds the placeholder at text, after its percent sign. */
static int
add_place(struct template *f, char letter, struct err *e)
{
	const char *shown;

	if (letter == '\0')
		return err_set(
		    e, ERR_USAGE, "a lone %% at the end (%%%% is one)");
	if (strchr(places, letter) == NULL) {
		shown = text_shown_bytes(&letter, 1);
		return err_set(e, ERR_USAGE,
		    "there is no %%%s (but %%s %%n %%a %%p %%%%)", shown);
	}
	f->uses_message = f->uses_message || letter == 's';
	f->uses_ip = f->uses_ip || letter == 'a';
	f->bytes[f->length++] = '%';
	f->bytes[f->length++] = (unsigned char)letter;
	return 0;
}

/* Adds the escape at text, and sets *used to its length. */
static int
add_escape(struct template *f, const char *text, size_t *used, struct err *e)
{
	unsigned char byte;

	*used = literal_escape(text, strlen(text), &byte);
	if (*used == 0)
		return err_set(e, ERR_USAGE, "%s", LITERAL_BAD_ESCAPE);
	/* An escaped percent sign stands for itself. */
	if (byte == '%')
		return add_place(f, '%', e);
	f->bytes[f->length++] = byte;
	return 0;
}

int
template_parse(struct template *f, const char *text, struct err *e)
{
	size_t used;
	int result = 0;

	memset(f, 0, sizeof(*f));
	f->bytes = mem_array(strlen(text) + 1, 1);
	for (; result == 0 && *text != '\0'; text += used) {
		used = 1;
		if (*text == '\\') {
			result = add_escape(f, text, &used, e);
		} else if (*text == '%') {
			result = add_place(f, text[1], e);
			used = 2;
		} else {
			f->bytes[f->length++] = (unsigned char)*text;
		}
	}
	if (result < 0)
		template_release(f);
	return result;
}

/* The value of a placeholder; small holds numbers. */
static const void *
place_value(const struct template_values *v, unsigned char letter, char *small,
    size_t size, size_t *n)
{
	switch (letter) {
	case 's':
		*n = v->length;
		return v->message;
	case 'a':
		*n = strlen(v->ip);
		return v->ip;
	case 'p':
		snprintf(small, size, "%u", v->port);
		break;
	case 'n':
		snprintf(small, size, "%llu", (unsigned long long)v->number);
		break;
	default:
		snprintf(small, size, "%%");
	}
	*n = strlen(small);
	return small;
}

ssize_t
template_fill(const struct template *f, const struct template_values *v,
    void *dst, size_t size)
{
	unsigned char *out = dst;
	const unsigned char *at = f->bytes, *end = at + f->length;
	const void *piece;
	char small[32];
	size_t n, used = 0;

	while (at < end) {
		const unsigned char *place =
		    memchr(at, '%', (size_t)(end - at));

		piece = at;
		n = (size_t)((place == NULL ? end : place) - at);
		if (n == 0) {
			piece = place_value(v, at[1], small, sizeof(small), &n);
			at += 2;
		} else {
			at += n;
		}
		if (!bounds_fit(size, used, n))
			return -1;
		if (n > 0)
			memcpy(out + used, piece, n);
		used += n;
	}
	return (ssize_t)used;
}

void
template_release(struct template *f)
{
	free(f->bytes);
	f->bytes = NULL;
	f->length = 0;
}
