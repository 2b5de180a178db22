/* Relays between a connection and stdin and stdout, for connect and listen. */
#include "cmd/stdio_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "relay/hexdump.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/progress.h"
#include "base/text.h"
#include "cmd/options.h"
#include "net/call.h"
#include "relay/relay.h"
#include "net/shutdown.h"
#include "net/sock.h"
#include "net/conn_event.h"
#include "net/signals.h"
#include "net/wait.h"

static const char *const on_eof_words[] = {"fin", "keep", "quit", NULL};
static const char *const on_peer_eof_words[] = {
    "finish", "drain", "quit", NULL};

static int
parse_send(void *field, const char *arg, struct err *e)
{
	return script_add_send(field, arg, e);
}

static int
parse_expect(void *field, const char *arg, struct err *e)
{
	return script_add_expect(field, arg, e);
}

const struct opt stdio_relay_opts[] = {
    CHOICE(0, "on-eof", "WHAT", stdio_relay_options, on_eof,
	"at the end of stdin: fin = send FIN and keep receiving, keep = keep "
	"receiving, quit = exit",
	.choices = on_eof_words),
    CHOICE(0, "on-peer-eof", "WHAT", stdio_relay_options, on_peer_eof,
	"when the peer finishes first: finish = send until stdin ends, drain = "
	"send what stdin holds, quit = exit (default: finish, at a terminal "
	"quit)",
	.choices = on_peer_eof_words),
    DURATION(0, "linger", "T", stdio_relay_options, linger_ms,
	"after the end of stdin, wait at most T for the peer to finish",
	.excludes = "send-only recv-only"),
    FLAG(0, "send-only", stdio_relay_options, send_only,
	"send stdin, discard what is received", .excludes = "recv-only on-eof"),
    FLAG(0, "recv-only", stdio_relay_options, recv_only,
	"receive to stdout, do not read stdin", .excludes = "on-eof"),
    FLAG('C', "crlf", stdio_relay_options, crlf,
	"send LF as CRLF; a CRLF stays as it is", .excludes = "recv-only"),
    {.kind = OPT_END},
};

const struct opt stdio_relay_script_opts[] = {
    CALL(0, "send", "TEXT", stdio_relay_options, script,
	"send TEXT first; escapes are \\r \\n \\t \\\\ \\0 \\xHH",
	.call = parse_send),
    CALL(0, "expect", "REGEX", stdio_relay_options, script,
	"wait for data that matches REGEX (extended); in order with --send",
	.call = parse_expect),
    DURATION(0, "expect-timeout", "T", stdio_relay_options, expect_ms,
	"time limit for each --expect", .min = 1),
    FLAG(0, "done", stdio_relay_options, done,
	"exit after the last --send or --expect; do not read stdin"),
    {.kind = OPT_END},
};

/* Options without which stdout has the data that is received. */
#define STDOUT_IS_FREE "send-only to echo discard"

const struct opt stdio_relay_record_opts[] = {
    FILENAME('o', "output", "FILE", stdio_relay_options, output,
	"also write what is received to FILE; '-' is stdout, where that is "
	"free",
	.dash = OPT_DASH_STDOUT, .dash_with = STDOUT_IS_FREE),
    FLAG(0, "append", stdio_relay_options, append,
	"append to the files of --output and --hexdump"),
    FILENAME('x', "hexdump", "FILE", stdio_relay_options, hexdump,
	"write a hex dump of both directions to FILE; '-' is stdout, where "
	"that is free",
	.dash = OPT_DASH_STDOUT, .dash_with = STDOUT_IS_FREE),
    FLAG('P', "progress", stdio_relay_options, progress,
	"show bytes and rate on the terminal", .excludes = "quiet"),
    {.kind = OPT_END},
};

struct stdio_relay_records {
	const struct stdio_relay_options *options;
	int output;            /* of --output, or -1 */
	int hexdump;           /* of --hexdump, or -1 */
	struct hexdump dump;   /* writer of that file */
	struct deadline until; /* --max-time */
	int64_t idle_ms;       /* --idle-timeout, or -1 */
	struct err *e;         /* the caller's, for the writers */
};

static bool
is_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static bool
is_file(const char *path)
{
	return path != NULL && !is_stdout(path);
}

/* The name of a record in errors. Returns buf, which has 256 bytes. */
static const char *
record_name(const char *path, char *buf)
{
	return text_escape_string(buf, 256, is_stdout(path) ? "stdout" : path);
}

static int
record_error(const char *path, int errnum, struct err *e)
{
	char shown[256];

	return err_sys(e, ERR_OUTPUT, errnum, "%s", record_name(path, shown));
}

/* Waits until a record, such as a FIFO or a terminal, is writable. Returns 0,
 * or -1 with *r->e. */
