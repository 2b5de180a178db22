/* Reads words from files, separated by spaces, tabs, commas and newlines. */
#include "base/wordlist.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

int
wordlist_read(
    FILE *f, const char *name, wordlist_add *add, void *context, struct err *e)
{
	char line[4096], shown[256], *word, *save;
	int number = 0;

	text_escape_string(shown, sizeof(shown), name);
	while (fgets(line, sizeof(line), f) != NULL) {
		number++;
		if (strchr(line, '\n') == NULL && !feof(f))
			return err_set(e, ERR_USAGE,
			    "%s line %d: longer than %zu bytes", shown, number,
			    sizeof(line) - 2);
		line[strcspn(line, "#")] = '\0';
		for (word = strtok_r(line, ", \t\r\n", &save); word != NULL;
		     word = strtok_r(NULL, ", \t\r\n", &save))
			if (add(context, word, e) < 0)
				return err_prefix(
				    e, "%s line %d", shown, number);
	}
	if (ferror(f))
		return err_set(e, ERR_OUTPUT, "%s: cannot be read", shown);
	return 0;
}
