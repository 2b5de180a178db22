/* Finds the functions of OpenSSL with dlopen(3), makes contexts with them, and
 * describes certificates. */
#include "tls/internal.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/text.h"
#include "net/os.h"
#include "tls/tls.h"

/* OpenSSL 3: values and types of other versions may differ. */
#define LIBRARY "libssl.so.3"

/* Validity of a certificate for a run: a clock may be wrong by a day. */
#define SELF_BEFORE_S (-86400L)
#define SELF_AFTER_S (365 * 86400L)

#define ROW(type, name, parameters) {#name, offsetof(struct tls_library, name)},

static const struct {
	const char *name;
	size_t offset; /* of its pointer in struct tls_library */
} functions[] = {TLS_FUNCTIONS(ROW)};

static struct tls_library lib;

/*
 * libcrypto's memory. While it decodes a private key, it frees copies of the
 * key without clearing them. So each block begins with its size, and is cleared
 * here.
 */
enum { SIZE_OF_SIZE = 16 };
static bool clears_memory;

static void *
allocate(size_t n, const char *file, int line)
{
	size_t *block =
	    n > SIZE_MAX - SIZE_OF_SIZE ? NULL : malloc(n + SIZE_OF_SIZE);

	(void)file, (void)line;
	if (block == NULL)
		return NULL;
	*block = n;
	return (char *)block + SIZE_OF_SIZE;
}

static void
free_memory(void *memory, const char *file, int line)
{
	size_t *block =
	    memory == NULL ? NULL : (void *)((char *)memory - SIZE_OF_SIZE);

	(void)file, (void)line;
	if (block != NULL && clears_memory)
		lib.OPENSSL_cleanse(memory, *block);
	free(block);
}

static void *
resize(void *memory, size_t n, const char *file, int line)
{
	void *result = n == 0 ? NULL : allocate(n, file, line);
	size_t old = memory == NULL
			 ? 0
			 : *(size_t *)(void *)((char *)memory - SIZE_OF_SIZE);

	if (result != NULL && memory != NULL)
		memcpy(result, memory, old < n ? old : n);
	if (result != NULL || n == 0)
		free_memory(memory, file, line);
	return result;
}

const struct tls_library *
tls_library_load(struct err *e)
{
	static bool is_loaded;
	void *handle, *function;
	const char *(*version)(int);
	size_t i;

	if (is_loaded)
		return &lib;
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
		/* The handle also finds the functions of libcrypto. */
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
		memcpy((char *)&lib + functions[i].offset, &function,
		    sizeof(function));
	}
	(void)lib.CRYPTO_set_mem_functions(allocate, resize, free_memory);
	is_loaded = true;
	return &lib;
}

/* libssl has refused a setting without which it would check less. */
static int
refused(struct err *e, const char *setting)
{
	return err_set(e, ERR_FAILED, "TLS: libssl refuses %s", setting);
}

/* For clients and for servers. */
static struct tls_context contexts[2];

/* Offers protocols by ALPN, each after its length (RFC 7301). Returns 0, or -1
 * with *e if the list is malformed. */
static int
set_alpn(const struct tls_context *c, const char *text, struct err *e)
{
	unsigned char bytes[256];
	unsigned length = 0;
	size_t n = 0;

	for (;; text += n + 1) {
		n = strcspn(text, ",");
		if (n == 0)
			return err_set(e, ERR_USAGE,
			    "--tls-alpn: expected names of protocols, with "
			    "commas between them");
		if (length + n + 1 > sizeof(bytes))
			return err_set(e, ERR_USAGE,
			    "--tls-alpn: more than 255 bytes in all");
		bytes[length++] = (unsigned char)n;
		memcpy(bytes + length, text, n);
		length += (unsigned)n;
		if (text[n] == '\0')
			break;
	}
	/* This function returns 0 on success. */
	if (lib.SSL_CTX_set_alpn_protos(c->ssl, bytes, length) != 0)
		return refused(e, "--tls-alpn");
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
	void *names;

	/* With a pin, the process compares the certificate's digest. */
	if (o->is_insecure || o->pin[0] != '\0' ||
	    (o->is_server && o->ca == NULL))
		return 0;
	if (o->ca == NULL && lib.SSL_CTX_set_default_verify_paths(c->ssl) != 1)
		return refused(e, "the system's certificates");
	if (o->ca == NULL)
		return 0;
	is_directory = check_file(option, o->ca, e);
	if (is_directory < 0)
		return -1;
	if (lib.SSL_CTX_load_verify_locations(c->ssl,
		is_directory ? NULL : o->ca, is_directory ? o->ca : NULL) != 1)
		return err_set(e, ERR_OUTPUT,
		    "no certificate can be read from %s (%s)",
		    text_shown(o->ca), option);
	/* A named certificate is trusted even if it is not an authority. */
	if (lib.X509_VERIFY_PARAM_set_flags(
		lib.SSL_CTX_get0_param(c->ssl), TLS_PARTIAL_CHAIN) != 1)
		return refused(e, option);
	if (!o->is_server)
		return 0;
	/* A resumed session would not show a certificate that has expired. */
	(void)lib.SSL_CTX_set_options(c->ssl, TLS_OP_NO_TICKET);
	if (is_directory)
		return 0;
	names = lib.SSL_load_client_CA_file(o->ca);
	if (names == NULL)
		return refused(e, option);
	lib.SSL_CTX_set_client_CA_list(c->ssl, names);
	return 0;
}