static int
wait_record(const struct stdio_relay_records *r, int fd, const char *path)
{
	struct deadline until = deadline_first(
	    r->until, deadline_limit(r->idle_ms, "--idle-timeout"));
	int ready = wait_fd(fd, POLLOUT, until);
	char shown[256], what[320];

	if (ready > 0)
		return 0;
	record_name(path, shown);
	if (ready < 0)
		return err_sys(r->e, ERR_FAILED, errno, "writing %s", shown);
	snprintf(
	    what, sizeof(what), "writing %s: its reader took nothing", shown);
	return deadline_error(until, what, r->e);
}

/* Writes all n bytes within the time limits. Returns 0, or -1 with *r->e. */
static int
write_record(const struct stdio_relay_records *r, int fd, const char *path,
    const unsigned char *bytes, size_t n)
{
	enum fd_kind kind = fd_kind(fd);
	ssize_t done;

	while (n > 0) {
		done = call_write_nowait(fd, kind, bytes, n);
		if (done >= 0) {
			bytes += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN) {
			if (wait_record(r, fd, path) < 0)
				return -1;
		} else if (errno != EINTR) {
			return record_error(path, errno, r->e);
		}
	}
	return 0;
}

static int
write_hexdump(void *context, const void *bytes, size_t n)
{
	const struct stdio_relay_records *r = context;

	return write_record(r, r->hexdump, r->options->hexdump, bytes, n);
}

/* Records sent or received data: the tap of struct relay_options. */
static int
record(void *context, bool sent, const void *bytes, size_t n, struct err *e)
{
	struct stdio_relay_records *r = context;

	r->e = e;
	if (!sent && r->output >= 0 &&
	    write_record(r, r->output, r->options->output, bytes, n) < 0)
		return -1;
	if (r->hexdump < 0)
		return 0;
	return hexdump_add(
	    &r->dump, sent ? HEXDUMP_SENT : HEXDUMP_RECEIVED, bytes, n);
}

/* Opens a file for a record; '-' is stdout. Returns its fd, or -1 with *e. */
static int
open_record(const char *path, bool append, struct deadline until, struct err *e)
{
	int flags = O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
	int fd;

	if (!is_stdout(path))
		return wait_open(path, flags, 0666, until, e);
	if (!fd_is_writable(STDOUT_FILENO))
		return err_set(e, ERR_OUTPUT, "stdout is closed");
	fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, ERR_OUTPUT, errno, "stdout") : fd;
}

static int
open_records(
    struct stdio_relay_records *r, struct deadline until, struct err *e)
{
	const struct stdio_relay_options *o = r->options;

	if (o->output != NULL) {
		r->output = open_record(o->output, o->append != 0, until, e);
		if (r->output < 0)
			return -1;
	}
	if (o->hexdump == NULL)
		return 0;
	r->hexdump = open_record(o->hexdump, o->append != 0, until, e);
	return r->hexdump < 0 ? -1 : 0;
}

int
stdio_relay_check(const struct stdio_relay_options *o, struct err *e)
{
	if (o->script.count == 0 && (o->done || o->expect_ms >= 0))
		return err_set(e, ERR_USAGE,
		    "--done and --expect-timeout go with --send or --expect");
	if (o->send_only && o->on_peer_eof > RELAY_PEER_FINISH)
		return err_set(e, ERR_USAGE,
		    "--send-only sends stdin to its end: it does not go with "
		    "--on-peer-eof %s",
		    on_peer_eof_words[o->on_peer_eof]);
	if (o->append && !is_file(o->output) && !is_file(o->hexdump))
		return err_set(e, ERR_USAGE,
		    "--append goes with a file of --output or --hexdump");
	if (!o->recv_only && !o->done && !fd_is_readable(STDIN_FILENO))
		return err_set(e, ERR_OUTPUT,
		    "stdin is closed (--recv-only does not need it)");
	if (!o->send_only && !fd_is_writable(STDOUT_FILENO))
		return err_set(e, ERR_OUTPUT,
		    "stdout is closed (--send-only does not need it)");
	return 0;
}

int
stdio_relay_check_unused(
    const struct opt *const *used, const char *with, struct err *e)
{
	const struct opt *o = opt_find_used(used, stdio_relay_opts);
	char name[64];

	if (o == NULL)
		o = opt_find_used(used, stdio_relay_script_opts);
	if (o == NULL)
		o = opt_find_used(used, stdio_relay_record_opts);
	if (o == NULL)
		return 0;
	return err_set(e, ERR_USAGE,
	    "%s is about relaying stdin and stdout: it does not apply with %s",
	    opt_display_name(o, name, sizeof(name)), with);
}

