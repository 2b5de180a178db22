/*
 * Hosts to scan: nobody is there twice, whatever is named, and taking a set
 * out of itself leaves nobody.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "scan/targets.h"

/* Of larger sets only so many hosts are compared. */
#define MOST 64

static void
check(struct targets *t)
{
	struct addr a, b;
	uint32_t i, j;

	for (i = 0; i < t->hosts && i < MOST; i++) {
		targets_host(t, i, 80, &a);
		if (addr_port(&a) != 80)
			abort();
		for (j = 0; j < i; j++) {
			targets_host(t, j, 80, &b);
			if (addr_same_host(&a, &b))
				abort();
		}
	}
	if (t->hosts > 0)
		targets_host(t, t->hosts - 1, 80, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct targets_options o = {.names = {.numeric = 1},
	    .until.at_ns = INT64_MAX};
	const struct targets none = TARGETS_INIT;
	struct targets t = TARGETS_INIT, same = TARGETS_INIT,
		       again = TARGETS_INIT;
	struct err e = ERR_INIT;
	char text[512];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (targets_add(&t, text, &o, &e) < 0) {
		if (e.kind == ERR_NONE || e.text[0] == '\0')
			abort();
	} else {
		if (targets_add(&same, text, &o, &e) < 0 ||
		    targets_add(&again, text, &o, &e) < 0)
			abort();
		if (targets_merge(&t, &none, &e) == 0)
			check(&t);
		if (targets_merge(&again, &same, &e) == 0 && again.hosts != 0)
			abort();
	}
	targets_release(&t);
	targets_release(&same);
	targets_release(&again);
	return 0;
}
