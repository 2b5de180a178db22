/* Confines this process with pledge(2), on OpenBSD; elsewhere not at all. */
#include "net/sandbox.h"

#ifdef __OpenBSD__
#include <unistd.h>

/* Hidden by _POSIX_C_SOURCE. */
int pledge(const char *promises, const char *exec_promises);
#endif

void
sandbox_enter(void)
{
#ifdef __OpenBSD__
	(void)pledge("stdio rpath wpath cpath fattr flock inet mcast unix dns "
		     "tty proc",
	    NULL);
#endif
}

bool
sandbox_enter_folder(int dir)
{
	return false;
}

void
sandbox_enter_transfer(void)
{
#ifdef __OpenBSD__
	(void)pledge("stdio inet", NULL);
#endif
}
