#include "net/holder.h"

#include <dirent.h>
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
#define STATE_UNCONNECTED 0x07

/* One socket of the tables in /proc/net. */
struct holder {
	unsigned long inode;
	unsigned uid;
};

/*
 * A row: "  0: 0100007F:270F 00000000:0000 0A 00000000:00000000 00:00000000
 * 00000000 1000 0 12345 ...": own address and port, state, user, inode.
 */
static bool
match_row(const char *row, uint16_t port, unsigned state, struct holder *h)
{
	unsigned row_port, row_state;

	if (sscanf(row,
		" %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x "
		"%*x %u %*d %lu",
		&row_port, &row_state, &h->uid, &h->inode) != 4)
		return false;
	return row_port == port && row_state == state && h->inode != 0;
}

static bool
search_table(const char *path, uint16_t port, unsigned state, struct holder *h)
{
	FILE *f = fopen(path, "re");
	char row[512];
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(row, sizeof(row), f) != NULL)
		found = match_row(row, port, state, h);
	fclose(f);
	return found;
}

/* True when one of the process's descriptors is that socket. */
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
	char path[600], name[64] = "?", shown[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f != NULL) {
		if (fgets(name, sizeof(name), f) != NULL)
			name[strcspn(name, "\n")] = '\0';
		fclose(f);
	}
	text_escape_string(shown, sizeof(shown), name);
	snprintf(buf, size, "process %s (%s)", pid, shown);
}

bool
holder_find(const struct addr *a, int type, char *buf, size_t size)
{
	bool is_stream = type == SOCK_STREAM;
	unsigned state = is_stream ? STATE_LISTEN : STATE_UNCONNECTED;
	uint16_t port = addr_port(a);
	struct dirent *entry;
	char socket[64];
	struct holder h;
	int64_t pid;
	DIR *dir;

	if (port == 0)
		return false;
	if (!search_table(is_stream ? "/proc/net/tcp" : "/proc/net/udp", port,
		state, &h) &&
	    !search_table(is_stream ? "/proc/net/tcp6" : "/proc/net/udp6", port,
		state, &h))
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
