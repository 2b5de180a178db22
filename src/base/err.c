/* Errors as values: a kind, an errno and a text that gains context. */
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TCP ERR_AT_TCP
#define UDP ERR_AT_UDP
#define UNIX ERR_AT_UNIX
#define LOCAL ERR_AT_LOCAL
#define FILES ERR_AT_FILE
#define IP (TCP | UDP)
#define PEER (IP | UNIX)
#define ANY (PEER | LOCAL | FILES)

#define HERE ERR_BY_SYSTEM
#define ICMP ERR_BY_ICMP
#define REFUSAL ERR_BY_REFUSAL
#define SILENCE ERR_BY_SILENCE
#define ENDED ERR_BY_PEER

/* The meanings of causes, by where they occurred: the first matching row
 * counts. sockt-errors(7) explains them, which a lint checks. */
static const struct err_row causes[] = {
    /* Peers. */
    {ECONNREFUSED, TCP, REFUSAL, ERR_REFUSED, true, "refused",
	"the host answered; nothing listens there"},
    {CAUSE_REJECTED, TCP, REFUSAL, ERR_REFUSED, true, "refused",
	"a firewall says so by ICMP"},
    {ECONNREFUSED, UDP, REFUSAL, ERR_REFUSED, true, "refused",
	"the host answered; no program receives there"},
    {ECONNREFUSED, UNIX, REFUSAL, ERR_REFUSED, true, "refused",
	"no program listens on that socket"},
    {CAUSE_NOT_A_SOCKET, UNIX, HERE, ERR_LOCAL, false, "not a socket",
	"a file of another kind has that path"},
    {CAUSE_QUEUE_FULL, UNIX, HERE, ERR_REFUSED, true, "refused",
	"the listener's queue is full"},
    {CAUSE_SELF_CONNECT, IP, REFUSAL, ERR_REFUSED, true, "refused",
	"nothing listens there: the socket had connected to itself"},
    {ENOENT, UNIX, REFUSAL, ERR_LOCAL, true, "no such path",
	"no program has bound a socket there"},
    {ENOTDIR, UNIX, HERE, ERR_LOCAL, false, "no such path",
	"a part of it is not a directory"},
    {CAUSE_NO_ANSWER, ANY, SILENCE, ERR_TIMEOUT, true, "no answer",
	"the host is down, a firewall drops the packets, or the server's "
	"queue is full"},
    {CAUSE_NO_REPLY, UDP | UNIX, SILENCE, ERR_TIMEOUT, true, "no reply",
	"the datagram or its reply was lost or filtered, or no program "
	"answers there"},
    {ETIMEDOUT, ANY, SILENCE, ERR_TIMEOUT, true, "timed out",
	"the host is down, a firewall drops the packets, or the server's "
	"queue is full"},
    {EHOSTUNREACH, ANY, ICMP, ERR_UNREACHABLE, true, "host unreachable",
	"the host is down, or there is no route to it"},
    {ENETUNREACH, ANY, ICMP, ERR_UNREACHABLE, true, "network unreachable",
	"no route to that network from here"},
#ifdef EHOSTDOWN
    {EHOSTDOWN, ANY, ICMP, ERR_UNREACHABLE, true, "host down",
	"the host does not answer on its network"},
#endif
    {ENETDOWN, ANY, HERE, ERR_UNREACHABLE, true, "network down",
	"the interface is down"},
    {ENOPROTOOPT, IP, ICMP, ERR_UNREACHABLE, true, "protocol unreachable",
	"the host does not support that protocol"},
    {EINVAL, IP, HERE, ERR_UNREACHABLE, true, "unreachable",
	"a blackhole route of this machine discards the packets"},
    {EACCES, IP, ICMP, ERR_UNREACHABLE, true, "prohibited",
	"a router, a firewall or a route of this machine forbids it"},
    {EPERM, IP, HERE, ERR_UNREACHABLE, true, "not permitted",
	"a firewall rule on this machine forbids it"},
    {CAUSE_NO_BROADCAST, UDP, HERE, ERR_USAGE, false, "not permitted",
	"a broadcast address needs --broadcast"},
    {CAUSE_NO_INTERFACE, ANY, HERE, ERR_LOCAL, false, "no interface",
	"a link-local address needs one: name ADDRESS%INTERFACE"},
    {EPROTOTYPE, UNIX, HERE, ERR_LOCAL, false, "wrong type",
	"that socket is for datagrams, or for streams"},

    /* Connections. */
    {ECONNRESET, ANY, ENDED, ERR_LOST, true, "connection reset",
	"the peer aborted it, or closed it without reading everything"},
    {EPIPE, ANY, ENDED, ERR_LOST, true, "broken pipe",
	"the peer no longer reads"},
    {ENOTCONN, ANY, HERE, ERR_LOST, true, "not connected",
	"the connection has ended already"},
    {ECONNABORTED, ANY, HERE, ERR_LOST, true, "connection aborted",
	"this machine ended it"},
    {ENETRESET, ANY, HERE, ERR_LOST, true, "connection reset by network",
	"keepalive got no answer from the peer"},

    /* The local address. */
    {EADDRINUSE, ANY, HERE, ERR_LOCAL, false, "address in use",
	"another socket holds that address and port"},
    {CAUSE_PATH_EXISTS, ANY, HERE, ERR_LOCAL, false, "address in use",
	"the path exists and is not a socket"},
    {CAUSE_TIME_WAIT, IP | LOCAL, HERE, ERR_LOCAL, true, "address in use",
	"an earlier connection of that port is in TIME-WAIT, for up to a "
	"minute"},
    {CAUSE_PORT_BUSY, IP | LOCAL, HERE, ERR_LOCAL, false, "address in use",
	"that port is already connected to that peer"},
    {EADDRNOTAVAIL, LOCAL, HERE, ERR_LOCAL, false, "address not available",
	"it is not an address of this machine"},
    {EADDRNOTAVAIL, ANY, HERE, ERR_LOCAL, false, "address not available",
	"no local port is free, or this machine has no address to reach it "
	"from"},
    {CAUSE_LOW_PORT, ANY, HERE, ERR_LOCAL, false, "permission denied",
	"ports under 1024 need privilege"},
    {CAUSE_SOCKET_DENIED, ANY, HERE, ERR_LOCAL, false, "permission denied",
	"this process is not allowed to open sockets"},
    {CAUSE_OTHER_FAMILY, ANY, HERE, ERR_LOCAL, false,
	"address family not supported",
	"the address of --source is of the other family"},
    {EAFNOSUPPORT, ANY, HERE, ERR_LOCAL, false, "address family not supported",
	"this system has no IPv6, or no IPv4"},

    /* Names. */
    {CAUSE_NAME_UNKNOWN, ANY, HERE, ERR_NAME, true, "name not found",
	"no address is known for it"},
    {CAUSE_NAME_EMPTY, ANY, HERE, ERR_NAME, true, "no address",
	"the name exists, but no address belongs to it"},
    {CAUSE_NAME_NO_SERVER, ANY, HERE, ERR_NAME, true, "name not resolved",
	"no name server could be reached, or each one reported a failure; it "
	"may work later"},

    /* Proxies and HTTP. */
    {CAUSE_DECLINED, ANY, HERE, ERR_PEER, false, "declined", NULL},
    {CAUSE_NOT_HTTP, ANY, HERE, ERR_PROTOCOL, false, "not HTTP",
	"another kind of server answers on that port"},
    {CAUSE_IS_TLS, ANY, HERE, ERR_PROTOCOL, false, "not HTTP",
	"it looks like TLS, which an https:// URL uses"},
    {CAUSE_NO_RESPONSE, ANY, HERE, ERR_PROTOCOL, false,
	"the server closed the connection without a response",
	"it failed, or it serves another protocol on that port"},

    /* Files and the system. */
    {ENOSPC, ANY, HERE, ERR_OUTPUT, false, "no space left", "the disk is full"},
    {EACCES, ANY, HERE, ERR_LOCAL, false, "permission denied",
	"the permissions of the file or of its directory"},
    {EPERM, ANY, HERE, ERR_FAILED, false, "not permitted",
	"it needs privilege"},
    {ENOENT, ANY, HERE, ERR_OUTPUT, false, "no such file or directory", NULL},
    {EISDIR, ANY, HERE, ERR_OUTPUT, false, "is a directory", NULL},
    {ENOTDIR, ANY, HERE, ERR_OUTPUT, false, "not a directory", NULL},
    {EROFS, ANY, HERE, ERR_OUTPUT, false, "read-only file system", NULL},
    {ENAMETOOLONG, ANY, HERE, ERR_OUTPUT, false, "file name too long", NULL},
    {EFBIG, ANY, HERE, ERR_OUTPUT, false, "file too large",
	"the limit of this process or of the file system"},
#ifdef EDQUOT
    {EDQUOT, ANY, HERE, ERR_OUTPUT, false, "disk quota exceeded", NULL},
#endif
    {EIO, ANY, HERE, ERR_OUTPUT, false, "input/output error",
	"the device failed"},
    {ENOEXEC, ANY, HERE, ERR_FAILED, false, "not a program",
	"it is neither a binary for this machine nor a script with a #! line"},
    {EMFILE, ANY, HERE, ERR_FAILED, false, "too many open files",
	"the limit of this process; see ulimit -n"},
    {ENFILE, ANY, HERE, ERR_FAILED, false, "too many open files",
	"the limit of the whole system"},
    {ENOMEM, ANY, HERE, ERR_FAILED, false, "out of memory", NULL},
    {ENOBUFS, ANY, HERE, ERR_FAILED, false, "no buffer space",
	"the system is short of memory, or an interface's queue is full"},
    {EAGAIN, FILES, HERE, ERR_FAILED, false, "no resources",
	"a limit on processes or memory; see ulimit -u"},
    {EINTR, ANY, HERE, ERR_FAILED, false, "interrupted", "by a signal"},
};

