/* Tunnels through a proxy: SOCKS4, SOCKS4a, SOCKS5 and HTTP CONNECT. */
#include "dial/tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_parser.h"
#include "dial/proxy.h"
#include "net/stream.h"

/* Longest message of a handshake that is sent. */
#define MESSAGE_SIZE 2048

/* A handshake under way. */
struct handshake {
	const struct proxy *proxy;
	const struct endpoint *target;
	struct stream stream;
	struct err *e;
	bool is_requested; /* a SOCKS proxy knows the target */
};

static int
declined(struct handshake *h, const char *why)
{
	return err_set(h->e, ERR_PEER, "it declined: %s", why);
}

/* The same for the target's sake, which errnum stands for; 0: for no such. */
static int
declined_target(struct handshake *h, const char *why, int errnum)
{
	declined(h, why);
	h->e->errnum = errnum;
	return -1;
}

static int
malformed(struct handshake *h)
{
	return err_set(h->e, ERR_PROTOCOL,
	    "its answer is malformed; perhaps it is another kind of proxy");
}

/* OpenSSH's proxy, for one, has no other answer when it cannot connect. */
static int
closed(struct handshake *h)
{
	if (!h->is_requested)
		return err_set(h->e, ERR_PROTOCOL,
		    "it closed the connection during the handshake");
	err_set(h->e, ERR_PEER,
	    "it closed the connection without a reply: it cannot reach the "
	    "target (ssh -D reports that in this way)");
	h->e->errnum = EHOSTUNREACH;
	return -1;
}

/* How sending or receiving ended: 0, or -1 with an error; what was tried. */
static int
result_of(struct handshake *h, enum stream_end end, const char *what)
{
	switch (end) {
	case STREAM_DONE:
		return 0;
	case STREAM_ENDED:
		return closed(h);
	case STREAM_LIMIT:
		return err_set(h->e, ERR_TIMEOUT, "it did not answer in time");
	case STREAM_STOPPED:
		return err_sys(h->e, ERR_FAILED, errno, "waiting for it");
	default:
		return err_sys(h->e, ERR_LOST, errno, "%s", what);
	}
}

static int
send_all(struct handshake *h, const void *bytes, size_t n)
{
	uint64_t sent = 0;

	return result_of(
	    h, stream_send(&h->stream, bytes, n, &sent), "asking it");
}

/* Receives at least a byte, at most size. The count, or -1 with an error. */
static ssize_t
receive(struct handshake *h, void *space, size_t size, int flags)
{
	struct stream stream = h->stream;
	size_t n = 0;
	enum stream_end end;

	stream.receive_flags = flags;
	end = stream_receive(&stream, space, size, &n);
	return result_of(h, end, "waiting for its answer") < 0 ? -1
							       : (ssize_t)n;
}

/* Sends the request that names the target. */
static int
ask(struct handshake *h, const void *bytes, size_t n)
{
	if (send_all(h, bytes, n) < 0)
		return -1;
	h->is_requested = true;
	return 0;
}

static int
receive_all(struct handshake *h, unsigned char *bytes, size_t n)
{
	ssize_t done;

	for (; n > 0; bytes += done, n -= (size_t)done)
		if ((done = receive(h, bytes, n, 0)) < 0)
			return -1;
	return 0;
}

static size_t
put_port(unsigned char *out, uint16_t port)
{
	out[0] = (unsigned char)(port >> 8);
	out[1] = (unsigned char)(port & 0xff);
	return 2;
}

/* The target's address where it is a number; its family, or 0. */
static int
target_family(const struct handshake *h, struct addr *a)
{
	return addr_parse_ip(a, h->target->host, 0) ? addr_family(a) : 0;
}

static int
socks4(struct handshake *h)
{
	/* Where the host is a name (4a), the address is 0.0.0.x. */
	unsigned char message[MESSAGE_SIZE] = {4, 1, 0, 0, 0, 0, 0, 1};
	unsigned char answer[8];
	struct addr a;
	size_t n = 8, length;
	int family = target_family(h, &a);

	if (family == AF_INET6)
		return declined(h, "SOCKS4 knows no IPv6 addresses");
	put_port(message + 2, h->target->port);
	if (family == AF_INET)
		memcpy(message + 4, &a.u.in4.sin_addr, 4);
	length = strlen(h->proxy->user) + 1;
	memcpy(message + n, h->proxy->user, length);
	n += length;
	if (family == 0) {
		length = strlen(h->target->host) + 1;
		memcpy(message + n, h->target->host, length);
		n += length;
	}
	if (ask(h, message, n) < 0 ||
	    receive_all(h, answer, sizeof(answer)) < 0)
		return -1;
	if (answer[0] != 0)
		return malformed(h);
	if (answer[1] == 92 || answer[1] == 93)
		return declined(h, "it does not know the user");
	/* SOCKS4 does not tell the one from the other. */
	return answer[1] == 90
		   ? 0
		   : declined_target(h, "rejected or failed", EHOSTUNREACH);
}

