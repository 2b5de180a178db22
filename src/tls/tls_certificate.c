/* Describes and checks certificates with libcrypto. */
#include "tls/internal.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/text.h"

/* Sets text to a name, in UTF-8; "" if it does not fit. */
static void
print_name(const struct tls_library *l, char *text, size_t size,
    const struct X509_name_st *name)
{
	struct bio_st *bio = l->BIO_new(l->BIO_s_mem());
	int n;

	text[0] = '\0';
	if (bio == NULL)
		return;
	n = l->X509_NAME_print_ex(bio, name, 0, TLS_NAME_FLAGS);
	n = n < 0 ? n : l->BIO_read(bio, text, (int)size);
	text[n < 0 || (size_t)n == size ? 0 : n] = '\0';
	l->BIO_free(bio);
}

/* Appends a name of the subjectAltName, if it is one of DNS or an address. */
static bool
append_alternative(
    const struct tls_library *l, char *text, size_t size, const void *general)
{
	char address[INET6_ADDRSTRLEN];
	int type = 0, n;
	const struct asn1_string_st *value =
	    l->GENERAL_NAME_get0_value(general, &type);
	const unsigned char *bytes;

	if (type != TLS_NAME_DNS && type != TLS_NAME_ADDRESS)
		return true;
	bytes = l->ASN1_STRING_get0_data(value);
	n = l->ASN1_STRING_length(value);
	if (text[0] != '\0' && !text_append(text, size, ", "))
		return false;
	if (type == TLS_NAME_DNS)
		return memchr(bytes, '\0', (size_t)n) == NULL &&
		       text_append(text, size, "%.*s", n, (const char *)bytes);
	return (n == 4 || n == 16) &&
	       inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, address,
		   sizeof(address)) != NULL &&
	       text_append(text, size, "%s", address);
}

static void
print_alternatives(const struct tls_library *l, char *text, size_t size,
    const struct x509_st *x)
{
	void *names = l->X509_get_ext_d2i(x, TLS_SUBJECT_ALT_NAME, NULL, NULL);
	int i;

	text[0] = '\0';
	for (i = 0; names != NULL && i < l->OPENSSL_sk_num(names); i++)
		if (!append_alternative(
			l, text, size, l->OPENSSL_sk_value(names, i))) {
			text[0] = '\0';
			break;
		}
	if (names != NULL)
		l->GENERAL_NAMES_free(names);
}

static void
print_time(const struct tls_library *l, char text[24],
    const struct asn1_string_st *time)
{
	struct tm tm;

	if (l->ASN1_TIME_to_tm(time, &tm) != 1 ||
	    strftime(text, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
}

/* Days and seconds until the certificate expires, both negative if it has. */
static void
time_left(const struct tls_library *l, const struct x509_st *x, int *days,
    int *seconds)
{
	*days = *seconds = 0;
	(void)l->ASN1_TIME_diff(days, seconds, NULL, l->X509_get0_notAfter(x));
}

void
tls_certificate_describe(const struct tls_library *l, const struct x509_st *x,
    struct tls_certificate *c)
{
	const struct evp_pkey_st *key = l->X509_get0_pubkey(x);
	const char *type;
	int seconds;

	print_name(
	    l, c->subject, sizeof(c->subject), l->X509_get_subject_name(x));
	print_name(l, c->issuer, sizeof(c->issuer), l->X509_get_issuer_name(x));
	print_alternatives(l, c->names, sizeof(c->names), x);
	print_time(l, c->not_before, l->X509_get0_notBefore(x));
	print_time(l, c->not_after, l->X509_get0_notAfter(x));
	time_left(l, x, &c->days, &seconds);
	c->days += seconds > 43200 ? 1 : seconds < 0 ? -1 : 0;
	(void)tls_library_digest(l, x, c->sha256);
	type = key == NULL ? NULL : l->EVP_PKEY_get0_type_name(key);
	snprintf(
	    c->key_type, sizeof(c->key_type), "%s", type == NULL ? "" : type);
	c->key_bits = key == NULL ? 0 : l->EVP_PKEY_get_bits(key);
}

int
tls_certificate_check_days(
    const struct tls_library *l, const void *chain, int64_t days, struct err *e)
{
	int i, left, seconds,
	    count = chain == NULL ? 0 : l->OPENSSL_sk_num(chain);
	struct tls_certificate c;
	const struct x509_st *x;

	for (i = 0; i < count; i++) {
		x = l->OPENSSL_sk_value(chain, i);
		time_left(l, x, &left, &seconds);
		if (left >= days && seconds >= 0)
			continue;
		tls_certificate_describe(l, x, &c);
		return err_set(e, ERR_PROTOCOL,
		    "the certificate of %s %s%s, on %s (--tls-days %lld)",
		    text_shown(c.subject),
		    c.days < 0 ? "has expired" : "expires in ",
		    c.days < 0 ? ""
			       : text_format("%d day%s", c.days,
				     c.days == 1 ? "" : "s"),
		    c.not_after, (long long)days);
	}
	return 0;
}
