/* What only Linux tells of sockets and processes. */
#include "net/os.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/step.h"
#include "net/addr.h"

/* The kernel's header has what glibc's lacks; musl's is complete. */
#if defined(__GLIBC__)
#include <linux/tcp.h>
#else
#include <netinet/tcp.h>
#endif

/* TCP states in tcpi_state, which glibc and the kernel name differently. */
enum {
	STATE_TIME_WAIT = 6,
	STATE_CLOSE = 7,
	STATE_CLOSE_WAIT = 8,
	STATE_LAST_ACK = 9,
	STATE_CLOSING = 11
};

/* From udp(7); not every C library defines it. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* The array of SO_MEMINFO, from the kernel's linux/sock_diag.h, which not every
 * C library comes with. */
enum { SK_MEMINFO_DROPS = 8, SK_MEMINFO_VARS };

const char os_name[] = "linux";

bool
os_tcp_info(int fd, struct os_tcp *tcp)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	/* Linux has counted the bytes that were sent again since 4.19. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
	    len < offsetof(struct tcp_info, tcpi_bytes_retrans) +
		      sizeof(info.tcpi_bytes_retrans))
		return false;
	tcp->sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
	tcp->peer_finished = info.tcpi_state == STATE_CLOSE_WAIT ||
			     info.tcpi_state == STATE_LAST_ACK ||
			     info.tcpi_state == STATE_CLOSING ||
			     info.tcpi_state == STATE_TIME_WAIT;
	tcp->received = info.tcpi_bytes_received;
	tcp->is_closed = info.tcpi_state == STATE_CLOSE;
	tcp->is_acknowledged =
	    info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0;
	/* For a listening socket these two describe its accept queue. */
	tcp->waiting = info.tcpi_unacked;
	tcp->backlog = info.tcpi_sacked;
	return true;
}

/*
 * Pipes support RWF_NOWAIT since Linux 6.4; FIFOs do not, nor does every C
 * library.
 */
ssize_t
os_write_pipe(int fd, const void *bytes, size_t n)
{
#ifdef RWF_NOWAIT
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = n};
	ssize_t done = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);

	/* A sandbox that does not know the newer call fails it with EPERM. */
	if (done >= 0 || (errno != EOPNOTSUPP && errno != EINVAL &&
			     errno != ENOSYS && errno != EPERM))
		return done;
#endif
	return fd_write_ready(fd, bytes, n, 0);
}

void
os_receive_errors(int fd, int family)
{
	const int on = 1;

	if (family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else if (family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

/*
 * The kernel's struct sock_extended_err (ip(7)): some C libraries lack
 * linux/errqueue.h.
 */
struct queued_error {
	uint32_t errnum;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

enum { ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 };

/* Whether the code means "prohibited": RFC 1812 5.2.7.1 and RFC 4443 3.1. */
static bool
is_prohibited(const struct queued_error *q)
{
	if (q->origin == ORIGIN_ICMP)
		return q->type == ICMP_DEST_UNREACH &&
		       (q->code == ICMP_NET_ANO || q->code == ICMP_HOST_ANO ||
			   q->code == ICMP_PKT_FILTERED);
	/* 5: source address policy, 6: reject route. */
	return q->origin == ORIGIN_ICMP6 && q->type == ICMP6_DST_UNREACH &&
	       (q->code == ICMP6_DST_UNREACH_ADMIN || q->code == 5 ||
		   q->code == 6);
}

bool
os_next_error(int fd, struct os_error *q)
{
	union {
		struct cmsghdr align;
		char bytes[512];
	} control;
	/* qemu-user takes a message without space for an empty one. */
	char first;
	struct iovec space = {.iov_base = &first, .iov_len = 1};
	struct msghdr m = {.msg_name = &q->to.u,
	    .msg_namelen = sizeof(q->to.u),
	    .msg_iov = &space,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct queued_error error;
	struct cmsghdr *c;

	memset(q, 0, sizeof(*q));
	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	q->to.len = m.msg_namelen;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		bool is_ip4 =
		    c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;

		if (!is_ip4 && !(c->cmsg_level == IPPROTO_IPV6 &&
				   c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&error, CMSG_DATA(c), sizeof(error));
		q->errnum = (int)error.errnum;
		q->by_icmp = error.origin == ORIGIN_ICMP;
		q->by_icmp6 = error.origin == ORIGIN_ICMP6;
		q->is_prohibited = is_prohibited(&error);
		/* SO_EE_OFFENDER(): the sender's address follows the error. */
		q->sender.len =
		    is_ip4 ? sizeof(q->sender.u.in4) : sizeof(q->sender.u.in6);
		memcpy(
		    &q->sender.u, CMSG_DATA(c) + sizeof(error), q->sender.len);
	}
	return true;
}

/* Only UDP can: a unix socket would send all of it as one datagram. */
int
os_segment_type(int fd)
{
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 &&
		       protocol == IPPROTO_UDP
		   ? UDP_SEGMENT
		   : 0;
}

bool
os_drops(int fd, uint32_t *count)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0 ||
	    len <= SK_MEMINFO_DROPS * sizeof(info[0]))
		return false;
	*count = info[SK_MEMINFO_DROPS];
	return true;
}

int
os_autobind(int fd)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};
	int64_t start = step_start();
	int result = bind(fd, (struct sockaddr *)&any, sizeof(any.sun_family));

	step("bind", start, result, "the system chooses an abstract name",
	    "%s to any name", step_name_of(fd));
	return result;
}

bool
os_adopt_orphans(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1UL) == 0;
}

void
os_follow_parent(pid_t parent, int number)
{
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)number) == 0 &&
	    getppid() != parent)
		kill(getpid(), number);
}

/* As vfork(2): nothing of this process is copied. But AddressSanitizer would
 * blame this process for what the child's functions leave in its memory. */
pid_t
os_start(int (*run)(void *context), void *context)
{
#ifdef __SANITIZE_ADDRESS__
	const int flags = CLONE_VFORK | SIGCHLD;
#else
	const int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
#endif
	_Alignas(16) char stack[32 * 1024];

	return clone(run, stack + sizeof(stack), flags, context);
}

bool
os_has_loader(void)
{
	return getauxval(AT_BASE) != 0;
}

bool
os_close_from(int first)
{
	return syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0;
}
