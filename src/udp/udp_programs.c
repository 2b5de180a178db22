/* Runs programs that answer datagrams, one process per datagram. */
#include "udp/udp_programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "net/os.h"
#include "net/program.h"
#include "net/sock.h"

void
udp_programs_start(
    struct udp_programs *w, char *const *argv, size_t max, int64_t limit_ms)
{
	memset(w, 0, sizeof(*w));
	w->slots = mem_array(max, sizeof(w->slots[0]));
	w->max = max;
	w->argv = argv;
	w->limit_ms = limit_ms;
}

/* Two pipes: the ends that stay here do not block. 0, or -1 with errno. */
static int
open_pipes(int in[2], int out[2])
{
	in[0] = in[1] = out[0] = out[1] = -1;
	if (os_pipe(in, false) < 0 || os_pipe(out, false) < 0 ||
	    sock_nonblocking(in[1], true) < 0 ||
	    sock_nonblocking(out[0], true) < 0) {
		fd_close(&in[0]);
		fd_close(&in[1]);
		fd_close(&out[0]);
		fd_close(&out[1]);
		return -1;
	}
	return 0;
}

/* Starts it between two pipes. 0, or -1 with *e. */
static int
start_program(
    const struct udp_programs *w, struct udp_program *one, struct err *e)
{
	struct program program = {.argv = w->argv,
	    .protocol = "UDP",
	    .local = &one->endpoints.local,
	    .remote = &one->endpoints.remote,
	    .own_group = true};
	int in[2], out[2];
	pid_t pid;

	if (open_pipes(in, out) < 0)
		return err_sys(e, ERR_FAILED, errno, "pipe");
	program.in = in[0];
	program.out = out[1];
	pid = program_start(&program, e);
	fd_close(&in[0]);
	fd_close(&out[1]);
	if (pid < 0) {
		fd_close(&in[1]);
		fd_close(&out[0]);
		return -1;
	}
	one->child.pid = one->child.group = pid;
	one->child.until = deadline_after(w->limit_ms);
	one->in = in[1];
	one->out = out[0];
	return 0;
}

int
udp_programs_run(struct udp_programs *w, const struct dgram *d,
    const struct dgram_endpoints *ep, struct err *e)
{
	struct udp_program *one = &w->slots[w->count];

	memset(one, 0, sizeof(*one));
	one->endpoints = *ep;
	if (start_program(w, one, e) < 0)
		return -1;
	one->payload = mem_array(d->length + 1, 1);
	memcpy(one->payload, d->bytes, d->length);
	one->length = d->length;
	one->answer = *d;
	one->answer.size = BATCH_PAYLOAD_SIZE;
	one->answer.bytes = mem_array(one->answer.size, 1);
	one->answer.length = 0;
	w->count++;
	return 0;
}

size_t
udp_programs_pollfds(
    const struct udp_programs *w, struct pollfd *fds, struct deadline *until)
{
	const struct udp_program *one;
	size_t i, n = 0;

	for (i = 0; i < w->count; i++) {
		one = &w->slots[i];
		if (one->in >= 0)
			fds[n++] = (struct pollfd){one->in, POLLOUT, 0};
		if (one->out >= 0)
			fds[n++] = (struct pollfd){one->out, POLLIN, 0};
		*until = deadline_first(*until, one->child.until);
	}
	return n;
}

/* Writes the payload, and closes the pipe after it. */
static void
write_payload(struct udp_program *one)
{
	ssize_t n;

	while (one->in >= 0 && one->written < one->length) {
		n = write(one->in, one->payload + one->written,
		    one->length - one->written);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		/* A program need not read it. */
		if (n < 0 && errno != EPIPE)
			one->errnum = errno;
		if (n < 0)
			break;
		one->written += (size_t)n;
	}
	fd_close(&one->in);
}

/* Reads the answer; what exceeds its size is read and dropped. */
static void
read_answer(struct udp_program *one)
{
	struct dgram *d = &one->answer;
	char drop[4096];
	size_t space;
	ssize_t n;

	while (one->out >= 0) {
		space = d->size - d->length;
		if (space > 0)
			n = read(one->out, d->bytes + d->length, space);
		else
			n = read(one->out, drop, sizeof(drop));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			one->errnum = errno;
		if (n <= 0) {
			fd_close(&one->out);
			return;
		}
		if (space > 0)
			d->length += (size_t)n;
		else
			one->too_long = true;
	}
}

/* Reaps it if it has ended, kills it if it took too long. */
static void
check_child(struct udp_program *one)
{
	struct child *c = &one->child;

	if (c->pid > 0)
		(void)child_reap(c, &one->status);
	if (!deadline_passed(c->until))
		return;
	one->timed_out = true;
	if (c->pid > 0)
		one->status = child_kill(c);
	/* A process that it has started may hold the other ends. */
	fd_close(&one->in);
	fd_close(&one->out);
}

struct udp_program *
udp_programs_advance(struct udp_programs *w)
{
	struct udp_program *one;
	size_t i;

	for (i = 0; i < w->count; i++) {
		one = &w->slots[i];
		write_payload(one);
		read_answer(one);
		check_child(one);
		/* What it wrote last was in the pipe before it ended. */
		if (one->child.pid == 0)
			read_answer(one);
		if (one->child.pid == 0 && one->out < 0)
			return one;
	}
	return NULL;
}

static void
release(struct udp_program *one)
{
	fd_close(&one->in);
	fd_close(&one->out);
	free(one->payload);
	free(one->answer.bytes);
}

void
udp_programs_remove(struct udp_programs *w, struct udp_program *one)
{
	release(one);
	*one = w->slots[--w->count];
}

void
udp_programs_stop(struct udp_programs *w)
{
	size_t i;

	for (i = 0; i < w->count; i++)
		if (w->slots[i].child.pid > 0)
			child_end(&w->slots[i].child);
	for (i = 0; i < w->count; i++) {
		if (w->slots[i].child.pid > 0)
			(void)child_wait(&w->slots[i].child);
		release(&w->slots[i]);
	}
	free(w->slots);
	memset(w, 0, sizeof(*w));
}
