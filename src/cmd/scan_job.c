/* The targets of a portscan: hosts and ports from operands and files. */
#include "cmd/scan_job.h"

#include "base/err.h"
#include "cli/command.h"
#include "net/wordlist.h"

const struct opt scan_job_opts[] = {
    LIST(0, "exclude", "PORTS", scan_job_options, exclude,
	"do not scan these ports"),
    FILENAME(0, "ports-file", "FILE", scan_job_options, ports_file,
	"read ports from FILE; '-' is stdin", .dash = OPT_DASH_STDIN),
    FILENAME(0, "targets", "FILE", scan_job_options, targets_file,
	"read hosts from FILE; '-' is stdin; the only operand is PORTS",
	.dash = OPT_DASH_STDIN),
    LIST(0, "exclude-hosts", "HOSTS", scan_job_options, exclude_hosts,
	"do not scan these hosts"),
    FLAG(0, "all-addresses", scan_job_options, all_addresses,
	"scan every address of a name, not only the first"),
    {.kind = OPT_END},
};

/* The parser of a selection: the targets, or the exclusions. */
struct parser {
	const char *host_operand, *port_operand; /* NULL: none */
	struct targets *targets;
	struct targets_options to;
	struct ports *ports;
	const char *protocol;
};

static int
add_hosts(void *context, const char *text, struct err *e)
{
	struct parser *p = context;

	return targets_add(p->targets, text, &p->to, e);
}

static int
add_ports(void *context, const char *text, struct err *e)
{
	struct parser *p = context;

	return ports_parse(p->ports, p->protocol, text, e);
}

/* Adds all arguments of an option. */
static int
add_list(struct parser *p, const struct opt_list *l, wordlist_add *add,
    struct err *e)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (add(p, l->items[i], e) < 0)
			return -1;
	return 0;
}

/* Adds the words of a file; path may be NULL. */
static int
add_file(struct parser *p, const char *path, wordlist_add *add, struct err *e)
{
	return path == NULL ? 0 : wordlist_read(path, p->to.until, add, p, e);
}

/* Parses ports first: an error there costs no lookup. */
static int
parse_all(struct parser *p, struct parser *excluded,
    const struct scan_job_options *o, struct err *e)
{
	if (p->port_operand != NULL && add_ports(p, p->port_operand, e) < 0)
		return -1;
	if (p->port_operand == NULL && o->ports_file == NULL)
		ports_default(p->ports, p->protocol);
	if (add_file(p, o->ports_file, add_ports, e) < 0 ||
	    add_list(excluded, &o->exclude, add_ports, e) < 0)
		return -1;
	if (p->host_operand != NULL && add_hosts(p, p->host_operand, e) < 0)
		return -1;
	if (add_file(p, o->targets_file, add_hosts, e) < 0)
		return -1;
	return add_list(excluded, &o->exclude_hosts, add_hosts, e);
}

int
scan_job_parse(struct scan_job *job, const struct scan_job_options *o,
    const struct command_args *args, struct err *e)
{
	const char *first = args->operands[0];
	const char *second = args->count > 1 ? args->operands[1] : NULL;
	bool only_ports = o->targets_file != NULL && args->count == 1;
	struct targets excluded_hosts = TARGETS_INIT;
	struct ports set = {{0}}, excluded_ports = {{0}};
	struct parser p = {.host_operand = only_ports ? NULL : first,
	    .port_operand = only_ports ? first : second,
	    .targets = &job->targets,
	    .to = job->to,
	    .ports = &set,
	    .protocol = job->protocol};
	struct parser excluded = {.targets = &excluded_hosts,
	    .to = job->to,
	    .ports = &excluded_ports,
	    .protocol = job->protocol};
	int result = -1;

	p.to.all_addresses = o->all_addresses != 0;
	excluded.to.all_addresses = true;
	if (p.host_operand == NULL && o->targets_file == NULL)
		return err_set(e, ERR_USAGE, "missing operand: expected HOST");
	if (parse_all(&p, &excluded, o, e) == 0)
		result = targets_merge(&job->targets, &excluded_hosts, e);
	targets_release(&excluded_hosts);
	if (result < 0)
		return -1;
	ports_remove(&set, &excluded_ports);
	ports_list_init(&job->ports, &set);
	if (job->ports.count == 0)
		return err_set(e, ERR_USAGE, "no port is left to scan");
	if (job->targets.hosts == 0)
		return err_set(e, ERR_USAGE, "no host is left to scan");
	return 0;
}

void
scan_job_release(struct scan_job *job)
{
	targets_release(&job->targets);
	ports_list_release(&job->ports);
}
