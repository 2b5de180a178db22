/* How a connection has ended: by its socket, by its program, by what TLS
 * reports. */
#include <errno.h>
#include <sys/socket.h>

#include "lib/tap.h"
#include "net/link.h"
#include "net/sock.h"
#include "tls/internal.h"

/* Two ends of a TCP connection. */
static void
connect_pair(struct link *l, int *peer)
{
	struct addr a;
	int server = sock_open(AF_INET, SOCK_STREAM);

	(void)addr_parse_ip(&a, "127.0.0.1", 0);
	(void)sock_bind(server, &a);
	(void)sock_listen(server, 1);
	sock_local(server, &a);
	*peer = sock_open(AF_INET, SOCK_STREAM);
	(void)sock_connect(*peer, &a);
	(void)sock_nonblocking(server, false);
	*l = (struct link){.fd = sock_accept(server, &a)};
	sock_close(&server);
}

/* Waits until the peer's end has arrived. */
static void
receive_end(const struct link *l)
{
	char byte;

	(void)recv(l->fd, &byte, 1, 0);
}

static void
test_sockets(void)
{
	struct link l;
	int peer, ends[2];

	connect_pair(&l, &peer);
	(void)sock_finish(peer);
	receive_end(&l);
	is_int(link_record_eof(&l), LINK_WHOLE, "a FIN");
	link_record_peer_fin(&l);
	is_int(link_finish(&l), 0, "and that of this side");
	is_int(l.first, LINK_FIRST_PEER, "was the second");
	sock_close(&peer);
	is_int(link_record_eof(&l), LINK_WHOLE,
	    "a connection that is over is whole");
	sock_close(&l.fd);

	connect_pair(&l, &peer);
	sock_abort(&peer);
	receive_end(&l);
	is_int(link_record_eof(&l),
	    sock_is_closed(l.fd) ? LINK_LOST : LINK_WHOLE,
	    "a reset, where the system reports it");
	sock_close(&l.fd);

	(void)sock_pair(ends);
	l = (struct link){.fd = ends[0], .is_to_program = true};
	(void)sock_finish(ends[1]);
	is_int(link_record_eof(&l), LINK_WHOLE, "a program that has finished");
	sock_close(&ends[1]);
	is_int(link_record_eof(&l), LINK_LOST, "one that has hung up");
	sock_close(&l.fd);
}

/* What link_record_eof() says when its process has sent the record, or nothing,
 * and then exits. */
static enum link_peer_end
end_of(const struct tls_record *record)
{
	struct tls t = {.carrier = {.ops = &tls_ops}};
	struct link l = {.fd = -1, .carrier = &t.carrier};
	int ends[2];

	(void)sock_pair(ends);
	t.report = ends[0];
	if (record != NULL)
		(void)fd_write_all(ends[1], record, sizeof(*record));
	sock_close(&ends[1]);
	(void)link_record_eof(&l);
	sock_close(&t.report);
	return l.peer_end;
}

static void
test_tls(void)
{
	const struct tls_record closed = {.facts = TLS_FACT_CLOSED},
				acked = {.seen = {.acked = 7}};
	struct tls_record lost = {.lost = {.kind = ERR_LOST}};

	is_int(end_of(&closed), LINK_WHOLE, "close_notify");
	is_int(end_of(NULL), LINK_LOST, "a process that was killed");
	is_int(end_of(&acked), LINK_LOST, "after a record of progress, too");
	is_int(end_of(&lost), LINK_BARE, "a bare FIN");
	lost.lost.errnum = ECONNRESET;
	is_int(end_of(&lost), LINK_LOST, "a reset");
	lost.lost = (struct err){.kind = ERR_PROTOCOL};
	is_int(end_of(&lost), LINK_LOST, "an alert");
}

/* An end that is held back. */
static void
test_held(void)
{
	struct deadline next = deadline_none();
	struct link l;
	char byte;
	int peer;

	connect_pair(&l, &peer);
	(void)sock_nonblocking(l.fd, true);
	l.eof = LINK_EOF_HELD;
	is_int(link_run_timers(&l, 0, 0, -1, &next), 0,
	    "a connection that goes on");
	ok(!deadline_is_set(next), "needs nothing later");
	is_int(link_finish(&l), 0, "its end");
	is_int(link_run_timers(&l, 0, 0, -1, &next), 0, "is held back");
	ok(l.sending == LINK_FINISHING && deadline_is_set(next),
	    "for some time");
	is_int(recv(peer, &byte, 1, MSG_DONTWAIT), -1, "the peer has no FIN");
	(void)sock_finish(peer);
	(void)sock_nonblocking(l.fd, false);
	receive_end(&l);
	is_int(link_record_eof(&l), LINK_WHOLE, "until the peer has finished");
	is_int(l.sending, LINK_FINISHED, "then it is sent at once");
	(void)sock_nonblocking(peer, false);
	is_int(recv(peer, &byte, 1, 0), 0, "and received");
	sock_close(&peer);
	sock_close(&l.fd);

	connect_pair(&l, &peer);
	l.eof = LINK_EOF_AT_ONCE;
	is_int(link_finish(&l), 0, "an end that is not held back");
	is_int(l.sending, LINK_FINISHED, "is sent at once");
	sock_close(&peer);
	sock_close(&l.fd);
}

int
main(void)
{
	test_sockets();
	test_held();
	test_tls();
	return done_testing();
}
