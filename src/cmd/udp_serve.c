/* udp-serve: a datagram server. Socket, bind; then each datagram is answered to
 * its sender, from the address that it was sent to. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/literal.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/link.h"
#include "net/endpoint.h"
#include "net/proc.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/wait.h"
#include "relay/recorder.h"
#include "udp/dgram_server.h"
#include "udp/forwarder.h"
#include "udp/source.h"

#define SERVE_PORT 9999
/* The default of --reply. */
#define REPLY "Hello, %s!"
/* How often a background process looks whether its terminal may be read. */
#define FOREGROUND_MS 1000
/* The default of --max-rate. */
#define MAX_RATE 10000
/* The defaults of --session-timeout and --max-sessions. */
#define SESSION_MS 60000
#define MAX_SESSIONS 1024
/* Defaults and limits for programs. */
#define DEFAULT_PROGRAMS 32
#define MAX_PROGRAMS 1000
#define PROGRAM_MS 10000
/* For a program's answer, and the byte that makes it too long. */
#define ANSWER_SPACE (DGRAM_PAYLOAD_SIZE + 1)

enum serve_mode {
	SERVE_HELLO,
	SERVE_ECHO,
	SERVE_DISCARD,
	SERVE_PRINT,
	SERVE_PROGRAM,
	SERVE_FORWARD
};

static struct {
	int mode;             /* An enum serve_mode. */
	int lines, recv_only; /* For SERVE_PRINT. */
	const char *reply;
	int64_t count; /* How many datagrams to serve; 0: any number. */
	struct dgram_server_options server;
	struct forwarder_options forwarder;
	char *to;
	struct opt_list joins;
	int64_t max_programs, program_ms;
	struct recorder_options record;
} serve_options = {.server = {.max_rate = -1 /* not given */},
    .forwarder = {.session_ms = SESSION_MS, .max_sessions = MAX_SESSIONS},
    .max_programs = DEFAULT_PROGRAMS,
    .program_ms = PROGRAM_MS};

static const struct opt serve_opts[] = {
    FLAG(0, "echo", serve_options, mode, "answer each datagram with itself",
	.value = SERVE_ECHO, .excludes = "discard print reply program"),
    FLAG(0, "discard", serve_options, mode, "answer nothing",
	.value = SERVE_DISCARD, .excludes = "print reply max-rate program"),
    FLAG(0, "print", serve_options, mode,
	"print what arrives, send lines of stdin to the last sender",
	.value = SERVE_PRINT, .excludes = "reply max-rate program"),
    FLAG(0, "lines", serve_options, lines,
	"with --print: end each datagram with a newline", .needs = "print"),
    FLAG(0, "recv-only", serve_options, recv_only,
	"with --print: do not read stdin", .needs = "print"),
    STRING(0, "reply", "FORMAT", serve_options, reply,
	"answer FORMAT: %s message, %n its number, %a address, %p port, %% "
	"percent (default: '" REPLY "')",
	.excludes = "program"),
    NUMBER(0, "count", "N", serve_options, count, "exit after N datagrams",
	.min = 1),
    NUMBER(0, "max-rate", "N", serve_options, server.max_rate,
	"answer each host at most N times per second, 0: without a limit",
	.max = 1000000000),
    LIST(0, "join", "GROUP[%INTERFACE]", serve_options, joins,
	"receive a multicast group too; without ADDRESS nothing else",
	.excludes = "unix"),
    STRING(0, "to", "HOST:PORT", serve_options, to,
	"forward datagrams to HOST:PORT, and its answers to the clients",
	.excludes = "echo discard print reply count program"),
    DURATION(0, "session-timeout", "TIME", serve_options, forwarder.session_ms,
	"end a client's session after TIME without a datagram", .min = 1,
	.needs = "to"),
    NUMBER(0, "max-sessions", "N", serve_options, forwarder.max_sessions,
	"keep at most N sessions: the longest idle one ends", .min = 1,
	.max = 1000000, .needs = "to"),
    NUMBER(0, "max-programs", "N", serve_options, max_programs,
	"run at most N programs at once; datagrams wait", .min = 1,
	.max = MAX_PROGRAMS, .needs = "program"),
    DURATION(0, "program-timeout", "TIME", serve_options, program_ms,
	"kill a program that takes longer", .min = 1, .needs = "program"),
    {.kind = OPT_END},
};

