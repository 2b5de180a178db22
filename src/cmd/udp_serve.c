/* udp-serve: a datagram server. Socket, bind; then each datagram is answered to
 * its sender, from the address that it was sent to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/template.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "relay/recorder.h"
#include "udp/dgram_server.h"
#include "udp/multicast.h"
#include "udp/source.h"
#include "udp/udp_programs.h"

#define SERVE_PORT 9999
/* The default of --reply. */
#define REPLY "Hello, %s!"
/* How often a background process looks whether its terminal may be read. */
#define FOREGROUND_MS 1000
/* The default of --max-rate. */
#define MAX_RATE 10000
/* Defaults and limits for programs. */
#define DEFAULT_PROGRAMS 32
#define MAX_PROGRAMS 1000
#define PROGRAM_MS 10000

enum serve_mode {
	SERVE_HELLO,
	SERVE_ECHO,
	SERVE_DISCARD,
	SERVE_PRINT,
	SERVE_PROGRAM
};

static struct {
	int mode;             /* enum serve_mode */
	int lines, recv_only; /* of SERVE_PRINT */
	const char *reply;
	int64_t count; /* datagrams; 0: any number */
	struct dgram_server_options server;
	struct opt_list joins; /* --join */
	struct udp_programs programs;
	struct recorder_options record;
} serve_options = {
    .server = {.listener = &options.listener, .max_rate = MAX_RATE},
    .programs = {.max = DEFAULT_PROGRAMS, .limit_ms = PROGRAM_MS},
};

static const struct opt serve_opts[] = {
    FLAG(0, "echo", serve_options, mode, "answer each datagram with itself",
	.value = SERVE_ECHO, .excludes = "discard print reply"),
    FLAG(0, "discard", serve_options, mode, "answer nothing",
	.value = SERVE_DISCARD, .excludes = "print reply max-rate"),
    FLAG(0, "print", serve_options, mode,
	"print what arrives, send lines of stdin to the last sender",
	.value = SERVE_PRINT, .excludes = "reply max-rate"),
    FLAG(0, "lines", serve_options, lines,
	"with --print: end each datagram with a newline"),
    FLAG(0, "recv-only", serve_options, recv_only,
	"with --print: do not read stdin"),
    STRING(0, "reply", "FORMAT", serve_options, reply,
	"answer FORMAT: %s message, %n its number, %a address, %p port, %% "
	"percent (default: '" REPLY "')"),
    NUMBER(0, "count", "N", serve_options, count, "exit after N datagrams",
	.min = 1),
    NUMBER(0, "max-rate", "N", serve_options, server.max_rate,
	"answer each host at most N times per second, 0: without a limit",
	.max = 1000000000),
    LIST(0, "join", "GROUP[%IF]", serve_options, joins,
	"receive a multicast group too; without ADDR nothing else"),
    {.kind = OPT_END},
};

