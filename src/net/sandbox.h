/* Confines a process that will run no program. */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

#include <stdbool.h>

/*
 * Limits the damage of a fault in code that parses data from the network: from
 * now on this process and its children cannot execute a program, trace another
 * process, read its memory or descriptors, mount, or load code into the kernel.
 * These calls fail with EPERM. sandbox_linux.c uses seccomp(2), sandbox_posix.c
 * pledge(2) where it exists; restrictions that the system lacks are left out.
 */
void sandbox_enter(void);

/* Also limits this process to reading files below the folder dir; it cannot
 * connect or bind a TCP socket (Landlock). Returns whether the system can; dir
 * -1: only checks. */
bool sandbox_enter_folder(int dir);

/* For a process that only moves bytes between open descriptors: also forbids to
 * open a file or a socket, start a process, or run code that it has written. */
void sandbox_enter_transfer(void);

#endif
