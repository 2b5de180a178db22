/*
 * A connection: its totals, its processes, and how it ends. In the order of its
 * life: what the peer has acknowledged, waits, sending and receiving, this
 * side's FIN and the time it is held back, the peer's end, closing, what
 * another process did with it, and what is reported of it.
 */
#include "net/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/num.h"
#include "base/text.h"
#include "net/proc.h"
#include "net/sock.h"
#include "net/stall.h"
#include "net/wait.h"

/* How long the process of a discarded connection may take to end it. */
#define DISCARD_MS 500
/* After a program has failed, FIN is held back for this time, since data that
 * the peer still sends makes it a reset: if the program has sent nothing, and
 * if it has sent an answer, for whose end the peer may wait. */
#define SILENT_MS 500
#define RESPONDED_MS 200
/* How often to check for the last acknowledgement before a reset. */
#define ACK_MS 10
/* A FIN is held back for this many times the peer's last response time, within
 * these limits. */
#define HOLD_RESPONSES 20
#define HOLD_MIN_MS 100
#define HOLD_MAX_MS 1000
/* If no byte was exchanged. */
#define HOLD_UNUSED_MS 250
/* How often to check whether the peer of a program has finished. */
#define PEER_CHECK_MS 1000
/* How many bytes of a message are shown. */
#define SHOWN 512
/* The clock is checked after at most this many bytes of a file. */
#define FILE_PIECE (1024 * 1024)

/* Releases the processes beneath the connection. */
static void
release(struct link *l)
{
	struct link_carrier *c;

	while ((c = l->carrier) != NULL) {
		l->carrier = c->next;
		c->ops->release(c);
	}
}

/* Whether the program that used the connection has failed. */
static bool
has_failed(const struct link *l)
{
	return l->exit >= LINK_EXIT_FAILED;
}

/* Whether the peer's FIN was received. */
static bool
has_ended(const struct link *l)
{
	return l->peer_end == LINK_WHOLE || l->peer_end == LINK_BARE;
}

bool
link_is_direct(const struct link *l)
{
	return l->carrier == NULL;
}

/* What the process beneath the connection reports about the peer; NULL: no
 * process, or it does not report. */
static const struct link_report *
last_report(const struct link *l)
{
	struct link_carrier *c = l->carrier;

	if (c == NULL || c->ops->poll_report == NULL)
		return NULL;
	return c->ops->poll_report(c);
}

/* link_unacked(), by the report of its process, or NULL. */
static uint64_t
count_unacked(const struct link *l, const struct link_report *r)
{
	uint64_t n;

	if (r != NULL)
		return r->acked < l->sent ? l->sent - r->acked : 0;
	n = sock_unacked_bytes(l->fd);
	/* The system counts FIN as a byte. */
	return n > 0 && l->sending == LINK_FINISHED ? n - 1 : n;
}

uint64_t
link_unacked(const struct link *l)
{
	return count_unacked(l, last_report(l));
}

bool
link_is_acked(const struct link *l)
{
	const struct link_report *r = last_report(l);

	return r != NULL ? r->has_ended || r->acked >= l->sent
			 : sock_is_acked(l->fd);
}

int
link_confirm(struct link *l)
{
	int errnum = sock_error(l->fd);

	if (errnum != 0) {
		errno = errnum;
		return -1;
	}
	return link_is_acked(l);
}

/* Sets moved_ns if the peer has acknowledged more. Returns how many bytes it
 * has not acknowledged yet; 0 if no process reports that any more. */
static uint64_t
poll_acks(struct link *l)
{
	const struct link_report *r = last_report(l);
	uint64_t unacked = count_unacked(l, r);

	if (r != NULL && r->has_ended)
		return 0;
	if (unacked <= l->sent && l->sent - unacked > l->own.acked) {
		l->own.acked = l->sent - unacked;
		l->moved_ns = l->own.quiet_ns = clock_now();
	}
	return unacked;
}

/* Returns when to check again whether something has held for ms. */
static struct deadline
recheck_within(int64_t ms)
{
	return deadline_after(ms / 8 + 1);
}