static const struct opt record_opts[] = {
    FILENAME('x', "hexdump", "FILE", serve_options, record.hexdump,
	"write a hex dump of messages and answers to FILE; '-' is stdout, but "
	"not with --print",
	.dash = OPT_DASH_STDOUT, .dash_without = "print"),
    FILENAME(0, "textdump", "FILE", serve_options, record.textdump,
	"write messages and answers to FILE as text", .dash = OPT_DASH_STDOUT,
	.dash_without = "print"),
    {.kind = OPT_END},
};

static const struct opt_group serve_groups[] = {GROUP("server", serve_opts),
    GROUP("server", options_bind), GROUP("server", options_interface),
    GROUP("recording", record_opts), GROUP("addresses", options_names),
    GROUP("time limits", options_time_udp_serve),
    GROUP("socket options", options_socket), GROUP("messages", options_report),
    {.opts = NULL}};

/* A program and the datagram that it answers. */
struct program_run {
	struct proc *proc; /* It is terminated when its time has passed. */
	int in, out;       /* The other ends of its stdin and stdout, or -1. */
	int errnum;        /* Why a pipe to it has failed, or 0. */
	/* The payload is owned; this much of it was written. */
	unsigned char *payload;
	size_t length, written;
	/* The answer owns its bytes; too_long: they exceed its size. */
	struct dgram answer;
	bool too_long;
};

/* The command's state. */
struct serve_state {
	const struct options *options;
	enum serve_mode mode;
	struct listener_options listener; /* The shared ones, for datagrams. */
	struct dgram_server server;
	struct deadline until;    /* The end of --max-time. */
	struct pollfd *fds;       /* Sockets, stdin and programs; owned. */
	struct recorder recorder; /* It writes --hexdump and --textdump. */
	/* The server ends in order: no datagram came in time, with --fd
	 * systemd; or nobody reads what is printed any more. */
	bool is_over;
	const char *reply; /* A template (base/literal.h). */

	/* SERVE_FORWARD: the target, and the forwarder, which is owned. */
	struct endpoint to;
	struct forwarder *forwarder;

	/* SERVE_PRINT: stdin, whose fd may be -1; the datagram whose sender
	 * gets it; wait_watch_reader() of stdout was called. */
	struct source input;
	struct dgram last;
	bool is_watched;

	/* SERVE_PROGRAM: its arguments, or NULL; those that run, in an array
	 * that is owned; a shortage of processes was reported. */
	char *const *argv;
	struct program_run *runs;
	size_t run_count;
	bool is_short;
};

/* Records a datagram. Returns 0, or -1 with *e. */
static int
record(
    struct serve_state *s, bool is_sent, const struct dgram *d, struct err *e)
{
	return s->recorder.is_on ? recorder_add(&s->recorder, is_sent,
				       &d->remote, d->bytes, d->length, e)
				 : 0;
}

/* Sends answers, and records those that were sent. Returns how many, or -1 with
 * *e. */
static int
send_answers(struct serve_state *s, struct dgram *d, int count, struct err *e)
{
	int sent = count > 0 ? dgram_server_answer(&s->server, d, count) : 0, i;

	for (i = 0; i < sent; i++)
		if (record(s, true, &d[i], e) < 0)
			return -1;
	return sent;
}

/* Logs a datagram as an event or a line. */
static void
log_message(const struct dgram *d, int level)
{
	struct link c = {.local = d->to, .remote = d->from};

	link_log_message(level, "message", &c, d->bytes, d->length, d->full);
}

/* Makes the answer of hello and echo. Returns false if there is none. */
static bool
make_answer(struct serve_state *s, const struct dgram *d, uint64_t number,
    struct dgram *out)
{
	struct literal_values v = {.message = d->bytes,
	    .length = d->length,
	    .ip = "",
	    .port = addr_port(&d->from),
	    .number = number};
	unsigned char *storage = out->bytes;
	ssize_t n;

	*out = *d;
	if (s->mode == SERVE_ECHO)
		return true;
	out->bytes = storage;
	if (strstr(s->reply, "%a") != NULL)
		v.ip = addr_ip_text(&d->from);
	n = literal_fill(s->reply, &v, storage, DGRAM_PAYLOAD_SIZE);
	if (n < 0)
		dgram_server_ignore(
		    &s->server, d, "the answer would be too long");
	out->length = n < 0 ? 0 : (size_t)n;
	return n >= 0;
}

