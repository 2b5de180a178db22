/* Sends datagrams, at most a window unanswered, and receives the replies. */
#include "udp/sender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/text.h"
#include "net/sock.h"
#include "net/signals.h"
#include "net/wait.h"

/* A sender that fell behind its rate may catch up on so much. */
#define BEHIND_NS (20 * CLOCK_MS)
/* Pauses of a sender where nothing but time tells of room. */
#define PAUSE_NS CLOCK_MS
#define LONGEST_PAUSE_NS (20 * CLOCK_MS)

void
sender_start(struct sender *x, const struct sender_options *o,
    struct message_source *feed, sender_reply *reply, sender_idle *idle,
    void *context)
{
	memset(x, 0, sizeof(*x));
	x->o = o;
	x->feed = feed;
	x->reply = reply;
	x->idle = idle;
	x->context = context;
	x->in = dgram_batch();
	outbox_init(&x->out, feed, o->number);
	rtt_stats_start(&x->trips, 1, o->timeout_ms);
	x->next_ns = clock_now();
}

/* Something was sent, or is to go elsewhere: nothing holds it up any more. */
static void
unblock(struct sender *x)
{
	x->block = SENDER_FREE;
	x->pause_ns = PAUSE_NS;
	x->stuck = deadline_none();
	x->tried_again = x->was_writable = false;
}

void
sender_use(struct sender *x, int fd, const struct addr *peer, bool unconnected,
    bool careful)
{
	struct rtt_stats old = x->trips;

	x->fd = fd;
	x->peer = *peer;
	x->unconnected = unconnected;
	x->careful = careful;
	outbox_rewind(&x->out, unconnected ? &x->peer : NULL);
	unblock(x);
	memset(&x->trips, 0, sizeof(x->trips));
	x->trips.ring = old.ring;
	x->trips.wanted = x->o->replies < 0 ? 1 : x->o->replies;
	x->trips.timeout_ns = old.timeout_ns;
}

static bool
hears(const struct sender *x)
{
	return x->o->replies >= 0;
}

/* How many may be borrowed now, by window, count and rate. */
static int64_t
allowance(struct sender *x, int64_t now)
{
	const struct sender_options *o = x->o;
	int64_t most = outbox_capacity(&x->out);
	int64_t prepared = (int64_t)x->trips.sent;

	if (hears(x) && o->window - (int64_t)x->trips.awaited < most)
		most = o->window - (int64_t)x->trips.awaited;
	if (o->count > 0 && o->count - prepared < most)
		most = o->count - prepared;
	if (x->careful && most > 1 - prepared)
		most = 1 - prepared;
	/* The ring remembers those that are awaited. */
	if (x->trips.sent - x->trips.oldest >= RTT_STATS_MAX)
		most = 0;
	if (o->interval_ns <= 0 || most <= 0)
		return most;
	if (x->next_ns < now - BEHIND_NS)
		x->next_ns = now - BEHIND_NS;
	if (x->next_ns > now)
		return 0;
	if ((now - x->next_ns) / o->interval_ns + 1 < most)
		most = (now - x->next_ns) / o->interval_ns + 1;
	return most;
}

/* True when the last datagram has been sent. */
static bool
is_complete(const struct sender *x)
{
	if (outbox_unsent(&x->out) > 0)
		return false;
	return x->ended ||
	       (x->o->count > 0 && x->trips.sent >= (uint64_t)x->o->count);
}

/* Borrows what may go now. 0, or -1 with *e. */
static int
fill(struct sender *x, int64_t now, struct err *e)
{
	int64_t most;
	enum message_source_next found;

	if (outbox_unsent(&x->out) > 0 || is_complete(x) || x->starved)
		return 0;
	most = allowance(x, now);
	if (most <= 0)
		return 0;
	found = outbox_fill(
	    &x->out, most, x->trips.sent, x->unconnected ? &x->peer : NULL, e);
	x->starved = found == SOURCE_WAIT;
	x->ended = x->ended || found == SOURCE_END;
	return found == SOURCE_ERROR ? -1 : 0;
}

/* The number in a reply: what stands behind its first "#"; -1: none. */
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
	return -1;
}

