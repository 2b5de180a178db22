/*
 * Connections by way of a proxy: SOCKS4 and 4a, SOCKS5 (RFC 1928, RFC 1929)
 * and HTTP CONNECT (RFC 9110 section 9.3.6). The proxy resolves names.
 */
#ifndef DIAL_TUNNEL_H
#define DIAL_TUNNEL_H

#include "base/deadline.h"

struct endpoint;
struct err;
struct proxy;

/*
 * Asks the proxy at the connected, non-blocking fd for a connection to
 * target, which passes proxy_check(), and reads its answer and not a byte more.
 * fd stays the caller's. 0: what follows on fd is target's; or -1 with *e:
 * ERR_PEER when the proxy declined (with the errno of a direct connection when
 * it was the target that could not be reached, else 0), ERR_PROTOCOL, ERR_LOST,
 * ERR_TIMEOUT, or EINTR for a caught signal.
 */
int tunnel_open(const struct proxy *p, int fd, const struct endpoint *target,
    struct deadline until, struct err *e);

#endif
