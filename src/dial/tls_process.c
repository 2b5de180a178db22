/* The process of a TLS connection: it starts openssl and relays to it. */
#include "dial/tls_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "dial/tls_options.h"
#include "dial/tls_report.h"
#include "net/addr.h"
#include "net/conn_event.h"
#include "net/endpoint.h"
#include "net/os.h"
#include "net/proc.h"
#include "net/signals.h"
#include "net/sock.h"
#include "relay/relay.h"

/* How long openssl may take to connect to its socket. */
#define START_MS 10000
/* How often to check at the end whether the peer has acknowledged everything.
 */
#define CHECK_MS 20
/* How long the peer may take to finish after this side has. */
#define LINGER_MS 1000

/* The most arguments of openssl. */
#define MAX_ARGS 24

struct arguments {
	const char *argv[MAX_ARGS + 1];
	size_t count;
};

static void
add(struct arguments *a, const char *first, const char *second)
{
	a->argv[a->count++] = first;
	if (second != NULL)
		a->argv[a->count++] = second;
}

/* The server's name to send and to verify, without scope and final dot. */
static void
server_name(const struct endpoint *ep, char *buf, size_t size)
{
	size_t n = strcspn(ep->host, "%");

	snprintf(buf, size, "%.*s", (int)n, ep->host);
	n = strlen(buf);
	if (n > 1 && buf[n - 1] == '.')
		buf[n - 1] = '\0';
}

/* name is storage for an argument. */
static void
make_arguments(struct arguments *a, const struct tls_request *request,
    char name[ENDPOINT_HOST], const char *path)
{
	const struct endpoint *ep = request->ep;
	const struct tls_options *o = request->options;
	struct addr ip;

	a->count = 0;
	add(a, "openssl", "s_client");
	add(a, "-unix", path);
	add(a, "-brief", "-nocommands");
	if (!o->is_insecure)
		add(a, "-verify_return_error", NULL);
	if (!o->ends_with_input)
		add(a, "-ign_eof", NULL);
	if (o->alpn != NULL)
		add(a, "-alpn", o->alpn);
	if (o->ca_file != NULL) {
		add(a, "-CAfile", o->ca_file);
		add(a, "-no-CApath", "-no-CAstore");
	}
	server_name(ep, name, ENDPOINT_HOST);
	if (ep->is_unix || addr_parse_ip(&ip, name, 0))
		add(a, "-noservername", NULL);
	else
		add(a, "-servername", name);
	if (!ep->is_unix)
		add(a,
		    addr_parse_ip(&ip, name, 0) ? "-verify_ip"
						: "-verify_hostname",
		    name);
	a->argv[a->count] = NULL;
}

/* A socket that only this user can reach, in a directory of its own. */
struct meeting {
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct addr addr; /* of the socket in dir */
	int fd;           /* it listens */
	sigset_t signals; /* those that were blocked before */
};

/* Closes the socket and removes the directory. */
static void
meeting_end(struct meeting *m)
{
	sock_close(&m->fd);
	if (m->addr.len != 0)
		(void)unlink(m->addr.u.un.sun_path);
	if (m->dir[0] != '\0')
		(void)rmdir(m->dir);
	sigprocmask(SIG_SETMASK, &m->signals, NULL);
}

/*
 * Opens it. Signals that end the process wait until meeting_end(), which the
 * caller calls in any case. Returns 0, or -1 with *e.
 */
static int
meeting_start(struct meeting *m, struct err *e)
{
	const char *parent = getenv("TMPDIR");
	char path[sizeof(m->dir)];
	sigset_t set;

	memset(m, 0, sizeof(*m));
	m->fd = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &m->signals);
	if (parent == NULL || parent[0] != '/' ||
	    strlen(parent) + sizeof("/sockt-tls-XXXXXX/s") > sizeof(path))
		parent = "/tmp";
	snprintf(path, sizeof(path), "%s/sockt-tls-XXXXXX", parent);
	if (mkdtemp(path) == NULL)
		return err_sys(e, ERR_OUTPUT, errno, "%s", parent);
	strcpy(m->dir, path);
	text_append(path, sizeof(path), "/s");
	if (addr_unix(&m->addr, path, e) < 0)
		return -1;
	m->fd = sock_open(AF_UNIX, SOCK_STREAM);
	if (m->fd < 0 || sock_bind(m->fd, &m->addr) < 0 ||
	    sock_listen(m->fd, 1) < 0)
		return err_sys(e, ERR_FAILED, errno, "a socket for openssl");
	return 0;
}

