/* Causes of a stalled connection: the counters that Linux showed in a network
 * of namespaces, and counters that must not be taken for a cause. */
#include "net/stall.h"
#include "net/os.h"

#include "lib/tap.h"

#define TCP(...) ((struct os_tcp){__VA_ARGS__})

static void
finds(struct os_tcp tcp, const char *want, const char *name)
{
	const char *text;

	tcp.mss = tcp.mss == 0 ? 1448 : tcp.mss;
	tcp.pmtu = 1500;
	text = stall_text(&tcp, true, "the peer");
	is_text(text == NULL ? "" : text, want, name);
}

static void
limits(struct os_tcp tcp, int64_t output_ns, const char *want, const char *name)
{
	const char *why = "", *text = stall_limit(
				  &tcp, INT64_C(4000000000), output_ns, &why);

	is_text(text == NULL ? "" : text, want, name);
}

static void
windows(void)
{
	struct os_tcp full = TCP(.sent = 128080, .acked = 128081,
	    .is_unsent = true, .unsent_ms = 2900);

	finds(full,
	    "the peer does not read (its window has been full for "
	    "2.90 s)",
	    "a closed window");
	full.probes = 1;
	finds(full,
	    "the peer does not read (its window has been full for "
	    "2.90 s)",
	    "a probe on its way is no loss");
	full.probes = 3;
	full.unanswered_ms = 3764;
	finds(full,
	    "nothing has been acknowledged for 3.76 s (3 window probes "
	    "unanswered): the path is broken, or the peer is gone",
	    "a closed window whose probes are lost");
	full.probes = 0;
	full.window = 1448;
	finds(full, "", "a window that is open");
	full.window = UINT32_MAX;
	ok(stall_text(&full, true, "the peer") == NULL,
	    "an older kernel does not know the window");
}

static void
paths(void)
{
	finds(TCP(.sent = 15928, .acked = 1, .segments = 11, .lost = 11,
		  .timeouts = 3, .unanswered_ms = 2564, .is_unsent = true,
		  .window = 65160),
	    "nothing has been acknowledged for 2.56 s (11 segments lost, sent "
	    "4 times); packets of 1500 bytes do not arrive, smaller ones did: "
	    "a path MTU problem?",
	    "large packets alone are lost");
	finds(TCP(.sent = 100, .acked = 1, .segments = 1, .lost = 1,
		  .timeouts = 3, .unanswered_ms = 2564),
	    "nothing has been acknowledged for 2.56 s (1 segment lost, sent 4 "
	    "times): the path is broken, or the peer is gone",
	    "a small packet is lost: no problem of size");
	finds(TCP(.sent = 1703561, .acked = 1572865, .segments = 91, .lost = 91,
		  .timeouts = 4, .unanswered_ms = 3624, .window = 3022848),
	    "nothing has been acknowledged for 3.62 s (91 segments lost, sent "
	    "5 times): the path is broken, or the peer is gone",
	    "large packets had arrived: no problem of size");
	finds(
	    TCP(.sent = 3000, .acked = 101, .segments = 3, .unanswered_ms = 20),
	    "", "segments on their way are not lost");
}

static void
peers(void)
{
	finds(TCP(.sent = 3000, .acked = 3001),
	    "the peer has received everything and sends nothing",
	    "a silent peer");
	finds(TCP(.acked = 1), "", "a peer that was sent nothing");
	finds(TCP(.sent = 3000, .acked = 3001, .probes = 2,
		  .unanswered_ms = 20000),
	    "nothing has been acknowledged for 20.00 s (2 keepalive probes "
	    "unanswered): the path is broken, or the peer is gone",
	    "a silent peer that does not answer probes");
	finds(TCP(.sent = 100, .acked = 101, .received = 100, .has_gap = true),
	    "a part of what the peer sent is missing, lost on the way; what "
	    "follows it has arrived",
	    "a gap");
	finds(TCP(.sent = 100, .acked = 101, .has_unread = true), "",
	    "a peer whose data was not read yet is not silent");
	finds(TCP(.sent = 100, .acked = 101, .peer_finished = true), "",
	    "a peer that has finished is not silent");
	finds(TCP(.is_closed = true, .segments = 3, .timeouts = 3), "",
	    "a connection that has ended");
	ok(stall_text(&TCP(.acked = 1, .has_gap = true), false, "the peer") ==
		NULL,
	    "who does not wait for the peer is not told of it");
}

int
main(void)
{
	windows();
	paths();
	peers();
	limits(TCP(.sent = 1 << 20, .busy_us = 3900000, .window_us = 3000000),
	    0, "peer", "the window");
	limits(TCP(.sent = 1 << 20, .busy_us = 3900000, .window_us = 100000), 0,
	    "path", "the path");
	limits(
	    TCP(.sent = 1 << 20, .busy_us = 400000), 0, "input", "the input");
	limits(TCP(.sent = 1 << 20, .busy_us = 2500000, .window_us = 1500000),
	    0, "", "nothing for most of the time");
	limits(
	    TCP(.sent = 1000, .busy_us = 400000), 0, "", "too little to tell");
	limits(TCP(.sent = 1 << 20, .received = 1 << 21), 0, "", "a receiver");
	limits(TCP(.sent = 1000, .received = 1 << 20), INT64_C(2100000000),
	    "output", "the output");
	limits(TCP(.sent = 1000, .received = 1 << 20), INT64_C(1900000000), "",
	    "an output that was slow at times");
	ok(stall_limit(&TCP(.sent = 1 << 20, .busy_us = 30000), 30000000, 0,
	       &(const char *){NULL}) == NULL,
	    "too short to tell");
	return done_testing();
}
