/* Proxies: parses, checks and formats them, and connects through SOCKS4,
 * SOCKS4a, SOCKS5 and HTTP CONNECT. */
#include "dial/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/num.h"
#include "base/text.h"
#include "http/http_request.h"
#include "http/http_response.h"
#include "http/url.h"
#include "net/link.h"

#define SOCKS_PORT 1080
#define HTTP_PORT 8080
/* The longest message: user and host of 255 bytes each, and their framing. */
#define MESSAGE_SIZE 2048

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
#define SCHEMES (sizeof(schemes) / sizeof(schemes[0]))

int
proxy_parse(struct proxy *p, const char *text, struct err *e)
{
	const char *sign = strstr(text, "://"), *at, *colon;
	const struct scheme *s = schemes;
	char host[ENDPOINT_HOST + 16], *operands[] = {host, NULL};
	size_t n;

	memset(p, 0, sizeof(*p));
	p->origin = "--proxy";
	if (sign != NULL) {
		n = (size_t)(sign - text);
		while (s < schemes + SCHEMES &&
		       (strlen(s->name) != n ||
			   strncasecmp(s->name, text, n) != 0))
			s++;
		if (s == schemes + SCHEMES)
			return err_set(e, ERR_USAGE,
			    "the scheme '%s' must be http, socks4 or socks5",
			    text_shown_bytes(text, n));
		text = sign + 3;
	}
	p->kind = s->kind;
	at = strrchr(text, '@');
	if (at != NULL) {
		n = (size_t)(at - text);
		colon = memchr(text, ':', n);
		if (url_decode(p->user, sizeof(p->user), text,
			colon == NULL ? n : (size_t)(colon - text)) <= 0 ||
		    (colon != NULL &&
			url_decode(p->password, sizeof(p->password), colon + 1,
			    (size_t)(at - colon) - 1) < 0))
			return err_set(e, ERR_USAGE,
			    "the user or the password is malformed or too "
			    "long");
		snprintf(
		    p->basic, sizeof(p->basic), "%s:%s", p->user, p->password);
		text = at + 1;
	}
	/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT. */
	n = strcspn(text, "/");
	if (n >= sizeof(host) - 8 || strncmp(text, "unix:", 5) == 0 ||
	    (text[n] == '/' && text[n + 1] != '\0'))
		return err_set(e, ERR_USAGE,
		    "expected [SCHEME://][USER:PASSWORD@]HOST[:PORT]");
	snprintf(host, sizeof(host), "%.*s", (int)n, text);
	colon = strrchr(host, ':');
	if (colon == NULL || strchr(colon, ']') != NULL)
		text_append(host, sizeof(host), ":%u", s->port);
	return endpoint_parse(&p->server, operands, 0, "tcp", e);
}

const char *
proxy_text(const struct proxy *p)
{
	static const char *const names[] = {"no", "HTTP", "SOCKS4", "SOCKS5"};

	return text_format("the %s proxy %s (%s)", names[p->kind],
	    endpoint_text(&p->server), p->origin);
}

/* The handshake with a proxy. */
struct tunnel {
	const struct proxy *proxy;
	const struct endpoint *target;
	struct link *link; /* The connection to the proxy. */
	struct deadline until;
	struct err *e;
	bool is_requested; /* A SOCKS proxy was sent the target. */
};

static int
declined(struct tunnel *t, const char *why, bool waits)
{
	err_set(t->e, ERR_PEER, "declined: %s", why);
	t->e->waits = waits;
	return -1;
}

static int
malformed(struct tunnel *t)
{
	return err_set(t->e, ERR_PROTOCOL,
	    "its answer is malformed (perhaps it is another kind of proxy)");
}

/* After a call has failed with errno. Returns -1 with an error. */
static int
fail(struct tunnel *t)
{
	if (errno == EAGAIN)
		return deadline_error(
		    t->until, "no answer to the handshake", t->e);
	return err_sys(t->e, errno == EINTR ? ERR_FAILED : ERR_LOST, errno,
	    "the handshake");
}

