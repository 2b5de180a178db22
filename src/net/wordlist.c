/* The words of a list: of text, or of a file whose data may come slowly. */
#include "net/wordlist.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/sock.h"
#include "net/wait.h"

#define MAX_LINE 4094

/* A list that is being read. */
struct list {
	wordlist_add *add;
	void *context;
	/* The name of the file, escaped. */
	char shown[256];
	/* How many lines were processed, and how many of them were wrong. */
	uint64_t line, wrong;
	/* The bytes that are not processed yet. */
	char bytes[MAX_LINE + 2];
	size_t size;
};

/*
 * Processes the words of a line. Returns 0, also for a wrong line, whose error
 * is in *e if it is the first; or -1 with *e.
 */
static int
add_line(struct list *l, char *line, struct err *e)
{
	struct err other = ERR_INIT, *error = l->wrong == 0 ? e : &other;
	char *word, *save;

	l->line++;
	line[strcspn(line, "#")] = '\0';
	for (word = strtok_r(line, ", \t\r\n", &save); word != NULL;
	     word = strtok_r(NULL, ", \t\r\n", &save)) {
		if (l->add(l->context, word, error) == 0)
			continue;
		err_prefix(error, "%s line %" PRIu64, l->shown, l->line);
		if (error->kind == ERR_USAGE) {
			l->wrong++;
			return 0;
		}
		*e = *error;
		return -1;
	}
	return 0;
}

/* Processes all lines that have ended. Returns as add_line(). */
static int
add_lines(struct list *l, struct err *e)
{
	size_t at = 0, end;

	for (end = 0; end < l->size; end++) {
		/* A NUL ends a line, too. */
		if (l->bytes[end] != '\n' && l->bytes[end] != '\0')
			continue;
		l->bytes[end] = '\0';
		if (add_line(l, l->bytes + at, e) < 0)
			return -1;
		at = end + 1;
	}
	l->size -= at;
	memmove(l->bytes, l->bytes + at, l->size);
	if (l->size <= MAX_LINE)
		return 0;
	if (l->wrong > 0)
		return -1;
	return err_set(e, ERR_USAGE,
	    "%s line %" PRIu64 ": longer than %d bytes", l->shown, l->line + 1,
	    MAX_LINE);
}

int
wordlist_read(const char *path, struct deadline until, wordlist_add *add,
    void *context, struct err *e)
{
	struct list l = {.add = add, .context = context};
	enum fd_kind kind;
	int fd, ready, result = 0;
	ssize_t n = 1;

	text_escape(l.shown, sizeof(l.shown), path, strlen(path));
	/* O_NONBLOCK: a FIFO may never get a writer. It is not set on standard
	 * input, whose flags other processes share. */
	fd = strcmp(path, "-") == 0
		 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		 : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, ERR_OUTPUT, errno, "%s", l.shown);
	kind = sock_kind(fd);
	while (n != 0 && result == 0) {
		ready = wait_fd(fd, POLLIN, until);
		n = ready <= 0 ? -1
			       : sock_read_nowait(fd, kind, l.bytes + l.size,
				     sizeof(l.bytes) - 1 - l.size);
		if (ready == 0) {
			result = deadline_error(until,
			    text_format(
				"the list in %s has not ended", l.shown),
			    e);
		} else if (n >= 0) {
			l.size += (size_t)n;
			result = add_lines(&l, e);
		} else if (ready < 0 || (errno != EINTR && errno != EAGAIN)) {
			result =
			    err_sys(e, errno == EINTR ? ERR_FAILED : ERR_OUTPUT,
				errno, "%s", l.shown);
		}
	}
	if (result == 0 && l.size > 0) {
		l.bytes[l.size] = '\0';
		result = add_line(&l, l.bytes, e);
	}
	fd_close(&fd);
	if (result == 0 && l.wrong > 1)
		err_append(e, "%" PRIu64 " more lines are wrong", l.wrong - 1);
	return l.wrong > 0 ? -1 : result;
}

int
wordlist_split(
    const char *text, wordlist_add *add, void *context, struct err *e)
{
	char *copy = mem_text(text), *word = copy, *comma;
	int result;

	for (;; word = comma + 1) {
		comma = strchr(word, ',');
		if (comma != NULL)
			*comma = '\0';
		result = add(context, word, e);
		if (result != 0 || comma == NULL)
			break;
	}
	free(copy);
	return result;
}
