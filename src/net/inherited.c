/* Listening sockets inherited from the process that started sockt. */
#include "net/inherited.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "net/sockopt.h"
#include "net/listener.h"
#include "net/sock.h"

/* The first descriptor of sd_listen_fds(3). */
#define FIRST_FD 3

/* Whether fd is an IP or unix stream socket that listens. */
static bool
is_listening(int fd)
{
	static const struct sockopt type_option = {
	    SOL_SOCKET, SO_TYPE, "SO_TYPE", "1: a stream", NULL};
	static const struct sockopt accepting_option = {SOL_SOCKET,
	    SO_ACCEPTCONN, "SO_ACCEPTCONN", "1: listen was called on it", NULL};
	int type = 0, accepting = 0, family;
	struct addr a;

	sock_local(fd, &a);
	family = addr_family(&a);
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return false;
	if (sockopt_get(fd, &type_option, &type) < 0)
		return false;
	return type == SOCK_STREAM &&
	       sockopt_get(fd, &accepting_option, &accepting) == 0 &&
	       accepting != 0;
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

static int
add_one(struct listener *l, int fd, struct err *e)
{
	if (!is_listening(fd))
		return err_set(e, ERR_LOCAL,
		    "--fd: descriptor %d is not a listening TCP or unix stream "
		    "socket",
		    fd);
	if (fd_close_on_exec(fd) < 0 || sock_nonblocking(fd, true) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--fd %d", fd);
	step_name(fd, "the listening socket", 0);
	l->is_dual = is_dual(fd);
	listener_add(l, fd);
	return 0;
}

static int
add_announced(struct listener *l, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t n, i;

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
	for (i = 0; i < n; i++)
		if (add_one(l, FIRST_FD + (int)i, e) < 0)
			return -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return 0;
}

int
inherited_sockets(struct listener *l, const char *text, struct err *e)
{
	bool is_announced = strcmp(text, "systemd") == 0;
	char shown[64];
	int64_t fd;
	int result;

	memset(l, 0, sizeof(*l));
	l->type = SOCK_STREAM;
	if (!is_announced && !num_parse(text, 0, INT32_MAX, &fd)) {
		text_escape_string(shown, sizeof(shown), text);
		return err_set(e, ERR_USAGE,
		    "--fd: '%s' is neither a descriptor's number nor systemd",
		    shown);
	}
	result = is_announced ? add_announced(l, e) : add_one(l, (int)fd, e);
	if (result < 0)
		listener_close(l);
	return result;
}
