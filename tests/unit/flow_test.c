/*
 * A flow hands on every byte in order, whichever way it goes and however often
 * that changes, between all kinds of ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/pair.h"
#include "lib/tap.h"
#include "net/os.h"
#include "relay/splice.h"
#include "relay/flow.h"
#include "net/sock.h"

#define TOTAL (1000 * 1000)

enum way { AS_DECIDED, ALWAYS_MOVED, AT_RANDOM };

static unsigned char sent[TOTAL], came[TOTAL + 1], storage[FLOW_SIZE];
static unsigned seed = 1;

static unsigned
any(unsigned below)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % below;
}

static void
set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* [0] to read from, [1] to write to; both non-blocking. */
static void
open_pair(enum fd_kind kind, int ends[2])
{
	int result = kind == FD_SOCKET
			 ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends)
			 : pipe(ends);

	if (result < 0)
		abort();
	set_nonblocking(ends[0]);
	set_nonblocking(ends[1]);
}

/* A nameless file. */
static int
open_file(int flags)
{
	char name[] = "/tmp/sockt-flow-XXXXXX";
	int fd = mkstemp(name), again;

	again = open(name, O_RDWR | flags);
	unlink(name);
	close(fd);
	return again;
}

static bool
is_ready(int fd, short events)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	return poll(&pfd, 1, 0) > 0;
}

/* Puts bytes in: at most most of them. */
static size_t
feed(int fd, size_t at, size_t most)
{
	size_t n = TOTAL - at < most ? TOTAL - at : most;
	ssize_t done = write(fd, sent + at, n);

	return done > 0 ? (size_t)done : 0;
}

static size_t
take(int fd, size_t at, size_t most)
{
	size_t n = sizeof(came) - at < most ? sizeof(came) - at : most;
	ssize_t done = read(fd, came + at, n);

	return done > 0 ? (size_t)done : 0;
}

static void
choose(struct flow *f, enum way way)
{
	bool on = way == ALWAYS_MOVED || (way == AT_RANDOM && any(2) == 0);

	/* The end is told by reading only. */
	if (way == AS_DECIDED || !f->move.is_possible || f->in.fd < 0 ||
	    f->bytes == TOTAL)
		return;
	if (on && f->move.inner[0] < 0 && pipe(f->move.inner) < 0)
		abort();
	if (on)
		set_nonblocking(f->move.inner[0]);
	if (on)
		set_nonblocking(f->move.inner[1]);
	f->move.is_on = on;
	f->move.is_blocked = f->move.is_blocked && on;
}

/* One round of what a relay does. */
static void
pump(struct flow *f, enum way way)
{
	choose(f, way);
	if (flow_wants_read(f) && is_ready(f->in.fd, POLLIN))
		flow_read(f);
	choose(f, way);
	if (flow_wants_write(f) && (!f->move.is_blocked || !flow_is_empty(f) ||
				       is_ready(f->out.fd, POLLOUT)))
		flow_write(f);
}

/*
 * Runs TOTAL bytes through. feed_to and take_from are the far ends, or -1 for
 * files. piece: the largest piece fed.
 */
static void
run(struct flow *f, int *feed_to, int take_from, enum way way, unsigned piece)
{
	size_t in = 0, out = 0;
	int rounds;

	for (rounds = 0; rounds < 2000000 && !flow_is_done(f); rounds++) {
		if (*feed_to >= 0 && in < TOTAL)
			in += feed(*feed_to, in, 1 + any(piece));
		if (*feed_to >= 0 && in == TOTAL) {
			close(*feed_to);
			*feed_to = -1;
		}
		pump(f, way);
		if (take_from >= 0 && any(3) == 0)
			out += take(take_from, out, 1 + any(200000));
	}
	ok(flow_is_done(f), "it comes to its end");
	while (take_from >= 0 && is_ready(take_from, POLLIN)) {
		size_t n = take(take_from, out, 200000);

		if (n == 0)
			break;
		out += n;
	}
}

static const char *const kinds[] = {"file", "pipe", "socket"};
static const char *const ways[] = {"as decided", "moved", "switching"};

