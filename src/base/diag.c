/* The only writer to stderr: errors, log lines, steps and JSON events. */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"

/* The longest live line. */
#define MAX_LIVE 400

/* The state of reporting, which every module may query. */
static struct {
	const char *command; /* NULL before diag_start(). */
	int level;           /* An enum diag_level. */
	bool json;           /* Events are written as JSON Lines. */
	bool log_time;       /* The time of day precedes each line. */
	diag_writer *events; /* It gets the events; NULL: stderr does. */
	int64_t start_ns;    /* When the command began. */
	size_t live;         /* The length of the live line, as it is shown. */
	bool has_live;    /* A live line was started; see diag_live_start(). */
	bool is_mid_line; /* Data has begun a line of the terminal. */
	unsigned connection; /* See diag_connection(). */
} diag;

/* How long a line may wait for the reader of stderr. */
static struct {
	struct deadline until; /* Any line: --max-time and the grace. */
	int64_t ms;            /* Each line, without the grace; -1: for ever. */
	bool is_stuck;         /* The last line was dropped. */
} wait = {{INT64_MAX, 0, NULL}, -1, false};

/* The event under construction. */
static struct json event;

void
diag_start(const char *command, int level, bool json, bool log_time)
{
	diag.command = command;
	diag.level = level;
	diag.json = json;
	diag.log_time = log_time;
	diag.start_ns = clock_now();
}

void
diag_events_to(diag_writer *writer)
{
	diag.events = writer;
}

unsigned
diag_connection(unsigned number)
{
	unsigned previous = diag.connection;

	/* Only events have it. */
	if (diag.json)
		diag.connection = number;
	return previous;
}

bool
diag_shows(int level)
{
	return diag.level >= level;
}

bool
diag_is_json(void)
{
	return diag.json;
}

bool
diag_emits(int level)
{
	return diag.json || diag.level >= level;
}

void
diag_limit(struct deadline until, int64_t ms)
{
	if (deadline_is_set(until))
		until.at_ns += DIAG_GRACE_MS * CLOCK_MS;
	wait.until = until;
	wait.ms = ms;
}

/* Writes to stderr. What is not accepted within the command's limits is
 * dropped, and from then on what is not accepted at once. */
static void
put(const char *bytes, size_t n)
{
	struct deadline until = wait.until;
	int saved = errno;
	size_t done;

	if (wait.ms >= 0)
		until = deadline_first(
		    until, deadline_after(wait.ms + DIAG_GRACE_MS));
	if (wait.is_stuck)
		until = deadline_after(0);
	done = fd_write_until(STDERR_FILENO, bytes, n, until);
	wait.is_stuck = done < n && deadline_is_set(until);
	if (done > 0)
		diag.is_mid_line = done < n;
	errno = saved;
}

/* Columns of the terminal, or 0 if it does not report them. */
static size_t
terminal_columns(void)
{
#ifdef TIOCGWINSZ
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0)
		return ws.ws_col;
#endif
	return 0;
}

size_t
diag_live_width(void)
{
	size_t columns = terminal_columns();

	/* A terminal that does not report its width. */
	if (columns == 0)
		columns = 80;
	/* The cursor stays on the line. */
	return columns <= MAX_LIVE ? columns - 1 : MAX_LIVE;
}

/*
 * The cursor stays at its beginning: what a terminal that has become narrower
 * wrapped is below the cursor, and erased too. A terminal may also report its
 * new width too late: a line that is longer must not wrap (DECAWM).
 */
void
diag_live_draw(const char *text)
{
	const char *term = getenv("TERM");
	char shown[2 * MAX_LIVE + 24];
	size_t n = strlen(text), width = diag_live_width();

	/* The terminal of a background job shows a prompt there. */
	if (!fd_is_foreground(STDERR_FILENO))
		n = diag.live = 0;
	if (n > 0 && (!diag.has_live || diag.is_mid_line))
		return;
	if (n > width)
		n = width;
	if (n == 0 && diag.live == 0)
		return;
	if (term == NULL || strcmp(term, "dumb") != 0)
		snprintf(shown, sizeof(shown), "%s\r%.*s\033[%s%s\r",
		    n > 0 ? "\033[?7l" : "", (int)n, text,
		    diag.live > width ? "J" : "K", n > 0 ? "\033[?7h" : "");
	else /* Overwrite the previous text with spaces. */
		snprintf(shown, sizeof(shown), "\r%-*.*s\r",
		    (int)(diag.live > n ? diag.live : n), (int)n, text);
	put(shown, strlen(shown));
	diag.live = n;
}

/* Writes a line, or several, below what is on the terminal. */
static void
write_stderr(const char *bytes, size_t n)
{
	diag_live_draw("");
	if (diag.is_mid_line)
		put("\n", 1);
	put(bytes, n);
}

