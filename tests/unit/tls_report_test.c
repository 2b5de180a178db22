/* What openssl and the process of a TLS connection say becomes an error. */
#include "dial/tls_report.h"

#include "lib/tap.h"

#define LIBRARY "4097CFF72C7F0000:error:0A00010B:SSL routines:f:"
#define FILE_AND_LINE ":../ssl/record/x.c:318:"

static const char rejected[] = "verify error:num=62:hostname mismatch";
static const char truncated[] =
    LIBRARY "unexpected eof while reading" FILE_AND_LINE;
static const char version[] = LIBRARY "wrong version number" FILE_AND_LINE;
static const char alert[] =
    LIBRARY "sslv3 alert handshake failure" FILE_AND_LINE "SSL alert number 40";
static const char reset[] = "sockt: 10 0 the connection was reset";
static const char after_fin[] = "sockt: 0 24 the last record was lost";
static const char after_data[] = "sockt: 0 4096 data was lost";

/* Reads lines, up to a NULL. */
static struct tls_report
report(const char *const *lines)
{
	struct tls_report r;

	memset(&r, 0, sizeof(r));
	for (; *lines != NULL; lines++)
		tls_report_add(&r, *lines);
	return r;
}

#define REPORT(...) report((const char *const[]){__VA_ARGS__, NULL})

/* How a failed handshake is reported. */
static void
fails(const struct tls_report *r, enum err_kind kind, const char *text)
{
	struct err e = ERR_INIT;

	is_int(tls_report_handshake(r, "ca.pem", &e), -1, "a failed handshake");
	is_int((int)e.kind, (int)kind, text);
	ok(strstr(e.text, text) != NULL, "its text is: %s", e.text);
}

/* How the end of a connection is reported; ERR_NONE is a good end. */
static void
ends(const struct tls_report *r, int status, enum err_kind kind,
    const char *text)
{
	struct err e = ERR_INIT;

	is_int(tls_report_end(r, status, &e), kind == ERR_NONE ? 0 : -1, text);
	is_int((int)e.kind, (int)kind, "its kind");
	ok(kind == ERR_NONE || strstr(e.text, text) != NULL, "its text is: %s",
	    e.text);
}

static void
test_summary(void)
{
	struct tls_report r = REPORT("CONNECTION ESTABLISHED",
	    "Protocol version: TLSv1.3", "Ciphersuite: TLS_AES_256_GCM_SHA384",
	    "Peer certificate: CN = localhost", "Hash used: SHA256");

	ok(!r.is_complete, "the handshake is not done before the last line");
	tls_report_add(&r, "Verification: OK");
	ok(r.is_complete, "then it is");
	is_text(r.protocol, "TLSv1.3", "the protocol");
	is_text(r.cipher, "TLS_AES_256_GCM_SHA384", "the cipher");
	is_text(r.certificate, "CN = localhost", "the certificate");
	is_text(r.verification, "OK", "the verification");
	r = REPORT("Verification error: self-signed certificate");
	ok(r.is_complete, "also without a trusted certificate");
	r = REPORT("No peer certificate");
	ok(r.is_complete, "and without any");
	r = REPORT("DONE");
	ok(r.is_done && !r.is_complete, "the end of the input");
}

static void
test_handshake(void)
{
	struct tls_report r = REPORT(rejected, alert, reset);

	fails(&r, ERR_PROTOCOL, "not accepted: hostname mismatch (");
	r = REPORT(version, reset);
	fails(&r, ERR_PROTOCOL, "does not speak TLS");
	r = REPORT(alert, reset);
	fails(&r, ERR_PROTOCOL, "failed: sslv3 alert handshake failure");
	r = REPORT(truncated, reset);
	fails(&r, ERR_LOST, "was reset");
	r = REPORT(reset);
	fails(&r, ERR_LOST, "was reset");
	r = REPORT(truncated, after_fin);
	fails(&r, ERR_PROTOCOL, "closed the connection during the handshake");
	r = REPORT("write:errno=32");
	fails(&r, ERR_PROTOCOL, "closed the connection during the handshake");
	r = REPORT("sockt: 1 0 there is no openssl in PATH");
	fails(&r, ERR_FAILED, "there is no openssl");
	r = REPORT("s_client: Unknown option: -brief");
	fails(&r, ERR_FAILED, "3.0 or newer");
	r = REPORT("4:error:80000002:system library:X509_load_cert_crl_file:no "
		   "certificate:x.c:1:");
	fails(&r, ERR_OUTPUT, "ca.pem");
	r = REPORT("4:error:0A:SSL routines:f:\x1b[31mred:x.c:1:");
	fails(&r, ERR_PROTOCOL, "\\x1b[31mred");
}

static void
test_end(void)
{
	struct tls_report r = REPORT("Verification: OK");

	ends(&r, 0, ERR_NONE, "the peer ends TLS");
	r = REPORT("DONE");
	ends(&r, 0, ERR_NONE, "this side ends TLS");
	r = REPORT(after_fin);
	ends(&r, 0, ERR_NONE, "the peer ends TLS, and takes no answer");
	r = REPORT(after_data);
	ends(&r, 0, ERR_LOST, "data was lost");
	r = REPORT("DONE", after_fin);
	ends(&r, 0, ERR_NONE, "both end it at the same time");
	r = REPORT("DONE", after_data);
	ends(&r, 0, ERR_LOST, "data was lost");
	r = REPORT("DONE", reset);
	ends(&r, 0, ERR_LOST, "was reset");
	r = REPORT(truncated);
	ends(&r, 1, ERR_LOST, "close_notify");
	r = REPORT(truncated, reset);
	ends(&r, 1, ERR_LOST, "was reset");
	r = REPORT("read:errno=0");
	ends(&r, 1, ERR_LOST, "close_notify");
	r = REPORT(alert);
	ends(&r, 1, ERR_PROTOCOL, "TLS ended with an error: sslv3 alert");
}

/* No line, however odd, is read beyond its end. */
static void
test_odd_lines(void)
{
	struct tls_report r = REPORT("",
	    ":error:", ":error:::::", "sockt: ", "sockt: x",
	    "sockt: 99999999999999999999 -1", "verify error:", "Verification",
	    "Protocol version: 0123456789012345678901234567890123456789");

	is_int((long long)strlen(r.protocol), (long long)sizeof(r.protocol) - 1,
	    "a long value is cut");
}

int
main(void)
{
	test_summary();
	test_handshake();
	test_end();
	test_odd_lines();
	return done_testing();
}
