/* A scan in several processes, whose results one of them reports. */
#include "scan/shards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bounds.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/step.h"
#include "net/addr.h"
#include "net/child.h"
#include "net/os.h"
#include "net/sandbox.h"
#include "net/signals.h"
#include "net/wait.h"
#include "scan/classify.h"
#include "scan/order.h"
#include "scan/scan.h"
#include "scan/targets.h"

#define MAX_SHARDS 8
/* A shard of fewer ports costs more than it saves. */
#define MIN_PORTS 2048
#define PROGRESS_MS 100

enum frame_kind { FRAME_RESULTS, FRAME_DONE, FRAME_FAILED };

/* What a shard writes into its pipe, always as a whole. */
struct frame {
	enum frame_kind kind;
	uint32_t size; /* used bytes */
	uint64_t sent; /* probes so far */
	/* Results, each followed by its banner; FRAME_FAILED: struct err. */
	unsigned char bytes[4080];
};

/* The process of a shard, as seen from this one. */
struct shard {
	struct child child;
	int in;        /* read end of its pipe; -1: end of file */
	size_t have;   /* bytes of the frame that have been read */
	bool is_ended; /* it has sent its last frame */
	struct frame frame;
};

/* A scan that runs in shards. */
struct shards {
	const struct scan_options *o;
	struct shard *items; /* owned */
	uint32_t count;
	struct deadline next_progress;
	struct scan_progress progress;
	struct err error; /* the first of a shard */
};

/* Whether the probes of several processes are those of one. */
static bool
is_divisible(const struct scan_options *o)
{
	const struct order *order = o->order;
	struct addr a;

	if (o->type != SOCK_STREAM || o->rate > 0 || o->parallel > 0 ||
	    order->options.ascending || order->options.shards > 1 ||
	    order->options.targets->hosts != 1 || step_is_on())
		return false;
	targets_host(order->options.targets, 0, 0, &a);
	return addr_is_loopback(&a);
}

uint32_t
shards_count(const struct scan_options *o)
{
	uint64_t count = order_count(o->order) / MIN_PORTS;

	if (count < 2 || !is_divisible(o))
		return 1;
	if (count > MAX_SHARDS)
		count = MAX_SHARDS;
	if (count > os_processors())
		count = os_processors();
	return (uint32_t)count;
}

/* The side of a shard: sends what it finds. */
struct sender {
	int out;
	int errnum; /* of a failed write, or 0 */
	struct frame frame;
};

static void
send_frame(struct sender *s)
{
	if (fd_write_all(s->out, &s->frame, sizeof(s->frame)) < 0)
		s->errnum = errno;
	s->frame.size = 0;
}

static void
append(struct sender *s, const void *bytes, size_t n)
{
	if (n > 0)
		memcpy(s->frame.bytes + s->frame.size, bytes, n);
	s->frame.size += (uint32_t)n;
}

static void
on_result(void *context, const struct scan_result *r)
{
	struct sender *s = context;
	size_t size = sizeof(*r) + r->banner_size;

	if (!bounds_fit(sizeof(s->frame.bytes), s->frame.size, size))
		send_frame(s);
	append(s, r, sizeof(*r));
	append(s, r->banner, r->banner_size);
	if (classify_state(r->reason) == SCAN_OPEN)
		send_frame(s);
}

static int
on_progress(void *context, const struct scan_progress *p, struct err *e)
{
	struct sender *s = context;

	s->frame.sent = p->sent;
	if (s->frame.size > 0)
		send_frame(s);
	if (s->errnum != 0)
		return err_sys(e, ERR_FAILED, s->errnum, "sending results");
	return 0;
}

/* Scans a shard and sends its results to out. Returns the exit status. */
static int
scan_shard(
    const struct scan_options *o, uint32_t number, uint32_t count, int out)
{
	struct order_options options = o->order->options;
	struct sender s = {.out = out};
	struct scan_options part = *o;
	struct scan_progress end;
	struct err e = ERR_INIT;
	struct order order;

	sandbox_enter(SANDBOX_SOCKETS);
	options.shard = number;
	options.shards = count;
	order_init(&order, &options);
	part.order = &order;
	part.result = on_result;
	part.progress = on_progress;
	part.context = &s;
	/* The process that reads the results ends this one. */
	part.until = deadline_none();
	if (scan_run(&part, &end, &e) == 0) {
		s.frame.kind = FRAME_DONE;
		s.frame.sent = end.sent;
		send_frame(&s);
		return 0;
	}
	send_frame(&s);
	s.frame.kind = FRAME_FAILED;
	append(&s, &e, sizeof(e));
	send_frame(&s);
	return 1;
}

/* Starts the process of shard i. Returns 0, or -1 with errno. */
static int
start_shard(struct shards *s, uint32_t i)
{
	struct shard *shard = &s->items[i];
	int ends[2];

	if (os_pipe(ends, false) < 0)
		return -1;
	shard->child.pid = fork();
	if (shard->child.pid == 0) {
		signals_after_fork();
		fd_close(&ends[0]);
		_exit(scan_shard(s->o, i, s->count, ends[1]));
	}
	fd_close(&ends[1]);
	if (shard->child.pid < 0) {
		shard->child.pid = 0;
		fd_close(&ends[0]);
	}
	shard->in = ends[0];
	return shard->in < 0 ? -1 : 0;
}

/*
 * A shard reads what strangers send, and might be made to send anything: what
 * is used as a size or an index is checked.
 */
