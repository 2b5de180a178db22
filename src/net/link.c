/* A connection: its totals, its processes, and how it ends. */
#include "net/link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"
#include "net/proc.h"
#include "net/signals.h"
#include "net/sock.h"
#include "net/stall.h"
#include "net/wait.h"

/* How long the process of a discarded connection may take to end it. */
#define DISCARD_MS 500
/* How long the FIN for the peer of a program that has failed is held back, for
 * what it still sends makes a reset of it: if the program has sent nothing, and
 * if it has sent an answer, whose end the peer may wait for. */
#define SILENT_MS 500
#define ANSWERED_MS 200
/* How often to check for the last acknowledgement, before a reset. */
#define ACK_MS 10
/* A record of TLS is not requested again within this time. */
#define ASK_AGAIN_MS 10
/* How long to wait for it: the process may be stopped. */
#define ANSWER_MS 100
/* A FIN is held back for this many answer times, within these limits. */
#define HOLD_ANSWERS 20
#define HOLD_MIN_MS 100
#define HOLD_MAX_MS 1000
#define HOLD_PROXY_MIN_MS 1000
#define HOLD_PROXY_MAX_MS 5000
/* Before the peer's first answer, and if nothing was ever sent. */
#define HOLD_FIRST_MS 1000
#define HOLD_UNUSED_MS 250
/* The end of the input of a program that only receives. */
#define HOLD_PROGRAM_MS 5000
/* How many bytes of a message are shown. */
#define SHOWN 512
/* The clock is checked after at most this many bytes of a file. */
#define FILE_PIECE (1024 * 1024)

/* A program that makes the connection. */
struct link_program {
	struct proc *proc; /* with a copy of the descriptor: the program sees
			      the end of its input only after shutdown(2), not
			      when sockt abandons an incomplete transfer */
	bool may_stop;
	const char *name; /* owned */
	char line[512];   /* of stderr, as far as it was read */
	size_t line_length;
	char reason[513]; /* the last line that was complete */
};

/* Reports a line of the program's stderr. */
static void
end_line(struct link_program *p)
{
	if (p->line_length == 0)
		return;
	memcpy(p->reason, p->line, p->line_length);
	p->reason[p->line_length] = '\0';
	p->line_length = 0;
	diag_note("--via says: %s", text_shown(p->reason));
}

/* Reads once from the program's stderr; only the beginning of a long line is
 * kept. Returns as read(2). */
static ssize_t
read_errors(void *program)
{
	struct link_program *p = program;
	char bytes[4096], *c;
	ssize_t n = read(p->proc->errors, bytes, sizeof(bytes));

	for (c = bytes; c < bytes + n; c++)
		if (*c == '\n' || *c == '\r')
			end_line(p);
		else if (p->line_length < sizeof(p->line))
			p->line[p->line_length++] = *c == '\0' ? ' ' : *c;
	return n;
}

/* Reads the rest, at most what a pipe holds: orphans of the program may go on
 * writing. */
static void
read_last_errors(struct link_program *p)
{
	int i;

	for (i = 0; i < 16 && read_errors(p) > 0; i++)
		continue;
	end_line(p);
}

void
link_drop_tls(struct link *l)
{
	struct link_tls *t = l->tls;
	size_t i;

	if (t == NULL)
		return;
	l->tls = NULL;
	/* It sends what it has, and resets the connection. */
	fd_close(&t->report);
	if (t->proc != NULL)
		(void)proc_wait(t->proc, deadline_after(PROC_GRACE_MS));
	proc_free(&t->proc);
	fd_close(&t->hold);
	for (i = 0; t->variables[i] != NULL; i++)
		free((void *)t->variables[i]);
	free((void *)t->name);
	free(t);
}

/* Terminates the processes that have not ended, and frees them. */
static void
release(struct link *l)
{
	struct link_program *p = l->program;

	link_drop_tls(l);
	l->program = NULL;
	if (p == NULL)
		return;
	if (p->proc != NULL) {
		wait_stop_reading();
		read_last_errors(p);
		/* The rest of a pipeline may still run. */
		if (proc_group_lives(p->proc))
			proc_end(p->proc);
	}
	proc_free(&p->proc);
	free((void *)p->name);
	free(p);
}

