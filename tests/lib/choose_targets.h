/* The targets of a scan, as the command line names them. */
#ifndef TESTS_CHOOSE_TARGETS_H
#define TESTS_CHOOSE_TARGETS_H

#include <stdlib.h>

#include "base/err.h"
#include "scan/ports.h"
#include "scan/targets.h"

/* Adds numeric hosts; those without ports of their own get these. */
static inline void
choose_targets(struct targets *t, const char *hosts, const char *ports)
{
	static const struct targets_options o = {.names = {.numeric = 1},
	    .protocol = "tcp",
	    .until.at_ns = INT64_MAX};
	static const struct targets none = TARGETS_INIT;
	struct err e = ERR_INIT;
	struct ports all, excluded;
	struct ports_parser parser = {.ports = &all, .protocol = "tcp"};
	const struct targets_selection selection = {&none, &all, &excluded};

	ports_clear(&all);
	ports_clear(&excluded);
	if (ports_parse(&parser, ports, &e) < 0 ||
	    targets_add(t, hosts, &o, &e) < 0 ||
	    targets_merge(t, &selection, &e) < 0)
		abort();
}

#endif
