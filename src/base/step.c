/* Steps of -vv: socket names, lines and events. */
#include "base/step.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"

/* The number of descriptors that can have a name. */
#define MAX_NAMED 512

/* The longest subject. */
#define MAX_SUBJECT 600

/* How many sends, and how many receives, of a socket are shown, at first and
 * again after each pause. */
#define MAX_TRANSFERS 8
#define PAUSE_MS 1000

static struct {
	const char *name; /* NULL: none */
	unsigned number;  /* 0: none */
	struct {
		uint64_t count;
		int64_t last_ns; /* when the last one ended */
	} transfers[2];          /* receives, sends */
} sockets[MAX_NAMED];

static char endpoint[MAX_SUBJECT]; /* what the steps are for; "": all */

bool
step_is_on(void)
{
	return diag_shows(DIAG_STEP);
}

int64_t
step_start(void)
{
	return step_is_on() ? clock_now() : 0;
}

void
step_name(int fd, const char *name, unsigned number)
{
	if (!step_is_on() || fd < 0 || fd >= MAX_NAMED)
		return;
	memset(&sockets[fd], 0, sizeof(sockets[fd]));
	sockets[fd].name = name;
	sockets[fd].number = number;
}

void
step_name_endpoint(const char *text)
{
	snprintf(endpoint, sizeof(endpoint), "%s", text);
}

const char *
step_name_of(int fd)
{
	const char *name = NULL;

	if (fd >= 0 && fd < MAX_NAMED)
		name = sockets[fd].name;
	if (name != NULL && sockets[fd].number != 0)
		return text_format(
		    "%s %u (fd %d)", name, sockets[fd].number, fd);
	return text_format(
	    "%s (fd %d)", name != NULL ? name : "the socket", fd);
}

/* The place of a call's error. */
static enum err_place
place_of(const char *call)
{
	if (strcmp(call, "bind") == 0 || strcmp(call, "setsockopt") == 0)
		return ERR_AT_LOCAL;
	if (strcmp(call, "sendmsg") == 0 || strcmp(call, "recvmsg") == 0)
		return ERR_AT_UDP;
	return strcmp(call, "fork") == 0 ? ERR_AT_FILE : ERR_AT_TCP;
}

/* Shows a step of ns, or if that is negative one that has no duration. If it
 * failed, with errnum, that is its result, and the meaning its note. */
static void
show(const char *call, const char *subject, const char *result, size_t bytes,
    int64_t ns, int errnum, const char *note)
{
	const struct err_row *row;
	struct json *j;

	if (errnum != 0) {
		row = err_find(errnum, place_of(call));
		result = text_format("FAILED %s", row->reason);
		note = row->meaning != NULL ? row->meaning
					    : "the system refused it";
	}
	j = diag_event_begin("step");
	json_text(j, "call", call);
	json_text(j, "subject", subject);
	json_text(j, "result", result);
	if (bytes > 0)
		json_number(j, "bytes", bytes);
	json_seconds(j, "seconds", ns < 0 ? 0 : (double)ns / 1e9);
	json_text(j, "note", note);
	if (endpoint[0] != '\0')
		json_text(j, "endpoint", endpoint);
	diag_event_end(DIAG_STEP, "%s%s%s %s: %s%s%s (%s)", endpoint,
	    endpoint[0] != '\0' ? ": " : "", call, subject, result,
	    ns < 0 ? "" : ", ", ns < 0 ? "" : num_duration_text(ns), note);
}

void
step_show(const char *call, int64_t start_ns, int64_t result, const char *note,
    const char *fmt, ...)
{
	bool waits = start_ns == STEP_WAITS;
	int saved = errno;
	char subject[MAX_SUBJECT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(subject, sizeof(subject), fmt, ap);
	va_end(ap);
	show(call, subject, waits ? "waiting" : "ok", 0,
	    waits ? -1 : clock_now() - start_ns, result < 0 ? saved : 0, note);
	errno = saved;
}

/* Counts a transfer. Returns its number since the last pause. */
static uint64_t
count_transfer(int fd, bool is_send)
{
	int64_t now = clock_now(), *last;

	if (fd < 0 || fd >= MAX_NAMED)
		return 1;
	last = &sockets[fd].transfers[is_send].last_ns;
	if (now - *last > PAUSE_MS * CLOCK_MS)
		sockets[fd].transfers[is_send].count = 0;
	*last = now;
	return ++sockets[fd].transfers[is_send].count;
}

/* What a transfer means. */
static const char *
transfer_note(const struct step_transfer *t)
{
	if (!t->is_dgram && t->is_send && t->done < (ssize_t)t->wanted)
		return "the send buffer has no space for more: the peer does "
		       "not read as fast as this side sends";
	if (t->note != NULL)
		return t->note;
	if (t->is_dgram)
		return t->is_send ? "the system sends it; nothing reports "
				    "whether it arrives"
				  : "one datagram, as it was sent";
	if (t->is_send)
		return "the system sends them";
	return t->done == 0 ? "the peer's FIN: it will send no more"
			    : "as they arrived, however the peer sent them";
}

void
step_transfer(const struct step_transfer *t)
{
	static const char *const calls[][2] = {
	    {"recv", "send"}, {"recvmsg", "sendmsg"}};
	const char *call = calls[t->is_dgram][t->is_send], *subject, *result;
	size_t done = t->done > 0 ? (size_t)t->done : 0;
	uint64_t number;
	int saved = errno;

	/* What has the number of stdin or stdout is not the connection. A call
	 * that would block moves nothing; poll(2) waits then. */
	if (!step_is_on() || t->fd <= STDERR_FILENO ||
	    (t->done < 0 && (saved == EAGAIN || saved == EWOULDBLOCK)))
		return;
	/* Ends and failures are always shown. */
	number = done == 0 ? 0 : count_transfer(t->fd, t->is_send);
	if (number > MAX_TRANSFERS + 1)
		return;
	subject = text_format(
	    "%s %s", t->is_send ? "on" : "from", step_name_of(t->fd));
	if (t->peer != NULL)
		subject = text_format(
		    "%s %s %s", subject, t->is_send ? "to" : "from", t->peer);
	result = t->is_send && done < t->wanted
		     ? text_format("accepted %zu of %zu bytes", done, t->wanted)
		     : num_count_text(done, "byte");
	if (number > MAX_TRANSFERS)
		show(call, subject, "further ones are not shown", 0, -1, 0,
		    "the totals are reported at the end");
	else
		show(call, subject, result, done, clock_now() - t->start_ns,
		    t->done < 0 ? saved : 0, transfer_note(t));
	errno = saved;
}
