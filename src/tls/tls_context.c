/* Makes the context of TLS connections from options. */
#include "tls/tls_context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "tls/tls_options.h"

/* A list of protocols as ALPN has it: each after its length (RFC 7301). */
struct alpn {
	unsigned char bytes[256];
	unsigned length;
};

static struct alpn accepted; /* by the server */
static bool wants_password;  /* the key is encrypted */

static int
refuse_password(char *buf, int size, int for_writing, void *context)
{
	(void)buf, (void)size, (void)for_writing, (void)context;
	wants_password = true;
	return 0;
}

/* Returns 0, or -1 with *e if the list is malformed. */
static int
parse_alpn(struct alpn *a, const char *text, struct err *e)
{
	size_t n;

	a->length = 0;
	for (;; text += n + 1) {
		n = strcspn(text, ",");
		if (n == 0 || n > 255 || a->length + n + 1 > sizeof(a->bytes))
			return err_set(e, ERR_USAGE,
			    "--tls-alpn: expected names of protocols, with "
			    "commas between them");
		a->bytes[a->length++] = (unsigned char)n;
		memcpy(a->bytes + a->length, text, n);
		a->length += (unsigned)n;
		if (text[n] == '\0')
			return 0;
	}
}

/* Chooses the first of the server's protocols that the client offers. */
static int
select_alpn(struct ssl_st *ssl, const unsigned char **out,
    unsigned char *length, const unsigned char *in, unsigned n, void *library)
{
	const struct tls_library *l = library;
	unsigned char *chosen;

	(void)ssl;
	if (l->SSL_select_next_proto(&chosen, length, accepted.bytes,
		accepted.length, in, n) != TLS_SELECTED)
		return TLS_SELECT_NOACK;
	*out = chosen;
	return TLS_SELECT_OK;
}

/* Returns 0, or -1 with *e if the file or directory cannot be read. */
static int
check_file(const char *option, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0 &&
	    access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) == 0)
		return 0;
	return err_sys(
	    e, ERR_OUTPUT, errno, "%s: %s", option, text_shown(path));
}

/* Sets whom to trust. */
static int
set_trust(const struct tls_library *l, struct ssl_ctx_st *c,
    const struct tls_options *o, struct err *e)
{
	const char *option = o->is_server ? "--tls-client-ca" : "--tls-ca";
	struct stat st;
	bool is_directory;

	if (o->is_insecure || (o->is_server && o->ca == NULL))
		return 0;
	l->SSL_CTX_set_verify(c,
	    TLS_VERIFY_PEER | (o->is_server ? TLS_VERIFY_REQUIRED : 0), NULL);
	if (o->ca == NULL) {
		(void)l->SSL_CTX_set_default_verify_paths(c);
		return 0;
	}
	if (check_file(option, o->ca, e) < 0)
		return -1;
	is_directory = stat(o->ca, &st) == 0 && S_ISDIR(st.st_mode);
	if (l->SSL_CTX_load_verify_locations(c, is_directory ? NULL : o->ca,
		is_directory ? o->ca : NULL) != 1)
		return err_set(e, ERR_OUTPUT,
		    "no certificate can be read from %s (%s)",
		    text_shown(o->ca), option);
	if (o->is_server && !is_directory)
		l->SSL_CTX_set_client_CA_list(
		    c, l->SSL_load_client_CA_file(o->ca));
	return 0;
}

/*
 * Reads the private key, of which only libssl keeps a copy. Returns it, or
 * NULL.
 */
static struct evp_pkey_st *
read_key(const struct tls_library *l, const char *path)
{
	static char text[64 * 1024];
	struct evp_pkey_st *key = NULL;
	struct bio_st *bio;
	size_t used = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, text + used, sizeof(text) - used)) > 0)
		used += (size_t)n;
	fd_close(&fd);
	bio = l->BIO_new_mem_buf(text, (int)used);
	if (bio != NULL) {
		key = l->PEM_read_bio_PrivateKey(
		    bio, NULL, refuse_password, NULL);
		l->BIO_free(bio);
	}
	memset(text, 0, used);
	return key;
}

