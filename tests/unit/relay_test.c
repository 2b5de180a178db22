/*
 * A relay from start to end in one process: what the peer and the input do is
 * done before it starts, as far as the buffers of the system hold it. What the
 * peer gets, what is written, the error and the summary are what they must be.
 */
#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/pair.h"
#include "lib/script_steps.h"
#include "lib/tap.h"
#include "net/signals.h"
#include "net/sock.h"
#include "relay/script.h"

#define SIZE 4096

enum peer_end { FIN, RESET, OPEN };

enum input { CLOSED, INPUT_OPEN, NO_INPUT, UNREADABLE };

enum output { PIPE, FILE_OUTPUT, NO_READER, NO_OUTPUT };

/* What happens, and what must come of it. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): it is read so */
struct scene {
	const char *name;
	const char *input, *peer; /* what each has sent */
	enum input in;
	enum output out;
	enum peer_end end;
	enum relay_on_eof on_eof;
	bool quits_with_peer;
	bool is_forwarder;
	bool crlf, has_tap, is_done_with_script, is_late;
	int64_t idle_ms, linger_ms; /* 0: none */
	const char *script[4];      /* "<": a pattern */
	enum err_kind kind;
	const char *error;   /* NULL: none */
	const char *got;     /* by the peer; NULL: as the input */
	const char *written; /* NULL: as the peer sent */
	bool goes_on;        /* the peer gets no FIN */
	bool target_goes_on; /* nor does the target */
	bool is_aborted, is_reset, is_reset_by_us;
	unsigned undelivered;
};

/* The ends of a scene. */
static int ends[2], in[2], out[2];
static char tapped[2][SIZE];

static void
send_all(int fd, const char *text)
{
	size_t n = text == NULL ? 0 : strlen(text);

	if (n > 0 && write(fd, text, n) != (ssize_t)n)
		abort();
}

