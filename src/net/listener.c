/* Server sockets: binding or inheriting them, accepting, closing. */
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/step.h"
#include "base/text.h"
#include "net/link.h"
#include "net/endpoint.h"
#include "net/port_owner.h"

/* Attempts to find a port number that is free on both families. */
#define MAX_TRIES 32

/* S_ISVTX, which is in XSI only: nobody removes another user's files. */
#define STICKY 01000

/* The first descriptor of sd_listen_fds(3). */
#define FIRST_FD 3

static int
bind_error(const struct addr *a, int type, int errnum, struct err *e)
{
	bool is_used = errnum == EADDRINUSE;
	const char *owner = is_used ? port_owner_find(a, type) : NULL;
	int cause = errnum;

	if (errnum == EACCES && addr_port(a) != 0 && addr_port(a) < 1024)
		cause = CAUSE_LOW_PORT;
	else if (errnum == EINVAL && addr_lacks_scope(a))
		cause = CAUSE_NO_INTERFACE;
	else if (is_used && addr_is_other_file(a))
		cause = CAUSE_PATH_EXISTS;
	else if (is_used && owner == NULL && type == SOCK_STREAM &&
		 port_owner_in_time_wait(addr_port(a), NULL))
		cause = CAUSE_TIME_WAIT;
	if (owner != NULL)
		err_set(e, ERR_LOCAL, "%s: %s (held by %s)", addr_text(a),
		    err_find(errnum, ERR_AT_LOCAL)->reason, owner);
	else
		err_sys(e, ERR_LOCAL, cause, "%s", addr_text(a));
	e->errnum = errnum;
	return -1;
}

/*
 * Removes the path if it is a socket on which nobody listens or receives:
 * connect(2) is refused. Returns 0, or -1 with errno: EADDRINUSE for anything
 * else at the path.
 */
static int
clear_path(const struct addr *a, int type)
{
	const char *path = a->u.un.sun_path;
	int fd, errnum = 0;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    (fd = sock_open(AF_UNIX, type)) >= 0) {
		if (sock_connect(fd, a) < 0)
			errnum = errno;
		sock_close(&fd);
	}
	if (errnum == ECONNREFUSED)
		return unlink(path);
	errno = EADDRINUSE;
	return -1;
}

/* Binds fd to a path, which at no time has more permissions than mode. */
static int
bind_path(struct listener *l, int fd, const struct addr *a, int mode)
{
	const char *path = a->u.un.sun_path;
	mode_t mask = 0;
	struct stat st;
	int result, saved;

	if (mode >= 0)
		mask = umask(0777 & ~(mode_t)mode);
	result = sock_bind(fd, a);
	if (mode >= 0)
		umask(mask);
	if (result < 0)
		return -1;
	result = lstat(path, &st);
	/* An access control list of the directory may have overridden the
	 * umask. If somebody has replaced the socket by a symbolic link, it is
	 * not followed. */
	if (result == 0 && mode >= 0)
		result =
		    fchmodat(AT_FDCWD, path, (mode_t)mode, AT_SYMLINK_NOFOLLOW);
	if (result == 0) {
		l->owns_path = true;
		l->device = st.st_dev;
		l->inode = st.st_ino;
		return 0;
	}
	saved = errno;
	unlink(path);
	errno = saved;
	return -1;
}

static void
remove_path(struct listener *l, const struct addr *a)
{
	const char *path = a->u.un.sun_path;
	struct stat st;

	l->owns_path = false;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode) || st.st_dev != l->device ||
		    st.st_ino != l->inode || unlink(path) == 0)
			return;
	}
	if (errno != ENOENT)
		diag_warn("%s could not be removed: %s", addr_text(a),
		    err_find(errno, ERR_AT_FILE)->reason);
}

bool
listener_may_remove(const struct listener *l)
{
	char copy[sizeof(l->addrs[0].u.un.sun_path) + 1] = "";
	const char *path, *folder;
	struct stat dir, file;

	if (!l->owns_path)
		return true;
	path = l->addrs[0].u.un.sun_path;
	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 &&
	       stat(folder, &dir) == 0 && lstat(path, &file) == 0 &&
	       ((dir.st_mode & STICKY) == 0 || geteuid() == 0 ||
		   dir.st_uid == geteuid() || file.st_uid == geteuid());
}

