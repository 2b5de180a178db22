/* The process of a TLS connection, and its report. Private to tls. */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <stdbool.h>

#include "base/err.h"
#include "tls/tls_certificate.h"

struct tls_context;
struct tls_request;

/* The longest name of a certificate (RFC 1035 2.3.4). */
#define TLS_MAX_NAME 253

/* The shortest quiet time before the end of the input is passed on. */
#define TLS_MIN_QUIET_MS 100

/* The descriptors of the process. TLS_FD_HOLD is the other end of TLS_FD_PLAIN,
 * so that only shutdown(2) by sockt ends that, and not its death. TLS_FD_KEYS
 * is the file of SSLKEYLOGFILE, if there is one. */
enum {
	TLS_FD_TCP = 3,
	TLS_FD_PLAIN,
	TLS_FD_REPORT,
	TLS_FD_HOLD,
	TLS_FD_KEYS,
	TLS_FD_END
};

/* The process. fds are those from TLS_FD_TCP on, in that order; -1: none. */
_Noreturn void tls_process_run(const struct tls_request *request,
    struct tls_context *context, const int fds[TLS_FD_END - TLS_FD_TCP]);

/*
 * Copies a name to verify to to, which has TLS_MAX_NAME + 1 bytes, without the
 * zone of an address and the final dot. Returns false if it is not a name:
 * libssl would not check an empty one, and accept any subdomain after a leading
 * dot.
 */
bool tls_name(char *to, const char *name);

#endif