/* Starts the program for a datagram. Returns 0, or -1 with *e. */
static int
start_program(struct serve_state *s, const struct dgram *d, struct err *e)
{
	struct program program = {.argv = s->argv,
	    .options = {.leads_group = true,
		.limit_ms = serve_options.program_ms},
	    .protocol = "UDP",
	    .local = &d->to,
	    .remote = &d->from};
	struct program_run *p = &s->runs[s->run_count];
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	memset(p, 0, sizeof(*p));
	/* This process's ends do not block. */
	if (fd_pipe(in, false) < 0 || fd_pipe(out, false) < 0 ||
	    sock_nonblocking(in[1], true) < 0 ||
	    sock_nonblocking(out[0], true) < 0) {
		err_sys(e, ERR_FAILED, errno, "pipe");
	} else {
		program.in = in[0];
		program.out = out[1];
		p->proc = proc_start(&program, e);
	}
	fd_close(&in[0]);
	fd_close(&out[1]);
	if (p->proc == NULL) {
		fd_close(&in[1]);
		fd_close(&out[0]);
		return -1;
	}
	p->in = in[1];
	p->out = out[0];
	p->payload = mem_array(d->length + 1, 1);
	memcpy(p->payload, d->bytes, d->length);
	p->length = d->length;
	p->answer = *d;
	p->answer.bytes = mem_array(ANSWER_SPACE, 1);
	p->answer.length = 0;
	s->run_count++;
	return 0;
}

/* Writes the payload, then closes the pipe. */
static void
write_payload(struct program_run *p)
{
	ssize_t n;

	while (p->in >= 0 && p->written < p->length) {
		n = write(
		    p->in, p->payload + p->written, p->length - p->written);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* A program need not read it. */
		if (n < 0 && errno != EPIPE)
			p->errnum = errno;
		if (n < 0)
			break;
		p->written += (size_t)n;
	}
	fd_close(&p->in);
}

/* Reads the answer, and discards one that is too long. */
static void
read_answer(struct program_run *p)
{
	struct dgram *d = &p->answer;
	ssize_t n;

	while (p->out >= 0) {
		n = read(
		    p->out, d->bytes + d->length, ANSWER_SPACE - d->length);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			p->errnum = errno;
		if (n <= 0) {
			fd_close(&p->out);
			return;
		}
		d->length += (size_t)n;
		if (d->length == ANSWER_SPACE) {
			p->too_long = true;
			d->length = 0;
		}
	}
}

/* Sends a program's output as the answer. Returns 0, or -1 with *e. */
static int
answer_by_program(struct serve_state *s, struct program_run *p, struct err *e)
{
	struct dgram *d = &p->answer;
	int result = 0;

	if (p->errnum != 0)
		diag_warn("%s: no answer was sent: communicating with the "
			  "program: %s",
		    addr_text(&d->from),
		    err_find(p->errnum, ERR_AT_FILE)->reason);
	else if (p->proc->is_late)
		dgram_server_ignore(&s->server, d,
		    "the program took longer than allowed (--program-timeout)");
	else if (p->too_long)
		dgram_server_ignore(
		    &s->server, d, "the program's answer is too long");
	else if (d->length > 0)
		result = send_answers(s, d, 1, e);
	/* Its client waits for an answer. */
	if (p->proc->status != 0 && !p->proc->is_late)
		diag_line(d->length == 0 ? DIAG_SAY : DIAG_NOTE,
		    "%s: the program ended with status %d%s",
		    addr_text(&d->from), p->proc->status,
		    d->length == 0 ? " and sent no answer" : "");
	return result < 0 ? -1 : 0;
}

static void
release_program(struct program_run *p)
{
	proc_free(&p->proc);
	fd_close(&p->in);
	fd_close(&p->out);
	free(p->payload);
	free(p->answer.bytes);
}

/* Moves bytes of the programs without blocking, and sends the answers of those
 * that have ended. Returns 0, or -1 with *e. */
