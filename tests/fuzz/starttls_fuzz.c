/*
 * The answers of servers to STARTTLS. Whatever they send, the exchange ends
 * with success, and then with nothing left in the socket, or with an error that
 * has a text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "dial/starttls.h"
#include "net/link.h"

#define MAX_SIZE 8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(enum starttls protocol, const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	uint8_t rest;
	int ends[2], result;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return;
	if (size > 0 && write(ends[1], data, size) != (ssize_t)size)
		abort();
	shutdown(ends[1], SHUT_WR);
	result = starttls_open(
	    protocol, &(struct link){.fd = ends[0]}, deadline_none(), &e);
	if (result == 0 && recv(ends[0], &rest, 1, MSG_DONTWAIT) != 0)
		abort();
	if (result < 0 && (e.text[0] == '\0' ||
			      (e.kind != ERR_PEER && e.kind != ERR_PROTOCOL &&
				  e.kind != ERR_LOST)))
		abort();
	close(ends[0]);
	close(ends[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int protocol;

	for (protocol = STARTTLS_SMTP;
	     protocol <= STARTTLS_POSTGRES && size <= MAX_SIZE; protocol++)
		check((enum starttls)protocol, data, size);
	return 0;
}
