/*
 * What a sender is given arrives, each datagram as it was, however the kernel
 * pushes back: the calls that send are wrapped (ld's --wrap), so that at random
 * they take a part, or nothing by EAGAIN, ENOBUFS or EINTR. The input comes in
 * random pieces meanwhile, and the receiver takes its time.
 * SEED=N sender_test repeats one round.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "lib/time64.h"
#include "udp/dgram.h"
#include "udp/message_source.h"
#include "udp/sender.h"

#define ROUNDS 60
#define PIECES 400
#define INPUT (PIECES * 1500)

static uint32_t state;

static unsigned
chance(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

/* Whether a send is to fail now, with errno. */
static bool
pushes_back(void)
{
	static const int errnums[] = {EAGAIN, EAGAIN, ENOBUFS, EINTR};

	if (chance(3) != 0)
		return false;
	errno = errnums[chance(4)];
	return true;
}

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
struct mmsghdr;
int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags);

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return pushes_back() ? -1 : __real_sendmsg(fd, m, flags);
}

int
__wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags)
{
	if (pushes_back())
		return -1;
	return __real_sendmmsg(fd, m, 1 + chance(count), flags);
}

/* One round: what is given, and what has to arrive. */
static struct {
	bool is_unix, unconnected;
	enum message_source_kind kind;
	size_t block;
	struct sender_options o;
	char input[INPUT];
	size_t length;
	struct {
		size_t at, length;
	} pieces[PIECES];
	size_t count;
} round_;

static void
plan_pieces(void)
{
	size_t i, n, most = round_.is_unix ? PIECES : 100;

	round_.length = 0;
	round_.count = 1 + chance((unsigned)most);
	for (i = 0; i < round_.count; i++) {
		n = chance(chance(4) == 0 ? 1400 : 20);
		if (round_.kind == SOURCE_BLOCKS)
			n = round_.block;
		round_.pieces[i].at = round_.length;
		round_.pieces[i].length = n;
		/* No two pieces look alike. */
		for (; n > 0; n--)
			round_.input[round_.length++] =
			    (char)('a' + (i * 7 + n * (1 + i % 5)) % 26);
		if (round_.kind == SOURCE_LINES)
			round_.input[round_.length++] = '\n';
	}
}

static void
plan(uint32_t seed)
{
	state = seed * 2654435761U + 1;
	memset(&round_.o, 0, sizeof(round_.o));
	round_.is_unix = chance(2) == 0;
	round_.unconnected = chance(3) == 0;
	round_.kind = chance(3) == 0 ? SOURCE_BLOCKS : SOURCE_LINES;
	round_.block = 1 + chance(600);
	round_.o.replies = chance(3) == 0 ? 1 : SENDER_NO_REPLY;
	round_.o.timeout_ms = 20000;
	round_.o.window = 1 + chance(40);
	round_.o.number = chance(3) == 0;
	round_.o.until = deadline_after(30000);
	plan_pieces();
}

static void
rest(unsigned ms)
{
	poll(NULL, 0, (int)ms);
}

/* The input, piece by piece, in a process of its own. */
static void
write_input(int fd)
{
	size_t at = 0, n;

	while (at < round_.length) {
		n = 1 + chance(chance(3) == 0 ? 40 : 4000);
		if (n > round_.length - at)
			n = round_.length - at;
		if (write(fd, round_.input + at, n) != (ssize_t)n)
			_exit(1);
		at += n;
		if (chance(4) == 0)
			rest(chance(3));
	}
	_exit(0);
}

/* Whether what came is the piece i, perhaps with its number. */
static bool
is_piece(const char *bytes, ssize_t n, size_t i)
{
	char number[32] = "";
	size_t front;

	if (round_.o.number)
		snprintf(number, sizeof(number), "#%zu ", i);
	front = strlen(number);
	return n == (ssize_t)(front + round_.pieces[i].length) &&
	       memcmp(bytes, number, front) == 0 &&
	       memcmp(bytes + front, round_.input + round_.pieces[i].at,
		   round_.pieces[i].length) == 0;
}

