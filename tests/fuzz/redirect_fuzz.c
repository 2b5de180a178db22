/*
 * Chains of redirects. The first byte bounds their number, the first line is
 * where they begin, each further line is a Location. Whatever they hold, only
 * clean URLs are requested, a failure changes nothing, and credentials stay
 * with the origin that they are for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "http/redirect.h"
#include "http/url_reference.h"

#define USER "me:secret"

static struct redirect chain;
static struct url before;

static void
check(bool good)
{
	if (!good)
		abort();
}

/* What a request is made of has no blanks and no control bytes. */
static void
check_request(const struct redirect *r)
{
	char shown[URL_ABSOLUTE_SIZE];
	const char *p;

	for (p = url_absolute(&r->url, shown, sizeof(shown)); *p != '\0'; p++)
		check((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f);
	for (p = r->user; *p != '\0'; p++)
		check((unsigned char)*p >= 0x20 && *p != 0x7f);
	check(!r->url.userinfo.is_present);
	check(r->user[0] == '\0' || strchr(r->user, ':') != NULL);
}

/* One redirect, compared with what it may change. */
static bool
follow(struct redirect *r, const char *location, size_t max)
{
	char user[REDIRECT_USER_SIZE];
	size_t count = r->count;
	bool had_left = r->left_origin, is_same;
	struct err e = ERR_INIT;

	before = r->url;
	memcpy(user, r->user, sizeof(user));
	if (redirect_follow(r, location, max, &e) < 0) {
		check(e.kind == ERR_PROTOCOL || e.kind == ERR_FAILED);
		check(e.text[0] != '\0' && count == r->count);
		check(strcmp(before.text, r->url.text) == 0);
		check(strcmp(user, r->user) == 0);
		return false;
	}
	check(count < max && r->count == count + 1);
	check_request(r);
	is_same = url_same_origin(&before, &r->url);
	check(r->left_origin == (had_left || !is_same));
	if (url_is_https(&before) && !url_is_https(&r->url))
		check(r->user[0] == '\0');
	if (strchr(location, '@') == NULL)
		check(strcmp(r->user, is_same ? user : "") == 0);
	return true;
}

/* Ends the first line in a NUL; returns the next one, or NULL. */
static char *
cut_line(char *text)
{
	char *end = strchr(text, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	return end + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *line, *next;
	struct err e = ERR_INIT;
	struct url start;
	size_t max;

	if (text == NULL)
		abort();
	memcpy(text, size > 0 ? data : (const uint8_t *)"", size);
	text[size] = '\0';
	max = size > 0 ? data[0] % 32 : 0;
	line = size > 0 ? text + 1 : text;
	next = cut_line(line);
	if (url_reference_parse_typed(&start, line, &e) == 0 &&
	    url_check_http(&start, &e) == 0) {
		redirect_start(&chain, &start, max % 2 == 0 ? USER : NULL);
		check_request(&chain);
		while (next != NULL) {
			line = next;
			next = cut_line(line);
			if (!follow(&chain, line, max) && max % 4 < 2)
				break;
		}
	}
	free(text);
	return 0;
}
