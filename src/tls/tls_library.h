/*
 * The functions of OpenSSL's libssl and libcrypto that sockt calls, and the
 * contexts made with them. They are found at run time with dlopen(3), so that
 * sockt is built without OpenSSL's headers, and links nothing but the C
 * library. Each is described in the manual page of its name, section 3ssl.
 * Private to tls.
 */
#ifndef TLS_TLS_LIBRARY_H
#define TLS_TLS_LIBRARY_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct err;
struct tls_options;

/* OpenSSL's types, all opaque. */
struct ssl_st;
struct ssl_ctx_st;
struct ssl_method_st;
struct ssl_cipher_st;
struct x509_st;
struct X509_name_st;
struct X509_VERIFY_PARAM_st;
struct bio_st;
struct evp_pkey_st;
struct asn1_string_st;

/* Values of OpenSSL's macros and enums. */
enum {
	TLS_ERROR_SSL = 1, /* SSL_get_error() */
	TLS_ERROR_WANT_READ = 2,
	TLS_ERROR_WANT_WRITE = 3,
	TLS_ERROR_SYSCALL = 5,

	TLS_CTRL_MODE = 33, /* SSL_CTX_ctrl() and SSL_ctrl() */
	TLS_CTRL_READ_AHEAD = 41,
	TLS_CTRL_SERVER_NAME = 55,
	TLS_CTRL_MIN_VERSION = 123,

	TLS_VERSION_1_2 = 0x303,
	TLS_MODE_PARTIAL_WRITE = 1,
	TLS_MODE_MOVING_BUFFER = 2,
	TLS_MODE_RELEASE_BUFFERS = 0x10,
	TLS_OP_IGNORE_EOF = 0x80, /* SSL_CTX_set_options() */
	TLS_OP_NO_RENEGOTIATION = 0x40000000,
	TLS_VERIFY_PEER = 1,
	TLS_VERIFY_REQUIRED = 2,
	TLS_NO_PARTIAL_WILDCARDS = 4,
	TLS_CALLBACK_READ_ALERT = 0x4004,
	TLS_ALERT_CLOSE_NOTIFY = 0x100,
	TLS_NAME_FLAGS = 0x82031b, /* one line, UTF-8 */

	TLS_REASON_VERIFY = 134, /* ERR_peek_error() */
	TLS_REASON_HTTP_REQUEST = 156,
	TLS_REASON_NO_CERTIFICATE = 199,
	TLS_REASON_UNSUPPORTED = 258,
	TLS_REASON_WRONG_VERSION = 267,
	TLS_REASON_BAD_MAC = 281,
	TLS_REASON_UNEXPECTED_EOF = 294,
	TLS_REASON_ALERT = 1000 /* and the number of the alert */
};

typedef int tls_password(char *, int, int, void *);
typedef int tls_certificate_callback(struct ssl_st *, void *, void *);
typedef void tls_info(const struct ssl_st *, int, int);

/*
 * The table: return type, name, parameters. X is expanded for each.
 */
