/*
 * Private to tls: the functions of OpenSSL's libssl and libcrypto that sockt
 * calls, and the contexts made with them; certificates; the process of a TLS
 * connection with its report.
 *
 * The functions are found at run time with dlopen(3), so that sockt is built
 * without OpenSSL's headers, and links only the C library. The manual pages of
 * their names, section 3ssl, describe them.
 */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sha256.h"
#include "net/link.h"

struct tls_options;

/* OpenSSL's types, all opaque. */
struct ssl;
struct ssl_ctx;
struct method;
struct cipher;
struct x509;
struct x509_name;
struct param;
struct bio;
struct pkey;
struct asn1;
struct store;
struct digest;

/* Values of OpenSSL's macros and enums. */
enum {
	TLS_ERROR_SSL = 1, /* SSL_get_error() */
	TLS_ERROR_WANT_READ = 2,
	TLS_ERROR_SYSCALL = 5,

	TLS_CTRL_MODE = 33, /* SSL_CTX_ctrl() and SSL_ctrl() */
	TLS_CTRL_CLEAR_MODE = 78,
	TLS_CTRL_READ_AHEAD = 41,
	TLS_CTRL_SERVER_NAME = 55,
	TLS_CTRL_MIN_VERSION = 123,
	TLS_CTRL_MAX_VERSION = 124,

