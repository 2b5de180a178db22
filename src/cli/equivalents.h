/* What users of other programs type, and what does the same with sockt. */
#ifndef CLI_EQUIVALENTS_H
#define CLI_EQUIVALENTS_H

#include <stdbool.h>
#include <stdio.h>

/* Prints the rows of one program ("nc") in two columns. False if it has none.
 */
bool equivalents_print(FILE *out, const char *program);

/* The names of the programs that have rows, each once, after a space. */
void equivalents_programs(FILE *out);

/* Every row for scripts: two fields, separated by a tab. */
void equivalents_list(FILE *out);

#endif
