/* Dates as HTTP writes them (RFC 9110 section 5.6.7). */
#ifndef HTTP_HTTP_DATE_H
#define HTTP_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Enough for http_date_format(). */
#define HTTP_DATE_SIZE 40

/*
 * Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT", of the two older
 * forms that recipients have to know, and of "1994-11-06", "1994-11-06 08:49",
 * "1994-11-06T08:49:37Z" (all UTC). False when it is anything else.
 */
bool http_date_parse(const char *text, int64_t *seconds);

/*
 * "Sun, 06 Nov 1994 08:49:37 GMT" into buf, or the nearest date of the years
 * 1970 to 9999; returns buf.
 */
const char *http_date_format(char *buf, size_t size, int64_t seconds);

#endif
