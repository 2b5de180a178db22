/*
 * URLs and chains of redirects. The first line is a URL as a user types it,
 * each further line a Location. Whatever they hold, only clean requests are
 * made, a URL goes together again as it was taken apart, and credentials stay
 * with the origin that they are for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "http/url.h"

static struct url current, next, again;

static void
check(bool good)
{
	if (!good)
		abort();
}

/* Without blanks and control bytes. */
static void
check_bytes(const char *text)
{
	for (; *text != '\0'; text++)
		check(
		    (unsigned char)*text > 0x20 && (unsigned char)*text < 0x7f);
}

/* What a request is made of. */
static void
check_request(const struct url *u)
{
	char absolute[URL_ABSOLUTE_SIZE], same[URL_ABSOLUTE_SIZE];
	char name[URL_NAME_SIZE];
	struct err e = ERR_INIT;
	const char *p;

	check(u->host[0] != '\0' && u->port != 0 && u->target[0] == '/');
	check_bytes(u->host);
	check_bytes(url_absolute(u, absolute, sizeof(absolute)));
	for (p = u->user; *p != '\0'; p++)
		check((unsigned char)*p >= 0x20 && *p != 0x7f);
	check(u->user[0] == '\0' || strchr(u->user, ':') != NULL);
	if (strlen(absolute) < URL_SIZE - 8) {
		check(url_parse(&again, absolute, &e) == 0);
		check(strcmp(url_absolute(&again, same, sizeof(same)),
			  absolute) == 0);
	}
	if (!url_file_name(u, name))
		return;
	check(name[0] != '.' && name[0] != '-' && name[0] != '\0' &&
	      strlen(name) < URL_NAME_SIZE && strchr(name, '/') == NULL);
	for (p = name; *p != '\0'; p++)
		check((unsigned char)*p >= ' ' && *p != 0x7f);
}

/* One redirect, compared with what it may change. */
static void
follow(const char *location)
{
	struct err e = ERR_INIT;
	bool is_same;

	if (url_follow(&current, location, &next, &e) < 0) {
		check(e.kind == ERR_PROTOCOL || e.kind == ERR_FAILED);
		check(e.text[0] != '\0');
		return;
	}
	check_request(&next);
	is_same = url_same_origin(&current, &next);
	if (current.is_https && !next.is_https)
		check(next.user[0] == '\0');
	if (strchr(location, '@') == NULL)
		check(strcmp(next.user, is_same ? current.user : "") == 0);
	current = next;
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
	char *text = malloc(size + 1), *line, *rest;
	struct err e = ERR_INIT;

	check(text != NULL);
	memcpy(text, size > 0 ? data : (const uint8_t *)"", size);
	text[size] = '\0';
	rest = cut_line(text);
	if (url_parse(&current, text, &e) == 0) {
		check_request(&current);
		while (rest != NULL) {
			line = rest;
			rest = cut_line(line);
			follow(line);
		}
	} else {
		check(e.kind == ERR_USAGE && e.text[0] != '\0');
	}
	free(text);
	return 0;
}
