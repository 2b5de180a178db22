#include "cmd/scan_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "net/ports.h"

const struct opt scan_job_opts[] = {
    {.kind = OPT_LIST,
	.name = "exclude",
	.arg = "PORTS",
	.help = "leave these ports out",
	.offset = offsetof(struct scan_job_options, exclude)},
    {.kind = OPT_STRING,
	.name = "ports-file",
	.arg = "FILE",
	.help = "take ports from a file, '-' is stdin",
	.offset = offsetof(struct scan_job_options, ports_file)},
    {.kind = OPT_STRING,
	.name = "targets",
	.arg = "FILE",
	.help = "take hosts from a file, '-' is stdin; the only operand is "
		"then PORTS",
	.offset = offsetof(struct scan_job_options, targets_file)},
    {.kind = OPT_LIST,
	.name = "exclude-hosts",
	.arg = "HOSTS",
	.help = "leave these hosts out",
	.offset = offsetof(struct scan_job_options, exclude_hosts)},
    {.kind = OPT_FLAG,
	.name = "all-addresses",
	.help = "scan every address of a name, not just its first",
	.offset = offsetof(struct scan_job_options, all_addresses),
	.value = 1},
    {.kind = OPT_END}};

/* A file of its own for stdin: the C library's, with its buffer, would be in
 * the way of what every server's child writes to. */
static FILE *
open_stdin(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (f == NULL)
		fd_close(&fd);
	return f;
}

/* FILE, or stdin for "-". The caller closes it. */
static FILE *
open_list(const char *path, struct err *e)
{
	char shown[256];
	FILE *f = strcmp(path, "-") == 0 ? open_stdin() : fopen(path, "r");

	if (f == NULL)
		err_sys(e, ERR_OUTPUT, errno, "%s",
		    text_escape_string(shown, sizeof(shown), path));
	return f;
}

static int
take_targets(struct scan_job *job, const struct scan_job_options *o,
    const char *operand, struct targets_options to, struct err *e)
{
	struct targets out = TARGETS_INIT;
	int result = 0;
	size_t i;
	FILE *f;

	to.all_addresses = o->all_addresses != 0;
	if (operand != NULL && targets_add(&job->targets, operand, &to, e) < 0)
		return -1;
	if (o->targets_file != NULL) {
		f = open_list(o->targets_file, e);
		if (f == NULL)
			return -1;
		result =
		    targets_read(&job->targets, f, o->targets_file, &to, e);
		fclose(f);
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
take_ports(struct scan_job *job, const struct scan_job_options *o,
    const char *operand, struct err *e)
{
	struct ports set, out;
	int result = 0;
	size_t i;
	FILE *f;

	ports_clear(&set);
	ports_clear(&out);
	if (operand != NULL && ports_parse(&set, operand, job->protocol, e) < 0)
		return -1;
	if (o->ports_file != NULL) {
		f = open_list(o->ports_file, e);
		if (f == NULL)
			return -1;
		result = ports_read(&set, f, o->ports_file, job->protocol, e);
		fclose(f);
	}
	if (operand == NULL && o->ports_file == NULL)
		ports_default(&set, job->protocol);
	for (i = 0; i < o->exclude.count && result == 0; i++)
		result =
		    ports_parse(&out, o->exclude.items[i], job->protocol, e);
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

int
scan_job_take(struct scan_job *job, const char *protocol,
    const struct scan_job_options *o, const struct command_args *args,
    struct targets_options to, struct err *e)
{
	const char *hosts = args->operands[0];
	const char *ports = args->count > 1 ? args->operands[1] : NULL;

	memset(job, 0, sizeof(*job));
	job->protocol = protocol;
	if (o->targets_file != NULL && args->count == 1) {
		ports = hosts;
		hosts = NULL;
	}
	if (hosts == NULL && o->targets_file == NULL)
		return err_set(e, ERR_USAGE, "HOST is missing");
	/* Ports first: their errors cost no look-up. */
	if (take_ports(job, o, ports, e) < 0)
		return -1;
	return take_targets(job, o, hosts, to, e);
}

void
scan_job_release(struct scan_job *job)
{
	targets_release(&job->targets);
	free(job->ports);
	job->ports = NULL;
}
