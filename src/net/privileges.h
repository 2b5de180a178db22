/* Dropping privileges. */
#ifndef NET_PRIVILEGES_H
#define NET_PRIVILEGES_H

struct err;

/* Returns 0, or -1 with ERR_USAGE if there is no such user. */
int privileges_check(const char *name, struct err *e);

/*
 * Switches permanently to the user name: supplementary groups, group and user
 * id (real, effective and saved); then checks that root cannot be regained.
 * Call it after bind(2) and before the first connection. Returns 0, or -1 with
 * *e set: ERR_USAGE for an unknown name, ERR_LOCAL if it is not permitted.
 */
int privileges_drop(const char *name, struct err *e);

#endif
