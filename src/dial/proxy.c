/* Proxies: parses, checks and formats them, and connects through SOCKS4,
 * SOCKS4a, SOCKS5 and HTTP CONNECT. */
#include "dial/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_response.h"
#include "http/url.h"
#include "net/stream.h"

#define SOCKS_PORT 1080
#define HTTP_PORT 8080
/* The longest message: user and host of 255 bytes each, and their framing. */
#define MESSAGE_SIZE 2048

/* The handshake with a proxy. */
struct tunnel {
	const struct proxy *proxy;
	const struct endpoint *target;
	const struct stream *stream; /* to the proxy */
	struct err *e;
	bool is_requested; /* the target was sent to a SOCKS proxy */
};

static const struct scheme {
	const char *name;
	enum proxy_kind kind;
	uint16_t port;
} schemes[] = {
    {"http", PROXY_HTTP, HTTP_PORT},
    {"socks5", PROXY_SOCKS5, SOCKS_PORT},
    {"socks5h", PROXY_SOCKS5, SOCKS_PORT},
    {"socks4", PROXY_SOCKS4, SOCKS_PORT},
    {"socks4a", PROXY_SOCKS4, SOCKS_PORT},
};

static const struct scheme *
find_scheme(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i].name) == n &&
		    strncasecmp(schemes[i].name, name, n) == 0)
			return &schemes[i];
	return NULL;
}

/* Parses USER[:PASS], with %XX. */
static int
parse_secret(struct proxy *p, const char *text, size_t n, struct err *e)
{
	const char *colon = memchr(text, ':', n);
	size_t user = colon == NULL ? n : (size_t)(colon - text);

	if (url_decode(p->user, sizeof(p->user), text, user) <= 0 ||
	    (colon != NULL && url_decode(p->password, sizeof(p->password),
				  colon + 1, n - user - 1) < 0))
		return err_set(e, ERR_USAGE,
		    "the user or the password is malformed or too long");
	return 0;
}

/* Parses HOST, HOST:PORT, [V6] or [V6]:PORT. */
static int
parse_server(struct proxy *p, const char *text, uint16_t port, struct err *e)
{
	char host[ENDPOINT_HOST + 16], *operands[] = {host, NULL};
	size_t n = strcspn(text, "/");
	char *colon;

	if (n >= sizeof(host) - 8 || strncmp(text, "unix:", 5) == 0 ||
	    (text[n] == '/' && text[n + 1] != '\0'))
		return err_set(e, ERR_USAGE,
		    "expected [SCHEME://][USER:PASS@]HOST[:PORT]");
	memcpy(host, text, n);
	host[n] = '\0';
	colon = strrchr(host, ':');
	if (colon == NULL || strchr(colon, ']') != NULL)
		text_append(host, sizeof(host), ":%u", port);
	return endpoint_parse(&p->server, operands, 1, "tcp", e);
}

int
proxy_parse(struct proxy *p, const char *text, struct err *e)
{
	const char *sign = strstr(text, "://"), *at;
	const struct scheme *s = &schemes[0];

	memset(p, 0, sizeof(*p));
	p->origin = "--proxy";
	if (sign != NULL) {
		s = find_scheme(text, (size_t)(sign - text));
		if (s == NULL)
			return err_set(e, ERR_USAGE,
			    "the scheme '%s' must be http, socks4 or socks5",
			    text_shown_bytes(text, (size_t)(sign - text)));
		text = sign + 3;
	}
	p->kind = s->kind;
	at = strrchr(text, '@');
	if (at != NULL) {
		if (parse_secret(p, text, (size_t)(at - text), e) < 0)
			return -1;
		text = at + 1;
	}
	return parse_server(p, text, s->port, e);
}

const char *
proxy_text(const struct proxy *p)
{
	static const char *const names[] = {"no", "HTTP", "SOCKS4", "SOCKS5"};

	return text_format("the %s proxy %s (%s)", names[p->kind],
	    endpoint_text(&p->server), p->origin);
}

bool
proxy_credentials(const struct proxy *p, char *buf, size_t size)
{
	int n;

	if (p->user[0] == '\0')
		return false;
	n = snprintf(buf, size, "%s:%s", p->user, p->password);
	return n > 0 && (size_t)n < size;
}

int
proxy_check(const struct endpoint *target, struct err *e)
{
	const unsigned char *at = (const unsigned char *)target->host;

	if (!target->is_unix && endpoint_check_host(target->host, e) < 0)
		return -1;
	/* The proxy gets the name unchanged: it must not break the request. */
	while (*at > 0x20 && *at != 0x7f)
		at++;
	if (!target->is_unix && *at == '\0')
		return 0;
	return err_set(e, ERR_USAGE, "%s cannot be reached through a proxy",
	    endpoint_text(target));
}

static int
declined(struct tunnel *t, const char *why, int errnum)
{
	err_set(t->e, ERR_PEER, "declined: %s", why);
	t->e->errnum = errnum;
	t->e->waits = errnum != 0;
	return -1;
}

