/*
 * Habits from other programs: what users of nc, ncat, socat, curl, wget and
 * nmap type, and what sockt has instead.
 */
#ifndef CMD_HABITS_H
#define CMD_HABITS_H

#include <stdbool.h>

struct command;
struct command_args;

/*
 * Finds what explains a rejected command line of c, whose words are argv and
 * which was parsed as far as *args shows; c is NULL if argv[0] is not a
 * command. Returns a line without sockt's name, valid until the next call, or
 * NULL. Only what was rejected is looked at: no valid line changes its meaning.
 */
const char *habits_find(const struct command *c, char *const *argv,
    const struct command_args *args);

/* Prints the command lines of a program ("nc") and their equivalents in two
 * columns. False if it has none. */
bool habits_print(const char *program);

/* Prints the names of the programs that have some, one per line, with a tab. */
void habits_programs(void);

#endif
