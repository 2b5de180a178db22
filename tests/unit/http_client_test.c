/*
 * A request that cannot be sent, for whatever reason, ends the exchange when
 * what the server has said by then is read: send(2) is played here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lib/tap.h"
#include "fetch/http_client.h"
#include "http/http_request.h"
#include "net/sink.h"
#include "http/url.h"

static int listener, peer = -1;
static int send_errnum;    /* what send(2) fails with */
static const char *answer; /* what the peer says before that, or NULL */

ssize_t
send(int fd, const void *bytes, size_t n, int flags)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	(void)bytes;
	(void)n;
	(void)flags;
	if (peer < 0 && answer != NULL) {
		peer = accept(listener, NULL, NULL);
		if (write(peer, answer, strlen(answer)) < 0)
			abort();
		poll(&p, 1, -1);
	}
	errno = send_errnum;
	return -1;
}

/* The exchange: its result, *e and the status of an answer. */
static int
ask(uint16_t port, struct err *e, int *status)
{
	struct http_client_options o = {
	    .connector = {.dial = {.type = SOCK_STREAM,
			      .sock = SOCK_OPTIONS_INIT},
		.timeout_ms = -1,
		.retry_ms = -1},
	    .idle_ms = -1,
	    .until = deadline_after(10000)};
	struct http_route route = {
	    .server = {.host = "127.0.0.1", .port = port}};
	struct http_request r = {.method = HTTP_GET, .closes = true};
	struct http_client c;
	struct sink nowhere;
	struct url u;
	int result;

	url_parse(&u, "http://a/", e);
	r.url = &u;
	http_client_init(&c, &o);
	result = http_client_request(&c, &route, &r, e);
	*status = http_client_response(&c)->head.status;
	sink_init(&nowhere, -1, "", false);
	if (result == 0)
		result = http_client_read(&c, &nowhere, NULL, e);
	http_client_release(&c);
	if (peer >= 0)
		close(peer);
	peer = -1;
	return result;
}

int
main(void)
{
	static const int all[] = {
	    EPERM, ENOBUFS, ENOMEM, EACCES, ENETDOWN, EPIPE};
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	struct err e = ERR_INIT;
	size_t i;
	int status;

	alarm(60);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&a, len) < 0 ||
	    listen(listener, 16) < 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		return 1;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		send_errnum = all[i];
		answer = NULL;
		is_int(ask(ntohs(a.sin_port), &e, &status), -1,
		    "a server that says nothing: it fails");
		is_int(e.errnum, all[i], "for the reason of send(2)");
		close(accept(listener, NULL, NULL));
		answer = "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno";
		is_int(ask(ntohs(a.sin_port), &e, &status), 0,
		    "an answer that is there is read");
		is_int(status, 503, "and counts");
		answer = "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nno";
		is_int(ask(ntohs(a.sin_port), &e, &status), -1,
		    "one that is not whole is not");
		is_int(e.errnum, all[i], "for the reason of send(2)");
	}
	return done_testing();
}