static int
malformed(struct tunnel *t)
{
	return err_set(t->e, ERR_PROTOCOL,
	    "its answer is malformed (perhaps it is another kind of proxy)");
}

/* The proxy closed the connection, as OpenSSH's does if it cannot connect. */
static int
closed(struct tunnel *t)
{
	if (!t->is_requested)
		return err_set(t->e, ERR_PROTOCOL,
		    "closed the connection during the handshake "
		    "(perhaps it is another kind of proxy)");
	err_set(t->e, ERR_PEER,
	    "closed the connection without a reply (it cannot reach the "
	    "target: ssh -D reports that in this way)");
	t->e->errnum = EHOSTUNREACH;
	t->e->waits = true;
	return -1;
}

/* Turns the end of an operation, what, into 0, or -1 with an error. */
static int
result_of(struct tunnel *t, enum stream_end end, const char *what)
{
	switch (end) {
	case STREAM_DONE:
		return 0;
	case STREAM_ENDED:
		return closed(t);
	case STREAM_LIMIT:
		return deadline_error(
		    t->stream->until, "no answer to the handshake", t->e);
	case STREAM_STOPPED:
		return err_sys(
		    t->e, ERR_FAILED, errno, "waiting for the answer");
	default:
		return err_sys(t->e, ERR_LOST, errno, "%s", what);
	}
}

static int
send_all(struct tunnel *t, const void *bytes, size_t n)
{
	uint64_t sent = 0;

	struct stream stream = *t->stream;

	return result_of(
	    t, stream_send(&stream, bytes, n, &sent), "sending the request");
}

static ssize_t
receive_some(struct tunnel *t, void *space, size_t size, int flags)
{
	struct stream stream = *t->stream;
	size_t n = 0;
	enum stream_end end;

	stream.receive_flags = flags;
	end = stream_receive(&stream, space, size, &n);
	return result_of(t, end, "waiting for the answer") < 0 ? -1
							       : (ssize_t)n;
}

