/*
 * The policy of a relay: when FIN is sent, what is still read, when the relay
 * ends and with which result; see Half-close in sockt(1). It is a pure function
 * of a state, without a descriptor or a clock: relay.c reads the facts from its
 * flows, carries out the actions, and adds what they decide.
 *
 * The input is sent to the peer, and what the peer sends is written to the
 * output. These are stdin and stdout; or, for a forwarder, both are the target,
 * one socket.
 *
 * A state is a set of the bits below.
 */
#ifndef RELAY_POLICY_H
#define RELAY_POLICY_H

#include <stdbool.h>

enum policy_state {
	/* Options. Without POLICY_EOF_KEEP and _QUIT the end of the input sends
	 * FIN; without POLICY_PEER_QUIT the input is sent to its end although
	 * the peer has finished. */
	POLICY_HAS_INPUT = 1 << 0, /* not set for --recv-only and --done */
	POLICY_TERMINAL = 1 << 1,  /* the input is a terminal */
	POLICY_FORWARDER = 1 << 2, /* input and output are the target */
	POLICY_EOF_KEEP = 1 << 3,  /* --on-eof keep */
	POLICY_EOF_QUIT = 1 << 4,  /* --on-eof quit, --send-only */
	POLICY_PEER_QUIT = 1 << 5, /* --on-peer-eof quit */
	POLICY_DONE = 1 << 6,      /* --done */

	/* Facts. */
	/* A step of the script remains; the input is not read yet. */
	POLICY_SCRIPTED = 1 << 7,
	POLICY_EXPECTING = 1 << 8,    /* That step is a pattern. */
	POLICY_INPUT_OPEN = 1 << 9,   /* The input may deliver more data. */
	POLICY_INPUT_LOST = 1 << 10,  /* It failed before its end. */
	POLICY_UNSENT = 1 << 11,      /* Data waits to be sent. */
	POLICY_SEND_LOST = 1 << 12,   /* The peer accepts no more data. */
	POLICY_PEER_OPEN = 1 << 13,   /* The peer may send more data. */
	POLICY_PEER_RESET = 1 << 14,  /* The peer reset the connection. */
	POLICY_UNWRITTEN = 1 << 15,   /* Received data waits to be written. */
	POLICY_OUTPUT_LOST = 1 << 16, /* The output accepts no more data. */
	POLICY_CANCELED = 1 << 17,    /* The data could not be recorded. */
	/* FIN to the peer was sent, could not be sent, or is held back. */
	POLICY_FIN = 1 << 18,
	POLICY_TARGET_FIN = 1 << 19, /* The same of FIN to the target. */

	/* Decisions, which relay.c keeps. */
	POLICY_ABANDONED = 1 << 20, /* The input is not read to its end. */
	/* All facts: the bits before the decisions. */
	POLICY_FACTS = POLICY_ABANDONED - POLICY_SCRIPTED,
	/* After POLICY_CONFIRM: everything sent is acknowledged or lost, and
	 * the peer is not read any more. */
	POLICY_WRITING = 1 << 21,

	/* Observations at the end, only for policy_result(). */
	POLICY_HAS_DATA = 1 << 22, /* Bytes were sent, or there are more. */
	/* Some bytes of the input are known not to be delivered. */
	POLICY_HAS_LEFT = 1 << 23
};

/* Actions that a state requires at once, besides POLICY_ABANDONED. */
enum policy_action {
	POLICY_FAIL_SEND = 1 << 0,   /* Drop data that waits to be sent. */
	POLICY_FAIL_OUTPUT = 1 << 1, /* Drop data that waits to be written. */
	POLICY_SEND_FIN = 1 << 2,    /* Send FIN to the peer. */
	POLICY_FORWARD_FIN = 1 << 3  /* Send FIN to the target. */
};

/* Wants of a state, as long as it lasts. */
enum policy_want {
	POLICY_READ_INPUT = 1 << 0,
	POLICY_READ_PEER = 1 << 1,
	/* Sending has failed: read only data that has arrived. */
	POLICY_DRAIN_PEER = 1 << 2,
	/* Writing has failed: the same for the target. */
	POLICY_DRAIN_TARGET = 1 << 3,
	/* The peer has finished: an error or a hang-up means that it has
	 * vanished. */
	POLICY_WATCH_PEER = 1 << 4,
	POLICY_WATCH_TARGET = 1 << 5,
	POLICY_AWAIT_INPUT = 1 << 6, /* Only the end of the input is missing. */
	POLICY_LINGER = 1 << 7,      /* Only the peer's FIN is missing. */
	/* Wait until everything is acknowledged, then set POLICY_WRITING. */
	POLICY_CONFIRM = 1 << 8,
	POLICY_FAIL_PATTERN = 1 << 9, /* End: the pattern cannot match. */
	POLICY_END = 1 << 10
};

/* Each is one exit status: see relay_run(). */
enum policy_result {
	POLICY_DELIVERED,     /* 0 */
	POLICY_RECORD_FAILED, /* the status of the error of the record */
	POLICY_PEER_FAILED,   /* lost: the peer */
	POLICY_TARGET_FAILED, /* lost: the target of a forwarder */
	POLICY_INPUT_FAILED,  /* stdin */
	POLICY_OUTPUT_FAILED, /* stdout */
	POLICY_INPUT_LEFT     /* lost: --on-peer-eof quit left input */
};

/* The set of enum policy_action of a state, and POLICY_ABANDONED if that is to
 * be decided; 0 once it has settled. */
unsigned policy_actions(unsigned state);

/* The set of enum policy_want of a state that has settled. */
unsigned policy_wants(unsigned state);

/* The result of a state that wants POLICY_END, with the observations. */
enum policy_result policy_result(unsigned state);

/*
 * Whether a relay that ended with an error must reset the connection, since a
 * FIN would make partial data look complete. At a terminal, where the user
 * decides when the relay ends, only a failed read or write of a file does that.
 */
bool policy_aborts(unsigned state, bool is_output_error);

#endif
