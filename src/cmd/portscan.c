/* portscan: finds open ports by connecting. Resolve, then socket, connect,
 * close for every port, many at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/scan_report.h"
#include "cmd/table.h"
#include "net/endpoint.h"
#include "net/addr.h"
#include "scan/ports.h"
#include "scan/scan.h"
#include "scan/targets.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/wait.h"
#include "net/wordlist.h"

/* The default of --timeout. */
#define TIMEOUT_MS 3000
/* The time limit for a banner. */
#define BANNER_MS 2000
/* The pause between the scans of --retry-for; it doubles. */
#define RETRY_MS 50
#define MAX_RETRY_MS 400
/* The number of probes that --dry-run shows. */
#define DRY_ROWS 10
/* If a list has at most this many ports, each port of a single host has a row.
 */
#define MAX_ROWS 20
/* The order of hosts is the same in all runs: shards are parts of it. */
#define ORDER_SEED 1
#define MAX_SHARDS 1000000
/* At most this many targets of a file are in memory, as ranges. */
#define MAX_TARGETS 1000000
/* The maximum number of ports of all hosts. */
#define MAX_PORTS (UINT64_C(1) << 48)

static struct {
	int all;
	int dry_run;
	int banner;
	int udp;
	int until; /* enum until */
	int64_t parallel, rate;
	struct opt_list exclude, exclude_hosts;
	const char *ports_file, *targets_file; /* NULL: none */
	int all_addresses;
	struct targets_part part; /* --shard */
} portscan_options = {.part = {.seed = ORDER_SEED, .shards = 1}};

/* The states that --until can name, in the order of until_words. */
enum until { UNTIL_OPEN, UNTIL_CLOSED };

static const char *const until_words[] = {"open", "closed", NULL};

/* "I/N" or "I-J/N" */
static int
parse_shard(void *field, const char *arg, struct err *e)
{
	struct targets_part *part = field;
	const char *at = arg;
	int64_t from = 0, to, count;
	bool is_valid = num_digits(&at, MAX_SHARDS, &from);

	to = from;
	if (is_valid && *at == '-') {
		at++;
		is_valid = num_digits(&at, MAX_SHARDS, &to);
	}
	if (!is_valid || *at != '/' || from < 1 || from > to ||
	    !num_parse(at + 1, to, MAX_SHARDS, &count))
		return err_set(e, ERR_USAGE,
		    "'%s' is not I/N or I-J/N with I and J from 1 to N, N up "
		    "to %d",
		    text_shown(arg), MAX_SHARDS);
	part->first = (uint32_t)from - 1;
	part->last = (uint32_t)to - 1;
	part->shards = (uint32_t)count;
	return 0;
}

static const struct opt part_opts[] = {
    LIST(0, "exclude", "PORTS", portscan_options, exclude,
	"do not scan these ports"),
    FILENAME(0, "ports-file", "FILE", portscan_options, ports_file,
	"read ports from FILE; '-' is stdin", .dash = OPT_DASH_STDIN),
    FILENAME(0, "targets", "FILE", portscan_options, targets_file,
	"read hosts from FILE; '-' is stdin; the only operand is PORTS",
	.dash = OPT_DASH_STDIN),
    LIST(0, "exclude-hosts", "HOSTS", portscan_options, exclude_hosts,
	"do not scan these hosts"),
    FLAG(0, "all-addresses", portscan_options, all_addresses,
	"scan every address of a name, not only the first"),
    CALL(0, "shard", "I[-J]/N", portscan_options, part,
	"scan part I (to J) of N; N runs scan everything once",
	.call = parse_shard),
    FLAG(0, "dry-run", portscan_options, dry_run,
	"send nothing; print the number of probes and the first ones"),
    {.kind = OPT_END},
};

static const struct opt how_opts[] = {
    FLAG(0, "udp", portscan_options, udp,
	"probe UDP ports instead of connecting", .excludes = "banner"),
    NUMBER(0, "parallel", "N", portscan_options, parallel,
	"at most N probes at once (default: as descriptors allow)", .min = 1,
	.max = 60000),
    NUMBER(0, "rate", "N", portscan_options, rate,
	"send at most N probes per second", .min = 1, .max = 10000000),
    {.kind = OPT_END},
};

static const struct opt form_opts[] = {
    FLAG(0, "banner", portscan_options, banner,
	"show what a service sends first"),
    FLAG('a', "all", portscan_options, all,
	"show closed and filtered ports too"),
    CHOICE(0, "until", "STATE", portscan_options, until,
	"with --retry-for, wait until all ports are open, or none is",
	.choices = until_words, .needs = "retry-for"),
    {.kind = OPT_END},
};

