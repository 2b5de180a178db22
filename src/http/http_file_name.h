/* Names for downloaded files that no server can turn against its client. */
#ifndef HTTP_HTTP_FILE_NAME_H
#define HTTP_HTTP_FILE_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct http_head;
struct url;

/* Longest name: NAME_MAX less what the names of partial files add. */
#define HTTP_FILE_NAME_SIZE 240

/*
 * The last segment of the URL's path, decoded and made safe: no slash, no
 * control byte, nothing but UTF-8, and no dot or hyphen at its beginning.
 * False when it is empty.
 */
bool http_file_name_of_url(const struct url *u, char *buf, size_t size);

/*
 * The same from the filename* or filename of a Content-Disposition (RFC
 * 6266), without any folders in it. False when there is none.
 */
bool http_file_name_of_head(
    const struct http_head *head, char *buf, size_t size);

#endif
