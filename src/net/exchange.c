#include "net/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/dgram_fast.h"
#include "net/sock.h"
#include "net/wait.h"

/* A sender that fell behind its rate may catch up on so much. */
#define BEHIND_NS (20 * CLOCK_MS)
/* "#18446744073709551615 " */
#define NUMBER_SIZE 24

void
exchange_start(struct exchange *x, const struct exchange_options *o,
    struct feed *feed, exchange_reply *reply, exchange_idle *idle,
    void *context)
{
	memset(x, 0, sizeof(*x));
	x->o = o;
	x->feed = feed;
	x->reply = reply;
	x->idle = idle;
	x->context = context;
	x->in = dgram_batch();
	if (o->number)
		x->numbered = mem_array(DGRAM_BATCH, DGRAM_SIZE + NUMBER_SIZE);
	trips_start(&x->trips, 1, o->timeout_ms);
	x->next_ns = clock_now();
}

void
exchange_use(struct exchange *x, int fd, const struct addr *peer,
    bool unconnected, bool careful)
{
	struct trips old = x->trips;

	x->fd = fd;
	x->peer = *peer;
	x->unconnected = unconnected;
	x->careful = careful;
	/* What was refused is sent again. */
	x->done = 0;
	memset(&x->trips, 0, sizeof(x->trips));
	x->trips.ring = old.ring;
	x->trips.wanted = x->o->replies < 0 ? 1 : x->o->replies;
	x->trips.timeout_ns = old.timeout_ns;
}

/* Puts "#N " in front of a payload. */
static void
number_piece(struct exchange *x, struct dgram *d)
{
	unsigned char *at =
	    x->numbered + (size_t)x->filled * (DGRAM_SIZE + NUMBER_SIZE);
	int n = snprintf((char *)at, NUMBER_SIZE, "#%llu ",
	    (unsigned long long)x->trips.sent +
		(unsigned long long)(x->filled - x->done));

	/* What is too long by it is refused by the kernel. */
	memcpy(at + n, d->bytes, d->length);
	d->bytes = at;
	d->length += (size_t)n;
}

/* How many may be prepared now, by window, count and rate. */
static int64_t
allowance(struct exchange *x, int64_t now)
{
	const struct exchange_options *o = x->o;
	int64_t most = o->number ? DGRAM_BATCH : DGRAM_SENDS;
	int64_t prepared = (int64_t)x->trips.sent;

	if (o->replies >= 0 && o->window - (int64_t)x->trips.awaited < most)
		most = o->window - (int64_t)x->trips.awaited;
	if (o->count > 0 && o->count - prepared < most)
		most = o->count - prepared;
	if (x->careful && most > 1 - prepared)
		most = 1 - prepared;
	/* The ring remembers those that are awaited. */
	if (x->trips.sent - x->trips.oldest >= TRIPS_MOST)
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
is_complete(const struct exchange *x)
{
	if (x->done < x->filled)
		return false;
	return x->ended ||
	       (x->o->count > 0 && x->trips.sent >= (uint64_t)x->o->count);
}

/* Takes pieces from the feed into out. What feed_next() said last. */
static enum feed_next
fill(struct exchange *x, int64_t most, struct err *e)
{
	enum feed_next found = FEED_PIECE;
	const unsigned char *bytes;
	struct dgram *d;

	x->filled = x->done = 0;
	while (x->filled < most && found == FEED_PIECE) {
		d = &x->out[x->filled];
		found = feed_next(x->feed, &bytes, &d->length, e);
		if (found != FEED_PIECE)
			break;
		d->bytes = (unsigned char *)bytes;
		d->remote.len = d->local.len = 0;
		if (x->o->number)
			number_piece(x, d);
		x->filled++;
	}
	/* What was good is sent first; the next round meets the error again. */
	if (found == FEED_ERROR && x->filled > 0) {
		err_clear(e);
		return FEED_PIECE;
	}
	if (found == FEED_END)
		x->ended = true;
	return found;
}

/* Sends what is prepared. 0 (perhaps not all of it), or -1 with *e. */
static int
send_prepared(struct exchange *x, struct err *e)
{
	int i, n, count = x->filled - x->done;
	int64_t now;

	for (i = x->done; i < x->filled && x->unconnected; i++)
		x->out[i].remote = x->peer;
	now = clock_now();
	n = dgram_send(x->fd, x->out + x->done, count);
	if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR))
		return 0;
	if (n < 0)
		return dgram_send_error(
		    x->fd, &x->peer, x->out[x->done].length, errno, e);
	for (i = 0; i < n; i++) {
		x->bytes_sent += x->out[x->done + i].length;
		trips_sent(&x->trips, now);
		if (x->o->replies < 0) {
			x->trips.awaited--;
			x->trips.oldest++;
		}
	}
	x->done += n;
	x->next_ns += n * x->o->interval_ns;
	return 0;
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
take_reply(
    struct exchange *x, const struct dgram *d, int64_t now, struct err *e)
{
	int64_t number = -1, trip_ns = -1;
	enum trips_kind kind;

