/* Socket addresses: IPv4, IPv6 and unix. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

/* The space of an address with its scope as text. */
#define TEXT_SIZE (INET6_ADDRSTRLEN + 1 + IF_NAMESIZE)
/* Length of the prefix of an IPv4-mapped address (RFC 4291 2.5.5.2). */
#define MAPPED_BITS 96

int
addr_family(const struct addr *a)
{
	return a->len == 0 ? AF_UNSPEC : a->u.sa.sa_family;
}

bool
addr_is_unix(const struct addr *a)
{
	return addr_family(a) == AF_UNIX;
}

/* The scope for an interface name or number (RFC 4007 11); 0 if unknown. */
static unsigned
scope_number(const char *text)
{
	int64_t n;

	if (num_parse(text, 1, UINT32_MAX, &n))
		return (unsigned)n;
	return if_nametoindex(text);
}

/* Parses an address of n bytes, which may be mapped, with port 0. */
static bool
parse_ip(struct addr *a, const char *text, size_t n)
{
	char host[TEXT_SIZE], *scope;
	struct addr parsed;

	if (n >= sizeof(host))
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	addr_any(&parsed, AF_INET, 0);
	if (inet_pton(AF_INET, host, &parsed.u.in4.sin_addr) != 1) {
		scope = strchr(host, '%');
		if (scope != NULL)
			*scope++ = '\0';
		addr_any(&parsed, AF_INET6, 0);
		if (inet_pton(AF_INET6, host, &parsed.u.in6.sin6_addr) != 1)
			return false;
		if (scope != NULL)
			parsed.u.in6.sin6_scope_id = scope_number(scope);
		if (scope != NULL && parsed.u.in6.sin6_scope_id == 0)
			return false;
		/* Other addresses are those of every interface. */
		if (!IN6_IS_ADDR_LINKLOCAL(&parsed.u.in6.sin6_addr) &&
		    !IN6_IS_ADDR_MULTICAST(&parsed.u.in6.sin6_addr))
			parsed.u.in6.sin6_scope_id = 0;
	}
	*a = parsed;
	return true;
}

bool
addr_parse_ip_prefix(struct addr *a, const char *text, size_t n)
{
	if (!parse_ip(a, text, n))
		return false;
	addr_unmap(a);
	return true;
}

bool
addr_parse_ip(struct addr *a, const char *text, uint16_t port)
{
	if (!addr_parse_ip_prefix(a, text, strlen(text)))
		return false;
	addr_set_port(a, port);
	return true;
}

int
addr_parse_network(struct addr *a, int *bits, const char *text, struct err *e)
{
	const char *shown = text_shown(text);
	size_t n = strcspn(text, "/");
	int64_t max, number;

	if (!parse_ip(a, text, n)) {
		if (addr_interface_missing(text, e))
			return -1;
		return err_set(e, ERR_USAGE,
		    "'%s' is neither a numeric address nor a network "
		    "ADDRESS/BITS",
		    shown);
	}
	number = max = addr_family(a) == AF_INET ? 32 : 128;
	if (text[n] == '/' && !num_parse(text + n + 1, 0, max, &number))
		return err_set(e, ERR_USAGE,
		    "'%s': the prefix length must be 0 to %d", shown, (int)max);
	if (number >= MAPPED_BITS)
		addr_unmap(a);
	if (max == 128 && addr_family(a) == AF_INET)
		number -= MAPPED_BITS;
	*bits = (int)number;
	return 0;
}

bool
addr_interface_missing(const char *text, struct err *e)
{
	const char *scope = strchr(text, '%');
	struct addr a;

	if (scope == NULL || scope_number(scope + 1) != 0 ||
	    !addr_parse_ip_prefix(&a, text, (size_t)(scope - text)))
		return false;
	err_set(e, ERR_LOCAL, "%s: this machine has no interface '%s'",
	    text_shown(text),
	    text_shown_bytes(scope + 1, strcspn(scope + 1, "/")));
	return true;
}

void
addr_loopback(struct addr *a, int family, uint16_t port)
{
	static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;

	addr_any(a, family, port);
	if (family == AF_INET6)
		a->u.in6.sin6_addr = loopback6;
	else
		a->u.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

void
addr_any(struct addr *a, int family, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	a->u.sa.sa_family = (sa_family_t)family;
	a->len = family == AF_INET6 ? sizeof(a->u.in6) : sizeof(a->u.in4);
	addr_set_port(a, port);
}

int
addr_unix(struct addr *a, const char *path, struct err *e)
{
	size_t n = strlen(path), max = sizeof(a->u.un.sun_path);
	bool is_abstract = path[0] == '@';
	size_t used = is_abstract ? n : n + 1;

	if (used <= 1)
		return err_set(e, ERR_USAGE, "unix: a path is missing");
	if (used > max)
		return err_set(e, ERR_USAGE,
		    "unix: the path has %zu bytes; a socket's address holds "
		    "at most %zu",
		    n, max - 1);
	memset(a, 0, sizeof(*a));
	a->u.un.sun_family = AF_UNIX;
	memcpy(a->u.un.sun_path, path, n);
	if (is_abstract)
		a->u.un.sun_path[0] = '\0';
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + used);
	return 0;
}

uint16_t
addr_port(const struct addr *a)
{
	switch (addr_family(a)) {
	case AF_INET:
		return ntohs(a->u.in4.sin_port);
	case AF_INET6:
		return ntohs(a->u.in6.sin6_port);
	default:
		return 0;
	}
}

