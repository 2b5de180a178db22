/*
 * Streams of messages, as a served connection receives them: no byte may be
 * lost, and each message ends as the stream says.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* What receives messages is its own. */
#include "cmd/serve_hello.c"

/* A socket pair holds this much. */
#define MAX_SIZE 60000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct hello_message *m, const uint8_t *at, size_t left)
{
	static const char crlf[] = "\r\n";
	const uint8_t *end = at + m->length;

	if (m->length > MESSAGE_MAX || m->length + m->newline > left ||
	    memcmp(m->bytes, at, m->length) != 0 ||
	    memchr(m->bytes, '\n', m->length) != NULL)
		abort();
	if (m->newline > 2 || (m->newline == 0 && m->length != left) ||
	    memcmp(end, &crlf[2 - m->newline], m->newline) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hello_client c;
	struct hello_message m;
	int result;
	struct link l = {.fd = -1};
	int ends[2];

	if (size > MAX_SIZE ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return 0;
	if (size > 0 && write(ends[1], data, size) != (ssize_t)size)
		abort();
	shutdown(ends[1], SHUT_WR);
	l.fd = ends[0];
	c.has_lines = false;
	buf_init(&c.queue, c.storage, sizeof(c.storage));
	session_start(&c.session, &l, (struct limit)LIMIT_NONE, -1);
	while ((result = receive_message(&c, &m)) > 0) {
		check(&m, data, size);
		data += m.length + m.newline;
		size -= m.length + m.newline;
	}
	if (result == 0 ? size != 0 : c.session.e.kind != ERR_PROTOCOL)
		abort();
	close(ends[0]);
	close(ends[1]);
	return 0;
}