/* Of each kind: its name in JSON events; its rank (err_rank()); whether waiting
 * may help if no cause is known; where its errors occur. */
static const struct {
	const char *name;
	int rank;
	bool waits;
	enum err_place place;
} kinds[] = {
    [ERR_NONE] = {"none", 0, false, TCP},
    [ERR_FAILED] = {"failed", 9, false, FILES},
    [ERR_USAGE] = {"usage", 10, false, TCP},
    [ERR_NAME] = {"name", 5, true, TCP},
    [ERR_REFUSED] = {"refused", 1, true, TCP},
    [ERR_TIMEOUT] = {"timeout", 3, true, TCP},
    [ERR_UNREACHABLE] = {"unreachable", 4, true, TCP},
    [ERR_LOCAL] = {"local", 8, false, LOCAL},
    [ERR_PEER] = {"peer", 6, false, TCP},
    [ERR_PROTOCOL] = {"protocol", 7, false, TCP},
    [ERR_LOST] = {"lost", 2, true, TCP},
    [ERR_OUTPUT] = {"output", 11, false, FILES},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const struct err_row *
err_find(int errnum, enum err_place place)
{
	static char reason[128], meaning[64];
	static const struct err_row other = {
	    0, ANY, HERE, ERR_FAILED, false, reason, meaning};
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].number == errnum && (causes[i].places & place))
			return &causes[i];
	/* strerror(3) begins with a capital letter. */
	snprintf(reason, sizeof(reason), "%s", strerror(errnum));
	if (reason[0] != '\0' && islower((unsigned char)reason[1]))
		reason[0] = (char)tolower((unsigned char)reason[0]);
	snprintf(meaning, sizeof(meaning), "error %d of the system", errnum);
	return &other;
}

