/* Steps of -vv: socket names, lines and events, the count of equal steps. */
#include "base/step.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"

/* The number of descriptors that can have a name. */
#define MAX_NAMED 512

/* The longest subject, result and note. */
#define MAX_SUBJECT 600
#define MAX_RESULT 80
#define MAX_NOTE 200

static struct {
	const char *name; /* NULL: none */
	unsigned number;  /* 0: none */
} names[MAX_NAMED];

/* Kinds of steps that are counted by themselves. */
enum { KIND_WAIT = -1, KIND_PARTIAL = -2, KIND_END = -3 };

/* A step as it is shown. */
struct shown {
	const char *call;
	int64_t ns;     /* duration; negative: it has not ended */
	uint64_t bytes; /* bytes transferred */
	int kind;       /* an errno, 0, or one of these */
	char subject[MAX_SUBJECT];
	char result[MAX_RESULT];
	char note[MAX_NOTE];
};

static char endpoint[MAX_SUBJECT]; /* what the steps are for; "": all */
static struct shown last; /* the latest step; call NULL: another line came */
static uint64_t count;    /* steps that equal it and were not shown */
static bool is_showing;   /* a step is being written */

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
	names[fd].name = name;
	names[fd].number = number;
}

void
step_name_endpoint(const char *text)
{
	if (strcmp(endpoint, text) == 0)
		return;
	step_flush();
	snprintf(endpoint, sizeof(endpoint), "%s", text);
}

const char *
step_name_of(int fd)
{
	const char *name = NULL;

	if (fd >= 0 && fd < MAX_NAMED)
		name = names[fd].name;
	if (name != NULL && names[fd].number != 0)
		return text_format("%s %u (fd %d)", name, names[fd].number, fd);
	return text_format(
	    "%s (fd %d)", name != NULL ? name : "the socket", fd);
}

/* Shows a step, or times equal ones if times is not 0. */
static void
show(const struct shown *s, uint64_t times)
{
	struct json *j = diag_event_begin("step");
	const char *duration;

	json_text(j, "call", s->call);
	json_text(j, "subject", s->subject);
	json_text(j, "result", s->result);
	if (times > 0)
		json_number(j, "count", times);
	if (s->bytes > 0)
		json_number(j, "bytes", s->bytes);
	json_seconds(j, "seconds", s->ns < 0 ? 0 : (double)s->ns / 1e9);
	json_text(j, "note", s->note);
	if (endpoint[0] != '\0')
		json_text(j, "endpoint", endpoint);
	duration = num_duration_text(s->ns);
	diag_event_end(DIAG_STEP, "%s%s%s %s: %s%s%s (%s)", endpoint,
	    endpoint[0] != '\0' ? ": " : "", s->call, s->subject, s->result,
	    s->ns < 0 ? "" : ", ", s->ns < 0 ? "" : duration, s->note);
}

void
step_flush(void)
{
	int saved = errno;
	uint64_t times = count;

	/* Nothing to forget; a server that forks must not write to it. */
	if (last.call == NULL || is_showing)
		return;
	count = 0;
	if (times > 1) {
		snprintf(last.result, sizeof(last.result), "%llu more times",
		    (unsigned long long)times);
		if (last.bytes > 0)
			text_append(last.result, sizeof(last.result),
			    ", %llu bytes", (unsigned long long)last.bytes);
	}
	is_showing = true;
	if (times > 0)
		show(&last, times > 1 ? times : 0);
	is_showing = false;
	last.call = NULL;
	errno = saved;
}

bool
step_is_pending(void)
{
	return count > 0;
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

/*
 * Completes a step by note or, if it failed, by the meaning of errnum. Counts
 * it if it equals the previous one, and shows any other.
 */
static void
count_or_show(struct shown *s, int errnum, const char *note)
{
	const struct err_row *row;
	bool is_equal;

	if (errnum != 0) {
		row = err_find(errnum, place_of(s->call));
		s->kind = errnum;
		snprintf(
		    s->result, sizeof(s->result), "FAILED %s", row->reason);
		note = row->meaning != NULL ? row->meaning
					    : "the system refused it";
	}
	snprintf(s->note, sizeof(s->note), "%s", note);
	is_equal = last.call != NULL && strcmp(last.call, s->call) == 0 &&
		   last.kind == s->kind &&
		   strcmp(last.subject, s->subject) == 0;
	if (!is_equal)
		step_flush();
	if (count > 0) {
		s->ns += last.ns;
		s->bytes += last.bytes;
	}
	last = *s;
	if (is_equal) {
		count++;
		return;
	}
	diag_before_lines(step_flush);
	is_showing = true;
	show(s, 0);
	is_showing = false;
}

void
step_show(const char *call, int64_t start_ns, int64_t result, const char *note,
    const char *fmt, ...)
{
	bool waits = start_ns == STEP_WAITS;
	int saved = errno;
	struct shown s = {.call = call,
	    .ns = waits ? -1 : clock_now() - start_ns,
	    .kind = waits ? KIND_WAIT : 0};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s.subject, sizeof(s.subject), fmt, ap);
	va_end(ap);
	snprintf(s.result, sizeof(s.result), waits ? "waiting" : "ok");
	count_or_show(&s, result < 0 ? saved : 0, note);
	errno = saved;
}

void
step_transfer(const struct step_transfer *t)
{
	bool is_send = t->is_send, is_stream = !t->is_dgram;
	size_t done = t->done > 0 ? (size_t)t->done : 0;
	const char *note = t->note, *to = is_send ? " to " : " from ";
	struct shown s = {.bytes = done};
	int saved = errno;

	/* A call that would block moves nothing; poll(2) waits then. */
	if (!step_is_on() ||
	    (t->done < 0 && (t->errnum == EAGAIN || t->errnum == EWOULDBLOCK)))
		return;
	s.ns = clock_now() - t->start_ns;
	if (is_stream)
		s.call = is_send ? "send" : "recv";
	else
		s.call = is_send ? "sendmsg" : "recvmsg";
	snprintf(s.subject, sizeof(s.subject), "%s %s%s%s",
	    is_send ? "on" : "from", step_name_of(t->fd),
	    t->peer == NULL ? "" : to, t->peer == NULL ? "" : t->peer);
	snprintf(
	    s.result, sizeof(s.result), "%s", num_count_text(done, "byte"));
	if (is_send && done < t->wanted) {
		s.kind = KIND_PARTIAL;
		snprintf(s.result, sizeof(s.result),
		    "accepted %zu of %zu bytes", done, t->wanted);
	}
	if (is_send && is_stream && done < t->wanted)
		note = "the send buffer has no space for more: the peer does "
		       "not read as fast as this side sends";
	else if (note == NULL && !is_stream)
		note = is_send ? "the system sends it; nothing reports whether "
				 "it arrives"
			       : "one datagram, as it was sent";
	else if (note == NULL && is_send)
		note = "the system sends them";
	else if (note == NULL)
		note = done == 0 ? "the peer's FIN: it will send no more"
				 : "as they arrived, however the peer sent "
				   "them";
	if (!is_send && is_stream && done == 0)
		s.kind = KIND_END;
	count_or_show(&s, t->done < 0 ? t->errnum : 0, note);
	errno = saved;
}