/* Where a line of a terminal goes on, and the least width for that. */
#define INDENT 4
#define MIN_COLUMNS 40

/* Breaks a line of a terminal between its words. */
static void
fold(const char *line, size_t columns, char *out, size_t size)
{
	size_t left = strlen(line), indent, n;

	out[0] = '\0';
	for (indent = 0; left > 0; indent = INDENT) {
		n = text_fit(line, left, columns - indent);
		text_append(out, size, "%*s%.*s%s", (int)indent, "", (int)n,
		    line, n < left ? "\n" : "");
		/* The blank between the words is dropped. */
		n += n < left;
		line += n;
		left -= n;
	}
}

/* The time of day, RFC 3339 in UTC: 2026-11-24T09:30:00.123456Z. */
static const char *
time_of_day(void)
{
	char day[32];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	return text_format("%s.%06ldZ", day, now.tv_nsec / 1000);
}

/* Prints a line. */
static void
vline(int level, const char *fmt, va_list ap)
{
	char line[ERR_TEXT + 256], folded[2 * sizeof(line)];
	size_t columns = terminal_columns();

	if (diag.level < level || (diag.json && level > DIAG_ALWAYS))
		return;
	line[0] = '\0';
	if (diag.log_time)
		text_append(line, sizeof(line), "%s ", time_of_day());
	text_append(line, sizeof(line),
	    "sockt%s%s: ", diag.command != NULL ? " " : "",
	    diag.command != NULL ? diag.command : "");
	/* One byte less: the newline is never cut off. */
	text_append_list(line, sizeof(line) - 1, fmt, ap);
	if (columns < MIN_COLUMNS)
		snprintf(folded, sizeof(folded), "%s", line);
	else
		fold(line, columns, folded, sizeof(folded));
	text_append(folded, sizeof(folded), "\n");
	write_stderr(folded, strlen(folded));
}

void
diag_line(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline(level, fmt, ap);
	va_end(ap);
}

void
diag_error(const struct err *e)
{
	struct json *j;

	if (e->text[0] == '\0' ||
	    (e->kind == ERR_OUTPUT && e->errnum == EPIPE &&
		diag.level < DIAG_NOTE))
		return;
	j = diag_event_begin("error");
	json_number(j, "status", e->kind);
	json_text(j, "kind", err_kind_name(e->kind));
	json_text(j, "text", e->text);
	diag_event_end(DIAG_ERRORS, "%s", e->text);
	if (diag.json && diag.events != NULL)
		diag_line(DIAG_ALWAYS, "%s", e->text);
}

void
diag_usage(const struct err *e, const char *hint)
{
	/* Not an error of sockt: a program exited with that status. */
	if (e->text[0] == '\0')
		return;
	diag_line(DIAG_ALWAYS, "%s", e->text);
	if (hint != NULL)
		diag_line(DIAG_ALWAYS, "%s", hint);
	else if (diag.command != NULL)
		diag_line(DIAG_ALWAYS, "try 'sockt %s --help'", diag.command);
	else
		diag_line(DIAG_ALWAYS, "try 'sockt help'");
}

void
diag_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline(DIAG_SAY, fmt, ap);
	va_end(ap);
}

void
diag_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline(DIAG_NOTE, fmt, ap);
	va_end(ap);
}

void
diag_raw(int level, const void *bytes, size_t n)
{
	if (diag.json || diag.level < level)
		return;
	write_stderr(bytes, n);
}

bool
diag_live_start(bool is_requested)
{
	diag.has_live = !diag.json &&
			(diag.level >= DIAG_SAY || is_requested) &&
			isatty(STDERR_FILENO);
	return diag.has_live;
}

void
diag_live_yield(const void *bytes, size_t n)
{
	if (n == 0 || !diag.has_live)
		return;
	diag_live_draw("");
	diag.is_mid_line = ((const char *)bytes)[n - 1] != '\n';
}

struct json *
diag_event_begin(const char *name)
{
	if (!diag.json) {
		json_ignore(&event);
		return &event;
	}
	json_begin(&event);
	json_text(&event, "event", name);
	json_seconds(&event, "time", clock_seconds(diag.start_ns, clock_now()));
	json_text(&event, "at", time_of_day());
	if (diag.connection != 0)
		json_number(&event, "connection", diag.connection);
	return &event;
}

void
diag_event_end(int level, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (!diag.json) {
		va_start(ap, fmt);
		vline(level, fmt, ap);
		va_end(ap);
		return;
	}
	text = json_end(&event);
	if (diag.events != NULL)
		diag.events(text, event.length);
	else
		put(text, event.length);
}