/* Hands on one reply. */
static int
take_reply(struct sender *x, const struct dgram *d, int64_t now, struct err *e)
{
	int64_t number = -1, trip_ns = -1;
	enum rtt_stats_kind kind;

	x->careful = false;
	x->bytes_received += d->full == SIZE_MAX ? d->length : d->full;
	if (x->o->number) {
		number = find_number(d);
		/* Without one it belongs to none. */
		number = number < 0 ? INT64_MAX : number;
	}
	kind = rtt_stats_received(&x->trips, number, now, &trip_ns);
	return x->reply(x->context, d, kind, trip_ns, e);
}

static int
take_replies(struct sender *x, int count, struct err *e)
{
	int64_t now = clock_now();
	int i;

	for (i = 0; i < count; i++)
		if (take_reply(x, &x->in[i], now, e) < 0)
			return -1;
	return 0;
}

/*
 * The end by what a datagram met: that of the network, or of this machine.
 * Replies that are here already are heard first. Returns -1.
 */
static int
fail(struct sender *x, int errnum, struct err *e)
{
	size_t length = errnum == EMSGSIZE ? outbox_length(&x->out) : 0;
	int n;

	while (hears(x) && (n = dgram_receive(x->fd, x->in, DGRAM_BATCH)) > 0)
		if (take_replies(x, n, e) < 0)
			return -1;
	return dgram_send_error(x->fd, &x->peer, length, errnum, e);
}

/*
 * What has come back by ICMP; all of it is taken, so that it is met once. 0
 * without any, 1 when it ends nothing, -1 with *e. That the path carries less
 * than was thought is no failure: the kernel has noted it, and what is sent
 * from now on goes in parts.
 */
static int
hear_news(struct sender *x, int errnum, struct err *e)
{
	int news = dgram_take_errors(x->fd);

	if (news == 0 || news == EMSGSIZE)
		news = errnum != 0 ? errnum : news;
	if (news == 0)
		return 0;
	if (news != EMSGSIZE)
		return fail(x, news, e);
	diag_note("a datagram was too long for the path, which carries "
		  "packets of %zu bytes: longer ones go in parts now",
	    sock_path_mtu(x->fd, addr_family(&x->peer)));
	return 1;
}

/*
 * No room: where the socket is connected poll(2) tells when there is some,
 * else, and where it has told so in vain, a pause does.
 */
static int
wait_for_room(struct sender *x, int errnum, struct err *e)
{
	char text[ADDR_TEXT];

	if (x->block == SENDER_FREE && hears(x))
		x->stuck = deadline_after(x->o->timeout_ms);
	if (deadline_passed(x->stuck))
		return err_set(e, ERR_TIMEOUT,
		    "%s: a datagram found no room in time (%s)",
		    addr_format(&x->peer, text, sizeof(text)),
		    addr_is_unix(&x->peer)
			? "the queue stayed full: its owner does not read"
			: "what was sent before could not leave");
	x->block = errnum == EAGAIN && !x->unconnected && !x->was_writable
		       ? SENDER_FULL
		       : SENDER_PAUSED;
	if (x->block == SENDER_FULL)
		return 0;
	x->resume.at_ns = clock_now() + x->pause_ns;
	x->pause_ns *= 2;
	if (x->pause_ns > LONGEST_PAUSE_NS)
		x->pause_ns = LONGEST_PAUSE_NS;
	return 0;
}

/* A send that failed. 0 when it is to be tried again, or -1 with *e. */
static int
take_send_error(struct sender *x, int errnum, struct err *e)
{
	int news;

	if (errnum == EINTR)
		return 0;
	if (errnum == EAGAIN || errnum == ENOBUFS)
		return wait_for_room(x, errnum, e);
	if (errnum != EMSGSIZE)
		return fail(x, errnum, e);
	/* An earlier datagram's, which this send was told of, or its own. */
	news = hear_news(x, 0, e);
	if (news != 0 || x->tried_again)
		return news > 0 ? 0 : news < 0 ? -1 : fail(x, errnum, e);
	x->tried_again = true;
	return 0;
}