static int
advance_programs(struct serve_state *s, struct err *e)
{
	struct program_run *p;
	size_t i = 0;
	int result = 0;

	while (i < s->run_count && result == 0) {
		p = &s->runs[i];
		write_payload(p);
		/* The last output of one that has ended is in the pipe. */
		read_answer(p);
		/* Its child processes may hold the other ends. */
		if (p->proc->is_late) {
			fd_close(&p->in);
			fd_close(&p->out);
		}
		if (!proc_has_ended(p->proc) || p->out >= 0) {
			i++;
			continue;
		}
		result = answer_by_program(s, p, e);
		release_program(p);
		*p = s->runs[--s->run_count];
	}
	return result;
}

/* Fills in what to poll for the programs. Returns the number of entries. */
static size_t
poll_programs(const struct serve_state *s, struct pollfd *fds)
{
	size_t i, n = 0;

	for (i = 0; i < s->run_count; i++) {
		fds[n++] = (struct pollfd){s->runs[i].in, POLLOUT, 0};
		fds[n++] = (struct pollfd){s->runs[i].out, POLLIN, 0};
	}
	return n;
}

/*
 * Runs the program for a datagram. Where descriptors or processes are short, it
 * waits until another program has ended. Returns 0, or -1 with *e if the server
 * has to end.
 */
static int
run_program(struct serve_state *s, const struct dgram *d, struct err *e)
{
	/* The entries of the sockets are still needed. */
	struct pollfd *fds = s->fds + s->server.listener.count;
	struct err failure = ERR_INIT;
	size_t before;

	while (start_program(s, d, &failure) < 0) {
		if (s->run_count == 0 || (!err_is_shortage(failure.errnum) &&
					     failure.errnum != EAGAIN)) {
			diag_error(&failure);
			return 0;
		}
		if (!s->is_short)
			diag_warn("datagrams wait for a program to end: %s",
			    err_find(failure.errnum, ERR_AT_FILE)->reason);
		s->is_short = true;
		for (before = s->run_count; s->run_count == before;) {
			if (signals_stopped() != 0 || deadline_passed(s->until))
				return 0;
			(void)proc_poll(fds, poll_programs(s, fds), s->until);
			if (advance_programs(s, e) < 0)
				return -1;
		}
		err_clear(&failure);
	}
	return 0;
}

/* Prints a datagram, and remembers its sender if that has an address. */
static void
print_one(struct serve_state *s, const struct dgram *d)
{
	if (diag_is_json())
		log_message(d, DIAG_NOTE);
	else if (diag_shows(DIAG_NOTE) &&
		 dgram_server_is_news(&s->server, d, "receiving from"))
		diag_note("receiving from %s", addr_text(&d->from));
	if (serve_options.lines)
		result_line(d->bytes, d->length);
	else
		result_payload(d->bytes, d->length);
	if (addr_is_unix(&d->remote) ? !addr_is_unnamed(&d->remote)
				     : addr_port(&d->from) != 0)
		s->last = *d;
}

/* Reads stdin once, and sends its lines to the last sender. */
static int
send_input(struct serve_state *s, struct err *e)
{
	const unsigned char *bytes;
	enum source_next found;
	int sent;

	if (source_read(&s->input, e) < 0)
		return -1;
	while ((found = source_next(&s->input, &bytes, &s->last.length, e)) ==
	       SOURCE_MESSAGE) {
		s->last.bytes = (unsigned char *)bytes;
		sent = send_answers(s, &s->last, 1, e);
		if (sent < 0)
			return -1;
		if (sent == 0)
			diag_warn("a line of stdin was not sent to %s%s",
			    addr_text(&s->last.remote),
			    diag_shows(DIAG_NOTE) ? "" : " (-v shows why)");
	}
	source_consume(&s->input);
	if (found != SOURCE_ERROR)
		return 0;
	e->kind = ERR_FAILED;
	return -1;
}

/* The number of datagrams that may be received now. */
static int
capacity(const struct serve_state *s)
{
	int64_t max = DGRAM_MAX_RECEIVE, remaining;

	remaining = serve_options.count - (int64_t)s->server.received_count;
	if (serve_options.count > 0 && remaining < max)
		max = remaining;
	remaining = serve_options.max_programs - (int64_t)s->run_count;
	if (s->argv != NULL && remaining < max)
		max = remaining;
	return max > 0 ? (int)max : 0;
}

static struct deadline
idle_limit(const struct serve_state *s)
{
	return deadline_limit_from(
	    s->server.last_ns, s->options->idle.ms, s->options->idle.option);
}

/* Checks --idle-timeout, the normal end with --fd systemd, and --max-time.
 * Returns 0, or -1 with *e. */
