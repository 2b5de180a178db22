/* A signal that arrives between two writes of the results ended the command by
 * it only if the reader took them in time; otherwise the status was 5. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/result.h"
#include "lib/tap.h"
#include "net/signals.h"

/* Makes stdout a pipe that is full. Returns the former stdout. */
static int
fill_stdout(void)
{
	static char page[4096];
	int ends[2], saved = dup(STDOUT_FILENO);

	if (saved < 0 || pipe(ends) < 0 ||
	    fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
		return -1;
	while (write(ends[1], page, sizeof(page)) > 0)
		;
	if (fcntl(ends[1], F_SETFL, 0) < 0 || dup2(ends[1], STDOUT_FILENO) < 0)
		return -1;
	return saved;
}

/* Prints to the full pipe. Returns what result_flush() returns. */
static int
print_to_full(struct deadline until, bool is_stopped, struct err *e)
{
	int saved = fill_stdout(), result;

	if (saved < 0)
		return 1;
	result = result_start(until, e);
	result_print("a line\n");
	if (is_stopped)
		raise(SIGTERM);
	if (result == 0)
		result = result_flush(e);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	return result;
}

int
main(void)
{
	struct err e = ERR_INIT;

	signals_init();
	if (signals_catch(SIGNALS_STOP, &e) < 0)
		return 1;
	ok(print_to_full(deadline_none(), true, &e) < 0 &&
		e.kind == ERR_FAILED && e.errnum == EINTR,
	    "a signal before the last write ends the command: %s", e.text);
	return done_testing();
}
