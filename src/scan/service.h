/*
 * Names of ports, from the system's services(5). A name is only a label for
 * what usually listens on a port; nothing has been detected.
 */
#ifndef SCAN_SERVICE_H
#define SCAN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The file itself is read, since getservent(3) does nothing in some C libraries
 * and loads half the name service in others.
 */
#define SERVICE_FILE "/etc/services"

/* An entry of the file; the pointers point into text. */
struct service_line {
	char text[512];
	const char *name, *protocol;
	uint16_t port;
};

/* Reads the next entry, skipping malformed lines. Returns false at the end. */
bool service_next(FILE *f, struct service_line *l);

/* A service of a list. */
struct service {
	uint16_t port;
	char *name; /* owned, escaped */
};

/* The services of one protocol by port, with the first name of each. */
struct service_list {
	struct service *items;
	size_t count;
};

/* Reads the services of "tcp" or "udp" into *list, which must be zero. The
 * caller releases it with service_list_release(). */
void service_list_read(struct service_list *list, const char *protocol);
void service_list_release(struct service_list *list);

/* The name of a port, owned by the list, or NULL. */
const char *service_name(const struct service_list *list, uint16_t port);

#endif
