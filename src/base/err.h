/*
 * An error as a value. A callee fills it, its callers add context in front,
 * the command reports it once (diag_error) and its kind is the exit status.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define ERR_TEXT 1024

/* The exit statuses of sockt(1), the same in every command. */
enum err_kind {
	ERR_NONE = 0,        /* done */
	ERR_FAILED = 1,      /* no kind of its own */
	ERR_USAGE = 2,       /* command line: nothing was attempted */
	ERR_NAME = 3,        /* a name did not resolve */
	ERR_REFUSED = 4,     /* the host answered with a refusal */
	ERR_TIMEOUT = 5,     /* a time limit passed */
	ERR_UNREACHABLE = 6, /* no route, host down, prohibited */
	ERR_LOCAL = 7,       /* local address: in use, not permitted */
	ERR_PEER = 8,        /* the other side answered with an error */
	ERR_PROTOCOL = 9,    /* malformed, or ended before its declared end */
	ERR_LOST = 10,       /* the connection was reset or broke */
	ERR_OUTPUT = 11      /* local file or output failed */
};

/* Storage is the caller's; it holds nothing that needs to be released. */
struct err {
	enum err_kind kind;  /* exit status */
	int errnum;          /* errno that caused it, or 0 */
	char text[ERR_TEXT]; /* what was tried, what happened, what it means */
};

#define ERR_INIT                \
	{                       \
		ERR_NONE, 0, "" \
	}

void err_clear(struct err *e);

/* Sets kind and text. Always returns -1, so that a caller may return it. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Sets kind, errnum and "TEXT: REASON (MEANING)", where TEXT is what was
 * tried and the rest comes from err_reason() and err_meaning(). Always
 * returns -1 and leaves errno as errnum.
 */
int err_sys(struct err *e, enum err_kind kind, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * An error without a text, for a status that has been reported already or that
 * is another program's: the exit status as it is. Always returns -1.
 */
int err_status(struct err *e, int status);

/* Puts "TEXT: " in front of what is there. Always returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends "; TEXT" to what is there. Always returns -1. */
int err_append(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The kind that an errno of a socket call on its way to a peer belongs to. */
enum err_kind err_kind_of(int errnum);

/* The kind's name in JSON events: "refused", "timeout", ...; "program" for a
 * program's own status (126 and up). */
const char *err_kind_name(enum err_kind kind);

/* A few words for an errno: "refused", "timed out"; else strerror(3). */
const char *err_reason(int errnum);

/* What an errno means for the network, or NULL where nothing is known. */
const char *err_meaning(int errnum);

#endif