static const struct opt_group portscan_groups[] = {
    GROUP("what to scan", part_opts), GROUP("how to scan", how_opts),
    GROUP("results", form_opts), GROUP("addresses", options_names),
    GROUP("addresses", options_interface),
    GROUP("time limits", options_time_portscan),
    GROUP("messages", options_report), {.opts = NULL}};

/* The command's state. */
struct run {
	const struct options *options;
	struct deadline until; /* The end of --max-time. */
	struct deadline retry; /* The end of --retry-for. */
	struct targets targets;
	struct port_list ports;
	bool is_listed; /* The user has listed the ports. */
	uint64_t hosts; /* The part has this many hosts. */
	struct scan_report report;
	/* The walk of the last scan at its start, and its progress at the end.
	 */
	struct targets_walk walk;
	struct scan_progress progress;
	uint64_t sent;      /* The scans before it sent this many probes. */
	bool is_stream;     /* There are more targets than memory is for. */
	uint64_t streamed;  /* This many were scanned, and are not kept. */
	struct err failure; /* A scan before the end of the list failed. */
	bool is_wrong;      /* A target was wrong, so nothing is scanned. */
};

static const char *
protocol(void)
{
	return portscan_options.udp ? "udp" : "tcp";
}

static int
add_ports(void *ports, const char *text, struct err *e)
{
	return ports_add(ports, protocol(), text, e);
}

static int
add_host(void *context, const char *text, struct err *e)
{
	struct run *run = context;

	return targets_add(&run->targets, text, &run->options->names, e);
}

/* Adds all arguments of an option. */
static int
add_list(
    const struct opt_list *l, wordlist_add *add, void *context, struct err *e)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (wordlist_split(l->items[i].text, add, context, e) < 0)
			return -1;
	return 0;
}

/* Makes the list of ports. Returns 0, or -1 with *e. */
static int
choose_ports(struct run *run, const char *operand, struct err *e)
{
	const char *file = portscan_options.ports_file;
	struct ports ports = {.bits = {0}}, excluded = {.bits = {0}};

	run->is_listed = operand != NULL || file != NULL;
	if (!run->is_listed)
		operand = ports_default(protocol());
	if (operand != NULL &&
	    wordlist_split(operand, add_ports, &ports, e) < 0)
		return -1;
	if (file != NULL &&
	    wordlist_read(file, run->until, add_ports, &ports, e) < 0)
		return -1;
	if (add_list(&portscan_options.exclude, add_ports, &excluded, e) < 0)
		return -1;
	ports_remove(&ports, &excluded);
	ports_list_init(&run->ports, &ports,
	    (uint64_t)clock_now() ^ (uint64_t)getpid() << 32 ^
		(uint64_t)time(NULL));
	if (run->ports.count == 0)
		return err_set(e, ERR_USAGE, "no port is left to scan");
	return 0;
}

/* --dry-run */
static int
print_plan(const struct run *run)
{
	uint64_t hosts = run->targets.hosts, host;
	uint32_t ports = run->ports.count, i;
	struct targets_walk walk;
	struct addr a;
	int rows = 0;

	result_print("%s, %s: %" PRIu64 " to probe, up to %" PRIu32
		     " at once\n",
	    num_count_text(hosts, "host"), num_count_text(ports, "port"),
	    run->hosts * ports, scan_capacity());
	targets_walk_start(&walk, &run->targets, &portscan_options.part);
	while (rows < DRY_ROWS && targets_walk_next(&walk, &host))
		for (i = 0; rows < DRY_ROWS && i < ports; i++, rows++) {
			targets_host(&run->targets, host,
			    ports_at(&run->ports, host, i), &a);
			result_print("%s\n", addr_text(&a));
		}
	return 0;
}

/* The number of ports in the state that --until names. */
static uint64_t
count_reached(const struct run *run)
{
	return portscan_options.until == UNTIL_OPEN ? run->report.open
						    : run->report.closed;
}

/* Sets *e for the exit status. It has no text, since the results suffice,
 * unless --retry-for has failed or no port could be probed. */
static int
status_error(const struct run *run, struct err *e)
{
	const struct scan_report *r = &run->report;
	enum err_kind kind = scan_report_status(r);
	bool has_failed = r->failed == r->total ||
			  (r->decided == 0 && run->progress.errnum != 0);
	int errnum = r->errnum != 0 ? r->errnum : run->progress.errnum;
	uint64_t reached = count_reached(run);

	if (run->options->retry_ms >= 0) {
		if (reached == r->total)
			return 0;
		err_set(e, ERR_TIMEOUT,
		    "%" PRIu64 " of %s %s after %s (--retry-for)", reached,
		    num_count_text(r->total, "port"),
		    until_words[portscan_options.until],
		    num_limit_text(run->options->retry_ms));
		if (has_failed)
			err_append(e, "no port could be probed: %s",
			    err_find(errnum, ERR_AT_TCP)->reason);
		return -1;
	}
	if (kind == ERR_NONE)
		return 0;
	if (has_failed)
		return err_sys(e, kind, r->errnum, "no port could be probed");
	err_clear(e);
	e->kind = kind;
	return -1;
}

