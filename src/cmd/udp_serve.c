/*
 * udp-serve: a datagram server. Socket, bind; then each datagram that is
 * received is answered to its sender, from the address that it was sent to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/format.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/common.h"
#include "cmd/table.h"
#include "net/access.h"
#include "net/dgram.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "net/wait.h"

#define SERVE_PORT 9999
/* How much of a message is shown. */
#define SHOWN 512
/* How long an answer may wait for room in the send buffer. */
#define SEND_MS 1000

enum serve_mode { SERVE_HELLO, SERVE_ECHO, SERVE_DISCARD, SERVE_PRINT };

struct serve_options {
	struct report_options report;
	struct family_options family;
	struct time_options time;
	struct sock_options sock;
	struct access_options access;
	int mode; /* enum serve_mode */
	const char *reply;
	int64_t count; /* datagrams; 0: any number */
};

static const struct serve_options serve_defaults = {
    .time = TIME_OPTIONS_INIT,
    .sock = SOCK_OPTIONS_INIT,
};

static const struct opt serve_opts[] = {
    {.kind = OPT_FLAG,
	.name = "echo",
	.help = "answer each datagram with itself",
	.offset = offsetof(struct serve_options, mode),
	.value = SERVE_ECHO,
	.excludes = "discard print reply"},
    {.kind = OPT_FLAG,
	.name = "discard",
	.help = "answer nothing",
	.offset = offsetof(struct serve_options, mode),
	.value = SERVE_DISCARD,
	.excludes = "print reply"},
    {.kind = OPT_FLAG,
	.name = "print",
	.help = "print each datagram, answer nothing",
	.offset = offsetof(struct serve_options, mode),
	.value = SERVE_PRINT,
	.excludes = "reply"},
    {.kind = OPT_STRING,
	.name = "reply",
	.arg = "FORMAT",
	.help = "answer this (Hello, %s!): %s message, %n its number, %a "
		"address, %p port, %% percent",
	.offset = offsetof(struct serve_options, reply)},
    {.kind = OPT_NUMBER,
	.name = "count",
	.arg = "N",
	.help = "leave after so many datagrams",
	.offset = offsetof(struct serve_options, count),
	.min = 1},
    {.kind = OPT_END}};

static const struct opt_group serve_groups[] = {{"serving", serve_opts, 0},
    {"serving", common_access_opts, offsetof(struct serve_options, access)},
    {"addresses", common_family_opts, offsetof(struct serve_options, family)},
    {"time", common_idle_opts, offsetof(struct serve_options, time)},
    {"time", common_max_opts, offsetof(struct serve_options, time)},
    {"socket", COMMON_DGRAM_OPTS, offsetof(struct serve_options, sock)},
    {"report", common_report_opts, offsetof(struct serve_options, report)},
    {NULL, NULL, 0}};

/* One run of the command. */
struct serving {
	const struct serve_options *o;
	struct listener listener;
	struct access access;
	struct format reply;
	bool escapes;          /* stdout is a terminal */
	struct deadline until; /* --max-time */
	int64_t last_ns;       /* when a datagram last came */

	struct dgram *in;  /* a batch, owned */
	struct dgram *out; /* its answers, owned */

	uint64_t received, answered, bytes_received, bytes_sent;
};

/* A datagram's sender and the address it came to, for people. */
struct parties {
	struct addr remote, local;
};

static void
find_parties(const struct serving *s, size_t at, const struct dgram *d,
    struct parties *p)
{
	const struct addr *bound = &s->listener.addrs[at];

	p->remote = d->remote;
	addr_unmap(&p->remote);
	p->local = d->local.len != 0 ? d->local : *bound;
	addr_unmap(&p->local);
	addr_set_port(&p->local, addr_port(bound));
}

