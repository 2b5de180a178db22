/* Handlers: what a forked child of a server does with its connection. */
#ifndef SERVE_HANDLER_H
#define SERVE_HANDLER_H

#include <stdint.h>

#include "dial/dial.h"
#include "net/endpoint.h"
#include "net/program.h"

struct conn;

enum handler_kind {
	HANDLER_DISCARD, /* read and discard */
	HANDLER_ECHO,    /* send back */
	HANDLER_FORWARD  /* relay to target */
};

struct handler {
	enum handler_kind kind;
	char *const *program;       /* runs instead of kind; NULL: none */
	struct program_shell shell; /* storage of --exec's argv */
	struct endpoint target;     /* HANDLER_FORWARD */
	struct dial_options dial;   /* of the connection to target */
	int64_t timeout_ms;         /* of dialing it; -1: no limit */
	int64_t idle_ms;            /* -1: no limit */
	int64_t max_ms;             /* -1: no limit */
	bool allows_probes;         /* serve/session.h */
};

/*
 * A server_serve (serve/server.h) whose context is a struct handler. Serves,
 * drains and closes the connection; logs errors and the "closed" event. Returns
 * the exit status of the connection.
 */
int handler_serve(int fd, const struct conn *c, void *context);

#endif
