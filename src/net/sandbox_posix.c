/*
 * Confines this process with pledge(2), on OpenBSD; elsewhere not at all. A
 * single folder is left with unveil(2), which has nothing to add elsewhere:
 * without SANDBOX_FILES pledge refuses every path, and otherwise the resolver's
 * files are needed, or those that the user has named.
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
int unveil(const char *path, const char *permissions);

void
sandbox_enter_folder(unsigned needs, const char *folder)
{
	bool has_files = (needs & SANDBOX_FILES) != 0, failed;
	char promises[64];
	int64_t start;

	snprintf(promises, sizeof(promises), "stdio tty%s%s%s%s%s",
	    has_files ? " rpath wpath cpath fattr" : "",
	    has_files && folder == NULL ? " unveil" : "",
	    (needs & SANDBOX_SOCKETS) != 0 ? " inet unix dns" : " inet",
	    (needs & SANDBOX_PROCESSES) != 0 ? " proc" : "",
	    (needs & SANDBOX_PROGRAMS) != 0 ? " proc exec" : "");
	start = step_start();
	failed = folder != NULL &&
		 (unveil(folder, "rwc") < 0 || unveil(NULL, NULL) < 0);
	failed =
	    pledge(promises, (needs & SANDBOX_PROGRAMS) != 0 ? NULL : "") < 0 ||
	    failed;
	step_report(&(struct step){.call = "confine",
			.start_ns = start,
			.errnum = failed ? errno : 0,
			.note = "it can do no more than is pledged"},
	    "this process by pledge: %s", promises);
}
#else
void
sandbox_enter_folder(unsigned needs, const char *folder)
{
	(void)needs;
	(void)folder;
	step_report(&(struct step){.call = "confine",
			.start_ns = step_start(),
			.result = "not supported",
			.note = "by this build"},
	    "this process");
}
#endif

void
sandbox_enter(unsigned needs)
{
	sandbox_enter_folder(needs, NULL);
}
