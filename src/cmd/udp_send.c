/* udp-send: a datagram client. Resolve, socket, connect (which only sets the
 * peer's address), send, receive the replies, close. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/table.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/resolve.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "relay/recorder.h"
#include "udp/dgram.h"
#include "udp/source.h"
#include "udp/multicast.h"
#include "udp/sender.h"

/* The defaults of --timeout: of a question, and after the end of stdin. */
#define REPLY_MS 2000
#define QUIET_MS 1000

struct send_options {
	struct multicast_options group;
	int broadcast;
	int no_fragment;
	int64_t replies; /* -1: one from a single host, any number from many */
	int no_reply;
	int format; /* enum source_format */
	int whole;
	int64_t block; /* --size; 0: lines */
	int no_newline;
	int64_t count, window, interval_ms, rate;
	int number;
	int any_source;
	int raw;
	int stats;
	struct recorder_options record;
};

static struct send_options send_options = {
    .group = {.ttl = -1},
    .replies = -1,
};

static const struct opt send_opts[] = {
    NUMBER(0, "count", "N", send_options, count,
	"send N datagrams in all, repeating the messages", .min = 1),
    DURATION(0, "interval", "T", send_options, interval_ms,
	"wait T between datagrams", .excludes = "rate"),
    FLAG(0, "whole", send_options, whole, "send all of stdin as one datagram",
	.excludes = "size"),
    SIZE(0, "size", "SIZE", send_options, block,
	"send stdin in datagrams of SIZE bytes", .min = 1, .max = 65527),
    FLAG(0, "no-newline", send_options, no_newline,
	"send the lines of stdin without their newlines", .excludes = "size"),
    FLAG(0, "escapes", send_options, format,
	"messages and lines contain escapes: \\r \\n \\t \\0 \\e \\\\ \\xHH",
	.value = SOURCE_ESCAPES, .excludes = "hex size"),
    FLAG(0, "hex", send_options, format,
	"messages and lines are hexadecimal, and so are the printed replies",
	.value = SOURCE_HEX, .excludes = "size"),
    FLAG(0, "number", send_options, number,
	"put '#N ' before each message, and look for it in the replies"),
    NUMBER(0, "rate", "N", send_options, rate,
	"send at most N datagrams per second", .min = 1, .max = 1000000000),
    {.kind = OPT_END},
};

static int
parse_interface(void *field, const char *arg, struct err *e)
{
	return multicast_parse_interface(field, arg, e);
}

static const struct opt many_opts[] = {
    FLAG(0, "broadcast", send_options, broadcast,
	"allow HOST to be a broadcast address"),
    NUMBER(0, "multicast-ttl", "N", send_options, group.ttl,
	"let multicasts pass at most N - 1 routers (default: 1)", .max = 255),
    CALL(0, "multicast-interface", "IF", send_options, group.interface,
	"send multicasts through interface IF", .call = parse_interface),
    FLAG(0, "no-multicast-loop", send_options, group.no_loop,
	"do not deliver multicasts to this machine"),
    FLAG(0, "no-fragment", send_options, no_fragment,
	"refuse datagrams that the path cannot carry whole"),
    {.kind = OPT_END},
};

static const struct opt reply_opts[] = {
    NUMBER(0, "replies", "N", send_options, replies,
	"wait for N replies to each datagram; 0, and to many hosts: all that "
	"arrive within --timeout (default: 1)",
	.excludes = "no-reply"),
    FLAG(0, "no-reply", send_options, no_reply, "do not wait for replies",
	.excludes = "window timeout stats"),
    FLAG(0, "stats", send_options, stats,
	"print a summary: sent, received, lost, round-trip times"),
    NUMBER(0, "window", "N", send_options, window,
	"let at most N datagrams be unanswered at once (default: 1)", .min = 1,
	.max = RTT_STATS_MAX),
    FLAG(0, "any-source", send_options, any_source,
	"accept replies from any address, not only HOST PORT"),
    FLAG(0, "raw", send_options, raw,
	"print replies as they are, without newlines"),
    {.kind = OPT_END},
};

static const struct opt record_opts[] = {
    FILENAME('x', "hexdump", "FILE", send_options, record.hexdump,
	"write a hex dump of all datagrams to FILE; '-' is stdout, with "
	"--no-reply",
	.dash = OPT_DASH_STDOUT, .dash_with = "no-reply"),
    FILENAME(0, "textdump", "FILE", send_options, record.textdump,
	"write all datagrams to FILE as text", .dash = OPT_DASH_STDOUT,
	.dash_with = "no-reply"),
    {.kind = OPT_END},
};

static const struct opt time_opts[] = {
    OPTIONS_TIMEOUT(
	"time limit for replies to a datagram, or after stdin (default: 2 s)"),
    OPTIONS_MAX("time limit for the command as a whole"),
    {.kind = OPT_END},
};