int
link_wait(struct link *l, int fd, short events, int64_t idle_ms,
    struct deadline until)
{
	struct deadline limit, check = deadline_none();
	int ready;

	for (;;) {
		if (idle_ms >= 0)
			check = poll_acks(l) > 0 ? recheck_within(idle_ms)
						 : deadline_none();
		limit =
		    deadline_first(until, deadline_from(l->moved_ns, idle_ms));
		if (deadline_passed(limit))
			return 0;
		ready = wait_fd(fd, events, deadline_first(limit, check));
		if (ready != 0)
			return ready;
	}
}

/* After a call has failed: waits until it can be repeated. Returns 0, or -1
 * with errno as link_send(). */
static int
wait_again(struct link *l, short events, int64_t idle_ms, struct deadline until)
{
	int ready;

	if (errno != EAGAIN && errno != EINTR)
		return -1;
	ready = link_wait(l, l->fd, events, idle_ms, until);
	if (ready == 0)
		errno = EAGAIN;
	return ready > 0 ? 0 : -1;
}

/* Returns 0, or -1 with EAGAIN if the deadline has passed. Calls that never
 * wait must also keep it. */
static int
check_deadline(struct deadline until)
{
	errno = EAGAIN;
	if (deadline_passed(until))
		return -1;
	deadline_looked(clock_now());
	return 0;
}

/* Sends at most n bytes from *at on, of bytes or, if that is NULL, of a file.
 * Returns as os_send_file(). */
