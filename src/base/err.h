/* An error as a value: a callee fills it, callers prepend context, the command
 * reports it once (diag_error()). Its kind is the exit status. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define ERR_TEXT 1024

/* The exit statuses of sockt(1), the same in every command. */
enum err_kind {
	ERR_NONE = 0,        /* the command is done */
	ERR_FAILED = 1,      /* no other kind applies */
	ERR_USAGE = 2,       /* the command line is wrong; nothing was tried */
	ERR_NAME = 3,        /* a name did not resolve */
	ERR_REFUSED = 4,     /* the host answered with a refusal */
	ERR_TIMEOUT = 5,     /* a time limit passed */
	ERR_UNREACHABLE = 6, /* no route, the host is down, or prohibited */
	ERR_LOCAL = 7,       /* a local address is in use, or not permitted */
	ERR_PEER = 8,        /* the peer answered with an error */
	ERR_PROTOCOL = 9,    /* data is malformed, or ends too early */
	ERR_LOST = 10,       /* the connection was reset or broke */
	ERR_OUTPUT = 11      /* a local file or the output failed */
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
	CAUSE_QUEUE_FULL,        /* the queue of a Unix listener is full */
	CAUSE_NOT_A_SOCKET,      /* another kind of file at a unix path */
	CAUSE_SELF_CONNECT,      /* see sock_is_self_connect() */
	CAUSE_TIME_WAIT,         /* a connection of the port is in that state */
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
	CAUSE_DECLINED,       /* a proxy has declined the request */
	CAUSE_NOT_HTTP,       /* the response is something else */
	CAUSE_IS_TLS,         /* the peer speaks TLS */
	CAUSE_NO_RESPONSE     /* HTTP: closed without a response */
};

/* The caller owns the storage; nothing in it needs to be released. */
struct err {
	/* The exit status. */
	enum err_kind kind;
	/* The errno, or enum err_cause, of the failure; 0 if it has none. */
	int errnum;
	/* Waiting and trying again may help. */
	bool waits;
	/* What was tried, what happened, and what it means. */
	char text[ERR_TEXT];
};

#define ERR_INIT                       \
	{                              \
		ERR_NONE, 0, false, "" \
	}

/* Makes *e ERR_INIT. */
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

/* Sets an exit status without a text: the status of another program, or of a
 * failure that was already reported. Always returns -1. */
int err_status(struct err *e, int status);

/* Prepends "TEXT: " to the text. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Prepends TEXT without a colon: "cannot listen on ". Always returns -1. */
int err_lead(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The error of "sockt listen * 8080", with the first name. */
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
	/* An errno, or an enum err_cause. */
	int number;
	/* Where the row applies: bits of enum err_place. */
	unsigned places;
	/* What has ended an attempt with this cause. */
	enum err_origin origin;
	/* The exit status. */
	enum err_kind kind;
	/* Waiting and trying again may help. */
	bool waits;
	/* One or two words: "refused". */
	const char *reason;
	/* What that means to the user; NULL if the reason suffices. */
	const char *meaning;
};

/* Returns the row of a cause. An errno without one gets a row with the text of
 * strerror(3) in lower case and the number, valid until the next call. */
const struct err_row *err_find(int errnum, enum err_place place);

/* Returns the rank of a failure; 0 is none. Of several failures, the lowest
 * rank is the most informative failure, or the most temporary. */
int err_rank(enum err_kind kind);

/* Returns the name of a kind in JSON events; "program" for an exit status of a
 * program, 126 or more. */
const char *err_kind_name(enum err_kind kind);

#endif
