/*
 * Connecting: a state machine that tries the addresses of a list by Happy
 * Eyeballs (RFC 8305): the next attempt 250 ms after the last one, or at once
 * when it fails; the first to connect wins, the others are dropped. connect,
 * http-get and listen's forwarding all run it.
 */
#ifndef DIAL_DIAL_H
#define DIAL_DIAL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "net/sock.h"

struct endpoint;
struct err;

/* RFC 8305 section 8: the recommended Connection Attempt Delay. */
#define DIAL_DELAY_MS 250

struct dial_options {
	struct name_options names;
	int type;                 /* SOCK_STREAM, or SOCK_DGRAM for unix(7) */
	struct addr source;       /* own address, or len 0 */
	uint16_t source_port;     /* own port, or 0 */
	struct sock_options sock; /* set before connecting */
};

/* One address being tried. */
struct dial_attempt {
	const struct addr *addr; /* lives in the dial's list */
	int fd;                  /* -1: not begun, or over */
	int errnum;              /* how it failed, 0 while unknown */
	bool is_own_end;         /* at our own end, before connect(2) */
	int64_t start_ns;        /* when it began */
};

struct dial {
	const struct dial_options *options;
	const struct addr_list *list;  /* the caller's, outlives the dial */
	struct dial_attempt *attempts; /* one an address */
	size_t begun;                  /* attempts that were begun */
	size_t pending;                /* attempts in flight */
	struct deadline next;          /* when the next one may begin */
	size_t winner;                 /* index of the one that connected */
};

/*
 * Prepares a dial over list, which is not empty; dial_advance() begins the
 * first attempt. dial_release() is due.
 */
void dial_start(
    struct dial *d, const struct addr_list *list, const struct dial_options *o);

/* Entries that dial_pollfds() fills: one an attempt in flight. */
size_t dial_pollfds(const struct dial *d, struct pollfd *fds);

/* When dial_advance() is to be called although no descriptor is ready. */
struct deadline dial_deadline(const struct dial *d);

/*
 * Goes on after a poll: takes finished attempts, begins the next. Returns the
 * connected fd, which is the caller's and non-blocking; or -1: with errno
 * EINPROGRESS while it goes on, else all attempts have failed, and dial_error
 * tells how.
 */
int dial_advance(struct dial *d);

/* Fills *e with what every attempt met; its kind is the best's. Returns -1. */
int dial_error(const struct dial *d, struct err *e);

/* Drops what is in flight and frees the dial's storage. */
void dial_release(struct dial *d);

/* A connection that dial_connect() made. */
struct dial_result {
	struct addr local, remote;
	int64_t ns;         /* the whole phase, with its name look-up */
	int64_t resolve_ns; /* of which the look-up took so long */
};

/*
 * The whole phase at once: resolves ep, dials, announces "connected" at -v.
 * Returns the fd, the caller's and non-blocking, or -1 with *e; ERR_FAILED
 * with EINTR when a caught signal came. result may be NULL.
 */
int dial_connect(const struct endpoint *ep, const struct dial_options *o,
    struct deadline until, struct dial_result *result, struct err *e);

#endif
