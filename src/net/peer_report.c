/* Reports about the peer from a process that holds the connection. */
#include "net/peer_report.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/* An answer is not requested again within this time. */
#define ASK_AGAIN_MS 10
/* How long to wait for an answer: the process may be stopped. */
#define ANSWER_MS 100

enum { ASK_ACKED, ASK_TCP };

unsigned
peer_report_read(struct peer_report *r)
{
	struct peer_record record, *all = &r->peer;
	ssize_t n;

	while (!r->has_ended) {
		n = read(r->fd, &record, sizeof(record));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		r->has_ended = n != (ssize_t)sizeof(record);
		if (r->has_ended)
			break;
		if (record.acked > all->acked)
			all->acked = record.acked;
		if (record.sent > all->sent)
			all->sent = record.sent;
		if (record.lost.kind != ERR_NONE)
			all->lost = record.lost;
		/* The process may have been taken over. */
		all->lost.text[sizeof(all->lost.text) - 1] = '\0';
		all->facts |= record.facts;
		if (record.has_tcp)
			all->tcp = record.tcp;
		all->has_tcp = all->has_tcp || record.has_tcp;
	}
	return all->facts;
}

/* Requests ASK_ACKED or ASK_TCP, and reads the answer. */
static void
ask(struct peer_report *r, char what)
{
	struct pollfd p = {.fd = r->fd, .events = POLLIN};

	if (write(r->fd, &what, 1) == 1 && poll(&p, 1, ANSWER_MS) > 0)
		(void)peer_report_read(r);
}

uint64_t
peer_report_acked(struct peer_report *r)
{
	int64_t now = clock_now();

	(void)peer_report_read(r);
	if (r->has_ended || now - r->asked_ns < ASK_AGAIN_MS * CLOCK_MS)
		return r->peer.acked;
	r->asked_ns = now;
	ask(r, ASK_ACKED);
	return r->peer.acked;
}

const struct os_tcp *
peer_report_tcp(struct peer_report *r)
{
	(void)peer_report_read(r);
	if (!r->has_ended)
		ask(r, ASK_TCP);
	return r->peer.has_tcp ? &r->peer.tcp : NULL;
}

int
peer_report_answer(int fd, uint64_t acked, int tcp_fd)
{
	struct peer_record record = {.acked = acked};
	char what;

	if (read(fd, &what, 1) != 1)
		return -1;
	if (what == ASK_TCP)
		record.has_tcp = os_tcp_info(tcp_fd, &record.tcp);
	return fd_write_all(fd, &record, sizeof(record));
}