void
addr_set_port(struct addr *a, uint16_t port)
{
	if (addr_family(a) == AF_INET)
		a->u.in4.sin_port = htons(port);
	else if (addr_family(a) == AF_INET6)
		a->u.in6.sin6_port = htons(port);
}

void
addr_unmap(struct addr *a)
{
	struct addr plain;

	if (addr_family(a) != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
		return;
	addr_any(&plain, AF_INET, addr_port(a));
	memcpy(&plain.u.in4.sin_addr, a->u.in6.sin6_addr.s6_addr + 12, 4);
	*a = plain;
}

bool
addr_same_host(const struct addr *a, const struct addr *b)
{
	if (a->len != b->len || addr_family(a) != addr_family(b))
		return false;
	switch (addr_family(a)) {
	case AF_INET:
		return a->u.in4.sin_addr.s_addr == b->u.in4.sin_addr.s_addr;
	case AF_INET6:
		return memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr,
			   sizeof(a->u.in6.sin6_addr)) == 0 &&
		       a->u.in6.sin6_scope_id == b->u.in6.sin6_scope_id;
	default:
		return memcmp(&a->u, &b->u, a->len) == 0;
	}
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

uint64_t
addr_hash(const struct addr *a, uint64_t key)
{
	const unsigned char *at = (const unsigned char *)&a->u;
	const unsigned char *end = at + a->len;

	for (; at < end; at++)
		key = (key ^ *at) * UINT64_C(0x100000001b3);
	return key ^ key >> 32;
}

bool
addr_is_loopback(const struct addr *a)
{
	struct addr plain = *a;

	addr_unmap(&plain);
	if (addr_family(&plain) == AF_INET)
		return ntohl(plain.u.in4.sin_addr.s_addr) >> 24 == 127;
	return addr_family(&plain) == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&plain.u.in6.sin6_addr);
}

bool
addr_is_any(const struct addr *a)
{
	if (addr_family(a) == AF_INET)
		return a->u.in4.sin_addr.s_addr == htonl(INADDR_ANY);
	return addr_family(a) == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

bool
addr_is_multicast(const struct addr *a)
{
	if (addr_family(a) == AF_INET)
		return ntohl(a->u.in4.sin_addr.s_addr) >> 28 == 14;
	return addr_family(a) == AF_INET6 &&
	       IN6_IS_ADDR_MULTICAST(&a->u.in6.sin6_addr);
}

bool
addr_lacks_scope(const struct addr *a)
{
	return addr_family(a) == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&a->u.in6.sin6_addr) &&
	       a->u.in6.sin6_scope_id == 0;
}

bool
addr_has_path(const struct addr *a)
{
	return addr_is_unix(a) && a->u.un.sun_path[0] != '\0';
}

bool
addr_is_other_file(const struct addr *a)
{
	struct stat st;

	return addr_has_path(a) && stat(a->u.un.sun_path, &st) == 0 &&
	       !S_ISSOCK(st.st_mode);
}

bool
addr_is_unnamed(const struct addr *a)
{
	return addr_is_unix(a) &&
	       a->len <= offsetof(struct sockaddr_un, sun_path);
}

/* A Unix socket's path, escaped; an abstract name begins with '@'. */
static const char *
path_text(const struct addr *a)
{
	size_t n = a->len - offsetof(struct sockaddr_un, sun_path);
	const char *path = a->u.un.sun_path;
	char *text = text_slot();

	if (addr_is_unnamed(a))
		return "(unnamed)";
	if (path[0] != '\0')
		return text_escape(text, TEXT_SLOT, path, strnlen(path, n));
	text[0] = '@';
	(void)text_escape(text + 1, TEXT_SLOT - 1, path + 1, n - 1);
	return text;
}

const char *
addr_ip_text(const struct addr *a)
{
	const unsigned char *bytes;
	char name[IF_NAMESIZE], *text;
	unsigned scope;
	int saved = errno;

	switch (addr_family(a)) {
	case AF_INET:
		/* Cheaper than inet_ntop(3) of some C libraries. */
		bytes = (const unsigned char *)&a->u.in4.sin_addr;
		return text_format(
		    "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
	case AF_INET6:
		text = text_slot();
		inet_ntop(AF_INET6, &a->u.in6.sin6_addr, text, TEXT_SLOT);
		scope = a->u.in6.sin6_scope_id;
		if (scope != 0 && if_indextoname(scope, name) != NULL)
			text_append(text, TEXT_SLOT, "%%%s", name);
		else if (scope != 0)
			text_append(text, TEXT_SLOT, "%%%u", scope);
		errno = saved;
		return text;
	case AF_UNIX:
		return path_text(a);
	default:
		return "nobody";
	}
}

const char *
addr_text(const struct addr *a)
{
	const char *host = addr_ip_text(a);

	if (addr_is_unix(a))
		return text_format("unix:%s", host);
	if (a->len == 0)
		return host;
	return text_format("%s port %u", host, addr_port(a));
}

void
addr_json(const struct addr *a, struct json *j, const char *name)
{
	const char *host;

	if (j->skipped > 0)
		return;
	host = addr_ip_text(a);
	json_object(j, name);
	if (addr_is_unix(a)) {
		json_text(j, "path", host);
	} else if (a->len != 0) {
		json_text(j, "ip", host);
		json_number(j, "port", addr_port(a));
	}
	json_close(j);
}

void
addr_list_add(struct addr_list *list, const struct addr *a)
{
	list->items =
	    mem_resize(list->items, list->count + 1, sizeof(list->items[0]));
	list->items[list->count++] = *a;
}

void
addr_list_release(struct addr_list *list)
{
	free(list->items);
	*list = (struct addr_list){0};
}
