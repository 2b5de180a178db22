/* A windowed sender of datagrams: fill, send, receive, wait. */
#include "udp/sender.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/link.h"
#include "net/os.h"
#include "net/signals.h"
#include "net/wait.h"
#include "udp/source.h"

/* The longest delay that is caught up. */
#define MAX_LATE_NS (20 * CLOCK_MS)
/* The shortest and the longest pause where poll(2) does not report space. */
#define MIN_PAUSE_NS CLOCK_MS
#define MAX_PAUSE_NS (20 * CLOCK_MS)
/* The space for "#18446744073709551615 " and a null byte. */
#define NUMBER_SIZE 24

/* The result of a check for replies and errors. */
enum outcome { FAILED = -1, NOTHING, SOMETHING };

/* Clears what blocked a datagram: one was sent, or the target has changed. */
static void
unblock(struct sender *x)
{
	x->pause.pause = x->resume.at_ns = 0;
	x->timeout = deadline_none();
	x->is_blocked = x->retried = x->was_writable = false;
}

/*
 * Opens a socket for a peer. All lent messages become unsent again, since the
 * previous peer refused them. Returns 0, or -1 with *e.
 */
static int
use_peer(struct sender *x, const struct addr *peer, struct err *e)
{
	const struct sender_options *o = x->o;
	const struct multicast_options *group = &o->dgram.group;
	bool is_group = addr_is_multicast(peer);
	bool many = is_group || o->dgram.broadcast;
	struct dgram_options d = o->dgram;
	struct link c = {.remote = *peer, .start_ns = o->start_ns};

	x->peer = *peer;
	if (!is_group &&
	    (group->ttl >= 0 || group->interface != 0 || group->no_loop)) {
		x->is_trial = false;
		return err_set(e, ERR_USAGE,
		    "--%s requires a multicast group; %s is not one",
		    group->ttl >= 0  ? "multicast-ttl"
		    : group->no_loop ? "no-multicast-loop"
				     : "multicast-interface",
		    addr_ip_text(peer));
	}
	x->replies = o->replies;
	if (x->replies == SENDER_ONE_OF_EACH)
		x->replies = many ? SENDER_ANY_REPLIES : 1;
	x->unconnected = d.unconnected = o->any_source || many;
	d.raise_buffer = o->window > 1 || x->replies != 1;
	x->fd = dgram_open(peer, &d, e);
	if (x->fd < 0)
		return -1;
	/* An unconnected socket has no local address worth reporting. */
	if (!d.unconnected || d.sock->source.len != 0 ||
	    d.sock->source_port != 0)
		sock_local(x->fd, &c.local);
	link_log_connected(&c, false);
	x->sent = 0;
	x->bytes_sent = x->bytes_received = 0;
	unblock(x);
	free(x->stats.ring);
	x->stats = (struct sender_stats){
	    .ring = mem_array(SENDER_RING, sizeof(x->stats.ring[0]))};
	return 0;
}

static int
count_unsent(const struct sender *x)
{
	return x->out_count - x->sent;
}

/* Returns how many messages the window, the count and the rate allow now. */
static int64_t
allowance(struct sender *x, int64_t now)
{
	const struct sender_options *o = x->o;
	int64_t max = x->numbered != NULL ? DGRAM_MAX_RECEIVE : DGRAM_MAX_SEND;
	int64_t sent = (int64_t)x->stats.sent, count;

	if (x->replies >= 0 && o->window - (int64_t)x->stats.awaited < max)
		max = o->window - (int64_t)x->stats.awaited;
	if (o->count > 0 && o->count - sent < max)
		max = o->count - sent;
	if (x->is_trial && max > 1 - sent)
		max = 1 - sent;
	if (x->stats.sent - x->stats.oldest >= SENDER_MAX_WINDOW)
		max = 0;
	if (o->interval_ns <= 0 || max <= 0)
		return max;
	if (x->next_ns < now - MAX_LATE_NS)
		x->next_ns = now - MAX_LATE_NS;
	if (x->next_ns > now)
		return 0;
	count = (now - x->next_ns) / o->interval_ns + 1;
	return count < max ? count : max;
}

