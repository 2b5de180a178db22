/* Templates of answers: "Hello, %s!" and its placeholders. */
#include "base/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/literal.h"
#include "base/text.h"

/* Fixed text, an escape, or the value of a placeholder. */
struct piece {
	const void *bytes;
	size_t n;
	char small[24]; /* for numbers and escapes */
};

/*
 * Sets *p to the next piece of *text, and moves *text past it. Returns 0, or -1
 * with a usage error.
 */
static int
next_piece(const char **text, const struct template_values *v, struct piece *p,
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
		return used > 0 ? 0 : err_set(e, ERR_USAGE, LITERAL_BAD_ESCAPE);
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
template_check(const char *text, struct err *e)
{
	const struct template_values none = {.ip = ""};
	struct piece p;

	while (*text != '\0')
		if (next_piece(&text, &none, &p, e) < 0)
			return -1;
	return 0;
}

ssize_t
template_fill(
    const char *text, const struct template_values *v, void *dst, size_t size)
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
