/* Writes received bytes to a descriptor that may be slow, under a deadline. */
#include "net/sink.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/num.h"
#include "base/text.h"
#include "net/sock.h"
#include "net/wait.h"

/* Bytes to escape at a time. */
#define PIECE 1024
/* The pause after a terminal accepted nothing. */
#define PAUSE_MS 10

void
sink_init(struct sink *s, int fd, const char *name, bool escapes)
{
	*s = (struct sink){
	    .fd = fd, .kind = fd_kind(fd), .name = name, .idle = LIMIT_NONE};
	s->is_escaped = escapes && s->kind == FD_TERMINAL;
}

int
sink_late(struct sink *s, struct deadline limit, struct err *e)
{
	s->has_failed = true;
	return deadline_error(
	    limit, text_format("%s: its reader took nothing", s->name), e);
}

int
sink_refused(struct sink *s, int errnum, struct err *e)
{
	s->has_failed = true;
	if (errnum != EPIPE)
		return err_sys(e, ERR_OUTPUT, errnum, "%s", s->name);
	err_set(e, ERR_OUTPUT, "%s was closed by its reader after %s", s->name,
	    num_count_text(s->bytes, "byte"));
	e->errnum = EPIPE;
	return -1;
}

static int
write_all(struct sink *s, const unsigned char *bytes, size_t n,
    struct deadline until, struct err *e)
{
	int64_t last_ns = clock_now();
	struct deadline limit;
	ssize_t done;
	int ready;

	if (s->kind == FD_TERMINAL)
		diag_live_yield(bytes, n);
	while (n > 0) {
		limit = deadline_first(until,
		    deadline_limit_from(last_ns, s->idle.ms, s->idle.option));
		ready = s->kind == FD_REGULAR || s->kind == FD_NULL
			    ? 1
			    : wait_fd(s->fd, POLLOUT, limit);
		if (ready < 0)
			return err_sys(e, ERR_FAILED, errno, "%s", s->name);
		if (ready == 0)
			return sink_late(s, limit, e);
		done = sock_write_nowait(s->fd, s->kind, bytes, n);
		if (done < 0 && (errno == EAGAIN || errno == EINTR)) {
			/* It may be writable with too little space. */
			if (s->kind == FD_TERMINAL)
				(void)wait_until(deadline_first(
				    limit, deadline_after(PAUSE_MS)));
			continue;
		}
		if (done < 0)
			return sink_refused(s, errno, e);
		bytes += done;
		n -= (size_t)done;
		last_ns = clock_now();
		if (!s->is_escaped)
			s->bytes += (uint64_t)done;
	}
	return 0;
}

int
sink_write(struct sink *s, const void *bytes, size_t n, struct deadline until,
    struct err *e)
{
	const unsigned char *p = bytes;
	unsigned char in[PIECE + sizeof(s->partial)];
	char out[4 * sizeof(in)];
	size_t piece, used, length;
	bool is_last = n == 0;

	if (s->fd < 0) {
		s->bytes += n;
		return 0;
	}
	if (!s->is_escaped)
		return write_all(s, p, n, until, e);
	do {
		piece = n < PIECE ? n : PIECE;
		memcpy(in, s->partial, s->partial_length);
		memcpy(in + s->partial_length, p, piece);
		length = text_escape_stream(
		    out, in, s->partial_length + piece, is_last, &used);
		s->partial_length += piece - used;
		memcpy(s->partial, in + used, s->partial_length);
		if (write_all(s, (const unsigned char *)out, length, until, e) <
		    0)
			return -1;
		s->bytes += piece;
		p += piece;
		n -= piece;
	} while (n > 0);
	return 0;
}
