/* Handlers: what a forked child of a server does with its connection. */
#ifndef SERVE_HANDLER_H
#define SERVE_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dial/connector.h"
#include "net/proc.h"

struct endpoint;
struct link;
struct recorder;

enum handler_kind {
	HANDLER_DISCARD, /* read and discard */
	HANDLER_ECHO,    /* send back */
	HANDLER_FORWARD, /* relay to the first target that can be reached */
	HANDLER_FILES,   /* serve the files of a folder (serve/files.h) */
	HANDLER_PROGRAM  /* relay to a program, to record the bytes; without a
			    recorder, server_spawn() gives it the connection */
};

struct handler {
	enum handler_kind kind;
	char *const *program;     /* HANDLER_PROGRAM */
	int folder;               /* HANDLER_FILES; the caller's */
	struct proc_shell shell;  /* storage of --exec's argv */
	struct endpoint *targets; /* HANDLER_FORWARD; the caller's */
	size_t target_count;
	const struct connector_options *connector;
	int64_t retry_ms; /* retry all targets for this long; -1: once */
	struct recorder *recorder; /* the caller's; NULL: none */
	struct limit idle;
	int64_t max_ms;     /* -1: no limit */
	bool allows_probes; /* serve/session.h */
};

/*
 * A server_serve (serve/server.h) whose context is a struct handler. Serves,
 * drains and closes the connection; logs errors and the "closed" event. Returns
 * the exit status of the connection.
 */
int handler_serve(struct link *l, void *context);

#endif
