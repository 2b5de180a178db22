/*
 * portscan: which ports are open, found out by connecting. Resolve, then
 * socket, connect, close for every port, many at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "cli/command.h"
#include "cmd/common.h"
#include "cmd/scan_report.h"
#include "cmd/table.h"
#include "net/addr.h"
#include "net/ports.h"
#include "net/scan.h"
#include "net/scan_order.h"
#include "net/targets.h"
#include "net/wait.h"

/* The longest wait for an answer where -w says nothing. */
#define TIMEOUT_MS 3000
/* Probes that --dry-run shows. */
#define DRY_ROWS 10
/* The order of shards has to be the same in every run. */
#define SHARD_SEED 1

struct shard {
	int64_t number, count; /* 1 to count; 0 of 0: everything */
};

struct portscan_options {
	struct report_options report;
	struct family_options family;
	struct time_options time;
	int all;
	int greppable;
	int ascending;
	int no_skip;
	int all_addresses;
	int dry_run;
	int64_t parallel, rate, retries;
	struct opt_list exclude, exclude_hosts;
	const char *ports_file, *targets_file;
	struct shard shard;
};

static const struct portscan_options portscan_defaults = {
    .time = TIME_OPTIONS_INIT,
    .retries = -1,
};

static const char *const order_words[] = {"random", "ascending", NULL};

/* "I/N" */
static int
parse_shard(void *field, const char *arg, struct err *e)
{
	struct shard *s = field;
	const char *slash = strchr(arg, '/');
	char first[24], shown[64];

	if (slash != NULL && (size_t)(slash - arg) < sizeof(first)) {
		memcpy(first, arg, (size_t)(slash - arg));
		first[slash - arg] = '\0';
		if (num_parse(slash + 1, 1, 1000000, &s->count) &&
		    num_parse(first, 1, s->count, &s->number))
			return 0;
	}
	text_escape_string(shown, sizeof(shown), arg);
	return err_set(e, ERR_USAGE,
	    "'%s' is not I/N with I from 1 to N, N up to 1000000", shown);
}

static const struct opt what_opts[] = {
    {.kind = OPT_LIST,
	.name = "exclude",
	.arg = "PORTS",
	.help = "leave these ports out",
	.offset = offsetof(struct portscan_options, exclude)},
    {.kind = OPT_STRING,
	.name = "ports-file",
	.arg = "FILE",
	.help = "take ports from a file, '-' is stdin",
	.offset = offsetof(struct portscan_options, ports_file)},
    {.kind = OPT_STRING,
	.name = "targets",
	.arg = "FILE",
	.help = "take hosts from a file, '-' is stdin; the only operand is "
		"then PORTS",
	.offset = offsetof(struct portscan_options, targets_file)},
    {.kind = OPT_LIST,
	.name = "exclude-hosts",
	.arg = "HOSTS",
	.help = "leave these hosts out",
	.offset = offsetof(struct portscan_options, exclude_hosts)},
    {.kind = OPT_FLAG,
	.name = "all-addresses",
	.help = "scan every address of a name, not just its first",
	.offset = offsetof(struct portscan_options, all_addresses),
	.value = 1},
    {.kind = OPT_CALL,
	.name = "shard",
	.arg = "I/N",
	.help = "do part I of N; N runs do everything once",
	.offset = offsetof(struct portscan_options, shard),
	.call = parse_shard},
    {.kind = OPT_FLAG,
	.name = "dry-run",
	.help = "send nothing; tell how much it is and what comes first",
	.offset = offsetof(struct portscan_options, dry_run),
	.value = 1},
    {.kind = OPT_END}};

static const struct opt how_opts[] = {
    {.kind = OPT_NUMBER,
	.name = "parallel",
	.arg = "N",
	.help = "probes in flight at most (default: as descriptors allow)",
	.offset = offsetof(struct portscan_options, parallel),
	.min = 1,
	.max = 60000},
    {.kind = OPT_NUMBER,
	.name = "rate",
	.arg = "N",
	.help = "probes a second at most",
	.offset = offsetof(struct portscan_options, rate),
	.min = 1,
	.max = 10000000},
    {.kind = OPT_NUMBER,
	.name = "retries",
	.arg = "N",
	.help = "ask a silent port so often again (default: once, and more "
		"where answers get lost)",
	.offset = offsetof(struct portscan_options, retries),
	.max = 10},
    {.kind = OPT_CHOICE,
	.name = "order",
	.arg = "ORDER",
	.help = "in which order ports are asked",
	.offset = offsetof(struct portscan_options, ascending),
	.choices = order_words},
    {.kind = OPT_FLAG,
	.name = "no-skip",
	.help = "of several hosts, go on with those that answer nothing",
	.offset = offsetof(struct portscan_options, no_skip),
	.value = 1},
    {.kind = OPT_END}};

