/*
 * Confines this process with pledge(2), on OpenBSD; elsewhere not at all.
 * unveil(2) would add nothing: without SANDBOX_FILES pledge refuses every path,
 * and a process that needs files needs those of the resolver, or whatever files
 * its user has named.
 */
#include "net/sandbox.h"

#include "base/step.h"

#ifdef __OpenBSD__
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* Hidden by _POSIX_C_SOURCE. */
int pledge(const char *promises, const char *exec_promises);

void
sandbox_enter(unsigned needs)
{
	char promises[64];
	int64_t start;
	bool failed;

	snprintf(promises, sizeof(promises), "stdio tty%s%s%s%s",
	    (needs & SANDBOX_FILES) != 0 ? " rpath wpath cpath fattr" : "",
	    (needs & SANDBOX_SOCKETS) != 0 ? " inet unix dns" : " inet",
	    (needs & SANDBOX_PROCESSES) != 0 ? " proc" : "",
	    (needs & SANDBOX_PROGRAMS) != 0 ? " proc exec" : "");
	start = step_start();
	failed =
	    pledge(promises, (needs & SANDBOX_PROGRAMS) != 0 ? NULL : "") < 0;
	step_report(&(struct step){.call = "confine",
			.start_ns = start,
			.errnum = failed ? errno : 0,
			.note = "it can do no more than is pledged"},
	    "this process by pledge: %s", promises);
}
#else
void
sandbox_enter(unsigned needs)
{
	(void)needs;
	step_report(&(struct step){.call = "confine",
			.start_ns = step_start(),
			.result = "not supported",
			.note = "by this build"},
	    "this process");
}
#endif
