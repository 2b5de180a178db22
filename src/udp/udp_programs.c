/* Runs programs that answer datagrams, one process per datagram. */
#include "udp/udp_programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "net/proc.h"
#include "net/signals.h"
#include "net/sock.h"

/* Starts the program. Returns 0, or -1 with *e. */
static int
start(struct udp_programs *w, const struct dgram *d, struct err *e)
{
	const struct proc_options options = {
	    .leads_group = true, .limit_ms = w->limit_ms};
	struct program program = {.argv = w->argv,
	    .protocol = "UDP",
	    .local = &d->to,
	    .remote = &d->from};
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	struct udp_program *p;

	if (w->slots == NULL) {
		w->slots = mem_array((size_t)w->max, sizeof(w->slots[0]));
		w->fds = mem_array(2 * (size_t)w->max + 1, sizeof(w->fds[0]));
	}
	p = &w->slots[w->count];
	memset(p, 0, sizeof(*p));
	/* This process's ends do not block. */
	if (fd_pipe(in, false) < 0 || fd_pipe(out, false) < 0 ||
	    sock_nonblocking(in[1], true) < 0 ||
	    sock_nonblocking(out[0], true) < 0) {
		err_sys(e, ERR_FAILED, errno, "pipe");
	} else {
		program.in = in[0];
		program.out = out[1];
		p->proc = proc_start(&program, &options, e);
	}
	fd_close(&in[0]);
	fd_close(&out[1]);
	if (p->proc == NULL) {
		fd_close(&in[1]);
		fd_close(&out[0]);
		return -1;
	}
	p->in = in[1];
	p->out = out[0];
	p->payload = mem_array(d->length + 1, 1);
	memcpy(p->payload, d->bytes, d->length);
	p->length = d->length;
	p->answer = *d;
	p->answer.size = DGRAM_PAYLOAD_SIZE;
	p->answer.bytes = mem_array(p->answer.size, 1);
	p->answer.length = 0;
	w->count++;
	return 0;
}

size_t
udp_programs_pollfds(const struct udp_programs *w, struct pollfd *fds)
{
	const struct udp_program *p;
	size_t i, n = 0;

	for (i = 0; i < w->count; i++) {
		p = &w->slots[i];
		fds[n++] = (struct pollfd){p->in, POLLOUT, 0};
		fds[n++] = (struct pollfd){p->out, POLLIN, 0};
	}
	return n;
}

/* Writes the payload, then closes the pipe. */
static void
write_payload(struct udp_program *p)
{
	ssize_t n;

	while (p->in >= 0 && p->written < p->length) {
		n = write(
		    p->in, p->payload + p->written, p->length - p->written);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* A program need not read it. */
		if (n < 0 && errno != EPIPE)
			p->errnum = errno;
		if (n < 0)
			break;
		p->written += (size_t)n;
	}
	fd_close(&p->in);
}

/* Reads the answer and discards what exceeds its size. */
static void
read_answer(struct udp_program *p)
{
	struct dgram *d = &p->answer;
	char drop[4096];
	size_t space;
	ssize_t n;

	while (p->out >= 0) {
		space = d->size - d->length;
		if (space > 0)
			n = read(p->out, d->bytes + d->length, space);
		else
			n = read(p->out, drop, sizeof(drop));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			p->errnum = errno;
		if (n <= 0) {
			fd_close(&p->out);
			return;
		}
		if (space > 0)
			d->length += (size_t)n;
		else
			p->too_long = true;
	}
}

static void
release(struct udp_program *p)
{
	proc_free(&p->proc);
	fd_close(&p->in);
	fd_close(&p->out);
	free(p->payload);
	free(p->answer.bytes);
}

bool
udp_programs_advance(struct udp_programs *w)
{
	bool has_ended = false;
	struct udp_program *p;
	size_t i = 0;

	while (i < w->count) {
		p = &w->slots[i];
		write_payload(p);
		/* The last output of one that has ended is in the pipe. */
		read_answer(p);
		/* What it has started may hold the other ends. */
		if (p->proc->is_late) {
			fd_close(&p->in);
			fd_close(&p->out);
		}
		if (!proc_has_ended(p->proc) || p->out >= 0) {
			i++;
			continue;
		}
		w->on_end(w->context, p);
		release(p);
		*p = w->slots[--w->count];
		has_ended = true;
	}
	return has_ended;
}

int
udp_programs_run(struct udp_programs *w, const struct dgram *d, struct err *e)
{
	while (start(w, d, e) < 0) {
		if (w->count == 0 ||
		    (!err_is_shortage(e->errnum) && e->errnum != EAGAIN))
			return -1;
		if (!w->is_short)
			diag_warn("datagrams wait for a program to end: %s",
			    err_find(e->errnum, ERR_AT_FILE)->reason);
		w->is_short = true;
		while (!udp_programs_advance(w)) {
			if (signals_stopped() != 0 || deadline_passed(w->until))
				return -1;
			(void)proc_poll(
			    w->fds, udp_programs_pollfds(w, w->fds), w->until);
		}
	}
	return 0;
}

void
udp_programs_stop(struct udp_programs *w)
{
	size_t i;

	proc_end_all();
	for (i = 0; i < w->count; i++)
		release(&w->slots[i]);
	w->count = 0;
	free(w->slots);
	free(w->fds);
}