int
link_run(struct link *l, const char *command, const char *name, bool may_stop,
    struct err *e)
{
	struct link_program *p = mem_array(1, sizeof(*p));
	/* With a terminal, which it may need for a password, it must stay in
	 * the foreground process group, where Ctrl-C reaches all of it.
	 * Otherwise it leads a group, which is ended as a whole. */
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char *shell[4];
	const struct program program = {.argv = proc_shell(shell, command),
	    .options = {.leads_group = terminal < 0,
		.has_pair = true,
		.has_errors = true}};

	fd_close(&terminal);
	p->name = mem_text(name);
	p->may_stop = may_stop;
	*l = (struct link){.fd = -1, .start_ns = clock_now(), .program = p};
	p->proc = proc_start(&program, e);
	if (p->proc != NULL) {
		l->fd = fcntl(p->proc->fd, F_DUPFD_CLOEXEC, 3);
		if (l->fd < 0)
			err_sys(e, ERR_FAILED, errno, "a copy of a socket");
	}
	if (p->proc == NULL || l->fd < 0) {
		err_prefix(e, "%s: --via", p->name);
		release(l);
		return -1;
	}
	diag_note("%s: running %s (--via)", p->name, text_shown(command));
	wait_start_reading(p->proc->errors, read_errors, p);
	sock_local(l->fd, &l->local);
	l->remote = l->local;
	return 0;
}

bool
link_is_direct(const struct link *l)
{
	return l->tls == NULL && l->program == NULL;
}

/* Reads the records that have arrived. */
static void
read_records(struct link_tls *t)
{
	struct link_record record;
	ssize_t n;

	while (!t->has_ended) {
		n = read(t->report, &record, sizeof(record));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		t->has_ended = n != (ssize_t)sizeof(record);
		if (!t->has_ended)
			t->peer = record;
		/* The process may have been taken over. */
		t->peer.lost.text[sizeof(record.lost.text) - 1] = '\0';
	}
}

/* Reads the records, and requests another unless the last is new. Returns the
 * last. */
static const struct link_record *
ask(struct link_tls *t)
{
	struct pollfd p = {.fd = t->report, .events = POLLIN};
	int64_t now = clock_now();

	read_records(t);
	if (t->has_ended || now - t->asked_ns < ASK_AGAIN_MS * CLOCK_MS)
		return &t->peer;
	t->asked_ns = now;
	if (write(t->report, "", 1) == 1 && poll(&p, 1, ANSWER_MS) > 0)
		read_records(t);
	return &t->peer;
}

void
link_observe(struct link *l)
{
	if (l->tls != NULL)
		l->tcp = ask(l->tls)->tcp;
	else
		(void)os_tcp_info(l->fd, &l->tcp);
}

const char *
link_why(struct link *l, bool awaits_peer, const char *peer)
{
	link_observe(l);
	if (!l->tcp.is_known)
		return NULL;
	/* With TLS, data that its process has passed on counts, too. */
	if (l->tls != NULL && fd_available(l->fd) > 0)
		l->tcp.has_unread = true;
	return stall_text(&l->tcp, awaits_peer, peer);
}

static const char *
discarded_text(const struct link *l)
{
	return text_format("%s%s %s %s", l->discards_more ? "at least " : "",
	    num_count_text(l->discarded, "byte"),
	    l->discarded == 1 ? "was" : "were",
	    l->had_program ? "not read by the program" : "discarded");
}

void
link_count(struct link *l, bool goes_on)
{
	const struct os_tcp *tcp = &l->tcp;

	if (goes_on)
		diag_note("%s: the program has ended, and a process that it "
			  "started keeps the connection",
		    addr_text(&l->remote));
	link_observe(l);
	/* The kernel counts encrypted bytes. */
	l->bytes_unknown = !tcp->is_known || l->tls != NULL;
	if (l->tls != NULL)
		l->sent = l->tls->peer.taken;
	if (l->bytes_unknown)
		return;
	l->sent = tcp->sent;
	l->received = tcp->received;
	/* The peer's FIN counts as a byte. */
	if (l->received > 0 &&
	    (tcp->peer_finished || (tcp->is_closed && os_had_fin(l->fd))))
		l->received--;
	l->is_reset = tcp->is_closed;
	if (tcp->peer_finished || tcp->is_closed)
		l->first = LINK_FIRST_PEER;
	else if (!goes_on)
		l->first = LINK_FIRST_US;
}

void
link_note_exit(struct link *l, int status, uint64_t unread)
{
	l->had_program = true;
	l->has_failed = status != 0;
	l->is_silent = l->has_failed && l->sent == 0 &&
		       (!l->bytes_unknown || l->tls != NULL);
	l->unread = unread;
	l->exit_ns = clock_now();
}

