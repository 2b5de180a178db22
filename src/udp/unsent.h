/*
 * Answers that found no room: copies of them, each with a limit of its own.
 * They are tried again after pauses that grow, and meanwhile others are
 * served: a client that does not read holds up nobody but itself.
 */
#ifndef UDP_UNSENT_H
#define UDP_UNSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "udp/dgram.h"

/* How long an answer may wait for room. */
#define UNSENT_MS 1000
/* Most that wait at all, and for one client. */
#define UNSENT_MOST 512
#define UNSENT_MOST_EACH 128

struct unsent_answer {
	struct dgram d; /* its bytes are owned */
	size_t at;      /* which socket it leaves by */
	struct deadline until;
};

struct unsent {
	struct unsent_answer *items; /* owned, UNSENT_MOST, the oldest first */
	size_t count;
	struct deadline resume; /* when they are tried again; or never */
	int64_t pause_ns;
};

/* unsent_release() is due. */
void unsent_init(struct unsent *u);

/* Whether any waits for a client of the socket at; NULL: for any client. */
bool unsent_has(const struct unsent *u, size_t at, const struct addr *client);

/* Keeps a copy of an answer. False where too many wait already. */
bool unsent_add(struct unsent *u, size_t at, const struct dgram *d);

/* Tries one again: true where it is done with, sent or given up. */
typedef bool unsent_try(void *context, const struct unsent_answer *one);

/*
 * Where u->resume has passed, tries them again, each client's in order: behind
 * one that still has to wait none of the same client is tried.
 */
void unsent_retry(struct unsent *u, unsent_try *try_again, void *context);

void unsent_release(struct unsent *u);

#endif
