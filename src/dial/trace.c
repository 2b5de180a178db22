/* Traces a TCP connection: connects with small times to live. */
#include "dial/trace.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "net/icmp.h"
#include "net/os.h"
#include "net/sock.h"
#include "net/wait.h"

/* The maximum time to live, and how many are tried at a time. */
#define MAX_HOPS 30
#define BATCH 8
/* The default of --timeout. */
#define TRACE_MS 2000

/* An attempt with a time to live. */
struct hop {
	/* The socket, or -1 if the attempt has ended. */
	int fd;
	/* When it began, and the round trip; 0: unknown. */
	int64_t start_ns, ns;
	/* An answer has come. It is final unless it is "time exceeded"; then
	 * errnum is 0 if the attempt has connected. */
	bool has_answered, is_final;
	int errnum;
	/* The ICMP error that ended it; its errnum is 0 if there was none. */
	struct os_error icmp;
};

/* Hops are numbered from 1. */
struct trace {
	const struct addr *to;
	struct sock_options sock;
	struct limit wait;
	struct deadline until; /* The end of the present batch. */
	int begun;             /* The last hop that was tried. */
	int row;               /* The next hop to report. */
	int last;              /* The last hop that counts. */
	bool is_open;          /* An attempt has connected. */
	struct hop hops[MAX_HOPS + 1];
};

/*
 * Ends an attempt. A reset after the handshake also is an answer of the host
 * (base/err.h). The first connection is closed, others are reset.
 */
static void
finish_hop(struct trace *t, int i, int errnum)
{
	struct hop *h = &t->hops[i];
	bool is_open =
	    errnum == 0 || err_find(errnum, ERR_AT_TCP)->origin == ERR_BY_PEER;
	struct os_tcp tcp;

	h->has_answered = true;
	/* An answer to a repeated SYN may be one to any of them. */
	if (!os_tcp_info(h->fd, &tcp) || tcp.retransmitted == 0)
		h->ns = clock_now() - h->start_ns;
	h->is_final = is_open || !icmp_is_exceeded(&h->icmp);
	h->errnum = is_open ? 0 : errnum;
	if (is_open && !t->is_open)
		sock_close(&h->fd);
	else
		sock_abort(&h->fd);
	t->is_open = t->is_open || is_open;
	/* Later attempts also reach the host, or nothing. */
	if (h->is_final && i < t->last)
		t->last = i;
}

/* Returns 0, or -1 with *e if the attempt cannot be made. */
static int
begin_hop(struct trace *t, int i, struct err *e)
{
	struct hop *h = &t->hops[i];
	int family = addr_family(t->to);

	h->fd = sock_open(family, SOCK_STREAM);
	if (h->fd < 0)
		return err_sys(e, ERR_FAILED, errno, "%s", addr_text(t->to));
	t->sock.ttl = i;
	if (sock_set(h->fd, family, &t->sock, e) < 0)
		return -1;
	if (!os_receive_errors(h->fd, family, true))
		return err_set(e, ERR_FAILED,
		    "this system does not report who has sent an ICMP error");
	if (t->sock.source.len != 0 && sock_bind(h->fd, &t->sock.source) < 0)
		return err_sys(
		    e, ERR_LOCAL, errno, "%s", addr_ip_text(&t->sock.source));
	h->start_ns = clock_now();
	if (sock_connect(h->fd, t->to) < 0 && errno != EINPROGRESS &&
	    errno != EINTR)
		finish_hop(t, i, errno);
	return 0;
}

/* Polls the attempts in flight until one has ended, or the time is over. */
static int
wait_for_hops(struct trace *t, struct deadline until, struct err *e)
{
	struct pollfd fds[MAX_HOPS + WAIT_SPARE];
	int i, errnum, n = 0;
	struct hop *h;

	for (i = t->row; i <= t->begun; i++) {
		/* Attempts beyond the host may still connect. */
		if (i > t->last)
			sock_abort(&t->hops[i].fd);
		fds[n++] = (struct pollfd){t->hops[i].fd, POLLOUT, 0};
	}
	if (wait_poll(fds, (nfds_t)n, deadline_first(t->until, until)) < 0)
		return err_sys(e, ERR_FAILED, errno, "tracing");
	for (i = t->begun; n-- > 0; i--) {
		h = &t->hops[i];
		if (fds[n].revents == 0)
			continue;
		errnum = sock_error(h->fd);
		if ((errnum != 0 || (fds[n].revents & POLLERR)) &&
		    icmp_read(h->fd, t->to, &h->icmp))
			errnum = h->icmp.errnum;
		sock_connected(
		    h->fd, t->to, h->start_ns, icmp_cause(&h->icmp, errnum));
		finish_hop(t, i, errnum);
	}
	return deadline_passed(until) ? deadline_error(until, "", e) : 0;
}