static const struct opt form_opts[] = {
    {.kind = OPT_FLAG,
	.letter = 'a',
	.name = "all",
	.help = "show closed and filtered ports too",
	.offset = offsetof(struct portscan_options, all),
	.value = 1},
    {.kind = OPT_FLAG,
	.letter = 'g',
	.name = "greppable",
	.help = "a line a host",
	.offset = offsetof(struct portscan_options, greppable),
	.value = 1,
	.excludes = "json quiet"},
    {.kind = OPT_END}};

static const struct opt_group portscan_groups[] = {
    {"what to scan", what_opts, 0}, {"how to scan", how_opts, 0},
    {"results", form_opts, 0},
    {"addresses", common_family_opts,
	offsetof(struct portscan_options, family)},
    {"time", common_timeout_opts, offsetof(struct portscan_options, time)},
    {"time", common_max_opts, offsetof(struct portscan_options, time)},
    {"report", common_report_opts, offsetof(struct portscan_options, report)},
    {NULL, NULL, 0}};

/* What is scanned. */
struct job {
	struct targets targets;
	uint16_t *ports; /* owned, ascending */
	uint32_t port_count;
};

/* FILE, or stdin for "-". The caller closes it. */
static FILE *
open_list(const char *path, struct err *e)
{
	char shown[256];
	FILE *f;

	if (strcmp(path, "-") == 0)
		return stdin;
	f = fopen(path, "r");
	if (f == NULL)
		err_sys(e, ERR_OUTPUT, errno, "%s",
		    text_escape_string(shown, sizeof(shown), path));
	return f;
}

static void
close_list(FILE *f)
{
	if (f != stdin)
		fclose(f);
}

static int
take_targets(struct job *job, const struct portscan_options *o,
    const char *operand, struct deadline until, struct err *e)
{
	struct targets_options to = {o->family.family, o->family.numeric != 0,
	    o->all_addresses != 0, until};
	struct targets out = TARGETS_INIT;
	int result = 0;
	size_t i;
	FILE *f;

	if (operand != NULL && targets_add(&job->targets, operand, &to, e) < 0)
		return -1;
	if (o->targets_file != NULL) {
		f = open_list(o->targets_file, e);
		if (f == NULL)
			return -1;
		result =
		    targets_read(&job->targets, f, o->targets_file, &to, e);
		close_list(f);
	}
	to.all_addresses = true;
	for (i = 0; i < o->exclude_hosts.count && result == 0; i++)
		result = targets_add(&out, o->exclude_hosts.items[i], &to, e);
	if (result == 0)
		targets_remove(&job->targets, &out);
	targets_release(&out);
	if (result == 0 && job->targets.hosts == 0)
		result = err_set(e, ERR_USAGE, "no host is left to scan");
	return result;
}

static int
take_ports(struct job *job, const struct portscan_options *o,
    const char *operand, struct err *e)
{
	struct ports set, out;
	int result = 0;
	size_t i;
	FILE *f;

	ports_clear(&set);
	ports_clear(&out);
	if (operand != NULL && ports_parse(&set, operand, "tcp", e) < 0)
		return -1;
	if (o->ports_file != NULL) {
		f = open_list(o->ports_file, e);
		if (f == NULL)
			return -1;
		result = ports_read(&set, f, o->ports_file, "tcp", e);
		close_list(f);
	}
	if (operand == NULL && o->ports_file == NULL)
		ports_default(&set, "tcp");
	for (i = 0; i < o->exclude.count && result == 0; i++)
		result = ports_parse(&out, o->exclude.items[i], "tcp", e);
	if (result < 0)
		return -1;
	ports_remove(&set, &out);
	job->port_count = (uint32_t)ports_count(&set);
	if (job->port_count == 0)
		return err_set(e, ERR_USAGE, "no port is left to scan");
	job->ports = mem_array(job->port_count, sizeof(job->ports[0]));
	ports_list(&set, job->ports);
	return 0;
}

/* Operands and files: ports first, for their errors cost nothing. */
static int
take_job(struct job *job, const struct portscan_options *o,
    const struct command_args *args, struct deadline until, struct err *e)
{
	const char *hosts = args->operands[0];
	const char *ports = args->count > 1 ? args->operands[1] : NULL;

	if (o->targets_file != NULL && args->count == 1) {
		ports = hosts;
		hosts = NULL;
	}
	if (hosts == NULL && o->targets_file == NULL)
		return err_set(e, ERR_USAGE, "HOST is missing");
	if (take_ports(job, o, ports, e) < 0)
		return -1;
	return take_targets(job, o, hosts, until, e);
}

static void
on_result(void *context, const struct scan_result *result)
{
	scan_report_add(context, result);
}

static uint64_t
random_seed(void)
{
	return (uint64_t)clock_now() ^ (uint64_t)getpid() << 32 ^
	       (uint64_t)time(NULL);
}