static int
refuse_password(char *buf, int size, int for_writing, void *wants_password)
{
	(void)buf, (void)size, (void)for_writing;
	*(bool *)wants_password = true;
	return 0;
}

/* Reads the private key, which only libssl keeps, or sets *is_encrypted. */
static void
read_key(struct tls_context *c, const char *path, bool *is_encrypted)
{
	static char text[64 * 1024];
	struct bio *bio;
	size_t used = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (n = read(fd, text + used, sizeof(text) - used)) > 0)
		used += (size_t)n;
	fd_close(&fd);
	bio = lib.BIO_new_mem_buf(text, (int)used);
	if (bio != NULL) {
		clears_memory = true;
		c->key = lib.PEM_read_bio_PrivateKey(
		    bio, NULL, refuse_password, is_encrypted);
		lib.BIO_free(bio);
		clears_memory = false;
	}
	lib.OPENSSL_cleanse(text, used);
}

/* The SHA-256 of a certificate. Returns false, and "", if libcrypto cannot. */
static bool
digest_text(const struct x509 *x, char text[SHA256_TEXT])
{
	unsigned char bytes[32];
	size_t i;

	text[0] = '\0';
	if (lib.X509_digest(x, lib.EVP_sha256(), bytes, NULL) != 1)
		return false;
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

/* Makes a key and a certificate, and prints its digest. Returns 0, or -1. */
static int
make_certificate(struct tls_context *c, struct err *e)
{
	struct x509 *x = lib.X509_new();
	struct x509_name *name;
	char digest[SHA256_TEXT];
	bool is_made = false;
	struct json *j;

	clears_memory = true;
	c->key = lib.EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	clears_memory = false;
	if (x != NULL && c->key != NULL) {
		name = lib.X509_get_subject_name(x);
		is_made =
		    lib.X509_set_version(x, 2) == 1 &&
		    lib.ASN1_INTEGER_set_uint64(lib.X509_get_serialNumber(x),
			(uint64_t)time(NULL)) == 1 &&
		    lib.X509_gmtime_adj(
			lib.X509_getm_notBefore(x), SELF_BEFORE_S) != NULL &&
		    lib.X509_gmtime_adj(
			lib.X509_getm_notAfter(x), SELF_AFTER_S) != NULL &&
		    lib.X509_set_pubkey(x, c->key) == 1 &&
		    lib.X509_NAME_add_entry_by_txt(name, "CN", TLS_TEXT_UTF8,
			(const unsigned char *)"sockt", -1, -1, 0) == 1 &&
		    lib.X509_set_issuer_name(x, name) == 1 &&
		    lib.X509_sign(x, c->key, lib.EVP_sha256()) > 0 &&
		    lib.SSL_CTX_use_certificate(c->ssl, x) == 1 &&
		    digest_text(x, digest);
	}
	lib.X509_free(x);
	if (!is_made)
		return err_set(
		    e, ERR_FAILED, "--tls-self: libssl makes no certificate");
	/* Users pass the digest on to the clients. */
	j = diag_event_begin("certificate");
	json_text(j, "sha256", digest);
	diag_event_end(DIAG_SAY,
	    "a certificate for this run; clients: --tls-pin %s", digest);
	return 0;
}

static int
set_certificate(
    struct tls_context *c, const struct tls_options *o, struct err *e)
{
	const char *key = o->key != NULL ? o->key : o->certificate;
	bool is_encrypted = false;

	if (o->is_self)
		return make_certificate(c, e);
	if (o->certificate == NULL)
		return 0;
	if (check_file("--tls-cert", o->certificate, e) < 0 ||
	    check_file("--tls-key", key, e) < 0)
		return -1;
	if (lib.SSL_CTX_use_certificate_chain_file(c->ssl, o->certificate) != 1)
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
	else if (lib.X509_check_private_key(
		     lib.SSL_CTX_get0_certificate(c->ssl), c->key) != 1)
		err_set(e, ERR_USAGE,
		    "the key does not belong to the certificate %s",
		    text_shown(o->certificate));
	else
		return 0;
	return err_prefix(e, "--tls-key: %s", text_shown(key));
}

/* Opens the file of SSLKEYLOGFILE. Returns 0, or -1 with ERR_OUTPUT. */
static int
open_key_log(struct tls_context *c, struct err *e)
{
	static int fd = -1;
	const char *path = getenv("SSLKEYLOGFILE");
	struct stat st;

	c->key_log = fd;
	if (path == NULL || path[0] == '\0' || fd >= 0)
		return 0;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, ERR_OUTPUT,
		    "SSLKEYLOGFILE: %s is not a regular file",
		    text_shown(path));
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, ERR_OUTPUT, errno, "SSLKEYLOGFILE: %s",
		    text_shown(path));
	c->key_log = fd;
	diag_warn("the secrets of TLS are written to %s (SSLKEYLOGFILE): "
		  "anyone who can read it can decrypt the connections",
	    text_shown(path));
	return 0;
}

