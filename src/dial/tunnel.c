/* A proxy's handshake: its messages, and how it fails. */
#include "dial/tunnel.h"

#include <errno.h>

#include "base/err.h"

int
tunnel_declined(struct tunnel *t, const char *why, int errnum)
{
	err_set(t->e, ERR_PEER, "declined: %s", why);
	t->e->errnum = errnum;
	return -1;
}

int
tunnel_malformed(struct tunnel *t)
{
	return err_set(t->e, ERR_PROTOCOL,
	    "its answer is malformed (perhaps it is another kind of proxy)");
}

/* The proxy closed the connection, as OpenSSH's does if it cannot connect. */
static int
closed(struct tunnel *t)
{
	if (!t->is_requested)
		return err_set(t->e, ERR_PROTOCOL,
		    "closed the connection during the handshake "
		    "(perhaps it is another kind of proxy)");
	err_set(t->e, ERR_PEER,
	    "closed the connection without a reply (it cannot reach the "
	    "target: ssh -D reports that in this way)");
	t->e->errnum = EHOSTUNREACH;
	return -1;
}

/* Turns the end of an operation, what, into 0, or -1 with an error. */
static int
result_of(struct tunnel *t, enum stream_end end, const char *what)
{
	switch (end) {
	case STREAM_DONE:
		return 0;
	case STREAM_ENDED:
		return closed(t);
	case STREAM_LIMIT:
		return deadline_error(
		    t->stream.until, "no answer to the handshake", t->e);
	case STREAM_STOPPED:
		return err_sys(
		    t->e, ERR_FAILED, errno, "waiting for the answer");
	default:
		return err_sys(t->e, ERR_LOST, errno, "%s", what);
	}
}

int
tunnel_send(struct tunnel *t, const void *bytes, size_t n)
{
	uint64_t sent = 0;

	return result_of(
	    t, stream_send(&t->stream, bytes, n, &sent), "sending the request");
}

ssize_t
tunnel_receive(struct tunnel *t, void *space, size_t size, int flags)
{
	struct stream stream = t->stream;
	size_t n = 0;
	enum stream_end end;

	stream.receive_flags = flags;
	end = stream_receive(&stream, space, size, &n);
	return result_of(t, end, "waiting for the answer") < 0 ? -1
							       : (ssize_t)n;
}

int
tunnel_receive_all(struct tunnel *t, unsigned char *bytes, size_t n)
{
	ssize_t done;

	for (; n > 0; bytes += done, n -= (size_t)done)
		if ((done = tunnel_receive(t, bytes, n, 0)) < 0)
			return -1;
	return 0;
}
