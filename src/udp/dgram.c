/* Sends and receives datagrams with both of their addresses. */
#include "udp/dgram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "udp/batch.h"
#include "net/os.h"
#include "udp/multicast.h"

/* 65535 less the headers: of IPv4 and UDP, of UDP alone. */
#define MOST_IP4 65507
#define MOST_IP6 65527

struct dgram *
dgram_batch(void)
{
	struct dgram *d = mem_array(1, DGRAM_BATCH * (sizeof(*d) + DGRAM_SIZE));
	unsigned char *storage = (unsigned char *)(d + DGRAM_BATCH);
	int i;

	for (i = 0; i < DGRAM_BATCH; i++) {
		d[i].bytes = storage + (size_t)i * DGRAM_SIZE;
		d[i].size = DGRAM_SIZE;
	}
	return d;
}

bool
dgram_is_cut(const struct dgram *d)
{
	return d->full > d->length;
}

/* One step a datagram, for -vv. */
static void
tell_steps(const char *call, int64_t start, const struct dgram *d, int count,
    const char *note, const char *way)
{
	char text[ADDR_TEXT];
	struct addr remote;
	int i;

	for (i = 0; i < count; i++) {
		remote = d[i].remote;
		addr_unmap(&remote);
		diag_step(call, start, 0, note, "%zu byte%s%s%s", d[i].length,
		    d[i].length == 1 ? "" : "s", remote.len != 0 ? way : "",
		    remote.len != 0 ? addr_format(&remote, text, sizeof(text))
				    : "");
	}
}

int
dgram_receive(int fd, struct dgram *d, int count)
{
	int64_t start = diag_shows(DIAG_STEP) ? clock_now() : 0;
	int n = batch_receive(fd, d, count);

	if (diag_shows(DIAG_STEP) && n > 0)
		tell_steps("recvmsg", start, d, n,
		    "one datagram, whole: its bounds are kept", " from ");
	else if (diag_shows(DIAG_STEP) && n < 0 && errno != EAGAIN)
		diag_step("recvmsg", start, errno, "", "of a datagram");
	return n;
}

int
dgram_send(int fd, const struct dgram *d, int count)
{
	int64_t start = diag_shows(DIAG_STEP) ? clock_now() : 0;
	int n = batch_send(fd, d, count);

	if (diag_shows(DIAG_STEP) && n > 0)
		tell_steps("sendmsg", start, d, n,
		    "handed to the network; nothing says it arrived", " to ");
	else if (diag_shows(DIAG_STEP) && n < 0 && errno != EAGAIN)
		diag_step("sendmsg", start, errno, "", "%zu bytes", d->length);
	return n;
}

/*
 * A name for a unix client: made by the system where it can (unix(7), Linux:
 * an abstract one), else a path for the temporary files.
 */
static int
bind_unix(int fd)
{
	const char *folder = getenv("TMPDIR");
	struct addr own;
	struct err e;
	char path[100];

	if (os_autobind(fd) == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/sockt.%ld",
	    folder != NULL && strlen(folder) < 64 ? folder : "/tmp",
	    (long)getpid());
	if (addr_unix(&own, path, &e) < 0) {
		errno = EINVAL;
		return -1;
	}
	return sock_bind(fd, &own);
}

