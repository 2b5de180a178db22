/* The hello conversation, as small as it can be. */
#ifndef BENCH_GREET_H
#define BENCH_GREET_H

#include <string.h>
#include <unistd.h>

static void
greet(int in, int out)
{
	char text[512] = "Hello, ";
	ssize_t n;

	if (write(out, "Welcome!", 8) < 0)
		return;
	while ((n = read(in, text + 7, sizeof(text) - 9)) > 0) {
		size_t end = 7 + (size_t)n;

		if (text[end - 1] == '\n')
			end--;
		memcpy(text + end, "!\n", 2);
		if (write(out, text, end + 2) < 0)
			return;
	}
}

#endif