static ssize_t
send_piece(int fd, const char *bytes, int file, off_t *at, uint64_t n)
{
	static char piece[64 * 1024];
	ssize_t done;

	if (bytes == NULL) {
		n = n < FILE_PIECE ? n : FILE_PIECE;
		done = os_send_file(fd, file, at, (size_t)n);
		if (done >= 0 || errno != ENOTSUP)
			return done;
		n = n < sizeof(piece) ? n : sizeof(piece);
		done = pread(file, piece, (size_t)n, *at);
		if (done <= 0)
			return done;
		n = (uint64_t)done;
	}
	done = sock_send(fd, bytes != NULL ? bytes + *at : piece, (size_t)n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	*at += done > 0 ? done : 0;
	return done;
}

/* link_send(), and link_send_file() if bytes is NULL. */
static int
send_all(struct link *l, const char *bytes, int file, off_t at, uint64_t n,
    int64_t idle_ms, struct deadline until)
{
	ssize_t done;

	l->moved_ns = clock_now();
	while (n > 0) {
		if (check_deadline(until) < 0)
			return -1;
		done = send_piece(l->fd, bytes, file, &at, n);
		if (done < 0 && wait_again(l, POLLOUT, idle_ms, until) < 0)
			return -1;
		if (done < 0)
			continue;
		if (done == 0) {
			errno = 0;
			return -1;
		}
		n -= (uint64_t)done;
		l->sent += (uint64_t)done;
		l->moved_ns = clock_now();
	}
	return 0;
}

int
link_send(struct link *l, const void *bytes, size_t n, int64_t idle_ms,
    struct deadline until)
{
	return send_all(l, bytes, -1, 0, n, idle_ms, until);
}

int
link_send_file(struct link *l, int file, off_t at, uint64_t n, int64_t idle_ms,
    struct deadline until)
{
	return send_all(l, NULL, file, at, n, idle_ms, until);
}

ssize_t
link_receive(struct link *l, void *space, size_t size, int flags,
    int64_t idle_ms, struct deadline until)
{
	/* Without a limit, a blocking socket need not be polled first. */
	bool has_limit = idle_ms >= 0 || deadline_is_set(until);
	ssize_t n;

	l->moved_ns = clock_now();
	do {
		if (check_deadline(until) < 0)
			return -1;
		n = sock_recv(
		    l->fd, space, size, flags | (has_limit ? MSG_DONTWAIT : 0));
	} while (n < 0 && wait_again(l, POLLIN, idle_ms, until) == 0);
	if (n > 0 && (flags & MSG_PEEK) == 0)
		l->received += (uint64_t)n;
	return n;
}

int64_t
link_hold_ms(const struct link *l)
{
	int64_t ms = HOLD_RESPONSES * l->own.response_ns / CLOCK_MS;

	if (l->eof != LINK_EOF_HELD)
		return 0;
	if (l->route == LINK_ROUTE_PROXY)
		return HOLD_MAX_MS;
	if (l->sent == 0 && l->received == 0)
		return HOLD_UNUSED_MS;
	if (l->own.response_ns == 0 || ms > HOLD_MAX_MS)
		return HOLD_MAX_MS;
	return ms < HOLD_MIN_MS ? HOLD_MIN_MS : ms;
}

/* Sends FIN. Returns 0, or -1 with errno. */
static int
send_fin(struct link *l)
{
	struct os_tcp tcp;

	/* The peer's FIN may have arrived after unread data. */
	if (l->first == LINK_FIRST_NOBODY)
		l->first = os_tcp_info(l->fd, &tcp) &&
				   (tcp.peer_finished || tcp.is_closed)
			       ? LINK_FIRST_PEER
			       : LINK_FIRST_US;
	if (sock_finish(l->fd) < 0)
		return -1;
	l->sending = LINK_FINISHED;
	return 0;
}

/* Whether FIN is held back. */
static bool
is_held(const struct link *l)
{
	return l->eof >= LINK_EOF_HELD && l->sending == LINK_FINISHING &&
	       l->peer_end == LINK_OPEN;
}

/* Sends FIN now. Returns as link_finish(). */
static int
finish_now(struct link *l)
{
	if (send_fin(l) == 0)
		return 0;
	if (errno == ENOTCONN)
		errno = sock_error(l->fd);
	/* Now reading shows an end instead. */
	if (err_is_reset(errno))
		l->reset = LINK_RESET_BY_PEER;
	if (errno == 0)
		errno = EPIPE;
	return -1;
}

int
link_finish(struct link *l)
{
	int64_t moved_ns = l->moved_ns;

	l->sending = LINK_FINISHING;
	if (!is_held(l))
		return finish_now(l);
	/* Earlier acknowledgements do not count as movement. */
	(void)poll_acks(l);
	l->moved_ns = l->own.quiet_ns = moved_ns;
	return 0;
}

int
link_run_timers(struct link *l, uint64_t sent, uint64_t received,
    int64_t idle_ms, struct deadline *next)
{
	int64_t now = clock_now();
	bool is_program = l->eof == LINK_EOF_PROGRAM,
	     has_received = received > l->received, has_sent = sent > l->sent;
	int64_t wait_ms;
	struct deadline due;
	uint64_t unacked;

	/* When bytes moved, and how long the peer takes to answer. */
	if (has_received && l->own.sent_ns != 0)
		l->own.response_ns = now - l->own.sent_ns + 1;
	if (has_received || has_sent)
		l->own.sent_ns = has_sent ? now : 0;
	if (has_received || has_sent || l->moved_ns == 0)
		l->moved_ns = l->own.quiet_ns = now;
	l->sent = sent;
	l->received = received;

	/* An idle limit and a held FIN depend on acknowledgements. */
	if (idle_ms < 0 && !is_held(l))
		return 0;
	unacked = poll_acks(l);
	if (idle_ms >= 0 && unacked > 0)
		*next = deadline_first(*next, recheck_within(idle_ms));
	if (!is_held(l))
		return 0;

	/* The held FIN is sent when the connection has been quiet. */
	wait_ms = is_program ? PEER_CHECK_MS : link_hold_ms(l);
	due = deadline_from(l->own.quiet_ns, wait_ms);
	/* It is not quiet while received bytes are unread. */
	if (unacked > 0 || (deadline_passed(due) && fd_available(l->fd) > 0))
		due = recheck_within(wait_ms);
	else if (!is_program)
		l->moved_ns = now; /* The hold is not idleness. */
	else if (deadline_passed(due) &&
		 !l->carrier->ops->has_finished(l->carrier))
		due = deadline_after(PEER_CHECK_MS);
	if (!deadline_passed(due)) {
		*next = deadline_first(*next, due);
		return 0;
	}
	return finish_now(l);
}

void
link_record_peer_fin(struct link *l)
{
	if (l->peer_end == LINK_OPEN)
		l->peer_end = LINK_WHOLE;
	if (l->first == LINK_FIRST_NOBODY)
		l->first = LINK_FIRST_PEER;
}

/* How the peer's direction has ended. */
static enum link_peer_end
find_peer_end(struct link *l)
{
	if (l->carrier != NULL)
		return l->carrier->ops->find_peer_end(l->carrier, l);
	if (l->is_to_program)
		return sock_is_hung_up(l->fd) ? LINK_LOST : LINK_WHOLE;
	return l->reset == LINK_RESET_BY_PEER ||
		       (l->sending != LINK_FINISHED && sock_is_closed(l->fd))
		   ? LINK_LOST
		   : LINK_WHOLE;
}

enum link_peer_end
link_record_eof(struct link *l)
{
	bool was_held = is_held(l);

	l->peer_end = find_peer_end(l);
	if (l->peer_end == LINK_LOST)
		return LINK_LOST;
	link_record_peer_fin(l);
	if (was_held && finish_now(l) < 0 && l->sent > 0)
		l->peer_end = LINK_LOST;
	else if (l->sending == LINK_SENDING)
		sock_start_keepalive(l->fd);
	return l->peer_end;
}

bool
link_may_have_dropped(const struct link *l)
{
	return l->eof != LINK_EOF_SAFE && l->peer_end == LINK_WHOLE &&
	       l->first == LINK_FIRST_US && l->sent > 0 && l->received == 0;
}

void
link_abort(struct link *l, int64_t idle_ms, struct deadline until)
{
	int64_t start = clock_now();
	bool waits = l->fd >= 0 && !sock_is_unix(l->fd),
	     is_blind = !sock_reports_acks(l->fd);
	struct deadline limit;

	if (is_blind)
		until = deadline_first(until, deadline_after(LINK_DRAIN_MS));
	while (waits && (is_blind || !sock_is_acked(l->fd))) {
		(void)poll_acks(l);
		limit =
		    deadline_first(until, deadline_from(l->moved_ns, idle_ms));
		if (deadline_passed(limit) ||
		    wait_until(deadline_first(limit, sock_recheck(start))) < 0)
			break;
	}
	sock_abort(&l->fd);
}

/* Discards received data and counts it. Data that a failed program has not read
 * makes the end a reset. Returns as sock_discard(). */
static int
discard_received(struct link *l)
{
	uint64_t before = l->discarded;
	int more = sock_discard(l->fd, &l->discarded);

	/* A program that has answered may leave a part of the request. */
	if (has_failed(l) && l->reset == LINK_NO_RESET &&
	    l->discarded > (l->exit == LINK_EXIT_SILENT ? 0 : l->unread)) {
		l->reset = LINK_RESET_BY_US;
		l->discarded += fd_available(l->fd);
		more = -1;
	}
	if (l->discarded > before)
		l->own.quiet_ns = clock_now();
	if (l->discarded > l->unread)
		l->received +=
		    l->discarded - (before > l->unread ? before : l->unread);
	return more;
}

/* Returns until when FIN is held back; none: it is not. */
static struct deadline
hold_deadline(const struct link *l)
{
	if (is_held(l))
		return deadline_from(l->own.quiet_ns, link_hold_ms(l));
	if (!has_failed(l) || has_ended(l))
		return deadline_none();
	return deadline_from(l->own.exit_ns,
	    l->exit == LINK_EXIT_SILENT ? SILENT_MS : RESPONDED_MS);
}

struct deadline
link_drain_next(const struct link *l)
{
	struct deadline held = hold_deadline(l);

	if (l->reset == LINK_RESET_BY_US)
		return deadline_after(ACK_MS);
	return deadline_passed(held) ? deadline_none() : held;
}

bool
link_drain(struct link *l, struct deadline until)
{
	struct deadline held = hold_deadline(l);
	bool may_finish = !deadline_is_set(held) || deadline_passed(held);
	int more = 0;

	if (l->reset == LINK_RESET_BY_US)
		more = -1;
	else if (may_finish && l->sending != LINK_FINISHED && send_fin(l) < 0)
		more = -1;
	else if (has_failed(l) || !has_ended(l))
		more = discard_received(l);

	if (l->reset == LINK_RESET_BY_US) {
		if (l->first == LINK_FIRST_NOBODY)
			l->first = LINK_FIRST_US;
		if (!link_is_acked(l) && !deadline_passed(until))
			return false;
	} else {
		if (more == 0)
			link_record_peer_fin(l);
		/* Once the socket is closed, the system refuses later data. */
		if (l->exit == LINK_EXIT_SILENT && may_finish)
			more = -1;
		if (more > 0 && !deadline_passed(until))
			return false;
		if (l->sending != LINK_FINISHED)
			(void)send_fin(l);
	}

	if (diag_emits(DIAG_SAY)) /* for link_log_closed() */
		link_read_counters(l);
	if (l->reset == LINK_RESET_BY_US)
		sock_abort(&l->fd);
	else
		sock_close(&l->fd);
	return true;
}

/* Ends the processes; is_complete as in struct link_ops. Returns 0, or -1 with
 * *e. */
static int
close_carriers(
    struct link *l, bool is_complete, struct deadline until, struct err *e)
{
	struct link_carrier *c;

	if (!is_complete)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	for (c = l->carrier; c != NULL; c = c->next)
		if (c->ops->close(c, l, is_complete, until, e) < 0)
			return -1;
	return 0;
}

int
link_close(struct link *l, int status, struct deadline until, struct err *e)
{
	struct err cause = ERR_INIT;
	struct deadline drained;
	bool is_unread = l->wanted == LINK_WANT_NO_DATA, is_reset;

	if (is_unread && status == 0)
		until = deadline_first(until, deadline_after(DISCARD_MS));

	/* A proxy would drop what the peer has not read yet. */
	if (status >= 0 && l->fd >= 0 && l->sending == LINK_SENDING &&
	    l->peer_end == LINK_OPEN && l->eof == LINK_EOF_HELD)
		(void)link_finish(l);
	drained = deadline_first(until,
	    deadline_after(
		status < 0 || is_unread ? 0 : LINK_DRAIN_MS + link_hold_ms(l)));
	while (l->fd >= 0 && !link_drain(l, drained))
		if (wait_fd(l->reset == LINK_RESET_BY_US ? -1 : l->fd, POLLIN,
			deadline_first(drained, link_drain_next(l))) < 0)
			drained = deadline_after(0);
	if (status == 0 && wait_is_stopped())
		status = err_sys(e, ERR_FAILED, EINTR, "draining");

	/* The release of its processes is their reset. */
	is_reset = has_failed(l) && l->reset == LINK_RESET_BY_US;
	if (status >= 0 && !is_reset) {
		if (close_carriers(l, true, until, e) < 0 && status == 0)
			status = -1;
	} else if (!is_reset &&
		   (e->kind == ERR_LOST ||
		       (err_is_reset(e->errnum) && e->kind != ERR_OUTPUT)) &&
		   close_carriers(l, false, until, &cause) < 0 &&
		   /* Otherwise they were terminated and know no cause. */
		   cause.errnum != ETIMEDOUT) {
		err_append(&cause, "%s", e->text);
		*e = cause;
	}
	release(l);
	return status;
}

void
link_discard(struct link *l)
{
	struct err ignored = ERR_INIT;

	sock_close(&l->fd);
	l->wanted = LINK_WANT_ACKS;
	if (last_report(l) != NULL)
		(void)l->carrier->ops->close(
		    l->carrier, l, true, deadline_after(DISCARD_MS), &ignored);
	release(l);
}

void
link_read_counters(struct link *l)
{
	const struct link_report *r = last_report(l);

	if (r != NULL)
		l->tcp = r->tcp;
	else
		(void)os_tcp_info(l->fd, &l->tcp);
}

void
link_find_outcome(struct link *l, bool goes_on)
{
	const struct os_tcp *tcp = &l->tcp;
	const struct link_report *r = last_report(l);

	if (goes_on)
		diag_note("%s: the program has ended, and a process that it "
			  "started keeps the connection",
		    addr_text(&l->remote));
	link_read_counters(l);
	/* The kernel counts the bytes of the process. */
	l->bytes_unknown = !tcp->is_known || r != NULL;
	if (r != NULL)
		l->sent = r->written;
	if (l->bytes_unknown)
		return;
	l->sent = tcp->sent;
	l->received = tcp->received;
	/* The peer's FIN counts as a byte. */
	if (l->received > 0 &&
	    (tcp->peer_finished || (tcp->is_closed && os_had_fin(l->fd))))
		l->received--;
	l->reset = tcp->is_closed ? LINK_RESET_BY_PEER : LINK_NO_RESET;
	if (tcp->peer_finished || tcp->is_closed)
		l->first = LINK_FIRST_PEER;
	else if (!goes_on)
		l->first = LINK_FIRST_US;
}

void
link_record_program_exit(struct link *l, int status, uint64_t unread)
{
	bool is_silent =
	    l->sent == 0 && (!l->bytes_unknown || last_report(l) != NULL);

	l->exit = status == 0 ? LINK_EXIT_DONE
		  : is_silent ? LINK_EXIT_SILENT
			      : LINK_EXIT_FAILED;
	l->unread = unread;
	l->moved_ns = l->own.exit_ns = clock_now();
}

static const char *
discarded_text(const struct link *l)
{
	return text_format("%s%s %s %s", l->discards_more ? "at least " : "",
	    num_count_text(l->discarded, "byte"),
	    l->discarded == 1 ? "was" : "were",
	    l->exit != LINK_NO_PROGRAM ? "not read by the program"
				       : "discarded");
}

void
link_report_failure(const struct link *l, int status)
{
	if (has_failed(l) && l->discarded > 0 && l->reset != LINK_RESET_BY_PEER)
		diag_warn("%s: the program failed with status %d; %s",
		    addr_text(&l->remote), status, discarded_text(l));
}

bool
link_log_probe(const struct link *l)
{
	if (l->reset != LINK_RESET_BY_PEER || l->received != 0 ||
	    l->undelivered != 0)
		return false;
	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_text(&l->remote));
	return true;
}

