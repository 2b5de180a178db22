/* The probes of a scan: their sockets, what is sent, and the outcomes. */
#include "scan/probe.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/step.h"
#include "net/addr.h"
#include "net/icmp.h"
#include "net/os.h"
#include "net/ready.h"
#include "net/sock.h"
#include "scan/targets.h"

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

/* The last payload is for any other port. */
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
    {0, 0, ""},
};

/* Opens the socket of a probe, unless it has one. Returns 0 or an errno. */
static int
open_socket(struct prober *prober, struct probe *p, const struct addr *a)
{
	int family = addr_family(a);

	if (p->fd >= 0 && p->family != family)
		probe_drop(prober, p);
	if (p->fd >= 0)
		return 0;
	p->fd = sock_open(family, prober->type);
	if (p->fd < 0)
		return errno;
	if (prober->interface != NULL &&
	    sock_bind_interface(p->fd, prober->interface) < 0) {
		sock_close(&p->fd);
		return errno;
	}
	p->family = (uint8_t)family;
	step_name(p->fd, "the probe socket", 0);
	prober->has_errors = os_receive_errors(p->fd, family, true);
	return 0;
}

/*
 * Returns the outcome of a probe to a. Its last call ended with errnum: 0 for
 * success, EINPROGRESS if there is no result yet. is_late: the call that sent
 * the probe has not failed. An ICMP error takes precedence; its errno for
 * "prohibited" is EACCES.
 *
 * An ICMP error always adds an entry to the queue, a reset never does. A
 * loopback address is refused by the host itself, so its queue is not read,
 * which saves a system call for each closed port.
 */
static struct probe_outcome
outcome_of(struct prober *prober, int fd, const struct addr *a, int errnum,
    bool is_late)
{
	struct probe_outcome o = {errnum, PROBE_REMOTE};
	struct os_error *icmp = &prober->icmp;

	icmp->errnum = 0;
	if (errnum == 0 || (errnum == ECONNREFUSED && addr_is_loopback(a)))
		return o;
	if (icmp_read(fd, a, icmp)) {
		o.errnum = icmp->errnum;
		if (icmp->family == 0)
			o.origin = PROBE_LOCAL;
		else if (icmp_sender(icmp, a) == ICMP_HERE)
			o.origin = icmp->errnum == EHOSTUNREACH ? PROBE_UNSURE
								: PROBE_LOCAL;
		return o;
	}
	/* Without a queue an ICMP error may leave the call in progress. */
	if (!prober->has_errors && errnum == EINPROGRESS &&
	    (errnum = sock_error(fd)) != 0)
		o.errnum = errnum;
	/* A probe that fails at once was not sent. Without a queue, a later
	 * failure may come from an ICMP error, or from this machine. */
	if (o.errnum != EINPROGRESS &&
	    err_find(o.errnum, ERR_AT_TCP)->origin <= ERR_BY_ICMP)
		o.origin =
		    is_late && !prober->has_errors ? PROBE_UNSURE : PROBE_LOCAL;
	return o;
}

struct probe_outcome
probe_send(struct prober *prober, struct probe *p)
{
	struct probe_outcome o = {.origin = PROBE_LOCAL};
	size_t i, count = sizeof(payloads) / sizeof(payloads[0]);
	struct addr a;

	p->sent_ns = clock_now();
	targets_host(prober->targets, p->host, p->port, &a);
	o.errnum = open_socket(prober, p, &a);
	if (o.errnum != 0)
		return o;
	o.errnum = connect(p->fd, &a.u.sa, a.len) < 0 ? errno : 0;
	p->is_unreported = true;
	/* The step of a stream is reported with its outcome. */
	if (prober->type == SOCK_DGRAM)
		probe_report(prober, p, o.errnum);
	if (o.errnum == 0 && prober->type == SOCK_DGRAM) {
		for (i = 0; i + 1 < count && payloads[i].port != p->port;)
			i++;
		o.errnum = sock_send(p->fd, payloads[i].bytes, payloads[i].size,
			       MSG_DONTWAIT | MSG_NOSIGNAL) < 0
			       ? errno
			       : EINPROGRESS;
	}
	if (o.errnum == EINTR)
		o.errnum = EINPROGRESS;
	return o.errnum == EINPROGRESS
		   ? o
		   : outcome_of(prober, p->fd, &a, o.errnum, false);
}

/* An ICMP error does not end connect(2), but for a scan it is the outcome. */
struct probe_outcome
probe_poll(struct prober *prober, struct probe *p)
{
	int fd = p->fd, errnum = 0;
	struct probe_outcome o;
	struct addr a;
	char byte;

	targets_host(prober->targets, p->host, p->port, &a);
	if (prober->type == SOCK_STREAM)
		errnum = ready_connect_result(fd, &a);
	else if (sock_recv(fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) < 0)
		errnum =
		    errno == EAGAIN || errno == EINTR ? EINPROGRESS : errno;
	o = outcome_of(prober, fd, &a, errnum, true);
	if (prober->type == SOCK_STREAM && errnum == EINPROGRESS &&
	    o.errnum != EINPROGRESS) {
		probe_report(prober, p, o.errnum);
		(void)ready_connect_again(fd, true);
	}
	return o;
}

void
probe_report(const struct prober *prober, struct probe *p, int errnum)
{
	bool is_ended = errnum == EINPROGRESS;
	bool is_stream = prober->type == SOCK_STREAM;
	struct addr a;

	if (!p->is_unreported)
		return;
	p->is_unreported = false;
	if (!step_is_on())
		return;
	targets_host(prober->targets, p->host, p->port, &a);
	errno = is_stream ? icmp_cause(&prober->icmp, errnum) : errnum;
	step("connect", p->sent_ns, errnum != 0 && !is_ended ? -1 : 0,
	    is_ended    ? "ended: another attempt has decided the port, or "
			  "follows"
	    : is_stream ? "SYN sent, SYN+ACK received, ACK sent: the port is "
			  "open"
			: "nothing is sent: the system notes where to send to",
	    "%s to %s", step_name_of(p->fd), addr_text(&a));
}

void
probe_drop(const struct prober *prober, struct probe *p)
{
	if (p->fd < 0)
		return;
	probe_report(prober, p, EINPROGRESS);
	ready_set_forget(prober->set, p->id);
	sock_abort(&p->fd);
}

void
probe_reuse(const struct prober *prober, struct probe *p, bool in_progress)
{
	if (p->fd < 0)
		return;
	probe_report(prober, p, EINPROGRESS);
	if (!ready_connect_again(p->fd, in_progress))
		probe_drop(prober, p);
}