void
link_report_failure(const struct link *l, int status)
{
	if (l->has_failed && l->discarded > 0 &&
	    (!l->is_reset || l->reset_by_us))
		diag_warn("%s: the program failed with status %d; %s",
		    addr_text(&l->remote), status, discarded_text(l));
}

uint64_t
link_unacked(const struct link *l)
{
	uint64_t n;

	if (l->tls != NULL) {
		n = ask(l->tls)->acked;
		return n < l->sent ? l->sent - n : 0;
	}
	n = sock_unacked_bytes(l->fd);
	/* The system counts FIN as a byte. */
	return n > 0 && l->is_fin_sent ? n - 1 : n;
}

bool
link_is_acked(const struct link *l)
{
	return l->tls != NULL ? l->tls->has_ended || link_unacked(l) == 0
			      : sock_is_acked(l->fd);
}

int
link_confirm(struct link *l)
{
	int errnum = sock_error(l->fd);

	if (errnum != 0) {
		errno = errnum;
		return -1;
	}
	return link_is_acked(l);
}

/* Sets moved_ns if the peer has acknowledged more. Returns how many bytes it
 * has not acknowledged yet. */
static uint64_t
look(struct link *l)
{
	uint64_t unacked = link_unacked(l), acked = l->sent - unacked;

	/* Not all that TLS sends is known. */
	if (l->tls != NULL)
		acked = l->tls->peer.acked;
	if (acked > l->acked && unacked <= l->sent) {
		l->acked = acked;
		l->moved_ns = clock_now();
	}
	return unacked;
}

/* When to look again for an idle limit of idle_ms (-1: none). */
static struct deadline
look_again(int64_t idle_ms)
{
	return idle_ms < 0 ? deadline_none() : deadline_after(idle_ms / 8 + 1);
}

/* Whether a program has the connection, and sees the end of its input. */
static bool
feeds_program(const struct link *l)
{
	return l->program != NULL && l->tls == NULL;
}

/* How long a connection must be quiet before FIN is sent. */
static int64_t
hold_ms(const struct link *l)
{
	int64_t min = l->has_proxy ? HOLD_PROXY_MIN_MS : HOLD_MIN_MS,
		max = l->has_proxy ? HOLD_PROXY_MAX_MS : HOLD_MAX_MS,
		ms = HOLD_ANSWERS * l->answer_ns / CLOCK_MS;

	if (feeds_program(l))
		return HOLD_PROGRAM_MS;
	if (l->sent == 0)
		return HOLD_UNUSED_MS;
	if (l->answer_ns == 0)
		return HOLD_FIRST_MS;
	return ms < min ? min : ms > max ? max : ms;
}

/* Sends FIN. Returns 0, or -1 with errno. */
static int
send_fin(struct link *l)
{
	struct os_tcp tcp;

	/* The peer's FIN may have arrived after unread data. */
	if (l->first == LINK_FIRST_NOBODY)
		l->first = os_tcp_info(l->fd, &tcp) &&
				   (tcp.peer_finished || tcp.is_closed)
			       ? LINK_FIRST_PEER
			       : LINK_FIRST_US;
	if (sock_finish(l->fd) < 0)
		return -1;
	l->is_fin_sent = true;
	return 0;
}

bool
link_is_held(const struct link *l)
{
	return l->eof == LINK_EOF_HELD && l->is_finished && !l->is_fin_sent &&
	       l->end == LINK_OPEN;
}

/* Sends a FIN that was due; errors as of link_finish(). */
static int
finish_now(struct link *l)
{
	if (send_fin(l) == 0 || l->sent == 0)
		return 0;
	if (errno == ENOTCONN)
		errno = sock_error(l->fd);
	if (errno == 0)
		errno = EPIPE;
	return -1;
}

int
link_finish(struct link *l)
{
	int64_t moved_ns = l->moved_ns;

	l->is_finished = true;
	if (!link_is_held(l))
		return finish_now(l);
	/* What was acknowledged before is no movement. */
	(void)look(l);
	l->moved_ns = moved_ns;
	return 0;
}

int
link_tend(struct link *l, uint64_t sent, uint64_t received, int64_t idle_ms,
    struct deadline *next)
{
	int64_t now = clock_now();
	struct deadline due;
	uint64_t unacked;