static const struct opt_group send_groups[] = {{"sending", send_opts},
    {"replies", reply_opts}, {"recording", record_opts},
    {"broadcast and multicast", many_opts}, {"addresses", options_names},
    {"local address", options_source}, {"time limits", time_opts},
    {"socket options", options_socket}, {"messages", options_report},
    {NULL, NULL}};

/* The command's state. */
struct send_state {
	const struct send_options *o;
	struct source source;
	struct sender_options sender_options;
	struct sender sender;
	struct recorder recorder; /* --hexdump, --textdump */
	int fd;
	bool is_stream; /* stdin and replies at any time, like nc -u */
	bool may_retry; /* another address may be tried */
	int64_t start_ns;
};

/* The peer of a datagram. */
static struct addr
remote_of(const struct send_state *s, const struct dgram *d)
{
	struct addr remote = d->remote.len != 0 ? d->remote : s->sender.to.peer;

	addr_unmap(&remote);
	return remote;
}

/* Records a datagram. Returns 0, or -1 with *e. */
static int
record(struct send_state *s, bool is_sent, const struct dgram *d, struct err *e)
{
	struct addr remote = remote_of(s, d);

	return recorder_add_datagram(
	    &s->recorder, is_sent, &remote, d->bytes, d->length, e);
}

static int
on_sent(void *context, const struct dgram *d, int count, struct err *e)
{
	int i;

	for (i = 0; i < count; i++)
		if (record(context, true, &d[i], e) < 0)
			return -1;
	return 0;
}

/*
 * Logs a reply: an event, which is the result with --json, or a line with -v.
 */
static void
log_reply(const struct send_state *s, const struct sender_reply *r)
{
	static const char *const kinds[] = {"", ", a duplicate", ", too late"};
	const struct dgram *d = r->d;
	struct addr remote = remote_of(s, d);
	struct json *j;

	j = diag_event_begin("reply");
	addr_json(&remote, j, "remote");
	json_number(j, "bytes", d->length);
	if (r->rtt_ns >= 0)
		json_seconds(j, "seconds", (double)r->rtt_ns / 1e9);
	if (r->kind != RTT_STATS_REPLY)
		json_text(j, "kind",
		    r->kind == RTT_STATS_LATE ? "late" : "duplicate");
	json_bytes(j, "text", d->bytes, d->length);
	diag_event_end(DIAG_NOTE, "reply from %s: %s%s%s%s", addr_text(&remote),
	    num_count_text(d->length, "byte"), r->rtt_ns >= 0 ? " in " : "",
	    r->rtt_ns >= 0 ? num_duration_text(r->rtt_ns) : "", kinds[r->kind]);
}

static int
on_reply(void *context, const struct sender_reply *r, struct err *e)
{
	struct send_state *s = context;

	if (s->recorder.is_on && record(s, false, r->d, e) < 0)
		return -1;
	if (diag_emits(DIAG_NOTE))
		log_reply(s, r);
	if (s->o->raw && !diag_is_json())
		result_bytes(r->d->bytes, r->d->length);
	else if (s->o->format == SOURCE_HEX && !diag_is_json())
		result_hex(r->d->bytes, r->d->length);
	else if (s->is_stream && !diag_is_json())
		result_payload(r->d->bytes, r->d->length);
	else if (!diag_is_json())
		result_line(r->d->bytes, r->d->length);
	return result_check(e);
}

static int
on_idle(void *context, struct err *e)
{
	(void)context;
	return result_flush(e);
}

/* Refuses options for groups where the peer is none. Returns 0 or -1. */
static int
check_group(
    const struct multicast_options *o, const struct addr *peer, struct err *e)
{
	if (addr_is_multicast(peer) ||
	    (o->ttl < 0 && o->interface == 0 && !o->no_loop))
		return 0;
	return err_set(e, ERR_USAGE,
	    "--%s is about multicast groups, and %s is none",
	    o->ttl >= 0  ? "multicast-ttl"
	    : o->no_loop ? "no-multicast-loop"
			 : "multicast-interface",
	    addr_ip_text(peer));
}

/* Opens a socket for one address of the peer, sends and receives. */
static int
try_address(
    struct send_state *s, const struct addr *peer, bool is_last, struct err *e)
{
	const struct send_options *o = s->o;
	bool many = addr_is_multicast(peer) || o->broadcast;
	struct dgram_options d = {.sock = &options.sock,
	    .group = addr_is_multicast(peer) ? &o->group : NULL,
	    .broadcast = o->broadcast != 0,
	    .no_fragment = o->no_fragment != 0,
	    .unconnected = o->any_source || many};
	struct conn c = {.remote = *peer, .start_ns = s->start_ns};
	int result;