const char *
link_stall_text(struct link *l, bool awaits_peer, const char *peer)
{
	link_read_counters(l);
	if (!l->tcp.is_known)
		return NULL;
	/* Data that a process beneath has already passed on also counts. */
	if (!link_is_direct(l) && fd_available(l->fd) > 0)
		l->tcp.has_unread = true;
	return stall_text(&l->tcp, awaits_peer, peer);
}

static struct json *
begin_event(const char *name, const struct link *l)
{
	unsigned outer = diag_connection(0);
	struct json *j;

	(void)diag_connection(l->number != 0 ? l->number : outer);
	j = diag_event_begin(name);
	(void)diag_connection(outer);
	addr_json(&l->local, j, "local");
	addr_json(&l->remote, j, "remote");
	return j;
}

void
link_log_connected(const struct link *l, bool is_stream)
{
	int64_t ns = clock_now() - l->start_ns;
	const char *from = "";

	if (!diag_emits(DIAG_NOTE))
		return;
	json_seconds(begin_event("connected", l), "seconds", (double)ns / 1e9);
	/* An unconnected socket has no port before it first sends. */
	if (addr_is_unix(&l->local) || addr_port(&l->local) != 0)
		from = text_format(" from %s", addr_text(&l->local));
	if (is_stream)
		diag_event_end(DIAG_NOTE, "connected to %s%s in %s",
		    addr_text(&l->remote), from, num_duration_text(ns));
	else
		diag_event_end(
		    DIAG_NOTE, "sending to %s%s", addr_text(&l->remote), from);
}