static int
bind_listen(struct listener *l, int fd, const struct addr *a,
    const struct listener_options *o)
{
	int result;

	if (!addr_has_path(a))
		result = sock_bind(fd, a);
	else if ((result = bind_path(l, fd, a, o->mode)) < 0 &&
		 errno == EADDRINUSE && clear_path(a, o->type) == 0)
		result = bind_path(l, fd, a, o->mode);
	if (result < 0)
		return -1;
	if (o->type == SOCK_STREAM)
		return sock_listen(fd, (int)o->backlog);
	step_name(fd, "the datagram socket", 0);
	return 0;
}

static void
add_socket(struct listener *l, int fd)
{
	l->fds = mem_resize(l->fds, l->count + 1, sizeof(l->fds[0]));
	l->addrs = mem_resize(l->addrs, l->count + 1, sizeof(l->addrs[0]));
	sock_local(fd, &l->addrs[l->count]);
	l->fds[l->count++] = fd;
}

/* Adds one address. Two servers share a UDP port for a multicast group alone.
 * Returns 0, or -1 with *e set, including its errnum. */
static int
add(struct listener *l, const struct addr *a, bool is_dual,
    const struct listener_options *o, struct err *e)
{
	bool is_group = addr_is_multicast(a);
	const struct sock_option reuse = {SOL_SOCKET, SO_REUSEADDR,
	    "SO_REUSEADDR",
	    is_group ? "other receivers of this group may use the port too"
		     : "bind works although earlier connections of this port "
		       "are in TIME-WAIT",
	    NULL};
	int fd = sock_open(addr_family(a), o->type), result;

	if (!addr_is_unix(a) && addr_port(a) == 0)
		l->is_port_chosen = true;
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s", addr_text(a));
	if ((addr_family(a) == AF_INET6 &&
		sock_set_quietly(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, is_dual ? 0 : 1) < 0) ||
	    ((is_group || (l->type == SOCK_STREAM && !addr_is_unix(a))) &&
		sock_set_int(fd, &reuse, 1) < 0))
		result = err_sys(e, ERR_LOCAL, errno, "%s", addr_text(a));
	else
		result = sock_set(fd, addr_family(a), o->sock, e);
	if (result == 0 && bind_listen(l, fd, a, o) < 0)
		result = bind_error(a, o->type, errno, e);
	if (result < 0) {
		if (l->owns_path)
			remove_path(l, a);
		sock_close(&fd);
		return -1;
	}
	add_socket(l, fd);
	if (l->addrs[l->count - 1].len != 0)
		return 0;
	/* The system has chosen the port. */
	l->addrs[l->count - 1] = *a;
	return err_sys(e, ERR_LOCAL, errno, "%s: getsockname", addr_text(a));
}

/* Opens a list on one port number, or one dual-stack socket of it. skips: a
 * family that the machine lacks is not an error. */
static int
open_list(struct listener *l, const struct addr_list *list, bool skips,
    const struct listener_options *o, struct err *e)
{
	bool is_dual = skips && addr_is_any(list->items);
	struct addr a;
	size_t i;

	for (i = 0; i < list->count && !(is_dual && l->count > 0); i++) {
		a = list->items[i];
		if (l->count > 0 && addr_port(&a) == 0)
			addr_set_port(&a, addr_port(&l->addrs[0]));
		if (add(l, &a, is_dual, o, e) < 0 &&
		    (!skips || (e->errnum != EAFNOSUPPORT &&
				   e->errnum != EADDRNOTAVAIL)))
			return -1;
	}
	return l->count > 0 ? 0 : -1;
}

/* Opens every interface (is_any), or both loopback addresses. A port that the
 * system chose may be in use for the other family: then tries again. */
static int
open_machine(struct listener *l, uint16_t port, bool is_any,
    const struct listener_options *o, struct err *e)
{
	int family = o->names->family, tries = port == 0 ? MAX_TRIES : 1;
	bool has_both = family == AF_UNSPEC;
	struct addr items[2];
	struct addr_list list = {items, has_both ? 2 : 1};

	if (is_any) {
		addr_any(&items[0], has_both ? AF_INET6 : family, port);
		addr_any(&items[1], AF_INET, port);
	} else {
		addr_loopback(&items[0], has_both ? AF_INET : family, port);
		addr_loopback(&items[1], AF_INET6, port);
	}
	while (open_list(l, &list, has_both, o, e) < 0) {
		listener_close(l, NULL);
		if (e->errnum != EADDRINUSE || --tries == 0)
			return -1;
	}
	return 0;
}

