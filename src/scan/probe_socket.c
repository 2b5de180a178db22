/* The socket of a probe: opens it, sends, polls and closes it. */
#include "scan/probe_socket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/step.h"
#include "net/addr.h"
#include "net/os.h"
#include "net/sock.h"
#include "scan/internal.h"
#include "scan/targets.h"

/* One in this many probes to a distant host is polled at once. */
#define FAR_CHECK 64

void
probe_socket_address(const struct scan *s, uint32_t id, struct addr *a)
{
	const struct probe *p = scan_probe(s, id);

	targets_host(s->targets, p->host, p->port, a);
}

void
probe_socket_report(const struct scan *s, uint32_t id, int errnum)
{
	struct probe *p = scan_probe(s, id);
	bool is_ended = errnum == EINPROGRESS;
	bool is_stream = s->o->type == SOCK_STREAM;
	struct addr a;

	p->connects = 0;
	if (!step_is_on())
		return;
	probe_socket_address(s, id, &a);
	errno = errnum;
	step("connect", p->sent_ns, errnum != 0 && !is_ended ? -1 : 0,
	    is_ended    ? "ended: another attempt has decided the port, or "
			  "follows"
	    : is_stream ? "SYN sent, SYN+ACK received, ACK sent: the port is "
			  "open"
			: "nothing is sent: the system notes where to send to",
	    "%s to %s", step_name_of(p->fd), addr_text(&a));
}

/* Reports calls of connect(2) without an outcome. */
static void
report_unfinished(const struct scan *s, uint32_t id)
{
	if (step_is_on() && scan_probe(s, id)->connects > 0)
		probe_socket_report(s, id, EINPROGRESS);
}

bool
probe_socket_again(const struct scan *s, uint32_t id, bool in_progress)
{
	report_unfinished(s, id);
	return ready_connect_again(scan_probe(s, id)->fd, in_progress);
}

void
probe_socket_drop(struct scan *s, uint32_t id)
{
	report_unfinished(s, id);
	ready_set_forget(s->set, id);
	sock_abort(&scan_probe(s, id)->fd);
}

/* Polls a datagram socket, for probe_socket_poll(). */
static struct ready_outcome
poll_dgram(int fd, const struct addr *a)
{
	int64_t start = step_start();
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
	int errnum = n < 0 ? errno : 0;

	if (step_is_on())
		step_transfer(&(struct step_transfer){.fd = fd,
		    .start_ns = start,
		    .is_dgram = true,
		    .done = n,
		    .errnum = errnum,
		    .note = "the beginning of an answer: the port is open"});
	if (errnum == EAGAIN || errnum == EINTR)
		errnum = EINPROGRESS;
	return ready_outcome(fd, a, errnum, true);
}

/* An ICMP error does not end connect(2), but for a scan it is the outcome. */
struct ready_outcome
probe_socket_poll(const struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	int fd = p->fd, errnum;
	struct ready_outcome o;
	struct addr a;

	probe_socket_address(s, id, &a);
	if (s->o->type == SOCK_DGRAM)
		return poll_dgram(fd, &a);
	errnum = ready_connect_result(fd, &a, &p->connects);
	o = ready_outcome(fd, &a, errnum, true);
	if (errnum == EINPROGRESS && o.errnum != EINPROGRESS) {
		probe_socket_report(s, id, o.errnum);
		(void)ready_connect_again(fd, true);
	}
	return o;
}

/* Opens the socket of probe id, unless it has one. Returns 0 or an errno. */
static int
open_socket(struct scan *s, uint32_t id, const struct addr *a)
{
	struct probe *p = scan_probe(s, id);
	int family = addr_family(a);

	if (p->fd >= 0 && p->family != family)
		probe_socket_drop(s, id);
	if (p->fd >= 0)
		return 0;
	p->fd = sock_open(family, s->o->type);
	if (p->fd < 0)
		return errno;
	p->family = (uint8_t)family;
	step_name(p->fd, "the probe socket", 0);
	os_receive_errors(p->fd, family);
	return 0;
}

/* RFC 1035: the name servers of the root. */
static const char dns[] = "so\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
/* RFC 5905: a client request, version 4; the rest of the 48 bytes is zero. */
static const char ntp[48] = {0x23};
/* RFC 1157: get sysDescr.0 of community "public". */
static const char snmp[] = "\x30\x26\2\1\0\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0"
			   "\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0";
