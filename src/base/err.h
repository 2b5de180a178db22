/* An error as a value: a callee fills it, callers prepend context, the command
 * reports it once (diag_error()). Its kind is the exit status. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define ERR_TEXT 1024

/* The exit statuses of sockt(1), the same in every command. */
enum err_kind {
	ERR_NONE = 0,        /* done */
	ERR_FAILED = 1,      /* no other kind applies */
	ERR_USAGE = 2,       /* command line: nothing was attempted */
	ERR_NAME = 3,        /* a name did not resolve */
	ERR_REFUSED = 4,     /* the host answered with a refusal */
	ERR_TIMEOUT = 5,     /* a time limit passed */
	ERR_UNREACHABLE = 6, /* no route, host down, prohibited */
	ERR_LOCAL = 7,       /* local address: in use, not permitted */
	ERR_PEER = 8,        /* the peer answered with an error */
	ERR_PROTOCOL = 9,    /* malformed, or ended before its declared end */
	ERR_LOST = 10,       /* the connection was reset or broke */
	ERR_OUTPUT = 11      /* local file or output failed */
};

/* Where an errno occurred: its meaning depends on that. */
enum err_place {
	ERR_AT_TCP = 1 << 0,   /* connecting, or on a connection */
	ERR_AT_UDP = 1 << 1,   /* sending datagrams */
	ERR_AT_UNIX = 1 << 2,  /* either of them on a Unix socket */
	ERR_AT_LOCAL = 1 << 3, /* a socket's local address and its options */
	ERR_AT_FILE = 1 << 4   /* a file, a process, this system */
};

/* Causes without an errno. Their numbers are above every errno. */
enum err_cause {
	CAUSE_NO_ANSWER = 10000, /* a time limit of sockt's passed */
	CAUSE_NO_REPLY,          /* no reply to a datagram within a limit */
	CAUSE_REJECTED,          /* ECONNREFUSED for TCP, by an ICMP error */
	CAUSE_QUEUE_FULL,        /* of a Unix socket's listener */
	CAUSE_NOT_A_SOCKET,      /* another kind of file at a unix path */
	CAUSE_SELF_CONNECT,      /* see sock_is_self_connect() */
	CAUSE_TIME_WAIT,         /* of the local port and that peer */
	CAUSE_PORT_BUSY,      /* the local port and that peer are connected */
	CAUSE_LOW_PORT,       /* binding needs privilege */
	CAUSE_SOCKET_DENIED,  /* this process may not open sockets */
	CAUSE_OTHER_FAMILY,   /* --source is IPv4 and the address IPv6 */
	CAUSE_NO_BROADCAST,   /* a broadcast address without --broadcast */
	CAUSE_NO_INTERFACE,   /* a link-local address without one */
	CAUSE_PATH_EXISTS,    /* binding to a path that is another file */
	CAUSE_NAME_UNKNOWN,   /* DNS: there is no such name */
	CAUSE_NAME_EMPTY,     /* DNS: the name has no address */
	CAUSE_NAME_NO_SERVER, /* DNS: no usable answer */
	CAUSE_DECLINED,       /* by a proxy */
	CAUSE_NOT_HTTP,       /* the response is something else */
	CAUSE_IS_TLS,         /* the peer speaks TLS */
	CAUSE_NO_RESPONSE     /* HTTP: closed without a response */
};

/* The caller owns the storage; nothing in it needs to be released. */
struct err {
	enum err_kind kind;  /* exit status */
	int errnum;          /* errno that caused it, or 0 */
	bool waits;          /* whether waiting and trying again may help */
	char text[ERR_TEXT]; /* what was tried, what happened, what it means */
};

#define ERR_INIT                       \
	{                              \
		ERR_NONE, 0, false, "" \
	}

void err_clear(struct err *e);

/* Sets kind and text. Always returns -1, so that a caller may return it. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Sets kind, errnum and "TEXT: REASON (MEANING)", where TEXT is what was tried
 * and the rest comes from the table. The kind also determines the place:
 * ERR_AT_LOCAL for ERR_LOCAL; ERR_AT_FILE for ERR_OUTPUT and ERR_FAILED;
 * otherwise ERR_AT_TCP. A shortage stays ERR_FAILED, unless it lost a
 * connection. Always returns -1 and sets errno to errnum.
 */
int err_sys(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Sets kind, errnum and "REASON (MEANING)" by the table. Always returns -1. */
int err_cause(struct err *e, enum err_place place, int errnum);

/* Sets a status that was already reported, or is another program's, without a
 * text: the exit status unchanged. Always returns -1. */
int err_status(struct err *e, int status);

/* Prepends "TEXT: " to the text. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prepends TEXT unchanged: "cannot listen on ". Always returns -1. */
int err_lead(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* sockt listen * 8080 */
#define ERR_GLOB_HINT                                                      \
	"'%s' is a file: the shell replaces * by the names of files, but " \
	"not '*' in quotes"

/* Appends "; TEXT" to the text. Always returns -1. */
int err_append(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether an errno is a passing shortage of descriptors, buffers or memory. */
bool err_is_shortage(int errnum);

/* Whether an errno means that the peer has reset the connection, or reads no
 * more of it. */
bool err_is_reset(int errnum);

/* What ended an attempt to connect, or to reach a peer by datagrams. */
enum err_origin {
	ERR_BY_SYSTEM, /* this machine */
	ERR_BY_ICMP,   /* an ICMP error, or this machine: see os_next_error() */
	ERR_BY_REFUSAL, /* a reset by the host, or an ICMP error */
	ERR_BY_SILENCE, /* nobody */
	ERR_BY_PEER     /* the peer, after a handshake */
};

/* What is known of a cause at some places: a row of the table. */
struct err_row {
	int number;             /* an errno, or an enum err_cause */
	unsigned places;        /* bits of enum err_place */
	enum err_origin origin; /* of an attempt's end */
	enum err_kind kind;     /* exit status */
	bool waits;             /* whether waiting and trying again may help */
	const char *reason;     /* one or two words: "refused" */
	const char *meaning;    /* for the user; NULL: the reason suffices */
};

/* The row of a cause. That of an errno without one has strerror(3) in lower
 * case and the number, and is valid until the next call. */
const struct err_row *err_find(int errnum, enum err_place place);

/* The rank of a failure; 0 is none. Of several failures, the one with the
 * lowest rank says most about the peer, or passes soonest. */
int err_rank(enum err_kind kind);

/* The kind's name in JSON events; "program" for a program's status (126 up). */
const char *err_kind_name(enum err_kind kind);

#endif