	if (received > l->received && l->sent_ns != 0)
		l->answer_ns = now - l->sent_ns + 1;
	if (received > l->received || sent > l->sent)
		l->sent_ns = sent > l->sent ? now : 0;
	if (received > l->received || sent > l->sent || l->moved_ns == 0)
		l->moved_ns = now;
	l->sent = sent;
	l->received = received;
	if (l->is_fin_received && !l->is_finished && !l->is_probed) {
		l->is_probed = true;
		sock_start_keepalive(l->fd);
	}
	if (idle_ms < 0 && !link_is_held(l))
		return 0;
	unacked = look(l);
	if (idle_ms >= 0 && unacked > 0)
		*next = deadline_first(*next, look_again(idle_ms));
	if (!link_is_held(l))
		return 0;
	due = deadline_from(l->moved_ns, hold_ms(l));
	/* Nor is it quiet while received bytes are not read. */
	if (unacked > 0 || (deadline_passed(due) && fd_available(l->fd) > 0))
		due = sock_recheck(l->moved_ns);
	if (!deadline_passed(due)) {
		*next = deadline_first(*next, due);
		return 0;
	}
	if (feeds_program(l))
		diag_warn("%s: nothing has come for %s; the program of --via "
			  "gets the end of its input, and ends if the peer has "
			  "finished",
		    l->program->name, num_limit_text(HOLD_PROGRAM_MS));
	return finish_now(l);
}

/*
 * wait_fd() for the connection, or a descriptor of its process, until the
 * deadline, or until nothing has moved since moved_ns for idle_ms (-1: no
 * limit).
 */
static int
wait_moving(struct link *l, int fd, short events, int64_t idle_ms,
    struct deadline until)
{
	struct deadline limit, check = deadline_none();
	int ready;

	for (;;) {
		if (idle_ms >= 0)
			check =
			    look(l) > 0 ? look_again(idle_ms) : deadline_none();
		limit =
		    deadline_first(until, deadline_from(l->moved_ns, idle_ms));
		if (deadline_passed(limit))
			return 0;
		ready = wait_fd(fd, events, deadline_first(limit, check));
		if (ready != 0)
			return ready;
	}
}

/* After a call has failed: waits until it can be repeated. Returns 0, or -1
 * with errno as link_send(). */
static int
wait_again(struct link *l, short events, int64_t idle_ms, struct deadline until)
{
	int ready;

	if (errno != EAGAIN && errno != EINTR)
		return -1;
	ready = wait_moving(l, l->fd, events, idle_ms, until);
	if (ready == 0)
		errno = EAGAIN;
	return ready > 0 ? 0 : -1;
}

/* Whether the deadline has passed, with EAGAIN: it must hold although no call
 * waits. */
static bool
has_passed(struct deadline until)
{
	errno = EAGAIN;
	if (deadline_passed(until))
		return true;
	deadline_looked(clock_now());
	return false;
}

/* Sends at most n bytes of a file from *at; returns as os_send_file(). */
static ssize_t
send_piece(int fd, int file, off_t *at, size_t n)
{
	static char piece[64 * 1024];
	ssize_t done = os_send_file(fd, file, at, n);

	if (done >= 0 || errno != ENOTSUP)
		return done;
	done = pread(file, piece, n < sizeof(piece) ? n : sizeof(piece), *at);
	if (done > 0)
		done = sock_send(
		    fd, piece, (size_t)done, MSG_DONTWAIT | MSG_NOSIGNAL);
	*at += done > 0 ? done : 0;
	return done;
}

int
link_send(struct link *l, const void *bytes, size_t n, int64_t idle_ms,
    struct deadline until)
{
	const char *p = bytes;
	ssize_t done;

	l->moved_ns = clock_now();
	while (n > 0) {
		if (has_passed(until))
			return -1;
		done = sock_send(l->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0 && wait_again(l, POLLOUT, idle_ms, until) < 0)
			return -1;
		if (done < 0)
			continue;
		p += done;
		n -= (size_t)done;
		l->sent += (uint64_t)done;
		l->moved_ns = clock_now();
	}
	return 0;
}

int
link_send_file(struct link *l, int file, off_t at, uint64_t n, int64_t idle_ms,
    struct deadline until)
{
	ssize_t done;

	l->moved_ns = clock_now();
	while (n > 0) {
		if (has_passed(until))
			return -1;
		done = send_piece(
		    l->fd, file, &at, n < FILE_PIECE ? (size_t)n : FILE_PIECE);
		if (done < 0 && wait_again(l, POLLOUT, idle_ms, until) < 0)
			return -1;
		if (done < 0)
			continue;
		if (done == 0) {
			errno = 0;
			return -1;
		}
		n -= (uint64_t)done;
		l->sent += (uint64_t)done;
		l->moved_ns = clock_now();
	}
	return 0;
}

