/* A download in NAME.part, which becomes NAME when it is complete. */
#ifndef FETCH_PART_FILE_H
#define FETCH_PART_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct err;
struct http_validator;

/*
 * A file that gets its name only when it is complete. Until then it is
 * NAME.part, and the note NAME.part.from records its inode, its URL and its
 * version, so that a later run can resume it. Only a file that sockt wrote is
 * resumed or overwritten: a regular one of this user, with one name, that the
 * note is about.
 */
struct part_file {
	/* The names: of the complete file, with links resolved, of the partial
	 * file, and of the note. This struct owns them. */
	char *target, *part, *from;
	int fd; /* The partial file, which this struct owns; -1: not open. */

	/* The caller sets the next five before part_file_open(). */
	const char *url; /* The URL; the caller owns it. */
	/* The caller owns it and clears it. It receives the version of the
	 * bytes that are held, if that is known and they are of this URL. */
	struct http_validator *source;
	bool may_replace; /* An existing target is replaced; if it is a link,
			     the file that it leads to. */
	bool is_forced;   /* Files that other programs wrote are replaced, and
			     so are links that lead nowhere. */
	bool adopts;      /* The target exists and becomes the partial file,
			     which is then continued. */

	bool has_old;    /* There is a file at the target: */
	struct stat old; /* its mode and owner are kept. */
	int64_t held;    /* This many bytes were in the partial file when it
			    was opened. */
	/* What else is known of these bytes if *source is not usable, as in "of
	 * another URL". */
	const char *origin;
};

/*
 * Opens the partial file of target, locks it against other processes, and sets
 * *source unless the file is adopted. The caller sets the members above that
 * are its own, and clears all others. Returns 0, or -1 with ERR_OUTPUT if the
 * file cannot be written, if the target may not be replaced, or if something
 * other than a partial file and its note is in their place. Call
 * part_file_close() after 0.
 */
int part_file_open(struct part_file *f, const char *target, struct err *e);

/* Keeps offset bytes and continues after them. With 0, starts over and notes
 * that the file is of version *source. Returns 0, or -1 with ERR_OUTPUT. */
int part_file_begin(struct part_file *f, int64_t offset, struct err *e);

/* Renames the complete file. Returns 0, or -1 with ERR_OUTPUT: it is still
 * partial, or its note could not be removed. */
int part_file_commit(struct part_file *f, struct err *e);

/* Closes the file. A partial file is kept and reported, unless it is empty;
 * --continue would continue it if *source is usable. */
void part_file_close(struct part_file *f);

#endif