	if (check_group(&o->group, peer, e) < 0)
		return -1;
	if (o->replies < 0 && !o->no_reply && !s->is_stream)
		s->sender_options.replies = many ? SENDER_ANY_REPLIES : 1;
	d.raise_buffer = o->window > 1 || s->sender_options.replies != 1;
	s->fd = dgram_open(peer, &d, e);
	s->may_retry = !is_last;
	if (s->fd < 0)
		return -1;
	/* One that is not connected has a port that says nothing. */
	if (!d.unconnected || d.sock->source.len != 0 ||
	    d.sock->source_port != 0)
		sock_local(s->fd, &c.local);
	conn_event_connected(&c, false);
	sender_use(&s->sender,
	    &(struct sender_target){s->fd, *peer, d.unconnected, is_last});
	result = sender_run(&s->sender, e);
	s->may_retry = result < 0 && sender_may_retry(&s->sender, e);
	return result;
}

/* Tries the addresses of the list until one is not refused. */
static int
try_addresses(struct send_state *s, const struct addr_list *list, struct err *e)
{
	struct err one = ERR_INIT, all = ERR_INIT;
	size_t i;

	for (i = 0; i == 0 || (s->may_retry && i < list->count); i++) {
		dgram_close(&s->fd);
		if (try_address(
			s, &list->items[i], i + 1 == list->count, &one) == 0)
			return 0;
		if (s->may_retry)
			diag_note("%s; trying the next address", one.text);
		*e = one;
		if (i > 0)
			err_set(e, one.kind, "%s; %s", all.text, one.text);
		e->errnum = one.errnum;
		all = *e;
	}
	return -1;
}

/* Reports an error if a datagram has not got its replies. */
static int
check_replies(const struct send_state *s, struct err *e)
{
	const struct rtt_stats *t = &s->sender.stats;
	struct deadline limit =
	    deadline_limit(s->sender_options.timeout_ms, "--timeout");
	char what[96];

	if (t->failed == 0)
		return 0;
	if (t->sent == 1 && t->answered == 0)
		snprintf(what, sizeof(what), "no reply");
	else
		snprintf(what, sizeof(what), "%s to %llu of %llu datagrams",
		    t->received > 0 && s->sender_options.replies > 1
			? "too few replies"
			: "no reply",
		    (unsigned long long)t->failed, (unsigned long long)t->sent);
	deadline_error(limit, what, e);
	if (t->answered == 0)
		err_append(
		    e, "%s", err_find(CAUSE_NO_REPLY, ERR_AT_UDP)->meaning);
	return err_prefix(e, "%s", addr_text(&s->sender.to.peer));
}

/* Reports the summary: on stdout with --stats, and always as an event. */
static void
report_summary(const struct send_state *s)
{
	if (s->o->stats && !diag_is_json())
		result_print("%s", rtt_stats_text(&s->sender.stats,
				       sender_dropped(&s->sender)));
	sender_report(&s->sender, clock_now() - s->start_ns);
}

/* Selects the messages: operands after the endpoint, or stdin, whose lines and
 * blocks are a stream, or by some options questions. */
static int
choose_source(
    struct send_state *s, char *const *messages, int count, struct err *e)
{
	const struct send_options *o = s->o;

	s->is_stream = count == 0 && !o->whole && o->count == 0 && !o->number &&
		       o->replies < 0 && o->window == 0 && !o->stats;
	s->source = (struct source){.kind = count > 0      ? SOURCE_ARGUMENTS
					    : o->whole     ? SOURCE_WHOLE
					    : o->block > 0 ? SOURCE_BLOCKS
							   : SOURCE_LINES,
	    .format = (enum source_format)o->format,
	    .arguments = messages,
	    .argument_count = count,
	    .fd = STDIN_FILENO,
	    .block_size = (size_t)o->block,
	    .repeats = o->count > 0 && (count > 0 || o->whole),
	    .keeps_newline =
		s->is_stream && !o->no_newline && o->format != SOURCE_HEX};
	if (count > 0 && (o->whole || o->block > 0 || o->no_newline))
		return err_set(e, ERR_USAGE,
		    "messages and --whole, --size or --no-newline cannot be "
		    "used together");
	if (count == 0 && !fd_is_readable(STDIN_FILENO))
		return err_set(
		    e, ERR_OUTPUT, "stdin is closed, and there is no message");
	return source_start(&s->source, e);
}