/* Receives and compares, and answers if asked, in a process of its own. */
static void
receive_all(int fd)
{
	static char bytes[65536];
	struct sockaddr_storage from;
	socklen_t len;
	ssize_t n;
	size_t i;

	alarm(20);
	for (i = 0; i < round_.count; i++) {
		len = sizeof(from);
		n = recvfrom(fd, bytes, sizeof(bytes), 0,
		    (struct sockaddr *)&from, &len);
		if (!is_piece(bytes, n, i)) {
			printf("# datagram %zu of %zu is wrong: %.*s\n", i,
			    round_.count, (int)(n > 60 ? 60 : n), bytes);
			fflush(stdout);
			_exit(1);
		}
		if (round_.o.replies > 0 &&
		    sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from,
			len) < 0)
			_exit(2);
		if (round_.is_unix && chance(30) == 0)
			rest(chance(5));
	}
	_exit(0);
}

/* The receiver's socket; *to gets its address. */
static int
open_receiver(struct addr *to)
{
	int fd, size = 1 << 20;

	memset(to, 0, sizeof(*to));
	if (round_.is_unix) {
		to->u.un.sun_family = AF_UNIX;
		snprintf(to->u.un.sun_path, sizeof(to->u.un.sun_path),
		    "/tmp/sender_test.%ld", (long)getpid());
		unlink(to->u.un.sun_path);
		to->len = sizeof(to->u.un);
	} else {
		addr_loopback(to, AF_INET, 0);
	}
	fd = socket(addr_family(to), SOCK_DGRAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, &to->u.sa, to->len) < 0 ||
	    (!round_.is_unix && getsockname(fd, &to->u.sa, &to->len) < 0))
		abort();
	return fd;
}

static int
on_reply(void *context, const struct sender_reply *r, struct err *e)
{
	(void)context;
	(void)r;
	(void)e;
	return 0;
}

static int
on_idle(void *context, struct err *e)
{
	(void)context;
	(void)e;
	return 0;
}

/* The sender's socket, with options that hold it up even more. */
static int
open_sender(const struct addr *to)
{
	struct dgram_options o = {
	    .sock = SOCK_OPTIONS_INIT, .unconnected = round_.unconnected};
	struct err e = ERR_INIT;
	int fd;

	if (chance(2) == 0)
		o.sock.sndbuf = 4096;
	fd = dgram_open(to, &o, &e);
	if (fd < 0)
		printf("# %s\n", e.text);
	return fd;
}

static int
run_sender(int input, const struct addr *to, struct err *e)
{
	int fd = open_sender(to), result;
	struct sender x;
	struct message_source source;

	message_source_descriptor(&source, input, round_.kind, round_.block);
	round_.o.source = &source;
	round_.o.on_reply = on_reply;
	round_.o.on_idle = on_idle;
	sender_start(&x, &round_.o);
	sender_use(
	    &x, &(struct sender_target){fd, *to, round_.unconnected, true});
	result = sender_run(&x, e);
	if (result == 0 && round_.o.replies > 0 &&
	    x.stats.answered != round_.count)
		result = err_set(e, ERR_FAILED, "only %d of %d were answered",
		    (int)x.stats.answered, (int)round_.count);
	dgram_close(&fd);
	sender_release(&x);
	message_source_release(&source);
	return result;
}

static bool
run_round(uint32_t seed)
{
	struct err e = ERR_INIT;
	int ends[2], status, result, fd;
	struct addr to;
	pid_t writer, receiver;

	plan(seed);
	fd = open_receiver(&to);
	if (pipe(ends) < 0)
		abort();
	fflush(stdout);
	receiver = fork();
	if (receiver == 0)
		receive_all(fd);
	close(fd);
	writer = fork();
	if (writer == 0)
		write_input(ends[1]);
	close(ends[1]);
	result = run_sender(ends[0], &to, &e);
	close(ends[0]);
	waitpid(writer, NULL, 0);
	waitpid(receiver, &status, 0);
	if (round_.is_unix)
		unlink(to.u.un.sun_path);
	if (result < 0)
		printf("# %s\n", e.text);
	return result == 0 && status == 0;
}

int
main(void)
{
	const char *only = getenv("SEED");
	uint32_t seed;
	bool good;

	alarm(250);
	for (seed = 1; seed <= in_short(ROUNDS, 20); seed++) {
		if (only != NULL && (uint32_t)atoi(only) != seed)
			continue;
		good = run_round(seed);
		ok(good,
		    "round %u: %zu %s by %s%s%s%s: all arrive as they were",
		    seed, round_.count,
		    round_.kind == SOURCE_LINES ? "lines" : "blocks",
		    round_.is_unix ? "unix" : "UDP",
		    round_.unconnected ? ", unconnected" : "",
		    round_.o.replies > 0 ? ", answered" : "",
		    round_.o.number ? ", numbered" : "");
	}
	return done_testing();
}
