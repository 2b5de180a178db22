/* What users of other programs type, for each command; see cli/habit.h. */
#ifndef CMD_HABITS_H
#define CMD_HABITS_H

#include "cli/habit.h"

/* All commands; the last set has no rows. */
extern const struct habit_set habits_table[];

extern const char habits_connect[];
extern const char habits_listen[];
extern const char habits_serve_hello[];
extern const char habits_udp_send[];
extern const char habits_udp_serve[];
extern const char habits_http_get[];
extern const char habits_portscan[];

#endif
