/* Sends FIN, and drains the input before closing. */
#include "net/shutdown.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "net/conn_event.h"
#include "net/os.h"
#include "net/sock.h"
#include "net/wait.h"

/* The number of bytes that a peer may send after this side's FIN. */
#define DRAIN_BYTES (8 * 1024 * 1024)

int
shutdown_write(int fd, struct conn_summary *s)
{
	struct os_tcp tcp;

	/* The peer's FIN may have arrived unread, behind other data. */
	if (s->first == CONN_FIRST_NOBODY)
		s->first = os_tcp_info(fd, &tcp) &&
				   (tcp.peer_finished || tcp.is_closed)
			       ? CONN_FIRST_PEER
			       : CONN_FIRST_US;
	s->is_fin_sent = true;
	return sock_finish(fd);
}

void
shutdown_received(struct conn_summary *s)
{
	s->is_fin_received = true;
	if (s->first == CONN_FIRST_NOBODY)
		s->first = CONN_FIRST_PEER;
}

int
shutdown_discard(int fd, size_t *dropped)
{
	static char drop[64 * 1024];
	ssize_t n = sock_recv(fd, drop, sizeof(drop), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	*dropped += (size_t)n;
	return n == 0 ? 0 : *dropped < DRAIN_BYTES ? 1 : -1;
}

void
shutdown_and_drain(int *fd, struct deadline until, struct conn_summary *s)
{
	size_t dropped = 0;
	int more = 1;

	if (*fd >= 0 && (s->is_fin_sent || shutdown_write(*fd, s) == 0) &&
	    !s->is_fin_received) {
		do
			more = shutdown_discard(*fd, &dropped);
		while (more > 0 && wait_fd(*fd, POLLIN, until) > 0);
	}
	if (more == 0)
		shutdown_received(s);
	sock_close(fd);
}
