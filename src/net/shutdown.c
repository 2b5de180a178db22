/* Sends FIN, and drains what still comes before it closes. */
#include "net/shutdown.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "net/call.h"
#include "net/sock.h"
#include "net/wait.h"

/* What a peer may send after this side's FIN before the connection is closed.
 */
#define DRAIN_BYTES (8 * 1024 * 1024)

int
shutdown_write(int fd)
{
	return call_shutdown(fd, SHUT_WR);
}

/* Reads and drops until the peer finishes or a limit passes. */
static void
drain(int fd, struct deadline until)
{
	size_t dropped = 0;
	static char drop[4096]; /* static: see net/spawn.h */
	ssize_t n;

	while (dropped < DRAIN_BYTES) {
		n = call_recv(fd, drop, sizeof(drop), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (n < 0 && wait_fd(fd, POLLIN, until) <= 0)
			break;
		dropped += n > 0 ? (size_t)n : 0;
	}
}

void
shutdown_and_drain(int *fd, struct deadline until)
{
	if (*fd >= 0 && shutdown_write(*fd) == 0)
		drain(*fd, until);
	sock_close(fd);
}
