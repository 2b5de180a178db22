/* The context of TLS connections: certificates and settings. Private to tls. */
#ifndef TLS_TLS_CONTEXT_H
#define TLS_TLS_CONTEXT_H

#include "tls/tls_library.h"

struct err;
struct ssl_ctx_st;
struct tls_options;

struct tls_context {
	struct ssl_ctx_st *ssl;
	struct evp_pkey_st *key; /* of the local certificate; not in ssl, which
				    would never let go of it; NULL: none */
};

/*
 * Returns the context of this process for clients or for servers, which is made
 * from the first options and stays; or NULL with *e: ERR_FAILED without the
 * library, ERR_OUTPUT for a file that cannot be read, ERR_USAGE for one that
 * cannot be used.
 */
struct tls_context *tls_context_get(const struct tls_options *o, struct err *e);

/* For a process that makes no handshake any more: clears the key. */
void tls_context_drop_key(struct tls_context *c);

#endif
