/* Templates of answers: "Hello, %s!" and its placeholders. */
#include "base/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static const char places[] = "snap%";

/* Checks that the letters after percent signs are known. */
static int
check_places(struct template *f, struct err *e)
{
	char shown[16];
	size_t i;

	for (i = 0; i < f->length; i++) {
		if (f->bytes[i] != '%')
			continue;
		i++;
		if (i == f->length)
			return err_set(
			    e, ERR_USAGE, "a lone %% at the end (%%%% is one)");
		if (f->bytes[i] == '\0' ||
		    strchr(places, f->bytes[i]) == NULL) {
			text_escape(shown, sizeof(shown), f->bytes + i, 1);
			return err_set(e, ERR_USAGE,
			    "there is no %%%s (but %%s %%n %%a %%p %%%%)",
			    shown);
		}
		f->uses_message = f->uses_message || f->bytes[i] == 's';
		f->uses_ip = f->uses_ip || f->bytes[i] == 'a';
		f->uses_number = f->uses_number || f->bytes[i] == 'n';
	}
	return 0;
}

int
template_parse(struct template *f, const char *text, struct err *e)
{
	ssize_t n;

	f->bytes = mem_array(strlen(text) + 1, 1);
	f->uses_message = f->uses_ip = f->uses_number = false;
	n = text_unescape(f->bytes, text);
	f->length = n < 0 ? 0 : (size_t)n;
	if (n < 0)
		err_set(e, ERR_USAGE, "%s", TEXT_BAD_ESCAPE);
	if (n >= 0 && check_places(f, e) == 0)
		return 0;
	template_release(f);
	return -1;
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
