/*
 * A file that gets its name only when it is complete. Until then it is
 * NAME.part, and the note NAME.part.from records its inode, its URL and its
 * version, so that a later run can resume it. Only a file that sockt wrote is
 * resumed or overwritten: a regular one of this user, with one name, that the
 * note is about.
 */
#ifndef FETCH_PART_FILE_H
#define FETCH_PART_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct err;
struct http_validator;

struct part_file {
	char *target, *part, *from;    /* owned */
	int fd;                        /* owned; -1: not open */
	const char *url;               /* the caller's */
	struct http_validator *source; /* the caller's: the version of the
					  bytes that are held; not usable if it
					  is unknown or of another URL */
	bool may_replace; /* the caller's: a file of that name is replaced;
			     a link to one is followed */
	bool is_forced;   /* the caller's: files that others wrote, and dangling
			     links, are replaced, too */
	bool adopts;      /* the caller's: a file of that name becomes the
			     partial file, to be continued */
	bool has_old;     /* there is a file: */
	struct stat old;  /* its mode and owner are kept */
	int64_t held;     /* bytes in the partial file when it was opened */
};

/*
 * Opens the partial file of target, locks it against other processes, and sets
 * *source unless the file is adopted. The caller sets what is the caller's, and
 * the rest to 0. Returns 0, or -1 with ERR_OUTPUT if the file cannot be
 * written, if the target may not be replaced, or if something else than a
 * partial file and its note is in their place. Call part_file_close() after 0.
 */
int part_file_open(struct part_file *f, const char *target, struct err *e);

/*
 * Keeps the first offset bytes and continues after them. With offset 0, starts
 * over and notes that the file is of version *source. Returns 0, or -1 with
 * ERR_OUTPUT.
 */
int part_file_begin(struct part_file *f, int64_t offset, struct err *e);

/*
 * Renames the file, which is complete. Returns 0, or -1 with
 * ERR_OUTPUT: the file is still partial, or its note could not be removed.
 */
int part_file_commit(struct part_file *f, struct err *e);

/*
 * Closes the file. A partial file is kept and reported, unless it is empty;
 * --continue would continue it if *source is usable.
 */
void part_file_close(struct part_file *f);

#endif