static const struct opt program_opts[] = {
    NUMBER(0, "max-programs", "N", serve_options, programs.max,
	"run at most N programs at once; datagrams wait (default: 32)",
	.min = 1, .max = MAX_PROGRAMS),
    DURATION(0, "program-timeout", "T", serve_options, programs.limit_ms,
	"kill a program that takes longer (default: 10 s)", .min = 1),
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

static const struct opt time_opts[] = {
    OPTIONS_IDLE("time limit without a datagram"),
    OPTIONS_MAX("time limit for the command as a whole"),
    {.kind = OPT_END},
};

static const struct opt_group serve_groups[] = {{"server", serve_opts},
    {"server", program_opts}, {"server", options_bind},
    {"server", options_access}, {"recording", record_opts},
    {"addresses", options_names}, {"time limits", time_opts},
    {"socket options", options_socket}, {"messages", options_report},
    {NULL, NULL}};

/* The command's state. */
struct serve_state {
	struct dgram_server server;
	const char *reply;        /* a template (base/template.h) */
	struct source input;      /* SERVE_PRINT: stdin, or -1 */
	struct dgram last;        /* its addresses: where that goes */
	struct deadline until;    /* --max-time */
	struct pollfd *fds;       /* owned */
	struct recorder recorder; /* --hexdump, --textdump */
	struct err record_error;  /* its first error */
};

/* Records a datagram. The server ends when the record accepts no more. */
static void
record(struct serve_state *s, bool is_sent, const struct dgram *d)
{
	if (s->recorder.is_on && s->record_error.kind == ERR_NONE)
		(void)recorder_add(&s->recorder, is_sent, &d->remote, d->bytes,
		    d->length, &s->record_error);
}

static void
on_sent(void *context, const struct dgram *d)
{
	record(context, true, d);
}

/* Logs a datagram as an event or a line. */
static void
log_message(const struct dgram *d, int level)
{
	struct conn c = {.local = d->to, .remote = d->from};

	conn_event_message(level, "message", &c, d->bytes, d->length, d->full);
}

/* Makes the answer of hello and echo. Returns false if there is none. */
static bool
make_answer(void *context, const struct dgram *d, struct dgram *out)
{
	struct serve_state *s = context;
	struct template_values v = {.message = d->bytes,
	    .length = d->length,
	    .ip = "",
	    .port = addr_port(&d->from),
	    .number = s->server.received_count};
	ssize_t n;

	if (serve_options.mode == SERVE_ECHO) {
		out->bytes = d->bytes;
		out->length = d->length;
		return true;
	}
	if (strstr(s->reply, "%a") != NULL)
		v.ip = addr_ip_text(&d->from);
	n = template_fill(s->reply, &v, out->bytes, out->size);
	if (n < 0)
		dgram_server_ignore(
		    &s->server, d, "the answer would be too long");
	out->length = n < 0 ? 0 : (size_t)n;
	return n >= 0;
}

/* Starts the program for a datagram, which answers later. */
static bool
run_program(void *context, const struct dgram *d, struct dgram *out)
{
	struct err e = ERR_INIT;

	(void)context;
	(void)out;
	if (udp_programs_run(&serve_options.programs, d, &e) < 0)
		diag_error(&e);
	return false;
}

/* Sends a program's output as the answer. */
static void
on_program_end(void *context, const struct udp_program *p)
{
	struct serve_state *s = context;
	const struct dgram *d = &p->answer;

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
	else if (p->answer.length > 0)
		dgram_server_answer(&s->server, &p->answer, 1);
	if (p->proc->status != 0 && !p->proc->is_late)
		diag_note("%s: the program ended with status %d",
		    addr_text(&d->from), p->proc->status);
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
	if (!addr_is_unix(&d->remote)
		? addr_port(&d->from) != 0
		: d->remote.len > offsetof(struct sockaddr_un, sun_path))
		s->last = *d;
}

/* Records a datagram, and logs or prints it. */
static void
on_received(void *context, const struct dgram *d)
{
	int level = serve_options.mode == SERVE_HELLO ? DIAG_SAY : DIAG_NOTE;

	record(context, false, d);
	if (serve_options.mode == SERVE_PRINT)
		print_one(context, d);
	else if (diag_emits(level))
		log_message(d, level);
}

/* Reads stdin once, and sends its lines to the last sender. */
static int
send_input(struct serve_state *s, struct err *e)
{
	uint64_t answered;
	const unsigned char *bytes;
	enum source_next found;

	if (source_read(&s->input, e) < 0)
		return -1;
	while ((found = source_next(&s->input, &bytes, &s->last.length, e)) ==
	       SOURCE_MESSAGE) {
		answered = s->server.answered_count;
		s->last.bytes = (unsigned char *)bytes;
		dgram_server_answer(&s->server, &s->last, 1);
		if (s->server.answered_count == answered)
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
	const struct udp_programs *w = &serve_options.programs;
	int64_t max = DGRAM_MAX_RECEIVE, remaining;

	remaining = serve_options.count - (int64_t)s->server.received_count;
	if (serve_options.count > 0 && remaining < max)
		max = remaining;
	if (w->argv != NULL && w->max - (int64_t)w->count < max)
		max = w->max - (int64_t)w->count;
	return max > 0 ? (int)max : 0;
}

static struct deadline
idle_limit(const struct serve_state *s)
{
	return deadline_limit_from(
	    s->server.last_ns, options.time.idle_ms, "--idle-timeout");
}

/* Checks --idle-timeout and --max-time. Returns 0, or -1 with *e. */
static int
check_limits(const struct serve_state *s, struct err *e)
{
	if (deadline_passed(s->until))
		deadline_error(s->until, "", e);
	else if (capacity(s) > 0 && deadline_passed(idle_limit(s)))
		deadline_error(idle_limit(s), "no datagram", e);
	else
		return 0;
	return err_append(e, "received %s",
	    num_count_text(s->server.received_count, "datagram"));
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
	if (serve_options.mode == SERVE_PRINT) {
		s->fds[n] = (struct pollfd){.fd = -1, .events = POLLIN};
		if (s->last.remote.len != 0 && fd_is_foreground(s->input.fd))
			s->fds[n].fd = s->input.fd;
		else if (s->last.remote.len != 0 && s->input.fd >= 0)
			until = deadline_first(
			    until, deadline_after(FOREGROUND_MS));
		n++;
	}
	n += udp_programs_pollfds(&serve_options.programs, s->fds + n);
	ready = proc_poll(s->fds, n, until);
	if (ready < 0 && errno != EINTR)
		return err_sys(e, ERR_FAILED, errno, "waiting");
	if (ready < 0)
		signals_collect();
	return 0;
}

/* Whether --count datagrams were served, a signal has arrived, or the record
 * has failed. */
static bool
is_finished(const struct serve_state *s)
{
	if (signals_stopped() != 0 || s->record_error.kind != ERR_NONE)
		return true;
	return serve_options.count > 0 && serve_options.programs.count == 0 &&
	       s->server.received_count >= (uint64_t)serve_options.count;
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
			    capacity(s) > 0 &&
			    dgram_server_serve(&s->server, i, capacity(s), e) <
				0)
				return -1;
		if (serve_options.mode == SERVE_PRINT &&
		    s->fds[i].revents != 0 && send_input(s, e) < 0)
			return -1;
		(void)udp_programs_advance(&serve_options.programs);
		if (check_limits(s, e) < 0)
			return -1;
	}
	if (s->record_error.kind == ERR_NONE)
		return 0;
	*e = s->record_error;
	return -1;
}