/* Sends what is borrowed. 0 (perhaps not all of it), or -1 with *e. */
static int
send_some(struct sender *x, struct err *e)
{
	int64_t now = clock_now();
	int i, n = outbox_send(&x->out, x->fd, &x->bytes_sent);

	if (n < 0)
		return take_send_error(x, errno, e);
	for (i = 0; i < n; i++)
		if (hears(x))
			rtt_stats_sent(&x->trips, now);
		else
			rtt_stats_sent_unawaited(&x->trips);
	x->next_ns += n * x->o->interval_ns;
	unblock(x);
	return 0;
}

/* Receives what is there. 1 when something was, 0, or -1 with *e. */
static int
receive(struct sender *x, struct err *e)
{
	int n;

	if (!hears(x))
		return 0;
	n = dgram_receive(x->fd, x->in, DGRAM_BATCH);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return hear_news(x, errno, e);
	return take_replies(x, n, e) < 0 ? -1 : 1;
}

/* Gives up what has waited too long, and tells it. */
static void
give_up(struct sender *x, int64_t now)
{
	uint64_t failed = x->trips.failed;

	rtt_stats_expire(&x->trips, now);
	if (x->trips.failed > failed)
		diag_note("no reply in time to %llu of the datagrams",
		    (unsigned long long)(x->trips.failed - failed));
}

static int
limit_error(const struct sender *x, struct err *e)
{
	deadline_error(x->o->until, -1, "the whole run", e);
	return err_append(e, "%llu datagrams sent, %llu replies",
	    (unsigned long long)x->trips.sent,
	    (unsigned long long)x->trips.received);
}

/*
 * Nobody has refused the first datagram: this peer it is. One that is not to
 * be answered is refused at once (on this machine) or not in time.
 */
static int
end_care(struct sender *x, struct err *e)
{
	if (!x->careful || x->trips.sent == 0 || x->trips.awaited > 0)
		return 0;
	if (hear_news(x, 0, e) < 0)
		return -1;
	x->careful = false;
	return 0;
}

/*
 * What one wait is for, and all that can end it:
 *	the run's limit, and the time of the first that is awaited;
 *	a reply, where any are heard, and news by ICMP;
 *	for what is unsent: room, or the end of a pause, or its limit;
 *	else for the next to send: input, or its turn by the rate.
 * Input is not waited for while anything is unsent. The entries of fds are the
 * socket and the input.
 */
static struct deadline
name_wakes(struct sender *x, struct pollfd *fds)
{
	struct deadline until =
	    deadline_first(x->o->until, rtt_stats_deadline(&x->trips));
	struct deadline next = {x->next_ns};

	fds[0] = (struct pollfd){.fd = x->fd, .events = hears(x) ? POLLIN : 0};
	fds[1] = (struct pollfd){.fd = -1, .events = POLLIN};
	if (outbox_unsent(&x->out) > 0) {
		if (x->block == SENDER_FULL)
			fds[0].events |= POLLOUT;
		else
			until = deadline_first(until, x->resume);
		return deadline_first(until, x->stuck);
	}
	if (is_complete(x))
		return until;
	if (allowance(x, clock_now()) > 0)
		fds[1].fd = x->feed->fd;
	else if (x->next_ns > clock_now())
		until = deadline_first(until, next);
	return until;
}

/* Waits until there may be something to do. */
static int
wait_more(struct sender *x, struct err *e)
{
	struct pollfd fds[3];
	struct deadline until;

	if (x->idle(x->context, e) < 0)
		return -1;
	until = name_wakes(x, fds);
	if (wait_poll(fds, 2, until) < 0)
		return err_sys(e, ERR_FAILED, errno, "waiting for replies");
	x->was_writable = (fds[0].revents & POLLOUT) != 0;
	if (fds[0].revents & POLLERR && hear_news(x, 0, e) < 0)
		return -1;
	if (fds[1].revents == 0)
		return 0;
	outbox_settle(&x->out);
	x->starved = false;
	return message_source_read(x->feed, e);
}

/* Whether there is nothing to do but to wait. */
static bool
has_to_wait(struct sender *x)
{
	if (outbox_unsent(&x->out) > 0)
		return x->block != SENDER_FREE;
	if (is_complete(x))
		return x->trips.awaited > 0;
	return x->starved || allowance(x, clock_now()) <= 0;
}

/* A pause of the sender is over, or there was none. */
static bool
may_send(const struct sender *x)
{
	return outbox_unsent(&x->out) > 0 &&
	       (x->block != SENDER_PAUSED || deadline_passed(x->resume));
}

