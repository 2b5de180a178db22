/* How TLS is used on a connection; see tls/tls.h. */
#ifndef TLS_TLS_OPTIONS_H
#define TLS_TLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"

struct tls_options {
	int is_on;      /* use TLS */
	bool is_server; /* the other side begins the handshake */
	/* Trust only the certificates in this file or directory. NULL: a client
	 * trusts those of the system, a server demands no certificate. */
	const char *ca;
	const char *name; /* that the server's certificate must have; NULL: the
			     host of the endpoint */
	int is_insecure;  /* a client does not verify the certificate */
	/* The SHA-256 of the only certificate that a client accepts, whatever
	 * is in it; "": none. */
	char pin[SHA256_TEXT];
	int version;      /* 0: 1.2 or 1.3; 1: 1.2 alone; 2: 1.3 alone */
	int64_t min_days; /* how long a server's certificates must be valid;
			     0: now */
	int is_self;      /* a server makes its certificate */
	const char *alpn; /* protocols that a client offers, with commas;
			     NULL: none */
	const char *certificate, *key; /* files, of the local certificate; NULL:
					  a client has none */
	/*
	 * Many peers drop unsent data when they receive the end of TLS
	 * (close_notify). If this is set, the end of the input is sent when the
	 * peer has ended, or has been quiet: for several times as long as its
	 * last answer took; for SOCK_QUIET_MS without an answer; or for
	 * SOCK_QUIET_UNUSED_MS without input (net/sock.h). Otherwise it is sent
	 * at once.
	 */
	bool delays_end;
	/* Warn about a peer that receives the end and ends without having sent
	 * anything. */
	bool expects_answer;
};

#endif
