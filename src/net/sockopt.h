/*
 * Socket options: setsockopt(2) and getsockopt(2), with the same results and
 * errno. Each call is a step of -vv.
 */
#ifndef NET_SOCKOPT_H
#define NET_SOCKOPT_H

#include <stddef.h>

/* A socket option: its name, and what it is for. */
struct sockopt {
	int level, name;  /* of setsockopt(2) */
	const char *text; /* "SO_REUSEADDR" */
	const char *note;
	const char *value; /* as text; NULL: an int, shown as a number */
};

/* Sets an option that is an int. Returns 0, or -1 with errno. */
int sockopt_set(int fd, const struct sockopt *o, int value);

/* The same for a value of any type; o->value is not NULL. */
int sockopt_set_value(
    int fd, const struct sockopt *o, const void *value, size_t size);

/*
 * Turns Nagle's algorithm off (tcp(7), TCP_NODELAY), for every TCP socket; not
 * a step of -vv. The second of two small writes would wait for the
 * acknowledgement of the first, which the peer delays by 40 ms or more (RFC
 * 1122 4.2.3.2, 4.2.3.4). Connections inherit it from the listening socket.
 * Without effect on other sockets.
 */
void sockopt_set_nodelay(int fd);

/* Reads an option that is an int. Returns 0, or -1 with errno. */
int sockopt_get(int fd, const struct sockopt *o, int *value);

#endif
