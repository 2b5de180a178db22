/*
 * A datagram server whose system pushes back or fails: getsockopt(2),
 * recvmmsg(2) and sendmmsg(2) with their plain twins are wrapped (ld's --wrap).
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "lib/time64.h"
#include "udp/dgram_server.h"
#include "net/endpoint.h"

#define MEMINFO_DROPS 8

static int fail_receive, fail_option; /* errno of the next calls, or 0 */
static int deny;                      /* errno of the calls of many, or 0 */
static int denied;                    /* how often */
static int forbid;                    /* errno of all that send, or 0 */
static uint32_t drops;                /* of SO_MEMINFO */
static bool counts_drops;

struct mmsghdr;
struct timespec;
int __real_getsockopt(int fd, int level, int name, void *v, socklen_t *n);
int __wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *m, unsigned count, int flags,
    struct timespec *limit);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned count, int flags,
    struct timespec *limit);
ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags);

static int
fails(int errnum)
{
	errno = errnum;
	return errnum != 0;
}

int
__wrap_getsockopt(int fd, int level, int name, void *v, socklen_t *n)
{
	/* SO_MEMINFO has no name in strict headers. */
	if (*n < (MEMINFO_DROPS + 1) * sizeof(drops))
		return __real_getsockopt(fd, level, name, v, n);
	counts_drops = true;
	memset(v, 0, *n);
	memcpy((uint32_t *)v + MEMINFO_DROPS, &drops, sizeof(drops));
	return fails(fail_option) ? -1 : 0;
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	return fails(fail_receive) ? -1 : __real_recvmsg(fd, m, flags);
}

int
__wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned count, int flags,
    struct timespec *limit)
{
	denied += deny != 0;
	return fails(deny) || fails(fail_receive)
		   ? -1
		   : __real_recvmmsg(fd, m, count, flags, limit);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return fails(forbid) ? -1 : __real_sendmsg(fd, m, flags);
}

int
__wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned count, int flags)
{
	denied += deny != 0;
	return fails(deny) || fails(forbid)
		   ? -1
		   : __real_sendmmsg(fd, m, count, flags);
}

/* A server's socket without its listener, bound to the loopback. */
static void
open_server(struct dgram_server *s, const struct dgram_server_options *o)
{
	struct listener *l = &s->listener;

	memset(s, 0, sizeof(*s));
	s->o = o;
	l->count = 1;
	l->fds = malloc(sizeof(l->fds[0]));
	l->addrs = malloc(sizeof(l->addrs[0]));
	s->drops = calloc(1, sizeof(s->drops[0]));
	l->type = SOCK_DGRAM;
	addr_loopback(&l->addrs[0], AF_INET, 0);
	l->fds[0] = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(l->fds[0], &l->addrs[0].u.sa, l->addrs[0].len) < 0)
		abort();
	sock_local(l->fds[0], &l->addrs[0]);
	rate_limit_start(&s->rate_limit, RATE_LIMIT_DEFAULT, false);
	s->received = batch_new();
	s->unsent = calloc(512, sizeof(s->unsent[0]));
	s->resume = deadline_none();
}

/* errno of receiving is not that of counting losses. */
static void
test_errno(struct dgram_server *s)
{
	struct err e = ERR_INIT;

	s->next_check_ns = 0;
	fail_option = ENOPROTOOPT;
	is_int(dgram_server_receive(s, 0, BATCH_MAX_RECEIVE, &e), 0,
	    "nothing there is no error, though the system counts no losses");
	s->next_check_ns = 0;
	fail_option = EAGAIN;
	fail_receive = ENOMEM;
	is_int(dgram_server_receive(s, 0, BATCH_MAX_RECEIVE, &e), -1,
	    "an error stays one");
	is_int(e.errnum, ENOMEM, "and is the one that was met");
	fail_option = fail_receive = 0;
}

