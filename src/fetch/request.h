/* Asking for a URL, and following where redirects lead. */
#ifndef FETCH_REQUEST_H
#define FETCH_REQUEST_H

struct err;
struct fetch;
struct transfer;

/*
 * Asks for t->start and follows redirects as far as the options allow; the head
 * of the last answer is transfer_head(). 0, or -1 with *e.
 */
int request_send(struct transfer *t, struct err *e);

/*
 * What can be said against a URL and the way to it before anything is
 * attempted: 0, or -1 with ERR_USAGE.
 */
int request_check(const struct fetch *f, const char *url, struct err *e);

/* Shows the head of the last answer on stderr. */
void request_show_head(const struct transfer *t);

/* Tells of the last answer when its body is taken: event, --timing. */
void request_report(const struct transfer *t);

#endif
