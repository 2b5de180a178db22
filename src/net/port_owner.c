/* Finds the process that owns a port, for "address in use". */
#include "net/port_owner.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "net/addr.h"

/* The state of a listening socket, and of a bound UDP one, in /proc/net. */
#define STATE_LISTEN 0x0a
#define STATE_TIME_WAIT 0x06
#define STATE_UNCONNECTED 0x07

/* A search in the tables, and its result. */
struct owner {
	const struct addr *addr;   /* the address that could not be bound */
	const struct addr *remote; /* the peer; NULL: any */
	unsigned state;            /* state of the conflicting sockets */
	unsigned long inode;       /* of the socket found */
	unsigned uid;              /* owner of that socket */
};

/* Parses an address of the tables: IPv4, or the four words of IPv6. */
static struct addr
row_addr(const char *hex)
{
	uint32_t words[4] = {0, 0, 0, 0};
	struct addr a;
	int n = 0;

	while (n < 4 && sscanf(hex + 8 * n, "%8" SCNx32, &words[n]) == 1)
		n++;
	addr_any(&a, n == 4 ? AF_INET6 : AF_INET, 0);
	if (n == 4)
		memcpy(&a.u.in6.sin6_addr, words, sizeof(words));
	else
		memcpy(&a.u.in4.sin_addr, words, sizeof(words[0]));
	addr_unmap(&a);
	return a;
}

/* Whether two addresses conflict: they are equal, or one is the wildcard. */
static bool
conflicts(const struct addr *wanted, const struct addr *bound)
{
	return addr_is_any(wanted) || addr_is_any(bound) ||
	       addr_same_host(wanted, bound);
}

/* A row of the tables. */
struct row {
	struct addr local, remote;
	unsigned state, uid;
	unsigned long inode;
};

/*
 * Parses a row, "  0: 0100007F:270F 00000000:0000 0A 00000000:00000000
 * 00:00000000 00000000 1000 0 12345 ...": local address and port, the peer's,
 * state, user, inode.
 */
static bool
parse_row(const char *text, struct row *r)
{
	unsigned port, remote_port;
	char hex[33], remote_hex[33];

	if (sscanf(text,
		" %*d: %32[0-9A-Fa-f]:%x %32[0-9A-Fa-f]:%x %x %*x:%*x %*x:%*x "
		"%*x %u %*d %lu",
		hex, &port, remote_hex, &remote_port, &r->state, &r->uid,
		&r->inode) != 7)
		return false;
	r->local = row_addr(hex);
	addr_set_port(&r->local, (uint16_t)port);
	r->remote = row_addr(remote_hex);
	addr_set_port(&r->remote, (uint16_t)remote_port);
	return true;
}

/* Whether the row is a socket that prevents binding to the address. */
static bool
is_owner(const struct row *r, struct owner *h)
{
	if (addr_port(&r->local) != addr_port(h->addr) ||
	    r->state != h->state || r->inode == 0 ||
	    !conflicts(h->addr, &r->local))
		return false;
	h->uid = r->uid;
	h->inode = r->inode;
	return true;
}

/*
 * Whether the row is a connection in TIME-WAIT from the port of addr to remote.
 */
static bool
is_waiting(const struct row *r, struct owner *h)
{
	return r->state == STATE_TIME_WAIT &&
	       addr_port(&r->local) == addr_port(h->addr) &&
	       (h->remote == NULL || addr_equal(&r->remote, h->remote));
}

static bool
search_table(const char *path, struct owner *h,
    bool (*matches)(const struct row *r, struct owner *h))
{
	FILE *f = fopen(path, "re");
	char text[512];
	struct row r;
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(text, sizeof(text), f) != NULL)
		found = parse_row(text, &r) && matches(&r, h);
	fclose(f);
	return found;
}

bool
port_owner_in_time_wait(uint16_t port, const struct addr *remote)
{
	struct addr local;
	struct owner h = {.addr = &local, .remote = remote};

	addr_any(&local, AF_INET, port);
	return search_table("/proc/net/tcp", &h, is_waiting) ||
	       search_table("/proc/net/tcp6", &h, is_waiting);
}

/* Whether one of the process's descriptors is that socket. */
static bool
process_has(const char *pid, const char *socket)
{
	char path[600], target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		snprintf(
		    path, sizeof(path), "/proc/%s/fd/%s", pid, entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		found = strcmp(target, socket) == 0;
	}
	closedir(dir);
	return found;
}

static void
name_process(const char *pid, char *buf, size_t size)
{
	char path[600], name[64] = "?";
	const char *shown;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f != NULL) {
		if (fgets(name, sizeof(name), f) != NULL)
			name[strcspn(name, "\n")] = '\0';
		fclose(f);
	}
	shown = text_shown(name);
	snprintf(buf, size, "process %s (%s)", pid, shown);
}

bool
port_owner_find(const struct addr *a, int type, char *buf, size_t size)
{
	bool is_stream = type == SOCK_STREAM;
	struct owner h = {
	    .addr = a, .state = is_stream ? STATE_LISTEN : STATE_UNCONNECTED};
	struct dirent *entry;
	char socket[64];
	int64_t pid;
	DIR *dir;

	if (addr_port(a) == 0)
		return false;
	if (!search_table(
		is_stream ? "/proc/net/tcp" : "/proc/net/udp", &h, is_owner) &&
	    !search_table(
		is_stream ? "/proc/net/tcp6" : "/proc/net/udp6", &h, is_owner))
		return false;
	snprintf(buf, size, "a process of user %u", h.uid);
	snprintf(socket, sizeof(socket), "socket:[%lu]", h.inode);
	dir = opendir("/proc");
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!num_parse(entry->d_name, 1, INT32_MAX, &pid) ||
		    !process_has(entry->d_name, socket))
			continue;
		name_process(entry->d_name, buf, size);
		break;
	}
	if (dir != NULL)
		closedir(dir);
	return true;
}
