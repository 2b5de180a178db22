/* Steps of -vv: socket names, lines and events, counts of equal steps. */
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

/* The number of different steps that may alternate and still be counted. */
#define MAX_RUNS 8

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
	int64_t ns;     /* duration */
	uint64_t bytes; /* bytes transferred */
	char subject[MAX_SUBJECT];
	char result[MAX_RESULT];
	char note[MAX_NOTE];
};

/* Equal steps. The first ones were shown, the later ones are counted. */
struct run {
	uint64_t used; /* serial number of the last step */
	uint64_t count, bytes;
	int64_t ns;
	struct shown last;
	unsigned shown; /* 0: the slot is free */
	int kind;       /* what they have in common besides call and subject */
};

static const char *endpoint; /* what the steps are for, or NULL */
static struct run runs[MAX_RUNS];
static struct run *latest; /* the run of the previous step */
static bool is_pending;    /* a run has a count */
static bool is_showing;    /* a step is being written */

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
	endpoint = text;
}

const char *
step_name_of(int fd)
{
	static char text[80];
	const char *name = NULL;

	if (fd >= 0 && fd < MAX_NAMED)
		name = names[fd].name;
	if (name != NULL && names[fd].number != 0)
		snprintf(text, sizeof(text), "%s %u (fd %d)", name,
		    names[fd].number, fd);
	else
		snprintf(text, sizeof(text), "%s (fd %d)",
		    name != NULL ? name : "the socket", fd);
	return text;
}

/* Shows a step; count is 0 for a single one. */
static void
show(const struct shown *s, uint64_t count)
{
	struct json *j;
	char duration[32];

	j = diag_event_begin("step");
	json_text(j, "call", s->call);
	json_text(j, "subject", s->subject);
	json_text(j, "result", s->result);
	if (count > 0)
		json_number(j, "count", count);
	if (s->bytes > 0)
		json_number(j, "bytes", s->bytes);
	json_seconds(j, "seconds", s->ns < 0 ? 0 : (double)s->ns / 1e9);
	json_text(j, "note", s->note);
	if (endpoint != NULL)
		json_text(j, "endpoint", endpoint);
	num_format_duration(duration, sizeof(duration), s->ns);
	is_showing = true;
	diag_event_end(DIAG_STEP, "%s%s%s %s: %s%s%s (%s)",
	    endpoint != NULL ? endpoint : "", endpoint != NULL ? ": " : "",
	    s->call, s->subject, s->result, s->ns < 0 ? "" : ", ",
	    s->ns < 0 ? "" : duration, s->note);
	is_showing = false;
}

/* Shows the counted steps of a run; a single one is shown as it was. */
static void
flush_run(struct run *r)
{
	struct shown s;
	uint64_t count = r->count;

	r->count = 0;
	if (count == 0)
		return;
	s = r->last;
	if (count > 1) {
		s.ns = r->ns;
		s.bytes = r->bytes;
		snprintf(s.result, sizeof(s.result), "%llu more times",
		    (unsigned long long)count);
		if (s.bytes > 0)
			text_append(s.result, sizeof(s.result), ", %llu bytes",
			    (unsigned long long)s.bytes);
	}
	r->bytes = 0;
	r->ns = 0;
	show(&s, count > 1 ? count : 0);
}

static void
flush_runs(void)
{
	size_t i;

	if (!is_pending)
		return;
	is_pending = false;
	for (i = 0; i < MAX_RUNS; i++)
		flush_run(&runs[i]);
}

void
step_flush(void)
{
	int saved = errno;
	size_t i;

	/* Nothing to forget; a server that forks must not write to runs. */
	if (latest == NULL)
		return;
	flush_runs();
	for (i = 0; i < MAX_RUNS; i++)
		runs[i].shown = 0;
	latest = NULL;
	errno = saved;
}

/* Called before any other line. */
static void
before_line(void)
{
	if (!is_showing && latest != NULL)
		step_flush();
}

bool
step_is_pending(void)
{
	return is_pending;
}

static bool
is_equal(const struct run *r, const struct shown *s, int kind)
{
	return r->shown > 0 && r->kind == kind &&
	       strcmp(r->last.call, s->call) == 0 &&
	       strcmp(r->last.subject, s->subject) == 0;
}

/* The run of equal steps, or the least recently used slot. */
static struct run *
find_run(const struct shown *s, int kind)
{
	struct run *oldest = &runs[0];
	size_t i;

	for (i = 0; i < MAX_RUNS; i++) {
		if (is_equal(&runs[i], s, kind))
			return &runs[i];
		if (runs[i].used < oldest->used)
			oldest = &runs[i];
	}
	flush_run(oldest);
	oldest->shown = 0;
	return oldest;
}

