/*
 * Habits from other programs: what users of nc, ncat, socat, curl, wget and
 * nmap type, and what sockt has instead.
 */
#ifndef CMD_HABITS_H
#define CMD_HABITS_H

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

#endif
