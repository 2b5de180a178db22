/*
 * Runs a program of another machine: stands in its place, and starts it as
 * NAME.elf in the emulator. A script would change its name and its process
 * number, and needs descriptors that a test may have closed or limited.
 *
 * -DEMULATOR="/usr/bin/qemu-s390x" -DEMULATOR_ROOT="/usr/s390x-linux-gnu"
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define ADDED 6 /* the emulator and its arguments before the program's */

int
main(int argc, char **argv)
{
	static char path[PATH_SIZE + sizeof(".elf")];
	char **args = calloc((size_t)argc + ADDED + 1, sizeof(*args));
	ssize_t n = readlink("/proc/self/exe", path, PATH_SIZE);

	if (args == NULL || n < 0 || n == PATH_SIZE) {
		perror(argv[0]);
		return 125;
	}
	strcpy(path + n, ".elf");
	args[0] = (char *)EMULATOR;
	args[1] = (char *)"-L";
	args[2] = (char *)EMULATOR_ROOT;
	args[3] = (char *)"-0";
	args[4] = argv[0];
	args[5] = path;
	memcpy(args + ADDED, argv + 1, (size_t)argc * sizeof(*args));
	execv(EMULATOR, args);
	perror(EMULATOR);
	return 125;
}