static void
test_losses(struct dgram_server *s)
{
	struct err e = ERR_INIT;

	if (!counts_drops)
		return;
	drops = 0xfffffff0;
	s->next_check_ns = 0;
	dgram_server_receive(s, 0, BATCH_MAX_RECEIVE, &e);
	is_int((long long)s->lost, 0xfffffff0, "losses");
	drops = 0x10;
	s->next_check_ns = 0;
	dgram_server_receive(s, 0, BATCH_MAX_RECEIVE, &e);
	is_int((long long)s->lost, 0x100000010, "go on after 2^32");
	is_int((long long)s->reported_lost, 0x100000010, "and are reported");
}

/*
 * Sends up to 8 datagrams to the server, which answers. How many come back.
 * Their lengths differ, so that the kernel has no run of them to split:
 * qemu-user does not pass UDP_SEGMENT on from a big-endian program.
 */
static int
round_trips(struct dgram_server *s, int count)
{
	struct sockaddr *to = &s->listener.addrs[0].u.sa;
	int i, n, fd = socket(AF_INET, SOCK_DGRAM, 0), back = 0;
	struct err e = ERR_INIT;
	char bytes[8];

	for (i = 0; i < count; i++)
		if (sendto(fd, "12345678", (size_t)i + 1, 0, to,
			s->listener.addrs[0].len) < 0)
			return -1;
	n = dgram_server_receive(s, 0, BATCH_MAX_RECEIVE, &e);
	dgram_server_answer(s, s->received, n);
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		back++;
	close(fd);
	return back;
}

/* EPERM of a firewall is no reason to do without the calls of many. */
static void
test_firewall(struct dgram_server *s)
{
	uint64_t ignored = s->ignored_count;

	forbid = EPERM;
	is_int(round_trips(s, 3), 0, "a firewall lets nothing out");
	is_int((long long)(s->ignored_count - ignored), 3, "each is reported");
	forbid = 0;
	is_int(round_trips(s, 3), 3, "later it does");
}

/* Old kernels, and sandboxes: for good. */
static void
test_denied(struct dgram_server *s, int errnum)
{
	deny = errnum;
	denied = 0;
	is_int(round_trips(s, 3), 3, "without the calls of many");
	denied = 0;
	is_int(round_trips(s, 5), 5, "and once more");
	is_int(denied, 0, "which are not tried again");
	deny = 0;
}

/* Whether the socket is polled for datagrams. */
static bool
is_read(const struct dgram_server *s)
{
	struct deadline until = deadline_none();
	struct pollfd fds[1];

	return dgram_server_pollfds(s, true, fds, &until) == 1 &&
	       fds[0].fd >= 0;
}

/* An answer without space is kept, and holds up its socket. */
static void
test_space(struct dgram_server *s)
{
	uint64_t answered = s->answered_count;

	forbid = ENOBUFS;
	is_int(round_trips(s, 3), 0, "no space");
	is_int((long long)s->unsent_count, 3, "what is unsent is kept");
	ok(!is_read(s), "nothing more is received meanwhile");
	s->resume.at_ns = 1;
	dgram_server_resume(s);
	is_int((long long)s->unsent_count, 3, "still no space");
	ok(deadline_is_set(s->resume), "it is tried again");
	forbid = 0;
	s->resume.at_ns = 1;
	dgram_server_resume(s);
	is_int((long long)(s->answered_count - answered), 3,
	    "space: all are sent");
	ok(is_read(s), "and it goes on");
	ok(!deadline_is_set(s->resume), "without a pause");

	forbid = EAGAIN;
	round_trips(s, 1);
	answered = s->ignored_count;
	s->unsent[0].until.at_ns = s->resume.at_ns = 1;
	dgram_server_resume(s);
	is_int(
	    (long long)(s->ignored_count - answered), 1, "given up in the end");
	is_int((long long)s->unsent_count, 0, "and forgotten");
	forbid = 0;
}

int
main(int argc, char **argv)
{
	struct dgram_server_options o = {.max_rate = RATE_LIMIT_DEFAULT};
	struct dgram_server s;

	(void)argv;
	open_server(&s, &o);
	test_errno(&s);
	test_losses(&s);
	test_firewall(&s);
	test_space(&s);
	test_denied(&s, argc > 1 ? ENOSYS : EPERM);
	dgram_server_close(&s);
	return done_testing();
}
