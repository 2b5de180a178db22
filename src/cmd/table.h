/* The list of commands. */
#ifndef CMD_TABLE_H
#define CMD_TABLE_H

struct command;

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

#endif
