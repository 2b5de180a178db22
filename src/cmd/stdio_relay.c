/* Relays between a connection and stdin and stdout, for connect and listen. */
#include "cmd/stdio_relay.h"

#include <errno.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cmd/options.h"
#include "net/signals.h"
#include "net/sock.h"
#include "relay/script.h"

static const char *const on_eof_words[] = {"fin", "keep", "quit", NULL};
static const char *const on_peer_eof_words[] = {"finish", "quit", NULL};
enum { FINISH, QUIT };

static int
parse_send(void *field, const char *arg, struct err *e)
{
	return script_add(field, false, arg, e);
}

static int
parse_expect(void *field, const char *arg, struct err *e)
{
	return script_add(field, true, arg, e);
}

/* The values as they were given, which the rows below fill. */
static struct {
	int on_eof;      /* an index of on_eof_words; -1: not given */
	int on_peer_eof; /* an index of on_peer_eof_words; -1: not given */
	int send_only, recv_only, progress;
	struct relay_options relay;
	struct script script;
	struct recorder_options record;
} given = {
    .on_eof = -1,
    .on_peer_eof = -1,
    .relay = {.linger_ms = -1},
    .script = {.expect_ms = -1},
};

const struct opt stdio_relay_opts[] = {
    FLAG(0, "recv-only", given, recv_only,
	"receive to stdout, do not read stdin", .excludes = "on-eof"),
    FLAG(0, "send-only", given, send_only,
	"send stdin, discard what is received", .excludes = "recv-only on-eof"),
    FLAG('C', "crlf", given, relay.crlf,
	"send LF as CRLF; a CRLF stays as it is", .excludes = "recv-only"),
    CHOICE(0, "on-eof", "WHAT", given, on_eof,
	"at the end of stdin: fin = send FIN and keep receiving, keep = keep "
	"receiving, quit = exit",
	.choices = on_eof_words),
    CHOICE(0, "on-peer-eof", "WHAT", given, on_peer_eof,
	"when the peer finishes first: finish = send until stdin ends, quit = "
	"exit (default: finish, at a terminal "
	"quit)",
	.choices = on_peer_eof_words),
    DURATION(0, "linger", "TIME", given, relay.linger_ms,
	"after the end of stdin, wait at most TIME for the peer to finish",
	.excludes = "send-only recv-only"),
    FLAG('P', "progress", given, progress,
	"show bytes and rate on the terminal"),
    {.kind = OPT_END},
};

const struct opt stdio_relay_rate_opts[] = {
    SIZE(0, "limit-rate", "SIZE", given, relay.rate,
	"send at most SIZE bytes of stdin per second", .min = 1,
	.max = 1 << 30),
    {.kind = OPT_END},
};

const struct opt stdio_relay_script_opts[] = {
    CALL(0, "send", "TEXT", given, script,
	"send TEXT first; escapes are \\r \\n \\t \\0 \\e \\\\ \\xHH",
	.call = parse_send),
    CALL(0, "expect", "REGEX", given, script,
	"wait for data that matches REGEX (extended, with these escapes; ^ and "
	"$ are those of lines); in order with --send",
	.call = parse_expect),
    DURATION(0, "expect-timeout", "TIME", given, script.expect_ms,
	"wait at most TIME for each --expect", .min = 1,
	.needs = "send expect"),
    FLAG(0, "done", given, relay.quit_after_script,
	"exit after the last --send or --expect; do not read stdin",
	.needs = "send expect"),
    {.kind = OPT_END},
};

/* Options without which stdout has the data that is received. */
#define STDOUT_IS_FREE "send-only to echo discard exec program"

const struct opt stdio_relay_record_opts[] = {
    FILENAME('o', "output", "FILE", given, record.output,
	"also write what is received to FILE, or with %d in its name both "
	"directions; %n is the connection's number; '-' is stdout, where that "
	"is free",
	.dash = OPT_DASH_STDOUT, .dash_with = STDOUT_IS_FREE),
    FLAG(0, "append", given, record.append,
	"append to these files instead of replacing them"),
    FILENAME('x', "hexdump", "FILE", given, record.hexdump,
	"write a hex dump of both directions to FILE, or data events with "
	"--json; '-' is stdout, where that is free",
	.dash = OPT_DASH_STDOUT, .dash_with = STDOUT_IS_FREE),
    FILENAME(0, "textdump", "FILE", given, record.textdump,
	"write both directions to FILE as text", .dash = OPT_DASH_STDOUT,
	.dash_with = STDOUT_IS_FREE),
    {.kind = OPT_END},
};

/* Whether nothing, not even stdin, is sent before the first pattern matches. */
static bool
awaits_first(const struct relay_options *r)
{
	return r->quit_after_script && r->script != NULL &&
	       r->script->items[0].is_expect;
}

