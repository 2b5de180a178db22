/* Serves the files of a folder over HTTP/1.1 (RFC 9110, RFC 9112). */
#ifndef SERVE_FILES_H
#define SERVE_FILES_H

struct session;

/* How long a connection may be idle without an option. */
#define FILES_IDLE_MS 60000

/*
 * Answers requests for files below the folder dir, until the client finishes or
 * a limit passes between two requests. Confines this process to reading there,
 * where the system can. A request must be whole within 30 s, or within the idle
 * limit of the session if an option has set it. Returns 0, or -1 with the
 * session's error.
 */
int files_serve(struct session *s, int dir);

#endif