ssize_t
link_receive(struct link *l, void *space, size_t size, int flags,
    int64_t idle_ms, struct deadline until)
{
	/* Without a limit, a blocking socket need not be polled first. */
	bool has_limit = idle_ms >= 0 || deadline_is_set(until);
	ssize_t n;

	l->moved_ns = clock_now();
	do {
		if (has_passed(until))
			return -1;
		n = sock_recv(
		    l->fd, space, size, flags | (has_limit ? MSG_DONTWAIT : 0));
	} while (n < 0 && wait_again(l, POLLIN, idle_ms, until) == 0);
	if (n > 0 && (flags & MSG_PEEK) == 0)
		l->received += (uint64_t)n;
	return n;
}

void
link_abort(struct link *l, int64_t idle_ms, struct deadline until)
{
	int64_t start = clock_now();
	bool waits = l->fd >= 0 && !sock_is_unix(l->fd);
	bool is_blind = !sock_reports_acks(l->fd);
	struct deadline limit;

	if (is_blind)
		until = deadline_first(until, deadline_after(LINK_DRAIN_MS));
	while (waits && (is_blind || !sock_is_acked(l->fd))) {
		(void)look(l);
		limit =
		    deadline_first(until, deadline_from(l->moved_ns, idle_ms));
		if (deadline_passed(limit) ||
		    wait_until(deadline_first(limit, sock_recheck(start))) < 0)
			break;
	}
	sock_abort(&l->fd);
}

void
link_note_fin(struct link *l)
{
	l->is_fin_received = true;
	if (l->first == LINK_FIRST_NOBODY)
		l->first = LINK_FIRST_PEER;
}

/* Waits for a program that has hung up. Returns whether it has failed. */
static bool
has_failed(struct proc *p)
{
	struct deadline until = deadline_after(PROC_GRACE_MS);
	struct pollfd none[WAIT_SPARE];

	while (!proc_has_ended(p) && !deadline_passed(until) &&
	       signals_stopped() == 0)
		if (proc_poll(none, 0, until) < 0)
			signals_collect();
	return proc_has_ended(p) && p->status != 0;
}

/* How the peer's direction has ended. */
static enum link_end
find_end(struct link *l)
{
	struct pollfd p = {.fd = l->fd};
	const struct err *lost;
	bool is_cut;

	if (l->tls != NULL) {
		/* The process sends the record before it closes. */
		read_records(l->tls);
		lost = &l->tls->peer.lost;
		if ((l->tls->peer.facts & LINK_FACT_CLOSED) != 0)
			return LINK_WHOLE;
		return lost->kind == ERR_LOST && lost->errnum == 0 ? LINK_BARE
								   : LINK_CUT;
	}
	if (l->is_to_program)
		is_cut = poll(&p, 1, 0) > 0 && (p.revents & POLLHUP) != 0;
	else
		is_cut =
		    l->is_reset || (!l->is_fin_sent && sock_is_closed(l->fd));
	if (is_cut && l->program != NULL)
		is_cut = has_failed(l->program->proc);
	return is_cut ? LINK_CUT : LINK_WHOLE;
}

enum link_end
link_end(struct link *l)
{
	bool was_held = link_is_held(l);

	l->end = find_end(l);
	if (l->end == LINK_CUT)
		return LINK_CUT;
	link_note_fin(l);
	if (was_held && finish_now(l) < 0)
		l->end = LINK_CUT;
	return l->end;
}

bool
link_may_have_dropped(const struct link *l)
{
	return l->eof != LINK_EOF_SAFE && l->end == LINK_WHOLE &&
	       l->first == LINK_FIRST_US && l->sent > 0 && l->received == 0;
}

/* sock_discard(), which counts, and decides about a reset. */
static int
discard(struct link *l)
{
	uint64_t before = l->discarded;
	int more = sock_discard(l->fd, &l->discarded);

	/* What a program that has answered left of a request is no failure. */
	if (l->has_failed && !l->is_reset &&
	    l->discarded > (l->is_silent ? 0 : l->unread)) {
		l->reset_by_us = true;
		l->is_reset = !addr_is_unix(&l->local);
		l->discarded += fd_available(l->fd);
		more = -1;
	}
	if (l->discarded > l->unread)
		l->received +=
		    l->discarded - (before > l->unread ? before : l->unread);
	return more;
}

