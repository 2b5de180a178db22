/* Edit distance between two words, for "did you mean". */
#include "cli/suggest.h"

#include <string.h>

/* Edit distance (Levenshtein) of the first 32 bytes of two words. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[33], n = strnlen(b, 32), i, j, above, corner;

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; i < 32 && a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (j = 1; j <= n; j++) {
			above = row[j];
			if (a[i] != b[j - 1])
				corner++;
			if (above + 1 < corner)
				corner = above + 1;
			if (row[j - 1] + 1 < corner)
				corner = row[j - 1] + 1;
			row[j] = corner;
			corner = above;
		}
	}
	return row[n];
}

bool
suggest_is_better(const char *typed, const char *candidate, size_t *nearest)
{
	size_t d = distance(typed, candidate);
	size_t longer = strlen(typed);

	if (longer < strlen(candidate))
		longer = strlen(candidate);
	if (typed[0] != '\0' && strncmp(candidate, typed, strlen(typed)) == 0)
		d = 0;
	else if (strlen(typed) >= 3 && strstr(candidate, typed) != NULL)
		d = 1;
	if (d * 3 > longer || d >= *nearest)
		return false;
	*nearest = d;
	return true;
}