	x->careful = false;
	x->bytes_received += d->full == SIZE_MAX ? d->length : d->full;
	if (x->o->number) {
		number = find_number(d);
		/* Without one it belongs to none. */
		number = number < 0 ? INT64_MAX : number;
	}
	kind = trips_received(&x->trips, number, now, &trip_ns);
	return x->reply(x->context, d, kind, trip_ns, e);
}

/*
 * What came back by ICMP. That the path carries less than was thought is no
 * failure: the kernel has noted it, and what is sent from now on goes in parts.
 */
static int
take_error(struct exchange *x, int errnum, struct err *e)
{
	size_t path = sock_path_mtu(x->fd, addr_family(&x->peer));

	if (errnum != EMSGSIZE)
		return dgram_send_error(x->fd, &x->peer, 0, errnum, e);
	fast_drop_errors(x->fd);
	diag_note("a datagram was too long for the path, which carries "
		  "packets of %zu bytes: longer ones go in parts now",
	    path);
	return 1;
}

/* Receives what is there. 1 when something was, 0, or -1 with *e. */
static int
receive(struct exchange *x, struct err *e)
{
	int i, n = dgram_receive(x->fd, x->in, DGRAM_BATCH);
	int64_t now;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return take_error(x, errno, e);
	now = clock_now();
	for (i = 0; i < n; i++)
		if (take_reply(x, &x->in[i], now, e) < 0)
			return -1;
	return 1;
}

/* A refusal that came without anything being received or sent. */
static int
check_refused(struct exchange *x, struct err *e)
{
	int errnum = sock_error(x->fd);

	if (errnum == 0)
		return 0;
	return dgram_send_error(x->fd, &x->peer, 0, errnum, e);
}

/* Waits for a reply, for room, for input or for the next time to act. */
static int
wait_more(struct exchange *x, bool for_feed, bool for_rate, struct err *e)
{
	bool hears = x->o->replies >= 0;
	struct pollfd fds[3] = {{.fd = x->fd, .events = hears ? POLLIN : 0},
	    {.fd = for_feed ? x->feed->fd : -1, .events = POLLIN}};
	struct deadline until =
	    deadline_first(x->o->until, trips_deadline(&x->trips));
	struct deadline next = {x->next_ns};

	if (x->done < x->filled)
		fds[0].events |= POLLOUT;
	if (for_rate)
		until = deadline_first(until, next);
	if (x->idle(x->context, e) < 0)
		return -1;
	if (wait_poll(fds, 2, until) < 0)
		return err_sys(e, ERR_FAILED, errno, "waiting for replies");
	if (!hears && fds[0].revents & POLLERR && check_refused(x, e) < 0)
		return -1;
	if (fds[1].revents != 0 && feed_read(x->feed, e) < 0)
		return -1;
	return 0;
}

/* Gives up what has waited too long, and tells it. */
static void
give_up(struct exchange *x, int64_t now)
{
	uint64_t failed = x->trips.failed;

	trips_expire(&x->trips, now);
	if (x->trips.failed > failed)
		diag_note("no reply in time to %llu of the datagrams",
		    (unsigned long long)(x->trips.failed - failed));
}

static int
limit_error(const struct exchange *x, struct err *e)
{
	return err_set(e, ERR_TIMEOUT,
	    "the whole run took too long (--max-time); %llu datagrams sent, "
	    "%llu replies",
	    (unsigned long long)x->trips.sent,
	    (unsigned long long)x->trips.received);
}

/*
 * Nobody has refused the first datagram: this peer it is. One that is not to
 * be answered is refused at once (on this machine) or not in time.
 */
static int
end_care(struct exchange *x, struct err *e)
{
	if (!x->careful || x->trips.sent == 0 || x->trips.awaited > 0)
		return 0;
	if (check_refused(x, e) < 0)
		return -1;
	x->careful = false;
	return 0;
}

