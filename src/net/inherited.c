/* Sockets inherited from the process that started sockt. */
#include "net/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "net/call.h"
#include "net/listener.h"
#include "net/sock.h"
#include "net/sockopt.h"

/* The first descriptor of sd_listen_fds(3). */
#define FIRST_FD 3

bool
inherited_is_activated(const char *text)
{
	return text != NULL && strcmp(text, "systemd") == 0;
}

static int
socket_type(int fd)
{
	static const struct sockopt option = {
	    SOL_SOCKET, SO_TYPE, "SO_TYPE", "1: a stream, 2: datagrams", NULL};
	int type = 0;

	return sockopt_get(fd, &option, &type) < 0 ? -1 : type;
}

static bool
is_listening(int fd)
{
	static const struct sockopt option = {SOL_SOCKET, SO_ACCEPTCONN,
	    "SO_ACCEPTCONN", "1: listen was called on it", NULL};
	int accepting = 0;

	return sockopt_get(fd, &option, &accepting) == 0 && accepting != 0;
}

/* Whether an IPv6 socket also accepts IPv4. */
static bool
is_dual(int fd)
{
	static const struct sockopt option = {IPPROTO_IPV6, IPV6_V6ONLY,
	    "IPV6_V6ONLY", "0: it takes IPv4 as well", NULL};
	int only_ip6 = 1;

	return sockopt_get(fd, &option, &only_ip6) == 0 && only_ip6 == 0;
}

/* Why a socket of the wrong type is not what the command serves. */
static const char *
type_problem(int type)
{
	if (type == SOCK_DGRAM)
		return "a datagram socket, which udp-serve takes";
	if (type == SOCK_STREAM)
		return "a stream socket, which listen and serve-hello take";
	return "a socket of another type";
}

/*
 * Why fd cannot be served, after "is ", or NULL. Sets *peer to the peer of a
 * connected socket.
 */
static const char *
problem_of(int fd, int wanted, struct addr *peer)
{
	int type = socket_type(fd), family;
	struct addr a;

	peer->len = 0;
	if (type < 0)
		return errno == EBADF ? "not open" : "not a socket";
	sock_local(fd, &a);
	family = addr_family(&a);
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return "neither an IP socket nor a unix socket";
	if (type != wanted)
		return type_problem(type);
	if (type == SOCK_STREAM && is_listening(fd))
		return NULL;
	(void)call_getpeername(fd, peer);
	if (type == SOCK_STREAM)
		return peer->len != 0 ? NULL
				      : "neither listening nor connected";
	if (peer->len != 0)
		return "connected: a server receives from every client";
	return family != AF_UNIX && addr_port(&a) == 0 ? "not bound to a port"
						       : NULL;
}

/* Whether both are the same open socket. */
static bool
is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/*
 * Replaces the standard descriptors that are the socket fd by placeholders.
 * Messages must not fail on standard error, which programs inherit.
 */
static void
release_standard(int fd)
{
	int standard, null;

	for (standard = 0; standard <= 2; standard++)
		if (standard != fd && is_same(standard, fd))
			close(standard);
	if (fcntl(2, F_GETFD) < 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0 && null != 2)
			dup2(null, 2);
		if (null >= 0 && null != 2)
			fd_close(&null);
	}
	fd_reserve_standard();
}

/*
 * Moves the socket above the standard descriptors. Returns its fd, or -1 with
 * *e set.
 */
static int
move_above_standard(int fd, const char *stdio_error, struct err *e)
{
	bool is_stdio = is_same(0, fd) || is_same(1, fd);
	int moved = fd;

	if (is_stdio && stdio_error != NULL)
		return err_set(e, ERR_USAGE, "--fd: %s", stdio_error);
	if (!is_stdio && !is_same(2, fd))
		return fd;
	if (fd <= 2)
		moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (moved < 0)
		return err_sys(e, ERR_LOCAL, errno, "--fd %d", fd);
	release_standard(moved);
	return moved;
}

static int
add_one(struct listener *l, int fd, const struct inherited_options *o,
    struct err *e)
{
	struct addr peer;
	const char *problem = problem_of(fd, o->type, &peer);
	bool is_connection = problem == NULL && peer.len != 0;

	if (problem != NULL)
		return err_set(
		    e, ERR_LOCAL, "--fd: descriptor %d is %s", fd, problem);
	fd = move_above_standard(fd, o->stdio_error, e);
	if (fd < 0)
		return -1;
	if (fd_close_on_exec(fd) < 0 || sock_nonblocking(fd, !is_connection))
		return err_sys(e, ERR_LOCAL, errno, "--fd %d", fd);
	sockopt_set_nodelay(fd);
	step_name(fd,
	    is_connection           ? "the connection"
	    : o->type == SOCK_DGRAM ? "the datagram socket"
				    : "the listening socket",
	    0);
	if (is_connection)
		listener_set_connection(l, &peer);
	else
		l->is_dual = is_dual(fd);
	listener_add(l, fd);
	return 0;
}

/* The number of sockets that the environment announces, or -1 with *e set. */
static int
announced_count(struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t n;

	if (pid == NULL || fds == NULL)
		return err_set(e, ERR_LOCAL,
		    "--fd systemd: LISTEN_PID and LISTEN_FDS are not set: not "
		    "started by socket activation");
	if (!num_parse(pid, 1, INT32_MAX, &n) || n != getpid())
		return err_set(e, ERR_LOCAL,
		    "--fd systemd: LISTEN_PID is not this process: the "
		    "sockets are meant for another one");
	if (!num_parse(fds, 1, INT32_MAX - FIRST_FD, &n))
		return err_set(e, ERR_LOCAL,
		    "--fd systemd: LISTEN_FDS is not a number from 1 on");
	return (int)n;
}

static int
add_announced(
    struct listener *l, const struct inherited_options *o, struct err *e)
{
	int i, n = announced_count(e);

	if (n < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (add_one(l, FIRST_FD + i, o, e) < 0)
			return -1;
	if (l->is_connection && n > 1)
		return err_set(e, ERR_LOCAL,
		    "--fd systemd: a connection must be the only socket");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return 0;
}

int
inherited_sockets(
    struct listener *l, const struct inherited_options *o, struct err *e)
{
	bool is_announced = inherited_is_activated(o->text);
	char shown[64];
	int64_t fd;
	int result;

	memset(l, 0, sizeof(*l));
	l->type = o->type;
	if (!is_announced && !num_parse(o->text, 0, INT32_MAX, &fd)) {
		text_escape_string(shown, sizeof(shown), o->text);
		return err_set(e, ERR_USAGE,
		    "--fd: '%s' is neither a descriptor's number nor systemd",
		    shown);
	}
	result =
	    is_announced ? add_announced(l, o, e) : add_one(l, (int)fd, o, e);
	if (result < 0)
		listener_close(l);
	return result;
}
