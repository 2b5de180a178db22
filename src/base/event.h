/*
 * The events of --json. One table defines the members of each event, their
 * types and their meanings; code can print nothing else. 'sockt help --events'
 * prints the table, and the tests compare sockt(1) and every event they see
 * with it.
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
	EVENT_SECURED,
	EVENT_ACCEPTED,
	EVENT_DENIED,
	EVENT_DATA,
	EVENT_MESSAGE,
	EVENT_REQUEST,
	EVENT_IGNORED,
	EVENT_LOST,
	EVENT_REPLY,
	EVENT_TESTED,
	EVENT_RESPONSE,
	EVENT_PORT,
	EVENT_CLOSED,
	EVENT_STEP,
	EVENT_ERROR,
	EVENT_TEST_SUMMARY,
	EVENT_SEND_SUMMARY,
	EVENT_SERVE_SUMMARY,
	EVENT_SCAN_SUMMARY,
	EVENT_COUNT
};

/* An event under construction. */
struct event {
	enum event_id id;
	size_t next; /* first row that the next member may have */
	struct json json;
};

/*
 * Begins an event that occurs the given seconds after the start of the command.
 */
void event_begin(struct event *ev, enum event_id id, double seconds);

/* Adds the number of the server's connection that it is about; call it first.
 */
void event_connection(struct event *ev, unsigned number);

/* Begins an event that nothing will read: members cost almost nothing. */
void event_begin_ignored(struct event *ev);
bool event_is_ignored(const struct event *ev);

/*
 * Add members, in the order and of the type of the table; only optional ones
 * may be left out. Anything else fails an assertion.
 */
void event_text(struct event *ev, const char *name, const char *text);
void event_bytes(
    struct event *ev, const char *name, const void *bytes, size_t n);
void event_number(struct event *ev, const char *name, uint64_t n);
void event_seconds(struct event *ev, const char *name, double seconds);
void event_bool(struct event *ev, const char *name, bool value);

/*
 * Adds a member that has members itself: an address, a list or an object. Add
 * them to the result with json_*(), and end it with json_close().
 */
struct json *event_nested(struct event *ev, const char *name);

/* Ends the event. Returns the line with its newline, which is stored in ev. */
const char *event_end(struct event *ev);

/* Prints the table: an event, the commands that print it, its members. */
void event_print_table(FILE *out);

#endif
