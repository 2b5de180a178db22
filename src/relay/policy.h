/*
 * The policy of a relay: when FIN is sent, what is still read, when the relay
 * ends and with which result; see Half-close in sockt(1). It is a pure function
 * of a state and an event, without a descriptor or a clock: relay.c reports
 * what its flows did, and carries out the actions.
 *
 * The input is sent to the peer, and what the peer sends is written to the
 * output. These are stdin and stdout; or, for a forwarder, both are the target,
 * one socket.
 *
 * A state is a set of the bits below. The rules are tables in policy.c.
 */
#ifndef RELAY_POLICY_H
#define RELAY_POLICY_H

#include <stdbool.h>

enum policy_state {
	/* Options, which never change. Without POLICY_EOF_KEEP and _QUIT the
	 * end of the input sends FIN; without POLICY_PEER_QUIT the input is
	 * sent to its end although the peer has finished. */
	POLICY_HAS_INPUT = 1 << 0, /* not set for --recv-only and --done */
	POLICY_TERMINAL = 1 << 1,  /* the input is a terminal */
	POLICY_FORWARDER = 1 << 2, /* input and output are the target */
	POLICY_EOF_KEEP = 1 << 3,  /* --on-eof keep */
	POLICY_EOF_QUIT = 1 << 4,  /* --on-eof quit, --send-only */
	POLICY_PEER_QUIT = 1 << 6, /* --on-peer-eof quit */
	POLICY_DONE = 1 << 7,      /* --done */

	/* Facts. */
	POLICY_SCRIPTED = 1 << 8,     /* a step of the script remains; the input
					 is not read yet */
	POLICY_EXPECTING = 1 << 9,    /* that step is a pattern */
	POLICY_INPUT_OPEN = 1 << 10,  /* the input may deliver more data */
	POLICY_INPUT_LOST = 1 << 11,  /* it failed before its end */
	POLICY_UNSENT = 1 << 12,      /* data waits to be sent */
	POLICY_SEND_LOST = 1 << 13,   /* the peer accepts no more data */
	POLICY_PEER_OPEN = 1 << 14,   /* the peer may send more data */
	POLICY_PEER_RESET = 1 << 15,  /* the peer reset the connection */
	POLICY_UNWRITTEN = 1 << 16,   /* received data waits to be written */
	POLICY_OUTPUT_LOST = 1 << 17, /* the output accepts no more data */

	/* Decisions. */
	POLICY_ABANDONED = 1 << 18, /* the input is not read to its end */
	POLICY_FINISHED = 1 << 19,  /* all input that will be sent is sent, and
				       FIN if it must be */
	POLICY_TARGET_FINISHED = 1 << 20, /* the same towards the target */
	POLICY_WRITING = 1 << 21, /* everything sent is acknowledged or lost,
				     and the peer is not read any more; the
				     output is still written */
	POLICY_STOPPED = 1 << 22, /* ended by POLICY_CANCEL */
	POLICY_ENDED = 1 << 23,   /* nothing happens any more */

	/* Observations at the end, only for policy_result(). */
	POLICY_HAS_SENT = 1 << 24, /* there was something to send */
	POLICY_HAS_LEFT = 1 << 25, /* of that or of the input, some bytes are
				      known not to be delivered */
	POLICY_HAS_MORE = 1 << 26  /* abandoned input has not ended */
};

enum policy_event {
	POLICY_ANY, /* not an event: rules that hold at all of them */

	/* The script. */
	POLICY_AT_TEXT,    /* its step is a text to send */
	POLICY_AT_PATTERN, /* its step is a pattern to expect */
	POLICY_AT_SCRIPT_END,

	/* The direction to the peer. */
	POLICY_INPUT_DATA,  /* the input delivered data: it waits to be sent */
	POLICY_INPUT_END,   /* the end of the input was read */
	POLICY_INPUT_ERROR, /* reading it failed; a target's reset */
	POLICY_SENT,        /* no data waits to be sent */
	POLICY_SEND_ERROR,  /* sending failed; a half-closed peer vanished */

