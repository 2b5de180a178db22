/*
 * Requests, whole and cut: the head must end at the same place however it
 * comes, what is pointed to lies within it, and an answer is always one that
 * has a name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text lies within the head. */
static void
check_within(const char *head, size_t n, const char *at, size_t length)
{
	if (length > 0 && (at < head || at + length > head + n))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy, so that a step beyond its end is noticed. */
	char *head = malloc(size + 1);
	char text[HTTP_SERVER_TEXT];
	struct http_server r;
	size_t n, i;
	int code;

	if (head == NULL)
		return 0;
	memcpy(head, data, size);
	n = http_server_head_length(head, size);
	for (i = 0; i < size && i < 2000; i++)
		if (http_server_head_length(head, i) != (n <= i ? n : 0))
			abort();
	if (n > 0) {
		code = http_server_parse(&r, head, n);
		check_within(head, n, r.target, r.target_length);
		if (code != 200 && code != 400 && code != 405)
			abort();
		if (http_server_make_head(text, code, size) >= sizeof(text))
			abort();
	}
	free(head);
	return 0;
}