/* Loads the local certificate and its key. */
static int
set_certificate(const struct tls_library *l, struct tls_context *c,
    const struct tls_options *o, struct err *e)
{
	const char *key = o->key != NULL ? o->key : o->certificate;

	if (o->certificate == NULL)
		return 0;
	if (check_file("--tls-cert", o->certificate, e) < 0 ||
	    check_file("--tls-key", key, e) < 0)
		return -1;
	if (l->SSL_CTX_use_certificate_chain_file(c->ssl, o->certificate) != 1)
		return err_set(e, ERR_USAGE,
		    "--tls-cert: %s: no certificate can be read from it (PEM "
		    "is expected)",
		    text_shown(o->certificate));
	wants_password = false;
	c->key = read_key(l, key);
	if (wants_password)
		return err_set(e, ERR_USAGE,
		    "--tls-key: %s: the key is encrypted, and sockt asks for "
		    "no password ('openssl pkey' decrypts it)",
		    text_shown(key));
	if (c->key == NULL)
		return err_set(e, ERR_USAGE,
		    "--tls-key: %s: no key can be read from it (PEM is "
		    "expected)",
		    text_shown(key));
	if (l->X509_check_private_key(
		l->SSL_CTX_get0_certificate(c->ssl), c->key) != 1)
		return err_set(e, ERR_USAGE,
		    "--tls-key: %s: the key does not belong to the "
		    "certificate %s",
		    text_shown(key), text_shown(o->certificate));
	return 0;
}

/* Sets what the options select. Returns 0, or -1 with *e. */
static int
set_up(const struct tls_library *l, struct tls_context *context,
    const struct tls_options *o, struct err *e)
{
	struct ssl_ctx_st *c = context->ssl;
	struct alpn offered;

	(void)l->SSL_CTX_ctrl(c, TLS_CTRL_MIN_VERSION, TLS_VERSION_1_2, NULL);
	(void)l->SSL_CTX_ctrl(c, TLS_CTRL_MODE,
	    TLS_MODE_PARTIAL_WRITE | TLS_MODE_MOVING_BUFFER |
		TLS_MODE_RELEASE_BUFFERS,
	    NULL);
	(void)l->SSL_CTX_ctrl(c, TLS_CTRL_READ_AHEAD, 1, NULL);
	(void)l->SSL_CTX_set_options(
	    c, TLS_OP_IGNORE_EOF | TLS_OP_NO_RENEGOTIATION);
	/* Tickets are only accepted with one, if certificates are demanded. */
	(void)l->SSL_CTX_set_session_id_context(
	    c, (const unsigned char *)"sockt", 5);
	if (o->alpn != NULL && o->is_server) {
		if (parse_alpn(&accepted, o->alpn, e) < 0)
			return -1;
		l->SSL_CTX_set_alpn_select_cb(c, select_alpn, (void *)l);
	} else if (o->alpn != NULL) {
		if (parse_alpn(&offered, o->alpn, e) < 0)
			return -1;
		(void)l->SSL_CTX_set_alpn_protos(
		    c, offered.bytes, offered.length);
	}
	return set_certificate(l, context, o, e) < 0 ? -1
						     : set_trust(l, c, o, e);
}

struct tls_context *
tls_context_get(const struct tls_options *o, struct err *e)
{
	static struct tls_context contexts[2];
	struct tls_context *c = &contexts[o->is_server];
	const struct tls_library *l;

	if (c->ssl != NULL)
		return c;
	l = tls_library_load(e);
	if (l == NULL)
		return NULL;
	c->ssl = l->SSL_CTX_new(
	    o->is_server ? l->TLS_server_method() : l->TLS_client_method());
	if (c->ssl == NULL) {
		err_set(e, ERR_FAILED, "TLS: libssl cannot be used: %s",
		    l->OpenSSL_version(0));
	} else if (set_up(l, c, o, e) < 0) {
		l->EVP_PKEY_free(c->key);
		l->SSL_CTX_free(c->ssl);
		*c = (struct tls_context){NULL, NULL};
	}
	l->ERR_clear_error();
	return c->ssl != NULL ? c : NULL;
}

void
tls_context_drop_key(struct tls_context *c)
{
	if (c->key != NULL)
		tls_library_load(NULL)->EVP_PKEY_free(c->key);
	c->key = NULL;
}