/* Why the inherited fd cannot be served, after "is ", or NULL. Sets *peer to
 * the peer of a connection, or its len to 0. */
static const char *
problem_of(int fd, int wanted, struct addr *peer)
{
	int type = sock_int(fd, SOL_SOCKET, SO_TYPE), family;
	struct addr a;

	if (type < 0)
		return errno == EBADF ? "not open" : "not a socket";
	sock_local(fd, &a);
	family = addr_family(&a);
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return "neither an IP socket nor a Unix socket";
	if (type != wanted)
		return type == SOCK_DGRAM
			   ? "a datagram socket, which udp-serve takes"
		       : type == SOCK_STREAM ? "a stream socket, which listen "
					       "and serve-hello take"
					     : "a socket of another type";
	sock_remote(fd, peer);
	if (type == SOCK_STREAM)
		return peer->len != 0 ||
			       sock_int(fd, SOL_SOCKET, SO_ACCEPTCONN) > 0
			   ? NULL
			   : "neither listening nor connected";
	if (peer->len != 0)
		return "connected: a server receives from every client";
	if (family == AF_UNIX)
		return addr_is_unnamed(&a) ? "not bound to a path" : NULL;
	return addr_port(&a) == 0 ? "not bound to a port" : NULL;
}

static bool
is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Moves the socket above the standard descriptors, where it leaves
 * placeholders. Returns its fd, or -1 with *e set. */
static int
move_above_standard(int fd, const char *stdio_error, struct err *e)
{
	bool is_stdio = is_same(0, fd) || is_same(1, fd);
	int moved = fd, standard, null;

	if (is_stdio && stdio_error != NULL)
		return err_set(e, ERR_USAGE, "--fd: %s", stdio_error);
	if (!is_stdio && !is_same(2, fd))
		return fd;
	if (fd <= 2)
		moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (moved < 0)
		return err_sys(e, ERR_LOCAL, errno, "--fd %d", fd);
	for (standard = 0; standard <= 2; standard++)
		if (is_same(standard, moved))
			close(standard);
	/* Messages must not fail on standard error, which programs inherit. */
	if (fcntl(2, F_GETFD) < 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0 && null != 2) {
			dup2(null, 2);
			fd_close(&null);
		}
	}
	fd_reserve_standard();
	return moved;
}

static int
add_inherited(
    struct listener *l, int fd, const struct listener_options *o, struct err *e)
{
	const char *problem = problem_of(fd, o->type, &l->peer);
	bool is_connection = l->peer.len != 0;

	/* The system no longer knows the peer of one that is reset. */
	if (problem != NULL && err_is_reset(sock_error(fd)))
		return err_set(e, ERR_LOST,
		    "--fd: the connection was reset by the client before it "
		    "was served");
	if (problem != NULL)
		return err_set(
		    e, ERR_LOCAL, "--fd: descriptor %d is %s", fd, problem);
	fd = move_above_standard(fd, o->stdio_error, e);
	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    sock_nonblocking(fd, !is_connection))
		return err_sys(e, ERR_LOCAL, errno, "--fd %d", fd);
	(void)sock_set_quietly(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	step_name(fd,
	    is_connection           ? "the connection"
	    : o->type == SOCK_DGRAM ? "the datagram socket"
				    : "the listening socket",
	    0);
	l->is_connection = l->is_connection || is_connection;
	add_socket(l, fd);
	return 0;
}

/* Adds the sockets of --fd: a descriptor, or those that systemd(1) announces.
 */