/* The event of a datagram. */
static void
tell_message(const struct dgram *d, const struct parties *p, int level)
{
	char remote[ADDR_TEXT], shown[SHOWN];
	struct json j;

	diag_event_begin(&j, "message");
	addr_json(&p->local, &j, "local");
	addr_json(&p->remote, &j, "remote");
	json_number(
	    &j, "bytes", (int64_t)(d->full == SIZE_MAX ? d->length : d->full));
	if (dgram_is_cut(d))
		json_bool(&j, "cut", true);
	json_bytes(&j, "text", d->bytes, d->length);
	diag_event_end(&j, level, "%s says: %s",
	    addr_format(&p->remote, remote, sizeof(remote)),
	    text_escape(shown, sizeof(shown), d->bytes, d->length));
}

/* Tells why a datagram is not answered. */
static void
tell_ignored(const struct parties *p, const char *why)
{
	char remote[ADDR_TEXT];
	struct json j;

	diag_event_begin(&j, "ignored");
	addr_json(&p->local, &j, "local");
	addr_json(&p->remote, &j, "remote");
	json_text(&j, "reason", why);
	diag_event_end(&j, DIAG_NOTE, "%s: ignored: %s",
	    addr_format(&p->remote, remote, sizeof(remote)), why);
}

/*
 * Why a datagram may not be answered, or NULL. Two servers whose ports are
 * the same would answer each other for ever after one forged datagram, and
 * port 0 (RFC 768: no answer is expected) cannot be sent to.
 */
static const char *
refusal(const struct serving *s, const struct parties *p)
{
	if (s->access.count > 0 || s->access.has_allow)
		if (!access_allows(&s->access, &p->remote))
			return "not let in (--allow, --deny)";
	if (addr_family(&p->remote) == AF_INET ||
	    addr_family(&p->remote) == AF_INET6) {
		if (addr_port(&p->remote) == addr_port(&p->local))
			return "it comes from this server's own port, and an "
			       "answer could go round for ever";
		if (addr_port(&p->remote) == 0)
			return "it has no source port";
	}
	return NULL;
}

/* Fills in the answer; false where there is none. */
static bool
make_answer(struct serving *s, const struct dgram *d, const struct parties *p,
    struct dgram *out)
{
	char ip[ADDR_TEXT] = "";
	struct format_values v = {.message = d->bytes,
	    .length = d->length,
	    .ip = ip,
	    .port = addr_port(&p->remote),
	    .number = s->received};
	ssize_t n;

	out->remote = d->remote;
	out->local = d->local;
	if (s->o->mode == SERVE_ECHO) {
		out->bytes = d->bytes;
		out->length = d->length;
		return true;
	}
	addr_format_ip(&p->remote, ip, sizeof(ip));
	n = format_fill(&s->reply, &v, out->bytes, out->size);
	if (n < 0)
		tell_ignored(p, "the answer would be too long");
	out->length = n < 0 ? 0 : (size_t)n;
	return n >= 0;
}

/* One datagram: told, printed, answered into out. True with an answer. */
static bool
serve_one(
    struct serving *s, size_t at, const struct dgram *d, struct dgram *out)
{
	int level = s->o->mode == SERVE_HELLO ? DIAG_SAY : DIAG_NOTE;
	struct parties p;
	const char *why;

	find_parties(s, at, d, &p);
	s->received++;
	s->bytes_received += d->length;
	why = refusal(s, &p);
	if (why != NULL) {
		tell_ignored(&p, why);
		return false;
	}
	if (diag_is_json() || diag_shows(level))
		tell_message(d, &p, level);
	if (s->o->mode == SERVE_PRINT)
		common_print(d->bytes, d->length, s->escapes);
	if (s->o->mode == SERVE_PRINT || s->o->mode == SERVE_DISCARD)
		return false;
	if (d->remote.len == 0 ||
	    (addr_is_unix(&d->remote) &&
		d->remote.len <= offsetof(struct sockaddr_un, sun_path))) {
		tell_ignored(&p, "its sender has no name to answer to");
		return false;
	}
	if (dgram_is_cut(d)) {
		tell_ignored(&p, "its end is missing");
		return false;
	}
	return make_answer(s, d, &p, out);
}