const struct stdio_relay_options *
stdio_relay_complete(const struct options *options)
{
	static struct stdio_relay_options o;
	struct relay_options *r = &o.relay;
	enum fd_kind kind = fd_kind(STDIN_FILENO);

	o.record = given.record;
	o.shows_progress = given.progress != 0;
	*r = given.relay;
	r->idle = options->idle;
	r->until = options->until;
	if (given.script.count > 0)
		r->script = &given.script;
	r->in = given.recv_only || r->quit_after_script ? -1 : STDIN_FILENO;
	r->out = given.send_only ? -1 : STDOUT_FILENO;
	r->refuses_stdin = awaits_first(r) && kind == FD_PIPE;
	if (given.send_only)
		r->on_eof = RELAY_EOF_QUIT;
	else if (given.on_eof >= 0)
		r->on_eof = given.on_eof;
	else
		r->on_eof = RELAY_EOF_FIN;
	/* At a terminal the user sees that end; other input is sent whole. */
	if (given.on_peer_eof >= 0)
		r->quits_with_peer = given.on_peer_eof == QUIT;
	else
		r->quits_with_peer = !given.send_only && kind == FD_TERMINAL;
	/* What the user typed holds for every client. */
	r->sends_to_end = given.on_peer_eof >= 0 || given.send_only;
	if (given.recv_only)
		o.eof = LINK_EOF_PROGRAM;
	else if (given.on_eof >= 0)
		o.eof = LINK_EOF_AT_ONCE;
	else
		o.eof = LINK_EOF_HELD;
	o.expects_answer =
	    r->out >= 0 && r->on_eof != RELAY_EOF_QUIT && !r->quit_after_script;
	return &o;
}

int
stdio_relay_check(const struct stdio_relay_options *o, struct err *e)
{
	const struct relay_options *r = &o->relay;
	enum fd_kind kind = fd_kind(STDIN_FILENO);

	/* A terminal or a socket may belong to somebody else. */
	if (awaits_first(r) && (kind == FD_PIPE || kind == FD_REGULAR) &&
	    fd_available(STDIN_FILENO) > 0)
		return err_set(e, ERR_USAGE, RELAY_UNREAD_ERROR);
	if (recorder_check(&o->record, false, e) < 0)
		return -1;
	if (r->out < 0 && r->quits_with_peer)
		return err_set(e, ERR_USAGE,
		    "--send-only sends stdin to its end: it does not go with "
		    "--on-peer-eof quit");
	if (r->in >= 0 && sock_check_standard(STDIN_FILENO, e) < 0)
		return err_append(e, "--recv-only does not need it");
	if (r->out >= 0 && sock_check_standard(STDOUT_FILENO, e) < 0)
		return err_append(e, "--send-only does not need it");
	if (r->in >= 0 && r->out >= 0 && fd_is_input(NULL, STDOUT_FILENO))
		return err_set(e, ERR_USAGE, FD_INPUT_ERROR, "stdout");
	return 0;
}

int
stdio_relay_open(
    struct stdio_relay *s, const struct stdio_relay_options *o, struct err *e)
{
	struct relay_options *r = &s->relay;

	if (stdio_relay_check(o, e) < 0)
		return -1;
	*r = o->relay;
	r->ends_out = !s->recorder.has_several;
	r->listener = r->sends_to_end ? NULL : s->listener;
	if (o->shows_progress)
		r->progress = &s->progress;
	s->input_start = -1;
	if (s->recorder.has_several && r->in >= 0 &&
	    fd_kind(STDIN_FILENO) == FD_REGULAR)
		s->input_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
	s->recorder.until = r->until;
	s->recorder.idle = r->idle;
	if (recorder_open(&s->recorder, &o->record, e) < 0)
		return -1;
	if (s->recorder.is_on)
		r->recorder = &s->recorder;
	return 0;
}

/* "45.2 MiB (120 MiB/s)", without a rate if there is none. */
static const char *
total_text(uint64_t bytes, int64_t ns)
{
	double rate = (double)bytes * 1e9 / (double)(ns > 0 ? ns : 1);

	return bytes == 0 || ns < CLOCK_MS
		   ? num_size_text(bytes)
		   : text_format("%s (%s/s)", num_size_text(bytes),
			 num_size_text((uint64_t)rate));
}

int
stdio_relay_run(struct stdio_relay *s, struct link *l, struct err *e)
{
	const struct relay_options *r = &s->relay;
	bool is_shown;
	int64_t ns;
	int result, status;

	if (s->input_start >= 0)
		(void)lseek(STDIN_FILENO, s->input_start, SEEK_SET);
	if (r->on_eof == RELAY_EOF_QUIT || r->quit_after_script)
		l->wanted = LINK_WANT_ACKS;
	/* At a terminal the user types where the line would be. */
	if (r->progress != NULL) {
		is_shown = r->in < 0 || fd_kind(r->in) != FD_TERMINAL;
		progress_start(r->progress, is_shown, is_shown);
	}
	if (r->script != NULL)
		script_start(r->script);
	result = recorder_begin(&s->recorder, l, e);
	if (result == 0) {
		result = relay_run(l, NULL, r, e);
	} else {
		l->first = LINK_FIRST_US;
		l->reset = LINK_RESET_BY_US;
		l->is_aborted = true;
	}
	result = recorder_close(&s->recorder, false, result, e);
	if (l->is_aborted)
		link_abort(l, r->idle.ms,
		    deadline_first(r->until, deadline_after(LINK_DRAIN_MS)));
	result = link_close(l, result, r->until, e);
	status = result < 0 ? (int)e->kind : 0;
	if (result < 0 && e->errnum == EINTR && signals_stopped() != 0)
		status = 128 + signals_stopped();
	link_log_closed(DIAG_NOTE, l, status);
	ns = clock_now() - l->start_ns;
	if (r->progress != NULL)
		diag_line(DIAG_ERRORS, "%s%ssent %s, received %s in %s",
		    s->recorder.has_several ? addr_text(&l->remote) : "",
		    s->recorder.has_several ? ": " : "",
		    total_text(l->sent, ns), total_text(l->received, ns),
		    num_duration_text(ns));
	return result;
}

int
stdio_relay_close(struct stdio_relay *s, int result, struct err *e)
{
	script_release(&given.script);
	return recorder_close(&s->recorder, true, result, e);
}