	TLS_VERSION_1_2 = 0x303,
	TLS_MODE_AUTO_RETRY = 4,
	TLS_MODE_RELEASE_BUFFERS = 0x10,
	TLS_OP_IGNORE_EOF = 0x80, /* SSL_CTX_set_options() */
	TLS_OP_NO_TICKET = 0x4000,
	TLS_OP_NO_RENEGOTIATION = 0x40000000,
	TLS_VERIFY_PEER = 1,
	TLS_VERIFY_REQUIRED = 2,
	TLS_NO_PARTIAL_WILDCARDS = 4,
	TLS_PARTIAL_CHAIN = 0x80000, /* X509_VERIFY_PARAM_set_flags() */
	TLS_CALLBACK_READ_ALERT = 0x4004,
	TLS_ALERT_CLOSE_NOTIFY = 0x100,
	TLS_BIO_RESET = 1, /* BIO_ctrl() */
	TLS_BIO_BYTES = 3,
	TLS_BIO_PENDING = 10,
	TLS_NAME_FLAGS = 0x82031b, /* one line, UTF-8 */
	TLS_TEXT_UTF8 = 0x1000,    /* X509_NAME_add_entry_by_txt() */
	TLS_SUBJECT_ALT_NAME = 85, /* X509_get_ext_d2i(), and its names: */
	TLS_NAME_DNS = 2,
	TLS_NAME_ADDRESS = 7,
	TLS_VERIFY_BY_PIN = 50, /* X509_STORE_CTX_set_error() */

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
typedef int tls_client_cert(struct ssl *, void *, void *);
typedef void *tls_allocate(size_t, const char *, int);
typedef void *tls_resize(void *, size_t, const char *, int);
typedef void tls_free(void *, const char *, int);
typedef int tls_verify(int, struct store *);
typedef int tls_verify_all(struct store *, void *);
typedef void tls_keylog(const struct ssl *, const char *);
typedef void tls_info(const struct ssl *, int, int);

/* The table: return type, name, parameters. X is expanded for each. */
#define TLS_FUNCTIONS(X)                                                       \
	X(const struct method *, TLS_client_method, (void))                    \
	X(const struct method *, TLS_server_method, (void))                    \
	X(struct ssl_ctx *, SSL_CTX_new, (const struct method *))              \
	X(void, SSL_CTX_free, (struct ssl_ctx *))                              \
	X(long, SSL_CTX_ctrl, (struct ssl_ctx *, int, long, void *))           \
	X(uint64_t, SSL_CTX_set_options, (struct ssl_ctx *, uint64_t))         \
	X(void, SSL_CTX_set_info_callback, (struct ssl_ctx *, tls_info *))     \
	X(int, SSL_CTX_set_default_verify_paths, (struct ssl_ctx *))           \
	X(int, SSL_CTX_load_verify_locations,                                  \
	    (struct ssl_ctx *, const char *, const char *))                    \
	X(void, SSL_CTX_set_verify, (struct ssl_ctx *, int, tls_verify *))     \
	X(void, SSL_CTX_set_cert_verify_callback,                              \
	    (struct ssl_ctx *, tls_verify_all *, void *))                      \
	X(void, SSL_CTX_set_keylog_callback, (struct ssl_ctx *, tls_keylog *)) \
	X(struct x509 *, X509_STORE_CTX_get0_cert, (const struct store *))     \
	X(struct x509 *, X509_STORE_CTX_get_current_cert,                      \
	    (const struct store *))                                            \
	X(void, X509_STORE_CTX_set_error, (struct store *, int))               \
	X(void *, SSL_get0_verified_chain, (const struct ssl *))               \
	X(void *, SSL_get_peer_cert_chain, (const struct ssl *))               \
	X(long, SSL_get_verify_result, (const struct ssl *))                   \
	X(const char *, X509_verify_cert_error_string, (long))                 \
	X(int, SSL_CTX_use_certificate_chain_file,                             \
	    (struct ssl_ctx *, const char *))                                  \
	X(struct x509 *, SSL_CTX_get0_certificate, (const struct ssl_ctx *))   \
	X(struct pkey *, PEM_read_bio_PrivateKey,                              \
	    (struct bio *, void *, tls_password *, void *))                    \
	X(int, X509_check_private_key,                                         \
	    (const struct x509 *, const struct pkey *))                        \
	X(int, SSL_use_PrivateKey, (struct ssl *, struct pkey *))              \
	X(void, EVP_PKEY_free, (struct pkey *))                                \
	X(void, SSL_CTX_set_client_cert_cb,                                    \
	    (struct ssl_ctx *, tls_client_cert *))                             \
	X(void *, SSL_load_client_CA_file, (const char *))                     \
	X(void, SSL_CTX_set_client_CA_list, (struct ssl_ctx *, void *))        \
	X(struct param *, SSL_CTX_get0_param, (struct ssl_ctx *))              \
	X(int, X509_VERIFY_PARAM_set_flags, (struct param *, unsigned long))   \
	X(int, SSL_CTX_set_alpn_protos,                                        \
	    (struct ssl_ctx *, const unsigned char *, unsigned))               \
	X(void, SSL_get0_alpn_selected,                                        \
	    (const struct ssl *, const unsigned char **, unsigned *))          \
	X(struct ssl *, SSL_new, (struct ssl_ctx *))                           \
	X(int, SSL_set_rfd, (struct ssl *, int))                               \
	X(void, SSL_set0_wbio, (struct ssl *, struct bio *))                   \
	X(long, SSL_ctrl, (struct ssl *, int, long, void *))                   \
	X(int, SSL_set1_host, (struct ssl *, const char *))                    \
	X(void, SSL_set_hostflags, (struct ssl *, unsigned))                   \
	X(struct param *, SSL_get0_param, (struct ssl *))                      \
	X(int, X509_VERIFY_PARAM_set1_ip_asc, (struct param *, const char *))  \
	X(int, SSL_connect, (struct ssl *))                                    \
	X(int, SSL_accept, (struct ssl *))                                     \
	X(int, SSL_read, (struct ssl *, void *, int))                          \
	X(int, SSL_write, (struct ssl *, const void *, int))                   \
	X(int, SSL_shutdown, (struct ssl *))                                   \
	X(int, SSL_in_init, (const struct ssl *))                              \
	X(int, SSL_get_error, (const struct ssl *, int))                       \
	X(void, SSL_certs_clear, (struct ssl *))                               \
	X(struct bio *, SSL_get_rbio, (const struct ssl *))                    \
	X(uint64_t, BIO_number_read, (struct bio *))                           \
	X(const char *, SSL_get_version, (const struct ssl *))                 \
	X(const struct cipher *, SSL_get_current_cipher, (const struct ssl *)) \
	X(const char *, SSL_CIPHER_get_name, (const struct cipher *))          \
	X(struct x509 *, SSL_get1_peer_certificate, (const struct ssl *))      \
	X(struct x509_name *, X509_get_subject_name, (const struct x509 *))    \
	X(struct x509_name *, X509_get_issuer_name, (const struct x509 *))     \
	X(const struct asn1 *, X509_get0_notAfter, (const struct x509 *))      \
	X(const struct asn1 *, X509_get0_notBefore, (const struct x509 *))     \
	X(int, ASN1_TIME_to_tm, (const struct asn1 *, void *))                 \
	X(int, X509_digest,                                                    \
	    (const struct x509 *, struct digest *, unsigned char *,            \
		unsigned *))                                                   \
	X(struct digest *, EVP_sha256, (void))                                 \
	X(struct pkey *, X509_get0_pubkey, (const struct x509 *))              \
	X(int, EVP_PKEY_get_bits, (const struct pkey *))                       \
	X(const char *, EVP_PKEY_get0_type_name, (const struct pkey *))        \
	X(void *, X509_get_ext_d2i, (const struct x509 *, int, int *, int *))  \
	X(void, GENERAL_NAMES_free, (void *))                                  \
	X(void *, GENERAL_NAME_get0_value, (const void *, int *))              \
	X(const unsigned char *, ASN1_STRING_get0_data, (const struct asn1 *)) \
	X(int, ASN1_STRING_length, (const struct asn1 *))                      \
	X(int, OPENSSL_sk_num, (const void *))                                 \
	X(void *, OPENSSL_sk_value, (const void *, int))                       \
	X(struct pkey *, EVP_PKEY_Q_keygen,                                    \
	    (void *, const char *, const char *, ...))                         \
	X(struct x509 *, X509_new, (void))                                     \
	X(void, X509_free, (struct x509 *))                                    \
	X(int, X509_set_version, (struct x509 *, long))                        \
	X(void *, X509_get_serialNumber, (struct x509 *))                      \
	X(int, ASN1_INTEGER_set_uint64, (void *, uint64_t))                    \
	X(void *, X509_getm_notBefore, (const struct x509 *))                  \
	X(void *, X509_getm_notAfter, (const struct x509 *))                   \
	X(void *, X509_gmtime_adj, (void *, long))                             \
	X(int, X509_set_pubkey, (struct x509 *, struct pkey *))                \
	X(int, X509_NAME_add_entry_by_txt,                                     \
	    (struct x509_name *, const char *, int, const unsigned char *,     \
		int, int, int))                                                \
	X(int, X509_set_issuer_name,                                           \
	    (struct x509 *, const struct x509_name *))                         \
	X(int, X509_sign, (struct x509 *, struct pkey *, struct digest *))     \
	X(int, SSL_CTX_use_certificate, (struct ssl_ctx *, struct x509 *))     \
	X(int, ASN1_TIME_diff,                                                 \
	    (int *, int *, const struct asn1 *, const struct asn1 *))          \
	X(int, X509_NAME_print_ex,                                             \
	    (struct bio *, const struct x509_name *, int, unsigned long))      \
	X(long, BIO_ctrl, (struct bio *, int, long, void *))                   \
	X(struct bio *, BIO_new, (const void *))                               \
	X(struct bio *, BIO_new_mem_buf, (const void *, int))                  \
	X(const void *, BIO_s_mem, (void))                                     \
	X(int, BIO_read, (struct bio *, void *, int))                          \
	X(int, BIO_free, (struct bio *))                                       \
	X(int, CRYPTO_set_mem_functions,                                       \
	    (tls_allocate *, tls_resize *, tls_free *))                        \
	X(void, OPENSSL_cleanse, (void *, size_t))                             \
	X(unsigned long, ERR_peek_error, (void))                               \
	X(void, ERR_clear_error, (void))                                       \
	X(const char *, ERR_reason_error_string, (unsigned long))              \
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
	struct ssl_ctx *ssl;
	/* The private key of the local certificate; NULL: none. It is not in
	 * ssl, which would never release it. */
	struct pkey *key;
	int key_log; /* The file of SSLKEYLOGFILE; -1: none. */
};

