/*
 * greeter: the hello server's side of one connection on fds 0 and 1, for
 * servers that run a program. Linked statically: what is measured is the
 * server.
 */
#include "greet.h"

int
main(void)
{
	greet(0, 1);
	return 0;
}