static bool
is_possible(const struct shards *s, const struct scan_result *r)
{
	return r->host < s->o->order->options.targets->hosts &&
	       (unsigned)r->reason <= SCAN_SKIPPED;
}

static void
report_results(const struct shards *s, const struct frame *f)
{
	size_t size = f->size < sizeof(f->bytes) ? f->size : sizeof(f->bytes);
	struct scan_result r;
	size_t at = 0;

	while (bounds_fit(size, at, sizeof(r))) {
		memcpy(&r, f->bytes + at, sizeof(r));
		at += sizeof(r);
		if (!bounds_fit(size, at, r.banner_size) || !is_possible(s, &r))
			return;
		r.banner = r.banner_size > 0 ? f->bytes + at : NULL;
		at += r.banner_size;
		s->o->result(s->o->context, &r);
	}
}

static void
handle_frame(struct shards *s, struct shard *shard)
{
	const struct frame *f = &shard->frame;

	shard->is_ended = f->kind != FRAME_RESULTS;
	if (f->kind != FRAME_FAILED) {
		report_results(s, f);
	} else if (s->error.kind == ERR_NONE) {
		memcpy(&s->error, f->bytes, sizeof(s->error));
		s->error.text[sizeof(s->error.text) - 1] = '\0';
	}
}

/* The pipe has ended: reaps the process, which has ended too. */
static void
end_shard(struct shards *s, struct shard *shard)
{
	int status = shard->child.pid > 0 ? child_kill(&shard->child) : 0;

	fd_close(&shard->in);
	s->progress.sent += shard->frame.sent;
	if (shard->is_ended || s->error.kind != ERR_NONE)
		return;
	if (status > 128)
		err_set(&s->error, ERR_FAILED,
		    "one of the scanning processes was killed by signal %d",
		    status - 128);
	else
		err_set(&s->error, ERR_FAILED,
		    "one of the scanning processes ended early");
}

static void
read_shard(struct shards *s, struct shard *shard)
{
	char *frame = (char *)&shard->frame;
	ssize_t n = read(
	    shard->in, frame + shard->have, sizeof(shard->frame) - shard->have);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		end_shard(s, shard);
		return;
	}
	shard->have += (size_t)n;
	if (shard->have < sizeof(shard->frame))
		return;
	shard->have = 0;
	handle_frame(s, shard);
}

static void
kill_all(struct shards *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++)
		if (s->items[i].child.pid > 0)
			(void)child_kill(&s->items[i].child);
}

/* Ends all processes, and reports the results that they still had sent. */
static void
stop(struct shards *s)
{
	uint32_t i;

	kill_all(s);
	for (i = 0; i < s->count; i++)
		while (s->items[i].in >= 0)
			read_shard(s, &s->items[i]);
}

/* Starts all processes, or none that has reported a result. Returns 0 or -1. */
static int
start(struct shards *s)
{
	uint32_t i;

	for (i = 0; i < s->count; i++)
		s->items[i].in = -1;
	for (i = 0; i < s->count && start_shard(s, i) == 0; i++)
		continue;
	if (i == s->count)
		return 0;
	kill_all(s);
	for (i = 0; i < s->count; i++)
		fd_close(&s->items[i].in);
	return -1;
}

/*
 * Waits for results and reports them. Returns 1, 0 if all shards have ended, or
 * -1 with errno.
 */
static int
collect(struct shards *s)
{
	struct pollfd fds[MAX_SHARDS + 1];
	struct shard *which[MAX_SHARDS];
	nfds_t n = 0, i;

	for (i = 0; i < s->count; i++) {
		if (s->items[i].in < 0)
			continue;
		fds[n] = (struct pollfd){s->items[i].in, POLLIN, 0};
		which[n++] = &s->items[i];
	}
	if (n == 0)
		return 0;
	if (wait_poll(fds, n, deadline_first(s->o->until, s->next_progress)) <
	    0)
		return -1;
	for (i = 0; i < n; i++)
		if (fds[i].revents != 0)
			read_shard(s, which[i]);
	return 1;
}

/* Reports everything until all shards have ended. Returns 0, or -1 with *e. */
static int
report_all(struct shards *s, struct err *e)
{
	const struct scan_options *o = s->o;
	int more;

	while ((more = collect(s)) != 0) {
		if (more < 0 && errno != EINTR)
			return err_sys(
			    e, ERR_FAILED, errno, "waiting for results");
		if (signals_stopped() != 0)
			return err_sys(e, ERR_FAILED, EINTR, "scan");
		if (deadline_passed(s->next_progress)) {
			s->next_progress = deadline_after(PROGRESS_MS);
			if (o->progress(o->context, &s->progress, e) < 0)
				return -1;
		}
		if (deadline_passed(o->until))
			return deadline_error(o->until, "", e);
	}
	if (s->error.kind == ERR_NONE)
		return 0;
	*e = s->error;
	return -1;
}

int
shards_run(
    const struct scan_options *o, struct scan_progress *end, struct err *e)
{
	struct shards s = {.o = o, .count = shards_count(o)};
	int result;

	if (s.count < 2)
		return scan_run(o, end, e);
	s.items = mem_array(s.count, sizeof(s.items[0]));
	s.progress.start_ns = clock_now();
	s.next_progress =
	    o->progress != NULL ? deadline_after(PROGRESS_MS) : deadline_none();
	if (start(&s) == 0) {
		result = report_all(&s, e);
		stop(&s);
		*end = s.progress;
	} else {
		result = scan_run(o, end, e);
	}
	free(s.items);
	return result;
}
