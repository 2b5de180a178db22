/* The table of all commands. */
#include "cmd/table.h"

#include <stddef.h>

const struct command *const command_table[] = {&connect_command,
    &listen_command, &serve_hello_command, &udp_send_command,
    &udp_serve_command, &http_get_command, &portscan_command, &help_command,
    &completion_command, NULL};
