/* The context of TLS connections: certificates and settings. Private to tls. */
#ifndef TLS_TLS_CONTEXT_H
#define TLS_TLS_CONTEXT_H

#include "tls/tls_library.h"

struct err;
struct ssl_ctx_st;
struct tls_options;

/*
 * Returns the context of this process for clients or for servers, which is made
 * from the first options and stays; or NULL with *e: ERR_FAILED without the
 * library, ERR_OUTPUT for a file that cannot be read, ERR_USAGE for one that
 * cannot be used.
 */
struct ssl_ctx_st *tls_context_get(const struct tls_options *o, struct err *e);

#endif
