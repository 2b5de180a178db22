/* The targets of a portscan: hosts and ports from operands and files. */
#ifndef CMD_SCAN_JOB_H
#define CMD_SCAN_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/opt.h"
#include "scan/ports.h"
#include "scan/targets.h"

struct command_args;
struct err;

struct scan_job_options {
	struct opt_list exclude, exclude_hosts;
	const char *ports_file, *targets_file; /* NULL: none */
	int all_addresses;
};

extern const struct opt scan_job_opts[];

struct scan_job {
	struct targets_options to; /* the caller's */
	const char *protocol;      /* "tcp" or "udp" */
	struct targets targets;    /* zeros initially */
	struct port_list ports;    /* of every host; zeros initially */
};

/* Parses operands and files into job->targets. Returns 0, or -1 with *e. The
 * caller calls scan_job_release() in both cases. */
int scan_job_parse(struct scan_job *job, const struct scan_job_options *o,
    const struct command_args *args, struct err *e);

void scan_job_release(struct scan_job *job);

#endif
