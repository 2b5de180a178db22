/* Socket options: setsockopt(2), with the same results and errno. */
#ifndef NET_SOCKOPT_H
#define NET_SOCKOPT_H

#include <stddef.h>

/*
 * An option that the user or a tutorial asks for: setting it is a step of -vv.
 */
struct sockopt {
	int level, name;   /* of setsockopt(2) */
	const char *text;  /* "SO_REUSEADDR" */
	const char *note;  /* what it is for */
	const char *value; /* as text; NULL: an int, shown as a number */
};

/* Sets an option that is an int. Returns 0, or -1 with errno. */
int sockopt_set(int fd, const struct sockopt *o, int value);

/* The same for a value of any type; o->value is not NULL. */
int sockopt_set_value(
    int fd, const struct sockopt *o, const void *value, size_t size);

/* Sets an int that nobody asked for: no step. Returns 0, or -1 with errno. */
int sockopt_set_quietly(int fd, int level, int name, int value);

#endif
