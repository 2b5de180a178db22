/* Names of services by port, from services(5). */
#include "scan/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/text.h"

/* Longer names are truncated. */
#define NAME_TEXT 64

bool
service_next(FILE *f, struct service_line *l)
{
	char *port, *save;
	int64_t number;

	while (fgets(l->text, sizeof(l->text), f) != NULL) {
		l->text[strcspn(l->text, "#\n")] = '\0';
		l->name = strtok_r(l->text, " \t", &save);
		if (l->name == NULL)
			continue;
		port = strtok_r(NULL, " \t/", &save);
		l->protocol = strtok_r(NULL, " \t", &save);
		if (l->protocol == NULL ||
		    !num_parse(port, 1, UINT16_MAX, &number))
			continue;
		l->port = (uint16_t)number;
		return true;
	}
	return false;
}

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
	FILE *f = fopen(SERVICE_FILE, "re");
	struct service_line l;
	char name[NAME_TEXT];
	size_t capacity = 0;

	while (f != NULL && service_next(f, &l)) {
		unsigned char bit = (unsigned char)(1 << (l.port & 7));

		if (strcmp(l.protocol, protocol) != 0 || seen[l.port / 8] & bit)
			continue;
		seen[l.port / 8] |= bit;
		if (list->count == capacity) {
			capacity = capacity == 0 ? 256 : capacity * 2;
			list->items = mem_resize(
			    list->items, capacity, sizeof(list->items[0]));
		}
		text_escape_string(name, sizeof(name), l.name);
		list->items[list->count].port = l.port;
		list->items[list->count++].name = mem_text(name);
	}
	if (f != NULL)
		fclose(f);
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
