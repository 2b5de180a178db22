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

/* A step as it is shown. */
struct shown {
	const char *call;
	int64_t ns;     /* duration; negative: it has not ended */
	uint64_t bytes; /* bytes transferred */
	int kind;       /* what equal steps have in common besides their text */
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

/* Counts a step that equals the previous one, and shows any other. */
static void
count_or_show(const struct shown *s)
{
	bool is_equal = last.call != NULL && strcmp(last.call, s->call) == 0 &&
			last.kind == s->kind &&
			strcmp(last.subject, s->subject) == 0;
	int64_t ns = count > 0 ? last.ns : 0;
	uint64_t bytes = count > 0 ? last.bytes : 0;

	if (!is_equal)
		step_flush();
	last = *s;
	if (is_equal) {
		last.ns += ns;
		last.bytes += bytes;
		count++;
		return;
	}
	diag_before_lines(step_flush);
	is_showing = true;
	show(s, 0);
	is_showing = false;
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

/* What the failure of a call means. */
static const char *
meaning_of(const char *call, int errnum)
{
	const char *meaning = err_meaning(errnum, place_of(call));

	return meaning != NULL ? meaning : "the system refused it";
}

void
step_show(const char *call, int64_t start_ns, int64_t result, const char *note,
    const char *fmt, ...)
{
	struct shown s = {.call = call, .kind = result < 0 ? errno : 0};
	int saved = errno;
	va_list ap;

	s.ns = clock_now() - start_ns;
	va_start(ap, fmt);
	vsnprintf(s.subject, sizeof(s.subject), fmt, ap);
	va_end(ap);
	if (result < 0)
		snprintf(s.result, sizeof(s.result), "FAILED %s",
		    err_reason(saved, place_of(call)));
	else
		snprintf(s.result, sizeof(s.result), "ok");
	snprintf(s.note, sizeof(s.note), "%s",
	    result < 0 ? meaning_of(call, saved) : note);
	count_or_show(&s);
	errno = saved;
}

void
step_show_wait(const char *call, const char *note, const char *fmt, ...)
{
	struct shown s = {
	    .call = call, .ns = -1, .kind = -1, .result = "waiting"};
	int saved = errno;
	va_list ap;

	snprintf(s.note, sizeof(s.note), "%s", note);
	va_start(ap, fmt);
	vsnprintf(s.subject, sizeof(s.subject), fmt, ap);
	va_end(ap);
	count_or_show(&s);
	errno = saved;
}

/* What a successful send or receive means. */
static const char *
moved_note(const struct step_transfer *t)
{
	if (t->is_send && !t->is_dgram && (size_t)t->done < t->wanted)
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

static void
format_transfer(const struct step_transfer *t, char *text, size_t size)
{
	unsigned long long done = t->done < 0 ? 0 : (unsigned long long)t->done;

	if (t->done < 0)
		snprintf(text, size, "FAILED %s",
		    err_reason(
			t->errnum, t->is_dgram ? ERR_AT_UDP : ERR_AT_TCP));
	else if (t->is_send && done < t->wanted)
		snprintf(
		    text, size, "accepted %llu of %zu bytes", done, t->wanted);
	else
		snprintf(text, size, "%s", num_count_text(done, "byte"));
}

void
step_transfer(const struct step_transfer *t)
{
	struct shown s = {.kind = t->done < 0 ? t->errnum : 0};
	int saved = errno;

	/* A call that would block moves nothing; poll(2) waits then. */
	if (!step_is_on() ||
	    (t->done < 0 && (t->errnum == EAGAIN || t->errnum == EWOULDBLOCK)))
		return;
	s.call = t->is_send    ? t->is_dgram ? "sendmsg" : "send"
		 : t->is_dgram ? "recvmsg"
			       : "recv";
	/* Partial sends and the end of input are separate kinds of steps. */
	if (t->is_send && t->done >= 0 && (size_t)t->done < t->wanted)
		s.kind = -2;
	else if (!t->is_send && !t->is_dgram && t->done == 0)
		s.kind = -3;
	s.ns = clock_now() - t->start_ns;
	s.bytes = t->done > 0 ? (uint64_t)t->done : 0;
	snprintf(s.subject, sizeof(s.subject), "%s %s%s%s",
	    t->is_send ? "on" : "from", step_name_of(t->fd),
	    t->peer == NULL ? ""
	    : t->is_send    ? " to "
			    : " from ",
	    t->peer == NULL ? "" : t->peer);
	format_transfer(t, s.result, sizeof(s.result));
	snprintf(s.note, sizeof(s.note), "%s",
	    t->done < 0 ? meaning_of(s.call, t->errnum) : moved_note(t));
	count_or_show(&s);
	errno = saved;
}
