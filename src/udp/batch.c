/* Batches of datagrams: moves them with one system call, or one by one. */
#include "udp/batch.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "base/step.h"
#include "udp/batch_step.h"
#include "udp/source_address.h"

/*
 * Old kernels lack the calls for many datagrams, and a sandbox may deny them.
 * After the first such failure each datagram is moved by a separate call.
 */
static bool one_by_one;

struct dgram *
batch_new(void)
{
	size_t i, n = BATCH_MAX_RECEIVE;
	struct dgram *d = mem_array(n, sizeof(*d) + BATCH_PAYLOAD_SIZE);
	unsigned char *storage = (unsigned char *)(d + n);

	for (i = 0; i < n; i++) {
		d[i].bytes = storage + i * BATCH_PAYLOAD_SIZE;
		d[i].size = BATCH_PAYLOAD_SIZE;
	}
	return d;
}

bool
batch_is_truncated(const struct dgram *d)
{
	return d->full > d->length;
}

static bool
is_denied(int errnum)
{
	return errnum == ENOSYS || errnum == EPERM;
}

/* Receives one datagram. Returns 0, or -1 with errno. */
static int
receive_one(int fd, struct dgram *d)
{
	struct iovec payload = {.iov_base = d->bytes, .iov_len = d->size};
	union source_address_control control;
	struct msghdr m = {.msg_name = &d->remote.u,
	    .msg_namelen = sizeof(d->remote.u),
	    .msg_iov = &payload,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};
	struct batch_step step = {.fd = fd, .start_ns = step_start()};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n >= 0) {
		d->length = (size_t)n;
		d->full = m.msg_flags & MSG_TRUNC ? SIZE_MAX : d->length;
		d->remote.len = m.msg_namelen;
		source_address_read(&m, &d->local);
		step.is_truncated = batch_is_truncated(d);
	}
	if (step_is_on())
		batch_step_report(&step, &d->remote, n);
	return n < 0 ? -1 : 0;
}

int
batch_receive(int fd, struct dgram *d, int count)
{
	int n = -1;

	if (!one_by_one)
		n = batch_receive_many(fd, d, count);
	if (n >= 0 || (!one_by_one && !is_denied(errno)))
		return n;
	one_by_one = true;
	for (n = 0; n < count && receive_one(fd, &d[n]) == 0; n++)
		;
	return n > 0 ? n : -1;
}

/* Sends one datagram. Returns 0, or -1 with errno. */
static int
send_one(int fd, const struct dgram *d)
{
	struct iovec payload = {.iov_base = d->bytes, .iov_len = d->length};
	union source_address_control control;
	struct msghdr m = {.msg_iov = &payload, .msg_iovlen = 1};
	struct batch_step step = {
	    .fd = fd, .is_send = true, .start_ns = step_start()};
	int result;

	if (d->remote.len != 0) {
		m.msg_name = (void *)&d->remote.u;
		m.msg_namelen = d->remote.len;
	}
	source_address_write(&m, &control, &d->local);
	result = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
	if (step_is_on())
		batch_step_report(
		    &step, &d->remote, result < 0 ? -1 : (ssize_t)d->length);
	return result;
}

int
batch_send(int fd, const struct dgram *d, int count)
{
	int n = -1;

	if (!one_by_one)
		n = batch_send_many(fd, d, count);
	if (n >= 0 || (!one_by_one && !is_denied(errno)))
		return n;
	for (n = 0; n < count && send_one(fd, &d[n]) == 0; n++)
		;
	/* A firewall also causes EPERM. Only the call that every kernel has
	 * distinguishes the two. */
	one_by_one = one_by_one || n > 0 || errno != EPERM;
	return n > 0 ? n : -1;
}
