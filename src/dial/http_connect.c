/* HTTP CONNECT: requests a connection to the target from a proxy. */
#include "dial/http_connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "dial/proxy.h"
#include "dial/tunnel.h"
#include "http/http_response.h"

/* The longest request. */
#define MESSAGE_SIZE 2048

/*
 * Reads the head of the response. The bytes after it are from the target and
 * stay in the socket, so each piece is peeked at before it is received.
 */
static int
read_head(struct tunnel *t, struct http_response *p)
{
	enum http_event event = HTTP_WANTS_MORE;
	unsigned char bytes[2048];
	struct http_input in;
	ssize_t n;

	http_response_start(p, HTTP_CONNECT);
	while (event != HTTP_GOT_HEAD) {
		n = tunnel_receive(t, bytes, sizeof(bytes), MSG_PEEK);
		if (n < 0)
			return -1;
		in = (struct http_input){bytes, (size_t)n};
		event = http_response_parse(p, &in, t->e);
		if (event == HTTP_GOT_ERROR ||
		    tunnel_receive_all(t, bytes, (size_t)n - in.length) < 0)
			return -1;
	}
	return 0;
}

/* What a status says about the target; some proxies use only one of them. */
static int
target_errnum(int status)
{
	switch (status) {
	case 500:
	case 502:
	case 503:
		return EHOSTUNREACH;
	case 504:
		return ETIMEDOUT;
	default:
		return 0;
	}
}

static int
check_status(struct tunnel *t, const struct http_head *head)
{
	char reason[128], why[192];

	if (head->status / 100 == 2)
		return 0;
	if (head->status == 407)
		return tunnel_declined(t,
		    t->proxy->user[0] == '\0'
			? "407, it wants a user and password"
			: "407, wrong user or password",
		    0);
	snprintf(why, sizeof(why), "%d %s", head->status,
	    text_escape(reason, sizeof(reason), head->text + head->reason,
		head->reason_length));
	return tunnel_declined(t, why, target_errnum(head->status));
}

int
http_connect_open(struct tunnel *t)
{
	char message[MESSAGE_SIZE], user[2 * PROXY_SECRET], host[320];
	char encoded[BASE64_SIZE(sizeof(user))];
	bool is_ip6 = strchr(t->target->host, ':') != NULL;
	struct http_response *p;
	int result;

	snprintf(host, sizeof(host), "%s%s%s:%u", is_ip6 ? "[" : "",
	    t->target->host, is_ip6 ? "]" : "", t->target->port);
	snprintf(message, sizeof(message),
	    "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sockt\r\n", host,
	    host);
	if (proxy_credentials(t->proxy, user, sizeof(user)))
		text_append(message, sizeof(message),
		    "Proxy-Authorization: Basic %s\r\n",
		    base64_encode(encoded, user, strlen(user)));
	text_append(message, sizeof(message), "\r\n");
	if (tunnel_send(t, message, strlen(message)) < 0)
		return -1;
	p = mem_array(1, sizeof(*p));
	result = read_head(t, p);
	if (result == 0)
		result = check_status(t, &p->head);
	free(p);
	return result;
}
