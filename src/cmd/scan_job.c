/* The targets of a portscan: hosts and ports from operands and files. */
#include "cmd/scan_job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/wordlist.h"
#include "cli/command.h"
#include "net/wait.h"

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

/*
 * Opens FILE, or duplicates standard input for "-". O_NONBLOCK: a FIFO may
 * never get a writer. The flag is not set on standard input, since other
 * processes share it.
 */
static int
open_list(const char *path)
{
	if (strcmp(path, "-") == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* A list that is being read. */
struct list {
	char *text;
	size_t size, capacity;
};

/* Reads the data available. Returns 1, 0 at the end, or -1 with errno. */
static int
read_some(int fd, struct list *l, struct deadline until)
{
	int ready = wait_fd(fd, POLLIN, until);
	ssize_t n;

	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready <= 0)
		return -1;
	if (l->size == l->capacity) {
		l->capacity = l->capacity * 2 + 8192;
		l->text = mem_resize(l->text, l->capacity, 1);
	}
	n = read(fd, l->text + l->size, l->capacity - l->size);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -1;
	l->size += (size_t)n;
	return n > 0;
}

/*
 * Reads a whole list and opens it as a stream of words. Signals and the
 * deadline apply while it is read. Returns NULL with *e. The caller frees
 * l->text after it closes the stream.
 */
static FILE *
open_words(
    const char *path, struct list *l, struct deadline until, struct err *e)
{
	char shown[256];
	FILE *f = NULL;
	int fd = open_list(path), more = fd < 0 ? -1 : 1;

	while (more > 0)
		more = read_some(fd, l, until);
	/* fmemopen(3) refuses an empty list. */
	if (more == 0)
		f = l->size == 0 ? fopen("/dev/null", "re")
				 : fmemopen(l->text, l->size, "r");
	if (f == NULL)
		err_sys(e,
		    errno == ETIMEDOUT ? ERR_TIMEOUT
		    : errno == EINTR   ? ERR_FAILED
				       : ERR_OUTPUT,
		    errno, "%s",
		    text_escape_string(shown, sizeof(shown), path));
	fd_close(&fd);
	return f;
}

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
	struct list l = {NULL, 0, 0};
	int result = -1;
	FILE *f;

	if (path == NULL)
		return 0;
	f = open_words(path, &l, p->to.until, e);
	if (f != NULL) {
		result = wordlist_read(f, path, add, p, e);
		fclose(f);
	}
	free(l.text);
	return result;
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