/* An answer that could not be sent is told; the server goes on. */
static void
tell_unsent(
    const struct serving *s, size_t at, const struct dgram *d, int errnum)
{
	struct err e = ERR_INIT;
	struct parties p;

	find_parties(s, at, d, &p);
	dgram_send_error(s->listener.fds[at], &p.remote, d->length, errnum, &e);
	diag_note("an answer was not sent: %s", e.text);
}

/* Sends all answers, waiting for room a while. */
static void
send_answers(struct serving *s, size_t at, int count)
{
	int fd = s->listener.fds[at], done = 0, n;

	while (done < count) {
		n = dgram_send(fd, s->out + done, count - done);
		if (n > 0) {
			for (; n > 0; n--) {
				s->answered++;
				s->bytes_sent += s->out[done++].length;
			}
			continue;
		}
		if ((errno == EAGAIN || errno == ENOBUFS) &&
		    wait_fd(fd, POLLOUT, deadline_after(SEND_MS)) > 0)
			continue;
		tell_unsent(s, at, &s->out[done], errno);
		done++;
	}
}

/* Whether so many were served that it is enough. */
static bool
is_enough(const struct serving *s)
{
	return s->o->count > 0 && s->received >= (uint64_t)s->o->count;
}

/* Everything that waits on one socket, a batch. */
static int
serve_socket(struct serving *s, size_t at, struct err *e)
{
	int64_t left = s->o->count - (int64_t)s->received;
	int most = DGRAM_BATCH, n, i, count = 0;

	if (s->o->count > 0 && left < most)
		most = (int)left;
	n = dgram_receive(s->listener.fds[at], s->in, most);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	/* Refusals of answers, where the system tells servers of them. */
	if (n < 0 && err_kind_of(errno) != ERR_FAILED)
		return 0;
	if (n < 0)
		return err_sys(e, ERR_FAILED, errno, "receiving");
	s->last_ns = clock_now();
	for (i = 0; i < n; i++)
		count += serve_one(s, at, &s->in[i], &s->out[count]);
	if (count > 0)
		send_answers(s, at, count);
	return 0;
}

/* --idle-timeout and --max-time. */
static int
check_limits(const struct serving *s, struct deadline idle, struct err *e)
{
	if (deadline_passed(s->until))
		return err_set(e, ERR_TIMEOUT,
		    "the whole run took too long (--max-time); %llu "
		    "datagrams received",
		    (unsigned long long)s->received);
	if (deadline_passed(idle))
		return err_set(e, ERR_TIMEOUT,
		    "no datagram came (--idle-timeout); %llu received",
		    (unsigned long long)s->received);
	return 0;
}