/* Scans once, or until --until holds or --retry-for has passed. */
static int
scan(struct run *run, struct err *e)
{
	const struct options *options = run->options;
	struct scan_options so = {
	    .targets = &run->targets,
	    .part = portscan_options.part,
	    .ports = &run->ports,
	    .type = portscan_options.udp ? SOCK_DGRAM : SOCK_STREAM,
	    .banner_ms = portscan_options.banner ? BANNER_MS : 0,
	    .parallel = portscan_options.parallel,
	    .rate = portscan_options.rate,
	    .interface = options->sock.interface,
	    .timeout_ms = TIMEOUT_MS,
	    .until = deadline_first(run->until, run->retry),
	    .result = scan_report_add,
	    .host_done = scan_report_host_done,
	    .progress = scan_report_progress,
	    .context = &run->report,
	};
	struct backoff pause = {.min = RETRY_MS, .max = MAX_RETRY_MS};
	int result;

	if (options->timeout_ms >= 0)
		so.timeout_ms = so.last_ms = options->timeout_ms;
	sandbox_enter();
	for (;;) {
		progress_start(
		    &run->report.live, !diag_shows(DIAG_NOTE), false);
		result = scan_run(&so, &run->progress, e);
		/* When --retry-for ends a scan, that is not a failure. */
		if ((result < 0 && !(e->kind == ERR_TIMEOUT &&
				       deadline_passed(run->retry) &&
				       !deadline_passed(run->until))) ||
		    result_probe(e) < 0)
			return -1;
		if (options->retry_ms < 0 ||
		    count_reached(run) == run->report.total ||
		    deadline_passed(run->retry))
			return 0;
		if (wait_until(
			deadline_first(deadline_first(run->until, run->retry),
			    deadline_after(backoff_next(&pause)))) < 0)
			return err_sys(e, ERR_FAILED, EINTR, "scan");
		if (deadline_passed(run->until))
			return deadline_error(run->until, "", e);
		scan_report_clear(&run->report);
	}
}

/* Makes the list of hosts final, and scans them. Returns 0, or -1 with *e. */
static int
scan_targets(struct run *run, struct err *e)
{
	const struct targets_lookup lookup = {
	    .names = run->options->names,
	    .all_addresses = portscan_options.all_addresses != 0,
	    .until = run->until,
	    .name_ms = run->options->timeout_ms,
	    .retry =
		run->options->retry_ms >= 0 ? run->retry : deadline_after(0),
	};
	struct scan_report *r = &run->report;
	struct targets *t = &run->targets;

	t->excludes = true;
	if (add_list(&portscan_options.exclude_hosts, add_host, run, e) < 0 ||
	    targets_look_up(t, &lookup, e) < 0)
		return -1;
	targets_merge(t);
	if (t->hosts > MAX_PORTS / run->ports.count)
		return err_set(e, ERR_USAGE,
		    "%" PRIu64 " hosts with %" PRIu32 " ports each are more "
		    "than %" PRIu64 " ports",
		    t->hosts, run->ports.count, MAX_PORTS);
	targets_walk_start(&run->walk, t, &portscan_options.part);
	run->hosts = run->walk.end - run->walk.at;
	if (portscan_options.dry_run && run->hosts > 0)
		return print_plan(run);
	r->hosts += t->hosts;
	r->total += run->hosts * run->ports.count;
	r->all = portscan_options.all ||
		 (run->is_listed && run->ports.count <= MAX_ROWS &&
		     r->hosts == 1 && !diag_is_json());
	run->sent += run->progress.sent;
	if (r->start_ns == 0)
		r->start_ns = clock_now();
	return run->hosts == 0 ? 0 : scan(run, e);
}

/*
 * Adds targets. From the second million on a list is a stream: each million is
 * scanned before the next one is read, unless a line was wrong.
 */
static int
add_hosts(void *context, const char *text, struct err *e)
{
	struct run *run = context;

	if (run->targets.position >= MAX_TARGETS && !portscan_options.dry_run) {
		if (run->options->retry_ms >= 0)
			return err_set(e, ERR_USAGE,
			    "--retry-for repeats a scan of at most %d targets",
			    MAX_TARGETS);
		if (!run->is_stream)
			diag_warn("more than %d targets: they are scanned in "
				  "parts, in this order, and what two parts "
				  "list is scanned twice",
			    MAX_TARGETS);
		run->is_stream = true;
		if (!run->is_wrong && scan_targets(run, e) < 0) {
			run->failure = *e;
			return -1;
		}
		targets_release(&run->targets);
		run->streamed += MAX_TARGETS;
	}
	if (add_host(run, text, e) == 0)
		return 0;
	run->is_wrong = true;
	return -1;
}

