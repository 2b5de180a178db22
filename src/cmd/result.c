/* The only writer of results to stdout, as text or JSON Lines. */
#include "cmd/result.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/sink.h"
#include "net/sock.h"
#include "net/signals.h"
#include "net/wait.h"

/* The state of stdout. */
static struct {
	struct sink sink;
	struct deadline until; /* deadline of the command, or of the grace */
	bool is_late;          /* the grace period has started */
	struct err error;
	size_t length; /* of the data in buffer */
	char buffer[16384];
} out;

/* The deadline of a write: after a limit or a signal, the end of the grace. */
static struct deadline
limit(void)
{
	if (out.is_late ||
	    (signals_stopped() == 0 && !deadline_passed(out.until)))
		return out.until;
	/* The signal that stopped the command must not stop its last output. */
	signals_collect();
	out.is_late = true;
	out.until = deadline_after(DIAG_GRACE_MS);
	return out.until;
}

/*
 * Writes immediately, unless a write has failed. While the reader of stdout is
 * slow, the peer is not what is waited for; and an event that reported so would
 * overwrite the one that is being written.
 */
static void
write_out(const char *bytes, size_t n)
{
	struct wait_reason reason;

	if (n == 0 || out.error.kind != ERR_NONE)
		return;
	wait_begin(&reason, NULL, NULL);
	reason.due = deadline_none();
	/* The end of the grace is not a limit of the user's. */
	if (sink_write(&out.sink, bytes, n, limit(), &out.error) < 0 &&
	    out.error.kind == ERR_TIMEOUT && signals_stopped() != 0)
		err_sys(&out.error, ERR_FAILED, EINTR, "stdout");
	wait_end();
}

static void
write_buffer(void)
{
	size_t n = out.length;

	out.length = 0;
	write_out(out.buffer, n);
}

/* Writes an event immediately. */
static void
write_event(const char *line, size_t n)
{
	write_buffer();
	write_out(line, n);
}

int
result_start(struct deadline until, bool has_events, struct err *e)
{
	if (has_events)
		diag_events_to(write_event);
	if (sock_check_standard(STDOUT_FILENO, &out.error) < 0)
		return result_check(e);
	sink_init(&out.sink, STDOUT_FILENO, "stdout", false);
	out.until = until;
	return 0;
}

void
result_bytes(const void *bytes, size_t n)
{
	if (!buf_fits(sizeof(out.buffer), out.length, n))
		write_buffer();
	if (n > sizeof(out.buffer)) {
		write_out(bytes, n);
		return;
	}
	memcpy(out.buffer + out.length, bytes, n);
	out.length += n;
}

void
result_print(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	result_bytes(text, strlen(text));
}

void
result_line(const void *bytes, size_t n)
{
	const char *at = bytes, *end = at + n;
	char escaped[4 * 1024];
	size_t piece, used;

	while (out.sink.kind == FD_TERMINAL && at < end) {
		piece = (size_t)(end - at);
		if (piece > sizeof(escaped) / 4)
			piece = sizeof(escaped) / 4;
		result_bytes(escaped, text_escape_stream(escaped, at, piece,
					  piece == (size_t)(end - at), &used));
		at += used;
	}
	if (at < end)
		result_bytes(at, (size_t)(end - at));
	if (n == 0 || end[-1] != '\n')
		result_bytes("\n", 1);
}

void
result_payload(const void *bytes, size_t n)
{
	if (out.sink.kind == FD_TERMINAL)
		result_line(bytes, n);
	else
		result_bytes(bytes, n);
}

void
result_hex(const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes, *end = p + n;

	for (; p < end; p++)
		result_bytes((char[]){digits[*p >> 4], digits[*p & 15],
				 p + 1 < end ? ' ' : '\n'},
		    3);
	if (n == 0)
		result_bytes("\n", 1);
}

int
result_check(struct err *e)
{
	if (out.error.kind == ERR_NONE)
		return 0;
	*e = out.error;
	return -1;
}

int
result_flush(struct err *e)
{
	write_buffer();
	return result_check(e);
}

int
result_probe(struct err *e)
{
	struct pollfd pfd = {.fd = STDOUT_FILENO};

	/* All readers of the pipe have closed it. */
	if (out.error.kind == ERR_NONE && poll(&pfd, 1, 0) > 0 &&
	    (pfd.revents & POLLERR) != 0)
		sink_refused(&out.sink, EPIPE, &out.error);
	return result_check(e);
}