	/* The direction from the peer. */
	POLICY_PEER_DATA,  /* data was received: it waits to be written */
	POLICY_PEER_FIN,   /* the peer's FIN was received; after a failed send,
			      all data that had arrived is received */
	POLICY_PEER_ERROR, /* the peer's reset was received */
	POLICY_WRITTEN,    /* no received data waits to be written */
	POLICY_OUTPUT_ERROR,

	/* With POLICY_CONFIRM. */
	POLICY_ACKED,        /* everything sent is acknowledged */
	POLICY_ACK_ERROR,    /* the peer was lost instead */
	POLICY_TARGET_ERROR, /* the target was lost instead */

	/* Ends the relay. A limit, a signal and a pattern that does not match
	 * are not events: relay.c ends, with their error. */
	POLICY_CANCEL, /* a record of the data could not be written */
	POLICY_EVENTS
};

/* What an event requires, once, in this order. */
enum policy_action {
	POLICY_FAIL_SEND = 1 << 0,    /* what waits to be sent never will be */
	POLICY_FAIL_OUTPUT = 1 << 1,  /* the same for the output */
	POLICY_STOP_INPUT = 1 << 2,   /* read no more input */
	POLICY_PROBE_PEER = 1 << 3,   /* keepalive: only a probe finds that a
					 half-closed peer has vanished */
	POLICY_PROBE_TARGET = 1 << 4, /* the same for the target */
	POLICY_SEND_FIN = 1 << 5,     /* to the peer */
	POLICY_FINISH = 1 << 6,     /* POLICY_FINISHED is set: --linger runs */
	POLICY_FORWARD_FIN = 1 << 7 /* to the target */
};

/* What a state requires until the next event. */
enum policy_want {
	POLICY_READ_INPUT = 1 << 0,
	POLICY_READ_PEER = 1 << 1,
	POLICY_DRAIN_PEER = 1 << 3,   /* read only what has arrived: sending
					 has failed */
	POLICY_DRAIN_TARGET = 1 << 4, /* the same of the target */
	POLICY_WATCH_PEER = 1 << 5,   /* it has finished: an error or a hang-up
					 means that it has vanished */
	POLICY_WATCH_TARGET = 1 << 6,
	POLICY_AWAIT_INPUT = 1 << 7, /* only the end of the input is missing */
	POLICY_LINGER = 1 << 8,      /* only the peer's FIN is: --linger */
	POLICY_CONFIRM = 1 << 9,     /* wait until everything is acknowledged,
					then report POLICY_ACKED */
	POLICY_FAIL_PATTERN = 1 << 10, /* end: the pattern can no longer match
					*/
	POLICY_END = 1 << 11
};

/* Each is one exit status: see relay_run(). */
enum policy_result {
	POLICY_DELIVERED,     /* 0 */
	POLICY_EVENT_FAILED,  /* that of the record */
	POLICY_PEER_FAILED,   /* lost: the peer */
	POLICY_TARGET_FAILED, /* lost: the target of a forwarder */
	POLICY_INPUT_FAILED,  /* stdin */
	POLICY_OUTPUT_FAILED, /* stdout */
	POLICY_INPUT_LEFT     /* lost: --on-peer-eof left input */
};

struct policy_step {
	unsigned state;   /* the next one */
	unsigned actions; /* a set of enum policy_action */
};

/* The state before the first event, for a set of options. */
unsigned policy_start(unsigned options);

/* The next state after an event, and the actions. An ended state stays. */
struct policy_step policy_next(unsigned state, enum policy_event event);

/* The set of enum policy_want of a state. */
unsigned policy_wants(unsigned state);

/* The result of an ended state with the observations. */
enum policy_result policy_result(unsigned state);

/*
 * Whether a relay that ended with an error must reset the connection, since a
 * FIN would make partial data look complete. At a terminal that is so only if
 * writing or reading a file failed: the user decides when the relay ends.
 */
bool policy_aborts(unsigned state, bool is_output_error);

#endif