/*
 * Returns the context of this process for clients or for servers. The first
 * call makes it, and later options do not change it. Returns NULL with *e on
 * failure: ERR_FAILED without the library, ERR_OUTPUT for a file that cannot be
 * read, ERR_USAGE for one that cannot be used.
 */
struct tls_context *tls_library_context(
    const struct tls_options *o, struct err *e);

/* Clears all keys after the last handshake of a process. */
void tls_library_drop_keys(void);

/* Names are in UTF-8; "" if they are too long: a cut name could be another one.
 */
struct tls_certificate {
	char subject[1024], issuer[1024];
	char names[1024]; /* The subjectAltName, with ", " between its names. */
	char not_before[24], not_after[24]; /* As in RFC 3339, in UTC. */
	/* It is valid for this many whole days; negative: it has expired. */
	int days;
	char sha256[SHA256_TEXT];
	char key_type[16]; /* The type of its key: "RSA", "EC". */
	int key_bits;
};

/* Fills in the description of a certificate. */
void tls_library_describe(const struct x509 *x, struct tls_certificate *c);

/*
 * Checks that no certificate of a STACK_OF(X509) expires within this number of
 * days. Returns 0, or -1 with ERR_PROTOCOL for the first that does.
 */
int tls_library_check_days(const void *chain, int64_t days, struct err *e);