static int
socks5_authenticate(struct handshake *h)
{
	unsigned char message[MESSAGE_SIZE] = {1}, answer[2];
	size_t user = strlen(h->proxy->user);
	size_t password = strlen(h->proxy->password), n = 2;

	message[1] = (unsigned char)user;
	memcpy(message + n, h->proxy->user, user);
	n += user;
	message[n++] = (unsigned char)password;
	memcpy(message + n, h->proxy->password, password);
	n += password;
	if (send_all(h, message, n) < 0 || receive_all(h, answer, 2) < 0)
		return -1;
	return answer[1] == 0 ? 0 : declined(h, "wrong user or password");
}

/* Which authentication; does it. */
static int
socks5_greet(struct handshake *h)
{
	unsigned char answer[2];
	bool has_user = h->proxy->user[0] != '\0';
	const unsigned char message[] = {5, has_user ? 2 : 1, 0, 2};

	if (send_all(h, message, has_user ? 4 : 3) < 0 ||
	    receive_all(h, answer, 2) < 0)
		return -1;
	if (answer[0] != 5)
		return malformed(h);
	if (answer[1] == 0)
		return 0;
	if (answer[1] == 2 && has_user)
		return socks5_authenticate(h);
	return declined(h, has_user ? "it takes no user and password"
				    : "it wants a user and password");
}

/* RFC 1928 section 6: what a reply says, and what that means for the target. */
static int
socks5_declined(struct handshake *h, unsigned char code)
{
	static const struct {
		const char *why;
		int errnum;
	} replies[] = {
	    {"", 0},
	    {"general failure", EHOSTUNREACH},
	    {"its rules do not allow that", 0},
	    {"the network is unreachable", ENETUNREACH},
	    {"the host is unreachable", EHOSTUNREACH},
	    {"the target refused the connection", ECONNREFUSED},
	    {"time to live expired", EHOSTUNREACH},
	    {"it does not know the command", 0},
	    {"it does not know that kind of address", 0},
	};

	if (code >= sizeof(replies) / sizeof(replies[0]))
		return declined(h, "for a reason that has no name");
	return declined_target(h, replies[code].why, replies[code].errnum);
}

/* The address it is bound to, which is of no use here. */
static int
socks5_skip_address(struct handshake *h, unsigned char type)
{
	unsigned char rest[256 + 2], length;

	switch (type) {
	case 1:
		return receive_all(h, rest, 4 + 2);
	case 4:
		return receive_all(h, rest, 16 + 2);
	case 3:
		if (receive_all(h, &length, 1) < 0)
			return -1;
		return receive_all(h, rest, (size_t)length + 2);
	default:
		return malformed(h);
	}
}

static int
socks5(struct handshake *h)
{
	unsigned char message[MESSAGE_SIZE] = {5, 1, 0}, answer[4];
	size_t n = 4, length = strlen(h->target->host);
	struct addr a;

	switch (target_family(h, &a)) {
	case AF_INET:
		message[3] = 1;
		memcpy(message + n, &a.u.in4.sin_addr, 4);
		n += 4;
		break;
	case AF_INET6:
		message[3] = 4;
		memcpy(message + n, &a.u.in6.sin6_addr, 16);
		n += 16;
		break;
	default:
		message[3] = 3;
		message[n++] = (unsigned char)length;
		memcpy(message + n, h->target->host, length);
		n += length;
	}
	n += put_port(message + n, h->target->port);
	if (socks5_greet(h) < 0 || ask(h, message, n) < 0 ||
	    receive_all(h, answer, sizeof(answer)) < 0)
		return -1;
	if (answer[0] != 5)
		return malformed(h);
	if (answer[1] != 0)
		return socks5_declined(h, answer[1]);
	return socks5_skip_address(h, answer[3]);
}

