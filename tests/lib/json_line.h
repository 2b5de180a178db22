/* A strict reader of what json_end() returns: brackets, strings, commas. */
#ifndef TESTS_JSON_LINE_H
#define TESTS_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const char *read_value(const char *p);

static const char *
read_string(const char *p)
{
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		if (*p == '\\' && strchr("\"\\nrtu", *++p) == NULL)
			return NULL;
	}
	return p + 1;
}

static const char *
read_members(const char *p, char closer)
{
	if (*p == closer)
		return p + 1;
	for (;;) {
		if (closer == '}') {
			p = read_string(p);
			if (p == NULL || *p++ != ':')
				return NULL;
		}
		p = read_value(p);
		if (p == NULL)
			return NULL;
		if (*p == closer)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static const char *
read_value(const char *p)
{
	size_t n;

	if (*p == '{')
		return read_members(p + 1, '}');
	if (*p == '[')
		return read_members(p + 1, ']');
	if (*p == '"')
		return read_string(p);
	n = strspn(p, "-.0123456789truefals");
	return n > 0 ? p + n : NULL;
}

/* True when text is one JSON object and a newline. */
static bool
is_line(const char *text)
{
	const char *end = text[0] == '{' ? read_value(text) : NULL;

	return end != NULL && strcmp(end, "\n") == 0;
}

#endif