static void
scan_setup(struct scan_options *so, const struct job *job,
    const struct portscan_options *o, struct deadline until)
{
	memset(so, 0, sizeof(*so));
	so->targets = &job->targets;
	so->ports = job->ports;
	so->port_count = job->port_count;
	so->parallel = o->parallel;
	so->rate = o->rate;
	so->retries = o->retries;
	so->timeout_ms =
	    o->time.timeout_ms < 0 ? TIMEOUT_MS : o->time.timeout_ms;
	so->ascending = o->ascending != 0;
	so->no_skip = o->no_skip != 0;
	so->shards = 1;
	so->seed = random_seed();
	if (o->shard.count > 0) {
		so->shard = (uint32_t)o->shard.number - 1;
		so->shards = (uint32_t)o->shard.count;
		so->seed = SHARD_SEED;
	}
	so->until = until;
	so->result = on_result;
}

static void
report_setup(struct scan_report *r, const struct job *job,
    const struct portscan_options *o, uint64_t asked)
{
	memset(r, 0, sizeof(*r));
	r->targets = &job->targets;
	r->protocol = "tcp";
	r->form = o->report.level == DIAG_ERRORS ? SCAN_BARE
		  : o->greppable                 ? SCAN_GREPPABLE
						 : SCAN_TABLE;
	r->all = o->all != 0;
	r->with_reason = o->all || o->report.level > 0;
	r->with_service = !o->family.numeric;
	r->asked = asked;
	scan_report_start(r);
}

/* What --dry-run tells. */
static void
rehearse(const struct job *job, const struct scan_options *so,
    struct scan_order *order)
{
	char text[ADDR_TEXT];
	struct addr a;
	uint64_t pair;
	bool is_lead;
	int i;

	printf("%" PRIu32 " hosts, %" PRIu32 " ports: %" PRIu64
	       " to ask, up to %" PRIu32 " at once\n",
	    job->targets.hosts, job->port_count, scan_order_count(order),
	    scan_capacity());
	for (i = 0; i < DRY_ROWS && scan_order_next(order, &pair, &is_lead);
	     i++) {
		targets_host(so->targets, (uint32_t)(pair / job->port_count),
		    job->ports[pair % job->port_count], &a);
		printf("%s\n", addr_format(&a, text, sizeof(text)));
	}
}

/* The exit status as an error that the results have told already. */
static int
status_error(enum err_kind kind, struct err *e)
{
	if (kind == ERR_NONE)
		return 0;
	err_clear(e);
	e->kind = kind;
	return -1;
}

static int
scan(const struct job *job, const struct portscan_options *o,
    struct deadline until, struct err *e)
{
	struct scan_options so;
	struct scan_order order;
	struct scan_progress end;
	struct scan_report r;
	int result;

	scan_setup(&so, job, o, until);
	scan_order_init(&order, job->targets.hosts, job->ports, job->port_count,
	    so.seed, so.shard, so.shards);
	if (so.ascending)
		scan_order_ascend(&order);
	if (o->dry_run) {
		rehearse(job, &so, &order);
		return 0;
	}
	report_setup(&r, job, o, scan_order_count(&order));
	so.context = &r;
	memset(&end, 0, sizeof(end));
	result = scan_run(&so, &end, e);
	scan_report_print(&r);
	scan_report_summary(&r, end.sent, clock_now() - end.start_ns);
	if (result == 0)
		result = status_error(scan_report_status(&r), e);
	scan_report_release(&r);
	return result;
}

static int
portscan_run(
    const void *options, const struct command_args *args, struct err *e)
{
	const struct portscan_options *o = options;
	struct job job = {TARGETS_INIT, NULL, 0};
	struct deadline until = deadline_after(o->time.max_ms);
	int result = -1;

	diag_events_to_stdout();
	if (wait_catch(WAIT_STOP, e) == 0 &&
	    take_job(&job, o, args, until, e) == 0)
		result = scan(&job, o, until, e);
	targets_release(&job.targets);
	free(job.ports);
	return result;
}

const struct command portscan_command = {
    .name = "portscan",
    .summary = "find out which ports of a host are open, by connecting",
    .operands = "HOST[,HOST|CIDR]... [PORTS]",
    .least = 0,
    .most = 2,
    .groups = portscan_groups,
    .defaults = &portscan_defaults,
    .size = sizeof(struct portscan_options),
    .notes = "PORTS is like 22,80,8000-8100,ssh,60000- or '-' for all; "
	     "without it 1-1024 and\na list of common higher ports.\n\n"
	     "examples:\n"
	     "  sockt portscan 127.0.0.1 -\n"
	     "  sockt portscan -q 192.0.2.0/24 ssh,http\n"
	     "  sockt portscan -a localhost 20-25 && echo something is open\n",
    .run = portscan_run,
};