/* Until when the FIN is held back, if it is. */
static struct deadline
hold_deadline(const struct link *l)
{
	if (!l->has_failed || l->is_fin_received)
		return deadline_none();
	return deadline_from(
	    l->exit_ns, l->is_silent ? SILENT_MS : ANSWERED_MS);
}

struct deadline
link_drain_next(const struct link *l)
{
	struct deadline held = hold_deadline(l);

	if (l->reset_by_us)
		return deadline_after(ACK_MS);
	return deadline_passed(held) ? deadline_none() : held;
}

bool
link_drain(struct link *l, struct deadline until)
{
	struct deadline held = hold_deadline(l);
	bool may_finish = !l->reset_by_us &&
			  (!deadline_is_set(held) || deadline_passed(held));
	int more = l->reset_by_us;

	if (may_finish && !l->is_fin_sent && send_fin(l) < 0)
		more = -1;
	else if (l->has_failed ? !l->reset_by_us : !l->is_fin_received)
		more = discard(l);
	if (l->reset_by_us && l->first == LINK_FIRST_NOBODY)
		l->first = LINK_FIRST_US;
	else if (more == 0)
		link_note_fin(l);
	/* Later data is for the system to refuse. */
	if (l->is_silent && may_finish)
		more = -1;
	if (!deadline_passed(until) &&
	    (l->reset_by_us ? !link_is_acked(l) : more > 0))
		return false;
	if (!l->reset_by_us && !l->is_fin_sent)
		(void)send_fin(l);
	if (diag_emits(DIAG_SAY)) /* for link_log_closed() */
		link_observe(l);
	if (l->reset_by_us)
		sock_abort(&l->fd);
	else
		sock_close(&l->fd);
	return true;
}

/*
 * Waits for the end of TLS. is_complete: everything was sent, and nothing more
 * is read; otherwise the connection is lost, and only the cause is wanted.
 * Returns 0 if the peer has received everything, and either side has ended TLS
 * as it requires; or -1 with *e.
 */
static int
end_tls(struct link *l, bool is_complete, struct deadline until, struct err *e)
{
	struct link_tls *t = l->tls;
	const struct link_record *r = &t->peer;
	int ready = 1;

	if (is_complete)
		(void)sock_shut(t->hold, SHUT_RDWR);
	l->moved_ns = clock_now();
	read_records(t);
	while (!t->has_ended && ready > 0 &&
	       (is_complete || r->lost.kind == ERR_NONE)) {
		ready = wait_moving(l, t->report, POLLIN, t->idle.ms, until);
		read_records(t);
	}
	/* The peer has everything, whether it takes the end or not. */
	if (l->is_unread && r->acked >= l->sent)
		return 0;
	/* The peer has everything and nothing more is expected from it, so
	 * nothing can be missing. A server is done when the system has its
	 * answer, as without TLS. */
	if (is_complete && (l->reads_less || l->is_answered) &&
	    r->lost.kind == ERR_LOST &&
	    (l->is_answered ? r->sent : r->acked) >= l->sent) {
		diag_note("%s: after everything was exchanged: %s", t->name,
		    r->lost.text);
		return 0;
	}
	if (r->lost.kind != ERR_NONE) {
		*e = r->lost;
	} else if ((r->facts & LINK_FACT_LAST) != 0) {
		return 0;
	} else if (ready == 0) {
		deadline_idle_error(until, t->idle, e);
		err_append(e, "the peer has not acknowledged everything");
		e->errnum = ETIMEDOUT;
	} else if (ready < 0) {
		return err_sys(e, ERR_FAILED, EINTR, "%s", t->name);
	} else {
		err_set(e, ERR_LOST, "its process was killed");
		e->errnum = ECONNRESET;
	}
	return err_prefix(e, "%s", t->name);
}

/*
 * Waits until the deadline for the program to exit, but only for a grace period
 * if it has closed its side or may be stopped. Returns 0 if it exits with
 * status 0, or had to be stopped and may be; or -1 with *e and the last line of
 * its stderr.
 */
