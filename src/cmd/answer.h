/* What http-get does with an answer: whole, part, unchanged or refused. */
#ifndef CMD_ANSWER_H
#define CMD_ANSWER_H

#include <stdbool.h>

struct err;
struct transfer;

enum answer_result {
	ANSWER_FAILED = -1, /* *e says why */
	ANSWER_DONE,        /* the transfer is complete */
	ANSWER_ASK_AGAIN    /* what was held is of no use: ask for all of it */
};

/*
 * Takes the answer whose head has come. Only bytes of the version that is
 * wanted, at the place where they belong, go into the file.
 */
enum answer_result answer_take(struct transfer *t, struct err *e);

/* Whether an error of that status may pass by itself. */
bool answer_may_pass(int status);

#endif
