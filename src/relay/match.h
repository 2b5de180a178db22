/*
 * regexec(3) under a deadline. It can take time that grows with the power of
 * what it looks at, and neither a limit nor a signal handler can end it; so it
 * runs in a process of its own, which can be ended, where there can be one.
 */
#ifndef RELAY_MATCH_H
#define RELAY_MATCH_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/deadline.h"

/*
 * True when the pattern is found in text, with the offset of its end in *end.
 * False when it is not, or is not by the deadline or by a signal that asks to
 * stop, which the caller's next wait reports.
 */
bool match_find(
    const regex_t *regex, const char *text, struct deadline until, size_t *end);

#endif