/*
 * Waits for openssl to connect. Returns the connection, or -1 with *e; with
 * ERR_NONE if openssl has exited, which has said why.
 */
static int
meeting_accept(struct meeting *m, struct proc *openssl, struct err *e)
{
	struct deadline until = deadline_after(START_MS);
	struct pollfd fds[2] = {{.fd = m->fd, .events = POLLIN}};
	struct addr peer;

	err_clear(e);
	while (fds[0].revents == 0) {
		if (proc_has_ended(openssl))
			return openssl->status == 127
				   ? err_set(e, ERR_FAILED,
					 "there is no openssl in PATH; install "
					 "the package openssl (version 3.0 or "
					 "newer)")
				   : -1;
		if (deadline_passed(until))
			return err_set(e, ERR_FAILED, "openssl did not start");
		(void)proc_poll(fds, 1, until);
	}
	return sock_accept(m->fd, &peer);
}

/*
 * Starts openssl as *p, with another socket for TLS. Returns that, or -1 with
 * *e as meeting_accept(). Closes p->in.
 */
static int
connect_openssl(struct proc **openssl, const struct tls_request *request,
    struct program *p, struct err *e)
{
	struct meeting m;
	struct arguments a;
	char name[ENDPOINT_HOST];
	int fd = -1;

	if (meeting_start(&m, e) == 0) {
		make_arguments(&a, request, name, m.addr.u.un.sun_path);
		p->argv = (char *const *)a.argv;
		*openssl = proc_start(p, NULL, e);
		if (*openssl != NULL)
			fd = meeting_accept(&m, *openssl, e);
		else
			e->kind = ERR_FAILED;
	}
	meeting_end(&m);
	sock_close(&p->in);
	return fd;
}

/* Waits until the peer has acknowledged everything, or the connection fails. */
static int
wait_delivered(int fd)
{
	while (!sock_is_acked(fd) && !sock_is_closed(fd))
		(void)poll(NULL, 0, CHECK_MS);
	return sock_error(fd);
}

/* The bytes that were written to fd and not acknowledged; 0 if unknown. */
static uint64_t
undelivered(int fd, const struct conn_summary *sum)
{
	struct os_tcp tcp;

	if (!os_tcp_info(fd, &tcp) || tcp.sent > sum->sent)
		return 0;
	return sum->sent - tcp.sent;
}

/*
 * Relays until both sides have finished, or the peer has not in LINGER_MS after
 * openssl has. Returns 0, or -1 with *e if fd was lost.
 */
static int
relay(int fd, int openssl, struct conn_summary *sum, struct err *e)
{
	struct relay_options o = RELAY_OPTIONS_INIT;
	int result, errnum;

	o.in = o.out = openssl;
	o.on_peer_eof = RELAY_PEER_FINISH;
	o.linger_ms = LINGER_MS;
	result = relay_run(fd, &o, sum, e);
	if (result == 0 || e->kind != ERR_TIMEOUT)
		return result;
	errnum = wait_delivered(fd);
	sock_reset_on_close(fd, false);
	return errnum == 0 ? 0 : err_sys(e, ERR_LOST, errnum, "TLS");
}

/* Passes an error on to sockt, as a line of stderr; see dial/tls_report.h. */
static void
report(int errors, uint64_t bytes, const struct err *e)
{
	char line[PROC_LINE];

	snprintf(line, sizeof(line), TLS_REPORT_PREFIX "%d %llu %.400s\n",
	    (int)e->kind, (unsigned long long)bytes, e->text);
	(void)fd_write_all(errors, line, strlen(line));
}

int
tls_process_run(
    const struct tls_request *request, int fd, int inner, int errors)
{
	struct proc *openssl = NULL;
	struct conn_summary sum;
	struct err e = ERR_INIT;
	struct program p = {.in = inner, .out = inner, .errors = errors};
	int plain = connect_openssl(&openssl, request, &p, &e);

	if (plain < 0) {
		if (e.kind != ERR_NONE)
			report(errors, 0, &e);
		return ERR_FAILED;
	}
	if (relay(fd, plain, &sum, &e) < 0) {
		if (sum.is_fin_received)
			e.kind = ERR_NONE;
		report(errors, undelivered(fd, &sum), &e);
	}
	sock_close(&plain);
	sock_close(&fd);
	/* It exits as soon as it has closed its socket. */
	return proc_wait(openssl, deadline_none());
}