/* Sets *e to why the host has not been reached: its last hop, or silence. */
static int
fail(const struct trace *t, struct err *e)
{
	const struct hop *h = &t->hops[t->last];
	const char *icmp = NULL, *name = addr_text(t->to);
	int i = t->last;

	if (h->is_final) {
		icmp = icmp_text(&h->icmp, t->to, ERR_AT_TCP);
		err_cause(e, ERR_AT_TCP, h->errnum);
		return icmp != NULL ? err_set(e, e->kind, "%s: %s", name, icmp)
				    : err_prefix(e, "%s", name);
	}
	while (i > 0 && !t->hops[i].has_answered)
		i--;
	deadline_error(deadline_limit(t->wait.ms, t->wait.option),
	    "no answer from the host", e);
	if (i > 0)
		err_append(e, "the last that answered is hop %d, %s", i,
		    addr_ip_text(&t->hops[i].icmp.sender));
	else
		err_append(e, "nobody on the way has answered");
	return err_prefix(e, "%s", name);
}

/* Whether a final hop gets a row: not if this machine is its sender. */
static bool
has_row(const struct trace *t, const struct hop *h)
{
	if (h->icmp.errnum != 0)
		return icmp_sender(&h->icmp, t->to) != ICMP_HERE;
	return h->errnum == 0 ||
	       err_find(h->errnum, ERR_AT_TCP)->origin == ERR_BY_REFUSAL;
}

/*
 * Waits until the next row is known: its hop has answered; or the time of the
 * batch is over, and a later hop has answered, or no other can. Returns the
 * last hop of the row, or -1 with *e.
 */
static int
wait_for_row(struct trace *t, struct deadline until, struct err *e)
{
	bool is_late;
	int i;

	while (!t->hops[t->row].has_answered) {
		is_late = t->row <= t->begun && deadline_passed(t->until);
		for (i = t->row; i <= t->begun && !t->hops[i].has_answered;)
			i++;
		if (is_late && i <= t->begun)
			return t->row;
		if (is_late && t->begun >= t->last)
			return t->last;
		if (t->begun < t->last && (t->begun < t->row || is_late)) {
			for (i = 0; i < BATCH && t->begun < t->last; i++)
				if (begin_hop(t, ++t->begun, e) < 0)
					return -1;
			t->until = deadline_limit(t->wait.ms, t->wait.option);
		}
		if (!t->hops[t->row].has_answered &&
		    wait_for_hops(t, until, e) < 0)
			return -1;
	}
	return t->row;
}

int
trace_run(const struct addr *to, const struct sock_options *o,
    struct limit wait, struct deadline until,
    int (*report)(const struct trace_hop *hop, struct err *e), struct err *e)
{
	struct trace t = {.to = to, .sock = *o, .wait = wait, .row = 1};
	struct trace_hop row;
	const struct hop *h;
	int i, result = 0;

	if (wait.ms < 0)
		t.wait = (struct limit){TRACE_MS, "--timeout"};
	for (t.last = MAX_HOPS; result == 0 && t.row <= t.last;
	     t.row = row.last + 1) {
		h = &t.hops[t.row];
		row = (struct trace_hop){.first = t.row};
		row.last = wait_for_row(&t, until, e);
		if (row.last < 0) {
			result = -1;
			break;
		}
		if (h->is_final && !has_row(&t, h))
			break;
		if (h->has_answered) {
			row.addr = h->icmp.errnum != 0 ? h->icmp.sender : *t.to;
			row.ns = h->ns;
		}
		if (h->is_final)
			row.state = icmp_text(&h->icmp, t.to, ERR_AT_TCP);
		if (h->is_final && row.state == NULL)
			row.state =
			    h->errnum == 0
				? "open"
				: err_find(h->errnum, ERR_AT_TCP)->reason;
		result = report(&row, e);
	}
	h = &t.hops[t.last];
	if (result == 0 && !(h->is_final && h->errnum == 0))
		result = fail(&t, e);
	for (i = 1; i <= t.begun; i++)
		sock_abort(&t.hops[i].fd);
	return result;
}
