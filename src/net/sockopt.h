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

/* Reads an option that is an int. Returns 0, or -1 with errno. */
int sockopt_get(int fd, const struct sockopt *o, int *value);

#endif
