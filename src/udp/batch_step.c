/* Reports the datagrams moved by one call as steps of -vv. */
#include "udp/batch_step.h"

#include <errno.h>

#include "base/step.h"
#include "net/addr.h"

void
batch_step_report(struct batch_step *s, const struct addr *remote, ssize_t n)
{
	struct step_transfer t = {.call = s->is_send ? "sendmsg" : "recvmsg",
	    .fd = s->fd,
	    .start_ns = s->start_ns,
	    .is_send = s->is_send,
	    .is_dgram = true,
	    .done = n,
	    .errnum = n < 0 ? errno : 0};
	struct addr peer = *remote;
	char text[ADDR_TEXT];

	if (!step_is_on())
		return;
	addr_unmap(&peer);
	if (n >= 0 && peer.len != 0)
		t.peer = addr_format(&peer, text, sizeof(text));
	if (s->is_truncated)
		t.note = "one datagram, which was truncated";
	step_transfer(&t);
	/* The same call moved the next datagram. */
	s->start_ns = step_start();
}
