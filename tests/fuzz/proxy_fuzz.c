/*
 * The answers of proxies: SOCKS4, SOCKS5, HTTP. Whatever they send, the
 * handshake ends with success or with an error that has a text; and after
 * success the bytes that follow are still there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "dial/proxy.h"
#include "net/endpoint.h"
#include "net/link.h"

#define MAX_SIZE 8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_error(const struct err *e)
{
	if (e->text[0] == '\0' ||
	    (e->kind != ERR_PEER && e->kind != ERR_PROTOCOL &&
		e->kind != ERR_LOST))
		abort();
}

static void
check_proxy(const struct proxy *p, const struct endpoint *target,
    const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	uint8_t rest[MAX_SIZE];
	ssize_t n;
	int ends[2], result;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return;
	if (size > 0 && write(ends[1], data, size) != (ssize_t)size)
		abort();
	shutdown(ends[1], SHUT_WR);
	result = proxy_open(
	    p, target, &(struct link){.fd = ends[0]}, deadline_none(), &e);
	if (result < 0) {
		check_error(&e);
	} else {
		n = recv(ends[0], rest, sizeof(rest), MSG_DONTWAIT);
		if (n < 0 || (size_t)n > size ||
		    memcmp(rest, data + size - n, (size_t)n) != 0)
			abort();
	}
	close(ends[0]);
	close(ends[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum proxy_kind kinds[] = {
	    PROXY_SOCKS4, PROXY_SOCKS5, PROXY_HTTP};
	struct proxy p = {.origin = "--proxy", .user = "u", .password = "p"};
	struct endpoint target = {.host = "www.example", .port = 80};
	struct endpoint number = {.host = "192.0.2.1", .port = 80};
	size_t i;

	if (size > MAX_SIZE)
		return 0;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		p.kind = kinds[i];
		check_proxy(&p, &target, data, size);
		check_proxy(&p, &number, data, size);
	}
	return 0;
}
