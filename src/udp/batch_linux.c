/* Batches of datagrams: recvmmsg(2), sendmmsg(2) and UDP_SEGMENT of udp(7). */
#include "udp/batch.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/step.h"
#include "net/sockopt.h"
#include "udp/batch_step.h"
#include "udp/source_address.h"

/* The array of SO_MEMINFO, from the kernel's linux/sock_diag.h, which not every
 * C library comes with. */
enum { SK_MEMINFO_DROPS = 8, SK_MEMINFO_VARS };

/* From udp(7); not every C library defines it. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

/* Limits of a run: its bytes, including IPv6's header, and its datagrams, the
 * smallest UDP_MAX_SEGMENTS of any kernel. */
#define MAX_RUN_BYTES 65000
#define MAX_RUN_COUNT 64

/* The arrays of recvmmsg(2) and sendmmsg(2), filled in for each call. They are
 * too large for a small stack. */
static struct batch {
	struct mmsghdr messages[BATCH_MAX_SEND];
	struct iovec payloads[BATCH_MAX_SEND];
	union source_address_control controls[BATCH_MAX_SEND];
} batch;

/* For -vv: reports n datagrams that were moved, or with n -1 a failure. */
static void
report(struct batch_step *s, const struct dgram *d, int n)
{
	int i;

	if (n < 0)
		batch_step_report(s, &d->remote, -1);
	for (i = 0; i < n; i++) {
		s->is_truncated = !s->is_send && batch_is_truncated(&d[i]);
		batch_step_report(s, &d[i].remote, (ssize_t)d[i].length);
	}
}

/* Does not use UDP_GRO of udp(7): a dropped run would count as one datagram,
 * and the reported losses would be wrong. */
int
batch_receive_many(int fd, struct dgram *d, int count)
{
	struct batch *b = &batch;
	struct batch_step step = {.fd = fd};
	int i, n;

	for (i = 0; i < count; i++) {
		b->payloads[i].iov_base = d[i].bytes;
		b->payloads[i].iov_len = d[i].size;
		b->messages[i].msg_hdr =
		    (struct msghdr){.msg_name = &d[i].remote.u,
			.msg_namelen = sizeof(d[i].remote.u),
			.msg_iov = &b->payloads[i],
			.msg_iovlen = 1,
			.msg_control = &b->controls[i],
			.msg_controllen = sizeof(b->controls[i])};
	}
	step.start_ns = step_start();
	n = recvmmsg(
	    fd, b->messages, (unsigned)count, MSG_DONTWAIT | MSG_TRUNC, NULL);
	for (i = 0; i < n; i++) {
		d[i].full = b->messages[i].msg_len;
		d[i].length = d[i].full < d[i].size ? d[i].full : d[i].size;
		d[i].remote.len = b->messages[i].msg_hdr.msg_namelen;
		source_address_read(&b->messages[i].msg_hdr, &d[i].local);
	}
	if (step_is_on())
		report(&step, d, n);
	return n;
}

static bool
has_same_endpoints(const struct dgram *a, const struct dgram *b)
{
	return a->remote.len == b->remote.len && a->local.len == b->local.len &&
	       memcmp(&a->remote.u, &b->remote.u, a->remote.len) == 0 &&
	       memcmp(&a->local.u, &b->local.u, a->local.len) == 0;
}

/*
 * The kernel or the network card can split one message into a run of datagrams
 * with the same length and destination (udp(7), UDP_SEGMENT). Returns the
 * number of datagrams in the first run.
 */
static int
run_count(const struct dgram *d, int count)
{
	int n = 1;

	while (n < count && n < MAX_RUN_COUNT && d->length > 0 &&
	       d[n].length == d->length &&
	       (size_t)(n + 1) * d->length <= MAX_RUN_BYTES &&
	       has_same_endpoints(d, &d[n]))
		n++;
	return n;
}

/* Fills in a message for a run of count datagrams. */
static void
fill_message(struct msghdr *m, union source_address_control *control,
    const struct dgram *d, int count)
{
	uint16_t length = (uint16_t)d->length;

	m->msg_name = d->remote.len != 0 ? (void *)&d->remote.u : NULL;
	m->msg_namelen = d->remote.len;
	m->msg_iovlen = (size_t)count;
	source_address_write(m, control, &d->local);
	if (count == 1)
		return;
	m->msg_control = control;
	source_address_add_control(m,
	    &(struct cmsghdr){.cmsg_level = IPPROTO_UDP,
		.cmsg_type = UDP_SEGMENT,
		.cmsg_len = sizeof(length)},
	    &length);
}

/* Sends datagrams, perhaps in runs. Returns how many, or -1 with errno. */
static int
send_messages(int fd, const struct dgram *d, int count, bool runs)
{
	struct batch *b = &batch;
	int counts[BATCH_MAX_SEND], i, n = 0, done, sent = 0;
	struct batch_step step = {.fd = fd, .is_send = true};

	for (i = 0; i < count; i++) {
		b->payloads[i].iov_base = d[i].bytes;
		b->payloads[i].iov_len = d[i].length;
	}
	for (i = 0; i < count; i += counts[n++]) {
		counts[n] = runs ? run_count(d + i, count - i) : 1;
		b->messages[n].msg_hdr =
		    (struct msghdr){.msg_iov = &b->payloads[i]};
		fill_message(
		    &b->messages[n].msg_hdr, &b->controls[n], d + i, counts[n]);
	}
	step.start_ns = step_start();
	done =
	    sendmmsg(fd, b->messages, (unsigned)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (i = 0; i < done; i++)
		sent += counts[i];
	sent = done < 0 ? -1 : sent;
	if (step_is_on())
		report(&step, d, sent);
	return sent;
}

/* Whether fd is UDP: a unix socket would send a run as one datagram. */
static bool
can_segment(int fd)
{
	static const struct sockopt option = {SOL_SOCKET, SO_PROTOCOL,
	    "SO_PROTOCOL", "17 is UDP, which can send equal datagrams as one",
	    NULL};
	int protocol = 0;

	return sockopt_get(fd, &option, &protocol) == 0 &&
	       protocol == IPPROTO_UDP;
}

int
batch_send_many(int fd, const struct dgram *d, int count)
{
	bool runs = run_count(d, count) > 1 && can_segment(fd);
	int sent = send_messages(fd, d, count, runs);

	/* The path or the card does not support runs: send single datagrams. */
	if (sent < 0 && runs &&
	    (errno == EINVAL || errno == EIO || errno == EMSGSIZE ||
		errno == EOPNOTSUPP || errno == ENOPROTOOPT))
		sent = send_messages(fd, d, count, false);
	return sent;
}

bool
batch_drops(int fd, uint32_t *count)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof(info);
	int64_t start = step_start();
	int result = getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);

	if (step_is_on())
		step_report(&(struct step){.call = "getsockopt",
				.start_ns = start,
				.errnum = result < 0 ? errno : 0,
				.note = "how many datagrams the receive buffer "
					"had no space for",
				.is_query = true},
		    "SO_MEMINFO of %s", step_name_of(fd));
	if (result < 0 || len <= SK_MEMINFO_DROPS * sizeof(info[0]))
		return false;
	*count = info[SK_MEMINFO_DROPS];
	return true;
}
