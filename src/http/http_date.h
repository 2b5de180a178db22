/* HTTP dates (RFC 9110 section 5.6.7). */
#ifndef HTTP_HTTP_DATE_H
#define HTTP_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* Enough for http_date_text(). */
#define HTTP_DATE_SIZE 40

/*
 * Parses "Sun, 06 Nov 1994 08:49:37 GMT", the two obsolete forms that
 * recipients must accept, and "1994-11-06", "1994-11-06 08:49" or
 * "1994-11-06T08:49:37Z" (all UTC) into seconds since 1970. Returns false for
 * anything else.
 */
bool http_date_parse(const char *text, int64_t *seconds);

/*
 * Text in one of the buffers of text_slot(): seconds since 1970 as "Sun, 06 Nov
 * 1994 08:49:37 GMT", limited to the years 1970 to 9999.
 */
const char *http_date_text(int64_t seconds);

#endif