static int
open_inherited(
    struct listener *l, const struct listener_options *o, struct err *e)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t fd, n;

	l->is_from_systemd = strcmp(o->fd, "systemd") == 0;
	if (!l->is_from_systemd) {
		if (num_parse(o->fd, 0, INT32_MAX, &fd))
			return add_inherited(l, (int)fd, o, e);
		return err_set(e, ERR_USAGE,
		    "--fd: '%s' is neither a descriptor's number nor systemd",
		    text_shown(o->fd));
	}
	if (pid == NULL || fds == NULL || !num_parse(pid, 1, INT32_MAX, &n) ||
	    n != getpid() || !num_parse(fds, 1, INT32_MAX - FIRST_FD, &n))
		return err_set(e, ERR_LOCAL,
		    "--fd systemd: LISTEN_PID and LISTEN_FDS announce no "
		    "socket to this process: it was not started by socket "
		    "activation, or by a process that was");
	for (fd = FIRST_FD; fd < FIRST_FD + n; fd++)
		if (add_inherited(l, (int)fd, o, e) < 0)
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
listener_open(struct listener *l, const struct endpoint *ep,
    const struct listener_options *o, struct err *e)
{
	struct addr_list list = {0};
	int result;

	memset(l, 0, sizeof(*l));
	l->type = o->type;
	if (o->fd != NULL) {
		result = open_inherited(l, o, e);
	} else if (o->list != NULL) {
		result = open_list(l, o->list, false, o, e);
	} else if (!ep->is_unix &&
		   (ep->host[0] == '\0' ||
		       (!o->names->numeric &&
			   endpoint_is_under(ep, "localhost")))) {
		result = open_machine(l, ep->port, false, o, e);
	} else if (!ep->is_unix && (strcmp(ep->host, "*") == 0 ||
				       strcmp(ep->host, "any") == 0)) {
		result = open_machine(l, ep->port, true, o, e);
	} else {
		result = resolve(ep, o->names, o->until, &list, e);
		if (result == 0)
			result = open_list(l, &list, false, o, e);
		addr_list_release(&list);
	}
	if (result == 0)
		return 0;
	listener_close(l, NULL);
	if (o->fd != NULL)
		return -1;
	if (e->kind == ERR_NAME && access(ep->host, F_OK) == 0)
		err_append(e, ERR_GLOB_HINT, text_shown(ep->host));
	/* Prepend "cannot listen on ", but not to a name's error. */
	if (e->kind != ERR_LOCAL && e->kind != ERR_FAILED)
		return err_prefix(e, "cannot listen");
	return err_lead(
	    e, "cannot %s on ", l->type == SOCK_DGRAM ? "receive" : "listen");
}

void
listener_announce(const struct listener *l)
{
	bool is_dgram = l->type == SOCK_DGRAM;
	int level =
	    l->is_port_chosen || isatty(STDERR_FILENO) ? DIAG_SAY : DIAG_NOTE;
	const struct addr *a;
	const char *where;
	struct json *j;

	for (a = l->addrs; a < l->addrs + l->count && !l->is_connection; a++) {
		j = diag_event_begin("listening");
		addr_json(a, j, "local");
		if (!addr_is_unix(a))
			json_text(j, "protocol", is_dgram ? "udp" : "tcp");
		where = addr_text(a);
		if (addr_is_any(a))
			where = text_format("every %s (%s), port %u",
			    sock_is_dual(l->fds[a - l->addrs])
				? "address, IPv4 and IPv6"
			    : addr_family(a) == AF_INET6 ? "IPv6 address"
							 : "IPv4 address",
			    addr_ip_text(a), addr_port(a));
		diag_event_end(level, "%s on %s%s",
		    is_dgram ? "receiving" : "listening", where,
		    addr_is_unix(a) ? ""
		    : is_dgram      ? " (UDP)"
				    : " (TCP)");
	}
}

int
listener_accept(struct listener *l, struct link *c)
{
	size_t i;

	*c = (struct link){.fd = -1};
	if (l->is_connection) {
		c->fd = l->fds[0];
		c->remote = l->peer;
		l->count = 0;
	}
	for (i = 0; i < l->count && c->fd < 0; i++) {
		c->fd = sock_accept(l->fds[l->turn], &c->remote);
		if (c->fd < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return -1;
		l->turn = (l->turn + 1) % l->count;
	}
	if (c->fd < 0)
		return -1;
	c->start_ns = clock_now();
	sock_local(c->fd, &c->local);
	addr_unmap(&c->remote);
	return 0;
}

void
listener_close(struct listener *l, const char *why)
{
	size_t i;

	if (l->owns_path)
		remove_path(l, &l->addrs[0]);
	for (i = 0; i < l->count; i++)
		sock_close_note(&l->fds[i], why);
	free(l->fds);
	free(l->addrs);
	l->fds = NULL;
	l->addrs = NULL;
	l->count = 0;
}
