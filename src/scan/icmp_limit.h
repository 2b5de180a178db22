/*
 * A host that limits how often it refuses (RFC 1812 4.3.2.8: many do, by a
 * bucket of tokens of which each refusal takes one): when its silence says
 * something, and when to ask it again. No sockets; the times are the caller's.
 *
 * A host that answers and has refused nothing may have used up its tokens on
 * others: its silence is doubted until it was asked again when at least one
 * token must have come, after the longest pause.
 *
 * What is to be asked again goes in rounds, and a round ends with two checks:
 * a port that is known to be closed is asked twice more. When both are refused
 * there were tokens left (just one may have come meanwhile), and the others of
 * the round are silent by nature. Else nothing is known of them, and the next
 * round leaves later.
 */
#ifndef SCAN_ICMP_LIMIT_H
#define SCAN_ICMP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "scan/ready.h"

struct scan;

/* Most probes of one round; others go in the next. */
#define ICMP_LIMIT_ROUND 128
/* Checks at the end of a round. */
#define ICMP_LIMIT_CHECKS 2
/* Probes that leave within that time belong together: hardly two tokens come
 * meanwhile. */
#define ICMP_LIMIT_SAME_NS (90 * CLOCK_MS)
/* Pause between rounds, once one is needed: the least, and the most. */
#define ICMP_LIMIT_MIN_NS (50 * CLOCK_MS)
#define ICMP_LIMIT_MAX_NS (2040 * CLOCK_MS)
/* So many of the longest pauses without a refusal: silence counts again. */
#define ICMP_LIMIT_MUTE 6

/* What the pace of probes makes of rounds; the same for all hosts. */
struct icmp_limit_rules {
	int64_t same_ns; /* probes that leave within it belong together */
	uint16_t most;   /* members of a round */
};

/*
 * With interval_ns between probes (0: none), and so many in flight at most.
 * The fewer leave at a time, the smaller the rounds have to be.
 */
struct icmp_limit_rules icmp_limit_rules_for(
    int64_t interval_ns, uint32_t parallel);

/* All zeros at first. */
struct icmp_limit {
	/* When those probes left that were refused: the last and the one
	 * before. */
	int64_t refused_ns[2];
	int64_t round_ns;  /* when the round leaves that is being filled */
	int64_t gap_ns;    /* between rounds */
	int64_t judge_ns;  /* when the gap is looked at again */
	uint16_t closed;   /* a port that was refused */
	uint16_t members;  /* of that round */
	uint16_t refusals; /* since the gap was looked at */
	uint32_t mute;     /* looks in a row without any */
	bool is_known;     /* something was refused: closed says what */
	bool is_doubted;   /* it is there, and something may be withheld */
	bool is_told;      /* the user knows that it takes a while */
};

/* A port was refused, by a probe that left at sent_ns. */
void icmp_limit_refused(struct icmp_limit *r, uint16_t port, int64_t sent_ns);

/* A port has answered, so that the host is there. */
void icmp_limit_answered(struct icmp_limit *r);

/* Others ask the host at the same time, and use up its tokens. */
void icmp_limit_shared(struct icmp_limit *r);

/*
 * Whether the silence that met a probe which left at sent_ns counts; else the
 * refusal may have been withheld.
 */
bool icmp_limit_counts(const struct icmp_limit *r,
    const struct icmp_limit_rules *rules, int64_t sent_ns);

/*
 * When a silent port is to be asked again, as a member of a round. *begins is
 * set when it is the first: then checks are due.
 */
int64_t icmp_limit_again(struct icmp_limit *r,
    const struct icmp_limit_rules *rules, int64_t now_ns, bool *begins);

/* The same for the probes of a scan. */

/*
 * Begins, where it is of use: datagrams, and as many re-probes as it takes.
 * At most parallel probes are in flight. icmp_limit_check_release() is due.
 */
void icmp_limit_check_start(struct scan *s, uint32_t parallel);
void icmp_limit_check_release(struct scan *s);

/* Whether probe id's host refuses, or may, so that all this holds. */
bool icmp_limit_check_applies(const struct scan *s, uint32_t id);

/* The probe id was answered. */
void icmp_limit_check_answered(struct scan *s, uint32_t id);

/* The probe id, which left at sent_ns, was refused. */
void icmp_limit_check_refused(struct scan *s, uint32_t id, int64_t sent_ns);

/* Whether the silence that met probe id says nothing about its port. */
bool icmp_limit_check_is_withheld(const struct scan *s, uint32_t id);

/* Has probe id wait for the next round, and sees to that round's checks. */
void icmp_limit_check_again(struct scan *s, uint32_t id);

/* True when the next probe that may leave is a check. */
bool icmp_limit_check_is_next(const struct scan *s);

/* The check id has left; or it could not, or was answered at once. */
void icmp_limit_check_left(struct scan *s, uint32_t id, struct scan_outcome o);

/* Something has come for the check id. */
void icmp_limit_check_hear(struct scan *s, uint32_t id);

/* Its time has come: to leave, or to be given up. */
void icmp_limit_check_expire(struct scan *s, uint32_t id);

#endif
