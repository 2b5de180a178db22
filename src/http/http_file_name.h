/* Safe file names for downloads, whatever the server sends. */
#ifndef HTTP_HTTP_FILE_NAME_H
#define HTTP_HTTP_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct http_head;
struct url;

/* Longest name: NAME_MAX minus the suffixes of partial files. */
#define HTTP_FILE_NAME_SIZE 240

/*
 * Copies the last segment of the URL's path to buf, decoded and made safe: no
 * slash, no control character, only valid UTF-8, no leading dot or hyphen.
 * Returns false if it is empty.
 */
bool http_file_name_of_url(const struct url *u, char *buf, size_t size);

/*
 * The same for the filename* or filename parameter of Content-Disposition (RFC
 * 6266), without its directories. Returns false if there is none.
 */
bool http_file_name_of_head(
    const struct http_head *head, char *buf, size_t size);

#endif
