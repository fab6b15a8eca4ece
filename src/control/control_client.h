/**
 * A connection to a live run's control socket (control_server.h): lines out, lines in.
 *
 * It is used in two ways: waiting (`ctl`, `ls`), or by a loop that watches `fd` (`attach`).
 *
 * Ownership  control_client_close releases everything but the struct.
 * Errors     E-CTL6 no run listens there (RESULT_NOT_FOUND); E-CTL8 the connection broke, or the other side speaks
 *            no such protocol (RESULT_IO); what the run itself refuses a hello for, such as E-CTL3 (RESULT_INVALID).
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_CONTROL_CONTROL_CLIENT_H
#define SCRAPETOP_CONTROL_CONTROL_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct control_client {
    int fd; /* -1: closed */
    /* nothing may take time: what cannot be sent at once is an error, ssh is ended at once */
    bool is_hasty;
    pid_t ssh; /* the process that brings it from another machine; 0: none */
    struct buf in;
    size_t taken; /* bytes of `in` that lines were made of */
};

MUST_CHECK enum result control_client_connect(struct control_client *c, const char *path,
                                              struct err *err);

/** By `ssh HOST scrapetop ctl RUN --stdio`. That the other side cannot be reached shows when it is read. `may_ask`: ssh
 *  may ask for a password, and tell its trouble; else it does neither, and gives up within seconds. */
MUST_CHECK enum result control_client_ssh(struct control_client *c, const char *host,
                                          const char *run, bool may_ask, struct err *err);

void control_client_close(struct control_client *c);

/** Sends a line, to which the line feed is added. Waits as long as the run is busy, ten seconds at most. */
MUST_CHECK enum result control_client_send(struct control_client *c, struct str line,
                                           struct err *err);

/** Reads what there is, waiting up to `timeout_ms` for something (0: not at all). RESULT_CANCELLED: nothing came;
 *  RESULT_NOT_FOUND: the other side has closed. Views of earlier lines end. */
MUST_CHECK enum result control_client_read(struct control_client *c, int timeout_ms,
                                           struct err *err);

/** The next whole line, checked to be one JSON value; a view until the next read. False: there is none yet. */
bool control_client_line(struct control_client *c, struct str *line);

/** What a client asks for as it says hello. */
struct control_hello {
    const char *frames; /* "snapshot", "totals" or "none" */
    unsigned every_ms;
    bool is_viewer, wants_events;
};

/** Says hello, and waits for nothing. */
MUST_CHECK enum result control_client_say_hello(struct control_client *c,
                                                const struct control_hello *hello, struct err *err);

/** Whether a line answers a hello: RESULT_OK. RESULT_CANCELLED: it is another one. Else it is a refusal, such as E-CTL3
 *  (another version; RESULT_INVALID). */
MUST_CHECK enum result control_client_is_greeted(struct str line, struct err *err);

/** Says hello and waits for the answer, a view as above: five seconds, or a minute where ssh may ask for a password. */
MUST_CHECK enum result control_client_hello(struct control_client *c,
                                            const struct control_hello *hello, struct str *answer,
                                            struct err *err);

#endif
