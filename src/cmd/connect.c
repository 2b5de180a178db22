/*
 * connect: a client. Resolve, socket, connect, send and receive, close.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "cli/command.h"
#include "cmd/common.h"
#include "cmd/table.h"
#include "net/dial.h"
#include "net/endpoint.h"
#include "net/program.h"
#include "net/relay.h"
#include "net/wait.h"

/* How long a one-way sender waits for the peer to have taken everything. */
#define DRAIN_MS 2000

struct connect_options {
	struct report_options report;
	struct family_options family;
	struct source_options source;
	struct time_options time;
	struct sock_options sock;
	struct common_relay_options relay;
	int zero; /* -z: connect, report, leave */
};

static const struct connect_options connect_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
};

static const struct opt connect_opts[] = {
    {.kind = OPT_FLAG,
	.letter = 'z',
	.name = "zero",
	.help = "connect, report, leave",
	.offset = offsetof(struct connect_options, zero),
	.value = 1,
	.excludes = "send-only recv-only on-eof on-peer-eof idle-timeout"},
    {.kind = OPT_END}};

static const struct opt_group connect_groups[] = {
    {"what to do", connect_opts, 0},
    {"relaying", common_relay_opts, offsetof(struct connect_options, relay)},
    {"addresses", common_family_opts, offsetof(struct connect_options, family)},
    {"own end", common_source_opts, offsetof(struct connect_options, source)},
    {"time", common_timeout_opts, offsetof(struct connect_options, time)},
    {"time", common_idle_opts, offsetof(struct connect_options, time)},
    {"time", common_max_opts, offsetof(struct connect_options, time)},
    {"socket", common_socket_opts, offsetof(struct connect_options, sock)},
    {"report", common_report_opts, offsetof(struct connect_options, report)},
    {NULL, NULL, 0}};

/* What a connection needs to be reported when it is over. */
struct connection {
	int fd;
	struct dial_result names;
	int64_t start_ns;
};

static void
tell_closed(const struct connection *c, const struct relay_result *r,
    const struct err *e, int result)
{
	relay_tell_closed(DIAG_NOTE, &c->names.local, &c->names.remote, r,
	    clock_now() - c->start_ns, result < 0 ? (int)e->kind : 0);
}

/* stdin and stdout. */
static int
talk(struct connection *c, const struct connect_options *o,
    struct deadline until, struct err *e)
{
	struct relay_options ro;
	struct relay_result r;
	int result;

	common_relay_setup(&ro, &o->relay, &o->time, until);
	result = relay_run(c->fd, &ro, &r, e);
	if (result == 0 && ro.on_eof == RELAY_EOF_QUIT)
		sock_close_drained(&c->fd, DRAIN_MS);
	tell_closed(c, &r, e, result);
	return result;
}

/* A program; its exit status becomes ours. */
static int
run_program(struct connection *c, char *const *argv, struct err *e)
{
	pid_t pid;
	int status;

	sock_nonblocking(c->fd, false);
	pid = program_start(
	    argv, c->fd, c->fd, "TCP", &c->names.local, &c->names.remote, e);
	if (pid < 0) {
		status = program_errno_status(e->errnum);
		diag_error(e);
	} else {
		status = program_wait(pid);
		sock_close_drained(&c->fd, DRAIN_MS);
	}
	if (status == 0)
		return 0;
	err_clear(e);
	e->kind = (enum err_kind)status;
	return -1;
}

static int
connect_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct connect_options *o = options;
	struct connection c = {.fd = -1, .start_ns = clock_now()};
	struct deadline until = deadline_after(o->time.max_ms);
	struct dial_options d;
	struct endpoint ep;
	int result = 0;

	if (endpoint_parse(&ep, args->operands, args->count, "tcp", e) < 0)
		return -1;
	if (!o->zero && args->program == NULL &&
	    common_relay_check(&o->relay, e) < 0)
		return -1;
	common_dial_options(&d, &o->family, &o->source, &o->sock);
	if (wait_catch(WAIT_STOP, e) < 0)
		return -1;
	c.fd = dial_connect(&ep, &d,
	    deadline_first(until, deadline_after(o->time.timeout_ms)), &c.names,
	    e);
	if (c.fd < 0)
		return -1;
	if (args->program != NULL)
		result = run_program(&c, args->program, e);
	else if (!o->zero)
		result = talk(&c, o, until, e);
	sock_close(&c.fd);
	return result;
}

const struct command connect_command = {
    .name = "connect",
    .summary = "connect to a server and relay stdin and stdout",
    .operands = "HOST PORT",
    .least = 1,
    .most = 2,
    .takes_program = true,
    .groups = connect_groups,
    .defaults = &connect_defaults,
    .size = sizeof(struct connect_options),
    .notes =
	"HOST PORT may also be HOST:PORT, [V6]:PORT, unix:PATH or "
	"unix:@NAME.\n\n"
	"examples:\n"
	"  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | sockt connect localhost 80\n"
	"  sockt connect -z -w 2 localhost 22 && echo open\n"
	"  sockt connect -vv localhost 9999\n",
    .run = connect_run,
};
