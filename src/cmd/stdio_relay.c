/* Relays between a connection and stdin and stdout, for connect and listen. */
#include "cmd/stdio_relay.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/text.h"
#include "cmd/options.h"
#include "net/link.h"
#include "net/signals.h"
#include "net/sock.h"

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

struct stdio_relay_options stdio_relay_options = {
    .on_eof = -1,
    .on_peer_eof = -1,
    .relay = {.linger_ms = -1},
    .script = {.expect_ms = -1},
};

const struct opt stdio_relay_opts[] = {
    FLAG(0, "recv-only", stdio_relay_options, recv_only,
	"receive to stdout, do not read stdin", .excludes = "on-eof"),
    FLAG(0, "send-only", stdio_relay_options, send_only,
	"send stdin, discard what is received", .excludes = "recv-only on-eof"),
    FLAG('C', "crlf", stdio_relay_options, relay.crlf,
	"send LF as CRLF; a CRLF stays as it is", .excludes = "recv-only"),
    CHOICE(0, "on-eof", "WHAT", stdio_relay_options, on_eof,
	"at the end of stdin: fin = send FIN and keep receiving, keep = keep "
	"receiving, quit = exit",
	.choices = on_eof_words),
    CHOICE(0, "on-peer-eof", "WHAT", stdio_relay_options, on_peer_eof,
	"when the peer finishes first: finish = send until stdin ends, quit = "
	"exit (default: finish, at a terminal "
	"quit)",
	.choices = on_peer_eof_words),
    DURATION(0, "linger", "TIME", stdio_relay_options, relay.linger_ms,
	"after the end of stdin, wait at most TIME for the peer to finish",
	.excludes = "send-only recv-only"),
    FLAG('P', "progress", stdio_relay_options, progress,
	"show bytes and rate on the terminal"),
    {.kind = OPT_END},
};

const struct opt stdio_relay_script_opts[] = {
    CALL(0, "send", "TEXT", stdio_relay_options, script,
	"send TEXT first; escapes are \\r \\n \\t \\0 \\e \\\\ \\xHH",
	.call = parse_send),
    CALL(0, "expect", "REGEX", stdio_relay_options, script,
	"wait for data that matches REGEX (extended, with these escapes; ^ and "
	"$ are those of lines); in order with --send",
	.call = parse_expect),
    DURATION(0, "expect-timeout", "TIME", stdio_relay_options, script.expect_ms,
	"wait at most TIME for each --expect", .min = 1,
	.needs = "send expect"),
    FLAG(0, "done", stdio_relay_options, relay.quit_after_script,
	"exit after the last --send or --expect; do not read stdin",
	.needs = "send expect"),
    {.kind = OPT_END},
};

/* Options without which stdout has the data that is received. */
#define STDOUT_IS_FREE "send-only to echo discard exec program"

const struct opt stdio_relay_record_opts[] = {
    FILENAME('o', "output", "FILE", stdio_relay_options, record.output,
	"also write what is received to FILE, or with %d in its name both "
	"directions; %n is the connection's number; '-' is stdout, where that "
	"is free",
	.dash = OPT_DASH_STDOUT, .dash_with = STDOUT_IS_FREE),
    FLAG(0, "append", stdio_relay_options, record.append,
	"append to these files instead of replacing them"),
    FILENAME('x', "hexdump", "FILE", stdio_relay_options, record.hexdump,
	"write a hex dump of both directions to FILE, or data events with "
	"--json; '-' is stdout, where that is free",
	.dash = OPT_DASH_STDOUT, .dash_with = STDOUT_IS_FREE),
    FILENAME(0, "textdump", "FILE", stdio_relay_options, record.textdump,
	"write both directions to FILE as text", .dash = OPT_DASH_STDOUT,
	.dash_with = STDOUT_IS_FREE),
    {.kind = OPT_END},
};

/* Whether nothing, not even stdin, is sent before the first pattern matches. */
static bool
awaits_first(const struct stdio_relay_options *o)
{
	return o->relay.quit_after_script && o->script.count > 0 &&
	       o->script.items[0].is_expect;
}

int
stdio_relay_check(struct err *e)
{
	const struct stdio_relay_options *o = &stdio_relay_options;
	enum fd_kind kind = fd_kind(STDIN_FILENO);
	bool reads = !o->recv_only && !o->relay.quit_after_script;

	/* A terminal or a socket may belong to somebody else. */
	if (awaits_first(o) && (kind == FD_PIPE || kind == FD_REGULAR) &&
	    fd_available(STDIN_FILENO) > 0)
		return err_set(e, ERR_USAGE, RELAY_UNREAD_ERROR);
	if (recorder_check(&o->record, false, e) < 0)
		return -1;
	if (o->send_only && o->on_peer_eof == QUIT)
		return err_set(e, ERR_USAGE,
		    "--send-only sends stdin to its end: it does not go with "
		    "--on-peer-eof quit");
	if (reads && sock_check_standard(STDIN_FILENO, e) < 0)
		return err_append(e, "--recv-only does not need it");
	if (!o->send_only && sock_check_standard(STDOUT_FILENO, e) < 0)
		return err_append(e, "--send-only does not need it");
	if (reads && !o->send_only && fd_is_input(NULL, STDOUT_FILENO))
		return err_set(e, ERR_USAGE, FD_INPUT_ERROR, "stdout");
	return 0;
}

int
stdio_relay_open(struct stdio_relay *s, struct deadline until, struct err *e)
{
	const struct stdio_relay_options *o = &stdio_relay_options;
	struct relay_options *r = &s->relay;
	enum fd_kind kind = fd_kind(STDIN_FILENO);

	if (stdio_relay_check(e) < 0)
		return -1;
	*r = o->relay;
	r->in = o->recv_only || r->quit_after_script ? -1 : STDIN_FILENO;
	r->out = o->send_only ? -1 : STDOUT_FILENO;
	r->refuses_stdin = awaits_first(o) && kind == FD_PIPE;
	r->ends_out = !s->recorder.has_several;
	r->on_eof = o->send_only    ? RELAY_EOF_QUIT
		    : o->on_eof < 0 ? RELAY_EOF_FIN
				    : o->on_eof;
	/* At a terminal the user sees that end; other input is sent whole. */
	r->quits_with_peer = o->on_peer_eof >= 0
				 ? o->on_peer_eof == QUIT
				 : !o->send_only && kind == FD_TERMINAL;
	/* What the user typed holds for every client. */
	r->sends_to_end = o->on_peer_eof >= 0 || o->send_only;
	r->next = r->sends_to_end ? NULL : s->next;
	r->idle = options_idle_limit();
	r->until = until;
	if (o->script.count > 0)
		r->script = &stdio_relay_options.script;
	if (o->progress)
		r->progress = &s->progress;
	s->input_start = -1;
	if (s->recorder.has_several && r->in >= 0 && kind == FD_REGULAR)
		s->input_start = lseek(STDIN_FILENO, 0, SEEK_CUR);
	s->recorder.until = until;
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
		diag_progress_start(r->progress, is_shown, is_shown);
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
