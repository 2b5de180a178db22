/* Command lines of other programs, and their equivalents. */
#ifndef CLI_EQUIVALENTS_H
#define CLI_EQUIVALENTS_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Prints the rows of a program ("nc") in two columns. False if there are none.
 */
bool equivalents_print(FILE *out, const char *program);

/* Prints the names of the programs that have rows, one per line, with a tab. */
void equivalents_programs(FILE *out);

/*
 * Explains a command line of another program, argv[0], by the row that begins
 * like it. Returns a line, valid until the next call, or NULL if the program
 * has no rows.
 */
const char *equivalents_nearest(char *const *argv);

#endif
