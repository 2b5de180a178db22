/*
 * What accept(2) and fork(2) fail with: errors of one connection do not end a
 * server, one that does not pass does not keep it busy, and a connection that
 * no process can be made for is a failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "lib/tap.h"
#include "net/endpoint.h"
#include "net/listener.h"
#include "serve/server.h"
#include "net/signals.h"

static int accept_errno; /* 0: the connection that waits */
static int accept_fails; /* so many times, -1: for ever */
static int accepts;      /* calls */
static int waiting;      /* a connection */

/* These take the place of the C library's. */
static int
next_connection(void)
{
	accepts++;
	if (accept_fails != 0) {
		accept_fails -= accept_fails > 0;
		errno = accept_errno;
		return -1;
	}
	return waiting;
}

int accept4(int fd, struct sockaddr *a, socklen_t *length, int flags);

int
accept4(int fd, struct sockaddr *a, socklen_t *length, int flags)
{
	(void)fd;
	(void)a;
	(void)flags;
	*length = 0;
	return next_connection();
}

int
accept(int fd, struct sockaddr *a, socklen_t *length)
{
	return accept4(fd, a, length, 0);
}

pid_t _Fork(void);

pid_t
_Fork(void)
{
	errno = EAGAIN;
	return -1;
}

pid_t
fork(void)
{
	return _Fork();
}

/* A listening socket that a client has connected to. */
static int
open_server(struct listener *l, struct err *e)
{
	struct listener_options o = {.until = deadline_none(),
	    .type = SOCK_STREAM,
	    .backlog = -1,
	    .sock = SOCK_OPTIONS_INIT};
	char host[] = "127.0.0.1", port[] = "0", *operands[] = {host, port};
	struct endpoint ep;
	int fd;

	if (endpoint_parse_local(&ep, operands, 2, "tcp", 0, e) < 0 ||
	    listener_open(l, &ep, &o, e) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	return connect(fd, &l->addrs[0].u.sa, l->addrs[0].len);
}

/* One end of a connection, to be accepted. */
static int
make_connection(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : ends[0];
}

/* Runs one accept with errors; 0 for the connection, or the error's kind. */
static int
accept_with(struct listener *l, int errnum, int times, struct err *e)
{
	struct server_options o = {.max_conns = 10,
	    .accept_ms = 400,
	    .program_ms = -1,
	    .log_level = DIAG_NOTE};
	struct conn c;
	struct server s;
	int fd;

	o.until = deadline_none();
	accept_errno = errnum;
	accept_fails = times;
	accepts = 0;
	waiting = make_connection();
	if (server_start(&s, l, &o, e) < 0)
		return -1;
	fd = server_accept(&s, &c, e);
	server_stop(&s);
	close(waiting);
	return fd == waiting ? 0 : (int)e->kind;
}

static void
test_passing(struct listener *l)
{
	static const int errors[] = {ECONNABORTED, EPROTO, EPERM, ENETDOWN,
	    ENOPROTOOPT, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT,
	    EINTR, EMFILE, ENOBUFS,
#ifdef EHOSTDOWN
	    EHOSTDOWN,
#endif
#ifdef ENONET
	    ENONET,
#endif
	    EACCES};
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		is_int(accept_with(l, errors[i], 2, &e), 0,
		    err_reason(errors[i], ERR_AT_FILE));
	is_int(accept_with(l, EINVAL, 1, &e), ERR_FAILED,
	    "a listening socket that is broken ends it");
}

/* Lines in a file. */
static int
count_lines(int fd)
{
	char text[4096];
	ssize_t i, n;
	int lines = 0;

	lseek(fd, 0, SEEK_SET);
	n = read(fd, text, sizeof(text));
	for (i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static void
test_persistent(struct listener *l)
{
	char path[] = "/tmp/sockt-XXXXXX";
	int fd = mkstemp(path), old = dup(2), result;
	struct err e = ERR_INIT;

	unlink(path);
	dup2(fd, 2);
	result = accept_with(l, EPERM, -1, &e);
	dup2(old, 2);
	is_int(result, ERR_TIMEOUT, "one that does not pass is waited for");
	ok(accepts < 60, "and does not keep it busy: %d calls", accepts);
	is_int(count_lines(fd), 1, "which is said once");
}

static int
serve(int fd, const struct conn *c, void *context)
{
	(void)fd;
	(void)c;
	(void)context;
	return 0;
}

static void
test_fork(struct listener *l)
{
	struct server_options o = {.max_conns = 10,
	    .accept_ms = 400,
	    .program_ms = -1,
	    .log_level = DIAG_NOTE};
	struct server_handler handler = {serve, NULL, false};
	struct conn c = {.start_ns = 0};
	struct err e = ERR_INIT;
	struct server s;

	is_int(server_start(&s, l, &o, &e), 0, "started");
	server_fork(&s, make_connection(), &c, &handler);
	is_int(s.children.last_status, ERR_FAILED,
	    "a connection without a process is a failure");
	server_stop(&s);
}

int
main(void)
{
	struct err e = ERR_INIT;
	struct listener l;

	alarm(60);
	signals_init();
	if (!ok(open_server(&l, &e) == 0, "a client waits"))
		return done_testing();
	test_passing(&l);
	test_persistent(&l);
	test_fork(&l);
	listener_close(&l);
	return done_testing();
}