static void
try(enum fd_kind in, enum fd_kind out, int append, enum way way, unsigned piece)
{
	int a[2] = {-1, -1}, b[2] = {-1, -1};
	struct flow f;
	ssize_t got;

	if (in == FD_REGULAR) {
		a[0] = open_file(0);
		ok(write(a[0], sent, TOTAL) == TOTAL && lseek(a[0], 0, 0) == 0,
		    "a file");
	} else {
		open_pair(in, a);
	}
	if (out == FD_REGULAR)
		b[1] = open_file(append);
	else
		open_pair(out, b);
	memset(came, 0, sizeof(came));
	flow_init(&f, a[0], b[1], storage);
	flow_allow_move(&f);
	run(&f, &a[1], b[0], way, piece);
	if (out == FD_REGULAR) {
		got = pread(b[1], came, sizeof(came), 0);
		ok(got == TOTAL, "all of it is in the file");
	}
	ok(memcmp(sent, came, TOTAL) == 0 && f.bytes == TOTAL,
	    "%s to %s%s, %s, pieces to %u: whole and in order", kinds[in],
	    kinds[out], append ? " (append)" : "", ways[way], piece);
	ok(f.in.errnum == 0 && f.out.errnum == 0, "without an error");
	flow_release(&f);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

static void
try_ways(enum fd_kind in, enum fd_kind out, int append)
{
	static const unsigned pieces[] = {300, 100000};
	enum way way;
	size_t i;

	for (way = AS_DECIDED; way <= AT_RANDOM; way++)
		for (i = 0; i < 2; i++)
			try(in, out, append, way, pieces[i]);
}

/* Sends count pieces of that size through. */
static void
send_pieces(struct flow *f, int to, int from, int count, size_t size)
{
	static char drop[200000];
	uint64_t sum = f->bytes;

	for (; count > 0; count--) {
		sum += feed(to, 0, size);
		while (f->bytes < sum) {
			pump(f, AS_DECIDED);
			while (read(from, drop, sizeof(drop)) > 0)
				continue;
		}
	}
}

/* Large pieces are moved where that is possible, if they grow with the pipe;
 * small ones are copied again. */
static void
test_decision(void)
{
	int a[2], b[2];
	struct flow f;
	bool can = splice_can_move(FD_PIPE, FD_SOCKET);

	open_pair(FD_PIPE, a);
	open_pair(FD_SOCKET, b);
	flow_init(&f, a[0], b[1], storage);
	flow_allow_move(&f);
	send_pieces(&f, a[1], b[0], 8, 60000);
	ok(!f.move.is_on, "pieces that do not grow are copied");
	ok(f.move.is_enlarged == can, "the pipe is enlarged");
	send_pieces(&f, a[1], b[0], 4, FLOW_SIZE);
	ok(f.move.is_on == can, "larger ones are moved");
	send_pieces(&f, a[1], b[0], 20, 64);
	ok(!f.move.is_on, "small ones are copied");
	flow_release(&f);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* How much goes at once, while the other direction has much to move or not. */
static size_t
move_once(bool other_has_much)
{
	int in = open_file(0), out[2];
	struct flow f, other = {.water.is_raised = other_has_much};
	size_t held;

	open_pair(FD_SOCKET, out);
	if (write(in, sent, TOTAL) != TOTAL || lseek(in, 0, 0) < 0)
		abort();
	flow_init(&f, in, out[1], storage);
	flow_allow_move(&f);
	f.move.streak = 3;
	flow_yield(&f, &other);
	flow_read(&f);
	buf_eat(&f.queue, buf_length(&f.queue));
	flow_read(&f);
	held = f.move.held;
	flow_release(&f);
	close(in);
	close(out[0]);
	close(out[1]);
	return held;
}

/* Neither of two directions keeps the other one waiting for long. */
static void
test_turns(void)
{
	if (!splice_can_move(FD_REGULAR, FD_PIPE))
		return;
	is_int((long long)move_once(false), TOTAL - FLOW_SIZE,
	    "alone it takes all");
	is_int((long long)move_once(true), SPLICE_PIPE_SIZE / 2,
	    "beside another one a part at a time");
}

/* Small pieces in a row, until they may wait; a busy machine takes a while. */
static int
trickle(struct flow *f, int to)
{
	int n = 0;

	while (sock_is_nodelay(f->out.fd) && n < 100000) {
		feed(to, 0, 10);
		flow_read(f);
		flow_write(f);
		n++;
	}
	return n;
}

/* What may wait for more is sent after a moment, or when there is a hurry. */
static void
test_gathering(void)
{
	int a[2], b[2], n;
	struct flow f;

	open_pair(FD_PIPE, a);
	connect_pair(b);
	set_nonblocking(b[1]);
	flow_init(&f, a[0], b[1], storage);
	flow_allow_coalesce(&f);
	ok(sock_is_nodelay(b[1]), "pieces are sent at once");
	n = trickle(&f, a[1]);
	ok(n > 10 && !sock_is_nodelay(b[1]), "many in a row may wait");
	ok(deadline_is_set(flow_deadline(&f)), "for a time");
	while (!deadline_passed(flow_deadline(&f)))
		continue;
	flow_pump(&f, 0, 0);
	ok(sock_is_nodelay(b[1]), "then what waits is sent");
	ok(!deadline_is_set(flow_deadline(&f)), "and nothing does any more");
	n += trickle(&f, a[1]);
	ok(!sock_is_nodelay(b[1]), "they may again");
	flow_flush(&f);
	ok(sock_is_nodelay(b[1]), "but not when there is a hurry");
	is_int((long long)f.bytes, 10 * n, "all went on");
	flow_release(&f);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* Without leave, nothing is moved. */
static void
test_not_allowed(void)
{
	int a[2], b[2], i;
	struct flow f;

	open_pair(FD_PIPE, a);
	open_pair(FD_SOCKET, b);
	flow_init(&f, a[0], b[1], storage);
	for (i = 0; i < 6; i++) {
		feed(a[1], 0, 60000);
		pump(&f, AS_DECIDED);
		take(b[0], 0, 100000);
	}
	ok(!f.move.is_on, "nothing is moved without leave");
	flow_release(&f);
	close(b[0]);
	feed(a[1], 0, 60000);
	pump(&f, AS_DECIDED);
	is_int(f.out.errnum, EPIPE, "an out that is gone is an error of out");
	close(a[0]);
	close(a[1]);
	close(b[1]);
}

/* The same while moving. */
static void
test_lost(void)
{
	int a[2], b[2];
	struct flow f;

	open_pair(FD_PIPE, a);
	open_pair(FD_SOCKET, b);
	flow_init(&f, a[0], b[1], storage);
	flow_allow_move(&f);
	close(b[0]);
	feed(a[1], 0, 60000);
	pump(&f, ALWAYS_MOVED);
	pump(&f, ALWAYS_MOVED);
	is_int(f.out.errnum, EPIPE, "of out while moving, too");
	is_int(f.in.errnum, 0, "and not of in");
	ok(flow_is_done(&f), "it is over");
	flow_release(&f);
	close(a[0]);
	close(a[1]);
	close(b[1]);
	open_pair(FD_SOCKET, a);
	open_pair(FD_PIPE, b);
	flow_init(&f, a[0], b[1], storage);
	flow_allow_move(&f);
	close(b[0]);
	feed(a[1], 0, 60000);
	pump(&f, ALWAYS_MOVED);
	pump(&f, ALWAYS_MOVED);
	is_int(f.out.errnum, EPIPE, "a pipe that nobody reads");
	is_int(f.in.errnum, 0, "is no error of the socket");
	flow_release(&f);
	close(a[0]);
	close(a[1]);
	close(b[1]);
}

/* Only sockets have a low-water mark. */
static void
test_low_water(void)
{
	int a[2], b[2];
	struct flow f;

	open_pair(FD_SOCKET, a);
	open_pair(FD_PIPE, b);
	flow_init(&f, a[0], -1, storage);
	is_int(f.water.fd, -1, "at first there is no mark");
	flow_allow_low_water(&f);
	is_int(f.water.fd, a[0], "a socket has one");
	flow_init(&f, b[0], -1, storage);
	flow_allow_low_water(&f);
	is_int(f.water.fd, -1, "a pipe has none");
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* Moving needs a pipe at one end, and no terminal. */
static void
test_kinds(void)
{
	enum fd_kind in, out;
	int wrong = 0;

	for (in = FD_REGULAR; in <= FD_OTHER; in++)
		for (out = FD_REGULAR; out <= FD_OTHER; out++)
			wrong += splice_can_move(in, out) !=
				 ((in == FD_PIPE || out == FD_PIPE) &&
				     in != FD_TERMINAL && in != FD_OTHER &&
				     out != FD_TERMINAL);
	is_int(wrong, 0, "what can be moved");
}

/* What cannot be moved now, and what never can. */
static void
test_splice(void)
{
	int a[2], b[2], file = open_file(O_APPEND);

	open_pair(FD_PIPE, a);
	open_pair(FD_PIPE, b);
	errno = 0;
	ok(splice_move(a[0], b[1], 10) < 0 && errno == EAGAIN,
	    "an empty pipe: not now");
	if (write(a[1], "ab", 2) != 2)
		abort();
	is_int(splice_move(a[0], b[1], 10), 2, "from a pipe to a pipe");
	ok(splice_move(b[0], file, 10) < 0 && errno == ENOTSUP,
	    "to a file that is appended to: never");
	ok(splice_move(-1, b[1], 10) < 0 && errno == EBADF,
	    "another error stays what it is");
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
	close(file);
}

/* Without data, reading says so, and does not take the output for full. */
static void
test_no_data(void)
{
	int a[2], b[2];
	struct flow f;

	open_pair(FD_SOCKET, a);
	open_pair(FD_SOCKET, b);
	flow_init(&f, a[0], b[1], storage);
	errno = 0;
	ok(flow_read(&f) == -1 && errno == EAGAIN, "nothing to copy");
	ok(f.in.fd == a[0], "which is not the end");
	if (splice_can_move(FD_PIPE, FD_PIPE) && pipe(f.move.inner) == 0) {
		set_nonblocking(f.move.inner[0]);
		set_nonblocking(f.move.inner[1]);
		f.move.is_possible = f.move.is_on = true;
		errno = 0;
		ok(flow_read(&f) == -1 && errno == EAGAIN, "nothing to move");
		ok(!f.move.is_blocked, "the output is not full");
	}
	flow_release(&f);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* A flow that reads no more waits for nothing. */
static void
test_stop(void)
{
	int a[2];
	struct flow f;

	open_pair(FD_SOCKET, a);
	flow_init(&f, a[0], a[1], storage);
	f.move.is_blocked = true;
	flow_stop_reading(&f);
	ok(f.in.fd < 0 && f.in.errnum == 0, "reading is stopped");
	ok(!f.move.is_blocked && !flow_wants_read(&f) && !flow_wants_write(&f),
	    "and nothing is left to be moved");
	ok(flow_is_done(&f), "that is the end");
	flow_release(&f);
	close(a[0]);
	close(a[1]);
}

int
main(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	enum fd_kind in, out;
	size_t i;

	sigaction(SIGPIPE, &ignore, NULL);
	for (i = 0; i < TOTAL; i++)
		sent[i] = (unsigned char)any(256);
	for (in = FD_REGULAR; in <= FD_SOCKET; in++)
		for (out = FD_REGULAR; out <= FD_SOCKET; out++)
			if (in == FD_SOCKET || out == FD_SOCKET)
				try_ways(in, out, 0);
	try_ways(FD_SOCKET, FD_REGULAR, O_APPEND);
	test_decision();
	test_turns();
	test_gathering();
	test_not_allowed();
	test_lost();
	test_low_water();
	if (splice_can_move(FD_PIPE, FD_PIPE))
		test_kinds();
	if (splice_can_move(FD_PIPE, FD_PIPE))
		test_splice();
	test_no_data();
	test_stop();
	return done_testing();
}
