/* A set of ports as text, to compare it. */
#ifndef TESTS_PORTS_TEXT_H
#define TESTS_PORTS_TEXT_H

#include <stdio.h>
#include <string.h>

#include "scan/ports.h"

static bool
ports_has(const struct ports *p, uint16_t port)
{
	return (p->bits[port / 8] >> (port & 7)) & 1;
}

/* "22,80,8000-8100" into buf, which is large enough. Returns buf. */
static const char *
ports_text(const struct ports *p, char *buf, size_t size)
{
	uint32_t low, high;
	size_t used = 0;

	buf[0] = '\0';
	for (low = 1; low <= UINT16_MAX; low = high + 1) {
		high = low;
		if (!ports_has(p, (uint16_t)low))
			continue;
		while (high < UINT16_MAX && ports_has(p, (uint16_t)(high + 1)))
			high++;
		snprintf(buf + used, size - used,
		    high > low ? "%s%u-%u" : "%s%u", used > 0 ? "," : "", low,
		    high);
		used += strlen(buf + used);
	}
	return buf;
}

#endif