/* Whether the last datagram has been sent. */
static bool
is_complete(const struct sender *x)
{
	if (count_unsent(x) > 0)
		return false;
	return x->found == SOURCE_END ||
	       (x->o->count > 0 && x->stats.sent >= (uint64_t)x->o->count);
}

/* Returns when a stream is over whose source has ended, unless something more
 * is received. */
static struct deadline
stream_deadline(const struct sender *x)
{
	if (x->replies != SENDER_STREAM || !is_complete(x))
		return deadline_none();
	return deadline_from(x->moved_ns, x->o->timeout_ms);
}

/* Whether all was sent, and no reply is awaited. */
static bool
is_finished(const struct sender *x)
{
	return is_complete(x) && x->stats.awaited == 0 &&
	       (x->replies != SENDER_STREAM || x->is_over);
}

/* Copies a message into x->numbered, after "#N ". Returns 0, or -1 with *e. */
static int
number_message(struct sender *x, struct dgram *d, struct err *e)
{
	size_t size = DGRAM_PAYLOAD_SIZE + NUMBER_SIZE;
	unsigned char *at = x->numbered + (size_t)x->out_count * size;
	int n;

	if (d->length > DGRAM_PAYLOAD_SIZE)
		return err_set(e, ERR_USAGE,
		    "a message of %zu bytes is too long to be numbered: "
		    "%d bytes at most",
		    d->length, DGRAM_PAYLOAD_SIZE);
	n = snprintf((char *)at, NUMBER_SIZE, "#%llu ",
	    (unsigned long long)x->stats.sent +
		(unsigned long long)x->out_count);
	/* If this makes the message too long, the kernel rejects it. */
	memcpy(at + n, d->bytes, d->length);
	d->bytes = at;
	d->length += (size_t)n;
	return 0;
}

/* Returns all messages to the source, since they have been sent. */
static void
consume_sent(struct sender *x)
{
	x->out_count = x->sent = 0;
	source_consume(x->o->source);
}

/* Borrows the messages that may be sent now. Returns 0, or -1 with *e. */
static int
fill(struct sender *x, int64_t now, struct err *e)
{
	const unsigned char *bytes;
	struct dgram *d;
	int64_t max = allowance(x, now);

	if (max <= 0 || count_unsent(x) > 0 || is_complete(x) ||
	    x->found == SOURCE_WAIT)
		return 0;
	if (x->found == SOURCE_ERROR) {
		*e = x->source_error;
		return -1;
	}
	consume_sent(x);
	for (; x->out_count < max; x->out_count++) {
		d = &x->out[x->out_count];
		x->found = source_next(x->o->source, &bytes, &d->length, e);
		if (x->found != SOURCE_MESSAGE)
			break;
		d->bytes = (unsigned char *)bytes;
		if (x->numbered != NULL && number_message(x, d, e) < 0) {
			x->found = SOURCE_ERROR;
			break;
		}
	}
	if (x->found != SOURCE_ERROR)
		return 0;
	if (x->out_count == 0)
		return -1;
	/* The messages before it are sent first. */
	x->source_error = *e;
	err_clear(e);
	return 0;
}

static struct sender_sent *
sent_of(const struct sender *x, uint64_t number)
{
	return &x->stats.ring[number % SENDER_RING];
}

/* Stops awaiting replies for a datagram. */
static void
finish_sent(struct sender *x, struct sender_sent *sent)
{
	struct sender_stats *t = &x->stats;

	sent->is_done = true;
	t->awaited--;
	if (sent->replies == 0)
		t->silent--;
	while (t->oldest < t->sent && sent_of(x, t->oldest)->is_done)
		t->oldest++;
}

/* Returns when the first awaited datagram times out. */
static struct deadline
reply_deadline(const struct sender *x)
{
	return x->stats.awaited == 0
		   ? deadline_none()
		   : deadline_from(sent_of(x, x->stats.oldest)->sent_ns,
			 x->o->timeout_ms);
}

/*
 * Counts a reply to the datagram of that number, or for -1 to the first awaited
 * one. Sets *rtt_ns to the round-trip time, or -1 if the reply belongs to no
 * datagram.
 */
