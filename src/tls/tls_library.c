/* Finds the functions of OpenSSL with dlopen(3), and makes contexts. */
#include "tls/tls_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/text.h"
#include "net/os.h"
#include "tls/tls_options.h"

/* That of OpenSSL 3; of others sockt knows nothing. */
#define LIBRARY "libssl.so.3"

#define ROW(type, name, parameters) {#name, offsetof(struct tls_library, name)},

static const struct {
	const char *name;
	size_t offset; /* of its pointer in struct tls_library */
} functions[] = {TLS_FUNCTIONS(ROW)};

const struct tls_library *
tls_library_load(struct err *e)
{
	static struct tls_library library;
	static bool is_loaded;
	void *handle, *function;
	const char *(*version)(int);
	size_t i;

	if (is_loaded)
		return &library;
	if (!os_has_loader()) {
		err_set(e, ERR_FAILED,
		    "this sockt is a static build, and TLS needs one that is "
		    "linked dynamically");
		return NULL;
	}
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		err_set(e, ERR_FAILED,
		    "TLS needs " LIBRARY ", which cannot be loaded (Debian: "
		    "install libssl3): %s",
		    dlerror());
		return NULL;
	}
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		/* Those of libcrypto are found through the same handle. */
		function = dlsym(handle, functions[i].name);
		if (function == NULL) {
			function = dlsym(handle, "OpenSSL_version");
			memcpy(&version, &function, sizeof(version));
			err_set(e, ERR_FAILED,
			    "TLS: " LIBRARY " has no %s (it is %s)",
			    functions[i].name,
			    function != NULL ? version(0) : "not OpenSSL");
			(void)dlclose(handle);
			return NULL;
		}
		memcpy((char *)&library + functions[i].offset, &function,
		    sizeof(function));
	}
	is_loaded = true;
	return &library;
}

/* Offers protocols, as ALPN has them: each after its length (RFC 7301). Returns
 * 0, or -1 with *e if the list is malformed. */
static int
set_alpn(const struct tls_context *c, const char *text, struct err *e)
{
	unsigned char bytes[256];
	unsigned length = 0;
	size_t n = 0;

	for (;; text += n + 1) {
		n = strcspn(text, ",");
		if (n == 0 || n > 255 || length + n + 1 > sizeof(bytes))
			return err_set(e, ERR_USAGE,
			    "--tls-alpn: expected names of protocols, with "
			    "commas between them");
		bytes[length++] = (unsigned char)n;
		memcpy(bytes + length, text, n);
		length += (unsigned)n;
		if (text[n] == '\0')
			break;
	}
	(void)c->l->SSL_CTX_set_alpn_protos(c->ssl, bytes, length);
	return 0;
}

/* Whether path is a directory: 0 or 1, or -1 with *e if it cannot be read. */
static int
check_file(const char *option, const char *path, struct err *e)
{
	struct stat st;
	bool is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	if (access(path, is_directory ? R_OK | X_OK : R_OK) == 0)
		return is_directory;
	return err_sys(
	    e, ERR_OUTPUT, errno, "%s: %s", option, text_shown(path));
}

/* Sets whom to trust. */
static int
set_trust(
    const struct tls_context *c, const struct tls_options *o, struct err *e)
{
	const char *option = o->is_server ? "--tls-client-ca" : "--tls-ca";
	int is_directory;

	if (o->is_insecure || (o->is_server && o->ca == NULL))
		return 0;
	c->l->SSL_CTX_set_verify(c->ssl,
	    TLS_VERIFY_PEER | (o->is_server ? TLS_VERIFY_REQUIRED : 0), NULL);
	if (o->ca == NULL) {
		(void)c->l->SSL_CTX_set_default_verify_paths(c->ssl);
		return 0;
	}
	is_directory = check_file(option, o->ca, e);
	if (is_directory < 0)
		return -1;
	if (c->l->SSL_CTX_load_verify_locations(c->ssl,
		is_directory ? NULL : o->ca, is_directory ? o->ca : NULL) != 1)
		return err_set(e, ERR_OUTPUT,
		    "no certificate can be read from %s (%s)",
		    text_shown(o->ca), option);
	if (o->is_server && !is_directory)
		c->l->SSL_CTX_set_client_CA_list(
		    c->ssl, c->l->SSL_load_client_CA_file(o->ca));
	return 0;
}

