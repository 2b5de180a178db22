/* One address of a socket: IPv4, IPv6 or unix. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct err;
struct event;

/* Enough for every text that addr_format() makes; unix paths are escaped. */
#define ADDR_TEXT 512
/* Enough for an IPv6 address with its scope. */
#define ADDR_IP_TEXT 80

struct addr {
	socklen_t len; /* bytes of the union that count; 0: no address */
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} u;
};

/* An owned array; release with addr_list_release(). */
struct addr_list {
	struct addr *items;
	size_t count;
};

#define ADDR_LIST_INIT  \
	{               \
		NULL, 0 \
	}

int addr_family(const struct addr *a);
bool addr_is_unix(const struct addr *a);

/* IPv4 or IPv6 in numbers, the latter perhaps with %scope; no brackets. */
bool addr_parse_ip(struct addr *a, const char *text, uint16_t port);

/* The same for the first n bytes of text, with port 0. */
bool addr_parse_ip_prefix(struct addr *a, const char *text, size_t n);

/*
 * Whether text consists of numbers as an address does, so that the C library
 * would read "1.2.3", "8081" or "0x7f.1" as an IPv4 address (inet_aton(3)).
 */
bool addr_resembles_ip4(const char *text);

/* 127.0.0.1 or ::1, by family (AF_INET, AF_INET6). */
void addr_loopback(struct addr *a, int family, uint16_t port);

/* 0.0.0.0 or ::, by family. */
void addr_any(struct addr *a, int family, uint16_t port);

/*
 * A unix socket's address; a path that begins with '@' is abstract (unix(7),
 * Linux). 0, or -1 with a usage error when it is empty or too long.
 */
int addr_unix(struct addr *a, const char *path, struct err *e);

/* Port in host order; 0 for unix. */
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);

/* An IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) becomes plain IPv4. */
void addr_unmap(struct addr *a);

/* Same family, address, scope and port; addr_same_host() without the port. */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);
bool addr_is_multicast(const struct addr *a);
/* An address of fe80::/10 that does not name its interface (RFC 4007 6). */
bool addr_lacks_scope(const struct addr *a);

/*
 * "127.0.0.1 port 80", "::1 port 80", "unix:/run/x", "unix:@name"; "nobody"
 * without an address. Returns buf. The path is escaped.
 */
const char *addr_format(const struct addr *a, char *buf, size_t size);

/* The address alone, "127.0.0.1" or "::1" or the escaped path. */
const char *addr_format_ip(const struct addr *a, char *buf, size_t size);

/* {"ip":...,"port":...} or {"path":...} as the member name of ev. */
void addr_event(const struct addr *a, struct event *ev, const char *name);

void addr_list_add(struct addr_list *list, const struct addr *a);
void addr_list_release(struct addr_list *list);

#endif