static int
bind_own(int fd, const struct addr *peer, const struct dgram_options *o)
{
	struct addr own = o->source;

	if (addr_is_unix(peer))
		return bind_unix(fd);
	if (own.len == 0 && o->source_port == 0)
		return 0;
	if (own.len == 0)
		addr_any(&own, addr_family(peer), 0);
	addr_set_port(&own, o->source_port);
	if (addr_family(&own) != addr_family(peer)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return sock_bind(fd, &own);
}

/* connect(2) of a datagram socket: no packet is sent. */
static int
connect_peer(int fd, const struct addr *peer)
{
	int64_t start = clock_now();
	char text[ADDR_TEXT];
	int result = connect(fd, &peer->u.sa, peer->len);

	diag_step("connect", start, result < 0 ? errno : 0,
	    "nothing is sent: the kernel notes the peer, keeps strangers out "
	    "and reports refusals",
	    "%s", addr_format(peer, text, sizeof(text)));
	return result;
}

/* The options of a client's socket. 0, or -1 with *e. */
static int
set_options(int fd, int family, const struct dgram_options *o, struct err *e)
{
	if (sock_set(fd, family, &o->sock, e) < 0)
		return -1;
	if (o->raise_buffer && o->sock.rcvbuf < 0)
		sock_raise_rcvbuf(fd, DGRAM_BUFFER);
	if (o->broadcast && sock_broadcast(fd) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--broadcast");
	if (o->no_fragment && family != AF_UNIX &&
	    sock_no_fragment(fd, family) < 0)
		return err_sys(e, ERR_LOCAL, errno, "--no-fragment");
	return o->group == NULL ? 0 : multicast_set(fd, family, o->group, e);
}

int
dgram_open(
    const struct addr *peer, const struct dgram_options *o, struct err *e)
{
	int family = addr_family(peer);
	char text[ADDR_TEXT];
	int fd = sock_open(family, SOCK_DGRAM);

	addr_format(peer, text, sizeof(text));
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "%s", text);
	if (set_options(fd, family, o, e) < 0) {
		dgram_close(&fd);
		return -1;
	}
	if (!o->unconnected)
		os_receive_errors(fd, family);
	if (bind_own(fd, peer, o) < 0) {
		err_sys(e, ERR_LOCAL, errno, "%s: own address", text);
		dgram_close(&fd);
		return -1;
	}
	if (!o->unconnected && connect_peer(fd, peer) < 0) {
		dgram_send_error(fd, peer, 0, errno, e);
		dgram_close(&fd);
	}
	return fd;
}

void
dgram_close(int *fd)
{
	struct addr own;

	if (*fd < 0)
		return;
	sock_local(*fd, &own);
	sock_close(fd);
	if (addr_is_unix(&own) && own.u.un.sun_path[0] != '\0' &&
	    own.len > offsetof(struct sockaddr_un, sun_path))
		unlink(own.u.un.sun_path);
}

void
dgram_prepare(int fd, const struct addr *local, bool raise_buffer)
{
	if (raise_buffer)
		sock_raise_rcvbuf(fd, DGRAM_BUFFER);
	if (addr_is_any(local))
		batch_prepare(fd, addr_family(local));
}

bool
dgram_lost(int fd, uint32_t *lost)
{
	return batch_lost(fd, lost);
}

int
dgram_take_errors(int fd)
{
	int one, first = sock_error(fd);

	while ((one = batch_take_error(fd)) >= 0)
		if (first == 0 || (first == EMSGSIZE && one != 0))
			first = one;
	/* The kernel may have made the next one of the queue pending. */
	one = sock_error(fd);
	return first == 0 || (first == EMSGSIZE && one != 0) ? one : first;
}

size_t
dgram_most(const struct addr *peer)
{
	switch (addr_family(peer)) {
	case AF_INET:
		return MOST_IP4;
	case AF_INET6:
		return MOST_IP6;
	default:
		return 0;
	}
}

/* "Too long" by the protocol, by the path, or by the socket's buffer. */
static int
too_long(int fd, const struct addr *peer, size_t length, const char *text,
    struct err *e)
{
	size_t most = dgram_most(peer), path;

	e->errnum = EMSGSIZE;
	if (most == 0)
		return err_set(e, ERR_LOCAL,
		    "%s: a datagram of %zu bytes is longer than the socket's "
		    "send buffer takes",
		    text, length);
	if (length > most)
		return err_set(e, ERR_LOCAL,
		    "%s: a datagram of %zu bytes is too long: UDP over %s "
		    "carries %zu at most",
		    text, length,
		    addr_family(peer) == AF_INET ? "IPv4" : "IPv6", most);
	path = sock_path_mtu(fd, addr_family(peer));
	if (path == 0)
		return err_sys(e, ERR_LOCAL, EMSGSIZE,
		    "%s: a datagram of %zu bytes", text, length);
	return err_set(e, ERR_LOCAL,
	    "%s: a datagram of %zu bytes is too long for the path, which "
	    "carries %zu at most",
	    text, length, path - (addr_family(peer) == AF_INET ? 28 : 48));
}

int
dgram_send_error(
    int fd, const struct addr *peer, size_t length, int errnum, struct err *e)
{
	char text[ADDR_TEXT];

	addr_format(peer, text, sizeof(text));
	if (errnum == EMSGSIZE)
		return too_long(fd, peer, length, text, e);
	if (errnum == ENOENT)
		return err_sys(e, ERR_REFUSED, errnum, "%s", text);
	if (errnum == EACCES && !addr_is_unix(peer))
		return err_set(e, ERR_LOCAL,
		    "%s: not permitted (a broadcast address needs "
		    "--broadcast)",
		    text);
	return err_sys(e, err_kind_of(errnum), errnum, "%s", text);
}
