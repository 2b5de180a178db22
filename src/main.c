/* sockt: pick the command, parse, run, flush stdout, exit. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "cli/command.h"
#include "cmd/hint.h"
#include "cmd/options.h"
#include "cmd/result.h"
#include "cmd/table.h"
#include "net/os.h"
#include "net/proc.h"
#include "net/signals.h"
#include "tls/tls.h"

#define VERSION "1.1.0"

/* cmd/start.txt, of which the Makefile makes a string. */
extern const char start_txt[];

/*
 * Does everything except the flush. Returns 0, or -1 with *e set, and *hint set
 * if a usage error has one.
 */
static int
dispatch(int argc, char **argv, const char **hint, struct err *e)
{
	static char help[] = "help", short_option[] = "-h";
	const struct command *c;
	struct command_args args;
	const char *library;
	int result;

	if (argc < 2) {
		diag_raw(DIAG_ERRORS, start_txt, strlen(start_txt));
		return err_set(e, ERR_USAGE, "missing command");
	}
	if (strcmp(argv[1], "--version") == 0) {
		library = tls_version(e);
		printf("sockt %s (%s)\n", VERSION, os_name);
		printf("TLS: %s%s\n", library != NULL ? "" : "not available: ",
		    library != NULL ? library : e->text);
		return 0;
	}
	/* "--help connect" is "help connect", "-h connect" is "connect -h". */
	if (strcmp(argv[1], "--help") == 0 ||
	    (strcmp(argv[1], "-h") == 0 && argc == 2)) {
		argv[1] = help;
	} else if (strcmp(argv[1], "-h") == 0) {
		argv[1] = argv[2];
		argv[2] = short_option;
	}
	c = command_find(command_table, argv[1], e);
	if (c == NULL) {
		*hint = hint_find(NULL, argv + 1, NULL, e->text);
		return -1;
	}
	diag_start(c->name, DIAG_SAY, false, false);
	result = command_parse(c, argv + 2, &args, e);
	if (result == 0 && args.help != COMMAND_NO_HELP) {
		command_help(c, args.help == COMMAND_SHORT_HELP);
	} else if (result == 0) {
		options_start_report(c->name);
		result = c->run(&args, e);
	}
	if (result < 0 && e->kind == ERR_USAGE)
		*hint = hint_find(c, argv + 2, &args, e->text);
	command_release(&args);
	return result;
}

/*
 * Checks that all results reached stdout. If results are lost, the command
 * fails with that error. Returns 0, or -1 with *e set.
 */
static int
flush(struct err *e)
{
	struct err lost = ERR_INIT;

	if (result_flush(&lost) == 0) {
		if (fflush(stdout) == 0 && !ferror(stdout))
			return 0;
		err_sys(&lost, ERR_OUTPUT, errno, "stdout");
	}
	if (e->kind != ERR_USAGE && e->errnum != EINTR)
		*e = lost;
	return -1;
}

static void
report(const struct err *e, const char *hint)
{
	if (e->kind == ERR_USAGE)
		diag_usage(e, hint);
	else
		diag_error(e);
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	const char *hint = NULL;
	char *similar;
	bool is_lost;

	fd_reserve_standard();
	signals_init();
	if (dispatch(argc, argv, &hint, &e) == 0)
		err_clear(&e);
	/* However the command has ended, it leaves no child. */
	proc_terminate_all();
	is_lost = flush(&e) < 0;
	if (signals_stopped() != 0 && e.errnum == EINTR)
		signals_die(signals_stopped());
	/* A hint says more than a similar word. */
	similar = hint != NULL ? strstr(e.text, "; did you mean") : NULL;
	if (similar != NULL)
		*similar = '\0';
	report(&e, hint);
	/* The error may have been printed to stdout as an event. */
	if (!is_lost && flush(&e) < 0)
		report(&e, hint);
	return (int)e.kind;
}
