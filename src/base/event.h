/*
 * The events of --json. One table says which members an event has, their types
 * and what they mean; code can print nothing else. 'sockt help --events' prints
 * the table, and the tests hold sockt(1) and every event they see against it.
 */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"

enum event_id {
	EVENT_RESOLVED,
	EVENT_LISTENING,
	EVENT_CONNECTED,
	EVENT_PROXIED,
	EVENT_ACCEPTED,
	EVENT_DENIED,
	EVENT_MESSAGE,
	EVENT_REQUEST,
	EVENT_IGNORED,
	EVENT_LOST,
	EVENT_REPLY,
	EVENT_RESPONSE,
	EVENT_PORT,
	EVENT_CLOSED,
	EVENT_STEP,
	EVENT_ERROR,
	EVENT_SEND_SUMMARY,
	EVENT_SERVE_SUMMARY,
	EVENT_SCAN_SUMMARY,
	EVENT_COUNT
};

/* One event that is being put together. */
struct event {
	enum event_id id;
	size_t next; /* row of the member that may come next */
	struct json json;
};

/* Begins an event that happens seconds after the start of the command. */
void event_begin(struct event *ev, enum event_id id, double seconds);

/* Begins one that nobody will read: members cost next to nothing. */
void event_begin_ignored(struct event *ev);
bool event_is_ignored(const struct event *ev);

/*
 * Members, in the order of the table and of the type that it says; only those
 * that it calls optional may be left out. Anything else is an assertion that
 * fails.
 */
void event_text(struct event *ev, const char *name, const char *text);
void event_bytes(
    struct event *ev, const char *name, const void *bytes, size_t n);
void event_number(struct event *ev, const char *name, uint64_t n);
void event_seconds(struct event *ev, const char *name, double seconds);
void event_bool(struct event *ev, const char *name, bool value);

/*
 * A member that has members itself: an address, a list or an object. They are
 * added to what is returned, by json_*(), and json_close() ends it.
 */
struct json *event_nested(struct event *ev, const char *name);

/* Ends it. The line, with its newline; it lives in ev. */
const char *event_end(struct event *ev);

/* Prints the table: an event, the commands that print it, its members. */
void event_print_table(FILE *out);

#endif