void
err_clear(struct err *e)
{
	*e = (struct err)ERR_INIT;
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	e->kind = kind;
	e->errnum = 0;
	e->waits = (size_t)kind < KINDS && kinds[kind].waits;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

/* Prepends text and a separator. */
static int
put_front(struct err *e, const char *separator, const char *fmt, va_list ap)
{
	char text[ERR_TEXT];

	vsnprintf(text, sizeof(text), fmt, ap);
	text_append(text, sizeof(text), "%s%s", separator, e->text);
	memcpy(e->text, text, sizeof(e->text));
	return -1;
}

int
err_cause(struct err *e, enum err_place place, int errnum)
{
	const struct err_row *row = err_find(errnum, place);

	if (row->meaning == NULL)
		err_set(e, row->kind, "%s", row->reason);
	else
		err_set(e, row->kind, "%s (%s)", row->reason, row->meaning);
	e->errnum = errnum;
	e->waits = row->waits;
	return -1;
}

int
err_sys(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
{
	va_list ap;

	err_cause(e, kinds[kind].place, errnum);
	if (e->kind != kind)
		e->waits = kinds[kind].waits;
	/* A shortage has one status, whatever was tried. */
	if (!err_is_shortage(errnum) || kind == ERR_LOST)
		e->kind = kind;
	va_start(ap, fmt);
	put_front(e, ": ", fmt, ap);
	va_end(ap);
	errno = errnum;
	return -1;
}

int
err_status(struct err *e, int status)
{
	err_clear(e);
	e->kind = (enum err_kind)status;
	return -1;
}

int
err_append(struct err *e, const char *fmt, ...)
{
	va_list ap;

	text_append(e->text, sizeof(e->text), "; ");
	va_start(ap, fmt);
	text_append_list(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_front(e, ": ", fmt, ap);
	va_end(ap);
	return -1;
}

int
err_lead(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_front(e, "", fmt, ap);
	va_end(ap);
	return -1;
}

bool
err_is_shortage(int errnum)
{
	return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS ||
	       errnum == ENOMEM;
}

bool
err_is_reset(int errnum)
{
	return errnum == ECONNRESET || errnum == EPIPE;
}

const char *
err_kind_name(enum err_kind kind)
{
	/* Larger values are exit statuses of programs. */
	return (size_t)kind < KINDS ? kinds[kind].name : "program";
}

int
err_rank(enum err_kind kind)
{
	return (size_t)kind < KINDS ? kinds[kind].rank : (int)KINDS;
}