static int
check_limits(struct serve_state *s, struct err *e)
{
	struct deadline idle = idle_limit(s);

	if (deadline_passed(s->until))
		deadline_error(s->until, "", e);
	else if (capacity(s) > 0 && deadline_passed(idle))
		deadline_error(idle, "no datagram", e);
	else
		return 0;
	err_append(e, "received %s",
	    num_count_text(s->server.received_count, "datagram"));
	s->is_over =
	    s->server.listener.is_from_systemd && !deadline_passed(s->until);
	if (!s->is_over)
		return -1;
	diag_note("%s: the normal end with --fd systemd", e->text);
	err_clear(e);
	return 0;
}

/*
 * Waits for datagrams, programs, stdin, signals and time limits. A background
 * process that reads its terminal is stopped (SIGTTIN), so it does not.
 */
static int
wait_more(struct serve_state *s, struct err *e)
{
	const struct listener *l = &s->server.listener;
	struct deadline until = deadline_first(idle_limit(s), s->until);
	size_t n;
	int ready;

	if (result_flush(e) < 0)
		return -1;
	for (n = 0; n < l->count; n++)
		s->fds[n] = (struct pollfd){
		    .fd = capacity(s) > 0 ? l->fds[n] : -1, .events = POLLIN};
	if (s->mode == SERVE_PRINT) {
		s->fds[n] = (struct pollfd){.fd = -1, .events = POLLIN};
		if (s->last.remote.len != 0 && fd_is_foreground(s->input.fd))
			s->fds[n].fd = s->input.fd;
		else if (s->last.remote.len != 0 && s->input.fd >= 0)
			until = deadline_first(
			    until, deadline_after(FOREGROUND_MS));
		n++;
	}
	n += poll_programs(s, s->fds + n);
	/* Without stdin and a record, printing is all there is to do. */
	if (s->mode == SERVE_PRINT && s->input.fd < 0 && !s->recorder.is_on &&
	    !s->is_watched) {
		wait_watch_reader(STDOUT_FILENO);
		s->is_watched = true;
	}
	ready = proc_poll(s->fds, n, until);
	s->is_over = ready < 0 && wait_is_unread();
	if (ready < 0 && errno != EINTR && !s->is_over)
		return err_sys(e, ERR_FAILED, errno, "waiting");
	if (ready < 0)
		signals_collect();
	return 0;
}

/* Whether --count datagrams were served, nothing came in time, or a signal. */
static bool
is_finished(const struct serve_state *s)
{
	return signals_stopped() != 0 || s->is_over ||
	       (serve_options.count > 0 && s->run_count == 0 &&
		   s->server.received_count >= (uint64_t)serve_options.count);
}

/* Receives from a socket, given by its index; records, logs or prints, and
 * answers. Returns 0, or -1 with *e. */
static int
serve_socket(struct serve_state *s, size_t socket, struct err *e)
{
	int level = s->mode == SERVE_HELLO ? DIAG_SAY : DIAG_NOTE;
	struct dgram_server *server = &s->server;
	uint64_t number = server->received_count;
	int i, count = 0;
	int n = dgram_server_receive(server, socket, capacity(s), e);

	for (i = 0; i < n; i++) {
		const struct dgram *d = &server->received[i];

		number++;
		if (record(s, false, d, e) < 0)
			return -1;
		if (s->mode == SERVE_PRINT)
			print_one(s, d);
		else if (diag_emits(level))
			log_message(d, level);
		if (s->mode == SERVE_PRINT || s->mode == SERVE_DISCARD ||
		    s->mode == SERVE_FORWARD ||
		    !dgram_server_may_answer(server, d))
			continue;
		if (s->mode != SERVE_PROGRAM)
			count +=
			    make_answer(s, d, number, &server->answers[count]);
		else if (run_program(s, d, e) < 0)
			return -1;
	}
	if (n > 0 && s->mode == SERVE_FORWARD)
		forwarder_send(s->forwarder, n);
	return n < 0 || send_answers(s, server->answers, count, e) < 0 ? -1 : 0;
}