/*
 * Reads the head of the answer. What comes behind it is the target's and
 * stays in the socket, so every piece is looked at before it is taken.
 */
static int
read_head(struct handshake *h, struct http_parser *p)
{
	enum http_event event = HTTP_WANTS_MORE;
	unsigned char bytes[2048];
	size_t used, length;
	ssize_t n;

	http_parser_start(p, HTTP_CONNECT);
	while (event != HTTP_GOT_HEAD) {
		n = receive(h, bytes, sizeof(bytes), MSG_PEEK);
		if (n < 0)
			return -1;
		event =
		    http_parser_take(p, bytes, (size_t)n, &used, &length, h->e);
		if (event == HTTP_GOT_ERROR || receive_all(h, bytes, used) < 0)
			return -1;
	}
	return 0;
}

/* What a status says about the target; some proxies know just one of them. */
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
judge_connect(struct handshake *h, const struct http_head *head)
{
	char reason[128], why[192];

	if (head->status / 100 == 2)
		return 0;
	if (head->status == 407)
		return declined(h, h->proxy->user[0] == '\0'
				       ? "407, it wants a user and password"
				       : "407, wrong user or password");
	snprintf(why, sizeof(why), "%d %s", head->status,
	    text_escape(reason, sizeof(reason), head->text + head->reason,
		head->reason_length));
	return declined_target(h, why, target_errnum(head->status));
}

static int
http_connect(struct handshake *h)
{
	char message[MESSAGE_SIZE], user[2 * PROXY_SECRET], host[320];
	char encoded[BASE64_SIZE(sizeof(user))];
	bool is_ip6 = strchr(h->target->host, ':') != NULL;
	struct http_parser *p;
	int result;

	snprintf(host, sizeof(host), "%s%s%s:%u", is_ip6 ? "[" : "",
	    h->target->host, is_ip6 ? "]" : "", h->target->port);
	snprintf(message, sizeof(message),
	    "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sockt\r\n", host,
	    host);
	if (proxy_credentials(h->proxy, user, sizeof(user)))
		text_append(message, sizeof(message),
		    "Proxy-Authorization: Basic %s\r\n",
		    base64_encode(encoded, user, strlen(user)));
	text_append(message, sizeof(message), "\r\n");
	if (send_all(h, message, strlen(message)) < 0)
		return -1;
	p = mem_array(1, sizeof(*p));
	result = read_head(h, p);
	if (result == 0)
		result = judge_connect(h, &p->head);
	free(p);
	return result;
}

/* Tells what was reached beyond the proxy. */
static void
announce(const struct handshake *h, int64_t ns)
{
	char text[ENDPOINT_TEXT], name[ENDPOINT_TEXT + 32], took[32];
	struct json j;

	diag_event_begin(&j, "proxied");
	json_text(&j, "host", h->target->host);
	json_number(&j, "port", h->target->port);
	json_seconds(&j, "seconds", (double)ns / 1e9);
	diag_event_end(&j, DIAG_NOTE, "reached %s through %s in %s",
	    endpoint_format(h->target, text, sizeof(text)),
	    proxy_format(h->proxy, name, sizeof(name)),
	    num_format_duration(took, sizeof(took), ns));
}

int
tunnel_open(const struct proxy *p, int fd, const struct endpoint *target,
    struct deadline until, struct err *e)
{
	struct handshake h = {.proxy = p,
	    .target = target,
	    .stream = {.fd = fd, .until = until, .idle_ms = -1},
	    .e = e};
	int64_t start = clock_now();
	char text[ENDPOINT_TEXT], name[ENDPOINT_TEXT + 32];
	int result;

	if (proxy_check(target, e) < 0)
		return -1;
	switch (p->kind) {
	case PROXY_SOCKS4:
		result = socks4(&h);
		break;
	case PROXY_SOCKS5:
		result = socks5(&h);
		break;
	default:
		result = http_connect(&h);
	}
	endpoint_format(target, text, sizeof(text));
	diag_step("proxy", start, result < 0 ? EPROTO : 0,
	    "the proxy has connected us to the target", "to %s", text);
	if (result == 0) {
		announce(&h, clock_now() - start);
		return 0;
	}
	return err_prefix(
	    e, "%s by way of %s", text, proxy_format(p, name, sizeof(name)));
}
