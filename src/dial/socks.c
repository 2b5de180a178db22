/* SOCKS4, SOCKS4a and SOCKS5: requests a connection to the target. */
#include "dial/socks.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "dial/proxy.h"
#include "dial/tunnel.h"
#include "net/addr.h"

/* The longest message: user and host of 255 bytes each, and their framing. */
#define MESSAGE_SIZE 2048

/* Sends the request that names the target. */
static int
request(struct tunnel *t, const void *bytes, size_t n)
{
	if (tunnel_send(t, bytes, n) < 0)
		return -1;
	t->is_requested = true;
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
		return tunnel_declined(t, "SOCKS4 has no IPv6 addresses", 0);
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
	if (request(t, message, n) < 0 ||
	    tunnel_receive_all(t, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 0)
		return tunnel_malformed(t);
	if (reply[1] == 92 || reply[1] == 93)
		return tunnel_declined(t, "the user is unknown to it", 0);
	/* SOCKS4 does not distinguish the two. */
	return reply[1] == 90
		   ? 0
		   : tunnel_declined(t,
			 "rejected or failed (SOCKS4 gives no reason)",
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
	if (tunnel_send(t, message, n) < 0 ||
	    tunnel_receive_all(t, reply, 2) < 0)
		return -1;
	return reply[1] == 0 ? 0
			     : tunnel_declined(t, "wrong user or password", 0);
}

/* Negotiates the authentication method, and authenticates. */
static int
socks5_greet(struct tunnel *t)
{
	unsigned char reply[2];
	bool has_user = t->proxy->user[0] != '\0';
	const unsigned char message[] = {5, has_user ? 2 : 1, 0, 2};

	if (tunnel_send(t, message, has_user ? 4 : 3) < 0 ||
	    tunnel_receive_all(t, reply, 2) < 0)
		return -1;
	if (reply[0] != 5)
		return tunnel_malformed(t);
	if (reply[1] == 0)
		return 0;
	if (reply[1] == 2 && has_user)
		return socks5_authenticate(t);
	return tunnel_declined(t,
	    has_user ? "it accepts no user and password"
		     : "it wants a user and password",
	    0);
}

/* RFC 1928 section 6: the texts of replies, and the target's errno. */
static int
socks5_declined(struct tunnel *t, unsigned char code)
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
		return tunnel_declined(t, "an unknown reason", 0);
	return tunnel_declined(t, replies[code].why, replies[code].errnum);
}

/* Skips the address that the proxy has bound. */
static int
socks5_skip_address(struct tunnel *t, unsigned char type)
{
	unsigned char rest[256 + 2], length;

	switch (type) {
	case 1:
		return tunnel_receive_all(t, rest, 4 + 2);
	case 4:
		return tunnel_receive_all(t, rest, 16 + 2);
	case 3:
		if (tunnel_receive_all(t, &length, 1) < 0)
			return -1;
		return tunnel_receive_all(t, rest, (size_t)length + 2);
	default:
		return tunnel_malformed(t);
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
	if (socks5_greet(t) < 0 || request(t, message, n) < 0 ||
	    tunnel_receive_all(t, reply, sizeof(reply)) < 0)
		return -1;
	if (reply[0] != 5)
		return tunnel_malformed(t);
	if (reply[1] != 0)
		return socks5_declined(t, reply[1]);
	return socks5_skip_address(t, reply[3]);
}

int
socks_open(struct tunnel *t)
{
	return t->proxy->kind == PROXY_SOCKS4 ? socks4(t) : socks5(t);
}
