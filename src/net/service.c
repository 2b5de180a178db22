#include "net/service.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Longest name that is shown whole. */
#define NAME_TEXT 64

static int
by_port(const void *a, const void *b)
{
	const struct service *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

void
service_list_read(struct service_list *list, const char *protocol)
{
	unsigned char seen[65536 / 8] = {0};
	const struct servent *s;
	char name[NAME_TEXT];
	size_t room = 0;

	setservent(1);
	while ((s = getservent()) != NULL) {
		uint16_t port = ntohs((uint16_t)s->s_port);
		unsigned char bit = (unsigned char)(1 << (port & 7));

		if (strcmp(s->s_proto, protocol) != 0 || seen[port / 8] & bit)
			continue;
		seen[port / 8] |= bit;
		if (list->count == room) {
			room = room == 0 ? 256 : room * 2;
			list->items = mem_resize(
			    list->items, room, sizeof(list->items[0]));
		}
		text_escape_string(name, sizeof(name), s->s_name);
		list->items[list->count].port = port;
		list->items[list->count++].name = mem_text(name);
	}
	endservent();
	if (list->count > 0)
		qsort(
		    list->items, list->count, sizeof(list->items[0]), by_port);
}

void
service_list_release(struct service_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
	list->items = NULL;
	list->count = 0;
}

const char *
service_name(const struct service_list *list, uint16_t port)
{
	struct service key = {port, NULL};
	const struct service *s;

	if (list->count == 0)
		return NULL;
	s = bsearch(
	    &key, list->items, list->count, sizeof(list->items[0]), by_port);
	return s == NULL ? NULL : s->name;
}
