/*
 * --tls: TLS on a connection, by 'openssl s_client' from PATH. A child process
 * of sockt relays between the connection and openssl, which knows nothing of
 * addresses and proxies.
 */
#ifndef DIAL_TLS_H
#define DIAL_TLS_H

#include "base/deadline.h"
#include "dial/tls_options.h"

struct err;
struct tls;

/*
 * Checks that the certificate file can be read, and that openssl is in PATH.
 * Returns 0, or -1 with ERR_OUTPUT, or ERR_FAILED and what to install.
 */
int tls_check(const struct tls_options *o, struct err *e);

/*
 * Makes the TLS handshake on the connected socket *fd. Returns the TLS, to be
 * released with tls_release(); *fd is then a non-blocking unix socket for the
 * plain bytes. Or returns NULL with *e, and *fd is closed and -1: ERR_PROTOCOL
 * if the certificate is not accepted or the peer does not speak TLS, ERR_LOST,
 * ERR_TIMEOUT, ERR_FAILED (with EINTR after a caught signal).
 */
struct tls *tls_start(
    const struct tls_request *request, int *fd, struct err *e);

/*
 * Waits for the end of the TLS after the plain connection has been closed, for
 * a grace period and at most until the deadline. Returns 0 if the peer ended it
 * as TLS requires (close_notify), or this side did and everything was
 * delivered; or -1 with ERR_LOST, or ERR_PROTOCOL for an alert.
 */
int tls_end(struct tls *t, struct deadline until, struct err *e);

/* Terminates the processes, which resets the connection unless it has ended;
 * frees t, which may be NULL. */
void tls_release(struct tls *t);

#endif
