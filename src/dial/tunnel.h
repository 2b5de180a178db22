/*
 * A handshake with a proxy under way: what dial/socks.h and
 * dial/http_connect.h have in common. The proxy resolves names.
 *
 * Errors are ERR_PEER when the proxy declined (with the errno of a direct
 * connection when it was the target that could not be reached, else 0),
 * ERR_PROTOCOL, ERR_LOST, ERR_TIMEOUT, or ERR_FAILED with EINTR for a caught
 * signal.
 */
#ifndef DIAL_TUNNEL_H
#define DIAL_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/stream.h"

struct endpoint;
struct err;
struct proxy;

struct tunnel {
	const struct proxy *proxy;
	const struct endpoint *target; /* one that proxy_check() accepts */
	struct stream stream;          /* to the proxy */
	struct err *e;
	bool is_requested; /* a SOCKS proxy knows the target */
};

/* Sends all n bytes. 0, or -1. */
int tunnel_send(struct tunnel *t, const void *bytes, size_t n);

/* Receives at least one byte, at most size; flags as recv(2). The count, or
 * -1. */
ssize_t tunnel_receive(struct tunnel *t, void *space, size_t size, int flags);

/* Receives n bytes and not one more. 0, or -1. */
int tunnel_receive_all(struct tunnel *t, unsigned char *bytes, size_t n);

/* The proxy said no; errnum is why it could not reach the target, or 0 where
 * the target is not to blame. Always returns -1. */
int tunnel_declined(struct tunnel *t, const char *why, int errnum);

/* The reply is malformed. Always returns -1. */
int tunnel_malformed(struct tunnel *t);

#endif