struct tls_context *
tls_library_context(const struct tls_options *o, struct err *e)
{
	struct tls_context *c = &contexts[o->is_server];
	long version = TLS_VERSION_1_2 + (o->version > 0 ? o->version - 1 : 0);
	int result = 0;

	if (c->ssl != NULL)
		return c;
	if (tls_library_load(e) == NULL)
		return NULL;
	c->ssl = lib.SSL_CTX_new(
	    o->is_server ? lib.TLS_server_method() : lib.TLS_client_method());
	if (c->ssl == NULL) {
		err_set(e, ERR_FAILED, "TLS: libssl cannot be used: %s",
		    lib.OpenSSL_version(0));
		return NULL;
	}
	(void)lib.SSL_CTX_ctrl(
	    c->ssl, TLS_CTRL_MODE, TLS_MODE_RELEASE_BUFFERS, NULL);
	/* SSL_read() returns after a record without data. */
	(void)lib.SSL_CTX_ctrl(
	    c->ssl, TLS_CTRL_CLEAR_MODE, TLS_MODE_AUTO_RETRY, NULL);
	(void)lib.SSL_CTX_ctrl(c->ssl, TLS_CTRL_READ_AHEAD, 1, NULL);
	(void)lib.SSL_CTX_set_options(
	    c->ssl, TLS_OP_IGNORE_EOF | TLS_OP_NO_RENEGOTIATION);
	if (lib.SSL_CTX_ctrl(c->ssl, TLS_CTRL_MIN_VERSION, version, NULL) !=
		1 ||
	    (o->version > 0 && lib.SSL_CTX_ctrl(c->ssl, TLS_CTRL_MAX_VERSION,
				   version, NULL) != 1))
		result = refused(e, "the version of TLS");
	if (result == 0)
		result = open_key_log(c, e);
	if (result < 0 || (o->alpn != NULL && set_alpn(c, o->alpn, e) < 0) ||
	    set_certificate(c, o, e) < 0 || set_trust(c, o, e) < 0) {
		tls_library_drop_keys();
		lib.SSL_CTX_free(c->ssl);
		c->ssl = NULL;
	}
	lib.ERR_clear_error();
	return c->ssl != NULL ? c : NULL;
}

void
tls_library_drop_keys(void)
{
	struct tls_context *c;

	for (c = contexts; c < contexts + 2; c++) {
		if (c->key != NULL)
			lib.EVP_PKEY_free(c->key);
		c->key = NULL;
	}
}