static int
end_program(struct link_program *p, struct deadline until, struct err *e)
{
	char byte;
	int status;

	if (p->may_stop ||
	    sock_recv(p->proc->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	else
		diag_note("waiting until the program of --via exits");
	fd_close(&p->proc->fd);
	status = proc_wait(p->proc, until);
	read_last_errors(p);
	/* Its output may have nowhere to go. */
	if (p->proc->is_ending
		? p->may_stop
		: status == 0 || (p->may_stop && status == 128 + SIGPIPE))
		return 0;
	if (p->proc->is_ending)
		err_set(e, ERR_LOST,
		    "did not exit after the connection was closed");
	else if (status > 128 && status <= 128 + SIGRTMAX)
		err_set(e, ERR_LOST, "was killed by signal %d", status - 128);
	else
		err_set(e,
		    status == 126 || status == 127 ? (enum err_kind)status
						   : ERR_LOST,
		    "failed with status %d", status);
	if (p->proc->is_ending)
		e->errnum = ETIMEDOUT;
	if (p->reason[0] != '\0')
		text_append(
		    e->text, sizeof(e->text), ": %s", text_shown(p->reason));
	return err_lead(e, "%s: the program of --via ", p->name);
}

int
link_check(struct link *l, struct deadline until, struct err *e)
{
	int ready = wait_fd(l->fd, POLLIN, until);
	char byte;

	if (ready < 0)
		err_sys(e, ERR_FAILED, errno, "--via");
	else if (ready > 0 && sock_recv(l->fd, &byte, 1, MSG_PEEK) <= 0)
		ready = end_program(l->program, until, e);
	if (ready >= 0)
		return 0;
	link_discard(l);
	return -1;
}

/* Waits for the processes to end; is_complete as in end_tls(). Returns 0, or -1
 * with *e. */
static int
end_processes(
    struct link *l, bool is_complete, struct deadline until, struct err *e)
{
	if (!is_complete)
		until = deadline_first(until, deadline_after(PROC_GRACE_MS));
	if (l->tls != NULL && end_tls(l, is_complete, until, e) < 0)
		return -1;
	return l->program != NULL ? end_program(l->program, until, e) : 0;
}

int
link_close(struct link *l, int status, struct deadline until, struct err *e)
{
	struct err cause = ERR_INIT;
	struct deadline drained;

	if (l->is_unread && status == 0) {
		until = deadline_first(until, deadline_after(DISCARD_MS));
		if (l->program != NULL)
			l->program->may_stop = true;
	}
	drained = deadline_first(until,
	    deadline_after(status < 0 || l->is_unread ? 0 : LINK_DRAIN_MS));
	while (l->fd >= 0 && !link_drain(l, drained))
		if (wait_fd(l->reset_by_us ? -1 : l->fd, POLLIN,
			deadline_first(drained, link_drain_next(l))) < 0)
			drained = deadline_after(0);
	if (status == 0 && wait_is_stopped())
		status = err_sys(e, ERR_FAILED, EINTR, "draining");
	if (l->has_failed && l->reset_by_us) {
		/* The release of its processes is their reset. */
	} else if (status >= 0) {
		if (end_processes(l, true, until, e) < 0 && status == 0)
			status = -1;
	} else if ((e->kind == ERR_LOST ||
		       (err_is_reset(e->errnum) && e->kind != ERR_OUTPUT)) &&
		   end_processes(l, false, until, &cause) < 0 &&
		   /* Otherwise they were terminated, and know no cause. */
		   cause.errnum != ETIMEDOUT) {
		err_append(&cause, "%s", e->text);
		*e = cause;
	}
	release(l);
	return status;
}

void
link_discard(struct link *l)
{
	struct err ignored = ERR_INIT;

	sock_close(&l->fd);
	l->reads_less = true;
	if (l->tls != NULL)
		(void)end_tls(l, true, deadline_after(DISCARD_MS), &ignored);
	release(l);
}

bool
link_is_probe(const struct link *l)
{
	if (!l->is_reset || l->reset_by_us || l->received != 0 ||
	    l->undelivered != 0)
		return false;
	diag_note("%s: the connection was reset before anything was received "
		  "(a probe, it seems)",
	    addr_text(&l->remote));
	return true;
}

static struct json *
begin(const char *name, const struct link *l)
{
	unsigned outer = diag_connection(0);
	struct json *j;

	(void)diag_connection(l->number != 0 ? l->number : outer);
	j = diag_event_begin(name);
	(void)diag_connection(outer);
	addr_json(&l->local, j, "local");
	addr_json(&l->remote, j, "remote");
	return j;
}

void
link_log_connected(const struct link *l, bool is_stream)
{
	int64_t ns = clock_now() - l->start_ns;
	/* An unconnected socket has no port before it first sends. */
	bool is_known = addr_is_unix(&l->local) || addr_port(&l->local) != 0;

	if (!diag_emits(DIAG_NOTE))
		return;
	json_seconds(begin("connected", l), "seconds", (double)ns / 1e9);
	diag_event_end(DIAG_NOTE, "%s to %s%s%s%s%s",
	    is_stream ? "connected" : "sending", addr_text(&l->remote),
	    is_known ? " from " : "", is_known ? addr_text(&l->local) : "",
	    is_stream ? " in " : "", is_stream ? num_duration_text(ns) : "");
}

void
link_log_message(int level, const char *name, const struct link *l,
    const void *bytes, size_t n, size_t full)
{
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin(name, l);
	json_number(j, "bytes", full == SIZE_MAX ? n : full);
	if (full > n)
		json_bool(j, "cut", true);
	json_bytes(j, "text", bytes, n);
	diag_event_end(level, "%s says: %s%s", addr_text(&l->remote),
	    text_escape(text_slot(), SHOWN, bytes, n),
	    full > n ? " (its end was cut off)" : "");
}

void
link_log_accepted(int level, const struct link *l, const char *why)
{
	if (!diag_emits(level))
		return;
	if (why != NULL) {
		json_text(begin("denied", l), "reason", why);
		diag_event_end(
		    level, "%s: denied (%s)", addr_text(&l->remote), why);
	} else {
		(void)begin("accepted", l);
		diag_event_end(level, "accepted %s on %s",
		    addr_text(&l->remote), addr_text(&l->local));
	}
}

/* Adds what the kernel has counted to the event. Returns it as text: the path
 * to this machine itself is not worth a word. */
static const char *
path_text(struct json *j, const struct link *l, int64_t ns)
{
	const struct os_tcp *tcp = &l->tcp;
	const char *limit, *limit_words = "", *trip = "", *again = "";

	if (!tcp->is_known)
		return "";
	limit = stall_limit(tcp, ns, l->output_ns, &limit_words);
	if (tcp->rtt_us > 0)
		json_seconds(j, "rtt", (double)tcp->rtt_us / 1e6);
	json_number(j, "retransmitted", tcp->retransmitted);
	if (limit != NULL)
		json_text(j, "limited_by", limit);
	if (!addr_is_loopback(&l->remote) && tcp->rtt_us > 0)
		trip = text_format(
		    ", round trip %s", num_duration_text(tcp->rtt_us * 1000));
	if (!addr_is_loopback(&l->remote) && tcp->retransmitted > 0)
		again = text_format(", %s sent again",
		    num_count_text(tcp->retransmitted, "segment"));
	return text_format("%s%s%s%s", trip, again,
	    limit == NULL ? "" : ", limited by ", limit_words);
}

void
link_log_closed(int level, const struct link *l, int status)
{
	static const char *const names[] = {"nobody", "us", "peer"},
				 *const words[] = {"neither side finished",
				     "this side finished first",
				     "the peer finished first"};
	bool is_pair =
	    addr_is_unnamed(&l->remote) && addr_is_unnamed(&l->local);
	int64_t ns = clock_now() - l->start_ns;
	const char *reset = "", *path, *discarded = "";
	char bytes[96] = "";
	struct json *j;

	if (!diag_emits(level))
		return;
	j = begin("closed", l);
	if (!l->bytes_unknown) {
		json_number(j, "sent", l->sent);
		json_number(j, "received", l->received);
		snprintf(bytes, sizeof(bytes), "sent %s, received %llu, ",
		    num_count_text(l->sent, "byte"),
		    (unsigned long long)l->received);
	}
	json_seconds(j, "seconds", (double)ns / 1e9);
	json_text(j, "first", names[l->first]);
	json_text(j, "how", l->is_reset ? "reset" : "fin");
	if (l->is_reset) {
		json_text(j, "by", l->reset_by_us ? "us" : "peer");
		reset = l->reset_by_us ? ", reset by this side"
				       : ", reset by the peer";
	}
	if (l->discarded > 0) {
		json_number(j, "discarded", l->discarded);
		discarded = text_format(", %s", discarded_text(l));
	}
	path = path_text(j, l, ns);
	json_number(j, "status", (unsigned)status);
	diag_event_end(level, "closed %s%s%s: %sin %s; %s%s%s%s%s",
	    is_pair ? "the socket pair" : addr_text(&l->remote),
	    is_pair ? "" : " from ", is_pair ? "" : addr_text(&l->local), bytes,
	    num_duration_text(ns), words[l->first], reset, discarded, path,
	    status == 0 ? "" : text_format(", status %d", status));
}
