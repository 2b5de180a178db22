/* Sockets and processes, with system calls of Linux. */
#include "net/os.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"

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

/* Indexes in the array of SO_MEMINFO, from the kernel's linux/sock_diag.h,
 * which some C libraries lack. */
enum { SK_MEMINFO_RMEM_ALLOC = 0, SK_MEMINFO_DROPS = 8, SK_MEMINFO_VARS };

const char os_name[] = "linux";

bool
os_tcp_info(int fd, struct os_tcp *tcp)
{
	struct tcp_info info;
	uint32_t memory[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info), memory_len = sizeof(memory);
	int readable = 0;

	memset(&info, 0, sizeof(info));
	tcp->is_known = false;
	/* Linux 4.19 counts the retransmitted bytes. */
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
	/* For a listening socket these two describe its accept queue. */
	tcp->waiting = info.tcpi_unacked;
	tcp->backlog = info.tcpi_sacked;
	tcp->acked = info.tcpi_bytes_acked;
	tcp->segments = info.tcpi_unacked;
	tcp->lost = info.tcpi_lost;
	tcp->timeouts = info.tcpi_retransmits;
	tcp->probes = info.tcpi_probes;
	tcp->retransmitted = info.tcpi_total_retrans;
	tcp->mss = info.tcpi_snd_mss;
	tcp->pmtu = info.tcpi_pmtu;
	tcp->window = len >= offsetof(struct tcp_info, tcpi_snd_wnd) +
				  sizeof(info.tcpi_snd_wnd)
			  ? info.tcpi_snd_wnd
			  : UINT32_MAX;
	tcp->is_unsent = info.tcpi_notsent_bytes > 0;
	tcp->rtt_us = info.tcpi_rtt;
	tcp->unanswered_ms = info.tcpi_last_ack_recv;
	tcp->unsent_ms = info.tcpi_last_data_sent;
	tcp->busy_us = (int64_t)info.tcpi_busy_time;
	tcp->window_us = (int64_t)info.tcpi_rwnd_limited;
	(void)ioctl(fd, FIONREAD, &readable);
	tcp->has_unread = readable > 0;
	/* Nothing can be read, but the kernel holds data. */
	tcp->has_gap =
	    readable == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &memory_len) == 0 &&
	    memory[SK_MEMINFO_RMEM_ALLOC] > 0;
	tcp->is_known = true;
	return true;
}

int
os_open_beneath(int dir, const char *path)
{
	/* struct open_how and RESOLVE_* of the kernel's linux/openat2.h. */
	enum { NO_MAGIC_LINKS = 0x02, BENEATH = 0x08 };
	struct {
		uint64_t flags, mode, resolve;
	} how = {O_CLOEXEC | O_PATH, 0, NO_MAGIC_LINKS | BENEATH};
	const char *from = path[0] != '\0' ? path : ".";
	struct stat st;
	int tries = 0, fd;
	bool is_served;

	/* EAGAIN: something was renamed meanwhile. Nothing is opened before
	 * its type is known. */
	for (;;) {
		fd = (int)syscall(SYS_openat2, dir, from, &how, sizeof(how));
		if (fd < 0 && errno == EAGAIN && tries++ < 100)
			continue;
		if (fd < 0 || (how.flags & O_PATH) == 0)
			break;
		is_served = fstat(fd, &st) == 0;
		if (is_served && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
			is_served = false;
			errno = ENOENT;
		}
		fd_close(&fd);
		if (!is_served)
			break;
		how.flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_LARGEFILE;
	}
	/* An older sandbox fails an unknown call with EPERM. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return fd_open_beneath(dir, path);
	return fd;
}

/* Whether the system, or a sandbox that does not know the call (EPERM), does
 * not support it for these descriptors. */
static bool
is_unsupported(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == EINVAL || errnum == ENOSYS ||
	       errnum == EPERM;
}

ssize_t
os_send_file(int fd, int file, off_t *at, size_t n)
{
	ssize_t sent = sendfile(fd, file, at, n);

	if (sent < 0 && is_unsupported(errno))
		errno = ENOTSUP;
	return sent;
}

ssize_t
os_splice(int in, int out, size_t n)
{
	ssize_t done =
	    splice(in, NULL, out, NULL, n, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (done < 0 && is_unsupported(errno))
		errno = ENOTSUP;
	return done;
}

/* The pages of an unprivileged user's pipes are limited; see pipe(7). */
void
os_grow_pipe(int fd)
{
	if (fcntl(fd, F_GETPIPE_SZ) < OS_PIPE_SIZE)
		(void)fcntl(fd, F_SETPIPE_SZ, OS_PIPE_SIZE);
}

/* The two counts of readable bytes differ by the FIN. */
bool
os_had_fin(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[64];
	} control;
	struct msghdr m = {
	    .msg_control = &control, .msg_controllen = sizeof(control)};
	const int on = 1;
	struct cmsghdr *c;
	int unread, with_fin;

	if (setsockopt(fd, IPPROTO_TCP, TCP_INQ, &on, sizeof(on)) < 0 ||
	    ioctl(fd, FIONREAD, &unread) < 0 ||
	    recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT) < 0)
		return false;
	c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_level != IPPROTO_TCP ||
	    c->cmsg_type != TCP_CM_INQ)
		return false;
	memcpy(&with_fin, CMSG_DATA(c), sizeof(with_fin));
	return with_fin > unread;
}

