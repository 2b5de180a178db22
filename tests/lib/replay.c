/*
 * Feeds a fuzzer every file of its corpus, whole and cut at every length, so
 * that make check walks what fuzzing has found without a fuzzing compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/tap.h"

/* Larger inputs are not cut, and bytes behind this are not read. */
#define CUT_MOST 2048
#define SIZE_MOST (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of just that size, so that a sanitizer sees the first byte behind. */
static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
replay(const char *name)
{
	static uint8_t data[SIZE_MOST];
	char path[4096];
	size_t size, i;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	f = fopen(path, "rb");
	if (!ok(f != NULL, "%s is fed whole and in pieces", name))
		return;
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	feed(data, size);
	for (i = 0; size <= CUT_MOST && i < size; i++)
		feed(data, i);
}

int
main(void)
{
	const struct dirent *entry;
	DIR *dir = opendir(CORPUS);

	if (!ok(dir != NULL, "there is a corpus: " CORPUS))
		return done_testing();
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			replay(entry->d_name);
	closedir(dir);
	return done_testing();
}
