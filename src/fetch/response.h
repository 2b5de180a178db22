/* What to do with a response: whole, part, unchanged or an error. */
#ifndef FETCH_RESPONSE_H
#define FETCH_RESPONSE_H

#include <stdbool.h>

#include "fetch/transfer.h"

struct err;
struct http_head;

/*
 * Handles the response whose head is h. Only bytes of the requested version, at
 * the place where they belong, go into the file. TRANSFER_BODY: the output is
 * ready for the body; TRANSFER_START: what the output holds is of no use, all
 * of it has to be requested; else it is over.
 */
enum transfer_state response_handle(
    struct transfer *t, const struct http_head *h, struct err *e);

/* Whether an error of that status may pass by itself. */
bool response_is_transient(int status);

#endif
