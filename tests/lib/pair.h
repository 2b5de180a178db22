/* Both ends of a TCP connection on the loopback. */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* [0] is the accepted end, [1] the one that connected. */
static inline void
connect_pair(int ends[2])
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ends[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&a, len) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) < 0 ||
	    connect(ends[1], (struct sockaddr *)&a, len) < 0)
		abort();
	ends[0] = accept(listener, NULL, NULL);
	close(listener);
}

#endif
