/* Sends FIN, and drains the input before closing. */
#include "net/shutdown.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/call.h"
#include "net/conn_event.h"
#include "net/os.h"
#include "net/sock.h"
#include "net/wait.h"

/* Systems wait at least 40 ms before they acknowledge a FIN by itself. */
#define PROMPT_NS (INT64_C(20) * CLOCK_MS)

/* The number of bytes that a peer may send after this side's FIN. */
#define DRAIN_BYTES (8 * 1024 * 1024)

/*
 * Who finished first, from the TCP states before and after this side sent its
 * FIN (RFC 9293 3.6). If the connection was closed in between, the last
 * segments show it: the peer's FIN alone, in answer to this side's; an ACK
 * alone, in answer to the peer's; or a FIN and an ACK from each.
 */
static enum conn_first
find_first(const struct os_tcp *before, const struct os_tcp *after)
{
	if (before->peer_finished || before->is_closed || after->peer_finished)
		return CONN_FIRST_PEER;
	if (after->is_crossing)
		return CONN_FIRST_BOTH;
	/* The segments only show that if no data was in flight. */
	if (!after->is_closed || !before->is_acknowledged ||
	    after->acks_in - before->acks_in == 1)
		return CONN_FIRST_US;
	return after->acks_out - before->acks_out == 1 ? CONN_FIRST_PEER
						       : CONN_FIRST_BOTH;
}

int
shutdown_write(int fd, struct conn_summary *s)
{
	struct os_tcp before, after;
	bool is_known = s->wants_order && s->first == CONN_FIRST_NOBODY &&
			os_tcp_info(fd, &before);
	int result = call_shutdown(fd, SHUT_WR), saved = errno;

	s->is_fin_sent = true;
	is_known = is_known && os_tcp_info(fd, &after);
	if (s->first == CONN_FIRST_NOBODY)
		s->first =
		    is_known ? find_first(&before, &after) : CONN_FIRST_US;
	if (is_known && before.is_acknowledged && !after.is_fin_acked) {
		s->fin_ns = clock_now();
		s->fin_acks_in = before.acks_in;
	}
	errno = saved;
	return result;
}

/*
 * Whether the peer's FIN, which has been received, was sent before that of this
 * side arrived. A peer that answers a FIN at once does so in one segment, and
 * acknowledges it by itself only after a while (RFC 9293 3.8.6.3): two segments
 * mean that the FINs have crossed.
 */
static bool
has_crossed(const struct conn_summary *s, const struct os_tcp *tcp)
{
	return tcp->is_crossing || (tcp->is_closed && s->fin_ns != 0 &&
				       clock_now() - s->fin_ns < PROMPT_NS &&
				       tcp->acks_in - s->fin_acks_in > 1);
}

void
shutdown_received(int fd, struct conn_summary *s)
{
	struct os_tcp tcp;

	s->is_fin_received = true;
	if (s->first == CONN_FIRST_NOBODY)
		s->first = CONN_FIRST_PEER;
	else if (s->first == CONN_FIRST_US && s->wants_order &&
		 os_tcp_info(fd, &tcp) && has_crossed(s, &tcp))
		s->first = CONN_FIRST_BOTH;
}

/* Reads and discards until the peer finishes or a limit passes. */
static void
drain(int fd, struct deadline until, struct conn_summary *s)
{
	size_t dropped = 0;
	static char drop[4096]; /* static: see net/spawn.h */
	ssize_t n;

	while (dropped < DRAIN_BYTES) {
		n = call_recv(fd, drop, sizeof(drop), MSG_DONTWAIT);
		if (n == 0)
			shutdown_received(fd, s);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (n < 0 && wait_fd(fd, POLLIN, until) <= 0)
			break;
		dropped += n > 0 ? (size_t)n : 0;
	}
}

void
shutdown_and_drain(int *fd, struct deadline until, struct conn_summary *s)
{
	if (*fd < 0)
		return;
	if ((s->is_fin_sent || shutdown_write(*fd, s) == 0) &&
	    !s->is_fin_received)
		drain(*fd, until, s);
	call_report_end(*fd);
	(void)call_close(*fd, NULL);
	*fd = -1;
}