/* One round: fill, send, receive, and wait where nothing could be done. */
static int
step(struct exchange *x, struct err *e)
{
	enum feed_next found = FEED_PIECE;
	int64_t most = 0, now = clock_now();
	int got;

	if (now >= x->o->until.at_ns)
		return limit_error(x, e);
	give_up(x, now);
	if (end_care(x, e) < 0)
		return -1;
	if (x->done == x->filled && !is_complete(x)) {
		most = allowance(x, now);
		if (most > 0)
			found = fill(x, most, e);
		if (found == FEED_ERROR)
			return -1;
	}
	if (x->done < x->filled && send_prepared(x, e) < 0)
		return -1;
	got = x->o->replies < 0 ? 0 : receive(x, e);
	if (got != 0)
		return got < 0 ? -1 : 0;
	if (x->done < x->filled || is_complete(x) || most <= 0 ||
	    found == FEED_WAIT) {
		if (is_complete(x) && x->trips.awaited == 0)
			return 0;
		return wait_more(x, found == FEED_WAIT,
		    x->next_ns > now && !is_complete(x), e);
	}
	return 0;
}

int
exchange_run(struct exchange *x, struct err *e)
{
	while (!is_complete(x) || x->trips.awaited > 0)
		if (step(x, e) < 0)
			return -1;
	/* A refusal of the last ones may be here already. */
	if (check_refused(x, e) < 0)
		return -1;
	return x->idle(x->context, e);
}

bool
exchange_may_retry(const struct exchange *x, const struct err *e)
{
	return x->careful && x->trips.received == 0 &&
	       (e->kind == ERR_REFUSED || e->kind == ERR_UNREACHABLE);
}

/* Replies that our own receive buffer had no room for; 0 where not known. */
static uint64_t
count_dropped(const struct exchange *x)
{
	uint64_t dropped;

	return dgram_lost(x->fd, &dropped) ? dropped : 0;
}

/* Datagrams without a reply in time; none are lost that are still awaited. */
static uint64_t
count_lost(const struct trips *t)
{
	return t->sent - t->answered - t->awaited;
}

const char *
exchange_format(const struct exchange *x, char *buf, size_t size)
{
	const struct trips *t = &x->trips;
	uint64_t dropped = count_dropped(x), lost = count_lost(t);
	int n;

	n = snprintf(buf, size,
	    "%llu sent, %llu received, %llu lost (%.3g%%), %llu duplicates, "
	    "%llu late\n",
	    (unsigned long long)t->sent, (unsigned long long)t->received,
	    (unsigned long long)lost,
	    t->sent == 0 ? 0.0 : 100.0 * (double)lost / (double)t->sent,
	    (unsigned long long)t->duplicates, (unsigned long long)t->late);
	if (dropped > 0)
		n += snprintf(buf + n, size - (size_t)n,
		    "%llu replies came here, but the receive buffer was full\n",
		    (unsigned long long)dropped);
	if (t->samples > 0)
		snprintf(buf + n, size - (size_t)n,
		    "round trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n",
		    (double)t->min_ns / 1e6, trips_mean(t) / 1e6,
		    (double)t->max_ns / 1e6, trips_deviation(t) / 1e6);
	return buf;
}

void
exchange_tell(const struct exchange *x, int64_t ns)
{
	const struct trips *t = &x->trips;
	struct json j;

	diag_event_begin(&j, "summary");
	addr_json(&x->peer, &j, "remote");
	json_number(&j, "sent", (int64_t)t->sent);
	json_number(&j, "received", (int64_t)t->received);
	if (x->o->replies >= 0) {
		json_number(&j, "lost", (int64_t)count_lost(t));
		json_number(&j, "duplicates", (int64_t)t->duplicates);
		json_number(&j, "late", (int64_t)t->late);
		json_number(&j, "dropped", (int64_t)count_dropped(x));
	}
	if (t->samples > 0) {
		json_seconds(&j, "min", (double)t->min_ns / 1e9);
		json_seconds(&j, "avg", trips_mean(t) / 1e9);
		json_seconds(&j, "max", (double)t->max_ns / 1e9);
		json_seconds(&j, "mdev", trips_deviation(t) / 1e9);
	}
	json_seconds(&j, "seconds", (double)ns / 1e9);
	diag_event_end(&j, DIAG_NOTE,
	    "sent %llu (%llu bytes), received %llu (%llu bytes)",
	    (unsigned long long)t->sent, (unsigned long long)x->bytes_sent,
	    (unsigned long long)t->received,
	    (unsigned long long)x->bytes_received);
}

void
exchange_release(struct exchange *x)
{
	trips_release(&x->trips);
	free(x->in);
	free(x->numbered);
	x->in = NULL;
	x->numbered = NULL;
}