/* Reports how to continue a scan that was cut off. For the summary, sets text
 * to the shards that are left, which may begin a little earlier, or to "". */
static void
report_rest(const struct run *run, char *text, size_t size)
{
	const struct targets *t = &run->targets;
	uint32_t parts =
	    t->hosts < MAX_SHARDS ? (uint32_t)t->hosts : MAX_SHARDS;

	text[0] = '\0';
	if (t->hosts <= 1 || run->progress.next >= run->walk.end)
		return;
	if (run->is_stream) {
		if (run->streamed > 0)
			diag_warn("to continue, repeat the command without "
				  "the first %" PRIu64 " targets",
			    run->streamed);
		return;
	}
	snprintf(text, size, "%" PRIu32 "-%" PRIu32 "/%" PRIu32,
	    targets_shard_of(t, parts, run->progress.next) + 1,
	    targets_shard_of(t, parts, run->walk.end - 1) + 1, parts);
	diag_warn("to continue, repeat the command with --shard %s", text);
}

/* Reads the targets, scans them, and reports. Returns 0, or -1 with *e. */
static int
scan_and_report(struct run *run, const char *hosts, struct err *e)
{
	const struct targets_part *part = &portscan_options.part;
	const char *file = portscan_options.targets_file;
	struct scan_report *r = &run->report;
	char rest[80];
	int result = 0;

	if (hosts == NULL && file == NULL)
		return err_set(e, ERR_USAGE, "missing operand: expected HOST");
	r->targets = &run->targets;
	r->protocol = protocol();
	r->with_reason = portscan_options.all || diag_shows(DIAG_NOTE);
	r->with_banner = portscan_options.banner != 0;
	r->waits = run->options->retry_ms >= 0;
	if (!run->options->names.numeric)
		scan_report_read_services(r);
	if (hosts != NULL)
		result = wordlist_split(hosts, add_hosts, run, e);
	if (result == 0 && file != NULL)
		result = wordlist_read(file, run->until, add_hosts, run, e);
	if (result == 0)
		result = scan_targets(run, e);
	/* The line of the file is not where that failure was. */
	if (run->failure.kind != ERR_NONE)
		*e = run->failure;
	progress_stop(&r->live);
	if (result == 0 && run->targets.hosts == 0 && r->hosts == 0)
		result = err_set(e, ERR_USAGE, "no host is left to scan");
	else if (result == 0 && run->hosts == 0 && r->total == 0)
		result = err_set(e, ERR_FAILED,
		    "part %" PRIu32 " of %" PRIu32
		    " has no host: nothing was scanned",
		    part->first + 1, part->shards);
	if (r->total > 0) {
		scan_report_finish(r);
		report_rest(run, rest, sizeof(rest));
		scan_report_summary(r, rest, run->sent + run->progress.sent);
		if (result == 0)
			result = status_error(run, e);
	}
	scan_report_release(r);
	return result;
}

static int
portscan_run(const struct command_args *args, struct err *e)
{
	const char *first = args->operands[0];
	const char *second = args->count > 1 ? args->operands[1] : NULL;
	bool only_ports =
	    portscan_options.targets_file != NULL && args->count == 1;
	struct run run = {.options = options_complete(false)};
	int result = -1;

	run.until = run.options->until;
	run.retry = deadline_limit(run.options->retry_ms, "--retry-for");
	diag_limit(run.until, -1);
	/* portscan 22 localhost */
	if (second != NULL && first[0] != '\0' &&
	    first[strspn(first, "0123456789")] == '\0')
		return endpoint_check_host(first, e);
	if (result_start(run.until, true, e) < 0 || signals_catch(e) < 0)
		return -1;
	if (choose_ports(&run, only_ports ? first : second, e) == 0)
		result = scan_and_report(&run, only_ports ? NULL : first, e);
	targets_release(&run.targets);
	free(run.ports.ports);
	return result;
}

const struct command portscan_command = {
    .name = "portscan",
    .summary = "find out which ports of a host are open, by connecting",
    .operands = "HOSTS [PORTS]",
    .min_operands = 0,
    .max_operands = 2,
    .groups = portscan_groups,
    .usual = "all banner udp timeout max-time rate retry-for targets exclude "
	     "dry-run quiet json",
    .notes = "HOSTS is a list of names, addresses, networks such as "
	     "192.0.2.0/24, and ranges. PORTS is a list such as "
	     "22,80,8000-8100,ssh,60000-, or '-' for "
	     "all; without PORTS, 1-1024 and common higher ports are scanned.",
    .examples = "sockt portscan 127.0.0.1 -\n"
		"sockt portscan -q 192.0.2.0/24 ssh,http\n"
		"sockt portscan -a localhost 20-25 && echo something is open\n",
    .run = portscan_run,
};
