/*
 * The handshake with a proxy: what dial/socks.h and dial/http_connect.h have in
 * common. The proxy resolves names.
 *
 * Errors are ERR_PEER if the proxy declined (with the errno of a direct
 * connection if the target was unreachable, otherwise 0), ERR_PROTOCOL,
 * ERR_LOST, ERR_TIMEOUT, or ERR_FAILED with EINTR after a caught signal.
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
	bool is_requested; /* the target was sent to a SOCKS proxy */
};

/* Sends all n bytes. 0, or -1. */
int tunnel_send(struct tunnel *t, const void *bytes, size_t n);

/* Receives at least one byte, at most size; flags as recv(2). The count, or
 * -1. */
ssize_t tunnel_receive(struct tunnel *t, void *space, size_t size, int flags);

/* Receives exactly n bytes. 0, or -1. */
int tunnel_receive_all(struct tunnel *t, unsigned char *bytes, size_t n);

/* Reports that the proxy declined; errnum says why it could not reach the
 * target, or is 0 if the target is not the cause. Always returns -1. */
int tunnel_declined(struct tunnel *t, const char *why, int errnum);

/* Reports a malformed reply. Always returns -1. */
int tunnel_malformed(struct tunnel *t);

#endif
