/* The portable twin of os_linux.c. */
#include "net/os.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

const char os_name[] = "posix";

bool
os_tcp_info(int fd, struct os_tcp *tcp)
{
	(void)fd;
	(void)tcp;
	return false;
}

ssize_t
os_write_pipe(int fd, const void *bytes, size_t n)
{
	return fd_write_ready(fd, bytes, n, 0);
}

void
os_receive_errors(int fd, int family)
{
	(void)fd;
	(void)family;
}

bool
os_next_error(int fd, struct os_error *q)
{
	(void)fd;
	(void)q;
	return false;
}

#ifdef IPV6_PKTINFO
/* RFC 3542 6.1 defines these members, but strict headers hide the struct. */
struct ip6_info {
	struct in6_addr address;
	unsigned interface;
};
#endif

/* RFC 3542 has no IPv4 part: only IPv6 sockets, which carry IPv4 too, report
 * the address. */
void
os_request_destination(int fd, int family)
{
#ifdef IPV6_RECVPKTINFO
	if (family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &(int){1}, sizeof(int));
#else
	(void)fd;
	(void)family;
#endif
}

void
os_read_destination(struct msghdr *m, struct addr *local)
{
	local->len = 0;
#ifdef IPV6_PKTINFO
	struct cmsghdr *c;
	struct ip6_info info;

	for (c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IPV6 ||
		    c->cmsg_type != IPV6_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		if (IN6_IS_ADDR_MULTICAST(&info.address))
			continue;
		addr_any(local, AF_INET6, 0);
		local->u.in6.sin6_addr = info.address;
		if (IN6_IS_ADDR_LINKLOCAL(&info.address))
			local->u.in6.sin6_scope_id = info.interface;
	}
#else
	(void)m;
#endif
}

void
os_write_control(struct msghdr *m, union os_control *control,
    const struct addr *local, size_t segment)
{
	(void)segment;
	m->msg_control = control;
	m->msg_controllen = 0;
#ifdef IPV6_PKTINFO
	struct ip6_info info = {
	    local->u.in6.sin6_addr, local->u.in6.sin6_scope_id};

	if (addr_family(local) != AF_INET6)
		return;
	memset(control, 0, sizeof(*control));
	control->align.cmsg_level = IPPROTO_IPV6;
	control->align.cmsg_type = IPV6_PKTINFO;
	control->align.cmsg_len = (socklen_t)CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control->align), &info, sizeof(info));
	m->msg_controllen = (socklen_t)CMSG_SPACE(sizeof(info));
#else
	(void)local;
#endif
}

bool
os_can_segment(int fd)
{
	(void)fd;
	return false;
}

bool
os_drops(int fd, uint32_t *count)
{
	(void)fd;
	(void)count;
	return false;
}

int
os_autobind(int fd)
{
	(void)fd;
	errno = ENOTSUP;
	return -1;
}

bool
os_adopt_orphans(void)
{
	return false;
}

void
os_follow_parent(pid_t parent, int number)
{
	(void)parent;
	(void)number;
}

pid_t
os_start(int (*run)(void *context), void *context)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(run(context));
	return pid;
}

bool
os_has_loader(void)
{
	return true;
}

bool
os_close_from(int first)
{
	(void)first;
	return false;
}