/* Uses stdin, unless it is closed or a socket of --fd. */
static int
open_input(struct serve_state *s, struct err *e)
{
	const struct listener *l = &s->server.listener;
	size_t i;

	s->input = (struct source){
	    .kind = SOURCE_LINES, .fd = STDIN_FILENO, .keeps_newline = true};
	if (serve_options.recv_only || !fd_is_readable(STDIN_FILENO))
		s->input.fd = -1;
	for (i = 0; i < l->count; i++)
		if (l->fds[i] == STDIN_FILENO)
			s->input.fd = -1;
	return source_start(&s->input, e);
}

/* Opens the record, and opens and binds the sockets; serves, closes them. */
static int
run_server(struct serve_state *s, const struct opt *const *used,
    const struct endpoint *ep, struct err *e)
{
	const struct listener *l = &s->server.listener;
	struct udp_programs *w = &serve_options.programs;
	int result;

	if (serve_options.mode == SERVE_PRINT &&
	    result_start(s->until, false, e) < 0)
		return -1;
	s->recorder.until = s->until;
	s->recorder.idle = options_idle_limit();
	if (signals_catch(e) < 0 ||
	    recorder_open(&s->recorder, &serve_options.record, e) < 0 ||
	    recorder_begin(&s->recorder, NULL, e) < 0 ||
	    dgram_server_open(&s->server, ep, &serve_options.server, e) < 0)
		return signals_server_result(-1, e);
	if (options_check_inherited(&s->server.listener, used, e) < 0) {
		dgram_server_close(&s->server);
		return -1;
	}
	if (serve_options.mode == SERVE_HELLO && serve_options.reply == NULL &&
	    (l->is_port_chosen || isatty(STDERR_FILENO) ||
		diag_shows(DIAG_NOTE)))
		diag_warn("answering each datagram with a greeting (--print "
			  "prints them)");
	listener_announce(l);
	if (serve_options.mode == SERVE_PRINT && open_input(s, e) < 0)
		return -1;
	s->fds =
	    mem_array(l->count + 2 * (size_t)w->max + 2, sizeof(s->fds[0]));
	if (w->argv == NULL)
		sandbox_enter();
	result = serve_all(s, e);
	/* --idle-timeout is a normal end with --fd systemd. */
	if (result < 0 && s->record_error.kind == ERR_NONE &&
	    e->kind == ERR_TIMEOUT && !deadline_passed(s->until) &&
	    l->is_activated) {
		diag_note("%s: the normal end with --fd systemd", e->text);
		result = 0;
	}
	udp_programs_stop(w);
	dgram_server_report(&s->server);
	dgram_server_close(&s->server);
	return signals_server_result(result, e);
}