/* As recv(2), but waits for a byte. Returns how many, or -1 with an error. */
static ssize_t
receive_some(struct tunnel *t, void *space, size_t size, int flags)
{
	ssize_t n = link_receive(t->link, space, size, flags, -1, t->until);

	if (n != 0)
		return n < 0 ? fail(t) : n;
	if (!t->is_requested)
		return err_set(t->e, ERR_PROTOCOL,
		    "closed the connection during the handshake (perhaps it is "
		    "another kind of proxy)");
	err_set(t->e, ERR_PEER,
	    "closed the connection without a reply (it cannot reach the "
	    "target: ssh -D reports that in this way)");
	t->e->waits = true;
	return -1;
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

static int
request(struct tunnel *t, const void *message, size_t n, unsigned char *reply,
    size_t size)
{
	if (link_send(t->link, message, n, -1, t->until) < 0)
		return fail(t);
	return receive_all(t, reply, size);
}

/* A message of SOCKS. */
struct socks_message {
	unsigned char bytes[MESSAGE_SIZE];
	size_t n;
};

static void
put(struct socks_message *m, const void *bytes, size_t n)
{
	memcpy(m->bytes + m->n, bytes, n);
	m->n += n;
}

static int
socks4(struct tunnel *t)
{
	/* If the host is a name (4a), the address is 0.0.0.x. */
	static const unsigned char unknown[4] = {0, 0, 0, 1};
	struct socks_message m = {{4, 1}, 2};
	unsigned char reply[8];
	uint16_t port = htons(t->target->port);
	struct addr a;
	bool is_name = !addr_parse_ip(&a, t->target->host, 0);

	if (!is_name && addr_family(&a) == AF_INET6)
		return declined(t, "SOCKS4 has no IPv6 addresses", false);
	put(&m, &port, sizeof(port));
	put(&m, is_name ? (const void *)unknown : &a.u.in4.sin_addr, 4);
	put(&m, t->proxy->user, strlen(t->proxy->user) + 1);
	if (is_name)
		put(&m, t->target->host, strlen(t->target->host) + 1);
	t->is_requested = true;
	if (request(t, m.bytes, m.n, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 0)
		return malformed(t);
	if (reply[1] == 92 || reply[1] == 93)
		return declined(t, "the user is unknown to it", false);
	/* SOCKS4 does not distinguish the two. */
	if (reply[1] != 90)
		return declined(
		    t, "rejected or failed (SOCKS4 gives no reason)", true);
	return 0;
}

/* Negotiates the authentication method, and authenticates (RFC 1929). */
static int
socks5_greet(struct tunnel *t)
{
	const char *user = t->proxy->user, *password = t->proxy->password;
	bool has_user = user[0] != '\0';
	const unsigned char methods[] = {5, has_user ? 2 : 1, 0, 2};
	struct socks_message m = {{1, (unsigned char)strlen(user)}, 2};
	unsigned char reply[2];

	if (request(t, methods, has_user ? 4 : 3, reply, 2) < 0)
		return -1;
	if (reply[0] != 5)
		return malformed(t);
	if (reply[1] == 0)
		return 0;
	if (reply[1] != 2 || !has_user)
		return declined(t,
		    has_user ? "it accepts no user and password"
			     : "it wants a user and password",
		    false);
	put(&m, user, strlen(user));
	m.bytes[m.n++] = (unsigned char)strlen(password);
	put(&m, password, strlen(password));
	if (request(t, m.bytes, m.n, reply, 2) < 0)
		return -1;
	if (reply[1] != 0)
		return declined(t, "wrong user or password", false);
	return 0;
}

/* RFC 1928 section 6: the texts of replies. */
static const struct {
	const char *why;
	bool waits; /* the target cannot be reached now */
} replies[] = {
    {"", false},
    {"general failure (it gives no reason)", true},
    {"its rules do not allow that", false},
    {"the network is unreachable", true},
    {"the host is unreachable", true},
    {"the target refused the connection", true},
    {"time to live expired", true},
    {"it does not support connecting", false},
    {"it does not support that kind of address", false},
    {"an unknown reason", false},
};
#define REPLIES (sizeof(replies) / sizeof(replies[0]))

static int
socks5(struct tunnel *t)
{
	struct socks_message m = {{5, 1, 0}, 4};
	unsigned char reply[4], length, rest[256 + 2];
	uint16_t port = htons(t->target->port);
	size_t code;
	struct addr a;

	switch (addr_parse_ip(&a, t->target->host, 0) ? addr_family(&a) : 0) {
	case AF_INET:
		m.bytes[3] = 1;
		put(&m, &a.u.in4.sin_addr, 4);
		break;
	case AF_INET6:
		m.bytes[3] = 4;
		put(&m, &a.u.in6.sin6_addr, 16);
		break;
	default:
		m.bytes[3] = 3;
		m.bytes[m.n++] = (unsigned char)strlen(t->target->host);
		put(&m, t->target->host, strlen(t->target->host));
	}
	put(&m, &port, sizeof(port));
	if (socks5_greet(t) < 0)
		return -1;
	t->is_requested = true;
	if (request(t, m.bytes, m.n, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 5)
		return malformed(t);
	code = reply[1] < REPLIES ? reply[1] : REPLIES - 1;
	if (code != 0)
		return declined(t, replies[code].why, replies[code].waits);
	/* The address that it has bound follows. */
	length = reply[3] == 1 ? 4 : 16;
	if (reply[3] == 3 && receive_all(t, &length, 1) < 0)
		return -1;
	if (reply[3] != 1 && reply[3] != 3 && reply[3] != 4)
		return malformed(t);
	return receive_all(t, rest, (size_t)length + 2);
}

/* Receives the head alone: what follows it in the socket is the target's. */
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
http_connect(struct tunnel *t)
{
	/* The only one of this process: it is large. */
	static struct http_response p;
	char message[MESSAGE_SIZE], host[320];
	char basic[HTTP_BASIC_SIZE(sizeof(t->proxy->basic))];
	bool is_ip6 = strchr(t->target->host, ':') != NULL;
	const struct http_head *head = &p.head;
	int status;

	snprintf(host, sizeof(host), "%s%s%s:%u", is_ip6 ? "[" : "",
	    t->target->host, is_ip6 ? "]" : "", t->target->port);
	snprintf(message, sizeof(message),
	    "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sockt\r\n", host,
	    host);
	if (t->proxy->basic[0] != '\0')
		text_append(message, sizeof(message),
		    "Proxy-Authorization: %s\r\n",
		    http_request_basic(basic, t->proxy->basic));
	text_append(message, sizeof(message), "\r\n");
	if (request(t, message, strlen(message), NULL, 0) < 0 ||
	    read_head(t, &p) < 0)
		return -1;
	status = head->status;
	if (status / 100 == 2)
		return 0;
	if (status == 407)
		return declined(t,
		    t->proxy->user[0] == '\0'
			? "407, it wants a user and password"
			: "407, wrong user or password",
		    false);
	/* Proxies differ in which they use for a target out of reach. */
	return declined(t,
	    text_format("%d %s", status,
		text_shown_bytes(
		    head->text + head->reason, head->reason_length)),
	    status == 500 || (status >= 502 && status <= 504));
}

int
proxy_open(const struct proxy *p, const struct endpoint *target, struct link *l,
    struct deadline until, struct err *e)
{
	static int (*const open[])(struct tunnel *) = {
	    [PROXY_HTTP] = http_connect,
	    [PROXY_SOCKS4] = socks4,
	    [PROXY_SOCKS5] = socks5};
	struct tunnel t = {
	    .proxy = p, .target = target, .link = l, .until = until, .e = e};
	int64_t ns = clock_now();
	struct json *j;

	if (open[p->kind](&t) < 0)
		return err_prefix(
		    e, "%s: %s", endpoint_text(target), proxy_text(p));
	l->sent = l->received = 0;
	ns = clock_now() - ns;
	j = diag_event_begin("proxied");
	json_text(j, "host", target->host);
	json_number(j, "port", target->port);
	json_seconds(j, "seconds", (double)ns / 1e9);
	diag_event_end(DIAG_NOTE, "reached %s through %s in %s",
	    endpoint_text(target), proxy_text(p), num_duration_text(ns));
	return 0;
}
