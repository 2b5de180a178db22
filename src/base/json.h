/* One JSON object in a fixed buffer, for JSON Lines. A member that does not fit
 * is left out: the line is always valid. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SIZE 8192
#define JSON_DEPTH 8

struct json {
	/* How many bytes text has. */
	size_t length;
	/* What closes the brackets that are open: depth characters. */
	char closers[JSON_DEPTH];
	int depth;
	/* How many brackets are open that did not fit; their members are
	 * skipped. */
	int skipped;
	/* The next member needs a comma. */
	bool comma;
	/* Something was left out. */
	bool truncated;
	/* The line so far. It is kept last: ignoring an object then touches one
	 * page. */
	char text[JSON_SIZE];
};

/* Begins the outermost object. */
void json_begin(struct json *j);

/* Ignores the object: its members are not formatted, and skipped is not 0. */
void json_ignore(struct json *j);

/* These add a member. Inside an array, name is NULL. */
void json_text(struct json *j, const char *name, const char *text);
void json_bytes(struct json *j, const char *name, const void *bytes, size_t n);
void json_number(struct json *j, const char *name, uint64_t n);
void json_seconds(struct json *j, const char *name, double seconds);
void json_bool(struct json *j, const char *name, bool value);

/* These begin a nested object or array, which json_close() closes. */
void json_object(struct json *j, const char *name);
void json_array(struct json *j, const char *name);
void json_close(struct json *j);

/* Closes what is open, adds "truncated":true if something was left out, and a
 * newline. Returns the line, which is stored in j. */
const char *json_end(struct json *j);

#endif
