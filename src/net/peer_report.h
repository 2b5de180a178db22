/*
 * Reports about the peer from a process that holds a connection (tls/tls.h).
 * The plain socket between the two processes cannot carry them: it has no
 * reset, and the death of the process looks like end of file. So the process
 * sends records on a second socket, and answers requests for the bytes
 * acknowledged.
 */
#ifndef NET_PEER_REPORT_H
#define NET_PEER_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/os.h"

enum peer_report_fact {
	/* Nothing is missing: the peer has ended as its protocol requires, or
	 * no data was exchanged. */
	PEER_REPORT_CLOSED = 1 << 0,
	/* The peer sent nothing, and ended once it had received this side's
	 * end. */
	PEER_REPORT_DROPPED = 1 << 1,
	/* The process exits. */
	PEER_REPORT_LAST = 1 << 2
};

/* A record, which the process writes in one piece. */
struct peer_record {
	uint64_t acked;  /* bytes that the peer has acknowledged, at least */
	uint64_t sent;   /* bytes that the system has, or had, to send */
	unsigned facts;  /* a set of enum peer_report_fact */
	struct err lost; /* why the connection was lost, or ERR_NONE */
	bool has_tcp;
	struct os_tcp tcp; /* the kernel's counters of the connection */
};

struct peer_report {
	int fd;         /* the socket, non-blocking; owned by whoever set it */
	bool has_ended; /* the process sends no more */
	int64_t asked_ns;        /* when acked was last requested */
	struct peer_record peer; /* everything reported so far */
};

/* Reads the records that have arrived. Returns all facts. */
unsigned peer_report_read(struct peer_report *r);

/*
 * Returns how many bytes the peer has acknowledged, which never decreases. It
 * is requested at most every 10 ms.
 */
uint64_t peer_report_acked(struct peer_report *r);

/* Requests the kernel's counters of the connection. Returns them, or NULL if
 * they are not known. */
const struct os_tcp *peer_report_tcp(struct peer_report *r);

/*
 * In the other process: answers a request about the connection tcp_fd. Returns
 * 0, or -1 if nobody requests anything any more.
 */
int peer_report_answer(int fd, uint64_t acked, int tcp_fd);

#endif