void
link_log_message(int level, const char *name, const struct link *l,
    const void *bytes, size_t n, size_t full)
{
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin_event(name, l);
	json_number(j, "bytes", full == SIZE_MAX ? n : full);
	if (full > n)
		json_bool(j, "cut", true);
	json_bytes(j, "text", bytes, n);
	diag_event_end(level, "%s says: %s%s", addr_text(&l->remote),
	    text_escape(text_slot(), SHOWN, bytes, n),
	    full > n ? " (its end was cut off)" : "");
}

void
link_log_accepted(int level, const struct link *l, const char *why)
{
	if (!diag_emits(level))
		return;
	if (why != NULL) {
		json_text(begin_event("denied", l), "reason", why);
		diag_event_end(
		    level, "%s: denied (%s)", addr_text(&l->remote), why);
	} else {
		(void)begin_event("accepted", l);
		diag_event_end(level, "accepted %s on %s",
		    addr_text(&l->remote), addr_text(&l->local));
	}
}

/* Adds what the kernel has counted to the event, and to text: the path to this
 * machine itself is not worth a word. */
static void
append_path(
    char *text, size_t size, struct json *j, const struct link *l, int64_t ns)
{
	const struct os_tcp *tcp = &l->tcp;
	const char *limit, *limit_text = "";

	if (!tcp->is_known)
		return;
	limit = stall_limit(tcp, ns, l->output_ns, &limit_text);
	if (tcp->rtt_us > 0)
		json_seconds(j, "rtt", (double)tcp->rtt_us / 1e6);
	json_number(j, "retransmitted", tcp->retransmitted);
	if (limit != NULL)
		json_text(j, "limited_by", limit);
	if (!addr_is_loopback(&l->remote) && tcp->rtt_us > 0)
		text_append(text, size, ", round trip %s",
		    num_duration_text(tcp->rtt_us * 1000));
	if (!addr_is_loopback(&l->remote) && tcp->retransmitted > 0)
		text_append(text, size, ", %s sent again",
		    num_count_text(tcp->retransmitted, "segment"));
	if (limit != NULL)
		text_append(text, size, ", limited by %s", limit_text);
}