/* Waits for datagrams and serves them until told to stop. */
static int
serve_all(struct serving *s, struct err *e)
{
	const struct listener *l = &s->listener;
	struct pollfd fds[LISTENER_MOST + 1];
	struct deadline idle = deadline_none();
	int ready;
	size_t i;

	while (!is_enough(s)) {
		for (i = 0; i < l->count; i++)
			fds[i] = (struct pollfd){l->fds[i], POLLIN, 0};
		if (s->o->time.idle_ms >= 0)
			idle.at_ns = s->last_ns + s->o->time.idle_ms * CLOCK_MS;
		if (common_flush(e) < 0)
			return -1;
		ready =
		    wait_poll(fds, l->count, deadline_first(idle, s->until));
		if (ready < 0 && wait_stopped() != 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return err_sys(e, ERR_FAILED, errno, "waiting");
		if (ready <= 0 && check_limits(s, idle, e) < 0)
			return -1;
		for (i = 0; ready > 0 && i < l->count && !is_enough(s); i++)
			if (fds[i].revents != 0 && serve_socket(s, i, e) < 0)
				return -1;
	}
	return 0;
}

/* What was done, and what the kernel had to drop. */
static void
tell_summary(const struct serving *s)
{
	uint64_t lost = 0, one;
	bool known = false;
	struct json j;
	size_t i;

	for (i = 0; i < s->listener.count; i++) {
		if (!dgram_lost(s->listener.fds[i], &one))
			continue;
		known = true;
		lost += one;
	}
	diag_event_begin(&j, "summary");
	json_number(&j, "received", (int64_t)s->received);
	json_number(&j, "answered", (int64_t)s->answered);
	if (known)
		json_number(&j, "lost", (int64_t)lost);
	diag_event_end(&j, DIAG_NOTE,
	    "received %llu datagrams (%llu bytes), answered %llu (%llu "
	    "bytes)%s",
	    (unsigned long long)s->received,
	    (unsigned long long)s->bytes_received,
	    (unsigned long long)s->answered, (unsigned long long)s->bytes_sent,
	    !known      ? ""
	    : lost == 0 ? ", lost none"
			: ", and lost some");
	if (lost > 0)
		diag_note("the kernel dropped %llu datagrams: they came faster "
			  "than they were read (a larger --rcvbuf may help)",
		    (unsigned long long)lost);
}

/* Opens, announces, serves. */
static int
run_server(struct serving *s, const struct endpoint *ep, struct err *e)
{
	const struct serve_options *o = s->o;
	struct listener_options lo = {.family = o->family.family,
	    .numeric = o->family.numeric != 0,
	    .type = SOCK_DGRAM,
	    .sock = o->sock};
	int result;
	size_t i;

	if (listener_open(&s->listener, ep, &lo, s->until, e) < 0)
		return err_prefix(e, "cannot listen on");
	for (i = 0; i < s->listener.count; i++)
		dgram_prepare(s->listener.fds[i], &s->listener.addrs[i],
		    o->sock.rcvbuf < 0);
	listener_announce(&s->listener);
	result = serve_all(s, e);
	tell_summary(s);
	listener_close(&s->listener);
	return result;
}

/* Storage for the answers. */
static void
make_room(struct serving *s)
{
	int i;

	s->in = dgram_batch();
	s->out = dgram_batch();
	s->last_ns = clock_now();
	for (i = 0; i < DGRAM_BATCH; i++)
		s->out[i].size = 65527;
}

static int
serve_run(const void *options, const struct command_args *args, struct err *e)
{
	const struct serve_options *o = options;
	struct serving s = {.o = o, .access = ACCESS_INIT};
	struct endpoint ep;
	int result;

	if (endpoint_parse_local(
		&ep, args->operands, args->count, "udp", SERVE_PORT, e) < 0)
		return -1;
	if (format_parse(
		&s.reply, o->reply != NULL ? o->reply : "Hello, %s!", e) < 0)
		return err_prefix(e, "--reply");
	s.until = deadline_after(o->time.max_ms);
	s.escapes = isatty(STDOUT_FILENO) != 0;
	make_room(&s);
	result = common_access(&s.access, &o->access, e);
	if (result == 0)
		result = wait_catch(WAIT_STOP, e);
	if (result == 0)
		result = run_server(&s, &ep, e);
	access_release(&s.access);
	format_release(&s.reply);
	free(s.in);
	free(s.out);
	return result;
}

const struct command udp_serve_command = {
    .name = "udp-serve",
    .summary = "answer datagrams",
    .operands = "[ADDR] [PORT]",
    .least = 0,
    .most = 2,
    .groups = serve_groups,
    .defaults = &serve_defaults,
    .size = sizeof(struct serve_options),
    .notes = "Without PORT it is 9999. Without ADDR only this machine can "
	     "send to it; '*' means every\ninterface.\n\n"
	     "examples:\n"
	     "  sockt udp-serve\n"
	     "  sockt udp-serve --echo '*' 7777\n"
	     "  sockt udp-serve --print 5140 >> log\n",
    .run = serve_run,
};