/* Everything that can be read now. Returns the errno at the end, or 0. */
static int
receive_all(int fd, char *text)
{
	size_t n = 0;
	ssize_t got;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while ((got = read(fd, text + n, SIZE - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return got < 0 ? errno : 0;
}

static int
open_file(void)
{
	char name[] = "/tmp/sockt-relay-XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	return fd;
}

static void
close_all(int *fds)
{
	if (fds[0] >= 0)
		close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	fds[0] = fds[1] = -1;
}

/* Input and output are one socket, the target. */
static void
open_target(const struct scene *s)
{
	int pair[2];

	connect_pair(pair);
	sock_nonblocking(pair[0], true);
	in[0] = out[1] = pair[0];
	in[1] = -1;
	out[0] = pair[1];
	send_all(out[0], s->input);
	if (s->in == CLOSED)
		shutdown(out[0], SHUT_WR);
}

/* Files and pipes, which hold the input already. */
static void
open_streams(const struct scene *s)
{
	if (pipe(in) < 0 || pipe(out) < 0)
		abort();
	send_all(in[1], s->input);
	if (s->in != INPUT_OPEN) {
		close(in[1]);
		in[1] = -1;
	}
	if (s->in == UNREADABLE) {
		close(in[0]);
		in[0] = open("/", O_RDONLY);
	}
	if (s->out == FILE_OUTPUT) {
		close_all(out);
		out[0] = out[1] = open_file();
	}
	if (s->out == NO_READER) {
		close(out[0]);
		out[0] = -1;
	}
}

static void
open_ends(const struct scene *s)
{
	const struct linger reset = {.l_onoff = 1};

	connect_pair(ends);
	if (s->is_forwarder)
		open_target(s);
	else
		open_streams(s);
	send_all(ends[1], s->peer);
	if (s->end == FIN)
		shutdown(ends[1], SHUT_WR);
	if (s->end == RESET) {
		setsockopt(
		    ends[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(ends[1]);
		ends[1] = -1;
	}
}

static int
tap(void *context, bool is_sent, const void *bytes, size_t n, struct err *e)
{
	char *to = tapped[is_sent];

	(void)context;
	if (n == 4 && memcmp(bytes, "full", 4) == 0)
		return err_set(e, ERR_OUTPUT, "the record is full");
	strncat(to, bytes, n);
	return 0;
}

/* Runs the relay between the ends. */
static int
run(const struct scene *s, struct conn_summary *sum, struct err *e)
{
	struct relay_options o = RELAY_OPTIONS_INIT;
	struct script_steps steps;
	struct script script;
	int status;

	o.on_eof = s->on_eof;
	o.quits_with_peer = s->quits_with_peer;
	o.crlf = s->crlf;
	o.tap = s->has_tap ? tap : NULL;
	o.quit_after_script = s->is_done_with_script;
	o.idle =
	    (struct limit){s->idle_ms > 0 ? s->idle_ms : -1, "--idle-timeout"};
	o.linger_ms = s->linger_ms > 0 ? s->linger_ms : -1;
	if (s->is_late)
		o.until = deadline_max_time(1);
	o.in = s->in == NO_INPUT ? -1 : in[0];
	o.out = s->out == NO_OUTPUT ? -1 : out[1];
	memset(tapped, 0, sizeof(tapped));
	if (s->script[0] != NULL) {
		add_steps(&steps, s->script);
		script_start(&script, &steps, 60000);
		o.script = &script;
	}
	status = relay_run(ends[0], &o, sum, e);
	if (s->script[0] != NULL)
		script_release(&script);
	return status;
}

static void
check_summary(const struct scene *s, const struct conn_summary *sum)
{
	ok(sum->is_aborted == s->is_aborted, "%s: aborted", s->name);
	ok(sum->reset == s->is_reset && sum->reset_by_us == s->is_reset_by_us,
	    "%s: reset, and by whom", s->name);
	is_int((long long)sum->undelivered, s->undelivered, "left");
}

/* What the peer gets after the caller has closed the connection. */
static void
check_peer(const struct scene *s, const struct conn_summary *sum)
{
	const char *want = s->got != NULL ? s->got : s->input;
	char got[SIZE];
	int errnum;

	if (ends[1] < 0)
		return;
	errnum = receive_all(ends[1], got);
	is_text(got, want == NULL ? "" : want, "the peer gets");
	is_int((long long)sum->sent, (long long)strlen(got), "as summarized");
	is_int(errnum, s->goes_on ? EAGAIN : 0, "and FIN, if it is time");
	if (sum->is_aborted)
		sock_abort_acked(&ends[0], 0, deadline_none());
	else
		sock_close(&ends[0]);
	is_int(receive_all(ends[1], got),
	    sum->is_aborted && s->goes_on ? ECONNRESET : 0,
	    "which is the end, or a reset");
}

static void
check_output(const struct scene *s, const struct conn_summary *sum)
{
	const char *want = s->written != NULL ? s->written : s->peer;
	char got[SIZE];
	int errnum;

	if (s->out == FILE_OUTPUT)
		lseek(out[0], 0, SEEK_SET);
	if (out[0] < 0)
		return;
	errnum = receive_all(out[0], got);
	if (s->is_forwarder)
		is_int(errnum, s->target_goes_on ? EAGAIN : 0,
		    "the target gets FIN, if it is time");
	is_text(got, want == NULL ? "" : want, "written");
	if (s->out != NO_OUTPUT)
		is_int((long long)sum->received, (long long)strlen(got),
		    "as summarized");
}

static void
play(const struct scene *s)
{
	struct conn_summary sum;
	struct err e = ERR_INIT;
	int status;

	open_ends(s);
	status = run(s, &sum, &e);
	is_int(status, s->error == NULL ? 0 : -1, s->name);
	is_int(e.kind, s->kind, "the kind of error");
	is_text(e.text, s->error == NULL ? "" : s->error, "its text");
	check_summary(s, &sum);
	check_output(s, &sum);
	check_peer(s, &sum);
	if (s->has_tap && s->error == NULL) {
		is_text(tapped[true], s->input, "all that is sent is recorded");
		is_text(tapped[false], s->peer, "and all that is received");
	}
	close_all(ends);
	if (s->out == FILE_OUTPUT || s->is_forwarder)
		out[1] = -1;
	close_all(in);
	close_all(out);
}

static const struct scene scenes[] = {
    {"both finish", .input = "abc", .peer = "hello"},
    {"nothing at all", .in = CLOSED},
    {"a file", .input = "abc", .peer = "hello", .out = FILE_OUTPUT},
    {"no output", .input = "abc", .peer = "hello", .out = NO_OUTPUT,
	.written = ""},
    {"no input", .peer = "hello", .in = NO_INPUT, .goes_on = true},
    {"--on-eof keep", .input = "abc", .peer = "hello", .on_eof = RELAY_EOF_KEEP,
	.goes_on = true},
    {"--on-eof quit", .input = "abc", .end = OPEN, .goes_on = true,
	.on_eof = RELAY_EOF_QUIT},
    {"--on-peer-eof quit", .input = "abc", .peer = "x", .in = INPUT_OPEN,
	.quits_with_peer = true, .goes_on = true},
    {"--crlf", .input = "a\nb\r\n", .got = "a\r\nb\r\n", .crlf = true},
    {"records", .input = "abc", .peer = "hello", .has_tap = true},
    {"a record of what is sent fails", .input = "full", .end = OPEN,
	.has_tap = true, .goes_on = true, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true, .kind = ERR_OUTPUT,
	.error = "the record is full"},
    {"a record of what is received fails", .peer = "full", .end = OPEN,
	.in = INPUT_OPEN, .has_tap = true, .goes_on = true, .is_aborted = true,
	.is_reset = true, .is_reset_by_us = true, .kind = ERR_OUTPUT,
	.error = "the record is full"},
    {"the peer resets", .in = INPUT_OPEN, .end = RESET, .kind = ERR_LOST,
	.error = "the connection was lost after 0 bytes sent and 0 received: "
		 "connection reset (the peer aborted it, or closed it without "
		 "reading everything); stdin was still open",
	.is_aborted = true, .is_reset = true},
    {"the peer resets after data", .in = INPUT_OPEN, .peer = "hello",
	.end = RESET, .kind = ERR_LOST,
	.error = "the connection was lost after 0 bytes sent and 5 received: "
		 "connection reset (the peer aborted it, or closed it without "
		 "reading everything); stdin was still open",
	.is_aborted = true, .is_reset = true},
    {"the peer resets, input is left", .input = "abc", .end = RESET,
	.kind = ERR_LOST,
	.error = "the connection was lost after 0 bytes sent and 0 received: "
		 "connection reset (the peer aborted it, or closed it without "
		 "reading everything); 3 bytes of stdin not delivered",
	.is_aborted = true, .is_reset = true, .undelivered = 3},
    {"stdin cannot be read", .in = UNREADABLE, .peer = "hello",
	.kind = ERR_OUTPUT, .error = "stdin: is a directory", .goes_on = true,
	.is_aborted = true, .is_reset = true, .is_reset_by_us = true},
    {"stdout has no reader", .peer = "hello", .out = NO_READER,
	.kind = ERR_OUTPUT,
	.error = "stdout was closed by its reader after 0 bytes",
	.is_aborted = true, .is_reset = true, .is_reset_by_us = true},
    {"stdout has no reader, nothing is written", .out = NO_READER},
    {"--max-time", .end = OPEN, .in = INPUT_OPEN, .is_late = true,
	.kind = ERR_TIMEOUT,
	.error = "stopped after 1 ms (--max-time); sent 0 bytes, received 0",
	.goes_on = true, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true},
    {"--idle-timeout", .end = OPEN, .input = "abc", .peer = "hello",
	.in = INPUT_OPEN, .idle_ms = 200, .kind = ERR_TIMEOUT,
	.error = "nothing was sent or received within 0.2 s (--idle-timeout); "
		 "sent 3 bytes, received 5",
	.goes_on = true, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true},
    {"--linger", .end = OPEN, .input = "abc", .peer = "hello", .linger_ms = 200,
	.kind = ERR_TIMEOUT,
	.error = "the peer did not finish within 0.2 s (--linger); sent 3 "
		 "bytes, received 5",
	.is_aborted = true, .is_reset = true, .is_reset_by_us = true},
    {"a script", .input = "abc", .peer = "220 hi\r\n250 ok\r\n",
	.script = {"<^220 ", "EHLO a\\r\\n", "<^250 "}, .got = "EHLO a\r\nabc"},
    {"an empty text ends a script", .end = OPEN, .in = NO_INPUT, .script = {""},
	.goes_on = true, .is_done_with_script = true},
    {"a record of a script fails", .peer = "220 hi\r\n", .end = OPEN,
	.in = INPUT_OPEN, .script = {"full", "<^250 "}, .has_tap = true,
	.written = "", .undelivered = 4, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true, .got = "", .goes_on = true, .kind = ERR_OUTPUT,
	.error = "the record is full"},
    {"--done", .peer = "220 hi\r\n", .end = OPEN, .in = NO_INPUT,
	.script = {"<^220 ", "QUIT\\r\\n"}, .got = "QUIT\r\n", .goes_on = true,
	.is_done_with_script = true},
    {"a pattern does not match", .input = "abc", .peer = "220 hi\r\n",
	.script = {"a", "<^250 "}, .got = "a", .kind = ERR_PROTOCOL,
	.error = "--expect 1 of 1 ('^250 '): the peer finished; received "
		 "instead: '220 hi\\r\\n'",
	.goes_on = true, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true},
    {"a forwarder", .is_forwarder = true, .input = "abc", .peer = "hello"},
    {"a forwarder whose target goes on", .is_forwarder = true, .input = "abc",
	.peer = "hello", .in = INPUT_OPEN, .idle_ms = 200, .kind = ERR_TIMEOUT,
	.error = "nothing was sent or received within 0.2 s (--idle-timeout); "
		 "sent 3 bytes, received 5",
	.goes_on = true, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true},
    {"a forwarder whose peer goes on", .is_forwarder = true, .input = "abc",
	.peer = "hello", .end = OPEN, .idle_ms = 200, .kind = ERR_TIMEOUT,
	.error = "nothing was sent or received within 0.2 s (--idle-timeout); "
		 "sent 3 bytes, received 5",
	.target_goes_on = true, .is_aborted = true, .is_reset = true,
	.is_reset_by_us = true},
    {"a forwarder whose peer resets", .is_forwarder = true, .input = "abc",
	.peer = "hello", .end = RESET, .kind = ERR_LOST,
	.error = "the connection was lost after 0 bytes sent and 5 received: "
		 "connection reset (the peer aborted it, or closed it without "
		 "reading everything)",
	.target_goes_on = true, .is_aborted = true, .is_reset = true},
};

static const struct scene interrupted = {"a signal", .input = "abc",
    .peer = "hello", .end = OPEN, .in = INPUT_OPEN, .kind = ERR_FAILED,
    .error = "relaying: interrupted (by a signal)", .got = "", .written = "",
    .goes_on = true, .is_aborted = true, .is_reset = true,
    .is_reset_by_us = true};

int
main(void)
{
	struct err e = ERR_INIT;
	size_t i;

	signals_init();
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		play(&scenes[i]);
	if (signals_catch(&e) < 0)
		abort();
	raise(SIGTERM);
	play(&interrupted);
	return done_testing();
}