/* Forwards until is_finished(). Returns 0, or -1 with *e. */
static int
forward_all(struct serve_state *s, struct err *e)
{
	int ready, socket, count, i;

	while (!is_finished(s)) {
		ready = forwarder_wait(
		    s->forwarder, deadline_first(idle_limit(s), s->until));
		if (ready < 0 && errno != EINTR)
			return err_sys(e, ERR_FAILED, errno, "waiting");
		if (ready < 0)
			signals_collect();
		for (i = 0; i < ready; i++) {
			socket = forwarder_receive(s->forwarder, i, &count);
			if ((socket >= 0 &&
				serve_socket(s, (size_t)socket, e) < 0) ||
			    send_answers(s, s->server.answers, count, e) < 0)
				return -1;
		}
		if (check_limits(s, e) < 0)
			return -1;
	}
	return 0;
}

/* Serves until is_finished(). Returns 0, or -1 with *e. */
static int
serve_all(struct serve_state *s, struct err *e)
{
	size_t i;

	while (!is_finished(s)) {
		if (wait_more(s, e) < 0)
			return -1;
		/* This process may have been stopped, or its output slow: what
		 * has arrived is served before the limit is judged. */
		for (i = 0; i < s->server.listener.count; i++)
			if ((s->fds[i].revents != 0 ||
				deadline_passed(idle_limit(s))) &&
			    capacity(s) > 0 && serve_socket(s, i, e) < 0)
				return -1;
		if (s->mode == SERVE_PRINT && s->fds[i].revents != 0 &&
		    send_input(s, e) < 0)
			return -1;
		if (advance_programs(s, e) < 0 || check_limits(s, e) < 0)
			return -1;
	}
	return 0;
}

/* Uses stdin, unless it is closed or a socket of --fd. */
static int
open_input(struct serve_state *s, struct err *e)
{
	const struct listener *l = &s->server.listener;
	size_t i;

	s->input = (struct source){
	    .kind = SOURCE_LINES, .fd = STDIN_FILENO, .keeps_newline = true};
	if (serve_options.recv_only || !fd_permits(STDIN_FILENO, O_RDONLY) ||
	    fd_has_ended(STDIN_FILENO))
		s->input.fd = -1;
	for (i = 0; i < l->count; i++)
		if (l->fds[i] == STDIN_FILENO)
			s->input.fd = -1;
	return source_start(&s->input, e);
}

/* Opens the record, and opens and binds the sockets; serves. The caller closes
 * them. Returns 0, or -1 with *e. */
static int
run_server(struct serve_state *s, const struct dgram_server_options *o,
    const struct command_args *args, const struct endpoint *ep, struct err *e)
{
	struct listener *l = &s->server.listener;
	size_t i;
	int result;

	if (s->mode == SERVE_PRINT && result_start(s->until, false, e) < 0)
		return -1;
	s->recorder.until = s->until;
	s->recorder.idle = s->options->idle;
	if (signals_catch(e) < 0 ||
	    recorder_open(&s->recorder, &serve_options.record, e) < 0 ||
	    recorder_begin(&s->recorder, NULL, e) < 0 ||
	    dgram_server_open(&s->server, ep, o, e) < 0)
		return -1;
	if (s->mode == SERVE_FORWARD) {
		s->forwarder = forwarder_new(
		    &s->server, &s->to, &serve_options.forwarder, e);
		if (s->forwarder == NULL)
			return -1;
	}
	if (options_check_inherited(l, args, e) < 0)
		return -1;
	if (s->mode == SERVE_HELLO && serve_options.reply == NULL &&
	    (l->is_port_chosen || isatty(STDERR_FILENO) ||
		diag_shows(DIAG_NOTE)))
		diag_warn("answering each datagram with a greeting (--print "
			  "prints datagrams)");
	listener_announce(l);
	if (s->mode == SERVE_PRINT && open_input(s, e) < 0)
		return -1;
	s->runs =
	    mem_array((size_t)serve_options.max_programs, sizeof(s->runs[0]));
	s->fds = mem_array(
	    l->count + 1 + 2 * (size_t)serve_options.max_programs + WAIT_SPARE,
	    sizeof(s->fds[0]));
	if (s->argv == NULL)
		sandbox_enter();
	result = s->mode == SERVE_FORWARD ? forward_all(s, e) : serve_all(s, e);
	proc_terminate_all();
	for (i = 0; i < s->run_count; i++)
		release_program(&s->runs[i]);
	forwarder_finish(s->forwarder);
	dgram_server_report(&s->server);
	return result;
}

