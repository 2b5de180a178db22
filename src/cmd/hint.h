/* Hints for command lines that sockt rejects: words that users of other
 * programs type (habits.txt), and what replaces whole command lines of those
 * programs (equivalents.txt). */
#ifndef CMD_HINT_H
#define CMD_HINT_H

struct command;
struct command_args;

/*
 * Finds the hint that explains a usage error, whose text is error. argv is the
 * command line after the name of c, NULL-terminated, and *args what was parsed
 * of it. If argv[0] is not a command, c and args are NULL. Returns a line
 * without sockt's name, valid until the next call, or NULL if there is none.
 */
const char *hint_find(const struct command *c, char *const *argv,
    const struct command_args *args, const char *error);

/*
 * Steps through the command lines of a program ("nc"), or of all programs if it
 * is NULL: returns the row after row, or the first if that is NULL; NULL after
 * the last. A row is "nc -l 8080", a tab, "sockt listen 8080" and a newline.
 */
const char *hint_next_equivalent(const char *program, const char *row);

#endif
