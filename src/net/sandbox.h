/*
 * Confines a process that will run no program. sandbox_linux.c uses seccomp(2)
 * and Landlock. Its twin sandbox_posix.c uses pledge(2) on OpenBSD, and does
 * nothing on other systems; restrictions that a system lacks are left out.
 */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

#include <stdbool.h>

/*
 * Limits the damage of a fault in code that parses data from the network: from
 * now on this process and its children cannot execute a program, trace another
 * process, read its memory or descriptors, mount, or load code into the kernel.
 * These calls fail with EPERM; pledge(2) kills the process instead.
 */
void sandbox_enter(void);

/* Also limits this process to reading files below the folder dir; it cannot
 * connect or bind a TCP socket. Returns whether the system can, which is false
 * without Landlock. If dir is -1, it only checks that. */
bool sandbox_enter_folder(int dir);

/* For a process that only moves bytes between open descriptors: also forbids to
 * open a file or a socket, start a process, or run code that it has written. */
void sandbox_enter_transfer(void);

#endif
