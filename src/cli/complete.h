/*
 * What the completion scripts of the shells have in common: what completes the
 * arguments of options and the operands, by the option tables.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stdio.h>

struct command;
struct opt;

/* What completes a word. */
enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_WORDS, /* those of a choice, or of a list */
	COMPLETE_FILE,
	COMPLETE_COMMAND, /* a program */
	COMPLETE_USER,
	COMPLETE_INTERFACE,
	COMPLETE_ENDPOINT, /* a host, or unix:PATH */
	COMPLETE_URL
};

/* The beginnings of URLs, separated by spaces. */
#define COMPLETE_SCHEMES "http:// https://"

/* What completes the argument of an option, and the operands of a command. */
enum complete_kind complete_kind_of(const struct opt *o);
enum complete_kind complete_kind_of_operands(const struct command *c);

/* Calls each() for every option of a command. */
void complete_walk(FILE *out, const struct command *c,
    void (*each)(FILE *out, const struct command *c, const struct opt *o));

/* Prints the words that an option of COMPLETE_WORDS may have, separated by
 * spaces, inside quotes as complete_put_escaped(). */
void complete_put_words(FILE *out, const struct opt *o, const char *special);

/* Prints the names of all commands, separated by spaces; table ends with
 * NULL. */
void complete_put_commands(FILE *out, const struct command *const *table);

/* Prints the words that the operands of a command of COMPLETE_WORDS may be. */
void complete_put_operands(
    FILE *out, const struct command *c, const struct command *const *table);

/* Prints text inside quotes, with a backslash before characters in special. */
void complete_put_escaped(FILE *out, const char *text, const char *special);

/* Print the script of a shell; table ends with NULL. */
void complete_bash(FILE *out, const struct command *const *table);
void complete_zsh(FILE *out, const struct command *const *table);
void complete_fish(FILE *out, const struct command *const *table);

#endif