static enum sender_reply
count_reply(struct sender *x, int64_t number, int64_t now_ns, int64_t *rtt_ns)
{
	struct sender_stats *t = &x->stats;
	uint64_t n = number < 0 ? t->oldest : (uint64_t)number;
	struct sender_sent *sent = sent_of(x, n);
	bool is_late;

	t->received++;
	*rtt_ns = -1;
	/* It belongs to no datagram that was sent, or to a forgotten one. */
	if ((number < 0 && t->awaited == 0) || n >= t->sent ||
	    t->sent - n > SENDER_RING)
		sent = NULL;
	else
		*rtt_ns = now_ns - sent->sent_ns;
	if (sent == NULL || sent->is_done) {
		is_late =
		    sent != NULL ? sent->replies++ == 0 : t->failed > t->late;
		t->late += is_late;
		t->duplicates += !is_late;
		return is_late ? SENDER_LATE : SENDER_DUPLICATE;
	}
	rtt_add(&t->times, *rtt_ns);
	if (sent->replies++ == 0) {
		t->answered++;
		t->silent--;
	}
	if (x->replies > 0 && sent->replies >= x->replies)
		finish_sent(x, sent);
	return SENDER_REPLY;
}

/* Returns the number of datagrams without a reply in time, except those for
 * which one is still awaited. */
static uint64_t
count_lost(const struct sender_stats *t)
{
	return t->sent - t->answered - t->silent;
}

/* Returns the number after the first "#" of a reply that is followed by one, or
 * INT64_MAX, which is the number of no datagram. */
static int64_t
find_number(const struct dgram *d)
{
	const unsigned char *at = d->bytes, *end = at + d->length;
	int64_t number;

	while (at < end && (at = memchr(at, '#', (size_t)(end - at))) != NULL) {
		number = -1;
		for (at++; at < end && *at >= '0' && *at <= '9' &&
			   number < INT64_MAX / 10 - 1;
		     at++)
			number = (number < 0 ? 0 : number) * 10 + (*at - '0');
		if (number >= 0 && at < end && *at == ' ')
			return number;
	}
	return INT64_MAX;
}