static int
refuse_password(char *buf, int size, int for_writing, void *wants_password)
{
	(void)buf, (void)size, (void)for_writing;
	*(bool *)wants_password = true;
	return 0;
}

/* Reads the private key, of which only libssl keeps a copy. Sets c->key, or
 * *is_encrypted. */
static void
read_key(struct tls_context *c, const char *path, bool *is_encrypted)
{
	static char text[64 * 1024];
	struct bio_st *bio;
	size_t used = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, text + used, sizeof(text) - used)) > 0)
		used += (size_t)n;
	fd_close(&fd);
	bio = c->l->BIO_new_mem_buf(text, (int)used);
	if (bio != NULL) {
		c->key = c->l->PEM_read_bio_PrivateKey(
		    bio, NULL, refuse_password, is_encrypted);
		c->l->BIO_free(bio);
	}
	memset(text, 0, used);
}

static int
set_certificate(
    struct tls_context *c, const struct tls_options *o, struct err *e)
{
	const char *key = o->key != NULL ? o->key : o->certificate;
	bool is_encrypted = false;

	if (o->certificate == NULL)
		return 0;
	if (check_file("--tls-cert", o->certificate, e) < 0 ||
	    check_file("--tls-key", key, e) < 0)
		return -1;
	if (c->l->SSL_CTX_use_certificate_chain_file(c->ssl, o->certificate) !=
	    1)
		return err_set(e, ERR_USAGE,
		    "--tls-cert: %s: no certificate can be read from it (PEM "
		    "is expected)",
		    text_shown(o->certificate));
	read_key(c, key, &is_encrypted);
	if (is_encrypted)
		err_set(e, ERR_USAGE,
		    "the key is encrypted, and sockt asks for no password "
		    "('openssl pkey' decrypts it)");
	else if (c->key == NULL)
		err_set(e, ERR_USAGE,
		    "no key can be read from it (PEM is expected)");
	else if (c->l->X509_check_private_key(
		     c->l->SSL_CTX_get0_certificate(c->ssl), c->key) != 1)
		err_set(e, ERR_USAGE,
		    "the key does not belong to the certificate %s",
		    text_shown(o->certificate));
	else
		return 0;
	return err_prefix(e, "--tls-key: %s", text_shown(key));
}

struct tls_context *
tls_library_context(const struct tls_options *o, struct err *e)
{
	static struct tls_context contexts[2];
	struct tls_context *c = &contexts[o->is_server];
	const struct tls_library *l;

	if (c->ssl != NULL)
		return c;
	l = c->l = tls_library_load(e);
	if (l == NULL)
		return NULL;
	c->ssl = l->SSL_CTX_new(
	    o->is_server ? l->TLS_server_method() : l->TLS_client_method());
	if (c->ssl == NULL) {
		err_set(e, ERR_FAILED, "TLS: libssl cannot be used: %s",
		    l->OpenSSL_version(0));
		return NULL;
	}
	(void)l->SSL_CTX_ctrl(
	    c->ssl, TLS_CTRL_MIN_VERSION, TLS_VERSION_1_2, NULL);
	(void)l->SSL_CTX_ctrl(c->ssl, TLS_CTRL_MODE,
	    TLS_MODE_PARTIAL_WRITE | TLS_MODE_MOVING_BUFFER |
		TLS_MODE_RELEASE_BUFFERS,
	    NULL);
	(void)l->SSL_CTX_ctrl(c->ssl, TLS_CTRL_READ_AHEAD, 1, NULL);
	(void)l->SSL_CTX_set_options(
	    c->ssl, TLS_OP_IGNORE_EOF | TLS_OP_NO_RENEGOTIATION);
	/* Tickets are only accepted with one, if certificates are demanded. */
	(void)l->SSL_CTX_set_session_id_context(
	    c->ssl, (const unsigned char *)"sockt", 5);
	if ((o->alpn != NULL && set_alpn(c, o->alpn, e) < 0) ||
	    set_certificate(c, o, e) < 0 || set_trust(c, o, e) < 0) {
		tls_library_drop_key(c);
		l->SSL_CTX_free(c->ssl);
		c->ssl = NULL;
	}
	l->ERR_clear_error();
	return c->ssl != NULL ? c : NULL;
}

void
tls_library_drop_key(struct tls_context *c)
{
	c->l->EVP_PKEY_free(c->key);
	c->key = NULL;
}