/* Sets text to a name, in UTF-8; "" if it does not fit. */
static void
print_name(char *text, size_t size, const struct x509_name *name)
{
	struct bio *bio = lib.BIO_new(lib.BIO_s_mem());
	int n;

	text[0] = '\0';
	if (bio == NULL)
		return;
	n = lib.X509_NAME_print_ex(bio, name, 0, TLS_NAME_FLAGS);
	n = n < 0 ? n : lib.BIO_read(bio, text, (int)size);
	text[n < 0 || (size_t)n == size ? 0 : n] = '\0';
	lib.BIO_free(bio);
}

/* Appends a name of the subjectAltName, if it is one of DNS or an address. */
static bool
append_alternative(char *text, size_t size, const void *general)
{
	char address[INET6_ADDRSTRLEN];
	int type = 0, n;
	const struct asn1 *value = lib.GENERAL_NAME_get0_value(general, &type);
	const unsigned char *bytes;

	if (type != TLS_NAME_DNS && type != TLS_NAME_ADDRESS)
		return true;
	bytes = lib.ASN1_STRING_get0_data(value);
	n = lib.ASN1_STRING_length(value);
	if (text[0] != '\0' && !text_append(text, size, ", "))
		return false;
	if (type == TLS_NAME_DNS)
		return memchr(bytes, '\0', (size_t)n) == NULL &&
		       text_append(text, size, "%.*s", n, (const char *)bytes);
	return (n == 4 || n == 16) && text_append(text, size, "%s",
					  inet_ntop(n == 4 ? AF_INET : AF_INET6,
					      bytes, address, sizeof(address)));
}

static void
print_alternatives(char *text, size_t size, const struct x509 *x)
{
	void *names = lib.X509_get_ext_d2i(x, TLS_SUBJECT_ALT_NAME, NULL, NULL);
	int i;

	text[0] = '\0';
	for (i = 0; i < lib.OPENSSL_sk_num(names); i++)
		if (!append_alternative(
			text, size, lib.OPENSSL_sk_value(names, i))) {
			text[0] = '\0';
			break;
		}
	lib.GENERAL_NAMES_free(names);
}

static void
print_time(char text[24], const struct asn1 *time)
{
	struct tm tm;

	if (lib.ASN1_TIME_to_tm(time, &tm) != 1 ||
	    strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

void
tls_library_describe(const struct x509 *x, struct tls_certificate *c)
{
	const struct pkey *key = lib.X509_get0_pubkey(x);
	const char *type;
	int seconds = 0;

	print_name(
	    c->subject, sizeof(c->subject), lib.X509_get_subject_name(x));
	print_name(c->issuer, sizeof(c->issuer), lib.X509_get_issuer_name(x));
	print_alternatives(c->names, sizeof(c->names), x);
	print_time(c->not_before, lib.X509_get0_notBefore(x));
	print_time(c->not_after, lib.X509_get0_notAfter(x));
	c->days = 0;
	(void)lib.ASN1_TIME_diff(
	    &c->days, &seconds, NULL, lib.X509_get0_notAfter(x));
	c->days -= seconds < 0;
	(void)digest_text(x, c->sha256);
	type = key == NULL ? NULL : lib.EVP_PKEY_get0_type_name(key);
	snprintf(
	    c->key_type, sizeof(c->key_type), "%s", type == NULL ? "" : type);
	c->key_bits = key == NULL ? 0 : lib.EVP_PKEY_get_bits(key);
}

int
tls_library_check_days(const void *chain, int64_t days, struct err *e)
{
	const char *expiry = "has expired";
	struct tls_certificate c;
	int i;

	for (i = 0; i < lib.OPENSSL_sk_num(chain); i++) {
		tls_library_describe(lib.OPENSSL_sk_value(chain, i), &c);
		if (c.days >= days)
			continue;
		if (c.days >= 0)
			expiry = text_format("expires in %d day%s", c.days,
			    c.days == 1 ? "" : "s");
		return err_set(e, ERR_PROTOCOL,
		    "the certificate of %s %s, on %s (--tls-days %lld)",
		    text_shown(c.subject), expiry, c.not_after,
		    (long long)days);
	}
	return 0;
}
