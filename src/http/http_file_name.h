/* Safe file names for downloads, whatever the URL says. */
#ifndef HTTP_HTTP_FILE_NAME_H
#define HTTP_HTTP_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct url;

/* Longest name: NAME_MAX minus the suffixes of partial files. */
#define HTTP_FILE_NAME_SIZE 240

/*
 * Copies the last segment of the URL's path to buf, decoded and made safe: no
 * slash, no control character, only valid UTF-8, no leading dot or hyphen.
 * Returns false if it is empty.
 */
bool http_file_name_of_url(const struct url *u, char *buf, size_t size);

#endif
