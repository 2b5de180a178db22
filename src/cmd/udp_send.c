/* udp-send: a datagram client. Resolve, socket, connect (which only sets the
 * peer's address), send, receive the replies, close. */
#include <errno.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/table.h"
#include "net/endpoint.h"
#include "net/resolve.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/sock.h"
#include "relay/recorder.h"
#include "udp/source.h"
#include "udp/sender.h"

/* The defaults of --timeout: of a question, and after the end of stdin. */
#define REPLY_MS 2000
#define QUIET_MS 1000

static struct {
	struct sender_options sender;
	struct source source;
	int no_reply;
	int no_newline;
	int64_t interval_ms, rate;
	int raw;
	int stats;
	struct recorder_options record;
} send_options = {
    .sender = {.dgram.group.ttl = -1, .replies = SENDER_ONE_OF_EACH},
};

static const struct opt send_opts[] = {
    NUMBER(0, "count", "N", send_options, sender.count,
	"send N datagrams in all, repeating the messages", .min = 1),
    DURATION(0, "interval", "TIME", send_options, interval_ms,
	"wait TIME between datagrams", .excludes = "rate"),
    FLAG(0, "whole", send_options, source.kind,
	"send all of stdin as one datagram", .value = SOURCE_WHOLE,
	.excludes = "size messages"),
    SIZE(0, "size", "SIZE", send_options, source.block_size,
	"send stdin in datagrams of SIZE bytes", .min = 1, .max = 65527,
	.excludes = "messages"),
    FLAG(0, "no-newline", send_options, no_newline,
	"send the lines of stdin without their newlines",
	.excludes = "size messages"),
    FLAG(0, "escapes", send_options, source.format,
	"messages and lines contain escapes: \\r \\n \\t \\0 \\e \\\\ \\xHH",
	.value = SOURCE_ESCAPES, .excludes = "hex size"),
    FLAG(0, "hex", send_options, source.format,
	"messages and lines are hexadecimal, and so are the printed replies",
	.value = SOURCE_HEX, .excludes = "size"),
    FLAG(0, "number", send_options, sender.number,
	"put '#N ' before each message, and look for it in the replies"),
    NUMBER(0, "rate", "N", send_options, rate,
	"send at most N datagrams per second", .min = 1, .max = 1000000000),
    {.kind = OPT_END},
};

static const struct opt many_opts[] = {
    FLAG(0, "broadcast", send_options, sender.dgram.broadcast,
	"allow HOST to be a broadcast address"),
    NUMBER(0, "multicast-ttl", "N", send_options, sender.dgram.group.ttl,
	"let multicasts pass at most N - 1 routers (default: 1)", .max = 255),
    CALL(0, "multicast-interface", "INTERFACE", send_options,
	sender.dgram.group.interface, "send multicasts through INTERFACE",
	.call = multicast_parse_interface, .excludes = "interface"),
    FLAG(0, "no-multicast-loop", send_options, sender.dgram.group.no_loop,
	"do not deliver multicasts to this machine"),
    FLAG(0, "no-fragment", send_options, sender.dgram.no_fragment,
	"refuse datagrams that the path cannot carry whole"),
    {.kind = OPT_END},
};