/* RFC 8489: a binding request. */
static const char stun[] = "\0\1\0\0\x21\x12\xa4\x42sockt-a-scan";
/* RFC 5531: portmapper (100000), version 2, procedure 0, which does nothing. */
static const char rpc[] = "sckt\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\0"
			  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
/* RFC 1002 4.2.17: node status of "*". */
static const char netbios[] = "so\0\0\0\1\0\0\0\0\0\0\x20"
			      "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0\0\x21\0\1";
/* RFC 7252: an empty confirmable message, a ping. */
static const char coap[] = "\x40\0\0\1";
/* memcached: "version" after a UDP frame header. */
static const char memcached[] = "\0\1\0\0\0\1\0\0version\r\n";
/* UPnP: a search for all devices. */
static const char ssdp[] = "M-SEARCH * HTTP/1.1\r\nHOST: "
			   "239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
			   "MX: 1\r\nST: ssdp:all\r\n\r\n";

static const struct {
	uint16_t port;
	uint16_t size;
	const char *bytes;
} payloads[] = {
    {53, sizeof(dns) - 1, dns},
    {111, sizeof(rpc), rpc},
    {123, sizeof(ntp), ntp},
    {137, sizeof(netbios) - 1, netbios},
    {161, sizeof(snmp) - 1, snmp},
    {1900, sizeof(ssdp) - 1, ssdp},
    {3478, sizeof(stun) - 1, stun},
    {5353, sizeof(dns) - 1, dns},
    {5683, sizeof(coap) - 1, coap},
    {11211, sizeof(memcached) - 1, memcached},
};

/* The payload for a UDP port, *size bytes; "" and 0 if there is none. */
static const void *
payload_for(uint16_t port, size_t *size)
{
	size_t i;

	for (i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		if (payloads[i].port == port) {
			*size = payloads[i].size;
			return payloads[i].bytes;
		}
	*size = 0;
	return "";
}

/* Sends a request to the service. Returns EINPROGRESS or another errno. */
static int
send_payload(int fd, const struct addr *a)
{
	int64_t start = step_start();
	size_t size;
	const void *bytes = payload_for(addr_port(a), &size);
	ssize_t n = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	int errnum = n < 0 ? errno : EINPROGRESS;

	if (step_is_on())
		step_transfer(&(struct step_transfer){.fd = fd,
		    .start_ns = start,
		    .is_send = true,
		    .is_dgram = true,
		    .wanted = size,
		    .done = n,
		    .errnum = errnum});
	return errnum == EINTR ? EINPROGRESS : errnum;
}

/* Connects the socket of probe id. Returns 0 or an errno. The step is reported
 * at once for a datagram socket, otherwise with its outcome. */
static int
connect_socket(const struct scan *s, uint32_t id, const struct addr *a)
{
	struct probe *p = scan_probe(s, id);
	int result = connect(p->fd, &a->u.sa, a->len);
	int errnum = result < 0 ? errno : 0;

	p->connects++;
	if (s->o->type == SOCK_DGRAM)
		probe_socket_report(s, id, errnum);
	return errnum == EINTR ? EINPROGRESS : errnum;
}

struct ready_outcome
probe_socket_send(struct scan *s, uint32_t id)
{
	struct probe *p = scan_probe(s, id);
	struct scan_host *h = scan_host(s, id);
	struct ready_outcome o = {.origin = READY_LOCAL};
	struct addr a;

	p->sent_ns = clock_now();
	s->progress.sent++;
	pace_spend(&s->pace, p->sent_ns);
	probe_socket_address(s, id, &a);
	o.errnum = open_socket(s, id, &a);
	if (o.errnum != 0)
		return o;
	o.errnum = connect_socket(s, id, &a);
	if (o.errnum == 0 && s->o->type == SOCK_DGRAM)
		o.errnum = send_payload(p->fd, &a);
	if (o.errnum != EINPROGRESS)
		return ready_outcome(p->fd, &a, o.errnum, false);
	/* Without a poll it is not known whether the host can be reached. */
	if (h->is_far && s->progress.sent % FAR_CHECK != 0)
		return o;
	o = probe_socket_poll(s, id);
	h->is_far = o.errnum == EINPROGRESS;
	return o;
}
