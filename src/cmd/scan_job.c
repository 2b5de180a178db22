/* What portscan is to scan: hosts and ports from operands and files. */
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
#include "cli/command.h"
#include "scan/ports.h"
#include "net/wait.h"

const struct opt scan_job_opts[] = {
    LIST(0, "exclude", "PORTS", scan_job_options, exclude,
	"leave these ports out"),
    STRING(0, "ports-file", "FILE", scan_job_options, ports_file,
	"take ports from a file, '-' is stdin"),
    STRING(0, "targets", "FILE", scan_job_options, targets_file,
	"take hosts from a file, '-' is stdin; the only operand is then PORTS"),
    LIST(0, "exclude-hosts", "HOSTS", scan_job_options, exclude_hosts,
	"leave these hosts out"),
    FLAG(0, "all-addresses", scan_job_options, all_addresses,
	"scan every address of a name, not just its first"),
    {.kind = OPT_END},
};

/*
 * FILE, or stdin for "-". A FIFO is not waited for here: nobody may ever write
 * to it. Stdin is another descriptor of the same file, whose mode is shared
 * with other processes and stays as it is.
 */
static int
open_list(const char *path)
{
	if (strcmp(path, "-") == 0)
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* A list as it is read. */
struct list {
	char *text;
	size_t size, capacity;
};

/* Reads what there is: 1, 0 at the end, or -1 with errno. */
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
 * The whole of a list, as a file to read words from; signals and the deadline
 * hold while it comes. NULL with *e. close_list() frees both.
 */
static FILE *
read_list(
    const char *path, struct list *l, struct deadline until, struct err *e)
{
	char shown[256];
	FILE *f = NULL;
	int fd = open_list(path), more = fd < 0 ? -1 : 1;

	memset(l, 0, sizeof(*l));
	while (more > 0)
		more = read_some(fd, l, until);
	/* fmemopen(3) takes no empty list. */
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

static void
close_list(FILE *f, struct list *l)
{
	if (f != NULL)
		fclose(f);
	free(l->text);
}

/* The hosts that were asked for. */
static int
take_hosts(struct targets *t, const struct scan_job_options *o,
    const char *operand, const struct targets_options *to, struct err *e)
{
	struct list l;
	FILE *f;
	int result = -1;

	if (operand != NULL && targets_add(t, operand, to, e) < 0)
		return -1;
	if (o->targets_file == NULL)
		return 0;
	f = read_list(o->targets_file, &l, to->until, e);
	if (f != NULL)
		result = targets_read(t, f, o->targets_file, to, e);
	close_list(f, &l);
	return result;
}

/* Those that are left out. */
static int
take_excluded(struct targets *t, const struct scan_job_options *o,
    struct targets_options to, struct err *e)
{
	size_t i;

	to.all_addresses = true;
	to.protocol = NULL;
	for (i = 0; i < o->exclude_hosts.count; i++)
		if (targets_add(t, o->exclude_hosts.items[i], &to, e) < 0)
			return -1;
	return 0;
}

/* The ports that were asked for, and those that are left out. */
static int
take_ports(struct ports *set, struct ports *out, const char *protocol,
    const struct scan_job_options *o, const char *operand,
    struct deadline until, struct err *e)
{
	struct list l;
	int result = -1;
	size_t i;
	FILE *f;

	ports_clear(set);
	ports_clear(out);
	if (operand != NULL && ports_parse(set, operand, protocol, e) < 0)
		return -1;
	if (o->ports_file != NULL) {
		f = read_list(o->ports_file, &l, until, e);
		if (f != NULL)
			result = ports_read(set, f, o->ports_file, protocol, e);
		close_list(f, &l);
		if (result < 0)
			return -1;
	}
	if (operand == NULL && o->ports_file == NULL)
		ports_default(set, protocol);
	for (i = 0; i < o->exclude.count; i++)
		if (ports_parse(out, o->exclude.items[i], protocol, e) < 0)
			return -1;
	return 0;
}

/* Refuses ports that nobody is asked for, and hosts that have none. */
static int
check_ports(const struct targets *t, const struct ports *set,
    const struct ports *out, bool given, struct err *e)
{
	struct ports left = *set;
	size_t others, own = targets_own(t, &others);

	ports_remove(&left, out);
	if (others > 0 && ports_count(&left) == 0)
		return err_set(e, ERR_USAGE, "no port is left to scan");
	if (given && own > 0 && others == 0)
		return err_set(e, ERR_USAGE,
		    "every host has its own port (HOST:PORT): who is to be "
		    "asked for the other ports?");
	return 0;
}

int
scan_job_take(struct scan_job *job, const char *protocol,
    const struct scan_job_options *o, const struct command_args *args,
    struct targets_options to, struct err *e)
{
	const char *hosts = args->operands[0];
	const char *ports = args->count > 1 ? args->operands[1] : NULL;
	struct targets excluded = TARGETS_INIT;
	struct ports set, out;
	int result = -1;

	memset(job, 0, sizeof(*job));
	job->protocol = to.protocol = protocol;
	to.all_addresses = o->all_addresses != 0;
	if (o->targets_file != NULL && args->count == 1) {
		ports = hosts;
		hosts = NULL;
	}
	if (hosts == NULL && o->targets_file == NULL)
		return err_set(e, ERR_USAGE, "HOST is missing");
	/* Ports first: their errors cost no look-up. */
	if (take_ports(&set, &out, protocol, o, ports, to.until, e) == 0 &&
	    take_hosts(&job->targets, o, hosts, &to, e) == 0 &&
	    take_excluded(&excluded, o, to, e) == 0 &&
	    check_ports(&job->targets, &set, &out,
		ports != NULL || o->ports_file != NULL, e) == 0)
		result = targets_merge(&job->targets, &excluded, &set, &out, e);
	targets_release(&excluded);
	if (result == 0 && job->targets.hosts == 0)
		return err_set(e, ERR_USAGE, "no %s is left to scan",
		    o->exclude_hosts.count > 0 ? "host" : "port");
	return result;
}

void
scan_job_release(struct scan_job *job)
{
	targets_release(&job->targets);
}
