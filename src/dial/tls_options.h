/* How TLS is used on a connection; see dial/tls.h. */
#ifndef DIAL_TLS_OPTIONS_H
#define DIAL_TLS_OPTIONS_H

#include <stdbool.h>

#include "base/deadline.h"

struct endpoint;

struct tls_options {
	bool is_on;          /* use TLS */
	const char *ca_file; /* trust only the certificates in this file; NULL:
				those of the system */
	bool is_insecure;    /* do not verify the certificate */
	const char *alpn;    /* the protocol to request: "http/1.1"; NULL */
	/* The end of what is sent ends the connection in both directions
	 * (close_notify); otherwise the peer does not learn of it. */
	bool ends_with_input;
};

/* A handshake. */
struct tls_request {
	const struct tls_options *options;
	const struct endpoint *ep; /* the certificate must name its host */
	struct deadline until;
};

#endif
