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

int
template_parse(struct template *f, const char *text, struct err *e)
{
	unsigned char byte;
	size_t used;
	int result = 0;

	memset(f, 0, sizeof(*f));
	f->bytes = mem_array(strlen(text) + 1, 1);
	for (; result == 0 && *text != '\0'; text += used) {
		byte = (unsigned char)*text;
		used = 1;
		if (*text == '%') {
			result = add_place(f, text[1], e);
			used = 2;
			continue;
		}
		if (*text == '\\')
			used = literal_escape(text, strlen(text), &byte);
		if (used == 0)
			result =
			    err_set(e, ERR_USAGE, "%s", LITERAL_BAD_ESCAPE);
		else if (byte == '%') /* Escaped, it stands for itself. */
			result = add_place(f, '%', e);
		else
			f->bytes[f->length++] = byte;
	}
	if (result < 0)
		template_release(f);
	return result;
}

ssize_t
template_fill(const struct template *f, const struct template_values *v,
    void *dst, size_t size)
{
	unsigned char *out = dst;
	const unsigned char *at = f->bytes, *end = at + f->length, *place;
	const void *piece;
	char number[32];
	size_t n, used = 0;

	while (at < end) {
		place = memchr(at, '%', (size_t)(end - at));
		piece = at;
		n = (size_t)((place == NULL ? end : place) - at);
		at += n;
		if (n == 0) {
			piece = number;
			switch (at[1]) {
			case 's':
				piece = v->message;
				break;
			case 'a':
				piece = v->ip;
				break;
			case 'p':
				snprintf(number, sizeof(number), "%u", v->port);
				break;
			case 'n':
				snprintf(number, sizeof(number), "%llu",
				    (unsigned long long)v->number);
				break;
			default:
				snprintf(number, sizeof(number), "%%");
			}
			n = at[1] == 's' ? v->length : strlen(piece);
			at += 2;
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
