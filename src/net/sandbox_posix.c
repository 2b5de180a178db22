/* Confines this process with pledge(2), on OpenBSD; elsewhere not at all. */
#include "net/sandbox.h"

#ifdef __OpenBSD__
#include <stdio.h>
#include <unistd.h>

/* Hidden by _POSIX_C_SOURCE. */
int pledge(const char *promises, const char *exec_promises);

void
sandbox_enter(unsigned needs)
{
	char promises[64];

	snprintf(promises, sizeof(promises), "stdio tty%s%s%s",
	    (needs & SANDBOX_FILES) != 0 ? " rpath wpath cpath fattr" : "",
	    (needs & SANDBOX_SOCKETS) != 0 ? " inet unix dns" : " inet",
	    (needs & SANDBOX_PROCESSES) != 0 ? " proc" : "");
	(void)pledge(promises, "");
}
#else
void
sandbox_enter(unsigned needs)
{
	(void)needs;
}
#endif