/*
 * Counts the step, or shows it at most limit times. kind is what equal steps
 * have in common besides call and subject.
 */
static void
count_or_show(const struct shown *s, int kind, unsigned limit)
{
	static uint64_t serial;
	struct run *r = find_run(s, kind);
	bool is_counted = r->shown > 0 && (r == latest || r->shown >= limit);

	latest = r;
	r->used = ++serial;
	r->last = *s;
	if (is_counted) {
		r->count++;
		r->bytes += s->bytes;
		r->ns += s->ns;
		is_pending = true;
		return;
	}
	flush_runs();
	r->kind = kind;
	r->shown++;
	diag_before_lines(before_line);
	show(s, 0);
}

/* What failures of these calls mean; err_meaning() has the rest. */
static const struct {
	char call[12];
	int errnum;
	const char *meaning;
} meanings[] = {
    {"bind", EACCES, "ports under 1024 need privilege"},
    {"bind", EADDRINUSE,
	"another socket holds that address and port, or an earlier connection "
	"of it is in TIME-WAIT"},
    {"bind", EADDRNOTAVAIL, "that address is not one of this machine's"},
    {"bind", EAFNOSUPPORT, "the address is not of the socket's family"},
    {"listen", EADDRINUSE, "another socket listens on that port"},
    {"connect", ECONNREFUSED,
	"the peer answered with RST: nothing listens on that port"},
    {"connect", ETIMEDOUT, "no answer: SYN was sent several times"},
    {"connect", EADDRNOTAVAIL,
	"no local port is free for that peer, or no local address reaches it"},
    {"connect", EACCES, "a firewall or a route prohibits it"},
    {"connect", EPERM, "a firewall rule on this machine forbids it"},
    {"connect", ENOENT, "no socket has been bound to that path"},
    {"connect", EAGAIN, "the queue of the listening socket is full"},
    {"connect", ECANCELED, "another address has connected first"},
    {"accept", ECONNABORTED, "the client closed it while it was waiting"},
    {"accept", EMFILE, "this process has as many descriptors as it may have"},
    {"accept", ENFILE, "the system has as many open files as it can have"},
    {"send", ECONNRESET, "the peer sent RST: it no longer has the connection"},
    {"send", EPIPE, "the connection is closed in this direction"},
    {"recv", ECONNRESET,
	"the peer sent RST: it closed without reading everything, or ended "
	"abnormally"},
    {"recv", ETIMEDOUT, "the peer no longer acknowledges anything"},
    {"sendmsg", ECONNREFUSED,
	"an earlier datagram was refused: nothing receives on that port"},
    {"sendmsg", EMSGSIZE, "longer than the protocol or the path can carry"},
    {"sendmsg", ENOBUFS, "the queue of the network device is full"},
    {"sendmsg", EACCES, "a broadcast address needs SO_BROADCAST"},
    {"sendmsg", EPERM, "a firewall rule on this machine forbids it"},
    {"recvmsg", ECONNREFUSED,
	"an earlier datagram was refused: nothing receives on that port"},
    {"shutdown", ENOTCONN, "the connection is already closed"},
    {"getsockopt", EOPNOTSUPP, "this kind of socket has no such option"},
    {"setsockopt", ENOPROTOOPT, "this system or socket has no such option"},
    {"setsockopt", EOPNOTSUPP, "this kind of socket has no such option"},
    {"setsockopt", EINVAL, "the system does not accept that value"},
    {"setsockopt", EPERM, "it needs privilege"},
    {"getpeername", ENOTCONN, "the socket is not connected"},
    {"fork", EAGAIN, "no more processes are allowed"},
    {"exec", ENOENT, "there is no such program"},
    {"exec", EACCES, "the file is not executable"},
};

/* The place of a call's error. */
static enum err_place
place_of(const char *call)
{
	if (strcmp(call, "bind") == 0 || strcmp(call, "setsockopt") == 0)
		return ERR_AT_LOCAL;
	return strcmp(call, "fork") == 0 || strcmp(call, "exec") == 0
		   ? ERR_AT_FILE
		   : ERR_AT_TCP;
}

/* What the failure of a call means. */
static const char *
meaning_of(const char *call, int errnum)
{
	const char *general = err_meaning(errnum, place_of(call));
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].errnum == errnum &&
		    strcmp(meanings[i].call, call) == 0)
			return meanings[i].meaning;
	return general != NULL ? general : "the system refused it";
}

