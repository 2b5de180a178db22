/* The list of commands, and the hints for command lines that they reject. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

struct command;
struct command_args;

/* All commands, in the order of the help; ends with NULL. */
extern const struct command *const command_table[];

extern const struct command connect_command;
extern const struct command listen_command;
extern const struct command serve_hello_command;
extern const struct command udp_send_command;
extern const struct command udp_serve_command;
extern const struct command http_get_command;
extern const struct command portscan_command;
extern const struct command help_command;
extern const struct command completion_command;

/* Finds what explains an error of the command line of c: its words are argv,
 * parsed as far as *args shows; c is NULL if argv[0] is not a command. Returns
 * a line without sockt's name, valid until the next call, or NULL. */
const char *help_find(const struct command *c, char *const *argv,
    const struct command_args *args, const char *error);

/* Prints the programs that help knows, one per line, with a tab. */
void help_programs(void);

#endif