/* Sets the sender's options that do not depend on the address. */
static void
set_sender_options(struct send_state *s, struct deadline until)
{
	const struct send_options *o = s->o;

	s->sender_options = (struct sender_options){
	    .replies = o->no_reply      ? SENDER_NO_REPLY
		       : s->is_stream   ? SENDER_STREAM
		       : o->replies < 0 ? 1
					: o->replies,
	    .timeout_ms = options.time.timeout_ms >= 0 ? options.time.timeout_ms
			  : s->is_stream               ? QUIET_MS
						       : REPLY_MS,
	    .window = o->window > 0 ? o->window : 1,
	    .count = o->count,
	    .interval_ns =
		o->rate > 0 ? CLOCK_SECOND / o->rate : clock_ns(o->interval_ms),
	    .number = o->number != 0,
	    .until = until,
	    .source = &s->source,
	    .on_sent = s->recorder.is_on ? on_sent : NULL,
	    .on_reply = on_reply,
	    .on_idle = on_idle,
	    .context = s};
}

/* Whether the command prints results: with --no-reply it may not. */
static bool
has_results(const struct send_options *o)
{
	return !o->no_reply || o->stats || diag_is_json();
}

/* Catches signals, and opens the record. Returns 0, or -1 with *e. */
static int
prepare(struct send_state *s, struct deadline until, struct err *e)
{
	struct conn none = {.start_ns = s->start_ns};

	s->recorder.until = until;
	s->recorder.idle = (struct limit)LIMIT_NONE;
	if (recorder_check(&s->o->record, false, e) < 0 ||
	    signals_catch(e) < 0 ||
	    recorder_open(&s->recorder, &s->o->record, e) < 0)
		return -1;
	return recorder_begin(&s->recorder, &none, e);
}

/* What no datagram carries is a usage error, but not a line in the midst of
 * stdin. Returns -1. */
static int
set_too_long(const struct send_state *s, struct err *e)
{
	if (s->source.kind != SOURCE_LINES)
		return -1;
	e->kind = ERR_FAILED;
	return err_append(
	    e, "sent %s", num_count_text(s->sender.stats.sent, "datagram"));
}

/* Looks up the peer, sends, receives, and reports the summary. */
static int
send_and_receive(struct send_state *s, const struct endpoint *ep,
    struct deadline until, struct err *e)
{
	struct addr_list list = ADDR_LIST_INIT;
	int result;

	sandbox_enter();
	result = resolve(ep, &options.names,
	    deadline_first(
		until, deadline_limit(options.time.timeout_ms, "--timeout")),
	    &list, e);
	if (result == 0)
		result = try_addresses(s, &list, e);
	if (result < 0 && e->errnum == EMSGSIZE)
		result = set_too_long(s, e);
	if (result == 0)
		result = check_replies(s, e);
	if (s->sender.stats.sent > 0)
		report_summary(s);
	addr_list_release(&list);
	return result;
}

static int
send_run(const struct command_args *args, struct err *e)
{
	const struct send_options *o = &send_options;
	struct send_state s = {.o = o, .fd = -1, .start_ns = clock_now()};
	struct deadline until = deadline_max_time(options.time.max_ms);
	int used = endpoint_operands(args->operands, args->count), result;
	struct endpoint ep;

	diag_limit(until, -1);
	result = endpoint_parse(&ep, args->operands, used, "udp", e);
	if (result == 0 && ep.is_unix)
		result = options_check_endpoint(args->used, OPTIONS_UNIX, e);
	if (result == 0)
		result = choose_source(
		    &s, args->operands + used, args->count - used, e);
	result_print_events();
	if (result == 0 && has_results(o))
		result = result_start(until, e);
	if (result == 0)
		result = prepare(&s, until, e);
	set_sender_options(&s, until);
	sender_start(&s.sender, &s.sender_options);
	if (result == 0)
		result = send_and_receive(&s, &ep, until, e);
	result = recorder_end(&s.recorder, result, e);
	result = recorder_close(&s.recorder, result, e);
	dgram_close(&s.fd);
	sender_release(&s.sender);
	source_release(&s.source);
	return result;
}

const struct command udp_send_command = {
    .name = "udp-send",
    .summary = "send datagrams and print the replies",
    .operands = "HOST PORT [MESSAGE]...",
    .min_operands = 1,
    .max_operands = -1,
    .groups = send_groups,
    .usual = "hex whole count interval replies no-reply timeout stats hexdump "
	     "number source rate broadcast verbose",
    .notes =
	"Without a MESSAGE each line of stdin is sent at once, and what comes "
	"is printed, like nc -u; each MESSAGE waits for its reply, and so does "
	"stdin with --whole, --count, --number, --replies, --window or "
	"--stats. HOST PORT can also be HOST:PORT, [IPV6]:PORT, unix:PATH or "
	"unix:@NAME.",
    .examples =
	"sockt udp-send localhost 9999 Michael Tracy Sarah\n"
	"sockt udp-send --stats --count 10 --interval 1 localhost 9999 x\n"
	"sockt udp-send --no-reply localhost 514 < lines\n",
    .run = send_run,
};