/* Completes the options. Returns 0, or -1 with *e: ERR_USAGE, or that the
 * program cannot be run. */
static int
complete(struct serve_state *s, const struct command_args *args, struct err *e)
{
	struct dgram_server_options *server = &serve_options.server;
	struct udp_programs *w = &serve_options.programs;
	int *mode = &serve_options.mode;
	const char *reply = serve_options.reply;

	if (recorder_check(&serve_options.record, false, e) < 0)
		return -1;
	if (args->program != NULL && (*mode != SERVE_HELLO || reply != NULL))
		return err_set(e, ERR_USAGE,
		    "a program and --echo, --discard, --print or --reply "
		    "cannot be used together");
	if (args->program == NULL &&
	    opt_find_used(args->used, program_opts) != NULL)
		return err_set(e, ERR_USAGE,
		    "--max-programs and --program-timeout are for a program");
	if ((serve_options.lines || serve_options.recv_only) &&
	    *mode != SERVE_PRINT)
		return err_set(
		    e, ERR_USAGE, "--lines and --recv-only are for --print");
	s->reply = reply != NULL ? reply : REPLY;
	if (template_check(s->reply, e) < 0)
		return err_prefix(e, "--reply");
	if (*mode == SERVE_PRINT)
		options.listener.stdio_error =
		    "standard output is the socket: nothing can be printed "
		    "with --print";
	options.listener.until = w->until = s->until;
	options.listener.type = SOCK_DGRAM;
	server->on_received = on_received;
	if (*mode == SERVE_HELLO || *mode == SERVE_ECHO)
		server->answer = make_answer;
	if (serve_options.record.hexdump != NULL ||
	    serve_options.record.textdump != NULL)
		server->on_sent = on_sent;
	server->context = w->context = s;
	w->on_end = on_program_end;
	w->argv = args->program;
	if (w->argv == NULL)
		return 0;
	*mode = SERVE_PROGRAM;
	server->answer = run_program;
	return proc_check(w->argv, e);
}

static int
serve_run(const struct command_args *args, struct err *e)
{
	struct dgram_server_options *server = &serve_options.server;
	struct serve_state s = {
	    .until = deadline_max_time(options.time.max_ms)};
	const struct opt_list *joins = &serve_options.joins;
	struct access access = ACCESS_INIT;
	struct endpoint ep;
	int result;
	size_t i;

	diag_limit(s.until, options.time.idle_ms);
	if (options_parse_local(&ep, args, "udp", SERVE_PORT, e) < 0)
		return -1;
	if (options.access.count > 0)
		server->access = &access;
	result = complete(&s, args, e);
	server->groups = mem_array(joins->count + 1, sizeof(server->groups[0]));
	server->group_count = joins->count;
	for (i = 0; result == 0 && i < joins->count; i++)
		if (multicast_parse(&server->groups[i], joins->items[i], e) < 0)
			result = err_prefix(e, "--join");
	if (result == 0)
		result = options_make_access(&access, e);
	if (result == 0)
		result = run_server(&s, args->used, &ep, e);
	result = recorder_close(&s.recorder, true, result, e);
	access_release(&access);
	source_release(&s.input);
	free(server->groups);
	free(s.fds);
	return result;
}

const struct command udp_serve_command = {
    .name = "udp-serve",
    .summary = "answer datagrams",
    .operands = "[ADDR] [PORT]",
    .min_operands = 0,
    .max_operands = 2,
    .runs_program = true,
    .groups = serve_groups,
    .usual = "echo discard print lines recv-only reply count hexdump join "
	     "allow idle-timeout verbose json",
    .notes =
	"The default PORT is 9999. Without ADDR only this machine can send to "
	"it (127.0.0.1 and ::1); '*' or any is every address. A PROGRAM is run "
	"for "
	"each datagram: its stdin is the payload, its stdout the answer.",
    .examples = "sockt udp-serve\n"
		"sockt udp-serve --print --lines 5140 >> log\n"
		"sockt udp-serve 9999 -- tr a-z A-Z\n",
    .run = serve_run,
};
