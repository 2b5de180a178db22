/* Confines a process that will run no program. */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

/*
 * From now on this process and its children cannot execute a program, trace
 * another process, read its memory or descriptors, mount, or load code into the
 * kernel: a fault in the code that reads what the network sends can then do
 * less. Such a call fails with EPERM. sandbox_linux.c uses seccomp(2),
 * sandbox_posix.c pledge(2) where it exists; what the system does not support
 * is left out.
 */
void sandbox_enter(void);

/*
 * The second set, for a process that only moves bytes between descriptors that
 * are open: from now on it cannot open a file or a socket, start a process or
 * run code that it has written, either.
 */
void sandbox_enter_transfer(void);

#endif