#define TLS_FUNCTIONS(X)                                                      \
	X(const struct ssl_method_st *, TLS_client_method, (void))            \
	X(const struct ssl_method_st *, TLS_server_method, (void))            \
	X(struct ssl_ctx_st *, SSL_CTX_new, (const struct ssl_method_st *))   \
	X(void, SSL_CTX_free, (struct ssl_ctx_st *))                          \
	X(long, SSL_CTX_ctrl, (struct ssl_ctx_st *, int, long, void *))       \
	X(uint64_t, SSL_CTX_set_options, (struct ssl_ctx_st *, uint64_t))     \
	X(void, SSL_CTX_set_info_callback, (struct ssl_ctx_st *, tls_info *)) \
	X(int, SSL_CTX_set_default_verify_paths, (struct ssl_ctx_st *))       \
	X(int, SSL_CTX_load_verify_locations,                                 \
	    (struct ssl_ctx_st *, const char *, const char *))                \
	X(void, SSL_CTX_set_verify, (struct ssl_ctx_st *, int, void *))       \
	X(long, SSL_get_verify_result, (const struct ssl_st *))               \
	X(const char *, X509_verify_cert_error_string, (long))                \
	X(int, SSL_CTX_use_certificate_chain_file,                            \
	    (struct ssl_ctx_st *, const char *))                              \
	X(struct x509_st *, SSL_CTX_get0_certificate,                         \
	    (const struct ssl_ctx_st *))                                      \
	X(struct evp_pkey_st *, PEM_read_bio_PrivateKey,                      \
	    (struct bio_st *, void *, tls_password *, void *))                \
	X(int, X509_check_private_key,                                        \
	    (const struct x509_st *, const struct evp_pkey_st *))             \
	X(int, SSL_use_PrivateKey, (struct ssl_st *, struct evp_pkey_st *))   \
	X(void, EVP_PKEY_free, (struct evp_pkey_st *))                        \
	X(void, SSL_CTX_set_client_cert_cb,                                   \
	    (struct ssl_ctx_st *, tls_certificate_callback *))                \
	X(void *, SSL_load_client_CA_file, (const char *))                    \
	X(void, SSL_CTX_set_client_CA_list, (struct ssl_ctx_st *, void *))    \
	X(int, SSL_CTX_set_session_id_context,                                \
	    (struct ssl_ctx_st *, const unsigned char *, unsigned))           \
	X(int, SSL_CTX_set_alpn_protos,                                       \
	    (struct ssl_ctx_st *, const unsigned char *, unsigned))           \
	X(void, SSL_get0_alpn_selected,                                       \
	    (const struct ssl_st *, const unsigned char **, unsigned *))      \
	X(struct ssl_st *, SSL_new, (struct ssl_ctx_st *))                    \
	X(int, SSL_set_fd, (struct ssl_st *, int))                            \
	X(long, SSL_ctrl, (struct ssl_st *, int, long, void *))               \
	X(int, SSL_set1_host, (struct ssl_st *, const char *))                \
	X(void, SSL_set_hostflags, (struct ssl_st *, unsigned))               \
	X(struct X509_VERIFY_PARAM_st *, SSL_get0_param, (struct ssl_st *))   \
	X(int, X509_VERIFY_PARAM_set1_ip_asc,                                 \
	    (struct X509_VERIFY_PARAM_st *, const char *))                    \
	X(int, SSL_connect, (struct ssl_st *))                                \
	X(int, SSL_accept, (struct ssl_st *))                                 \
	X(int, SSL_read, (struct ssl_st *, void *, int))                      \
	X(int, SSL_write, (struct ssl_st *, const void *, int))               \
	X(int, SSL_shutdown, (struct ssl_st *))                               \
	X(int, SSL_get_error, (const struct ssl_st *, int))                   \
	X(void, SSL_certs_clear, (struct ssl_st *))                           \
	X(struct bio_st *, SSL_get_wbio, (const struct ssl_st *))             \
	X(uint64_t, BIO_number_written, (struct bio_st *))                    \
	X(const char *, SSL_get_version, (const struct ssl_st *))             \
	X(const struct ssl_cipher_st *, SSL_get_current_cipher,               \
	    (const struct ssl_st *))                                          \
	X(const char *, SSL_CIPHER_get_name, (const struct ssl_cipher_st *))  \
	X(struct x509_st *, SSL_get1_peer_certificate,                        \
	    (const struct ssl_st *))                                          \
	X(struct X509_name_st *, X509_get_subject_name,                       \
	    (const struct x509_st *))                                         \
	X(struct X509_name_st *, X509_get_issuer_name,                        \
	    (const struct x509_st *))                                         \
	X(const struct asn1_string_st *, X509_get0_notAfter,                  \
	    (const struct x509_st *))                                         \
	X(int, ASN1_TIME_diff,                                                \
	    (int *, int *, const struct asn1_string_st *,                     \
		const struct asn1_string_st *))                               \
	X(int, X509_NAME_print_ex,                                            \
	    (struct bio_st *, const struct X509_name_st *, int,               \
		unsigned long))                                               \
	X(struct bio_st *, BIO_new, (const void *))                           \
	X(struct bio_st *, BIO_new_mem_buf, (const void *, int))              \
	X(const void *, BIO_s_mem, (void))                                    \
	X(int, BIO_read, (struct bio_st *, void *, int))                      \
	X(int, BIO_free, (struct bio_st *))                                   \
	X(unsigned long, ERR_peek_error, (void))                              \
	X(void, ERR_clear_error, (void))                                      \
	X(const char *, ERR_reason_error_string, (unsigned long))             \
	X(const char *, OpenSSL_version, (int))

/* NOLINTNEXTLINE(bugprone-macro-parentheses): they are declarations */
#define TLS_POINTER(type, name, parameters) type(*name) parameters;

struct tls_library {
	TLS_FUNCTIONS(TLS_POINTER)
};

/*
 * Loads the library once. Returns its functions, or NULL with ERR_FAILED: it is
 * not installed, it lacks a function, or this is a static build, which cannot
 * load one.
 */
const struct tls_library *tls_library_load(struct err *e);

/* Certificates and settings of connections. */
struct tls_context {
	const struct tls_library *l;
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
struct tls_context *tls_library_context(
    const struct tls_options *o, struct err *e);

/* For a process that makes no handshake any more: clears the key. */
void tls_library_drop_key(struct tls_context *c);

#endif