static const struct opt reply_opts[] = {
    NUMBER(0, "replies", "N", send_options, sender.replies,
	"wait for N replies to each datagram; 0, and to many hosts: all that "
	"arrive within --timeout (default: 1)",
	.excludes = "no-reply"),
    FLAG(0, "no-reply", send_options, no_reply, "do not wait for replies",
	.excludes = "window timeout stats"),
    FLAG(0, "stats", send_options, stats,
	"print a summary: sent, received, lost, round-trip times"),
    NUMBER(0, "window", "N", send_options, sender.window,
	"let at most N datagrams be unanswered at once (default: 1)", .min = 1,
	.max = SENDER_MAX_WINDOW),
    FLAG(0, "any-source", send_options, sender.any_source,
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

static const struct opt_group send_groups[] = {GROUP("sending", send_opts),
    GROUP("replies", reply_opts), GROUP("recording", record_opts),
    GROUP("broadcast and multicast", many_opts),
    GROUP("addresses", options_names), GROUP("local address", options_source),
    GROUP("local address", options_interface),
    GROUP("time limits", options_time_udp_send),
    GROUP("socket options", options_socket), GROUP("messages", options_report),
    {.opts = NULL}};

/* The command's state. */
struct send_state {
	const struct options *shared;  /* Those that commands share. */
	struct sender_options options; /* Those of the sender, completed. */
	struct source source;
	struct sender sender;
	struct recorder recorder; /* It writes --hexdump and --textdump. */
	bool is_stream; /* Lines and replies come at any time, as in nc -u. */
};

/* The peer of a datagram. */
static struct addr
remote_of(const struct send_state *s, const struct dgram *d)
{
	struct addr remote = d->remote.len != 0 ? d->remote : s->sender.peer;

	addr_unmap(&remote);
	return remote;
}

/* Records a datagram. Returns 0, or -1 with *e. */
static int
on_sent(void *context, const struct dgram *d, struct err *e)
{
	struct send_state *s = context;
	struct addr remote = remote_of(s, d);

	return recorder_add(
	    &s->recorder, true, &remote, d->bytes, d->length, e);
}

/* Records, logs and prints a reply. Returns 0, or -1 with *e. */
static int
on_reply(void *context, const struct dgram *d, enum sender_reply kind,
    int64_t rtt_ns, struct err *e)
{
	static const char *const kinds[] = {"", ", a duplicate", ", too late"};
	struct send_state *s = context;
	struct addr remote = remote_of(s, d);
	struct json *j;

	if (s->recorder.is_on && recorder_add(&s->recorder, false, &remote,
				     d->bytes, d->length, e) < 0)
		return -1;
	/* With --json the event is the result. */
	if (diag_emits(DIAG_NOTE)) {
		j = diag_event_begin("reply");
		addr_json(&remote, j, "remote");
		json_number(j, "bytes", d->length);
		if (rtt_ns >= 0)
			json_seconds(j, "seconds", (double)rtt_ns / 1e9);
		if (kind != SENDER_REPLY)
			json_text(j, "kind",
			    kind == SENDER_LATE ? "late" : "duplicate");
		json_bytes(j, "text", d->bytes, d->length);
		diag_event_end(DIAG_NOTE, "reply from %s: %s%s%s%s",
		    addr_text(&remote), num_count_text(d->length, "byte"),
		    rtt_ns >= 0 ? " in " : "",
		    rtt_ns >= 0 ? num_duration_text(rtt_ns) : "", kinds[kind]);
	}
	if (diag_is_json())
		return result_check(e);
	if (send_options.raw)
		result_bytes(d->bytes, d->length);
	else if (send_options.source.format == SOURCE_HEX)
		result_hex(d->bytes, d->length);
	else if (s->is_stream)
		result_payload(d->bytes, d->length);
	else
		result_line(d->bytes, d->length);
	return result_check(e);
}

/* Selects the messages: operands after the endpoint, or stdin. Its lines and
 * blocks are a stream, unless an option makes each of them await a reply. */
static int
choose_source(
    struct send_state *s, char *const *messages, int count, struct err *e)
{
	struct source *source = &s->source;
	struct sender_options *o = &s->options;
	bool is_whole = source->kind == SOURCE_WHOLE;

	s->is_stream = count == 0 && !is_whole && o->count == 0 && !o->number &&
		       o->replies < 0 && o->window == 0 && !send_options.stats;
	if (count == 0 && sock_check_standard(STDIN_FILENO, e) < 0)
		return err_append(e, "there is no message");
	if (count == 0 && !send_options.no_reply &&
	    fd_is_input(NULL, STDOUT_FILENO))
		return err_set(e, ERR_USAGE, FD_INPUT_ERROR, "stdout");
	if (count > 0)
		source->kind = SOURCE_ARGUMENTS;
	else if (source->block_size > 0)
		source->kind = SOURCE_BLOCKS;
	source->arguments = messages;
	source->argument_count = count;
	source->fd = STDIN_FILENO;
	source->repeats = o->count > 0 && (count > 0 || is_whole);
	source->keeps_newline = s->is_stream && !send_options.no_newline &&
				source->format != SOURCE_HEX;
	return source_start(source, e);
}

/* Completes the sender's options, catches signals, and opens what results and
 * records are written to. Returns 0, or -1 with *e. */
static int
prepare(struct send_state *s, struct err *e)
{
	struct sender_options *o = &s->options;
	int64_t timeout_ms = s->shared->timeout_ms;

	if (send_options.no_reply)
		o->replies = SENDER_NO_REPLY;
	else if (s->is_stream)
		o->replies = SENDER_STREAM;
	o->timeout_ms = timeout_ms >= 0 ? timeout_ms
			: s->is_stream  ? QUIET_MS
					: REPLY_MS;
	o->dgram.sock = &s->shared->sock;
	if (o->window == 0)
		o->window = 1;
	o->interval_ns = send_options.rate > 0
			     ? CLOCK_SECOND / send_options.rate
			     : clock_ns(send_options.interval_ms);
	o->on_reply = on_reply;
	o->on_idle = result_flush;
	o->context = s;
	/* Without replies there may be no results. */
	if ((!send_options.no_reply || send_options.stats || diag_is_json()) &&
	    result_start(o->until, true, e) < 0)
		return -1;
	s->recorder.until = o->until;
	s->recorder.idle = (struct limit)LIMIT_NONE;
	if (recorder_check(&send_options.record, false, e) < 0 ||
	    signals_catch(e) < 0 ||
	    recorder_open(&s->recorder, &send_options.record, e) < 0)
		return -1;
	if (s->recorder.is_on)
		o->on_sent = on_sent;
	return recorder_begin(&s->recorder, NULL, e);
}

static int
send_run(const struct command_args *args, struct err *e)
{
	struct send_state s = {.shared = options_complete(false),
	    .options = send_options.sender,
	    .source = send_options.source};
	const struct sender_stats *stats = &s.sender.stats;
	struct sender_options *o = &s.options;
	struct addr_list list = {0};
	int used = endpoint_operands(args->operands, args->count), result;
	struct endpoint ep;

	o->source = &s.source;
	o->start_ns = clock_now();
	o->until = s.shared->until;
	diag_limit(o->until, -1);
	result = endpoint_parse(&ep, args->operands, used, "udp", e);
	if (result == 0 && ep.is_unix)
		result = options_check_unix(args, e);
	if (result == 0 && args->count > used)
		result = command_check(args, "messages",
		    "is about stdin: it does not apply with messages", e);
	if (result == 0)
		result = choose_source(
		    &s, args->operands + used, args->count - used, e);
	if (result == 0)
		result = prepare(&s, e);
	if (result == 0) {
		sandbox_enter();
		result = resolve(&ep, &s.shared->names,
		    deadline_first(o->until,
			deadline_limit(s.shared->timeout_ms, "--timeout")),
		    &list, e);
	}
	if (result == 0)
		result = sender_run(&s.sender, o, &list, e);
	/* A message that is too long is a usage error, unless it is a line of
	 * stdin. */
	if (result < 0 && e->errnum == EMSGSIZE &&
	    o->source->kind == SOURCE_LINES) {
		e->kind = ERR_FAILED;
		err_append(
		    e, "sent %s", num_count_text(stats->sent, "datagram"));
	}
	if (stats->sent > 0 && send_options.stats && !diag_is_json())
		result_print("%s", sender_stats_text(&s.sender));
	result = recorder_close(&s.recorder, true, result, e);
	addr_list_release(&list);
	source_release(o->source);
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