void
link_log_closed(int level, const struct link *l, int status)
{
	static const char *const names[] = {"nobody", "us", "peer"},
				 *const texts[] = {"neither side finished",
				     "this side finished first",
				     "the peer finished first"};
	bool is_by_us = l->reset == LINK_RESET_BY_US,
	     /* A Unix socket has no reset. */
	    is_reset = is_by_us ? !addr_is_unix(&l->local)
				: l->reset == LINK_RESET_BY_PEER;
	int64_t ns = clock_now() - l->start_ns;
	const char *reset = "", *remote = "the socket pair", *from = "",
		   *local = "";
	char bytes[96] = "", details[256] = "";
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin_event("closed", l);
	if (!l->bytes_unknown) {
		json_number(j, "sent", l->sent);
		json_number(j, "received", l->received);
		snprintf(bytes, sizeof(bytes), "sent %s, received %llu, ",
		    num_count_text(l->sent, "byte"),
		    (unsigned long long)l->received);
	}
	json_seconds(j, "seconds", (double)ns / 1e9);
	json_text(j, "first", names[l->first]);
	json_text(j, "how", is_reset ? "reset" : "fin");
	if (is_reset) {
		json_text(j, "by", is_by_us ? "us" : "peer");
		reset =
		    is_by_us ? ", reset by this side" : ", reset by the peer";
	}
	if (l->discarded > 0) {
		json_number(j, "discarded", l->discarded);
		text_append(
		    details, sizeof(details), ", %s", discarded_text(l));
	}
	append_path(details, sizeof(details), j, l, ns);
	json_number(j, "status", (unsigned)status);
	if (!addr_is_unnamed(&l->remote) || !addr_is_unnamed(&l->local)) {
		remote = addr_text(&l->remote);
		from = " from ";
		local = addr_text(&l->local);
	}
	diag_event_end(level, "closed %s%s%s: %sin %s; %s%s%s%s", remote, from,
	    local, bytes, num_duration_text(ns), texts[l->first], reset,
	    details, status == 0 ? "" : text_format(", status %d", status));
}