static int
receive_all(struct tunnel *t, unsigned char *bytes, size_t n)
{
	ssize_t done;

	for (; n > 0; bytes += done, n -= (size_t)done)
		if ((done = receive_some(t, bytes, n, 0)) < 0)
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

/* Parses a numeric target into a. Returns its family, or 0 for a name. */
static int
target_family(const struct tunnel *t, struct addr *a)
{
	return addr_parse_ip(a, t->target->host, 0) ? addr_family(a) : 0;
}

static int
socks4(struct tunnel *t)
{
	/* If the host is a name (4a), the address is 0.0.0.x. */
	unsigned char message[MESSAGE_SIZE] = {4, 1, 0, 0, 0, 0, 0, 1};
	unsigned char reply[8];
	struct addr a;
	size_t n = 8, length;
	int family = target_family(t, &a);

	if (family == AF_INET6)
		return declined(t, "SOCKS4 has no IPv6 addresses", 0);
	put_port(message + 2, t->target->port);
	if (family == AF_INET)
		memcpy(message + 4, &a.u.in4.sin_addr, 4);
	length = strlen(t->proxy->user) + 1;
	memcpy(message + n, t->proxy->user, length);
	n += length;
	if (family == 0) {
		length = strlen(t->target->host) + 1;
		memcpy(message + n, t->target->host, length);
		n += length;
	}
	if (send_all(t, message, n) < 0)
		return -1;
	t->is_requested = true;
	if (receive_all(t, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 0)
		return malformed(t);
	if (reply[1] == 92 || reply[1] == 93)
		return declined(t, "the user is unknown to it", 0);
	/* SOCKS4 does not distinguish the two. */
	return reply[1] == 90
		   ? 0
		   : declined(t, "rejected or failed (SOCKS4 gives no reason)",
			 EHOSTUNREACH);
}

static int
socks5_authenticate(struct tunnel *t)
{
	unsigned char message[MESSAGE_SIZE] = {1}, reply[2];
	size_t user = strlen(t->proxy->user);
	size_t password = strlen(t->proxy->password), n = 2;

	message[1] = (unsigned char)user;
	memcpy(message + n, t->proxy->user, user);
	n += user;
	message[n++] = (unsigned char)password;
	memcpy(message + n, t->proxy->password, password);
	n += password;
	if (send_all(t, message, n) < 0 || receive_all(t, reply, 2) < 0)
		return -1;
	return reply[1] == 0 ? 0 : declined(t, "wrong user or password", 0);
}

/* Negotiates the authentication method, and authenticates. */
static int
socks5_greet(struct tunnel *t)
{
	unsigned char reply[2];
	bool has_user = t->proxy->user[0] != '\0';
	const unsigned char message[] = {5, has_user ? 2 : 1, 0, 2};

	if (send_all(t, message, has_user ? 4 : 3) < 0 ||
	    receive_all(t, reply, 2) < 0)
		return -1;
	if (reply[0] != 5)
		return malformed(t);
	if (reply[1] == 0)
		return 0;
	if (reply[1] == 2 && has_user)
		return socks5_authenticate(t);
	return declined(t,
	    has_user ? "it accepts no user and password"
		     : "it wants a user and password",
	    0);
}

/* RFC 1928 section 6: the texts of replies, and the target's errno. */
static int
refused_by_socks5(struct tunnel *t, unsigned char code)
{
	static const struct {
		const char *why;
		int errnum;
	} replies[] = {
	    {"", 0},
	    {"general failure (it gives no reason)", EHOSTUNREACH},
	    {"its rules do not allow that", 0},
	    {"the network is unreachable", ENETUNREACH},
	    {"the host is unreachable", EHOSTUNREACH},
	    {"the target refused the connection", ECONNREFUSED},
	    {"time to live expired", EHOSTUNREACH},
	    {"it does not support connecting", 0},
	    {"it does not support that kind of address", 0},
	};

	if (code >= sizeof(replies) / sizeof(replies[0]))
		return declined(t, "an unknown reason", 0);
	return declined(t, replies[code].why, replies[code].errnum);
}

/* Skips the address that the proxy has bound. */
static int
socks5_skip_address(struct tunnel *t, unsigned char type)
{
	unsigned char rest[256 + 2], length;

	switch (type) {
	case 1:
		return receive_all(t, rest, 4 + 2);
	case 4:
		return receive_all(t, rest, 16 + 2);
	case 3:
		if (receive_all(t, &length, 1) < 0)
			return -1;
		return receive_all(t, rest, (size_t)length + 2);
	default:
		return malformed(t);
	}
}

static int
socks5(struct tunnel *t)
{
	unsigned char message[MESSAGE_SIZE] = {5, 1, 0}, reply[4];
	size_t n = 4, length = strlen(t->target->host);
	struct addr a;

	switch (target_family(t, &a)) {
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
		memcpy(message + n, t->target->host, length);
		n += length;
	}
	n += put_port(message + n, t->target->port);
	if (socks5_greet(t) < 0 || send_all(t, message, n) < 0)
		return -1;
	t->is_requested = true;
	if (receive_all(t, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 5)
		return malformed(t);
	if (reply[1] != 0)
		return refused_by_socks5(t, reply[1]);
	return socks5_skip_address(t, reply[3]);
}

/*
 * Reads the head of the response. The bytes after it are from the target and
 * stay in the socket, so each piece is peeked at before it is received.
 */
static int
read_head(struct tunnel *t, struct http_response *p)
{
	enum http_event event = HTTP_WANTS_MORE;
	unsigned char bytes[2048];
	struct buf in;
	ssize_t n;

	http_response_start(p, HTTP_CONNECT);
	while (event != HTTP_GOT_HEAD) {
		n = receive_some(t, bytes, sizeof(bytes), MSG_PEEK);
		if (n < 0)
			return -1;
		buf_init(&in, bytes, sizeof(bytes));
		buf_added(&in, (size_t)n);
		event = http_response_parse(p, &in, t->e);
		if (event == HTTP_GOT_ERROR ||
		    receive_all(t, bytes, (size_t)n - buf_length(&in)) < 0)
			return -1;
	}
	return 0;
}

static int
check_status(struct tunnel *t, const struct http_head *head)
{
	int status = head->status, errnum = 0;
	char why[192];

	if (status / 100 == 2)
		return 0;
	/* What it says about the target; some proxies use only one of them. */
	if (status == 504)
		errnum = ETIMEDOUT;
	else if (status == 500 || status == 502 || status == 503)
		errnum = EHOSTUNREACH;
	if (status == 407)
		return declined(t,
		    t->proxy->user[0] == '\0'
			? "407, it wants a user and password"
			: "407, wrong user or password",
		    0);
	snprintf(why, sizeof(why), "%d %s", status,
	    text_shown_bytes(head->text + head->reason, head->reason_length));
	return declined(t, why, errnum);
}

static int
http_connect(struct tunnel *t)
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
	if (send_all(t, message, strlen(message)) < 0)
		return -1;
	p = mem_array(1, sizeof(*p));
	result = read_head(t, p);
	if (result == 0)
		result = check_status(t, &p->head);
	free(p);
	return result;
}

int
proxy_open(const struct proxy *p, const struct endpoint *target,
    const struct stream *stream, struct err *e)
{
	struct tunnel t = {p, target, stream, e, false};
	int64_t ns = clock_now();
	struct json *j;
	int result;

	if (proxy_check(target, e) < 0)
		return -1;
	switch (p->kind) {
	case PROXY_HTTP:
		result = http_connect(&t);
		break;
	case PROXY_SOCKS4:
		result = socks4(&t);
		break;
	default:
		result = socks5(&t);
	}
	if (result < 0)
		return err_prefix(
		    e, "%s: %s", endpoint_text(target), proxy_text(p));
	ns = clock_now() - ns;
	j = diag_event_begin("proxied");
	json_text(j, "host", target->host);
	json_number(j, "port", target->port);
	json_seconds(j, "seconds", (double)ns / 1e9);
	diag_event_end(DIAG_NOTE, "reached %s through %s in %s",
	    endpoint_text(target), proxy_text(p), num_duration_text(ns));
	return 0;
}