/* What the process reports about the peer, besides struct link_report. */
enum tls_fact {
	/* Nothing is missing: the peer has ended as its protocol requires, or
	 * no data was exchanged. */
	TLS_FACT_CLOSED = 1 << 0,
	/* The process is about to exit in order. */
	TLS_FACT_LAST = 1 << 1
};

/* What the process has seen so far. It sends this record in one piece at each
 * fact, and when a byte on the socket requests it. */
struct tls_record {
	/* The kernel's counters are of the last request. */
	struct link_report seen;
	uint64_t sent;   /* The system has accepted this many bytes to send. */
	unsigned facts;  /* A set of enum tls_fact. */
	struct err lost; /* Why the connection was lost, or ERR_NONE. */
};

/* The TLS beneath a link. */
struct tls {
	struct link_carrier carrier;
	struct proc *proc;
	/* A copy of the link's descriptor, so that closing the link's does not
	 * end the connection. */
	int hold;
	/* A non-blocking socket, on which the process sends records and answers
	 * requests. Closing it ends the process. */
	int report;
	int64_t begin_ns;       /* The handshake began at this time. */
	int64_t requested_ns;   /* A record was last requested at this time. */
	struct tls_record peer; /* The last record. */
	struct limit idle;      /* As in struct tls_options. */
	const char *name;       /* Names the peer in errors; owned. */
	const char *variables[4]; /* See tls_variables(); owned. */
};

extern const struct link_ops tls_ops;

/* How the handshake has ended. The process sends this before the records. */
struct tls_facts {
	bool is_secured; /* The handshake is done. */

	/* If it is done: what was agreed ("": nothing), and the certificate of
	 * the peer, if has_peer. */
	char protocol[16], cipher[64], alpn[256];
	bool has_peer;
	struct tls_certificate peer;
	char unverified[160]; /* Why it would be rejected; "": it would not. */

	/* If it has failed. */
	bool is_probe;      /* The client has sent nothing. */
	bool is_peer_first; /* The peer has ended the connection. */
	struct err failure;
};

/*
 * Runs the process of the connection tcp, and closes all other descriptors. The
 * certificate must have the name host; "": any. With has_proxy, FIN waits until
 * the peer has answered close_notify, or is quiet for 1 s. The process uses
 * plain[1], and keeps plain[0] open, so that only shutdown(2) by sockt ends
 * the plain connection, and not the death of sockt.
 */
_Noreturn void tls_process_run(const struct tls_options *o,
    struct tls_context *context, const char *host, bool has_proxy, int tcp,
    const int plain[2], int report);

#endif
