/*
 * Sets of ports: what is taken, written out and read again is the same set.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lib/ports_text.h"
#include "scan/ports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char shown[400000];
	struct ports p, again;
	struct err e = ERR_INIT;
	struct ports_parser parser = {.ports = &p, .protocol = "tcp"};
	char text[512];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	ports_clear(&p);
	ports_clear(&again);
	if (ports_parse(&parser, text, &e) < 0) {
		if (e.kind != ERR_USAGE || e.text[0] == '\0')
			abort();
		return 0;
	}
	if (ports_has(&p, 0))
		abort();
	ports_text(&p, shown, sizeof(shown));
	if (ports_count(&p) == 0)
		return 0;
	parser.ports = &again;
	parser.is_other = false;
	if (ports_parse(&parser, shown, &e) < 0 ||
	    memcmp(&p, &again, sizeof(p)) != 0)
		abort();
	return 0;
}
