/* Finds the process that owns a port, for "address in use". */
#include "net/port_owner.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "net/addr.h"

/* The state of a listening socket, and of a bound UDP one, in /proc/net. */
#define STATE_LISTEN 0x0a
#define STATE_TIME_WAIT 0x06
#define STATE_CLOSE_WAIT 0x08
#define STATE_UNCONNECTED 0x07

/* A row of the tables. */
struct row {
	struct addr local, remote;
	unsigned state, uid;
	unsigned long inode;
};

/* Parses an address of the tables: IPv4, or the four words of IPv6. */
static struct addr
row_addr(const char *hex, unsigned port)
{
	uint32_t words[4] = {0, 0, 0, 0};
	struct addr a;
	int n = 0;

	while (n < 4 && sscanf(hex + 8 * n, "%8" SCNx32, &words[n]) == 1)
		n++;
	addr_any(&a, n == 4 ? AF_INET6 : AF_INET, (uint16_t)port);
	if (n == 4)
		memcpy(&a.u.in6.sin6_addr, words, sizeof(words));
	else
		memcpy(&a.u.in4.sin_addr, words, sizeof(words[0]));
	addr_unmap(&a);
	return a;
}

/* Parses a row: number, local address and port, the peer's, state, two queues,
 * two timers, user, timeout, inode. */
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
	r->local = row_addr(hex, port);
	r->remote = row_addr(remote_hex, remote_port);
	return true;
}

/* Returns the process that has the socket open, by the first path of the
 * pattern that is a link to it; or 0. */
static pid_t
owner_of(unsigned long inode, const char *pattern)
{
	const char *socket = text_format("socket:[%lu]", inode);
	char target[64];
	glob_t all;
	ssize_t n;
	size_t i;
	int pid = 0;

	if (glob(pattern, GLOB_NOSORT, NULL, &all) != 0)
		return 0;
	for (i = 0; i < all.gl_pathc && pid == 0; i++) {
		n = readlink(all.gl_pathv[i], target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (strcmp(target, socket) == 0)
			(void)sscanf(all.gl_pathv[i], "/proc/%d", &pid);
	}
	globfree(&all);
	return pid;
}

/* Whether the process, or one that it started, has the socket open. */
static bool
has_open(int pid, unsigned long inode)
{
	bool found = owner_of(inode, text_format("/proc/%d/fd/*", pid)) != 0;
	FILE *f =
	    fopen(text_format("/proc/%d/task/%d/children", pid, pid), "re");
	int child;

	while (!found && f != NULL && fscanf(f, "%d", &child) == 1)
		found = has_open(child, inode);
	if (f != NULL)
		fclose(f);
	return found;
}

/* What find_row() looks for: a state, with a port and, if set, a peer, where
 * the addresses are equal or one of them the wildcard; or of a process. */
struct wanted {
	struct addr local, remote;
	unsigned state;
	pid_t root; /* 0: any */
};

static bool
is_wanted(const struct row *r, const struct wanted *w)
{
	if (r->state != w->state)
		return false;
	if (w->root != 0)
		return has_open(w->root, r->inode);
	return addr_port(&r->local) == addr_port(&w->local) &&
	       (addr_is_any(&r->local) || addr_is_any(&w->local) ||
		   addr_same_host(&r->local, &w->local)) &&
	       (w->remote.len == 0 || addr_equal(&r->remote, &w->remote));
}

/* Finds a row of either family that is wanted. */
static bool
find_row(const char *protocol, const struct wanted *wanted, struct row *r)
{
	static const char *const families[] = {"", "6"};
	bool found = false;
	char text[512];
	size_t i;
	FILE *f;

	for (i = 0; i < 2 && !found; i++) {
		f = fopen(
		    text_format("/proc/net/%s%s", protocol, families[i]), "re");
		while (f != NULL && !found && fgets(text, sizeof(text), f))
			found = parse_row(text, r) && is_wanted(r, wanted);
		if (f != NULL)
			fclose(f);
	}
	return found;
}

bool
port_owner_in_time_wait(uint16_t port, const struct addr *remote)
{
	struct wanted wanted = {.state = STATE_TIME_WAIT};
	struct row found;

	addr_any(&wanted.local, AF_INET, port);
	if (remote != NULL)
		wanted.remote = *remote;
	return find_row("tcp", &wanted, &found);
}

bool
port_owner_has_close_wait(pid_t pid)
{
	const struct wanted wanted = {.state = STATE_CLOSE_WAIT, .root = pid};
	struct row found;

	return find_row("tcp", &wanted, &found);
}

const char *
port_owner_find(const struct addr *a, int type)
{
	bool is_stream = type == SOCK_STREAM;
	struct wanted wanted = {
	    .local = *a, .state = is_stream ? STATE_LISTEN : STATE_UNCONNECTED};
	struct row found;
	char name[64] = "?";
	FILE *f;
	int pid;

	if (addr_port(a) == 0 ||
	    !find_row(is_stream ? "tcp" : "udp", &wanted, &found))
		return NULL;
	pid = (int)owner_of(found.inode, "/proc/[0-9]*/fd/*");
	if (pid == 0)
		return text_format("a process of user %u", found.uid);
	f = fopen(text_format("/proc/%d/comm", pid), "re");
	if (f != NULL && fgets(name, sizeof(name), f) != NULL)
		name[strcspn(name, "\n")] = '\0';
	if (f != NULL)
		fclose(f);
	return text_format("process %d (%s)", pid, text_shown(name));
}