/* One round: fill, send, receive, and wait where nothing could be done. */
static int
step(struct sender *x, struct err *e)
{
	int64_t now = clock_now();
	int got;

	/* One that always has something to do never waits. */
	if (signals_stopped() != 0)
		return err_sys(e, ERR_FAILED, EINTR, "sending");
	if (now >= x->o->until.at_ns)
		return limit_error(x, e);
	give_up(x, now);
	if (end_care(x, e) < 0 || fill(x, now, e) < 0)
		return -1;
	if (may_send(x) && send_some(x, e) < 0)
		return -1;
	got = receive(x, e);
	if (got != 0)
		return got < 0 ? -1 : 0;
	if (end_care(x, e) < 0)
		return -1;
	return has_to_wait(x) ? wait_more(x, e) : 0;
}

int
sender_run(struct sender *x, struct err *e)
{
	while (!is_complete(x) || x->trips.awaited > 0)
		if (step(x, e) < 0)
			return -1;
	/* A refusal of the last ones may be here already. */
	if (hear_news(x, 0, e) < 0)
		return -1;
	return x->idle(x->context, e);
}

bool
sender_may_retry(const struct sender *x, const struct err *e)
{
	return x->careful && x->trips.received == 0 &&
	       (e->kind == ERR_REFUSED || e->kind == ERR_UNREACHABLE);
}

/* Replies that our own receive buffer had no room for; 0 where not known. */
static uint64_t
count_dropped(const struct sender *x)
{
	uint32_t dropped;

	return dgram_lost(x->fd, &dropped) ? dropped : 0;
}

const char *
sender_format(const struct sender *x, char *buf, size_t size)
{
	const struct rtt_stats *t = &x->trips;
	uint64_t dropped = count_dropped(x), lost = rtt_stats_lost(t);

	snprintf(buf, size,
	    "%llu sent, %llu received, %llu lost (%.3g%%), %llu duplicates, "
	    "%llu late\n",
	    (unsigned long long)t->sent, (unsigned long long)t->received,
	    (unsigned long long)lost,
	    t->sent == 0 ? 0.0 : 100.0 * (double)lost / (double)t->sent,
	    (unsigned long long)t->duplicates, (unsigned long long)t->late);
	if (dropped > 0)
		text_append(buf, size,
		    "%llu replies came here, but the receive buffer was full\n",
		    (unsigned long long)dropped);
	if (t->samples > 0)
		text_append(buf, size,
		    "round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
		    (double)t->min_ns / 1e6, rtt_stats_mean(t) / 1e6,
		    (double)t->max_ns / 1e6, rtt_stats_deviation(t) / 1e6);
	return buf;
}

void
sender_report(const struct sender *x, int64_t ns)
{
	const struct rtt_stats *t = &x->trips;
	struct event ev;

	diag_event_begin(&ev, EVENT_SEND_SUMMARY);
	addr_event(&x->peer, &ev, "remote");
	event_number(&ev, "sent", t->sent);
	event_number(&ev, "received", t->received);
	if (x->o->replies >= 0) {
		event_number(&ev, "lost", rtt_stats_lost(t));
		event_number(&ev, "duplicates", t->duplicates);
		event_number(&ev, "late", t->late);
		event_number(&ev, "dropped", count_dropped(x));
	}
	if (t->samples > 0) {
		event_seconds(&ev, "min", (double)t->min_ns / 1e9);
		event_seconds(&ev, "avg", rtt_stats_mean(t) / 1e9);
		event_seconds(&ev, "max", (double)t->max_ns / 1e9);
		event_seconds(&ev, "mdev", rtt_stats_deviation(t) / 1e9);
	}
	event_seconds(&ev, "seconds", (double)ns / 1e9);
	diag_event_end(&ev, DIAG_NOTE,
	    "sent %llu (%llu bytes), received %llu (%llu bytes)",
	    (unsigned long long)t->sent, (unsigned long long)x->bytes_sent,
	    (unsigned long long)t->received,
	    (unsigned long long)x->bytes_received);
}

void
sender_release(struct sender *x)
{
	rtt_stats_release(&x->trips);
	outbox_release(&x->out);
	free(x->in);
	x->in = NULL;
}
