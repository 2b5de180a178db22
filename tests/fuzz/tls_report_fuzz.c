/*
 * What openssl says about a TLS connection: the first byte is its exit status,
 * the rest are lines, in which a certificate's names are the peer's. A failed
 * handshake has an error with a text, and what is openssl's is escaped in it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "dial/tls_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(const struct tls_report *r, const struct err *e)
{
	const char *p;

	if (e->text[0] == '\0')
		abort();
	/* That text is of sockt's own process. */
	if (r->failure[0] != '\0')
		return;
	for (p = e->text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *line, *next;
	struct tls_report r;
	struct err e = ERR_INIT;

	if (text == NULL || size == 0) {
		free(text);
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	memset(&r, 0, sizeof(r));
	for (line = text + 1; line != NULL; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		tls_report_add(&r, line);
	}
	if (tls_report_handshake(&r, data[0] % 2 == 0 ? "ca" : NULL, &e) == 0)
		abort();
	check_error(&r, &e);
	err_clear(&e);
	if (tls_report_end(&r, data[0], &e) < 0)
		check_error(&r, &e);
	free(text);
	return 0;
}