int
stdio_relay_open(struct stdio_relay *s, const struct stdio_relay_options *o,
    const struct time_options *time, struct deadline until, struct err *e)
{
	s->options = o;
	s->time = time;
	s->until = until;
	s->records = mem_array(1, sizeof(*s->records));
	s->records->options = o;
	s->records->until = until;
	s->records->idle_ms = time->idle_ms;
	s->records->output = s->records->hexdump = -1;
	if (stdio_relay_check(o, e) < 0)
		return -1;
	return open_records(s->records, until, e);
}

/* The number of bytes left in stdin, or -1 if unknown. */
static int64_t
input_size(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	return (int64_t)fd_available(STDIN_FILENO);
}

/* At a terminal the user sees that the peer has finished; any other input is
 * sent to its end. */
static enum relay_on_peer_eof
peer_eof_policy(const struct stdio_relay_options *o)
{
	if (o->on_peer_eof >= 0)
		return (enum relay_on_peer_eof)o->on_peer_eof;
	return !o->send_only && fd_kind(STDIN_FILENO) == FD_TERMINAL
		   ? RELAY_PEER_QUIT
		   : RELAY_PEER_FINISH;
}

/* Sets the relay's options, except the script and the progress. */
static void
set_up(struct stdio_relay *s, struct relay_options *r)
{
	const struct stdio_relay_options *o = s->options;

	*r = (struct relay_options)RELAY_OPTIONS_INIT;
	if (!o->recv_only && !o->done)
		r->in = STDIN_FILENO;
	if (!o->send_only)
		r->out = STDOUT_FILENO;
	r->on_eof =
	    o->send_only ? RELAY_EOF_QUIT : (enum relay_on_eof)o->on_eof;
	r->on_peer_eof = peer_eof_policy(o);
	r->idle_ms = s->time->idle_ms;
	r->linger_ms = o->linger_ms;
	r->until = s->until;
	r->crlf = o->crlf != 0;
	r->quit_after_script = o->done != 0;
	if (s->records->output >= 0 || s->records->hexdump >= 0) {
		r->tap = record;
		r->context = s->records;
	}
}

/*
 * The exit status that the command will have: for a signal 128 plus its number.
 */
static int
exit_status(int result, const struct err *e)
{
	if (result == 0)
		return 0;
	return e->errnum == EINTR && signals_stopped() != 0
		   ? 128 + signals_stopped()
		   : (int)e->kind;
}

/* The last line of --progress, on a terminal. */
static void
report_total(const struct conn *conn, const struct conn_summary *sum)
{
	char sent[32], received[32], duration[32];

	if (diag_progress_is_shown())
		diag_warn("sent %s, received %s in %s",
		    num_format_size(sent, sizeof(sent), sum->sent),
		    num_format_size(received, sizeof(received), sum->received),
		    num_format_duration(duration, sizeof(duration),
			clock_now() - conn->start_ns));
}

int
stdio_relay_run(
    struct stdio_relay *s, int *fd, const struct conn *conn, struct err *e)
{
	const struct stdio_relay_options *o = s->options;
	struct relay_options r;
	struct progress progress;
	struct script script;
	struct conn_summary sum;
	struct deadline end;
	int result;

	set_up(s, &r);
	if (s->records->hexdump >= 0)
		hexdump_start(&s->records->dump, write_hexdump, s->records);
	if (o->script.count > 0) {
		script_start(&script, &o->script, o->expect_ms);
		r.script = &script;
	}
	if (o->progress) {
		progress_start(&progress, true);
		r.progress = &progress;
		r.total = r.in >= 0 ? input_size() : -1;
	}
	result = relay_run(*fd, &r, &sum, e);
	if (o->script.count > 0)
		script_release(&script);
	end = deadline_first(s->until, deadline_after(SHUTDOWN_DRAIN_MS));
	if (sum.is_aborted)
		sock_abort_acked(fd, s->time->idle_ms, end);
	else
		shutdown_and_drain(
		    fd, result < 0 ? deadline_after(0) : end, &sum);
	if (result == 0 && signals_stopped() != 0)
		result = err_sys(e, ERR_FAILED, EINTR, "draining");
	s->last = sum;
	conn_event_closed(DIAG_NOTE, conn, &sum, exit_status(result, e));
	if (o->progress)
		report_total(conn, &sum);
	return result;
}

int
stdio_relay_release(struct stdio_relay *s, int result, struct err *e)
{
	struct stdio_relay_records *r = s->records;

	if (r == NULL)
		return result;
	if (r->output >= 0 && close(r->output) < 0 && result == 0)
		result = record_error(s->options->output, errno, e);
	if (r->hexdump >= 0 && close(r->hexdump) < 0 && result == 0)
		result = record_error(s->options->hexdump, errno, e);
	free(r);
	s->records = NULL;
	return result;
}
