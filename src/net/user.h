/* Giving up privilege. */
#ifndef NET_USER_H
#define NET_USER_H

struct err;

/*
 * Becomes the user called name for good: supplementary groups, group and user
 * id, real, effective and saved; then makes sure that there is no way back.
 * For after bind(2), before the first connection. 0, or -1 with *e: ERR_USAGE
 * for an unknown name, ERR_LOCAL where it is not permitted.
 */
int user_become(const char *name, struct err *e);

#endif