/* Passes on the first count replies of x->in. Returns 0, or -1 with *e. */
static int
deliver_replies(struct sender *x, int count, struct err *e)
{
	int64_t now = clock_now(), number = -1, rtt_ns = -1;
	enum sender_reply kind = SENDER_REPLY;
	int i;

	x->is_trial = false;
	x->moved_ns = now;
	for (i = 0; i < count; i++) {
		const struct dgram *d = &x->in[i];

		x->bytes_received += d->full == SIZE_MAX ? d->length : d->full;
		if (x->o->number)
			number = find_number(d);
		if (x->replies == SENDER_STREAM)
			x->stats.received++;
		else
			kind = count_reply(x, number, now, &rtt_ns);
		if (x->o->on_reply(x->o->context, d, kind, rtt_ns, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * Sets *e for an error of the network or of this machine, after passing on the
 * replies that have arrived. Returns -1.
 */
static int
fail(struct sender *x, int errnum, const struct os_error *icmp, struct err *e)
{
	size_t length = 0;
	int n;

	if (errnum == EMSGSIZE && count_unsent(x) > 0)
		length = x->out[x->sent].length;
	while (x->replies != SENDER_NO_REPLY &&
	       (n = dgram_receive(x->fd, x->in, DGRAM_MAX_RECEIVE)) > 0)
		if (deliver_replies(x, n, e) < 0)
			return -1;
	errno = errnum;
	return dgram_send_error(x->fd, &x->peer, length, icmp, e);
}

/*
 * Handles an ICMP error or, if there is none, errnum. A smaller path MTU is not
 * a failure: the kernel has recorded it and fragments later datagrams.
 */
static enum outcome
check_icmp(struct sender *x, int errnum, struct err *e)
{
	struct os_error icmp;
	int error = dgram_icmp_error(x->fd, &icmp);

	if (error == 0 || error == EMSGSIZE)
		error = errnum != 0 ? errnum : error;
	if (error == 0)
		return NOTHING;
	if (error != EMSGSIZE) {
		fail(x, error, &icmp, e);
		return FAILED;
	}
	diag_note("a datagram was too long for the path, which carries "
		  "packets of %zu bytes: longer ones are fragmented now",
	    dgram_path_mtu(x->fd, addr_family(&x->peer)));
	return SOMETHING;
}

/* Handles a failed send. Returns 0 to try again, or -1 with *e: also if there
 * was no space for too long. */
static int
handle_send_error(struct sender *x, int errnum, struct err *e)
{
	enum outcome earlier;

	switch (errnum) {
	case EINTR:
		return 0;
	case EMSGSIZE:
		/* This datagram is too long, or an earlier one was. */
		earlier = check_icmp(x, 0, e);
		if (earlier == NOTHING && x->retried)
			return fail(x, EMSGSIZE, NULL, e);
		x->retried = x->retried || earlier == NOTHING;
		return earlier == FAILED ? -1 : 0;
	case EAGAIN:
	case ENOBUFS:
		if (!x->is_blocked && x->replies >= 0)
			x->timeout =
			    deadline_limit(x->o->timeout_ms, "--timeout");
		if (deadline_passed(x->timeout)) {
			deadline_error(
			    x->timeout, "the receiver took no datagram", e);
			return err_prefix(e, "%s", addr_text(&x->peer));
		}
		x->is_blocked = true;
		/* poll(2) reports space only for a connected socket, and may
		 * be wrong. */
		if (errnum == ENOBUFS || x->unconnected || x->was_writable)
			x->resume.at_ns = clock_now() + backoff_next(&x->pause);
		return 0;
	default:
		return check_icmp(x, errnum, e) == FAILED ? -1 : 0;
	}
}

/* Sends borrowed messages, perhaps not all. Returns 0, or -1 with *e. */
static int
send_some(struct sender *x, struct err *e)
{
	int64_t now = clock_now();
	struct sender_stats *t = &x->stats;
	int i, n;

	for (i = x->sent; i < x->out_count; i++) {
		x->out[i].remote.len = 0;
		if (x->unconnected)
			x->out[i].remote = x->peer;
	}
	n = dgram_send(x->fd, x->out + x->sent, count_unsent(x));
	if (n < 0)
		return handle_send_error(x, errno, e);
	for (i = 0; i < n; i++) {
		x->bytes_sent += x->out[x->sent++].length;
		x->moved_ns = now;
		if (x->replies < 0) {
			t->oldest = ++t->sent;
			continue;
		}
		*sent_of(x, t->sent++) = (struct sender_sent){.sent_ns = now};
		t->awaited++;
		t->silent++;
	}
	x->next_ns += n * x->o->interval_ns;
	unblock(x);
	for (; n > 0 && x->o->on_sent != NULL; n--)
		if (x->o->on_sent(x->o->context, &x->out[x->sent - n], e) < 0)
			return -1;
	return 0;
}

/* Receives replies that have arrived, or an error. */
static enum outcome
receive(struct sender *x, struct err *e)
{
	int n;

	if (x->replies == SENDER_NO_REPLY)
		return NOTHING;
	n = dgram_receive(x->fd, x->in, DGRAM_MAX_RECEIVE);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NOTHING;
	if (n < 0)
		return check_icmp(x, errno, e);
	x->in_a_row += (unsigned)n;
	return deliver_replies(x, n, e) < 0 ? FAILED : SOMETHING;
}

/*
 * Waits until there may be more to do, unless a message can be sent or borrowed
 * now, or all is done. It waits for the time limits, and for replies and ICMP
 * errors (fds[0]). If datagrams are unsent, it also waits for space or the end
 * of a pause; otherwise for the input of the next message (fds[1]), or for the
 * time when the rate allows it. Returns 0, or -1 with *e.
 */
static int
wait_more(struct sender *x, struct err *e)
{
	struct pollfd fds[2 + WAIT_SPARE] = {
	    {.fd = x->fd, .events = x->replies != SENDER_NO_REPLY ? POLLIN : 0},
	    {.fd = -1, .events = POLLIN}};
	struct deadline until = deadline_first(
	    deadline_first(x->o->until, stream_deadline(x)), reply_deadline(x));
	struct deadline next = {.at_ns = x->next_ns};
	int64_t now = clock_now();
	bool may_fill = !is_complete(x) && allowance(x, now) > 0;

	if (count_unsent(x) > 0) {
		if (!x->is_blocked)
			return 0;
		if (deadline_passed(x->resume))
			fds[0].events |= POLLOUT;
		else
			until = deadline_first(until, x->resume);
		until = deadline_first(until, x->timeout);
	} else if (is_finished(x) || (may_fill && x->found != SOURCE_WAIT)) {
		return 0;
	} else if (may_fill) {
		fds[1].fd = x->o->source->fd;
	} else if (!is_complete(x) && x->next_ns > now) {
		until = deadline_first(until, next);
	}
	if (x->o->on_idle(e) < 0)
		return -1;
	if (wait_poll(fds, 2, until) < 0)
		return err_sys(e, ERR_FAILED, errno, "waiting for replies");
	x->was_writable = (fds[0].revents & POLLOUT) != 0;
	if (fds[0].revents & POLLERR && check_icmp(x, 0, e) == FAILED)
		return -1;
	if (fds[1].revents == 0)
		return 0;
	consume_sent(x);
	x->found = SOURCE_MESSAGE;
	x->moved_ns = clock_now();
	return source_read(x->o->source, e);
}

/*
 * Checks the limits, after receiving what has arrived: this process may have
 * been stopped, or its output slow. Returns 0, or -1 with *e.
 */
static int
check_limits(
    struct sender *x, enum outcome received, int64_t now, struct err *e)
{
	uint64_t failed = x->stats.failed;
	struct sender_sent *sent;

	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "sending");
	if (now >= x->o->until.at_ns) {
		deadline_error(x->o->until, "", e);
		return err_append(e, "sent %s, received %llu",
		    num_count_text(x->stats.sent, "datagram"),
		    (unsigned long long)x->stats.received);
	}
	/* No receive buffer holds more than the ring. */
	if (received == SOMETHING && x->in_a_row < SENDER_RING)
		return 0;
	x->in_a_row = 0;
	x->is_over = now >= stream_deadline(x).at_ns;
	while (now >= reply_deadline(x).at_ns) {
		sent = sent_of(x, x->stats.oldest);
		if (sent->replies < (x->replies > 0 ? x->replies : 1))
			x->stats.failed++;
		finish_sent(x, sent);
	}
	if (x->stats.failed > failed)
		diag_note("no reply to %s in time (--timeout)",
		    num_count_text(x->stats.failed - failed, "datagram"));
	return 0;
}

/* Sends to a peer, and receives; waits if nothing can be done. Returns 0, or -1
 * with *e. */
static int
run(struct sender *x, struct err *e)
{
	enum outcome received;
	int64_t now;

	while (!is_finished(x)) {
		now = clock_now();
		received = receive(x, e);
		deadline_looked(now);
		if (received == FAILED ||
		    check_limits(x, received, now, e) < 0 ||
		    fill(x, now, e) < 0)
			return -1;
		if (count_unsent(x) > 0 && deadline_passed(x->resume) &&
		    send_some(x, e) < 0)
			return -1;
		/* The address stays, unless the first datagram was refused.
		 * Without a reply, only this machine can refuse it in time. */
		if (x->is_trial && x->stats.sent > 0 && x->stats.awaited == 0) {
			if (check_icmp(x, 0, e) == FAILED)
				return -1;
			x->is_trial = false;
		}
		if (wait_more(x, e) < 0)
			return -1;
	}
	/* The last datagrams may have been refused meanwhile. */
	return check_icmp(x, 0, e) == FAILED ? -1 : x->o->on_idle(e);
}

/* Returns 0, or -1 with *e if a datagram did not get its replies. */
static int
check_replies(const struct sender *x, struct err *e)
{
	const struct sender_stats *t = &x->stats;
	const char *what = "no reply";

	if (t->failed == 0)
		return 0;
	if (t->sent != 1 || t->answered != 0)
		what = text_format("%s to %llu of %s",
		    t->received > 0 && x->replies > 1 ? "too few replies"
						      : "no reply",
		    (unsigned long long)t->failed,
		    num_count_text(t->sent, "datagram"));
	deadline_error(deadline_limit(x->o->timeout_ms, "--timeout"), what, e);
	if (t->answered == 0)
		err_append(e, "%s; --no-reply does not wait",
		    err_find(CAUSE_NO_REPLY, ERR_AT_UDP)->meaning);
	return err_prefix(e, "%s", addr_text(&x->peer));
}

/* Sends to one peer after the other, until one does not refuse. Returns 0, or
 * -1 with *e, as sender_run() does. */
static int
try_peers(struct sender *x, const struct addr_list *peers, struct err *e)
{
	struct err one = ERR_INIT, all = ERR_INIT;
	bool may_retry = true;
	size_t i;

	for (i = 0; may_retry; i++) {
		dgram_close(&x->fd);
		x->is_trial = i + 1 < peers->count;
		if (use_peer(x, &peers->items[i], &one) == 0 &&
		    run(x, &one) == 0)
			return check_replies(x, e);
		may_retry = x->is_trial && x->stats.received == 0 &&
			    (x->fd < 0 || one.kind == ERR_REFUSED ||
				one.kind == ERR_UNREACHABLE);
		if (may_retry)
			diag_note("%s; trying the next address", one.text);
		*e = one;
		if (i > 0 && x->stats.received == 0)
			err_set(e, one.kind, "%s; %s", all.text, one.text);
		e->errnum = one.errnum;
		all = *e;
	}
	return -1;
}

static void
report(struct sender *x)
{
	const struct sender_stats *t = &x->stats;
	uint32_t dropped;
	struct json *j;

	x->dropped = os_drops(x->fd, &dropped) ? dropped : 0;
	j = diag_event_begin("summary");
	addr_json(&x->peer, j, "remote");
	json_number(j, "sent", t->sent);
	json_number(j, "received", t->received);
	if (x->replies >= 0) {
		json_number(j, "lost", count_lost(t));
		json_number(j, "duplicates", t->duplicates);
		json_number(j, "late", t->late);
		json_number(j, "dropped", x->dropped);
	}
	rtt_json(&t->times, j);
	json_seconds(j, "seconds", clock_seconds(x->o->start_ns, clock_now()));
	diag_event_end(DIAG_NOTE, "sent %llu (%s), received %llu (%s)",
	    (unsigned long long)t->sent, num_count_text(x->bytes_sent, "byte"),
	    (unsigned long long)t->received,
	    num_count_text(x->bytes_received, "byte"));
}

int
sender_run(struct sender *x, const struct sender_options *o,
    const struct addr_list *peers, struct err *e)
{
	int result;

	memset(x, 0, sizeof(*x));
	x->o = o;
	x->fd = -1;
	x->found = SOURCE_MESSAGE;
	x->in = dgram_new();
	x->out = mem_array(DGRAM_MAX_SEND, sizeof(x->out[0]));
	if (o->number)
		x->numbered = mem_array(
		    DGRAM_MAX_RECEIVE, DGRAM_PAYLOAD_SIZE + NUMBER_SIZE);
	x->next_ns = x->moved_ns = clock_now();
	x->pause = (struct backoff){.min = MIN_PAUSE_NS, .max = MAX_PAUSE_NS};
	result = try_peers(x, peers, e);
	if (x->stats.sent > 0)
		report(x);
	dgram_close(&x->fd);
	free(x->stats.ring);
	x->stats.ring = NULL;
	free(x->in);
	free(x->out);
	free(x->numbered);
	return result;
}

const char *
sender_stats_text(const struct sender *x)
{
	const struct sender_stats *t = &x->stats;
	uint64_t lost = count_lost(t);
	const char *full = "";

	if (x->dropped > 0)
		full = text_format("%llu replies arrived, but the receive "
				   "buffer was full\n",
		    (unsigned long long)x->dropped);
	return text_format("%llu sent, %llu received, %llu lost (%.3g%%), "
			   "%llu duplicates, %llu late\n%s%s",
	    (unsigned long long)t->sent, (unsigned long long)t->received,
	    (unsigned long long)lost, 100.0 * (double)lost / (double)t->sent,
	    (unsigned long long)t->duplicates, (unsigned long long)t->late,
	    full, rtt_text(&t->times));
}
