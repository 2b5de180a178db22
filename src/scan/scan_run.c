/* Addresses, sockets and outcomes of a running scan's probes. */
#include "scan/internal.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/addr.h"
#include "net/sock.h"
#include "scan/targets.h"

void
scan_address(const struct scan *s, uint32_t id, struct addr *a)
{
	const struct probe *p = scan_probe(s, id);

	targets_host(s->o->targets, p->host, p->port, a);
}

void
scan_drop_socket(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);

	ready_set_forget(s->set, id);
	sock_abort(&p->fd);
}

bool
scan_is_plentiful(const struct scan *s)
{
	return s->pool.used <= s->pool.most / 4;
}

/* scan_ask() for a datagram. */
static struct scan_outcome
ask_dgram(int fd, const struct addr *a)
{
	char byte;
	int errnum = 0;

	if (recv(fd, &byte, 1, MSG_DONTWAIT) < 0)
		errnum =
		    errno == EAGAIN || errno == EINTR ? EINPROGRESS : errno;
	return ready_outcome(fd, a, errnum, true);
}

/*
 * TCP goes on after an ICMP error that comes while connect(2) is at work; for
 * a scan it is the answer.
 */
struct scan_outcome
scan_ask(const struct scan *s, int fd, const struct addr *a)
{
	struct scan_outcome o;
	int errnum;

	if (s->o->type == SOCK_DGRAM)
		return ask_dgram(fd, a);
	errnum = ready_connect_result(fd, a);
	o = ready_outcome(fd, a, errnum, true);
	if (errnum == EINPROGRESS && o.errnum != EINPROGRESS)
		(void)ready_connect_again(fd, true);
	return o;
}
