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
	char text[HTTP_SERVER_TEXT], path[256];
	struct http_server_response response = {.fields = ""};
	struct http_part query;
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
		check_within(head, n, r.method.at, r.method.length);
		check_within(head, n, r.target.at, r.target.length);
		check_within(head, n, r.range.at, r.range.length);
		check_within(head, n, r.accept.at, r.accept.length);
		if (code != 200 && code != 400 && code != 405 && code != 501)
			abort();
		/* No path leads out of a folder, or to a hidden file. */
		if (code == 200 &&
		    http_server_path(&r, path, sizeof(path), &query) == 200 &&
		    (path[0] == '.' || path[0] == '/' ||
			strstr(path, "/.") != NULL ||
			strstr(path, "//") != NULL))
			abort();
		response.code = code;
		response.length = size;
		if (http_server_make_head(text, sizeof(text), &response) >=
		    sizeof(text) - 1)
			abort();
	}
	free(head);
	return 0;
}
