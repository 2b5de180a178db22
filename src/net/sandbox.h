/*
 * Confines this process once it has everything that it needs: a fault in the
 * code that reads what the network sends can then do less. sandbox_linux.c uses
 * no_new_privs, seccomp(2) and landlock(7), sandbox_posix.c pledge(2) and
 * unveil(2) where the system has them. What the system does not support is left
 * out: that is not an error.
 */
#ifndef NET_SANDBOX_H
#define NET_SANDBOX_H

/*
 * What the process still needs. Everything else that sockt never does is
 * refused with EPERM from then on, and in all child processes: to trace or
 * change other processes, to mount, to load code into the kernel. Open
 * descriptors stay usable.
 */
enum sandbox_needs {
	SANDBOX_NOTHING = 0,
	SANDBOX_SOCKETS = 1,   /* to create, bind and connect sockets */
	SANDBOX_FILES = 2,     /* to open, create, rename and remove files */
	SANDBOX_PROCESSES = 4, /* to fork */
	SANDBOX_PROGRAMS =
	    8, /* with SANDBOX_FILES: to execute programs, and end them */
	SANDBOX_EVERYTHING = 0xff
};

/*
 * Keeps what needs says, a set of the flags above, and loses the rest for good.
 * It may be called again with less. A step of -vv.
 */
void sandbox_enter(unsigned needs);

/*
 * The same with SANDBOX_FILES for files in folder only, and below it, where the
 * system can do that.
 */
void sandbox_enter_folder(unsigned needs, const char *folder);

#endif
