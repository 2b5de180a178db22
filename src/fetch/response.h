/* What http-get does with an answer: whole, part, unchanged or refused. */
#ifndef FETCH_RESPONSE_H
#define FETCH_RESPONSE_H

#include <stdbool.h>

struct err;
struct transfer;

enum response_result {
	RESPONSE_FAILED = -1, /* *e says why */
	RESPONSE_DONE,        /* the transfer is complete */
	RESPONSE_ASK_AGAIN /* what was held is of no use: ask for all of it */
};

/*
 * Takes the answer whose head has come. Only bytes of the version that is
 * wanted, at the place where they belong, go into the file.
 */
enum response_result response_handle(struct transfer *t, struct err *e);

/* Whether an error of that status may pass by itself. */
bool response_is_transient(int status);

#endif