/*
 * Pipes support RWF_NOWAIT since Linux 6.4; FIFOs and some C libraries do not.
 */
ssize_t
os_read_pipe(int fd, void *space, size_t size)
{
#ifdef RWF_NOWAIT
	struct iovec iov = {.iov_base = space, .iov_len = size};
	ssize_t done = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (done >= 0 || !is_unsupported(errno))
		return done;
#endif
	return fd_read_briefly(fd, space, size);
}

ssize_t
os_write_pipe(int fd, const void *bytes, size_t n)
{
#ifdef RWF_NOWAIT
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = n};
	ssize_t done = pwritev2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (done >= 0 || !is_unsupported(errno))
		return done;
#endif
	return fd_write_ready(fd, bytes, n, 0);
}

bool
os_receive_errors(int fd, int family, bool on)
{
	const int value = on;

	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value,
			   sizeof(value)) == 0;
	return family == AF_INET && setsockopt(fd, IPPROTO_IP, IP_RECVERR,
					&value, sizeof(value)) == 0;
}

/*
 * The kernel's struct sock_extended_err (ip(7)), which some C libraries lack.
 */
struct queued_error {
	uint32_t errnum;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

enum { ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 };

/* The errno of an ICMP error. The kernel reports "prohibited" of IPv4 (RFC 1812
 * 5.2.7.1) as unreachable, and rare codes with errnos of another meaning. */
static int
icmp_errno(const struct queued_error *q)
{
	switch (q->errnum) {
	case EHOSTUNREACH:
	case ENETUNREACH:
		return q->origin == ORIGIN_ICMP &&
			       q->type == ICMP_DEST_UNREACH &&
			       (q->code == ICMP_NET_ANO ||
				   q->code == ICMP_HOST_ANO ||
				   q->code == ICMP_PKT_FILTERED)
			   ? EACCES
			   : (int)q->errnum;
	case ENONET:
	case EOPNOTSUPP:
	case EPROTO:
		return EHOSTUNREACH;
	default:
		return (int)q->errnum;
	}
}

bool
os_next_error(int fd, struct os_error *q)
{
	union {
		struct cmsghdr align;
		char bytes[512];
	} control;
	/* qemu-user treats a message without space as empty. */
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
		q->family = error.origin == ORIGIN_ICMP    ? AF_INET
			    : error.origin == ORIGIN_ICMP6 ? AF_INET6
							   : 0;
		q->errnum =
		    q->family != 0 ? icmp_errno(&error) : (int)error.errnum;
		q->type = error.type;
		q->code = error.code;
		/* SO_EE_OFFENDER(): the sender's address follows the error. */
		q->sender.len =
		    is_ip4 ? sizeof(q->sender.u.in4) : sizeof(q->sender.u.in6);
		memcpy(
		    &q->sender.u, CMSG_DATA(c) + sizeof(error), q->sender.len);
	}
	return true;
}

/* Only UDP can: a Unix socket would send all of it as one datagram. */
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

bool
os_adopt_orphans(bool adopts)
{
	return prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)adopts) == 0;
}

void
os_follow_parent(pid_t parent, int number)
{
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)number) == 0 &&
	    getppid() != parent)
		kill(getpid(), number);
}

/* What os_start() shares with its process. */
struct start_context {
	int (*run)(void *context);
	void *context;
	int *errnum;
};

static int
run_start(void *shared)
{
	const struct start_context *s = shared;

	*s->errnum = s->run(s->context);
	return 1;
}

/* The process shares the memory of this one, which vfork(2) of some C libraries
 * does not do; but AddressSanitizer does not know clone(2). */
pid_t
os_start(int (*run)(void *context), void *context, int *errnum)
{
	struct start_context s = {run, context, errnum};
	pid_t pid;

	*errnum = 0;
#ifdef __SANITIZE_ADDRESS__
	pid = vfork();
	if (pid == 0)
		_exit(run_start(&s));
#else
	_Alignas(16) char stack[32 * 1024];

	pid = clone(run_start, stack + sizeof(stack),
	    CLONE_VM | CLONE_VFORK | SIGCHLD, &s);
#endif
	return pid;
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