/* Checks the options, and chooses the mode. Returns 0, or -1 with *e:
 * ERR_USAGE, or that the program cannot be run. */
static int
prepare(struct serve_state *s, const struct command_args *args, struct err *e)
{
	s->mode = (enum serve_mode)serve_options.mode;
	s->listener = s->options->listener;
	s->listener.until = s->until;
	s->listener.type = SOCK_DGRAM;
	s->argv = args->program;
	s->reply = serve_options.reply != NULL ? serve_options.reply : REPLY;
	if (recorder_check(&serve_options.record, false, e) < 0)
		return -1;
	if (s->mode == SERVE_PRINT && !serve_options.recv_only &&
	    fd_is_input(NULL, STDOUT_FILENO))
		return err_set(e, ERR_USAGE, FD_INPUT_ERROR, "stdout");
	if (literal_check(s->reply, e) < 0)
		return err_prefix(e, "--reply");
	if (s->mode == SERVE_PRINT)
		s->listener.stdio_error =
		    "standard output is the socket: nothing can be printed "
		    "with --print";
	if (s->argv != NULL) {
		s->mode = SERVE_PROGRAM;
		return proc_check(s->argv, e);
	}
	if (serve_options.to == NULL)
		return 0;
	s->mode = SERVE_FORWARD;
	if (endpoint_parse(&s->to, &serve_options.to, 0, "udp", e) < 0 ||
	    resolve_check(&s->to, &s->options->names, e) < 0)
		return err_prefix(e, "--to");
	return 0;
}

static int
serve_run(const struct command_args *args, struct err *e)
{
	struct serve_state s = {.options = options_complete(false)};
	const struct opt_list *joins = &serve_options.joins;
	struct multicast_group *groups =
	    mem_array(joins->count + 1, sizeof(groups[0]));
	struct access access = ACCESS_INIT;
	struct dgram_server_options o = serve_options.server;
	struct endpoint ep;
	unsigned only;
	int result;
	size_t i;

	s.until = s.options->until;
	only = s.options->names.interface;
	o.listener = &s.listener;
	o.groups = groups;
	o.group_count = joins->count;
	if (s.options->has_access_rules)
		o.access = &access;
	o.is_forwarder = serve_options.to != NULL;
	if (o.max_rate < 0)
		o.max_rate = o.is_forwarder ? 0 : MAX_RATE;
	diag_limit(s.until, s.options->idle.ms);
	result = options_parse_local(&ep, args, "udp", SERVE_PORT, e);
	if (result == 0)
		result = prepare(&s, args, e);
	for (i = 0; result == 0 && i < joins->count; i++) {
		if (multicast_parse(&groups[i], joins->items[i].text, e) < 0)
			result = err_prefix(e, "--join");
		else if (only != 0 && groups[i].interface != 0 &&
			 groups[i].interface != only)
			result = err_set(e, ERR_USAGE,
			    "--join: %s names another interface than "
			    "--interface",
			    text_shown(joins->items[i].text));
		else if (only != 0)
			groups[i].interface = only;
	}
	if (result == 0)
		result = options_read_access(&access, e);
	if (result == 0)
		result =
		    signals_server_result(run_server(&s, &o, args, &ep, e), e);
	forwarder_free(s.forwarder);
	dgram_server_close(&s.server);
	result = recorder_close(&s.recorder, true, result, e);
	access_release(&access);
	source_release(&s.input);
	free(groups);
	free(s.runs);
	free(s.fds);
	return result;
}

const struct command udp_serve_command = {
    .name = "udp-serve",
    .summary = "answer datagrams",
    .operands = "[ADDRESS] [PORT]",
    .min_operands = 0,
    .max_operands = 2,
    .runs_program = true,
    .groups = serve_groups,
    .usual = "echo discard print lines reply to count hexdump join "
	     "allow idle-timeout verbose json",
    .notes =
	"The default PORT is 9999. Without ADDRESS only this machine can send "
	"to "
	"it (127.0.0.1 and ::1); '*' or any is every address. A PROGRAM is run "
	"for each datagram: its stdin is the payload, its stdout the answer.",
    .examples = "sockt udp-serve\n"
		"sockt udp-serve --print --lines 5140 >> log\n"
		"sockt udp-serve 9999 -- tr a-z A-Z\n"
		"sockt udp-serve '*' 53 --to 172.16.0.2:53\n",
    .run = serve_run,
};
