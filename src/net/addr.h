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
struct json;

struct addr {
	/* How many bytes of the union are used; 0 is no address. */
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage storage;
	} u;
};

/* An owned array, empty if zeroed. addr_list_release() frees it. */
struct addr_list {
	struct addr *items;
	size_t count;
};

/* Returns AF_INET, AF_INET6 or AF_UNIX; AF_UNSPEC if a is no address. */
int addr_family(const struct addr *a);

/* Whether a is the address of a Unix socket. */
bool addr_is_unix(const struct addr *a);

/* Whether a is a path: neither an IP address nor an abstract name. */
bool addr_has_path(const struct addr *a);

/* Whether a is a path at which a file other than a socket exists. */
bool addr_is_other_file(const struct addr *a);

/* Whether a is a Unix socket without a name, as socketpair(2) makes them. */
bool addr_is_unnamed(const struct addr *a);

/* Parses a numeric IPv4 or IPv6 address, which may have a %scope but no
 * brackets. An IPv4-mapped address (RFC 4291 2.5.5.2) becomes IPv4, as
 * everywhere. Returns false if text is not one. */
bool addr_parse_ip(struct addr *a, const char *text, uint16_t port);

/* As addr_parse_ip(), of the first n bytes of text, with port 0. */
bool addr_parse_ip_prefix(struct addr *a, const char *text, size_t n);

/*
 * Parses an address or a network ADDRESS/BITS (RFC 4632, RFC 4291 2.3), and
 * sets *bits to the length of the prefix. The bits after it are kept. A network
 * of IPv4-mapped addresses becomes IPv4. Returns 0, or -1 with *e: ERR_USAGE,
 * or ERR_LOCAL for an interface that does not exist.
 */
int addr_parse_network(
    struct addr *a, int *bits, const char *text, struct err *e);

/* Whether text is an IPv6 address with an interface ("fe80::1%eth0", RFC 4007)
 * that this machine does not have; sets *e to ERR_LOCAL then. */
bool addr_interface_missing(const char *text, struct err *e);

/* Sets *a to 127.0.0.1 or ::1, by family (AF_INET, AF_INET6). */
void addr_loopback(struct addr *a, int family, uint16_t port);

/* Sets *a to 0.0.0.0 or ::, by family. */
void addr_any(struct addr *a, int family, uint16_t port);

/* Sets *a to a Unix socket's address; a path that begins with '@' is abstract
 * (unix(7), Linux). Returns 0, or -1 with a usage error about its length. */
int addr_unix(struct addr *a, const char *path, struct err *e);

/* Returns the port in the byte order of this machine; 0 for a Unix socket. */
uint16_t addr_port(const struct addr *a);

/* Sets the port; does nothing for a Unix socket. */
void addr_set_port(struct addr *a, uint16_t port);

/* Converts an IPv4-mapped address that the system has returned to IPv4. */
void addr_unmap(struct addr *a);

/* Whether family, address and scope are equal and, for addr_equal(), the port.
 */
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_same_host(const struct addr *a, const struct addr *b);

/* Whether a is in 127.0.0.0/8, or is ::1; is 0.0.0.0 or ::; is a group. */
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);
bool addr_is_multicast(const struct addr *a);

/* Whether a is in fe80::/10 and does not name its interface (RFC 4007 6). */
bool addr_lacks_scope(const struct addr *a);

/*
 * A hash of the whole address, with the port or the path, that depends on key.
 * If the key is secret, nobody can choose addresses whose hashes are equal.
 */
uint64_t addr_hash(const struct addr *a, uint64_t key);

/* Returns "127.0.0.1 port 80", "::1 port 80", "unix:/run/x" or "unix:@name",
 * with the path escaped; "nobody" if a is no address. It is in a buffer of
 * text_slot(). */
const char *addr_text(const struct addr *a);

/* Returns the address alone: "127.0.0.1", "::1" or the escaped path. */
const char *addr_ip_text(const struct addr *a);

/* Adds {"ip":...,"port":...} or {"path":...} to j as the member name. */
void addr_json(const struct addr *a, struct json *j, const char *name);

/* Appends a copy of *a to a list; and frees a list, which is then empty. */
void addr_list_add(struct addr_list *list, const struct addr *a);
void addr_list_release(struct addr_list *list);

#endif