void
step_report(const struct step *s, const char *fmt, ...)
{
	struct shown shown = {.call = s->call};
	const char *note = s->note, *result = s->result;
	int saved = errno;
	va_list ap;

	if (!step_is_on())
		return;
	shown.ns = clock_now() - s->start_ns;
	if (s->errnum != 0) {
		note = s->failure != NULL ? s->failure
					  : meaning_of(s->call, s->errnum);
		snprintf(shown.result, sizeof(shown.result), "FAILED %s",
		    err_reason(s->errnum, place_of(s->call)));
	} else {
		snprintf(shown.result, sizeof(shown.result), "%s",
		    result != NULL ? result : "ok");
	}
	snprintf(shown.note, sizeof(shown.note), "%s", note);
	va_start(ap, fmt);
	vsnprintf(shown.subject, sizeof(shown.subject), fmt, ap);
	va_end(ap);
	count_or_show(&shown, s->errnum, s->is_query ? 1 : STEP_SHOWN);
	errno = saved;
}

void
step_wait(const char *call, const char *note, const char *fmt, ...)
{
	struct shown shown = {.call = call, .ns = -1, .result = "waiting"};
	int saved = errno;
	va_list ap;

	if (!step_is_on())
		return;
	snprintf(shown.note, sizeof(shown.note), "%s", note);
	va_start(ap, fmt);
	vsnprintf(shown.subject, sizeof(shown.subject), fmt, ap);
	va_end(ap);
	count_or_show(&shown, -1, STEP_SHOWN);
	errno = saved;
}

/* Whether a send or receive would block. */
static bool
would_block(const struct step_transfer *t)
{
	return t->done < 0 && (t->errnum == EAGAIN || t->errnum == EWOULDBLOCK);
}

/* What it means that a send or receive would block. */
static const char *
block_note(const struct step_transfer *t)
{
	if (t->is_dgram)
		return t->is_send ? "the send buffer has no space for it"
				  : "no datagram is waiting";
	return t->is_send ? "the send buffer is full: the peer does not read "
			    "as fast as this side sends"
			  : "nothing has been received yet";
}

/* What a successful send or receive means. */
static const char *
moved_note(const struct step_transfer *t)
{
	if (t->is_dgram)
		return t->is_send ? "the system sends it; nothing reports "
				    "whether it arrives"
				  : "one datagram, as it was sent";
	if (t->is_send && (size_t)t->done < t->wanted)
		return "the send buffer has no space for more: the peer does "
		       "not read as fast as this side sends";
	if (t->is_send)
		return "the system sends them";
	return t->done == 0 ? "the peer's FIN: it will send no more"
			    : "as they arrived, however the peer sent them";
}

/* What a send or receive means. */
static const char *
transfer_note(const struct step_transfer *t)
{
	if (would_block(t))
		return block_note(t);
	if (t->done < 0)
		return meaning_of(t->call, t->errnum);
	return t->note != NULL ? t->note : moved_note(t);
}

static void
format_transfer(const struct step_transfer *t, char *text, size_t size)
{
	unsigned long long done = t->done < 0 ? 0 : (unsigned long long)t->done;
	char count[32];

	if (would_block(t))
		snprintf(text, size, "would block");
	else if (t->done < 0)
		snprintf(text, size, "FAILED %s",
		    err_reason(t->errnum, place_of(t->call)));
	else if (t->is_send && done < t->wanted)
		snprintf(
		    text, size, "accepted %llu of %zu bytes", done, t->wanted);
	else if (t->is_send || t->wanted == 0)
		num_format_count(text, size, done, "byte");
	else
		snprintf(text, size, "%s of at most %zu",
		    num_format_count(count, sizeof(count), done, "byte"),
		    t->wanted);
}

void
step_transfer(const struct step_transfer *t)
{
	struct shown shown = {.call = t->call};
	int saved = errno, kind = t->done < 0 ? t->errnum : 0;

	if (!step_is_on())
		return;
	/* Partial sends and the end of input are separate kinds of steps. */
	if (t->is_send && t->done >= 0 && (size_t)t->done < t->wanted)
		kind = -2;
	else if (!t->is_send && !t->is_dgram && t->done == 0)
		kind = -3;
	shown.ns = clock_now() - t->start_ns;
	shown.bytes = t->done > 0 ? (uint64_t)t->done : 0;
	snprintf(shown.subject, sizeof(shown.subject), "%s %s%s%s",
	    t->is_send ? "on" : "from", step_name_of(t->fd),
	    t->peer == NULL ? ""
	    : t->is_send    ? " to "
			    : " from ",
	    t->peer == NULL ? "" : t->peer);
	format_transfer(t, shown.result, sizeof(shown.result));
	snprintf(shown.note, sizeof(shown.note), "%s", transfer_note(t));
	count_or_show(&shown, kind, STEP_SHOWN);
	errno = saved;
}
